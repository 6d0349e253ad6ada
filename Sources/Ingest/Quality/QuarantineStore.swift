import Kernel
import Platform
import Storage

enum QuarantineKind {}
typealias QuarantineID = ID<QuarantineKind>

/// The life of a row that is held back.
///
///     open -> replaying -> replayed      (an import of its own took it; refused again it is open again)
///        \-> discarded, superseded       (a person let it go; a newer row of the same key came)
///         -> expired                     (its cells were let go with the retention)
enum QuarantineState: String, Sendable, CaseIterable {
    case open, replaying, replayed, discarded, superseded, expired
}

struct QuarantinedRow: Sendable {
    let id: QuarantineID
    let run: ImportRunID
    let line: Int
    let entity: String
    let source: String
    let findings: [RowFinding]
    /// As the file has them, by column.
    let cells: [String?]
    let repaired: [String?]?
    let state: QuarantineState
    let revision: Int64
    let replay: ImportRunID?
    let createdAt: Instant
    let decidedAt: Instant?
    let decidedBy: String
    let reason: String

    /// As it would be brought again.
    var present: [String?] { repaired ?? cells }
    var version: String { RecordVersion.of(["\(id)", "\(revision)", state.rawValue]) }
}

/// The table of rows that wait for a person.
enum QuarantineStore {
    static let insert: SQL = """
        INSERT INTO ingest_quarantine (id, run_id, record, line, entity, source, rule, field, findings, cells, match_key,
          key_hash, state, revision, created_at, decided_by_name, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', 1, $13, '', '')
        """
    static let rows: SQL = """
        SELECT id, run_id, line, entity, source, findings, cells, repaired, state, revision, replay_run_id, created_at,
          decided_at, decided_by_name, reason FROM ingest_quarantine
        """
    static let records: SQL = "SELECT record FROM ingest_quarantine WHERE run_id = $1 AND record <= $2"
    static let hasOpen: SQL = "SELECT 1 FROM ingest_quarantine WHERE state = 'open' AND source = $1 LIMIT 1"
    static let supersede: SQL = """
        UPDATE ingest_quarantine SET state = 'superseded', revision = revision + 1, decided_at = ?
        WHERE state = 'open' AND source = ? AND entity = ? AND match_key = ? AND run_id <> ?
        """
    /// A replay that was stopped goes on with the values it had: rows repaired since are no longer its own.
    static let repair: SQL = """
        UPDATE ingest_quarantine SET repaired = $3, repaired_columns = $4, revision = revision + 1, replay_run_id = NULL
        WHERE id = $1 AND state = 'open' AND revision = $2
        """
    static let claim: SQL = """
        UPDATE ingest_quarantine SET state = 'replaying', replay_run_id = $2, replay_record = $3, revision = revision + 1,
          decided_at = $4, decided_by_name = $5 WHERE id = $1 AND state = 'open'
        """
    static let claimed: SQL = """
        SELECT replay_record, id FROM ingest_quarantine
        WHERE replay_run_id = $1 AND state IN ('replaying', 'open') AND replay_record >= $2 AND replay_record <= $3
        """
    static let settle: SQL = """
        UPDATE ingest_quarantine SET state = $2, findings = COALESCE($3, findings), rule = COALESCE($4, rule),
          field = COALESCE($5, field), revision = revision + 1, decided_at = $6 WHERE id = $1
        """
    static let release: SQL = """
        UPDATE ingest_quarantine SET state = 'open', revision = revision + 1
        WHERE replay_run_id = $1 AND state = 'replaying'
        """
    static let reopen: SQL = """
        UPDATE ingest_quarantine SET state = 'open', revision = revision + 1
        WHERE replay_run_id = $1 AND state IN ('replaying', 'replayed') AND cells <> ''
        """
    static let withdraw: SQL = """
        UPDATE ingest_quarantine SET state = 'discarded', revision = revision + 1, decided_at = $2, decided_by_name = $3,
          reason = 'reverted' WHERE run_id = $1 AND state = 'open'
        """
    static let discard: SQL = """
        UPDATE ingest_quarantine SET state = 'discarded', revision = revision + 1, decided_at = $2, decided_by_name = $3,
          reason = $4 WHERE id = $1 AND state = 'open'
        """
    static let expire: SQL = """
        UPDATE ingest_quarantine SET state = CASE WHEN state IN ('open', 'replaying') THEN 'expired' ELSE state END,
          cells = '', repaired = NULL, revision = revision + 1 WHERE created_at < $1 AND cells <> ''
        """
    static let openBefore: SQL = """
        SELECT COUNT(*) FROM ingest_quarantine WHERE state = 'open' AND created_at < $1
          AND (CAST($2 AS BIGINT) IS NULL OR run_id IN (SELECT id FROM ingest_run WHERE created_by = $2))
        """
    static let openByRule: SQL = """
        SELECT rule, source, COUNT(*), MIN(created_at) FROM ingest_quarantine WHERE state = 'open'
          AND (CAST($1 AS BIGINT) IS NULL OR run_id IN (SELECT id FROM ingest_run WHERE created_by = $1))
        GROUP BY rule, source ORDER BY 3 DESC, 1, 2 LIMIT 200
        """
    static let ofReplay: SQL = """
        SELECT id, run_id, line, cells, repaired, repaired_columns FROM ingest_quarantine
        WHERE replay_run_id = $1 AND replay_record = $2
        """

