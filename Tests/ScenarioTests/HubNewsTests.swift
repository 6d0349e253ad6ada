import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What those are told who asked: of changes that people make on pages and that files bring, not of programs' alone.
@Suite("Hubs tell of what happens on pages and in imports")
struct HubNewsTests {
    private struct World {
        let contract: ContractWorld
        var scenario: Scenario { contract.scenario }

        func imported(_ entity: String, _ csv: String) async throws {
            let report = try await scenario.imported(entity, csv, source: "billing")
            #expect(report.rejected == 0 && report.created + report.updated > 0, "\(report.reasons) \(report.mapping)")
        }

        /// Paused, so that events are queued and nobody is called.
        func subscribe(_ api: String, _ query: String = "") async throws {
            let answer = try contract.send(
                "POST", "/tmf-api/\(api)/v4/hub", .object(["callback": .string("https://1.1.1.1/\(api)"), "query": .string(query)]))
            #expect(answer.status == 201, "\(answer.text)")
            try await scenario.tenant.database.write { session in
                _ = try session.execute("UPDATE tmf_hub SET state = 'paused' WHERE state <> 'paused'")
            }
        }

        func id(_ reference: String) async throws -> Int64 {
            let found = try await scenario.tenant.database.read {
                try $0.first("SELECT id FROM customers_customer WHERE reference = $1", [.text(reference)]) { $0.int(0) }
            }
            return try #require(found, "\(reference)")
        }

        /// What was queued since the last look: kinds of event with the attribute, sorted.
        func told() async throws -> [String] {
            try await scenario.drain()
            return try await scenario.tenant.database.write { session in
                let rows = try session.query("SELECT event_type, field, resource_id FROM tmf_hub_delivery ORDER BY id") {
                    $0.text(0) + ($0.text(1).isEmpty ? "" : " " + $0.text(1))
                }
                try session.execute("DELETE FROM tmf_hub_delivery")
                return rows.sorted()
            }
        }
    }

    private func world() async throws -> World { World(contract: try await ContractWorld(customers: 0)) }

