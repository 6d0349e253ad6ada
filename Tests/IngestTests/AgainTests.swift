import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TestSupport
import Testing

@testable import Ingest
@testable import Web

@Suite("The same file again")
struct AgainTests {
    private static let keyless = "Full Name,Segment\nAnn,a\nBob,b\nRefused,c\n"

    @Test("without a match key it is refused and leaves nothing behind; --again imports it, a dry run warns")
    func command() async throws {
        let bench = try await Bench()
        let first = try await bench.importText(Self.keyless)
        #expect(first.numbers == [3, 2, 0, 0, 1] && first.matchKey == nil)
        let path = try bench.file("copy.csv", Self.keyless)
        let refused = await #expect(throws: CRMError.self) {
            _ = try await bench.service.importFile(path, source: "elsewhere", principal: bench.principal)
        }
        #expect(refused?.code == "imported_before" && refused?.status == 409)
        let words = try #require(refused?.message)
        for part in ["as “test”", first.run, "2 created", "1 rejected", "--again", "--match-key", "--revert \(first.run)"] {
            #expect(words.en.contains(part), "\(part): \(words.en)")
        }
        #expect(words.zh.contains(first.run) && words.zh.contains("新建 2"))
        #expect(try await runs(bench) == 1, "no draft stays")
        let dry = try await bench.importText(Self.keyless, dryRun: true)
        #expect(dry.warnings.contains { $0.contains("imported on") && $0.contains(first.run) })
        let again = try await bench.service.importFile(path, again: true, principal: bench.principal)
        #expect(again.created == 2)
        _ = try await bench.service.revert(try #require(ImportRunID(again.run)), principal: bench.principal)
        _ = try await bench.service.revert(try #require(ImportRunID(first.run)), principal: bench.principal)
        #expect(try await bench.importText(Self.keyless).created == 2, "what was taken back is not there twice")
    }

    @Test("a match key that finds what the first import made lets it through; one that does not, does not")
    func keys() async throws {
        let bench = try await Bench()
        let text = sampleCSV(rows: 4)
        #expect(try await bench.importText(text).created == 4)
        #expect(try await bench.importText(text).unchanged == 4)
        for (source, key) in [("test", ""), ("other", "source_id")] {
            let error = await #expect(throws: CRMError.self) {
                _ = try await bench.service.importFile(
                    try bench.file("copy.csv", text), source: source, matchKey: key, principal: bench.principal)
            }
            #expect(error?.code == "imported_before", "\(source)")
            // Under another name the key is no help: which name it was is.
            let (en, zh) = (error?.message.en ?? "", error?.message.zh ?? "")
            #expect(en.contains("source “test”") == (key != "") && zh.contains("来源为“test”") == (key != ""), "\(en)")
            #expect(en.contains("--match-key") == (key == "") && en.contains("--again") && zh.contains("--again"), "\(en)")
        }
        let byPhone = try await bench.service.importFile(
            try bench.file("copy.csv", text), source: "other", matchKey: "phone", principal: bench.principal)
        #expect(byPhone.created == 0)
    }

    @Test("a key that nothing was kept under is told as such, and the page names the other source", arguments: Language.allCases)
    func otherKey(language: Language) async throws {
        let bench = try await Bench()
        let mapping = try bench.file("map.json", #"{"columns":[{"column":"Full Name","to":"name"},{"column":"Mobile","to":"ignore"}]}"#)
        let text = "Full Name,Mobile\nAnn,13800000001\nBob,13800000002\n"
        #expect(try await bench.importText(text, mapping: mapping).created == 2)
        let refused = await #expect(throws: CRMError.self) {
            _ = try await bench.service.importFile(
                try bench.file("copy.csv", text), source: "test", matchKey: "phone", principal: bench.principal)
        }
        #expect(refused?.message.en.contains("Nothing was kept under this match key") == true, "\(refused?.message.en ?? "")")
        #expect(refused?.message.zh.contains("未保存该匹配键") == true && refused?.message.en.contains("--match-key") == false)
        let draft = try await bench.draft(text, source: "elsewhere")
        let page = try await Wizard(bench, language: language).page("/imports/{id}", draft.run)
        #expect(page.contains("id=\"repeat-other\"") && page.contains("“test”") && page.contains("“elsewhere”"))
    }

