import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Insights

@Suite("Risk on the customer page")
struct PanelTests {
    static let reasons = StoredReasons(
        raising: [
            .init(column: "contract_term", value: "0", kind: .numeric, contribution: 0.8, below: 0, above: 0.6),
            .init(column: "Satisfaction", value: "2", kind: .numeric, contribution: 0.4, below: 0.1, above: 0.7),
            .init(column: "overdue_count", value: "1", kind: .numeric, contribution: 0.2, below: 0.7, above: 0.1),
        ],
        lowering: [
            .init(
                column: "addon_online_security", value: "yes", kind: .boolean, contribution: -0.32, below: nil,
                above: nil)
        ])

    private func shown(_ desk: Desk, _ role: Role, _ language: Language) async throws -> (String, PanelContent) {
        let request = desk.panelRequest([CustomerID(1_000)], desk.principal(role), language)
        let panel = try #require(desk.module.panels(desk.tenant).first)
        let content = try #require(try await desk.tenant.database.read { try panel.load(request, $0) })
        return (desk.render(content, language), content)
    }

    @Test("reasons are words with the customer's own values, in the reader's language")
    func words() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: Self.reasons)
        let (en, _) = try await shown(desk, .agent, .en)
        #expect(en.contains("Pays month by month, without a contract term"))
        #expect(en.contains("One bill was paid late or not at all"))
        #expect(en.contains("Has online security"))
        #expect(en.contains("Of 100 customers like this one, about 71 leave."))
        #expect(en.contains("¥71.00 of ¥100.00 a month"))
        let (zh, _) = try await shown(desk, .agent, .zh)
        #expect(zh.contains("按月签约，没有合约期"))
        #expect(zh.contains("有 1 张账单逾期"))
        #expect(zh.contains("已开通网络安全服务"))
        #expect(zh.contains("约有 71 位离网"))
        #expect(!zh.contains("Pays"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("the strongest reason has the longest bar, and what lowers the risk goes to the left")
    func bars() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: Self.reasons)
        let (text, _) = try await shown(desk, .agent, .en)
        #expect(text.contains(#"<rect class="pos" x="0.0" width="50.0""#))
        #expect(text.contains(#"<rect class="pos" x="0.0" width="25.0""#))
        #expect(text.contains(#"<rect class="neg" x="-20.0" width="20.0""#))
        #expect(text.contains("+0.80"))
        #expect(text.contains("−0.32"))
    }

    @Test("the value of an unlabelled attribute is hidden from those who may not see it, and where it stands too")
    func masked() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: Self.reasons)
        let (agent, hidden) = try await shown(desk, .agent, .en)
        #expect(agent.contains("Satisfaction is ••••"))
        #expect(!agent.contains("lower than"))
        #expect(hidden.unmasked.isEmpty)
        let sees = Principal(
            tenant: "default", userID: UserID(1), userName: "x", roles: [.supervisor],
            permissions: [Masking.seeUnlabelled], purpose: .service, address: "a", requestID: "r")
        let panel = try #require(desk.module.panels(desk.tenant).first)
        let content = try await desk.tenant.database.read {
            try panel.load(desk.panelRequest([CustomerID(1_000)], sees, .en), $0)
        }
        let whole = try #require(content)
        #expect(desk.render(whole, .en).contains("Satisfaction is 2, lower than 70 % of customers"))
        #expect(whole.unmasked == ["Satisfaction"])
    }

    @Test("an attribute somebody has labelled as open is shown to everybody")
    func labelled() async throws {
        let masks = ColumnMasks { columns, _ in
            Asked { Dictionary(uniqueKeysWithValues: columns.map { ($0, .none) }) }
        }
        let desk = try await Desk(FakeCustomers(2), masks: masks)
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: Self.reasons)
        let (agent, content) = try await shown(desk, .agent, .en)
        #expect(agent.contains("Satisfaction is 2"))
        #expect(content.unmasked.isEmpty)
    }

    @Test("who has no score yet is told so, without a model and with one")
    func unscored() async throws {
        let desk = try await Desk(FakeCustomers(2))
        #expect(try await shown(desk, .agent, .en).0.contains("No churn model is in use."))
        try await desk.put([(1_001, 0.5, 1, "North")])
        #expect(try await shown(desk, .agent, .zh).0.contains("尚未评分"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("home and the customer's page say how many are not scored and when that changes; who may starts a pass")
    func waiting() async throws {
        let desk = try await Desk(FakeCustomers(2), unscored: UnscoredCount { _, _ in 2_000 })
        func card(_ role: Role, _ language: Language = .en) async throws -> String {
            let card = try #require(desk.module.dashboard(desk.tenant).first { $0.name == "risk-bands" })
            let request = desk.panelRequest([], desk.principal(role), language)
            let content = try #require(try await desk.tenant.database.read { try card.load(request, $0) })
            return desk.render(content, language)
        }
        #expect(try await card(.agent).contains("2,000 customers in service are not scored yet."))
        #expect(try await card(.analyst).contains("No churn model is in use."))
        try await desk.put([(1_001, 0.5, 1, "North")])
        #expect(try await card(.agent).contains("The base is scored once a day."))
        _ = try await desk.tenant.jobs.runSchedule("x", kind: ChurnScoring.jobKind, everySeconds: 86_400)
        #expect(try await card(.agent).contains("A scoring pass is under way."))
        #expect(try await !card(.analyst).contains("/models/scoring"), "one is under way")
        try await desk.tenant.database.write {
            try $0.execute("UPDATE storage_job SET status = 'succeeded' WHERE kind = $1", [.text(ChurnScoring.jobKind)])
        }
        let next = desk.tenant.clock.now().adding(days: 1).displayed(
            offsetMinutes: desk.tenant.timeZoneOffsetMinutes)
        #expect(try await card(.agent, .zh).contains("下次评分时间：\(next)"))
        #expect(try await !card(.agent).contains("/models/scoring"))
        #expect(try await card(.analyst).contains("action=\"/models/scoring\""))
        #expect(try await shown(desk, .agent, .en).0.contains("The next scoring pass runs at \(next)"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("the loss told with the customers at high and critical risk is the loss expected from these")
    func sameBands() async throws {
        let desk = try await Desk(FakeCustomers(3))
        try await desk.put([(1_000, 0.9, 10_000, "North"), (1_001, 0.05, 900_000, "North")])
        let card = try #require(desk.module.dashboard(desk.tenant).first { $0.name == "risk-bands" })
        let request = desk.panelRequest([], desk.principal(.agent), .en)
        let content = try #require(try await desk.tenant.database.read { try card.load(request, $0) })
        let text = desk.render(content, .en)
        #expect(text.contains("1 of 2 customers") && text.contains("expected from these is ¥90.00 a month"), "\(text)")
    }

    @Test("a contact is recorded and taken back on the customer's page by those who may, with the outcomes of the list")
    func contact() async throws {
        let desk = try await Desk(FakeCustomers(2))
        desk.customers.change { all in for place in all.indices { all[place].left = false } }
        try await desk.put([(1_000, 0.71, 10_000, "North")])
        let form = try await shown(desk, .agent, .en).0
        #expect(
            form.contains("action=\"/risk/1000/contact\"") && form.contains("name=\"return\" value=\"/customers/1000\"")
        )
        for outcome in ContactOutcome.allCases { #expect(form.contains("value=\"\(outcome.rawValue)\"")) }
        #expect(try await !shown(desk, .analyst, .en).0.contains("/contact\""))
        let answer = try await desk.ask(
            .post, "/risk/1000/contact", form: [("outcome", "stays"), ("return", "/customers/1000")],
            as: desk.principal(.agent))
        #expect(answer.status == 303 && answer.location == "/customers/1000")
        let after = try await shown(desk, .agent, .en).0
        #expect(after.contains("A contact was recorded this week by") && !after.contains("id=\"contact-outcome\""))
        #expect(after.contains("name=\"outcome\" value=\"open\""))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("a score that moved is compared with the earlier one")
    func moved() async throws {
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.40, 10_000, "North")])
        desk.test.clock.advance(days: 7)
        try await desk.put([(1_000, 0.71, 10_000, "North")])
        let (text, _) = try await shown(desk, .agent, .en)
        #expect(text.contains("+0.31"))
        #expect(text.contains("2026-03-02: 0.40"))
    }

    @Test("of several linked records the highest score of one still a customer is shown")
    func linked() async throws {
        let desk = try await Desk(FakeCustomers(3))
        try await desk.put([(1_000, 0.2, 1, "North"), (1_001, 0.6, 1, "North")])
        let request = desk.panelRequest([CustomerID(1_000), CustomerID(1_001)], desk.principal(.agent), .en)
        let panel = try #require(desk.module.panels(desk.tenant).first)
        let content = try #require(try await desk.tenant.database.read { try panel.load(request, $0) })
        #expect(desk.render(content, .en).contains("0.60"))
    }

    @Test("the cards of the home page count within the reader's scope and say so when there is nothing")
    func cards() async throws {
        let desk = try await Desk(FakeCustomers(6))
        let cards = desk.module.dashboard(desk.tenant)
        #expect(cards.map(\.name) == ["risk-bands", "model-health"])
        let empty = try await desk.tenant.database.read { session in
            try cards.compactMap { try $0.load(desk.panelRequest([], desk.principal(.analyst), .en), session) }
        }
        #expect(desk.render(empty[0], .en).contains("No customer has been scored yet."))
        #expect(desk.render(empty[1], .en).contains("No churn model is in use."))
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.8, 5_000, "South"), (1_002, 0.1, 5_000, "South")])
        for language in Language.allCases {
            let request = desk.panelRequest([], desk.principal(.supervisor, regions: ["South"]), language)
            let full = try await desk.tenant.database.read { session in
                try cards.compactMap { try $0.load(request, session) }
            }
            let text = desk.render(full[0], language)
            #expect(text.contains(language == .zh ? "2 位客户中 1 位为高或极高风险" : "1 of 2 customers at high or critical risk"))
            #expect(desk.render(full[1], language).contains("model-health"))
        }
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("columns about the same thing are one topic, others are not")
    func topics() {
        #expect(ReasonTopic.of("overdue_count") == ReasonTopic.of("Overdue bills, 12 months"))
        #expect(ReasonTopic.of("contract_months_left") == ReasonTopic.of("Months to the end of the contract"))
        #expect(ReasonTopic.of("dropped_call_rate") == ReasonTopic.of("近90天掉话率（%）"))
        #expect(ReasonTopic.of("contract_term") != ReasonTopic.of("contract_months_left"))
        #expect(ReasonTopic.of("Favourite colour") != ReasonTopic.of("Favourite town"))
    }

    @Test("a percentage in an attribute's title becomes the unit of its value")
    func percentTitles() async throws {
        let reasons = StoredReasons(
            raising: [
                .init(
                    column: "Price rise, 6 months (%)", value: "27", kind: .numeric, contribution: 0.5, below: 0.98,
                    above: 0.01),
                .init(
                    column: "Pays automatically", value: "no", kind: .boolean, contribution: 0.2, below: nil, above: nil
                ),
            ], lowering: [])
        let masks = ColumnMasks { columns, _ in
            Asked { Dictionary(uniqueKeysWithValues: columns.map { ($0, .none) }) }
        }
        let desk = try await Desk(FakeCustomers(2), masks: masks)
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: reasons)
        let (text, _) = try await shown(desk, .agent, .en)
        #expect(text.contains("“Price rise, 6 months” is 27 %, higher than 98 % of customers"))
        #expect(text.contains("“Pays automatically”: no"))
    }

    @Test("every column that Customers gives by itself is spoken of without its technical name")
    func builtInWords() {
        for (column, _) in BuiltInReasons.concepts {
            for value in ["0", "1", "-0.34", "17", "yes", "no", "bank_transfer"] {
                let clause = BuiltInReasons.clause(column, value: value, kind: .numeric, standing: nil)
                let text = clause.map { $0.en + $0.zh } ?? ""
                #expect(!text.isEmpty, "\(column)")
                #expect(!text.contains("_"), "\(column): \(text)")
            }
        }
        #expect(
            BuiltInReasons.clause("data_mb_change", value: "-0.34", kind: .numeric, standing: nil)
                == Bilingual(zh: "流量比前几个月少 34%", en: "Data usage is 34% below the months before"))
        #expect(
            BuiltInReasons.clause("total_charges", value: "33390", kind: .numeric, standing: nil, currency: "CNY")
                == Bilingual(zh: "累计消费为¥33,390.00", en: "Total charges to date is ¥33,390.00"))
        #expect(
            BuiltInReasons.clause("contract_months_left", value: "-2", kind: .numeric, standing: nil)?.en
                == "The contract has run out")
    }
}
