import Kernel
import Platform
import Storage

/// Which columns of a mapping a row brought new values from: bits in hexadecimal, the lowest digit first.
struct ColumnBits: Sendable, Equatable {
    private var digits: [UInt8]

    init(count: Int) { digits = Array(repeating: 0, count: (count + 3) / 4) }

    init(_ text: String) {
        digits = text.utf8.map { byte in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            default: 0
            }
        }
    }

    /// The columns in which two versions of a row differ.
    init(from old: [String?], to new: [String?]) {
        self.init(count: new.count)
        for index in new.indices where (old.indices.contains(index) ? old[index] : nil) != new[index] { insert(index) }
    }

    mutating func insert(_ index: Int) {
        guard index >= 0, index / 4 < digits.count else { return }
        digits[index / 4] |= 1 << UInt8(index % 4)
    }

    func contains(_ index: Int) -> Bool {
        index >= 0 && index / 4 < digits.count && digits[index / 4] & (1 << UInt8(index % 4)) != 0
    }

    /// Without zeros at the end.
    var text: String {
        let end = digits.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        return String(decoding: digits[..<end].map { $0 < 10 ? $0 + 48 : $0 + 87 }, as: UTF8.self)
    }
}

/// A row of an import that made or changed a customer.
struct LineageRow: Sendable {
    let customer: CustomerID
    let run: ImportRunID
    let record: Int
    let line: Int
    let chunk: Int64
    let isNew: Bool
    let columns: ColumnBits
    let fixes: [RowFix]
    let at: Instant
}

/// The table of what a shown value is traced by.
enum LineageStore {
    static let rows: SQL = """
        SELECT customer_id, run_id, record, line, chunk, is_new, columns, fixes, at FROM ingest_lineage WHERE TRUE
        """
    static let forget: SQL = "DELETE FROM ingest_lineage WHERE customer_id = $1 AND run_id = $2"
    /// So many imports of one customer are looked at.
    static let rowsMax = 300

    /// What the rows of a chunk did, in the order of their outcomes.
    struct Trace {
        let customer: CustomerID
        let index: Int
        let isNew: Bool
        /// Keys of the fields that changed; of a new customer, all its row has.
        let fields: [String]
    }

    static func insert(
        _ traces: [Trace], _ chunk: Chunk, _ resolved: ResolvedColumns, _ run: ImportRunID, at now: Instant,
        _ session: any SQLSession
    ) throws {
        guard !traces.isEmpty else { return }
        let rows = zip(traces, marks(traces, chunk, resolved)).map { trace, marks -> [SQLValue] in
            [
                .id(trace.customer), .id(run), .int(chunk.records[trace.index]), .int(chunk.rows[trace.index].line),
                .int(chunk.number), .bool(trace.isNew), .text(marks.columns), .text(marks.fixes), .time(now),
            ]
        }
        try session.bulkInsert(
            into: "ingest_lineage", "customer_id, run_id, record, line, chunk, is_new, columns, fixes, at", rows)
    }

    /// Which columns brought the fields of each trace, and which rules repaired something on the way, as they are stored.
    static func marks(
        _ traces: [Trace], _ chunk: Chunk, _ resolved: ResolvedColumns
    ) -> [(columns: String, fixes: String)] {
        let place = Dictionary(
            resolved.all.map { ($0.field.key, $0.index) }, uniquingKeysWith: { first, _ in first })
        let width = resolved.headers.count
        return traces.map { trace in
            var bits = ColumnBits(count: width)
            for field in trace.fields {
                if let index = place[field] ?? yielded[field].flatMap({ place[$0] }) { bits.insert(index) }
            }
            let fixes = chunk.fixes.indices.contains(trace.index) ? chunk.fixes[trace.index] : []
            return (bits.text, fixes.map { "\($0.column):\($0.rule)" }.joined(separator: ","))
        }
    }

    static func fixes(_ stored: String) -> [RowFix] {
        stored.split(separator: ",").compactMap { text in
            let parts = text.split(separator: ":", maxSplits: 1)
            return parts.count == 2 ? RowFix(rule: String(parts[1]), column: Int(parts[0]) ?? -1) : nil
        }
    }

    /// Where an import with matching keeps a value under another field than its column fills: a number that is another
    /// record's line is kept as a contact number (ADR 0034). The field -> the one whose column brought it.
    static let yielded = ["phone": "msisdn"]

    /// The newest first.
    static func rows(_ customers: [CustomerID], _ session: any SQLSession) throws -> [LineageRow] {
        var query = SQLBuilder(rows)
        query.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        query.append("ORDER BY at DESC, run_id DESC, record DESC LIMIT ?", .int(rowsMax))
        return try session.query(query) { row in
            LineageRow(
                customer: row.id(0), run: row.id(1), record: row.integer(2), line: row.integer(3), chunk: row.int(4),
                isNew: row.bool(5), columns: ColumnBits(row.text(6)),
                fixes: fixes(row.text(7)), at: row.time(8))
        }
    }

    /// What a revert took back has no source any more.
    static func forget(_ customers: [CustomerID], _ run: ImportRunID, _ session: any SQLSession) throws {
        guard !customers.isEmpty else { return }
        try session.executeMany(forget, customers.map { [.id($0), .id(run)] })
    }
}

/// A record of a customer with its values, for the lineage page.
package struct LineageRecord: Sendable {
    package let id: CustomerID
    package let name: String
    package let source: String
    /// By field; money in minor units.
    package let values: [String: SQLValue]
    package init(id: CustomerID, name: String, source: String, values: [String: SQLValue]) {
        self.id = id
        self.name = name
        self.source = source
        self.values = values
    }
}

/// What the domain of the customers tells of them; App injects it.
package struct LineageCustomers: Sendable {
    /// The records that are shown as one with this, as far as the principal reaches them.
    /// - Throws: `CRMError.notFound`.
    let records: @Sendable (CustomerID, Tenant, Principal, any SQLSession) throws -> [LineageRecord]
    /// The field that a change of the journal is about; `nil` = none that people know.
    let fields: @Sendable (any SQLSession) throws -> @Sendable (ImportChange) -> String?
    /// What a row told of a record that no column of its own keeps (whether a bill is paid), by entity and changed columns.
    let told: @Sendable (String, [String: SQLValue]) -> [String: SQLValue]

    package init(
        records: @escaping @Sendable (CustomerID, Tenant, Principal, any SQLSession) throws -> [LineageRecord],
        fields: @escaping @Sendable (any SQLSession) throws -> @Sendable (ImportChange) -> String?,
        told: @escaping @Sendable (String, [String: SQLValue]) -> [String: SQLValue] = { _, _ in [:] }
    ) {
        self.told = told
        self.records = records
        self.fields = fields
    }

    static let none = LineageCustomers(
        records: { _, _, _, _ in throw CRMError.notFound }, fields: { _ in { _ in nil } })
}
