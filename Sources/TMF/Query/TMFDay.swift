import Kernel
import Storage

/// A day of the installation's zone, where the interface has a time only: the day's beginning, written in that zone. As `…T00:00:00Z` it
/// would be another moment, and for those west of here another day.
package enum TMFDay {
    /// `2026-01-05T00:00:00+08:00`.
    package static func start(_ day: LocalDate, offsetMinutes: Int) -> String { "\(day)T00:00:00" + zone(offsetMinutes) }

    /// `2026-01-05T23:59:59+08:00`.
    package static func end(_ day: LocalDate, offsetMinutes: Int) -> String { "\(day)T23:59:59" + zone(offsetMinutes) }

    /// The same of a row's text; what is no day stays as it is.
    package static func start(_ text: String, offsetMinutes: Int) -> String {
        LocalDate(text).map { start($0, offsetMinutes: offsetMinutes) } ?? text
    }

    /// The day that a time means: midnight as it is written is that day, wherever it was written; anything else is the day that it is here.
    package static func day(_ text: String, offsetMinutes: Int) -> LocalDate? {
        guard let time = TMFTime(text) else { return nil }
        if isMidnight(text), let day = LocalDate(String(text.prefix(10))) { return day }
        return Instant(milliseconds: time.milliseconds).date(offsetMinutes: offsetMinutes)
    }

    /// Attributes that are days, though the interface has a time for them: a person is born on a day, wherever it is written down.
    private static let days: Set<String> = ["birthDate", "deathDate"]

    static func isMeant(by path: AttributePath) -> Bool { path.names.last.map(days.contains) ?? false }

    /// Compares a value to a day alone: midnight as it is written is that day, in whichever zone it is. `nil` = these are moments.
    static func order(_ own: String, to asked: String) -> Int? {
        guard asked.utf8.count == 10, own.utf8.count > 10, LocalDate(asked) != nil, isMidnight(own),
            own.utf8.dropFirst(10).contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") })
        else { return nil }
        let day = own.prefix(10)
        return day == asked ? 0 : day.utf8.lexicographicallyPrecedes(asked.utf8) ? -1 : 1
    }

    private static func isMidnight(_ text: String) -> Bool {
        text.dropFirst(10).dropFirst().prefix { $0.isNumber || $0 == ":" || $0 == "." }.allSatisfy { "0:.".contains($0) }
    }

    /// A moment as it compares to stored days, which begin at midnight of the installation's zone: that day, or behind it and before the
    /// next one.
    package static func stored(_ text: String, offsetMinutes: Int) -> SQLValue? {
        guard let time = TMFTime(text) else { return nil }
        let day = Instant(milliseconds: time.milliseconds).date(offsetMinutes: offsetMinutes).description
        let isMidnight = (time.milliseconds + Int64(offsetMinutes) * 60_000) % 86_400_000 == 0
        return .text(isMidnight ? day : day + "T")
    }

    private static func zone(_ minutes: Int) -> String {
        guard minutes != 0 else { return "Z" }
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        let size = abs(minutes)
        return (minutes < 0 ? "-" : "+") + two(size / 60) + ":" + two(size % 60)
    }
}
