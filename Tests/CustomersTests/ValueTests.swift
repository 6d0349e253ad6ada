import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("value tiers")
struct ValueTests {
    private static func base(_ count: Int) async throws -> ImportBench {
        let bench = try await ImportBench()
        for start in stride(from: 0, to: count, by: 400) {
            _ = try await bench.apply(
                (start..<min(count, start + 400)).map { index in
                    ["source_id": .text("V\(index)"), "monthly_charge": .int(Int64(1_000 + index * 7 % 5_000))]
                })
        }
        return bench
    }

    @Test("tiers follow the scores of the whole base, in batches, and a second time moves nothing")
    func tiers() async throws {
        let bench = try await Self.base(1_300)
        let database = bench.test.tenant.database
        let total = try await ValueStore.compute(now: bench.test.clock.now(), database)
        #expect(total == 1_300)
        func tiers() async throws -> [String: Int] {
            try await database.read { session in
                let policy = try ValueStore.policy(session)
                let rows = try session.query("SELECT value_score, tier FROM customers_listing") {
                    ($0.int(0), $0.text(1))
                }
                for (score, tier) in rows { #expect(policy.tier(score).rawValue == tier) }
                return Dictionary(grouping: rows, by: \.1).mapValues(\.count)
            }
        }
        let first = try await tiers()
        #expect((first["vip"] ?? 0) >= 65 && (first["high"] ?? 0) >= 200 && (first["ordinary"] ?? 0) > 900)
        // A trigger counts what is written.
        try await database.write { session in
            _ = try session.execute("CREATE TABLE moved (customer_id BIGINT)")
            try TestTrigger.onUpdate(
                "count_moves", table: "customers_listing", does: "INSERT INTO moved VALUES (new.customer_id)", session)
        }
        try await ValueStore.compute(now: bench.test.clock.now(), database)
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM moved") } == 0)
        try await database.write { session in
            _ = try session.execute("UPDATE customers_listing SET tier = 'ordinary' WHERE tier = 'vip'")
            _ = try session.execute("DELETE FROM moved")
        }
        try await ValueStore.compute(now: bench.test.clock.now(), database)
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM moved") } == first["vip"] ?? -1)
        #expect(try await tiers() == first)
    }

    @Test("edits ask for the tiers once, and not again for some minutes after they were computed")
    func notTooOften() async throws {
        let bench = try await Self.base(10)
        let tenant = bench.test.tenant
        func asked() async throws -> [Int64] {
            try await tenant.database.read { session in
                try session.query("SELECT run_at FROM storage_job WHERE kind = 'customers.value' ORDER BY id") {
                    $0.int(0)
                }
            }
        }
        func request() async throws {
            try await tenant.database.write { try ValueStore.requestComputation(tenant, $0) }
        }
        let start = tenant.clock.now()
        try await request()
        try await request()
        #expect(try await asked() == [start.adding(seconds: 5).milliseconds])
        try await ValueStore.compute(now: start.adding(seconds: 5), tenant.database)
        bench.test.clock.advance(seconds: 10)
        try await request()
        try await request()
        #expect(try await asked().last == start.adding(seconds: 5 + ValueStore.secondsBetween).milliseconds)
        #expect(try await asked().count == 2)
    }

    @Test(
        "scores of an earlier pass that arrive late do not replace those of a later one; the same ones may come twice")
    func passesOutOfOrder() async throws {
        let bench = try await Self.base(2)
        let tenant = bench.test.tenant
        let handler = try #require(
            CustomersModule().eventHandlers(tenant).first { $0.eventType == ChurnScored.eventType })
        let ids = try await tenant.database.read { session in
            try session.query("SELECT customer_id FROM customers_listing ORDER BY customer_id") {
                $0.id(0, PartyKind.self)
            }
        }
        func tell(_ customer: CustomerID, _ probability: Double, _ band: String, _ at: Instant?) async throws {
            let event = ChurnScored(
                scores: [.init(customer: customer, probability: probability, band: band)], model: ModelID(1),
                scoredAt: at)
            let payload = String(decoding: try JSONEncoder().encode(event), as: UTF8.self)
            try await tenant.database.write { try handler.handle(payload, $0) }
        }
        func told(_ customer: CustomerID) async throws -> [String] {
            try await tenant.database.read { session in
                try session.query(
                    "SELECT risk, band, value_score, risk_scored_at FROM customers_listing WHERE customer_id = $1",
                    [.id(customer)]
                ) { "\($0.double(0)) \($0.text(1)) \($0.int(2)) \($0.int(3))" }
            }
        }
        let early = tenant.clock.now()
        let late = early.adding(seconds: 60)
        try await tell(ids[0], 0.25, "medium", early)
        #expect(try await told(ids[0])[0].hasPrefix("0.25 medium"))
        try await tell(ids[0], 0.75, "high", late)
        let standing = try await told(ids[0])
        #expect(standing[0].hasPrefix("0.75 high") && standing[0].hasSuffix(" \(late.milliseconds)"))
        for stale in [early, nil] {
            try await tell(ids[0], 0.25, "medium", stale)
            #expect(try await told(ids[0]) == standing)
        }
        try await tell(ids[0], 0.75, "high", late)
        #expect(try await told(ids[0]) == standing)
        // An edit of the customer writes its row anew and keeps whose scores they are.
        _ = try await bench.apply([["source_id": .text("V0"), "city": .text("杭州")]])
        #expect(try await told(ids[0]) == standing)
        // Events of a version that did not tell the time are taken where there is nothing newer.
        try await tell(ids[1], 0.5, "high", nil)
        #expect(try await told(ids[1])[0].hasPrefix("0.5 high"))
    }

