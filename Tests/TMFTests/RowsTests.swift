import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

/// Customers 1 to 9; those below 5 are of the north.
private struct NineCustomers: CustomerReading {
    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] { [] }
    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable { throw CRMError.notFound }
    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        Set(ids.filter { (1...9).contains($0.rawValue) && (principal.scope.regions == nil || $0.rawValue < 5) })
    }
    func customerCount(_ session: any SQLSession) throws -> Int { 9 }
}

/// Orders in rows of every kind: two levels of items, money, words, times, what belongs to customers.
private struct Parcels {
    static let schema = TMFSchema([
        .init(
            "Parcel",
            [
                .init("id", .text, isServers: true), .init("href", .text, isServers: true), .init("@type", .text), .init("name", .text),
                .init("state", .code(["new", "onItsWay"])), .init("weight", .number), .init("count", .integer), .init("isBundle", .boolean),
                .init("sentAt", .dateTime), .init("day", .dateTime), .init("price", .object("Money")), .init("relatedParty", .object("Party"), isArray: true),
                .init("item", .object("Item"), isArray: true), .init("lastUpdate", .dateTime, isServers: true),
            ]),
        .init("Money", [.init("unit", .text), .init("value", .number)]),
        .init("Party", [.init("id", .text), .init("role", .text), .init("name", .text), .init("@referredType", .text)]),
        .init("Item", [.init("id", .text), .init("product", .object("Product"))]),
        .init("Product", [.init("characteristic", .object("Value"), isArray: true)]), .init("Value", [.init("name", .text), .init("value", .any)]),
    ])
    static let view = Permission("parcel.view")
    let test: TestTenant
    let resource: TMFResource
    var desk: TMFDesk { TMFDesk(resource: resource, tenant: test.tenant, origin: "http://x") }

    /// - Parameter rest: where items keep what has no column; `nil` = beside the document.
    init(rest: SQL? = nil) async throws {
        test = try await TestTenant()
        try await test.tenant.database.write { session in
            try session.execute(
                """
                CREATE TABLE parcel (customer_id BIGINT NOT NULL, id BIGINT NOT NULL, name TEXT, state TEXT NOT NULL, weight DOUBLE PRECISION,
                  count BIGINT, is_bundle BOOLEAN, sent_at BIGINT NOT NULL, day TEXT, amount BIGINT, currency TEXT, updated_at BIGINT NOT NULL,
                  secret TEXT NOT NULL, PRIMARY KEY (customer_id, id))
                """)
            try session.execute(
                """
                CREATE TABLE parcel_party (customer_id BIGINT NOT NULL, owner_id BIGINT NOT NULL, place BIGINT NOT NULL, party_id TEXT, role TEXT,
                  name TEXT, referred_type TEXT, PRIMARY KEY (customer_id, owner_id, place))
                """)
            try session.execute(
                """
                CREATE TABLE parcel_item (customer_id BIGINT NOT NULL, owner_id BIGINT NOT NULL, place BIGINT NOT NULL, item_id TEXT, more TEXT,
                  PRIMARY KEY (customer_id, owner_id, place))
                """)
            try session.execute(
                """
                CREATE TABLE parcel_value (customer_id BIGINT NOT NULL, owner_id BIGINT NOT NULL, item BIGINT NOT NULL, place BIGINT NOT NULL,
                  name TEXT, value TEXT, PRIMARY KEY (customer_id, owner_id, item, place))
                """)
        }
        let rows = TMFRows(
            "parcel",
            [
                TMFField("name", "name", mask: .name, isIndexed: true), TMFField("state", "state", .words(["onItsWay": "on_its_way"]), isIndexed: true),
                TMFField("weight", "weight", .number, isIndexed: true), TMFField("count", "count", .integer, isIndexed: true),
                TMFField("isBundle", "is_bundle", .boolean, isIndexed: true), TMFField("sentAt", "sent_at", .time, stamp: .created, sorts: true),
                TMFField("day", "day", .date), TMFField("price.value", "amount", .money(currency: AttributePath("price.unit"))),
                TMFField("price.unit", "currency"), TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
            ],
            items: [
                .parties("parcel_party", isIndexed: false),
                TMFItems(
                    "item", "parcel_item", [TMFField("id", "item_id", isIndexed: true)],
                    items: [
                        TMFItems("product.characteristic", "parcel_value", [TMFField("name", "name"), TMFField("value", "value")])
                    ], rest: rest),
            ],
            owner: .init(NineCustomers()), hidden: [.init("secret") { _, _, _ in .text("s") }], more: [.parties("parcel", "parcel_party")])
        resource = TMFResource(
            TMFAPI(998, "parcel"), "parcel", type: "Parcel", schema: Self.schema, view: Self.view, edit: Self.view,
            states: TMFStates("state", first: "new", next: ["new": ["onItsWay"]]), subjects: TMFResource.subjects("parcel"), store: { _ in rows })
    }

