import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// Parts of the numbers of cards, bills and accounts.
@Suite("search by parts of numbers")
struct SearchNumberTests {
    private static let view = CustomerPermissions.view
    private static let agent = TestTenant.principal([view, Masking.seeNames])
    private static let eastern = TestTenant.principal([view, Masking.seeNames, Masking.seeContacts], regions: ["east"])

    private static func matches(
        _ query: String, _ desk: RecordDesk, _ principal: Principal = SearchTests.everybody
    ) async throws -> [SearchMatch] {
        try await desk.tenant.database.read { try CustomerSearch.matches(query, limit: 20, principal, $0) }
    }

    private static func cards(_ desk: RecordDesk) async throws {
        let outcomes = try await desk.apply(
            "lines",
            [
                [
                    "msisdn": .text("+8613812345678"), "iccid": .text("89860071119876543210"),
                    "imsi": .text("460007771234509"), "imei": .text("356938035643809"), "device": .text("Pine X1"),
                ]
            ])
        #expect(outcomes.map(\.name).allSatisfy { $0.hasPrefix("updated") }, "\(outcomes)")
    }

    @Test(
        "four digits and more of a card are enough, wherever they stand, for those who see numbers",
        arguments: ["8986", "1198", "3210", "007111987", "98765432", "8986 0071", "77712345", "356938", "5643809", "89860071119876543210"])
    func cards(_ query: String) async throws {
        let desk = try await RecordDesk()
        try await Self.cards(desk)
        let found = try await Self.matches(query, desk)
        #expect(found.first?.id == desk.ids[0], "\(found)")
        #expect(found.contains { $0.id == desk.ids[0] })
        if !"+8613812345678".contains(query) { #expect(found.map(\.way) == [.card]) }
        // Who sees the last digits only finds by the whole number: nobody guesses at the rest.
        let isWhole = query.count == 20
        #expect(try await Self.matches(query, desk, Self.agent).count { $0.way == .card } == (isWhole ? 1 : 0))
        #expect(try await Self.matches(query + "55", desk).isEmpty)
    }

    @Test("runs that stand in a card, but not behind each other, are no part of it")
    func order() async throws {
        let desk = try await RecordDesk()
        try await Self.cards(desk)
        #expect(try await Self.matches("89863210", desk).isEmpty)
        #expect(try await Self.matches("711198765432108986", desk).isEmpty)
    }

    @Test("bills and accounts are found by parts of their numbers, with letters too, in groups of their own, in one's regions")
    func records() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply(
            "accounts",
            [
                ["account_number": .text("ACC-770012345"), "source_id": .text("B1")],
                ["account_number": .text("AC-101"), "source_id": .text("B2")],
            ])
        _ = try await desk.apply(
            "bills",
            (1...5).map { month in
                [
                    "bill_number": .text("INV2026-0\(month)/88\(month)41"), "source_id": .text(month < 5 ? "B1" : "B2"), "amount": .int(100),
                    "period": .text("2026-0\(month)"),
                ]
            })
        let account = SearchMatch(id: desk.ids[0], way: .record(.accounts, "ACC-770012345"))
        for query in ["7700", "0012345", "ACC-7700", "acc 7700123", "７７００１"] {
            #expect(try await Self.matches(query, desk) == [account], "\(query)")
            #expect(try await Self.matches(query, desk, Self.agent) == [account], "the page shows it")
        }
        for query in ["AC-101", "ac101"] {
            #expect(try await Self.matches(query, desk) == [SearchMatch(id: desk.ids[1], way: .record(.accounts, "AC-101"))], "\(query)")
        }
        _ = try await desk.apply(
            "payments", [["payment_number": .text("P1"), "source_id": .text("B1"), "amount": .int(100), "paid_on": .text("2026-01-05")]])
        for query in ["P1", "p1"] {
            #expect(try await Self.matches(query, desk) == [SearchMatch(id: desk.ids[0], way: .record(.payments, "P1"))], "\(query)")
            #expect(try await Self.matches(query, desk, Self.eastern).map(\.id) == [desk.ids[0]])
        }
        #expect(try await Self.matches("P2", desk).isEmpty)
        #expect(try await Self.matches("88441", desk) == [SearchMatch(id: desk.ids[0], way: .record(.bills, "INV2026-04/88441"))])
        #expect(try await Self.matches("inv2026-05", desk) == [SearchMatch(id: desk.ids[1], way: .record(.bills, "INV2026-05/88541"))])
        let all = try await Self.matches("INV2026", desk)
        #expect(Set(all.map(\.id)) == Set(desk.ids))
        #expect(try await Self.matches("INV2026", desk, Self.eastern).map(\.id) == [desk.ids[0]])
        for query in ["8888", "INV"] { #expect(try await Self.matches(query, desk).isEmpty) }
        let hits = try await desk.tenant.database.read { session in
            let who = SearchTests.everybody
            return try CustomerSearch.source().find(
                "ACC-7700", 5,
                PanelRequest(
                    customers: [], principal: who, masking: Masking(who), language: .en, now: desk.tenant.clock.now(), assets: ""),
                session)
        }
        #expect(hits.map(\.group) == ["customers.search.accounts"] && hits[0].subtitle.hasPrefix("ACC-770012345"))
    }

    @Test("payments are found by parts of their numbers, go with their import, and an older base learns of them by the job")
    func payments() async throws {
        let desk = try await RecordDesk()
        let database = desk.tenant.database
        let rows: [[String: SQLValue]] = (1...3).map { day in
            [
                "payment_number": .text("PAY-2026-77\(day)01"), "source_id": .text(day < 3 ? "B1" : "B2"), "amount": .int(100),
                "paid_on": .text("2026-01-0\(day)"),
            ]
        }
        let outcomes = try await desk.apply("payments", rows)
        let first = SearchMatch(id: desk.ids[0], way: .record(.payments, "PAY-2026-77101"))
        for query in ["77101", "pay-2026-771", "６７７１"] {
            #expect(try await Self.matches(query, desk) == [first], "\(query)")
            #expect(try await Self.matches(query, desk, Self.agent) == [first], "the page shows it")
        }
        #expect(try await Self.matches("PAY-2026", desk, Self.eastern).map(\.id) == [desk.ids[0]])
        let hits = try await database.read { session in
            let who = SearchTests.everybody
            return try CustomerSearch.source().find(
                "77101", 5,
                PanelRequest(
                    customers: [], principal: who, masking: Masking(who), language: .en, now: desk.tenant.clock.now(), assets: ""),
                session)
        }
        #expect(hits.map(\.group) == ["customers.search.payments"] && hits[0].subtitle.hasPrefix("PAY-2026-77101"))
        // A base from before has none of them, and a row that says so.
        try await database.write { [ids = desk.ids] session in
            try NumberIndex.remove(of: ids, session)
            try session.execute("INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (3, 0, 0, 0)")
        }
        #expect(try await Self.matches("77101", desk).isEmpty)
        let fill = NumberFill(database: database, clock: desk.bench.test.clock)
        #expect(try await fill.run() == 3)
        #expect(try await Self.matches("77101", desk) == [first])
        desk.bench.test.clock.advance(seconds: SearchFill.fullMinutes * 60)
        #expect(try await fill.run() == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_search_state") == 0)
        #expect(try await desk.revert("payments", outcomes).isEmpty)
        #expect(try await Self.matches("77101", desk).isEmpty)
        try await SearchBench.requireSound(database)
    }

    @Test("a record that goes is not found, and a customer who moves is found where they are")
    func changes() async throws {
        let desk = try await RecordDesk()
        let row: [String: SQLValue] = [
            "bill_number": .text("INV-440099"), "source_id": .text("B2"), "amount": .int(100), "period": .text("2026-01"),
        ]
        let outcomes = try await desk.apply("bills", [row])
        #expect(try await Self.matches("4400", desk, Self.eastern).isEmpty)
        _ = try await desk.bench.apply([["source_id": .text("B2"), "region": .text("east")]], source: "billing")
        #expect(try await Self.matches("4400", desk, Self.eastern).map(\.id) == [desk.ids[1]])
        try await SearchBench.requireSound(desk.tenant.database)
        #expect(try await desk.revert("bills", outcomes).isEmpty)
        #expect(try await Self.matches("4400", desk).isEmpty)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_search_number") == 0)
        try await SearchBench.requireSound(desk.tenant.database)
    }

    @Test("a base from before is filled by the job, and once more a day later for what older processes wrote meanwhile")
    func fill() async throws {
        let desk = try await RecordDesk()
        let (database, clock) = (desk.tenant.database, desk.bench.test.clock)
        try await Self.cards(desk)
        let bills: [[String: SQLValue]] = (0..<3).map {
            ["bill_number": .text("INV-44009\($0)"), "source_id": .text("B2"), "amount": .int(100), "period": .text("2026-01")]
        }
        _ = try await desk.apply("bills", bills)
        func forget() async throws {
            try await database.write { session in
                try NumberIndex.remove(of: desk.ids, session)
                try SearchIndex.put([[.id(desk.ids[0]), .text("mold")]], session)
            }
        }
        try await forget()
        try await database.write {
            _ = try $0.execute("INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (2, 0, 0, 0)")
        }
        for query in ["4400", "1198"] { #expect(try await Self.matches(query, desk).isEmpty) }
        let fill = NumberFill(database: database, clock: clock)
        #expect(try await fill.run() == 4)
        #expect(try await Self.matches("4400", desk).map(\.id) == [desk.ids[1]])
        #expect(try await Self.matches("1198", desk).map(\.id) == [desk.ids[0]])
        #expect(try await fill.run() == 0)
        try await forget()
        #expect(try await fill.run() == 0, "not before the day is over")
        clock.advance(seconds: SearchFill.fullMinutes * 60)
        #expect(try await fill.run() == 4)
        try await SearchBench.requireSound(database)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_search_state WHERE id = 2") == 0)
        try await forget()
        #expect(try await fill.run() == 0, "done for ever")
    }

    @Test("an account that only bills name leads to its customer, however short its number, in one's regions; it goes with the last bill")
    func references() async throws {
        let desk = try await RecordDesk()
        func bill(_ number: String, _ who: String, _ account: String) -> [String: SQLValue] {
            [
                "bill_number": .text(number), "source_id": .text(who), "amount": .int(100), "period": .text("2026-01"),
                "account_number": .text(account),
            ]
        }
        let first = try await desk.apply("bills", [bill("N1", "B1", "A1"), bill("N2", "B2", "ACC-00012")])
        let second = try await desk.apply("bills", [bill("N3", "B1", "A1"), bill("N4", "B2", "ACC-00012")])
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_search_number WHERE id < 0") == 2, "each once")
        let short = SearchMatch(id: desk.ids[0], way: .record(.accounts, "A1"))
        let long = SearchMatch(id: desk.ids[1], way: .record(.accounts, "ACC-00012"))
        for query in ["A1", "a1"] { #expect(try await Self.matches(query, desk) == [short], "\(query)") }
        for query in ["ACC-00012", "acc00012", "0012"] { #expect(try await Self.matches(query, desk).first == long, "\(query)") }
        #expect(try await Self.matches("A2", desk).isEmpty)
        #expect(try await Self.matches("A1", desk, Self.agent) == [short], "the page shows it")
        let found = try await Self.matches("A1", desk, Self.eastern)
        let east = try await desk.count("SELECT COUNT(*) FROM customers_customer WHERE source = 'billing' AND region = 'east'")
        #expect(found.count <= east)
        try await SearchBench.requireSound(desk.tenant.database)
        // A base from before is filled.
        try await desk.tenant.database.write { session in
            try NumberIndex.remove(of: desk.ids, session)
            try session.execute("INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (4, 0, 0, 0)")
        }
        #expect(try await Self.matches("A1", desk).isEmpty)
        #expect(try await NumberFill(database: desk.tenant.database, clock: desk.bench.test.clock).run() == 2)
        #expect(try await Self.matches("A1", desk) == [short])
        #expect(try await desk.revert("bills", second).isEmpty)
        #expect(try await Self.matches("A1", desk) == [short], "another bill names it still")
        #expect(try await desk.revert("bills", first).isEmpty)
        #expect(try await Self.matches("A1", desk).isEmpty)
        try await SearchBench.requireSound(desk.tenant.database)
    }

    @Test("every part of every number is found and no other customer is", arguments: 1...3)
    func oracle(round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("search numbers \(round): seed \(seed)")
        var random = SeededGenerator(seed: seed)
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in "01289".randomElement(using: &random) ?? "0" })
        }
        let bench = try await ImportBench()
        let desk = try await RecordDesk(bench.test)
        let rows = (0..<40).map { index -> [String: SQLValue] in
            [
                "source_id": .text("Z\(index)"), "full_name": .text("某人"), "msisdn": .text("+86135550000\(index + 10)"),
                "iccid": .text("8986" + digits(16)),
            ]
        }
        let ids = try await desk.bench.apply(rows.map { $0.filter { $0.key != "iccid" } }, source: "billing").compactMap(\.customer)
        try #require(ids.count == rows.count)
        _ = try await desk.apply("lines", rows.map { $0.filter { ["msisdn", "iccid"].contains($0.key) } })
        var numbers = zip(ids, rows).map { (id: $0, number: SearchTokens.simToken($1["iccid"]?.asText ?? "")) }
        var bills: [[String: SQLValue]] = []
        for (index, id) in ids.enumerated() {
            for _ in 0..<3 {
                let number = ["B", "INV-", ""].randomElement(using: &random).map { $0 + digits(8) + "-" + digits(3) } ?? ""
                bills.append(["bill_number": .text(number), "source_id": .text("Z\(index)"), "amount": .int(1), "period": .text("2026-01")])
                numbers.append((id, SearchText.compact(number)))
            }
        }
        _ = try await desk.apply("bills", bills)
        for _ in 0..<150 {
            let whole = Array(numbers.randomElement(using: &random)?.number ?? "")
            let count = Int.random(in: 4...whole.count, using: &random), start = Int.random(in: 0...(whole.count - count), using: &random)
            let part = String(whole[start..<start + count])
            guard part.count(where: \.isNumber) >= 4 else { continue }
            let expected = Set(numbers.filter { $0.number.contains(part) }.map(\.id))
            let found = try await desk.tenant.database.read {
                try CustomerSearch.matches(part, limit: 2_000, SearchTests.everybody, $0)
            }
            // Telephone numbers, references and names may have the part too.
            let others = found.filter { if case .record = $0.way { false } else { $0.way != .card } }.map(\.id)
            #expect(Set(found.map(\.id)).subtracting(others).isSubset(of: expected), "\(part), seed \(seed)")
            #expect(expected.isSubset(of: Set(found.map(\.id))), "\(part), seed \(seed)")
        }
        try await SearchBench.requireSound(desk.tenant.database)
    }
}
