import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// A person's own page: preferences, password, sessions.
struct OwnPages: Sendable {
    let hasher: PasswordHasher
    let policy: PasswordPolicy

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/me", .authenticated, trace: .none, purpose: .security) { try await page($0, error: nil) },
            Endpoint(
                .post, "/me/password", .authenticated, body: .form(["current", "new", "again"]), trace: .change,
                purpose: .security, effect: .same("the old password is asked for and is not right any more"),
                handler: changePassword),
            Endpoint(
                .post, "/me/sessions/end", .authenticated, body: .form([]), trace: .change, purpose: .security,
                effect: .same("the others have ended, however often it is asked for"), handler: endOthers),
            Endpoint(
                .post, "/me/sessions/{id}/end", .authenticated, body: .form([]), trace: .change, purpose: .security,
                effect: .same("a session ends once"), handler: endOne),
        ]
    }

    private static func own(_ call: Call) throws -> UserID {
        guard let id = try call.principal().userID else { throw CRMError.loginRequired }
        return id
    }

    @Sendable private func changePassword(_ call: Call) async throws -> WebResponse {
        let id = try Self.own(call)
        let user = try await call.read { try Accounts(call.tenant).access(id, $0) }
        let new = call.form["new"] ?? ""
        let token: String
        do {
            try LogInPages.checkAgain(call.form["again"], new)
            token = try await LogIn(hasher: hasher, policy: policy, call: call).changePassword(
                user, current: call.form["current"] ?? "", new: new, by: try call.principal(), from: call.origin)
        } catch let error as CRMError where error.status == 422 && !call.request.wantsJSON {
            // The caller's own account, which GET /me shows without an event too.
            call.showsOnlyWhatWasTyped()
            return try await page(call, error: error)
        }
        return WebResponse.redirect("/me").settingCookie(WebCookie.session, token, maxAgeSeconds: nil)
            .flash("identity.me.passwordChanged")
    }

    @Sendable private func endOne(_ call: Call) async throws -> WebResponse {
        let (user, session) = (try Self.own(call), try call.request.id("id", SessionKind.self))
        let sessions = Sessions(call.tenant)
        try await call.write { database in
            try sessions.end(session, of: user, database)
            try call.record(AuditEntry("identity.session.end", [.user(user)]), database)
        }
        return WebResponse.redirect("/me").flash("identity.me.sessionEnded")
    }

    @Sendable private func endOthers(_ call: Call) async throws -> WebResponse {
        let user = try Self.own(call)
        let sessions = Sessions(call.tenant)
        try await call.write { session in
            let count = try sessions.endAll(user, keeping: call.request.cookieToken, session)
            try call.record(
                AuditEntry("identity.session.end", [.user(user)], facts: ["count": .int(Int64(count))]), session)
        }
        return WebResponse.redirect("/me").flash("identity.me.sessionEnded")
    }

    private func page(_ call: Call, error: CRMError?) async throws -> WebResponse {
        let id = try Self.own(call)
        let accounts = Accounts(call.tenant)
        let (user, list) = try await call.read { session in
            (
                try accounts.access(id, session),
                try accounts.sessions.list(id, current: call.request.cookieToken, session)
            )
        }
        return call.page(
            "identity/me", title: call.text("identity.me.title"), active: "/me",
            [
                "name": .text(user.name), "displayName": .text(user.displayName),
                "roles": .list(user.roles.map { ["label": .text(call.text("role.\($0.rawValue)"))] }),
                "regions": .text(user.scope.regions?.joined(separator: ", ") ?? ""),
                "allRegions": .bool(user.scope.regions == nil),
                "languages": Self.options(
                    call, chosen: call.language.rawValue,
                    [("zh", "identity.me.chinese"), ("en", "identity.me.english")]),
                "themes": Self.options(
                    call, chosen: call.request.theme,
                    ["auto", "light", "dark"].map { ($0, "identity.theme.\($0)") }),
                "keys": Self.options(
                    call, chosen: user.shortcuts ? "on" : "off",
                    ["on", "off"].map { ($0, "identity.shortcuts.\($0)") }),
                "densities": Self.options(
                    call, chosen: WebCookie.value(PreferencePages.density, in: call.request.headers) ?? "normal",
                    ["compact", "normal", "roomy"].map { ($0, "identity.density.\($0)") }),
                "rails": Self.options(
                    call, chosen: WebCookie.value(PreferencePages.rail, in: call.request.headers) ?? "wide",
                    ["wide", "narrow"].map { ($0, "identity.rail.\($0)") }),
                "passwordChanged": .text(user.passwordChangedAt.map { call.time($0) }),
                "lengthMin": .text(String(policy.lengthMin)), "error": .text(error?.message[call.language]),
                "hasOthers": .bool(list.contains { !$0.isCurrent }),
                "sessions": .list(list.map { SessionRow.view($0, call) }),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
    }

    private static func options(_ call: Call, chosen: String, _ options: [(String, String)]) -> ViewValue {
        .list(
            options.map {
                ["value": .text($0.0), "label": .text(call.text($0.1)), "selected": .bool($0.0 == chosen)]
            })
    }
}

/// A session in a list.
enum SessionRow {
    static func view(_ session: SessionSummary, _ call: Call) -> View {
        [
            "id": .text(session.id.description), "agent": .text(session.agent), "address": .text(session.address),
            "started": .text(call.time(session.createdAt)), "seen": .text(call.time(session.lastSeenAt)),
            "isCurrent": .bool(session.isCurrent),
        ]
    }
}
