import Kernel
import Platform
import Storage
import Web

/// What the command line does to accounts. It acts as the system: whoever may run commands on the server holds its
/// files anyway. Every call is audited under the name `cli`.
package struct IdentityAdmin: Sendable {
    private let hasher: PasswordHasher
    private let policy: PasswordPolicy

    package init(hasher: PasswordHasher, policy: PasswordPolicy) {
        self.hasher = hasher
        self.policy = policy
    }

    /// A link to be passed on.
    package struct Link: Sendable {
        package let token: String
        /// `/bootstrap/TOKEN`; put the server's address before it.
        package let path: String
        package let expiresAt: Instant
    }

    /// Makes an account with a password.
    /// - Throws: 422 of the policy, `invalid_name`, `name_taken`, `powers_exclusive`.
    @discardableResult
    package func createUser(
        name: String, displayName: String? = nil, roles: Set<Role>, scope: RecordScope = .all, password: String,
        _ tenant: Tenant
    ) async throws -> UserID {
        try User.checkName(name)
        try Powers.check(roles)
        try policy.check(password, userName: name, displayName: displayName ?? "", tenant: tenant.name)
        let hash = try await hasher.hash(password, pepper: tenant.keys.pepper)
        let draft = Accounts.Draft(
            name: name, displayName: displayName, roles: roles, scope: scope, passwordHash: hash)
        let actor = Self.actor(tenant)
        return try await tenant.database.write { session in
            let (id, entry) = try Accounts(tenant).create(draft, by: actor, session)
            try tenant.audit.record(entry, by: actor, session)
            return id
        }
    }

    /// A one-time link with which the first account of a role is made (1 h). Printed once; earlier unused ones of
    /// the role end.
    /// - Throws: 422 `not_a_power` for a role that is given under Users.
    package func issueBootstrap(role: Role = .administrator, _ tenant: Tenant) async throws -> Link {
        guard role.isPower else {
            throw CRMError.invalid(
                "role", "not_a_power",
                Words(
                    en: "Such a link is for administrator, security or auditor.", zh: "此类链接仅用于系统管理员、安全管理员或审计员。"))
        }
        let actor = Self.actor(tenant)
        return try await tenant.database.write { session in
            let token = try Accounts(tenant).links.issue(.bootstrap(role), by: actor, session)
            try tenant.audit.record(
                AuditEntry("identity.link.issue", facts: ["role": .string(role.rawValue)]), by: actor, session)
            return Self.link(token, tenant)
        }
    }

    /// A one-time link with which the owner of an account sets a new password.
    /// - Throws: 404 for an unknown name, 409 for a disabled account.
    package func issueLink(user name: String, _ tenant: Tenant) async throws -> Link {
        let actor = Self.actor(tenant)
        return try await tenant.database.write { session in
            let accounts = Accounts(tenant)
            guard let id = try accounts.users.id(named: name, session) else { throw CRMError.notFound }
            let (token, entry) = try accounts.issueLink(id, by: actor, session)
            try tenant.audit.record(entry, by: actor, session)
            return Self.link(token, tenant)
        }
    }

    /// Disables or enables an account.
    /// - Throws: 404 for an unknown name.
    package func setStatus(user name: String, _ status: User.Status, _ tenant: Tenant) async throws {
        let actor = Self.actor(tenant)
        try await tenant.database.write { session in
            let accounts = Accounts(tenant)
            guard let id = try accounts.users.id(named: name, session) else { throw CRMError.notFound }
            try tenant.audit.record(try accounts.setStatus(id, status, by: actor, session), by: actor, session)
        }
    }

    /// All accounts, by name.
    package func listUsers(_ tenant: Tenant) async throws -> [User] {
        try await tenant.database.read { session in
            var users: [User] = []
            var after: UserID?
            repeat {
                let page = try UserStore().page(after: after, limit: Limits.pageSizeMax, session)
                users += page.items
                after = page.next.flatMap { UserID($0) }
            } while after != nil
            return users
        }
    }

    /// Whether there is an account at all; when not, the server prints a bootstrap link at its start.
    package func hasUsers(_ tenant: Tenant) async throws -> Bool {
        try await tenant.database.read { try !UserStore().isEmpty($0) }
    }

    private static func link(_ token: String, _ tenant: Tenant) -> Link {
        Link(
            token: token, path: OneTimeLink.path(token),
            expiresAt: tenant.clock.now().adding(seconds: OneTimeLink.lifeSeconds))
    }

    private static func actor(_ tenant: Tenant) -> Principal {
        .system(
            tenant: tenant.name, "cli",
            permissions: [IdentityPermission.view, IdentityPermission.manage, IdentityPermission.powers])
    }
}
