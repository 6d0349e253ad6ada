import Kernel
import Platform
import Storage
import Tabular
import Web

enum IngestSourceKind {}
typealias SourceID = ID<IngestSourceKind>

/// What kind of system a source is.
enum SourceKind: String, Sendable, CaseIterable {
    case billing, care, retail, network, partner, other

    /// A first guess by the name; a person sets it right.
    static func guess(_ key: String) -> SourceKind {
        let name = Folding.fold(key)
        let signs: [(SourceKind, [String])] = [
            (.care, ["care", "crm", "service", "客服", "case"]), (.retail, ["retail", "shop", "store", "门店", "营业"]),
            (.billing, ["bill", "boss", "计费", "账务"]),
            (.network, ["network", "oss", "usage", "cdr", "网络"]), (.partner, ["partner", "dealer", "代理", "合作"]),
        ]
        return signs.first { $0.1.contains { name.contains($0) } }?.0 ?? .other
    }
}

/// A column as it was agreed with a source.
struct SourceField: Sendable, Codable, Equatable {
    let column: String
    let type: String
    /// Codes the source may write; empty = any.
    let codes: [String]
    /// How values are hidden where no field of ours says it.
    let mask: String

    static let types = ["text", "integer", "decimal", "money", "boolean", "date", "phone", "email", "code"]

    /// One column a line: `column | type | codes, with commas | classification`.
    /// - Throws: `CRMError` 422 naming the line.
    static func parse(_ text: String) throws(CRMError) -> [SourceField] {
        func invalid(_ line: Int, _ en: String, _ zh: String) -> CRMError {
            .invalid("fields", "source_schema", Words(en: "Schema, line \(line): \(en).", zh: "结构第 \(line) 行：\(zh)。"))
        }
        try refuseOtherFormats(text)
        var fields: [SourceField] = []
        var seen: Set<HeaderKey> = []
        for (offset, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmed }
            guard parts.count <= 4, !parts[0].isEmpty, parts[0].count <= 120 else {
                throw invalid(offset + 1, "write column | type | codes | classification", "格式为 列名 | 类型 | 代码 | 分级")
            }
            guard !parts[0].contains(where: { "{}<>\"\t".contains($0) || $0.unicodeScalars.contains { $0.value < 32 } }) else {
                throw invalid(
                    offset + 1, "“\(parts[0].prefix(40))” is no column name: it holds braces, quotation marks or tabs",
                    "“\(parts[0].prefix(40))”不是列名：含有花括号、引号或制表符")
            }
            let type = parts.count > 1 && !parts[1].isEmpty ? parts[1] : "text"
            guard types.contains(type) else {
                throw invalid(
                    offset + 1, "the type must be one of \(types.joined(separator: ", "))",
                    "类型须为 \(types.joined(separator: "、")) 之一")
            }
            let codes = parts.count > 2 ? parts[2].split { $0 == "," || $0 == "，" }.map { $0.trimmed } : []
            guard codes.count <= 200, type != "code" || !codes.isEmpty else {
                throw invalid(offset + 1, "list the codes (at most 200)", "请列出代码（最多 200 个）")
            }
            let mask = parts.count > 3 && !parts[3].isEmpty ? parts[3] : MaskKind.full.rawValue
            guard MaskKind(rawValue: mask) != nil else {
                let all = MaskKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid(offset + 1, "the classification must be one of \(all)", "分级须为 \(all) 之一")
            }
            guard seen.insert(HeaderKey(parts[0])).inserted else {
                throw invalid(offset + 1, "the column is there twice", "列重复")
            }
            fields.append(SourceField(column: parts[0], type: type, codes: codes, mask: mask))
        }
        guard fields.count <= 500 else { throw invalid(501, "at most 500 columns", "最多 500 列") }
        return fields
    }

    /// A file of another kind would become columns that no file ever has.
    private static func refuseOtherFormats(_ text: String) throws(CRMError) {
        let text = text.trimmedText
        let isJSON = text.hasPrefix("{") || text.hasPrefix("[") && text.contains("\"")
        let isMarkup = text.hasPrefix("<")
        // One line without a stroke and with several commas is the first line of a table.
        let isHeader = !text.contains { $0.isNewline || $0 == "|" } && text.count { ",;\t，；".contains($0) } > 1
        guard isJSON || isMarkup || isHeader else { return }
        let (en, zh) = isJSON ? ("JSON", "JSON") : isMarkup ? ("XML or HTML", "XML 或 HTML") : ("one line of headings", "一行表头")
        throw .invalid(
            "fields", "source_schema",
            Words(
                en: """
                    This is \(en), not a schema. A schema is a text with one column a line: column | type | codes | \
                    classification, such as “Customer no | text” or “State | code | open, closed”.
                    """,
                zh: "内容为 \(zh)，不是结构定义。结构为文本，每行一列：列名 | 类型 | 代码 | 分级，例如“客户编号 | text”或“状态 | code | 开, 关”。"))
    }

    var line: String { [column, type, codes.joined(separator: ", "), mask].joined(separator: " | ") }

    /// Whether a column that holds values of this type fits.
    func fits(_ found: ColumnType) -> Bool {
        switch type {
        case "integer": [.integer, .empty, .boolean].contains(found)
        case "decimal", "money": [.integer, .decimal, .empty, .boolean].contains(found)
        case "boolean": [.boolean, .integer, .empty].contains(found)
        case "date": [.date, .dateTime, .empty].contains(found)
        default: true
        }
    }
}

