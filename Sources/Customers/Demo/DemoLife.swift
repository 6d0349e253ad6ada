import Compute
import Foundation
import Kernel

/// Lives one customer's life up to the day on which they leave, or to today: first the circumstances (`live`), then
/// what they leave in the books (lines, bills, usage). What is known of leavers is what was known before they left, so a
/// model that learns from it does not look into the future.
struct DemoLife: Sendable {
    struct Circumstances {
        let age: Int?
        let isOrganisation: Bool
        let familyPlan: Bool
        let city: DemoPlaces.City
        /// Term in months and share in percent.
        let termChoices: [(months: Int, share: Int)]
    }

    var random: SeededRandom
    private let today: LocalDate
    private let kept: Int
    private(set) var risk = DemoRisk()
    private(set) var since: LocalDate
    private(set) var suspendedOn: LocalDate?
    private(set) var outcome: DemoCustomer.Outcome?
    /// Known once the bills are made.
    private(set) var priceRaisedOn: LocalDate?
    private(set) var paymentMethod = DemoCustomer.PaymentMethod.wechat
    private var termMonths = 0
    private var outOfTerm = false

    /// - Parameter months: how many months of bills and usage are kept.
    init(random: SeededRandom, today: LocalDate, months: Int = 24) {
        kept = months
        self.random = random
        self.today = today
        since = today
    }

    /// The last day that is in the books.
    private var lastDay: LocalDate { outcome?.leftOn ?? today }

    mutating func live(_ around: Circumstances) {
        var risk = DemoRisk()
        risk.age = around.age
        risk.isOrganisation = around.isOrganisation
        risk.familyPlan = around.familyPlan
        risk.rivalry = around.city.rivalry
        let mean = around.isOrganisation ? 50.0 : 38.0
        risk.tenureMonths = min(190, Int(-mean * log(1 - random.unit())))
        chooseTerm(around, &risk)
        if risk.tenureMonths >= 12, random.below(100) < 17 { risk.priceRisePercent = 8 + random.below(23) }
        let drops = 0.3 + around.city.trouble * 2.4 * random.unit() + abs(random.normal()) * 0.6
        risk.droppedCallPercent = (min(9, drops) * 100).rounded() / 100
        let anger = 0.10 + 0.13 * max(0, drops - 1) + (risk.priceRisePercent > 0 ? 0.25 : 0)
        risk.complaints = random.poisson(exp(-anger))
        risk.autopay = random.below(100) < (around.isOrganisation ? 60 : 42)
        paymentMethod =
            risk.autopay
            ? (random.below(3) == 0 ? .directDebit : .wechat)
            : DemoNames.pick([.wechat, .alipay, .alipay, .cash], &random)
        risk.overdueBills = min(6, risk.tenureMonths, random.poisson(exp(risk.autopay ? -0.08 : -0.65)))
        if risk.tenureMonths >= 6 {
            let decline = random.below(100) < 14 ? -0.25 - random.unit() * 0.5 : random.normal() * 0.12
            risk.usageDrift = (max(-0.8, min(0.4, decline)) * 100).rounded() / 100
        }
        risk.addOns = random.below(100) < 48 ? 0 : 1 + random.below(3)
        if random.below(100) < 35 {
            let mood = 4.4 - 0.35 * drops - 0.6 * Double(risk.complaints) + random.normal() * 0.8
            risk.satisfaction = max(1, min(5, Int(mood.rounded())))
        }
        risk.luck = random.normal()
        self.risk = risk
        decide()
    }

    private mutating func chooseTerm(_ around: Circumstances, _ risk: inout DemoRisk) {
        var roll = random.below(100)
        for choice in around.termChoices {
            roll -= choice.share
            if roll < 0 {
                termMonths = choice.months
                break
            }
        }
        guard termMonths > 0 else {
            risk.monthToMonth = true
            return
        }
        // Some do not renew and stay on from month to month after their term.
        outOfTerm = risk.tenureMonths >= termMonths && random.below(100) < 30
        risk.monthToMonth = outOfTerm
        if !outOfTerm { risk.monthsToTermEnd = termMonths - risk.tenureMonths % termMonths }
    }

    private mutating func decide() {
        let leaves = random.unit() < risk.probability
        var observed = today
        if leaves {
            observed = leavingDay()
            let reason = risk.reason(&random)
            let rival = reason.goesToCompetitor && random.below(100) < 75
            outcome = DemoCustomer.Outcome(
                leftOn: observed, reason: reason,
                competitor: rival ? DemoNames.pick(DemoCatalogue.competitors, &random) : nil)
        } else if risk.overdueBills >= 2, random.below(100) < 28 {
            suspendedOn = today.adding(days: -(2 + random.below(40)))
        }
        since = observed.adding(months: -risk.tenureMonths).adding(days: -random.below(27))
    }

    /// One of the last 18 months; more leave after the New Year, when school ends and when it begins again.
    private mutating func leavingDay() -> LocalDate {
        while true {
            let day = today.adding(days: -(1 + random.below(546)))
            let busy = [2, 3, 6, 9].contains(day.month)
            if busy || random.below(100) < 70 { return day }
        }
    }

    /// The lines, the first with the add-ons. All end when the customer leaves.
    mutating func lines(plan: DemoCatalogue.Plan, count: Int, from first: Int) -> [DemoCustomer.Line] {
        var picked: [Addon] = []
        while picked.count < min(risk.addOns, DemoCatalogue.addOns.count) {
            let addOn = DemoNames.pick(DemoCatalogue.addOns, &random)
            if !picked.contains(where: { $0.code == addOn.code }) { picked.append(addOn) }
        }
        let raised = plan.monthly * Int64(100 + risk.priceRisePercent) / 100
        let days = max(0, lastDay.daysSinceEpoch - since.daysSinceEpoch)
        return (0..<count).map { position in
            let started = position == 0 || days < 60 ? since : since.adding(days: random.below(days / 2 + 1))
            return DemoCustomer.Line(
                index: first + position, plan: plan, monthly: raised, addOns: position == 0 ? picked : [],
                startedOn: started, endedOn: outcome?.leftOn, termMonths: termMonths, termEndsOn: termEnd(),
                suspendedOn: suspendedOn)
        }
    }

