import Contracts
import Foundation
import Kernel
import Matching
import Platform
import TMF
import Web

/// What a product and a line of a customer say of each other. Pure.
struct ProductLine: Sendable {
    /// Minutes east of UTC: lines know days, products instants.
    let zone: Int
    /// Of telephone numbers that have none.
    let countryCode: String

    init(_ tenant: Tenant) {
        zone = tenant.timeZoneOffsetMinutes
        countryCode = tenant.countryCode
    }

    // MARK: Words

    /// How characteristics and resources call the number of a line, without case, spaces and signs. A number by another name (that of a
    /// card, of somebody to call) makes no line.
    private static let names: Set<String> = [
        "msisdn", "telmsisdn", "phonenumber", "mobilenumber", "mobilephonenumber", "telephonenumber", "subscribernumber", "servicenumber",
        "directorynumber", "phone", "mobile", "号码", "手机号", "手机号码", "电话号码", "服务号码", "业务号码", "固话号码",
    ]

    private static func isNumber(_ name: JSONValue?) -> Bool {
        guard let text = name?.string else { return false }
        return names.contains(String(text.lowercased().filter { $0.isLetter || $0.isNumber }))
    }

    /// Whether an element of `productCharacteristic` or `realizingResource` holds the number.
    private static func holdsNumber(_ element: JSONValue) -> Bool {
        isNumber(element["name"]) || isNumber(element["@referredType"]) || isNumber(element["@type"])
            || element["productCharacteristic"] == nil && element["id"] != nil && element["value"]?.string?.hasPrefix("+") == true
    }

    private static func text(_ value: JSONValue?) -> String? { value?.string ?? value?.int.map { String($0) } }

    /// A reference to a number (`@referredType` MSISDN) that has no value has the number as its id or its name.
    private func number(_ element: JSONValue) -> String? {
        if let text = Self.text(element["value"]) { return PhoneNumber(text, defaultCountryCode: countryCode)?.e164 }
        guard element["value"] == nil, Self.isNumber(element["@referredType"]) || Self.isNumber(element["@type"]) else { return nil }
        return ["id", "name"].lazy.compactMap { Self.text(element[$0]) }
            .compactMap { PhoneNumber($0, defaultCountryCode: countryCode)?.e164 }.first(where: PhoneNumber.hasLengthOfPlan)
    }

    /// Names that a device may have as well: what is no number by such a name is something else.
    private static let vague: Set<String> = ["phone", "mobile"]

    /// A number that is none would be a product without its line, or a line that no usage finds: refused, by the check that imports have.
    /// - Parameters:
    ///   - old: what was there before is nobody's fault now.
    ///   - place: of the product within what was sent.
    func checkNumbers(
        _ product: JSONObject, but old: JSONObject = [:], at place: String = "", _ subject: Words = Words(en: "", zh: "")
    ) throws {
        for name in Self.attributes {
            let known = old[name]?.array ?? []
            for element in product[name]?.array ?? [] where Self.holdsNumber(element) && !known.contains(element) {
                guard let text = Self.text(element["value"]), !text.trimmed.isEmpty else { continue }
                let number = PhoneNumber(text, defaultCountryCode: countryCode)?.e164
                if let number, PhoneNumber.hasLengthOfPlan(number) { continue }
                if number == nil, Self.vague.contains((element["name"]?.string ?? "").lowercased()) { continue }
                let why =
                    number == nil
                    ? Words(en: "it cannot be read as a telephone number", zh: "无法识别为电话号码")
                    : Words(en: "a mobile number of China has 11 digits", zh: "中国大陆手机号码为 11 位")
                let (path, shown) = ("\(place)\(name).value", text.prefix(40))
                throw OrderFlow.bad(
                    "wrong_number", path,
                    Words(
                        en: "\(subject.en)“\(path)” is “\(shown)”: \(why.en).", zh: "\(subject.zh)“\(path)”为“\(shown)”：\(why.zh)。"))
            }
        }
    }

    /// A number in China that does not begin as a mobile one does is a fixed one; of other countries nothing is guessed.
    private static func service(of number: String) -> String {
        guard number.hasPrefix("+86") else { return "mobile" }
        let national = number.dropFirst(3)
        return national.count == 11 && national.hasPrefix("1") ? "mobile" : "fixed_voice"
    }

    /// Of a product without a number it is the client's affair whether it has one.
    static let attributes = ["productCharacteristic", "realizingResource"]

