/// A moment as RFC 3339 and ISO 8601 write it: `2026-11-29`, `2026-11-29T15:00Z`, `2026-11-29T15:00:00.123+08:00`. Without a
/// zone it is in UTC, a day alone is its beginning.
package struct TMFTime: Sendable, Equatable {
    /// Since 1970, in units of a nanosecond.
    package let nanoseconds: Int128

    /// What is stored and compared: a finer part is kept in the text only.
    package var milliseconds: Int64 {
        let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return Int64(clamping: rest < 0 ? quotient - 1 : quotient)
    }

    /// `nil` for what is no time. What is finer than a nanosecond is cut off; a leap second is the second after it.
    package init?(_ text: String) {
        var reader = Reader(text.utf8)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), (1...12).contains(month), (1...Self.days(month, year)).contains(day)
        else { return nil }
        var seconds = Self.daysSinceEpoch(year, month, day) * 86_400
        var fraction: Int64 = 0
        if reader.take("T") || reader.take("t") || reader.take(" ") {
            guard let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), hour < 24, minute < 60
            else { return nil }
            seconds += hour * 3_600 + minute * 60
            if reader.take(":") {
                guard let second = reader.number(2), second <= 60 else { return nil }
                seconds += second
                if reader.take(".") || reader.take(",") {
                    guard let part = reader.fraction() else { return nil }
                    fraction = part
                }
            }
            guard let offset = reader.zone() else { return nil }
            seconds -= offset
        }
        guard reader.isAtEnd else { return nil }
        nanoseconds = Int128(seconds) * 1_000_000_000 + Int128(fraction)
    }

    /// A time as an address has it: a + that was not written as %2B is read as a blank, which means nothing else before a zone.
    static func asked(_ text: String) -> String {
        guard TMFTime(text) == nil, let blank = text.lastIndex(of: " ") else { return text }
        let mended = text[..<blank] + "+" + text[blank...].dropFirst()
        return TMFTime(String(mended)) == nil ? text : String(mended)
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Proleptic Gregorian calendar, years beginning in March.
    private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let years = month <= 2 ? year - 1 : year
        let era = (years >= 0 ? years : years - 399) / 400
        let ofEra = years - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    private struct Reader {
        private var rest: Substring.UTF8View.SubSequence
        init(_ text: String.UTF8View) { rest = Substring(String(text)).utf8[...] }
        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ character: Character) -> Bool {
            guard rest.first == character.asciiValue else { return false }
            rest.removeFirst()
            return true
        }

        mutating func number(_ digits: Int) -> Int64? {
            var value: Int64 = 0
            for _ in 0..<digits {
                guard let byte = rest.first, (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
                rest.removeFirst()
            }
            return value
        }

        mutating func fraction() -> Int64? {
            var value: Int64 = 0
            var count = 0
            while let byte = rest.first, (48...57).contains(byte) {
                if count < 9 { value = value * 10 + Int64(byte - 48) }
                count += 1
                rest.removeFirst()
            }
            guard count > 0 else { return nil }
            for _ in min(count, 9)..<9 { value *= 10 }
            return value
        }

        /// Seconds east of UTC.
        mutating func zone() -> Int64? {
            if isAtEnd || take("Z") || take("z") { return 0 }
            let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(2), hours <= 18 else { return nil }
            _ = take(":")
            let minutes = isAtEnd ? 0 : number(2)
            guard let minutes, minutes < 60 else { return nil }
            return sign * (hours * 3_600 + minutes * 60)
        }
    }
}
