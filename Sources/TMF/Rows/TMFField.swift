import Kernel
import Platform
import Storage
import Web

/// A column that holds an attribute, `relatedParty` apart: those are `TMFItems`.
package struct TMFField: Sendable {
    package enum Kind: Sendable, Equatable {
        case text, integer, number, boolean
        /// Epoch milliseconds.
        case time
        /// `YYYY-MM-DD`, a time of the interface whose hour is not kept in the row.
        case date
        /// An id of ours, a number in the database and a text in the interface.
        case id
        /// Words of the interface that stand for words of ours. Text that is none of them is stored as it is.
        case words([String: String])
        /// Any JSON value, as its text: `Characteristic.value`.
        case json
        /// Minor units; the attribute that names the currency.
        case money(currency: AttributePath)
    }

    /// What the server writes by itself where the client says nothing.
    package enum Stamp: Sendable { case created, changed, stateChanged }

    package let path: AttributePath
    package let column: SQL
    package let kind: Kind
    package let stamp: Stamp?
    package let mask: MaskKind
    /// Whether lists are narrowed by it: there is an index that begins with the column.
    package let isIndexed: Bool
    /// Whether lists are ordered by it: besides the index, the column is never NULL.
    package let sorts: Bool
    /// What a row has where a document says nothing.
    package let absent: SQLValue

    package init(
        _ path: String, _ column: SQL, _ kind: Kind = .text, stamp: Stamp? = nil, mask: MaskKind = .none,
        isIndexed: Bool = false, sorts: Bool = false, absent: SQLValue = .null
    ) {
        self.path = AttributePath(path)
        self.column = column
        self.kind = kind
        self.stamp = stamp
        self.mask = mask
        self.isIndexed = isIndexed || sorts
        self.sorts = sorts
        self.absent = absent
    }

    /// The value for the row; `absent` for what it cannot hold, which is then kept beside it.
    func stored(_ document: JSONObject) -> SQLValue {
        if kind == .json {
            // An array is a value here, not several.
            guard let value = path.value(in: document) else { return absent }
            return .text(value.encoded())
        }
        guard let value = path.values(in: document).first else { return absent }
        switch (kind, value) {
        case (.text, .string(let text)): return .text(text)
        case (.words(let words), .string(let text)): return .text(words[text] ?? text)
        case (.integer, .int(let number)): return .int(number)
        case (.number, _): return value.double.map { .double($0) } ?? absent
        case (.boolean, .bool(let flag)): return .bool(flag)
        case (.id, .string(let text)): return Int64(text).flatMap { String($0) == text ? .int($0) : nil } ?? absent
        case (.time, .string(let text)): return TMFTime(text).map { .int($0.milliseconds) } ?? absent
        case (.date, .string(let text)):
            return LocalDate(String(text.prefix(10))).map { .text($0.description) } ?? absent
        case (.money(let currency), _):
            guard let amount = value.double, let unit = currency.values(in: document).first?.string else { return absent }
            let minor = amount * Self.scale(unit)
            // What has more digits than the currency is kept as it was sent.
            guard minor.magnitude < 9e15, (minor - minor.rounded()).magnitude < 1e-6 else { return absent }
            return .int(Int64(minor.rounded()))
        default: return absent
        }
    }

    /// The attribute of a row; `nil` where it has none.
    func shown(_ value: SQLValue, currency: String?) -> JSONValue? {
        switch (kind, value) {
        case (.json, .text(let text)): return try? JSONValue.parse([UInt8](text.utf8))
        case (.words(let words), .text(let text)): return .string(words.first { $0.value == text }?.key ?? text)
        case (.time, .int(let number)): return .string(Instant(milliseconds: number).iso8601)
        case (.id, .int(let number)): return .string(String(number))
        case (.boolean, .int(let number)): return .bool(number != 0)
        case (.money, .int(let minor)):
            guard let currency else { return nil }
            return Self.number(Double(minor) / Self.scale(currency))
        case (_, .text(let text)): return .string(text)
        case (.number, .int(let number)): return .int(number)
        case (_, .int(let number)): return .int(number)
        case (_, .double(let number)): return Self.number(number)
        case (_, .bool(let flag)): return .bool(flag)
        default: return nil
        }
    }

    private static func scale(_ currency: String) -> Double {
        (0..<Money.exponent(of: currency)).reduce(1.0) { scale, _ in scale * 10 }
    }

    /// Whole numbers without `.0`.
    package static func number(_ number: Double) -> JSONValue {
        number.rounded() == number && number.magnitude < 9e15 ? .int(Int64(number)) : .double(number)
    }

    /// What lists ask of it.
    func listed(_ place: TMFColumn.Place, under parent: String?) -> TMFColumn? {
        let name = (parent.map { $0 + "." } ?? "") + path.description
        let kind = kind
        let isOrdered: Bool
        switch kind {
        case .words, .id, .boolean: isOrdered = false
        // Without its currency an amount says nothing, and days have lost their hour.
        case .money, .date, .json: return nil
        default: isOrdered = true
        }
        return TMFColumn(name, place, isOrdered: isOrdered, sorts: sorts && isOrdered, mask: mask) { text in
            switch kind {
            case .text: .text(text)
            case .words(let words): .text(words[text] ?? text)
            case .integer: Int64(text).map { .int($0) }
            case .number: Double(text).map { .double($0) }
            case .boolean: text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
            case .time: TMFTime(text).map { .int($0.milliseconds) }
            case .id: Int64(text).flatMap { String($0) == text ? .int($0) : nil }
            case .money, .date, .json: nil
            }
        }
    }
}

