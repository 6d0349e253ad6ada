import Compute
import Foundation
import Kernel
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Customers

@Suite("demonstration operator")
struct DemoTests {
    static let day = LocalDate(year: 2026, month: 3, day: 2) ?? LocalDate(daysSinceEpoch: 20_000)

    @Test("the same seed and day give the same base, another seed another")
    func deterministic() {
        var one = DemoBase(seed: 42, today: Self.day)
        var two = DemoBase(seed: 42, today: Self.day)
        var other = DemoBase(seed: 43, today: Self.day)
        let first = "\(one.take(300))"
        // Taken in pieces: the stream does not know of batches.
        let second = "\(two.take(7) + two.take(193) + two.take(100))"
        #expect(first == second)
        #expect(first != "\(other.take(300))")
    }

    @Test("identity numbers pass the check of GB 11643, tell the birth date and the sex, and belong to no region")
    func identityNumbers() throws {
        var base = DemoBase(seed: 1, today: Self.day)
        let weights = (0..<17).map { position in
            // 2^(17 - position) mod 11, the standard's own definition.
            (0..<(17 - position)).reduce(1) { product, _ in product * 2 % 11 }
        }
        for demo in base.take(2_000) where !demo.isOrganisation {
            let characters = Array(demo.documentNumber)
            try #require(characters.count == 18)
            let sum = zip(weights, characters).reduce(0) { $0 + $1.0 * ($1.1.wholeNumberValue ?? 0) }
            let last = characters[17] == "X" ? 10 : characters[17].wholeNumberValue ?? -1
            #expect((sum + last) % 11 == 1)
            #expect(demo.documentNumber.hasPrefix("99"))
            let birth = try #require(demo.birthDate)
            #expect(String(characters[6..<14]) == birth.description.replacing("-", with: ""))
            #expect((characters[16].wholeNumberValue ?? 0) % 2 == (demo.female ? 0 : 1))
        }
    }

    @Test("numbers never repeat and use a prefix that no network has")
    func numbers() {
        let all = Set((0..<200_000).map(DemoNumbers.msisdn))
        #expect(all.count == 200_000)
        #expect(all.allSatisfy { $0.hasPrefix("+86142") && $0.count == 14 })
        #expect(DemoNumbers.msisdn(100_000_000).hasPrefix("+86143"))
        #expect(Set((0..<20_000).map(DemoNumbers.credit)).count == 20_000)
        #expect(DemoNumbers.luhn("7992739871") == 3)
    }

    @Test("15 to 20 % have left, within 18 months, each with a reason; nobody's books run on after the end")
    func leavers() throws {
        var base = DemoBase(seed: 5, today: Self.day)
        let all = base.take(8_000)
        let gone = all.filter { $0.outcome != nil }
        let share = Double(gone.count) / Double(all.count)
        print("left: \(share)")
        #expect((0.15...0.20).contains(share))
        for demo in gone {
            let left = try #require(demo.outcome?.leftOn)
            #expect(left < Self.day && left > Self.day.adding(months: -19))
            #expect(demo.bills.allSatisfy { $0.month < left })
            #expect(demo.usage.allSatisfy { $0.month < left })
            #expect(demo.lines.allSatisfy { $0.endedOn == left && $0.startedOn <= left })
            #expect(demo.since <= left)
        }
        #expect(Set(gone.compactMap { $0.outcome?.reason.coded.code }).count >= 5)
        #expect(gone.contains { $0.outcome?.competitor != nil })
    }

    @Test("the causes tell leavers from stayers about as well as a good model could, not better")
    func learnable() throws {
        var base = DemoBase(seed: 6, today: Self.day)
        let all = base.take(20_000)
        let scores = all.map { demo in
            var risk = demo.risk
            risk.luck = 0
            return risk.logOdds
        }
        let auc = try #require(Discrimination.auc(scores: scores, labels: all.map { $0.outcome != nil }))
        print("area under the curve of the known causes: \(auc)")
        #expect((0.83...0.90).contains(auc))
        // Each cause by itself points the right way.
        func rate(_ matches: (DemoRisk) -> Bool) -> Double {
            let some = all.filter { matches($0.risk) }
            return Double(some.filter { $0.outcome != nil }.count) / Double(max(1, some.count))
        }
        #expect(rate { $0.monthToMonth } > 1.5 * rate { !$0.monthToMonth })
        #expect(rate { $0.priceRisePercent > 0 } > 1.5 * rate { $0.priceRisePercent == 0 })
        #expect(rate { $0.complaints > 0 } > 1.3 * rate { $0.complaints == 0 })
        #expect(rate { $0.overdueBills > 1 } > 1.3 * rate { $0.overdueBills == 0 })
        #expect(rate { $0.usageDrift < -0.3 } > 1.5 * rate { $0.usageDrift > -0.1 })
        #expect(rate { ($0.monthsToTermEnd ?? 99) <= 2 } > 1.5 * rate { ($0.monthsToTermEnd ?? 0) > 6 })
        #expect(rate { $0.familyPlan } < rate { !$0.familyPlan })
    }

