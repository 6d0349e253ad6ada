import Foundation
import Kernel
import Outgoing
import Platform
import Storage
import Web

/// The administrator's pages: who is told of changes, and what became of it.
struct HubPages: Sendable {
    let resources: [TMFResource]
    let clients: HubClients
    let interest: HubInterest

    var endpoints: [Endpoint] {
        func post(
            _ path: String, _ fields: [String] = [],
            _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(
                .post, path, .permission(HubPermission.manage), body: .form(fields), trace: .change,
                purpose: .administration, effect: .acts, handler: handler)
        }
        func get(_ path: String, _ handler: @escaping @Sendable (Call) async throws -> WebResponse) -> Endpoint {
            Endpoint(
                .get, path, .permission(HubPermission.view), trace: .none, purpose: .administration, handler: handler)
        }
        return [
            get("/hub", list), get("/hub/deliveries", log), get("/hub/{id}", page),
            post("/hub/{id}/pause") { try await act($0, .pause) },
            post("/hub/{id}/resumption") { try await act($0, .resume) },
            post("/hub/{id}/removal") { try await act($0, .remove) },
            post("/hub/{id}/redelivery") { try await act($0, .redeliver) },
            post("/hub/deliveries/{id}/redelivery") { try await redeliver($0) },
            post("/hub/deliveries/{id}/dismissal") { try await dismiss($0) },
        ]
    }

    // MARK: Subscriptions

    @Sendable private func list(_ call: Call) async throws -> WebResponse {
        let after = call.request.query["after"].flatMap { HubID($0) }
        let tenant = call.tenant
        let (found, counts, closed) = try await call.read { session in
            let found = try session.query(
                HubStore.page, [.int(after?.rawValue ?? 0), .int(Limits.pageSize + 1)], HubStore.subscription)
            return (found, try Self.counts(session), try self.shut(found, tenant, session))
        }
        let shown = found.prefix(Limits.pageSize)
        return call.page(
            "tmf/hub", title: call.text("nav.hub"), active: "/hub",
            [
                "isEmpty": .bool(found.isEmpty), "count": .text(String(shown.count)),
                "subscriptions": .list(shown.map { row($0, counts, closed, call) }),
                "next": .text(found.count > shown.count ? shown.last.map { "/hub?after=\($0.id)" } : nil),
            ])
    }

    /// How many wait, and how many stand aside.
    private static func counts(_ session: any SQLSession) throws -> [String: Int] {
        var result: [String: Int] = [:]
        try session.forEach(HubStore.counts, []) { row in
            result["\(row.int(0)) \(row.text(1))"] = row.integer(2)
            return true
        }
        return result
    }

    /// Subscriptions whose clients may call nothing any more.
    private func shut(
        _ all: [HubSubscription], _ tenant: Tenant, _ session: any SQLSession
    ) throws -> Set<HubID> {
        Set(try all.filter { try clients.principal($0.client, tenant, session) == nil }.map(\.id))
    }

    private func row(_ one: HubSubscription, _ counts: [String: Int], _ shut: Set<HubID>, _ call: Call) -> View {
        let (waiting, dead) = (counts["\(one.id) waiting"] ?? 0, counts["\(one.id) dead"] ?? 0)
        let state =
            shut.contains(one.id) ? "shut" : one.state == .paused ? "paused" : one.failures > 0 ? "failing" : "active"
        // Those that wait for nothing but their turn say nothing about it.
        let next = one.state == .active && one.failures > 0 ? one.dueAt : nil
        return [
            "id": .text(one.id.description), "client": .text(Self.client(one.client)), "callback": .text(Self.shown(one.callback)),
            "host": .text(AddressGuard.host(one.callback) ?? one.callback),
            "api": .text(
                "TMF\(one.api)" + (resources.first { $0.api.number == one.api }.map { " " + $0.api.name } ?? "")
                    + (one.version == 5 ? " v5" : "")),
            "query": .text(one.query.isEmpty ? nil : one.query), "state": .text(call.text("hub.state.\(state)")),
            "tone": .text(["paused": "warn", "failing": "bad", "shut": "bad"][state] ?? "ok"),
            "waiting": .text(String(waiting)), "dead": .text(dead > 0 ? String(dead) : nil),
            "failures": .text(String(one.failures)), "nextTry": .text(next.map { call.time($0) }),
            "created": .text(call.time(one.createdAt)), "isPaused": .bool(one.state == .paused),
        ]
    }

