import Kernel

/// What a rule looks at.
enum RuleKind: String, Sendable, CaseIterable {
    case required, type, range, pattern, code, reference, unique, cross, fresh
}

/// What a rule measures.
enum RuleDimension: String, Sendable, CaseIterable {
    case accuracy, completeness, consistency, timeliness
}

/// What becomes of a row that a rule finds fault with; the worst of a row decides.
enum RuleSeverity: String, Sendable, CaseIterable, Comparable {
    /// The row is taken as it is (a cell that cannot be read is left out); it is counted.
    case warn
    /// The value is repaired by the rule's repair; what that does not help is treated as the rule's `else` says.
    case fix
    /// The row is held back until a person repairs or discards it.
    case quarantine
    /// The row goes into the reject file.
    case reject

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    static func < (one: RuleSeverity, other: RuleSeverity) -> Bool { one.rank < other.rank }
}

/// A rule on the rows of an entity: data, kept in the database and changed on a page; those that ship are in
/// `ShippedRules` until somebody changes them.
struct QualityRule: Sendable, Equatable {
    /// Stable; stands in counts, rejects and lineage.
    let key: String
    var name: Words
    /// Key of a source; empty = all.
    var source: String
    var entity: String
    /// Keys of fields. A rule of one value each looks at all of them; `required` with `any`, `unique` and `cross` look at
    /// them together.
    var fields: [String]
    var kind: RuleKind
    var dimension: RuleDimension
    var severity: RuleSeverity
    var parameters: RuleParameters
    var isOn = true
    /// 0 = as shipped.
    var revision: Int64 = 0

    static let fieldsMax = 20

    /// What does not hold between the parts.
    /// - Throws: `CRMError` 422 naming the part.
    func check() throws(CRMError) {
        func invalid(_ field: String, _ en: String, _ zh: String) -> CRMError {
            .invalid(field, "rule_" + field, Words(en: en, zh: zh))
        }
        guard !fields.isEmpty, fields.count <= Self.fieldsMax, Set(fields).count == fields.count else {
            throw invalid(
                "fields", "Name 1 to \(Self.fieldsMax) different fields.", "请选择 1 到 \(Self.fieldsMax) 个不同的字段。")
        }
        guard !name.en.isEmpty || !name.zh.isEmpty else { throw invalid("name", "Name the rule.", "请填写规则名称。") }
        if kind == .cross, fields.count != 1 {
            throw invalid(
                "fields", "A comparison has one field here and the other in “with”.", "比较规则只选一个字段，另一个写在 with 中。")
        }
        if severity == .fix, ![.type, .pattern].contains(kind) {
            throw invalid(
                "severity", "Only rules of the kinds type and pattern can repair.", "只有“类型”和“格式”规则可以修复。")
        }
    }
}
