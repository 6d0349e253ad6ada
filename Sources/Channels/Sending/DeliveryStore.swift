import Kernel
import Storage
import Web

/// A message to one receiver: what becomes of it.
struct Delivery: Sendable {
    enum State: String, Sendable, CaseIterable { case queued, sending, sent, failed, refused, cancelled }

    static let receiversMax = 500
    /// How often it is tried again where the message does not say.
    static let retries = 3
    static let triesMax = 10

    let customer: CustomerID
    let message: Int64
    let place: Int
    let channel: String
    let purpose: String
    let summary: String
    var state: State
    let rank: Int64
    let dueAt: Instant
    let tries: Int
    let triesMax: Int
    let takenBy: String?
    let happenedAt: Instant
    let reason: String?

    init(
        customer: CustomerID, message: Int64, place: Int, channel: String, purpose: String, summary: String, state: State, rank: Int64,
        dueAt: Instant, tries: Int, triesMax: Int, takenBy: String?, happenedAt: Instant, reason: String?
    ) {
        self.customer = customer
        self.message = message
        self.place = place
        self.channel = channel
        self.purpose = purpose
        self.summary = summary
        self.state = state
        self.rank = rank
        self.dueAt = dueAt
        self.tries = tries
        self.triesMax = triesMax
        self.takenBy = takenBy
        self.happenedAt = happenedAt
        self.reason = reason
    }

    /// The same of a message that has its id.
    func of(_ message: Int64) -> Delivery {
        Delivery(
            customer: customer, message: message, place: place, channel: channel, purpose: purpose, summary: summary, state: state,
            rank: rank, dueAt: dueAt, tries: tries, triesMax: triesMax, takenBy: takenBy, happenedAt: happenedAt, reason: reason)
    }

    init(_ row: Row) {
        self.init(
            customer: row.id(0), message: row.int(1), place: row.integer(2), channel: row.text(3), purpose: row.text(4),
            summary: row.text(5), state: State(rawValue: row.text(6)) ?? .failed, rank: row.int(7), dueAt: row.time(8),
            tries: row.integer(9), triesMax: row.integer(10), takenBy: row.optionalText(11), happenedAt: row.time(12),
            reason: row.optionalText(13))
    }

    /// What clients are shown of it, beside the receivers and in their order.
    var json: JSONValue {
        var fields: [String: JSONValue] = [
            "receiver": .int(Int64(place)), "channel": .string(channel), "purpose": .string(purpose), "state": .string(state.rawValue),
            "tries": .int(Int64(tries)),
        ]
        if state == .sent || state == .failed || state == .refused { fields["date"] = .string(happenedAt.iso8601) }
        if let reason { fields["reason"] = .string(reason) }
        return .object(fields)
    }
}

/// channels_delivery.
enum DeliveryStore {
    static let columns: SQL = """
        customer_id, message_id, place, channel, purpose, summary, state, rank, due_at, tries, tries_max, taken_by, happened_at, reason
        """
    static let ofMessages: SQL = "SELECT \(columns) FROM channels_delivery WHERE TRUE"
    static let due: SQL = """
        SELECT \(columns) FROM channels_delivery WHERE state IN ('queued', 'sending') AND due_at <= $1 ORDER BY due_at LIMIT $2
        """
    /// Whoever changes the row has the delivery; whoever comes second finds another state or a later lease. `due_at` goes along with the
    /// lease, so that a delivery whose process died is found again.
    static let claim: SQL = """
        UPDATE channels_delivery SET state = 'sending', tries = tries + 1, lease_until = $4, due_at = $4, taken_by = $5
        WHERE customer_id = $1 AND message_id = $2 AND place = $3 AND due_at <= $6
          AND (state = 'queued' OR (state = 'sending' AND lease_until <= $6))
        """
    static let finish: SQL = """
        UPDATE channels_delivery SET state = $5, reason = $6, happened_at = $7, due_at = $8, lease_until = 0
        WHERE customer_id = $1 AND message_id = $2 AND place = $3 AND state = 'sending' AND lease_until = $4
        """
    static let refuse: SQL = """
        UPDATE channels_delivery SET state = $4, reason = $5, happened_at = $6, lease_until = 0
        WHERE customer_id = $1 AND message_id = $2 AND place = $3 AND state = 'queued'
        """
    static let cancelQueued: SQL = """
        UPDATE channels_delivery SET state = 'cancelled', happened_at = $2 WHERE message_id = $1 AND state = 'queued'
        """
    static let requeue: SQL = """
        UPDATE channels_delivery SET state = 'queued', tries = 0, due_at = $2, reason = NULL WHERE message_id = $1
          AND state IN ('failed', 'refused')
        """
    static let delete: SQL = "DELETE FROM channels_delivery WHERE message_id = $1"
    static let deleteQueued: SQL = "DELETE FROM channels_delivery WHERE message_id = $1 AND state = 'queued'"
    static let forget: SQL = "DELETE FROM channels_delivery WHERE customer_id = $1"
    static let contacts: SQL = "SELECT \(columns) FROM channels_delivery WHERE TRUE"

    static func of(_ messages: [Int64], _ session: any SQLSession) throws -> [Int64: [Delivery]] {
        var result: [Int64: [Delivery]] = [:]
        for chunk in messages.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(ofMessages)
            builder.appendIn("AND message_id", chunk.map { .int($0) })
            builder.append("ORDER BY message_id, place")
            for one in try session.query(builder, { Delivery($0) }) { result[one.message, default: []].append(one) }
        }
        return result
    }

    static func insert(_ deliveries: [Delivery], _ session: any SQLSession) throws {
        try session.bulkInsert(
            into: "channels_delivery", "\(columns), lease_until",
            deliveries.map {
                [
                    .id($0.customer), .int($0.message), .int($0.place), .text($0.channel), .text($0.purpose), .text($0.summary),
                    .text($0.state.rawValue), .int($0.rank), .time($0.dueAt), .int($0.tries), .int($0.triesMax), .text($0.takenBy),
                    .time($0.happenedAt), .text($0.reason), .int(0),
                ]
            })
    }

    static func cancel(_ message: Int64, _ now: Instant, _ session: any SQLSession) throws {
        try session.execute(cancelQueued, [.int(message), .time(now)])
    }

    static func again(_ message: Int64, _ now: Instant, _ session: any SQLSession) throws {
        try session.execute(requeue, [.int(message), .time(now)])
    }

    static func removeQueued(_ message: Int64, _ session: any SQLSession) throws -> Int {
        try session.execute(deleteQueued, [.int(message)])
    }

    static func remove(_ message: Int64, _ session: any SQLSession) throws { try session.execute(delete, [.int(message)]) }
}
