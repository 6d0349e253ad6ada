import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers
@testable import TMF

/// Lists of programs over more rows than anybody looks through: each of these questions has an index.
@Suite("Lists of programs beyond ten thousand rows")
struct ProgramListTests {
    private static let count: Int64 = 10_200
    private static let party: SQL = """
        INSERT INTO customers_party (id, kind, display_name, folded_name, family_name, given_name, birth_date)
        VALUES ($1, $2, $3, $4, '', '', $5)
        """
    private static let charge: SQL = """
        INSERT INTO customers_charge (customer_id, id, kind, period, amount, currency, issued_on, paid_on, settled)
        VALUES ($1, $2, $3, '2026-01', $4, 'CNY', '2026-01-05', $5, $6)
        """

    private static func name(_ id: Int64) -> String { ["Åse", "ann", "Zoë", "Bo", "王芳"][Int(id) % 5] + " \(id % 977)" }

    private func resources(_ test: TestTenant) throws -> [String: TMFResource] {
        let schemas = try TMFSchemas(share: Checkout.share)
        let all = try CustomersModule.resources(schemas, holds: [], accounts: [])
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    }

    /// Customers with parties, a person of every fifth and a bill each; and one that a program made.
    private func filled() async throws -> TestTenant {
        let test = try await TestTenant(["Customers"])
        try await test.tenant.database.write { session in
            let ids = (1...Self.count).map { $0 }
            try session.executeMany(
                Self.party,
                ids.map { id in
                    let name = Self.name(id)
                    let day: SQLValue = id % 3 == 0 ? .text("19\(50 + id % 50)-0\(1 + id % 9)-1\(id % 10)") : .null
                    return [.int(id), .text(id % 7 == 0 ? "organisation" : "individual"), .text(name), .text(Folding.fold(name)), day]
                })
            let record = { (id: Int64) -> [SQLValue] in
                [.int(id), .text("active"), .text("CNY"), .text("test")]
            }
            try session.executeMany(
                "INSERT INTO customers_customer (id, status, currency, source, revision, created_at, updated_at) VALUES ($1, $2, $3, $4, 1, 0, 0)",
                ids.map(record))
            try session.bulkInsert(
                into: "customers_listing", "customer_id, \(ListingRow.columnList)",
                ids.map { id in
                    [.int(id), .text(Folding.fold(Self.name(id))), .text("individual"), .text("active"), .text(""), .text("standard")]
                        + [.text(id % 2 == 0 ? "north" : "south"), .text(""), .text(""), .text(""), .int(-1), .text(""), .int(-1), .text("CNY")]
                        + [.double(-1), .text(""), .int(-1), .text(""), .text(""), .null, .null]
                })
            try session.executeMany(
                Self.charge,
                ids.map { id in
                    let kind = ["bill", "bill", "bill", "disputed", "draft", "cancelled", "written_off"][Int(id) % 7]
                    return [
                        .int(id), .int(id + 1_000_000), .text(kind), .int(100), id % 4 == 0 ? .text("2026-01-09") : .null,
                        .int([0, 40, 100][Int(id) % 3]),
                    ]
                })
            try session.execute("ANALYZE")
        }
        return test
    }

    private func list(
        _ resource: TMFResource, _ text: String, _ test: TestTenant, regions: [String]? = nil
    ) async throws -> TMFListing {
        let desk = TMFDesk(resource: resource, tenant: test.tenant)
        let principal = Masking.lifted(TestTenant.principal([resource.view, resource.edit], regions: regions))
        return try await test.tenant.database.read { session in
            try desk.list(try TMFQuery(try Form.parse(text), schema: resource.asked, type: resource.type), principal, session)
        }
    }

