import Kernel
import Platform
import Storage
import Web

/// Reads and writes clients. All on the caller's session.
struct ClientStore: Sendable {
    static let columns: SQL = """
        SELECT id, name, scopes, addresses, requests_per_second, scope, expires_at, created_by, created_at, secret_made_at,
          old_secret_until, tokens_from, last_used_at, revoked_at FROM identity_client
        """
    static let byID: SQL = """
        SELECT id, name, scopes, addresses, requests_per_second, scope, expires_at, created_by, created_at, secret_made_at,
          old_secret_until, tokens_from, last_used_at, revoked_at FROM identity_client WHERE id = $1
        """
    static let secrets: SQL = "SELECT secret_hash, old_secret_hash FROM identity_client WHERE id = $1"
    static let idByName: SQL = "SELECT id FROM identity_client WHERE folded_name = $1"
    static let insert: SQL = """
        INSERT INTO identity_client (id, name, folded_name, secret_hash, secret_made_at, tokens_from, scopes, addresses,
          requests_per_second, scope, expires_at, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, $5)
        ON CONFLICT (folded_name) DO NOTHING
        """
    static let change: SQL = """
        UPDATE identity_client SET scopes = $2, addresses = $3, requests_per_second = $4, scope = $5
        WHERE id = $1 AND revoked_at IS NULL
        """
    static let setSecret: SQL = """
        UPDATE identity_client SET old_secret_hash = secret_hash, old_secret_until = $5, secret_hash = $2,
          secret_made_at = $3, expires_at = $4
        WHERE id = $1 AND revoked_at IS NULL
        """
    static let replaceSecret: SQL = """
        UPDATE identity_client SET old_secret_hash = NULL, old_secret_until = NULL, secret_hash = $2, secret_made_at = $3,
          tokens_from = $3, expires_at = $4
        WHERE id = $1 AND revoked_at IS NULL
        """
    static let revoke: SQL = "UPDATE identity_client SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"
    static let touch: SQL = """
        UPDATE identity_client SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)
        """

    func client(_ id: ClientID, _ session: any SQLSession) throws -> APIClient? {
        try session.first(Self.byID, [.id(id)], Self.client)
    }

    func id(named name: String, _ session: any SQLSession) throws -> ClientID? {
        try session.first(Self.idByName, [.text(Folding.fold(name))]) { $0.id(0) }
    }

    /// Digests of the present secret and the one before.
    func secrets(_ id: ClientID, _ session: any SQLSession) throws -> (now: String, old: String?)? {
        try session.first(Self.secrets, [.id(id)]) { ($0.text(0), $0.optionalText(1)) }
    }

    /// In the order of their names.
    /// - Parameter after: the folded name behind which the page begins.
    func page(after: String?, limit: Int = Limits.pageSize, _ session: any SQLSession) throws -> Page<APIClient> {
        var query = SQLBuilder(Self.columns)
        query.append("WHERE folded_name > ?", .text(after ?? ""))
        query.append("ORDER BY folded_name LIMIT ?", .int(limit + 1))
        let found = try session.query(query, Self.client)
        return Page(
            items: Array(found.prefix(limit)),
            next: found.count > limit ? Folding.fold(found[limit - 1].name) : nil)
    }

    private static func client(_ row: Row) throws -> APIClient {
        APIClient(
            id: row.id(0), name: row.text(1), scopes: ProgramFields.list(row.text(2)),
            addresses: ProgramFields.list(row.text(3)), requestsPerSecond: row.integer(4),
            scope: try RecordScope(stored: row.text(5)), expiresAt: row.time(6), createdBy: row.text(7),
            createdAt: row.time(8), secretMadeAt: row.time(9), oldSecretUntil: row.optionalTime(10),
            tokensFrom: row.time(11), lastUsedAt: row.optionalTime(12), revokedAt: row.optionalTime(13))
    }
}

/// What is done to clients. Every verb works on the caller's session and returns the audit entry that the caller records in the
/// same transaction.
struct Clients: Sendable {
    let ids: IDGenerator
    let clock: any WallClock
    let store = ClientStore()
    /// What can be given.
    let offered: [APIScope]
    /// Servers hear of a change within seconds; this one at once.
    let changed: @Sendable (ClientID) -> Void

    init(_ tenant: Tenant, offered: [APIScope], memory: TokenMemory) {
        ids = tenant.ids
        clock = tenant.clock
        self.offered = offered
        let name = tenant.name
        changed = { memory.forget(client: $0, tenant: name) }
    }

    static let nameTaken = CRMError.invalid(
        "name", "name_taken",
        Words(en: "There is a client of this name already, perhaps a revoked one.", zh: "该名称的客户端已存在（可能已吊销）。"))
    static let isRevoked = CRMError.conflict(
        "revoked", Words(en: "This client was revoked; make another.", zh: "该客户端已吊销，请新建。"))
    /// How long the secret before may stay good.
    static let overlapHoursMax = 168

    /// What may be said of a client.
    struct Draft: Sendable {
        var scopes: [String]
        var addresses: [String] = []
        var requestsPerSecond = APIClient.rateDefault
        var scope: RecordScope = .all
    }

