import Foundation
import Kernel
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

/// A domain's store over tables of its own, as small as one can be.
struct ThingStore: TMFStore {
    static let insert: SQL = "INSERT INTO thing (id, name, count, created, status) VALUES ($1, $2, $3, $4, $5)"
    static let insertParty: SQL = "INSERT INTO thing_party (thing_id, place, id, role) VALUES ($1, $2, $3, $4)"
    static let rows: SQL = "SELECT id, name, count, created, status FROM thing WHERE TRUE"
    static let parties: SQL = "SELECT thing_id, id, role FROM thing_party WHERE TRUE"

    let table = TMFTable(
        from: "thing t", id: "t.id",
        columns: [
            .id("id", .own("t.id"), sorts: false), .text("name", "t.name", sorts: true), .integer("count", "t.count"),
            .time("created", "t.created", sorts: true), .words("status", "t.status", ["open": "o", "closed": "c"]),
            TMFColumn(
                "relatedParty.id", .inside(owners: "SELECT p.thing_id FROM thing_party p WHERE TRUE", column: "p.id"),
                isOrdered: false
            ) { .text($0) },
        ],
        scope: { principal, builder in
            if let regions = principal.scope.regions { builder.appendIn("AND t.name", regions.map { .text($0) }) }
        })

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        var owners: [Int64: [JSONValue]] = [:]
        var builder = SQLBuilder(Self.parties)
        builder.appendIn("AND thing_id", ids.map { .int($0) })
        builder.append("ORDER BY thing_id, place")
        for (thing, party) in try session.query(builder, { row in
            (row.int(0), JSONValue.object(["id": .string(row.text(1)), "role": .string(row.text(2))]))
        }) { owners[thing, default: []].append(party) }
        var found: [Int64: JSONObject] = [:]
        builder = SQLBuilder(Self.rows)
        builder.appendIn("AND id", ids.map { .int($0) })
        for (id, document) in try session.query(builder, { row -> (Int64, JSONObject) in
            var document: JSONObject = [
                "id": .string(String(row.int(0))), "name": .string(row.text(1)),
                "created": .string(Instant(milliseconds: row.int(3)).iso8601),
            ]
            document["count"] = row.optionalInt(2).map { .int($0) }
            document["status"] = row.optionalText(4).map { .string($0 == "o" ? "open" : "closed") }
            document["relatedParty"] = owners[row.int(0)].map { .array($0) }
            return (row.int(0), document)
        }) { found[id] = document }
        return ids.compactMap { id in found[id].map { (id, $0) } }
    }
}

/// The same things with a name that lists are ordered by in another form than it is shown in.
struct FoldedStore: TMFStore {
    static let insert: SQL = "INSERT INTO thing (id, name, count, created, status, folded) VALUES ($1, $2, $3, $4, $5, $6)"
    let base = ThingStore()
    var table: TMFTable { base.table.adding(.folded("gt", "t.folded", mask: .none) { Folding.fold($0) }) }
    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try base.documents(ids, principal, session).map { ($0, $1.merging(["gt": $1["name"] ?? .null]) { _, new in new }) }
    }
}

@Suite("Lists: what the engine answers is what the documents say")
struct ListTests {
    static func principal(_ regions: [String]? = nil) -> Principal {
        Principal(
            tenant: "default", userID: nil, userName: "test", roles: [], permissions: [],
            scope: RecordScope(regions: regions), purpose: .service, address: "test", requestID: "test")
    }

