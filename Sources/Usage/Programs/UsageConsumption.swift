import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What was used of allowances (TMF677): asked, answered at once, and kept for some days so that the answer can be read again.
enum UsageConsumption {
    static let api = TMFAPI(677, "usageConsumption")
    static let type = "QueryUsageConsumption"
    static let name = "queryUsageConsumption"

    /// Why there is nothing to tell.
    enum Nothing: String, Sendable {
        /// Nobody who is a customer of ours, or no line of theirs, is named.
        case noLine = "no_line"
        /// The lines have no use that is known in these months.
        case noUse = "no_use"
    }

    static func resource(_ schema: TMFSchema, _ store: @escaping @Sendable (Tenant) -> ConsumptionStore) -> TMFResource
    {
        TMFResource(
            api, name, type: type, schema: schema.adding([.init("stateReason", .text, isServers: true)], to: type),
            verbs: [.list, .read, .create, .remove], view: UsageModule.view, edit: UsageModule.view,
            subjects: { id, document in
                // Who was told about, and who is named with it.
                let parties = ["usageConsumption.relatedParty.id", "relatedParty.id"].flatMap {
                    AttributePath($0).values(in: document)
                }
                var customers: [CustomerID] = []
                for id in parties.compactMap({ $0.string.flatMap { CustomerID($0[...]) } })
                where !customers.contains(id) { customers.append(id) }
                return [AuditSubject(kind: "usage_consumption", id: id)] + customers.prefix(8).map { .customer($0) }
            }, store: { store($0) })
    }

    /// Months that are asked for: those that the period touches, in the tenant's zone; without one the present month.
    /// - Throws: 400 for a period that ends before it begins or is too long.
    static func months(_ criteria: JSONValue?, _ context: TMFContext) throws -> (from: String, through: String) {
        let zone = context.tenant.timeZoneOffsetMinutes
        let period = criteria?["validPeriod"]
        func month(_ name: String) -> String? {
            period?[name]?.string.flatMap { TMFTime($0) }.map {
                // An end is the first moment that is not meant.
                Instant(milliseconds: $0.milliseconds - (name == "endDateTime" ? 1 : 0)).date(offsetMinutes: zone)
                    .yearMonth
            }
        }
        let today = context.now.date(offsetMinutes: zone).yearMonth
        let through = month("endDateTime") ?? max(today, month("startDateTime") ?? today)
        let from = month("startDateTime") ?? min(today, through)
        do { return try UsageRating.months(from: from, through: through) } catch let error as CRMError {
            throw CRMError(
                error.code, status: 400, error.message,
                fields: [.init(field: "searchCriteria.validPeriod", code: error.code, message: error.message)])
        }
    }

    /// The first moments of a month and of the next one, in the tenant's zone.
    static func period(_ month: String, zone: Int) -> (start: Instant, end: Instant)? {
        guard let first = LocalDate(month + "-01") else { return nil }
        func start(_ day: LocalDate) -> Instant {
            Instant(milliseconds: Int64(day.daysSinceEpoch) * 86_400_000 - Int64(zone) * 60_000)
        }
        return (start(first), start(first.adding(months: 1)))
    }
}

