import App
import Foundation
import Kernel
import Storage
import StoragePostgres
import TestSupport
import Testing
import Web

/// An installation whose tables belong to an owner role, by the commands an operator has (docs/runbooks/postgresql.md).
@Suite("Owner and application roles", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct OwnerTests {
    /// Two roles and the address of a database that is not there yet.
    private struct Place {
        let data = NSTemporaryDirectory() + "switchboard-owner-" + UUID().uuidString
        let mark = String(UUID().uuidString.prefix(8)).lowercased()
        let server: PostgresSettings

        init(_ server: PostgresSettings) async throws {
            self.server = server
            for statement in ["CREATE ROLE own_\(mark) LOGIN CREATEDB", "CREATE ROLE app_\(mark) LOGIN"] {
                try await PostgresServer.run(SQL(trusted: statement), server)
            }
        }

        func url(_ role: String) -> String {
            server.database(named: "owned_\(mark)").url.replacing(#/\/\/[^@]*@/#, with: "//\(role)_\(mark)@")
        }
        var admin: PostgresSettings { server.database(named: "owned_\(mark)") }
        var both: [String: String] { ["DATABASE_URL": url("app"), "DATABASE_OWNER_URL": url("own")] }
        var application: [String: String] { ["DATABASE_URL": url("app")] }

        func run(_ arguments: [String], _ environment: [String: String]) throws
            -> (code: Int32, out: String, error: String)
        { try ServerProcess.run(arguments + ["--data", data], environment: environment) }

        func remove() {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(admin)
        }
    }

    @Test(
        "the owner migrates, the application serves with rights on rows alone, and each says what it lacks",
        .timeLimit(.minutes(5)))
    func story() async throws {
        let place = try await Place(try #require(TestDatabases.server))
        defer { place.remove() }
        let alone = try place.run(["migrate"], place.application)
        #expect(alone.code == 1 && alone.error.contains("may not make one"), "\(alone)")
        let migrated = try place.run(["migrate"], place.both)
        #expect(migrated.code == 0 && migrated.out.contains("migrations applied now; all "), "\(migrated)")

        // The application's role starts, seeds, serves and is found in order by doctor.
        let seeded = try place.run(["seed", "--customers", "40"], place.application)
        #expect(seeded.code == 0, "\(seeded)")
        let served = try ServerProcess(data: place.data, environment: place.application)
        #expect(try served.http.send("GET", "/readyz").status == 200)
        served.stop()
        let doctor = try place.run(["doctor"], place.application)
        #expect(doctor.out.contains("ok   roles        app_\(place.mark) may read and write rows"), "\(doctor)")
        #expect(doctor.out.contains("ok   months       made ahead"), "\(doctor)")

        // G58, as the role that serves.
        let application = PostgresDatabase(PostgresSettings(url: place.url("app")))
        for sql: SQL in [
            "UPDATE platform_audit_event SET actor_name = 'x'", "DELETE FROM platform_audit_event",
            "TRUNCATE platform_audit_event", "DELETE FROM platform_audit_subject",
        ] {
            let error = await #expect(throws: StorageError.self) {
                try await application.write { _ = try $0.execute(sql) }
            }
            #expect(error?.detail.contains("permission denied") == true, "\(sql)")
        }
        #expect(try await application.read { try $0.count("SELECT COUNT(*) FROM platform_audit_event") } > 0)
        try await application.close()

        let kept = try place.run(["migrate", "--partitions", "--json"], place.both)
        let tables = try JSONValue.parse(Array(kept.out.utf8)).array?.first?.object?["tables"]?.array
        #expect(kept.code == 0 && tables?.count == 12, "\(kept)")
        let powerless = try place.run(["migrate", "--partitions"], place.application)
        #expect(powerless.code == 1 && powerless.error.contains("owns none of the tables"), "\(powerless)")
        let object = try place.run(["migrate", "--partitions", "--json"], place.application)
        #expect(object.code == 1 && object.out.contains("DATABASE_OWNER_URL"), "\(object)")

        let closed = "postgres://own:hunter22@127.0.0.1:1/owned_\(place.mark)"
        let away = try place.run(
            ["migrate", "--partitions"], ["DATABASE_URL": place.url("app"), "DATABASE_OWNER_URL": closed])
        #expect(away.code == 1 && away.error.contains("is DATABASE_OWNER_URL right"), "\(away)")
        #expect(away.error.contains("at 127.0.0.1:1, user own") && !away.error.contains("hunter22"))

        // A month that nobody made is told.
        let admin = PostgresDatabase(place.admin)
        let next = GrowthMonth(SystemClock().now()).adding(1).suffix
        try await admin.write { session in
            try session.execute(SQL(trusted: "DROP TABLE insights_score_history_\(next)"))
            try session.execute("GRANT UPDATE ON platform_audit_event TO PUBLIC")
        }
        let ill = try place.run(["doctor"], place.application)
        #expect(ill.code == 1 && ill.out.contains("no next month for insights_score_history"), "\(ill)")
        #expect(ill.out.contains("other rights than it should on platform_audit_event"), "\(ill)")
        let mended = try place.run(["migrate"], place.both)
        #expect(mended.code == 0, "\(mended)")
        #expect(try place.run(["doctor"], place.application).out.contains("made ahead"))

        // An older schema, and an application that is no wall.
        try await admin.write { _ = try $0.execute("DELETE FROM schema_migration WHERE module = 'Platform' AND number = 4") }
        let behind = try place.run(["user", "list"], place.application)
        #expect(behind.code == 1 && behind.error.contains("DATABASE_OWNER_URL"), "\(behind)")
        try await admin.close()
        let powerful = try place.run(
            ["migrate"], ["DATABASE_URL": place.admin.url, "DATABASE_OWNER_URL": place.url("own")])
        #expect(powerful.code == 1 && powerful.error.contains("superuser"), "\(powerful)")
    }

    @Test("without the distributed engine the command says so and prints what it would do", .timeLimit(.minutes(2)))
    func distributed() async throws {
        let place = try await Place(try #require(TestDatabases.server))
        defer { place.remove() }
        let golden = try String(contentsOfFile: Checkout.root + "/schema/distributed.sql", encoding: .utf8)
        for (arguments, code) in [(["migrate", "--distributed"], 2), (["migrate", "--distributed", "--dry-run"], 0)] {
            let told = try place.run(arguments, place.both)
            #expect(told.code == Int32(code) && told.out == golden, "\(told)")
            #expect(told.error.contains("Citus is not installed") && told.error.contains("未安装 Citus"), "\(told)")
        }
        let wrong = try place.run(["migrate", "--dry-run"], place.both)
        #expect(wrong.code == 64, "\(wrong)")
    }

    @Test(
        "an owner's address that does not go with the application's is refused without telling a password",
        arguments: [
            ("postgres://a:secret@h/one", "postgres://o:secret@h/two"), ("postgres://a:secret@h/one", "sqlite:data"),
            (nil, "postgres://o:secret@h/one"),
        ] as [(String?, String)])
    func addresses(database: String?, owner: String) {
        var configuration = Configuration()
        configuration.database = database
        configuration.databaseOwner = owner
        let error = #expect(throws: CRMError.self) { try configuration.check() }
        #expect(error?.code == "database_owner" && error?.message.en.contains("secret") == false)
    }
}
