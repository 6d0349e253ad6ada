import Kernel
import Platform
import Storage

/// Messages in the timeline of the customer page.
struct ChannelTimeline: TimelineSource {
    var kind: TimelineKind { TimelineKind("message", Words(en: "Messages", zh: "消息"), icon: "mail") }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(ChannelsPermissions.view) else { return Asked { [] } }
        var builder = SQLBuilder(DeliveryStore.contacts)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let place {
            if let key = place.key.flatMap(Self.key) {
                builder.append(
                    "AND (happened_at, customer_id, message_id, place) < (?, ?, ?, ?)", .time(place.at), .int(key[0]), .int(key[1]),
                    .int(key[2]))
            } else {
                builder.append("AND happened_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY happened_at DESC, customer_id DESC, message_id DESC, place DESC LIMIT ?", .int(limit))
        let masking = Masking(principal)
        return try session.asking(builder) { entry(Delivery($0), masking) }
    }

    /// Customer, message and place: `7-311-0`.
    private static func key(_ text: String) -> [Int64]? {
        let parts = text.split(separator: "-").compactMap { Int64($0) }
        return parts.count == 3 ? parts : nil
    }

    private func entry(_ one: Delivery, _ masking: Masking) -> TimelineEntry {
        let channel = Self.channel(one.channel)
        let state = Self.state(one.state)
        // What was written to somebody is as personal as what they said.
        let text = masking.shows(.name) && !one.summary.isEmpty ? one.summary : nil
        return TimelineEntry(
            customer: one.customer, at: one.happenedAt, key: "\(one.customer)-\(one.message)-\(one.place)",
            tone: one.state == .failed || one.state == .refused ? "warn" : "",
            title: Words(en: "\(channel.en), \(state.en)", zh: "\(channel.zh)，\(state.zh)"),
            note: Words(en: text ?? "", zh: text ?? ""), unmasked: text == nil ? [] : ["content"])
    }

    static func channel(_ code: String) -> Words {
        switch code {
        case "sms": Words(en: "Text message", zh: "短信")
        case "email": Words(en: "E-mail", zh: "电子邮件")
        case "push": Words(en: "App message", zh: "App 推送")
        case "call": Words(en: "Call", zh: "电话")
        case "wechat": Words(en: "WeChat", zh: "微信")
        case "post": Words(en: "Letter", zh: "信函")
        default: Words(en: code, zh: code)
        }
    }

    static func state(_ state: Delivery.State) -> Words {
        switch state {
        case .queued: Words(en: "waits", zh: "待发送")
        case .sending: Words(en: "is being sent", zh: "发送中")
        case .sent: Words(en: "sent", zh: "已发送")
        case .failed: Words(en: "failed", zh: "发送失败")
        case .refused: Words(en: "not sent: no consent", zh: "未发送：未获同意")
        case .cancelled: Words(en: "cancelled", zh: "已取消")
        }
    }
}
