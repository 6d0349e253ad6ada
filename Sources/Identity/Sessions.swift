import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// How long a session lives (G16; NIST SP 800-63B AAL2: 30 min idle, 12 h in all).
package enum SessionLimits {
    package static let absoluteSeconds: Int64 = 12 * 3_600
    package static let idleSeconds: Int64 = 30 * 60
    /// For accounts that hold one of the three powers.
    package static let idleSecondsPower: Int64 = 15 * 60
    /// `last_seen_at` is written at most this often, so a reading page does not become a writing one. The idle time
    /// may therefore be up to this much shorter, never longer.
    package static let touchSeconds: Int64 = 60

    /// Clocks of processes may differ by this much. A session used further ahead than that was used before the clock was set
    /// back: it would live until that time comes again, so it is over.
    package static let aheadSecondsMax: Int64 = 300

    package static func idle(_ roles: some Sequence<Role>) -> Int64 {
        roles.contains(where: \.isPower) ? idleSecondsPower : idleSeconds
    }
}

/// A session as its owner and administrators see it.
package struct SessionSummary: Sendable {
    package let id: ID<SessionKind>
    package let createdAt: Instant
    package let lastSeenAt: Instant
    package let address: String
    /// Browser and system, `Chrome · Windows`.
    package let agent: String
    /// Whether it is the one that asks.
    package let isCurrent: Bool
}

/// Kind of entity, for `ID`.
package enum SessionKind {}

/// Reads and writes sessions. Only the SHA-256 of a token is stored (G15), so a stolen database opens no session.
struct Sessions: Sendable {
    let ids: IDGenerator
    let clock: any WallClock

    init(_ tenant: Tenant) {
        ids = tenant.ids
        clock = tenant.clock
    }

    static let insert: SQL = """
        INSERT INTO identity_session (token_hash, id, user_id, created_at, last_seen_at, expires_at, address, agent)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7)
        """
    static let list: SQL = """
        SELECT id, created_at, last_seen_at, address, agent, token_hash FROM identity_session
        WHERE user_id = $1 AND expires_at > $2 AND last_seen_at > $3 AND last_seen_at <= $4
        ORDER BY last_seen_at DESC LIMIT 100
        """
    static let isOpen: SQL = """
        SELECT 1 FROM identity_session WHERE token_hash = $1 AND user_id = $2 AND expires_at > $3
        """
    static let endToken: SQL = "DELETE FROM identity_session WHERE token_hash = $1"
    static let endOne: SQL = "DELETE FROM identity_session WHERE user_id = $1 AND id = $2"
    static let endAll: SQL = "DELETE FROM identity_session WHERE user_id = $1"
    static let endOthers: SQL = "DELETE FROM identity_session WHERE user_id = $1 AND token_hash <> $2"
    static let purge: SQL = "DELETE FROM identity_session WHERE expires_at <= $1"
    /// A row for each role of the account; one with NULL when it has none.
    static let resume: SQL = """
        SELECT s.user_id, s.last_seen_at, s.expires_at, u.name, u.language, u.theme, u.shortcuts, u.scope, r.role
        FROM identity_session s JOIN identity_user u ON u.id = s.user_id
        LEFT JOIN identity_user_role r ON r.user_id = u.id
        WHERE s.token_hash = $1 AND u.status = 'active'
        """
    static let touch: SQL = """
        UPDATE identity_session SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2
        """

    /// SHA-256 in hexadecimal.
    static func digest(_ token: String) -> String {
        Hex.text(SHA256.hash(data: Data(token.utf8)))
    }

    /// Starts a session under a new token of 256 random bits. `replacing` is the cookie's value before the log-in: what
    /// it stood for ends (G14).
    func start(
        _ user: UserID, address: String, agent: String, replacing: String?, _ session: any SQLSession
    ) throws -> String {
        if let replacing { try end(token: replacing, session) }
        let token = RandomText.token()
        let now = clock.now()
        let id: ID<SessionKind> = ids.next()
        try session.execute(
            Self.insert,
            [
                .text(Self.digest(token)), .id(id), .id(user), .time(now),
                .time(now.adding(seconds: SessionLimits.absoluteSeconds)), .text(address), .text(agent),
            ])
        return token
    }

    /// The sessions that are open: what is over, by age or by idle time, is none.
    func list(_ user: UserID, current: String?, _ session: any SQLSession) throws -> [SessionSummary] {
        let digest = current.map(Self.digest)
        let now = clock.now()
        let idle = SessionLimits.idle(try UserStore().roles(user, session))
        let times = [now, now.adding(seconds: -idle), now.adding(seconds: SessionLimits.aheadSecondsMax)]
        return try session.query(Self.list, [.id(user)] + times.map { .time($0) }) { row in
            SessionSummary(
                id: row.id(0), createdAt: row.time(1), lastSeenAt: row.time(2), address: row.text(3),
                agent: row.text(4),
                isCurrent: row.text(5) == digest)
        }
    }

