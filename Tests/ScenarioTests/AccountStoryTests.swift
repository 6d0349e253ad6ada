import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Accounts and party roles, from a program to the customer's page.
@Suite("Accounts and party roles of programs")
struct AccountStoryTests {
    private static let accounts = "/tmf-api/accountManagement/v4"
    private static let roles = "/tmf-api/partyRoleManagement/v4/partyRole"
    private static let parties = "/tmf-api/party/v4"
    private static let customers = "/tmf-api/customerManagement/v4/customer"

    private func party(_ id: String, _ role: String = "customer") -> JSONValue {
        ["id": .string(id), "name": "N", "role": .string(role), "@referredType": "Customer"]
    }

    @Test("a program's account stands on its customer's page and on the payer's, with its state; closed it stays closed, and it goes when nothing is of it")
    func account() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let world = try await ContractWorld(scenario)
        let (holder, payer) = (world.customers[0].description, world.customers[1].description)
        let made = try world.send(
            "POST", Self.accounts + "/billingAccount",
            ["name": "Family bills", "accountNumber": "77001122", "relatedParty": [party(holder), party(payer, "payer")]])
        try #require(made.status == 201, "\(made.text)")
        let path = "\(Self.accounts)/billingAccount/\(made.id)"
        #expect(made.body["state"] == "Active")
        #expect(try world.send("POST", Self.accounts + "/billingAccount", ["name": "Again", "accountNumber": "77001122", "relatedParty": [party(holder)]]).code == "number_taken")
        // The customer says so too.
        let reference = try world.send("GET", "\(Self.customers)/\(holder)").body["account"]?.array ?? []
        #expect(reference.contains { $0["id"] == .string(made.id) && $0["@referredType"] == "BillingAccount" && $0["href"]?.string?.hasSuffix(path) == true })
        let agent = try await scenario.user("ann", [.supervisor])
        for (language, words) in [("en", ["Billing account", "77001122", "Family bills", "Open", "Payer"]), ("zh", ["付费账户", "正常", "付费人"])] {
            for customer in [holder, payer] {
                let page = try agent.get("/customers/\(customer)", headers: [("Accept-Language", language)]).text
                for word in words { #expect(page.contains(word), "\(word) of \(customer)") }
            }
        }
        #expect(try agent.get("/customers?q=7700112").text.contains("/customers/\(holder)"), "found by its number")
        // Its states.
        #expect(try world.send("PATCH", path, ["state": "Suspended"]).status == 200)
        #expect(try agent.get("/customers/\(holder)", headers: [("Accept-Language", "zh")]).text.contains("暂停"))
        let closed = try world.send("PATCH", path, ["state": "Closed"])
        #expect(closed.body["validFor"]?["endDateTime"]?.string != nil, "\(closed.text)")
        let again = try world.send("PATCH", path, ["state": "Active"])
        #expect(again.status == 409 && again.code == "illegal_transition", "\(again.text)")
        for (query, count) in [("state=Closed", 1), ("state=Active", 0), ("accountNumber=77001122", 1), ("name=Family%20bills", 1), ("relatedParty.id=\(payer)", 1)] {
            #expect(try world.send("GET", "\(Self.accounts)/billingAccount?\(query)").items.count == count, "\(query)")
        }
        // A product that is billed to it keeps it, and it keeps its customer.
        let product = try world.send(
            "POST", "/tmf-api/productInventory/v4/product",
            [
                "status": "active", "name": "Line", "billingAccount": ["id": .string(made.id)], "relatedParty": [party(holder)],
                "productOffering": ["id": "o", "href": "https://other.example/o"], "productCharacteristic": [["name": "n", "value": "v"]],
            ])
        try #require(product.status == 201, "\(product.text)")
        let refused = try world.send("DELETE", path)
        #expect(refused.status == 409 && refused.text.contains("there are products "), "\(refused.text)")
        #expect(try world.send("DELETE", "/tmf-api/productInventory/v4/product/\(product.id)").status == 204)
        #expect(try world.send("DELETE", path).status == 204)
        let page = try agent.get("/customers/\(holder)").text
        #expect(!page.contains("77001122"))
    }