    @Test("as many bills are late as the customer's record says, and the shape is that of a real base")
    func shape() throws {
        var base = DemoBase(seed: 8, today: Self.day)
        let all = base.take(4_000)
        for demo in all where demo.outcome == nil && demo.suspendedOn == nil {
            let late = demo.bills.filter { bill in bill.paidOn.map { $0 > bill.dueOn } ?? (bill.dueOn < Self.day) }
            #expect(late.count <= demo.risk.overdueBills)
            #expect(demo.bills.count <= 24)
        }
        let organisations = all.filter(\.isOrganisation)
        #expect((60...220).contains(organisations.count))
        #expect(organisations.allSatisfy { $0.lines.count >= 3 && !$0.organisationName.isEmpty })
        #expect(all.contains { $0.isEnglish } && all.contains { !$0.isEnglish })
        let households = Dictionary(grouping: all.filter { $0.household != nil }, by: \.household)
        #expect(households.count > 400)
        for members in households.values {
            #expect(Set(members.map(\.street)).count == 1)
            #expect(Set(members.map(\.payer)).count == 1)
        }
        #expect(Set(all.map(\.city.zh)).count >= 15)
    }

    @Test("seeding writes the whole base, with a look-up for every number and one audit event a batch")
    func seeded() async throws {
        let test = try await TestTenant(["Customers"])
        let steps = Mutex([Int]())
        let request = SeedRequest(customers: 1_200, seed: 9) { done, _, _ in steps.withLock { $0.append(done) } }
        try await DemoOperator.seed(request: request, tenant: test.tenant)
        #expect(steps.withLock { $0 } == [0, 500, 1_000, 1_200])
        #expect(try await test.auditCount("customers.demo.seed") == 3)
        let counts = try await test.tenant.database.read { session in
            [
                try session.count("SELECT COUNT(*) FROM customers_customer"),
                try session.count("SELECT COUNT(*) FROM customers_listing"),
                try session.count(
                    """
                    SELECT COUNT(*) FROM customers_subscription s WHERE NOT EXISTS (SELECT 1 FROM customers_identifier i
                    WHERE i.kind = 'msisdn' AND i.value = s.msisdn AND i.customer_id = s.customer_id)
                    """),
                try session.count("SELECT COUNT(*) FROM customers_outcome"),
                try session.count("SELECT COUNT(*) FROM customers_listing WHERE leave_reason <> ''"),
                try session.count("SELECT COUNT(*) FROM customers_listing WHERE tier = 'vip'"),
                try session.count("SELECT COUNT(*) FROM customers_attribute WHERE NOT labelled"),
                try session.count(
                    """
                    SELECT COUNT(*) FROM customers_relation r WHERE NOT EXISTS (SELECT 1 FROM customers_relation b
                    WHERE b.customer_id = r.other_id AND b.other_id = r.customer_id)
                    """),
            ]
        }
        #expect(counts[0] == 1_200)
        #expect(counts[1] == 1_200)
        #expect(counts[2] == 0)
        #expect(counts[3] == counts[4])
        #expect(counts[5] > 0)
        #expect(counts[6] == 0)
        #expect(counts[7] == 0)
    }

    @Test("how many months of books are kept changes nobody's life")
    func months() {
        var long = DemoBase(seed: 12, today: Self.day, months: 24)
        var short = DemoBase(seed: 12, today: Self.day, months: 12)
        for (one, two) in zip(long.take(500), short.take(500)) {
            #expect(one.documentNumber == two.documentNumber && one.lines.map(\.index) == two.lines.map(\.index))
            #expect("\(one.risk)" == "\(two.risk)" && one.outcome?.leftOn == two.outcome?.leftOn)
            #expect(one.bills.count <= 24 && two.bills.count == min(12, one.bills.count))
        }
    }

    @Test("branches belong to a head office, employees to a company, and their relations are written both ways")
    func companies() async throws {
        var base = DemoBase(seed: 13, today: Self.day)
        let all = base.take(6_000)
        var branches = 0, employees = 0
        for demo in all {
            switch demo.tie {
            case .branch?:
                branches += 1
                #expect(demo.isOrganisation && all[demo.head].isOrganisation && all[demo.head].tie == nil)
                #expect(demo.organisationName.hasPrefix(all[demo.head].organisationName))
                #expect(demo.industry == all[demo.head].industry)
            case .employee?:
                employees += 1
                #expect(!demo.isOrganisation && all[demo.head].isOrganisation)
            case .household?: #expect(demo.household == demo.head)
            case nil: #expect(demo.head == demo.index)
            }
        }
        print("of 6,000: \(branches) branches, \(employees) employees")
        #expect(branches > 20 && employees > 10)
        let test = try await TestTenant(["Customers"])
        try await DemoOperator.seed(
            request: SeedRequest(customers: 1_000, seed: 13) { _, _, _ in }, tenant: test.tenant)
        let (heads, lone) = try await test.tenant.database.read { session in
            (
                try session.count("SELECT COUNT(*) FROM customers_relation WHERE role = 'head_office'"),
                try session.count(
                    """
                    SELECT COUNT(*) FROM customers_relation r WHERE r.role = 'head_office' AND NOT EXISTS (
                      SELECT 1 FROM customers_relation b WHERE b.customer_id = r.other_id AND b.other_id = r.customer_id
                      AND b.role = 'branch')
                    """)
            )
        }
        #expect(heads > 0 && lone == 0)
    }

