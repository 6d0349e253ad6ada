import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Ingest

/// What pages and commands say of imported records is what is so.
@Suite("What is said of imported records")
struct RecordTruthTests {
    private static let number = "+8613812345678"

    private func imported(
        _ scenario: Scenario, _ entity: String, _ csv: String, source: String = "billing"
    ) async throws -> ImportReport {
        let path = NSTemporaryDirectory() + "\(entity)-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: path))
        return try await service(scenario).on(entity).importFile(
            path, source: source, principal: scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name))
    }

    private func service(_ scenario: Scenario) -> ImportService {
        scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
    }

    private func customer(_ scenario: Scenario) async throws -> Int64 {
        try #require(
            try await scenario.tenant.database.read {
                try $0.first("SELECT id FROM customers_customer WHERE reference = 'B1'") { $0.int(0) }
            })
    }

    @Test("before and after the revert of a run whose records are gone it is said that they are gone, not that people changed them")
    func gone() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let principal = scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name)
        let people = try await imported(scenario, "customer", "source_id,full_name,city\nB1,王小明,杭州\nB2,李雷,宁波\n")
        let bills = try await imported(
            scenario, "bills", "bill_number,source_id,amount,issued_on\n1,B1,59.00,2026-02-01\n2,B1,60.00,2026-02-02\n3,B2,61.00,2026-02-03\n")
        let changes = try await imported(scenario, "customer", "source_id,city\nB1,上海\nB2,北京\n")
        #expect(people.created == 2 && bills.created == 3 && changes.updated == 2)
        let (first, second, third) = try (
            #require(ImportRunID(people.run)), #require(ImportRunID(bills.run)), #require(ImportRunID(changes.run))
        )
        // The customers go, and with them what was theirs.
        _ = try await scenario.tenant.database.write { session in
            for table in ["customers_party", "customers_customer"] {
                try session.execute(SQL(trusted: "DELETE FROM \(table)"))
            }
            try session.execute("DELETE FROM customers_charge")
        }
        for (run, gone) in [(first, 2), (second, 3), (third, 2)] {
            let preview = try await service(scenario).previewRevert(run, principal)
            #expect(preview.gone == gone && preview.kept == 0 && preview.byOthers ?? 0 == 0 && preview.removed == 0, "\(run): \(preview)")
            let page = try supervisor.get("/imports/\(run)").text
            #expect(page.contains("\(gone) of its records were removed before"), "\(run)")
            #expect(!page.contains("changed by people or programs") && supervisor.isClean(page))
        }
        _ = try await service(scenario).on("bills").revert(second, principal: principal) { _, _, _ in }
        let said = try await service(scenario).run(second).run.message
        #expect(said.en == "3 records had been removed before: nothing of them was left to take back.", "\(said)")
        #expect(said.zh.contains("此前已被删除"))
    }

    @Test("the lineage of a record shows what each row gave, masked as the reader's rights demand; kinds are no secret")
    func lineage() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let (agent, analyst) = (try await scenario.user("agent", [.agent]), try await scenario.user("ana", [.analyst]))
        _ = try await imported(
            scenario, "customer", "source_id,full_name,document_kind,document_number\nB1,王小明,id_card,11010519491231002X\n")
        _ = try await imported(scenario, "bills", "bill_number,source_id,amount,issued_on,state\n1,B1,59.00,2026-02-01,open\n")
        _ = try await imported(scenario, "bills", "bill_number,source_id,amount\n1,B1,61.50\n")
        _ = try await imported(scenario, "lines", "line_id,source_id,msisdn,plan,service\nL1,B1,\(Self.number),Gold,mobile\n")
        let id = try await customer(scenario)
        let whole = try supervisor.get("/customers/\(id)/lineage").text
        func record(_ entity: String) throws -> String {
            let own = whole.components(separatedBy: "<tr>").first { $0.contains("\(entity)-") && $0.contains("/lineage/") }
            return String(try #require(own?.firstMatch(of: /href="(\/customers\/\d+\/lineage\/\d+)"/), "\(entity)").1)
        }
        let bill = try supervisor.get(try record("bills")).text
        #expect(bill.contains("¥61.50") && bill.contains("<del>¥59.00</del>") && bill.contains("2026-02-01"), "\(bill)")
        #expect(bill.contains(">B1</td>") && bill.contains(">Open</td>"), "whom and what state the row named")
        #expect(supervisor.isClean(bill))
        let line = try record("lines")
        #expect(try supervisor.get(line).text.contains(Self.number) && supervisor.get(line).text.contains("Gold"))
        let masked = try analyst.get(line).text
        #expect(!masked.contains(Self.number) && masked.contains("5678") && masked.contains("Gold"))
        let shown = try await scenario.tenant.database.read { session in
            try session.query("SELECT unmasked FROM platform_audit_event WHERE action = 'ingest.lineage.view' ORDER BY id DESC LIMIT 3") { $0.text(0) }
        }
        #expect(shown.contains { $0.contains("msisdn") } && shown.first?.contains("msisdn") == false, "\(shown)")
        let own = try agent.get("/customers/\(id)/lineage").text
        #expect(own.contains("Identity card") && !own.contains("11010519491231002X"), "\(own)")
    }

    @Test("bills come in the words billing systems have for their state; what nobody owes is counted by none, and unknown words wait")
    func states() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        _ = try await imported(scenario, "customer", "source_id,full_name\nB1,王小明\n")
        let words = [
            "paid": ["Paid", "settled", "已销账", "Paid in Full"], "open": ["sent", "partiallyPaid", "validated", "待缴", "not_paid", "Overdue"],
            "disputed": ["onHold", "In Dispute", "有争议"], "cancelled": ["Void", "Canceled", "作废", "已冲销", "红冲", "Reversed"],
            "written_off": ["Written off", "uncollectible", "坏账", "Bad debt"], "draft": ["draft", "草稿"],
        ]
        let all = words.sorted { $0.key < $1.key }.flatMap { state, some in some.map { (state, $0) } }
        let rows = all.enumerated().map { "\($0.offset),B1,10.00,2026-01-01,2026-01-15,\($0.element.1)" }
        let head = "bill_number,source_id,amount,issued_on,due_on,status\n"
        let report = try await imported(scenario, "bills", head + rows.joined(separator: "\n") + "\nX,B1,10.00,2026-01-01,2026-01-15,mauve\n")
        // Somebody may know what `mauve` means: the row waits (ADR 0074).
        #expect(report.created == all.count && report.rejected == 0 && report.quarantined == 1, "\(report.reasons)")
        let why = try await scenario.tenant.database.read {
            try $0.first("SELECT findings FROM ingest_quarantine", []) { $0.text(0) } ?? ""
        }
        #expect(why.contains("Paid"), "\(why)")
        let stored = try await scenario.tenant.database.read { session in
            try session.query("SELECT number, kind, paid_on FROM customers_charge ORDER BY CAST(number AS INTEGER)") {
                "\($0.text(0)) \($0.text(1)) \($0.isNull(2) ? "-" : "paid")"
            }
        }
        let expected = all.enumerated().map { place, one in
            let kind = ["paid", "open"].contains(one.0) ? "bill" : one.0
            return "\(place) \(kind) \(one.0 == "paid" ? "paid" : "-")"
        }
        #expect(stored == expected)
        let id = try await customer(scenario)
        let page = try supervisor.get("/customers/\(id)/charges").text
        for word in ["Cancelled bill", "Disputed bill", "Bill written off", "Draft of a bill"] { #expect(page.contains(word), "\(word)") }
        #expect(supervisor.isClean(page))
        let overdue = words["open"]?.count ?? 0
        #expect(page.components(separatedBy: ">Overdue<").count - 1 == overdue, "only what is owed is overdue")
        // Called paid later it is a bill again; a row without a state leaves it cancelled.
        let voided = try #require(all.firstIndex { $0.1 == "Void" }), reversed = try #require(all.firstIndex { $0.1 == "Reversed" })
        _ = try await imported(scenario, "bills", head + "\(voided),B1,10.00,2026-01-01,2026-01-15,paid\n")
        _ = try await imported(scenario, "bills", "bill_number,source_id,amount\n\(reversed),B1,12.00\n")
        let kinds = try await scenario.tenant.database.read { session in
            try session.query(
                "SELECT kind, amount FROM customers_charge WHERE number IN ($1, $2) ORDER BY amount",
                [.text("\(voided)"), .text("\(reversed)")]) { "\($0.text(0)) \($0.int(1))" }
        }
        #expect(kinds == ["bill 1000", "cancelled 1200"])
    }

    @Test("counters take back what an import told when it is taken back, and the same file counts again")
    func counters() async throws {
        let scenario = try await Scenario.start()
        let admin = try await scenario.user("admin", [.administrator])
        let supervisor = try await scenario.user("super", [.supervisor])
        let principal = scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name)
        for (name, kind) in [("issued", "crm.bill.issued"), ("paid", "crm.bill.paid"), ("gone", "crm.customer.left"), ("closed", "crm.case.closed")] {
            let form = [("name", name), ("title_en", "Counter \(name)"), ("kind", kind)]
            #expect(try admin.post("/counters", form).status == 303)
        }
        _ = try await imported(scenario, "customer", "source_id,full_name,msisdn\nB1,王小明,\(Self.number)\n")
        let id = try await customer(scenario)
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        let files = [
            ("bills", "bill_number,source_id,amount,issued_on,status\n1,B1,59.00,\(day),paid\n2,B1,60.00,\(day),open\n"),
            ("cases", "case_number,source_id,case_kind,topic,opened_at,closed_at\nC1,B1,complaint,bill,\(day) 10:00,\(day) 12:00\n"),
            ("outcomes", "source_id,left_on\nB1,\(day)\n"),
        ]
        func look() throws -> [String: String] {
            let page = try supervisor.get("/customers/\(id)").text
            let live = page.components(separatedBy: "id=\"panel-live-profile\"").dropFirst().first?.components(separatedBy: "</section>").first ?? ""
            var result: [String: String] = [:]
            for row in live.components(separatedBy: "<tr>") {
                guard let name = row.firstMatch(of: /Counter ([a-z]+)|(Cases opened)/) else { continue }
                let longest = row.components(separatedBy: "<td").dropFirst(5).first ?? ""
                result[String(name.1 ?? name.2 ?? "")] = longest.firstMatch(of: />(\d+)/).map { String($0.1) } ?? row
            }
            return result
        }
        #expect(try look().isEmpty)
        let counted = ["issued": "2", "paid": "1", "closed": "1", "Cases opened": "1", "gone": "1"]
        for round in 1...2 {
            var runs: [(String, ImportRunID)] = []
            for (entity, csv) in files { runs.append((entity, try #require(ImportRunID(try await imported(scenario, entity, csv).run)))) }
            try await scenario.drain()
            let now = try look()
            #expect(now == counted, "round \(round): \(now)")
            for (entity, run) in runs.reversed() {
                _ = try await service(scenario).on(entity).revert(run, principal: principal) { _, _, _ in }
            }
            try await scenario.drain()
            #expect(try look().isEmpty, "round \(round)")
        }
    }

    @Test("rules of all records are listed and made; incoming files tell who may set them up")
    func pages() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let admin = try await scenario.user("admin", [.administrator])
        let list = try supervisor.get("/rules").text
        for word in ["/rules/bills.number", "/rules/accounts.dates", "/rules/new?entity=cases", "id=\"rules-payments\""] { #expect(list.contains(word), "\(word)") }
        #expect(supervisor.isClean(list))
        let form = try supervisor.get("/rules/new?entity=bills").text
        #expect(form.contains("name=\"entity\" value=\"bills\"") && form.contains("f.bill_number"))
        let made = try supervisor.post(
            "/rules",
            [("entity", "bills"), ("name_en", "A bill has a due day"), ("fields", "due_on"), ("kind", "required"), ("dimension", "completeness"),
             ("severity", "warn"), ("parameters", "{}"), ("is_on", "1")])
        #expect(made.status == 303, "\(made.text)")
        #expect(try supervisor.get("/rules").text.contains("A bill has a due day"))
        _ = try await imported(scenario, "customer", "source_id,full_name\nB1,王小明\n")
        let report = try await imported(scenario, "bills", "bill_number,source_id,amount,issued_on,due_on\n1,B1,59.00,2026-02-01,\n")
        #expect(report.findings.contains { $0.name.contains("A bill has a due day") && $0.failed == 1 }, "\(report.findings)")
        let told = try supervisor.get("/imports/intake").text
        #expect(told.contains("in a new installation the administrators") && !told.contains("Set one up"))
        let own = try admin.get("/imports/intake").text
        #expect(own.contains("Set one up") && !own.contains("in a new installation"))
    }

    @Test("a dry run hides values of personal columns as profile does; --values shows them; source list names who to ask")
    func dryRun() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file(
            "people.csv",
            "source_id,name,msisdn,city,second phone,colour\n1,王小明,13812345678,杭州,13912345678,red\n2,李雷,13812345679,宁波,13912345679,blue\n")
        let arguments = ["import", file, "--source", "crm", "--match-key", "source_id", "--dry-run"]
        let plain = try bench.expect(0, arguments)
        for word in ["王小明", "13812345678", "13912345678", "+86138"] { #expect(!plain.out.contains(word), "\(word): \(plain.out)") }
        for word in ["王**", "杭州", "red", "name *", "second phone *", "--values shows it"] { #expect(plain.out.contains(word), "\(word): \(plain.out)") }
        let json = try bench.expect(0, arguments + ["--json"]).out
        #expect(!json.contains("13812345678") && !json.contains("王小明") && json.contains("\"personal\":\"phone\""))
        let clear = try bench.expect(0, arguments + ["--values"])
        for word in ["王小明", "13812345678", "13912345678"] { #expect(clear.out.contains(word), "\(word): \(clear.out)") }
        try bench.expect(0, ["import", file, "--source", "crm", "--match-key", "source_id", "--ignore-unmapped"])
        #expect(try bench.expect(0, ["source", "list"]).out.contains("owner -"))
        try bench.expect(0, ["source", "set", "crm", "--owner", "CRM team"])
        #expect(try bench.expect(0, ["source", "list"]).out.contains("in quarantine 0  owner CRM team"))
        #expect(try bench.expect(0, ["source", "list", "--lang", "zh"]).out.contains("负责人 CRM team"))
    }
}
