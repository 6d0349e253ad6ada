import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// Statements that are asked for together.
@Suite("Asking together", .timeLimit(.minutes(2)))
struct AskTests {
    static let insert: SQL = "INSERT INTO t (id, v) VALUES ($1, $2)"
    static let one: SQL = "SELECT v FROM t WHERE id = $1"
    static let all: SQL = "SELECT id, v FROM t ORDER BY id"

    private func bench(_ engine: TestEngine) async throws -> Bench {
        let bench = try await Bench(engine, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT)")
        try await bench.database.write { session in
            _ = try session.executeMany(Self.insert, (1...10).map { [.int($0), .int($0 * 10)] })
        }
        return bench
    }

    @Test(
        "answers are those of the same statements one by one, in whatever order they are read",
        arguments: TestEngine.allCases)
    func same(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let (asked, read) = try await bench.database.read { session in
            let three = try session.askingFirst(Self.one, [.int(3)]) { $0.int(0) }
            let none = try session.askingFirst(Self.one, [.int(99)]) { $0.int(0) }
            let rows = try session.asking(Self.all) { $0.int(0) * 1_000 + $0.int(1) }
            let again = try session.askingFirst(Self.one, [.int(4)]) { $0.int(0) }
            // An ordinary statement in between, and one inside the rows of another.
            let sum = try session.count("SELECT SUM(v) FROM t")
            let nested = try rows.value().map { try session.count(Self.one, [.int($0 / 1_000)]) }
            let values = [try again.value(), try none.value(), try three.value(), try three.value()]
            return (values, [sum] + nested)
        }
        #expect(asked == [40, nil, 30, 30])
        #expect(read == [550] + (1...10).map { $0 * 10 })
    }

    @Test(
        "a failed statement fails where it is read; a read that reads only others fails as a whole",
        arguments: TestEngine.allCases)
    func failing(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let error = await #expect(throws: StorageError.self) {
            try await bench.database.read { session in
                let good = try session.askingFirst(Self.one, [.int(3)]) { $0.int(0) }
                let bad = try session.askingFirst("SELECT missing FROM t") { $0.int(0) }
                #expect(try good.value() == 30)
                return try bad.value()
            }
        }
        #expect(error?.kind == .statement)
        // The connection lives on, and what could not be prepared is prepared when it can be.
        try await bench.create("ALTER TABLE t ADD COLUMN missing BIGINT")
        let value = try await bench.database.read {
            try $0.askingFirst("SELECT COUNT(missing) FROM t") { $0.int(0) }.value()
        }
        #expect(value == 0)
    }

    @Test("what is asked in a write sees it, also between savepoints", arguments: TestEngine.allCases)
    func writing(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let seen = try await bench.database.write { session in
            try session.execute(Self.insert, [.int(11), .int(110)])
            let eleven = try session.askingFirst(Self.one, [.int(11)]) { $0.int(0) }
            try? session.savepoint {
                try session.execute(Self.insert, [.int(12), .int(120)])
                _ = try session.asking(Self.all) { $0.int(0) }
                throw Deliberate()
            }
            let twelve = try session.askingFirst(Self.one, [.int(12)]) { $0.int(0) }
            return [try eleven.value(), try twelve.value()]
        }
        #expect(seen == [110, nil])
        #expect(try await bench.count("SELECT COUNT(*) FROM t") == 11)
    }

    @Test(
        "pieces that ask in steps share their round trips: as many as the longest has steps",
        arguments: TestEngine.allCases)
    func staged(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let database = bench.database as? PostgresDatabase
        // A question of its own each: what is asked twice of one snapshot is sent once.
        @Sendable func piece(_ steps: Int, _ place: Int, _ session: any SQLSession) throws -> Staged<Int> {
            let own = SQL(trusted: "\(Self.one.text) AND \(place) = \(place)")
            let asked = try session.askingFirst(own, [.int(steps)]) { $0.integer(0) }
            return .asked {
                let value = try asked.value() ?? 0
                return steps == 1 ? .done(value) : try piece(steps - 1, place, session).map { $0 + value }
            }
        }
        func sums() async throws -> [Int] {
            try await bench.database.read { session in
                let pieces = try [1, 4, 2, 3, 4, 1].enumerated().map { try piece($1, $0, session) }
                return try Staged.finish(pieces) { throw $1 }
            }
        }
        _ = try await sums()
        let before = (database?.roundTrips ?? 0, database?.statements ?? 0)
        #expect(try await sums() == [10, 100, 30, 60, 100, 10])
        if let database {
            // BEGIN goes with the first step; COMMIT is the last trip.
            #expect(database.roundTrips - before.0 == 4 + 1)
            #expect(database.statements - before.1 == 15)
        }
    }

    @Test("a piece that fails does not keep the others from going on", arguments: TestEngine.allCases)
    func stagedFailure(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let values = try await bench.database.read { session in
            let pieces: [Staged<Int?>] = [
                try session.askingFirst(Self.one, [.int(1)]) { $0.integer(0) }.staged, .asked { throw Deliberate(2) },
                try session.askingFirst(Self.one, [.int(2)]) { $0.integer(0) }.staged, .done(7),
            ]
            return try Staged.finish(pieces) { place, error in
                #expect(place == 1 && error is Deliberate)
                return nil
            }
        }
        #expect(values == [10, nil, 20, 7])
    }

    @Test(
        "more statements than a pipeline takes, and more than are kept prepared, are answered in full",
        arguments: TestEngine.allCases)
    func many(engine: TestEngine) async throws {
        let bench = try await bench(engine)
        let count = PostgresConnection.statementsMax + 3 * PostgresConnection.unreadMax
        let values = try await bench.database.read { session in
            let asked = try (0..<count).map { number in
                try session.askingFirst(SQL(trusted: "SELECT \(number) + CAST($1 AS BIGINT)"), [.int(1)]) {
                    $0.integer(0)
                }
            }
            return try asked.map { try $0.value() }
        }
        #expect(values == (1...count).map { $0 })
    }

    @Test(
        "a read of one statement is two round trips: its BEGIN goes with it", .enabled(if: TestDatabases.server != nil))
    func begin() async throws {
        let bench = try await bench(.postgres)
        let database = try #require(bench.database as? PostgresDatabase)
        _ = try await bench.count(Self.one, [.int(1)])
        let before = database.roundTrips
        #expect(try await bench.count(Self.one, [.int(1)]) == 10)
        #expect(database.roundTrips - before == 2)
    }
}
