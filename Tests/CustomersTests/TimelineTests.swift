import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("timeline and bills, page by page")
struct TimelineTests {
    private static func walk(_ desk: PageDesk, _ path: String) async throws -> [String] {
        var pages: [String] = []
        var next: String? = path
        while let path = next, pages.count < 50 {
            let answer = try await desk.get(path, as: PageDesk.principal(.agent))
            #expect(answer.status == 200)
            pages.append(answer.text)
            next = answer.text.firstMatch(of: /rel="next" href="([^"]+)"/).map {
                String($0.output.1).replacingOccurrences(of: "&amp;", with: "&")
            }
        }
        return pages
    }

    private static func titles(_ pages: [String]) -> [String] {
        pages.flatMap { page in page.matches(of: /<p><strong>([^<]+)<\/strong><\/p>/).map { String($0.output.1) } }
    }

    /// A customer of seven years, with more events than two pages hold.
    private static func old(_ desk: PageDesk) async throws -> CustomerRecord {
        let tenant = desk.tenant
        let today = tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: .individual, displayName: "王小明"),
            customer: Customer(
                region: "浙江", since: today.adding(months: -84), currency: "CNY", source: "test",
                createdAt: tenant.clock.now()))
        record.subscriptions = [
            Subscription(
                id: tenant.ids.next(), service: .mobile, plan: "5G-99", startedOn: today.adding(months: -84),
                currency: "CNY")
        ]
        let stored = record
        let charges = (1...84).map { month -> (CustomerID, Charge) in
            let issued = today.adding(months: -month)
            return (
                stored.id,
                Charge(
                    id: tenant.ids.next(), kind: .bill, period: issued.yearMonth, amount: Int64(month) * 100,
                    currency: "CNY", issuedOn: issued, dueOn: issued.adding(days: 15),
                    // Bills of one month are paid on one day, so that days have several events.
                    paidOn: issued.adding(days: 10))
            )
        }
        let history = (1...40).map { step in
            (
                stored.id,
                SubscriptionChange(
                    id: tenant.ids.next(), subscription: stored.subscriptions[0].id,
                    on: today.adding(months: -(step / 2)), from: step % 2 == 0 ? .active : .suspended,
                    to: step % 2 == 0 ? .suspended : .active, reason: nil)
            )
        }
        try await tenant.database.write { session in
            let writer = try CustomerWriter(ids: tenant.ids, session)
            try writer.insert([stored], session)
            try writer.append(charges, session)
            try writer.append(history, session)
        }
        return stored
    }

    @Test("every event is on exactly one page, newest first, whatever is shown")
    func pages() async throws {
        let desk = try await PageDesk(customers: 0)
        let record = try await Self.old(desk)
        let path = "/customers/\(record.id)/timeline"
        let all = try await Self.walk(desk, path)
        // 84 bills, 84 payments, 40 changes of the line, its start, the record.
        #expect(Self.titles(all).count == 210)
        #expect(all.count == 5)
        let days = all.flatMap { page in
            page.matches(of: /<li class="tl-day">([^<]+)<\/li>/).map { String($0.output.1) }
        }
        #expect(days == days.sorted(by: >))
        for (kind, count) in [("bill", 84), ("payment", 84), ("line", 41), ("record", 1), ("outcome", 0)] {
            let some = try await Self.walk(desk, "\(path)?show=\(kind)")
            let titles = Self.titles(some)
            #expect(titles.count == count, "\(kind)")
            if kind == "bill" { #expect(Set(titles).count == 84) }
        }
        // The kinds are those of the whole time, not of the page.
        #expect(all[0].contains("show=record") && all[0].contains("show=line"))
        #expect(!all[0].contains("show=outcome"))
        let broken = try await desk.get("\(path)?before=x.y", as: PageDesk.principal(.agent))
        #expect(broken.status == 200)
    }

    @Test("older bills are behind a link, a page at a time")
    func bills() async throws {
        let desk = try await PageDesk(customers: 0)
        let record = try await Self.old(desk)
        let page = try await desk.get("/customers/\(record.id)", as: PageDesk.principal(.agent))
        #expect(page.text.contains("/customers/\(record.id)/charges"))
        let pages = try await Self.walk(desk, "/customers/\(record.id)/charges")
        let amounts = pages.flatMap { $0.matches(of: /¥\d+\.00/).map { String($0.output) } }
        #expect(amounts.count == 84 && Set(amounts).count == 84)
        #expect(pages.count == 2)
        #expect(try await desk.lastEvent()?.action == "customers.charge.view")
        let elsewhere = PageDesk.principal(.agent, regions: ["x"])
        #expect(try await desk.get("/customers/\(record.id)/charges", as: elsewhere).status == 404)
        #expect(
            try await desk.get("/customers/\(record.id)/charges", as: PageDesk.principal(.auditor)).status == 403)
    }

    @Test("changes are told with what was changed; by whom, to those who may know")
    func changes() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        let supervisor = ListDesk.principal(.supervisor)
        _ = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_city", "杭州"), ("f_plan", "5G-299")], as: supervisor)
        _ = try await desk.post(
            "/customers/\(id)/edit", [("revision", "2"), ("f_status", "suspended")], as: supervisor)
        let seen = try await desk.get("/customers/\(id)/timeline?show=record", as: supervisor)
        #expect(seen.text.contains("Record changed") && seen.text.contains("City, Plan"))
        #expect(seen.text.contains("Status: Active → Suspended"))
        #expect(seen.text.contains("by \(supervisor.userName)"))
        let agent = try await desk.get("/customers/\(id)/timeline?show=record", as: ListDesk.principal(.agent))
        #expect(agent.text.contains("City, Plan") && !agent.text.contains("by \(supervisor.userName)"))
        #expect(!seen.text.contains("import"))
        desk.test.clock.advance(days: 1)
        try await desk.test.tenant.database.write { [target = CustomerImportTarget(desk.test.tenant)] session in
            _ = try target.importer(ImportOptions(matchKey: "msisdn", source: "t"), principal: supervisor).applyWhole(
                [ImportRow(line: 1, values: ["msisdn": .text("+8613812345678"), "city": .text("宁波")])], session)
        }
        let imported = try await desk.get("/customers/\(id)/timeline?show=record", as: supervisor)
        #expect(imported.text.contains("Last updated by an import"))
        let kept = try await desk.test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM customers_change") }
        #expect(kept == 2)
        let chinese = try await desk.get("/customers/\(id)/timeline", as: supervisor, .zh)
        #expect(chinese.text.contains("客户状态：在网 → 停机") && chinese.text.contains("城市、套餐"))
    }
}
