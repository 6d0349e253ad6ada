import Kernel
import Testing

@testable import Storage

@Suite("A session: values, placeholders, savepoints, errors")
struct SessionTests {
    static let table: StaticString = """
        CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, name TEXT, amount BIGINT, ratio DOUBLE PRECISION, ok BOOLEAN,
          data BYTEA)
        """
    static let insert: SQL = "INSERT INTO t (id, name, amount, ratio, ok, data) VALUES ($1, $2, $3, $4, $5, $6)"
    static let insertID: SQL = "INSERT INTO t (id) VALUES ($1)"
    static let countAll: SQL = "SELECT COUNT(*) FROM t"

    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create(Self.table)
        return bench
    }

    @Test("placeholders mean their number, not their place", arguments: TestEngine.allCases)
    func placeholders(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.read { session in
            let reversed = try session.first(
                "SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($1 AS TEXT)", [.text("one"), .text("two")]
            ) { [$0.text(0), $0.text(1), $0.text(2)] }
            #expect(reversed == ["two", "one", "one"])
            let many = try session.first(
                """
                SELECT CAST($11 AS BIGINT), CAST($1 AS BIGINT), CAST($10 AS BIGINT),
                  CAST($2 AS BIGINT) + CAST($3 AS BIGINT) + CAST($4 AS BIGINT) + CAST($5 AS BIGINT) + CAST($6 AS BIGINT)
                  + CAST($7 AS BIGINT) + CAST($8 AS BIGINT) + CAST($9 AS BIGINT)
                """, (1...11).map { SQLValue.int($0) }
            ) { [$0.int(0), $0.int(1), $0.int(2), $0.int(3)] }
            #expect(many == [11, 1, 10, 44])
            let quoted = try session.first(#"SELECT '$1 it''s $2' AS "$3", CAST($1 AS TEXT)"#, [.text("x")]) {
                [$0.text(0), $0.reader.columnName(0), $0.text(1)]
            }
            #expect(quoted == ["$1 it's $2", "$3", "x"])
        }
        try await bench.database.write { session in
            try session.execute("INSERT INTO t (id, name, amount) VALUES ($3, $1, $2)", [.text("n"), .int(5), .int(9)])
            try session.execute("UPDATE t SET amount = $2 WHERE id = $1 AND amount < $2", [.int(9), .int(6)])
        }
        #expect(try await bench.count("SELECT amount FROM t WHERE name = $1", [.text("n")]) == 6)
    }

    @Test("too few or too many arguments are an error, not a silent NULL", arguments: TestEngine.allCases)
    func argumentCount(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        for arguments in [[], [.int(1), .int(2)]] as [[SQLValue]] {
            await #expect(throws: StorageError.self) {
                try await bench.database.write { _ = try $0.execute(Self.insertID, arguments) }
            }
            await #expect(throws: StorageError.self) {
                try await bench.database.write { _ = try $0.executeMany(Self.insertID, [[.int(7)], arguments]) }
            }
            await #expect(throws: StorageError.self) {
                try await bench.database.read { try $0.count("SELECT id FROM t WHERE id = $1", arguments) }
            }
        }
        #expect(try await bench.count(Self.countAll) == 0)
    }

    @Test("a boolean is a boolean in conditions, results and CASE", arguments: TestEngine.allCases)
    func booleans(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            for (id, ok) in [(1, true), (2, false), (3, nil)] as [(Int, Bool?)] {
                try session.execute("INSERT INTO t (id, ok) VALUES ($1, $2)", [.int(id), .bool(ok)])
            }
        }
        func ids(_ sql: SQL, _ arguments: [SQLValue] = []) async throws -> [Int64] {
            try await bench.database.read { try $0.query(sql, arguments) { $0.int(0) } }
        }
        #expect(try await ids("SELECT id FROM t WHERE ok") == [1])
        #expect(try await ids("SELECT id FROM t WHERE NOT ok") == [2])
        #expect(try await ids("SELECT id FROM t WHERE ok = $1", [.bool(false)]) == [2])
        let read = try await bench.database.read { try $0.query("SELECT ok FROM t ORDER BY id") { $0.optionalBool(0) } }
        #expect(read == [true, false, nil])
        let computed = try await bench.database.read { try $0.query("SELECT id > 1 FROM t ORDER BY id") { $0.bool(0) } }
        #expect(computed == [false, true, true])
    }

    @Test("NULL comes back as nil and never as a value", arguments: TestEngine.allCases)
    func nulls(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            _ = try session.execute(Self.insert, [.int(1), .null, .null, .null, .null, .null])
        }
        try await bench.database.read { session in
            let shown = try session.first("SELECT name, amount, ratio, ok, data, id FROM t") { row in
                #expect((0..<5).allSatisfy { row.isNull($0) } && !row.isNull(5))
                #expect(row.value(0) == .null && row.value(5) == .int(1))
                return row.optionalText(0) == nil && row.optionalInt(1) == nil && row.optionalDouble(2) == nil
                    && row.optionalBool(3) == nil && row.optionalID(1, PartyKind.self) == nil
                    && row.optionalTime(1) == nil && row.optionalDate(0) == nil
            }
            #expect(shown == true)
            #expect(
                try session.count("SELECT COUNT(*) FROM t WHERE name IS NOT DISTINCT FROM CAST($1 AS TEXT)", [.null])
                    == 1)
        }
        #expect(SQLValue.text(nil as String?) == .null)
        #expect(SQLValue.id(nil as PartyID?) == .null)
        #expect(SQLValue.time(nil) == .null && SQLValue.date(nil) == .null)
    }

    @Test("texts keep every byte: no normalising, no cutting", arguments: TestEngine.allCases)
    func texts(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let texts = [
            "", " ", "王小明", "🙂👨‍👩‍👧", "e\u{301}", "é", "\u{10FFFF}", "\u{FEFF}x", "a\r\nb\tc", "'; DROP TABLE t; --",
            "$1 ?1 :a @b",
            "مرحبا", String(repeating: "好", count: 100_000),
        ]
        try await bench.database.write { session in
            _ = try session.executeMany(
                "INSERT INTO t (id, name) VALUES ($1, $2)", texts.enumerated().map { [.int($0), .text($1)] })
        }
        let back = try await bench.database.read { session in
            try session.query("SELECT name FROM t ORDER BY id") { $0.text(0) }
        }
        #expect(back.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
        let composed = try await bench.count("SELECT COUNT(*) FROM t WHERE name = $1", [.text("é")])
        #expect(composed == 1)
    }

    @Test("a text with NUL, which PostgreSQL cannot hold, is refused and not cut short", arguments: TestEngine.allCases)
    func nul(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        await #expect(throws: StorageError.self) {
            try await bench.database.write { session in
                try session.execute("INSERT INTO t (id, name) VALUES ($1, $2)", [.int(1), .text("ab\u{0}cd")])
            }
        }
        #expect(try await bench.count(Self.countAll) == 0)
    }

    @Test("bytes of any value and length come back as they went in", arguments: TestEngine.allCases)
    func bytes(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let blobs: [[UInt8]] = [[], [0], Array(0...255), [UInt8](repeating: 0xAB, count: 1_000_000)]
        try await bench.database.write { session in
            _ = try session.executeMany(
                "INSERT INTO t (id, data) VALUES ($1, $2)", blobs.enumerated().map { [.int($0), .bytes($1)] })
        }
        let back = try await bench.database.read { session in
            try session.query("SELECT data, id FROM t ORDER BY id") { row in
                #expect(!row.isNull(0))
                return row.bytes(0)
            }
        }
        #expect(back == blobs)
    }

    @Test("numbers keep their whole range", arguments: TestEngine.allCases)
    func numbers(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let ints: [Int64] = [0, -1, .max, .min, 1 << 53 + 1]
        let doubles = [0.1, -0.0, 1e308, Double.leastNonzeroMagnitude, -.infinity, 123_456_789.123_456_78]
        try await bench.database.write { session in
            try session.executeMany(
                "INSERT INTO t (id, amount) VALUES ($1, $2)", ints.enumerated().map { [.int($0), .int($1)] })
            try session.executeMany(
                "INSERT INTO t (id, ratio) VALUES ($1, $2)", doubles.enumerated().map { [.int($0 + 100), .double($1)] })
        }
        try await bench.database.read { session in
            #expect(try session.query("SELECT amount FROM t WHERE id < 100 ORDER BY id") { $0.int(0) } == ints)
            let back = try session.query("SELECT ratio FROM t WHERE id >= 100 ORDER BY id") { $0.double(0) }
            #expect(back == doubles)
        }
    }

    @Test("ids, instants and dates go through the session unchanged", arguments: TestEngine.allCases)
    func domainValues(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let id = PartyID(9_007_199_254_740_993)
        let date = LocalDate(year: 2024, month: 2, day: 29)
        try await bench.database.write { session in
            _ = try session.execute(
                "INSERT INTO t (id, amount, name) VALUES ($1, $2, $3)",
                [.id(id), .time(bench.clock.now()), .date(date)])
        }
        try await bench.database.read { session in
            let row = try session.first("SELECT id, amount, name FROM t") { row in
                (row.id(0, PartyKind.self), row.time(1), row.optionalDate(2))
            }
            #expect(row?.0 == id && row?.1 == bench.clock.now() && row?.2 == date)
        }
    }

    @Test("a failing savepoint undoes its own work only, at any depth", arguments: TestEngine.allCases)
    func savepoints(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            func add(_ id: Int) throws { try session.execute(Self.insertID, [.int(id)]) }
            try add(1)
            try session.savepoint {
                try add(2)
                #expect(throws: Deliberate(3)) {
                    try session.savepoint {
                        try add(3)
                        try session.savepoint { try add(4) }
                        throw Deliberate(3)
                    }
                }
                try session.savepoint { try add(5) }
            }
            #expect(throws: Deliberate(6)) {
                try session.savepoint {
                    try session.savepoint { try add(6) }
                    throw Deliberate(6)
                }
            }
            let answer = try session.savepoint { 42 }
            #expect(answer == 42)
            #expect(throws: StorageError.self) { try session.savepoint { try add(1) } }
            try add(7)
        }
        let ids = try await bench.database.read { try $0.query("SELECT id FROM t ORDER BY id") { $0.int(0) } }
        #expect(ids == [1, 2, 5, 7])
    }

    @Test("each kind of failure has its name, and no value is in its words", arguments: TestEngine.allCases)
    func errorKinds(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.create(
            "CREATE TABLE u (a TEXT NOT NULL, b TEXT NOT NULL CHECK (b <> 'bad'), PRIMARY KEY (a, b))")
        try await bench.create("CREATE UNIQUE INDEX t_name ON t (name)")
        try await bench.database.write { session in
            try session.execute("INSERT INTO t (id, name) VALUES (1, 'secret-value')")
            try session.execute("INSERT INTO u (a, b) VALUES ('secret-value', 'y')")
        }
        func kind(_ sql: SQL, _ arguments: [SQLValue] = []) async throws -> StorageError.Kind? {
            do {
                try await bench.database.write { _ = try $0.execute(sql, arguments) }
                return nil
            } catch let error as StorageError {
                #expect(!"\(error)".contains("secret-value"), "\(error)")
                return error.kind
            }
        }
        #expect(try await kind("INSERT INTO t (id) VALUES (1)") == .uniqueViolation)
        #expect(try await kind("INSERT INTO t (id, name) VALUES (2, $1)", [.text("secret-value")]) == .uniqueViolation)
        #expect(try await kind("INSERT INTO u (a, b) VALUES ($1, 'y')", [.text("secret-value")]) == .uniqueViolation)
        #expect(
            try await kind("INSERT INTO u (a, b) VALUES ($1, NULL)", [.text("secret-value")]) == .constraintViolation)
        #expect(
            try await kind("INSERT INTO u (a, b) VALUES ($1, 'bad')", [.text("secret-value")]) == .constraintViolation)
        #expect(try await kind("SELEC 1") == .statement)
        #expect(try await kind("INSERT INTO no_such_table (id) VALUES (1)") == .statement)
        #expect(try await kind("INSERT INTO t (id) VALUES (3)") == nil)
    }

    @Test("many rows are one batch: counted, in order, all or nothing", arguments: TestEngine.allCases)
    func executeMany(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let counts = try await bench.database.write { session in
            [
                try session.executeMany(Self.insertID, []),
                try session.executeMany(Self.insertID, (1...5_000).map { [.int($0)] }),
                try session.executeMany(
                    "UPDATE t SET amount = $2 WHERE id <= $1", [[.int(10), .int(1)], [.int(3), .int(2)]]),
                try session.executeMany("DELETE FROM t WHERE id = $1", [[.int(99)], [.int(99_999)]]),
            ]
        }
        #expect(counts == [0, 5_000, 13, 1])
        #expect(try await bench.count("SELECT amount FROM t WHERE id = 2") == 2)
        await #expect(throws: StorageError.self) {
            try await bench.database.write { session in
                try session.executeMany(Self.insertID, [[.int(6_001)], [.int(1)], [.int(6_002)]])
            }
        }
        #expect(try await bench.count(Self.countAll) == 4_999)
    }

    @Test("a statement tells how many rows it changed, none included", arguments: TestEngine.allCases)
    func changedRows(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            #expect(try session.execute("INSERT INTO t (id, amount) VALUES (1, 1), (2, 1), (3, 2)") == 3)
            #expect(try session.execute("UPDATE t SET amount = 5 WHERE amount = $1", [.int(1)]) == 2)
            #expect(try session.execute("UPDATE t SET amount = 6 WHERE id = 77") == 0)
            #expect(try session.execute("INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING") == 0)
            #expect(try session.execute("UPDATE t SET amount = 7 WHERE id = 3 RETURNING id") == 1)
            let id = try session.first("UPDATE t SET amount = 8 WHERE amount = $1 RETURNING id", [.int(5)]) {
                $0.int(0)
            }
            #expect(id != nil)
            // RETURNING changes every row even when only the first is read.
            #expect(try session.count("SELECT COUNT(*) FROM t WHERE amount = 8") == 2)
        }
    }

    @Test("rows can be stopped early, an error of the reader comes out as it is", arguments: TestEngine.allCases)
    func forEach(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            _ = try session.executeMany(Self.insertID, (1...10).map { [.int($0)] })
        }
        try await bench.database.read { session in
            var seen: [Int64] = []
            try session.forEach("SELECT id FROM t ORDER BY id", []) { row in
                seen.append(row.int(0))
                return row.int(0) < 3
            }
            #expect(seen == [1, 2, 3])
            #expect(throws: Deliberate(4)) {
                try session.forEach("SELECT id FROM t ORDER BY id", []) { row in
                    if row.int(0) == 4 { throw Deliberate(4) }
                    return true
                }
            }
            #expect(try session.query("SELECT id FROM t ORDER BY id") { $0.int(0) } == Array(1...10))
            #expect(try session.first("SELECT id FROM t WHERE id > 99") { $0.int(0) } == nil)
            #expect(try session.count("SELECT id FROM t WHERE id > 99") == 0)
            #expect(try session.exists("SELECT 1 FROM t WHERE id = $1", [.int(5)]))
            #expect(try !session.exists("SELECT 1 FROM t WHERE id = $1", [.int(55)]))
        }
    }

    @Test("a query may run inside the rows of another one, even the very same", arguments: TestEngine.allCases)
    func nestedQueries(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        try await bench.database.write { session in
            try session.executeMany(Self.insertID, (1...4).map { [.int($0)] })
            let pairs = try session.query("SELECT id FROM t WHERE id >= $1 ORDER BY id", [.int(1)]) { row in
                let outer = row.int(0)
                let inner = try session.query("SELECT id FROM t WHERE id >= $1 ORDER BY id", [.int(outer)]) {
                    $0.int(0)
                }
                return [outer] + inner
            }
            #expect(pairs == [[1, 1, 2, 3, 4], [2, 2, 3, 4], [3, 3, 4], [4, 4]])
        }
    }

    @Test("the values of a query stand while other statements run inside its rows", arguments: TestEngine.allCases)
    func valuesStand(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let (outer, inner) = (String(repeating: "outer", count: 40), String(repeating: "inner!", count: 2_000))
        let read = try await bench.database.write { session -> [String] in
            try session.executeMany(Self.insertID, (1...3).map { [.int($0)] })
            return try session.query("SELECT id, CAST($1 AS TEXT) FROM t WHERE id < 4 AND $1 > ''", [.text(outer)]) {
                row in
                try session.execute(
                    "UPDATE t SET name = $2, data = $3 WHERE id = $1",
                    [
                        .id(row.id(0, PartyKind.self)), .text(inner), .bytes([1, 2, 3]),
                    ])
                _ = try session.first("SELECT name FROM t WHERE name = $1", [.text(inner)]) { $0.text(0) }
                return row.text(1)
            }
        }
        #expect(read == [outer, outer, outer])
        #expect(try await bench.count("SELECT COUNT(*) FROM t WHERE name = $1", [.text(inner)]) == 3)
    }
}
