import App
import ArgumentParser
import Insights
import Kernel
import Platform
import Web

/// Learns who leaves and scores everybody, in this process.
struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train the churn model and score the base.",
        discussion:
            "A version that is clearly worse than the one in use is kept as ready; a person decides under Models.")
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "Folds of the cross-validation, 2...20.") var folds = 5
    @Option(name: .long, help: "Seed of folds and trees.") var seed: UInt64 = 1
    @Flag(name: .long, help: "Only score, with the model in use.") var scoreOnly = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard (2...20).contains(folds) else { throw ValidationError("--folds must be 2...20") }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant { runtime, tenant in
                let principal = runtime.operatorPrincipal(tenant: tenant.name, purpose: .analysis)
                let bar = ProgressBar()
                let report: RunReport = { done, total, words in bar.show(Int(done), Int(total), words.en) }
                let insights = runtime.modules.insights
                if scoreOnly {
                    let scoring = try await insights.score(tenant: tenant, principal: principal, report: report)
                    bar.finish()
                    try await runtime.settle(tenant)
                    Terminal.out(json ? JSONValue.object(scoring.json).encoded() : Self.text(scoring))
                    return
                }
                let (training, scoring) = try await insights.train(
                    TrainingRequest(folds: folds, seed: seed), tenant: tenant, principal: principal, report: report)
                bar.finish()
                try await runtime.settle(tenant)
                if json {
                    var fields = training.json
                    if let scoring { fields["scoring"] = .object(scoring.json) }
                    Terminal.out(JSONValue.object(fields).encoded())
                } else {
                    Terminal.out(
                        "Version \(training.version) (\(training.state)): AUC \(training.auc.rounded(4)), "
                            + "log loss \(training.logloss.rounded(4)), Brier \(training.brier.rounded(4)), "
                            + "ECE \(training.ece.rounded(4)), lift at 10 % \(training.liftAt10.rounded(2))"
                    )
                    Terminal.out(
                        "Learned from \(training.rows) customers, \(training.leavers) of whom left, \(training.features) columns, in \(training.seconds.rounded(1)) s"
                    )
                    if !training.excluded.isEmpty {
                        Terminal.out("Left out: " + training.excluded.joined(separator: ", "))
                    }
                    if let scoring { Terminal.out(Self.text(scoring)) }
                }
            }
        }
    }

    private static func text(_ scoring: ScoringSummary) -> String {
        if scoring.superseded { return "A newer pass over the base has taken over; this one stopped." }
        let bands = ["critical", "high", "medium", "low"].compactMap { band in
            scoring.bands[band].map { "\(band) \($0)" }
        }
        return "Scored \(scoring.scored) customers in \(scoring.seconds.rounded(1)) s: " + bands.joined(separator: ", ")
    }
}

extension Double {
    /// With this many decimals at most.
    func rounded(_ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        return "\((self * scale).rounded() / scale)"
    }
}
