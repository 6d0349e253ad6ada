import Kernel
import Matching
import Platform
import Storage

/// What an import's new customers turned out to be.
struct MatchCounts: Sendable, Equatable {
    var linked = 0
    var review = 0
}

/// Looks for known customers who may be the new ones, and links them, puts them before a person, or does nothing.
/// Of one customer in the transaction that wrote it; an import looks on a snapshot behind it (`look`, then `settle`).
struct MatchResolver: Sendable {
    /// What a machine may do about two that are most likely one.
    enum Reach: Sendable { case links, asks }

    static let holdersOfKeys: SQL = "SELECT key, customer_id FROM customers_match_key WHERE TRUE"
    static let holdersOfKey: SQL = """
        SELECT customer_id FROM customers_match_key WHERE key = $1 ORDER BY customer_id LIMIT $2
        """
    /// A key that more customers share says nothing: a placeholder, the number of a call centre.
    static let holdersMax = 50
    /// So many customers are compared with a new one, those that share most keys first.
    static let candidatesMax = 60
    /// Two sets are joined by a newcomer when each is so sure (1 in 10,000), and nobody in them speaks against it.
    static let bridgeBits = 13.3
    /// So many pairs of one new customer are put before a person.
    static let reviewMax = 3

    let tenant: Tenant
    let principal: Principal
    let judge: MatchJudge
    let keys: MatchKeys
    private let model: ID<AnyKind>?

    /// - Parameter customers: how many there are.
    init(_ tenant: Tenant, _ principal: Principal, customers: Int, _ session: any SQLSession) throws {
        self.tenant = tenant
        self.principal = principal
        let setting = try MatchStore.setting(session)
        model = setting.model
        keys = MatchKeys(countryCode: tenant.countryCode)
        judge = MatchJudge(
            try MatchStore.model(setting, session), among: customers, countryCode: tenant.countryCode)
    }

    /// Puts those whom one customer, written or changed by a person, may be the same as before a person. Nothing when
    /// no keys are kept, or nothing changed that is compared.
    static func propose(
        _ record: CustomerRecord, before: CustomerRecord?, _ tenant: Tenant, _ principal: Principal,
        _ session: any SQLSession
    ) throws {
        if let before, MatchCard(before) == MatchCard(record) { return }
        let setting = try MatchStore.setting(session)
        guard setting.isKept else { return }
        let resolver = try MatchResolver(tenant, principal, customers: setting.customers, session)
        _ = try resolver.resolve([resolver.keys.prepared(record)], .asks, session)
    }

    /// - Parameters:
    ///   - created: customers that were just written.
    ///   - reach: of changed customers nobody is joined by the machine: they may have been looked at by a person.
    func resolve(
        _ created: [MatchPrepared], _ reach: Reach = .links, _ session: any SQLSession
    ) throws -> MatchCounts {
        try settle(look(created, reach, session), session)
    }

    struct Found: Sendable {
        let new: CustomerID
        let other: CustomerID
        let verdict: MatchVerdict
        var isLinked: Bool { verdict.band == .link }
    }

    /// Reads those who are not there yet.
    func load(
        _ wanted: Set<CustomerID>, into subjects: inout [CustomerID: MatchSubject], _ session: any SQLSession
    ) throws {
        let texts = try MatchStore.texts(wanted.filter { subjects[$0] == nil }, session)
        let keys = keys
        for case let subject? in texts.map(Known.init).mapBeside({ MatchSubject($0.id, stored: $0.text, keys) }) {
            subjects[subject.id] = subject
        }
    }

    private struct Known: Sendable { let id: CustomerID; let text: String }

    struct Pair: Hashable, Sendable { let new: CustomerID; let other: CustomerID }

    private struct Compared: Sendable { let new: MatchSubject; let other: MatchSubject }

