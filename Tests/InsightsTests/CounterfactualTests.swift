import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Insights

@Suite("What would change the decision")
struct CounterfactualTests {
    private func trained(_ count: Int = 800) async throws -> (desk: Desk, model: TrainedModel) {
        let desk = try await Desk(FakeCustomers(count))
        _ = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([]))
        let record = try #require(try await desk.models().first)
        return (desk, try await ModelLoader.load(try #require(record.blobID), desk.tenant))
    }

    @Test("the figure in the sentence is the model's own score of the customer with that one thing changed")
    func exact() async throws {
        let (desk, model) = try await trained()
        let scores = try await desk.scores()
        let known = Dictionary(uniqueKeysWithValues: desk.customers.all.map { ($0.id, $0) })
        var checked = 0
        for score in scores {
            let changes = score.reasons.changes ?? []
            #expect(changes.count <= 2)
            if score.band < .high { #expect(changes.isEmpty) }
            for change in changes {
                var cells = try #require(known[score.customer]).cells
                #expect(cells[change.column] != change.value)
                cells[change.column] = change.value
                if change.column == "contract_term" { cells["contract_months_left"] = change.value }
                let row = RawTable(columns: model.columns.map { ($0, [cells[$0]]) })
                let own = try #require(try model.score(row).first)
                #expect(abs(own.probability - change.probability) < 1e-9)
                #expect(change.probability <= score.probability - Counterfactuals.smallestGain)
                checked += 1
            }
            #expect(Set(changes.map(\.column)).count == changes.count)
        }
        #expect(checked > 20)
    }

    @Test("only what can be offered is tried: nobody is told to be older or to have complained less")
    func offered() async throws {
        let (desk, model) = try await trained()
        let columns = Set(Counterfactuals(model: model).levers.map(\.column))
        #expect(columns == ["contract_term", "monthly_charge", "addon_online_security"])
        let told = Set(try await desk.scores().flatMap { ($0.reasons.changes ?? []).map(\.column) })
        #expect(told.isSubset(of: columns))
        for column in ["tenure_months", "overdue_count", "region", "attr.gender", "Satisfaction", "addon_count"] {
            #expect(Counterfactuals.kind(column) == nil, "\(column)")
        }
        for column in ["Contract", "PaymentMethod", "attr.tech_support", "paperless", "addon_data_pack"] {
            #expect(Counterfactuals.kind(column) != nil, "\(column)")
        }
    }

    @Test("a new contract term begins anew, an add-on counts as one more")
    func along() async throws {
        var customers = FakeCustomers(600).all
        for place in customers.indices {
            customers[place].cells["contract_months_left"] =
                customers[place].cells["contract_term"] == "0" ? nil : "\(place % 12)"
            customers[place].cells["addon_count"] = customers[place].cells["addon_online_security"] == "yes" ? "2" : "1"
        }
        let desk = try await Desk(FakeCustomers(customers))
        let table = try await desk.tenant.database.read { try desk.customers.table(after: nil, limit: 1_000, $0) }
        var columns: [RawTable.Column] = table.raw.columns
        columns.append(("churned", table.left.map { $0 == true ? "1" : "0" }))
        let model = try ChurnTrainer.train(
            RawTable(columns: columns), TrainingOptions(label: "churned", positive: "1", folds: 3))
        let rows = Array(table.ids.indices)
        let now = try model.probabilities(table.raw)
        let start = ContinuousClock.now
        let found = try Counterfactuals(model: model).find(table.raw, rows: rows, now: now)
        print("counterfactuals of \(rows.count) customers:", ContinuousClock.now - start)
        let terms = found.flatMap { $0 }.filter { $0.column == "contract_term" && $0.value != "0" }
        #expect(!terms.isEmpty)
        if model.columns.contains("contract_months_left") {
            #expect(terms.allSatisfy { $0.changed["contract_months_left"] == $0.value })
        }
        let addons = found.enumerated().flatMap { row, all in all.map { (row, $0) } }
            .filter { $0.1.column == "addon_online_security" }
        for (row, change) in addons where model.columns.contains("addon_count") {
            #expect(customers[row].cells["addon_count"] == "1")
            #expect(change.changed["addon_count"] == "2")
        }
    }

    @Test("the panel says it in both languages, and not about values the reader may not see")
    func panel() async throws {
        var reasons = StoredReasons(raising: [], lowering: [])
        reasons.changes = [
            .init(column: "contract_term", value: "12", probability: 0.31),
            .init(column: "attr.tech_support", value: "Yes", probability: 0.4),
        ]
        let desk = try await Desk(FakeCustomers(2))
        try await desk.put([(1_000, 0.62, 10_000, "North")], reasons: reasons)
        let panel = try #require(desk.module.panels(desk.tenant).first)
        func shown(_ principal: Principal, _ language: Language) async throws -> String {
            let request = desk.panelRequest([CustomerID(1_000)], principal, language)
            let content = try #require(try await desk.tenant.database.read { try panel.load(request, $0) })
            return desk.render(content, language)
        }
        let agent = desk.principal(.agent)
        let en = try await shown(agent, .en)
        #expect(en.contains("With a one-year contract, the probability would be 31% instead of 62%."))
        #expect(!en.contains("tech support"))
        #expect(try await shown(agent, .zh).contains("若签 1 年合约，离网概率约为 31%，而不是 62%。"))
        let sees = TestTenant.principal([InsightsPermissions.riskView, Masking.seeUnlabelled])
        #expect(try await shown(sees, .en).contains("With tech support, the probability would be 40% instead of 62%."))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("every kind of change has words in both languages")
    func words() {
        func both(_ column: String, _ value: String) -> [String?] {
            let words = ChangeWording.ours(column, value, "CNY")
            return [words?.en, words?.zh]
        }
        #expect(both("contract_term", "24") == ["With a two-year contract", "若签 2 年合约"])
        #expect(both("contract_term", "6") == ["With a contract over 6 months", "若签 6 个月合约"])
        #expect(both("contract_term", "0") == ["Month by month, without a contract term", "若按月签约、没有合约期"])
        #expect(both("monthly_charge", "80") == ["At a monthly charge of ¥80.00", "若月费为 ¥80.00"])
        #expect(both("addon_online_security", "yes") == ["With online security", "若开通网络安全服务"])
        #expect(both("paperless", "no") == ["With paper bills", "若改用纸质账单"])
        #expect(both("payment_method", "direct_debit") == ["With the payment method “direct debit”", "若付款方式为银行代扣"])
        #expect(ChangeWording.other(.named("Contract"), "Two year").en == "With the contract “two years”")
    }
}
