import Kernel
import Platform
import Storage

/// Decisions of people about two customers of whom one is gone: an import was taken back. They are kept by what the sources
/// call the two, so that they hold again when the import is repeated (ADR 0055).
enum KeptDecisions {
    static let any: SQL = "SELECT 1 FROM customers_kept_decision LIMIT 1"
    static let rows: SQL = """
        SELECT one_source, one_number, other_source, other_number, state, decided_by, decided_at, reason
        FROM customers_kept_decision WHERE TRUE
        """
    static let insert: SQL = """
        INSERT INTO customers_kept_decision (one_source, one_number, other_source, other_number, state, decided_by, decided_at,
          reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (one_number, other_number, one_source, other_source) DO UPDATE SET state = excluded.state,
          decided_by = excluded.decided_by, decided_at = excluded.decided_at, reason = excluded.reason
        """
    static let delete: SQL = """
        DELETE FROM customers_kept_decision
        WHERE one_source = $1 AND one_number = $2 AND other_source = $3 AND other_number = $4
        """
    static let ofPeople: SQL = """
        SELECT left_id, right_id, state, decided_by, decided_at, reason FROM customers_match_pair
        WHERE state <> 'open' AND decided_by <> 'import'
        """

    /// What a source calls a customer; without a source the number is our id.
    struct Name: Hashable, Comparable, Sendable {
        let source: String
        let number: String

        static func < (a: Name, b: Name) -> Bool { (a.number, a.source) < (b.number, b.source) }

        init(source: String, number: String) { (self.source, self.number) = (source, number) }
        init(_ id: CustomerID) { self.init(source: "", number: id.description) }

        static func of(_ record: CustomerRecord) -> [Name] {
            record.sourceIDs.map { Name(source: $0.key, number: $0.value) }.sorted()
        }
    }

    struct Decision: Sendable {
        let one: Name
        let other: Name
        let state: MatchPair.State
        let by: String
        let at: Instant
        let reason: String

        fileprivate var key: [SQLValue] {
            [.text(one.source), .text(one.number), .text(other.source), .text(other.number)]
        }
    }

    // MARK: Keeping

    /// What people decided about these customers, who are about to go. An answer that only went along with another is none of
    /// its own.
    static func keep(of gone: [CustomerRecord], _ session: any SQLSession) throws {
        struct Pair: Hashable { let left: CustomerID, right: CustomerID }
        var decided: [Pair: (state: String, by: String, at: Instant, reason: String)] = [:]
        for chunk in gone.map(\.id).chunked(Limits.sqlListChunk) {
            for column in ["AND left_id", "AND right_id"] as [SQL] {
                var builder = SQLBuilder(ofPeople)
                builder.appendIn(column, chunk.map { .id($0) })
                try session.forEach(builder.sql, builder.arguments) { row in
                    decided[Pair(left: row.id(0), right: row.id(1))] = (row.text(2), row.text(3), row.time(4), row.text(5))
                    return true
                }
            }
        }
        decided = decided.filter { $0.value.reason != Joining.along || $0.value.state != MatchPair.State.linked.rawValue }
        guard !decided.isEmpty else { return }
        let names = try names(Set(decided.keys.flatMap { [$0.left, $0.right] }), known: gone, session)
        var rows: [[SQLValue]] = []
        for (pair, decision) in decided {
            for a in names[pair.left] ?? [] {
                for b in names[pair.right] ?? [] where a != b {
                    let (one, other) = (min(a, b), max(a, b))
                    rows.append([
                        .text(one.source), .text(one.number), .text(other.source), .text(other.number),
                        .text(decision.state), .text(decision.by), .time(decision.at), .text(decision.reason),
                    ])
                }
            }
        }
        try session.executeMany(insert, rows)
    }

