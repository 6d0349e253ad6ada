import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("Subscriptions")
struct SubscriptionTests {
    @Test("a subscription is made, read, listed and removed; what comes after the removal is nothing")
    func life() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let made = try await world.send(.post, "/hub", #"{"callback":"\#(world.server.address)/x","query":"eventType=ThingCreateEvent"}"#)
        let id = try #require(made.body["id"]?.string)
        #expect(made.status == 201 && made.headers[.location] == "http://localhost/tmf-api/thingManagement/v4/hub/\(id)")
        #expect(made.body["callback"]?.string == world.server.address + "/x")
        #expect(made.body["secret"]?.string?.hasPrefix("whsec_") == true)
        let read = try await world.send(.get, "/hub/\(id)")
        #expect(read.status == 200 && read.body["query"]?.string == "eventType=ThingCreateEvent" && read.body["secret"] == nil)
        #expect(try await world.send(.get, "/hub").body.array?.count == 1)
        #expect(try await world.send(.delete, "/hub/\(id)").status == 204)
        #expect(try await world.send(.delete, "/hub/\(id)").status == 404)
        #expect(try await world.send(.get, "/hub/\(id)").status == 404)
        _ = try await world.make(#"{"name":"a"}"#)
        try await world.drain()
        #expect(world.server.asked.isEmpty)
        for action in ["subscribe", "unsubscribe"] { #expect(try await world.test.auditCount("tmf.hub.\(action)") == 1) }
    }

    @Test("the same again is refused, another query or client is not; a client sees its own only")
    func own() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let first = try await world.subscribe("name=a")
        let body = #"{"callback":"\#(world.server.address)","query":" name=a "}"#
        let again = try await world.send(.post, "/hub", body)
        #expect(again.status == 409 && again.body == .string("duplicate_subscription"))
        try await world.subscribe("name=b")
        try await world.subscribe("name=a", as: "client:b")
        #expect(try await world.send(.get, "/hub").body.array?.count == 2)
        #expect(try await world.send(.get, "/hub", as: "client:b").body.array?.count == 1)
        for method in [HTTPRequest.Method.get, .delete] {
            #expect(try await world.send(method, "/hub/\(first.id)", as: "client:b").status == 404)
            #expect(try await world.send(method, "/hub/x", as: "client:b").status == 404)
        }
        #expect(try await world.send(.get, "/hub").body.array?.count == 2)
    }

    @Test("a request that comes again under its key makes one subscription, and its secret is kept nowhere")
    func once() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let body = #"{"callback":"\#(world.server.address)"}"#
        let key = [("Idempotency-Key", "\"hub-test-key-1\"")]
        let made = try await world.send(.post, "/hub", body, headers: key)
        let again = try await world.send(.post, "/hub", body, headers: key)
        #expect(made.status == 201 && again.status == 201 && made.body["id"] == again.body["id"] && again.body["secret"] == nil)
        #expect(try await world.send(.get, "/hub").body.array?.count == 1)
        let secret = try #require(made.body["secret"]?.string?.dropFirst(6))
        let tables = [("tmf_hub", 15), ("platform_request", 4), ("platform_audit_event", 10)]
        for (table, columns) in tables {
            let rows = try await world.tenant.database.read { session -> [String] in
                var all: [String] = []
                try session.forEach(SQL(trusted: "SELECT * FROM \(table)"), []) { row in
                    for column in 0..<columns { all.append("\(row.value(column))") }
                    return true
                }
                return all
            }
            #expect(!rows.isEmpty && !rows.contains { $0.contains(secret) }, "\(table)")
        }
    }

