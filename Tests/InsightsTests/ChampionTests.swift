import Foundation
import Kernel
import TestSupport
import Testing

@testable import Insights

@Suite("The version in use beside a new one")
struct ChampionTests {
    /// Customers of whom tenure alone tells who left: any model gets a high figure on them.
    private func tidy(_ count: Int) -> [FakeCustomers.Customer] {
        FakeCustomers(count, seed: 11).all.enumerated().map { index, customer in
            var customer = customer
            let tenure = Int(customer.cells["tenure_months"] ?? "") ?? 0
            customer.left = (tenure < 20) != (index % 12 == 0)
            customer.cells["Churn Reason"] = customer.left == true ? "price" : nil
            return customer
        }
    }

    private func real(_ count: Int) -> [FakeCustomers.Customer] {
        FakeCustomers(count, seed: 5).all.map { customer in
            FakeCustomers.Customer(
                id: CustomerID(customer.id.rawValue + 100_000), name: customer.name, region: customer.region,
                charge: customer.charge, left: customer.left, cells: customer.cells)
        }
    }

    private func decision(_ desk: Desk) async throws -> (record: ModelRecord, decision: ModelDecision?) {
        let newest = try #require(try await desk.models().first)
        let card = try await desk.tenant.database.read { try ModelStore.card(newest.id, $0) }
        return (newest, card?.decision)
    }

    @Test("a version of the tidy demonstration does not keep a real one waiting: both are judged on today's customers")
    func demonstration() async throws {
        let desk = try await Desk(FakeCustomers(tidy(500)))
        try await desk.train()
        let demo = try #require(try await desk.models().first)
        desk.customers.change { $0 = real(600) }
        let job = try #require(try await desk.train())
        #expect(job.status == .succeeded, "\(job.message.en)")
        let (record, decision) = try await decision(desk)
        // By the figures each got on its own base the new one would have waited.
        #expect(record.figures.auc < demo.figures.auc - 0.02)
        #expect(record.state == .active)
        let comparison = try #require(decision?.comparison)
        #expect(decision?.version == 1)
        #expect(decision?.takesOver == true)
        #expect(comparison.basis == .unseen)
        #expect(comparison.rows == 600)
        #expect(comparison.auc > (try #require(comparison.championAUC)))
        #expect(job.result?.contains("\"auc_of_version_in_use\"") == true)
        for language in Language.allCases {
            let page = try await desk.ask(.get, "/models/\(record.id)", as: desk.principal(.analyst), language)
            #expect(page.text.contains("id=\"decision\""))
            #expect(page.text.contains(Figures.decimal(comparison.auc, 3)))
            #expect(page.text.contains(Figures.decimal(comparison.championAUC ?? 0, 3)))
        }
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("a version that is clearly worse on customers the one in use had not seen waits for a person")
    func worse() async throws {
        let desk = try await Desk(FakeCustomers(real(600)))
        try await desk.train()
        desk.customers.change { all in
            // The outcomes of those learned from are turned round; new customers behave as they always did.
            for place in all.indices { all[place].left = all[place].left != true }
            all += FakeCustomers(200, seed: 21).all.map { customer in
                FakeCustomers.Customer(
                    id: CustomerID(customer.id.rawValue + 900_000), name: "新", region: "North", charge: 5_000,
                    left: customer.left, cells: customer.cells)
            }
            for place in all.indices { all[place].cells["Churn Reason"] = nil }
        }
        try await desk.train()
        let (record, decision) = try await decision(desk)
        #expect(record.state == .ready)
        #expect(decision?.comparison.basis == .unseen)
        #expect(decision?.comparison.rows == 200)
        #expect(decision?.takesOver == false)
        #expect(try await desk.models().map(\.state) == [.ready, .active])
        let page = try await desk.ask(.get, "/models/\(record.id)", as: desk.principal(.analyst))
        #expect(page.text.contains("So it waits for a person."))
    }

    @Test("on the customers it learned from, the columns of the version in use are learned anew in the same folds")
    func refitted() async throws {
        let desk = try await Desk(FakeCustomers(real(500)))
        desk.customers.change { all in for place in all.indices { all[place].cells["contract_term"] = nil } }
        try await desk.train()
        let terms = Dictionary(uniqueKeysWithValues: real(500).map { ($0.id, $0.cells["contract_term"]) })
        desk.customers.change { all in
            for place in all.indices { all[place].cells["contract_term"] = terms[all[place].id] ?? nil }
        }
        try await desk.train()
        let (record, decision) = try await decision(desk)
        let comparison = try #require(decision?.comparison)
        #expect(comparison.basis == .refitted)
        #expect(comparison.rows == 500)
        #expect(comparison.auc > (comparison.championAUC ?? 1))
        #expect(record.state == .active)
    }

    @Test("a version whose columns are gone cannot hold its place")
    func unusable() async throws {
        let desk = try await Desk(FakeCustomers(real(400)))
        try await desk.train()
        desk.customers.rename("tenure_months", "months_with_us")
        try await desk.train()
        let (record, decision) = try await decision(desk)
        #expect(decision?.comparison.basis == .unusable)
        #expect(decision?.comparison.championAUC == nil)
        #expect(record.state == .active)
        let page = try await desk.ask(.get, "/models/\(record.id)", as: desk.principal(.analyst), .zh)
        #expect(page.text.contains("需要的列已不存在"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }
}
