import Crypto
import Foundation
import HTTPTypes
import Kernel
import Outgoing
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import TMF
@testable import Web

/// The resource of `Things` with a hub, clients whose rights a test changes, and a callback on this machine.
struct HubWorld: Sendable {
    /// What clients may do now, by name.
    final class Clients: Sendable {
        struct Rights: Sendable {
            var isActive = true
            var permissions: [Permission] = [Things.view, Things.edit, Masking.seeNames, Masking.seeContacts, Masking.seeIdentity, Masking.seeUnlabelled]
            var scopes: Set<String> = ["tmf999:read", "tmf999:write"]
            var regions: [String]?
        }
        private let rights = Mutex<[String: Rights]>([:])
        func set(_ name: String, _ change: (inout Rights) -> Void) {
            rights.withLock { change(&$0[name, default: Rights()]) }
        }
        func principal(_ name: String) -> Principal? {
            let rights = rights.withLock { $0[name] ?? Rights() }
            guard rights.isActive, name.hasPrefix("client:") else { return nil }
            return Principal(
                tenant: "default", userID: nil, userName: name, roles: [], permissions: Set(rights.permissions),
                scope: RecordScope(regions: rights.regions), purpose: .service, address: "127.0.0.1", requestID: "r", scopes: rights.scopes)
        }
    }

    let things: Things
    let clients = Clients()
    let server: CallbackServer
    let settings: HubSettings
    let module: HubModule
    let table: RouteTable
    let resource: TMFResource
    var test: TestTenant { things.test }
    var tenant: Tenant { things.test.tenant }

    /// Things of a region are named after it: a client of region `n` sees those whose name begins with `n`.
    struct Regional: TMFWritingStore {
        let base = Things.Store()
        var table: TMFTable { base.table }
        func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
            try base.documents(ids, principal, session).compactMap { id, document in
                if document["name"] == .string("broken"), !principal.userName.hasSuffix("maker") { throw CRMError("broken", status: 500, Words(en: "b", zh: "b")) }
                guard principal.may(Things.view) else { return nil }
                guard let regions = principal.scope.regions else { return (id, document) }
                return regions.contains { document["name"]?.string?.hasPrefix($0) == true } ? (id, document) : nil
            }
        }
        func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
            try base.create(document, context, session)
        }
        func change(_ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
            try base.change(id, from: old, to: new, context, session)
        }
        func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
            try base.remove(id, document, context, session)
        }
    }

    init(_ change: (inout HubSettings) -> Void = { _ in }) async throws {
        things = try await Things()
        server = try CallbackServer()
        var settings = HubSettings()
        settings.hosts = ["127.0.0.1"]
        settings.timeoutSeconds = 2
        change(&settings)
        self.settings = settings
        var schema = Sample.schema
        schema.directory = TMFDirectory()
        resource = TMFResource(
            Things.api, "thing", type: "Thing", schema: schema, view: Things.view, edit: Things.edit,
            states: TMFStates("status", first: "open", next: ["open": ["closed"], "closed": ["open"]]),
            subjects: { id, _ in [AuditSubject(kind: "thing", id: id)] }, store: { _ in Regional() })
        let clients = clients
        module = HubModule(
            resources: [resource], clients: HubClients { name, _, _ in clients.principal(name) }, settings: settings)
        let site = SiteInfo(pages: try Pages(share: Checkout.share), assets: "", navigation: [], permissions: [], version: "test")
        let tenant = things.test.tenant
        module.opened(tenant)
        table = RouteTable((resource.endpoints + module.endpoints(site)).map { $0.route(tenants: { _ in tenant }, site: site) })
    }

    var runner: HubRunner {
        let clients = clients
        return HubRunner(
            tenant: tenant, resources: [resource], clients: HubClients { name, _, _ in clients.principal(name) }, settings: settings)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, as name: String = "client:a", headers: [(String, String)] = [],
        principal: Principal? = nil
    ) async throws -> (status: Int, body: JSONValue, headers: HTTPFields) {
        let base = "/tmf-api/thingManagement/v4"
        guard case .route(let route, let parameters) = table.match(method, path: base + path) else { throw CRMError.notFound }
        var fields = HTTPFields()
        for (name, value) in headers { fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        if body != nil { fields[.contentType] = "application/json" }
        do {
            let answer = try await route.handler(
                WebRequest(
                    method: method, path: base + path, query: Form([]), headers: fields, parameters: parameters, tenant: "default",
                    requestID: "r", address: "127.0.0.1", language: .en, theme: "auto",
                    session: SessionState(principal: try #require(principal ?? clients.principal(name)), language: nil, theme: nil), csrfToken: "c",
                    cookieToken: "c", nonce: "n", purpose: route.purpose,
                    body: try body.map { .json(try JSONValue.parse([UInt8]($0.utf8))) } ?? .none))
            let content = answer.content ?? ""
            return (answer.status.code, content.isEmpty ? .null : try JSONValue.parse([UInt8](content.utf8)), answer.headers)
        } catch let error as CRMError {
            return (error.status, .string(error.code), [:])
        }
    }

    @discardableResult
    func subscribe(_ query: String = "", path: String = "", as name: String = "client:a") async throws -> (id: String, secret: String) {
        let body = JSONValue.object(["callback": .string(server.address + path), "query": .string(query)]).encoded()
        let made = try await send(.post, "/hub", body, as: name)
        #expect(made.status == 201, "\(made)")
        return (made.body["id"]?.string ?? "", made.body["secret"]?.string ?? "")
    }

    func make(_ body: String) async throws -> String {
        try #require(try await send(.post, "/thing", body, as: "client:maker").body["id"]?.string)
    }

    /// Delivers events into the queues and sends what is due.
    func drain() async throws {
        try await test.drain(handlers: module.eventHandlers(tenant), jobs: module.jobs(tenant))
        _ = try await runner.drain()
    }

    /// What came to the callback.
    func told() throws -> [JSONValue] { try server.asked.map { try JSONValue.parse($0.body) } }
    func types() throws -> [String] { try told().compactMap { $0["eventType"]?.string } }

    func deliveries() async throws -> [HubDelivery] {
        try await tenant.database.read { session in
            try HubStore.log(subscription: nil, state: nil, before: nil, limit: 1_000, session).reversed()
        }
    }
}
