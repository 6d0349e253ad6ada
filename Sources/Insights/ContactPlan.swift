import Kernel
import Platform
import Storage

/// An ISO 8601 week, `2026-W10`: weeks begin on Monday and belong to the year of their Thursday.
struct ISOWeek: Sendable, Equatable, CustomStringConvertible {
    let year: Int
    let week: Int

    init(_ date: LocalDate) {
        // 1970-01-01 was a Thursday.
        let weekday = ((date.daysSinceEpoch + 3) % 7 + 7) % 7
        let thursday = date.adding(days: 3 - weekday)
        let first = LocalDate(year: thursday.year, month: 1, day: 1) ?? thursday
        year = thursday.year
        week = (thursday.daysSinceEpoch - first.daysSinceEpoch) / 7 + 1
    }

    var description: String { "\(year)-W" + (week < 10 ? "0\(week)" : "\(week)") }
}

/// What became of the plan to contact a customer this week.
enum ContactState: String, Sendable, CaseIterable { case open, done, skipped }

/// The outcome of a contact, or why there was none.
enum ContactOutcome: String, Sendable, CaseIterable {
    case stays, accepted, undecided, leaving
    case noAnswer = "no_answer"
    case wrongNumber = "wrong_number"
    case doNotContact = "do_not_contact"
    case openCase = "open_case"
    case noNeed = "no_need"
    case other

    /// Outcomes of a contact that took place or was tried; the others say why it was left out.
    static let done: [ContactOutcome] = [.stays, .accepted, .undecided, .leaving, .noAnswer, .wrongNumber]
    static let skipped: [ContactOutcome] = [.doNotContact, .openCase, .noNeed, .other]

    var state: ContactState { Self.done.contains(self) ? .done : .skipped }
    /// Text key.
    var key: String { "insights.outcome." + rawValue }
}

/// A customer's entry in the plan of a week (insights_contact_plan).
struct ContactEntry: Sendable {
    let customer: CustomerID
    let week: String
    let state: ContactState
    let outcome: ContactOutcome?
    let note: String?
    let actorName: String
    let changedAt: Instant
}

extension ContactEntry {
    /// The version of a customer's entry in a week; one that was taken back is as none.
    static func version(of entry: ContactEntry?) -> String {
        guard let entry, entry.state != .open else { return "open" }
        return RecordVersion.of([
            entry.week, entry.outcome?.rawValue ?? "", entry.note ?? "", entry.actorName,
            "\(entry.changedAt.milliseconds)",
        ])
    }
}

enum ContactPlanStore {
    static let put: SQL = """
        INSERT INTO insights_contact_plan (customer_id, week, state, outcome, note, actor_id, actor_name, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (customer_id, week) DO UPDATE SET state = $3, outcome = $4, note = $5, actor_id = $6,
          actor_name = $7, changed_at = $8
        """
    static let select: SQL = """
        SELECT customer_id, week, state, outcome, note, actor_name, changed_at FROM insights_contact_plan WHERE 1 = 1
        """
    static let progress: SQL = """
        SELECT p.state, COUNT(*) FROM insights_contact_plan p
        JOIN insights_churn_score s ON s.customer_id = p.customer_id
        """
    static let forget: SQL = "DELETE FROM insights_contact_plan WHERE customer_id = $1"

    static func put(
        _ customer: CustomerID, week: String, _ state: ContactState, _ outcome: ContactOutcome?, note: String?,
        by principal: Principal, at: Instant, _ session: any SQLSession
    ) throws {
        try session.execute(
            put,
            [
                .id(customer), .text(week), .text(state.rawValue), .text(outcome?.rawValue), .text(note),
                .id(principal.userID), .text(principal.userName), .time(at),
            ])
    }

    static func entry(_ customer: CustomerID, week: String, _ session: any SQLSession) throws -> ContactEntry? {
        try asking(customer, week: week, session).value()
    }

    static func asking(_ customer: CustomerID, week: String, _ session: any SQLSession) throws
        -> Asked<ContactEntry?>
    {
        var builder = SQLBuilder(select)
        builder.append("AND customer_id = ? AND week = ?", .id(customer), .text(week))
        return try session.askingFirst(builder, entry)
    }

    /// The last entry of each customer that is not open.
    static func last(_ customers: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: ContactEntry] {
        guard !customers.isEmpty else { return [:] }
        var builder = SQLBuilder(select)
        builder.append("AND state <> 'open'")
        builder.appendIn("AND customer_id", customers.map { .id($0) })
        builder.append("ORDER BY week")
        return Dictionary(try session.query(builder, entry).map { ($0.customer, $0) }, uniquingKeysWith: { $1 })
    }

    /// How many customers within the scope were contacted and left out in a week.
    /// - Parameter endangered: only those listed at high or critical risk now, as `RiskSummary.endangered` counts them.
    static func progress(
        week: String, scope: RecordScope, endangered: Bool = false, _ session: any SQLSession
    ) throws -> [ContactState: Int] {
        var builder = SQLBuilder(progress)
        builder.append("WHERE p.week = ? AND p.state <> 'open'", .text(week))
        if let regions = scope.regions {
            builder.appendIn("AND s.region", regions.prefix(Limits.sqlListChunk).map { .text($0) })
        }
        if endangered {
            builder.append(
                "AND s.listed AND s.band IN (?, ?)", .text(RiskBand.high.rawValue), .text(RiskBand.critical.rawValue))
        }
        builder.append("GROUP BY p.state")
        let rows = try session.query(builder) { (ContactState(rawValue: $0.text(0)) ?? .open, $0.integer(1)) }
        return Dictionary(rows, uniquingKeysWith: +)
    }

    private static func entry(_ row: Row) -> ContactEntry {
        ContactEntry(
            customer: row.id(0), week: row.text(1), state: ContactState(rawValue: row.text(2)) ?? .open,
            outcome: row.optionalText(3).flatMap(ContactOutcome.init), note: row.optionalText(4),
            actorName: row.text(5), changedAt: row.time(6))
    }
}