    /// A database of its own with `count` random things in it.
    private func filled(_ count: Int, _ rng: inout SeededGenerator, _ body: (any Database) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "tmf-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await TestDatabases.make([], folder: folder, clock: FrozenClock())
        var things: [[SQLValue]] = []
        var parties: [[SQLValue]] = []
        var id: Int64 = 1
        for _ in 0..<count {
            id += Int64.random(in: 1...40, using: &rng)
            let name = ["a", "b", "B", "Ä", "王", "a b"].randomElement(using: &rng) ?? "a"
            things.append([
                .int(id), .text(name),
                [.null, .int(-3), .int(0), .int(2), .int(11)].randomElement(using: &rng) ?? .null,
                .int(Int64.random(in: 0...3, using: &rng) * 86_400_000), [.null, .text("o"), .text("c")].randomElement(using: &rng) ?? .null, .text(Folding.fold(name)),
            ])
            for place in 0..<Int64.random(in: 0...2, using: &rng) {
                parties.append([.int(id), .int(place), .text(String(Int64.random(in: 1...3, using: &rng))), .text(Bool.random(using: &rng) ? "owner" : "user")])
            }
        }
        try await database.write { [things, parties] session in
            try session.execute("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, count BIGINT, created BIGINT NOT NULL, status TEXT, folded TEXT NOT NULL)")
            try session.execute("CREATE TABLE thing_party (thing_id BIGINT NOT NULL, place BIGINT NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (thing_id, place))")
            try session.executeMany(FoldedStore.insert, things)
            try session.executeMany(ThingStore.insertParty, parties)
        }
        do { try await body(database) } catch {
            try? await database.close()
            throw error
        }
        try await database.close()
    }

    private static let conditions = [
        "name=a", "name=a,b", "name.ne=a", "name.gt=B", "name.lte=b", "count=2", "count.ne=2", "count.gt=0", "count.lt=2",
        "created=1970-01-02", "created.gte=1970-01-02T08:00:00%2B08:00", "created.lt=1970-01-03", "status=open", "status.ne=open",
        "status=open,closed", "relatedParty.id=1", "relatedParty.id=1,2", "relatedParty.id.ne=1", "relatedParty.id=x",
        "name.regex=%5Ea", "name*=%5B%E7%8E%8Bb%5D", "relatedParty.role=owner", "relatedParty.role.ne=owner", "name=nobody", "id.gt=50", "id=7,8,9,10,11,12,13,14",
    ]
    private static let orders = [
        "", "name", "-name", "created,-name", "-created", "-created,name", "count", "-count,name", "relatedParty.role", "-id", "status,-created", "gt", "-gt,created", "gt,name", "count,gt",
    ]

    @Test("whatever is asked, pages by offset and by cursor, forwards and back, give what the documents give one by one")
    func oracle() async throws {
        let seed: UInt64 = 47
        var rng = SeededGenerator(seed: seed)
        try await filled(90, &rng) { database in
            var rng = SeededGenerator(seed: seed + 1)
            for round in 0..<80 {
                // As of few rows, and as of far more than are asked for.
                let lister = TMFLister(FoldedStore(), Sample.schema, looseMin: round.isMultiple(of: 2) ? 0 : .max)
                let conditions = (0..<Int.random(in: 0...3, using: &rng)).compactMap { _ in Self.conditions.randomElement(using: &rng) }
                let order = Self.orders.randomElement(using: &rng) ?? ""
                let limit = [4, 9, 20, 200].randomElement(using: &rng) ?? 20
                let text = (conditions + (order.isEmpty ? [] : ["sort=" + order]) + ["limit=\(limit)"]).joined(separator: "&")
                let principal = Self.principal(round % 4 == 0 ? ["a", "王"] : nil)
                try await database.read { session in
                    let ids = try session.query("SELECT id FROM thing ORDER BY id") { $0.int(0) }
                    let query = try Sample.query(text)
                    let all = try FoldedStore().documents(ids, principal, session).map(\.1).filter { document in
                        try (round % 4 != 0 || ["a", "王"].contains(document["name"]?.string))
                            && TMFMatch.meets(document, query.conditions, pattern: try TMFPatterns(query.conditions).find)
                    }
                    var sort = query.sort
                    for place in sort.indices where sort[place].target.path.names == ["gt"] { sort[place].key = { Folding.fold($0) } }
                    let expected = all.sorted { TMFMatch.precedes($0, $1, sort) { $0["id"]?.string ?? "" } }
                    #expect(try Self.byOffset(lister, query, principal, session) == expected, "offset: \(text)")
                    #expect(try Self.byCursor(lister, query, principal, session, total: expected.count) == expected, "cursor: \(text)")
                }
            }
        }
    }

