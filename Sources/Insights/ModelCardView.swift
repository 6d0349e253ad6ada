import Compute
import Kernel
import Platform
import Web

/// The figures, curves and columns of a model card as the template wants them.
struct ModelCardView {
    let card: ModelCard
    let titles: [String: Words]
    let call: Call
    private static let importanceShown = 20

    private var report: EvaluationReport { card.report }
    private var language: Language { call.language }

    var view: View {
        let strongest = report.importance.first?.weight ?? 1
        return [
            "baseRate": .text(Figures.percent(report.baseRate)),
            "stayed": .text(
                Figures.count(report.rows - report.positives)),
            "unknown": .text(report.rowsWithoutLabel > 0 ? Figures.count(report.rowsWithoutLabel) : nil),
            "unknownCountedAsStayed": .bool(card.unknownCountedAsStayed), "sampled": .bool(card.sampled),
            "duplicates": .text(report.duplicateRows > 0 ? Figures.count(report.duplicateRows) : nil),
            "calibrator": .text(calibrator), "encoded": .text(String(report.encodedFeatures)),
            "seconds": .text(Figures.decimal(report.seconds, 1)),
            "eceRaw": .text(Figures.decimal(report.eceRaw, 3)),
            "calibrationJSON": .text(calibration.encoded()), "liftJSON": .text(lift.encoded()),
            "rocJSON": .text(roc.encoded()), "histogramJSON": .text(histogram.encoded()),
            "mediumFrom": .text(Figures.percent(card.bands.medium, 0)),
            "highFrom": .text(Figures.percent(card.bands.high, 0)),
            "criticalFrom": .text(Figures.percent(card.bands.critical, 0)),
            "decision": .bool(card.decision != nil),
            "decisionVersion": .text(card.decision.map { String($0.version) }),
            "decisionRows": .text(card.decision.map { Figures.count($0.comparison.rows) }),
            "decisionNew": .text(card.decision.map { Figures.decimal($0.comparison.auc, 3) }),
            "decisionOld": .text(card.decision?.comparison.championAUC.map { Figures.decimal($0, 3) }),
            "decisionError": .text(card.decision.map { Figures.decimal($0.comparison.standardError, 3) }),
            "decisionUnseen": .bool(card.decision?.comparison.basis == .unseen),
            "decisionRefitted": .bool(card.decision?.comparison.basis == .refitted),
            "decisionUnusable": .bool(card.decision?.comparison.basis == .unusable),
            "decisionTakesOver": .bool(card.decision?.takesOver ?? false),
            "hasExcluded": .bool(!report.excluded.isEmpty), "excludedCount": .text(String(report.excluded.count)),
            "excluded": .list(
                report.excluded.map {
                    [
                        "column": .text(title($0.column)),
                        "code": .text($0.column == title($0.column) ? nil : $0.column),
                        "reason": .text(language == .zh ? $0.reasonZh : $0.reason), "leak": .bool($0.code.isLeak),
                    ]
                }),
            "hasSuspects": .bool(!report.suspects.isEmpty),
            "suspects": .list(report.suspects.map { ["suspect": .text($0.text.words[language])] }),
            "importance": .list(
                report.importance.prefix(Self.importanceShown).map {
                    [
                        "column": .text(title($0.column)),
                        "width": .text(Figures.width($0.weight / max(strongest, 1e-9))),
                        "weight": .text(Figures.decimal($0.weight, 2)),
                    ]
                }),
            "moreColumns": .text(
                report.importance.count > Self.importanceShown
                    ? String(report.importance.count - Self.importanceShown) : nil),
            "perFold": .list(
                report.perFold.enumerated().map { index, fold in
                    [
                        "fold": .text(String(index + 1)), "foldAUC": .text(Figures.decimal(fold.auc, 3)),
                        "foldRows": .text(Figures.count(fold.rows)),
                        "foldLeavers": .text(Figures.count(fold.positives)),
                        "trees": .text(String(fold.trees)), "depth": .text(String(fold.depth)),
                    ]
                }),
        ]
    }

