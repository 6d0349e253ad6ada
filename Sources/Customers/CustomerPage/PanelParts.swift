import Kernel
import Platform
import Web

/// Small things that the panels of the customer page have in common.
enum PanelParts {
    /// The page that tells where values come from, for those who may see it; a record's own stands below it.
    static func lineage(_ customer: CustomerID, _ principal: Principal) -> String? {
        principal.may(Permission("ingest.lineage")) ? "/customers/\(customer)/lineage" : nil
    }

    /// A telephone number as it may be shown: national form, masked by role.
    static func phone(_ e164: String, _ masking: Masking) -> String {
        masking.apply(.phone, PhoneNumber(e164)?.national() ?? e164)
    }

    /// `¥199.00`, or an empty text when it is not known.
    static func money(_ minor: Int64?, _ currency: String) -> String {
        minor.map { Money(minor: $0, currency: currency).displayed } ?? ""
    }

    /// `¥12,345`: sums of many customers, where cents say nothing.
    static func rounded(_ minor: Int64, _ currency: String) -> String {
        var scale: Int64 = 1
        for _ in 0..<Money.exponent(of: currency) { scale *= 10 }
        // Half of what an integer holds leaves room for rounding.
        let minor = min(max(minor, .min / 2), .max / 2)
        let whole = Money(minor: (minor + scale / 2) / scale * scale, currency: currency)
        let zeros = "." + String(repeating: "0", count: Money.exponent(of: currency))
        return whole.displayed.replacing(zeros, with: "")
    }

    /// `12,345`.
    static func count(_ number: Int) -> String {
        Money(minor: Int64(number), currency: "JPY").amountText
    }

    /// `61 months` from the first day on; `nil` when that is in the future.
    static func months(from start: LocalDate, to end: LocalDate) -> Int? {
        let months = end.monthsSince(start) - (end.day < start.day ? 1 : 0)
        return months < 0 ? nil : months
    }

    static func tenure(_ months: Int, _ language: Language) -> String {
        guard language == .en else { return months < 1 ? "不满一个月" : "\(months) 个月" }
        return months < 1 ? "under a month" : months == 1 ? "1 month" : "\(months) months"
    }

    /// A percentage with one digit, `12.5%`.
    static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1_000).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))%"
    }

    /// 0...1 as `0.71`.
    static func probability(_ value: Double) -> String {
        let hundredths = max(0, min(100, Int((value * 100).rounded())))
        return "\(hundredths / 100)." + DemoNumbers.padded(hundredths % 100, 2)
    }

    /// Points of a polyline in a box of 100 x 24 for a small line without axes; empty for fewer than two values.
    static func spark(_ values: [Double]) -> String {
        guard values.count > 1, let top = values.max() else { return "" }
        let height = max(top, 1e-9)
        return values.enumerated().map { offset, value in
            let x = Double(offset) * 100 / Double(values.count - 1)
            let y = 23 - value / height * 22
            return "\(tenth(x)),\(tenth(y))"
        }.joined(separator: " ")
    }

    private static func tenth(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }

    /// Kind of badge for the state of a subscription.
    static func badge(_ status: SubscriptionStatus) -> String {
        switch status {
        case .active: "ok"
        case .pending: "info"
        case .suspended: "warn"
        case .terminated: ""
        }
    }

    static func badge(_ status: CustomerStatus) -> String {
        switch status {
        case .active, .wonBack: "ok"
        case .prospect, .onboarding: "info"
        case .atRisk, .suspended: "warn"
        case .churned: "bad"
        }
    }
}
