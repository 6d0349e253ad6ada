import Kernel
import Platform
import Storage
import Web

/// The part of the customer page that says who is likely to leave, and why.
struct RiskPanel: Sendable {
    let masks: ColumnMasks
    let tenant: Tenant
    let titles: TitleCache

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "risk", title: "insights.panel.risk", place: .side, order: 10,
            permission: InsightsPermissions.riskView
        ) { request, session in
            let scores = try ScoreStore.asking(request.customers, session)
            return .asked { try step(try scores.value(), request, session) }
        }
    }

    /// What is known of the score that is shown; asked for together.
    private struct Known {
        let entry: Asked<ContactEntry?>
        let model: Asked<ModelRecord?>
        let masks: Asked<[String: MaskKind]>
        let titles: Asked<[String: Words]>
        let history: Asked<[ScoreStore.Past]>
    }

    /// Of a customer linked from several records, the score that is highest.
    private func step(_ scores: [ChurnScore], _ request: PanelRequest, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        guard let score = scores.max(by: { ($0.listed ? 1 : 0, $0.probability) < ($1.listed ? 1 : 0, $1.probability) })
        else {
            return .done(
                PanelContent(
                    template: "insights/risk-panel",
                    view: View(["hasModel": .bool(try ModelStore.active(session) != nil)])
                        .merging(try NextPass.read(tenant, session).view(tenant)).merging(Self.empty)))
        }
        let mayWork = score.listed && request.principal.may(InsightsPermissions.riskWork)
        let items = score.reasons.raising + score.reasons.lowering
        let columns = Set(items.map(\.column) + (score.reasons.changes ?? []).map(\.column))
        let trained = try self.titles.asking(score.model, tenant: tenant.name, session)
        let known = Known(
            entry: mayWork
                ? try ContactPlanStore.asking(score.customer, week: RiskPages.week(tenant), session) : Asked { nil },
            model: try ModelStore.asking(score.model, session), masks: try masks.asking(masks: columns, session),
            titles: try masks.asking(titles: columns, over: trained, session),
            history: try ScoreStore.askingHistory(score.customer, limit: 6, session))
        return Asked { try content(score, known, mayWork: mayWork, request) }.staged
    }

    private func content(_ score: ChurnScore, _ known: Known, mayWork: Bool, _ request: PanelRequest) throws
        -> PanelContent
    {
        let entry = try known.entry.value().flatMap { $0.state == .open ? nil : $0 }
        let model = try known.model.value()
        let items = score.reasons.raising + score.reasons.lowering
        let changes = score.reasons.changes ?? []
        let wording = ReasonWording(
            language: request.language, masking: request.masking, masks: try known.masks.value(),
            titles: try known.titles.value())
        let whatIf = changes.prefix(Counterfactuals.kept).compactMap {
            wording.line($0, now: score.probability, currency: score.currency)
        }
        let strongest = items.map { abs($0.contribution) }.max() ?? 1
        let raising = score.reasons.raising.map { wording.line($0, currency: score.currency) }
        let lowering = score.reasons.lowering.map { wording.line($0, currency: score.currency) }
        let day = score.scoredAt.date(offsetMinutes: tenant.timeZoneOffsetMinutes).description
        let earlier = try known.history.value().first { $0.on < day }
        let view: View = [
            "scored": true, "hasModel": true, "nextNow": false, "nextAt": .absent, "nextDaily": false,
            "mayRecord": .bool(mayWork && entry == nil), "customerID": .text(score.customer.description),
            "returnPath": .text("/customers/\(request.customers.first ?? score.customer)"),
            "revision": .text(ContactEntry.version(of: entry)), "contactBy": .text(entry?.actorName),
            "contactAt": .text(entry?.changedAt.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes)),
            "left": .bool(!score.listed),
            "band": .text(score.band.rawValue), "bandText": .text(score.band.label(request.language)),
            "probability": .text(Figures.decimal(score.probability, 2)),
            "percent": .text(Figures.percent(score.probability, 0)), "width": .text(Figures.width(score.probability)),
            "inHundred": .text(String(Int((score.probability * 100).rounded()))),
            "raising": .list(raising.map { Self.view($0, strongest) }), "hasRaising": .bool(!raising.isEmpty),
            "lowering": .list(lowering.map { Self.view($0, strongest) }), "hasLowering": .bool(!lowering.isEmpty),
            "changes": .list(whatIf.map { ["text": .text($0)] }), "hasChanges": .bool(!whatIf.isEmpty),
            "hasValue": .bool(score.monthlyValue > 0),
            "monthlyValue": .text(Figures.money(score.monthlyValue, score.currency)),
            "expectedLoss": .text(Figures.money(score.expectedLoss, score.currency)),
            "version": .text(model.map { String($0.version) } ?? "–"), "modelID": .text(score.model.description),
            "mayModels": .bool(request.principal.may(InsightsPermissions.modelsView)), "scoredOn": .text(day),
            "earlier": .bool(earlier != nil), "earlierOn": .text(earlier?.on),
            "earlierProbability": .text(earlier.map { Figures.decimal($0.probability, 2) }),
            "change": .text(earlier.map { Figures.signed(score.probability - $0.probability) }),
            "rose": .bool((earlier?.probability ?? 1) < score.probability),
        ]
        return PanelContent(
            template: "insights/risk-panel", view: view, unmasked: (raising + lowering).compactMap(\.unmasked))
    }

    /// Bars go from the middle; the customer's strongest reason is 50 wide.
    static func view(_ line: ReasonWording.Line, _ strongest: Double) -> View {
        let width = strongest > 0 ? abs(line.contribution) / strongest * 50 : 0
        return [
            "raises": .bool(line.raises), "text": .text(line.text), "barWidth": .text(Figures.decimal(width, 1)),
            "barX": .text(Figures.decimal(line.raises ? 0 : -width, 1)),
            "contribution": .text(Figures.signed(line.contribution)),
        ]
    }

    private static let empty: View = [
        "scored": false, "hasModel": false, "mayRecord": false, "customerID": .absent, "returnPath": .absent,
        "revision": .absent, "contactBy": .absent, "contactAt": .absent, "left": false, "band": .absent, "bandText": .absent,
        "probability": .absent,
        "percent": .absent, "width": .absent, "inHundred": .absent, "raising": .list([]), "hasRaising": false,
        "lowering": .list([]), "hasLowering": false, "changes": .list([]), "hasChanges": false, "hasValue": false,
        "monthlyValue": .absent,
        "expectedLoss": .absent, "version": .absent, "modelID": .absent, "mayModels": false, "scoredOn": .absent,
        "earlier": false, "earlierOn": .absent, "earlierProbability": .absent, "change": .absent, "rose": false,
    ]
}
