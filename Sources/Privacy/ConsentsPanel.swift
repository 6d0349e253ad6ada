import Contracts
import Kernel
import Platform
import Storage
import Web

/// What the customer agreed to, by what it is used for.
struct ConsentsPanel: Sendable {
    /// Minutes east of UTC in which times are shown.
    let zone: Int
    static let shown = 60

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "consents", title: "privacy.panel.consents", place: .side, order: 30, permission: PrivacyPermissions.view
        ) { request, session in
            var builder = SQLBuilder(ConsentLedger.ofCustomers)
            builder.appendIn("AND customer_id", request.customers.prefix(Limits.sqlListChunk).map { .id($0) })
            builder.append("ORDER BY purpose, topic, customer_id LIMIT ?", .int(Self.shown))
            return try session.asking(builder) { Consent($0) }.map { content($0, request) }.staged
        }
    }

    private func content(_ all: [Consent], _ request: PanelRequest) -> PanelContent? {
        // Of several records that are one customer, the last word on each matter.
        let said = Dictionary(grouping: all, by: \.key).values.compactMap { $0.max { $0.since < $1.since } }.sorted { $0.key < $1.key }
        return PanelContent(
            template: "privacy/panel-consents",
            view: [
                "isEmpty": .bool(said.isEmpty),
                "consents": .list(
                    said.map { one in
                        // The answer as others get it: a yes about SMS does not count beside a later no about everything.
                        let related = all.filter {
                            $0.key.purpose == one.key.purpose && [one.key.topic, ConsentTopic.any.code].contains($0.key.topic)
                        }
                        let answer = ConsentRules.answer(related, at: request.now)
                        return [
                            "purpose": .text(Self.purpose(one.key.purpose)[request.language]),
                            "topic": .text(Self.topic(one.key.topic)[request.language]),
                            "answer": .text(Self.badgeWords(answer.reason)[request.language]),
                            "badge": .text(answer.isAllowed ? "ok" : answer.reason == .notYet ? "" : "bad"),
                            "since": .text((answer.since ?? one.since).displayed(offsetMinutes: zone)),
                            "until": .text(
                                answer.isAllowed ? one.until?.displayed(offsetMinutes: zone) : nil),
                        ]
                    }),
            ])
    }

    static func badgeWords(_ reason: ConsentAnswer.Reason) -> Words {
        switch reason {
        case .notNeeded: Words(en: "Not needed", zh: "无需同意")
        case .given: Words(en: "Agreed", zh: "已同意")
        case .neverGiven: Words(en: "Never asked", zh: "未征询")
        case .refused: Words(en: "Refused", zh: "已拒绝")
        case .withdrawn: Words(en: "Withdrawn", zh: "已撤回")
        case .notYet: Words(en: "Not yet", zh: "未生效")
        case .expired: Words(en: "Expired", zh: "已过期")
        }
    }

    /// Words of the purposes that are common; another one by its code.
    static func purpose(_ code: String) -> Words {
        switch code {
        case "marketing": Words(en: "Marketing", zh: "营销")
        case "profiling": Words(en: "Profiling", zh: "画像分析")
        case "research": Words(en: "Research", zh: "调研")
        case "sharing": Words(en: "Sharing with others", zh: "对外共享")
        case "information": Words(en: "Information", zh: "资讯通知")
        case "admin": Words(en: "Administration", zh: "账务管理")
        case "service": Words(en: "Service", zh: "服务")
        default: Words(en: code, zh: code)
        }
    }

    static func topic(_ code: String) -> Words {
        switch code {
        case "any": Words(en: "All channels and data", zh: "全部渠道与数据")
        case "sms": Words(en: "Text messages", zh: "短信")
        case "email": Words(en: "E-mail", zh: "电子邮件")
        case "call": Words(en: "Calls", zh: "电话")
        case "push": Words(en: "App messages", zh: "App 推送")
        case "post": Words(en: "Letters", zh: "信函")
        case "wechat": Words(en: "WeChat", zh: "微信")
        default: Words(en: code, zh: code)
        }
    }
}
