/// The outcome to be learned: which rows are positive, which negative, which unknown.
package struct LabelColumn: Sendable {
    package let name: String
    /// Per row of the table; nil where the label is missing.
    package let outcomes: [Bool?]
    /// The value that counts as positive, as it is written most often.
    package let positive: String
    /// The other values, as written.
    package let negatives: [String]

    /// Reads the label column.
    ///
    /// The positive value, when not given, is chosen so: of two values that mean yes and no (Yes/No, 1/0, true/false,
    /// 是/否, Churned/Stayed, 离网/在网, ...) the one that means yes; of several values, those that say the customer
    /// left, when at least one other value does not; of any other two values, the rarer one (leavers are the rarer).
    /// A given one is matched exactly, then without regard to case, then by meaning (1 for 1.0, true for Yes).
    package init(table: RawTable, column name: String, positive wanted: String?) throws(ModelError) {
        guard let column = table.column(named: name) else {
            throw .labelMissing(column: name, available: table.names)
        }
        let coded = CodedColumn(name: column.name, values: column.values)
        let counts = coded.counts
        guard !coded.levels.isEmpty else { throw .tooFewRows(found: 0, needed: ChurnTrainer.fewestRows) }
        let isPositive: [Bool]
        if let wanted {
            isPositive = Self.matching(CellText.trimmed(wanted), in: coded.levels)
            guard isPositive.contains(true) else {
                throw .positiveAbsent(column: name, positive: wanted, values: coded.levels)
            }
        } else {
            guard let chosen = Self.recognised(coded.levels, counts) else {
                throw .labelNotBinary(column: name, values: coded.levels)
            }
            isPositive = chosen
        }
        guard isPositive.contains(true), isPositive.contains(false) else {
            throw .oneClass(column: name, value: coded.levels[0])
        }
        self.name = column.name
        outcomes = coded.codes.map { $0 < 0 ? nil : isPositive[Int($0)] }
        let positives = coded.levels.indices.filter { isPositive[$0] }
        self.positive = positives.max { counts[$0] < counts[$1] }.map { coded.levels[$0] } ?? coded.levels[0]
        negatives = coded.levels.indices.filter { !isPositive[$0] }.map { coded.levels[$0] }
    }

    private static let leftWords: Set<String> = [
        "churn", "churned", "churner", "left", "leave", "leaver", "lost", "exited", "exit", "cancelled", "canceled",
        "terminated", "closed", "deactivated", "disconnected", "attrited", "attrited customer", "ported out",
        "port-out", "port out", "gone", "inactive",
        "离网", "已离网", "流失", "已流失", "流失客户", "离网客户", "退网", "销户", "已销户", "携出", "已携出", "转出", "离开",
    ]
    private static let stayedWords: Set<String> = [
        "stayed", "stay", "retained", "joined", "active", "existing", "existing customer", "current", "not churned",
        "no churn", "non-churn", "not churn", "remained", "在网", "未离网", "未流失", "留存", "正常", "在用",
    ]

    private static func matching(_ wanted: String, in levels: [String]) -> [Bool] {
        let exact = levels.map { $0 == wanted }
        if exact.contains(true) { return exact }
        let folded = levels.map { $0.lowercased() == wanted.lowercased() }
        if folded.contains(true) { return folded }
        if let number = CellText.number(wanted) {
            let equal = levels.map { CellText.number($0) == number }
            if equal.contains(true) { return equal }
        }
        guard let answer = meaning(wanted) else { return levels.map { _ in false } }
        return levels.map { meaning($0) == answer }
    }

    /// Yes for a text that says yes or that the customer left, no for the opposite.
    private static func meaning(_ text: String) -> Bool? {
        if let answer = CellText.boolean(text) { return answer }
        let word = text.lowercased()
        if leftWords.contains(word) { return true }
        return stayedWords.contains(word) ? false : nil
    }

    private static func recognised(_ levels: [String], _ counts: [Int]) -> [Bool]? {
        let meanings = levels.map(meaning)
        // Several spellings of yes and no (Yes, yes, 1) are one label.
        if meanings.allSatisfy({ $0 != nil }), meanings.contains(true), meanings.contains(false) {
            return meanings.map { $0 == true }
        }
        let left = levels.map { leftWords.contains($0.lowercased()) }
        if left.contains(true), left.contains(false) { return left }
        if levels.count == 1 { return meanings[0] == true ? [true] : [false] }
        guard levels.count == 2 else { return nil }
        if let known = meanings.first(where: { $0 != nil }) ?? nil, meanings.filter({ $0 != nil }).count == 1 {
            return meanings.map { $0 == nil ? !known : $0 == true }
        }
        return counts[0] < counts[1] ? [true, false] : [false, true]
    }
}
