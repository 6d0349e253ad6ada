import Kernel

/// How to speak of a change that can be offered: the first half of a sentence.
enum ChangeWording {
    /// Of the columns Customers gives by itself.
    static func ours(_ column: String, _ value: String, _ currency: String) -> Bilingual? {
        guard let concept = BuiltInReasons.concepts[column] else { return nil }
        if column == "contract_term", let number = CellText.number(value) { return term(Int(number.rounded())) }
        if column == "monthly_charge", let amount = BuiltInReasons.money(value, currency) {
            return Bilingual(zh: "若月费为 \(amount)", en: "At a monthly charge of \(amount)")
        }
        return other(concept, BuiltInReasons.spoken(value))
    }

    private static func term(_ months: Int) -> Bilingual {
        if months <= 0 { return Bilingual(zh: "若按月签约、没有合约期", en: "Month by month, without a contract term") }
        guard months % 12 == 0 else {
            return Bilingual(zh: "若签 \(months) 个月合约", en: "With a contract over \(months) months")
        }
        let years = months / 12
        let spoken = years <= words.count ? words[years - 1] : String(years)
        return Bilingual(zh: "若签 \(years) 年合约", en: "With a \(spoken)-year contract")
    }

    private static let words = ["one", "two", "three", "four", "five"]

    /// Of the columns of other sources whose names are known.
    static func other(_ concept: Concept, _ value: String) -> Bilingual {
        let name = concept.name
        if let answer = CellText.boolean(value) {
            if name.en == "paperless billing" {
                return answer
                    ? Bilingual(zh: "若改用电子账单", en: "With paperless billing")
                    : Bilingual(zh: "若改用纸质账单", en: "With paper bills")
            }
            return answer
                ? Bilingual(zh: "若开通\(name.zh)", en: "With \(name.en)")
                : Bilingual(zh: "若不用\(name.zh)", en: "Without \(name.en)")
        }
        let spoken = TelecomConcepts.values[value.lowercased()] ?? Bilingual(zh: value, en: value)
        return Bilingual(zh: "若\(name.zh)为\(spoken.zh)", en: "With the \(name.en) “\(spoken.en)”")
    }
}
