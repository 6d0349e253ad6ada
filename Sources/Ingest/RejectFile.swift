import Kernel
import Platform
import Storage
import Tabular

/// The file of what was not taken: where, why, and the row as it was, so that it can be repaired and imported again.
struct RejectFile {
    /// Put before the file's own columns; a file that has them is one of ours coming back.
    static let columns = [
        "reject_line", "reject_column", "reject_value", "reject_reason", "reject_reason_zh", "reject_row",
    ]

    static func isOwnColumn(_ name: String) -> Bool { columns.contains(name) }
    static func isOwn(_ header: [String]) -> Bool { header.starts(with: columns) }

    let run: ImportRunID
    let file: IngestFile
    let phase: JournalStore.Phase
    let blobs: any BlobStore
    let database: any Database

    /// Reads the file once more and writes the rejected records with their reasons. Made again after a crash, it is the
    /// same file. `nil` when nothing was rejected.
    func write() async throws -> Blob? {
        var waiting = try await page(after: 0)
        guard !waiting.isEmpty else { return nil }
        // Excel reads UTF-8 only behind a byte order mark.
        var csv = CSVWriter(byteOrderMark: true)
        let own = file.inspection.columns.filter { !Self.isOwnColumn($0) }
        csv.row(Self.columns + own)
        let writer = try blobs.writer()
        var reader = try ChunkReader.open(file, blobs)
        var at = 0
        do {
            while at < waiting.count, let event = try reader.next() {
                switch event {
                case .record(let record) where record.position.record == waiting[at].record:
                    row(waiting[at], record, &csv)
                case .reject(let reject) where reject.position.record == waiting[at].record:
                    row(waiting[at], reject, &csv)
                default: continue
                }
                if csv.bytes.count > 1 << 18 { try writer.write(csv.take()) }
                at += 1
                if at == waiting.count {
                    waiting = try await page(after: waiting[at - 1].record)
                    at = 0
                }
            }
            try writer.write(csv.take())
            return try writer.finish()
        } catch {
            writer.discard()
            throw error
        }
    }

    private func page(after record: Int) async throws -> [RowReject] {
        try await database.read { [run, phase] session in
            try JournalStore.rejects(run, phase, after: record, limit: 1_000, session)
        }
    }

    private func row(_ reject: RowReject, _ record: Record, _ csv: inout CSVWriter) {
        let names = file.inspection.columns
        let isGuarded = file.inspection.isGuarded
        let cells = names.indices.filter { !Self.isOwnColumn(names[$0]) }.map { index -> String? in
            let cell = record.field(index)
            return isGuarded ? CSVWriter.unguarded(cell) : cell
        }
        let value = reject.column >= 0 ? String(record.field(reject.column).prefix(200)) : nil
        csv.row(head(reject, value: value, row: nil) + cells)
    }

    /// A record that could not be split into cells stands as it was in `reject_row`; a ragged one in the columns as far as
    /// they go.
    private func row(_ reject: RowReject, _ raw: Reject, _ csv: inout CSVWriter) {
        let names = file.inspection.columns.filter { !Self.isOwnColumn($0) }
        var cells: [String?] = []
        switch raw.reason {
        case .tooFewFields, .tooManyFields:
            var parser = DelimitedParser(
                options: DelimitedOptions(
                    delimiter: file.inspection.format.delimiter, hasHeader: false, ragged: .accept))
            parser.push(raw.rawBytes)
            parser.finish()
            if case .record(let record)? = try? parser.next() {
                let skipped = file.inspection.isRejectFile ? Self.columns.count : 0
                cells = record.fields.dropFirst(skipped).map {
                    file.inspection.isGuarded ? CSVWriter.unguarded($0) : $0
                }
            }
        default: break
        }
        cells = Array(cells.prefix(names.count))
        cells += Array(repeating: nil, count: names.count - cells.count)
        csv.row(head(reject, value: nil, row: raw.raw) + cells)
    }

    private func head(_ reject: RowReject, value: String?, row: String?) -> [String?] {
        let names = file.inspection.columns
        return [
            "\(reject.line)", names.indices.contains(reject.column) ? names[reject.column] : nil, value,
            reject.words.en, reject.words.zh, row,
        ]
    }
}
