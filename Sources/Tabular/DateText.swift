/// The order of day and month where a date is written `a/b/YYYY`.
package enum DateOrder: String, Sendable, Codable, CaseIterable {
    case dayMonthYear = "dmy"
    case monthDayYear = "mdy"
    /// Only dates with the year in front are taken: no other one is to be guessed at. Years of two digits are of 1970 to 2069.
    case yearMonthDay = "ymd"
    /// Years count from 1912 (民國), also where they are written `78/03/04` or `0780304`.
    case minguo = "roc"
}

/// A date, and maybe a time of day, as people write it.
struct DateText {
    enum Form {
        /// `2024-03-05`, `2024/3/5`, `2024.3.5`, `2024年3月5日`, `5-Mar-2024`, `05-Mar-24`: only one reading.
        case yearFirst
        /// `05/03/2024`: two readings.
        case yearLast
        /// `20240305` (and `20240305102030`): also an integer.
        case compact
        /// `078/03/04`, `101年5月6日`: no other calendar has years of three digits.
        case minguo
        /// `78/03/04`, `78年3月4日`: the year of the Republic of China, or the last two digits of another one.
        case shortYear
        /// `0780304`, `780304`: also an integer.
        case minguoCompact
    }

    private(set) var form = Form.yearFirst
    private(set) var year = 0
    /// Month and day for `yearFirst` and `compact`; the two numbers in the order written for `yearLast`.
    private(set) var first = 0, second = 0
    /// Milliseconds since midnight; nil without a time of day.
    private(set) var time_ms: Int?
    /// 民國 is written.
    private(set) var isNamedMinguo = false
    /// Of `shortYear`: 年 is written, so the year stands first.
    private(set) var isYearNamed = false
    /// The month is a word, or 年 is written: nothing can be taken for something else.
    private(set) var isWordy = false
    /// `2015-04-08`: a day, and another one when its last two parts are exchanged.
    var isExchangeable: Bool { form == .yearFirst && !isWordy && first <= 12 && second <= 12 && first != second }

    /// Of `shortYear`: the last number has two digits, so it may be the year.
    private(set) var mayEndInYear = false
    /// Minutes east of UTC; nil when none is written.
    private(set) var offset_min: Int?

    /// - Parameter text: trimmed. Nil when it does not have the shape of a date; the calendar is not checked here.
    init?(_ text: Bytes) {
        guard text.count >= 6, text.count <= 64 else { return nil }
        if Ascii.isDigit(text[0]), let read = DateText(plain: text, isMinguo: false) {
            self = read
            return
        }
        guard let written = EastAsianDate(text) else { return nil }
        let read = written.plain.withUnsafeBufferPointer {
            DateText(plain: Bytes(rebasing: $0[...]), isMinguo: written.isMinguo)
        }
        guard let read else { return nil }
        self = read
    }

    private init?(plain text: Bytes, isMinguo: Bool) {
        var reader = Reader(text: text)
        guard takeDate(&reader, isMinguo: isMinguo), takeTime(&reader) else { return nil }
        if isMinguo {
            // Said in so many words.
            guard form == .shortYear || form == .minguo, year > 0 else { return nil }
            if form == .shortYear { year += DateText.minguoBefore }
            form = .yearFirst
            isNamedMinguo = true
        }
    }

    /// The year before the first of the Republic of China.
    static let minguoBefore = 1911

    /// Read as of the Republic of China when the column says so, otherwise not at all.
    var isOpenCalendar: Bool { form == .shortYear || form == .minguoCompact }

    /// The day in the proleptic Gregorian calendar; nil when there is none such.
    func day(order: DateOrder?) -> CalendarDay? {
        switch (form, order) {
        case (.yearLast, .dayMonthYear?): CalendarDay(year: year, month: second, day: first)
        case (.yearLast, .monthDayYear?): CalendarDay(year: year, month: first, day: second)
        case (.yearLast, _): nil
        case (.shortYear, .minguo?), (.minguoCompact, .minguo?):
            year > 0 ? CalendarDay(year: year + DateText.minguoBefore, month: first, day: second) : nil
        case (.shortYear, .yearMonthDay?): CalendarDay(year: DateText.fullYear(year), month: first, day: second)
        case (.shortYear, .dayMonthYear?) where mayEndInYear: CalendarDay(year: DateText.fullYear(second), month: first, day: year)
        case (.shortYear, .monthDayYear?) where mayEndInYear: CalendarDay(year: DateText.fullYear(second), month: year, day: first)
        case (.shortYear, _), (.minguoCompact, _): nil
        default: CalendarDay(year: year, month: first, day: second)
        }
    }

    /// 1970 to 2069, as for `05-Mar-24`.
    static func fullYear(_ short: Int) -> Int { short + (short < 70 ? 2000 : 1900) }

    private struct Reader {
        let text: Bytes
        var at = 0

        var isAtEnd: Bool { at == text.count }
        var peek: UInt8 { at < text.count ? text[at] : 0 }

