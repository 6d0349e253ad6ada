import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Ingest

@Suite("whose rows a file has")
struct OriginTests {
    private static let header = "Customer ID,Full Name,Mobile\n"

    @Test("columns alone do not make a file another source's: its name is its source, and the other one is told")
    func foreign() async throws {
        let bench = try await Bench()
        let known = try bench.file("rg.csv", Self.header + "G1,Ann,13800138000\n")
        #expect(try await bench.service.importFile(known, principal: bench.principal).source == "rg")
        let before = try await bench.contents()
        let foreign = try bench.file("other.csv", Self.header + "G1,Bob,13855550001\n")
        // Whoever says so takes it for the other one's.
        let named = try await bench.service.importFile(foreign, source: "rg", dryRun: true, principal: bench.principal)
        #expect(named.source == "rg" && named.updated == 1)
        let report = try await bench.service.importFile(foreign, principal: bench.principal)
        #expect(report.source == "other" && report.created == 1 && report.updated == 0)
        #expect(try await bench.contents()["rg:G1"] == before["rg:G1"])
        #expect(report.warnings.contains { $0.contains("“rg”") && $0.contains("--source") })
        #expect(report.warnings_zh.contains { $0.contains("“rg”") && $0.contains("--source") })
    }

    @Test("the wizard asks for a source that is in doubt, and nothing runs before it is named", arguments: Language.allCases)
    func asked(language: Language) async throws {
        let bench = try await Bench()
        _ = try await bench.service.importFile(
            try bench.file("rg.csv", Self.header + "G1,Ann,13800138000\n"), principal: bench.principal)
        let (blob, _) = try bench.service.copyIn(try bench.file("x.csv", Self.header + "G1,Bob,13855550001\n"))
        let draft = try await bench.service.draft(
            name: "x.csv", blob: blob, source: "", asksSource: true, principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        #expect(draft.mapping.source.isEmpty)
        let page = try await Wizard(bench, language: language).page("/imports/{id}", draft.run)
        #expect(page.contains(#"name="source" maxlength="60" value="""#) && page.contains("“rg”"))
        for action in [ImportService.Action.dryRun, .start] {
            let error = await #expect(throws: CRMError.self) { try await bench.enqueue(action, draft.run) }
            #expect(error?.code == "invalid" || error?.code == "source_needed", "\(String(describing: error))")
        }
        var mapping = draft.mapping
        mapping.source = "x"
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.dryRun, draft.run)
    }

    @Test("with matching no key but the source's own number is proposed; a key that is named stays")
    func guessedKey() async throws {
        let bench = try await Bench()
        _ = try await bench.importText("Customer ID,Name,Mobile\nA1,Ann,13800138000\n", matchKey: "source_id")
        let file = try bench.file("ow.csv", "Name,Mobile\nBob,13800138000\n")
        func plan(_ key: String?, matches: Bool) async throws -> ImportReport {
            try await bench.service.importFile(
                file, source: "ow", matchKey: key, dryRun: true, matches: matches, principal: bench.principal)
        }
        #expect(try await plan(nil, matches: false).matchKey == "phone")
        let matched = try await plan(nil, matches: true)
        #expect(matched.matchKey == nil && matched.updated == 0)
        #expect(matched.warnings.contains { $0.contains("--match-key") } && matched.warnings_zh.contains { $0.contains("--match-key") })
        #expect(try await plan("phone", matches: true).matchKey == "phone")
        let own = try bench.file("own.csv", "Customer ID,Name,Mobile\nB1,Bob,13800138001\n")
        let kept = try await bench.service.importFile(own, source: "own", dryRun: true, matches: true, principal: bench.principal)
        #expect(kept.matchKey == "source_id")
    }

