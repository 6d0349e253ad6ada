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
        // A callback that keeps its connection open is connected to once a turn.
        let connection = OutgoingConnection()
        var (step, turn) = (try await begin(id), 0)
        while true {
            turn += 1
            let isOver = turn >= HubSettings.turnMax || tenant.clock.now() >= end || Task.isCancelled
            switch step {
            case .lost, .idle: return
            case .settled:
                if isOver { return try await release(id, due: tenant.clock.now(), failures: nil) }
                step = try await begin(id)
            case .send(let attempt):
                let outcome = await send(attempt, connection)
                // The process stops: nobody failed, and the next one begins where this one was.
                if outcome.reason == OutgoingFailure.Reason.cancelled.rawValue {
                    return try await release(id, due: tenant.clock.now(), failures: attempt.subscription.failures)
                }
                step = try await finish(attempt, outcome, goesOn: !isOver)
            }
        }
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
        try await tenant.database.write { [self] in try begin(id, $0) }
    }

    private func begin(_ id: HubID, _ session: any SQLSession) throws -> Step {
        do { return try session.savepoint { try next(id, session) } } catch let error as StorageError { throw error } catch {
            // Not the database: what is read of this record cannot be put together, and will not be by itself.
            tenant.logger.error("hub.document_failed", metadata: ["error": "\(error)"])
            if let delivery = try session.first(HubStore.next, [.id(id)], HubStore.delivery) {
                try end(delivery, .dead, 0, "internal", session)
            }
            return .settled
        }
    }

    private func end(
        _ delivery: HubDelivery, _ state: HubDelivery.State, _ answer: Int, _ reason: String, _ session: any SQLSession
    ) throws {
        try session.execute(
            HubStore.ended,
            [.id(delivery.id), .text(state.rawValue), .int(answer), .text(reason), .time(tenant.clock.now())])
        guard state != .dead else { return }
        try HubLast.release(delivery.key, session)
        try HubSeen.release(delivery, session)
    }

    private func next(_ id: HubID, _ session: any SQLSession) throws -> Step {
        let now = tenant.clock.now()
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
            try end(delivery, .dropped, 0, reason, session)
            return .settled
        }
        let all = subscription.offered(resources)
        guard let resource = all.first(where: { $0.name == delivery.resource }) else { return try drop("not_offered") }
        guard let principal = try clients.principal(subscription.client, tenant, session) else {
            return try drop("client_disabled")
        }
        guard resource.may(principal) else { return try drop("no_right") }
        guard let (document, seen) = try shown(delivery, subscription, resource, all, principal, session) else {
            return try drop("out_of_reach")
        }
        if let seen {
            try tenant.audit.record(
                AuditEntry(
                    "tmf.event.deliver", resource.subjects(delivery.resourceID, seen),
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

    /// What is sent of the resource, and the document behind it: as it was when it happened; where that was not seen, or seen with other
    /// rights, as it is, or as it was when it was removed. Of one that is gone and was not kept, or was erased, only what names it.
    /// - Returns: `nil` = nothing may be told.
    private func shown(
        _ delivery: HubDelivery, _ subscription: HubSubscription, _ resource: TMFResource, _ all: [TMFResource], _ principal: Principal,
        _ session: any SQLSession
    ) throws -> (JSONObject, seen: JSONObject?)? {
        let isRemoval = delivery.kind == .removed
        func told(_ document: JSONObject) -> (JSONObject, seen: JSONObject?) {
            let query = try? HubQuery.read(subscription.query, all)[resource.name]
            return (query?.fields.of(document) ?? document, document)
        }
        let seen = try HubSeen.find(delivery, session)
        if let document = seen?.document, seen?.rights == HubLast.rights(principal) { return told(document) }
        let desk = TMFDesk(resource: resource, tenant: tenant, origin: subscription.origin)
        if !isRemoval, let found = try desk.known(delivery.resourceID, principal, session) { return told(found) }
        let kept = try HubLast.find(delivery.key, session)
        let isOver = kept.map { $0.until < tenant.clock.now() } ?? false
        if let kept, !isOver, let document = kept.document, kept.rights == HubLast.rights(principal) { return (document, document) }
        let isErased = kept.map { isOver || $0.document == nil } ?? seen.map { $0.document == nil } ?? false
        guard isRemoval || isErased else { return nil }
        return (HubEvent.remains(resource, delivery.resourceID, origin: subscription.origin), nil)
    }

    // MARK: The call

    private struct Outcome: Sendable {
        var status = 0
        var reason = ""
        var waitSeconds: Int64?
        var isDelivered: Bool { (200..<300).contains(status) }
    }

    private func send(_ attempt: Attempt, _ connection: OutgoingConnection) async -> Outcome {
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
                    return try OutgoingHTTP.send(request, over: connection, isCancelled: { stop.isSet })
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

    /// Notes what became of an attempt and begins with the next one, in one transaction.
    private func finish(_ attempt: Attempt, _ outcome: Outcome, goesOn: Bool) async throws -> Step {
        let (delivery, lane) = (attempt.delivery, attempt.subscription)
        return try await tenant.database.write { [self] session in
            let now = tenant.clock.now()
            if outcome.isDelivered {
                try end(delivery, .delivered, outcome.status, "", session)
                try session.execute(HubStore.forgive, [.id(lane.id)])
                if goesOn { return try begin(lane.id, session) }
                try session.execute(HubStore.release, [.id(lane.id), .text(owner), .time(now), .int(0)])
                return .lost
            }
            let isSpent = outcome.status > 0 && delivery.attempts + 1 >= settings.attemptsMax
            if isSpent {
                try end(delivery, .dead, outcome.status, outcome.reason, session)
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
            return .lost
        }
    }

    /// Doubles from failure to failure, with a random half so that lanes do not march in step; what the callback asks for
    /// is honoured as far as the longest pause goes.
    static func pause(after failures: Int, _ settings: HubSettings, asked: Int64?) -> Int64 {
        let longest = settings.retryMaxSeconds * 1_000
        let pause = min(longest, settings.retryFirstMilliseconds << Int64(min(max(failures, 1) - 1, 30)))
        return max(Int64.random(in: (pause / 2)...max(1, pause)), min(longest, (asked ?? 0) * 1_000))
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
