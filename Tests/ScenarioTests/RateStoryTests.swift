import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What customers are charged with, as programs read it: bills, fees and adjustments of files.
@Suite("Applied billing rates over HTTP")
struct RateStoryTests {
    private static let path = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate"

    private func world() async throws -> ContractWorld {
        let world = try await ContractWorld(customers: 0)
        func imported(_ entity: String, _ csv: String) async throws {
            let report = try await world.scenario.imported(entity, csv, source: "billing")
            #expect(report.rejected == 0, "\(report.reasons)")
        }
        try await imported("customer", "source_id,full_name,region\nQ1,Wang Fang,north\nQ2,Li Na,south\n")
        try await imported("accounts", "account_number,customer id,account_kind\nA1,Q1,billing\nA2,Q2,billing\n")
        try await imported(
            "bills",
            """
            bill_number,customer id,account_number,bill_kind,period,amount,issued,due
            R1,Q1,A1,bill,2026-01,50.25,2026-02-01,2026-02-20
            R2,Q1,A1,fee,2026-01,5,2026-01-10,2026-02-20
            R3,Q1,,adjustment,2026-01,-7.5,2026-01-15,
            R4,Q2,A2,bill,2026-01,80,2026-02-01,2026-02-20
            R5,Q2,A9,fee,2026-02,3,2026-02-03,

            """)
        try await imported("payments", "payment_number,customer id,amount,paid_on,bill_number\nP1,Q1,20,2026-02-10,R1\n")
        return world
    }

    private func names(_ world: ContractWorld, _ query: String, token: String? = nil) throws -> [String] {
        let answer = try world.send("GET", "\(Self.path)?\(query)", token: token)
        #expect([200, 206].contains(answer.status), "\(query): \(answer.text)")
        return answer.items.compactMap { $0["name"]?.string }.sorted()
    }

    @Test("bills are rates of their sums, fees and adjustments are rates of no bill; payments are none")
    func rates() async throws {
        let world = try await world()
        let all = try world.send("GET", Self.path)
        #expect(all.status == 200 && all.header("X-Total-Count") == "5" && all.items.count == 5, "\(all.text)")
        func rate(_ name: String) throws -> JSONValue { try #require(all.items.first { $0["name"]?.string == name }, "\(name)") }
        let bill = try rate("R1")
        let own = try #require(try world.send("GET", "/tmf-api/customerBillManagement/v4/customerBill?billNo=R1").items.first)
        #expect(bill["isBilled"] == true && bill["bill"]?["id"] == own["id"] && bill["bill"]?["href"] == own["href"])
        #expect(bill["type"] == "appliedBillingCharge" && bill["taxIncludedAmount"] == ["unit": "CNY", "value": 50.25])
        #expect(bill["billingAccount"] == own["billingAccount"] && bill["periodCoverage"] == own["billingPeriod"])
        #expect(bill["date"] == own["billDate"] && bill["relatedParty"] == own["relatedParty"])
        let fee = try rate("R2")
        #expect(fee["isBilled"] == false && fee["bill"] == nil && fee["billingAccount"]?["name"] == "A1")
        let credit = try rate("R3")
        #expect(credit["type"] == "appliedBillingCredit" && credit["taxIncludedAmount"]?["value"] == -7.5 && credit["billingAccount"] == nil)
        let unknown = try rate("R5")
        let characteristic = unknown["characteristic"]?.array ?? []
        #expect(unknown["billingAccount"] == nil && characteristic.contains(["name": "accountNumber", "value": "A9"]))
        for item in all.items {
            let one = try world.send("GET", "\(Self.path)/\(item["id"]?.string ?? "")")
            #expect(one.status == 200 && one.body == item && one.header("ETag") != nil)
        }
        let hub = try world.send(
            "POST", "/tmf-api/customerBillManagement/v4/hub",
            ["callback": "https://1.1.1.1/x", "query": "eventType=AppliedCustomerBillingRateCreateEvent"])
        #expect(hub.status == 400, "the specification has no events of them: \(hub.text)")
        // Billing makes them.
        let id = bill["id"]?.string ?? ""
        #expect(try world.send("POST", Self.path, [:]).status == 405 && world.send("PATCH", "\(Self.path)/\(id)", [:]).status == 405)
        #expect(try world.send("DELETE", "\(Self.path)/\(id)").status == 405)
        let paid = try await world.scenario.tenant.database.read {
            try $0.first("SELECT id FROM customers_charge WHERE kind = 'payment'") { $0.int(0) }
        }
        #expect(try world.send("GET", "\(Self.path)/\(try #require(paid))").status == 404)
    }

    @Test("they are found by bill, account, customer, kind and amount; by another region by nobody")
    func found() async throws {
        let world = try await world()
        let all = try world.send("GET", Self.path).items
        func one(_ name: String, _ path: [String]) throws -> String {
            var value = try #require(all.first { $0["name"]?.string == name })
            for step in path { value = value[step] ?? value.array?.first?[step] ?? .null }
            return try #require(value.string, "\(name) \(path)")
        }
        #expect(try names(world, "bill.id=\(try one("R1", ["bill", "id"]))") == ["R1"])
        #expect(try names(world, "bill.id=\(try one("R2", ["id"]))") == [], "a fee is on no bill")
        #expect(try names(world, "bill.id=\(try one("R1", ["bill", "id"])),\(try one("R4", ["bill", "id"]))") == ["R1", "R4"])
        let account = try one("R1", ["billingAccount", "id"])
        #expect(try names(world, "billingAccount.id=\(account)") == ["R1", "R2"])
        #expect(try names(world, "billingAccount.id=\(account)&isBilled=false") == ["R2"])
        #expect(try names(world, "billingAccount.id=A1") == [] && names(world, "billingAccount.id=1") == [])
        #expect(try names(world, "relatedParty.id=\(try one("R1", ["relatedParty", "id"]))") == ["R1", "R2", "R3"])
        #expect(try names(world, "type=appliedBillingCredit") == ["R3"])
        #expect(try names(world, "taxIncludedAmount.value.gte=50") == ["R1", "R4"])
        #expect(try names(world, "name=R5") == ["R5"] && names(world, "date.lt=2026-01-12") == ["R2"])
        #expect(try names(world, "sort=-date&limit=2&fields=name").count == 2)
        let token = try await ContractWorld.token(world.scenario, "north", scopes: [TMFAPI(678, "customerBillManagement")], regions: ["north"])
        #expect(try names(world, "limit=100", token: token) == ["R1", "R2", "R3"])
        #expect(try world.send("GET", "\(Self.path)/\(try one("R4", ["id"]))", token: token).status == 404)
    }
}
