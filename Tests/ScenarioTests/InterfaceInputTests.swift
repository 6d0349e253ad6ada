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
                "POST", "/tmf-api/partyInteractionManagement/v4/partyInteraction",
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
}
