import Kernel

/// How to speak of the columns that Customers gives by itself. Their names are ours, so the wording can be exact; the
/// columns of other sources are put into words by `Concept`.
enum BuiltInReasons {
    /// A clause with the customer's value; nil for a column that is not ours or whose value is not what it should be.
    static func clause(
        _ column: String, value: String?, kind: ColumnKind, standing: Standing?, currency: String = ""
    ) -> Bilingual? {
        if let value, let special = special(column, value) { return special }
        if value == nil, column == "contract_months_left" {
            return Bilingual(zh: "没有合约到期日", en: "Has no contract end date")
        }
        if let value, amounts.contains(column), let amount = money(value, currency) {
            return concepts[column]?.clause(column: column, value: amount, kind: .numeric, standing: standing)
        }
        guard let concept = concepts[column] else { return nil }
        // A flag is kept as yes and no, whatever the column was taken for.
        let kind = value == "yes" || value == "no" ? ColumnKind.boolean : kind
        return concept.clause(column: column, value: value.map(spoken), kind: kind, standing: standing)
    }

    private static func special(_ column: String, _ value: String) -> Bilingual? {
        if column == "senior" || column == "paperless" { return nil }
        guard let number = CellText.number(value) else { return nil }
        switch column {
        case "contract_term":
            let months = whole(number)
            return months <= 0
                ? Bilingual(zh: "按月签约，没有合约期", en: "Pays month by month, without a contract term")
                : Bilingual(zh: "签有 \(months) 个月合约", en: "Has a contract over \(months) months")
        case "contract_months_left":
            let months = whole(number)
            if months < 0 { return Bilingual(zh: "合约已到期", en: "The contract has run out") }
            return months == 0
                ? Bilingual(zh: "合约本月到期", en: "The contract ends within a month")
                : Bilingual(zh: "合约还剩 \(months) 个月", en: "The contract runs for another \(months) months")
        case "overdue_count":
            let count = whole(number)
            return count == 0
                ? Bilingual(zh: "没有逾期账单", en: "No bill was paid late")
                : Bilingual(
                    zh: "有 \(count) 张账单逾期",
                    en: (count == 1 ? "One bill was" : "\(count) bills were") + " paid late or not at all")
        case "dropped_call_rate":
            let share = Figures.percent(number)
            return Bilingual(zh: "近期掉话率为 \(share)", en: "\(share) of recent calls were dropped")
        default: return changes[column].map { change($0, number) }
        }
    }

    private static let amounts: Set<String> = ["monthly_charge", "total_charges", "bill_last"]

    /// `1889.5` -> `¥1,889.50`; nil when it is no amount.
    static func money(_ value: String, _ currency: String) -> String? {
        guard !currency.isEmpty, let number = CellText.number(value), abs(number) < 1e12 else { return nil }
        var scale = 1.0
        for _ in 0..<Money.exponent(of: currency) { scale *= 10 }
        return Figures.money(Int64((number * scale).rounded()), currency)
    }

    private static func whole(_ number: Double) -> Int { Int(min(max(number, -1e9), 1e9).rounded()) }

    /// `name` over the months before, as a ratio: -0.34 = a third less.
    private static func change(_ name: Bilingual, _ ratio: Double) -> Bilingual {
        let share = Figures.percent(abs(ratio), 0)
        if abs(ratio) < 0.005 {
            return Bilingual(zh: "\(name.zh)与前几个月持平", en: "\(name.en) is the same as in the months before")
        }
        return ratio > 0
            ? Bilingual(zh: "\(name.zh)比前几个月多 \(share)", en: "\(name.en) is \(share) above the months before")
            : Bilingual(zh: "\(name.zh)比前几个月少 \(share)", en: "\(name.en) is \(share) below the months before")
    }

    private static let changes: [String: Bilingual] = [
        "voice_min_change": Bilingual(zh: "通话时长", en: "Call time"),
        "sms_change": Bilingual(zh: "短信条数", en: "The number of text messages"),
        "data_mb_change": Bilingual(zh: "流量", en: "Data usage"),
        "bill_change": Bilingual(zh: "最近账单", en: "The last bill"),
    ]

