import Foundation
import Kernel
import Matching
import Storage

/// Which of the values that joined records have of a field is shown. Data, not code: kept in the database, changed on
/// a page.
struct Survivorship: Sendable, Codable, Equatable {
    /// What narrows the records that have a value, in turn, until one is left.
    enum Rule: String, Sendable, Codable, CaseIterable {
        /// Of somebody whose identity number has the right check digit.
        case verified
        /// Of the source that comes first in the order of sources.
        case source
        /// Of the record that was changed last.
        case newest
        /// The longest text; one in Chinese characters before one in letters.
        case complete
        /// The smallest value: the earliest date.
        case earliest
    }

    /// Names of sources, the most trusted first; those that are not named come behind.
    var sources: [String] = []
    /// Field -> its rules.
    var fields: [String: [Rule]] = [:]

    static let usual: [Rule] = [.verified, .source, .newest]
    static let shipped = Survivorship(fields: [
        "full_name": [.verified, .source, .complete, .newest], "start_date": [.earliest],
        "region": [.source, .newest], "segment": [.source, .newest], "payment_method": [.source, .newest],
        "language": [.source, .newest],
    ])

    func rules(of field: String) -> [Rule] { fields[field] ?? Self.usual }

    /// What is stored; what cannot be read counts as shipped.
    init(stored: String) {
        guard !stored.isEmpty, let read = try? JSONDecoder().decode(Self.self, from: Data(stored.utf8)) else {
            self = Self.shipped
            return
        }
        self = read
    }

    init(sources: [String] = [], fields: [String: [Rule]]) {
        self.sources = sources
        self.fields = fields
    }

    var encoded: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// Joined records as one: for each field the value that is shown, and where it comes from. It is made when it is
/// looked at, so
/// there is nothing to take apart again.
struct GoldenRecord: Sendable {
    struct Choice: Sendable, Equatable {
        let field: String
        let value: String
        let from: CustomerID
        let source: String
        /// `only`, `agree`, or the rule that decided.
        let rule: String
        /// Other values, with their sources.
        let others: [Other]
    }

    struct Other: Sendable, Equatable {
        let value: String
        let from: CustomerID
        let source: String
    }

    let choices: [Choice]
    let monthlyCharge: Int64?
    /// Each record with its source, in the order asked.
    let records: [CustomerRecord]
    private let byField: [String: Choice]

    /// Fields of which one value is shown, by the names they have on the page.
    static let fields: [(key: String, get: @Sendable (CustomerRecord) -> String?)] = [
        ("full_name", { $0.party.displayName }), ("kind", { $0.party.kind.rawValue }), ("gender", { $0.party.gender }),
        ("birth_date", { $0.party.birthDate?.description }), ("language", { $0.party.language }),
        ("industry", { $0.party.industry }), ("size_tier", { $0.party.sizeTier?.rawValue }),
        ("segment", { $0.customer.segment }),
        ("region", { [$0.customer.region, $0.customer.city].compactMap { $0 }.joined(separator: " ") }),
        ("start_date", { $0.customer.since?.description }), ("payment_method", { $0.customer.paymentMethod }),
    ]

    init(_ records: [CustomerRecord], _ rules: Survivorship) {
        self.records = records
        choices = Self.fields.compactMap { Self.choice($0.key, $0.get, records, rules) }
        byField = Dictionary(choices.map { ($0.field, $0) }, uniquingKeysWith: { first, _ in first })
        var sum: Int64?
        // What somebody paid who left counts as long as all have: else it is only what still runs.
        let haveLeft = records.allSatisfy { $0.customer.hasLeft == true }
        for record in records {
            if let charge = record.charge(withEnded: haveLeft) { sum = (sum ?? 0).plus(charge) }
        }
        monthlyCharge = sum
    }

    static func load(_ ids: [CustomerID], _ session: any SQLSession) throws -> GoldenRecord {
        GoldenRecord(
            try CustomerLoader.records(ids, session),
            Survivorship(stored: try MatchStore.setting(session).survivorship))
    }

    func choice(_ field: String) -> Choice? { byField[field] }

    private static func choice(
        _ field: String, _ get: (CustomerRecord) -> String?, _ records: [CustomerRecord], _ rules: Survivorship
    ) -> Choice? {
        let known = records.compactMap { record -> (record: CustomerRecord, value: String)? in
            get(record).flatMap { $0.isEmpty ? nil : (record, $0) }
        }
        guard let first = known.first else { return nil }
        var left = known
        var decided = known.count == 1 ? "only" : "agree"
        for rule in rules.rules(of: field) + [.newest] where Set(left.map(\.value)).count > 1 {
            let kept = narrow(left, rule, rules)
            if kept.count < left.count { decided = rule.rawValue }
            left = kept
        }
        // Of equals the oldest record.
        var best = left.min { $0.record.id < $1.record.id } ?? first
        if field == "full_name", let written = Self.written(best.value, known) {
            (best, decided) = (written, Survivorship.Rule.complete.rawValue)
        }
        var seen: Set<String> = [best.value]
        let others = known.filter { seen.insert($0.value).inserted }
        return Choice(
            field: field, value: best.value, from: best.record.id, source: best.record.customer.source, rule: decided,
            others: others.map { Other(value: $0.value, from: $0.record.id, source: $0.record.customer.source) })
    }

    /// How a name is read in letters says less than its characters, whoever brought it and however sure its record is.
    private static func written(
        _ name: String, _ known: [(record: CustomerRecord, value: String)]
    ) -> (record: CustomerRecord, value: String)? {
        guard !isWritten(name) else { return nil }
        return known.filter { isWritten($0.value) && NameReading.isSame(name, $0.value) }.min { $0.record.id < $1.record.id }
    }

    private static func isWritten(_ name: String) -> Bool { name.unicodeScalars.contains(where: Han.contains) }

    private static func narrow(
        _ known: [(record: CustomerRecord, value: String)], _ rule: Survivorship.Rule, _ rules: Survivorship
    ) -> [(record: CustomerRecord, value: String)] {
        switch rule {
        case .verified:
            let sure = known.filter { $0.record.documents.contains { IdentityNumber($0.number)?.isChecked ?? false } }
            return sure.isEmpty ? known : sure
        case .source:
            func rank(_ record: CustomerRecord) -> Int {
                rules.sources.firstIndex(of: record.customer.source) ?? rules.sources.count
            }
            let best = known.map { rank($0.record) }.min()
            return known.filter { rank($0.record) == best }
        case .newest:
            let last = known.map(\.record.customer.updatedAt).max()
            return known.filter { $0.record.customer.updatedAt == last }
        case .complete:
            // The sound of a name, 'Wang Xiaoming', is longer than its characters and says less.
            let written = known.filter { $0.value.unicodeScalars.contains { (0x3400...0x9FFF).contains($0.value) } }
            let best = written.isEmpty ? known : written
            let longest = best.map(\.value.count).max()
            return best.filter { $0.value.count == longest }
        case .earliest:
            let first = known.map(\.value).min()
            return known.filter { $0.value == first }
        }
    }
}
