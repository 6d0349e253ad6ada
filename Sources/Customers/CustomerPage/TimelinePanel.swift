import Kernel
import Platform
import Storage
import Web

/// What happened with the customer, newest first: states of lines, bills and payments, the end, the record itself.
enum TimelinePanel {
    static let history: SQL = """
        SELECT h.changed_on, h.from_status, h.to_status, h.reason, s.plan, s.service
        FROM customers_subscription_history h
        LEFT JOIN customers_subscription s ON s.customer_id = h.customer_id AND s.id = h.subscription_id
        WHERE TRUE
        """
    static let starts: SQL = """
        SELECT started_on, plan, service FROM customers_subscription WHERE started_on IS NOT NULL
        """
    static let outcomes: SQL = """
        SELECT left_on, recorded_on, reason_code, reason_text, competitor FROM customers_outcome WHERE TRUE
        """
    static let records: SQL = "SELECT source, created_at, revision, updated_at FROM customers_customer WHERE TRUE"

    /// What the chips filter by.
    enum Kind: String, Sendable, CaseIterable {
        case line, bill, payment, outcome, record

        var words: Words {
            switch self {
            case .line: Words(en: "Lines", zh: "业务")
            case .bill: Words(en: "Bills", zh: "账单")
            case .payment: Words(en: "Payments", zh: "缴费")
            case .outcome: Words(en: "Leaving", zh: "离网")
            case .record: Words(en: "Record", zh: "档案")
            }
        }

        var icon: String {
            switch self {
            case .line: "sim"
            case .bill: "bill"
            case .payment: "check"
            case .outcome: "logout"
            case .record: "edit"
            }
        }
    }

    struct Event: Sendable {
        let kind: Kind
        let on: LocalDate
        /// Colour of the mark: `info`, `ok`, `warn`, `bad` or empty.
        let tone: String
        let title: String
        let note: String
    }

    static let shownOnCustomerPage = 10
    static let shownMax = 200

    static func load(_ request: PanelRequest, today: LocalDate, zone: Int, _ session: any SQLSession) throws
        -> PanelContent?
    {
        let all = try events(request, kind: nil, today: today, zone: zone, limit: shownMax, session)
        var view = view(Array(all.prefix(shownOnCustomerPage)))
        view["chips"] = .list(chips(request.customers[0], chosen: nil, all, request.language))
        view["more"] = .text(all.count > shownOnCustomerPage ? "/customers/\(request.customers[0])/timeline" : nil)
        return PanelContent(template: "customers/panel-timeline", view: view)
    }

    /// Events grouped by day.
    static func view(_ events: [Event]) -> View {
        var items: [View] = []
        var day: LocalDate?
        for event in events {
            if event.on != day {
                items.append(["isDay": true, "day": .text(event.on.description)])
                day = event.on
            }
            items.append([
                "isDay": false, "tone": .text(event.tone), "icon": .text(event.kind.icon), "title": .text(event.title),
                "note": .text(event.note), "hasNote": .bool(!event.note.isEmpty),
            ])
        }
        return ["items": .list(items), "isEmpty": .bool(events.isEmpty)]
    }

    /// Links that show one kind only; kinds without an event are left out.
    static func chips(_ id: CustomerID, chosen: Kind?, _ events: [Event], _ language: Language) -> [View] {
        let present = Set(events.map(\.kind))
        return Kind.allCases.filter { present.contains($0) || $0 == chosen }.map { kind in
            [
                "href": .text("/customers/\(id)/timeline?show=\(kind.rawValue)"), "label": .text(kind.words[language]),
                "chosen": .bool(kind == chosen),
            ]
        }
    }

    /// Newest first.
    static func events(
        _ request: PanelRequest, kind: Kind?, today: LocalDate, zone: Int, limit: Int, _ session: any SQLSession
    ) throws -> [Event] {
        let keys = request.customers.map { SQLValue.id($0) }
        let language = request.language
        func wants(_ kinds: Kind...) -> Bool { kind.map { kinds.contains($0) } ?? true }
        var events: [Event] = []
        if wants(.line) { events += try lineEvents(keys, language, limit, session) }
        if wants(.bill, .payment) {
            events += try moneyEvents(request.customers, today, language, limit, session)
        }
        if wants(.outcome) { events += try outcomeEvents(keys, language, session) }
        if wants(.record) { events += try recordEvents(keys, zone, language, session) }
        if let kind { events = events.filter { $0.kind == kind } }
        // Stable, so that what was read first of a day stays first.
        let order = events.enumerated().sorted { a, b in
            a.element.on != b.element.on ? a.element.on > b.element.on : a.offset < b.offset
        }
        return order.prefix(limit).map(\.element)
    }

