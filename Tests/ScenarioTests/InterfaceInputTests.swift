import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What an integrator tried and stumbled over.
@Suite("What programs send by mistake")
struct InterfaceInputTests {
    @Test("an object without what the server would fill in is 400 and names it; what every ticket has comes back when it is taken away")
    func filledIn() async throws {
        let world = try await ContractWorld(customers: 10)
        let party: JSONValue = [
            ["id": .string(world.customers[0].description), "role": "customer", "@referredType": "Customer", "href": "https://x.example/1"]
        ]
        for date: JSONValue in [[:], ["endDateTime": "2026-01-02T03:04:05Z"], ["startDateTime": .null]] {
            let answer = try world.send(
                "POST", "/tmf-api/partyInteraction/v4/partyInteraction",
                [
                    "channel": [["href": "x", "id": "web"]], "direction": "inbound", "interactionDate": date, "reason": "r",
                    "status": "opened", "relatedParty": party,
                ])
            #expect(answer.status == 400 && answer.text.contains("interactionDate.startDateTime"), "\(answer.text)")
        }
        let made = try world.send(
            "POST", "/tmf-api/troubleTicket/v4/troubleTicket",
            ["description": "d", "severity": "Major", "ticketType": "fault", "priority": "urgent", "topic": "coverage"])
        for name in ["priority", "topic", "externalId", "lastUpdate", "creationDate"] {
            let answer = try world.send("PATCH", "/tmf-api/troubleTicket/v4/troubleTicket/\(made.id)", .object([name: .null]))
            #expect([200, 400].contains(answer.status), "\(name): \(answer.status) \(answer.text)")
        }
        let now = try world.send("GET", "/tmf-api/troubleTicket/v4/troubleTicket/\(made.id)").body
        #expect(now["priority"]?.string == "normal" && now["externalId"] == made.body["externalId"])
        #expect(now["creationDate"] == made.body["creationDate"])
    }

    @Test("the consent of one is none for the line of another; a line without a party is asked for whose it is")
    func consents() async throws {
        let world = try await ContractWorld(customers: 30)
        let lines = try await world.scenario.tenant.database.read { session in
            try session.query(
                "SELECT customer_id, msisdn FROM customers_subscription WHERE msisdn IS NOT NULL ORDER BY customer_id, id"
            ) { ($0.id(0, PartyKind.self), $0.text(1)) }
        }
        let mine = try #require(lines.first)
        let other = try #require(lines.first { $0.0 != mine.0 })
        func send(_ number: String, _ party: CustomerID?, marketing: Bool) throws -> ContractWorld.Answer {
            var receiver: JSONObject = ["phoneNumber": .string(number)]
            if let party { receiver["party"] = ["id": .string(party.description), "@referredType": "Customer"] }
            var body: JSONObject = [
                "messageType": "SMS", "content": "Hello", "sender": ["id": "op"], "receiver": .array([.object(receiver)]),
            ]
            if marketing { body["characteristic"] = [["name": "purpose", "value": "marketing"]] }
            return try world.send("POST", "/tmf-api/communicationManagement/v4/communicationMessage", .object(body))
        }
        #expect(try send(mine.1, mine.0, marketing: false).status == 201)
        let wrong = try send(other.1, mine.0, marketing: false)
        #expect(wrong.status == 409 && wrong.code == "other_number", "\(wrong.text)")
        #expect(try send(other.1, nil, marketing: false).status == 201)
        let asked = try send(other.1, nil, marketing: true)
        #expect(asked.status == 409 && asked.code == "no_consent", "\(asked.text)")
        #expect(try send("+8619900000000", mine.0, marketing: false).status == 201, "nobody's line that we know")
    }

