import Foundation

/// A monotone map from a model's probability to one that means what it says.
package enum Calibrator: Codable, Equatable, Sendable {
    /// The model's probability as it is.
    case identity
    /// sigmoid(slope * logit(p) + intercept). Source: Platt (1999), with the targets of Lin, Lin, Weng (2007).
    case platt(slope: Double, intercept: Double)
    /// sigmoid(a ln p - b ln(1 - p) + c), a and b not negative. Source: Kull, Silva Filho, Flach (2017).
    case beta(a: Double, b: Double, c: Double)
    /// Linear interpolation between ascending points; constant beyond the ends. Source: Zadrozny and Elkan (2002).
    case isotonic(inputs: [Double], outputs: [Double])

    /// The calibrated probability, in (0, 1), for a model's probability in [0, 1].
    package func apply(_ probability: Double) -> Double {
        let result: Double
        switch self {
        case .identity:
            result = probability
        case .platt(let slope, let intercept):
            result = LogisticRegression.sigmoid(slope * LogisticRegression.logit(probability) + intercept)
        case .beta(let a, let b, let c):
            let kept = Self.kept(probability)
            result = LogisticRegression.sigmoid(a * log(kept) - b * log1p(-kept) + c)
        case .isotonic(let inputs, let outputs):
            result = Isotonic.interpolate(probability, inputs: inputs, outputs: outputs)
        }
        return Self.kept(result)
    }

    package func apply(_ probabilities: [Double]) -> [Double] {
        probabilities.map(apply)
    }

    /// A short name for reports: `none`, `platt`, `beta`, `isotonic`.
    package var name: String {
        switch self {
        case .identity: "none"
        case .platt: "platt"
        case .beta: "beta"
        case .isotonic: "isotonic"
        }
    }

    package static func fitPlatt(probabilities: [Double], labels: [Bool]) -> Calibrator {
        let positives = Double(labels.reduce(0) { $0 + ($1 ? 1 : 0) })
        let negatives = Double(labels.count) - positives
        let high = (positives + 1) / (positives + 2)
        let low = 1 / (negatives + 2)
        let fitted = LogisticRegression.fit(
            columns: [probabilities.map { LogisticRegression.logit($0) }], targets: labels.map { $0 ? high : low })
        // A falling map would turn the model's order round; that is noise, and the order is kept.
        guard fitted[0] > 0 else { return .identity }
        return .platt(slope: fitted[0], intercept: fitted[1])
    }

    package static func fitBeta(probabilities: [Double], labels: [Bool]) -> Calibrator {
        let rising = probabilities.map { log(kept($0)) }
        let falling = probabilities.map { -log1p(-kept($0)) }
        let targets = labels.map { $0 ? 1.0 : 0.0 }
        var fitted = LogisticRegression.fit(columns: [rising, falling], targets: targets)
        if fitted[0] < 0 {
            let single = LogisticRegression.fit(columns: [falling], targets: targets)
            fitted = [0, single[0], single[1]]
        } else if fitted[1] < 0 {
            let single = LogisticRegression.fit(columns: [rising], targets: targets)
            fitted = [single[0], 0, single[1]]
        }
        guard fitted[0] >= 0, fitted[1] >= 0, fitted[0] + fitted[1] > 0 else { return .identity }
        return .beta(a: fitted[0], b: fitted[1], c: fitted[2])
    }

    /// Isotonic calibration; outputs are kept 1 / (rows + 2) away from 0 and 1, so that no outcome becomes impossible.
    package static func fitIsotonic(probabilities: [Double], labels: [Bool]) -> Calibrator {
        guard !labels.isEmpty else { return .identity }
        let fit = Isotonic.fit(inputs: probabilities, targets: labels.map { $0 ? 1 : 0 })
        let margin = 1 / Double(labels.count + 2)
        return .isotonic(inputs: fit.inputs, outputs: fit.outputs.map { min(max($0, margin), 1 - margin) })
    }

    /// The calibrator with the lowest cross-validated log loss, fitted on all rows given.
    ///
    /// In the order identity, Platt, beta, isotonic, a more flexible one must win by more than one standard error of
    /// the difference (paired by row), so that on few rows noise does not pick it. Isotonic is tried only with 500 rows
    /// of the rarer class, since it overfits below; with fewer than 20 nothing is fitted. `probabilities` must be out
    /// of sample (from models that did not see the row).
    package static func fitBest(
        probabilities: [Double], labels: [Bool], folds: Int = 5, seed: UInt64
    ) -> Calibrator {
        precondition(probabilities.count == labels.count, "one label per probability")
        let positives = labels.reduce(0) { $0 + ($1 ? 1 : 0) }
        let rarer = min(positives, labels.count - positives)
        guard rarer >= 20 else { return .identity }
        var fits: [@Sendable ([Double], [Bool]) -> Calibrator] = [
            { _, _ in .identity }, { fitPlatt(probabilities: $0, labels: $1) },
            { fitBeta(probabilities: $0, labels: $1) },
        ]
        if rarer >= 500 { fits.append { fitIsotonic(probabilities: $0, labels: $1) } }

        let assigned = StratifiedFolds.assign(labels: labels, folds: folds, seed: seed)
        var best = 0
        var bestLosses: [Double] = []
        for (index, fit) in fits.enumerated() {
            var calibrated = probabilities
            for fold in 0..<folds {
                let inside = labels.indices.filter { assigned[$0] != fold }
                let calibrator = fit(inside.map { probabilities[$0] }, inside.map { labels[$0] })
                for row in labels.indices where assigned[row] == fold {
                    calibrated[row] = calibrator.apply(probabilities[row])
                }
            }
            let losses = ProbabilityScores.logLosses(probabilities: calibrated, labels: labels)
            if index == 0 || isClearlyLower(losses, than: bestLosses) {
                best = index
                bestLosses = losses
            }
        }
        return fits[best](probabilities, labels)
    }

    /// Whether the mean of `first` lies below that of `second` by more than the standard error of the difference.
    private static func isClearlyLower(_ first: [Double], than second: [Double]) -> Bool {
        let count = Double(first.count)
        let gains = zip(second, first).map { $0 - $1 }
        let mean = gains.reduce(0, +) / count
        let variance = gains.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
        return mean > (variance / count).squareRoot()
    }

    private static func kept(_ probability: Double) -> Double {
        min(max(probability, 1e-7), 1 - 1e-7)
    }
}
