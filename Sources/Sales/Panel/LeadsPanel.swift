import Kernel
import Platform
import Storage
import Web

/// What the customer might buy, on the customer page. Nothing of it = no panel.
struct LeadsPanel: Sendable {
    /// Minutes east of UTC in which times are shown.
    let zone: Int
    static let shown = 6

    static let leads: SQL = """
        SELECT name, status, created_at, COALESCE(offering_name, product_name, specification_name, category_name), revenue,
          revenue_currency, priority, valid_until
        FROM sales_lead WHERE TRUE
        """

    struct LeadLine: Sendable {
        let name: String?
        let code: String
        let createdAt: Instant
        let subject: String?
        let revenue: String?
        let priority: String?
        let validUntil: Instant?
        var status: LeadStatus? { LeadStatus(rawValue: code) }

        init(_ row: Row) {
            name = row.optionalText(0)
            code = row.text(1)
            createdAt = row.time(2)
            subject = row.optionalText(3)
            revenue = row.optionalInt(4).flatMap { minor in row.optionalText(5).map { Money(minor: minor, currency: $0).displayed } }
            priority = row.optionalText(6)
            validUntil = row.optionalTime(7)
        }
    }

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "leads", title: "sales.panel", place: .main, order: 17, permission: SalesPermissions.view
        ) { request, session in
            var builder = SQLBuilder(Self.leads)
            builder.appendIn("AND customer_id", request.customers.prefix(Limits.sqlListChunk).map { .id($0) })
            builder.append("ORDER BY created_at DESC, id DESC LIMIT ?", .int(Self.shown + 1))
            return try session.asking(builder) { LeadLine($0) }.map { content($0, request) }.staged
        }
    }

    private func content(_ lines: [LeadLine], _ request: PanelRequest) -> PanelContent? {
        guard !lines.isEmpty else { return nil }
        let language = request.language
        return PanelContent(
            template: "sales/panel-leads",
            view: [
                "hasMore": .bool(lines.count > Self.shown),
                "leads": .list(
                    lines.prefix(Self.shown).map { line in
                        [
                            "name": .text(line.name.map { request.masking.apply(.name, $0) } ?? Words(en: "Lead", zh: "线索")[language]),
                            "subject": .text(line.subject), "revenue": .text(line.revenue),
                            "priority": .text(line.priority.map { LeadPriority($0)[language] }),
                            "status": .text(line.status?.words[language] ?? line.code), "badge": .text(line.status?.badge ?? ""),
                            "created": .text(line.createdAt.displayed(offsetMinutes: zone)),
                            "until": .text(
                                line.status?.isOpen == true ? line.validUntil?.date(offsetMinutes: zone).description : nil),
                        ]
                    }),
            ],
            unmasked: request.masking.shows(.name) && lines.contains { $0.name != nil } ? ["name"] : [])
    }
}

/// Where a lead stands (TMF699), in words of people.
enum LeadStatus: String, CaseIterable, Sendable {
    case acknowledged, inProgress, pending, accepted, rejected, cancelled

    var isOpen: Bool { [.acknowledged, .inProgress, .pending].contains(self) }

    var words: Words {
        switch self {
        case .acknowledged: Words(en: "New", zh: "新线索")
        case .inProgress: Words(en: "Being worked on", zh: "跟进中")
        case .pending: Words(en: "Waiting", zh: "等待中")
        case .accepted: Words(en: "Taken up", zh: "已转商机")
        case .rejected: Words(en: "Turned down", zh: "已拒绝")
        case .cancelled: Words(en: "Given up", zh: "已取消")
        }
    }

    var badge: String {
        switch self {
        case .acknowledged, .inProgress: "info"
        case .pending: "warn"
        case .accepted: "ok"
        case .rejected, .cancelled: ""
        }
    }
}

/// How urgent a lead is: a free word, of which the usual ones are shown in the reader's language.
struct LeadPriority {
    private static let usual: [String: Words] = [
        "urgent": Words(en: "urgent", zh: "紧急"), "critical": Words(en: "critical", zh: "紧急"), "high": Words(en: "high", zh: "高"),
        "medium": Words(en: "medium", zh: "中"), "normal": Words(en: "normal", zh: "普通"), "low": Words(en: "low", zh: "低"),
    ]
    private let text: String
    init(_ text: String) { self.text = text }
    subscript(language: Language) -> String { Self.usual[text.lowercased()]?[language] ?? text }
}
