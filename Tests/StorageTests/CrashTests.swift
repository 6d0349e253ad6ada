import Foundation
import Kernel
import StorageSQLite
import TestSupport
import Testing

@testable import Storage

/// A process that is killed while it writes, for real.
@Suite("kill -9")
struct CrashTests {
    @Test("every write that was acknowledged before kill -9 is there afterwards, and none is there by half")
    func killed() async throws {
        let folder = try Bench.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = folder as String] in
            let database = try SQLiteDatabase(path: folder + "/test.sqlite", durability: .full)
            try await database.write { session in
                _ = try session.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, half INTEGER NOT NULL)")
            }
            Thread {
                Thread.sleep(forTimeInterval: 0.4)
                kill(getpid(), SIGKILL)
            }.start()
            await withTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let path = folder + "/acknowledged-\(writer)"
                        guard FileManager.default.createFile(atPath: path, contents: nil),
                            let log = FileHandle(forWritingAtPath: path)
                        else { return }
                        for round in 0..<1_000_000 {
                            let id = round * 8 + writer
                            do {
                                try await database.write { session in
                                    try session.execute("INSERT INTO t (id, half) VALUES ($1, 0)", [.int(id)])
                                    try session.execute("UPDATE t SET half = 1 WHERE id = $1", [.int(id)])
                                }
                                try log.write(contentsOf: Data("\(id)\n".utf8))
                            } catch { return }
                        }
                    }
                }
            }
        }
        let acknowledged = try (0..<8).flatMap { writer in
            try String(contentsOfFile: folder + "/acknowledged-\(writer)", encoding: .utf8)
                .split(separator: "\n").compactMap { Int64($0) }
        }
        #expect(acknowledged.count > 20, "too few writes for the test to mean something")
        let database = try SQLiteDatabase(path: folder + "/test.sqlite", durability: .full)
        let stored = try await database.read { Set(try $0.query("SELECT id FROM t WHERE half = 1") { $0.int(0) }) }
        #expect(Set(acknowledged).isSubset(of: stored))
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM t WHERE half <> 1") } == 0)
        #expect(try await database.read { try $0.first("PRAGMA integrity_check") { $0.text(0) } } == "ok")
        try await database.close()
    }
}
