import Contracts
import Kernel
import Platform
import Storage

/// What other domains read of customers (ReadContracts): cards for their lists and the table models learn from.
package struct CustomerReader: CustomerReading {
    private let clock: any WallClock
    /// Of the tenant: its day is the one to which tenure and contracts are counted.
    private let timeZoneOffsetMinutes: Int

    package init(clock: any WallClock = SystemClock(), timeZoneOffsetMinutes: Int = 480) {
        self.clock = clock
        self.timeZoneOffsetMinutes = timeZoneOffsetMinutes
    }

    static let count: SQL = "SELECT COUNT(*) FROM customers_listing"

    package func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws
        -> [CustomerCard]
    {
        let lines = try CustomerListing.lines(ids, masking: Masking(principal), principal, session)
        return lines.map { line in
            CustomerCard(
                id: line.id, displayName: line.name, phone: line.phone,
                region: line.region.isEmpty ? nil : line.region, segment: line.segment.isEmpty ? nil : line.segment,
                monthlyCharge: line.monthlyCharge, status: line.status, isBehind: line.isBehind)
        }
    }

    package func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws
        -> Set<CustomerID>
    {
        try CustomerScope.reachable(ids, principal, session)
    }

    package func linked(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [CustomerID]] {
        var result: [CustomerID: [CustomerID]] = [:]
        for id in ids where result[id] == nil {
            let set = try CustomerLinks.links(of: id, session).set
            for one in set { result[one] = set }
        }
        return result
    }

    package func customerCount(_ session: any SQLSession) throws -> Int { try session.count(Self.count) }

    static let numbered: SQL = """
        SELECT customer_id FROM customers_search WHERE kind = $1 AND token = $2 ORDER BY customer_id LIMIT 2
        """

    /// Customers of this number in any source, at most two: one is meant, more are not clear.
    package func customers(numbered number: String, _ session: any SQLSession) throws -> [CustomerID] {
        try session.query(
            Self.numbered, [.int(SearchTokens.Kind.reference.rawValue), .text(Folding.fold(number))]
        ) { $0.id(0) }
    }

    static let unscored: SQL = """
        SELECT COUNT(*) FROM customers_listing WHERE band = '' AND status NOT IN ('churned', 'prospect') AND NOT behind
        """

    /// Customers in service, within the principal's scope, of whom no score is known.
    package func unscoredCount(_ principal: Principal, _ session: any SQLSession) throws -> Int {
        var builder = SQLBuilder(Self.unscored)
        CustomerScope.narrow(&builder, principal)
        return try session.first(builder.sql, builder.arguments) { $0.integer(0) } ?? 0
    }

    package func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable {
        try LearningTable.read(
            after: after, limit: limit, today: clock.now().date(offsetMinutes: timeZoneOffsetMinutes), session)
    }
}
