import Kernel
import Storage

/// Which customers a principal may reach (G22). A region scope that is a list leaves out customers without a region;
/// teams do not own customers yet, so a team scope does not narrow here.
enum CustomerScope {
    static let inScope: SQL = "SELECT customer_id FROM customers_listing WHERE TRUE"

    static func allows(_ region: String?, _ principal: Principal) -> Bool {
        guard let regions = principal.scope.regions else { return true }
        return region.map(regions.contains) ?? false
    }

    /// The region of what a caller makes who is kept to some: the first of them by name, as customers have it spelled.
    /// - Returns: `nil` for who is kept to none, or works for no region at all.
    static func own(_ principal: Principal, _ session: any SQLSession) throws -> String? {
        guard let regions = principal.scope.regions else { return nil }
        // The scope has each region under all its spellings, the one that was given before the others.
        var met: Set<String> = []
        return try regions.filter { met.insert(RegionName.key($0)).inserted }.min().map { try spelled($0, principal, session) }
    }

    /// A region as customers have it spelled, as far as the caller reaches those.
    static func spelled(_ region: String, _ principal: Principal, _ session: any SQLSession) throws -> String {
        var book = try RegionBook(session)
        let known = book.spelling(region)
        return allows(known, principal) ? known : region
    }

    /// Narrows a query over customers_listing.
    static func narrow(_ builder: inout SQLBuilder, _ principal: Principal, column: SQL = "AND region") {
        guard let regions = principal.scope.regions else { return }
        builder.appendIn(column, regions.prefix(Limits.sqlListChunk).map { .text($0) })
    }

    /// Narrows a query over what belongs to customers.
    /// - Parameter owner: the column with the customer's id.
    static func narrow(_ builder: inout SQLBuilder, _ principal: Principal, owner: SQL) {
        guard principal.scope.regions != nil else { return }
        builder.append("AND EXISTS (SELECT 1 FROM customers_listing l WHERE l.customer_id = \(owner)")
        narrow(&builder, principal, column: "AND l.region")
        builder.append(")")
    }

    /// The ids within the principal's scope; unknown ids are left out too.
    static func reachable(_ ids: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws
        -> Set<CustomerID>
    {
        try asking(ids, principal, session).value()
    }

    /// The same, asked for.
    static func asking(_ ids: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws
        -> Asked<Set<CustomerID>>
    {
        let chunks = try ids.chunked(Limits.sqlListChunk).map { chunk in
            var builder = SQLBuilder(inScope)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            narrow(&builder, principal)
            return try session.asking(builder) { $0.id(0, PartyKind.self) }
        }
        return Asked { Set(try chunks.flatMap { try $0.value() }) }
    }

    /// - Throws: `CRMError.notFound` for what does not exist and for what is out of reach, alike.
    static func require(_ id: CustomerID, _ principal: Principal, _ session: any SQLSession) throws {
        guard try reachable([id], principal, session).contains(id) else { throw CRMError.notFound }
    }
}

/// Merges are links (A6): what was linked is shown as one customer.
enum CustomerLinks {
    static let neighbours: SQL = """
        SELECT from_id, to_id FROM customers_customer_link WHERE valid AND (from_id = $1 OR to_id = $1)
        """
    static let insert: SQL = """
        INSERT INTO customers_customer_link (from_id, to_id, valid, evidence, linked_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (from_id, to_id) DO UPDATE SET valid = excluded.valid, evidence = excluded.evidence,
          linked_at = excluded.linked_at
        """
    static let setMax = 50

    /// The customer and everybody linked with it, the customer first.
    static func set(of id: CustomerID, _ session: any SQLSession) throws -> [CustomerID] {
        try links(of: id, session).set
    }

    /// The set, and whom each of those whose links were read is merged into.
    static func links(of id: CustomerID, _ session: any SQLSession) throws
        -> (set: [CustomerID], into: [CustomerID: CustomerID])
    {
        var result = [id]
        var into: [CustomerID: CustomerID] = [:]
        var place = 0
        while place < result.count, result.count < setMax {
            // All that are known by now, in one round trip.
            let asked = try result[place...].map { one in
                (
                    one,
                    try session.asking(neighbours, [.id(one)]) { ($0.id(0, PartyKind.self), $0.id(1, PartyKind.self)) }
                )
            }
            for (one, answer) in asked where result.count < setMax {
                place += 1
                for (from, to) in try answer.value() {
                    if from == one { into[one] = min(into[one] ?? to, to) }
                    for other in [from, to] where !result.contains(other) { result.append(other) }
                }
            }
        }
        return (result, into)
    }

    static let setBehind: SQL = """
        UPDATE customers_listing SET behind = $2 WHERE customer_id = $1 AND behind <> $2
        """

    /// After links have changed: of the sets of these records only the first is in lists.
    static func settle(_ ids: [CustomerID], _ session: any SQLSession) throws {
        var done: Set<CustomerID> = []
        for id in ids where !done.contains(id) {
            let set = try set(of: id, session)
            done.formUnion(set)
            try settle(sets: [set], session)
        }
    }

    static let charges: SQL = "SELECT customer_id, monthly_charge FROM customers_listing WHERE TRUE"

    /// The same for whole sets. In lists stands the record that is billed most: plan, charge and risk are its; of equals
    /// the oldest.
    static func settle(sets: [[CustomerID]], _ session: any SQLSession) throws {
        var charged: [CustomerID: Int64] = [:]
        for chunk in sets.flatMap(\.self).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(charges)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            for (id, charge) in try session.query(builder, { ($0.id(0, PartyKind.self), $0.int(1)) }) {
                charged[id] = charge
            }
        }
        try session.executeMany(
            setBehind,
            sets.flatMap { set -> [[SQLValue]] in
                let first = set.min { (-(charged[$0] ?? -1), $0) < (-(charged[$1] ?? -1), $1) }
                return set.map { [.id($0), .bool($0 != first)] }
            })
    }

    /// Records linked with any of these, themselves apart.
    static func neighbours(of ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID] {
        let sets = try MatchSets(Set(ids), session)
        return sets.members.subtracting(ids).sorted()
    }

    /// Links two records, or takes the link back.
    static func link(
        _ from: CustomerID, _ to: CustomerID, valid: Bool, evidence: String, at: Instant, _ session: any SQLSession
    ) throws {
        try session.execute(insert, [.id(from), .id(to), .bool(valid), .text(evidence), .time(at)])
    }
}
