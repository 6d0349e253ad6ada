import Foundation
import Kernel
import Platform
import TMF
import TestSupport
import Testing
import Web

/// What is well formed and cannot be meant: refused by the layer that all resources share, with its place.
@Suite("What programs send and cannot mean")
struct InterfaceSenseTests {
    private static let tickets = "/tmf-api/troubleTicket/v4/troubleTicket"
    private static let offerings = "/tmf-api/productCatalogManagement/v4/productOffering"

    private static func ticket(_ parties: JSONValue) -> JSONValue {
        ["description": "d", "severity": "Major", "ticketType": "fault", "relatedParty": parties]
    }

    @Test("@referredType is what the id is: a person is no organization and, without being a customer, no customer; bases and families may stand for both")
    func kinds() async throws {
        let world = try await ContractWorld(customers: 10)
        let person = try world.send("POST", "/tmf-api/party/v4/individual", ["familyName": "Li", "givenName": "Na"]).id
        let firm = try world.send("POST", "/tmf-api/party/v4/organization", ["name": "Acme", "tradingName": "Acme"]).id
        func party(_ id: String, _ type: String) -> JSONValue { ["id": .string(id), "role": "x", "@referredType": .string(type)] }
        for (id, type, right) in [
            (person, "Organization", "Individual"), (firm, "Individual", "Organization"), (firm, "organization", ""), (person, "Customer", "Individual"),
            (person, "PartyRole", "Individual"), (person, "Individual", ""), (person, "Party", ""), (person, "RelatedParty", ""), (firm, "Party", ""),
        ] {
            let answer = try world.send("POST", Self.tickets, Self.ticket([party(id, type)]))
            if right.isEmpty {
                #expect(answer.status == 201, "\(type): \(answer.text)")
            } else {
                #expect(answer.status == 400 && answer.code == "wrong_type", "\(type): \(answer.text)")
                #expect(answer.text.contains("relatedParty[0].@referredType") && answer.text.contains(right), "\(type): \(answer.text)")
            }
        }
        // A customer is a party role, and has its person's id.
        let customer = world.customers[0].description
        #expect(try world.send("POST", Self.tickets, Self.ticket([party(customer, "PartyRole")])).status == 201)
        #expect(try world.send("POST", Self.tickets, Self.ticket([party(customer, "Customer")])).status == 201)
        // One right and one wrong word for one id: the wrong one is told.
        let both = try world.send("POST", Self.tickets, Self.ticket([party(person, "Individual"), party(person, "Organization")]))
        #expect(both.code == "wrong_type" && both.text.contains("relatedParty[1].@referredType"), "\(both.text)")
        // An attribute that is to an offering is to nothing else, however right the id is.
        let lead = try world.send(
            "POST", "/tmf-api/sales/v4/salesLead", ["name": "n", "productOffering": ["id": .string(customer), "@referredType": "Customer"]])
        #expect(lead.status == 400 && lead.code == "wrong_type" && lead.text.contains("productOffering.@referredType"), "\(lead.text)")
        // What lay there may stay; a change of the word is looked at.
        let made = try world.send("POST", Self.tickets, Self.ticket([party(person, "Individual")]))
        let bad = try world.send("PATCH", "\(Self.tickets)/\(made.id)", ["relatedParty": [party(person, "Organization")]])
        #expect(bad.code == "wrong_type", "\(bad.text)")
        #expect(try world.send("GET", "\(Self.tickets)/\(made.id)").body == made.body)
        // A billing account is a party account, and no settlement account.
        let account = try world.send(
            "POST", "/tmf-api/accountManagement/v4/billingAccount",
            ["name": "b", "relatedParty": [["id": .string(customer), "name": "n", "role": "customer", "@referredType": "Customer"]]])
        #expect(account.status == 201, "\(account.text)")
        for (type, status) in [("BillingAccount", 201), ("PartyAccount", 201), ("Account", 201), ("SettlementAccount", 400), ("FinancialAccount", 400)] {
            var body = Self.ticket([party(customer, "Customer")]).object ?? [:]
            body["relatedEntity"] = [["id": .string(account.id), "role": "r", "@referredType": .string(type)]]
            let answer = try world.send("POST", Self.tickets, .object(body))
            #expect(answer.status == status && (status == 201 || answer.text.contains("BillingAccount")), "\(type): \(answer.text)")
        }
    }

