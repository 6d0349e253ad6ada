import Kernel
import Platform
import Storage
import Web

/// Kind of entity, for `ID`.
package enum TokenKind {}
package typealias TokenID = ID<TokenKind>

/// A token that a person made for a program of their own.
package struct PersonalToken: Sendable {
    static let perPersonMax = 50
    static let beginningLength = 12

    package let id: TokenID
    package let name: String
    /// What it begins with.
    package let beginning: String
    package let scopes: [String]
    package let addresses: [String]
    package let createdAt: Instant
    package let expiresAt: Instant
    package let lastUsedAt: Instant?
    package let revokedAt: Instant?

    /// `nightly export (sbp_Ab12Cd34)`.
    var auditName: String { "\(name) (\(beginning))" }
}

extension AuditSubject {
    static func token(_ id: TokenID) -> AuditSubject { AuditSubject(kind: "token", id: id.rawValue) }
}

/// Reads and writes people's own tokens. All on the caller's session.
struct PersonalTokenStore: Sendable {
    static let insert: SQL = """
        INSERT INTO identity_token (token_hash, id, user_id, name, beginning, scopes, addresses, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """
    /// What is revoked or over is shown for a while.
    static let list: SQL = """
        SELECT id, name, beginning, scopes, addresses, created_at, expires_at, last_used_at, revoked_at FROM identity_token
        WHERE user_id = $1 ORDER BY id DESC LIMIT 100
        """
    static let count: SQL = """
        SELECT COUNT(*) FROM identity_token WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
        """
    static let revoke: SQL = """
        UPDATE identity_token SET revoked_at = $3 WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL
        """
    static let revokeAll: SQL = "UPDATE identity_token SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL"
    static let touch: SQL = """
        UPDATE identity_token SET last_used_at = $2 WHERE token_hash = $1 AND (last_used_at IS NULL OR last_used_at < $2)
        """
    static let purge: SQL = "DELETE FROM identity_token WHERE expires_at < $1"
    /// Revoked ones too: who tries one is to be heard of. A row for each role of its owner.
    static let owner: SQL = """
        SELECT t.id, t.name, t.beginning, t.scopes, t.addresses, t.created_at, t.expires_at, t.last_used_at, t.revoked_at,
          u.id, u.name, u.status, u.scope, r.role
        FROM identity_token t JOIN identity_user u ON u.id = t.user_id
        LEFT JOIN identity_user_role r ON r.user_id = u.id
        WHERE t.token_hash = $1
        """

    struct Owner: Sendable {
        let token: PersonalToken
        let user: UserID
        let userName: String
        let isActive: Bool
        let scope: RecordScope
        var roles: [Role] = []
    }

    func owner(_ digest: String, _ session: any SQLSession) throws -> Owner? {
        var found: Owner?
        try session.forEach(Self.owner, [.text(digest)]) { row in
            if found == nil {
                found = Owner(
                    token: Self.token(row), user: row.id(9), userName: row.text(10),
                    isActive: row.text(11) == User.Status.active.rawValue, scope: try RecordScope(stored: row.text(12)))
            }
            if let role = row.optionalText(13).flatMap(Role.init(rawValue:)) { found?.roles.append(role) }
            return true
        }
        found?.roles.sort { $0.rawValue < $1.rawValue }
        return found
    }

    func list(_ user: UserID, _ session: any SQLSession) throws -> [PersonalToken] {
        try session.query(Self.list, [.id(user)], Self.token)
    }

    private static func token(_ row: Row) -> PersonalToken {
        PersonalToken(
            id: row.id(0), name: row.text(1), beginning: row.text(2), scopes: ProgramFields.list(row.text(3)),
            addresses: ProgramFields.list(row.text(4)), createdAt: row.time(5), expiresAt: row.time(6),
            lastUsedAt: row.optionalTime(7), revokedAt: row.optionalTime(8))
    }
}

/// What a person does with tokens of their own; the caller records the entry in the same transaction.
struct PersonalTokens: Sendable {
    let ids: IDGenerator
    let clock: any WallClock

    init(_ tenant: Tenant) {
        ids = tenant.ids
        clock = tenant.clock
    }

    struct Draft: Sendable {
        let name: String
        let scopes: [String]
        let addresses: [String]
        let days: Int
    }

    /// The scopes a person may give to a program: those whose first right they have.
    static func offered(_ scopes: [APIScope], to principal: Principal) -> [APIScope] {
        scopes.filter { scope in scope.permissions.first.map(principal.may) ?? false }
    }

    /// - Parameter offered: what this person may give.
    /// - Throws: 422 `invalid_name`, `unknown_scope`, `required`, `days_out_of_range`; 409 `too_many_tokens`.
    func create(_ draft: Draft, offered: [APIScope], of user: UserID, _ session: any SQLSession) throws
        -> (token: String, AuditEntry)
    {
        let name = try ProgramFields.name(draft.name, max: 60)
        let scopes = try ProgramFields.scopes(draft.scopes, offered: offered)
        let now = clock.now()
        let expires = try ProgramFields.expiry(days: draft.days, now)
        guard try session.count(PersonalTokenStore.count, [.id(user), .time(now)]) < PersonalToken.perPersonMax else {
            throw CRMError.conflict(
                "too_many_tokens",
                Words(
                    en: "You have \(PersonalToken.perPersonMax) tokens already; revoke one first.",
                    zh: "您已有 \(PersonalToken.perPersonMax) 个令牌，请先吊销一个。"))
        }
        let token = ProgramSecret.make(ProgramSecret.personal)
        let id: TokenID = ids.next()
        try session.execute(
            PersonalTokenStore.insert,
            [
                .text(ProgramSecret.digest(token)), .id(id), .id(user), .text(name),
                .text(String(token.prefix(PersonalToken.beginningLength))), .text(ProgramFields.stored(scopes)),
                .text(ProgramFields.stored(draft.addresses)), .time(now), .time(expires),
            ])
        return (
            token,
            AuditEntry(
                "identity.token.create", [.user(user), .token(id)],
                facts: [
                    "name": .string(name), "scopes": .string(scopes.joined(separator: " ")),
                    "addresses": .string(draft.addresses.joined(separator: " ")), "days": .int(Int64(draft.days)),
                ])
        )
    }

    /// - Throws: 404 for another person's, or one that was revoked.
    func revoke(_ id: TokenID, of user: UserID, _ session: any SQLSession) throws -> AuditEntry {
        guard try session.execute(PersonalTokenStore.revoke, [.id(user), .id(id), .time(clock.now())]) == 1 else {
            throw CRMError.notFound
        }
        return AuditEntry("identity.token.revoke", [.user(user), .token(id)])
    }
}
