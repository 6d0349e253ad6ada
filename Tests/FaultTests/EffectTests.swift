import Contracts
import Foundation
import Kernel
import Logging
import StoragePostgres
import StorageSQLite
import TestSupport
import Testing

@testable import Storage

/// Handlers and jobs whose effects are counted, in processes that are killed while they deliver and work.
@Suite("kill -9 of dispatchers and workers whose effects are counted", .serialized)
struct EffectTests {
    struct Happened: DomainEvent {
        static let eventType = "test.effect.happened"
        let number: Int
    }
    static let effect: SQL = "INSERT INTO effect (number, what) VALUES ($1, $2)"
    private static let eventsEach = 60
    private static let jobsEach = 6

    /// The clock of a round: the leases of the rounds before have run out.
    static func clock(_ seed: Int) -> FrozenClock {
        let clock = FrozenClock()
        clock.advance(seconds: Int64(seed) * 700)
        return clock
    }

    static func handlers() -> [EventHandler] {
        ["one", "two"].map { name in
            EventHandler(name: name, Happened.self) { event, session in
                try session.execute(effect, [.int(event.number), .text(name)])
            }
        }
    }

    /// Five steps; each and the note of it are one transaction, and it goes on behind the last.
    static func job(_ database: any Database) -> JobHandler {
        JobHandler(kind: "test.steps") { context in
            let job = context.job.id.rawValue
            for step in 1...5 {
                try await database.write { session in
                    let done = try session.count("SELECT COUNT(*) FROM effect WHERE number = $1", [.int(job)])
                    if done < step { try session.execute(effect, [.int(job), .text("step \(step)")]) }
                }
                try await context.progress(done: Int64(step), total: 5, Words(en: "", zh: ""), force: true)
            }
            return nil
        }
    }

    static func open(_ folder: String, _ url: String) throws -> any Database {
        url.isEmpty
            ? try SQLiteDatabase(path: folder + "/test.sqlite", durability: .normal)
            : PostgresDatabase(PostgresSettings(url: url))
    }

    /// Delivers and works until it is killed.
    static func work(_ folder: String, _ url: String, _ seed: Int, milliseconds: Int) async throws {
        let database = try open(folder, url)
        let clock = clock(seed)
        let jobs = JobQueue(
            database: database, ids: IDGenerator(node: 2, clock: clock), clock: clock, wake: WakeSignal())
        Thread {
            usleep(UInt32(milliseconds) * 1_000)
            kill(getpid(), SIGKILL)
        }.start()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<(url.isEmpty ? 1 : 3) {
                let dispatcher = OutboxDispatcher(database: database, handlers: handlers(), clock: clock)
                group.addTask { while true { _ = try? await dispatcher.deliverBatch() } }
                let worker = JobWorker(
                    queue: jobs, handlers: [job(database)], wake: WakeSignal(), owner: "\(seed)-\(number)",
                    logger: logger)
                group.addTask { while true { _ = try? await worker.runOne() } }
            }
        }
    }

    @Test("each handler has its effect on each event once, and each job does each of its steps once")
    func killed() async throws {
        let folder = NSTemporaryDirectory() + "switchboard-effect-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let settings = TestDatabases.dialect == .postgres ? try await TestDatabases.empty() : nil
        defer { if let settings { TestDatabases.drop(settings) } }
        let url = settings?.url ?? ""
        let database = try Self.open(folder, url)
        try await Migrator(share: Checkout.share, modules: ["Storage"], clock: FrozenClock()).migrate(database)
        try await database.write {
            _ = try $0.execute("CREATE TABLE effect (number BIGINT NOT NULL, what TEXT NOT NULL)")
        }
        var (events, jobs) = (0, 0)
        for seed in Drill.seeds() {
            var rng = SeededGenerator(seed: seed)
            // Connecting and meeting one another takes PostgreSQL's clients longer.
            let milliseconds = settings == nil ? rng.number(5...120) : rng.number(20...900)
            let round = Int(seed - Drill.first) + 1
            (events, jobs) = (events + Self.eventsEach, jobs + Self.jobsEach)
            try await append(round, database)
            let number = round
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [folder = folder as String, url = url as String, number = number as Int, wait = milliseconds as Int] in
                try await EffectTests.work(folder, url, number, milliseconds: wait)
            }
            let done = try await database.read { try $0.count("SELECT COUNT(*) FROM effect") }
            Drill.say("seed \(seed): killed after \(milliseconds) ms with \(done) effects done")
        }
        // What is left is worked off by another process, when the leases of the dead have run out.
        let clock = Self.clock(Drill.seeds + 1)
        let dispatcher = OutboxDispatcher(database: database, handlers: Self.handlers(), clock: clock)
        let queue = JobQueue(
            database: database, ids: IDGenerator(node: 3, clock: clock), clock: clock, wake: WakeSignal())
        let worker = JobWorker(
            queue: queue, handlers: [Self.job(database)], wake: WakeSignal(), owner: "last",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        while try await dispatcher.deliverBatch() > 0 {}
        while try await worker.runOne() {}
        let (single, doubled, failed) = try await database.read { session in
            (
                try session.count("SELECT COUNT(*) FROM (SELECT 1 FROM effect GROUP BY number, what) AS found"),
                try session.count(
                    "SELECT COUNT(*) FROM (SELECT 1 FROM effect GROUP BY number, what HAVING COUNT(*) > 1) AS found"),
                try session.count("SELECT COUNT(*) FROM storage_job WHERE status <> 'succeeded'")
            )
        }
        #expect(single == events * 2 + jobs * 5, "lost: seeds \(Drill.first) and the \(Drill.seeds - 1) after it")
        #expect(doubled == 0 && failed == 0, "seeds \(Drill.first) and the \(Drill.seeds - 1) after it")
        #expect(try await dispatcher.backlog("parked") == 0)
        try await database.close()
        Drill.report(
            "kill -9 of dispatchers and workers", rounds: Drill.seeds,
            "\(events) events x 2 handlers, \(jobs) jobs x 5 steps: \(events * 2 + jobs * 5 - single) lost, \(doubled) doubled"
        )
    }

    private func append(_ round: Int, _ database: any Database) async throws {
        let clock = Self.clock(round)
        let ids = IDGenerator(node: 1, clock: clock)
        let outbox = Outbox(ids: ids, clock: clock, wake: WakeSignal())
        let queue = JobQueue(database: database, ids: ids, clock: clock, wake: WakeSignal())
        try await database.write { session in
            for number in 0..<Self.eventsEach {
                try outbox.append(Happened(number: round * 1_000 + number), session)
            }
            for _ in 0..<Self.jobsEach { try queue.enqueue("test.steps", payload: "{}", by: "test", session) }
        }
    }
}
