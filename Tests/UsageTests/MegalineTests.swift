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

        // Rated as a person would do it: the file of plans as it is, the plan of each line, every month.
        let plans = try #require(Checkout.sharedData("usage-megaline/megaline_plans.csv"))
        let tariffs = try TariffFile.read(path: plans, currency: "CNY")
        #expect(tariffs.map(\.currency) == ["USD", "USD"])
        let rating = try await world.service.rate(
            from: "2018-01", through: "2018-12", book: tariffs, principal: UsageWorld.principal)
        var lines: [RatedLine] = []
        while case let more = try await rating.next(), !more.isEmpty { lines += more }
        #expect(lines.count == 2_293 && Set(lines.map(\.month.total.line.customer)).count == 490)
        #expect(rating.report.rated == 2_293 && rating.report.unrated == 0 && rating.report.fromMonths == 0)
        for (name, months, expected) in [("surf", 1_573, 6_071), ("ultimate", 720, 7_231)] as [(String, Int, Int64)] {
            let sum = try #require(rating.report.tariffs.first { $0.tariff == name })
            let own = lines.filter { $0.tariff?.name == name }
            #expect(own.count == months && sum.months == months && sum.mean == expected, "\(sum)")
            #expect(sum.total == own.reduce(0) { $0 + ($1.rated?.total ?? 0) })
            #expect(sum.fee + sum.calls + sum.messages + sum.data == sum.total && sum.fee == Int64(months) * (name == "surf" ? 2_000 : 7_000))
            print("megaline \(name): \(sum)")
        }
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
            ).applyWhole(all, session)
        }
        let made = outcomes.count { if case .created = $0 { true } else { false } }
        #expect(made == 500)
    }
}
