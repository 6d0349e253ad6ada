import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import TMF
@testable import Web

/// A resource of the smallest kind, through its routes.
struct Things: Sendable {
    static let view = Permission("thing.view"), edit = Permission("thing.edit")
    static let api = TMFAPI(999, "thingManagement")
    static let updateThing: SQL = "UPDATE thing SET name = $2, count = $3, status = $4 WHERE id = $1"
    static let deleteThing: SQL = "DELETE FROM thing WHERE id = $1"
    static let deleteParties: SQL = "DELETE FROM thing_party WHERE thing_id = $1"

    struct Store: TMFWritingStore {
        let base = ThingStore()
        var table: TMFTable { base.table }

        func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
            try base.documents(ids, principal, session)
        }

        func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
            let id: ID<CustomerThing> = context.tenant.ids.next()
            let status: String? = document["status"]?.string
            try session.execute(
                ThingStore.insert,
                [
                    .id(id), .text(document["name"]?.string ?? ""), .int(document["count"]?.int), .time(context.now),
                    .text(status.map { $0 == "open" ? "o" : "c" }),
                ])
            try parties(document, id.rawValue, session)
            return id.rawValue
        }

        func change(
            _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
        ) throws {
            try session.execute(
                Things.updateThing,
                [
                    .int(id), .text(new["name"]?.string ?? ""), .int(new["count"]?.int),
                    .text(new["status"]?.string.map { $0 == "open" ? "o" : "c" }),
                ])
            try session.execute(Things.deleteParties, [.int(id)])
            try parties(new, id, session)
        }

        func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
            try session.execute(Things.deleteThing, [.int(id)])
            try session.execute(Things.deleteParties, [.int(id)])
        }

        /// What else is said of parties is kept beside the row; a bad store would leave out this one.
        private func parties(_ document: JSONObject, _ id: Int64, _ session: any SQLSession) throws {
            for (place, party) in (document["relatedParty"]?.array ?? []).enumerated() {
                guard let other = party.object?["id"]?.string, other != "lost" else { continue }
                try session.execute(
                    ThingStore.insertParty, [.int(id), .int(place), .text(other), .text(party.object?["role"]?.string ?? "")])
            }
        }
    }
    enum CustomerThing {}

    let test: TestTenant
    let table: RouteTable

    init() async throws {
        test = try await TestTenant()
        try await test.tenant.database.write { session in
            try session.execute("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, count BIGINT, created BIGINT NOT NULL, status TEXT)")
            try session.execute("CREATE TABLE thing_party (thing_id BIGINT NOT NULL, place BIGINT NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (thing_id, place))")
        }
        let resource = TMFResource(
            Self.api, "thing", type: "Thing", schema: Sample.schema, view: Self.view, edit: Self.edit,
            states: TMFStates("status", first: "open", next: ["open": ["closed"]]),
            subjects: { id, _ in [AuditSubject(kind: "thing", id: id)] }, store: { _ in Store() })
        let site = SiteInfo(
            pages: try Pages(share: Checkout.share), assets: "", navigation: [], permissions: [], version: "test")
        let tenant = test.tenant
        table = RouteTable(resource.endpoints.map { $0.route(tenants: { _ in tenant }, site: site) })
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ headers: [(String, String)] = []
    ) async throws -> (status: Int, body: JSONValue, headers: HTTPFields) {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        guard case .route(let route, let parameters) = table.match(method, path: "/tmf-api/thingManagement/v4" + parts[0]) else {
            throw CRMError.notFound
        }
        var fields = HTTPFields()
        for (name, value) in headers { fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        do {
            let answer = try await route.handler(
                WebRequest(
                    method: method, path: "/tmf-api/thingManagement/v4" + parts[0],
                    query: try Form.parse(parts.count > 1 ? parts[1] : ""), headers: fields, parameters: parameters,
                    tenant: "default", requestID: "r", address: "127.0.0.1", language: .en, theme: "auto",
                    session: SessionState(principal: TestTenant.principal([Self.view, Self.edit, Masking.seeUnlabelled]), language: nil, theme: nil),
                    csrfToken: "c", cookieToken: "c", nonce: "n", purpose: route.purpose,
                    body: try body.map { .json(try JSONValue.parse([UInt8]($0.utf8))) } ?? .none))
            let content = answer.content ?? ""
            return (answer.status.code, content.isEmpty ? .null : try JSONValue.parse([UInt8](content.utf8)), answer.headers)
        } catch let error as CRMError {
            return (error.status, .string(error.code), [:])
        }
    }
}