    @Test("the wizard names the earlier import and starts only when the box is ticked", arguments: Language.allCases)
    func wizard(language: Language) async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: language)
        let first = try await bench.importText(Self.keyless)
        let draft = try await bench.draft(Self.keyless)
        let mapping = try await wizard.page("/imports/{id}", draft.run)
        #expect(mapping.contains("id=\"repeat\"") && mapping.contains("href=\"/imports/\(first.run)\""))
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let plan = try await wizard.page("/imports/{id}", draft.run)
        #expect(plan.contains("id=\"again\"") && plan.contains(language == .en ? "2 created" : "新建 2"))
        #expect(!plan.contains("[[") && !plan.contains("{{") && TemplateMisses.all.isEmpty)
        let error = await #expect(throws: CRMError.self) {
            _ = try await wizard.call(.post, "/imports/{id}/start", draft.run, form: "")
        }
        #expect(error?.status == 422 && error?.code == "imported_before")
        #expect(try await bench.service.run(draft.run).run.state == .ready)
        _ = try await wizard.call(.post, "/imports/{id}/start", draft.run, form: "again=1")
        try await bench.test.drain(jobs: bench.service.jobs)
        #expect(try await bench.service.run(draft.run).run.counts.created == 2)
        let other = try await bench.draft("Full Name,Segment\nCarl,a\n")
        #expect(try await !wizard.page("/imports/{id}", other.run).contains("id=\"repeat\""))
    }

    private func runs(_ bench: Bench) async throws -> Int {
        try await bench.tenant.database.read { try $0.count("SELECT COUNT(*) FROM ingest_run") }
    }
}

@Suite("What an import says")
struct ImportWordsTests {
    @Test("a reject file that cannot be written costs nothing but itself: counts, run and the reason are told")
    func rejectFile() async throws {
        let bench = try await Bench()
        let path = try bench.file("people.csv", "Full Name\nAnn\nRefused\n")
        let nowhere = bench.test.folder + "/none/rejects.csv"
        let report = try await bench.service.importFile(path, rejects: nowhere, principal: bench.principal)
        #expect(report.state == "succeeded" && report.created == 1 && report.rejected == 1)
        #expect(report.rejectFile == nil)
        let error = try #require(report.rejectFileError)
        #expect(error.code == "not_writable" && error.message.contains(nowhere) && error.message.contains(report.run))
        #expect(error.message.contains("No such file") && error.message_zh.contains(nowhere))
    }

