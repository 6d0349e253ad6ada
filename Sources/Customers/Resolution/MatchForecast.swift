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
    /// Of these.
    private var lines: [CustomerID: Int] = [:]
    private var namesakes: [String: [CustomerID]] = [:]
    /// How many pairs of each kind were named so far.
    private var named = (links: 0, asks: 0)
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
    ///   - brought: what rows of a chunk would create (`.links`) or change (`.asks`), with their lines.
    ///   - counts: gets what would become of them.
    func add(
        _ brought: [(line: Int, record: CustomerRecord)], _ reach: MatchResolver.Reach, to counts: inout ImportMatches,
        _ session: any SQLSession
    ) throws {
        guard !brought.isEmpty else { return }
        let records = brought.map(\.record)
        let now = Dictionary(
            brought.map { ($0.record.id, Row(line: $0.line, name: $0.record.party.displayName)) },
            uniquingKeysWith: { first, _ in first })
        let prepared = records.map(resolver.keys.prepared).sorted { $0.id < $1.id }
        if reach == .links { for one in prepared { remember(one, now[one.id], &counts) } }
        // Who is known is found as they are before the import: what its rows change of them, it may find or not.
        if reach == .asks { counts.isAbout = true }
        var candidates = try resolver.candidates(prepared, beside: reach == .links ? holders : [:], session)
        let kept = reach == .links ? try decided(records, session) : []
        for one in kept { candidates[one.new]?.removeAll { $0 == one.other } }
        let new = prepared.map(MatchSubject.init)
        let subjects = try subjects(new, Set(candidates.values.flatMap(\.self)).union(kept.map(\.other)), session)
        let verdicts = try resolver.verdicts(new, candidates, subjects).reduce(into: [:]) { verdicts, one in
            verdicts[one.key] = try judged(one.value, of: one.key.new, subjects, session)
        }
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
        for one in joined { name(one.new, one.other, isLinked: true, MatchWords.decidedBefore, now, &counts) }
        for one in found { name(one.new, one.other, isLinked: one.isLinked, MatchWords.why(one.verdict), now, &counts) }
    }

    /// As the import judges it, with those of the file who come before.
    private func judged(
        _ verdict: MatchVerdict, of new: CustomerID, _ subjects: [CustomerID: MatchSubject], _ session: any SQLSession
    ) throws -> MatchVerdict {
        guard verdict.rule == .nameAndBirth, let name = subjects[new]?.card.name else { return verdict }
        let mine = namesakes[Folding.fold(name)]?.count { $0 < new } ?? 0
        return Namesakes.judged(verdict, try mine + Namesakes.count(name, before: new, session))
    }

    /// Tells whom a row would be joined with, or be put beside, of the first few.
    private func name(
        _ new: CustomerID, _ other: CustomerID, isLinked: Bool, _ why: Words, _ now: [CustomerID: Row],
        _ counts: inout ImportMatches
    ) {
        guard (isLinked ? named.links : named.asks) < ImportPair.samplesMax, let row = now[new] else { return }
        if isLinked { named.links += 1 } else { named.asks += 1 }
        let earlier = lines[other].map { ImportPair.Other.row(line: $0, name: cards[other]?.name ?? "") }
        counts.pairs.append(
            ImportPair(
                line: row.line, name: row.name, other: earlier ?? .known(other), isLinked: isLinked, why: why))
    }

    private struct Row {
        let line: Int
        let name: String
    }

    /// What people decided about these before their import was taken back.
    private func decided(_ records: [CustomerRecord], _ session: any SQLSession) throws -> [KeptDecisions.Found] {
        let names = Dictionary(
            records.map { ($0.id, KeptDecisions.Name.of($0)) }, uniquingKeysWith: { first, _ in first })
        return try KeptDecisions.about(records.map(\.id), names: names, session)
    }

    /// Keeps a customer of the file for those behind it.
    private func remember(_ subject: MatchPrepared, _ row: Row?, _ counts: inout ImportMatches) {
        guard cards.count < customersMax else {
            counts.isPartial = true
            return
        }
        cards[subject.id] = subject.card
        namesakes[Folding.fold(subject.card.name), default: []].append(subject.id)
        lines[subject.id] = row?.line
        for key in subject.keys where holders[key]?.count ?? 0 <= MatchResolver.holdersMax {
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
