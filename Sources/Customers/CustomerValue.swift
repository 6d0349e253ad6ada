import Foundation
import Kernel

/// What a customer is worth to the operator from now on, in minor units (B3).
///
/// Customer lifetime value with a finite horizon (Gupta and Lehmann 2003, "Customers as assets"):
/// `CLV = m · g · Σ_{t=1..T} ((1-h)/(1+d))^t`, with m the monthly charge, g the margin, h the monthly hazard of leaving,
/// d the monthly discount rate and T = 60 months. The hazard comes from the churn probability of a year,
/// `h = 1 - (1-p)^(1/12)`; without a score p is a prior by contract.
enum CustomerValue {
    /// Share of the charge that is left after the cost of serving.
    static let margin = 0.35
    /// 10 % a year.
    static let monthlyDiscount = 0.007_974
    static let horizonMonths = 60
    /// No charge that a form or an import takes comes near it.
    static let scoreMax = 1e16

    /// Prior of leaving within a year: by the month, in a contract, not known.
    static func prior(contractTerm: Int?) -> Double {
        switch contractTerm {
        case 0: 0.30
        case .some: 0.10
        case nil: 0.20
        }
    }

    /// - Parameter probability: of leaving within a year, 0...1; `nil` = not scored.
    /// - Returns: minor units, at least 0; `nil` when the charge is not known; 0 for who has left.
    static func score(monthlyCharge: Int64?, contractTerm: Int?, probability: Double?, hasLeft: Bool) -> Int64? {
        if hasLeft { return 0 }
        guard let monthlyCharge else { return nil }
        let p = min(max(probability ?? prior(contractTerm: contractTerm), 0), 0.999)
        let survival = pow(1 - p, 1.0 / 12)
        let r = survival / (1 + monthlyDiscount)
        let months = r * (1 - pow(r, Double(horizonMonths))) / (1 - r)
        return Int64(min((Double(max(0, monthlyCharge)) * margin * months).rounded(), scoreMax))
    }
}

extension Int64 {
    /// The sum, or the largest number there is: an import's number must not end the process.
    func plus(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}

/// Where the tiers begin. Computed over the base by `ValueJob`: the best 5 % are VIP, the next 20 % high.
struct ValuePolicy: Sendable, Equatable {
    /// Minor units.
    let vipFrom: Int64
    let highFrom: Int64

    static let vipShare = 0.05
    static let highShare = 0.20
    /// Before the first computation everybody is ordinary.
    static let none = ValuePolicy(vipFrom: .max, highFrom: .max)

    func tier(_ score: Int64?) -> ValueTier {
        guard let score else { return .unknown }
        if score <= 0 { return .ordinary }
        return score >= vipFrom ? .vip : score >= highFrom ? .high : .ordinary
    }
}
