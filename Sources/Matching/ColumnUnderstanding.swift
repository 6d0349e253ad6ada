import Kernel

/// Tells the kind of a column from its header and its values. The header is believed unless the values speak against
/// it;
/// files with headers such as `f1` are understood by their values alone.
package struct ColumnUnderstanding: Sendable {
    package let kind: ColumnKind
    /// Dates such as `3/2/1980` are day first.
    package let isDayFirst: Bool
    /// Years of its dates count from 1912 (民國).
    package let isMinguo: Bool
    /// Values in Chinese characters.
    let isHan: Bool

    /// So many values are looked at.
    static let sampleMax = 2_000

    /// - Parameter values: the column's values as they stand in the file; nil where missing. More than a few
    ///   thousand are
    ///   sampled evenly.
    package init(header: String, values: [String?], isPositional: Bool = false) {
        let present = values.lazy.compactMap { $0 }
        let step = max(1, values.count / Self.sampleMax)
        var facts = ValueFacts()
        var index = 0
        for value in present {
            if index % step == 0 { facts.add(value) }
            index += 1
        }
        isDayFirst = facts.dayOrder >= 0
        let isNamed = HeaderWords.isMinguo(header)
        // One in twenty: a slip of the pen has three digits too.
        isMinguo = isNamed || facts.minguo > 0 && facts.minguo * 20 >= facts.count
            || facts.compactMinguo * 2 > facts.count && HeaderWords.isDate(header)
        if isMinguo { facts.takeShortDates() }
        isHan = facts.share(facts.han) > 0.5
        if HeaderWords.isPlan(header), facts.distinct.count > 1 || facts.count < 3, facts.count > 0 {
            // Plans are many in a file of a large operator, and no places all the same.
            kind = facts.distinct.count > 200 ? .text : .category
            return
        }
        kind = Self.kind(HeaderWords.kind(header), facts, isOrganisation: HeaderWords.isOrganisation(header))
    }

    /// The same column, of which it is known what it is.
    init(_ other: Self, as kind: ColumnKind) {
        self.kind = kind
        (isDayFirst, isMinguo, isHan) = (other.isDayFirst, other.isMinguo, other.isHan)
    }

    /// What brings the column's values into standard form when it is compared as `kind`.
    func standardiser(_ kind: ColumnKind, _ countryCode: String) -> Standardiser {
        Standardiser(kind: kind, isDayFirst: isDayFirst, isMinguo: isMinguo, countryCode: countryCode)
    }

    /// The columns of one file, understood together: where a company or a person is named, whoever speaks for them may be
    /// another next year and is not what the record is about.
    static func together(_ columns: [Self], headers: [String]) -> [Self] {
        let names = columns.indices.filter { columns[$0].kind == .fullName }
        guard names.contains(where: { !HeaderWords.isContact(headers[$0]) }) else { return columns }
        return columns.indices.map { index in
            names.contains(index) && HeaderWords.isContact(headers[index]) ? Self(columns[index], as: .text) : columns[index]
        }
    }

    private static func kind(_ header: ColumnKind?, _ facts: ValueFacts, isOrganisation: Bool) -> ColumnKind {
        guard facts.count > 0, facts.distinct.count > 1 || facts.count < 3 else { return .nothing }
        if header == .fullName, isOrganisation, facts.share(facts.numeric) < 0.3 { return refined(.fullName, facts) }
        if let header, fits(header, facts) { return refined(header, facts) }
        return byValues(facts)
    }

    /// Whether values can be what the header says.
    private static func fits(_ kind: ColumnKind, _ facts: ValueFacts) -> Bool {
        switch kind {
        case .email: facts.share(facts.at) > 0.5
        case .phone: facts.share(facts.phone) > 0.5 && facts.meanDigits >= 6
        case .birthDate, .date: facts.share(facts.date) > 0.5
        case .identityNumber: facts.meanDigits >= 4 && facts.distinctness > 0.3
        case .postcode: facts.share(facts.short) > 0.5 && facts.share(facts.withDigit) > 0.5
        case .houseNumber: facts.share(facts.withDigit) > 0.5 && facts.meanLength < 8
        case .givenName, .surname, .fullName: facts.share(facts.withDigit) < 0.3
        case .suburb: facts.share(facts.withDigit) < 0.4
        case .number: facts.share(facts.numeric) > 0.8
        case .category: true
        case .street: facts.share(facts.numeric) < 0.8
        case .code, .text, .nothing: true
        }
    }

    private static func refined(_ kind: ColumnKind, _ facts: ValueFacts) -> ColumnKind {
        if kind == .category, facts.distinct.count > 200 { return facts.meanTokens > 1.5 ? .text : .suburb }
        // A column called `name` with one word each is no full name.
        if kind == .fullName, facts.share(facts.han) > 0.5, facts.meanLength < 1.9 { return .givenName }
        if kind == .fullName, facts.share(facts.han) < 0.3, facts.meanTokens < 1.2 { return .text }
        // `nome` is a whole name in some files.
        if kind == .givenName, facts.share(facts.han) < 0.3, facts.meanTokens > 1.8 { return .fullName }
        if kind == .suburb, facts.distinct.count <= 12, facts.count > 200 { return .category }
        if kind == .givenName, facts.meanLength < 1.5, facts.share(facts.han) < 0.3 { return .category }
        return kind
    }

    private static func byValues(_ facts: ValueFacts) -> ColumnKind {
        if facts.share(facts.at) > 0.6 { return .email }
        if facts.share(facts.identity) > 0.5 { return .identityNumber }
        // Births lie decades apart.
        if facts.share(facts.date) > 0.7 { return facts.yearSpread > 30 ? .birthDate : .date }
        if facts.distinct.count <= 12, facts.count > 100 { return .category }
        if facts.share(facts.numeric) > 0.8 || facts.share(facts.digitsOnly) > 0.8 { return numeric(facts) }
        if facts.share(facts.phone) > 0.7, facts.meanDigits >= 7 { return .phone }
        if facts.share(facts.han) > 0.5 {
            if facts.meanLength <= 4, facts.distinctness > 0.05 { return facts.meanLength > 1.9 ? .fullName : .surname }
            return facts.meanLength > 6 ? .street : .suburb
        }
        if facts.share(facts.withDigit) > 0.6, facts.meanTokens < 1.5 {
            return facts.meanLength <= 5 ? .houseNumber : .code
        }
        if facts.share(facts.withDigit) > 0.4, facts.meanTokens >= 2 { return .street }
        if facts.share(facts.called) > 0.4, facts.meanTokens < 1.3, facts.share(facts.withDigit) < 0.05 { return .givenName }
        // Two or three short words, hardly twice the same.
        if facts.share(facts.withDigit) < 0.05, (1.7...3.3).contains(facts.meanTokens), facts.meanLength < 24,
            facts.distinctness > 0.4
        {
            return .fullName
        }
        return .text
    }

    private static func numeric(_ facts: ValueFacts) -> ColumnKind {
        if facts.share(facts.fraction) > 0.2 { return .number }
        // Numbers of one length name things; of many lengths they are quantities or house numbers.
        if facts.sameLength > 0.8 {
            if facts.meanDigits >= 9.5, facts.share(facts.phone) > 0.8 { return .phone }
            if facts.meanDigits >= 6, facts.distinctness > 0.3 { return .identityNumber }
            return facts.meanDigits >= 3 ? .code : .number
        }
        if facts.meanDigits >= 7 { return facts.share(facts.phone) > 0.8 ? .phone : .code }
        return facts.meanDigits <= 3.5 ? .houseNumber : .code
    }
}

