import Kernel
import Platform

/// Codes of the customer model in the words people read.
enum PageWords {
    /// Words of the codes that fields may hold, by field and code; the same ones as in import and edit form.
    private static let choices: [String: [String: Words]] = {
        var result: [String: [String: Words]] = [:]
        for field in CustomerFields.all {
            guard case .choice(let options) = field.field.kind else { continue }
            result[field.key] = Dictionary(options.map { ($0.code, $0.words) }, uniquingKeysWith: { first, _ in first })
        }
        return result
    }()

    /// The words of a code of a field with choices; the code itself when it is not one of them.
    static func choice(_ field: String, _ code: String) -> Words { choices[field]?[code] ?? Words(en: code, zh: code) }

    /// What a field is called.
    static func field(_ key: String) -> Words { CustomerFields.byKey[key]?.field.words ?? Words(en: key, zh: key) }

    static func of(_ kind: CustomerKind) -> Words { choice("kind", kind.rawValue) }
    static func of(_ status: CustomerStatus) -> Words { choice("status", status.rawValue) }
    static func of(_ status: SubscriptionStatus) -> Words { choice("subscription_status", status.rawValue) }
    static func of(_ kind: DocumentKind) -> Words { choice("document_kind", kind.rawValue) }
    static func of(_ size: SizeTier) -> Words { choice("size_tier", size.rawValue) }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// `2024-03` as people say it: March 2024, 2024年3月.
    static func month(_ text: String, _ language: Language) -> String {
        guard let day = LocalDate(text + "-01") else { return text }
        return Words(en: "\(months[day.month - 1]) \(day.year)", zh: "\(day.year)年\(day.month)月")[language]
    }

    static func of(_ tier: ValueTier) -> Words {
        switch tier {
        case .vip: Words(en: "VIP", zh: "VIP")
        case .high: Words(en: "High value", zh: "高价值")
        case .ordinary: Words(en: "Ordinary", zh: "普通")
        case .unknown: Words(en: "Not known", zh: "未知")
        }
    }

    static func of(_ band: RiskBand) -> Words {
        switch band {
        case .critical: Words(en: "Critical", zh: "极高")
        case .high: Words(en: "High", zh: "高")
        case .medium: Words(en: "Medium", zh: "中")
        case .low: Words(en: "Low", zh: "低")
        }
    }

    static func of(_ service: ServiceCode) -> Words {
        switch service {
        case .mobile: Words(en: "Mobile", zh: "移动电话")
        case .fixedVoice: Words(en: "Fixed voice", zh: "固定电话")
        case .broadband: Words(en: "Broadband", zh: "宽带")
        case .tv: Words(en: "TV", zh: "电视")
        case .iot: Words(en: "IoT", zh: "物联网")
        case .other: Words(en: "Other", zh: "其他")
        }
    }

    static func of(_ kind: ChargeKind) -> Words {
        switch kind {
        case .bill: Words(en: "Bill", zh: "账单")
        case .payment: Words(en: "Payment", zh: "缴费")
        case .fee: Words(en: "Fee", zh: "费用")
        case .adjustment: Words(en: "Adjustment", zh: "调账")
        case .disputed: Words(en: "Disputed bill", zh: "争议账单")
        case .cancelled: Words(en: "Cancelled bill", zh: "作废账单")
        case .writtenOff: Words(en: "Bill written off", zh: "坏账核销")
        case .draft: Words(en: "Draft of a bill", zh: "账单草稿")
        }
    }

    static func of(_ role: RelationRole) -> Words {
        switch role {
        case .spouse: Words(en: "Spouse", zh: "配偶")
        case .parent: Words(en: "Parent", zh: "父母")
        case .child: Words(en: "Child", zh: "子女")
        case .member: Words(en: "Member", zh: "成员")
        case .payer: Words(en: "Payer", zh: "付费人")
        case .employer: Words(en: "Employer", zh: "任职单位")
        case .employee: Words(en: "Employee", zh: "员工")
        case .headOffice: Words(en: "Head office", zh: "总公司")
        case .branch: Words(en: "Branch", zh: "分公司")
        }
    }

    /// `0` = no contract term.
    static func term(months: Int) -> Words {
        months == 0
            ? Words(en: "Month to month", zh: "按月，无合约期") : Words(en: "\(months) months", zh: "\(months) 个月")
    }

    static let paymentMethods = [
        "wechat", "alipay", "direct_debit", "credit_card", "bank_transfer", "electronic_check", "mailed_check", "cash",
    ]

    /// Codes that are open: imports bring others, which are shown as they came.
    static let open: [String: Words] = [
        "wechat": Words(en: "WeChat Pay", zh: "微信支付"), "alipay": Words(en: "Alipay", zh: "支付宝"),
        "direct_debit": Words(en: "Direct debit", zh: "银行代扣"),
        "credit_card": Words(en: "Credit card", zh: "信用卡"), "bank_transfer": Words(en: "Bank transfer", zh: "银行转账"),
        "electronic_check": Words(en: "Electronic check", zh: "电子支票"),
        "mailed_check": Words(en: "Mailed check", zh: "邮寄支票"), "cash": Words(en: "Cash", zh: "现金"),
        "family": Words(en: "Family", zh: "家庭"), "business": Words(en: "Business", zh: "商务"),
        "senior": Words(en: "Senior", zh: "银龄"), "youth": Words(en: "Youth", zh: "青年"),
        "mass": Words(en: "Mass", zh: "大众"),
        "manufacturing": Words(en: "Manufacturing", zh: "制造"), "retail": Words(en: "Retail", zh: "零售"),
        "logistics": Words(en: "Logistics", zh: "物流"), "software": Words(en: "Software", zh: "软件"),
        "catering": Words(en: "Catering", zh: "餐饮"), "education": Words(en: "Education", zh: "教育"),
        "healthcare": Words(en: "Healthcare", zh: "医疗"), "construction": Words(en: "Construction", zh: "建筑"),
        "overdue": Words(en: "Overdue", zh: "欠费"), "won_back": Words(en: "Won back", zh: "已挽回"),
        "mistake": Words(en: "Recorded by mistake", zh: "误登记"),
    ]

    static func of(code: String, _ language: Language) -> String { open[code]?[language] ?? code }

    static func addon(_ code: String, _ language: Language) -> String {
        AddonCode(rawValue: code).map { ServiceWords.addon($0)[language] } ?? code
    }

    /// Why somebody left or a line changed its state.
    static func reason(_ code: String, _ language: Language) -> String {
        LeaveReason(rawValue: code).map { of($0)[language] } ?? of(code: code, language)
    }

    /// A reason that may be somebody's own words: codes are for everybody, words that may name a person for those who
    /// see names (G25).
    static func reason(_ text: String, _ language: Language, _ masking: Masking) -> String? {
        let isCode = LeaveReason(rawValue: text) != nil || open[text] != nil
        return isCode || masking.names ? reason(text, language) : nil
    }

    static func of(_ reason: LeaveReason) -> Words {
        switch reason {
        case .competitor: Words(en: "Competitor’s offer", zh: "竞争对手")
        case .price: Words(en: "Price", zh: "资费")
        case .quality: Words(en: "Network quality", zh: "网络质量")
        case .service: Words(en: "Service", zh: "服务")
        case .product: Words(en: "Product", zh: "产品")
        case .moved: Words(en: "Moved away", zh: "搬迁")
        case .noNeed: Words(en: "No longer needed", zh: "不再需要")
        case .deceased: Words(en: "Deceased", zh: "去世")
        case .other: Words(en: "Other", zh: "其他")
        case .unknown: Words(en: "Not known", zh: "未知")
        }
    }
}
