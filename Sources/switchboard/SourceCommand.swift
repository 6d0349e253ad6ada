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
        subcommands: [SourceList.self, SourceShow.self, SourceSet.self])
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
                if let hours = source.freshHours { Terminal.out("  expected    every \(hours) hours") }
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

/// Changes what was agreed with a source.
struct SourceSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set the owner, expected freshness, classification and schema of a source.",
        discussion: "What is not given stays as it is. A source that is not there yet is registered; its first import does so too.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "Key of the source, as --source of import has it.") var key: String
    @Option(name: .long, help: "Name that people see.") var name: String?
    @Option(name: .long, help: "billing, care, retail, network or partner.") var kind: String?
    @Option(name: .long, help: "The user or team to ask.") var owner: String?
    @Option(name: .customLong("fresh-hours"), help: "Something is expected at least every so many hours; none = nothing is.")
    var freshHours: String?
    @Option(
        name: .long,
        help: """
            COLUMN=CLASS: how values of a column are hidden where no field says it: none, name, phone, email, identity, \
            address, date or full. May be given several times.
            """) var classify: [String] = []
    @Option(name: .long, help: "File with the whole schema, one column a line: column | type | codes | classification.")
    var schema: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let change = try change()
            try await common.withTenant { runtime, tenant in
                let service = runtime.modules.imports(tenant, runtime.share)
                let isNew: Bool
                do {
                    isNew = try await service.setSource(
                        key, change, principal: runtime.operatorPrincipal(tenant: tenant.name))
                } catch let error as CRMError where error.code == "source_value" {
                    throw WrongUsage(error.message)
                }
                if isNew { Terminal.note("the source “\(Terminal.plain(key))” is new: it was registered") }
                guard let source = try await service.sources().first(where: { $0.key == key }) else { return }
                if json { return try SourceShow.print(source) }
                Terminal.out(SourceShow.line(source))
            }
        }
    }

    private func change() throws -> SourceChange {
        var change = SourceChange()
        (change.name, change.kind, change.owner) = (name, kind, owner)
        if let freshHours {
            if freshHours == "none" {
                change.freshHours = .some(nil)
            } else if let hours = Int64(freshHours) {
                change.freshHours = .some(hours)
            } else {
                throw WrongUsage("--fresh-hours is a number of hours, or none")
            }
        }
        for pair in classify {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw WrongUsage("“\(pair)” is no COLUMN=CLASS") }
            change.classes.append((parts[0], parts[1]))
        }
        if let schema {
            try FileTrouble.checkFile(schema, isRegular: true)
            change.schema = try String(contentsOfFile: schema, encoding: .utf8)
        }
        let isEmpty =
            [name, kind, owner, freshHours, schema].allSatisfy { $0 == nil } && classify.isEmpty
        guard !isEmpty else { throw WrongUsage("say what is to be set: --owner, --fresh-hours, --classify, ...") }
        return change
    }
}
