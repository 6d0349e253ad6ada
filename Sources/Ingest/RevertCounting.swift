import Kernel
import Platform
import Storage
import Web

/// What taking a large import back would do, counted over all its records beside the page: a job counts, the page shows what it
/// found and when (ADR 0078).
struct RevertCounting: Sendable {
    static let job = "ingest.forecast"
    static let stored: SQL = "SELECT job_id, chunk, counted_at, result FROM ingest_forecast WHERE run_id = $1"
    static let ask: SQL = """
        INSERT INTO ingest_forecast (run_id, job_id, chunk, asked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (run_id) DO UPDATE SET job_id = excluded.job_id, asked_at = excluded.asked_at
        """
    static let keep: SQL = """
        UPDATE ingest_forecast SET chunk = $3, counted_at = $4, result = $5 WHERE run_id = $1 AND job_id = $2
        """
    static let forget: SQL = "DELETE FROM ingest_forecast WHERE run_id = $1"
    /// Whether an import wrote something since.
    static let newer: SQL = "SELECT 1 FROM ingest_run WHERE touched_at > $1 AND id <> $2 AND created_count + updated_count > 0 LIMIT 1"

    /// `nil` = nobody asked, or the run has gone on since.
    let result: RevertPreview?
    let countedAt: Instant?
    /// A job counts.
    let isCounting: Bool
    /// Imports wrote since it was counted.
    let isOlder: Bool

    /// - Returns: `nil` for an import that the page counts by itself.
    static func of(_ run: ImportRun, _ tenant: Tenant, _ session: any SQLSession) throws -> RevertCounting? {
        let chunks = run.revertChunk ?? run.chunk
        guard run.mayRevert, chunks > ImportService.forecastChunks else { return nil }
        let found = try session.first(stored, [.id(run.id)]) { row in
            (job: JobID(row.int(0)), chunk: row.int(1), at: row.optionalTime(2), result: row.optionalText(3))
        }
        guard let found else { return RevertCounting(result: nil, countedAt: nil, isCounting: false, isOlder: false) }
        let job = try tenant.jobs.job(found.job, session)
        let isCounting = job.map { [.queued, .running].contains($0.status) } ?? false
        guard found.chunk == chunks, let at = found.at, let text = found.result else {
            return RevertCounting(result: nil, countedAt: nil, isCounting: isCounting, isOlder: false)
        }
        return RevertCounting(
            result: try JSONText.decode(RevertPreview.self, text), countedAt: at, isCounting: isCounting,
            isOlder: try session.exists(newer, [.time(at), .id(run.id)]))
    }
}

extension ImportService {
    /// Asks for a count of all that taking a run back would do. One job a run: whoever asks while it counts waits with the others.
    func askForForecast(_ id: ImportRunID, principal: Principal, record: @escaping AuditRecorder) async throws {
        try principal.require(Self.permission)
        try await tenant.database.write { [self] session in
            let run = try reach(id, principal, session)
            guard run.mayRevert else { throw Self.refused(.revert, run) }
            if try RevertCounting.of(run, tenant, session)?.isCounting != true {
                try ask(run, by: principal.userName, session)
            }
            try record(AuditEntry("ingest.run.forecast", [.run(id)]), session)
        }
    }

    private func ask(_ run: ImportRun, by name: String, _ session: any SQLSession) throws {
        let job = try tenant.jobs.enqueue(
            RevertCounting.job, payload: JSONValue.object(["run": .string("\(run.id)")]).encoded(), by: name, session)
        try session.execute(RevertCounting.ask, [.id(run.id), .id(job), .int(run.revertChunk ?? run.chunk), .time(tenant.clock.now())])
    }

    /// Counts all of a run, on one snapshot, and keeps what came out.
    func countForecast(_ id: ImportRunID, job: JobID) async throws -> String? {
        let counted = try await tenant.database.read { [self] session -> (RevertPreview, chunks: Int64)? in
            let run = try RunStore.run(id, session)
            guard run.mayRevert else { return nil }
            let preview = try on(run.entity).previewRevert(run, chunksMax: .max, forecastMax: .max, session)
            return (preview, run.revertChunk ?? run.chunk)
        }
        let now = tenant.clock.now()
        return try await tenant.database.write { session in
            guard let (preview, chunks) = counted else {
                try session.execute(RevertCounting.forget, [.id(id)])
                return nil
            }
            try session.execute(
                RevertCounting.keep, [.id(id), .id(job), .int(chunks), .time(now), .text(try JSONText.encode(preview))])
            return JSONValue.object(["records": .int(Int64(preview.lookedAt))]).encoded()
        }
    }
}