    /// Without what follows the path: callers often put a password there.
    static func shown(_ callback: String) -> String {
        guard let end = callback.firstIndex(of: "?") else { return callback }
        return callback[..<end] + "?…"
    }

    /// Without what the audit puts before a program's name.
    private static func client(_ name: String) -> String { name.hasPrefix("client:") ? String(name.dropFirst(7)) : name }

    @Sendable private func page(_ call: Call) async throws -> WebResponse {
        let id: HubID = try call.request.id("id")
        let (state, before) = Self.filter(call)
        let tenant = call.tenant
        let (one, counts, found, closed) = try await call.read { session in
            guard let one = try HubStore.subscription(id, session) else { throw CRMError.notFound }
            return (
                one, try Self.counts(session),
                try HubStore.log(
                    subscription: id, state: state, before: before, limit: Limits.pageSize + 1, session),
                try self.shut([one], tenant, session)
            )
        }
        let view = row(one, counts, closed, call).merging(
            log(found, state: state, base: "/hub/\(id)", names: [:], call))
        return call.page(
            "tmf/hub-subscription", title: Self.client(one.client), active: "/hub",
            view.merging(["mayManage": .bool(try call.principal().may(HubPermission.manage))]))
    }

    // MARK: The log

    private static func filter(_ call: Call) -> (HubDelivery.State?, HubDeliveryID?) {
        (
            call.request.query["state"].flatMap(HubDelivery.State.init(rawValue:)),
            call.request.query["before"].flatMap { HubDeliveryID($0) }
        )
    }

    @Sendable private func log(_ call: Call) async throws -> WebResponse {
        let (state, before) = Self.filter(call)
        let (found, names) = try await call.read { session in
            let found = try HubStore.log(
                subscription: nil, state: state, before: before, limit: Limits.pageSize + 1, session)
            var names: [HubID: String] = [:]
            for id in Set(found.map(\.subscription)) {
                names[id] = try HubStore.subscription(id, session).map { Self.client($0.client) }
            }
            return (found, names)
        }
        return call.page(
            "tmf/hub-log", title: call.text("hub.log"), active: "/hub",
            log(found, state: state, base: "/hub/deliveries", names: names, call)
                .merging(["mayManage": .bool(try call.principal().may(HubPermission.manage))]))
    }

    private func log(
        _ found: [HubDelivery], state: HubDelivery.State?, base: String, names: [HubID: String], _ call: Call
    ) -> View {
        let shown = found.prefix(Limits.pageSize)
        let filter = state.map { "state=\($0.rawValue)&" } ?? ""
        let states: [(String, String, Bool)] =
            [(base, call.text("hub.all"), state == nil)]
            + HubDelivery.State.allCases.map {
                ("\(base)?state=\($0.rawValue)", call.text("hub.delivery.\($0.rawValue)"), $0 == state)
            }
        return [
            "states": .list(states.map { ["path": .text($0.0), "label": .text($0.1), "current": .bool($0.2)] }),
            "noDeliveries": .bool(found.isEmpty), "withClients": .bool(!names.isEmpty),
            "deliveries": .list(shown.map { delivery($0, names, call) }),
            "nextPage": .text(
                found.count > shown.count ? shown.last.map { "\(base)?\(filter)before=\($0.id)" } : nil),
        ]
    }

    private func delivery(_ one: HubDelivery, _ names: [HubID: String], _ call: Call) -> View {
        let tone: [HubDelivery.State: String] = [.delivered: "ok", .dead: "bad", .dropped: "warn", .waiting: "info"]
        let why = one.reason.isEmpty ? nil : call.text("hub.reason.\(one.reason)")
        return [
            "delivery": .text(one.id.description), "type": .text(one.type), "event": .text(String(one.event)),
            "of": .text("\(one.resource)/\(one.resourceID)"), "at": .text(call.time(one.at)),
            "deliveryState": .text(call.text("hub.delivery.\(one.state.rawValue)")),
            "deliveryTone": .text(tone[one.state] ?? ""), "attempts": .text(String(one.attempts)),
            "answer": .text(one.answer > 0 ? String(one.answer) : nil), "reason": .text(why),
            "tried": .text(one.triedAt.map { call.time($0) }), "clientName": .text(names[one.subscription]),
            "subscription": .text(one.subscription.description), "isDead": .bool(one.state == .dead),
            "mayEnd": .bool(one.state == .dead || one.state == .waiting),
        ]
    }

