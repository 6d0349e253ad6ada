import Foundation
import Kernel
import Logging
import TestSupport
import Testing

@testable import Storage

@Suite("Node numbers and wake signals")
struct NodeLeaseTests {
    @Test("processes that start together get numbers of their own", arguments: TestEngine.allCases)
    func distinct(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let nodes = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<40 {
                group.addTask { try await NodeLease.take(holder: "p\(number)", clock: bench.clock, bench.database) }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(nodes.sorted() == Array(0..<40))
    }

    @Test(
        "a number is given again after its lease has ended or when it was given back, not before",
        arguments: TestEngine.allCases)
    func reuse(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        func take(_ holder: String) async throws -> Int {
            try await NodeLease.take(holder: holder, clock: bench.clock, bench.database)
        }
        #expect(try await take("a") == 0)
        #expect(try await take("b") == 1)
        bench.clock.advance(seconds: NodeLease.milliseconds / 1_000 - 1)
        #expect(try await NodeLease.renew(0, holder: "a", clock: bench.clock, bench.database))
        bench.clock.advance(seconds: 2)
        // b has ended, a was renewed.
        #expect(try await take("c") == 1)
        // The late b must learn that its number is another's now.
        #expect(try await !NodeLease.renew(1, holder: "b", clock: bench.clock, bench.database))
        try await NodeLease.release(1, holder: "b", bench.database)
        #expect(try await take("d") == 2)
        try await NodeLease.release(0, holder: "a", bench.database)
        #expect(try await take("e") == 0)
    }

    @Test("the 1,025th process is refused with a reason, until a number is free", arguments: TestEngine.allCases)
    func limit(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let until = bench.clock.now().adding(seconds: 100)
        try await bench.database.write { session in
            _ = try session.executeMany(
                "INSERT INTO storage_node (node, holder, lease_until) VALUES ($1, $2, $3)",
                (0..<1_024).map { [.int($0), .text("p\($0)"), .time(until)] })
        }
        let error = await #expect(throws: CRMError.self) {
            try await NodeLease.take(holder: "late", clock: bench.clock, bench.database)
        }
        #expect(error?.code == "no_node" && error?.status == 503)
        try await NodeLease.release(77, holder: "p77", bench.database)
        #expect(try await NodeLease.take(holder: "late", clock: bench.clock, bench.database) == 77)
    }

    private func lease(_ bench: Bench) async throws -> LeasedDatabase {
        try await LeasedDatabase(
            bench.database, clock: bench.clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test(
        "a process that slept through its lease takes another number before it writes, and no id meets another's",
        arguments: TestEngine.allCases)
    func slept(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        try await bench.create("CREATE TABLE made (id BIGINT NOT NULL PRIMARY KEY)")
        let insert: SQL = "INSERT INTO made (id) VALUES ($1)"
        let sleeper = try await lease(bench)
        #expect(sleeper.ids.node == 0)
        bench.clock.advance(seconds: NodeLease.milliseconds / 1_000 + 1)
        let heir = try await lease(bench)
        #expect(heir.ids.node == 0)
        // Made before anything was written: still from the sleeper's own time.
        let early: [PartyID] = (0..<100).map { _ in sleeper.ids.next() }
        for process in [heir, sleeper, heir, sleeper] {
            try await process.write { session in
                for _ in 0..<500 { try session.execute(insert, [.id(process.ids.next(PartyKind.self))]) }
            }
        }
        try await sleeper.write { session in for id in early { try session.execute(insert, [.id(id)]) } }
        #expect(sleeper.ids.node == 1 && heir.ids.node == 0)
        #expect(try await bench.count("SELECT COUNT(*) FROM made") == 2_100)
    }

    @Test("a long command keeps its number as long as it renews it, or writes", arguments: TestEngine.allCases)
    func long(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let (renewing, writing) = (try await lease(bench), try await lease(bench))
        for _ in 0..<30 {
            bench.clock.advance(seconds: 245)
            try await renewing.renew()
            // Twenty who write at once: one renewal.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await writing.write { _ in } } }
                try await group.waitForAll()
            }
            #expect(try await lease(bench).ids.node > 1)
        }
        #expect(renewing.ids.node == 0 && writing.ids.node == 1)
        #expect(renewing.ids.next(PartyKind.self).madeAt == bench.clock.now())
    }

    @Test("without a number nothing is written, and the reason is said", arguments: TestEngine.allCases)
    func none(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let process = try await lease(bench)
        bench.clock.advance(seconds: 400)
        let until = bench.clock.now().adding(seconds: 100)
        try await bench.database.write { session in
            _ = try session.execute("DELETE FROM storage_node")
            _ = try session.executeMany(
                "INSERT INTO storage_node (node, holder, lease_until) VALUES ($1, $2, $3)",
                (0..<1_024).map { [.int($0), .text("p\($0)"), .time(until)] })
        }
        let error = await #expect(throws: CRMError.self) {
            try await process.write { _ in Issue.record("the body must not run") }
        }
        #expect(error?.code == "node_lost" && error?.status == 503)
        bench.clock.advance(seconds: 200)
        try await process.write { _ in }
    }

    @Test("a number given back is used again only from a later moment on", arguments: TestEngine.allCases)
    func givenBack(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let first = try await lease(bench)
        let ids: [PartyID] = (0..<10_000).map { _ in first.ids.next() }
        _ = try await NodeLease.release(
            first.ids.node, holder: "somebody else", lastUsed: first.ids.lastUsed, bench.database)
        #expect(try await lease(bench).ids.node == 1)
        try await bench.database.write { session in
            _ = try session.execute(
                "UPDATE storage_node SET lease_until = $1 WHERE node = 0", [.time(first.ids.lastUsed)])
        }
        bench.clock.advance(seconds: 1)
        let second = try await lease(bench)
        #expect(second.ids.node == 0)
        #expect(try #require(ids.last) < second.ids.next())
    }

    @Test("a signal that came before the wait ends it at once; one that comes later ends it then")
    func signal() async {
        let wake = WakeSignal()
        let before = wake.generation
        wake.signal()
        let start = ContinuousClock.now
        await wake.wait(after: before, milliseconds: 60_000)
        async let waiting: Void = wake.wait(after: wake.generation, milliseconds: 60_000)
        try? await Task.sleep(for: .milliseconds(20))
        wake.signal()
        await waiting
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("a wait ends by itself after its time, or when its task is cancelled")
    func waitEnds() async {
        let wake = WakeSignal()
        let start = ContinuousClock.now
        await wake.wait(after: wake.generation, milliseconds: 30)
        #expect(ContinuousClock.now - start >= .milliseconds(30))
        let task = Task { await wake.wait(after: wake.generation, milliseconds: 60_000) }
        task.cancel()
        await task.value
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("many waiters and signals at once lose nobody")
    func manyWaiters() async {
        let wake = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 { group.addTask { await wake.wait(after: 0, milliseconds: 60_000) } }
            for _ in 0..<20 { group.addTask { wake.signal() } }
        }
        #expect(wake.generation == 20)
    }
}
