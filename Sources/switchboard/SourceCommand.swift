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
                    Terminal.out(try Say(runtime.share)("cli.source.none"))
                }
                if !json {
                    let say = try Say(runtime.share)
                    for source in sources { Terminal.out(SourceShow.line(source, say, hasOwner: true)) }
                }
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
                    throw Complaint(
                        Words(
                            en: "there is no source “\(key)”; `switchboard source list` names them",
                            zh: "没有来源“\(key)”；`switchboard source list` 可列出全部来源"))
                }
                if json { return try Self.print(source) }
                let say = try Say(runtime.share)
                Terminal.out(Self.line(source, say))
                Terminal.out(say.row("cli.source.owner", Terminal.plain(source.owner)))
                if let hours = source.freshHours {
                    Terminal.out(say.row("cli.source.expected", say("cli.source.every", ["hours": "\(hours)"])))
                }
                Terminal.out(say.row("cli.source.mappings", "\(source.mappingVersions)"))
                for field in source.schema { Terminal.out(say.row("cli.source.column", Terminal.plain(field))) }
            }
        }
    }

    /// - Parameter hasOwner: with whom to ask; where one source is shown that has a line of its own.
    static func line(_ source: SourceReport, _ say: Say, hasOwner: Bool = false) -> String {
        let isChinese = say.language == .zh
        let fresh = isChinese ? say.texts.text("sources.fresh.\(source.freshness)", .zh) : source.freshness
        return say(
            "cli.source.line",
            [
                "key": Terminal.plain(source.key),
                "kind": isChinese ? say.texts.text("sources.kind.\(source.kind)", .zh) : source.kind,
                "last": source.lastImport ?? say("cli.source.never"),
                "fresh": source.freshness.isEmpty ? "" : " (\(fresh))",
                "score": source.score.map { String(format: "%.1f", $0) } ?? "-", "held": "\(source.quarantined)",
                "owner": hasOwner
                    ? say("cli.source.owned", ["owner": source.owner.isEmpty ? "-" : Terminal.plain(source.owner)]) : "",
            ])
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
                let say = try Say(runtime.share)
                if isNew { Terminal.note(say("cli.source.new", ["key": Terminal.plain(key)])) }
                guard let source = try await service.sources().first(where: { $0.key == key }) else { return }
                if json { return try SourceShow.print(source) }
                Terminal.out(SourceShow.line(source, say))
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
                throw WrongUsage(Words(en: "--fresh-hours is a number of hours, or none", zh: "--fresh-hours 应为小时数或 none"))
            }
        }
        for pair in classify {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw WrongUsage(Words(en: "“\(pair)” is no COLUMN=CLASS", zh: "“\(pair)”不是 列=分级"))
            }
            change.classes.append((parts[0], parts[1]))
        }
        if let schema {
            try FileTrouble.checkFile(schema, isRegular: true)
            change.schema = try String(contentsOfFile: schema, encoding: .utf8)
        }
        let isEmpty =
            [name, kind, owner, freshHours, schema].allSatisfy { $0 == nil } && classify.isEmpty
        guard !isEmpty else {
            throw WrongUsage(
                Words(
                    en: "say what is to be set: --owner, --fresh-hours, --classify, ...",
                    zh: "请指定要设置的内容：--owner、--fresh-hours、--classify 等"))
        }
        return change
    }
}
