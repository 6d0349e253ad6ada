import Kernel
import Storage

/// The calendars of a tenant.
struct VisitCalendars: Sendable {
    static let select: SQL = """
        SELECT kind, reference, hours, slot_minutes, at_once, closed_days FROM servicedesk_calendar ORDER BY kind, reference
        """
    static let save: SQL = """
        INSERT INTO servicedesk_calendar (kind, reference, hours, slot_minutes, at_once, closed_days, updated_at, updated_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (kind, reference) DO UPDATE SET hours = $3, slot_minutes = $4, at_once = $5, closed_days = $6,
          updated_at = $7, updated_by_name = $8
        """
    static let remove: SQL = "DELETE FROM servicedesk_calendar WHERE kind = $1 AND reference = $2"
    /// More are a planning system's.
    static let most = 500

    /// Places and parties with hours of their own.
    let own: [VisitCalendar]
    let everybody: VisitCalendar
    private let places: Set<String>
    private let parties: Set<String>

    init(_ stored: [VisitCalendar]) {
        own = stored.filter { $0.kind != .everybody }
        everybody = stored.first { $0.kind == .everybody } ?? VisitCalendar()
        places = Set(own.filter { $0.kind == .place }.map(\.reference))
        parties = Set(own.filter { $0.kind == .party }.map(\.reference))
    }

    static func read(_ session: any SQLSession) throws -> VisitCalendars {
        VisitCalendars(
            try session.query(select) { row in
                VisitCalendar(
                    kind: VisitCalendar.Kind(rawValue: row.text(0)) ?? .everybody, reference: row.text(1),
                    hours: WorkingHours(stored: row.text(2)), slotMinutes: row.integer(3), atOnce: row.integer(4),
                    closedDays: Set(row.text(5).split(separator: " ").compactMap { LocalDate($0) }))
            })
    }

    static func write(_ calendar: VisitCalendar, at: Instant, by: String, _ session: any SQLSession) throws {
        try session.execute(
            save,
            [
                .text(calendar.kind.rawValue), .text(calendar.reference), .text(calendar.hours.stored),
                .int(calendar.slotMinutes), .int(calendar.atOnce),
                .text(calendar.closedDays.sorted().map(\.description).joined(separator: " ")), .time(at), .text(by),
            ])
    }

    /// What a visit takes a place in: the calendars of its place and of its parties where there are any, everybody's otherwise.
    func of(place: String?, parties named: [String]) -> [VisitCalendar] {
        let found = own.filter { calendar in
            calendar.kind == .place ? calendar.reference == place : named.contains(calendar.reference)
        }
        return found.isEmpty ? [everybody] : found
    }

    /// Whether a visit that is booked takes a place in a calendar.
    func takes(_ visit: BookedVisit, _ calendar: VisitCalendar) -> Bool {
        switch calendar.kind {
        case .place: visit.place == calendar.reference
        case .party: visit.parties.contains(calendar.reference)
        case .everybody: !(visit.place.map(places.contains) ?? false) && visit.parties.isDisjoint(with: parties)
        }
    }
}

/// An appointment as far as it takes somebody's time.
struct BookedVisit: Sendable {
    let id: Int64
    let time: Range<Instant>
    let place: String?
    var parties: Set<String> = []
}

/// Where there is room. It reads what is booked in the transaction of the one who asks: two who take the last place at one moment meet
/// there, and the second is looked at again behind the first (ADR 0011).
struct VisitRoom {
    /// No visit is longer, since it lies within one day's hours.
    static let longestHours: Int64 = 24
    static let booked: SQL = """
        SELECT id, starts_at, ends_at, place_id FROM servicedesk_appointment
        WHERE starts_at < $1 AND starts_at > $2 AND ends_at > $3 AND status NOT IN ('cancelled', 'failed')
        """
    static let bookedParties: SQL = "SELECT owner_id, party_id FROM servicedesk_appointment_party WHERE TRUE"

