import Kernel
import Storage
import Web

/// Scores from the counts by day: the share of checks that held, times the share of rows that were taken in. A row that was
/// refused or is held back may have failed no check at all (its date could not be read, its customer is not known), and is
/// what matters most to whoever asks how good a source is.
enum QualityStore {
    static let days: SQL = """
        SELECT day, dimension, SUM(checked), SUM(failed) FROM ingest_quality
        WHERE day >= $1 AND (CAST($2 AS TEXT) IS NULL OR source = $2)
        GROUP BY day, dimension ORDER BY day, dimension
        """
    static let worst: SQL = """
        SELECT source, rule, field, dimension, SUM(checked), SUM(failed), SUM(fixed) FROM ingest_quality
        WHERE day >= $1 AND rule <> '' AND (CAST($2 AS TEXT) IS NULL OR source = $2)
        GROUP BY source, rule, field, dimension HAVING SUM(failed) + SUM(fixed) > 0
        ORDER BY SUM(failed) * 1.0 / SUM(checked) DESC, SUM(failed) DESC, source, rule, field LIMIT 100
        """
    static let sources: SQL = """
        SELECT source, SUM(CASE WHEN rule = '' THEN 0 ELSE checked END), SUM(CASE WHEN rule = '' THEN 0 ELSE failed END),
          SUM(CASE WHEN rule = '' THEN checked ELSE 0 END), SUM(CASE WHEN rule = '' THEN failed ELSE 0 END)
        FROM ingest_quality WHERE day >= $1 GROUP BY source ORDER BY source LIMIT 500
        """
    /// What a score looks back on.
    static let scoreDays = 30
    static let plotDays = 90

    struct Tally: Sendable, Equatable {
        var checked = 0
        var failed = 0
        /// 0...100; `nil` = nothing was checked.
        var score: Double? { checked > 0 ? 100 * (1 - Double(failed) / Double(checked)) : nil }
        var text: String? { score.map(QualityStore.text) }
        mutating func add(_ other: Tally) {
            checked += other.checked
            failed += other.failed
        }
    }

    /// `99.7`; rounded down, so that only what is without fault is 100.
    static func text(_ score: Double) -> String {
        // What is a tenth but for the last bit of a product is that tenth.
        let tenths = Int((score * 10 + 1e-6).rounded(.down))
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// 0...100 over checks and rows; `nil` = there were none.
    static func score(checks: Tally, rows: Tally) -> Double? {
        guard checks.checked + rows.checked > 0 else { return nil }
        return (checks.score ?? 100) * (rows.score ?? 100) / 100
    }

    struct Day: Sendable {
        let day: String
        /// Empty = whole rows.
        let dimension: String
        let tally: Tally
        var isRows: Bool { dimension.isEmpty }
    }

    struct Weak: Sendable {
        let source: String
        let rule: String
        let field: String
        let dimension: String
        let tally: Tally
        let fixed: Int
    }

    struct Source: Sendable {
        let key: String
        let checks: Tally
        let rows: Tally
        var score: Double? { QualityStore.score(checks: checks, rows: rows) }
        var text: String? { score.map(QualityStore.text) }
    }

    static func days(_ source: String?, since day: LocalDate, _ session: any SQLSession) throws -> [Day] {
        try session.query(days, [.text(day.description), .text(source)]) {
            Day(day: $0.text(0), dimension: $0.text(1), tally: Tally(checked: $0.integer(2), failed: $0.integer(3)))
        }
    }

    static func worst(_ source: String?, since day: LocalDate, _ session: any SQLSession) throws -> [Weak] {
        try session.query(worst, [.text(day.description), .text(source)]) {
            Weak(
                source: $0.text(0), rule: $0.text(1), field: $0.text(2), dimension: $0.text(3),
                tally: Tally(checked: $0.integer(4), failed: $0.integer(5)), fixed: $0.integer(6))
        }
    }

    static func sources(since day: LocalDate, _ session: any SQLSession) throws -> [Source] {
        try session.query(sources, [.text(day.description)]) {
            Source(
                key: $0.text(0), checks: Tally(checked: $0.integer(1), failed: $0.integer(2)),
                rows: Tally(checked: $0.integer(3), failed: $0.integer(4)))
        }
    }
}
