import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// The last documents of resources that are gone: what is still to be told of them is told with the document as each subscription saw it
/// when it was removed. Kept until it was sent, given up and let go, or until a person who is named in it is erased.
struct HubLast: Sendable {
    let subscription: HubID
    let resource: String
    let id: Int64
    /// `nil` = erased.
    let document: JSONObject?
    /// Whether it meets the conditions of the subscription; otherwise only its removal is told, to those who were told of it before.
    let meets: Bool
    /// Of whoever it was read for.
    let rights: String
    /// It is not sent after that.
    let until: Instant

    static let columns: SQL = "subscription_id, resource, resource_id, document, meets, rights, keep_until"
    static let save: SQL = """
        INSERT INTO tmf_hub_last (subscription_id, resource, resource_id, document, meets, rights, pending, kept_at, keep_until)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)
        ON CONFLICT (subscription_id, resource, resource_id) DO UPDATE SET document = $4, meets = $5, rights = $6,
          pending = tmf_hub_last.pending + 1, kept_at = $7, keep_until = $8
        """
    static let name: SQL = """
        INSERT INTO tmf_hub_last_named (named_id, subscription_id, resource, resource_id) VALUES ($1, $2, $3, $4)
        ON CONFLICT (named_id, subscription_id, resource, resource_id) DO NOTHING
        """
    static let byKey: SQL = """
        SELECT \(columns) FROM tmf_hub_last WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3
        """
    static let ofLane: SQL = "SELECT \(columns) FROM tmf_hub_last WHERE subscription_id = $1 AND resource = $2"
    static let heard: SQL = """
        UPDATE tmf_hub_last SET pending = pending - 1
        WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3 AND pending > 0
        """
    /// When nothing of it is to be sent any more.
    static let release: SQL = """
        DELETE FROM tmf_hub_last WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3 AND pending = 0
          AND NOT EXISTS (SELECT 1 FROM tmf_hub_delivery d WHERE d.state IN ('waiting', 'dead')
            AND d.resource_id = tmf_hub_last.resource_id AND d.subscription_id = tmf_hub_last.subscription_id
            AND d.resource = tmf_hub_last.resource)
        """
    static let unname: SQL = """
        DELETE FROM tmf_hub_last_named WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3
        """
    static let named: SQL = "SELECT subscription_id, resource, resource_id FROM tmf_hub_last_named WHERE named_id = $1"
    static let empty: SQL = """
        UPDATE tmf_hub_last SET document = NULL WHERE subscription_id = $1 AND resource = $2 AND resource_id = $3
        """
    static let tooOld: SQL = """
        SELECT subscription_id, resource, resource_id FROM tmf_hub_last WHERE keep_until < $1 AND document IS NOT NULL
        ORDER BY keep_until LIMIT $2
        """
    /// Whose removal was told to nobody although it should have been long since, and what nothing waits for.
    static let over: SQL = """
        DELETE FROM tmf_hub_last WHERE kept_at < $1 OR (pending = 0 AND NOT EXISTS (
          SELECT 1 FROM tmf_hub_delivery d WHERE d.state IN ('waiting', 'dead') AND d.resource_id = tmf_hub_last.resource_id
            AND d.subscription_id = tmf_hub_last.subscription_id AND d.resource = tmf_hub_last.resource))
        """
    static let overNamed: SQL = """
        DELETE FROM tmf_hub_last_named WHERE NOT EXISTS (
          SELECT 1 FROM tmf_hub_last l WHERE l.subscription_id = tmf_hub_last_named.subscription_id
            AND l.resource = tmf_hub_last_named.resource AND l.resource_id = tmf_hub_last_named.resource_id)
        """
    static let ofSubscription: [SQL] = [
        "DELETE FROM tmf_hub_last WHERE subscription_id = $1", "DELETE FROM tmf_hub_last_named WHERE subscription_id = $1",
    ]

    private static func read(_ row: Row) throws -> HubLast {
        HubLast(
            subscription: row.id(0), resource: row.text(1), id: row.int(2),
            document: try row.optionalText(3).flatMap { try JSONValue.parse([UInt8]($0.utf8)).object }, meets: row.int(4) != 0,
            rights: row.text(5), until: row.time(6))
    }

    static func find(_ key: [SQLValue], _ session: any SQLSession) throws -> HubLast? { try session.first(byKey, key, read) }