    /// What is thought of each new customer and each candidate, but for those who are apart.
    func verdicts(
        _ new: [MatchSubject], _ candidates: [CustomerID: [CustomerID]], _ subjects: [CustomerID: MatchSubject]
    ) -> [Pair: MatchVerdict] {
        let pairs = new.flatMap { subject in
            (candidates[subject.id] ?? []).compactMap { id in subjects[id].map { Compared(new: subject, other: $0) } }
        }
        let judge = judge
        var result: [Pair: MatchVerdict] = [:]
        for (pair, verdict) in zip(pairs, pairs.mapBeside { judge.judge($0.new, $0.other) })
        where verdict.band != .apart {
            result[Pair(new: pair.new.id, other: pair.other.id)] = verdict
        }
        return result
    }

    // MARK: Candidates

    /// Customers that share a key with a new one, those with most keys in common first. Of two new ones the later looks for the
    /// earlier. How many share a key is counted with those of the same rows and without those who come later, so that it does not
    /// matter how far an import has come when somebody looks, and a dry run counts the same.
    /// - Parameters:
    ///   - groups: which of the new ones came together; empty = all.
    ///   - later: customers who look for these themselves.
    ///   - held: holders of keys that are not in the database: what a dry run would make, by id.
    func candidates(
        _ new: [MatchPrepared], groups: [CustomerID: Int] = [:], without later: Set<CustomerID> = [],
        beside held: [Int64: [CustomerID]] = [:], _ session: any SQLSession
    ) throws -> [CustomerID: [CustomerID]] {
        var wanted: [Int64: [CustomerID]] = [:]
        for one in new { for key in one.keys { wanted[key, default: []].append(one.id) } }
        let isNew = Set(new.map(\.id))
        var shared: [CustomerID: [CustomerID: Int]] = [:]
        let stored = try Self.holders(of: wanted.keys.sorted(), session)
        for (key, ids) in wanted {
            var holders = (stored[key] ?? []) + (held[key] ?? [])
            if !later.isEmpty { holders.removeAll(where: later.contains) }
            // Those who were first tell whether there are too many.
            if holders.count > Self.holdersMax { holders = Array(holders.sorted().prefix(Self.holdersMax + 1)) }
            for id in ids {
                let counted = holders.count { $0 != id && (!isNew.contains($0) || $0 < id || groups[$0] == groups[id]) }
                guard counted < Self.holdersMax else { continue }
                for holder in holders where holder != id && (!isNew.contains(holder) || holder < id) {
                    shared[id, default: [:]][holder, default: 0] += 1
                }
            }
        }
        var reachable: Set<CustomerID>?
        if principal.scope.regions != nil {
            // Whoever is kept to some regions does not touch customers of others.
            reachable = try CustomerScope.reachable(Array(Set(shared.values.flatMap(\.keys))), principal, session)
        }
        return shared.mapValues { counts in
            counts.filter { reachable?.contains($0.key) ?? true }
                .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.candidatesMax).map(\.key)
        }
    }

    /// The holders of each key, at most one more than count.
    static func holders(of keys: [Int64], _ session: any SQLSession) throws -> [Int64: [CustomerID]] {
        var result: [Int64: [CustomerID]] = [:]
        let limit = Limits.sqlListChunk * 8
        for chunk in keys.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(holdersOfKeys)
            builder.appendIn("AND key", chunk.map { .int($0) })
            builder.append("LIMIT ?", .int(limit))
            var rows = 0
            var part: [Int64: [CustomerID]] = [:]
            try session.forEach(builder.sql, builder.arguments) { row in
                part[row.int(0), default: []].append(row.id(1))
                rows += 1
                return true
            }
            if rows == limit {
                // Some keys have very many holders: each is asked for by itself, and no more than count.
                part = [:]
                for key in chunk {
                    part[key] = try session.query(holdersOfKey, [.int(key), .int(holdersMax + 1)]) {
                        $0.id(0, PartyKind.self)
                    }
                }
            }
            result.merge(part) { _, new in new }
        }
        return result
    }

    // MARK: Decisions

    /// The best that may be linked is linked, with its whole set; all others that look likely are for a person.
    /// - Parameter apart: pairs that a person has kept apart.
    func decide(
        _ subject: MatchSubject, _ candidates: [CustomerID], _ verdicts: [Pair: MatchVerdict],
        _ subjects: [CustomerID: MatchSubject], _ reach: Reach, apart: Set<PairStore.Key> = [], _ sets: inout MatchSets,
        _ session: any SQLSession
    ) throws -> [Found] {
        var found: [Found] = []
        for id in candidates where sets.root(id) != sets.root(subject.id) {
            guard let verdict = verdicts[Pair(new: subject.id, other: id)] else { continue }
            found.append(Found(new: subject.id, other: id, verdict: verdict))
        }
        found.sort {
            ($0.isLinked ? 0 : 1, -$0.verdict.bits, $0.other) < ($1.isLinked ? 0 : 1, -$1.verdict.bits, $1.other)
        }
        var result: [Found] = []
        let contested = Self.areContested(found, subjects, sets)
        // Whoever has been joined before (an import that goes on) brings a whole set along, as after the first link here.
        var joined = sets.group(sets.root(subject.id)).count > 1 ? subject.id : nil
        for one in found {
            let root = sets.root(one.other)
            var verdict = one.verdict
            if verdict.band == .link {
                if reach == .asks {
                    verdict.band = .review
                } else if let joined {
                    // Of the set that it belongs to by now: nothing more to say.
                    if sets.root(joined) == root { continue }
                    if try mayBridge(verdict, sets.root(joined), root, subjects, sets, session) {
                        sets.join(joined, one.other)
                    } else {
                        verdict.band = .review
                        verdict.rule = .bridge
                    }
                } else if sets.hasConflict(subject, with: root, subjects) || !sets.mayGrow(root) {
                    verdict.band = .review
                    verdict.rule = .setConflict
                } else if contested.contains(root) {
                    verdict.band = .review
                    verdict.rule = .setConflict
                } else if sets.areApart(sets.root(subject.id), root, apart) {
                    verdict.band = .review
                    verdict.rule = .bridge
                } else {
                    sets.join(subject.id, one.other)
                    joined = one.other
                }
            } else if let joined, sets.root(joined) == root {
                continue
            }
            if verdict.band == .review {
                guard result.count(where: { !$0.isLinked }) < Self.reviewMax else { continue }
            }
            result.append(Found(new: subject.id, other: one.other, verdict: verdict))
        }
        return result
    }

    /// Sets of two people with whom one newcomer would be linked alike: whose it is the machine does not know, so a person decides about
    /// both. What shares a document says whose it is.
    private static func areContested(
        _ found: [Found], _ subjects: [CustomerID: MatchSubject], _ sets: MatchSets
    ) -> Set<CustomerID> {
        let links = found.filter(\.isLinked)
        guard links.count > 1, !links.contains(where: { $0.verdict.rule == .sameDocument }) else { return [] }
        let roots = Set(links.map { sets.root($0.other) }).sorted()
        let people = roots.map { root in sets.group(root).compactMap { subjects[$0] } }
        var result: Set<CustomerID> = []
        for one in roots.indices {
            for other in roots.indices.dropFirst(one + 1)
            where people[one].contains(where: { a in people[other].contains { MatchJudge.areTwoPeople(a, $0) } }) {
                result.formUnion([roots[one], roots[other]])
            }
        }
        return result
    }

    /// Whether a newcomer who is in one set may join it with another: what it says of the other is all but certain, no two
    /// of the two sets speak against each other, and no person has kept any of them apart.
    private func mayBridge(
        _ verdict: MatchVerdict, _ one: CustomerID, _ other: CustomerID, _ subjects: [CustomerID: MatchSubject],
        _ sets: MatchSets, _ session: any SQLSession
    ) throws -> Bool {
        guard [.sameDocument, .sameContact].contains(verdict.rule) || verdict.bits >= Self.bridgeBits else {
            return false
        }
        let (left, right) = (sets.group(one), sets.group(other))
        guard left.count + right.count <= CustomerLinks.setMax else { return false }
        for a in left {
            for b in right {
                guard let x = subjects[a], let y = subjects[b], !judge.speaksAgainst(x, y),
                    !MatchJudge.contradict(x, y)
                else { return false }
            }
        }
        return try !Self.areKeptApart(left, right, session) && !PairStore.isContested(right, session)
    }

    func write(_ found: [Found], _ sets: MatchSets, _ session: any SQLSession) throws {
        guard !found.isEmpty else { return }
        let now = tenant.clock.now()
        try session.executeMany(
            PairStore.insert,
            found.map { one in
                [
                    .id(min(one.new, one.other)), .id(max(one.new, one.other)),
                    .text((one.isLinked ? MatchPair.State.linked : .open).rawValue), .double(one.verdict.bits),
                    .text(PairEvidence(one.verdict).encoded), .id(model), .time(now), .text(Joining.machine),
                ]
            })
        let links = found.filter(\.isLinked)
        try session.executeMany(
            CustomerLinks.insert,
            links.map { one in
                [
                    .id(max(one.new, one.other)), .id(min(one.new, one.other)), .bool(true),
                    .text(one.verdict.rule.rawValue), .time(now),
                ]
            })
        try CustomerLinks.settle(sets: Set(links.map { sets.root($0.new) }).map { sets.group($0) }, session)
        for chunk in links.chunked(Limits.auditSubjectsMax / 2) {
            try tenant.audit.record(
                AuditEntry(
                    "customers.pair.import", chunk.flatMap { [.customer($0.new), .customer($0.other)] },
                    facts: ["count": .int(Int64(chunk.count))]),
                by: principal, session)
        }
    }
}

