import Kernel

/// What a column is about, as far as two of them would be one reason to a person.
enum ReasonTopic {
    /// All parts must occur in the folded name.
    private static let rules: [(parts: [String], topic: String)] = [
        (["contract", "month"], "contract_time"), (["contract", "end"], "contract_time"),
        (["contract", "left"], "contract_time"), (["contract", "remaining"], "contract_time"),
        (["合约", "月"], "contract_time"), (["合同", "月"], "contract_time"), (["合约", "到期"], "contract_time"),
        (["overdue"], "overdue"), (["逾期"], "overdue"), (["欠费"], "overdue"),
        (["dropped", "call"], "dropped_calls"), (["掉话"], "dropped_calls"),
        (["complaint"], "complaints"), (["投诉"], "complaints"),
    ]

    static func of(_ column: String) -> String {
        let folded = ColumnName(column).folded
        if let rule = rules.first(where: { $0.parts.allSatisfy { folded.contains($0) } }) { return rule.topic }
        if let ours = BuiltInReasons.concepts[column] { return ours.name.en }
        let concept = Concept.named(column)
        return concept.isKnown ? concept.name.en : column
    }
}

extension RiskBand {
    /// For badges: `High`, `高`.
    func label(_ language: Language) -> String {
        language == .zh ? text.zh : text.en.prefix(1).uppercased() + text.en.dropFirst()
    }
}
