import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

/// What the customer page says of a customer's months of use. Today is 2 March 2026.
@Suite("Months of use on the customer page")
struct UsagePanelTests {
    private static func month(_ name: String, _ minutes: Int) -> UsagePanel.Month {
        UsagePanel.Month(
            month: name, voiceMin: minutes, dataMB: 1_024, sms: 0, calls: 100, droppedCalls: 1, roamingMB: 0)
    }

    private func put(_ desk: PageDesk, _ id: CustomerID, _ months: [(String, Int)]) async throws {
        try await desk.tenant.database.write { session in
            try session.execute("DELETE FROM customers_usage_month WHERE customer_id = $1", [.id(id)])
            try session.executeMany(
                CustomerSQL.upsertUsage,
                months.map {
                    [
                        .id(id), .int(1), .text($0.0), .int($0.1), .int(10), .int(2_048), .int(5), .int(100), .int(2), .null,
                    ]
                })
        }
    }

    /// The words of the panel, one blank between them.
    private func panel(_ desk: PageDesk, _ id: CustomerID, _ language: Language = .en) async throws -> String {
        let page = try await desk.get("/customers/\(id)", as: PageDesk.principal(.agent), language).text
        let part = try #require(page.components(separatedBy: "id=\"panel-usage-h\"").dropFirst().first)
        let own = part.components(separatedBy: "id=\"panel-").first ?? part
        return own.replacing(/<[^>]*>/, with: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test("the head is compared with the months next to it: one in a row may be missing, none lies further back than six")
    func compared() {
        func names(_ months: [String]) -> [String] {
            let rows = months.map { Self.month($0, 100) }
            return UsagePanel.compared(rows, with: rows[rows.count - 1]).map(\.month)
        }
        #expect(
            names(["2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12", "2026-01"])
                == ["2025-12", "2025-11", "2025-10", "2025-09", "2025-08"])
        #expect(names(["2025-08", "2025-10", "2025-12", "2026-02"]) == ["2025-12", "2025-10", "2025-08"])
        #expect(names(["2025-06", "2025-08", "2025-10", "2025-12", "2026-02"]).count == 3, "no further than six months")
        #expect(names(["2025-09", "2025-10", "2026-02"]).isEmpty, "three months between are no neighbours")
        #expect(names(["2025-10", "2025-11", "2026-01", "2026-02"]) == ["2026-01", "2025-11", "2025-10"])
        #expect(names(["2026-02"]).isEmpty)
    }

    @Test("the panel names its month, says how many months it was compared with and from when to when")
    func fresh() async throws {
        let desk = try await PageDesk(customers: 20)
        let id = try #require(try await desk.records().first?.id)
        try await put(desk, id, [("2025-11", 100), ("2025-12", 100), ("2026-01", 100), ("2026-02", 150)])
        let text = try await panel(desk, id)
        #expect(text.contains("February 2026") && text.contains("+50%"), "\(text)")
        #expect(text.contains("Changes are against the mean of 3 months, November 2025 to January 2026."), "\(text)")
        #expect(text.contains("Lines show November 2025 to February 2026.") && !text.contains("Last usage"), "\(text)")
        let chinese = try await panel(desk, id, .zh)
        #expect(chinese.contains("2026年2月") && chinese.contains("共 3 个月"), "\(chinese)")
        // Months far away are not compared with, and gaps are told.
        try await put(desk, id, [("2025-05", 10), ("2025-06", 10), ("2026-02", 150)])
        let apart = try await panel(desk, id)
        #expect(apart.contains("No month just before it is known") && !apart.contains("+"), "\(apart)")
        #expect(apart.contains("Lines show the 3 months that are known between May 2025 and February 2026."), "\(apart)")
    }

    @Test("a month that is not over is not compared with whole ones; the last whole one stands at the head")
    func running() async throws {
        let desk = try await PageDesk(customers: 20)
        let id = try #require(try await desk.records().first?.id)
        try await put(desk, id, [("2026-01", 100), ("2026-02", 100), ("2026-03", 7)])
        let text = try await panel(desk, id)
        #expect(text.contains("February 2026") && text.contains("Changes are against January 2026."), "\(text)")
        #expect(text.contains("March 2026 so far: 7 billed min · 2.0 GB.") && !text.contains("93%"), "\(text)")
        #expect(try await panel(desk, id, .zh).contains("2026年3月至今：7 计费分钟 · 2.0 GB。"))
        try await put(desk, id, [("2026-03", 7)])
        let only = try await panel(desk, id)
        #expect(only.contains("March 2026") && only.contains("not over yet"), "\(only)")
    }

    @Test("old use is called old, by its month; use from before the twelve months too, with the way to it")
    func old() async throws {
        let desk = try await PageDesk(customers: 20)
        let id = try #require(try await desk.records().first?.id)
        try await put(desk, id, [("2025-08", 100), ("2025-09", 130)])
        #expect(try await panel(desk, id).contains("Last usage: September 2025, 6 months ago"))
        #expect(try await panel(desk, id, .zh).contains("最近一次使用：2025年9月，6 个月前"))
        try await put(desk, id, [("2024-02", 100), ("2024-03", 130)])
        let text = try await panel(desk, id)
        #expect(text.contains("Last usage: March 2024") && text.contains("No usage in the last twelve months"), "\(text)")
        try await put(desk, id, [])
        let nothing = try await panel(desk, id)
        #expect(!nothing.contains("Last usage") && !nothing.contains("All months"), "\(nothing)")
    }

    @Test("months of any age are on a page of their own, a year each; it is recorded, and shows nothing of other regions")
    func years() async throws {
        let desk = try await PageDesk(customers: 20)
        let records = try await desk.records()
        let id = try #require(records.first { $0.customer.region != nil }?.id)
        try await put(desk, id, [("2019-05", 11), ("2024-12", 222), ("2025-01", 333), ("2026-03", 44), ("unknown", 555)])
        let principal = PageDesk.principal(.agent)
        func text(_ query: String) async throws -> String {
            let answer = try await desk.get("/customers/\(id)/usage\(query)", as: principal)
            #expect(answer.status == 200)
            return answer.text
        }
        let newest = try await text("")
        #expect(newest.contains("March 2026") && newest.contains("?year=2025") && newest.contains("?year=2019"))
        #expect(!newest.contains("December 2024") && !newest.contains("555"))
        #expect(try await desk.lastEvent()?.action == "customers.usage.view")
        let middle = try await text("?year=2024")
        #expect(middle.contains("December 2024") && middle.contains("222"))
        #expect(middle.contains("rel=\"next\" href=\"/customers/\(id)/usage?year=2019\""), "the next year that has some")
        #expect(middle.contains("rel=\"prev\" href=\"/customers/\(id)/usage?year=2025\""))
        #expect(try await text("?year=2019").contains("May 2019"))
        #expect(try await text("?year=2020").contains("No usage in 2020."))
        #expect(try await text("?year=x").contains("March 2026"))
        let elsewhere = PageDesk.principal(.agent, regions: ["nowhere"])
        #expect(try await desk.get("/customers/\(id)/usage", as: elsewhere).status == 404)
    }
}
