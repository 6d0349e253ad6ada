import Dispatch
import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage

@Suite("Writes that share a commit, reads on snapshots")
struct WriterTests {
    static let insert: SQL = "INSERT INTO t (id) VALUES ($1)"
    static let countAll: SQL = "SELECT COUNT(*) FROM t"

    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)")
        return bench
    }

    @Test(
        "of 100 writers at once the failing ones undo their own work, their neighbours commit",
        arguments: TestEngine.allCases)
    func failingNeighbours(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let told = Tally()
        let outcomes = try await bench.writeTogether(
            (0..<100).map { number in
                { session in
                    session.afterCommit { told.add() }
                    try session.execute(Self.insert, [.int(number * 10)])
                    try session.execute(Self.insert, [.int(number * 10 + 1)])
                    if number % 3 == 0 { throw Deliberate(number) }
                    if number % 10 == 1 { try session.execute(Self.insert, [.int(number * 10)]) }
                }
            })
        var kept: Set<Int64> = []
        for (number, error) in outcomes.enumerated() {
            if number % 3 == 0 {
                #expect(error as? Deliberate == Deliberate(number))
            } else if number % 10 == 1 {
                #expect((error as? StorageError)?.kind == .uniqueViolation)
            } else {
                #expect(error == nil)
                kept.formUnion([Int64(number * 10), Int64(number * 10 + 1)])
            }
        }
        let stored = try await bench.database.read { try $0.query("SELECT id FROM t") { $0.int(0) } }
        #expect(Set(stored) == kept)
        let keepers = kept.count / 2
        #expect(await eventually { told.count == keepers })
    }

    @Test("a failure inside a savepoint that its writer handles costs nothing else", arguments: TestEngine.allCases)
    func handledFailure(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let outcomes = try await bench.writeTogether(
            (0..<20).map { number in
                { session in
                    try session.execute(Self.insert, [.int(number)])
                    try? session.savepoint {
                        try session.execute(Self.insert, [.int(1_000 + number)])
                        throw Deliberate()
                    }
                }
            })
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(try await bench.count("SELECT COUNT(*) FROM t WHERE id < 1000") == 20)
        #expect(try await bench.count("SELECT COUNT(*) FROM t WHERE id >= 1000") == 0)
    }

    @Test("writes give back their values to the right callers", arguments: TestEngine.allCases)
    func values(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let answers = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 0..<200 {
                group.addTask {
                    let answer = try await bench.database.write { session in
                        try session.execute(Self.insert, [.int(number)])
                        return number * 2
                    }
                    return (number, answer)
                }
            }
            return try await group.reduce(into: [(Int, Int)]()) { $0.append($1) }
        }
        #expect(answers.count == 200 && answers.allSatisfy { $0.1 == $0.0 * 2 })
        #expect(try await bench.count(Self.countAll) == 200)
    }

    @Test("an acknowledged write is seen by the next read", arguments: TestEngine.allCases)
    func readYourWrites(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        for number in 1...50 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(number)]) }
            #expect(try await bench.count(Self.countAll) == number)
        }
    }

    @Test("actions wait for the commit and are forgotten with what was undone", arguments: TestEngine.allCases)
    func afterCommit(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let told = Mutex<[String]>([])
        try await bench.database.write { session in
            session.afterCommit { told.withLock { $0.append("first") } }
            try? session.savepoint {
                session.afterCommit { told.withLock { $0.append("undone") } }
                throw Deliberate()
            }
            try session.savepoint { session.afterCommit { told.withLock { $0.append("second") } } }
            #expect(told.withLock { $0.isEmpty })
        }
        #expect(await eventually { told.withLock { $0 } == ["first", "second"] })
        await #expect(throws: Deliberate.self) {
            try await bench.database.write { session in
                session.afterCommit { told.withLock { $0.append("rolled back") } }
                throw Deliberate()
            }
        }
        try await bench.database.write { session in session.afterCommit { told.withLock { $0.append("last") } } }
        #expect(await eventually { told.withLock { $0.last } == "last" })
        #expect(told.withLock { $0 } == ["first", "second", "last"])
    }

    @Test("a read keeps the state it began with while others commit", arguments: TestEngine.allCases)
    func snapshot(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { _ = try $0.execute(Self.insert, [.int(1)]) }
        let begun = DispatchSemaphore(value: 0), written = DispatchSemaphore(value: 0)
        async let counts = bench.database.read { session in
            let before = try session.count(Self.countAll)
            begun.signal()
            guard written.wait(timeout: .now() + 20) == .success else { return [before, -1] }
            return [before, try session.count(Self.countAll)]
        }
        let ready = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: begun.wait(timeout: .now() + 20) == .success)
            }
        }
        #expect(ready)
        try await bench.database.write { _ = try $0.execute(Self.insert, [.int(2)]) }
        written.signal()
        #expect(try await counts == [1, 1])
        #expect(try await bench.count(Self.countAll) == 2)
    }

    @Test("a read cannot write", arguments: TestEngine.allCases)
    func readOnly(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let error = await #expect(throws: StorageError.self) {
            try await bench.database.read { _ = try $0.execute(Self.insert, [.int(1)]) }
        }
        // A defect to be told at once, not an outage to be waited out.
        #expect(error?.kind != .connection)
        #expect(try await bench.count(Self.countAll) == 0)
    }

    @Test("a closed database says so instead of hanging", arguments: TestEngine.allCases)
    func closed(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { _ = try $0.execute(Self.insert, [.int(1)]) }
        try await bench.database.close()
        await #expect(throws: StorageError.self) { try await bench.count(Self.countAll) }
        await #expect(throws: StorageError.self) {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(2)]) }
        }
    }
}
