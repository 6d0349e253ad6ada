import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

/// What payments that name a bill do to it. Today is 2 March 2026.
@Suite("Payments settle their bills")
struct SettlementTests {
    private static func bill(_ number: String, _ amount: Int64, due: String = "2026-03-20") -> [String: SQLValue] {
        [
            "bill_number": .text(number), "source_id": .text("B1"), "amount": .int(amount), "period": .text("2026-01"),
            "due_on": .text(due),
        ]
    }

    private static func payment(_ number: String, _ bill: String, _ amount: Int64, on: String) -> [String: SQLValue] {
        [
            "payment_number": .text(number), "source_id": .text("B1"), "amount": .int(amount), "paid_on": .text(on),
            "bill_number": .text(bill),
        ]
    }

    /// `R1 settled settled_on`.
    private func stored(_ desk: RecordDesk) async throws -> [String] {
        try await desk.tenant.database.read { session in
            try session.query(
                "SELECT number, settled, settled_on FROM customers_charge ORDER BY kind, number"
            ) { "\($0.text(0)) \($0.optionalInt(1).map { String($0) } ?? "-") \($0.optionalText(2) ?? "-")" }
        }
    }

    private struct Step: Equatable { let step: String; let on: [String]; let amounts: [Int64] }

    private func told(_ desk: RecordDesk) async throws -> [Step] {
        try await desk.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'customers.bill.moved' ORDER BY id") {
                let event = try JSONDecoder().decode(BillsMoved.self, from: Data($0.text(0).utf8))
                return Step(step: event.step.rawValue, on: event.bills.map(\.on), amounts: event.bills.map(\.amount))
            }
        }
    }

    @Test("a bill is paid in parts, in full and too much, to the cent, and open again when the payment is taken back")
    func parts() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply("bills", [Self.bill("R1", 19_901), Self.bill("R2", 5_000)])
        #expect(try await stored(desk) == ["R1 - -", "R2 - -"])
        _ = try await desk.apply("payments", [Self.payment("P1", "R1", 10_000, on: "2026-02-10")])
        #expect(try await stored(desk) == ["R1 10000 -", "R2 - -", "P1 10000 -"])
        let rest = try await desk.apply("payments", [Self.payment("P2", "R1", 9_900, on: "2026-02-12")])
        #expect(try await stored(desk).first == "R1 19900 -", "a cent is open")
        let cent = try await desk.apply("payments", [Self.payment("P3", "R1", 1, on: "2026-02-14")])
        #expect(try await stored(desk).first == "R1 19901 2026-02-14")
        _ = try await desk.apply("payments", [Self.payment("P4", "R1", 99, on: "2026-02-20")])
        #expect(try await stored(desk).first == "R1 20000 2026-02-14", "too much does not move the day")
        // The same file again changes nothing; a corrected payment does.
        _ = try await desk.apply("payments", [Self.payment("P4", "R1", 99, on: "2026-02-20")])
        #expect(try await stored(desk).first == "R1 20000 2026-02-14")
        #expect(try await desk.revert("payments", rest).isEmpty)
        #expect(try await stored(desk).first == "R1 10100 -")
        #expect(try await desk.revert("payments", cent).isEmpty)
        #expect(try await stored(desk).first == "R1 10099 -")
        _ = try await desk.apply("payments", [Self.payment("P4", "R1", 9_901, on: "2026-02-21")])
        #expect(try await stored(desk).first == "R1 19901 2026-02-21")
        #expect(
            try await told(desk) == [
                Step(step: "issued", on: ["2026-02-01", "2026-02-01"], amounts: [19_901, 5_000]),
                Step(step: "paid", on: ["2026-02-14"], amounts: [19_901]),
                Step(step: "paid", on: ["2026-02-21"], amounts: [19_901]),
            ])
    }

    @Test("a payment may come before its bill; one that names none that is here is told; the source's word that it is paid holds")
    func order() async throws {
        let desk = try await RecordDesk()
        let early = try await desk.apply(
            "payments",
            [Self.payment("P1", "R1", 500, on: "2026-02-10"), Self.payment("P2", "R9", 300, on: "2026-02-10")])
        #expect(try await stored(desk) == ["P1 0 -", "P2 0 -"])
        let made = try await desk.apply("bills", [Self.bill("R1", 500)])
        #expect(try await stored(desk) == ["R1 500 2026-02-10", "P1 500 -", "P2 0 -"])
        // A bill can be taken back although its payments stay, and both the other way round.
        #expect(try await desk.revert("bills", made).isEmpty)
        #expect(try await stored(desk) == ["P1 0 -", "P2 0 -"])
        _ = try await desk.apply("bills", [Self.bill("R1", 500)])
        #expect(try await desk.revert("payments", early).isEmpty)
        #expect(try await stored(desk) == ["R1 - -"])
        var paid = Self.bill("R1", 500)
        paid["paid_on"] = .text("2026-02-20")
        _ = try await desk.apply("bills", [paid])
        #expect(try await told(desk).map(\.step) == ["issued", "paid", "issued", "paid", "paid"])
        // Another customer's bill of the same number is not paid by it.
        var other = Self.bill("R2", 700)
        other["source_id"] = .text("B2")
        _ = try await desk.apply("bills", [other])
        _ = try await desk.apply("payments", [Self.payment("P5", "R2", 700, on: "2026-02-10")])
        let apart = try await stored(desk)
        #expect(apart.contains("R2 - -") && apart.contains("P5 0 -"), "\(apart)")
    }

    @Test("a bill that its source calls paid without a day is settled, and open again when it calls it open")
    func calledPaid() async throws {
        let desk = try await RecordDesk()
        func days() async throws -> [String] {
            try await desk.tenant.database.read { session in
                try session.query("SELECT number, paid_on FROM customers_charge ORDER BY number") {
                    "\($0.text(0)) \($0.optionalText(1) ?? "-")"
                }
            }
        }
        func bill(_ number: String, _ state: String?, due: String, on: String? = nil) -> [String: SQLValue] {
            var bill = Self.bill(number, 500, due: due)
            if let state { bill["paid_state"] = .text(state) }
            if let on { bill["paid_on"] = .text(on) }
            return bill
        }
        let rows = [
            bill("R1", "paid", due: "2026-02-20"), bill("R2", "open", due: "2026-02-20"), bill("R3", nil, due: "2026-02-20"),
            bill("R4", "paid", due: "2026-03-20"), bill("R5", "paid", due: "2026-02-20", on: "2026-02-11"),
            bill("R6", "open", due: "2026-02-20", on: "2026-02-11"),
        ]
        let run = try await desk.apply("bills", rows)
        let first = ["R1 2026-02-20", "R2 -", "R3 -", "R4 2026-03-02", "R5 2026-02-11", "R6 2026-02-11"]
        #expect(try await days() == first)
        _ = try await desk.apply("bills", rows)
        #expect(try await days() == first, "the same again changes nothing")
        #expect(try await OverdueWatch.run(desk.tenant) == 2, "only R2 and R3 are overdue")
        _ = run
        _ = try await desk.apply("bills", [bill("R1", "open", due: "2026-02-20"), bill("R2", "paid", due: "2026-02-20")])
        #expect(try await days().prefix(2) == ["R1 -", "R2 2026-02-20"])
    }

    @Test("payments of a number that two bills have pay the older one first, whatever the amounts (seeded)", arguments: 1...30)
    func sharing(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let day = LocalDate(daysSinceEpoch: 20_000)
        func entry(_ id: Int64, _ kind: ChargeKind, _ amount: Int64) -> Settlement.Entry {
            Settlement.Entry(
                customer: CustomerID(1), id: id, kind: kind, amount: amount, on: day.adding(days: Int(id)), number: "R",
                paidOn: nil, settled: nil, settledOn: nil, currency: "CNY")
        }
        let bills = (1...Int.random(in: 1...3, using: &random)).map {
            entry(Int64($0), .bill, Int64.random(in: 1...1_000, using: &random))
        }
        let payments = (10..<10 + Int.random(in: 0...5, using: &random)).map {
            entry(Int64($0), .payment, Int64.random(in: 1...1_000, using: &random))
        }
        let after = Settlement.settled(bills + payments)
        let total = payments.reduce(Int64(0)) { $0 + $1.amount }
        #expect(after.prefix(bills.count).reduce(Int64(0)) { $0 + ($1.settled ?? 0) } == total, "seed \(seed): no cent is lost")
        var before: Int64 = 0
        for bill in after.prefix(bills.count) {
            before += bill.amount
            #expect((bill.settledOn != nil) == (total >= before), "seed \(seed)")
            guard let on = bill.settledOn else { continue }
            let byThen = payments.filter { $0.on <= on }.reduce(Int64(0)) { $0 + $1.amount }
            let dayBefore = payments.filter { $0.on < on }.reduce(Int64(0)) { $0 + $1.amount }
            #expect(byThen >= before && dayBefore < before, "seed \(seed): the first day on which it was all there")
        }
    }

    @Test("the page says what is open, partly paid, overdue, paid, paid late and paid too much, in both languages")
    func page() async throws {
        let desk = try await PageDesk(customers: 0)
        let records = try await RecordDesk(desk.test)
        _ = try await records.apply(
            "bills",
            [
                Self.bill("OPEN", 10_000), Self.bill("PART", 19_900), Self.bill("LATE", 5_000, due: "2026-02-20"),
                Self.bill("DUE", 8_000, due: "2026-02-20"), Self.bill("OVER", 3_000), Self.bill("NOTHING", 0, due: "2026-02-20"),
            ])
        _ = try await records.apply(
            "payments",
            [
                Self.payment("P1", "PART", 5_001, on: "2026-02-10"), Self.payment("P2", "LATE", 5_000, on: "2026-02-25"),
                Self.payment("P3", "DUE", 1_000, on: "2026-02-25"), Self.payment("P4", "OVER", 3_050, on: "2026-02-25"),
                Self.payment("P5", "R77", 100, on: "2026-02-25"),
            ])
        let text = try await desk.get("/customers/\(records.ids[0])/charges", as: PageDesk.principal(.supervisor)).text
        var rows: [String: String] = [:]
        for row in text.components(separatedBy: "<tr>").dropFirst() {
            let words = row.replacing(/<[^>]*>/, with: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for name in ["OPEN", "PART", "LATE", "DUE", "OVER", "NOTHING", "P5"]
            where words.contains(" \(name) ") && !words.contains("for \(name)") { rows[name] = words }
        }
        #expect(rows["OPEN"]?.contains("Open") == true && rows["OPEN"]?.contains("Overdue") == false, "\(rows)")
        #expect(rows["PART"]?.contains("Partly paid") == true && rows["PART"]?.contains("148.99 open") == true, "\(rows)")
        #expect(rows["LATE"]?.contains("Paid late 2026-02-25") == true, "\(rows)")
        #expect(rows["DUE"]?.contains("Overdue") == true && rows["DUE"]?.contains("70.00 open") == true, "\(rows)")
        #expect(rows["OVER"]?.contains("Paid 2026-02-25") == true && rows["OVER"]?.contains("0.50 too much") == true, "\(rows)")
        #expect(rows["NOTHING"]?.contains("Overdue") == false, "a bill of nothing is not overdue: \(rows)")
        #expect(rows["P5"]?.contains("no such bill") == true, "\(rows)")
        #expect(rows["OPEN"]?.contains("2026-01 ") == true && rows["OPEN"]?.contains("made out 2026-02-01") == true, "\(rows)")
        #expect(text.contains("The month is the one that is billed"))
        let chinese = try await self.chinese(desk, records.ids[0])
        for word in ["部分已缴", "尚欠", "多缴", "无此账单"] { #expect(chinese.contains(word), "\(word)") }
        let overdue = try await desk.tenant.database.read { session in
            try PageStore.overdue(records.ids, today: LocalDate(daysSinceEpoch: 20_514), session).value()
        }
        #expect(overdue.count == 1 && overdue.amount == 7_000, "what was paid of it is not asked for again")
    }

    private func chinese(_ desk: PageDesk, _ id: CustomerID) async throws -> String {
        try await desk.get("/customers/\(id)/charges", as: PageDesk.principal(.supervisor), .zh).text
    }

    @Test("of a bill that nobody paid by its day it is told once, with what is open; of one that was paid it is not")
    func overdue() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply(
            "bills",
            [
                Self.bill("A", 10_000, due: "2026-03-02"), Self.bill("B", 5_000, due: "2026-02-27"),
                Self.bill("C", 5_000, due: "2026-02-27"), Self.bill("OLD", 5_000, due: "2025-08-27"),
            ])
        _ = try await desk.apply(
            "payments",
            [Self.payment("P1", "B", 5_000, on: "2026-02-20"), Self.payment("P2", "C", 2_000, on: "2026-02-20")])
        #expect(try await OverdueWatch.run(desk.tenant) == 1)
        #expect(try await OverdueWatch.run(desk.tenant) == 0)
        desk.bench.test.clock.advance(days: 1)
        #expect(try await OverdueWatch.run(desk.tenant) == 1)
        let steps = try await told(desk).filter { $0.step == "overdue" }
        #expect(
            steps == [
                Step(step: "overdue", on: ["2026-02-28"], amounts: [3_000]),
                Step(step: "overdue", on: ["2026-03-03"], amounts: [10_000]),
            ], "\(steps)")
    }

    @Test("bills that may have to be told are found by an index, however many there are")
    func plan() async throws {
        let desk = try await RecordDesk()
        let arguments: [SQLValue] = [.text("2026-01-01"), .text("2026-03-02"), .int(500)]
        let plan = try await desk.tenant.database.write { session -> [String] in
            guard session.dialect == .postgres else {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + OverdueWatch.due.text), arguments) { $0.text(3) }
            }
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL enable_bitmapscan = off")
            return try session.query(SQL(trusted: "EXPLAIN " + OverdueWatch.due.text), arguments) { $0.text(0) }
        }
        #expect(plan.contains { $0.contains("customers_charge_due") }, "\(plan)")
    }

    @Test("who left is told once with the day, whoever told: a person, an import of customers, a file of departures")
    func departures() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply(
            "outcomes", [["source_id": .text("B1"), "left_on": .text("2026-02-10")]], match: "source_id", creates: false)
        _ = try await desk.apply(
            "outcomes", [["source_id": .text("B1"), "left_on": .text("2026-02-10")]], match: "source_id", creates: false)
        _ = try await desk.bench.apply(
            [["source_id": .text("B2"), "full_name": .text("李雷"), "left": .bool(true), "left_on": .text("2026-01-05")]],
            source: "billing")
        let told = try await desk.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'customers.customer.left' ORDER BY id") {
                try JSONDecoder().decode(CustomersLeft.self, from: Data($0.text(0).utf8)).departures.map {
                    "\($0.customer) \($0.on)"
                }
            }
        }
        #expect(told == [["\(desk.ids[0]) 2026-02-10"], ["\(desk.ids[1]) 2026-01-05"]], "\(told)")
    }
}