        typealias Number = (value: Int, width: Int)

        mutating func number(_ widths: ClosedRange<Int>) -> Number? {
            let start = at
            var value = 0
            while at < text.count, at - start < widths.upperBound, Ascii.isDigit(text[at]) {
                value = value * 10 + Int(text[at] - Ascii.zero)
                at += 1
            }
            return widths.contains(at - start) ? (value, at - start) : nil
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte, at < text.count else { return false }
            at += 1
            return true
        }

        mutating func take(_ word: StaticString) -> Bool {
            let length = word.utf8CodeUnitCount
            guard at + length <= text.count else { return false }
            for index in 0..<length where text[at + index] != word.utf8Start[index] { return false }
            at += length
            return true
        }
    }

    private mutating func takeDate(_ reader: inout Reader, isMinguo: Bool) -> Bool {
        var run = 0
        while run < reader.text.count, Ascii.isDigit(reader.text[run]) { run += 1 }
        switch run {
        case 8, 14:
            form = .compact
            guard let y = reader.number(4...4), let m = reader.number(2...2), let d = reader.number(2...2) else {
                return false
            }
            (year, first, second) = (y.value, m.value, d.value)
            return year >= 1900 && year <= 2100
        case 4:
            guard let y = reader.number(4...4) else { return false }
            year = y.value
            return takeMonthAndDay(&reader)
        case 3:
            guard let y = reader.number(3...3), y.value > 0, y.value < 200 else { return false }
            form = .minguo
            year = y.value + DateText.minguoBefore
            return takeMonthAndDay(&reader)
        case 6, 7:
            form = .minguoCompact
            guard let y = reader.number(run - 4...run - 4), let m = reader.number(2...2), let d = reader.number(2...2),
                y.value < 200
            else { return false }
            (year, first, second) = (y.value, m.value, d.value)
            return reader.isAtEnd
        case 1, 2: return takeShort(&reader, width: run, isMinguo: isMinguo)
        default: return false
        }
    }

    /// `年3月5日`, `-03-05`, `/3/5`, behind the year.
    private mutating func takeMonthAndDay(_ reader: inout Reader) -> Bool {
        if reader.take("年") {
            isWordy = true
            guard let m = reader.number(1...2), reader.take("月"), let d = reader.number(1...2) else { return false }
            (first, second) = (m.value, d.value)
            return reader.take("日") || reader.take("号")
        }
        guard let pair = pair(&reader, last: 1...2) else { return false }
        (first, second) = (pair.0.value, pair.1.value)
        return true
    }

    /// A day, a month or a year of two digits stands first.
    private mutating func takeShort(_ reader: inout Reader, width: Int, isMinguo: Bool) -> Bool {
        guard let a = reader.number(1...2) else { return false }
        if !isMinguo, takeNamedMonth(&reader) {
            second = a.value
            return true
        }
        if isMinguo || reader.text[reader.at...].starts(with: "年".utf8) {
            (form, year, isYearNamed) = (.shortYear, a.value, true)
            return takeMonthAndDay(&reader)
        }
        guard let pair = pair(&reader, last: 1...4), pair.1.width != 3 else { return false }
        if pair.1.width == 4 {
            form = .yearLast
            (first, second, year) = (a.value, pair.0.value, pair.1.value)
            return true
        }
        (form, year, first, second) = (.shortYear, a.value, pair.0.value, pair.1.value)
        mayEndInYear = pair.1.width == 2
        return width == 2
    }

    private static let months: [StaticString] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// `-Mar-2024`, `-Mar-24` (1970...2069), behind the day.
    private mutating func takeNamedMonth(_ reader: inout Reader) -> Bool {
        let separator = reader.peek, at = reader.at
        guard at + 5 < reader.text.count, reader.text[at + 4] == separator,
            separator == Ascii.minus || separator == Ascii.space || separator == UInt8(ascii: "/"),
            let month = DateText.months.firstIndex(where: {
                TextTrim.matches(Bytes(rebasing: reader.text[at + 1..<at + 4]), $0)
            })
        else { return false }
        reader.at += 5
        isWordy = true
        guard let written = reader.number(2...4), written.width != 3 else { return false }
        first = month + 1
        year = written.width == 4 ? written.value : DateText.fullYear(written.value)
        return true
    }

    /// Separator, number, the same separator, number.
    private func pair(_ reader: inout Reader, last: ClosedRange<Int>) -> (Reader.Number, Reader.Number)? {
        let separator = reader.peek
        guard separator == Ascii.minus || separator == UInt8(ascii: "/") || separator == Ascii.dot else { return nil }
        guard reader.take(separator), let one = reader.number(1...2), reader.take(separator),
            let two = reader.number(last)
        else { return nil }
        return (one, two)
    }

