import Contracts
import Kernel
import Platform
import Storage
import Web

package enum HubPermission {
    /// Sees who is told of changes, and the log of deliveries.
    package static let view = Permission("tmf.hub.view")
    /// Pauses and ends subscriptions, has events sent again or gives them up.
    package static let manage = Permission("tmf.hub.manage")

    static let grants = [
        PermissionGrant(
            view, Words(en: "See who is told of changes, and the log of deliveries", zh: "查看事件订阅及投递记录"),
            roles: [.administrator, .security]),
        PermissionGrant(
            manage, Words(en: "Pause subscriptions and have events delivered again", zh: "暂停事件订阅、重新投递事件"),
            roles: [.administrator]),
    ]
}

/// What all interfaces of TM Forum share beyond their resources: hubs, the delivery of events, the upkeep of what is kept.
package struct HubModule: Module {
    private let resources: [TMFResource]
    private let news: [TMFNews]
    private let clients: HubClients
    private let settings: HubSettings
    private let interest: HubInterest

    /// - Parameters:
    ///   - resources: of all domains.
    ///   - news: what else changes them than programs do.
    ///   - clients: what a client may do now.
    package init(
        resources: [TMFResource], news: [TMFNews] = [], clients: HubClients, settings: HubSettings = HubSettings()
    ) {
        self.resources = resources
        self.news = news
        self.clients = clients
        self.settings = settings
        interest = HubInterest(resources: resources, clients: clients)
        let memory = HubMemory(resources: resources, clients: clients, settings: settings)
        for resource in resources { resource.schema.directory?.remember(with: memory) }
    }

    package var name: String { "TMF" }
    package var permissions: [PermissionGrant] { HubPermission.grants }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        var apis: [TMFAPI] = []
        for api in resources.map(\.api) where !apis.contains(api) { apis.append(api) }
        let hubs = apis.flatMap { api in [4, 5].compactMap { HubEndpoints(api, version: $0, resources, settings, interest) } }
        return hubs.flatMap(\.endpoints)
            + HubPages(resources: resources, clients: clients, interest: interest).endpoints
    }

    /// What happens is seen in the transaction in which it does, by those who have asked to be told (ADR 0079).
    package func opened(_ tenant: Tenant) {
        let witness = HubWitness(tenant: tenant, interest: interest, settings: settings)
        tenant.outbox.watch.add(TMFChanged.eventType) { event, id, session in
            guard let event = event as? TMFChanged else { return }
            try witness.watch([event.api], id, session) { _ in [event] }
        }
        for one in news {
            tenant.outbox.watch.add(one.eventType) { event, id, session in
                try witness.watch(one.apis, id, session) { try one.changes(event, $0) }
            }
        }
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        if resources.isEmpty { return [] }
        let fanOut = HubFanOut(tenant: tenant, resources: resources, clients: clients)
        return [fanOut.handler, KeptUpkeep(tenant: tenant, resources: resources).handler] + news.map { $0.handler(fanOut) }
    }

    package func background(_ tenant: Tenant) -> [BackgroundWork] {
        let runner = HubRunner(tenant: tenant, resources: resources, clients: clients, settings: settings)
        return [
            BackgroundWork(
                name: "hub", run: { await runner.run(pollMilliseconds: $0, failed: $1) },
                drain: { try await runner.drain() })
        ]
    }

    package var schedules: [Schedule] {
        [
            Schedule(name: "tmf.hub.purge", jobKind: "tmf.hub.purge", everySeconds: 3_600),
            Schedule(name: KeptUpkeep.job, jobKind: KeptUpkeep.job, everySeconds: 86_400),
        ]
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] {
        let settings = settings
        return [
            JobHandler(kind: "tmf.hub.purge") { _ in
                let now = tenant.clock.now()
                try await tenant.database.write { session in
                    let before = now.adding(days: -settings.keepDays)
                    try session.execute(HubStore.forget, [.int(GrowthMonth.firstID(at: before))])
                    try HubLast.sweep(now, settings, session)
                    try session.execute(
                        HubStore.pullBack,
                        [
                            .time(now), .time(now.adding(seconds: settings.retryMaxSeconds * 2)),
                            .time(now.adding(seconds: settings.leaseSeconds)),
                        ])
                }
                return nil
            },
            JobHandler(kind: KeptUpkeep.job) { _ in
                try await KeptUpkeep(tenant: tenant, resources: resources).sweep()
                return nil
            },
        ]
    }

    package var navigation: [NavigationEntry] {
        [NavigationEntry(key: "nav.hub", icon: "bell", path: "/hub", permission: HubPermission.view, order: 69)]
    }
}

