import Compute
import Kernel
import Platform

/// The invented base as a stream: the same seed and day give the same customers, however many are taken. Households and
/// companies come out whole, one member after the other.
struct DemoBase: Sendable {
    private var random: SeededRandom
    private let today: LocalDate
    private let months: Int
    private(set) var nextIndex: Int
    private var nextLine: Int
    private var waiting: ArraySlice<DemoCustomer> = []

    /// - Parameter months: how much of the books is kept; it changes nothing else.
    /// - Parameter firstIndex: index of the first customer; 0 for an empty tenant.
    /// - Parameter firstLine: index of the first line; numbers are made from it and never repeat.
    init(
        seed: UInt64, today: LocalDate, months: Int = SeedRequest.monthsMax, firstIndex: Int = 0, firstLine: Int = 0
    ) {
        self.months = months
        random = SeededRandom(seed: seed)
        self.today = today
        nextIndex = firstIndex
        nextLine = firstLine
    }

    mutating func next() -> DemoCustomer {
        if waiting.isEmpty { waiting = unit()[...] }
        return waiting.removeFirst()
    }

    /// Leaves the next ones out: they are there already.
    /// - Returns: the last of them.
    mutating func skip(_ count: Int) -> DemoCustomer? {
        var last: DemoCustomer?
        for _ in 0..<count { last = next() }
        return last
    }

    /// The next unit's lines are numbered from here.
    mutating func goOn(line: Int) {
        // Members of a unit that was begun have theirs.
        nextLine = max(line + waiting.reduce(0) { $0 + $1.lines.count }, nextLine)
    }

