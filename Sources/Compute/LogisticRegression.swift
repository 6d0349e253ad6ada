import Foundation

/// Logistic regression on a handful of columns, for calibration; not meant for wide data.
package enum LogisticRegression {
    /// The logistic function, 1 / (1 + e^-x), without overflow.
    package static func sigmoid(_ value: Double) -> Double {
        if value >= 0 { return 1 / (1 + exp(-value)) }
        let power = exp(value)
        return power / (1 + power)
    }

    /// The log-odds of a probability, kept `margin` away from 0 and 1.
    package static func logit(_ probability: Double, margin: Double = 1e-7) -> Double {
        let kept = min(max(probability, margin), 1 - margin)
        return log(kept / (1 - kept))
    }

    /// Coefficients (one per column, then the intercept) that minimise the cross-entropy to `targets` in 0 ... 1 plus
    /// `ridge` times half the sum of squared coefficients (not of the intercept).
    ///
    /// Newton's method with step halving (Nocedal and Wright, 2006, chapter 3); the loss never rises. Always returns
    /// finite numbers: at a singular step it stops where it is.
    package static func fit(columns: [[Double]], targets: [Double], ridge: Double = 1e-6) -> [Double] {
        let size = columns.count + 1
        precondition(columns.allSatisfy { $0.count == targets.count }, "one value per target")
        var coefficients = [Double](repeating: 0, count: size)
        guard !targets.isEmpty else { return coefficients }
        let mean = targets.reduce(0, +) / Double(targets.count)
        coefficients[size - 1] = logit(mean)
        var current = loss(columns, targets, coefficients, ridge)
        for _ in 0..<100 {
            let (gradient, hessian) = derivatives(columns, targets, coefficients, ridge)
            guard let step = solve(hessian, gradient) else { break }
            var scale = 1.0
            var improved = false
            while scale > 1e-6 {
                let candidate = zip(coefficients, step).map { $0 - scale * $1 }
                let candidateLoss = loss(columns, targets, candidate, ridge)
                if candidateLoss < current {
                    improved = current - candidateLoss > 1e-12 * max(1, current)
                    coefficients = candidate
                    current = candidateLoss
                    break
                }
                scale /= 2
            }
            if !improved { break }
        }
        return coefficients
    }

    /// Total loss at `coefficients`.
    private static func loss(
        _ columns: [[Double]], _ targets: [Double], _ coefficients: [Double], _ ridge: Double
    ) -> Double {
        let width = columns.count
        var sum = 0.0
        for row in targets.indices {
            var score = coefficients[width]
            for column in 0..<width { score += coefficients[column] * columns[column][row] }
            // log(1 + e^s) - t s, written so that a large score does not overflow.
            sum += max(score, 0) + log1p(exp(-abs(score))) - targets[row] * score
        }
        return sum + ridge / 2 * coefficients.prefix(width).reduce(0) { $0 + $1 * $1 }
    }

    /// Gradient and Hessian (row-major) of the total loss.
    private static func derivatives(
        _ columns: [[Double]], _ targets: [Double], _ coefficients: [Double], _ ridge: Double
    ) -> ([Double], [Double]) {
        let width = columns.count
        let size = width + 1
        var gradient = [Double](repeating: 0, count: size)
        var hessian = [Double](repeating: 0, count: size * size)
        var values = [Double](repeating: 1, count: size)
        for row in targets.indices {
            var score = coefficients[width]
            for column in 0..<width {
                values[column] = columns[column][row]
                score += coefficients[column] * values[column]
            }
            let probability = sigmoid(score)
            let weight = probability * (1 - probability)
            let error = probability - targets[row]
            for first in 0..<size {
                gradient[first] += error * values[first]
                for second in 0...first { hessian[first * size + second] += weight * values[first] * values[second] }
            }
        }
        for first in 0..<size {
            if first < width {
                gradient[first] += ridge * coefficients[first]
                hessian[first * size + first] += ridge
            }
            for second in 0..<first { hessian[second * size + first] = hessian[first * size + second] }
        }
        return (gradient, hessian)
    }

    /// The solution of a small square system by elimination with partial pivoting; nil when it is singular.
    private static func solve(_ matrix: [Double], _ right: [Double]) -> [Double]? {
        let size = right.count
        var rows = (0..<size).map { Array(matrix[($0 * size)..<(($0 + 1) * size)]) + [right[$0]] }
        for column in 0..<size {
            guard let pivot = (column..<size).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
                abs(rows[pivot][column]) > 1e-14
            else { return nil }
            rows.swapAt(column, pivot)
            for row in 0..<size where row != column {
                let factor = rows[row][column] / rows[column][column]
                guard factor != 0 else { continue }
                for place in column...size { rows[row][place] -= factor * rows[column][place] }
            }
        }
        return (0..<size).map { rows[$0][size] / rows[$0][$0] }
    }
}
