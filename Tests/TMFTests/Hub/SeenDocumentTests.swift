import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("Each event has the document as it was after its own change (ADR 0079)")
struct SeenDocumentTests {
    private static let documents: SQL = "SELECT COALESCE(document, '-') FROM tmf_hub_seen ORDER BY event_id, subscription_id"
    private static let names: SQL = "SELECT named_id FROM tmf_hub_seen_named ORDER BY named_id"

    private func kept(_ world: HubWorld) async throws -> [String] {
        try await world.tenant.database.read { session in
            let documents = try session.query(Self.documents) { $0.text(0) }
            let names = try session.query(Self.names) { $0.int(0) }
            #expect(documents.contains { $0 != "-" } || names.isEmpty, "nothing names what is not kept: \(names)")
            return documents
        }
    }

    private func told(_ world: HubWorld, _ path: String = "/") throws -> [JSONObject] {
        try world.server.asked.filter { $0.path == path }.map { try JSONValue.parse($0.body)["event"]?["thing"]?.object ?? [:] }
    }

    private func fanOut(_ world: HubWorld) async throws {
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
    }

    private func change(_ world: HubWorld, _ id: String, _ body: String) async throws {
        #expect(try await world.send(.patch, "/thing/\(id)", body, as: "client:maker").status == 200)
    }

