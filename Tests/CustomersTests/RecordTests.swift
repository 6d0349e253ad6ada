import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// A base of two customers of the source billing, and records that are imported for them.
struct RecordDesk: Sendable {
    let bench: ImportBench
    let ids: [CustomerID]
    var tenant: Tenant { bench.test.tenant }

    init() async throws { try await self.init(nil) }

    /// - Parameter test: the tenant to bring them to; `nil` = one of their own.
    init(_ test: TestTenant?) async throws {
        bench = if let test { ImportBench(test) } else { try await ImportBench() }
        let made = try await bench.apply(
            [
                ["source_id": .text("B1"), "full_name": .text("王小明"), "msisdn": .text("+8613812345678"), "region": .text("east")],
                ["source_id": .text("B2"), "full_name": .text("李雷"), "msisdn": .text("+8613912345678"), "region": .text("west")],
            ], source: "billing")
        ids = made.compactMap(\.customer)
    }

    func target(_ entity: String) throws -> any ImportTarget {
        try #require(CustomersModule.importTargets(tenant).first { $0.entity == entity })
    }

    func apply(
        _ entity: String, _ rows: [[String: SQLValue]], source: String = "billing", match: String? = nil,
        creates: Bool = true, as principal: Principal? = nil
    ) async throws -> [ImportOutcome] {
        let target = try target(entity)
        let key = match ?? target.fields.first(where: \.canMatch)?.key
        let options = ImportOptions(matchKey: key, createsNew: creates, source: source)
        let (who, given) = (principal ?? bench.principal, ImportBench.rows(rows))
        return try await tenant.database.write { try target.importer(options, principal: who).applyWhole(given, $0) }
    }

    func plan(_ entity: String, _ rows: [[String: SQLValue]]) async throws -> [ImportOutcome] {
        let target = try target(entity)
        let options = ImportOptions(matchKey: target.fields.first(where: \.canMatch)?.key, source: "billing")
        let (who, given) = (bench.principal, ImportBench.rows(rows))
        return try await tenant.database.read { try target.importer(options, principal: who).plan(given, $0) }
    }

    /// Takes outcomes back as Ingest does: creates first.
    func revert(_ entity: String, _ outcomes: [ImportOutcome]) async throws -> [RevertIssue] {
        let target = try target(entity)
        let who = bench.principal
        return try await tenant.database.write { session in
            var created: [(CustomerID, revision: Int64, undo: [ImportChange])] = []
            var updated: [(CustomerID, undo: [ImportChange])] = []
            for outcome in outcomes {
                switch outcome {
                case .created(let id, let revision, let undo): created.append((id, revision, undo))
                case .updated(let id, _, let undo): updated.append((id, undo))
                default: break
                }
            }
            var memory = RevertMemory()
            let told = try target.forecastRevert(created: created, updated: updated, &memory, session)
            let issues =
                try target.revertCreated(created, principal: who, session)
                + target.revertUpdated(updated, principal: who, session)
            if let told {
                #expect(
                    told.issues.map { "\($0.customer) \($0.field)" }.sorted()
                        == issues.map { "\($0.customer) \($0.field)" }.sorted(), "\(entity): what was foretold stays")
            }
            return issues
        }
    }

    func count(_ sql: SQL) async throws -> Int { try await bench.count(sql) }
}

@Suite("Records of customers")
struct RecordTests {
    private static let bill: [String: SQLValue] = [
        "bill_number": .text("R1"), "source_id": .text("B1"), "amount": .int(9_950), "period": .text("2026-09"),
        "due_on": .text("2026-10-20"),
    ]

