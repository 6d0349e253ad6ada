import Kernel
import Platform
import Storage

/// What was recorded under `/risk`, for the timeline of the customer page. What was taken back is not there.
package struct ContactTimeline: TimelineSource {
    static let select: SQL = """
        SELECT customer_id, outcome, note, actor_name, changed_at, week FROM insights_contact_plan
        WHERE state <> 'open'
        """

    package init() {}

    package var kind: TimelineKind { TimelineKind("contact", Words(en: "Contacts", zh: "联系"), icon: "risk") }

    package func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(InsightsPermissions.riskView) else { return Asked { [] } }
        var builder = SQLBuilder(Self.select)
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let place {
            if let row = place.key.flatMap(RowKey.init) {
                builder.append(
                    "AND (changed_at, customer_id, week) < (?, ?, ?)", .time(place.at), .id(row.customer),
                    .text(row.week))
            } else {
                builder.append("AND changed_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY changed_at DESC, customer_id DESC, week DESC LIMIT ?", .int(limit))
        let masking = Masking(principal)
        return try session.asking(builder) { row in
            let outcome = row.optionalText(1).flatMap(ContactOutcome.init)
            let words = outcome.map(\.words) ?? Words(en: "Recorded", zh: "已登记")
            // Free text names people: only for those who see names (G25).
            let note = masking.names ? row.optionalText(2) : nil
            let text = [row.text(3), note ?? ""].filter { !$0.isEmpty }.joined(separator: " · ")
            return TimelineEntry(
                customer: row.id(0), at: row.time(4), key: RowKey(customer: row.id(0), week: row.text(5)).text,
                tone: outcome?.tone ?? "",
                title: Words(en: "Retention contact: \(words.en)", zh: "挽留联系：\(words.zh)"),
                note: Words(en: text, zh: text), unmasked: note == nil ? [] : ["note"])
        }
    }

    /// The key of a row of the plan: `7311-2026-W10`.
    private struct RowKey {
        let customer: CustomerID
        let week: String

        init(customer: CustomerID, week: String) {
            self.customer = customer
            self.week = week
        }

        init?(_ text: String) {
            let parts = text.split(separator: "-", maxSplits: 1)
            guard parts.count == 2, let customer = CustomerID(parts[0]) else { return nil }
            self.init(customer: customer, week: String(parts[1]))
        }

        var text: String { "\(customer)-\(week)" }
    }
}

extension ContactOutcome {
    /// The same as the texts `insights.outcome.*`; a timeline entry carries its words.
    var words: Words {
        switch self {
        case .stays: Words(en: "Reached: stays", zh: "已联系：愿意留网")
        case .accepted: Words(en: "Reached: took an offer", zh: "已联系：接受优惠")
        case .undecided: Words(en: "Reached: undecided", zh: "已联系：尚未决定")
        case .leaving: Words(en: "Reached: will leave", zh: "已联系：坚持离网")
        case .noAnswer: Words(en: "No answer", zh: "无人接听")
        case .wrongNumber: Words(en: "Wrong number", zh: "号码错误")
        case .doNotContact: Words(en: "Does not want to be contacted", zh: "不愿被联系")
        case .openCase: Words(en: "An open case comes first", zh: "有未结工单，先处理")
        case .noNeed: Words(en: "Not needed", zh: "无需联系")
        case .other: Words(en: "Another reason", zh: "其他原因")
        }
    }

    var tone: String {
        switch self {
        case .stays, .accepted: "ok"
        case .leaving: "bad"
        case .undecided, .wrongNumber, .doNotContact: "warn"
        case .noAnswer, .openCase, .noNeed, .other: ""
        }
    }
}