    @Test(
        "what cannot be subscribed to is refused with a reason that names it, and nothing is kept",
        arguments: [
            (#"{}"#, 400, "missing"), (#"{"callback":""}"#, 400, "missing"), (#"{"callback":5}"#, 400, "missing"),
            (#"{"callback":"http://example.com/"}"#, 400, "not_https"), (#"{"callback":"https://10.0.0.1/"}"#, 400, "private_address"),
            (#"{"callback":"https://[::ffff:169.254.169.254]/"}"#, 400, "private_address"), (#"{"callback":"https://2130706433/"}"#, 400, "private_address"),
            (#"{"callback":"https://u:p@1.1.1.1/"}"#, 400, "userinfo"), (#"{"callback":"nonsense"}"#, 400, "address"),
            (#"{"callback":"HERE","more":1}"#, 400, "unknown_attribute"), (#"{"callback":"HERE","query":5}"#, 400, "wrong_type"),
            (#"{"callback":"HERE","query":"nmae=x"}"#, 400, "unknown_attribute"), (#"{"callback":"HERE","query":"thing.nmae=x"}"#, 400, "unknown_attribute"),
            (#"{"callback":"HERE","query":"eventType=ThingCreatedEvent"}"#, 400, "bad_parameter"),
            (#"{"callback":"HERE","query":"status=opne"}"#, 400, "bad_parameter"), (#"{"callback":"HERE","query":"sort=name"}"#, 400, "bad_parameter"),
            (#"{"callback":"HERE","query":"name.regex=("}"#, 400, "bad_parameter"), (#"{"callback":"HERE","query":"%zz=1"}"#, 400, "bad_encoding"),
        ])
    func refused(body: String, status: Int, code: String) async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let answer = try await world.send(.post, "/hub", body.replacing("HERE", with: world.server.address))
        #expect(answer.status == status, "\(answer)")
        if code != "bad_encoding" { #expect(answer.body == .string(code), "\(answer)") }
        #expect(try await world.send(.get, "/hub").body.array?.isEmpty == true)
    }

    @Test("a person, in a browser or with a token of their own, cannot subscribe")
    func people() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        let body = #"{"callback":"\#(world.server.address)"}"#
        let theirs = try await world.subscribe().id
        let person = TestTenant.principal([Things.view])
        let token = Principal(
            tenant: "default", userID: UserID(5), userName: "p", roles: [], permissions: [Things.view], purpose: .service, address: "", requestID: "",
            scopes: ["tmf999:read"], token: "t (sbp_x)")
        for principal in [person, token] {
            let answer = try await world.send(.post, "/hub", body, principal: principal)
            #expect(answer.status == 403 && answer.body == .string("clients_only"))
            for method in [HTTPRequest.Method.get, .delete] {
                #expect(try await world.send(method, "/hub/\(theirs)", principal: principal).status == 404)
            }
        }
    }

    @Test("a client has at most so many subscriptions")
    func bounded() async throws {
        let world = try await HubWorld { $0.subscriptionsMax = 2 }
        defer { world.server.stop() }
        for number in 0..<2 { try await world.subscribe("name=\(number)") }
        let more = try await world.send(.post, "/hub", #"{"callback":"\#(world.server.address)"}"#)
        #expect(more.status == 409 && more.body == .string("too_many_subscriptions"))
    }
}

@Suite("What a subscription asks for")
struct HubQueryTests {
    private static let resource = TMFResource(
        Things.api, "thing", type: "Thing", schema: Sample.schema, view: Things.view, edit: Things.edit, subjects: { _, _ in [] },
        store: { _ in Things.Store() })

    @Test(
        "conditions are those of lists, of the event and of the document, however the attribute is spelled",
        arguments: [
            ("", true), ("eventType=ThingCreateEvent", true), ("eventType = thingCreateEvent", true), ("eventType=ThingDeleteEvent", false),
            ("eventType=ThingDeleteEvent,thingCreateEvent", true), ("eventType.regex=Create", true), ("eventType.ne=ThingCreateEvent", false),
            ("name=a", true), ("thing.name=a", true), ("event.thing.name=a", true), ("name=b", false), ("name=b,a", true), ("name=a&count.gt=4", true),
            ("count>4", true), ("count>5", false), ("name.regex=^a$", true), ("name*=^b", false), ("relatedParty.id=7", true), ("relatedParty.id=8", false),
            ("event.thing.relatedParty.role=owner&eventType=ThingCreateEvent", true), ("eventTime.gt=2026-01-01", true), ("eventTime.lt=2026-01-01", false),
            ("?name=a", true), ("name=a&fields=name", true),
        ])
    func matches(text: String, expected: Bool) throws {
        let query = try #require(try HubQuery.read(text, [Self.resource])["thing"], "\(text)")
        let envelope = HubEvent.envelope(
            Self.resource, event: 1, correlation: 1, .created, field: "", at: Instant(milliseconds: 1_780_000_000_000))
        let document: JSONObject = [
            "name": .string("a"), "count": .int(5), "relatedParty": .array([.object(["id": .string("7"), "role": .string("owner")])]),
        ]
        #expect((query.meets(envelope: envelope) && query.meets(document: document)) == expected, "\(text)")
    }

    @Test("an attribute that one of an interface's resources has restricts the subscription to that one")
    func several() throws {
        let other = TMFResource(
            Things.api, "party", type: "Party", schema: Sample.schema, view: Things.view, edit: Things.edit, subjects: { _, _ in [] },
            store: { _ in Things.Store() })
        let all = [Self.resource, other]
        #expect(Set(try HubQuery.read("", all).keys) == ["thing", "party"])
        #expect(Set(try HubQuery.read("role=owner", all).keys) == ["party"])
        #expect(Set(try HubQuery.read("party.role=owner", all).keys) == ["party"])
        #expect(Set(try HubQuery.read("thing.name=a", all).keys) == ["thing"])
        #expect(throws: CRMError.self) { try HubQuery.read("thing.role=a", all) }
    }
}
