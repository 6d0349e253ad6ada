import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The list of accounts and the page of one.
enum UserPages {
    static let endpoints = [
        Endpoint(
            .get, "/users", .permission(IdentityPermission.view), trace: .view, purpose: .administration,
            handler: list),
        Endpoint(
            .post, "/users/search", .permission(IdentityPermission.view), body: .form(["name"]), trace: .view,
            purpose: .administration, handler: search),
        Endpoint(
            .get, "/users/new", .permission(IdentityPermission.manage), trace: .none, purpose: .administration
        ) { newPage($0, error: nil) },
        Endpoint(
            .get, "/users/{id}", .permission(IdentityPermission.view), trace: .view, purpose: .administration
        ) { try await page($0, try $0.request.id("id"), error: nil) },
    ]

    // MARK: The list

    @Sendable private static func list(_ call: Call) async throws -> WebResponse {
        var filter = UserStore.Filter()
        filter.role = call.request.query["role"].flatMap(Role.init(rawValue:))
        filter.status = call.request.query["status"].flatMap(User.Status.init(rawValue:))
        return try await list(call, filter, after: call.request.query["after"].flatMap { UserID($0) }, typed: "")
    }

    @Sendable private static func search(_ call: Call) async throws -> WebResponse {
        let name = try call.form.optionalText("name", max: Limits.searchTextMax) ?? ""
        return try await list(call, UserStore.Filter(prefix: Folding.fold(name)), after: nil, typed: name)
    }

    private static func list(
        _ call: Call, _ filter: UserStore.Filter, after: UserID?, typed: String
    ) async throws -> WebResponse {
        let found = try await call.read { try UserStore().page(filter, after: after, $0) }
        try await call.recordView(AuditEntry("identity.user.view", found.items.map { .user($0.id) }))
        var query = ""
        if let role = filter.role { query += "&role=" + role.rawValue }
        if let status = filter.status { query += "&status=" + status.rawValue }
        // A search by name goes on by POST only: no name in an address.
        let next = typed.isEmpty ? found.next : nil
        return call.page(
            "identity/users", title: call.text("nav.users"), active: "/users",
            [
                "mayCreate": .bool(try call.principal().may(IdentityPermission.manage)), "typed": .text(typed),
                "roles": .list(
                    Role.allCases.map { role in
                        [
                            "value": .text(role.rawValue), "label": .text(call.text("role.\(role.rawValue)")),
                            "selected": .bool(filter.role == role),
                        ]
                    }),
                "onlyActive": .bool(filter.status == .active), "onlyDisabled": .bool(filter.status == .disabled),
                "isFiltered": .bool(filter.role != nil || filter.status != nil || !typed.isEmpty),
                "users": .list(found.items.map { row($0, call) }), "isEmpty": .bool(found.items.isEmpty),
                "count": .text(String(found.items.count)), "next": .text(next.map { "/users?after=\($0)\(query)" }),
            ])
    }

    private static func row(_ user: User, _ call: Call) -> View {
        [
            "id": .text(user.id.description), "name": .text(user.name), "displayName": .text(user.displayName),
            "roles": .list(
                user.roles.map { ["label": .text(call.text("role.\($0.rawValue)")), "power": .bool($0.isPower)] }),
            "noRoles": .bool(user.roles.isEmpty), "isDisabled": .bool(user.status == .disabled),
            "isInvited": .bool(user.status == .active && user.passwordChangedAt == nil),
            "isActive": .bool(user.status == .active && user.passwordChangedAt != nil),
            "lastLogin": .text(user.lastLoginAt.map { call.time($0) }),
        ]
    }

    // MARK: A new account

    static func newPage(_ call: Call, error: CRMError?) -> WebResponse {
        call.page(
            "identity/user-new", title: call.text("identity.users.create"), active: "/users",
            [
                "path": "/users/new", "name": .text(call.form["name"] ?? ""),
                "displayName": .text(call.form["display_name"] ?? ""),
                "regions": .text(call.form["regions"] ?? ""), "error": .text(error?.message[call.language]),
                "roles": .list(
                    Role.allCases.filter { !$0.isPower }.map { role in
                        roleView(role, call, chosen: call.form.all("role").contains(role.rawValue), may: true)
                    }),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
    }

    static func roleView(_ role: Role, _ call: Call, chosen: Bool, may: Bool) -> View {
        [
            "value": .text(role.rawValue), "label": .text(call.text("role.\(role.rawValue)")),
            "hint": .text(call.text("role.\(role.rawValue).hint")), "checked": .bool(chosen), "locked": .bool(!may),
        ]
    }

    // MARK: One account

    /// Everything of one account on one page; what the caller may not do is shown but locked.
    static func page(_ call: Call, _ id: UserID, error: CRMError?) async throws -> WebResponse {
        let accounts = Accounts(call.tenant)
        let (user, sessions) = try await call.read { session in
            (try accounts.access(id, session), try accounts.sessions.list(id, current: nil, session))
        }
        try await call.recordView(AuditEntry("identity.user.view", [.user(id)]))
        let principal = try call.principal()
        let isOwn = principal.userID == id
        let mayPowers = principal.may(IdentityPermission.powers) && !isOwn
        let mayBusiness = principal.may(IdentityPermission.manage) && !isOwn
        let mayManage = user.hasPower ? mayPowers : mayBusiness
        func roles(_ powers: Bool) -> ViewValue {
            .list(
                Role.allCases.filter { $0.isPower == powers }.map { role in
                    roleView(
                        role, call, chosen: user.roles.contains(role), may: powers ? mayPowers : mayBusiness)
                })
        }
        return call.page(
            "identity/user", title: user.name, active: "/users",
            row(user, call).merging([
                "revision": .text(user.version), "error": .text(error?.message[call.language]), "isOwn": .bool(isOwn), "mayManage": .bool(mayManage),
                "mayChangeRoles": .bool(mayPowers || mayBusiness), "mayScope": .bool(mayBusiness),
                "mayLink": .bool(mayManage && user.status == .active), "businessRoles": roles(false),
                "powerRoles": roles(true), "regions": .text(user.scope.regions?.joined(separator: ", ") ?? ""),
                "allRegions": .bool(user.scope.regions == nil), "created": .text(call.time(user.createdAt)),
                "passwordChanged": .text(user.passwordChangedAt.map { call.time($0) }),
                "initial": .text(String(user.displayName.prefix(1)).uppercased()),
                "sessions": .list(sessions.map { SessionRow.view($0, call) }), "noSessions": .bool(sessions.isEmpty),
            ]), status: HTTPResponse.Status(code: error?.status ?? 200)
        ).tagged(user.version)
    }
}

extension User {
    /// Of what the forms of its page replace.
    var version: String {
        RecordVersion.of(
            [status.rawValue] + roles.map(\.rawValue).sorted() + ["regions"] + (scope.regions.map { $0.sorted() } ?? ["*"]))
    }
}
