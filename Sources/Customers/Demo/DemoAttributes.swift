import Kernel
import Platform
import Storage

/// Facts of the invented customers that have no field of their own: custom attributes, labelled as not personal by
/// themselves. They are as of the day on which the customer left, or of today.
struct DemoAttributes: Sendable {
    struct Definition: Sendable {
        let words: Words
        let kind: CustomAttribute.Kind
        let content: @Sendable (DemoCustomer) -> AttributeContent?
    }

    static let definitions: [Definition] = [
        Definition(words: Words(en: "Complaints, 90 days", zh: "近90天投诉次数"), kind: .integer) {
            .integer(Int64($0.risk.complaints))
        },
        Definition(words: Words(en: "Dropped calls, 90 days (%)", zh: "近90天掉话率（%）"), kind: .decimal) {
            .decimal($0.risk.droppedCallPercent)
        },
        Definition(words: Words(en: "Price rise, 6 months (%)", zh: "近6个月涨价幅度（%）"), kind: .integer) {
            .integer(Int64($0.risk.priceRisePercent))
        },
        Definition(words: Words(en: "Change of use, 6 months (%)", zh: "近6个月使用量变化（%）"), kind: .integer) {
            $0.risk.tenureMonths < 6 ? nil : .integer(Int64(($0.risk.usageDrift * 100).rounded()))
        },
        Definition(words: Words(en: "Overdue bills, 12 months", zh: "近12个月逾期账单数"), kind: .integer) {
            .integer(Int64($0.risk.overdueBills))
        },
        Definition(words: Words(en: "Months to the end of the contract", zh: "距合约到期月数"), kind: .integer) {
            $0.risk.monthsToTermEnd.map { .integer(Int64($0)) }
        },
        Definition(words: Words(en: "Satisfaction, last survey (1–5)", zh: "最近一次满意度（1–5）"), kind: .integer) {
            $0.risk.satisfaction.map { .integer(Int64($0)) }
        },
        Definition(words: Words(en: "Pays automatically", zh: "自动缴费"), kind: .boolean) {
            .integer($0.risk.autopay ? 1 : 0)
        },
        Definition(words: Words(en: "Shares a family plan", zh: "加入家庭套餐"), kind: .boolean) {
            .integer($0.risk.familyPlan ? 1 : 0)
        },
    ]

    private let known: [(id: AttributeID, definition: Definition)]

    /// Defines what is missing.
    init(_ store: AttributeStore, _ session: any SQLSession) throws {
        let present = try AttributeStore.all(session)
        known = try Self.definitions.map { definition in
            let key = CustomAttribute.key(for: definition.words.en)
            if let found = present.first(where: { $0.key == key }) { return (found.id, definition) }
            let made = try store.define(
                title: definition.words, kind: definition.kind, mask: .none, labelled: true, by: "seed", session)
            return (made.id, definition)
        }
    }

    func values(_ demo: DemoCustomer) -> [AttributeID: AttributeContent] {
        var result: [AttributeID: AttributeContent] = [:]
        result.reserveCapacity(known.count)
        for (id, definition) in known { if let content = definition.content(demo) { result[id] = content } }
        return result
    }
}
