import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// What administrators and the security administrator do to accounts. The route asks for the right to see accounts;
/// which of the two may act depends on the account's roles and is decided with it (`Powers`).
enum UserActions {
    static let endpoints = [
        Endpoint(
            .post, "/users", .permission(IdentityPermission.manage),
            body: .form(["name", "display_name", "role", "regions"]), trace: .change, purpose: .administration,
            effect: .adds, handler: create),
        Endpoint(
            .post, "/users/{id}/roles", .permission(IdentityPermission.view), body: .form(["revision", "role"]),
            trace: .change, purpose: .administration, effect: .overwrites, handler: setRoles),
        Endpoint(
            .post, "/users/{id}/scope", .permission(IdentityPermission.manage), body: .form(["revision", "regions"]),
            trace: .change, purpose: .administration, effect: .overwrites, handler: setScope),
        Endpoint(
            .post, "/users/{id}/status", .permission(IdentityPermission.view), body: .form(["revision", "status"]),
            trace: .change, purpose: .administration, effect: .overwrites, handler: setStatus),
        Endpoint(
            .post, "/users/{id}/sessions/end", .permission(IdentityPermission.view), body: .form([]), trace: .change,
            purpose: .administration, effect: .same("no session is left, however often it is asked for"),
            handler: endSessions),
        Endpoint(
            .post, "/users/{id}/link", .permission(IdentityPermission.view), body: .form([]), trace: .change,
            purpose: .administration, effect: .same("a new link ends the one before, and no link is kept to be shown again"),
            handler: issueLink),
    ]

    // MARK: New accounts and links

    /// Makes the account and shows, once, the link that its owner sets a password with. The link is the answer itself:
    /// it may not be in the address of a page that one is redirected to, nor be kept to be shown later.
    @Sendable private static func create(_ call: Call) async throws -> WebResponse {
        let accounts = Accounts(call.tenant)
        let principal = try call.principal()
        do {
            let draft = Accounts.Draft(
                name: try call.form.text("name", max: 200),
                displayName: try call.form.optionalText("display_name", max: 100),
                roles: try roles(call), scope: try scope(call))
            guard !draft.roles.contains(where: \.isPower) else { throw CRMError.forbidden(IdentityPermission.powers) }
            let (id, token) = try await call.write { session in
                let (id, entry) = try accounts.create(draft, by: principal, session)
                try call.record(entry, session)
                let (token, issued) = try accounts.issueLink(id, by: principal, session)
                try call.record(issued, session)
                // The link is a secret and not kept: who asks again is led to the account, where another can be had.
                try call.settle(.redirect("/users/\(id)").flash("identity.user.madeBefore"), session)
                return (id, token)
            }
            return linkPage(call, id, name: draft.name, token: token)
        } catch let error as CRMError where error.status == 422 && !call.request.wantsJSON {
            call.showsOnlyWhatWasTyped()
            return UserPages.newPage(call, error: error)
        }
    }

    @Sendable private static func issueLink(_ call: Call) async throws -> WebResponse {
        let accounts = Accounts(call.tenant)
        let principal = try call.principal()
        let id: UserID = try call.request.id("id")
        let (name, token) = try await call.write { session in
            let (token, entry) = try accounts.issueLink(id, by: principal, session)
            try call.record(entry, session)
            return (try accounts.access(id, session).name, token)
        }
        return linkPage(call, id, name: name, token: token)
    }

    private static func linkPage(_ call: Call, _ id: UserID, name: String, token: String) -> WebResponse {
        // The gate has compared the Origin with the Host; a client without one gets the path only.
        let origin = HTTPField.Name("Origin").flatMap { call.request.headers[$0] } ?? ""
        if call.request.wantsJSON {
            return .json(.object(["user": .string(id.description), "link": .string(origin + OneTimeLink.path(token))]))
        }
        return call.page(
            "identity/user-link", title: call.text("identity.link.issued"), active: "/users",
            [
                "id": .text(id.description), "userName": .text(name),
                "link": .text((origin == "null" ? "" : origin) + OneTimeLink.path(token)),
            ])
    }

    // MARK: Changes

    @Sendable private static func setRoles(_ call: Call) async throws -> WebResponse {
        let submitted = try roles(call)
        return try await change(call, flash: "identity.user.rolesSaved") { accounts, id, principal, session in
            // Boxes that are locked for the caller are not part of the form: what they stand for is kept.
            let locked = try accounts.users.roles(id, session).filter {
                !principal.may($0.isPower ? IdentityPermission.powers : IdentityPermission.manage)
            }
            return try accounts.setRoles(id, submitted.union(locked), by: principal, session)
        }
    }

    @Sendable private static func setScope(_ call: Call) async throws -> WebResponse {
        let scope = try scope(call)
        return try await change(call, flash: "identity.user.scopeSaved") { accounts, id, principal, session in
            try accounts.setScope(id, scope, by: principal, session)
        }
    }

    @Sendable private static func setStatus(_ call: Call) async throws -> WebResponse {
        guard let status = User.Status(rawValue: try call.form.text("status")) else {
            throw CRMError.invalid(
                "status", "invalid_value", Words(en: "This is not one of the choices.", zh: "不是可选的值。"))
        }
        let flash = status == .active ? "identity.user.enabled" : "identity.user.disabled"
        return try await change(call, flash: flash) { accounts, id, principal, session in
            try accounts.setStatus(id, status, by: principal, session)
        }
    }

    @Sendable private static func endSessions(_ call: Call) async throws -> WebResponse {
        try await change(call, flash: "identity.user.sessionsEnded", asksForVersion: false) { accounts, id, principal, session in
            try accounts.endSessions(id, by: principal, session)
        }
    }

    private static func change(
        _ call: Call, flash: String, asksForVersion: Bool = true,
        _ verb: @escaping @Sendable (Accounts, UserID, Principal, any SQLSession) throws -> AuditEntry
    ) async throws -> WebResponse {
        let id: UserID = try call.request.id("id")
        let accounts = Accounts(call.tenant)
        let principal = try call.principal()
        do {
            return try await call.change { session in
                let before = try accounts.access(id, session)
                if asksForVersion { try call.checkVersion(before.version) }
                try call.record(try verb(accounts, id, principal, session), session)
                return .redirect("/users/\(id)").flash(flash)
            }
        } catch let error as CRMError where [412, 422].contains(error.status) && !call.request.wantsJSON {
            return try await UserPages.page(call, id, error: error)
        }
    }

    // MARK: Reading the forms

    /// - Throws: 422 `unknown_role`.
    private static func roles(_ call: Call) throws -> Set<Role> {
        Set(
            try call.form.all("role").map { text in
                guard let role = Role(rawValue: text) else {
                    throw CRMError.invalid(
                        "role", "unknown_role", Words(en: "There is no such role.", zh: "没有这个角色。"))
                }
                return role
            })
    }

    /// Region codes, separated by commas or spaces; none = all regions.
    static func scope(_ call: Call) throws -> RecordScope {
        guard let text = try call.form.optionalText("regions", max: 2_000) else { return .all }
        let codes = text.split { $0 == "," || $0 == "，" || $0 == "、" || $0.isWhitespace }.map(String.init)
        return RecordScope(regions: codes.isEmpty ? nil : Array(Set(codes)).sorted())
    }
}