    /// Codes as people read them: `bank_transfer` -> `bank transfer`.
    static func spoken(_ value: String) -> String {
        value.contains("_") ? String(value.map { $0 == "_" ? " " : $0 }) : value
    }

    static let concepts: [String: Concept] = {
        var table: [String: Concept] = [
            "kind": .choice("客户类型", "kind of customer"), "gender": .choice("性别", "gender"),
            "senior": .fact(
                "老年客户", "senior citizen", yes: ("是老年客户", "Is a senior citizen"),
                no: ("不是老年客户", "Is not a senior citizen")),
            "age_years": .measure("年龄", "age", .age), "language": .choice("语言", "language"),
            "industry": .choice("行业", "industry"), "size_tier": .choice("企业规模", "company size"),
            "region": .place("地区", "region", rank: 2), "city": .place("城市", "town", rank: 0),
            "postcode": .place("邮编", "post code", rank: 3), "latitude": .place("纬度", "latitude", rank: 5),
            "longitude": .place("经度", "longitude", rank: 6),
            "tenure_months": .measure("在网时长", "time as a customer", .length, .months),
            "payment_method": .choice("付款方式", "payment method"),
            "paperless": .fact(
                "电子账单", "paperless billing", yes: ("使用电子账单", "Uses paperless billing"),
                no: ("使用纸质账单", "Gets paper bills")),
            "total_charges": .measure("累计消费", "total charges to date"),
            "monthly_charge": .measure("月费", "monthly charge"), "bill_last": .measure("最近账单", "last bill"),
            "contract_term": .measure("合约期", "contract term", .length, .months),
            "contract_months_left": .measure("合约剩余时间", "remaining contract time", .length, .months),
            "overdue_count": .measure("逾期账单数", "number of overdue bills", .amount),
            "dropped_call_rate": .measure("掉话率", "share of dropped calls"),
            "plan": .choice("套餐", "plan"), "internet_service": .choice("上网业务", "internet service"),
            "line_count": .measure("业务数", "number of lines", .amount),
            "addon_count": .measure("增值业务数", "number of add-ons", .amount),
            "speed_mbps": .measure("平均速率（Mbit/s）", "mean speed in Mbit/s"),
            "voice_min_last_month": .measure("上月通话时长", "call time last month", .length, .minutes),
            "sms_last_month": .measure("上月短信条数", "number of text messages last month", .amount),
            "data_mb_last_month": .measure("上月流量", "data used last month", .level, .megabytes),
            "roaming_mb_last_month": .measure("上月漫游流量", "roaming data used last month", .level, .megabytes),
        ]
        for (name, words) in changes { table[name] = .measure(words.zh + "变化", "change of " + words.en.lowercased()) }
        for (code, zh, en) in services { table["service_" + code] = .service(zh, en) }
        for (code, zh, en) in addons { table["addon_" + code] = .service(zh, en) }
        return table
    }()

    private static let services = [
        ("mobile", "移动业务", "mobile service"), ("fixed_voice", "固话业务", "fixed voice service"),
        ("broadband", "宽带业务", "broadband"), ("tv", "电视业务", "TV service"), ("iot", "物联网业务", "IoT service"),
        ("other", "其他业务", "other services"),
    ]
    private static let addons = [
        ("multiple_lines", "多线服务", "multiple lines"), ("online_security", "网络安全服务", "online security"),
        ("online_backup", "在线备份", "online backup"), ("device_protection", "设备保障", "device protection"),
        ("tech_support", "技术支持", "tech support"), ("streaming_tv", "电视点播", "streaming TV"),
        ("streaming_movies", "电影点播", "streaming movies"), ("data_pack", "流量包", "data pack"),
        ("roaming", "漫游服务", "roaming"), ("international_calls", "国际通话", "international calls"),
        ("cloud_storage", "云存储", "cloud storage"),
    ]
}
