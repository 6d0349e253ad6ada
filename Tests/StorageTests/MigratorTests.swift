import Foundation
import Kernel
import StorageSQLite
import TestSupport
import Testing

@testable import Storage

@Suite("Migrations")
struct MigratorTests {
    /// A share folder that a test fills.
    private final class Share: Sendable {
        let root: String
        init(_ files: [String: String]) throws {
            root = try Bench.temporaryFolder()
            for (name, text) in files { try put(name, text) }
        }
        deinit { try? FileManager.default.removeItem(atPath: root) }
        /// `name` is `Module/0001_name.sql`.
        func put(_ name: String, _ text: String) throws {
            let parts = name.split(separator: "/")
            let folder = "\(root)/\(parts[0])/Migrations"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text.write(toFile: "\(folder)/\(parts[1])", atomically: true, encoding: .utf8)
        }
        func migrator(_ modules: [String], _ clock: any WallClock) -> Migrator {
            Migrator(share: ShareFolder(root: root), modules: modules, clock: clock)
        }
    }

    private func names(_ migrations: [Migrator.Migration]) -> [String] {
        migrations.map { "\($0.module)/\($0.number) \($0.name)" }
    }

    @Test("files run once, module by module, in the order of their numbers", arguments: TestEngine.allCases)
    func order(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let share = try Share([
            "B/0001_first.sql": "CREATE TABLE b_one (id BIGINT NOT NULL PRIMARY KEY);\n",
            "A/0010_later.sql": "ALTER TABLE a_one ADD COLUMN note TEXT;\n",
            "A/0002_early.sql": "CREATE TABLE a_one (id BIGINT NOT NULL PRIMARY KEY);\n",
        ])
        let migrator = share.migrator(["A", "B"], bench.clock)
        let first = try await migrator.migrate(bench.database)
        #expect(names(first) == ["A/2 early", "A/10 later", "B/1 first"])
        #expect(try await migrator.pending(bench.database) == 0)
        #expect(try await migrator.migrate(bench.database).isEmpty)
        try share.put("B/0002_more.sql", "CREATE TABLE b_two (id BIGINT NOT NULL PRIMARY KEY);\n")
        #expect(try await migrator.pending(bench.database) == 1)
        #expect(names(try await migrator.migrate(bench.database)) == ["B/2 more"])
        let recorded = try await bench.database.read { session in
            try session.query("SELECT module, number, name, applied_at FROM schema_migration ORDER BY module, number") {
                "\($0.text(0))/\($0.int(1)) \($0.text(2)) \($0.time(3) == bench.clock.now())"
            }
        }
        #expect(recorded == ["A/2 early true", "A/10 later true", "B/1 first true", "B/2 more true"])
    }

