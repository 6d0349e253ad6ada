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
import Testing
import Web

@testable import Identity

/// Identity's routes and a few for programs behind the real gate, in process.
struct ProgramDesk: Sendable {
    let desk: Desk
    let memory = TokenMemory()
    let gate: Gate
    let scopes = [
        APIScope("ping:read", Words(en: "Ping", zh: "测试"), permissions: [Permission("test.ping")]),
        APIScope("users:read", Words(en: "Users", zh: "用户"), permissions: [IdentityPermission.view]),
    ]

    let tenant: Tenant
    /// What the requests asked of the database.
    let counting: CountingDatabase
    var clock: FrozenClock { desk.clock }
    var admin: ClientAdmin { ClientAdmin(scopes: scopes, memory: memory) }

    init(_ desk: Desk? = nil, requestsPerSecond: Double = 0) async throws {
        let desk = if let desk { desk } else { try await Desk() }
        self.desk = desk
        let counting = CountingDatabase(desk.tenant.database)
        self.counting = counting
        let tenant = Tenant(
            name: desk.tenant.name, database: counting, ids: desk.tenant.ids, clock: desk.clock,
            blobs: desk.tenant.blobs,
            keys: desk.tenant.keys, logger: desk.tenant.logger)
        self.tenant = tenant
        let share = try Browser.share.get()
        let pages = try Pages(share: share)
        let module = IdentityModule(hasher: desk.hasher, policy: desk.policy, texts: pages.texts, memory: memory)
        let grants =
            desk.grants + [PermissionGrant(Permission("test.ping"), Words(en: "Ping", zh: "测试"), roles: [.agent])]
        let site = SiteInfo(
            pages: pages, assets: "/assets/x", navigation: module.navigation, permissions: grants, scopes: scopes,
            version: "test")
        let ping = Route.Access.permission(Permission("test.ping"))
        let own = [
            Endpoint(.get, "/api/ping", ping, trace: .none, scope: "ping:read") { call in
                let principal = try call.principal()
                return .text(
                    "\(principal.userName) \(principal.scopes?.sorted() ?? []) \(principal.permissions.map(\.rawValue).sorted())"
                )
            },
            Endpoint(.post, "/api/ping", ping, body: .json, trace: .change, effect: .asSent, scope: "ping:read") {
                call in
                try await call.change { session in
                    try call.record(AuditEntry("identity.user.view"), session)
                    return .text("\(call.request.csrfToken.isEmpty)")
                }
            },
            Endpoint(.get, "/tmf-api/ping", ping, trace: .none, scope: "ping:read") { _ in .text("tmf") },
            Endpoint(.get, "/api/users", .permission(IdentityPermission.view), trace: .none, scope: "users:read") { _ in
                .text("users")
            },
            Endpoint(.get, "/api/regions", ping, trace: .none, scope: "ping:read") { call in
                .text(try call.principal().scope.regions?.joined(separator: ",") ?? "all")
            },
            Endpoint(.get, "/api/people", ping, trace: .none) { _ in .text("people") },
        ]
        let table = RouteTable((module.endpoints(site) + own).map { $0.route(tenants: { _ in tenant }, site: site) })
        struct OneTenant: TenantResolver { func tenant(host: String) -> String? { "default" } }
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = requestsPerSecond
        let roles = RolePermissions(grants)
        gate = Gate(
            table: table, assets: Assets(share: share, vendorRoot: "/nonexistent"), pages: pages,
            sessions: IdentitySessions(roles: roles) { _ in tenant },
            tokens: ProgramCallers(roles: roles, scopes: scopes, memory: memory) { _ in tenant }, tenants: OneTenant(),
            settings: settings, hooks: GateHooks(), metrics: Metrics(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
        var challenge: String { headers[.wwwAuthenticate] ?? "" }
        var object: [String: JSONValue] { (try? JSONValue.parse(Array(text.utf8)).object) ?? [:] }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: [(String, String)] = [], body content: String = "",
        from address: String = "192.0.2.1"
    ) async throws -> Answer {
        var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:8080", path: path)
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { head.headerFields.append(HTTPField(name: name, value: value)) }
        }
        if !content.isEmpty { head.headerFields[.contentLength] = String(content.utf8.count) }
        let response = await gate.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: content))), remoteAddress: address)
        let body = ProgramBody()
        try await response.body.write(body)
        return Answer(status: response.status.code, headers: response.headers, text: body.text)
    }

    func get(_ path: String, token: String, from address: String = "192.0.2.1") async throws -> Answer {
        try await send(.get, path, headers: [("Authorization", "Bearer " + token)], from: address)
    }

    /// Asks for a token as a program does.
    func ask(
        _ id: String, _ secret: String, _ more: String = "", from address: String = "192.0.2.1"
    ) async throws -> Answer {
        let basic = Data("\(id):\(secret)".utf8).base64EncodedString()
        return try await send(
            .post, "/oauth/token",
            headers: [("Authorization", "Basic " + basic), ("Content-Type", "application/x-www-form-urlencoded")],
            body: "grant_type=client_credentials" + more, from: address)
    }

    func token(_ id: String, _ secret: String, from address: String = "192.0.2.1") async throws -> String {
        let answer = try await ask(id, secret, from: address)
        guard answer.status == 200, let token = answer.object["access_token"]?.string else {
            throw CRMError.badRequest("no_token", Words(en: answer.text, zh: answer.text))
        }
        return token
    }

    func client(
        _ name: String = "billing", _ scopes: [String] = ["ping:read"], days: Int = 30, addresses: [String] = [],
        rate: Int? = nil, regions: [String]? = nil
    ) async throws -> ClientAdmin.Credentials {
        try await admin.create(
            name: name, scopes: scopes, days: days, addresses: addresses, rate: rate, regions: regions, tenant)
    }

    /// Actions of the audit, with a sign before those that were refused, in order.
    func audit() async throws -> [String] {
        try await tenant.database.read { session in
            try session.query("SELECT action, refused, actor_name FROM platform_audit_event ORDER BY id") {
                ($0.bool(1) ? "!" : "") + $0.text(0) + " by " + $0.text(2)
            }
        }
    }
}

/// Keeps what a response body writes.
private final class ProgramBody: ResponseBodyWriter {
    private var buffer = ByteBuffer()
    var text: String { String(buffer: buffer) }
    func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// 401 in the words of RFC 6750, without a cookie.
func refused(
    _ answer: ProgramDesk.Answer, _ words: String = "", at place: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == 401, "\(words) \(answer.text)", sourceLocation: place)
    #expect(
        answer.challenge.hasPrefix(#"Bearer realm="switchboard", error="invalid_token""#),
        "\(words) \(answer.challenge)",
        sourceLocation: place)
    #expect(answer.headers[values: .setCookie].isEmpty, "\(words)", sourceLocation: place)
}
