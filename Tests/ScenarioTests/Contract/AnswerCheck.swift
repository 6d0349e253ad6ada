import Foundation
import TMF
import Testing
import Web

/// Answers against the specification as TM Forum publishes it (Swagger 2.0), not against our own reading of it.
struct AnswerCheck {
    static let folder = "/work/shared/tmf"
    static let isThere = FileManager.default.fileExists(atPath: folder + "/TMF621-TroubleTicket-v4.0.0.json")

    /// What tmf-api.md wants in every answer; the specifications themselves leave `required` out in many places.
    static let mandatory: [String: [String]] = [
        "ProductOffering": ["href", "id", "lastUpdate", "lifecycleStatus", "name"],
        "ProductSpecification": ["href", "id", "lastUpdate", "lifecycleStatus", "name"],
        "ProductOfferingPrice": ["href", "id", "lastUpdate", "lifecycleStatus", "name"],
        "ProductOrder": ["productOrderItem", "href", "id", "orderDate", "relatedParty", "state"],
        "Customer": ["engagedParty", "@type", "href", "id", "name"], "Individual": ["familyName", "givenName", "href", "id"],
        "Organization": ["href", "id", "tradingName"],
        "Product": ["href", "id", "productCharacteristic", "productOffering", "relatedParty", "status"],
        "PartyInteraction": ["channel", "direction", "href", "id", "reason"],
        "CommunicationMessage": ["content", "href", "id", "messageType", "receiver", "sender"],
        "SalesLead": ["id", "href", "creationDate", "name", "status", "statusChangeDate"],
        "CustomerBill": ["href", "id", "billDocument"], "AppliedCustomerBillingRate": ["isBilled", "href", "id"],
        "Usage": ["id", "usageSpecification"],
        "PartyPrivacyProfile": [
            "agreedByParty", "href", "id", "partyPrivacyProfileCharacteristic", "partyPrivacyProfileSpecification",
        ],
        "BillingAccount": ["name", "relatedParty", "href", "id"], "PartyAccount": ["name", "relatedParty", "href", "id"],
        "SettlementAccount": ["name", "relatedParty", "href", "id"], "Promotion": ["href", "id", "name"],
        "PartyRole": ["name", "href", "id"],
        "Agreement": ["agreementItem", "agreementType", "engagedParty", "name", "@type", "href", "id"],
        "Quote": ["quoteItem", "id", "href", "quoteDate", "state"],
        "Appointment": ["validFor", "id", "href", "creationDate", "lastUpdate", "status"],
        "TroubleTicket": ["description", "severity", "ticketType", "id", "href", "status", "creationDate"],
    ]

    private let definitions: [String: Any]

    init(_ number: Int) throws {
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted().first { $0.hasPrefix("TMF\(number)-") && $0.contains("-v4.") })
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/" + file))
        let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        definitions = try #require(whole["definitions"] as? [String: Any])
    }

    /// What is wrong with a document of a type, by place.
    func problems(_ document: JSONValue, _ type: String) -> [String] {
        var found: [String] = []
        check(document, ["$ref": "#/definitions/" + type], "", &found)
        for name in Self.mandatory[type] ?? [] where document[name] == nil || document[name] == .null { found.append("\(name) is missing") }
        return found
    }

    private func resolved(_ schema: [String: Any]) -> [String: Any] {
        var schema = schema
        while let reference = schema["$ref"] as? String {
            schema = definitions[String(reference.split(separator: "/").last ?? "")] as? [String: Any] ?? [:]
        }
        return schema
    }

    private func check(_ value: JSONValue, _ schema: [String: Any], _ place: String, _ found: inout [String]) {
        let schema = resolved(schema)
        for part in schema["allOf"] as? [[String: Any]] ?? [] { check(value, part, place, &found) }
        if let words = schema["enum"] as? [String], let text = value.string, !words.contains(text) {
            found.append("\(place): “\(text)” is none of \(words)")
        }
        switch (schema["type"] as? String, value) {
        case ("string", .string(let text)):
            let format = schema["format"] as? String
            if format == "date-time" || format == "date", TMFTime(text) == nil { found.append("\(place): “\(text)” is no time") }
        case ("string", _), ("boolean", .string), ("boolean", .int), ("boolean", .double): found.append("\(place): \(value.encoded()) for \(schema["type"] ?? "")")
        case ("integer", .int), ("number", .int), ("number", .double), ("boolean", .bool): break
        case ("integer", _), ("number", _), ("boolean", _): found.append("\(place): \(value.encoded()) for \(schema["type"] ?? "")")
        case ("array", .array(let items)):
            guard let inner = schema["items"] as? [String: Any] else { break }
            for (offset, item) in items.enumerated() { check(item, inner, "\(place)[\(offset)]", &found) }
        case ("array", _): found.append("\(place): no array")
        case ("object", .object), (nil, .object):
            for name in schema["required"] as? [String] ?? [] where value[name] == nil {
                // A reference that a client sent without an address has none.
                if name == "href", !place.isEmpty { continue }
                found.append("\(place).\(name) is missing")
            }
            for (name, inner) in schema["properties"] as? [String: [String: Any]] ?? [:] {
                if let own = value[name] { check(own, inner, place.isEmpty ? name : "\(place).\(name)", &found) }
            }
        case ("object", _): found.append("\(place): no object")
        default: break
        }
    }
}
