import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// A person's own tokens, for programs of their own.
struct PersonalTokenPages: Sendable {
    let hasher: PasswordHasher
    let policy: PasswordPolicy

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/me/tokens", .authenticated, trace: .none, purpose: .security) {
                try await Self.page($0, error: nil)
            },
            Endpoint(
                .post, "/me/tokens", .authenticated, body: .form(["name", "scope", "addresses", "days", "current"]),
                trace: .change,
                purpose: .security, effect: .adds, handler: create),
            Endpoint(
                .post, "/me/tokens/{id}/revocation", .authenticated, body: .form([]), trace: .change,
                purpose: .security,
                effect: .acts, handler: Self.revoke),
        ]
    }

    private static func own(_ call: Call) throws -> UserID {
        guard let id = try call.principal().userID else { throw CRMError.loginRequired }
        return id
    }

    private static func page(_ call: Call, error: CRMError?) async throws -> WebResponse {
        let user = try own(call)
        let tokens = try await call.read { try PersonalTokenStore().list(user, $0) }
        let offered = PersonalTokens.offered(call.site.scopes, to: try call.principal())
        let form = call.form
        return call.page(
            "identity/tokens", title: call.text("identity.tokens.title"), active: "/me",
            [
                "path": "/me/tokens", "error": .text(error?.message[call.language]), "none": .bool(tokens.isEmpty),
                "mayMake": .bool(!offered.isEmpty),
                "boxes": ProgramViews.boxes(offered, chosen: form.all("scope"), call),
                "typedName": .text(form["name"] ?? ""), "addresses": .text(form["addresses"] ?? ""),
                "days": .text(form["days"] ?? "90"), "daysMax": .text(String(APIClient.daysMax)),
                "tokens": .list(tokens.map { row($0, call) }),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
    }

    private static func row(_ token: PersonalToken, _ call: Call) -> View {
        let state = token.state(at: call.tenant.clock.now())
        return [
            "id": .text(token.id.description), "name": .text(token.name), "beginning": .text(token.beginning),
            "scopes": .list(token.scopes.map { ["name": .text($0)] }), "state": .text(ProgramViews.state(state, call)),
            "tone": .text(ProgramViews.tone(state)), "expires": .text(call.time(token.expiresAt)),
            "lastUsed": .text(token.lastUsedAt.map { call.time($0) }),
            "ranges": .text(token.addresses.joined(separator: ", ").nilIfEmpty),
            "mayRevoke": .bool(state == .active || state == .expiring),
        ]
    }

    /// Makes a token and shows it, once. The password is asked for: whoever finds a browser that is logged in must not be able
    /// to take something along that lasts longer than the session.
    @Sendable private func create(_ call: Call) async throws -> WebResponse {
        let (user, principal) = (try Self.own(call), try call.principal())
        let tokens = PersonalTokens(call.tenant)
        let offered = PersonalTokens.offered(call.site.scopes, to: principal)
        do {
            let draft = PersonalTokens.Draft(
                name: try call.form.text("name"), scopes: call.form.all("scope"),
                addresses: try ProgramFields.addresses(call.form.optionalText("addresses", max: 2_500)),
                days: try ClientPages.number(call, "days"))
            let account = try await call.read { try Accounts(call.tenant).access(user, $0) }
            try await LogIn(hasher: hasher, policy: policy, call: call).confirm(
                account, password: call.form["current"] ?? "",
                refusal: AuditEntry("identity.token.create", [.user(user)], refused: true), by: principal,
                address: call.request.address)
            let token = try await call.write { session in
                let (token, entry) = try tokens.create(draft, offered: offered, of: user, session)
                try call.record(entry, session)
                try call.settle(.redirect("/me/tokens").flash("identity.token.madeBefore"), session)
                return token
            }
            if call.request.wantsJSON { return .json(.object(["token": .string(token)])) }
            return call.page(
                "identity/token-made", title: call.text("identity.token.made"), active: "/me",
                ["name": .text(draft.name), "token": .text(token), "origin": .text(ProgramViews.origin(call))])
        } catch let error as CRMError where [409, 422, 429].contains(error.status) && !call.request.wantsJSON {
            // The caller's own tokens, which GET /me/tokens shows without an event too.
            call.showsOnlyWhatWasTyped()
            return try await Self.page(call, error: error)
        }
    }

    @Sendable private static func revoke(_ call: Call) async throws -> WebResponse {
        let (user, id) = (try own(call), try call.request.id("id", TokenKind.self))
        let tokens = PersonalTokens(call.tenant)
        return try await call.change { session in
            try call.record(try tokens.revoke(id, of: user, session), session)
            return .redirect("/me/tokens").flash("identity.token.revoked")
        }
    }
}

extension PersonalToken {
    func state(at now: Instant) -> APIClient.State {
        if revokedAt != nil { return .revoked }
        if expiresAt <= now { return .expired }
        return expiresAt <= now.adding(days: 7) ? .expiring : .active
    }
}
