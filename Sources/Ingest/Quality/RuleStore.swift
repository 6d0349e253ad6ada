import Kernel
import Platform
import Storage

/// The table of rules: what somebody made or changed. Shipped rules nobody touched are not in it.
enum RuleStore {
    static let all: SQL = """
        SELECT key, name_en, name_zh, source, entity, fields, kind, dimension, severity, parameters, is_on, revision
        FROM ingest_rule ORDER BY key
        """
    static let put: SQL = """
        INSERT INTO ingest_rule (key, name_en, name_zh, source, entity, fields, kind, dimension, severity, parameters, is_on,
          revision, updated_at, updated_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (key) DO UPDATE SET name_en = $2, name_zh = $3, source = $4, entity = $5, fields = $6, kind = $7,
          dimension = $8, severity = $9, parameters = $10, is_on = $11, revision = $12, updated_at = $13,
          updated_by_name = $14
        """
    static let remove: SQL = "DELETE FROM ingest_rule WHERE key = $1"
    /// So many rules of one's own.
    static let rulesMax = 500

    /// All rules of an entity: the shipped ones in their order, as they are by now, then one's own.
    static func rules(entity: String, _ session: any SQLSession) throws -> [QualityRule] {
        let stored = try session.query(all, [], rule).compactMap { $0 }.filter { $0.entity == entity }
        let byKey = Dictionary(stored.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let shipped = ShippedRules.of(entity)
        let known = Set(shipped.map(\.key))
        return shipped.map { byKey[$0.key] ?? $0 } + stored.filter { !known.contains($0.key) }
    }

    /// Those that hold for a source and are on.
    static func rules(entity: String, source: String, _ session: any SQLSession) throws -> [QualityRule] {
        try rules(entity: entity, session).filter { $0.isOn && ($0.source.isEmpty || $0.source == source) }
    }

    /// One that a newer version wrote differently is passed over.
    private static func rule(_ row: Row) throws -> QualityRule? {
        guard let kind = RuleKind(rawValue: row.text(6)), let dimension = RuleDimension(rawValue: row.text(7)),
            let severity = RuleSeverity(rawValue: row.text(8)),
            let parameters = try? RuleParameters.parse(row.text(9), kind, severity)
        else { return nil }
        return QualityRule(
            key: row.text(0), name: Words(en: row.text(1), zh: row.text(2)), source: row.text(3), entity: row.text(4),
            fields: row.text(5).split(separator: ",").map(String.init), kind: kind, dimension: dimension,
            severity: severity, parameters: parameters, isOn: row.bool(10), revision: row.int(11))
    }

    static func put(_ rule: QualityRule, by name: String, at now: Instant, _ session: any SQLSession) throws {
        try session.execute(
            put,
            [
                .text(rule.key), .text(rule.name.en), .text(rule.name.zh), .text(rule.source), .text(rule.entity),
                .text(rule.fields.joined(separator: ",")), .text(rule.kind.rawValue), .text(rule.dimension.rawValue),
                .text(rule.severity.rawValue), .text(rule.parameters.encoded(rule.kind, rule.severity)),
                .bool(rule.isOn), .int(rule.revision), .time(now), .text(name),
            ])
    }
}

/// What rules found, by run and by day.
enum FindingStore {
    static let add: SQL = """
        INSERT INTO ingest_finding (run_id, phase, rule, field, checked, failed, fixed) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (run_id, phase, rule, field) DO UPDATE SET checked = ingest_finding.checked + $5,
          failed = ingest_finding.failed + $6, fixed = ingest_finding.fixed + $7
        """
    static let clear: SQL = "DELETE FROM ingest_finding WHERE run_id = $1 AND phase = $2"
    static let ofRun: SQL = """
        SELECT rule, field, checked, failed, fixed FROM ingest_finding
        WHERE run_id = $1 AND phase = $2 AND failed + fixed > 0 ORDER BY failed + fixed DESC, rule, field LIMIT 100
        """
    static let addQuality: SQL = """
        INSERT INTO ingest_quality (source, entity, day, rule, field, dimension, checked, failed, fixed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (source, entity, day, rule, field) DO UPDATE SET checked = ingest_quality.checked + $7,
          failed = ingest_quality.failed + $8, fixed = ingest_quality.fixed + $9
        """

    struct Finding: Sendable {
        let rule: String
        let field: String
        let checked: Int
        let failed: Int
        let fixed: Int
    }

    static func add(
        _ counts: [RuleCount], _ run: ImportRunID, _ phase: JournalStore.Phase, _ session: any SQLSession
    ) throws {
        guard !counts.isEmpty else { return }
        try session.executeMany(
            add,
            counts.map {
                [
                    .id(run), .int(phase.rawValue), .text($0.rule), .text($0.field), .int($0.checked), .int($0.failed),
                    .int($0.fixed),
                ]
            })
    }

    /// Adds a chunk to the day of its source, whole rows too.
    static func addQuality(
        _ counts: [RuleCount], rows: RunCounts, source: String, entity: String, day: LocalDate,
        _ session: any SQLSession
    ) throws {
        func values(_ rule: String, _ field: String, _ dimension: String, _ counts: (Int, Int, Int)) -> [SQLValue] {
            [
                .text(source), .text(entity), .text(day.description), .text(rule), .text(field), .text(dimension),
                .int(counts.0), .int(counts.1), .int(counts.2),
            ]
        }
        let whole = values("", "", "", (rows.read - rows.skipped, rows.rejected + rows.quarantined, 0))
        try session.executeMany(
            addQuality,
            [whole]
                + counts.map { values($0.rule, $0.field, $0.dimension.rawValue, ($0.checked, $0.failed, $0.fixed)) })
    }

    static func findings(
        _ run: ImportRunID, _ phase: JournalStore.Phase, _ session: any SQLSession
    ) throws -> [Finding] {
        try session.query(ofRun, [.id(run), .int(phase.rawValue)]) {
            Finding(
                rule: $0.text(0), field: $0.text(1), checked: $0.integer(2), failed: $0.integer(3),
                fixed: $0.integer(4))
        }
    }
}
