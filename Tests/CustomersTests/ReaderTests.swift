import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("what other domains read of customers")
struct ReaderTests {
    private func table(_ bench: ImportBench, after: CustomerID? = nil, limit: Int = 100) async throws -> CustomerTable {
        let reader = CustomerReader(clock: bench.test.clock)
        return try await bench.test.tenant.database.read { try reader.table(after: after, limit: limit, $0) }
    }

    private func cell(_ table: CustomerTable, _ column: String, _ id: CustomerID?) -> String? {
        guard let at = table.columns.firstIndex(of: column), let row = table.ids.firstIndex(where: { $0 == id }) else {
            return nil
        }
        return table.values[at][row]
    }

    @Test("an imported base becomes a table with built-in columns, attributes under their keys and the outcome")
    func imported() async throws {
        let bench = try await ImportBench()
        let field = try await bench.test.tenant.database.write { [target = bench.target] in
            try target.defineAttribute(title: "Churn Score", kind: .integer, $0)
        }
        var row = ImportTests.leaver
        row[field.key] = .int(86)
        let ids = try await bench.apply([row, ImportTests.stayer, ["source_id": .text("X")]]).compactMap(\.customer)
        // Time passes; a leaver's tenure does not.
        bench.test.clock.advance(days: 90)
        let table = try await table(bench)
        #expect(table.ids == ids)
        #expect(table.left == [true, false, nil])
        #expect(table.values.allSatisfy { $0.count == 3 })
        #expect(table.titles.count == table.columns.count)
        let leaver: [String: String] = [
            "tenure_months": "2", "monthly_charge": "53.85", "total_charges": "108.15", "contract_term": "0",
            "internet_service": "dsl", "service_broadband": "yes", "service_fixed_voice": "yes", "service_mobile": "no",
            "addon_online_security": "yes", "addon_tech_support": "no", "addon_count": "1", "line_count": "2",
            "payment_method": "mailed_check", "paperless": "yes", "senior": "no", "gender": "male",
            "city": "Los Angeles", "latitude": "33.96", "attr.churn_score": "86",
        ]
        for (column, value) in leaver { #expect(cell(table, column, ids[0]) == value, "\(column)") }
        #expect(cell(table, "plan", ids[1]) == "5G 畅享 199")
        #expect(cell(table, "service_mobile", ids[1]) == "yes")
        #expect(cell(table, "internet_service", ids[1]) == "no")
        #expect(cell(table, "attr.churn_score", ids[1]) == nil)
        #expect(cell(table, "monthly_charge", ids[2]) == nil)
        // Nothing that says the answer under another name, and nothing that is empty.
        for column in ["status", "left_on", "leave_reason", "ended_on", "reference", "birth_date", "bill_last"] {
            #expect(!table.columns.contains(column))
        }
    }

    @Test("paging by id reads every customer once")
    func paging() async throws {
        let bench = try await ImportBench()
        let rows = (0..<23).map { ["source_id": SQLValue.text("C\($0)"), "region": .text("R\($0 % 3)")] }
        let ids = try await bench.apply(rows).compactMap(\.customer)
        var read: [CustomerID] = []
        var after: CustomerID?
        while true {
            let page = try await table(bench, after: after, limit: 7)
            read += page.ids
            guard page.ids.count == 7 else { break }
            after = page.ids.last
        }
        #expect(read == ids)
    }

    @Test("use and bills become the last month, its change and how often one was late")
    func usage() async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([ImportTests.stayer])[0].customer)
        let tenant = bench.test.tenant
        try await tenant.database.write { session in
            guard let line = try CustomerLoader.record(id, session)?.subscriptions.first?.id else {
                throw CRMError.notFound
            }
            let writer = try CustomerWriter(ids: tenant.ids, session)
            let months = [(10, 1_000), (11, 1_100), (12, 900), (1, 500)]
            try writer.append(
                months.map { month, data in
                    let period = month == 1 ? "2026-01" : "2025-\(month)"
                    return (
                        id,
                        UsageMonth(
                            subscription: line, month: period, voiceMin: 100, sms: 3, dataMB: Int64(data), roamingMB: 0,
                            calls: 50, droppedCalls: month == 1 ? 5 : 0, speedMbps: 80)
                    )
                }, session)
            guard let day = LocalDate("2025-12-05") else { throw CRMError.notFound }
            let bills: [(Int64, String?)] = [(10_000, "2025-12-20"), (10_000, "2026-01-30"), (12_000, nil)]
            try writer.append(
                bills.enumerated().map { offset, bill in
                    let issued = day.adding(months: offset)
                    return (
                        id,
                        Charge(
                            id: tenant.ids.next(), kind: .bill, period: issued.yearMonth, amount: bill.0,
                            currency: "CNY",
                            issuedOn: issued, dueOn: issued.adding(days: 15), paidOn: bill.1.flatMap { LocalDate($0) })
                    )
                }, session)
        }
        let table = try await table(bench)
        #expect(cell(table, "data_mb_last_month", id) == "500")
        #expect(cell(table, "data_mb_change", id) == "-0.5")
        #expect(cell(table, "voice_min_change", id) == "0.0")
        #expect(cell(table, "dropped_call_rate", id) == "0.0333")
        #expect(cell(table, "speed_mbps", id) == "80.0")
        #expect(cell(table, "bill_last", id) == "120.0")
        #expect(cell(table, "bill_change", id) == "0.2")
        // The second bill was due on 2026-01-20 and paid ten days later; the third is open past 2026-02-20.
        #expect(cell(table, "overdue_count", id) == "2")
    }

    @Test("an attribute's column keeps its name when the title is edited; the title is only words")
    func renamed() async throws {
        let bench = try await ImportBench()
        let tenant = bench.test.tenant
        let field = try await tenant.database.write { [target = bench.target] in
            try target.defineAttribute(title: "Tenure_Months", kind: .integer, $0)
        }
        _ = try await bench.apply([["source_id": .text("A"), field.key: .int(7)]])
        let before = try await table(bench)
        #expect(before.columns == ["kind", "attr.tenure_months"] || before.columns.contains("attr.tenure_months"))
        try await tenant.database.write { session in
            let attribute = try #require(try AttributeStore.all(session).first)
            try AttributeStore(ids: tenant.ids, clock: tenant.clock).label(
                attribute.id, title: Words(en: "Months", zh: "月数"), mask: .none, session)
        }
        let after = try await table(bench)
        #expect(after.columns == before.columns)
        let place = try #require(after.columns.firstIndex(of: "attr.tenure_months"))
        #expect(after.titles[place] == Words(en: "Months", zh: "月数"))
        let reader = CustomerReader(clock: bench.test.clock)
        let masks = try await tenant.database.read {
            try reader.attributeMasks(["attr.tenure_months", "Months"], $0).value()
        }
        #expect(masks == ["attr.tenure_months": .none])
    }

    @Test("tenure is counted to the tenant's day, not to that of UTC")
    func day() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([["source_id": .text("A"), "start_date": .text("2026-02-02")]])
        // 17:00 in UTC on the 1st is the 2nd in China.
        let clock = FrozenClock(Instant(milliseconds: 1_772_409_600_000 - 7 * 3_600_000))
        let months = try await bench.test.tenant.database.read { session in
            try [480, 0].map { offset in
                let table = try CustomerReader(clock: clock, timeZoneOffsetMinutes: offset).table(
                    after: nil, limit: 10, session)
                let place = try #require(table.columns.firstIndex(of: "tenure_months"))
                return table.values[place][0] ?? ""
            }
        }
        #expect(months == ["1", "0"])
    }

    @Test("cards are masked by role, in the order asked, and end at the edge of the region")
    func cards() async throws {
        let bench = try await ImportBench()
        var elsewhere = ImportTests.stayer
        elsewhere["source_id"] = .text("E")
        elsewhere["msisdn"] = .text("+8613900001111")
        elsewhere["region"] = .text("江苏")
        var here = ImportTests.stayer
        here["region"] = .text("浙江")
        let ids = try await bench.apply([here, elsewhere, ImportTests.leaver]).compactMap(\.customer)
        let reader = CustomerReader(clock: bench.test.clock)
        let supervisor = TestTenant.principal([Masking.seeNames, Masking.seeContacts])
        let analyst = TestTenant.principal([], regions: ["浙江"])
        let (all, some, within) = try await bench.test.tenant.database.read { session in
            (
                try reader.cards(Array(ids.reversed()), for: supervisor, session),
                try reader.cards(ids, for: analyst, session), try reader.reachable(ids, for: analyst, session)
            )
        }
        #expect(all.map(\.id) == ids.reversed())
        #expect(all.last?.displayName == "王小明")
        #expect(all.last?.phone == "13812345678")
        #expect(all.last?.monthlyCharge == Money(minor: 19_900, currency: "CNY"))
        // Without a name the source's number is shown, to everybody.
        #expect(all.first?.displayName == "3668-QPYBK")
        #expect(some.map(\.id) == [ids[0]])
        #expect(some.first?.displayName == "王**")
        #expect(some.first?.phone == "138****5678")
        #expect(within == [ids[0]])
    }

    @Test("linked records are shown together, whichever is asked")
    func links() async throws {
        let bench = try await ImportBench()
        let ids = try await bench.apply([ImportTests.stayer, ImportTests.leaver]).compactMap(\.customer)
        try await bench.test.tenant.database.write { session in
            try CustomerLinks.link(
                ids[0], ids[1], valid: true, evidence: "same document", at: Instant(milliseconds: 1), session)
        }
        let both = try await bench.test.tenant.database.read { session in
            try ids.map { try CustomerLinks.set(of: $0, session) }
        }
        #expect(both == [ids, Array(ids.reversed())])
        try await bench.test.tenant.database.write { session in
            try CustomerLinks.link(
                ids[0], ids[1], valid: false, evidence: "wrong", at: Instant(milliseconds: 2), session)
        }
        let apart = try await bench.test.tenant.database.read { try CustomerLinks.set(of: ids[0], $0) }
        #expect(apart == [ids[0]])
    }
}
