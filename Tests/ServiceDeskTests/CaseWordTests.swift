import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import ServiceDesk

/// Customers are known by `B1` and `B2` and called by their number; the second one is out of a clerk's reach.
private struct TwoCustomers: CustomerReading, CustomerFinding {
    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] {
        try reachable(ids, for: principal, session).sorted { $0.rawValue < $1.rawValue }.map {
            CustomerCard(
                id: $0, displayName: "N\($0.rawValue)", phone: nil, region: nil, segment: nil, monthlyCharge: nil, status: "active")
        }
    }
    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable { throw CRMError.notFound }
    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        Set(principal.scope.regions == nil ? ids : ids.filter { $0.rawValue == 1 })
    }
    func customerCount(_ session: any SQLSession) throws -> Int { 2 }
    func customers(
        named names: Set<CustomerName>, for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerName: NamedCustomer] {
        var found: [CustomerName: NamedCustomer] = [:]
        for name in names {
            if case .reference(_, let text) = name, let place = ["B1", "B2"].firstIndex(of: text) {
                found[name] = NamedCustomer(id: CustomerID(Int64(place + 1)), isReachable: true)
            }
        }
        return found
    }
    func reachable(_ ids: Set<CustomerID>, for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> { ids }
}

@Suite("Words of cases in the search box")
struct CaseWordTests {
    private static let subjects = [
        "家里信号很差，打电话总是掉线", "Bill for March charged twice, refund wanted", "退款未到账 iPhone 15 合约", "寬頻上網速度慢",
        "Please call 138 1234 5678 about the Wi-Fi router",
    ]
    private static let reader = TestTenant.principal([ServiceDeskPermissions.viewCases, Masking.seeNames, Masking.seeContacts])

    private let test: TestTenant
    private let module = ServiceDeskModule(customers: TwoCustomers())
    init() async throws { test = try await TestTenant(["ServiceDesk"]) }

    private func target() throws -> any ImportTarget {
        try #require(ServiceDeskModule.importTargets(test.tenant, naming: TwoCustomers()).first { $0.entity == "cases" })
    }

    private func apply(_ rows: [(number: String, subject: String?)]) async throws -> [ImportOutcome] {
        let target = try target()
        let opened = test.clock.now().adding(days: -3).milliseconds
        let given = rows.enumerated().map { place, row in
            ImportRow(
                line: 2 + place,
                values: [
                    "case_number": .text(row.number), "source_id": .text(row.number.hasSuffix("2") ? "B2" : "B1"),
                    "case_kind": .text("complaint"), "opened_at": .int(opened + Int64(place)), "subject": .text(row.subject),
                ])
        }
        return try await test.tenant.database.write { session in
            try target.importer(ImportOptions(matchKey: "case_number", source: "care"), principal: Self.reader).apply(given, session)
        }
    }

    private func base() async throws -> [ImportOutcome] {
        try await apply(Self.subjects.enumerated().map { ("CASE-\($0 + 1)", $1) })
    }

    private func hits(_ query: String, _ who: Principal = reader, limit: Int = 20) async throws -> [SearchHit] {
        let request = PanelRequest(
            customers: [], principal: who, masking: Masking(who), language: .en, now: test.clock.now(), assets: "")
        let source = try #require(module.search(test.tenant).first)
        return try await test.tenant.database.read { try source.find(query, limit, request, $0) }
    }

    private func find(_ query: String, _ who: Principal = reader, limit: Int = 20) async throws -> [String] {
        try await hits(query, who, limit: limit).map { String($0.title.prefix { $0 != " " }) }
    }

    /// What the index holds is what the cases say.
    private func requireSound() async throws {
        try await test.tenant.database.write { session in
            let cases = try session.query("SELECT customer_id, id, title, subject FROM servicedesk_case") { row in
                "\(row.int(0)) \(row.int(1)) \(CaseWords.tokens([row.optionalText(2), row.optionalText(3)]))"
            }.filter { !$0.hasSuffix(" ") }
            let stored = try session.query("SELECT customer_id, id, tokens FROM servicedesk_case_text") {
                "\($0.int(0)) \($0.int(1)) \($0.text(2))"
            }
            #expect(Set(cases) == Set(stored) && stored.count == cases.count)
            guard session.dialect == .sqlite else { return }
            try session.execute(
                "INSERT INTO servicedesk_case_text_index(servicedesk_case_text_index) VALUES ('integrity-check')")
        }
    }

