import Kernel
import Storage

/// Reads whole customers: one query a table for a list of ids.
enum CustomerLoader {
    static let parties: SQL = """
        SELECT id, kind, display_name, family_name, given_name, gender, birth_date, senior, language, industry, size_tier
        FROM customers_party WHERE TRUE
        """
    static let customers: SQL = """
        SELECT id, reference, status, status_reason, segment, region, city, since, payment_method, paperless,
          total_charges, currency, has_left, source, revision, created_at, updated_at, edition
        FROM customers_customer WHERE TRUE
        """
    static let contacts: SQL = """
        SELECT customer_id, id, kind, value, preferred FROM customers_contact_medium WHERE TRUE
        """
    static let addresses: SQL = """
        SELECT customer_id, id, lines, city, region, postcode, country, latitude, longitude FROM customers_address
        WHERE TRUE
        """
    static let documents: SQL = "SELECT customer_id, id, kind, number FROM customers_identity_document WHERE TRUE"
    static let subscriptions: SQL = """
        SELECT customer_id, id, service, technology, plan, msisdn, contract_term, contract_end, started_on, ended_on,
          status, monthly_charge, currency, iccid, imsi, imei, device, sim_kind
        FROM customers_subscription WHERE TRUE
        """
    static let addons: SQL = """
        SELECT customer_id, subscription_id, code, monthly_charge FROM customers_addon WHERE TRUE
        """
    static let outcomes: SQL = """
        SELECT customer_id, id, left_on, reason_code, reason_text, competitor, recorded_on FROM customers_outcome
        WHERE TRUE
        """
    static let attributes: SQL = """
        SELECT customer_id, attribute_id, text_value, int_value, double_value FROM customers_attribute_value WHERE TRUE
        """
    static let identifiers: SQL = """
        SELECT customer_id, kind, value FROM customers_identifier WHERE kind >= 'source:' AND kind < 'source;'
        """

