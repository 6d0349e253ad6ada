import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Ingest

/// What a person who had never seen the product found of files and rules, through the whole installation.
@Suite("Free text under a topic, numbers that are none, customers without a name")
struct StrangerStoryTests {
    private func bring(
        _ scenario: Scenario, _ entity: String, _ csv: String, mapping: String? = nil, dryRun: Bool = false
    ) async throws -> ImportReport {
        let service = scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
        let folder = NSTemporaryDirectory() + "stranger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/\(entity).csv"
        try Data(csv.utf8).write(to: URL(fileURLWithPath: path))
        var file: String?
        if let mapping {
            file = folder + "/mapping.json"
            try Data(mapping.utf8).write(to: URL(fileURLWithPath: folder + "/mapping.json"))
        }
        return try await service.on(entity).importFile(
            path, mapping: file, source: "care", dryRun: dryRun,
            principal: scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name))
    }

    @Test("free text under the heading of a topic is kept as text and no row is lost; codes stay codes")
    func topic() async throws {
        let scenario = try await Scenario.start()
        _ = try await bring(scenario, "customer", "source_id,full_name\nK1,王伟\n")
        let head = "case_number,source_id,case_kind,opened_at,topic"
        let free = try await bring(
            scenario, "cases",
            head + "\nC1,K1,complaint,2026-01-01 10:00,家里没有信号怎么办\nC2,K1,complaint,2026-01-02 10:00,Charged twice for May\n")
        #expect(free.created == 2 && free.rejected == 0, "\(free.reasons)")
        #expect(free.mapping.first { $0.column == "topic" }?.field == "subject")
        // Half and half: codes are topics, the rest is text, before what the subject holds.
        let mixed = try await bring(
            scenario, "cases",
            head + ",subject\nC3,K1,complaint,2026-01-03 10:00,bill,May\nC4,K1,complaint,2026-01-03 10:00,网络,\n"
                + "C5,K1,complaint,2026-01-04 10:00,问了三次没人回,五月账单\nC6,K1,complaint,2026-01-04 10:00,price,\n")
        #expect(mixed.created == 4 && mixed.rejected == 0, "\(mixed.reasons)")
        #expect(mixed.warnings.contains { $0.contains("“topic”: 1 values") && $0.contains("“Subject”") }, "\(mixed.warnings)")
        #expect(mixed.warnings_zh.contains { $0.contains("按文本保存到“事由”") })
        let kept = try await scenario.tenant.database.read {
            try $0.query("SELECT number, topic, subject FROM servicedesk_case ORDER BY number") {
                [$0.text(0), $0.text(1), $0.optionalText(2) ?? ""]
            }
        }
        #expect(
            kept == [
                ["C1", "other", "家里没有信号怎么办"], ["C2", "other", "Charged twice for May"], ["C3", "bill", "May"],
                ["C4", "coverage", ""], ["C5", "other", "问了三次没人回\n五月账单"], ["C6", "price", ""],
            ])
        // A mapping that says “topic” loses no row either, and too long a text is still refused with its length.
        let long = String(repeating: "长", count: 501)
        let told = try await bring(
            scenario, "cases", head + "\nC7,K1,complaint,2026-01-05 10:00,信号时有时无\nC8,K1,complaint,2026-01-05 10:00,\(long)\n",
            mapping: #"{"columns":[{"column":"case_number","to":"case_number"},{"column":"source_id","to":"source_id"},"#
                + #"{"column":"case_kind","to":"case_kind"},{"column":"opened_at","to":"opened_at"},{"column":"topic","to":"topic"}],"#
                + #""matchKey":"case_number","source":"care"}"#)
        #expect(told.created == 1 && told.reasons.map(\.code) == ["too_long"], "\(told.reasons)")
        let contacts = try await bring(
            scenario, "interactions",
            "interaction_id,source_id,happened_at,channel,主题,note\nI1,K1,2026-01-01 10:00,hotline,问宽带怎么迁移,打来两次\n")
        #expect(contacts.created == 1)
        let note = try await scenario.tenant.database.read {
            try $0.first("SELECT note FROM servicedesk_interaction") { $0.text(0) }
        }
        #expect(note == "问宽带怎么迁移\n打来两次")
    }

    @Test("a mobile number with a digit too few waits in the quarantine, and is called by the name of its rule; one without a name is told")
    func numbers() async throws {
        let scenario = try await Scenario.start()
        let csv = "source_id,full_name,msisdn\nK1,王伟,13800138000\nK2,李娜,1380013800\nK3,,13800138002\nK4,张强,+886912345678\n"
        for dryRun in [true, false] {
            let report = try await bring(scenario, "customer", csv, dryRun: dryRun)
            #expect(report.created == 3 && report.quarantined == 1 && report.rejected == 0, "\(report)")
            let mobile = try #require(report.findings.first { $0.rule == "mobile" })
            #expect(mobile.failed == 1 && mobile.name == "Mobile number of China has 11 digits" && mobile.name_zh == "中国大陆手机号码为 11 位")
            let name = try #require(report.findings.first { $0.rule == "name" })
            #expect(name.failed == 1 && name.severity == "warn" && name.name_zh == "有姓名")
        }
        let lines = try await bring(
            scenario, "lines", "line_id,source_id,msisdn\nL1,K1,13800138000\nL2,K1,+86138001380001\n")
        #expect(lines.created + lines.updated == 1 && lines.quarantined == 1, "\(lines)")
    }

    @Test("errors are told once, in the language asked for; doctor, migrate and client list are Chinese where that is read")
    func language() throws {
        let folder = NSTemporaryDirectory() + "stranger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ arguments: [String], _ language: String) throws -> (code: Int32, out: String, error: String) {
            try ServerProcess.run(
                arguments, environment: ["SWITCHBOARD_DATA": folder + "/data", "SWITCHBOARD_LANG": language])
        }
        #expect(try run(["migrate"], "zh").out.contains("均已应用"))
        #expect(try run(["migrate"], "en").out.contains("were applied before"))
        let doctor = try run(["doctor"], "zh").out
        for word in ["正常", "数据库", "货币 CNY", "没有积压", "均已应用", "监听"] { #expect(doctor.contains(word), "\(word): \(doctor)") }
        for word in ["listening", "all found", "nothing late", "ok "] { #expect(!doctor.contains(word), "\(word): \(doctor)") }
        let told = try JSONValue.parse(Array(try run(["doctor", "--json"], "zh").out.trimmed.utf8))
        #expect(told.encoded().contains(#""detail":"nothing late""#) && told.encoded().contains("没有积压"))
        #expect(try run(["client", "create", "计费网关", "--scope", "usage:write"], "zh").out.contains("密钥仅显示这一次"))
        let clients = try run(["client", "list"], "zh").out
        #expect(clients.contains("有效至") && clients.contains("从未使用") && !clients.contains("until"), "\(clients)")
        #expect(try run(["client", "list"], "en").out.contains("never used"))
        for (language, word) in [("en", "there is no such file"), ("zh", "没有这个文件")] {
            let missing = try run(["import", folder + "/none.csv"], language)
            #expect(missing.code == 1 && missing.error.contains(word), "\(missing)")
            #expect(missing.error.components(separatedBy: "none.csv").count == 2, "\(missing.error)")
        }
        try Data("name,x\n".utf8).write(to: URL(fileURLWithPath: folder + "/rows.csv"))
        let empty = try run(["import", folder + "/rows.csv"], "en")
        #expect(empty.error.split(separator: "\n").filter { $0.contains("no rows") }.count == 1, "\(empty)")
    }

    @Test("data sets for research have no names and no numbers: nothing of them is held back by the new rules")
    func research() async throws {
        let scenario = try await Scenario.start()
        let folder = "/work/shared/data/"
        for file in ["churn-ibm-telco/02 Churn-Dataset.xlsx", "churn-ibm-telco/XTelco_Customer_Churn.csv", "churn-ibm-telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"] {
            guard FileManager.default.fileExists(atPath: folder + file) else { continue }
            let service = scenario.runtime.modules.imports(scenario.tenant, scenario.runtime.share)
            let report = try await service.importFile(
                folder + file, dryRun: true, principal: scenario.runtime.operatorPrincipal(tenant: scenario.tenant.name))
            #expect(report.quarantined == 0, "\(file)")
            #expect(!report.findings.contains { ["name", "mobile", "mobile_contact"].contains($0.rule) }, "\(report.findings)")
        }
    }
}