    @Test(
        "a case is found by words of its subject, Chinese and Latin, by beginnings, in either script and width",
        arguments: [
            ("信号", ["CASE-1"]), ("信號", ["CASE-1"]), ("信号 掉线", ["CASE-1"]), ("信号差", []), ("信号很差", ["CASE-1"]), ("打掉", []), ("refund", ["CASE-2"]),
            ("REFUND march", ["CASE-2"]), ("refu", ["CASE-2"]), ("ref", ["CASE-2"]), ("re", []), ("退款", ["CASE-3"]), ("退款 iphone", ["CASE-3"]),
            ("iphone 15", ["CASE-3"]), ("宽带上网", []), ("宽频上网", ["CASE-4"]), ("速度 信号", []), ("ｒｅｆｕｎｄ", ["CASE-2"]), ("router", ["CASE-5"]),
            ("号", []), ("15", []), ("march 'refund\" & | *", ["CASE-2"]), ("的", []), ("\u{0}", []), ("fund", []),
        ] as [(String, [String])])
    func words(query: String, expected: [String]) async throws {
        _ = try await base()
        #expect(try await find(query) == expected)
    }

    @Test("who may not read what was said does not find by it, long numbers find nothing, and cases out of reach do not exist")
    func rights() async throws {
        _ = try await base()
        let blind = TestTenant.principal([ServiceDeskPermissions.viewCases])
        #expect(try await find("refund", blind).isEmpty)
        for query in ["13812345678", "138 1234 5678", "1234 router"] { #expect(try await find(query).isEmpty, "\(query)") }
        let clerk = TestTenant.principal([ServiceDeskPermissions.viewCases, Masking.seeNames], regions: ["x"])
        #expect(try await find("refund", clerk).isEmpty, "B2 is elsewhere")
        #expect(try await find("信号", clerk) == ["CASE-1"])
        let hit = try #require(try await hits("router", clerk).first)
        #expect(hit.subtitle.hasPrefix("Please call *** **** **78 about") && hit.group == "servicedesk.search.group")
        #expect(hit.subject == .customer(CustomerID(1)) && hit.path.hasPrefix("/cases/"))
        #expect(try await hits("router").first?.subtitle.contains("138 1234 5678") == true)
        #expect(try await hits("CASE-1", blind).first?.subtitle.contains("信号") == false, "found by its number, its words stay hidden")
    }

    @Test("among many cases of others the reachable ones are found, the newest first, no more than asked for")
    func many() async throws {
        _ = try await apply((0..<700).map { ("M\($0)-\($0 % 70 == 0 ? 1 : 2)", "slow network again") })
        let clerk = TestTenant.principal([ServiceDeskPermissions.viewCases, Masking.seeNames], regions: ["x"])
        #expect(try await find("slow network", clerk) == (0..<10).reversed().map { "M\($0 * 70)-1" })
        #expect(try await find("slow", limit: 5).count == 5)
        try await requireSound()
    }

    @Test("words follow the case when it changes, goes with its import or with its customer")
    func changes() async throws {
        let made = try await base()
        _ = try await apply([("CASE-1", "网速太慢"), ("CASE-2", Self.subjects[1])])
        #expect(try await find("信号").isEmpty)
        #expect(try await find("网速太") == ["CASE-1"])
        try await requireSound()
        let target = try target()
        try await test.tenant.database.write { session in
            for outcome in made.dropFirst(2) {
                guard case .created(let id, let revision, let undo) = outcome else { continue }
                let issues = try target.revertCreated([(id, revision: revision, undo: undo)], principal: Self.reader, session)
                #expect(issues.isEmpty)
            }
        }
        #expect(try await find("退款").isEmpty)
        try await requireSound()
        try await test.tenant.database.write { try ServiceDeskStore.forget([CustomerID(2)], $0) }
        #expect(try await find("refund").isEmpty)
        #expect(try await find("网速太") == ["CASE-1"])
        try await requireSound()
    }

    @Test("a base from before is filled by the job, and once more a day later for what older processes wrote meanwhile")
    func fill() async throws {
        _ = try await base()
        let (database, clock) = (test.tenant.database, test.clock)
        func forget() async throws {
            try await database.write { try CaseIndex.remove(of: [CustomerID(1), CustomerID(2)], $0) }
        }
        try await forget()
        try await database.write { _ = try $0.execute("INSERT INTO servicedesk_case_text_state (id, step, since) VALUES (1, 0, 0)") }
        #expect(try await find("refund").isEmpty)
        let fill = CaseFill(database: database, clock: clock)
        #expect(try await fill.run() == Self.subjects.count)
        #expect(try await find("refund") == ["CASE-2"])
        #expect(try await fill.run() == 0)
        try await forget()
        #expect(try await fill.run() == 0, "not before the day is over")
        clock.advance(seconds: CaseFill.againSeconds)
        #expect(try await fill.run() == Self.subjects.count)
        #expect(try await find("信号") == ["CASE-1"])
        try await forget()
        #expect(try await fill.run() == 0, "done for ever")
        #expect(module.jobs(test.tenant).map(\.kind).contains(CaseFill.jobKind))
    }
}
