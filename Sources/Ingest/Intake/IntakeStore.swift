import Kernel
import Platform
import Storage

enum IntakeFileKind {}
typealias IntakeFileID = ID<IntakeFileKind>

/// How files of one source come (ingest_intake).
struct Intake: Sendable {
    let source: String
    var entity: String
    var enabled: Bool
    var settleSeconds: Int
    var url: String?
    /// Sealed (`PullSecret`).
    var secret: String?
    var everyMinutes: Int
    var nextPullAt: Instant?
    var etag: String?
    var modified: String?
    let pulledAt: Instant?
    let lookedAt: Instant?
    let message: Words
    let pullMessage: Words
    var actor: RunActor
    let updatedAt: Instant
    let updatedByName: String

    /// Of what its form replaces.
    var version: String {
        RecordVersion.of([
            entity, "\(enabled)", "\(settleSeconds)", url ?? "", "\(everyMinutes)", "\(updatedAt.milliseconds)",
            secret ?? "",
        ])
    }
}

/// A file that came (ingest_intake_file).
struct IntakeFile: Sendable {
    enum State: String, Sendable { case taking, brought, waiting, running, done, failed }
    let id: IntakeFileID
    let source: String
    let name: String
    let origin: String
    let state: State
    let size: Int64
    let digest: String
    let run: ImportRunID?
    let message: Words
    let takenAt: Instant
    let finishedAt: Instant?

    /// What it is called in `taken/`, `done/` and `failed/`: no two files have one name.
    var storedName: String { "\(id)-\(name)" }
}

enum IntakeStore {
    static let columns: SQL = """
        source, entity, enabled, settle_seconds, url, every_minutes, next_pull_at, etag, modified, pulled_at, looked_at,
          message_en, message_zh, actor, updated_at, updated_by_name, pull_en, pull_zh, secret
        """
    static let all: SQL = "SELECT \(columns) FROM ingest_intake ORDER BY source"
    static let one: SQL = "SELECT \(columns) FROM ingest_intake WHERE source = $1"
    static let upsert: SQL = """
        INSERT INTO ingest_intake (source, entity, enabled, settle_seconds, url, every_minutes, next_pull_at, actor,
          updated_at, updated_by_name, secret, message_en, message_zh, pull_en, pull_zh)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', '', '', '')
        ON CONFLICT (source) DO UPDATE SET entity = excluded.entity, enabled = excluded.enabled,
          settle_seconds = excluded.settle_seconds, url = excluded.url, every_minutes = excluded.every_minutes,
          next_pull_at = excluded.next_pull_at, actor = excluded.actor, updated_at = excluded.updated_at,
          updated_by_name = excluded.updated_by_name, secret = excluded.secret, etag = NULL, modified = NULL
        """
    static let looked: SQL = """
        UPDATE ingest_intake SET looked_at = $2, message_en = $3, message_zh = $4 WHERE source = $1
        """
    static let claimPull: SQL = """
        UPDATE ingest_intake SET next_pull_at = $3 WHERE source = $1 AND next_pull_at IS NOT DISTINCT FROM $2
        """
    static let pulled: SQL = """
        UPDATE ingest_intake SET pulled_at = $2, etag = $3, modified = $4, pull_en = $5, pull_zh = $6
        WHERE source = $1
        """
    static let fileColumns: SQL = """
        id, source, name, origin, state, size, digest, run_id, message_en, message_zh, taken_at, finished_at
        """
    static let inState: SQL = """
        SELECT \(fileColumns) FROM ingest_intake_file WHERE source = $1 AND state = $2 ORDER BY id LIMIT 200
        """
    static let recent: SQL = """
        SELECT \(fileColumns) FROM ingest_intake_file WHERE source = $1 ORDER BY id DESC LIMIT $2
        """
    static let insertFile: SQL = """
        INSERT INTO ingest_intake_file (id, source, name, origin, state, size, digest, message_en, message_zh,
          taken_at)
        VALUES ($1, $2, $3, $4, 'taking', $5, '', '', '', $6) ON CONFLICT DO NOTHING
        """
    static let bring: SQL = """
        UPDATE ingest_intake_file SET run_id = $2, digest = $3, state = 'brought', message_en = '', message_zh = ''
        WHERE id = $1 AND run_id IS NULL AND state = 'taking'
        """
    static let move: SQL = """
        UPDATE ingest_intake_file SET state = $3, message_en = $4, message_zh = $5, finished_at = $6
        WHERE id = $1 AND state = $2
        """
    static let tell: SQL = "UPDATE ingest_intake_file SET message_en = $2, message_zh = $3 WHERE id = $1"
    /// Another file with the same bytes that this source brought and that was taken in.
    static let same: SQL = """
        SELECT run_id FROM ingest_intake_file
        WHERE source = $1 AND digest = $2 AND id <> $3 AND state IN ('brought', 'waiting', 'running', 'done')
          AND run_id IS NOT NULL
        ORDER BY id DESC LIMIT 1
        """