@Suite("A resource through its routes")
struct ResourceTests {
    @Test("a resource is made, read, changed, listed and removed; what was sent comes back whole")
    func life() async throws {
        let things = try await Things()
        let made = try await things.send(
            .post, "/thing",
            #"{"name":"a/b","count":2,"kind":"k","mine":{"deep":[1,{"x":null}]},"relatedParty":[{"id":"5","role":"owner","extra":"e"}],"@type":"MyThing","@baseType":"Thing"}"#)
        #expect(made.status == 201)
        let id = try #require(made.body["id"]?.string)
        #expect(made.headers[.location] == "http://localhost/tmf-api/thingManagement/v4/thing/\(id)")
        #expect(made.body["href"]?.string == made.headers[.location])
        #expect(made.body["mine"] == .object(["deep": .array([.int(1), .object(["x": .null])])]))
        #expect(made.body["relatedParty"]?.array?.first?["extra"] == .string("e"))
        #expect(made.body["@type"] == .string("MyThing") && made.body["status"] == .string("open") && made.body["created"]?.string != nil)
        let read = try await things.send(.get, "/thing/\(id)")
        #expect(read.status == 200 && read.body == made.body && read.headers[.eTag] == made.headers[.eTag])
        #expect(try await things.send(.get, "/thing/\(id)?fields=name").body.object?.keys.sorted() == ["href", "id", "name"])
        let changed = try await things.send(
            .patch, "/thing/\(id)?fields=none", #"{"name":"c","mine":null}"#, [("Content-Type", "application/merge-patch+json")])
        #expect(changed.status == 200 && changed.body.object?.count == 2 && changed.headers[.eTag] != read.headers[.eTag])
        let after = try await things.send(.get, "/thing/\(id)").body
        #expect(after["name"] == .string("c") && after["mine"] == nil && after["relatedParty"] == made.body["relatedParty"])
        let query = try await things.send(
            .patch, "/thing/\(id)", #"[{"op":"replace","path":"/relatedParty/role?relatedParty.id=5","value":"user"}]"#,
            [("Content-Type", "application/json-patch-query+json")])
        #expect(query.body["relatedParty"]?.array?.first == .object(["id": .string("5"), "role": .string("user"), "extra": .string("e")]))
        #expect(try await things.send(.get, "/thing?relatedParty.id=5").body.array?.count == 1)
        #expect(try await things.send(.delete, "/thing/\(id)").status == 204)
        for (method, body) in [(HTTPRequest.Method.get, nil), (.delete, nil), (.patch, "{}")] as [(HTTPRequest.Method, String?)] {
            #expect(try await things.send(method, "/thing/\(id)", body).status == 404)
        }
        for action in ["create", "change", "remove", "view", "list"] {
            #expect(try await things.test.auditCount("tmf.resource.\(action)") >= 1, "\(action)")
        }
        let rest = try await things.test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM tmf_kept") }
        #expect(rest == 0)
    }

    @Test("a list says how many there are, gives a part with 206 and leads to the rest")
    func lists() async throws {
        let things = try await Things()
        #expect(try await things.send(.get, "/thing").status == 200)
        for number in 0..<7 { _ = try await things.send(.post, "/thing", #"{"name":"n\#(number % 2)"}"#) }
        let page = try await things.send(.get, "/thing?name=n0&limit=3&sort=-created")
        #expect(page.status == 206 && page.body.array?.count == 3)
        #expect(page.headers[.totalCount] == "4" && page.headers[.resultCount] == "3")
        #expect(page.headers[.link]?.contains("limit=3&sort=-created&offset=3>; rel=\"next\"") == true)
        let whole = try await things.send(.get, "/thing?limit=7")
        #expect(whole.status == 200 && whole.body.array?.count == 7)
        #expect(try await things.send(.get, "/thing?nmae=x").body == .string("unknown_attribute"))
    }

    @Test("a version that was seen is honoured, and two who saw the same do not overwrite each other")
    func versions() async throws {
        let things = try await Things()
        let made = try await things.send(.post, "/thing", #"{"name":"a"}"#)
        let path = "/thing/\(made.body["id"]?.string ?? "")"
        let tag = try #require(made.headers[.eTag])
        let first = try await things.send(.patch, path, #"{"name":"b"}"#, [("If-Match", tag)])
        let second = try await things.send(.patch, path, #"{"name":"c"}"#, [("If-Match", tag)])
        #expect(first.status == 200 && second.status == 412)
        #expect(try await things.send(.delete, path, nil, [("If-Match", tag)]).status == 412)
        #expect(try await things.send(.get, path).body["name"] == .string("b"))
        #expect(try await things.send(.patch, path, "{}", [("If-Match", first.headers[.eTag] ?? "")]).status == 200)
        let key = [("Idempotency-Key", "\"a-key-of-a-test\"")]
        let once = try await things.send(.post, "/thing", #"{"name":"once"}"#, key)
        let again = try await things.send(.post, "/thing", #"{"name":"once"}"#, key)
        #expect(once.status == 201 && again.status == 201 && once.body == again.body)
        #expect(try await things.send(.post, "/thing", #"{"name":"other"}"#, key).status == 422)
        #expect(try await things.send(.get, "/thing?name=once").body.array?.count == 1)
    }

    @Test(
        "what may not be is refused with its status, and nothing has changed",
        arguments: [
            ("POST", "{}", 400, "missing"), ("POST", #"{"name":"a","id":"5"}"#, 400, "fixed"), ("POST", #"{"name":"a","created":"2026-01-01"}"#, 400, "fixed"),
            ("POST", #"{"name":"a","status":"closed"}"#, 409, "illegal_transition"), ("POST", #"{"name":"a","count":"2"}"#, 400, "wrong_type"),
            ("POST", "[]", 400, "object_expected"), ("PATCH", #"{"id":"5"}"#, 400, "fixed"), ("PATCH", #"{"href":"x"}"#, 400, "fixed"),
            ("PATCH", #"{"name":null}"#, 400, "missing"), ("PATCH", #"{"kind":"other"}"#, 400, "fixed"), ("PATCH", #"{"status":"shut"}"#, 400, "unknown_state"),
            ("POST", #"{"name":"a","status":"shut"}"#, 400, "unknown_state"), ("PATCH", #"{"status":5}"#, 400, "wrong_type"),
            ("PATCH", #"{"created":"2026-01-01"}"#, 400, "fixed"), ("PATCH", "[]", 400, "bad_patch"),
        ])
    func refused(method: String, body: String, status: Int, code: String) async throws {
        let things = try await Things()
        let made = try await things.send(.post, "/thing", #"{"name":"a","kind":"k"}"#)
        let path = "/thing/\(made.body["id"]?.string ?? "")"
        let answer = try await things.send(method == "POST" ? .post : .patch, method == "POST" ? "/thing" : path, body)
        #expect(answer.status == status && answer.body == .string(code), "\(answer)")
        #expect(try await things.send(.get, path).body == made.body)
        #expect(try await things.send(.get, "/thing").body.array?.count == 1)
    }

    @Test("states follow one another as they may; what may follow is said")
    func states() async throws {
        let things = try await Things()
        let made = try await things.send(.post, "/thing", #"{"name":"a"}"#)
        let path = "/thing/\(made.body["id"]?.string ?? "")"
        #expect(try await things.send(.patch, path, #"{"status":"closed"}"#).status == 200)
        #expect(try await things.send(.patch, path, #"{"status":"open"}"#).body == .string("illegal_transition"))
        let error = #expect(throws: CRMError.self) {
            try TMFStates("status", first: "open", next: ["open": ["held", "closed"], "closed": ["gone"]]).check(from: "open", to: "gone")
        }
        #expect(error?.status == 409 && error?.message.en.contains("held, closed") == true)
        let unknown = try await things.send(.post, "/thing", #"{"name":"a","status":"lost"}"#)
        #expect(unknown.status == 400)
        let events = try await things.test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'tmf.resource.changed' ORDER BY id") { $0.text(0) }
        }
        #expect(events.count == 2 && events[0].contains("created") && events[1].contains("stateChanged") && !events[1].contains(#""changed""#))
    }

    @Test("what a column would not find is not taken: a list by it and the document never differ")
    func faithful() async throws {
        let things = try await Things()
        let path = "/thing/\(try await things.send(.post, "/thing", #"{"name":"a","relatedParty":[{"id":"EMP-7"}]}"#).body["id"]?.string ?? "")"
        #expect(try await things.send(.get, "/thing?relatedParty.id=EMP-7").body.array?.count == 1)
        #expect(try await things.send(.post, "/thing", #"{"name":"b","relatedParty":[{"id":"lost"}]}"#).body == .string("unfaithful_column"))
        #expect(try await things.send(.patch, path, #"{"relatedParty":[{"id":"lost"}]}"#).status == 500)
        #expect(try await things.send(.get, "/thing").body.array?.count == 1)
        #expect(try await things.send(.get, "/thing?relatedParty.id=EMP-7").body.array?.count == 1)
    }

    @Test("an id that is none, and one that is nobody's, are not found alike")
    func unknown() async throws {
        let things = try await Things()
        for id in ["x", "01", "-1", "99999999999999999999", "5"] {
            #expect(try await things.send(.get, "/thing/\(id)").body == .string("not_found"))
        }
    }
}
