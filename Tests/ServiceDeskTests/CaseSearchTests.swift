import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import ServiceDesk

@Suite("Cases in the search box")
struct CaseSearchTests {
    /// Customers are called by their number; those of the second region are out of a clerk's reach.
    private struct Customers: CustomerReading {
        func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] {
            try reachable(ids, for: principal, session).sorted { $0.rawValue < $1.rawValue }.map {
                CustomerCard(
                    id: $0, displayName: "N\($0.rawValue)", phone: nil, region: nil, segment: nil, monthlyCharge: nil,
                    status: "active")
            }
        }
        func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable {
            throw CRMError.notFound
        }
        func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws
            -> Set<CustomerID>
        {
            Set(principal.scope.regions == nil ? ids : ids.filter { $0.rawValue == 1 })
        }
        func customerCount(_ session: any SQLSession) throws -> Int { 2 }
    }

    private func find(_ query: String, regions: [String]? = nil, limit: Int = 5, language: Language = .en)
        async throws -> [SearchHit]
    {
        let test = try await TestTenant(["ServiceDesk"])
        let at = test.clock.now().adding(days: -20)
        let numbers = [(1, "CS-0000000042"), (2, "CS-0000000043"), (1, "CS-0000004200"), (2, "TT/2026-77"), (1, "CS-778899")]
        try await test.tenant.database.write { session in
            try ServiceDeskStore.insert(
                numbers.enumerated().map { offset, row in
                    DeskCase(
                        customer: CustomerID(Int64(row.0)), id: CaseID(at: at, tail: offset + 1), number: row.1,
                        kind: .complaint, topic: .droppedCalls, status: .open, priority: .high, openedAt: at,
                        resolvedAt: nil, closedAt: nil)
                }, session)
        }
        let principal = TestTenant.principal([ServiceDeskPermissions.viewCases], regions: regions)
        let request = PanelRequest(
            customers: [], principal: principal, masking: Masking(principal), language: language,
            now: test.clock.now(), assets: "")
        let module = ServiceDeskModule(customers: Customers())
        let source = try #require(module.search(test.tenant).first)
        #expect(source.permission == ServiceDeskPermissions.viewCases)
        return try await test.tenant.database.read { try source.find(query, limit, request, $0) }
    }

    @Test(
        "a case is found by its number, whole, in short or by its beginning",
        arguments: [
            ("CS-0000000042", ["CS-0000000042"]), ("cs-42", ["CS-0000000042"]), ("cs43", ["CS-0000000043"]),
            ("4200", ["CS-0000004200"]), ("ＣＳ－４２", ["CS-0000000042"]), ("42", []), ("cs-0", ["CS-0000000042", "CS-0000000043", "CS-0000004200"]),
            ("CS-000000004", ["CS-0000000042", "CS-0000000043"]), ("tt/2026", ["TT/2026-77"]), ("778899", ["CS-778899"]), ("王", []), ("droppedcalls", []),
            ("99999999999999999999999999", []),
        ] as [(String, [String])])
    func numbers(query: String, expected: [String]) async throws {
        let found = try await find(query).map { String($0.title.prefix { $0 != " " }) }
        // `CS-000000004` is the whole number of a fourth case too, which nobody has.
        #expect(found == expected)
    }

    @Test("cases of customers out of reach are not found, and the hit names the customer for the audit")
    func scope() async throws {
        let mine = try await find("CS-000000004", regions: ["x"])
        #expect(mine.map(\.subject) == [.customer(CustomerID(1))] && mine.first?.path.hasPrefix("/cases/") == true)
        #expect(try await find("cs-43", regions: ["x"]).isEmpty)
        let hit = try #require(try await find("cs-42", language: .zh).first)
        #expect(hit.subject == .customer(CustomerID(1)) && hit.group == "servicedesk.search.group")
        #expect(hit.subtitle.contains("掉话") && hit.subtitle.contains("N1"))
        #expect(try await find("CS-0", limit: 1).count == 1)
    }

    @Test("a contact is found by the whole number its source gives it, however short, by who may see contacts and reaches the customer")
    func contacts() async throws {
        let test = try await TestTenant(["ServiceDesk"])
        let rows: [(String, String, String, Int64)] = [
            ("interactions", "care", "I-1", 1), ("interactions", "chat", "I-1", 2), ("interactions", "chat", "i-12", 2),
            ("survey_answers", "care", "Q7", 1),
        ]
        try await test.tenant.database.write { session in
            for (kind, source, value, customer) in rows {
                try session.execute(
                    """
                    INSERT INTO servicedesk_record_key (kind, source, value, customer_id, record_id) VALUES ($1, $2, $3, $4, $5)
                    """, [.text(kind), .text(source), .text(value), .int(customer), .int(customer)])
            }
        }
        func find(_ query: String, regions: [String]? = nil) async throws -> [String] {
            let principal = TestTenant.principal([ServiceDeskPermissions.viewInteractions], regions: regions)
            let request = PanelRequest(
                customers: [], principal: principal, masking: Masking(principal), language: .en, now: test.clock.now(), assets: "")
            return try await test.tenant.database.read {
                try ContactSearch(customers: Customers()).find(query, limit: 5, request, $0).map { "\($0.path) \($0.subtitle)" }
            }
        }
        #expect(try await find("I-1").sorted() == ["/customers/1 I-1", "/customers/2 I-1"])
        #expect(try await find(" i-1 ").count == 2)
        #expect(try await find("I-1", regions: ["x"]) == ["/customers/1 I-1"])
        #expect(try await find("i-12") == ["/customers/2 i-12"])
        #expect(try await find("q7") == ["/customers/1 Q7"])
        for query in ["I-2", "I", "1", "I -1", "I-"] { #expect(try await find(query).isEmpty, "\(query)") }
        #expect(ContactSearch(customers: Customers()).source().permission == ServiceDeskPermissions.viewInteractions)
    }
}
