import Kernel
import Platform
import Storage
import Web

/// The customer list, its export and its bulk actions.
enum CustomerListPages {
    static func endpoints() -> [Endpoint] {
        let view = Route.Access.permission(CustomerPermissions.view)
        return [
            Endpoint(.get, "/customers", view, trace: .view, handler: list),
            Endpoint(
                .post, "/customers/export", .permission(CustomerPermissions.export), body: .form(selectionFields),
                trace: .view, purpose: .analysis, handler: export),
            Endpoint(
                .post, "/customers/segment", .permission(CustomerPermissions.edit), body: .form(selectionFields),
                trace: .change, effect: .acts, handler: segment),
            Endpoint(
                .post, "/customers/views", view, body: .form(["name", "shared", "filter"]), trace: .change,
                effect: .adds, handler: SavedViews.create),
            Endpoint(
                .post, "/customers/views/{id}/removal", view, body: .form([]), trace: .change,
                effect: .acts, handler: SavedViews.remove),
        ]
    }

    private static let selectionFields = ["id", "scope", "filter", "segment", "return"]

    /// What the page needs, read on one snapshot.
    private struct Loaded: Sendable {
        let filter: CustomerFilter
        let active: SavedViewID?
        let count: Int?
        let page: CustomerListPage
        let views: [SavedView]
        let regions: [String]
        let plans: [String]
        let segments: [String]
    }

    static func list(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let masking = try call.masking()
        let query = call.request.query
        let request = try call.panelRequest()
        let today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        let cache = DashboardCache.of(call.tenant)
        let loaded = try await call.readRecent { session in
            let active = query["view"].flatMap { SavedViewID($0) }
            let asked =
                try active.map { try SavedViews.view($0, principal, session).filter } ?? CustomerFilter(query.fields)
            let filter = asked.permitted(masking)
            let place: ListPlace =
                query["after"].flatMap { CustomerID($0) }.map { .after($0) }
                ?? query["before"].flatMap { CustomerID($0) }.map { .before($0) } ?? .start
            let count = try count(filter, principal, request, today, cache, session)
            let page = try CustomerListing.page(
                filter, place, limit: Limits.pageSize, many: (count ?? .max) > 2_000, masking: masking, principal,
                session)
            let regions = try ListFacets.values(ListFacets.regions, session)
            return Loaded(
                filter: filter, active: active, count: count, page: page,
                views: try SavedViews.all(principal, session),
                regions: principal.scope.regions.map { scope in regions.filter(scope.contains) } ?? regions,
                plans: try ListFacets.values(ListFacets.plans, session),
                segments: try ListFacets.values(ListFacets.segments, session))
        }
        try await call.recordView(
            AuditEntry(
                "customers.list.view", loaded.page.lines.map { .customer($0.id) },
                facts: ["filter": .string(loaded.filter.query)], unmasked: unmasked(masking)))
        return call.page(
            "customers/customer-list", title: call.text("customers.title"), active: "/customers",
            view(loaded, principal, masking, call))
    }

    /// How many there are. Of everybody PostgreSQL counts each one: a number that took long is kept for a while.
    private static func count(
        _ filter: CustomerFilter, _ principal: Principal, _ request: PanelRequest, _ today: LocalDate,
        _ cache: DashboardCache, _ session: any SQLSession
    ) throws -> Int? {
        let count = { try CustomerListing.count(filter, principal, session) }
        guard filter.isEmpty, principal.scope.regions == nil else { return try count() }
        return try cache.figure("customers.count", request, today: today, count)
    }

    /// Personal fields the list shows whole to this principal.
    private static func unmasked(_ masking: Masking) -> [String] {
        (masking.names ? ["name"] : []) + (masking.contacts ? ["phone"] : [])
    }

    // MARK: Selection

    /// The customers a bulk action is about: those ticked, or all that match the list's filter.
    private static func selection(_ call: Call, _ principal: Principal) async throws -> [CustomerID] {
        if call.form["scope"] == "matching" {
            let filter = CustomerFilter(try Form.parse(call.form["filter"] ?? "").fields)
            let ids = try await call.read { session in
                try CustomerListing.ids(filter, limit: Limits.bulkSelectionMax + 1, principal, session)
            }
            guard ids.count <= Limits.bulkSelectionMax else {
                throw CRMError(
                    "selection_too_large", status: 422,
                    Words(
                        en: "At most \(Limits.bulkSelectionMax) customers can be selected at once; narrow the filter.",
                        zh: "一次最多选择 \(Limits.bulkSelectionMax) 位客户，请缩小筛选范围。"))
            }
            return ids
        }
        return call.form.all("id").prefix(Limits.bulkSelectionMax).compactMap { CustomerID($0) }
    }

    /// A CSV of the selection, masked as the list is.
    static func export(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let masking = try call.masking()
        let ids = try await selection(call, principal)
        let lines = try await call.read { try CustomerListing.lines(ids, masking: masking, principal, $0) }
        try await call.recordView(
            AuditEntry(
                "customers.list.export", lines.map { .customer($0.id) },
                facts: ["customers": .int(Int64(lines.count))], unmasked: unmasked(masking)))
        guard !lines.isEmpty else { return back(call).flash("customers.selection.empty") }
        let words = CustomerListWords(call)
        var csv = ListCSV()
        csv.append(words.columns)
        for line in lines { csv.append(words.cells(line)) }
        let day = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        return .download(
            WebResponse.text(csv.text).body, name: "customers-\(day).csv", type: "text/csv; charset=utf-8")
    }

