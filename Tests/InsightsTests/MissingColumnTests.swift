import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Insights

@Suite("Columns a model needs")
struct MissingColumnTests {
    private func trained(_ count: Int = 400, masks: ColumnMasks = ColumnMasks()) async throws -> Desk {
        let desk = try await Desk(FakeCustomers(count), masks: masks)
        _ = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([]))
        return desk
    }

    private func score(_ desk: Desk) async throws -> ScoringSummary {
        try await desk.module.score(tenant: desk.tenant, principal: TestTenant.principal([]))
    }

    @Test("a renamed column stops the scoring with its name, the scores stand, and the pages say so until it is back")
    func renamed() async throws {
        let desk = try await trained()
        let before = try await desk.scores()
        desk.customers.rename("Satisfaction", "Happiness")
        desk.test.clock.advance(days: 1)
        let error = await #expect(throws: CRMError.self) { _ = try await score(desk) }
        #expect(error?.code == "model_columns_missing")
        #expect(error?.message.en.contains("“Satisfaction”") == true)
        #expect(error?.message.zh.contains("“Satisfaction”") == true)
        #expect(try await desk.scores().map(\.scoredAt) == before.map(\.scoredAt))
        let model = try #require(try await desk.models().first)
        #expect(model.state == .active)
        let analyst = desk.principal(.analyst)
        for path in ["/models", "/models/\(model.id)"] {
            let en = try await desk.ask(.get, path, as: analyst)
            #expect(en.text.contains("This version cannot score customers."), "\(path)")
            #expect(en.text.contains("“Satisfaction”"), "\(path)")
            let zh = try await desk.ask(.get, path, as: analyst, .zh)
            #expect(zh.text.contains("需要的列已不存在或已改名"), "\(path)")
        }
        let health = try #require(desk.module.dashboard(desk.tenant).first { $0.name == "model-health" })
        let request = desk.panelRequest([], analyst, .en)
        let content = try #require(try await desk.tenant.database.read { try health.load(request, $0) })
        #expect(desk.render(content, .en).contains("This version cannot score customers."))
        #expect(desk.misses.isEmpty, "\(desk.misses)")

        desk.customers.rename("Happiness", "Satisfaction")
        #expect(try await score(desk).scored == before.count)
        #expect(try await desk.ask(.get, "/models", as: analyst).text.contains("cannot score") == false)
    }

    @Test("the queued job fails at once with the same words")
    func job() async throws {
        let desk = try await trained()
        desk.customers.rename("tenure_months", "months")
        let id = try await desk.tenant.database.write {
            try ChurnScoring.request(by: "x", desk.tenant, $0)
        }
        try await desk.drain()
        let job = try #require(try await desk.tenant.database.read { try desk.tenant.jobs.job(id, $0) })
        #expect(job.status == .failed)
        #expect(job.attempts == 1)
        #expect(job.message.zh.contains("“tenure_months”"))
    }

    @Test("a column that only later customers have is not missing")
    func later() async throws {
        let desk = try await trained(900)
        desk.customers.change { all in
            for place in all.indices.prefix(ChurnScoring.firstLook + 50) { all[place].cells["Satisfaction"] = nil }
        }
        desk.test.clock.advance(days: 1)
        #expect(try await score(desk).scored > 0)
    }

    @Test("a model that knew an attribute by its title finds it by its key as long as the title is the same")
    func byTitle() async throws {
        let desk = try await trained()
        let before = try await desk.scores()
        desk.customers.rename("Satisfaction", "attr.satisfaction")
        desk.test.clock.advance(days: 1)
        #expect(try await score(desk).scored == before.count)
        let after = try await desk.scores()
        #expect(after.map(\.probability) == before.map(\.probability))
        let columns = Set(after.flatMap { ($0.reasons.raising + $0.reasons.lowering).map(\.column) })
        // Masks and titles are asked for under the name of today.
        #expect(columns.contains("attr.satisfaction"))
        #expect(!columns.contains("Satisfaction"))
    }

    @Test("two attributes of one title are not guessed between")
    func ambiguous() {
        let names = ColumnNames(
            model: ["Score", "tenure"],
            table: [("attr.score", "Score"), ("attr.score_2", "score "), ("tenure", "Tenure")])
        #expect(names.isEmpty)
        let one = ColumnNames(model: ["Score"], table: [("attr.score", "Score"), ("score_built_in", "Score")])
        #expect(one.table("Score") == "attr.score")
        #expect(one.model("attr.score") == "Score")
    }

    @Test("a reason speaks of an attribute by the title it has today, not the one it was learned under")
    func titles() async throws {
        let masks = ColumnMasks(
            labels: { columns, _ in Asked { Dictionary(uniqueKeysWithValues: columns.map { ($0, .none) }) } },
            titles: { columns, _ in
                Asked {
                    columns.contains("attr.survey") ? ["attr.survey": Words(en: "Happy with us", zh: "客户心情")] : [:]
                }
            })
        let reasons = StoredReasons(
            raising: [
                .init(column: "attr.survey", value: "2", kind: .numeric, contribution: 0.4, below: 0.1, above: 0.7)
            ], lowering: [])
        let desk = try await Desk(FakeCustomers(2), masks: masks)
        try await desk.put([(1_000, 0.71, 10_000, "North")], reasons: reasons)
        let panel = try #require(desk.module.panels(desk.tenant).first)
        for (language, words) in [(Language.en, "“Happy with us” is 2, lower than 70 %"), (.zh, "客户心情为2")] {
            let request = desk.panelRequest([CustomerID(1_000)], desk.principal(.agent), language)
            let content = try #require(try await desk.tenant.database.read { try panel.load(request, $0) })
            #expect(desk.render(content, language).contains(words))
        }
    }

    @Test("names of attributes are read without what stands before the key")
    func prefix() {
        #expect(ColumnName("attr.churn_score").words == ["churn", "score"])
        #expect(Concept.named("attr.overdue_days").isKnown)
        let names = OutcomeNames(label: "churned")
        #expect(names.isPrediction("attr.churn_score"))
        // `ChurnScore`, `ChurnReason` and `CustomerLTV` as keys.
        #expect(names.isPrediction("attr.churnscore"))
        #expect(names.isDetail("attr.churnreason"))
        #expect(names.isLifetimeValue("attr.customerltv"))
        #expect(!names.isPrediction("attr.satisfactionscore"))
        #expect(!names.isDetail("attr.installdate"))
    }
}
