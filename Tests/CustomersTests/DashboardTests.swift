import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("home cards of Customers")
struct DashboardTests {
    /// A listing row as a naive count sees it.
    struct Naive: Sendable {
        let status: String
        let region: String
        let charge: Int64
        let since: String
        let reason: String
        let leftOn: String
        let tier: String
        let band: String
        let risk: Double
        let latitude: Double
        let longitude: Double
    }

    /// A seeded base in which a third of the customers are scored.
    static func desk(_ count: Int = 700) async throws -> (PageDesk, [Naive]) {
        let desk = try await PageDesk(customers: count)
        let rows = try await desk.tenant.database.write { session in
            let ids = try session.query("SELECT customer_id FROM customers_listing ORDER BY customer_id") { $0.int(0) }
            let bands = ["low", "medium", "high", "critical"]
            for (offset, id) in ids.enumerated() where offset % 3 != 0 {
                let risk = Double(offset * 37 % 1_000) / 1_000
                try session.execute(
                    "UPDATE customers_listing SET risk = $2, band = $3 WHERE customer_id = $1",
                    [.int(id), .double(risk), .text(bands[Int(risk * 4)])])
            }
            return try session.query(
                """
                SELECT status, region, monthly_charge, since, leave_reason, left_on, tier, band, risk, latitude,
                  longitude
                FROM customers_listing
                """
            ) { row in
                Naive(
                    status: row.text(0), region: row.text(1), charge: row.int(2), since: row.text(3),
                    reason: row.text(4), leftOn: row.text(5), tier: row.text(6), band: row.text(7),
                    risk: row.double(8), latitude: row.double(9), longitude: row.double(10))
            }
        }
        return (desk, rows)
    }

    static func request(_ desk: PageDesk, regions: [String]? = nil) -> PanelRequest {
        let principal = PageDesk.principal(.analyst, regions: regions)
        return PanelRequest(
            customers: [], principal: principal, masking: Masking(principal), language: .en,
            now: desk.tenant.clock.now(),
            assets: "/a")
    }

    static func load(_ name: String, _ desk: PageDesk, regions: [String]? = nil) async throws -> PanelContent? {
        let card = try #require(CustomerDashboard.cards(desk.tenant).first { $0.name == name })
        let request = request(desk, regions: regions)
        return try await desk.tenant.database.read { try card.load(request, $0) }
    }

    static func json(_ content: PanelContent?, _ key: String) throws -> [String: JSONValue] {
        guard case .text(let text) = try #require(content?.view[key]) else { throw CRMError.notFound }
        return try #require(try JSONValue.parse(Array(text.utf8)).object)
    }

