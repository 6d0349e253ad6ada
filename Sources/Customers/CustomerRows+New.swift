import Kernel
import Storage

extension CustomerRows {
    /// Writes rows of customers of whom there is nothing yet, the listing included: nothing is looked for, and PostgreSQL takes
    /// them through COPY. What several customers may bring (documents, codes of extras) goes by a statement that bears it.
    /// - Parameters:
    ///   - isDistinct: there is no such case among them, as with invented customers: all goes through COPY.
    ///   - found: the listing, tokens and identifiers of the same customers, made while the server takes in the customers
    ///     themselves, without texts of the search, which the caller writes; `nil` = all is here.
    func writeNew(
        isDistinct: Bool = false, found: (() -> CustomerRows)? = nil, _ session: any SQLSession
    ) throws {
        var late: CustomerRows?
        var batches = direct(isDistinct: isDistinct).makeIterator()
        var lateBatches: IndexingIterator<[BulkRows]>?
        try session.bulkInsert {
            if let batch = batches.next() { return batch }
            if lateBatches == nil {
                let rows = found?() ?? self
                late = rows
                let texts = found == nil ? SearchIndex.new(texts, session.dialect) : []
                lateBatches = (texts + rows.lookUps(isDistinct: isDistinct)).makeIterator()
            }
            return lateBatches?.next()
        }
        guard !isDistinct else { return }
        try session.executeMany(CustomerSQL.upsertAddon, addons)
        try session.executeMany(CustomerSQL.insertTrace, (late ?? self).tracedIdentifiers)
    }

    /// What is kept of customers. The widest table comes last: what follows is made while it is taken in.
    private func direct(isDistinct: Bool) -> [BulkRows] {
        let batches: [(table: SQL, columns: SQL, rows: [[SQLValue]])] = [
            (
                "customers_party",
                """
                id, kind, display_name, folded_name, family_name, given_name, gender, birth_date, senior, language,
                industry, size_tier
                """, parties
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
                status, monthly_charge, currency, iccid, imsi, imei, device, sim_kind
                """, subscriptions
            ),
            ("customers_subscription_locator", "id, customer_id", locators),
            (
                "customers_outcome", "customer_id, id, left_on, reason_code, reason_text, competitor, recorded_on",
                outcomes
            ),
            ("customers_attribute_value", "customer_id, attribute_id, text_value, int_value, double_value", attributes),
            (
                "customers_addon", "customer_id, subscription_id, code, monthly_charge", isDistinct ? addons : []
            ),
            (
                "customers_customer",
                """
                id, reference, status, status_reason, segment, region, city, since, payment_method, paperless,
                total_charges, currency, has_left, source, revision, created_at, updated_at, edition
                """, customers
            ),
        ]
        return batches.map { BulkRows(into: $0.table, $0.columns, $0.rows) }
    }

    /// What they are listed and found by.
    private func lookUps(isDistinct: Bool) -> [BulkRows] {
        [
            BulkRows(into: "customers_listing", "customer_id, \(ListingRow.columnList)", listing),
            BulkRows(into: "customers_search", "kind, token, customer_id", search),
            BulkRows(into: "customers_identifier", "kind, value, customer_id", identifiers),
            BulkRows(
                into: "customers_identifier", "kind, value, customer_id", isDistinct ? tracedIdentifiers : []),
        ]
    }
}
