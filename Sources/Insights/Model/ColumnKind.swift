/// What a column holds, judged from all its values.
package enum ColumnKind: String, Codable, Sendable {
    case numeric, boolean, categorical, date
    /// One value or none: what counts is whether it is there.
    case presence
    /// "latitude, longitude" in one cell.
    case coordinates
    /// Names the row rather than describing it: unique, or nearly, for each row.
    case identifier
    case constant
    case empty
    /// Sentences, or too many different texts to learn from.
    case freeText = "free_text"
}

/// A column with its kind and, where it has an order, the number behind each distinct value.
package struct ProfiledColumn: Sendable {
    package let coded: CodedColumn
    package let kind: ColumnKind
    /// Per level: the number (numeric), day number (date) or 0/1 (boolean); NaN for junk. Empty for other kinds.
    package let levelValues: [Double]
    /// For dates like 03/04/2024.
    package let dayFirst: Bool

    package var name: String { coded.name }
    package var rows: Int { coded.codes.count }

    /// The share of values a column may have that do not fit its kind.
    static let junkTolerance = 0.05
    /// The share of distinct values from which a text or whole number names its row.
    static let identifierShare = 0.9
    /// The share of distinct values from which texts are too varied to learn from.
    static let variedShare = 0.5

    package init(_ coded: CodedColumn) {
        self.coded = coded
        let judged = Self.judge(coded)
        kind = judged.kind
        levelValues = judged.values
        dayFirst = judged.dayFirst
    }

    private init(coded: CodedColumn, like other: ProfiledColumn) {
        self.coded = coded
        kind = other.kind
        dayFirst = other.dayFirst
        levelValues = Self.values(of: coded.levels, kind: kind, dayFirst: dayFirst)
    }

    /// Some of the rows; the kind stays what it was judged from all of them.
    package func subset(_ rows: [Int]) -> ProfiledColumn {
        ProfiledColumn(coded: coded.subset(rows), like: self)
    }

    /// The number behind each level for an ordered kind; empty for others.
    package static func values(of levels: [String], kind: ColumnKind, dayFirst: Bool) -> [Double] {
        switch kind {
        case .numeric: levels.map { CellText.number($0) ?? .nan }
        case .boolean: levels.map { CellText.boolean($0).map { $0 ? 1 : 0 } ?? .nan }
        case .date:
            levels.map { DateText.day($0, dayFirst: dayFirst, allowsCompact: true).map(Double.init) ?? .nan }
        case .presence, .categorical, .coordinates, .identifier, .constant, .empty, .freeText: []
        }
    }

    private static func judge(_ coded: CodedColumn) -> (kind: ColumnKind, values: [Double], dayFirst: Bool) {
        let rows = coded.codes.count
        let missing = coded.missing
        let present = rows - missing
        guard present > 0 else { return (.empty, [], true) }
        if coded.levels.count == 1 {
            return (missing * 100 >= rows && missing > 0 ? .presence : .constant, [], true)
        }
        let counts = coded.counts
        if coded.levels.count == 2 {
            let answers = coded.levels.compactMap(CellText.boolean)
            if answers.count == 2, answers[0] != answers[1] {
                return (.boolean, values(of: coded.levels, kind: .boolean, dayFirst: true), true)
            }
        }
        func fits(_ values: [Double]) -> Bool {
            var fitting = 0
            for (level, value) in values.enumerated() where !value.isNaN { fitting += counts[level] }
            return Double(fitting) >= (1 - junkTolerance) * Double(present)
        }
        let name = ColumnName(coded.name)
        let isDateName = name.has(["date", "day", "time", "since", "from", "until"]) || name.contains(["日期", "时间"])
        let dayFirst = DateText.isDayFirst(coded.levels)
        let numbers = values(of: coded.levels, kind: .numeric, dayFirst: dayFirst)
        if fits(numbers) {
            // 20240131 is a number too; a name that speaks of dates decides.
            let days = isDateName ? values(of: coded.levels, kind: .date, dayFirst: dayFirst) : []
            if isDateName, fits(days) { return (.date, days, dayFirst) }
            return namesRows(coded, numbers, present, name) ? (.identifier, [], true) : (.numeric, numbers, true)
        }
        let days = values(of: coded.levels, kind: .date, dayFirst: dayFirst)
        if fits(days) { return (.date, days, dayFirst) }
        if fits(coded.levels.map { CellText.coordinates($0)?.latitude ?? .nan }) { return (.coordinates, [], true) }
        return (textKind(coded, counts, present), [], true)
    }

    /// Whole numbers, different in nearly every row, that are named as identifiers, count the rows, or have the uniform
    /// length of account and telephone numbers.
    private static func namesRows(
        _ coded: CodedColumn, _ numbers: [Double], _ present: Int, _ name: ColumnName
    ) -> Bool {
        let distinct = coded.levels.count
        guard distinct >= 20, Double(distinct) >= identifierShare * Double(present),
            numbers.allSatisfy({ $0.isNaN || $0 == $0.rounded() })
        else { return false }
        if isIdentifierName(name) { return true }
        let known = numbers.filter { !$0.isNaN }
        let range = (known.max() ?? 0) - (known.min() ?? 0)
        if range < Double(distinct) * 1.02 { return true }
        let lengths = Set(coded.levels.map(\.utf8.count))
        return lengths.count == 1 && (lengths.first ?? 0) >= 7
    }

    private static func isIdentifierName(_ name: ColumnName) -> Bool {
        name.has([
            "id", "uuid", "guid", "msisdn", "iccid", "imsi", "imei", "phone", "mobile", "account", "index", "rowid",
            "rownumber", "customerid", "custid", "userid", "ssn", "key",
        ]) || name.contains(["编号", "账号", "帐号", "号码", "序号", "身份证", "手机号", "电话"])
    }

    private static func textKind(_ coded: CodedColumn, _ counts: [Int], _ present: Int) -> ColumnKind {
        let distinct = coded.levels.count
        let share = Double(distinct) / Double(present)
        var letters = 0
        var words = 0
        for level in coded.levels {
            letters += level.count
            words += level.split(separator: " ").count
        }
        let meanLength = Double(letters) / Double(distinct)
        let meanWords = Double(words) / Double(distinct)
        if distinct >= 20, share >= identifierShare {
            // Chinese has no spaces; a dozen of its characters is a sentence, not a code.
            let isChinese = coded.levels.prefix(200).allSatisfy { $0.unicodeScalars.contains { $0.value >= 0x4e00 } }
            return meanWords >= 3 || meanLength > (isChinese ? 8 : 40) ? .freeText : .identifier
        }
        if distinct >= 20, share > variedShare { return .freeText }
        if distinct >= 50, share > 0.2, meanLength > 40 || meanWords >= 5 { return .freeText }
        return .categorical
    }
}