    /// - Throws: 422 `invalid_name`, `name_taken`, `unknown_scope`, `rate_out_of_range`, `days_out_of_range`.
    func create(
        name: String, _ draft: Draft, days: Int, by principal: Principal, _ session: any SQLSession
    ) throws -> (id: ClientID, secret: String, AuditEntry) {
        let name = try ProgramFields.name(name, max: 60)
        let scopes = try checked(draft)
        let now = clock.now()
        let id: ClientID = ids.next()
        let secret = ProgramSecret.make(ProgramSecret.client)
        let made = try session.execute(
            Store.insert,
            [
                .id(id), .text(name), .text(Folding.fold(name)), .text(ProgramSecret.digest(secret)), .time(now),
                .text(ProgramFields.stored(scopes)), .text(ProgramFields.stored(draft.addresses)),
                .int(draft.requestsPerSecond), .text(draft.scope.stored),
                .time(try ProgramFields.expiry(days: days, now)), .text(principal.userName),
            ])
        guard made == 1 else { throw Self.nameTaken }
        var facts = Self.facts(scopes, draft)
        facts["days"] = .int(Int64(days))
        return (id, secret, AuditEntry("identity.client.create", [.client(id)], facts: facts))
    }

    private typealias Store = ClientStore

    /// - Throws: 404.
    func access(_ id: ClientID, _ session: any SQLSession) throws -> APIClient {
        guard let client = try store.client(id, session) else { throw CRMError.notFound }
        return client
    }

    /// Replaces what a client may do. It holds for tokens that are out already.
    func change(_ id: ClientID, _ draft: Draft, _ session: any SQLSession) throws -> AuditEntry {
        // A scope that a module has since taken away may stay until somebody takes it from the client.
        let scopes = try checked(draft)
        let written = try session.execute(
            Store.change,
            [
                .id(id), .text(ProgramFields.stored(scopes)), .text(ProgramFields.stored(draft.addresses)),
                .int(draft.requestsPerSecond), .text(draft.scope.stored),
            ])
        guard written == 1 else { throw Self.isRevoked }
        session.afterCommit { [changed] in changed(id) }
        return AuditEntry("identity.client.update", [.client(id)], facts: Self.facts(scopes, draft))
    }

    /// A new secret; the client's time begins anew.
    /// - Parameter overlapHours: how long the secret before stays good; 0 = it ends now, and so do the tokens it got.
    func renewSecret(
        _ id: ClientID, days: Int, overlapHours: Int, _ session: any SQLSession
    ) throws -> (secret: String, AuditEntry) {
        guard (0...Self.overlapHoursMax).contains(overlapHours) else {
            throw CRMError.invalid(
                "overlap", "overlap_out_of_range",
                Words(
                    en: "The old secret may stay good for 0 to \(Self.overlapHoursMax) hours.",
                    zh: "旧密钥可继续有效 0 至 \(Self.overlapHoursMax) 小时。"))
        }
        _ = try access(id, session)
        let now = clock.now()
        let secret = ProgramSecret.make(ProgramSecret.client)
        let values: [SQLValue] = [
            .id(id), .text(ProgramSecret.digest(secret)), .time(now), .time(try ProgramFields.expiry(days: days, now)),
        ]
        let written =
            overlapHours == 0
            ? try session.execute(Store.replaceSecret, values)
            : try session.execute(
                Store.setSecret, values + [.time(now.adding(seconds: Int64(overlapHours) * 3_600))])
        guard written == 1 else { throw Self.isRevoked }
        session.afterCommit { [changed] in changed(id) }
        return (
            secret,
            AuditEntry(
                "identity.client.secret", [.client(id)],
                facts: ["days": .int(Int64(days)), "overlap_hours": .int(Int64(overlapHours))])
        )
    }

    /// Ends a client for good; its tokens end with it.
    func revoke(_ id: ClientID, _ session: any SQLSession) throws -> AuditEntry {
        _ = try access(id, session)
        guard try session.execute(Store.revoke, [.id(id), .time(clock.now())]) == 1 else { throw Self.isRevoked }
        session.afterCommit { [changed] in changed(id) }
        return AuditEntry("identity.client.revoke", [.client(id)])
    }

    private func checked(_ draft: Draft) throws -> [String] {
        guard (1...APIClient.rateMax).contains(draft.requestsPerSecond) else {
            throw CRMError.invalid(
                "rate", "rate_out_of_range",
                Words(
                    en: "A client may send 1 to \(APIClient.rateMax) requests a second.",
                    zh: "每秒请求数为 1 至 \(APIClient.rateMax)。"))
        }
        return try ProgramFields.scopes(draft.scopes, offered: offered)
    }

    private static func facts(_ scopes: [String], _ draft: Draft) -> [String: JSONValue] {
        [
            "scopes": .string(scopes.joined(separator: " ")),
            "addresses": .string(draft.addresses.joined(separator: " ")), "rate": .int(Int64(draft.requestsPerSecond)),
            "regions": .text(draft.scope.regions?.joined(separator: " ")),
        ]
    }
}

extension AuditSubject {
    static func client(_ id: ClientID) -> AuditSubject { AuditSubject(kind: "client", id: id.rawValue) }
}