    /// The customers that exist, in the order of `ids`.
    static func records(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerRecord] {
        var result: [CustomerRecord] = []
        result.reserveCapacity(ids.count)
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var found = try heads(chunk, session)
            if found.isEmpty { continue }
            try addPlaces(&found, chunk, session)
            try addServices(&found, chunk, session)
            try addRest(&found, chunk, session)
            for id in chunk { if let record = found[id] { result.append(record) } }
        }
        return result
    }

    /// What a list of customers shows to programs: all but lines, documents of identity and numbers of sources.
    /// - Parameter hasAttributes: whether operators have defined any.
    static func listed(_ ids: [CustomerID], hasAttributes: Bool, _ session: any SQLSession) throws -> [CustomerRecord] {
        var result: [CustomerRecord] = []
        result.reserveCapacity(ids.count)
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var found = try heads(chunk, session)
            if found.isEmpty { continue }
            try addMedia(&found, chunk, session)
            let left = found.filter { $0.value.customer.hasLeft == true }.map(\.key)
            if !left.isEmpty { try addOutcomes(&found, left, session) }
            if hasAttributes { try addAttributes(&found, chunk, session) }
            for id in chunk { if let record = found[id] { result.append(record) } }
        }
        return result
    }

    static func record(_ id: CustomerID, _ session: any SQLSession) throws -> CustomerRecord? {
        try records([id], session).first
    }

    private static func each(
        _ start: SQL, _ key: SQL, _ ids: [CustomerID], order: SQL? = nil, _ session: any SQLSession,
        _ body: (CustomerID, Row) -> Void
    ) throws {
        var builder = SQLBuilder(start)
        builder.appendIn(key, ids.map { .id($0) })
        if let order { builder.append(order) }
        try session.forEach(builder.sql, builder.arguments) { row in
            body(row.id(0), row)
            return true
        }
    }

    private static func heads(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: CustomerRecord] {
        var found: [CustomerID: Customer] = [:]
        try each(customers, "AND id", ids, session) { id, row in
            var customer = Customer(
                reference: row.optionalText(1), status: CustomerStatus(rawValue: row.text(2)) ?? .active,
                statusReason: row.optionalText(3), segment: row.optionalText(4), region: row.optionalText(5),
                city: row.optionalText(6), since: row.optionalDate(7), paymentMethod: row.optionalText(8),
                paperless: row.optionalBool(9), totalCharges: row.optionalInt(10), currency: row.text(11),
                hasLeft: row.optionalBool(12), source: row.text(13), revision: row.int(14), createdAt: row.time(15),
                updatedAt: row.time(16))
            customer.edition = row.int(17)
            found[id] = customer
        }
        var result: [CustomerID: CustomerRecord] = [:]
        try each(parties, "AND id", ids, session) { id, row in
            guard let customer = found[id] else { return }
            result[id] = CustomerRecord(id: id, party: party(row), customer: customer)
        }
        return result
    }

    static func partyHeads(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: CustomerRecord] {
        var result: [CustomerID: CustomerRecord] = [:]
        let nothing = Customer(currency: "", source: "", createdAt: Instant(milliseconds: 0))
        try each(parties, "AND id", ids, session) { id, row in
            result[id] = CustomerRecord(id: id, party: party(row), customer: nothing)
        }
        return result
    }

    private static func party(_ row: Row) -> Party {
        Party(
            kind: CustomerKind(rawValue: row.text(1)) ?? .individual, displayName: row.text(2),
            familyName: row.optionalText(3), givenName: row.optionalText(4), gender: row.optionalText(5),
            birthDate: row.optionalDate(6), senior: row.optionalBool(7), language: row.optionalText(8),
            industry: row.optionalText(9), sizeTier: row.optionalText(10).flatMap(SizeTier.init))
    }

    static func addPlaces(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try addMedia(&found, ids, session)
        try each(documents, "AND customer_id", ids, order: "ORDER BY customer_id, id", session) { id, row in
            found[id]?.documents.append(
                IdentityDocument(
                    id: row.id(1), kind: DocumentKind(rawValue: row.text(2)) ?? .other, number: row.text(3)))
        }
    }

    private static func addMedia(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try each(contacts, "AND customer_id", ids, order: "ORDER BY customer_id, id", session) { id, row in
            guard let kind = ContactKind(rawValue: row.text(2)) else { return }
            found[id]?.contacts.append(
                ContactMedium(id: row.id(1), kind: kind, value: row.text(3), preferred: row.bool(4)))
        }
        try each(addresses, "AND customer_id", ids, order: "ORDER BY customer_id, id", session) { id, row in
            found[id]?.addresses.append(
                Address(
                    id: row.id(1), lines: row.optionalText(2), city: row.optionalText(3), region: row.optionalText(4),
                    postcode: row.optionalText(5), country: row.optionalText(6), latitude: row.optionalDouble(7),
                    longitude: row.optionalDouble(8)))
        }
    }

    private static func addServices(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        var extras: [SubscriptionID: [Addon]] = [:]
        try each(addons, "AND customer_id", ids, order: "ORDER BY customer_id, subscription_id, code", session) {
            _, row in
            extras[row.id(1), default: []].append(Addon(code: row.text(2), monthlyCharge: row.optionalInt(3)))
        }
        try each(subscriptions, "AND customer_id", ids, order: "ORDER BY customer_id, id", session) { id, row in
            let line = SubscriptionID(row.int(1))
            found[id]?.subscriptions.append(
                Subscription(
                    id: line, service: ServiceCode(rawValue: row.text(2)) ?? .other, technology: row.optionalText(3),
                    plan: row.optionalText(4), msisdn: row.optionalText(5),
                    contractTerm: row.optionalInt(6).map { Int($0) }, contractEnd: row.optionalDate(7),
                    startedOn: row.optionalDate(8), endedOn: row.optionalDate(9),
                    status: SubscriptionStatus(rawValue: row.text(10)) ?? .active, monthlyCharge: row.optionalInt(11),
                    currency: row.text(12), addons: extras[line] ?? [], iccid: row.optionalText(13),
                    imsi: row.optionalText(14), imei: row.optionalText(15), device: row.optionalText(16),
                    simKind: row.optionalText(17).flatMap(SIMKind.init)))
        }
    }

    private static func addRest(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try addOutcomes(&found, ids, session)
        try addAttributes(&found, ids, session)
        try addSources(&found, ids, session)
    }

    private static func addOutcomes(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try each(outcomes, "AND customer_id", ids, order: "ORDER BY customer_id, id", session) { id, row in
            guard let recorded = row.optionalDate(6) else { return }
            found[id]?.outcome = Outcome(
                id: row.id(1), leftOn: row.optionalDate(2), reasonCode: row.optionalText(3),
                reasonText: row.optionalText(4), competitor: row.optionalText(5), recordedOn: recorded)
        }
    }

    private static func addAttributes(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try each(attributes, "AND customer_id", ids, session) { id, row in
            found[id]?.attributes[row.id(1)] = content(row, 2)
        }
    }

    static func addSources(
        _ found: inout [CustomerID: CustomerRecord], _ ids: [CustomerID], _ session: any SQLSession
    ) throws {
        try each(identifiers, "AND customer_id", ids, session) { id, row in
            found[id]?.sourceIDs[String(row.text(1).dropFirst("source:".count))] = row.text(2)
        }
    }

    /// The typed value in three columns from `start`: text, integer, decimal.
    static func content(_ row: Row, _ start: Int) -> AttributeContent {
        if let text = row.optionalText(start) { return .text(text) }
        if let int = row.optionalInt(start + 1) { return .integer(int) }
        return .decimal(row.double(start + 2))
    }
}
