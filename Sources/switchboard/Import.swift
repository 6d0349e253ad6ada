import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Platform
import Storage
import Synchronization
import Tabular
import Web

/// Imports records from a file, tries it first, or takes a run back.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import customers, accounts, lines, bills, cases and more from CSV, Excel (.xlsx), JSON or XML, also gzipped or zipped.",
        discussion: """
            The mapping is proposed from the headers; --mapping names a mapping file, a shipped one (ibm-telco-churn) or a
            remembered one. Columns nobody mapped become custom attributes, hidden until they are labelled.
            Rejected rows are written beside the file (FILE.rejects.csv) with line, column and reason; exit code 2 says
            that there were some, 1 that the import failed, 74 that it is done but that file could not be written.
            A file that was imported before is refused (1) when no match key finds whom it made: --again takes it all the same. The
            id of the run is told at the start: a run that was stopped (Ctrl-C, or in the console) goes on with --resume RUN.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String?
    @Option(
        name: .long,
        help: """
            What the rows are: customer (default), accounts, account_roles, lines, bills, payments, outcomes, interactions, \
            survey_answers, cases or network_experience.
            """) var entity: String?
    @Option(name: .long, help: "Mapping: a file, or the name of a shipped or remembered one.") var mapping: String?
    @Option(name: .long, help: "Name of the source system, kept with the identifiers.") var source: String?
    @Option(name: .long, help: "Field that finds existing customers (source_id, msisdn, ...); empty: every row is new.")
    var matchKey: String?
    @Option(name: .long, help: "utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252 (default: guessed).")
    var encoding: String?
    @Option(
        name: .customLong("date-order"),
        help: "How dates are written where it could be read in two ways: dmy, mdy, ymd or roc, years of the Republic of China (default: as found in each column).")
    var dateOrder: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(name: .long, help: "Where rejected rows go (default: FILE.rejects.csv; with --resume in this folder).")
    var rejects: String?
    @Flag(name: .long, help: "Count and check, change nothing.") var dryRun = false
    @Flag(name: .long, help: "Leave out columns nobody mapped.") var ignoreUnmapped = false
    @Flag(name: .long, help: "Import a file a second time though no match key finds the records it made.")
    var again = false
    @Flag(
        name: .customLong("match"),
        help: "Compare new customers with known ones: the same person is linked, a doubtful pair waits for review.")
    var matches = false
    @Option(name: .long, help: "Go on with a stopped run.") var resume: String?
    @Option(name: .long, help: "Take a run back; with --dry-run only tell what that would do.") var revert: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard [file, resume, revert].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("give exactly one of FILE, --resume RUN and --revert RUN")
        }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            let encoding = try encoding.map(Self.encoding)
            let dateOrder = try dateOrder.map(Self.dateOrder)
            if let file { try FileTrouble.checkFile(file) }
            if let mapping, mapping.hasSuffix(".json") { try FileTrouble.checkFile(mapping, isRegular: true) }
            if let rejects { try FileTrouble.checkOutput(rejects) }
            try await common.withTenant(creates: file != nil) { runtime, tenant in
                let all = runtime.modules.imports(tenant, runtime.share)
                let service: ImportService
                do { service = try entity.map(all.on) ?? all } catch let error as CRMError {
                    throw WrongUsage(error.message.en)
                }
                let principal = runtime.operatorPrincipal(tenant: tenant.name)
                // What an earlier process did is not the doing of this one.
                var before = 0
                if let run = resume.flatMap({ ImportRunID($0) }) {
                    before = (try? await service.run(run))?.run.counts.read ?? 0
                }
                let bar = ProgressBar(base: before)
                let interrupt = Interrupt()
                let progress: ImportService.CommandProgress = { done, total, words in
                    bar.show(Int(done), Int(total), words.en)
                    if interrupt.isAsked { throw JobCancelled() }
                }
                let begun = { (run: ImportRunID) in
                    Terminal.note("run \(run)\(dryRun ? " (dry run)" : "")")
                }
                let report: ImportReport
                if let revert, dryRun {
                    return try Self.print(
                        try await service.previewRevert(try Self.run(revert), principal), json: json)
                }
                if let file {
                    do {
                        report = try await service.importFile(
                            file, mapping: mapping, source: source, matchKey: matchKey, dryRun: dryRun,
                            encoding: encoding, sheet: sheet, rejects: rejects,
                            ignoresUnmapped: ignoreUnmapped, dateOrder: dateOrder, matches: matches, again: again, principal: principal,
                            begun: begun, progress: progress)
                    } catch let error as CRMError where error.code == "unknown_match_key" {
                        throw WrongUsage(error.message.en)
                    }
                } else if let resume {
                    let run = try Self.run(resume)
                    begun(run)
                    report = try await service.resume(
                        run, rejects: rejects, principal: principal, progress: progress)
                } else {
                    let run = try Self.run(revert ?? "")
                    begun(run)
                    report = try await service.revert(
                        run, principal: principal, progress: progress)
                }
                if Self.isDone(report) { bar.finish() } else { bar.end() }
                try await runtime.settle(tenant)
                try Self.print(report, json: json)
                if let trouble = report.rejectFileError {
                    Terminal.note("switchboard: \(Terminal.plain(trouble.message))")
                    Terminal.note("             \(Terminal.plain(trouble.message_zh))")
                    if Self.isDone(report) { throw ExitCode(74) }
                }
                if let code = Self.exitCode(report) { throw code }
            }
        }
    }

    private static func isDone(_ report: ImportReport) -> Bool {
        report.state != "failed" && report.state != "cancelled"
    }

    /// 1: it did not come to its end; 2: some rows were refused or some values not taken back; `nil`: all is done.
    private static func exitCode(_ report: ImportReport) -> ExitCode? {
        if report.state == "failed" || report.state == "cancelled" { return ExitCode(1) }
        if report.dryRun, report.state != "ready" { return ExitCode(1) }
        // Rows that the import refused are no trouble of taking it back.
        let left = report.isRevert ? report.issues : report.rejected + report.quarantined
        return left > 0 ? ExitCode(2) : nil
    }

    private static func run(_ text: String) throws -> ImportRunID {
        guard let id = ImportRunID(text) else { throw Complaint("“\(text)” is not the id of a run") }
        return id
    }

    private static func dateOrder(_ text: String) throws -> DateOrder {
        guard let order = DateOrder(rawValue: text.lowercased()) else {
            throw WrongUsage("--date-order is dmy, mdy, ymd or roc, not “\(text)”")
        }
        return order
    }

    static func encoding(_ text: String) throws -> TextEncoding {
        guard let encoding = TextEncoding(rawValue: text.lowercased()) else {
            throw WrongUsage(
                "there is no encoding “\(text)”; encodings: "
                    + TextEncoding.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return encoding
    }

    private static func delimiter(_ text: String) -> String {
        switch text {
        case "\t": "tabs"
        case " ": "spaces"
        default: "“\(Terminal.plain(text))”"
        }
    }

    /// What goes with the customers of a run, a line each.
    private static func tied(_ ties: ImportTies) -> [String] {
        [
            (ties.links, "links to other customers"), (ties.decisions, "decisions of people about pairs"),
            (ties.waiting, "pairs that wait for a person"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    }

    /// What taking a run back would do.
    private static func print(_ preview: RevertPreview, json: Bool) throws {
        if json { return try SourceShow.print(preview) }
        Terminal.out("Taking back run \(preview.run) (nothing was changed)")
        Terminal.out("  created     \(preview.created)  (would be removed unless they were changed since)")
        Terminal.out("  updated     \(preview.updated)  (would get their values back)")
        for line in tied(preview.ties) { Terminal.out("  taken back  \(line)") }
        Terminal.out("  do it with: switchboard import --revert \(preview.run)")
    }

    private static func print(_ report: ImportReport, json: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            Terminal.out(String(decoding: try encoder.encode(report), as: UTF8.self))
            return
        }
        for warning in report.warnings { Terminal.note("note: \(Terminal.plain(warning))") }
        let head = report.dryRun ? "Dry run (nothing was changed)" : "Run \(report.run): \(report.state)"
        Terminal.out(head)
        if report.entity != "customer" { Terminal.out("  records     \(report.entity)") }
        let what = report.entity == "customer" ? "customers" : "they"
        let key =
            report.matchKey.map { ", \(what) are found by \($0)" }
            ?? (report.entity == "account_roles" ? ", they are found by account, party and role" : ", every row is new")
        Terminal.out("  source      \(Terminal.plain(report.source))\(key)")
        if !report.isRevert {
            let guess =
                report.encodingGuessed && report.encoding != "utf-8" ? " (guessed; --encoding names another)" : ""
            let delimiter = report.delimiter.map { ", fields are separated by \(Self.delimiter($0))" } ?? ""
            if let last = report.containers.last {
                let sheet = report.sheet.map { ", sheet “\(Terminal.plain($0))”" } ?? ""
                Terminal.out("  unpacked    \(report.containers.joined(separator: ", "))\(sheet)")
                if ["gzip", "zip"].contains(last) {
                    Terminal.out("  encoding    \(report.encoding)\(guess)\(delimiter)")
                }
            } else {
                Terminal.out("  encoding    \(report.encoding)\(guess)\(delimiter)")
            }
        }
        let seconds = (report.seconds * 10).rounded() / 10
        Terminal.out("  rows read   \(report.read)  in \(seconds) s")
        Terminal.out("  created     \(report.created)")
        Terminal.out("  updated     \(report.updated)")
        Terminal.out("  unchanged   \(report.unchanged)")
        let would = report.dryRun ? "would be " : ""
        if let linked = report.linked {
            Terminal.out("  linked      \(linked)  (\(would)shown with a customer known before)")
        }
        if let review = report.review {
            Terminal.out("  to review   \(review)  (\(would)in the console under Duplicates)")
        }
        if let apart = report.apart { Terminal.out("  apart       \(apart)  (new, and like nobody known)") }
        Terminal.out("  rejected    \(report.rejected)")
        if report.quarantined > 0 {
            Terminal.out("  quarantined \(report.quarantined) (wait under Quarantine in the console)")
        }
        if report.skipped > 0 { Terminal.out("  skipped     \(report.skipped)") }
        for found in report.findings.prefix(10) where found.failed + found.fixed > 0 {
            let fixed = found.fixed > 0 ? ", \(found.fixed) repaired" : ""
            Terminal.out(
                "  rule \(found.rule) on \(found.field): \(found.failed) of \(found.checked) fail\(fixed) (\(found.severity))"
            )
        }
        for reason in report.reasons {
            let column = reason.column.map { " in “\(Terminal.plain($0))”" } ?? ""
            Terminal.out(
                "    \(reason.count) x \(reason.code)\(column), first in line \(reason.firstLine): \(Terminal.plain(reason.reason))"
            )
        }
        if report.dryRun { for line in ImportTable.lines(report) { Terminal.out(line) } }
        if let file = report.rejectFile { Terminal.out("  rejected rows: \(Terminal.plain(file))") }
        if report.isRevert { for line in tied(report.undone) { Terminal.out("  taken back  \(line)") } }
        if report.issues > 0 {
            Terminal.out("  not undone  \(report.issues)")
        }
        if !report.dryRun, !report.isRevert, report.state == "failed" || report.state == "cancelled" {
            // To go on would refuse the rest as well.
            Terminal.out(
                report.read > 0 && report.rejected == report.read
                    ? "  nothing was taken in: mend the mapping or the file, and import it again"
                    : "  go on with: switchboard import --resume \(report.run)")
        }
        if report.isRevert, report.state != "reverted" {
            Terminal.out("  go on with: switchboard import --revert \(report.run)")
        }
        if !report.dryRun, report.state == "succeeded" {
            Terminal.out("  undo with: switchboard import --revert \(report.run)")
        }
    }
}

/// What becomes of each column, beside the first rows as they would be stored.
enum ImportTable {
    private static let widthMax = 28

    static func lines(_ report: ImportReport) -> [String] {
        let samples = report.samples ?? []
        let head = ["column", "becomes"] + samples.map { "line \($0.line)" }
        let rows = report.mapping.map { column in
            [column.column, becomes(column)]
                + samples.map { column.target == "ignore" ? "" : $0.values[column.column] ?? "-" }
        }
        let cells = ([head] + rows).map { $0.map { TerminalText.cut(Terminal.plain($0), to: widthMax) } }
        let widths = head.indices.map { index in cells.map { TerminalText.width($0[index]) }.max() ?? 0 }
        return cells.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - TerminalText.width($0)) }
            let line = "  " + padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func becomes(_ column: ImportReport.Column) -> String {
        switch column.target {
        case "field": column.title ?? ""
        case "attribute":
            "attribute (\(column.kind ?? "text"))" + (column.title == column.column ? "" : " \(column.title ?? "")")
        default: "ignored"
        }
    }
}

/// Ctrl-C between two chunks: the first asks the command to stop there, a second one ends it at once.
final class Interrupt: @unchecked Sendable {
    private let asked = Mutex(false)
    private let source: any DispatchSourceSignal

    init() {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [weak self] in self?.ask() }
        source.resume()
    }

    var isAsked: Bool { asked.withLock { $0 } }

    private func ask() {
        let again = asked.withLock { was in
            defer { was = true }
            return was
        }
        guard !again else { _exit(130) }
        Terminal.note("\nstopping behind the present rows; Ctrl-C again ends at once")
    }
}
