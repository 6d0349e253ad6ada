import Kernel
import Storage

/// What a chunk did, in a form that restores each value exactly.
struct JournalEntries: Sendable {
    var created: [(id: CustomerID, revision: Int64, undo: [ImportChange])] = []
    var updated: [(id: CustomerID, undo: [ImportChange])] = []

    /// `{"c":[["id","revision",...],...],"u":[["id","key",before,after,"key",before,after,...],...]}`; a value is `null` or a
    /// text whose first letter tells its type. Written by hand: a chunk of updates has tens of thousands of values.
    func encoded() -> String {
        var out: [UInt8] = []
        out.reserveCapacity(64 * (created.count + 1) + 400 * updated.count)
        out += #"{"c":["#.utf8
        for (offset, entry) in created.enumerated() {
            if offset > 0 { out.append(0x2C) }
            out += #"["\#(entry.id)","\#(entry.revision)""#.utf8
            Self.write(entry.undo, &out)
            out.append(0x5D)
        }
        out += #"],"u":["#.utf8
        for (offset, entry) in updated.enumerated() {
            if offset > 0 { out.append(0x2C) }
            out += #"["\#(entry.id)""#.utf8
            Self.write(entry.undo, &out)
            out.append(0x5D)
        }
        out += "]}".utf8
        return String(decoding: out, as: UTF8.self)
    }

    init() {}

    /// - Throws: `CRMError` when the stored text is not what `encoded` writes.
    init(_ text: String) throws {
        var text = text
        self = try text.withUTF8 { bytes in
            var cursor = JournalCursor(bytes: bytes)
            var entries = JournalEntries()
            try cursor.expect(#"{"c":["#)
            try cursor.list { cursor in
                try cursor.expect("[")
                let id = try cursor.id()
                try cursor.expect(",")
                guard let revision = Int64(try cursor.string()) else { throw JournalCursor.broken }
                entries.created.append((id, revision, try cursor.changes()))
                try cursor.expect("]")
            }
            try cursor.expect(#","u":["#)
            try cursor.list { cursor in
                try cursor.expect("[")
                let id = try cursor.id()
                entries.updated.append((id, try cursor.changes()))
                try cursor.expect("]")
            }
            try cursor.expect("}")
            return entries
        }
    }

    private static func write(_ changes: [ImportChange], _ out: inout [UInt8]) {
        for change in changes {
            out.append(0x2C)
            write(change.field, prefix: nil, &out)
            out.append(0x2C)
            write(change.before, &out)
            out.append(0x2C)
            write(change.after, &out)
        }
    }

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
        var text = text
        text.withUTF8 { bytes in
            guard bytes.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
                return out.append(contentsOf: bytes)
            }
            for byte in bytes {
                switch byte {
                case 0x22, 0x5C: out += [0x5C, byte]
                case 0..<0x20:
                    let digits = String(byte, radix: 16)
                    out += "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8
                default: out.append(byte)
                }
            }
        }
        out.append(0x22)
    }
}

/// Reads what `JournalEntries.encoded` writes, and nothing else: a chunk of a revert is a hundred thousand values.
private struct JournalCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    static let broken = CRMError(
        "journal", status: 500, Words(en: "The journal of the import cannot be read.", zh: "无法读取导入日志。"))

    mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func expect(_ text: StaticString) throws {
        let length = text.utf8CodeUnitCount
        guard at + length <= bytes.count else { throw Self.broken }
        for offset in 0..<length where bytes[at + offset] != text.utf8Start[offset] { throw Self.broken }
        at += length
    }

    /// Elements up to and with the closing bracket.
    mutating func list(_ element: (inout JournalCursor) throws -> Void) throws {
        if take(0x5D) { return }
        repeat { try element(&self) } while take(0x2C)
        try expect("]")
    }

    mutating func id() throws -> CustomerID {
        guard let id = CustomerID(try string()) else { throw Self.broken }
        return id
    }

    /// Each behind a comma.
    mutating func changes() throws -> [ImportChange] {
        var changes: [ImportChange] = []
        while take(0x2C) {
            let field = try string()
            try expect(",")
            let before = try value()
            try expect(",")
            changes.append(ImportChange(field: field, before: before, after: try value()))
        }
        return changes
    }

    mutating func string() throws -> String {
        guard take(0x22) else { throw Self.broken }
        let start = at
        while at < bytes.count, bytes[at] != 0x22, bytes[at] != 0x5C { at += 1 }
        if take(0x22) { return String(decoding: bytes[start..<at - 1], as: UTF8.self) }
        var out = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 0x22 { return String(decoding: out, as: UTF8.self) }
            guard byte == 0x5C else {
                out.append(byte)
                continue
            }
            if take(0x75) {
                guard at + 4 <= bytes.count,
                    let code = UInt8(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
                else { throw Self.broken }
                out.append(code)
                at += 4
            } else if at < bytes.count {
                out.append(bytes[at])
                at += 1
            }
        }
        throw Self.broken
    }

    mutating func value() throws -> SQLValue {
        if at < bytes.count, bytes[at] == 0x6E {
            try expect("null")
            return .null
        }
        let text = try string()
        let rest = String(text.dropFirst())
        switch text.utf8.first {
        case 0x74: return .text(rest)
        case 0x69: if let int = Int64(rest) { return .int(int) }
        case 0x64: if let bits = UInt64(rest) { return .double(Double(bitPattern: bits)) }
        case 0x62: return .bool(rest == "1")
        case 0x78: return .bytes(rest.split(separator: ".").compactMap { UInt8($0) })
        default: break
        }
        throw Self.broken
    }
}

