import Compute

/// The model in use when a new one is learned.
package struct Champion: Sendable {
    package let model: TrainedModel
    /// Per row of the table: whether the model cannot have learned from it.
    package let unseen: [Bool]
    /// The table's names of columns the model knows by another one.
    package let names: ColumnNames

    package init(model: TrainedModel, unseen: [Bool], names: ColumnNames = ColumnNames()) {
        self.model = model
        self.unseen = unseen
        self.names = names
    }
}

/// How a new model does beside the one in use, both on the same rows of the same base. Figures that two models got on
/// different bases say nothing about each other: a tidy base makes a high figure.
package struct ChampionComparison: Codable, Equatable, Sendable {
    package enum Basis: String, Codable, Sendable {
        /// On rows the model in use had not seen, with its own scores.
        case unseen
        /// There are too few such rows, and on those it learned from its own scores would flatter it. So its columns are
        /// learned anew in the same folds.
        case refitted
        /// Columns it needs are not in the base any more: it cannot score.
        case unusable
    }

    package let basis: Basis
    /// Rows compared on, and those among them that left.
    package let rows: Int
    package let positives: Int
    /// Areas under the ROC curve of the new model's out-of-fold scores and of the model in use; nil when it cannot score.
    package let auc: Double
    package let championAUC: Double?
    /// Of the difference.
    package let standardError: Double

    /// This much less is never "worse".
    static let tolerance = 0.005
    /// One-sided 95 %.
    private static let sureness = 1.645

    /// A new version takes over unless it is clearly worse: by more than the tolerance and by more than chance.
    package var takesOver: Bool {
        guard let championAUC else { return true }
        return auc >= championAUC - max(Self.tolerance, Self.sureness * standardError)
    }
}

extension ChurnTrainer {
    /// Unseen rows of either outcome from which a comparison on them is worth more than one by learning anew.
    static let fewestUnseen = 30

    static func compare(
        _ champion: Champion, _ table: RawTable, _ prepared: PreparedTable, _ options: TrainingOptions,
        _ validation: Validation, _ progress: ProgressHandler, from begin: Double, upTo end: Double
    ) throws -> ChampionComparison {
        let (labels, own) = (prepared.labels, validation.probabilities)
        func result(_ basis: ChampionComparison.Basis, _ rows: [Int], _ other: [Double]) -> ChampionComparison {
            let labels = rows.map { labels[$0] }
            let difference = Discrimination.difference(rows.map { own[$0] }, other, labels: labels)
            return ChampionComparison(
                basis: basis, rows: rows.count, positives: labels.reduce(0) { $0 + ($1 ? 1 : 0) },
                auc: difference?.first ?? 0.5, championAUC: difference?.second ?? 0.5,
                standardError: difference?.standardError ?? 0)
        }
        let all = Array(labels.indices)
        guard champion.model.unmetColumns(in: Set(table.names.map(champion.names.model))).isEmpty else {
            return ChampionComparison(
                basis: .unusable, rows: all.count, positives: prepared.positives,
                auc: Discrimination.auc(scores: own, labels: labels) ?? 0.5, championAUC: nil, standardError: 0)
        }
        let unseen = all.filter { champion.unseen[prepared.sourceRows[$0]] }
        let positives = unseen.reduce(0) { $0 + (labels[$1] ? 1 : 0) }
        if min(positives, unseen.count - positives) >= fewestUnseen {
            let rows = unseen.map { prepared.sourceRows[$0] }
            let part = RawTable(
                columns: table.columns.map { column in
                    (champion.names.model(column.name), rows.map { column.values[$0] })
                })
            return result(.unseen, unseen, try champion.model.probabilities(part))
        }
        let known = Set(champion.model.columns.map(champion.names.table))
        let shared = prepared.columns.filter { known.contains($0.name) }
        // The same columns in the same folds give the same figures.
        guard shared.count < prepared.columns.count, !shared.isEmpty else { return result(.refitted, all, own) }
        let again = try crossValidate(prepared, columns: shared, options, progress, from: begin, upTo: end)
        return result(.refitted, all, again.probabilities)
    }
}
