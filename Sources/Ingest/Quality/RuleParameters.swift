import Foundation
import Kernel
import Web

/// How a date or number of a range is given.
enum RuleBound: Sendable, Equatable {
    case number(Double)
    case date(LocalDate)
    /// `today`, `today-120y`, `today+30d`.
    case today(years: Int, days: Int)

    /// The day it means.
    func day(_ today: LocalDate) -> LocalDate? {
        switch self {
        case .number: nil
        case .date(let date): date
        case .today(let years, let days): today.adding(months: years * 12).adding(days: days)
        }
    }

    var json: JSONValue {
        switch self {
        case .number(let number):
            number == number.rounded() && abs(number) < 1e15 ? .int(Int64(number)) : .double(number)
        case .date(let date): .string(date.description)
        case .today(let years, let days):
            .string(
                "today" + (years == 0 ? "" : (years < 0 ? "-" : "+") + "\(abs(years))y")
                    + (days == 0 ? "" : (days < 0 ? "-" : "+") + "\(abs(days))d"))
        }
    }
}

enum RuleComparison: String, Sendable, CaseIterable {
    case less = "<"
    case lessOrEqual = "<="
    case more = ">"
    case moreOrEqual = ">="
    case equal = "="
    case different = "!="

    func holds<T: Comparable>(_ left: T, _ right: T) -> Bool {
        switch self {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .more: left > right
        case .moreOrEqual: left >= right
        case .equal: left == right
        case .different: left != right
        }
    }
}

/// The rule holds only for rows whose `field` has one of these values.
struct RuleCondition: Sendable, Equatable {
    let field: String
    let values: [String]
    /// A row that says nothing of the field is checked too: it is taken for what the values say.
    var orMissing = false
}

/// What a rule needs beside its fields. Its text is a JSON object with the members of its kind and no others:
///
///     required   any
///     range      min, max: a number, "2020-01-31", "today", "today-120y", "today+30d"
///     pattern    regex (see SafePattern) or format
///     code       values, ignore_case
///     reference  to: "source_id", "msisdn" or "document_number" of a known customer, or a known "account_number"
///     cross      op: < <= > >= = !=, with: a field
///     fresh      days
///     any kind   when: {"field": ..., "in": [...], "or_missing": true}
///     severity fix   repair, else: warn, quarantine or reject
struct RuleParameters: Sendable, Equatable {
    var any = false
    var min: RuleBound?
    var max: RuleBound?
    var regex: String?
    var format: RuleFormat?
    var values: [String] = []
    var ignoresCase = false
    var to: String?
    var op: RuleComparison?
    var with: String?
    var days: Int?
    var condition: RuleCondition?
    var repair: RuleRepair?
    /// What becomes of a value that the repair does not help.
    var otherwise: RuleSeverity = .warn

    static let textMax = 4_000
    static let valuesMax = 500
    static let references = ["source_id", "msisdn", "document_number", "account_number"]

    /// - Throws: `CRMError` 422 "rule_parameters" that says what is wrong with the text.
    static func parse(_ text: String, _ kind: RuleKind, _ severity: RuleSeverity) throws(CRMError) -> RuleParameters {
        guard text.utf8.count <= textMax else { throw invalid("longer than \(textMax) bytes", "超过 \(textMax) 字节") }
        let trimmed = text.trimmed
        let value: JSONValue
        do { value = trimmed.isEmpty ? .object([:]) : try JSONValue.parse(Array(trimmed.utf8)) } catch {
            throw invalid("not a JSON object", "不是 JSON 对象")
        }
        guard case .object(let object) = value else { throw invalid("not a JSON object", "不是 JSON 对象") }
        let allowed = members(kind) + ["when"] + (severity == .fix ? ["repair", "else"] : [])
        if let unknown = object.keys.sorted().first(where: { !allowed.contains($0) }) {
            throw invalid(
                "“\(unknown.prefix(40))” means nothing here; allowed: \(allowed.joined(separator: ", "))",
                "“\(unknown.prefix(40))”在此无效；可用：\(allowed.joined(separator: "、"))")
        }
        return try Reader(object: object).parameters(kind, severity)
    }

    private static func members(_ kind: RuleKind) -> [String] {
        switch kind {
        case .required: ["any"]
        case .type, .unique: []
        case .range: ["min", "max"]
        case .pattern: ["regex", "format"]
        case .code: ["values", "ignore_case"]
        case .reference: ["to"]
        case .cross: ["op", "with"]
        case .fresh: ["days"]
        }
    }

