import Dispatch
import Storage
import Synchronization

/// Up to `connectionsMax` connections, opened when they are needed, handed to callers in the order in which they came.
final class PostgresPool: Sendable {
    private struct State {
        var idle: [PostgresConnection] = []
        var open = 0
        var waiting: [Waiter] = []
        var nextTicket: UInt64 = 0
        var isClosed = false
    }
    private struct Waiter {
        let ticket: UInt64
        let resume: CheckedContinuation<PostgresConnection?, any Error>
    }

    /// What a caller wants.
    private struct Wish: Sendable {
        let since: ContinuousClock.Instant
        let end: ContinuousClock.Instant
        let endsWithTask: Bool

        var milliseconds: Int {
            let left = end - .now
            return max(0, Int(left / .milliseconds(1)))
        }
    }

    static let exhausted = "no database connection became free in time"

    let settings: PostgresSettings
    let trips = RoundTrips()
    let vigil: PostgresVigil?
    private let state = Mutex(State())
    private let opener = DispatchQueue(label: "switchboard.postgres.open", attributes: .concurrent)

    init(_ settings: PostgresSettings) {
        self.settings = settings
        vigil = settings.minds ? PostgresVigil(settings) : nil
    }

    /// Runs `body` with a connection, on that connection's own thread.
    /// - Parameters:
    ///   - endsWithTask: whether a caller whose task is cancelled stops waiting for a connection.
    ///   - end: when the caller stops waiting for one; `nil` = `waitSeconds` from now.
    func withConnection<T: Sendable>(
        endsWithTask: Bool = false, until end: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (PostgresConnection) throws -> T
    ) async throws -> T {
        let wish = Wish(
            since: .now, end: end ?? .now + .seconds(settings.waitSeconds), endsWithTask: endsWithTask)
        let connection: PostgresConnection
        do { connection = try await take(wish) } catch var failure as PostgresFailure {
            failure.since = wish.since
            throw failure
        }
        let result: Result<T, any Error> = await withCheckedContinuation { continuation in
            connection.queue.async { continuation.resume(returning: Result { try body(connection) }) }
        }
        give(connection)
        return try result.get()
    }

    /// - Throws: `StorageError.busy` when no connection became free in time, `PostgresFailure` when the server does not answer.
    private func take(_ wish: Wish) async throws -> PostgresConnection {
        enum Next {
            case connection(PostgresConnection)
            case open, wait, closed
        }
        let next: Next = state.withLock { state in
            if state.isClosed { return .closed }
            if let connection = state.idle.popLast() { return .connection(connection) }
            if state.open < settings.connectionsMax {
                state.open += 1
                return .open
            }
            return .wait
        }
        switch next {
        case .closed: throw StorageError(.connection, "the database is closed")
        case .connection(let connection): return connection
        case .open: return try await open(wish)
        case .wait:
            if let connection = try await wait(wish) { return connection }
            return try await open(wish)
        }
    }

    /// A connection that was given back, or `nil`: one may be opened in place of one that was lost.
    private func wait(_ wish: Wish) async throws -> PostgresConnection? {
        let endsWithTask = wish.endsWithTask
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.waiting.append(Waiter(ticket: ticket, resume: continuation)) }
                opener.asyncAfter(deadline: .now() + .milliseconds(wish.milliseconds)) { [self] in
                    give(up: ticket, StorageError(.busy, Self.exhausted))
                }
                // The cancellation may have come before there was anybody to tell.
                if endsWithTask, Task.isCancelled { give(up: ticket, CancellationError()) }
            }
        } onCancel: {
            if endsWithTask { give(up: ticket, CancellationError()) }
        }
    }

    /// Ends somebody's waiting, when it has not ended yet.
    private func give(up ticket: UInt64, _ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiting.remove(at: index)
        }
        waiter?.resume.resume(throwing: error)
    }

    /// Takes no longer than its caller waits; libpq counts whole seconds, two at least, for each host.
    private func open(_ wish: Wish) async throws -> PostgresConnection {
        var settings = self.settings
        let seconds = (wish.milliseconds + 999) / 1_000 / settings.hostCount
        settings.connectSeconds = min(settings.connectSeconds, max(2, seconds))
        let (chosen, trips, vigil) = (settings, self.trips, self.vigil)
        let result: Result<PostgresConnection, any Error> = await withCheckedContinuation { continuation in
            opener.async {
                continuation.resume(
                    returning: Result { try PostgresConnection(chosen, trips: trips, vigil: vigil) })
            }
        }
        switch result {
        case .success(let connection): return connection
        case .failure(let error):
            lost()
            throw error
        }
    }

    private func give(_ connection: PostgresConnection) {
        guard connection.isUsable, !connection.isInTransaction else { return lost() }
        let waiter = state.withLock { state -> Waiter? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            if state.isClosed { state.open -= 1 } else { state.idle.append(connection) }
            return nil
        }
        waiter?.resume.resume(returning: connection)
    }

    /// A connection is gone: whoever waits longest may open another.
    private func lost() {
        let waiter = state.withLock { state -> Waiter? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.open -= 1
            return nil
        }
        waiter?.resume.resume(returning: nil)
    }

    /// Throws idle connections away: after one was lost, the others lead to the same dead server.
    func dropIdle() {
        let dropped = state.withLock { state in
            defer { state.open -= state.idle.count; state.idle = [] }
            return state.idle
        }
        _ = dropped
    }

    func close() {
        let (idle, waiting) = state.withLock { state in
            state.isClosed = true
            state.open -= state.idle.count
            defer { state.idle = []; state.waiting = [] }
            return (state.idle, state.waiting)
        }
        for waiter in waiting { waiter.resume.resume(throwing: StorageError(.connection, "the database is closed")) }
        // Closed on their threads, after what still runs there.
        for connection in idle { connection.queue.async { _ = connection } }
    }
}
