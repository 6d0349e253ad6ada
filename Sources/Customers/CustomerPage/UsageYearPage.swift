import Kernel
import Platform
import Storage
import Web

/// All months of a customer's use, a year a page, however old.
enum UsageYearPage {
    static let months: SQL = """
        SELECT DISTINCT month FROM customers_usage_month WHERE month >= $1 AND month <= $2
        """

    static func page(_ call: Call, _ rating: (any MonthRating)?) async throws -> WebResponse {
        let asked: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let empty = try call.panelRequest()
        let today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
        let wanted = call.request.query["year"].flatMap { Int($0) }
        let (head, ids, years, year, rows, rated) = try await call.read { session in
            let ids = try CustomerPages.reachable(asked, principal, session)
            guard let head = try PageHeadView.load(empty.about(ids), today: today, session) else {
                throw CRMError.notFound
            }
            var all = SQLBuilder(months, [.text(UsagePanel.firstMonth), .text(today.yearMonth)])
            all.appendIn("AND customer_id", ids.map { .id($0) })
            let known = try session.query(all) { $0.text(0) }
            let years = Set(known.compactMap { Int($0.prefix(4)) }).sorted(by: >)
            // A year without use is answered with no months, and the way to those that have some.
            let year = wanted.flatMap { (1990...9_999).contains($0) ? $0 : nil } ?? years.first ?? today.year
            var some = SQLBuilder(
                UsagePanel.months, [.text("\(year)-01"), .text(min("\(year)-12", today.yearMonth))])
            some.appendIn("AND customer_id", ids.map { .id($0) })
            some.append("GROUP BY month ORDER BY month DESC")
            let rated: [RatedMonth] =
                if let rating, principal.may(rating.permission) {
                    try rating.rated(
                        ids, from: "\(year)-01", through: "\(year)-12", for: principal, session)
                } else { [] }
            return (head, ids, years, year, try session.query(some, UsagePanel.row), rated)
        }
        let masking = try call.masking()
        let showsNumbers = masking.shows(.phone) && rated.contains { $0.number != nil }
        try await call.recordView(
            AuditEntry(
                "customers.usage.view", ids.map { .customer($0) }, facts: ["year": .int(Int64(year))],
                unmasked: head.nameUnmasked + (showsNumbers ? ["msisdn"] : [])))
        let path = "/customers/\(asked)/usage"
        return call.page(
            "customers/customer-page-usage", title: head.title, active: "/customers",
            [
                "name": .text(head.title), "customer": .text("/customers/\(asked)"), "year": .text(String(year)),
                "hasRows": .bool(!rows.isEmpty), "rows": .list(rows.map { view($0, call.language) }),
                "hasRated": .bool(!rated.isEmpty), "rated": .list(rated.map { view($0, isRunning: $0.month == today.yearMonth, masking, call) }),
                "years": .list(
                    years.map { [
                        "year": .text(String($0)), "href": .text("\(path)?year=\($0)"), "chosen": .bool($0 == year),
                    ] }),
                "earlier": .text(years.first { $0 < year }.map { "\(path)?year=\($0)" }),
                "later": .text(years.last { $0 > year }.map { "\(path)?year=\($0)" }),
            ])
    }

    private static func view(_ rated: RatedMonth, isRunning: Bool, _ masking: Masking, _ call: Call) -> View {
        let line = [rated.plan, masking.apply(.phone, rated.number)].compactMap(\.self).joined(separator: " · ")
        return [
            "month": .text(PageWords.month(rated.month, call.language)), "line": .text(line.isEmpty ? "–" : line),
            "tariff": .text(rated.tariff), "total": .text(rated.total ?? "–"), "isRunning": .bool(isRunning && rated.tariff != nil),
            "steps": .list(rated.steps.map { ["step": .text($0[call.language])] }),
        ]
    }

    private static func view(_ month: UsagePanel.Month, _ language: Language) -> View {
        [
            "month": .text(PageWords.month(month.month, language)), "voice": .text(PanelParts.count(month.voiceMin)),
            "data": .text(UsagePanel.one(Double(month.dataMB) / 1_024)), "sms": .text(PanelParts.count(month.sms)),
            "calls": .text(PanelParts.count(month.calls)),
            "dropped": .text(
                month.calls > 0
                    ? "\(PanelParts.count(month.droppedCalls)) (\(UsagePanel.one(month.droppedPercent)) %)" : "–"),
            "roaming": .text(PanelParts.count(Int(month.roamingMB))),
        ]
    }
}
