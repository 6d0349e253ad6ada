import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// The owner's tables and the application's rights in them (G23, G58).
@Suite("PostgreSQL roles", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct RoleTests {
    /// A database that belongs to an owner, and the application's way into it. Both roles are this test's own.
    private struct Desk {
        let bench: Bench
        let owner: PostgresDatabase
        let application: PostgresDatabase
        let applicationName: String
    }

    private static let layouts =
        StorageLayouts.all + [
            TableLayout("platform_audit_event", .local, growth: Growth(by: .id("id"), .kept), isAppendOnly: true),
            TableLayout(
                "platform_audit_subject", .local, growth: Growth(by: .id("event_id"), .kept), isAppendOnly: true),
            TableLayout("platform_blob", .local), TableLayout("platform_blob_part", .local),
        ]

    /// The same database reached as another role: the private server trusts whoever comes.
    private static func role(_ name: String, _ settings: PostgresSettings) -> PostgresSettings {
        PostgresSettings(url: settings.url.replacing(#/\/\/[^@]*@/#, with: "//\(name)@"))
    }

    private func desk() async throws -> Desk {
        let bench = try await Bench(.postgres, migrated: false)
        let admin = try #require(bench.database as? PostgresDatabase).settings
        let mark = UUID().uuidString.prefix(8).lowercased()
        let (owner, application) = ("owner_\(mark)", "app_\(mark)")
        try await PostgresServer.run(SQL(trusted: "CREATE ROLE \(owner) LOGIN"), admin)
        try await PostgresServer.run(SQL(trusted: "CREATE ROLE \(application) LOGIN"), admin)
        try await PostgresServer.run(SQL(trusted: "ALTER DATABASE \(admin.databaseName) OWNER TO \(owner)"), admin)
        let result = Desk(
            bench: bench, owner: PostgresDatabase(Self.role(owner, admin)),
            application: PostgresDatabase(Self.role(application, admin)), applicationName: application)
        try await Migrator(share: Checkout.share, modules: ["Storage", "Platform"], clock: bench.clock).migrate(result.owner)
        try await PostgresRole.grant(to: application, Self.layouts, result.owner)
        return result
    }

    private func refused(_ desk: Desk, _ sql: SQL) async -> String {
        do {
            try await desk.application.write { _ = try $0.execute(sql) }
            return "allowed"
        } catch { return "\(error)" }
    }

    @Test("the application adds and reads audit events, and may neither change, delete nor empty them")
    func audit() async throws {
        let desk = try await desk()
        try await desk.application.write { session in
            try session.execute(
                """
                INSERT INTO platform_audit_event (id, at, actor_name, roles, action, purpose, address, request_id, unmasked, facts,
                  refused) VALUES (1, 1, 'a', '', 'x.y.z', '', '', '', '', '{}', FALSE)
                """)
            try session.execute(
                """
                INSERT INTO platform_audit_subject (subject_id, event_id, subject_kind) VALUES (1, 1, 'customer')
                ON CONFLICT DO NOTHING
                """)
        }
        #expect(try await desk.application.read { try $0.count("SELECT COUNT(*) FROM platform_audit_event") } == 1)
        // The month of this row is made, so that there is a partition to try it on.
        _ = try await PostgresMonths(Self.layouts, clock: desk.bench.clock).keep(desk.owner)
        let attempts: [SQL] = [
            "UPDATE platform_audit_event SET actor_name = 'b'", "DELETE FROM platform_audit_event",
            "TRUNCATE platform_audit_event", "DELETE FROM platform_audit_subject", "TRUNCATE platform_audit_subject",
            "UPDATE platform_audit_subject SET subject_id = 2", "DELETE FROM platform_audit_event_default",
            "UPDATE platform_audit_event_202401 SET actor_name = 'b'", "TRUNCATE platform_audit_event_202401",
            "DROP TABLE platform_audit_event_202401", "DROP TABLE platform_audit_event",
            "ALTER TABLE platform_audit_event DETACH PARTITION platform_audit_event_202401",
            "CREATE TABLE mine (id BIGINT)", "CREATE INDEX mine ON storage_job (kind)",
            "UPDATE schema_migration SET checksum = ''", "TRUNCATE storage_outbox_event",
            "ALTER TABLE storage_job ADD COLUMN more TEXT", "GRANT ALL ON platform_audit_event TO PUBLIC",
            "CREATE FUNCTION mine() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'",
        ]
        for sql in attempts {
            let answer = await refused(desk, sql)
            // A right that is not there, or a grant that grants nothing.
            #expect(answer.contains("42501") || (sql.text.hasPrefix("GRANT") && answer.contains("allowed")), "\(sql): \(answer)")
        }
        let wrong = try await desk.owner.read { try PostgresRole.wrongRights(desk.applicationName, Self.layouts, $0) }
        #expect(wrong.isEmpty, "\(wrong)")
    }

    @Test("jobs, events and schedules are worked off with the application's rights alone")
    func works() async throws {
        let desk = try await desk()
        let outbox = Outbox(ids: desk.bench.ids, clock: desk.bench.clock, wake: WakeSignal())
        let jobs = JobQueue(
            database: desk.application, ids: desk.bench.ids, clock: desk.bench.clock, wake: WakeSignal())
        try await desk.application.write { session in
            try outbox.append(SeveralProcessesTests.Happened(number: 1), session)
            _ = try jobs.enqueue("work", payload: "{}", by: "test", session)
        }
        let calls = Tally()
        let dispatcher = OutboxDispatcher(
            database: desk.application,
            handlers: [EventHandler(name: "h", SeveralProcessesTests.Happened.self) { _, _ in calls.add() }],
            clock: desk.bench.clock)
        #expect(try await dispatcher.deliverBatch() == 1 && calls.count == 1)
        try await dispatcher.expire()
        #expect(try await jobs.runSchedule("s", kind: "work", everySeconds: 60))
        try await jobs.purge()
        _ = try await NodeLease.take(holder: "test", clock: desk.bench.clock, desk.application)
        // The schema is current: a process with these rights starts.
        let migrator = Migrator(share: Checkout.share, modules: ["Storage", "Platform"], clock: desk.bench.clock)
        #expect(try await migrator.migrate(desk.application).isEmpty)
    }

    @Test("a right that somebody added or took away is found, and given back by the next grant")
    func drift() async throws {
        let desk = try await desk()
        func wrong() async throws -> [String] {
            try await desk.owner.read { try PostgresRole.wrongRights(desk.applicationName, Self.layouts, $0) }
        }
        try await desk.owner.write { session in
            try session.execute(SQL(trusted: "GRANT DELETE ON platform_audit_event TO \(desk.applicationName)"))
            try session.execute(SQL(trusted: "REVOKE INSERT ON storage_job FROM \(desk.applicationName)"))
            try session.execute(SQL(trusted: "GRANT DELETE ON platform_audit_subject_default TO PUBLIC"))
        }
        #expect(try await wrong() == ["platform_audit_event", "platform_audit_subject_default", "storage_job"])
        try await PostgresRole.grant(to: desk.applicationName, Self.layouts, desk.owner)
        #expect(try await wrong().isEmpty)
    }

    @Test("roles that are no wall are refused by name: the owner itself, a superuser, BYPASSRLS, a member of the owner")
    func powerful() async throws {
        let desk = try await desk()
        let owner = try await desk.owner.read { try PostgresRole.current($0) }
        let application = try await desk.application.read { try PostgresRole.current($0) }
        let admin = try await desk.bench.database.read { try PostgresRole.current($0) }
        try application.refuseIfPowerful(owner: owner.name)
        try owner.refuseIfNotOwner()
        #expect(!application.isPowerful && application.ownedTables == 0 && owner.ownedTables > 10)
        for role in [owner, admin] {
            let error = #expect(throws: CRMError.self) { try role.refuseIfPowerful(owner: owner.name) }
            #expect(error?.code == "application_role" && error?.message.en.contains(role.name) == true)
        }
        #expect(throws: CRMError.self) { try application.refuseIfNotOwner() }
        let settings = try #require(desk.bench.database as? PostgresDatabase).settings
        for (change, back) in [
            ("ALTER ROLE \(application.name) BYPASSRLS", "ALTER ROLE \(application.name) NOBYPASSRLS"),
            ("GRANT \(owner.name) TO \(application.name)", "REVOKE \(owner.name) FROM \(application.name)"),
        ] {
            try await PostgresServer.run(SQL(trusted: change), settings)
            let now = try await desk.application.read { try PostgresRole.current($0) }
            #expect(throws: CRMError.self, "\(change)") { try now.refuseIfPowerful(owner: owner.name) }
            try await PostgresServer.run(SQL(trusted: back), settings)
        }
    }
}
