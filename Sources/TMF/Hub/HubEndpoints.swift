import HTTPTypes
import Kernel
import Outgoing
import Platform
import Storage
import Web

/// The hub of one interface in one version: where programs ask to be told of changes.
package struct HubEndpoints: Sendable {
    let api: TMFAPI
    let version: Int
    /// The resources of this interface.
    let resources: [TMFResource]
    let settings: HubSettings
    let interest: HubInterest
    let view: Permission

    /// - Returns: `nil` for an interface without resources.
    init?(_ api: TMFAPI, version: Int, _ all: [TMFResource], _ settings: HubSettings, _ interest: HubInterest) {
        let own = all.filter { $0.api == api && $0.isTold }
        resources = version == 5 ? own.compactMap(\.version5) : own
        self.version = version
        guard let first = resources.first else { return nil }
        self.api = api
        self.settings = settings
        self.interest = interest
        view = first.view
    }

    private var path: String { api.base(version) + "/hub" }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, path, .permission(view), body: .json, trace: .change, effect: .asSent, scope: api.readScope,
                handler: subscribe),
            Endpoint(.get, path, .permission(view), trace: .none, scope: api.readScope, handler: list),
            Endpoint(.get, path + "/{id}", .permission(view), trace: .none, scope: api.readScope, handler: read),
            Endpoint(
                .delete, path + "/{id}", .permission(view), trace: .change, effect: .asSent, scope: api.readScope,
                handler: unsubscribe),
        ]
    }

    /// The client that calls. A subscription outlives tokens and sessions, so it is a client's and not a person's.
    private func client(_ call: Call) throws -> String {
        let principal = try call.principal()
        guard principal.scopes != nil, principal.userID == nil, principal.token == nil else {
            throw CRMError(
                "clients_only", status: 403,
                Words(
                    en: "Only a client of the interface can subscribe to events, not a person.",
                    zh: "只有接口客户端可以订阅事件，个人账户不能订阅。"))
        }
        return principal.userName
    }

    private static let attributes: Set<String> = ["callback", "query", "@type", "@baseType", "@schemaLocation"]

    @Sendable private func subscribe(_ call: Call) async throws -> WebResponse {
        let client = try client(call)
        let sent = try call.request.jsonObject()
        for name in sent.keys.sorted() where !Self.attributes.contains(name) {
            throw Self.bad(name, "unknown_attribute", Words(
                en: "A subscription has no “\(name)”; it takes callback and query.", zh: "订阅没有“\(name)”属性，只接受 callback 和 query。"))
        }
        guard let callback = sent["callback"]?.string, !callback.isEmpty else {
            throw Self.bad("callback", "missing", Words(
                en: "“callback” is missing: the address that events are sent to.", zh: "缺少“callback”：接收事件的地址。"))
        }
        let query: String
        switch sent["query"] {
        case nil, .null: query = ""
        case .string(let text): query = text.trimmed
        default:
            throw Self.bad("query", "wrong_type", Words(en: "“query” is a text.", zh: "“query”应为文本。"))
        }
        _ = try HubQuery.read(query, resources)
        let hosts = settings.hosts
        do {
            _ = try await OwnThread.run { try AddressGuard.hub(hosts).check(callback) }
        } catch let error as CRMError where error.status == 422 {
            throw CRMError(error.code, status: 400, error.message, fields: error.fields)
        }
        return try await subscribe(call, client, callback, query)
    }

    private func subscribe(
        _ call: Call, _ client: String, _ callback: String, _ query: String
    ) async throws -> WebResponse {
        let tenant = call.tenant
        let id: HubID = tenant.ids.next()
        let salt = RandomText.hex(16)
        let (base, origin, max) = (call.request.origin + path, call.request.origin, settings.subscriptionsMax)
        let subscription = document(id, callback, query)
        func answer(_ document: JSONObject) -> WebResponse {
            var answer = WebResponse.json(.object(document), status: .created)
            answer.headers[.location] = "\(base)/\(id)"
            return answer
        }
        // The secret is in the answer only, not in what is kept for a request that comes again.
        let kept = answer(subscription)
        try await call.write { [api, version] session in
            guard try session.count(HubStore.countOfClient, [.text(client)]) < max else {
                throw CRMError.conflict(
                    "too_many_subscriptions",
                    Words(
                        en: "This client has \(max) subscriptions already; remove one first.",
                        zh: "该客户端已有 \(max) 个订阅，请先删除一个。"))
            }
            let made = try session.execute(
                HubStore.insert,
                [
                    .id(id), .int(api.number), .text(client), .text(callback), .text(query),
                    .text(HubStore.digest([client, String(api.number), callback, query] + (version == 5 ? ["v5"] : []))),
                    .text(salt), .text(origin),
                    .time(tenant.clock.now()), .int(version),
                ])
            guard made == 1 else {
                throw CRMError.conflict(
                    "duplicate_subscription",
                    Words(
                        en: "This client has this subscription already: the same callback and query.",
                        zh: "该客户端已有相同 callback 和 query 的订阅。"))
            }
            try call.record(
                AuditEntry(
                    "tmf.hub.subscribe", [.hub(id)],
                    facts: ["api": .string(api.name), "version": .int(Int64(version)), "host": .text(AddressGuard.host(callback))]), session)
            try call.settle(kept, session)
            session.afterCommit { [interest] in interest.forget(tenant) }
        }
        var whole = subscription
        whole["secret"] = .string(HubSignature(tenant, salt: salt, id: id).secret)
        return answer(whole)
    }

    private func document(_ id: HubID, _ callback: String, _ query: String) -> JSONObject {
        var document: JSONObject = ["id": .string(id.description), "callback": .string(callback)]
        if version == 5 { document["@type"] = .string("Hub") }
        if !query.isEmpty { document["query"] = .string(query) }
        return document
    }

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let client = try client(call)
        let (number, version) = (api.number, version)
        let found = try await call.read { session in
            try session.query(HubStore.ofClient, [.int(number), .text(client), .int(version)], HubStore.subscription)
        }
        var answer = WebResponse.json(
            .array(found.map { .object(document($0.id, $0.callback, $0.query)) }))
        answer.headers[.totalCount] = String(found.count)
        answer.headers[.resultCount] = String(found.count)
        return answer
    }

    /// - Throws: 404 also for another client's.
    private func own(_ call: Call, _ session: any SQLSession) throws -> HubSubscription {
        // A person has none.
        guard let client = try? client(call), let text = call.request.parameters["id"], let id = Int64(text), String(id) == text,
            let found = try HubStore.subscription(HubID(id), session), found.client == client, found.api == api.number,
            found.version == version
        else { throw CRMError.notFound }
        return found
    }

    @Sendable private func read(_ call: Call) async throws -> WebResponse {
        let found = try await call.read { try own(call, $0) }
        return .json(.object(document(found.id, found.callback, found.query)))
    }

    @Sendable private func unsubscribe(_ call: Call) async throws -> WebResponse {
        return try await call.change { session in
            let found = try own(call, session)
            try Self.remove(found.id, session)
            session.afterCommit { [interest, tenant = call.tenant] in interest.forget(tenant) }
            try call.record(
                AuditEntry("tmf.hub.unsubscribe", [.hub(found.id)], facts: ["api": .string(api.name)]), session)
            return WebResponse(status: .noContent)
        }
    }

    static func remove(_ id: HubID, _ session: any SQLSession) throws {
        let all = [HubStore.remove, HubStore.removeDeliveries, HubStore.removeTold] + HubLast.ofSubscription + HubSeen.ofSubscription
        for sql in all { try session.execute(sql, [.id(id)]) }
    }

    private static func bad(_ name: String, _ code: String, _ words: Words) -> CRMError {
        CRMError(code, status: 400, words, fields: [.init(field: name, code: code, message: words)])
    }
}

extension AuditSubject {
    static func hub(_ id: HubID) -> AuditSubject { AuditSubject(kind: "hub", id: id.rawValue) }
}
