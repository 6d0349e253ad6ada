import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// Putting new rows into several tables: COPY after COPY on PostgreSQL.
@Suite("Bulk inserts", .timeLimit(.minutes(3)))
struct BulkInsertTests {
    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create("CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)")
        try await bench.create("CREATE TABLE b (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)")
        return bench
    }

    private static func rows(_ ids: Range<Int>, name: String = "王\t") -> [[SQLValue]] {
        ids.map { [.int($0), .text(name + String($0))] }
    }

    private static func names(_ table: SQL, _ bench: Bench) async throws -> [String] {
        try await bench.database.read { try $0.query("SELECT name FROM \(table) ORDER BY id") { $0.text(0) } }
    }

    @Test(
        "the rows of every table arrive, of large ones, of empty ones and of one that comes twice",
        arguments: TestEngine.allCases)
    func tables(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            var batches = [
                BulkRows(into: "a", "id, name", Self.rows(0..<9_000)), BulkRows(into: "b", "id, name", []),
                BulkRows(into: "b", "id, name", Self.rows(0..<1)),
                BulkRows(into: "a", "name, id", [[.text("last"), .int(9_000)]]),
            ].makeIterator()
            try session.bulkInsert { batches.next() }
            // All are in, and the session goes on.
            #expect(try session.count("SELECT COUNT(*) FROM a") == 9_001)
        }
        #expect(try await Self.names("a", bench) == (0..<9_000).map { "王\t\($0)" } + ["last"])
        #expect(try await Self.names("b", bench) == ["王\t0"])
    }

    @Test(
        "a row that is there already fails as that, though the next table was being made; nothing stays",
        arguments: TestEngine.allCases)
    func collision(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let error = await #expect(throws: StorageError.self) {
            try await bench.database.write { session in
                var batches = [
                    BulkRows(into: "b", "id, name", Self.rows(0..<3)),
                    BulkRows(into: "a", "id, name", Self.rows(0..<3) + Self.rows(2..<3)),
                    BulkRows(into: "b", "id, name", Self.rows(3..<4_000)),
                ].makeIterator()
                try session.bulkInsert { batches.next() }
            }
        }
        #expect(error?.kind == .uniqueViolation)
        #expect(try await bench.count("SELECT (SELECT COUNT(*) FROM a) + (SELECT COUNT(*) FROM b)") == 0)
    }

    /// SQLite takes rows in groups of 64, or fewer of wide tables.
    @Test(
        "however many rows there are, each value is what it was: empty ones are not NULL, long ones whole",
        arguments: TestEngine.allCases, [1, 63, 64, 65, 200])
    func values(engine: TestEngine, count: Int) async throws {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create(
            "CREATE TABLE v (id BIGINT NOT NULL PRIMARY KEY, t TEXT, b BYTEA, d DOUBLE PRECISION, f BOOLEAN)")
        let rows: [[SQLValue]] = (0..<count).map { number in
            let text: SQLValue = [.null, .text(""), .text(String(repeating: "汉", count: number * 400)), .text("\\N'\t\n")][number % 4]
            let bytes: SQLValue = [.bytes([]), .null, .bytes([0, 255, 0]), .bytes(Array(repeating: 7, count: 9_000))][number % 4]
            return [.int(Int64(number)), text, bytes, number % 2 == 0 ? .null : .double(Double(number) / 3), .bool(number % 3 == 0)]
        }
        let read = try await bench.database.write { session in
            #expect(try session.bulkInsert(into: "v", "id, t, b, d, f", rows) == count)
            return try session.query("SELECT id, t, b, d, f FROM v ORDER BY id") { row -> [SQLValue] in
                [
                    .int(row.int(0)), row.optionalText(1).map { .text($0) } ?? .null, row.isNull(2) ? .null : .bytes(row.bytes(2)),
                    row.isNull(3) ? .null : .double(row.double(3)), .bool(row.bool(4)),
                ]
            }
        }
        #expect(read == rows)
    }

    @Test("rows of another width, and a text with NUL, are refused; nothing of the transaction stays", arguments: TestEngine.allCases)
    func odd(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let good = Self.rows(0..<64)
        for bad: [[SQLValue]] in [[[.int(64)], [.int(65), .text("x"), .null]], [[.int(64), .text("a\u{0}b")]]] {
            await #expect(throws: StorageError.self) {
                try await bench.database.write { _ = try $0.bulkInsert(into: "a", "id, name", good[..<32] + bad + good[32...]) }
            }
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM a") == 0)
    }

    @Test("undone to a savepoint, a collision leaves the transaction as it was", arguments: TestEngine.allCases)
    func savepoint(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            try session.bulkInsert(into: "a", "id, name", Self.rows(0..<2))
            #expect(throws: StorageError.self) {
                try session.savepoint {
                    try session.bulkInsert(into: "a", "id, name", Self.rows(5..<9))
                    // Among many, of which some stand before it.
                    try session.bulkInsert(into: "a", "id, name", Self.rows(100..<190) + Self.rows(1..<2) + Self.rows(190..<300))
                }
            }
            try session.bulkInsert(into: "b", "id, name", Self.rows(7..<8))
        }
        #expect(try await Self.names("a", bench) == ["王\t0", "王\t1"])
        #expect(try await Self.names("b", bench) == ["王\t7"])
    }

    @Test(
        "what cannot be made, and a text that cannot be kept, come through; the connection is good for the next",
        arguments: TestEngine.allCases)
    func broken(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        await #expect(throws: Deliberate.self) {
            try await bench.database.write { session in
                var number = 0
                try session.bulkInsert {
                    number += 1
                    if number == 3 { throw Deliberate() }
                    return BulkRows(into: "a", "id, name", Self.rows(number * 1_000..<number * 1_000 + 900))
                }
            }
        }
        #expect(try await bench.count("SELECT COUNT(*) FROM a") == 0)
        guard engine == .postgres else { return }
        // In the first piece of a table, and when many have been sent.
        for place in [0, 8_999] {
            var rows = Self.rows(0..<9_000)
            rows[place][1] = .text("a\0b")
            let error = await #expect(throws: StorageError.self) {
                try await bench.database.write { [rows] in try $0.bulkInsert(into: "a", "id, name", rows) }
            }
            #expect(error?.kind == .statement)
            #expect(try await bench.count("SELECT COUNT(*) FROM a") == 0)
        }
        // The session is busy while rows are asked for.
        await #expect(throws: StorageError.self) {
            try await bench.database.write { session in
                try session.bulkInsert {
                    _ = try session.count("SELECT COUNT(*) FROM a")
                    return nil
                }
            }
        }
        try await bench.database.write { _ = try $0.bulkInsert(into: "a", "id, name", Self.rows(0..<1)) }
        #expect(try await Self.names("a", bench) == ["王\t0"])
    }

    @Test(
        "it may follow questions that nobody has waited for yet",
        .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
    func asked() async throws {
        let bench = try await bench(.postgres)
        let seen = try await bench.database.write { session in
            let before = try session.askingFirst("SELECT COUNT(*) FROM a") { $0.integer(0) }
            try session.bulkInsert(into: "a", "id, name", Self.rows(0..<5))
            return [try before.value(), try session.count("SELECT COUNT(*) FROM a")]
        }
        #expect(seen == [0, 5])
    }
}

