import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Customers

/// The resources of this domain as programs reach them, without a server.
private struct AccountDesk: Sendable {
    let desk: RecordDesk
    let resources: [TMFResource]
    let who = TestTenant.principal([
        CustomerPermissions.view, CustomerPermissions.edit, Masking.seeNames, Masking.seeContacts, Masking.seeIdentity, Masking.seeUnlabelled,
    ])

    var tenant: Tenant { desk.tenant }
    var ids: [CustomerID] { desk.ids }

    init(_ test: TestTenant? = nil) async throws {
        let test = if let test { test } else { try await TestTenant(["Customers", "TMF"]) }
        desk = try await RecordDesk(test)
        resources = try CustomersModule.resources(TMFSchemas(share: Checkout.share), holds: [])
    }

    func tmf(_ name: String) throws -> TMFDesk {
        TMFDesk(resource: try #require(resources.first { $0.name == name }), tenant: tenant)
    }

    func make(_ name: String, _ document: JSONObject) async throws -> (id: Int64, document: JSONObject) {
        let (tmf, context) = (try tmf(name), TMFContext(tenant: tenant, principal: who, now: tenant.clock.now()))
        return try await tenant.database.write { try tmf.create(document, context, $0) }
    }

    func change(_ name: String, _ id: Int64, _ patch: JSONObject) async throws -> JSONObject {
        let (tmf, context) = (try tmf(name), TMFContext(tenant: tenant, principal: who, now: tenant.clock.now()))
        let merge = try TMFPatch("application/merge-patch+json", .object(patch))
        return try await tenant.database.write { try tmf.change(id, merge, seen: nil, context, $0) }
    }

    func remove(_ name: String, _ id: Int64) async throws {
        let (tmf, context) = (try tmf(name), TMFContext(tenant: tenant, principal: who, now: tenant.clock.now()))
        _ = try await tenant.database.write { try tmf.remove(id, seen: nil, context, $0) }
    }

    func read(_ name: String, _ id: Int64, as other: Principal? = nil) async throws -> JSONObject {
        let (tmf, who) = (try tmf(name), other ?? who)
        return try await tenant.database.read { try tmf.document(id, who, $0) }
    }

    /// The code of the refusal; `nil` = it was not refused.
    func refusal(_ work: () async throws -> Void) async -> String? {
        do {
            try await work()
            return nil
        } catch let error as CRMError {
            return "\(error.status) \(error.code)"
        } catch {
            return "\(error)"
        }
    }

    static func party(_ id: CustomerID, _ role: String = "customer") -> JSONValue {
        ["id": .string(id.description), "name": "N", "role": .string(role), "@referredType": "Customer"]
    }

    func account(_ number: String) async throws -> Int64 {
        let found = try await tenant.database.read { session in
            try session.query("SELECT id FROM customers_account WHERE number = $1", [.text(number)]) { $0.int(0) }
        }
        return try #require(found.first)
    }

    func revision(_ place: Int) async throws -> Int64? { try await desk.bench.record(ids[place])?.customer.revision }

    /// Customers as an import made them are taken back when nothing has been added since.
    func revertCustomers() async throws -> [RevertIssue] {
        let target = CustomerImportTarget(tenant, holds: [CustomersModule.hold])
        let (all, who) = (ids, desk.bench.principal)
        return try await tenant.database.write { session in
            try target.revertCreated(all.map { ($0, revision: 1, undo: []) }, principal: who, session)
        }
    }
}

@Suite("Accounts that programs and imports share")
struct AccountTests {
    @Test("an imported account is read with its parties, the account above and its bill day; what a program adds is there besides")
    func imported() async throws {
        let desk = try await AccountDesk()
        _ = try await desk.desk.apply(
            "accounts",
            [
                ["account_number": .text("A1"), "source_id": .text("B1"), "account_kind": .text("household"), "opened_on": .text("2020-01-02")],
                [
                    "account_number": .text("A2"), "source_id": .text("B1"), "name": .text("Mobile"), "parent_number": .text("A1"),
                    "bill_day": .int(5), "payment_method": .text("direct debit"), "status": .text("suspended"),
                ],
            ])
        _ = try await desk.desk.apply(
            "account_roles",
            [["account_number": .text("A2"), "source_id": .text("B2"), "role": .text("payer"), "valid_from": .text("2024-01-01")]])
        let (above, below) = (try await desk.account("A1"), try await desk.account("A2"))
        let billing = try await desk.read("billingAccount", below)
        #expect(billing["name"] == "Mobile" && billing["state"] == "Suspended" && billing["accountNumber"] == "A2")
        let parties = billing["relatedParty"]?.array ?? []
        #expect(parties.map { $0["role"]?.string } == ["customer", "payer"], "\(parties)")
        #expect(parties.map { $0["id"]?.string } == desk.ids.map(\.description))
        #expect(parties.map { $0["name"]?.string } == ["王小明", "李雷"])
        #expect(billing["accountRelationship"]?.array?.first?["account"]?["id"] == .string(String(above)), "\(billing)")
        #expect(billing["billStructure"]?["cycleSpecification"]?["billingDateShift"] == 4)
        #expect(billing["defaultPaymentMethod"]?["name"] == "direct debit")
        #expect(billing["accountBalance"] == nil && billing["paymentStatus"] == nil, "nothing is known of its bills")
        // The other is a party account, and found as such only.
        #expect(await desk.refusal { _ = try await desk.read("billingAccount", above) } == "404 not_found")
        let household = try await desk.read("partyAccount", above)
        #expect(household["name"] == "A1" && household["accountType"] == "household" && household["validFor"]?["startDateTime"] == "2020-01-02T00:00:00+08:00")
        let general = try await desk.read("partyAccount", below)
        #expect(general["@type"] == "BillingAccount" && general["href"]?.string?.hasSuffix("/billingAccount/\(below)") == true)
        #expect(await desk.refusal { _ = try await desk.change("partyAccount", below, ["description": "x"]) } == "409 other_resource")
        #expect(await desk.refusal { try await desk.remove("partyAccount", below) } == "409 other_resource")
        // What a program says does not disturb what the source says later.
        let changed = try await desk.change("billingAccount", below, ["creditLimit": ["unit": "CNY", "value": 99.5], "x-own": 1, "state": "Active"])
        #expect(changed["creditLimit"]?["value"] == 99.5 && changed["state"] == "Active" && changed["relatedParty"] == billing["relatedParty"])
        #expect(try await desk.read("partyAccount", below)["x-own"] == 1)
        #expect(changed["accountRelationship"]?.array?.count == 1 && changed["billStructure"] == billing["billStructure"])
        _ = try await desk.desk.apply(
            "accounts", [["account_number": .text("A2"), "source_id": .text("B1"), "bill_day": .int(9), "name": .text("Mobile 2")]])
        let later = try await desk.read("billingAccount", below)
        #expect(later["name"] == "Mobile 2" && later["creditLimit"]?["value"] == 99.5)
        #expect(later["billStructure"]?["cycleSpecification"]?["billingDateShift"] == 8, "\(later)")
        #expect(later["billStructure"]?["cycleSpecification"]?["name"] == "Monthly, day 9")
        #expect(later["defaultPaymentMethod"] == billing["defaultPaymentMethod"])
    }

