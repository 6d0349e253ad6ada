import Foundation
import TestSupport
import Testing

@testable import Kernel

@Suite("Dates and instants")
struct TimeTests {
    @Test("every sampled day of the years 1 to 9999 goes to a date and back, and its text is parsed back")
    func dayRoundTrip() throws {
        let first = try #require(LocalDate(year: 1, month: 1, day: 1)).daysSinceEpoch
        let last = try #require(LocalDate(year: 9_999, month: 12, day: 31)).daysSinceEpoch
        #expect(last - first + 1 == 3_652_059)
        var day = first
        var previous: LocalDate?
        while day <= last {
            let date = LocalDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day)
            #expect(LocalDate(date.description) == date)
            #expect(LocalDate(year: date.year, month: date.month, day: date.day) == date)
            if let previous { #expect(previous < date && previous.description < date.description) }
            previous = date
            day += 97
        }
    }

    @Test("days follow one another over the ends of months, years and centuries")
    func successiveDays() throws {
        for start in ["1899-12-25", "1970-01-01", "1999-12-25", "2000-02-20", "2024-02-20", "2100-02-20", "0001-01-01"]
        {
            var date = try #require(LocalDate(start))
            for _ in 0..<800 {
                let next = date.adding(days: 1)
                #expect(next.daysSinceEpoch == date.daysSinceEpoch + 1)
                let sameMonth = next.month == date.month && next.day == date.day + 1
                let newMonth = next.day == 1 && date.day == LocalDate.days(in: date.month, of: date.year)
                #expect(sameMonth || newMonth)
                date = next
            }
        }
    }

    // Foundation counts the Julian way before 1582-10-15.
    @Test(
        "the calendar agrees with Foundation's",
        arguments: [-12_219_292_800, -1, 0, 951_782_400, 4_107_456_000, 253_402_300_799])
    func foundation(seconds: Int64) {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: Double(seconds)))
        let date = Instant(milliseconds: seconds * 1_000).date()
        #expect([date.year, date.month, date.day] == [parts.year, parts.month, parts.day])
    }

    @Test("leap years: every fourth, not the hundredth, but the four-hundredth")
    func leapYears() {
        for (year, leap) in [
            (2024, true), (2023, false), (1900, false), (2100, false), (2000, true), (2400, true), (4, true),
        ] {
            #expect((LocalDate(year: year, month: 2, day: 29) != nil) == leap)
        }
    }

    @Test(
        "a month later is the same day, or the last one of a shorter month",
        arguments: [
            ("2024-01-31", 1, "2024-02-29"), ("2023-01-31", 1, "2023-02-28"), ("2024-01-31", 3, "2024-04-30"),
            ("2024-12-15", 1, "2025-01-15"), ("2024-01-15", -1, "2023-12-15"), ("2024-03-31", -1, "2024-02-29"),
            ("2024-02-29", 12, "2025-02-28"), ("2024-02-29", -48, "2020-02-29"), ("2024-05-20", 0, "2024-05-20"),
        ])
    func months(start: String, months: Int, expected: String) throws {
        #expect(try #require(LocalDate(start)).adding(months: months).description == expected)
    }

    @Test("months beyond the years 1 to 9999 leave the date as it is")
    func monthsOutOfRange() throws {
        for (start, months) in [("9999-12-31", 1), ("0001-01-01", -1), ("0001-05-01", -13)] {
            let date = try #require(LocalDate(start))
            #expect(date.adding(months: months) == date)
        }
    }

    @Test(
        "only YYYY-MM-DD of an existing day is a date",
        arguments: [
            "", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-1-1", "20240101",
            "2024/01/01",
            "0000-01-01", "2024-01-01 ", " 2024-01-01", "２０２４-01-01", "2024-01-0a", "-024-01-01", "2024-01-01T00:00",
        ])
    func badDates(text: String) {
        #expect(LocalDate(text) == nil)
    }

    @Test("an instant is written as ISO 8601 in UTC, also before 1970")
    func iso() {
        #expect(Instant(milliseconds: 0).iso8601 == "1970-01-01T00:00:00.000Z")
        #expect(Instant(milliseconds: -1).iso8601 == "1969-12-31T23:59:59.999Z")
        #expect(Instant(milliseconds: 1_772_409_600_007).iso8601 == "2026-03-02T00:00:00.007Z")
        #expect(Instant(milliseconds: 951_827_696_789).iso8601 == "2000-02-29T12:34:56.789Z")
        #expect(Instant(milliseconds: -62_135_596_800_000).iso8601 == "0001-01-01T00:00:00.000Z")
    }

    @Test("a time is shown in the tenant's zone, over midnight and over the turn of the year")
    func displayed() {
        let instant = Instant(milliseconds: 1_767_196_800_000 - 60_000)  // 2025-12-31T15:59:00Z
        #expect(instant.displayed(offsetMinutes: 480) == "2025-12-31 23:59")
        #expect(instant.adding(seconds: 60).displayed(offsetMinutes: 480) == "2026-01-01 00:00")
        #expect(instant.adding(seconds: 60).date(offsetMinutes: 480).description == "2026-01-01")
        #expect(instant.date(offsetMinutes: -330).description == "2025-12-31")
        #expect(Instant(milliseconds: -60_000).displayed(offsetMinutes: 0) == "1969-12-31 23:59")
    }

    @Test("a zone is named by its distance from UTC, with minutes where it has some")
    func zoneNames() {
        let names = [0, 480, -210, 330, -60, 345].map { Instant.zoneName(offsetMinutes: $0) }
        #expect(names == ["UTC", "UTC+8", "UTC-3:30", "UTC+5:30", "UTC-1", "UTC+5:45"])
    }

    @Test("ISO texts of sampled instants sort as the instants do and agree with Foundation")
    func isoProperty() throws {
        var random = SeededGenerator(seed: 7)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<500 {
            let a = Instant(milliseconds: Int64.random(in: -12_219_292_800_000...250_000_000_000_000, using: &random))
            let b = a.adding(milliseconds: Int64.random(in: 1...90_000_000, using: &random))
            #expect(a.iso8601 < b.iso8601)
            let parsed = try style.parse(a.iso8601).timeIntervalSince1970 * 1_000
            #expect(abs(parsed - Double(a.milliseconds)) < 1)
        }
    }
}
