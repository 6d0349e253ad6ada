import Foundation
import Kernel

/// Where a version of the model stands. At most one is active.
enum ModelState: String, Sendable, CaseIterable {
    case training, ready, active, retired, failed
}

/// Figures every list of versions shows; measured on customers the model had not seen.
struct ModelFigures: Sendable, Equatable {
    var auc = 0.0
    var logloss = 0.0
    var brier = 0.0
    var ece = 0.0
    var liftAt10 = 0.0
}

/// A version of the churn model (insights_model), without its card.
struct ModelRecord: Sendable {
    let id: ModelID
    /// 1, 2, 3, ... in the order of training.
    let version: Int
    let state: ModelState
    let jobID: JobID?
    let trainedAt: Instant
    let trainedBy: String
    /// Customers read, those with a known outcome, those who left.
    let customers: Int
    let labelled: Int
    let leavers: Int
    let features: Int
    let folds: Int
    let figures: ModelFigures
    let seed: UInt64
    let blobID: String?
    /// Why it failed.
    let failure: Words?

    var hasModel: Bool { state == .ready || state == .active || state == .retired }
}

/// What the model card shows beyond the figures; kept as JSON.
struct ModelCard: Codable, Sendable {
    let report: EvaluationReport
    /// Whether customers with an unknown outcome were taken for stayers, because none is recorded as one.
    let unknownCountedAsStayed: Bool
    /// Whether a sample was learned from instead of all customers.
    let sampled: Bool
    /// Where the bands begin.
    let bands: RiskBands
    /// How the version in use did beside this one when it was learned; nil for the first, and for cards of older versions.
    let decision: ModelDecision?
    /// The highest customer id learned from: ids rise with time, so customers beyond it were not seen.
    let learnedUntil: Int64?

    static func decode(_ text: String) throws -> ModelCard {
        try JSONDecoder().decode(ModelCard.self, from: Data(text.utf8))
    }

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Whether a finished version took over from the one in use, and the figures behind it.
struct ModelDecision: Codable, Sendable, Equatable {
    /// Version of the model it was compared with.
    let version: Int
    let comparison: ChampionComparison
    let takesOver: Bool
}
