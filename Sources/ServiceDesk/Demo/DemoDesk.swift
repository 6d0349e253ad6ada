import Compute
import Kernel
import Platform
import Storage

/// Gives invented customers their cases and contacts.
struct DemoDesk: DemoFollower {
    func invent(_ facts: [DemoFacts], zone: Int) -> @Sendable (any SQLSession) throws -> Void {
        var cases: [DeskCase] = []
        var interactions: [DeskInteraction] = []
        for fact in facts {
            var desk = DemoContacts(fact, zone: zone)
            desk.invent()
            cases += desk.cases
            interactions += desk.interactions
        }
        let (invented, contacts) = (cases, interactions)
        return { session in
            let last = try session.first(ServiceDeskStore.lastNumber) { $0.optionalText(0) } ?? nil
            var number = Self.number(last)
            var numbered = invented
            for place in numbered.indices {
                number += 1
                numbered[place].number = Self.text(number)
            }
            try ServiceDeskStore.insert(numbered, session)
            try ServiceDeskStore.insert(contacts, session)
        }
    }

    /// `CS-0000000042`: of one width, so that the last one is the greatest.
    static func text(_ number: Int) -> String {
        let digits = String(number)
        return "CS-" + String(repeating: "0", count: max(0, 10 - digits.utf8.count)) + digits
    }

    static func number(_ text: String?) -> Int { text.flatMap { Int($0.dropFirst(3)) } ?? 0 }
}

/// Invents what one customer came with, from what they lived through.
struct DemoContacts {
    private let fact: DemoFacts
    private let zone: Int
    private var random: SeededRandom
    /// The first day that is kept.
    private let first: LocalDate
    private var tail: Int
    private(set) var cases: [DeskCase] = []
    private(set) var interactions: [DeskInteraction] = []

    /// A complaint of the customer's record is one of these days.
    static let complaintDays = 90

    init(_ fact: DemoFacts, zone: Int) {
        self.fact = fact
        self.zone = zone
        // Apart from the stream of the customer itself.
        random = SeededRandom(seed: fact.seed ^ 0x6465_736B)
        first = max(fact.since, fact.lastDay.adding(months: -fact.months))
        // Sixty-four rows a customer before tails meet again, and they meet only in one millisecond of one customer.
        tail = fact.index &* 64
    }

    /// Nothing happens on the last day or after it: who leaves calls before.
    mutating func invent() {
        complain()
        reportFaults()
        askAboutPrice()
        areReminded()
        think()
        everyday()
    }

    private mutating func complain() {
        let from = fact.lastDay.adding(days: 1 - Self.complaintDays)
        for _ in 0..<fact.complaints {
            var topics: [DeskTopic] = [.bill, .service]
            if fact.droppedCallPercent > 2 { topics += [.droppedCalls, .coverage, .droppedCalls] }
            if fact.priceRisePercent > 0 { topics += [.price, .price] }
            let day = self.day(from: from)
            addCase(.complaint, pick(topics), on: day, priority: random.below(3) == 0 ? .urgent : .high)
        }
        // Older ones, which the attribute of the last 90 days does not count.
        guard first < from.adding(days: -2), random.below(100) < 12 else { return }
        addCase(.complaint, pick([.bill, .service]), on: day(from: first, to: from.adding(days: -2)), priority: .high)
    }

    private mutating func reportFaults() {
        let trouble = max(0, fact.droppedCallPercent - 1)
        let recent = count(mean: 0.35 * trouble)
        for _ in 0..<recent {
            let day = self.day(from: fact.lastDay.adding(days: -89))
            addCase(.fault, pick([.droppedCalls, .droppedCalls, .coverage, .slowData]), on: day, priority: .normal)
        }
        for _ in 0..<count(mean: 0.1 * years) {
            addCase(.fault, pick([.slowData, .coverage, .device]), on: day(from: first), priority: .normal)
        }
    }

    private mutating func askAboutPrice() {
        guard let raised = fact.priceRaisedOn, raised < fact.lastDay, random.below(100) < 55 else { return }
        // The first bill with the new price comes a month later.
        let day = self.day(from: raised, to: min(raised.adding(days: 50), fact.lastDay.adding(days: -1)))
        if random.below(100) < 35 {
            addCase(.enquiry, .price, on: day, priority: .normal)
        } else {
            add(.inbound, .price, .answered, on: day)
        }
    }

    private mutating func areReminded() {
        for due in fact.lateBillsDue where due >= first {
            let day = due.adding(days: 3 + random.below(4))
            guard day < fact.lastDay else { continue }
            add(.outbound, .payment, .sent, on: day, by: .sms)
            if random.below(100) < 30 {
                add(.outbound, .payment, random.below(2) == 0 ? .notReached : .answered, on: day, by: .hotline)
            }
        }
    }