    @Test("processes that start together on a fresh folder all come up, and each file runs once")
    func together() async throws {
        for _ in 0..<5 {
            let folder = try Bench.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        // A handle of its own, opened on a thread of its own, as another process would.
                        let database: SQLiteDatabase = try await withCheckedThrowingContinuation { continuation in
                            Thread {
                                continuation.resume(
                                    with: Result {
                                        try SQLiteDatabase(path: folder + "/test.sqlite", durability: .normal)
                                    })
                            }.start()
                        }
                        let done = try await Migrator(
                            share: Checkout.share, modules: ["Storage", "Platform", "Ingest"], clock: FrozenClock()
                        ).migrate(database)
                        try await database.close()
                        return done.count
                    }
                }
                return try await group.reduce(0, +)
            }
            let all = try Migrator(
                share: Checkout.share, modules: ["Storage", "Platform", "Ingest"], clock: FrozenClock()
            ).migrations(for: .sqlite)
            #expect(applied == all.count)
        }
    }

    @Test("a file that was changed after it ran stops everything", arguments: TestEngine.allCases)
    func changed(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let share = try Share(["A/0001_a.sql": "CREATE TABLE a_one (id BIGINT NOT NULL PRIMARY KEY);\n"])
        let migrator = share.migrator(["A"], bench.clock)
        try await migrator.migrate(bench.database)
        try share.put("A/0001_a.sql", "CREATE TABLE a_one (id BIGINT NOT NULL PRIMARY KEY, more TEXT);\n")
        try share.put("A/0002_b.sql", "CREATE TABLE a_two (id BIGINT NOT NULL PRIMARY KEY);\n")
        let error = await #expect(throws: CRMError.self) { try await migrator.migrate(bench.database) }
        #expect(error?.code == "migration_changed")
        #expect(error?.message.en.contains("A/1") == true)
        #expect(try await bench.count("SELECT COUNT(*) FROM schema_migration") == 1)
    }

    @Test("a file that fails leaves nothing behind, and what ran before it stays", arguments: TestEngine.allCases)
    func failing(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let share = try Share([
            "A/0001_good.sql": "CREATE TABLE a_one (id BIGINT NOT NULL PRIMARY KEY);\n",
            "A/0002_bad.sql": """
            CREATE TABLE a_two (id BIGINT NOT NULL PRIMARY KEY);
            CREATE INDEX a_two_x ON a_two (no_such_column);

            """,
        ])
        let migrator = share.migrator(["A"], bench.clock)
        await #expect(throws: StorageError.self) { try await migrator.migrate(bench.database) }
        #expect(try await migrator.pending(bench.database) == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM a_one") == 0)
        await #expect(throws: StorageError.self) { try await bench.count("SELECT COUNT(*) FROM a_two") }
        try share.put("A/0002_bad.sql", "CREATE TABLE a_two (id BIGINT NOT NULL PRIMARY KEY);\n")
        #expect(names(try await migrator.migrate(bench.database)) == ["A/2 bad"])
    }

    @Test("two processes that migrate at once leave one good schema", arguments: TestEngine.allCases)
    func concurrent(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let share = try Share(["A/0001_a.sql": "CREATE TABLE a_one (id BIGINT NOT NULL PRIMARY KEY);\n"])
        let migrator = share.migrator(["A"], bench.clock)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { _ = try? await migrator.migrate(bench.database) } }
        }
        #expect(try await migrator.pending(bench.database) == 0)
        #expect(try await bench.count("SELECT COUNT(*) FROM schema_migration") == 1)
    }

    @Test(
        "a file without a number of its own, or for an engine nobody knows, is an error and not passed over",
        arguments: [
            ["A/first.sql": ""], ["A/1_first.sql": ""], ["A/0001first.sql": ""],
            ["A/0001_a.sql": "", "A/0001_b.sql": ""],
            ["A/0001_a.sql": "", "A/0001_a.sqlite.sql": ""], ["A/0001_a.sqllite.sql": ""], ["A/0001_a.b.c.sql": ""],
            ["A/-001_a.sql": ""],
        ] as [[String: String]])
    func names(files: [String: String]) throws {
        let share = try Share(files)
        let error = #expect(throws: CRMError.self) { try share.migrator(["A"], FrozenClock()).migrations(for: .sqlite) }
        #expect(error?.code == "migration_name")
    }

    @Test("of a pair, each engine takes its own file")
    func pairs() throws {
        let share = try Share(["A/0001_a.sqlite.sql": "one", "A/0001_a.postgres.sql": "two", "A/0002_b.sql": "both"])
        let migrator = share.migrator(["A"], FrozenClock())
        #expect(try migrator.migrations(for: .sqlite).map(\.text) == ["one", "both"])
        #expect(try migrator.migrations(for: .postgres).map(\.text) == ["two", "both"])
    }

    @Test("statements end at a semicolon before a line end; comments go; semicolons inside stay")
    func statements() {
        let text = """
            -- A comment; with a semicolon;
            CREATE TABLE a (x TEXT DEFAULT 'a;b');

              -- indented
            CREATE INDEX i
              ON a (x);
            ;
            SELECT 1
            """
        #expect(
            Migrator.statements(text) == [
                "CREATE TABLE a (x TEXT DEFAULT 'a;b')", "CREATE INDEX i\n  ON a (x)", "SELECT 1",
            ])
        #expect(Migrator.statements("-- nothing\n\n").isEmpty)
    }

    @Test("SQLite gets rowid keys, clustered composite keys and BLOB; PostgreSQL the text as it is")
    func adapted() {
        let single = "CREATE TABLE a (id BIGINT NOT NULL PRIMARY KEY, data BYTEA)"
        let composite = "CREATE TABLE b (\n  x BIGINT NOT NULL,\n  y TEXT NOT NULL,\n  PRIMARY KEY (x, y)\n)"
        #expect(Migrator.adapted(single, to: .sqlite) == "CREATE TABLE a (id INTEGER PRIMARY KEY, data BLOB)")
        #expect(Migrator.adapted(composite, to: .sqlite) == composite + " WITHOUT ROWID")
        #expect(Migrator.adapted(composite + " WITHOUT ROWID", to: .sqlite) == composite + " WITHOUT ROWID")
        for text in [single, composite] { #expect(Migrator.adapted(text, to: .postgres) == text) }
        #expect(Migrator.adapted("CREATE INDEX i ON b (x)", to: .sqlite) == "CREATE INDEX i ON b (x)")
    }

    @Test(
        "the checksum is FNV-1a 64",
        arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
    func checksum(text: String, expected: String) {
        #expect(Migrator.checksum(text) == expected)
    }

    @Test("the product's own migrations run on an empty database", arguments: TestEngine.allCases)
    func product(engine: TestEngine) async throws {
        let bench = try await Bench(engine, migrated: false)
        let modules = ["Storage", "Platform"] + Checkout.share.targets().filter { $0 != "Storage" && $0 != "Platform" }
        let done = try await Migrator(share: Checkout.share, modules: modules, clock: bench.clock).migrate(
            bench.database)
        #expect(done.count >= 2)
    }
}