/// The tables of what a run did, rejected and could not undo.
enum JournalStore {
    static let insertJournal: SQL = "INSERT INTO ingest_journal (run_id, chunk, entries) VALUES ($1, $2, $3)"
    static let putAttributes: SQL = """
        INSERT INTO ingest_journal (run_id, chunk, entries) VALUES ($1, $2, $3)
        ON CONFLICT (run_id, chunk) DO UPDATE SET entries = excluded.entries
        """
    static let journal: SQL = "SELECT entries FROM ingest_journal WHERE run_id = $1 AND chunk = $2"
    /// The attributes a run made stand where no chunk stands.
    static let attributesChunk: Int64 = 0
    static let insertReject: SQL = """
        INSERT INTO ingest_reject (run_id, phase, record, line, column_index, code, words_en, words_zh)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """
    static let clearRejects: SQL = "DELETE FROM ingest_reject WHERE run_id = $1 AND phase = $2"
    static let rejects: SQL = """
        SELECT record, line, column_index, code, words_en, words_zh FROM ingest_reject
        WHERE run_id = $1 AND phase = $2 AND record > $3 ORDER BY record LIMIT $4
        """
    static let rejectedRecords: SQL = """
        SELECT record FROM ingest_reject WHERE run_id = $1 AND phase = 1 AND record <= $2
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

    static let kept: SQL = """
        SELECT customer_id, field, reason_en, reason_zh FROM ingest_revert_issue WHERE run_id = $1 ORDER BY chunk, number LIMIT $2
        """
    /// Imports that wrote something behind one that is to be taken back.
    static let laterRuns: SQL = """
        SELECT r.id, f.name, r.entity, r.chunk FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
        WHERE (r.started_at, r.id) > ($2, $1) AND r.created_count + r.updated_count > 0 AND r.purged_at IS NULL
          AND r.state IN ('running', 'succeeded', 'failed', 'cancelled', 'reverting')
        ORDER BY r.started_at, r.id LIMIT $3
        """

    /// More than these are counted from the run, not one by one.
    static let keptMax = 1_000_000

    enum Phase: Int { case dryRun = 0, run = 1 }

    static func entries(_ run: ImportRunID, chunk: Int64, _ session: any SQLSession) throws -> JournalEntries? {
        try session.first(journal, [.id(run), .int(chunk)]) { try JournalEntries($0.text(0)) }
    }

    /// Keeps the keys of the attributes that a run made, so that a revert can take them away again.
    static func record(attributes keys: [String], _ run: ImportRunID, _ session: any SQLSession) throws {
        guard !keys.isEmpty else { return }
        // A run that stopped with nothing took them away again, and makes them anew when it goes on.
        let all = Set(keys).union(try attributes(run, session)).sorted()
        try session.execute(putAttributes, [.id(run), .int(attributesChunk), .text(try JSONText.encode(all))])
    }

    static func attributes(_ run: ImportRunID, _ session: any SQLSession) throws -> [String] {
        try session.first(journal, [.id(run), .int(attributesChunk)]) {
            try JSONText.decode([String].self, $0.text(0))
        } ?? []
    }

    /// What a revert kept.
    static func kept(_ run: ImportRunID, _ session: any SQLSession) throws -> KeptCount {
        var count = KeptCount()
        count.add(
            try session.query(kept, [.id(run), .int(keptMax)]) {
                RevertIssue(customer: $0.id(0), field: $0.text(1), reason: Words(en: $0.text(2), zh: $0.text(3)))
            })
        return count
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

    /// Numbers of the records up to `record` that a run did not take.
    static func rejected(_ run: ImportRunID, upTo record: Int, _ session: any SQLSession) throws -> Set<Int> {
        Set(try session.query(rejectedRecords, [.id(run), .int(record)]) { $0.integer(0) })
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
