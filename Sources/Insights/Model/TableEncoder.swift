import Compute

/// How one column becomes numbers. Fitted on training rows; what it has not seen there is missing.
package struct ColumnEncoding: Codable, Sendable {
    package enum Rule: Codable, Sendable {
        case number
        /// 1 for yes, 0 for no.
        case boolean
        /// 1 where there is any value, 0 where there is none.
        case presence
        /// Days from the date to `reference` (a day number), negative for later dates.
        case date(dayFirst: Bool, reference: Int)
        /// Latitude and longitude.
        case coordinates
        /// One feature per level, 1 where it applies; for two levels a single feature, 1 for the second.
        case levels([String])
        /// The smoothed share of positives among training rows of the level.
        case rates([String: Float], prior: Float)
    }

    package let column: String
    package let kind: ColumnKind
    package let rule: Rule

    /// Features the column takes.
    package var width: Int {
        switch rule {
        case .number, .boolean, .presence, .date, .rates: 1
        case .coordinates: 2
        case .levels(let levels): levels.count == 2 ? 1 : levels.count
        }
    }

    /// The features of each of `texts`, one after the other, and those of a missing value.
    func features(of texts: [String], asOf day: Int?) -> (levels: [Float], missing: [Float]) {
        let unknown = [Float](repeating: .nan, count: width)
        switch rule {
        case .number: return (texts.map { CellText.number($0).map(Float.init) ?? .nan }, unknown)
        case .boolean: return (texts.map { CellText.boolean($0).map { $0 ? 1 : 0 } ?? .nan }, unknown)
        case .presence: return (texts.map { _ in 1 }, [0])
        case .date(let dayFirst, let reference):
            let end = day ?? reference
            return (
                texts.map { text in
                    DateText.day(text, dayFirst: dayFirst, allowsCompact: true).map { Float(end - $0) } ?? .nan
                }, unknown
            )
        case .coordinates:
            return (
                texts.flatMap { text -> [Float] in
                    guard let place = CellText.coordinates(text) else { return unknown }
                    return [Float(place.latitude), Float(place.longitude)]
                }, unknown
            )
        case .levels(let levels):
            return (
                texts.flatMap { text -> [Float] in
                    guard let place = levels.firstIndex(of: text) else { return unknown }
                    if levels.count == 2 { return [Float(place)] }
                    return levels.indices.map { $0 == place ? 1 : 0 }
                }, unknown
            )
        case .rates(let rates, let prior): return (texts.map { rates[$0] ?? prior }, unknown)
        }
    }
}

