import App
import ArgumentParser
import Foundation
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
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let inspection = Inspection(try common.runtime())
            var found: [Inspection.Finding]
            do {
                found = await inspection.findings(tenant: try common.installed())
            } catch let error as CRMError where ["no_installation", "no_tenant"].contains(error.code) {
                found = inspection.settings() + [Inspection.Finding("data", .fail, error.message.en)]
            }
            if json {
                Terminal.out(
                    JSONValue.array(
                        found.map {
                            .object([
                                "check": .string($0.name), "ok": .bool($0.level != .fail),
                                "level": .string($0.level.rawValue), "detail": .string($0.detail),
                            ])
                        }
                    ).encoded())
            } else {
                for one in found {
                    let mark = one.level == .fail ? "FAIL" : one.level.rawValue.padding(4)
                    Terminal.out("\(mark) \(one.name.padding(12)) \(one.detail)")
                }
            }
            if found.contains(where: { $0.level == .fail }) { throw ExitCode(1) }
        }
    }
}
