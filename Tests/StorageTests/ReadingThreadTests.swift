import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StorageSQLite

/// What answers requests runs on threads of its own, on which a read is a call.
@Suite("Reading threads", .timeLimit(.minutes(2)))
struct ReadingThreadTests {
    private func bench() async throws -> Bench {
        let bench = try await Bench(.sqlite, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)")
        return bench
    }

    @Test("a read is a call on the caller's thread; elsewhere it is not run on the caller's")
    func sameThread() async throws {
        let bench = try await bench()
        try await withTaskExecutorPreference(WorkThreads.reading) {
            #expect(WorkThreads.areCurrent)
            let caller = pthread_self()
            let isSame = try await bench.database.read { _ in pthread_self() == caller }
            #expect(isSame)
        }
        #expect(!WorkThreads.areCurrent)
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 0)
    }

    @Test("what is done beside something gives way to it: its threads are nicer, and a read there is a call too")
    func beside() async throws {
        let bench = try await bench()
        @Sendable func niceness() -> Int32 { getpriority(__priority_which_t(0), 0) }
        func ofProcess() -> Int32 { getpriority(__priority_which_t(0), id_t(getpid())) }
        let own = ofProcess()
        let (there, isSame) = try await withTaskExecutorPreference(WorkThreads.ahead) {
            let caller = pthread_self()
            return (niceness(), try await bench.database.read { _ in pthread_self() == caller })
        }
        #expect(isSame)
        #expect(there == min(19, own + 15))
        #expect(ofProcess() == own, "of those threads alone")
        let works = await withCheckedContinuation { continuation in
            WorkThreads.beside.run { continuation.resume(returning: niceness()) }
        }
        #expect(works == min(19, own + 5), "what is waited for goes before what is not")
    }

    @Test("many more tasks than threads read and write, each sees what it wrote")
    func crowd() async throws {
        let bench = try await bench()
        try await withTaskExecutorPreference(WorkThreads.reading) {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for id in 1...200 {
                    group.addTask {
                        try await bench.database.write { _ = try $0.execute(SQLiteTests.insert, [.int(id)]) }
                        return try await bench.database.read {
                            try $0.exists("SELECT 1 FROM t WHERE id = $1", [.int(id)])
                        }
                    }
                }
                for try await isThere in group { #expect(isThere) }
            }
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 200)
    }

    @Test("a read whose task is cancelled ends, and the reader is good for the next one")
    func cancelled() async throws {
        let bench = try await bench()
        let begun = Mutex(false)
        let start = ContinuousClock.now
        let task = Task(executorPreference: WorkThreads.reading) {
            try await bench.database.read { session in
                begun.withLock { $0 = true }
                // Minutes of counting.
                return try session.count(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000000) SELECT COUNT(*) FROM n"
                )
            }
        }
        #expect(await eventually { begun.withLock { $0 } })
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(60))
        let early = Task(executorPreference: WorkThreads.reading) {
            while !Task.isCancelled { await Task.yield() }
            return try await bench.database.read { try $0.count("SELECT COUNT(*) FROM t") }
        }
        early.cancel()
        await #expect(throws: CancellationError.self) { try await early.value }
        // No reader was left in the state it had then.
        try await bench.database.write { _ = try $0.execute(SQLiteTests.insert, [.int(1)]) }
        try await withTaskExecutorPreference(WorkThreads.reading) {
            for _ in 0..<20 {
                let count = try await bench.count("SELECT COUNT(*) FROM t")
                #expect(count == 1)
            }
        }
    }

    @Test("a statement that is compiled anew while its rows are read, and one of a changed table, read what is there")
    func statements() async throws {
        let bench = try await bench()
        for id in 1...3 { try await bench.database.write { _ = try $0.execute(SQLiteTests.insert, [.int(id)]) } }
        let pairs = try await bench.database.read { session in
            var pairs: [Int64] = []
            try session.forEach("SELECT id FROM t ORDER BY id", []) { outer in
                try session.forEach("SELECT id FROM t ORDER BY id", []) { inner in
                    pairs.append(outer.int(0) * 10 + inner.int(0))
                    return true
                }
                return true
            }
            return pairs
        }
        #expect(pairs == [11, 12, 13, 21, 22, 23, 31, 32, 33])
        try await bench.create("ALTER TABLE t ADD COLUMN name TEXT NOT NULL DEFAULT 'x'")
        let row = try await bench.database.read { try $0.first("SELECT * FROM t ORDER BY id") { $0.value(1) } }
        #expect(row == .text("x"))
        try await bench.database.close()
        await #expect(throws: (any Error).self) { try await bench.count("SELECT COUNT(*) FROM t") }
    }

    @Test("closing waits for who reads, and refuses who comes later")
    func closing() async throws {
        let bench = try await bench()
        let begun = Mutex(false)
        let ended = Mutex(false)
        let task = Task(executorPreference: WorkThreads.reading) {
            try await bench.database.read { session in
                begun.withLock { $0 = true }
                Thread.sleep(forTimeInterval: 0.3)
                defer { ended.withLock { $0 = true } }
                return try session.count("SELECT COUNT(*) FROM t")
            }
        }
        #expect(await eventually { begun.withLock { $0 } })
        try await bench.database.close()
        #expect(ended.withLock { $0 })
        #expect(try await task.value == 0)
        try await withTaskExecutorPreference(WorkThreads.reading) {
            await #expect(throws: StorageError.self) { try await bench.count("SELECT COUNT(*) FROM t") }
        }
    }
}
