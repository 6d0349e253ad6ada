import Kernel
import Platform
import Storage
import TMF
import Web

/// What a usage says of itself, as the pipeline reads it out of its characteristics.
struct UsageReading: Sendable, Equatable {
    /// How the line is told.
    enum Line: Sendable, Equatable {
        /// E.164
        case number(String)
        /// What the named source calls the customer.
        case reference(source: String, String)
        /// A line by its own id, or a product of the inventory.
        case product(String)
        /// Nothing but the related customer.
        case customer
    }

    let amount: UsageAmount
    /// Days since 1970 in the tenant's zone.
    let day: Int32

    /// Where and when.
    struct Frame: Sendable {
        let bounds: UsageParser.Bounds
        /// Minutes east of UTC.
        let zone: Int
        let countryCode: String

        init(_ context: TMFContext) {
            zone = context.tenant.timeZoneOffsetMinutes
            countryCode = context.tenant.countryCode
            bounds = UsageParser.Bounds(today: Int32(context.now.date(offsetMinutes: zone).daysSinceEpoch))
        }
    }

    /// - Throws: 400 naming the place and what is wrong with it, as an event over HTTP is refused.
    init(_ document: JSONObject, _ meaning: UsageSpecifications.Meaning, _ frame: Frame) throws {
        let told = Told(document)
        var amount = UsageAmount(meaning.kind)
        amount.quantity = try Self.quantity(told, meaning.kind)
        amount.isRoaming = meaning.isRoaming
        if meaning.kind != .sample, let roaming = try told.flag(["roaming", "isroaming"]) {
            amount.isRoaming = roaming || meaning.isRoaming
        }
        if meaning.kind == .voice { amount.isDropped = try told.flag(["dropped", "isdropped"]) ?? false }
        amount.speed = try told.number(["speedmbps"], scale: 1_000, max: UsageParser.Bounds.speedMax) ?? 0
        if let cell = told.first(["cell", "cellid"]) {
            guard let text = cell.value.string ?? cell.value.int.map(String.init) else {
                throw Self.fault(cell.place, "not_a_number")
            }
            amount.cell = UsagePrint.cell(text) & 63
        }
        self.amount = amount
        guard let time = document["usageDate"]?.string.flatMap({ TMFTime($0) }) else {
            throw Self.fault("usageDate", "no_start")
        }
        let day = Instant(milliseconds: time.milliseconds).date(offsetMinutes: frame.zone).daysSinceEpoch
        guard day >= Int(UsageParser.Bounds.firstDay) else { throw Self.fault("usageDate", "too_old") }
        guard day <= Int(frame.bounds.lastDay) else { throw Self.fault("usageDate", "in_the_future") }
        self.day = Int32(day)
    }

    /// The sender's own id.
    static func externalID(_ document: JSONObject) throws -> String? {
        guard let found = Told(document).first(["externalid", "eventid", "recordid"]) else { return nil }
        let text = (found.value.string ?? found.value.int.map(String.init))?.trimmed ?? ""
        guard (1...UsageParser.Bounds.idBytesMax).contains(text.utf8.count) else { throw fault(found.place, "bad_id") }
        return text
    }

    /// - Throws: 400 for what is no telephone number.
    static func line(_ document: JSONObject, _ frame: Frame) throws -> Line {
        let told = Told(document)
        let prefix = told.first(["originatingcountrycode"])
        for (names, prefix) in [(["msisdn", "number", "phonenumber", "line"], nil), (["originatingnumber"], prefix)] {
            guard let found = told.first(names) else { continue }
            let text = (found.value.string ?? found.value.int.map { "+" + String($0) }) ?? ""
            let code = (prefix?.value.string ?? prefix?.value.int.map(String.init))?.trimmed
            guard text.utf8.count <= UsageParser.Bounds.lineBytesMax,
                let number = PhoneNumber(text, defaultCountryCode: code ?? frame.countryCode)
            else { throw fault(found.place, "bad_number") }
            return .number(number.e164)
        }
        if let found = told.first(["reference"]), let text = found.value.string?.trimmed, !text.isEmpty,
            let source = told.first(["referencesource"])?.value.string?.trimmed, !source.isEmpty
        {
            guard text.utf8.count <= UsageParser.Bounds.lineBytesMax else { throw fault(found.place, "no_line") }
            return .reference(source: source, text)
        }
        if let found = told.first(["productid", "product"]),
            let text = found.value.string ?? found.value.int.map(String.init)
        {
            return .product(text)
        }
        if let text = AttributePath("ratedProductUsage.productRef.id").values(in: document).first?.string {
            return .product(text)
        }
        return .customer
    }