/// The elements of an array, a row each: `relatedParty`, `note`, the items of an order.
package struct TMFItems: Sendable {
    package let attribute: String
    package let table: SQL
    package let fields: [TMFField]
    /// Arrays inside the elements, in tables of their own.
    package let items: [TMFItems]
    /// A column for what the others do not hold of an element. With it the rows have all that was sent, and a domain can change an
    /// element without losing the rest of it; without it, what is sent is kept beside the document until the rows say something else.
    package let rest: SQL?

    /// The table has `owner_id`, `place` and the columns of the fields; one of elements inside of elements has `item` between them, the
    /// place of the outer one. Where the rows belong to customers, `customer_id` comes first.
    package init(_ attribute: String, _ table: SQL, _ fields: [TMFField], items: [TMFItems] = [], rest: SQL? = nil) {
        self.attribute = attribute
        self.table = table
        self.fields = fields
        self.items = items
        self.rest = rest
    }

    /// Related parties as most resources have them.
    /// - Parameter isIndexed: `false` where `TMFColumn.parties` finds the customer of the row too.
    package static func parties(_ table: SQL, _ attribute: String = "relatedParty", isIndexed: Bool = true) -> TMFItems {
        TMFItems(
            attribute, table,
            [
                TMFField("id", "party_id", isIndexed: isIndexed), TMFField("role", "role"), TMFField("name", "name", mask: .name),
                TMFField("@referredType", "referred_type"),
            ])
    }

    package static func notes(_ table: SQL, _ attribute: String = "note") -> TMFItems {
        TMFItems(
            attribute, table,
            [
                TMFField("id", "note_id"), TMFField("author", "author", mask: .name), TMFField("date", "written_at", .time),
                TMFField("text", "text", mask: .name),
            ])
    }
}

extension AttributePath {
    /// The value at the end of a way through objects alone; `null` is none.
    func value(in document: JSONObject) -> JSONValue? {
        var value = JSONValue.object(document)
        for name in names {
            guard let next = value.object?[name], next != .null else { return nil }
            value = next
        }
        return value
    }

    /// Puts a value at the end of the way, making objects on it.
    package func put(_ value: JSONValue, into object: inout JSONObject) { Self.put(value, names[...], &object) }

    private static func put(_ value: JSONValue, _ names: ArraySlice<String>, _ object: inout JSONObject) {
        guard let name = names.first else { return }
        if names.count == 1 { return object[name] = value }
        var inside = object[name]?.object ?? [:]
        put(value, names.dropFirst(), &inside)
        object[name] = .object(inside)
    }
}