    static func segment(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let segment = try call.form.optionalText("segment", max: 60)
        let ids = try await selection(call, principal)
        guard !ids.isEmpty else {
            try await call.recordView(AuditEntry("customers.customer.segment", facts: ["customers": .int(0)]))
            call.changesNothing()
            return back(call).flash("customers.selection.empty")
        }
        let store = CustomerStore(tenant: call.tenant)
        return try await call.change { session in
            var recorded = false
            _ = try store.setSegment(
                segment, for: ids, by: principal,
                record: { entry in
                    try call.record(entry, session)
                    recorded = true
                }, session)
            if !recorded {
                try call.record(AuditEntry("customers.customer.segment", facts: ["customers": .int(0)]), session)
            }
            return back(call).flash("customers.segment.done")
        }
    }

    private static func back(_ call: Call) -> WebResponse {
        .redirect(call.request.localReturn(call.form["return"], fallback: "/customers"))
    }

    // MARK: View

    private static func view(_ loaded: Loaded, _ principal: Principal, _ masking: Masking, _ call: Call) -> View {
        let words = CustomerListWords(call)
        let filter = loaded.filter
        let mayEdit = principal.may(CustomerPermissions.edit)
        let mayExport = principal.may(CustomerPermissions.export)
        var view: View = [
            "count": .text(
                loaded.count.map { PanelParts.count($0) } ?? "\(PanelParts.count(CustomerListing.countMax))+"),
            "countText": .text(loaded.count.map { String($0) } ?? ""),
            "filterQuery": .text(filter.query), "isFiltered": .bool(!filter.isEmpty),
            "filterCount": .text(filter.facets.isEmpty ? nil : String(filter.facets.count)),
            "returnPath": .text(filter.path()), "mayEdit": .bool(mayEdit), "mayExport": .bool(mayExport),
            "mayShare": .bool(principal.may(CustomerPermissions.shareViews)),
            "bulk": .bool(mayEdit || mayExport),
            "mayAttributes": .bool(principal.may(CustomerPermissions.manageAttributes)),
            "sort": .text(filter.sort != .created || !filter.descending ? filter.sortText : nil),
            "any": .bool(!loaded.page.lines.isEmpty),
            "allActive": .bool(filter == CustomerFilter() && loaded.active == nil),
            "views": .list(loaded.views.map { savedView($0, active: loaded.active, principal) }),
            "selects": .list(selects(loaded, words)),
            "chips": .list(
                CustomerFilter.Facet.allCases.compactMap { facet in
                    guard let value = filter.facets[facet] else { return nil }
                    let label = "\(words.facet(facet)): \(words.value(facet, value))"
                    return ["label": .text(label), "path": .text(filter.without(facet).path())]
                }),
            "rows": .list(loaded.page.lines.map { words.row($0) }),
            "next": .text(loaded.page.next.map { path(loaded, ("after", $0.description)) }),
            "previous": .text(loaded.page.previous.map { path(loaded, ("before", $0.description)) }),
        ]
        for sort in CustomerFilter.Sort.allCases {
            let offered = sort != .name || masking.names
            view["sort_" + sort.rawValue] = .text(offered ? filter.sorted(by: sort).path() : nil)
            view["aria_" + sort.rawValue] =
                filter.sort == sort ? .text(filter.descending ? "descending" : "ascending") : .absent
        }
        return view
    }

    private static func path(_ loaded: Loaded, _ cursor: (name: String, value: String)) -> String {
        guard let active = loaded.active else { return loaded.filter.path([cursor]) }
        return "/customers?" + Form([("view", active.description), cursor]).encoded
    }

    private static func savedView(_ saved: SavedView, active: SavedViewID?, _ principal: Principal) -> View {
        let mine = saved.owner == principal.userID
        return [
            "id": .text(saved.id.description), "name": .text(saved.name), "active": .bool(saved.id == active),
            "shared": .bool(saved.shared),
            "removable": .bool(
                saved.id == active && (mine || (saved.shared && principal.may(CustomerPermissions.shareViews)))),
        ]
    }

    private static func selects(_ loaded: Loaded, _ words: CustomerListWords) -> [View] {
        let choices: [(CustomerFilter.Facet, [String])] = [
            (.band, RiskBand.allCases.map(\.rawValue)), (.status, CustomerStatus.allCases.map(\.rawValue)),
            (.tier, ValueTier.allCases.map(\.rawValue)), (.region, loaded.regions), (.plan, loaded.plans),
            (.segment, loaded.segments), (.kind, CustomerKind.allCases.map(\.rawValue)),
            (.service, ServiceCode.allCases.map(\.rawValue)), (.reason, LeaveReason.allCases.map(\.rawValue)),
        ]
        return choices.compactMap { facet, values in
            let chosen = loaded.filter.facets[facet]
            // A filter without anything to choose only takes room.
            guard !values.isEmpty || chosen != nil else { return nil }
            let all = chosen.map { values.contains($0) ? values : values + [$0] } ?? values
            return [
                "name": .text(facet.rawValue), "label": .text(words.facet(facet)),
                "options": .list(
                    all.map { value in
                        [
                            "value": .text(value), "label": .text(words.value(facet, value)),
                            "selected": .bool(value == chosen),
                        ]
                    }),
            ]
        }
    }
}
