import Kernel

/// A calendar month in UTC: the piece in which a growth table is partitioned.
package struct GrowthMonth: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Months since the year 0: `year * 12 + month - 1`.
    package let index: Int

    package init(index: Int) { self.index = index }
    /// The month that `instant` lies in.
    package init(_ instant: Instant) {
        let date = instant.date()
        index = date.year * 12 + date.month - 1
    }

    /// Parses what begins with `YYYY-MM`, so a month and a date alike; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        guard let date = LocalDate(text.prefix(7) + "-01") else { return nil }
        index = date.year * 12 + date.month - 1
    }

    package func adding(_ months: Int) -> GrowthMonth { GrowthMonth(index: index + months) }
    package static func < (a: Self, b: Self) -> Bool { a.index < b.index }

    private var year: Int { index / 12 }
    private var month: Int { index % 12 + 1 }
    /// `YYYY-MM`.
    package var description: String {
        String(repeating: "0", count: max(0, 4 - String(year).count)) + "\(year)-" + (month < 10 ? "0" : "") + "\(month)"
    }
    /// `YYYYMM`: how names of partitions end.
    package var suffix: String { description.filter { $0 != "-" } }
    /// Its first millisecond.
    package var start: Instant {
        let day = LocalDate(year: year, month: month, day: 1)?.daysSinceEpoch ?? 0
        return Instant(milliseconds: Int64(day) * 86_400_000)
    }

    /// The smallest id that can be made in this month. Smaller than zero before 2024, the beginning of ids.
    package var firstID: Int64 { Self.firstID(at: start) }
    /// The smallest id that can be made at `instant` or later.
    package static func firstID(at instant: Instant) -> Int64 { (instant.milliseconds - IDGenerator.epoch) << 22 }
}
