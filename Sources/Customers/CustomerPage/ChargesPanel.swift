import Kernel
import Platform
import Storage
import Web

/// Bills and payments of the last twelve months, as bars and as a table.
enum ChargesPanel {
    static let charges: SQL = """
        SELECT kind, period, amount, currency, issued_on, due_on, paid_on, id, number, account_number,
          bill_number, method, settled, settled_on
        FROM customers_charge WHERE issued_on >= $1
        """
    static let place: SQL = "SELECT issued_on FROM customers_charge WHERE id = $1"
    static let older: SQL = "SELECT 1 FROM customers_charge WHERE issued_on < $1"
    static let sums: SQL = """
        SELECT l.monthly_charge, c.total_charges, c.currency FROM customers_customer c
        LEFT JOIN customers_listing l ON l.customer_id = c.id WHERE TRUE
        """

    /// More are on a page of their own.
    static let shownOnCustomerPage = 13

    struct Charge: Sendable {
        let id: Int64
        let kind: ChargeKind
        let period: String
        let amount: Int64
        let currency: String
        let issuedOn: LocalDate
        let dueOn: LocalDate?
        let paidOn: LocalDate?
        /// What it is called at its source, the account it is of, the bill that was paid and how.
        var number: String?
        var account: String?
        var bill: String?
        var method: String?

        /// Of a bill: what payments that name it have paid, and when that came to its amount. Of a payment that names a bill:
        /// how much of it a bill took.
        var settled: Int64?
        var settledOn: LocalDate?

        enum State { case paid, paidLate, partly, open, overdue, none }

        /// When nothing was open any more: the source says so, or the payments do.
        var clearedOn: LocalDate? { paidOn ?? settledOn }

        func state(_ today: LocalDate) -> State {
            guard kind == .bill || kind == .fee, amount > 0 else { return .none }
            if let clearedOn { return dueOn.map { clearedOn > $0 } ?? false ? .paidLate : .paid }
            if let dueOn, dueOn < today { return .overdue }
            return (settled ?? 0) > 0 ? .partly : dueOn == nil ? .none : .open
        }

        /// What is still to be paid of a bill.
        var rest: Int64 { clearedOn == nil && kind != .cancelled ? max(0, amount - (settled ?? 0)) : 0 }
        /// What was paid of a bill beyond its amount; of a cancelled one all of it.
        var over: Int64 {
            kind != .payment && amount > 0 ? max(0, (settled ?? 0) - (kind == .cancelled ? 0 : amount)) : 0
        }
        /// A payment names a bill that is not here.
        var isAstray: Bool { kind == .payment && bill != nil && settled == 0 }
    }

    /// Newest first.
    /// - Parameter after: continues behind the charge of this id.
    static func charges(
        _ ids: [CustomerID], since: LocalDate, after: Int64? = nil, limit: Int, _ session: any SQLSession
    ) throws -> Asked<[Charge]> {
        var builder = SQLBuilder(charges, [.date(since)])
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        if let after {
            var row = SQLBuilder(place, [.int(after)])
            row.appendIn("AND customer_id", ids.map { .id($0) })
            guard let day = try session.query(row, { $0.text(0) }).first else { return Asked { [] } }
            builder.append("AND (issued_on, id) < (?, ?)", .text(day), .int(after))
        }
        builder.append("ORDER BY issued_on DESC, id DESC LIMIT ?", .int(limit))
        return try session.asking(builder) { row in
            Charge(
                id: row.int(7), kind: ChargeKind(rawValue: row.text(0)) ?? .fee, period: row.text(1),
                amount: row.int(2),
                currency: row.text(3), issuedOn: row.optionalDate(4) ?? since, dueOn: row.optionalDate(5),
                paidOn: row.optionalDate(6), number: row.optionalText(8), account: row.optionalText(9),
                bill: row.optionalText(10), method: row.optionalText(11), settled: row.optionalInt(12),
                settledOn: row.optionalDate(13))
        }
    }

    static func begin(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        let keys = request.customers.map { SQLValue.id($0) }
        let since = today.adding(months: -12)
        let rows = try charges(request.customers, since: since, limit: 60, session)
        var builder = SQLBuilder(sums)
        builder.appendIn("AND c.id", keys)
        let sums = try session.asking(builder) { ($0.optionalInt(0), $0.optionalInt(1), $0.text(2)) }
        var behind = SQLBuilder(older, [.date(since)])
        behind.appendIn("AND customer_id", keys)
        behind.append("LIMIT 1")
        let hasOlder = try session.askingFirst(behind) { _ in true }
        return Asked {
            let rows = try rows.value()
            // Fewer than are shown are all there are of these months.
            let hasMore = try rows.count > shownOnCustomerPage || hasOlder.value() != nil
            return content(rows, try sums.value(), hasMore: hasMore, today: today, request)
        }.staged
    }