    // MARK: Writing

    static func insert(
        _ held: [HeldRow], _ run: ImportRun, ids: IDGenerator, at now: Instant, _ session: any SQLSession
    ) throws {
        guard !held.isEmpty else { return }
        try session.executeMany(
            insert,
            try held.map { row in
                let first = row.findings.first
                return [
                    .id(ids.next() as QuarantineID), .id(run.id), .int(row.record), .int(row.line), .text(run.entity),
                    .text(run.mapping.source), .text(first?.rule ?? ""), .text(first?.field ?? ""),
                    .text(try JSONText.encode(row.findings)), .text(try JSONText.encode(row.cells)),
                    .text(run.mapping.matchKey ?? ""), row.key.map { .int(Int64(bitPattern: $0)) } ?? .null, .time(now),
                ]
            })
    }

    /// Rows of the same keys that wait are no longer what the source says.
    static func supersede(
        _ keys: [UInt64], _ run: ImportRun, at now: Instant, _ session: any SQLSession
    ) throws {
        guard !keys.isEmpty, let matchKey = run.mapping.matchKey,
            try session.exists(hasOpen, [.text(run.mapping.source)])
        else { return }
        for chunk in keys.chunked(Limits.sqlListChunk) {
            var update = SQLBuilder("")
            update.append(
                supersede, .time(now), .text(run.mapping.source), .text(run.entity), .text(matchKey), .id(run.id))
            update.appendIn("AND key_hash", chunk.map { .int(Int64(bitPattern: $0)) })
            try session.execute(update.sql, update.arguments)
        }
    }

    /// Says what became of rows that a replay brought again.
    /// - Parameter findings: `nil` = it was taken; else why it was refused or held again.
    static func settle(
        _ rows: [(id: QuarantineID, findings: [RowFinding]?)], at now: Instant, _ session: any SQLSession
    ) throws {
        guard !rows.isEmpty else { return }
        try session.executeMany(
            settle,
            try rows.map { row in
                let state: QuarantineState = row.findings == nil ? .replayed : .open
                return [
                    .id(row.id), .text(state.rawValue), .text(try row.findings.map { try JSONText.encode($0) }),
                    .text(row.findings?.first?.rule), .text(row.findings?.first?.field), .time(now),
                ]
            })
    }

    // MARK: Reading

    /// Where a row of a replay came from, and which of its columns somebody repaired on the way.
    static func origin(
        of record: Int, _ run: ImportRunID, _ session: any SQLSession
    ) throws -> (run: ImportRunID, line: Int, repaired: ColumnBits)? {
        try session.first(ofReplay, [.id(run), .int(record)]) { row in
            // What an older version repaired is told by the cells, as long as they are kept.
            let cells = row.text(3).isEmpty ? [] : try JSONText.decode([String?].self, row.text(3))
            let repaired = try row.optionalText(4).map { try JSONText.decode([String?].self, $0) }
            let columns = row.optionalText(5).map { ColumnBits($0) } ?? repaired.map { ColumnBits(from: cells, to: $0) }
            return (row.id(1), row.integer(2), columns ?? ColumnBits(count: 0))
        }
    }