    private mutating func takeTime(_ reader: inout Reader) -> Bool {
        if reader.isAtEnd { return true }
        if form == .compact, Ascii.isDigit(reader.peek) {
            guard let h = reader.number(2...2), let m = reader.number(2...2), let s = reader.number(2...2) else {
                return false
            }
            return setTime(h.value, m.value, s.value, 0) && reader.isAtEnd
        }
        if !reader.take(UInt8(ascii: "T")), !reader.take(UInt8(ascii: "t")) {
            while reader.take(Ascii.space) {}
        }
        guard let h = reader.number(1...2), reader.take(Ascii.colon), let m = reader.number(2...2) else { return false }
        var seconds = 0, fraction_ms = 0
        if reader.take(Ascii.colon) {
            guard let s = reader.number(2...2) else { return false }
            seconds = s.value
            if reader.take(Ascii.dot) || reader.take(Ascii.comma) {
                guard let f = reader.number(1...9) else { return false }
                // Digits past milliseconds are dropped, as everywhere in the product.
                fraction_ms = f.value * 1_000_000_000 / NumberPowers.ten(f.width) / 1_000_000
            }
        }
        guard let hour = hour(h.value, &reader), setTime(hour, m.value, seconds, fraction_ms) else { return false }
        return takeZone(&reader) && reader.isAtEnd
    }

    private func hour(_ hour: Int, _ reader: inout Reader) -> Int? {
        let start = reader.at
        while reader.take(Ascii.space) {}
        let letter = reader.peek | 0x20
        guard letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p"), reader.at + 1 < reader.text.count,
            reader.text[reader.at + 1] | 0x20 == UInt8(ascii: "m")
        else {
            reader.at = start
            return hour
        }
        reader.at += 2
        guard hour >= 1, hour <= 12 else { return nil }
        return hour % 12 + (letter == UInt8(ascii: "p") ? 12 : 0)
    }

    private mutating func setTime(_ hour: Int, _ minute: Int, _ second: Int, _ fraction_ms: Int) -> Bool {
        // 24:00 and leap seconds are not instants of our clock.
        guard hour < 24, minute < 60, second < 60 else { return false }
        time_ms = ((hour * 60 + minute) * 60 + second) * 1_000 + fraction_ms
        return true
    }

    private mutating func takeZone(_ reader: inout Reader) -> Bool {
        while reader.take(Ascii.space) {}
        if reader.isAtEnd { return true }
        if reader.take(UInt8(ascii: "Z")) || reader.take(UInt8(ascii: "z")) {
            offset_min = 0
            return true
        }
        let isWest = reader.peek == Ascii.minus
        guard reader.take(Ascii.plus) || reader.take(Ascii.minus), let h = reader.number(2...2), h.value <= 14 else {
            return false
        }
        var minutes = 0
        if !reader.isAtEnd {
            _ = reader.take(Ascii.colon)
            guard let m = reader.number(2...2), m.value < 60 else { return false }
            minutes = m.value
        }
        offset_min = (h.value * 60 + minutes) * (isWest ? -1 : 1)
        return true
    }
}

/// What a date may be, read in every order.
package enum DateReadings {
    /// `YYYY-MM-DD` of each; one of a date that can be read in one way only.
    package static func all(_ text: String) -> Set<String> {
        var text = text
        return text.withUTF8 { bytes in
            guard let date = DateText(TextTrim.trimmed(bytes)) else { return [] }
            var days: [CalendarDay?] = [.yearMonthDay, .dayMonthYear, .monthDayYear].map { date.day(order: $0) }
            if date.isExchangeable { days.append(CalendarDay(year: date.year, month: date.second, day: date.first)) }
            return Set(days.compactMap { $0?.text })
        }
    }
}

enum NumberPowers {
    static func ten(_ power: Int) -> Int { (0..<power).reduce(1) { value, _ in value * 10 } }
}

/// A day of the proleptic Gregorian calendar, years 1000...9999.
struct CalendarDay: Equatable {
    let year: Int, month: Int, day: Int

    init?(year: Int, month: Int, day: Int) {
        guard year >= 1000, year <= 9999, month >= 1, month <= 12, day >= 1,
            day <= CalendarDay.length(month: month, year: year)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Excel's serial date in the 1900 system; 60 is its day that never was (1900-02-29), so serials count from 61.
    init?(excelSerial serial: Int) {
        guard serial >= 61, serial <= 2_958_465 else { return nil }
        self.init(daysSinceEpoch: serial - 25_569)
    }

    /// Inverse of `daysSinceEpoch` (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
    init?(daysSinceEpoch days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// Days since 1970-01-01 (the same source, days_from_civil).
    var daysSinceEpoch: Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `YYYY-MM-DD`.
    var text: String {
        let digits = [
            year / 1000, year / 100 % 10, year / 10 % 10, year % 10, -1, month / 10, month % 10, -1, day / 10, day % 10,
        ]
        return String(decoding: digits.map { $0 < 0 ? Ascii.minus : Ascii.zero + UInt8($0) }, as: UTF8.self)
    }

    static func length(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
