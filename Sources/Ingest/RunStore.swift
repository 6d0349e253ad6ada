import Kernel
import Platform
import Storage

/// The tables of files and runs.
enum RunStore {
    static let insertFile: SQL = """
        INSERT INTO ingest_file (id, blob_id, name, size, digest, inspection, created_at, created_by, created_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """
    static let fileByID: SQL = """
        SELECT id, blob_id, name, size, digest, inspection, created_at, created_by, created_by_name
        FROM ingest_file WHERE id = $1
        """
    static let setInspection: SQL = "UPDATE ingest_file SET inspection = $2 WHERE id = $1"
    static let insertRun: SQL = """
        INSERT INTO ingest_run (id, file_id, entity, mapping, state, worker, touched_at, actor, chunk, rows_read, created_count,
          updated_count, unchanged_count, rejected_count, revert_issue_count, message_en, message_zh, created_at,
          created_by, created_by_name)
        VALUES ($1, $2, $3, $4, 'draft', '', $6, $5, 0, 0, 0, 0, 0, 0, 0, '', '', $6, $7, $8)
        """
    static let runByID: SQL = """
        SELECT id, file_id, entity, mapping, state, worker, job_id, actor, plan, plan_reject_blob_id, reject_blob_id,
          chunk, checkpoint, revert_chunk, rows_read, created_count, updated_count, unchanged_count, rejected_count,
          revert_issue_count, message_en, message_zh, created_at, started_at, finished_at, reverted_at, created_by,
          created_by_name, touched_at, purged_at, linked_count, review_count, quarantined_count, skipped_count, is_replay,
          undone_links, undone_decisions, undone_waiting, matched_chunk, corrected_count
        FROM ingest_run WHERE id = $1
        """
    static let recent: SQL = """
        SELECT r.id, f.name, r.mapping, r.state, r.rows_read, r.created_count, r.updated_count, r.unchanged_count,
          r.rejected_count, r.created_at, r.created_by_name, f.size,
          CASE WHEN r.state IN ('draft', 'ready') THEN r.plan END, r.quarantined_count, r.skipped_count, r.entity
        FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE r.id < $1 AND (CAST($3 AS BIGINT) IS NULL OR r.created_by = $3) ORDER BY r.id DESC LIMIT $2
        """
    static let markReplay: SQL = "UPDATE ingest_run SET is_replay = TRUE WHERE id = $1"
    static let setMapping: SQL = """
        UPDATE ingest_run SET mapping = $2, state = 'draft', plan = NULL, plan_reject_blob_id = NULL, message_en = '',
          message_zh = '', actor = $3 WHERE id = $1 AND state IN ('draft', 'ready')
        """
    static let extendMapping: SQL = "UPDATE ingest_run SET mapping = $2 WHERE id = $1 AND chunk = 0"
    static let planOfFile: SQL = """
        SELECT r.plan FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE f.digest = $1 AND r.mapping = $2 AND r.plan IS NOT NULL ORDER BY r.id DESC LIMIT 1
        """
    static let digest: SQL = """
        SELECT f.digest FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id WHERE r.id = $1
        """
    /// The latest import of the same bytes that made records which are still there.
    static let madeBefore: SQL = """
        SELECT r.id, r.mapping, r.state, r.created_at, r.created_by, r.created_count, r.updated_count, r.rejected_count
        FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE f.digest = $1 AND r.entity = $2 AND r.id <> $3 AND NOT r.is_replay AND r.created_count > 0
          AND r.state IN ('running', 'succeeded', 'failed', 'cancelled')
        ORDER BY r.id DESC LIMIT 1
        """
    /// Imports of customers that were there at a time and were taken back later: `$1` = the time.
    static let takenBack: SQL = """
        SELECT COUNT(*), COALESCE(CAST(SUM(created_count + updated_count) AS BIGINT), 0) FROM ingest_run
        WHERE entity = 'customer' AND started_at < $1 AND reverted_at > $1
        """
    /// The latest import of a source that took rows of this kind.
    static let latestOfSource: SQL = """
        SELECT r.id, f.name, r.created_at, f.digest FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE r.source = $1 AND r.entity = $2 AND r.id <> $3 AND NOT r.is_replay
          AND r.created_count + r.updated_count > 0 AND r.state IN ('succeeded', 'failed', 'cancelled')
        ORDER BY r.id DESC LIMIT 1
        """
    static let setJob: SQL = """
        UPDATE ingest_run SET state = $2, job_id = $3, actor = $4, message_en = '', message_zh = '',
          started_at = COALESCE(started_at, $5) WHERE id = $1 AND state = $6
        """
    static let take: SQL = """
        UPDATE ingest_run SET worker = $2, state = $3, touched_at = $5 WHERE id = $1 AND state = $4
        """
    static let start: SQL = "UPDATE ingest_run SET started_at = COALESCE(started_at, $2) WHERE id = $1"
    static let advance: SQL = """
        UPDATE ingest_run SET chunk = $4, checkpoint = $5, rows_read = rows_read + $6, created_count = created_count + $7,
          updated_count = updated_count + $8, unchanged_count = unchanged_count + $9,
          rejected_count = rejected_count + $10, touched_at = $11, quarantined_count = quarantined_count + $12,
          skipped_count = skipped_count + $13, corrected_count = corrected_count + $14
        WHERE id = $1 AND worker = $2 AND chunk = $3 AND state = 'running'
        """
    /// The customers of all chunks up to one are matched.
    static let matched: SQL = """
        UPDATE ingest_run SET matched_chunk = $3, linked_count = linked_count + $4, review_count = review_count + $5,
          touched_at = $6
        WHERE id = $1 AND worker = $2 AND matched_chunk < $3 AND state = 'running'
        """
    static let finish: SQL = """
        UPDATE ingest_run SET state = $3, reject_blob_id = $4, message_en = $5, message_zh = $6, finished_at = $7
        WHERE id = $1 AND worker = $2
        """
    static let setPlan: SQL = """
        UPDATE ingest_run SET state = $3, plan = $4, plan_reject_blob_id = $5, message_en = $6, message_zh = $7
        WHERE id = $1 AND worker = $2 AND state = 'dry_run'
        """
    static let planning: SQL = "SELECT 1 FROM ingest_run WHERE id = $1 AND worker = $2 AND state = 'dry_run'"
    static let trimPlan: SQL = "UPDATE ingest_run SET plan = $2 WHERE id = $1"
    static let stop: SQL = """
        UPDATE ingest_run SET state = $2, message_en = $3, message_zh = $4, worker = '' WHERE id = $1 AND state = $5
        """
    static let beginRevert: SQL = """
        UPDATE ingest_run SET revert_chunk = COALESCE(revert_chunk, chunk) WHERE id = $1 AND worker = $2
        """
    static let advanceRevert: SQL = """
        UPDATE ingest_run SET revert_chunk = $4, revert_issue_count = revert_issue_count + $5,
          touched_at = $6, undone_links = undone_links + $7, undone_decisions = undone_decisions + $8,
          undone_waiting = undone_waiting + $9
        WHERE id = $1 AND worker = $2 AND revert_chunk = $3 AND state = 'reverting'
        """
    static let finishRevert: SQL = """
        UPDATE ingest_run SET state = 'reverted', reverted_at = $3, message_en = $4, message_zh = $5
        WHERE id = $1 AND worker = $2 AND state = 'reverting'
        """