    mutating func take(_ count: Int) -> [DemoCustomer] {
        var result: [DemoCustomer] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(next()) }
        return result
    }

    /// What the members of a household have in common.
    private struct Home {
        let city: DemoPlaces.City
        let district: DemoPlaces.District
        let street: String
        let latitude: Double
        let longitude: Double
        let isEnglish: Bool
        let familyPlan: DemoCatalogue.Plan?
        let household: Int?
        let payer: Int
    }

    private mutating func unit() -> [DemoCustomer] {
        let roll = random.below(100)
        if roll < 3 { return company() }
        // The first member pays for all; every second household has a family plan.
        let size = roll < 28 ? 2 + random.below(3) : 1
        let familyPlan: DemoCatalogue.Plan? =
            size > 1 && random.below(100) < 55 ? DemoNames.pick(Self.familyPlans, &random) : nil
        let home = place(
            english: random.below(100) < 12, familyPlan: familyPlan, household: size > 1 ? nextIndex : nil,
            payer: nextIndex)
        let surname = DemoNames.surname(&random)
        var members: [DemoCustomer] = []
        for position in 0..<size {
            let age: Int
            switch position {
            case 0: age = adultAge()
            case 1: age = max(20, min(85, (members[0].risk.age ?? 40) + random.below(9) - 4))
            default: age = 14 + random.below(12)
            }
            // Children carry the family's name.
            let family = position == 0 || position > 1 ? (home.isEnglish ? members.first?.familyName : surname) : nil
            members.append(
                individual(
                    home, age: age, family: family, head: members.first?.index, tie: position == 0 ? nil : .household))
        }
        return members
    }

    private static let familyPlans = DemoCatalogue.plans.filter { $0.kind == .family }
    private static let consumerPlans = DemoCatalogue.plans.filter { $0.kind == .consumer }
    private static let seniorPlans = DemoCatalogue.plans.filter { $0.kind == .senior }
    private static let businessPlans = DemoCatalogue.plans.filter { $0.kind == .business }

    private mutating func adultAge() -> Int {
        let roll = random.below(100)
        if roll < 24 { return 18 + random.below(10) }
        if roll < 62 { return 28 + random.below(17) }
        if roll < 86 { return 45 + random.below(16) }
        return 61 + random.below(25)
    }

    private mutating func place(
        english: Bool, familyPlan: DemoCatalogue.Plan?, household: Int?, payer: Int, in known: DemoPlaces.City? = nil
    ) -> Home {
        let city = known ?? DemoPlaces.city(&random)
        let district = DemoNames.pick(city.districts, &random)
        let street = "\(DemoNames.pick(DemoNames.streets, &random))\(1 + random.below(400))号"
        // About 3 km around the district's middle; four decimals are 11 m.
        let latitude = ((district.latitude + random.normal() * 0.02) * 10_000).rounded() / 10_000
        let longitude = ((district.longitude + random.normal() * 0.025) * 10_000).rounded() / 10_000
        return Home(
            city: city, district: district, street: street, latitude: latitude, longitude: longitude,
            isEnglish: english,
            familyPlan: familyPlan, household: household, payer: payer)
    }

    /// A company, every fourth with branches elsewhere, some with somebody who works there and is a customer too.
    private mutating func company() -> [DemoCustomer] {
        var members = [organisation(branchOf: nil)]
        if random.below(100) < 25 {
            for _ in 0...random.below(4) { members.append(organisation(branchOf: members[0])) }
        }
        if random.below(100) < 30 {
            let home = place(
                english: members[0].isEnglish, familyPlan: nil, household: nil, payer: nextIndex,
                in: members[0].city)
            members.append(
                individual(home, age: 24 + random.below(36), family: nil, head: members[0].index, tie: .employee))
        }
        return members
    }

    private mutating func individual(
        _ home: Home, age: Int, family: String?, head: Int?, tie: DemoCustomer.Tie?
    ) -> DemoCustomer {
        let female = random.below(2) == 0
        let name = DemoNames.person(&random, english: home.isEnglish, female: female)
        let birth = today.adding(days: -(age * 365 + age / 4 + random.below(364)))
        var plan = home.familyPlan
        if plan == nil {
            if age > 60, random.below(100) < 60 {
                plan = DemoNames.pick(Self.seniorPlans, &random)
            } else {
                // Prices in the middle sell best.
                let at = (random.below(Self.consumerPlans.count) + random.below(Self.consumerPlans.count)) / 2
                plan = Self.consumerPlans[at]
            }
        }
        let index = nextIndex
        nextIndex += 1
        // Numbers of its own: how many months of books there are moves nobody else.
        let own = random.next()
        var life = DemoLife(random: SeededRandom(seed: own), today: today, months: months)
        life.live(
            DemoLife.Circumstances(
                age: age, isOrganisation: false, familyPlan: home.familyPlan != nil, city: home.city,
                termChoices: Self.personTerms))
        let lineCount = random.below(100) < 14 ? 2 : 1
        let lines = life.lines(plan: plan ?? Self.consumerPlans[2], count: lineCount, from: nextLine)
        nextLine += lineCount
        return DemoCustomer(
            index: index, seed: own, isOrganisation: false, isEnglish: home.isEnglish,
            familyName: family ?? name.family,
            givenName: name.given, organisationName: "", industry: nil, sizeTier: nil, female: female, birthDate: birth,
            documentNumber: DemoNumbers.identity(birth: birth, index: index, female: female),
            email: life.random.below(100) < 60 ? "customer\(index + 1)@example.com" : nil, city: home.city,
            district: home.district, street: home.street, latitude: home.latitude, longitude: home.longitude,
            since: life.since, suspendedOn: life.suspendedOn, payer: home.payer, household: home.household,
            head: head ?? index, tie: tie, lines: lines,
            bills: life.bills(lines), usage: life.usage(lines), risk: life.risk,
            priceRaisedOn: life.priceRaisedOn, paymentMethod: life.paymentMethod, outcome: life.outcome)
    }

    private mutating func organisation(branchOf head: DemoCustomer?) -> DemoCustomer {
        let english = random.below(100) < 15
        let home = place(english: head?.isEnglish ?? english, familyPlan: nil, household: nil, payer: nextIndex)
        var name = DemoNames.company(&random, english: home.isEnglish, city: home.city)
        if let head {
            let tail = home.isEnglish ? " (\(home.city.en))" : home.city.zh + "分公司"
            name = (head.organisationName + tail, head.industry ?? name.industry)
        }
        let index = nextIndex
        nextIndex += 1
        // Numbers of its own: how many months of books there are moves nobody else.
        let own = random.next()
        var life = DemoLife(random: SeededRandom(seed: own), today: today, months: months)
        life.live(
            DemoLife.Circumstances(
                age: nil, isOrganisation: true, familyPlan: false, city: home.city, termChoices: Self.companyTerms))
        // Mostly a handful of lines, now and then forty.
        let count = 3 + life.random.below(6) + (life.random.below(100) < 15 ? life.random.below(32) : 0)
        let lines = life.lines(plan: DemoNames.pick(Self.businessPlans, &life.random), count: count, from: nextLine)
        nextLine += count
        return DemoCustomer(
            index: index, seed: own, isOrganisation: true, isEnglish: home.isEnglish, familyName: "", givenName: "",
            organisationName: name.name, industry: name.industry,
            sizeTier: count < 5 ? "micro" : count < 12 ? "small" : count < 30 ? "medium" : "large", female: false,
            birthDate: nil, documentNumber: DemoNumbers.credit(index), email: "office\(index + 1)@example.com",
            city: home.city, district: home.district, street: home.street, latitude: home.latitude,
            longitude: home.longitude, since: life.since, suspendedOn: life.suspendedOn, payer: index, household: nil,
            head: head?.index ?? index, tie: head == nil ? nil : .branch, lines: lines, bills: life.bills(lines),
            usage: life.usage(lines), risk: life.risk,
            priceRaisedOn: life.priceRaisedOn, paymentMethod: life.paymentMethod, outcome: life.outcome)
    }

    /// Terms in months and their shares in percent.
    private static let personTerms = [(0, 44), (12, 28), (24, 28)]
    private static let companyTerms = [(0, 8), (12, 34), (24, 58)]
}

extension SeededRandom {
    /// A standard normal number by the sum of twelve uniforms (Irwin-Hall): the same on every machine, no logarithm.
    mutating func normal() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit() }
        return sum
    }

    /// A Poisson number (Knuth's product of uniforms; small means only).
    mutating func poisson(_ limit: Double) -> Int {
        var count = 0
        var product = unit()
        while product > limit {
            count += 1
            product *= unit()
        }
        return count
    }
}