    static func context(_ test: TestTenant, _ permissions: [Permission] = [Masking.seeNames, Masking.seeUnlabelled], regions: [String]? = nil) -> TMFContext {
        TMFContext(tenant: test.tenant, principal: TestTenant.principal(permissions, regions: regions), now: test.clock.now())
    }

    func create(_ document: JSONObject, _ context: TMFContext) async throws -> (Int64, JSONObject) {
        try await test.tenant.database.write { [desk] in try desk.create(document, context, $0) }
    }

    func change(_ id: Int64, _ patch: String, _ context: TMFContext) async throws -> JSONObject {
        let patch = try TMFPatch("application/merge-patch+json", try JSONValue.parse([UInt8](patch.utf8)))
        return try await test.tenant.database.write { [desk] in try desk.change(id, patch, seen: nil, context, $0) }
    }

    func list(_ query: String, _ principal: Principal) async throws -> [JSONObject] {
        let query = try TMFQuery(try Form.parse(query), schema: Self.schema, type: "Parcel")
        return try await test.tenant.database.read { [desk] in try desk.list(query, principal, $0).documents }
    }
}

@Suite("Declared rows")
struct RowsTests {
    private static func random(_ rng: inout SeededGenerator) -> JSONObject {
        var document: JSONObject = ["name": .string(["王伟", "a", "b"].randomElement(using: &rng) ?? "a")]
        func maybe(_ name: String, _ values: [JSONValue]) { if Bool.random(using: &rng) { document[name] = values.randomElement(using: &rng) } }
        maybe("weight", [.int(2), .double(0.5), .double(-3.25), .int(1_000_000_000_000)])
        maybe("count", [.int(0), .int(-7), .int(Int64.max)])
        maybe("isBundle", [.bool(true), .bool(false)])
        maybe("sentAt", [.string("2026-01-02"), .string("2026-01-02T03:04:05.678+08:00"), .string("1969-12-31T23:59:59Z")])
        maybe("day", [.string("2026-02-03"), .string("2026-02-03T10:00:00Z")])
        maybe("price", [
            .object(["unit": .string("JPY"), "value": .int(5)]), .object(["unit": .string("EUR"), "value": .double(12.3)]),
            .object(["unit": .string("EUR"), "value": .double(0.001)]), .object(["value": .int(1)]), .object(["unit": .string("KWD"), "value": .double(1.234), "x": .null]),
        ])
        maybe("relatedParty", [
            .array([.object(["id": .string("3"), "role": .string("customer"), "name": .string("李娜")])]),
            .array([.object(["id": .string("E-1")]), .object(["id": .string("7"), "more": .string("m")])]), .array([]),
        ])
        maybe("item", [
            .array([
                .object(["id": .string("1"), "product": .object(["characteristic": .array([.object(["name": .string("c"), "value": .string("v")]), .object(["name": .string("d"), "value": .int(4)])])])]),
                .object(["id": .string("2"), "product": .object([:])]), .object([:]),
            ])
        ])
        maybe("unknown", [.object(["a": .array([.null, .int(1)])])])
        return document
    }

