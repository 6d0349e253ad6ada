import Foundation
import Kernel
import Platform
import Storage
import Web

/// A link that sets a password once: how the first account of an installation is made, how a new colleague gets in, how
/// a forgotten password is replaced. Nobody ever sees or sets another person's password (G12, G13).
struct OneTimeLink: Sendable {
    enum Purpose: Sendable, Equatable {
        /// Makes a new account with this role.
        case bootstrap(Role)
        /// Sets the password of an account that exists.
        case password(UserID)
    }
    let purpose: Purpose

    static let lifeSeconds: Int64 = 3_600
    /// Nothing is known of it: never made, ended with its account, or so old that it was let go.
    static let invalid = ended("This link is not valid.", "链接无效。")
    static let used = ended("This link was used already.", "链接已被使用。")
    static let superseded = ended(
        "This link was replaced by a newer one; only the newest is valid.", "链接已被新的链接取代，仅最新的链接有效。")
    static let expired = ended("This link is older than an hour.", "链接已超过一小时，不再有效。")

    private static func ended(_ en: String, _ zh: String) -> CRMError {
        CRMError("link_invalid", status: 410, Words(en: en + " Ask for a new one.", zh: zh + "请索取新的链接。"))
    }

    /// The page behind a token.
    static func path(_ token: String) -> String { "/bootstrap/" + token }
}

/// Issues and redeems one-time links; only the SHA-256 of a token is stored.
struct OneTimeLinks: Sendable {
    let clock: any WallClock

    static let insert: SQL = """
        INSERT INTO identity_bootstrap (token_hash, kind, role, user_id, created_by, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """
    static let find: SQL = """
        SELECT kind, role, user_id, used_at, expires_at FROM identity_bootstrap WHERE token_hash = $1
        """
    static let use: SQL = """
        UPDATE identity_bootstrap SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
        """
    static let revoke: SQL = "DELETE FROM identity_bootstrap WHERE user_id = $1 AND used_at IS NULL"
    /// Its kind says so: whoever has it is told why it opens nothing, and an older process knows no such kind.
    static let supersede: SQL = """
        UPDATE identity_bootstrap SET kind = 'superseded' WHERE user_id = $1 AND kind = 'password' AND used_at IS NULL
        """
    static let supersedeBootstrap: SQL = """
        UPDATE identity_bootstrap SET kind = 'superseded' WHERE kind = 'bootstrap' AND role = $1 AND used_at IS NULL
        """
    static let purge: SQL = "DELETE FROM identity_bootstrap WHERE expires_at < $1"

    /// A new link; earlier unused links of the account, or to the same power, end with it.
    func issue(_ purpose: OneTimeLink.Purpose, by principal: Principal, _ session: any SQLSession) throws -> String {
        let token = RandomText.token()
        let now = clock.now()
        let kind: SQLValue
        let role: SQLValue
        let user: SQLValue
        switch purpose {
        case .bootstrap(let value):
            (kind, role, user) = (.text("bootstrap"), .text(value.rawValue), .null)
            try supersedeBootstrap(value, session)
        case .password(let id):
            (kind, role, user) = (.text("password"), .null, .id(id))
            try session.execute(Self.supersede, [.id(id)])
        }
        try session.execute(
            Self.insert,
            [
                .text(Sessions.digest(token)), kind, role, user, .text(principal.userName), .time(now),
                .time(now.adding(seconds: OneTimeLink.lifeSeconds)),
            ])
        return token
    }

    /// Ends an account's unused links: nobody lets themselves in by an old one after being disabled.
    func revoke(_ user: UserID, _ session: any SQLSession) throws { try session.execute(Self.revoke, [.id(user)]) }

    /// Ends the unused links to a power: there is at most one way to it at a time.
    private func supersedeBootstrap(_ role: Role, _ session: any SQLSession) throws {
        try session.execute(Self.supersedeBootstrap, [.text(role.rawValue)])
    }

    /// - Throws: 410 `link_invalid`.
    func find(_ token: String, _ session: any SQLSession) throws -> OneTimeLink {
        let found = try session.first(Self.find, [.text(Sessions.digest(token))]) { row in
            (
                kind: row.text(0), purpose: Self.purpose(kind: row.text(0), role: row.optionalText(1), user: row.optionalID(2)),
                isUsed: !row.isNull(3), expires: row.time(4)
            )
        }
        guard let found else { throw OneTimeLink.invalid }
        guard !found.isUsed else { throw OneTimeLink.used }
        guard found.kind != "superseded" else { throw OneTimeLink.superseded }
        guard found.expires > clock.now() else { throw OneTimeLink.expired }
        guard let purpose = found.purpose else { throw OneTimeLink.invalid }
        return OneTimeLink(purpose: purpose)
    }

    /// Uses the link up in the caller's transaction; of two at once one succeeds.
    /// - Throws: 410 `link_invalid`.
    func redeem(_ token: String, _ session: any SQLSession) throws -> OneTimeLink {
        let link = try find(token, session)
        guard try session.execute(Self.use, [.text(Sessions.digest(token)), .time(clock.now())]) == 1 else {
            throw OneTimeLink.used
        }
        if case .bootstrap(let role) = link.purpose { try supersedeBootstrap(role, session) }
        return link
    }

    private static func purpose(kind: String, role: String?, user: UserID?) -> OneTimeLink.Purpose? {
        switch kind {
        case "bootstrap": role.flatMap(Role.init(rawValue:)).map { .bootstrap($0) }
        case "password": user.map { .password($0) }
        default: nil
        }
    }
}
