/// Quantiles and histograms of plain numbers.
package enum Distribution {
    /// One bar of a histogram: values in [lower, upper), the last bar includes its upper edge.
    package struct Bar: Codable, Equatable, Sendable {
        package let lower: Double
        package let upper: Double
        package let count: Int
    }

    /// The value below which a share `probability` (0 ... 1) of `sorted` lies, interpolated linearly.
    ///
    /// Source: definition 7 of Hyndman and Fan (1996), the usual default. nil when there are no values.
    package static func quantile(sorted: [Double], _ probability: Double) -> Double? {
        precondition(probability >= 0 && probability <= 1, "a share")
        guard let last = sorted.last else { return nil }
        let position = probability * Double(sorted.count - 1)
        let lower = Int(position)
        guard lower + 1 < sorted.count else { return last }
        return sorted[lower] + (position - Double(lower)) * (sorted[lower + 1] - sorted[lower])
    }

    /// The quantiles of unsorted values without NaN; nil elements when there are no values.
    package static func quantiles(of values: [Double], _ probabilities: [Double]) -> [Double?] {
        let sorted = values.sorted()
        return probabilities.map { quantile(sorted: sorted, $0) }
    }

    /// Bars of equal width between `lower` and `upper` (lower < upper); values outside fall into the end bars, NaN is
    /// left out.
    package static func histogram(of values: [Double], lower: Double, upper: Double, bars: Int) -> [Bar] {
        precondition(bars >= 1 && lower < upper, "at least one bar over a range")
        let width = (upper - lower) / Double(bars)
        var counts = [Int](repeating: 0, count: bars)
        for value in values where !value.isNaN {
            let place = min(max((value - lower) / width, 0), Double(bars - 1))
            counts[Int(place)] += 1
        }
        return counts.enumerated().map { index, count in
            Bar(
                lower: lower + Double(index) * width,
                upper: index == bars - 1 ? upper : lower + Double(index + 1) * width, count: count)
        }
    }
}
