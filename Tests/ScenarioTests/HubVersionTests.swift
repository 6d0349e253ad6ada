import Foundation
import Kernel
import TestSupport
import Testing
import Web

@Suite("Hubs of version 5 over HTTP")
struct HubVersionTests {
    @Test("who subscribes in version 5 is told of the same things in its shapes, who subscribes in version 4 in those of version 4")
    func shapes() async throws {
        let world = try await CallbackWorld()
        defer { world.server.stop() }
        // The same callback in either version is two subscriptions.
        let (old, new) = (try world.subscribe("party"), try world.subscribe("party", version: "v5"))
        #expect(old.id != new.id)
        let person = try world.make(
            "party/v4/individual",
            #"""
            {"familyName":"Wang","givenName":"Fang",
             "contactMedium":[{"mediumType":"email","characteristic":{"emailAddress":"wang@example.com"}}]}
            """#)
        try await world.scenario.drain()
        let bodies = try world.server.asked.map { try JSONValue.parse($0.body) }
        #expect(bodies.count == 2 && Set(bodies.compactMap { $0["eventId"]?.string }).count == 1)
        let five = try #require(bodies.first { $0["@type"] != nil })
        let four = try #require(bodies.first { $0["@type"] == nil })
        #expect(five["@type"] == "IndividualCreateEvent" && five["eventType"] == "IndividualCreateEvent")
        #expect(five["timeOccurred"] == five["eventTime"] && five["timeOcurred"] == nil)
        #expect(four["timeOcurred"] == four["eventTime"] && four["timeOccurred"] == nil)
        let document = try #require(five["event"]?["individual"]?.object)
        #expect(document["name"] == "Fang Wang" && document["fullName"] == nil && document["href"]?.string?.hasSuffix("/party/v5/individual/\(person)") == true)
        let medium = document["contactMedium"]?.array?.first
        #expect(medium?["@type"] == "EmailContactMedium" && medium?["emailAddress"] == "wang@example.com" && medium?["characteristic"] == nil)
        #expect(JSONValue.object(document) == (try world.contract.send("GET", "/tmf-api/party/v5/individual/\(person)").body))
        #expect(four["event"]?["individual"]?["fullName"] == "Fang Wang")
        #expect(four["event"]?["individual"] == (try world.contract.send("GET", "/tmf-api/party/v4/individual/\(person)").body))
    }

    @Test("each version lists and removes its own; conditions are in its words; what only the other version knows is refused")
    func words() async throws {
        let world = try await CallbackWorld()
        defer { world.server.stop() }
        let hub = "/tmf-api/troubleTicket"
        func subscribe(_ version: String, _ query: String) throws -> ContractWorld.Answer {
            try world.contract.send(
                "POST", "\(hub)/\(version)/hub",
                .object(["callback": .string(world.server.address + "/\(version)"), "query": .string(query), "@type": "Hub"]))
        }
        let made = try subscribe("v5", "troubleTicket.externalIdentifier.id=EXT-7&fields=externalIdentifier")
        #expect(made.status == 201 && made.body["@type"] == "Hub" && made.header("Location")?.contains("/v5/hub/") == true, "\(made.text)")
        #expect(try subscribe("v5", "externalId=EXT-7").code == "unknown_attribute")
        #expect(try subscribe("v4", "externalIdentifier.id=EXT-7").code == "unknown_attribute")
        #expect(try subscribe("v5", "troubleTicket.externalIdentifier.id=EXT-7&fields=externalIdentifier").status == 409)
        let other = try subscribe("v4", "externalId=EXT-7")
        #expect(other.status == 201 && other.body["@type"] == nil)
        for (version, own, foreign) in [("v4", other.id, made.id), ("v5", made.id, other.id)] {
            #expect(try world.contract.send("GET", "\(hub)/\(version)/hub").items.map { $0["id"]?.string } == [own])
            #expect(try world.contract.send("GET", "\(hub)/\(version)/hub/\(own)").status == 200)
            for method in ["GET", "DELETE"] { #expect(try world.contract.send(method, "\(hub)/\(version)/hub/\(foreign)").status == 404) }
        }
        for number in ["EXT-7", "EXT-8"] {
            let ticket = try world.make(
                "troubleTicket/v4/troubleTicket",
                #"{"description":"x","severity":"Minor","ticketType":"fault","externalId":"\#(number)"}"#)
            // Gone before anybody was told: the last document is kept in the shape of each version.
            try world.remove("troubleTicket/v5/troubleTicket/\(ticket)")
        }
        try await world.scenario.drain()
        for (version, key) in [("v4", "externalId"), ("v5", "externalIdentifier")] {
            let told = try world.told(version, "troubleTicket")
            #expect(told.map(\.type) == ["TroubleTicketCreateEvent", "TroubleTicketDeleteEvent"], "\(version): \(told)")
            for (_, document) in told {
                #expect(document[key] != nil && document["href"]?.string?.contains("/\(version)/") == true, "\(document)")
                #expect(version == "v4" || document.keys.sorted() == ["externalIdentifier", "href", "id"])
            }
        }
        #expect(try await world.kept() == 0)
        #expect(try world.contract.send("DELETE", "\(hub)/v5/hub/\(made.id)").status == 204)
        // Interfaces that are not offered in version 5 have no hub of it.
        #expect(try world.contract.send("GET", "/tmf-api/customerBillManagement/v5/hub").status == 404)
    }
}
