import Kernel
import Storage
import Web

/// What a chunk did, in a form that restores each value exactly.
struct JournalEntries: Sendable {
    var created: [(id: CustomerID, revision: Int64)] = []
    var updated: [(id: CustomerID, changes: [ImportChange])] = []

    /// `{"c":[["id","revision"],...],"u":[["id","field",before,after,"field",before,after,...],...]}`; a value is `null` or a
    /// text whose first letter tells its type. Written by hand: a chunk of updates has tens of thousands of values.
    func encoded() -> String {
        var out: [UInt8] = []
        out.reserveCapacity(64 * (created.count + 1) + 400 * updated.count)
        out += #"{"c":["#.utf8
        for (offset, entry) in created.enumerated() {
            if offset > 0 { out.append(0x2C) }
            out += #"["\#(entry.id)","\#(entry.revision)"]"#.utf8
        }
        out += #"],"u":["#.utf8
        for (offset, entry) in updated.enumerated() {
            if offset > 0 { out.append(0x2C) }
            out += #"["\#(entry.id)""#.utf8
            for change in entry.changes {
                out.append(0x2C)
                Self.write(change.field, prefix: nil, &out)
                out.append(0x2C)
                Self.write(change.before, &out)
                out.append(0x2C)
                Self.write(change.after, &out)
            }
            out.append(0x5D)
        }
        out += "]}".utf8
        return String(decoding: out, as: UTF8.self)
    }

    init() {}

    /// - Throws: `CRMError` when the stored text is not what `encoded` writes.
    init(_ text: String) throws {
        guard let root = try JSONValue.parse(Array(text.utf8)).object, let created = root["c"]?.array,
            let updated = root["u"]?.array
        else { throw Self.broken }
        self.created = try created.map { entry in
            guard let pair = entry.array, pair.count == 2, let id = CustomerID(pair[0].string ?? ""),
                let revision = Int64(pair[1].string ?? "")
            else { throw Self.broken }
            return (id, revision)
        }
        self.updated = try updated.map { entry in
            guard let items = entry.array, items.count % 3 == 1, let id = CustomerID(items[0].string ?? "") else {
                throw Self.broken
            }
            let changes = try stride(from: 1, to: items.count, by: 3).map { at in
                guard let field = items[at].string else { throw Self.broken }
                return ImportChange(
                    field: field, before: try Self.value(items[at + 1]), after: try Self.value(items[at + 2]))
            }
            return (id, changes)
        }
    }

    private static let broken = CRMError(
        "journal", status: 500,
        Words(en: "The journal of the import cannot be read.", zh: "无法读取导入日志。"))

    private static func write(_ value: SQLValue, _ out: inout [UInt8]) {
        switch value {
        case .null: out += "null".utf8
        case .int(let int): write("\(int)", prefix: 0x69, &out)
        case .double(let double): write("\(double.bitPattern)", prefix: 0x64, &out)
        case .text(let text): write(text, prefix: 0x74, &out)
        case .bool(let bool): write(bool ? "1" : "0", prefix: 0x62, &out)
        case .bytes(let bytes): write(bytes.map { "\($0)" }.joined(separator: "."), prefix: 0x78, &out)
        }
    }

    private static func write(_ text: String, prefix: UInt8?, _ out: inout [UInt8]) {
        out.append(0x22)
        if let prefix { out.append(prefix) }
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: out += [0x5C, byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                out += "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8
            default: out.append(byte)
            }
        }
        out.append(0x22)
    }

    private static func value(_ json: JSONValue) throws -> SQLValue {
        if json == .null { return .null }
        guard let text = json.string, let type = text.first else { throw broken }
        let rest = String(text.dropFirst())
        switch type {
        case "t": return .text(rest)
        case "i": if let int = Int64(rest) { return .int(int) }
        case "d": if let bits = UInt64(rest) { return .double(Double(bitPattern: bits)) }
        case "b": return .bool(rest == "1")
        case "x": return .bytes(rest.split(separator: ".").compactMap { UInt8($0) })
        default: break
        }
        throw broken
    }
}

