import Compute
import Foundation

/// Learns from a table who will leave. Everything blocks; call it from a thread of your own.
package enum ChurnTrainer {
    /// Fewest labelled rows that are worth learning from.
    package static let fewestRows = 50
    /// Fewest rows of either outcome.
    package static let fewestOfOutcome = 5
    package static let foldRange = 2...20

    /// Cross-validates: every figure in the report comes from customers the model in question had not seen.
    ///
    /// Kinds and give-aways are judged on all rows (that can only take columns away); everything that learns from
    /// outcomes (target rates, settings, number of trees, trees, calibrator) is fitted inside the training folds.
    package static func evaluate(
        _ table: RawTable, _ options: TrainingOptions, progress: ProgressHandler = { _ in }
    ) throws -> EvaluationReport {
        try evaluateWithPredictions(table, options, progress: progress).report
    }

    /// The same with what the figures are computed from: per labelled row its out-of-fold probability.
    package static func evaluateWithPredictions(
        _ table: RawTable, _ options: TrainingOptions, progress: ProgressHandler = { _ in }
    ) throws -> (report: EvaluationReport, predictions: [Prediction]) {
        let start = ContinuousClock.now
        let prepared = try PreparedTable(table, options, progress)
        let validation = try crossValidate(prepared, options, progress, upTo: 0.95)
        let report = report(prepared, options, validation, seconds: (ContinuousClock.now - start) / .seconds(1))
        let predictions = prepared.labels.indices.map {
            Prediction(
                row: prepared.sourceRows[$0], fold: validation.folds[$0], outcome: prepared.labels[$0],
                raw: validation.probabilities[$0], probability: validation.calibrated[$0])
        }
        try progress(TrainingProgress(stage: .done, share: 1))
        return (report, predictions)
    }

    /// What models that had not seen a row say of it.
    package struct Prediction: Sendable {
        /// Place in the table, from 0.
        package let row: Int
        package let fold: Int
        package let outcome: Bool
        /// Before calibration.
        package let raw: Double
        package let probability: Double
    }

    /// Cross-validates, then fits the model that will score customers on all labelled rows: the settings with the
    /// lowest mean loss over the folds, their median number of trees, and a calibrator fitted on all out-of-fold
    /// probabilities.
    package static func train(
        _ table: RawTable, _ options: TrainingOptions, progress: ProgressHandler = { _ in }
    ) throws -> TrainedModel {
        try train(table, options, against: nil, progress: progress).model
    }

    /// The same, and how a model in use does on the same rows and folds.
    package static func train(
        _ table: RawTable, _ options: TrainingOptions, against champion: Champion?,
        progress: ProgressHandler = { _ in }
    ) throws -> (model: TrainedModel, comparison: ChampionComparison?) {
        let start = ContinuousClock.now
        let prepared = try PreparedTable(table, options, progress)
        let validation = try crossValidate(prepared, options, progress, upTo: champion == nil ? 0.75 : 0.6)
        let comparison = try champion.map {
            try compare($0, table, prepared, options, validation, progress, from: 0.6, upTo: 0.75)
        }
        try progress(TrainingProgress(stage: .fitting, share: 0.75))

        let rows = Array(prepared.labels.indices)
        let (encoder, matrix) = TableEncoder.fit(
            prepared.columns, rows: rows, labels: prepared.labels, seed: options.seed)
        let candidates = TreeTuning.candidates(rows: rows.count)
        let (chosen, rounds) = validation.choice(of: candidates.count)
        let booster = try TreeBooster.train(
            matrix, labels: prepared.labels, settings: candidates[chosen], rounds: rounds,
            seed: options.seed, threads: options.threads)
        let calibrator = Calibrator.fitBest(
            probabilities: validation.probabilities, labels: prepared.labels, seed: options.seed)
        try progress(TrainingProgress(stage: .fitting, share: 0.9))

        var report = report(prepared, options, validation, seconds: (ContinuousClock.now - start) / .seconds(1))
        report.importance = try importance(booster, encoder, prepared, seed: options.seed)
        let base = Double(prepared.positives) / Double(prepared.labels.count)
        let model = TrainedModel(
            booster: booster, encoder: encoder, calibrator: calibrator,
            summaries: prepared.columns.map { ColumnSummary($0, labels: prepared.labels) },
            bands: RiskBands(baseRate: base), label: prepared.label.name, positive: prepared.label.positive,
            identifier: options.identifier, report: report)
        try progress(TrainingProgress(stage: .done, share: 1))
        return (model, comparison)
    }

    // MARK: Cross-validation

    struct Validation: Sendable {
        /// Fold of each row, and its out-of-fold probability before calibration.
        let folds: [Int]
        let probabilities: [Double]
        let calibrated: [Double]
        let fits: [FoldResult]
        let calibrator: String

        /// The candidate with the lowest mean loss, and its number of trees for all rows.
        func choice(of candidates: Int) -> (chosen: Int, rounds: Int) {
            let trials = (0..<candidates).map { place in
                let rounds = fits.map { $0.trials[place].rounds }.sorted()
                return TreeTuning.Trial(
                    loss: fits.reduce(0) { $0 + $1.trials[place].loss } / Double(fits.count),
                    rounds: rounds[rounds.count / 2])
            }
            let chosen = TreeTuning.best(of: trials)
            return (chosen, TreeTuning.wholeRounds(trials[chosen].rounds))
        }
    }

    struct FoldResult: Sendable {
        let rows: [Int]
        let probabilities: [Double]
        let trials: [TreeTuning.Trial]
        let depth: Int
        let trees: Int
        let width: Int
    }

    /// - Parameter columns: those to learn from; nil for all that the screening kept. The folds do not depend on them.
    static func crossValidate(
        _ prepared: PreparedTable, columns chosen: [ProfiledColumn]? = nil, _ options: TrainingOptions,
        _ progress: ProgressHandler, from begin: Double = 0.15, upTo end: Double
    ) throws -> Validation {
        let columns = chosen ?? prepared.columns
        let (labels, groups, seed) = (prepared.labels, prepared.groups, options.seed)
        let folds = StratifiedFolds.assign(labels: labels, groups: groups, folds: options.folds, seed: seed)
        try progress(TrainingProgress(stage: .folds, share: begin))
        // Folds run side by side with one thread each: small data parallelise badly inside, and one thread per
        // training makes the figures repeatable.
        var fits: [FoldResult] = []
        let side = max(1, options.threads)
        while fits.count < options.folds {
            let first = fits.count
            let batch = try ParallelWork.map(min(side, options.folds - first), threads: side) { index in
                try crossFit(columns, labels: labels, groups: groups, folds: folds, fold: first + index, seed: seed)
            }
            fits += batch
            let share = begin + (end - begin) * Double(fits.count) / Double(options.folds)
            try progress(TrainingProgress(stage: .folds, share: share))
        }
        try progress(TrainingProgress(stage: .calibrating, share: end))

        var probabilities = [Double](repeating: 0, count: labels.count)
        for fit in fits {
            for (index, row) in fit.rows.enumerated() { probabilities[row] = fit.probabilities[index] }
        }
        let raw = probabilities
        let calibrators = try ParallelWork.map(options.folds, threads: side) { fold in
            let others = labels.indices.filter { folds[$0] != fold }
            return Calibrator.fitBest(
                probabilities: others.map { raw[$0] }, labels: others.map { labels[$0] }, seed: seed)
        }
        let calibrated = labels.indices.map { calibrators[folds[$0]].apply(probabilities[$0]) }
        let names = Set(calibrators.map(\.name)).sorted().joined(separator: ", ")
        return Validation(
            folds: folds, probabilities: probabilities, calibrated: calibrated, fits: fits, calibrator: names)
    }

    private static func crossFit(
        _ columns: [ProfiledColumn], labels: [Bool], groups: [Int]?, folds: [Int], fold: Int, seed: UInt64
    ) throws -> FoldResult {
        let inside = labels.indices.filter { folds[$0] != fold }
        let held = labels.indices.filter { folds[$0] == fold }
        let fit = try TreeTuning.fit(
            columns, rows: inside, labels: labels, groups: groups, seed: seed &+ UInt64(fold) &* 7919, threads: 1)
        let margins = try fit.booster.margins(fit.encoder.transform(columns.map(\.coded), rows: held))
        return FoldResult(
            rows: held, probabilities: margins.map { LogisticRegression.sigmoid(Double($0)) }, trials: fit.trials,
            depth: fit.settings.depth, trees: fit.rounds, width: fit.encoder.width)
    }

    // MARK: Report

    private static func report(
        _ prepared: PreparedTable, _ options: TrainingOptions, _ validation: Validation, seconds: Double
    ) -> EvaluationReport {
        let labels = prepared.labels
        let calibrated = validation.calibrated
        let perFold = validation.fits.map { fit in
            EvaluationReport.Fold(
                auc: Discrimination.auc(scores: fit.probabilities, labels: fit.rows.map { labels[$0] }) ?? 0.5,
                rows: fit.rows.count, positives: fit.rows.reduce(0) { $0 + (labels[$1] ? 1 : 0) }, depth: fit.depth,
                trees: fit.trees)
        }
        return EvaluationReport(
            auc: perFold.reduce(0) { $0 + $1.auc } / Double(perFold.count),
            logloss: ProbabilityScores.logLoss(probabilities: calibrated, labels: labels),
            brier: ProbabilityScores.brier(probabilities: calibrated, labels: labels),
            ece: ProbabilityScores.expectedCalibrationError(probabilities: calibrated, labels: labels),
            liftAt10: Discrimination.lift(scores: calibrated, labels: labels, top: 0.1) ?? 1,
            folds: options.folds, rows: labels.count, features: prepared.columns.count,
            excluded: prepared.screen.excluded, seconds: (seconds * 1000).rounded() / 1000,
            label: prepared.label.name, positive: prepared.label.positive, positives: prepared.positives,
            baseRate: Double(prepared.positives) / Double(labels.count), seed: options.seed,
            aucPooled: Discrimination.auc(scores: calibrated, labels: labels) ?? 0.5,
            loglossRaw: ProbabilityScores.logLoss(probabilities: validation.probabilities, labels: labels),
            eceRaw: ProbabilityScores.expectedCalibrationError(probabilities: validation.probabilities, labels: labels),
            calibrator: validation.calibrator, perFold: perFold, rowsWithoutLabel: prepared.rowsWithoutLabel,
            duplicateRows: prepared.duplicateRows, columns: prepared.columns.map(\.name),
            encodedFeatures: validation.fits.map(\.width).max() ?? 0, suspects: prepared.screen.suspects,
            calibration: ProbabilityScores.calibrationCurve(probabilities: calibrated, labels: labels),
            deciles: Discrimination.deciles(scores: calibrated, labels: labels),
            roc: Discrimination.roc(scores: calibrated, labels: labels),
            histogram: Distribution.histogram(of: calibrated, lower: 0, upper: 1, bars: 20))
    }

    /// Mean absolute contributions over at most 2,000 rows.
    private static func importance(
        _ booster: TreeBooster, _ encoder: TableEncoder, _ prepared: PreparedTable, seed: UInt64
    ) throws -> [ColumnImportance] {
        var random = SeededRandom(seed: seed)
        let rows = Array(random.permutation(of: prepared.labels.count).prefix(2000)).sorted()
        let contributions = try booster.contributions(encoder.transform(prepared.columns.map(\.coded), rows: rows))
        let sums = TrainedModel.sumByColumn(contributions, encoder: encoder, rows: rows.count)
        let width = encoder.columns.count
        return encoder.columns.indices.map { column in
            let total = rows.indices.reduce(0.0) { $0 + abs(sums[$1 * (width + 1) + column]) }
            return ColumnImportance(column: encoder.columns[column].column, weight: total / Double(rows.count))
        }.sorted { ($1.weight, $0.column) < ($0.weight, $1.column) }
    }
}
