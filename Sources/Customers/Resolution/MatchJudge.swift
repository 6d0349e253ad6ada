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
        /// The same name, and a number or address that is one sign off.
        case nearContact = "near_contact"
        /// Much agrees, but the birth dates are those of two people.
        case otherBirth = "other_birth"
        /// Everything points to it but the name, which is another.
        case otherName = "other_name"
        /// Two or more things that do not depend on each other agree, and nothing speaks against it.
        case several
        /// The same telephone number and address, and nothing that tells the members of a household apart.
        case home
        /// All but sure by its weights, but what tells people apart agrees too little.
        case unnamed
        /// Companies of one name but for its legal form, with the same telephone number or address.
        case company
        /// A person said that they may be one.
        case proposed
        /// Members of their sets are two people, by their documents or birth dates.
        case setConflict = "set_conflict"
        /// They would join two customers that nobody has joined.
        case bridge
        /// The same name and birth date, and nothing else that could be compared.
        case nameAndBirth = "name_and_birth"
        /// The same, and another number, address or e-mail; or a name that many customers have.
        case namesake
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
    /// `card` as it is stored.
    let text: String
    /// Of the first document, number and address.
    fileprivate let record: MatchRecord

    init(_ id: CustomerID, _ card: MatchCard, _ keys: MatchKeys) {
        self.id = id
        self.card = card
        text = card.encoded
        record = keys.usual(card)
    }

    /// - Parameter text: a card as it is stored; `nil` when it is none.
    init?(_ id: CustomerID, stored text: String, _ keys: MatchKeys) {
        guard let card = MatchCard(encoded: text) else { return nil }
        self.id = id
        self.card = card
        self.text = text
        record = keys.usual(card)
    }

    init(_ prepared: MatchPrepared) {
        id = prepared.id
        card = prepared.card
        text = prepared.text
        record = prepared.record
    }

    /// The birth date, as it is compared.
    fileprivate var birth: MatchValue? { Self.birthField.flatMap { record.values[$0] } }
    private static let birthField = MatchCard.fields.firstIndex { $0.kind == .birthDate }

    var verified: Set<IdentityNumber> { Set(card.documents.compactMap { IdentityNumber($0) }.filter(\.isChecked)) }
}

/// Compares customers: strong identifiers first, then the model; what two verified people, a household or two names
/// say is
/// stronger than any sum.
struct MatchJudge: Sendable {
    /// So sure a machine has to be.
    static let linkAt = 0.99
    /// In a base that has just begun a shared name must not count for more than it does among this many. A pair is drawn from those
    /// who are there: the base to come makes it no less likely.
    static let amongMin = 2_000

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

    /// Whether two are two people whatever a third has in common with both: by their documents, or by birth dates that are no slip of
    /// each other while no document says that they are one.
    static func contradict(_ a: MatchSubject, _ b: MatchSubject) -> Bool {
        if areTwoPeople(a, b) { return true }
        guard Set(a.card.documents).isDisjoint(with: b.card.documents), let x = a.birth, let y = b.birth else { return false }
        return Comparison.areOtherBirths(x, y)
    }

