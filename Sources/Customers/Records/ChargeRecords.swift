import Kernel
import Platform
import Storage

/// Bills and payments, as sources bring them: both are charges of a customer.
enum ChargeRecords {
    static let select: SQL = """
        SELECT customer_id, id, kind, period, amount, currency, issued_on, due_on, paid_on, number, account_number,
          bill_number, method
        FROM customers_charge WHERE TRUE
        """
    static let update: SQL = """
        UPDATE customers_charge SET kind = $3, period = $4, amount = $5, currency = $6, issued_on = $7, due_on = $8,
          paid_on = $9, number = $10, account_number = $11, bill_number = $12, method = $13
        WHERE customer_id = $1 AND id = $2
        """
    static let delete: SQL = "DELETE FROM customers_charge WHERE customer_id = $1 AND id = $2"

    private static let columns = [
        "kind", "period", "amount", "currency", "issued_on", "due_on", "paid_on", "number", "account_number",
        "bill_number", "method",
    ]
    private static let sql = RecordSQL(
        select: select, table: "customers_charge",
        list: """
            customer_id, id, kind, period, amount, currency, issued_on, due_on, paid_on, number, account_number,
            bill_number, method
            """, update: update, delete: delete, keys: CustomerFinder.keys)

    private static let currency = ImportField(
        "currency", Words(en: "Currency", zh: "币种"), .text(3), synonyms: ["ccy", "货币"])

    static let bills = RecordKind(
        entity: "bills", title: Words(en: "Bills", zh: "账单"),
        fields: [
            ImportField(
                "bill_number", Words(en: "Bill number", zh: "账单编号"), .text(60), required: true, canMatch: true,
                synonyms: ["bill id", "bill no", "invoice", "invoice number", "invoice no", "账单号", "发票号"]),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn, OwnerFields.account,
            ImportField(
                "bill_kind", Words(en: "Kind", zh: "类型"),
                .choice([
                    ImportChoice("bill", Words(en: "Bill", zh: "账单"), synonyms: ["invoice", "月账单"]),
                    ImportChoice("fee", Words(en: "Fee", zh: "费用"), synonyms: ["charge", "一次性费用"]),
                    ImportChoice("adjustment", Words(en: "Adjustment", zh: "调账"), synonyms: ["credit", "credit note"]),
                ]), synonyms: ["bill type", "type", "账单类型"]),
            ImportField(
                "period", Words(en: "Billing month", zh: "账期"), .text(20),
                synonyms: [
                    "billing period", "bill month", "bill period", "month", "cycle", "billing cycle", "service month",
                    "service period", "usage month", "period start", "账单月份", "账单周期", "月份", "计费月", "计费月份", "计费周期", "账务周期",
                    "账务月份", "费用月份", "消费月份", "所属月份", "所属账期", "帳單期間", "計費期間", "費用期間",
                ]),
            ImportField(
                "amount", Words(en: "Amount", zh: "金额"), .money, required: true,
                synonyms: ["amount due", "total", "bill amount", "total amount", "charge", "应收金额", "账单金额", "應繳金額", "應繳總額"]),
            currency,
            ImportField(
                "issued_on", Words(en: "Issued on", zh: "出账日期"), .date,
                synonyms: ["issued", "issue date", "bill date", "invoice date", "出账时间", "账单日期", "出账日", "开票日期"]),
            ImportField(
                "due_on", Words(en: "Due on", zh: "应缴日期"), .date,
                synonyms: [
                    "due", "due date", "payment due", "应缴日", "缴费截止日期", "缴费期限", "缴款期限", "繳款截止日", "到期日", "到期日期",
                    "付款截止日", "付款截止日期", "应付日期", "最后缴费日", "最后付款日",
                ]),
            ImportField(
                "paid_on", Words(en: "Paid on", zh: "缴清日期"), .date,
                synonyms: ["paid date", "payment date", "settled on", "paid", "缴费日期", "付款日期", "支付日期", "销账日期", "繳款日期"]),
            BillState.field,
        ], keyField: "bill_number", columns: columns, state: ["kind", "paid_on"], sql: sql, audit: "customers.record.import",
        touched: CustomerRevision.move,
        changed: { changes, tenant, session in
            try Settlement.follow(changes, tenant, session)
            try NumberIndex.follow(.bills)(changes, tenant, session)
            try AccountReferences.follow(changes, session)
        }
    ) { draft throws(RecordRefusal) in
        let amount = try amount(draft, mayBeNegative: true)
        let issued = draft.text("issued_on").flatMap { LocalDate($0) }
        guard let period = try period(draft.text("period"), issued) else {
            throw RecordRefusal(
                "period", "required", en: "Neither the billing month nor the date of issue is known.",
                zh: "账期与出账日期均缺失。")
        }
        var made = draft.columns(["due_on", "paid_on", "account_number"])
        let due = draft.text("due_on").flatMap { LocalDate($0) }
        made["paid_on"] = BillState.paidOn(draft, due: due ?? issued ?? LocalDate(period + "-01"))
        made["kind"] = .text(BillState.kind(draft).rawValue)
        made["period"] = .text(period)
        made["amount"] = .int(amount)
        made["currency"] = .text(draft.currency)
        // A month's bill is made out when the month is over.
        made["issued_on"] = .date(issued ?? LocalDate(period + "-01")?.adding(months: 1))
        made["number"] = .text(draft.text("bill_number") ?? draft.text("number"))
        return made
    }

