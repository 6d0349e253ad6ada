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

    /// Endings that say what form of company it is, the longest first, and nothing of which one.
    private static let chineseForms = ["股份有限责任公司", "有限责任公司", "股份有限公司", "集团有限公司", "有限公司", "分公司", "公司", "集团"]
    private static let latinForms = latin.union(["co", "the", "group", "ag", "sa", "spa", "bv", "nv", "kg", "oy", "ab"])

    /// The name without its legal form, spaces, signs, brackets and letter case: `Acme Telecom Ltd.` and `ACME TELECOM LIMITED`
    /// are `acmetelecom`. Empty where nothing else is there.
    static func core(_ name: String) -> String {
        let folded = Folding.fold(name)
        let whole = folded.hasSuffix(")") ? String(folded.prefix { $0 != "(" }) : folded
        var words = whole.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        while words.count > 1, let last = words.last, latinForms.contains(last) { words.removeLast() }
        var text = String(String.UnicodeScalarView(words.joined().unicodeScalars.map(Han.simplified)))
        while let form = chineseForms.first(where: { text.hasSuffix($0) && text.count > $0.count }) {
            text.removeLast(form.count)
        }
        return text
    }

    /// Whether one core is within the other: 华强电子 in 深圳市华强电子. Two characters or four letters at least, so that
    /// `it` is not a company in everybody's name.
    static func isWithin(_ a: String, _ b: String) -> Bool {
        let (short, long) = a.utf8.count <= b.utf8.count ? (a, b) : (b, a)
        return short.utf8.count >= 4 && long.contains(short)
    }

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

extension DocumentKind {
    /// What a document is of which nothing but the number is known.
    static func unsaid(_ number: String, of kind: CustomerKind) -> DocumentKind {
        let isLicence = kind == .organisation || CreditCode(number) != nil
        return isLicence && IdentityNumber(number) == nil || kind == .organisation && CreditCode(number) != nil
            ? .businessLicence : .idCard
    }
}

extension CustomerRecord {
    /// Of a new customer: what kind it is and what its document is, where the row does not say.
    mutating func settleUnsaid(_ values: [String: SQLValue]) {
        if isUnsaidOrganisation(values["kind"]) { party.kind = .organisation }
        guard (values["document_kind"] ?? .null) == .null, let number = documents.first?.number else { return }
        documents[0].kind = DocumentKind.unsaid(number, of: party.kind)
    }

    /// Nothing says what kind of customer it is, nothing is known of a person, and the name is a company's.
    /// - Parameter kind: what the row says.
    func isUnsaidOrganisation(_ kind: SQLValue?) -> Bool {
        (kind ?? .null) == .null && party.familyName == nil && party.givenName == nil && party.birthDate == nil
            && party.gender == nil && OrganisationName.isOne(party.displayName)
    }
}
