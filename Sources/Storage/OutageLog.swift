import Kernel
import Logging
import Synchronization

/// Says of an error that the database could not be reached at all.
package protocol DatabaseAbsent: Error {}

/// What the log says of a database that is away. The background asks it several times a second: one line tells that it is
/// gone, one a minute that it still is, one that it is back. Other errors are logged each.
package final class OutageLog: Sendable {
    private struct State {
        var since: ContinuousClock.Instant?
        var lastLine: ContinuousClock.Instant?
        /// Whether the log says that it is gone.
        var isTold = false
        /// Errors since the last line.
        var leftOut = 0
    }

    private enum Line { case gone, still(seconds: Int64, leftOut: Int), none }

    private let state = Mutex(State())
    private let logger: Logger
    private let tenant: String
    private let now: @Sendable () -> ContinuousClock.Instant
    /// Between two lines about the same absence.
    static let pause = Duration.seconds(60)

    /// - Parameter now: for tests.
    package init(
        tenant: String, logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.tenant = tenant
        self.logger = logger
        self.now = now
    }

    /// Whether an error says that the database is away.
    package static func isAbsence(_ error: any Error) -> Bool {
        if let error = error as? StorageError { return [.connection, .outcomeUnknown].contains(error.kind) }
        return error is any DatabaseAbsent
    }

    /// Logs what went wrong, unless it is one more sign of what the log says already.
    /// - Parameter event: the name of the line for errors that are not of an absence.
    package func failed(_ event: String, _ error: any Error, level: Logger.Level = .error) {
        guard Self.isAbsence(error) else {
            return logger.log(
                level: level, "\(event)", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
        }
        let now = now()
        let line: Line = state.withLock { state in
            let since = state.since ?? now
            state.since = since
            // One that comes and goes has a pair of lines a minute.
            if let last = state.lastLine, now - last < Self.pause {
                state.leftOut += 1
                return .none
            }
            defer { (state.lastLine, state.leftOut) = (now, 0) }
            guard state.isTold else {
                state.isTold = true
                return .gone
            }
            return .still(seconds: (now - since).components.seconds, leftOut: state.leftOut)
        }
        switch line {
        case .none: break
        case .gone:
            logger.error("database.away", metadata: ["tenant": "\(tenant)", "at": "\(event)", "error": "\(error)"])
        case .still(let seconds, let leftOut):
            logger.error(
                "database.still_away",
                metadata: [
                    "tenant": "\(tenant)", "seconds": "\(seconds)", "left_out": "\(leftOut)", "error": "\(error)",
                ])
        }
    }

    /// Something was written to the database.
    package func worked() {
        let told: (seconds: Int64, leftOut: Int)? = state.withLock { state in
            guard let since = state.since else { return nil }
            defer { (state.since, state.isTold, state.leftOut) = (nil, false, 0) }
            return state.isTold ? ((now() - since).components.seconds, state.leftOut) : nil
        }
        guard let told else { return }
        // As loud as what it answers: who sees one line sees both.
        logger.warning(
            "database.back",
            metadata: ["tenant": "\(tenant)", "seconds": "\(told.seconds)", "left_out": "\(told.leftOut)"])
    }
}