    /// The number of the line that a product is, E.164.
    func number(of product: JSONObject) -> String? {
        for name in Self.attributes {
            for element in product[name]?.array ?? [] where Self.holdsNumber(element) {
                if let number = number(element) { return number }
            }
        }
        return nil
    }

    /// The number that a change of a product gives to its line; `nil` = it keeps the one that it has.
    func moved(from current: String, _ old: JSONObject, _ new: JSONObject) -> String? {
        if let next = number(of: new), next != number(of: old), next != current { return next }
        for name in Self.attributes {
            func numbers(_ product: JSONObject) -> [String] {
                (product[name]?.array ?? []).filter(Self.holdsNumber).compactMap(number)
            }
            let (before, after) = (numbers(old), numbers(new))
            guard before.contains(current), !after.contains(current) else { continue }
            if let next = after.first(where: { !before.contains($0) }) { return next }
        }
        return nil
    }

    /// Writes a line's new number wherever the product tells the old one.
    /// - Returns: whether it does.
    @discardableResult
    func replaceNumber(_ product: inout JSONObject, from old: String?, to new: String) -> Bool {
        var isTold = false
        for name in Self.attributes {
            guard let elements = product[name]?.array else { continue }
            product[name] = .array(
                elements.map { element in
                    // Whatever a resource is called: with the line's number it is that number.
                    let holds = Self.holdsNumber(element) || name == "realizingResource" && old != nil
                    guard holds, number(element) == old, var object = element.object else { return element }
                    object["value"] = .string(new)
                    isTold = true
                    return .object(object)
                })
        }
        return isTold
    }

    // MARK: A product as a line

    /// What the customer does not have yet, or never got, is no line.
    static let having: Set<String> = ["pendingActive", "active", "suspended", "pendingTerminate"]

    private static func status(_ product: JSONObject) -> LineFacts.Status {
        switch product["status"]?.string ?? "" {
        case "created", "pendingActive": .pending
        case "suspended": .suspended
        case "terminated", "cancelled", "aborted": .terminated
        default: .active
        }
    }

    func line(_ id: Int64, of customer: CustomerID, _ product: JSONObject) -> LineFacts {
        let number = number(of: product)
        let offering = product["productOffering"]
        return LineFacts(
            id: SubscriptionID(id), customer: customer, number: number, status: Self.status(product),
            service: number.map(Self.service) ?? "other",
            plan: offering?["name"]?.string ?? product["name"]?.string ?? offering?["id"]?.string,
            startedOn: day(product["startDate"]), endedOn: day(product["terminationDate"]), monthlyCharge: Self.monthly(product))
    }

    private func day(_ value: JSONValue?) -> LocalDate? {
        value?.string.flatMap { TMFDay.day($0, offsetMinutes: zone) }
    }

    private static let amounts = ["price.taxIncludedAmount", "price.dutyFreeAmount"]

    private static func isMonthly(_ price: JSONValue) -> Bool {
        let period = (price["recurringChargePeriod"]?.string ?? "").lowercased()
        return (price["priceType"]?.string ?? "").lowercased() == "recurring" && ["month", "monthly", "1 month", "months"].contains(period)
    }

    private static func amount(_ price: JSONValue) -> (path: String, Money)? {
        for path in amounts {
            let object = price.object ?? [:]
            guard let value = AttributePath(path + ".value").values(in: object).first?.double,
                let unit = AttributePath(path + ".unit").values(in: object).first?.string, unit.count == 3
            else { continue }
            let minor = value * pow(10, Double(Money.exponent(of: unit)))
            guard minor.magnitude < 9e15 else { continue }
            return (path, Money(minor: Int64(minor.rounded()), currency: unit))
        }
        return nil
    }

    /// What it costs each month, where all of that is in one currency.
    private static func monthly(_ product: JSONObject) -> Money? {
        let prices = (product["productPrice"]?.array ?? []).filter(isMonthly).compactMap { amount($0)?.1 }
        guard let first = prices.first, prices.allSatisfy({ $0.currency == first.currency }) else { return nil }
        return Money(minor: prices.reduce(0) { $0 + $1.minor }, currency: first.currency)
    }

    // MARK: A line as a product

    private static func status(_ line: LineFacts) -> String { line.status == .pending ? "pendingActive" : line.status.rawValue }

    private func instant(_ day: LocalDate) -> JSONValue { .string(TMFDay.start(day, offsetMinutes: zone)) }

