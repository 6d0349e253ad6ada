/// A named right, `area.verb` (`customers.view`). Denied unless a role grants it.
package struct Permission: Hashable, Sendable, Codable, Comparable, RawRepresentable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The roles shipped with the product. The last three hold the three separated powers (G27, 三员): an account has at
/// most one of them, and the auditor's and the security administrator's account has no other role.
package enum Role: String, Sendable, Codable, CaseIterable {
    case agent, supervisor, marketer, analyst
    case administrator
    case security
    case auditor

    /// One of the three powers that exclude one another.
    package var isPower: Bool { self == .administrator || self == .security || self == .auditor }
}

/// Which customers a principal may reach. `nil` = all; a list = only these.
package struct RecordScope: Sendable, Hashable, Codable {
    package let regions: [String]?
    package let teams: [String]?
    package init(regions: [String]? = nil, teams: [String]? = nil) {
        self.regions = regions
        self.teams = teams
    }
    package static let all = RecordScope()
}

/// Why personal data is processed in this request; kept with every audit event (R8).
package enum Purpose: String, Sendable, Codable, CaseIterable {
    case service, sales, marketing, retention, analysis, administration, security, legal
}

/// Who acts, for which tenant, with which rights, why and from where. In every context from the first request on.
package struct Principal: Sendable {
    package let tenant: String
    /// `nil` for the system itself (a job or a command without a user).
    package let userID: UserID?
    package let userName: String
    package let roles: [Role]
    package let permissions: Set<Permission>
    package let scope: RecordScope
    package let purpose: Purpose
    /// The client's address, or `cli`, `job`.
    package let address: String
    package let requestID: String
    /// What a caller that came with a token may call: routes whose scope is among these, and no other. `nil` = a person's
    /// session (or the product itself): whatever the permissions allow.
    package let scopes: Set<String>?
    /// The personal token a person's program came with, by its name and beginning, for the audit; `nil` otherwise.
    package let token: String?

    package init(
        tenant: String, userID: UserID?, userName: String, roles: [Role], permissions: Set<Permission>,
        scope: RecordScope = .all, purpose: Purpose, address: String, requestID: String,
        scopes: Set<String>? = nil, token: String? = nil
    ) {
        self.tenant = tenant
        self.userID = userID
        self.userName = userName
        self.roles = roles
        self.permissions = permissions
        // Customers of a region stand under several spellings of it.
        self.scope = scope.spelled
        self.purpose = purpose
        self.address = address
        self.requestID = requestID
        self.scopes = scopes
        self.token = token
    }

    /// The product acting by itself. It has the permissions its caller gives it, none by default.
    package static func system(tenant: String, _ name: String, permissions: Set<Permission> = []) -> Principal {
        Principal(
            tenant: tenant, userID: nil, userName: name, roles: [], permissions: permissions,
            purpose: .administration, address: "local", requestID: name)
    }

    package func may(_ permission: Permission) -> Bool { permissions.contains(permission) }

    /// Throws `CRMError.forbidden` unless the permission is held.
    package func require(_ permission: Permission) throws {
        guard may(permission) else { throw CRMError.forbidden(permission) }
    }

    package func with(purpose: Purpose) -> Principal {
        Principal(
            tenant: tenant, userID: userID, userName: userName, roles: roles, permissions: permissions, scope: scope,
            purpose: purpose, address: address, requestID: requestID, scopes: scopes, token: token)
    }
}
