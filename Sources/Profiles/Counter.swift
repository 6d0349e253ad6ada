import Kernel
import Platform
import Storage

package enum CounterKind {}
package enum SeriesKind {}
package enum ProfileSourceKind {}
package typealias CounterID = ID<CounterKind>
package typealias SeriesID = ID<SeriesKind>
package typealias ProfileSourceID = ID<ProfileSourceKind>

/// What an attribute of an event may be.
package enum AttributeValue: Sendable, Hashable {
    case text(String)
    /// Thousandths.
    case number(Int64)

    /// As it is written in conditions.
    var asText: String {
        switch self {
        case .text(let text): text
        case .number(let value): Thousandths.text(value)
        }
    }
}

/// What an event must be like to be counted: `channel = app`, `amount >= 10`.
package struct CounterCondition: Sendable, Hashable {
    package enum Comparison: String, Sendable, CaseIterable {
        case notEqual = "!="
        case atMost = "<="
        case atLeast = ">="
        case equal = "="
        case less = "<"
        case more = ">"
    }
    package let field: String
    package let comparison: Comparison
    package let value: String

    /// An event without the attribute meets `!=` only.
    func holds(_ attributes: [String: AttributeValue]) -> Bool {
        guard let found = attributes[field] else { return comparison == .notEqual }
        switch comparison {
        case .equal: return isEqual(found)
        case .notEqual: return !isEqual(found)
        case .less, .more, .atMost, .atLeast:
            guard case .number(let left) = found, let right = Thousandths.parse(value) else { return false }
            return switch comparison {
            case .less: left < right
            case .more: left > right
            case .atMost: left <= right
            default: left >= right
            }
        }
    }

    private func isEqual(_ found: AttributeValue) -> Bool {
        switch found {
        case .text(let text): text == value
        case .number(let number): Thousandths.parse(value) == number
        }
    }

    var text: String { "\(field) \(comparison.rawValue) \(value)" }

    /// Conditions one a line; all must hold.
    /// - Throws: `CRMError` 422 for the field `conditions`.
    package static func parse(_ text: String) throws -> [CounterCondition] {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
        guard lines.count <= CounterDefinition.conditionsMax else { throw fault(lines[CounterDefinition.conditionsMax]) }
        return try lines.map { line in
            guard let at = line.firstIndex(where: { "!<>=".contains($0) }),
                let comparison = Comparison.allCases.first(where: { line[at...].hasPrefix($0.rawValue) })
            else { throw fault(line) }
            let field = line[..<at].trimmed
            let value = line[at...].dropFirst(comparison.rawValue.count).trimmed
            guard CounterDefinition.isName(field), !value.isEmpty, value.count <= ProfileEvent.textMax,
                [.equal, .notEqual].contains(comparison) || Thousandths.parse(value) != nil
            else { throw fault(line) }
            return CounterCondition(field: field, comparison: comparison, value: value)
        }
    }

    private static func fault(_ line: String) -> CRMError {
        let shown = String(line.prefix(60))
        return CRMError.invalid(
            "conditions", "conditions",
            Words(
                en: "“\(shown)” is no condition. Write one a line, at most \(CounterDefinition.conditionsMax): channel = app, amount >= 10.",
                zh: "“\(shown)”不是有效条件。请每行写一个，最多 \(CounterDefinition.conditionsMax) 个：channel = app，amount >= 10。"))
    }
}