    static func intake(_ row: Row) throws -> Intake {
        Intake(
            source: row.text(0), entity: row.text(1), enabled: row.bool(2), settleSeconds: row.integer(3),
            url: row.optionalText(4), secret: row.optionalText(18), everyMinutes: row.integer(5), nextPullAt: row.optionalTime(6),
            etag: row.optionalText(7), modified: row.optionalText(8), pulledAt: row.optionalTime(9),
            lookedAt: row.optionalTime(10), message: Words(en: row.text(11), zh: row.text(12)),
            pullMessage: Words(en: row.text(16), zh: row.text(17)),
            actor: try JSONText.decode(RunActor.self, row.text(13)), updatedAt: row.time(14),
            updatedByName: row.text(15))
    }

    static func file(_ row: Row) -> IntakeFile {
        IntakeFile(
            id: row.id(0), source: row.text(1), name: row.text(2), origin: row.text(3),
            state: IntakeFile.State(rawValue: row.text(4)) ?? .failed, size: row.int(5), digest: row.text(6),
            run: row.optionalID(7), message: Words(en: row.text(8), zh: row.text(9)), takenAt: row.time(10),
            finishedAt: row.optionalTime(11))
    }

    static func all(_ session: any SQLSession) throws -> [Intake] { try session.query(all) { try intake($0) } }

    static func intake(_ source: String, _ session: any SQLSession) throws -> Intake? {
        try session.first(one, [.text(source)]) { try intake($0) }
    }

    static func save(_ intake: Intake, at now: Instant, by name: String, _ session: any SQLSession) throws {
        try session.execute(
            upsert,
            [
                .text(intake.source), .text(intake.entity), .bool(intake.enabled), .int(intake.settleSeconds),
                .text(intake.url), .int(intake.everyMinutes), .time(intake.nextPullAt),
                .text(try JSONText.encode(intake.actor)), .time(now), .text(name), .text(intake.secret),
            ])
    }

    static func files(
        _ source: String, _ state: IntakeFile.State, _ session: any SQLSession
    ) throws -> [IntakeFile] {
        try session.query(inState, [.text(source), .text(state.rawValue)]) { file($0) }
    }

    /// - Returns: whether the file was in the state it is moved from.
    @discardableResult
    static func move(
        _ file: IntakeFile, to state: IntakeFile.State, _ words: Words, at end: Instant?, _ session: any SQLSession
    ) throws -> Bool {
        try session.execute(
            move,
            [
                .id(file.id), .text(file.state.rawValue), .text(state.rawValue), .text(words.en), .text(words.zh),
                .time(end),
            ]) == 1
    }
}

extension IntakeStore {
    /// What ended long ago: its file goes as the blobs of old imports do.
    static let old: SQL = """
        SELECT \(fileColumns) FROM ingest_intake_file WHERE source = $1 AND finished_at < $2 ORDER BY id LIMIT 100
        """
    static let forget: SQL = "DELETE FROM ingest_intake_file WHERE id = $1"
    /// The next look at addresses asks this one.
    static let pullNow: SQL = "UPDATE ingest_intake SET next_pull_at = NULL WHERE source = $1"
}
