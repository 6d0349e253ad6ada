import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest
@testable import Tabular

/// What a person who had never seen the product found of files and rules.
@Suite("Headings, digits and names that would be lost without a word")
struct StrangerTests {
    @Test(
        "a mobile number of the mainland has as many digits as one, other numbers are left alone",
        arguments: [
            ("+8613800138000", true), ("+861380013800", false), ("+86138001380001", false), ("+8619912345678", true),
            // Numbers of things have 11 or 13.
            ("+8614712345678", true), ("+861440123456789", true), ("+861064812345678", true), ("+86144012345678", false),
            // Beijing, Shanghai, Taipei, London.
            ("+861088886666", true), ("+862188886666", true), ("+886912345678", true), ("+442071838750", true),
            ("+8612345678901", false), ("+861", false), ("13800138000", false),
        ])
    func mobile(number: String, isGood: Bool) {
        #expect(RuleFormat.mobile.matches(number) == isGood, "\(number)")
    }

    @Test("shipped rules hold back a number that is none, and ask for a name only where a column has it")
    func shipped() throws {
        func judge(_ fields: [String], _ values: [SQLValue?]) throws -> (worst: RuleSeverity?, failed: [String]) {
            let columns = fields.enumerated().map {
                CompiledRules.Column(
                    index: $0.offset, name: $0.element, field: ImportField($0.element, Words(en: "", zh: ""), .text(60)))
            }
            let rules = CompiledRules(
                ShippedRules.customers, columns, today: try #require(LocalDate("2026-03-01")), places: 2)
            rules.begin()
            rules.judge(values, line: 2)
            return (rules.worst, rules.takeCounts().filter { $0.failed > 0 }.map(\.rule))
        }
        let short = try judge(["full_name", "msisdn"], [.text("王伟"), .text("+861380013800")])
        #expect(short.worst == .quarantine && short.failed == ["mobile"])
        let good = try judge(["full_name", "msisdn"], [.text("王伟"), .text("+8613800138000")])
        #expect(good.worst == nil && good.failed == [])
        let contact = try judge(["full_name", "phone"], [.text("王伟"), .text("+861380013800")])
        #expect(contact.worst == .warn && contact.failed == ["mobile_contact"])
        let unnamed = try judge(["full_name", "source_id", "msisdn"], [nil, .text("C1"), .text("+8613800138000")])
        #expect(unnamed.worst == .warn && unnamed.failed == ["name"])
        let research = try judge(["source_id", "monthly_charge"], [.text("7590-VHVEG"), .int(2_985)])
        #expect(research.worst == nil && research.failed == [], "a data set without names is not held against itself")
    }

    @Test("a known heading over other values is told in the wizard and by the dry run, in both languages")
    func misfit() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Phone,Born\nK1,ask Anna,1990-01-02\nK2,at work,1991-01-02\nK3,none given,1992-01-02\n"
        let report = try await bench.importText(text, name: "x.csv", matchKey: "source_id", dryRun: true)
        #expect(report.numbers == [3, 3, 0, 0, 0])
        let told = try #require(report.warnings.first { $0.contains("“Phone” is called like") })
        #expect(told.contains("3 of 3") && told.contains("custom attribute"))
        #expect(report.warnings_zh.contains { $0.contains("列“Phone”的表头对应“电话”") && $0.contains("3 个值中有 3 个") })
        let done = try await bench.importText(text, name: "x.csv", matchKey: "source_id")
        #expect(done.warnings.contains { $0.contains("“Phone” is called like") }, "without a dry run too")
        for language in [Language.en, .zh] {
            let wizard = try Wizard(bench, language: language)
            let draft = try await bench.draft(text.replacing("K", with: "L"), name: "y.csv")
            let page = try await wizard.page("/imports/{id}", draft.run)
            #expect(page.contains(language == .zh ? "的表头对应“电话”" : "is called like “Phone”"))
        }
        // Nothing is told of a column that fits, nor of one whose kind a person chose.
        let fits = try await bench.importText("Customer ID,Phone\nK9,13800138000\n", matchKey: "source_id", dryRun: true)
        #expect(!fits.warnings.contains { $0.contains("is called like") })
    }