    private static func byOffset(_ lister: TMFLister, _ query: TMFQuery, _ principal: Principal, _ session: any SQLSession) throws -> [JSONObject] {
        var result: [JSONObject] = []
        var query = query
        while true {
            query.place = .offset(result.count)
            let page = try lister.list(query, principal, session)
            result += page.documents
            if page.documents.count < query.limit { return result }
        }
    }

    /// To the end and back again: both ways see the same.
    private static func byCursor(
        _ lister: TMFLister, _ query: TMFQuery, _ principal: Principal, _ session: any SQLSession, total: Int
    ) throws -> [JSONObject] {
        var pages: [[JSONObject]] = []
        var query = query
        // By offset or by cursor, the first page leads on to the same.
        let first = try lister.list(query, principal, session)
        query.place = .after("")
        var page = try lister.list(query, principal, session)
        #expect(page.documents == first.documents && page.next == first.next && page.previous == nil && page.total == total)
        pages.append(page.documents)
        while let next = page.next {
            query.place = .after(next)
            page = try lister.list(query, principal, session)
            #expect(page.total == total)
            pages.append(page.documents)
            if pages.count > 400 { break }
        }
        for earlier in pages.dropLast().reversed() {
            guard let previous = page.previous else {
                Issue.record("no way back")
                break
            }
            query.place = .before(previous)
            page = try lister.list(query, principal, session)
            #expect(page.documents == earlier)
        }
        return pages.flatMap { $0 }
    }

    @Test("a question without an index over too many rows is refused and names what would narrow it; with an index it is answered")
    func notIndexed() async throws {
        var rng = SeededGenerator(seed: 48)
        try await filled(TMFLister.scanMax + 50, &rng) { database in
            let lister = TMFLister(ThingStore(), Sample.schema)
            try await database.read { session in
                for text in ["relatedParty.role=owner", "sort=count", "relatedParty.role=owner&name.ne=nobody"] {
                    let error = #expect(throws: CRMError.self) { try lister.list(try Sample.query(text), Self.principal(), session) }
                    #expect(error?.status == 400 && error?.code == "not_indexed" && error?.message.en.contains("relatedParty.id") == true, "\(text)")
                }
                // Each once, those that are only found by their value as such, and none that was asked for.
                for (text, known) in [
                    ("sort=count,name&name.regex=x", "created; with = only: id, status, relatedParty.id"),
                    ("relatedParty.id.regex=1&relatedParty.id.regex=2", "name, count, created; with = only: id, status"),
                ] {
                    let error = #expect(throws: CRMError.self) {
                        try TMFLister(FoldedStore(), Sample.schema).list(try Sample.query(text), Self.principal(), session)
                    }
                    #expect(error?.message.en.hasSuffix("Narrow the list by one of: \(known).") == true, "\(String(describing: error))")
                    #expect(error?.fields.count == Set(error?.fields.map(\.field) ?? []).count)
                }
                let answered = try lister.list(try Sample.query("relatedParty.role=owner&name=a&limit=3"), Self.principal(), session)
                #expect(answered.documents.count == 3 && answered.total > 3)
                #expect(try lister.list(try Sample.query("limit=2"), Self.principal(), session).total == TMFLister.scanMax + 50)
            }
        }
    }

    @Test("a cursor of another list, or one that was changed, is refused")
    func foreign() async throws {
        var rng = SeededGenerator(seed: 49)
        try await filled(5, &rng) { database in
            let lister = TMFLister(ThingStore(), Sample.schema)
            try await database.read { session in
                let next = try #require(try lister.list(try Sample.query("sort=name&limit=2"), Self.principal(), session).next)
                for (sort, cursor) in [("created", next), ("name", next + "AAAA"), ("name", TMFCursor(keys: [], id: "1").encoded(order: "name")),
                    ("name", TMFCursor(keys: [.string("a")], id: "x").encoded(order: "name"))] {
                    var query = try Sample.query("sort=\(sort)")
                    query.place = .after(cursor)
                    let error = #expect(throws: CRMError.self) { try lister.list(query, Self.principal(), session) }
                    #expect(error?.status == 400)
                }
            }
        }
    }
}
