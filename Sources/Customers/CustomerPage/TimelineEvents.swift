import Kernel
import Platform
import Storage

/// Reads the events of the timeline a page at a time: every source in the order of its days, behind a cursor.
struct TimelineReader {
    static let outcomes: SQL = """
        SELECT id, COALESCE(left_on, recorded_on), reason_code, reason_text, competitor FROM customers_outcome
        WHERE TRUE
        """
    static let history: SQL = """
        SELECT h.id, h.changed_on, h.to_status, h.reason, s.plan, s.service FROM customers_subscription_history h
        LEFT JOIN customers_subscription s ON s.customer_id = h.customer_id AND s.id = h.subscription_id
        WHERE TRUE
        """
    static let starts: SQL = """
        SELECT id, started_on, plan, service FROM customers_subscription WHERE started_on IS NOT NULL
        """
    static let paidBills: SQL = """
        SELECT id, paid_on, amount, currency, period, due_on FROM customers_charge
        WHERE paid_on IS NOT NULL AND kind <> 'payment'
        """
    static let payments: SQL = """
        SELECT id, issued_on, amount, currency, period FROM customers_charge WHERE kind = 'payment'
        """
    static let anyPayment: SQL = "SELECT 1 FROM customers_charge WHERE kind = 'payment'"
    static let bills: SQL = """
        SELECT id, issued_on, kind, amount, currency, period, due_on, paid_on FROM customers_charge
        WHERE kind <> 'payment'
        """
    static let changes: SQL = """
        SELECT id, changed_at, actor, cause, from_status, to_status, fields FROM customers_change WHERE TRUE
        """
    /// Records that were changed last by something that keeps no row of its own: an import.
    static let touched: SQL = """
        SELECT c.id, c.updated_at FROM customers_customer c
        WHERE c.updated_at > c.created_at AND NOT EXISTS (
          SELECT 1 FROM customers_change x WHERE x.customer_id = c.id AND x.changed_at >= c.updated_at)
        """
    static let records: SQL = "SELECT id, created_at, source FROM customers_customer WHERE TRUE"

    /// Where the events come from. Of one day those of an earlier source stand above.
    enum Source: Int, CaseIterable {
        case outcome, history, start, paidBill, payment, bill, change, touched, record

        var kind: TimelinePanel.Kind {
            switch self {
            case .outcome: .outcome
            case .history, .start: .line
            case .paidBill, .payment: .payment
            case .bill: .bill
            case .change, .touched, .record: .record
            }
        }
    }

    /// The last event of a page: its day, its source, its row.
    struct Cursor: Sendable, Equatable {
        let on: LocalDate
        let source: Int
        let id: Int64

        init(on: LocalDate, source: Int, id: Int64) {
            self.on = on
            self.source = source
            self.id = id
        }

        /// `2026-01-31.5.7311`
        init?(_ text: String) {
            let parts = text.split(separator: ".")
            guard parts.count == 3, let on = LocalDate(parts[0]), let source = Int(parts[1]), let id = Int64(parts[2])
            else { return nil }
            self.init(on: on, source: source, id: id)
        }

        var text: String { "\(on).\(source).\(id)" }
    }

    struct Page {
        let events: [TimelinePanel.Event]
        let next: Cursor?
        /// Kinds of which there is an event at this place or behind it.
        let kinds: Set<TimelinePanel.Kind>
    }

    let request: PanelRequest
    let today: LocalDate
    let zone: Int
    let session: any SQLSession

    private var keys: [SQLValue] { request.customers.map { .id($0) } }
    private var language: Language { request.language }

    private struct Found {
        let cursor: Cursor
        let event: TimelinePanel.Event
    }

    /// Newest first, of one kind or of all, behind `before`.
    func page(_ kind: TimelinePanel.Kind?, before: Cursor?, limit: Int) throws -> Page {
        var found: [Found] = []
        for source in Source.allCases where kind == nil || source.kind == kind {
            found += try read(source, before, limit + 1)
        }
        let kinds = Set(found.map(\.event.kind))
        found.sort { a, b in
            if a.cursor.on != b.cursor.on { return a.cursor.on > b.cursor.on }
            if a.cursor.source != b.cursor.source { return a.cursor.source < b.cursor.source }
            return a.cursor.id > b.cursor.id
        }
        let shown = found.prefix(limit)
        return Page(events: shown.map(\.event), next: found.count > limit ? shown.last?.cursor : nil, kinds: kinds)
    }

