import Kernel

/// Turns what sources write about services, contracts and payment into codes. What is not known is kept as it was
/// written: nothing an operator has is lost because we have no word for it.
enum ServiceWords {
    static func service(_ text: String) -> ServiceCode {
        let word = Folding.fold(text)
        if let code = ServiceCode(rawValue: word.replacing(" ", with: "_")) { return code }
        func has(_ words: [String]) -> Bool { words.contains { word.contains($0) } }
        if has(["mobile", "cell", "gsm", "prepaid", "postpaid", "移动", "手机", "4g", "5g"]) { return .mobile }
        if has(["broadband", "internet", "dsl", "fib", "cable", "宽带", "光纤"]) { return .broadband }
        if has(["landline", "fixed", "voice", "固话", "固定电话"]) { return .fixedVoice }
        if has(["tv", "电视"]) { return .tv }
        if has(["iot", "m2m", "物联"]) { return .iot }
        return .other
    }

    /// `nil` = no internet; `yes` = some, technology not told.
    static func technology(_ text: String?) -> String? {
        guard let text else { return nil }
        let word = Folding.fold(text)
        switch word {
        case "no", "none", "n", "false", "0", "无", "否", "没有": return nil
        case "yes", "y", "true", "1", "有", "是": return "yes"
        default: break
        }
        if word.contains("fib") || word.contains("光") { return "fibre" }
        if word.contains("dsl") { return "dsl" }
        if word.contains("cable") { return "cable" }
        return word
    }

    /// Months of a contract; 0 for none.
    /// - Throws: `FieldRefusal` for what cannot be understood.
    static func contractMonths(_ text: String?) throws(FieldRefusal) -> Int? {
        guard let text else { return nil }
        let word = Folding.fold(text)
        switch word {
        case "month-to-month", "month to month", "monthly", "no contract", "none", "no", "无合约", "无", "月付", "按月":
            return 0
        default: break
        }
        let named = ["one": 1, "two": 2, "three": 3, "一": 1, "两": 2, "二": 2, "三": 3]
        let digits = Folding.digits(word)
        let count = digits.isEmpty ? named.first { word.hasPrefix($0.key) }?.value : Int(digits)
        let years = word.contains("year") || word.contains("yr") || word.contains("年")
        guard let count, let months = Optional(years ? count.multipliedReportingOverflow(by: 12).partialValue : count),
            (0...120).contains(months)
        else {
            throw FieldRefusal(
                "contract_term", en: "The contract term is not understood; write months, such as 24.",
                zh: "无法识别合约期，请填写月数，例如 24。")
        }
        return months
    }

    static func paymentMethod(_ text: String) -> String {
        let word = Folding.fold(text)
        func has(_ words: [String]) -> Bool { words.contains { word.contains($0) } }
        if has(["electronic check", "electronic_check"]) { return "electronic_check" }
        if has(["mailed check", "mailed_check"]) { return "mailed_check" }
        if has(["bank transfer", "bank_transfer", "转账"]) { return "bank_transfer" }
        if has(["credit card", "credit_card", "信用卡"]) { return "credit_card" }
        if has(["direct debit", "direct_debit", "bank withdrawal", "代扣", "托收"]) { return "direct_debit" }
        if has(["wechat", "微信"]) { return "wechat" }
        if has(["alipay", "支付宝"]) { return "alipay" }
        if has(["cash", "现金"]) { return "cash" }
        return text
    }

    static func addon(_ code: AddonCode) -> Words {
        switch code {
        case .multipleLines: Words(en: "Multiple lines", zh: "多线路")
        case .onlineSecurity: Words(en: "Online security", zh: "网络安全")
        case .onlineBackup: Words(en: "Online backup", zh: "在线备份")
        case .deviceProtection: Words(en: "Device protection", zh: "设备保障")
        case .techSupport: Words(en: "Tech support", zh: "技术支持")
        case .streamingTV: Words(en: "Streaming TV", zh: "流媒体电视")
        case .streamingMovies: Words(en: "Streaming movies", zh: "流媒体电影")
        case .dataPack: Words(en: "Data pack", zh: "流量包")
        case .roaming: Words(en: "Roaming pack", zh: "漫游包")
        case .internationalCalls: Words(en: "International calls", zh: "国际长途")
        case .cloudStorage: Words(en: "Cloud storage", zh: "云存储")
        }
    }

    static func addonSynonyms(_ code: AddonCode) -> [String] {
        switch code {
        case .multipleLines: ["multiple lines", "multi line"]
        case .deviceProtection: ["device protection", "device protection plan"]
        case .techSupport: ["tech support", "premium tech support"]
        case .internationalCalls: ["international plan", "intl plan", "国际通话"]
        case .dataPack: ["data pack", "unlimited data", "加油包"]
        default: [code.rawValue.replacing("_", with: " ")]
        }
    }
}

/// Why customers leave, for grouping; the words of the source are kept beside the code.
enum LeaveReason: String, Sendable, CaseIterable {
    case competitor, price, quality, service, product, moved
    case noNeed = "no_need"
    case deceased, other, unknown

    static func code(_ text: String) -> LeaveReason {
        let word = Folding.fold(text)
        if let code = LeaveReason(rawValue: word.replacing(" ", with: "_")) { return code }
        func has(_ words: String...) -> Bool { words.contains { word.contains($0) } }
        if has("don't know", "unknown", "不详", "未知") { return .unknown }
        if has("competitor", "竞争", "携转", "友商", "携号") { return .competitor }
        if has("price", "charge", "afford", "expensive", "cost", "资费", "价格", "费用", "太贵") { return .price }
        if has("attitude", "expertise", "service diss", "support", "self-service", "态度", "服务") { return .service }
        if has("network", "reliab", "speed", "coverage", "signal", "信号", "网络", "网速", "质量", "覆盖") { return .quality }
        if has("product", "range of services", "产品", "套餐不") { return .product }
        if has("moved", "move", "搬", "迁") { return .moved }
        if has("deceased", "death", "去世", "死亡") { return .deceased }
        if has("no longer need", "not need", "不需要", "不再使用") { return .noNeed }
        return .other
    }
}