    /// Whether the account still has the session of this token.
    func isOpen(_ token: String, of user: UserID, _ session: any SQLSession) throws -> Bool {
        try session.exists(Self.isOpen, [.text(Self.digest(token)), .id(user), .time(clock.now())])
    }

    func end(token: String, _ session: any SQLSession) throws {
        try session.execute(Self.endToken, [.text(Self.digest(token))])
    }

    /// - Throws: 404 when the session is not this user's.
    func end(_ id: ID<SessionKind>, of user: UserID, _ session: any SQLSession) throws {
        guard try session.execute(Self.endOne, [.id(user), .id(id)]) == 1 else { throw CRMError.notFound }
    }

    /// Ends every session of an account, or all but one. Returns how many.
    @discardableResult
    func endAll(_ user: UserID, keeping token: String? = nil, _ session: any SQLSession) throws -> Int {
        guard let token else { return try session.execute(Self.endAll, [.id(user)]) }
        return try session.execute(Self.endOthers, [.id(user), .text(Self.digest(token))])
    }
}

/// The session store behind the gate. It asks the tenant's database at every request, so what one process ends is over
/// in all others at their next request (G17).
package struct IdentitySessions: SessionStore {
    private let roles: RolePermissions
    private let tenants: @Sendable (String) async throws -> Tenant

    package init(roles: RolePermissions, tenants: @escaping @Sendable (String) async throws -> Tenant) {
        self.roles = roles
        self.tenants = tenants
    }

    private struct Found: Sendable {
        let user: UserID
        let lastSeen: Instant
        let expires: Instant
        let name: String
        let language: Language?
        let theme: String?
        let shortcuts: Bool
        let scope: RecordScope
        var roles: [Role]
    }

    package func resume(
        token: String, tenant name: String, address: String, requestID: String
    ) async throws -> SessionState? {
        let tenant = try await tenants(name)
        let digest = Sessions.digest(token)
        let found = try await tenant.database.read { session in try Self.find(digest, session) }
        let now = tenant.clock.now()
        guard let found, now < found.expires,
            now < found.lastSeen.adding(seconds: SessionLimits.idle(found.roles)),
            found.lastSeen <= now.adding(seconds: SessionLimits.aheadSecondsMax)
        else { return nil }
        if now >= found.lastSeen.adding(seconds: SessionLimits.touchSeconds) {
            try await tenant.database.write { session in
                _ = try session.execute(Sessions.touch, [.text(digest), .time(now)])
            }
        }
        let principal = Principal(
            tenant: name, userID: found.user, userName: found.name, roles: found.roles,
            permissions: roles.permissions(of: found.roles), scope: found.scope, purpose: .service, address: address,
            requestID: requestID)
        return SessionState(
            principal: principal, language: found.language, theme: found.theme, shortcuts: found.shortcuts)
    }

    private static func find(_ digest: String, _ session: any SQLSession) throws -> Found? {
        var found: Found?
        try session.forEach(Sessions.resume, [.text(digest)]) { row in
            let role = row.optionalText(8).flatMap(Role.init(rawValue:))
            if found == nil {
                found = Found(
                    user: row.id(0), lastSeen: row.time(1), expires: row.time(2), name: row.text(3),
                    language: row.optionalText(4).flatMap(Language.init(rawValue:)), theme: row.optionalText(5),
                    shortcuts: row.bool(6), scope: try RecordScope(stored: row.text(7)), roles: [])
            }
            if let role { found?.roles.append(role) }
            return true
        }
        found?.roles.sort { $0.rawValue < $1.rawValue }
        return found
    }
}

/// What a browser says it is, reduced to a family: enough to recognise one's own session, too little to track by.
enum UserAgent {
    static func family(_ header: String?) -> String {
        guard let header, !header.isEmpty else { return "?" }
        let browsers = [
            ("Edg", "Edge"), ("OPR", "Opera"), ("MicroMessenger", "WeChat"), ("Firefox", "Firefox"),
            ("Chromium", "Chromium"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
        ]
        let systems = [
            ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"),
            ("Linux", "Linux"),
        ]
        func match(_ list: [(String, String)]) -> String? { list.first { header.contains($0.0) }?.1 }
        return [match(browsers), match(systems)].compactMap(\.self).joined(separator: " · ").ifEmpty("?")
    }
}

extension String {
    func ifEmpty(_ other: String) -> String { isEmpty ? other : self }
    /// For views: an empty text is an absent one, its section is skipped.
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