/// A system that files come from.
struct IngestSource: Sendable {
    let id: SourceID
    let key: String
    var name: String
    var kind: SourceKind
    let entity: String
    /// A user or a team.
    var owner: String
    var encoding: TextEncoding?
    /// `comma`, `semicolon`, `tab`, `pipe`; empty = as found.
    var delimiter: String
    var sheet: String
    var fields: [SourceField]
    /// Something is expected at least so often; `nil` = nothing is.
    var freshHours: Int64?
    let revision: Int64

    var version: String { RecordVersion.of([key, "\(revision)"]) }
    var delimiterByte: UInt8? { ImportViews.delimiters[delimiter] }
    var sheetHint: String? { sheet.isEmpty ? nil : sheet }

    /// What is not as it was agreed, for the person who brings the file.
    func differences(_ inspection: FileInspection) -> FileInspection.Warning? {
        guard !fields.isEmpty else { return nil }
        let own = inspection.columns.filter { !RejectFile.isOwnColumn($0) }
        let there = Set(own.map { HeaderKey($0) })
        let agreed = Dictionary(fields.map { (HeaderKey($0.column), $0) }, uniquingKeysWith: { first, _ in first })
        let missing = fields.map(\.column).filter { !there.contains(HeaderKey($0)) }
        let new = own.filter { agreed[HeaderKey($0)] == nil }
        let wrong = inspection.profiles.filter { profile in
            agreed[HeaderKey(profile.name)].map { !$0.fits(profile.type) } ?? false
        }.map(\.name)
        guard !missing.isEmpty || !new.isEmpty || !wrong.isEmpty else { return nil }
        func list(_ names: [String]) -> String {
            names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        }
        var (en, zh): ([String], [String]) = ([], [])
        if !missing.isEmpty {
            en.append("missing: \(list(missing))")
            zh.append("缺少列：\(list(missing))")
        }
        if !new.isEmpty {
            en.append("not agreed: \(list(new))")
            zh.append("未约定的列：\(list(new))")
        }
        if !wrong.isEmpty {
            en.append("of another type: \(list(wrong))")
            zh.append("类型不符的列：\(list(wrong))")
        }
        return FileInspection.Warning(
            "schema_differs",
            Words(
                en:
                    "The file is not as agreed with the source “\(key)” (\(en.joined(separator: "; "))). Ask its owner\(owner.isEmpty ? "" : " \(owner)"), or change the schema of the source.",
                zh: "文件与来源“\(key)”约定的结构不符（\(zh.joined(separator: "；"))）。请联系负责人\(owner)，或修改来源的结构。"))
    }

    /// What a code list can be held against. Fields with choices of their own have these in other words; what is none of them waits.
    private static func areCodes(_ kind: ImportFieldKind) -> Bool {
        switch kind {
        case .text, .integer: true
        default: false
        }
    }

    /// Code lists of the schema as rules on the fields that the columns fill.
    func rules(_ columns: [(name: String, field: ImportField)], entity: String) -> [QualityRule] {
        let agreed = Dictionary(fields.map { (HeaderKey($0.column), $0) }, uniquingKeysWith: { first, _ in first })
        return columns.compactMap { column in
            guard let codes = agreed[HeaderKey(column.name)]?.codes, !codes.isEmpty, Self.areCodes(column.field.kind) else {
                return nil
            }
            var parameters = RuleParameters()
            parameters.values = codes
            return QualityRule(
                key: "schema-" + column.field.key,
                name: Words(en: "A code agreed with the source", zh: "来源约定的代码"), source: key, entity: entity,
                fields: [column.field.key], kind: .code, dimension: .consistency, severity: .warn,
                parameters: parameters)
        }
    }
}

