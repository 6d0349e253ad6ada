import Kernel

/// What the dates of a column with years of two digits can be (`24-06-15`): by themselves they may be of the Republic of China,
/// or have the year first, the day first or the month first.
struct ShortYears: Sendable {
    private(set) var count = 0
    private var fitting: [DateOrder: (count: Int, days: ColumnProfiler.DayRange)] = [:]
    /// Years that the Republic never had: 0.
    private(set) var western = 0
    /// Whose first number is a day or a year, no month.
    private(set) var firstHigh = 0
    private var firsts: Set<Int> = [], lasts: Set<Int> = []
    /// No last number can be a month; years may be so throughout.
    var lastsAreHigh: Bool { lasts.allSatisfy { $0 > 12 } }
    static let orders: [DateOrder] = [.yearMonthDay, .dayMonthYear, .monthDayYear]

    mutating func add(_ date: DateText) {
        count += 1
        if date.year == 0 { western += 1 }
        if date.year > 12 { firstHigh += 1 }
        firsts.insert(date.year)
        lasts.insert(date.second)
        for order in Self.orders where order == .yearMonthDay || !date.isYearNamed {
            guard let day = date.day(order: order) else { continue }
            fitting[order, default: (0, ColumnProfiler.DayRange())].count += 1
            fitting[order, default: (0, ColumnProfiler.DayRange())].days.add(day)
        }
    }

    func fits(_ order: DateOrder) -> Int { fitting[order]?.count ?? 0 }
    func days(_ order: DateOrder) -> ColumnProfiler.DayRange? { fitting[order]?.days }

    /// Orders in which nearly all of them are days, and in which the numbers of the year do not look like days.
    func possible(tolerance: Double) -> [DateOrder] {
        let isLast = yearIsLast
        return Self.orders.filter { order in
            let endsInYear = order != .yearMonthDay
            return Double(count - fits(order)) <= Double(count) * tolerance && (isLast ?? endsInYear) == endsInYear
        }
    }

    /// By the numbers themselves, over many rows: years are few, days go through the month up to its end.
    /// - Returns: `nil` = they do not tell.
    var yearIsLast: Bool? {
        guard count >= Self.many else { return nil }
        if Self.areYears(lasts), Self.areDays(firsts) { return true }
        return Self.areYears(firsts) && Self.areDays(lasts) ? false : nil
    }

    private static let many = 20
    /// The first of each month is a single number too.
    private static func areYears(_ numbers: Set<Int>) -> Bool { numbers.count <= 3 && numbers != [1] }
    private static func areDays(_ numbers: Set<Int>) -> Bool {
        numbers.count >= 12 && numbers.allSatisfy { (1...31).contains($0) } && numbers.contains { $0 >= 27 }
    }
}

/// What the rest of a file says of its calendar.
package struct CalendarEvidence: Sendable, Equatable {
    /// Characters of Taiwan, its telephone numbers, or years of the Republic in another column.
    package var isOfTaiwan = false
    /// Another column has years of four digits that are no years of the Republic.
    package var hasWesternYears = false
    /// Another column has its year first.
    package var hasYearFirst = false
    package var hasHan = false
    /// Of other columns whose year stands last.
    package var orders: Set<DateOrder> = []

    package init() {}

    mutating func note(text: String) {
        for scalar in text.unicodeScalars where Han.contains(scalar) {
            hasHan = true
            if Han.simplified(scalar) != scalar { isOfTaiwan = true }
        }
        if text.hasPrefix("+886") || text.hasPrefix("886") && text.utf8.count == 12 { isOfTaiwan = true }
    }
}

extension ColumnProfiler {
    /// What this column tells of the calendar of the others.
    func note(in evidence: inout CalendarEvidence, name: String) {
        for text in [name] + kept.map(\.text) { evidence.note(text: text) }
        if namedMinguo + longMinguo > 0 { evidence.isOfTaiwan = true }
        if yearFirst > namedMinguo || compact > 0 { evidence.hasWesternYears = true }
        // `22-Apr-15` has its year last, and what may be exchanged is no evidence.
        if yearFirst > namedMinguo + wordy || compact > 0, !mayBeSwapped { evidence.hasYearFirst = true }
        if dayFirst + monthFirst + eitherOrder > 0 { evidence.hasWesternYears = true }
        if dayFirst > 0, monthFirst == 0 { evidence.orders.insert(.dayMonthYear) }
        if monthFirst > 0, dayFirst == 0 { evidence.orders.insert(.monthDayYear) }
    }

    /// How years of two digits are read that are not shown to be of the Republic, and what says so; `nil` = it cannot be told.
    func shortYearOrder(_ evidence: CalendarEvidence) -> (order: DateOrder, why: ShortYearReason)? {
        guard shorts.count > 0 else { return nil }
        let possible = shorts.possible(tolerance: options.tolerance)
        let ownOrders: [DateOrder] = (dayFirst > 0 ? [.dayMonthYear] : []) + (monthFirst > 0 ? [.monthDayYear] : [])
        // Its own dates first: a year 0, years of four digits beside, a fifteenth month.
        let isShownHere =
            shorts.western > 0 || yearFirst > namedMinguo || !ownOrders.isEmpty || shorts.yearIsLast == true
            || !possible.isEmpty && !possible.contains(.yearMonthDay)
        let why: ShortYearReason
        if isShownHere {
            why = .column
        } else if evidence.isOfTaiwan {
            return nil
        } else {
            why = evidence.hasWesternYears ? .file : .script
        }
        if possible.count == 1, let only = possible.first { return (only, why) }
        if ownOrders.count == 1, let own = ownOrders.first, possible.contains(own) { return (own, why) }
        // Where several fit, the other dates of the file say it; in Chinese the year stands first.
        let isYearFirst = possible.contains(.yearMonthDay) && !mayBeSwapped && (yearFirst > 0 || evidence.hasYearFirst || evidence.hasHan)
        if isYearFirst, ownOrders.isEmpty, evidence.orders.isEmpty { return (.yearMonthDay, why) }
        if evidence.orders.count == 1, let other = evidence.orders.first, possible.contains(other), yearFirst == 0 {
            return (other, .file)
        }
        return isYearFirst && ownOrders.isEmpty ? (.yearMonthDay, why) : nil
    }
}

extension ColumnProfiler {
    /// Days above 12 are written in another way than all others (`22-04-15` beside `2015-04-08`): a program took the day of these
    /// for the month.
    var looksSwapped: Bool { looksSwapped(min: ColumnProfiler.swappedMin) }

    /// So few that it may be chance: nothing is to be concluded from the order of such dates all the same.
    var mayBeSwapped: Bool { looksSwapped(min: 1) }

    private func looksSwapped(min: Int) -> Bool {
        yearFirstLow >= min && yearFirstHigh == 0 && dayFirst + shorts.count >= min
            && monthFirst + eitherOrder == 0 && shorts.firstHigh == shorts.count && shorts.lastsAreHigh
    }

    private static let swappedMin = 4
}

/// What says that years of two digits are of 1970 to 2069.
package enum ShortYearReason: String, Sendable, Codable {
    /// Other dates of the column.
    case column
    /// Other columns.
    case file
    /// Nothing in the file is of Taiwan.
    case script
}
