import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// Reading very many rows: COPY on PostgreSQL, the cursor on SQLite.
@Suite("Bulk reads", .timeLimit(.minutes(3)))
struct BulkReadTests {
    static let insert: SQL = "INSERT INTO t (id, name, x, ok, raw) VALUES ($1, $2, $3, $4, $5)"
    static let all: SQL = "SELECT id, name, x, ok, raw, id * 2 FROM t WHERE id >= $1 AND id <= $2 ORDER BY id"

    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create(
            """
            CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, name TEXT, x DOUBLE PRECISION, ok BOOLEAN, raw BYTEA)
            """)
        return bench
    }

    private func values(_ row: Row) -> [SQLValue] {
        row.isNull(3)
            ? (0..<6).map { row.value($0) }
            : [row.value(0), row.value(1), row.value(2), .bool(row.bool(3)), row.value(4), row.value(5)]
    }

    @Test(
        "every value comes as an ordinary query gives it: NULL, empty, quotes, tabs, line ends, backslashes, bytes",
        arguments: TestEngine.allCases)
    func same(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let texts: [SQLValue] = [
            .null, .text(""), .text("\\N"), .text("a\tb\nc\rd\\e"), .text("it's \"quoted\""), .text("李雷 🙂"),
            .text("\u{08}\u{0C}\u{0B}\u{01}"), .text("\\."), .text(String(repeating: "x\t", count: 5_000)),
        ]
        let rows = texts.enumerated().map { offset, text -> [SQLValue] in
            [
                .int(offset - 3), text, offset == 2 ? .null : .double(Double(offset) / 3),
                offset == 1 ? .null : .bool(offset % 2 == 0),
                offset == 4 ? .null : .bytes([UInt8](0..<UInt8(offset * 20))),
            ]
        }
        try await bench.database.write { _ = try $0.executeMany(Self.insert, rows) }
        let range: [SQLValue] = [.int(-3), .int(100)]
        let (ordinary, bulk) = try await bench.database.read { session in
            var bulk: [[SQLValue]] = []
            try session.bulkRead(Self.all, range) { bulk.append(values($0)) }
            return (try session.query(Self.all, range, values), bulk)
        }
        #expect(ordinary.count == texts.count)
        #expect(bulk == ordinary)
        // Inside a write too, with what was written in it.
        let count = try await bench.database.write { session in
            try session.execute(Self.insert, [.int(500), .text("new"), .null, .null, .null])
            var count = 0
            try session.bulkRead("SELECT id FROM t", []) { _ in count += 1 }
            return count
        }
        #expect(count == texts.count + 1)
    }

    @Test("arguments are values, whatever they hold; repeated and reversed places too", arguments: TestEngine.allCases)
    func arguments(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let nasty = ["'; DROP TABLE t; --", "\\' OR 1=1", "$1", "a''b", "\\", "'"]
        for (offset, text) in nasty.enumerated() {
            try await bench.database.write {
                _ = try $0.execute(Self.insert, [.int(offset), .text(text), .null, .bool(true), .null])
            }
        }
        let select: SQL = "SELECT id, '$1 is ''quoted''' FROM t WHERE name = $2 AND id >= $1 AND name = $2 AND ok = $3"
        for (offset, text) in nasty.enumerated() {
            let found = try await bench.database.read { session in
                var found: [String] = []
                try session.bulkRead(select, [.int(-5), .text(text), .bool(true)]) {
                    found.append("\($0.int(0)) \($0.text(1))")
                }
                return found
            }
            #expect(found == ["\(offset) $1 is 'quoted'"])
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == nasty.count)
        let error = await #expect(throws: StorageError.self) {
            try await bench.database.read { try $0.bulkRead("SELECT id FROM t WHERE id = $2", [.int(1)]) { _ in } }
        }
        #expect(error?.kind == .statement)
    }

    @Test(
        "what the body throws ends the read, the session may not be used inside, and the connection lives on",
        arguments: TestEngine.allCases)
    func thrown(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            _ = try session.executeMany(Self.insert, (0..<5_000).map { [.int($0), .text("n"), .null, .null, .null] })
        }
        // Nobody waits for the rest: it would be 25 million rows.
        let many: SQL = "SELECT a.id FROM t a, t b"
        await #expect(throws: Deliberate.self) {
            try await bench.database.read { session in
                var seen = 0
                try session.bulkRead(many, []) { _ in
                    seen += 1
                    if seen == 10 { throw Deliberate() }
                }
            }
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 5_000)
        let error = await #expect(throws: StorageError.self) {
            try await bench.database.read { session in
                try session.bulkRead(many, []) { _ in _ = try session.count("SELECT 1") }
            }
        }
        #expect(error?.kind == .statement)
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 5_000)
        let wrong = await #expect(throws: StorageError.self) {
            try await bench.database.read { try $0.bulkRead("SELECT missing FROM t", []) { _ in } }
        }
        #expect(wrong?.kind == .statement)
    }

    @Test("a bulk read ends when the task of its reader is cancelled", arguments: TestEngine.allCases)
    func cancelled(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            _ = try session.executeMany(Self.insert, (0..<5_000).map { [.int($0), .text("n"), .null, .null, .null] })
        }
        let rows = Tally()
        let task = Task {
            try await bench.database.read { try $0.bulkRead("SELECT a.id FROM t a, t b", []) { _ in rows.add() } }
        }
        #expect(await eventually { rows.count > 1_000 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(rows.count < 25_000_000)
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 5_000)
    }

    @Test(
        "100 MB of rows pass through the memory of a few, and outlast the time a statement has",
        .enabled(if: TestDatabases.server != nil))
    func memory() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        var settings = try #require(bench.database as? PostgresDatabase).settings
        settings.statementMilliseconds = 150
        let database = PostgresDatabase(settings)
        let before = Self.residentMB()
        let (bytes, peak) = try await database.read { session in
            var (bytes, peak, rows) = (0, 0, 0)
            try session.bulkRead("SELECT repeat('x', 1000) FROM generate_series(1, $1)", [.int(100_000)]) { row in
                bytes += row.text(0).utf8.count
                rows += 1
                if rows % 10_000 == 0 { peak = max(peak, Self.residentMB()) }
            }
            return (bytes, peak)
        }
        print("bulk read of \(bytes) bytes: \(before) MB before, at most \(peak) MB meanwhile")
        #expect(bytes == 100_000_000)
        #expect(peak - before < 60)
        // The limit holds again for what follows in the same transaction.
        let error = await #expect(throws: StorageError.self) {
            try await database.read { session in
                try session.bulkRead("SELECT 1", []) { _ in }
                return try session.count("SELECT 1 FROM pg_sleep(20)")
            }
        }
        #expect(error?.kind == .busy)
    }

    /// Resident memory of this process.
    private static func residentMB() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096 / 1_048_576
    }
}
