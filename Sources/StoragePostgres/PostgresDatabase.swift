import Dispatch
import Foundation
import Kernel
import Storage
import Synchronization

/// One tenant's PostgreSQL database.
package final class PostgresDatabase: BlockingDatabase {
    private let pool: PostgresPool
    private let replicas: PostgresReplicas?
    /// Connections of `blocking`, idle between its calls.
    private let apart = Mutex<[PostgresConnection]>([])
    package let settings: PostgresSettings
    private let turns = PostgresTurns()
    private let absence: PostgresAbsence
    /// A transaction that met another one is run again at least this often, with growing pauses, before its caller is told;
    /// and for as long as a caller waits for the database at all.
    private static let attemptsMax = 12

    /// Connects when it is first used.
    /// - Parameter replicas: standbys of the server, for reads that may lack the newest writes.
    package init(_ settings: PostgresSettings, replicas: [PostgresSettings] = []) {
        self.settings = settings
        pool = PostgresPool(settings)
        absence = PostgresAbsence(settings)
        self.replicas =
            replicas.isEmpty
            ? nil : PostgresReplicas(primary: settings, replicas.map { $0.database(named: settings.databaseName) })
    }

    package var dialect: Dialect { .postgres }
    /// Waits for an answer of the primary so far.
    package var roundTrips: Int { pool.trips.count }
    /// Statements sent to the primary so far.
    package var statements: Int { pool.trips.statements }
    /// Reads that a replica answered so far.
    package var replicaReads: Int { replicas?.reads ?? 0 }

    /// Whether this server says of itself that it follows another one.
    package var isStandby: Bool {
        get async throws { try await read { try $0.exists(Self.inRecovery) } }
    }
    static let inRecovery: SQL = "SELECT 1 WHERE pg_is_in_recovery()"

    /// What is known of one of the standbys.
    package enum StandbyNews: Sendable, Equatable {
        case answers
        case isAway(reason: String)
    }

    /// Calls `body` with the place (`HOST:PORT`) of a standby whenever one is found to be away, or to answer again, and the
    /// first time that either is known.
    package func listenToStandbys(_ body: @escaping @Sendable (_ place: String, _ news: StandbyNews) -> Void) {
        replicas?.listen { place, news in
            switch news {
            case .answers: body(place, .answers)
            case .isAway(let reason): body(place, .isAway(reason: reason))
            }
        }
    }

    /// Has the standbys asked how they are, when they were not just now: without it they are asked when somebody reads.
    package func lookAtStandbys() { replicas?.look() }

    /// How many standbys there are, and how many of them answered when they were last asked.
    package var standbys: (all: Int, answering: Int) { replicas?.counts ?? (0, 0) }

    /// What a transaction is for.
    private enum Purpose {
        case read, write, blocking
        var begin: String {
            switch self {
            case .read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .write: "BEGIN ISOLATION LEVEL SERIALIZABLE"
            case .blocking: "BEGIN ISOLATION LEVEL READ COMMITTED"
            }
        }
        var need: PostgresAbsence.Need { self == .read ? .read : .write }
    }

    /// A snapshot: REPEATABLE READ READ ONLY. A connection that broke is replaced and the read made again.
    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await endingWithTask { interruption in try await self.attempt(.read, interruption, body) }
    }

    /// From a replica that is known to be no further behind; from the primary when there is none, or when it cannot.
    package func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        guard case .within(let seconds) = freshness, let replicas, let replica = replicas.choose(within: seconds) else {
            return try await read(body)
        }
        return try await endingWithTask { interruption in
            do {
                let value = try await replica.pool.withConnection(endsWithTask: true) { connection in
                    try Self.transaction(
                        .read, .free, connection, replica.pool.settings, interruption, isReplica: true, body
                    ).0
                }
                replicas.served()
                return value
            } catch let failure as PostgresFailure where failure.state != "57014" {
                // Down, in conflict with what it replays, older than a migration: the primary knows better.
                if failure.isConnection { replicas.failed(replica) }
            } catch let error as StorageError where error.kind == .busy && error.detail == PostgresPool.exhausted {
            }
            return try await self.attempt(.read, interruption, body)
        }
    }

    /// A read whose statement is ended when the caller's task is cancelled.
    private func endingWithTask<T: Sendable>(_ read: (PostgresInterruption) async throws -> T) async throws -> T {
        try Task.checkCancellation()
        let interruption = PostgresInterruption()
        do {
            return try await withTaskCancellationHandler {
                try await read(interruption)
            } onCancel: {
                interruption.now()
            }
        } catch let failure as PostgresFailure {
            if interruption.isDue { throw CancellationError() }
            throw failure.storageError
        } catch let error as StorageError {
            if interruption.isDue { throw CancellationError() }
            throw error
        }
    }

    /// SERIALIZABLE: as on SQLite, where writers follow one another, a body that checks and then writes is right (ADR 0011).
    /// What met another transaction is run again; so is what lost its connection before its commit was sent.
    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await attempt(.write, nil, body)
    }

    private func attempt<T: Sendable>(
        _ purpose: Purpose, _ interruption: PostgresInterruption?,
        _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        var attempt = 0
        var outage = Outage(settings)
        // A commit that waits for its standby is in everybody's way for as long as that takes: seconds after a hand-over.
        let patience = ContinuousClock.now + .seconds(settings.waitSeconds)
        let need = purpose.need
        try absence.refuse(need)
        while true {
            attempt += 1
            let turn = purpose == .write ? turns.turn(attempt: attempt) : .free
            do {
                let (value, actions) = try await pool.withConnection(
                    endsWithTask: interruption != nil, until: outage.end
                ) { [settings] connection in
                    try Self.transaction(purpose, turn, connection, settings, interruption, body)
                }
                absence.worked(need)
                for action in actions { action() }
                return value
            } catch is PostgresTurns.Missing {
                turns.noteMissing()
            } catch let failure as PostgresFailure
                where failure.isRetryable && (attempt < Self.attemptsMax || ContinuousClock.now < patience)
            {
                let ceiling = min(200, 2 << min(attempt, 8))
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...ceiling)))
            } catch let failure as PostgresFailure where purpose == .read && failure.isReadOnly {
                // Ours to forbid, not a server that handed over.
                throw StorageError(.statement, failure.detail)
            } catch let failure as PostgresFailure where failure.isConnection {
                // Nothing was committed: the commit has an error of its own.
                absence.failed(need, failure, since: failure.since ?? .now)
                guard let pause = outage.next(failure.since) else { throw failure.storageError }
                pool.dropIdle()
                try await Task.sleep(for: pause)
            } catch let failure as PostgresFailure {
                throw failure.storageError
            }
        }
    }

    private static func transaction<T>(
        _ purpose: Purpose, _ turn: PostgresTurns.Turn, _ connection: PostgresConnection,
        _ settings: PostgresSettings, _ interruption: PostgresInterruption? = nil, isReplica: Bool = false,
        _ body: (any SQLSession) throws -> T
    ) throws -> (T, [@Sendable () -> Void]) {
        func deadline() -> DispatchTime { .now() + .seconds(settings.answerSeconds) }
        let session = PostgresSession(connection, settings, interruption)
        let value: T
        do {
            value = try covering(connection, interruption) {
                // A read's BEGIN goes with its first statement.
                if purpose == .read {
                    try connection.askCommand(purpose.begin)
                } else {
                    try PostgresTurns.begin(purpose.begin, turn, connection, until: deadline())
                }
                let value = try session.whole(body)
                try connection.leavePipeline(until: deadline())
                if let fatal = session.fatal, fatal.isConnection { throw fatal }
                // A body that swallowed a failure would be told OK while the server makes ROLLBACK of its COMMIT.
                if connection.isFailed {
                    throw StorageError(.statement, "a statement failed and the transaction went on")
                }
                return value
            }
        } catch {
            rollBack(connection, until: deadline())
            throw (isReplica ? session.failure : session.fatal) ?? error
        }
        try commit(purpose, connection, until: deadline())
        return (value, session.commitActions)
    }

    private static func covering<T>(
        _ connection: PostgresConnection, _ interruption: PostgresInterruption?, _ body: () throws -> T
    ) throws -> T {
        guard let interruption else { return try body() }
        return try interruption.covering(connection, body)
    }

    private static func rollBack(_ connection: PostgresConnection, until deadline: DispatchTime) {
        do {
            try connection.leavePipeline(until: deadline)
            guard connection.isUsable, connection.isInTransaction else { return }
            try connection.simple("ROLLBACK", until: deadline)
        } catch {
            // A cancel may have met this very statement; otherwise the connection is thrown away.
            guard connection.isUsable, connection.isInTransaction else { return }
            _ = try? connection.simple("ROLLBACK", until: deadline)
        }
    }

    private static func commit(_ purpose: Purpose, _ connection: PostgresConnection, until deadline: DispatchTime)
        throws
    {
        _ = connection.takeReplicationWarning()
        do {
            try connection.simple("COMMIT", until: deadline)
        } catch let failure as PostgresFailure where failure.isConnection && purpose != .read {
            throw StorageError(.outcomeUnknown, failure.detail)
        } catch {
            if connection.isUsable, connection.isInTransaction {
                _ = try? connection.simple("ROLLBACK", until: deadline)
            }
            throw error
        }
        if connection.takeReplicationWarning() {
            throw StorageError(.outcomeUnknown, "the standby did not confirm the commit")
        }
    }

    /// How long a caller waits for a server that restarts or hands over: tried again at once, then with growing pauses, until
    /// `waitSeconds` have passed since it was first waited for.
    private struct Outage {
        private let seconds: Int
        private(set) var end: ContinuousClock.Instant?
        private var tries = 0
        init(_ settings: PostgresSettings) { seconds = settings.waitSeconds }

        /// `nil` when it has lasted too long.
        /// - Parameter since: from when on the server has not answered; `nil` = from now on.
        mutating func next(_ since: ContinuousClock.Instant?) -> Duration? {
            let now = ContinuousClock.now
            let end = self.end ?? (since ?? now) + .seconds(seconds)
            self.end = end
            guard now < end else { return nil }
            defer { tries += 1 }
            return tries == 0 ? .zero : .milliseconds(min(500, 20 << min(tries, 8)) + Int.random(in: 0..<20))
        }
    }

    package func blocking<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        var attempt = 0
        var outage = Outage(settings)
        try absence.refuse(.write)
        while true {
            attempt += 1
            do {
                let connection =
                    try apart.withLock { $0.popLast() } ?? PostgresConnection(settings, vigil: pool.vigil)
                defer {
                    if connection.isUsable, !connection.isInTransaction { apart.withLock { $0.append(connection) } }
                }
                let (value, actions) = try Self.transaction(.blocking, .free, connection, settings, nil, body)
                absence.worked(.write)
                for action in actions { action() }
                return value
            } catch let failure as PostgresFailure where failure.isRetryable && attempt < Self.attemptsMax {
                Thread.sleep(forTimeInterval: Double.random(in: 0.001...0.05))
            } catch let failure as PostgresFailure where failure.isConnection {
                absence.failed(.write, failure, since: failure.since ?? .now)
                guard let pause = outage.next(failure.since) else { throw failure.storageError }
                apart.withLock { $0.removeAll() }
                Thread.sleep(forTimeInterval: pause / .seconds(1))
            } catch let failure as PostgresFailure {
                throw failure.storageError
            }
        }
    }

    package func close() async throws {
        absence.close()
        pool.close()
        replicas?.close()
        apart.withLock { $0.removeAll() }
    }
}
