import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StorageSQLite

/// What is particular to the SQLite driver: its write-ahead log and its files.
@Suite("SQLite: commits, durability, files")
struct SQLiteTests {
    static let insert: SQL = "INSERT INTO t (id) VALUES ($1)"

    private func bench(_ durability: SQLiteDatabase.Durability = .normal) async throws -> Bench {
        let bench = try await Bench(.sqlite, migrated: false, durability: durability)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)")
        return bench
    }

    /// Commits in the write-ahead log: frames whose header tells the size of the database after the commit
    /// (sqlite.org/fileformat2.html, 4.1).
    private func commits(_ bench: Bench) throws -> Int {
        let log = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bench.path + "-wal")))
        guard log.count >= 32 else { return 0 }
        let pageSize = log[8..<12].reduce(0) { $0 << 8 | Int($1) }
        var count = 0
        var at = 32
        while at + 24 + pageSize <= log.count {
            // Frames of an older round of the log carry another salt.
            if log[at + 8..<at + 16] == log[16..<24], log[at + 4..<at + 8].contains(where: { $0 != 0 }) { count += 1 }
            at += 24 + pageSize
        }
        return count
    }

    @Test("100 writers that wait together are one commit, 100 in a row are 100")
    func grouping() async throws {
        let bench = try await bench()
        let atFirst = try commits(bench)
        let outcomes = try await bench.writeTogether(
            (0..<100).map { number in { _ = try $0.execute(Self.insert, [.int(number)]) } })
        #expect(outcomes.allSatisfy { $0 == nil })
        let together = try commits(bench) - atFirst
        #expect((1...5).contains(together), "\(together) commits")
        for number in 100..<200 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(number)]) }
        }
        #expect(try commits(bench) - atFirst - together == 100)
    }

    @Test("when the common commit fails, nobody is told that his write was kept")
    func failingCommit() async throws {
        let bench = try await bench()
        try await bench.create("CREATE TABLE c (t BIGINT REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)")
        let told = Tally()
        let outcomes = try await bench.writeTogether(
            (0..<20).map { number in
                { session in
                    session.afterCommit { told.add() }
                    try session.execute(Self.insert, [.int(number)])
                    // The violation is found by COMMIT only.
                    if number == 7 { try session.execute("INSERT INTO c (t) VALUES (4711)") }
                }
            })
        #expect(outcomes.allSatisfy { $0 != nil })
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 0)
        #expect(try await bench.count("SELECT COUNT(*) FROM c") == 0)
        // The writer is alive afterwards.
        try await bench.database.write { _ = try $0.execute(Self.insert, [.int(999)]) }
        #expect(told.count == 0)
    }

    @Test("connections are set up as the design says", arguments: [SQLiteDatabase.Durability.full, .normal, .load])
    func pragmas(durability: SQLiteDatabase.Durability) async throws {
        let bench = try await bench(durability)
        let wanted = durability == .full ? 2 : 1
        let written = try await bench.database.write { session in
            [
                try session.count("PRAGMA synchronous"), try session.count("PRAGMA foreign_keys"),
                try session.count("PRAGMA trusted_schema"),
            ]
        }
        #expect(written == [wanted, 1, 0])
        let mode = try await bench.database.read { try $0.first("PRAGMA journal_mode") { $0.text(0) } }
        #expect(mode == "wal")
    }

    @Test("what was acknowledged is there after the process is gone without a checkpoint")
    func abruptEnd() async throws {
        let bench = try await bench(.full)
        for number in 0..<50 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(number)]) }
        }
        // The files as a killed process leaves them: the log is not written back, the shared memory is lost.
        let copy = try Bench.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: bench.path + suffix, toPath: copy + "/test.sqlite" + suffix)
        }
        let main = try #require(
            try FileManager.default.attributesOfItem(atPath: copy + "/test.sqlite-wal")[.size] as? NSNumber)
        #expect(main.intValue > 50 * 4_096, "the log must hold the writes for this test to mean something")
        let reopened = try SQLiteDatabase(path: copy + "/test.sqlite", durability: .full)
        #expect(try await reopened.read { try $0.count("SELECT COUNT(*) FROM t") } == 50)
        #expect(try await reopened.read { try $0.first("PRAGMA integrity_check") { $0.text(0) } } == "ok")
        try await reopened.close()
    }

    @Test("a log that was cut in the middle of a write keeps every commit before it", arguments: [1, 24, 2_000, 5_000])
    func tornLog(cut: Int) async throws {
        let bench = try await bench(.full)
        for number in 0..<20 {
            try await bench.database.write { _ = try $0.execute(Self.insert, [.int(number)]) }
        }
        let copy = try Bench.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try FileManager.default.copyItem(atPath: bench.path, toPath: copy + "/test.sqlite")
        let log = try Data(contentsOf: URL(fileURLWithPath: bench.path + "-wal"))
        try log.dropLast(cut).write(to: URL(fileURLWithPath: copy + "/test.sqlite-wal"))
        let reopened = try SQLiteDatabase(path: copy + "/test.sqlite", durability: .full)
        let ids = try await reopened.read { try $0.query("SELECT id FROM t ORDER BY id") { $0.int(0) } }
        #expect(ids == Array(0..<Int64(ids.count)))
        #expect((17...19).contains(ids.count), "\(ids.count) of 20 after \(cut) lost bytes")
        #expect(try await reopened.read { try $0.first("PRAGMA integrity_check") { $0.text(0) } } == "ok")
        try await reopened.close()
    }

    @Test("close writes the log back into the file")
    func checkpointAtClose() async throws {
        let bench = try await bench(.full)
        try await bench.database.write { _ = try $0.execute(Self.insert, [.int(1)]) }
        try await bench.database.close()
        let log = try? FileManager.default.attributesOfItem(atPath: bench.path + "-wal")[.size] as? NSNumber
        #expect((log ?? 0).intValue == 0)
        let reopened = try SQLiteDatabase(path: bench.path)
        #expect(try await reopened.read { try $0.count("SELECT COUNT(*) FROM t") } == 1)
        try await reopened.close()
    }

    @Test("what is no database is refused, not overwritten")
    func notADatabase() throws {
        let folder = try Bench.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/x.sqlite"
        let text = String(repeating: "this is a letter, not a database. ", count: 100)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: StorageError.self) { try SQLiteDatabase(path: path) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        #expect(throws: StorageError.self) { try SQLiteDatabase(path: folder + "/missing/x.sqlite") }
    }

    @Test("$n becomes ?n outside of quotes only")
    func numbered() {
        for (text, expected) in [
            ("SELECT $1, $12", "SELECT ?1, ?12"), ("'$1' \"$2\" $3", "'$1' \"$2\" ?3"),
            ("'it''s $1' $2", "'it''s $1' ?2"),
            ("$", "$"), ("$a $1", "$a ?1"), ("'open $1", "'open $1"), ("名 = $1", "名 = ?1"),
        ] {
            #expect(StatementTexts.numbered(text) == expected)
        }
    }

    @Test("a column of another type is read as SQLite converts it, never as a crash")
    func otherTypes() async throws {
        let bench = try await bench()
        try await bench.database.read { session in
            let row = try session.first("SELECT 'abc', 1.75, '12', NULL, 7, 1e300") { row in
                [row.int(0), row.int(1), row.int(2), row.int(3)]
                    + [
                        row.text(4) == "7" ? 1 : 0, row.double(4) == 7 ? 1 : 0, row.bool(4) ? 1 : 0,
                        row.int(5) == .max ? 1 : 0,
                    ]
            }
            #expect(row == [0, 1, 12, 0, 1, 1, 1, 1])
        }
    }
}
