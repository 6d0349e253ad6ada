import Foundation

/// A column that was left out of the model, and why.
package struct Exclusion: Codable, Equatable, Sendable {
    package enum Code: String, Codable, Sendable {
        case identifier, constant, empty
        case freeText = "free_text"
        /// The user asked for it.
        case chosen
        /// The same information as another column that stays.
        case sameAsOther = "same_as_other"
        /// Tells the outcome (almost) perfectly.
        case sameAsLabel = "same_as_label"
        /// Filled in, or left empty, for one outcome only.
        case filledForOneOutcome = "filled_for_one_outcome"
        /// Some of its values occur with one outcome only and cover much of it.
        case givesAnswerAway = "gives_answer_away"
        /// A value that another model predicted.
        case modelOutput = "model_output"
        /// By its name, known only once the outcome is.
        case afterTheFact = "after_the_fact"
        /// Named after the outcome and stronger alone than all other columns together.
        case namedAfterOutcome = "named_after_outcome"

        /// Whether the column was left out because it gives the answer away.
        package var isLeak: Bool {
            switch self {
            case .identifier, .constant, .empty, .freeText, .chosen, .sameAsOther: false
            case .sameAsLabel, .filledForOneOutcome, .givesAnswerAway, .modelOutput, .afterTheFact, .namedAfterOutcome:
                true
            }
        }
    }

    package let column: String
    package let code: Code
    /// The reason in plain English; `reasonZh` says the same in Chinese.
    package let reason: String
    package let reasonZh: String
    /// Cross-validated AUC of the column alone, where it was measured.
    package let auc: Double?
    /// What adding the column changes in the AUC of the others, where it was measured.
    package let gain: Double?
    /// The column meant by `sameAsOther`.
    package let other: String?
    /// Share of the outcome's rows that the column alone makes certain, where it was measured.
    package let share: Double?

    package enum CodingKeys: String, CodingKey {
        case column, code, reason, auc, gain, other, share
        case reasonZh = "reason_zh"
    }

    package init(
        _ column: String, _ code: Code, auc: Double? = nil, gain: Double? = nil, other: String? = nil,
        share: Double? = nil, othersAUC: Double? = nil
    ) {
        self.column = column
        self.code = code
        self.auc = auc
        self.gain = gain
        self.other = other
        self.share = share
        let text = Self.text(code, auc: auc, gain: gain, other: other, share: share, othersAUC: othersAUC)
        reason = text.en
        reasonZh = text.zh
    }

    private static func text(
        _ code: Code, auc: Double?, gain: Double?, other: String?, share: Double?, othersAUC: Double?
    ) -> Bilingual {
        let alone = figure(auc)
        switch code {
        case .identifier:
            return Bilingual(zh: "标识列：几乎每行一个值，只能认人，不能预测", en: "identifies the row (nearly every value is different)")
        case .constant: return Bilingual(zh: "所有行的值相同", en: "has the same value in every row")
        case .empty: return Bilingual(zh: "没有任何值", en: "has no values")
        case .freeText:
            return Bilingual(zh: "自由文本：不同的值太多，无法学习", en: "free text: too many different values to learn from")
        case .chosen: return Bilingual(zh: "按要求排除", en: "left out on request")
        case .sameAsOther:
            return Bilingual(zh: "与“\(other ?? "")”列信息相同", en: "carries the same information as “\(other ?? "")”")
        case .sameAsLabel:
            return Bilingual(
                zh: "与标签几乎一致：仅凭此列即可知道结果（AUC \(alone)）",
                en: "as good as the label itself: this column alone tells the outcome (AUC \(alone))")
        case .filledForOneOutcome:
            return Bilingual(
                zh: "是否填写取决于结果：只对一种结果填写（或留空），属于事后信息",
                en: "filled in (or left empty) for one outcome only, so it was written after the outcome was known")
        case .givesAnswerAway:
            let percent = Int(((share ?? 0) * 100).rounded())
            return Bilingual(
                zh: "泄露答案：仅凭此列的取值就能确定 \(percent)% 的离网客户（AUC \(alone)）",
                en: "gives the answer away: its values alone make \(percent) % of the outcome certain (AUC \(alone))")
        case .modelOutput:
            let cost = gain.map { String(format: "%+.3f", $0) }
            return Bilingual(
                zh: "是其他模型的预测值，而非观察到的事实，可能已含结果（单列 AUC \(alone)"
                    + (cost.map { "，加入后 AUC 变化 \($0)" } ?? "") + "）",
                en: "predicted by another model rather than observed, so the outcome may be inside it "
                    + "(AUC alone \(alone)"
                    + (cost.map { ", adding it changes the AUC by \($0)" } ?? "") + ")")
        case .afterTheFact:
            return Bilingual(zh: "从列名看，只有结果发生后才会有值", en: "by its name, known only after the outcome")
        case .namedAfterOutcome:
            return Bilingual(
                zh: "以结果命名，且单列（AUC \(alone)）强过其余所有列之和（AUC \(figure(othersAUC))）",
                en: "named after the outcome and stronger alone (AUC \(alone)) than all other columns together "
                    + "(AUC \(figure(othersAUC)))")
        }
    }

    private static func figure(_ value: Double?) -> String {
        value.map { String(format: "%.3f", $0) } ?? "–"
    }
}

/// A column that was kept although it is suspiciously strong; the person decides.
package struct Suspect: Codable, Equatable, Sendable {
    package let column: String
    /// Cross-validated AUC of the column alone, and of all other columns together.
    package let auc: Double
    package let othersAUC: Double

    package enum CodingKeys: String, CodingKey {
        case column, auc
        case othersAUC = "others_auc"
    }

    package var text: Bilingual {
        let figures = String(format: "%.3f", auc)
        return Bilingual(
            zh: "“\(column)”单列的 AUC 高达 \(figures)，请确认它在结果发生之前就已知道",
            en: "“\(column)” alone reaches an AUC of \(figures); make sure it is known before the outcome")
    }
}