    static let othersRunning: SQL = "SELECT COUNT(*) FROM ingest_run WHERE state = 'running' AND id <> $1"

    /// A line of the list of imports.
    struct Line: Sendable {
        let id: ImportRunID
        let fileName: String
        let entity: String
        let source: String
        let state: RunState
        /// Of a dry run what it found; `nil` = nothing was counted yet.
        let counts: RunCounts?
        let createdAt: Instant
        let createdByName: String
        let size: Int64
    }

    static func insert(_ file: IngestFile, _ session: any SQLSession) throws {
        try session.execute(
            insertFile,
            [
                .id(file.id), .text(file.blobID), .text(file.name), .int(file.size), .text(file.digest),
                .text(try JSONText.encode(file.inspection)), .time(file.createdAt), .id(file.createdBy),
                .text(file.createdByName),
            ])
    }

    static func file(_ id: IngestFileID, _ session: any SQLSession) throws -> IngestFile {
        let file = try session.first(fileByID, [.id(id)]) { row in
            IngestFile(
                id: row.id(0), blobID: row.text(1), name: row.text(2), size: row.int(3), digest: row.text(4),
                inspection: try JSONText.decode(FileInspection.self, row.text(5)), createdAt: row.time(6),
                createdBy: row.optionalID(7), createdByName: row.text(8))
        }
        guard let file else { throw CRMError.notFound }
        return file
    }

    static func insert(
        _ id: ImportRunID, file: IngestFileID, entity: String, _ mapping: ImportMapping, by principal: Principal,
        at now: Instant, _ session: any SQLSession
    ) throws {
        try session.execute(
            insertRun,
            [
                .id(id), .id(file), .text(entity), .text(try mapping.encoded()),
                .text(try JSONText.encode(RunActor(principal))), .time(now), .id(principal.userID),
                .text(principal.userName),
            ])
    }

    static func run(_ id: ImportRunID, _ session: any SQLSession) throws -> ImportRun {
        guard let run = try session.first(runByID, [.id(id)], Self.run) else { throw CRMError.notFound }
        return run
    }

