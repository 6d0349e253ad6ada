import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Sends what is due.
///
/// One try: the delivery is claimed, and consent asked again, in one transaction; the adapter is called outside of any; what came of
/// it is written in another one, only while the claim is still this try's. A process that dies in between leaves a claim whose time
/// runs out; whoever claims it next tells the adapter so, and an adapter that cannot know what it has taken does not get it again.
struct ChannelJobs: Sendable {
    static let kind = "channels.send"
    static let tidyKind = "channels.tidy"
    static let batch = 100
    /// No try lasts so long: what an adapter remembers of older ones is of no use.
    static let keptDays: Int64 = 7
    /// So long a try has a delivery for itself.
    static let leaseSeconds: Int64 = 600

    let tenant: Tenant
    let rows: TMFRows
    let consents: any ConsentReading
    let adapter: any ChannelAdapter

    static let readMessage: SQL = "SELECT state, sent_at FROM channels_message WHERE id = $1"
    static let setState: SQL = """
        UPDATE channels_message SET state = $2, state_reason = $3, sent_at = COALESCE($4, sent_at), completed_at = $5 WHERE id = $1
        """

    static func enqueue(_ at: Instant, _ tenant: Tenant, _ session: any SQLSession) throws {
        // As routine as the schedule's own: forgotten after two days, kept out of the list of jobs when it went well.
        try tenant.jobs.enqueue(kind, payload: "{}", by: "schedule", runAt: at, session)
    }

    func handlers() -> [JobHandler] {
        [
            JobHandler(kind: Self.kind) { context in
                let sent = try await run { try context.checkCancelled() }
                return "{\"tried\":\(sent)}"
            },
            JobHandler(kind: Self.tidyKind) { _ in
                await adapter.forget(before: tenant.clock.now().adding(days: -Self.keptDays))
                return nil
            },
        ]
    }

    /// Sends until nothing is due. Returns how many were tried.
    func run(_ check: () throws -> Void = {}) async throws -> Int {
        var count = 0
        while true {
            try check()
            let now = tenant.clock.now()
            let due = try await tenant.database.read {
                try $0.query(DeliveryStore.due, [.time(now), .int(Self.batch)]) { Delivery($0) }
            }
            guard !due.isEmpty else { break }
            for one in due.sorted(by: { ($0.rank, $0.dueAt, $0.message, $0.place) < ($1.rank, $1.dueAt, $1.message, $1.place) }) {
                try check()
                try await send(one)
                count += 1
            }
        }
        return count
    }

    private enum Claim: Sendable { case mine(OutgoingMessage, isRepeated: Bool, until: Instant), unknown(until: Instant), none }

    private func send(_ delivery: Delivery) async throws {
        let claim: Claim
        do { claim = try await self.claim(delivery) } catch let failure as ChannelFailure {
            // Without a memory there is no way to send; it is looked at again with the next job.
            tenant.logger.error("channels.no_memory", metadata: ["error": "\(failure.reason)"])
            throw failure
        }
        switch claim {
        case .none: return
        case .unknown(let until): try await finish(delivery, until, .failed, "outcome_unknown")
        case .mine(let message, let isRepeated, let until):
            do {
                switch try await adapter.send(message, isRepeated: isRepeated) {
                case .sent: try await finish(delivery, until, .sent, nil)
                case .unknown: try await finish(delivery, until, .failed, "outcome_unknown")
                }
            } catch is CancellationError { throw CancellationError() } catch {
                let failure = error as? ChannelFailure ?? ChannelFailure(String(describing: Swift.type(of: error)), isFinal: false)
                let isLast = failure.isFinal || delivery.tries + 1 >= delivery.triesMax
                try await finish(delivery, until, isLast ? .failed : .queued, failure.reason)
            }
        }
    }

    private func claim(_ delivery: Delivery) async throws -> Claim {
        let memory = try adapter.memory
        return try await tenant.database.write { session in
            let now = tenant.clock.now()
            let until = now.adding(seconds: Self.leaseSeconds)
            guard delivery.state == .queued else {
                // It was somebody's try, who has not come back.
                guard try take(delivery, memory, until, now, session) else { return .none }
                guard delivery.takenBy == memory else { return .unknown(until: until) }
                guard let message = try message(delivery, session) else { return .unknown(until: until) }
                return .mine(message, isRepeated: true, until: until)
            }
            guard let message = try message(delivery, session) else {
                try refuse(delivery, .cancelled, "given_up", now, session)
                return .none
            }
            let purpose = ConsentPurpose(any: delivery.purpose)
            let answer = delivery.customer.rawValue == 0
                ? ConsentAnswer(purpose.needsConsent ? .neverGiven : .notNeeded)
                : try consents.consent(
                    of: delivery.customer, to: purpose, on: ConsentTopic(any: delivery.channel), at: now, session)
            guard answer.isAllowed else {
                try refuse(delivery, .refused, "no_consent: \(answer.reason.rawValue)", now, session)
                let subjects = [AuditSubject(kind: "message", id: delivery.message)]
                    + (delivery.customer.rawValue == 0 ? [] : [.customer(delivery.customer)])
                try tenant.audit.record(
                    AuditEntry(
                        "channels.message.refuse", subjects,
                        facts: [
                            "purpose": .string(delivery.purpose), "channel": .string(delivery.channel),
                            "reason": .string(answer.reason.rawValue),
                        ], refused: true), by: .system(tenant: tenant.name, "channels"), session)
                return .none
            }
            guard try take(delivery, memory, until, now, session) else { return .none }
            try rollUp(delivery.message, now, session)
            return .mine(message, isRepeated: false, until: until)
        }
    }

