import Kernel
import Platform
import Storage
import Web

/// What the command line does to clients. It acts as the system; every call is audited under the name `cli`.
package struct ClientAdmin: Sendable {
    private let scopes: [APIScope]
    private let memory: TokenMemory

    /// - Parameters:
    ///   - scopes: all that can be given.
    ///   - memory: the process's one.
    package init(scopes: [APIScope], memory: TokenMemory) {
        self.scopes = scopes
        self.memory = memory
    }

    /// What a client shows to get a token. Kept nowhere.
    package struct Credentials: Sendable {
        package let id: String
        package let secret: String
        package let scopes: [String]
        package let expiresAt: Instant
    }

    /// Makes a client.
    /// - Parameters:
    ///   - addresses: ranges it may call from; none = any.
    ///   - rate: requests a second.
    /// - Throws: 422 `invalid_name`, `name_taken`, `unknown_scope`, `invalid_address`, `rate_out_of_range`, `days_out_of_range`.
    package func create(
        name: String, scopes: [String], days: Int, addresses: [String] = [], rate: Int? = nil, regions: [String]? = nil,
        _ tenant: Tenant
    ) async throws -> Credentials {
        let draft = Clients.Draft(
            scopes: scopes, addresses: try ProgramFields.addresses(addresses.joined(separator: " ")),
            requestsPerSecond: rate ?? APIClient.rateDefault, scope: RecordScope(regions: regions))
        let (actor, clients) = (Self.actor(tenant), clients(tenant))
        return try await tenant.database.write { session in
            let (id, secret, entry) = try clients.create(name: name, draft, days: days, by: actor, session)
            try tenant.audit.record(entry, by: actor, session)
            let client = try clients.access(id, session)
            return Credentials(
                id: id.description, secret: secret, scopes: client.scopes, expiresAt: client.expiresAt)
        }
    }

    /// A new secret.
    /// - Parameter client: its name or id.
    /// - Throws: 404, 409 for a revoked one, 422.
    package func renewSecret(
        of client: String, days: Int, overlapHours: Int, _ tenant: Tenant
    ) async throws -> Credentials {
        let (actor, clients) = (Self.actor(tenant), clients(tenant))
        return try await tenant.database.write { session in
            let id = try Self.id(client, session)
            let (secret, entry) = try clients.renewSecret(id, days: days, overlapHours: overlapHours, session)
            try tenant.audit.record(entry, by: actor, session)
            let client = try clients.access(id, session)
            return Credentials(
                id: id.description, secret: secret, scopes: client.scopes, expiresAt: client.expiresAt)
        }
    }

    /// Ends a client for good.
    /// - Parameter client: its name or id.
    package func revoke(_ client: String, _ tenant: Tenant) async throws {
        let (actor, clients) = (Self.actor(tenant), clients(tenant))
        try await tenant.database.write { session in
            try tenant.audit.record(try clients.revoke(try Self.id(client, session), session), by: actor, session)
        }
    }

    /// What a client may do now, for what is sent to it without its asking.
    /// - Parameter actor: as the audit has it: `client:NAME`.
    /// - Returns: `nil` when there is no such client, it was revoked or it has run out.
    package func principal(actor: String, _ tenant: Tenant, _ session: any SQLSession) throws -> Principal? {
        let beginning = "client:"
        guard actor.hasPrefix(beginning),
            let id = try ClientStore().id(named: String(actor.dropFirst(beginning.count)), session),
            let client = try ClientStore().client(id, session), client.actorName == actor,
            client.revokedAt == nil, client.expiresAt > tenant.clock.now()
        else { return nil }
        let carried = scopes.filter { client.scopes.contains($0.name) }
        return Principal(
            tenant: tenant.name, userID: nil, userName: actor, roles: [],
            permissions: Set(carried.flatMap(\.permissions)), scope: client.scope, purpose: .service, address: "hub",
            requestID: "hub", scopes: Set(carried.map(\.name)))
    }

    /// All clients, by name.
    package func list(_ tenant: Tenant) async throws -> [APIClient] {
        try await tenant.database.read { session in
            var clients: [APIClient] = []
            var after: String?
            repeat {
                let page = try ClientStore().page(after: after, limit: Limits.pageSizeMax, session)
                clients += page.items
                after = page.next
            } while after != nil
            return clients
        }
    }

    /// A new key for access tokens.
    /// - Parameter atOnce: what was signed before is worth nothing from now on.
    /// - Returns: the key's name, as tokens carry it.
    package func renewSigningKey(atOnce: Bool, _ tenant: Tenant) async throws -> String {
        let actor = Self.actor(tenant)
        let kid = try await tenant.database.write { session in
            let kid = try SigningKeys(tenant: tenant).renew(atOnce: atOnce, session)
            try tenant.audit.record(SigningKeys.renewed(kid, atOnce: atOnce), by: actor, session)
            return kid
        }
        memory.forgetKeys(tenant: tenant.name)
        return kid
    }

    private func clients(_ tenant: Tenant) -> Clients { Clients(tenant, offered: scopes, memory: memory) }

    private static func id(_ client: String, _ session: any SQLSession) throws -> ClientID {
        if let id = try ClientStore().id(named: client, session) { return id }
        guard let id = ClientID(client), try ClientStore().client(id, session) != nil else {
            throw CRMError(
                "not_found", status: 404,
                Words(en: "There is no client of this name or id.", zh: "没有该名称或编号的客户端。"))
        }
        return id
    }

    private static func actor(_ tenant: Tenant) -> Principal {
        .system(
            tenant: tenant.name, "cli", permissions: [IdentityPermission.viewClients, IdentityPermission.manageClients])
    }
}
