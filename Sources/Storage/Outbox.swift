import Contracts
import Foundation
import Kernel
import Logging
import Synchronization

/// Appends events in the caller's transaction; a dispatcher delivers them later, at least once.
package struct Outbox: Sendable {
    private let ids: IDGenerator
    private let clock: any WallClock
    private let wake: WakeSignal
    /// Who wants to see what an event is about while it is as the event says.
    package let watch = OutboxWatch()

    package init(ids: IDGenerator, clock: any WallClock, wake: WakeSignal) {
        self.ids = ids
        self.clock = clock
        self.wake = wake
    }

    static let insert: SQL = """
        INSERT INTO storage_outbox_event (id, type, payload, created_at, status, attempts, next_attempt_at)
        VALUES ($1, $2, $3, $4, 'pending', 0, $4)
        """

    static let last: SQL = "SELECT MAX(id) FROM storage_outbox_event"

    /// The last event there is: a mark of the last change that this snapshot knows of. Events are let go oldest first.
    package static func mark(_ session: any SQLSession) throws -> Int64? {
        try session.first(last, []) { $0.optionalInt(0) } ?? nil
    }

    /// Adds an event to the transaction of `session`.
    package func append<E: DomainEvent>(_ event: E, _ session: any SQLSession) throws {
        let payload = String(decoding: try JSONEncoder().encode(event), as: UTF8.self)
        let id: EventID = ids.next()
        try session.execute(
            Self.insert, [.id(id), .text(E.eventType), .text(payload), .time(clock.now())])
        try watch.appended(event, id, session)
        let wake = self.wake
        session.afterCommit { wake.signal() }
    }
}

/// What is to be done in the transaction that appends an event, beside what its handlers do later: for what is not there any more by
/// then. Registered once, when a tenant is opened.
package final class OutboxWatch: Sendable {
    package typealias Watcher = @Sendable (any DomainEvent, EventID, any SQLSession) throws -> Void
    private let watchers = Mutex<[String: [Watcher]]>([:])

    /// - Parameter watcher: called at once; what has to see all that the transaction does waits with `beforeCommit`.
    package func add(_ eventType: String, _ watcher: @escaping Watcher) {
        watchers.withLock { $0[eventType, default: []].append(watcher) }
    }

    fileprivate func appended<E: DomainEvent>(_ event: E, _ id: EventID, _ session: any SQLSession) throws {
        for watcher in watchers.withLock({ $0[E.eventType] ?? [] }) { try watcher(event, id, session) }
    }
}

/// One subscriber. Its work and the record of it are one transaction.
package struct EventHandler: Sendable {
    /// Stable: it is stored in the receipts.
    package let name: String
    package let eventType: String
    private let work: @Sendable (_ payload: EventPayload, _ id: EventID, _ session: any SQLSession) throws -> Void

    /// A handler of one event type; the payload is decoded for it.
    package init<E: DomainEvent>(
        name: String, _ type: E.Type, _ handle: @escaping @Sendable (E, any SQLSession) throws -> Void
    ) {
        self.init(name: name, type, identified: { event, _, session in try handle(event, session) })
    }

    /// The same, told when the event was appended.
    package init<E: DomainEvent>(
        name: String, _ type: E.Type, _ handle: @escaping @Sendable (E, Instant, any SQLSession) throws -> Void
    ) {
        self.init(name: name, type, identified: { event, id, session in try handle(event, id.madeAt, session) })
    }

    /// The same, told which event it is; its id tells when it was appended.
    package init<E: DomainEvent>(
        name: String, _ type: E.Type, identified handle: @escaping @Sendable (E, EventID, any SQLSession) throws -> Void
    ) {
        self.name = name
        eventType = E.eventType
        work = { payload, id, session in try handle(try payload.event(E.self), id, session) }
    }

    /// - Parameter id: the event's.
    package func handle(_ payload: String, _ session: any SQLSession, id: EventID = EventID(0)) throws {
        try work(EventPayload(payload), id, session)
    }

    fileprivate func handle(_ payload: EventPayload, _ session: any SQLSession, id: EventID) throws {
        try work(payload, id, session)
    }
}

