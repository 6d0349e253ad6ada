import Contracts
import Kernel
import Platform
import Storage
import Web

/// Whom to call this week, and what came of it.
struct RiskPages: Sendable {
    let customers: any CustomerReading
    let masks: ColumnMasks
    let titles: TitleCache
    /// Reasons shown in a row.
    private static let reasonsInRow = 3

    func endpoints() -> [Endpoint] {
        [
            Endpoint(.get, "/risk", .permission(InsightsPermissions.riskView), trace: .view, purpose: .retention) {
                try await list($0)
            },
            Endpoint(
                .post, "/risk/{id}/contact", .permission(InsightsPermissions.riskWork),
                body: .form(["revision", "outcome", "note", "return"]), trace: .change, purpose: .retention,
                effect: .overwrites
            ) { try await contact($0) },
        ]
    }

    static func week(_ tenant: Tenant) -> String {
        ISOWeek(tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)).description
    }

    // MARK: The list

    private struct Loaded: Sendable {
        let page: Page<RiskList.Entry>
        /// The bands that are shown, chosen or by the standard.
        let shown: BandChoice
        /// Customers in the bands that are not.
        let hidden: Int
        let summary: RiskSummary?
        let regions: [String]
        let progress: [ContactState: Int]
        /// The same of those at high or critical risk.
        let endangered: [ContactState: Int]
        let model: ModelRecord?
        let pass: ScoringPass?
        let wording: ReasonWording
    }

    private func list(_ call: Call) async throws -> WebResponse {
        let filter = try Self.filter(call.request.query)
        let after = try call.request.query["after"].map { text in
            guard let cursor = RiskList.Cursor(text) else { throw CRMError.notFound }
            return cursor
        }
        let week = Self.week(call.tenant)
        let loaded = try await load(filter, after: after, week: week, call)
        let masking = try call.masking()
        let rows = loaded.page.items.map { row($0, loaded, call) }
        try await call.recordView(
            AuditEntry(
                "insights.risk.view", loaded.page.items.map { .customer($0.card.id) },
                facts: [
                    "week": .string(week), "state": .string(filter.state.rawValue),
                    "band": .string(loaded.shown.code), "newly_critical": .bool(filter.newlyCritical),
                    "customers": .int(Int64(rows.count)),
                ],
                unmasked: (masking.names ? ["name"] : []) + (masking.contacts ? ["phone"] : [])
                    + Set(rows.flatMap(\.unmasked)).sorted()))
        let view = page(filter, loaded, week: week, call).merging(["rows": .list(rows.map(\.view))])
        return call.page("insights/risk-list", title: call.text("nav.risk"), active: "/risk", view)
    }

    private static func filter(_ query: Form) throws -> RiskFilter {
        var filter = RiskFilter()
        if let text = query["state"], !text.isEmpty {
            guard let state = ContactState(rawValue: text) else { throw CRMError.notFound }
            filter.state = state
        }
        if let text = query["band"], !text.isEmpty {
            guard let band = BandChoice(code: text) else { throw CRMError.notFound }
            filter.band = band
        }
        if let text = query["region"], !text.isEmpty { filter.region = String(text.prefix(Limits.searchTextMax)) }
        if let text = query["new"], !text.isEmpty {
            guard text == "1" else { throw CRMError.notFound }
            filter.newlyCritical = true
        }
        return filter
    }

    private func load(_ filter: RiskFilter, after: RiskList.Cursor?, week: String, _ call: Call) async throws -> Loaded
    {
        let principal = try call.principal()
        let masking = try call.masking()
        let language = call.language
        let tenant = call.tenant.name
        let (customers, masks, titles) = (customers, masks, titles)
        return try await call.readRecent { session in
            let summary = try RiskSummaryStore.latest(1, scope: principal.scope, session).first
            let counted = try filter.region.map { region in
                try RiskSummaryStore.latest(1, scope: principal.scope, region: region, session).first
            }
            // What was done is a short list; what is to be done begins with those worth a call.
            let shown = filter.band ?? (filter.state == .open ? BandChoice.standard(counted ?? summary) : .all)
            var asked = filter
            asked.band = shown
            let page = try RiskList(customers: customers).page(
                asked, after: after, limit: Limits.pageSize, week: week, for: principal, session)
            let columns = Set(page.items.flatMap { $0.score.reasons.raising.prefix(Self.reasonsInRow).map(\.column) })
            let model = try ModelStore.active(session)
            let newest = page.items.first?.score.model ?? model?.id
            let regions = try RiskSummaryStore.regions(session)
            return Loaded(
                page: page, shown: shown, hidden: (counted ?? summary)?.customers(outside: shown) ?? 0,
                summary: summary,
                regions: principal.scope.regions.map { scope in regions.filter { scope.contains($0) } } ?? regions,
                progress: try ContactPlanStore.progress(week: week, scope: principal.scope, session),
                endangered: try ContactPlanStore.progress(
                    week: week, scope: principal.scope, endangered: true, session),
                model: model,
                pass: try model.flatMap { try ScoringRunStore.last(model: $0.id, session) },
                wording: ReasonWording(
                    language: language, masking: masking, masks: try masks.masks(columns, session),
                    titles: try masks.titles(
                        columns, over: try newest.map { try titles.titles($0, tenant: tenant, session) } ?? [:], session
                    ))
            )
        }
    }

    private func page(_ filter: RiskFilter, _ loaded: Loaded, week: String, _ call: Call) -> View {
        let done = loaded.endangered[.done] ?? 0
        let skipped = loaded.endangered[.skipped] ?? 0
        let target = max(loaded.summary?.endangered ?? 0, done + skipped)
        let principal = try? call.principal()
        let hides = filter.state == .open && !filter.newlyCritical && loaded.hidden > 0
        // The next page is of the same bands, whatever a pass changes meanwhile.
        var same = filter
        same.band = loaded.shown
        var all = filter
        all.band = .all
        var more = same.query
        if let next = loaded.page.next { more.append(("after", next)) }
        var alert = filter
        alert.newlyCritical.toggle()
        // The same thresholds the training fixed: they follow from the share that left among those learned from.
        let bands = loaded.model.flatMap { model in
            model.labelled > 0 ? RiskBands(baseRate: Double(model.leavers) / Double(model.labelled)) : nil
        }
        return [
            "newlyCritical": .bool(filter.newlyCritical), "newPath": .text(Self.path(alert.query)),
            "hasBands": .bool(bands != nil), "baseRate": .text(bands.map { Figures.percent($0.baseRate) }),
            "mediumFrom": .text(bands.map { Figures.percent($0.medium, 0) }),
            "highFrom": .text(bands.map { Figures.percent($0.high, 0) }),
            "criticalFrom": .text(bands.map { Figures.percent($0.critical, 0) }),
            "week": .text(week), "hasScores": .bool(loaded.summary != nil), "noModel": .bool(loaded.model == nil),
            "none": .bool(loaded.page.items.isEmpty),
            "mayModels": .bool(
                principal?.may(InsightsPermissions.modelsView) ?? false),
            "mayWork": .bool(principal?.may(InsightsPermissions.riskWork) ?? false),
            "version": .text(loaded.model.map { String($0.version) }),
            "scoredAt": .text(loaded.pass.map { call.time($0.startedAt) }),
            "done": .text(Figures.count(done)), "skipped": .text(Figures.count(skipped)),
            "target": .text(Figures.count(target)), "targetMax": .int(max(1, target)),
            "handled": .int(done + skipped),
            "tiles": .list(tiles(filter, loaded.summary, loaded, call)),
            "tabs": .list(tabs(filter, loaded.progress, call)),
            "state": .text(filter.state == .open ? nil : filter.state.rawValue),
            "bands": .list(
                BandChoice.offered.map {
                    ["code": .text($0.code), "label": .text($0.label(call)), "selected": .bool($0 == loaded.shown)]
                }),
            "hidden": .text(hides ? Figures.count(loaded.hidden) : nil),
            "shown": .text(loaded.shown.label(call)), "allPath": .text(Self.path(all.query)),
            "regions": .list(loaded.regions.map { ["name": .text($0), "selected": .bool($0 == filter.region)] }),
            "hasRegions": .bool(!loaded.regions.isEmpty),
            "filtered": .bool(filter.band != nil || filter.region != nil || filter.newlyCritical),
            "clearPath": .text(Self.path(RiskFilter(state: filter.state).query)),
            "next": .text(loaded.page.next.map { _ in Self.path(more) }),
            "doneOutcomes": .list(Self.outcomes(ContactOutcome.done, call)),
            "skipOutcomes": .list(Self.outcomes(ContactOutcome.skipped, call)),
        ]
    }

    private static func path(_ query: [(String, String)]) -> String {
        query.isEmpty ? "/risk" : "/risk?" + Form(query.map { (name: $0.0, value: $0.1) }).encoded
    }

    private static func outcomes(_ codes: [ContactOutcome], _ call: Call) -> [View] {
        codes.map { ["code": .text($0.rawValue), "label": .text(call.text($0.key))] }
    }

    private func tiles(_ filter: RiskFilter, _ summary: RiskSummary?, _ loaded: Loaded, _ call: Call) -> [View] {
        let currency = loaded.page.items.first?.score.currency ?? call.tenant.currency
        return RiskBand.allCases.reversed().map { band in
            let totals = summary?.bands[band] ?? BandTotals()
            var next = filter
            next.band = .only(band)
            return [
                "band": .text(band.rawValue), "label": .text(band.label(call.language)),
                "customers": .text(Figures.count(totals.customers)),
                "share": .text(Figures.percent(summary?.share(band) ?? 0)),
                "loss": .text(Figures.money(totals.expectedLoss, currency)), "path": .text(Self.path(next.query)),
                "current": .bool(filter.band == .only(band)),
            ]
        }
    }

    private func tabs(_ filter: RiskFilter, _ progress: [ContactState: Int], _ call: Call) -> [View] {
        ContactState.allCases.map { state in
            var next = filter
            next.state = state
            return [
                "label": .text(call.text("insights.contact." + state.rawValue)), "path": .text(Self.path(next.query)),
                "current": .bool(filter.state == state),
                "count": .text(state == .open ? nil : Figures.count(progress[state] ?? 0)),
            ]
        }
    }

    private func row(_ entry: RiskList.Entry, _ loaded: Loaded, _ call: Call) -> (view: View, unmasked: [String]) {
        let score = entry.score
        let lines = score.reasons.raising.prefix(Self.reasonsInRow).map {
            loaded.wording.line($0, currency: score.currency)
        }
        let week = Self.week(call.tenant)
        let thisWeek = entry.last?.week == week
        // Free text names people: only for those who see names (G25).
        let note = loaded.wording.masking.names ? entry.last?.note : nil
        let view: View = [
            "id": .text(score.customer.description), "name": .text(entry.card.displayName),
            "revision": .text(ContactEntry.version(of: thisWeek ? entry.last : nil)),
            "place": .text(entry.card.region),
            "phone": .text(entry.card.phone), "band": .text(score.band.rawValue),
            "bandText": .text(score.band.label(call.language)),
            "probability": .text(Figures.decimal(score.probability, 2)),
            "hasValue": .bool(score.monthlyValue > 0),
            "value": .text(Figures.money(score.monthlyValue, score.currency)),
            "loss": .text(Figures.money(score.expectedLoss, score.currency)),
            "reasons": .list(lines.map { ["text": .text($0.text)] }), "hasReasons": .bool(!lines.isEmpty),
            "hasLast": .bool(entry.last != nil), "lastWeek": .text(entry.last?.week),
            "lastOutcome": .text(entry.last?.outcome.map { call.text($0.key) }),
            "lastBy": .text(entry.last?.actorName), "lastNote": .text(note), "handledNow": .bool(thisWeek),
        ]
        return (view, lines.compactMap(\.unmasked) + (note == nil ? [] : ["note"]))
    }

    // MARK: What came of it

    /// Sets the week's entry of a customer; `outcome=open` takes it back.
    private func contact(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let code = try call.form.text("outcome", max: 40)
        let outcome = ContactOutcome(rawValue: code)
        guard outcome != nil || code == ContactState.open.rawValue else {
            throw CRMError.invalid(
                "outcome", "unknown_outcome",
                Words(en: "There is no outcome “\(code)”.", zh: "没有“\(code)”这种结果。"))
        }
        let note = outcome == nil ? nil : try call.form.optionalText("note", max: 500)
        let principal = try call.principal()
        let week = Self.week(call.tenant)
        let (customers, tenant) = (customers, call.tenant)
        let state = outcome?.state ?? .open
        return try await call.change { session in
            guard try customers.reachable([id], for: principal, session).contains(id),
                try !ScoreStore.scores([id], session).isEmpty
            else { throw CRMError.notFound }
            // Two people may call from the same list: neither outcome is lost.
            try call.checkVersion(ContactEntry.version(of: try ContactPlanStore.entry(id, week: week, session)))
            try ContactPlanStore.put(
                id, week: week, state, outcome, note: note, by: principal, at: tenant.clock.now(), session)
            try call.record(
                AuditEntry(
                    "insights.contact.record", [.customer(id)],
                    facts: [
                        "week": .string(week), "state": .string(state.rawValue), "outcome": .text(outcome?.rawValue),
                        "note": .bool(note != nil),
                    ]), session)
            if let outcome {
                try tenant.outbox.append(RetentionContacted(customer: id, outcome: outcome.rawValue), session)
            }
            return .redirect(call.request.localReturn(call.form["return"], fallback: "/risk"))
                .flash("insights.flash.contact_" + state.rawValue)
        }
    }
}