    @Test("a role is of a party of ours; the party cannot go before it, becomes a customer with it, and what is a customer is not made as a role")
    func role() async throws {
        let world = try await ContractWorld()
        let organization = try world.send("POST", Self.parties + "/organization", ["tradingName": "Harbour Cables Ltd"])
        let engaged: JSONValue = ["id": .string(organization.id), "@referredType": "Organization"]
        let made = try world.send("POST", Self.roles, ["name": "Supplier", "status": "Initialized", "engagedParty": engaged])
        try #require(made.status == 201, "\(made.text)")
        let path = "\(Self.roles)/\(made.id)"
        for (body, code) in [
            (["name": "Supplier", "engagedParty": ["id": "77", "@referredType": "Organization"]], "unknown_party"), (["name": "Supplier"], "unknown_party"),
            (["name": "Customer", "engagedParty": engaged], "is_customer"), (["name": "x", "@type": "Customer", "engagedParty": engaged], "is_customer"),
            (["name": "x", "engagedParty": engaged, "account": [["id": "9", "name": "n"]]], "unknown_reference"),
        ] as [(JSONValue, String)] {
            let refused = try world.send("POST", Self.roles, body)
            #expect(refused.status == 400 && refused.code == code, "\(refused.text)")
        }
        for (state, status) in [("Suspended", 409), ("Active", 200), ("Suspended", 200), ("Terminated", 200), ("Active", 409)] {
            #expect(try world.send("PATCH", path, ["status": .string(state)]).status == status, "\(state)")
        }
        // Before anything else, the party's account and role hold it.
        let account = try world.send(
            "POST", Self.accounts + "/settlementAccount", ["name": "Clearing", "accountNumber": "99003344", "relatedParty": [["id": .string(organization.id), "name": "H", "@referredType": "Organization"]]])
        try #require(account.status == 201, "\(account.text)")
        let held = try world.send("DELETE", "\(Self.parties)/organization/\(organization.id)")
        #expect(held.status == 409 && held.text.contains("roles") && held.text.contains("accounts"), "\(held.text)")
        // Customers are not doubled in the list of roles, and a customer's id is no role's.
        #expect(try world.send("GET", Self.roles).items.map { $0["id"]?.string } == [made.id])
        #expect(try world.send("GET", "\(Self.roles)/\(world.customers[0])").status == 404)
        let customer = try world.send("POST", Self.customers, ["name": "Harbour Cables Ltd", "engagedParty": engaged])
        try #require(customer.status == 201, "\(customer.text)")
        #expect(customer.body["account"]?.array?.first?["id"] == .string(account.id), "\(customer.text)")
        #expect(try world.send("GET", "\(Self.roles)?engagedParty.id=\(organization.id)").items.map { $0["id"]?.string } == [made.id])
        let agent = try await world.scenario.user("ann", [.supervisor])
        #expect(try agent.get("/customers/\(customer.id)").text.contains("99003344"))
        #expect(try agent.get("/customers?q=9900334").text.contains("/customers/\(customer.id)"))
        #expect(try world.send("DELETE", "\(Self.customers)/\(customer.id)").text.contains("accounts"))
        #expect(try world.send("DELETE", "\(Self.accounts)/settlementAccount/\(account.id)").status == 204)
        // The role is the party's, not the customer's.
        #expect(try world.send("DELETE", "\(Self.customers)/\(customer.id)").status == 204)
        #expect(try world.send("GET", path).body["engagedParty"] == engaged)
        #expect(try world.send("DELETE", "\(Self.parties)/organization/\(organization.id)").status == 409)
        #expect(try world.send("DELETE", path).status == 204)
        #expect(try world.send("DELETE", "\(Self.parties)/organization/\(organization.id)").status == 204)
    }

    @Test("who may see a part of the regions makes and sees accounts and roles of its customers only")
    func regions() async throws {
        let world = try await ContractWorld()
        let rows = try await world.scenario.tenant.database.read { session in
            try session.query("SELECT customer_id, region FROM customers_listing WHERE region <> '' ORDER BY customer_id") { ($0.id(0, PartyKind.self), $0.text(1)) }
        }
        let (inside, region) = try #require(rows.first.map { ($0.0.description, $0.1) })
        let outside = try #require(rows.first { $0.1 != region }?.0.description)
        let token = try await ContractWorld.token(
            world.scenario, "part", scopes: world.scenario.runtime.modules.resources.map(\.api), regions: [region])
        let path = Self.accounts + "/billingAccount"
        let foreign = try world.send("POST", path, ["name": "Foreign", "relatedParty": [party(outside), party(inside, "payer")]])
        #expect(try world.send("POST", path, ["name": "x", "relatedParty": [party(outside)]], token: token).status == 403)
        #expect(try world.send("POST", Self.roles, ["name": "x", "engagedParty": party(outside)], token: token).status == 403)
        // Whom it may not see is to it as one who does not exist.
        for stranger in [outside, "12345"] {
            let named = try world.send("POST", path, ["name": "x", "relatedParty": [party(inside), party(stranger, "payer")]], token: token)
            #expect(named.status == 400 && named.code == "unknown_party" && named.text.contains("relatedParty[1].id"), "\(named.text)")
        }
        var elsewhere = party(outside, "payer").object ?? [:]
        elsewhere["href"] = "https://other.example/1"
        let mine = try world.send("POST", path, ["name": "Mine", "relatedParty": [party(inside), .object(elsewhere)]], token: token)
        try #require(mine.status == 201, "\(mine.text)")
        #expect(try world.send("POST", Self.roles, ["name": "Dealer", "engagedParty": party(inside)], token: token).status == 201)
        let listed = try world.send("GET", path, token: token)
        #expect(listed.items.map { $0["id"]?.string } == [mine.id] && listed.header("X-Total-Count") == "1", "\(listed.text)")
        for method in ["GET", "DELETE"] { #expect(try world.send(method, "\(path)/\(foreign.id)", token: token).status == 404) }
        // Whom it may not see it gives no role.
        let roles = try await world.scenario.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM customers_account_role WHERE account_id = $1", [.int(Int64(mine.id) ?? 0)])
        }
        #expect(roles == 0)
    }
}
