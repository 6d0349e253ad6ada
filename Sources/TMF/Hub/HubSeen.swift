import Kernel
import Platform
import Storage
import Synchronization
import Web

/// What a resource was when something happened to it, as one subscription sees it: so that two quick changes are told with two documents,
/// and the conditions are asked of each. Kept until it was sent (ADR 0079).
struct HubSeen: Sendable {
    /// By resource and id.
    typealias Kept = [String: [Int64: HubSeen]]

    let subscription: HubID
    let resource: String
    let id: Int64
    /// All of it, so that the audit says whom it is about; what `fields` leaves out is left out when it is sent.
    let document: JSONObject?
    let meets: Bool
    let rights: String

    static let columns: SQL = "subscription_id, resource, resource_id, document, meets, rights"
    static let save: SQL = """
        INSERT INTO tmf_hub_seen (event_id, subscription_id, resource, resource_id, document, meets, rights, keep_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event_id, subscription_id, resource, resource_id) DO NOTHING
        """
    static let name: SQL = """
        INSERT INTO tmf_hub_seen_named (named_id, event_id, subscription_id, resource, resource_id) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (named_id, event_id, subscription_id, resource, resource_id) DO NOTHING
        """
    static let ofEvent: SQL = "SELECT \(columns) FROM tmf_hub_seen WHERE event_id = $1"
    static let byKey: SQL = """
        SELECT \(columns) FROM tmf_hub_seen WHERE event_id = $1 AND subscription_id = $2 AND resource = $3 AND resource_id = $4
        """
    /// Unless another event of the same change is still to be sent.
    static let release: SQL = """
        DELETE FROM tmf_hub_seen WHERE event_id = $1 AND subscription_id = $2 AND resource = $3 AND resource_id = $4
          AND NOT EXISTS (SELECT 1 FROM tmf_hub_delivery d WHERE d.state IN ('waiting', 'dead')
            AND d.resource_id = tmf_hub_seen.resource_id AND d.subscription_id = tmf_hub_seen.subscription_id
            AND d.resource = tmf_hub_seen.resource AND d.seen_with = tmf_hub_seen.event_id)
        """
    static let unname: SQL = """
        DELETE FROM tmf_hub_seen_named WHERE event_id = $1 AND subscription_id = $2 AND resource = $3 AND resource_id = $4
        """
    static let named: SQL = "SELECT event_id, subscription_id, resource, resource_id FROM tmf_hub_seen_named WHERE named_id = $1"
    static let empty: SQL = """
        UPDATE tmf_hub_seen SET document = NULL WHERE event_id = $1 AND subscription_id = $2 AND resource = $3 AND resource_id = $4
        """
    static let tooOld: SQL = """
        SELECT event_id, subscription_id, resource, resource_id FROM tmf_hub_seen WHERE keep_until < $1 ORDER BY keep_until LIMIT $2
        """
    static let remove: SQL = """
        DELETE FROM tmf_hub_seen WHERE event_id = $1 AND subscription_id = $2 AND resource = $3 AND resource_id = $4
        """
    static let ofSubscription: [SQL] = [
        "DELETE FROM tmf_hub_seen WHERE subscription_id = $1", "DELETE FROM tmf_hub_seen_named WHERE subscription_id = $1",
    ]

    private static func read(_ row: Row) throws -> HubSeen {
        HubSeen(
            subscription: row.id(0), resource: row.text(1), id: row.int(2),
            document: try row.optionalText(3).flatMap { try JSONValue.parse([UInt8]($0.utf8)).object }, meets: row.int(4) != 0,
            rights: row.text(5))
    }

    private static func key(_ row: Row) -> [SQLValue] { (0..<4).map { row.value($0) } }

    private static func key(_ delivery: HubDelivery) -> [SQLValue] { [.int(delivery.seenWith)] + delivery.key }

    /// What was seen with an event of the outbox.
    static func of(_ event: EventID, _ session: any SQLSession) throws -> [HubID: Kept] {
        try session.query(ofEvent, [.id(event)], read).reduce(into: [:]) {
            $0[$1.subscription, default: [:]][$1.resource, default: [:]][$1.id] = $1
        }
    }

    static func find(_ delivery: HubDelivery, _ session: any SQLSession) throws -> HubSeen? {
        delivery.seenWith == 0 ? nil : try session.first(byKey, key(delivery), read)
    }

    /// What is due has been queued: the rest of what was seen is wanted by nobody.
    static func settle(
        _ event: EventID, _ subscription: HubID, _ told: [TMFChanged], _ seen: Kept, _ session: any SQLSession
    ) throws {
        for one in told where seen[one.resource]?[one.id] != nil {
            try release([.id(event), .id(subscription), .text(one.resource), .int(one.id)], session)
        }
    }

    /// Lets it go unless something of it is still to be sent.
    static func release(_ delivery: HubDelivery, _ session: any SQLSession) throws {
        if delivery.seenWith != 0 { try release(key(delivery), session) }
    }

    private static func release(_ key: [SQLValue], _ session: any SQLSession) throws {
        if try session.execute(release, key) > 0 { try session.execute(unname, key) }
    }

    /// Takes out everything that is kept of documents that name one of these: the person is erased.
    static func erase(_ ids: [Int64], _ session: any SQLSession) throws {
        guard try session.exists("SELECT 1 FROM tmf_hub_seen_named LIMIT 1") else { return }
        for id in ids {
            for key in try session.query(named, [.int(id)], key) {
                try session.execute(empty, key)
                try session.execute(unname, key)
            }
        }
    }

    /// What has waited too long is read anew, if it is sent after all.
    static func sweep(_ now: Instant, _ session: any SQLSession) throws {
        while true {
            let keys = try session.query(tooOld, [.time(now), .int(Limits.sqlListChunk)], key)
            for key in keys {
                try session.execute(remove, key)
                try session.execute(unname, key)
            }
            if keys.count < Limits.sqlListChunk { return }
        }
    }
}

