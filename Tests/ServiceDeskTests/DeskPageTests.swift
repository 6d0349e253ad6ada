import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import ServiceDesk

@Suite("Cases and contacts of a customer")
struct DeskPageTests {
    private static let all = [ServiceDeskPermissions.viewCases, ServiceDeskPermissions.viewInteractions]

    /// A tenant in which three customers have cases and contacts, some of them at one instant.
    private func desk() async throws -> TestTenant {
        let test = try await TestTenant(["ServiceDesk"])
        let at = test.clock.now().adding(days: -20)
        func contact(_ customer: Int64, _ minutes: Int64, _ tail: Int, _ outcome: DeskOutcome) -> DeskInteraction {
            let time = at.adding(seconds: minutes * 60)
            return DeskInteraction(
                customer: CustomerID(customer), id: InteractionID(at: time, tail: tail), happenedAt: time,
                channel: .hotline, direction: .inbound, topic: .bill, outcome: outcome, language: "en", caseID: nil)
        }
        func open(_ customer: Int64, _ minutes: Int64, _ tail: Int, _ status: CaseStatus) -> DeskCase {
            let time = at.adding(seconds: minutes * 60)
            return DeskCase(
                customer: CustomerID(customer), id: CaseID(at: time, tail: tail), number: DemoDesk.text(tail),
                kind: .complaint, topic: .droppedCalls, status: status, priority: .high, openedAt: time,
                resolvedAt: status == .open ? nil : time.adding(seconds: 60), closedAt: nil)
        }
        var contacts: [DeskInteraction] = []
        for number in 0..<9 {
            contacts.append(contact(1, Int64(number / 3), number + 1, number == 8 ? .abandoned : .answered))
        }
        for number in 0..<4 { contacts.append(contact(2, 1, number + 20, .answered)) }
        contacts.append(contact(3, 0, 50, .answered))
        var cases: [DeskCase] = []
        for number in 0..<8 { cases.append(open(1, Int64(number / 2), number + 1, number == 7 ? .open : .resolved)) }
        cases.append(open(2, 2, 30, .open))
        let rows = (cases, contacts)
        try await test.tenant.database.write { session in
            try ServiceDeskStore.insert(rows.0, session)
            try ServiceDeskStore.insert(rows.1, session)
        }
        return test
    }

    private func request(_ ids: [Int64], _ principal: Principal, _ language: Language = .en, _ test: TestTenant)
        -> PanelRequest
    {
        PanelRequest(
            customers: ids.map { CustomerID($0) }, principal: principal, masking: Masking(principal),
            language: language, now: test.clock.now(), assets: "/assets/x")
    }

