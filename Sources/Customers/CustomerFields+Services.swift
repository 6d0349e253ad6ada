import Kernel
import Storage

extension CustomerFields {
    // MARK: What they have

    static let services: [CustomerField] = [
        CustomerField(
            "internet_service", Words(en: "Internet service", zh: "宽带接入方式"), .text(60),
            ["internet", "internet type", "broadband", "宽带", "宽带类型", "上网方式", "寬頻", "寬頻類型", "寬頻上網"],
            get: { record, _ in
                guard let line = record.line(.broadband) else {
                    return record.subscriptions.contains { $0.service == .broadband } ? .text("no") : .null
                }
                return .text(line.technology ?? "yes")
            },
            set: { record, value, context throws(FieldRefusal) in
                if value == .null { return record.subscriptions.removeAll { $0.service == .broadband } }
                let technology = ServiceWords.technology(value.asText)
                record.setLine(.broadband, wanted: technology != nil, context) {
                    $0.technology = technology == "yes" ? nil : technology
                }
            }),
        CustomerField(
            "phone_service", Words(en: "Fixed-line telephone", zh: "固定电话"), .boolean, ["landline", "固话", "电话业务", "市話服務", "市內電話"],
            get: { record, _ in
                if record.line(.fixedVoice) != nil { return .bool(true) }
                return record.subscriptions.contains { $0.service == .fixedVoice } ? .bool(false) : .null
            },
            set: { record, value, context throws(FieldRefusal) in
                if value == .null { return record.subscriptions.removeAll { $0.service == .fixedVoice } }
                record.setLine(.fixedVoice, wanted: value.asBool ?? false, context) { _ in }
            }),
        CustomerField(
            "msisdn", Words(en: "Mobile number (MSISDN)", zh: "手机号码"), .phone, canMatch: true,
            [
                "mobile", "mobile number", "phone number", "number", "手机号", "手机", "业务号码", "服务号码", "用户号码",
                "行動電話", "行動電話號碼", "門號", "手機門號", "行動門號", "流動電話", "流動電話號碼", "手提電話", "手提電話號碼",
            ],
            get: { record, context in .text(record.numberLine(context)?.msisdn) },
            set: { record, value, context throws(FieldRefusal) in record.setNumber(value.asText, context) }),
        CustomerField(
            "service", Words(en: "Service", zh: "业务类型"), .text(60),
            ["service type", "product type", "产品类型", "业务"],
            get: { record, context in
                guard let line = record.main(context) else { return .null }
                return .text(line.service == .other ? line.technology ?? "other" : line.service.rawValue)
            },
            set: { record, value, context throws(FieldRefusal) in
                let text = value.asText
                record.changeMain(context, creating: text != nil) {
                    $0.service = text.map(ServiceWords.service) ?? .other
                    if $0.service == .other { $0.technology = text == "other" ? nil : text }
                }
            }),
        CustomerField(
            "plan", Words(en: "Plan", zh: "套餐"), .text(120),
            ["plan name", "tariff", "tariff plan", "package", "套餐名称", "资费", "资费套餐", "产品名称",
             "資費方案", "資費名稱", "方案", "方案名稱", "月租方案", "月費計劃", "服務計劃"],
            get: { record, context in .text(record.main(context)?.plan) },
            set: { record, value, context throws(FieldRefusal) in
                record.changeMain(context, creating: value != .null) { $0.plan = value.asText }
            }),
        CustomerField(
            "contract_term", Words(en: "Contract term", zh: "合约期"), .text(40),
            ["contract", "contract type", "contract length", "合约", "合约时长", "合同期限", "协议期", "合約期間", "合約期數", "綁約期"],
            get: { record, context in .text(record.main(context)?.contractTerm.map(String.init)) },
            set: { record, value, context throws(FieldRefusal) in
                let months = try ServiceWords.contractMonths(value.asText)
                record.changeMain(context, creating: months != nil) { $0.contractTerm = months }
            }),
        CustomerField(
            "contract_end", Words(en: "Contract end", zh: "合约到期日"), .date,
            ["contract end date", "contract expiry", "合约到期", "合同到期日", "合約迄日", "綁約到期日"],
            get: { record, context in .date(record.main(context)?.contractEnd) },
            set: { record, value, context throws(FieldRefusal) in
                record.changeMain(context, creating: value != .null) { $0.contractEnd = value.asDate }
            }),
        CustomerField(
            "start_date", Words(en: "Customer since", zh: "入网日期"), .date,
            [
                "start date", "since", "reg date", "registration date", "activation date", "join date", "开户日期", "入网时间",
                "开通日期", "申辦日期", "申裝日期", "啟用日期", "啟用日",
            ],
            get: { record, _ in .date(record.customer.since) },
            set: { record, value, context throws(FieldRefusal) in
                if let date = value.asDate, date > context.today.adding(days: 366) {
                    throw FieldRefusal("start_date", en: "The start lies too far in the future.", zh: "入网日期过于靠后。")
                }
                record.setStart(value.asDate)
            }),
        CustomerField(
            "tenure_months", Words(en: "Tenure in months", zh: "在网月数"), .integer, derived: true,
            ["tenure", "months", "months on book", "subscription length", "在网时长", "在网月份", "网龄"],
            get: { record, context in
                .int(record.tenureMonths(on: context.today).map(Int64.init))
            },
            set: { record, value, context throws(FieldRefusal) in
                guard let months = value.asInt else { return }
                guard (0...1_200).contains(months) else {
                    throw FieldRefusal(
                        "tenure_months", en: "The tenure must be 0 to 1,200 months.", zh: "在网月数须在 0 到 1200 之间。")
                }
                if record.tenureMonths(on: context.today) != Int(months) {
                    record.setStart(context.today.adding(months: -Int(months)))
                }
            }),
    ]

