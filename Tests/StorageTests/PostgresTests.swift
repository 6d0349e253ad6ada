import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// What is particular to the PostgreSQL driver: concurrent writers, lost connections, the pool, pipelines.
@Suite(
    "PostgreSQL: concurrency, lost connections, pool",
    .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct PostgresTests {
    static let insert: SQL = "INSERT INTO t (id, v) VALUES ($1, $2)"
    static let sum: SQL = "SELECT COALESCE(SUM(v), 0) FROM t"
    static let backend: SQL = "SELECT pg_backend_pid()"

    private func bench(_ change: (inout PostgresSettings) -> Void = { _ in }) async throws -> (Bench, PostgresDatabase)
    {
        let bench = try await Bench(.postgres, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT)")
        let made = try #require(bench.database as? PostgresDatabase)
        var settings = made.settings
        change(&settings)
        return (bench, PostgresDatabase(settings))
    }

    @Test("twenty writers that each read a sum and then write it all count: what met another is run again")
    func serialisable() async throws {
        let (bench, database) = try await bench()
        try await database.write { _ = try $0.execute(Self.insert, [.int(1), .int(0)]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    // The classic write skew: each reads everything and adds a row that depends on it.
                    try await database.write { session in
                        let before = try session.count(Self.sum)
                        try session.execute(Self.insert, [.int(100 + number), .int(before + 1)])
                    }
                }
            }
            try await group.waitForAll()
        }
        let values = try await bench.database.read { try $0.query("SELECT v FROM t ORDER BY v") { $0.int(0) } }
        // One after the other: every writer saw the sum of all before it, so that the values double.
        #expect(values == [0] + (0..<20).map { Int64(1) << $0 })
    }

    @Test("a connection that is cut in the middle of a transaction costs nothing: the body is run again on another")
    func cutMidway() async throws {
        let (bench, database) = try await bench()
        let runs = Tally()
        let killer = bench.database
        try await database.write { session in
            runs.add()
            try session.execute(Self.insert, [.int(Int64(runs.count)), .int(7)])
            guard runs.count == 1 else { return }
            let victim = try session.first(Self.backend) { $0.int(0) } ?? 0
            let done = DispatchSemaphore(value: 0)
            Task {
                try await killer.read {
                    _ = try $0.count("SELECT 1 FROM pg_terminate_backend(CAST($1 AS INTEGER))", [.int(victim)])
                }
                done.signal()
            }
            done.wait()
            try session.execute(Self.insert, [.int(1_000), .int(7)])
        }
        #expect(runs.count == 2)
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM t WHERE id = 2") == 1)
    }

    @Test("idle connections of a server that went away are replaced without anybody noticing")
    func idleCut() async throws {
        let (bench, database) = try await bench()
        let victim = try await database.read { try $0.first(Self.backend) { $0.int(0) } ?? 0 }
        _ = try await bench.database.read {
            try $0.count("SELECT 1 FROM pg_terminate_backend(CAST($1 AS INTEGER))", [.int(victim)])
        }
        try await database.write { _ = try $0.execute(Self.insert, [.int(5), .int(5)]) }
        #expect(try await database.read { try $0.count(Self.sum) } == 5)
    }

    @Test("a caller that gets no connection in time is told busy, and the next one is served")
    func exhausted() async throws {
        let (bench, database) = try await bench {
            $0.connectionsMax = 1
            $0.waitSeconds = 1
        }
        defer { withExtendedLifetime(bench) {} }
        let held = DispatchSemaphore(value: 0)
        let holding = Tally()
        async let holder: Void = database.read { _ in
            holding.add()
            held.wait()
        }
        #expect(await eventually { holding.count == 1 })
        let error = await #expect(throws: StorageError.self) { try await database.read { try $0.count(Self.sum) } }
        #expect(error?.kind == .busy)
        held.signal()
        try await holder
        #expect(try await database.read { try $0.count(Self.sum) } == 0)
    }

    @Test("a statement over its time is ended by the server and said to be busy; the connection lives on")
    func statementTimeout() async throws {
        let (bench, database) = try await bench { $0.statementMilliseconds = 200 }
        defer { withExtendedLifetime(bench) {} }
        let error = await #expect(throws: StorageError.self) {
            try await database.read { try $0.count("SELECT 1 FROM pg_sleep(20)") }
        }
        #expect(error?.kind == .busy)
        #expect(try await database.read { try $0.count(Self.sum) } == 0)
    }

    @Test("a server that falls silent is not waited for longer than the answer time")
    func silent() async throws {
        let (bench, database) = try await bench {
            $0.statementMilliseconds = 0
            $0.answerSeconds = 1
        }
        defer { withExtendedLifetime(bench) {} }
        let error = await #expect(throws: StorageError.self) {
            try await database.read { try $0.count("SELECT 1 FROM pg_sleep(8)") }
        }
        #expect(error?.kind == .connection)
        #expect(try await database.read { try $0.count(Self.sum) } == 0)
    }

    @Test(
        "a batch longer than the pipeline is deep is written whole; one bad row takes all back and the connection lives on"
    )
    func pipeline() async throws {
        let (bench, database) = try await bench()
        defer { withExtendedLifetime(bench) {} }
        let rows = (0..<2_000).map { [SQLValue.int($0), .int(1)] }
        #expect(try await database.write { try $0.executeMany(Self.insert, rows) } == 2_000)
        let error = await #expect(throws: StorageError.self) {
            try await database.write { session in
                // The 700th collides with a row that is there.
                let more = (0..<1_000).map { [SQLValue.int($0 == 700 ? 3 : 10_000 + $0), .int(1)] }
                _ = try session.executeMany(Self.insert, more)
            }
        }
        #expect(error?.kind == .uniqueViolation)
        #expect(try await database.read { try $0.count(Self.sum) } == 2_000)
    }

    @Test("a body that swallows the failure of a statement does not commit half of its work")
    func swallowed() async throws {
        let (bench, database) = try await bench()
        defer { withExtendedLifetime(bench) {} }
        await #expect(throws: StorageError.self) {
            try await database.write { session in
                try session.execute(Self.insert, [.int(1), .int(1)])
                _ = try? session.execute(Self.insert, [.int(1), .int(2)])
            }
        }
        #expect(try await database.read { try $0.count(Self.sum) } == 0)
    }

    @Test("more different statements than are kept prepared work on, the oldest being prepared anew")
    func manyStatements() async throws {
        let (bench, database) = try await bench { $0.connectionsMax = 1 }
        defer { withExtendedLifetime(bench) {} }
        for round in 0..<2 {
            for number in 0..<(PostgresConnection.statementsMax + 50) {
                let sql = SQL(trusted: "SELECT \(number) + CAST($1 AS BIGINT)")
                #expect(try await database.read { try $0.count(sql, [.int(round)]) } == number + round)
            }
        }
    }

    @Test("a replaced password or a wrong host is a connection error that names the server, not a crash")
    func unreachable() async throws {
        var settings = PostgresSettings(url: "postgres://nobody:secret@127.0.0.1:1/none")
        settings.connectSeconds = 2
        settings.waitSeconds = 1
        let database = PostgresDatabase(settings)
        let error = await #expect(throws: StorageError.self) { try await database.read { try $0.count(Self.sum) } }
        #expect(error?.kind == .connection)
        #expect(error?.detail.contains("127.0.0.1") == true && error?.detail.contains("secret") == false)
    }

    @Test(
        "addresses are taken apart and put together",
        arguments: [
            ("postgres://u:p@h:5432/db", "db", "postgres://u:p@h:5432/x"),
            ("postgresql://h1:1,h2:2/db?sslmode=require", "db", "postgresql://h1:1,h2:2/x?sslmode=require"),
            ("postgres://h", "", "postgres://h/x"),
        ])
    func addresses(url: String, name: String, renamed: String) {
        let settings = PostgresSettings(url: url)
        #expect(settings.databaseName == name)
        #expect(settings.database(named: "x").url == renamed)
        #expect((settings.targetSessionAttributes != nil) == url.contains(","))
    }
}
