import Kernel
import Platform
import Storage
import Web

/// What Customers shows on the home page.
enum CustomerDashboard {
    /// Complete months in the charts over time.
    static let monthsShown = 12

    static func cards(_ tenant: Tenant) -> [DashboardCard] {
        let cache = DashboardCache.of(tenant)
        let zone = tenant.timeZoneOffsetMinutes
        func card(
            _ name: String, order: Int, wide: Bool = false,
            _ load: @escaping @Sendable (Context) throws -> PanelContent?
        ) -> DashboardCard {
            DashboardCard(
                name: name, title: "dashboard.\(name)", order: order, wide: wide, permission: CustomerPermissions.view
            ) { request, session in
                let today = request.now.date(offsetMinutes: zone)
                return try load(Context(request: request, session: session, today: today, cache: cache))
            }
        }
        return [
            card("base", order: 0, wide: true, base), card("reasons", order: 20, reasons),
            card("value", order: 30, wide: true, value), card("risk", order: 31, risk),
            card("map", order: 40, wide: true, map), card("leavers", order: 41, wide: true, trend),
        ]
    }

    struct Context {
        let request: PanelRequest
        let session: any SQLSession
        let today: LocalDate
        let cache: DashboardCache

        var language: Language { request.language }

        func figure<T: Sendable>(_ name: String, _ read: (Principal, any SQLSession) throws -> T) throws -> T {
            try cache.figure(name, request, today: today) { try read(request.principal, session) }
        }
        /// The first day of this month.
        var month: LocalDate { LocalDate(year: today.year, month: today.month, day: 1) ?? today }
    }

    // MARK: Base

    private static func base(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let statuses = try context.figure("status", DashboardStore.byStatus)
        let joined = try joinedByMonth(context)
        let left = try leavers(context).reduce(into: [String: Int]()) { $0[$1.month, default: 0] += $1.count }
        let months = completeMonths(context)
        let isMoving = months.contains { joined[$0] != nil || left[$0] != nil }
        return PanelContent(
            template: "customers/card-base",
            view: [
                "tiles": .list(tiles(statuses, joined, left, context)),
                "isEmpty": .bool(statuses.reduce(0) { $0 + $1.count } == 0), "hasMoves": .bool(isMoving),
                "moves": .text(moves(months, joined, left, language).encoded()),
                "statuses": .list(
                    statuses.map { entry in
                        [
                            "label": .text(PageWords.of(entry.status)[language]),
                            "count": .text(PanelParts.count(entry.count)),
                            "badge": .text(PanelParts.badge(entry.status)),
                            "href": .text("/customers?status=\(entry.status.rawValue)"),
                        ]
                    }),
            ])
    }

    private static func tiles(
        _ statuses: [DashboardStore.StatusCount], _ joined: [String: Int], _ left: [String: Int], _ context: Context
    ) -> [View] {
        let language = context.language
        let standing = statuses.filter { $0.status != .churned && $0.status != .prospect }
        let count = standing.reduce(0) { $0 + $1.count }
        let fresh = joined[context.month.yearMonth] ?? 0
        let gone = left[context.month.yearMonth] ?? 0
        let before = left[context.month.adding(months: -1).yearMonth] ?? 0
        let rate = PanelParts.percent(count + before > 0 ? Double(before) / Double(count + before) : 0)
        let charge = standing.reduce(Int64(0)) { $0 + $1.charge }
        let currency = statuses.first?.currency ?? "CNY"
        var tiles: [View] = [
            tile(Words(en: "Customers in service", zh: "在网客户")[language], PanelParts.count(count), "", "/customers"),
            tile(
                Words(en: "New this month", zh: "本月新增")[language], PanelParts.count(fresh),
                share(fresh, of: count, language), nil),
            tile(
                Words(en: "Left this month", zh: "本月离网")[language], PanelParts.count(gone),
                Words(
                    en: "\(PanelParts.count(before)) last month (\(rate))",
                    zh: "上月 \(PanelParts.count(before))（\(rate)）")[language], "/customers?status=churned"),
        ]
        if charge > 0, count > 0 {
            let mean = Money(minor: charge / Int64(count), currency: currency).displayed
            tiles.append(
                tile(
                    Words(en: "Monthly revenue", zh: "月度收入")[language], PanelParts.rounded(charge, currency),
                    Words(en: "\(mean) a customer", zh: "户均 \(mean)")[language], nil))
        }
        return tiles
    }

    private static func moves(
        _ months: [String], _ joined: [String: Int], _ left: [String: Int], _ language: Language
    ) -> JSONValue {
        func series(_ name: Words, _ tone: String, _ counts: [String: Int]) -> JSONValue {
            .object([
                "name": .string(name[language]), "tone": .string(tone),
                "values": .array(months.map { .int(Int64(counts[$0] ?? 0)) }),
            ])
        }
        return .object([
            "labels": .array(months.map { .string($0) }),
            "series": .array([
                series(Words(en: "Joined", zh: "新增"), "c2", joined), series(Words(en: "Left", zh: "离网"), "bad", left),
            ]),
            "x": monthAxis(language), "y": countAxis(language),
            "summary": .string(
                Words(en: "Customers who joined and who left in each month", zh: "每月新增与离网客户数")[language]),
        ])
    }