/// The tables of sources and of the mappings they were imported with.
enum SourceStore {
    static let insert: SQL = """
        INSERT INTO ingest_source (id, key, name, kind, entity, owner, encoding, delimiter, sheet, fields, fresh_hours,
          revision, created_at, updated_at, updated_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, $13)
        ON CONFLICT (key) DO NOTHING
        """
    static let update: SQL = """
        UPDATE ingest_source SET name = $2, kind = $3, owner = $4, encoding = $5, delimiter = $6, sheet = $7, fields = $8,
          fresh_hours = $9, revision = revision + 1, updated_at = $10, updated_by_name = $11 WHERE id = $1
        """
    static let setEntity: SQL = """
        UPDATE ingest_source SET entity = $2 WHERE key = $1 AND entity <> $2
          AND NOT EXISTS (SELECT 1 FROM ingest_source_mapping m WHERE m.source = $1)
        """
    /// A source that a run registered and nobody touched or used since.
    static let removeUnused: SQL = """
        DELETE FROM ingest_source WHERE key = $1 AND revision = 1 AND created_at >= $2
          AND NOT EXISTS (SELECT 1 FROM ingest_run r WHERE r.source = $1 AND r.id <> $3)
          AND NOT EXISTS (SELECT 1 FROM ingest_intake i WHERE i.source = $1)
          AND NOT EXISTS (SELECT 1 FROM ingest_rule q WHERE q.source = $1)
        """
    static let removeMappings: SQL = """
        DELETE FROM ingest_source_mapping WHERE source = $1 AND entity = $2
          AND NOT EXISTS (SELECT 1 FROM ingest_source s WHERE s.key = $1)
        """
    static let all: SQL = """
        SELECT id, key, name, kind, entity, owner, encoding, delimiter, sheet, fields, fresh_hours, revision
        FROM ingest_source ORDER BY key LIMIT 500
        """
    static let byKey: SQL = """
        SELECT id, key, name, kind, entity, owner, encoding, delimiter, sheet, fields, fresh_hours, revision
        FROM ingest_source WHERE key = $1
        """
    static let byID: SQL = """
        SELECT id, key, name, kind, entity, owner, encoding, delimiter, sheet, fields, fresh_hours, revision
        FROM ingest_source WHERE id = $1
        """
    static let sameMapping: SQL = """
        SELECT version FROM ingest_source_mapping WHERE source = $1 AND entity = $2 AND mapping = $3
        ORDER BY version DESC LIMIT 1
        """
    static let lastVersion: SQL = """
        SELECT COALESCE(MAX(version), 0) FROM ingest_source_mapping WHERE source = $1 AND entity = $2
        """
    static let insertMapping: SQL = """
        INSERT INTO ingest_source_mapping (source, entity, version, mapping, made_at, made_by_name)
        VALUES ($1, $2, $3, $4, $5, $6)
        """
    static let versions: SQL = """
        SELECT version, mapping, made_at, made_by_name FROM ingest_source_mapping
        WHERE source = $1 AND entity = $2 ORDER BY version DESC LIMIT 50
        """
    static let noteRun: SQL = "UPDATE ingest_run SET source = $2, mapping_version = $3 WHERE id = $1"
    static let lastRuns: SQL = """
        SELECT source, MAX(finished_at), COUNT(*) FROM ingest_run WHERE state = 'succeeded' AND NOT is_replay
        GROUP BY source
        """
    static let runs: SQL = """
        SELECT r.id, f.name, r.state, r.rows_read, r.created_count, r.updated_count, r.unchanged_count, r.rejected_count,
          r.quarantined_count, r.skipped_count, r.mapping_version, r.started_at
        FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE r.source = $1 AND (CAST($2 AS BIGINT) IS NULL OR r.created_by = $2) ORDER BY r.id DESC LIMIT 20
        """

    static func source(key: String, _ session: any SQLSession) throws -> IngestSource? {
        try session.first(byKey, [.text(key)], source)
    }

    static func source(_ id: SourceID, _ session: any SQLSession) throws -> IngestSource {
        guard let found = try session.first(byID, [.id(id)], source) else { throw CRMError.notFound }
        return found
    }

    static func all(_ session: any SQLSession) throws -> [IngestSource] { try session.query(all, [], source) }

    private static func source(_ row: Row) throws -> IngestSource {
        IngestSource(
            id: row.id(0), key: row.text(1), name: row.text(2), kind: SourceKind(rawValue: row.text(3)) ?? .billing,
            entity: row.text(4), owner: row.text(5), encoding: TextEncoding(rawValue: row.text(6)),
            delimiter: row.text(7), sheet: row.text(8),
            fields: (try? JSONText.decode([SourceField].self, row.text(9))) ?? [], freshHours: row.optionalInt(10),
            revision: row.int(11))
    }

    private static func values(_ source: IngestSource, at now: Instant, by name: String) throws -> [SQLValue] {
        [
            .text(source.owner), .text(source.encoding?.rawValue ?? ""), .text(source.delimiter), .text(source.sheet),
            .text(try JSONText.encode(source.fields)), .int(source.freshHours), .time(now), .text(name),
        ]
    }

