import Kernel
import Platform
import Storage
import Web

/// The lines of the customer with plan, contract, add-ons and the history of their states.
enum SubscriptionsPanel {
    static let lines: SQL = """
        SELECT id, service, technology, plan, msisdn, contract_term, contract_end, started_on, ended_on, status,
          monthly_charge, currency, iccid, imsi, imei, device, customer_id, sim_kind
        FROM customers_subscription WHERE TRUE
        """
    static let total: SQL = "SELECT COUNT(*) FROM customers_subscription WHERE TRUE"
    static let addons: SQL = """
        SELECT subscription_id, code, monthly_charge FROM customers_addon WHERE TRUE
        """
    static let history: SQL = """
        SELECT subscription_id, changed_on, from_status, to_status, reason FROM customers_subscription_history
        WHERE TRUE
        """

    /// More lines are on a page of their own: a company may have 100,000.
    static let shownOnCustomerPage = 12

    static func begin(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        let part = try part(request, today: today, after: nil, limit: shownOnCustomerPage, session)
        return try part.map { part in
            content(part, total: part.next == nil ? part.views.count : try count(request.customers, session), request)
        }
    }

    private static func content(_ part: Part, total: Int, _ request: PanelRequest) -> PanelContent {
        PanelContent(
            template: "customers/panel-subscriptions",
            view: [
                "lines": .list(part.views), "isEmpty": .bool(part.views.isEmpty),
                "total": .text(PanelParts.count(total)),
                "more": .text(part.next == nil ? nil : "/customers/\(request.customers[0])/subscriptions"),
            ],
            unmasked: part.unmasked)
    }

    static func count(_ ids: [CustomerID], _ session: any SQLSession) throws -> Int {
        var builder = SQLBuilder(total)
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        return try session.query(builder) { $0.integer(0) }.first ?? 0
    }

    struct Part {
        let views: [View]
        let unmasked: [String]
        /// Id of the last line shown when there are more.
        let next: SubscriptionID?
    }

    /// Lines in the order in which they were made.
    static func part(
        _ request: PanelRequest, today: LocalDate, after: SubscriptionID?, limit: Int, _ session: any SQLSession
    ) throws -> Staged<Part> {
        let keys = request.customers.map { SQLValue.id($0) }
        var builder = SQLBuilder(lines)
        builder.appendIn("AND customer_id", keys)
        if let after { builder.append("AND id > ?", .id(after)) }
        builder.append("ORDER BY id LIMIT ?", .int(limit + 1))
        let asked = try session.asking(builder) { Line($0) }
        return .asked {
            var rows = try asked.value()
            let hasMore = rows.count > limit
            if hasMore { rows.removeLast() }
            let shown = rows.map { SQLValue.id($0.id) }
            let extras = try addons(keys, shown, session)
            let changes = try changes(keys, shown, request, session)
            let lines = rows
            return Asked {
                part(lines, hasMore: hasMore, try extras.value(), try changes.value(), today: today, request)
            }.staged
        }
    }

    private static func part(
        _ rows: [Line], hasMore: Bool, _ extras: Extras, _ changes: [SubscriptionID: [View]], today: LocalDate,
        _ request: PanelRequest
    ) -> Part {
        let views = rows.map { view($0, extras[$0.id] ?? [], changes[$0.id] ?? [], today: today, request) }
        var unmasked: [String] = []
        if request.masking.shows(.phone) {
            if rows.contains(where: { $0.msisdn != nil }) { unmasked.append("msisdn") }
            for (offset, name) in ["iccid", "imsi", "imei"].enumerated()
            where rows.contains(where: { $0.card[offset] != nil }) { unmasked.append(name) }
        }
        return Part(views: views, unmasked: unmasked, next: hasMore ? rows.last?.id : nil)
    }

    private struct Line {
        let id: SubscriptionID
        let service: ServiceCode
        let technology: String?
        let plan: String?
        let msisdn: String?
        let term: Int?
        let termEnd: LocalDate?
        let startedOn: LocalDate?
        let endedOn: LocalDate?
        let status: SubscriptionStatus
        let charge: Int64?
        let currency: String
        /// ICCID, IMSI, IMEI.
        let card: [String?]
        let device: String?
        let customer: CustomerID
        let isESIM: Bool

        init(_ row: Row) {
            id = row.id(0)
            service = ServiceCode(rawValue: row.text(1)) ?? .other
            technology = row.optionalText(2)
            plan = row.optionalText(3)
            msisdn = row.optionalText(4)
            term = row.optionalInt(5).map { Int($0) }
            termEnd = row.optionalDate(6)
            startedOn = row.optionalDate(7)
            endedOn = row.optionalDate(8)
            status = SubscriptionStatus(rawValue: row.text(9)) ?? .active
            charge = row.optionalInt(10)
            currency = row.text(11)
            card = [12, 13, 14].map { row.optionalText($0) }
            device = row.optionalText(15)
            customer = row.id(16)
            isESIM = row.optionalText(17) == SIMKind.esim.rawValue
        }
    }

