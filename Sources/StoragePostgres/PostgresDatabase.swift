import Dispatch
import Foundation
import Kernel
import Storage
import Synchronization

/// One tenant's PostgreSQL database.
package final class PostgresDatabase: BlockingDatabase {
    private let pool: PostgresPool
    /// Connections of `blocking`, idle between its calls.
    private let apart = Mutex<[PostgresConnection]>([])
    package let settings: PostgresSettings
    /// A transaction that met another one is run again at least this often, with growing pauses, before its caller is told;
    /// and for as long as a caller waits for the database at all.
    private static let attemptsMax = 12

    /// Connects when it is first used.
    package init(_ settings: PostgresSettings) {
        self.settings = settings
        pool = PostgresPool(settings)
    }

    package var dialect: Dialect { .postgres }

    /// A snapshot: REPEATABLE READ READ ONLY. A connection that broke is replaced and the read made again.
    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await attempt(begin: Self.reading, body)
    }

    /// SERIALIZABLE: as on SQLite, where writers follow one another, a body that checks and then writes is right (ADR 0011).
    /// What met another transaction is run again; so is what lost its connection before its commit was sent.
    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await attempt(begin: "BEGIN ISOLATION LEVEL SERIALIZABLE", body)
    }

    private static let reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    private func attempt<T: Sendable>(
        begin: String, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        var attempt = 0
        var outage = Outage(settings)
        // A commit that waits for its standby is in everybody's way for as long as that takes: seconds after a hand-over.
        let patience = ContinuousClock.now + .seconds(settings.waitSeconds)
        while true {
            attempt += 1
            do {
                let (value, actions) = try await pool.withConnection { [settings] connection in
                    try Self.transaction(begin, connection, settings, body)
                }
                for action in actions { action() }
                return value
            } catch let failure as PostgresFailure
                where failure.isRetryable && (attempt < Self.attemptsMax || ContinuousClock.now < patience)
            {
                let ceiling = min(200, 2 << min(attempt, 8))
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...ceiling)))
            } catch let failure as PostgresFailure where begin == Self.reading && failure.isReadOnly {
                // Ours to forbid, not a server that handed over.
                throw StorageError(.statement, failure.detail)
            } catch let failure as PostgresFailure where failure.isConnection {
                // Nothing was committed: the commit has an error of its own.
                guard let pause = outage.next() else { throw failure.storageError }
                pool.dropIdle()
                try await Task.sleep(for: pause)
            } catch let failure as PostgresFailure {
                throw failure.storageError
            }
        }
    }

    private static func transaction<T>(
        _ begin: String, _ connection: PostgresConnection, _ settings: PostgresSettings,
        _ body: (any SQLSession) throws -> T
    ) throws -> (T, [@Sendable () -> Void]) {
        func deadline() -> DispatchTime { .now() + .seconds(settings.answerSeconds) }
        let session = PostgresSession(connection, answerSeconds: settings.answerSeconds)
        try connection.simple(begin, until: deadline())
        let value: T
        do {
            value = try body(session)
            // A body that swallowed a failure would be told OK while the server makes ROLLBACK of its COMMIT.
            if connection.isFailed { throw StorageError(.statement, "a statement failed and the transaction went on") }
        } catch {
            if connection.isUsable { _ = try? connection.simple("ROLLBACK", until: deadline()) }
            throw session.fatal ?? error
        }
        _ = connection.takeReplicationWarning()
        do {
            try connection.simple("COMMIT", until: deadline())
        } catch let failure as PostgresFailure where failure.isConnection {
            throw StorageError(.outcomeUnknown, failure.detail)
        } catch {
            if connection.isUsable, connection.isInTransaction {
                _ = try? connection.simple("ROLLBACK", until: deadline())
            }
            throw error
        }
        if connection.takeReplicationWarning() {
            throw StorageError(.outcomeUnknown, "the standby did not confirm the commit")
        }
        return (value, session.commitActions)
    }

    /// How long a caller waits for a server that restarts or hands over: tried again at once, then with growing pauses, until
    /// `waitSeconds` have passed since the first failure.
    private struct Outage {
        private let seconds: Int
        private var end: ContinuousClock.Instant?
        private var tries = 0
        init(_ settings: PostgresSettings) { seconds = settings.waitSeconds }

        /// `nil` when it has lasted too long.
        mutating func next() -> Duration? {
            let now = ContinuousClock.now
            let end = self.end ?? now + .seconds(seconds)
            self.end = end
            guard now < end else { return nil }
            defer { tries += 1 }
            return tries == 0 ? .zero : .milliseconds(min(500, 20 << min(tries, 8)) + Int.random(in: 0..<20))
        }
    }

    package func blocking<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        var attempt = 0
        var outage = Outage(settings)
        while true {
            attempt += 1
            do {
                let connection = try apart.withLock { $0.popLast() } ?? PostgresConnection(settings)
                defer {
                    if connection.isUsable, !connection.isInTransaction { apart.withLock { $0.append(connection) } }
                }
                let (value, actions) = try Self.transaction(
                    "BEGIN ISOLATION LEVEL READ COMMITTED", connection, settings, body)
                for action in actions { action() }
                return value
            } catch let failure as PostgresFailure where failure.isRetryable && attempt < Self.attemptsMax {
                Thread.sleep(forTimeInterval: Double.random(in: 0.001...0.05))
            } catch let failure as PostgresFailure where failure.isConnection {
                guard let pause = outage.next() else { throw failure.storageError }
                apart.withLock { $0.removeAll() }
                Thread.sleep(forTimeInterval: pause / .seconds(1))
            } catch let failure as PostgresFailure {
                throw failure.storageError
            }
        }
    }

    package func close() async throws {
        pool.close()
        apart.withLock { $0.removeAll() }
    }
}
