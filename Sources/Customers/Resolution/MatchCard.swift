import Kernel
import Matching

/// What of a customer is compared with others, as it was written. Of what there may be several of, the first few.
struct MatchCard: Sendable, Equatable {
    var kind = CustomerKind.individual
    var name = ""
    var birthDate = ""
    var gender = ""
    var documents: [String] = []
    var phones: [String] = []
    var emails: [String] = []
    var street = ""
    var city = ""
    var postcode = ""

    /// A company has thousands of numbers; they say no more than the first few.
    private static let severalMax = 4

    init(_ record: CustomerRecord) {
        kind = record.party.kind
        name = record.party.displayName
        birthDate = record.party.birthDate?.description ?? ""
        gender = record.party.gender ?? ""
        documents = Self.first(record.documents.map(\.number))
        let lines = record.subscriptions.filter { $0.status != .terminated }.compactMap(\.msisdn)
        phones = Self.first(record.contacts.filter { $0.kind == .phone }.map(\.value) + lines)
        emails = Self.first(record.contacts.filter { $0.kind == .email }.map(\.value))
        let place = record.addresses.first
        street = place?.lines ?? ""
        city = place?.city ?? record.customer.city ?? ""
        postcode = place?.postcode ?? ""
    }

    private static func first(_ values: [String]) -> [String] {
        var result: [String] = []
        for value in values where !value.isEmpty && result.count < severalMax && !result.contains(value) {
            result.append(value)
        }
        return result
    }

    // MARK: Stored form

    private static let unit: Character = "\u{1F}"
    private static let several = "\u{1E}"

    /// One text: fields between U+001F, several values between U+001E. An import writes one for every customer.
    var encoded: String {
        [
            kind.rawValue, name, birthDate, gender, documents.joined(separator: Self.several),
            phones.joined(separator: Self.several), emails.joined(separator: Self.several), street, city, postcode,
        ].joined(separator: String(Self.unit))
    }

    init?(encoded: String) {
        // Bytes, not characters: an import reads one for every customer that may be a new one.
        let parts = encoded.utf8.split(separator: 0x1F, omittingEmptySubsequences: false).map { String(Substring($0)) }
        guard parts.count == 10 else { return nil }
        func list(_ text: String) -> [String] { text.utf8.split(separator: 0x1E).map { String(Substring($0)) } }
        kind = CustomerKind(rawValue: parts[0]) ?? .individual
        (name, birthDate, gender) = (parts[1], parts[2], parts[3])
        (documents, phones, emails) = (list(parts[4]), list(parts[5]), list(parts[6]))
        (street, city, postcode) = (parts[7], parts[8], parts[9])
    }

    // MARK: Fields of the model

    /// In the order of `values`. Keys are stored under this list: a change of it needs a new filling.
    static let fields = [
        MatchField(name: "full_name", kind: .fullName), MatchField(name: "birth_date", kind: .birthDate),
        MatchField(name: "gender", kind: .category), MatchField(name: "document_number", kind: .identityNumber),
        MatchField(name: "phone", kind: .phone), MatchField(name: "email", kind: .email),
        MatchField(name: "address", kind: .street), MatchField(name: "city", kind: .suburb),
        MatchField(name: "postcode", kind: .postcode),
    ]

    /// The birth date inside a citizen identity number whose check character is right. An old one of 15 digits has none.
    private var documentBirth: String? {
        documents.lazy.filter { $0.utf8.count >= 18 }.compactMap { IdentityNumber($0)?.birthDate?.description }.first
    }

    /// A person, and not a record of which nobody said what it is.
    var isSurelyPerson: Bool {
        kind == .individual
            && (!birthDate.isEmpty || !gender.isEmpty || documents.contains { IdentityNumber($0) != nil && CreditCode($0) == nil })
    }

    private var documentSex: String? {
        documents.lazy.compactMap { IdentityNumber($0)?.sex?.rawValue }.first
    }

    /// A value for each field. Where no birth date or sex is known, that of the identity number.
    func values(document: String?, phone: String?, email: String?) -> [String?] {
        func known(_ text: String) -> String? { text.isEmpty ? nil : text }
        return [
            known(name), known(birthDate) ?? documentBirth, known(gender) ?? documentSex, document, phone, email,
            known(street), known(city), known(postcode),
        ]
    }
}

/// A customer whose keys are written and who is compared, so that nothing is brought into standard form twice.
struct MatchPrepared: Sendable {
    let id: CustomerID
    let card: MatchCard
    /// `card` as it is stored.
    let text: String
    let keys: Set<Int64>
    let record: MatchRecord
}

/// The keys under which a customer is stored.
struct MatchKeys: Sendable {
    private let standardiser: RecordStandardiser
    private static let blocking = LinkageModel.shipped(MatchCard.fields).blocking

    init(countryCode: String) {
        standardiser = RecordStandardiser(fields: MatchCard.fields, countryCode: countryCode)
    }

    /// Of all documents, numbers and addresses of the customer.
    func keys(_ card: MatchCard) -> Set<Int64> { prepared(card).keys }

    func prepared(_ record: CustomerRecord) -> MatchPrepared {
        let card = MatchCard(record)
        let (keys, usual) = prepared(card)
        return MatchPrepared(id: record.id, card: card, text: card.encoded, keys: keys, record: usual)
    }

    /// The record of the first document, number and address, which most comparisons are about.
    func usual(_ card: MatchCard) -> MatchRecord {
        standardiser.record(
            card.values(document: card.documents.first, phone: card.phones.first, email: card.emails.first))
    }

    /// - Returns: the keys, and `usual`.
    private func prepared(_ card: MatchCard) -> (keys: Set<Int64>, record: MatchRecord) {
        var result: Set<Int64> = []
        var usual: MatchRecord?
        let rounds = max(1, card.documents.count, card.phones.count, card.emails.count)
        for round in 0..<rounds {
            func value(_ list: [String]) -> String? { round < list.count ? list[round] : nil }
            let record = standardiser.record(
                card.values(
                    document: value(card.documents), phone: value(card.phones), email: value(card.emails)))
            if usual == nil { usual = record }
            for key in Self.blocking.hashes(record) { result.insert(Int64(bitPattern: key)) }
        }
        return (result, usual ?? self.usual(card))
    }
}
