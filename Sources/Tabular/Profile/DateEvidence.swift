/// What a column's dates tell about the order of day and month, taken together.
package struct DateEvidence: Sendable, Codable, Equatable {
    package enum Verdict: String, Sendable, Codable {
        /// No dates, or only one reading of each.
        case clear
        case dayFirst = "day_first", monthFirst = "month_first"
        /// Every date can be read both ways.
        case unknown
        /// Some are certainly day first, others certainly month first.
        case mixed
        /// Days over 12 are written `22-04-15`, all others `2015-04-08`: a program took the day of these for the month.
        case swapped
    }

    private static let linesMax = 20

    package private(set) var dayFirst = 0
    package private(set) var monthFirst = 0
    /// `05/04/2015`: read by what the others say.
    package private(set) var either = 0
    /// `2015-04-22`, `22-Apr-15`.
    package private(set) var fixed = 0
    /// `2015-04-08`: fixed, unless the column is `swapped`.
    package private(set) var yearFirstLow = 0
    /// The shape of a date, and no such day: `31/02/2024`, `2024-13-01`.
    package private(set) var impossible = 0
    package private(set) var impossibleExamples: [FileProfile.Place] = []
    private var eitherLines: [Int] = [], lowLines: [Int] = []

    /// What can be a date.
    package var possible: Int { dayFirst + monthFirst + either + fixed + yearFirstLow }
    package var total: Int { possible + impossible }
    package var yearFirst: Int { fixed + yearFirstLow }

    package var verdict: Verdict {
        if dayFirst > 0, monthFirst > 0 { return .mixed }
        if dayFirst > 1, monthFirst == 0, either == 0, fixed == 0, yearFirstLow > 1 { return .swapped }
        if dayFirst > 0 { return .dayFirst }
        if monthFirst > 0 { return .monthFirst }
        return either > 0 ? .unknown : .clear
    }

    /// Rows whose date cannot be told from the column, and the lines of the first of them.
    package var ambiguous: (count: Int, lines: [Int]) {
        switch verdict {
        case .mixed, .unknown: (either, eitherLines)
        case .swapped: (yearFirstLow, lowLines)
        case .clear, .dayFirst, .monthFirst: (0, [])
        }
    }

    /// - Parameter text: trimmed.
    mutating func add(_ text: Bytes, line: Int) {
        guard let first = text.first, Ascii.isDigit(first), text.count >= 6, text.count <= 40,
            let parts = DateEvidence.parts(text)
        else { return }
        let (a, b, c) = parts
        if a.width == 4 {
            let isDay =
                CalendarDay(year: a.value, month: b.value, day: c.value) != nil
                || CalendarDay(year: a.value, month: c.value, day: b.value) != nil
            guard isDay else { return noteImpossible(text, line) }
            if b.value <= 12, c.value <= 12 {
                yearFirstLow += 1
                if lowLines.count < DateEvidence.linesMax { lowLines.append(line) }
            } else {
                fixed += 1
            }
        } else if c.width == 4 || c.width == 2 {
            // The century of a year in two digits matters only for a 29th of February of 00.
            let year = c.width == 4 ? c.value : 2000 + c.value
            let isDayFirst = CalendarDay(year: year, month: b.value, day: a.value) != nil
            let isMonthFirst = CalendarDay(year: year, month: a.value, day: b.value) != nil
            switch (isDayFirst, isMonthFirst) {
            case (true, false): dayFirst += 1
            case (false, true): monthFirst += 1
            case (true, true):
                either += 1
                if eitherLines.count < DateEvidence.linesMax { eitherLines.append(line) }
            // `78/03/04`: a year stands first, of whichever calendar.
            case (false, false) where c.width == 2 && CalendarDay(year: 1900 + a.value, month: b.value, day: c.value) != nil:
                fixed += 1
            case (false, false): noteImpossible(text, line)
            }
        }
    }

    private mutating func noteImpossible(_ text: Bytes, _ line: Int) {
        impossible += 1
        guard impossibleExamples.count < 3 else { return }
        impossibleExamples.append(.init(line: line, value: String(decoding: text, as: UTF8.self)))
    }

    private typealias Part = (value: Int, width: Int)

    /// Three numbers with the same sign between them, ended by the text's end or a time.
    private static func parts(_ text: Bytes) -> (Part, Part, Part)? {
        var at = 0
        func number() -> Part? {
            let start = at
            var value = 0
            while at < text.count, at - start < 4, Ascii.isDigit(text[at]) {
                value = value * 10 + Int(text[at] - Ascii.zero)
                at += 1
            }
            return at > start ? (value, at - start) : nil
        }
        guard let a = number(), at < text.count else { return nil }
        let sign = text[at]
        guard sign == Ascii.minus || sign == UInt8(ascii: "/") || sign == Ascii.dot else { return nil }
        at += 1
        guard let b = number(), b.width <= 2, at < text.count, text[at] == sign else { return nil }
        at += 1
        guard let c = number(), at == text.count || text[at] == Ascii.space || text[at] == UInt8(ascii: "T") else {
            return nil
        }
        return a.width <= 2 || a.width == 4 && c.width <= 2 ? (a, b, c) : nil
    }
}
