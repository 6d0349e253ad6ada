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

@testable import Identity

/// Cheap hashing for tests that are not about its cost.
let cheap = PasswordHasher.Cost(memoryKiB: 64, passes: 1, lanes: 1)

let sentence = "seven grey herons at dawn"
let otherSentence = "a kettle sings behind the door"

/// A tenant with Identity's tables, its log-in, and (on request) its pages behind the real gate.
struct Desk: Sendable {
    let test: TestTenant
    let hasher: PasswordHasher
    let policy: PasswordPolicy
    let grants = PlatformGrants.all + IdentityPermission.grants

    var tenant: Tenant { test.tenant }
    var clock: FrozenClock { test.clock }
    var accounts: Accounts { Accounts(tenant) }
    var admin: IdentityAdmin { IdentityAdmin(hasher: hasher, policy: policy) }
    var logIn: LogIn {
        LogIn(hasher: hasher, policy: policy, tenant: tenant) { entry, principal, session in
            try tenant.audit.record(entry, by: principal, session)
        }
    }
    /// The same log-in over another door to the database.
    func logIn(over database: any Database) -> LogIn {
        let other = Tenant(
            name: tenant.name, database: database, ids: tenant.ids, clock: tenant.clock, blobs: tenant.blobs,
            keys: tenant.keys, logger: tenant.logger)
        return LogIn(hasher: hasher, policy: policy, tenant: other) { entry, principal, session in
            try other.audit.record(entry, by: principal, session)
        }
    }
    var store: IdentitySessions {
        let tenant = self.tenant
        return IdentitySessions(roles: RolePermissions(grants)) { _ in tenant }
    }

    init(
        cost: PasswordHasher.Cost = cheap, policy: PasswordPolicy = .standard(common: []), test: TestTenant? = nil
    ) async throws {
        self.test = if let test { test } else { try await TestTenant(["Identity"]) }
        hasher = PasswordHasher(cost: cost)
        self.policy = policy
    }

    @discardableResult
    func user(_ name: String, _ roles: Set<Role> = [.agent], password: String = sentence) async throws -> UserID {
        try await admin.createUser(name: name, roles: roles, password: password, tenant)
    }

    func origin(_ address: String = "192.0.2.1", cookie: String? = nil) -> LogIn.Origin {
        LogIn.Origin(address: address, agent: "Firefox · Linux", requestID: "r1", cookieToken: cookie)
    }

    /// The token of a new session.
    func start(_ name: String, _ password: String = sentence, from address: String = "192.0.2.1", cookie: String? = nil)
        async throws -> String
    {
        guard
            case .started(let token) = try await logIn.attempt(
                name: name, password: password, from: origin(address, cookie: cookie))
        else { throw CRMError.notFound }
        return token
    }

    /// The code of the error of a log-in, or `ok`.
    func answer(_ name: String, _ password: String, from address: String = "192.0.2.1") async -> String {
        do {
            switch try await logIn.attempt(name: name, password: password, from: origin(address)) {
            case .started: return "ok"
            case .expired: return "expired"
            }
        } catch let error as CRMError {
            return error.code
        } catch {
            return "\(error)"
        }
    }

    /// The rows of the throttle for a folded name.
    func keys(_ name: String, _ address: String = "192.0.2.1") -> Throttle.Keys {
        Throttle.Keys(name: name, address: address, secret: tenant.keys.throttle)
    }

    func resume(_ token: String) async throws -> SessionState? {
        try await store.resume(token: token, tenant: "default", address: "192.0.2.1", requestID: "r2")
    }

    func stored(_ id: UserID) async throws -> String {
        try await tenant.database.read {
            try $0.first("SELECT password_hash FROM identity_user WHERE id = $1", [.id(id)]) { $0.text(0) } ?? ""
        }
    }

    func principal(_ id: UserID, _ roles: Set<Role>) -> Principal {
        Principal(
            tenant: "default", userID: id, userName: "p", roles: Array(roles),
            permissions: RolePermissions(grants).permissions(of: roles), purpose: .administration, address: "192.0.2.1",
            requestID: "r")
    }
}

/// The code of the `CRMError` that `body` throws, `nil` when it throws none.
func code(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch let error as CRMError {
        return error.code
    } catch {
        return "\(error)"
    }
}

