import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StorageSQLite

/// Two databases over one file are as two processes: each has its own descriptor of the turn.
@Suite("Writers of several processes take turns on a SQLite file")
struct WriterTurnTests {
    static let insert: SQL = "INSERT INTO t (number) VALUES ($1)"

    private func bench() async throws -> (Bench, SQLiteDatabase) {
        let bench = try await Bench(.sqlite, migrated: false)
        try await bench.create("CREATE TABLE t (number BIGINT NOT NULL)")
        return (bench, try SQLiteDatabase(path: bench.path))
    }

    @Test("one transaction right behind another lets who waits in between")
    func between() async throws {
        let (bench, other) = try await bench()
        let isOver = Mutex(false)
        let begun = Mutex(0)
        let busy = Task {
            while !isOver.withLock({ $0 }) {
                try await bench.database.write { session in
                    begun.withLock { $0 += 1 }
                    _ = try session.execute(Self.insert, [.int(0)])
                    // A transaction that takes its time.
                    WriterTurn.pause(microseconds: 20_000)
                }
            }
        }
        while begun.withLock({ $0 }) < 3 { await Task.yield() }
        var passed: [Int] = []
        for number in 1...20 {
            let before = begun.withLock { $0 }
            try await other.write { _ = try $0.execute(Self.insert, [.int(Int64(number))]) }
            passed.append(begun.withLock { $0 } - before)
        }
        isOver.withLock { $0 = true }
        try await busy.value
        // By chance, as it was, it is ten and more. One may begin before the turn was taken, and one behind the commit.
        #expect(passed.sorted()[10] <= 2, "transactions that went before: \(passed)")
        #expect(passed.reduce(0, +) <= 60, "transactions that went before: \(passed)")
        try await other.close()
    }

    @Test("a turn that is never given back holds nobody up for good")
    func kept() async throws {
        let (bench, other) = try await bench()
        try await other.close()
        let keeper = open(bench.path + "-turn", O_RDWR)
        #expect(keeper >= 0 && flock(keeper, LOCK_EX | LOCK_NB) == 0)
        for number in 1...50 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(Int64(number))]) }
        }
        close(keeper)
        let count = try await bench.database.read { try $0.count("SELECT COUNT(*) FROM t") }
        #expect(count == 50)
    }

    @Test("the turn is given back when a transaction cannot begin, and is held while the write lock is waited for")
    func given() throws {
        let path = NSTemporaryDirectory() + "turn-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path + "-turn") }
        let turn = WriterTurn(besides: path, patience: .zero)
        let asker = open(path + "-turn", O_RDWR)
        defer { close(asker) }
        struct Refused: Error {}
        #expect(throws: Refused.self) {
            try turn.taking {
                #expect(flock(asker, LOCK_EX | LOCK_NB) != 0)
                throw Refused()
            }
        }
        #expect(flock(asker, LOCK_EX | LOCK_NB) == 0)
        // Without it, it goes on.
        var isDone = false
        #expect(!turn.taking { isDone = true } && isDone)
    }

    @Test("where no file can be made, writers go on without a turn")
    func nowhere() {
        var isDone = false
        #expect(WriterTurn(besides: "/nowhere/at/all", patience: .zero).taking { isDone = true } && isDone)
    }

    @Test("who writes alone is told so, and is told when somebody waited for his transaction")
    func told() async throws {
        let (bench, other) = try await bench()
        for number in 1...20 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(Int64(number))]) }
        }
        #expect(!bench.database.hadToWait())
        let inside = Inside(bench.database)
        await inside.begun()
        async let short: Void = bench.database.write { _ = try $0.execute(Self.insert, [.int(101)]) }
        while !bench.database.hadToWait() { await Task.yield() }
        try await inside.end()
        try await short
        #expect(!bench.database.hadToWait())
        try await other.close()
    }

    @Test("who waits in another process is noticed by the next transaction")
    func toldElsewhere() async throws {
        let (bench, other) = try await bench()
        let turn = open(bench.path + "-turn", O_RDWR)
        defer { close(turn) }
        // The other may be in and out again before the next transaction is asked for: not often.
        var isNoticed = false
        for _ in 1...50 where !isNoticed {
            let inside = Inside(bench.database)
            await inside.begun()
            async let short: Void = other.write { _ = try $0.execute(Self.insert, [.int(101)]) }
            while flock(turn, LOCK_EX | LOCK_NB) == 0 {
                flock(turn, LOCK_UN)
                await Task.yield()
            }
            try await inside.end()
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(102)]) }
            try await short
            isNoticed = bench.database.hadToWait()
        }
        #expect(isNoticed)
        try await other.close()
    }
}

/// A transaction that is open until it is told to end.
private final class Inside: Sendable {
    private let hasBegun = DispatchSemaphore(value: 0)
    private let mayEnd = DispatchSemaphore(value: 0)
    private let task: Task<Void, any Error>

    init(_ database: any Storage.Database) {
        task = Task { [hasBegun, mayEnd] in
            try await database.write { session in
                hasBegun.signal()
                mayEnd.wait()
                _ = try session.execute(WriterTurnTests.insert, [.int(100)])
            }
        }
    }

    func begun() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [hasBegun] in
                hasBegun.wait()
                continuation.resume()
            }
        }
    }

    func end() async throws {
        mayEnd.signal()
        try await task.value
    }
}
