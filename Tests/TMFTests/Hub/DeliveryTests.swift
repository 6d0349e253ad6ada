import Crypto
import Foundation
import Kernel
import Outgoing
import Platform
import Storage
import Synchronization
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("Deliveries of events")
struct DeliveryTests {
    @Test("each kind of change is told under its name, in order, with the document as it is, in one shape")
    func kinds() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        let id = try await world.make(#"{"name":"a/b","mine":{"x":1}}"#)
        try await world.drain()
        #expect(try await world.send(.patch, "/thing/\(id)", #"{"name":"c"}"#).status == 200)
        try await world.drain()
        #expect(try await world.send(.patch, "/thing/\(id)", #"{"status":"closed"}"#).status == 200)
        try await world.drain()
        #expect(try await world.send(.patch, "/thing/\(id)", #"{"status":"open","name":"d"}"#).status == 200)
        try await world.drain()
        #expect(try await world.send(.delete, "/thing/\(id)").status == 204)
        try await world.drain()
        #expect(
            try world.types() == [
                "ThingCreateEvent", "ThingAttributeValueChangeEvent", "ThingStateChangeEvent", "ThingAttributeValueChangeEvent",
                "ThingStateChangeEvent", "ThingDeleteEvent",
            ])
        let told = try world.told()
        let first = told[0]
        #expect(Set(first.object?.keys.map { $0 } ?? []) == ["eventId", "eventTime", "timeOcurred", "eventType", "correlationId", "domain", "title", "event"])
        #expect(first["event"]?["thing"]?["name"] == .string("a/b") && first["event"]?["thing"]?["mine"] == .object(["x": .int(1)]))
        #expect(first["event"]?["thing"]?["href"]?.string == "http://localhost/tmf-api/thingManagement/v4/thing/\(id)")
        #expect(world.server.asked[0].text.contains("a/b"), "slashes are not escaped")
        #expect(first["domain"] == .string("thingManagement") && told[1]["fieldPath"] == .string("name") && first["fieldPath"] == nil)
        #expect(told[3]["correlationId"] == told[4]["correlationId"] && told[3]["eventId"] != told[4]["eventId"])
        #expect(told[2]["correlationId"] != told[3]["correlationId"])
        #expect(told[5]["event"]?["thing"] == told[4]["event"]?["thing"], "a removal has the last document")
        #expect(Set(told.compactMap { $0["eventId"]?.string }).count == 6)
        let request = world.server.asked[0]
        #expect(request.method == "POST" && request.headers["content-type"]?.hasPrefix("application/json") == true)
        #expect(request.headers["webhook-id"] == first["eventId"]?.string)
        #expect(try await world.deliveries().allSatisfy { $0.state == .delivered && $0.attempts == 1 && $0.answer == 204 })
        #expect(try await world.test.auditCount("tmf.event.deliver") == 6, "what shows a document stands in the audit")
    }

    @Test("the signature is that of the subscription, over id, time and body; nothing else passes")
    func signed() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let (one, two) = (try await world.subscribe(), try await world.subscribe("name=a"))
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        #expect(world.server.asked.count == 2 && one.secret != two.secret)
        var good: [String] = []
        for request in world.server.asked {
            for secret in [one.secret, two.secret] {
                let key = SymmetricKey(data: try #require(Data(base64Encoded: String(secret.dropFirst(6)))))
                let text = "\(request.headers["webhook-id"] ?? "").\(request.headers["webhook-timestamp"] ?? "").\(request.text)"
                let sent = try #require(request.headers["webhook-signature"]).split(separator: ",").map(String.init)
                #expect(sent.first == "v1")
                let code = try #require(Data(base64Encoded: sent.last ?? ""))
                if HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data(text.utf8), using: key) { good.append(secret) }
                #expect(!HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data((text + " ").utf8), using: key))
            }
        }
        #expect(Set(good) == [one.secret, two.secret] && good.count == 2)
    }

    @Test("a subscription hears of what its query asks for and of nothing else; of a removal, when it had heard of the thing")
    func filtered() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe("thing.status=closed", path: "/closed")
        try await world.subscribe("eventType=ThingDeleteEvent,ThingStateChangeEvent&fields=status", path: "/some")
        let (one, two) = (try await world.make(#"{"name":"one"}"#), try await world.make(#"{"name":"two"}"#))
        try await world.drain()
        #expect(world.server.asked.isEmpty)
        _ = try await world.send(.patch, "/thing/\(one)", #"{"status":"closed"}"#)
        try await world.drain()
        for id in [one, two] { _ = try await world.send(.delete, "/thing/\(id)") }
        try await world.drain()
        func told(_ path: String) throws -> [String] {
            try world.server.asked.filter { $0.path == path }.map {
                let event = try JSONValue.parse($0.body)
                return "\(event["eventType"]?.string ?? "") \(event["event"]?["thing"]?["id"]?.string ?? "")"
            }
        }
        #expect(try told("/closed") == ["ThingStateChangeEvent \(one)", "ThingDeleteEvent \(one)"])
        #expect(try told("/some") == ["ThingStateChangeEvent \(one)", "ThingDeleteEvent \(one)", "ThingDeleteEvent \(two)"])
        let some = try #require(world.server.asked.first { $0.path == "/some" })
        #expect(try JSONValue.parse(some.body)["event"]?["thing"]?.object?.keys.sorted() == ["href", "id", "status"])
    }

    @Test("a process that dies between the call and its note: the event is sent again under the same id")
    func killed() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        // The database goes away while the callback is at work, so that nothing can be noted: as when the process dies.
        let faulty = FaultyDatabase(world.tenant.database)
        let (clients, settings, resource) = (world.clients, world.settings, world.resource)
        let dying = HubRunner(
            tenant: world.over(faulty), resources: [resource], clients: HubClients { name, _, _ in clients.principal(name) },
            settings: settings)
        world.server.answer { _ in
            faulty.plan.arm(.connection, call: 1)
            return .init(200)
        }
        await #expect(throws: (any Error).self) { _ = try await dying.drain() }
        #expect(world.server.asked.count == 1)
        world.server.answer { _ in .init(200) }
        try await world.drain()
        #expect(world.server.asked.count == 1, "the lease of the one that died still holds")
        world.test.clock.advance(seconds: 120)
        try await world.drain()
        #expect(world.server.asked.count == 2)
        #expect(Set(world.server.asked.compactMap { $0.headers["webhook-id"] }).count == 1)
        #expect(try await world.deliveries().map(\.state) == [.delivered])
        #expect(try await world.deliveries().first?.attempts == 2)
    }

    @Test("many events of one subscription go over one connection, in order, over more than one turn")
    func many() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        world.server.answer { _ in .init(204, staysOpen: true) }
        for number in 0..<(HubSettings.turnMax + 20) { _ = try await world.make(#"{"name":"n\#(number)"}"#) }
        try await world.drain()
        let names = try world.told().map { $0["event"]?["thing"]?["name"]?.string ?? "" }
        #expect(names == (0..<(HubSettings.turnMax + 20)).map { "n\($0)" })
        #expect(world.server.connections == 2, "one a turn")
        #expect(try await world.deliveries().allSatisfy { $0.attempts == 1 })
    }

    @Test("two processes share the lanes and send nothing twice")
    func shared() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        for number in 0..<6 { try await world.subscribe("", path: "/\(number)") }
        for number in 0..<5 { _ = try await world.make(#"{"name":"n\#(number)"}"#) }
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        let (one, two) = (world.runner, world.runner)
        async let first = one.drain()
        async let second = two.drain()
        _ = try await (first, second)
        _ = try await world.runner.drain()
        #expect(world.server.asked.count == 30)
        for number in 0..<6 {
            let names = try world.server.asked.filter { $0.path == "/\(number)" }.map { try JSONValue.parse($0.body)["event"]?["thing"]?["name"]?.string ?? "" }
            #expect(names == ["n0", "n1", "n2", "n3", "n4"], "each in its order: \(names)")
        }
    }

    @Test("a slow callback holds up neither the others nor the events; not more calls than allowed are open at once")
    func slow() async throws {
        let world = try await HubWorld { $0.concurrency = 3 }
        defer { world.server.stop() }
        for name in ["slow1", "slow2", "fast"] { try await world.subscribe("", path: "/" + name) }
        let isOver = Mutex(false)
        world.server.answer { request in
            if request.path.hasPrefix("/slow") { for _ in 0..<150 where !isOver.withLock({ $0 }) { usleep(10_000) } }
            return .init(200)
        }
        for number in 0..<4 { _ = try await world.make(#"{"name":"n\#(number)"}"#) }
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        let runner = world.runner
        let task = Task { await runner.run(pollMilliseconds: 20) { Issue.record("\($0)") } }
        func fast() -> Int { world.server.asked.filter { $0.path == "/fast" }.count }
        for _ in 0..<1_000 where fast() < 4 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(fast() == 4)
        #expect(world.server.asked.filter { $0.path == "/slow1" }.count <= 3, "it is still busy with its first ones")
        // What comes now finds its way although the slow ones are at work.
        _ = try await world.make(#"{"name":"late"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        for _ in 0..<1_000 where fast() < 5 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(fast() == 5)
        isOver.withLock { $0 = true }
        for _ in 0..<1_000 where try await world.deliveries().contains(where: { $0.state == .waiting }) { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        await task.value
        #expect(try await world.deliveries().allSatisfy { $0.state == .delivered })
        #expect(world.server.openMost <= 3)
    }

    @Test("a client gets what it may see when it is sent: nothing once it is disabled or has lost the right, nothing out of its regions")
    func rights() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        for name in ["disabled", "scope", "right", "regional", "whole"] { try await world.subscribe("", path: "/" + name, as: "client:" + name) }
        world.clients.set("client:regional") { $0.regions = ["n"] }
        let north = try await world.make(#"{"name":"north"}"#)
        let south = try await world.make(#"{"name":"south"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        // After it was queued and before it is sent.
        world.clients.set("client:disabled") { $0.isActive = false }
        world.clients.set("client:scope") { $0.scopes = ["tmf621:read"] }
        world.clients.set("client:right") { $0.permissions = [] }
        _ = try await world.runner.drain()
        func told(_ path: String) throws -> [String] {
            try world.server.asked.filter { $0.path == "/" + path }.map { try JSONValue.parse($0.body)["event"]?["thing"]?["id"]?.string ?? "" }
        }
        #expect(try told("whole") == [north, south] && told("regional") == [north])
        for name in ["disabled", "scope", "right"] { #expect(try told(name).isEmpty, "\(name)") }
        let reasons = try await world.deliveries().filter { $0.state == .dropped }.map(\.reason)
        #expect(reasons.sorted() == ["client_disabled", "client_disabled", "no_right", "no_right", "no_right", "no_right"])
        // Out of reach between queue and call.
        world.server.forget()
        _ = try await world.send(.patch, "/thing/\(north)", #"{"count":1}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        world.clients.set("client:regional") { $0.regions = ["x"] }
        _ = try await world.runner.drain()
        #expect(try told("regional").isEmpty && told("whole") == [north])
        // Of removals a regional client hears when it had heard of the thing, and of no other.
        world.server.forget()
        for id in [north, south] { _ = try await world.send(.delete, "/thing/\(id)") }
        try await world.drain()
        #expect(try told("whole") == [north, south] && told("regional") == [north])
    }

    @Test("a paused subscription keeps what happens and sends it when it goes on; a removed one sends nothing that waited")
    func paused() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let (one, two) = (try await world.subscribe("", path: "/1"), try await world.subscribe("", path: "/2"))
        let first = try #require(HubID(one.id))
        try await world.tenant.database.write { session in _ = try session.execute(HubStore.pause, [.id(first)]) }
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        #expect(try await world.send(.delete, "/hub/\(two.id)").status == 204)
        world.test.clock.advance(seconds: 3 * 86_400)
        try await world.drain()
        #expect(world.server.asked.isEmpty)
        let now = world.test.clock.now()
        try await world.tenant.database.write { session in _ = try session.execute(HubStore.resume, [.id(first), .time(now)]) }
        world.server.answer { _ in .init(503) }
        try await world.drain()
        #expect(try await world.deliveries().map(\.state) == [.waiting], "its time counts from when it was resumed")
        world.server.answer { _ in .init(200) }
        world.test.clock.advance(seconds: 60)
        try await world.drain()
        #expect(world.server.asked.map(\.path) == ["/1", "/1"])
        let rest = try await world.tenant.database.read { try $0.count("SELECT COUNT(*) FROM tmf_hub_delivery WHERE subscription_id = $1", [.id(try #require(HubID(two.id)))]) }
        #expect(rest == 0)
    }

    @Test("what a callback asks to wait is waited, within bounds; an answer of any length takes no memory")
    func answers() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        world.server.answer { _ in .init(429, headers: ["Retry-After: 120"], body: String(repeating: "x", count: 3_000_000)) }
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        let due = try #require(try await world.lane()?.dueAt)
        #expect(due.milliseconds - world.test.clock.now().milliseconds == 120_000)
        #expect(try await world.deliveries().first?.answer == 429)
        #expect(HubRunner.pause(after: 3, world.settings, asked: 99_999) == 600_000)
        for failures in [1, 5, 12, 40, 1_000] {
            #expect(HubRunner.pause(after: failures, world.settings, asked: nil) <= 600_000)
        }
        world.server.answer { _ in .init(200, body: String(repeating: "x", count: 3_000_000)) }
        world.test.clock.advance(seconds: 121)
        try await world.drain()
        #expect(try await world.deliveries().first?.state == .delivered)
    }

    @Test("the log is forgotten after its time, and a clock that was set back holds nothing up")
    func upkeep() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        world.server.answer { _ in .init(500) }
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        world.test.clock.advance(seconds: -86_400)
        world.server.answer { _ in .init(200) }
        try await world.drain()
        #expect(world.server.asked.count == 1)
        try await world.purge()
        try await world.drain()
        #expect(world.server.asked.count == 2)
        try await world.purge()
        #expect(try await world.deliveries().count == 1)
        world.test.clock.advance(seconds: 33 * 86_400)
        try await world.purge()
        #expect(try await world.deliveries().isEmpty)
    }
}

extension HubWorld {
    func lane() async throws -> HubSubscription? {
        try await tenant.database.read { try $0.first("SELECT \(HubStore.columns) FROM tmf_hub", [], HubStore.subscription) }
    }

    /// The tenant over another database.
    func over(_ database: any Database) -> Tenant {
        Tenant(
            name: tenant.name, database: database, ids: tenant.ids, clock: tenant.clock, blobs: tenant.blobs, keys: tenant.keys,
            logger: tenant.logger)
    }

    func purge() async throws {
        try await tenant.database.write { [tenant] in _ = try tenant.jobs.enqueue("tmf.hub.purge", payload: "{}", by: "test", $0) }
        try await test.drain(jobs: module.jobs(tenant))
    }
}
