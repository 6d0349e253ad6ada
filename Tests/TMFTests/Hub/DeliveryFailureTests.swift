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

@Suite("Deliveries that fail")
struct DeliveryFailureTests {
    @Test("a callback that fails is tried again with growing pauses under the same id, and later events wait for it")
    func retried() async throws {
        let world = try await HubWorld { $0.attemptsMax = 20 }
        defer { world.server.stop() }
        try await world.subscribe()
        let failures = Mutex(3)
        world.server.answer { _ in
            failures.withLock { left in
                left -= 1
                return left >= 0 ? .init(500) : .init(200)
            }
        }
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        _ = try await world.make(#"{"name":"b"}"#)
        try await world.drain()
        #expect(world.server.asked.count == 1, "the second waits behind the first")
        var pauses: [Int64] = []
        for tries in 2...4 {
            let lane = try #require(try await world.lane())
            pauses.append(try #require(lane.dueAt).milliseconds - world.test.clock.now().milliseconds)
            #expect(lane.failures == tries - 1)
            try await world.drain()
            #expect(world.server.asked.count == tries - 1, "not before its time")
            world.test.clock.advance(seconds: 60)
            try await world.drain()
        }
        #expect((500...1_000).contains(pauses[0]) && (1_000...2_000).contains(pauses[1]) && (2_000...4_000).contains(pauses[2]), "\(pauses)")
        let names = try world.told().map { $0["event"]?["thing"]?["name"]?.string ?? "" }
        #expect(names == ["a", "a", "a", "a", "b"])
        let ids = Set(world.server.asked.prefix(4).compactMap { $0.headers["webhook-id"] })
        #expect(ids.count == 1)
        #expect(try await world.deliveries().map(\.attempts) == [4, 1])
        #expect(try await world.lane()?.failures == 0)
    }

    @Test("what a callback refuses too often stands aside, the rest goes on, and a person has it delivered again")
    func dead() async throws {
        let world = try await HubWorld { $0.attemptsMax = 3 }
        defer { world.server.stop() }
        try await world.subscribe()
        world.server.answer { request in request.text.contains("poison") ? .init(400) : .init(204) }
        _ = try await world.make(#"{"name":"poison"}"#)
        _ = try await world.make(#"{"name":"good"}"#)
        for _ in 0..<5 {
            try await world.drain()
            world.test.clock.advance(seconds: 600)
        }
        let after = try await world.deliveries()
        #expect(after.map(\.state) == [.dead, .delivered] && after[0].attempts == 3 && after[0].answer == 400 && after[0].reason == "status")
        world.server.answer { _ in .init(200) }
        try await world.drain()
        #expect(try await world.deliveries().map(\.state) == [.dead, .delivered], "not by itself")
        let dead = after[0]
        let now = world.test.clock.now()
        try await world.tenant.database.write { session in
            #expect(try session.execute(HubStore.again, [.id(dead.id), .time(now)]) == 1)
            try session.execute(HubStore.wake, [.id(dead.subscription), .time(now)])
        }
        try await world.drain()
        #expect(try await world.deliveries().map(\.state) == [.delivered, .delivered])
        #expect(world.server.asked.last?.headers["webhook-id"] == String(dead.event))
    }

    @Test("a callback that cannot be reached for long: all that waited so long stands aside at once, what is younger does not")
    func unreachable() async throws {
        let world = try await HubWorld { $0.giveUpHours = 2 }
        world.server.stop()
        try await world.subscribe()
        for number in 0..<3 { _ = try await world.make(#"{"name":"old\#(number)"}"#) }
        try await world.drain()
        world.test.clock.advance(seconds: 7_000)
        _ = try await world.make(#"{"name":"young"}"#)
        try await world.drain()
        #expect(try await world.deliveries().allSatisfy { $0.state == .waiting })
        world.test.clock.advance(seconds: 700)
        try await world.drain()
        let found = try await world.deliveries()
        #expect(found.map(\.state) == [.dead, .dead, .dead, .waiting])
        #expect(found[0].reason == "unreachable" && found[1].reason == "too_old" && found[0].answer == 0)
        #expect(found[0].attempts == 3 && found[1].attempts == 0, "only the first of them was tried")
    }

    @Test("a record that cannot be read any more holds up nobody: its event stands aside")
    func unreadable() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        let id = try await world.make(#"{"name":"a"}"#)
        _ = try await world.make(#"{"name":"b"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        try await world.tenant.database.write { session in
            try session.execute("UPDATE thing SET name = 'broken' WHERE id = $1", [.int(try #require(Int64(id)))])
            // As of one of many, whose document is read when it is sent.
            _ = try session.execute("DELETE FROM tmf_hub_seen WHERE resource_id = $1", [.int(try #require(Int64(id)))])
        }
        _ = try await world.runner.drain()
        #expect(try await world.deliveries().map(\.state) == [.dead, .delivered])
        #expect(try await world.deliveries().first?.reason == "internal")
    }

    @Test("a callback that does not answer in time, or hangs up, has failed; it is tried again")
    func silent() async throws {
        let world = try await HubWorld { $0.timeoutSeconds = 1 }
        defer { world.server.stop() }
        try await world.subscribe()
        for (answer, reason) in [(CallbackServer.Answer(waitsMilliseconds: 4_000), "timeout"), (CallbackServer.Answer(hangsUp: true), "broken_off")] {
            world.server.answer { _ in answer }
            if try await world.deliveries().isEmpty { _ = try await world.make(#"{"name":"a"}"#) }
            try await world.drain()
            let found = try #require(try await world.deliveries().first)
            #expect(found.state == .waiting && found.reason == reason && found.answer == 0, "\(found)")
            world.test.clock.advance(seconds: 60)
        }
        world.server.answer { _ in .init(200) }
        try await world.drain()
        #expect(try await world.deliveries().map(\.state) == [.delivered])
        #expect(Set(world.server.asked.compactMap { $0.headers["webhook-id"] }).count == 1)
    }

    @Test("a redirect is not followed, whereto it leads")
    func redirect() async throws {
        let world = try await HubWorld()
        let other = try CallbackServer()
        defer { world.server.stop(); other.stop() }
        let target = other.address
        world.server.answer { _ in .init(302, headers: ["Location: \(target)/", "Content-Type: text/plain"], body: "go") }
        try await world.subscribe()
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        #expect(other.asked.isEmpty && world.server.asked.count == 1)
        let found = try #require(try await world.deliveries().first)
        #expect(found.state == .waiting && found.answer == 302 && found.reason == "redirect")
    }

    @Test("a callback whose host became private is not called any more")
    func moved() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        try await world.subscribe()
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.test.drain(handlers: world.module.eventHandlers(world.tenant))
        var shut = world.settings
        shut.hosts = []
        let clients = world.clients
        let runner = HubRunner(
            tenant: world.tenant, resources: [world.resource], clients: HubClients { name, _, _ in clients.principal(name) }, settings: shut)
        _ = try await runner.drain()
        #expect(world.server.asked.isEmpty)
        #expect(["not_https", "private_address"].contains(try await world.deliveries().first?.reason ?? ""))
    }
}