    /// All names the template knows, for a version without a card.
    static let none: View = [
        "baseRate": .absent, "stayed": .absent, "unknown": .absent, "unknownCountedAsStayed": false, "sampled": false,
        "duplicates": .absent, "calibrator": .absent, "encoded": .absent, "seconds": .absent, "eceRaw": .absent,
        "calibrationJSON": .absent, "liftJSON": .absent, "rocJSON": .absent, "histogramJSON": .absent,
        "mediumFrom": .absent, "highFrom": .absent, "criticalFrom": .absent, "hasExcluded": false,
        "excludedCount": .absent, "excluded": .list([]), "hasSuspects": false, "suspects": .list([]),
        "importance": .list([]), "moreColumns": .absent, "perFold": .list([]), "decision": false,
        "decisionVersion": .absent, "decisionRows": .absent, "decisionNew": .absent, "decisionOld": .absent,
        "decisionError": .absent, "decisionUnseen": false, "decisionRefitted": false, "decisionUnusable": false,
        "decisionTakesOver": false,
    ]

    /// The folds may have chosen different ones.
    private var calibrator: String {
        let words = [
            "none": Words(en: "not needed", zh: "无需校准"), "platt": Words(en: "Platt scaling", zh: "Platt 校准"),
            "beta": Words(en: "beta calibration", zh: "Beta 校准"),
            "isotonic": Words(en: "isotonic regression", zh: "保序回归"),
        ]
        return report.calibrator.split(separator: ", ").map { words[String($0)]?[language] ?? String($0) }
            .joined(separator: language == .zh ? "、" : ", ")
    }

    private func title(_ column: String) -> String { titles[column]?[language] ?? column }

    private func axis(_ key: String, _ format: String) -> JSONValue {
        .object(["title": .string(call.text(key)), "format": .string(format)])
    }

    // MARK: Charts

    private var calibration: JSONValue {
        .object([
            "summary": .string(call.text("insights.chart.calibration.summary")),
            "points": .array(
                report.calibration.map {
                    .object([
                        "predicted": .double($0.predicted), "observed": .double($0.observed),
                        "count": .int(Int64($0.rows)),
                    ])
                }),
            "names": .object([
                "model": .string(call.text("insights.chart.model")),
                "ideal": .string(call.text("insights.chart.ideal")),
            ]),
            "x": axis("insights.chart.predicted", "percent"), "y": axis("insights.chart.observed", "percent"),
        ])
    }

    private var lift: JSONValue {
        .object([
            "summary": .string(call.text("insights.chart.lift.summary")),
            "values": .array(report.deciles.map { .double($0.lift) }),
            "names": .object([
                "lift": .string(call.text("insights.chart.lift")),
                "baseline": .string(call.text("insights.chart.random")),
            ]),
            "x": axis("insights.chart.decile", "integer"), "y": axis("insights.chart.lift", "decimal"),
        ])
    }

    /// The curve at 21 places of the horizontal axis: enough for the eye, and a table people can read.
    private var roc: JSONValue {
        let steps = (0...20).map { Double($0) / 20 }
        return .object([
            "summary": .string(call.text("insights.chart.roc.summary")),
            "labels": .array(steps.map { .string(Figures.percent($0, 0)) }),
            "series": .array([
                .object([
                    "name": .string(call.text("insights.chart.model")), "tone": .string("accent"), "area": .bool(true),
                    "values": .array(steps.map { .double(rate(at: $0)) }),
                ]),
                .object([
                    "name": .string(call.text("insights.chart.random")), "tone": .string("muted"), "dash": .bool(true),
                    "values": .array(steps.map { .double($0) }),
                ]),
            ]),
            "x": axis("insights.chart.fpr", "percent"), "y": axis("insights.chart.tpr", "percent"),
        ])
    }

    /// True positive rate at a false positive rate, between the known points.
    private func rate(at x: Double) -> Double {
        let points = report.roc
        guard let place = points.firstIndex(where: { $0.falsePositiveRate >= x }) else { return 1 }
        let right = points[place]
        guard place > 0, right.falsePositiveRate > x else {
            // A vertical step: its upper end.
            return points.last { $0.falsePositiveRate <= x }?.truePositiveRate ?? right.truePositiveRate
        }
        let left = points[place - 1]
        let share = (x - left.falsePositiveRate) / (right.falsePositiveRate - left.falsePositiveRate)
        return left.truePositiveRate + share * (right.truePositiveRate - left.truePositiveRate)
    }

    private var histogram: JSONValue {
        let bars = report.histogram
        let edges = bars.map(\.lower) + (bars.last.map { [$0.upper] } ?? [])
        return .object([
            "summary": .string(call.text("insights.chart.histogram.summary")),
            "edges": .array(edges.map { .double($0) }), "counts": .array(bars.map { .int(Int64($0.count)) }),
            "tones": .array(bars.map { .string(card.bands.band(($0.lower + $0.upper) / 2).rawValue) }),
            "x": axis("insights.chart.probability", "percent"), "y": axis("insights.chart.customers", "integer"),
        ])
    }
}
