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
