import Kernel
import Storage

package enum CaseEntity {}
package enum InteractionEntity {}
typealias CaseID = ID<CaseEntity>
typealias InteractionID = ID<InteractionEntity>

/// A row of servicedesk_case.
struct DeskCase: Sendable, Equatable {
    let customer: CustomerID
    let id: CaseID
    var number: String
    let kind: CaseKind
    let topic: DeskTopic
    let status: CaseStatus
    let priority: CasePriority
    let openedAt: Instant
    let resolvedAt: Instant?
    let closedAt: Instant?
}

/// A row of servicedesk_interaction.
struct DeskInteraction: Sendable, Equatable {
    let customer: CustomerID
    let id: InteractionID
    let happenedAt: Instant
    let channel: DeskChannel
    let direction: DeskDirection
    let topic: DeskTopic
    let outcome: DeskOutcome
    let language: String?
    let caseID: CaseID?
}

/// The statements of this domain.
enum ServiceDeskStore {
    static let cases: SQL = """
        SELECT customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, subject
        FROM servicedesk_case WHERE TRUE
        """
    static let interactions: SQL = """
        SELECT customer_id, id, happened_at, channel, direction, topic, outcome, case_id, note, survey, score
        FROM servicedesk_interaction WHERE TRUE
        """
    static let openCases: SQL = """
        SELECT COUNT(*) FROM servicedesk_case WHERE status IN ('open', 'in_progress', 'pending', 'held')
        """
    /// Of the numbers that are made here: others may have come from elsewhere.
    static let lastNumber: SQL = """
        SELECT MAX(number) FROM servicedesk_case_number WHERE number >= 'CS-' AND number < 'CS.'
        """
    static let forgetNumbers: SQL = """
        DELETE FROM servicedesk_case_number WHERE number IN (SELECT number FROM servicedesk_case WHERE customer_id = $1)
        """
    static let countCases: SQL = "SELECT COUNT(*) FROM servicedesk_case WHERE TRUE"
    static let withCases: SQL = "SELECT DISTINCT customer_id FROM servicedesk_case WHERE TRUE"
    static let withInteractions: SQL = "SELECT DISTINCT customer_id FROM servicedesk_interaction WHERE TRUE"
    static let forgetCases: SQL = "DELETE FROM servicedesk_case WHERE customer_id = $1"
    static let forgetKeys: SQL = "DELETE FROM servicedesk_record_key WHERE customer_id = $1"
    static let forgetInteractions: SQL = "DELETE FROM servicedesk_interaction WHERE customer_id = $1"

    /// What belongs to cases and contacts.
    static let forgetParts: [SQL] = [
        "DELETE FROM servicedesk_case_party WHERE customer_id = $1", "DELETE FROM servicedesk_case_entity WHERE customer_id = $1",
        "DELETE FROM servicedesk_case_note WHERE customer_id = $1", "DELETE FROM servicedesk_case_step WHERE customer_id = $1",
        "DELETE FROM servicedesk_interaction_party WHERE customer_id = $1",
        "DELETE FROM servicedesk_interaction_note WHERE customer_id = $1",
    ]

    /// Takes everything of these customers out.
    static func forget(_ customers: [CustomerID], _ session: any SQLSession) throws {
        try CaseIndex.remove(of: customers, session)
        let keys = customers.map { [SQLValue.id($0)] }
        for statement in [forgetNumbers, forgetCases, forgetInteractions, forgetKeys] + forgetParts {
            try session.executeMany(statement, keys)
        }
    }

    static func insert(_ cases: [DeskCase], _ session: any SQLSession) throws {
        try session.bulkInsert(
            into: "servicedesk_case",
            "customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, updated_at",
            cases.map { row in
                [
                    .id(row.customer), .id(row.id), .text(row.number), .text(row.kind.rawValue),
                    .text(row.topic.rawValue), .text(row.status.rawValue), .text(row.priority.rawValue),
                    .time(row.openedAt), .time(row.resolvedAt), .time(row.closedAt),
                    .time(row.closedAt ?? row.resolvedAt ?? row.openedAt),
                ]
            })
        try session.bulkInsert(
            into: "servicedesk_case_number", "number, customer_id, case_id",
            cases.map { [.text($0.number), .id($0.customer), .id($0.id)] })
    }

    static func insert(_ interactions: [DeskInteraction], _ session: any SQLSession) throws {
        try session.bulkInsert(
            into: "servicedesk_interaction",
            "customer_id, id, happened_at, channel, direction, topic, outcome, language, case_id",
            interactions.map { row in
                [
                    .id(row.customer), .id(row.id), .time(row.happenedAt), .text(row.channel.rawValue),
                    .text(row.direction.rawValue), .text(row.topic.rawValue), .text(row.outcome.rawValue),
                    .text(row.language), .id(row.caseID),
                ]
            })
    }
}