    @Test("tenure, plans and terms are spread as in a real base, and no customer's dates contradict each other")
    func spread() throws {
        var base = DemoBase(seed: 14, today: Self.day)
        let all = base.take(8_000)
        let people = all.filter { !$0.isOrganisation }
        let tenures = people.map(\.risk.tenureMonths).sorted()
        let median = tenures[tenures.count / 2]
        print("median tenure \(median) months, 90th \(tenures[tenures.count * 9 / 10])")
        #expect((18...36).contains(median) && tenures[tenures.count * 9 / 10] > 60)
        #expect(Set(all.flatMap(\.lines).map(\.plan.name)).count == DemoCatalogue.plans.count)
        let monthly = Double(people.filter { $0.risk.monthToMonth }.count) / Double(people.count)
        #expect((0.4...0.75).contains(monthly))
        let lines = Double(all.reduce(0) { $0 + $1.lines.count }) / Double(all.count)
        print("lines a customer: \(lines)")
        #expect((1.1...1.8).contains(lines))
        for demo in all {
            let last = demo.outcome?.leftOn ?? Self.day
            #expect(demo.since <= last)
            #expect(demo.lines.allSatisfy { $0.startedOn >= demo.since && $0.startedOn <= last })
            #expect(demo.priceRaisedOn.map { $0 < last && demo.risk.priceRisePercent > 0 } ?? true)
            #expect(demo.bills.map(\.month) == demo.bills.map(\.month).sorted())
        }
    }

    @Test("what is seeded follows, in its own rows, from the sums that the pages show")
    func sums() async throws {
        let test = try await TestTenant(["Customers"])
        try await DemoOperator.seed(request: SeedRequest(customers: 600, seed: 15) { _, _, _ in }, tenant: test.tenant)
        let wrong = try await test.tenant.database.read { session in
            try session.count(
                """
                SELECT COUNT(*) FROM customers_listing l WHERE l.monthly_charge <> (
                  SELECT COALESCE(SUM(s.monthly_charge), 0) FROM customers_subscription s
                  WHERE s.customer_id = l.customer_id AND (s.status <> 'terminated' OR l.leave_reason <> ''))
                """)
        }
        #expect(wrong == 0, "the monthly charge of a list is the sum of the lines'")
        let late = try await test.tenant.database.read { session in
            try session.count(
                """
                SELECT COUNT(*) FROM customers_attribute_value v
                JOIN customers_attribute a ON a.id = v.attribute_id AND a.title_en = 'Overdue bills, 12 months'
                WHERE v.int_value < (SELECT COUNT(*) FROM customers_charge c JOIN customers_customer u ON u.id = c.customer_id
                  WHERE c.customer_id = v.customer_id AND NOT u.has_left AND u.status = 'active' AND c.paid_on > c.due_on)
                """)
        }
        #expect(late == 0, "no more bills were paid late than the record says")
    }

    @Test("a second seeding adds customers with numbers of their own")
    func twice() async throws {
        let test = try await TestTenant(["Customers"])
        for seed: UInt64 in [1, 1] {
            try await DemoOperator.seed(
                request: SeedRequest(customers: 150, seed: seed) { _, _, _ in }, tenant: test.tenant)
        }
        let count = try await test.tenant.database.read { try $0.count("SELECT COUNT(*) FROM customers_customer") }
        #expect(count == 300)
    }

    @Test("every invented line has a SIM and a device with numbers of nobody, all different")
    func cards() async throws {
        let desk = try await PageDesk(customers: 80)
        let lines = try await desk.records().flatMap(\.subscriptions)
        #expect(lines.allSatisfy { $0.device != nil && $0.imsi?.hasPrefix("00101") == true })
        let cards = lines.compactMap(\.iccid)
        let devices = lines.compactMap(\.imei)
        #expect(Set(cards).count == lines.count && Set(devices).count == lines.count)
        #expect(Set(lines.compactMap(\.imsi)).count == lines.count)
        for number in cards + devices {
            #expect(DemoNumbers.luhn(String(number.dropLast())) == number.last?.wholeNumberValue)
        }
        #expect(cards.allSatisfy { $0.count == 20 } && devices.allSatisfy { $0.count == 15 && $0.hasPrefix("00") })
    }
}
