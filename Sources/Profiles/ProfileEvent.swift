import Crypto
import Foundation
import Kernel
import Storage
import Web

/// Something that happened with a customer, after the strict gate.
package struct ProfileEvent: Sendable, Equatable {
    static let idBytesMax = 200
    static let nameBytesMax = 120
    static let attributesMax = 30
    /// Characters of an attribute's text.
    static let textMax = 200
    /// Events that are older are answered `too_old`: no window reaches there.
    package static let daysMax = 90
    /// A clock of a source may be ahead by so much.
    package static let aheadSecondsMax: Int64 = 600
    /// Events of one request.
    package static let countMax = 5_000
    /// Kinds that only this product's own domains tell.
    static let ownPrefixes = ["crm.", "usage."]

    /// Of source and id.
    package var fingerprint: UInt64
    package var kind: String
    package var at: Instant
    /// The customer as the source names it.
    package var naming: CustomerNaming
    package var name: String
    package var attributes: [String: AttributeValue]
    /// Where it stands in its request, from 1.
    package var number = 0
    package var id = ""

    package init(
        fingerprint: UInt64, kind: String, at: Instant, naming: CustomerNaming, name: String,
        attributes: [String: AttributeValue] = [:], number: Int = 0, id: String = ""
    ) {
        self.fingerprint = fingerprint
        self.kind = kind
        self.at = at
        self.naming = naming
        self.name = name
        self.attributes = attributes
        self.number = number
        self.id = id
    }

    /// 64 bits of SHA-256 over source and id. Among a hundred million ids of a source two share theirs with a probability of
    /// 0.03 %; then one event counts as the repetition of another.
    package static func fingerprint(source: String, id: String) -> UInt64 { hash(source, id) }

    /// Of a value whose different values a series counts; salted, so that values of two series cannot be compared.
    static func hash(_ salt: String, _ text: String) -> UInt64 {
        var digest = SHA256()
        digest.update(data: Data(salt.utf8))
        digest.update(data: [0])
        digest.update(data: Data(text.utf8))
        return digest.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// What is wrong with one event.
package struct EventFault: Error, Sendable, Equatable {
    /// From 1.
    package var number = 0
    package var id = ""
    package let field: String
    package let code: String
    init(_ field: String, _ code: String) {
        self.field = field
        self.code = code
    }

    /// What to do about it; it never holds the value.
    package var words: Words {
        switch code {
        case "json": Words(en: "This is no JSON object.", zh: "不是 JSON 对象。")
        case "unknown_field":
            Words(
                en: "There is no such field; an event has id, kind, at, msisdn or reference, attributes.",
                zh: "未知字段；事件包含 id、kind、at、msisdn 或 reference、attributes。")
        case "bad_id": Words(en: "An event needs an id of 1 to 200 bytes, unique within its source.", zh: "事件须有 1 至 200 字节的编号，在来源内唯一。")
        case "bad_kind":
            Words(en: "The kind is small letters, digits, _, - and ., at most 60: app.login.", zh: "类型由小写字母、数字、_、-、. 组成，最多 60 个：app.login。")
        case "own_kind": Words(en: "Kinds of crm. and usage. are told by this product only.", zh: "crm. 与 usage. 类型仅由本系统产生。")
        case "no_customer": Words(en: "The customer is named by msisdn or by reference: exactly one of them is needed.", zh: "须用 msisdn 或 reference 指明客户，二者必填其一且只填其一。")
        case "bad_number": Words(en: "That is no telephone number.", zh: "不是有效的电话号码。")
        case "bad_time":
            Words(en: "The time is ISO 8601 with its zone, or milliseconds since 1970.", zh: "时间须为带时区的 ISO 8601，或 1970 年以来的毫秒数。")
        case "too_old": Words(en: "It happened more than 90 days ago; no window reaches there.", zh: "事件发生在 90 天之前，已超出统计窗口。")
        case "in_the_future": Words(en: "It lies more than 10 minutes in the future; look at the source's clock.", zh: "事件时间晚于当前 10 分钟以上，请检查来源的时钟。")
        case "bad_attributes":
            Words(en: "Attributes are at most 30 names with a text, a number or true or false each.", zh: "属性最多 30 个，值为文本、数字或真假。")
        case "too_long": Words(en: "A text may have at most 200 characters.", zh: "文本最多 200 个字符。")
        case "out_of_range": Words(en: "A number may be at most 1,000,000,000 either way.", zh: "数字的绝对值不得超过 10 亿。")
        default: Words(en: "It cannot be read (\(code)).", zh: "无法读取（\(code)）。")
        }
    }
}

/// Events of a request: NDJSON, or one JSON array. Each event is taken or refused by itself.
package struct EventReader: Sendable {
    private static let fields: Set<String> = ["id", "kind", "at", "msisdn", "reference", "attributes"]

    let source: String
    /// Whose ids `reference` holds.
    let references: String
    let countryCode: String
    let zone: Int
    let now: Instant

    package init(source: String, references: String, countryCode: String, zone: Int, now: Instant) {
        self.source = source
        self.references = references
        self.countryCode = countryCode
        self.zone = zone
        self.now = now
    }

    /// - Throws: `CRMError` 413 for more events than a request may have, 400 for an array that is no JSON.
    package func read(_ bytes: [UInt8]) throws -> (events: [ProfileEvent], faults: [EventFault]) {
        var events: [ProfileEvent] = []
        var faults: [EventFault] = []
        func take(_ number: Int, _ value: () throws -> JSONValue) throws {
            guard events.count + faults.count < ProfileEvent.countMax else { throw Self.tooMany }
            var id = ""
            do {
                guard let object = try value().object else { throw EventFault("", "json") }
                id = String((object["id"]?.string ?? "").prefix(ProfileEvent.idBytesMax))
                events.append(try event(object, number))
            } catch var fault as EventFault {
                (fault.number, fault.id) = (number, id)
                faults.append(fault)
            } catch let error as CRMError where error.status == 400 {
                var fault = EventFault("", "json")
                fault.number = number
                faults.append(fault)
            }
        }
        if bytes.first(where: { $0 > 32 }) == UInt8(ascii: "[") {
            for (offset, value) in (try JSONValue.parse(bytes).array ?? []).enumerated() { try take(offset + 1) { value } }
        } else {
            var number = 0
            for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
                number += 1
                guard line.contains(where: { $0 > 32 }) else { continue }
                try take(number) { try JSONValue.parse(Array(line)) }
            }
        }
        return (events, faults)
    }

    private static let tooMany = CRMError(
        "too_many_events", status: 413,
        Words(
            en: "A request may bring \(ProfileEvent.countMax) events; send the rest in another.",
            zh: "单次请求最多 \(ProfileEvent.countMax) 条事件，其余请另行发送。"))

    private func event(_ object: [String: JSONValue], _ number: Int) throws -> ProfileEvent {
        if let strange = object.keys.sorted().first(where: { !Self.fields.contains($0) }) {
            throw EventFault(String(strange.prefix(60)), "unknown_field")
        }
        guard let id = object["id"]?.string, (1...ProfileEvent.idBytesMax).contains(id.utf8.count) else {
            throw EventFault("id", "bad_id")
        }
        guard let kind = object["kind"]?.string, CounterDefinition.isName(kind) else { throw EventFault("kind", "bad_kind") }
        guard !ProfileEvent.ownPrefixes.contains(where: kind.hasPrefix) else { throw EventFault("kind", "own_kind") }
        let (naming, name) = try customer(object)
        return ProfileEvent(
            fingerprint: ProfileEvent.fingerprint(source: source, id: id), kind: kind, at: try time(object["at"]),
            naming: naming, name: name, attributes: try attributes(object["attributes"]), number: number, id: id)
    }

    private func customer(_ object: [String: JSONValue]) throws -> (CustomerNaming, String) {
        switch (object["msisdn"], object["reference"]) {
        case (let number?, nil):
            guard let text = number.string, text.utf8.count <= 40,
                let phone = PhoneNumber(text, defaultCountryCode: countryCode)
            else { throw EventFault("msisdn", "bad_number") }
            return (.number, phone.e164)
        case (nil, let reference?):
            guard let text = (reference.string ?? reference.int.map(String.init))?.trimmed,
                (1...ProfileEvent.nameBytesMax).contains(text.utf8.count)
            else { throw EventFault("reference", "no_customer") }
            return (.source(references), text)
        default: throw EventFault("reference", "no_customer")
        }
    }

    private func time(_ value: JSONValue?) throws -> Instant {
        guard let at = value?.int.map({ Instant(milliseconds: $0) }) ?? value?.string.flatMap(EventTime.parse) else {
            throw EventFault("at", "bad_time")
        }
        guard at <= now.adding(seconds: ProfileEvent.aheadSecondsMax) else { throw EventFault("at", "in_the_future") }
        guard at >= LiveDays.first(ProfileEvent.daysMax, now: now, zone: zone) else { throw EventFault("at", "too_old") }
        return at
    }

    private func attributes(_ value: JSONValue?) throws -> [String: AttributeValue] {
        guard let value else { return [:] }
        guard let object = value.object, object.count <= ProfileEvent.attributesMax,
            object.keys.allSatisfy(CounterDefinition.isName)
        else { throw EventFault("attributes", "bad_attributes") }
        var result: [String: AttributeValue] = [:]
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .string(let text):
                guard text.count <= ProfileEvent.textMax else { throw EventFault(name, "too_long") }
                result[name] = .text(text)
            case .bool(let flag): result[name] = .text(flag ? "true" : "false")
            case .int, .double:
                guard let number = value.double.flatMap(Thousandths.of) else { throw EventFault(name, "out_of_range") }
                result[name] = .number(number)
            default: throw EventFault(name, "bad_attributes")
            }
        }
        return result
    }
}