    @Test("what is sent comes back to the letter, by reading and after each change of something else", arguments: [11, 12, 13, 14] as [UInt64])
    func whole(seed: UInt64) async throws {
        let parcels = try await Parcels(rest: seed < 13 ? nil : "more")
        let context = Parcels.context(parcels.test)
        var rng = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let sent = Self.random(&rng)
            let (id, made) = try await parcels.create(sent, context)
            func holds(_ document: JSONObject, but: Set<String> = []) {
                for (name, value) in sent where !but.contains(name) { #expect(document[name] == value, "seed \(seed), \(name): \(document) for \(sent)") }
            }
            holds(made)
            #expect(made["state"] == .string("new") && made["lastUpdate"]?.string != nil)
            parcels.test.clock.advance(seconds: 60)
            let later = Parcels.context(parcels.test)
            let changed = try await parcels.change(id, #"{"name":"other","mine":1}"#, later)
            holds(changed, but: ["name"])
            #expect(changed["name"] == .string("other") && changed["mine"] == .int(1) && changed["lastUpdate"] != made["lastUpdate"])
            // Another customer's, nobody's, and back: the row moves, the rest stays.
            for parties in ["[{\"id\":\"8\"}]", "[{\"id\":\"nobody\"}]", "null"] {
                let moved = try await parcels.change(id, "{\"relatedParty\":\(parties)}", later)
                holds(moved, but: ["name", "relatedParty"])
            }
            let owner = try await parcels.test.tenant.database.read { session in
                try session.query("SELECT customer_id, secret FROM parcel WHERE id = $1", [.int(id)]) { ($0.int(0), $0.text(1)) }
            }
            #expect(owner.count == 1 && owner.first?.0 == 0 && owner.first?.1 == "s")
        }
        let rest = try await parcels.test.tenant.database.read { session in
            try session.count("SELECT COUNT(*) FROM parcel_value v WHERE NOT EXISTS (SELECT 1 FROM parcel p WHERE p.customer_id = v.customer_id AND p.id = v.owner_id)")
        }
        #expect(rest == 0)
    }

    @Test("a list by an index is what the documents say", arguments: [21, 22] as [UInt64])
    func lists(seed: UInt64) async throws {
        let parcels = try await Parcels(rest: seed < 22 ? nil : "more")
        let context = Parcels.context(parcels.test)
        var rng = SeededGenerator(seed: seed)
        for _ in 0..<40 { _ = try await parcels.create(Self.random(&rng), context) }
        let all = try await parcels.list("limit=100", context.principal)
        #expect(all.count == 40)
        for query in [
            "name=王伟", "name.ne=a", "state=new", "state.ne=onItsWay", "weight.gt=0", "weight=2", "count=-7", "count.gte=0", "isBundle=true", "isBundle.ne=true",
            "sentAt.lt=2026-01-01", "sentAt.gte=2026-01-01", "relatedParty.id=3", "relatedParty.id=E-1", "relatedParty.id.ne=3", "relatedParty.id=3,E-1",
            "item.id=1", "item.id.ne=1", "relatedParty.id=7&name=a", "price.unit=EUR", "item.product.characteristic.name=c", "day=2026-02-03",
        ] {
            let parsed = try TMFQuery(try Form.parse(query), schema: Parcels.schema, type: "Parcel")
            let expected = all.filter { TMFMatch.meets($0, parsed.conditions) { _, _ in false } }.compactMap { $0["id"]?.string }
            let found = try await parcels.list(query + "&limit=100", context.principal).compactMap { $0["id"]?.string }
            #expect(Set(found) == Set(expected), "seed \(seed), \(query): \(found.count) for \(expected.count)")
        }
        for sort in ["sentAt", "-lastUpdate,sentAt"] {
            let parsed = try TMFQuery(try Form.parse("sort=\(sort)"), schema: Parcels.schema, type: "Parcel")
            let found = try await parcels.list("limit=100&sort=\(sort)", context.principal)
            for (left, right) in zip(found, found.dropFirst()) {
                #expect(TMFMatch.precedes(left, right, parsed.sort) { $0["id"]?.string ?? "" }, "seed \(seed), \(sort)")
            }
        }
    }

    @Test("what no column of an element holds lies with its row: nothing is beside it, those without the right do not see it")
    func rests() async throws {
        let parcels = try await Parcels(rest: "more")
        let context = Parcels.context(parcels.test)
        let item: JSONObject = ["id": .string("1"), "deep": .object(["a": .array([.null, .int(1)])]), "product": .object(["name": .string("p"), "characteristic": .array([.object(["name": .string("c"), "value": .double(1.5), "x": .bool(true)])])])]
        let (id, made) = try await parcels.create(["item": .array([.object(item), .object(["id": .string("2")])])], context)
        #expect(made["item"]?.array?.first == .object(item))
        let (rows, kept) = try await parcels.test.tenant.database.read { session in
            (try session.query("SELECT more FROM parcel_item ORDER BY place") { $0.optionalText(0) }, try session.count("SELECT COUNT(*) FROM tmf_kept"))
        }
        #expect(rows == [#"{"deep":{"a":[null,1]},"product":{"characteristic":[{"value":1.5,"x":true}],"name":"p"}}"#, nil] && kept == 0, "\(rows) \(kept)")
        // As a domain does it: the row of an element changes, the rest of it stays.
        try await parcels.test.tenant.database.write { session in
            try session.execute("UPDATE parcel_item SET item_id = 'other' WHERE place = 0")
        }
        let after = try await parcels.test.tenant.database.read { [desk = parcels.desk] in try desk.document(id, context.principal, $0) }
        #expect(after["item"]?.array?.first == .object(item.merging(["id": .string("other")]) { $1 }))
        let blind = Parcels.context(parcels.test, [])
        let shown = try await parcels.test.tenant.database.read { [desk = parcels.desk] in try desk.document(id, blind.principal, $0) }
        #expect(shown["item"]?.array?.first?["deep"] == nil && shown["item"]?.array?.first?["id"] == .string("other"), "\(shown)")
        #expect(TMFRest.merged(.string("2026-01-01T00:00:00.000Z"), .string("2026-01-01")) == .string("2026-01-01"), "the spelling of the client where it means the same")
        #expect(TMFRest.merged(.int(6), .double(5)) == .int(6) && TMFRest.merged(.int(5), .double(5)) == .double(5))
    }

    @Test("who may not see a value gets its mask, is answered by it, and can neither write it back nor find out by a patch")
    func masks() async throws {
        let parcels = try await Parcels()
        let context = Parcels.context(parcels.test)
        let (id, made) = try await parcels.create(
            ["name": .string("王小明"), "relatedParty": .array([.object(["id": .string("3"), "name": .string("李娜"), "x": .int(1)])]), "mine": .string("her secret")], context)
        let blind = Parcels.context(parcels.test, [])
        let shown = try await parcels.test.tenant.database.read { [desk = parcels.desk] in try desk.document(id, blind.principal, $0) }
        #expect(shown["name"] == .string("王**") && shown["mine"] == nil)
        #expect(shown["relatedParty"]?.array?.first?["name"] == .string("李*") && shown["relatedParty"]?.array?.first?["x"] == nil)
        #expect(try await parcels.list("name=王小明", blind.principal).isEmpty)
        #expect(try await parcels.list("name=王**", blind.principal).count == 1)
        let changed = try await parcels.change(id, #"{"count":5}"#, blind)
        #expect(changed["count"] == .int(5) && changed["name"] == .string("王**"))
        for patch in [#"{"name":"x"}"#, #"{"name":null}"#, #"{"relatedParty":[]}"#, #"{"mine":"y"}"#, #"{"mine":null}"#] {
            do {
                _ = try await parcels.change(id, patch, blind)
                Issue.record("\(patch) was taken")
            } catch let error as CRMError { #expect(error.status == 403 && error.code == "masked", "\(patch): \(error)") }
        }
        let whole = try await parcels.test.tenant.database.read { [desk = parcels.desk] in try desk.document(id, context.principal, $0) }
        for name in ["name", "relatedParty", "mine"] { #expect(whole[name] == made[name], "\(name)") }
    }

    @Test("who may see some regions sees rows of their customers only, with right counts, and makes none for others")
    func regions() async throws {
        let parcels = try await Parcels()
        let context = Parcels.context(parcels.test)
        for party in ["3", "7", "4", "nobody"] { _ = try await parcels.create(["relatedParty": .array([.object(["id": .string(party)])])], context) }
        let north = Parcels.context(parcels.test, regions: ["north"])
        let seen = try await parcels.list("", north.principal)
        #expect(seen.compactMap { $0["relatedParty"]?.array?.first?["id"]?.string }.sorted() == ["3", "4"])
        for party in ["7", "nobody"] {
            do {
                _ = try await parcels.create(["relatedParty": .array([.object(["id": .string(party)])])], north)
                Issue.record("\(party) was taken")
            } catch let error as CRMError { #expect(error.status == 403, "\(error)") }
        }
        #expect(try await parcels.create(["relatedParty": .array([.object(["id": .string("4")])])], north).1["id"] != nil)
    }
}