    @Test("statuses, new and leaving customers and revenue equal naive counts, for the base and for one region")
    func base() async throws {
        let (desk, all) = try await Self.desk()
        for regions in [nil, ["浙江"]] as [[String]?] {
            let rows = all.filter { regions?.contains($0.region) ?? true }
            let principal = PageDesk.principal(.analyst, regions: regions)
            let month = try #require(LocalDate("2026-03-01"))
            let (statuses, fresh, left) = try await desk.tenant.database.read { session in
                (
                    try DashboardStore.byStatus(principal, session),
                    try DashboardStore.joinedByMonth(since: month.adding(months: -12), principal, session),
                    try DashboardStore.leaversByMonth(since: month.adding(months: -17), principal, session)
                )
            }
            for entry in statuses {
                let mine = rows.filter { $0.status == entry.status.rawValue }
                #expect(entry.count == mine.count)
                #expect(entry.charge == mine.reduce(Int64(0)) { $0 + max(0, $1.charge) })
            }
            #expect(statuses.reduce(0) { $0 + $1.count } == rows.count)
            for (yearMonth, count) in fresh {
                #expect(count == rows.filter { $0.since.hasPrefix(yearMonth) }.count)
            }
            #expect(!fresh.isEmpty)
            for entry in left {
                #expect(
                    entry.count == rows.filter { $0.leftOn.hasPrefix(entry.month) && $0.reason == entry.reason }.count)
            }
            #expect(!left.isEmpty)
        }
    }

    @Test("each chart says what its axes count, in both languages")
    func axes() async throws {
        let (desk, _) = try await Self.desk()
        for (card, key, axes) in [
            ("base", "moves", ["x", "y"]), ("reasons", "chart", ["y"]), ("leavers", "chart", ["x", "y"]),
            ("risk", "chart", ["x", "y"]),
        ] {
            let chart = try Self.json(try await Self.load(card, desk), key)
            for axis in axes {
                #expect(chart[axis]?.object?["title"]?.string?.isEmpty == false, "\(card) \(axis)")
            }
        }
        let bill = ChargesPanel.chart([], "CNY", .zh).object
        #expect(bill?["x"]?.object?["title"]?.string == "账期" && bill?["y"]?.object?["title"]?.string == "金额")
    }

    @Test("the charts hold the naive counts by reason, month, risk and cell")
    func charts() async throws {
        let (desk, rows) = try await Self.desk()
        let reasons = try Self.json(try await Self.load("reasons", desk), "chart")
        let values = reasons["series"]?.array?.first?.object?["values"]?.array?.compactMap(\.int) ?? []
        #expect(values.reduce(0, +) == Int64(rows.filter { !$0.reason.isEmpty }.count))
        #expect(reasons["links"]?.array?.first?.string?.hasPrefix("/customers?reason=") == true)

        let line = try Self.json(try await Self.load("leavers", desk), "chart")
        let months = line["labels"]?.array?.compactMap(\.string) ?? []
        let series = line["series"]?.array?.map { $0.object?["values"]?.array?.compactMap(\.int) ?? [] } ?? []
        // The month that is not over is left out.
        #expect(months.count == 12 && months.last == "2026-02")
        for (offset, month) in months.enumerated() {
            let count = series.reduce(Int64(0)) { $0 + $1[offset] }
            #expect(count == Int64(rows.filter { $0.leftOn.hasPrefix(month) }.count))
        }

        let risk = try Self.json(try await Self.load("risk", desk), "chart")
        let bins = risk["counts"]?.array?.compactMap(\.int) ?? []
        for bin in 0..<20 {
            let mine = rows.filter {
                $0.risk >= 0 && $0.status != "churned" && min(19, Int(($0.risk * 1_000).rounded()) / 50) == bin
            }
            #expect(bins[bin] == Int64(mine.count), "bin \(bin)")
        }

        let map = try Self.json(try await Self.load("map", desk), "data")
        let cells = map["cells"]?.array?.compactMap(\.object) ?? []
        let total = cells.reduce(Int64(0)) { $0 + ($1["count"]?.int ?? 0) }
        #expect(total == Int64(rows.count))
        let naive = Dictionary(grouping: rows) {
            "\(Int(($0.latitude * 4).rounded())) \(Int(($0.longitude * 4).rounded()))"
        }
        #expect(cells.count == naive.count)
    }

    @Test("value against risk counts each standing customer once and leads to the filtered list")
    func value() async throws {
        let (desk, rows) = try await Self.desk()
        let principal = PageDesk.principal(.analyst)
        let grid = try await desk.tenant.database.read { try DashboardStore.byTierAndBand(principal, $0) }
        for cell in grid {
            let mine = rows.filter {
                $0.tier == cell.tier.rawValue && $0.band == cell.band.rawValue && $0.status != "churned"
            }
            #expect(cell.count == mine.count)
        }
        #expect(grid.reduce(0) { $0 + $1.count } == rows.filter { !$0.band.isEmpty && $0.status != "churned" }.count)
        let pages = try Pages(share: Checkout.share)
        let content = try #require(try await Self.load("value", desk))
        let html = pages.render(content.template, content.view.merging(["assets": "/a"]), .en)
        #expect(html.contains("/customers?tier=vip&amp;band=high"))
    }

    @Test("every card renders in both languages, with data and without", arguments: [0, 700])
    func render(_ count: Int) async throws {
        let desk = count > 0 ? try await Self.desk(count).0 : try await PageDesk(customers: 0)
        let pages = try Pages(share: Checkout.share)
        for card in CustomerDashboard.cards(desk.tenant) {
            let request = Self.request(desk)
            guard let content = try await desk.tenant.database.read({ try card.load(request, $0) }) else {
                #expect(count == 0, "\(card.name) is missing")
                continue
            }
            for language in Language.allCases {
                let html = pages.render(content.template, content.view.merging(["assets": "/a"]), language)
                #expect(
                    html.contains("card-body") || html.contains("class=\"table-wrap\"")
                        || html.contains("class=\"empty\""))
                #expect(!html.contains("dashboard.") && !html.contains(">false<"))
                #expect(pages.texts.words[card.title] != nil)
            }
        }
    }

    @Test("a figure that was slow is kept for a while, a fast one is not")
    func cache() async throws {
        let desk = try await PageDesk(customers: 0)
        let cache = DashboardCache.of(desk.tenant)
        #expect(cache === DashboardCache.of(desk.tenant))
        let request = Self.request(desk)
        let today = desk.tenant.clock.now().date()
        var runs = 0
        for _ in 0..<3 {
            _ = try cache.figure("slow", request, today: today) { () -> Int in
                runs += 1
                Thread.sleep(forTimeInterval: 0.03)
                return runs
            }
        }
        #expect(runs == 1)
        desk.test.clock.advance(seconds: 301)
        _ = try cache.figure("slow", Self.request(desk), today: today) { () -> Int in
            runs += 1
            return runs
        }
        #expect(runs == 2)
        for _ in 0..<3 {
            _ = try cache.figure("fast", request, today: today) { () -> Int in
                runs += 1
                return runs
            }
        }
        #expect(runs == 5)
        // Another region is another figure.
        _ = try cache.figure("slow", Self.request(desk, regions: ["x"]), today: today) { () -> Int in
            runs += 1
            return runs
        }
        #expect(runs == 6)
    }
}