    private typealias Extras = [SubscriptionID: [(code: String, charge: Int64?)]]

    private static func addons(_ keys: [SQLValue], _ lines: [SQLValue], _ session: any SQLSession) throws
        -> Asked<Extras>
    {
        guard !lines.isEmpty else { return Asked { [:] } }
        var builder = SQLBuilder(addons)
        builder.appendIn("AND customer_id", keys)
        builder.appendIn("AND subscription_id", lines)
        builder.append("ORDER BY subscription_id, code")
        return try session.asking(builder) { ($0.id(0, SubscriptionKind.self), $0.text(1), $0.optionalInt(2)) }.map {
            rows in
            var result: Extras = [:]
            for (line, code, charge) in rows { result[line, default: []].append((code, charge)) }
            return result
        }
    }

    private static func changes(
        _ keys: [SQLValue], _ lines: [SQLValue], _ request: PanelRequest, _ session: any SQLSession
    ) throws -> Asked<[SubscriptionID: [View]]> {
        guard !lines.isEmpty else { return Asked { [:] } }
        let language = request.language
        var builder = SQLBuilder(history)
        builder.appendIn("AND customer_id", keys)
        builder.appendIn("AND subscription_id", lines)
        builder.append("ORDER BY changed_on DESC, id DESC LIMIT 200")
        let rows = try session.asking(builder) { row -> (SubscriptionID, View) in
            let view: View = [
                "on": .text(row.text(1)),
                "from": .text(
                    SubscriptionStatus(rawValue: row.text(2)).map { PageWords.of($0)[language] } ?? row.text(2)),
                "to": .text(
                    SubscriptionStatus(rawValue: row.text(3)).map { PageWords.of($0)[language] } ?? row.text(3)),
                "reason": .text(row.optionalText(4).flatMap { PageWords.reason($0, language, request.masking) }),
            ]
            return (row.id(0), view)
        }
        return rows.map { rows in
            var result: [SubscriptionID: [View]] = [:]
            for (line, view) in rows { result[line, default: []].append(view) }
            return result
        }
    }

    private static func view(
        _ line: Line, _ extras: [(code: String, charge: Int64?)], _ changes: [View], today: LocalDate,
        _ request: PanelRequest
    ) -> View {
        let language = request.language
        return [
            "service": .text(PageWords.of(line.service)[language]),
            "technology": .text(line.technology?.uppercased()),
            "plan": .text(line.plan ?? PageWords.of(line.service)[language]),
            "msisdn": .text(line.msisdn.map { PanelParts.phone($0, request.masking) }),
            "masked": .bool(!request.masking.shows(.phone)), "status": .text(PageWords.of(line.status)[language]),
            "badge": .text(PanelParts.badge(line.status)),
            "charge": .text(PanelParts.money(line.charge, line.currency)),
            "contract": .text(contract(term: line.term, end: line.termEnd, today: today, language)),
            "started": .text(line.startedOn?.description), "ended": .text(line.endedOn?.description),
            "addons": .list(
                extras.map { extra in
                    [
                        "name": .text(PageWords.addon(extra.code, language)),
                        "charge": .text(PanelParts.money(extra.charge, line.currency)),
                    ]
                }),
            "hasCard": .bool(line.device != nil || line.isESIM || line.card.contains { $0 != nil }),
            "card": .list(card(line, request)), "isESIM": .bool(line.isESIM), "device": .text(line.device),
            "editPath": .text(
                request.principal.may(CustomerPermissions.edit)
                    ? "/customers/\(line.customer)/lines/\(line.id)/edit" : nil),
            "lineage": .text(PanelParts.lineage(line.customer, request.principal).map { "\($0)/\(line.id)" }),
            "changes": .list(changes), "hasChanges": .bool(!changes.isEmpty),
            "hasAddons": .bool(!extras.isEmpty),
        ]
    }

    /// SIM and device numbers: seen by those who see whole telephone numbers, else with the look of an identity number.
    private static func card(_ line: Line, _ request: PanelRequest) -> [View] {
        zip(["ICCID", "IMSI", "IMEI"], line.card).compactMap { name, number in
            guard let number else { return nil }
            let whole = request.masking.shows(.phone)
            return [
                "name": .text(name), "number": .text(whole ? number : Masking.masked(.identity, number)),
                "masked": .bool(!whole),
            ]
        }
    }

    /// `24 months, until 2027-03-01`, `Month to month`, or nothing when it is not known.
    static func contract(term: Int?, end: LocalDate?, today: LocalDate, _ language: Language) -> String? {
        guard let term else { return nil }
        if term == 0 { return Words(en: "Month to month", zh: "按月，无合约期")[language] }
        let months = Words(en: "\(term) months", zh: "\(term) 个月合约")[language]
        guard let end else { return months }
        return end < today
            ? months + Words(en: ", ended \(end)", zh: "，已于 \(end) 到期")[language]
            : months + Words(en: ", until \(end)", zh: "，至 \(end)")[language]
    }
}
