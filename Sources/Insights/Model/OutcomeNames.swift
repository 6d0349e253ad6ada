/// What the names of columns say about the outcome; evidence from the data decides where a name alone may mislead.
struct OutcomeNames: Sendable {
    /// Words of the label's own name that are not generic.
    private let labelWords: [String]
    private let labelParts: [String]

    private static let generic: Set<String> = [
        "label", "value", "flag", "is", "has", "status", "target", "class", "y", "outcome", "result", "yes", "no",
        "customer", "indicator", "ind", "the", "user", "client", "dependent", "variable", "1", "0",
    ]
    /// Beginnings of words for leaving. Short words would catch honest columns (`left` in `leftover`): those are whole.
    private static let stems = ["churn", "attrit", "cancel", "terminat", "deactivat", "defect", "portout", "unsubscri"]
    private static let wholeWords: Set<String> = ["exited", "leaver", "left", "departed", "departure", "closure"]
    private static let chineseOutcome = ["离网", "流失", "退网", "销户", "携出", "携号转", "转网", "退订", "注销", "停用"]

    private static let predictionStems = ["propens", "predict", "probab", "likelihood", "forecast"]
    private static let predictionWords: Set<String> = [
        "score", "scores", "scoring", "prob", "risk", "proba", "rating", "tier",
    ]
    private static let chinesePrediction = ["概率", "评分", "得分", "预测", "倾向", "风险", "可能性", "打分", "分数"]

    private static let lifetimeWords: Set<String> = ["cltv", "clv", "ltv", "clvt"]
    private static let chineseLifetime = ["生命周期价值", "终身价值"]

    private static let afterwards: Set<String> = [
        "reason", "reasons", "category", "cause", "date", "day", "month", "time", "timestamp", "comment", "comments",
        "note", "notes", "type", "code", "feedback", "destination", "competitor",
    ]
    private static let chineseAfterwards = ["原因", "日期", "时间", "类型", "备注", "去向", "说明"]

    init(label: String) {
        let name = ColumnName(label)
        labelWords = name.words.filter { !Self.generic.contains($0) && $0.count >= 4 }
        labelParts = Self.chineseOutcome.filter { name.folded.contains($0) }
    }

    /// Named after the outcome: shares the label's own word, or a word for leaving.
    func isNamedAfterOutcome(_ column: String) -> Bool {
        let name = ColumnName(column)
        return name.has(stems: Self.stems + labelWords) || name.has(Self.wholeWords)
            || name.contains(Self.chineseOutcome + labelParts)
    }

    /// A lifetime value: always some model's forecast of how long the customer stays.
    func isLifetimeValue(_ column: String) -> Bool {
        let name = ColumnName(column)
        return name.has(Self.lifetimeWords) || name.ends(with: ["cltv", "ltv", "clv"])
            || name.contains(Self.chineseLifetime + ["lifetimevalue"])
    }

    /// A prediction of the outcome: named after it and spoken of as a score, probability, propensity or risk.
    func isPrediction(_ column: String) -> Bool {
        let name = ColumnName(column)
        let predicts =
            name.has(Self.predictionWords) || name.ends(with: ["score", "scores", "scoring", "prob", "proba", "risk"])
            || name.has(stems: Self.predictionStems)
            || name.contains(Self.chinesePrediction)
        return predicts && isNamedAfterOutcome(column)
    }

    /// A detail of the outcome, such as its reason or date.
    func isDetail(_ column: String) -> Bool {
        let name = ColumnName(column)
        return isNamedAfterOutcome(column)
            && (name.has(Self.afterwards)
                || name.ends(with: ["reason", "category", "cause", "date", "time", "comment"])
                || name.contains(Self.chineseAfterwards))
    }
}
