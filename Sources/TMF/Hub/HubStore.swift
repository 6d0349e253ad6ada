import Crypto
import Foundation
import Kernel
import Platform
import Storage

/// Kinds of entity, for `ID`.
package enum HubKind {}
package typealias HubID = ID<HubKind>
package enum HubDeliveryKind {}
package typealias HubDeliveryID = ID<HubDeliveryKind>

/// Somebody who has asked to be told.
struct HubSubscription: Sendable {
    enum State: String, Sendable { case active, paused }

    let id: HubID
    let api: Int
    /// As the audit names the client.
    let client: String
    let callback: String
    let query: String
    let salt: String
    let origin: String
    let state: State
    let createdAt: Instant
    let resumedAt: Instant
    /// Attempts in a row that failed.
    let failures: Int
    let dueAt: Instant?
    /// Of the interface: 4 or 5.
    let version: Int

    /// What it may be told of, as it sees it.
    func offered(_ all: [TMFResource]) -> [TMFResource] {
        let own = all.filter { $0.api.number == api && $0.isTold }
        return version == 5 ? own.compactMap(\.version5) : own
    }
}

/// One event for one subscription.
struct HubDelivery: Sendable {
    enum State: String, Sendable, CaseIterable {
        /// To be sent, or to be tried again.
        case waiting
        case delivered
        /// Given up by the machine: a person may have it sent again.
        case dead
        /// Not sent, because its client may not see it (any more).
        case dropped
        /// Given up by a person.
        case dismissed
    }

    let id: HubDeliveryID
    let subscription: HubID
    let event: Int64
    let correlation: Int64
    let type: String
    let kind: TMFChanged.Kind
    let resource: String
    let resourceID: Int64
    let field: String
    let at: Instant
    let queuedAt: Instant
    let state: State
    let attempts: Int
    let triedAt: Instant?
    let answer: Int
    let reason: String
    let endedAt: Instant?
    /// The event of the outbox with which its document was seen; 0 = it is read when it is sent.
    let seenWith: Int64

    /// Which resource it tells whom of.
    var key: [SQLValue] { [.id(subscription), .text(resource), .int(resourceID)] }
}

/// Reads and writes subscriptions and deliveries. All on the caller's session.
enum HubStore {
    static let columns: SQL = """
        id, api, client, callback, query, salt, origin, state, created_at, resumed_at, failures, due_at, version
        """
    static let byID: SQL = "SELECT \(columns) FROM tmf_hub WHERE id = $1"
    static let ofClient: SQL = "SELECT \(columns) FROM tmf_hub WHERE api = $1 AND client = $2 AND version = $3 ORDER BY id"
    static let ofAPI: SQL = "SELECT \(columns) FROM tmf_hub WHERE api = $1 ORDER BY id"
    static let page: SQL = "SELECT \(columns) FROM tmf_hub WHERE id > $1 ORDER BY id LIMIT $2"
    static let countOfClient: SQL = "SELECT COUNT(*) FROM tmf_hub WHERE client = $1"
    static let insert: SQL = """
        INSERT INTO tmf_hub (id, api, client, callback, query, same, salt, origin, state, created_at, resumed_at, failures,
          lease_owner, lease_until, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $9, 0, '', 0, $10)
        ON CONFLICT (same) DO NOTHING
        """
    static let remove: SQL = "DELETE FROM tmf_hub WHERE id = $1"
    static let removeDeliveries: SQL = "DELETE FROM tmf_hub_delivery WHERE subscription_id = $1"
    static let removeTold: SQL = "DELETE FROM tmf_hub_told WHERE subscription_id = $1"
    static let pause: SQL = "UPDATE tmf_hub SET state = 'paused' WHERE id = $1 AND state = 'active'"
    static let resume: SQL = """
        UPDATE tmf_hub SET state = 'active', resumed_at = $2, failures = 0, due_at = $2 WHERE id = $1 AND state = 'paused'
        """

    // What waits.
    static let wake: SQL = "UPDATE tmf_hub SET due_at = $2 WHERE id = $1 AND due_at IS NULL"
    static let hurry: SQL = "UPDATE tmf_hub SET due_at = $2, failures = 0 WHERE id = $1 AND lease_until < $2"
    static let due: SQL = """
        SELECT id FROM tmf_hub WHERE due_at <= $1 AND lease_until < $1 AND state = 'active' ORDER BY due_at, id LIMIT $2
        """
    static let claim: SQL = """
        UPDATE tmf_hub SET lease_owner = $2, lease_until = $3
        WHERE id = $1 AND due_at <= $4 AND lease_until < $4 AND state = 'active'
        """
    static let hold: SQL = """
        UPDATE tmf_hub SET lease_until = $3 WHERE id = $1 AND lease_owner = $2 AND state = 'active'
        """
    static let release: SQL = """
        UPDATE tmf_hub SET lease_owner = '', lease_until = 0, due_at = $3, failures = $4 WHERE id = $1 AND lease_owner = $2
        """
    static let forgive: SQL = "UPDATE tmf_hub SET failures = 0 WHERE id = $1 AND failures > 0"
    /// After the clock was set back: nothing waits longer than the longest pause, no lease lasts longer than a call.
    static let pullBack: SQL = """
        UPDATE tmf_hub SET due_at = CASE WHEN due_at > $2 THEN $1 ELSE due_at END,
          lease_until = CASE WHEN lease_until > $3 THEN $3 ELSE lease_until END
        WHERE due_at > $2 OR lease_until > $3
        """