    @Test("what is referred to is here or has an address elsewhere; a typo is told with its place, and a change need not mend what it leaves alone")
    func references() async throws {
        let world = try await ContractWorld(customers: 10)
        let tickets = "/tmf-api/troubleTicket/v4/troubleTicket"
        let mine = world.customers[0].description
        func ticket(_ parties: JSONValue, _ entities: JSONValue? = nil) throws -> ContractWorld.Answer {
            var body: JSONObject = ["description": "d", "severity": "Major", "ticketType": "fault", "relatedParty": parties]
            body["relatedEntity"] = entities
            return try world.send("POST", tickets, .object(body))
        }
        let customer: JSONValue = ["id": .string(mine), "role": "customer", "@referredType": "Customer"]
        // A digit too few, a word for an id, a person by a customer's id in another family.
        for id in [String(mine.dropLast()), "nobody", "01", "9223372036854775807"] {
            for type in ["Customer", "Individual", "Party"] {
                let wrong = try ticket([customer, ["id": .string(id), "@referredType": .string(type)]])
                #expect(wrong.status == 400 && wrong.code == "unknown_party", "\(wrong.text)")
                #expect(wrong.text.contains("relatedParty[1].id") && wrong.text.contains("href") && wrong.text.contains(id), "\(wrong.text)")
            }
        }
        for type in ["Customer", "Individual", "RelatedParty", "customer"] {
            #expect(try ticket([["id": .string(mine), "@referredType": .string(type)]]).status == 201, "\(type)")
        }
        // Somebody of another system, by its address or a type that is none of ours; an address here is no excuse.
        let elsewhere: JSONValue = ["id": "7", "@referredType": "Individual", "href": "https://staff.example/7"]
        #expect(try ticket([customer, elsewhere, ["id": "7", "role": "agent", "@referredType": "Employee"]]).status == 201)
        let here: JSONValue = [
            "id": "7", "@referredType": "Individual", "href": .string("http://127.0.0.1:\(world.scenario.http.port)/tmf-api/party/v4/individual/7"),
        ]
        #expect(try ticket([customer, here]).code == "unknown_party")
        // Other kinds, by their own words; several problems at once.
        let line = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT id FROM customers_subscription ORDER BY id LIMIT 1") { $0.int(0) }
        }
        let product: JSONValue = ["id": .string(String(try #require(line.first))), "role": "affected", "@referredType": "Product"]
        let made = try ticket([customer], [product, ["id": "cell-7", "role": "site", "@referredType": "GeographicSite"]])
        #expect(made.status == 201, "\(made.text)")
        let many = try ticket(
            [["id": "5", "@referredType": "Customer"]],
            [["id": "6", "role": "r", "@referredType": "Product"], ["id": "x", "role": "r", "@referredType": "ProductOrder"]])
        #expect(["relatedParty[0].id", "relatedEntity[0].id", "relatedEntity[1].id"].allSatisfy(many.text.contains), "\(many.text)")
        // By what the specification calls the attribute.
        let lead = try world.send(
            "POST", "/tmf-api/sales/v4/salesLead", ["name": "n", "productOffering": ["id": "5"], "relatedParty": [customer]])
        #expect(lead.status == 400 && lead.code == "unknown_reference" && lead.text.contains("productOffering.id"), "\(lead.text)")
        // What lay there before may stay.
        let old = try ticket([customer, elsewhere])
        let bad = try world.send("PATCH", "\(tickets)/\(old.id)", ["relatedParty": [customer, ["id": "8", "@referredType": "Individual"]]])
        #expect(bad.code == "unknown_party" && bad.text.contains("relatedParty[1].id"), "\(bad.text)")
        #expect(try world.send("GET", "\(tickets)/\(old.id)").body == old.body, "nothing was changed")
        #expect(try world.send("PATCH", "\(tickets)/\(old.id)", ["severity": "Minor"]).status == 200)
        // In version 5 the place is that of version 5.
        let five = try world.send(
            "POST", "/tmf-api/troubleTicket/v5/troubleTicket",
            [
                "@type": "TroubleTicket", "description": "d", "severity": "Major", "ticketType": "fault",
                "relatedParty": [["role": "customer", "partyOrPartyRole": ["id": "5", "@referredType": "Customer"]]],
            ])
        #expect(five.code == "unknown_party" && five.text.contains("relatedParty[0].partyOrPartyRole.id"), "\(five.text)")
    }

    @Test("a day is local midnight, read back as it was sent; a message goes by a channel that is served; null where nothing may be empty is 400")
    func small() async throws {
        let world = try await ContractWorld(customers: 10)
        let customers = "/tmf-api/customerManagement/v4/customer"
        let path = "\(customers)/\(world.customers[0])"
        for (sent, day) in [
            ("2020-05-06T00:00:00Z", "2020-05-06"), ("2020-05-06T00:00:00+08:00", "2020-05-06"), ("2020-05-05T16:30:00Z", "2020-05-06"),
            ("2020-05-06", "2020-05-06"), ("2020-05-06T15:59:59.5Z", "2020-05-06"), ("2020-05-06T00:00:00-05:00", "2020-05-06"),
        ] {
            let changed = try world.send("PATCH", path, ["validFor": ["startDateTime": .string(sent)]])
            #expect(changed.status == 200 && changed.body["validFor"]?["startDateTime"] == .string(sent), "\(changed.text)")
            let stored = try await world.scenario.tenant.database.read { session in
                try session.query("SELECT since FROM customers_customer WHERE id = $1", [.id(world.customers[0])]) { $0.optionalText(0) }
            }
            #expect(stored == [day], "\(sent)")
        }
        let plain = try world.send("GET", "\(customers)/\(world.customers[1])").body["validFor"]?["startDateTime"]?.string
        #expect(plain?.hasSuffix("T00:00:00+08:00") == true, "\(plain ?? "")")

        func message(_ type: String) throws -> ContractWorld.Answer {
            try world.send(
                "POST", "/tmf-api/communicationManagement/v4/communicationMessage",
                ["messageType": .string(type), "content": "c", "sender": ["id": "op"], "receiver": [["id": "r", "phoneNumber": "+8613812348000"]]])
        }
        for type in ["Pigeon", "", "Marketing"] {
            let refused = try message(type)
            #expect(refused.status == 400 && refused.text.contains("messageType"), "\(refused.text)")
            if !type.isEmpty { #expect(refused.code == "unknown_channel" && refused.text.contains("sms, email, push"), "\(refused.text)") }
        }
        #expect(try message("Short message").status == 201)

        let operators = try world.send("GET", "/tmf-api/troubleTicket/v4/troubleTicket?status.like=x")
        #expect(operators.status == 400 && operators.text.contains(".regex") && operators.text.contains(".gte"), "\(operators.text)")
        // Whatever is taken away, the answer is never that something collides.
        var context = SampleContext()
        for resource in world.scenario.runtime.modules.resources where resource.verbs.contains(.change) && resource.verbs.contains(.create) {
            let made = try Contract.make(resource.name, world, &context)
            for attribute in resource.schema.types[resource.type]?.attributes ?? [] {
                let taken = try world.send("PATCH", "\(resource.path)/\(made.id)", .object([attribute.name: .null]))
                #expect(
                    taken.status < 500 && taken.code != "conflict" && (taken.status != 400 || taken.text.contains(attribute.name)),
                    "\(resource.name).\(attribute.name): \(taken.status) \(taken.text.prefix(200))")
            }
        }
    }

    @Test("a page that mends a number leaves what the program said of it; addresses in documents are whole")
    func kept() async throws {
        let world = try await ContractWorld(customers: 10)
        let person = try world.send(
            "POST", "/tmf-api/party/v4/individual",
            [
                "familyName": "Wang", "givenName": "Fang",
                "contactMedium": [["mediumType": "mobile", "preferred": true, "characteristic": ["phoneNumber": "+8613812348000"]]],
            ])
        let made = try world.send(
            "POST", "/tmf-api/customerManagement/v4/customer",
            ["name": "Fang Wang", "engagedParty": ["id": .string(person.id), "@referredType": "Individual"]])
        try #require(made.status == 201, "\(made.text)")
        let clerk = try await world.scenario.user("clerk", [.supervisor])
        let page = try clerk.fill(
            "/customers/\(made.id)/edit", "/customers/\(made.id)/edit", [("f_phone", "+8613812348111")])
        #expect(page.status == 303, "\(page.text.suffix(600))")
        let now = try world.send("GET", "/tmf-api/party/v4/individual/\(person.id)").body["contactMedium"]?.array ?? []
        #expect(now.first?["mediumType"] == "mobile" && now.first?["characteristic"]?["phoneNumber"] == "+8613812348111", "\(now)")
        let other = world.customers[0]
        let engaged = try world.send("GET", "/tmf-api/customerManagement/v4/customer/\(other)").body["engagedParty"]?["href"]?.string
        #expect(engaged?.hasPrefix("http://") == true && engaged?.hasSuffix("/\(other)") == true, "\(engaged ?? "")")
        let bills = try world.send("GET", "/tmf-api/customerBillManagement/v4/customerBill?limit=1").items.first
        let party = bills?["relatedParty"]?.array?.first
        #expect(party?["href"]?.string?.hasSuffix("/customer/\(party?["id"]?.string ?? "?")") == true, "\(bills?.encoded() ?? "no bill")")
    }
}
