import Kernel
import Testing

@testable import Storage

@Suite("Statements with optional parts")
struct SQLBuilderTests {
    @Test("placeholders are numbered on from the values that are already there")
    func numbering() {
        var builder = SQLBuilder("SELECT id FROM t WHERE region = $1 AND day < $2", [.text("north"), .int(5)])
        builder.append("AND name >= ? AND name < ?", .text("a"), .text("b"))
        builder.append("AND ok")
        builder.appendIn("AND status", [.text("x"), .text("y")])
        builder.append("ORDER BY id LIMIT ?", .int(9))
        #expect(
            builder.sql.text
                == "SELECT id FROM t WHERE region = $1 AND day < $2 AND name >= $3 AND name < $4 AND ok AND status IN ($5,$6) ORDER BY id LIMIT $7"
        )
        #expect(
            builder.arguments == [.text("north"), .int(5), .text("a"), .text("b"), .text("x"), .text("y"), .int(9)])
    }

    @Test("a value never becomes part of the text")
    func injection() {
        var builder = SQLBuilder("SELECT 1")
        builder.append("WHERE a = ?", .text("'; DROP TABLE t; -- ?"))
        #expect(builder.sql.text == "SELECT 1 WHERE a = $1")
    }

    @Test("built statements select what they say on the engine", arguments: TestEngine.allCases)
    func onEngine(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)")
        try await bench.database.write { session in
            _ = try session.executeMany(
                "INSERT INTO t (id, name) VALUES ($1, $2)", (1...1_200).map { [.int($0), .text("n\($0 % 10)")] })
        }
        func select(_ ids: [Int], start: SQL = "SELECT id FROM t WHERE name <> $1", head: SQL = "AND id") async throws
            -> [Int64]
        {
            try await bench.database.read { session in
                var builder = SQLBuilder(start, start.text.contains("$1") ? [.text("n0")] : [])
                builder.appendIn(head, ids.map { .int($0) })
                builder.append("ORDER BY id")
                return try session.query(builder) { $0.int(0) }
            }
        }
        #expect(try await select([3, 10, 7]) == [3, 7])
        #expect(try await select([]) == [])
        #expect(try await select([], start: "SELECT id FROM t", head: "WHERE id") == [])
        #expect(try await select([], start: "SELECT id FROM t WHERE id = 5", head: "OR id") == [5])
        #expect(try await select(Array(1...Limits.sqlListChunk)).count == 450)
    }

    @Test("a list is cut into pieces of at most the size, none lost and none twice")
    func chunks() {
        #expect([Int]().chunked(3).isEmpty)
        #expect((1...3).chunked(3) == [[1, 2, 3]])
        #expect((1...7).chunked(3) == [[1, 2, 3], [4, 5, 6], [7]])
        #expect((1...1_000).chunked(7).flatMap { $0 } == Array(1...1_000))
    }

    @Test("a column of numbers is written as the engine reads it, to the ends of their range")
    func numbers() {
        #expect(SQLValue.numbers([]) == .text("{}"))
        #expect(SQLValue.numbers([0]) == .text("{0}"))
        var values: [Int64] = [0, 9, 10, -1, -10, 99, 100, .max, .min, .max - 1, 385_344_000_000_000_000]
        var power: Int64 = 1
        for _ in 0..<18 {
            power *= 10
            values += [power, power - 1, -power, power + 1]
        }
        #expect(SQLValue.numbers(values) == .text("{" + values.map(\.description).joined(separator: ",") + "}"))
    }

    @Test("a statement inside of another goes on counting its placeholders, also past nine of them")
    func inside() {
        var inner = SQLBuilder("SELECT id FROM t WHERE a = $1", [.int(1)])
        for number in 2...12 { inner.append("AND b = ?", .int(number)) }
        var outer = SQLBuilder("SELECT 1 WHERE x = $1 AND id IN (", [.text("x")])
        outer.append(inner)
        outer.append(") LIMIT ?", .int(5))
        let marks = outer.sql.text.matches(of: /\$(\d+)/).compactMap { Int($0.1) }
        #expect(marks == Array(1...14), "\(outer.sql.text)")
        #expect(outer.arguments == [.text("x")] + (1...12).map { .int(Int64($0)) } + [.int(5)])
    }
}
