import Compute
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import ServiceDesk

@Suite("Invented cases and contacts")
struct DemoDeskTests {
    static let day = LocalDate(year: 2026, month: 3, day: 2) ?? LocalDate(daysSinceEpoch: 20_000)

    /// Customers with lives of their own, for looking at one cause at a time.
    static func facts(
        _ count: Int, seed: UInt64, complaints: Int = 0, dropped: Double = 0.5, rise: Int = 0, left: Bool = false,
        since: LocalDate? = nil
    ) -> [DemoFacts] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { index in
            DemoFacts(
                customer: CustomerID(Int64(1_000 + index)), index: index, seed: random.next(), isOrganisation: false,
                language: "zh", since: since ?? day.adding(months: -40), lastDay: day, hasLeft: left,
                wentToCompetitor: left, complaints: complaints, droppedCallPercent: dropped, priceRisePercent: rise,
                priceRaisedOn: rise > 0 ? day.adding(months: -3) : nil, lateBillsDue: [], termEndsOn: nil,
                suspendedOn: nil, months: 24)
        }
    }

    static func desks(_ facts: [DemoFacts]) -> [DemoContacts] {
        facts.map { fact in
            var desk = DemoContacts(fact, zone: 480)
            desk.invent()
            return desk
        }
    }

    @Test("there are as many complaint cases in the last 90 days as the customer's record says")
    func complaints() {
        for count in [0, 1, 4] {
            for desk in Self.desks(Self.facts(300, seed: 5, complaints: count)) {
                let recent = desk.cases.filter {
                    $0.kind == .complaint && $0.openedAt.date(offsetMinutes: 480) > Self.day.adding(days: -90)
                }
                #expect(recent.count == count)
            }
        }
        // Who joined on the last day complained on it.
        for desk in Self.desks(Self.facts(50, seed: 6, complaints: 2, since: Self.day)) {
            #expect(desk.cases.count { $0.kind == .complaint } == 2)
        }
    }

    @Test("what happened lies within the customer's time, sorts by its id, and a case begins with a contact")
    func order() {
        for desk in Self.desks(Self.facts(400, seed: 7, complaints: 1, dropped: 4, rise: 12, left: true)) {
            #expect(Set(desk.interactions.map(\.id)).count == desk.interactions.count)
            #expect(Set(desk.cases.map(\.id)).count == desk.cases.count)
            for contact in desk.interactions {
                let on = contact.happenedAt.date(offsetMinutes: 480)
                #expect(on < Self.day && on >= Self.day.adding(months: -24))
                #expect(contact.id.madeAt == contact.happenedAt)
            }
            for one in desk.cases {
                #expect(one.id.madeAt == one.openedAt)
                #expect(one.resolvedAt.map { $0 > one.openedAt } ?? true)
                #expect(one.closedAt.map { $0 > one.openedAt } ?? true)
                let first = desk.interactions.first { $0.caseID == one.id }
                #expect(first?.happenedAt == one.openedAt && first?.outcome == .caseOpened)
                // Somebody who left has no case that goes on.
                #expect(one.status == .closed)
            }
        }
    }

    @Test("each cause shows: drops make faults, a rise makes questions about price, leaving is asked about before")
    func causes() {
        func mean(_ facts: [DemoFacts], _ count: (DemoContacts) -> Int) -> Double {
            Double(Self.desks(facts).reduce(0) { $0 + count($1) }) / Double(facts.count)
        }
        let faults = { (desk: DemoContacts) in desk.cases.count { $0.kind == .fault } }
        #expect(
            mean(Self.facts(1_500, seed: 8, dropped: 4), faults) > 3 * mean(Self.facts(1_500, seed: 8), faults))
        let price = { (desk: DemoContacts) in desk.interactions.count { $0.topic == .price } }
        #expect(mean(Self.facts(1_500, seed: 9, rise: 20), price) > 0.3)
        #expect(mean(Self.facts(1_500, seed: 9), price) == 0)
        let leaving = { (desk: DemoContacts) in
            desk.interactions.count {
                [.portOut, .contractEnd].contains($0.topic)
                    && $0.happenedAt.date(offsetMinutes: 480) >= Self.day.adding(days: -42)
            }
        }
        let gone = mean(Self.facts(1_500, seed: 10, left: true), leaving)
        let stays = mean(Self.facts(1_500, seed: 10), leaving)
        print("asked about leaving: \(gone) of leavers, \(stays) of stayers")
        #expect(gone > 4 * stays && stays > 0, "some who stay ask too")
    }

    @Test("cases are numbered one after the other, whatever the batches, and every number finds its case")
    func numbers() async throws {
        let test = try await TestTenant(["ServiceDesk"])
        let facts = Self.facts(120, seed: 11, complaints: 1)
        for batch in facts.chunked(50) {
            let write = DemoDesk().invent(batch, zone: 480)
            try await test.tenant.database.write { try write($0) }
        }
        let (cases, numbers, lost, last) = try await test.tenant.database.read { session in
            (
                try session.count("SELECT COUNT(*) FROM servicedesk_case"),
                try session.count("SELECT COUNT(*) FROM servicedesk_case_number"),
                try session.count(
                    """
                    SELECT COUNT(*) FROM servicedesk_case c WHERE NOT EXISTS (SELECT 1 FROM servicedesk_case_number n
                    WHERE n.number = c.number AND n.customer_id = c.customer_id AND n.case_id = c.id)
                    """),
                try session.first(ServiceDeskStore.lastNumber) { $0.text(0) }
            )
        }
        #expect(cases >= 120 && numbers == cases && lost == 0)
        #expect(last == DemoDesk.text(cases))
    }
}
