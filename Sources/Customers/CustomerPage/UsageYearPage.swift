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
            let rated: (months: [RatedMonth], isWhole: Bool) =
                if let rating, principal.may(rating.permission) {
                    try rating.rated(
                        ids, from: "\(year)-01", through: "\(year)-12", for: principal, session)
                } else { ([], true) }
            return (head, ids, years, year, try session.query(some, UsagePanel.row), rated)
        }
        let masking = try call.masking()
        let showsNumbers = masking.shows(.phone) && rated.months.contains { $0.number != nil }
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
                "hasRated": .bool(!rated.months.isEmpty), "ratedCut": .bool(!rated.isWhole),
                "rated": .list(
                    byMonth(rated.months).map {
                        view($0, isRunning: $0[0].month == today.yearMonth, isWhole: rated.isWhole, masking, call)
                    }),
                "years": .list(
                    years.map { [
                        "year": .text(String($0)), "href": .text("\(path)?year=\($0)"), "chosen": .bool($0 == year),
                    ] }),
                "earlier": .text(years.first { $0 < year }.map { "\(path)?year=\($0)" }),
                "later": .text(years.last { $0 > year }.map { "\(path)?year=\($0)" }),
            ])
    }

    /// Lines of one month, months as they come.
    private static func byMonth(_ rated: [RatedMonth]) -> [[RatedMonth]] {
        rated.reduce(into: []) { months, line in
            if months.last?.first?.month == line.month {
                months[months.count - 1].append(line)
            } else {
                months.append([line])
            }
        }
    }

    /// A month with what all lines come to; several lines are folded.
    private static func view(
        _ lines: [RatedMonth], isRunning: Bool, isWhole: Bool, _ masking: Masking, _ call: Call
    ) -> View {
        let totals = Dictionary(grouping: lines.compactMap(\.total), by: \.currency).sorted { $0.key < $1.key }
        let sums = totals.map { currency, all in
            Money(minor: all.reduce(0) { $0 + $1.minor }, currency: currency).displayed
        }
        let views = lines.map { line($0, masking, call) }
        return [
            "month": .text(PageWords.month(lines[0].month, call.language)),
            // Of some lines only it would look like the sum of all.
            "total": .text(sums.isEmpty || !isWhole && lines.count > 1 ? "–" : sums.joined(separator: " + ")),
            "isRunning": .bool(isRunning && !totals.isEmpty), "one": .list(lines.count == 1 ? views : []),
            "several": .list(
                lines.count == 1 ? [] : [["count": .text(PanelParts.count(lines.count)), "lines": .list(views)]]),
        ]
    }

    private static func line(_ rated: RatedMonth, _ masking: Masking, _ call: Call) -> View {
        let name = [rated.plan, masking.apply(.phone, rated.number)].compactMap(\.self).joined(separator: " · ")
        return [
            "line": .text(name.isEmpty ? "–" : name), "tariff": .text(rated.tariff), "amount": .text(rated.total?.displayed ?? "–"),
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