    static let payments = RecordKind(
        entity: "payments", title: Words(en: "Payments", zh: "缴费"),
        fields: [
            ImportField(
                "payment_number", Words(en: "Payment number", zh: "缴费流水号"), .text(60), required: true, canMatch: true,
                synonyms: ["payment id", "payment no", "transaction id", "receipt", "流水号", "交易号", "付款编号", "付款单号", "支付编号", "支付单号", "缴费编号"]),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn, OwnerFields.account,
            ImportField(
                "amount", Words(en: "Amount", zh: "金额"), .money, required: true,
                synonyms: ["paid amount", "payment amount", "sum", "缴费金额", "实缴金额", "付款金额", "支付金额", "繳款金額"]),
            currency,
            ImportField(
                "paid_on", Words(en: "Paid on", zh: "缴费日期"), .date, required: true,
                synonyms: [
                    "payment date", "paid date", "date", "transaction date", "缴费时间", "交易时间", "交易日期", "付款日期",
                    "付款时间", "支付日期", "支付时间", "繳款日期", "繳款時間",
                ]),
            ImportField(
                "method", Words(en: "Payment method", zh: "缴费方式"), .text(60),
                synonyms: ["payment method", "channel", "paid by", "支付方式", "缴费渠道", "繳款方式", "繳費通路"]),
            ImportField(
                "bill_number", Words(en: "For the bill", zh: "对应账单"), .text(60),
                synonyms: ["bill id", "bill no", "invoice", "invoice number", "账单号", "账单编号"]),
        ], keyField: "payment_number", columns: columns, sql: sql, audit: "customers.record.import",
        touched: CustomerRevision.move,
        changed: { changes, tenant, session in
            try Settlement.follow(changes, tenant, session)
            try NumberIndex.follow(.payments)(changes, tenant, session)
            try AccountReferences.follow(changes, session)
        }
    ) { draft throws(RecordRefusal) in
        let amount = try amount(draft, mayBeNegative: false)
        guard let date = (draft.text("paid_on") ?? draft.text("issued_on")).flatMap({ LocalDate($0) }) else {
            throw RecordRefusal("paid_on", "required", en: "The day of the payment is missing.", zh: "缺少缴费日期。")
        }
        guard date <= draft.today.adding(days: 1) else {
            throw RecordRefusal("paid_on", "future", en: "The payment lies in the future.", zh: "缴费日期在未来。")
        }
        var made = draft.columns(["account_number", "bill_number", "method"])
        made["kind"] = .text(ChargeKind.payment.rawValue)
        made["period"] = .text(date.yearMonth)
        made["amount"] = .int(amount)
        made["currency"] = .text(draft.currency)
        made["issued_on"] = .date(date)
        made["number"] = .text(draft.text("payment_number") ?? draft.text("number"))
        return made
    }

    private static func amount(_ draft: RecordDraft, mayBeNegative: Bool) throws(RecordRefusal) -> Int64 {
        if let currency = draft.values["currency"]?.asText, currency.uppercased() != draft.currency {
            throw RecordRefusal(
                "currency", "other_currency",
                en: "The amount is in another currency than \(draft.currency), the one amounts are kept in.",
                zh: "金额币种与系统币种 \(draft.currency) 不同。")
        }
        guard let amount = draft.int("amount") else {
            throw RecordRefusal("amount", "required", en: "The amount is missing.", zh: "缺少金额。")
        }
        guard abs(amount) <= CustomerFields.amountMax else {
            throw RecordRefusal("amount", "range", en: "The amount is too large.", zh: "金额过大。")
        }
        guard mayBeNegative || amount > 0 else {
            throw RecordRefusal(
                "amount", "range", en: "A payment is more than nothing; a correction is an adjustment among the bills.",
                zh: "缴费金额须大于零；冲正请作为账单中的调账导入。")
        }
        return amount
    }

    /// The month that is billed, not the one in which the bill is made out: `2026-05`, `202605`, `2026/5`, `2026年5月`,
    /// `May 2026`, `May-26`, or a date in the month; of a span the month in which it begins.
    static func period(_ text: String?, _ issued: LocalDate?) throws(RecordRefusal) -> String? {
        guard let text else {
            // Made out in the first days of a month, it is of the month before.
            return issued.map { ($0.day <= 10 ? $0.adding(months: -1) : $0).yearMonth }
        }
        if let named = named(text) { return named }
        let numbers = text.split { !("0"..."9").contains($0) }.map(String.init)
        var (year, month): (Int?, Int?) = (nil, nil)
        if let first = numbers.first, first.count == 4, numbers.count >= 2 {
            (year, month) = (Int(first), Int(numbers[1]))
        } else if numbers.count == 1, numbers[0].count == 6 || numbers[0].count == 8 {
            (year, month) = (Int(numbers[0].prefix(4)), Int(numbers[0].dropFirst(4).prefix(2)))
        }
        guard let year, let month, (1990...2100).contains(year), let day = LocalDate(year: year, month: month, day: 1)
        else {
            throw RecordRefusal(
                "period", "not_a_month", en: "A month is expected, such as 2026-05.", zh: "应为月份，例如 2026-05。")
        }
        return day.yearMonth
    }

    /// `May 2026`, `2026 May`, `Sept-26`: a month by its English name with a year.
    private static func named(_ text: String) -> String? {
        let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
        let months = [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ]
        guard
            let word = words.first(where: { $0.allSatisfy { ("a"..."z").contains($0) } && $0.count >= 3 }),
            let month = months.firstIndex(where: { $0.hasPrefix(word) || (word == "sept" && $0 == "september") })
        else { return nil }
        let numbers = words.filter { $0.allSatisfy(\.isNumber) }
        let year = numbers.first { $0.count == 4 } ?? (numbers.count == 1 ? numbers[0] : "")
        guard let year = Int(year), year < 100 || (1990...2100).contains(year) else { return nil }
        return LocalDate(year: year < 100 ? 2_000 + year : year, month: month + 1, day: 1)?.yearMonth
    }
}
