import Contracts
import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport

@testable import Insights
@testable import Web

/// A tenant with the Insights module over an invented base; pages are asked for as somebody.
final class Desk: Sendable {
    let test: TestTenant
    let customers: FakeCustomers
    let module: InsightsModule
    private let site: SiteInfo
    private let missedBefore = Set(TemplateMisses.all)
    /// Names that templates asked for and no view had, since this desk was made; the list is shared by all suites.
    var misses: Set<String> { Set(TemplateMisses.all).subtracting(missedBefore) }
    /// Only what these pages need, so that other domains' templates do not matter here.
    private static let pages = Result<Pages, any Error> {
        let folder = NSTemporaryDirectory() + "insights-share-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for target in ["Web", "App", "Insights"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/" + target, withDestinationPath: Checkout.share.root + "/" + target)
        }
        return try Pages(share: ShareFolder(root: folder))
    }

    var tenant: Tenant { test.tenant }

    init(
        _ customers: FakeCustomers, masks: ColumnMasks = ColumnMasks(), unscored: UnscoredCount = UnscoredCount(),
        takenBack: TakenBackCount = TakenBackCount()
    ) async throws {
        test = try await TestTenant(["Insights"])
        self.customers = customers
        module = InsightsModule(customers: customers, masks: masks, unscored: unscored, takenBack: takenBack)
        site = SiteInfo(
            pages: try Self.pages.get(), assets: "/assets/x", navigation: module.navigation,
            permissions: module.permissions, version: "test")
    }

    func text(_ key: String, _ language: Language) -> String { site.pages.texts.text(key, language) }
    func render(_ content: PanelContent, _ language: Language) -> String {
        // As the shell around a panel does.
        site.pages.render(content.template, content.view.merging(["csrf": "csrf", "formKey": "key", "assets": "/assets/x"]), language)
    }

    /// What a role has, platform rights included.
    func principal(_ role: Role, regions: [String]? = nil) -> Principal {
        let rights = (module.permissions + PlatformGrants.all).filter { $0.roles.contains(role) }.map(\.permission)
        return TestTenant.principal(rights, roles: [role], regions: regions)
    }

    func panelRequest(_ ids: [CustomerID], _ principal: Principal, _ language: Language) -> PanelRequest {
        PanelRequest(
            customers: ids, principal: principal, masking: Masking(principal), language: language,
            now: tenant.clock.now(), assets: "/assets/x")
    }

    struct Answer {
        let status: Int
        let location: String?
        let text: String
        let flash: String?
    }

    /// Asks a route of the module; its permission is checked as the gate does.
    func ask(
        _ method: HTTPRequest.Method, _ target: String, form: [(String, String)] = [], as principal: Principal,
        _ language: Language = .en
    ) async throws -> Answer {
        let parts = target.split(separator: "?", maxSplits: 1)
        let tenant = self.tenant
        let table = RouteTable(module.endpoints(site).map { $0.route(tenants: { _ in tenant }, site: self.site) })
        guard case .route(let route, let parameters) = table.match(method, path: String(parts[0])) else {
            throw CRMError.notFound
        }
        guard case .permission(let permission) = route.access else { throw CRMError.loginRequired }
        try principal.require(permission)
        var sent = form + [("_key", UUID().uuidString)]
        // What the page that the form is on would have shown.
        if route.pattern == "/risk/{id}/contact", let id = CustomerID(parameters["id"] ?? "") {
            let week = RiskPages.week(tenant)
            let entry = try await tenant.database.read { try ContactPlanStore.entry(id, week: week, $0) }
            if !form.contains(where: { $0.0 == "revision" }) { sent.append(("revision", ContactEntry.version(of: entry))) }
        }
        let fields = sent.map { (name: $0.0, value: $0.1) }
        let request = WebRequest(
            method: method, path: String(parts[0]),
            query: try Form.parse(parts.count > 1 ? String(parts[1]) : ""), headers: [:], parameters: parameters,
            tenant: "default", requestID: "r", address: "127.0.0.1", language: language, theme: "auto",
            session: SessionState(principal: principal, language: language, theme: nil), csrfToken: "csrf",
            cookieToken: "", nonce: "", purpose: route.purpose,
            body: method == .post ? .form(Form(fields)) : .none)
        let response = try await route.handler(request)
        let body = BodyText()
        try await response.body.write(body)
        let flash = response.headers[values: .setCookie].first { $0.hasPrefix(WebCookie.flash) }
        return Answer(
            status: response.status.code, location: response.headers[.location], text: body.text, flash: flash)
    }

    /// Queues a training and runs everything that follows.
    @discardableResult
    func train() async throws -> Job? {
        let tenant = self.tenant
        let id = try await tenant.database.write {
            try tenant.jobs.enqueue(ChurnTraining.jobKind, payload: #"{"folds":5,"seed":1}"#, by: "王分析", $0)
        }
        try await drain()
        return try await tenant.database.read { try tenant.jobs.job(id, $0) }
    }

    func drain() async throws {
        try await test.drain(handlers: module.eventHandlers(tenant), jobs: module.jobs(tenant))
    }

    func scores() async throws -> [ChurnScore] {
        try await tenant.database.read { session in
            try session.query(ScoreStore.select, [], ScoreStore.score).sorted { $0.customer < $1.customer }
        }
    }

    func models() async throws -> [ModelRecord] {
        try await tenant.database.read { try ModelStore.recent(before: nil, limit: 50, $0) }
    }

    /// Scores written by hand, with a version in use and the day's totals, as a pass would leave them.
    func put(
        _ entries: [(id: Int64, probability: Double, value: Int64, region: String)], reasons: StoredReasons = .none
    )
        async throws
    {
        let tenant = self.tenant
        let model: ModelID = tenant.ids.next()
        let bands = RiskBands(baseRate: 0.265)
        try await tenant.database.write { session in
            _ = try ModelStore.begin(
                id: model, job: nil, at: tenant.clock.now(), by: "test", folds: 5, seed: 1, session)
            try ModelStore.activate(model, session)
            let scores = entries.map { entry in
                ChurnScore(
                    customer: CustomerID(entry.id), model: model, probability: entry.probability,
                    band: bands.band(entry.probability), margin: 0, scoredAt: tenant.clock.now(), reasons: reasons,
                    region: entry.region, monthlyValue: entry.value, currency: "CNY", listed: true)
            }
            for batch in scores.chunked(500) {
                try ScoreStore.write(batch, on: tenant.clock.now().date(), session)
            }
            var totals: [RiskSummaryStore.Key: BandTotals] = [:]
            for score in scores {
                totals[.init(region: score.region, band: score.band), default: BandTotals()].customers += 1
                totals[.init(region: score.region, band: score.band), default: BandTotals()].expectedLoss +=
                    score.expectedLoss
            }
            try RiskSummaryStore.replace(totals, on: tenant.clock.now().date().description, session)
        }
    }

    struct Event {
        let facts: String
        let unmasked: [String]
        let subjects: [Int64]
    }

    func events(_ action: String) async throws -> [Event] {
        try await tenant.database.read { session in
            let rows = try session.query(
                "SELECT id, facts, unmasked FROM platform_audit_event WHERE action = $1 ORDER BY id", [.text(action)]
            ) { ($0.int(0), $0.text(1), $0.text(2)) }
            return try rows.map { id, facts, unmasked in
                Event(
                    facts: facts, unmasked: unmasked.split(separator: ",").map(String.init),
                    subjects: try session.query(
                        "SELECT subject_id FROM platform_audit_subject WHERE event_id = $1 ORDER BY subject_id",
                        [.int(id)]
                    ) { $0.int(0) })
            }
        }
    }

    func outbox(_ type: String) async throws -> [ChurnScored] {
        try await tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = $1 ORDER BY id", [.text(type)]) {
                try JSONDecoder().decode(ChurnScored.self, from: Data($0.text(0).utf8))
            }
        }
    }
}
