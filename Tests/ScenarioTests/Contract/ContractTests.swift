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

    /// Places of objects without `@type`; periods, amounts and what nobody knows have none.
    private static func untyped(_ value: JSONValue, _ place: String, isOuter: Bool = false) -> [String] {
        if let items = value.array { return items.flatMap { untyped($0, place) } }
        guard let fields = value.object else { return [] }
        let isPlain = ["validFor", "x-own"].contains(place) || place.hasSuffix("Period")
        return (isPlain || fields["@type"] != nil ? [] : [place])
            + fields.filter { $0.key != "x-own" && $0.key != "value" }.flatMap { untyped($0.value, $0.key) }
    }

    @Test("version 5 is another face of the same resource", arguments: resources.filter { $0.next != nil }.map(\.name))
    func versionFive(name: String) async throws {
        let world = try await ContractWorld(customers: 10)
        let old = try Contract.resource(name, world)
        let new = try #require(old.version5)
        let face = try #require(new.face)
        var context = SampleContext()
        var body = face.shown(try Contract.sample(name).body(world, &context))
        body["x-own"] = ["a": 1]
        let nameless = try world.send("POST", new.path, .object(body))
        #expect(nameless.status == 400 && nameless.code == "missing" && nameless.text.contains("@type"), "\(nameless.text)")
        body["@type"] = .string(new.type)
        let made = try world.send("POST", new.path, .object(body))
        try #require(made.status == 201, "\(made.text)")
        #expect(made.body["href"]?.string?.contains("/v5/") == true && made.header("Location") == made.body["href"]?.string)
        for (key, value) in body { #expect(made.body[key] == value, "\(name).\(key): \(made.body[key]?.encoded() ?? "") for \(value.encoded())") }
        // Each object inside says of what type it is, and what it refers to lies in version 5 where there is one.
        #expect(Self.untyped(made.body, "", isOuter: true).isEmpty, "\(Self.untyped(made.body, "", isOuter: true)) \(made.text)")
        #expect(!made.text.contains("/v4/customer/") && !made.text.contains("/v4/individual/"), "\(made.text)")
        let asOld = try world.send("GET", "\(old.path)/\(made.id)")
        #expect(!asOld.text.contains("/v5/"), "\(asOld.text)")
        #expect(asOld.status == 200 && asOld.body["x-own"] == ["a": 1])
        for (key, value) in face.stored(body) { #expect(asOld.body[key] == value, "\(name).\(key) in version 4: \(asOld.text)") }
        #expect(try world.send("GET", "\(new.path)/\(made.id)").body == made.body)
        let changed = try world.send("PATCH", "\(new.path)/\(made.id)", .object(face.shown(try Contract.sample(name).change)))
        #expect(changed.status == 200, "\(changed.text)")
        for (key, value) in try Contract.sample(name).change {
            #expect(try world.send("GET", "\(old.path)/\(made.id)").body[key] == value, "\(name).\(key)")
        }
        let found = try world.send("GET", "\(new.path)?id=\(made.id)")
        #expect(found.items == [changed.body])
        if name == "troubleTicket" {
            let party = world.customers[0].description
            let parties = try world.send("GET", "\(new.path)?relatedParty.partyOrPartyRole.id=\(party)&limit=100")
            #expect(parties.items.contains { $0["id"] == made.body["id"] }, "\(parties.text)")
            #expect(try world.send("GET", "\(new.path)?externalIdentifier.id=EXT-1").items.count == 1)
            #expect(try world.send("GET", "\(new.path)?externalId=EXT-1").status == 400)
        }
        if name != "troubleTicket" {
            let path = "contactMedium.emailAddress=\(ContractWorld.encoded(name == "individual" ? "new@example.com" : "wang@example.com"))"
            #expect(try world.send("GET", "\(new.path)?\(path)").items.contains { $0["id"] == made.body["id"] }, "\(name)?\(path)")
        }
        #expect(try world.send("DELETE", "\(new.path)/\(made.id)").status == 204)
        #expect(try world.send("GET", "\(old.path)/\(made.id)").status == 404)
    }
}