/// Which customers are joined, as far as some of them are concerned.
struct MatchSets {
    static let outward: SQL = "SELECT from_id, to_id FROM customers_customer_link WHERE valid"
    private var parent: [CustomerID: CustomerID] = [:]
    private var groups: [CustomerID: [CustomerID]] = [:]
    /// Everybody in a set of more than one.
    private(set) var members: Set<CustomerID> = []

    /// Nobody is joined.
    init() {}

    /// The sets of these customers, whole.
    init(_ ids: Set<CustomerID>, _ session: any SQLSession) throws { try add(ids, session) }

    mutating func add(_ ids: Set<CustomerID>, _ session: any SQLSession) throws {
        var asked: Set<CustomerID> = []
        var next = ids
        while !next.isEmpty {
            asked.formUnion(next)
            var met: Set<CustomerID> = []
            for chunk in Array(next).chunked(Limits.sqlListChunk) {
                for column in ["AND from_id", "AND to_id"] as [SQL] {
                    var builder = SQLBuilder(Self.outward)
                    builder.appendIn(column, chunk.map { .id($0) })
                    try session.forEach(builder.sql, builder.arguments) { row in
                        let (from, to): (CustomerID, CustomerID) = (row.id(0), row.id(1))
                        met.insert(from)
                        met.insert(to)
                        join(from, to)
                        return true
                    }
                }
            }
            next = met.subtracting(asked)
        }
    }

