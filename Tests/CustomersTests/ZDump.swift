import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("zdump")
struct ZDump {
    @Test("dump", .enabled(if: ProcessInfo.processInfo.environment["CUP_DUMP"] != nil))
    func dump() async throws {
        let folder = ProcessInfo.processInfo.environment["CUP_DUMP"] ?? "/tmp/cup-dump"
        let (desk, _) = try await DashboardTests.desk(1500)
        let records = try await desk.records()
        func write(_ name: String, _ text: String) throws { try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
        let person = try PageTests.someone(records)
        let gone = try #require(records.first { $0.outcome != nil && $0.party.kind == .individual })
        let company = try #require(records.first { $0.party.kind == .organisation && $0.subscriptions.count > 12 } ?? records.first { $0.party.kind == .organisation })
        let household = try #require(records.first { $0.customer.segment == "family" && $0.customer.status == .active })
        for language in Language.allCases {
            try write("person-\(language).html", try await desk.get("/customers/\(person.id)", as: PageDesk.principal(.agent), language).text)
            try write("gone-\(language).html", try await desk.get("/customers/\(gone.id)", as: PageDesk.principal(.supervisor), language).text)
            try write("company-\(language).html", try await desk.get("/customers/\(company.id)", as: PageDesk.principal(.supervisor), language).text)
            try write("household-\(language).html", try await desk.get("/customers/\(household.id)", as: PageDesk.principal(.agent), language).text)
            try write("timeline-\(language).html", try await desk.get("/customers/\(person.id)/timeline", as: PageDesk.principal(.agent), language).text)
            let pages = try Pages(share: Checkout.share)
            let principal = PageDesk.principal(.analyst)
            let request = PanelRequest(customers: [], principal: principal, masking: Masking(principal), language: language, now: desk.tenant.clock.now(), assets: "/assets/x")
            let cards = CustomerDashboard.cards(desk.tenant)
            let shown = try await desk.tenant.database.read { session in try cards.compactMap { card in try card.load(request, session).map { (card, $0) } } }
            let views = shown.map { card, content in
                content.view.merging(["template": .text(content.template), "cardTitle": .text(pages.texts.text(card.title, language)), "wide": .bool(card.wide), "cardName": .text(card.name)])
            }
            let html = pages.render("app/home", ["cards": .list(views), "empty": false, "assets": "/assets/x", "title": "home", "lang": .text(language.tag), "theme": "light", "density": "normal", "rail": "wide", "isZh": .bool(language == .zh), "loggedIn": false, "nav": .list([]), "shortcuts": true, "maySearch": false, "flash": .absent, "path": "/", "csrf": "x", "nonce": "", "otherLang": "zh"], language)
            try write("home-\(language).html", html)
        }
        print("misses", TemplateMisses.all)
    }

    @Test("bench", .enabled(if: ProcessInfo.processInfo.environment["CUP_BENCH"] != nil))
    func bench() async throws {
        let count = Int(ProcessInfo.processInfo.environment["CUP_BENCH"] ?? "") ?? 10_000
        let test = try await TestTenant(["Customers"])
        let clock = ContinuousClock()
        func seconds(_ start: ContinuousClock.Instant) -> Double {
            let spent = start.duration(to: clock.now)
            return Double(spent.components.seconds) + Double(spent.components.attoseconds) * 1e-18
        }
        var base = DemoBase(seed: 3, today: LocalDate(daysSinceEpoch: 20_514))
        var start = clock.now
        _ = base.take(10_000)
        print("generate only: \(10_000 / seconds(start)) customers/s")
        start = clock.now
        let last = Mutex((0, start))
        try await DemoOperator.seed(request: SeedRequest(customers: count, seed: 3) { done, _, _ in
            if done % 10_000 == 0 {
                last.withLock { state in
                    let now = clock.now
                    let spent = state.1.duration(to: now)
                    let sec = Double(spent.components.seconds) + Double(spent.components.attoseconds) * 1e-18
                    print("\(done): \(Double(done - state.0) / sec) customers/s")
                    state = (done, now)
                }
            }
        }, tenant: test.tenant)
        print("seed \(count): \(Double(count) / seconds(start)) customers/s")
        try await test.tenant.database.write { session in
            _ = try session.execute("UPDATE customers_listing SET risk = (customer_id / 4194304 % 1000) / 1000.0, band = CASE WHEN customer_id / 4194304 % 4 = 0 THEN 'low' ELSE 'high' END WHERE leave_reason = ''")
        }
        let principal = PageDesk.principal(.analyst)
        let tenant = test.tenant
        let request = PanelRequest(customers: [], principal: principal, masking: Masking(principal), language: .zh, now: tenant.clock.now(), assets: "/a")
        for round in 0..<2 {
            for card in CustomerDashboard.cards(tenant) {
                start = clock.now
                _ = try await tenant.database.read { try card.load(request, $0)?.template }
                print("card \(card.name) round \(round): \(seconds(start) * 1_000) ms")
            }
        }
        // Pages.
        let pages = try Pages(share: Checkout.share)
        let ids = try await tenant.database.read { try $0.query("SELECT id FROM customers_customer ORDER BY id LIMIT 3000") { $0.id(0, PartyKind.self) } }
        let panels = CustomerPanels.all(tenant)
        var times: [Double] = []
        var per: [String: Double] = [:]
        for id in ids {
            start = clock.now
            let parts = try await tenant.database.read { session in
                let set = try CustomerPages.reachable(id, principal, session)
                let about = request.about(set)
                let head = try PageHeadView.load(about, today: request.now.date(), session)
                var result: [(String, Double, PanelContent?)] = []
                for panel in panels {
                    let s = clock.now
                    let content = try panel.load(about, session)
                    let spent = s.duration(to: clock.now)
                    result.append((panel.name, Double(spent.components.attoseconds) * 1e-15, content))
                }
                return (head, result)
            }
            times.append(seconds(start) * 1_000)
            for part in parts.1 { per[part.0, default: 0] += part.1 }
        }
        times.sort()
        print("page read+views p50 \(times[times.count / 2]) p99 \(times[times.count * 99 / 100]) ms", per.mapValues { $0 / Double(ids.count) })
        let desk = BenchDesk(tenant: tenant, pages: pages)
        var whole: [Double] = []
        for id in ids.prefix(1_000) {
            start = clock.now
            let answer = try await desk.get("/customers/\(id)")
            whole.append(seconds(start) * 1_000)
            #expect(answer > 5_000)
        }
        whole.sort()
        print("page whole (audit, render) p50 \(whole[whole.count / 2]) p99 \(whole[whole.count * 99 / 100]) ms")
    }
}
import Crypto
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

struct BenchDesk {
    let tenant: Tenant
    let pages: Pages
    func get(_ path: String) async throws -> Int {
        let tenant = self.tenant
        let site = SiteInfo(pages: pages, assets: "/assets/x", navigation: [], permissions: PageDesk.grants, version: "test")
        let endpoint = CustomerPages.endpoints { CustomerPanels.all($0) }[0].route(tenants: { _ in tenant }, site: site)
        let table = RouteTable([endpoint])
        struct One: TenantResolver { func tenant(host: String) -> String? { "default" } }
        struct All: SessionStore { func resume(token: String, tenant: String, address: String, requestID: String) async throws -> SessionState? { SessionState(principal: PageDesk.principal(.agent), language: .zh, theme: nil) } }
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = 0
        let gate = Gate(table: table, assets: Assets(share: Checkout.share, vendorRoot: "/nonexistent"), pages: pages, sessions: All(), tenants: One(), settings: settings, hooks: GateHooks(), metrics: Metrics(), logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        var head = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:8080", path: path)
        head.headerFields[.accept] = "text/html"
        head.headerFields[.cookie] = "\(WebCookie.session)=\(String(repeating: "a", count: 43))"
        let response = await gate.respond(to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), remoteAddress: "192.0.2.1")
        return response.body.contentLength ?? 0
    }
}
