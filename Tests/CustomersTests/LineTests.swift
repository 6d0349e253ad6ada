import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("lines, leaving and coming back")
struct LineTests {
    static let agent = ListDesk.principal(.agent)
    static let supervisor = ListDesk.principal(.supervisor)
    static let card = "89869900000000012345"

    private static func edition(_ desk: ListDesk, _ id: CustomerID) async throws -> String {
        String(try #require(try await desk.record(id)).customer.edition)
    }

    private static func post(
        _ desk: ListDesk, _ id: CustomerID, _ path: String, _ fields: [(String, String)],
        as who: Principal = supervisor
    ) async throws -> ListDesk.Answer {
        try await desk.post(
            "/customers/\(id)/\(path)", [("revision", try await edition(desk, id))] + fields, as: who)
    }

    private static func history(_ desk: ListDesk) async throws -> [String] {
        try await desk.test.tenant.database.read { session in
            try session.query(
                "SELECT from_status, to_status, reason, changed_on FROM customers_subscription_history ORDER BY id"
            ) { "\($0.text(0))>\($0.text(1)) \($0.optionalText(2) ?? "-") \($0.text(3))" }
        }
    }

    private static let second = [
        ("f_service", "broadband"), ("f_plan", "光纤 500M"), ("f_technology", "FTTH"), ("f_monthly_charge", "99.00"),
        ("f_iccid", "8986 9900 0000 0001 2345"), ("f_imei", "001000000000018"), ("f_device", "Pine X1"),
        ("f_addons", "1"), ("f_addon", "data_pack"),
    ]

    @Test("a second line with its SIM is added, shown, found by the whole ICCID only, and told to audit and outbox")
    func add() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        let form = try await desk.get("/customers/\(id)/lines/new", as: Self.supervisor)
        #expect(form.status == 200 && form.text.contains("name=\"f_iccid\""))
        let made = try await Self.post(desk, id, "lines", Self.second)
        #expect(made.status == 303, "\(made.text.prefix(800))")
        let record = try #require(try await desk.record(id))
        #expect(record.subscriptions.count == 2)
        let line = try #require(record.subscriptions.last)
        #expect(line.service == .broadband && line.technology == "ftth" && line.iccid == Self.card)
        #expect(line.status == .active && line.startedOn != nil && line.addons == [Addon(code: "data_pack")])
        #expect(record.monthlyCharge == 29_800)
        let audit = try #require(try await desk.lastAudit("customers.subscription.create"))
        #expect(audit.subjects == 1 && audit.facts.contains("line.added") && !audit.facts.contains(Self.card))
        let page = try await desk.get("/customers/\(id)", as: Self.supervisor)
        #expect(page.text.contains(Self.card) && page.text.contains("Pine X1"))
        #expect(try await desk.lastAudit("customers.customer.view")?.unmasked.contains("iccid") == true)
        let masked = try await desk.get("/customers/\(id)", as: Self.agent)
        #expect(!masked.text.contains(Self.card) && masked.text.contains("898*************2345"))
        func find(_ query: String) async throws -> [CustomerID] {
            try await desk.test.tenant.database.read {
                try CustomerSearch.find(query, limit: 5, ListDesk.principal(.analyst), $0)
            }
        }
        #expect(try await find(Self.card) == [id])
        #expect(try await find("8986 9900 0000 0001 2345") == [id])
        #expect(try await find("001000000000018") == [id])
        #expect(try await find("8986990000000001234").isEmpty)
        #expect(try await find("8986").isEmpty)
    }

