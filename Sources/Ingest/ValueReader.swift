import Foundation
import Kernel
import Storage
import Tabular

/// Turns the cells of one column into what its field takes. A class for its memory of choices met.
final class ValueReader {
    let field: ImportField
    private let parser: ValueParser
    private let replacements: [String: String]
    private let choices: [String: String]
    private var met: [String: String] = [:]
    private let ofColumn: Set<String>
    private let countryCode: String
    private let places: Int
    /// `Na` is a family name, elsewhere it means nothing there.
    private let keepsNA: Bool
    private(set) var formulaCells = 0
    /// Cells in which a spreadsheet left an error: missing values.
    private(set) var errorCells = 0
    /// With whether it is that of the whole column.
    func placed(_ failure: CellFailure) -> CellFailure {
        var failure = failure
        failure.isOfColumn = ofColumn.contains(failure.code)
        return failure
    }

    /// The row is found by it: what cannot be read of it is refused.
    var isKey: Bool { field.canMatch }
    /// What tells whose row it is, and without which nobody could tell: an error in it is no missing value.
    private let isIdentifying: Bool

    /// - Parameters:
    ///   - profile: what was found in the column; its date order and decimal sign are used.
    ///   - places: decimals of the tenant's currency.
    init(
        field: ImportField, column: ImportMapping.Column, profile: ColumnInfo?, countryCode: String, places: Int,
        offsetMinutes: Int, today: LocalDate? = nil
    ) {
        self.field = field
        ofColumn = CellFailure.ofColumn(profile)
        self.countryCode = countryCode
        self.places = places
        var parser = ValueParser(
            dateOrder: column.dateOrder ?? profile?.dateOrder, zeroOneIsBoolean: true,
            excelSerialDates: column.excelDates, decimalComma: profile?.decimalComma ?? false,
            utcOffset_min: offsetMinutes)
        if column.dateOrder == nil, profile?.has("swapped_dates") == true { parser.doubtsYearFirst = true }
        // Nobody is born in years to come.
        if field.key == "birth_date" { parser.lastYear = today?.year }
        self.parser = parser
        replacements = Dictionary(
            column.values.map { (Self.choiceKey($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        var choices: [String: String] = [:]
        if case .choice(let all) = field.kind {
            // Codes win over words, words over synonyms.
            for choice in all { choices[Self.choiceKey(choice.code)] = choice.code }
            for choice in all {
                for word in [choice.words.en, choice.words.zh] + choice.synonyms
                where choices[Self.choiceKey(word)] == nil { choices[Self.choiceKey(word)] = choice.code }
            }
        }
        self.choices = choices
        keepsNA = field.key.contains("name")
        isIdentifying = field.required || field.canMatch || keepsNA && !field.key.hasPrefix("attr.")
    }

    /// `Month-to-month`, `month_to_month` and `MONTH TO MONTH` are one choice, and so are 按月計費 and 按月计费, `实体SIM卡` and
    /// `实体 SIM 卡`.
    static func choiceKey(_ text: String) -> String {
        HeaderKey.simplified(Folding.fold(text.replacing("-", with: "").replacing("_", with: "")).replacing(" ", with: ""))
    }

    /// - Returns: `nil` for a missing value.
    func read(_ cell: String) throws(CellFailure) -> SQLValue? {
        var text = Self.trimmed(cell)
        if text.isEmpty { return nil }
        if MissingValue.isSpreadsheetError(text) {
            guard !isIdentifying else { throw CellFailure(RejectWords.spreadsheetError) }
            errorCells += 1
            return nil
        }
        if !replacements.isEmpty, let other = replacements[Self.choiceKey(text)] {
            text = other
            if text.isEmpty { return nil }
        }
        do throws(ValueFailure) {
            return try typed(text)
        } catch {
            // Full-width digits and signs, as Chinese input methods write them.
            if text.unicodeScalars.contains(where: { (0xFF01...0xFF5E).contains($0.value) }),
                let narrow = text.applyingTransform(.fullwidthToHalfwidth, reverse: false),
                let value = try? typed(narrow)
            {
                return value
            }
            throw CellFailure(error, places: places)
        }
    }

    private func typed(_ text: String) throws(ValueFailure) -> SQLValue? {
        switch field.kind {
        case .integer: return try parser.integer(text).map { .int($0) }
        case .decimal: return try parser.decimal(text).map { .double($0) }
        case .money: return try parser.fixed(text, places: places).map { .int($0) }
        case .boolean: return try parser.boolean(text).map { .bool($0) }
        case .date: return try date(text).map { .text($0) }
        case .time: return try parser.instant(text).map { .int($0) }
        case .text, .phone, .email, .choice: return .text(text)
        }
    }

    /// A time of day beside the date is let go; the day is that of the tenant's zone.
    private func date(_ text: String) throws(ValueFailure) -> String? {
        do throws(ValueFailure) {
            return try parser.date(text)
        } catch {
            guard error == .notADate, let ms = try? parser.instant(text) else { throw error }
            return Instant(milliseconds: ms).date(offsetMinutes: parser.utcOffset_min).description
        }
    }

    /// A cell whose day and month cannot be told apart, read in the order of the file's other dates; one in which they
    /// are exchanged, which is certain when there is no such month.
    func date(_ cell: String, inOrder order: DateOrder?) -> SQLValue? {
        guard field.kind == .date else { return nil }
        guard parser.dateOrder != .yearMonthDay, parser.dateOrder != .minguo else { return nil }
        var other = parser
        other.dateOrder = parser.dateOrder.map { $0 == .dayMonthYear ? .monthDayYear : .dayMonthYear } ?? order
        guard other.dateOrder != nil else { return nil }
        return ((try? other.date(Self.trimmed(cell))) ?? nil).map { .text($0) }
    }

    var dateOrder: DateOrder? { parser.dateOrder }

    /// What is not a matter of number formats: texts, numbers to call, addresses, choices.
    func check(_ value: SQLValue) throws(CellFailure) -> SQLValue? {
        guard case .text(let text) = value else { return value }
        switch field.kind {
        case .text(let max): return try plain(text, max: max).map { .text($0) }
        case .phone: return try phone(text).map { .text($0) }
        case .email: return try email(text).map { .text($0) }
        case .choice: return try choice(text).map { .text($0) }
        default: return value
        }
    }

    private func isMissing(_ text: String) -> Bool {
        guard text.utf8.count <= 4, let kind = MissingValue(text) else { return false }
        switch kind {
        case .notAvailable: return !keepsNA || text.contains("/")
        case .null: return !keepsNA || text == "NULL" || text == "null"
        case .nan: return !keepsNA
        default: return true
        }
    }

    private func plain(_ text: String, max: Int) throws(CellFailure) -> String? {
        if isMissing(text) { return nil }
        if let first = text.utf8.first, first == 0x3D || first == 0x40 || first == 0x2B || first == 0x2D {
            // Kept as it is: it is text here, and every file we write guards it.
            if CSVWriter.guarded(text) != text { formulaCells += 1 }
        }
        if Self.hasLostDigits(text) { throw CellFailure(RejectWords.digitsLost) }
        if field.canMatch, Self.isDamaged(text) { throw CellFailure(.scientificNotation) }
        guard text.utf8.count <= max || text.unicodeScalars.count <= max else {
            throw CellFailure(RejectWords.tooLong(max))
        }
        return text
    }

    /// `1.38E+10`: what a spreadsheet leaves of a long number.
    static func isDamaged(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 0x45, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].first == 0x2B, parts[1].count >= 2, parts[1].count <= 4 else { return false }
        return parts[1].dropFirst().allSatisfy { (48...57).contains($0) } && !parts[0].isEmpty
            && parts[0].allSatisfy { (48...57).contains($0) || $0 == 0x2E }
    }

    /// `8.98601234567E+18`: more than 15 digits, as our reader of workbooks and spreadsheets write them. No text that
    /// anybody means looks so.
    static func hasLostDigits(_ text: String) -> Bool {
        guard isDamaged(text), let e = text.lastIndex(of: "+") else { return false }
        return Int(text[text.index(after: e)...]).map { $0 >= 15 } ?? false
    }

    private func phone(_ text: String) throws(CellFailure) -> String? {
        if isMissing(text) { return nil }
        if Self.hasLostDigits(text) { throw CellFailure(RejectWords.digitsLost) }
        if Self.isDamaged(text) { throw CellFailure(.scientificNotation) }
        var digits = text[...]
        // A number column that passed through floating point.
        if digits.hasSuffix(".0"), digits.dropLast(2).utf8.allSatisfy({ (48...57).contains($0) }) {
            digits = digits.dropLast(2)
        }
        guard let number = PhoneNumber(digits, defaultCountryCode: countryCode) else {
            throw CellFailure(RejectWords.notAPhone)
        }
        return number.e164
    }

    private func email(_ text: String) throws(CellFailure) -> String? {
        if isMissing(text) { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, text.utf8.count <= 254, !text.contains(where: \.isWhitespace),
            parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains(".."),
            !text.utf8.contains(where: { $0 < 33 || $0 == 0x3C || $0 == 0x3E || $0 == 0x2C || $0 == 0x3B })
        else { throw CellFailure(RejectWords.notAnEmail) }
        return parts[0] + "@" + parts[1].lowercased()
    }

    private func choice(_ text: String) throws(CellFailure) -> String? {
        if let known = met[text] { return known }
        if let code = choices[Self.choiceKey(text)] {
            if met.count < 1_000 { met[text] = code }
            return code
        }
        if isMissing(text) { return nil }
        guard case .choice(let all) = field.kind else { return nil }
        throw CellFailure(RejectWords.notAChoice(all))
    }

    /// Without white space around, ideographic spaces too.
    static func trimmed(_ text: String) -> String {
        func isSpace(_ byte: UInt8?) -> Bool {
            byte.map { $0 <= 32 || $0 == 0xC2 || $0 == 0xE3 || $0 == 0xA0 || $0 == 0x80 } ?? false
        }
        guard isSpace(text.utf8.first) || isSpace(text.utf8.last) else { return text }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Reads records into rows by the mapping of their columns.
final class RowReader {
    private struct Plan {
        let index: Int
        let name: String
        let reader: ValueReader
        /// An attribute the target does not know yet.
        let isNew: Bool
        /// Nobody chose what the column is: a cell that does not fit costs its value and not the row.
        let isLenient: Bool
        /// Key and length of the text field that takes what is none of the choices.
        let overflow: (key: String, max: Int)?
        /// Where that field has a column of its own.
        let overflowAt: Int?
    }

    /// What became of a record.
    enum Outcome {
        case row(ImportRow, key: UInt64?, new: [String: SQLValue])
        case reject(RowReject)
        /// A rule holds it back.
        case held(HeldRow)
    }

    private let plans: [Plan]
    private let matchIndex: Int?
    private let unguards: Bool
    let rules: CompiledRules
    /// Of the present row, parallel to the plans.
    private var slots: [SQLValue?]
    private let fileOrder: DateOrder?
    /// Column names by index, for the words of a reject.
    let columns: [String]
    var errorCells: Int { plans.reduce(0) { $0 + $1.reader.errorCells } }
    var formulaCells: Int { plans.reduce(0) { $0 + $1.reader.formulaCells } }
    private var dropped: [Int]
    private var spilled: [Int]
    /// Cells that are none of their field's choices and stand in a text field now, by column.
    var spilledCells: [(column: String, field: String, count: Int)] {
        zip(plans, spilled).filter { $1 > 0 }.map { ($0.name, $0.overflow?.key ?? "", $1) }
    }
    var droppedCells: [(column: String, count: Int)] {
        zip(plans, dropped).filter { $1 > 0 }.map { ($0.name, $1) }
    }

    init(_ columns: ResolvedColumns, unguards: Bool) {
        plans = columns.all.map {
            Plan(
                index: $0.index, name: $0.name, reader: $0.reader(columns.settings), isNew: $0.isNew,
                isLenient: $0.isLenient, overflow: $0.overflow.map { field in (field.key, Self.max(of: field)) },
                overflowAt: $0.overflow.flatMap { field in columns.all.firstIndex { $0.field.key == field.key } })
        }
        dropped = Array(repeating: 0, count: plans.count)
        spilled = dropped
        matchIndex = plans.firstIndex { $0.reader.field.key == columns.matchKey }
        self.columns = columns.headers
        self.unguards = unguards
        slots = Array(repeating: nil, count: plans.count)
        rules = columns.compiled
        let orders = Set(plans.filter { $0.reader.field.kind == .date }.compactMap(\.reader.dateOrder))
        fileOrder = orders.count == 1 ? orders.first : nil
    }

    private static func max(of field: ImportField) -> Int {
        if case .text(let max) = field.kind { max } else { Limits.textFieldMax }
    }

    /// Puts what is none of a field's choices into the text beside it, before what stands there.
    private func spill(
        _ index: Int, _ record: Record, into values: inout [String: SQLValue]
    ) throws(CellFailure) {
        guard let (key, max) = plans[index].overflow else { return }
        var cell = record.field(plans[index].index)
        if unguards { cell = CSVWriter.unguarded(cell) }
        var text = ValueReader.trimmed(cell)
        if case .text(let present)? = values[key], present != text { text += "\n" + present }
        guard text.unicodeScalars.count <= max else { throw CellFailure(RejectWords.tooLong(max)) }
        values[key] = .text(text)
        if let at = plans[index].overflowAt { slots[at] = .text(text) }
        spilled[index] += 1
    }

    /// The match cell alone: its hash, `nil` when it is missing or cannot be read.
    func key(of record: Record) -> UInt64? {
        rules.begin()
        guard let matchIndex, case .success(let value?) = judged(matchIndex, plans[matchIndex], record) else {
            return nil
        }
        return KeyHash.of(value)
    }

    func read(_ record: Record) -> Outcome {
        var values: [String: SQLValue] = [:]
        values.reserveCapacity(plans.count)
        var new: [String: SQLValue] = [:]
        var failures: [(plan: Plan, failure: CellFailure)] = []
        var spills: [Int] = []
        rules.begin()
        for (index, plan) in plans.enumerated() {
            slots[index] = nil
            switch judged(index, plan, record) {
            case .success(let value?):
                if plan.isNew {
                    new[plan.name] = value
                } else {
                    values[plan.reader.field.key] = value
                    slots[index] = value
                }
            case .success(nil): break
            case .failure where plan.isLenient: dropped[index] += 1
            case .failure(let failure) where failure.code == RejectWords.noChoice && plan.overflow != nil:
                spills.append(index)
            case .failure(let failure): failures.append((plan, failure))
            }
        }
        for index in spills {
            do throws(CellFailure) { try spill(index, record, into: &values) } catch {
                failures.append((plans[index], error))
            }
        }
        let line = record.position.line
        rules.judge(slots, line: line)
        let key = matchIndex.flatMap { slots[$0] }.map(KeyHash.of)
        if let first = failures.first {
            let words = failures.prefix(10).map { RejectWords.inColumn($0.plan.name, $0.failure.words) }
            return .reject(Self.reject(record, first.plan.index, first.failure.code, words))
        }
        if rules.worst == .reject, matchIndex == nil || key != nil, let first = rules.findings.first {
            return .reject(
                Self.reject(record, first.column, first.rule, rules.findings.prefix(10).map(\.words)))
        }
        if rules.worst == .quarantine {
            return .held(
                HeldRow(
                    record: record.position.record, line: line, key: key, cells: cells(record),
                    findings: Array(rules.findings.prefix(10))))
        }
        if let matchIndex, key == nil {
            let plan = plans[matchIndex]
            return .reject(
                Self.reject(
                    record, plan.index, RejectWords.noMatchKey.0,
                    [RejectWords.inColumn(plan.name, RejectWords.noMatchKey.1)]))
        }
        return .row(ImportRow(line: line, values: values), key: key, new: new)
    }

    private static func reject(_ record: Record, _ column: Int, _ code: String, _ words: [Words]) -> RowReject {
        let joined = Words(en: words.map(\.en).joined(separator: " "), zh: words.map(\.zh).joined())
        return RowReject(
            record: record.position.record, line: record.position.line, column: column, code: code, words: joined)
    }

    /// The cells as they stand in the file, by column.
    func cells(_ record: Record) -> [String?] {
        columns.indices.map { index in
            guard !record.isNull(index) else { return nil }
            let cell = record.field(index)
            return unguards ? CSVWriter.unguarded(cell) : cell
        }
    }

    /// The values of a row whose outcome is known, for the rules that compare rows.
    func remember(_ record: Record) {
        rules.begin()
        for (index, plan) in plans.enumerated() {
            slots[index] = nil
            if !plan.isNew, case .success(let value) = judged(index, plan, record) { slots[index] = value }
        }
        rules.remember(slots, line: record.position.line)
        _ = rules.takeCounts()
    }

    /// The value of a cell, with what rules repair or decide before it is one.
    private func judged(_ index: Int, _ plan: Plan, _ record: Record) -> Result<SQLValue?, CellFailure> {
        if record.isNull(plan.index) { return .success(nil) }
        var cell = record.field(plan.index)
        if cell.isEmpty { return .success(nil) }
        if unguards { cell = CSVWriter.unguarded(cell) }
        if !plan.isNew { cell = rules.cell(cell, at: index) }
        switch value(plan, cell) {
        case .success(let value):
            if value != nil { rules.noteTyped(at: index) }
            return .success(value)
        case .failure(let failure):
            let found = rules.mistyped(cell, failure, at: index) { repair, text in
                if repair == .dateOrder { return plan.reader.date(cell, inOrder: fileOrder) }
                guard let text, case .success(let value) = value(plan, text) else { return nil }
                return value
            }
            switch found {
            case .value(let value): return .success(value)
            case .refused: return .failure(failure)
            case .unruled:
                // No rule speaks of it: it waits for somebody who knows what is meant.
                guard failure.mayBeSaid, !plan.reader.isKey, !plan.isLenient, index != matchIndex,
                    failure.code != RejectWords.noChoice || plan.overflow == nil
                else { return .failure(failure) }
                rules.hold(failure, at: index)
                return .success(nil)
            }
        }
    }

    private func value(_ plan: Plan, _ cell: String) -> Result<SQLValue?, CellFailure> {
        do throws(CellFailure) {
            guard let raw = try plan.reader.read(cell) else { return .success(nil) }
            return .success(try plan.reader.check(raw))
        } catch {
            return .failure(plan.reader.placed(error))
        }
    }
}
