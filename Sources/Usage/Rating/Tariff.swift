import Kernel

/// What a month of a plan costs: a fee with an allowance, and prices for what is beyond, with the rounding that goes with them.
package struct Tariff: Sendable, Equatable {
    /// How calls become minutes.
    package enum VoiceRounding: String, Sendable, CaseIterable {
        /// Each call up to whole minutes.
        case call
        /// The seconds of the month up to whole minutes.
        case month
        /// Seconds as they are.
        case none
    }

    package var name: String
    /// `YYYY-MM`; empty = from the beginning.
    package var validFrom = ""
    /// Names of plans it is for, besides its own; `*` = every plan no other tariff is for.
    package var plans: [String] = []
    package var currency: String
    /// Minor units.
    package var fee: Int64 = 0
    package var minutes: Int64 = 0
    package var messages: Int64 = 0
    /// 2^20 bytes.
    package var megabytes: Int64 = 0
    /// Thousandths of a minor unit, as the next two.
    package var perMinute: Int64 = 0
    package var perMessage: Int64 = 0
    package var perGigabyte: Int64 = 0
    package var voiceRounding = VoiceRounding.call
    /// The bytes of a month are rounded up to so many megabytes before the allowance is taken off; 0 = as they are.
    package var dataStepMB: Int64 = 1_024

    package static let nameMax = 80
    package static let plansMax = 100
    package static let others = "*"

    package init(name: String, currency: String) {
        self.name = name
        self.currency = currency
    }

    /// The keys under which plans find it.
    var keys: [String] { ([name] + plans.filter { $0 != Self.others }).map(Self.key) }

    /// Two names of one plan are told apart by nothing but case, width and spaces.
    static func key(_ plan: String) -> String { Folding.fold(plan) }

    /// What a month of use comes to, with each step.
    package func rate(_ use: MonthUse) -> RatedUse {
        let ms =
            switch voiceRounding {
            case .call: use.billedMinutes * 60_000
            case .month: (use.voiceMs + 59_999) / 60_000 * 60_000
            case .none: use.voiceMs
            }
        let step = dataStepMB << 20
        let bytes = step > 0 ? (use.dataBytes + step - 1) / step * step : use.dataBytes
        return RatedUse(
            fee: fee, voice: part(ms, of: 60_000, included: minutes, price: perMinute),
            messages: part(use.messages, of: 1, included: messages, price: perMessage),
            data: part(bytes, of: 1 << 30, included: megabytes << 20, inUnits: true, price: perGigabyte), currency: currency)
    }

    /// - Parameters:
    ///   - unit: so much of the amount is one that has the price.
    ///   - inUnits: the allowance is given as the amount is, not in units of the price.
    private func part(_ used: Int64, of unit: Int64, included: Int64, inUnits: Bool = false, price: Int64) -> RatedUse.Part {
        let free = inUnits ? included : included * unit
        let beyond = max(0, used - free)
        // Half a minor unit goes up; more than any bill fits.
        let exact = Int128(beyond) * Int128(price)
        let scale = Int128(unit) * 1_000
        let amount = Int64(clamping: (2 * exact + scale) / (2 * scale))
        return RatedUse.Part(used: used, included: free, beyond: beyond, amount: amount)
    }
}

/// A line's use of one month, as far as a tariff asks.
package struct MonthUse: Sendable, Equatable {
    package var voiceMs: Int64 = 0
    /// Each call rounded up.
    package var billedMinutes: Int64 = 0
    package var messages: Int64 = 0
    package var dataBytes: Int64 = 0
    /// Only the month is known, not its calls and bytes: minutes and megabytes are as they came.
    package var isFromMonth = false
    package init() {}
}

/// What a month comes to and how: amounts in minor units; voice in milliseconds, data in bytes, messages by number.
package struct RatedUse: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        /// After rounding.
        package let used: Int64
        package let included: Int64
        package let beyond: Int64
        package let amount: Int64
    }

    package let fee: Int64
    package let voice: Part
    package let messages: Part
    package let data: Part
    package let currency: String

    package var total: Int64 { fee + voice.amount + messages.amount + data.amount }
}

/// The tariffs there are, found by plan and month.
package struct TariffBook: Sendable {
    package let all: [Tariff]
    private let byKey: [String: [Int]]
    private let rest: [Int]
    /// Rates every line, whatever its plan.
    private let only: String?

    /// - Parameter only: name of the tariff that rates every line; `nil` = by the line's plan.
    package init(_ all: [Tariff], only: String? = nil) {
        self.all = all
        self.only = only.map(Tariff.key)
        var byKey: [String: [Int]] = [:]
        for (place, tariff) in all.enumerated() {
            for key in Set(tariff.keys) { byKey[key, default: []].append(place) }
        }
        self.byKey = byKey
        rest = all.indices.filter { all[$0].plans.contains(Tariff.others) }
    }

    /// The tariff of a plan in a month: of those for the plan the one that began last.
    /// - Parameters:
    ///   - plan: `nil` = nobody knows it; a tariff for all others takes it.
    ///   - month: `YYYY-MM`
    package func tariff(of plan: String?, in month: String) -> Tariff? {
        func latest(_ places: [Int]) -> Tariff? {
            places.map { all[$0] }.filter { $0.validFrom <= month }.max { $0.validFrom < $1.validFrom }
        }
        if let only { return latest(all.indices.filter { Tariff.key(all[$0].name) == only }) }
        return plan.flatMap { latest(byKey[Tariff.key($0)] ?? []) } ?? latest(rest)
    }

    /// - Throws: `CRMError` when two tariffs are for the same plan, or for all others.
    package func check() throws {
        var owners: [String: String] = [:]
        for tariff in all {
            for key in Set(tariff.keys + tariff.plans.filter { $0 == Tariff.others }) {
                let owner = owners[key] ?? tariff.name
                guard Tariff.key(owner) == Tariff.key(tariff.name) else {
                    throw CRMError.invalid(
                        "plans", "plan_twice",
                        Words(
                            en: "Two tariffs, “\(owner)” and “\(tariff.name)”, are for the plan “\(key)”. Leave it to one of them.",
                            zh: "资费“\(owner)”与“\(tariff.name)”都用于套餐“\(key)”，请只保留一个。"))
                }
                owners[key] = owner
            }
        }
    }
}
