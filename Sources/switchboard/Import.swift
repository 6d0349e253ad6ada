import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Platform
import Tabular
import Web

/// Imports customers from a file, tries it first, or takes a run back.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import customers from CSV or JSON Lines.",
        discussion: """
            The mapping is proposed from the headers; --mapping names a mapping file, a shipped one (ibm-telco-churn) or a
            remembered one. Columns nobody mapped become custom attributes, hidden until they are labelled.
            Rejected rows are written beside the file (FILE.rejects.csv) with line, column and reason; exit code 2 says
            that there were some. A run that was stopped goes on with --resume RUN.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "CSV or JSON Lines file.") var file: String?
    @Option(name: .long, help: "Mapping: a file, or the name of a shipped or remembered one.") var mapping: String?
    @Option(name: .long, help: "Name of the source system, kept with the identifiers.") var source: String?
    @Option(name: .long, help: "Field that finds existing customers (source_id, msisdn, ...); empty: every row is new.")
    var matchKey: String?
    @Option(name: .long, help: "utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252 (default: guessed).")
    var encoding: String?
    @Option(name: .long, help: "Where rejected rows go (default: FILE.rejects.csv).") var rejects: String?
    @Flag(name: .long, help: "Count and check, change nothing.") var dryRun = false
    @Flag(name: .long, help: "Leave out columns nobody mapped.") var ignoreUnmapped = false
    @Option(name: .long, help: "Go on with a stopped run.") var resume: String?
    @Option(name: .long, help: "Take a run back.") var revert: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard [file, resume, revert].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("give exactly one of FILE, --resume RUN and --revert RUN")
        }
    }

    func run() async throws {
        try await Terminal.run {
            try await common.withTenant { runtime, tenant in
                let service = runtime.modules.imports(tenant, runtime.share)
                let principal = runtime.operatorPrincipal(tenant: tenant.name)
                let bar = ProgressBar()
                let progress: ImportService.CommandProgress = { done, total, words in
                    bar.show(Int(done), Int(total), words.en)
                }
                let report: ImportReport
                if let file {
                    report = try await service.importFile(
                        file, mapping: mapping, source: source, matchKey: matchKey, dryRun: dryRun,
                        encoding: try encoding.map(Self.encoding), rejects: rejects, ignoresUnmapped: ignoreUnmapped,
                        principal: principal, progress: progress)
                } else if let resume {
                    report = try await service.resume(
                        try Self.run(resume), rejects: rejects, principal: principal, progress: progress)
                } else {
                    report = try await service.revert(
                        try Self.run(revert ?? ""), principal: principal, progress: progress)
                }
                bar.end()
                try await runtime.settle(tenant)
                try Self.print(report, json: json)
                if report.rejected > 0 || report.issues > 0 { throw ExitCode(2) }
            }
        }
    }

    private static func run(_ text: String) throws -> ImportRunID {
        guard let id = ImportRunID(text) else { throw Complaint("“\(text)” is not the id of a run") }
        return id
    }

    private static func encoding(_ text: String) throws -> TextEncoding {
        guard let encoding = TextEncoding(rawValue: text.lowercased()) else {
            throw Complaint("unknown encoding “\(text)”")
        }
        return encoding
    }

    private static func print(_ report: ImportReport, json: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            Terminal.out(String(decoding: try encoder.encode(report), as: UTF8.self))
            return
        }
        for warning in report.warnings { Terminal.note("note: \(warning)") }
        let head = report.dryRun ? "Dry run (nothing was changed)" : "Run \(report.run): \(report.state)"
        Terminal.out(head)
        let seconds = (report.seconds * 10).rounded() / 10
        Terminal.out("  rows read   \(report.read)  in \(seconds) s")
        Terminal.out("  created     \(report.created)")
        Terminal.out("  updated     \(report.updated)")
        Terminal.out("  unchanged   \(report.unchanged)")
        Terminal.out("  rejected    \(report.rejected)")
        for reason in report.reasons {
            let column = reason.column.map { " in “\($0)”" } ?? ""
            Terminal.out(
                "    \(reason.count) x \(reason.code)\(column), first in line \(reason.firstLine): \(reason.reason)")
        }
        if let file = report.rejectFile { Terminal.out("  rejected rows: \(file)") }
        if report.issues > 0 {
            Terminal.out("  not undone  \(report.issues) (changed since; see the run in the console)")
        }
        if !report.dryRun, report.state == "succeeded" {
            Terminal.out("  undo with: switchboard import --revert \(report.run)")
        }
    }
}
