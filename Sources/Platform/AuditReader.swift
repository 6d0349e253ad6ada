import Foundation
import Kernel
import Storage
import Web

/// One event of the audit log, as it was written.
package struct AuditRecord: Sendable {
    package let id: AuditID
    package let at: Instant
    /// `nil` for the system, a command, and tries to log in.
    package let actor: UserID?
    package let actorName: String
    let rolesText: String
    package let action: String
    package let purpose: String
    package let address: String
    package let requestID: String
    /// As it was written: many events of one customer show the same fields, and what is made of them can be kept.
    package let unmaskedText: String
    /// As written, like the two others; a panel that lists views does not need them.
    let factsText: String
    package let refused: Bool

    package var roles: [String] { Self.list(rolesText) }
    /// Names of personal fields that were shown without a mask.
    package var unmasked: [String] { Self.list(unmaskedText) }
    private static func list(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) }
    }
    package var facts: [String: JSONValue] { (try? JSONValue.parse(Array(factsText.utf8)))?.object ?? [:] }
}

/// Reads the audit log. The caller records that it was read (G58).
package struct AuditReader: Sendable {
    package init() {}

    /// What a reading is narrowed to; everything that is set must hold.
    package struct Filter: Sendable {
        /// The action, or the beginning of it up to a dot: `identity.user` covers `identity.user.create`.
        package var action: String?
        package var actor: UserID?
        package var customer: CustomerID?
        /// Inclusive.
        package var from: Instant?
        /// Exclusive.
        package var until: Instant?
        package var refusedOnly = false
        package init() {}
    }

    static let events: SQL = """
        SELECT e.id, e.at, e.actor_id, e.actor_name, e.roles, e.action, e.purpose, e.address, e.request_id, e.unmasked,
          e.facts, e.refused FROM platform_audit_event e
        """
    static let eventsOfSubject: SQL = """
        SELECT e.id, e.at, e.actor_id, e.actor_name, e.roles, e.action, e.purpose, e.address, e.request_id, e.unmasked,
          e.facts, e.refused FROM platform_audit_subject s JOIN platform_audit_event e ON e.id = s.event_id
        """
    static let subjects: SQL = """
        SELECT event_id, subject_kind, subject_id FROM platform_audit_subject WHERE event_id > 0
        """

    static let anyOfKind: SQL = "SELECT 1 FROM platform_audit_subject WHERE subject_kind = $1 LIMIT 1"

    /// Events, the newest first. `before` continues behind an event.
    /// - Returns: a page whose `next` is the id to continue before.
    package func page(
        _ filter: Filter, before: AuditID? = nil, limit: Int = Limits.pageSize, _ session: any SQLSession
    ) throws -> Page<AuditRecord> {
        try asking(filter, before: before, limit: limit, session).value()
    }

    /// The same, asked for.
    package func asking(
        _ filter: Filter, before: AuditID? = nil, limit: Int = Limits.pageSize, _ session: any SQLSession
    ) throws -> Asked<Page<AuditRecord>> {
        var query: SQLBuilder
        if let customer = filter.customer {
            // The subject's key is clustered by (subject, event): the newest events of one customer are neighbours.
            query = SQLBuilder(Self.eventsOfSubject)
            query.append("WHERE s.subject_id = ? AND s.subject_kind = ?", .id(customer), .text("customer"))
            if let before { query.append("AND s.event_id < ?", .id(before)) }
        } else {
            query = SQLBuilder(Self.events)
            query.append("WHERE e.id < ?", .int(before?.rawValue ?? Int64.max))
        }
        if let action = filter.action {
            query.append(
                "AND (e.action = ? OR (e.action >= ? AND e.action < ?))", .text(action), .text(action + "."),
                .text(Folding.prefixEnd(action + ".")))
        }
        if let actor = filter.actor { query.append("AND e.actor_id = ?", .id(actor)) }
        if let from = filter.from { query.append("AND e.at >= ?", .time(from)) }
        if let until = filter.until { query.append("AND e.at < ?", .time(until)) }
        if filter.refusedOnly { query.append("AND e.refused") }
        query.append(filter.customer == nil ? "ORDER BY e.id DESC" : "ORDER BY s.event_id DESC")
        query.append("LIMIT ?", .int(limit + 1))
        return try session.asking(query, Self.record).map { found in
            let shown = Array(found.prefix(limit))
            return Page(items: shown, next: found.count > limit ? shown.last?.id.description : nil)
        }
    }

    /// Whether any event is about a subject of this kind.
    package func namesAny(kind: String, _ session: any SQLSession) throws -> Bool {
        try session.exists(Self.anyOfKind, [.text(kind)])
    }

    /// Whom or what each event is about.
    package func subjects(
        of events: [AuditID], _ session: any SQLSession
    ) throws -> [AuditID: [AuditSubject]] {
        var result: [AuditID: [AuditSubject]] = [:]
        for piece in events.chunked(Limits.sqlListChunk) {
            var query = SQLBuilder(Self.subjects)
            query.appendIn("AND event_id", piece.map { .id($0) })
            query.append("ORDER BY event_id, subject_kind, subject_id")
            let found = try session.query(query) {
                ($0.id(0, AuditKind.self), AuditSubject(kind: $0.text(1), id: $0.int(2)))
            }
            for (event, subject) in found { result[event, default: []].append(subject) }
        }
        return result
    }

    private static func record(_ row: Row) -> AuditRecord {
        AuditRecord(
            id: row.id(0), at: row.time(1), actor: row.optionalID(2), actorName: row.text(3), rolesText: row.text(4),
            action: row.text(5), purpose: row.text(6), address: row.text(7), requestID: row.text(8),
            unmaskedText: row.text(9),
            factsText: row.text(10), refused: row.bool(11))
    }
}