/// `2026-03-01T10:00:00Z`, `2026-03-01T10:00:00.250+08:00`: a date, a time and a zone.
enum EventTime {
    static func parse(_ text: String) -> Instant? {
        let bytes = Array(text.utf8)
        guard (20...35).contains(bytes.count), bytes[10] == 84 || bytes[10] == 116 || bytes[10] == 32, bytes[13] == 58,
            bytes[16] == 58, let date = LocalDate(String(text.prefix(10))), let hour = number(bytes[11..<13]), hour < 24,
            let minute = number(bytes[14..<16]), minute < 60, let second = number(bytes[17..<19]), second < 61
        else { return nil }
        var at = 19
        var milliseconds = 0
        if bytes[at] == 46 {
            var place = 100
            at += 1
            guard at < bytes.count, (48...57).contains(bytes[at]) else { return nil }
            while at < bytes.count, (48...57).contains(bytes[at]) {
                milliseconds += Int(bytes[at] - 48) * place
                place /= 10
                at += 1
            }
        }
        guard let offset = zone(bytes[at...]) else { return nil }
        let seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - offset * 60
        return Instant(milliseconds: seconds * 1_000 + Int64(milliseconds))
    }

    /// Minutes east of UTC.
    private static func zone(_ bytes: ArraySlice<UInt8>) -> Int64? {
        let rest = Array(bytes)
        if rest == [90] || rest == [122] { return 0 }
        guard rest.count == 6, rest[3] == 58, rest[0] == 43 || rest[0] == 45, let hours = number(rest[1..<3]), hours <= 14,
            let minutes = number(rest[4..<6]), minutes < 60
        else { return nil }
        return (rest[0] == 45 ? -1 : 1) * Int64(hours * 60 + minutes)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.allSatisfy { (48...57).contains($0) } ? bytes.reduce(0) { $0 * 10 + Int($1 - 48) } : nil
    }
}

/// Days in the tenant's zone.
enum LiveDays {
    /// The first instant of the day that is the first of so many, today included.
    static func first(_ days: Int, now: Instant, zone: Int) -> Instant {
        let day = now.date(offsetMinutes: zone).daysSinceEpoch - days + 1
        return Instant(milliseconds: Int64(day) * 86_400_000 - Int64(zone) * 60_000)
    }
}
