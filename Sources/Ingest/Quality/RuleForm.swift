import Kernel
import Platform
import Storage
import Web

/// A rule as a steward fills it in: fields by name, what each kind needs in inputs of its own. It is turned into the same
/// parameters as the JSON text, so both forms say the same of one rule.
struct RuleForm: Sendable {
    /// Tells this form from the one with JSON.
    static let mark = "by_parts"
    static let names = [
        mark, "f.*", "p.any", "p.min.is", "p.min", "p.min.years", "p.min.days", "p.max.is", "p.max", "p.max.years",
        "p.max.days", "p.format", "p.regex", "p.values", "p.ignore_case", "p.to", "p.op", "p.with", "p.days", "p.repair",
        "p.else", "p.when", "p.when.in", "p.or_missing",
    ]
    private static let ownPattern = "own"

    let form: Form

    /// Fields in the order of the list they are chosen from.
    func fields(_ all: [ImportField]) -> [String] { all.map(\.key).filter { form["f.\($0)"] == "1" } }

    /// The object that `RuleParameters.parse` reads.
    /// - Throws: `CRMError` 422 that names the input by its label.
    func parameters(_ kind: RuleKind, _ severity: RuleSeverity) throws(CRMError) -> RuleParameters {
        var object: [String: JSONValue] = [:]
        switch kind {
        case .required: if form["p.any"] == "1" { object["any"] = .bool(true) }
        case .type, .unique: break
        case .range:
            object["min"] = try bound("p.min", Words(en: "From", zh: "最小"))
            object["max"] = try bound("p.max", Words(en: "To", zh: "最大"))
            guard !object.isEmpty else {
                throw Self.invalid("p.min", Words(en: "Give a lower or an upper limit.", zh: "请填写下限或上限。"))
            }
        case .pattern: try pattern(&object)
        case .code:
            let values = Self.list(form["p.values"] ?? "")
            guard !values.isEmpty else {
                throw Self.invalid("p.values", Words(en: "List the codes, one a line.", zh: "请列出代码，每行一个。"))
            }
            object["values"] = .array(values.map { .string($0) })
            if form["p.ignore_case"] == "1" { object["ignore_case"] = .bool(true) }
        case .reference: object["to"] = .string(form["p.to"] ?? "")
        case .cross:
            object["op"] = .string(form["p.op"] ?? "")
            guard let with = form["p.with"], !with.isEmpty else {
                throw Self.invalid("p.with", Words(en: "Choose the field to compare with.", zh: "请选择要比较的字段。"))
            }
            object["with"] = .string(with)
        case .fresh:
            guard let days = Int64((form["p.days"] ?? "").trimmed), (1...36_500).contains(days) else {
                throw Self.invalid(
                    "p.days", Words(en: "Give the days: a whole number from 1 to 36,500.", zh: "请填写天数：1 到 36500 的整数。"))
            }
            object["days"] = .int(days)
        }
        try condition(&object)
        if severity == .fix {
            object["repair"] = .string(form["p.repair"] ?? "")
            if let other = form["p.else"], !other.isEmpty { object["else"] = .string(other) }
        }
        return try RuleParameters.parse(JSONValue.object(object).encoded(), kind, severity)
    }

    private func pattern(_ object: inout [String: JSONValue]) throws(CRMError) {
        let format = form["p.format"] ?? ""
        guard format.isEmpty || format == Self.ownPattern else { return object["format"] = .string(format) }
        let regex = (form["p.regex"] ?? "").trimmed
        guard !regex.isEmpty else {
            throw Self.invalid("p.regex", Words(en: "Choose a format, or write a pattern.", zh: "请选择格式，或填写自定义表达式。"))
        }
        object["regex"] = .string(regex)
    }

    private func condition(_ object: inout [String: JSONValue]) throws(CRMError) {
        guard let field = form["p.when"], !field.isEmpty else { return }
        let values = Self.list(form["p.when.in"] ?? "")
        guard !values.isEmpty else {
            throw Self.invalid(
                "p.when.in", Words(en: "List the values for which the rule holds, one a line.", zh: "请列出规则适用的值，每行一个。"))
        }
        var when: [String: JSONValue] = ["field": .string(field), "in": .array(values.map { .string($0) })]
        if form["p.or_missing"] == "1" { when["or_missing"] = .bool(true) }
        object["when"] = .object(when)
    }

    /// A limit: none, a number or date, or a day counted from today.
    private func bound(_ name: String, _ label: Words) throws(CRMError) -> JSONValue? {
        func number(_ part: String, _ range: ClosedRange<Int>) throws(CRMError) -> Int {
            let text = (form["\(name).\(part)"] ?? "").trimmed
            guard !text.isEmpty else { return 0 }
            guard let value = Int(text.hasPrefix("+") ? String(text.dropFirst()) : text), range.contains(value) else {
                throw Self.invalid(
                    "\(name).\(part)",
                    Words(
                        en: "\(label.en): a whole number is expected, before today with a minus.",
                        zh: "\(label.zh)：应为整数，早于今天请加负号。"))
            }
            return value
        }
        switch form["\(name).is"] ?? "" {
        case "value":
            let text = (form[name] ?? "").trimmed
            if let date = LocalDate(text) { return .string(date.description) }
            let plain = text.replacing(",", with: "")
            if let whole = Int64(plain) { return .int(whole) }
            if let decimal = Double(plain), decimal.isFinite { return .double(decimal) }
            throw Self.invalid(
                name,
                Words(
                    en: "\(label.en): a number or a date such as 2020-01-31 is expected.",
                    zh: "\(label.zh)：应为数字或日期，例如 2020-01-31。"))
        case "today":
            return RuleBound.today(years: try number("years", -999...999), days: try number("days", -99_999...99_999)).json
        default: return nil
        }
    }

