import Foundation
import Kernel
import Storage
import Web

/// An account of a member of staff.
package struct User: Sendable {
    package enum Status: String, Sendable { case active, disabled }

    package let id: UserID
    /// As typed; unique after folding.
    package let name: String
    package let displayName: String
    package let status: Status
    package let roles: [Role]
    package let scope: RecordScope
    package let language: Language?
    package let theme: String?
    package let shortcuts: Bool
    /// `nil` until the person has set a password through a one-time link.
    package let passwordChangedAt: Instant?
    package let lastLoginAt: Instant?
    package let createdAt: Instant

    package var hasPower: Bool { roles.contains(where: \.isPower) }

    /// Checks a new account's name: 1...64 letters, digits and `. _ - @ +`.
    /// - Throws: 422 `invalid_name`.
    package static func checkName(_ name: String) throws {
        let scalars = name.unicodeScalars
        let allowed = scalars.allSatisfy { scalar in
            let kind = scalar.properties.generalCategory
            return scalar.properties.isAlphabetic || kind == .decimalNumber || kind == .nonspacingMark
                || "._-@+".unicodeScalars.contains(scalar)
        }
        guard (1...64).contains(scalars.count), allowed, !Folding.fold(name).isEmpty else {
            throw CRMError.invalid(
                "name", "invalid_name",
                Words(
                    en: "A user name has 1 to 64 letters, digits and . _ - @ +", zh: "用户名为 1 到 64 个字母、汉字、数字或 . _ - @ +")
            )
        }
    }
}

extension RecordScope {
    /// The stored form: `{"regions":[...]|null,"teams":[...]|null}`.
    var stored: String {
        func list(_ values: [String]?) -> JSONValue { values.map { .array($0.map { .string($0) }) } ?? .null }
        return JSONValue.object(["regions": list(regions), "teams": list(teams)]).encoded()
    }

    /// - Throws: a defect or a damaged row: nobody gets a wider scope by it.
    init(stored text: String) throws {
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
            throw StorageError(.other, "identity_user.scope is not an object")
        }
        func list(_ key: String) -> [String]? { object[key]?.array?.compactMap(\.string) }
        self.init(regions: list("regions"), teams: list("teams"))
    }
}

/// Reads and writes accounts. All on the caller's session.
struct UserStore: Sendable {
    static let columns: SQL = """
        SELECT id, name, display_name, status, scope, language, theme, shortcuts, password_changed_at, last_login_at,
          created_at FROM identity_user
        """
    static let byID: SQL = """
        SELECT id, name, display_name, status, scope, language, theme, shortcuts, password_changed_at, last_login_at,
          created_at FROM identity_user WHERE id = $1
        """
    static let idByName: SQL = "SELECT user_id FROM identity_user_name WHERE folded_name = $1"
    static let insert: SQL = """
        INSERT INTO identity_user (id, name, folded_name, display_name, password_hash, password_changed_at, status,
          shortcuts, scope, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9, $9)
        """
    static let insertName: SQL = """
        INSERT INTO identity_user_name (folded_name, user_id) VALUES ($1, $2) ON CONFLICT (folded_name) DO NOTHING
        """
    static let rolesOf: SQL = "SELECT role FROM identity_user_role WHERE user_id = $1 ORDER BY role"
    static let insertRole: SQL = """
        INSERT INTO identity_user_role (user_id, role, given_by, given_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """
    static let deleteRole: SQL = "DELETE FROM identity_user_role WHERE user_id = $1 AND role = $2"
    static let setStatus: SQL = "UPDATE identity_user SET status = $2, changed_at = $3 WHERE id = $1"
    static let setScope: SQL = "UPDATE identity_user SET scope = $2, changed_at = $3 WHERE id = $1"
    static let setPassword: SQL = """
        UPDATE identity_user SET password_hash = $2, password_changed_at = $3, changed_at = $3 WHERE id = $1
        """
    static let rehash: SQL = "UPDATE identity_user SET password_hash = $2 WHERE id = $1"
    static let setLastLogin: SQL = "UPDATE identity_user SET last_login_at = $2 WHERE id = $1"
    static let setPreferences: SQL = """
        UPDATE identity_user SET language = COALESCE($2, language), theme = COALESCE($3, theme),
          shortcuts = COALESCE($4, shortcuts), changed_at = $5 WHERE id = $1
        """
    static let credentials: SQL = """
        SELECT u.id, u.password_hash, u.status, u.password_changed_at FROM identity_user_name n
        JOIN identity_user u ON u.id = n.user_id WHERE n.folded_name = $1
        """
    static let credentialsByID: SQL = """
        SELECT id, password_hash, status, password_changed_at FROM identity_user WHERE id = $1
        """
    static let namesStart: SQL = "SELECT id, name FROM identity_user WHERE id > 0"
    static let any: SQL = "SELECT 1 FROM identity_user LIMIT 1"
    static let rolesStart: SQL = "SELECT user_id, role FROM identity_user_role WHERE user_id > 0"