/// A part of a line's allowance in one month, as it stood when somebody asked.
struct ConsumptionBucket: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable { case voice, sms, data }

    let subscription: SubscriptionID
    let month: String
    var number: String?
    var plan: String?
    var tariff: String?
    let kind: Kind
    /// Milliseconds, messages or bytes, as are the next ones.
    let used: Int64
    /// `nil` = no tariff is for the plan.
    var included: Int64?
    /// What may still be used before anything is charged.
    var remaining: Int64?
    /// What is charged beyond, with the rounding of the tariff.
    var beyond: Int64?
    /// Of what was used; `nil` = nobody told.
    var roaming: Int64?
    /// Only the sum of the month is known.
    let isMonthOnly: Bool

    /// What was used abroad.
    struct Roaming: Sendable {
        var ms: Int64?
        var messages: Int64?
        var bytes: Int64?
    }

    /// The three parts of a line's month.
    static func all(
        _ line: LineRef, month: String, number: String?, plan: String?, _ use: MonthUse, _ tariff: Tariff?,
        _ roaming: Roaming
    ) -> [ConsumptionBucket] {
        let rated = tariff?.rate(use)
        return Kind.allCases.map { kind in
            let part: RatedUse.Part?
            let (used, abroad, step): (Int64, Int64?, Int64)
            switch kind {
            case .voice:
                part = rated?.voice
                // As it is billed: calls of which only the sum of seconds counts are seconds.
                let isByCall = (tariff?.voiceRounding ?? .call) == .call
                (used, abroad) = (isByCall ? use.billedMinutes * 60_000 : use.voiceMs, roaming.ms)
                step = tariff?.voiceRounding == Tariff.VoiceRounding.none ? 1 : 60_000
            case .sms:
                part = rated?.messages
                (used, abroad, step) = (use.messages, roaming.messages, 1)
            case .data:
                part = rated?.data
                (used, abroad, step) = (use.dataBytes, roaming.bytes, max(1, (tariff?.dataStepMB ?? 0) << 20))
            }
            var bucket = ConsumptionBucket(
                subscription: line.subscription, month: month, number: number, plan: plan, tariff: tariff?.name,
                kind: kind, used: used,
                roaming: abroad, isMonthOnly: use.isFromMonth)
            if let part {
                bucket.included = part.included
                // Rounded up by its step before the allowance goes off: what is left of a step is not free.
                bucket.remaining = max(0, part.included / step * step - used)
                bucket.beyond = part.beyond
            }
            return bucket
        }
    }

    init(
        subscription: SubscriptionID, month: String, number: String? = nil, plan: String? = nil, tariff: String? = nil,
        kind: Kind,
        used: Int64, roaming: Int64? = nil, isMonthOnly: Bool
    ) {
        self.subscription = subscription
        self.month = month
        self.number = number
        self.plan = plan
        self.tariff = tariff
        self.kind = kind
        self.used = used
        self.roaming = roaming
        self.isMonthOnly = isMonthOnly
    }

    // MARK: The document

    private func quantity(_ value: Int64) -> JSONValue {
        let (amount, units): (Double, String) =
            switch kind {
            case .voice: (Double(value) / 60_000, "min")
            case .sms: (Double(value), "message")
            case .data: (Double(value) / Double(1 << 20), "MB")
            }
        return .object(["amount": TMFField.number(amount), "units": .string(units)])
    }

    /// For people.
    private func text(_ value: Int64) -> String {
        switch kind {
        case .voice:
            value % 60_000 == 0
                ? "\(value / 60_000) min" : "\(RatedWords.decimals((value * 10 + 30_000) / 60_000, places: 1)) min"
        case .sms: "\(value) messages"
        case .data: RatedWords.data(value)
        }
    }

    private func counter(_ type: String, _ value: Int64, _ period: JSONValue, level: String = "global") -> JSONValue {
        .object([
            "counterType": .string(type), "level": .string(level), "value": quantity(value),
            "valueName": .string(text(value)),
            "consumptionPeriod": period,
        ])
    }

    /// - Parameters:
    ///   - id: of the bucket within its answer.
    ///   - asked: when; of a month that goes on the counters end there.
    func document(id: Int, asked: Instant, zone: Int) -> JSONValue {
        guard let period = UsageConsumption.period(month, zone: zone) else { return .null }
        let counted: JSONValue = .object([
            "startDateTime": .string(period.start.iso8601), "endDateTime": .string(min(period.end, asked).iso8601),
        ])
        var counters = [counter("used", used, counted)]
        if let beyond { counters.append(counter("outOfBucket", beyond, counted)) }
        if let roaming { counters.append(counter("roaming", roaming, counted, level: "roaming")) }
        var fields: JSONObject = [
            "id": .string(String(id)), "name": .string(tariff.map { "\($0) \(kind.rawValue)" } ?? kind.rawValue),
            "usageType": .string(kind.rawValue), "isShared": .bool(false),
            "status": .string(period.end > asked ? "active" : "expired"), "bucketCounter": .array(counters),
            "validFor": .object([
                "startDateTime": .string(period.start.iso8601), "endDateTime": .string(period.end.iso8601),
            ]),
        ]
        if let remaining {
            fields["remainingValue"] = quantity(remaining)
            fields["remainingValueName"] = .string(text(remaining))
        }
        if let included { fields["description"] = .string("\(text(included)) included") }
        return .object(fields)
    }
}