    static let addons: [CustomerField] = AddonCode.allCases.map { code in
        CustomerField(
            "addon_" + code.rawValue, ServiceWords.addon(code),
            .choice([
                ImportChoice("yes", Words(en: "Yes", zh: "是"), synonyms: ["y", "true", "1", "有", "已开通", "开通"]),
                ImportChoice(
                    "no", Words(en: "No", zh: "否"),
                    synonyms: ["n", "false", "0", "无", "未开通", "no internet service", "no phone service"]),
            ]), ServiceWords.addonSynonyms(code),
            get: { record, context in record.has(code.rawValue, context) ? .text("yes") : .null },
            set: { record, value, context throws(FieldRefusal) in
                record.setAddon(code.rawValue, value == .text("yes"), context)
            })
    }

    // MARK: Money

    static let money: [CustomerField] = [
        CustomerField(
            "monthly_charge", Words(en: "Monthly charge", zh: "月租费"), .money,
            ["monthly charges", "monthly fee", "charge amount", "usd monthly pay", "月租", "月费", "月消费", "月账单", "套餐费", "月租金額", "每月費用"],
            get: { record, context in .int(record.main(context)?.monthlyCharge) },
            set: { record, value, context throws(FieldRefusal) in
                try refuseBeyond(value, "monthly_charge")
                record.changeMain(context, creating: value != .null) { $0.monthlyCharge = value.asInt }
            }),
        CustomerField(
            "total_charges", Words(en: "Total charges", zh: "累计消费"), .money,
            ["total charge", "total revenue", "累计费用", "总消费", "消费总额", "累計金額", "總費用"],
            get: { record, _ in .int(record.customer.totalCharges) },
            set: { record, value, _ throws(FieldRefusal) in
                try refuseBeyond(value, "total_charges")
                record.customer.totalCharges = value.asInt
            }),
        .flag(
            "paperless", Words(en: "Paperless bill", zh: "电子账单"), \.customer.paperless,
            ["paperless billing", "e-bill", "无纸化账单", "是否电子账单"]),
        CustomerField(
            "payment_method", Words(en: "Payment method", zh: "缴费方式"), .text(60), ["payment", "支付方式", "付款方式", "繳款方式"],
            get: { record, _ in .text(record.customer.paymentMethod) },
            set: { record, value, _ throws(FieldRefusal) in
                record.customer.paymentMethod = value.asText.map(ServiceWords.paymentMethod)
            }),
    ]

    /// Minor units; what forms take at most. Sums and scores of such amounts stay far from the limits of integers.
    static let amountMax: Int64 = 100_000_000_000_000

    private static func refuseBeyond(_ value: SQLValue, _ key: String) throws(FieldRefusal) {
        if let amount = value.asInt, amount < 0 {
            throw FieldRefusal(key, en: "The amount must not be negative.", zh: "金额不能为负数。")
        }
        if let amount = value.asInt, amount > amountMax {
            throw FieldRefusal(key, en: "The amount is too large.", zh: "金额过大。")
        }
    }

    // MARK: Leaving

