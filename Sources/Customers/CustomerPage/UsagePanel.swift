import Kernel
import Platform
import Storage
import Web

/// Use over the last twelve months: small lines for voice, data, messages and dropped calls. Says which month its figures are
/// of, and compares it only with months that lie next to it.
enum UsagePanel {
    static let months: SQL = """
        SELECT month, CAST(SUM(voice_min) AS BIGINT), CAST(SUM(data_mb) AS BIGINT), CAST(SUM(sms) AS BIGINT),
          CAST(SUM(calls) AS BIGINT), CAST(SUM(dropped_calls) AS BIGINT), CAST(SUM(roaming_mb) AS BIGINT)
        FROM customers_usage_month WHERE month >= $1 AND month <= $2
        """
    /// The last month before the ones that are shown.
    static let last: SQL = "SELECT MAX(month) FROM customers_usage_month WHERE month >= $1 AND month < $2"
    /// No month before it is one.
    static let firstMonth = "1990-01"
    /// Months that the head is compared with, at most, and how far back they may lie.
    static let comparedMax = 5
    static let comparedReach = 6
    /// Bills and usage of a month come in the month after it: older than so many months is old.
    static let freshMonths = 2

    struct Month: Sendable {
        let month: String
        let voiceMin: Int
        let dataMB: Int64
        let sms: Int
        let calls: Int
        let droppedCalls: Int
        let roamingMB: Int64

        /// Percent of the calls.
        var droppedPercent: Double { calls > 0 ? Double(droppedCalls) * 100 / Double(calls) : 0 }
        /// Months since year 0; `nil` = the text is no month.
        var index: Int? { UsagePanel.index(month) }
    }

    static func index(_ month: String) -> Int? {
        LocalDate(month + "-01").map { $0.year * 12 + $0.month - 1 }
    }

    static func row(_ row: Row) -> Month {
        Month(
            month: row.text(0), voiceMin: row.integer(1), dataMB: row.int(2), sms: row.integer(3),
            calls: row.integer(4), droppedCalls: row.integer(5), roamingMB: row.int(6))
    }

    static func begin(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        let first = today.adding(months: -12).yearMonth
        var builder = SQLBuilder(months, [.text(first), .text(today.yearMonth)])
        builder.appendIn("AND customer_id", request.customers.map { .id($0) })
        builder.append("GROUP BY month ORDER BY month")
        let asked = try session.asking(builder, row)
        return .asked {
            let rows = try asked.value().filter { $0.index != nil }
            guard rows.isEmpty else { return .done(content(view(rows, today, request.language), request)) }
            // Only of whom nothing is shown: when it was last.
            var older = SQLBuilder(last, [.text(firstMonth), .text(first)])
            older.appendIn("AND customer_id", request.customers.map { .id($0) })
            let last = try session.askingFirst(older) { $0.optionalText(0) }
            return .asked { .done(content(emptyView(try last.value() ?? nil, request.language), request)) }
        }
    }

    private static func content(_ view: View, _ request: PanelRequest) -> PanelContent {
        var view = view
        view["more"] = .text(view["any"] == nil ? nil : request.customers.first.map { "/customers/\($0)/usage" })
        return PanelContent(template: "customers/panel-usage", view: view)
    }

    private static func emptyView(_ last: String?, _ language: Language) -> View {
        var view: View = ["isEmpty": .bool(true), "last": .text(last.map { PageWords.month($0, language) })]
        if last != nil { view["any"] = .bool(true) }
        return view
    }

    /// What the head is compared with: the months before it, newest first, of which one in a row may be missing; none that lies
    /// further back than half a year.
    static func compared(_ rows: [Month], with head: Month) -> [Month] {
        guard let place = head.index else { return [] }
        var found: [Month] = []
        var after = place
        for month in rows.reversed() {
            guard let index = month.index, index < place else { continue }
            guard after - index <= 2, place - index <= comparedReach, found.count < comparedMax else { break }
            found.append(month)
            after = index
        }
        return found
    }

