import Kernel
import Storage

/// One pass over the base (insights_scoring_run).
struct ScoringPass: Sendable {
    let id: ID<AnyKind>
    let model: ModelID
    let isDone: Bool
    let startedAt: Instant
    let finishedAt: Instant?
    let after: CustomerID?
    let scored: Int
    /// Customers who have left: their status says more than a score.
    let skipped: Int
    let histogram: [Int]
    let drift: Double?
}

/// insights_scoring_run.
enum ScoringRunStore {
    static let insert: SQL = """
        INSERT INTO insights_scoring_run (id, job_id, model_id, state, started_at, after_id, scored, skipped)
        VALUES ($1, $2, $3, 'running', $4, 0, 0, 0)
        """
    static let advance: SQL = """
        UPDATE insights_scoring_run SET after_id = $2, scored = scored + $3, skipped = skipped + $4
        WHERE id = $1 AND state = 'running'
        """
    static let supersede: SQL = "UPDATE insights_scoring_run SET state = 'superseded' WHERE state = 'running'"
    static let lastStart: SQL = "SELECT MAX(started_at) FROM insights_scoring_run"
    static let anyDone: SQL = "SELECT 1 FROM insights_scoring_run WHERE state = 'done' LIMIT 1"
    static let running: SQL = "SELECT 1 FROM insights_scoring_run WHERE id = $1 AND state = 'running'"
    static let superseded: SQL = """
        SELECT 1 FROM insights_scoring_run WHERE job_id = $1 AND state = 'superseded' LIMIT 1
        """
    static let finish: SQL = """
        UPDATE insights_scoring_run SET state = 'done', finished_at = $2, histogram = $3, drift = $4 WHERE id = $1
        """
    static let stop: SQL = "UPDATE insights_scoring_run SET state = 'stopped' WHERE id = $1 AND state = 'running'"
    static let select: SQL = """
        SELECT id, model_id, state, started_at, finished_at, after_id, scored, skipped, histogram, drift
        FROM insights_scoring_run
        """

    static func begin(
        id: ID<AnyKind>, job: JobID?, model: ModelID, at: Instant, _ session: any SQLSession
    ) throws {
        try session.execute(insert, [.id(id), .id(job), .id(model), .time(at)])
    }

    /// The pass a job left unfinished with the same model.
    static func unfinished(job: JobID, model: ModelID, _ session: any SQLSession) throws -> ScoringPass? {
        var builder = SQLBuilder(select)
        builder.append(
            "WHERE model_id = ? AND job_id = ? AND state = 'running' ORDER BY id DESC LIMIT 1", .id(model), .id(job))
        return try session.first(builder.sql, builder.arguments, pass)
    }

    /// - Returns: false when the pass is not running any more.
    static func advance(
        _ id: ID<AnyKind>, after: CustomerID, scored: Int, skipped: Int, _ session: any SQLSession
    ) throws -> Bool {
        try session.execute(advance, [.id(id), .id(after), .int(scored), .int(skipped)]) > 0
    }

    /// Ends whatever pass is running: a newer one begins.
    static func supersede(_ session: any SQLSession) throws { try session.execute(supersede) }

    static func isRunning(_ id: ID<AnyKind>, _ session: any SQLSession) throws -> Bool {
        try session.first(running, [.id(id)]) { _ in true } ?? false
    }

    /// Whether a newer pass took over from the one of this job.
    static func isSuperseded(job: JobID, _ session: any SQLSession) throws -> Bool {
        try session.first(superseded, [.id(job)]) { _ in true } ?? false
    }

    static func anyDone(_ session: any SQLSession) throws -> Bool { try session.first(anyDone) { _ in true } ?? false }

    static func lastStart(_ session: any SQLSession) throws -> Instant? {
        try session.first(lastStart) { $0.optionalTime(0) } ?? nil
    }

    static func finish(
        _ id: ID<AnyKind>, at: Instant, histogram: [Int], drift: Double?, _ session: any SQLSession
    ) throws {
        let text = histogram.map(String.init).joined(separator: ",")
        try session.execute(finish, [.id(id), .time(at), .text(text), .double(drift)])
    }

    static func stop(_ id: ID<AnyKind>, _ session: any SQLSession) throws { try session.execute(stop, [.id(id)]) }

    /// The first finished pass with a model: what later ones are compared with.
    static func first(model: ModelID, _ session: any SQLSession) throws -> ScoringPass? {
        var builder = SQLBuilder(select)
        builder.append("WHERE model_id = ? AND state = 'done' ORDER BY id LIMIT 1", .id(model))
        return try session.first(builder.sql, builder.arguments, pass)
    }

    static func last(model: ModelID, _ session: any SQLSession) throws -> ScoringPass? {
        var builder = SQLBuilder(select)
        builder.append("WHERE model_id = ? AND state = 'done' ORDER BY id DESC LIMIT 1", .id(model))
        return try session.first(builder.sql, builder.arguments, pass)
    }

    static func pass(_ id: ID<AnyKind>, _ session: any SQLSession) throws -> ScoringPass? {
        var builder = SQLBuilder(select)
        builder.append("WHERE id = ?", .id(id))
        return try session.first(builder.sql, builder.arguments, pass)
    }

    private static func pass(_ row: Row) -> ScoringPass {
        let after = row.int(5)
        return ScoringPass(
            id: row.id(0), model: row.id(1), isDone: row.text(2) == "done", startedAt: row.time(3),
            finishedAt: row.optionalTime(4), after: after > 0 ? ID(after) : nil, scored: row.integer(6),
            skipped: row.integer(7),
            histogram: (row.optionalText(8) ?? "").split(separator: ",").compactMap { Int($0) },
            drift: row.optionalDouble(9))
    }
}