    @Test("quick changes are told with a document each, in order; conditions are asked of each; then nothing is left")
    func each() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        try await world.subscribe("thing.count=1&fields=count", path: "/one")
        let id = try await world.make(#"{"name":"a","count":0}"#)
        for count in 1...3 { try await change(world, id, #"{"count":\#(count)}"#) }
        try await change(world, id, #"{"status":"closed","count":1}"#)
        try await change(world, id, #"{"count":9}"#)
        #expect(try await kept(world).filter { $0 != "-" }.count == 6 + 2)
        try await world.drain()
        let all = try told(world)
        #expect(all.map { $0["count"] } == [0, 1, 2, 3, 1, 1, 9].map { .int($0) }, "a change and a change of state are two events")
        #expect(all.map { $0["status"]?.string } == ["open", "open", "open", "open", "closed", "closed", "closed"])
        let one = try told(world, "/one")
        #expect(one.count == 3 && one.allSatisfy { $0["count"] == .int(1) && $0.keys.sorted() == ["count", "href", "id"] })
        #expect(try await kept(world).isEmpty)
        #expect(try await world.deliveries().allSatisfy { $0.state == .delivered && $0.seenWith != 0 })
    }

    @Test("where nobody has asked, or not for this kind of event, nothing is kept and nothing read")
    func unwanted() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        _ = try await world.make(#"{"name":"a"}"#)
        #expect(try await kept(world).isEmpty)
        let lane = try await world.subscribe("eventType=ThingDeleteEvent").id
        let id = try await world.make(#"{"name":"b"}"#)
        try await change(world, id, #"{"count":3}"#)
        #expect(try await kept(world).isEmpty)
        try await world.subscribe("eventType=ThingStateChangeEvent", path: "/state")
        try await change(world, id, #"{"count":4}"#)
        #expect(try await kept(world).isEmpty)
        try await change(world, id, #"{"status":"closed"}"#)
        #expect(try await kept(world).count == 1)
        #expect(try await world.send(.delete, "/hub/\(lane)").status == 204)
        #expect(try await kept(world).count == 1)
        try await world.drain()
        let left = try await kept(world)
        #expect(try told(world, "/state").count == 1 && left.isEmpty)
    }

    @Test("a change that is undone leaves nothing; one that cannot be read is made all the same")
    func undone() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        #expect(try await world.send(.post, "/thing", #"{"name":"a","nothing.of.ours":1,"count":"x"}"#, as: "client:maker").status == 400)
        #expect(try await kept(world).isEmpty)
        _ = try await world.make(#"{"name":"broken"}"#)
        #expect(try await kept(world).isEmpty, "it is read when it is sent, and stands aside then")
        let faulty = FaultyDatabase(world.tenant.database)
        let tenant = world.over(faulty)
        world.module.opened(tenant)
        let context = TMFContext(tenant: tenant, principal: try #require(world.clients.principal("client:maker")), now: tenant.clock.now())
        let desk = TMFDesk(resource: world.resource, tenant: tenant)
        let before = try await world.tenant.database.read { try $0.count("SELECT COUNT(*) FROM storage_outbox_event") }
        var failures = 0
        // Every statement of the change fails once, those of the keeping among them: all of it or nothing.
        for call in 1...60 {
            faulty.plan.arm(.io, call: call)
            do {
                _ = try await faulty.write { try desk.create(["name": .string("x")], context, $0) }
                break
            } catch {
                failures += 1
                #expect(try await kept(world).isEmpty)
                #expect(try await world.tenant.database.read { try $0.count("SELECT COUNT(*) FROM storage_outbox_event") } == before)
            }
        }
        faulty.plan.disarm()
        #expect(failures > 4 && failures < 60)
        #expect(try await kept(world).count == 1)
    }

    @Test("a process that dies after the change, or before the note: each event comes with its own document, under one id")
    func killed() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        let id = try await world.make(#"{"name":"a","count":1}"#)
        try await change(world, id, #"{"count":2}"#)
        let faulty = FaultyDatabase(world.tenant.database)
        let (clients, settings, resource) = (world.clients, world.settings, world.resource)
        // The hand-over to the queue breaks off at one of its statements after another, and is made again.
        let dispatcher = OutboxDispatcher(
            database: faulty, handlers: world.module.eventHandlers(world.tenant), clock: world.test.clock)
        for call in 2...8 {
            faulty.plan.arm(.connection, call: call)
            _ = try? await dispatcher.deliverBatch()
            world.test.clock.advance(seconds: 1_300)
        }
        faulty.plan.disarm()
        try await fanOut(world)
        let dying = HubRunner(
            tenant: world.over(faulty), resources: [resource], clients: HubClients { name, _, _ in clients.principal(name) }, settings: settings)
        world.server.answer { _ in
            faulty.plan.arm(.connection, call: 1)
            return .init(200)
        }
        await #expect(throws: (any Error).self) { _ = try await dying.drain() }
        #expect(try await kept(world).count == 2, "what was not noted keeps its document")
        world.server.answer { _ in .init(200) }
        world.test.clock.advance(seconds: settings.leaseSeconds + 1)
        try await world.drain()
        let ids = world.server.asked.compactMap { $0.headers["webhook-id"] }
        let states = try await world.deliveries().map { "\($0.state) \($0.attempts) \($0.reason)" }
        try #require(ids.count == 3, "\(ids) \(states)")
        #expect(ids[0] == ids[1] && ids[1] != ids[2])
        let told = try world.told().map { "\($0["eventType"]?.string ?? "") \($0["event"]?["thing"]?["count"].map(TMFMatch.text) ?? "")" }
        #expect(Set(told) == ["ThingCreateEvent 1", "ThingAttributeValueChangeEvent 2"] && told[0] == told[1])
        #expect(try await kept(world).isEmpty)
    }

    @Test("each sees with its own rights; who has others by the time is sent the document of now with those")
    func rights() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        world.clients.set("client:blind") { $0.permissions.removeAll { $0 == Masking.seeUnlabelled } }
        world.clients.set("client:north") { $0.regions = ["n"] }
        for name in ["a", "blind", "north"] { try await world.subscribe("", path: "/" + name, as: "client:" + name) }
        let id = try await world.make(#"{"name":"south","mine":"zebra","count":1}"#)
        try await change(world, id, #"{"name":"north","count":2}"#)
        #expect(try await kept(world).map { $0.contains("zebra") } == [true, false, false, true, false, true])
        world.clients.set("client:a") { $0.permissions.removeAll { $0 == Masking.seeUnlabelled } }
        try await world.drain()
        for name in ["a", "blind"] { #expect(try told(world, "/" + name).allSatisfy { $0["mine"] == nil }, "\(name)") }
        #expect(try told(world, "/a").map { $0["count"] } == [.int(2), .int(2)])
        #expect(try told(world, "/blind").map { $0["count"] } == [.int(1), .int(2)])
        #expect(try told(world, "/north").map { $0["count"] } == [.int(2)], "when it was another region's nothing was told")
        #expect(try await kept(world).isEmpty)
    }

    @Test("what is removed afterwards is told with what it was; a person who is erased is in none of it")
    func erased() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        let id = try await world.make(#"{"name":"zebra","count":1,"relatedParty":[{"id":"77","role":"owner"}]}"#)
        try await change(world, id, #"{"count":2,"relatedParty":[]}"#)
        let other = try await world.make(#"{"name":"other","count":5}"#)
        #expect(try await world.send(.delete, "/thing/\(other)", as: "client:maker").status == 204)
        try await world.tenant.database.write { [world] session in
            try world.tenant.outbox.append(CustomersChanged(ids: [CustomerID(77)], fields: [], kind: .removed), session)
        }
        try await fanOut(world)
        let left = try await kept(world)
        #expect(left.filter { $0 == "-" }.count == 1 && left.count == 3)
        _ = try await world.runner.drain()
        let told = try told(world)
        #expect(told.map { $0["count"] } == [.int(2), .int(2), .int(5), .int(5)], "instead of what named the person it is what it is now")
        #expect(told.allSatisfy { $0["relatedParty"]?.array?.isEmpty ?? true })
        #expect(try await kept(world).isEmpty)
    }

    @Test("what waits keeps its documents until it is sent again or given up, and no longer than the log")
    func waits() async throws {
        let world = try await HubWorld { $0.attemptsMax = 1; $0.keepDays = 3 }
        defer { world.server.stop() }
        let lane = try #require(HubID(try await world.subscribe().id))
        world.server.answer { _ in .init(500) }
        let id = try await world.make(#"{"name":"a","count":1}"#)
        try await change(world, id, #"{"count":2}"#)
        for _ in 0..<3 {
            try await world.drain()
            world.test.clock.advance(seconds: 5)
        }
        #expect(try await world.deliveries().map(\.state) == [.dead, .dead])
        #expect(try await kept(world).count == 2)
        world.server.answer { _ in .init(200) }
        world.server.forget()
        let now = world.test.clock.now()
        try await world.tenant.database.write { session in
            try session.execute(HubStore.againAll, [.id(lane), .time(now)])
            _ = try session.execute(HubStore.hurry, [.id(lane), .time(now)])
        }
        _ = try await world.runner.drain()
        let left = try await kept(world)
        #expect(try told(world).map { $0["count"] } == [.int(1), .int(2)] && left.isEmpty)
        try await world.tenant.database.write { _ = try $0.execute(HubStore.pause, [.id(lane)]) }
        try await change(world, id, #"{"count":3}"#)
        #expect(try await kept(world).count == 1)
        world.test.clock.advance(seconds: 4 * 86_400)
        let late = world.test.clock.now()
        try await world.tenant.database.write { try HubSeen.sweep(late, $0) }
        #expect(try await kept(world).isEmpty)
    }

    @Test("many at once are read when they are sent, as those of an import are; a few are not")
    func many() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        var ids: [Int64] = []
        for name in ["a", "b"] { ids.append(try #require(Int64(try await world.make(#"{"name":"\#(name)"}"#)))) }
        try await world.drain()
        func news(_ count: Int) async throws {
            let event = RecordsChanged(
                entity: "thing", created: [], changed: (0..<count).map { $0 < ids.count ? ids[$0] : Int64($0) }, moved: [], removed: [])
            let news = TMFNews("things", RecordsChanged.self, of: [999]) { event, _ in TMFChanged.records(999, "thing", event) }
            let clients = world.clients
            let module = HubModule(
                resources: [world.resource], news: [news], clients: HubClients { name, _, _ in clients.principal(name) }, settings: world.settings)
            let tenant = world.over(world.tenant.database)
            module.opened(tenant)
            try await tenant.database.write { try tenant.outbox.append(event, $0) }
        }
        try await news(2)
        #expect(try await kept(world).count == 2)
        try await news(HubSettings.seenMax + 1)
        #expect(try await kept(world).count == 2)
    }
}
