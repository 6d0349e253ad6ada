import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Platform
import Tabular

/// Tells what a file holds before anybody imports it; needs no database and writes nothing.
struct Profile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Profile a file: types, missing and distinct values, outliers, duplicates, broken text.",
        discussion: """
            Reads CSV, JSON Lines, JSON, XML and .xlsx, also in .gz or .zip. Values of columns that hold personal data are
            masked on the terminal and in JSON unless --values is given. Exit code 2 says that some rows cannot be read.
            """)
    @OptionGroup var reader: LanguageOption
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(
        name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .long, help: "utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252 (default: guessed).")
    var encoding: String?
    @Flag(name: .long, help: "Show values of personal columns.") var values = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let encoding = try encoding.map(Import.encoding)
            try FileTrouble.checkFile(file, isRegular: true)
            try ImportService.check(skipRows: skipRows)
            let bar = ProgressBar()
            let path = file, sheet = sheet, skipRows = skipRows
            let profile = try await OwnThread.run(
                first: 0, report: { if $0 > 0 { bar.show($0, 0, "rows") } },
                { box in try FileProfile.read(path, sheet: sheet, skipRows: skipRows, encoding: encoding) { try box.note($0) } })
            bar.finish()
            let shown = values ? profile : profile.masked()
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                Terminal.out(String(decoding: try encoder.encode(shown), as: UTF8.self))
            } else {
                let text = ProfileText(profile: shown, language: Terminal.language)
                for line in text.lines { Terminal.out(Terminal.plain(line)) }
            }
            if profile.unreadable > 0 { throw ExitCode(2) }
        }
    }
}
