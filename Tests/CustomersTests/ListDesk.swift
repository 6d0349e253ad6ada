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

/// The list, edit and attribute pages behind the real gate, over an invented base.
final class ListDesk: Sendable {
    let test: TestTenant
    private let pages: Pages
    static let grants = PlatformGrants.all + CustomerPermissions.grants

    init(customers: Int = 0, seed: UInt64 = 7) async throws {
        test = try await TestTenant(["Customers"])
        pages = try Pages(share: Checkout.share)
        if customers > 0 {
            try await DemoOperator.seed(
                request: SeedRequest(customers: customers, seed: seed) { _, _, _ in }, tenant: test.tenant)
        }
    }

    static func principal(_ role: Role, regions: [String]? = nil) -> Principal {
        TestTenant.principal(
            grants.filter { $0.roles.contains(role) }.map(\.permission), roles: [role], regions: regions)
    }

    private static let token = "a-session-token-of-the-tests"

    struct Answer {
        let status: Int
        let text: String
        let location: String?
        /// Values of all attributes `name="…"` of links and fields, in order.
        func all(_ start: String, _ end: String = "\"") -> [String] {
            text.components(separatedBy: start).dropFirst().compactMap { $0.components(separatedBy: end).first }
        }
        func first(_ start: String) -> String? { all(start).first }
    }

    func get(_ path: String, as principal: Principal, _ language: Language = .en) async throws -> Answer {
        try await ask(.get, path, nil, principal, language)
    }

    func post(_ path: String, _ form: [(String, String)], as principal: Principal) async throws -> Answer {
        try await ask(.post, path, form, principal, .en)
    }

    private func ask(
        _ method: HTTPRequest.Method, _ path: String, _ form: [(String, String)]?, _ principal: Principal,
        _ language: Language
    ) async throws -> Answer {
        let tenant = test.tenant
        let site = SiteInfo(
            pages: pages, assets: "/assets/x", navigation: CustomersModule().navigation, permissions: Self.grants,
            version: "test")
        let endpoints = CustomersModule().endpoints(site) + CustomerPages.endpoints { CustomerPanels.all($0) }
        let table = RouteTable(endpoints.map { $0.route(tenants: { _ in tenant }, site: site) })
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = 0
        let gate = Gate(
            table: table, assets: Assets(share: Checkout.share, vendorRoot: "/nonexistent"), pages: pages,
            sessions: Everybody(principal: principal, language: language), tenants: OneTenant(), settings: settings,
            hooks: GateHooks(), metrics: Metrics(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:8080", path: path)
        head.headerFields[.accept] = "text/html"
        head.headerFields[.cookie] = "\(WebCookie.session)=\(Self.token)"
        var body = ByteBuffer()
        if let form {
            let own = [("_csrf", gate.csrf(Self.token))] + (form.contains { $0.0 == "_key" } ? [] : [("_key", Self.key())])
            let fields = (form + own).map { (name: $0.0, value: $0.1) }
            body = ByteBuffer(string: Form(fields).encoded)
            head.headerFields[.contentType] = "application/x-www-form-urlencoded"
            head.headerFields[.origin] = "http://127.0.0.1:8080"
            head.headerFields[.contentLength] = String(body.readableBytes)
        }
        let response = await gate.respond(
            to: Request(head: head, body: RequestBody(buffer: body)), remoteAddress: "192.0.2.1")
        let collector = ListBody()
        try await response.body.write(collector)
        return Answer(
            status: response.status.code, text: collector.text, location: response.headers[.location])
    }

    /// As a form is rendered with.
    private static func key() -> String { UUID().uuidString }

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

    func record(_ id: CustomerID) async throws -> CustomerRecord? {
        try await test.tenant.database.read { try CustomerLoader.record(id, $0) }
    }

    func lastAudit(_ action: String) async throws -> (unmasked: String, facts: String, subjects: Int)? {
        try await test.tenant.database.read { session in
            try session.first(
                """
                SELECT e.unmasked, e.facts, (SELECT COUNT(*) FROM platform_audit_subject s WHERE s.event_id = e.id)
                FROM platform_audit_event e WHERE e.action = $1 ORDER BY e.id DESC LIMIT 1
                """, [.text(action)]
            ) { ($0.text(0), $0.text(1), $0.integer(2)) }
        }
    }
}

private final class ListBody: ResponseBodyWriter {
    private var buffer = ByteBuffer()
    var text: String { String(buffer: buffer) }
    func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
