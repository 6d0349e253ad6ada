import Contracts
import Kernel
import Platform
import Storage
import TMF

/// Keeps what holds now and the evidence of how it came to that, in the transaction of the change.
struct ConsentLedger: Sendable {
    static let columns: SQL = "customer_id, purpose, topic, decision, since, valid_from, valid_until, profile_id"
    static let ofProfile: SQL = "SELECT \(columns) FROM privacy_consent WHERE profile_id = $1"
    static let ofCustomer: SQL = "SELECT \(columns) FROM privacy_consent WHERE customer_id = $1"
    static let ofCustomers: SQL = "SELECT \(columns) FROM privacy_consent WHERE TRUE"
    static let holders: SQL = "SELECT DISTINCT customer_id FROM privacy_consent WHERE TRUE"
    static let save: SQL = """
        INSERT INTO privacy_consent (customer_id, purpose, topic, decision, since, valid_from, valid_until, profile_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (customer_id, purpose, topic) DO UPDATE SET decision = $4, since = $5, valid_from = $6, valid_until = $7,
          profile_id = $8
        """

    /// Where a word comes from: what a court would ask for.
    struct Source: Sendable {
        let profile: Int64
        let from: Instant?
        let until: Instant?
        let agreedBy: String?
        let collectedOn: String?
        let specification: String?
        let noticeVersion: String?
        let noticeHash: String?
    }

    /// How it came about.
    enum Step: String, Sendable { case created, changed, ended, removed, moved }

    let context: TMFContext

    /// What a customer has said last, by what it was about.
    private func last(_ customer: CustomerID, _ session: any SQLSession) throws -> [ConsentKey: Consent] {
        let all = try session.query(Self.ofCustomer, [.id(customer)]) { Consent($0) }
        return Dictionary(all.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A customer said this: it counts from now on, whatever was said before.
    func say(
        _ statements: [ConsentKey: ConsentDecision], _ customer: CustomerID, _ source: Source, _ step: Step, _ session: any SQLSession
    ) throws {
        let before = try last(customer, session)
        var said: [Consent] = []
        for (key, decision) in statements.sorted(by: { $0.key < $1.key }) {
            let wasGiven = before[key]?.decision == .given
            said.append(
                Consent(
                    key: key, decision: decision == .refused && wasGiven ? .withdrawn : decision, since: context.now,
                    from: source.from, until: source.until, profile: source.profile))
        }
        try write(said, customer, source, step, session)
    }

    /// What a profile gave is not given any more; its noes stay.
    /// - Parameter keys: `nil` = all.
    func end(_ customer: CustomerID, _ keys: Set<ConsentKey>?, _ source: Source, _ step: Step, _ session: any SQLSession) throws {
        let given = try session.query(Self.ofProfile, [.int(source.profile)]) { Consent($0) }
            .filter { $0.decision == .given && keys?.contains($0.key) ?? true }.sorted { $0.key < $1.key }
        try write(
            given.map {
                Consent(
                    key: $0.key, decision: .withdrawn, since: context.now, from: $0.from, until: $0.until, profile: source.profile)
            }, customer, source, step, session)
    }

    private func write(
        _ said: [Consent], _ customer: CustomerID, _ source: Source, _ step: Step, _ session: any SQLSession
    ) throws {
        guard !said.isEmpty else { return }
        try session.executeMany(
            Self.save,
            said.map {
                [
                    .id(customer), .text($0.key.purpose), .text($0.key.topic), .text($0.decision.rawValue), .time($0.since),
                    .time($0.from), .time($0.until), .int($0.profile),
                ]
            })
        try session.bulkInsert(
            into: "privacy_consent_evidence",
            """
            customer_id, id, happened_at, purpose, topic, decision, step, valid_from, valid_until, profile_id, agreed_party,
            collected_on, specification_id, notice_version, notice_hash, actor_id, actor_name, request_id
            """,
            said.map { one in
                let id: ID<EvidenceEntity> = context.tenant.ids.next()
                return [
                    .id(customer), .id(id), .time(context.now), .text(one.key.purpose), .text(one.key.topic),
                    .text(one.decision.rawValue), .text(step.rawValue), .time(one.from), .time(one.until), .int(one.profile),
                    .text(source.agreedBy), .text(source.collectedOn), .text(source.specification), .text(source.noticeVersion),
                    .text(source.noticeHash), .id(context.principal.userID), .text(context.principal.userName),
                    .text(context.principal.requestID),
                ]
            })
        try context.tenant.outbox.append(
            ConsentChanged(
                customer: customer,
                changes: said.map { .init(purpose: $0.key.purpose, topic: $0.key.topic, decision: $0.decision.rawValue) }),
            session)
    }
}

enum EvidenceEntity {}
