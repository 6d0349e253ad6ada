import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("Joined customers in lists, and what is one")
struct JoinedCustomerTests {
    @Test("a joined customer has one name and one value in list, search and page, and counts once among those not scored")
    func oneCustomer() async throws {
        let desk = try await MatchDesk()
        let a = try await desk.bring(
            "billing", [["source_id": "1", "full_name": "Wang Xiaoming", "phone": "+8613812345678", "monthly_charge": "9900"]]).ids[0]
        let b = try await desk.bring("care", [["source_id": "2", "full_name": "王小明", "phone": "+8613812345678"]]).ids[0]
        _ = try await desk.bring("care", [["source_id": "3", "full_name": "李四"]])
        #expect(try await desk.set(a) == [a, b])
        try await desk.tenant.database.write { session in
            for (id, charge, value) in [(a, 9_900, 500_000), (b, 1_000, 70_000)] as [(CustomerID, Int, Int)] {
                _ = try session.execute(
                    "UPDATE customers_listing SET monthly_charge = $2, value_score = $3 WHERE customer_id = $1",
                    [.id(id), .int(charge), .int(value)])
            }
            try CustomerLinks.settle([a], session)
        }
        let who = TestTenant.principal([CustomerPermissions.view, Masking.seeNames, Masking.seeContacts])
        let (listed, alone, page, unscored) = try await desk.tenant.database.read { session in
            let request = PanelRequest(
                customers: [a, b], principal: who, masking: Masking(who), language: .en, now: desk.tenant.clock.now(), assets: "")
            return (
                try CustomerListing.page(
                    CustomerFilter(), .start, limit: 10, many: false, masking: Masking(who), who, session).lines,
                try CustomerListing.lines([b], masking: Masking(who), who, session),
                try PageHeadView.load(request, today: desk.tenant.clock.now().date(offsetMinutes: 0), session),
                try CustomerReader().unscoredCount(who, session)
            )
        }
        #expect(page?.title == "王小明")
        #expect(listed.first { $0.id == a }?.name == "王小明" && !listed.contains { $0.id == b })
        #expect(listed.first { $0.id == a }?.value?.minor == 570_000)
        #expect(alone.first?.name == page?.title, "the search finds either record under the name of both")
        #expect(alone.first?.value?.minor == 70_000, "a record behind another speaks for itself")
        #expect("\(page?.view as Any)".contains("5,700"), "\(page?.view as Any)")
        #expect(unscored == 2, "two customers, three records")
        // Taken apart each has its own again.
        try await desk.separate(a, b)
        let apart = try await desk.tenant.database.read { try CustomerListing.lines([a, b], masking: Masking(who), who, $0) }
        #expect(apart.map(\.name) == ["Wang Xiaoming", "王小明"] && apart.map { $0.value?.minor } == [500_000, 70_000])
    }

    @Test("the top of the page names the records, and which of two verified names is shown by which rule; masked for who sees none")
    func notice() async throws {
        let desk = try await MatchDesk()
        let number = MatchDesk.identity(5)
        let a = try await desk.bring(
            "billing", [["source_id": "17", "full_name": "王小明", "phone": "+8613812345678", "document_number": number]]
        ).ids[0]
        let b = try await desk.bring(
            "care", [["source_id": "C-2", "full_name": "王晓铭", "phone": "+8613812345678", "document_number": number]]
        ).ids[0]
        let c = try await desk.bring("retail", [["source_id": "R-9", "full_name": "王小明", "phone": "+8613812345678"]]).ids[0]
        for other in [b, c] where try await !desk.set(a).contains(other) { try await desk.join(a, other) }
        func notice(_ rights: [Permission], _ language: Language) async throws -> View {
            let who = TestTenant.principal([CustomerPermissions.view] + rights)
            return try await desk.tenant.database.read { session in
                let request = PanelRequest(
                    customers: [a, b, c], principal: who, masking: Masking(who), language: language, now: desk.tenant.clock.now(),
                    assets: "")
                return JoinedNotice.view(try GoldenRecord.load([a, b, c], session), request, zone: 480)
            }
        }
        let told = "\(try await notice([Masking.seeNames, CustomerPermissions.edit], .en))"
        for part in ["billing 17", "care C-2", "retail R-9", "/customers/\(b)/edit", "Verified records have different names"] {
            #expect(told.contains(part), "\(part): \(told)")
        }
        #expect(told.contains("王小明") && told.contains("王晓铭") && told.contains("changed on 20"))
        let masked = "\(try await notice([], .zh))"
        #expect(!masked.contains("小明") && !masked.contains("晓铭") && masked.contains("已核验的记录姓名不一致"))
        #expect(!masked.contains("/edit") && masked.contains("#panel-joined"))
        let alone = try await desk.tenant.database.read { try GoldenRecord.load([a], $0) }
        let who = TestTenant.principal([CustomerPermissions.view])
        let one = JoinedNotice.view(
            alone,
            PanelRequest(
                customers: [a], principal: who, masking: Masking(who), language: .en, now: desk.tenant.clock.now(), assets: ""),
            zone: 480)
        #expect("\(one)".contains("isJoined") && !"\(one)".contains("billing"))
    }