/// The pages of Identity behind the real gate, in process; a browser that keeps its cookies.
final class Browser {
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
        var location: String? { headers[.location] }
    }

    /// The templates of these pages only: another domain's broken template is not this domain's failure.
    static let share = Result {
        let root = NSTemporaryDirectory() + "identity-share-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for target in ["Web", "Platform", "Identity"] where !FileManager.default.fileExists(atPath: root + "/" + target)
        {
            try FileManager.default.createSymbolicLink(
                atPath: root + "/" + target, withDestinationPath: Checkout.share.root + "/" + target)
        }
        return ShareFolder(root: root)
    }

    private let gate: Gate
    private var jar: [String: String] = [:]
    private let address: String

    init(_ desk: Desk, address: String = "192.0.2.1") throws {
        self.address = address
        let share = try Self.share.get()
        let pages = try Pages(share: share)
        let module = IdentityModule(
            hasher: desk.hasher, policy: desk.policy, texts: pages.texts,
            customers: CustomerNumbers { number, _ in
                switch number {
                case "C-0003": [CustomerID(3)]
                case "C-2": [CustomerID(1), CustomerID(2)]
                default: []
                }
            })
        let site = SiteInfo(
            pages: pages, assets: "/assets/x", navigation: module.navigation, permissions: desk.grants, version: "test")
        let tenant = desk.tenant
        let table = RouteTable(module.endpoints(site).map { $0.route(tenants: { _ in tenant }, site: site) })
        struct OneTenant: TenantResolver { func tenant(host: String) -> String? { "default" } }
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = 0
        gate = Gate(
            table: table, assets: Assets(share: share, vendorRoot: "/nonexistent"), pages: pages, sessions: desk.store,
            tenants: OneTenant(), settings: settings, hooks: GateHooks(), metrics: Metrics(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func cookie(_ name: String) -> String? { jar[name] }
    func setCookie(_ name: String, _ value: String) { jar[name] = value }

    func get(_ path: String, accept: String = "text/html") async throws -> Answer {
        try await send(.get, path, body: nil, accept: accept)
    }

    /// Sends a form with the CSRF token that belongs to the cookie.
    func post(_ path: String, _ fields: [(String, String)], accept: String = "text/html") async throws -> Answer {
        let token = gate.csrf(jar[WebCookie.session] ?? "")
        var all = fields + [("_csrf", token), ("_key", UUID().uuidString)]
        // A browser has the page of the account, which says which version was seen.
        let page = path.split(separator: "/").prefix(2).joined(separator: "/")
        if ["/roles", "/scope", "/status"].contains(where: path.hasSuffix), !fields.contains(where: { $0.0 == "revision" }) {
            let html = try await get("/" + page).text
            let found = html.firstMatch(of: /name="revision" value="([^"]*)"/).map { String($0.1) }
            all.append(("revision", found ?? "unknown"))
        }
        let body = all.map { "\(Form.encode($0.0))=\(Form.encode($0.1))" }.joined(separator: "&")
        return try await send(.post, path, body: body, accept: accept)
    }

    private func send(_ method: HTTPRequest.Method, _ path: String, body: String?, accept: String) async throws
        -> Answer
    {
        var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:8080", path: path)
        head.headerFields[.accept] = accept
        if method == .post {
            head.headerFields[.contentType] = "application/x-www-form-urlencoded"
            if let name = HTTPField.Name("Origin") { head.headerFields[name] = "http://127.0.0.1:8080" }
        }
        if !jar.isEmpty { head.headerFields[.cookie] = jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let response = await gate.respond(to: request, remoteAddress: address)
        for line in response.headers[values: .setCookie] {
            let pair = line.split(separator: ";")[0].split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            jar[String(pair[0])] = line.contains("Max-Age=0") ? nil : String(pair[1])
        }
        let collector = Collector()
        try await response.body.write(collector)
        return Answer(status: response.status.code, headers: response.headers, text: collector.text)
    }
}

/// Keeps what a response body writes.
private final class Collector: ResponseBodyWriter {
    private var buffer = ByteBuffer()
    var text: String { String(buffer: buffer) }
    func write(_ part: ByteBuffer) async throws { buffer.writeImmutableBuffer(part) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
