import App
import Crypto
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// Records that are gone before anybody was told of them, over HTTP, with a callback on this machine.
@Suite("Events of removed records over HTTP")
struct HubRemovalStoryTests {
    /// How often the words of the ticket and the name of the person lie in the hub.
    private func expect(_ world: CallbackWorld, text: Int, name: Int) async throws {
        let (words, names) = (try await world.found("zebra in the cellar"), try await world.found("Zebra"))
        #expect(words == text && names == name, "\(words) \(names)")
    }

    private func isSigned(_ request: CallbackServer.Request, _ secret: String) throws -> Bool {
        let key = SymmetricKey(data: try #require(Data(base64Encoded: String(secret.dropFirst(6)))))
        let sent = try #require(request.headers["webhook-signature"]?.split(separator: ",").last.map(String.init))
        let text = "\(request.headers["webhook-id"] ?? "").\(request.headers["webhook-timestamp"] ?? "").\(request.text)"
        return HMAC<SHA256>.isValidAuthenticationCode(
            try #require(Data(base64Encoded: sent)), authenticating: Data(text.utf8), using: key)
    }

    @Test("a ticket and a person that are made and removed before anybody is told: both events arrive in order, signed, with the document")
    func story() async throws {
        let world = try await CallbackWorld()
        defer { world.server.stop() }
        let (tickets, parties) = (try world.subscribe("troubleTicket"), try world.subscribe("party"))
        let customer = try world.customer(try world.person("Wang"), "Wang")
        try await world.scenario.drain()
        world.server.forget()
        let ticket = try world.ticket(customer, "zebra in the cellar")
        try world.remove("troubleTicket/v4/troubleTicket/\(ticket)")
        let person = try world.person("Zebra")
        try world.remove("party/v4/individual/\(person)")
        #expect(world.server.asked.isEmpty)
        // The ticket as it was made and as it was removed; the person is erased from what was seen before.
        try await expect(world, text: 2, name: 1)
        try await world.scenario.drain()
        let told = try world.told("troubleTicket", "troubleTicket")
        #expect(told.map(\.type) == ["TroubleTicketCreateEvent", "TroubleTicketDeleteEvent"])
        for (_, document) in told {
            #expect(document["id"] == .string(ticket) && document["description"] == .string("zebra in the cellar"))
            #expect(document["severity"] == .string("Major") && document["relatedParty"]?.array?.first?["id"] == .string(customer))
        }
        let gone = try world.told("party", "individual")
        #expect(gone.map(\.type) == ["IndividualCreateEvent", "IndividualDeleteEvent"])
        #expect(gone.allSatisfy { $0.document["familyName"] == .string("Zebra") && $0.document["id"] == .string(person) })
        for request in world.server.asked {
            let (own, other) = request.path == "/party" ? (parties, tickets) : (tickets, parties)
            #expect(try isSigned(request, own.secret) && !isSigned(request, other.secret))
        }
        // Nothing of it is left, and nothing comes twice.
        #expect(try await world.kept() == 0)
        #expect(try await world.found("ebra") == 0)
        world.server.forget()
        try await world.scenario.drain()
        #expect(world.server.asked.isEmpty)
    }

    @Test("when the person is erased nothing personal waits any more, though the callback was away; the removals are still told")
    func erasure() async throws {
        let world = try await CallbackWorld()
        defer { world.server.stop() }
        world.server.answer { _ in .init(503) }
        for api in ["troubleTicket", "customerManagement", "party"] { _ = try world.subscribe(api) }
        let person = try world.person("Zebra")
        let customer = try world.customer(person, "Zebra")
        let ticket = try world.ticket(customer, "zebra in the cellar")
        try world.remove("troubleTicket/v4/troubleTicket/\(ticket)")
        try world.remove("customerManagement/v4/customer/\(customer)")
        try await world.scenario.drain()
        try await expect(world, text: 2, name: 4)
        try world.remove("party/v4/individual/\(person)")
        // At once, and not when somebody gets to it.
        try await expect(world, text: 0, name: 1)
        // That one goes when the hub gives up, or with its delivery.
        world.scenario.clock.advance(seconds: 25 * 3_600)
        let (tenant, now) = (world.scenario.tenant, world.scenario.clock.now())
        try await tenant.database.write { session in
            _ = try tenant.jobs.enqueue("tmf.hub.purge", payload: "{}", by: "schedule", runAt: now, session)
        }
        try await world.scenario.drain()
        #expect(try await world.found("ebra") == 0)
        world.server.answer { _ in .init(204) }
        world.server.forget()
        let administrator = try await world.scenario.user("admin", [.administrator])
        let lanes = try await world.scenario.tenant.database.read { try $0.query("SELECT id FROM tmf_hub") { $0.int(0) } }
        for lane in lanes { #expect(try administrator.post("/hub/\(lane)/redelivery").status == 303) }
        try await world.scenario.drain()
        for (api, resource, type) in [
            ("troubleTicket", "troubleTicket", "TroubleTicketDeleteEvent"), ("customerManagement", "customer", "CustomerDeleteEvent"),
            ("party", "individual", "IndividualDeleteEvent"),
        ] {
            let last = try #require(try world.told(api, resource).last, "\(api)")
            #expect(last.type == type && last.document.keys.sorted() == ["@type", "href", "id"], "\(last)")
        }
        #expect(!world.server.asked.contains { $0.text.contains("ebra") })
        #expect(try await world.kept() == 0)
    }

    @Test("an event that a person gives up lets the last document go")
    func dismissed() async throws {
        let world = try await CallbackWorld()
        defer { world.server.stop() }
        _ = try world.subscribe("troubleTicket")
        let customer = try world.customer(try world.person("Wang"), "Wang")
        try world.remove("troubleTicket/v4/troubleTicket/\(try world.ticket(customer, "zebra in the cellar"))")
        world.server.answer { _ in .init(503) }
        try await world.scenario.drain()
        #expect(try await world.found("zebra in the cellar") == 2)
        let administrator = try await world.scenario.user("admin", [.administrator])
        let waiting = try await world.scenario.tenant.database.read { try $0.query("SELECT id FROM tmf_hub_delivery ORDER BY id") { $0.int(0) } }
        #expect(waiting.count == 2)
        for (place, id) in waiting.enumerated() {
            #expect(try administrator.post("/hub/deliveries/\(id)/dismissal").status == 303)
            #expect(try await world.found("zebra in the cellar") == (place == 0 ? 1 : 0))
        }
    }
}
