import Kernel
import Storage

/// One stored fact of a part of a customer (a line, an address, the party), by which a change is kept in the journal of
/// an import and taken back.
struct Fact<Part: Sendable>: Sendable {
    /// In the journal; where there is a field, the field's key.
    let name: String
    let get: @Sendable (Part) -> SQLValue
    let set: @Sendable (inout Part, SQLValue) -> Void

    static func text(_ name: String, _ path: any WritableKeyPath<Part, String?> & Sendable) -> Fact {
        Fact(name: name, get: { .text($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asText })
    }
    static func text(_ name: String, _ path: any WritableKeyPath<Part, String> & Sendable) -> Fact {
        Fact(name: name, get: { .text($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asText ?? "" })
    }
    static func date(_ name: String, _ path: any WritableKeyPath<Part, LocalDate?> & Sendable) -> Fact {
        Fact(name: name, get: { .date($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asDate })
    }
    static func int(_ name: String, _ path: any WritableKeyPath<Part, Int64?> & Sendable) -> Fact {
        Fact(name: name, get: { .int($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asInt })
    }
    static func double(_ name: String, _ path: any WritableKeyPath<Part, Double?> & Sendable) -> Fact {
        Fact(name: name, get: { .double($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asDouble })
    }
    static func bool(_ name: String, _ path: any WritableKeyPath<Part, Bool?> & Sendable) -> Fact {
        Fact(name: name, get: { .bool($0[keyPath: path]) }, set: { $0[keyPath: path] = $1.asBool })
    }
    /// A code; what is not one leaves the part as it is.
    static func code<Code: RawRepresentable<String>>(
        _ name: String, _ path: any WritableKeyPath<Part, Code> & Sendable
    ) -> Fact {
        Fact(
            name: name, get: { .text($0[keyPath: path].rawValue) },
            set: { part, value in if let code = value.asText.flatMap(Code.init) { part[keyPath: path] = code } })
    }
    static func code<Code: RawRepresentable<String>>(
        _ name: String, _ path: any WritableKeyPath<Part, Code?> & Sendable
    ) -> Fact {
        Fact(
            name: name, get: { .text($0[keyPath: path]?.rawValue) },
            set: { $0[keyPath: path] = $1.asText.flatMap(Code.init) })
    }
}

/// A part of which a customer has several, each with an id of its own.
protocol CustomerPart: Sendable, Equatable {
    /// In the journal: `line`, `address`.
    static var kind: String { get }
    static var facts: [Fact<Self>] { get }
    var partID: Int64 { get }
    /// Without any facts.
    init(blank partID: Int64)
    func values() -> [(name: String, value: SQLValue)]
    func value(_ name: String) -> SQLValue
    mutating func give(_ name: String, _ value: SQLValue)
}

extension CustomerPart {
    func values() -> [(name: String, value: SQLValue)] { Self.facts.map { ($0.name, $0.get(self)) } }
    func value(_ name: String) -> SQLValue { Self.facts.first { $0.name == name }?.get(self) ?? .null }
    mutating func give(_ name: String, _ value: SQLValue) { Self.facts.first { $0.name == name }?.set(&self, value) }
}

extension Party {
    static let facts: [Fact<Party>] = [
        .code("kind", \.kind), .text("full_name", \.displayName), .text("family_name", \.familyName),
        .text("given_name", \.givenName), .text("gender", \.gender), .date("birth_date", \.birthDate),
        .bool("senior", \.senior), .text("language", \.language), .text("industry", \.industry),
        .code("size_tier", \.sizeTier),
    ]
}

extension Customer {
    /// Revision and time of the change are kept apart.
    static let facts: [Fact<Customer>] = [
        .text("source_id", \.reference), .code("status", \.status), .text("status_reason", \.statusReason),
        .text("segment", \.segment), .text("region", \.region), .text("city", \.city), .date("start_date", \.since),
        .text("payment_method", \.paymentMethod), .bool("paperless", \.paperless),
        .int("total_charges", \.totalCharges), .bool("left", \.hasLeft),
    ]
}

extension ContactMedium: CustomerPart {
    static let kind = "contact"
    static let facts: [Fact<ContactMedium>] = [
        .code("kind", \.kind), .text("value", \.value),
        Fact(name: "preferred", get: { .bool($0.preferred) }, set: { $0.preferred = $1.asBool ?? true }),
    ]
    var partID: Int64 { id.rawValue }
    init(blank partID: Int64) { self.init(id: ID(partID), kind: .phone, value: "") }
}

extension Address: CustomerPart {
    static let kind = "address"
    static let facts: [Fact<Address>] = [
        .text("address", \.lines), .text("city", \.city), .text("region", \.region), .text("postcode", \.postcode),
        .text("country", \.country), .double("latitude", \.latitude), .double("longitude", \.longitude),
    ]
    var partID: Int64 { id.rawValue }
    init(blank partID: Int64) { self.init(id: ID(partID)) }
}

extension IdentityDocument: CustomerPart {
    static let kind = "document"
    static let facts: [Fact<IdentityDocument>] = [
        .code("document_kind", \.kind), .text("document_number", \.number),
    ]
    var partID: Int64 { id.rawValue }
    init(blank partID: Int64) { self.init(id: ID(partID), kind: .other, number: "") }
}

extension Outcome: CustomerPart {
    static let kind = "outcome"
    static let facts: [Fact<Outcome>] = [
        .date("left_on", \.leftOn), .text("leave_reason_code", \.reasonCode), .text("leave_reason", \.reasonText),
        .text("competitor", \.competitor),
        Fact(
            name: "recorded_on", get: { .date($0.recordedOn) },
            set: { if let date = $1.asDate { $0.recordedOn = date } }),
    ]
    var partID: Int64 { id.rawValue }
    init(blank partID: Int64) { self.init(id: ID(partID), recordedOn: Instant(milliseconds: 0).date()) }
}

extension Subscription: CustomerPart {
    static let kind = "line"
    static let facts: [Fact<Subscription>] = [
        .code("service", \.service), .text("technology", \.technology), .text("plan", \.plan),
        .text("msisdn", \.msisdn),
        Fact(
            name: "contract_term", get: { .int($0.contractTerm.map(Int64.init)) },
            set: { $0.contractTerm = $1.asInt.map { Int($0) } }),
        .date("contract_end", \.contractEnd), .date("start_date", \.startedOn), .date("ended_on", \.endedOn),
        .code("subscription_status", \.status), .int("monthly_charge", \.monthlyCharge), .text("currency", \.currency),
        .text("iccid", \.iccid), .text("imsi", \.imsi), .text("imei", \.imei), .text("device", \.device),
        .code("sim_kind", \.simKind),
    ]
    private static let addonPrefix = "addon_"

    var partID: Int64 { id.rawValue }
    init(blank partID: Int64) { self.init(id: ID(partID), service: .other, currency: "") }

    /// An add-on is its charge, or `true` when it has none.
    func values() -> [(name: String, value: SQLValue)] {
        Self.facts.map { ($0.name, $0.get(self)) }
            + addons.map { (Self.addonPrefix + $0.code, $0.monthlyCharge.map { .int($0) } ?? .bool(true)) }
    }

    func value(_ name: String) -> SQLValue {
        guard name.hasPrefix(Self.addonPrefix) else { return Self.facts.first { $0.name == name }?.get(self) ?? .null }
        guard let addon = addons.first(where: { Self.addonPrefix + $0.code == name }) else { return .null }
        return addon.monthlyCharge.map { .int($0) } ?? .bool(true)
    }

    mutating func give(_ name: String, _ value: SQLValue) {
        guard name.hasPrefix(Self.addonPrefix) else {
            Self.facts.first { $0.name == name }?.set(&self, value)
            return
        }
        let code = String(name.dropFirst(Self.addonPrefix.count))
        addons.removeAll { $0.code == code }
        if value != .null {
            let charge: Int64? = if case .int(let charge) = value { charge } else { nil }
            addons.append(Addon(code: code, monthlyCharge: charge))
            addons.sort { $0.code < $1.code }
        }
    }
}
