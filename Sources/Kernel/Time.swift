import Foundation

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. Stored as BIGINT.
package struct Instant: Hashable, Sendable, Comparable, Codable {
    package let milliseconds: Int64
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
    package func adding(milliseconds more: Int64) -> Instant { Instant(milliseconds: milliseconds + more) }
    package func adding(seconds: Int64) -> Instant { adding(milliseconds: seconds * 1_000) }
    package func adding(days: Int64) -> Instant { adding(seconds: days * 86_400) }

    /// ISO 8601 in UTC with milliseconds, `2026-01-31T08:00:00.000Z`.
    package var iso8601: String {
        let day = Self.floorDiv(milliseconds, 86_400_000)
        let rest = milliseconds - day * 86_400_000
        let date = LocalDate(daysSinceEpoch: Int(day))
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let ms = rest % 1_000
        let fraction = ms < 10 ? "00\(ms)" : ms < 100 ? "0\(ms)" : "\(ms)"
        return "\(date)T\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):\(two(rest / 1_000 % 60)).\(fraction)Z"
    }

    /// The calendar date of this instant in a zone that is `offsetMinutes` east of UTC.
    package func date(offsetMinutes: Int = 0) -> LocalDate {
        LocalDate(daysSinceEpoch: Int(Self.floorDiv(milliseconds + Int64(offsetMinutes) * 60_000, 86_400_000)))
    }

    /// `2026-01-31 16:00` in a zone that is `offsetMinutes` east of UTC.
    package func displayed(offsetMinutes: Int) -> String {
        let local = milliseconds + Int64(offsetMinutes) * 60_000
        let day = Self.floorDiv(local, 86_400_000)
        let minutes = (local - day * 86_400_000) / 60_000
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return "\(LocalDate(daysSinceEpoch: Int(day))) \(two(minutes / 60)):\(two(minutes % 60))"
    }

    /// What a zone `offsetMinutes` east of UTC is called beside the times that are shown in it: `UTC+8`, `UTC-3:30`, `UTC`.
    package static func zoneName(offsetMinutes: Int) -> String {
        guard offsetMinutes != 0 else { return "UTC" }
        let (hours, minutes) = (abs(offsetMinutes) / 60, abs(offsetMinutes) % 60)
        return "UTC\(offsetMinutes < 0 ? "-" : "+")\(hours)"
            + (minutes == 0 ? "" : ":\(minutes < 10 ? "0" : "")\(minutes)")
    }

    static func floorDiv(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : -((-a + b - 1) / b) }
}

/// A calendar date without time or zone (proleptic Gregorian). Stored as TEXT `YYYY-MM-DD`.
package struct LocalDate: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// `nil` when the date does not exist (years 1...9999).
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// Parses exactly `YYYY-MM-DD`.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 45, bytes[7] == 45 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(0) { total, byte in
                total.flatMap { (48...57).contains(byte) ? $0 * 10 + Int(byte - 48) : nil }
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Days since 1970-01-01; algorithm of H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    package init(daysSinceEpoch days: Int) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let doe = z - era * 146_097
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
        let mp = (5 * doy + 2) / 153
        day = doy - (153 * mp + 2) / 5 + 1
        month = mp < 10 ? mp + 3 : mp - 9
        year = yoe + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01; days_from_civil of the same paper.
    package var daysSinceEpoch: Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yoe = y - era * 400
        let doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
    }

    package func adding(days: Int) -> LocalDate { LocalDate(daysSinceEpoch: daysSinceEpoch + days) }
    /// The same day of the month `months` later, clamped to the month's last day.
    package func adding(months: Int) -> LocalDate {
        let index = year * 12 + month - 1 + months
        let (y, m) = (index / 12, index % 12 + 1)
        return LocalDate(year: y, month: m, day: min(day, Self.days(in: m, of: y))) ?? self
    }
    /// `YYYY-MM`.
    package var yearMonth: String { text(7) }

    package var description: String { text(10) }

    /// Rows of a seeding or an import have dozens of dates each: digits are written one by one, without a string for each.
    private func text(_ length: Int) -> String {
        guard (0...9_999).contains(year) else { return "\(year)-\(month)-\(day)" }
        return String(unsafeUninitializedCapacity: 10) { buffer in
            func put(_ number: Int, _ digits: Int, at start: Int) {
                var rest = number
                for place in (start..<start + digits).reversed() {
                    buffer[place] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                    rest /= 10
                }
            }
            put(year, 4, at: 0)
            put(month, 2, at: 5)
            put(day, 2, at: 8)
            (buffer[4], buffer[7]) = (45, 45)
            return length
        }
    }

    package static func < (a: Self, b: Self) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Where the product gets the time; injected, so that tests move it.
package protocol WallClock: Sendable {
    func now() -> Instant
}

/// The machine's clock.
package struct SystemClock: WallClock {
    package init() {}
    package func now() -> Instant {
        Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }
}