/// What an event says, decoded once for all its handlers: an import's event names 500 customers.
private final class EventPayload: Sendable {
    private let text: String
    private let decoded = Mutex<(any DomainEvent)?>(nil)

    init(_ text: String) { self.text = text }

    func event<E: DomainEvent>(_ type: E.Type) throws -> E {
        if let known = decoded.withLock({ $0 }) as? E { return known }
        let event = try JSONDecoder().decode(E.self, from: Data(text.utf8))
        decoded.withLock { $0 = event }
        return event
    }
}

/// Delivers outbox events to handlers. Several may run over one database on PostgreSQL; receipts keep effects single.
package struct OutboxDispatcher: Sendable {
    private let database: any Database
    private let handlers: [String: [EventHandler]]
    private let clock: any WallClock
    private let logger: Logger?
    /// After this many failures an event is parked, where a person sees it.
    package static let attemptsMax = 8

    /// - Parameter logger: told why a handler failed; the database keeps only the kind of error (G59).
    package init(database: any Database, handlers: [EventHandler], clock: any WallClock, logger: Logger? = nil) {
        self.database = database
        self.logger = logger
        self.handlers = Dictionary(grouping: handlers, by: \.eventType)
        self.clock = clock
    }

    private struct Pending: Sendable { let id: EventID; let type: String; let payload: String; let attempts: Int }

    static let due: SQL = """
        SELECT id, type, payload, attempts FROM storage_outbox_event
        WHERE status = 'pending' AND next_attempt_at <= $1 ORDER BY next_attempt_at, id LIMIT $2
        """
    /// Several dispatchers on PostgreSQL: each takes events that no other is at. They come due again when it dies.
    static let claimPostgres: SQL = """
        UPDATE storage_outbox_event SET next_attempt_at = $3 WHERE id IN (
          SELECT id FROM storage_outbox_event WHERE status = 'pending' AND next_attempt_at <= $1
          ORDER BY next_attempt_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING id, type, payload, attempts
        """
    static let claimSeconds: Int64 = 60
    static let receipt: SQL = """
        INSERT INTO storage_outbox_receipt (event_id, handler, handled_at) VALUES ($1, $2, $3)
        ON CONFLICT (event_id, handler) DO NOTHING
        """
    /// Only what is pending: a dispatcher that slept past its claim must not park what another has delivered meanwhile.
    static let finish: SQL = "UPDATE storage_outbox_event SET status = 'done' WHERE id = $1 AND status = 'pending'"
    static let retry: SQL = """
        UPDATE storage_outbox_event SET attempts = $2, next_attempt_at = $3, status = $4, last_error = $5
        WHERE id = $1 AND status = 'pending'
        """
    static let pullBack: SQL = """
        UPDATE storage_outbox_event SET next_attempt_at = $1 WHERE status = 'pending' AND next_attempt_at > $2
        """
    /// No event waits longer for its next attempt (10 min), nor does a claim last longer.
    static let aheadSecondsMax: Int64 = 1_200
    static let expireReceipts: SQL = """
        DELETE FROM storage_outbox_receipt WHERE event_id < $2 AND event_id IN (SELECT id FROM storage_outbox_event
          WHERE id < $2 AND status IN ('done', 'dismissed') AND created_at < $1)
        """
    static let expire: SQL = """
        DELETE FROM storage_outbox_event WHERE id < $2 AND status IN ('done', 'dismissed') AND created_at < $1
        """
    static let parkedEvents: SQL = """
        SELECT id, type, COALESCE(last_error, ''), attempts, created_at FROM storage_outbox_event
        WHERE status = 'parked' ORDER BY id LIMIT $1
        """
    static let redeliver: SQL = """
        UPDATE storage_outbox_event SET status = 'pending', attempts = 0, next_attempt_at = $2
        WHERE id = $1 AND status = 'parked'
        """
    static let dismiss: SQL = "UPDATE storage_outbox_event SET status = 'dismissed' WHERE id = $1 AND status = 'parked'"
    static let oldestDue: SQL = "SELECT MIN(next_attempt_at) FROM storage_outbox_event WHERE status = 'pending'"
    static let parkedCount: SQL = "SELECT COUNT(*) FROM storage_outbox_event WHERE status = 'parked'"
    static let backlog: SQL = "SELECT COUNT(*) FROM storage_outbox_event WHERE status = $1"

    /// Delivers one batch. Returns how many events were looked at; 0 = nothing is due.
    @discardableResult
    package func deliverBatch() async throws -> Int {
        let now = clock.now()
        let map: @Sendable (Row) throws -> Pending = {
            Pending(id: $0.id(0), type: $0.text(1), payload: $0.text(2), attempts: $0.integer(3))
        }
        let batch: [Pending]
        switch database.dialect {
        case .sqlite:
            batch = try await database.read { try $0.query(Self.due, [.time(now), .int(Limits.outboxBatch)], map) }
        case .postgres:
            let until = now.adding(seconds: Self.claimSeconds)
            batch = try await database.write { session in
                // RETURNING keeps no order; ids grow with time.
                try session.query(Self.claimPostgres, [.time(now), .int(Limits.outboxBatch), .time(until)], map)
                    .sorted { $0.id < $1.id }
            }
        }
        for event in batch { try await deliver(event) }
        return batch.count
    }

    private func deliver(_ event: Pending) async throws {
        let clock = self.clock
        let payload = EventPayload(event.payload)
        let handlers = handlers[event.type] ?? []
        let handle: @Sendable (EventHandler, any SQLSession) throws -> Void = { handler, session in
            let fresh = try session.execute(Self.receipt, [.id(event.id), .text(handler.name), .time(clock.now())])
            if fresh == 1 { try handler.handle(payload, session, id: event.id) }
        }
        var failure: String?
        func note(_ handler: EventHandler, _ error: any Error) {
            logger?.error(
                "outbox.handler_failed",
                metadata: ["event": "\(event.id)", "handler": "\(handler.name)", "error": "\(error)"])
            failure = "\(handler.name): \(Self.kind(of: error))"
        }
        var failed: String?
        if event.attempts == 0, handlers.count > 1 {
            do {
                if try await deliverWhole(event, handlers, handle) { return }
            } catch let error as HandlerFailure {
                note(error.handler, error.error)
                failed = error.handler.name
            } catch {
                // The database or the commit: nobody in particular, so each is called by itself.
            }
        }
        for handler in handlers where handler.name != failed {
            do { try await database.write { session in try handle(handler, session) } } catch { note(handler, error) }
        }
        if let failure {
            let attempts = event.attempts + 1
            // Exponential backoff from 1 s to 10 min with full jitter, so that handlers do not march in step.
            let ceiling = min(600_000, 1_000 << min(attempts, 10))
            let next = clock.now().adding(milliseconds: Int64.random(in: 500...Int64(ceiling)))
            let status = attempts >= Self.attemptsMax ? "parked" : "pending"
            let reason = String(failure.prefix(500))
            try await mark(Self.retry, [.id(event.id), .int(attempts), .time(next), .text(status), .text(reason)])
        } else {
            try await mark(Self.finish, [.id(event.id)])
        }
    }

    private struct HandlerFailure: Error {
        let handler: EventHandler
        let error: any Error
    }

    /// All handlers and the end of the event in one transaction, as nearly always goes well. When one of them fails nothing
    /// has happened, and the others are called one by one, so that their effects stand.
    /// - Throws: `HandlerFailure`, or what the commit throws.
    private func deliverWhole(
        _ event: Pending, _ handlers: [EventHandler],
        _ handle: @escaping @Sendable (EventHandler, any SQLSession) throws -> Void
    ) async throws -> Bool {
        try await database.write { session in
            for handler in handlers {
                do { try handle(handler, session) } catch let error as StorageError {
                    // The engine may want the transaction once more, and has to see its own error for that.
                    throw error
                } catch {
                    throw HandlerFailure(handler: handler, error: error)
                }
            }
            // Not found: upkeep moved it meanwhile, see `mark`. The receipts stand, and the next call finds it.
            return try session.execute(Self.finish, [.id(event.id)]) == 1
        }
    }

    /// Changes an event by its id. On PostgreSQL a transaction that began before upkeep moved the event into its month does
    /// not find it there (ADR 0013): the next one does. Not found then either, the event is gone.
    private func mark(_ sql: SQL, _ arguments: [SQLValue]) async throws {
        for _ in 0..<3 where try await database.write({ try $0.execute(sql, arguments) }) == 1 { return }
    }

    /// What kind of error it was, in words that hold no value of a record.
    private static func kind(of error: any Error) -> String {
        switch error {
        case let error as CRMError: error.code
        case let error as StorageError: error.description
        default: String(describing: type(of: error))
        }
    }

    /// After the clock was set back, events appended or tried before lie in its future. They are due now.
    package func pullBack() async throws {
        let now = clock.now()
        try await database.write { session in
            _ = try session.execute(
                Self.pullBack, [.time(now), .time(now.adding(seconds: Self.aheadSecondsMax))])
        }
    }

    /// Forgets delivered and dismissed events older than `days`. On PostgreSQL whole months of them are dropped a week after
    /// the month's end (`StorageLayouts`): the hourly call finds only what lies outside of the months, or what nobody dropped.
    /// - Parameter days: `nil` = 7 on SQLite, 45 on PostgreSQL, where every month has been dropped by then.
    package func expire(days: Int64? = nil) async throws {
        let before = clock.now().adding(days: -(days ?? (database.dialect == .sqlite ? 7 : 45)))
        // The id leads to the old months, so that the young ones are not read.
        let arguments: [SQLValue] = [.time(before), .int(GrowthMonth.firstID(at: before))]
        try await database.write { session in
            try session.execute(Self.expireReceipts, arguments)
            try session.execute(Self.expire, arguments)
        }
    }

    /// An event that stands aside because a handler failed with it again and again.
    package struct Parked: Sendable {
        package let id: EventID
        package let type: String
        /// Handler and kind of error.
        package let reason: String
        package let attempts: Int
        package let createdAt: Instant
    }

    /// Events that stand aside, the oldest first: later ones of the same record may depend on them.
    package static func parked(limit: Int, _ session: any SQLSession) throws -> [Parked] {
        try session.query(parkedEvents, [.int(limit)]) {
            Parked(
                id: $0.id(0), type: $0.text(1), reason: $0.text(2), attempts: $0.integer(3), createdAt: $0.time(4))
        }
    }

    /// Has a parked event delivered again. Returns `false` when there is no such one.
    package static func redeliver(_ id: EventID, now: Instant, _ session: any SQLSession) throws -> Bool {
        try session.execute(redeliver, [.id(id), .time(now)]) == 1
    }

    /// Lays a parked event aside for good: it is not delivered any more and forgotten with the delivered ones. Returns
    /// `false` when there is no such one.
    package static func dismiss(_ id: EventID, _ session: any SQLSession) throws -> Bool {
        try session.execute(dismiss, [.id(id)]) == 1
    }

    /// How many events stand aside.
    package static func parkedCount(_ session: any SQLSession) throws -> Int { try session.count(parkedCount) }

    /// When the event that waits the longest was due; `nil` = none waits. It may lie in the future.
    package static func oldestDue(_ session: any SQLSession) throws -> Instant? {
        try session.first(oldestDue) { $0.optionalTime(0) } ?? nil
    }

    /// How many events wait (`pending`) or stand aside (`parked`).
    package func backlog(_ status: String) async throws -> Int {
        try await database.read { try $0.count(Self.backlog, [.text(status)]) }
    }
}
