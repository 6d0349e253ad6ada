import Foundation

/// How good predicted probabilities are as probabilities.
package enum ProbabilityScores {
    /// One bin of a calibration curve.
    package struct CalibrationBin: Codable, Equatable, Sendable {
        package let rows: Int
        /// Mean predicted probability, 0 ... 1.
        package let predicted: Double
        /// Share of positives, 0 ... 1.
        package let observed: Double
    }

    /// The bins used for the expected calibration error wherever the product states it.
    package static let calibrationBins = 10

    /// Mean negative log likelihood in nats; 0 is perfect. Probabilities are kept 1e-15 away from 0 and 1.
    package static func logLoss(probabilities: [Double], labels: [Bool]) -> Double {
        precondition(!labels.isEmpty, "at least one row")
        return logLosses(probabilities: probabilities, labels: labels).reduce(0, +) / Double(labels.count)
    }

    /// The loss of each row, whose mean is `logLoss`.
    package static func logLosses(probabilities: [Double], labels: [Bool]) -> [Double] {
        precondition(probabilities.count == labels.count, "one label per probability")
        return labels.indices.map { index in
            let kept = min(max(probabilities[index], 1e-15), 1 - 1e-15)
            return labels[index] ? -log(kept) : -log1p(-kept)
        }
    }

    /// Mean squared difference between probability and outcome (Brier, 1950); 0 is perfect, 1 the worst.
    package static func brier(probabilities: [Double], labels: [Bool]) -> Double {
        precondition(probabilities.count == labels.count && !labels.isEmpty, "one label per probability, at least one")
        var sum = 0.0
        for index in labels.indices {
            let difference = probabilities[index] - (labels[index] ? 1 : 0)
            sum += difference * difference
        }
        return sum / Double(labels.count)
    }

    /// Rows in order of probability, cut into `bins` parts of equal size (equal mass): mean prediction against the
    /// share of positives in each. Sizes differ by at most one.
    ///
    /// Rows of equal probability that fall into different bins each count with the mean outcome of their tie, so that
    /// the order of the rows does not matter.
    package static func calibrationCurve(
        probabilities: [Double], labels: [Bool], bins: Int = calibrationBins
    ) -> [CalibrationBin] {
        precondition(probabilities.count == labels.count, "one label per probability")
        precondition(bins >= 1, "at least one bin")
        let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
        var outcome = [Double](repeating: 0, count: order.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, probabilities[order[end]] == probabilities[order[start]] { end += 1 }
            let positives = (start..<end).reduce(0) { $0 + (labels[order[$1]] ? 1 : 0) }
            for place in start..<end { outcome[place] = Double(positives) / Double(end - start) }
            start = end
        }
        let count = min(bins, order.count)
        return (0..<count).map { bin in
            let range = (bin * order.count / count)..<((bin + 1) * order.count / count)
            let size = Double(range.count)
            return CalibrationBin(
                rows: range.count,
                predicted: range.reduce(0) { $0 + probabilities[order[$1]] } / size,
                observed: range.reduce(0) { $0 + outcome[$1] } / size)
        }
    }

    /// Expected calibration error over equal-mass bins: the mean, weighted by rows, of |predicted - observed|. 0 ... 1.
    ///
    /// Source: Naeini, Cooper, Hauskrecht (2015), with bins of equal mass (Nguyen and O'Connor, 2015), 10 by default.
    package static func expectedCalibrationError(
        probabilities: [Double], labels: [Bool], bins: Int = calibrationBins
    ) -> Double {
        let curve = calibrationCurve(probabilities: probabilities, labels: labels, bins: bins)
        let rows = curve.reduce(0) { $0 + $1.rows }
        guard rows > 0 else { return 0 }
        return curve.reduce(0) { $0 + Double($1.rows) * abs($1.predicted - $1.observed) } / Double(rows)
    }
}
