import Kernel
import Storage
import Tabular

/// What a rule found in a row.
struct RowFinding: Sendable, Codable, Equatable {
    let rule: String
    let field: String
    /// Index of the column; -1 = none.
    let column: Int
    let en: String
    let zh: String
    var words: Words { Words(en: en, zh: zh) }
}

/// A row that is held back. Its cells are as they stand in the file, by column.
struct HeldRow: Sendable {
    let record: Int
    let line: Int
    let key: UInt64?
    let cells: [String?]
    let findings: [RowFinding]
}

/// A value that was repaired before it was taken.
struct RowFix: Sendable, Equatable {
    let rule: String
    let column: Int
}

/// How often a rule looked at a field, and what it found.
struct RuleCount: Sendable, Equatable {
    let rule: String
    let field: String
    let dimension: RuleDimension
    var checked = 0
    var failed = 0
    var fixed = 0
    /// No rule looked: a value that could not be understood, counted for the import and not for the score.
    var isUnruled = false
}

/// The rules of one run, made ready for the columns of its file. Used by one reader at a time: it keeps the findings of the
/// row it is at, so that a row without any costs no memory.
final class CompiledRules {
    /// A column as rules see it.
    struct Column {
        let index: Int
        let name: String
        let field: ImportField
    }

    private enum Test {
        case required
        case number(min: Double, max: Double)
        /// `YYYY-MM-DD` sorts as text.
        case day(min: String, max: String)
        case pattern(SafePattern)
        case format(RuleFormat)
        case code(Set<String>, folds: Bool)
        case unique(Int)
        case cross(RuleComparison)
    }

    /// A rule by reference: a check is looked at for every row, and a rule is much to copy.
    private final class Box: Sendable {
        let rule: QualityRule
        init(_ rule: QualityRule) { self.rule = rule }
    }

    /// What a rule asks of another field of the row.
    private struct When {
        let place: Int
        let values: Set<String>
        let orMissing: Bool

        func holds(_ row: [SQLValue?]) -> Bool {
            guard let value = row[place] else { return orMissing }
            return values.contains(CompiledRules.text(value))
        }
    }

    private struct Check {
        let box: Box
        /// Places among the columns that are mapped.
        let places: [Int]
        let test: Test
        let count: Int
        let when: When?
    }

    /// What a `type` rule says of a column, or a rule that repairs cells.
    private struct CellCheck {
        let box: Box
        let count: Int
    }

    /// A rule that needs the database.
    struct Reference: Sendable {
        let rule: QualityRule
        let field: String
        let column: Int
        let name: String
        let to: String
        let when: RuleCondition?
        /// Not that the value has to be there, but that no other customer may have it.
        var isTaken = false
    }

    private let columns: [Column]
    private var checks: [Check] = []
    private var types: [CellCheck?]
    private var cells: [[CellCheck]]
    private var seen: [SeenKeys] = []
    private var uniques: [Check] = []
    private(set) var references: [Reference] = []
    private var counts: [RuleCount] = []
    private var unruled: [RuleCount] = []
    /// Of the present row.
    private(set) var findings: [RowFinding] = []
    private(set) var fixes: [RowFix] = []
    private(set) var worst: RuleSeverity?
    var isEmpty: Bool { counts.isEmpty && references.isEmpty }
    var hasUnique: Bool { !uniques.isEmpty }
    /// A rule that holds rows back decides only when the cells are no longer at hand.
    var keepsCells: Bool { references.contains { $0.rule.severity == .quarantine } }

