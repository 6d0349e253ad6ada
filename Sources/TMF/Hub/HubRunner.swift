import Foundation
import Kernel
import Outgoing
import Platform
import Storage
import Synchronization
import Web

/// Sends what waits. Each subscription is a lane of its own: one event after the other, and a callback that is slow or dead
/// holds up nobody but itself. A lane is leased, so several processes share the work, and what a process that died had
/// sent and not marked is sent again, under the same id.
struct HubRunner: Sendable {
    let tenant: Tenant
    let resources: [TMFResource]
    let clients: HubClients
    let settings: HubSettings
    private let owner = RandomText.hex(8)

    init(tenant: Tenant, resources: [TMFResource], clients: HubClients, settings: HubSettings) {
        self.tenant = tenant
        self.resources = resources
        self.clients = clients
        self.settings = settings
    }

    private enum Turn: Sendable { case lane, look }

    /// Goes on until the task is cancelled.
    /// - Parameter failed: told of a round that could not be made: the database is away.
    func run(pollMilliseconds: Int, failed: @escaping @Sendable (any Error) -> Void) async {
        await withTaskGroup(of: Turn.self) { group in
            var running = 0
            var isLooking = false
            while !Task.isCancelled {
                let generation = tenant.wake.generation
                do {
                    for id in try await claim(settings.concurrency - running) {
                        running += 1
                        group.addTask { await lane(id, failed); return .lane }
                    }
                } catch { failed(error) }
                // Whatever comes first: the end of a lane, a signal, or the time for another look.
                if !isLooking {
                    isLooking = true
                    let wake = tenant.wake
                    group.addTask { await wake.wait(after: generation, milliseconds: pollMilliseconds); return .look }
                }
                switch await group.next() {
                case .lane: running -= 1
                case .look: isLooking = false
                case nil: break
                }
            }
            group.cancelAll()
        }
    }

