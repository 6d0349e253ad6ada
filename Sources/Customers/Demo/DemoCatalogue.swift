import Kernel

/// What the demonstration operator sells, and to whom it loses customers. Amounts are in fen.
enum DemoCatalogue {
    struct Plan: Sendable {
        /// Code and name in one, readable in both languages.
        let name: String
        let technology: String
        let monthly: Int64
        let gigabytes: Int
        let minutes: Int
        let kind: Kind
        enum Kind: Sendable { case consumer, family, senior, business }
    }

    static let plans: [Plan] = [
        plan("4G-39", "4g", 39, 10, 100, .consumer),
        plan("4G-59", "4g", 59, 20, 200, .consumer),
        plan("5G-99", "5g", 99, 30, 300, .consumer),
        plan("5G-129", "5g", 129, 40, 500, .consumer),
        plan("5G-199", "5g", 199, 80, 1_000, .consumer),
        plan("5G-299", "5g", 299, 150, 2_000, .consumer),
        plan("FAM-169", "5g", 169, 60, 1_000, .family),
        plan("FAM-239", "5g", 239, 120, 1_500, .family),
        plan("SEN-19", "4g", 19, 3, 150, .senior),
        plan("SEN-39", "4g", 39, 10, 300, .senior),
        plan("BIZ-79", "5g", 79, 30, 600, .business),
        plan("BIZ-159", "5g", 159, 80, 1_500, .business),
    ]

    /// Add-ons with their monthly fees.
    static let addOns: [Addon] = [
        Addon(code: AddonCode.dataPack.rawValue, monthlyCharge: 20_00),
        Addon(code: AddonCode.streamingTV.rawValue, monthlyCharge: 15_00),
        Addon(code: AddonCode.roaming.rawValue, monthlyCharge: 10_00),
        Addon(code: AddonCode.internationalCalls.rawValue, monthlyCharge: 8_00),
        Addon(code: AddonCode.deviceProtection.rawValue, monthlyCharge: 12_00),
        Addon(code: AddonCode.cloudStorage.rawValue, monthlyCharge: 6_00),
        Addon(code: AddonCode.onlineSecurity.rawValue, monthlyCharge: 5_00),
    ]

    /// Invented competitors.
    static let competitors = ["东信通信", "蓝海移动", "Skylink", "联达"]

    /// What finally made a customer go.
    enum Reason: Sendable {
        case price, network, service, unpaid, contractEnd, competitorOffer, notNeeded, moved

        /// How it is coded, with the operator's own words where the code says too little.
        var coded: (code: LeaveReason, text: String?) {
            switch self {
            case .price: (.price, nil)
            case .network: (.quality, nil)
            case .service: (.service, nil)
            case .unpaid: (.other, "欠费销户 (unpaid bills)")
            case .contractEnd: (.competitor, "合约到期转网 (contract ended)")
            case .competitorOffer: (.competitor, nil)
            case .notNeeded: (.noNeed, nil)
            case .moved: (.moved, nil)
            }
        }

        /// Whether the customer took a line to a competitor, as a rule.
        var goesToCompetitor: Bool {
            switch self {
            case .price, .network, .contractEnd, .competitorOffer: true
            case .service, .unpaid, .notNeeded, .moved: false
            }
        }
    }

    private static func plan(
        _ name: String, _ technology: String, _ yuan: Int64, _ gigabytes: Int, _ minutes: Int, _ kind: Plan.Kind
    ) -> Plan {
        Plan(
            name: name, technology: technology, monthly: yuan * 100, gigabytes: gigabytes, minutes: minutes, kind: kind)
    }
}
