import Kernel
import Platform
import Web

/// Which rights each role has: the grants of the platform and of every module, turned round. Made once by App.
package struct RolePermissions: Sendable {
    private let byRole: [Role: Set<Permission>]

    package init(_ grants: [PermissionGrant]) {
        var byRole: [Role: Set<Permission>] = [:]
        for grant in grants {
            for role in grant.roles { byRole[role, default: []].insert(grant.permission) }
        }
        self.byRole = byRole
    }

    /// The rights of somebody with all these roles.
    package func permissions(of roles: some Sequence<Role>) -> Set<Permission> {
        roles.reduce(into: []) { $0.formUnion(byRole[$1] ?? []) }
    }
}

/// The rights of this domain.
package enum IdentityPermission {
    /// Sees accounts, their roles and sessions.
    package static let view = Permission("identity.users.view")
    /// Makes accounts, gives business roles, scopes, links; disables.
    package static let manage = Permission("identity.users.manage")
    /// Gives and takes the three powers, and manages the accounts that hold one.
    package static let powers = Permission("identity.roles.manage")
    /// Sees the programs that call in, and what they may do.
    package static let viewClients = Permission("identity.client.view")
    /// Makes programs' access, says what they may do, renews secrets: what the administrator does for people with business
    /// roles. No scope carries a right of one of the three powers.
    package static let manageClients = Permission("identity.client.manage")
    /// Ends a program's access: also the security administrator, who need not ask first.
    package static let revokeClients = Permission("identity.client.revoke")

    static let grants = [
        PermissionGrant(
            view, Words(en: "See users, their roles and sessions", zh: "查看用户及其角色和会话"),
            roles: [.administrator, .security]),
        PermissionGrant(
            manage, Words(en: "Create and disable users, give business roles", zh: "创建和停用用户，授予业务角色"),
            roles: [.administrator]),
        PermissionGrant(
            powers,
            Words(
                en: "Give the powers of administrator, security and auditor", zh: "授予系统管理员、安全管理员、审计员权力"),
            roles: [.security]),
        PermissionGrant(
            viewClients, Words(en: "See the programs that call in", zh: "查看接口客户端"),
            roles: [.administrator, .security]),
        PermissionGrant(
            manageClients, Words(en: "Give programs access, renew their secrets", zh: "新建接口客户端并更换密钥"),
            roles: [.administrator]),
        PermissionGrant(
            revokeClients, Words(en: "Revoke programs' access", zh: "吊销接口客户端"), roles: [.administrator, .security]),
    ]
}

/// The separation of the three powers (G27, 三员; GB/T 22239-2019 8.1.4.2 d).
enum Powers {
    static let exclusive = CRMError(
        "powers_exclusive", status: 422,
        Words(
            en: "Administrator, security and auditor exclude one another; security and auditor stand alone.",
            zh: "系统管理员、安全管理员、审计员互斥；安全管理员和审计员不能兼任其他角色。"),
        fields: [
            .init(
                field: "role", code: "powers_exclusive",
                message: Words(en: "These roles exclude one another.", zh: "这些角色互斥。"))
        ])

    /// - Throws: 422 `powers_exclusive` for a set of roles that no account may have.
    static func check(_ roles: Set<Role>) throws {
        guard roles.count(where: \.isPower) <= 1 else { throw exclusive }
        if roles.contains(.security) || roles.contains(.auditor), roles.count > 1 { throw exclusive }
    }

    /// - Throws: 403 when `principal` may not turn one set of roles of an account into another.
    static func checkChange(from old: Set<Role>, to new: Set<Role>, of user: UserID, by principal: Principal) throws {
        guard principal.userID != user else {
            throw CRMError(
                "own_roles", status: 403, Words(en: "Nobody changes their own roles.", zh: "不能修改自己的角色。"))
        }
        let changed = old.symmetricDifference(new)
        if changed.contains(where: \.isPower) { try principal.require(IdentityPermission.powers) }
        if changed.contains(where: { !$0.isPower }) { try principal.require(IdentityPermission.manage) }
        try check(new)
    }

    /// Who may disable an account, end its sessions or send it a new link: for an account with a power the security
    /// administrator, else an administrator could take over the account of another power by a link.
    static func checkManages(_ roles: some Sequence<Role>, by principal: Principal) throws {
        try principal.require(roles.contains(where: \.isPower) ? IdentityPermission.powers : IdentityPermission.manage)
    }
}
