import App
import ArgumentParser
import Customers
import Foundation
import Ingest
import Kernel
import Platform
import Storage
import Tabular
import Usage
import Web

/// Usage events: calls, messages and data as they were used.
struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Usage events: calls, messages and data, into days and months.",
        subcommands: [UsageImport.self, UsageExportCommand.self, UsageRate.self, UsageTariff.self])
}

/// Takes the events of a file.
struct UsageImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take usage events from CSV, Excel (.xlsx), JSON or XML, also gzipped or zipped.",
        discussion: """
            Columns are found by their names; --map names others (id, number or line, start, kind, seconds, minutes, bytes,
            megabytes, version, cancel, roaming, country, dropped, speed, cell). An event is one within --source and kind by its
            id: one that came before counts as duplicate, a higher version corrects it. The same file given again goes on where
            it was stopped, or takes nothing. Events of lines nobody knows wait 45 days for their customer. Exit code 2 says
            that some rows were refused.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String
    @Option(name: .long, help: "Name of the source; ids are unique within it.") var source: String
    @Option(name: .long, help: "voice, sms, data or auto (told by the columns).") var kind = "auto"
    @Option(name: .long, help: "FIELD=COLUMN, once for each column that is not found by its name.") var map: [String] = []
    @Option(name: .long, help: "Source whose customer ids the line column holds (default: that of the events).")
    var lines: String?
    @Option(name: .long, help: "dmy or mdy, for dates like 03/05/2024 (default: told by the first rows).")
    var dateOrder: String?
    @Option(name: .long, help: "utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252 (default: guessed).")
    var encoding: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(
        name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .long, help: ArgumentHelp("Rows of one transaction, 1 to 200000.", visibility: .hidden))
    var chunk = UsageService.chunkMax
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let options = try options()
            try FileTrouble.checkFile(file)
            try await common.withTenant { runtime, tenant in
                if let lines { try await tenant.database.read { try CustomerUsage.checkSource(lines, $0) } }
                let bar = ProgressBar()
                let interrupt = Interrupt()
                let report = try await runtime.modules.usage(tenant).importFile(
                    file, options, principal: runtime.operatorPrincipal(tenant: tenant.name)
                ) { done, total, words in
                    bar.show(Int(done), Int(total), words[Terminal.language])
                    if interrupt.isAsked { throw JobCancelled() }
                }
                if report.state == "succeeded" { bar.finish() } else { bar.end() }
                try Self.print(report, json: json, try Say(runtime.share))
                if report.state != "succeeded" { throw ExitCode(1) }
                if report.rejected > 0 { throw ExitCode(2) }
            }
        }
    }

    private func options() throws -> UsageFileOptions {
        var options = UsageFileOptions(source: source)
        if kind != "auto" {
            guard let named = UsageKind(name: kind) else {
                throw WrongUsage(
                    Words(en: "there is no kind “\(kind)”; kinds: voice, sms, data, auto", zh: "没有类型“\(kind)”，可用：voice、sms、data、auto"))
            }
            options.kind = named
        }
        for pair in map {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let field = UsageMapping.Field(rawValue: parts[0]) else {
                let all = UsageMapping.Field.allCases.map(\.rawValue).joined(separator: ", ")
                throw WrongUsage(
                    Words(en: "“\(pair)” is no FIELD=COLUMN; fields: \(all)", zh: "“\(pair)”不是 字段=列；字段：\(all)"))
            }
            options.columns[field] = parts[1]
        }
        if let dateOrder {
            guard let order = DateOrder(rawValue: dateOrder), [.dayMonthYear, .monthDayYear].contains(order) else {
                throw WrongUsage(Words(en: "--date-order is dmy or mdy", zh: "--date-order 应为 dmy 或 mdy"))
            }
            options.dateOrder = order
        }
        options.lineSource = lines
        guard (1...UsageService.chunkMax).contains(chunk) else {
            throw WrongUsage("--chunk is 1 to \(UsageService.chunkMax)")
        }
        options.chunkMax = chunk
        options.sheet = sheet
        try ImportService.check(skipRows: skipRows)
        options.skipRows = skipRows
        options.encoding = try encoding.map(Import.encoding)
        return options
    }

    private static func print(_ report: UsageReport, json: Bool, _ say: Say) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Terminal.out(String(decoding: try encoder.encode(report), as: UTF8.self))
        }
        let state = say.language == .zh ? say.texts.text("usage.state.\(report.state)", .zh) : report.state
        Terminal.out(
            say(report.resumed ? "cli.usage.run.resumed" : "cli.usage.run", ["run": report.run, "state": state]))
        let columns = report.columns.sorted { $0.key < $1.key }.map { "\($0.key)=\(Terminal.plain($0.value))" }
        let all = report.kind.map { say("cli.usage.all", ["kind": $0]) } ?? ""
        Terminal.out(say.row("cli.usage.columns", columns.joined(separator: ", ") + all))
        let rate = report.seconds > 0 ? Int(Double(report.read) / report.seconds) : 0
        let seconds = "\((report.seconds * 10).rounded() / 10)"
        Terminal.out(
            say.row(
                "cli.usage.read",
                say("cli.usage.read.in", ["events": "\(report.read)", "seconds": seconds, "rate": "\(rate)"])))
        Terminal.out(say.row("cli.usage.taken", "\(report.taken)"))
        Terminal.out(say.row("cli.usage.duplicate", "\(report.duplicate)"))
        Terminal.out(say.row("cli.usage.corrected", "\(report.corrected)"))
        Terminal.out(say.row("cli.usage.cancelled", "\(report.cancelled)"))
        Terminal.out(say.row("cli.usage.unmatched", "\(report.unmatched)"))
        Terminal.out(say.row("cli.usage.rejected", "\(report.rejected)"))
        for reason in report.reasons {
            let values = [
                "count": "\(reason.count)", "code": say.pick(reason.code, UsageWords.title(reason.code)), "column": Terminal.plain(reason.column),
                "line": "\(reason.firstLine)", "reason": say.pick(UsageWords.reject(reason.code)),
            ]
            Terminal.out(say(reason.column.isEmpty ? "cli.import.reason" : "cli.import.reason.column", values))
        }
        if report.state == "cancelled" { Terminal.out(say("cli.usage.again")) }
    }
}

/// Writes what did not get in as CSV.
struct UsageExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write events that wait for their line, or rows that were refused, as CSV.",
        discussion: """
            unmatched: events whose line nobody knows yet; they are counted by themselves when a customer with the line appears,
            and let go after 45 days. rejected: rows of files that could not be read, with line, column and reason; the first
            10,000 of a file, for 90 days. The export is recorded in the audit log.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "unmatched or rejected.") var what: String
    @Option(name: .customLong("run"), help: "Of this run only; the number that usage import printed.")
    var ofRun: String?
    @Option(name: .long, help: "File to write (default: standard output).") var out: String?

    func run() async throws {
        try await Terminal.run(json: false) {
            guard let kind = UsageExport.Kind(rawValue: what) else {
                throw WrongUsage(Words(en: "what is exported is unmatched or rejected", zh: "可导出的是 unmatched 或 rejected"))
            }
            let id = try ofRun.map { text in
                guard let id = UsageRunID(text) else {
                    throw WrongUsage(Words(en: "“\(text)” is no number of a run", zh: "“\(text)”不是导入编号"))
                }
                return id
            }
            if let out { try FileTrouble.checkOutput(out) }
            try await common.withTenant { runtime, tenant in
                let principal = runtime.operatorPrincipal(tenant: tenant.name)
                let pieces = try await runtime.modules.usage(tenant).export(kind, run: id, principal: principal)
                guard let out else {
                    while let bytes = try await pieces() { Terminal.raw(bytes) }
                    return
                }
                FileManager.default.createFile(atPath: out, contents: nil)
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: out))
                while let bytes = try await pieces() { try handle.write(contentsOf: Data(bytes)) }
                try handle.close()
            }
        }
    }
}
