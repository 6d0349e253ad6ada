import Compute

/// How well a churn model does on customers it has not seen; one JSON object, the heart of the model card.
package struct EvaluationReport: Codable, Equatable, Sendable {
    /// One fold of the cross-validation.
    package struct Fold: Codable, Equatable, Sendable {
        package let auc: Double
        package let rows: Int
        package let positives: Int
        /// Depth and number of the trees.
        package let depth: Int
        package let trees: Int
    }

    /// Mean of the folds' areas under the ROC curve.
    package let auc: Double
    /// Log loss (nats), Brier score and expected calibration error (10 bins of equal mass) of the calibrated
    /// out-of-fold probabilities; each fold's calibrator was fitted on the other folds.
    package let logloss: Double
    package let brier: Double
    package let ece: Double
    /// Rate of positives among the 10 % with the highest probability, over the base rate.
    package let liftAt10: Double
    package let folds: Int
    /// Rows with a label.
    package let rows: Int
    /// Columns of the table that the model uses.
    package let features: Int
    package let excluded: [Exclusion]
    package let seconds: Double

    package let label: String
    package let positive: String
    package let positives: Int
    package let baseRate: Double
    package let seed: UInt64
    /// Area of all out-of-fold probabilities together, after calibration.
    package let aucPooled: Double
    /// The same figures before calibration.
    package let loglossRaw: Double
    package let eceRaw: Double
    package let calibrator: String
    package let perFold: [Fold]
    /// Rows of the table without a label, not used.
    package let rowsWithoutLabel: Int
    /// Rows that repeat another row; copies share a fold.
    package let duplicateRows: Int
    package let columns: [String]
    /// Numbers the trees see, after encoding.
    package let encodedFeatures: Int
    package let suspects: [Suspect]
    package let calibration: [ProbabilityScores.CalibrationBin]
    package let deciles: [Discrimination.Decile]
    package let roc: [Discrimination.ROCPoint]
    package let histogram: [Distribution.Bar]
    /// Mean absolute contribution (log-odds) per column, largest first. Empty when only evaluated.
    package internal(set) var importance: [ColumnImportance] = []

    package enum CodingKeys: String, CodingKey {
        case auc, logloss, brier, ece, folds, rows, features, excluded, seconds
        case liftAt10 = "lift_at_10"
        case label, positive, positives, seed, calibrator, columns, suspects, calibration, deciles, roc, histogram
        case importance
        case baseRate = "base_rate"
        case aucPooled = "auc_pooled"
        case loglossRaw = "logloss_raw"
        case eceRaw = "ece_raw"
        case perFold = "per_fold"
        case rowsWithoutLabel = "rows_without_label"
        case duplicateRows = "duplicate_rows"
        case encodedFeatures = "encoded_features"
    }
}

/// How much one column moves the scores, on average.
package struct ColumnImportance: Codable, Equatable, Sendable {
    package let column: String
    /// Mean absolute contribution in log-odds.
    package let weight: Double
}

extension Exclusion {
    /// The columns left out because they give the answer away.
    package static func leaks(in exclusions: [Exclusion]) -> [Exclusion] {
        exclusions.filter(\.code.isLeak)
    }
}
