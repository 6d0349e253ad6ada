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
        return EventHandler(name: "tmf.hub", TMFChanged.self) { event, at, session in
            try fanOut.take(event, at, session)
        }
    }

    func take(_ event: TMFChanged, _ at: Instant, _ session: any SQLSession) throws {
        let all = resources.filter { $0.api.number == event.api }
        guard let resource = all.first(where: { $0.name == event.resource }) else { return }
        let subscriptions = try session.query(HubStore.ofAPI, [.int(event.api)], HubStore.subscription)
        guard !subscriptions.isEmpty else { return }
        let now = tenant.clock.now()
        let events = event.kinds.map { kind -> (id: Int64, kind: TMFChanged.Kind) in
            (tenant.ids.next(HubDeliveryKind.self).rawValue, kind)
        }
        let correlation = events.first?.id ?? 0
        let field = event.attributes.count == 1 ? event.attributes[0] : ""
        var hasQueued = false
        for subscription in subscriptions {
            guard let principal = try clients.principal(subscription.client, tenant, session), resource.may(principal),
                // What was good when it was asked for may mean nothing after an upgrade; then nothing is told.
                let query = try? HubQuery.read(subscription.query, all)[resource.name]
            else { continue }
            let isRemoval = event.kinds.contains(.removed)
            let isPartial = query.looksInside || principal.scope.regions != nil
            let key: [SQLValue] = [.id(subscription.id), .text(resource.name), .int(event.id)]
            if isRemoval {
                // A document that is gone can be neither looked into nor told to be in reach: who was told of it before is.
                let wasTold = try session.execute(HubStore.untell, key) > 0
                if isPartial, !wasTold { continue }
            } else {
                let desk = TMFDesk(resource: resource, tenant: tenant, origin: subscription.origin)
                // Gone, or out of this client's reach.
                guard let document = try desk.known(event.id, principal, session), query.meets(document: document) else {
                    continue
                }
                if isPartial { try session.execute(HubStore.tell, key) }
            }
            var isTold = false
            for (id, kind) in events {
                let envelope = HubEvent.envelope(
                    resource, event: id, correlation: correlation, kind, field: field, at: at)
                guard query.meets(envelope: envelope) else { continue }
                isTold = true
                try session.execute(
                    HubStore.queue,
                    [
                        .id(tenant.ids.next(HubDeliveryKind.self)), .id(subscription.id), .int(id), .int(correlation),
                        .text(HubNames.name(resource.type, kind)), .text(kind.rawValue), .text(resource.name),
                        .int(event.id), .text(kind == .changed ? field : ""), .time(at), .time(now),
                    ])
            }
            guard isTold else { continue }
            hasQueued = true
            try session.execute(HubStore.wake, [.id(subscription.id), .time(now)])
        }
        if hasQueued {
            let wake = tenant.wake
            session.afterCommit { wake.signal() }
        }
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