    @Test("what something is stays: @type is no attribute to change, and nothing says of itself that it is another resource")
    func types() async throws {
        let world = try await ContractWorld(customers: 10)
        let made = try world.send("POST", "/tmf-api/party/v4/individual", ["familyName": "Li", "givenName": "Na"])
        let path = "/tmf-api/party/v4/individual/\(made.id)"
        for type: JSONValue in ["Organization", "Mine"] {
            let merged = try world.send("PATCH", path, ["@type": type])
            #expect(merged.status == 400 && merged.code == "fixed" && merged.text.contains("@type"), "\(merged.text)")
            let patch: JSONValue = [["op": "replace", "path": "/@type", "value": type]]
            #expect(try world.send("PATCH", path, patch, type: "application/json-patch+json").code == "fixed")
        }
        #expect(try world.send("PATCH", path, ["@type": "Individual", "givenName": "Nan"]).status == 200)
        #expect(try world.send("PATCH", path, ["@type": .null]).status == 200)
        #expect(try world.send("GET", path).body["@type"] == "Individual")
        let strange = try world.send("POST", "/tmf-api/party/v4/individual", ["familyName": "Li", "givenName": "Na", "@type": "Organization"])
        #expect(strange.status == 400 && strange.code == "wrong_type" && strange.text.contains("@type"), "\(strange.text)")
        #expect(try world.send("POST", "/tmf-api/party/v4/individual", ["familyName": "Li", "givenName": "Na", "@type": "Guest"]).status == 201)
    }

    @Test("a period that ends before it begins is refused wherever it stands; one that stood there before does not keep from other changes")
    func periods() async throws {
        let world = try await ContractWorld(customers: 10)
        let wrong: JSONValue = ["startDateTime": "2026-02-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00+08:00"]
        let customer = "/tmf-api/customerManagement/v4/customer/\(world.customers[0])"
        let one = try world.send("PATCH", customer, ["validFor": wrong])
        #expect(one.status == 400 && one.code == "wrong_period" && one.text.contains("validFor.endDateTime"), "\(one.text)")
        for (path, body, place) in [
            (Self.offerings, ["name": "o", "attachment": [["name": "a"], ["name": "b", "validFor": wrong]]], "attachment[1].validFor.endDateTime"),
            (Self.tickets, ["description": "d", "severity": "Major", "ticketType": "fault", "attachment": [["validFor": wrong]]], "attachment[0].validFor"),
            (
                "/tmf-api/productOrderingManagement/v4/productOrder",
                ["requestedStartDate": "2026-02-01T00:00:00Z", "requestedCompletionDate": "2026-01-01T00:00:00Z", "productOrderItem": [["id": "1", "action": "add"]]],
                "requestedCompletionDate"
            ),
            (
                "/tmf-api/party/v4/individual", ["familyName": "a", "givenName": "b", "birthDate": "1990-01-02T00:00:00Z", "deathDate": "1980-01-01T00:00:00Z"],
                "deathDate"
            ),
        ] as [(String, JSONValue, String)] {
            let answer = try world.send("POST", path, body)
            #expect(answer.status == 400 && answer.code == "wrong_period" && answer.text.contains(place), "\(path): \(answer.text)")
        }
        // One end is there and the other comes.
        let offer = try world.send("POST", Self.offerings, ["name": "o", "validFor": ["startDateTime": "2026-02-01T00:00:00Z"]])
        #expect(offer.status == 201, "\(offer.text)")
        let later = try world.send("PATCH", "\(Self.offerings)/\(offer.id)", ["validFor": ["endDateTime": "2026-01-01T00:00:00Z"]])
        #expect(later.code == "wrong_period", "\(later.text)")
        #expect(try world.send("PATCH", "\(Self.offerings)/\(offer.id)", ["validFor": ["endDateTime": "2026-02-01T00:00:00Z"]]).status == 200)
    }