    // MARK: What is done

    private enum Act {
        case pause, resume, remove, redeliver

        func entry(_ id: HubID, _ facts: [String: JSONValue]) -> AuditEntry {
            switch self {
            case .pause: AuditEntry("tmf.hub.pause", [.hub(id)], facts: facts)
            case .resume: AuditEntry("tmf.hub.resume", [.hub(id)], facts: facts)
            case .remove: AuditEntry("tmf.hub.remove", [.hub(id)], facts: facts)
            case .redeliver: AuditEntry("tmf.hub.redeliver", [.hub(id)], facts: facts)
            }
        }

        var flash: String {
            switch self {
            case .pause: "hub.done.pause"
            case .resume: "hub.done.resume"
            case .remove: "hub.done.remove"
            case .redeliver: "hub.done.redeliver"
            }
        }
    }

    private func act(_ call: Call, _ what: Act) async throws -> WebResponse {
        let id: HubID = try call.request.id("id")
        let tenant = call.tenant
        let now = tenant.clock.now()
        return try await call.change { session in
            guard try HubStore.subscription(id, session) != nil else { throw CRMError.notFound }
            var facts: [String: JSONValue] = [:]
            switch what {
            case .pause: try session.execute(HubStore.pause, [.id(id)])
            case .resume: try session.execute(HubStore.resume, [.id(id), .time(now)])
            case .redeliver:
                facts["count"] = .int(Int64(try session.execute(HubStore.againAll, [.id(id), .time(now)])))
                try session.execute(HubStore.wake, [.id(id), .time(now)])
                try session.execute(HubStore.hurry, [.id(id), .time(now)])
            case .remove:
                try HubEndpoints.remove(id, session)
                session.afterCommit { [interest] in interest.forget(tenant) }
            }
            try call.record(what.entry(id, facts), session)
            session.afterCommit { tenant.wake.signal() }
            return .redirect(what == .remove ? "/hub" : "/hub/\(id)").flash(what.flash)
        }
    }

    private func redeliver(_ call: Call) async throws -> WebResponse {
        let id: HubDeliveryID = try call.request.id("id")
        let tenant = call.tenant
        let now = tenant.clock.now()
        return try await call.change { session in
            guard let found = try HubStore.delivery(id, session) else { throw CRMError.notFound }
            guard try session.execute(HubStore.again, [.id(id), .time(now)]) == 1 else { throw Self.notAside }
            try session.execute(HubStore.wake, [.id(found.subscription), .time(now)])
            try session.execute(HubStore.hurry, [.id(found.subscription), .time(now)])
            try call.record(AuditEntry("tmf.hub.redeliver", [.hub(found.subscription)], facts: ["count": .int(1)]), session)
            session.afterCommit { tenant.wake.signal() }
            return .redirect("/hub/\(found.subscription)").flash("hub.done.redeliver")
        }
    }

    private func dismiss(_ call: Call) async throws -> WebResponse {
        let id: HubDeliveryID = try call.request.id("id")
        let now = call.tenant.clock.now()
        return try await call.change { session in
            guard let found = try HubStore.delivery(id, session) else { throw CRMError.notFound }
            guard try session.execute(HubStore.dismiss, [.id(id), .time(now)]) == 1 else { throw Self.notAside }
            try HubLast.release(found.key, session)
            try HubSeen.release(found, session)
            try call.record(AuditEntry("tmf.hub.dismiss", [.hub(found.subscription)], facts: ["count": .int(1)]), session)
            return .redirect("/hub/\(found.subscription)").flash("hub.done.dismiss")
        }
    }

    private static let notAside = CRMError.conflict(
        "not_aside", Words(en: "This event does not wait any more; look at it again.", zh: "该事件已不在等待处理，请刷新查看。"))
}
