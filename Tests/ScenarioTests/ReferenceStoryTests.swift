import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What others name is not removed, and what programs bring of a customer is on the customer's page.
@Suite("What is named stays; leads, quotes and recommendations are seen")
struct ReferenceStoryTests {
    private static let catalogue = "/tmf-api/productCatalogManagement/v4/"
    private static let products = "/tmf-api/productInventory/v4/product"
    private static let quotes = "/tmf-api/quoteManagement/v4/quote"

    private func made(_ world: ContractWorld, _ path: String, _ body: JSONValue) throws -> String {
        let answer = try world.send("POST", path, body)
        try #require(answer.status == 201, "\(path): \(answer.text)")
        return answer.id
    }

    private func refused(
        _ world: ContractWorld, _ path: String, naming id: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try world.send("DELETE", path)
        #expect(answer.status == 409 && answer.code == "in_use" && answer.text.contains(id), "\(answer.text)", sourceLocation: sourceLocation)
        #expect(try world.send("GET", path).status == 200, sourceLocation: sourceLocation)
    }

    @Test("an account, an offering, a specification, a product and an order are not removed while something names them, which is told")
    func named() async throws {
        let world = try await ContractWorld(customers: 3)
        let customer = try #require(world.customers.first)
        let party: JSONValue = [["id": .string(customer.description), "role": "customer", "@referredType": "Customer"]]
        let account = try made(
            world, "/tmf-api/accountManagement/v4/billingAccount",
            ["name": "Bills", "relatedParty": [["id": .string(customer.description), "name": "A", "role": "owner", "@referredType": "Customer"]]])
        let specification = try made(world, Self.catalogue + "productSpecification", ["name": "Access", "lifecycleStatus": "Active"])
        let offering = try made(world, Self.catalogue + "productOffering", ["name": "Fibre", "lifecycleStatus": "Active"])
        let product = try made(
            world, Self.products,
            [
                "status": "active", "name": "Mine", "relatedParty": party, "billingAccount": ["id": .string(account)],
                "productSpecification": ["id": .string(specification)], "productOffering": ["id": .string(offering)],
            ])
        let accountPath = "/tmf-api/accountManagement/v4/billingAccount/\(account)"
        try refused(world, accountPath, naming: product)
        try refused(world, Self.catalogue + "productSpecification/\(specification)", naming: product)
        try refused(world, Self.catalogue + "productOffering/\(offering)", naming: product)
        let bundle = try made(
            world, Self.products,
            ["status": "active", "relatedParty": party, "productRelationship": [["relationshipType": "bundles", "product": ["id": .string(product)]]]])
        try refused(world, "\(Self.products)/\(product)", naming: bundle)
        try refused(world, "/tmf-api/customerManagement/v4/customer/\(customer)", naming: "orders or products")
        #expect(try world.send("DELETE", "\(Self.products)/\(bundle)").status == 204)
        // Ended: the catalogue is free, what was billed still tells where.
        #expect(try world.send("PATCH", "\(Self.products)/\(product)", ["status": "terminated"]).status == 200)
        #expect(try world.send("DELETE", Self.catalogue + "productSpecification/\(specification)").status == 204)
        try refused(world, accountPath, naming: product)
        // An open quote holds the offering, as an order does.
        let quote = try made(
            world, Self.quotes,
            ["relatedParty": party, "quoteItem": [["id": "1", "action": "add", "quantity": 1, "productOffering": ["id": .string(offering)]]]])
        try refused(world, Self.catalogue + "productOffering/\(offering)", naming: quote)
        #expect(try world.send("DELETE", "\(Self.quotes)/\(quote)").status == 204)
        let orders = "/tmf-api/productOrderingManagement/v4/productOrder"
        let order = try made(
            world, orders, ["relatedParty": party, "productOrderItem": [["id": "1", "action": "add", "productOffering": ["id": .string(offering)]]]])
        for state in ["inProgress", "completed"] {
            #expect(try world.send("PATCH", "\(orders)/\(order)", ["state": .string(state)]).status == 200)
        }
        let done = try world.send("GET", "\(orders)/\(order)").body["productOrderItem"]?.array?.first?["product"]?["id"]?.string ?? "-"
        try refused(world, "\(orders)/\(order)", naming: done)
        #expect(try world.send("DELETE", "\(Self.products)/\(done)").status == 204)
        #expect(try world.send("DELETE", "\(orders)/\(order)").status == 204)
        #expect(try world.send("DELETE", "\(Self.products)/\(product)").status == 204)
        #expect(try world.send("DELETE", accountPath).status == 204)
    }

    @Test("leads, quotes and recommendations of a customer are on the page in both languages, for those who may see them")
    func shown() async throws {
        let world = try await ContractWorld(customers: 3)
        let customer = try #require(world.customers.first)
        let path = "/customers/\(customer)"
        let supervisor = try await world.scenario.user("mei", [.supervisor])
        for name in ["leads", "recommendations"] {
            #expect(!(try supervisor.get(path).text.contains("id=\"panel-\(name)\"")), "nothing to show is no panel")
        }
        let party: JSONValue = [["id": .string(customer.description), "role": "customer", "@referredType": "Customer"]]
        _ = try made(
            world, "/tmf-api/sales/v4/salesLead",
            [
                "name": "Fibre for Wang Fang", "priority": "high", "relatedParty": party, "estimatedRevenue": ["unit": "CNY", "value": 1234.5],
                "productOffering": ["id": "o1", "name": "Fibre 1000", "href": "https://a.example/o1"],
            ])
        _ = try made(
            world, Self.quotes,
            [
                "externalId": "Q-77", "relatedParty": party,
                "quoteItem": [
                    [
                        "id": "1", "action": "add", "quantity": 1, "productOffering": ["id": "x", "name": "Office Pack", "href": "https://a.example/x"],
                        "quoteItemPrice": [
                            ["name": "m", "priceType": "recurring", "recurringChargePeriod": "month", "price": ["taxIncludedAmount": ["unit": "CNY", "value": 88]]]
                        ],
                    ]
                ],
            ])
        _ = try made(
            world, "/tmf-api/recommendationManagement/v4/queryProductRecommendation",
            ["name": "At the shop", "relatedParty": ["id": .string(customer.description), "@referredType": "Customer"]])
        let page = try supervisor.get(path).text
        for word in [
            "id=\"panel-leads\"", "Fibre for Wang Fang", "Fibre 1000", "1,234.50", "high", "Q-77", "Office Pack", "88.00 / month", "In progress",
            "id=\"panel-recommendations\"", "At the shop",
        ] { #expect(page.contains(word), "\(word)") }
        #expect(!page.contains("[[") && !page.contains("{{"))
        try supervisor.post("/preferences", [("language", "zh")])
        let chinese = try supervisor.get(path).text
        for word in ["销售线索", "新线索", "优先级 高", "88.00／月", "报价", "编制中", "推荐", "查询于"] { #expect(chinese.contains(word), "\(word)") }
        // Whose work is campaigns sees no quotes; whoever may not see names reads a lead without them.
        let marketer = try await world.scenario.user("lin", [.marketer])
        let half = try marketer.get(path).text
        #expect(half.contains("id=\"panel-leads\"") && !half.contains("Q-77"))
        let administrator = try await world.scenario.user("root", [.administrator])
        #expect(!(try administrator.get(path).text.contains("Wang Fang")))
    }
}
