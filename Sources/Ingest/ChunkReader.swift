import Kernel
import Platform
import Storage
import Tabular

/// Where a run goes on: behind the last row of a chunk that was committed.
struct RunPlace: Sendable, Codable, Equatable {
    let checkpoint: Checkpoint
    /// Columns met so far (JSON Lines may add some on the way).
    let columns: [String]
}

/// Up to 500 records that are applied in one transaction.
struct Chunk: Sendable {
    /// From 1.
    let number: Int64
    var rows: [ImportRow]
    /// Record numbers of `rows`.
    var records: [Int]
    /// Hashes of the match keys, parallel to `rows`; `nil` without a match key.
    var keys: [UInt64?]
    /// Values for attributes that do not exist yet, parallel to `rows`; empty outside a dry run.
    var new: [[String: SQLValue]]
    var rejects: [RowReject]
    /// Rows that rules hold back.
    var held: [HeldRow] = []
    /// What rules repaired, parallel to `rows`.
    var fixes: [[RowFix]] = []
    /// The cells of `rows`, when a rule that needs the database may hold some back; else empty.
    var cells: [[String?]] = []
    var counts: [RuleCount] = []
    /// Rows of a replay that somebody else decided meanwhile.
    var skipped = 0
    /// Behind the last record of the chunk.
    let place: RunPlace
    var read: Int { rows.count + rejects.count + held.count + skipped }
}

/// Reads a file in chunks. The same file with the same columns gives the same chunks, from wherever it is resumed.
/// Used by one task at a time.
final class ChunkReader: @unchecked Sendable {
    static let recordsMax = 500
    /// A chunk of huge rows is closed earlier, so that memory stays bounded.
    static let bytesMax = 8 << 20

    private let rowReader: RowReader
    private let file: IngestFile
    private let blobs: any BlobStore
    private var reader: TabularReader
    private var number: Int64
    private var columns: [String]
    /// Columns that appeared only behind what was inspected: they are not part of the mapping.
    private(set) var unexpectedColumns: [String] = []

    var errorCells: Int { rowReader.errorCells }
    var formulaCells: Int { rowReader.formulaCells }
    var spilledCells: [(column: String, field: String, count: Int)] { rowReader.spilledCells }
    /// Cells that did not fit the attribute their column became, by column.
    var droppedCells: [(column: String, count: Int)] { rowReader.droppedCells }

    /// - Parameters:
    ///   - place: behind which to go on; `nil` = the beginning.
    ///   - chunk: number of the last chunk that was applied.
    init(
        _ file: IngestFile, _ resolved: ResolvedColumns, _ blobs: any BlobStore, from place: RunPlace? = nil,
        chunk: Int64 = 0
    ) throws {
        self.file = file
        self.blobs = blobs
        number = chunk
        rowReader = RowReader(resolved, unguards: file.inspection.isGuarded)
        columns = place?.columns ?? []
        guard try blobs.size(file.textBlobID) == file.textSize else {
            throw CRMError.conflict(
                "file_changed",
                Words(
                    en: "The stored file is no longer the one that was inspected.", zh: "存储的文件已不是检查时的文件。"))
        }
        reader = try Self.open(file, blobs, at: place)
    }

    static func open(_ file: IngestFile, _ blobs: any BlobStore, at place: RunPlace? = nil) throws -> TabularReader {
        let format = file.inspection.format
        var options = FileInspector.options(name: file.name, encoding: format.encoding, delimiter: format.delimiter)
        options.kind = format.kind
        options.isPlaced = format.isPlaced
        let source = try blobs.reader(file.textBlobID, offset: Int64(place?.checkpoint.sourceOffset ?? 0))
        let next: TabularReader.Source = { try source.read(1 << 18) }
        guard let place else { return TabularReader(options: options, source: next) }
        do throws(TabularError) {
            return try TabularReader(
                options: options, resuming: format, columns: place.columns, at: place.checkpoint, source: next)
        } catch {
            throw FileInspector.words(error, name: file.name)
        }
    }

    /// The match keys of the rows that were taken up to a record, read again: what was in memory died with the other
    /// process.
    /// - Parameter rejected: record numbers of rows that were not taken.
    func keys(upTo record: Int, without rejected: Set<Int>) throws -> SeenKeys {
        var seen = SeenKeys()
        var again = try Self.open(file, blobs)
        while let event = try again.next() {
            guard case .record(let row) = event else { continue }
            if row.position.record > record { break }
            if rowReader.rules.hasUnique { rowReader.remember(row) }
            guard !rejected.contains(row.position.record), let key = rowReader.key(of: row) else { continue }
            _ = seen.note(key, line: row.position.line)
        }
        _ = rowReader.rules.takeCounts()
        return seen
    }

    var hasUnique: Bool { rowReader.rules.hasUnique }
    /// The rules that need the database.
    var references: [CompiledRules.Reference] { rowReader.rules.references }

    /// The next chunk; `nil` at the end of the file.
    /// - Throws: `CRMError` when the file as a whole cannot be read.
    func next() throws -> Chunk? {
        var rows: [ImportRow] = []
        var records: [Int] = []
        var keys: [UInt64?] = []
        var new: [[String: SQLValue]] = []
        var rejects: [RowReject] = []
        var held: [HeldRow] = []
        var fixes: [[RowFix]] = []
        var cells: [[String?]] = []
        rows.reserveCapacity(Self.recordsMax)
        records.reserveCapacity(Self.recordsMax)
        var bytes = 0
        while rows.count + rejects.count + held.count < Self.recordsMax {
            guard let event = try pull() else { break }
            switch event {
            case .header(let header): columns = header.names
            case .lateColumns(let names):
                columns += names
                unexpectedColumns += names.filter { !file.inspection.columns.contains($0) }
            case .reject(let reject):
                bytes += reject.position.endOffset - reject.position.offset
                rejects.append(Self.reject(reject))
            case .record(let record):
                bytes += record.position.endOffset - record.position.offset
                switch rowReader.read(record) {
                case .reject(let reject): rejects.append(reject)
                case .held(let row): held.append(row)
                case .row(let row, let key, let extra):
                    rows.append(row)
                    records.append(record.position.record)
                    keys.append(key)
                    new.append(extra)
                    fixes.append(rowReader.rules.fixes)
                    if rowReader.rules.keepsCells { cells.append(rowReader.cells(record)) }
                }
            }
            if bytes > Self.bytesMax { break }
        }
        guard rows.count + rejects.count + held.count > 0 else { return nil }
        number += 1
        return Chunk(
            number: number, rows: rows, records: records, keys: keys, new: new, rejects: rejects,
            held: held, fixes: fixes, cells: cells, counts: rowReader.rules.takeCounts(),
            place: RunPlace(checkpoint: reader.checkpoint, columns: columns))
    }

    private func pull() throws -> TabularEvent? {
        do {
            return try reader.next()
        } catch let error as TabularError {
            throw FileInspector.words(error, name: file.name)
        }
    }

    static func reject(_ reject: Reject) -> RowReject {
        let words = RejectWords.words(reject.reason)
        return RowReject(
            record: reject.position.record, line: reject.line, column: (reject.field ?? 0) - 1,
            code: reject.reason.code, words: words)
    }
}
