import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// A domain that knows of some events; only those with a right of its own see them.
private struct Elsewhere: TimelineSource {
    static let right = Permission("elsewhere.view")

    let kind: TimelineKind
    let known: [TimelineEntry]

    init(_ name: String, _ known: [TimelineEntry]) {
        kind = TimelineKind(name, Words(en: "Kind \(name)", zh: "类别\(name)"), icon: "risk")
        self.known = known.sorted { ($0.at.milliseconds, $0.key) > ($1.at.milliseconds, $1.key) }
    }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard principal.may(Self.right) else { return Asked { [] } }
        let found = Array(
            known.filter { entry in
                guard customers.contains(entry.customer) else { return false }
                guard let place else { return true }
                guard entry.at == place.at else { return entry.at < place.at }
                return place.key.map { entry.key < $0 } ?? false
            }.prefix(limit))
        return Asked { found }
    }
}

@Suite("the timeline of several domains")
struct TimelineMergeTests {
    private static let zone = 480

    private static func told(_ event: TimelinePanel.Event) -> String {
        "\(event.on) \(event.kind.name) \(event.title)"
    }

    /// Records that a merge links, with events whose days and instants often coincide.
    private static func linked(_ desk: PageDesk, _ random: inout SeededGenerator) async throws -> [CustomerID] {
        let tenant = desk.tenant
        let start = tenant.clock.now()
        func instant() -> Instant {
            // Three days, few instants each: ties are common, also around midnight of the tenant's zone.
            start.adding(days: Int64.random(in: 0..<3, using: &random))
                .adding(seconds: 3_600 * Int64.random(in: 0..<6, using: &random) * 4)
        }
        var records: [CustomerRecord] = []
        var changes: [[SQLValue]] = []
        var charges: [(CustomerID, Charge)] = []
        for number in 0..<3 {
            let record = CustomerRecord(
                id: tenant.ids.next(), party: Party(kind: .individual, displayName: "王\(number)"),
                customer: Customer(region: "浙江", currency: "CNY", source: "s\(number)", createdAt: instant()))
            records.append(record)
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                let id: ID<AnyKind> = tenant.ids.next()
                changes.append([
                    .id(record.id), .id(id), .time(instant()), .text(""), .text("edit"), .null, .null,
                    .text("city"),
                ])
            }
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                let on = instant().date(offsetMinutes: zone)
                charges.append(
                    (
                        record.id,
                        Charge(
                            id: tenant.ids.next(), kind: Bool.random(using: &random) ? .bill : .payment,
                            period: on.yearMonth, amount: 100, currency: "CNY", issuedOn: on,
                            dueOn: on.adding(days: 15), paidOn: nil)
                    ))
            }
        }
        let updates = records.map { [SQLValue.id($0.id), .time(instant().adding(days: 5))] }
        try await tenant.database.write { [records, changes, charges] session in
            let writer = try CustomerWriter(ids: tenant.ids, session)
            try writer.insert(records, session)
            try writer.append(charges, session)
            try session.executeMany(CustomerSQL.insertChange, changes)
            try session.executeMany("UPDATE customers_customer SET updated_at = $2 WHERE id = $1", updates)
        }
        return records.map(\.id)
    }

    @Test("whatever the pages' size, every event of every source is on exactly one page, in one order")
    func everyEventOnce() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("merged timeline: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<8 {
            let desk = try await PageDesk(customers: 0)
            let ids = try await Self.linked(desk, &random)
            let start = desk.tenant.clock.now()
            let sources = ["a", "b"].map { name in
                Elsewhere(
                    name,
                    (0..<Int.random(in: 0..<30, using: &random)).map { number in
                        let at = start.adding(days: Int64.random(in: 0..<3, using: &random))
                            .adding(seconds: 3_600 * Int64.random(in: 0..<6, using: &random) * 4)
                        return TimelineEntry(
                            customer: ids[number % ids.count], at: at, key: "\(number % 4).\(number)", tone: "",
                            title: Words(en: "\(name)\(number)", zh: "\(name)\(number)"), note: Words(en: "", zh: ""))
                    })
            }
            let principal = PageDesk.principal(.agent, more: [Elsewhere.right])
            let request = PanelRequest(
                customers: ids, principal: principal, masking: Masking(principal), language: .en, now: start,
                assets: "/a")
            @Sendable func reader(_ session: any SQLSession) -> TimelineReader {
                TimelineReader(
                    request: request, today: start.date(), zone: Self.zone, others: sources, session: session)
            }
            let kinds = try await desk.tenant.database.read { try reader($0).kinds() }
            for kind in [nil] + kinds.map(Optional.some) {
                let whole = try await desk.tenant.database.read { session in
                    try reader(session).page(kind, before: nil, limit: 10_000).events
                }
                let told = whole.map(Self.told)
                for limit in [1, 2, 3, 7] {
                    let paged = try await desk.tenant.database.read { session in
                        var events: [TimelinePanel.Event] = []
                        var place: TimelineReader.Cursor?
                        repeat {
                            let page = try reader(session).page(kind, before: place, limit: limit)
                            events += page.events
                            // As it comes back in an address.
                            place = page.next.flatMap { TimelineReader.Cursor($0.text) }
                            #expect(page.next == place)
                        } while place != nil && events.count <= whole.count
                        return events
                    }
                    #expect(paged.map(Self.told) == told, "\(kind?.name ?? "all") by \(limit)")
                }
                let days = whole.map(\.on)
                #expect(days == days.sorted(by: >))
            }
            // All there are, newest first within a source.
            let all = try await desk.tenant.database.read { session in
                try reader(session).page(nil, before: nil, limit: 10_000).events
            }
            for source in sources {
                let told = all.filter { $0.kind == source.kind }.map(\.title)
                let known = source.known.map(\.title.en)
                #expect(told == known)
            }
            let rows = try await desk.tenant.database.read { session in
                try session.count("SELECT COUNT(*) FROM customers_change")
                    + session.count("SELECT COUNT(*) FROM customers_charge")
            }
            // Three records were made, and three were touched last by an import.
            let elsewhere = sources.map(\.known.count).reduce(0, +)
            #expect(all.count == rows + 6 + elsewhere)
        }
    }

    @Test("what others know is shown in the reader's language to those who may, and its audit names what was whole")
    func shown() async throws {
        let test = try await PageDesk(customers: 1)
        let id = try #require(try await test.records().first?.id)
        let entry = TimelineEntry(
            customer: id, at: test.tenant.clock.now(), key: "1", tone: "ok",
            title: Words(en: "Called", zh: "已致电"), note: Words(en: "promised <b>", zh: "承诺 <b>"),
            unmasked: ["call.note"])
        let desk = try await PageDesk(customers: 1, timeline: [Elsewhere("call", [entry])])
        #expect(try await desk.records().first?.id == id, "the seed makes the same customers")
        let mayNot = PageDesk.principal(.agent)
        let may = PageDesk.principal(.agent, more: [Elsewhere.right])
        let paths = ["/customers/\(id)", "/customers/\(id)/timeline", "/customers/\(id)/timeline?show=call"]
        for path in paths {
            let english = try await desk.get(path, as: may)
            #expect(english.text.contains("<strong>Called</strong>"), "\(path)")
            #expect(english.text.contains("promised &lt;b&gt;") && english.text.contains("Kind call"), "\(path)")
            #expect(try await desk.lastEvent()?.unmasked.contains("call.note") == true, "\(path)")
            let chinese = try await desk.get(path, as: may, .zh)
            #expect(chinese.text.contains("已致电") && chinese.text.contains("类别call"), "\(path)")
            let other = try await desk.get(path, as: mayNot)
            #expect(other.status == 200 && !other.text.contains("Called") && !other.text.contains("promised"))
            #expect(try await desk.lastEvent()?.unmasked.contains("call.note") == false, "\(path)")
        }
        let bills = try await desk.get("/customers/\(id)/timeline?show=bill", as: may)
        #expect(bills.text.contains("show=call") && !bills.text.contains("Called"))
        #expect(try await desk.lastEvent()?.unmasked.contains("call.note") == false)
        for broken in ["9223372036854775807.9.x", "-1.9.x", "99999999999999.6.1", "5.9", "2026-01-01.9.x", "1.7.x"] {
            #expect(try await desk.get("/customers/\(id)/timeline?before=\(broken)", as: may).status == 200)
        }
    }
}
