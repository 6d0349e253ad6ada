import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Insights

@Suite("Who to call this week")
struct RiskPageTests {
    private func ids(_ text: String) -> [Int64] {
        text.matches(of: /href="\/customers\/(\d+)"/).compactMap { Int64($0.1) }
    }

    @Test("the list ranks by probability times monthly value, customers of unknown value last")
    func ranks() async throws {
        let desk = try await Desk(FakeCustomers(6))
        try await desk.put([
            (1_000, 0.20, 50_000, "North"), (1_001, 0.80, 10_000, "South"), (1_002, 0.90, 1_000, "South"),
            (1_003, 0.95, 0, "North"), (1_004, 0.30, 0, "South"),
        ])
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        let answer = try await desk.ask(.get, "/risk?band=all", as: desk.principal(.agent))
        #expect(answer.status == 200)
        #expect(ids(answer.text) == [1_000, 1_001, 1_002, 1_003, 1_004])
        #expect(answer.text.contains("¥100.00"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("names and numbers are shown as the role may see them, and the view is audited with its customers")
    func masks() async throws {
        let desk = try await Desk(FakeCustomers(3))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South")])
        let agent = try await desk.ask(.get, "/risk", as: desk.principal(.agent))
        #expect(agent.text.contains("王小0"))
        #expect(!agent.text.contains("+8613812341000"))
        #expect(agent.text.contains("****1000"))
        let marketer = try await desk.ask(.get, "/risk", as: desk.principal(.marketer))
        #expect(!marketer.text.contains("王小0"))
        let supervisor = try await desk.ask(.get, "/risk", as: desk.principal(.supervisor))
        #expect(supervisor.text.contains("+8613812341000"))
        let events = try await desk.events("insights.risk.view")
        #expect(events.map(\.subjects) == [[1_000, 1_001], [1_000, 1_001], [1_000, 1_001]])
        #expect(events.map(\.unmasked) == [["name"], [], ["name", "phone"]])
    }

    @Test("somebody whose scope is one region sees and counts only that region, and may not touch another")
    func scope() async throws {
        let desk = try await Desk(FakeCustomers(6))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        // FakeCustomers puts 1000 and 1003 into the north.
        try await desk.put([
            (1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South"), (1_003, 0.7, 5_000, "North"),
            // Moved south since the pass: the projection says north, the record decides.
            (1_002, 0.6, 5_000, "North"),
        ])
        let north = desk.principal(.agent, regions: ["North"])
        let answer = try await desk.ask(.get, "/risk", as: north)
        #expect(ids(answer.text) == [1_000, 1_003])
        #expect(!answer.text.contains("South"))
        let error = await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/risk/1001/contact", form: [("outcome", "stays")], as: north)
        }
        #expect(error?.status == 404)
        #expect(try await desk.events("insights.contact.record").isEmpty)
    }

    @Test("the week's progress counts contacts of its own total only: those at high or critical risk")
    func progress() async throws {
        let desk = try await Desk(FakeCustomers(6))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([
            (1_000, 0.90, 5_000, "North"), (1_001, 0.80, 5_000, "South"), (1_002, 0.05, 5_000, "South"),
        ])
        let agent = desk.principal(.agent)
        for id in [1_002, 1_000] {
            _ = try await desk.ask(.post, "/risk/\(id)/contact", form: [("outcome", "stays")], as: agent)
        }
        let page = try await desk.ask(.get, "/risk?state=done", as: agent).text
        #expect(page.contains("1 contacted, 0 left out, of 2 at high or critical risk"))
        #expect(page.contains("Contacted <b class=\"count\">2</b>"), "the list of those contacted has both")
    }

    @Test("the pages of the list show everybody once, in order")
    func paging() async throws {
        let desk = try await Desk(FakeCustomers(130))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        var entries: [(id: Int64, probability: Double, value: Int64, region: String)] = []
        for index in 0..<130 { entries.append((Int64(1_000 + index), 0.5, Int64(1_000 + index % 7), "North")) }
        try await desk.put(entries)
        var seen: [Int64] = []
        var path: String? = "/risk"
        while let next = path {
            let answer = try await desk.ask(.get, next, as: desk.principal(.agent))
            seen += ids(answer.text)
            path = answer.text.firstMatch(of: /rel="next" href="([^"]+)"/).map {
                $0.1.replacingOccurrences(of: "&amp;", with: "&")
            }
            #expect(seen.count <= 130)
            if seen.count > 130 { break }
        }
        #expect(seen.count == 130)
        #expect(Set(seen).count == 130)
    }

    @Test(
        "without a choice a big customer at low risk is not listed, is counted as hidden, and one click shows everybody"
    )
    func standardBands() async throws {
        let desk = try await Desk(FakeCustomers(6))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([
            (1_000, 0.10, 900_000, "North"), (1_001, 0.80, 10_000, "South"), (1_002, 0.30, 90_000, "North"),
            (1_003, 0.55, 10_000, "North"), (1_004, 0.05, 500, "South"),
        ])
        let agent = desk.principal(.agent)
        let page = try await desk.ask(.get, "/risk", as: agent)
        #expect(ids(page.text) == [1_002, 1_001, 1_003], "medium and above, by expected loss")
        #expect(page.text.contains("<option value=\"medium_up\" selected>Medium and above</option>"))
        #expect(page.text.contains("Shown: Medium and above. Hidden in other bands: 2."))
        #expect(page.text.contains("href=\"/risk?band=all\""))
        #expect(try await desk.ask(.get, "/risk", as: agent, .zh).text.contains("其他等级未列出：2 位客户"))
        let all = try await desk.ask(.get, "/risk?band=all", as: agent)
        #expect(ids(all.text) == [1_000, 1_002, 1_001, 1_003, 1_004] && !all.text.contains("risk-hidden"))
        #expect(ids(try await desk.ask(.get, "/risk?band=high_up", as: agent).text) == [1_001, 1_003])
        // One region: counted there.
        let north = try await desk.ask(.get, "/risk?region=North", as: agent)
        #expect(ids(north.text) == [1_002, 1_003] && north.text.contains("Hidden in other bands: 1."))
        // What was done is shown whatever the band.
        _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "stays")], as: agent)
        #expect(ids(try await desk.ask(.get, "/risk?state=done", as: agent).text) == [1_000])
        #expect(try await desk.events("insights.risk.view").last?.facts.contains("\"band\":\"all\"") == true)
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("when high and critical fill a page they are the list, and the next page keeps to the same bands")
    func manyEndangered() async throws {
        let desk = try await Desk(FakeCustomers(130))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        var entries: [(id: Int64, probability: Double, value: Int64, region: String)] = []
        for index in 0..<130 {
            entries.append((Int64(1_000 + index), index < 60 ? 0.95 : 0.35, index < 60 ? 1_000 : 90_000, "North"))
        }
        try await desk.put(entries)
        let agent = desk.principal(.agent)
        let first = try await desk.ask(.get, "/risk", as: agent)
        #expect(ids(first.text).count == 50 && ids(first.text).allSatisfy { $0 < 1_060 })
        #expect(first.text.contains("Hidden in other bands: 70."))
        let next = try #require(first.text.firstMatch(of: /rel="next" href="([^"]+)"/)?.1)
        #expect(next.contains("band=high_up"))
        let second = try await desk.ask(.get, next.replacingOccurrences(of: "&amp;", with: "&"), as: agent)
        #expect(Set(ids(first.text) + ids(second.text)) == Set(1_000..<1_060))
    }

    @Test("a broken cursor or an unknown band is not found")
    func brokenQuery() async throws {
        let desk = try await Desk(FakeCustomers(2))
        for path in ["/risk?after=x", "/risk?after=-1-5", "/risk?band=extreme", "/risk?state=later"] {
            let error = await #expect(throws: CRMError.self) {
                _ = try await desk.ask(.get, path, as: desk.principal(.agent))
            }
            #expect(error?.status == 404, "\(path)")
        }
    }

    @Test("a recorded contact leaves the open list, shows under done with its outcome, and can be taken back")
    func contact() async throws {
        let desk = try await Desk(FakeCustomers(3))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South")])
        let agent = desk.principal(.agent)
        let answer = try await desk.ask(
            .post, "/risk/1000/contact",
            form: [("outcome", "accepted"), ("note", " 愿意续约 "), ("return", "/risk?band=critical")], as: agent)
        #expect(answer.status == 303)
        #expect(answer.location == "/risk?band=critical")
        #expect(answer.flash?.contains("insights.flash.contact_done") == true)
        #expect(ids(try await desk.ask(.get, "/risk", as: agent).text) == [1_001])
        let done = try await desk.ask(.get, "/risk?state=done", as: agent, .zh)
        #expect(ids(done.text) == [1_000])
        #expect(done.text.contains("已联系：接受优惠"))
        #expect(done.text.contains("愿意续约"))
        let event = try #require(try await desk.events("insights.contact.record").first)
        #expect(event.subjects == [1_000])
        #expect(event.facts.contains("\"outcome\":\"accepted\""))
        #expect(!event.facts.contains("愿意续约"))

        _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "open")], as: agent)
        #expect(ids(try await desk.ask(.get, "/risk", as: agent).text) == [1_000, 1_001])
        let entry = try await desk.tenant.database.read {
            try ContactPlanStore.entry(CustomerID(1_000), week: "2026-W10", $0)
        }
        #expect(entry?.state == .open)
        #expect(entry?.note == nil)
    }

    @Test("the note of a contact is free text: only those who see names see it, and that is audited (G25)")
    func noteIsMasked() async throws {
        let desk = try await Desk(FakeCustomers(2))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.9, 5_000, "North")])
        _ = try await desk.ask(
            .post, "/risk/1000/contact", form: [("outcome", "stays"), ("note", "王小明本人接听")],
            as: desk.principal(.agent))
        for role in [Role.marketer, .analyst, .administrator] {
            let page = try await desk.ask(.get, "/risk?state=done", as: desk.principal(role))
            #expect(page.text.contains("Reached: stays"))
            #expect(!page.text.contains("王小明"), "\(role)")
        }
        let page = try await desk.ask(.get, "/risk?state=done", as: desk.principal(.supervisor))
        #expect(page.text.contains("王小明本人接听"))
        let events = try await desk.events("insights.risk.view")
        #expect(events.map { $0.unmasked.contains("note") } == [false, false, false, true])
    }

    @Test("who has become critical since the pass before is a list of its own, and where the bands begin is said")
    func newlyCritical() async throws {
        let desk = try await Desk(FakeCustomers(6))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        let agent = desk.principal(.agent)
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.3, 5_000, "South")])
        // The first pass over a base: nobody has just become critical.
        #expect(ids(try await desk.ask(.get, "/risk?new=1", as: agent).text).isEmpty)
        desk.test.clock.advance(days: 1)
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South")])
        let now = desk.tenant.clock.now()
        let late = ChurnScore(
            customer: CustomerID(1_002), model: ModelID(1), probability: 0.95, band: .critical, margin: 0,
            scoredAt: now,
            reasons: .none, region: "South", monthlyValue: 1, currency: "CNY", listed: true)
        try await desk.tenant.database.write {
            try ScoreStore.write([late], on: now.date(), isFirstPass: false, $0)
        }
        let page = try await desk.ask(.get, "/risk?new=1", as: agent)
        #expect(ids(page.text) == [1_001, 1_002])
        #expect(page.text.contains("Newly critical"))
        #expect(ids(try await desk.ask(.get, "/risk?new=1&region=North", as: agent).text).isEmpty)
        // The same pass again, after a crash, does not make them old.
        try await desk.put([(1_001, 0.8, 5_000, "South")])
        #expect(ids(try await desk.ask(.get, "/risk?new=1", as: agent).text) == [1_001, 1_002])
        desk.test.clock.advance(days: 1)
        try await desk.put([(1_001, 0.8, 5_000, "South")])
        #expect(ids(try await desk.ask(.get, "/risk?new=1", as: agent).text) == [1_002])
        await #expect(throws: CRMError.self) { _ = try await desk.ask(.get, "/risk?new=x", as: agent) }
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("the page says where the bands begin and why, as the training fixed them")
    func thresholds() async throws {
        let desk = try await Desk(FakeCustomers(400))
        _ = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([]))
        let model = try #require(try await desk.models().first)
        let card = try #require(try await desk.tenant.database.read { try ModelStore.card(model.id, $0) })
        let page = try await desk.ask(.get, "/risk", as: desk.principal(.agent))
        let bands = card.bands
        #expect(
            page.text.contains(
                "medium from \(Figures.percent(bands.medium, 0)), high from \(Figures.percent(bands.high, 0)) (3 times")
        )
        #expect(page.text.contains("critical from \(Figures.percent(bands.critical, 0)) (8 times)"))
        let zh = try await desk.ask(.get, "/risk", as: desk.principal(.agent), .zh)
        #expect(zh.text.contains("训练客户离网率 \(Figures.percent(bands.baseRate))"))
    }

    @Test("next week everybody is on the list again, with what was said the last time")
    func nextWeek() async throws {
        let desk = try await Desk(FakeCustomers(2))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.9, 5_000, "North")])
        let agent = desk.principal(.agent)
        _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "no_answer")], as: agent)
        desk.test.clock.advance(days: 7)
        let answer = try await desk.ask(.get, "/risk", as: agent)
        #expect(ids(answer.text) == [1_000])
        #expect(answer.text.contains("2026-W10"))
        #expect(answer.text.contains("No answer"))
    }

    @Test("an unknown outcome is refused and nothing is written")
    func unknownOutcome() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.9, 5_000, "North")])
        let error = await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "sold")], as: desk.principal(.agent))
        }
        #expect(error?.code == "unknown_outcome")
        let marketer = desk.principal(.marketer)
        await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "stays")], as: marketer)
        }
        #expect(try await desk.events("insights.contact.record").isEmpty)
    }

    @Test("who has left since the pass is not called, and an empty page says what to do")
    func leftSince() async throws {
        let desk = try await Desk(FakeCustomers(2))
        let none = try await desk.ask(.get, "/risk", as: desk.principal(.agent))
        #expect(none.text.contains("No customer has been scored yet"))
        try await desk.put([(1_000, 0.9, 5_000, "North")])
        desk.customers.set(CustomerID(1_000)) { $0.left = true }
        let answer = try await desk.ask(.get, "/risk", as: desk.principal(.agent))
        #expect(ids(answer.text).isEmpty)
        #expect(answer.text.contains("Nobody here"))
    }

    @Test("filters by band and region hold on every page and stand in the URL as codes")
    func filters() async throws {
        let desk = try await Desk(FakeCustomers(6))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([
            (1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South"), (1_003, 0.3, 5_000, "North"),
        ])
        let agent = desk.principal(.agent)
        #expect(ids(try await desk.ask(.get, "/risk?band=critical", as: agent).text) == [1_000, 1_001])
        #expect(ids(try await desk.ask(.get, "/risk?region=North", as: agent).text) == [1_000, 1_003])
        #expect(ids(try await desk.ask(.get, "/risk?band=critical&region=South", as: agent).text) == [1_001])
    }
}

