import Kernel

/// A birth date as people write it: `1980-02-03`, `19800203`, `3/2/1980`, `Feb 3, 1980`, `1980年2月3日`. Unlike an
/// imported
/// date it may be broken: what is not in the calendar is kept as written, to be compared digit by digit.
enum StandardDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    struct Parts: Equatable {
        var numbers: [Int] = []
        var widths: [Int] = []
        var namedMonth: Int?
        var isOther = false
    }

    /// `YYYYMMDD`; nil when the text has not the shape of a date.
    /// - Parameter dayFirst: how `3/2/1980` is read; where only one reading exists, that one is taken.
    ///   - minguo: the column's years count from 1912 (民國), also where there are two digits of them.
    static func number(_ text: String, dayFirst: Bool = true, minguo: Bool = false) -> Int64? {
        let plain = plain(text)
        let parts = parts(plain.bytes)
        guard !parts.isOther else { return nil }
        var numbers = parts.numbers
        if let own = minguoNumber(parts, plain, isShort: minguo) { return own }
        if numbers.count == 1 || (numbers.count >= 1 && parts.widths[0] == 8), parts.widths[0] == 8 {
            return compact(numbers[0], dayFirst: dayFirst)
        }
        if let month = parts.namedMonth, numbers.count >= 2 {
            let isYearFirst = parts.widths[0] == 4
            let (day, year) = isYearFirst ? (numbers[1], numbers[0]) : (numbers[0], numbers[1])
            return joined(full(year), month, day)
        }
        guard numbers.count >= 3 else { return nil }
        if parts.widths[0] == 4 { return joined(numbers[0], numbers[1], numbers[2]) }
        guard parts.widths[2] == 4 || parts.widths[2] == 2 else { return nil }
        // `78/03/04`: no day, and of which calendar the year is nobody says.
        if parts.widths[2] == 2, numbers[0] > 31 { return nil }
        numbers[2] = parts.widths[2] == 2 ? full(numbers[2]) : numbers[2]
        let (a, b) = (numbers[0], numbers[1])
        let isDayFirst = a > 12 ? true : b > 12 ? false : dayFirst
        return isDayFirst ? joined(numbers[2], b, a) : joined(numbers[2], a, b)
    }

    /// What a column of such dates says about the order: +1 day first, -1 month first, 0 nothing.
    static func order(_ text: String) -> Int {
        let plain = plain(text)
        let parts = parts(plain.bytes)
        guard !plain.isMinguo, !parts.isOther, parts.namedMonth == nil, parts.numbers.count >= 3, parts.widths[0] <= 2,
            parts.widths[2] == 4 || parts.numbers[0] <= 31
        else { return 0 }
        return parts.numbers[0] > 12 && parts.numbers[1] <= 12
            ? 1 : parts.numbers[1] > 12 && parts.numbers[0] <= 12 ? -1 : 0
    }

    /// Whether the date can only be of the Republic of China: it says so, or its year has three digits.
    static func isMinguo(_ text: String) -> Bool {
        let plain = plain(text)
        return minguoNumber(parts(plain.bytes), plain, isShort: false) != nil
    }

    /// `0780304`, of which nothing but its column tells that it is a date.
    static func isCompactMinguo(_ text: String) -> Bool {
        let plain = plain(text), parts = parts(plain.bytes)
        return parts.widths == [7] && minguoNumber(parts, plain, isShort: true) != nil
    }

    private static func minguoNumber(_ parts: Parts, _ plain: Plain, isShort: Bool) -> Int64? {
        guard parts.namedMonth == nil, !parts.isOther, !plain.hasOtherHan else { return nil }
        var (year, month, day) = (0, 0, 0)
        if parts.numbers.count >= 3 {
            let width = parts.widths[0]
            guard parts.widths[1] <= 2, parts.widths[2] <= 2, width == 3 || width <= 2 && (plain.isMinguo || isShort) else {
                return nil
            }
            (year, month, day) = (parts.numbers[0], parts.numbers[1], parts.numbers[2])
        } else if isShort, parts.numbers.count == 1, parts.widths[0] == 7 || parts.widths[0] == 6 {
            let number = parts.numbers[0]
            (year, month, day) = (number / 10_000, number / 100 % 100, number % 100)
        }
        guard (1..<200).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        return joined(year + 1_911, month, day)
    }

    /// 30 and above is the last century.
    private static func full(_ year: Int) -> Int { year >= 100 ? year : year >= 30 ? 1900 + year : 2000 + year }

    private static func compact(_ number: Int, dayFirst: Bool) -> Int64? {
        let year = number / 10_000
        if (1_800...2_100).contains(year) { return Int64(number) }
        let last = number % 10_000
        guard (1_800...2_100).contains(last) else { return nil }
        let (a, b) = (number / 1_000_000, number / 10_000 % 100)
        return dayFirst && b <= 12 || a > 12 ? joined(last, b, a) : joined(last, a, b)
    }

    private static func joined(_ year: Int, _ month: Int, _ day: Int) -> Int64? {
        guard (1_000...2_999).contains(year), month <= 99, day <= 99 else { return nil }
        return Int64(year * 10_000 + month * 100 + day)
    }

    private struct Plain {
        /// Digits and small letters, all else as a space, and a space at the end.
        let bytes: [UInt8]
        /// 民國 is written.
        let isMinguo: Bool
        /// Characters that do not belong into a date: 101号5楼6室.
        let hasOtherHan: Bool
    }

    private static let ofDates = Set("年月日号號中華华民國国时時分秒上下午".unicodeScalars)

    private static func plain(_ text: String) -> Plain {
        let isChinese = text.utf8.contains { $0 >= 0xE3 }
        let isMinguo = isChinese && (text.contains("民國") || text.contains("民国"))
        let text = isChinese ? HanNumerals.inDigits(text) : text
        let bytes: [UInt8] = text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 65...90: UInt8(scalar.value + 32)
            case 0..<0x80: UInt8(scalar.value)
            case 0xFF10...0xFF19: UInt8(scalar.value - 0xFF10 + 48)
            default: 32
            }
        }
        let hasOther = isChinese && text.unicodeScalars.contains { Han.contains($0) && !ofDates.contains($0) }
        return Plain(bytes: bytes + [32], isMinguo: isMinguo, hasOtherHan: hasOther)
    }

    private static func parts(_ text: [UInt8]) -> Parts {
        var parts = Parts()
        var value = 0, width = 0
        var word: [UInt8] = []
        func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
        for byte in text {
            if (48...57).contains(byte) {
                value = min(value * 10 + Int(byte - 48), 1 << 40)
                width += 1
                continue
            }
            if width > 0 {
                parts.numbers.append(value)
                parts.widths.append(width)
                (value, width) = (0, 0)
                // What follows a whole date is the time of day.
                if parts.numbers.count == 3 || parts.widths == [8] { return parts }
            }
            if isLetter(byte) {
                word.append(byte)
            } else if !word.isEmpty {
                if word.count >= 3, let month = months.firstIndex(of: String(decoding: word.prefix(3), as: UTF8.self)) {
                    parts.namedMonth = month + 1
                } else if !["st", "nd", "rd", "th"].contains(String(decoding: word, as: UTF8.self)) {
                    parts.isOther = true
                }
                word = []
            }
        }
        return parts
    }
}
