import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Platform
import Storage

/// Systems that files come from.
struct SourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Systems that files come from: how fresh and how good what they send is.",
        subcommands: [SourceList.self, SourceShow.self])
}

/// All sources, one a line.
struct SourceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sources with their last import, freshness, score and rows in quarantine.",
        discussion: "Exit code 2 says that something is late.")
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant { runtime, tenant in
                let sources = try await runtime.modules.imports(tenant, runtime.share).sources()
                if json {
                    try SourceShow.print(sources)
                } else if sources.isEmpty {
                    Terminal.out("No source yet: one is registered with its first import.")
                }
                if !json { for source in sources { Terminal.out(SourceShow.line(source)) } }
                if sources.contains(where: { $0.freshness == "late" }) { throw ExitCode(2) }
            }
        }
    }
}

/// One source, with its schema and the versions of its mapping.
struct SourceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one source with its schema and the versions of its mapping.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "Key of the source, as --source of import has it.") var key: String
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant { runtime, tenant in
                let all = try await runtime.modules.imports(tenant, runtime.share).sources()
                guard let source = all.first(where: { $0.key == key }) else {
                    throw Complaint("there is no source “\(key)”; `switchboard source list` names them")
                }
                if json { return try Self.print(source) }
                Terminal.out(Self.line(source))
                Terminal.out("  owner       \(Terminal.plain(source.owner))")
                Terminal.out("  mappings    \(source.mappingVersions)")
                for field in source.schema { Terminal.out("  column      \(Terminal.plain(field))") }
            }
        }
    }

    static func line(_ source: SourceReport) -> String {
        let score = source.score.map { String(format: "%.1f", $0) } ?? "-"
        let last = source.lastImport ?? "never"
        return "\(Terminal.plain(source.key))  \(source.kind)  last import \(last)"
            + (source.freshness.isEmpty ? "" : " (\(source.freshness))")
            + "  score \(score)  in quarantine \(source.quarantined)"
    }

    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Terminal.out(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
