import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The administrator's pages of the programs that call in: who made them, what they may do, when they were last used.
struct ClientPages: Sendable {
    let memory: TokenMemory

    private static let fields = ["scope", "addresses", "rate", "regions"]

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/clients", .permission(IdentityPermission.viewClients), trace: .none, purpose: .administration,
                handler: list),
            Endpoint(
                .get, "/clients/new", .permission(IdentityPermission.manageClients), trace: .none,
                purpose: .administration
            ) { newPage($0, error: nil) },
            Endpoint(
                .post, "/clients", .permission(IdentityPermission.manageClients),
                body: .form(["name", "days"] + Self.fields), trace: .change, purpose: .administration, effect: .adds,
                handler: create),
            Endpoint(
                .get, "/clients/{id}", .permission(IdentityPermission.viewClients), trace: .none,
                purpose: .administration
            ) { try await page($0, try $0.request.id("id"), error: nil) },
            Endpoint(
                .post, "/clients/{id}", .permission(IdentityPermission.manageClients),
                body: .form(["revision"] + Self.fields), trace: .change, purpose: .administration, effect: .overwrites,
                handler: change),
            Endpoint(
                .post, "/clients/{id}/secret", .permission(IdentityPermission.manageClients),
                body: .form(["days", "overlap"]), trace: .change, purpose: .administration, effect: .acts,
                handler: renewSecret),
            Endpoint(
                .post, "/clients/{id}/revocation", .permission(IdentityPermission.revokeClients), body: .form([]),
                trace: .change, purpose: .administration, effect: .acts, handler: revoke),
        ]
    }

    private func clients(_ call: Call) -> Clients {
        Clients(call.tenant, offered: call.site.scopes, memory: memory)
    }

    // MARK: The list

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        // Where the page before ended, by id: no name in an address.
        let after = call.request.query["after"].flatMap { ClientID($0) }
        let found = try await call.read { session in
            let store = ClientStore()
            let name = try after.flatMap { try store.client($0, session)?.name }
            return try store.page(after: name.map { Folding.fold($0) }, session)
        }
        return call.page(
            "identity/clients", title: call.text("nav.clients"), active: "/clients",
            [
                "mayCreate": .bool(try call.principal().may(IdentityPermission.manageClients)),
                "isEmpty": .bool(found.items.isEmpty), "count": .text(String(found.items.count)),
                "clients": .list(found.items.map { Self.row($0, call) }),
                "next": .text(found.next == nil ? nil : found.items.last.map { "/clients?after=\($0.id)" }),
            ])
    }

    private static func row(_ client: APIClient, _ call: Call) -> View {
        let state = client.state(at: call.tenant.clock.now())
        return [
            "id": .text(client.id.description), "name": .text(client.name),
            "scopes": .list(client.scopes.map { ["name": .text($0)] }), "state": .text(ProgramViews.state(state, call)),
            "tone": .text(ProgramViews.tone(state)), "expires": .text(call.time(client.expiresAt)),
            "lastUsed": .text(client.lastUsedAt.map { call.time($0) }), "createdBy": .text(client.createdBy),
            "created": .text(call.time(client.createdAt)),
        ]
    }

    // MARK: A new client

    private func newPage(_ call: Call, error: CRMError?) -> WebResponse {
        let form = call.form
        return call.page(
            "identity/client-new", title: call.text("identity.clients.create"), active: "/clients",
            [
                "path": "/clients/new", "error": .text(error?.message[call.language]),
                "name": .text(form["name"] ?? ""),
                "addresses": .text(form["addresses"] ?? ""), "regions": .text(form["regions"] ?? ""),
                "rate": .text(form["rate"] ?? String(APIClient.rateDefault)),
                "days": .text(form["days"] ?? String(APIClient.daysMax)), "daysMax": .text(String(APIClient.daysMax)),
                "rateMax": .text(String(APIClient.rateMax)),
                "scopes": ProgramViews.boxes(call.site.scopes, chosen: form.all("scope"), call),
            ], status: HTTPResponse.Status(code: error?.status ?? 200))
    }

    /// Makes the client and shows its secret, once: the answer itself, for it is kept nowhere.
    @Sendable private func create(_ call: Call) async throws -> WebResponse {
        let (clients, principal) = (clients(call), try call.principal())
        do {
            let (name, days) = (try call.form.text("name"), try Self.number(call, "days"))
            let draft = try Self.draft(call)
            let (id, secret) = try await call.write { session in
                let (id, secret, entry) = try clients.create(name: name, draft, days: days, by: principal, session)
                try call.record(entry, session)
                try call.settle(.redirect("/clients/\(id)").flash("identity.client.madeBefore"), session)
                return (id, secret)
            }
            return secretPage(call, id, name: name, secret: secret)
        } catch let error as CRMError where error.status == 422 && !call.request.wantsJSON {
            call.showsOnlyWhatWasTyped()
            return newPage(call, error: error)
        }
    }

    private func secretPage(_ call: Call, _ id: ClientID, name: String, secret: String) -> WebResponse {
        if call.request.wantsJSON {
            return .json(.object(["client_id": .string(id.description), "client_secret": .string(secret)]))
        }
        return call.page(
            "identity/client-secret", title: call.text("identity.client.secretMade"), active: "/clients",
            [
                "id": .text(id.description), "name": .text(name), "secret": .text(secret),
                "origin": .text(ProgramViews.origin(call)),
            ])
    }

    // MARK: One client

    private func page(_ call: Call, _ id: ClientID, error: CRMError?) async throws -> WebResponse {
        let clients = clients(call)
        let client = try await call.read { try clients.access(id, $0) }
        let principal = try call.principal()
        let (now, isRevoked) = (call.tenant.clock.now(), client.revokedAt != nil)
        let isTyped = error?.status == 422
        let form = call.form
        func value(_ name: String, _ present: String) -> ViewValue { .text(isTyped ? form[name] ?? present : present) }
        return call.page(
            "identity/client", title: client.name, active: "/clients",
            Self.row(client, call).merging([
                "revision": .text(client.version), "error": .text(error?.message[call.language]),
                "mayManage": .bool(principal.may(IdentityPermission.manageClients) && !isRevoked),
                "mayRevoke": .bool(principal.may(IdentityPermission.revokeClients) && !isRevoked),
                "boxes": ProgramViews.boxes(
                    call.site.scopes, chosen: isTyped && form["scope"] != nil ? form.all("scope") : client.scopes, call),
                "addresses": value("addresses", client.addresses.joined(separator: ", ")),
                "anywhere": .bool(client.addresses.isEmpty), "rate": value("rate", String(client.requestsPerSecond)),
                "rateMax": .text(String(APIClient.rateMax)),
                "regions": value("regions", client.scope.regions?.joined(separator: ", ") ?? ""),
                "allRegions": .bool(client.scope.regions == nil), "daysMax": .text(String(APIClient.daysMax)),
                "secretMade": .text(call.time(client.secretMadeAt)),
                "oldUntil": .text(client.oldSecretUntil.flatMap { $0 > now ? call.time($0) : nil }),
                "revoked": .text(client.revokedAt.map { call.time($0) }),
                "overlaps": .list(
                    [0, 1, 24, Clients.overlapHoursMax].map {
                        [
                            "value": .text(String($0)), "label": .text(call.text("identity.client.overlap.\($0)")),
                            "selected": .bool($0 == 24),
                        ]
                    }),
            ]), status: HTTPResponse.Status(code: error?.status ?? 200)
        ).tagged(client.version)
    }

    @Sendable private func change(_ call: Call) async throws -> WebResponse {
        let id: ClientID = try call.request.id("id")
        let clients = clients(call)
        do {
            let draft = try Self.draft(call)
            return try await call.change { session in
                try call.checkVersion(try clients.access(id, session).version)
                try call.record(try clients.change(id, draft, session), session)
                return .redirect("/clients/\(id)").flash("identity.client.saved")
            }
        } catch let error as CRMError where [412, 422].contains(error.status) && !call.request.wantsJSON {
            // A client's page leaves no event when it is looked at, either.
            call.showsOnlyWhatWasTyped()
            return try await page(call, id, error: error)
        }
    }

    @Sendable private func renewSecret(_ call: Call) async throws -> WebResponse {
        let id: ClientID = try call.request.id("id")
        let clients = clients(call)
        do {
            let (days, overlap) = (try Self.number(call, "days"), try Self.number(call, "overlap"))
            let (name, secret) = try await call.write { session in
                let name = try clients.access(id, session).name
                let (secret, entry) = try clients.renewSecret(id, days: days, overlapHours: overlap, session)
                try call.record(entry, session)
                try call.settle(.redirect("/clients/\(id)").flash("identity.client.madeBefore"), session)
                return (name, secret)
            }
            return secretPage(call, id, name: name, secret: secret)
        } catch let error as CRMError where error.status == 422 && !call.request.wantsJSON {
            call.showsOnlyWhatWasTyped()
            return try await page(call, id, error: error)
        }
    }

    @Sendable private func revoke(_ call: Call) async throws -> WebResponse {
        let id: ClientID = try call.request.id("id")
        let clients = clients(call)
        return try await call.change { session in
            try call.record(try clients.revoke(id, session), session)
            return .redirect("/clients/\(id)").flash("identity.client.revoked")
        }
    }

    // MARK: Reading the forms

    private static func draft(_ call: Call) throws -> Clients.Draft {
        Clients.Draft(
            scopes: call.form.all("scope"),
            addresses: try ProgramFields.addresses(call.form.optionalText("addresses", max: 2_500)),
            requestsPerSecond: try number(call, "rate"), scope: try UserActions.scope(call))
    }

    /// - Throws: 422 `required`, `not_a_number`.
    static func number(_ call: Call, _ name: String) throws -> Int {
        guard let number = Int(try call.form.text(name, max: 20)) else {
            throw CRMError.invalid(
                name, "not_a_number", Words(en: "“\(name)” must be a whole number.", zh: "“\(name)”必须是整数。"))
        }
        return number
    }
}

/// What the pages of clients and of people's own tokens share.
enum ProgramViews {
    static func boxes(_ scopes: [APIScope], chosen: [String], _ call: Call) -> ViewValue {
        .list(
            scopes.sorted { $0.name < $1.name }.map {
                [
                    "value": .text($0.name), "label": .text($0.words[call.language]),
                    "checked": .bool(chosen.contains($0.name)),
                ]
            })
    }

    static func state(_ state: APIClient.State, _ call: Call) -> String {
        call.text("identity.program.state.\(state.rawValue)")
    }

    static func tone(_ state: APIClient.State) -> String {
        switch state {
        case .active: "ok"
        case .expiring: "warn"
        case .expired, .revoked: "bad"
        }
    }

    /// For examples: where this page came from, which the gate has compared with the Host.
    static func origin(_ call: Call) -> String {
        let sent = HTTPField.Name("Origin").flatMap { call.request.headers[$0] } ?? "null"
        return sent == "null" ? "https://crm.example" : sent
    }
}
