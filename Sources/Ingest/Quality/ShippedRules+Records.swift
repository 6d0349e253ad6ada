import Kernel

/// Rules on the records of customers. Their keys begin with the entity: a key belongs to one rule.
extension ShippedRules {
    static let records: [QualityRule] = accounts + lines + bills + payments + cases + contacts

    private static let accounts: [QualityRule] = [
        required("accounts", "number", "An account has its number", "账户有编号", ["account_number"]),
        order("accounts", "dates", "Opened before it is closed", "开户日期不晚于销户日期", "opened_on", "closed_on"),
        rule("accounts.bill_day", "Bill day from 1 to 31", "账单日在 1 到 31 之间", ["bill_day"], .range, .accuracy, .quarantine, entity: "accounts") {
            $0.min = .number(1)
            $0.max = .number(31)
        },
        account("accounts", "parent", "The parent account is known", "上级账户已存在", "parent_number"),
        readable("accounts", ["name"]),
        days("accounts", ["opened_on", "closed_on"]),
        numbers("accounts", ["bill_day"]),
    ]

    private static let lines: [QualityRule] = [
        rule(
            "lines.named", "A line has a number", "业务有编号或号码", ["line_id", "msisdn"], .required, .completeness, .warn,
            entity: "lines"
        ) { $0.any = true },
        rule("lines.e164", "Number is E.164", "号码为 E.164 格式", ["msisdn"], .pattern, .accuracy, .warn, entity: "lines") {
            $0.format = .e164
        },
        rule(
            "lines.mobile", "Mobile number of China has 11 digits", "中国大陆手机号码为 11 位", ["msisdn"], .pattern, .accuracy,
            .quarantine, entity: "lines"
        ) {
            $0.format = .mobile
        },
        rule(
            "lines.iccid", "SIM number has its check digit (what is no SIM number is refused)",
            "SIM 卡号校验位正确（不是卡号的值会被拒绝）", ["iccid"], .pattern, .accuracy, .warn, entity: "lines"
        ) {
            $0.format = .iccid
        },
        rule(
            "lines.imei", "Device number has its check digit (what is no device number is refused)",
            "设备号校验位正确（不是设备号的值会被拒绝）", ["imei"], .pattern, .accuracy, .warn, entity: "lines"
        ) {
            $0.format = .imei
        },
        order("lines", "dates", "Started before it ends", "开通日期不晚于终止日期", "started_on", "ended_on"),
        amount("lines", "charge", "Monthly charge from 0 to 1,000,000", "月租费在 0 到 1,000,000 之间", "monthly_charge", 0),
        days("lines", ["started_on", "ended_on"]),
        numbers("lines", ["monthly_charge"]),
    ]

    private static let bills: [QualityRule] = [
        required("bills", "number", "A bill has number and amount", "账单有编号和金额", ["bill_number", "amount"]),
        amount(
            "bills", "amount", "Amount from -1,000,000 to 1,000,000", "金额在 -1,000,000 到 1,000,000 之间", "amount", -1_000_000
        ),
        order("bills", "due", "Due on the day of issue or later", "应缴日期不早于出账日期", "issued_on", "due_on"),
        account("bills", "account", "The account is known", "账户已存在", OfRecord.account),
        days("bills", ["issued_on", "due_on", "paid_on"]),
        numbers("bills", ["amount"]),
    ]

    private static let payments: [QualityRule] = [
        required(
            "payments", "number", "A payment has number, amount and day", "缴费有流水号、金额和日期",
            ["payment_number", "amount", "paid_on"]),
        amount("payments", "amount", "Amount from 0 to 1,000,000", "金额在 0 到 1,000,000 之间", "amount", 0),
        rule(
            "payments.day", "Paid within the last 20 years", "缴费日期在最近 20 年内", ["paid_on"], .range, .accuracy, .quarantine,
            entity: "payments"
        ) {
            $0.min = .today(years: -20, days: 0)
        },
        account("payments", "account", "The account is known", "账户已存在", OfRecord.account),
        days("payments", ["paid_on"]),
        numbers("payments", ["amount"]),
    ]

    private static let cases: [QualityRule] = [
        required("cases", "number", "A case has number and time", "工单有编号和受理时间", ["case_number", "opened_at"]),
        order("cases", "resolved", "Opened before it is resolved", "受理时间不晚于解决时间", "opened_at", "resolved_at"),
        order("cases", "closed", "Opened before it is closed", "受理时间不晚于关闭时间", "opened_at", "closed_at"),
        account("cases", "account", "The account is known", "账户已存在", OfRecord.account),
        readable("cases", ["subject"]),
        days("cases", ["opened_at", "resolved_at", "closed_at"]),
    ]

    private static let contacts: [QualityRule] = [
        required(
            "interactions", "number", "A contact has number and time", "接触有编号和时间", ["interaction_id", "happened_at"]),
        account("interactions", "account", "The account is known", "账户已存在", OfRecord.account),
        readable("interactions", ["note"]),
        days("interactions", ["happened_at"]),
        required(
            "survey_answers", "number", "An answer has number, time and score", "回答有编号、时间和评分",
            ["answer_id", "answered_at", "score"]),
        readable("survey_answers", ["note"]),
        days("survey_answers", ["answered_at"]),
        numbers("survey_answers", ["score"]),
    ]

    private enum OfRecord { static let account = "account_number" }

    // MARK: Kinds

    /// What the records themselves refuse without: the rule counts it, and the rows are refused as before.
    private static func required(
        _ entity: String, _ key: String, _ en: String, _ zh: String, _ fields: [String]
    ) -> QualityRule {
        rule(
            "\(entity).\(key)", en + " (a new record without is refused)", zh + "（新记录缺少时会被拒绝）", fields, .required,
            .completeness, .warn, entity: entity)
    }

    private static func order(
        _ entity: String, _ key: String, _ en: String, _ zh: String, _ first: String, _ last: String
    ) -> QualityRule {
        rule("\(entity).\(key)", en, zh, [first], .cross, .consistency, .quarantine, entity: entity) {
            $0.op = .lessOrEqual
            $0.with = last
        }
    }

    private static func amount(
        _ entity: String, _ key: String, _ en: String, _ zh: String, _ field: String, _ least: Double
    ) -> QualityRule {
        rule("\(entity).\(key)", en, zh, [field], .range, .accuracy, .quarantine, entity: entity) {
            $0.min = .number(least)
            $0.max = .number(1_000_000)
        }
    }

    /// Accounts may come later than what belongs to them: it is counted, and nothing waits.
    private static func account(
        _ entity: String, _ key: String, _ en: String, _ zh: String, _ field: String
    ) -> QualityRule {
        rule("\(entity).\(key)", en, zh, [field], .reference, .consistency, .warn, entity: entity) {
            $0.to = "account_number"
        }
    }

    private static func readable(_ entity: String, _ fields: [String]) -> QualityRule {
        rule("\(entity).readable", "Texts are readable", "文字可读（无乱码）", fields, .pattern, .accuracy, .warn, entity: entity) {
            $0.format = .readable
        }
    }

    private static func days(_ entity: String, _ fields: [String]) -> QualityRule {
        rule("\(entity).days", "Days can be read, day and month told apart", "日期可读，日与月可区分", fields, .type, .accuracy, .fix, entity: entity) {
            $0.repair = .dateOrder
            $0.otherwise = .quarantine
        }
    }

    private static func numbers(_ entity: String, _ fields: [String]) -> QualityRule {
        rule("\(entity).numbers", "Amounts and numbers can be read", "金额与数字可读取", fields, .type, .accuracy, .quarantine, entity: entity)
    }
}