/// What one snapshot is asked, and how it is planned.
@Suite("Questions of one snapshot", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct SnapshotQuestionTests {
    static let count: SQL = "SELECT COUNT(*) FROM t WHERE id >= $1"

    private func bench() async throws -> (Bench, PostgresDatabase) {
        let bench = try await Bench(.postgres, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)")
        return (bench, try #require(bench.database as? PostgresDatabase))
    }

    @Test("in a read the same question is sent once, another one by itself")
    func once() async throws {
        let (bench, database) = try await bench()
        defer { withExtendedLifetime(bench) {} }
        try await bench.database.write { _ = try $0.bulkInsert(into: "t", "id", (0..<10).map { [.int($0)] }) }
        let before = database.statements
        let values = try await database.read { session in
            let asked = try [0, 5, 0, 0, 5].map { from in
                try session.askingFirst(Self.count, [.int(from)]) { $0.integer(0) }
            }
            let first = try asked.map { try $0.value() }
            // Also after the answer has been read.
            return first + [try session.askingFirst(Self.count, [.int(5)]) { $0.integer(0) }.value()]
        }
        #expect(values == [10, 5, 10, 10, 5, 5])
        #expect(database.statements - before == 2)
    }

    @Test("behind a savepoint that was undone it is asked again: it may not have been run because of the failure")
    func undone() async throws {
        let (bench, database) = try await bench()
        defer { withExtendedLifetime(bench) {} }
        let value = try await database.read { session in
            #expect(throws: StorageError.self) {
                try session.savepoint {
                    let broken = try session.asking("SELECT missing FROM t") { $0.int(0) }
                    let count = try session.askingFirst(Self.count, [.int(0)]) { $0.integer(0) }
                    _ = try count.value()
                    _ = try broken.value()
                }
            }
            return try session.askingFirst(Self.count, [.int(0)]) { $0.integer(0) }.value()
        }
        #expect(value == 0)
    }

    @Test("in a write it is asked again: what was written since is seen")
    func again() async throws {
        let (bench, database) = try await bench()
        // Its end drops the database.
        defer { withExtendedLifetime(bench) {} }
        let values = try await database.write { session in
            let empty = try session.askingFirst(Self.count, [.int(0)]) { $0.integer(0) }.value()
            try session.bulkInsert(into: "t", "id", [[.int(1)]])
            return [empty, try session.askingFirst(Self.count, [.int(0)]) { $0.integer(0) }.value()]
        }
        #expect(values == [0, 1])
    }

    @Test("a transaction that keeps its plans plans nothing for single values; the next one on the connection does")
    func plans() async throws {
        let (bench, database) = try await bench()
        // Its end drops the database.
        defer { withExtendedLifetime(bench) {} }
        func plans(keeping: Bool) async throws -> [Int] {
            try await database.read { session in
                if keeping { try session.keepPlans() }
                for from in 0..<3 { _ = try session.count(Self.count, [.int(from)]) }
                return try session.query(
                    "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT COUNT(*) FROM t%'"
                ) { [$0.integer(0), $0.integer(1)] }.first ?? []
            }
        }
        #expect(try await plans(keeping: true) == [3, 0])
        #expect(try await plans(keeping: false) == [3, 3])
    }
}