    @Test("a number that has lost digits is refused as a text, as a number to call and as a key, and says what to do")
    func lostDigits() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(
            "Customer ID,Name,Phone\nK1,8.98601123456789E+18,13800138001\nK2,Two,8.61380013800123E+15\nK3,1.5E+10,13800138003\n",
            matchKey: "source_id")
        #expect(report.numbers == [3, 1, 0, 0, 2])
        #expect(report.reasons.map(\.code) == ["digits_lost", "digits_lost"])
        #expect(report.reasons.allSatisfy { $0.reason.contains("format the column as text") && $0.reason_zh.contains("文本格式") })
        #expect(report.findings.allSatisfy { !$0.name_zh.isEmpty && !$0.field_name.isEmpty })
    }

    @Test("the same rows in other bytes change nothing, and that is said with the import they came by")
    func otherBytes() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Name,Tenure\nK1,王伟,3\nK2,Ann,4\n"
        let first = try await bench.importText(text, name: "a.csv", matchKey: "source_id")
        #expect(first.numbers == [2, 2, 0, 0, 0] && !first.warnings.contains { $0.contains("Nothing") })
        let others = [text.replacing("\n", with: "\r\n"), "\u{FEFF}" + text, "Name;Customer ID;Tenure\nAnn;K2;4\n王伟;K1;3\n"]
        for (number, other) in others.enumerated() {
            for dryRun in [true, false] {
                let report = try await bench.importText(other, name: "b\(number).csv", matchKey: "source_id", dryRun: dryRun)
                #expect(report.numbers == [2, 0, 0, 2, 0])
                let told = try #require(report.warnings.first { $0.contains("Nothing w") }, "\(report.warnings)")
                #expect(told.contains("all 2 rows") && told.contains(first.run) && told.contains("“a.csv”"), "\(told)")
                #expect(report.warnings_zh.contains { $0.contains("全部 2 行") && $0.contains(first.run) })
            }
        }
        let changed = try await bench.importText(text.replacing("Ann", with: "Anna"), matchKey: "source_id")
        #expect(changed.numbers == [2, 0, 1, 1, 0] && !changed.warnings.contains { $0.contains("Nothing w") })
    }

    @Test("an import that was taken back counts for what was learned while it was there, not for what was learned before or after")
    func takenBack() async throws {
        let bench = try await Bench()
        func count(_ time: Instant) async throws -> [Int] {
            try await bench.tenant.database.read {
                let found = try IngestModule.takenBack(after: time, $0)
                return [found.imports, found.rows]
            }
        }
        let clock = bench.tenant.clock
        let before = clock.now()
        bench.test.clock.advance(seconds: 60)
        let report = try await bench.importText("Customer ID,Name\nK1,A\nK2,B\n", matchKey: "source_id")
        bench.test.clock.advance(seconds: 60)
        let between = clock.now()
        #expect(try await count(between) == [0, 0], "it is still there")
        bench.test.clock.advance(seconds: 60)
        _ = try await bench.service.revert(try #require(ImportRunID(report.run)), principal: bench.principal)
        bench.test.clock.advance(seconds: 60)
        #expect(try await count(between) == [1, 2])
        #expect(try await count(before) == [0, 0])
        #expect(try await count(clock.now()) == [0, 0])
    }

    /// A title, a heading of five, three rows; two cells hold numbers of more than 15 digits.
    private static let titled = [
        "UEsDBBQAAAAIANCUfV3HHBc8CgAAAAgAAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbLMJqSxILda3AwBQSwMEFAAAAAgA0JR9XZkS",
        "zIGbAAAA5AAAAA8AAAB4bC93b3JrYm9vay54bWyNj0EOgkAMRa9CegALLlwQYOWGY4xQnAnMdNKO0SN4Dg/g1hPpOSQge1ft/z99",
        "P62uLOOJecxufgpag00plojaWfJGdxwpzMnA4k2apZxRo5Dp1RIlP+E+zw/ojQuwEkr5h8HD4Do6cnfxFNIKEZpMchzUuqjQVEuD",
        "/mYWjKca3s/H5/6CbPHavoYCMindvEjbF4BNhdsZbp81X1BLAwQUAAAACADQlH1dmCJQHX0AAACsAAAAGgAAAHhsL19yZWxzL3dv",
        "cmtib29rLnhtbC5yZWxzVY4xDsIwEAS/EvkBuYSCAtmpaNKifMByzrFF7LN8h4DfY1GgUK1mi9nVN9ytRMocYuFJH7GbV6PqvI6q",
        "W94FjQoi5QLALmCy3FPB/Eq7p5qsNKwbkPfR4ZXcI2EWOA3DGepxAZ5U7xwQpUlt3VCM+lUM3xj7ZlUwafg/9wFQSwMEFAAAAAgA",
        "0JR9XTGJLjuMAQAAlQQAABgAAAB4bC93b3Jrc2hlZXRzL3NoZWV0MS54bWx9lMtOwkAUhl+F9AGcSy+0pjTRwoK1G7cNVmmkLWkn",
        "4JaFiYaAJkZXGIkbXOnGiGIfhyk+htNCGi4zLNrMnHP+f/J/k4zZDaPLuOm6pHTlt4K4IjUJaR8CEDearu/EB2HbDVjnPIx8h7Bt",
        "dAHiduQ6Z7nIbwEMoQZ8xwsky8xrVYc4lhmF3VJUkRCrNrLFEZJKpCJ5QcsL3BMSsboXWyaxMMQa/fmk76/pzTT9vqaDRxMQywRZ",
        "GzTYx6wKP1z4YYHf0miRPNG76aZRrjsW6iYP9H7AUdgiRXrbT0cz/jFVkejvozf//WKixbjH0dVEurpt16t7wMgFGFngYCMeDtH0",
        "YtifJy88HNlJHQvJOoT5D5qgs5581UcQQRUZioGwjODOWG05phu6xnywrKhaWTeyVTG3kU8p8imifJiXTzSdPg/p24iXT1nlM7J8",
        "xm4+keN2YnzKu1+ROgeB1kHAPbetFjRUEQ2ZR0M0TZMxTWY8GurWbW/BEBnmMBAyGD8ZlplU4aUBaw8GKF4i6x9QSwECFAMUAAAA",
        "CADQlH1dxxwXPAoAAAAIAAAAEwAAAAAAAAAAAAAAgAEAAAAAW0NvbnRlbnRfVHlwZXNdLnhtbFBLAQIUAxQAAAAIANCUfV2ZEsyB",
        "mwAAAOQAAAAPAAAAAAAAAAAAAACAATsAAAB4bC93b3JrYm9vay54bWxQSwECFAMUAAAACADQlH1dmCJQHX0AAACsAAAAGgAAAAAA",
        "AAAAAAAAgAEDAQAAeGwvX3JlbHMvd29ya2Jvb2sueG1sLnJlbHNQSwECFAMUAAAACADQlH1dMYkuO4wBAACVBAAAGAAAAAAAAAAA",
        "AAAAgAG4AQAAeGwvd29ya3NoZWV0cy9zaGVldDEueG1sUEsFBgAAAAAEAAQADAEAAHoDAAAAAA==",
    ].joined()

    @Test("the wizard says that a title was skipped and takes another number of rows, and refuses what is none")
    func wizardRows() async throws {
        let bench = try await Bench()
        let path = bench.test.folder + "/titled.xlsx"
        try #require(Data(base64Encoded: Self.titled)).write(to: URL(fileURLWithPath: path))
        let (blob, _) = try bench.service.copyIn(path)
        let draft = try await bench.service.draft(
            name: "titled.xlsx", blob: blob, source: "test", principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        #expect(draft.file.inspection.columns == ["客户编号", "姓名", "手机号", "证件号码", "ICCID"])
        for language in [Language.en, .zh] {
            let page = try await Wizard(bench, language: language).page("/imports/{id}", draft.run)
            #expect(page.contains(#"name="skip_rows" inputmode="numeric" maxlength="4" value="1""#))
            #expect(page.contains(language == .zh ? "第 1 行已跳过：“2026年客户清单”" : "Row 1 stands above the heading"))
            #expect(page.contains(language == .zh ? "超过 15 位的数值（首个为 D3）" : "more than 15 digits, the first is D3"))
        }
        let wizard = try Wizard(bench, language: .en)
        func post(_ rows: String) async throws {
            let version = try await bench.service.run(draft.run).run.version
            _ = try await wizard.call(
                .post, "/imports/{id}/format", draft.run, form: "revision=\(version)&sheet=&skip_rows=\(rows)", seen: version)
        }
        try await post("2")
        #expect(try await bench.service.run(draft.run).file.inspection.columns.first == "C1")
        try await post("0")
        #expect(try await bench.service.run(draft.run).file.inspection.columns.first == "2026年客户清单")
        for wrong in ["-1", "many", "1001"] {
            let error = await #expect(throws: CRMError.self) { try await post(wrong) }
            #expect(error?.fields.first?.field == "skip_rows" && error?.fields.first?.message.zh.contains("行数") == true)
        }
        try await post("")
        #expect(try await bench.service.run(draft.run).file.inspection.columns.first == "客户编号")
    }

    @Test("findings call rules and fields by their names in both languages")
    func names() async throws {
        let bench = try await Bench()
        var rule = QualityRule(
            key: "internal_key_7", name: Words(en: "Not too long with us", zh: "在网不超上限"), source: "", entity: "customer",
            fields: ["tenure_months"], kind: .range, dimension: .accuracy, severity: .warn, parameters: RuleParameters())
        rule.parameters.max = .number(10)
        try await bench.tenant.database.write { [rule] in try RuleStore.put(rule, by: "t", at: Instant(milliseconds: 0), $0) }
        let report = try await bench.importText("Customer ID,Tenure\nK1,11\nK2,3\n", matchKey: "source_id")
        let found = try #require(report.findings.first { $0.rule == "internal_key_7" })
        #expect(found.name == "Not too long with us" && found.name_zh == "在网不超上限")
        #expect(found.field_name == "Tenure months" && found.field_name_zh == "在网月数")
    }
}
