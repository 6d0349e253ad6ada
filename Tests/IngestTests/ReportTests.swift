import Kernel
import Storage
import TestSupport
import Testing

@testable import Ingest

/// What a file that is not what it seems leads to.
@Suite("What an import tells of its file")
struct ReportTests {
    /// UTF-8 `王`, GB18030 `李`, then Latin letters in one encoding or the other.
    private func mixed(_ last: [UInt8]) -> [UInt8] {
        Array("id,name\n1,王\n2,".utf8) + [0xC0, 0xEE] + Array("\n3,".utf8) + last + Array("\n".utf8)
    }

    @Test("a file of several encodings is never taken in silence: UTF-8 with the other rows refused, or a plain note")
    func mixedEncodings() async throws {
        let bench = try await Bench()
        func report(_ bytes: [UInt8]) async throws -> ImportReport {
            try await bench.service.importFile(
                try bench.file("m.csv", bytes), source: "test", dryRun: true, principal: bench.principal)
        }
        let utf8 = try await report(mixed(Array("Zoë".utf8)))
        #expect(utf8.encoding == "utf-8" && utf8.rejected == 1 && utf8.reasons.first?.firstLine == 3)
        #expect(utf8.warnings.contains { $0.hasPrefix("The encoding is uncertain: some lines are UTF-8") })
        let latin = try await report(mixed([0x5A, 0x6F, 0xEB]))
        #expect(latin.warnings.contains { $0.hasPrefix("The encoding is uncertain") }, "\(latin.warnings)")
        #expect(latin.encodingGuessed)
        let chosen = try await bench.service.importFile(
            try bench.file("m.csv", mixed([0x5A])), source: "test", dryRun: true, encoding: .gb18030,
            principal: bench.principal)
        #expect(!chosen.encodingGuessed && !chosen.warnings.contains { $0.contains("uncertain") })
    }

    @Test("a spreadsheet error is no value: it costs the row in what tells whose row it is, elsewhere the cell")
    func spreadsheetErrors() async throws {
        let bench = try await Bench()
        let text = """
            id,name,phone,tenure,score
            1,Ann,13800138000,12,5
            #N/A,Bob,13800138001,12,6
            3,#NAME?,13800138002,12,7
            4,Cid,#REF!,12,8
            5,Dan,13800138004,#DIV/0!,#VALUE!
            6,Eve,13800138005,13,#null!
            """
        let report = try await bench.importText(text, matchKey: "source_id")
        #expect(report.rejected == 3 && report.created == 3)
        #expect(report.reasons.allSatisfy { $0.code == "spreadsheet_error" }, "\(report.reasons)")
        #expect(Set(report.reasons.compactMap(\.column)) == ["id", "name", "phone"])
        let contents = try await bench.contents()
        #expect(contents["test:5"]?["tenure_months"] == nil && contents["test:5"]?["attr.score"] == nil)
        #expect(contents["test:1"]?["attr.score"] == "5", "the errors do not make a text of the column")
        #expect(report.warnings.contains { $0.contains("3 cells hold a spreadsheet error") }, "\(report.warnings)")
    }

    @Test("the customer number is the key before the telephone number, also when a few rows repeat it")
    func customerNumberFirst() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(
            "手机号,客户编号,客户姓名\n13800138000,A1,甲\n13800138001,A2,乙\n13800138002,A3,丙\n13800138003,A3,丁\n")
        #expect(draft.mapping.matchKey == "source_id")
    }

    @Test("two headers that any file has do not make two files one source")
    func sourceOfGenericHeaders() async throws {
        let bench = try await Bench()
        func run(_ text: String, _ name: String) async throws -> ImportReport {
            try await bench.service.importFile(try bench.file(name, text), principal: bench.principal)
        }
        let first = try await run("customer_id,name\n1,Ann\n", "billing.csv")
        #expect(first.source == "billing")
        #expect(try await run("customer_id,name\n1,Bob\n", "shop.csv").source == "shop")
        #expect(try await run("customer_id,name,\n1,Cid,\n", "club.csv").source == "club")
        #expect(try await run("customer_id,name,phone,plan\n1,Dan,13800138000,x\n", "crm.csv").source == "crm")
        #expect(try await run("customer_id,name,phone,plan\n2,Eve,13800138001,y\n", "crm_2026_05.csv").source == "crm")
    }

    @Test("a dry run stands in the list with its counts")
    func listCounts() async throws {
        let bench = try await Bench()
        _ = try await bench.importText("id,name\n1,Ann\n2,Refused\n", matchKey: "source_id", dryRun: true)
        _ = try await bench.draft("id,name\n1,Ann\n")
        let lines = try await bench.tenant.database.read {
            try RunStore.recent(before: nil, owner: nil, limit: 10, $0)
        }
        #expect(lines.map(\.state) == [.draft, .ready])
        #expect(lines[0].counts == nil)
        #expect(lines[1].counts?.read == 2 && lines[1].counts?.created == 1 && lines[1].counts?.rejected == 1)
    }

    @Test("what a revert kept is named by field, one value in the singular")
    func keptFields() async throws {
        let bench = try await Bench()
        _ = try await bench.importText("id,name,email\n1,Ann,a@b.example\n", matchKey: "source_id")
        let second = try await bench.importText("id,name,email\n1,Bob,c@d.example\n", matchKey: "source_id")
        _ = try await bench.importText("id,email\n1,e@f.example\n", matchKey: "source_id")
        let run = try #require(ImportRunID(second.run))
        let report = try await bench.service.revert(run, principal: bench.principal)
        #expect(report.issues == 1)
        let told = try #require(report.warnings.first)
        #expect(told.hasPrefix("1 value was changed since the import, in 1 customer: E-mail. Changed by later imports:"), "\(told)")
        let word = try await bench.service.run(run).run.message.zh
        #expect(word.contains("邮箱") && word.contains("1 位客户中的 1 个值"), "\(word)")
    }
}
