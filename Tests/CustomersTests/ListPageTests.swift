import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("customer list page")
struct ListPageTests {
    static let supervisor = ListDesk.principal(.supervisor)

    static func rows(_ answer: ListDesk.Answer) -> [CustomerID] {
        answer.all("name=\"id\" value=\"").compactMap { CustomerID($0) }
    }

    @Test("the pages of the list show every customer once, each view audited with the customers shown")
    func paging() async throws {
        let desk = try await ListDesk(customers: 120)
        var path: String? = "/customers?sort=-charge"
        var seen: [CustomerID] = []
        while let next = path {
            let page = try await desk.get(next, as: Self.supervisor)
            #expect(page.status == 200)
            let ids = Self.rows(page)
            seen += ids
            #expect(try await desk.lastAudit("customers.list.view")?.subjects == ids.count)
            path = page.first("rel=\"next\" href=\"")?.replacing("&amp;", with: "&")
        }
        let count = try await desk.test.tenant.database.read { try CustomerReader().customerCount($0) }
        #expect(seen.count == count && Set(seen).count == count)
        #expect(try await desk.get("/customers?after=99", as: Self.supervisor).status == 200)
    }

    @Test("names and numbers are masked by role, on the page, in the export and in no address")
    func masking() async throws {
        let desk = try await ListDesk(customers: 40)
        let records = try await desk.test.tenant.database.read { session in
            let ids = try session.query("SELECT id FROM customers_customer") { $0.id(0, PartyKind.self) }
            return try CustomerLoader.records(ids, session)
        }
        let analyst = try await desk.get("/customers", as: ListDesk.principal(.analyst))
        let agent = try await desk.get("/customers", as: ListDesk.principal(.agent))
        let export = try await desk.post(
            "/customers/export", [("scope", "matching"), ("filter", "")], as: Self.supervisor)
        #expect(export.status == 200)
        #expect(export.text.split(separator: "\r\n").count == records.count + 1)
        for record in records {
            let number = record.subscriptions.first?.msisdn.flatMap { PhoneNumber($0)?.national() }
            if let number {
                #expect(!analyst.text.contains(number) && !agent.text.contains(number))
                #expect(export.text.contains(number))
            }
            #expect(export.text.contains(ListCSV.cell(record.title)))
            if record.party.kind == .individual, record.party.displayName.count > 2 {
                #expect(!analyst.text.contains(record.party.displayName), "\(record.party.displayName)")
            }
        }
        for link in agent.all("href=\"") {
            #expect(
                link.removingPercentEncoding?.unicodeScalars.allSatisfy { !SearchTokens.isHan($0) } ?? true
                    || link.contains("plan=") || link.contains("region="))
        }
        #expect(try await desk.lastAudit("customers.list.export")?.unmasked == "name,phone")
        #expect(
            try await desk.post("/customers/export", [("scope", "matching")], as: ListDesk.principal(.agent)).status
                == 403)
    }

    @Test("the export names the customer number, the day the customer came and the months since")
    func exportColumns() async throws {
        let desk = try await ListDesk(customers: 12)
        let export = try await desk.post(
            "/customers/export", [("scope", "matching"), ("filter", "")], as: Self.supervisor)
        let lines = export.text.split(separator: "\r\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let head = try #require(lines.first).map(String.init)
        let number = try #require(head.firstIndex(of: "Customer number"))
        let since = try #require(head.firstIndex(of: "Customer since"))
        let months = try #require(head.firstIndex(of: "Tenure (months)"))
        #expect(!head.contains("Tenure"))
        for line in lines.dropFirst() where line.count == head.count {
            #expect(line[number].hasPrefix("C-0000"), "\(line[number])")
            #expect(line[since].isEmpty || LocalDate(String(line[since])) != nil)
            #expect(line[since].isEmpty == (Int(line[months]) == nil))
        }
        #expect(lines.count == 13)
    }

    @Test("a saved view has an address of its own; others see it only when it is shared")
    func views() async throws {
        let desk = try await ListDesk(customers: 60)
        let made = try await desk.post(
            "/customers/views", [("name", "Companies"), ("filter", "kind=organisation&sort=-value&after=5")],
            as: Self.supervisor)
        #expect(made.status == 303)
        let path = try #require(made.location)
        let page = try await desk.get(path, as: Self.supervisor)
        let companies = try await desk.test.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM customers_party WHERE kind = 'organisation'")
        }
        #expect(Self.rows(page).count == min(companies, Limits.pageSize) && companies > 0)
        let other = TestTenant.principal(
            ListDesk.grants.filter { $0.roles.contains(.supervisor) }.map(\.permission), roles: [.supervisor],
            userID: UserID(5))
        #expect(try await desk.get(path, as: other).status == 404)
        let shared = try await desk.post(
            "/customers/views", [("name", "For all"), ("filter", "status=active"), ("shared", "yes")],
            as: Self.supervisor)
        let open = try #require(shared.location)
        #expect(try await desk.get(open, as: other).status == 200)
        #expect(
            try await desk.post("/customers/views", [("name", "x"), ("shared", "yes")], as: ListDesk.principal(.agent))
                .status == 403)
        let id = open.split(separator: "=").last ?? ""
        #expect(try await desk.post("/customers/views/\(id)/removal", [], as: other).status == 303)
        #expect(try await desk.get(open, as: other).status == 404)
    }

    @Test("a segment is set for the ticked customers and for all that match, never beyond one's regions")
    func segment() async throws {
        let desk = try await ListDesk(customers: 60)
        let page = try await desk.get("/customers", as: Self.supervisor)
        let ids = Array(Self.rows(page).prefix(3))
        let one = try await desk.post(
            "/customers/segment",
            ids.map { ("id", $0.description) } + [("segment", "pilot"), ("return", "/customers?band=high")],
            as: Self.supervisor)
        #expect(one.status == 303 && one.location == "/customers?band=high")
        for id in ids { #expect(try await desk.record(id)?.customer.segment == "pilot") }
        #expect(try await desk.lastAudit("customers.customer.segment")?.subjects == 3)
        let regions = try await desk.test.tenant.database.read { try ListFacets.values(ListFacets.regions, $0) }
        let mine = try #require(regions.first)
        let clerk = ListDesk.principal(.supervisor, regions: [mine])
        _ = try await desk.post(
            "/customers/segment", [("scope", "matching"), ("filter", ""), ("segment", "mine")], as: clerk)
        let (marked, inside) = try await desk.test.tenant.database.read { session in
            (
                try session.count("SELECT COUNT(*) FROM customers_listing WHERE segment = 'mine'"),
                try session.count("SELECT COUNT(*) FROM customers_listing WHERE region = $1", [.text(mine)])
            )
        }
        #expect(marked == inside && inside > 0)
        let foreign = try await desk.post(
            "/customers/segment", [("segment", "x"), ("return", "//evil.example")], as: Self.supervisor)
        #expect(foreign.location == "/customers")
        #expect(
            try await desk.post("/customers/segment", [("segment", "x")], as: ListDesk.principal(.analyst)).status
                == 403)
    }

    @Test("both languages render every state of the pages, and no template asks for a name it was not given")
    func languages() async throws {
        let desk = try await ListDesk(customers: 30)
        let admin = ListDesk.principal(.administrator)
        for language in Language.allCases {
            for path in ["/customers", "/customers?status=active&sort=name", "/customers?plan=none", "/customers/new"] {
                let page = try await desk.get(path, as: Self.supervisor, language)
                #expect(page.status == 200)
                #expect(!page.text.contains("customers.") && !page.text.contains("[["), "\(path)")
            }
            #expect(try await desk.get("/attributes", as: admin, language).status == 200)
            #expect(try await desk.get("/customers", as: admin, language).status == 200)
        }
        let empty = try await ListDesk()
        #expect(try await empty.get("/customers", as: Self.supervisor).text.contains("No customers yet"))
        let own = [
            "sort_", "aria_", "selects", "chips", "rows", "hasRisk", "blocks", "fields", "hidden", "yours", "masks",
            "kinds", "attributes",
        ]
        #expect(TemplateMisses.all.filter { miss in own.contains { miss.hasPrefix($0) } }.isEmpty)
    }

    @Test("the fold of the filters says how many are active, and nothing when none is")
    func filterCount() async throws {
        let desk = try await ListDesk(customers: 20)
        let page = try await desk.get("/customers?status=active&kind=individual", as: Self.supervisor)
        #expect(page.text.contains("<summary class=\"btn\">") && page.text.contains("<b class=\"count\">2</b>"))
        let plain = try await desk.get("/customers", as: Self.supervisor)
        #expect(plain.text.contains("filter-fold") && !plain.text.contains("<b class=\"count\">"))
    }

    @Test("the order of names is not told to those who do not see names, neither by address nor by a saved view")
    func orderOfNames() async throws {
        let desk = try await ListDesk(customers: 40)
        let marketer = ListDesk.principal(.marketer)
        func order(_ path: String, _ who: Principal) async throws -> [String] {
            try await desk.get(path, as: who).all("name=\"id\" value=\"")
                + desk.get(path, as: who).all("<a href=\"/customers/").filter { $0.allSatisfy(\.isNumber) }
        }
        let plain = try await order("/customers", marketer)
        #expect(!plain.isEmpty)
        for sort in ["name", "-name"] {
            #expect(try await order("/customers?sort=\(sort)", marketer) == plain)
        }
        let page = try await desk.get("/customers", as: marketer)
        #expect(!page.text.contains("sort=name") && !page.text.contains("sort=-name"))
        let agent = ListDesk.principal(.agent)
        #expect(try await order("/customers?sort=name", agent) != order("/customers", agent))
        #expect(try await desk.get("/customers", as: agent).text.contains("sort=name"))
        _ = try await desk.post("/customers/views", [("name", "A to Z"), ("filter", "sort=name")], as: marketer)
        let view = try #require(try await desk.get("/customers", as: marketer).first("/customers?view="))
        #expect(try await order("/customers?view=\(view)", marketer) == plain)
    }
}
