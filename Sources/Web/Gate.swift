import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
import Synchronization

/// What the gates tell the outside of: refusals for the audit, the state of the process.
package struct GateHooks: Sendable {
    /// A logged-in person was answered 403, by the gate or by a handler (G21: audited). The route's name comes along.
    package var forbidden: @Sendable (Principal, String) async throws -> Void = { _, _ in }
    /// What a right is called where people read of it.
    package var named: @Sendable (Permission) -> Words? = { _ in nil }
    package init() {}
}

/// The one stack every request passes: limits, Host, method, Origin, Content-Type, tenant, session, permission, CSRF,
/// strict bodies, deadline, errors, security headers, log and metrics. Handlers see only what came through.
package struct Gate: Sendable {
    let table: RouteTable
    let assets: Assets
    let pages: Pages
    let sessions: any SessionStore
    let tokens: any TokenStore
    let tenants: any TenantResolver
    private(set) var settings: GateSettings
    let hooks: GateHooks
    let metrics: Metrics
    let logger: Logger
    package let limiter: RateLimiter
    let knownTokens = KnownTokens()
    let peers: Peers
    package let inFlight: InFlight
    var turns: Turns

    package init(
        table: RouteTable, assets: Assets, pages: Pages, sessions: any SessionStore, tokens: any TokenStore = NoTokens(),
        tenants: any TenantResolver, settings: GateSettings, hooks: GateHooks, metrics: Metrics, logger: Logger
    ) {
        self.table = table
        self.assets = assets
        self.pages = pages
        self.sessions = sessions
        self.tokens = tokens
        self.tenants = tenants
        self.settings = settings
        self.hooks = hooks
        self.metrics = metrics
        self.logger = logger
        limiter = RateLimiter(perSecond: settings.requestsPerSecond)
        peers = Peers(trusted: settings.trustedProxies, requiresProxy: settings.requiresProxy)
        turns = Turns(count: settings.turns)
        let streams = InFlight.Room(total: settings.streamsMax, caller: settings.streamsCallerMax)
        inFlight = InFlight(
            running: .init(total: settings.concurrentMax, caller: settings.callerMax),
            receiving: .init(total: settings.receivingMax, caller: settings.callerMax), uploading: streams,
            sending: streams)
    }

    /// The same gate with the installation's key, which is read (or made) once its database has been reached.
    package func with(csrfKey: SymmetricKey) -> Gate {
        var gate = self
        gate.settings.csrfKey = csrfKey
        return gate
    }

    /// Answers one request; never throws, so the framework never makes an answer of its own.
    package func respond(to request: Request, remoteAddress: String) async -> Response {
        let started = ContinuousClock.now
        var visit = Visit(remoteAddress: remoteAddress)
        visit.isRead = request.method == .get || request.method == .head
        visit.isAPI = Self.isAPI(request.head.path ?? "")
        visit.isTMF = Self.isTMF(request.head.path ?? "")
        visit.isOAuth = Self.isOAuth(request.head.path ?? "")
        visit.wantsJSON = visit.isAPI || visit.isOAuth
        var answer: WebResponse
        do {
            let place = try inFlight.enter(.running, nil)
            defer { place.leave() }
            answer = try await admit(request, &visit, place)
            if answer.isStreamed { answer.body = try held(answer.body, visit) }
        } catch {
            answer = failure(error, visit)
        }
        if answer.status == .forbidden { await tell(visit) }
        endConnection(&answer, after: request)
        secure(&answer, visit)
        if request.method == .head { answer.body = ResponseBody() }
        let elapsed = ContinuousClock.now - started
        let milliseconds = Double(elapsed.components.attoseconds) / 1e15 + Double(elapsed.components.seconds) * 1_000
        metrics.observe(route: visit.routeName, status: answer.status.code, milliseconds: milliseconds)
        // The pattern, never the path or the query: they may name a person.
        logger.info(
            "http.request",
            metadata: [
                "request": "\(visit.requestID)", "route": "\(visit.routeName)", "status": "\(answer.status.code)",
                "ms": "\((milliseconds * 10).rounded() / 10)", "tenant": "\(visit.tenant)",
                "user": "\(visit.session?.principal.userID.map(\.description) ?? visit.program?.key ?? "-")",
            ])
        return Response(status: answer.status, headers: answer.headers, body: answer.body)
    }

    /// A body that is made while it is sent keeps a place until its end, or until nobody sends it any more.
    private func held(_ body: ResponseBody, _ visit: Visit) throws -> ResponseBody {
        let place = try inFlight.enter(.sending, visit.caller)
        return ResponseBody(contentLength: body.contentLength) { writer in
            defer { place.leave() }
            try await body.write(writer)
        }
    }

    /// Tells the audit who was refused. A refusal that cannot be recorded stays a refusal.
    private func tell(_ visit: Visit) async {
        guard let principal = visit.session?.principal else { return }
        do {
            try await hooks.forbidden(principal.with(purpose: visit.purpose), visit.routeName)
        } catch {
            logger.error(
                "audit.refusal", metadata: ["request": "\(visit.requestID)", "error": "\(error)"])
        }
    }

    // MARK: The way in

    private func admit(_ request: Request, _ visit: inout Visit, _ place: Place) async throws -> WebResponse {
        let host = try checkHead(request, &visit)
        guard let tenant = tenants.tenant(host: host) else {
            throw CRMError(
                "unknown_host", status: 404, Words(en: "This host is not served here.", zh: "此主机名不在本服务范围内。"))
        }
        visit.tenant = tenant
        try limit(request, &visit)
        let path = request.uri.path
        if path.hasPrefix("/assets/") {
            guard request.method == .get || request.method == .head else { throw Self.methodNotAllowed }
            visit.routeName = "GET /assets/*"
            return try assets.respond(path: path, headers: request.headers)
        }
        let (route, parameters) = try match(request, path: path, &visit)
        // A page of another site cannot know a token, and programs have no origin.
        if request.method != .get, request.method != .head, visit.bearer == nil {
            try checkOrigin(request, host: host, visit)
        }
        let turn = HeldTurn(turns)
        defer { turn.leave() }
        // Who sends a body waits for their turn behind it. First each caller's share: nobody fills the queue alone.
        if route.body == .none, let sent = visit.secret, let known = knownTokens.caller(sent) {
            try place.move(to: .running, known)
            try await turn.take(for: route)
        }
        if !route.isProbe { try await resumeSession(request, &visit) }
        try place.move(to: .running, visit.caller)
        let query = try Form.parse(request.uri.query ?? "")
        if query.fields.contains(where: { Self.secretNames.contains($0.name) }) {
            throw CRMError.badRequest(
                "secret_in_url", Words(en: "A secret may not be part of an address.", zh: "地址中不得包含机密。"))
        }
        if let answer = try await authorise(route, request, path: path, query: query, visit) { return answer }
        if visit.isTMF { try Self.checkAccept(request.headers[values: .accept]) }
        let body = try await content(of: request, for: route, visit, place)
        var web = WebRequest(
            method: request.method, path: path, query: query, headers: request.headers, parameters: parameters,
            tenant: tenant, requestID: visit.requestID, address: visit.address, language: visit.language,
            theme: visit.theme, session: visit.session, csrfToken: csrf(visit.cookieToken),
            cookieToken: visit.cookieToken, nonce: visit.nonce, purpose: route.purpose, body: body)
        // A listed proxy has said that the client came over https (`Peers`).
        web.origin = (request.headers[.init("x-forwarded-proto")!] == nil ? "http://" : "https://") + host
        let seconds = route.body == .upload ? settings.uploadSeconds : settings.requestSeconds
        try await turn.take(for: route)
        return try await Deadline.run(seconds: seconds) { [web] in try await route.handler(web) }
    }

    /// Addresses are kept in logs and histories (also RFC 6750, 2.3).
    private static let secretNames: Set<String> = [
        "token", "session", "password", "csrf", "_csrf", "access_token", "client_secret",
    ]

    /// Host, method, path form, forwarded address. Returns the host name in lower case.
    private func checkHead(_ request: Request, _ visit: inout Visit) throws -> String {
        visit.wantsJSON =
            visit.wantsJSON || request.headers[.accept]?.contains("application/json") ?? false
            || request.headers[.contentType]?.hasPrefix("application/json") ?? false
        visit.language =
            WebCookie.value(WebCookie.language, in: request.headers).flatMap(Language.init(rawValue:))
            ?? Language(acceptLanguage: request.headers[.acceptLanguage])
        visit.theme =
            WebCookie.value(WebCookie.theme, in: request.headers)
            .flatMap { ["light", "dark", "auto"].contains($0) ? $0 : nil } ?? "auto"
        visit.hasFlash = WebCookie.value(WebCookie.flash, in: request.headers) != nil
        visit.address = try peers.client(of: visit.address, request.headers)
        let bad = CRMError.badRequest(
            "bad_host", Words(en: "Exactly one valid Host is required.", zh: "必须且只能有一个有效的 Host。"))
        guard let host = request.head.authority, !host.isEmpty, host.utf8.count <= 255,
            request.headers[values: .init("host")!].isEmpty,
            host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"/\\@,".utf8.contains($0) })
        else { throw bad }
        guard let raw = request.head.path, raw.hasPrefix("/") else {
            throw CRMError.badRequest("bad_path", Words(en: "The path must begin with /.", zh: "路径必须以 / 开头。"))
        }
        guard [.get, .head, .post, .put, .patch, .delete].contains(request.method) else { throw Self.methodNotAllowed }
        return host.lowercased()
    }

    private func match(_ request: Request, path: String, _ visit: inout Visit) throws -> (Route, [String: String]) {
        switch table.match(request.method, path: path) {
        case .route(let route, let parameters):
            visit.routeName = route.name
            visit.purpose = route.purpose
            return (route, parameters)
        case .methodNotAllowed(let methods):
            visit.allowed = methods
            throw Self.methodNotAllowed
        case .notFound: throw CRMError.notFound
        }
    }

    private func checkOrigin(_ request: Request, host: String, _ visit: Visit) throws {
        let refused = CRMError(
            "cross_site", status: 403, Words(en: "Requests from other sites are refused.", zh: "拒绝来自其他站点的请求。"))
        if let origin = request.headers[.init("origin")!], origin.lowercased() != "http://" + host,
            origin.lowercased() != "https://" + host
        {
            throw refused
        }
        if let site = request.headers[.init("sec-fetch-site")!], site != "same-origin", site != "none" { throw refused }
    }

    /// Counts the request before anything is looked up for it: for the account whose token was good a moment ago, else
    /// for the address; then for the tenant. Whatever is asked for counts, also what does not exist.
    private func limit(_ request: Request, _ visit: inout Visit) throws {
        if visit.isAPI, let token = Self.bearer(in: request.headers) {
            try limit(bearer: token, request, &visit)
            return try limiter.check("t" + visit.tenant, times: settings.tenantTimes)
        }
        if let token = WebCookie.value(WebCookie.session, in: request.headers), (20...100).contains(token.utf8.count) {
            visit.cookieToken = token
        } else {
            visit.cookieToken = RandomText.token()
            visit.setsCookie = true
        }
        let known = visit.setsCookie ? nil : knownTokens.caller(visit.cookieToken)
        try limiter.check(known ?? visit.caller)
        try limiter.check("t" + visit.tenant, times: settings.tenantTimes)
    }

    private func resumeSession(_ request: Request, _ visit: inout Visit) async throws {
        if let token = visit.bearer { return try await admit(bearer: token, request, &visit) }
        guard !visit.setsCookie else { return }
        visit.session = try await sessions.resume(
            token: visit.cookieToken, tenant: visit.tenant, address: visit.address, requestID: visit.requestID)
        guard let session = visit.session else { return knownTokens.forget(visit.cookieToken) }
        knownTokens.note(visit.cookieToken, visit.caller)
        visit.language = session.language ?? visit.language
        visit.theme = session.theme ?? visit.theme
    }

    /// `nil` = may pass; else the answer (a redirect to the log-in page).
    private func authorise(
        _ route: Route, _ request: Request, path: String, query: Form, _ visit: Visit
    ) async throws -> WebResponse? {
        try checkScope(of: route, visit)
        switch route.access {
        case .anonymous: return nil
        case .authenticated:
            if visit.session != nil { return nil }
        case .permission(let permission):
            if let principal = visit.session?.principal {
                if principal.may(permission) { return nil }
                throw CRMError.forbidden(permission, named: hooks.named(permission))
            }
        }
        if visit.isAPI { throw TokenRefusal.missing }
        guard request.method == .get, !visit.wantsJSON else { throw CRMError.loginRequired }
        let back = path == "/" ? "" : "?return=" + Form.encode(path + (query.fields.isEmpty ? "" : "?" + query.encoded))
        return .redirect("/login" + back)
    }

    // MARK: Bodies

    private func content(of request: Request, for route: Route, _ visit: Visit, _ place: Place) async throws
        -> WebRequest.RequestContent
    {
        let type = request.headers[.contentType]?.split(separator: ";").first?.trimmed.lowercased()
        let length = request.headers[.contentLength].flatMap { Int($0) }
        switch route.body {
        case .none:
            guard (length ?? 0) == 0, request.headers[.init("transfer-encoding")!] == nil else {
                throw CRMError(
                    "body_not_expected", status: 413, Words(en: "No body is expected here.", zh: "此处不应有请求体。"))
            }
            if request.method != .get, request.method != .head {
                try checkCSRF(request.headers[.init("x-csrf-token")!], visit)
            }
            return .none
        case .form(let allowed):
            try expect(type, "application/x-www-form-urlencoded")
            let bytes = try await collect(
                request.body, length: length, max: Limits.formBodyBytesMax, visit, place)
            let form = try Self.form(bytes)
            try checkCSRF(form["_csrf"] ?? request.headers[.init("x-csrf-token")!], visit)
            try refuseUnknown(form, allowed: allowed)
            return .form(form)
        case .parameters:
            try expect(type, "application/x-www-form-urlencoded")
            let bytes = try await collect(
                request.body, length: length, max: Limits.formBodyBytesMax, visit, place)
            return .form(try Self.form(bytes))
        case .json, .patch:
            if route.body == .json || !Self.patches.contains(type ?? "") {
                try expect(type, "application/json", or: route.body == .patch ? Self.patches : [])
            }
            let bytes = try await collect(
                request.body, length: length, max: Limits.jsonBodyBytesMax, visit, place)
            try checkCSRF(request.headers[.init("x-csrf-token")!], visit)
            return .json(try JSONValue.parse(bytes))
        case .lines, .linesOrArray:
            if route.body == .lines || type != "application/json" { try expect(type, "application/x-ndjson") }
            let bytes = try await collect(
                request.body, length: length, max: Limits.linesBodyBytesMax, visit, place)
            try checkCSRF(request.headers[.init("x-csrf-token")!], visit)
            return .lines(bytes)
        case .upload:
            try expect(type, "multipart/form-data")
            if let length, length > Limits.uploadBytesMax { throw Self.tooLarge(Limits.uploadBytesMax) }
            try place.move(to: .uploading, visit.caller)
            return .upload(request.body)
        }
    }

    private static func form(_ bytes: [UInt8]) throws -> Form {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CRMError.badRequest(
                "invalid_text", Words(en: "The text is not valid UTF-8.", zh: "文本不是有效的 UTF-8。"))
        }
        return try Form.parse(text)
    }

    private static let patches: Set<String> = [
        "application/merge-patch+json", "application/json-patch+json", "application/json-patch-query+json",
    ]

    private func expect(_ type: String?, _ expected: String, or others: Set<String> = []) throws {
        guard type == expected else {
            let (sent, expected) = (type.map { "“\($0.prefix(60))”" }, ([expected] + others.sorted()).joined(separator: " / "))
            let words = Words(
                en: "Content-Type must be \(expected); \(sent ?? "none") was sent.",
                zh: "Content-Type 必须为 \(expected)，而收到的是\(sent ?? "空")。")
            throw CRMError(
                "unsupported_media_type", status: 415, words,
                fields: [.init(field: "Content-Type", code: "unsupported_media_type", message: words)])
        }
    }

    static func tooLarge(_ max: Int) -> CRMError {
        CRMError(
            "too_large", status: 413,
            Words(en: "The body may have at most \(max) bytes.", zh: "请求体最大 \(max) 字节。"))
    }

    /// Reads a small body within its limit and its time. Meanwhile the request counts as waiting, not as work.
    private func collect(
        _ body: RequestBody, length: Int?, max: Int, _ visit: Visit, _ place: Place
    ) async throws -> [UInt8] {
        if let length, length > max { throw Self.tooLarge(max) }
        try place.move(to: .receiving, visit.caller)
        let bytes = try await Deadline.run(seconds: settings.bodySeconds, status: 408) {
            var bytes: [UInt8] = []
            for try await var chunk in body {
                guard bytes.count + chunk.readableBytes <= max else { throw Self.tooLarge(max) }
                bytes += chunk.readBytes(length: chunk.readableBytes) ?? []
            }
            return bytes
        }
        try place.move(to: .running, visit.caller)
        return bytes
    }

    private func refuseUnknown(_ form: Form, allowed: [String]) throws {
        for field in form.fields where !Form.own.contains(field.name) {
            let known = allowed.contains { name in
                name.hasSuffix("*") ? field.name.hasPrefix(name.dropLast()) : field.name == name
            }
            guard known else {
                throw CRMError.invalid(
                    String(field.name.prefix(60)), "unknown_field",
                    Words(en: "There is no field of this name.", zh: "没有该字段。"))
            }
        }
    }

    // MARK: CSRF

    /// The token that belongs to a cookie value: HMAC-SHA256 under the installation's key.
    package func csrf(_ cookieToken: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data(("csrf:" + cookieToken).utf8), using: settings.csrfKey)
        return RandomText.base64url(Array(code))
    }

    /// A cookie comes along by itself, whoever wrote the request; a token does not.
    private func checkCSRF(_ token: String?, _ visit: Visit) throws {
        if visit.program != nil { return }
        guard !visit.setsCookie, let token, Self.equal(token, csrf(visit.cookieToken)) else { throw Self.badCSRF }
    }

    /// Compares digests, so that the time does not depend on where they differ.
    static func equal(_ a: String, _ b: String) -> Bool {
        SHA256.hash(data: Data(a.utf8)) == SHA256.hash(data: Data(b.utf8))
    }
}
