import Kernel
import Platform
import Storage
import Web

/// Accounts, log-in, sessions, roles, access of programs, and the pages over the audit log.
package struct IdentityModule: Module {
    let hasher: PasswordHasher
    let policy: PasswordPolicy
    let texts: Texts
    let customers: CustomerNumbers
    let memory: TokenMemory

    /// - Parameters:
    ///   - hasher: the process's one hasher.
    ///   - policy: `PasswordPolicy.profile(_:share:)` of the setting.
    ///   - texts: the words for the codes of the audit log.
    ///   - customers: finds whom a customer number in the audit log's filter means.
    ///   - memory: what the process knows of programs' tokens; the gate's `ProgramCallers` has the same.
    package init(
        hasher: PasswordHasher, policy: PasswordPolicy, texts: Texts, customers: CustomerNumbers = CustomerNumbers(),
        memory: TokenMemory = TokenMemory()
    ) {
        self.hasher = hasher
        self.policy = policy
        self.texts = texts
        self.customers = customers
        self.memory = memory
    }

    package var name: String { "Identity" }
    package var permissions: [PermissionGrant] { IdentityPermission.grants }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        LogInPages(hasher: hasher, policy: policy).endpoints + PreferencePages.endpoints
            + OwnPages(hasher: hasher, policy: policy).endpoints + UserPages.endpoints + UserActions.endpoints
            + RolePages.endpoints + AuditPages(customers: customers).endpoints + TokenEndpoint(memory: memory).endpoints
            + ClientPages(memory: memory).endpoints + PersonalTokenPages(hasher: hasher, policy: policy).endpoints
    }

    package var navigation: [NavigationEntry] {
        [
            NavigationEntry(
                key: "nav.users", icon: "users", path: "/users", permission: IdentityPermission.view, order: 60),
            NavigationEntry(
                key: "nav.roles", icon: "shield", path: "/roles", permission: IdentityPermission.view, order: 65),
            NavigationEntry(
                key: "nav.clients", icon: "key", path: "/clients", permission: IdentityPermission.viewClients, order: 67),
            NavigationEntry(
                key: "nav.audit", icon: "audit", path: "/audit", permission: PlatformGrants.readAudit, order: 70),
        ]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] { [AuditPanel.panel(tenant, texts)] }

    package var schedules: [Schedule] {
        [Schedule(name: "identity.purge", jobKind: "identity.purge", everySeconds: 3_600)]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] {
        let memory = self.memory
        return [
            JobHandler(kind: "identity.purge") { _ in
                let now = tenant.clock.now()
                let kid = try await tenant.database.write { session in
                    try session.execute(PersonalTokenStore.purge, [.time(now.adding(days: -90))])
                    try session.execute(Sessions.purge, [.time(now)])
                    try session.execute(OneTimeLinks.purge, [.time(now.adding(days: -1))])
                    try session.execute(Throttle.purge, [.time(now.adding(days: -Throttle.forgetDays))])
                    try session.execute(LogIn.purgeAddresses, [.time(now.adding(days: -LogIn.knownDays))])
                    let kid = try SigningKeys(tenant: tenant).upkeep(session)
                    if let kid {
                        try tenant.audit.record(
                            SigningKeys.renewed(kid, atOnce: false), by: .system(tenant: tenant.name, "identity"), session)
                    }
                    return kid
                }
                if kid != nil { memory.forgetKeys(tenant: tenant.name) }
                return nil
            }
        ]
    }

    /// Small, and joined among themselves at each request.
    package var layouts: [TableLayout] {
        TableLayout.all(
            [
                "identity_user", "identity_user_name", "identity_user_role", "identity_session", "identity_throttle",
                "identity_known_address", "identity_bootstrap", "identity_client", "identity_token", "identity_signing_key",
            ], .local)
    }
    package var labels: [TableLabels] {
        [
            TableLabels(
                "identity_user",
                [
                    "id": .plain, "name": .name, "folded_name": .name, "display_name": .name, "password_hash": .secret,
                    "password_changed_at": .plain, "status": .plain, "language": .plain, "theme": .plain,
                    "shortcuts": .plain, "scope": .plain, "last_login_at": .profile, "created_at": .plain,
                    "changed_at": .plain,
                ]),
            TableLabels("identity_user_name", ["folded_name": .name, "user_id": .plain]),
            .plain("identity_user_role", ["user_id", "role", "given_by", "given_at"]),
            TableLabels(
                "identity_session",
                [
                    "token_hash": .secret, "id": .plain, "user_id": .plain, "created_at": .plain,
                    "last_seen_at": .profile, "expires_at": .plain, "address": .profile, "agent": .profile,
                ]),
            TableLabels(
                "identity_throttle",
                ["key": .profile, "failures": .plain, "next_allowed_at": .plain, "failed_at": .plain]),
            TableLabels(
                "identity_known_address", ["user_id": .plain, "address": .profile, "last_login_at": .profile]),
            TableLabels(
                "identity_bootstrap",
                [
                    "token_hash": .secret, "kind": .plain, "role": .plain, "user_id": .plain, "created_by": .name,
                    "created_at": .plain, "expires_at": .plain, "used_at": .plain,
                ]),
            TableLabels(
                "identity_client",
                [
                    "id": .plain, "name": .plain, "folded_name": .name, "secret_hash": .secret, "secret_made_at": .plain,
                    "old_secret_hash": .secret, "old_secret_until": .plain, "tokens_from": .plain, "scopes": .plain,
                    "addresses": .plain, "requests_per_second": .plain, "scope": .plain, "expires_at": .plain,
                    "created_by": .name, "created_at": .plain, "last_used_at": .plain, "revoked_at": .plain,
                ]),
            TableLabels(
                "identity_token",
                [
                    "token_hash": .secret, "id": .plain, "user_id": .plain, "name": .profile, "beginning": .plain,
                    "scopes": .plain, "addresses": .profile, "created_at": .plain, "expires_at": .plain,
                    "last_used_at": .profile, "revoked_at": .plain,
                ]),
            .plain("identity_signing_key", ["id", "kid", "created_at", "good_until"]),
        ]
    }
}