    private func key(_ delivery: Delivery) -> [SQLValue] {
        [.id(delivery.customer), .int(delivery.message), .int(delivery.place)]
    }

    private func key(of delivery: Delivery) -> String { "\(delivery.message)-\(delivery.place)" }

    private func take(
        _ delivery: Delivery, _ memory: String, _ until: Instant, _ now: Instant, _ session: any SQLSession
    ) throws -> Bool {
        try session.execute(DeliveryStore.claim, key(delivery) + [.time(until), .text(memory), .time(now)]) == 1
    }

    private func refuse(
        _ delivery: Delivery, _ state: Delivery.State, _ reason: String, _ now: Instant, _ session: any SQLSession
    ) throws {
        try session.execute(
            DeliveryStore.refuse, key(delivery) + [.text(state.rawValue), .text(reason), .time(now)])
        try rollUp(delivery.message, now, session)
    }

    /// What leaves: the message with the one receiver.
    private func message(_ delivery: Delivery, _ session: any SQLSession) throws -> OutgoingMessage? {
        let all = Masking.lifted(.system(tenant: tenant.name, "channels"))
        guard let document = try rows.documents([delivery.message], all, session).first?.1,
            let receiver = document["receiver"]?.array?.dropFirst(delivery.place).first,
            // Given up while it waited for another try.
            document["state"]?.string != "cancelled"
        else { return nil }
        let key = key(of: delivery)
        var content = document.filter {
            ["messageType", "subject", "content", "sender", "attachment", "characteristic", "priority"].contains($0.key)
        }
        content["key"] = .string(key)
        content["channel"] = .string(delivery.channel)
        content["receiver"] = receiver
        content["address"] = .text(Messages.address(receiver, delivery.channel))
        return OutgoingMessage(key: key, tenant: tenant.name, channel: delivery.channel, content: .object(content))
    }

    private func finish(
        _ delivery: Delivery, _ until: Instant, _ state: Delivery.State, _ reason: String?
    ) async throws {
        try await tenant.database.write { session in
            let now = tenant.clock.now()
            // From half a minute on, doubled with each try, not above an hour; never two of one moment together.
            let wait = min(3_600_000, 30_000 << min(delivery.tries, 10))
            let next = state == .queued ? now.adding(milliseconds: Int64(wait) + Int64.random(in: 0...5_000)) : now
            let done = try session.execute(
                DeliveryStore.finish,
                key(delivery) + [.time(until), .text(state.rawValue), .text(reason), .time(now), .time(next)])
            guard done == 1 else { return }
            if state == .sent {
                let (adapter, key) = (self.adapter, self.key(of: delivery))
                session.afterCommit { adapter.settled(key) }
            }
            if state == .queued { try Self.enqueue(next, tenant, session) }
            try rollUp(delivery.message, now, session)
        }
    }

    /// What the deliveries of a message come to.
    static func state(_ deliveries: [Delivery]) -> (state: String, reason: String?) {
        let states = Set(deliveries.map(\.state))
        func reason(_ state: Delivery.State) -> String? { deliveries.first { $0.state == state && $0.reason != nil }?.reason }
        if states.contains(.queued) || states.contains(.sending) {
            let isUntouched = deliveries.allSatisfy { $0.state == .queued && $0.tries == 0 }
            return (isUntouched ? "initial" : "inProgress", reason(.queued))
        }
        if states.contains(.failed) { return ("failed", reason(.failed)) }
        if states.contains(.sent) { return ("completed", reason(.refused)) }
        if states.contains(.refused) { return ("failed", reason(.refused)) }
        return ("cancelled", reason(.cancelled))
    }

    private func rollUp(_ message: Int64, _ now: Instant, _ session: any SQLSession) throws {
        let deliveries = try DeliveryStore.of([message], session)[message] ?? []
        guard !deliveries.isEmpty, let (old, before) = try session.first(
                Self.readMessage, [.int(message)], { ($0.text(0), $0.optionalTime(1)) })
        else { return }
        let (state, reason) = Self.state(deliveries)
        // A client has given it up; what was on its way arrives or does not.
        guard old != "cancelled" else { return }
        let isOver = state == "completed" || state == "failed" || state == "cancelled"
        let sent = deliveries.filter { $0.state == .sent }.map(\.happenedAt).min()
        try session.execute(
            Self.setState,
            [.int(message), .text(state), .text(reason), .time(sent), .time(isOver ? now : nil)])
        let isFirst = sent != nil && before != sent
        guard state != old || isFirst else { return }
        try tenant.outbox.append(
            TMFChanged(
                api: Messages.api.number, resource: "communicationMessage", id: message,
                kinds: state != old ? [.stateChanged] : [.changed],
                attributes: (state != old ? ["state"] : []) + (isFirst ? ["sendTime"] : [])), session)
    }
}
