import Kernel
import Platform
import Storage

/// A person joins customers and takes them apart. Nothing of a customer is moved or changed by either: a merge is a
/// link, so
/// taking it back restores both exactly.
struct Joining: Sendable {
    static let machine = "import"
    static let reasonMax = 200
    /// In place of a reason: answered by the answer about another pair.
    static let along = "along"
    static let unlink: SQL = """
        UPDATE customers_customer_link SET valid = $3, linked_at = $4 WHERE from_id = $1 AND to_id = $2
        """

    let tenant: Tenant

    static let alreadyJoined = CRMError.conflict(
        "already_joined", Words(en: "These records are shown as one customer already.", zh: "这些记录已合并显示为同一客户。"))
    static let changed = CRMError.conflict(
        "pair_changed",
        Words(en: "Somebody has decided this pair meanwhile. Look at it again.", zh: "该配对已被他人处理，请重新查看。"))
    static let tooMany = CRMError.conflict(
        "set_full",
        Words(
            en: "More than \(CustomerLinks.setMax) records cannot be one customer.",
            zh: "一个客户最多由 \(CustomerLinks.setMax) 条记录组成。"))
    static let itself = CRMError.invalid(
        "other", "itself", Words(en: "This is the same record.", zh: "这是同一条记录。"))

    /// Links two customers on a person's word.
    /// - Throws: 404 when one is out of reach, 409 when they are joined already.
    func join(_ a: CustomerID, _ b: CustomerID, by principal: Principal, _ session: any SQLSession) throws {
        guard a != b else { throw Self.itself }
        let (one, other) = try sides(a, b, principal, session)
        guard !one.contains(b) else { throw Self.alreadyJoined }
        guard one.count + other.count <= CustomerLinks.setMax else { throw Self.tooMany }
        let now = tenant.clock.now()
        try CustomerLinks.link(
            max(a, b), min(a, b), valid: true, evidence: "person", at: now, session)
        try CustomerLinks.settle([a], session)
        try decide(a, b, .linked, "", principal, now, session)
        // What was still asked about the two sets is answered along with it.
        for pair in try across(one, other, session) where pair.state == .open {
            try settle(pair, .linked, Self.along, principal, now, session)
        }
    }

    /// Pairs of one of these with one of those.
    private func across(
        _ one: [CustomerID], _ other: [CustomerID], _ session: any SQLSession
    ) throws -> [MatchPair] {
        try PairStore.pairs(among: one + other, session).filter { one.contains($0.left) != one.contains($0.right) }
    }

    /// Takes the link between two customers back, with everybody who hangs on either side; none of one side is ever
    /// joined with
    /// the other again by a machine.
    /// - Throws: 409 when they are not linked with each other.
    func separate(
        _ a: CustomerID, _ b: CustomerID, reason: String, by principal: Principal, _ session: any SQLSession
    ) throws {
        _ = try sides(a, b, principal, session)
        let now = tenant.clock.now()
        guard try takeLink(a, b, now, session) else { throw Self.changed }
        let one = try CustomerLinks.set(of: a, session)
        guard !one.contains(b) else { return try decide(a, b, .apart, reason, principal, now, session) }
        for left in one {
            for right in try CustomerLinks.set(of: b, session) {
                try decide(left, right, .apart, reason, principal, now, session)
            }
        }
    }

    /// Two that wait for a person are two.
    func keepApart(_ a: CustomerID, _ b: CustomerID, by principal: Principal, _ session: any SQLSession) throws {
        _ = try sides(a, b, principal, session)
        guard let pair = try PairStore.pair(a, b, session), pair.state == .open else { throw Self.changed }
        try settle(pair, .apart, "", principal, tenant.clock.now(), session)
    }

    /// Puts a decided pair back into the queue.
    func reopen(_ a: CustomerID, _ b: CustomerID, by principal: Principal, _ session: any SQLSession) throws {
        _ = try sides(a, b, principal, session)
        guard let pair = try PairStore.pair(a, b, session), pair.state != .open else { throw Self.changed }
        let now = tenant.clock.now()
        if pair.state == .linked {
            guard try takeLink(a, b, now, session) else { throw Self.changed }
            let (one, other) = (try CustomerLinks.set(of: a, session), try CustomerLinks.set(of: b, session))
            if !one.contains(b) {
                // What was answered along with it is a question again.
                for also in try across(one, other, session) where also.state == .linked && also.reason == Self.along {
                    try settle(also, .open, "", principal, now, session)
                }
            }
        }
        try settle(pair, .open, "", principal, now, session)
    }

