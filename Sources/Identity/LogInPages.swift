import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// Log-in, log-out, one-time links.
struct LogInPages: Sendable {
    let hasher: PasswordHasher
    let policy: PasswordPolicy

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/login", .anonymous, trace: .none, purpose: .security, handler: show),
            Endpoint(
                .post, "/login", .anonymous, body: .form(["name", "password", "return"]), trace: .change,
                purpose: .security, effect: .same("the cookie of the last answer is the session"), handler: logIn),
            Endpoint(
                .post, "/logout", .authenticated, body: .form([]), trace: .change, purpose: .security,
                effect: .same("a session ends once"), handler: logOut),
            Endpoint(.get, "/bootstrap/{token}", .anonymous, trace: .none, purpose: .security, handler: showLink),
            Endpoint(
                .post, "/bootstrap/{token}", .anonymous, body: .form(["name", "display_name", "password", "again"]),
                trace: .change, purpose: .security, effect: .same("a link is good once"), handler: redeem),
        ]
    }

    // MARK: Log-in

    @Sendable private func show(_ call: Call) async throws -> WebResponse {
        let back = call.request.localReturn(call.request.query["return"], fallback: "/")
        if call.request.session != nil { return .redirect(back) }
        return try await page(call, name: "", back: back, error: nil)
    }

    @Sendable private func logIn(_ call: Call) async throws -> WebResponse {
        let back = call.request.localReturn(call.form["return"], fallback: "/")
        let name = try call.form.text("name")
        // The whole secret, untrimmed (G5).
        let password = call.form["password"] ?? ""
        do {
            switch try await service(call).attempt(name: name, password: password, from: call.origin) {
            case .started(let token):
                return WebResponse.redirect(back).settingCookie(WebCookie.session, token, maxAgeSeconds: nil)
            case .expired(let token):
                if call.request.wantsJSON { throw LogIn.expired }
                return WebResponse.redirect(OneTimeLink.path(token)).flash("identity.login.expired")
            }
        } catch let error as CRMError where !call.request.wantsJSON && (error.status == 401 || error.status == 429) {
            call.showsOnlyWhatWasTyped()
            return try await page(call, name: name, back: back, error: error)
        }
    }

    private func page(_ call: Call, name: String, back: String, error: CRMError?) async throws -> WebResponse {
        let empty = try await call.read { try UserStore().isEmpty($0) }
        var answer = call.page(
            "identity/login", title: call.text("identity.login.title"), active: "/login",
            [
                "name": .text(name), "return": .text(back == "/" ? nil : back),
                "error": .text(error?.message[call.language]), "noUsers": .bool(empty),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
        if let seconds = error?.retryAfterSeconds { answer.headers[.retryAfter] = String(seconds) }
        return answer
    }

    @Sendable private func logOut(_ call: Call) async throws -> WebResponse {
        let sessions = Sessions(call.tenant)
        let token = call.request.cookieToken
        let user = try call.principal().userID
        try await call.write { session in
            try sessions.end(token: token, session)
            try call.record(AuditEntry("identity.session.end", user.map { [.user($0)] } ?? []), session)
        }
        var answer = WebResponse.redirect("/login").settingCookie(WebCookie.session, "", maxAgeSeconds: 0)
        // Not "cookies": language and theme belong to the place, not to the person, and stay.
        if let name = HTTPField.Name("Clear-Site-Data") { answer.headers[name] = "\"cache\", \"storage\"" }
        return answer
    }

    // MARK: One-time links

    @Sendable private func showLink(_ call: Call) async throws -> WebResponse {
        try await linkPage(call, error: nil)
    }

    @Sendable private func redeem(_ call: Call) async throws -> WebResponse {
        let token = call.request.parameters["token"] ?? ""
        let filled = LogIn.Redemption(
            name: try call.form.optionalText("name"), displayName: try call.form.optionalText("display_name", max: 100),
            password: call.form["password"] ?? "")
        do {
            try Self.checkAgain(call.form["again"], filled.password)
            try await service(call).redeem(token, filled, from: call.origin)
        } catch let error as CRMError where error.status == 422 && !call.request.wantsJSON {
            call.showsOnlyWhatWasTyped()
            return try await linkPage(call, error: error)
        }
        return WebResponse.redirect("/login").flash("identity.link.done")
    }

    /// The second field is there against slips of the hand; programs may leave it out.
    static func checkAgain(_ again: String?, _ password: String) throws {
        guard again ?? password == password else {
            throw CRMError.invalid(
                "again", "not_equal", Words(en: "The two passwords differ.", zh: "两次输入的密码不一致。"))
        }
    }

    private func linkPage(_ call: Call, error: CRMError?) async throws -> WebResponse {
        let links = OneTimeLinks(clock: call.tenant.clock)
        let token = call.request.parameters["token"] ?? ""
        let found = try await call.read { session -> (Role?, User?) in
            switch try links.find(token, session).purpose {
            case .bootstrap(let role): (role, nil)
            case .password(let id): (nil, try UserStore().user(id, session))
            }
        }
        return call.page(
            "identity/link", title: call.text("identity.link.title"), active: OneTimeLink.path(token),
            [
                "isNew": .bool(found.0 != nil), "role": .text(found.0.map { call.text("role.\($0.rawValue)") }),
                "userName": .text(found.1?.name ?? ""), "name": .text(call.form["name"] ?? ""),
                "displayName": .text(call.form["display_name"] ?? ""), "action": .text(OneTimeLink.path(token)),
                "lengthMin": .text(String(policy.lengthMin)), "rotates": .bool(policy.daysMax != nil),
                "classes": .bool(policy.classesMin > 0), "classesMin": .text(String(policy.classesMin)),
                "error": .text(error?.message[call.language]),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
    }

    private func service(_ call: Call) -> LogIn { LogIn(hasher: hasher, policy: policy, call: call) }
}

extension LogIn {
    /// For a request: the audit goes through the call, which counts it.
    init(hasher: PasswordHasher, policy: PasswordPolicy, call: Call) {
        self.init(hasher: hasher, policy: policy, tenant: call.tenant) { entry, principal, session in
            try call.record(entry, by: principal, session)
        }
    }
}

extension Call {
    /// Where this request comes from, for a session.
    var origin: LogIn.Origin {
        LogIn.Origin(
            address: request.address, agent: UserAgent.family(request.headers[.userAgent]),
            requestID: request.requestID, cookieToken: request.cookieToken)
    }
}