    /// Sends all that is due now.
    /// - Returns: whether anything was.
    func drain() async throws -> Bool {
        var worked = false
        while true {
            let lanes = try await claim(settings.concurrency)
            if lanes.isEmpty { return worked }
            worked = true
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in lanes { group.addTask { try await deliver(id) } }
                try await group.waitForAll()
            }
        }
    }

    private func lane(_ id: HubID, _ failed: @escaping @Sendable (any Error) -> Void) async {
        do { try await deliver(id) } catch { failed(error) }
    }

    /// Takes lanes that are due and nobody's.
    private func claim(_ count: Int) async throws -> [HubID] {
        guard count > 0 else { return [] }
        let now = tenant.clock.now()
        let due = try await tenant.database.read { session in
            try session.query(HubStore.due, [.time(now), .int(count)]) { row -> HubID in row.id(0) }
        }
        guard !due.isEmpty else { return [] }
        let until = now.adding(seconds: settings.leaseSeconds)
        return try await tenant.database.write { [owner] session in
            try due.filter {
                try session.execute(HubStore.claim, [.id($0), .text(owner), .time(until), .time(now)]) == 1
            }
        }
    }

    // MARK: One lane

    private func deliver(_ id: HubID) async throws {
        let end = tenant.clock.now().adding(seconds: HubSettings.turnSeconds)
        for _ in 0..<HubSettings.turnMax where tenant.clock.now() < end && !Task.isCancelled {
            let step: Step
            do { step = try await begin(id) } catch let error as StorageError { throw error } catch {
                // Not the database: what is read of this record cannot be put together, and will not be by itself.
                tenant.logger.error("hub.document_failed", metadata: ["error": "\(error)"])
                try await layAside(id)
                continue
            }
            switch step {
            case .lost: return
            case .idle: return
            case .settled: continue
            case .send(let attempt):
                let outcome = await send(attempt)
                guard try await finish(attempt, outcome) else { return }
            }
        }
        // Another one's turn.
        try await release(id, due: tenant.clock.now(), failures: nil)
    }

    private struct Attempt: Sendable {
        let subscription: HubSubscription
        let delivery: HubDelivery
        let body: [UInt8]
    }
    private enum Step: Sendable {
        /// Somebody else has the lane, or it was paused or removed.
        case lost
        case idle
        /// Nothing is to be sent of this one.
        case settled
        case send(Attempt)
    }

    /// Reads what is next as its client may see it now. That it is about to be shown stands in the audit before it is sent.
    private func begin(_ id: HubID) async throws -> Step {
        let now = tenant.clock.now()
        return try await tenant.database.write { [self] session in
            let lease: [SQLValue] = [.id(id), .text(owner), .time(now.adding(seconds: settings.leaseSeconds))]
            guard try session.execute(HubStore.hold, lease) == 1,
                let subscription = try HubStore.subscription(id, session)
            else {
                try session.execute(
                    HubStore.release, [.id(id), .text(owner), .time(now), .int(0)])
                return .lost
            }
            guard let delivery = try session.first(HubStore.next, [.id(id)], HubStore.delivery) else {
                try session.execute(HubStore.release, [.id(id), .text(owner), .null, .int(subscription.failures)])
                return .idle
            }
            func drop(_ reason: String) throws -> Step {
                try session.execute(
                    HubStore.ended,
                    [.id(delivery.id), .text(HubDelivery.State.dropped.rawValue), .int(0), .text(reason), .time(now)])
                return .settled
            }
            let all = resources.filter { $0.api.number == subscription.api }
            guard let resource = all.first(where: { $0.name == delivery.resource }) else { return try drop("not_offered") }
            guard let principal = try clients.principal(subscription.client, tenant, session) else {
                return try drop("client_disabled")
            }
            guard resource.may(principal) else { return try drop("no_right") }
            let document: JSONObject
            if delivery.kind == .removed {
                document = HubEvent.remains(resource, delivery.resourceID, origin: subscription.origin)
            } else {
                let desk = TMFDesk(resource: resource, tenant: tenant, origin: subscription.origin)
                guard let found = try desk.known(delivery.resourceID, principal, session) else {
                    return try drop("out_of_reach")
                }
                let query = try? HubQuery.read(subscription.query, all)[resource.name]
                document = query?.fields.of(found) ?? found
                try tenant.audit.record(
                    AuditEntry(
                        "tmf.event.deliver", resource.subjects(delivery.resourceID, found),
                        facts: ["resource": .string(resource.name), "event": .string(delivery.type)]),
                    by: principal, session)
            }
            try session.execute(HubStore.attempt, [.id(delivery.id), .time(now)])
            let envelope = HubEvent.envelope(
                resource, event: delivery.event, correlation: delivery.correlation, delivery.kind, field: delivery.field,
                at: delivery.at)
            return .send(
                Attempt(
                    subscription: subscription, delivery: delivery, body: HubEvent.body(envelope, resource, document)))
        }
    }

    // MARK: The call

    private struct Outcome: Sendable {
        var status = 0
        var reason = ""
        var waitSeconds: Int64?
        var isDelivered: Bool { (200..<300).contains(status) }
    }

    private func send(_ attempt: Attempt) async -> Outcome {
        let signature = HubSignature(tenant, salt: attempt.subscription.salt, id: attempt.subscription.id)
        let headers = signature.headers(
            id: String(attempt.delivery.event), seconds: tenant.clock.now().milliseconds / 1_000, body: attempt.body)
        let settings = settings
        let stop = Stop()
        do {
            let answer = try await withTaskCancellationHandler {
                try await OwnThread.run(stackBytes: 1 << 20) {
                    var request = OutgoingRequest(
                        try AddressGuard.hub(settings.hosts).check(attempt.subscription.callback))
                    request.method = "POST"
                    request.headers = [("Content-Type", "application/json;charset=utf-8")] + headers
                    request.body = attempt.body
                    request.connectSeconds = min(5, settings.timeoutSeconds)
                    request.seconds = settings.timeoutSeconds
                    request.answerMax = HubSettings.answerMax
                    request.authorities = settings.authorities
                    return try OutgoingHTTP.send(request, isCancelled: { stop.isSet })
                }
            } onCancel: {
                stop.set()
            }
            var outcome = Outcome(status: answer.status)
            outcome.waitSeconds = answer.retryAfterSeconds.map { Int64($0) }
            if !outcome.isDelivered { outcome.reason = (300..<400).contains(answer.status) ? "redirect" : "status" }
            return outcome
        } catch let error as OutgoingFailure {
            return Outcome(reason: error.reason.rawValue)
        } catch let error as CRMError {
            return Outcome(reason: error.code)
        } catch {
            tenant.logger.error("hub.call_failed", metadata: ["error": "\(error)"])
            return Outcome(reason: OutgoingFailure.Reason.unreachable.rawValue)
        }
    }

    private final class Stop: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    /// Notes what became of an attempt.
    /// - Returns: whether the lane is to go on.
    private func finish(_ attempt: Attempt, _ outcome: Outcome) async throws -> Bool {
        let now = tenant.clock.now()
        let (delivery, lane) = (attempt.delivery, attempt.subscription)
        // The process stops: nobody failed, and the next one begins where this one was.
        if outcome.reason == OutgoingFailure.Reason.cancelled.rawValue {
            try await release(lane.id, due: now, failures: lane.failures)
            return false
        }
        return try await tenant.database.write { [self] session in
            if outcome.isDelivered {
                try session.execute(
                    HubStore.ended,
                    [
                        .id(delivery.id), .text(HubDelivery.State.delivered.rawValue), .int(outcome.status), .text(""),
                        .time(now),
                    ])
                try session.execute(HubStore.forgive, [.id(lane.id)])
                return true
            }
            let isSpent = outcome.status > 0 && delivery.attempts + 1 >= settings.attemptsMax
            if isSpent {
                try session.execute(
                    HubStore.ended,
                    [
                        .id(delivery.id), .text(HubDelivery.State.dead.rawValue), .int(outcome.status),
                        .text(outcome.reason), .time(now),
                    ])
            } else {
                try session.execute(
                    HubStore.failed, [.id(delivery.id), .int(outcome.status), .text(outcome.reason)])
            }
            let oldest = now.adding(seconds: -Int64(settings.giveUpHours) * 3_600)
            if lane.resumedAt < oldest {
                try session.execute(HubStore.tooOld, [.id(lane.id), .time(oldest), .time(now)])
            }
            let pause = Self.pause(after: lane.failures + 1, settings, asked: outcome.waitSeconds)
            try session.execute(
                HubStore.release,
                [.id(lane.id), .text(owner), .time(now.adding(milliseconds: pause)), .int(lane.failures + 1)])
            return false
        }
    }

    /// Doubles from failure to failure, with a random half so that lanes do not march in step; what the callback asks for
    /// is honoured as far as the longest pause goes.
    static func pause(after failures: Int, _ settings: HubSettings, asked: Int64?) -> Int64 {
        let longest = settings.retryMaxSeconds * 1_000
        let pause = min(longest, settings.retryFirstMilliseconds << Int64(min(max(failures, 1) - 1, 30)))
        return max(Int64.random(in: (pause / 2)...max(1, pause)), min(longest, (asked ?? 0) * 1_000))
    }

    private func layAside(_ id: HubID) async throws {
        let now = tenant.clock.now()
        try await tenant.database.write { session in
            guard let delivery = try session.first(HubStore.next, [.id(id)], HubStore.delivery) else { return }
            try session.execute(
                HubStore.ended,
                [.id(delivery.id), .text(HubDelivery.State.dead.rawValue), .int(0), .text("internal"), .time(now)])
        }
    }

    private func release(_ id: HubID, due: Instant, failures: Int?) async throws {
        try await tenant.database.write { [owner] session in
            let now = try failures ?? HubStore.subscription(id, session)?.failures ?? 0
            try session.execute(HubStore.release, [.id(id), .text(owner), .time(due), .int(now)])
        }
    }
}

extension AddressGuard {
    /// For callbacks: what `SWITCHBOARD_HUB_HOSTS` lists may be private.
    static func hub(_ hosts: Set<String>) -> AddressGuard {
        AddressGuard(hosts: hosts, setting: "SWITCHBOARD_HUB_HOSTS", field: "callback")
    }
}
