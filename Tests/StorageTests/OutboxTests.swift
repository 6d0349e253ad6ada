import Contracts
import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage

@Suite("Outbox")
struct OutboxTests {
    struct Happened: DomainEvent, Equatable {
        static let eventType = "test.thing.happened"
        let number: Int
    }
    struct Unheard: DomainEvent {
        static let eventType = "test.thing.unheard"
    }

    static let effect: SQL = "INSERT INTO effect (handler, number) VALUES ($1, $2)"

    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine)
        try await bench.create("CREATE TABLE effect (handler TEXT NOT NULL, number BIGINT NOT NULL)")
        return bench
    }

    private func recording(_ name: String) -> EventHandler {
        EventHandler(name: name, Happened.self) { event, session in
            try session.execute(Self.effect, [.text(name), .int(event.number)])
        }
    }

    private func effects(_ bench: Bench, _ handler: String) async throws -> [Int64] {
        try await bench.database.read { session in
            try session.query("SELECT number FROM effect WHERE handler = $1 ORDER BY number", [.text(handler)]) {
                $0.int(0)
            }
        }
    }

    private func append(_ bench: Bench, _ numbers: [Int]) async throws {
        try await bench.database.write { session in
            for number in numbers { try bench.outbox.append(Happened(number: number), session) }
        }
    }

    @Test("an event reaches every handler of its type once", arguments: TestEngine.allCases)
    func delivery(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let before = bench.wake.generation
        try await append(bench, [1, 2, 3])
        try await bench.database.write { try bench.outbox.append(Unheard(), $0) }
        #expect(await eventually { bench.wake.generation > before })
        #expect(try await bench.count("SELECT COUNT(*) FROM effect") == 0)
        let dispatcher = OutboxDispatcher(
            database: bench.database, handlers: [recording("a"), recording("b")], clock: bench.clock)
        #expect(try await dispatcher.deliverBatch() == 4)
        #expect(try await dispatcher.deliverBatch() == 0)
        #expect(try await effects(bench, "a") == [1, 2, 3])
        #expect(try await effects(bench, "b") == [1, 2, 3])
        #expect(try await dispatcher.backlog("pending") == 0)
        #expect(try await dispatcher.backlog("done") == 4)
    }

    @Test("an event of a transaction that was rolled back never existed", arguments: TestEngine.allCases)
    func rolledBack(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let before = bench.wake.generation
        await #expect(throws: Deliberate.self) {
            try await bench.database.write { session in
                try bench.outbox.append(Happened(number: 1), session)
                throw Deliberate()
            }
        }
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [recording("a")], clock: bench.clock)
        #expect(try await dispatcher.deliverBatch() == 0)
        #expect(bench.wake.generation == before)
    }

    @Test("a second delivery of one event has no second effect", arguments: TestEngine.allCases)
    func receipt(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await append(bench, [7])
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [recording("a")], clock: bench.clock)
        try await dispatcher.deliverBatch()
        // As after a crash between the handler's commit and the end of the delivery.
        try await bench.database.write { _ = try $0.execute("UPDATE storage_outbox_event SET status = 'pending'") }
        // What the dead dispatcher had taken comes due again.
        bench.clock.advance(seconds: OutboxDispatcher.claimSeconds)
        #expect(try await dispatcher.deliverBatch() == 1)
        #expect(try await effects(bench, "a") == [7])
        #expect(try await dispatcher.backlog("done") == 1)
    }

    @Test("four dispatchers at once deliver 100 events once each", arguments: TestEngine.allCases)
    func concurrentDispatchers(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await append(bench, Array(1...100))
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [recording("a")], clock: bench.clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { while try await dispatcher.deliverBatch() > 0 {} } }
            try await group.waitForAll()
        }
        #expect(try await effects(bench, "a") == Array(1...100))
    }

    @Test(
        "a handler that fails undoes its work, is tried again later and later, then its event stands aside; others go on",
        arguments: TestEngine.allCases)
    func parking(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let tries = Tally()
        let failing = EventHandler(name: "bad", Happened.self) { event, session in
            tries.add()
            try session.execute(Self.effect, [.text("bad"), .int(event.number)])
            throw Deliberate(event.number)
        }
        try await append(bench, [5])
        let dispatcher = OutboxDispatcher(
            database: bench.database, handlers: [failing, recording("good")], clock: bench.clock)
        for attempt in 1...OutboxDispatcher.attemptsMax {
            #expect(try await dispatcher.deliverBatch() == 1)
            #expect(tries.count == attempt)
            // Not due again at once.
            #expect(try await dispatcher.deliverBatch() == 0)
            let wait = try await bench.database.read { session in
                try session.first("SELECT next_attempt_at FROM storage_outbox_event") { $0.int(0) }
            }
            let milliseconds = try #require(wait) - bench.clock.now().milliseconds
            #expect((500...min(600_000, 1_000 << Int64(attempt))).contains(milliseconds))
            #expect(try await dispatcher.backlog("parked") == (attempt == OutboxDispatcher.attemptsMax ? 1 : 0))
            bench.clock.advance(seconds: 600)
        }
        #expect(try await dispatcher.deliverBatch() == 0)
        #expect(try await effects(bench, "good") == [5])
        #expect(try await effects(bench, "bad") == [])
        let reason = try await bench.database.read { session in
            try session.first("SELECT last_error FROM storage_outbox_event") { $0.text(0) }
        }
        #expect(reason?.contains("Deliberate") == true)
        #expect(reason == "bad: Deliberate", "the kind of error, not what it says")
        // A later event is not held up by the parked one.
        try await append(bench, [6])
        try await dispatcher.deliverBatch()
        #expect(try await effects(bench, "good") == [5, 6])
    }

    @Test("a parked event is shown with its reason and delivered once more on demand", arguments: TestEngine.allCases)
    func redelivery(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let broken = Mutex(true)
        let shaky = EventHandler(name: "shaky", Happened.self) { event, session in
            if broken.withLock({ $0 }) { throw StorageError(.busy, "locked") }
            try session.execute(Self.effect, [.text("shaky"), .int(event.number)])
        }
        try await append(bench, [1])
        let dispatcher = OutboxDispatcher(
            database: bench.database, handlers: [recording("good"), shaky], clock: bench.clock)
        for _ in 0..<OutboxDispatcher.attemptsMax {
            try await dispatcher.deliverBatch()
            bench.clock.advance(seconds: 600)
        }
        let parked = try await bench.database.read { try OutboxDispatcher.parked(limit: 10, $0) }
        let event = try #require(parked.first)
        #expect(parked.count == 1 && event.type == Happened.eventType && event.attempts == OutboxDispatcher.attemptsMax)
        #expect(event.reason == "shaky: storage busy: locked")
        broken.withLock { $0 = false }
        let now = bench.clock.now()
        #expect(try await bench.database.write { try OutboxDispatcher.redeliver(event.id, now: now, $0) })
        #expect(try await dispatcher.deliverBatch() == 1)
        #expect(try await effects(bench, "shaky") == [1])
        #expect(try await effects(bench, "good") == [1])
        #expect(try await bench.database.write { try !OutboxDispatcher.redeliver(event.id, now: now, $0) })
    }

    @Test("what was dismissed is not tried again and is forgotten with the rest", arguments: TestEngine.allCases)
    func dismissal(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let failing = EventHandler(name: "bad", Happened.self) { event, _ in throw Deliberate(event.number) }
        try await append(bench, [1])
        let dispatcher = OutboxDispatcher(
            database: bench.database, handlers: [recording("good"), failing], clock: bench.clock)
        func event() async throws -> EventID? {
            try await bench.database.read { session in
                try session.first("SELECT id FROM storage_outbox_event") { $0.id(0) }
            }
        }
        let id = try #require(try await event())
        #expect(try await bench.database.write { try !OutboxDispatcher.dismiss(id, $0) }, "it is not parked")
        for _ in 0..<OutboxDispatcher.attemptsMax {
            try await dispatcher.deliverBatch()
            bench.clock.advance(seconds: 600)
        }
        #expect(try await bench.database.read { try OutboxDispatcher.parkedCount($0) } == 1)
        #expect(try await bench.database.write { try OutboxDispatcher.dismiss(id, $0) })
        #expect(try await bench.database.write { try !OutboxDispatcher.dismiss(id, $0) })
        let now = bench.clock.now()
        #expect(try await bench.database.write { try !OutboxDispatcher.redeliver(id, now: now, $0) })
        #expect(try await dispatcher.deliverBatch() == 0)
        #expect(try await bench.database.read { try OutboxDispatcher.parkedCount($0) } == 0)
        #expect(try await bench.database.read { try OutboxDispatcher.oldestDue($0) } == nil)
        try await dispatcher.expire(days: 7)
        #expect(try await event() == id)
        bench.clock.advance(days: 8)
        try await dispatcher.expire(days: 7)
        #expect(try await event() == nil)
        let receipts = try await bench.database.read { try $0.count("SELECT COUNT(*) FROM storage_outbox_receipt") }
        #expect(receipts == 0)
    }

    @Test("what health and pages count is found by an index, however many events there are")
    func counted() async throws {
        let bench = try await bench(.sqlite)
        for sql in [
            OutboxDispatcher.parkedCount, OutboxDispatcher.oldestDue, OutboxDispatcher.parkedEvents,
            JobQueue.failedCount, JobQueue.oldestDue, JobQueue.recentFailed,
        ] {
            let plan = try await bench.database.read { session in
                try session.query(
                    SQL(trusted: "EXPLAIN QUERY PLAN " + sql.text),
                    [SQLValue](repeating: .int(1), count: Set(sql.text.matches(of: /\$\d/).map(\.output)).count)
                ) { $0.text(3) }
            }.joined(separator: "; ")
            #expect(plan.contains("INDEX storage_") && !plan.contains("TEMP B-TREE"), "\(sql.text): \(plan)")
        }
    }

    @Test("a handler that recovers is called for its part only", arguments: TestEngine.allCases)
    func recovery(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let broken = Mutex(true)
        let shaky = EventHandler(name: "shaky", Happened.self) { event, session in
            if broken.withLock({ $0 }) { throw Deliberate() }
            try session.execute(Self.effect, [.text("shaky"), .int(event.number)])
        }
        try await append(bench, [1])
        let dispatcher = OutboxDispatcher(
            database: bench.database, handlers: [recording("good"), shaky], clock: bench.clock)
        try await dispatcher.deliverBatch()
        // The others' effects stand, though all were first tried together.
        #expect(try await effects(bench, "good") == [1])
        #expect(try await dispatcher.backlog("pending") == 1)
        broken.withLock { $0 = false }
        bench.clock.advance(seconds: 600)
        #expect(try await dispatcher.deliverBatch() == 1)
        #expect(try await effects(bench, "good") == [1])
        #expect(try await effects(bench, "shaky") == [1])
        #expect(try await dispatcher.backlog("done") == 1)
    }

    @Test(
        "a payload that no longer decodes is parked in the end, not lost and not looped over",
        arguments: TestEngine.allCases)
    func undecodable(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await append(bench, [1])
        try await bench.database.write { _ = try $0.execute("UPDATE storage_outbox_event SET payload = 'not JSON'") }
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [recording("a")], clock: bench.clock)
        for _ in 0..<OutboxDispatcher.attemptsMax {
            try await dispatcher.deliverBatch()
            bench.clock.advance(seconds: 600)
        }
        #expect(try await dispatcher.backlog("parked") == 1)
    }

    @Test(
        "delivered events are forgotten after a week, with their receipts; waiting and parked ones stay",
        arguments: TestEngine.allCases)
    func expiry(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [recording("a")], clock: bench.clock)
        try await append(bench, [1, 2])
        try await dispatcher.deliverBatch()
        bench.clock.advance(days: 6)
        try await append(bench, [3])
        try await dispatcher.deliverBatch()
        try await append(bench, [4])
        try await bench.database.write { session in
            _ = try session.execute(
                "UPDATE storage_outbox_event SET status = 'parked', created_at = 0 WHERE payload LIKE '%4%'")
        }
        bench.clock.advance(days: 2)
        try await dispatcher.expire(days: 7)
        #expect(try await dispatcher.backlog("done") == 1)
        #expect(try await dispatcher.backlog("parked") == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_receipt") == 1)
    }
}
