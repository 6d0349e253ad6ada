import Foundation

/// How urgent a probability is, relative to how many customers leave anyway.
package enum RiskBand: String, Codable, CaseIterable, Comparable, Sendable {
    case low, medium, high, critical

    package static func < (first: RiskBand, second: RiskBand) -> Bool {
        first.rank < second.rank
    }

    private var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }

    package var text: Bilingual {
        switch self {
        case .low: Bilingual(zh: "低", en: "low")
        case .medium: Bilingual(zh: "中", en: "medium")
        case .high: Bilingual(zh: "高", en: "high")
        case .critical: Bilingual(zh: "极高", en: "critical")
        }
    }
}

/// Thresholds on the calibrated probability, fixed when a model is trained.
///
/// Bands follow the odds of leaving against the base odds b / (1 - b): medium from once, high from three times,
/// critical from eight times. So a band means the same in a base that loses 2 % and in one that loses 27 %: with
/// b = 0.265 the thresholds are 0.265, 0.520 and 0.743; with b = 0.02 they are 0.020, 0.058 and 0.140.
package struct RiskBands: Codable, Equatable, Sendable {
    package let baseRate: Double
    package let medium: Double
    package let high: Double
    package let critical: Double

    package static let highOdds = 3.0
    package static let criticalOdds = 8.0

    package init(baseRate: Double) {
        let base = min(max(baseRate, 1e-6), 1 - 1e-6)
        let odds = base / (1 - base)
        func probability(_ factor: Double) -> Double { factor * odds / (1 + factor * odds) }
        self.baseRate = base
        medium = base
        high = probability(Self.highOdds)
        critical = probability(Self.criticalOdds)
    }

    package func band(_ probability: Double) -> RiskBand {
        if probability >= critical { return .critical }
        if probability >= high { return .high }
        return probability >= medium ? .medium : .low
    }
}
