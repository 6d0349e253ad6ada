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
                    usleep(20_000)
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
        #expect(turn.taking { 7 } == 7)
    }

    @Test("where no file can be made, writers go on without a turn")
    func nowhere() {
        #expect(WriterTurn(besides: "/nowhere/at/all", patience: .zero).taking { 7 } == 7)
    }
}