    static let leaving: [CustomerField] = [
        CustomerField(
            "left", Words(en: "Has left", zh: "是否离网"), .boolean,
            ["churn", "churn label", "churned", "is churn", "churn value", "离网", "是否流失", "流失", "是否离网", "是否退租", "退租"],
            get: { record, _ in .bool(record.customer.hasLeft) },
            set: { record, value, context throws(FieldRefusal) in record.setLeft(value.asBool, context) }),
        CustomerField(
            "left_on", Words(en: "Left on", zh: "离网日期"), .date,
            ["churn date", "end date", "termination date", "离网时间", "销户日期", "退网日期", "退租日期", "解約日期"],
            get: { record, _ in .date(record.outcome?.leftOn) },
            set: { record, value, context throws(FieldRefusal) in
                record.setLeftOn(value.asDate, context)
            }),
        CustomerField(
            "leave_reason", Words(en: "Reason for leaving", zh: "离网原因"), .text(200),
            ["churn reason", "reason", "cancellation reason", "流失原因", "销户原因", "退租原因", "解約原因"],
            get: { record, _ in .text(record.outcome?.reasonText) },
            set: { record, value, _ throws(FieldRefusal) in
                // A reason given for somebody who stayed says nothing about leaving.
                record.outcome?.reasonText = value.asText
                record.outcome?.reasonCode = value.asText.map { LeaveReason.code($0).rawValue }
            }),
        CustomerField(
            "competitor", Words(en: "Went to", zh: "转入运营商"), .text(100),
            ["competitor", "port-out operator", "携出方向", "竞争对手", "攜出業者", "轉入業者"],
            get: { record, _ in .text(record.outcome?.competitor) },
            set: { record, value, _ throws(FieldRefusal) in record.outcome?.competitor = value.asText }),
    ]

    // MARK: States

    static let states: [CustomerField] = [
        CustomerField(
            "status", Words(en: "Customer status", zh: "客户状态"),
            .choice([
                ImportChoice("prospect", Words(en: "Prospect", zh: "潜在客户"), synonyms: ["lead", "潜客"]),
                ImportChoice("onboarding", Words(en: "Onboarding", zh: "入网中")),
                ImportChoice("active", Words(en: "Active", zh: "在网"), synonyms: ["normal", "正常", "在用"]),
                ImportChoice("at_risk", Words(en: "At risk", zh: "有离网风险"), synonyms: ["at risk"]),
                ImportChoice("suspended", Words(en: "Suspended", zh: "停机"), synonyms: ["suspend", "停机保号", "欠费停机"]),
                ImportChoice("churned", Words(en: "Left", zh: "已离网"), synonyms: ["churn", "inactive", "离网", "销户"]),
                ImportChoice("won_back", Words(en: "Won back", zh: "已挽回"), synonyms: ["won back"]),
            ]), ["customer status", "lifecycle status", "状态", "用户状态"],
            get: { record, _ in .text(record.customer.status.rawValue) },
            set: { record, value, context throws(FieldRefusal) in
                guard let status = value.asText.flatMap(CustomerStatus.init) else { return }
                if status == .churned, record.customer.hasLeft != true { record.setLeft(true, context) }
                record.customer.status = status
            }),
        .text(
            "status_reason", Words(en: "Reason for the status", zh: "状态原因"), max: 200, \.customer.statusReason, []),
        CustomerField(
            "subscription_status", Words(en: "Subscription status", zh: "业务状态"),
            .choice([
                ImportChoice("pending", Words(en: "Pending", zh: "待开通")),
                ImportChoice("active", Words(en: "Active", zh: "在用"), synonyms: ["normal", "正常", "在网", "开通"]),
                ImportChoice("suspended", Words(en: "Suspended", zh: "停机"), synonyms: ["停机保号"]),
                ImportChoice(
                    "terminated", Words(en: "Terminated", zh: "已销户"), synonyms: ["ended", "closed", "拆机", "销户"]),
            ]), ["line status", "service status", "号码状态", "产品状态"],
            get: { record, context in .text(record.main(context)?.status.rawValue) },
            set: { record, value, context throws(FieldRefusal) in
                guard let status = value.asText.flatMap(SubscriptionStatus.init) else { return }
                record.changeMain(context, creating: true) {
                    if status != .terminated {
                        $0.endedOn = nil
                    } else if $0.status != .terminated, !context.isNew {
                        $0.endedOn = context.today
                    }
                    $0.status = status
                }
            }),
    ]
}
