import Kernel
import Matching

/// What is thought of two customers.
struct MatchVerdict: Sendable, Equatable {
    enum Band: String, Sendable { case link, review, apart }

    /// What decided beside the sum of the weights.
    enum Rule: String, Sendable, CaseIterable {
        case weights
        /// Two identity numbers with right check digits that differ.
        case verified
        /// Of one home, with another given name and birth date.
        case household
        /// One is a person, the other an organisation.
        case kinds
        /// The same identity number and name.
        case sameDocument = "same_document"
        /// The same telephone number or e-mail address, and the same name.
        case sameContact = "same_contact"
        /// Everything points to it but the name, which is another.
        case otherName = "other_name"
        /// A person said that they may be one.
        case proposed
        /// Members of their sets are two verified people.
        case setConflict = "set_conflict"
        /// They would join two customers that nobody has joined.
        case bridge
    }

    var band: Band
    let bits: Double
    var rule: Rule
    let evidence: [LinkageModel.Evidence]
}

/// A customer as it is compared.
final class MatchSubject: Sendable {
    let id: CustomerID
    let card: MatchCard
    /// Of the first document, number and address.
    fileprivate let record: MatchRecord

    init(_ id: CustomerID, _ card: MatchCard, _ keys: MatchKeys) {
        self.id = id
        self.card = card
        record = keys.usual(card)
    }

    init(_ prepared: MatchPrepared) {
        id = prepared.id
        card = prepared.card
        record = prepared.record
    }

    var verified: Set<IdentityNumber> { Set(card.documents.compactMap { IdentityNumber($0) }.filter(\.isChecked)) }
}

/// Compares customers: strong identifiers first, then the model; what two verified people, a household or two names
/// say is
/// stronger than any sum.
struct MatchJudge: Sendable {
    /// So sure a machine has to be.
    static let linkAt = 0.99
    /// In a small base a shared name must not count for more than it does among this many.
    static let amongMin = 100_000

    private let scorer: Scorer
    private let standardiser: RecordStandardiser
    private let among: Int

    init(_ model: LinkageModel, among: Int, countryCode: String) {
        var model = model
        model.linkAt = Self.linkAt
        scorer = Scorer(model)
        standardiser = RecordStandardiser(fields: MatchCard.fields, countryCode: countryCode)
        self.among = max(among, Self.amongMin)
    }

    /// Whether both have identity numbers of one kind with right check digits and share none.
    static func areTwoPeople(_ a: MatchSubject, _ b: MatchSubject) -> Bool { areTwoPeople(a.verified, b.verified) }

    static func areTwoPeople(_ x: Set<IdentityNumber>, _ y: Set<IdentityNumber>) -> Bool {
        !Set(x.map(\.kind)).isDisjoint(with: y.map(\.kind)) && x.isDisjoint(with: y)
    }

    func judge(_ a: MatchSubject, _ b: MatchSubject) -> MatchVerdict {
        let (x, y) = records(a, b)
        let score = scorer.score(x, y, among: among)
        let evidence = scorer.evidence(x, y)
        func verdict(_ band: MatchVerdict.Band, _ rule: MatchVerdict.Rule) -> MatchVerdict {
            MatchVerdict(band: band, bits: score.bits, rule: rule, evidence: evidence)
        }
        guard a.card.kind == b.card.kind else { return verdict(.apart, .kinds) }
        if score.bar == .verified || Self.areTwoPeople(a, b) { return verdict(.apart, .verified) }
        if score.bar == .household { return verdict(.apart, .household) }
        let levels = Dictionary(evidence.map { ($0.field, $0.level) }, uniquingKeysWith: { first, _ in first })
        let name = levels["full_name"] ?? "missing"
        let birth = levels["birth_date"] ?? "missing"
        let isSameBirth = birth == "same" || birth == "one_slip"
        let isSameDocument = levels["document_number"] == "same"
        // Two characters of one sound are two names: 张伟 and his daughter 张薇.
        let isSameName =
            name == "same"
            || (name == "same_sound" && (isSameBirth || !(Self.hasHan(a.card.name) && Self.hasHan(b.card.name))))
        if isSameDocument, !["different", "missing"].contains(name) { return verdict(.link, .sameDocument) }
        if levels["phone"] == "same" || levels["email"] == "same", isSameName, birth != "different",
            levels["document_number"] != "different"
        {
            return verdict(.link, .sameContact)
        }
        if name == "different", !isSameDocument {
            return verdict(isSameBirth && score.band != .apart ? .review : .apart, .otherName)
        }
        switch score.band {
        case .link: return verdict(isSameName || isSameDocument || isSameBirth ? .link : .review, .weights)
        case .review: return verdict(.review, .weights)
        case .apart: return verdict(.apart, .weights)
        }
    }

    /// Whether something says that they are two; that nothing says they are one does not.
    func speaksAgainst(_ a: MatchSubject, _ b: MatchSubject) -> Bool {
        let verdict = judge(a, b)
        guard verdict.band == .apart else { return false }
        return verdict.rule != .weights
            || verdict.evidence.contains {
                ["birth_date", "document_number", "full_name"].contains($0.field) && $0.level == "different"
            }
    }

    private static func hasHan(_ text: String) -> Bool {
        text.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) || (0x3400...0x4DBF).contains($0.value) }
    }

    /// Of several values the one that both have; else the first.
    private func records(_ a: MatchSubject, _ b: MatchSubject) -> (MatchRecord, MatchRecord) {
        let document = shared(a.card.documents, b.card.documents)
        let phone = shared(a.card.phones, b.card.phones), email = shared(a.card.emails, b.card.emails)
        return (record(a, document, phone, email), record(b, document, phone, email))
    }

    private func record(_ subject: MatchSubject, _ document: String?, _ phone: String?, _ email: String?) -> MatchRecord
    {
        let card = subject.card
        let isUsual =
            (document ?? card.documents.first) == card.documents.first
            && (phone ?? card.phones.first) == card.phones.first
            && (email ?? card.emails.first) == card.emails.first
        if isUsual { return subject.record }
        return standardiser.record(
            card.values(
                document: document ?? card.documents.first, phone: phone ?? card.phones.first,
                email: email ?? card.emails.first))
    }

    private func shared(_ a: [String], _ b: [String]) -> String? {
        guard a.count > 1 || b.count > 1 else { return nil }
        return a.first { b.contains($0) }
    }
}