    /// The kinds of which there is an event.
    func kinds() throws -> Set<TimelinePanel.Kind> {
        var result: Set<TimelinePanel.Kind> = []
        for source in Source.allCases where !result.contains(source.kind) {
            if try !read(source, nil, 1).isEmpty { result.insert(source.kind) }
        }
        return result
    }

    private func read(_ source: Source, _ before: Cursor?, _ limit: Int) throws -> [Found] {
        switch source {
        case .outcome: try outcomeEvents(before, limit)
        case .history: try historyEvents(before, limit)
        case .start: try startEvents(before, limit)
        case .paidBill: try paidBillEvents(before, limit)
        case .payment: try paymentEvents(before, limit)
        case .bill: try billEvents(before, limit)
        case .change: try changeEvents(before, limit)
        case .touched: try touchedEvents(before, limit)
        case .record: try recordEvents(before, limit)
        }
    }

    // MARK: Places

    /// Which rows of a source lie behind the cursor: all of its day, none, or those with a smaller id.
    private enum Behind { case upTo(LocalDate), before(LocalDate), within(LocalDate, Int64) }

    private func behind(_ source: Source, _ cursor: Cursor?) -> Behind? {
        guard let cursor else { return nil }
        if source.rawValue > cursor.source { return .upTo(cursor.on) }
        return source.rawValue == cursor.source ? .within(cursor.on, cursor.id) : .before(cursor.on)
    }

    /// A statement over a column of dates. The pieces name the column and the row's id.
    private func statement(
        _ start: SQL, _ source: Source, _ cursor: Cursor?, _ limit: Int, customer: SQL, upTo: SQL, before: SQL,
        within: SQL, order: SQL
    ) -> SQLBuilder {
        var builder = SQLBuilder(start)
        builder.appendIn(customer, keys)
        switch behind(source, cursor) {
        case .upTo(let day)?: builder.append(upTo, .date(day))
        case .before(let day)?: builder.append(before, .date(day))
        case .within(let day, let id)?: builder.append(within, .date(day), .int(id))
        case nil: break
        }
        builder.append(order, .int(limit))
        return builder
    }

    private func rows(
        _ builder: SQLBuilder, _ source: Source, _ day: (Row) -> LocalDate?,
        _ event: (Row, LocalDate) throws -> TimelinePanel.Event
    ) throws -> [Found] {
        try session.query(builder) { row -> Found? in
            guard let on = day(row) else { return nil }
            return Found(cursor: Cursor(on: on, source: source.rawValue, id: row.int(0)), event: try event(row, on))
        }.compactMap { $0 }
    }

    // MARK: Sources