    /// What a password is checked against.
    struct Credentials: Sendable {
        let id: UserID
        let hash: String?
        let status: User.Status
        let passwordChangedAt: Instant?
    }

    func user(_ id: UserID, _ session: any SQLSession) throws -> User? {
        let roles = try self.roles(id, session)
        return try session.first(Self.byID, [.id(id)]) { try Self.user($0, roles) }
    }

    func roles(_ id: UserID, _ session: any SQLSession) throws -> [Role] {
        try session.query(Self.rolesOf, [.id(id)]) { Role(rawValue: $0.text(0)) }.compactMap(\.self)
    }

    func id(named name: String, _ session: any SQLSession) throws -> UserID? {
        try session.first(Self.idByName, [.text(Folding.fold(name))]) { $0.id(0) }
    }

    /// Account names by id; ids of no account are left out.
    func names(_ ids: [UserID], _ session: any SQLSession) throws -> [Int64: String] {
        var result: [Int64: String] = [:]
        for piece in ids.chunked(Limits.sqlListChunk) {
            var query = SQLBuilder(Self.namesStart)
            query.appendIn("AND id", piece.map { .id($0) })
            for (id, name) in try session.query(query, { ($0.int(0), $0.text(1)) }) { result[id] = name }
        }
        return result
    }

    func credentials(named folded: String, _ session: any SQLSession) throws -> Credentials? {
        try session.first(Self.credentials, [.text(folded)], Self.credentials)
    }

    func credentials(_ id: UserID, _ session: any SQLSession) throws -> Credentials? {
        try session.first(Self.credentialsByID, [.id(id)], Self.credentials)
    }

    func isEmpty(_ session: any SQLSession) throws -> Bool { try !session.exists(Self.any) }

    /// What a list of accounts is narrowed to.
    struct Filter: Sendable {
        var role: Role?
        var status: User.Status?
        /// Folded beginning of the account name.
        var prefix: String?
    }

    /// Accounts in the order of their names; `after` continues behind an account.
    func page(
        _ filter: Filter = Filter(), after: UserID? = nil, limit: Int = Limits.pageSize, _ session: any SQLSession
    ) throws -> Page<User> {
        var query = SQLBuilder(Self.columns)
        query.append("WHERE id > 0")
        if let after {
            query.append(
                "AND (folded_name, id) > ((SELECT folded_name FROM identity_user WHERE id = ?), ?)", .id(after),
                .id(after))
        }
        if let status = filter.status { query.append("AND status = ?", .text(status.rawValue)) }
        if let role = filter.role {
            query.append("AND id IN (SELECT user_id FROM identity_user_role WHERE role = ?)", .text(role.rawValue))
        }
        if let prefix = filter.prefix {
            query.append("AND folded_name >= ? AND folded_name < ?", .text(prefix), .text(Folding.prefixEnd(prefix)))
        }
        query.append("ORDER BY folded_name, id LIMIT ?", .int(limit + 1))
        let bare = try session.query(query) { try Self.user($0, []) }
        let shown = Array(bare.prefix(limit))
        let roles = try self.roles(of: shown.map(\.id), session)
        return Page(
            items: shown.map { $0.with(roles: roles[$0.id] ?? []) },
            next: bare.count > limit ? shown.last?.id.description : nil)
    }

    private func roles(of ids: [UserID], _ session: any SQLSession) throws -> [UserID: [Role]] {
        var result: [UserID: [Role]] = [:]
        for piece in ids.chunked(Limits.sqlListChunk) {
            var query = SQLBuilder(Self.rolesStart)
            query.appendIn("AND user_id", piece.map { .id($0) })
            query.append("ORDER BY user_id, role")
            for (id, role) in try session.query(query, { ($0.id(0, UserKind.self), Role(rawValue: $0.text(1))) }) {
                if let role { result[id, default: []].append(role) }
            }
        }
        return result
    }

    private static func user(_ row: Row, _ roles: [Role]) throws -> User {
        User(
            id: row.id(0), name: row.text(1), displayName: row.text(2), status: status(row.text(3)), roles: roles,
            scope: try RecordScope(stored: row.text(4)),
            language: row.optionalText(5).flatMap(Language.init(rawValue:)), theme: row.optionalText(6),
            shortcuts: row.bool(7), passwordChangedAt: row.optionalTime(8), lastLoginAt: row.optionalTime(9),
            createdAt: row.time(10))
    }

    private static func credentials(_ row: Row) -> Credentials {
        Credentials(
            id: row.id(0), hash: row.optionalText(1), status: status(row.text(2)),
            passwordChangedAt: row.optionalTime(3))
    }

    /// An unknown word is not a way in.
    private static func status(_ text: String) -> User.Status { User.Status(rawValue: text) ?? .disabled }
}

extension User {
    fileprivate func with(roles: [Role]) -> User {
        User(
            id: id, name: name, displayName: displayName, status: status, roles: roles, scope: scope,
            language: language,
            theme: theme, shortcuts: shortcuts, passwordChangedAt: passwordChangedAt, lastLoginAt: lastLoginAt,
            createdAt: createdAt)
    }
}