    @Test("prices and quantities below zero are refused where nothing is given back; a relation to an item that is not there is one to nothing")
    func amounts() async throws {
        let world = try await ContractWorld(customers: 10)
        let prices = "/tmf-api/productCatalogManagement/v4/productOfferingPrice"
        func price(_ value: Int64, _ type: String) -> JSONValue {
            ["name": "p", "priceType": .string(type), "price": ["unit": "CNY", "value": .int(value)]]
        }
        let wrong = try world.send("POST", prices, price(-5, "recurring"))
        #expect(wrong.status == 400 && wrong.code == "negative" && wrong.text.contains("“price”"), "\(wrong.text)")
        #expect(try world.send("POST", prices, price(0, "recurring")).status == 201)
        #expect(try world.send("POST", prices, price(-5, "discount")).status == 201)
        let offering = try world.send("POST", Self.offerings, ["name": "o", "lifecycleStatus": "Active", "isSellable": true])
        #expect(offering.status == 201, "\(offering.text)")
        let customer: JSONValue = ["id": .string(world.customers[0].description), "role": "customer", "@referredType": "Customer"]
        func quote(_ item: JSONObject, _ more: [JSONValue] = []) throws -> ContractWorld.Answer {
            let own: JSONObject = ["id": "1", "action": "add", "productOffering": ["id": .string(offering.id)]]
            return try world.send(
                "POST", "/tmf-api/quoteManagement/v4/quote",
                ["relatedParty": [customer], "quoteItem": .array([.object(own.merging(item) { $1 })] + more)])
        }
        let second: JSONValue = ["id": "2", "action": "add", "productOffering": ["id": .string(offering.id)]]
        let lost = try quote(["quoteItemRelationship": [["id": "7", "relationshipType": "reliesOn"]]], [second])
        #expect(lost.status == 400 && lost.code == "unknown_item" && lost.text.contains("quoteItem[0].quoteItemRelationship[0].id"), "\(lost.text)")
        #expect(try quote(["quoteItemRelationship": [["id": "2", "relationshipType": "reliesOn"]]], [second]).status == 201)
        let less = try quote(["quantity": -1])
        #expect(less.status == 400 && less.text.contains("quoteItem[0].quantity"), "\(less.text)")
        func paid(_ value: Int64) -> JSONObject {
            let amount: JSONValue = ["price": ["taxIncludedAmount": ["unit": "CNY", "value": .int(value)]], "priceType": "recurring"]
            return ["quoteItemPrice": [amount]]
        }
        #expect(try quote(paid(-1)).text.contains("quoteItem[0].quoteItemPrice[0].price.taxIncludedAmount"))
        #expect(try quote(paid(1)).status == 201)
        let order = try world.send(
            "POST", "/tmf-api/productOrderingManagement/v4/productOrder",
            [
                "relatedParty": [customer],
                "productOrderItem": [
                    [
                        "id": "1", "action": "add", "productOffering": ["id": .string(offering.id)],
                        "productOrderItemRelationship": [["id": "9", "relationshipType": "reliesOn"]],
                    ]
                ],
            ])
        #expect(order.code == "unknown_item" && order.text.contains("productOrderItem[0].productOrderItemRelationship[0].id"), "\(order.text)")
    }

    @Test("long numbers come back digit for digit, U+0000 is refused with its place, and If-Match may name several versions")
    func edges() async throws {
        let world = try await ContractWorld(customers: 10)
        let numbers = #""x-big":12345678901234567890,"x-fine":[0.12345678901234567890123],"x-plain":1.5"#
        let made = try world.send("POST", Self.tickets, text: #"{"description":"d","severity":"Major","ticketType":"fault",\#(numbers)}"#)
        #expect(made.status == 201 && made.text.contains(#""x-big":12345678901234567890"#) && made.text.contains("[0.12345678901234567890123]"), "\(made.text)")
        let path = "\(Self.tickets)/\(made.id)"
        #expect(try world.send("PATCH", path, ["severity": "Minor"]).text.contains(#""x-big":12345678901234567890"#))
        let now = try world.send("GET", path)
        #expect(now.text.contains("[0.12345678901234567890123]") && now.text.contains(#""x-plain":1.5"#))
        let null = try world.send("POST", Self.tickets, text: #"{"description":"d","note":[{"text":"a"},{"text":"b\u0000"}]}"#)
        #expect(null.status == 400 && null.text.contains("note[1].text") && null.text.contains("U+0000"), "\(null.text)")
        let tag = try #require(now.header("ETag"))
        #expect(try world.send("PATCH", path, ["severity": "Major"], [("If-Match", #""old", W/\#(tag)"#)]).status == 412)
        #expect(try world.send("PATCH", path, ["severity": "Major"], [("If-Match", #""old" , \#(tag),"other""#)]).status == 200)
        #expect(try world.send("PATCH", path, ["severity": "Minor"], [("If-Match", "*")]).status == 200)
        #expect(try world.send("PATCH", path, ["severity": "Minor"], [("If-Match", "old, x")]).code == "if_match_invalid")
        #expect(try world.send("DELETE", path, nil, [("If-Match", #""old","older""#)]).status == 412)
    }
}
