import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage

@Suite(
    "Copying a database to the other engine",
    .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct CopyTests {
    static let directions: [(TestEngine, TestEngine)] = [
        (.sqlite, .postgres), (.postgres, .sqlite), (.postgres, .postgres),
    ]

    private func filled(_ engine: TestEngine, rows: Int = 4_500) async throws -> Bench {
        let bench = try await Bench(engine)
        try await Self.tables(bench)
        let content = (0..<rows).map(Self.row)
        try await bench.database.write { session in
            try session.bulkInsert(into: "storage_copytest", "a, b, num, ok, data, txt", content)
            _ = try bench.jobs.enqueue("x", payload: "{}", by: "test", session)
        }
        return bench
    }

    private static let texts = ["\t\\N\n", "王伟", "", "a'b\"c\\", "\r"]

    private static func row(_ number: Int) -> [SQLValue] {
        let num: SQLValue = number % 7 == 0 ? .null : .double(Double(number) / 3)
        let ok: SQLValue = number % 3 == 0 ? .null : .bool(number % 2 == 0)
        let data: SQLValue = .bytes([0, 255, UInt8(number % 256)])
        return [.int(number / 10), .text("k\(number % 10)/%\(number)"), num, ok, data, .text(texts[number % 5])]
    }

    @Test("whatever a column can hold comes back from COPY as it went in")
    func extremes() async throws {
        let bench = try await Bench(.postgres)
        try await Self.tables(bench)
        let numbers: [Int64] = [.min, -1, 0, 9, 10, .max]
        let texts = ["", "\\", "a\\tb", "tab\there", "line\nend\r\n", "\u{1}\u{b}\u{c}", "王\t伟", "\\.", "\\N"]
        let rows = numbers.flatMap { number in
            texts.map { text -> [SQLValue] in [.int(number), .text(text), .double(-0.1), .bool(true), .null, .text(text)] }
        }
        try await bench.database.write { session in
            _ = try session.bulkInsert(into: "storage_copytest", "a, b, num, ok, data, txt", rows)
        }
        let found = try await bench.database.read { session in
            try session.query("SELECT a, b, num, ok, data, txt FROM storage_copytest") { row in
                (0..<6).map { row.value($0) }
            }
        }
        #expect(Set(found) == Set(rows))
        await #expect(throws: StorageError.self) {
            try await bench.database.write { session in
                _ = try session.bulkInsert(into: "storage_copytest", "a, b", [[.int(1), .text("a\0b")]])
            }
        }
    }

    private static func tables(_ bench: Bench) async throws {
        try await bench.create(
            """
            CREATE TABLE storage_copytest (
              a BIGINT NOT NULL, b TEXT NOT NULL, num DOUBLE PRECISION, ok BOOLEAN, data BYTEA, txt TEXT,
              PRIMARY KEY (a, b))
            """)
    }

    private func rows(_ bench: Bench) async throws -> [[SQLValue]] {
        try await bench.database.read { session in
            let table = try #require(try StoredSchema.tables(session).first { $0.name == "storage_copytest" })
            return try table.page(after: nil, limit: 100_000, session)
        }
    }

    @Test("every row and every kind of value arrives, counted and summed", arguments: directions)
    func whole(from: TestEngine, to: TestEngine) async throws {
        let source = try await filled(from)
        let target = try await Bench(to)
        try await Self.tables(target)
        let result = try await DatabaseCopy(from: source.database, to: target.database).run { _, _, _ in }
        #expect(result.first { $0.name == "storage_copytest" }?.rows == 4_500)
        #expect(result.first { $0.name == "storage_job" }?.rows == 1)
        #expect(try await rows(target) == rows(source))
        #expect(try await target.count("SELECT COUNT(*) FROM storage_copy") == 0)
    }

    @Test("a copy that was interrupted goes on where it was; a target with rows of others is refused")
    func resumed() async throws {
        let source = try await filled(.sqlite)
        let target = try await Bench(.postgres)
        try await Self.tables(target)
        let pages = Tally()
        let interrupted = Task {
            try await DatabaseCopy(from: source.database, to: FailingDatabase(target.database, after: 4)).run {
                _, _, _ in
                pages.add()
            }
        }
        await #expect(throws: Deliberate.self) { try await interrupted.value }
        #expect(pages.count >= 1)
        // Nobody works with half an installation.
        let half = await #expect(throws: CRMError.self) { try await DatabaseCopy.refuseUnfinished(target.database) }
        #expect(half?.code == "copy_unfinished")
        let result = try await DatabaseCopy(from: source.database, to: target.database).run { _, _, _ in }
        #expect(result.first { $0.name == "storage_copytest" }?.rows == 4_500)
        #expect(try await rows(target) == rows(source))
        try await DatabaseCopy.refuseUnfinished(target.database)
        let again = await #expect(throws: CRMError.self) {
            try await DatabaseCopy(from: source.database, to: target.database).run { _, _, _ in }
        }
        #expect(again?.code == "copy_not_empty")
        // A refused copy marks nothing.
        try await DatabaseCopy.refuseUnfinished(target.database)
    }

    @Test("databases of different versions are not copied")
    func versions() async throws {
        let source = try await filled(.sqlite, rows: 10)
        let target = try await Bench(.postgres, migrated: false)
        try await target.database.write { _ = try $0.execute(Migrator.createTable) }
        let error = await #expect(throws: CRMError.self) {
            try await DatabaseCopy(from: source.database, to: target.database).run { _, _, _ in }
        }
        #expect(error?.code == "copy_versions")
    }

    @Test("a key of several texts and numbers survives being one text")
    func keys() {
        for values: [SQLValue] in [[.int(-5), .text("a/b%2F%")], [.text("")], [.text("%"), .text("/"), .int(9)]] {
            let types = values.map { if case .int = $0 { StoredSchema.Kind.int } else { StoredSchema.Kind.text } }
            #expect(KeyText.values(KeyText.text(values), types) == values)
        }
    }
}

/// A database whose nth write fails.
private final class FailingDatabase: Database {
    private let database: any Database
    private let writes = Tally()
    private let after: Int
    init(_ database: any Database, after: Int) {
        self.database = database
        self.after = after
    }
    var dialect: Dialect { database.dialect }
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await database.read(body)
    }
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        writes.add()
        if writes.count > after { throw Deliberate(1) }
        return try await database.write(body)
    }
    func close() async throws {}
}
