import Compute
import Foundation

/// One scored customer.
package struct Scored: Equatable, Sendable {
    /// Calibrated probability of leaving, in (0, 1).
    package let probability: Double
    package let band: RiskBand
    /// Log-odds before calibration: the bias plus all contributions.
    package let margin: Double
    package let bias: Double
    /// Exact contribution of each of the model's `columns`, in log-odds; positive raises the risk.
    package let contributions: [Double]
}

/// A trained churn model: trees, the encoding they expect, the calibrator, and what the model card says.
///
/// Scoring blocks for as long as it takes; call it from a thread of your own, in parts of some ten thousand rows.
package struct TrainedModel: Sendable {
    let booster: TreeBooster
    package let encoder: TableEncoder
    package let calibrator: Calibrator
    package let summaries: [ColumnSummary]
    package let bands: RiskBands
    /// The label column and the value that counts as leaving.
    package let label: String
    package let positive: String
    package let identifier: String?
    package let report: EvaluationReport

    /// The source columns, in the order of `Scored.contributions`.
    package var columns: [String] { encoder.columns.map(\.column) }

    /// The model's columns that a table does not have; they count as missing values.
    package func missingColumns(in table: RawTable) -> [String] {
        columns.filter { table.column(named: $0) == nil }
    }

    /// The columns its scores depend on: those some tree asks for. Without one of them scores would mean something else.
    package var neededColumns: [String] {
        guard !report.importance.isEmpty else { return columns }
        let weights = Dictionary(report.importance.map { ($0.column, $0.weight) }, uniquingKeysWith: max)
        return columns.filter { (weights[$0] ?? 0) > 0 }
    }

    /// The needed columns that are not among `names`.
    package func unmetColumns(in names: Set<String>) -> [String] {
        let folded = Set(names.map { CellText.trimmed($0).lowercased() })
        return neededColumns.filter { !names.contains($0) && !folded.contains(CellText.trimmed($0).lowercased()) }
    }

    /// Probability, band and contributions for every row of a table.
    ///
    /// Columns are found by name; further ones are ignored, absent ones count as missing.
    /// - Parameter day: the day (since 1970-01-01) up to which dates are counted; nil for that of the training data.
    /// - Throws: `ModelError.noKnownColumns` when the table has none of the model's columns.
    package func score(_ table: RawTable, asOf day: Int? = nil) throws -> [Scored] {
        let matrix = try matrix(table, asOf: day)
        let sums = Self.sumByColumn(try booster.contributions(matrix), encoder: encoder, rows: table.rows)
        let margins = try booster.margins(matrix)
        let width = encoder.columns.count
        return (0..<table.rows).map { row in
            let start = row * (width + 1)
            let probability = calibrated(margins[row])
            return Scored(
                probability: probability, band: bands.band(probability), margin: Double(margins[row]),
                bias: sums[start + width], contributions: Array(sums[start..<(start + width)]))
        }
    }

    /// Only the calibrated probabilities; several times faster than `score`.
    package func probabilities(_ table: RawTable, asOf day: Int? = nil) throws -> [Double] {
        try booster.margins(matrix(table, asOf: day)).map(calibrated)
    }

    private func calibrated(_ margin: Float) -> Double {
        calibrator.apply(LogisticRegression.sigmoid(Double(margin)))
    }

    private func matrix(_ table: RawTable, asOf day: Int?) throws -> FeatureMatrix {
        let coded = encoder.columns.map { encoding in
            table.column(named: encoding.column).map { CodedColumn(name: $0.name, values: $0.values) }
        }
        guard coded.contains(where: { $0 != nil }) else { throw ModelError.noKnownColumns(expected: columns) }
        return encoder.transform(coded, rows: Array(0..<table.rows), asOf: day)
    }

    /// Adds the contributions of the features of one source column. Per row one sum per column, then the bias.
    static func sumByColumn(_ contributions: [Float], encoder: TableEncoder, rows: Int) -> [Double] {
        let sources = encoder.sources
        let width = encoder.columns.count
        var sums = [Double](repeating: 0, count: rows * (width + 1))
        for row in 0..<rows {
            let from = row * (sources.count + 1)
            let to = row * (width + 1)
            for (feature, column) in sources.enumerated() { sums[to + column] += Double(contributions[from + feature]) }
            sums[to + width] = Double(contributions[from + sources.count])
        }
        return sums
    }
}

// MARK: Storing

extension TrainedModel {
    /// The first bytes of a stored model, and the version written.
    private static let mark = Array("SWBCHURN".utf8)
    package static let formatVersion: UInt16 = 1

    private struct Header: Codable {
        let encoder: TableEncoder
        let calibrator: Calibrator
        let summaries: [ColumnSummary]
        let bands: RiskBands
        let label: String
        let positive: String
        let identifier: String?
        let report: EvaluationReport
    }

    /// The whole model in one piece: mark (8 bytes), version (2), header length (4), header (JSON), trees (XGBoost's
    /// universal binary JSON), FNV-1a checksum of everything before it (8). Numbers are little-endian.
    package func serialized() throws -> [UInt8] {
        let header = Header(
            encoder: encoder, calibrator: calibrator, summaries: summaries, bands: bands, label: label,
            positive: positive, identifier: identifier, report: report)
        let json = JSONEncoder()
        json.outputFormatting = .sortedKeys
        let head = try json.encode(header)
        var bytes = Self.mark
        bytes += Self.littleEndian(UInt64(Self.formatVersion), 2)
        bytes += Self.littleEndian(UInt64(head.count), 4)
        bytes += head
        bytes += try booster.serialized()
        bytes += Self.littleEndian(Self.checksum(bytes[...]), 8)
        return bytes
    }

    /// Reads what `serialized` wrote.
    /// - Parameter threads: threads for scoring.
    /// - Throws: `ModelError.unreadableModel` for anything else, damaged bytes included.
    package init(serialized bytes: [UInt8], threads: Int = 1) throws {
        let fixed = Self.mark.count + 6
        guard bytes.count > fixed + 8, Array(bytes.prefix(Self.mark.count)) == Self.mark else {
            throw ModelError.unreadableModel(detail: "not a stored churn model")
        }
        let version = Self.number(bytes[Self.mark.count..<(Self.mark.count + 2)])
        guard version == UInt64(Self.formatVersion) else {
            throw ModelError.unreadableModel(detail: "format \(version), known is \(Self.formatVersion)")
        }
        guard Self.checksum(bytes.dropLast(8)) == Self.number(bytes.suffix(8)) else {
            throw ModelError.unreadableModel(detail: "the checksum does not agree; the bytes are damaged")
        }
        let length = Int(Self.number(bytes[(Self.mark.count + 2)..<fixed]))
        guard fixed + length <= bytes.count - 8 else { throw ModelError.unreadableModel(detail: "cut short") }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(bytes[fixed..<(fixed + length)]))
        } catch {
            throw ModelError.unreadableModel(detail: "\(error)")
        }
        booster = try TreeBooster(
            serialized: Array(bytes[(fixed + length)..<(bytes.count - 8)]), width: header.encoder.width,
            threads: threads)
        encoder = header.encoder
        calibrator = header.calibrator
        summaries = header.summaries
        bands = header.bands
        label = header.label
        positive = header.positive
        identifier = header.identifier
        report = header.report
    }

    private static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
