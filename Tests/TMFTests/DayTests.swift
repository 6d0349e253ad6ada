import Kernel
import Storage
import Testing

@testable import TMF

@Suite("Days of the interface")
struct DayTests {
    @Test("a day is local midnight with its offset, and what is written is read as the same day, east and west")
    func days() throws {
        let day = try #require(LocalDate("2026-03-01"))
        for (zone, text) in [(480, "2026-03-01T00:00:00+08:00"), (0, "2026-03-01T00:00:00Z"), (-210, "2026-03-01T00:00:00-03:30"), (345, "2026-03-01T00:00:00+05:45")] {
            #expect(TMFDay.start(day, offsetMinutes: zone) == text)
            #expect(TMFDay.day(text, offsetMinutes: zone) == day)
            #expect(TMFDay.day(TMFDay.end(day, offsetMinutes: zone), offsetMinutes: zone) == day)
            // Midnight is a day wherever it was written.
            for other in ["2026-03-01", "2026-03-01T00:00Z", "2026-03-01T00:00:00.000+14:00"] { #expect(TMFDay.day(other, offsetMinutes: zone) == day, "\(other)") }
        }
        // Local midnight as a moment in UTC.
        #expect(TMFDay.day("2026-02-28T16:00:00Z", offsetMinutes: 480) == day)
        #expect(TMFDay.day("2026-02-28T15:59:59Z", offsetMinutes: 480) == day.adding(days: -1))
        #expect(TMFDay.day("2026-03-01T02:00:00Z", offsetMinutes: -180) == day.adding(days: -1))
        #expect(TMFDay.stored("2026-03-01T00:00:00+08:00", offsetMinutes: 480) == .text("2026-03-01"))
        #expect(TMFDay.stored("2026-03-01T00:00:00Z", offsetMinutes: 480) == .text("2026-03-01T"))
        #expect(TMFDay.day("no time", offsetMinutes: 480) == nil && TMFDay.start("", offsetMinutes: 480) == "")
    }

    @Test("a day alone finds a birth at midnight of that day wherever it was written, and what lies before and behind it; moments compare as moments")
    func alone() throws {
        for (own, condition, isMet) in [
            ("1990-05-01T00:00:00+08:00", "birthDate=1990-05-01", true), ("1990-05-01T00:00:00+08:00", "birthDate=1990-04-30", false),
            ("1990-05-01T00:00:00.000-05:00", "birthDate=1990-05-01", true), ("1990-05-01T00:00:00Z", "birthDate=1990-05-01", true),
            ("1990-05-01T08:00:00+08:00", "birthDate=1990-05-01", true), ("1990-05-01T07:00:00+08:00", "birthDate=1990-05-01", false),
            ("1990-05-01", "birthDate=1990-05-01", true), ("1990-05-01T00:00:00+08:00", "birthDate.ne=1990-05-01", false),
            ("1990-05-01T00:00:00+08:00", "birthDate.gte=1990-05-01&birthDate.lt=1990-05-02", true),
            ("1990-05-02T00:00:00+08:00", "birthDate.gte=1990-05-01&birthDate.lt=1990-05-02", false),
            ("1990-05-01T00:00:00+08:00", "birthDate=1990-04-30T16:00:00Z", true), ("1990-05-01T00:00:00+08:00", "birthDate.gt=1990-04-30", true),
        ] { #expect(try Sample.meets(#"{"birthDate":"\#(own)"}"#, condition) == isMet, "\(own) \(condition)") }
        // What is no day by itself is a moment, as it is in an index.
        #expect(try !Sample.meets(#"{"created":"1990-05-01T00:00:00+08:00"}"#, "created=1990-05-01"))
        #expect(try Sample.meets(#"{"created":"1990-05-01T00:00:00+08:00"}"#, "created.lt=1990-05-01"))
    }
}