    static func invalid(_ en: String, _ zh: String) -> CRMError {
        .invalid("parameters", "rule_parameters", Words(en: "Parameters: \(en).", zh: "参数：\(zh)。"))
    }

    /// The text that `parse` reads as these.
    func encoded(_ kind: RuleKind, _ severity: RuleSeverity) -> String {
        var object: [String: JSONValue] = [:]
        if any { object["any"] = .bool(true) }
        if let min { object["min"] = min.json }
        if let max { object["max"] = max.json }
        if let regex { object["regex"] = .string(regex) }
        if let format { object["format"] = .string(format.rawValue) }
        if !values.isEmpty { object["values"] = .array(values.map { .string($0) }) }
        if ignoresCase { object["ignore_case"] = .bool(true) }
        if let to { object["to"] = .string(to) }
        if let op { object["op"] = .string(op.rawValue) }
        if let with { object["with"] = .string(with) }
        if let days { object["days"] = .int(Int64(days)) }
        if let condition {
            var when: [String: JSONValue] = [
                "field": .string(condition.field), "in": .array(condition.values.map { .string($0) }),
            ]
            if condition.orMissing { when["or_missing"] = .bool(true) }
            object["when"] = .object(when)
        }
        if severity == .fix {
            if let repair { object["repair"] = .string(repair.rawValue) }
            if otherwise != .warn { object["else"] = .string(otherwise.rawValue) }
        }
        return JSONValue.object(object).encoded()
    }
}

/// Reads the members one by one; each is of one type only.
private struct Reader {
    let object: [String: JSONValue]

    func parameters(_ kind: RuleKind, _ severity: RuleSeverity) throws(CRMError) -> RuleParameters {
        var result = RuleParameters()
        switch kind {
        case .required: result.any = try flag("any")
        case .type, .unique: break
        case .range: (result.min, result.max) = try range()
        case .pattern: (result.regex, result.format) = try pattern()
        case .code:
            guard let values = try texts("values", object["values"]), !values.isEmpty else {
                throw RuleParameters.invalid("“values” must list the codes", "values 须列出代码")
            }
            result.values = values
            result.ignoresCase = try flag("ignore_case")
        case .reference:
            guard let to = try text("to"), RuleParameters.references.contains(to) else {
                let all = RuleParameters.references.joined(separator: ", ")
                throw RuleParameters.invalid("“to” must be one of \(all)", "to 须为 \(all) 之一")
            }
            result.to = to
        case .cross:
            guard let op = try text("op").flatMap(RuleComparison.init(rawValue:)) else {
                throw RuleParameters.invalid("“op” must be one of < <= > >= = !=", "op 须为 < <= > >= = != 之一")
            }
            guard let with = try text("with"), !with.isEmpty else {
                throw RuleParameters.invalid("“with” must name the other field", "with 须为另一字段")
            }
            (result.op, result.with) = (op, with)
        case .fresh:
            guard case .int(let days)? = object["days"], (1...36_500).contains(days) else {
                throw RuleParameters.invalid("“days” must be a whole number from 1 to 36500", "days 须为 1 到 36500 的整数")
            }
            result.days = Int(days)
        }
        if let when = object["when"] { result.condition = try condition(when) }
        if severity == .fix { try repair(&result, kind) }
        return result
    }

    private func flag(_ name: String) throws(CRMError) -> Bool {
        guard let value = object[name] else { return false }
        guard let flag = value.bool else {
            throw RuleParameters.invalid("“\(name)” must be true or false", "\(name) 须为 true 或 false")
        }
        return flag
    }

    private func text(_ name: String) throws(CRMError) -> String? {
        guard let value = object[name] else { return nil }
        guard let text = value.string else {
            throw RuleParameters.invalid("“\(name)” must be a text", "\(name) 须为文本")
        }
        return text
    }

    private func texts(_ name: String, _ value: JSONValue?) throws(CRMError) -> [String]? {
        guard let value else { return nil }
        guard let array = value.array, array.count <= RuleParameters.valuesMax,
            array.allSatisfy({ ($0.string?.utf8.count).map { $0 <= 200 } ?? false })
        else {
            throw RuleParameters.invalid(
                "“\(name)” must be a list of at most \(RuleParameters.valuesMax) texts",
                "\(name) 须为不超过 \(RuleParameters.valuesMax) 个文本的列表")
        }
        return array.compactMap(\.string)
    }