    private static func content(
        _ rows: [Charge], _ sums: [(monthly: Int64?, total: Int64?, currency: String)], hasMore: Bool,
        today: LocalDate, _ request: PanelRequest
    ) -> PanelContent {
        let language = request.language
        var monthly: Int64?
        var total: Int64?
        for sum in sums {
            if let charge = sum.monthly, charge >= 0 { monthly = (monthly ?? 0).plus(charge) }
            if let sum = sum.total { total = (total ?? 0).plus(sum) }
        }
        let currency = sums.last?.currency ?? rows.first?.currency ?? "CNY"
        let bills = rows.filter { $0.kind == .bill }
        let overdue = bills.filter { $0.state(today) == .overdue }
        let lineage = PanelParts.lineage(request.customers[0], request.principal)
        return PanelContent(
            template: "customers/panel-charges",
            view: [
                "monthly": .text(PanelParts.money(monthly, currency)), "hasMonthly": .bool(monthly != nil),
                "charged": .text(PanelParts.money(total, currency)), "hasCharged": .bool(total != nil),
                "rows": .list(rows.prefix(shownOnCustomerPage).map { view($0, today, language, lineage) }),
                "hasRows": .bool(!rows.isEmpty),
                "more": .text(hasMore ? "/customers/\(request.customers[0])/charges" : nil),
                "hasChart": .bool(bills.count > 1),
                "chart": .text(chart(bills, currency, language).encoded()),
                "overdueCount": .int(overdue.count), "hasOverdue": .bool(!overdue.isEmpty),
                "overdueAmount": .text(PanelParts.money(overdue.reduce(Int64(0)) { $0 + $1.rest }, currency)),
            ])
    }

    /// - Parameter lineage: the page that tells where values come from, for those who may see it.
    static func view(_ charge: Charge, _ today: LocalDate, _ language: Language, _ lineage: String?) -> View {
        let state = charge.state(today)
        let bill = charge.bill.map { Words(en: "for \($0)", zh: "对应 \($0)")[language] }
        // The month is the one that is billed; the day on which the bill was made out stands beside it.
        let made =
            charge.kind == .bill || BillState.kinds.values.contains(charge.kind) && charge.kind != .draft
            ? Words(en: "made out \(charge.issuedOn)", zh: "\(charge.issuedOn) 出账")[language] : nil
        let detail = [charge.number, made, charge.account, charge.method, bill].compactMap { $0 }
        return [
            "lineage": .text(charge.number == nil ? nil : lineage.map { "\($0)/\(charge.id)" }),
            "detail": .text(detail.isEmpty ? nil : detail.joined(separator: " · ")),
            "received": .text(charge.kind == .payment ? charge.issuedOn.description : nil),
            "kind": .text(PageWords.of(charge.kind)[language]), "period": .text(charge.period),
            "amount": .text(PanelParts.money(charge.amount, charge.currency)),
            "due": .text(charge.dueOn?.description ?? ""), "paidOn": .text(charge.clearedOn?.description ?? ""),
            "partly": .bool(state == .partly),
            "rest": .text(
                (charge.settled ?? 0) > 0 && charge.rest > 0 ? PanelParts.money(charge.rest, charge.currency) : nil),
            "over": .text(charge.over > 0 ? PanelParts.money(charge.over, charge.currency) : nil),
            "astray": .bool(charge.isAstray),
            "paid": .bool(state == .paid), "late": .bool(state == .paidLate), "open": .bool(state == .open),
            "overdue": .bool(state == .overdue),
        ]
    }

    /// One bar a month, oldest first; amounts in major units.
    static func chart(_ bills: [Charge], _ currency: String, _ language: Language) -> JSONValue {
        var sums: [String: Int64] = [:]
        for bill in bills { sums[bill.period, default: 0] += bill.amount }
        let months = sums.keys.sorted()
        var scale = 1.0
        for _ in 0..<Money.exponent(of: currency) { scale *= 10 }
        let title = Words(en: "Bills", zh: "账单")[language]
        let axis: [String: JSONValue] = [
            "format": .string("money"), "currency": .string(currency),
            "title": .string(Words(en: "Amount", zh: "金额")[language]),
        ]
        let month = JSONValue.object(["title": .string(Words(en: "Month", zh: "账期")[language])])
        return .object([
            "labels": .array(months.map { .string($0) }),
            "series": .array([
                .object([
                    "name": .string(title), "tone": .string("accent"),
                    "values": .array(months.map { .double(Double(sums[$0] ?? 0) / scale) }),
                ])
            ]),
            "summary": .string(Words(en: "Monthly bills", zh: "每月账单金额")[language]), "x": month, "y": .object(axis),
        ])
    }
}
