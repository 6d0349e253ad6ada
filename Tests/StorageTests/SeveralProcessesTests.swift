import Contracts
import Foundation
import Kernel
import StoragePostgres
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// Several processes over one PostgreSQL: each has a pool of its own, as it would have in a process of its own.
@Suite(
    "Several processes over one PostgreSQL",
    .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres")
)
struct SeveralProcessesTests {
    struct Happened: DomainEvent {
        static let eventType = "test.thing.happened"
        let number: Int
    }
    static let effect: SQL = "INSERT INTO effect (number) VALUES ($1)"

    /// `count` databases that are one.
    private func processes(_ count: Int, migrated: Bool) async throws -> (Bench, [PostgresDatabase]) {
        let bench = try await Bench(.postgres, migrated: migrated)
        let settings = try #require(bench.database as? PostgresDatabase).settings
        return (bench, (0..<count).map { _ in PostgresDatabase(settings) })
    }

    @Test("four processes that migrate an empty database at the same moment apply each file once")
    func migrate() async throws {
        let (bench, databases) = try await processes(4, migrated: false)
        let migrator = Migrator(share: Checkout.share, modules: ["Storage", "Platform"], clock: bench.clock)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for database in databases { group.addTask { try await migrator.migrate(database).count } }
            return try await group.reduce(0, +)
        }
        #expect(applied == (try migrator.migrations(for: .postgres).count))
        #expect(try await migrator.pending(bench.database) == 0)
    }

    @Test("a long transaction that meets another each time it is run has the database to itself in the end")
    func starving() async throws {
        let (bench, databases) = try await processes(2, migrated: true)
        try await bench.create("CREATE TABLE one (number BIGINT NOT NULL)")
        try await bench.create("CREATE TABLE two (number BIGINT NOT NULL)")
        let (long, short) = (databases[0], databases[1])
        let hasWritten = DispatchSemaphore(value: 0)
        let state = Mutex((runs: 0, isDone: false))
        // Whenever the long one has read, a short one writes what it read, having read what it will write.
        let others = Task {
            var written = 0
            while true {
                let now = state.withLock { $0 }
                if now.isDone { return written }
                guard now.runs > written else {
                    try await Task.sleep(for: .milliseconds(2))
                    continue
                }
                try await short.write { session in
                    _ = try session.count("SELECT COUNT(*) FROM two")
                    try session.execute("INSERT INTO one (number) VALUES ($1)", [.int(1)])
                }
                written += 1
                hasWritten.signal()
            }
        }
        let seen = try await long.write { session in
            // The snapshot is taken before the others hear of the run: what they commit then is not in it.
            let before = try session.count("SELECT COUNT(*) FROM one")
            let run = state.withLock { state in
                state.runs += 1
                return state.runs
            }
            // Alone, it waits in vain: nobody else gets to write.
            _ = hasWritten.wait(timeout: .now() + .milliseconds(run < 6 ? 20_000 : 300))
            try session.execute("INSERT INTO two (number) VALUES ($1)", [.int(2)])
            return before
        }
        state.withLock { $0.isDone = true }
        let written = try await others.value
        let runs = state.withLock { $0.runs }
        let rows = try await bench.database.read {
            (try $0.count("SELECT COUNT(*) FROM one"), try $0.count("SELECT COUNT(*) FROM two"))
        }
        #expect(rows == (written, 1))
        #expect(runs == 6 && seen == 5, "run \(runs) times, and the last saw \(seen) of what the others had committed")
    }

    @Test("four dispatchers deliver each event once, and share the work")
    func dispatch() async throws {
        let (bench, databases) = try await processes(4, migrated: true)
        try await bench.create("CREATE TABLE effect (number BIGINT NOT NULL)")
        try await bench.database.write { session in
            for number in 0..<300 { try bench.outbox.append(Happened(number: number), session) }
        }
        let shares = try await withThrowingTaskGroup(of: Int.self) { group in
            for database in databases {
                let handler = EventHandler(name: "effect", Happened.self) { event, session in
                    try session.execute(Self.effect, [.int(event.number)])
                }
                let dispatcher = OutboxDispatcher(database: database, handlers: [handler], clock: bench.clock)
                group.addTask {
                    var taken = 0
                    while true {
                        let batch = try await dispatcher.deliverBatch()
                        if batch == 0 { return taken }
                        taken += batch
                    }
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM effect") == 300)
        #expect(try await bench.count("SELECT COUNT(DISTINCT number) FROM effect") == 300)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_event WHERE status = 'done'") == 300)
        #expect(shares.reduce(0, +) == 300, "nobody looked at what another was at: \(shares)")
    }

    @Test("what a dispatcher had taken when it died comes due again and is delivered by another, once")
    func died() async throws {
        let (bench, databases) = try await processes(1, migrated: true)
        try await bench.create("CREATE TABLE effect (number BIGINT NOT NULL)")
        try await bench.database.write { session in
            for number in 0..<5 { try bench.outbox.append(Happened(number: number), session) }
        }
        // It claims, and is gone before it delivers.
        let now = bench.clock.now()
        let taken = try await databases[0].write { session in
            try session.query(
                OutboxDispatcher.claimPostgres,
                [.time(now), .int(100), .time(now.adding(seconds: OutboxDispatcher.claimSeconds))]
            ) { $0.int(0) }
        }
        #expect(taken.count == 5)
        let handler = EventHandler(name: "effect", Happened.self) { event, session in
            try session.execute(Self.effect, [.int(event.number)])
        }
        let other = OutboxDispatcher(database: bench.database, handlers: [handler], clock: bench.clock)
        #expect(try await other.deliverBatch() == 0)
        bench.clock.advance(seconds: OutboxDispatcher.claimSeconds)
        #expect(try await other.deliverBatch() == 5)
        #expect(try await bench.count("SELECT COUNT(*) FROM effect") == 5)
    }

    @Test("a schedule fires once a period, and each job is run by one worker, however many processes there are")
    func jobs() async throws {
        let (bench, databases) = try await processes(4, migrated: true)
        let queues = databases.enumerated().map {
            JobQueue(
                database: $1, ids: IDGenerator(node: 10 + $0, clock: bench.clock), clock: bench.clock,
                wake: WakeSignal())
        }
        let fired = try await withThrowingTaskGroup(of: Int.self) { group in
            for queue in queues {
                group.addTask { try await queue.runSchedule("s", kind: "work", everySeconds: 60) ? 1 : 0 }
            }
            return try await group.reduce(0, +)
        }
        #expect(fired == 1)
        try await bench.database.write { session in
            for _ in 0..<39 { try bench.jobs.enqueue("work", payload: "{}", by: "test", session) }
        }
        let claimed = try await withThrowingTaskGroup(of: [JobID].self) { group in
            for (number, queue) in queues.enumerated() {
                group.addTask {
                    var mine: [JobID] = []
                    while let job = try await queue.claim(owner: "w\(number)") { mine.append(job.id) }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 40 && Set(claimed).count == 40)
    }

    @Test("a database that is not there is made in the order that is needed; one of another order is refused")
    func prepare() async throws {
        let server = try #require(TestDatabases.server)
        let name = "p_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        let settings = server.database(named: name)
        defer { TestDatabases.drop(settings) }
        // Twice at once, as two processes that start together do it.
        async let one: Void = PostgresServer.prepare(settings)
        async let other: Void = PostgresServer.prepare(settings)
        _ = try await (one, other)
        try await PostgresServer.prepare(settings)
        let wrong = server.database(named: name + "_latin")
        defer { TestDatabases.drop(wrong) }
        try await PostgresServer.run(
            SQL(trusted: "CREATE DATABASE \(name)_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"), server)
        let error = await #expect(throws: CRMError.self) { try await PostgresServer.prepare(wrong) }
        #expect(error?.code == "database_order" && error?.message.en.contains("ENCODING 'UTF8' LOCALE 'C'") == true)
    }
}