    @Test("the timeline tells each case and contact once, whatever the pages' size, newest first")
    func paging() async throws {
        let test = try await desk()
        let principal = TestTenant.principal(Self.all)
        for source in ServiceDeskModule().timeline.prefix(2) {
            let ids = [1, 2].map { CustomerID($0) }
            let whole = try await test.tenant.database.read {
                try source.entries(ids, behind: nil, limit: 100, for: principal, $0)
            }
            #expect(whole.count == (source.kind.name == "case" ? 9 : 13))
            #expect(whole.map(\.at) == whole.map(\.at).sorted(by: >))
            #expect(Set(whole.map(\.key)).count == whole.count)
            for limit in 1...5 {
                var paged: [TimelineEntry] = []
                while paged.count < 30 {
                    let place = paged.last?.place
                    let page = try await test.tenant.database.read {
                        try source.entries(ids, behind: place, limit: limit, for: principal, $0)
                    }
                    if page.isEmpty { break }
                    paged += page
                }
                #expect(paged == whole)
            }
            let before = TimelinePlace(at: try #require(whole.last).at)
            let none = try await test.tenant.database.read {
                try source.entries(ids, behind: before, limit: 10, for: principal, $0)
            }
            #expect(none.isEmpty)
        }
    }

    @Test("who may not see cases or contacts gets none of them, in the timeline or as a panel")
    func permissions() async throws {
        let test = try await desk()
        for (source, permission) in zip(ServiceDeskModule().timeline, Self.all) {
            for (principal, sees) in [
                (TestTenant.principal([permission]), true),
                (TestTenant.principal(Self.all.filter { $0 != permission }), false),
            ] {
                let found = try await test.tenant.database.read {
                    try source.entries([CustomerID(1)], behind: nil, limit: 10, for: principal, $0)
                }
                #expect(found.isEmpty != sees)
            }
        }
        let panels = ServiceDeskModule().panels(test.tenant)
        #expect(panels.map(\.permission) == Self.all)
        let marketer = ServiceDeskModule().permissions.filter { $0.roles.contains(.marketer) }
        #expect(marketer.isEmpty, "that somebody complained is no business of campaigns")
    }

    @Test("the panels show the newest, count what is open and lead to the rest, in both languages")
    func panels() async throws {
        let test = try await desk()
        let principal = TestTenant.principal(Self.all)
        let pages = try Pages(share: Checkout.share)
        for language in Language.allCases {
            let asked = request([1, 2], principal, language, test)
            var shown: [String: PanelContent] = [:]
            for panel in ServiceDeskModule().panels(test.tenant) {
                shown[panel.name] = try await test.tenant.database.read { try panel.load(asked, $0) }
            }
            let cases = try #require(shown["cases"]), contacts = try #require(shown["interactions"])
            let one = pages.render(cases.template, cases.view, language)
            #expect(one.contains("/customers/1/timeline?show=case"))
            #expect(one.contains(language == .en ? "Not solved yet: 2" : "未解决：2"))
            #expect(one.contains(language == .en ? "Dropped calls" : "掉话"))
            #expect(matches("<tr>", in: one) == 1 + CasesPanel.shown)
            let two = pages.render(contacts.template, contacts.view, language)
            #expect(two.contains("/customers/1/timeline?show=interaction"))
            #expect(two.contains(language == .en ? "Hung up before an answer" : "未答复即挂断"))
            #expect(cases.unmasked.isEmpty && contacts.unmasked.isEmpty)
        }
        let none = request([77], principal, .en, test)
        for panel in ServiceDeskModule().panels(test.tenant) {
            let content = try #require(try await test.tenant.database.read { try panel.load(none, $0) })
            #expect(pages.render(content.template, content.view, .en).contains("muted"))
        }
    }

    private func matches(_ text: String, in page: String) -> Int { page.components(separatedBy: text).count - 1 }

    @Test("customers whom a reverted import removed take their cases and contacts along, others keep theirs")
    func removed() async throws {
        let test = try await desk()
        let handlers = ServiceDeskModule().eventHandlers(test.tenant)
        try await test.tenant.database.write { session in
            try test.tenant.outbox.append(
                CustomersChanged(ids: [CustomerID(2)], fields: [], kind: .updated), session)
            try test.tenant.outbox.append(
                CustomersChanged(ids: [CustomerID(1)], fields: [], kind: .removed), session)
        }
        try await test.drain(handlers: handlers)
        let left = try await test.tenant.database.read { session in
            [
                try session.count("SELECT COUNT(*) FROM servicedesk_interaction"),
                try session.count("SELECT COUNT(*) FROM servicedesk_case"),
                try session.count("SELECT COUNT(*) FROM servicedesk_case_number"),
            ]
        }
        #expect(left == [5, 1, 1])
    }

    @Test("a code of another version is shown as it is")
    func unknownCodes() async throws {
        let test = try await desk()
        _ = try await test.tenant.database.write { session in
            try session.execute(
                """
                INSERT INTO servicedesk_interaction (customer_id, id, happened_at, channel, direction, topic, outcome)
                VALUES (9, 5, 1000, 'hologram', 'inbound', 'bill', 'answered')
                """)
        }
        let line = try await test.tenant.database.read {
            try ServiceDeskStore.interactions([CustomerID(9)], limit: 1, $0).value().first
        }
        #expect(line?.channel.en == "hologram" && line?.topic.zh == "账单")
    }
}
