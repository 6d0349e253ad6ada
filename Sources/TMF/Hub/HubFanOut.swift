import Kernel
import Platform
import Storage
import Web

/// Puts what happened into the queue of each subscription that has asked for it and whose client may see it.
struct HubFanOut: Sendable {
    let tenant: Tenant
    let resources: [TMFResource]
    let clients: HubClients

    var handler: EventHandler {
        let fanOut = self
        return EventHandler(name: "tmf.hub", TMFChanged.self, identified: { event, id, session in
            try fanOut.take([event], id, session)
        })
    }

    /// Whether anybody has asked to be told of one of these interfaces.
    func isWanted(_ apis: [Int], _ session: any SQLSession) throws -> Bool {
        for api in apis where try !session.query(HubStore.ofAPI, [.int(api)], HubStore.subscription).isEmpty { return true }
        return false
    }

    /// - Parameter event: of the outbox, in whose transaction it happened.
    func take(_ events: [TMFChanged], _ event: EventID, _ session: any SQLSession) throws {
        var hasQueued = false
        for group in Dictionary(grouping: events, by: \.api).sorted(by: { $0.key < $1.key }) {
            let subscriptions = try session.query(HubStore.ofAPI, [.int(group.key)], HubStore.subscription)
            guard !subscriptions.isEmpty else { continue }
            let told = group.value.map { event in
                Told(event: event, ids: event.kinds.map { _ in tenant.ids.next(HubDeliveryKind.self).rawValue })
            }
            let seen = try HubSeen.of(event, session)
            for subscription in subscriptions {
                let isTold = try tell(told, subscription, event, seen[subscription.id] ?? [:], session)
                try hear(told, subscription, session)
                try HubSeen.settle(event, subscription.id, told.map(\.event), seen[subscription.id] ?? [:], session)
                guard isTold else { continue }
                hasQueued = true
                try session.execute(HubStore.wake, [.id(subscription.id), .time(tenant.clock.now())])
            }
        }
        if hasQueued {
            let wake = tenant.wake
            session.afterCommit { wake.signal() }
        }
    }

    /// - Returns: whether anything was queued for a subscription.
    private func tell(
        _ told: [Told], _ subscription: HubSubscription, _ event: EventID, _ seen: HubSeen.Kept, _ session: any SQLSession
    ) throws -> Bool {
        let all = subscription.offered(resources)
        guard let principal = try clients.principal(subscription.client, tenant, session) else { return false }
        var isTold = false
        for (name, own) in Dictionary(grouping: told, by: \.event.resource).sorted(by: { $0.key < $1.key }) {
            guard let resource = all.first(where: { $0.name == name }), resource.may(principal),
                // What was good when it was asked for may mean nothing after an upgrade; then nothing is told.
                let query = try? HubQuery.read(subscription.query, all)[name]
            else { continue }
            for chunk in own.chunked(Limits.sqlListChunk) {
                let one = Lane(
                    subscription: subscription, resource: resource, query: query, principal: principal, outbox: event,
                    seen: seen[name] ?? [:])
                if try queue(Array(chunk), one, session) { isTold = true }
            }
        }
        return isTold
    }

    /// Of what was removed no more than what is queued now will be told.
    private func hear(_ told: [Told], _ subscription: HubSubscription, _ session: any SQLSession) throws {
        let removed = told.map(\.event).filter { $0.kinds.contains(.removed) }
        for (name, own) in Dictionary(grouping: removed, by: \.resource) {
            for chunk in own.map(\.id).chunked(Limits.sqlListChunk) {
                for id in try HubLast.of(subscription.id, name, Array(chunk), session).keys.sorted() {
                    try HubLast.heard([.id(subscription.id), .text(name), .int(id)], session)
                }
            }
        }
    }

    /// What happened, with the ids of its events: the same to all who are told.
    private struct Told {
        let event: TMFChanged
        let ids: [Int64]
    }

    private struct Lane {
        let subscription: HubSubscription
        let resource: TMFResource
        let query: HubQuery
        let principal: Principal
        let outbox: EventID
        /// What was seen of resources when it happened.
        let seen: [Int64: HubSeen]
    }

    /// - Returns: whether anything was queued.
    private func queue(_ told: [Told], _ lane: Lane, _ session: any SQLSession) throws -> Bool {
        let (subscription, resource) = (lane.subscription, lane.resource)
        let (now, at) = (tenant.clock.now(), lane.outbox.madeAt)
        let rights = HubLast.rights(lane.principal)
        // What was seen with other rights than those of now is as what was never seen.
        let seen = lane.seen.filter { $0.value.rights == rights }
        let isPartial = lane.query.looksInside || lane.principal.scope.regions != nil
        let desk = TMFDesk(resource: resource, tenant: tenant, origin: subscription.origin)
        let there = told.map(\.event).filter { !$0.kinds.contains(.removed) && seen[$0.id] == nil }.map(\.id)
        let documents = try desk.documents(Set(there).sorted(), lane.principal, session)
        let gone = told.map(\.event).filter { documents[$0.id] == nil && ($0.kinds.contains(.removed) || seen[$0.id] == nil) }.map(\.id)
        let kept = try HubLast.of(subscription.id, resource.name, Set(gone).sorted(), session).filter { $0.value.rights == rights }
        var rows: [[SQLValue]] = []
        for one in told {
            let event = one.event
            let key: [SQLValue] = [.id(subscription.id), .text(resource.name), .int(event.id)]
            if event.kinds.contains(.removed) {
                // Without its last document it can be neither looked into nor told to be in reach: who was told of it before is.
                let wasTold = try session.execute(HubStore.untell, key) > 0
                if isPartial, !wasTold, kept[event.id] == nil { continue }
            } else {
                // Neither there nor kept: gone, or out of this client's reach.
                let now = try seen[event.id]?.meets ?? documents[event.id].map(lane.query.meets(document:))
                guard now ?? kept[event.id]?.meets ?? false else { continue }
                if isPartial { try session.execute(HubStore.tell, key) }
            }
            let correlation = one.ids.first ?? 0
            let field = event.attributes.count == 1 ? event.attributes[0] : ""
            for (id, kind) in zip(one.ids, event.kinds) {
                let envelope = HubEvent.envelope(resource, event: id, correlation: correlation, kind, field: field, at: at)
                guard lane.query.meets(envelope: envelope) else { continue }
                rows.append([
                    .id(tenant.ids.next(HubDeliveryKind.self)), .id(subscription.id), .int(id), .int(correlation),
                    .text(HubNames.name(resource.type, kind)), .text(kind.rawValue), .text(resource.name),
                    .int(event.id), .text(kind == .changed ? field : ""), .time(at), .time(now),
                    .int(kind != .removed && seen[event.id] != nil ? lane.outbox.rawValue : 0),
                ])
            }
        }
        try session.executeMany(HubStore.queue, rows)
        return !rows.isEmpty
    }
}

extension TMFDesk {
    /// The document; `nil` = gone, or out of reach.
    func known(_ id: Int64, _ principal: Principal, _ session: any SQLSession) throws -> JSONObject? {
        do { return try document(id, principal, session) } catch let error as CRMError where error.status == 404 {
            return nil
        }
    }
}
