import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("editing customers")
struct EditTests {
    static let agent = ListDesk.principal(.agent)
    static let supervisor = ListDesk.principal(.supervisor)

    static func made(_ desk: ListDesk, _ more: [(String, String)] = []) async throws -> CustomerID {
        let form = [
            ("f_full_name", "王小明"), ("f_kind", "individual"), ("f_phone", "13800001111"), ("f_region", "浙江"),
            ("f_msisdn", "138 1234 5678"), ("f_plan", "5G 畅享 199"), ("f_monthly_charge", "199"),
        ]
        let answer = try await desk.post("/customers", form + more, as: supervisor)
        #expect(answer.status == 303, "\(answer.text.prefix(2000))")
        let location = try #require(answer.location)
        return try #require(CustomerID(location.split(separator: "/").last ?? ""))
    }

    @Test("a new customer is written with its projections, audit and event")
    func create() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let record = try #require(try await desk.record(id))
        #expect(record.party.displayName == "王小明")
        #expect(record.subscriptions.first?.service == .mobile)
        #expect(record.monthlyCharge == 19_900)
        #expect(try await desk.lastAudit("customers.customer.create")?.subjects == 1)
        let found = try await desk.test.tenant.database.read {
            try CustomerSearch.find("5678", limit: 5, Self.agent, $0)
        }
        #expect(found == [id])
    }

    @Test("where there are words for codes the form shows words, and what an import brought stays among the choices")
    func words() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(
            desk, [("f_payment_method", "alipay"), ("f_contract_term", "24"), ("f_segment", "family")])
        let page = try await desk.get("/customers/\(id)/edit", as: Self.supervisor, .zh)
        #expect(page.text.contains("<option value=\"alipay\" selected>支付宝</option>"))
        #expect(page.text.contains("<option value=\"24\" selected>24 个月</option>"))
        #expect(page.text.contains("<option value=\"0\">按月，无合约期</option>"))
        #expect(page.text.contains("<option value=\"mobile\" selected>") && page.text.contains(">家庭</p>"))
        try await desk.test.tenant.database.write {
            try $0.execute("UPDATE customers_customer SET payment_method = 'Barter' WHERE id = $1", [.id(id)])
        }
        let other = try await desk.get("/customers/\(id)/edit", as: Self.supervisor)
        #expect(other.text.contains("<option value=\"Barter\" selected>Barter</option>"))
    }

    @Test("a form with mistakes comes back with the entries, a message at each field, and nothing is saved")
    func mistakes() async throws {
        let desk = try await ListDesk()
        let answer = try await desk.post(
            "/customers",
            [("f_full_name", ""), ("f_birth_date", "2031-01-01"), ("f_monthly_charge", "a lot"), ("f_city", "Zug")],
            as: Self.supervisor)
        #expect(answer.status == 422)
        #expect(answer.text.contains("value=\"a lot\""))
        #expect(answer.text.contains("value=\"Zug\""))
        #expect(answer.text.contains("id=\"e-monthly_charge\""))
        #expect(answer.text.contains(">Monthly charge: An amount is expected"), "the list says which field")
        let again = try await desk.post(
            "/customers", [("f_full_name", "X"), ("f_birth_date", "2031-01-01"), ("f_latitude", "1")],
            as: Self.supervisor)
        #expect(again.status == 422)
        #expect(again.text.contains("id=\"e-birth_date\""))
        #expect(try await desk.test.tenant.database.read { try CustomerReader().customerCount($0) } == 0)
    }

    @Test("a mobile number that belongs to somebody else is refused at its field")
    func taken() async throws {
        let desk = try await ListDesk()
        _ = try await Self.made(desk)
        let answer = try await desk.post(
            "/customers", [("f_full_name", "李强"), ("f_msisdn", "13812345678")], as: Self.supervisor)
        #expect(answer.status == 409)
        #expect(answer.text.contains("id=\"e-msisdn\""))
    }

    @Test("what a role may not see is not in the form and stays when left empty")
    func hidden() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let page = try await desk.get("/customers/\(id)/edit", as: Self.agent)
        #expect(page.status == 200)
        #expect(!page.text.contains("13800001111") && !page.text.contains("13812345678"))
        #expect(page.text.contains("138****1111"))
        #expect(try await desk.lastAudit("customers.customer.view")?.unmasked.contains("phone") == false)
        let revision = try #require(page.first("name=\"revision\" value=\""))
        let saved = try await desk.post(
            "/customers/\(id)/edit",
            [
                ("revision", revision), ("f_full_name", "王小明"), ("f_phone", ""), ("f_msisdn", ""), ("f_city", "杭州"),
                ("f_region", "浙江"),
            ],
            as: Self.agent)
        #expect(saved.status == 303)
        let record = try #require(try await desk.record(id))
        #expect(record.contact(.phone) == "+8613800001111")
        #expect(record.subscriptions.first?.msisdn == "+8613812345678")
        #expect(record.customer.city == "杭州")
        #expect(record.customer.revision == 2)
        let whole = try await desk.get("/customers/\(id)/edit", as: Self.supervisor)
        #expect(whole.text.contains("13800001111"))
        #expect(try await desk.lastAudit("customers.customer.view")?.unmasked.contains("phone") == true)
    }

    @Test("the second of two people who edit at once is told, with the present values and the own entry")
    func conflict() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let first = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_city", "杭州"), ("f_region", "浙江")], as: Self.supervisor)
        #expect(first.status == 303)
        let second = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_city", "宁波"), ("f_region", "浙江")], as: Self.supervisor)
        #expect(second.status == 412)
        #expect(second.text.contains("Somebody changed this customer"))
        #expect(second.text.contains("value=\"杭州\""))
        #expect(second.text.contains("宁波"))
        #expect(second.first("name=\"revision\" value=\"") == "2")
        #expect(try await desk.record(id)?.customer.city == "杭州")
    }

    @Test("after a conflict only the fields the person changed are told as theirs, not those the other one changed")
    func ownEntriesOnly() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let form = try await desk.get("/customers/\(id)/edit", as: Self.supervisor).text
        #expect(form.contains("name=\"w_region\" value=\"浙江\""), "what stood in a field comes with it")
        let first = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_region", "江苏"), ("f_city", "南京")], as: Self.supervisor)
        #expect(first.status == 303)
        let second = try await desk.post(
            "/customers/\(id)/edit",
            [("revision", "1"), ("f_region", "浙江"), ("w_region", "浙江"), ("f_city", "宁波")], as: Self.supervisor)
        #expect(second.status == 412 && second.text.contains("value=\"江苏\""))
        #expect(second.text.components(separatedBy: "You had typed").count == 2, "the city only")
        #expect(second.text.contains("宁波") && !second.text.contains("You had typed: 浙江"))
    }

    @Test("a form that comes back with a mistake is where the language switch comes back to")
    func switchStays() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        func back(_ path: String, _ form: [(String, String)]) async throws -> String? {
            let answer = try await desk.post(path, form, as: Self.supervisor)
            #expect(answer.status == 422 && answer.text.contains("data-guard data-dirty=\"yes\""), "\(path)")
            return answer.first("name=\"return\" value=\"")
        }
        let wrong = [("revision", "1"), ("f_monthly_charge", "x")]
        #expect(try await back("/customers/\(id)/edit", wrong) == "/customers/\(id)/edit")
        #expect(try await back("/customers", [("f_full_name", "")]) == "/customers/new")
        #expect(
            try await back("/customers/\(id)/lines", wrong + [("f_service", "mobile")])
                == "/customers/\(id)/lines/new")
        #expect(
            try await back("/customers/\(id)/departure", [("revision", "1"), ("f_left_on", "x")])
                == "/customers/\(id)/departure")
    }

    @Test("a form that comes back with the record, after a conflict or a mistake, is a view in the audit")
    func comesBackAudited() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let views = { try await desk.test.auditCount("customers.customer.view") }
        let stale = try await desk.post(
            "/customers/\(id)/edit", [("revision", "0"), ("f_city", "宁波")], as: Self.supervisor)
        #expect(stale.status == 412 && stale.text.contains("13800001111"))
        #expect(try await views() == 1)
        let event = try #require(try await desk.lastAudit("customers.customer.view"))
        #expect(event.unmasked.contains("phone") && event.unmasked.contains("msisdn") && event.subjects == 1)
        #expect(event.facts.contains("changed_meanwhile"))
        let mistake = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_monthly_charge", "-9223372036854775808")],
            as: Self.supervisor)
        #expect(mistake.status == 422 && mistake.text.contains("13800001111"))
        #expect(try await views() == 2)
        let agent = try await desk.post("/customers/\(id)/edit", [("revision", "0"), ("f_city", "x")], as: Self.agent)
        #expect(agent.status == 412 && !agent.text.contains("13800001111"))
        #expect(try await desk.lastAudit("customers.customer.view")?.unmasked == "full_name")
    }

    @Test(
        "what a role does not see whole it does not replace; an unchanged mask is no change, an unknown name is refused"
    )
    func maskedWriting() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk, [("f_document_number", "330101199001011234")])
        func save(_ fields: [(String, String)], _ who: Principal = Self.agent) async throws -> ListDesk.Answer {
            let edition = try #require(try await desk.record(id)).customer.edition
            return try await desk.post("/customers/\(id)/edit", [("revision", String(edition))] + fields, as: who)
        }
        for (name, value) in [
            ("f_document_number", "330101199001019999"), ("f_phone", "13900002222"), ("f_msisdn", "13900003333"),
        ] {
            let refused = try await save([(name, value), ("f_city", "杭州")])
            #expect(refused.status == 403, "\(name)")
            #expect(refused.text.contains("personal."))
        }
        let before = try #require(try await desk.record(id))
        #expect(before.documents.first?.number == "330101199001011234" && before.customer.city == nil)
        // The mask as it stands in the form, and a value where there was none.
        let same = try await save([
            ("f_document_number", "330***********1234"), ("f_phone", "138****1111"), ("f_email", "a@example.com"),
        ])
        #expect(same.status == 303, "\(same.text.prefix(600))")
        let after = try #require(try await desk.record(id))
        #expect(after.documents == before.documents && after.contact(.phone) == "+8613800001111")
        #expect(after.contact(.email) == "a@example.com")
        for name in ["f_admin", "f_left", "f_total_charges", "f_"] {
            let unknown = try await save([(name, "1")], Self.supervisor)
            #expect(unknown.status == 422, "\(name)")
        }
        let created = try await desk.post("/customers", [("f_full_name", "X"), ("f_role", "1")], as: Self.supervisor)
        #expect(created.status == 422)
        #expect((try await save([("f_document_number", "330101199001019999")], Self.supervisor)).status == 303)
    }

    @Test("a form opened before an import is stale after its revert too")
    func revertedImport() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let page = try await desk.get("/customers/\(id)/edit", as: Self.supervisor)
        let seen = try #require(page.first("name=\"revision\" value=\""))
        let target = CustomerImportTarget(desk.test.tenant)
        let outcomes = try await desk.test.tenant.database.write { session in
            try target.importer(ImportOptions(matchKey: "msisdn", source: "t"), principal: Self.supervisor).applyWhole(
                [ImportRow(line: 1, values: ["msisdn": .text("+8613812345678"), "city": .text("宁波")])], session)
        }
        guard case .updated(_, _, let undo)? = outcomes.first else {
            Issue.record("not updated: \(outcomes)")
            return
        }
        _ = try await desk.test.tenant.database.write { session in
            try target.revertUpdated([(id, undo: undo)], principal: Self.supervisor, session)
        }
        let record = try #require(try await desk.record(id))
        #expect(record.customer.revision == 1 && record.customer.edition == 3 && record.customer.city == nil)
        let stale = try await desk.post(
            "/customers/\(id)/edit", [("revision", seen), ("f_city", "杭州")], as: Self.supervisor)
        #expect(stale.status == 412)
    }

    @Test("coordinates are edited where whole addresses are seen")
    func coordinates() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let saved = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_latitude", "30.25"), ("f_longitude", "120.16")],
            as: Self.supervisor)
        #expect(saved.status == 303)
        #expect(try await desk.record(id)?.addresses.first?.latitude == 30.25)
        let refused = try await desk.post(
            "/customers/\(id)/edit", [("revision", "2"), ("f_latitude", "31")], as: Self.agent)
        #expect(refused.status == 403)
        let wrong = try await desk.post(
            "/customers/\(id)/edit", [("revision", "2"), ("f_latitude", "91")], as: Self.supervisor)
        #expect(wrong.status == 422)
    }

    @Test("saving the same values leaves the revision, and the audit tells that nothing changed")
    func unchanged() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let answer = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_full_name", "王小明")], as: Self.supervisor)
        #expect(answer.status == 303)
        #expect(try await desk.record(id)?.customer.revision == 1)
        #expect(try await desk.lastAudit("customers.customer.update")?.facts.contains("\"fields\":[]") == true)
    }

    @Test("the lifecycle only takes its own steps; leaving ends the lines and winning back reopens them")
    func lifecycle() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        func move(_ status: String, _ revision: Int) async throws -> Int {
            try await desk.post(
                "/customers/\(id)/edit", [("revision", String(revision)), ("f_status", status)], as: Self.supervisor
            ).status
        }
        #expect(try await move("won_back", 1) == 422)
        #expect(try await move("churned", 1) == 303)
        let left = try #require(try await desk.record(id))
        #expect(left.customer.hasLeft == true && left.subscriptions.allSatisfy { $0.status == .terminated })
        #expect(left.outcome != nil)
        #expect(try await move("active", 2) == 422)
        #expect(try await move("won_back", 2) == 303)
        let back = try #require(try await desk.record(id))
        #expect(back.customer.status == .wonBack && back.customer.hasLeft == false)
        #expect(back.subscriptions.allSatisfy { $0.status == .active })
        let history = try await desk.test.tenant.database.read { session in
            try session.query("SELECT from_status, to_status FROM customers_subscription_history ORDER BY id") {
                "\($0.text(0))>\($0.text(1))"
            }
        }
        #expect(history == ["active>terminated", "terminated>active"])
    }

    @Test("a customer of another region is not found, neither to see nor to change")
    func scope() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        let clerk = ListDesk.principal(.agent, regions: ["江苏"])
        #expect(try await desk.get("/customers/\(id)/edit", as: clerk).status == 404)
        #expect(
            try await desk.post("/customers/\(id)/edit", [("revision", "1"), ("f_city", "X")], as: clerk).status == 404)
        #expect(try await desk.get("/customers/77/edit", as: clerk).status == 404)
        let away = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_region", "江苏")],
            as: ListDesk.principal(.agent, regions: ["浙江"]))
        #expect(away.status == 422)
    }

    @Test("only those who may edit get the form")
    func rights() async throws {
        let desk = try await ListDesk()
        let id = try await Self.made(desk)
        for role in [Role.marketer, .analyst, .administrator, .auditor] {
            let who = ListDesk.principal(role)
            #expect(try await desk.get("/customers/new", as: who).status == 403)
            #expect(try await desk.get("/customers/\(id)/edit", as: who).status == 403)
            #expect(try await desk.post("/customers", [("f_full_name", "X")], as: who).status == 403)
        }
    }

    // MARK: Attributes

    @Test("an attribute is defined and labelled without a restart; until then its values are hidden")
    func attributes() async throws {
        let desk = try await ListDesk()
        let admin = ListDesk.principal(.administrator)
        let made = try await desk.post(
            "/attributes",
            [
                ("title_en", "Card level"), ("title_zh", "卡等级"), ("kind", "code"),
                ("codes", "gold | Gold | 金卡\nsilver"), ("mask", "full"),
            ],
            as: admin)
        #expect(made.status == 303, "\(made.text.prefix(1500))")
        let attribute = try #require(try await desk.test.tenant.database.read { try AttributeStore.all($0) }.first)
        #expect(attribute.key == "card_level" && attribute.codes.count == 2)
        let id = try await Self.made(desk, [("f_attr.card_level", "gold")])
        // An agent may not see it: it is not in the form, and an entry is refused instead of dropped (G24).
        let refused = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_attr.card_level", "silver")], as: Self.agent)
        #expect(refused.status == 403)
        #expect(try await desk.record(id)?.attributes[attribute.id] == .text("gold"))
        let unknown = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_attr.nothing", "x")], as: Self.supervisor)
        #expect(unknown.status == 422)
        #expect(!(try await desk.get("/customers/\(id)/edit", as: Self.agent)).text.contains("Card level"))
        let labelled = try await desk.post(
            "/attributes/\(attribute.id)/label",
            [("revision", attribute.version), ("title_en", "Card level"), ("title_zh", "卡等级"), ("mask", "none")],
            as: admin)
        #expect(labelled.status == 303)
        let saved = try await desk.post(
            "/customers/\(id)/edit", [("revision", "1"), ("f_attr.card_level", "silver")], as: Self.agent)
        #expect(saved.status == 303)
        #expect(try await desk.record(id)?.attributes[attribute.id] == .text("silver"))
        #expect((try await desk.get("/customers/\(id)/edit", as: Self.agent)).text.contains("Card level"))
        let bad = try await desk.post(
            "/customers/\(id)/edit", [("revision", "2"), ("f_attr.card_level", "platinum")], as: Self.supervisor)
        #expect(bad.status == 422)
        let page = try await desk.get("/attributes", as: admin, .zh)
        #expect(page.text.contains("卡等级") && page.text.contains("金卡"))
    }

    @Test("two attributes of one name, or without codes, are refused with the entries kept")
    func attributeMistakes() async throws {
        let desk = try await ListDesk()
        let admin = ListDesk.principal(.administrator)
        let form = [("title_en", "Score"), ("kind", "integer"), ("mask", "none")]
        #expect(try await desk.post("/attributes", form, as: admin).status == 303)
        let twice = try await desk.post("/attributes", form, as: admin)
        #expect(twice.status == 422 && twice.text.contains("value=\"Score\""))
        #expect(
            try await desk.post("/attributes", [("title_en", "L"), ("kind", "code"), ("mask", "none")], as: admin)
                .status == 422)
        #expect(try await desk.get("/attributes", as: Self.supervisor).status == 403)
    }
}
