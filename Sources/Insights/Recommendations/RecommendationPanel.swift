import Contracts
import Kernel
import Platform
import Storage
import Web

/// What the customer could be offered, as it was answered when somebody last asked (TMF680), on the customer page. Never asked = no panel.
struct RecommendationPanel: Sendable {
    let masks: ColumnMasks
    let titles: TitleCache
    let tenant: Tenant
    static let shown = 3

    static let answers: SQL = """
        SELECT customer_id, id, name, state_reason, valid_from, valid_until, model_id, probability, currency
        FROM insights_recommendation WHERE TRUE
        """
    static let items: SQL = "SELECT owner_id, column_name, value, probability FROM insights_recommendation_item WHERE TRUE"

    private struct Answer {
        let id: Int64
        let name: String?
        let nothing: String?
        let at: Instant
        let until: Instant
        let model: ModelID?
        let probability: Double?
        let currency: String

        init(_ row: Row) {
            id = row.int(1)
            name = row.optionalText(2)
            nothing = row.optionalText(3)
            at = row.time(4)
            until = row.time(5)
            model = row.optionalID(6, ModelKind.self)
            probability = row.optionalDouble(7)
            currency = row.optionalText(8) ?? ""
        }
    }

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "recommendations", title: "insights.recommendations", place: .side, order: 12, permission: InsightsPermissions.recommend
        ) { request, session in
            var builder = SQLBuilder(Self.answers)
            builder.appendIn("AND customer_id", request.customers.prefix(Limits.sqlListChunk).map { .id($0) })
            builder.append("ORDER BY valid_from DESC, id DESC LIMIT ?", .int(Self.shown))
            let asked = try session.asking(builder) { Answer($0) }
            return .asked { .done(try content(try asked.value(), request, session)) }
        }
    }

    private func content(_ answers: [Answer], _ request: PanelRequest, _ session: any SQLSession) throws -> PanelContent? {
        guard !answers.isEmpty else { return nil }
        var items: [Int64: [StoredReasons.Change]] = [:]
        var builder = SQLBuilder(Self.items)
        builder.appendIn("AND owner_id", answers.map { .int($0.id) })
        builder.append("ORDER BY owner_id, place")
        for (id, change) in try session.query(builder, { row in
            (row.int(0), StoredReasons.Change(column: row.text(1), value: row.text(2), probability: row.double(3)))
        }) { items[id, default: []].append(change) }
        let zone = tenant.timeZoneOffsetMinutes
        let shown = try answers.map { answer -> View in
            let lines = try lines(answer, items[answer.id] ?? [], request, session)
            let nothing = answer.nothing.map { Recommendations.Nothing(rawValue: $0)?.words[request.language] ?? $0 }
            return [
                "at": .text(answer.at.displayed(offsetMinutes: zone)), "name": .text(answer.name),
                "isPast": .bool(answer.until < request.now), "items": .list(lines.map { ["text": .text($0)] }), "hasItems": .bool(!lines.isEmpty),
                // Values that this reader may not see leave nothing to tell.
                "nothing": .text(lines.isEmpty ? nothing ?? Words(en: "Nothing that you may see.", zh: "没有您可查看的内容。")[request.language] : nil),
            ]
        }
        return PanelContent(template: "insights/panel-recommendations", view: ["answers": .list(shown)])
    }

    private func lines(
        _ answer: Answer, _ changes: [StoredReasons.Change], _ request: PanelRequest, _ session: any SQLSession
    ) throws -> [String] {
        guard let model = answer.model, let now = answer.probability, !changes.isEmpty else { return [] }
        let columns = Set(changes.map(\.column))
        let trained = try titles.titles(model, tenant: tenant.name, session)
        let wording = ReasonWording(
            language: request.language, masking: request.masking, masks: try masks.masks(columns, session),
            titles: try masks.titles(columns, over: trained, session))
        return changes.compactMap { wording.line($0, now: now, currency: answer.currency) }
    }
}

extension Recommendations.Nothing {
    var words: Words {
        switch self {
        case .noCustomer: Words(en: "The request named no customer.", zh: "请求未指明客户。")
        case .noConsent: Words(en: "The customer does not want to be profiled.", zh: "客户不同意画像分析。")
        case .noModel: Words(en: "No model has been trained yet.", zh: "尚无可用模型。")
        case .notScored: Words(en: "The customer had not been scored.", zh: "该客户尚未评分。")
        case .nothingHelps: Words(en: "No offer is known that would help.", zh: "没有预计有效的推荐。")
        }
    }
}
