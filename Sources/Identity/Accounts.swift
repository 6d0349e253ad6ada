import Foundation
import Kernel
import Platform
import Storage
import Web

/// What is done to accounts. Every verb works on the caller's session and returns the audit entry that the caller
/// records in the same transaction.
struct Accounts: Sendable {
    let ids: IDGenerator
    let clock: any WallClock
    let users = UserStore()
    let sessions: Sessions
    let links: OneTimeLinks
    private let keys: TenantKeys

    init(_ tenant: Tenant) {
        ids = tenant.ids
        clock = tenant.clock
        keys = tenant.keys
        sessions = Sessions(tenant)
        links = OneTimeLinks(clock: tenant.clock)
    }

    static let nameTaken = CRMError.invalid(
        "name", "name_taken", Words(en: "There is an account of this name already.", zh: "该用户名已存在。"))

    /// What a new account begins with.
    struct Draft: Sendable {
        var name: String
        var displayName: String?
        var roles: Set<Role>
        var scope: RecordScope = .all
        /// `nil`: the person sets one through a link.
        var passwordHash: String?
    }

    /// Makes an account.
    /// - Throws: 422 `invalid_name`, `name_taken`, `powers_exclusive`.
    func create(_ draft: Draft, by principal: Principal, _ session: any SQLSession) throws -> (UserID, AuditEntry) {
        try User.checkName(draft.name)
        try Powers.check(draft.roles)
        let id: UserID = ids.next()
        let now = clock.now()
        let folded = Folding.fold(draft.name)
        guard try session.execute(UserStore.insertName, [.text(folded), .id(id)]) == 1 else { throw Self.nameTaken }
        try session.execute(
            UserStore.insert,
            [
                .id(id), .text(draft.name), .text(folded), .text(draft.displayName ?? draft.name),
                .text(draft.passwordHash), draft.passwordHash == nil ? .null : .time(now), .bool(true),
                .text(draft.scope.stored), .time(now),
            ])
        try give(draft.roles, to: id, by: principal, now, session)
        return (id, AuditEntry("identity.user.create", [.user(id)], facts: ["roles": Self.names(draft.roles)]))
    }

    /// The account, for a page or a verb.
    /// - Throws: 404.
    func access(_ id: UserID, _ session: any SQLSession) throws -> User {
        guard let user = try users.user(id, session) else { throw CRMError.notFound }
        return user
    }

    /// Replaces the roles within what the caller may give; all sessions of the account end (G17).
    func setRoles(_ id: UserID, _ roles: Set<Role>, by principal: Principal, _ session: any SQLSession) throws
        -> AuditEntry
    {
        let user = try access(id, session)
        let old = Set(user.roles)
        try Powers.checkChange(from: old, to: roles, of: id, by: principal)
        for role in old.subtracting(roles) {
            try session.execute(UserStore.deleteRole, [.id(id), .text(role.rawValue)])
        }
        try give(roles.subtracting(old), to: id, by: principal, clock.now(), session)
        if roles != old { try sessions.endAll(id, session) }
        return AuditEntry(
            "identity.user.roles", [.user(id)], facts: ["before": Self.names(old), "after": Self.names(roles)])
    }

    /// Disables or enables; a disabled account's sessions, links and tokens end at once.
    func setStatus(
        _ id: UserID, _ status: User.Status, by principal: Principal, _ session: any SQLSession
    ) throws -> AuditEntry {
        let user = try access(id, session)
        try Powers.checkManages(user.roles, by: principal)
        guard principal.userID != id else {
            throw CRMError(
                "own_account", status: 403, Words(en: "Nobody disables their own account.", zh: "不能停用自己的账户。"))
        }
        try session.execute(UserStore.setStatus, [.id(id), .text(status.rawValue), .time(clock.now())])
        if status == .disabled {
            try sessions.endAll(id, session)
            try links.revoke(id, session)
            try session.execute(PersonalTokenStore.revokeAll, [.id(id), .time(clock.now())])
        }
        return AuditEntry(
            status == .disabled ? "identity.user.disable" : "identity.user.enable", [.user(id)])
    }

    /// Which customers the account reaches.
    func setScope(
        _ id: UserID, _ scope: RecordScope, by principal: Principal, _ session: any SQLSession
    ) throws -> AuditEntry {
        let user = try access(id, session)
        guard principal.userID != id else { throw CRMError.forbidden(IdentityPermission.manage) }
        try session.execute(UserStore.setScope, [.id(id), .text(scope.stored), .time(clock.now())])
        func fact(_ scope: RecordScope) -> JSONValue { .text(scope.regions?.joined(separator: ",")) }
        return AuditEntry(
            "identity.user.scope", [.user(id)], facts: ["before": fact(user.scope), "after": fact(scope)])
    }

    func endSessions(_ id: UserID, by principal: Principal, _ session: any SQLSession) throws -> AuditEntry {
        let user = try access(id, session)
        try Powers.checkManages(user.roles, by: principal)
        let count = try sessions.endAll(id, session)
        return AuditEntry("identity.session.end", [.user(id)], facts: ["count": .int(Int64(count))])
    }

    /// A link with which the person sets a new password. The old one works until then: the one who asks for a link
    /// cannot put anybody out.
    func issueLink(_ id: UserID, by principal: Principal, _ session: any SQLSession) throws -> (String, AuditEntry) {
        let user = try access(id, session)
        try Powers.checkManages(user.roles, by: principal)
        guard principal.userID != id, user.status == .active else {
            throw CRMError.conflict(
                "no_link",
                Words(en: "A link is for another person's active account.", zh: "只能为他人的有效账户生成链接。"))
        }
        let token = try links.issue(.password(id), by: principal, session)
        return (token, AuditEntry("identity.link.issue", [.user(id)]))
    }

    /// Stores a new password; every session and link of the account ends, its throttle is cleared.
    func setPassword(_ user: User, hash: String, _ session: any SQLSession) throws {
        try session.execute(UserStore.setPassword, [.id(user.id), .text(hash), .time(clock.now())])
        try sessions.endAll(user.id, session)
        try links.revoke(user.id, session)
        try Throttle.clear(name: Folding.fold(user.name), secret: keys.throttle, session)
    }

    private func give(
        _ roles: Set<Role>, to id: UserID, by principal: Principal, _ now: Instant, _ session: any SQLSession
    ) throws {
        try session.executeMany(
            UserStore.insertRole,
            roles.sorted { $0.rawValue < $1.rawValue }.map {
                [.id(id), .text($0.rawValue), .id(principal.userID), .time(now)]
            })
    }

    private static func names(_ roles: Set<Role>) -> JSONValue {
        .string(roles.map(\.rawValue).sorted().joined(separator: ","))
    }
}
