import Foundation
import Kernel
import Platform
import Storage
import Web

/// Gives a client a token for its secret (RFC 6749, 4.4).
///
/// A secret is 256 random bits: nobody finds one by trying, and so a right one is never held up. That matters, because anybody
/// can send wrong ones in the name of a client whose id they know. What the throttle bounds is the wrong ones: after some they
/// are answered 429 and not written down one by one.
struct TokenIssuer: Sendable {
    let tenant: Tenant
    let memory: TokenMemory

    /// What came in the request.
    struct Asked: Sendable {
        let clientID: String
        let secret: String
        /// `nil` = everything the client has.
        let scopes: [String]?
        let address: String
        let requestID: String
    }

    struct Issued: Sendable {
        let token: String
        let seconds: Int64
        let scopes: [String]
    }

    /// One answer for whatever is wrong with a client (RFC 6749, 5.2).
    static let invalidClient = CRMError(
        "invalid_client", status: 401,
        Words(en: "The client or its secret is not right here.", zh: "客户端或其密钥在此无效。"))
    static let invalidScope = CRMError.badRequest(
        "invalid_scope", Words(en: "The client was not given one of these scopes.", zh: "客户端未获授权其中的某个范围。"))

    /// No client has it.
    private static let nobody = ClientID(0)
    /// Compared with when there is no client, so that an unknown one costs the same (G7).
    private static let nothing = ProgramSecret.digest("")

    /// - Throws: 401 `invalid_client`, 400 `invalid_scope`, 429.
    func issue(_ asked: Asked) async throws -> Issued {
        let now = tenant.clock.now()
        let id = ClientID(asked.clientID) ?? Self.nobody
        let tenant = self.tenant
        let (client, secrets, keys) = try await tenant.database.read { session in
            (
                try ClientStore().client(id, session), try ClientStore().secrets(id, session),
                try SigningKeys(tenant: tenant).load(session)
            )
        }
        let isRight = Self.matches(asked.secret, secrets, oldUntil: client?.oldSecretUntil, now)
        guard let client, isRight else {
            try await refuse(client, client == nil ? "unknown_client" : "wrong_secret", asked, now)
            throw Self.invalidClient
        }
        if let reason = Self.refusal(of: client, asked.address, now) {
            try await refuse(client, reason, asked, now)
            throw Self.invalidClient
        }
        let scopes = asked.scopes ?? client.scopes
        guard !scopes.isEmpty, Set(scopes).isSubset(of: client.scopes) else { throw Self.invalidScope }
        return try await sign(client, Set(scopes).sorted(), keys, now)
    }

    /// Both secrets are looked at whatever the first one gives.
    private static func matches(
        _ secret: String, _ stored: (now: String, old: String?)?, oldUntil: Instant?, _ now: Instant
    ) -> Bool {
        let digest = ProgramSecret.digest(secret)
        let isPresent = ProgramSecret.equal(digest, stored?.now ?? nothing)
        let isOld = ProgramSecret.equal(digest, stored?.old ?? nothing)
        return stored != nil && (isPresent || isOld && stored?.old != nil && (oldUntil.map { now < $0 } ?? false))
    }

    private static func refusal(of client: APIClient, _ address: String, _ now: Instant) -> String? {
        if client.revokedAt != nil { return "revoked" }
        if client.expiresAt <= now { return "expired" }
        return ProgramFields.allows(client.addresses, address) ? nil : "address"
    }

    private func sign(_ client: APIClient, _ scopes: [String], _ known: [SigningKey], _ now: Instant) async throws
        -> Issued
    {
        let tenant = self.tenant
        var keys = known
        if !keys.contains(where: { $0.goodUntil == nil }) {
            keys = try await tenant.database.write { try SigningKeys(tenant: tenant).loadOrMake($0) }
            memory.note(keys, tenant: tenant.name, now: now)
        }
        guard let key = keys.first(where: { $0.goodUntil == nil }) else {
            throw CRMError.unavailable("no_signing_key", Words(en: "There is no key to sign with.", zh: "没有可用的签名密钥。"))
        }
        // Whole seconds; after a secret was replaced, behind the second in which that was.
        let second = max(now.milliseconds / 1_000, client.tokensFrom.milliseconds / 1_000 + 1)
        let start = Instant(milliseconds: second * 1_000)
        let seconds = max(1, min(AccessToken.lifeSeconds, (client.expiresAt.milliseconds - now.milliseconds) / 1_000))
        let claims = TokenClaims(
            client: client.id, scopes: scopes, id: RandomText.hex(16), issuedAt: start,
            expiresAt: start.adding(seconds: seconds))
        let token = try AccessToken.sign(claims, with: key, tenant: tenant.name)
        if memory.isTime(for: "used \(tenant.name) \(client.id)", every: TokenMemory.touchSeconds, now: now) {
            try await tenant.database.write { session in
                _ = try session.execute(ClientStore.touch, [.id(client.id), .time(now)])
            }
        }
        return Issued(token: token, seconds: seconds, scopes: scopes)
    }

    /// Counts and records a try that failed. What was sent as an id is not recorded: people paste secrets into the wrong field.
    /// - Throws: 429 when there were too many already.
    private func refuse(_ client: APIClient?, _ reason: String, _ asked: Asked, _ now: Instant) async throws {
        let keys = Throttle.Keys(
            name: "client:" + asked.clientID, address: "oauth " + IPAddress.subscriber(asked.address),
            secret: tenant.keys.throttle)
        let actor = Principal(
            tenant: tenant.name, userID: nil, userName: client?.actorName ?? "client:?", roles: [], permissions: [],
            purpose: .security, address: asked.address, requestID: asked.requestID)
        let tenant = self.tenant
        do {
            try await tenant.database.write { session in
                try Throttle.reserve(keys, known: false, now: now, session)
                try tenant.audit.record(
                    AuditEntry(
                        "identity.client.authenticate",
                        [client.map { .client($0.id) } ?? AuditSubject(kind: "nobody", id: Self.nobody.rawValue)],
                        facts: ["reason": .string(reason)], refused: true), by: actor, session)
            }
        } catch let error as CRMError where error.status == 429 {
            throw CRMError(
                error.code, status: 429,
                Words(en: "Too many wrong tries; wait before the next.", zh: "错误尝试次数过多，请稍后再试。"),
                retryAfterSeconds: error.retryAfterSeconds)
        }
    }
}