    /// - Parameter places: decimals of the tenant's currency.
    init(_ rules: [QualityRule], _ columns: [Column], today: LocalDate, places: Int) {
        self.columns = columns
        types = Array(repeating: nil, count: columns.count)
        cells = Array(repeating: [], count: columns.count)
        let place = Dictionary(
            columns.enumerated().map { ($0.element.field.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        for rule in rules where rule.isOn { add(rule, place, today, places) }
    }

    private func add(_ rule: QualityRule, _ place: [String: Int], _ today: LocalDate, _ places: Int) {
        let box = Box(rule)
        let mapped = rule.fields.compactMap { place[$0] }
        guard !mapped.isEmpty else { return }
        var when: When?
        if let condition = rule.parameters.condition {
            if let at = place[condition.field] {
                when = When(place: at, values: Set(condition.values), orMissing: condition.orMissing)
            } else if !condition.orMissing {
                return
            }
        }
        func together(_ places: [Int], _ test: Test) {
            let check = Check(box: box, places: places, test: test, count: count(rule, places[0]), when: when)
            if case .unique = test { uniques.append(check) }
            checks.append(check)
        }
        switch rule.kind {
        case .required where rule.parameters.any: together(mapped, .required)
        case .required: for at in mapped { together([at], .required) }
        case .unique:
            guard mapped.count == rule.fields.count else { return }
            seen.append(SeenKeys())
            together(mapped, .unique(seen.count - 1))
            // What is stored is asked too, where the field is one that customers are found by.
            if mapped.count == 1, let field = rule.fields.first, RuleParameters.references.contains(field) {
                references.append(
                    Reference(
                        rule: rule, field: field, column: columns[mapped[0]].index, name: columns[mapped[0]].name, to: field,
                        when: rule.parameters.condition, isTaken: true))
            }
        case .cross:
            guard let op = rule.parameters.op, let with = rule.parameters.with.flatMap({ place[$0] }) else { return }
            together([mapped[0], with], .cross(op))
        case .reference:
            for at in mapped {
                references.append(
                    Reference(
                        rule: rule, field: columns[at].field.key, column: columns[at].index, name: columns[at].name,
                        to: rule.parameters.to ?? "", when: rule.parameters.condition))
            }
        case .type:
            for at in mapped where types[at] == nil { types[at] = CellCheck(box: box, count: count(rule, at)) }
        case .pattern where rule.severity == .fix:
            for at in mapped { cells[at].append(CellCheck(box: box, count: count(rule, at))) }
        case .pattern, .range, .fresh, .code:
            for at in mapped {
                if let test = Self.test(rule, columns[at].field.kind, today, places) { together([at], test) }
            }
        }
    }

    private func count(_ rule: QualityRule, _ place: Int) -> Int {
        counts.append(RuleCount(rule: rule.key, field: columns[place].field.key, dimension: rule.dimension))
        return counts.count - 1
    }

    private static func test(_ rule: QualityRule, _ kind: ImportFieldKind, _ today: LocalDate, _ places: Int) -> Test? {
        let parameters = rule.parameters
        switch rule.kind {
        case .fresh:
            return .day(min: today.adding(days: -(parameters.days ?? 0)).description, max: "9999-12-31")
        case .code:
            let values = parameters.ignoresCase ? parameters.values.map(Folding.fold) : parameters.values
            return .code(Set(values), folds: parameters.ignoresCase)
        case .pattern:
            if let format = parameters.format { return .format(format) }
            return parameters.regex.flatMap { try? SafePattern($0) }.map { .pattern($0) }
        case .range where kind == .date:
            let (min, max) = (parameters.min?.day(today), parameters.max?.day(today))
            if case .number? = parameters.min ?? parameters.max { return nil }
            return .day(min: min?.description ?? "0000-00-00", max: max?.description ?? "9999-12-31")
        case .range:
            var factor = 1.0
            if kind == .money { for _ in 0..<places { factor *= 10 } }
            func number(_ bound: RuleBound?, _ none: Double) -> Double? {
                switch bound {
                case .number(let number)?: kind == .money ? (number * factor).rounded() : number
                case nil: none
                default: nil
                }
            }
            guard let min = number(parameters.min, -.infinity), let max = number(parameters.max, .infinity) else {
                return nil
            }
            return .number(min: min, max: max)
        default: return nil
        }
    }

    // MARK: A row

    func begin() {
        if !findings.isEmpty { findings.removeAll() }
        if !fixes.isEmpty { fixes.removeAll() }
        worst = nil
    }

    /// A cell before it is read, repaired where a rule does that.
    func cell(_ text: String, at place: Int) -> String {
        guard !cells[place].isEmpty else { return text }
        var text = text
        for check in cells[place] {
            counts[check.count].checked += 1
            guard let format = check.box.rule.parameters.format, !format.matches(text) else {
                if let regex = check.box.rule.parameters.regex { text = pattern(regex, check, text, place) }
                continue
            }
            if let better = check.box.rule.parameters.repair?.repaired(text), format.matches(better) {
                text = better
                fixed(check, place)
            } else {
                failed(check, place, nil)
            }
        }
        return text
    }

    private var patterns: [String: SafePattern] = [:]

    private func pattern(_ regex: String, _ check: CellCheck, _ text: String, _ place: Int) -> String {
        if patterns[regex] == nil { patterns[regex] = try? SafePattern(regex) }
        guard let pattern = patterns[regex], !pattern.matches(text) else { return text }
        if let better = check.box.rule.parameters.repair?.repaired(text), pattern.matches(better) {
            fixed(check, place)
            return better
        }
        failed(check, place, nil)
        return text
    }

    private func fixed(_ check: CellCheck, _ place: Int) {
        counts[check.count].fixed += 1
        fixes.append(RowFix(rule: check.box.rule.key, column: columns[place].index))
    }

    private func failed(_ check: CellCheck, _ place: Int, _ words: Words?) {
        let severity = check.box.rule.severity == .fix ? check.box.rule.parameters.otherwise : check.box.rule.severity
        found(check.box.rule, severity, check.count, place, words)
    }

    /// A cell that its field's type can be read from; called for columns with a `type` rule.
    func noteTyped(at place: Int) { if let check = types[place] { counts[check.count].checked += 1 } }

    /// A cell that is not of its field's type.
    /// - Parameter again: reads the repaired cell; `nil` = it cannot be read either.
    func mistyped(
        _ cell: String, _ failure: CellFailure, at place: Int, again: (RuleRepair, String?) -> SQLValue?
    ) -> Mistyped {
        guard let check = types[place] else { return .unruled }
        counts[check.count].checked += 1
        if check.box.rule.severity == .fix, let repair = check.box.rule.parameters.repair,
            let value = again(repair, repair.repaired(cell))
        {
            fixed(check, place)
            return .value(value)
        }
        let severity = check.box.rule.severity == .fix ? check.box.rule.parameters.otherwise : check.box.rule.severity
        // The reader says better than the rule what is wrong with the cell.
        if severity == .reject || severity == .quarantine && failure.isOfColumn {
            counts[check.count].failed += 1
            return .refused
        }
        failed(check, place, failure.words)
        return .value(nil)
    }

    /// What becomes of a cell that is not of its field's type.
    enum Mistyped {
        /// A rule decided what becomes of the row; `nil` = the cell has no value.
        case value(SQLValue?)
        /// A rule refuses the row.
        case refused
        /// No rule speaks of the field.
        case unruled
    }

    /// Holds the present row back because of a cell that no rule speaks of.
    func hold(_ failure: CellFailure, at place: Int) {
        worst = max(worst ?? .quarantine, .quarantine)
        let words = RejectWords.inColumn(columns[place].name, failure.words)
        let field = columns[place].field.key
        if let known = unruled.firstIndex(where: { $0.rule == failure.code && $0.field == field }) {
            unruled[known].checked += 1
            unruled[known].failed += 1
        } else {
            unruled.append(
                RuleCount(rule: failure.code, field: field, dimension: .accuracy, checked: 1, failed: 1, isUnruled: true))
        }
        findings.append(
            RowFinding(
                rule: failure.code, field: columns[place].field.key, column: columns[place].index, en: words.en, zh: words.zh))
    }

    /// Looks at the values of a row, in the order of the columns.
    func judge(_ values: [SQLValue?], line: Int) {
        for check in checks {
            if let when = check.when, !when.holds(values) { continue }
            switch holds(check, values, line) {
            case nil: continue
            case true?: counts[check.count].checked += 1
            case false?:
                counts[check.count].checked += 1
                found(check.box.rule, check.box.rule.severity, check.count, check.places[0], nil)
            }
        }
    }

    /// - Returns: `nil` = there is nothing to judge.
    private func holds(_ check: Check, _ values: [SQLValue?], _ line: Int) -> Bool? {
        if case .required = check.test { return check.places.contains { values[$0] != nil } }
        guard let value = values[check.places[0]] else { return nil }
        switch check.test {
        case .required: return true
        case .number(let min, let max):
            switch value {
            case .int(let int): return Double(int) >= min && Double(int) <= max
            case .double(let double): return double >= min && double <= max
            case .text(let text): return Double(text).map { $0 >= min && $0 <= max } ?? false
            default: return nil
            }
        case .day(let min, let max):
            guard case .text(let text) = value else { return nil }
            return text >= min && text <= max
        case .pattern(let pattern): return pattern.matches(Self.text(value))
        case .format(let format): return format.matches(Self.text(value))
        case .code(let codes, let folds):
            return codes.contains(folds ? Folding.fold(Self.text(value)) : Self.text(value))
        case .unique(let index):
            guard let key = Self.key(check.places, values) else { return nil }
            guard let first = seen[index].note(key, line: line) else { return true }
            return first == line
        case .cross(let op):
            guard let other = values[check.places[1]] else { return nil }
            return Self.compare(op, value, other)
        }
    }

    private static func compare(_ op: RuleComparison, _ left: SQLValue, _ right: SQLValue) -> Bool? {
        switch (left, right) {
        case (.int(let a), .int(let b)): op.holds(a, b)
        case (.double(let a), .double(let b)): op.holds(a, b)
        case (.int(let a), .double(let b)): op.holds(Double(a), b)
        case (.double(let a), .int(let b)): op.holds(a, Double(b))
        case (.text(let a), .text(let b)): op.holds(a, b)
        case (.bool(let a), .bool(let b)): op.holds(a ? 1 : 0, b ? 1 : 0)
        default: nil
        }
    }

    private static func key(_ places: [Int], _ values: [SQLValue?]) -> UInt64? {
        if places.count == 1 { return values[places[0]].map(KeyHash.of) }
        var text = ""
        for place in places {
            guard let value = values[place] else { return nil }
            text += Self.text(value) + "\u{1F}"
        }
        return KeyHash.of(.text(text))
    }

    static func text(_ value: SQLValue) -> String {
        switch value {
        case .text(let text): text
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .bool(let bool): bool ? "true" : "false"
        case .bytes, .null: ""
        }
    }

    private func found(
        _ rule: QualityRule, _ severity: RuleSeverity, _ count: Int, _ place: Int, _ words: Words?
    ) {
        counts[count].failed += 1
        worst = max(worst ?? severity, severity)
        guard severity == .quarantine || severity == .reject else { return }
        findings.append(Self.finding(rule, columns[place].field.key, columns[place].index, columns[place].name, words))
    }

    static func finding(
        _ rule: QualityRule, _ field: String, _ column: Int, _ name: String, _ words: Words? = nil
    ) -> RowFinding {
        let said = words ?? RejectWords.fails(rule.name)
        let whole = RejectWords.inColumn(name, said)
        return RowFinding(rule: rule.key, field: field, column: column, en: whole.en, zh: whole.zh)
    }

    // MARK: Between rows

    /// Notes the values of a row that was judged in another process: what was seen once is not new.
    func remember(_ values: [SQLValue?], line: Int) {
        for check in uniques {
            if let when = check.when, !when.holds(values) { continue }
            guard case .unique(let index) = check.test, let key = Self.key(check.places, values) else { continue }
            _ = seen[index].note(key, line: line)
        }
    }

    /// What was counted since this was last asked.
    func takeCounts() -> [RuleCount] {
        var taken: [RuleCount] = []
        for index in counts.indices where counts[index].checked > 0 {
            taken.append(counts[index])
            counts[index].checked = 0
            counts[index].failed = 0
            counts[index].fixed = 0
        }
        defer { unruled = [] }
        return taken + unruled
    }
}
