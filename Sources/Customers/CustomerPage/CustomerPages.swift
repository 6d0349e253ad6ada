import Kernel
import Logging
import Platform
import Storage
import Web

/// The customer page: one head and the panels of all modules, read on one snapshot.
package enum CustomerPages {
    /// - Parameters:
    ///   - timeline: what other domains add to the timeline.
    ///   - rating: what months of use come to; `nil` = nobody rates them.
    ///   - panels: of all modules; App collects them.
    package static func endpoints(
        timeline sources: [any TimelineSource] = [], rating: (any MonthRating)? = nil,
        panels: @escaping @Sendable (Tenant) -> [CustomerPanel]
    ) -> [Endpoint] {
        let view = CustomerPermissions.view
        return [
            Endpoint(.get, "/customers/{id}", .permission(view), trace: .view) {
                try await page($0, panels($0.tenant))
            },
            Endpoint(.get, "/customers/{id}/subscriptions", .permission(view), trace: .view, handler: subscriptions),
            Endpoint(.get, "/customers/{id}/charges", .permission(view), trace: .view, handler: charges),
            Endpoint(.get, "/customers/{id}/usage", .permission(view), trace: .view) {
                try await UsageYearPage.page($0, rating)
            },
            Endpoint(.get, "/customers/{id}/timeline", .permission(view), trace: .view) {
                try await timeline($0, sources)
            },
        ]
    }

    /// What a page of a customer reads in one snapshot.
    private struct Loaded: Sendable {
        let ids: [CustomerID]
        let head: PageHeadView
        let panels: [Shown]
    }

    private struct Shown: Sendable {
        let name: String
        let title: String
        let place: CustomerPanel.Place
        /// `nil` = could not be loaded.
        let content: PanelContent?
    }

    private static func page(_ call: Call, _ panels: [CustomerPanel]) async throws -> WebResponse {
        let asked: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let permitted = panels.filter { principal.may($0.permission) }.sorted {
            ($0.order, $0.name) < ($1.order, $1.name)
        }
        let empty = try call.panelRequest()
        let logger = call.tenant.logger
        let today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        var broken: Set<String> = []
        var read: Loaded?
        while read == nil {
            do {
                read = try await call.read { [broken] session in
                    try session.keepPlans()
                    let ids = try reachable(asked, principal, session)
                    return try load(ids, permitted, without: broken, empty.about(ids), today, logger, session)
                }
            } catch let failed as BrokenPanel {
                broken.insert(failed.name)
            }
        }
        guard let loaded = read else { throw CRMError.notFound }
        // The event becomes durable while the page is written; without it nothing leaves.
        async let recorded: Void = record(call, loaded)
        var view = loaded.head.view.merging(
            JoinedNotice.view(loaded.head.golden, empty.about(loaded.ids), zone: call.tenant.timeZoneOffsetMinutes))
        view["main"] = .list(loaded.panels.filter { $0.place == .main }.map { card($0, call) })
        view["side"] = .list(loaded.panels.filter { $0.place == .side }.map { card($0, call) })
        view["mayEdit"] = .bool(principal.may(CustomerPermissions.edit))
        view["pairPath"] = .text(
            principal.may(CustomerPermissions.decidePairs) ? "/customers/\(asked)/duplicates" : nil)
        view["lineagePath"] = .text(PanelParts.lineage(asked, principal))
        let page = call.page("customers/customer-page", title: loaded.head.title, active: "/customers", view)
        try await recorded
        return page
    }

    /// A statement of this panel failed, and on PostgreSQL the snapshot with it: the page is read again without the panel.
    private struct BrokenPanel: Error { let name: String }

    /// The head and all panels ask before anybody waits: few round trips, however many statements. One domain's trouble
    /// does not take the whole page away.
    private static func load(
        _ ids: [CustomerID], _ panels: [CustomerPanel], without broken: Set<String>, _ request: PanelRequest,
        _ today: LocalDate, _ logger: Logger, _ session: any SQLSession
    ) throws -> Loaded {
        let asked = try PageHeadView.asking(request, today: today, session)
        func empty(_ panel: CustomerPanel) -> Shown? {
            Shown(name: panel.name, title: panel.title, place: panel.place, content: nil)
        }
        func failed(_ panel: CustomerPanel, _ error: any Error) throws -> Shown? {
            logger.error("panel.failed", metadata: ["panel": "\(panel.name)", "error": "\(type(of: error))"])
            if error is StorageError { throw BrokenPanel(name: panel.name) }
            return empty(panel)
        }
        let begun = try panels.map { panel -> Staged<Shown?> in
            guard !broken.contains(panel.name) else { return .done(empty(panel)) }
            do {
                return try panel.begin(request, session).map { content in
                    content.map { Shown(name: panel.name, title: panel.title, place: panel.place, content: $0) }
                }
            } catch {
                return .done(try failed(panel, error))
            }
        }
        guard let head = try asked.value() else { throw CRMError.notFound }
        let shown = try Staged.finish(begun) { try failed(panels[$0], $1) }
        return Loaded(ids: ids, head: head, panels: shown.compactMap { $0 })
    }

    private static func card(_ shown: Shown, _ call: Call) -> View {
        var view = shown.content?.view ?? [:]
        view["name"] = .text(shown.name)
        view["title"] = .text(call.text(shown.title))
        view["template"] = .text(shown.content?.template ?? "customers/panel-failed")
        return view
    }

    /// One event a page: who is shown, and which fields without a mask.
    private static func record(_ call: Call, _ loaded: Loaded) async throws {
        var unmasked = loaded.head.unmasked
        for name in loaded.panels.flatMap({ $0.content?.unmasked ?? [] }) where !unmasked.contains(name) {
            unmasked.append(name)
        }
        var subjects = loaded.ids
        for other in loaded.panels.flatMap({ $0.content?.others ?? [] }) where !subjects.contains(other) {
            subjects.append(other)
        }
        try await call.recordView(
            AuditEntry(
                "customers.customer.view", subjects.map { .customer($0) },
                facts: ["panels": .array(loaded.panels.map { .string($0.name) })], unmasked: unmasked))
    }

    /// The records shown as one, the surviving one first; those outside the caller's scope are left out.
    /// - Throws: `CRMError.notFound` for an unknown customer and for one outside the scope alike.
    static func reachable(_ id: CustomerID, _ principal: Principal, _ session: any SQLSession) throws -> [CustomerID] {
        // Most are linked with nobody: whether the one is in scope is asked along with its links.
        let alone = try CustomerScope.asking([id], principal, session)
        let linked = try PageStore.linked(id, session)
        let allowed =
            linked == [id] ? try alone.value() : try CustomerScope.reachable(linked, principal, session)
        guard allowed.contains(id) else { throw CRMError.notFound }
        return linked.filter { allowed.contains($0) }
    }

    // MARK: Pages of their own for what grows

    private static func subscriptions(_ call: Call) async throws -> WebResponse {
        let asked: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let after = call.request.query["after"].flatMap { SubscriptionID($0) }
        let empty = try call.panelRequest()
        let today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        let (head, ids, part, total) = try await call.read { session in
            let ids = try reachable(asked, principal, session)
            let request = empty.about(ids)
            guard let head = try PageHeadView.load(request, today: today, session) else { throw CRMError.notFound }
            let part = try SubscriptionsPanel.part(
                request, today: today, after: after, limit: Limits.pageSize, session
            ).finished()
            return (head, ids, part, try SubscriptionsPanel.count(ids, session))
        }
        try await call.recordView(
            AuditEntry(
                "customers.subscription.view", ids.map { .customer($0) }, unmasked: head.nameUnmasked + part.unmasked))
        let path = "/customers/\(asked)/subscriptions"
        return call.page(
            "customers/customer-page-subscriptions", title: head.title, active: "/customers",
            [
                "name": .text(head.title), "customer": .text("/customers/\(asked)"), "lines": .list(part.views),
                "isEmpty": .bool(part.views.isEmpty), "total": .text(PanelParts.count(total)), "more": .absent,
                "first": .text(after == nil ? nil : path), "next": .text(part.next.map { "\(path)?after=\($0)" }),
            ])
    }

    private static func charges(_ call: Call) async throws -> WebResponse {
        let asked: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let after = call.request.query["after"].flatMap { Int64($0) }
        let empty = try call.panelRequest()
        let today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        let (head, ids, rows) = try await call.read { session in
            let ids = try reachable(asked, principal, session)
            guard let head = try PageHeadView.load(empty.about(ids), today: today, session) else {
                throw CRMError.notFound
            }
            let rows = try ChargesPanel.charges(
                ids, since: LocalDate(daysSinceEpoch: 0), after: after, limit: Limits.pageSize + 1, session
            ).value()
            return (head, ids, rows)
        }
        try await call.recordView(
            AuditEntry("customers.charge.view", ids.map { .customer($0) }, unmasked: head.nameUnmasked))
        let path = "/customers/\(asked)/charges"
        let lineage = PanelParts.lineage(asked, try call.principal())
        let shown = rows.prefix(Limits.pageSize)
        return call.page(
            "customers/customer-page-charges", title: head.title, active: "/customers",
            [
                "name": .text(head.title), "customer": .text("/customers/\(asked)"), "hasRows": .bool(!rows.isEmpty),
                "rows": .list(shown.map { ChargesPanel.view($0, today, call.language, lineage) }),
                "first": .text(after == nil ? nil : path),
                "next": .text(rows.count > shown.count ? shown.last.map { "\(path)?after=\($0.id)" } : nil),
            ])
    }

    private static func timeline(_ call: Call, _ sources: [any TimelineSource]) async throws -> WebResponse {
        let asked: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let kind = call.request.query["show"].flatMap { name in
            TimelinePanel.kinds(sources).first { $0.name == name }
        }
        let before = call.request.query["before"].flatMap { TimelineReader.Cursor($0) }
        let empty = try call.panelRequest()
        let zone = call.tenant.timeZoneOffsetMinutes
        let today = call.tenant.clock.now().date(offsetMinutes: zone)
        let (head, ids, page, kinds) = try await call.read { session in
            let ids = try reachable(asked, principal, session)
            let request = empty.about(ids)
            guard let head = try PageHeadView.load(request, today: today, session) else { throw CRMError.notFound }
            let reader = TimelineReader(
                request: request, today: today, zone: zone, others: sources, session: session)
            let page = try reader.page(kind, before: before, limit: Limits.pageSize)
            return (head, ids, page, try reader.kinds())
        }
        try await call.recordView(
            AuditEntry(
                "customers.timeline.view", ids.map { .customer($0) }, unmasked: head.nameUnmasked + page.unmasked))
        var view = TimelinePanel.view(page.events)
        let path = "/customers/\(asked)/timeline"
        let show = kind.map { "show=\($0.name)" }
        view["name"] = .text(head.title)
        view["customer"] = .text("/customers/\(asked)")
        view["all"] = .text(path)
        view["isAll"] = .bool(kind == nil)
        view["chips"] = .list(TimelinePanel.chips(asked, chosen: kind, kinds, call.language))
        view["more"] = .absent
        view["first"] = .text(before == nil ? nil : path + (show.map { "?" + $0 } ?? ""))
        view["next"] = .text(page.next.map { "\(path)?\(show.map { $0 + "&" } ?? "")before=\($0.text)" })
        return call.page("customers/customer-page-timeline", title: head.title, active: "/customers", view)
    }
}

extension PanelRequest {
    /// The same request about these customers.
    func about(_ customers: [CustomerID]) -> PanelRequest {
        PanelRequest(
            customers: customers, principal: principal, masking: masking, language: language, now: now, assets: assets)
    }
}
