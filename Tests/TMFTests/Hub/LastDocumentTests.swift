import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("The last documents of what was removed")
struct LastDocumentTests {
    private static let named: SQL = "SELECT named_id FROM tmf_hub_last_named ORDER BY named_id"
    private static let kept: SQL = "SELECT COALESCE(document, '-') FROM tmf_hub_last ORDER BY subscription_id"

    private func kept(_ world: HubWorld) async throws -> [String] {
        try await world.tenant.database.read { session in
            let documents = try session.query(Self.kept) { $0.text(0) }
            let names = try session.query(Self.named) { $0.int(0) }
            #expect(documents.contains { $0 != "-" } || names.isEmpty, "nothing names what is not kept: \(names)")
            return documents
        }
    }

    private func fanOut(_ world: HubWorld) async throws {
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant), jobs: world.module.jobs(world.tenant))
    }

    private func document(_ event: JSONValue) -> JSONObject { event["event"]?["thing"]?.object ?? [:] }

    private func again(_ world: HubWorld, _ id: String) async throws {
        let now = world.test.clock.now()
        let lane = try #require(HubID(id))
        try await world.tenant.database.write { session in
            try session.execute(HubStore.againAll, [.id(lane), .time(now)])
            try session.execute(HubStore.wake, [.id(lane), .time(now)])
            _ = try session.execute(HubStore.hurry, [.id(lane), .time(now)])
        }
    }

    @Test("made, changed, closed and removed before anything was told: everything arrives in order with what it was then, then nothing is left")
    func whole() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        try await world.subscribe("eventType=ThingCreateEvent&fields=status", path: "/made")
        let id = try await world.make(#"{"name":"zebra","mine":{"x":1},"relatedParty":[{"id":"77","role":"owner"}]}"#)
        #expect(try await world.send(.patch, "/thing/\(id)", #"{"status":"closed","count":5}"#, as: "client:maker").status == 200)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        let before = try await kept(world)
        #expect(before.count == 2 && before[0].contains("zebra") && !before[1].contains("zebra") && before[1].contains("closed"))
        let names = try await world.tenant.database.read { try $0.query(Self.named) { $0.int(0) } }
        #expect(names == [77, 77, Int64(id)].compactMap { $0 } + [Int64(id)].compactMap { $0 }, "of either, itself and its party")
        try await world.drain()
        let all = world.server.asked.filter { $0.path == "/" }
        let told = try all.map { try JSONValue.parse($0.body) }
        #expect(
            told.compactMap { $0["eventType"]?.string } == [
                "ThingCreateEvent", "ThingAttributeValueChangeEvent", "ThingStateChangeEvent", "ThingDeleteEvent",
            ])
        for (place, event) in told.enumerated() {
            let last = document(event)
            #expect(last["name"] == .string("zebra") && (last["count"] == .int(5)) == (place > 0))
            #expect(last["status"] == .string(place > 0 ? "closed" : "open"))
            #expect(last["mine"] == .object(["x": .int(1)]) && last["href"]?.string?.hasSuffix("/v4/thing/\(id)") == true)
        }
        let made = try world.server.asked.filter { $0.path == "/made" }.map { try JSONValue.parse($0.body) }
        #expect(made.count == 1 && document(made[0]).keys.sorted() == ["href", "id", "status"])
        #expect(try await kept(world).isEmpty)
        #expect(try await world.test.auditCount("tmf.event.deliver") == 5)
    }

    @Test("each sees what it may: without the right to unlabelled values they are missing; other conditions and regions hear nothing")
    func masked() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        world.clients.set("client:blind") { $0.permissions.removeAll { $0 == Masking.seeUnlabelled } }
        world.clients.set("client:north") { $0.regions = ["n"] }
        world.clients.set("client:south") { $0.regions = ["s"] }
        for name in ["blind", "north", "south"] { try await world.subscribe("", path: "/" + name, as: "client:" + name) }
        try await world.subscribe("name=other", path: "/other")
        let id = try await world.make(#"{"name":"north","mine":"zebra"}"#)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        #expect(try await kept(world).count == 2)
        try await world.drain()
        for (name, value) in [("blind", nil), ("north", JSONValue.string("zebra"))] {
            let told = try world.server.asked.filter { $0.path == "/" + name }.map { try JSONValue.parse($0.body) }
            #expect(told.count == 2 && told.allSatisfy { document($0)["mine"] == value && document($0)["name"] == .string("north") }, "\(name)")
        }
        #expect(world.server.asked.count == 4)
        #expect(try await kept(world).isEmpty)
    }

    @Test("who was told of a thing that does not meet the conditions any more hears of its removal, with its document, and of nothing else")
    func moved() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe("status=closed")
        let id = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        for state in ["closed", "open"] {
            #expect(try await world.send(.patch, "/thing/\(id)", #"{"status":"\#(state)"}"#, as: "client:maker").status == 200)
            try await world.drain()
        }
        #expect(try await world.send(.patch, "/thing/\(id)", #"{"count":3}"#, as: "client:maker").status == 200)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        try await world.drain()
        #expect(try world.types() == ["ThingStateChangeEvent", "ThingDeleteEvent"])
        let last = try #require(try world.told().last)
        #expect(document(last)["count"] == .int(3) && document(last)["status"] == .string("open"))
        #expect(try await kept(world).isEmpty)
    }

    @Test("a client that has other rights or regions by the time is not sent what was read with those of then")
    func changedRights() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        world.clients.set("client:north") { $0.regions = ["n"] }
        for name in ["a", "north", "gone"] { try await world.subscribe("", path: "/" + name, as: "client:" + name) }
        let id = try await world.make(#"{"name":"north","mine":"zebra"}"#)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        world.clients.set("client:north") { $0.regions = ["x"] }
        world.clients.set("client:a") { $0.permissions.removeAll { $0 == Masking.seeUnlabelled } }
        world.clients.set("client:gone") { $0.isActive = false }
        try await world.drain()
        // A client of all regions hears of the removal, as it does of one whose document was not kept.
        let told = try world.told()
        #expect(try world.types() == ["ThingDeleteEvent"] && told.allSatisfy { document($0).keys.sorted() == ["@type", "href", "id"] })
        #expect(world.server.asked.map(\.path) == ["/a"])
        #expect(try await kept(world).isEmpty, "nobody is told, so nothing is kept")
        // Changed between queue and call.
        world.server.forget()
        let other = try await world.make(#"{"name":"two","mine":"zebra"}"#)
        #expect(try await world.send(.delete, "/thing/\(other)", as: "client:maker").status == 204)
        try await fanOut(world)
        world.clients.set("client:a") { $0.permissions.append(Masking.seeUnlabelled) }
        _ = try await world.runner.drain()
        #expect(try world.types() == ["ThingDeleteEvent"] && !world.server.asked.contains { $0.text.contains("two") || $0.text.contains("zebra") })
        #expect(try await kept(world).isEmpty)
    }

    @Test("what could not be delivered keeps its document until a person has it sent again or gives it up")
    func dead() async throws {
        let world = try await HubWorld { $0.attemptsMax = 1 }
        defer { world.server.stop() }
        let lane = try await world.subscribe().id
        world.server.answer { _ in .init(500) }
        let id = try await world.make(#"{"name":"zebra"}"#)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        for _ in 0..<3 {
            try await world.drain()
            world.test.clock.advance(seconds: 5)
        }
        #expect(try await world.deliveries().map(\.state) == [.dead, .dead])
        #expect(try await kept(world).count == 1)
        world.server.answer { _ in .init(200) }
        world.server.forget()
        try await again(world, lane)
        _ = try await world.runner.drain()
        #expect(try world.types() == ["ThingCreateEvent", "ThingDeleteEvent"] && world.server.asked.allSatisfy { $0.text.contains("zebra") })
        #expect(try await kept(world).isEmpty)
    }

    @Test("the person is erased: what is kept of documents that name them goes at once; events name the record and no more")
    func erased() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        var ids: [String] = []
        for party in ["77", "78"] {
            ids.append(try await world.make(#"{"name":"zebra \#(party)","relatedParty":[{"id":"\#(party)","role":"owner"}]}"#))
        }
        for id in ids { #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204) }
        // A customer who ceases to be one is still a person.
        for program in ["customer", nil] {
            let before = try await kept(world).filter { $0.contains("zebra") }.count
            try await world.tenant.database.write { [world] session in
                try world.tenant.outbox.append(
                    CustomersChanged(ids: [CustomerID(77)], fields: [], kind: .removed, program: program), session)
            }
            try await fanOut(world)
            let after = try await kept(world)
            #expect(before == 2 && after.filter { $0.contains("zebra") }.count == (program == nil ? 1 : 2), "\(after)")
        }
        #expect(try await kept(world).contains("-"))
        _ = try await world.runner.drain()
        let told = try world.told()
        #expect(told.count == 4 && told.map { document($0)["id"]?.string } == [ids[0], ids[1], ids[0], ids[1]])
        for event in told where document(event)["id"]?.string == ids[0] { #expect(document(event).keys.sorted() == ["@type", "href", "id"]) }
        for event in told where document(event)["id"]?.string == ids[1] { #expect(document(event)["name"] == .string("zebra 78")) }
        #expect(try await kept(world).isEmpty)
    }

    @Test("a subscription that ends and an event that waits for too long leave nothing behind")
    func ends() async throws {
        let world = try await HubWorld { $0.keepDays = 3 }
        defer { world.server.stop() }
        let (one, two) = (try await world.subscribe("", path: "/1").id, try await world.subscribe("", path: "/2").id)
        try await world.tenant.database.write { session in
            for id in [one, two] { try session.execute(HubStore.pause, [.id(try #require(HubID(id)))]) }
        }
        let id = try await world.make(#"{"name":"zebra"}"#)
        #expect(try await world.send(.delete, "/thing/\(id)", as: "client:maker").status == 204)
        try await world.drain()
        #expect(try await kept(world).count == 2)
        #expect(try await world.send(.delete, "/hub/\(one)").status == 204)
        #expect(try await kept(world).count == 1)
        try await world.drain()
        #expect(try await kept(world).first?.contains("zebra") == true)
        world.test.clock.advance(seconds: 4 * 86_400)
        let (now, settings) = (world.test.clock.now(), world.settings)
        try await world.tenant.database.write { try HubLast.sweep(now, settings, $0) }
        #expect(try await kept(world).isEmpty)
    }

    @Test("a person who is removed is kept for no longer than the hub tries, and takes out what is kept of others")
    func person() async throws {
        let world = try await HubWorld { $0.giveUpHours = 5 }
        defer { world.server.stop() }
        try await world.subscribe()
        let lane = try #require(try await world.tenant.database.read { try $0.first("SELECT id FROM tmf_hub") { $0.int(0) } })
        try await world.tenant.database.write { _ = try $0.execute(HubStore.pause, [.int(lane)]) }
        let person: TMFResource = {
            var resource = world.resource
            resource.isPerson = true
            return resource
        }()
        let made = TestResource(person, world.test)
        let somebody = try await made.create(#"{"name":"somebody"}"#)
        let name = somebody["id"]?.string ?? ""
        let thing = try await made.create(#"{"name":"thing of somebody","relatedParty":[{"id":"\#(name)","role":"owner"}]}"#)
        try await TestResource(world.resource, world.test).remove(thing)
        #expect(try await kept(world).map { $0.contains("somebody") } == [true])
        let memory = HubMemory(resources: [person], clients: HubClients { [world] name, _, _ in world.clients.principal(name) }, settings: world.settings)
        let id = try #require(Int64(name))
        try await world.tenant.database.write { [world] in try memory.keep(person, id, world.tenant, $0) }
        let now = try await kept(world)
        #expect(now.count == 2 && now.filter { $0.contains("somebody") }.count == 1 && now.contains("-"), "\(now)")
        world.test.clock.advance(seconds: 5 * 3_600 + 1)
        let (late, settings) = (world.test.clock.now(), world.settings)
        try await world.tenant.database.write { try HubLast.sweep(late, settings, $0) }
        #expect(try await kept(world).allSatisfy { !$0.contains("somebody") })
    }
}