    /// What each customer is called; by our id where no source knows it.
    private static func names(
        _ ids: Set<CustomerID>, known: [CustomerRecord], _ session: any SQLSession
    ) throws -> [CustomerID: [Name]] {
        var result = Dictionary(known.map { ($0.id, Name.of($0)) }, uniquingKeysWith: { first, _ in first })
        let others = ids.filter { result[$0] == nil }
        result.merge(try stored(Array(others), session)) { first, _ in first }
        for id in ids where result[id]?.isEmpty ?? true { result[id] = [Name(id)] }
        return result
    }

    private static func stored(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [Name]] {
        var result: [CustomerID: [Name]] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(CustomerLoader.identifiers)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let source = String(row.text(1).dropFirst("source:".count))
                result[row.id(0), default: []].append(Name(source: source, number: row.text(2)))
                return true
            }
        }
        return result
    }

    // MARK: Finding again

    /// A decision whose two customers are there.
    struct Found: Sendable {
        let new: CustomerID
        let other: CustomerID
        let decision: Decision
    }

    /// Decisions about these customers, who have just been written.
    /// - Parameter names: what sources call them, where that is not in the database yet.
    static func about(
        _ created: [CustomerID], names given: [CustomerID: [Name]]? = nil, _ session: any SQLSession
    ) throws -> [Found] {
        guard !created.isEmpty, try session.first(any, [], { $0.int(0) }) != nil else { return [] }
        let names = try given ?? stored(created, session)
        var holders: [Name: CustomerID] = [:]
        for (id, list) in names { for name in list { holders[name] = id } }
        let decisions = try decisions(about: Set(holders.keys), session)
        guard !decisions.isEmpty else { return [] }
        let unknown = Set(decisions.flatMap { [$0.one, $0.other] }.filter { holders[$0] == nil })
        try find(unknown, into: &holders, session)
        return decisions.compactMap { decision in
            guard let a = holders[decision.one], let b = holders[decision.other], a != b else { return nil }
            return names[a] == nil ? Found(new: b, other: a, decision: decision) : Found(new: a, other: b, decision: decision)
        }
    }

    private static func decisions(about names: Set<Name>, _ session: any SQLSession) throws -> [Decision] {
        var result: [[SQLValue]: Decision] = [:]
        for chunk in Array(Set(names.map(\.number))).sorted().chunked(Limits.sqlListChunk) {
            for column in ["AND one_number", "AND other_number"] as [SQL] {
                var builder = SQLBuilder(rows)
                builder.appendIn(column, chunk.map { .text($0) })
                try session.forEach(builder.sql, builder.arguments) { row in
                    let decision = Decision(
                        one: Name(source: row.text(0), number: row.text(1)),
                        other: Name(source: row.text(2), number: row.text(3)),
                        state: MatchPair.State(rawValue: row.text(4)) ?? .open, by: row.text(5), at: row.time(6),
                        reason: row.text(7))
                    if names.contains(decision.one) || names.contains(decision.other) { result[decision.key] = decision }
                    return true
                }
            }
        }
        // In the order in which they were made: of links the tree grows as it grew.
        return result.values.sorted { ($0.at, $0.one, $0.other) < ($1.at, $1.one, $1.other) }
    }

    /// Who is called so.
    private static func find(
        _ names: Set<Name>, into holders: inout [Name: CustomerID], _ session: any SQLSession
    ) throws {
        let owners = try IdentifierStore.owners(
            names.filter { !$0.source.isEmpty }.map { .source($0.source, $0.number) }, session)
        for name in names where !name.source.isEmpty {
            if let owner = owners[.source(name.source, name.number)] { holders[name] = owner }
        }
        let ids = names.filter(\.source.isEmpty).compactMap { Int64($0.number).map { CustomerID($0) } }
        for id in try MatchStore.cards(ids, session).keys { holders[Name(id)] = id }
    }

    /// They hold again, or something else was decided: from here on the pair itself knows.
    static func forget(_ decisions: [Decision], _ session: any SQLSession) throws {
        try session.executeMany(delete, decisions.map(\.key))
    }

    /// A person has decided about two, whatever was kept of them.
    static func forget(_ a: CustomerID, _ b: CustomerID, _ session: any SQLSession) throws {
        let found = try about([a, b], session).filter { Set([$0.new, $0.other]) == [a, b] }
        try forget(found.map(\.decision), session)
    }
}

