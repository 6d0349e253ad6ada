/// A table in memory, by column, for analysis of extracts that fit (`switchboard evaluate`).
package struct TableData: Sendable {
    package let columns: [String]
    /// `cells[column][row]`; nil where missing (see `MissingValue`) or absent. Every column has `rows` cells.
    package let cells: [[String?]]
    package let rows: Int
    /// Physical line of each row, for messages.
    package let lines: [Int]
    /// The first rejects, and how many there were.
    package let rejects: [Reject]
    package let rejectCount: Int
    /// The file holds more than `rowsMax` rows.
    package let isCut: Bool
    package let format: TabularFormat?
    package let profiles: [ColumnProfile]

    package func index(of column: String) -> Int? { columns.firstIndex(of: column) }

    /// Reads a source to its end or to `rowsMax` rows.
    /// - Parameters:
    ///   - rejectsMax: rejects kept with their text; all are counted.
    package static func read(
        options: TabularOptions = TabularOptions(), profile: ProfileOptions = ProfileOptions(),
        rowsMax: Int = 1_000_000, rejectsMax: Int = 100, source: @escaping TabularReader.Source
    ) throws -> TableData {
        var reader = TabularReader(options: options, source: source)
        return try read(&reader, profile, rowsMax, rejectsMax)
    }

    package static func read(
        options: TabularOptions = TabularOptions(), profile: ProfileOptions = ProfileOptions(),
        rowsMax: Int = 1_000_000, rejectsMax: Int = 100, bytes: [UInt8]
    ) throws -> TableData {
        var reader = TabularReader(options: options, bytes: bytes)
        return try read(&reader, profile, rowsMax, rejectsMax)
    }

    private static func read(
        _ reader: inout TabularReader, _ profile: ProfileOptions, _ rowsMax: Int, _ rejectsMax: Int
    ) throws -> TableData {
        var cells: [[String?]] = [], lines: [Int] = [], rejects: [Reject] = []
        var profiler = TableProfiler(names: [], options: profile)
        var rejectCount = 0, isCut = false
        reading: while let event = try reader.next() {
            switch event {
            case .header(let header):
                profiler = TableProfiler(names: header.names, options: profile)
                cells = header.names.map { _ in [] }
            case .lateColumns(let names):
                profiler.add(columns: names)
                cells += names.map { _ in [String?](repeating: nil, count: lines.count) }
            case .record(let record):
                guard lines.count < rowsMax else {
                    isCut = true
                    break reading
                }
                profiler.add(record)
                lines.append(record.position.line)
                for column in cells.indices { cells[column].append(TableData.cell(record, column)) }
            case .reject(let reject):
                rejectCount += 1
                if rejects.count < rejectsMax { rejects.append(reject) }
            }
        }
        return TableData(
            columns: reader.columns, cells: cells, rows: lines.count, lines: lines, rejects: rejects,
            rejectCount: rejectCount, isCut: isCut, format: reader.format, profiles: profiler.profiles)
    }

    private static func cell(_ record: Record, _ column: Int) -> String? {
        guard !record.isNull(column) else { return nil }
        let isMissing = record.withBytes(column) { MissingValue(untrimmed: $0) != nil }
        return isMissing ? nil : record.field(column)
    }
}