    /// Those of these resources that are kept for a subscription.
    static func of(_ subscription: HubID, _ resource: String, _ ids: [Int64], _ session: any SQLSession) throws -> [Int64: HubLast] {
        guard !ids.isEmpty else { return [:] }
        var builder = SQLBuilder(ofLane, [.id(subscription), .text(resource)])
        builder.appendIn("AND resource_id", ids.map { .int($0) })
        return Dictionary(try session.query(builder, read).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The hub has heard of a removal: what it has queued is all that will come.
    static func heard(_ key: [SQLValue], _ session: any SQLSession) throws {
        if try session.execute(heard, key) > 0 { try release(key, session) }
    }

    /// Lets it go unless something of it is still to be sent.
    static func release(_ key: [SQLValue], _ session: any SQLSession) throws {
        if try session.execute(release, key) > 0 { try session.execute(unname, key) }
    }

    /// Takes out everything that is kept of documents that name one of these: the person is erased.
    static func erase(_ ids: [Int64], _ session: any SQLSession) throws {
        try HubSeen.erase(ids, session)
        guard try session.exists("SELECT 1 FROM tmf_hub_last_named LIMIT 1") else { return }
        for id in ids {
            for key in try session.query(named, [.int(id)], { [$0.value(0), $0.value(1), $0.value(2)] }) { try erase(key, session) }
        }
    }

    private static func erase(_ key: [SQLValue], _ session: any SQLSession) throws {
        try session.execute(empty, key)
        try session.execute(unname, key)
    }

    /// What has waited too long, and what a change of the settings or a lost event has left over.
    static func sweep(_ now: Instant, _ settings: HubSettings, _ session: any SQLSession) throws {
        while true {
            let keys = try session.query(tooOld, [.time(now), .int(Limits.sqlListChunk)]) { [$0.value(0), $0.value(1), $0.value(2)] }
            for key in keys { try erase(key, session) }
            if keys.count < Limits.sqlListChunk { break }
        }
        try HubSeen.sweep(now, session)
        try session.execute(over, [.time(now.adding(days: -settings.keepDays))])
        try session.execute(overNamed, [])
    }

    /// What somebody may see, in short: a document that was read with other rights is not sent.
    static func rights(_ principal: Principal) -> String {
        let regions = principal.scope.regions.map { $0.sorted().joined(separator: "\n") } ?? "*"
        let may = Masking(principal)
        let masks = MaskKind.allCases.map { may.shows($0) ? "1" : "0" }.joined()
        return Hex.text(SHA256.hash(data: Data("\(masks)\n\(regions)".utf8)).prefix(12))
    }
}

/// Keeps last documents: known to the desks of all resources that have a hub.
package struct HubMemory: Sendable {
    let resources: [TMFResource]
    let clients: HubClients
    let settings: HubSettings

    /// A resource is about to be removed: what those would see who are told of it.
    func keep(_ resource: TMFResource, _ id: Int64, _ tenant: Tenant, _ session: any SQLSession) throws {
        if resource.isPerson { try HubLast.erase([id], session) }
        for subscription in try session.query(HubStore.ofAPI, [.int(resource.api.number)], HubStore.subscription) {
            let all = subscription.offered(resources)
            guard let own = all.first(where: { $0.name == resource.name }),
                let principal = try clients.principal(subscription.client, tenant, session), own.may(principal),
                let query = try? HubQuery.read(subscription.query, all)[own.name],
                let document = try seen(own, id, subscription, principal, tenant, session)
            else { continue }
            let key: [SQLValue] = [.id(subscription.id), .text(own.name), .int(id)]
            let meets = query.meets(document: document)
            guard try meets || session.exists(HubStore.isTold, key) else { continue }
            let now = tenant.clock.now()
            // Of a person who is removed nothing lies here for longer than the hub tries.
            let until = own.isPerson ? now.adding(seconds: Int64(settings.giveUpHours) * 3_600) : now.adding(days: settings.keepDays)
            try session.execute(
                HubLast.save,
                key + [
                    .text(JSONValue.object(query.fields.of(document)).encoded()), .int(meets ? 1 : 0),
                    .text(HubLast.rights(principal)), .time(now), .time(until),
                ])
            try session.execute(HubLast.unname, key)
            try session.executeMany(HubLast.name, Self.named(.object(document)).sorted().map { [.int($0)] + key })
        }
    }

    private func seen(
        _ resource: TMFResource, _ id: Int64, _ subscription: HubSubscription, _ principal: Principal, _ tenant: Tenant,
        _ session: any SQLSession
    ) throws -> JSONObject? {
        do {
            return try TMFDesk(resource: resource, tenant: tenant, origin: subscription.origin).find(id, principal, session)
        } catch let error as CRMError {
            // One subscription that cannot be served keeps nobody from removing something.
            tenant.logger.error("hub.document_failed", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// The ids of ours that a document names anywhere, its own too.
    static func named(_ value: JSONValue) -> Set<Int64> {
        switch value {
        case .array(let items): return items.reduce(into: []) { $0.formUnion(named($1)) }
        case .object(let fields):
            return fields.reduce(into: []) { found, field in
                if field.key == "id", let text = field.value.string, let id = Int64(text), String(id) == text { found.insert(id) }
                found.formUnion(named(field.value))
            }
        default: return []
        }
    }
}