    @Test("sums of charges beyond what an integer holds are shown as large, not as an error")
    func hugeSums() async throws {
        let bench = try await Self.base(4)
        try await bench.test.tenant.database.write { session in
            _ = try session.execute(
                "UPDATE customers_listing SET monthly_charge = $1, band = 'high', tier = 'vip'", [.int(Int64.max)])
        }
        let principal = TestTenant.principal([CustomerPermissions.view])
        let (status, cells) = try await bench.test.tenant.database.read { session in
            (try DashboardStore.byStatus(principal, session), try DashboardStore.byTierAndBand(principal, session))
        }
        #expect(status.first?.charge == Int64(DashboardStore.sumMax) && cells.first?.count == 4)
        for card in CustomerDashboard.cards(bench.test.tenant) {
            let request = PanelRequest(
                customers: [], principal: principal, masking: Masking(principal), language: .en,
                now: bench.test.clock.now(), assets: "")
            _ = try await bench.test.tenant.database.read { session in try card.load(request, session) == nil }
        }
    }

    @Test("names written before parts were searchable get their parts from the migration")
    func migratedParts() async throws {
        let bench = try await SearchBench.older()
        let names = ["John Smith", "Maximilian Featherstonehaughworthington", "王小明", "5G公司 Ltd", "Al Bo"]
        _ = try await bench.apply(
            names.enumerated().map { ["source_id": .text("M\($0)"), "full_name": .text($1)] })
        let database = bench.test.tenant.database
        func tokens() async throws -> Set<String> {
            Set(
                try await database.read {
                    try $0.query("SELECT token FROM customers_search WHERE kind = 1") { $0.text(0) }
                })
        }
        let whole = try await tokens()
        #expect(whole.contains("mith"))
        let words = Set(names.flatMap { Folding.fold($0).split(separator: " ").map(String.init) })
        let text = try String(
            contentsOfFile: Checkout.root + "/Sources/Customers/Migrations/0003_name_parts.sql", encoding: .utf8)
        try await database.write { session in
            for token in whole where !words.contains(token) && token.utf8.allSatisfy({ $0 < 0x80 }) {
                _ = try session.execute("DELETE FROM customers_search WHERE kind = 1 AND token = $1", [.text(token)])
            }
            _ = try session.execute(SQL(trusted: text))
        }
        #expect(try await tokens() == whole)
    }
}
