import Foundation
import Kernel
import Matching
import Platform
import Storage
import TMF
import Web

/// A record as the documents of the party and customer interfaces (TMF632, TMF629), and back. What is masked for the caller is masked here.
struct PartyDocument: Sendable {
    let masking: Masking
    /// Minutes east of UTC: days are those of the installation's zone.
    let zone: Int
    /// Labels of custom attributes decide what is shown of them.
    var attributes: [CustomAttribute] = []

    // MARK: Out

    func individual(_ record: CustomerRecord) -> JSONObject {
        let party = record.party
        let (family, given) = Self.names(party)
        var result = common(record)
        result["familyName"] = text(.name, family)
        result["givenName"] = text(.name, given)
        result["fullName"] = text(.name, party.displayName)
        result["gender"] = party.gender.map { .string($0) }
        // A masked day would be no date: who may not see it gets none.
        if masking.shows(.date) { result["birthDate"] = party.birthDate.map { .string(TMFDay.start($0, offsetMinutes: zone)) } }
        if let language = party.language {
            result["languageAbility"] = .array([.object(["languageCode": .string(language), "isFavouriteLanguage": .bool(true)])])
        }
        result["individualIdentification"] = documents(record)
        return result
    }

    func organization(_ record: CustomerRecord) -> JSONObject {
        var result = common(record)
        result["tradingName"] = text(.name, record.party.displayName)
        result["organizationType"] = record.party.industry.map { .string($0) }
        result["organizationIdentification"] = documents(record)
        return result
    }

    func customer(_ record: CustomerRecord, accounts: [JSONValue]) -> JSONObject {
        let customer = record.customer
        let isPerson = record.party.kind == .individual
        var result: JSONObject = [
            "name": text(.name, record.title), "status": .string(customer.status.rawValue),
            "engagedParty": .object([
                "id": .string(record.id.description), "name": text(.name, record.title),
                "href": .string("/tmf-api/party/v4/\(isPerson ? "individual" : "organization")/\(record.id)"),
                "@referredType": .string(isPerson ? "Individual" : "Organization"),
            ]),
        ]
        result["statusReason"] = customer.statusReason.map { .string($0) }
        var period: JSONObject = [:]
        if let since = customer.since { period["startDateTime"] = .string(TMFDay.start(since, offsetMinutes: zone)) }
        if customer.hasLeft == true, let left = record.outcome?.leftOn {
            period["endDateTime"] = .string(TMFDay.start(left, offsetMinutes: zone))
        }
        if !period.isEmpty { result["validFor"] = .object(period) }
        result["contactMedium"] = media(record)
        if !accounts.isEmpty { result["account"] = .array(accounts) }
        let values = characteristics(record)
        if !values.isEmpty { result["characteristic"] = .array(values) }
        return result
    }

    private func common(_ record: CustomerRecord) -> JSONObject {
        var result: JSONObject = [:]
        result["contactMedium"] = media(record)
        let sources = record.sourceIDs.sorted { $0.key < $1.key }.map { source, number in
            JSONValue.object(["externalReferenceType": .string(source), "name": .string(number)])
        }
        if !sources.isEmpty { result["externalReference"] = .array(sources) }
        return result
    }

    private func text(_ mask: MaskKind, _ text: String) -> JSONValue { .string(masking.apply(mask, text)) }

    private func documents(_ record: CustomerRecord) -> JSONValue? {
        guard !record.documents.isEmpty else { return nil }
        return .array(
            record.documents.map {
                .object(["identificationType": .string($0.kind.rawValue), "identificationId": text(.identity, $0.number)])
            })
    }

    private func media(_ record: CustomerRecord) -> JSONValue? {
        var result: [JSONValue] = record.contacts.map { contact in
            let isPhone = contact.kind == .phone
            return .object([
                "mediumType": .string(isPhone ? "phone" : "email"), "preferred": .bool(contact.preferred),
                "characteristic": .object([
                    isPhone ? "phoneNumber" : "emailAddress": text(isPhone ? .phone : .email, contact.value)
                ]),
            ])
        }
        for address in record.addresses {
            var place: JSONObject = [:]
            for (name, value) in [
                ("street1", address.lines), ("city", address.city), ("stateOrProvince", address.region),
                ("postCode", address.postcode), ("country", address.country),
            ] { place[name] = value.map { text(name == "street1" || name == "postCode" ? .address : .none, $0) } }
            guard !place.isEmpty else { continue }
            result.append(.object(["mediumType": .string("postalAddress"), "characteristic": .object(place)]))
        }
        return result.isEmpty ? nil : .array(result)
    }

