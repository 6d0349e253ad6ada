import Kernel
import Platform
import Storage
import Web

/// The home page's cards: how the base lies over the bands, and how the model is.
struct DashboardCards: Sendable {
    let tenant: Tenant
    var unscored = UnscoredCount()
    private static let days = 30

    func cards() -> [DashboardCard] {
        [
            DashboardCard(
                name: "risk-bands", title: "insights.card.bands", order: 20, permission: InsightsPermissions.riskView
            ) { request, session in try bands(request, session) },
            DashboardCard(
                name: "model-health", title: "insights.card.model", order: 60,
                permission: InsightsPermissions.modelsView
            ) { request, session in try health(request, session) },
        ]
    }

    /// How many have no score, when that changes, and the button for who may change it now.
    private func waiting(_ request: PanelRequest, _ session: any SQLSession) throws -> View {
        let count = try unscored.count(request.principal, session)
        let hasModel = try ModelStore.active(session) != nil
        let next = count > 0 && hasModel ? try NextPass.read(tenant, session) : nil
        let may = request.principal.may(InsightsPermissions.modelsTrain)
        let view: View = [
            "unscored": .text(count > 0 ? Figures.count(count) : nil), "noModel": .bool(!hasModel),
            "mayScore": .bool(may && next != nil && next != .now),
        ]
        return view.merging((next ?? .daily).view(tenant))
    }

    func bands(_ request: PanelRequest, _ session: any SQLSession) throws -> PanelContent? {
        let waiting = try waiting(request, session)
        let summaries = try RiskSummaryStore.latest(Self.days, scope: request.principal.scope, session)
        guard let latest = summaries.first, latest.customers > 0 else {
            return PanelContent(
                template: "insights/card-bands",
                view: waiting.merging([
                    "scored": false, "bands": .list([]), "on": .absent, "customers": .absent, "loss": .absent,
                    "endangered": .absent, "hasTrend": false, "trendJSON": .absent,
                ]))
        }
        // Compared with about a month ago, or as far back as there is.
        let before = summaries.count > 1 ? summaries.last : nil
        return PanelContent(
            template: "insights/card-bands",
            view: waiting.merging([
                "scored": true, "on": .text(latest.on), "customers": .text(Figures.count(latest.customers)),
                "endangered": .text(Figures.count(latest.endangered)),
                "loss": .text(Figures.money(latest.endangeredLoss, tenant.currency)),
                "bands": .list(
                    RiskBand.allCases.reversed().map { band in
                        let share = latest.share(band)
                        let change = before.map { share - $0.share(band) }
                        let worse = (change ?? 0) > 0 ? band >= .high : band < .high
                        return [
                            "band": .text(band.rawValue), "label": .text(band.label(request.language)),
                            "count": .text(Figures.count(latest.bands[band]?.customers ?? 0)),
                            "share": .text(Figures.percent(share)), "width": .text(Figures.width(share)),
                            "changed": .bool(abs(change ?? 0) >= 0.0005), "up": .bool((change ?? 0) > 0),
                            "worse": .bool(worse), "change": .text(change.map { Figures.signed($0 * 100, 1) + "%" }),
                        ]
                    }),
                "hasTrend": .bool(summaries.count >= 3),
                "trendJSON": .text(trend(summaries, request.language).encoded()),
            ]))
    }

    private func trend(_ newestFirst: [RiskSummary], _ language: Language) -> JSONValue {
        let days = newestFirst.reversed()
        return .object([
            "labels": .array(days.map { .string(String($0.on.suffix(5))) }),
            "series": .array(
                [RiskBand.high, .critical].map { band in
                    .object([
                        "name": .string(band.label(language)), "tone": .string(band.rawValue),
                        "values": .array(days.map { .double($0.share(band)) }),
                    ])
                }),
            "x": .object(["title": .string(Words(en: "Day", zh: "日期")[language])]),
            "y": .object([
                "format": .string("percent"), "title": .string(Words(en: "Share", zh: "占比")[language]),
            ]),
        ])
    }

    func health(_ request: PanelRequest, _ session: any SQLSession) throws -> PanelContent? {
        guard let model = try ModelStore.active(session) else {
            return PanelContent(
                template: "insights/card-model",
                view: [
                    "hasModel": false, "refused": .absent, "modelID": .absent, "modelVersion": .absent, "auc": .absent,
                    "lift": .absent,
                    "ece": .absent, "age": .absent, "drift": .absent, "driftWords": .absent, "driftTone": .absent,
                    "scoredAt": .absent, "mayTrain": .bool(request.principal.may(InsightsPermissions.modelsTrain)),
                ])
        }
        let pass = try ScoringRunStore.last(model: model.id, session)
        let age = (request.now.milliseconds - model.trainedAt.milliseconds) / 86_400_000
        let drift = pass?.drift
        return PanelContent(
            template: "insights/card-model",
            view: [
                "hasModel": true, "refused": .text(model.failure?[request.language]),
                "modelID": .text(model.id.description), "modelVersion": .text(String(model.version)),
                "auc": .text(Figures.decimal(model.figures.auc, 3)),
                "lift": .text(Figures.decimal(model.figures.liftAt10, 2)),
                "ece": .text(Figures.decimal(model.figures.ece, 3)), "age": .text(String(max(0, age))),
                "drift": .text(drift.map { Figures.decimal($0, 3) }),
                "driftWords": .text(drift.map { InsightsTexts.drift($0)[request.language] }),
                "driftTone": .text(
                    drift.map { $0 < ScoreSpread.stable ? "ok" : $0 < ScoreSpread.shifted ? "warn" : "bad" }),
                "scoredAt": .text(pass.map { $0.startedAt.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes) }),
                "mayTrain": .bool(request.principal.may(InsightsPermissions.modelsTrain)),
            ])
    }
}

/// Words needed where no texts are at hand.
enum InsightsTexts {
    static func drift(_ drift: Double) -> Words {
        if drift < ScoreSpread.stable { return Words(en: "stable", zh: "稳定") }
        if drift < ScoreSpread.shifted { return Words(en: "some shift", zh: "略有偏移") }
        return Words(en: "shifted, train anew", zh: "明显偏移，建议重新训练")
    }
}
