import Kernel
import Storage

/// The statements that write customers.
enum CustomerSQL {
    static let upsertParty: SQL = """
        INSERT INTO customers_party (id, kind, display_name, folded_name, family_name, given_name, gender, birth_date,
          senior, language, industry, size_tier)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, display_name = excluded.display_name,
          folded_name = excluded.folded_name, family_name = excluded.family_name, given_name = excluded.given_name,
          gender = excluded.gender, birth_date = excluded.birth_date, senior = excluded.senior,
          language = excluded.language, industry = excluded.industry, size_tier = excluded.size_tier
        """
    static let upsertCustomer: SQL = """
        INSERT INTO customers_customer (id, reference, status, status_reason, segment, region, city, since,
          payment_method, paperless, total_charges, currency, has_left, source, revision, created_at, updated_at, edition)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (id) DO UPDATE SET reference = excluded.reference, status = excluded.status,
          status_reason = excluded.status_reason, segment = excluded.segment, region = excluded.region,
          city = excluded.city, since = excluded.since, payment_method = excluded.payment_method,
          paperless = excluded.paperless, total_charges = excluded.total_charges, currency = excluded.currency,
          has_left = excluded.has_left, source = excluded.source, revision = excluded.revision,
          updated_at = excluded.updated_at, edition = excluded.edition
        """
    static let upsertContact: SQL = """
        INSERT INTO customers_contact_medium (customer_id, id, kind, value, folded, preferred)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (customer_id, id) DO UPDATE SET kind = excluded.kind, value = excluded.value,
          folded = excluded.folded, preferred = excluded.preferred
        """
    static let upsertAddress: SQL = """
        INSERT INTO customers_address (customer_id, id, lines, city, region, postcode, country, latitude, longitude)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (customer_id, id) DO UPDATE SET lines = excluded.lines, city = excluded.city,
          region = excluded.region, postcode = excluded.postcode, country = excluded.country,
          latitude = excluded.latitude, longitude = excluded.longitude
        """
    static let upsertDocument: SQL = """
        INSERT INTO customers_identity_document (customer_id, id, kind, number) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer_id, id) DO UPDATE SET kind = excluded.kind, number = excluded.number
        """
    static let upsertSubscription: SQL = """
        INSERT INTO customers_subscription (customer_id, id, service, technology, plan, msisdn, contract_term,
          contract_end, started_on, ended_on, status, monthly_charge, currency, iccid, imsi, imei, device, sim_kind)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (customer_id, id) DO UPDATE SET service = excluded.service, technology = excluded.technology,
          plan = excluded.plan, msisdn = excluded.msisdn, contract_term = excluded.contract_term,
          contract_end = excluded.contract_end, started_on = excluded.started_on, ended_on = excluded.ended_on,
          status = excluded.status, monthly_charge = excluded.monthly_charge, currency = excluded.currency,
          iccid = excluded.iccid, imsi = excluded.imsi, imei = excluded.imei, device = excluded.device,
          sim_kind = excluded.sim_kind
        """
    static let insertLocator: SQL = """
        INSERT INTO customers_subscription_locator (id, customer_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING
        """
    static let upsertAddon: SQL = """
        INSERT INTO customers_addon (customer_id, subscription_id, code, monthly_charge) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer_id, subscription_id, code) DO UPDATE SET monthly_charge = excluded.monthly_charge
        """
    static let upsertOutcome: SQL = """
        INSERT INTO customers_outcome (customer_id, id, left_on, reason_code, reason_text, competitor, recorded_on)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (customer_id, id) DO UPDATE SET left_on = excluded.left_on, reason_code = excluded.reason_code,
          reason_text = excluded.reason_text, competitor = excluded.competitor, recorded_on = excluded.recorded_on
        """
    static let upsertAttributeValue: SQL = """
        INSERT INTO customers_attribute_value (customer_id, attribute_id, text_value, int_value, double_value)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (customer_id, attribute_id) DO UPDATE SET text_value = excluded.text_value,
          int_value = excluded.int_value, double_value = excluded.double_value
        """
    static let insertIdentifier: SQL = """
        INSERT INTO customers_identifier (kind, value, customer_id) VALUES ($1, $2, $3)
        """
    /// One person may be a customer of several sources, a number of an ended line may be somebody else's by now: the
    /// first one keeps the look-up.
    static let insertTrace: SQL = """
        INSERT INTO customers_identifier (kind, value, customer_id) VALUES ($1, $2, $3)
        ON CONFLICT (kind, value) DO NOTHING
        """
    static let insertSearch: SQL = """
        INSERT INTO customers_search (kind, token, customer_id) VALUES ($1, $2, $3)
        ON CONFLICT (kind, token, customer_id) DO NOTHING
        """
    static let insertListing: SQL = """
        INSERT INTO customers_listing (customer_id, sort_name, kind, status, segment, tier, region, city, service, plan,
          contract_term, since, monthly_charge, currency, risk, band, value_score, leave_reason, left_on, latitude,
          longitude)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        """
    static let insertCharge: SQL = """
        INSERT INTO customers_charge (customer_id, id, kind, period, amount, currency, issued_on, due_on, paid_on)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """
    static let upsertUsage: SQL = """
        INSERT INTO customers_usage_month (customer_id, subscription_id, month, voice_min, sms, data_mb, roaming_mb,
          calls, dropped_calls, speed_mbps)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (customer_id, subscription_id, month) DO UPDATE SET voice_min = excluded.voice_min,
          sms = excluded.sms, data_mb = excluded.data_mb, roaming_mb = excluded.roaming_mb, calls = excluded.calls,
          dropped_calls = excluded.dropped_calls, speed_mbps = excluded.speed_mbps
        """
    static let insertHistory: SQL = """
        INSERT INTO customers_subscription_history (customer_id, id, subscription_id, changed_on, from_status,
          to_status, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
    static let insertChange: SQL = """
        INSERT INTO customers_change (customer_id, id, changed_at, actor, cause, from_status, to_status, fields)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """
    static let deleteContact: SQL = "DELETE FROM customers_contact_medium WHERE customer_id = $1 AND id = $2"
    static let deleteAddress: SQL = "DELETE FROM customers_address WHERE customer_id = $1 AND id = $2"
    static let deleteDocument: SQL = "DELETE FROM customers_identity_document WHERE customer_id = $1 AND id = $2"
    static let deleteSubscription: SQL = "DELETE FROM customers_subscription WHERE customer_id = $1 AND id = $2"
    static let deleteAddon: SQL = """
        DELETE FROM customers_addon WHERE customer_id = $1 AND subscription_id = $2 AND code = $3
        """
    static let deleteOutcome: SQL = "DELETE FROM customers_outcome WHERE customer_id = $1 AND id = $2"
    static let deleteAttributeValue: SQL = """
        DELETE FROM customers_attribute_value WHERE customer_id = $1 AND attribute_id = $2
        """
    static let deleteSearch: SQL = """
        DELETE FROM customers_search WHERE kind = $1 AND token = $2 AND customer_id = $3
        """
    static let deleteIdentifier: SQL = """
        DELETE FROM customers_identifier WHERE kind = $1 AND value = $2 AND customer_id = $3
        """
    static let deleteHistory: SQL = """
        DELETE FROM customers_subscription_history WHERE customer_id = $1 AND id = $2
        """
    static let deleteLocator: SQL = "DELETE FROM customers_subscription_locator WHERE id = $1"

    /// By customer id, everything; the other direction of relations and links too.
    static let deleteAll: [SQL] = [
        "DELETE FROM customers_relation WHERE other_id = $1 AND customer_id IN (SELECT other_id FROM customers_relation WHERE customer_id = $1)",
        "DELETE FROM customers_relation WHERE customer_id = $1",
        "DELETE FROM customers_customer_link WHERE from_id = $1 OR to_id = $1",
        "DELETE FROM customers_contact_medium WHERE customer_id = $1",
        "DELETE FROM customers_address WHERE customer_id = $1",
        "DELETE FROM customers_identity_document WHERE customer_id = $1",
        "DELETE FROM customers_addon WHERE customer_id = $1",
        "DELETE FROM customers_subscription_history WHERE customer_id = $1",
        "DELETE FROM customers_subscription WHERE customer_id = $1",
        "DELETE FROM customers_change WHERE customer_id = $1",
        "DELETE FROM customers_correction WHERE customer_id = $1",
        "DELETE FROM customers_charge WHERE customer_id = $1",
        "DELETE FROM customers_account_role WHERE customer_id = $1 OR holder_id = $1",
        "DELETE FROM customers_account WHERE customer_id = $1",
        "DELETE FROM customers_record_key WHERE customer_id = $1",
        "DELETE FROM customers_usage_month WHERE customer_id = $1",
        "DELETE FROM customers_outcome WHERE customer_id = $1",
        "DELETE FROM customers_attribute_value WHERE customer_id = $1",
        "DELETE FROM customers_identifier WHERE customer_id = $1",
        "DELETE FROM customers_listing WHERE customer_id = $1",
        "DELETE FROM customers_customer WHERE id = $1",
        "DELETE FROM customers_party WHERE id = $1",
    ]
}
