import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import ServiceDesk
@testable import TMF

@Suite("Lists of party interactions beyond ten thousand rows")
struct InteractionListTests {
    private static let insert: SQL = """
        INSERT INTO servicedesk_interaction (customer_id, id, happened_at, channel, direction, topic, outcome, created_at)
        VALUES ($1, $2, $3, 'phone', 'inbound', 'other', 'answered', $4)
        """
    private static let count: Int64 = 10_300

    /// When one happened and when it was made known: not in the order of the ids; imported ones say the first only.
    private static func times(_ id: Int64) -> (happened: Int64, created: Int64?) {
        let happened = 1_700_000_000_000 + (id * 7_919 % 10_007) * 60_000
        return (happened, id % 3 == 0 ? happened + 86_400_000 : nil)
    }

    @Test("by when they happened and by when they were made known, the oldest or the newest first, page by page, by an index")
    func order() async throws {
        let test = try await TestTenant(["ServiceDesk"])
        try await test.tenant.database.write { session in
            try session.executeMany(
                Self.insert,
                (1...Self.count).map { id in
                    let (happened, created) = Self.times(id)
                    return [.int(id % 90 + 1), .int(id), .int(happened), created.map { .int($0) } ?? .null]
                })
            try session.execute("ANALYZE")
        }
        let resource = Interactions.resource(try TMFSchemas(share: Checkout.share).schema(Interactions.api.number), NumberedCustomers())
        let desk = TMFDesk(resource: resource, tenant: test.tenant)
        let principal = Masking.lifted(TestTenant.principal([resource.view, resource.edit]))
        for (path, index) in [("interactionDate.startDateTime", "happened"), ("creationDate", "created")] {
            func key(_ id: Int64) -> Int64 {
                let (happened, created) = Self.times(id)
                return index == "happened" ? happened : created ?? happened
            }
            for isDown in [false, true] {
                let wanted = (1...Self.count).sorted { one, two in
                    key(one) == key(two) ? one < two : (key(one) < key(two)) != isDown
                }
                var found: [String] = []
                var text = "sort=\(isDown ? "-" : "")\(path)&limit=400"
                for _ in 0..<3 {
                    let page = try await test.tenant.database.read { [text] session in
                        try desk.list(try TMFQuery(try Form.parse(text), schema: resource.asked, type: resource.type), principal, session)
                    }
                    #expect(page.total == Int(Self.count))
                    found += page.documents.compactMap { $0["id"]?.string }
                    text = "sort=\(isDown ? "-" : "")\(path)&limit=400&after=\(try #require(page.next))"
                }
                #expect(found == wanted.prefix(1_200).map(String.init), "\(path) \(isDown)")
                let plan = try await plan(resource, path, isDown, test)
                // Of a month's part the index has another name on PostgreSQL.
                #expect(plan.contains(test.tenant.database.dialect == .sqlite ? "servicedesk_interaction_\(index)" : "Index"), "\(plan)")
            }
        }
    }

    private func plan(_ resource: TMFResource, _ path: String, _ isDown: Bool, _ test: TestTenant) async throws -> String {
        let table = resource.store(test.tenant).table
        let column = try #require(table.sorting(AttributePath(path)))
        guard case .own(let sql) = column.place else { return "" }
        return try await test.tenant.database.write { session in
            var builder = SQLBuilder("SELECT \(table.id) FROM \(table.from) WHERE TRUE ORDER BY")
            builder.append(sql)
            builder.append(isDown ? "DESC, \(table.id) LIMIT 21" : ", \(table.id) LIMIT 21")
            guard session.dialect == .postgres else {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + builder.text), []) { $0.text(3) }
            }
            try session.execute("SET LOCAL enable_seqscan = off")
            return try session.query(SQL(trusted: "EXPLAIN " + builder.text), []) { $0.text(0) }
        }.joined(separator: "; ")
    }
}