    /// A person thinks that two may be one: the pair is put into the queue, to be looked at side by side. What somebody has
    /// decided about it stays until it is reopened.
    /// - Returns: whether the pair is new.
    @discardableResult
    func propose(_ a: CustomerID, _ b: CustomerID, by principal: Principal, _ session: any SQLSession) throws -> Bool {
        guard a != b else { throw Self.itself }
        let (one, _) = try sides(a, b, principal, session)
        guard !one.contains(b) else { throw Self.alreadyJoined }
        guard try PairStore.pair(a, b, session) == nil else { return false }
        try decide(a, b, .open, "", principal, tenant.clock.now(), session)
        return true
    }

    // MARK: Helpers

    /// Both sets; each of the two must be within the principal's reach.
    private func sides(
        _ a: CustomerID, _ b: CustomerID, _ principal: Principal, _ session: any SQLSession
    ) throws -> ([CustomerID], [CustomerID]) {
        guard try CustomerScope.reachable([a, b], principal, session).count == 2 else { throw CRMError.notFound }
        return (try CustomerLinks.set(of: a, session), try CustomerLinks.set(of: b, session))
    }

    /// - Returns: whether there was a link.
    private func takeLink(_ a: CustomerID, _ b: CustomerID, _ now: Instant, _ session: any SQLSession) throws -> Bool {
        let isThere = try session.query(CustomerLinks.neighbours, [.id(a)]) {
            [$0.id(0, PartyKind.self), $0.id(1, PartyKind.self)]
        }.contains { $0.contains(a) && $0.contains(b) }
        for (from, to) in [(a, b), (b, a)] {
            try session.execute(Self.unlink, [.id(from), .id(to), .bool(false), .time(now)])
        }
        try CustomerLinks.settle([a, b], session)
        return isThere
    }

    private func settle(
        _ pair: MatchPair, _ state: MatchPair.State, _ reason: String, _ principal: Principal, _ now: Instant,
        _ session: any SQLSession
    ) throws {
        try KeptDecisions.forget(pair.left, pair.right, session)
        try session.execute(
            PairStore.settle,
            [
                .id(pair.left), .id(pair.right), .text(state.rawValue), .text(principal.userName), .time(now),
                .text(reason),
            ])
    }

    /// Writes what a person decided; what nobody compared before is compared now, for the evidence.
    private func decide(
        _ a: CustomerID, _ b: CustomerID, _ state: MatchPair.State, _ reason: String, _ principal: Principal,
        _ now: Instant, _ session: any SQLSession
    ) throws {
        if let pair = try PairStore.pair(a, b, session) {
            return try settle(pair, state, reason, principal, now, session)
        }
        try KeptDecisions.forget(a, b, session)
        let verdict = try compared(a, b, session)
        try session.execute(
            PairStore.decide,
            [
                .id(min(a, b)), .id(max(a, b)), .text(state.rawValue), .double(verdict.bits),
                .text(PairEvidence(verdict).encoded), .time(now), .text(principal.userName), .text(reason),
            ])
    }

    private func compared(_ a: CustomerID, _ b: CustomerID, _ session: any SQLSession) throws -> MatchVerdict {
        let records = try CustomerLoader.records([a, b], session)
        guard records.count == 2 else { throw CRMError.notFound }
        let judge = MatchJudge(
            try MatchStore.model(try MatchStore.setting(session), session),
            among: try session.count(MatchStore.customers), countryCode: tenant.countryCode)
        let keys = MatchKeys(countryCode: tenant.countryCode)
        var verdict = judge.judge(
            MatchSubject(keys.prepared(records[0])), MatchSubject(keys.prepared(records[1])))
        if verdict.rule == .weights { verdict.rule = .proposed }
        return verdict
    }
}
