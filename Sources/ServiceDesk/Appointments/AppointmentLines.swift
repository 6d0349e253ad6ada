import Kernel
import Platform
import Storage

/// Where an appointment stands (TMF646 status).
enum AppointmentStatus: String, CaseIterable, Sendable {
    case initialized, confirmed, cancelled, completed, failed

    var words: Words {
        switch self {
        case .initialized: Words(en: "Not confirmed yet", zh: "待确认")
        case .confirmed: Words(en: "Confirmed", zh: "已确认")
        case .cancelled: Words(en: "Called off", zh: "已取消")
        case .completed: Words(en: "Done", zh: "已完成")
        case .failed: Words(en: "Failed", zh: "未成功")
        }
    }

    var badge: String {
        switch self {
        case .initialized: "warn"
        case .confirmed: "info"
        case .completed: "ok"
        case .failed: "bad"
        case .cancelled: ""
        }
    }
}

/// What the customer page shows of an appointment.
struct AppointmentLine: Sendable {
    let customer: CustomerID
    let id: Int64
    let status: AppointmentStatus?
    let statusWords: Words
    let category: String?
    let description: String?
    let startsAt: Instant
    let endsAt: Instant
    /// Ids of the tickets it is for, as the client wrote them.
    var tickets: Set<String> = []

    init(_ row: Row) {
        customer = row.id(0)
        id = row.int(1)
        status = AppointmentStatus(rawValue: row.text(2))
        statusWords = status?.words ?? .code(row.text(2))
        category = row.optionalText(3)
        description = row.optionalText(4)
        startsAt = row.time(5)
        endsAt = row.time(6)
    }

    /// `2026-03-05 09:00 – 10:00`.
    func time(_ zone: Int) -> String {
        let (start, end) = (startsAt.displayed(offsetMinutes: zone), endsAt.displayed(offsetMinutes: zone))
        return start.prefix(10) == end.prefix(10) ? "\(start) – \(end.dropFirst(11))" : "\(start) – \(end)"
    }
}

extension ServiceDeskStore {
    static let appointments: SQL = """
        SELECT customer_id, id, status, category, description, starts_at, ends_at FROM servicedesk_appointment WHERE TRUE
        """
    static let coming: SQL = """
        SELECT a.customer_id, a.id, a.status, a.category, a.description, a.starts_at, a.ends_at, e.entity_id
        FROM servicedesk_appointment a LEFT JOIN servicedesk_appointment_entity e
          ON e.customer_id = a.customer_id AND e.owner_id = a.id AND e.referred_type = 'TroubleTicket'
        WHERE a.ends_at >= $1 AND a.status NOT IN ('cancelled', 'failed')
        """
    static let withAppointments: SQL = "SELECT DISTINCT customer_id FROM servicedesk_appointment WHERE TRUE"
    static let comingMax = 24

    /// Newest first, behind a place in the order of time, customer and id.
    static func appointments(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, _ session: any SQLSession
    ) throws -> Asked<[AppointmentLine]> {
        var builder = SQLBuilder(appointments)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let place {
            if let key = place.key.flatMap(RowKey.init) {
                builder.append(
                    "AND (starts_at, customer_id, id) < (?, ?, ?)", .time(place.at), .id(key.customer), .int(key.id))
            } else {
                builder.append("AND starts_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY starts_at DESC, customer_id DESC, id DESC LIMIT ?", .int(limit))
        return try session.asking(builder) { AppointmentLine($0) }
    }

    /// Those that are not over, the next first, with their tickets.
    static func comingAppointments(
        _ customers: [CustomerID], now: Instant, _ session: any SQLSession
    ) throws -> Asked<[AppointmentLine]> {
        var builder = SQLBuilder(coming, [.time(now)])
        builder.appendIn("AND a.customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        builder.append("ORDER BY a.starts_at, a.customer_id, a.id LIMIT ?", .int(comingMax))
        return try session.asking(builder) { (AppointmentLine($0), $0.optionalText(7)) }.map { rows in
            var lines: [AppointmentLine] = []
            for (line, ticket) in rows {
                if lines.last?.id != line.id { lines.append(line) }
                if let ticket { lines[lines.count - 1].tickets.insert(ticket) }
            }
            return lines
        }
    }
}

/// Appointments in the timeline of the customer page, at the time for which they are made.
struct AppointmentTimeline: TimelineSource {
    var kind: TimelineKind { TimelineKind("appointment", Words(en: "Appointments", zh: "预约"), icon: "calendar") }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(ServiceDeskPermissions.viewAppointments) else {
            return Asked { [] }
        }
        return try ServiceDeskStore.appointments(customers, behind: place, limit: limit, session).map { lines in
            let masking = Masking(principal)
            return lines.map { line in
                let text = FreeText.excerpt(FreeText.shown(line.description, masking))
                func note(_ status: String) -> String {
                    [status, line.category, text].compactMap { $0 }.joined(separator: " · ")
                }
                return TimelineEntry(
                    customer: line.customer, at: line.startsAt, key: RowKey(line.customer, line.id).text,
                    tone: line.status?.badge ?? "", title: Words(en: "Appointment", zh: "预约"),
                    note: Words(en: note(line.statusWords.en), zh: note(line.statusWords.zh)),
                    unmasked: text == nil ? [] : ["subject"])
            }
        }
    }
}