enum HubTables {
    static let labels: [TableLabels] = [
        TableLabels.plain(
            "tmf_hub",
            [
                "id", "api", "client", "callback", "query", "same", "salt", "origin", "state", "created_at", "resumed_at",
                "failures", "due_at", "lease_owner", "lease_until", "version",
            ]),
        TableLabels.plain(
            "tmf_hub_delivery",
            [
                "id", "subscription_id", "event_id", "correlation_id", "event_type", "kind", "resource", "resource_id", "field",
                "event_at", "queued_at", "state", "attempts", "tried_at", "answer", "reason", "ended_at", "seen_with",
            ]),
        TableLabels.plain("tmf_hub_told", ["subscription_id", "resource", "resource_id"]),
        TableLabels(
            "tmf_hub_last",
            [
                "subscription_id": .plain, "resource": .plain, "resource_id": .plain, "document": .profile, "meets": .plain, "rights": .plain,
                "pending": .plain, "kept_at": .plain, "keep_until": .plain,
            ]),
        TableLabels.plain("tmf_hub_last_named", ["named_id", "subscription_id", "resource", "resource_id"]),
        TableLabels(
            "tmf_hub_seen",
            [
                "event_id": .plain, "subscription_id": .plain, "resource": .plain, "resource_id": .plain, "document": .profile,
                "meets": .plain, "rights": .plain, "keep_until": .plain,
            ]),
        TableLabels.plain("tmf_hub_seen_named", ["named_id", "event_id", "subscription_id", "resource", "resource_id"]),
    ]
    static let layouts = TableLayout.all(
        ["tmf_hub", "tmf_hub_delivery", "tmf_hub_told", "tmf_hub_last", "tmf_hub_last_named", "tmf_hub_seen", "tmf_hub_seen_named"], .local)
}

/// Forgets what is kept of resources whose rows are gone. A domain that removes its rows itself may leave this to it.
struct KeptUpkeep: Sendable {
    static let job = "tmf.kept.sweep"
    static let page: SQL = "SELECT id FROM tmf_kept WHERE resource = $1 AND id > $2 ORDER BY id LIMIT $3"
    /// The other domains remove what they have of a customer with the same event, some of them later than this one.
    static let waitSeconds: Int64 = 60

    let tenant: Tenant
    let resources: [TMFResource]

    var handler: EventHandler {
        let upkeep = self
        return EventHandler(name: "tmf.kept", CustomersChanged.self) { event, session in
            guard event.kind == .removed else { return }
            // By a program's word the customer goes and the person stays.
            if event.program == nil { try HubLast.erase(event.ids.map(\.rawValue), session) }
            // The customers themselves are gone by now. What others have of them goes when they have heard of it.
            for resource in upkeep.resources {
                for ids in event.ids.map(\.rawValue).chunked(Limits.sqlListChunk) {
                    try upkeep.forget(ids, resource, session)
                }
            }
            // An import that is taken back removes many, with an event for each few hundred.
            let last = try upkeep.tenant.jobs.recent(kind: Self.job, limit: 1, session).first
            if last?.status == .queued { return }
            try upkeep.tenant.jobs.enqueue(
                Self.job, payload: "{}", by: "schedule", runAt: upkeep.tenant.clock.now().adding(seconds: Self.waitSeconds), session)
        }
    }

    /// Looks at everything that is kept, a page a transaction.
    func sweep() async throws {
        for resource in resources {
            var after: Int64 = 0
            while true {
                let (from, name) = (after, resource.kept)
                let last = try await tenant.database.write { session -> Int64? in
                    let ids = try session.query(
                        Self.page, [.text(name), .int(from), .int(Limits.sqlListChunk)]) { $0.int(0) }
                    guard let last = ids.last else { return nil }
                    try forget(ids, resource, session)
                    // Of what was kept before there was an index.
                    try TMFKeptStore.index(
                        try TMFKeptStore.of(name, ids, session), name, paths: resource.store(tenant).table.keptPaths, session)
                    return last
                }
                guard let last else { break }
                after = last
            }
        }
    }

    /// Forgets what is kept of those of these that have no row.
    private func forget(_ ids: [Int64], _ resource: TMFResource, _ session: any SQLSession) throws {
        let table = resource.store(tenant).table
        var query = SQLBuilder("SELECT \(table.id) FROM \(table.from) WHERE TRUE")
        query.append("AND")
        query.appendIn(table.id, ids.map { .int($0) })
        let there = Set(try session.query(query) { $0.int(0) })
        try TMFKeptStore.remove(resource.kept, ids.filter { !there.contains($0) }, session)
    }
}
