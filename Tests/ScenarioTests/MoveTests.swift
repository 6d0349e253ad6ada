import App
import Foundation
import Kernel
import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing
import Web

/// An installation is saved, brought back, and moved to the other engine, by the commands an operator has.
@Suite("Backup, restore, moving to the other engine")
struct MoveTests {
    private func folder(_ name: String) -> String {
        NSTemporaryDirectory() + "switchboard-\(name)-" + UUID().uuidString
    }

    /// Seeded, with a user and an uploaded file.
    private func installation(_ data: String) async throws {
        let seeded = try ServerProcess.run(["seed", "--customers", "60", "--data", data])
        try #require(seeded.code == 0, "\(seeded)")
        let user = try ServerProcess.run(
            ["user", "create", "ana", "--role", "analyst", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        try #require(user.code == 0, "\(user)")
        let writer = try FileBlobStore(folder: data + "/tenants/default/blobs").writer(id: Self.blob)
        try writer.write([UInt8](repeating: 7, count: 600_000))
        _ = try writer.finish()
    }

    private static let blob = String(repeating: "ab", count: 16)

    private func customers(_ database: any Database) async throws -> Int {
        try await database.read { try $0.count("SELECT COUNT(*) FROM customers_customer") }
    }

    private func logsIn(_ server: ServerProcess) throws -> Bool {
        let visitor = Visitor(http: server.http)
        try visitor.get("/login")
        return try visitor.post("/login", [("name", "ana"), ("password", Scenario.password)]).status == 303
    }

    @Test(
        "a backup made while the product serves restores whole; a damaged one, other keys and a used folder are refused",
        .enabled(if: TestDatabases.dialect == .sqlite, "SQLite only: PostgreSQL has pg_dump"))
    func backup() async throws {
        let (data, copy, again) = (folder("backup"), folder("copy"), folder("again"))
        defer { for path in [copy, again] { try? FileManager.default.removeItem(atPath: path) } }
        try await installation(data)
        let server = try ServerProcess(data: data)
        defer { server.remove() }
        #expect(try logsIn(server))
        let made = try ServerProcess.run(["backup", copy, "--data", data])
        #expect(made.code == 0 && made.error.contains("keys"), "\(made)")
        let twice = try ServerProcess.run(["backup", copy, "--data", data])
        #expect(twice.code == 1 && twice.error.contains("not empty"), "\(twice)")

        // Without the keys: it says what to bring before anything is done, and makes none.
        let keyless = try ServerProcess.run(["restore", copy, "--data", again])
        #expect(keyless.code == 1 && keyless.error.contains(again + "/keys"), "\(keyless)")
        #expect(keyless.error.contains("nothing was changed") && keyless.error.contains("未做任何更改"), "\(keyless)")
        #expect(!FileManager.default.fileExists(atPath: again), "nothing was made")
        try FileManager.default.createDirectory(atPath: again, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: data + "/keys", toPath: again + "/keys")
        let astray = try ServerProcess.run(
            ["restore", copy, "--data", again], environment: ["DATABASE_URL": "postgres://u:secret@h/d"])
        #expect(astray.code == 1 && astray.error.contains("DATABASE_URL"), "\(astray)")
        #expect(!(astray.out + astray.error).contains("secret"))
        #expect(!FileManager.default.fileExists(atPath: again + "/tenants"))
        let brought = try ServerProcess.run(["restore", copy, "--data", again])
        #expect(brought.code == 0, "\(brought)")
        let restored = try ServerProcess(data: again)
        #expect(try logsIn(restored))
        restored.stop()
        let (before, after) = (try TestDatabases.open(data: data), try TestDatabases.open(data: again))
        #expect(try await customers(before) == 60)
        #expect(try await customers(after) == 60)
        try await before.close()
        try await after.close()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: again + "/tenants/default/blobs/" + Self.blob))
        #expect(bytes.count == 600_000)

        let used = try ServerProcess.run(["restore", copy, "--data", again])
        #expect(used.code == 1 && used.error.contains("already holds tenants"), "\(used)")
        let path = copy + "/tenants/default/blobs/" + Self.blob
        try Data([UInt8](repeating: 8, count: 600_000)).write(to: URL(fileURLWithPath: path))
        let third = folder("third")
        let damaged = try ServerProcess.run(["restore", copy, "--data", third])
        #expect(damaged.code == 1 && damaged.error.contains("keys"), "\(damaged)")
        try FileManager.default.createDirectory(atPath: third, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: data + "/keys", toPath: third + "/keys")
        let torn = try ServerProcess.run(["restore", copy, "--data", third])
        #expect(!FileManager.default.fileExists(atPath: third + "/restoring"))
        #expect(torn.code == 1 && torn.error.contains(Self.blob), "\(torn)")
        #expect(!FileManager.default.fileExists(atPath: third + "/tenants"))
    }