    private static func run(_ row: Row) throws -> ImportRun {
        var counts = RunCounts()
        counts.read = row.integer(14)
        counts.created = row.integer(15)
        counts.updated = row.integer(16)
        counts.unchanged = row.integer(17)
        counts.rejected = row.integer(18)
        counts.quarantined = row.integer(32)
        counts.skipped = row.integer(33)
        counts.corrected = row.integer(39)
        var undone = ImportTies()
        (undone.links, undone.decisions, undone.waiting) = (row.integer(35), row.integer(36), row.integer(37))
        let mapping = try JSONText.decode(ImportMapping.self, row.text(3))
        if mapping.matches { (counts.linked, counts.review) = (row.integer(30), row.integer(31)) }
        return ImportRun(
            id: row.id(0), fileID: row.id(1), entity: row.text(2), mapping: mapping,
            state: RunState(rawValue: row.text(4)) ?? .failed,
            worker: row.text(5), jobID: row.optionalID(6), actor: try JSONText.decode(RunActor.self, row.text(7)),
            plan: try row.optionalText(8).map { try JSONText.decode(RunPlan.self, $0) },
            planRejectBlobID: row.optionalText(9), rejectBlobID: row.optionalText(10), chunk: row.int(11),
            place: try row.optionalText(12).map { try JSONText.decode(RunPlace.self, $0) },
            revertChunk: row.optionalInt(13), counts: counts, revertIssues: row.integer(19),
            message: Words(en: row.text(20), zh: row.text(21)), createdAt: row.time(22),
            startedAt: row.optionalTime(23),
            finishedAt: row.optionalTime(24), revertedAt: row.optionalTime(25), createdBy: row.optionalID(26),
            createdByName: row.text(27), touchedAt: row.time(28), purgedAt: row.optionalTime(29),
            isReplay: row.bool(34), undone: undone, matchedChunk: row.int(38))
    }

    /// An import of the same bytes before this one.
    struct Earlier: Sendable {
        let id: ImportRunID
        let mapping: ImportMapping
        let state: RunState
        let at: Instant
        let createdBy: UserID?
        let created: Int
        let updated: Int
        let rejected: Int
    }

    /// - Parameter run: left out; `nil` = the import has no run yet.
    static func earlier(
        digest: String, entity: String, but run: ImportRunID?, _ session: any SQLSession
    ) throws -> Earlier? {
        try session.first(madeBefore, [.text(digest), .text(entity), .int(run?.rawValue ?? 0)]) { row in
            Earlier(
                id: row.id(0), mapping: try JSONText.decode(ImportMapping.self, row.text(1)),
                state: RunState(rawValue: row.text(2)) ?? .failed, at: row.time(3), createdBy: row.optionalID(4),
                created: row.integer(5), updated: row.integer(6), rejected: row.integer(7))
        }
    }

    /// What a dry run of the same file with the same mapping found.
    static func plan(of digest: String, _ mapping: ImportMapping, _ session: any SQLSession) throws -> RunPlan? {
        try session.first(planOfFile, [.text(digest), .text(try mapping.encoded())]) {
            try JSONText.decode(RunPlan.self, $0.text(0))
        }
    }

    /// - Parameter owner: only those that this person brought; `nil` = all.
    static func recent(
        before: ImportRunID?, owner: UserID?, limit: Int, _ session: any SQLSession
    ) throws -> [Line] {
        try session.query(recent, [.int(before?.rawValue ?? Int64.max), .int(limit), .id(owner)]) { row in
            var counts = RunCounts()
            counts.read = row.integer(4)
            counts.created = row.integer(5)
            counts.updated = row.integer(6)
            counts.unchanged = row.integer(7)
            counts.rejected = row.integer(8)
            counts.quarantined = row.integer(13)
            counts.skipped = row.integer(14)
            let state = RunState(rawValue: row.text(3)) ?? .failed
            let hasRun = ![.draft, .dryRun, .ready].contains(state)
            let planned = try row.optionalText(12).map { try JSONText.decode(RunPlan.self, $0).counts }
            return Line(
                id: row.id(0), fileName: row.text(1), entity: row.text(15),
                source: try JSONText.decode(ImportMapping.self, row.text(2)).source,
                state: state, counts: hasRun ? counts : planned, createdAt: row.time(9),
                createdByName: row.text(10), size: row.int(11))
        }
    }

    /// Gives the run to `worker`; whoever held it before can no longer commit.
    /// - Throws: `CRMError` 409 when the run is not in `state`.
    static func take(
        _ id: ImportRunID, worker: String, in state: RunState, at now: Instant, _ session: any SQLSession
    ) throws {
        let changed = try session.execute(
            take, [.id(id), .text(worker), .text(state.rawValue), .text(state.rawValue), .time(now)])
        guard changed == 1 else { throw taken }
    }

    static let taken = CRMError.conflict(
        "run_taken",
        Words(en: "The import is in another state by now. Reload the page.", zh: "导入状态已变化，请刷新页面。"))
}