    private static func lineEvents(
        _ keys: [SQLValue], _ language: Language, _ limit: Int, _ session: any SQLSession
    ) throws -> [Event] {
        func product(_ plan: String?, _ service: String) -> String {
            plan ?? ServiceCode(rawValue: service).map { PageWords.of($0)[language] } ?? service
        }
        var changes = SQLBuilder(history)
        changes.appendIn("AND h.customer_id", keys)
        changes.append("ORDER BY h.changed_on DESC, h.id DESC LIMIT ?", .int(limit))
        var events = try session.query(changes) { row -> Event? in
            guard let on = row.optionalDate(0) else { return nil }
            let to = SubscriptionStatus(rawValue: row.text(2))
            let words = to.map { PageWords.of($0)[language] } ?? row.text(2)
            let reason = row.optionalText(3).map { " · " + PageWords.reason($0, language) } ?? ""
            return Event(
                kind: .line, on: on, tone: to == .active ? "ok" : to == .pending ? "info" : "warn",
                title: Words(en: "Line: \(words)", zh: "业务\(words)")[language],
                note: product(row.optionalText(4), row.text(5)) + reason)
        }
        var first = SQLBuilder(starts)
        first.appendIn("AND customer_id", keys)
        first.append("ORDER BY started_on DESC, id DESC LIMIT ?", .int(limit))
        events += try session.query(first) { row -> Event? in
            guard let on = row.optionalDate(0) else { return nil }
            return Event(
                kind: .line, on: on, tone: "info", title: Words(en: "Line started", zh: "开通业务")[language],
                note: product(row.optionalText(1), row.text(2)))
        }
        return events.compactMap { $0 }
    }

    private static func moneyEvents(
        _ ids: [CustomerID], _ today: LocalDate, _ language: Language, _ limit: Int, _ session: any SQLSession
    ) throws -> [Event] {
        let charges = try ChargesPanel.charges(ids, since: today.adding(months: -36), limit: limit, session)
        // A source may send payments of their own; else the day on which a bill was paid stands for one.
        let hasPayments = charges.contains { $0.kind == .payment }
        var events: [Event] = []
        for charge in charges {
            let amount = PanelParts.money(charge.amount, charge.currency)
            if charge.kind == .payment {
                events.append(payment(charge.issuedOn, amount, late: false, charge.period, language))
                continue
            }
            let overdue = charge.state(today) == .overdue
            let due = charge.dueOn.map { Words(en: "due \($0)", zh: "\($0) 到期")[language] } ?? ""
            events.append(
                Event(
                    kind: .bill, on: charge.issuedOn, tone: overdue ? "bad" : "",
                    title: "\(PageWords.of(charge.kind)[language]) \(amount)",
                    note: overdue
                        ? Words(
                            en: "\(charge.period) · overdue since \(charge.dueOn ?? today)",
                            zh: "\(charge.period) · 自 \(charge.dueOn ?? today) 起逾期")[language]
                        : [charge.period, due].filter { !$0.isEmpty }.joined(separator: " · ")))
            if !hasPayments, let paidOn = charge.paidOn {
                events.append(payment(paidOn, amount, late: charge.state(today) == .paidLate, charge.period, language))
            }
        }
        return events
    }

    private static func payment(
        _ on: LocalDate, _ amount: String, late: Bool, _ period: String, _ language: Language
    ) -> Event {
        Event(
            kind: .payment, on: on, tone: late ? "warn" : "ok",
            title: Words(en: "Payment \(amount)", zh: "缴费 \(amount)")[language],
            note: late ? Words(en: "\(period) · late", zh: "\(period) · 逾期缴纳")[language] : period)
    }

    private static func outcomeEvents(_ keys: [SQLValue], _ language: Language, _ session: any SQLSession) throws
        -> [Event]
    {
        var builder = SQLBuilder(outcomes)
        builder.appendIn("AND customer_id", keys)
        builder.append("ORDER BY recorded_on DESC, id DESC LIMIT 20")
        return try session.query(builder) { row -> Event? in
            guard let on = row.optionalDate(0) ?? row.optionalDate(1) else { return nil }
            let reason = row.optionalText(3) ?? row.optionalText(2).map { PageWords.reason($0, language) } ?? ""
            let rival = row.optionalText(4).map { Words(en: "to \($0)", zh: "转至 \($0)")[language] } ?? ""
            return Event(
                kind: .outcome, on: on, tone: "bad", title: Words(en: "Left", zh: "离网")[language],
                note: [reason, rival].filter { !$0.isEmpty }.joined(separator: " · "))
        }.compactMap { $0 }
    }

    private static func recordEvents(
        _ keys: [SQLValue], _ zone: Int, _ language: Language, _ session: any SQLSession
    ) throws -> [Event] {
        var builder = SQLBuilder(records)
        builder.appendIn("AND id", keys)
        var events: [Event] = []
        try session.forEach(builder.sql, builder.arguments) { row in
            events.append(
                Event(
                    kind: .record, on: row.time(1).date(offsetMinutes: zone), tone: "",
                    title: Words(en: "Record created", zh: "建立档案")[language],
                    note: Words(en: "from “\(row.text(0))”", zh: "来源“\(row.text(0))”")[language]))
            if row.int(2) > 1 {
                events.append(
                    Event(
                        kind: .record, on: row.time(3).date(offsetMinutes: zone), tone: "",
                        title: Words(en: "Record last changed", zh: "档案最近更新")[language],
                        note: Words(en: "revision \(row.int(2))", zh: "第 \(row.int(2)) 版")[language]))
            }
            return true
        }
        return events
    }
}
