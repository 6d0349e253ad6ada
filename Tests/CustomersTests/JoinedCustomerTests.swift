import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

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
        #expect(alone.first?.value?.minor == 70_000, "a record behind another speaks for itself")
        #expect("\(page?.view as Any)".contains("5,700"), "\(page?.view as Any)")
        #expect(unscored == 2, "two customers, three records")
        // Taken apart each has its own again.
        try await desk.separate(a, b)
        let apart = try await desk.tenant.database.read { try CustomerListing.lines([a, b], masking: Masking(who), who, $0) }
        #expect(apart.map(\.name) == ["Wang Xiaoming", "王小明"] && apart.map { $0.value?.minor } == [500_000, 70_000])
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