    @Test("an order of dates is kept with the mapping of the source and decides what could be read in two ways")
    func dateOrder() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Born,Note\nA1,03/04/1990,x\nA2,05/06/1991,y\n"
        #expect(try await bench.importText(text, dryRun: true).rejected == 2, "nobody can tell")
        for (order, date) in [(DateOrder.dayMonthYear, "1990-04-03"), (.monthDayYear, "1990-03-04")] {
            let report = try await bench.service.importFile(
                try bench.file("d.csv", text.replacing("x", with: order.rawValue)), source: order.rawValue,
                dateOrder: order, principal: bench.principal)
            #expect(report.created == 2)
            #expect(try await bench.contents()["\(order.rawValue):A1"]?["birth_date"] == date)
            let kept = try await bench.service.mapping(named: order.rawValue)
            #expect(kept.columns.map(\.dateOrder) == [nil, order, nil])
        }
        let strict = try await bench.service.importFile(
            try bench.file("d.csv", text + "A3,1992-07-08,z\n"), source: "ymd", dateOrder: .yearMonthDay,
            principal: bench.principal)
        #expect(strict.created == 1 && strict.rejected == 2)
        #expect(strict.reasons.first?.reason.contains("year does not stand first") == true)
    }

    @Test("dates of the Republic of China are taken as the column shows them, and refused with what to do where it does not")
    func minguo() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(
            "Customer ID,Born\nR1,民國78年3月4日\nR2,78/03/05\nR3,078/03/06\nR4,101/12/31\nR5,04/05/1990\nR6,25/12/1991\n")
        #expect(report.created == 5 && report.quarantined == 1, "78/03/05 in a column of days first waits: \(report)")
        let born = try await bench.contents().mapValues { $0["birth_date"] }
        #expect(
            born == [
                "test:R1": "1989-03-04", "test:R3": "1989-03-06", "test:R4": "2012-12-31", "test:R5": "1990-05-04", "test:R6": "1991-12-25",
            ])
        let why = try await bench.tenant.database.read { try $0.first("SELECT findings FROM ingest_quarantine", []) { $0.text(0) } ?? "" }
        #expect(why.contains("Republic of China") && why.contains("2024-05-31"), "\(why)")
        let whole = try await bench.importText(
            "Customer ID,Born\nS1,民國78年3月4日\nS2,78/03/05\nS3,0780306\n", name: "roc.csv")
        #expect(whole.created == 3)
        #expect(try await bench.contents()["test:S2"]?["birth_date"] == "1989-03-05")
        // With characters of Taiwan beside it, nothing tells; the whole column is meant, and no row waits.
        let open = "Customer ID,Full Name,Born\nT1,張偉,78/03/04\nT2,王芳,67/11/30\n"
        let refused = try await bench.importText(open, name: "open.csv")
        #expect(refused.rejected == 2 && refused.reasons.first?.reason.contains("date order") == true)
        let told = try await bench.service.importFile(
            try bench.file("open.csv", open), source: "told", dateOrder: .minguo, principal: bench.principal)
        #expect(told.created == 2)
        #expect(try await bench.contents()["told:T2"]?["birth_date"] == "1978-11-30")
        // Nothing of Taiwan: a western year.
        _ = try await bench.importText("Customer ID,Born\nW1,78/03/04\nW2,67/11/30\n", name: "west.csv")
        #expect(try await bench.contents()["test:W1"]?["birth_date"] == "1978-03-04")
        #expect(try await bench.contents()["test:W2"]?["birth_date"] == "1967-11-30", "nobody is born in 2067")
    }

    @Test("a rejected row with a telephone number and one with a formula come back as they were, and so does a plain file")
    func roundTrip() async throws {
        let bench = try await Bench()
        let rows = ["A1,=1+1,Refused", "A2,+86 138-0013-8000,Refused", "A3,'=quoted,Refused", "A4,@x,Refused"]
        let report = try await bench.importText("Customer ID,Note,Full Name\n" + rows.joined(separator: "\n") + "\n")
        #expect(report.rejected == 4)
        let lines = try bench.rejectFile(report)
        #expect(lines.contains { $0.hasSuffix("A2,+86 138-0013-8000,Refused") }, "no apostrophe before a number")
        #expect(lines.contains { $0.hasSuffix("A1,'=1+1,Refused") })
        let mended = try String(contentsOfFile: try #require(report.rejectFile), encoding: .utf8)
            .replacing("Refused", with: "Ann")
        let back = try await bench.importText(mended, name: "mended.csv")
        #expect(back.created == 4, "\(back)")
        let notes = try await bench.contents().mapValues { $0["attr.note"] }
        #expect(notes == ["test:A1": "=1+1", "test:A2": "+86 138-0013-8000", "test:A3": "=quoted", "test:A4": "@x"])
    }

    @Test("taking back nothing but rejects is not offered, nor is going on when the mapping refused all")
    func hopeless() async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: .en)
        let report = try await bench.importText("Full Name\nRefused\n")
        #expect(report.state == "failed")
        let page = try await wizard.page("/imports/{id}", try #require(ImportRunID(report.run)))
        #expect(!page.contains("id=\"continue\"") && !page.contains("id=\"revert\""))
    }

    @Test("the words of a profile are sentences in both languages", arguments: Language.allCases)
    func profile(language: Language) throws {
        let path = NSTemporaryDirectory() + "profile-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text =
            "id,when,code,a,b\n1,13/05/2024,007, x,y \n2,05/14/2024,8, x,y \n3,31/02/2024,9, x,y \n4,03/04/2024,9, x,y \n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let profile = try FileProfile.read(path, sheet: nil, encoding: nil)
        let said = ProfileText(profile: profile, language: language).lines.joined(separator: "\n")
        let expected =
            language == .en
            ? [
                "when: dates in several orders: 1 day first, 1 month first; 1 can be read both ways (line 5)",
                "when: 1 impossible date, e.g. line 4 “31/02/2024”", "code: 1 number begins with 0",
                "which an import takes away: a 4, b 4",
            ]
            : [
                "when: 日期顺序混用：日在前 1，月在前 1；1 行两种读法均可（第 5 行）", "when: 1 个不存在的日期，例如第 4 行“31/02/2024”",
                "code: 1 个数字以 0 开头", "（导入时自动去除）：a 4, b 4",
            ]
        let page = ProfileText(profile: profile, language: language)
        #expect(!page.summary.contains("--") && !profile.columns.contains { page.notes($0, isAlone: true).joined().contains("--") })
        let ids = NSTemporaryDirectory() + "ids-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: ids) }
        try Data("证件号码\nA123456789\nA123456788\nA123456(3)\n1234567(8)\n".utf8).write(to: URL(fileURLWithPath: ids))
        let told = ProfileText(profile: try FileProfile.read(ids, sheet: nil, encoding: nil), language: language).lines
            .joined(separator: "\n")
        let of =
            language == .en
            ? ["identity numbers: Hong Kong 1, Macau (shape only) 1, Taiwan 1", "1 identity number has a wrong check digit or date (line 3)"]
            : ["身份证号码：香港 1，澳门（仅校验格式） 1，台湾 1", "1 个身份证号码校验位或日期有误（第 3 行）"]
        for line in of { #expect(told.contains(line), "\(line)\n\(told)") }
        for line in expected { #expect(said.contains(line), "\(line)\n\(said)") }
        #expect(!said.contains("leading zeros") && !said.contains("_"), "no codes: \(said)")
    }
}
