import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Insights

@Suite("Contacts in the timeline")
struct ContactTimelineTests {
    private func entries(
        _ desk: Desk, _ ids: [Int64] = [1_000], behind place: TimelinePlace? = nil, limit: Int = 10,
        as principal: Principal
    ) async throws -> [TimelineEntry] {
        let source = desk.module.timeline
        return try await desk.tenant.database.read {
            try source.entries(ids.map { CustomerID($0) }, behind: place, limit: limit, for: principal, $0)
        }
    }

    @Test("contacts of all linked records come newest first, page by page, without what was taken back")
    func order() async throws {
        let desk = try await Desk(FakeCustomers(4))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.9, 1, "North"), (1_001, 0.9, 1, "South"), (1_002, 0.9, 1, "South")])
        let agent = desk.principal(.agent)
        for (id, outcome) in [(1_000, "no_answer"), (1_001, "undecided"), (1_000, "stays"), (1_002, "leaving")] {
            _ = try await desk.ask(.post, "/risk/\(id)/contact", form: [("outcome", outcome)], as: agent)
            desk.test.clock.advance(days: 7)
        }
        _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "no_need")], as: agent)
        _ = try await desk.ask(.post, "/risk/1000/contact", form: [("outcome", "open")], as: agent)
        let all = try await entries(desk, [1_000, 1_001], as: agent)
        #expect(
            all.map(\.title.en) == [
                "Retention contact: Reached: stays", "Retention contact: Reached: undecided",
                "Retention contact: No answer",
            ])
        #expect(all.map(\.customer.rawValue) == [1_000, 1_001, 1_000])
        #expect(all[0].title.zh == "挽留联系：已联系：愿意留网")
        var paged: [TimelineEntry] = []
        while true {
            let page = try await entries(desk, [1_000, 1_001], behind: paged.last?.place, limit: 2, as: agent)
            if page.isEmpty { break }
            paged += page
        }
        #expect(paged == all)
    }

    @Test("contacts of one instant are told once each, whatever the pages' size")
    func ties() async throws {
        let desk = try await Desk(FakeCustomers(6))
        let at = desk.tenant.clock.now()
        try await desk.tenant.database.write { session in
            for customer in 1_000..<1_004 {
                for week in ["2026-W01", "2026-W02", "2026-W03"] {
                    try session.execute(
                        ContactPlanStore.put,
                        [
                            .int(Int64(customer)), .text(week), .text("done"), .text("stays"), .null, .int(1),
                            .text("mei"), .time(at),
                        ])
                }
            }
        }
        let agent = desk.principal(.agent)
        let ids: [Int64] = [1_000, 1_001, 1_002, 1_003]
        let all = try await entries(desk, ids, limit: 100, as: agent)
        #expect(Set(all.map(\.key)).count == 12)
        for limit in 1...5 {
            var paged: [TimelineEntry] = []
            while true {
                let page = try await entries(desk, ids, behind: paged.last?.place, limit: limit, as: agent)
                if page.isEmpty || paged.count > 20 { break }
                paged += page
            }
            #expect(paged == all)
        }
        #expect(try await entries(desk, ids, behind: TimelinePlace(at: at), as: agent).isEmpty)
    }

    @Test("the note is for those who see names, the entry for those who see risk")
    func masked() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.9, 1, "North")])
        _ = try await desk.ask(
            .post, "/risk/1000/contact", form: [("outcome", "accepted"), ("note", "王小明接受优惠")],
            as: desk.principal(.agent))
        let agent = try #require(try await entries(desk, as: desk.principal(.agent)).first)
        #expect(agent.note.zh.contains("王小明接受优惠"))
        #expect(agent.unmasked == ["note"])
        #expect(agent.tone == "ok")
        let analyst = try #require(try await entries(desk, as: desk.principal(.analyst)).first)
        #expect(!analyst.note.zh.contains("王小明"))
        #expect(analyst.unmasked.isEmpty)
        #expect(try await entries(desk, as: TestTenant.principal([])).isEmpty)
        #expect(try await entries(desk, [], as: desk.principal(.agent)).isEmpty)
    }

    @Test("an outcome has the same words here and on the list")
    func words() async throws {
        let desk = try await Desk(FakeCustomers(1))
        for outcome in ContactOutcome.allCases {
            for language in Language.allCases {
                #expect(outcome.words[language] == desk.text(outcome.key, language))
            }
        }
    }
}
