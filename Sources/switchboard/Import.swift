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
            Columns that nothing became of are named at the end; --headings lists what is understood. A mapping file is JSON:
            {"source": "billing", "matchKey": "source_id", "create": true, "update": true, "matches": false,
             "unlisted": "ignore" (default: "attribute"), "columns": [{"column": "客户号", "to": "source_id"},
             {"column": "出生", "to": "birth_date", "dateOrder": "dmy"}, {"column": "性别", "to": "gender", "values": {"1": "male"}},
             {"column": "分群", "to": "attribute", "kind": "text"}, {"column": "备用", "to": "ignore"}]}
            "to" is a field as --headings names it; docs/imports.md tells the rest.
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
    @Option(name: .long, help: "Name of the source system, kept with the identifiers (default: by the file's name).") var source: String?
    @Option(name: .long, help: "Field that finds existing customers (source_id, msisdn, ...); empty: every row is new. With --match only source_id is proposed.")
    var matchKey: String?
    @Option(name: .long, help: "utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252 (default: guessed).")
    var encoding: String?
    @Option(
        name: .customLong("date-order"),
        help: "How dates are written where it could be read in two ways: dmy, mdy, ymd or roc, years of the Republic of China (default: as found in each column).")
    var dateOrder: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(
        name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .long, help: "Where rejected rows go (default: FILE.rejects.csv, of a dry run nowhere; with --resume in this folder).")
    var rejects: String?
    @Flag(name: .long, help: "Count and check, change nothing.") var dryRun = false
    @Flag(name: .long, help: "With --dry-run: show values of personal columns.") var values = false
    @Flag(name: .long, help: "Leave out columns nobody mapped.") var ignoreUnmapped = false
    @Flag(name: .long, help: "Import a file a second time though no match key finds the records it made.")
    var again = false
    @Flag(
        name: .customLong("match"), inversion: .prefixedNo,
        help: """
            Compare new customers with known ones: the same person is linked, a doubtful pair waits for review (default: as the last \
            import of the source did).
            """)
    var matches: Bool?
    @Option(name: .long, help: "Go on with a stopped run.") var resume: String?
    @Option(name: .long, help: "Take a run back; with --dry-run only tell what that would do.") var revert: String?
    @Option(name: .long, help: "Tell what became of a run, also of the rows it held back; changes nothing.") var show: String?
    @Flag(name: .long, help: "List the headings that are understood, of the records of --entity or of all; needs no installation.")
    var headings = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard [file, resume, revert, show].count(where: { $0 != nil }) + (headings ? 1 : 0) == 1 else {
            throw ValidationError("give exactly one of FILE, --resume RUN, --revert RUN, --show RUN and --headings")
        }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            if headings { return try printHeadings() }
            let encoding = try encoding.map(Self.encoding)
            let dateOrder = try dateOrder.map(Self.dateOrder)
            if let file { try FileTrouble.checkFile(file) }
            if let mapping, mapping.hasSuffix(".json") { try FileTrouble.checkFile(mapping, isRegular: true) }
            if let rejects { try FileTrouble.checkOutput(rejects) }
            try await common.withTenant(creates: file != nil) { runtime, tenant in
                let all = runtime.modules.imports(tenant, runtime.share)
                let service: ImportService
                do { service = try entity.map(all.on) ?? all } catch let error as CRMError {
                    throw WrongUsage(error.message)
                }
                let say = try Say(runtime.share)
                let principal = runtime.operatorPrincipal(tenant: tenant.name)
                // What an earlier process did is not the doing of this one.
                var before = 0
                if let run = resume.flatMap({ ImportRunID($0) }) {
                    before = (try? await service.run(run))?.run.counts.read ?? 0
                }
                let bar = ProgressBar(base: before)
                let interrupt = Interrupt()
                let progress: ImportService.CommandProgress = { done, total, words in
                    bar.show(Int(done), Int(total), say.pick(words))
                    if interrupt.isAsked { throw JobCancelled() }
                }
                let begun = { (run: ImportRunID) in
                    Terminal.note(say(dryRun ? "cli.import.begun.dry" : "cli.import.begun", ["run": "\(run)"]))
                }
                let report: ImportReport
                if let revert, dryRun {
                    let preview = try await service.previewRevert(try Self.run(revert), principal)
                    if json { return try SourceShow.print(preview) }
                    return ImportPrint(say: say).preview(preview)
                }
                if let show {
                    let found = try await service.show(try Self.run(show), principal: principal)
                    let shown = values ? found : found.masked()
                    if json { return try SourceShow.print(shown) }
                    return ImportPrint(say: say).report(shown)
                }
                if let file {
                    do {
                        report = try await service.importFile(
                            file, mapping: mapping, source: source, matchKey: matchKey, dryRun: dryRun,
                            encoding: encoding, sheet: sheet, skipRows: skipRows, rejects: rejects,
                            ignoresUnmapped: ignoreUnmapped, dateOrder: dateOrder, matches: matches,
                            again: again, principal: principal,
                            begun: begun, progress: progress)
                    } catch let error as CRMError where error.code == "unknown_match_key" {
                        throw WrongUsage(error.message)
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
                let shown = values ? report : report.masked()
                if json { try SourceShow.print(shown) } else { ImportPrint(say: say).report(shown) }
                if let trouble = report.rejectFileError {
                    Terminal.complain(Words(en: trouble.message, zh: trouble.message_zh))
                    if Self.isDone(report) { throw ExitCode(74) }
                }
                if let code = Self.exitCode(report) { throw code }
            }
        }
    }

    private func printHeadings() throws {
        let runtime = try common.runtime()
        var all = try runtime.modules.headings(runtime.share, clock: SystemClock())
        if let entity {
            guard let one = all.first(where: { $0.entity == entity }) else {
                let names = all.map(\.entity).joined(separator: ", ")
                throw WrongUsage(
                    Words(
                        en: "“\(entity)” cannot be imported. Choose one of: \(names).", zh: "不能导入“\(entity)”，可选：\(names)。"))
            }
            all = [one]
        }
        if json { return try SourceShow.print(all) }
        let say = try Say(runtime.share)
        for kind in all { for line in kind.lines(say.texts, say.language) { Terminal.out(line) } }
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
        guard let id = ImportRunID(text) else { throw Complaint(Words(en: "“\(text)” is not the id of a run", zh: "“\(text)”不是导入的编号")) }
        return id
    }

    private static func dateOrder(_ text: String) throws -> DateOrder {
        guard let order = DateOrder(rawValue: text.lowercased()) else {
            throw WrongUsage(
                Words(en: "--date-order is dmy, mdy, ymd or roc, not “\(text)”", zh: "--date-order 应为 dmy、mdy、ymd 或 roc，不能是“\(text)”"))
        }
        return order
    }

    static func encoding(_ text: String) throws -> TextEncoding {
        guard let encoding = TextEncoding(rawValue: text.lowercased()) else {
            let all = TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")
            throw WrongUsage(
                Words(en: "there is no encoding “\(text)”; encodings: \(all)", zh: "没有编码“\(text)”，可用：\(all)"))
        }
        return encoding
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
        Terminal.note(
            Words(
                en: "\nstopping behind the present rows; Ctrl-C again ends at once",
                zh: "\n将在当前行之后停止；再次按 Ctrl-C 立即结束")[Terminal.language])
    }
}
