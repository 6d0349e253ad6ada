import Kernel
import Storage

extension CustomerRows {
    /// Writes rows of customers of whom there is nothing yet, the listing included: nothing is looked for, and PostgreSQL takes
    /// them through COPY. What several customers may bring (documents, codes of extras) goes by a statement that bears it.
    /// - Parameter isDistinct: there is no such case among them, as with invented customers: all goes through COPY.
    func writeNew(isDistinct: Bool = false, _ session: any SQLSession) throws {
        let batches: [(table: SQL, columns: SQL, rows: [[SQLValue]])] = [
            (
                "customers_party",
                """
                id, kind, display_name, folded_name, family_name, given_name, gender, birth_date, senior, language,
                industry, size_tier
                """, parties
            ),
            (
                "customers_customer",
                """
                id, reference, status, status_reason, segment, region, city, since, payment_method, paperless,
                total_charges, currency, has_left, source, revision, created_at, updated_at, edition
                """, customers
            ),
            ("customers_contact_medium", "customer_id, id, kind, value, folded, preferred", contacts),
            (
                "customers_address", "customer_id, id, lines, city, region, postcode, country, latitude, longitude",
                addresses
            ),
            ("customers_identity_document", "customer_id, id, kind, number", documents),
            (
                "customers_subscription",
                """
                customer_id, id, service, technology, plan, msisdn, contract_term, contract_end, started_on, ended_on,
                status, monthly_charge, currency, iccid, imsi, imei, device
                """, subscriptions
            ),
            ("customers_subscription_locator", "id, customer_id", locators),
            (
                "customers_outcome", "customer_id, id, left_on, reason_code, reason_text, competitor, recorded_on",
                outcomes
            ),
            ("customers_attribute_value", "customer_id, attribute_id, text_value, int_value, double_value", attributes),
            ("customers_identifier", "kind, value, customer_id", identifiers),
            ("customers_search", "kind, token, customer_id", search),
            ("customers_listing", "customer_id, \(ListingRow.columnList)", listing),
        ]
        for batch in batches where !batch.rows.isEmpty {
            try session.bulkInsert(into: batch.table, batch.columns, batch.rows)
        }
        guard isDistinct else {
            try session.executeMany(CustomerSQL.upsertAddon, addons)
            try session.executeMany(CustomerSQL.insertTrace, tracedIdentifiers)
            return
        }
        try session.bulkInsert(
            into: "customers_addon", "customer_id, subscription_id, code, monthly_charge", addons)
        try session.bulkInsert(into: "customers_identifier", "kind, value, customer_id", tracedIdentifiers)
    }
}
