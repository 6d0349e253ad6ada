import App
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@Suite("The contract of the TM Forum interface")
struct ContractTests {
    static let resources: [TMFResource] =
        (try? Modules(share: Checkout.share, clock: FrozenClock(), passwordProfile: Configuration().passwordProfile))?.resources ?? []

    @Test("every resource has a sample, and every sample a resource")
    func covered() {
        #expect(!Self.resources.isEmpty)
        #expect(Set(Self.resources.map(\.name)) == Set(Samples.all.map(\.resource)))
        #expect(Set(Self.resources.map(\.path)).count == Self.resources.count)
    }

    @Test("what every resource does", arguments: resources.map(\.name))
    func contract(name: String) async throws {
        let world = try await ContractWorld()
        let resource = try Contract.resource(name, world)
        let sample = try Contract.sample(name)
        var context = SampleContext()
        for (_, behaviour) in Contract.behaviours { try behaviour(world, resource, sample, &context) }
    }

    @Test("a change tells what happened, once", arguments: resources.filter { $0.verbs.contains(.create) }.map(\.name))
    func told(name: String) async throws {
        let world = try await ContractWorld(customers: 10)
        let resource = try Contract.resource(name, world)
        var context = SampleContext()
        let made = try Contract.make(name, world, &context)
        try #require(made.status == 201, "\(made.text)")
        if resource.verbs.contains(.change) { _ = try world.send("PATCH", "\(resource.path)/\(made.id)", ["x-a": 1]) }
        if resource.verbs.contains(.remove) { _ = try world.send("DELETE", "\(resource.path)/\(made.id)") }
        let events = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'tmf.resource.changed' ORDER BY id") { $0.text(0) }
        }.filter { $0.contains("\"\(name)\"") }
        var expected = ["created"]
        if resource.verbs.contains(.change) { expected.append("changed") }
        if resource.verbs.contains(.remove) { expected.append("removed") }
        #expect(events.count == expected.count && zip(events, expected).allSatisfy { $0.contains("\"\($1)\"") }, "\(events)")
        for action in ["create", resource.verbs.contains(.remove) ? "remove" : "create"] {
            let count = try await world.scenario.tenant.database.read {
                try $0.count("SELECT COUNT(*) FROM platform_audit_event WHERE action = $1", [.text("tmf.resource.\(action)")])
            }
            #expect(count >= 1, "\(action)")
        }
    }

    @Test("who may see a part of the regions sees that part, and cannot name others")
    func regions() async throws {
        let world = try await ContractWorld()
        let rows = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT customer_id, region FROM customers_listing WHERE region <> '' ORDER BY customer_id") { ($0.id(0, PartyKind.self), $0.text(1)) }
        }
        let path = "/tmf-api/troubleTicket/v4/troubleTicket"
        let all = try world.send("GET", path + "?limit=100").items
        let owner = try #require(all.first?["relatedParty"]?.array?.first?["id"]?.string)
        let region = try #require(rows.first { $0.0.description == owner }?.1)
        let inside = Set(rows.filter { $0.1 == region }.map { $0.0.description })
        let outside = try #require(rows.first { $0.1 != region }?.0.description)
        let token = try await ContractWorld.token(
            world.scenario, "north", scopes: world.scenario.runtime.modules.resources.map(\.api), regions: [region])
        let mine = try world.send("GET", path + "?limit=100", token: token)
        #expect(!mine.items.isEmpty && mine.header("X-Total-Count") == String(mine.items.count), "\(mine.text)")
        for ticket in mine.items { #expect(inside.contains(ticket["relatedParty"]?.array?.first?["id"]?.string ?? "")) }
        let foreign = try #require(all.first { !inside.contains($0["relatedParty"]?.array?.first?["id"]?.string ?? "") })
        #expect(try world.send("GET", path + "/" + (foreign["id"]?.string ?? ""), token: token).status == 404)
        for parties in [[] as JSONValue, [["id": .string(outside), "@referredType": "Customer"]]] {
            let refused = try world.send(
                "POST", path, ["description": "x", "severity": "Minor", "ticketType": "fault", "relatedParty": parties], token: token)
            #expect(refused.status == 403, "\(refused.text)")
        }
    }
}
