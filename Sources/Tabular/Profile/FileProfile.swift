/// What a file holds, column by column: for a person before an import, and as stable JSON.
package struct FileProfile: Sendable, Codable {
    package struct Count: Sendable, Codable, Equatable {
        package let value: String
        package let count: Int
    }

    package struct Place: Sendable, Codable, Equatable {
        package let line: Int
        package let value: String
    }

    package struct Outliers: Sendable, Codable, Equatable {
        /// Values under `low` or over `high`: three times the middle half's width away from it (Tukey's outer fences).
        package let count: Int
        package let low: Double
        package let high: Double
        package let examples: [Place]
    }

    package struct Mojibake: Sendable, Codable, Equatable {
        package let repairable: Int
        package let lost: Int
        /// By cause.
        package let causes: [String: Int]
        package let examples: [Place]
        /// The first example as it was meant; nil when it is lost.
        package let repaired: String?
    }

    package struct Dates: Sendable, Codable, Equatable {
        package let verdict: DateEvidence.Verdict
        package let dayFirst: Int
        package let monthFirst: Int
        /// `2024-03-05`
        package let yearFirst: Int
        package let ambiguous: Int
        package let ambiguousLines: [Int]
        /// The shape of a date, and no such day.
        package let impossible: Int
        package let impossibleExamples: [Place]
    }

    /// Identity numbers by the government that gives them out.
    package struct Identities: Sendable, Codable, Equatable {
        /// `mainland`, `taiwan`, `hong_kong`, ...; most frequent first.
        package let kinds: [Count]
        /// Of the shape of one, and with a wrong check digit or date.
        package let wrong: Int
        package let wrongLines: [Int]
    }

    /// Values of a column of e-mail addresses that are none.
    package struct Wrong: Sendable, Codable, Equatable {
        package let count: Int
        package let examples: [Place]
    }

    package struct Column: Sendable, Codable {
        package let name: String
        package let type: ColumnType
        /// `phone`, `email`, `identity`, `name`, `address`, `birth`: shown masked to a terminal.
        package let personal: String?
        package let total: Int
        package let missing: Int
        package let missingKinds: [String: Int]
        package let distinct: Int
        package let isDistinctEstimate: Bool
        /// Counts are too small by up to this much; 0 = exact.
        package let topShortfall: Int
        package let top: [Count]
        package let minimum: Double?
        package let maximum: Double?
        package let mean: Double?
        /// At 5, 25, 50, 75 and 95 %.
        package let quantiles: [Double]?
        package let isQuantileEstimate: Bool
        package let outliers: Outliers?
        package let earliest: String?
        package let latest: String?
        package let shortest: Int
        package let longest: Int
        package let shapes: [Count]
        package let dates: Dates?
        package let mojibake: Mojibake?
        /// Of columns that hold identity numbers.
        package let identities: Identities?
        /// Of columns that hold e-mail addresses.
        package let wrongEmails: Wrong?
        /// Numbers that most likely stand for a missing value, such as -99.
        package let missingCodes: [Count]
        package let notices: [Count]
        package let exceptions: [Place]
        /// Nearly every row has another value: it may be what names a record.
        package let isLikelyKey: Bool
        /// Rows whose value came before in this column, counted for likely keys.
        package let keyDuplicates: Int?
    }

    package let file: String
    package let bytes: Int
    package let containers: [String]
    package let sheet: String?
    package let sheets: [String]
    /// Of a sheet: rows above its heading.
    package let skippedRows: Int?
    /// Of a sheet: numbers of more than 15 digits.
    package let longNumbers: Int?
    /// `line`, sheet `row`, or `element` of a list: what `line` counts.
    package let place: String
    package let encoding: String
    package let encodingConfidence: Double
    package let encodingReason: String
    package let delimiter: String?
    package let rows: Int
    package let unreadable: Int
    package let firstUnreadable: Place?
    /// Rows that repeat an earlier row in every column.
    package let duplicateRows: Int
    package let isDuplicateEstimate: Bool
    /// Only the beginning was read.
    package let isCut: Bool
    package let columns: [Column]
}