/// A counter of the live profile, as data.
package struct CounterDefinition: Sendable, Hashable {
    static let conditionsMax = 10
    static let countersMax = 100
    static let nameMax = 60

    package let id: CounterID
    /// Stable name for other uses: `app_log_ins`.
    package var key: String
    /// Its buckets; another meaning begins another series.
    package var series: SeriesID
    package var title: Words
    /// Of the events it counts: `app.login`.
    package var kind: String
    package var conditions: [CounterCondition] = []
    /// Whose numbers are summed; empty = none.
    package var sumField = ""
    /// Whose different values are counted; empty = none.
    package var distinctField = ""
    /// Of the sum.
    package var unit = ""
    /// It counts what was accepted from then on; 0 = from the start.
    package var startedAt = Instant(milliseconds: 0)

    package init(id: CounterID, key: String, series: SeriesID, title: Words, kind: String) {
        self.id = id
        self.key = key
        self.series = series
        self.title = title
        self.kind = kind
    }

    /// What every installation counts from the start: what its own domains tell.
    static let shipped: [CounterDefinition] = [
        shipped(1, "data_used", "Data used", "使用流量", "usage.data", sum: "amount", unit: "MB"),
        shipped(2, "minutes_called", "Billed minutes", "计费分钟", "usage.voice", sum: "amount", unit: "min"),
        shipped(3, "messages_sent", "Messages", "短信", "usage.sms"),
        shipped(4, "calls_dropped", "Dropped calls", "掉话", "usage.dropped"),
        shipped(5, "retention_contacts", "Retention contacts", "挽留联系", "crm.contact", distinct: "outcome"),
        shipped(6, "record_changes", "Changes by hand", "人工修改", "crm.customer.changed"),
        shipped(7, "cases_opened", "Cases opened", "新建工单", "crm.case.opened", distinct: "topic"),
        shipped(8, "bills_overdue", "Bills overdue", "逾期账单", "crm.bill.overdue", sum: "amount"),
    ]

    private static func shipped(
        _ number: Int64, _ key: String, _ en: String, _ zh: String, _ kind: String, sum: String = "",
        distinct: String = "", unit: String = ""
    ) -> CounterDefinition {
        var counter = CounterDefinition(
            id: CounterID(number), key: key, series: SeriesID(number), title: Words(en: en, zh: zh), kind: kind)
        counter.sumField = sum
        counter.distinctField = distinct
        counter.unit = unit
        return counter
    }

    /// Attributes it looks at.
    var fields: Set<String> {
        Set(conditions.map(\.field) + [sumField, distinctField]).subtracting([""])
    }

    var conditionsText: String { conditions.map(\.text).joined(separator: "\n") }

    /// What the page's form replaces.
    var version: String {
        RecordVersion.of([
            title.en, title.zh, kind, conditionsText, sumField, distinctField, unit, "\(series)",
        ])
    }

    /// Whether two mean the same, so that the old buckets hold.
    func means(_ other: CounterDefinition) -> Bool {
        kind == other.kind && conditions == other.conditions && sumField == other.sumField
            && distinctField == other.distinctField
    }

    /// Small letters, digits, `_`, `-` and `.`, beginning with a letter.
    package static func isName(_ text: String) -> Bool {
        guard (1...nameMax).contains(text.utf8.count), let first = text.utf8.first, (97...122).contains(first) else { return false }
        return text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 || $0 == 46 }
    }
}

/// Decimal numbers with three places, as whole thousandths: a sum of them is the same in any order, which one of binary
/// fractions is not.
package enum Thousandths {
    /// A number beyond ±10^9 is refused, so that nine million of the largest fit in a day's sum.
    static let max: Int64 = 1_000_000_000_000

    package static func of(_ value: Double) -> Int64? {
        let scaled = (value * 1_000).rounded()
        return abs(scaled) <= Double(max) ? Int64(scaled) : nil
    }

    /// An amount of money in major units; the largest that counts when there is more.
    static func of(_ minor: Int64, _ currency: String) -> Int64 {
        var value = Swift.min(Swift.max(minor, -max), max)
        for _ in 0..<Swift.max(0, 3 - Money.exponent(of: currency)) { value *= 10 }
        return Swift.min(Swift.max(value, -max), max)
    }

    static func parse(_ text: String) -> Int64? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 || $0 == 46 }), let value = Double(text) else { return nil }
        return of(value)
    }

    /// `12.5`, `-0.001`, `7`.
    package static func text(_ value: Int64) -> String {
        let (whole, rest) = (value.magnitude / 1_000, value.magnitude % 1_000)
        var fraction = rest == 0 ? "" : "." + String(String(1_000 + rest).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (value < 0 ? "-" : "") + String(whole) + fraction
    }
}