/// The tables of what a run did, rejected and could not undo.
enum JournalStore {
    static let insertJournal: SQL = "INSERT INTO ingest_journal (run_id, chunk, entries) VALUES ($1, $2, $3)"
    static let journal: SQL = "SELECT entries FROM ingest_journal WHERE run_id = $1 AND chunk = $2"
    static let insertReject: SQL = """
        INSERT INTO ingest_reject (run_id, phase, record, line, column_index, code, words_en, words_zh)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """
    static let clearRejects: SQL = "DELETE FROM ingest_reject WHERE run_id = $1 AND phase = $2"
    static let rejects: SQL = """
        SELECT record, line, column_index, code, words_en, words_zh FROM ingest_reject
        WHERE run_id = $1 AND phase = $2 AND record > $3 ORDER BY record LIMIT $4
        """
    static let reasons: SQL = """
        SELECT code, column_index, MIN(words_en), MIN(words_zh), COUNT(*), MIN(line) FROM ingest_reject
        WHERE run_id = $1 AND phase = $2 GROUP BY code, column_index ORDER BY 5 DESC, 6 LIMIT 50
        """
    static let insertIssue: SQL = """
        INSERT INTO ingest_revert_issue (run_id, chunk, number, customer_id, field, reason_en, reason_zh)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
    static let issues: SQL = """
        SELECT chunk, number, customer_id, field, reason_en, reason_zh FROM ingest_revert_issue
        WHERE run_id = $1 AND (chunk, number) > ($2, $3) ORDER BY chunk, number LIMIT $4
        """

    enum Phase: Int { case dryRun = 0, run = 1 }

    static func entries(_ run: ImportRunID, chunk: Int64, _ session: any SQLSession) throws -> JournalEntries? {
        try session.first(journal, [.id(run), .int(chunk)]) { try JournalEntries($0.text(0)) }
    }

    static func record(_ rejects: [RowReject], _ run: ImportRunID, _ phase: Phase, _ session: any SQLSession) throws {
        guard !rejects.isEmpty else { return }
        try session.executeMany(
            insertReject,
            rejects.map { reject in
                [
                    .id(run), .int(phase.rawValue), .int(reject.record), .int(reject.line), .int(reject.column),
                    .text(reject.code), .text(reject.words.en), .text(reject.words.zh),
                ]
            })
    }

    static func rejects(
        _ run: ImportRunID, _ phase: Phase, after record: Int, limit: Int, _ session: any SQLSession
    ) throws -> [RowReject] {
        try session.query(rejects, [.id(run), .int(phase.rawValue), .int(record), .int(limit)]) { row in
            RowReject(
                record: row.integer(0), line: row.integer(1), column: row.integer(2), code: row.text(3),
                words: Words(en: row.text(4), zh: row.text(5)))
        }
    }

    /// Rejects by reason and column, the most frequent first.
    static func reasons(
        _ run: ImportRunID, _ phase: Phase, columns: [String], _ session: any SQLSession
    ) throws -> [RunPlan.Reason] {
        try session.query(reasons, [.id(run), .int(phase.rawValue)]) { row in
            let column = row.integer(1)
            let isMany = row.text(0) == RejectWords.duplicate(firstLine: 0).0 && row.integer(4) > 1
            return RunPlan.Reason(
                code: row.text(0), column: columns.indices.contains(column) ? columns[column] : nil,
                words: isMany ? RejectWords.duplicates : Words(en: row.text(2), zh: row.text(3)),
                count: row.integer(4), firstLine: row.integer(5))
        }
    }

    /// What a revert left as it was.
    struct Issue: Sendable {
        let chunk: Int64
        let number: Int
        let customer: CustomerID
        let field: String
        let reason: Words
    }

    static func record(
        _ issues: [RevertIssue], _ run: ImportRunID, chunk: Int64, _ session: any SQLSession
    ) throws {
        guard !issues.isEmpty else { return }
        try session.executeMany(
            insertIssue,
            issues.enumerated().map { number, issue in
                [
                    .id(run), .int(chunk), .int(number), .id(issue.customer), .text(issue.field),
                    .text(issue.reason.en), .text(issue.reason.zh),
                ]
            })
    }

    static func issues(
        _ run: ImportRunID, after: (chunk: Int64, number: Int), limit: Int, _ session: any SQLSession
    ) throws -> [Issue] {
        try session.query(issues, [.id(run), .int(after.chunk), .int(after.number), .int(limit)]) { row in
            Issue(
                chunk: row.int(0), number: row.integer(1), customer: row.id(2), field: row.text(3),
                reason: Words(en: row.text(4), zh: row.text(5)))
        }
    }
}