    private func outcomeEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = statement(
            Self.outcomes, .outcome, cursor, limit, customer: "AND customer_id",
            upTo: "AND COALESCE(left_on, recorded_on) <= ?", before: "AND COALESCE(left_on, recorded_on) < ?",
            within: "AND (COALESCE(left_on, recorded_on), id) < (?, ?)",
            order: "ORDER BY COALESCE(left_on, recorded_on) DESC, id DESC LIMIT ?")
        return try rows(builder, .outcome, { $0.optionalDate(1) }) { row, on in
            // What somebody wrote about a person may name them: only for those who see names.
            let written = request.masking.names ? row.optionalText(3) : nil
            let reason = written ?? row.optionalText(2).map { PageWords.reason($0, language) } ?? ""
            let rival = row.optionalText(4).map { Words(en: "to \($0)", zh: "转至 \($0)")[language] } ?? ""
            return event(.outcome, on, "bad", Words(en: "Left", zh: "离网"), [reason, rival])
        }
    }

    private func historyEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = statement(
            Self.history, .history, cursor, limit, customer: "AND h.customer_id", upTo: "AND h.changed_on <= ?",
            before: "AND h.changed_on < ?", within: "AND (h.changed_on, h.id) < (?, ?)",
            order: "ORDER BY h.changed_on DESC, h.id DESC LIMIT ?")
        return try rows(builder, .history, { $0.optionalDate(1) }) { row, on in
            let to = SubscriptionStatus(rawValue: row.text(2))
            let words = to.map { PageWords.of($0)[language] } ?? row.text(2)
            let reason = row.optionalText(3).flatMap { PageWords.reason($0, language, request.masking) } ?? ""
            return event(
                .line, on, to == .active ? "ok" : to == .pending ? "info" : "warn",
                Words(en: "Line: \(words)", zh: "业务\(words)"),
                [product(row.optionalText(4), row.optionalText(5) ?? ""), reason])
        }
    }

    private func startEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = statement(
            Self.starts, .start, cursor, limit, customer: "AND customer_id", upTo: "AND started_on <= ?",
            before: "AND started_on < ?", within: "AND (started_on, id) < (?, ?)",
            order: "ORDER BY started_on DESC, id DESC LIMIT ?")
        return try rows(builder, .start, { $0.optionalDate(1) }) { row, on in
            event(
                .line, on, "info", Words(en: "Line started", zh: "开通业务"), [product(row.optionalText(2), row.text(3))])
        }
    }

    /// The day on which a bill was paid stands for a payment, where the source sends none of their own.
    private func paidBillEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        var any = SQLBuilder(Self.anyPayment)
        any.appendIn("AND customer_id", keys)
        any.append("LIMIT 1")
        guard try !session.exists(any.sql, any.arguments) else { return [] }
        let builder = statement(
            Self.paidBills, .paidBill, cursor, limit, customer: "AND customer_id", upTo: "AND paid_on <= ?",
            before: "AND paid_on < ?", within: "AND (paid_on, id) < (?, ?)",
            order: "ORDER BY paid_on DESC, id DESC LIMIT ?")
        return try rows(builder, .paidBill, { $0.optionalDate(1) }) { row, on in
            payment(row, on, late: row.optionalDate(5).map { on > $0 } ?? false)
        }
    }

    private func paymentEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = statement(
            Self.payments, .payment, cursor, limit, customer: "AND customer_id", upTo: "AND issued_on <= ?",
            before: "AND issued_on < ?", within: "AND (issued_on, id) < (?, ?)",
            order: "ORDER BY issued_on DESC, id DESC LIMIT ?")
        return try rows(builder, .payment, { $0.optionalDate(1) }) { row, on in payment(row, on, late: false) }
    }

    private func payment(_ row: Row, _ on: LocalDate, late: Bool) -> TimelinePanel.Event {
        let amount = PanelParts.money(row.int(2), row.text(3))
        let period = row.text(4)
        return event(
            .payment, on, late ? "warn" : "ok", Words(en: "Payment \(amount)", zh: "缴费 \(amount)"),
            [period, late ? Words(en: "late", zh: "逾期缴纳")[language] : ""])
    }

    private func billEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = statement(
            Self.bills, .bill, cursor, limit, customer: "AND customer_id", upTo: "AND issued_on <= ?",
            before: "AND issued_on < ?", within: "AND (issued_on, id) < (?, ?)",
            order: "ORDER BY issued_on DESC, id DESC LIMIT ?")
        return try rows(builder, .bill, { $0.optionalDate(1) }) { row, on in
            let charge = ChargesPanel.Charge(
                id: row.int(0), kind: ChargeKind(rawValue: row.text(2)) ?? .fee, period: row.text(5),
                amount: row.int(3), currency: row.text(4), issuedOn: on, dueOn: row.optionalDate(6),
                paidOn: row.optionalDate(7))
            let overdue = charge.state(today) == .overdue
            let amount = PanelParts.money(charge.amount, charge.currency)
            let due = charge.dueOn.map { day in
                overdue
                    ? Words(en: "overdue since \(day)", zh: "自 \(day) 起逾期")[language]
                    : Words(en: "due \(day)", zh: "\(day) 到期")[language]
            }
            let words = PageWords.of(charge.kind)
            return event(
                .bill, on, overdue ? "bad" : "", Words(en: "\(words.en) \(amount)", zh: "\(words.zh) \(amount)"),
                [charge.period, due ?? ""])
        }
    }

    // MARK: The record itself

    /// A statement over a column of instants, whose days are those of the tenant's zone.
    private func timed(
        _ start: SQL, _ source: Source, _ cursor: Cursor?, _ limit: Int, customer: SQL, before: SQL, within: SQL,
        order: SQL
    ) -> SQLBuilder {
        func midnight(_ day: LocalDate) -> SQLValue {
            .int(Int64(day.daysSinceEpoch) * 86_400_000 - Int64(zone) * 60_000)
        }
        var builder = SQLBuilder(start)
        builder.appendIn(customer, keys)
        switch behind(source, cursor) {
        case .upTo(let day)?: builder.append(before, midnight(day.adding(days: 1)))
        case .before(let day)?: builder.append(before, midnight(day))
        case .within(let day, let id)?:
            builder.append(within, midnight(day), midnight(day.adding(days: 1)), .int(id))
        case nil: break
        }
        builder.append(order, .int(limit))
        return builder
    }

    private func changeEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = timed(
            Self.changes, .change, cursor, limit, customer: "AND customer_id", before: "AND changed_at < ?",
            within: "AND (changed_at < ? OR (changed_at < ? AND id < ?))",
            // By day and then by id, as the cursor counts: ids are made in the order of time.
            order: "ORDER BY changed_at DESC, id DESC LIMIT ?")
        // Few customers have one that was changed.
        var titles: [String: Words]?
        func attributes() throws -> [String: Words] {
            if let titles { return titles }
            let read = Dictionary(
                try AttributeStore.all(session).map { ($0.fieldKey, $0.title) }, uniquingKeysWith: { first, _ in first }
            )
            titles = read
            return read
        }
        let mayKnow = request.principal.may(PlatformGrants.readCustomerAudit)
        return try rows(builder, .change, { $0.time(1).date(offsetMinutes: zone) }) { row, on in
            let actor = row.text(2)
            let who = mayKnow && !actor.isEmpty ? Words(en: "by \(actor)", zh: "由 \(actor)")[language] : ""
            let names = try row.text(6).split(separator: ",").map(String.init).map { key -> String in
                let words =
                    key.hasPrefix("line.")
                    ? LineFields.words(key) : key.hasPrefix("attr.") ? try attributes()[key] : PageWords.field(key)
                return words?[language] ?? key
            }
            var seen: Set<String> = []
            let fields = names.filter { seen.insert($0).inserted }.joined(separator: language == .zh ? "、" : ", ")
            if let from = row.optionalText(4).flatMap(CustomerStatus.init),
                let to = row.optionalText(5).flatMap(CustomerStatus.init)
            {
                let (old, new) = (PageWords.of(from), PageWords.of(to))
                return event(
                    .record, on, PanelParts.badge(to),
                    Words(en: "Status: \(old.en) → \(new.en)", zh: "客户状态：\(old.zh) → \(new.zh)"), [who])
            }
            return event(.record, on, "", Words(en: "Record changed", zh: "修改档案"), [fields, who])
        }
    }

    private func touchedEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = timed(
            Self.touched, .touched, cursor, limit, customer: "AND c.id", before: "AND c.updated_at < ?",
            within: "AND (c.updated_at < ? OR (c.updated_at < ? AND c.id < ?))",
            order: "ORDER BY c.updated_at DESC, c.id DESC LIMIT ?")
        return try rows(builder, .touched, { $0.time(1).date(offsetMinutes: zone) }) { _, on in
            event(.record, on, "", Words(en: "Last updated by an import", zh: "最近由导入更新"), [])
        }
    }

    private func recordEvents(_ cursor: Cursor?, _ limit: Int) throws -> [Found] {
        let builder = timed(
            Self.records, .record, cursor, limit, customer: "AND id", before: "AND created_at < ?",
            within: "AND (created_at < ? OR (created_at < ? AND id < ?))",
            order: "ORDER BY created_at DESC, id DESC LIMIT ?")
        return try rows(builder, .record, { $0.time(1).date(offsetMinutes: zone) }) { row, on in
            event(
                .record, on, "", Words(en: "Record created", zh: "建立档案"),
                [Words(en: "from “\(row.text(2))”", zh: "来源“\(row.text(2))”")[language]])
        }
    }

    private func product(_ plan: String?, _ service: String) -> String {
        plan ?? ServiceCode(rawValue: service).map { PageWords.of($0)[language] } ?? service
    }

    private func event(_ kind: TimelinePanel.Kind, _ on: LocalDate, _ tone: String, _ title: Words, _ notes: [String])
        -> TimelinePanel.Event
    {
        TimelinePanel.Event(
            kind: kind, on: on, tone: tone, title: title[language],
            note: notes.filter { !$0.isEmpty }.joined(separator: " · "))
    }
}