    /// What a customer has besides, under the names of the fields.
    private static let plain: [(name: String, path: any WritableKeyPath<CustomerRecord, String?> & Sendable)] = [
        ("segment", \.customer.segment), ("region", \.customer.region), ("city", \.customer.city),
        ("paymentMethod", \.customer.paymentMethod),
    ]

    private func characteristics(_ record: CustomerRecord) -> [JSONValue] {
        var result: [JSONValue] = Self.plain.compactMap { name, path in
            record[keyPath: path].map { .object(["name": .string(name), "value": .string($0)]) }
        }
        for attribute in attributes {
            guard let content = record.attributes[attribute.id] else { continue }
            let value: JSONValue
            switch content {
            case .text(let text): value = .string(masking.apply(attribute.mask, text))
            case _ where !masking.shows(attribute.mask): value = .string(masking.apply(attribute.mask, "0"))
            case .integer(let number): value = attribute.kind == .boolean ? .bool(number != 0) : .int(number)
            case .decimal(let number): value = .double(number)
            }
            result.append(.object(["name": .string(attribute.key), "value": value]))
        }
        return result
    }

    /// Family and given name, also of somebody of whom only the whole name is known.
    static func names(_ party: Party) -> (family: String, given: String) {
        if party.familyName != nil || party.givenName != nil { return (party.familyName ?? "", party.givenName ?? "") }
        let name = party.displayName
        if let first = name.unicodeScalars.first, SearchTokens.isHan(first), !name.contains(" ") {
            let count = Han.doubleSurnames.contains(String(name.prefix(2))) && name.count > 2 ? 2 : 1
            return (String(name.prefix(count)), String(name.dropFirst(count)))
        }
        let words = name.split(separator: " ").map(String.init)
        return (words.last ?? "", words.dropLast().joined(separator: " "))
    }

    // MARK: In

    /// Takes what a document says otherwise than the one before. What has no place in a record is kept beside it.
    static func apply(
        _ new: JSONObject, from old: JSONObject, to record: inout CustomerRecord, _ tenant: Tenant
    ) throws {
        let ids = tenant.ids
        func changed(_ names: String...) -> Bool { names.contains { old[$0] != new[$0] } }
        if record.party.kind == .individual {
            let whole = changed("fullName") ? new["fullName"]?.string : nil
            if changed("familyName", "givenName") {
                record.party.familyName = new["familyName"]?.string
                record.party.givenName = new["givenName"]?.string
                record.party.displayName = whole ?? record.party.composedName
            } else if changed("fullName") {
                record.party.call(whole ?? record.party.composedName)
            }
            if changed("gender") {
                let gender = new["gender"]?.string?.lowercased()
                record.party.gender = gender.flatMap { ["male", "female", "other"].contains($0) ? $0 : nil }
            }
            if changed("birthDate") {
                record.party.birthDate = new["birthDate"]?.string.flatMap { TMFDay.day($0, offsetMinutes: tenant.timeZoneOffsetMinutes) }
            }
            if changed("languageAbility") {
                record.party.language = new["languageAbility"]?.array?.first?["languageCode"]?.string
            }
        } else {
            if changed("tradingName") { record.party.displayName = new["tradingName"]?.string ?? "" }
            if changed("organizationType") { record.party.industry = new["organizationType"]?.string }
        }
        for name in ["individualIdentification", "organizationIdentification"] where changed(name) {
            record.documents = documents(new[name], record.documents, ids)
        }
        if changed("externalReference") {
            record.sourceIDs = Dictionary(
                (new["externalReference"]?.array ?? []).compactMap { reference in
                    guard let source = reference["externalReferenceType"]?.string, let number = reference["name"]?.string,
                        !source.isEmpty, !number.isEmpty
                    else { return nil }
                    return (source, number)
                }, uniquingKeysWith: { first, _ in first })
        }
        if changed("contactMedium") { try applyMedia(new["contactMedium"], to: &record, tenant.ids, tenant.countryCode) }
    }