    private func resource(_ line: LineFacts, _ number: String) -> JSONValue {
        .object(["id": .string(line.id.description), "name": .string("MSISDN"), "value": .string(number)])
    }

    /// A product of which there is a row, with what every line says as a product: its number as a resource, and days as days.
    func completed(_ product: JSONObject, _ line: LineFacts, _ masking: Masking) -> JSONObject {
        var result = product
        for name in ["startDate", "terminationDate"] {
            guard let time = product[name]?.string.flatMap({ TMFTime($0) }) else { continue }
            guard (time.milliseconds + Int64(zone) * 60_000) % 86_400_000 == 0 else { continue }
            result[name] = instant(Instant(milliseconds: time.milliseconds).date(offsetMinutes: zone))
        }
        guard let number = line.number else { return result }
        let shown = masking.apply(.phone, number)
        var resources = product["realizingResource"]?.array ?? []
        let place = resources.firstIndex { element in
            Self.holdsNumber(element) || self.number(element) == number || element["value"]?.string == shown
        }
        if let place {
            guard resources[place]["value"] == nil, var object = resources[place].object else { return result }
            object["value"] = .string(shown)
            resources[place] = .object(object)
        } else {
            resources.append(resource(line, shown))
        }
        result["realizingResource"] = .array(resources)
        return result
    }

    /// A line of which no product says more: what the customer's own record has. The plan is the offering, and its name the only id
    /// that anybody has given it.
    func document(_ line: LineFacts, _ masking: Masking) -> JSONObject {
        let title = JSONValue.string(line.plan ?? line.service)
        var document: JSONObject = [
            "name": title, "status": .string(Self.status(line)), "productOffering": .object(["id": title, "name": title]),
        ]
        document["startDate"] = line.startedOn.map(instant)
        document["terminationDate"] = line.status == .terminated ? line.endedOn.map(instant) : nil
        if let number = line.number {
            document["realizingResource"] = .array([resource(line, masking.apply(.phone, number))])
        }
        document["productPrice"] = line.monthlyCharge.map { .array([Self.price($0)]) }
        return document
    }

    private static func price(_ charge: Money) -> JSONValue {
        .object([
            "priceType": .string("recurring"), "recurringChargePeriod": .string("month"),
            "price": .object(["taxIncludedAmount": .object(["unit": .string(charge.currency), "value": charge.json])]),
        ])
    }

    /// A product after its line was changed by others: what the line says otherwise now.
    func follows(_ product: JSONObject, _ line: LineFacts) -> JSONObject {
        let told = self.line(line.id.rawValue, of: line.customer, product)
        var result = product
        if told.status != line.status { result["status"] = .string(Self.status(line)) }
        if told.startedOn != line.startedOn, let day = line.startedOn { result["startDate"] = instant(day) }
        let end = line.status == .terminated ? line.endedOn : nil
        if (told.status == .terminated ? told.endedOn : nil) != end { result["terminationDate"] = end.map(instant) }
        if told.plan != line.plan {
            let title = JSONValue.string(line.plan ?? line.service)
            if product["name"]?.string == told.plan { result["name"] = title }
            result["productOffering"] = .object(["id": title, "name": title])
        }
        if told.number != line.number, let number = line.number { renumber(&result, from: told.number, to: number) }
        if told.monthlyCharge != line.monthlyCharge, let charge = line.monthlyCharge { reprice(&result, charge) }
        return result
    }

    private func renumber(_ product: inout JSONObject, from old: String?, to new: String) {
        guard !replaceNumber(&product, from: old, to: new) else { return }
        let more = JSONValue.object(["name": .string("MSISDN"), "value": .string(new)])
        product["productCharacteristic"] = .array((product["productCharacteristic"]?.array ?? []) + [more])
    }

    /// One monthly price is the line's; of several nobody knows which changed.
    private func reprice(_ product: inout JSONObject, _ charge: Money) {
        var prices = product["productPrice"]?.array ?? []
        let places = prices.indices.filter { Self.isMonthly(prices[$0]) }
        if places.isEmpty {
            prices.append(Self.price(charge))
        } else if places.count == 1, let (path, _) = Self.amount(prices[places[0]]), var object = prices[places[0]].object {
            AttributePath(path).put(.object(["unit": .string(charge.currency), "value": charge.json]), into: &object)
            prices[places[0]] = .object(object)
        }
        product["productPrice"] = .array(prices)
    }
}