/// How a table becomes a feature matrix; fitted on training rows only.
package struct TableEncoder: Codable, Sendable {
    package let columns: [ColumnEncoding]

    /// A categorical column with up to this many levels gets one feature per level; with more, target rates.
    package static let mostLevels = 12
    /// Rows' worth of the overall rate mixed into a level's rate, so that a rare level says little.
    package static let smoothing = 20.0
    /// Parts of the training rows for rates that do not contain the row's own outcome.
    private static let rateFolds = 5

    package var width: Int { columns.reduce(0) { $0 + $1.width } }

    /// Per feature, the place of its source column in `columns`.
    package var sources: [Int] {
        columns.indices.flatMap { [Int](repeating: $0, count: columns[$0].width) }
    }

    /// Fits the encoding of `columns` on some of their rows and encodes those rows.
    ///
    /// Target rates of the training rows are out of fold: a row's rate is computed from rows in other parts, so the
    /// trees never see an encoding that contains the row's own outcome. `labels` covers all rows.
    package static func fit(
        _ columns: [ProfiledColumn], rows: [Int], labels: [Bool], seed: UInt64
    ) -> (encoder: TableEncoder, matrix: FeatureMatrix) {
        let positives = rows.reduce(0) { $0 + (labels[$1] ? 1 : 0) }
        let prior = (Double(positives) + 0.5) / (Double(rows.count) + 1)
        let parts =
            rows.count >= rateFolds * 2
            ? StratifiedFolds.assign(labels: rows.map { labels[$0] }, folds: rateFolds, seed: seed)
            : rows.map { $0 % rateFolds }
        var encodings: [ColumnEncoding] = []
        var ownRates: [Int: [Float]] = [:]
        for column in columns {
            let rule = rule(for: column, rows: rows, labels: labels, prior: prior)
            if case .rates = rule {
                ownRates[encodings.count] = outOfPartRates(column.coded, rows, labels, parts, prior)
            }
            encodings.append(ColumnEncoding(column: column.name, kind: column.kind, rule: rule))
        }
        let encoder = TableEncoder(columns: encodings)
        let matrix = encoder.transform(columns.map(\.coded), rows: rows, replacing: ownRates)
        return (encoder, matrix)
    }

    /// Encodes some rows. `columns` are aligned with the encoder's; nil stands for a column the table does not have.
    ///
    /// - Parameters:
    ///   - day: the day to count dates up to; nil for the one fixed in training.
    ///   - replacing: values per row to use instead of the rule, by place of the column; for out-of-fold rates.
    package func transform(
        _ columns: [CodedColumn?], rows: [Int], asOf day: Int? = nil, replacing: [Int: [Float]] = [:]
    ) -> FeatureMatrix {
        let width = width
        var values = [Float](repeating: .nan, count: rows.count * width)
        var offset = 0
        for (place, encoding) in self.columns.enumerated() {
            let size = encoding.width
            if let own = replacing[place] {
                for index in rows.indices { values[index * width + offset] = own[index] }
            } else if let coded = columns[place] {
                let (levels, missing) = encoding.features(of: coded.levels, asOf: day)
                for index in rows.indices {
                    let code = Int(coded.codes[rows[index]])
                    for feature in 0..<size {
                        values[index * width + offset + feature] =
                            code < 0 ? missing[feature] : levels[code * size + feature]
                    }
                }
            }
            offset += size
        }
        return FeatureMatrix(rows: rows.count, width: width, values: values)
    }

    private static func rule(
        for column: ProfiledColumn, rows: [Int], labels: [Bool], prior: Double
    ) -> ColumnEncoding.Rule {
        switch column.kind {
        case .numeric: return .number
        case .boolean: return .boolean
        case .presence: return .presence
        case .coordinates: return .coordinates
        case .date:
            let last = column.levelValues.filter { !$0.isNaN }.max() ?? 0
            return .date(dayFirst: column.dayFirst, reference: Int(last))
        case .categorical, .identifier, .constant, .empty, .freeText:
            let (counts, positives) = tally(column.coded, rows, labels)
            let seen = column.coded.levels.indices.filter { counts[$0] > 0 }
            if seen.count <= mostLevels {
                // The most frequent first, so that the order does not depend on the order of the rows.
                let ordered = seen.map { (level: column.coded.levels[$0], count: counts[$0]) }
                    .sorted { ($1.count, $0.level) < ($0.count, $1.level) }
                return .levels(ordered.map(\.level))
            }
            var rates: [String: Float] = [:]
            for level in seen {
                rates[column.coded.levels[level]] = rate(positives[level], counts[level], prior)
            }
            return .rates(rates, prior: Float(prior))
        }
    }

    private static func rate(_ positives: Int, _ count: Int, _ prior: Double) -> Float {
        Float((Double(positives) + smoothing * prior) / (Double(count) + smoothing))
    }

    private static func tally(
        _ coded: CodedColumn, _ rows: [Int], _ labels: [Bool]
    ) -> (counts: [Int], positives: [Int]) {
        var counts = [Int](repeating: 0, count: coded.levels.count)
        var positives = counts
        for row in rows where coded.codes[row] >= 0 {
            counts[Int(coded.codes[row])] += 1
            if labels[row] { positives[Int(coded.codes[row])] += 1 }
        }
        return (counts, positives)
    }

    private static func outOfPartRates(
        _ coded: CodedColumn, _ rows: [Int], _ labels: [Bool], _ parts: [Int], _ prior: Double
    ) -> [Float] {
        let (counts, positives) = tally(coded, rows, labels)
        let levels = coded.levels.count
        var inPart = [Int](repeating: 0, count: levels * rateFolds)
        var positivesInPart = inPart
        for (index, row) in rows.enumerated() where coded.codes[row] >= 0 {
            let cell = parts[index] * levels + Int(coded.codes[row])
            inPart[cell] += 1
            if labels[row] { positivesInPart[cell] += 1 }
        }
        return rows.indices.map { index in
            let code = Int(coded.codes[rows[index]])
            guard code >= 0 else { return .nan }
            let cell = parts[index] * levels + code
            return rate(positives[code] - positivesInPart[cell], counts[code] - inPart[cell], prior)
        }
    }
}
