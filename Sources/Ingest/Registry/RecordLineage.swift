import Kernel
import Platform
import Storage

/// What a shown value of a record (a bill, a case, a contact, a line) is traced by: one row for each import row that made or
/// changed one.
enum RecordLineage {
    static let rows: SQL = """
        SELECT customer_id, run_id, record, line, is_new, columns, fixes, at, record_id, chunk
        FROM ingest_record_lineage WHERE TRUE
        """
    static let forget: SQL = "DELETE FROM ingest_record_lineage WHERE customer_id = $1 AND run_id = $2"
    /// So many are listed on the page of a customer, the newest.
    static let listedMax = 50

    /// The record that an outcome is about, as the importers of records tell it in what they keep for a revert: `record`, or
    /// `line/17/plan`. Nil where a row was about the customer.
    static func record(_ undo: [ImportChange], entity: String) -> Int64? {
        if case .int(let own)? = undo.first(where: { $0.field == "record" })?.after { return own }
        guard entity == "lines" else { return nil }
        return undo.lazy.compactMap { change -> Int64? in
            let parts = change.field.split(separator: "/")
            return parts.count >= 2 && parts[0] == "line" ? Int64(parts[1]) : nil
        }.first
    }

    /// Where the columns of a file are that brought a change: by the field of that name, else by the one that is called
    /// after the entity (`bill_number` of the column `number`).
    static func fields(_ changes: [ImportChange], _ row: ImportRow) -> [String] {
        let found = changes.flatMap { change in
            row.values.keys.filter { $0 == change.field || $0.hasSuffix("_" + change.field) }
        }
        return found.isEmpty ? Array(row.values.keys) : found
    }

    /// What rows gave a record, as it was stored: by the run and the row's record in the file, then by field. From the journals,
    /// so nothing of an import whose journal was let go.
    static func values(
        _ record: Int64, _ rows: [LineageRow], _ fields: [ImportField],
        told: ([String: SQLValue]) -> [String: SQLValue], _ session: any SQLSession
    ) throws -> [RowPlace: [String: SQLValue]] {
        var result: [RowPlace: [String: SQLValue]] = [:]
        var read: [RowPlace: JournalEntries?] = [:]
        for row in rows.prefix(valuedMax) {
            let chunk = RowPlace(run: row.run, number: Int(row.chunk))
            let entries = try read[chunk] ?? JournalStore.entries(row.run, chunk: row.chunk, session)
            read[chunk] = entries
            var values: [String: SQLValue] = [:]
            var changed: [String: SQLValue] = [:]
            let all = (entries?.created ?? []).map { ($0.id, $0.undo) } + (entries?.updated ?? []).map { ($0.id, $0.undo) }
            for (customer, undo) in all where customer == row.customer {
                for change in undo where isOf(record, change, undo) {
                    let name = change.field.split(separator: "/").last.map(String.init) ?? change.field
                    changed[name] = change.after
                    if let field = fields.first(where: { $0.key == name }) ?? fields.first(where: { $0.key.hasSuffix("_" + name) }) {
                        values[field.key] = change.after
                    }
                }
            }
            result[RowPlace(run: row.run, number: row.record)] = values.merging(told(changed)) { mine, _ in mine }
        }
        return result
    }

    /// Rows of a record whose journals are read for one page.
    private static let valuedMax = 40

    struct RowPlace: Hashable {
        let run: ImportRunID
        let number: Int
    }

    private static func isOf(_ record: Int64, _ change: ImportChange, _ undo: [ImportChange]) -> Bool {
        let parts = change.field.split(separator: "/")
        if parts.count == 3, parts[0] == "line" { return Int64(parts[1]) == record }
        return parts.count == 1 && undo.contains { $0.field == "record" && $0.after == .int(record) }
    }

    static func insert(
        _ traces: [(record: Int64, trace: LineageStore.Trace)], _ chunk: Chunk, _ resolved: ResolvedColumns,
        _ run: ImportRunID, at now: Instant, _ session: any SQLSession
    ) throws {
        guard !traces.isEmpty else { return }
        let rows = zip(traces, LineageStore.marks(traces.map(\.trace), chunk, resolved)).map { one, marks in
            [
                SQLValue.id(one.trace.customer), .int(one.record), .id(run), .int(chunk.records[one.trace.index]),
                .int(chunk.rows[one.trace.index].line), .bool(one.trace.isNew), .text(marks.columns), .text(marks.fixes),
                .time(now), .int(chunk.number),
            ]
        }
        try session.bulkInsert(
            into: "ingest_record_lineage", "customer_id, record_id, run_id, record, line, is_new, columns, fixes, at, chunk", rows)
    }

    /// The newest first, each with its record.
    /// - Parameter record: of this one only.
    static func rows(
        _ customers: [CustomerID], record: Int64?, limit: Int, _ session: any SQLSession
    ) throws -> [(record: Int64, row: LineageRow)] {
        var query = SQLBuilder(rows)
        query.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let record { query.append("AND record_id = ?", .int(record)) }
        query.append("ORDER BY at DESC, run_id DESC, record DESC LIMIT ?", .int(limit))
        return try session.query(query) { row in
            (
                row.int(8),
                LineageRow(
                    customer: row.id(0), run: row.id(1), record: row.integer(2), line: row.integer(3),
                    chunk: row.optionalInt(9) ?? Int64((row.integer(2) + ChunkReader.recordsMax - 1) / ChunkReader.recordsMax),
                    isNew: row.bool(4), columns: ColumnBits(row.text(5)), fixes: LineageStore.fixes(row.text(6)),
                    at: row.time(7))
            )
        }
    }

    /// What a revert took back has no source any more.
    static func forget(_ customers: [CustomerID], _ run: ImportRunID, _ session: any SQLSession) throws {
        guard !customers.isEmpty else { return }
        try session.executeMany(forget, Set(customers).sorted().map { [.id($0), .id(run)] })
    }
}
