import Kernel
import Platform
import Storage

/// What a source says of a bill besides its dates, in the words of billing systems. TMF678 knows new, onHold, validated, sent,
/// partiallyPaid and settled; what is not owed (cancelled, written off, a draft) it leaves to whoever implements it.
///
/// Paid and open are told by days (`paid_on`, what payments settle). The others are kinds of a charge, so that whoever counts
/// bills counts none that nobody owes (ADR 0051).
enum BillState {
    static let field = ImportField(
        "paid_state", Words(en: "State of the bill", zh: "账单状态"),
        .choice([
            ImportChoice("paid", Words(en: "Paid", zh: "已缴"), synonyms: paid),
            ImportChoice("open", Words(en: "Open", zh: "未缴"), synonyms: open),
            ImportChoice("disputed", Words(en: "Disputed", zh: "有争议"), synonyms: disputed),
            ImportChoice("cancelled", Words(en: "Cancelled", zh: "已作废"), synonyms: cancelled),
            ImportChoice("written_off", Words(en: "Written off", zh: "坏账核销"), synonyms: writtenOff),
            ImportChoice("draft", Words(en: "Draft", zh: "草稿"), synonyms: draft),
        ]),
        synonyms: [
            "paid or open", "paid", "is paid", "status", "state", "bill state", "bill status", "invoice status", "payment status",
            "paid status", "settled", "缴费状态", "状态", "支付状态", "付款状态", "是否缴清", "是否已缴", "是否已付", "是否结清", "销账状态",
            "繳費狀態", "帳單狀態",
        ])

    private static let paid = [
        "yes", "y", "true", "1", "settled", "cleared", "closed", "paid in full", "fully paid", "paid late", "collected", "已缴费", "已缴清",
        "缴清", "已付", "已付款", "已支付", "已结清", "结清", "已销账", "已平账", "已結清", "已繳", "已繳費", "是",
    ]
    private static let open = [
        "no", "n", "false", "0", "unpaid", "not paid", "outstanding", "overdue", "past due", "late", "delinquent", "due", "payment due",
        "pending", "pending payment", "awaiting payment", "issued", "sent", "new", "validated", "approved", "authorised", "authorized",
        "finalized", "finalised", "posted", "committed", "invoiced", "billed", "unsettled", "in collections", "in collection", "dunning",
        "partially paid", "partiallypaid", "part paid", "partial", "未缴费", "未缴清", "欠费", "未付", "未付款", "未支付", "未结清", "未销账",
        "逾期", "已逾期", "逾期未缴", "部分缴费", "部分支付", "部分付款", "待缴", "待缴费", "待支付", "待付款", "已出账", "已开票", "催缴", "催缴中",
        "未繳", "未繳費", "欠費", "否",
    ]
    private static let disputed = [
        "in dispute", "dispute", "contested", "on hold", "onhold", "held", "under review", "suspended", "争议", "争议中", "异议", "有异议",
        "申诉中", "挂起", "冻结", "爭議", "有爭議", "爭議中",
    ]
    private static let cancelled = [
        "canceled", "cancel", "void", "voided", "reversed", "reversal", "annulled", "nullified", "deleted", "withdrawn", "rescinded",
        "credited", "storno", "作废", "已作废", "冲销", "已冲销", "冲正", "已冲正", "红冲", "已红冲", "取消", "已取消", "撤销", "已撤销", "注销",
        "已注销", "无效", "已删除", "作廢", "已作廢", "沖銷", "已沖銷", "取消開立",
    ]
    private static let writtenOff = [
        "write off", "writeoff", "written down", "uncollectible", "uncollectable", "bad debt", "charged off", "charge off", "chargeoff",
        "waived", "forgiven", "坏账", "坏帐", "呆账", "呆帐", "呆坏账", "减免", "已减免", "免除", "已豁免", "壞帳", "呆帳",
    ]
    private static let draft = [
        "in preparation", "preliminary", "provisional", "proforma", "pro forma", "not issued", "unissued", "草稿", "未出账", "待出账",
        "待审核", "待开票", "预出账", "草稿中", "未出帳",
    ]

    /// Kinds that say what became of a bill.
    static let kinds: [String: ChargeKind] = [
        "disputed": .disputed, "cancelled": .cancelled, "written_off": .writtenOff, "draft": .draft,
    ]

    /// What kind of charge a row makes: as its state says; one that was in such a state and is called paid or open is a bill again,
    /// and a row without a state leaves it where it was.
    static func kind(_ draft: RecordDraft) -> ChargeKind {
        let told = draft.text("bill_kind").flatMap { ChargeKind(rawValue: $0) }
        let known = draft.before["kind"]?.asText.flatMap { ChargeKind(rawValue: $0) }
        let wasInState = known.map { kinds.values.contains($0) } ?? false
        switch draft.values["paid_state"] {
        case .text(let state)?:
            return kinds[state] ?? told ?? (wasInState ? nil : known) ?? .bill
        default:
            return wasInState ? known ?? .bill : told ?? known ?? .bill
        }
    }

    /// The state that changed columns of a charge come from; `nil` = they tell of none.
    static func told(_ changed: [String: SQLValue]) -> String? {
        let kind = changed["kind"]?.asText
        if let kind, kinds[kind] != nil { return kind }
        guard let paid = changed["paid_on"] else { return kind == nil ? nil : "open" }
        return paid == .null ? "open" : "paid"
    }

    /// The day the source names goes before its word. A bill that is paid without a day counts as paid when it was due, or
    /// today where that is yet to come: it is known not to be late, and nothing more. A bill called anything else is not paid.
    static func paidOn(_ draft: RecordDraft, due: LocalDate?) -> SQLValue {
        let told = draft.values["paid_on"] ?? .null
        if told != .null { return told }
        switch draft.values["paid_state"] {
        case .text("paid")?: return draft.before["paid_on"].flatMap { $0 == .null ? nil : $0 } ?? .date(min(due ?? draft.today, draft.today))
        case .text?: return .null
        default: return draft["paid_on"]
        }
    }
}