    let calendars: VisitCalendars
    let offsetMinutes: Int
    let session: any SQLSession

    init(_ tenantOffsetMinutes: Int, _ session: any SQLSession) throws {
        calendars = try VisitCalendars.read(session)
        offsetMinutes = tenantOffsetMinutes
        self.session = session
    }

    /// What is booked in a time.
    /// - Parameter but: an appointment that is about to move.
    func visits(in time: Range<Instant>, but: Int64?) throws -> [BookedVisit] {
        var visits = try session.query(
            Self.booked,
            [
                .time(time.upperBound), .time(time.lowerBound.adding(seconds: -Self.longestHours * 3_600)),
                .time(time.lowerBound),
            ]
        ) { BookedVisit(id: $0.int(0), time: $0.time(1)..<max($0.time(1), $0.time(2)), place: $0.optionalText(3)) }
        .filter { $0.id != but }
        guard calendars.own.contains(where: { $0.kind == .party }) else { return visits }
        var parties: [Int64: Set<String>] = [:]
        for chunk in visits.map(\.id).chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.bookedParties)
            builder.appendIn("AND owner_id", chunk.map { .int($0) })
            for (owner, party) in try session.query(builder, { ($0.int(0), $0.optionalText(1)) }) {
                if let party { parties[owner, default: []].insert(party) }
            }
        }
        for place in visits.indices { visits[place].parties = parties[visits[place].id] ?? [] }
        return visits
    }

    /// Whether one more fits in, everywhere at once.
    func fits(_ time: Range<Instant>, among visits: [BookedVisit], _ calendars: [VisitCalendar]) -> Bool {
        calendars.allSatisfy { calendar in
            Self.most(in: time, visits.filter { self.calendars.takes($0, calendar) }) < calendar.atOnce
        }
    }

    /// How many of the visits go on at the busiest moment of a time. The number only rises where one begins.
    static func most(in time: Range<Instant>, _ visits: [BookedVisit]) -> Int {
        let near = visits.filter { $0.time.overlaps(time) }
        let moments = near.map { max($0.time.lowerBound, time.lowerBound) }
        return moments.map { moment in near.count { $0.time.contains(moment) } }.max() ?? 0
    }

    func isOpen(_ time: Range<Instant>, _ calendars: [VisitCalendar]) -> Bool {
        calendars.allSatisfy { $0.isOpen(time, offsetMinutes: offsetMinutes) }
    }

    /// The free slots that lie within a time, day by day, at most `limit`. A time that is shorter than a slot stands for those it touches.
    /// - Parameter days: so many are looked at.
    func free(
        in time: Range<Instant>, _ calendars: [VisitCalendar], days: Int, limit: Int, but: Int64? = nil
    ) throws -> [Range<Instant>] {
        // The longest slots are long enough for all who take part.
        guard let grid = calendars.max(by: { $0.slotMinutes < $1.slotMinutes }) else { return [] }
        let isShort = time.upperBound.milliseconds - time.lowerBound.milliseconds < Int64(grid.slotMinutes) * 60_000
        var result: [Range<Instant>] = []
        var day = time.lowerBound.date(offsetMinutes: offsetMinutes)
        let last = time.upperBound.date(offsetMinutes: offsetMinutes)
        for _ in 0..<days where day <= last && result.count < limit {
            let slots = grid.slots(on: day, offsetMinutes: offsetMinutes).filter { slot in
                isShort
                    ? slot.overlaps(time) : slot.lowerBound >= time.lowerBound && slot.upperBound <= time.upperBound
            }
            if let first = slots.first, let end = slots.last {
                let visits = try visits(in: first.lowerBound..<end.upperBound, but: but)
                for slot in slots where result.count < limit {
                    if isOpen(slot, calendars), fits(slot, among: visits, calendars) { result.append(slot) }
                }
            }
            day = day.adding(days: 1)
        }
        return result
    }
}
