import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What commands say of what they left out, and to who reads Chinese.
@Suite("Command line: what it says")
struct CommandLineWordsTests {
    @Test("columns that nothing became of are named by the import, and the list of headings says what is understood")
    func notTaken() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let customers = try bench.file("c.csv", CommandBench.good)
        try bench.expect(0, ["import", customers, "--source", "billing", "--match-key", "source_id"])
        let bills = try bench.file(
            "bills.csv", "bill_number,source_id,Zahlbetrag,金额,账期,leer\nB1,1,x,20.00,2026-05,\n")
        let arguments = ["import", bills, "--entity", "bills", "--source", "billing"]
        let dry = try bench.expect(0, arguments + ["--dry-run"])
        #expect(dry.error.contains("1 column is not taken: “Zahlbetrag”"), "\(dry)")
        let done = try bench.expect(0, arguments)
        #expect(done.out.contains("  not taken   1: Zahlbetrag\n"), "\(done)")
        #expect(done.error.contains("switchboard import --headings --entity bills"))
        let chinese = try bench.expect(0, arguments + ["--lang", "zh"])
        #expect(chinese.out.contains("未导入列") && chinese.error.contains("未导入的列（1 个）：“Zahlbetrag”"), "\(chinese)")
        let json = try CommandBench.object(bench.expect(0, arguments + ["--json"]).out)
        #expect(json["notTaken"]?.array?.compactMap(\.string) == ["Zahlbetrag"], "an empty column is no loss")
        // What a source calls the subject is one where it is no topic.
        func becomes(_ entity: String, _ text: String) throws -> [String: String] {
            let file = try bench.file("\(entity).csv", text)
            let report = try CommandBench.object(
                bench.run(["import", file, "--entity", entity, "--source", "billing", "--dry-run", "--json"]).out)
            let columns = report["mapping"]?.array?.compactMap(\.object) ?? []
            return Dictionary(
                columns.map { ($0["column"]?.string ?? "", $0["field"]?.string ?? "-") }, uniquingKeysWith: { $1 })
        }
        let cases = "工单号,source_id,类型,主题,受理时间\nC1,1,投诉,"
        #expect(try becomes("cases", cases + "五月账单多收了三十元,2026-05-01\n")["主题"] == "subject")
        #expect(try becomes("cases", cases + "账单,2026-05-01\n")["主题"] == "topic")
        let talks = "接触编号,source_id,渠道,时间,主题,内容\nI1,1,热线,2026-05-01 10:00,"
        let talk = try becomes("interactions", talks + "五月账单多收了三十元,客户要求退款\n")
        #expect(talk["主题"] == "subject" && talk["内容"] == "note", "\(talk)")
        #expect(try becomes("interactions", talks + "账单,客户要求退款\n")["主题"] == "topic")
        // Needs no installation.
        let none = ["SWITCHBOARD_DATA": bench.folder + "/nowhere"]
        let list = try bench.expect(0, ["import", "--headings", "--entity", "bills"], environment: none)
        #expect(list.out.contains("  period  Billing month  [Text]\n") && list.out.contains("账单月份"), "\(list.out)")
        let all = try bench.expect(0, ["import", "--headings", "--json", "--lang", "zh"], environment: none)
        #expect(try JSONValue.parse(Array(all.out.utf8)).array?.count ?? 0 > 8)
        #expect(!FileManager.default.fileExists(atPath: bench.folder + "/nowhere"))
        try bench.expect(64, ["import", "--headings", "--entity", "bricks"])
        try bench.expect(64, ["import", bills, "--headings"])
    }

    @Test("an import, what is wrong with it and what is wrong with its call are told in Chinese to who reads Chinese")
    func chinese() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file("c.csv", CommandBench.partly)
        let arguments = ["import", file, "--source", "billing", "--match-key", "source_id"]
        func isChinese(_ text: String, _ allowed: [String] = []) -> Bool {
            text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }
        }
        for environment in [["SWITCHBOARD_LANG": "zh"], ["LANG": "zh_CN.UTF-8", "LC_ALL": ""]] {
            let dry = try bench.expect(2, arguments + ["--dry-run"], environment: environment)
            #expect(dry.out.contains("试运行（未做任何更改）") && dry.out.contains("  拒绝        1\n"), "\(dry.out)")
            #expect(dry.out.contains("第 2 行") && !dry.out.contains("rejected") && !dry.out.contains("rows read"), "\(dry.out)")
        }
        let wrong = try bench.expect(1, ["import", bench.folder + "/none.csv"], environment: ["SWITCHBOARD_LANG": "zh"])
        #expect(isChinese(wrong.error) && wrong.error.components(separatedBy: "\n").count == 2, "\(wrong.error)")
        let usage = try bench.expect(64, ["import", file, "--encoding", "x", "--lang", "zh"])
        #expect(usage.error.contains("没有编码“x”"), "\(usage.error)")
        try bench.expect(64, ["import", file, "--lang", "fr"])
        // Asked for in words comes before the environment, which the test does not leave to chance.
        let english = try bench.expect(2, arguments + ["--lang", "en"], environment: ["SWITCHBOARD_LANG": "zh"])
        #expect(english.out.contains("  rejected    1\n") && english.out.contains("Run "), "\(english.out)")
    }

    @Test("match, source and usage import tell in Chinese what they did to who reads Chinese")
    func chineseOthers() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let zh = ["SWITCHBOARD_LANG": "zh"]
        let file = try bench.file("c.csv", "source_id,name,msisdn\n1,甲乙,13800000001\n2,丙丁,13800000002\n")
        try bench.expect(0, ["import", file, "--source", "billing", "--match-key", "source_id"])
        let list = try bench.expect(0, ["source", "list"], environment: zh)
        #expect(list.out.contains("最近导入") && list.out.contains("得分") && !list.out.contains("last import"), "\(list)")
        let set = try bench.expect(0, ["source", "set", "care", "--owner", "客服"], environment: zh)
        #expect(set.error.contains("为新来源，已登记") && set.out.contains("最近导入 无"), "\(set)")
        #expect(try bench.expect(0, ["source", "show", "care"], environment: zh).out.contains("  负责人      客服\n"))
        #expect(try bench.expect(1, ["source", "show", "nobody"], environment: zh).error.contains("没有来源"))
        let calls = try bench.file(
            "calls.csv", "id,number,kind,start,seconds\n1,13800000001,voice,2026-02-20 10:00:00,5\n2,13800000001,voice,x,5\n")
        let usage = try bench.expect(2, ["usage", "import", calls, "--source", "switch"], environment: zh)
        #expect(usage.out.contains("  已计入      1\n") && usage.out.contains("首个在第 3 行"), "\(usage)")
        #expect(!usage.out.contains("taken") && !usage.out.contains("rejected"), "\(usage)")
        let match = try bench.expect(
            0, ["match", file, "--id", "source_id", "--out", bench.folder + "/links.json", "--lang", "zh"])
        #expect(match.out.contains("2 条记录") && match.out.contains("待确认"), "\(match)")
    }
}
