import App
import ArgumentParser
import Foundation
import Ingest
import Insights
import Kernel
import Web

/// Evaluates how well an outcome can be predicted from any extract; needs no database.
struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cross-validate a churn model on any extract: CSV, JSON, XML or .xlsx.",
        discussion: """
            Columns that give the answer away (copies of the outcome, fields filled only for leavers, scores computed from
            it) are found and left out, with the reason. Probabilities are calibrated on other folds than they are judged on.
            With --json standard output is exactly one JSON object, {"error": {"code", "message", "message_zh"}} when it fails.
            """)
    @Argument(help: "CSV, JSON, XML or .xlsx file, or one of them in .gz or .zip.") var file: String
    @Option(name: .long, help: "Column that says whether the customer left.") var label: String
    @Option(name: .long, help: "Its value for those who left (default: recognised, as Yes, 1, true, 是).") var positive:
        String?
    @Option(name: .long, help: "Column that names the customer; not learned from.") var id: String?
    @Option(name: .long, help: "Sheet of a workbook, by name or number (default: the first that has rows).")
    var sheet: String?
    @Option(
        name: .long, help: "Rows above the heading (default: a title is found and skipped; 0: the first row is it).")
    var skipRows: Int?
    @Option(name: .long, help: "Folds, 2...20.") var folds = 5
    @Option(name: .long, help: "Seed of folds and trees.") var seed: UInt64 = 1
    @Option(name: .long, help: "CSV file to write the out-of-fold probabilities to, one row a labelled row.")
    var predictions: String?
    @Flag(name: .long, help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (2...20).contains(folds) else { throw ValidationError("--folds must be 2...20") }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            try FileTrouble.checkFile(file, isRegular: true)
            try ImportService.check(skipRows: skipRows)
            if let predictions { try FileTrouble.checkOutput(predictions) }
            let bar = ProgressBar()
            let result: FileEvaluation
            do {
                result = try await Insights.evaluateFile(
                    Insights.EvaluationRequest(
                        path: file, label: label, positive: positive, identifier: id, folds: folds, seed: seed,
                        predictions: predictions, sheet: sheet, skipRows: skipRows)
                ) { done, total, words in bar.show(Int(done), Int(total), words.en) }
            } catch {
                bar.end()
                throw error
            }
            bar.finish()
            Terminal.out(json ? result.json.encoded() : result.text(Terminal.language))
            // Rows were left out: done, but not of everything.
            if result.rejects > 0 || result.isCut { throw ExitCode(2) }
        }
    }
}