    private static func monthAxis(_ language: Language) -> JSONValue {
        .object(["title": .string(Words(en: "Month", zh: "月份")[language])])
    }

    private static func countAxis(_ language: Language) -> JSONValue {
        .object(["title": .string(Words(en: "Customers", zh: "客户数")[language]), "format": .string("integer")])
    }

    private static func tile(_ label: String, _ value: String, _ note: String, _ href: String?) -> View {
        ["label": .text(label), "value": .text(value), "note": .text(note), "href": .text(href)]
    }

    private static func share(_ part: Int, of whole: Int, _ language: Language) -> String {
        guard whole > 0 else { return "" }
        let text = PanelParts.percent(Double(part) / Double(whole))
        return Words(en: "\(text) of the base", zh: "占在网 \(text)")[language]
    }

    // MARK: Leavers

    /// The twelve months before this one: this one is not over and would look like a fall.
    private static func completeMonths(_ context: Context) -> [String] {
        (0..<monthsShown).map { context.month.adding(months: $0 - monthsShown).yearMonth }
    }

    private static func leavers(_ context: Context) throws -> [DashboardStore.MonthReason] {
        let first = context.month.adding(months: -monthsShown)
        return try context.figure("left") { try DashboardStore.leaversByMonth(since: first, $0, $1) }
    }

    private static func joinedByMonth(_ context: Context) throws -> [String: Int] {
        let first = context.month.adding(months: -monthsShown)
        return try context.figure("joined") { try DashboardStore.joinedByMonth(since: first, $0, $1) }
    }

    private static func reasons(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let rows = try context.figure("reasons", DashboardStore.leaversByReason)
        let total = rows.reduce(0) { $0 + $1.count }
        let shown = rows.prefix(10)
        let labels = shown.map { PageWords.reason($0.code, language) }
        let links = shown.map { "/customers?reason=\(Form.encode($0.code))" }
        let name = Words(en: "Customers who left", zh: "离网客户")[language]
        let chart = JSONValue.object([
            "labels": .array(labels.map { .string($0) }), "horizontal": .bool(true),
            "links": .array(links.map { .string($0) }),
            "series": .array([
                .object([
                    "name": .string(name), "tone": .string("accent"),
                    "values": .array(shown.map { .int(Int64($0.count)) }),
                ])
            ]),
            "y": countAxis(language),
            "summary": .string(summary(labels, shown.map(\.count), language)),
        ])
        return PanelContent(
            template: "customers/card-reasons",
            view: [
                "isEmpty": .bool(total == 0), "chart": .text(chart.encoded()), "total": .text(PanelParts.count(total)),
                "rows": .list(
                    zip(labels, shown).enumerated().map { offset, row in
                        [
                            "label": .text(row.0), "count": .text(PanelParts.count(row.1.count)),
                            "href": .text(links[offset]),
                        ]
                    }),
            ])
    }

    private static func summary(_ labels: [String], _ counts: [Int], _ language: Language) -> String {
        let parts = zip(labels, counts).prefix(3).map { "\($0) \(PanelParts.count($1))" }
        return Words(en: "Most frequent: ", zh: "最多：")[language] + parts.joined(separator: language == .zh ? "、" : ", ")
    }

    /// Reasons that get a colour of their own; the others are shown together.
    private static let reasonsShown = 5

    private static func trend(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let rows = try leavers(context)
        let months = completeMonths(context)
        let totals = rows.reduce(into: [String: Int]()) { $0[$1.reason, default: 0] += $1.count }
        let order = totals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        var series = order.prefix(reasonsShown).map { reason in
            (name: PageWords.reason(reason, language), reasons: Set([reason]))
        }
        let rest = order.dropFirst(reasonsShown)
        if !rest.isEmpty { series.append((Words(en: "Further reasons", zh: "其余原因")[language], Set(rest))) }
        let values = series.map { entry in
            months.map { month in
                rows.reduce(0) { $1.month == month && entry.reasons.contains($1.reason) ? $0 + $1.count : $0 }
            }
        }
        let chart = JSONValue.object([
            "labels": .array(months.map { .string($0) }),
            "series": .array(
                zip(series, values).enumerated().map { offset, entry in
                    .object([
                        "name": .string(entry.0.name), "tone": .string("c\(offset + 1)"),
                        "values": .array(entry.1.map { .int(Int64($0)) }),
                    ])
                }),
            "x": monthAxis(language), "y": countAxis(language),
            "summary": .string(
                Words(en: "Customers who left in each month, by reason", zh: "每月离网客户数（按原因）")[language]),
        ])
        return PanelContent(
            template: "customers/card-leavers",
            view: ["isEmpty": .bool(values.joined().allSatisfy { $0 == 0 }), "chart": .text(chart.encoded())])
    }
}
