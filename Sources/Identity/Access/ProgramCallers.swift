import Foundation
import Kernel
import Platform
import Storage
import Web

/// Tells whose token a request came with: the gate asks (G19, G20).
package struct ProgramCallers: TokenStore {
    private let roles: RolePermissions
    /// What each scope carries.
    private let carried: [String: [Permission]]
    private let memory: TokenMemory
    private let tenants: @Sendable (String) async throws -> Tenant

    /// - Parameters:
    ///   - scopes: all that the modules declare.
    ///   - memory: the process's one.
    package init(
        roles: RolePermissions, scopes: [APIScope], memory: TokenMemory,
        tenants: @escaping @Sendable (String) async throws -> Tenant
    ) {
        self.roles = roles
        carried = Dictionary(scopes.map { ($0.name, $0.permissions) }, uniquingKeysWith: { first, _ in first })
        self.memory = memory
        self.tenants = tenants
    }

    /// Where a request comes from.
    private struct Origin { let address: String; let requestID: String }

    package func admit(token: String, tenant name: String, address: String, requestID: String) async throws
        -> TokenCaller
    {
        let tenant = try await tenants(name)
        let origin = Origin(address: address, requestID: requestID)
        return token.hasPrefix(ProgramSecret.personal)
            ? try await person(token, tenant, origin) : try await client(token, tenant, origin)
    }

    // MARK: Clients

    private func client(_ token: String, _ tenant: Tenant, _ origin: Origin) async throws -> TokenCaller {
        let now = tenant.clock.now()
        let claims = try await claims(of: token, tenant, now)
        guard let client = try await client(claims.client, tenant, now) else { throw TokenRefusal.revoked }
        let actor = principal(of: client, claims, tenant, origin)
        // A token says in whole seconds when it was issued.
        let isOld = claims.issuedAt.milliseconds / 1_000 <= client.tokensFrom.milliseconds / 1_000
        let refusal: (TokenRefusal, reason: String)? =
            client.revokedAt != nil || isOld
            ? (.revoked, "revoked")
            : client.expiresAt <= now
                ? (.expired, "expired")
                : ProgramFields.allows(client.addresses, origin.address) ? nil : (.address, "address")
        if let refusal {
            try await tell(refusal.reason, .client(client.id), by: actor, tenant, now)
            throw refusal.0
        }
        if memory.isTime(for: "used \(tenant.name) \(client.id)", every: TokenMemory.touchSeconds, now: now) {
            try await tenant.database.write { session in
                _ = try session.execute(ClientStore.touch, [.id(client.id), .time(now)])
            }
        }
        return TokenCaller(
            session: SessionState(principal: actor, language: nil, theme: nil), key: "c\(tenant.name) \(client.id)",
            requestsPerSecond: Double(client.requestsPerSecond))
    }

    /// The claims of a token whose signature is, or lately was, found good.
    private func claims(of token: String, _ tenant: Tenant, _ now: Instant) async throws -> TokenClaims {
        let digest = TokenMemory.digest(token, tenant: tenant.name)
        var keys = try await keys(tenant, now)
        if let known = memory.verified(digest) {
            let isGood = keys.contains { $0.kid == known.kid && ($0.goodUntil.map { now < $0 } ?? true) }
            // Not either when the clock was set back: it would live until that time comes again.
            let isBegun = known.claims.issuedAt <= now.adding(seconds: AccessToken.aheadSecondsMax)
            if isGood, isBegun, known.claims.expiresAt > now { return known.claims }
            memory.forget(digest)
            throw TokenRefusal.expired
        }
        memory.willVerify()
        var read = Result { try AccessToken.read(token, keys: keys, tenant: tenant.name, now: now) }
        if case .failure(AccessToken.Flaw.unknownKey) = read,
            // Another server may have made a new key. Inventors of keys cost a read a second, not one each.
            memory.isTime(for: "keys \(tenant.name)", every: 1, now: now)
        {
            keys = try await load(tenant, now)
            read = Result { try AccessToken.read(token, keys: keys, tenant: tenant.name, now: now) }
        }
        switch read {
        case .success(let (claims, kid)):
            memory.note(digest, TokenMemory.Verified(claims: claims, kid: kid), now: now)
            return claims
        case .failure(AccessToken.Flaw.expired): throw TokenRefusal.expired
        case .failure: throw TokenRefusal.invalid
        }
    }

    private func keys(_ tenant: Tenant, _ now: Instant) async throws -> [SigningKey] {
        if let keys = memory.keys(tenant: tenant.name, now: now) { return keys }
        return try await load(tenant, now)
    }

    private func load(_ tenant: Tenant, _ now: Instant) async throws -> [SigningKey] {
        let keys = try await tenant.database.read { try SigningKeys(tenant: tenant).load($0) }
        memory.note(keys, tenant: tenant.name, now: now)
        return keys
    }

    private func client(_ id: ClientID, _ tenant: Tenant, _ now: Instant) async throws -> APIClient? {
        if let known = memory.client(id, tenant: tenant.name, now: now) { return known }
        let found = try await tenant.database.read { try ClientStore().client(id, $0) }
        memory.note(found, id, tenant: tenant.name, now: now)
        return found
    }

    /// What the token was issued for, as far as the client still has it.
    private func principal(
        of client: APIClient, _ claims: TokenClaims, _ tenant: Tenant, _ origin: Origin
    ) -> Principal {
        let scopes = Set(claims.scopes).intersection(client.scopes).filter { carried[$0] != nil }
        return Principal(
            tenant: tenant.name, userID: nil, userName: client.actorName, roles: [],
            permissions: Set(scopes.flatMap { carried[$0] ?? [] }), scope: client.scope, purpose: .service,
            address: origin.address, requestID: origin.requestID, scopes: scopes)
    }

    // MARK: People's own tokens

    private func person(_ token: String, _ tenant: Tenant, _ origin: Origin) async throws -> TokenCaller {
        let now = tenant.clock.now()
        let digest = ProgramSecret.digest(token)
        guard let found = try await tenant.database.read({ try PersonalTokenStore().owner(digest, $0) }) else {
            throw TokenRefusal.invalid
        }
        let held = roles.permissions(of: found.roles)
        // A scope whose first right its owner has no more is no scope of the token any more.
        let scopes = Set(found.token.scopes).filter { carried[$0]?.first.map(held.contains) ?? false }
        let actor = Principal(
            tenant: tenant.name, userID: found.user, userName: found.userName, roles: found.roles,
            permissions: held.intersection(scopes.flatMap { carried[$0] ?? [] }), scope: found.scope, purpose: .service,
            address: origin.address, requestID: origin.requestID, scopes: scopes, token: found.token.auditName)
        let refusal: (TokenRefusal, reason: String)? =
            found.token.revokedAt != nil || !found.isActive
            ? (.revoked, "revoked")
            : found.token.expiresAt <= now
                ? (.expired, "expired")
                : ProgramFields.allows(found.token.addresses, origin.address) ? nil : (.address, "address")
        if let refusal {
            try await tell(refusal.reason, .token(found.token.id), by: actor, tenant, now)
            throw refusal.0
        }
        if memory.isTime(for: "used \(tenant.name) t\(found.token.id)", every: TokenMemory.touchSeconds, now: now) {
            try await tenant.database.write { session in
                _ = try session.execute(PersonalTokenStore.touch, [.text(digest), .time(now)])
            }
        }
        return TokenCaller(
            session: SessionState(principal: actor, language: nil, theme: nil), key: "u\(tenant.name) \(found.user)")
    }

    // MARK: The audit

    /// Somebody tried a token that was good once, or is good elsewhere: that is worth knowing.
    private func tell(
        _ reason: String, _ subject: AuditSubject, by actor: Principal, _ tenant: Tenant, _ now: Instant
    ) async throws {
        let what =
            "refused \(tenant.name) \(subject.kind) \(subject.id) \(reason) " + IPAddress.subscriber(actor.address)
        guard memory.isTime(for: what, every: TokenMemory.refusalSeconds, now: now) else { return }
        try await tenant.database.write { session in
            try tenant.audit.record(
                AuditEntry("identity.token.use", [subject], facts: ["reason": .string(reason)], refused: true),
                by: actor.with(purpose: .security), session)
        }
    }
}