/// Counts over a column's values.
struct ValueFacts {
    private(set) var count = 0
    private(set) var distinct: Set<UInt64> = []
    private(set) var at = 0, phone = 0, date = 0, identity = 0, han = 0, numeric = 0, digitsOnly = 0, withDigit = 0
    /// Given names that are known as such.
    private(set) var called = 0
    private(set) var short = 0, fraction = 0, dayOrder = 0, minguo = 0, compactMinguo = 0
    /// Dates only in a column of the Republic of China.
    private var shortMinguo = 0, shortYears: [Int] = []
    private var characters = 0, digits = 0, tokens = 0
    private var lengths: [Int: Int] = [:]
    private var years: [Int] = []

    /// Years between the twentieth and the last twentieth of the dates.
    var yearSpread: Int {
        let sorted = years.sorted()
        guard let last = sorted.dropLast(sorted.count / 20).last else { return 0 }
        return last - sorted[sorted.count / 20]
    }

    func share(_ number: Int) -> Double { count == 0 ? 0 : Double(number) / Double(count) }
    var meanLength: Double { share(characters) }
    var meanDigits: Double { share(digits) }
    var meanTokens: Double { share(tokens) }
    var distinctness: Double { share(distinct.count) }
    /// Share of the most frequent length.
    var sameLength: Double { share(lengths.values.max() ?? 0) }

    mutating func add(_ value: String) {
        let text = Folding.fold(value)
        guard !text.isEmpty else { return }
        count += 1
        if distinct.count < 50_000 { distinct.insert(StableHash.of(text.utf8)) }
        var ownDigits = 0, others = 0, length = 0, ownHan = 0
        for scalar in text.unicodeScalars {
            length += 1
            if scalar.value >= 48, scalar.value <= 57 { ownDigits += 1 } else if scalar != " " { others += 1 }
            if Han.contains(scalar) { ownHan += 1 }
        }
        characters += length
        digits += ownDigits
        lengths[length, default: 0] += 1
        tokens += text.utf8.count { $0 == 32 } + 1
        if ownDigits > 0 { withDigit += 1 } else if others > 2, Nicknames.isKnown(text) { called += 1 }
        if others == 0 { digitsOnly += 1 }
        if length <= 10 { short += 1 }
        if ownHan * 2 >= length { han += 1 }
        if text.contains("@"), text.contains(".") { at += 1 }
        if let number = Double(text), number.isFinite {
            numeric += 1
            if text.contains(".") { fraction += 1 }
        }
        if ownDigits >= 7, ownDigits <= 15, others <= 5, PhoneNumber(text) != nil { phone += 1 }
        if (8...18).contains(length), let number = IdentityNumber(text), number.isChecked || length > 8 { identity += 1 }
        if ownDigits >= 3 || length >= 6, length <= 24 { addDate(text) }
    }

    /// The column's years count from 1912: what is a date by that is one.
    mutating func takeShortDates() {
        date += shortMinguo
        years += shortYears
    }

    private mutating func addDate(_ text: String) {
        if StandardDate.isMinguo(text) {
            minguo += 1
        } else if let number = StandardDate.number(text, minguo: true), StandardDate.number(text) == nil {
            shortMinguo += 1
            if StandardDate.isCompactMinguo(text) { compactMinguo += 1 }
            shortYears.append(Int(number / 10_000))
        }
        if isDate(text) {
            date += 1
            dayOrder += StandardDate.order(text)
            if let number = StandardDate.number(text) { years.append(Int(number / 10_000)) }
        }
    }

    private func isDate(_ text: String) -> Bool {
        guard let number = StandardDate.number(text) else { return false }
        let (month, day) = (number / 100 % 100, number % 100)
        return (1_850...2_100).contains(number / 10_000) && (1...12).contains(min(month, day)) && max(month, day) <= 31
            && min(month, day) > 0
    }
}
