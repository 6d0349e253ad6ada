import Contracts
import Kernel
import Storage
import TMF
import Web

/// What a consent is about.
struct ConsentKey: Sendable, Hashable, Comparable {
    let purpose: String
    let topic: String
    static func < (a: Self, b: Self) -> Bool { (a.purpose, a.topic) < (b.purpose, b.topic) }
}

enum ConsentDecision: String, Sendable { case given, refused, withdrawn }

/// What a profile says, read from its characteristics.
enum ConsentWords {
    private static let yes: Set<String> = [
        "true", "yes", "y", "1", "allow", "allowed", "given", "granted", "accept", "accepted", "agreed", "approved", "optin", "opt_in",
        "authorized", "同意", "是", "允许",
    ]
    private static let no: Set<String> = [
        "false", "no", "n", "0", "deny", "denied", "refused", "rejected", "declined", "optout", "opt_out", "withdrawn", "revoked",
        "forbidden", "notallowed", "not_allowed", "none", "不同意", "拒绝", "否", "撤回",
    ]

    /// `true` = yes, `false` = no, `nil` = it says neither, which is no consent.
    static func decision(_ value: JSONValue?) -> Bool? {
        switch value {
        case .bool(let flag): return flag
        case .int(let number): return number == 1 ? true : number == 0 ? false : nil
        case .string(let text):
            let code = ConsentTopic(any: text.trimmed).code
            return yes.contains(code) ? true : no.contains(code) ? false : nil
        case .object(let fields): return decision(fields["value"])
        default: return nil
        }
    }

    /// What the characteristics of a profile agree to or refuse. Said twice, no counts; one without a purpose is about the purpose that
    /// it is named for.
    static func statements(_ profile: JSONObject) -> [ConsentKey: ConsentDecision] {
        var result: [ConsentKey: ConsentDecision] = [:]
        for element in profile["partyPrivacyProfileCharacteristic"]?.array ?? [] {
            guard let said = decision(element["value"]) else { continue }
            let name = element["name"]?.string ?? ""
            var purpose = ConsentPurpose(any: element["privacyUsagePurpose"]?.string ?? "").code
            var topic = ConsentTopic(any: name).code
            if purpose.isEmpty { purpose = ConsentPurpose(any: name).code }
            if topic == purpose { topic = ConsentTopic.any.code }
            guard !purpose.isEmpty else { continue }
            let key = ConsentKey(purpose: purpose, topic: topic)
            if !said { result[key] = .refused } else if result[key] == nil { result[key] = .given }
        }
        return result
    }
}

/// A row of privacy_consent.
struct Consent: Sendable, Equatable {
    let key: ConsentKey
    let decision: ConsentDecision
    let since: Instant
    let from: Instant?
    let until: Instant?
    let profile: Int64

    /// Customer first, then what it says.
    init(_ row: Row) {
        key = ConsentKey(purpose: row.text(1), topic: row.text(2))
        decision = ConsentDecision(rawValue: row.text(3)) ?? .withdrawn
        since = row.time(4)
        from = row.optionalTime(5)
        until = row.optionalTime(6)
        profile = row.int(7)
    }

    init(
        key: ConsentKey, decision: ConsentDecision, since: Instant, from: Instant? = nil, until: Instant? = nil, profile: Int64
    ) {
        self.key = key
        self.decision = decision
        self.since = since
        self.from = from
        self.until = until
        self.profile = profile
    }
}

/// What the last words of a customer come to.
enum ConsentRules {
    /// - Parameter said: about the topic asked for and about all topics.
    static func answer(_ said: [Consent], at: Instant) -> ConsentAnswer {
        let no = said.filter { $0.decision != .given }
        let yes = said.filter { $0.decision == .given }
        func isCurrent(_ one: Consent) -> Bool { (one.from.map { $0 <= at } ?? true) && (one.until.map { at < $0 } ?? true) }
        // A no stands against an older yes, and against one that is less exact: “no SMS” outlives a general yes.
        func standing(_ one: Consent) -> Consent? {
            no.filter { other in
                other.since >= one.since || other.key.topic != ConsentTopic.any.code && one.key.topic == ConsentTopic.any.code
            }.max { $0.since < $1.since }
        }
        if let best = yes.filter({ isCurrent($0) && standing($0) == nil }).max(by: { $0.since < $1.since }) {
            return ConsentAnswer(.given, profile: best.profile, since: best.since)
        }
        if let last = no.max(by: { $0.since < $1.since }) {
            return ConsentAnswer(last.decision == .withdrawn ? .withdrawn : .refused, profile: last.profile, since: last.since)
        }
        guard let last = yes.max(by: { $0.since < $1.since }) else { return ConsentAnswer(.neverGiven) }
        let isOver = last.until.map { $0 <= at } ?? false
        return ConsentAnswer(isOver ? .expired : .notYet, profile: last.profile, since: isOver ? last.until : last.from)
    }
}

/// What other domains ask: may this customer be written to, called, profiled?
package struct ConsentReader: ConsentReading {
    static let said: SQL = """
        SELECT customer_id, purpose, topic, decision, since, valid_from, valid_until, profile_id FROM privacy_consent
        WHERE purpose = $1 AND topic IN ($2, $3)
        """

    private let customers: any CustomerReading

    package init(_ customers: any CustomerReading) { self.customers = customers }

    package func consents(
        of customers: [CustomerID], to purpose: ConsentPurpose, on topic: ConsentTopic, at: Instant, _ session: any SQLSession
    ) throws -> [CustomerID: ConsentAnswer] {
        guard purpose.needsConsent else {
            return Dictionary(customers.map { ($0, ConsentAnswer(.notNeeded)) }, uniquingKeysWith: { first, _ in first })
        }
        // Whoever said no on one of their records has said no.
        let linked = try self.customers.linked(customers, session)
        var said: [CustomerID: [Consent]] = [:]
        for chunk in Set(linked.values.joined() + customers).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(
                Self.said, [.text(purpose.code), .text(topic.code), .text(ConsentTopic.any.code)])
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            for (customer, one) in try session.query(builder, { ($0.id(0, PartyKind.self), Consent($0)) }) {
                said[customer, default: []].append(one)
            }
        }
        var result: [CustomerID: ConsentAnswer] = [:]
        for customer in customers {
            let all = (linked[customer] ?? [customer]).flatMap { said[$0] ?? [] }
            result[customer] = ConsentRules.answer(all, at: at)
        }
        return result
    }
}
