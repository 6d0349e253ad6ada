import Kernel
import Platform
import Storage
import Web

/// The keys of a tenant that access tokens are signed with: the newest signs, those before it are believed until the last of
/// their tokens has run out.
struct SigningKeys: Sendable {
    /// A new key is made by itself when the one in use is older.
    static let renewDays: Int64 = 90
    /// Longer than a token lives, by more than servers take to hear of a new key.
    static let overlapSeconds = AccessToken.lifeSeconds + 300

    static let list: SQL = """
        SELECT kid, good_until, created_at FROM identity_signing_key WHERE good_until IS NULL OR good_until > $1
        ORDER BY id DESC LIMIT 8
        """
    static let insert: SQL = "INSERT INTO identity_signing_key (id, kid, created_at) VALUES ($1, $2, $3)"
    static let retire: SQL = """
        UPDATE identity_signing_key SET good_until = $1 WHERE good_until IS NULL OR good_until > $1
        """
    static let purge: SQL = "DELETE FROM identity_signing_key WHERE good_until < $1"
    static let newest: SQL =
        "SELECT created_at FROM identity_signing_key WHERE good_until IS NULL ORDER BY id DESC LIMIT 1"

    let tenant: Tenant

    func load(_ session: any SQLSession) throws -> [SigningKey] {
        try session.query(Self.list, [.time(tenant.clock.now())]) { row in
            SigningKey(
                kid: row.text(0), tenant: tenant.name, secret: tenant.keys.pepper, goodUntil: row.optionalTime(1))
        }.compactMap(\.self)
    }

    /// Makes a new key and retires those before it.
    /// - Parameter atOnce: nothing that was signed before is believed any more; else it runs out by itself.
    /// - Returns: the name of the new key.
    @discardableResult
    func renew(atOnce: Bool = false, _ session: any SQLSession) throws -> String {
        let now = tenant.clock.now()
        try session.execute(Self.retire, [.time(atOnce ? now : now.adding(seconds: Self.overlapSeconds))])
        return try make(now, session)
    }

    /// The keys; the first one is made when there is none. Two servers that start together may make two: both are believed.
    func loadOrMake(_ session: any SQLSession) throws -> [SigningKey] {
        let keys = try load(session)
        if keys.contains(where: { $0.goodUntil == nil }) { return keys }
        try make(tenant.clock.now(), session)
        return try load(session)
    }

    static func renewed(_ kid: String, atOnce: Bool) -> AuditEntry {
        AuditEntry("identity.key.renew", facts: ["key": .string(kid), "at_once": .bool(atOnce)])
    }

    @discardableResult
    private func make(_ now: Instant, _ session: any SQLSession) throws -> String {
        var kid = RandomText.hex(8)
        while SigningKey(kid: kid, tenant: tenant.name, secret: tenant.keys.pepper) == nil { kid = RandomText.hex(8) }
        let id: ID<AnyKind> = tenant.ids.next()
        try session.execute(Self.insert, [.id(id), .text(kid), .time(now)])
        return kid
    }

    /// For the hourly tidying: a key that is due is followed by another.
    /// - Returns: the new one's name.
    func upkeep(_ session: any SQLSession) throws -> String? {
        let now = tenant.clock.now()
        try session.execute(Self.purge, [.time(now.adding(days: -1))])
        guard let made = try session.first(Self.newest, [], { $0.time(0) }), made < now.adding(days: -Self.renewDays)
        else { return nil }
        return try renew(session)
    }
}
