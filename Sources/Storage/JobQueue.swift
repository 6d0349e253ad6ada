import Foundation
import Kernel

/// A job as people see it.
package struct Job: Sendable {
    package enum Status: String, Sendable, CaseIterable {
        case queued, running, succeeded, failed, cancelled
        /// It failed, and somebody laid it aside for good.
        case dismissed
    }
    package let id: JobID
    package let kind: String
    package let payload: String
    package let status: Status
    /// Work units done, 0...total; total 0 = not known yet.
    package let done: Int64
    package let total: Int64
    package let message: Words
    /// JSON, set when it succeeded.
    package let result: String?
    /// Which try this is, from 1; 0 before the first. Only accidents make another try necessary, restarts do not.
    package let attempts: Int
    /// How often it was begun; a stop in good order does not count.
    package let starts: Int
    package let cancelRequested: Bool
    package let createdBy: String
    package let createdAt: Instant
    package let startedAt: Instant?
    package let finishedAt: Instant?

    package var isFinished: Bool { status != .queued && status != .running }
}

/// Thrown inside a job when somebody asked for it to be cancelled.
package struct JobCancelled: Error, Sendable {
    package init() {}
}

/// The persistent queue of one tenant: claim by lease, attempts with backoff, progress, cancel.
package struct JobQueue: Sendable {
    private let database: any Database
    private let ids: IDGenerator
    private let clock: any WallClock
    private let wake: WakeSignal
    /// A worker that does not renew within this time is taken for dead and its job is run again.
    package static let leaseSeconds: Int64 = 30
    /// A job that was begun so often and never came to an end takes its worker down with it: it is given up.
    package static let startsMax = 20

    package init(database: any Database, ids: IDGenerator, clock: any WallClock, wake: WakeSignal) {
        self.database = database
        self.ids = ids
        self.clock = clock
        self.wake = wake
    }

    static let insert: SQL = """
        INSERT INTO storage_job (id, kind, payload, status, done, total, message_en, message_zh, attempts, attempts_max,
          run_at, lease_until, cancel_requested, created_by, created_at)
        VALUES ($1, $2, $3, 'queued', 0, 0, '', '', 0, $4, $5, 0, $6, $7, $8)
        """
    static let columns: SQL = """
        id, kind, payload, status, done, total, message_en, message_zh, result, attempts, cancel_requested,
        created_by, created_at, started_at, finished_at, failures
        """
    static let byID: SQL = "SELECT \(columns) FROM storage_job WHERE id = $1"
    static let recent: SQL = "SELECT \(columns) FROM storage_job WHERE id < $1"
    static let recentFailed: SQL = """
        SELECT \(columns) FROM storage_job WHERE status = 'failed' AND id < $1 ORDER BY id DESC LIMIT $2
        """
    static let recentOfKind: SQL = """
        SELECT \(columns) FROM storage_job WHERE kind = $1 AND id < $2 ORDER BY id DESC LIMIT $3
        """
    static let claimSQLite: SQL = """
        UPDATE storage_job SET status = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = $2,
          started_at = COALESCE(started_at, $3)
        WHERE id = (SELECT id FROM storage_job WHERE (status = 'queued' OR (status = 'running' AND lease_until < $3))
          AND run_at <= $3 ORDER BY run_at, id LIMIT 1)
        RETURNING \(columns)
        """
    static let claimPostgres: SQL = """
        UPDATE storage_job SET status = 'running', attempts = attempts + 1, lease_owner = $1, lease_until = $2,
          started_at = COALESCE(started_at, $3)
        WHERE id = (SELECT id FROM storage_job WHERE (status = 'queued' OR (status = 'running' AND lease_until < $3))
          AND run_at <= $3 ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING \(columns)
        """
    static let renew: SQL = """
        UPDATE storage_job SET lease_until = $3 WHERE id = $1 AND lease_owner = $2 AND status = 'running'
        RETURNING cancel_requested
        """
    static let progress: SQL = """
        UPDATE storage_job SET done = $3, total = $4, message_en = $5, message_zh = $6, lease_until = $7
        WHERE id = $1 AND lease_owner = $2 AND status = 'running' RETURNING cancel_requested
        """
    static let finish: SQL = """
        UPDATE storage_job SET status = $3, result = $4, message_en = $5, message_zh = $6, finished_at = $7
        WHERE id = $1 AND lease_owner = $2 AND status = 'running'
        """
    static let again: SQL = """
        UPDATE storage_job SET status = 'queued', run_at = $3, message_en = $4, message_zh = $5, lease_owner = NULL,
          failures = failures + 1
        WHERE id = $1 AND lease_owner = $2 AND status = 'running'
        """
    static let giveBack: SQL = """
        UPDATE storage_job SET status = 'queued', lease_owner = NULL, lease_until = 0, attempts = attempts - 1
        WHERE id = $1 AND lease_owner = $2 AND status = 'running'
        """
    static let restart: SQL = """
        UPDATE storage_job SET status = 'queued', run_at = $2, lease_owner = NULL, lease_until = 0, attempts = 0,
          failures = 0, done = 0, total = 0, cancel_requested = $3, started_at = NULL, finished_at = NULL, result = NULL
        WHERE id = $1 AND status = 'failed'
        """
    static let dismiss: SQL = "UPDATE storage_job SET status = 'dismissed' WHERE id = $1 AND status = 'failed'"
    static let failedCount: SQL = "SELECT COUNT(*) FROM storage_job WHERE status = 'failed'"
    static let oldestDue: SQL = "SELECT MIN(run_at) FROM storage_job WHERE status = 'queued'"
    static let requestCancel: SQL = """
        UPDATE storage_job SET cancel_requested = $2,
          status = CASE WHEN status = 'queued' THEN 'cancelled' ELSE status END,
          finished_at = CASE WHEN status = 'queued' THEN $3 ELSE finished_at END
        WHERE id = $1 AND status IN ('queued', 'running')
        """
    static let failures: SQL = "SELECT failures, attempts_max FROM storage_job WHERE id = $1"
    static let purge: SQL = """
        DELETE FROM storage_job WHERE status IN ('succeeded', 'failed', 'cancelled', 'dismissed') AND finished_at < $1
        """
    static let purgeRoutine: SQL = """
        DELETE FROM storage_job WHERE status = 'succeeded' AND created_by = 'schedule' AND finished_at < $1
        """
    static let scheduleDue: SQL = """
        INSERT INTO storage_schedule (name, next_run_at) VALUES ($1, $3)
        ON CONFLICT (name) DO UPDATE SET next_run_at = $3
        WHERE storage_schedule.next_run_at <= $2 OR storage_schedule.next_run_at > $4
        """
    static let pullBackLeases: SQL = """
        UPDATE storage_job SET lease_until = $1, run_at = CASE WHEN run_at > $2 THEN $2 ELSE run_at END
        WHERE status = 'running' AND lease_until > $3
        """
    static let pullBackDue: SQL = """
        UPDATE storage_job SET run_at = $1
        WHERE status = 'queued' AND run_at > $2 AND (created_at > $2 OR failures > 0)
        """
    /// Clocks of processes may differ by this much, or somebody corrects one; what lies further ahead than its own time and
    /// this was written before the clock was set back.
    static let aheadSecondsMax: Int64 = 3_600
    static let countByStatus: SQL = "SELECT status, COUNT(*) FROM storage_job GROUP BY status"

    /// Puts a job into the queue, in the caller's transaction.
    /// - Parameter payload: JSON that the handler of `kind` understands; no personal values.
    @discardableResult
    package func enqueue(
        _ kind: String, payload: String, by: String, attemptsMax: Int = 3, runAt: Instant? = nil,
        _ session: any SQLSession
    ) throws -> JobID {
        let id: JobID = ids.next()
        let now = clock.now()
        try session.execute(
            Self.insert,
            [
                .id(id), .text(kind), .text(payload), .int(attemptsMax), .time(runAt ?? now), .bool(false), .text(by),
                .time(now),
            ])
        let wake = self.wake
        session.afterCommit { wake.signal() }
        return id
    }

    package func job(_ id: JobID, _ session: any SQLSession) throws -> Job? {
        try session.first(Self.byID, [.id(id)], Self.job)
    }

    /// The newest first; `before` continues a list.
    /// - Parameter hiding: names in `createdBy` whose jobs are left out when they succeeded: routine upkeep.
    package func recent(
        kind: String? = nil, before: JobID? = nil, limit: Int = 50, hiding: [String] = [], _ session: any SQLSession
    ) throws -> [Job] {
        let top = SQLValue.int(before?.rawValue ?? Int64.max)
        if let kind { return try session.query(Self.recentOfKind, [.text(kind), top, .int(limit)], Self.job) }
        var query = SQLBuilder(Self.recent, [top])
        if !hiding.isEmpty {
            query.appendIn("AND NOT (status = 'succeeded' AND created_by", hiding.map { .text($0) })
            query.append(")")
        }
        query.append("ORDER BY id DESC LIMIT ?", .int(limit))
        return try session.query(query, Self.job)
    }

    /// Jobs that failed for good, the newest first.
    package func failed(before: JobID? = nil, limit: Int = 50, _ session: any SQLSession) throws -> [Job] {
        try session.query(Self.recentFailed, [.int(before?.rawValue ?? Int64.max), .int(limit)], Self.job)
    }

    /// Puts a job that failed for good back into the queue, as if it were new. Returns `false` when there is no such one.
    package func restart(_ id: JobID, _ session: any SQLSession) throws -> Bool {
        guard try session.execute(Self.restart, [.id(id), .time(clock.now()), .bool(false)]) == 1 else { return false }
        let wake = self.wake
        session.afterCommit { wake.signal() }
        return true
    }

    /// Lays a job that failed aside for good: it stays in the list, but is no fault any more. Returns `false` when there is
    /// no such one.
    package func dismiss(_ id: JobID, _ session: any SQLSession) throws -> Bool {
        try session.execute(Self.dismiss, [.id(id)]) == 1
    }

    /// How many jobs failed for good and were not laid aside.
    package func failedCount(_ session: any SQLSession) throws -> Int { try session.count(Self.failedCount) }

    /// When the job that waits the longest was due; `nil` = none waits. It may lie in the future.
    package func oldestDue(_ session: any SQLSession) throws -> Instant? {
        try session.first(Self.oldestDue) { $0.optionalTime(0) } ?? nil
    }

    /// Forgets jobs that ended more than `days` ago, and routine upkeep that went well after two.
    package func purge(days: Int64 = 90) async throws {
        let now = clock.now()
        try await database.write { session in
            try session.execute(Self.purge, [.time(now.adding(days: -days))])
            try session.execute(Self.purgeRoutine, [.time(now.adding(days: -2))])
        }
    }

    /// Asks a job to stop: a queued one is cancelled at once, a running one at its next progress report.
    package func cancel(_ id: JobID, _ session: any SQLSession) throws {
        try session.execute(Self.requestCancel, [.id(id), .bool(true), .time(clock.now())])
    }

    /// Queues `kind` once per period however many processes ask. A schedule that was moved on by a clock that has been set
    /// back since does not stand still until that time comes again. Returns whether this call did it.
    package func runSchedule(_ name: String, kind: String, everySeconds: Int64) async throws -> Bool {
        let now = clock.now()
        let next = now.adding(seconds: everySeconds)
        return try await database.write { session in
            let due = try session.execute(
                Self.scheduleDue,
                [.text(name), .time(now), .time(next), .time(next.adding(seconds: Self.aheadSecondsMax))])
            guard due > 0 else { return false }
            try enqueue(kind, payload: "{}", by: "schedule", session)
            return true
        }
    }

    /// After the clock was set back, leases taken and jobs queued before lie in its future. A lease ends as if it had been
    /// taken now: its worker, if it lives, renews it within that time. Jobs made then, or that wait after a failure, are due.
    package func pullBack() async throws {
        let now = clock.now()
        let (lease, tooLong) = (now.adding(seconds: Self.leaseSeconds), now.adding(seconds: 10 * Self.leaseSeconds))
        try await database.write { session in
            try session.execute(Self.pullBackLeases, [.time(lease), .time(now), .time(tooLong)])
            try session.execute(
                Self.pullBackDue, [.time(now), .time(now.adding(seconds: Self.aheadSecondsMax))])
        }
    }

    package func counts() async throws -> [String: Int] {
        let rows = try await database.read { try $0.query(Self.countByStatus) { ($0.text(0), $0.integer(1)) } }
        return Dictionary(rows, uniquingKeysWith: +)
    }

    // MARK: For workers

    func claim(owner: String) async throws -> Job? {
        let now = clock.now()
        return try await database.write { session in
            let sql = session.dialect.sql(sqlite: Self.claimSQLite, postgres: Self.claimPostgres)
            return try session.first(
                sql, [.text(owner), .time(now.adding(seconds: Self.leaseSeconds)), .time(now)], Self.job)
        }
    }

    /// `nil` when the lease was lost; else whether a cancel was asked for.
    func renew(_ id: JobID, owner: String) async throws -> Bool? {
        let until = clock.now().adding(seconds: Self.leaseSeconds)
        return try await database.write { session in
            try session.first(Self.renew, [.id(id), .text(owner), .time(until)]) { $0.bool(0) }
        }
    }

    func report(_ id: JobID, owner: String, done: Int64, total: Int64, message: Words) async throws -> Bool? {
        let until = clock.now().adding(seconds: Self.leaseSeconds)
        return try await database.write { session in
            try session.first(
                Self.progress,
                [.id(id), .text(owner), .int(done), .int(total), .text(message.en), .text(message.zh), .time(until)]
            ) { $0.bool(0) }
        }
    }

    func finish(_ id: JobID, owner: String, status: Job.Status, result: String?, message: Words) async throws {
        let now = clock.now()
        try await database.write { session in
            _ = try session.execute(
                Self.finish,
                [
                    .id(id), .text(owner), .text(status.rawValue), .text(result), .text(message.en),
                    .text(message.zh), .time(now),
                ])
        }
    }

    /// Puts a failed job back, or fails it for good when it failed as often as it may.
    func fail(_ job: Job, owner: String, message: Words) async throws {
        let now = clock.now()
        let words: [SQLValue] = [.text(message.en), .text(message.zh)]
        try await database.write { session in
            let before = try session.first(Self.failures, [.id(job.id)]) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
            let key: [SQLValue] = [.id(job.id), .text(owner)]
            if before.0 + 1 >= before.1 {
                try session.execute(
                    Self.finish, key + [.text(Job.Status.failed.rawValue), .null] + words + [.time(now)])
            } else {
                let next = now.adding(milliseconds: Int64.random(in: 500...2_000) << min(before.0 + 1, 8))
                try session.execute(Self.again, key + [.time(next)] + words)
            }
        }
    }

    /// Puts a job back that was interrupted because the process stops: the next worker takes it at once.
    func giveBack(_ id: JobID, owner: String) async throws {
        let wake = self.wake
        try await database.write { session in
            if try session.execute(Self.giveBack, [.id(id), .text(owner)]) > 0 {
                session.afterCommit { wake.signal() }
            }
        }
    }

    private static func job(_ row: Row) throws -> Job {
        Job(
            id: row.id(0), kind: row.text(1), payload: row.text(2),
            status: Job.Status(rawValue: row.text(3)) ?? .failed,
            done: row.int(4), total: row.int(5), message: Words(en: row.text(6), zh: row.text(7)),
            result: row.optionalText(8), attempts: row.int(9) == 0 ? 0 : row.integer(15) + 1, starts: row.integer(9),
            cancelRequested: row.bool(10),
            createdBy: row.text(11), createdAt: row.time(12), startedAt: row.optionalTime(13),
            finishedAt: row.optionalTime(14))
    }
}