    @Test("a line is changed in all its parts; its states stay as history; it is ended and taken up again")
    func change() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        _ = try await Self.post(desk, id, "lines", Self.second)
        let line = try #require(try await desk.record(id)?.subscriptions.last)
        let saved = try await Self.post(
            desk, id, "lines/\(line.id)",
            [
                ("f_plan", "光纤 1000M"), ("f_status", "suspended"), ("f_reason", "overdue"), ("f_contract_term", "24"),
                ("f_contract_end", "2027-01-31"), ("f_msisdn", "0571 8888 6666"), ("f_addons", "1"),
                ("f_addon", "cloud_storage"),
            ])
        #expect(saved.status == 303, "\(saved.text.prefix(800))")
        let changed = try #require(try await desk.record(id)?.subscriptions.last)
        #expect(changed.plan == "光纤 1000M" && changed.status == .suspended && changed.contractTerm == 24)
        #expect(changed.msisdn == "+8657188886666" && changed.addons.map(\.code) == ["cloud_storage"])
        #expect(changed.iccid == Self.card && changed.monthlyCharge == 9_900)
        #expect(try await desk.record(id)?.subscriptions.first?.plan == "5G 畅享 199")
        // Without the mark of the boxes nothing is unticked.
        _ = try await Self.post(desk, id, "lines/\(line.id)", [("f_status", "active")])
        #expect(try await desk.record(id)?.subscriptions.last?.addons.count == 1)
        let today = CustomerStore(tenant: desk.test.tenant).context.today
        let end = today.adding(days: -1)
        for (date, status) in [
            (today.adding(days: 1).description, 422), ("2001-01-01", 422), ("soon", 422), (today.description, 303),
        ] {
            let ended = try await Self.post(
                desk, id, "lines/\(line.id)/termination", [("f_ended_on", date), ("f_reason", "moved")])
            #expect(ended.status == status, "\(date)")
        }
        let over = try #require(try await desk.record(id)?.subscriptions.last)
        #expect(over.status == .terminated && over.endedOn == today)
        _ = try await Self.post(desk, id, "lines/\(line.id)", [("f_status", "active")])
        let again = try #require(try await desk.record(id)?.subscriptions.last)
        #expect(again.status == .active && again.endedOn == nil)
        #expect(
            try await Self.history(desk) == [
                "active>suspended overdue \(today)", "suspended>active - \(today)", "active>terminated moved \(today)",
                "terminated>active - \(today)",
            ])
        #expect(end < today)
        #expect(try await desk.test.auditCount("customers.subscription.end") == 1)
        #expect(try await desk.lastAudit("customers.subscription.update")?.facts.contains("line.status") == true)
    }

    @Test("mistakes at a line come back at their fields, a stale form with the present values, and both are audited")
    func mistakes() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        for (fields, field) in [
            ([("f_plan", "X")], "service"), ([("f_service", "mobile"), ("f_iccid", "123")], "iccid"),
            ([("f_service", "mobile"), ("f_imsi", "46000x")], "imsi"),
            ([("f_service", "mobile"), ("f_monthly_charge", "-1")], "monthly_charge"),
            ([("f_service", "mobile"), ("f_started_on", "2199-01-01")], "started_on"),
        ] {
            let answer = try await Self.post(desk, id, "lines", fields)
            #expect(answer.status == 422)
            #expect(answer.text.contains("id=\"e-\(field)\""), "\(field)")
        }
        let box = try await Self.post(desk, id, "lines", [("f_service", "tv"), ("f_addons", "1"), ("f_addon", "x")])
        #expect(box.status == 422)
        #expect(try await Self.post(desk, id, "lines", [("f_service", "tv"), ("f_owner", "x")]).status == 422)
        #expect(try await desk.record(id)?.subscriptions.count == 1)
        let line = try #require(try await desk.record(id)?.subscriptions.first)
        let before = try await desk.test.auditCount("customers.subscription.view")
        let stale = try await desk.post(
            "/customers/\(id)/lines/\(line.id)", [("revision", "0"), ("f_plan", "Y")], as: Self.supervisor)
        #expect(stale.status == 412 && stale.text.contains("value=\"5G 畅享 199\"") && stale.text.contains("Y"))
        #expect(try await desk.test.auditCount("customers.subscription.view") == before + 1)
        #expect(try await desk.lastAudit("customers.subscription.view")?.unmasked.contains("msisdn") == true)
        #expect(
            try await desk.post("/customers/\(id)/lines/\(line.id)", [("f_plan", "Y")], as: Self.supervisor).status
                == 428)
    }

    @Test("a SIM card or a number of somebody else's standing line is refused at its field; an ended line's is free")
    func taken() async throws {
        let desk = try await ListDesk()
        let first = try await EditTests.made(desk)
        _ = try await Self.post(desk, first, "lines", Self.second)
        let made = try await desk.post("/customers", [("f_full_name", "李强")], as: Self.supervisor)
        let id = try #require(CustomerID(made.location?.split(separator: "/").last ?? ""))
        let card = try await Self.post(desk, id, "lines", [("f_service", "mobile"), ("f_iccid", Self.card)])
        #expect(card.status == 409 && card.text.contains("id=\"e-iccid\""))
        let number = try await Self.post(desk, id, "lines", [("f_service", "mobile"), ("f_msisdn", "13812345678")])
        #expect(number.status == 409 && number.text.contains("id=\"e-msisdn\""))
        let line = try #require(try await desk.record(first)?.subscriptions.last)
        _ = try await Self.post(desk, first, "lines/\(line.id)/termination", [])
        #expect(
            try await Self.post(desk, id, "lines", [("f_service", "mobile"), ("f_iccid", Self.card)]).status == 303)
        let owner = try await desk.test.tenant.database.read {
            try IdentifierStore.owners([.iccid(Self.card)], $0)
        }
        #expect(owner.values.first == id)
    }

    @Test("lines and leaving are for those who edit, within their regions, and a line only under its own customer")
    func rights() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        let made = try await desk.post("/customers", [("f_full_name", "李强")], as: Self.supervisor)
        let other = try #require(CustomerID(made.location?.split(separator: "/").last ?? ""))
        let line = try #require(try await desk.record(id)?.subscriptions.first)
        let paths = ["lines/new", "lines/\(line.id)/edit", "departure"]
        let posts = ["lines", "lines/\(line.id)", "lines/\(line.id)/termination", "departure", "return"]
        for role in [Role.marketer, .analyst, .administrator, .auditor] {
            for path in paths {
                #expect(try await desk.get("/customers/\(id)/\(path)", as: ListDesk.principal(role)).status == 403)
            }
            for path in posts {
                #expect(try await Self.post(desk, id, path, [], as: ListDesk.principal(role)).status == 403)
            }
        }
        let clerk = ListDesk.principal(.agent, regions: ["江苏"])
        for path in paths { #expect(try await desk.get("/customers/\(id)/\(path)", as: clerk).status == 404) }
        for path in posts {
            #expect(
                try await Self.post(desk, id, path, [("how", "mistake")].filter { _ in path == "return" }, as: clerk)
                    .status == 404, "\(path)")
        }
        #expect(try await desk.get("/customers/\(other)/lines/\(line.id)/edit", as: Self.supervisor).status == 404)
        #expect(try await Self.post(desk, other, "lines/\(line.id)", [("f_plan", "X")]).status == 404)
        #expect(try await Self.post(desk, other, "lines/\(line.id)/termination", []).status == 404)
        // An agent sees the card masked and does not replace it.
        _ = try await Self.post(desk, id, "lines", Self.second)
        let second = try #require(try await desk.record(id)?.subscriptions.last)
        let page = try await desk.get("/customers/\(id)/lines/\(second.id)/edit", as: Self.agent)
        #expect(page.text.contains("898*************2345") && !page.text.contains(Self.card))
        let refused = try await Self.post(
            desk, id, "lines/\(second.id)", [("f_iccid", "89860000000000000001")], as: Self.agent)
        #expect(refused.status == 403)
        let kept = try await Self.post(
            desk, id, "lines/\(second.id)", [("f_iccid", "898*************2345"), ("f_plan", "Z")], as: Self.agent)
        #expect(kept.status == 303)
        #expect(try await desk.record(id)?.subscriptions.last?.iccid == Self.card)
    }

    // MARK: Leaving

    private static func listing(_ desk: ListDesk, _ id: CustomerID) async throws -> String {
        try await desk.test.tenant.database.read { session in
            try session.first(
                "SELECT status, leave_reason, left_on FROM customers_listing WHERE customer_id = $1", [.id(id)]
            ) { "\($0.text(0)) \($0.text(1)) \($0.text(2))" } ?? ""
        }
    }

    @Test("that a customer left is recorded with day, reason and competitor, corrected, and taken back as a mistake")
    func leave() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk, [("f_start_date", "2024-01-01")])
        let today = CustomerStore(tenant: desk.test.tenant).context.today
        let day = today.adding(days: -3)
        for (fields, field) in [
            ([("f_left_on", today.adding(days: 1).description), ("f_reason", "price")], "left_on"),
            ([("f_left_on", "2023-12-31"), ("f_reason", "price")], "left_on"),
            ([("f_left_on", day.description)], "reason"), ([("f_reason", "price"), ("f_left_on", "")], "left_on"),
            ([("f_left_on", day.description), ("f_reason", "boredom")], "reason"),
        ] {
            let answer = try await Self.post(desk, id, "departure", fields)
            #expect(answer.status == 422 && answer.text.contains("id=\"e-\(field)\""), "\(fields)")
        }
        #expect(try await Self.post(desk, id, "return", [("how", "mistake")]).status == 409)
        let left = try await Self.post(
            desk, id, "departure",
            [
                ("f_left_on", day.description), ("f_reason", "competitor"),
                ("f_reason_text", "王小明 says: cheaper there"),
                ("f_competitor", "North Mobile"),
            ], as: Self.agent)
        #expect(left.status == 303, "\(left.text.prefix(800))")
        let record = try #require(try await desk.record(id))
        #expect(record.customer.hasLeft == true && record.customer.status == .churned)
        #expect(record.outcome?.leftOn == day && record.outcome?.reasonCode == "competitor")
        #expect(record.outcome?.competitor == "North Mobile")
        #expect(record.subscriptions.allSatisfy { $0.status == .terminated && $0.endedOn == day })
        #expect(try await Self.listing(desk, id) == "churned competitor \(day)")
        #expect(try await Self.history(desk) == ["active>terminated competitor \(day)"])
        let audit = try #require(try await desk.lastAudit("customers.customer.leave"))
        #expect(audit.subjects == 1 && audit.facts.contains("competitor") && !audit.facts.contains("cheaper"))
        // Somebody who has left gets no new line.
        #expect(try await Self.post(desk, id, "lines", [("f_service", "tv")]).status == 409)
        let other = today.adding(days: -5)
        let corrected = try await Self.post(
            desk, id, "departure", [("f_left_on", other.description), ("f_reason", "price")])
        #expect(corrected.status == 303)
        let after = try #require(try await desk.record(id))
        #expect(after.outcome?.id == record.outcome?.id && after.outcome?.leftOn == other)
        #expect(after.outcome?.reasonCode == "price" && after.outcome?.competitor == "North Mobile")
        #expect(after.subscriptions.allSatisfy { $0.endedOn == other })
        #expect(try await Self.post(desk, id, "return", [("how", "perhaps")]).status == 422)
        #expect(try await Self.post(desk, id, "return", [("how", "mistake")]).status == 303)
        let back = try #require(try await desk.record(id))
        #expect(back.customer.hasLeft == false && back.customer.status == .active && back.outcome == nil)
        #expect(back.subscriptions.allSatisfy { $0.status == .active && $0.endedOn == nil })
        #expect(try await Self.listing(desk, id) == "active  ")
    }

    @Test("a customer who comes back is won back; a line that had ended before stays ended")
    func wonBack() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        _ = try await Self.post(desk, id, "lines", Self.second + [("f_started_on", "2024-01-01")])
        let line = try #require(try await desk.record(id)?.subscriptions.last)
        let today = CustomerStore(tenant: desk.test.tenant).context.today
        let earlier = today.adding(days: -40)
        _ = try await Self.post(desk, id, "lines/\(line.id)/termination", [("f_ended_on", earlier.description)])
        _ = try await Self.post(desk, id, "departure", [("f_left_on", today.description), ("f_reason", "quality")])
        #expect(try await desk.record(id)?.subscriptions.last?.endedOn == earlier)
        let page = try await desk.get("/customers/\(id)/edit", as: Self.supervisor, .zh)
        #expect(page.text.contains("该客户已离网") && page.text.contains("网络质量"))
        #expect(try await Self.post(desk, id, "return", [("how", "won_back")]).status == 303)
        let back = try #require(try await desk.record(id))
        #expect(back.customer.status == .wonBack && back.customer.hasLeft == false)
        #expect(back.subscriptions.map(\.status) == [.active, .terminated])
        let timeline = try await desk.get("/customers/\(id)/timeline?show=record", as: Self.supervisor)
        #expect(timeline.text.contains("Status: Left → Won back"))
        #expect(timeline.text.contains("Status: Active → Left"))
        #expect(timeline.text.contains("by test") || timeline.text.contains("by "))
    }

    @Test("what somebody wrote about a person is for those who see names; its code is for everybody")
    func freeText() async throws {
        let desk = try await ListDesk()
        let id = try await EditTests.made(desk)
        let line = try #require(try await desk.record(id)?.subscriptions.first)
        _ = try await Self.post(
            desk, id, "lines/\(line.id)", [("f_status", "suspended"), ("f_reason", "asked by 王小明's wife")])
        let today = CustomerStore(tenant: desk.test.tenant).context.today
        _ = try await Self.post(
            desk, id, "departure",
            [("f_left_on", today.description), ("f_reason", "price"), ("f_reason_text", "小明 lost his job")])
        for path in ["", "/timeline", "/subscriptions"] {
            for role in [Role.marketer, .analyst, .administrator] {
                let answer = try await desk.get("/customers/\(id)\(path)", as: ListDesk.principal(role))
                #expect(answer.status == 200)
                #expect(!answer.text.contains("小明") && !answer.text.contains("lost his job"), "\(role) \(path)")
            }
        }
        let shown = try await desk.get("/customers/\(id)/timeline", as: Self.agent)
        #expect(shown.text.contains("小明 lost his job") && shown.text.contains("wife"))
        let coded = try await desk.get("/customers/\(id)/timeline?show=outcome", as: ListDesk.principal(.analyst))
        #expect(coded.text.contains("Price"))
    }
}
