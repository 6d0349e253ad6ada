import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Ingest

/// Accounts, bills and cases of one person from three systems, brought through the wizard.
@Suite("What three sources know of one customer")
struct EntityStoryTests {
    private static let number = "+8613812345678"

    /// Brings a file with the mapping that is proposed; `matches` for customers only.
    @discardableResult
    private func bring(
        _ scenario: Scenario, _ visitor: Visitor, _ source: String, _ entity: String, _ csv: String,
        rejected: Int = 0
    ) async throws -> String {
        let run = try #require(
            try visitor.upload(
                "/imports", fields: [("entity", entity), ("source", source)],
                file: (name: entity + ".csv", content: Array(csv.utf8))
            ).header("location"))
        let header = csv.prefix { $0 != "\n" }.split(separator: ",")
        let isCustomer = entity == "customer"
        let page = try visitor.get(run).text
        let key = try #require(page.firstMatch(of: /<select id="f-match".*?<option value="([a-z_]+)" selected/)).1
        var fields = header.indices.compactMap { index -> (String, String)? in
            let select = page.components(separatedBy: "name=\"to.\(index)\"").last ?? ""
            return select.firstMatch(of: /<option value="([^"]+)" selected/).map { ("to.\(index)", String($0.1)) }
        }
        #expect(fields.count == header.count, "\(entity): every column has a proposal")
        fields += [("match_key", String(key)), ("creates", "1"), ("updates", "1"), ("then", "dry_run")]
        if isCustomer { fields.append(("matches", "1")) }
        #expect(try visitor.fill(run, run + "/mapping", fields).status == 303)
        try await scenario.drain()
        let planned = try visitor.get(run).text
        #expect(visitor.isClean(planned))
        #expect(try visitor.post(run + "/start").status == 303)
        try await scenario.drain()
        #expect(try visitor.get(run + "/progress").text.contains(#""state":"succeeded""#), "\(entity) of \(source)")
        let counts = try await scenario.tenant.database.read {
            try $0.first(
                "SELECT rejected_count, entity FROM ingest_run ORDER BY id DESC LIMIT 1"
            ) { ($0.integer(0), $0.text(1)) }
        }
        #expect(counts?.0 == rejected && counts?.1 == entity, "\(entity) of \(source)")
        return run
    }

    private func customer(_ scenario: Scenario, _ number: String) async throws -> String {
        let found = try await scenario.tenant.database.read {
            try $0.first("SELECT id FROM customers_customer WHERE reference = $1", [.text(number)]) { $0.int(0) }
        }
        return String(try #require(found, "\(number)"))
    }

    @Test("what is needed is named with its field, and the figures of quality name rules and fields of every kind of record")
    func namesOfRecords() async throws {
        let scenario = try await Scenario.start()
        func bring(_ entity: String, _ csv: String) async throws -> ImportReport {
            try await scenario.imported(entity, csv, source: "billing")
        }
        #expect(try await bring("customer", "source_id,full_name,idno,msisdn\nB1,王小明,X1,\(Self.number)\n").mapping.contains { $0.field == "document_number" })
        let needed = try await bring("cases", "case_number,customer id,opened_at\nC1,B1,2026-02-01 10:00\n")
        #expect(needed.rejected == 1)
        #expect(needed.reasons.first?.reason.contains("Field “Kind” (case_kind): The kind of case is missing; no column") == true, "\(needed.reasons)")
        let contacts = try await bring("interactions", "id,customer id,happened_at,note\nI1,B1,2026-02-01 10:00,hi\n")
        #expect(contacts.matchKey == "interaction_id")
        #expect(contacts.reasons.first?.reason.contains("Field “Channel” (channel)") == true, "\(contacts.reasons)")
        let bills = try await bring(
            "bills", "bill_number,customer id,period,amount,issued,due,状态\nR1,B1,2026-01,5,2026-02-01,2026-02-20,已缴\nR2,B1,2026-01,,2026-02-01,2026-02-20,未缴\n")
        let fields = Dictionary(bills.mapping.map { ($0.column, $0.field) }, uniquingKeysWith: { first, _ in first })
        #expect(fields["issued"] == "issued_on" && fields["due"] == "due_on" && fields["状态"] == "paid_state")
        #expect(bills.created == 1 && bills.rejected == 1)
        let steward = try await scenario.user("steward", [.supervisor])
        let page = try steward.get("/quality").text
        #expect(page.contains("A bill has number and amount (a new record without is refused)") && page.contains("Amount"))
        #expect(!page.contains(">bills.number<") && !page.contains(">amount<"))
        #expect(page.contains("/rules/bills.number"))
        #expect(try steward.get("/rules/bills.number").text.contains("A bill has number and amount"))
        let words = SourceViews.Fields([
            ("customer", [ImportField("note", Words(en: "A", zh: "甲"), .integer)]),
            ("interactions", [ImportField("note", Words(en: "Text", zh: "内容"), .integer)]),
        ])
        #expect(words.words("note", entity: "interactions")?.zh == "内容" && words.words("note", entity: "x")?.zh == "甲")
    }

    @Test("shipped rules hold contradictions of bills, accounts, lines and payments, and count what points to nothing")
    func shippedRules() async throws {
        let scenario = try await Scenario.start()
        func bring(_ entity: String, _ csv: String) async throws -> ImportReport {
            try await scenario.imported(entity, csv, source: "billing")
        }
        #expect(try await bring("customer", "source_id,full_name,msisdn\nB1,王小明,\(Self.number)\n").created == 1)
        let accounts = try await bring(
            "accounts",
            "account_number,source_id,opened_on,closed_on\nA1,B1,2020-01-01,\nA2,B1,2021-01-01,2020-01-01\n")
        #expect(accounts.created == 1 && accounts.quarantined == 1)
        #expect(accounts.findings.contains { $0.rule == "accounts.dates" && $0.failed == 1 })
        let bills = try await bring(
            "bills",
            "bill_number,source_id,account_number,amount,issued_on,due_on\n"
                + "1,B1,A1,59.00,2026-01-01,2026-01-15\n2,B1,A1,59.00,2026-02-15,2026-02-01\n"
                + "3,B1,A1,5000000.00,2026-03-01,2026-03-15\n4,B1,A9,59.00,2026-04-01,2026-04-15\n")
        #expect(bills.created == 2 && bills.quarantined == 2, "\(bills)")
        let account = try #require(bills.findings.first { $0.rule == "bills.account" })
        #expect(account.checked == 4 - 2 && account.failed == 1 && account.severity == "warn")
        for rule in ["bills.due", "bills.amount"] {
            #expect(bills.findings.contains { $0.rule == rule && $0.failed == 1 && !$0.name.isEmpty }, "\(rule)")
        }
        let payments = try await bring(
            "payments",
            "payment_number,source_id,amount,paid_on\n1,B1,59.00,2026-01-10\n2,B1,59.00,1990-01-10\n")
        #expect(payments.created == 1 && payments.quarantined == 1, "\(payments)")
        for target in scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share).targets {
            let known = Set(target.fields.map(\.key))
            for rule in ShippedRules.of(target.entity) {
                let named = rule.fields + [rule.parameters.with, rule.parameters.condition?.field].compactMap { $0 }
                #expect(known.isSuperset(of: named), "\(rule.key): \(named)")
            }
        }
        // What waits is repaired or let go in the queue like any row.
        let waiting = try await scenario.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM ingest_quarantine WHERE state = 'open'")
        }
        #expect(waiting == 4)
    }

    @Test("what has to be unique is so among what is stored too, and a customer who is changed keeps their own")
    func unique() async throws {
        let scenario = try await Scenario.start()
        let service = scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
        let principal = scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name)
        let rule = QualityRule(
            key: "own-once", name: Words(en: "One document, one customer", zh: "证件唯一"), source: "", entity: "customer",
            fields: ["document_number"], kind: .unique, dimension: .consistency, severity: .quarantine,
            parameters: RuleParameters())
        try await scenario.tenant.database.write { try RuleStore.put(rule, by: "t", at: Instant(milliseconds: 0), $0) }
        func bring(_ source: String, _ csv: String, dryRun: Bool = false) async throws -> ImportReport {
            let path = NSTemporaryDirectory() + "\(source)-\(UUID().uuidString).csv"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try Data(("source_id,full_name,document_number\n" + csv).utf8).write(to: URL(fileURLWithPath: path))
            return try await service.importFile(path, source: source, matchKey: "source_id", dryRun: dryRun, principal: principal)
        }
        #expect(try await bring("billing", "B1,王小明,P100001\nB2,李四,P100002\nB3,张三,P100002\n").quarantined == 1, "within the file")
        let other = "C1,王小明,P100001\nC2,赵六,P100009\n"
        #expect(try await bring("care", other, dryRun: true).quarantined == 1)
        let care = try await bring("care", other)
        #expect(care.created == 1 && care.quarantined == 1, "\(care)")
        #expect(care.findings.contains { $0.rule == "own-once" && $0.failed == 1 && $0.checked >= $0.failed })
        let again = try await bring("billing", "B1,王晓明,P100001\nB2,李四,P100002\n")
        #expect(again.updated == 1 && again.unchanged == 1 && again.quarantined == 0, "\(again)")
        // A row that changes a customer may not bring what another one has.
        let changed = try await bring("care", "C2,赵六,P100001\n")
        #expect(changed.updated == 0 && changed.quarantined == 1, "\(changed)")
        let own = try await bring("care", "C2,赵六,P100010\n")
        #expect(own.updated == 1 && own.quarantined == 0, "\(own)")
        let words = try await scenario.tenant.database.read {
            try $0.query("SELECT findings FROM ingest_quarantine WHERE source = 'care'") { $0.text(0) }
        }
        #expect(words.count == 2 && words[1].contains("another customer has this value already") && words[0].contains("another customer has this value already"))
    }

    @Test("customers with cases or contacts stay when their import is taken back, the count before says so, and they go after these")
    func heldByCases() async throws {
        let scenario = try await Scenario.start()
        let service = scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
        let principal = scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name)
        func bring(_ entity: String, _ csv: String) async throws -> ImportReport {
            let report = try await scenario.imported(entity, csv, source: "care")
            #expect(report.rejected == 0, "\(report)")
            return report
        }
        func count(_ sql: SQL) async throws -> Int { try await scenario.tenant.database.read { try $0.count(sql) } }
        func run(_ report: ImportReport) throws -> ImportRunID { try #require(ImportRunID(report.run)) }
        let customers = try await bring("customer", "source_id,full_name\nK1,Ann Lee\nK2,Bo Chen\nK3,Cy Wu\n")
        let cases = try await bring(
            "cases", "case_number,source_id,case_kind,opened_at,subject\nC1,K1,complaint,2024-03-04 10:00,No signal\n")
        let contacts = try await bring(
            "interactions", "interaction_id,source_id,happened_at,channel,direction\nI1,K2,2024-03-05 10:00,hotline,inbound\n")
        let before = try await service.previewRevert(try run(customers), principal)
        #expect(before.removed == 1 && before.kept == 2)
        _ = try await service.revert(try run(customers), principal: principal)
        try await scenario.drain()
        #expect(try await count("SELECT COUNT(*) FROM customers_customer") == 2)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_case") == 1)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_interaction") == 1)
        let again = try await bring("customer", "source_id,full_name\nK4,Di Sun\n")
        let more = try await bring(
            "cases", "case_number,source_id,case_kind,opened_at\nC4,K4,enquiry,2024-03-04 10:00\n")
        for report in [more, contacts, cases] {
            let preview = try await service.previewRevert(try run(report), principal)
            #expect(preview.kept == 0 || preview.kept == nil, "\(preview)")
            _ = try await service.revert(try run(report), principal: principal)
        }
        #expect(try await service.previewRevert(try run(again), principal).removed == 1)
        _ = try await service.revert(try run(again), principal: principal)
        #expect(try await count("SELECT COUNT(*) FROM customers_customer") == 2, "taken back once, they stay")
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_case") == 0)
    }

    @Test("the page of the one customer shows the accounts, bills and cases of all sources; apart again, each its own")
    func story() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        try supervisor.post("/preferences", [("language", "en")])
        try await bring(
            scenario, supervisor, "billing", "customer",
            "source_id,full_name,msisdn,city\nB1,王小明,\(Self.number),杭州\nB2,李四,+8613900000002,宁波\n")
        try await bring(
            scenario, supervisor, "care", "customer",
            "source_id,full_name,phone,email,birth_date\nC7,Wang Xiaoming,\(Self.number),xm.wang@example.com,1990-01-01\n")
        try await bring(
            scenario, supervisor, "retail", "customer",
            "source_id,full_name,email,birth_date\nR3,王小明,XM.Wang@example.com,1990-01-01\n")
        let (b, c, r) = (
            try await customer(scenario, "B1"), try await customer(scenario, "C7"), try await customer(scenario, "R3")
        )
        // Each source brings what it knows, under its own numbers.
        try await bring(
            scenario, supervisor, "billing", "accounts",
            "account number,customer id,account type,open date\nACC-1,B1,billing,2020-01-01\nACC-2,B9,billing,\n",
            rejected: 1)
        try await bring(
            scenario, supervisor, "retail", "accounts",
            "account number,customer id,account type,account name\nSHOP-9,R3,household,Wang family\n")
        let bills = try await bring(
            scenario, supervisor, "billing", "bills",
            "bill no,account number,billing month,amount,due date\nINV-77,ACC-1,2026-02,199.00,2026-03-20\n")
        try await bring(
            scenario, supervisor, "retail", "payments",
            "payment id,customer id,amount,payment date,payment method\nPAY-5,R3,88.00,2026-02-01,cash\n")
        try await bring(
            scenario, supervisor, "care", "cases",
            "ticket,customer id,type,category,description,created,status\nT-1,C7,complaint,signal,No signal at home,2026-02-20 10:00,open\n"
        )
        try await bring(
            scenario, supervisor, "care", "interactions",
            "chat id,customer id,started at,channel,category,transcript\nCH-1,C7,2026-02-21 11:00,chat,billing,Why is the bill so high\n"
        )
        let all = ["ACC-1", "SHOP-9", "INV-77", "PAY-5", "T-1", "No signal at home", "Why is the bill so high"]
        for id in [b, c, r] {
            let page = try supervisor.get("/customers/\(id)").text
            for text in all { #expect(page.contains(text), "\(text) on the page of \(id)") }
            #expect(page.contains("id=\"panel-accounts\"") && supervisor.isClean(page))
        }
        // From what is shown to the source, file, line and column that brought it, and to the rule, for every kind.
        let shown = try supervisor.get("/customers/\(b)").text
        let whole = try supervisor.get("/customers/\(b)/lineage").text
        #expect(whole.contains("Bills, cases, contacts and lines from sources") && supervisor.isClean(whole))
        for (entity, column) in [("bills", "amount"), ("cases", "description"), ("interactions", "transcript"), ("payments", "payment method")] {
            let own = whole.components(separatedBy: "<tr>").first { $0.contains("\(entity).csv") && $0.contains("/lineage/") }
            let path = String(try #require(own?.firstMatch(of: /href="(\/customers\/\d+\/lineage\/\d+)"/), "\(entity)").1)
            let page = try supervisor.get(path).text
            #expect(page.contains("\(entity).csv") && page.contains("Line 2") && page.contains("Mapping v1"), "\(entity)")
            #expect(page.contains(column) && supervisor.isClean(page), "\(entity)")
            let given = ["bills": "¥199.00", "cases": "No signal at home", "interactions": "Why is the bill so high", "payments": "cash"]
            #expect(page.contains(given[entity] ?? "?"), "\(entity): what the row gave")
            let record = path.split(separator: "/").last ?? ""
            #expect(shown.contains("/lineage/\(record)\""), "\(entity) leads to its origin")
        }
        // In Chinese too, and nothing of it for somebody of another region.
        try supervisor.post("/preferences", [("language", "zh")])
        let chinese = try supervisor.get("/customers/\(b)").text
        #expect(chinese.contains("付费账户") && chinese.contains("家庭账户") && supervisor.isClean(chinese))
        try supervisor.post("/preferences", [("language", "en")])

        // Taken apart, each has its own again, and nothing was moved.
        for (left, right) in [(b, c), (c, r), (b, r)] {
            _ = try supervisor.post(
                "/customers/\(left)/separation", [("left", left), ("right", right), ("reason", "two people")])
        }
        for (id, own) in [(b, ["ACC-1", "INV-77"]), (c, ["T-1", "Why is the bill"]), (r, ["SHOP-9", "PAY-5"])] {
            let page = try supervisor.get("/customers/\(id)").text
            for text in all { #expect(page.contains(text) == own.contains { text.hasPrefix($0) || $0 == "T-1" && text == "No signal at home" }, "\(text) on the page of \(id) alone") }
        }
        // An import of bills is taken back like any other.
        #expect(try supervisor.post(bills + "/reversal").status == 303)
        try await scenario.drain()
        #expect(try !supervisor.get("/customers/\(b)").text.contains("INV-77"))
        #expect(try !supervisor.get("/customers/\(b)/lineage").text.contains("bills.csv"), "nor its origin")
        #expect(try supervisor.get(bills + "/progress").text.contains(#""state":"reverted""#))
    }

    @Test("a file that nobody can import is refused with the names of what can be")
    func unknown() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let answer = try supervisor.upload(
            "/imports", fields: [("entity", "ponies")], file: (name: "x.csv", content: Array("a\n1\n".utf8)))
        #expect(answer.status == 422 && answer.text.contains("bills"))
        let page = try supervisor.get("/imports/new").text
        for entity in [
            "customer", "accounts", "account_roles", "lines", "bills", "payments", "outcomes", "interactions",
            "survey_answers", "cases", "network_experience",
        ] {
            #expect(page.contains("<option value=\"\(entity)\""), "\(entity)")
        }
    }

    @Test("measurements of the network are counted once into the days of their lines, and say why they cannot be taken back")
    func network() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        try supervisor.post("/preferences", [("language", "en")])
        try await bring(
            scenario, supervisor, "billing", "customer", "source_id,full_name,msisdn\nB1,王小明,\(Self.number)\n")
        let csv = """
            test id,phone number,measured at,speed,cell id
            N1,\(Self.number),2026-02-20 10:00,120.5,460-00-1
            N2,\(Self.number),2026-02-20 11:00,79.5,460-00-2
            N3,+8613100000000,2026-02-20 11:00,80,
            N4,\(Self.number),2026-02-20 12:00,-1,

            """
        let run = try await bring(scenario, supervisor, "probes", "network_experience", csv, rejected: 2)
        let page = try supervisor.get(run).text
        #expect(page.contains("id=\"no-revert\"") && !page.contains("id=\"revert\""))
        #expect(try supervisor.post(run + "/reversal").status == 409)
        try await bring(scenario, supervisor, "probes", "network_experience", csv + "\n", rejected: 2)
        let found = try await scenario.tenant.database.read {
            try $0.query("SELECT created_count, unchanged_count FROM ingest_run WHERE entity = 'network_experience' ORDER BY id") {
                [$0.integer(0), $0.integer(1)]
            }
        }
        #expect(found == [[2, 0], [0, 2]])
        let id = try await customer(scenario, "B1")
        #expect(try supervisor.get("/customers/\(id)").text.contains("100"), "the day's mean speed")
    }

    @Test("complaints of mixed date orders: what is clear is taken, what is not waits and says what to do")
    func mixedDates() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        try await bring(
            scenario, supervisor, "billing", "customer", "source_id,full_name,msisdn\nB1,王小明,\(Self.number)\n")
        let csv = """
            complaint id,customer id,type,created
            K1,B1,complaint,25/01/2026
            K2,B1,complaint,01/26/2026
            K3,B1,complaint,2026-01-27
            K4,B1,complaint,02/01/2026

            """
        let run = try await bring(scenario, supervisor, "billing", "cases", csv, rejected: 0)
        let page = try supervisor.get(run).text
        #expect(page.contains("data-count=\"quarantined\">1<"))
        let why = try await scenario.tenant.database.read {
            try $0.first("SELECT findings FROM ingest_quarantine", []) { $0.text(0) } ?? ""
        }
        #expect(why.contains("cannot be told apart") && why.contains("无法区分日和月") && why.contains("2024-05-31"), "\(why)")
        let days = try await scenario.tenant.database.read {
            try $0.query("SELECT number, opened_at FROM servicedesk_case ORDER BY number") { row in
                "\(row.text(0)) \(row.time(1).date(offsetMinutes: 480))"
            }
        }
        #expect(days == ["K1 2026-01-25", "K2 2026-01-26", "K3 2026-01-27"])
    }
}

extension Visitor {
    /// No text key and no tag is left on a page.
    func isClean(_ page: String) -> Bool { !page.contains("[[") && !page.contains("{{") }
}
