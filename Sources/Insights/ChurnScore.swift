import Foundation
import Kernel

/// The score of a customer that stands (insights_churn_score).
struct ChurnScore: Sendable {
    let customer: CustomerID
    let model: ModelID
    /// Calibrated, 0...1.
    let probability: Double
    let band: RiskBand
    /// Log-odds before calibration.
    let margin: Double
    let scoredAt: Instant
    let reasons: StoredReasons
    let region: String
    /// Minor units a month; 0 = not known.
    let monthlyValue: Int64
    let currency: String
    /// Still a customer when last looked at.
    let listed: Bool

    /// What leaving would cost a month, on average: probability x monthly value, minor units.
    var expectedLoss: Int64 { ChurnScore.expectedLoss(probability, monthlyValue) }
    var priority: Int64 { ChurnScore.priority(probability, monthlyValue) }

    static func expectedLoss(_ probability: Double, _ monthlyValue: Int64) -> Int64 {
        Int64((probability * Double(max(0, monthlyValue))).rounded())
    }

    /// Orders by expected loss; customers of unknown value come last, among themselves by probability.
    static func priority(_ probability: Double, _ monthlyValue: Int64) -> Int64 {
        // A monthly value beyond 10^12 minor units would leave the range of BIGINT.
        let value = Double(min(max(monthlyValue, 1), 1_000_000_000_000))
        return Int64((probability * value * 1_000_000).rounded())
    }
}

/// Why a score is what it is, without words: these are made when it is shown, in the reader's language and with the
/// reader's mask.
struct StoredReasons: Codable, Sendable, Equatable {
    /// One column of the customer and what it does to the score.
    struct Item: Codable, Sendable, Equatable {
        let column: String
        /// The customer's own value; nil = missing.
        let value: String?
        let kind: ColumnKind
        /// Log-odds; positive raises the risk.
        let contribution: Double
        /// Share of the customers learned from with a lower and with a higher value; nil for columns without an order.
        let below: Double?
        let above: Double?

        func adding(_ more: Double) -> Item {
            Item(
                column: column, value: value, kind: kind,
                contribution: ((contribution + more) * 1_000).rounded() / 1_000, below: below, above: above)
        }

        // One letter each: there is a row for every customer.
        enum CodingKeys: String, CodingKey {
            case column = "c", value = "v", kind = "k", contribution = "w", below = "b", above = "a"
        }
    }

    /// Another value for something that can be offered, and the probability the model gives with it.
    struct Change: Codable, Sendable, Equatable {
        let column: String
        let value: String
        let probability: Double

        enum CodingKeys: String, CodingKey {
            case column = "c", value = "v", probability = "p"
        }
    }

    /// Raising the risk, strongest first.
    let raising: [Item]
    /// Lowering it, strongest first.
    let lowering: [Item]
    /// What would lower the probability most; of customers at high and critical risk only.
    var changes: [Change]?

    enum CodingKeys: String, CodingKey {
        case raising = "r", lowering = "l", changes = "x"
    }

    static let none = StoredReasons(raising: [], lowering: [])

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reasons that cannot be read are none: a score without reasons is better than no page.
    static func decode(_ text: String) -> StoredReasons {
        ReasonScanner.scan(text) ?? (try? JSONDecoder().decode(StoredReasons.self, from: Data(text.utf8))) ?? .none
    }
}