@Suite("Weeks and cursors")
struct RiskPartsTests {
    @Test(
        "weeks follow ISO 8601",
        arguments: [
            ("2026-03-02", "2026-W10"), ("2026-03-01", "2026-W09"), ("2024-12-30", "2025-W01"),
            ("2021-01-03", "2020-W53"),
            ("2027-01-01", "2026-W53"), ("1970-01-01", "1970-W01"), ("1969-12-28", "1969-W52"),
        ])
    func weeks(date: String, week: String) throws {
        #expect(ISOWeek(try #require(LocalDate(date))).description == week)
    }

    @Test("a cursor reads back what it wrote")
    func cursors() {
        let cursor = RiskList.Cursor(priority: 123_456_789_012, customer: CustomerID(77))
        #expect(RiskList.Cursor(cursor.text) == cursor)
    }

    @Test("the order of the list is that of expected loss")
    func priorities() {
        #expect(ChurnScore.priority(0.5, 2_000) > ChurnScore.priority(0.9, 1_000))
        #expect(ChurnScore.priority(0.2, 0) < ChurnScore.priority(0.3, 0))
        #expect(ChurnScore.priority(0.99, 0) < ChurnScore.priority(0.01, 1_000))
        #expect(ChurnScore.priority(1, Int64.max) > 0)
        #expect(ChurnScore.expectedLoss(0.335, 10_000) == 3_350)
    }
}
