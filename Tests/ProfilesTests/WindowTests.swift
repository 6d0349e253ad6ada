import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers
@testable import Profiles

/// Counters over windows.
@Suite("Live profile")
struct WindowTests {
    /// What the windows must be, counted from the events themselves.
    private func expected(
        _ events: [ProfileEvent], _ counter: CounterDefinition, now: Instant, zone: Int
    ) -> [LiveWindow] {
        WindowFold.days.map { days in
            let from = LiveDays.first(days, now: now, zone: zone)
            let until = LiveDays.first(0, now: now, zone: zone)
            let own = events.filter { event in
                event.kind == counter.kind && event.at >= from && event.at < until
                    && counter.conditions.allSatisfy { $0.holds(event.attributes) }
            }
            var window = LiveWindow(days: days)
            window.events = Int64(own.count)
            for event in own { if case .number(let amount)? = event.attributes[counter.sumField] { window.sum += amount } }
            window.distinct = Int64(Set(own.compactMap { $0.attributes[counter.distinctField] }).count)
            window.lastAt = own.map(\.at).max()
            return window
        }
    }

    @Test("in any order, with repeats and late ones, in any requests, the windows are what a recount of the events gives")
    func property() async throws {
        for seed in UInt64(1)...4 {
            var generator = SeededGenerator(seed: seed)
            let world = try await ProfileWorld()
            let numbers = ["+8613800138000", "+8613800138001", "+8613800138002"]
            var customers: [String: CustomerID] = [:]
            for number in numbers { customers[number] = try await world.customer(number) }
            let counters = [
                try await world.counter("logins", "app.login"),
                try await world.counter("paid", "pay.done", conditions: "amount >= 10\nchannel != shop", sum: "amount"),
                try await world.counter("devices", "app.login", conditions: "channel = app", distinct: "device"),
            ]
            let start = world.now
            var events: [ProfileEvent] = []
            for number in 0..<250 {
                let at = start.adding(milliseconds: -Int64.random(in: -500_000...(89 * 86_400_000), using: &generator))
                var attributes: [String: AttributeValue] = [
                    "channel": .text(["app", "shop", "web"].randomElement(using: &generator) ?? "app")
                ]
                if Bool.random(using: &generator) { attributes["amount"] = .number(Int64.random(in: -5_000...90_000, using: &generator)) }
                if Bool.random(using: &generator) { attributes["device"] = .text("d\(Int.random(in: 0..<12, using: &generator))") }
                events.append(
                    world.event(
                        "e\(number)", Bool.random(using: &generator) ? "app.login" : "pay.done",
                        numbers.randomElement(using: &generator) ?? numbers[0], at: at, attributes))
            }
            var sent = events + events.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
            sent.shuffle(using: &generator)
            var counts = ProfileCounts()
            var rest = sent[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...60, using: &generator))
                counts.add(try await world.take(Array(part)))
                rest = rest.dropFirst(part.count)
            }
            #expect(counts.read == sent.count && counts.duplicate == sent.count - events.count, "seed \(seed)")
            // Two days pass without an event: days move out of the windows.
            for _ in 0..<2 {
                for (number, customer) in customers {
                    for counter in counters {
                        let own = events.filter { $0.name == number }
                        let want = expected(own, counter, now: world.now, zone: world.tenant.timeZoneOffsetMinutes)
                        #expect(try await world.windows(customer, counter.key) == want, "seed \(seed) \(counter.key)")
                    }
                }
                world.test.clock.advance(seconds: 2 * 86_400)
            }
        }
    }

    @Test("more than 64 different values of a window are estimated and say so")
    func many() async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("+8613800138000")
        try await world.counter("cells", "net.cell", distinct: "cell")
        for day in 0..<4 {
            let at = world.now.adding(days: -Int64(day))
            _ = try await world.take(
                (0..<50).map { cell in
                    world.event("\(day)-\(cell)", "net.cell", "+8613800138000", at: at, ["cell": .text("c\(day * 25 + cell)")])
                })
        }
        let windows = try await world.windows(customer, "cells")
        #expect(windows[0].distinct == 50 && windows[0].isDistinctExact)
        #expect(!windows[1].isDistinctExact && windows[1].events == 200)
        #expect(abs(Double(windows[1].distinct) - 125) < 125 * 0.1, "\(windows[1].distinct)")
    }

    @Test("events of a customer nobody knows wait, are counted once when the customer appears, and repeats of them are known")
    func waiting() async throws {
        let world = try await ProfileWorld()
        try await world.counter("logins", "app.login", conditions: "channel = app", sum: "minutes")
        let attributes: [String: AttributeValue] = [
            "channel": .text("app"), "minutes": .number(2_500), "secret": .text("not looked at by any counter"),
        ]
        let event = world.event("a", "app.login", "+8613900139000", at: world.now.adding(days: -3), attributes)
        #expect(try await world.take([event]).waiting == 1)
        #expect(try await world.take([event]).duplicate == 1)
        let kept = try await world.tenant.database.read { try $0.query("SELECT event FROM profiles_waiting") { $0.text(0) } }
        #expect(kept.count == 1 && !kept[0].contains("secret"))
        #expect(try await world.service.replay().counted == 0)
        let customer = try await world.customer("+8613900139000")
        // A counter that came later does not count what was accepted before it.
        world.test.clock.advance(seconds: 5)
        try await world.counter("later", "app.login")
        #expect(try await world.service.replay().counted == 1)
        #expect(try await world.service.replay().read == 0)
        #expect(try await world.windows(customer, "logins").map(\.events) == [0, 1, 1, 1])
        #expect(try await world.windows(customer, "logins").map(\.sum) == [0, 2_500, 2_500, 2_500])
        #expect(try await world.windows(customer, "later").map(\.events) == [0, 0, 0, 0])
        #expect(try await world.take([event]).duplicate == 1)
        #expect(try await world.count("SELECT COUNT(*) FROM profiles_waiting") == 0)
    }

    @Test("one id of two sources is two events; of one source it is known for 100 days and then taken for new")
    func sources() async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("+8613800138000")
        try await world.counter("logins", "app.login")
        func event(_ source: String) -> ProfileEvent { world.event("1", "app.login", "+8613800138000", source: source) }
        #expect(try await world.take([event("a")], source: "a").counted == 1)
        #expect(try await world.take([event("b")], source: "b").counted == 1)
        world.test.clock.advance(seconds: 99 * 86_400)
        try await world.service.upkeep()
        #expect(try await world.take([event("a")], source: "a").duplicate == 1)
        world.test.clock.advance(seconds: 3 * 86_400)
        try await world.service.upkeep()
        #expect(try await world.take([event("a")], source: "a").counted == 1)
        #expect(try await world.windows(customer, "logins").map(\.events) == [1, 1, 1, 1])
    }

    @Test("upkeep lets go of days no window reaches and of counters that are gone, and of nothing else")
    func upkeep() async throws {
        let world = try await ProfileWorld()
        try await world.customer("+8613800138000")
        let counter = try await world.counter("logins", "app.login")
        let first = LiveDays.first(90, now: world.now, zone: world.tenant.timeZoneOffsetMinutes)
        _ = try await world.take(
            (0..<90).map { world.event("\($0)", "app.login", "+8613800138000", at: first.adding(days: Int64($0))) })
        let buckets: SQL = "SELECT COUNT(*) FROM profiles_bucket"
        try await world.service.upkeep()
        #expect(try await world.count(buckets) == 90)
        world.test.clock.advance(seconds: 10 * 86_400)
        try await world.service.upkeep()
        // The day before the longest window stays a day longer.
        #expect(try await world.count(buckets) == 81)
        try await world.tenant.database.write { session in
            _ = try session.execute(ProfileStore.deleteCounter, [.id(counter.id)])
        }
        try await world.counter("others", "pay.done")
        _ = try await world.take([world.event("x", "pay.done", "+8613800138000")])
        try await world.service.sweep()
        #expect(try await world.count(buckets) == 1)
    }

    @Test("cases, bills and departures are counted on the day they were, told twice once, and not behind the windows or ahead")
    func steps() async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("+8613800138000")
        try await world.counter("left", "crm.customer.left")
        try await world.counter("bills_paid", "crm.bill.paid", sum: "amount")
        try await world.counter("complaints", "crm.case.opened", conditions: "kind = complaint", distinct: "topic")
        let handlers = ProfilesModule(names: CustomerNameLookup(), measures: []).eventHandlers(world.tenant)
        let now = world.now
        @Sendable func bill(_ id: Int64, _ days: Int64, _ amount: Int64 = 19_901) -> BillsMoved.Bill {
            BillsMoved.Bill(
                customer: customer, id: id, on: now.adding(days: -days).date(offsetMinutes: 480).description,
                amount: amount, currency: "CNY")
        }
        @Sendable func opened(_ id: Int64, _ days: Int64, _ kind: String = "complaint", _ topic: String = "bill") -> CasesMoved.Case {
            CasesMoved.Case(customer: customer, id: id, at: now.adding(days: -days), kind: kind, topic: topic)
        }
        for _ in 1...2 {
            try await world.tenant.database.write { session in
                let outbox = world.tenant.outbox
                try outbox.append(BillsMoved(step: .overdue, bills: [bill(1, 40), bill(2, 2), bill(3, 200)]), session)
                try outbox.append(BillsMoved(step: .paid, bills: [bill(1, 20, 12_345)]), session)
                try outbox.append(
                    CasesMoved(
                        step: .opened,
                        cases: [opened(1, 0), opened(2, 5, "complaint", "price"), opened(3, 5, "fault"), opened(4, -5)]),
                    session)
                try outbox.append(
                    CustomersLeft(departures: [.init(customer: customer, on: bill(1, 10).on)]), session)
            }
            try await world.test.drain(handlers: handlers, jobs: world.service.jobs)
        }
        #expect(try await world.windows(customer, "bills_overdue").map(\.events) == [0, 1, 1, 2])
        #expect(try await world.windows(customer, "bills_overdue").map(\.sum) == [0, 199_010, 199_010, 398_020])
        #expect(try await world.windows(customer, "bills_paid").map(\.sum) == [0, 0, 123_450, 123_450])
        #expect(try await world.windows(customer, "cases_opened").map(\.events) == [1, 3, 3, 3])
        #expect(try await world.windows(customer, "complaints").map(\.distinct) == [1, 2, 2, 2])
        #expect(try await world.windows(customer, "left").map(\.events) == [0, 0, 1, 1])
    }

    @Test("what other domains tell is counted at the time it was told, and a removed customer leaves nothing behind")
    func outbox() async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("+8613800138000")
        let handlers = ProfilesModule(names: CustomerNameLookup(), measures: []).eventHandlers(world.tenant)
        try await world.tenant.database.write { session in
            let outbox = world.tenant.outbox
            try outbox.append(RetentionContacted(customer: customer, outcome: "stays"), session)
            try outbox.append(RetentionContacted(customer: customer, outcome: "no_answer"), session)
            try outbox.append(CustomersChanged(ids: [customer], fields: ["city"], kind: .updated), session)
            // An import.
            try outbox.append(CustomersChanged(ids: [customer], fields: [], kind: .updated), session)
        }
        try await world.test.drain(handlers: handlers, jobs: world.service.jobs)
        let contacts = try await world.windows(customer, "retention_contacts")
        #expect(contacts.map(\.events) == [2, 2, 2, 2] && contacts.map(\.distinct) == [2, 2, 2, 2])
        #expect(try await world.windows(customer, "record_changes").map(\.events) == [1, 1, 1, 1])
        try await world.tenant.database.write { session in
            try world.tenant.outbox.append(CustomersChanged(ids: [customer], fields: [], kind: .removed), session)
        }
        try await world.test.drain(handlers: handlers, jobs: world.service.jobs)
        #expect(try await world.count("SELECT COUNT(*) FROM profiles_bucket") == 0)
    }

    @Test("what is taken back counts no more: counts, sums, the last and the different values are those of what is left, and it may be told again")
    func withdrawn() async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("13800138000")
        let other = try await world.customer("13800138001")
        try await world.counter("paid", "crm.bill.paid", sum: "amount", distinct: "how")
        let (service, tenant, now) = (world.service, world.tenant, world.now)
        func told(_ key: String, _ customer: CustomerID, _ hours: Int64, _ amount: Int64, _ how: String) -> ProfileService.Told {
            .init(
                key: key, customer: customer, at: now.adding(seconds: -hours * 3_600),
                attributes: ["amount": .number(amount * 1_000), "how": .text(how)])
        }
        let all = [
            told("1", customer, 2, 10, "cash"), told("2", customer, 1, 30, "card"), told("3", customer, 3, 5, "cash"),
            told("4", other, 1, 7, "card"),
        ]
        func tell(_ some: [ProfileService.Told]) async throws {
            try await tenant.database.write { try service.happenedOnce("crm.bill.paid", some, arrived: now, $0) }
        }
        func takeBack(_ keys: [(CustomerID, String)]) async throws {
            try await tenant.database.write { session in
                try service.withdrawn("crm.bill.paid", keys.map { (customer: $0.0, key: $0.1) }, session)
            }
        }
        func look(_ customer: CustomerID) async throws -> [Int64] {
            let window = try await world.windows(customer, "paid")[1]
            return [window.events, window.sum / 1_000, window.distinct, window.lastAt.map { ($0.milliseconds - now.milliseconds) / 3_600_000 } ?? 0]
        }
        try await tell(all)
        #expect(try await look(customer) == [3, 45, 2, -1])
        #expect(try await look(other) == [1, 7, 1, -1])
        try await takeBack([(customer, "2"), (customer, "never told")])
        #expect(try await look(customer) == [2, 15, 1, -2])
        #expect(try await look(other) == [1, 7, 1, -1])
        try await takeBack([(customer, "2")])
        #expect(try await look(customer) == [2, 15, 1, -2], "once")
        try await takeBack([(customer, "1"), (customer, "3"), (other, "4")])
        #expect(try await look(customer) == [0, 0, 0, 0])
        #expect(try await look(other) == [0, 0, 0, 0])
        try await tell(all)
        #expect(try await look(customer) == [3, 45, 2, -1], "told again it counts again")
        // What was told before it was kept one by one: count and sum go, the last and the different values stay.
        _ = try await tenant.database.write { try $0.execute("DELETE FROM profiles_told WHERE event LIKE '%cash%'") }
        try await takeBack([(customer, "2")])
        #expect(try await look(customer) == [2, 15, 2, -1])
    }

    @Test("a counter that began later loses nothing by what is taken back", arguments: [1, 2])
    func withdrawnLater(_ seed: Int) async throws {
        let world = try await ProfileWorld()
        let customer = try await world.customer("13800138000")
        try await world.counter("early", "crm.case.opened")
        let (service, tenant, clock) = (world.service, world.tenant, world.now)
        func tell(_ key: String, arrived: Instant) async throws {
            let one = ProfileService.Told(key: key, customer: customer, at: clock.adding(seconds: -60))
            try await tenant.database.write { try service.happenedOnce("crm.case.opened", [one], arrived: arrived, $0) }
        }
        try await tell("1", arrived: clock)
        world.test.clock.advance(seconds: 10)
        try await world.counter("late", "crm.case.opened")
        try await tell("2", arrived: world.now)
        #expect(try await world.windows(customer, "early")[0].events == 2)
        #expect(try await world.windows(customer, "late")[0].events == 1)
        try await tenant.database.write { try service.withdrawn("crm.case.opened", [(customer: customer, key: "\(seed)")], $0) }
        #expect(try await world.windows(customer, "early")[0].events == 1)
        #expect(try await world.windows(customer, "late")[0].events == (seed == 1 ? 1 : 0))
    }
}