    @Test("an import, an edit by a person and one by a program are told once each, of the customer, of the party or of both")
    func customers() async throws {
        let world = try await world()
        try await world.imported("customer", "source_id,full_name,email\nQ0,Before Anybody,q0@example.com\n")
        #expect(try await world.told() == [])
        try await world.subscribe("customerManagement")
        try await world.subscribe("party")
        let file = "source_id,full_name,kind,email\nQ1,Wang Fang,individual,q1@example.com\nQ2,Acme Networks,organisation,q2@example.com\n"
        try await world.imported("customer", file)
        #expect(
            try await world.told() == [
                "CustomerCreateEvent", "CustomerCreateEvent", "IndividualCreateEvent", "OrganizationCreateEvent",
            ])
        // A person: one field of both, one of the party alone, the state, a line.
        let agent = try await world.scenario.user("mei", [.supervisor])
        let page = "/customers/\(try await world.id("Q1"))/edit"
        #expect(try agent.fill(page, page, [("f_email", "wang@example.com")]).status == 303)
        #expect(
            try await world.told() == ["CustomerAttributeValueChangeEvent contactMedium", "IndividualAttributeValueChangeEvent contactMedium"])
        #expect(try agent.fill(page, page, [("f_gender", "female")]).status == 303)
        #expect(try await world.told() == ["IndividualAttributeValueChangeEvent gender"])
        #expect(try agent.fill(page, page, [("f_status", "suspended")]).status == 303)
        #expect(try await world.told() == ["CustomerStateChangeEvent"])
        // The same file again says nothing new but the changed address.
        try await world.imported("customer", file.replacingOccurrences(of: "q2@", with: "q3@"))
        let again = try await world.told()
        #expect(again.contains("OrganizationAttributeValueChangeEvent") && !again.contains { $0.contains("Create") }, "\(again)")
        // A program's change is told once, and of the other document too.
        let id = try await world.id("Q2")
        let changed = try world.contract.send(
            "PATCH", "/tmf-api/customerManagement/v4/customer/\(id)", .object(["status": .string("suspended")]))
        #expect(changed.status == 200, "\(changed.text)")
        #expect(try await world.told() == ["CustomerStateChangeEvent"])
        let renamed = try world.contract.send(
            "PATCH", "/tmf-api/party/v4/organization/\(id)", .object(["tradingName": .string("Acme Mobile")]))
        #expect(renamed.status == 200, "\(renamed.text)")
        #expect(
            try await world.told() == ["CustomerAttributeValueChangeEvent name", "OrganizationAttributeValueChangeEvent tradingName"])
    }

    @Test("a customer and its person have one name: a change of either is one of both, with the events of both")
    func oneName() async throws {
        let world = try await world()
        let (parties, customers) = ("/tmf-api/party/v4", "/tmf-api/customerManagement/v4/customer")
        for api in ["customerManagement", "party"] { try await world.subscribe(api) }
        func send(_ method: String, _ path: String, _ body: JSONValue) throws -> ContractWorld.Answer {
            let answer = try world.contract.send(method, path, body)
            #expect((200...201).contains(answer.status), "\(answer.text)")
            return answer
        }
        let id = try send("POST", parties + "/individual", ["familyName": "Wang", "givenName": "Fang"]).id
        _ = try await world.told()
        // Whole name, family and given name of the person, name of the customer and of whom it is engaged with.
        func names() throws -> [String] {
            let person = try world.contract.send("GET", "\(parties)/individual/\(id)")
            let customer = try world.contract.send("GET", "\(customers)/\(id)")
            return [
                person.body["fullName"], person.body["familyName"], person.body["givenName"], customer.body["name"],
                customer.body["engagedParty"]?["name"],
            ].map { $0?.string ?? "" }
        }
        func same(_ expected: [String]) throws {
            let found = try names()
            #expect(found == expected)
        }
        let engaged: JSONValue = ["id": .string(id), "@referredType": "Individual"]
        _ = try send("POST", customers, ["name": "Fang Fang Wang", "engagedParty": engaged])
        try same(["Fang Fang Wang", "Wang", "Fang Fang", "Fang Fang Wang", ""])
        #expect(try await world.told() == ["CustomerCreateEvent", "IndividualAttributeValueChangeEvent"])
        let etag = try world.contract.send("GET", "\(parties)/individual/\(id)").header("ETag") ?? ""
        _ = try send("PATCH", "\(customers)/\(id)", ["name": "Na Wang"])
        try same(["Na Wang", "Wang", "Na", "Na Wang", "Na Wang"])
        #expect(try await world.told() == ["CustomerAttributeValueChangeEvent", "IndividualAttributeValueChangeEvent"])
        // Who has read the person before has read another one.
        let late = try world.contract.send(
            "PATCH", "\(parties)/individual/\(id)", ["givenName": "Li"], [("If-Match", etag)])
        #expect(late.status == 412, "\(late.text)")
        _ = try send("PATCH", "\(parties)/individual/\(id)", ["familyName": "Li"])
        try same(["Na Li", "Li", "Na", "Na Li", "Na Li"])
        #expect(try await world.told() == ["CustomerAttributeValueChangeEvent name", "IndividualAttributeValueChangeEvent"])
        _ = try send("PATCH", "\(parties)/individual/\(id)", ["fullName": "Anna Li"])
        try same(["Anna Li", "Li", "Anna", "Anna Li", "Anna Li"])
        _ = try send("PATCH", "/tmf-api/customerManagement/v5/customer/\(id)", ["name": "李娜"])
        try same(["李娜", "李", "娜", "李娜", "李娜"])
        // What belongs together is found together, by either name and no older one.
        for (path, name, count) in [("fullName", "李娜", 1), ("fullName", "Anna Li", 0)] {
            let found = try world.contract.send("GET", "\(parties)/individual?\(path)=\(ContractWorld.encoded(name))")
            let same = try world.contract.send("GET", "\(customers)?name=\(ContractWorld.encoded(name))")
            #expect(found.items.count == count && same.items.count == count, "\(name)")
        }
        let firm = try send("POST", parties + "/organization", ["tradingName": "Acme"]).id
        _ = try send("POST", customers, ["name": "Acme", "engagedParty": ["id": .string(firm), "@referredType": "Organization"]])
        _ = try await world.told()
        _ = try send("PATCH", "\(customers)/\(firm)", ["name": "Acme Mobile"])
        #expect(try world.contract.send("GET", "\(parties)/organization/\(firm)").body["tradingName"] == "Acme Mobile")
        #expect(try await world.told() == ["CustomerAttributeValueChangeEvent", "OrganizationAttributeValueChangeEvent tradingName"])
    }

    @Test("bills, payments and cases of files are told as customer bills and tickets; nothing is told of customers for them")
    func records() async throws {
        let world = try await world()
        try await world.imported("customer", "source_id,full_name\nQ1,Wang Fang\n")
        for api in ["customerManagement", "customerBillManagement", "troubleTicket", "partyInteraction", "accountManagement"] { try await world.subscribe(api) }
        _ = try await world.told()
        try await world.imported(
            "bills", "bill_number,customer id,period,amount,issued,due\nR1,Q1,2026-01,50,2026-02-01,2026-02-20\n")
        #expect(try await world.told() == ["CustomerBillCreateEvent"])
        try await world.imported("payments", "payment_number,customer id,amount,paid_on,bill_number\nP1,Q1,20,2026-02-10,R1\n")
        #expect(try await world.told() == ["CustomerBillAttributeValueChangeEvent", "CustomerBillStateChangeEvent"])
        try await world.imported(
            "cases", "case_number,customer id,opened_at,case_kind,topic\nC1,Q1,2026-02-01 10:00,complaint,bill\n")
        #expect(try await world.told() == ["TroubleTicketCreateEvent"])
        try await world.imported(
            "cases", "case_number,customer id,opened_at,case_kind,topic,status\nC1,Q1,2026-02-01 10:00,complaint,bill,in_progress\n")
        let moved = try await world.told()
        #expect(moved == ["TroubleTicketAttributeValueChangeEvent", "TroubleTicketStatusChangeEvent"], "\(moved)")
        try await world.imported(
            "interactions", "interaction_id,customer id,happened_at,channel\nI1,Q1,2026-02-01 10:00,phone\n")
        #expect(try await world.told() == ["PartyInteractionCreateEvent"])
        try await world.imported(
            "accounts", "account_number,customer id,account_kind\nA1,Q1,billing\nA2,Q1,household\n")
        #expect(try await world.told() == ["BillingAccountCreateEvent", "PartyAccountCreateEvent"])
        try await world.imported("accounts", "account_number,customer id,account_kind,status\nA1,Q1,billing,suspended\n")
        #expect(try await world.told() == ["BillingAccountAttributeValueChangeEvent", "BillingAccountStateChangeEvent"])
    }

    @Test("an import that is taken back tells that its customers are gone; whoever asks for some only hears of those it was told of")
    func takenBack() async throws {
        let world = try await world()
        try await world.subscribe("customerManagement", "eventType=CustomerCreateEvent,CustomerDeleteEvent")
        try await world.subscribe("party", "organization.tradingName=Acme Networks")
        try await world.imported(
            "customer", "source_id,full_name,kind\nQ1,Wang Fang,individual\nQ2,Acme Networks,organisation\nQ3,Other Works,organisation\n")
        #expect(
            try await world.told() == [
                "CustomerCreateEvent", "CustomerCreateEvent", "CustomerCreateEvent", "OrganizationCreateEvent",
            ])
        let service = world.scenario.runtime.modules.imports(world.scenario.tenant, world.scenario.runtime.share)
        let principal = world.scenario.runtime.operatorPrincipal(tenant: world.scenario.tenant.name)
        let run = try await world.scenario.tenant.database.read { session in
            try #require(try session.first("SELECT id FROM ingest_run ORDER BY id DESC LIMIT 1") { $0.int(0) })
        }
        _ = try await service.revert(try #require(ID(String(run))), principal: principal)
        #expect(
            try await world.told() == [
                "CustomerDeleteEvent", "CustomerDeleteEvent", "CustomerDeleteEvent", "OrganizationDeleteEvent",
            ])
    }
}