    // Deliveries.
    static let deliveryColumns: SQL = """
        id, subscription_id, event_id, correlation_id, event_type, kind, resource, resource_id, field, event_at, queued_at,
          state, attempts, tried_at, answer, reason, ended_at, seen_with
        """
    static let queue: SQL = """
        INSERT INTO tmf_hub_delivery (id, subscription_id, event_id, correlation_id, event_type, kind, resource, resource_id,
          field, event_at, queued_at, state, attempts, answer, reason, seen_with)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', 0, 0, '', $12)
        """
    static let next: SQL = """
        SELECT \(deliveryColumns) FROM tmf_hub_delivery WHERE subscription_id = $1 AND state = 'waiting' ORDER BY id LIMIT 1
        """
    static let delivery: SQL = "SELECT \(deliveryColumns) FROM tmf_hub_delivery WHERE id = $1"
    static let log: SQL = "SELECT \(deliveryColumns) FROM tmf_hub_delivery WHERE id < $1"
    static let attempt: SQL = """
        UPDATE tmf_hub_delivery SET attempts = attempts + 1, tried_at = $2 WHERE id = $1 AND state = 'waiting'
        """
    static let ended: SQL = """
        UPDATE tmf_hub_delivery SET state = $2, answer = $3, reason = $4, ended_at = $5 WHERE id = $1 AND state = 'waiting'
        """
    static let failed: SQL = """
        UPDATE tmf_hub_delivery SET answer = $2, reason = $3 WHERE id = $1 AND state = 'waiting'
        """
    static let tooOld: SQL = """
        UPDATE tmf_hub_delivery SET state = 'dead', ended_at = $3, reason = CASE WHEN reason = '' THEN 'too_old' ELSE reason END
        WHERE subscription_id = $1 AND state = 'waiting' AND queued_at < $2
        """
    static let again: SQL = """
        UPDATE tmf_hub_delivery SET state = 'waiting', attempts = 0, queued_at = $2, ended_at = NULL
        WHERE id = $1 AND state = 'dead'
        """
    static let againAll: SQL = """
        UPDATE tmf_hub_delivery SET state = 'waiting', attempts = 0, queued_at = $2, ended_at = NULL
        WHERE subscription_id = $1 AND state = 'dead'
        """
    static let dismiss: SQL = """
        UPDATE tmf_hub_delivery SET state = 'dismissed', ended_at = $2 WHERE id = $1 AND state IN ('dead', 'waiting')
        """
    static let counts: SQL = """
        SELECT subscription_id, state, COUNT(*) FROM tmf_hub_delivery WHERE state IN ('waiting', 'dead')
        GROUP BY subscription_id, state
        """
    static let forget: SQL = "DELETE FROM tmf_hub_delivery WHERE id < $1"
    static let tell: SQL = """
        INSERT INTO tmf_hub_told (subscription_id, resource, resource_id) VALUES ($1, $2, $3)
        ON CONFLICT (subscription_id, resource, resource_id) DO NOTHING
        """
    static let isTold: SQL = """
        SELECT 1 FROM tmf_hub_told WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3
        """
    static let untell: SQL = """
        DELETE FROM tmf_hub_told WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3
        """

    static func subscription(_ id: HubID, _ session: any SQLSession) throws -> HubSubscription? {
        try session.first(byID, [.id(id)], subscription)
    }

    static func delivery(_ id: HubDeliveryID, _ session: any SQLSession) throws -> HubDelivery? {
        try session.first(delivery, [.id(id)], delivery)
    }

    static func subscription(_ row: Row) throws -> HubSubscription {
        HubSubscription(
            id: row.id(0), api: row.integer(1), client: row.text(2), callback: row.text(3), query: row.text(4),
            salt: row.text(5), origin: row.text(6), state: HubSubscription.State(rawValue: row.text(7)) ?? .paused,
            createdAt: row.time(8), resumedAt: row.time(9), failures: row.integer(10), dueAt: row.optionalTime(11),
            version: row.integer(12))
    }

    static func delivery(_ row: Row) throws -> HubDelivery {
        HubDelivery(
            id: row.id(0), subscription: row.id(1), event: row.int(2), correlation: row.int(3), type: row.text(4),
            kind: TMFChanged.Kind(rawValue: row.text(5)) ?? .changed, resource: row.text(6), resourceID: row.int(7),
            field: row.text(8), at: row.time(9), queuedAt: row.time(10),
            state: HubDelivery.State(rawValue: row.text(11)) ?? .dead, attempts: row.integer(12),
            triedAt: row.optionalTime(13), answer: row.integer(14), reason: row.text(15), endedAt: row.optionalTime(16),
            seenWith: row.int(17))
    }

    static func digest(_ parts: [String]) -> String {
        Hex.text(SHA256.hash(data: Data(parts.joined(separator: "\n").utf8)))
    }

    /// The log, the newest first.
    static func log(
        subscription: HubID?, state: HubDelivery.State?, before: HubDeliveryID?, limit: Int, _ session: any SQLSession
    ) throws -> [HubDelivery] {
        var query = SQLBuilder(log, [.int(before?.rawValue ?? Int64.max)])
        if let subscription { query.append("AND subscription_id = ?", .id(subscription)) }
        if let state { query.append("AND state = ?", .text(state.rawValue)) }
        query.append("ORDER BY id DESC LIMIT ?", .int(limit))
        return try session.query(query, delivery)
    }
}