/// Who has asked to be told, known without asking for each change. What changes here is known at once; what another process took in, a
/// little later: until then documents are read when they are sent.
package final class HubInterest: Sendable {
    struct Entry: Sendable {
        let subscription: HubSubscription
        let principal: Principal
        let rights: String
        let offered: [TMFResource]
        let queries: [String: HubQuery]
    }

    static let keeps: Duration = .seconds(2)

    private struct Known: Sendable {
        var entries: [Entry] = []
        var until: ContinuousClock.Instant?
        /// Grows when what is known was made wrong here.
        var turn = 0
    }

    private let resources: [TMFResource]
    private let clients: HubClients
    private let known = Mutex<[String: Known]>([:])

    init(resources: [TMFResource], clients: HubClients) {
        self.resources = resources
        self.clients = clients
    }

    static let all: SQL = "SELECT \(HubStore.columns) FROM tmf_hub ORDER BY id"

    func entries(_ tenant: Tenant, _ session: any SQLSession) throws -> [Entry] {
        let (found, turn) = known.withLock { known -> ([Entry]?, Int) in
            let one = known[tenant.name] ?? Known()
            return (one.until.map { $0 > .now } ?? false ? one.entries : nil, one.turn)
        }
        if let found { return found }
        let entries = try session.query(Self.all, [], HubStore.subscription).compactMap { try entry($0, tenant, session) }
        known.withLock { known in
            guard known[tenant.name]?.turn ?? 0 == turn else { return }
            known[tenant.name] = Known(entries: entries, until: .now + Self.keeps, turn: turn)
        }
        return entries
    }

    private func entry(_ subscription: HubSubscription, _ tenant: Tenant, _ session: any SQLSession) throws -> Entry? {
        let offered = subscription.offered(resources)
        guard let principal = try clients.principal(subscription.client, tenant, session),
            let queries = try? HubQuery.read(subscription.query, offered)
        else { return nil }
        return Entry(
            subscription: subscription, principal: principal, rights: HubLast.rights(principal),
            offered: offered.filter { $0.may(principal) }, queries: queries)
    }

    /// A subscription was made or has ended.
    func forget(_ tenant: Tenant) {
        known.withLock { known in
            known[tenant.name, default: Known()].until = nil
            known[tenant.name, default: Known()].turn += 1
        }
    }
}

/// Keeps what resources are, in the transaction in which something happens to them, for those who have asked to be told.
struct HubWitness: Sendable {
    let tenant: Tenant
    let interest: HubInterest
    let settings: HubSettings

    /// - Parameter changes: what the event means for documents; asked when the transaction has done its work.
    func watch(
        _ apis: [Int], _ event: EventID, _ session: any SQLSession, _ changes: @escaping (any SQLSession) throws -> [TMFChanged]
    ) throws {
        let entries = try interest.entries(tenant, session).filter { apis.contains($0.subscription.api) }
        guard !entries.isEmpty else { return }
        session.beforeCommit { [self] session in
            let told = try changes(session).filter { !$0.kinds.contains(.removed) }
            guard !told.isEmpty, told.count <= HubSettings.seenMax else { return }
            try see(told, event, entries, session)
        }
    }

    private func see(_ told: [TMFChanged], _ event: EventID, _ entries: [HubInterest.Entry], _ session: any SQLSession) throws {
        var read: [String: [Int64: JSONObject]] = [:]
        var rows: [[SQLValue]] = []
        var names: [[SQLValue]] = []
        let until = tenant.clock.now().adding(days: settings.keepDays)
        for entry in entries {
            let own = Dictionary(grouping: told.filter { $0.api == entry.subscription.api }, by: \.resource)
            for resource in entry.offered {
                guard let query = entry.queries[resource.name] else { continue }
                let wanted = (own[resource.name] ?? []).filter { one in
                    one.kinds.contains { query.mayWant(HubNames.name(resource.type, $0)) }
                }
                if wanted.isEmpty { continue }
                // Clients of the same rights see the same.
                let view = "\(resource.path) \(entry.subscription.origin) \(entry.rights)"
                let documents = try read[view] ?? documents(Set(told.map(\.id)), resource, entry, session)
                read[view] = documents
                guard let documents else { continue }
                for id in Set(wanted.map(\.id)).sorted() {
                    let key: [SQLValue] = [.id(event), .id(entry.subscription.id), .text(resource.name), .int(id)]
                    // Out of reach: it met no conditions then, whoever has it now.
                    let document = documents[id].flatMap { query.meets(document: $0) ? $0 : nil }
                    let text = document.map { SQLValue.text(JSONValue.object($0).encoded()) } ?? .null
                    rows.append(key + [text, .int(document == nil ? 0 : 1), .text(entry.rights), .time(until)])
                    names += document.map { HubMemory.named(.object($0)).sorted().map { [.int($0)] + key } } ?? []
                }
            }
        }
        try session.executeMany(HubSeen.save, rows)
        try session.executeMany(HubSeen.name, names)
    }

    /// - Returns: `nil` where they cannot be put together: they are read when they are sent, and nobody is kept from changing anything.
    private func documents(
        _ ids: Set<Int64>, _ resource: TMFResource, _ entry: HubInterest.Entry, _ session: any SQLSession
    ) throws -> [Int64: JSONObject]? {
        do {
            let desk = TMFDesk(resource: resource, tenant: tenant, origin: entry.subscription.origin)
            return try desk.documents(ids.sorted(), entry.principal, session)
        } catch let error as StorageError { throw error } catch {
            tenant.logger.error("hub.document_failed", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