/// What a list or the timeline shows of a case or a contact: codes as stored, with their words.
struct CaseLine: Sendable {
    let customer: CustomerID
    let id: CaseID
    let number: String
    let kind: Words
    let isComplaint: Bool
    let topic: Words
    let status: Words
    let badge: String
    let priority: Words
    let isUrgent: Bool
    let openedAt: Instant
    let endedAt: Instant?
    let subject: String?
    /// What a program calls the case, where it was asked for.
    let title: String?

    init(_ row: Row, title: String? = nil) {
        self.title = title
        customer = row.id(0)
        id = row.id(1)
        number = row.text(2)
        let kind = CaseKind(rawValue: row.text(3).lowercased())
        self.kind = kind?.words ?? .code(row.text(3))
        isComplaint = kind == .complaint
        topic = DeskTopic(rawValue: row.text(4))?.words ?? .code(row.text(4))
        let status = CaseStatus(rawValue: row.text(5))
        self.status = status?.words ?? .code(row.text(5))
        badge = status?.badge ?? ""
        let priority = CasePriority(any: row.text(6))
        self.priority = priority?.words ?? .code(row.text(6))
        isUrgent = priority == .high || priority == .urgent
        openedAt = row.time(7)
        endedAt = row.optionalTime(8) ?? row.optionalTime(9)
        subject = row.optionalText(10)
        isOpen = status.map { !$0.isEnd } ?? (endedAt == nil)
    }

    let isOpen: Bool
}

/// The same of a contact.
struct InteractionLine: Sendable {
    let customer: CustomerID
    let id: InteractionID
    let happenedAt: Instant
    let channel: Words
    let direction: Words
    let topic: Words
    let outcome: Words
    let isMissed: Bool
    /// What was said or written, and what was answered to a survey.
    let note: String?
    let survey: String?
    let score: Int?

    init(_ row: Row) {
        customer = row.id(0)
        id = row.id(1)
        happenedAt = row.time(2)
        channel = DeskChannel(rawValue: row.text(3))?.words ?? .code(row.text(3))
        direction = DeskDirection(rawValue: row.text(4).lowercased())?.words ?? .code(row.text(4))
        topic = DeskTopic(rawValue: row.text(5))?.words ?? .code(row.text(5))
        let outcome = DeskOutcome(rawValue: row.text(6))
        self.outcome = outcome?.words ?? .code(row.text(6))
        isMissed = outcome == .abandoned || outcome == .notReached
        note = row.optionalText(8)
        survey = row.optionalText(9)
        score = row.optionalInt(10).map { Int($0) }
    }
}

extension InteractionLine {
    /// `NPS: 9`.
    var answer: String? { survey.map { name in score.map { "\(name): \($0)" } ?? name } }
}

extension ServiceDeskStore {
    /// Newest first, behind a place in the order of time, customer and id.
    static func cases(
        _ customers: [CustomerID], behind place: TimelinePlace? = nil, limit: Int, _ session: any SQLSession
    ) throws -> Asked<[CaseLine]> {
        var builder = SQLBuilder(cases)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let place {
            if let key = place.key.flatMap(RowKey.init) {
                builder.append(
                    "AND (opened_at, customer_id, id) < (?, ?, ?)", .time(place.at), .id(key.customer), .int(key.id))
            } else {
                builder.append("AND opened_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY opened_at DESC, customer_id DESC, id DESC LIMIT ?", .int(limit))
        return try session.asking(builder) { CaseLine($0) }
    }

    /// The same of contacts.
    /// - Parameter since: asks only the months from then on (on PostgreSQL each is a table of its own); `nil` = all.
    static func interactions(
        _ customers: [CustomerID], behind place: TimelinePlace? = nil, since: Instant? = nil, limit: Int,
        _ session: any SQLSession
    ) throws -> Asked<[InteractionLine]> {
        var builder = SQLBuilder(interactions)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let since { builder.append("AND id >= ?", .int(GrowthMonth(since).firstID)) }
        if let place {
            if let key = place.key.flatMap(RowKey.init) {
                builder.append(
                    "AND (happened_at, customer_id, id) < (?, ?, ?)", .time(place.at), .id(key.customer),
                    .int(key.id))
            } else {
                builder.append("AND happened_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY happened_at DESC, customer_id DESC, id DESC LIMIT ?", .int(limit))
        return try session.asking(builder) { InteractionLine($0) }
    }

    static func openCount(_ customers: [CustomerID], _ session: any SQLSession) throws -> Asked<Int> {
        var builder = SQLBuilder(openCases)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        return try session.askingFirst(builder) { $0.integer(0) }.map { $0 ?? 0 }
    }
}

/// The key of a row in addresses: `7311-88`.
struct RowKey: Sendable {
    let customer: CustomerID
    let id: Int64

    init(_ customer: CustomerID, _ id: Int64) {
        self.customer = customer
        self.id = id
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let customer = CustomerID(parts[0]), let id = ID<AnyKind>(parts[1]) else { return nil }
        self.init(customer, id.rawValue)
    }

    var text: String { "\(customer)-\(id)" }
}
