import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// A read whose caller has gone ends; a write never does.
@Suite("Cancellation", .timeLimit(.minutes(3)))
struct CancelTests {
    /// Minutes of work on either engine.
    static let endless: SQL = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT COUNT(*) FROM n
        """

    @Test(
        "a long statement ends when the task of its reader is cancelled, and others are served",
        arguments: TestEngine.allCases)
    func ends(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let begun = Tally()
        let task = Task {
            try await bench.database.read { session in
                begun.add()
                return try session.count(Self.endless)
            }
        }
        #expect(await eventually { begun.count == 1 })
        // Also when it comes while the statement is on its way: again and again until it ends.
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        for _ in 0..<20 { #expect(try await bench.count("SELECT 1") == 1) }
    }

    @Test("who was cancelled before is not read for", arguments: TestEngine.allCases)
    func early(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let runs = Tally()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await bench.database.read { session in
                runs.add()
                return try session.count(Self.endless)
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await bench.count("SELECT 1") == 1)
    }

    private func single(_ bench: Bench, _ change: (inout PostgresSettings) -> Void = { _ in }) throws
        -> PostgresDatabase
    {
        var settings = try #require(bench.database as? PostgresDatabase).settings
        settings.connectionsMax = 1
        change(&settings)
        return PostgresDatabase(settings)
    }

    @Test(
        "the connection of a cancelled read is good for the next one: a hundred are cancelled at random moments",
        .enabled(if: TestDatabases.server != nil))
    func reused() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        let database = try single(bench)
        let seed = UInt64.random(in: 0..<1_000_000)
        print("moments of cancellation, seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let backend = try await database.read { try $0.count(PostgresTests.backend) }
        var cancelled = 0
        for _ in 0..<100 {
            let task = Task {
                try await database.read { session in
                    // Many short ones, so that some requests come between two statements.
                    for _ in 0..<200 { _ = try session.count("SELECT 1") }
                    return try session.count("SELECT 1 FROM pg_sleep(0.02)")
                }
            }
            try await Task.sleep(for: .microseconds(Int.random(in: 0...30_000, using: &random)))
            task.cancel()
            do { #expect(try await task.value == 1) } catch is CancellationError { cancelled += 1 }
            // Never the next reader's statement.
            #expect(try await database.read { try $0.count("SELECT 1 FROM pg_sleep(0.001)") } == 1)
        }
        #expect(cancelled > 0)
        let after = try await database.read { try $0.count(PostgresTests.backend) }
        print("\(cancelled) of 100 cancelled; same connection afterwards: \(backend == after)")
        #expect(backend == after)
    }

    @Test("a write whose caller has gone is done all the same", .enabled(if: TestDatabases.server != nil))
    func writes() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT)")
        let begun = Tally()
        let task = Task {
            try await bench.database.write { session in
                begun.add()
                _ = try session.count("SELECT 1 FROM pg_sleep(0.5)")
                _ = try session.execute(PostgresTests.insert, [.int(1), .int(1)])
            }
        }
        #expect(await eventually { begun.count == 1 })
        task.cancel()
        try await task.value
        #expect(try await bench.count(PostgresTests.sum) == 1)
    }

    @Test("who waits for a connection and goes is not waited for", .enabled(if: TestDatabases.server != nil))
    func waiting() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        let database = try single(bench) { $0.waitSeconds = 60 }
        let held = DispatchSemaphore(value: 0)
        let holding = Tally()
        async let holder: Void = database.read { _ in
            holding.add()
            held.wait()
        }
        #expect(await eventually { holding.count == 1 })
        let task = Task { try await database.read { try $0.count("SELECT 1") } }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        held.signal()
        try await holder
        #expect(try await database.read { try $0.count("SELECT 1") } == 1)
    }
}
