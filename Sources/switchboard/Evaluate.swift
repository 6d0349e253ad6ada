import App
import ArgumentParser
import Foundation
import Insights
import Kernel
import Web

/// Evaluates how well an outcome can be predicted from any extract; needs no database.
struct Evaluate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cross-validate a churn model on any CSV or JSON Lines extract.",
        discussion: """
            Columns that give the answer away (copies of the outcome, fields filled only for leavers, scores computed from
            it) are found and left out, with the reason. Probabilities are calibrated on other folds than they are judged on.
            """)
    @Argument(help: "CSV or JSON Lines file.") var file: String
    @Option(name: .long, help: "Column that says whether the customer left.") var label: String
    @Option(name: .long, help: "Its value for those who left (default: recognised, as Yes, 1, true, 是).") var positive:
        String?
    @Option(name: .long, help: "Column that names the customer; not learned from.") var id: String?
    @Option(name: .long, help: "Folds, 2...20.") var folds = 5
    @Option(name: .long, help: "Seed of folds and trees.") var seed: UInt64 = 1
    @Flag(name: .long, help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (2...20).contains(folds) else { throw ValidationError("--folds must be 2...20") }
    }

    func run() async throws {
        try await Terminal.run {
            let bar = ProgressBar()
            let result = try await Insights.evaluateFile(
                Insights.EvaluationRequest(
                    path: file, label: label, positive: positive, identifier: id, folds: folds, seed: seed)
            ) { done, total, words in bar.show(Int(done), Int(total), words.en) }
            bar.end()
            Terminal.out(json ? result.json.encoded() : result.text(Self.language))
        }
    }

    /// The language of the terminal.
    private static var language: Language {
        let environment = ProcessInfo.processInfo.environment
        let locale = environment["LC_ALL"] ?? environment["LC_MESSAGES"] ?? environment["LANG"] ?? ""
        return locale.hasPrefix("zh") ? .zh : .en
    }
}