    /// Records of a run up to `record` that were held back.
    static func records(_ run: ImportRunID, upTo record: Int, _ session: any SQLSession) throws -> [Int] {
        try session.query(records, [.id(run), .int(record)]) { $0.integer(0) }
    }

    /// Rows that a replay may bring, by its record numbers.
    static func claimed(
        _ run: ImportRunID, _ range: ClosedRange<Int>, _ session: any SQLSession
    ) throws -> [Int: QuarantineID] {
        Dictionary(
            try session.query(claimed, [.id(run), .int(range.lowerBound), .int(range.upperBound)]) {
                ($0.integer(0), $0.id(1, QuarantineKind.self))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// What the queue is narrowed to.
    struct Filter: Sendable, Equatable {
        var state: QuarantineState = .open
        var source: String?
        var rule: String?
        /// Rows that have waited at least so many days.
        var days: Int?
        /// Who is kept to some regions reaches the rows of imports they brought themselves.
        var owner: UserID?
    }

    static func page(
        _ filter: Filter, after: QuarantineID?, limit: Int, now: Instant, _ session: any SQLSession
    ) throws -> [QuarantinedRow] {
        var query = narrowed(rows, filter, after: after, now: now)
        query.append("ORDER BY id LIMIT ?", .int(limit))
        return try session.query(query, row)
    }

    private static func narrowed(_ start: SQL, _ filter: Filter, after: QuarantineID?, now: Instant) -> SQLBuilder {
        var query = SQLBuilder(start)
        query.append("WHERE state = ? AND id > ?", .text(filter.state.rawValue), .int(after?.rawValue ?? 0))
        if let source = filter.source { query.append("AND source = ?", .text(source)) }
        if let rule = filter.rule { query.append("AND rule = ?", .text(rule)) }
        if let days = filter.days { query.append("AND created_at <= ?", .time(now.adding(days: -Int64(days)))) }
        if let owner = filter.owner {
            query.append("AND run_id IN (SELECT id FROM ingest_run WHERE created_by = ?)", .id(owner))
        }
        return query
    }

    static let counted: SQL = "SELECT COUNT(*) FROM ingest_quarantine"
    static let identified: SQL = "SELECT id FROM ingest_quarantine"

    static func count(_ filter: Filter, now: Instant, _ session: any SQLSession) throws -> Int {
        let query = narrowed(counted, filter, after: nil, now: now)
        return try session.count(query.sql, query.arguments)
    }

    /// The oldest first.
    static func ids(
        _ filter: Filter, limit: Int, now: Instant, _ session: any SQLSession
    ) throws -> [QuarantineID] {
        var query = narrowed(identified, filter, after: nil, now: now)
        query.append("ORDER BY id LIMIT ?", .int(limit))
        return try session.query(query) { $0.id(0) }
    }

    static func rows(_ ids: [QuarantineID], _ session: any SQLSession) throws -> [QuarantinedRow] {
        var found: [QuarantinedRow] = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var query = SQLBuilder(rows)
            query.appendIn("WHERE id", chunk.map { .id($0) })
            query.append("ORDER BY id")
            found += try session.query(query, row)
        }
        return found
    }

    private static func row(_ row: Row) throws -> QuarantinedRow {
        QuarantinedRow(
            id: row.id(0), run: row.id(1), line: row.integer(2), entity: row.text(3), source: row.text(4),
            findings: (try? JSONText.decode([RowFinding].self, row.text(5))) ?? [],
            cells: row.text(6).isEmpty ? [] : try JSONText.decode([String?].self, row.text(6)),
            repaired: try row.optionalText(7).map { try JSONText.decode([String?].self, $0) },
            state: QuarantineState(rawValue: row.text(8)) ?? .expired, revision: row.int(9), replay: row.optionalID(10),
            createdAt: row.time(11), decidedAt: row.optionalTime(12), decidedBy: row.text(13), reason: row.text(14))
    }

    struct Waiting: Sendable {
        let rule: String
        let source: String
        let count: Int
        let since: Instant
    }

    /// - Parameter owner: only rows of imports that this person brought; `nil` = all.
    static func waiting(owner: UserID?, _ session: any SQLSession) throws -> [Waiting] {
        try session.query(openByRule, [.id(owner)]) {
            Waiting(rule: $0.text(0), source: $0.text(1), count: $0.integer(2), since: $0.time(3))
        }
    }
}