    @Test(
        "from SQLite to PostgreSQL and back: counted and summed by the command, with its files; people log in with the old password",
        .enabled(
            if: TestDatabases.server != nil && TestDatabases.dialect == .sqlite, "no PostgreSQL: bin/with-postgres"))
    func move() async throws {
        let (data, back) = (folder("move"), folder("back"))
        let server = try #require(TestDatabases.server)
        let settings = server.database(named: "move-" + String(UUID().uuidString.prefix(8)).lowercased())
        defer {
            for path in [data, back] { try? FileManager.default.removeItem(atPath: path) }
            TestDatabases.drop(settings)
        }
        try await installation(data)
        let up = try ServerProcess.run(["copy", "--from", "sqlite:" + data, "--to", settings.url, "--json"])
        #expect(up.code == 0, "\(up)")
        let result = try #require(try JSONValue.parse(Array(up.out.utf8)).array?.first?.object)
        #expect(result["tenant"]?.string == "default" && result["files"]?.int ?? 0 >= 1)
        let target = PostgresDatabase(settings)
        #expect(try await customers(target) == 60)
        try await target.close()

        let served = try ServerProcess(data: data, environment: ["DATABASE_URL": settings.url])
        #expect(try logsIn(served))
        let inUse = try ServerProcess.run(["copy", "--from", settings.url, "--to", "sqlite:" + back])
        #expect(inUse.code == 1 && inUse.error.contains("using the source, database \(settings.databaseName)"), "\(inUse)")
        #expect(inUse.error.contains("process \(served.processID) on "), "\(inUse)")
        #expect(!FileManager.default.fileExists(atPath: back), "a refused copy has made nothing")
        let unknown = server.database(named: settings.databaseName + "-none")
        let nowhere = try ServerProcess.run(["copy", "--from", unknown.url, "--to", "sqlite:" + back])
        #expect(nowhere.code == 1 && nowhere.error.contains("no tenant default at the source"), "\(nowhere)")
        #expect(!FileManager.default.fileExists(atPath: back))
        served.stop()
        let twice = try ServerProcess.run(["copy", "--from", "sqlite:" + data, "--to", settings.url])
        #expect(twice.code == 0 && twice.out.contains("this copy was finished at 20"), "\(twice)")
        #expect(twice.out.contains("nothing to do"), "\(twice)")
        let told = try ServerProcess.run(["copy", "--from", "sqlite:" + data, "--to", settings.url, "--json"])
        let again = try #require(try JSONValue.parse(Array(told.out.utf8)).array?.first?.object)
        #expect(told.code == 0 && again["finishedBefore"]?.string?.hasPrefix("20") == true, "\(told)")
        // The source was used since: what came there is not at the target, and nobody says that all is done.
        let late = try ServerProcess.run(
            ["user", "create", "late", "--role", "agent", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        #expect(late.code == 0)
        let changed = try ServerProcess.run(["copy", "--from", "sqlite:" + data, "--to", settings.url])
        #expect(changed.code == 1 && changed.error.contains("was finished at"), "\(changed)")
        #expect(changed.error.contains("changed since") && changed.error.contains("未复制任何内容"), "\(changed)")
        let other = folder("other")
        defer { try? FileManager.default.removeItem(atPath: other) }
        try #require(ServerProcess.run(["seed", "--customers", "20", "--data", other]).code == 0)
        let foreign = try ServerProcess.run(["copy", "--from", "sqlite:" + other, "--to", settings.url])
        #expect(foreign.code == 1 && foreign.error.contains("not the one of then"), "\(foreign)")
        let down = try ServerProcess.run(["copy", "--from", settings.url, "--to", "sqlite:" + back])
        #expect(down.code == 0, "\(down)")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: back + "/tenants/default/blobs/" + Self.blob))
        #expect(bytes == Data(repeating: 7, count: 600_000))
    }

    @Test("a process with other keys than the database was made with does not start, and says what to bring")
    func keys() async throws {
        let data = folder("keys")
        defer {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(data: data)
        }
        func user(_ name: String) throws -> (code: Int32, out: String, error: String) {
            try ServerProcess.run(
                ["user", "create", name, "--role", "agent", "--password-stdin", "--data", data],
                input: Scenario.password + "\n")
        }
        #expect(try user("ana").code == 0)
        try FileManager.default.removeItem(atPath: data + "/keys/pepper")
        let result = try user("ben")
        #expect(result.code == 1 && result.error.contains("keys/"), "\(result)")
    }

    @Test("migrate makes no keys and binds the database to none; it says what it applied and what there is")
    func migrate() async throws {
        let data = folder("migrate")
        defer {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(data: data)
        }
        let first = try ServerProcess.run(["migrate", "--json", "--data", data])
        let told = try #require(try JSONValue.parse(Array(first.out.utf8)).object, "\(first)")
        let all = try #require(told["migrations"]?.int)
        #expect(first.code == 0 && all > 10 && told["applied"]?.array?.count == Int(all), "\(first)")
        #expect(!FileManager.default.fileExists(atPath: data + "/keys"), "no keys were made")
        let again = try ServerProcess.run(["migrate", "--data", data])
        #expect(again.code == 0 && again.out.contains("all \(all) migrations were applied before"), "\(again)")
        let database = try TestDatabases.open(data: data)
        let bound = try await database.read { try Mark.value("key.pepper", $0) }
        #expect(bound == nil, "the database is bound to no key yet")
        try await database.close()
        // The first process that works with it binds it.
        let user = try ServerProcess.run(
            ["user", "create", "ana", "--role", "agent", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        #expect(user.code == 0, "\(user)")
    }

    @Test(
        "a database that cannot be opened is told with place and advice, in both languages, and never a password",
        .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
    func unreachable() throws {
        let server = try #require(TestDatabases.server)
        let port = try #require(server.url.firstMatch(of: /:(\d+)\//).flatMap { Int($0.1) })
        let data = folder("unreachable")
        defer { try? FileManager.default.removeItem(atPath: data) }
        let cases = [
            ("postgres://nobody:hunter22@127.0.0.1:\(port)/x", "does not exist"),
            ("postgres://kim:hunter22@nowhere.invalid:5432/x", "DNS"),
            ("postgres://kim:hunter22@127.0.0.1:1/x", "Is the server running"),
            ("postgres://kim:hunter22%zz@127.0.0.1:1/x", "DATABASE_URL"),
        ]
        for (url, advice) in cases {
            for arguments in [["user", "list"], ["migrate"], ["migrate", "--json"]] {
                let told = try ServerProcess.run(arguments + ["--data", data], environment: ["DATABASE_URL": url])
                let words = told.out + told.error
                if arguments == ["user", "list"] {
                    #expect(told.code == 1)
                } else {
                    #expect(told.code == 1 && words.contains(advice), "\(url): \(told)")
                    #expect(words.contains("database x at ") && words.contains("user "), "\(told)")
                }
                #expect(!words.contains("hunter22"), "\(words)")
            }
        }
    }

    @Test(
        "addresses that are none are refused without telling the password",
        arguments: ["postgres://u:secret@h", "mysql://u:secret@h/d", "sqlite:", ""])
    func addresses(_ text: String) throws {
        let error = #expect(throws: CRMError.self) { try DatabaseAddress(text) }
        #expect(error?.code == "database_address" && error?.message.en.contains("secret") == false)
    }
}