    /// The same of what is the customer's own.
    static func applyCustomer(
        _ new: JSONObject, from old: JSONObject, to record: inout CustomerRecord, _ attributes: [CustomAttribute],
        _ tenant: Tenant
    ) throws {
        func changed(_ name: String) -> Bool { old[name] != new[name] }
        // Customers have no name of their own: it is their party's.
        if changed("name"), let name = new["name"]?.string { record.party.call(name) }
        if changed("statusReason") { record.customer.statusReason = new["statusReason"]?.string }
        if changed("validFor") {
            record.customer.since = new["validFor"]?["startDateTime"]?.string.flatMap {
                TMFDay.day($0, offsetMinutes: tenant.timeZoneOffsetMinutes)
            }
        }
        if changed("contactMedium") { try applyMedia(new["contactMedium"], to: &record, tenant.ids, tenant.countryCode) }
        guard changed("characteristic") else { return }
        let values = Dictionary(
            (new["characteristic"]?.array ?? []).compactMap { one in one["name"]?.string.map { ($0, one["value"] ?? .null) } },
            uniquingKeysWith: { first, _ in first })
        for (name, path) in plain { record[keyPath: path] = values[name]?.string }
        for attribute in attributes {
            let value: SQLValue
            switch values[attribute.key] {
            case .string(let text): value = .text(text)
            case .int(let number): value = .int(number)
            case .double(let number): value = .double(number)
            case .decimal(let text): value = Double(text).map { .double($0) } ?? .null
            case .bool(let flag): value = .bool(flag)
            default: value = .null
            }
            record.attributes[attribute.id] = attribute.content(value)
        }
    }

    private static func documents(_ value: JSONValue?, _ old: [IdentityDocument], _ ids: IDGenerator) -> [IdentityDocument] {
        (value?.array ?? []).compactMap { one in
            guard let number = one["identificationId"]?.string, !number.isEmpty else { return nil }
            let type = one["identificationType"]?.string?.lowercased() ?? ""
            let kind =
                DocumentKind(rawValue: type)
                ?? (type.contains("passport") ? .passport : type.contains("licen") ? .businessLicence
                    : type.contains("national") || type.contains("card") ? .idCard : .other)
            if let known = old.first(where: { $0.number == number && $0.kind == kind }) { return known }
            return IdentityDocument(id: ids.next(), kind: kind, number: number)
        }
    }

    private static func refused(_ name: String, _ words: Words) -> CRMError {
        let place = "contactMedium.characteristic." + name
        return CRMError("wrong_value", status: 400, words, fields: [.init(field: place, code: "wrong_value", message: words)])
    }

    private static func applyMedia(
        _ value: JSONValue?, to record: inout CustomerRecord, _ ids: IDGenerator, _ countryCode: String
    ) throws {
        var contacts: [ContactMedium] = []
        var addresses: [Address] = []
        for medium in value?.array ?? [] {
            let of = medium["characteristic"]
            let preferred = medium["preferred"]?.bool ?? true
            func add(_ kind: ContactKind, _ text: String) {
                guard !contacts.contains(where: { $0.kind == kind && $0.value == text }) else { return }
                let known = record.contacts.first { $0.kind == kind && $0.value == text }
                contacts.append(ContactMedium(id: known?.id ?? ids.next(), kind: kind, value: text, preferred: preferred))
            }
            // What could not be found again is not taken.
            if let text = of?["phoneNumber"]?.string {
                guard let number = PhoneNumber(text, defaultCountryCode: countryCode) else {
                    throw refused("phoneNumber", Words(en: "“\(text)” is no telephone number", zh: "“\(text)”不是电话号码"))
                }
                add(.phone, number.e164)
            }
            if let text = of?["emailAddress"]?.string {
                guard text.contains("@") else {
                    throw refused("emailAddress", Words(en: "“\(text)” is no e-mail address", zh: "“\(text)”不是邮箱地址"))
                }
                add(.email, text)
            }
            var address = Address(id: ids.next())
            address.lines = of?["street1"]?.string
            address.city = of?["city"]?.string
            address.region = of?["stateOrProvince"]?.string
            address.postcode = of?["postCode"]?.string
            address.country = of?["country"]?.string
            guard address != Address(id: address.id) else { continue }
            // Where it lies on the map is known of an address that stays.
            if let known = record.addresses.first(where: {
                $0.lines == address.lines && $0.city == address.city && $0.postcode == address.postcode
            }) {
                var same = Address(id: known.id)
                (same.lines, same.city, same.region) = (address.lines, address.city, address.region)
                (same.postcode, same.country) = (address.postcode, address.country)
                (same.latitude, same.longitude) = (known.latitude, known.longitude)
                address = same
            }
            addresses.append(address)
        }
        record.contacts = contacts
        record.addresses = addresses
    }
}
