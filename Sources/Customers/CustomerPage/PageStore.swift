import Kernel
import Storage

/// What the head of the customer page shows.
struct PageHead: Sendable {
    let id: CustomerID
    let reference: String?
    let status: CustomerStatus
    let segment: String?
    var region: String?
    var city: String?
    var since: LocalDate?
    let currency: String
    let kind: CustomerKind
    var displayName: String
    let tier: ValueTier
    var monthlyCharge: Int64?
    /// 0...1; `nil` = not scored.
    let risk: Double?
    let band: RiskBand?
    /// Minor units.
    var value: Int64?
    let leftOn: LocalDate?
    let leaveReason: String?
}

/// Unpaid bills whose day is over.
struct Overdue: Sendable {
    let count: Int
    /// Minor units: what is still open of them.
    let amount: Int64
}

/// Reads for the head of the customer page.
enum PageStore {
    static let head: SQL = """
        SELECT c.id, c.reference, c.status, c.segment, c.region, c.city, c.since, c.currency, p.kind, p.display_name,
          l.tier, l.monthly_charge, l.risk, l.band, l.value_score, l.left_on, l.leave_reason
        FROM customers_customer c JOIN customers_party p ON p.id = c.id
        LEFT JOIN customers_listing l ON l.customer_id = c.id
        WHERE c.id = $1
        """
    static let overdue: SQL = """
        SELECT COUNT(*), CAST(COALESCE(SUM(amount - COALESCE(settled, 0)), 0) AS BIGINT) FROM customers_charge
        WHERE kind = 'bill' AND paid_on IS NULL AND settled_on IS NULL AND amount > 0 AND due_on < $1
        """
    static let mainLine: SQL = """
        SELECT msisdn, plan, contract_term, contract_end, status FROM customers_subscription
        WHERE customer_id = $1 AND status <> 'terminated' ORDER BY id LIMIT 1
        """
    static let anyLine: SQL = """
        SELECT msisdn, plan, contract_term, contract_end, status FROM customers_subscription
        WHERE customer_id = $1 ORDER BY id LIMIT 1
        """

    /// The records that a merge links with `id`, the surviving one first; only `id` when there is no link.
    static func linked(_ id: CustomerID, _ session: any SQLSession) throws -> [CustomerID] {
        let (set, into) = try CustomerLinks.links(of: id, session)
        guard set.count > 1 else { return set }
        // The one that is merged into nobody; of several, and in a circle, the oldest: whoever is asked, the same.
        let primary = set.filter { into[$0] == nil }.min() ?? set.min() ?? id
        return [primary] + set.filter { $0 != primary }
    }

    static func head(_ id: CustomerID, _ session: any SQLSession) throws -> Asked<PageHead?> {
        try session.askingFirst(head, [.id(id)]) { row in
            PageHead(
                id: row.id(0), reference: row.optionalText(1), status: CustomerStatus(rawValue: row.text(2)) ?? .active,
                segment: row.optionalText(3), region: row.optionalText(4), city: row.optionalText(5),
                since: row.optionalDate(6), currency: row.text(7),
                kind: CustomerKind(rawValue: row.text(8)) ?? .individual, displayName: row.text(9),
                tier: ValueTier(rawValue: row.text(10)) ?? .unknown, monthlyCharge: known(row, 11),
                risk: row.isNull(12) || row.double(12) < 0 ? nil : row.double(12),
                band: RiskBand(rawValue: row.text(13)),
                value: known(row, 14), leftOn: row.optionalDate(15),
                leaveReason: row.optionalText(16).flatMap { $0.isEmpty ? nil : $0 })
        }
    }

    /// The listing writes -1 for what is not known.
    private static func known(_ row: Row, _ column: Int) -> Int64? {
        guard let value = row.optionalInt(column), value >= 0 else { return nil }
        return value
    }

    static let values: SQL = "SELECT customer_id, value_score FROM customers_listing WHERE value_score > 0"

    /// The value of each record that has one.
    static func values(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: Int64] {
        var result: [CustomerID: Int64] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(values)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            for (id, value) in try session.query(builder, { ($0.id(0, PartyKind.self), $0.int(1)) }) { result[id] = value }
        }
        return result
    }

    static func overdue(_ ids: [CustomerID], today: LocalDate, _ session: any SQLSession) throws -> Asked<Overdue> {
        var builder = SQLBuilder(overdue, [.date(today)])
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        return try session.askingFirst(builder) { Overdue(count: $0.integer(0), amount: $0.int(1)) }.map {
            $0 ?? Overdue(count: 0, amount: 0)
        }
    }

    struct Line: Sendable {
        let msisdn: String?
        let plan: String?
        /// Months; 0 = month to month.
        let term: Int?
        let end: LocalDate?
        let status: SubscriptionStatus
    }

    /// The first line in service, else the first there ever was; of several records that of the first that has one.
    static func mainLine(_ ids: [CustomerID], _ session: any SQLSession) throws -> Asked<Line?> {
        @Sendable func line(_ row: Row) -> Line {
            Line(
                msisdn: row.optionalText(0), plan: row.optionalText(1), term: row.optionalInt(2).map { Int($0) },
                end: row.optionalDate(3), status: SubscriptionStatus(rawValue: row.text(4)) ?? .active)
        }
        let asked = try ids.map { id in
            (try session.askingFirst(mainLine, [.id(id)], line), try session.askingFirst(anyLine, [.id(id)], line))
        }
        return Asked {
            for (standing, _) in asked { if let line = try standing.value() { return line } }
            for (_, any) in asked { if let line = try any.value() { return line } }
            return nil
        }
    }
}