    private static func quantity(_ told: Told, _ kind: UsageKind) throws -> Int64 {
        let ways: [(names: [String], scale: Int64, units: [String: Int64])]
        let max: Int64
        switch kind {
        case .sample: return 0
        case .sms:
            return try told.number(["count", "messages", "quantity"], scale: 1, max: UsageParser.Bounds.countMax) ?? 1
        case .voice:
            max = UsageParser.Bounds.voiceMsMax
            ways = [
                (["duration", "quantity"], 1_000, seconds), (["seconds", "durations"], 1_000, [:]),
                (["minutes"], 60_000, [:]),
                (["milliseconds", "durationms"], 1, [:]),
            ]
        case .data:
            max = UsageParser.Bounds.bytesMax
            ways = [
                (["volume", "quantity"], 1, bytes), (["bytes"], 1, [:]), (["kilobytes"], 1 << 10, [:]),
                (["megabytes"], 1 << 20, [:]),
                (["gigabytes"], 1 << 30, [:]),
            ]
        }
        for way in ways {
            guard let found = told.first(way.names) else { continue }
            var scale = way.scale
            if !way.units.isEmpty, let unit = told.first(["unit", "units", "unitofmeasure"]) {
                guard let known = unit.value.string.flatMap({ way.units[plain($0)] }) else {
                    throw fault(unit.place, "unknown_unit")
                }
                scale = known
            }
            return try told.number(way.names, scale: scale, max: max) ?? 0
        }
        throw fault("usageCharacteristic", "no_quantity")
    }

    private static let seconds: [String: Int64] = [
        "s": 1_000, "sec": 1_000, "secs": 1_000, "second": 1_000, "seconds": 1_000, "ms": 1, "millisecond": 1,
        "milliseconds": 1,
        "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000, "h": 3_600_000, "hour": 3_600_000,
        "hours": 3_600_000,
    ]
    private static let bytes: [String: Int64] = [
        "b": 1, "byte": 1, "bytes": 1, "kb": 1 << 10, "kilobyte": 1 << 10, "kilobytes": 1 << 10, "mb": 1 << 20,
        "megabyte": 1 << 20,
        "megabytes": 1 << 20, "gb": 1 << 30, "gigabyte": 1 << 30, "gigabytes": 1 << 30,
    ]

    /// `Duration_S` and `durationS` are one name.
    static func plain(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }

    static func fault(_ place: String, _ code: String) -> CRMError {
        let why = UsageWords.reject(code)
        let words = Words(en: "“\(place)”: \(why.en).", zh: "“\(place)”：\(why.zh)。")
        return CRMError(code, status: 400, words, fields: [.init(field: place, code: code, message: words)])
    }

    /// Characteristics whose values are amounts and no names of anybody: whoever may see the usage may see them.
    static let harmless: Set<String> = [
        "duration", "quantity", "seconds", "durations", "minutes", "milliseconds", "durationms", "volume", "bytes",
        "kilobytes",
        "megabytes", "gigabytes", "count", "messages", "unit", "units", "unitofmeasure", "roaming", "isroaming",
        "dropped", "isdropped",
        "speedmbps",
    ]

    /// The characteristics by their plain names.
    private struct Told {
        struct One {
            let value: JSONValue
            let place: String
        }
        private var all: [String: One] = [:]

        init(_ document: JSONObject) {
            for (number, item) in (document["usageCharacteristic"]?.array ?? []).enumerated() {
                guard let name = item["name"]?.string, let value = item["value"], value != .null else { continue }
                let key = UsageReading.plain(name)
                if all[key] == nil { all[key] = One(value: value, place: "usageCharacteristic[\(number)].value") }
            }
        }

        func first(_ names: [String]) -> One? { names.lazy.compactMap { all[$0] }.first }

        /// - Returns: the number times `scale`, rounded.
        func number(_ names: [String], scale: Int64, max: Int64) throws -> Int64? {
            guard let found = first(names) else { return nil }
            let result: Int64?
            switch found.value {
            case .string(var text):
                guard let number = text.withUTF8({ UsageNumber($0) }) else {
                    throw UsageReading.fault(found.place, "not_a_number")
                }
                result = number.whole < 0 ? nil : number.scaled(scale)
            case .int(let number):
                let (product, isTooLarge) = number.multipliedReportingOverflow(by: scale)
                result = number < 0 || isTooLarge ? nil : product
            case .double(let number):
                result =
                    number >= 0 && number * Double(scale) <= Double(max)
                    ? Int64((number * Double(scale)).rounded()) : nil
            case .decimal(var text):
                result = text.withUTF8 { UsageNumber($0) }.flatMap { $0.whole < 0 ? nil : $0.scaled(scale) }
            default: throw UsageReading.fault(found.place, "not_a_number")
            }
            guard let result, result <= max else { throw UsageReading.fault(found.place, "out_of_range") }
            return result
        }

        func flag(_ names: [String]) throws -> Bool? {
            guard let found = first(names) else { return nil }
            if let flag = found.value.bool { return flag }
            switch found.value.string?.trimmed.lowercased() ?? found.value.int.map(String.init) {
            case "true", "yes", "1": return true
            case "false", "no", "0": return false
            default: throw UsageReading.fault(found.place, "not_a_boolean")
            }
        }
    }
}
