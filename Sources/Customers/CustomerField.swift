import Kernel
import Platform
import Storage

/// What setting a field may need to know.
struct FieldContext: Sendable {
    let ids: IDGenerator
    /// The date in the tenant's zone.
    let today: LocalDate
    /// ISO 4217, for amounts.
    let currency: String
    /// Name of the source whose numbers `source_id` holds.
    let source: String
    /// The line that number, plan, contract, charge and status are about; `nil` = the main line.
    var line: SubscriptionID?
    /// The line was named by its number: what is said of add-ons is said of it alone.
    var namesLine = false
    /// The customer or the line is being made, so that the source tells of no change of its status.
    var isNew = false
    /// The day of leaving that stands beside what is being set.
    var leftOn: LocalDate?
}

/// A value that a field cannot take.
struct FieldRefusal: Error, Sendable {
    let code: String
    let words: Words
    init(_ code: String, en: String, zh: String) {
        self.code = code
        words = Words(en: en, zh: zh)
    }
}

/// One editable or importable fact of a customer: how it is described, read and written. Imports, their revert and the
/// edit page share these definitions, so that a value means the same wherever it comes from.
struct CustomerField: Sendable {
    let field: ImportField
    /// Follows from another field (tenure from the start date): never part of a change list.
    let derived: Bool
    /// As it is stored; `.null` when there is none.
    let get: @Sendable (CustomerRecord, FieldContext) -> SQLValue
    /// Takes a parsed value of the field's kind, or `.null` to take it away.
    let set: @Sendable (inout CustomerRecord, SQLValue, FieldContext) throws(FieldRefusal) -> Void

    init(
        _ key: String, _ words: Words, _ kind: ImportFieldKind, canMatch: Bool = false, derived: Bool = false,
        _ synonyms: [String] = [],
        get: @escaping @Sendable (CustomerRecord, FieldContext) -> SQLValue,
        set: @escaping @Sendable (inout CustomerRecord, SQLValue, FieldContext) throws(FieldRefusal) -> Void
    ) {
        field = ImportField(
            key, words, kind, canMatch: canMatch, synonyms: synonyms + (EuropeanSynonyms.words[key] ?? []))
        self.derived = derived
        self.get = get
        self.set = set
    }

    var key: String { field.key }
    var words: Words { field.words }
    var kind: ImportFieldKind { field.kind }

    /// How the value is hidden from those who may not see it.
    var mask: MaskKind {
        switch key {
        case "full_name", "family_name", "given_name": .name
        case "phone", "msisdn": .phone
        case "email": .email
        case "address", "latitude", "longitude": .address
        case "document_number": .identity
        case "birth_date": .date
        default: .none
        }
    }

    /// A text that is a plain property of the record.
    static func text(
        _ key: String, _ words: Words, max: Int, _ path: any WritableKeyPath<CustomerRecord, String?> & Sendable,
        _ synonyms: [String]
    ) -> CustomerField {
        CustomerField(
            key, words, .text(max), synonyms, get: { record, _ in .text(record[keyPath: path]) },
            set: { record, value, _ throws(FieldRefusal) in record[keyPath: path] = value.asText })
    }

    static func flag(
        _ key: String, _ words: Words, _ path: any WritableKeyPath<CustomerRecord, Bool?> & Sendable,
        _ synonyms: [String]
    ) -> CustomerField {
        CustomerField(
            key, words, .boolean, synonyms, get: { record, _ in .bool(record[keyPath: path]) },
            set: { record, value, _ throws(FieldRefusal) in record[keyPath: path] = value.asBool })
    }
}

extension SQLValue {
    /// The text, `nil` for null and for the empty text.
    var asText: String? {
        if case .text(let text) = self, !text.isEmpty { return text }
        return nil
    }
    var asInt: Int64? {
        switch self {
        case .int(let int): int
        case .double(let double) where double.rounded() == double && abs(double) < 9e15: Int64(double)
        default: nil
        }
    }
    var asDouble: Double? {
        switch self {
        case .int(let int): Double(int)
        case .double(let double): double
        default: nil
        }
    }
    var asBool: Bool? {
        switch self {
        case .bool(let bool): bool
        // SQLite gives booleans back as integers.
        case .int(let int): int != 0
        default: nil
        }
    }
    var asDate: LocalDate? { asText.flatMap { LocalDate($0) } }
}

/// Whole months from `start` to `end`, at least 0.
func monthsBetween(_ start: LocalDate, _ end: LocalDate) -> Int {
    let months = (end.year - start.year) * 12 + end.month - start.month
    // A period that began on the 31st is full on the last day of a shorter month.
    let full = start.adding(months: months) <= end
    return max(0, full ? months : months - 1)
}
