import Kernel
import Platform
import Storage
import Web

/// What Customers shows on the home page.
enum CustomerDashboard {
    /// Months in the line of leavers.
    static let monthsShown = 18

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
            card("map", order: 40, wide: true, map), card("leavers", order: 41, leavers),
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
        let month = context.month
        let fresh = try context.figure("new") { try DashboardStore.newSince(month, $0, $1) }
        let byMonth = try leaversByMonth(context)
        let standing = statuses.filter { $0.status != .churned && $0.status != .prospect }
        let count = standing.reduce(0) { $0 + $1.count }
        let left = byMonth[month.yearMonth] ?? 0
        let before = byMonth[month.adding(months: -1).yearMonth] ?? 0
        let charge = standing.reduce(Int64(0)) { $0 + $1.charge }
        let currency = statuses.first?.currency ?? "CNY"
        let total = statuses.reduce(0) { $0 + $1.count }
        let rate = count + left > 0 ? Double(left) / Double(count + left) : 0
        var tiles: [View] = [
            tile(Words(en: "Customers in service", zh: "在网客户")[language], PanelParts.count(count), "", "/customers"),
            tile(
                Words(en: "New this month", zh: "本月新增")[language], PanelParts.count(fresh),
                share(fresh, of: count, language), nil),
            tile(
                Words(en: "Left this month", zh: "本月离网")[language], PanelParts.count(left),
                Words(
                    en: "\(PanelParts.percent(rate)); \(PanelParts.count(before)) last month",
                    zh: "离网率 \(PanelParts.percent(rate))；上月 \(PanelParts.count(before))")[language],
                "/customers?status=churned"),
        ]
        if charge > 0 {
            tiles.append(
                tile(
                    Words(en: "Monthly recurring revenue", zh: "月度经常性收入")[language],
                    Money(minor: charge / 100 * 100, currency: currency).displayed,
                    count > 0
                        ? Words(
                            en: "\(Money(minor: charge / Int64(count), currency: currency).displayed) a customer",
                            zh: "户均 \(Money(minor: charge / Int64(count), currency: currency).displayed)")[language] : "",
                    nil))
        }
        return PanelContent(
            template: "customers/card-base",
            view: [
                "tiles": .list(tiles), "isEmpty": .bool(total == 0),
                "statuses": .list(
                    statuses.map { entry in
                        [
                            "label": .text(PageWords.of(entry.status)[language]), "count": .text(PanelParts.count(entry.count)),
                            "badge": .text(PanelParts.badge(entry.status)),
                            "href": .text("/customers?status=\(entry.status.rawValue)"),
                        ]
                    }),
            ])
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

    private static func leaversByMonth(_ context: Context) throws -> [String: Int] {
        let first = context.month.adding(months: 1 - monthsShown)
        return try context.figure("months") { try DashboardStore.leaversByMonth(since: first, $0, $1) }
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
                    "name": .string(name), "tone": .string("accent"), "values": .array(shown.map { .int(Int64($0.count)) }),
                ])
            ]),
            "x": .object(["format": .string("integer")]), "y": .object(["format": .string("integer")]),
            "summary": .string(summary(labels, shown.map(\.count), language)),
        ])
        return PanelContent(
            template: "customers/card-reasons",
            view: [
                "isEmpty": .bool(total == 0), "chart": .text(chart.encoded()), "total": .text(PanelParts.count(total)),
                "rows": .list(
                    zip(labels, shown).enumerated().map { offset, row in
                        ["label": .text(row.0), "count": .text(PanelParts.count(row.1.count)), "href": .text(links[offset])]
                    }),
            ])
    }

    private static func summary(_ labels: [String], _ counts: [Int], _ language: Language) -> String {
        let parts = zip(labels, counts).prefix(3).map { "\($0) \(PanelParts.count($1))" }
        return Words(en: "Most frequent: ", zh: "最多：")[language] + parts.joined(separator: language == .zh ? "、" : ", ")
    }

    private static func leavers(_ context: Context) throws -> PanelContent? {
        let language = context.language
        let byMonth = try leaversByMonth(context)
        let months = (0..<monthsShown).map { context.month.adding(months: $0 + 1 - monthsShown).yearMonth }
        let counts = months.map { byMonth[$0] ?? 0 }
        let name = Words(en: "Left", zh: "离网")[language]
        let chart = JSONValue.object([
            "labels": .array(months.map { .string($0) }),
            "series": .array([
                .object([
                    "name": .string(name), "tone": .string("accent"), "area": .bool(true),
                    "values": .array(counts.map { .int(Int64($0)) }),
                ])
            ]),
            "y": .object(["format": .string("integer")]),
            "summary": .string(
                Words(
                    en: "Customers who left in each month; this month \(counts.last ?? 0)",
                    zh: "每月离网客户数；本月 \(counts.last ?? 0)")[language]),
        ])
        return PanelContent(
            template: "customers/card-leavers",
            view: ["isEmpty": .bool(counts.allSatisfy { $0 == 0 }), "chart": .text(chart.encoded())])
    }
}
