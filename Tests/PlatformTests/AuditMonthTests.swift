import Kernel
import Storage
import StoragePostgres
import TestSupport
import Testing

@testable import Platform

/// The audit log with three years of months.
@Suite(
    "Audit in months", .enabled(if: TestDatabases.dialect == .postgres, "months are PostgreSQL's: SWITCHBOARD_TEST_ENGINE"))
struct AuditMonthTests {
    /// Three years of months, and an event about customer 7 in each of the last twelve.
    private func filled() async throws -> TestTenant {
        let tenant = try await TestTenant()
        let layouts = PlatformLayouts.all.map { layout in
            TableLayout(
                layout.table, layout.placement,
                growth: layout.growth.map { Growth(by: $0.column, $0.retention, monthsBehind: 36) })
        }
        _ = try await PostgresMonths(layouts, clock: tenant.clock).keep(tenant.tenant.database)
        let principal = TestTenant.principal([])
        for back in (0..<12).reversed() {
            let clock = FrozenClock(tenant.clock.now().adding(days: Int64(-31 * back)))
            let audit = Audit(ids: IDGenerator(node: 2, clock: clock), clock: clock)
            try await tenant.tenant.database.write { session in
                try audit.record(
                    AuditEntry("customers.customer.view", [.customer(CustomerID(7))]), by: principal, session)
            }
        }
        return tenant
    }

    @Test("events of a subject are read newest first across months, page by page, by index in each")
    func subject() async throws {
        let tenant = try await filled()
        var filter = AuditReader.Filter()
        filter.customer = CustomerID(7)
        let wanted = filter
        let first = try await tenant.tenant.database.read { try AuditReader().page(wanted, limit: 5, $0) }
        let before = try #require(first.items.last).id
        let second = try await tenant.tenant.database.read {
            try AuditReader().page(wanted, before: before, limit: 5, $0)
        }
        let times = (first.items + second.items).map(\.at)
        #expect(times.count == 10 && times == times.sorted(by: >))
        let plan = try await plan(
            tenant,
            """
            \(AuditReader.eventsOfSubject) WHERE s.subject_id = $1 AND s.subject_kind = $2 ORDER BY s.event_id DESC LIMIT $3
            """, [.int(7), .text("customer"), .int(51)])
        #expect(!plan.contains("Seq Scan"), "\(plan)")
        #expect(plan.contains("Merge Append"), "the newest are taken first, not all sorted: \(plan)")
    }

    @Test("an event of a known time is looked for in its own month only, and an insert touches one")
    func pruned() async throws {
        let tenant = try await filled()
        let id = try #require(GrowthMonth("2025-07")).firstID + 5
        let plan = try await plan(tenant, "\(AuditReader.subjects) AND event_id IN ($1, $2)", [.int(id), .int(id + 9)])
        #expect(plan.contains("platform_audit_subject_202507"), "\(plan)")
        #expect(!plan.contains("202506") && !plan.contains("202508") && !plan.contains("default"), "\(plan)")
    }

    private func plan(_ tenant: TestTenant, _ sql: SQL, _ arguments: [SQLValue]) async throws -> String {
        try await tenant.tenant.database.write { session in
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return try session.query(SQL(trusted: "EXPLAIN " + sql.text), arguments) { $0.text(0) }
        }.joined(separator: "\n")
    }
}