    func root(_ id: CustomerID) -> CustomerID {
        var place = id
        while let up = parent[place] { place = up }
        return place
    }

    mutating func join(_ a: CustomerID, _ b: CustomerID) {
        let (x, y) = (root(a), root(b))
        members.insert(a)
        members.insert(b)
        guard x != y else { return }
        let (keep, gone) = (min(x, y), max(x, y))
        parent[gone] = keep
        groups[keep] = (groups[keep] ?? [keep]) + (groups[gone] ?? [gone])
        groups[gone] = nil
    }

    /// Whether a person has kept one of these sets apart from one of the other.
    func areApart(_ one: CustomerID, _ other: CustomerID, _ apart: Set<PairStore.Key>) -> Bool {
        guard !apart.isEmpty else { return false }
        return group(one).contains { a in group(other).contains { apart.contains(PairStore.Key(a, $0)) } }
    }

    func group(_ root: CustomerID) -> [CustomerID] { groups[root] ?? [root] }
    func mayGrow(_ root: CustomerID) -> Bool { group(root).count < CustomerLinks.setMax }

    /// Whether a member of the set and the newcomer, or one of its own set, are two people. A record that knows little has much in
    /// common with both.
    func hasConflict(_ subject: MatchSubject, with root: CustomerID, _ subjects: [CustomerID: MatchSubject]) -> Bool {
        let own = group(self.root(subject.id)).compactMap { $0 == subject.id ? subject : subjects[$0] }
        return group(root).contains { id in
            subjects[id].map { other in own.contains { MatchJudge.contradict($0, other) } } ?? false
        }
    }
}
