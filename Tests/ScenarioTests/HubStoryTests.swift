import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// The administrator's pages of event subscriptions, through HTTP.
@Suite("Event subscriptions over HTTP")
struct HubStoryTests {
    private func subscribed(_ scenario: Scenario, deliveries: Int) async throws -> (subscription: String, deliveries: [String]) {
        let tenant = scenario.tenant
        let one: ID<TraceWorld.TestHub> = tenant.ids.next()
        let more: [ID<TraceWorld.TestHub>] = (0..<deliveries).map { _ in tenant.ids.next() }
        try await tenant.database.write { session in
            _ = try session.execute(TraceWorld.hubSubscription, [.id(one), .text(UUID().uuidString), .text("active")])
            for id in more { _ = try session.execute(TraceWorld.hubDelivery, [.id(id), .id(one)]) }
        }
        return (one.description, more.map(\.description))
    }

    private func states(_ scenario: Scenario) async throws -> [String] {
        try await scenario.tenant.database.read { try $0.query("SELECT state FROM tmf_hub_delivery ORDER BY id") { $0.text(0) } }
    }

    @Test("an administrator sees who is told and what failed, pauses and goes on, delivers again, gives up, ends; it stands in the audit")
    func story() async throws {
        let scenario = try await Scenario.start()
        let administrator = try await scenario.user("admin", [.administrator])
        let empty = try administrator.get("/hub")
        #expect(empty.status == 200 && empty.text.contains("Nobody has subscribed"))
        let made = try await subscribed(scenario, deliveries: 3)
        let path = "/hub/\(made.subscription)"
        let list = try administrator.get("/hub").text
        #expect(list.contains("traced.example") && list.contains(">traced<") && list.contains(path + "?state=dead\">3<"), "\(list)")
        let log = try administrator.get("/hub/deliveries?state=dead").text
        #expect(log.contains("TracedCreateEvent") && log.contains("500 Refused") && log.contains("Deliver again"))
        #expect(try !administrator.get("/hub/deliveries?state=delivered").text.contains("TracedCreateEvent"))
        let page = try administrator.get(path).text
        #expect(page.contains("traced/5") && page.contains("https://traced.example/x?…") && !(page + list + log).contains("zebra"))
        // One is given up, one delivered again; nobody offers the resource any more, so it is not sent.
        #expect(try administrator.post("/hub/deliveries/\(made.deliveries[0])/dismissal").status == 303)
        #expect(try administrator.post("/hub/deliveries/\(made.deliveries[0])/redelivery").status == 409)
        #expect(try administrator.post("/hub/deliveries/\(made.deliveries[1])/redelivery").status == 303)
        #expect(try await states(scenario) == ["dismissed", "waiting", "dead"])
        try await scenario.drain()
        #expect(try await states(scenario) == ["dismissed", "dropped", "dead"])
        #expect(try administrator.get(path + "?state=dropped").text.contains("This resource is not offered any more"))
        // What waits behind a pause waits.
        #expect(try administrator.post(path + "/pause").status == 303)
        #expect(try administrator.get(path).text.contains("Paused"))
        #expect(try administrator.post(path + "/redelivery").status == 303)
        try await scenario.drain()
        #expect(try await states(scenario) == ["dismissed", "dropped", "waiting"])
        #expect(try administrator.post(path + "/resumption").status == 303)
        try await scenario.drain()
        #expect(try await states(scenario) == ["dismissed", "dropped", "dropped"])
        #expect(try administrator.post(path + "/removal").status == 303)
        #expect(try administrator.get(path).status == 404)
        #expect(try await states(scenario).isEmpty)
        let actions = try await scenario.tenant.database.read { session in
            try session.query("SELECT action FROM platform_audit_event WHERE action LIKE 'tmf.hub.%' ORDER BY id") { $0.text(0) }
        }
        #expect(
            actions == [
                "tmf.hub.dismiss", "tmf.hub.redeliver", "tmf.hub.pause", "tmf.hub.redeliver", "tmf.hub.resume", "tmf.hub.remove",
            ])
    }

    @Test("the security administrator looks and changes nothing; others do not see it; in Chinese it is Chinese")
    func rights() async throws {
        let scenario = try await Scenario.start()
        let made = try await subscribed(scenario, deliveries: 1)
        let security = try await scenario.user("security", [.security])
        let page = try security.get("/hub/\(made.subscription)")
        #expect(page.status == 200 && !page.text.contains("/pause") && !page.text.contains("/redelivery"))
        for what in ["pause", "resumption", "removal", "redelivery"] {
            #expect(try security.post("/hub/\(made.subscription)/\(what)").status == 403)
        }
        for role in [Role.agent, .supervisor, .auditor] {
            let visitor = try await scenario.user("v-\(role.rawValue)", [role])
            for path in ["/hub", "/hub/deliveries", "/hub/\(made.subscription)"] { #expect(try visitor.get(path).status == 403) }
            #expect(try visitor.post("/hub/\(made.subscription)/removal").status == 403)
        }
        #expect(try await states(scenario) == ["dead"])
        let chinese = try security.get("/hub/\(made.subscription)", headers: [("Accept-Language", "zh")])
        #expect(chinese.text.contains("投递失败") && chinese.text.contains("对方拒绝") && !chinese.text.contains("[["))
    }

    @Test("the workers of a process send what waits beside their jobs, and stop when they are told to")
    func workers() async throws {
        let scenario = try await Scenario.start()
        let made = try await subscribed(scenario, deliveries: 2)
        let id = try #require(ID<TraceWorld.TestHub>(made.subscription))
        let runtime = scenario.runtime
        let workers = Workers(
            names: ["default"], modules: runtime.modules.all, tenants: runtime.tenants, count: 1, metrics: runtime.metrics,
            logger: runtime.logger)
        let task = Task { try await workers.run() }
        try await scenario.tenant.database.write { session in
            try session.execute("UPDATE tmf_hub_delivery SET state = 'waiting' WHERE subscription_id = $1", [.id(id)])
            _ = try session.execute("UPDATE tmf_hub SET due_at = 0 WHERE id = $1", [.id(id)])
        }
        #expect(try await eventually { try await states(scenario) == ["dropped", "dropped"] })
        task.cancel()
        try await task.value
    }

    @Test("what is sent to a client follows the client: its scopes and regions now; nothing when it was revoked or has run out")
    func clients() async throws {
        let scenario = try await Scenario.start()
        let (tenant, clients) = (scenario.tenant, scenario.runtime.modules.clients)
        _ = try await clients.create(name: "desk", scopes: ["usage:write"], days: 30, regions: ["east"], tenant)
        func principal(_ name: String) async throws -> Principal? {
            try await tenant.database.read { try clients.principal(actor: name, tenant, $0) }
        }
        let found = try #require(try await principal("client:desk"))
        #expect(found.scopes == ["usage:write"] && found.userName == "client:desk" && found.userID == nil)
        // In every spelling (ADR 0064).
        #expect(Set((found.scope.regions ?? []).map { $0.lowercased() }) == ["east"])
        #expect(!found.permissions.isEmpty)
        for name in ["desk", "client:", "client:DESK", "client:other", "admin"] { #expect(try await principal(name) == nil, "\(name)") }
        scenario.clock.advance(days: 31)
        #expect(try await principal("client:desk") == nil, "it has run out")
        scenario.clock.advance(days: -31)
        try await clients.revoke("desk", tenant)
        #expect(try await principal("client:desk") == nil)
    }
}
