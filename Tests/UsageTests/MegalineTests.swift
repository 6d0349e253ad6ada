import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TestSupport
import Testing

@testable import Customers
@testable import Usage

/// A public set of calls, messages and sessions of 500 customers with the bills they come to.
@Suite("Megaline", .enabled(if: Checkout.sharedData("usage-megaline/megaline_calls.csv.gz") != nil, "needs ../shared/data"))
struct MegalineTests {
    private func rows(_ name: String) throws -> [[String: String]] {
        let path = try #require(Checkout.sharedData("usage-megaline/" + name))
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        var reader = TabularReader(options: TabularOptions(name: name), bytes: bytes)
        let names = try #require(try reader.header()).names
        var rows: [[String: String]] = []
        while let event = try reader.next() {
            guard case .record(let row) = event else { continue }
            rows.append(Dictionary(uniqueKeysWithValues: zip(names, row.fields)))
        }
        return rows
    }

    @Test("its calls, messages and sessions rate to the mean bills it is known for")
    func bills() async throws {
        let world = try await UsageWorld()
        let users = try rows("megaline_users.csv")
        try await addLines(users, world)
        var reports: [String: UsageReport] = [:]
        for (kind, file) in [
            ("voice", "megaline_calls.csv.gz"), ("data", "megaline_internet.csv.gz"), ("sms", "megaline_messages.csv"),
        ] {
            let path = try #require(Checkout.sharedData("usage-megaline/" + file))
            let report = try await world.take(path, source: "megaline")
            #expect(report.kind == kind && report.taken == report.read, "\(report)")
            reports[kind] = report
        }
        let reads: [Int] = ["voice", "data", "sms"].map { reports[$0]?.read ?? 0 }
        #expect(reads == [137_735, 104_825, 76_051])
        try await world.checkMonths()

        let plans = Dictionary(
            uniqueKeysWithValues: try rows("megaline_plans.csv").map { ($0["plan_name"] ?? "", try plan($0)) })
        let months = try await world.test.tenant.database.read { session in
            try session.query(
                """
                SELECT s.plan, SUBSTR(d.day, 1, 7), s.customer_id, CAST(SUM(d.billed_minutes) AS BIGINT), CAST(SUM(d.sms) AS BIGINT),
                  CAST(SUM(d.data_bytes) AS BIGINT)
                FROM usage_day d JOIN customers_subscription s ON s.customer_id = d.customer_id AND s.id = d.subscription_id
                GROUP BY s.plan, SUBSTR(d.day, 1, 7), s.customer_id
                """
            ) { row in
                var use = DayUsage()
                use.billedMinutes = row.int(3)
                use.sms = row.int(4)
                use.dataBytes = row.int(5)
                return (plan: row.text(0), customer: row.int(2), use: use)
            }
        }
        #expect(months.count == 2_293 && Set(months.map { $0.customer }).count == 490)
        for (name, expected) in [("surf", 60.71), ("ultimate", 72.31)] {
            let plan = try #require(plans[name])
            let bills = months.filter { $0.plan == name }.map { Double(plan.bill($0.use)) / 100 }
            let mean = bills.reduce(0, +) / Double(bills.count)
            #expect((mean * 100).rounded() / 100 == expected, "\(name): \(mean)")
            print("megaline \(name): mean \(mean) over \(bills.count) months")
        }
    }

    private func plan(_ row: [String: String]) throws -> UsagePlan {
        func number(_ key: String, _ scale: Double = 1) throws -> Int64 {
            Int64((try #require(row[key].flatMap { Double($0) }) * scale).rounded())
        }
        return UsagePlan(
            fee: try number("usd_monthly_pay", 100), minutes: try number("minutes_included"),
            messages: try number("messages_included"), gigabytes: try number("mb_per_month_included") / 1_024,
            perMinute: try number("usd_per_minute", 100), perMessage: try number("usd_per_message", 100),
            perGigabyte: try number("usd_per_gb", 100))
    }

    /// The customers of the set with their plan; the source's own ids find them.
    private func addLines(_ users: [[String: String]], _ world: UsageWorld) async throws {
        #expect(users.count == 500)
        let tenant = world.test.tenant
        let all = users.enumerated().map { offset, user in
            ImportRow(
                line: offset + 2,
                values: [
                    "source_id": .text(user["user_id"] ?? ""), "given_name": .text(user["first_name"] ?? ""),
                    "family_name": .text(user["last_name"] ?? ""), "plan": .text(user["tariff"] ?? ""),
                ])
        }
        let outcomes = try await tenant.database.write { session in
            try CustomerImportTarget(tenant).importer(
                ImportOptions(matchKey: "source_id", source: "megaline"), principal: UsageWorld.principal
            ).apply(all, session)
        }
        let made = outcomes.count { if case .created = $0 { true } else { false } }
        #expect(made == 500)
    }
}
