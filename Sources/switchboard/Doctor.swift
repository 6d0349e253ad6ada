import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Web

/// Looks for what would keep the installation from working.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the installation.",
        discussion: """
            It only looks: nothing is migrated, made or changed, and the product may run or be stopped. A line is ok, note
            (worth knowing) or FAIL; exit code 1 when one of them is FAIL.
            """)
    private static let marks = [
        "ok": Words(en: "ok", zh: "正常"), "note": Words(en: "note", zh: "提示"), "fail": Words(en: "FAIL", zh: "故障"),
    ]
    /// In English a check is called as in JSON.
    private static let names = [
        "settings": "设置", "region": "地区", "proxies": "代理", "data": "数据文件夹", "share": "资源文件夹", "assets": "页面资源",
        "database": "数据库", "keys": "密钥", "start": "启动", "migrations": "迁移", "standby": "备库", "work": "后台任务",
        "files": "文件", "disk": "磁盘", "roles": "角色", "months": "月份分区",
    ].reduce(into: [String: Words]()) { $0[$1.key] = Words(en: $1.key, zh: $1.value) }

    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let inspection = Inspection(try common.runtime())
            var found: [Inspection.Finding]
            do {
                found = await inspection.findings(tenant: try common.installed())
            } catch let error as CRMError where ["no_installation", "no_tenant"].contains(error.code) {
                found = inspection.settings() + [Inspection.Finding("data", .fail, error.message)]
            }
            if json {
                Terminal.out(
                    JSONValue.array(
                        found.map {
                            .object([
                                "check": .string($0.name), "ok": .bool($0.level != .fail),
                                "level": .string($0.level.rawValue), "detail": .string($0.words.en),
                                "detail_zh": .string($0.words.zh),
                            ])
                        }
                    ).encoded())
            } else {
                for one in found {
                    let mark = Self.marks[one.level.rawValue]?[Terminal.language] ?? one.level.rawValue
                    let name = Self.names[one.name]?[Terminal.language] ?? one.name
                    let columns = [(mark, 5), (name, 13)].map { text, width in
                        text + String(repeating: " ", count: max(1, width - TerminalText.width(text)))
                    }
                    Terminal.out(columns.joined() + one.words[Terminal.language])
                }
            }
            if found.contains(where: { $0.level == .fail }) { throw ExitCode(1) }
        }
    }
}