    private func range() throws(CRMError) -> (RuleBound?, RuleBound?) {
        let (min, max) = (try bound("min"), try bound("max"))
        switch (min, max) {
        case (nil, nil): throw RuleParameters.invalid("“min” or “max” is missing", "缺少 min 或 max")
        case (.number(let low)?, .number(let high)?) where low > high:
            throw RuleParameters.invalid("“min” is greater than “max”", "min 大于 max")
        case (.number?, .number?), (nil, _), (_, nil): break
        case (.number?, _), (_, .number?):
            throw RuleParameters.invalid("“min” and “max” must both be numbers or both dates", "min 与 max 须同为数字或日期")
        case (.date(let low)?, .date(let high)?) where low > high:
            throw RuleParameters.invalid("“min” is later than “max”", "min 晚于 max")
        default: break
        }
        return (min, max)
    }

    private func bound(_ name: String) throws(CRMError) -> RuleBound? {
        switch object[name] {
        case nil: return nil
        case .int(let number)?: return .number(Double(number))
        case .double(let number)? where number.isFinite: return .number(number)
        case .string(let text)?:
            if let date = LocalDate(text) { return .date(date) }
            if let day = Self.today(text) { return day }
        default: break
        }
        throw RuleParameters.invalid(
            "“\(name)” must be a number, a date (2020-01-31) or today, today-120y, today+30d",
            "\(name) 须为数字、日期（2020-01-31）或 today、today-120y、today+30d")
    }

    private static func today(_ text: String) -> RuleBound? {
        guard let match = text.wholeMatch(of: /today(?:([+-])(\d{1,3})y)?(?:([+-])(\d{1,5})d)?/) else { return nil }
        func signed(_ sign: Substring?, _ digits: Substring?) -> Int {
            let number = digits.flatMap { Int($0) } ?? 0
            return sign == "-" ? -number : number
        }
        return .today(years: signed(match.1, match.2), days: signed(match.3, match.4))
    }

    private func pattern() throws(CRMError) -> (String?, RuleFormat?) {
        let regex = try text("regex")
        let format = try text("format")
        guard (regex == nil) != (format == nil) else {
            throw RuleParameters.invalid("give either “regex” or “format”", "regex 与 format 须二选一")
        }
        if let regex {
            do throws(SafePattern.Invalid) { _ = try SafePattern(regex) } catch {
                throw RuleParameters.invalid("“regex”: \(error.words.en)", "regex：\(error.words.zh)")
            }
        }
        guard let format else { return (regex, nil) }
        guard let known = RuleFormat(rawValue: format) else {
            let all = RuleFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw RuleParameters.invalid("“format” must be one of \(all)", "format 须为 \(all) 之一")
        }
        return (nil, known)
    }

    private func condition(_ value: JSONValue) throws(CRMError) -> RuleCondition {
        guard let object = value.object, Set(object.keys).subtracting(["or_missing"]) == ["field", "in"],
            let field = object["field"]?.string, !field.isEmpty, let values = try texts("when.in", object["in"]),
            !values.isEmpty, object["or_missing"] == nil || object["or_missing"]?.bool != nil
        else {
            throw RuleParameters.invalid(
                #"“when” must be {"field": name, "in": [values]}, or with "or_missing": true or false"#,
                #"when 须为 {"field": 字段, "in": [值]}，可另加 "or_missing": true 或 false"#)
        }
        return RuleCondition(field: field, values: values, orMissing: object["or_missing"]?.bool ?? false)
    }

    private func repair(_ result: inout RuleParameters, _ kind: RuleKind) throws(CRMError) {
        guard let repair = try text("repair").flatMap(RuleRepair.init(rawValue:)) else {
            let all = RuleRepair.allCases.map(\.rawValue).joined(separator: ", ")
            throw RuleParameters.invalid("“repair” must be one of \(all)", "repair 须为 \(all) 之一")
        }
        guard repair.kinds.contains(kind) else {
            throw RuleParameters.invalid(
                "“\(repair.rawValue)” does not repair what a rule of this kind finds", "\(repair.rawValue) 不适用于此类规则")
        }
        result.repair = repair
        guard let text = try text("else") else { return }
        guard let severity = RuleSeverity(rawValue: text), severity != .fix else {
            throw RuleParameters.invalid(
                "“else” must be warn, quarantine or reject", "else 须为 warn、quarantine 或 reject")
        }
        result.otherwise = severity
    }
}
