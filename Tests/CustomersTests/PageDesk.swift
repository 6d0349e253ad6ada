import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
import Platform
import Storage
import TestSupport
import Web

@testable import Customers

/// A tenant with an invented base and the customer pages behind the real gate; who asks is said with each request.
final class PageDesk: Sendable {
    let test: TestTenant
    private let pages: Pages
    private let extra: [CustomerPanel]
    private let timeline: [any TimelineSource]
    static let grants = PlatformGrants.all + CustomerPermissions.grants

    var tenant: Tenant { test.tenant }

    /// - Parameters:
    ///   - extra: panels of other modules.
    ///   - timeline: what other modules add to the timeline.
    init(
        customers: Int = 60, seed: UInt64 = 7, extra: [CustomerPanel] = [], timeline: [any TimelineSource] = []
    ) async throws {
        test = try await TestTenant(["Customers"])
        pages = try Pages(share: Checkout.share)
        self.extra = extra
        self.timeline = timeline
        if customers > 0 {
            try await DemoOperator.seed(
                request: SeedRequest(customers: customers, seed: seed) { _, _, _ in }, tenant: test.tenant)
        }
    }

    static func principal(_ role: Role, regions: [String]? = nil, more: [Permission] = []) -> Principal {
        let permissions = grants.filter { $0.roles.contains(role) }.map(\.permission) + more
        return TestTenant.principal(permissions, roles: [role], regions: regions)
    }

    struct Answer {
        let status: Int
        let text: String
    }

    func get(_ path: String, as principal: Principal, _ language: Language = .en) async throws -> Answer {
        let tenant = self.tenant
        let extra = self.extra
        let timeline = self.timeline
        let site = SiteInfo(
            pages: pages, assets: "/assets/x", navigation: [], permissions: Self.grants, version: "test")
        let endpoints = CustomerPages.endpoints(timeline: timeline) { tenant in
            CustomersModule(timeline: timeline).panels(tenant) + extra
        }
        let table = RouteTable(endpoints.map { $0.route(tenants: { _ in tenant }, site: site) })
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = 0
        let gate = Gate(
            table: table, assets: Assets(share: Checkout.share, vendorRoot: "/nonexistent"), pages: pages,
            sessions: Everybody(principal: principal, language: language), tenants: OneTenant(), settings: settings,
            hooks: GateHooks(), metrics: Metrics(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var head = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:8080", path: path)
        head.headerFields[.accept] = "text/html"
        head.headerFields[.cookie] = "\(WebCookie.session)=\(String(repeating: "a", count: 43))"
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let response = await gate.respond(to: request, remoteAddress: "192.0.2.1")
        let collector = BodyText()
        try await response.body.write(collector)
        return Answer(status: response.status.code, text: collector.text)
    }

    private struct OneTenant: TenantResolver {
        func tenant(host: String) -> String? { "default" }
    }

    private struct Everybody: SessionStore {
        let principal: Principal
        let language: Language
        func resume(token: String, tenant: String, address: String, requestID: String) async throws -> SessionState? {
            SessionState(principal: principal, language: language, theme: nil)
        }
    }

    /// The seeded customers with all their parts.
    func records() async throws -> [CustomerRecord] {
        try await tenant.database.read { session in
            let ids = try session.query("SELECT id FROM customers_customer ORDER BY id") { $0.id(0, PartyKind.self) }
            return try CustomerLoader.records(ids, session)
        }
    }

    struct Event {
        let action: String
        let unmasked: [String]
        let subjects: [Int64]
    }

    func lastEvent() async throws -> Event? {
        try await tenant.database.read { session in
            let event = try session.first(
                "SELECT id, action, unmasked FROM platform_audit_event ORDER BY id DESC LIMIT 1"
            ) { ($0.int(0), $0.text(1), $0.text(2)) }
            guard let event else { return nil }
            let subjects = try session.query(
                "SELECT subject_id FROM platform_audit_subject WHERE event_id = $1 ORDER BY subject_id", [.int(event.0)]
            ) { $0.int(0) }
            return Event(
                action: event.1, unmasked: event.2.split(separator: ",").map(String.init), subjects: subjects)
        }
    }
}

/// Keeps what a response body writes.
private final class BodyText: ResponseBodyWriter {
    private var buffer = ByteBuffer()
    var text: String { String(buffer: buffer) }
    func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