    @Test("who sees no names sees none in accounts, and who reaches one region sees its accounts and of other parties nothing")
    func masked() async throws {
        let desk = try await AccountDesk()
        let made = try await desk.make(
            "billingAccount",
            [
                "name": "王小明的账户", "relatedParty": [AccountDesk.party(desk.ids[0]), AccountDesk.party(desk.ids[1], "payer")],
                "contact": [["contactType": "primary", "contactName": "李四", "validFor": [:]]],
            ])
        let blind = TestTenant.principal([CustomerPermissions.view])
        let text = JSONValue.object(try await desk.read("billingAccount", made.id, as: blind)).encoded()
        for name in ["小明", "李四", "李雷"] { #expect(!text.contains(name), "\(text)") }
        let east = TestTenant.principal([CustomerPermissions.view, Masking.seeNames], regions: ["east"])
        let seen = try await desk.read("billingAccount", made.id, as: east)
        #expect(seen["relatedParty"]?.array?.map { $0["id"]?.string } == [desk.ids[0].description], "\(seen)")
        let west = TestTenant.principal([CustomerPermissions.view, Masking.seeNames], regions: ["west"])
        #expect(await desk.refusal { _ = try await desk.read("billingAccount", made.id, as: west) } == "404 not_found")
    }

    @Test("the balance is what the bills of the account leave open; of bills of two accounts with one number nothing is said")
    func balance() async throws {
        let desk = try await AccountDesk()
        _ = try await desk.desk.apply("accounts", [["account_number": .text("A1"), "source_id": .text("B1")]])
        func bill(_ number: String, _ amount: Int64, _ more: [String: SQLValue] = [:]) -> [String: SQLValue] {
            [
                "bill_number": .text(number), "source_id": .text("B1"), "account_number": .text("A1"), "amount": .int(amount),
                "period": .text("2026-01"), "issued_on": .text("2026-01-05"), "due_on": .text("2100-01-20"),
            ].merging(more) { $1 }
        }
        _ = try await desk.desk.apply(
            "bills", [bill("R1", 5_000, ["paid_on": .text("2026-01-18")]), bill("R2", 7_050), bill("R3", 1_000, ["paid_state": .text("disputed")])])
        let id = try await desk.account("A1")
        func entries() async throws -> [String] {
            let found = try await desk.read("billingAccount", id)
            return (found["accountBalance"]?.array ?? []).map { "\($0["balanceType"]?.string ?? "") \($0["amount"]?["value"]?.encoded() ?? "")" }
                + [found["paymentStatus"]?.string ?? ""]
        }
        #expect(try await entries() == ["receivable balance 70.5", "disputed balance 10", "due"])
        _ = try await desk.desk.apply(
            "payments",
            [
                [
                    "payment_number": .text("P1"), "source_id": .text("B1"), "bill_number": .text("R2"), "amount": .int(2_050),
                    "paid_on": .text("2026-01-25"),
                ]
            ])
        _ = try await desk.desk.apply("bills", [bill("R4", 100, ["due_on": .text("2000-01-20")])])
        #expect(try await entries() == ["receivable balance 51", "disputed balance 10", "in arrears"])
        #expect(await desk.refusal { _ = try await desk.change("billingAccount", id, ["paymentStatus": "paid"]) } == "400 fixed")
        #expect(await desk.refusal { _ = try await desk.change("billingAccount", id, ["accountBalance": .null]) } == "400 fixed")
        #expect(try await desk.change("billingAccount", id, ["description": "d"])["paymentStatus"] == "in arrears")
        #expect(await desk.refusal { try await desk.remove("billingAccount", id) } == "409 in_use")
        // Its bills name it by the id that programs open it with.
        let bills = try desk.tmf("customerBill")
        let who = desk.who
        let named = try await desk.tenant.database.read { session in
            let ids = try session.query("SELECT id FROM customers_charge WHERE kind = 'bill' ORDER BY number") { $0.int(0) }
            return try bills.document(ids[0], who, session)["billingAccount"]
        }
        #expect(named?["id"] == .string(String(id)) && named?["name"] == "A1")
        _ = try await desk.desk.apply(
            "accounts", [["account_number": .text("A1"), "source_id": .text("B1"), "customer_source": .text("billing")]], source: "retail")
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account WHERE number = 'A1'") == 2)
        #expect(try await desk.read("billingAccount", id)["accountBalance"] == nil)
    }

    @Test("an import that is taken back leaves what a program has changed or made, and takes the rest")
    func reverts() async throws {
        let desk = try await AccountDesk()
        let rows = ["A1", "A2"].map { ["account_number": SQLValue.text($0), "source_id": .text("B1")] }
        let outcomes = try await desk.desk.apply("accounts", rows)
        _ = try await desk.change("billingAccount", try await desk.account("A1"), ["description": "looked after"])
        let issues = try await desk.desk.revert("accounts", outcomes)
        #expect(issues.count == 1 && issues.first?.reason.en.contains("Changed since") == true, "\(issues)")
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account WHERE number = 'A1'") == 1)
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account") == 1)
        try await desk.remove("billingAccount", try await desk.account("A1"))
        // Customers with an account of a program's stay, and so does who pays.
        let made = try await desk.make(
            "billingAccount", ["name": "Own", "relatedParty": [AccountDesk.party(desk.ids[0]), AccountDesk.party(desk.ids[1], "payer")]])
        #expect(try await desk.revertCustomers().count == 2)
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_customer") == 2)
        try await desk.remove("billingAccount", made.id)
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account_role") == 0)
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_record_key WHERE kind LIKE 'account%'") == 0)
        #expect(try await desk.revision(1) == 1, "nothing is left of it")
        // So do those who play a part.
        let role = try await desk.make("partyRole", ["name": "Dealer", "engagedParty": AccountDesk.party(desk.ids[1])])
        let kept = try await desk.revertCustomers()
        #expect(kept.contains { $0.customer == desk.ids[1] && $0.reason.en.contains("roles") }, "\(kept)")
        try await desk.remove("partyRole", role.id)
        _ = try await desk.revertCustomers()
        #expect(try await desk.desk.bench.record(desk.ids[1]) == nil)
    }

    @Test("a customer who is taken out takes the parts of accounts along, and roles in others' accounts")
    func forgotten() async throws {
        let desk = try await AccountDesk()
        _ = try await desk.make(
            "billingAccount",
            [
                "name": "Own", "relatedParty": [AccountDesk.party(desk.ids[0]), ["id": "x", "name": "王五", "@referredType": "Individual"]],
                "contact": [["contactType": "primary", "contactName": "李四", "validFor": [:], "contactMedium": [["mediumType": "phone", "characteristic": ["phoneNumber": "1"]]]]],
                "taxExemption": [["issuingJurisdiction": "EU", "validFor": [:]]], "paymentPlan": [["planType": "a"]],
            ])
        _ = try await desk.make(
            "billingAccount", ["name": "Other", "relatedParty": [AccountDesk.party(desk.ids[1]), AccountDesk.party(desk.ids[0], "user")]])
        let record = try #require(try await desk.desk.bench.record(desk.ids[0]))
        let ids = desk.tenant.ids
        try await desk.tenant.database.write { try CustomerWriter(ids: ids, $0).remove([record], $0) }
        for table in AccountRows.partTables {
            let left = try await desk.tenant.database.read { try $0.count("SELECT COUNT(*) FROM \(table)") }
            #expect(left == 0, "\(table)")
        }
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account") == 1)
        let other = try await desk.account(try await desk.tenant.database.read { try $0.first("SELECT number FROM customers_account") { $0.text(0) } } ?? "")
        let parties = try await desk.read("billingAccount", other)["relatedParty"]?.array ?? []
        #expect(parties.compactMap { $0["id"]?.string } == [desk.ids[1].description], "\(parties)")
    }

    @Test("parties of an account: it stays its holder's, roles of customers come and go, and what it names must be there")
    func parties() async throws {
        let desk = try await AccountDesk()
        let (holder, payer) = (AccountDesk.party(desk.ids[0], "Owner"), AccountDesk.party(desk.ids[1], "payer"))
        let made = try await desk.make("billingAccount", ["name": "Own", "relatedParty": [payer, holder]])
        #expect(made.document["relatedParty"] == [payer, holder], "as it was sent")
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account_role WHERE role = 'payer'") == 1)
        let holders = try await desk.tenant.database.read { try $0.query("SELECT customer_id FROM customers_account") { $0.id(0, PartyKind.self) } }
        #expect(holders == [desk.ids[0]])
        #expect(
            await desk.refusal { _ = try await desk.change("billingAccount", made.id, ["relatedParty": [AccountDesk.party(desk.ids[1])]]) }
                == "409 other_holder")
        _ = try await desk.change("billingAccount", made.id, ["relatedParty": [holder, AccountDesk.party(desk.ids[1], "user")]])
        let roles = try await desk.tenant.database.read { try $0.query("SELECT role FROM customers_account_role") { $0.text(0) } }
        #expect(roles == ["user"])
        let nobody: JSONValue = [["id": "77", "name": "N", "@referredType": "Customer"]]
        #expect(await desk.refusal { _ = try await desk.make("billingAccount", ["name": "x", "relatedParty": nobody]) } == "400 unknown_party")
        for (name, value) in [
            ("financialAccount", ["id": "9"]), ("accountRelationship", [["relationshipType": "parent", "validFor": [:], "account": ["id": "9"]]]),
            ("billStructure", ["format": ["id": "9", "isRef": true, "name": "n"]]),
        ] as [(String, JSONValue)] {
            let code = await desk.refusal { _ = try await desk.make("billingAccount", ["name": "x", "relatedParty": [holder], name: value]) }
            #expect(code == "400 unknown_reference", "\(name)")
        }
        // Below another one of ours, by its id; the bill's day is that of the cycle.
        let cycle = try await desk.make("billingCycleSpecification", ["name": "On the tenth", "billingDateShift": 9])
        let sum = try await desk.make("financialAccount", ["name": "Receivables"])
        let below = try await desk.make(
            "billingAccount",
            [
                "name": "Below", "relatedParty": [holder], "financialAccount": ["id": .string(String(sum.id))],
                "accountRelationship": [["relationshipType": "parent", "validFor": [:], "account": ["id": .string(String(made.id))]]],
                "billStructure": ["cycleSpecification": ["id": .string(String(cycle.id)), "isRef": true, "name": "On the tenth"]],
            ])
        #expect(try await desk.desk.count("SELECT COUNT(*) FROM customers_account WHERE bill_day = 10 AND parent_number IS NOT NULL") == 1)
        for (name, id) in [("billingAccount", made.id), ("billingCycleSpecification", cycle.id), ("financialAccount", sum.id)] {
            #expect(await desk.refusal { try await desk.remove(name, id) } == "409 in_use", "\(name)")
        }
        #expect(
            await desk.refusal {
                let own: JSONValue = [["relationshipType": "parent", "validFor": [:], "account": ["id": .string(String(below.id))]]]
                _ = try await desk.change("billingAccount", below.id, ["accountRelationship": own])
            } == "400 own_parent")
        try await desk.remove("billingAccount", below.id)
        for (name, id) in [("billingAccount", made.id), ("billingCycleSpecification", cycle.id), ("financialAccount", sum.id)] {
            #expect(await desk.refusal { try await desk.remove(name, id) } == nil, "\(name)")
        }
    }

