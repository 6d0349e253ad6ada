import Kernel

// The states of the interface in words of people.

/// Where a product stands (TMF637).
enum ProductStatus: String, CaseIterable, Sendable {
    case created, pendingActive, active, suspended, pendingTerminate, terminated, cancelled, aborted

    var words: Words {
        switch self {
        case .created: Words(en: "Created", zh: "已创建")
        case .pendingActive: Words(en: "Being activated", zh: "开通中")
        case .active: Words(en: "Active", zh: "使用中")
        case .suspended: Words(en: "Suspended", zh: "已暂停")
        case .pendingTerminate: Words(en: "Being ended", zh: "销户中")
        case .terminated: Words(en: "Ended", zh: "已终止")
        case .cancelled: Words(en: "Cancelled", zh: "已取消")
        case .aborted: Words(en: "Given up", zh: "已中止")
        }
    }

    var badge: String {
        switch self {
        case .active: "ok"
        case .created, .pendingActive: "info"
        case .suspended, .pendingTerminate: "warn"
        case .terminated, .cancelled, .aborted: ""
        }
    }
}

/// Where an order stands (TMF622).
enum OrderState: String, CaseIterable, Sendable {
    case acknowledged, inProgress, pending, held, assessingCancellation, pendingCancellation
    case completed, partial, failed, cancelled, rejected

    var words: Words {
        switch self {
        case .acknowledged: Words(en: "Acknowledged", zh: "已受理")
        case .inProgress: Words(en: "In progress", zh: "处理中")
        case .pending: Words(en: "Pending", zh: "待反馈")
        case .held: Words(en: "On hold", zh: "已挂起")
        case .assessingCancellation: Words(en: "Cancellation is looked at", zh: "取消评估中")
        case .pendingCancellation: Words(en: "Being cancelled", zh: "取消中")
        case .completed: Words(en: "Completed", zh: "已完成")
        case .partial: Words(en: "Completed in part", zh: "部分完成")
        case .failed: Words(en: "Failed", zh: "失败")
        case .cancelled: Words(en: "Cancelled", zh: "已取消")
        case .rejected: Words(en: "Rejected", zh: "已拒绝")
        }
    }

    var badge: String {
        switch self {
        case .acknowledged, .inProgress: "info"
        case .pending, .held, .assessingCancellation, .pendingCancellation, .partial: "warn"
        case .completed: "ok"
        case .failed: "bad"
        case .cancelled, .rejected: ""
        }
    }
}

/// Where a quote stands (TMF648).
enum QuoteState: String, CaseIterable, Sendable {
    case inProgress, pending, approved, accepted, rejected, cancelled

    var words: Words {
        switch self {
        case .inProgress: Words(en: "In progress", zh: "编制中")
        case .pending: Words(en: "To be approved", zh: "待审批")
        case .approved: Words(en: "Approved", zh: "已批准")
        case .accepted: Words(en: "Accepted", zh: "客户已接受")
        case .rejected: Words(en: "Rejected", zh: "已拒绝")
        case .cancelled: Words(en: "Cancelled", zh: "已取消")
        }
    }

    var badge: String {
        switch self {
        case .inProgress, .pending: "info"
        case .approved: "warn"
        case .accepted: "ok"
        case .rejected, .cancelled: ""
        }
    }
}

/// What is paid for how long (`recurringChargePeriod`, a free word).
struct PeriodPrice: Sendable {
    private static let periods: [Words] = [
        Words(en: "day", zh: "天"), Words(en: "week", zh: "周"), Words(en: "month", zh: "月"), Words(en: "quarter", zh: "季"),
        Words(en: "year", zh: "年"),
    ]
    let amount: Money
    let period: String?

    /// `¥59.00 / month`, `¥59.00／月`; a word that is none of the usual ones as it came.
    func displayed(_ language: Language) -> String {
        guard let period, !period.isEmpty else { return amount.displayed }
        let word = period.lowercased()
        let known = Self.periods.first { words in
            [words.en, words.en + "s", words.en + "ly", "1 " + words.en, "per " + words.en, words.zh].contains(word)
                || words.en == "day" && word == "daily"
        }
        let text = known?[language] ?? period
        return language == .zh ? "\(amount.displayed)／\(text)" : "\(amount.displayed) / \(text)"
    }
}
