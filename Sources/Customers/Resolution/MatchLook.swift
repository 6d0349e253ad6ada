import Kernel
import Matching
import Platform
import Storage

extension MatchResolver {
    /// What some customers turned out to be like, on one snapshot.
    struct Look: Sendable {
        /// By id.
        fileprivate let new: [MatchSubject]
        /// All that may be one, with the customers as they were compared.
        fileprivate let pairs: [Likely]
        fileprivate let reach: Reach
        static let nothing = Look(new: [], pairs: [], reach: .links)
    }

    fileprivate struct Likely: Sendable {
        let new: MatchSubject
        let other: MatchSubject
        let verdict: MatchVerdict
    }

    /// Looks for known customers who may be these; writes nothing.
    /// - Parameters:
    ///   - created: customers that are written.
    ///   - reach: of changed customers nobody is joined by the machine: they may have been looked at by a person.
    ///   - groups: which of them came with the same rows; empty = all.
    ///   - later: customers who look for these themselves.
    func look(
        _ created: [MatchPrepared], _ reach: Reach, groups: [CustomerID: Int] = [:], without later: Set<CustomerID> = [],
        _ session: any SQLSession
    ) throws -> Look {
        let candidates = try candidates(created, groups: groups, without: later, session)
        let known = Set(candidates.values.flatMap(\.self))
        guard !known.isEmpty else { return .nothing }
        let new = created.map(MatchSubject.init).sorted { $0.id < $1.id }
        var subjects = Dictionary(new.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        try load(known, into: &subjects, session)
        let verdicts = verdicts(new, candidates, subjects)
        var pairs: [Likely] = []
        for subject in new {
            for id in candidates[subject.id] ?? [] {
                guard let other = subjects[id], let verdict = verdicts[Pair(new: subject.id, other: id)] else { continue }
                pairs.append(Likely(new: subject, other: other, verdict: verdict))
            }
        }
        return Look(new: new, pairs: pairs, reach: reach)
    }

    /// Links, or puts before a person, what a look of this transaction found.
    func settle(_ look: Look, _ session: any SQLSession) throws -> MatchCounts {
        try settle(look.pairs, look, session)
    }

    /// The same for a look of an earlier snapshot: what has changed since is compared again, what is gone, out of reach or
    /// known as a pair by now is left out.
    /// - Parameters:
    ///   - later: customers who look for these themselves.
    ///   - checksApart: somebody has been given back what people decided about them before.
    func settle(
        _ look: Look, without later: Set<CustomerID>, checksApart: Bool = false, _ session: any SQLSession
    ) throws -> MatchCounts {
        var pairs = look.pairs.filter { !later.contains($0.other.id) }
        guard !pairs.isEmpty else { return MatchCounts() }
        let involved = Set(pairs.flatMap { [$0.new.id, $0.other.id] })
        let texts = try MatchStore.texts(involved.sorted(), session)
        var reachable = Set(texts.keys)
        if principal.scope.regions != nil {
            reachable = try CustomerScope.reachable(Array(reachable), principal, session)
        }
        let known = try PairStore.known(pairs.map { ($0.new.id, $0.other.id) }, session)
        var fresh: [CustomerID: MatchSubject] = [:]
        func now(_ subject: MatchSubject) -> MatchSubject? {
            guard reachable.contains(subject.id), let text = texts[subject.id] else { return nil }
            if text == subject.text { return subject }
            if let made = fresh[subject.id] { return made }
            let made = MatchSubject(subject.id, stored: text, keys)
            fresh[subject.id] = made
            return made
        }
        pairs = pairs.compactMap { pair in
            guard !known.contains(PairStore.Key(pair.new.id, pair.other.id)), let new = now(pair.new),
                let other = now(pair.other)
            else { return nil }
            if new === pair.new, other === pair.other { return pair }
            let verdict = judge.judge(new, other)
            return verdict.band == .apart ? nil : Likely(new: new, other: other, verdict: verdict)
        }
        return try settle(pairs, look, checksApart: checksApart, session)
    }

    private func settle(
        _ pairs: [Likely], _ look: Look, checksApart: Bool = false, _ session: any SQLSession
    ) throws -> MatchCounts {
        guard !pairs.isEmpty else { return MatchCounts() }
        let pairs = try pairs.map { pair in
            let isOne = pair.verdict.rule != .nameAndBirth
            let names = isOne ? 0 : try Namesakes.count(pair.new.card.name, before: pair.new.id, session)
            return Likely(new: pair.new, other: pair.other, verdict: Namesakes.judged(pair.verdict, names))
        }
        var subjects: [CustomerID: MatchSubject] = [:]
        for subject in look.new { subjects[subject.id] = subject }
        var candidates: [CustomerID: [CustomerID]] = [:]
        var verdicts: [Pair: MatchVerdict] = [:]
        var involved: Set<CustomerID> = []
        for pair in pairs {
            subjects[pair.new.id] = pair.new
            subjects[pair.other.id] = pair.other
            candidates[pair.new.id, default: []].append(pair.other.id)
            verdicts[Pair(new: pair.new.id, other: pair.other.id)] = pair.verdict
            involved.insert(pair.new.id)
            involved.insert(pair.other.id)
        }
        var sets = try MatchSets(involved, session)
        try load(sets.members, into: &subjects, session)
        let apart = checksApart ? try PairStore.apart(among: involved.union(sets.members).sorted(), session) : []
        var found: [Found] = []
        for id in candidates.keys.sorted() {
            guard let subject = subjects[id], let others = candidates[id] else { continue }
            found += try decide(subject, others, verdicts, subjects, look.reach, apart: apart, &sets, session)
        }
        try write(found, sets, session)
        let linked = Set(found.filter(\.isLinked).map(\.new))
        // Each is counted once: somebody who is linked with one and asked about with another is linked.
        return MatchCounts(
            linked: linked.count, review: Set(found.filter { !$0.isLinked }.map(\.new)).subtracting(linked).count)
    }
}

/// Customers of an import who are written and not compared yet.
struct CustomerSequel: ImportSequel {
    let resolver: MatchResolver
    let created: [MatchPrepared]
    let changed: [MatchPrepared]
    /// Which of the created ones came with the same rows.
    let groups: [CustomerID: Int]
    /// Its place among those of its import.
    let number: Int
    let order: SequelOrder

    static let pin: SQL = "SELECT 1 FROM customers_match_setting"

    func look(_ session: any SQLSession) throws -> any ImportFinding {
        // A snapshot begins with its first read: whoever is in it was noted before.
        _ = try session.exists(Self.pin, [])
        let later = order.customers(after: number)
        return CustomerFinding(
            sequel: self, links: try resolver.look(created, .links, groups: groups, without: later, session),
            asks: changed.isEmpty ? .nothing : try resolver.look(changed, .asks, without: later, session))
    }
}

private struct CustomerFinding: ImportFinding {
    let sequel: CustomerSequel
    let links: MatchResolver.Look
    let asks: MatchResolver.Look

    func settle(_ session: any SQLSession) throws -> ImportMatches {
        let later = sequel.order.customers(after: sequel.number)
        let recalled = try sequel.resolver.recall(sequel.created.map(\.id), session)
        let (one, other) = (
            try sequel.resolver.settle(links, without: later, checksApart: recalled.isAny, session),
            try sequel.resolver.settle(asks, without: later, session)
        )
        var matches = ImportMatches()
        matches.linked = recalled.linked + one.linked + other.linked
        matches.review = one.review + other.review
        return matches
    }
}
