import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Web

/// Everything that was logged, as text.
final class LogCapture: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var logger: Logger { Logger(label: "test") { _ in Handler(capture: self) } }

    private struct Handler: LogHandler {
        let capture: LogCapture
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            capture.add(
                "\(event.level) \(event.message) " + all.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            )
        }
    }
}

/// Knows two people by their tokens.
struct FakeSessions: SessionStore {
    static let agent = String(repeating: "a", count: 43)
    static let guest = String(repeating: "g", count: 43)

    /// The tokens that were asked for, in all tests of the process.
    static let lookedUp = LogCapture()

    func resume(token: String, tenant: String, address: String, requestID: String) async throws -> SessionState? {
        Self.lookedUp.add(token)
        let permissions: Set<Permission>
        switch token {
        case Self.agent: permissions = [Permission("customers.view")]
        case Self.guest: permissions = []
        default: return nil
        }
        return SessionState(
            principal: Principal(
                tenant: tenant, userID: UserID(token == Self.agent ? 7 : 8), userName: "tester", roles: [.agent],
                permissions: permissions, purpose: .service, address: address, requestID: requestID),
            language: nil, theme: nil)
    }
}

struct LocalTenants: TenantResolver {
    func tenant(host: String) -> String? {
        host.hasPrefix("127.0.0.1") || host.hasPrefix("localhost") ? "default" : nil
    }
}

/// A served site with a few routes.
struct TestSite: Sendable {
    let http: RawHTTP
    let log: LogCapture
    let gate: Gate
    let refusals: LogCapture

    /// An error nobody mapped.
    struct Unforeseen: Error, CustomStringConvertible { let description = "secret-detail-of-the-failure" }

    static var routes: [Route] {
        let view = Route.Access.permission(Permission("customers.view"))
        return [
            Route(.get, "/", .anonymous, trace: .none) { .html("<p>\(WebCookie.flash) \($0.csrfToken)</p>") },
            Route(.get, "/login", .anonymous, trace: .none) { _ in .html("log in") },
            Route(.get, "/health", .anonymous, trace: .none) { _ in .text("ok") },
            Route(.get, "/probe", .anonymous, trace: .none, isProbe: true) { _ in .text("ok") },
            Route(.get, "/me", .authenticated, trace: .none) { .text(try $0.principal().userName) },
            Route(.get, "/customers/{id}", view, trace: .view) { .text("customer \($0.parameters["id"] ?? "")") },
            Route(.post, "/customers", view, body: .form(["name", "tag*"]), trace: .change) {
                .text("form \($0.form.fields.count)")
            },
            Route(.post, "/api", view, body: .json, trace: .change) { request in
                guard case .json(let value) = request.body else { throw CRMError.notFound }
                return .json(value)
            },
            Route(.delete, "/customers/{id}", view, trace: .change) { _ in .text("gone") },
            Route(.post, "/login", .anonymous, body: .form(["name"]), trace: .none) { _ in .redirect("/") },
            Route(.get, "/crash", .anonymous, trace: .none) { _ in throw Unforeseen() },
            Route(.get, "/slow", .anonymous, trace: .none) { _ in
                try await Task.sleep(for: .seconds(60))
                return .text("late")
            },
            Route(.post, "/upload", view, body: .upload, trace: .change) { request in
                guard case .upload(let body) = request.body else { throw CRMError.notFound }
                var count = 0
                for try await chunk in body { count += chunk.readableBytes }
                return .text("\(count)")
            },
            Route(.get, "/page", .anonymous, trace: .none) { _ in
                .text(String(repeating: "0123456789abcdef", count: 196_608) + "END")
            },
            Route(.get, "/download", .anonymous, trace: .none) { _ in
                WebResponse.download(name: "all.csv", type: "text/csv") {
                    var pieces = 1_000
                    return {
                        pieces -= 1
                        return pieces < 0 ? nil : [UInt8](repeating: 120, count: 65_536)
                    }
                }
            },
            Route(.get, "/echo", .anonymous, trace: .none) { request in
                WebResponse.redirect("/x" + (request.query["to"] ?? "")).flash(request.query["to"] ?? "")
            },
        ]
    }

    /// Serves for the time of `body` on a free port of 127.0.0.1.
    static func run(
        _ change: (inout GateSettings) -> Void = { _ in }, limits: ConnectionLimits = ConnectionLimits(),
        turns: Turns? = nil,
        _ body: @escaping @Sendable (TestSite) async throws -> Void
    ) async throws {
        let share = try TemporaryShare(["Web/Assets/a.css": "body{}"])
        defer { share.remove() }
        try FileManager.default.createSymbolicLink(
            atPath: share.root + "/Web/Templates", withDestinationPath: Checkout.root + "/Sources/Web/Templates")
        try FileManager.default.createSymbolicLink(
            atPath: share.root + "/Web/Texts", withDestinationPath: Checkout.root + "/Sources/Web/Texts")
        let log = LogCapture(), refusals = LogCapture()
        var settings = GateSettings(csrfKey: SymmetricKey(data: [UInt8](repeating: 9, count: 32)))
        settings.requestsPerSecond = 0
        change(&settings)
        var hooks = GateHooks()
        hooks.forbidden = { principal, route in refusals.add("\(principal.userName) \(route)") }
        hooks.named = { Words(en: "Named \($0.rawValue)", zh: "名为\($0.rawValue)") }
        var gate = Gate(
            table: RouteTable(routes), assets: Assets(share: share.share, vendorRoot: share.root),
            pages: try Pages(share: share.share),
            sessions: FakeSessions(), tenants: LocalTenants(), settings: settings, hooks: hooks, metrics: Metrics(),
            logger: log.logger)
        if let turns { gate.turns = turns }
        var limits = limits
        limits.door = gate.door
        let served = gate
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: Site(gate: gate), server: Site.server(limits),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) },
            logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            guard let port = await ports.first(where: { _ in true }) else { return }
            do {
                try await body(TestSite(http: RawHTTP(port: port), log: log, gate: served, refusals: refusals))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            // The server ends by cancellation; that is no failure.
            while let result = await group.nextResult() { _ = result }
        }
    }

    var agentCookie: (String, String) { ("Cookie", "\(WebCookie.session)=\(FakeSessions.agent)") }
    var guestCookie: (String, String) { ("Cookie", "\(WebCookie.session)=\(FakeSessions.guest)") }
    var csrf: String { gate.csrf(FakeSessions.agent) }
    static let formType = ("Content-Type", "application/x-www-form-urlencoded")
    static let jsonType = ("Content-Type", "application/json")

    /// A form as the agent sends it.
    func post(_ path: String, _ body: String, headers: [(String, String)] = []) async throws -> RawHTTP.Answer {
        try await http.ask("POST", path, headers: [agentCookie, Self.formType] + headers, body: Array(body.utf8))
    }

    /// Bytes as they are, and the answer parsed; `nil` when the server closed without one.
    func wire(_ text: String, seconds: Int = 20) async throws -> RawHTTP.Answer? {
        let bytes = try await http.exchange(Array(text.utf8), seconds: seconds)
        return bytes.isEmpty ? nil : try RawHTTP.parse(bytes)
    }
}
