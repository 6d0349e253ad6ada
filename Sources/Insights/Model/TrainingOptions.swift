/// What to learn from a table, and how.
package struct TrainingOptions: Sendable {
    /// The column that tells who left.
    package var label: String
    /// The value of the label that means "left"; nil to find it (see `LabelColumn`).
    package var positive: String?
    /// The column that names the customer; left out of the model.
    package var identifier: String?
    /// Parts of the cross-validation, 2 ... 20.
    package var folds = 5
    /// The same seed and number of threads give the same figures.
    package var seed: UInt64 = 1
    package var threads = 2
    /// Columns to keep whatever the evidence against them, and columns to leave out.
    package var keep: Set<String> = []
    package var drop: Set<String> = []

    package init(
        label: String, positive: String? = nil, identifier: String? = nil, folds: Int = 5, seed: UInt64 = 1,
        threads: Int = 2, keep: Set<String> = [], drop: Set<String> = []
    ) {
        self.label = label
        self.positive = positive
        self.identifier = identifier
        self.folds = folds
        self.seed = seed
        self.threads = threads
        self.keep = keep
        self.drop = drop
    }
}

/// How far a training is.
package struct TrainingProgress: Sendable, Equatable {
    package enum Stage: String, Sendable {
        case reading, screening, folds, calibrating, fitting, done
    }

    package let stage: Stage
    /// Share of the whole that is done, 0 ... 1; never falls.
    package let share: Double

    package var text: Bilingual {
        switch stage {
        case .reading: Bilingual(zh: "读取各列", en: "Reading the columns")
        case .screening: Bilingual(zh: "查找泄露答案的列", en: "Looking for columns that give the answer away")
        case .folds: Bilingual(zh: "交叉验证", en: "Cross-validating")
        case .calibrating: Bilingual(zh: "校准概率", en: "Calibrating probabilities")
        case .fitting: Bilingual(zh: "用全部数据训练", en: "Training on all rows")
        case .done: Bilingual(zh: "完成", en: "Done")
        }
    }
}

/// Told of progress from any thread. Throwing (for instance `CancellationError`) stops the training with that error.
package typealias ProgressHandler = @Sendable (TrainingProgress) throws -> Void