    @Test("in the wizard the proposed key goes when matching is switched on, and comes back when it is chosen")
    func wizardKey() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft("Name,Mobile\nBob,13800138000\n")
        #expect(draft.mapping.matchKey == "phone")
        let wizard = try Wizard(bench, language: .en)
        let form = "to.0=name&to.1=phone&match_key=phone&creates=1&updates=1&matches=1&source=test"
        _ = try await wizard.call(.post, "/imports/{id}/mapping", draft.run, form: form)
        #expect(try await bench.service.run(draft.run).run.mapping.matchKey == nil)
        _ = try await wizard.call(.post, "/imports/{id}/mapping", draft.run, form: form)
        #expect(try await bench.service.run(draft.run).run.mapping.matchKey == "phone")
    }

    @Test("编号 is the customer number where nothing better is, and only where it tells the rows apart")
    func lastResort() async throws {
        let bench = try await Bench()
        func first(_ text: String) async throws -> String? { try await bench.draft(text).mapping.columns.first?.code }
        #expect(try await first("编号,姓名\n1,甲\n2,乙\n3,丙\n") == "source_id")
        #expect(try await first("编号,姓名\n1,甲\n1,乙\n1,丙\n1,丁\n") != "source_id")
        let both = try await bench.draft("编号,客户编号\n1,A\n2,B\n3,C\n").mapping.columns.map(\.code)
        #expect(both.last == "source_id" && both.first != "source_id")
    }

    @Test("a dry run writes no row beside the file unless it is asked to")
    func noRejects() async throws {
        let bench = try await Bench()
        let file = try bench.file("bad.csv", "Customer ID,Born\n1.38E+12,1990-01-02\nA2,1990-01-01\n")
        func run(_ rejects: String?, dry: Bool) async throws -> ImportReport {
            try await bench.service.importFile(
                file, source: "bad", matchKey: "source_id", dryRun: dry, rejects: rejects, principal: bench.principal)
        }
        let dry = try await run(nil, dry: true)
        #expect(dry.rejected == 1 && dry.rejectFile == nil && !FileManager.default.fileExists(atPath: file + ".rejects.csv"))
        let asked = try await run(file + ".r", dry: true)
        #expect(asked.rejectFile == file + ".r" && FileManager.default.fileExists(atPath: file + ".r"))
        #expect(try await run(nil, dry: false).rejectFile == file + ".rejects.csv")
    }

    @Test("headings that were read in a wrong encoding are named as broken, with what they may have been; right ones are not")
    func brokenHeadings() async throws {
        let bench = try await Bench()
        func warned(_ text: String) async throws -> String? {
            let report = try await bench.importText(text, matchKey: nil, dryRun: true)
            let run = try await bench.service.run(try #require(ImportRunID(report.run)))
            return run.file.inspection.warnings.first { $0.code == "broken_headings" }?.words.en
        }
        let words = try await warned("瀹㈡埛鍙\u{FFFD},濮撳悕,ÊÖ»úºÅ\nM9,寮犱紵,13944441234\n")
        #expect(words?.contains("“濮撳悕” (姓名?)") == true && words?.contains("鍙\u{FFFD}”") == true && words?.contains("手机号") == true, "\(words ?? "")")
        #expect(try await warned("客户号,姓名\nM9,张伟\n") == nil)
    }

    @Test("what is refused says what to do: no key, the same key, no choice, no heading")
    func advice() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(
            "Customer ID,Contract\nA1,按 月\nA2,ＯＮＥ-ｙｅａｒ\nA1,两年\n,两年\nA3,weekly\n", matchKey: "source_id", dryRun: true)
        #expect(report.created == 2 && report.rejected == 2 && report.quarantined == 1, "\(report.reasons)")
        let reasons = Dictionary(report.reasons.map { ($0.code, $0) }, uniquingKeysWith: { $1 })
        #expect(reasons["match_key_missing"]?.reason.contains("--match-key") == true)
        #expect(reasons["duplicate_key"]?.reason_zh.contains("--match-key") == true)
        #expect(reasons["duplicate_key"]?.title_zh == "键重复")
        // An unknown code waits, and is told what to do too.
        let held = try await bench.importText("Customer ID,Contract\nA5,One year\nA6,两年\nA3,weekly\n", matchKey: "source_id")
        #expect(held.quarantined == 1 && held.rejected == 0)
        let found = try await bench.tenant.database.read {
            try $0.first("SELECT findings FROM ingest_quarantine", []) { $0.text(0) } ?? ""
        }
        for word in ["one_year", "One year", "一年", "write one of them", "请改写为其中之一"] { #expect(found.contains(word), "\(found)") }
        let none = try await bench.importText("Customer ID,Full Name\nB1,Refused\n", matchKey: "source_id", dryRun: true)
        #expect(none.rejected == 1)
        let run = try #require(ImportRunID(none.run))
        let message = try await bench.service.run(run).run.message
        #expect(message.en.contains("--skip-rows") && message.zh.contains("--skip-rows"))
    }
}
