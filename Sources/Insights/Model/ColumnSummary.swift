import Compute

/// How the customers a model learned from are spread over one column, to compare a single customer with.
package struct ColumnSummary: Codable, Equatable, Sendable {
    package let column: String
    package let kind: ColumnKind
    package let dayFirst: Bool
    /// Ascending distinct numbers (all, or 201 quantiles when there are more), with the share of customers strictly
    /// below and strictly above each. Empty for columns without an order.
    package let values: [Double]
    package let below: [Double]
    package let above: [Double]
    /// The most frequent texts (at most 60) and the share of customers that have them, for columns without an order.
    package let shares: [String: Double]
    /// Share of customers without a value.
    package let missing: Double

    private static let mostValues = 201
    private static let mostTexts = 60

    init(_ column: ProfiledColumn, labels: [Bool]) {
        self.column = column.name
        kind = column.kind
        dayFirst = column.dayFirst
        let coded = column.coded
        let rows = max(1, coded.codes.count)
        missing = Double(coded.missing) / Double(rows)
        let counts = coded.counts
        let ordered = column.levelValues.indices.filter { !column.levelValues[$0].isNaN }
            .sorted { column.levelValues[$0] < column.levelValues[$1] }
        let known = ordered.reduce(0) { $0 + counts[$1] }
        guard known > 0, kind == .numeric || kind == .date else {
            values = []
            below = []
            above = []
            let frequent = counts.indices.sorted {
                counts[$0] != counts[$1] ? counts[$0] > counts[$1] : coded.levels[$0] < coded.levels[$1]
            }.prefix(Self.mostTexts)
            shares = Dictionary(
                frequent.map { (coded.levels[$0], Double(counts[$0]) / Double(rows)) }, uniquingKeysWith: +)
            return
        }
        shares = [:]
        var distinct: [(value: Double, below: Int, count: Int)] = []
        var before = 0
        for level in ordered {
            // Different spellings of one number (1 and 1.0) are one value.
            if let last = distinct.indices.last, distinct[last].value == column.levelValues[level] {
                distinct[last].count += counts[level]
            } else {
                distinct.append((column.levelValues[level], before, counts[level]))
            }
            before += counts[level]
        }
        let step = max(1, Double(distinct.count - 1) / Double(Self.mostValues - 1))
        let picked =
            distinct.count <= Self.mostValues
            ? distinct : (0..<Self.mostValues).map { distinct[min(distinct.count - 1, Int(Double($0) * step))] }
        values = picked.map(\.value)
        below = picked.map { Double($0.below) / Double(known) }
        above = picked.map { Double(known - $0.below - $0.count) / Double(known) }
    }

    /// The share of customers whose value is lower, and whose value is higher; nil for columns without an order.
    package func place(of value: Double) -> (below: Double, above: Double)? {
        guard let first = values.first, let last = values.last, !value.isNaN else { return nil }
        if value < first { return (0, 1) }
        if value > last { return (1, 0) }
        var low = 0
        var high = values.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if values[middle] <= value { low = middle } else { high = middle - 1 }
        }
        if values[low] == value || low + 1 >= values.count { return (below[low], above[low]) }
        // Between two known values: everyone up to the lower one is below, everyone from the upper one on is above.
        return (1 - above[low], 1 - below[low + 1])
    }
}
