import Kernel
import Platform
import Storage

/// Reads the events of the timeline a page at a time: every source in the order of its time, behind a cursor.
///
/// The order of all of them is total, so that no event is on two pages or on none: newest day first; of one day what has
/// only a date stands above what has a time, in the order of the sources, and newer rows first; then by time.
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
        SELECT id, issued_on, kind, amount, currency, period, due_on, COALESCE(paid_on, settled_on) FROM customers_charge
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

    struct Page {
        let events: [TimelinePanel.Event]
        let next: Cursor?
        /// Names of fields that are shown without a mask.
        var unmasked: [String] {
            events.flatMap(\.unmasked).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
        /// Kinds of which there is an event at this place or behind it, in order.
        let kinds: [TimelineKind]
    }

    let request: PanelRequest
    let today: LocalDate
    let zone: Int
    /// What other domains know; their ranks follow those of `Source`.
    let others: [any TimelineSource]
    let session: any SQLSession

    private var keys: [SQLValue] { request.customers.map { .id($0) } }
    private var language: Language { request.language }

    private struct Found {
        let cursor: Cursor
        let event: TimelinePanel.Event
    }

    /// Newest first, of one kind or of all, behind `before`.
    func page(_ kind: TimelineKind?, before: Cursor?, limit: Int) throws -> Page {
        try asking(kind, before: before, limit: limit).value()
    }

    /// The same, asked for: every source before the first is waited for.
    func asking(_ kind: TimelineKind?, before: Cursor?, limit: Int) throws -> Asked<Page> {
        var sources: [Asked<[Found]>] = []
        for source in Source.allCases where kind == nil || source.kind == kind {
            sources.append(try read(source, before, limit + 1))
        }
        for (place, other) in others.enumerated() where kind == nil || other.kind == kind {
            sources.append(try read(other, rank(place), before, limit + 1))
        }
        let asked = sources
        return Asked { page(try asked.flatMap { try $0.value() }, limit: limit) }
    }

    private func page(_ found: [Found], limit: Int) -> Page {
        // Rows of one source and one time stay in the order in which the source gave them.
        let sorted = found.indices.sorted { a, b in
            let (one, two) = (found[a], found[b])
            if one.event.on != two.event.on { return one.event.on > two.event.on }
            if case .instant(let first) = one.cursor.time, case .instant(let second) = two.cursor.time, first != second
            {
                return first > second
            }
            if one.cursor.source != two.cursor.source { return one.cursor.source < two.cursor.source }
            return a < b
        }
        let shown = sorted.prefix(limit).map { found[$0] }
        let present = Set(found.map(\.event.kind))
        return Page(
            events: shown.map(\.event), next: found.count > limit ? shown.last?.cursor : nil,
            kinds: TimelinePanel.kinds(others).filter { present.contains($0) })
    }

    /// The kinds of which there is an event, in order.
    func kinds() throws -> [TimelineKind] {
        var present: Set<TimelineKind> = []
        var asked = try Source.allCases.map { ($0.kind, try read($0, nil, 1)) }
        asked += try others.enumerated().map { ($1.kind, try read($1, rank($0), nil, 1)) }
        for (kind, found) in asked where !present.contains(kind) {
            if try !found.value().isEmpty { present.insert(kind) }
        }
        return TimelinePanel.kinds(others).filter { present.contains($0) }
    }

    private func rank(_ place: Int) -> Int { Source.allCases.count + place }

    private func read(_ source: Source, _ before: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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

    /// Which rows of a source of days lie behind the cursor: all of its day, none, or those with a smaller id.
    private enum Behind { case upTo(LocalDate), before(LocalDate), within(LocalDate, Int64) }

    private func behind(_ source: Source, _ cursor: Cursor?) -> Behind? {
        guard let cursor else { return nil }
        switch cursor.time {
        case .instant(let at): return .before(at.date(offsetMinutes: zone))
        case .day(let on):
            if source.rawValue > cursor.source { return .upTo(on) }
            return source.rawValue == cursor.source ? .within(on, cursor.id) : .before(on)
        }
    }

    /// The same for a source of instants: what is older than the place's time, or at that time behind its key.
    private func place(_ rank: Int, _ cursor: Cursor?) -> TimelinePlace? {
        guard let cursor else { return nil }
        switch cursor.time {
        case .day(let on):
            let midnight = Int64(on.adding(days: 1).daysSinceEpoch) * 86_400_000 - Int64(zone) * 60_000
            return TimelinePlace(at: Instant(milliseconds: midnight))
        case .instant(let at):
            if rank == cursor.source { return TimelinePlace(at: at, key: cursor.key) }
            return TimelinePlace(at: rank < cursor.source ? at : Instant(milliseconds: at.milliseconds + 1))
        }
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
        _ builder: SQLBuilder, _ source: Source, _ day: @escaping (Row) -> LocalDate?,
        _ event: @escaping (Row, LocalDate) throws -> TimelinePanel.Event
    ) throws -> Asked<[Found]> {
        try session.asking(builder) { row -> Found? in
            guard let on = day(row) else { return nil }
            return Found(
                cursor: Cursor(.day(on), source.rawValue, String(row.int(0))), event: try event(row, on))
        }.map { $0.compactMap { $0 } }
    }

    // MARK: Sources

    private func outcomeEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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

    private func historyEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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

    private func startEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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
    private func paidBillEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
        var any = SQLBuilder(Self.anyPayment)
        any.appendIn("AND customer_id", keys)
        any.append("LIMIT 1")
        let hasPayments = try session.askingFirst(any) { _ in true }
        let builder = statement(
            Self.paidBills, .paidBill, cursor, limit, customer: "AND customer_id", upTo: "AND paid_on <= ?",
            before: "AND paid_on < ?", within: "AND (paid_on, id) < (?, ?)",
            order: "ORDER BY paid_on DESC, id DESC LIMIT ?")
        let paid = try rows(builder, .paidBill, { $0.optionalDate(1) }) { row, on in
            payment(row, on, late: row.optionalDate(5).map { on > $0 } ?? false)
        }
        return Asked { try hasPayments.value() != nil ? [] : paid.value() }
    }

    private func paymentEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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

    private func billEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
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
            let isOwed = BillState.kinds.values.contains(charge.kind) == false
            let due = (isOwed ? charge.dueOn : nil).map { day in
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

    /// Rows of a source whose second column is an instant; its day is one of the tenant's zone.
    private func timed(
        _ start: SQL, _ source: Source, _ cursor: Cursor?, _ limit: Int, customer: SQL, before: SQL, within: SQL,
        order: SQL, _ event: @escaping (Row, LocalDate) throws -> TimelinePanel.Event
    ) throws -> Asked<[Found]> {
        var builder = SQLBuilder(start)
        builder.appendIn(customer, keys)
        if let place = place(source.rawValue, cursor) {
            if place.key != nil {
                builder.append(within, .time(place.at), .int(cursor?.id ?? 0))
            } else {
                builder.append(before, .time(place.at))
            }
        }
        builder.append(order, .int(limit))
        return try session.asking(builder) { row in
            let at = row.time(1)
            return Found(
                cursor: Cursor(.instant(at), source.rawValue, String(row.int(0))),
                event: try event(row, at.date(offsetMinutes: zone)))
        }
    }

    private func changeEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
        // Few customers have one that was changed.
        let definitions = try AttributeStore.asking(session)
        var titles: [String: Words]?
        func attributes() throws -> [String: Words] {
            if let titles { return titles }
            let read = Dictionary(
                try definitions.value().map { ($0.fieldKey, $0.title) }, uniquingKeysWith: { first, _ in first })
            titles = read
            return read
        }
        let mayKnow = request.principal.may(PlatformGrants.readCustomerAudit)
        return try timed(
            Self.changes, .change, cursor, limit, customer: "AND customer_id", before: "AND changed_at < ?",
            within: "AND (changed_at, id) < (?, ?)", order: "ORDER BY changed_at DESC, id DESC LIMIT ?"
        ) { row, on in
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

    private func touchedEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
        try timed(
            Self.touched, .touched, cursor, limit, customer: "AND c.id", before: "AND c.updated_at < ?",
            within: "AND (c.updated_at, c.id) < (?, ?)", order: "ORDER BY c.updated_at DESC, c.id DESC LIMIT ?"
        ) { _, on in
            event(.record, on, "", Words(en: "Last updated by an import", zh: "最近由导入更新"), [])
        }
    }

    private func recordEvents(_ cursor: Cursor?, _ limit: Int) throws -> Asked<[Found]> {
        try timed(
            Self.records, .record, cursor, limit, customer: "AND id", before: "AND created_at < ?",
            within: "AND (created_at, id) < (?, ?)", order: "ORDER BY created_at DESC, id DESC LIMIT ?"
        ) { row, on in
            event(
                .record, on, "", Words(en: "Record created", zh: "建立档案"),
                [Words(en: "from “\(row.text(2))”", zh: "来源“\(row.text(2))”")[language]])
        }
    }

    // MARK: Other domains

    /// What a source tells is masked by it.
    private func read(_ other: any TimelineSource, _ rank: Int, _ cursor: Cursor?, _ limit: Int) throws
        -> Asked<[Found]>
    {
        let entries = try other.asking(
            request.customers, behind: place(rank, cursor), limit: limit, for: request.principal, session)
        return entries.map { entries in
            entries.map { entry in
                Found(
                    cursor: Cursor(.instant(entry.at), rank, entry.key),
                    event: TimelinePanel.Event(
                        kind: other.kind, on: entry.at.date(offsetMinutes: zone), tone: entry.tone,
                        title: entry.title[language], note: entry.note[language], unmasked: entry.unmasked))
            }
        }
    }

    private func product(_ plan: String?, _ service: String) -> String {
        plan ?? ServiceCode(rawValue: service).map { PageWords.of($0)[language] } ?? service
    }

    private func event(_ kind: TimelineKind, _ on: LocalDate, _ tone: String, _ title: Words, _ notes: [String])
        -> TimelinePanel.Event
    {
        TimelinePanel.Event(
            kind: kind, on: on, tone: tone, title: title[language],
            note: notes.filter { !$0.isEmpty }.joined(separator: " · "))
    }
}