    @Test("a bill is made once, unchanged when it comes again, updated when it was paid, and the dry run says the same")
    func bills() async throws {
        let desk = try await RecordDesk()
        #expect(try await desk.plan("bills", [Self.bill]).map(\.name) == ["created"])
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_charge") == 0)
        #expect(try await desk.apply("bills", [Self.bill]).map(\.name) == ["created"])
        #expect(try await desk.apply("bills", [Self.bill]).map(\.name) == ["unchanged"])
        var paid = Self.bill
        paid["paid_on"] = .text("2026-10-18")
        #expect(try await desk.plan("bills", [paid]).map(\.name) == ["updated paid_on"])
        #expect(try await desk.apply("bills", [paid]).map(\.name) == ["updated paid_on"])
        // A row without the date does not take it away.
        #expect(try await desk.apply("bills", [Self.bill]).map(\.name) == ["unchanged"])
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_charge WHERE paid_on = '2026-10-18' AND amount = 9950") == 1)
        // The same number at another source is another bill.
        var other = Self.bill
        other["customer_source"] = .text("billing")
        #expect(try await desk.apply("bills", [other], source: "retail").map(\.name) == ["created"])
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_charge") == 2)
    }

    @Test("an import of bills is taken back, but not what was changed since")
    func revert() async throws {
        let desk = try await RecordDesk()
        var second = Self.bill
        second["bill_number"] = .text("R2")
        let made = try await desk.apply("bills", [Self.bill, second])
        var paid = Self.bill
        paid["paid_on"] = .text("2026-10-18")
        let changed = try await desk.apply("bills", [paid])
        let issues = try await desk.revert("bills", made)
        #expect(issues.count == 1 && issues.first?.customer == desk.ids[0])
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_charge") == 1)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_record_key WHERE kind = 'bills'") == 1)
        #expect(try await desk.revert("bills", changed).isEmpty)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_charge WHERE paid_on IS NULL") == 1)
        #expect(try await desk.apply("bills", [second]).map(\.name) == ["created"], "what was taken back can come again")
    }

    @Test("the revert of an import of customers keeps those who have bills by now")
    func keepsOwners() async throws {
        let desk = try await RecordDesk()
        let before = try await desk.bench.record(desk.ids[0])?.customer.revision
        let made = try await desk.apply("bills", [Self.bill])
        #expect(try await desk.bench.record(desk.ids[0])?.customer.revision != before)
        _ = try await desk.revert("bills", made)
        #expect(try await desk.bench.record(desk.ids[0])?.customer.revision == before, "as if nothing had been")
    }

    @Test("rows are refused with the field and the reason: unknown customers, two customers, no customer, wrong amounts")
    func refusals() async throws {
        let desk = try await RecordDesk()
        func bill(_ change: [String: SQLValue]) -> [String: SQLValue] { Self.bill.merging(change) { $1 } }
        let outcomes = try await desk.apply(
            "bills",
            [
                bill(["bill_number": .text("1"), "source_id": .text("B9")]),
                bill(["bill_number": .text("2"), "msisdn": .text("+8613912345678")]),
                bill(["bill_number": .text("3"), "source_id": .null]),
                bill(["bill_number": .text("4"), "amount": .null]),
                bill(["bill_number": .text("5"), "period": .text("sometime")]),
                bill(["bill_number": .text("6"), "currency": .text("EUR")]),
                bill(["bill_number": .text("7"), "source_id": .null, "account_number": .text("A9")]),
                bill(["bill_number": .text("8"), "period": .text("2026年9月")]),
            ])
        #expect(
            outcomes.map(\.name) == [
                "rejected source_id unknown_customer", "rejected msisdn two_customers", "rejected  no_customer",
                "rejected amount required", "rejected period not_a_month", "rejected currency other_currency",
                "rejected account_number unknown_account", "created",
            ])
        let second = bill(["bill_number": .text("8"), "source_id": .text("B2")])
        #expect(try await desk.apply("bills", [second]).map(\.name) == ["rejected bill_number other_customer"])
        let none = bill(["bill_number": .text("9")])
        #expect(try await desk.apply("bills", [none], creates: false).map(\.name) == ["rejected bill_number no_match"])
        let west = TestTenant.principal([CustomerPermissions.view], roles: [.supervisor], regions: ["west"])
        #expect(
            try await desk.apply("bills", [none], as: west).map(\.name) == ["rejected source_id out_of_scope"])
    }

    @Test("accounts stand below accounts, have parties in roles with dates, and find the customers of bills")
    func accounts() async throws {
        let desk = try await RecordDesk()
        let home: [String: SQLValue] = [
            "account_number": .text("A1"), "source_id": .text("B1"), "account_kind": .text("household"),
            "name": .text("王家"), "opened_on": .text("2020-01-01"),
        ]
        let over: [String: SQLValue] = [
            "account_number": .text("A2"), "source_id": .text("B2"), "parent_number": .text("A1"),
            "closed_on": .text("2021-01-01"),
        ]
        let wrong: [String: SQLValue] = [
            "account_number": .text("A3"), "source_id": .text("B2"), "parent_number": .text("A3"),
        ]
        let backwards: [String: SQLValue] = [
            "account_number": .text("A4"), "source_id": .text("B2"), "opened_on": .text("2021-01-01"),
            "closed_on": .text("2020-01-01"),
        ]
        #expect(
            try await desk.apply("accounts", [home, over, wrong, backwards]).map(\.name) == [
                "created", "created", "rejected parent_number own_parent", "rejected closed_on before_start",
            ])
        #expect(
            try await desk.count("SELECT COUNT(*) FROM customers_account WHERE number = 'A2' AND status = 'closed'") == 1)
        let payer: [String: SQLValue] = [
            "account_number": .text("A1"), "source_id": .text("B2"), "role": .text("payer"),
            "valid_from": .text("2020-01-01"),
        ]
        var ended = payer
        ended["valid_to"] = .text("2026-01-01")
        var lost = payer
        lost["account_number"] = .text("A9")
        // Two rows about one role in one chunk: the later one counts.
        #expect(
            try await desk.apply("account_roles", [payer, ended, lost]).map(\.name) == [
                "created", "updated ", "rejected account_number unknown_account",
            ])
        #expect(try await desk.apply("account_roles", [ended]).map(\.name) == ["unchanged"])
        #expect(
            try await desk.count("SELECT COUNT(*) FROM customers_account_role WHERE valid_to = '2026-01-01'") == 1)
        var bill = Self.bill
        bill["source_id"] = nil
        bill["account_number"] = .text("A1")
        #expect(try await desk.apply("bills", [bill]).map(\.customer) == [desk.ids[0]])
    }

    @Test("a line comes with eSIM and device, is found by its id or its number, and is taken back exactly")
    func lines() async throws {
        let desk = try await RecordDesk()
        let before = try await desk.bench.record(desk.ids[0])
        let first: [String: SQLValue] = [
            "line_id": .text("L1"), "source_id": .text("B1"), "msisdn": .text("+8613812345678"), "plan": .text("5G 99"),
            "sim_kind": .text("esim"), "iccid": .text("89860012345678901234"), "device": .text("Xiaomi 14"),
        ]
        let second: [String: SQLValue] = [
            "line_id": .text("L2"), "source_id": .text("B1"), "msisdn": .text("+8613712345678"),
        ]
        let taken: [String: SQLValue] = [
            "line_id": .text("L3"), "source_id": .text("B2"), "msisdn": .text("+8613812345678"),
        ]
        let card: [String: SQLValue] = [
            "line_id": .text("L4"), "source_id": .text("B2"), "msisdn": .text("+8613900000001"),
            "iccid": .text("89860012345678901234"),
        ]
        let rows = [first, second, taken, card]
        let planned = try await desk.plan("lines", rows)
        let made = try await desk.apply("lines", rows)
        #expect(planned.map { $0.name.split(separator: " ").first } == made.map { $0.name.split(separator: " ").first })
        #expect(made.map(\.name).dropFirst() == ["created", "rejected msisdn taken", "rejected iccid taken"])
        #expect(made.first?.name.hasPrefix("updated ") == true)
        let now = try #require(try await desk.bench.record(desk.ids[0]))
        #expect(now.subscriptions.count == 2 && now.subscriptions.first?.simKind == .esim)
        #expect(try await desk.apply("lines", [first, second]).map(\.name) == ["unchanged", "unchanged"])
        let ended: [String: SQLValue] = ["line_id": .text("L2"), "ended_on": .text("2026-01-31")]
        #expect(try await desk.apply("lines", [ended]).map(\.name) == ["updated status,ended_on"])
        let again: [String: SQLValue] = ["line_id": .text("L2"), "status": .text("active")]
        let back = try await desk.apply("lines", [again])
        #expect(back.map(\.name) == ["updated status,ended_on"])
        #expect(try await desk.revert("lines", back).isEmpty)
        let issues = try await desk.revert("lines", made)
        #expect(!issues.isEmpty, "the line was ended since, so it stays")
        let left = try #require(try await desk.bench.record(desk.ids[0]))
        #expect(left.subscriptions.first == before?.subscriptions.first)
    }

    @Test("who left is found by the number, unless other lines stay; taking it back brings the customer back")
    func outcomes() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply(
            "lines", [["line_id": .text("L2"), "source_id": .text("B1"), "msisdn": .text("+8613712345678")]])
        let rows: [[String: SQLValue]] = [
            ["msisdn": .text("+8613912345678"), "left_on": .text("2026-01-31"), "competitor": .text("Unicom")],
            ["msisdn": .text("+8613812345678"), "left_on": .text("2026-01-31")],
            ["msisdn": .text("+8613000000000"), "left_on": .text("2026-01-31")],
        ]
        let before = try await desk.bench.record(desk.ids[1])
        let made = try await desk.apply("outcomes", rows, match: "msisdn")
        #expect(
            made.map { $0.name.split(separator: " ").first } == ["updated", "rejected", "rejected"], "\(made.map(\.name))")
        #expect(made[1].name == "rejected msisdn has_other_lines" && made[2].name == "rejected msisdn no_match")
        let gone = try #require(try await desk.bench.record(desk.ids[1]))
        #expect(gone.customer.status == .churned && gone.outcome?.competitor == "Unicom")
        #expect(gone.subscriptions.allSatisfy { $0.status == .terminated })
        #expect(try await desk.apply("outcomes", [rows[0]], match: "msisdn").map(\.name) == ["unchanged"])
        #expect(try await desk.revert("outcomes", made).isEmpty)
        let back = try #require(try await desk.bench.record(desk.ids[1]))
        #expect(back.customer.status == before?.customer.status && back.outcome == nil)
    }

    @Test("a customer who is taken out takes accounts, roles and keys along")
    func forgotten() async throws {
        let desk = try await RecordDesk()
        _ = try await desk.apply("accounts", [["account_number": .text("A1"), "source_id": .text("B1")]])
        _ = try await desk.apply(
            "account_roles", [["account_number": .text("A1"), "source_id": .text("B2"), "role": .text("user")]])
        let record = try #require(try await desk.bench.record(desk.ids[0]))
        let ids = desk.tenant.ids
        try await desk.tenant.database.write { session in
            try CustomerWriter(ids: ids, session).remove([record], session)
        }
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_account") == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_account_role") == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_record_key WHERE kind = 'accounts'") == 0)
    }

    @Test("months are read however sources write them")
    func periods() throws {
        for text in ["2026-09", "202609", "2026/9", "2026年9月", "20260915", "2026-09-30"] {
            #expect(try ChargeRecords.period(text, nil) == "2026-09", "\(text)")
        }
        for text in ["Sep 2026", "September 2026", "2026 September", "Sep-26", "Sept-26", "2026-09-01 - 2026-09-30", "01 Sep 2026"] {
            #expect(try ChargeRecords.period(text, LocalDate("2026-12-01")) == "2026-09", "\(text)")
        }
        #expect(try ChargeRecords.period(nil, LocalDate("2026-10-05")) == "2026-09")
        #expect(try ChargeRecords.period(nil, LocalDate("2026-10-25")) == "2026-10")
        for text in ["09-2026", "2026-13", "x"] {
            #expect(throws: RecordRefusal.self, "\(text)") { try ChargeRecords.period(text, nil) }
        }
    }
}