    /// - Returns: whether the key was free.
    @discardableResult
    static func insert(
        _ source: IngestSource, at now: Instant, by name: String, _ session: any SQLSession
    ) throws -> Bool {
        try session.execute(
            insert,
            [
                .id(source.id), .text(source.key), .text(source.name), .text(source.kind.rawValue),
                .text(source.entity),
            ] + values(source, at: now, by: name)) == 1
    }

    static func update(_ source: IngestSource, at now: Instant, by name: String, _ session: any SQLSession) throws {
        try session.execute(
            update,
            [.id(source.id), .text(source.name), .text(source.kind.rawValue)] + values(source, at: now, by: name))
    }

    /// At the start of a run: its source is registered when it is not, and its mapping has a number.
    static func begin(_ run: ImportRun, _ tenant: Tenant, _ session: any SQLSession) throws {
        let (key, now) = (run.mapping.source, tenant.clock.now())
        guard !key.isEmpty else { return }
        if try source(key: key, session) == nil {
            try insert(.new(key, entity: run.entity, tenant.ids), at: now, by: run.actor.userName, session)
        } else {
            // Registered before its first file came, when nobody could know what it would send.
            try session.execute(setEntity, [.text(key), .text(run.entity)])
        }
        let mapping = try run.mapping.encoded()
        let place: [SQLValue] = [.text(key), .text(run.entity)]
        let version: Int64
        if let known = try session.first(sameMapping, place + [.text(mapping)], { $0.int(0) }) {
            version = known
        } else {
            version = Int64(try session.count(lastVersion, place)) + 1
            try session.execute(
                insertMapping, place + [.int(version), .text(mapping), .time(now), .text(run.actor.userName)])
        }
        try session.execute(noteRun, [.id(run.id), .text(key), .int(version)])
    }

    /// At the end of a run that took nothing: what it registered goes with it.
    static func withdraw(_ run: ImportRun, _ session: any SQLSession) throws {
        guard !run.mapping.source.isEmpty, let started = run.startedAt else { return }
        let key = SQLValue.text(run.mapping.source)
        try session.execute(removeUnused, [key, .time(started), .id(run.id)])
        try session.execute(removeMappings, [key, .text(run.entity)])
    }

    struct Version: Sendable {
        let number: Int
        let mapping: ImportMapping
        let madeAt: Instant
        let madeBy: String
    }

    static func versions(_ source: IngestSource, _ session: any SQLSession) throws -> [Version] {
        try session.query(versions, [.text(source.key), .text(source.entity)]) { row -> Version? in
            guard let mapping = try? JSONText.decode(ImportMapping.self, row.text(1)) else { return nil }
            return Version(number: row.integer(0), mapping: mapping, madeAt: row.time(2), madeBy: row.text(3))
        }.compactMap { $0 }
    }

    struct Last: Sendable {
        let at: Instant?
        let runs: Int
    }

    /// The last import that succeeded, by source.
    static func last(_ session: any SQLSession) throws -> [String: Last] {
        Dictionary(
            try session.query(lastRuns) { ($0.text(0), Last(at: $0.optionalTime(1), runs: $0.integer(2))) },
            uniquingKeysWith: { first, _ in first })
    }

    struct Run: Sendable {
        let id: ImportRunID
        let file: String
        let state: RunState
        let counts: RunCounts
        let mappingVersion: Int64?
        let startedAt: Instant?
    }

    static func runs(_ key: String, owner: UserID?, _ session: any SQLSession) throws -> [Run] {
        try session.query(runs, [.text(key), .id(owner)]) { row in
            var counts = RunCounts()
            counts.read = row.integer(3)
            counts.created = row.integer(4)
            counts.updated = row.integer(5)
            counts.unchanged = row.integer(6)
            counts.rejected = row.integer(7)
            counts.quarantined = row.integer(8)
            counts.skipped = row.integer(9)
            return Run(
                id: row.id(0), file: row.text(1), state: RunState(rawValue: row.text(2)) ?? .failed, counts: counts,
                mappingVersion: row.optionalInt(10), startedAt: row.optionalTime(11))
        }
    }
}

/// The order in which sources are trusted where joined records differ. It belongs to the domain whose records are joined;
/// App injects it, so that there is one order and not two.
package struct SourceOrder: Sendable {
    let read: @Sendable (any SQLSession) throws -> [String]
    let write: @Sendable ([String], any SQLSession) throws -> Void
    package init(
        read: @escaping @Sendable (any SQLSession) throws -> [String],
        write: @escaping @Sendable ([String], any SQLSession) throws -> Void
    ) {
        self.read = read
        self.write = write
    }

    static let none = SourceOrder(read: { _ in [] }, write: { _, _ in })
}
