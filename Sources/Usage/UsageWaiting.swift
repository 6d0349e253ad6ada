import Kernel
import Storage

/// Events of lines nobody knows yet, and how many of them wait. The counts are changed in the transaction in which events come
/// or go, while the source is held, so that they are the sums of what is there (ADR 0043).
enum UsageWaiting {
    static let insert: SQL = """
        INSERT INTO usage_unmatched (source_id, fingerprint, naming, line, event, arrived_at, run_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
    static let named: SQL = "SELECT naming, line FROM usage_unmatched WHERE source_id = $1"
    static let delete: SQL = "DELETE FROM usage_unmatched WHERE source_id = $1 AND fingerprint = $2"
    static let count: SQL = """
        INSERT INTO usage_waiting (source_id, naming, line, events) VALUES ($1, $2, $3, $4)
        ON CONFLICT (source_id, naming, line) DO UPDATE SET events = usage_waiting.events + excluded.events
        """
    static let drop: SQL = """
        DELETE FROM usage_waiting WHERE source_id = $1 AND naming = $2 AND line = $3 AND events <= 0
        """
    static let countSource: SQL = "UPDATE usage_source SET waiting = waiting + $2 WHERE id = $1"
    static let oldSources: SQL = "SELECT DISTINCT source_id FROM usage_unmatched WHERE arrived_at < $1 ORDER BY source_id"
    static let old: SQL = """
        SELECT naming, line, COUNT(*) FROM usage_unmatched WHERE arrived_at < $1 AND source_id = $2 GROUP BY naming, line
        """
    static let letGo: SQL = "DELETE FROM usage_unmatched WHERE arrived_at < $1 AND source_id = $2"
    /// What is counted of a source: its own count, the sum of its lines, and what is there.
    static let check: SQL = """
        SELECT waiting, (SELECT CAST(COALESCE(SUM(w.events), 0) AS BIGINT) FROM usage_waiting w WHERE w.source_id = s.id),
          (SELECT COUNT(*) FROM usage_unmatched u WHERE u.source_id = s.id)
        FROM usage_source s WHERE s.id = $1
        """
    static let forgetCounts: SQL = "DELETE FROM usage_waiting WHERE source_id = $1"
    static let countAgain: SQL = """
        INSERT INTO usage_waiting (source_id, naming, line, events)
        SELECT source_id, naming, line, COUNT(*) FROM usage_unmatched WHERE source_id = $1 GROUP BY source_id, naming, line
        """
    static let setSource: SQL = "UPDATE usage_source SET waiting = $2 WHERE id = $1"
    /// Lines with the most events, for the page: the index is read from its end.
    static let most: SQL = """
        SELECT w.naming, w.line, w.events, s.name FROM usage_waiting w JOIN usage_source s ON s.id = w.source_id
        ORDER BY w.events DESC, w.source_id DESC, w.naming DESC, w.line DESC LIMIT $1
        """

    struct Line: Hashable, Sendable {
        let naming: String
        let line: String
    }

    /// Takes out events that wait no more, and puts in those that do now.
    static func change(
        released: Set<UInt64>, waiting: [UInt64: UsageEvent], _ source: UsageSourceID, run: UsageRunID?,
        _ naming: (String) -> (naming: String, line: String), at now: Instant, _ session: any SQLSession
    ) throws {
        guard !released.isEmpty || !waiting.isEmpty else { return }
        var counts: [Line: Int] = [:]
        for chunk in released.sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(named, [.id(source)])
            builder.appendIn("AND fingerprint", chunk.map { .int(Int64(bitPattern: $0)) })
            for line in try session.query(builder, { Line(naming: $0.text(0), line: $0.text(1)) }) {
                counts[line, default: 0] -= 1
            }
            try session.executeMany(delete, chunk.map { [.id(source), .int(Int64(bitPattern: $0))] })
        }
        try session.executeMany(
            insert,
            waiting.values.sorted { $0.fingerprint < $1.fingerprint }.map { event in
                let name = naming(event.line)
                counts[Line(naming: name.naming, line: name.line), default: 0] += 1
                return [
                    .id(source), .int(Int64(bitPattern: event.fingerprint)), .text(name.naming), .text(name.line),
                    .bytes(event.packed), .time(now), run.map { .id($0) } ?? .null,
                ]
            })
        try add(counts, source, session)
    }

    private static func add(_ counts: [Line: Int], _ source: UsageSourceID, _ session: any SQLSession) throws {
        let changed = counts.filter { $0.value != 0 }.sorted { ($0.key.naming, $0.key.line) < ($1.key.naming, $1.key.line) }
        guard !changed.isEmpty else { return }
        try session.executeMany(count, changed.map { [.id(source), .text($0.key.naming), .text($0.key.line), .int($0.value)] })
        try session.executeMany(
            drop, changed.filter { $0.value < 0 }.map { [.id(source), .text($0.key.naming), .text($0.key.line)] })
        try session.execute(countSource, [.id(source), .int(changed.reduce(0) { $0 + $1.value })])
    }

    /// Lets go of events that came before `instant`.
    static func letGo(before instant: Instant, _ session: any SQLSession) throws {
        for source in try session.query(oldSources, [.time(instant)], { $0.id(0, UsageSourceKind.self) }) {
            try UsageStore.hold(source, session)
            var counts: [Line: Int] = [:]
            for (line, count) in try session.query(
                old, [.time(instant), .id(source)], { (Line(naming: $0.text(0), line: $0.text(1)), $0.integer(2)) })
            {
                counts[line] = -count
            }
            try session.execute(letGo, [.time(instant), .id(source)])
            try add(counts, source, session)
        }
    }

    /// Counts a source again where its counts are not what is there: a process of an older version wrote beside.
    /// - Returns: whether they were wrong.
    @discardableResult
    static func mend(_ source: UsageSourceID, _ session: any SQLSession) throws -> Bool {
        try UsageStore.hold(source, session)
        let found = try session.first(check, [.id(source)]) { ($0.int(0), $0.int(1), $0.int(2)) }
        guard let (own, lines, there) = found, own != there || lines != there else { return false }
        try session.execute(forgetCounts, [.id(source)])
        try session.execute(countAgain, [.id(source)])
        try session.execute(setSource, [.id(source), .int(there)])
        return true
    }
}