/// Reads a file once and profiles it in constant memory.
package struct FileProfiler {
    package struct Options: Sendable {
        package var rowsMax = Int.max
        package var topMax = 10
        package init() {}
    }

    private static let exactRowsMax = 2_000_000

    private let options: Options
    private var basic = TableProfiler(names: [])
    private var columns: [ValueProfiler] = []
    private var rows = 0, unreadable = 0, duplicates = 0
    private var firstUnreadable: FileProfile.Place?
    private var seen = Set<UInt64>(), sketch = HyperLogLog()

    package init(options: Options = Options()) { self.options = options }

    /// - Parameter tick: called every 10,000 rows; what it throws ends the reading.
    package mutating func profile(
        _ reader: inout TabularReader, name: String, bytes: Int, unpacked: Unpacked?,
        tick: (Int) throws -> Void = { _ in }
    ) throws -> FileProfile {
        var isCut = false
        reading: while let event = try reader.next() {
            switch event {
            case .header(let header):
                basic = TableProfiler(names: header.names)
                columns = header.names.map { _ in ValueProfiler() }
            case .lateColumns(let names):
                basic.add(columns: names)
                columns += names.map { _ in ValueProfiler() }
            case .record(let record):
                guard rows < options.rowsMax else {
                    isCut = true
                    break reading
                }
                add(record)
                if rows % 10_000 == 0 { try tick(rows) }
            case .reject(let reject):
                unreadable += 1
                if firstUnreadable == nil { firstUnreadable = .init(line: reject.line, value: reject.reason.code) }
            }
        }
        return result(reader, name, bytes, unpacked, isCut)
    }

    private mutating func add(_ record: Record) {
        rows += 1
        basic.add(record, at: record.position.line)
        var rowHash: UInt64 = 0
        for index in columns.indices {
            let hash: UInt64
            if record.isNull(index) {
                hash = 1
            } else {
                hash = record.withBytes(index) { columns[index].add($0, line: record.position.line) }
            }
            rowHash = (rowHash ^ hash) &* 0x9E37_79B9_7F4A_7C15
            rowHash ^= rowHash >> 29
        }
        if rows <= Self.exactRowsMax {
            if !seen.insert(rowHash).inserted { duplicates += 1 }
        }
        sketch.add(ValueProfiler.mixed(rowHash))
    }

    private func result(
        _ reader: TabularReader, _ name: String, _ bytes: Int, _ unpacked: Unpacked?, _ isCut: Bool
    ) -> FileProfile {
        let isEstimate = rows > Self.exactRowsMax
        let format = reader.format, guess = reader.encodingGuess
        let isPlaced = format?.isPlaced ?? false
        return FileProfile(
            file: name, bytes: bytes, containers: unpacked?.layers.map(\.rawValue) ?? [], sheet: unpacked?.sheet,
            sheets: unpacked?.sheets ?? [], skippedRows: unpacked?.summary?.skipped,
            longNumbers: unpacked?.summary?.longNumbers, place: (unpacked?.place ?? .line).rawValue,
            encoding: format?.encoding.rawValue ?? "", encodingConfidence: isPlaced ? 1 : guess?.confidence ?? 1,
            encodingReason: isPlaced ? "container" : guess?.reason.rawValue ?? "",
            delimiter: format.flatMap {
                $0.kind == .delimited && !isPlaced ? String(UnicodeScalar($0.delimiter)) : nil
            }, rows: rows, unreadable: unreadable, firstUnreadable: firstUnreadable,
            duplicateRows: isEstimate ? max(0, rows - sketch.estimate) : duplicates, isDuplicateEstimate: isEstimate,
            isCut: isCut,
            columns: zip(basic.profiles, columns).map { $1.column($0, rows: rows, topMax: options.topMax) })
    }
}

extension FileProfile {
    /// Without the values of personal columns: their first character and their length stay.
    /// - Parameter all: of every column.
    package func masked(all: Bool = false) -> FileProfile {
        FileProfile(
            file: file, bytes: bytes, containers: containers, sheet: sheet, sheets: sheets,
            skippedRows: skippedRows, longNumbers: longNumbers, place: place,
            encoding: encoding, encodingConfidence: encodingConfidence, encodingReason: encodingReason,
            delimiter: delimiter, rows: rows, unreadable: unreadable, firstUnreadable: firstUnreadable,
            duplicateRows: duplicateRows, isDuplicateEstimate: isDuplicateEstimate, isCut: isCut,
            columns: columns.map { $0.masked(all: all) })
    }

    /// Whether a column holds what belongs to a person, by what most of these values look like, else by its name: `phone`,
    /// `email`, `identity`, `name`, `address`, `birth`; `nil` = nothing says so.
    package static func personal(_ name: String, values: [String]) -> String? {
        ValueProfiler.personal(name, values)
    }

    /// The first character and the length, up to eight.
    package static func masked(_ text: String) -> String {
        guard let first = text.first else { return text }
        return String(first) + String(repeating: "*", count: min(7, text.count - 1))
    }
}

extension FileProfile.Column {
    fileprivate func masked(all: Bool) -> FileProfile.Column {
        guard all || personal != nil else { return self }
        func mask(_ counts: [FileProfile.Count]) -> [FileProfile.Count] {
            counts.map { .init(value: FileProfile.masked($0.value), count: $0.count) }
        }
        func mask(_ places: [FileProfile.Place]) -> [FileProfile.Place] {
            places.map { .init(line: $0.line, value: FileProfile.masked($0.value)) }
        }
        return FileProfile.Column(
            name: name, type: type, personal: personal, total: total, missing: missing, missingKinds: missingKinds,
            distinct: distinct, isDistinctEstimate: isDistinctEstimate, topShortfall: topShortfall, top: mask(top),
            minimum: nil, maximum: nil, mean: nil, quantiles: nil, isQuantileEstimate: isQuantileEstimate,
            outliers: outliers.map { .init(count: $0.count, low: 0, high: 0, examples: mask($0.examples)) },
            earliest: nil, latest: nil, shortest: shortest, longest: longest, shapes: shapes,
            dates: dates.map {
                .init(
                    verdict: $0.verdict, dayFirst: $0.dayFirst, monthFirst: $0.monthFirst, yearFirst: $0.yearFirst,
                    ambiguous: $0.ambiguous, ambiguousLines: $0.ambiguousLines, impossible: $0.impossible,
                    impossibleExamples: mask($0.impossibleExamples))
            },
            mojibake: mojibake.map {
                .init(
                    repairable: $0.repairable, lost: $0.lost, causes: $0.causes, examples: mask($0.examples),
                    repaired: $0.repaired.map(FileProfile.masked))
            }, identities: identities,
            wrongEmails: wrongEmails.map { .init(count: $0.count, examples: mask($0.examples)) },
            missingCodes: missingCodes, notices: notices, exceptions: mask(exceptions), isLikelyKey: isLikelyKey,
            keyDuplicates: keyDuplicates)
    }
}
