import Kernel

// The codes of this domain, stored by their names, and their words.

/// Kinds of case (TMF621 ticketType).
enum CaseKind: String, CaseIterable, Sendable {
    case fault, enquiry, complaint, request

    var words: Words {
        switch self {
        case .fault: Words(en: "Fault", zh: "故障")
        case .enquiry: Words(en: "Enquiry", zh: "咨询")
        case .complaint: Words(en: "Complaint", zh: "投诉")
        case .request: Words(en: "Request", zh: "业务办理")
        }
    }
}

/// Where a case stands (TMF621 status; `open` is its `acknowledged`).
enum CaseStatus: String, CaseIterable, Sendable {
    case open
    case inProgress = "in_progress"
    /// Waits for the customer or somebody else.
    case pending
    /// Put aside by us.
    case held
    case resolved, closed, rejected, cancelled

    var words: Words {
        switch self {
        case .open: Words(en: "Open", zh: "待处理")
        case .inProgress: Words(en: "In progress", zh: "处理中")
        case .pending: Words(en: "Pending", zh: "待反馈")
        case .held: Words(en: "On hold", zh: "已挂起")
        case .resolved: Words(en: "Resolved", zh: "已解决")
        case .closed: Words(en: "Closed", zh: "已关闭")
        case .rejected: Words(en: "Rejected", zh: "已拒绝")
        case .cancelled: Words(en: "Cancelled", zh: "已取消")
        }
    }

    var badge: String {
        switch self {
        case .open: "warn"
        case .inProgress, .pending, .held: "info"
        case .resolved: "ok"
        case .closed, .rejected, .cancelled: ""
        }
    }

    /// Nobody works on it any more.
    var isEnd: Bool {
        switch self {
        case .open, .inProgress, .pending, .held: false
        case .resolved, .closed, .rejected, .cancelled: true
        }
    }
}

/// How soon a case is to be worked on.
enum CasePriority: String, CaseIterable, Sendable {
    case low, normal, high, urgent

    /// However other systems spell it: `High`, `1-Critical`, `P2`.
    init?(any text: String) {
        let text = text.lowercased()
        func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if let known = Self(rawValue: text) {
            self = known
        } else if has("critical", "urgent", "p1", "紧急") || text == "1" {
            self = .urgent
        } else if has("high", "major", "p2") || text == "2" || text == "高" {
            self = .high
        } else if has("medium", "normal", "p3") || text == "3" || text == "中" {
            self = .normal
        } else if has("low", "minor", "p4") || text == "4" || text == "低" {
            self = .low
        } else {
            return nil
        }
    }

    var words: Words {
        switch self {
        case .low: Words(en: "Low", zh: "低")
        case .normal: Words(en: "Normal", zh: "普通")
        case .high: Words(en: "High", zh: "高")
        case .urgent: Words(en: "Urgent", zh: "紧急")
        }
    }
}

/// What a case or a contact is about.
enum DeskTopic: String, CaseIterable, Sendable {
    case bill, price, plan, payment, coverage
    case droppedCalls = "dropped_calls"
    case slowData = "slow_data"
    case roaming, device, sim
    case portOut = "port_out"
    case contractEnd = "contract_end"
    case service, other

    var words: Words {
        switch self {
        case .bill: Words(en: "Bill", zh: "账单")
        case .price: Words(en: "Price", zh: "资费")
        case .plan: Words(en: "Plan", zh: "套餐")
        case .payment: Words(en: "Payment", zh: "缴费")
        case .coverage: Words(en: "Coverage", zh: "信号覆盖")
        case .droppedCalls: Words(en: "Dropped calls", zh: "掉话")
        case .slowData: Words(en: "Slow data", zh: "网速慢")
        case .roaming: Words(en: "Roaming", zh: "漫游")
        case .device: Words(en: "Device", zh: "终端")
        case .sim: Words(en: "SIM card", zh: "SIM 卡")
        case .portOut: Words(en: "Taking the number along", zh: "携号转网")
        case .contractEnd: Words(en: "End of the contract", zh: "合约到期")
        case .service: Words(en: "Service", zh: "服务")
        case .other: Words(en: "Something else", zh: "其他")
        }
    }
}

/// The way a contact took (TMF683 channel).
enum DeskChannel: String, CaseIterable, Sendable {
    case hotline, shop, app
    case webChat = "web_chat"
    case wechat, sms, mail

    /// However other systems spell it: `Phone`, `call centre`.
    init?(any text: String) {
        let text = text.lowercased().filter { $0.isLetter }
        if let known = Self.allCases.first(where: { $0.rawValue.filter(\.isLetter) == text }) {
            self = known
            return
        }
        switch text {
        case "phone", "call", "voice", "telephone", "callcenter", "callcentre", "电话", "热线": self = .hotline
        case "store", "branch", "retail", "营业厅": self = .shop
        case "chat", "web", "livechat": self = .webChat
        case "mobileapp", "手机应用": self = .app
        case "email", "letter", "邮件": self = .mail
        case "text", "短信": self = .sms
        case "微信": self = .wechat
        default: return nil
        }
    }

    var words: Words {
        switch self {
        case .hotline: Words(en: "Hotline", zh: "热线")
        case .shop: Words(en: "Shop", zh: "营业厅")
        case .app: Words(en: "App", zh: "手机应用")
        case .webChat: Words(en: "Web chat", zh: "网页客服")
        case .wechat: Words(en: "WeChat", zh: "微信")
        case .sms: Words(en: "Text message", zh: "短信")
        case .mail: Words(en: "Mail", zh: "邮件")
        }
    }
}

/// Who began a contact.
enum DeskDirection: String, CaseIterable, Sendable {
    case inbound, outbound

    var words: Words {
        switch self {
        case .inbound: Words(en: "from the customer", zh: "客户来访")
        case .outbound: Words(en: "from us", zh: "我方联系")
        }
    }
}

/// What came of a contact.
enum DeskOutcome: String, CaseIterable, Sendable {
    case answered
    case caseOpened = "case_opened"
    case caseSolved = "case_solved"
    case sent
    case notReached = "not_reached"
    case abandoned

    var words: Words {
        switch self {
        case .answered: Words(en: "Answered", zh: "已答复")
        case .caseOpened: Words(en: "Case opened", zh: "已建工单")
        case .caseSolved: Words(en: "Told it is solved", zh: "已告知解决")
        case .sent: Words(en: "Sent", zh: "已发送")
        case .notReached: Words(en: "Not reached", zh: "未接通")
        case .abandoned: Words(en: "Hung up before an answer", zh: "未答复即挂断")
        }
    }
}

extension Words {
    /// A code that an older or newer version wrote is shown as it is.
    static func code(_ text: String) -> Words { Words(en: text, zh: text) }
}