    /// One a line; commas part them too, where there is but one line.
    static func list(_ text: String) -> [String] {
        let lines = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
        guard lines.count == 1, let line = lines.first else { return lines }
        return line.split { $0 == "," || $0 == "，" || $0 == "、" }.map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    private static func invalid(_ field: String, _ words: Words) -> CRMError { .invalid(field, "rule_form", words) }
}

// MARK: View

extension RuleForm {
    /// The inputs, filled with what was typed or with the rule that is there.
    static func view(
        _ typed: Form?, _ rule: QualityRule?, _ fields: [ImportField], _ call: Call
    ) -> View {
        let parameters = rule?.parameters ?? RuleParameters()
        let language = call.language
        func text(_ name: String, _ stored: String?) -> ViewValue { .text(typed.map { $0[name] ?? "" } ?? stored) }
        func flag(_ name: String, _ stored: Bool) -> ViewValue { .bool(typed.map { $0[name] == "1" } ?? stored) }
        func options(_ name: String, _ stored: String?, _ all: [(code: String, label: String)]) -> ViewValue {
            let chosen = typed.map { $0[name] ?? "" } ?? stored ?? ""
            return .list(
                all.map { ["code": .text($0.code), "label": .text($0.label), "selected": .bool($0.code == chosen)] })
        }
        let names = fields.map { (code: $0.key, label: $0.words[language]) }
        let stored = Set(rule?.fields ?? [])
        // Those that are chosen come first: the list is long, and scrolls.
        let isChosen = { (key: String) in typed.map { $0["f.\(key)"] == "1" } ?? stored.contains(key) }
        let ordered = fields.filter { isChosen($0.key) } + fields.filter { !isChosen($0.key) }
        let condition = parameters.condition
        let view: View = [
            "fieldChoices": .list(
                ordered.map { field in
                    [
                        "key": .text(field.key), "label": .text(field.words[language]),
                        "kind": .text(call.text("ingest.field.\(field.kind.name)")),
                        "selected": .bool(isChosen(field.key)),
                    ]
                }),
            "any": flag("p.any", parameters.any),
            "formats": options(
                "p.format", parameters.regex == nil ? parameters.format?.rawValue : ownPattern,
                RuleFormat.allCases.map { ($0.rawValue, call.text("rules.format.\($0.rawValue)")) }
                    + [(ownPattern, call.text("rules.format.own"))]),
            "regex": text("p.regex", parameters.regex), "values": text("p.values", parameters.values.joined(separator: "\n")),
            "ignoreCase": flag("p.ignore_case", parameters.ignoresCase),
            "references": options(
                "p.to", parameters.to,
                RuleParameters.references.map { key in
                    (key, fields.first { $0.key == key }?.words[language] ?? call.text("rules.to.\(key)"))
                }),
            "comparisons": options(
                "p.op", parameters.op?.rawValue,
                zip(RuleComparison.allCases, ["less", "most", "more", "least", "equal", "different"]).map {
                    ($0.rawValue, call.text("rules.op.\($1)"))
                }),
            "withFields": options("p.with", parameters.with, names),
            "days": text("p.days", parameters.days.map { "\($0)" }),
            "repairs": options(
                "p.repair", parameters.repair?.rawValue,
                RuleRepair.allCases.map { ($0.rawValue, call.text("rules.repair.\($0.rawValue)")) }),
            "elses": options(
                "p.else", parameters.otherwise.rawValue,
                [RuleSeverity.warn, .quarantine, .reject].map { ($0.rawValue, call.text("rules.severity.\($0.rawValue)")) }),
            "whenFields": options("p.when", condition?.field, names),
            "whenIn": text("p.when.in", condition?.values.joined(separator: "\n")),
            "orMissing": flag("p.or_missing", condition?.orMissing ?? false),
        ]
        return view.merging(["bounds": .list([
            bound("p.min", "rules.min", parameters.min, typed, call), bound("p.max", "rules.max", parameters.max, typed, call),
        ])])
    }

    private static func bound(
        _ name: String, _ label: String, _ bound: RuleBound?, _ typed: Form?, _ call: Call
    ) -> View {
        var (kind, value, years, days) = ("none", "", 0, 0)
        switch bound {
        case nil: break
        case .number(let number)?:
            kind = "value"
            value = number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
        case .date(let date)?: (kind, value) = ("value", date.description)
        case .today(let y, let d)?: (kind, years, days) = ("today", y, d)
        }
        let chosen = typed.map { $0["\(name).is"] ?? "none" } ?? kind
        func option(_ code: String, _ words: String) -> View {
            ["code": .text(code), "label": .text(words), "selected": .bool(code == chosen)]
        }
        return [
            "name": .text(name), "id": .text(name.replacing(".", with: "-")), "label": .text(call.text(label)),
            "kinds": .list([
                option("none", call.text("rules.bound.none")), option("value", call.text("rules.bound.value")),
                option("today", call.text("rules.bound.today")),
            ]),
            "value": .text(typed.map { $0[name] ?? "" } ?? value),
            "years": .text(typed.map { $0["\(name).years"] ?? "" } ?? (years == 0 ? "" : "\(years)")),
            "days": .text(typed.map { $0["\(name).days"] ?? "" } ?? (days == 0 ? "" : "\(days)")),
        ]
    }
}
