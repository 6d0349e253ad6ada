import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Orders

@Suite("Products and orders on the customer page")
struct PanelTests {
    let desk: OrdersDesk

    init() async throws { desk = try await OrdersDesk() }

    private func show(_ customers: [Int64], _ principal: Principal, _ language: Language) async throws -> (html: String, content: PanelContent)? {
        let request = PanelRequest(
            customers: customers.map { CustomerID($0) }, principal: principal, masking: Masking(principal), language: language,
            now: desk.test.clock.now(), assets: "/assets/x")
        let panel = try #require(desk.module.panels(desk.test.tenant).first)
        guard let content = try await desk.test.tenant.database.read({ try panel.load(request, $0) }) else { return nil }
        return (try Pages(share: Checkout.share).render(content.template, content.view, language), content)
    }

    private func fill() async throws {
        let line = #","product":{"realizingResource":[{"id":"r","value":"13812345678"}]}"#
        let order = try await desk.order(desk.add("1", nil, line) + "," + desk.add("2", desk.tv), #","externalId":"EXT-1""#)
        try await desk.lead(order.id, "inProgress", "completed")
        desk.test.clock.advance(seconds: 60)
        for number in 2...8 { _ = try await desk.order(desk.add("1"), #","externalId":"EXT-\#(number)""#) }
    }

    @Test("it shows what the customer has and what is on its way, in both languages, and hides numbers from those who may not see them")
    func shown() async throws {
        let all = [OrdersPermissions.viewProducts, OrdersPermissions.viewOrders]
        #expect(try await show([11], TestTenant.principal(all), .en) == nil, "nothing to show is no panel")
        try await fill()
        for (language, words) in [(Language.en, ["Active", "Acknowledged", "New", "€29.95 / month"]), (.zh, ["使用中", "已受理", "新装", "€29.95／月"])] {
            let masked = try #require(try await show([11], TestTenant.principal(all), language))
            for word in words + ["Fibre 100", "TV", "EXT-8"] {
                #expect(masked.html.contains(word), "\(word) in \(masked.html)")
            }
            #expect(!masked.html.contains("13812345678") && !masked.html.contains("[[") && masked.content.unmasked == [])
            #expect(masked.html.components(separatedBy: "EXT-").count == 7, "six orders, the newest")
            let whole = try #require(try await show([11, 12], TestTenant.principal(all + [Masking.seeContacts]), language))
            #expect(whole.html.contains("13812345678") && whole.content.unmasked == ["number"])
        }
        let half = try #require(try await show([11], TestTenant.principal([OrdersPermissions.viewProducts]), .en))
        #expect(half.html.contains("Fibre 100") && !half.html.contains("EXT-"))
        #expect(try await show([12], TestTenant.principal(all), .en) == nil)
    }

    @Test("orders are in the timeline once each, newest first, whatever the pages' size; not for those who may not see them")
    func timeline() async throws {
        try await fill()
        let source = try #require(desk.module.timeline.first)
        let principal = TestTenant.principal([OrdersPermissions.viewOrders])
        let ids = [11, 12].map { CustomerID($0) }
        let whole = try await desk.test.tenant.database.read { try source.entries(ids, behind: nil, limit: 100, for: principal, $0) }
        #expect(whole.count == 8 && Set(whole.map(\.key)).count == 8 && whole.map(\.at) == whole.map(\.at).sorted(by: >))
        #expect(whole.last?.title == Words(en: "Order: New Fibre 100 +1", zh: "订单：新装 Fibre 100 +1"))
        #expect(whole.last?.note.en == "EXT-1 · Completed" && whole.last?.tone == "ok")
        for limit in 1...3 {
            var paged: [TimelineEntry] = []
            while paged.count < 20 {
                let place = paged.last?.place
                let page = try await desk.test.tenant.database.read { try source.entries(ids, behind: place, limit: limit, for: principal, $0) }
                if page.isEmpty { break }
                paged += page
            }
            #expect(paged == whole)
        }
        let nobody = try await desk.test.tenant.database.read { try source.entries(ids, behind: nil, limit: 9, for: TestTenant.principal([]), $0) }
        #expect(nobody.isEmpty)
    }
}
