import Kernel

/// When visits are made in a week: stretches of each day, in the operator's own time.
struct WorkingHours: Sendable, Equatable {
    /// Minutes from midnight; `until` may be 1,440.
    struct Stretch: Sendable, Equatable {
        let from: Int
        let until: Int
    }

    static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    static let stretchesMax = 6

    /// Monday first; an empty day is closed.
    private(set) var days: [[Stretch]]

    init(_ days: [[Stretch]]) { self.days = days }

    /// Monday to Friday with the middle of the day left out.
    static let usual = WorkingHours(
        Array(repeating: [Stretch(from: 9 * 60, until: 12 * 60), Stretch(from: 13 * 60, until: 17 * 60)], count: 5) + [
            [], [],
        ])

    var isEmpty: Bool { days.allSatisfy(\.isEmpty) }

    func stretches(on day: LocalDate) -> [Stretch] { days[Self.weekday(day)] }

    /// 0 = Monday. The first day of 1970 was a Thursday.
    static func weekday(_ day: LocalDate) -> Int { ((day.daysSinceEpoch + 3) % 7 + 7) % 7 }

    // MARK: Text

    /// `09:00-12:00, 13:00-17:00`, in order and without overlaps; commas and dashes may be those of either language.
    /// - Returns: `nil` for anything else.
    static func day(_ text: String) -> [Stretch]? {
        let parts = text.split { $0 == "," || $0 == "，" || $0 == "、" || $0 == ";" || $0 == "；" || $0.isWhitespace }
        guard parts.count <= stretchesMax else { return nil }
        var result: [Stretch] = []
        for part in parts {
            let ends = part.split(omittingEmptySubsequences: false) { "-–—~至".contains($0) }
            guard ends.count == 2, let from = minutes(ends[0]), let until = minutes(ends[1]), from < until,
                from >= result.last?.until ?? 0
            else { return nil }
            result.append(Stretch(from: from, until: until))
        }
        return result
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "：" }
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1_440
        else { return nil }
        return hour * 60 + minute
    }

    static func text(_ day: [Stretch]) -> String {
        day.map { "\(clock($0.from))-\(clock($0.until))" }.joined(separator: ", ")
    }

    private static func clock(_ minutes: Int) -> String {
        let (hour, minute) = (minutes / 60, minutes % 60)
        return (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
    }

    /// For the database: a day a line.
    var stored: String { days.map(Self.text).joined(separator: "\n") }

    init(stored text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        days = (0..<7).map { $0 < lines.count ? Self.day(String(lines[$0])) ?? [] : [] }
    }
}

/// Whose hours they are, how long a visit is and how many there may be at once.
struct VisitCalendar: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        /// Of whatever has no calendar of its own.
        case everybody = ""
        case place, party
    }

    var kind = Kind.everybody
    /// The id of the place or the party; empty for everybody's.
    var reference = ""
    var hours = WorkingHours.usual
    var slotMinutes = 60
    var atOnce = 4
    var closedDays: Set<LocalDate> = []

    static let slotRange = 5...720
    static let atOnceRange = 1...10_000
    static let closedDaysMax = 400

    /// The stretches of a day as instants.
    func stretches(on day: LocalDate, offsetMinutes: Int) -> [Range<Instant>] {
        guard !closedDays.contains(day) else { return [] }
        let midnight = Instant(milliseconds: Int64(day.daysSinceEpoch) * 86_400_000 - Int64(offsetMinutes) * 60_000)
        return hours.stretches(on: day).map { stretch in
            midnight.adding(seconds: Int64(stretch.from) * 60)..<midnight.adding(seconds: Int64(stretch.until) * 60)
        }
    }

    /// Whether a time lies within one stretch.
    func isOpen(_ time: Range<Instant>, offsetMinutes: Int) -> Bool {
        stretches(on: time.lowerBound.date(offsetMinutes: offsetMinutes), offsetMinutes: offsetMinutes)
            .contains { $0.lowerBound <= time.lowerBound && time.upperBound <= $0.upperBound }
    }

    /// The times of a day that are offered, one behind the other from the beginning of each stretch.
    func slots(on day: LocalDate, offsetMinutes: Int) -> [Range<Instant>] {
        let length = Int64(slotMinutes) * 60
        return stretches(on: day, offsetMinutes: offsetMinutes).flatMap { stretch -> [Range<Instant>] in
            var result: [Range<Instant>] = []
            var start = stretch.lowerBound
            while start.adding(seconds: length) <= stretch.upperBound {
                result.append(start..<start.adding(seconds: length))
                start = start.adding(seconds: length)
            }
            return result
        }
    }
}
