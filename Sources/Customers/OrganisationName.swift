import Kernel
import Matching
import Storage

/// Whether a name is that of an organisation, where nobody says what kind of customer it is. Only endings that no person's name
/// has count: whoever is taken for a company is not compared with people.
enum OrganisationName {
    /// With as many characters before them.
    private static let chinese = ["公司", "集团", "事务所", "合作社", "工作室", "研究院", "医院", "银行", "大学", "商行", "委员会", "协会"]
    private static let charactersMin = 4
    private static let latin: Set<String> = [
        "ltd", "limited", "inc", "incorporated", "corp", "corporation", "llc", "llp", "plc", "gmbh", "sarl", "srl", "pty", "company",
        "holdings",
    ]

    static func isOne(_ name: String) -> Bool {
        // `北京星海科技有限公司（海淀）` ends before the brackets.
        let folded = Folding.fold(name)
        let whole = folded.hasSuffix(")") ? String(folded.prefix { $0 != "(" }) : folded
        let text = String(String.UnicodeScalarView(whole.unicodeScalars.filter { $0 != " " }.map(Han.simplified)))
        if text.unicodeScalars.count >= charactersMin, chinese.contains(where: text.hasSuffix) { return true }
        let words = whole.split { !$0.isLetter && !$0.isNumber }
        return words.count > 1 && words.last.map { latin.contains(String($0)) } ?? false
    }
}

extension CustomerRecord {
    /// Nothing says what kind of customer it is, nothing is known of a person, and the name is a company's.
    /// - Parameter kind: what the row says.
    func isUnsaidOrganisation(_ kind: SQLValue?) -> Bool {
        (kind ?? .null) == .null && party.familyName == nil && party.givenName == nil && party.birthDate == nil
            && party.gender == nil && OrganisationName.isOne(party.displayName)
    }
}
