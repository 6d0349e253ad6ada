import Kernel
import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing

@testable import Customers

/// Monthly use over years of months.
@Suite(
    "Growth tables of customers in months",
    .enabled(if: TestDatabases.dialect == .postgres, "months are PostgreSQL's: SWITCHBOARD_TEST_ENGINE"))
struct MonthPlanTests {
    private func desk() async throws -> TestTenant {
        let tenant = try await TestTenant(["Customers"])
        let layouts = CustomersModule().layouts.filter { $0.growth != nil }.map { layout in
            TableLayout(
                layout.table, layout.placement,
                growth: layout.growth.map { Growth(by: $0.column, $0.retention, monthsBehind: 24) })
        }
        #expect(layouts.map(\.table) == ["customers_usage_month"])
        _ = try await PostgresMonths(layouts, clock: tenant.clock).keep(tenant.tenant.database)
        return tenant
    }

    private func plan(_ tenant: TestTenant, _ builder: SQLBuilder) async throws -> String {
        try await tenant.tenant.database.write { session in
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return try session.query(SQL(trusted: "EXPLAIN " + builder.text), builder.arguments) { $0.text(0) }
        }.joined(separator: "\n")
    }

    @Test("the use panel reads the months it shows and no older ones")
    func usage() async throws {
        let tenant = try await desk()
        var builder = SQLBuilder(UsagePanel.months, [.text("2025-03"), .text("2026-03")])
        builder.appendIn("AND customer_id", [.int(7)])
        builder.append("GROUP BY month ORDER BY month")
        let plan = try await plan(tenant, builder)
        #expect(!plan.contains("Seq Scan"), "\(plan)")
        #expect(plan.contains("customers_usage_month_202503") && plan.contains("customers_usage_month_202602"), "\(plan)")
        #expect(!plan.contains("202502") && !plan.contains("202403"), "\(plan)")
    }

    @Test("use of any month is stored, replaced and read: of years ago, of a month that nobody made, of none")
    func months() async throws {
        let tenant = try await desk()
        let months = ["2019-05", "2024-12", "2026-03", "2031-01", "unknown"]
        for round in 1...2 {
            try await tenant.tenant.database.write { session in
                try session.executeMany(
                    CustomerSQL.upsertUsage,
                    months.map {
                        [
                            .int(7), .int(8), .text($0), .int(round), .int(0), .int(0), .int(0), .int(0), .int(0), .null,
                        ]
                    })
            }
        }
        let stored = try await tenant.tenant.database.read { session in
            try session.query("SELECT month, voice_min FROM customers_usage_month WHERE customer_id = 7 ORDER BY month") {
                "\($0.text(0)) \($0.int(1))"
            }
        }
        #expect(stored == months.map { "\($0) 2" })
        let report = try await PostgresMonths(CustomersModule().layouts, clock: tenant.clock).keep(
            tenant.tenant.database)
        let usage = try #require(report.tables.last)
        #expect(usage.moved == 1 && usage.made.first?.description == "2019-05", "\(usage)")
        #expect(usage.strays == 2, "the far future and what is no month are told")
        #expect(
            try await tenant.tenant.database.read { try $0.count("SELECT COUNT(*) FROM customers_usage_month") } == 5)
    }
}