    private func plan(_ resource: TMFResource, _ text: String, _ test: TestTenant) async throws -> String {
        let table = resource.store(test.tenant).table
        let query = try TMFQuery(try Form.parse(text), schema: resource.asked, type: resource.type)
        let principal = TestTenant.principal([resource.view])
        return try await test.tenant.database.write { session in
            var builder = SQLBuilder("SELECT \(table.id) FROM \(table.from) WHERE TRUE")
            table.scope(principal, &builder)
            for condition in query.conditions {
                let column = try #require(table.columns.first { $0.answers(condition) }, "\(text)")
                column.append(condition, id: table.id, session.dialect, to: &builder)
            }
            if let sort = query.sort.first, let column = table.sorting(sort.target.path), case .own(let sql) = column.place {
                builder.append("ORDER BY")
                builder.append(sql)
                builder.append(sort.isDescending ? "DESC, \(table.id) LIMIT 21" : ", \(table.id) LIMIT 21")
            }
            guard session.dialect == .postgres else {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + builder.text), builder.arguments) { $0.text(3) }
            }
            try session.execute("SET LOCAL enable_seqscan = off")
            return try session.query(SQL(trusted: "EXPLAIN " + builder.text), builder.arguments) { $0.text(0) }
        }.joined(separator: "; ")
    }

    @Test("customers by name, either way, by offset and by cursor, of all regions and of one; by an index")
    func byName() async throws {
        let test = try await filled()
        let customers = try #require(try resources(test)["customer"])
        let expected = (1...Self.count).sorted { (Folding.fold(Self.name($0)), $0) < (Folding.fold(Self.name($1)), $1) }
        for (sort, order) in [("name", expected), ("-name", expected.sorted {
            let (one, two) = (Folding.fold(Self.name($0)), Folding.fold(Self.name($1)))
            return one == two ? $0 < $1 : one > two
        })] {
            for regions in [nil, ["north"]] {
                let wanted = order.filter { regions == nil || $0 % 2 == 0 }.map(String.init)
                var page = try await list(customers, "sort=\(sort)&limit=300", test, regions: regions)
                #expect(page.total == wanted.count)
                var found: [String] = []
                for _ in 0..<3 {
                    found += page.documents.compactMap { $0["id"]?.string }
                    let next = try #require(page.next)
                    page = try await list(customers, "sort=\(sort)&limit=300&after=\(next)", test, regions: regions)
                }
                #expect(found == Array(wanted.prefix(900)), "\(sort)")
                let back = try await list(customers, "sort=\(sort)&limit=300&before=\(try #require(page.previous))", test, regions: regions)
                #expect(back.documents.compactMap { $0["id"]?.string } == Array(wanted[600..<900]))
            }
            let plan = try await plan(customers, "sort=\(sort)", test)
            #expect(plan.contains("customers_listing_name"), "\(plan)")
        }
    }

    @Test("bills by state: what each says is what it is found by, by an index")
    func byState() async throws {
        let test = try await filled()
        let bills = try #require(try resources(test)["customerBill"])
        var sum = 0
        for state in ["new", "onHold", "settled", "partiallyPaid", "sent"] {
            let page = try await list(bills, "state=\(state)&limit=500", test)
            #expect(page.documents.allSatisfy { $0["state"] == .string(state) } && page.documents.count == min(500, page.total) && page.total > 0)
            sum += page.total
            let others = try await list(bills, "state.ne=\(state)&limit=1", test)
            #expect(page.total + others.total == Int(Self.count), "\(state)")
        }
        #expect(sum == Int(Self.count))
        let both = try await list(bills, "state=new,onHold&limit=200", test)
        #expect(Set(both.documents.compactMap { $0["state"]?.string }) == ["new", "onHold"])
        #expect(try await list(bills, "state=validated", test).total == 0)
        let plan = try await plan(bills, "state=onHold", test)
        #expect(plan.contains("customers_charge_state"), "\(plan)")
    }

    @Test("people by birth date, number of another system, document and class: of customers and of those who are none")
    func people() async throws {
        let test = try await filled()
        let all = try resources(test)
        let (people, companies) = (try #require(all["individual"]), try #require(all["organization"]))
        let one = try await TestResource(people, test).create(
            #"""
            {"familyName":"Li","givenName":"Fang","birthDate":"1990-05-01T00:00:00+08:00","@type":"Individual",
             "externalReference":[{"externalReferenceType":"legacy","name":"L-77"}],
             "individualIdentification":[{"identificationType":"passport","identificationId":"E 1234-5"}]}
            """#)
        let other = try await TestResource(people, test).create(
            #"{"familyName":"Wu","givenName":"Li","birthDate":"1990-05-01T10:30:00Z","@type":"VipIndividual","@baseType":"Individual"}"#)
        func ids(_ text: String, of resource: TMFResource? = nil) async throws -> [String] {
            try await list(resource ?? people, text, test).documents.compactMap { $0["id"]?.string }
        }
        let (first, second) = (one["id"]?.string ?? "", other["id"]?.string ?? "")
        #expect(try await ids("birthDate=1990-05-01T00:00:00%2B08:00") == [first])
        #expect(try await ids("birthDate=1990-04-30T16:00:00Z") == [first])
        #expect(try await ids("birthDate=1990-05-01") == [first], "midnight as it is written is the day")
        #expect(try await ids("birthDate=1990-05-01T10:30:00Z") == [second])
        let day = Int64(27)
        let known = try await ids("birthDate=19\(50 + day % 50)-0\(1 + day % 9)-1\(day % 10)&limit=100")
        #expect(known.contains(String(day)) && known.count < 40)
        #expect(try await ids("externalReference.name=L-77") == [first])
        #expect(try await ids("externalReference.name=L-78").isEmpty)
        #expect(try await ids("individualIdentification.identificationId=E%201234-5") == [first])
        let persons = (1...Self.count).filter { $0 % 7 != 0 }.count
        #expect(try await list(people, "@type=Individual", test).total == persons + 1)
        #expect(try await ids("@type=VipIndividual") == [second])
        #expect(try await list(people, "@type=Individual,VipIndividual", test).total == persons + 2)
        #expect(try await ids("@type.ne=Individual") == [second])
        #expect(try await list(people, "@type.ne=VipIndividual", test).total == persons + 1)
        #expect(try await list(companies, "@type=Organization", test).total == Int(Self.count) - persons)
        #expect(try await list(companies, "@type=Individual", test).total == 0)
        // What was kept goes with the person.
        try await TestResource(people, test).remove(other)
        #expect(try await ids("@type=VipIndividual").isEmpty)
        #expect(try await test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM tmf_kept_value") } == 1)
        let plan = try await plan(people, "birthDate=1990-05-01", test)
        #expect(plan.contains("customers_party_birth"), "\(plan)")
    }

    @Test("a base of before: what was kept then is found when the upkeep has been there")
    func older() async throws {
        let test = try await TestTenant(["Customers"])
        let people = try #require(try resources(test)["individual"])
        let one = try await TestResource(people, test).create(
            #"{"familyName":"Li","givenName":"Fang","@type":"Vip","externalReference":[{"externalReferenceType":"x","name":"L-77"}]}"#)
        try await test.tenant.database.write { _ = try $0.execute("DELETE FROM tmf_kept_value") }
        try await KeptUpkeep(tenant: test.tenant, resources: [people]).sweep()
        #expect(try await list(people, "@type=Vip&externalReference.name=L-77", test).documents.map { $0["id"] } == [one["id"]])
    }
}