    func judge(_ a: MatchSubject, _ b: MatchSubject) -> MatchVerdict {
        let (x, y) = records(a, b)
        let (score, evidence) = scorer.judged(x, y, among: among)
        func verdict(_ band: MatchVerdict.Band, _ rule: MatchVerdict.Rule) -> MatchVerdict {
            MatchVerdict(band: band, bits: score.bits, rule: rule, evidence: evidence)
        }
        let levels = Dictionary(evidence.map { ($0.field, $0.level) }, uniquingKeysWith: { first, _ in first })
        if let band = Self.asCompanies(a.card, b.card, levels) { return verdict(band, .company) }
        guard a.card.kind == b.card.kind else { return verdict(.apart, .kinds) }
        if score.bar == .verified || Self.areTwoPeople(a, b) { return verdict(.apart, .verified) }
        if score.bar == .household { return verdict(.apart, .household) }
        let name = levels["full_name"] ?? "missing"
        let birth = levels["birth_date"] ?? "missing"
        let isSameBirth = birth == "same" || birth == "one_slip"
        let isSameDocument = levels["document_number"] == "same"
        // Two characters of one sound are two names: 张伟 and his daughter 张薇.
        let isSameName =
            name == "same" && !Self.arePartNames(a.card.name, b.card.name)
            || (name == "same_sound" && (isSameBirth || !(Self.hasHan(a.card.name) && Self.hasHan(b.card.name))))
        if isSameDocument, !["different", "missing"].contains(name) { return verdict(.link, .sameDocument) }
        let mayBeOne = birth != "different" && levels["document_number"] != "different"
        if levels["phone"] == "same" || levels["email"] == "same", isSameName, mayBeOne { return verdict(.link, .sameContact) }
        let beside = Beside(evidence)
        // `M Thomas` with the e-mail of Michael Thomas; 罗佳宇 and `Luo Jiayi` may be sisters who share one.
        let isPartly = beside.isEmail && !Self.hasHan(a.card.name) && !Self.hasHan(b.card.name)
        // 赵强 and 赵小强 share address and e-mail as father and son.
        let isNamed = isSameName || name == "close" && (beside.isBirth || isPartly) || name == "similar" && isPartly
        if !beside.isAgainst, beside.count > 1 {
            if isNamed, score.band != .apart { return verdict(.link, .several) }
            // Who shares no name must share what a household does not, and the sum has to be as sure as ever.
            if name == "missing", beside.isBirth {
                return verdict(score.band == .link && !beside.isContactOther ? .link : .review, .several)
            }
            if name == "missing" { return verdict(.review, .home) }
        }
        // One sign off the address of somebody else of that name is rarer than a slip. Of numbers it is not: operators hand out all of
        // them, and people choose those that look alike.
        if isSameName, mayBeOne, score.band != .apart {
            if levels["email"] == "one_edit" { return verdict(.link, .nearContact) }
            if levels["phone"] == "one_edit", !isSameBirth, !isSameDocument { return verdict(.review, .nearContact) }
        }
        if name == "different", !isSameDocument {
            return verdict(isSameBirth && score.band != .apart ? .review : .apart, .otherName)
        }
        switch score.band {
        case .link:
            // A name and a place are many people's; other birth dates are two people's, whatever else they share.
            let isNearlyNamed = isSameName && beside.count > 0 || name == "close" && isPartly
            // Who moved, or has another number, is as likely somebody else of one name and birth date.
            if isSameBirth, beside.isBirth, beside.count == 1, !isSameDocument {
                return beside.isElsewhere || beside.isContactOther ? verdict(.review, .namesake) : verdict(.link, .nameAndBirth)
            }
            let isKnown = isSameDocument || isSameBirth || isNearlyNamed && birth != "different"
            return verdict(isKnown ? .link : .review, isKnown ? .weights : birth == "different" ? .otherBirth : .unnamed)
        case .review: return verdict(.review, birth == "different" ? .otherBirth : .weights)
        case .apart: return verdict(.apart, .weights)
        }
    }

    /// What agrees beside the name and the documents.
    private struct Beside {
        var count = 0
        /// Among them what the members of a household do not share.
        var isBirth = false
        var isEmail = false
        var isAgainst = false
        /// Both have a number, or an e-mail address, and it is another.
        var isContactOther = false
        /// Both have an address, and it is not one.
        var isElsewhere = false
        /// Less says a placeholder, or a value that many have.
        private static let bitsMin = 4.0

        init(_ evidence: [LinkageModel.Evidence]) {
            for one in evidence {
                if ["birth_date", "gender", "document_number"].contains(one.field), one.level == "different" { isAgainst = true }
                if ["phone", "email"].contains(one.field), one.level == "different" { isContactOther = true }
                if one.field == "address", !["same", "very_close", "missing", "no_evidence"].contains(one.level) { isElsewhere = true }
                let isAlike =
                    switch one.field {
                    case "birth_date": ["same", "one_slip"].contains(one.level)
                    case "email": ["same", "one_edit", "two_edits"].contains(one.level)
                    case "phone": ["same", "one_edit"].contains(one.level)
                    case "address": ["same", "very_close"].contains(one.level)
                    default: false
                    }
                guard isAlike, one.bits >= Self.bitsMin else { continue }
                count += 1
                if one.field == "birth_date" { isBirth = true }
                if one.field == "email" { isEmail = true }
            }
        }
    }

    /// What two companies are whose names are one but for the legal form, or one within the other. One of them may be kept as a
    /// person because nobody said what it is; then a person decides.
    /// - Returns: `nil` where nothing says that they are one.
    private static func asCompanies(_ a: MatchCard, _ b: MatchCard, _ levels: [String: String]) -> MatchVerdict.Band? {
        let known = [a, b].count { $0.kind == .organisation }
        guard known > 0, levels["document_number"] != "different", ![a, b].contains(where: \.isSurelyPerson) else { return nil }
        let isPhone = levels["phone"] == "same", isPlace = ["same", "very_close"].contains(levels["address"] ?? "")
        guard isPhone || isPlace else { return nil }
        let (x, y) = (OrganisationName.core(a.name), OrganisationName.core(b.name))
        guard !x.isEmpty, !y.isEmpty else { return nil }
        if x == y { return isPhone && isPlace && known == 2 ? .link : .review }
        return isPhone && isPlace && OrganisationName.isWithin(x, y) ? .review : nil
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

    /// One word in Latin letters on both sides: a given name or a surname, which a household shares.
    private static func arePartNames(_ a: String, _ b: String) -> Bool {
        ![a, b].contains { name in hasHan(name) || name.contains { $0 == " " || $0 == "," || $0 == "\u{3000}" } }
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
