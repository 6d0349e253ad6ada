import Kernel
import TestSupport
import Testing

@testable import ServiceDesk

@Suite("Hours and slots of visits")
struct WorkingHoursTests {
    @Test(
        "hours of a day are read in either language's signs, in order and without overlaps",
        arguments: [
            ("", ""), ("9:00-12:00", "09:00-12:00"), ("09:00–12:00，13:00至17:30", "09:00-12:00, 13:00-17:30"),
            ("00:00-24:00", "00:00-24:00"), ("08:00-09:00 09:00-10:00", "08:00-09:00, 09:00-10:00"),
        ])
    func read(text: String, stored: String) throws {
        let day = try #require(WorkingHours.day(text))
        #expect(WorkingHours.text(day) == stored)
    }

    @Test(
        "what is no hours is refused",
        arguments: [
            "9", "09:00", "12:00-09:00", "09:00-09:00", "09:00-24:01", "25:00-26:00", "09:60-10:00",
            "13:00-14:00, 09:00-10:00",
            "09:00-11:00, 10:00-12:00", "closed", "-", "09:00-10:00-11:00", "+9:00-10:00", "９:00-10:00",
        ])
    func refused(text: String) { #expect(WorkingHours.day(text) == nil) }

    @Test("a week comes back from the database as it was; slots lie in its stretches, none on a closed day")
    func slots() throws {
        let friday = try #require(LocalDate("2026-03-06"))
        let first = try #require(LocalDate("1969-12-31"))
        #expect(WorkingHours.weekday(friday) == 4 && WorkingHours.weekday(first) == 2)
        var calendar = VisitCalendar()
        #expect(WorkingHours(stored: calendar.hours.stored) == WorkingHours.usual)
        let midnight = Int64(friday.daysSinceEpoch) * 86_400_000 - 480 * 60_000
        func hours() -> [Double] {
            calendar.slots(on: friday, offsetMinutes: 480).map {
                Double($0.lowerBound.milliseconds - midnight) / 3_600_000
            }
        }
        #expect(hours() == [9, 10, 11, 13, 14, 15, 16])
        calendar.slotMinutes = 90
        // What is left of a stretch behind its last whole slot is not offered.
        #expect(hours() == [9, 10.5, 13, 14.5])
        #expect(calendar.slots(on: friday.adding(days: 1), offsetMinutes: 480).isEmpty)
        calendar.closedDays = [friday]
        #expect(hours().isEmpty)
        calendar.closedDays = []
        calendar.hours = WorkingHours(Array(repeating: [.init(from: 0, until: 1_440)], count: 7))
        calendar.slotMinutes = 720
        #expect(hours() == [0, 12])
        func time(_ from: Double, _ until: Double) -> Range<Instant> {
            Instant(
                milliseconds: midnight + Int64(from * 3_600_000))..<Instant(
                    milliseconds: midnight + Int64(until * 3_600_000))
        }
        #expect(calendar.isOpen(time(0, 24), offsetMinutes: 480) && !calendar.isOpen(time(23, 25), offsetMinutes: 480))
        #expect(
            !VisitCalendar().isOpen(time(11.5, 13.5), offsetMinutes: 480)
                && VisitCalendar().isOpen(time(16, 17), offsetMinutes: 480))
    }

    @Test("the busiest moment of a time counts, by an oracle that looks at each minute")
    func busiest() {
        var random = SystemRandomNumberGenerator()
        func time() -> Range<Instant> {
            let start = Int64.random(in: 0..<60, using: &random)
            return Instant(
                milliseconds: start)..<Instant(milliseconds: start + Int64.random(in: 1..<30, using: &random))
        }
        for _ in 0..<300 {
            let visits = (0..<Int.random(in: 0..<12, using: &random)).map {
                BookedVisit(id: Int64($0), time: time(), place: nil)
            }
            let asked = time()
            let oracle =
                (asked.lowerBound.milliseconds..<asked.upperBound.milliseconds).map { minute in
                    visits.count { $0.time.contains(Instant(milliseconds: minute)) }
                }.max() ?? 0
            #expect(VisitRoom.most(in: asked, visits) == oracle)
        }
    }

    @Test("a visit takes from the calendars of its place and its people, and from everybody's when they have none")
    func taken() {
        let own = [VisitCalendar(kind: .place, reference: "depot"), VisitCalendar(kind: .party, reference: "zhao")]
        let calendars = VisitCalendars(own)
        #expect(calendars.of(place: "depot", parties: ["zhao", "li"]) == own)
        #expect(
            calendars.of(place: nil, parties: ["li"]) == [VisitCalendar()]
                && calendars.of(place: "x", parties: ["zhao"]) == [own[1]])
        let time = Instant(milliseconds: 0)..<Instant(milliseconds: 1)
        for (place, parties) in [("depot", ["li"]), ("depot", ["zhao"]), ("x", ["zhao"]), ("x", [])]
            as [(String?, Set<String>)]
        {
            let visit = BookedVisit(id: 1, time: time, place: place, parties: parties)
            let taken = ([calendars.everybody] + own).filter { calendars.takes(visit, $0) }
            #expect(taken == calendars.of(place: place, parties: Array(parties)))
        }
    }
}
