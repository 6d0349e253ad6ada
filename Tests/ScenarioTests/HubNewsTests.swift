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
