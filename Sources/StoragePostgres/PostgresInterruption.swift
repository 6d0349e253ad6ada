import CLibPQ
import Dispatch
import Synchronization

extension PostgresConnection {
    /// Asks the server to end the statement that runs on this connection. May be called on any thread that may block.
    func cancel() {
        guard let request = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(request) }
        var words = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &words, Int32(words.count))
    }
}

/// Ends the statement of a read whose caller has gone. Only reads have one: of a write nobody would know whether the cancel
/// met its body or its commit (security.md, decision 2).
final class PostgresInterruption: Sendable {
    private struct State {
        /// Held only while the body of the read runs on it.
        var connection: PostgresConnection?
        var isDue = false
        /// A request is on its way to the server.
        var isSending = false
        var tries = 0
    }
    private let state = Mutex(State())
    /// Left by each request that has come back.
    private let sending = DispatchGroup()
    private static let senders = DispatchQueue(label: "switchboard.postgres.cancel", attributes: .concurrent)
    /// A request that came between two statements did nothing: it is sent again, so often at most.
    private static let triesMax = 40

    var isDue: Bool { state.withLock { $0.isDue } }

    /// Runs `body` on the connection's own thread; while it runs, `now` reaches it. Once this has returned no request is on
    /// its way any more, so that none can meet what the connection does next.
    func covering<T>(_ connection: PostgresConnection, _ body: () throws -> T) throws -> T {
        let isDue = state.withLock { state in
            if !state.isDue { state.connection = connection }
            return state.isDue
        }
        if isDue { throw CancellationError() }
        defer {
            let isSending = state.withLock { state in
                state.connection = nil
                return state.isSending
            }
            if isSending, sending.wait(timeout: .now() + .seconds(5)) == .timedOut { connection.spoil() }
        }
        return try body()
    }

    /// The caller has gone.
    func now() {
        state.withLock { $0.isDue = true }
        again()
    }

    private func again() {
        let connection = state.withLock { state -> PostgresConnection? in
            guard let connection = state.connection, !state.isSending, state.tries < Self.triesMax else { return nil }
            state.isSending = true
            state.tries += 1
            sending.enter()
            return connection
        }
        guard let connection else { return }
        Self.senders.async { [self] in
            connection.cancel()
            state.withLock { $0.isSending = false }
            sending.leave()
            Self.senders.asyncAfter(deadline: .now() + .milliseconds(100)) { [self] in again() }
        }
    }
}
