import App
import ArgumentParser
import Kernel
import Web

/// The route table: what is served, who may, what it leaves in the audit, what a change needs from its caller.
struct Routes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the routes with their permissions.")
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let runtime = try common.runtime()
            let rows = runtime.routes.sorted { ($0.pattern, $0.method.rawValue) < ($1.pattern, $1.method.rawValue) }
            if json {
                Terminal.out(
                    JSONValue.array(
                        rows.map {
                            .object([
                                "method": .string($0.method.rawValue), "path": .string($0.pattern),
                                "access": .string(Self.access($0)), "audit": .string($0.trace.rawValue),
                                "key": .string(Self.need($0.effect?.key)),
                                "version": .string(Self.need($0.effect?.version)),
                            ])
                        }
                    ).encoded())
            } else {
                for row in rows {
                    let method = row.method.rawValue.padding(7)
                    Terminal.out(
                        "\(method) \(row.pattern.padding(42)) \(Self.access(row).padding(30)) "
                            + "\(row.trace.rawValue.padding(7)) \(row.effect?.name ?? "")")
                }
            }
        }
    }

    /// `required`, `optional` or `none`.
    private static func need(_ need: Route.Effect.Need?) -> String { (need ?? .none).rawValue }

    static func access(_ route: Route) -> String {
        switch route.access {
        case .anonymous: "anonymous"
        case .authenticated: "any user"
        case .permission(let permission): permission.rawValue
        }
    }
}

extension String {
    /// At least `width` characters.
    func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// The version, also as `--version`.
struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
    @Flag(name: .long, help: "Print JSON.") var json = false
    func run() { Terminal.out(json ? JSONValue.object(["version": .string(Version.text)]).encoded() : Version.text) }
}
