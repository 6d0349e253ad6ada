import Kernel
import Web

/// Compares documents with conditions and with one another. What the engine answers by an index must agree with this: it
/// is the meaning of the query language, and what is left when an index has narrowed a list down.
package enum TMFMatch {
    /// Whether a document meets all conditions. `regex` is asked of `pattern`, which was compiled once.
    package static func meets(
        _ document: JSONObject, _ conditions: [TMFCondition], pattern: (TMFCondition, String) -> Bool
    ) -> Bool {
        conditions.allSatisfy { condition in
            let found = condition.target.path.values(in: document)
            switch condition.comparison {
            case .ne:
                return !found.contains { value in condition.values.contains { isEqual(value, $0, condition.target) } }
            case .regex: return found.contains { pattern(condition, text($0)) }
            default:
                return found.contains { value in
                    condition.values.contains { compare(value, $0, condition.target, condition.comparison) }
                }
            }
        }
    }

    /// - Throws: 400 when a value cannot be one of the attribute: it would never be found.
    static func check(_ value: String, _ target: TMFSchema.Target, _ comparison: TMFCondition.Operator) throws {
        let name = target.path.description
        let expected: Words?
        switch target.kind {
        case .number where Double(value) == nil: expected = Words(en: "a number", zh: "数字")
        case .integer where Int64(value) == nil: expected = Words(en: "a whole number", zh: "整数")
        case .boolean where value != "true" && value != "false": expected = Words(en: "true or false", zh: "true 或 false")
        case .boolean where comparison != .eq && comparison != .ne:
            expected = Words(en: "compared with = or .ne only", zh: "仅可用 = 或 .ne 比较")
        case .dateTime, .date:
            expected = comparison != .regex && TMFTime(value) == nil
                ? Words(en: "a time such as 2026-11-29T15:00:00Z", zh: "时间，例如 2026-11-29T15:00:00Z") : nil
        case .code(let words) where comparison == .eq && !words.contains(value):
            let known = words.joined(separator: ", ")
            expected = Words(en: "one of \(known)", zh: "\(known) 之一")
        default: expected = nil
        }
        guard let expected else { return }
        throw TMFQuery.bad(name, Words(
            en: "“\(name)” is \(expected.en), not “\(value.prefix(60))”.", zh: "“\(name)”应为\(expected.zh)，而不是“\(value.prefix(60))”。"))
    }

    /// A value as text, as a query would give it.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .int(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        default: value.encoded()
        }
    }

    private static func isEqual(_ value: JSONValue, _ text: String, _ target: TMFSchema.Target) -> Bool {
        compare(value, text, target, .eq)
    }

    private static func compare(
        _ value: JSONValue, _ text: String, _ target: TMFSchema.Target, _ comparison: TMFCondition.Operator
    ) -> Bool {
        let order: Int?
        switch (target.kind, value) {
        case (.dateTime, .string(let own)), (.date, .string(let own)):
            // The text that was sent finds itself, whatever it says.
            if comparison == .eq, own == text { return true }
            order = (TMFDay.isMeant(by: target.path) ? TMFDay.order(own, to: text) : nil)
                ?? TMFTime(own).flatMap { left in TMFTime(text).map { ordered(left.milliseconds, $0.milliseconds) } }
        case (_, .int(let own)):
            order = Int64(text).map { ordered(own, $0) } ?? Double(text).map { ordered(Double(own), $0) }
        case (_, .double(let own)): order = Double(text).map { ordered(own, $0) }
        // By all its digits where they are the same, else by what a double has of them.
        case (_, .decimal(let own)):
            order = own == text ? 0 : Double(own).flatMap { left in Double(text).map { ordered(left, $0) } }
        case (_, .bool): order = self.text(value) == text ? 0 : nil
        case (_, .string(let own)): order = ordered(own, text)
        default: order = nil
        }
        guard let order else { return false }
        switch comparison {
        case .eq: return order == 0
        case .gt: return order > 0
        case .gte: return order >= 0
        case .lt: return order < 0
        case .lte: return order <= 0
        case .ne, .regex: return false
        }
    }

    private static func ordered<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left == right ? 0 : 1 }

    /// By bytes, as both engines order text: Swift's own order would take letters with other marks for equal.
    private static func ordered(_ left: String, _ right: String) -> Int {
        if left.utf8.elementsEqual(right.utf8) { return 0 }
        return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }

    // MARK: Order

    /// What a document is ordered by: the least of several values (the greatest where that comes first), `nil` for none.
    package static func key(_ document: JSONObject, _ sort: TMFSort) -> JSONValue? {
        var found = sort.target.path.values(in: document)
        // Ids are numbers of ours, in the order in which they were given.
        if sort.target.path.names == ["id"] { found = found.map { $0.string.flatMap(Int64.init).map(JSONValue.int) ?? $0 } }
        if let key = sort.key { found = found.map { .string(key(text($0))) } }
        let kind = sort.target.kind
        return sort.isDescending
            ? found.max { order($0, $1, kind) < 0 } : found.min { order($0, $1, kind) < 0 }
    }

    /// Less than 0 when the first comes before the second in ascending order.
    package static func order(_ left: JSONValue, _ right: JSONValue, _ kind: TMFSchema.Kind) -> Int {
        switch (left, right) {
        case (.string(let one), .string(let two)):
            if kind == .dateTime || kind == .date, let first = TMFTime(one), let second = TMFTime(two) {
                return ordered(first.milliseconds, second.milliseconds)
            }
            return ordered(one, two)
        case (.int(let one), .int(let two)): return ordered(one, two)
        default:
            if let one = left.double, let two = right.double { return ordered(one, two) }
            return ordered(text(left), text(right))
        }
    }

    /// Whether one document comes before another. Those without a value come last, either way; the id decides in the end.
    package static func precedes(
        _ left: JSONObject, _ right: JSONObject, _ sort: [TMFSort], id: (JSONObject) -> String
    ) -> Bool {
        for one in sort {
            switch (key(left, one), key(right, one)) {
            case (nil, nil): continue
            case (nil, _): return false
            case (_, nil): return true
            case (let first?, let second?):
                let order = order(first, second, one.target.kind)
                if order != 0 { return one.isDescending ? order > 0 : order < 0 }
            }
        }
        return precedes(id(left), id(right))
    }

    /// Ids are numbers that grow: the shorter one is the older one.
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count ? ordered(left, right) < 0 : left.utf8.count < right.utf8.count
    }
}