    /// - Parameter rows: in the order of time, not empty.
    static func view(_ rows: [Month], _ today: LocalDate, _ language: Language) -> View {
        let now = today.year * 12 + today.month - 1
        // A month that is not over is less than the ones before it by nature.
        let running = rows.last.flatMap { $0.index == now ? $0 : nil }
        let over = rows.filter { $0.index != now }
        guard let head = over.last ?? running, let index = head.index else { return ["isEmpty": .bool(true)] }
        let before = over.isEmpty ? [] : compared(over, with: head)
        let shown = over.isEmpty ? rows : over
        var tiles = [
            tile(Words(en: "Voice", zh: "语音"), Words(en: "billed min", zh: "计费分钟"), shown, before, language) {
                Double($0.voiceMin)
            } format: {
                PanelParts.count(Int($0.rounded()))
            },
            tile(Words(en: "Data", zh: "流量"), Words(en: "GB", zh: "GB"), shown, before, language) {
                Double($0.dataMB) / 1_024
            } format: {
                one($0)
            },
            tile(
                Words(en: "Dropped calls", zh: "掉话率"), Words(en: "% of calls", zh: "% 通话"), shown, before, language,
                rising: "bad"
            ) {
                $0.droppedPercent
            } format: {
                one($0)
            },
        ]
        if shown.contains(where: { $0.sms > 0 }) {
            tiles.append(
                tile(Words(en: "Messages", zh: "短信"), Words(en: "", zh: "条"), shown, before, language) {
                    Double($0.sms)
                } format: {
                    PanelParts.count(Int($0.rounded()))
                })
        }
        func month(_ month: Month?) -> ViewValue { .text(month.map { PageWords.month($0.month, language) }) }
        let hasGaps = shown.count < index - (shown.first?.index ?? index) + 1
        return [
            "any": .bool(true), "isEmpty": .bool(false), "tiles": .list(tiles), "head": month(head),
            "isOld": .bool(now - index > freshMonths), "age": .int(now - index), "isRunning": .bool(over.isEmpty),
            "soFar": month(over.isEmpty ? nil : running),
            "soFarUse": .text(
                running.map {
                    let minutes = PanelParts.count($0.voiceMin)
                    return Words(en: "\(minutes) billed min", zh: "\(minutes) 计费分钟")[language]
                        + " · \(one(Double($0.dataMB) / 1_024)) GB"
                }),
            "one": before.count == 1 ? month(before.first) : .absent,
            "several": .text(before.count > 1 ? String(before.count) : nil), "since": month(before.last),
            "until": month(before.first), "nothing": .bool(before.isEmpty && !over.isEmpty),
            "from": month(shown.first), "to": month(shown.last), "known": .int(shown.count), "hasGaps": .bool(hasGaps),
            "hasLine": .bool(shown.count > 1),
        ]
    }

    /// The head's figure beside the mean of the months it is compared with.
    private static func tile(
        _ name: Words, _ unit: Words, _ rows: [Month], _ before: [Month], _ language: Language,
        rising: String = "good", _ value: (Month) -> Double, format: (Double) -> String
    ) -> View {
        let last = rows.last.map(value) ?? 0
        let mean = before.isEmpty ? 0 : before.reduce(0) { $0 + value($1) } / Double(before.count)
        let change = mean > 0 ? last / mean - 1 : 0
        let isShown = mean > 0 && abs(change) >= 0.05
        let falling = rising == "good" ? "bad" : "good"
        return [
            "name": .text(name[language]), "unit": .text(unit[language]), "value": .text(format(last)),
            "spark": .text(PanelParts.spark(rows.map(value))), "hasChange": .bool(isShown),
            "change": .text((change >= 0 ? "+" : "−") + "\(Int((abs(change) * 100).rounded()))%"),
            "up": .bool(change >= 0), "tone": .text(change >= 0 ? rising : falling),
        ]
    }

    static func one(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(PanelParts.count(tenths / 10)).\(abs(tenths % 10))"
    }
}