    @Test("accounts of records that are one customer stand on its page together, with their states in both languages")
    func joined() async throws {
        let desk = try await AccountDesk()
        _ = try await desk.desk.apply("accounts", [["account_number": .text("A1"), "source_id": .text("B1"), "status": .text("closed")]])
        _ = try await desk.make(
            "settlementAccount", ["name": "Clearing", "accountNumber": "S1", "state": "Suspended", "relatedParty": [AccountDesk.party(desk.ids[1])]])
        let (both, who, now) = (desk.ids, desk.who, desk.tenant.clock.now())
        try await desk.tenant.database.write {
            try CustomerLinks.link(both[1], both[0], valid: true, evidence: "person", at: now, $0)
        }
        for (language, words) in [(Language.en, ["Settlement account", "Suspended", "Closed"]), (.zh, ["结算账户", "暂停", "已销户"])] {
            let view = try await desk.tenant.database.read { session in
                let set = try CustomerLinks.set(of: both[0], session)
                let request = PanelRequest(
                    customers: set, principal: who, masking: Masking(who), language: language, now: now, assets: "")
                return try AccountsPanel.begin(request, today: now.date(offsetMinutes: 480), session).finished()
            }
            let text = "\(view?.view as Any)"
            for word in words + ["A1", "S1", "Clearing"] { #expect(text.contains(word), "\(word): \(text)") }
        }
        // For programs each record has its own.
        let accounts = try desk.tmf("partyAccount")
        for (place, number) in [(0, "A1"), (1, "S1")] {
            let form = try Form.parse("relatedParty.id=\(both[place])")
            let schema = try #require(desk.resources.first { $0.name == "partyAccount" }).asked
            let query = try TMFQuery(form, schema: schema, type: "PartyAccount")
            let found = try await desk.tenant.database.read { try accounts.list(query, who, $0).documents }
            #expect(found.map { $0["accountNumber"]?.string } == [number])
        }
    }
}