    @Test("the name in characters stands, however sure the record is that has it in letters; what ended is not charged beside what runs")
    func nameAndCharge() async throws {
        let desk = try await MatchDesk()
        let a = try await desk.bring(
            "crm", [["source_id": "1", "full_name": "陳國華", "msisdn": "+8613800010001", "monthly_charge": "18900"]]).ids[0]
        let b = try await desk.bring(
            "care",
            [
                [
                    "source_id": "2", "full_name": "Chen Guohua", "msisdn": "+8613800010012", "monthly_charge": "1000",
                    "document_number": MatchDesk.identity(3),
                ]
            ]).ids[0]
        try await desk.join(a, b)
        try await desk.tenant.database.write { session in
            for (id, charge) in [(a, 18_900), (b, 1_000)] {
                try session.execute(
                    "UPDATE customers_subscription SET monthly_charge = $2 WHERE customer_id = $1", [.id(id), .int(charge)])
            }
        }
        func golden() async throws -> GoldenRecord { try await desk.tenant.database.read { try GoldenRecord.load([a, b], $0) } }
        #expect(try await golden().choice("full_name")?.value == "陳國華")
        let running = try await golden().records.map { $0.monthlyCharge ?? 0 }
        #expect(try await golden().monthlyCharge == running[0] + running[1])
        #expect(running[1] > 0)
        try await desk.tenant.database.write { session in
            try session.execute("UPDATE customers_subscription SET status = 'terminated' WHERE customer_id = $1", [.id(b)])
            try session.execute("UPDATE customers_customer SET has_left = $2 WHERE id = $1", [.id(b), .bool(true)])
        }
        #expect(try await golden().monthlyCharge == running[0], "ported out")
        let alone = try await desk.tenant.database.read { try GoldenRecord.load([b], $0) }
        #expect(alone.monthlyCharge == running[1], "of somebody who left, what was charged")
        // Another name in letters is another name.
        let c = try await desk.bring("shop", [["source_id": "3", "full_name": "Amy Chen", "document_number": MatchDesk.identity(3)]]).ids[0]
        let three = try await desk.tenant.database.read { try GoldenRecord.load([a, c], $0) }
        #expect(three.choice("full_name")?.value == "Amy Chen", "the verified one")
    }

    @Test("the document of an organisation is its licence where nobody says what it is, also one of digits alone; a person's card stays one")
    func licences() async throws {
        let desk = try await MatchDesk()
        let resident = MatchDesk.identity(9)
        let ids = try await desk.bring(
            "crm",
            [
                ["source_id": "1", "document_number": "914403001922038216", "full_name": "字节", "kind": "organisation"],
                ["source_id": "2", "document_number": "91440300MA5DA1234X", "full_name": "腾飞科技有限公司"],
                ["source_id": "3", "document_number": "914403001922038216", "full_name": "星海"],
                ["source_id": "4", "document_number": resident, "full_name": "王芳"],
                ["source_id": "5", "document_number": "E12345678", "full_name": "李娜"],
                ["source_id": "6", "document_number": "914403001922038217", "full_name": "赵敏"],
            ]).ids
        let kinds = try await desk.tenant.database.read { try CustomerLoader.records(ids, $0).map { $0.documents.first?.kind } }
        #expect(kinds == [.businessLicence, .businessLicence, .businessLicence, .idCard, .idCard, .idCard])
        #expect(DocumentKind.unsaid(resident, of: .organisation) == .idCard, "of an owner who is one person")
    }

    @Test("a name that ends as companies' names do is an organisation where nothing says otherwise; people stay people")
    func organisations() async throws {
        let desk = try await MatchDesk()
        let companies = ["杭州星海科技有限公司", "华信集团", "北京博雅商贸有限責任公司（海淀）", "Acme Trading Co., Ltd.", "Northwind Inc", "Müller GmbH", "FOO BAR LLC"]
        let people = ["张伟", "欧阳公明", "司马集", "John Smith", "Vincent Inc-Ferrer", "Ltd", "Maria Company-Smith", "公司", "王小明（公司）"]
        let brought = try await desk.bring(
            "billing", (companies + people).enumerated().map { ["source_id": "\($0)", "full_name": $1] })
        let records = try await desk.tenant.database.read { try CustomerLoader.records(brought.ids, $0) }
        for record in records {
            let isCompany = companies.contains(record.party.displayName)
            #expect((record.party.kind == .organisation) == isCompany, "\(record.party.displayName)")
        }
        // What is said, and what only a person has, goes before the name.
        let said = try await desk.bring(
            "care",
            [
                ["source_id": "a", "full_name": "星海有限公司", "kind": "individual"],
                ["source_id": "b", "full_name": "星海有限公司", "birth_date": "1990-01-01"],
            ])
        for id in said.ids { #expect(try await desk.bench.record(id)?.party.kind == .individual) }
    }
}
