import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Which line of a customer a row is about, and what an import and its revert do to the others.
@Suite("lines of imported customers")
struct ImportLineTests {
    private static let one = "+8613900000001"
    private static let two = "+8613900000002"

    /// A customer with a mobile line for each number, stored as the console would.
    private func customer(
        _ bench: ImportBench, numbers: [String], sources: [String: String] = [:],
        _ change: (inout CustomerRecord) -> Void = { _ in }
    ) async throws -> CustomerRecord {
        let tenant = bench.test.tenant
        var record = CustomerRecord(
            id: tenant.ids.next(), party: Party(kind: .individual, displayName: "Ann"),
            customer: Customer(currency: "CNY", source: "console", createdAt: tenant.clock.now()))
        for number in numbers {
            record.subscriptions.append(
                Subscription(
                    id: tenant.ids.next(), service: .mobile, plan: "OLD", msisdn: number, monthlyCharge: 100,
                    currency: "CNY"))
        }
        record.sourceIDs = sources
        change(&record)
        try await tenant.database.write { [record] in
            try CustomerWriter(ids: tenant.ids, $0).insert([record], $0)
        }
        return record
    }

    @Test("a row that names the second number changes the second line, and nothing of the first")
    func secondLine() async throws {
        let bench = try await ImportBench()
        let before = try await customer(bench, numbers: [Self.one, Self.two])
        let row: [String: SQLValue] = [
            "msisdn": .text(Self.two), "plan": .text("NEW"), "contract_term": .text("24 months"),
            "contract_end": .text("2027-01-31"), "monthly_charge": .int(9_900),
            "subscription_status": .text("suspended"), "addon_tech_support": .text("yes"),
        ]
        let outcome = try await bench.apply([row], match: "msisdn")[0]
        #expect(
            outcome.name
                == "updated plan,contract_term,contract_end,addon_tech_support,monthly_charge,subscription_status")
        let after = try #require(try await bench.record(before.id))
        #expect(after.subscriptions[0] == before.subscriptions[0])
        let line = after.subscriptions[1]
        #expect(line.msisdn == Self.two && line.plan == "NEW" && line.contractTerm == 24)
        #expect(line.monthlyCharge == 9_900 && line.status == .suspended && line.addons.map(\.code) == ["tech_support"])
        // The journal names the line.
        let keys = outcome.undo.map(\.field).filter { $0.hasPrefix("line/") }
        #expect(!keys.isEmpty && keys.allSatisfy { $0.hasPrefix("line/\(line.id)/") })
        #expect(try await bench.apply([row], match: "msisdn").map(\.name) == ["unchanged"])
    }

    @Test("a row whose own line has another number by now, or has ended, turns no other line into it")
    func staleNumber() async throws {
        for isEnded in [false, true] {
            let bench = try await ImportBench()
            let before = try await customer(bench, numbers: ["+8613900000003", Self.two], sources: ["ibm": "A1"]) { record in
                guard isEnded else { return }
                record.subscriptions[0].status = .terminated
                record.subscriptions[0].endedOn = LocalDate("2024-06-30")
            }
            let row: [String: SQLValue] = ["source_id": .text("A1"), "msisdn": .text(Self.one), "plan": .text("NEW")]
            let planned = try await bench.plan([row]).map(\.name)
            #expect(try await bench.apply([row]).map(\.name) == planned)
            let after = try #require(try await bench.record(before.id))
            #expect(after.subscriptions[1] == before.subscriptions[1], "ended \(isEnded)")
            // The first line's number is the source's again; of one that has ended nothing changes.
            #expect((after.subscriptions[0] == before.subscriptions[0]) == isEnded && after.subscriptions.count == (isEnded ? 3 : 2))
            let named = try #require(after.subscriptions.first { $0.msisdn == Self.one })
            #expect(named.plan == "NEW" && named.status == .active)
            #expect(try await bench.apply([row]).map(\.name) == ["unchanged"])
        }
    }

    @Test("two rows of one file about two lines of one customer see each other, whatever the chunks")
    func bothLines() async throws {
        for size in [1, 500] {
            let bench = try await ImportBench()
            let before = try await customer(bench, numbers: [Self.one, Self.two])
            let rows = ImportBench.rows([
                ["msisdn": .text(Self.one), "plan": .text("A"), "city": .text("杭州")],
                ["msisdn": .text(Self.two), "plan": .text("B"), "city": .text("深圳")],
            ])
            let dump = try await bench.dump()
            let options = ImportOptions(matchKey: "msisdn", source: "crm")
            let planned = try await bench.pass(rows, options, size: size, applies: false)
            let done = try await bench.pass(rows, options, size: size, applies: true)
            #expect(planned.joined().map(\.name) == ["updated city,region,plan", "updated city,region,plan"])
            #expect(done.joined().map(\.name) == ["updated city,region,plan", "updated city,region,plan"])
            let after = try #require(try await bench.record(before.id))
            #expect(after.subscriptions.map(\.plan) == ["A", "B"] && after.customer.revision == 3)
            #expect(try await bench.revert(done).isEmpty)
            #expect(try await bench.dump() == dump)
        }
    }

    @Test("a mobile number makes a mobile line beside the broadband line, and the end of one leaves the other")
    func numberAndBroadband() async throws {
        let bench = try await ImportBench()
        var row: [String: SQLValue] = [
            "source_id": .text("A1"), "msisdn": .text(Self.one), "internet_service": .text("DSL"),
            "plan": .text("5G 99"),
        ]
        let id = try #require(try await bench.apply([row])[0].customer)
        let lines = try #require(try await bench.record(id)).subscriptions
        #expect(lines.map(\.service) == [.mobile, .broadband])
        #expect(lines.map(\.msisdn) == [Self.one, nil] && lines[0].plan == "5G 99" && lines[1].technology == "dsl")
        #expect(try await bench.apply([row]).map(\.name) == ["unchanged"])
        row["internet_service"] = .text("No")
        #expect(try await bench.apply([row]).map(\.name) == ["updated internet_service"])
        let after = try #require(try await bench.record(id)).subscriptions
        #expect(after.map(\.status) == [.active, .terminated] && after[0].msisdn == Self.one)
    }

    @Test("a number for a customer who had broadband only makes a line of its own")
    func numberForBroadband() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([["source_id": .text("A1"), "internet_service": .text("Fibre")]])
        let id = try #require(
            try await bench.apply([["source_id": .text("A1"), "msisdn": .text(Self.one)]])[0].customer)
        let lines = try #require(try await bench.record(id)).subscriptions
        #expect(lines.map(\.service) == [.broadband, .mobile] && lines.map(\.msisdn) == [nil, Self.one])
    }

    @Test("the day of leaving is the end of the lines that leaving ended, not of those that ended before")
    func leftOn() async throws {
        let bench = try await ImportBench()
        let before = try await customer(bench, numbers: [Self.one, Self.two], sources: ["ibm": "A1"]) { record in
            record.subscriptions[0].status = .terminated
            record.subscriptions[0].endedOn = LocalDate("2024-06-30")
        }
        let row: [String: SQLValue] = [
            "source_id": .text("A1"), "left": .bool(true), "left_on": .text("2026-02-10"),
        ]
        let done = try await bench.apply([row])
        var after = try #require(try await bench.record(before.id))
        #expect(after.subscriptions.map(\.endedOn) == [LocalDate("2024-06-30"), LocalDate("2026-02-10")])
        // A corrected date moves only those.
        _ = try await bench.apply([row.merging(["left_on": .text("2026-02-12")]) { $1 }])
        after = try #require(try await bench.record(before.id))
        #expect(after.subscriptions.map(\.endedOn) == [LocalDate("2024-06-30"), LocalDate("2026-02-12")])
        #expect(done.count == 1)
    }

    @Test("an amount that no bill can have is refused with its reason, and a huge one stops no score")
    func hugeAmount() async throws {
        let bench = try await ImportBench()
        for (field, amount) in [("monthly_charge", Int64.max), ("total_charges", 100_000_000_000_001)] {
            let row: [String: SQLValue] = ["source_id": .text("A1"), field: .int(amount)]
            #expect(try await bench.apply([row]).map(\.name) == ["rejected \(field) \(field)"])
        }
        let most: [String: SQLValue] = ["source_id": .text("A1"), "monthly_charge": .int(100_000_000_000_000)]
        #expect(try await bench.apply([most]).map(\.name) == ["created"])
        let score = CustomerValue.score(
            monthlyCharge: .max, contractTerm: 24, probability: 0.01, hasLeft: false)
        #expect(try #require(score) > 0)
        var record = try await customer(bench, numbers: [Self.one, Self.two])
        for index in record.subscriptions.indices { record.subscriptions[index].monthlyCharge = .max }
        #expect(record.monthlyCharge == .max)
    }

    // MARK: Numbers that go from hand to hand

    @Test("coming back to a number that somebody else has by now is a reject, in the dry run and the run")
    func reactivated() async throws {
        let bench = try await ImportBench()
        let number = SQLValue.text(Self.one)
        _ = try await bench.apply([["source_id": .text("C1"), "msisdn": number, "left": .bool(true)]])
        _ = try await bench.apply([["source_id": .text("C2"), "msisdn": number]])
        for back: [String: SQLValue] in [
            ["source_id": .text("C1"), "left": .bool(false)],
            ["source_id": .text("C1"), "subscription_status": .text("active")],
        ] {
            #expect(try await bench.plan([back]).map(\.name) == ["rejected msisdn taken"])
            #expect(try await bench.apply([back]).map(\.name) == ["rejected msisdn taken"])
        }
    }

    @Test("a number that one row frees is there for a later one, in one chunk and across chunks, planned and done")
    func freed() async throws {
        for size in [1, 2, 500] {
            let bench = try await ImportBench()
            _ = try await bench.apply([["source_id": .text("C1"), "msisdn": .text(Self.one)]])
            let before = try await bench.dump()
            let rows = ImportBench.rows([
                ["source_id": .text("C0"), "msisdn": .text(Self.one)],
                ["source_id": .text("C1"), "msisdn": .text(Self.two)],
                ["source_id": .text("C2"), "msisdn": .text(Self.one)],
                ["source_id": .text("C3"), "msisdn": .text(Self.one)],
            ])
            let options = ImportOptions(matchKey: "source_id", source: "ibm")
            let expected = [
                "rejected msisdn taken", "updated msisdn", "created", "rejected msisdn duplicate_in_file",
            ]
            let planned = try await bench.pass(rows, options, size: size, applies: false)
            #expect(planned.joined().map(\.name) == expected, "chunks of \(size)")
            let done = try await bench.pass(rows, options, size: size, applies: true)
            #expect(done.joined().map(\.name) == expected, "chunks of \(size)")
            #expect(try await bench.revert(done).isEmpty)
            #expect(try await bench.dump() == before)
        }
    }

    @Test("a revert lists the number that somebody else has by now, and goes on")
    func revertTaken() async throws {
        let bench = try await ImportBench()
        let first: [String: SQLValue] = ["source_id": .text("C1"), "msisdn": .text(Self.one), "plan": .text("A")]
        let id = try #require(try await bench.apply([first])[0].customer)
        let second: [String: SQLValue] = ["source_id": .text("C1"), "msisdn": .text(Self.two), "plan": .text("B")]
        let done = try await bench.apply([second])
        _ = try await bench.apply([["source_id": .text("C2"), "msisdn": .text(Self.one)]])
        let issues = try await bench.revert([done])
        #expect(issues.map(\.field) == ["msisdn"] && issues.map(\.customer) == [id])
        let line = try #require(try await bench.record(id)?.subscriptions.first)
        #expect(line.plan == "A" && line.msisdn == Self.two)
    }

    // MARK: Taking back exactly

    @Test("a revert takes away its own source's number and no other")
    func revertSource() async throws {
        let bench = try await ImportBench()
        let before = try await customer(bench, numbers: [Self.one], sources: ["billing": "77"])
        let dump = try await bench.dump()
        let row: [String: SQLValue] = ["msisdn": .text(Self.one), "source_id": .text("77")]
        let done = try await bench.apply([row], match: "msisdn", source: "crm")
        #expect(try await bench.record(before.id)?.sourceIDs == ["billing": "77", "crm": "77"])
        #expect(try await bench.revert([done]).isEmpty)
        #expect(try await bench.record(before.id)?.sourceIDs == ["billing": "77"])
        // The reference and its search token go too.
        #expect(try await bench.dump() == dump)
    }

    @Test("reverting a leaving brings back each line as it was, the reference, the add-on's charge and the history")
    func revertLeaving() async throws {
        let bench = try await ImportBench()
        let before = try await customer(bench, numbers: [Self.one, Self.two], sources: ["ibm": "A1"]) { record in
            record.subscriptions[0].status = .terminated
            record.subscriptions[1].status = .suspended
            record.subscriptions[1].addons = [Addon(code: "tech_support", monthlyCharge: 1_500)]
        }
        let dump = try await bench.dump()
        let row: [String: SQLValue] = [
            "source_id": .text("A1"), "left": .bool(true), "left_on": .text("2026-02-10"),
            "leave_reason": .text("Moved"), "addon_tech_support": .text("no"),
        ]
        let done = try await bench.apply([row])
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_subscription_history") == 1)
        #expect(try await bench.revert([done]).isEmpty)
        var after = try #require(try await bench.record(before.id))
        // The edition that forms check only grows.
        #expect(after.customer.edition > before.customer.edition)
        after.customer.edition = before.customer.edition
        #expect(after == before)
        #expect(try await bench.dump() == dump)
    }

    @Test("of a leaving that somebody changed since, nothing is taken back, and it is listed")
    func revertLeavingChanged() async throws {
        let bench = try await ImportBench()
        let before = try await customer(bench, numbers: [Self.one], sources: ["ibm": "A1"])
        let done = try await bench.apply([["source_id": .text("A1"), "left": .bool(true), "plan": .text("NEW")]])
        _ = try await bench.apply([["source_id": .text("A1"), "status": .text("won_back")]])
        let issues = try await bench.revert([done])
        #expect(issues.map(\.field) == ["left"])
        let after = try #require(try await bench.record(before.id))
        #expect(after.customer.hasLeft == true && after.outcome != nil && after.customer.status == .wonBack)
        #expect(after.subscriptions[0].status == .terminated && after.subscriptions[0].plan == "OLD")
    }

    @Test("a revert by somebody who may not see all of its customers is refused and changes nothing")
    func revertOutOfScope() async throws {
        let bench = try await ImportBench()
        let rows: [[String: SQLValue]] = [
            ["source_id": .text("A1"), "region": .text("浙江")], ["source_id": .text("A2"), "region": .text("江苏")],
        ]
        let created = try await bench.apply(rows)
        let updated = try await bench.apply(rows.map { $0.merging(["plan": .text("X")]) { $1 } })
        let before = try await bench.dump()
        let clerk = TestTenant.principal([CustomerPermissions.view], regions: ["浙江"])
        for done in [updated, created] {
            let error = await #expect(throws: CRMError.self) { _ = try await bench.revert([done], as: clerk) }
            #expect(error?.code == "out_of_scope")
        }
        #expect(try await bench.dump() == before)
    }

    @Test("facts hold all of a line, so that a line taken away comes back whole")
    func wholeLine() throws {
        let id = SubscriptionID(17)
        var line = Subscription(id: id, service: .mobile, currency: "CNY")
        for (index, fact) in Subscription.facts.enumerated() where fact.get(line) == .null {
            fact.set(
                &line,
                ["contract_end", "start_date", "ended_on"].contains(fact.name)
                    ? .text("2026-01-31") : .text("t\(index)"))
            if fact.get(line) == .null { fact.set(&line, .int(Int64(index))) }
        }
        line.addons = [Addon(code: "cloud_storage"), Addon(code: "tech_support", monthlyCharge: 5)]
        line.simKind = .esim
        // Every property is a fact: none of them is empty by now.
        for child in Mirror(reflecting: line).children {
            #expect("\(child.value)" != "nil", "\(child.label ?? "") is no fact")
        }
        var again = Subscription(blank: 17)
        for (name, value) in line.values() { again.give(name, value) }
        #expect(again == line)
    }
}
