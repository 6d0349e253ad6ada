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
                        Terminal.pick("Version", "版本") + " \(training.version) (\(Self.state(training.state))): AUC \(training.auc.rounded(4)), "
                            + Terminal.pick("log loss", "对数损失") + " \(training.logloss.rounded(4)), Brier \(training.brier.rounded(4)), "
                            + "ECE \(training.ece.rounded(4)), " + Terminal.pick("lift at 10 %", "前 10 % 提升度")
                            + " \(training.liftAt10.rounded(2))"
                    )
                    Terminal.out(
                        Terminal.pick(
                            "Learned from \(training.rows) customers, \(training.leavers) of whom left, \(training.features) columns, in \(training.seconds.rounded(1)) s",
                            "训练用客户 \(training.rows) 名，其中离网 \(training.leavers) 名，特征列 \(training.features) 个，用时 \(training.seconds.rounded(1)) 秒")
                    )
                    if !training.excluded.isEmpty {
                        Terminal.out(
                            Terminal.pick("Left out: ", "未使用的列：") + training.excluded.joined(separator: ", "))
                    }
                    if let scoring { Terminal.out(Self.text(scoring)) }
                }
            }
        }
    }

    /// As the page of models calls it.
    private static func state(_ code: String) -> String {
        guard Terminal.language == .zh, let say = try? Say() else { return code }
        return say("insights.state.\(code)")
    }

    private static func text(_ scoring: ScoringSummary) -> String {
        if scoring.superseded {
            return Terminal.pick(
                "A newer pass over the base has taken over; this one stopped.", "更新的一轮评分已接替，本轮已停止。")
        }
        let names = ["critical": "极高", "high": "高", "medium": "中", "low": "低"]
        let bands = ["critical", "high", "medium", "low"].compactMap { band in
            scoring.bands[band].map { Terminal.pick(band, names[band] ?? band) + " \($0)" }
        }
        return Terminal.pick(
            "Scored \(scoring.scored) customers in \(scoring.seconds.rounded(1)) s: ",
            "已为 \(scoring.scored) 名客户评分，用时 \(scoring.seconds.rounded(1)) 秒：") + bands.joined(separator: ", ")
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
