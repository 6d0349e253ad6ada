import Kernel
import Platform
import Storage

/// What a dry run says of new customers: how many would be linked, be put before a person, or stay apart. It decides as
/// `MatchResolver` does and writes nothing; what earlier rows of the file would make is kept in memory.
final class MatchForecast {
    /// So many new customers are kept in mind: some hundred bytes each. Those after them are compared with these and with
    /// everybody who is known, but not with each other.
    static let customersMax = 50_000

    private let resolver: MatchResolver
    private let customersMax: Int
    private var cards: [CustomerID: MatchCard] = [:]
    private var holders: [Int64: [CustomerID]] = [:]
    private var sets = MatchSets()

    /// - Parameter rows: of the file: as many customers more, as for the import (`ImportMatching.expect`).
    init(
        _ tenant: Tenant, _ principal: Principal, rows: Int, customersMax: Int = MatchForecast.customersMax,
        _ session: any SQLSession
    ) throws {
        let known = try session.count(MatchStore.customers)
        resolver = try MatchResolver(tenant, principal, customers: known + rows, session)
        self.customersMax = customersMax
    }

    /// - Parameters:
    ///   - records: what a chunk would create (`.links`) or change (`.asks`).
    ///   - counts: gets what would become of them.
    func add(
        _ records: [CustomerRecord], _ reach: MatchResolver.Reach, to counts: inout ImportMatches,
        _ session: any SQLSession
    ) throws {
        guard !records.isEmpty else { return }
        let prepared = records.map(resolver.keys.prepared).sorted { $0.id < $1.id }
        var candidates = try resolver.candidates(prepared, session)
        if reach == .links {
            for one in prepared { remember(one, &candidates, &counts) }
        }
        let kept = reach == .links ? try decided(records, session) : []
        for one in kept { candidates[one.new]?.removeAll { $0 == one.other } }
        let new = prepared.map(MatchSubject.init)
        let subjects = try subjects(new, Set(candidates.values.flatMap(\.self)).union(kept.map(\.other)), session)
        let verdicts = resolver.verdicts(new, candidates, subjects)
        let apart = Set(kept.filter { $0.decision.state == .apart }.map { PairStore.Key($0.new, $0.other) })
        let joined = kept.filter { $0.decision.state == .linked }
        for one in joined { sets.join(one.new, one.other) }
        var found: [MatchResolver.Found] = []
        for subject in new {
            found += try resolver.decide(
                subject, candidates[subject.id] ?? [], verdicts, subjects, reach, apart: apart, &sets, session)
        }
        let linked = Set(found.filter(\.isLinked).map(\.new)).union(joined.map(\.new))
        counts.linked += linked.count
        counts.review += Set(found.filter { !$0.isLinked }.map(\.new)).subtracting(linked).count
        if reach == .links { counts.apart += new.count - Set(found.map(\.new)).union(linked).count }
    }

    /// What people decided about these before their import was taken back.
    private func decided(_ records: [CustomerRecord], _ session: any SQLSession) throws -> [KeptDecisions.Found] {
        let names = Dictionary(
            records.map { ($0.id, KeptDecisions.Name.of($0)) }, uniquingKeysWith: { first, _ in first })
        return try KeptDecisions.about(records.map(\.id), names: names, session)
    }

    /// Finds those of the file that share a key with the customer, then keeps the customer itself.
    private func remember(
        _ subject: MatchPrepared, _ candidates: inout [CustomerID: [CustomerID]], _ counts: inout ImportMatches
    ) {
        let keys = subject.keys
        var shared: [CustomerID: Int] = [:]
        for key in keys {
            guard let held = holders[key], held.count <= MatchResolver.holdersMax else { continue }
            for id in held { shared[id, default: 0] += 1 }
        }
        if !shared.isEmpty {
            let more = shared.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
            candidates[subject.id] = Array(
                ((candidates[subject.id] ?? []) + more).prefix(MatchResolver.candidatesMax))
        }
        guard cards.count < customersMax else {
            counts.isPartial = true
            return
        }
        cards[subject.id] = subject.card
        for key in keys where holders[key]?.count ?? 0 <= MatchResolver.holdersMax {
            holders[key, default: []].append(subject.id)
        }
    }

    /// Everybody who is compared, and everybody who is joined with one of them.
    private func subjects(
        _ new: [MatchSubject], _ candidates: Set<CustomerID>, _ session: any SQLSession
    ) throws -> [CustomerID: MatchSubject] {
        var subjects = Dictionary(new.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = candidates.union(new.map(\.id))
        try sets.add(wanted.filter { cards[$0] == nil }, session)
        let all = Set(wanted.flatMap { sets.group(sets.root($0)) } + wanted).filter { subjects[$0] == nil }
        for id in all { if let card = cards[id] { subjects[id] = MatchSubject(id, card, resolver.keys) } }
        try resolver.load(all, into: &subjects, session)
        return subjects
    }
}