    private func termEnd() -> LocalDate? {
        guard termMonths > 0 else { return nil }
        if outOfTerm {
            // The last term that was signed.
            return since.adding(months: max(1, risk.tenureMonths / termMonths) * termMonths)
        }
        return since.adding(months: (risk.tenureMonths / termMonths + 1) * termMonths)
    }

    /// The months with a bill or usage: complete ones only, the last ones of them.
    private func months() -> [LocalDate] {
        guard let end = LocalDate(year: lastDay.year, month: lastDay.month, day: 1),
            let start = LocalDate(year: since.year, month: since.month, day: 1)
        else { return [] }
        let count = min(kept, (end.year - start.year) * 12 + end.month - start.month)
        return (0..<max(0, count)).map { end.adding(months: $0 - count) }
    }

    mutating func bills(_ lines: [DemoCustomer.Line]) -> [DemoCustomer.Bill] {
        let months = months()
        let full = lines.reduce(Int64(0)) { $0 + $1.monthly + addOns($1) }
        let before = lines.reduce(Int64(0)) { $0 + $1.plan.monthly + addOns($1) }
        let riseAt = months.count - 2 - random.below(4)
        if risk.priceRisePercent > 0, !months.isEmpty { priceRaisedOn = months[min(months.count - 1, max(0, riseAt))] }
        let late = lateBills(months.count)
        var result: [DemoCustomer.Bill] = []
        result.reserveCapacity(months.count)
        for (position, month) in months.enumerated() {
            let base = risk.priceRisePercent > 0 && position < riseAt ? before : full
            let extra = random.below(100) < 30 ? Int64(random.below(Int(max(10, base / 5)))) : 0
            let due = month.adding(months: 1).adding(days: 19)
            var paid: LocalDate? = due.adding(days: -random.below(18))
            if late.contains(position) {
                let day = due.adding(days: 4 + random.below(40))
                // Who leaves without paying does not come back to pay.
                let never = outcome?.reason == .unpaid && position >= months.count - 3
                paid = never || day > today || random.below(100) < 15 ? nil : day
            } else if let day = paid, day > today {
                paid = nil
            }
            result.append(DemoCustomer.Bill(month: month, amount: base + extra, dueOn: due, paidOn: paid))
        }
        return result
    }

    /// Which of the bills are late: as many as the risk says, among those of the last year that are due.
    private mutating func lateBills(_ count: Int) -> Set<Int> {
        var late: Set<Int> = []
        let due = count - (lastDay.day < 20 ? 1 : 0)
        let first = max(0, due - 12)
        let wanted = min(risk.overdueBills, due - first)
        if suspendedOn != nil || outcome?.reason == .unpaid {
            for position in max(first, due - wanted)..<max(first, due) { late.insert(position) }
            return late
        }
        while late.count < wanted { late.insert(first + random.below(due - first)) }
        return late
    }

    private func addOns(_ line: DemoCustomer.Line) -> Int64 { line.addOns.reduce(0) { $0 + ($1.monthlyCharge ?? 0) } }

    /// Each line's months of use.
    mutating func usage(_ lines: [DemoCustomer.Line]) -> [DemoCustomer.Usage] {
        let months = months()
        var result: [DemoCustomer.Usage] = []
        result.reserveCapacity(months.count * lines.count)
        for (position, line) in lines.enumerated() {
            let first = max(0, months.firstIndex { $0 >= line.startedOn.adding(days: -27) } ?? months.count)
            usage(of: line, position, months[first...], &result)
        }
        return result
    }

    private mutating func usage(
        of line: DemoCustomer.Line, _ position: Int, _ months: ArraySlice<LocalDate>,
        _ result: inout [DemoCustomer.Usage]
    ) {
        let minutes = Double(line.plan.minutes) * (0.35 + 0.5 * random.unit())
        let data = Double(line.plan.gigabytes) * 1_024 * (0.3 + 0.6 * random.unit())
        for month in months {
            let toEnd = (months.last ?? month).monthsSince(month)
            // The drift builds up over the last six months; trouble on the network over the last three.
            let drift = toEnd < 6 ? 1 + risk.usageDrift * Double(6 - toEnd) / 6 : 1
            // No season: all who stay are seen in one month, those who left in many, so a model would learn the month.
            let voice = max(0, minutes * drift * (0.88 + 0.24 * random.unit()))
            let calls = Int(voice / 2.2) + 1
            let dropped = Double(calls) * risk.droppedCallPercent / 100 * (toEnd < 3 ? 1 : 0.6)
            let whole = Int(dropped) + (random.unit() < dropped - dropped.rounded(.down) ? 1 : 0)
            result.append(
                DemoCustomer.Usage(
                    line: position, month: month, voiceMinutes: Int(voice),
                    dataMegabytes: Int(max(0, data * drift * (0.85 + 0.3 * random.unit()))),
                    messages: random.below(30), calls: calls, droppedCalls: whole))
        }
    }
}

extension LocalDate {
    /// Whole calendar months from `earlier` to this one, by year and month alone.
    func monthsSince(_ earlier: LocalDate) -> Int { (year - earlier.year) * 12 + month - earlier.month }
}