    /// Who is about to leave asks about it first; so do some who stay.
    private mutating func think() {
        let share = fact.hasLeft ? (fact.wentToCompetitor ? 55 : 30) : 6
        if random.below(100) < share {
            let from = fact.lastDay.adding(days: -42)
            for _ in 0...random.below(2) {
                add(.inbound, pick([.portOut, .portOut, .plan, .contractEnd]), .answered, on: day(from: from))
            }
        }
        guard let end = fact.termEndsOn, end.adding(days: -30) < fact.lastDay, end > first, random.below(100) < 30
        else {
            return
        }
        let day = self.day(from: end.adding(days: -40), to: min(end, fact.lastDay.adding(days: -1)))
        addCase(.request, .contractEnd, on: day, priority: .low)
    }

    private mutating func everyday() {
        let topics: [DeskTopic] = [.bill, .bill, .plan, .payment, .roaming, .device, .sim, .other]
        for _ in 0..<count(mean: (fact.isOrganisation ? 3 : 0.9) * years) {
            let day = self.day(from: first)
            if random.below(100) < 18 {
                addCase(random.below(2) == 0 ? .request : .enquiry, pick(topics), on: day, priority: .low)
            } else {
                add(.inbound, pick(topics), random.below(100) < 8 ? .abandoned : .answered, on: day)
            }
        }
    }

    // MARK: Rows

    /// Opened on that day by a contact; solved after some days, if those have passed.
    private mutating func addCase(_ kind: CaseKind, _ topic: DeskTopic, on day: LocalDate, priority: CasePriority) {
        let opened = instant(on: day)
        let id = CaseID(at: opened, tail: next())
        let needed = 1 + random.below(kind == .complaint ? 9 : kind == .fault ? 6 : 4)
        let solvedOn = day.adding(days: needed)
        let isSolved = solvedOn < fact.lastDay
        let solved = isSolved ? instant(on: solvedOn) : nil
        // A case that nobody comes back to is closed a week after it was solved, one of somebody who leaves on that day.
        let later = solved.map { $0.adding(days: 7) }
            .flatMap { $0.date(offsetMinutes: zone) < fact.lastDay ? $0 : nil }
        let end = fact.hasLeft ? max(instant(on: fact.lastDay), opened.adding(seconds: 60)) : nil
        let closed = later ?? end
        let status: CaseStatus =
            closed != nil ? .closed : isSolved ? .resolved : random.below(2) == 0 ? .open : .inProgress
        cases.append(
            DeskCase(
                customer: fact.customer, id: id, number: "", kind: kind, topic: topic, status: status,
                priority: priority, openedAt: opened, resolvedAt: solved, closedAt: closed))
        add(.inbound, topic, .caseOpened, at: opened, by: channel(), of: id)
        if let solved, random.below(100) < 60 {
            add(.outbound, topic, .caseSolved, at: solved, by: random.below(2) == 0 ? .sms : .hotline, of: id)
        }
    }

    private mutating func add(
        _ direction: DeskDirection, _ topic: DeskTopic, _ outcome: DeskOutcome, on day: LocalDate,
        by way: DeskChannel? = nil
    ) {
        let at = instant(on: day)
        add(direction, topic, outcome, at: at, by: way ?? channel(), of: nil)
    }

    private mutating func add(
        _ direction: DeskDirection, _ topic: DeskTopic, _ outcome: DeskOutcome, at: Instant, by way: DeskChannel,
        of id: CaseID?
    ) {
        interactions.append(
            DeskInteraction(
                customer: fact.customer, id: InteractionID(at: at, tail: next()), happenedAt: at, channel: way,
                direction: direction, topic: topic, outcome: outcome, language: fact.language, caseID: id))
    }

    // MARK: Numbers

    private var years: Double { Double(max(0, fact.lastDay.daysSinceEpoch - first.daysSinceEpoch)) / 365 }

    private mutating func next() -> Int {
        tail += 1
        return tail
    }

    /// A day from `from` on, within what is kept, before the last day. Who joined on the last day does all on it.
    private mutating func day(from: LocalDate, to: LocalDate? = nil) -> LocalDate {
        let begin = max(first, min(from, fact.lastDay))
        let end = max(begin, min(to ?? fact.lastDay, fact.lastDay.adding(days: -1)))
        return begin.adding(days: random.below(end.daysSinceEpoch - begin.daysSinceEpoch + 1))
    }

    /// Between eight in the morning and nine at night.
    private mutating func instant(on day: LocalDate) -> Instant {
        let local = Int64(day.daysSinceEpoch) * 86_400_000 + 8 * 3_600_000 + Int64(random.below(13 * 3_600_000))
        return Instant(milliseconds: local - Int64(zone) * 60_000)
    }

    private mutating func channel() -> DeskChannel {
        pick([.hotline, .hotline, .hotline, .app, .app, .wechat, .wechat, .shop, .webChat, .mail])
    }

    private mutating func pick<T>(_ from: [T]) -> T { from[random.below(from.count)] }

    /// Whole numbers with this mean: the whole part, and one more by chance. Enough for small means.
    private mutating func count(mean: Double) -> Int {
        var left = mean
        var result = 0
        while left > 0 {
            if random.unit() < min(1, left / 2) { result += 1 }
            if random.unit() < min(1, left / 2) { result += 1 }
            left -= 2
        }
        return result
    }
}
