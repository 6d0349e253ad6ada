import App
import Foundation
import Kernel
import Logging
import Platform
import Storage
import TestSupport
import Testing

/// The generated base as a whole: what is the same for the same seed, and that its parts agree.
@Suite("The seeded base")
struct SeededBaseTests {
    /// Rows of every table that the seed fills, without ids and times of writing: a customer is named by the reference,
    /// everything else by its own values.
    private static let contents: [(table: String, sql: SQL)] = [
        (
            "party",
            """
            SELECT c.reference, p.kind, p.display_name, p.gender, p.birth_date, p.language, p.industry, p.size_tier,
              c.status, c.segment, c.region, c.city, c.since, c.payment_method, c.total_charges, c.has_left
            FROM customers_customer c JOIN customers_party p ON p.id = c.id
            """
        ),
        (
            "contact",
            """
            SELECT c.reference, x.kind, x.value FROM customers_contact_medium x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "address",
            """
            SELECT c.reference, x.lines, x.city, x.region FROM customers_address x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "document",
            """
            SELECT c.reference, x.kind, x.number FROM customers_identity_document x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "line",
            """
            SELECT c.reference, x.plan, x.msisdn, x.contract_term, x.contract_end, x.started_on, x.ended_on, x.status,
              x.monthly_charge, x.iccid, x.imei FROM customers_subscription x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "addon",
            """
            SELECT c.reference, x.code, x.monthly_charge FROM customers_addon x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "bill",
            """
            SELECT c.reference, x.period, x.amount, x.issued_on, x.due_on, x.paid_on FROM customers_charge x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "usage",
            """
            SELECT c.reference, s.msisdn, x.month, x.voice_min, x.sms, x.data_mb, x.calls, x.dropped_calls
            FROM customers_usage_month x JOIN customers_customer c ON c.id = x.customer_id
            JOIN customers_subscription s ON s.customer_id = x.customer_id AND s.id = x.subscription_id
            """
        ),
        (
            "attribute",
            """
            SELECT c.reference, a.key, x.int_value, CAST(ROUND(x.double_value * 100) AS BIGINT)
            FROM customers_attribute_value x JOIN customers_customer c ON c.id = x.customer_id
            JOIN customers_attribute a ON a.id = x.attribute_id
            """
        ),
        (
            "outcome",
            """
            SELECT c.reference, x.left_on, x.reason_code, x.competitor FROM customers_outcome x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "relation",
            """
            SELECT c.reference, o.reference, x.role FROM customers_relation x
            JOIN customers_customer c ON c.id = x.customer_id JOIN customers_customer o ON o.id = x.other_id
            """
        ),
        (
            "identifier",
            """
            SELECT x.kind, x.value, c.reference FROM customers_identifier x
            JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "search",
            """
            SELECT x.kind, x.token, c.reference FROM customers_search x JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "text",
            """
            SELECT c.reference, x.tokens FROM customers_search_text x JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "word", "SELECT x.word, x.variant FROM customers_search_word x"
        ),
        (
            "listing",
            """
            SELECT c.reference, x.sort_name, x.status, x.segment, x.tier, x.plan, x.since, x.monthly_charge, x.value_score,
              x.leave_reason FROM customers_listing x JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
        (
            "case",
            """
            SELECT c.reference, x.number, x.kind, x.topic, x.status, x.priority, x.opened_at, x.resolved_at, x.closed_at
            FROM servicedesk_case x JOIN customers_customer c ON c.id = x.customer_id
            JOIN servicedesk_case_number n ON n.number = x.number AND n.customer_id = c.id AND n.case_id = x.id
            """
        ),
        (
            "interaction",
            """
            SELECT c.reference, x.happened_at, x.channel, x.direction, x.topic, x.outcome, x.language
            FROM servicedesk_interaction x JOIN customers_customer c ON c.id = x.customer_id
            """
        ),
    ]

    /// FNV-1a over the sorted rows of each table.
    private func contents(_ scenario: Scenario) async throws -> [String: String] {
        var result: [String: String] = [:]
        for (table, sql) in Self.contents {
            let rows = try await scenario.tenant.database.read { session in
                try session.query(sql) { row in
                    (0..<row.reader.columnCount).map { column in
                        row.isNull(column) ? "-" : row.text(column)
                    }.joined(separator: "|")
                }
            }
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            // A boolean is written in the engine's own way.
            for text in rows.map({ $0.replacing("|t", with: "|1").replacing("|f", with: "|0") }).sorted() {
                for byte in (text + "\n").utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
            result[table] = "\(rows.count):" + String(hash, radix: 16)
        }
        return result
    }

    private func seeded(
        _ customers: Int, seed: UInt64, months: Int? = nil, learns: Bool = false
    ) async throws -> Scenario {
        let scenario = try await Scenario.start()
        try await Demonstration(scenario.runtime, scenario.tenant).make(
            customers: customers, seed: seed, months: months, learns: learns
        ) { _, _, _ in }
        return scenario
    }

    /// What seed 42 gives on 2 March 2026. A change of the generator changes it on purpose; both engines have the same.
    private static let golden = [
        "addon 703:4b1629de3868351a", "address 700:8dcd66132ce657d3", "attribute 5353:42219ddedefcb807",
        "bill 12886:60b94608334dc881", "case 581:acc53f3a0f8f920", "contact 1116:86e3d1a836d07f4",
        "document 700:b0d2235ca5e8d0c5", "identifier 3140:8351615545ae20a6", "interaction 2215:afe37dad0c880e6",
        "line 870:b938fb74e8b825e8", "listing 700:f707391cf1ccf8fa", "outcome 117:1647a0a317a0270",
        "party 700:b354bc3e632285be", "relation 1024:f562f12611c12311", "search 700:2f921cab49320e59",
        "text 700:99eb4648adfeab07", "usage 15818:78c54fde334a5d55", "word 799:b223a8cd9b462eca",
    ]

    @Test("the same seed gives the same base, on both engines, another seed another one")
    func deterministic() async throws {
        let one = try await contents(try await seeded(700, seed: 42))
        let two = try await contents(try await seeded(700, seed: 42))
        let other = try await contents(try await seeded(700, seed: 43))
        #expect(one == two)
        // Rows of the search are references, which are numbered.
        for (table, hash) in one where table != "search" { #expect(hash != other[table], "\(table) does not depend on the seed") }
        #expect(one.values.allSatisfy { !$0.hasPrefix("0:") }, "\(one)")
        #expect(one.keys.sorted().map { "\($0) \(one[$0] ?? "")" } == Self.golden)
    }

    @Test("a seeding that was interrupted ends with the base it would have been, in the middle of a household or not")
    func resumed() async throws {
        let whole = try await contents(try await seeded(1_300, seed: 44))
        for stop in [500, 1_000] {
            let scenario = try await Scenario.start()
            let demonstration = Demonstration(scenario.runtime, scenario.tenant)
            let task = Task {
                try await demonstration.make(customers: 1_300, seed: 44, learns: false) { done, _, _ in
                    if done >= stop { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            await #expect(throws: (any Error).self) { try await task.value }
            // The days that pass meanwhile do not matter.
            scenario.clock.advance(days: 3)
            try await demonstration.make(customers: 1, seed: 1, learns: false) { _, _, _ in }
            #expect(try await contents(scenario) == whole, "stopped after \(stop)")
        }
    }

    @Test("the attribute that counts complaints is the number of complaint cases of the last 90 days")
    func complaints() async throws {
        let scenario = try await seeded(1_500, seed: 45)
        let zone = Int64(scenario.tenant.timeZoneOffsetMinutes)
        let today = scenario.clock.now().date(offsetMinutes: Int(zone))
        let (people, cases) = try await scenario.tenant.database.read { session in
            (
                try session.query(
                    """
                    SELECT c.id, v.int_value, o.left_on FROM customers_customer c
                    JOIN customers_attribute_value v ON v.customer_id = c.id
                    JOIN customers_attribute a ON a.id = v.attribute_id AND a.title_en = 'Complaints, 90 days'
                    LEFT JOIN customers_outcome o ON o.customer_id = c.id
                    """
                ) { ($0.int(0), $0.integer(1), $0.optionalText(2)) },
                try session.query(
                    "SELECT customer_id, opened_at FROM servicedesk_case WHERE kind = 'complaint'"
                ) { ($0.int(0), $0.time(1)) }
            )
        }
        #expect(people.count == 1_500)
        let opened = Dictionary(grouping: cases, by: \.0)
        for (id, told, left) in people {
            let last = left.flatMap { LocalDate($0) } ?? today
            let counted = (opened[id] ?? []).count {
                let day = $0.1.date(offsetMinutes: Int(zone))
                return day > last.adding(days: -90) && day <= last
            }
            #expect(counted == told)
        }
    }

    @Test("nothing is known of leavers that happened after they left")
    func noFuture() async throws {
        let scenario = try await seeded(1_500, seed: 46)
        let late = try await scenario.tenant.database.read { session in
            let left = try session.query("SELECT customer_id, left_on FROM customers_outcome") {
                ($0.int(0), LocalDate($0.text(1)))
            }
            let ends = Dictionary(left.map { ($0.0, $0.1) }, uniquingKeysWith: { first, _ in first })
            let contacts = try session.query("SELECT customer_id, happened_at FROM servicedesk_interaction") {
                ($0.int(0), $0.time(1))
            }
            let cases = try session.query("SELECT customer_id, opened_at FROM servicedesk_case") {
                ($0.int(0), $0.time(1))
            }
            #expect(ends.count > 150)
            return (contacts + cases).count { id, at in
                guard let end = ends[id] ?? nil else { return false }
                return at.date(offsetMinutes: 480) > end
            }
        }
        #expect(late == 0)
        let bills = try await scenario.tenant.database.read { session in
            try session.count(
                """
                SELECT COUNT(*) FROM customers_charge c JOIN customers_outcome o ON o.customer_id = c.customer_id
                WHERE c.period > SUBSTR(o.left_on, 1, 7)
                """)
        }
        #expect(bills == 0)
    }

    @Test("a model learned from the base finds the leavers about as well as the causes allow")
    func learned() async throws {
        let scenario = try await seeded(4_000, seed: 47, learns: true)
        let auc = try await scenario.tenant.database.read {
            try $0.first("SELECT auc FROM insights_model WHERE state = 'active'") { $0.double(0) }
        }
        print("AUC of the model on 4,000 customers of seed 47: \(auc ?? 0)")
        #expect((0.78...0.90).contains(auc ?? 0))
    }

    @Test("the customer page shows cases and contacts to an agent, and not to marketing")
    func page() async throws {
        let scenario = try await seeded(60, seed: 48)
        let agent = try await scenario.user("desk", [.agent])
        let marketer = try await scenario.user("market", [.marketer])
        let (id, number) = try #require(
            try await scenario.tenant.database.read {
                try $0.first("SELECT customer_id, number FROM servicedesk_case ORDER BY opened_at DESC, id LIMIT 1") {
                    ($0.int(0), $0.text(1))
                }
            })
        let seen = try agent.get("/customers/\(id)").text
        #expect(seen.contains(number) && seen.contains("Service contacts"))
        #expect(try agent.get("/customers/\(id)/timeline?show=case").text.contains(number))
        #expect(try agent.get("/customers/\(id)/timeline?show=interaction").status == 200)
        let hidden = try marketer.get("/customers/\(id)").text
        #expect(!hidden.contains(number) && !hidden.contains("Service contacts"))
        #expect(try !marketer.get("/customers/\(id)/timeline?show=case").text.contains(number))
    }

    @Test("a base that does not fit the disk is refused before anything is written")
    func space() async throws {
        let one = Demonstration.bytesNeeded(customers: 1, months: 12, .sqlite)
        #expect(one > 5_000 && one < 40_000)
        #expect(
            Demonstration.bytesNeeded(customers: 100_000, months: 24, .sqlite)
                > Demonstration.bytesNeeded(customers: 100_000, months: 12, .sqlite))
        guard TestDatabases.url(data: "x") == nil else { return }
        let scenario = try await Scenario.start()
        let demonstration = Demonstration(scenario.runtime, scenario.tenant)
        try await demonstration.checkSpace(customers: 100, months: nil)
        // No disk of this world has room for these.
        let error = await #expect(throws: CRMError.self) {
            try await demonstration.checkSpace(customers: 50_000_000_000, months: 24)
        }
        #expect(error?.code == "disk_too_small" && error?.message.en.contains("--force") == true)
        #expect(try await demonstration.state() == .none)
    }
}