extension MatchResolver {
    /// Gives new customers back what people decided about them before their import was taken back. Whoever is out of reach of
    /// the one who imports, or cannot be joined by now, waits.
    /// - Returns: how many of the new ones were joined, and whether there was anything.
    func recall(_ created: [CustomerID], _ session: any SQLSession) throws -> (linked: Int, isAny: Bool) {
        var found = try KeptDecisions.about(created, session)
        guard !found.isEmpty else { return (0, false) }
        let ids = Set(found.flatMap { [$0.new, $0.other] })
        if principal.scope.regions != nil {
            let reachable = try CustomerScope.reachable(ids.sorted(), principal, session)
            found.removeAll { !reachable.contains($0.new) || !reachable.contains($0.other) }
        }
        var subjects: [CustomerID: MatchSubject] = [:]
        var sets = try MatchSets(ids, session)
        try load(ids.union(sets.members), into: &subjects, session)
        var done: [KeptDecisions.Decision] = []
        var links: [KeptDecisions.Found] = []
        // Who is two is said first: a link must not go around it.
        for one in found where one.decision.state == .apart {
            try writePair(one, .apart, subjects, session)
            done.append(one.decision)
        }
        for one in found where one.decision.state == .linked {
            let (a, b) = (sets.root(one.new), sets.root(one.other))
            if a != b {
                let (left, right) = (sets.group(a), sets.group(b))
                guard left.count + right.count <= CustomerLinks.setMax,
                    try !Self.areKeptApart(left, right, session),
                    !left.contains(where: { x in
                        right.contains { y in
                            guard let x = subjects[x], let y = subjects[y] else { return false }
                            return MatchJudge.areTwoPeople(x, y)
                        }
                    })
                else { continue }
                sets.join(one.new, one.other)
                links.append(one)
            }
            try writePair(one, .linked, subjects, session)
            done.append(one.decision)
        }
        try session.executeMany(
            CustomerLinks.insert,
            links.map { one in
                [
                    .id(max(one.new, one.other)), .id(min(one.new, one.other)), .bool(true), .text("person"),
                    .time(one.decision.at),
                ]
            })
        try CustomerLinks.settle(sets: Set(links.map { sets.root($0.new) }).map { sets.group($0) }, session)
        try KeptDecisions.forget(done, session)
        for chunk in done.chunked(Limits.auditSubjectsMax / 2) {
            let held = found.filter { one in chunk.contains { $0.one == one.decision.one && $0.other == one.decision.other } }
            try tenant.audit.record(
                AuditEntry(
                    "customers.pair.recall", held.flatMap { [.customer($0.new), .customer($0.other)] },
                    facts: ["count": .int(Int64(held.count))]),
                by: principal, session)
        }
        return (Set(links.map(\.new)).count, true)
    }

    /// Whether a person has kept one of these apart from one of those.
    static func areKeptApart(_ left: [CustomerID], _ right: [CustomerID], _ session: any SQLSession) throws -> Bool {
        try PairStore.pairs(among: left + right, session).contains {
            $0.state == .apart && left.contains($0.left) != left.contains($0.right)
        }
    }

    private func writePair(
        _ one: KeptDecisions.Found, _ state: MatchPair.State, _ subjects: [CustomerID: MatchSubject],
        _ session: any SQLSession
    ) throws {
        guard let new = subjects[one.new], let other = subjects[one.other] else { return }
        var verdict = judge.judge(new, other)
        if verdict.rule == .weights { verdict.rule = .proposed }
        try session.execute(
            PairStore.decide,
            [
                .id(min(one.new, one.other)), .id(max(one.new, one.other)), .text(state.rawValue), .double(verdict.bits),
                .text(PairEvidence(verdict).encoded), .time(one.decision.at), .text(one.decision.by),
                .text(one.decision.reason),
            ])
    }
}
