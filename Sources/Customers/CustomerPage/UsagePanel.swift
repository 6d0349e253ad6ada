import Kernel
import Platform
import Storage
import Web

/// Use over the last twelve months: small lines for voice, data, messages and dropped calls.
enum UsagePanel {
    static let months: SQL = """
        SELECT month, CAST(SUM(voice_min) AS BIGINT), CAST(SUM(data_mb) AS BIGINT), CAST(SUM(sms) AS BIGINT),
          CAST(SUM(calls) AS BIGINT), CAST(SUM(dropped_calls) AS BIGINT), CAST(SUM(roaming_mb) AS BIGINT)
        FROM customers_usage_month WHERE month >= $1
        """

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
    }

    static func begin(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Staged<PanelContent?>
    {
        var builder = SQLBuilder(months, [.text(today.adding(months: -12).yearMonth)])
        builder.appendIn("AND customer_id", request.customers.map { .id($0) })
        builder.append("GROUP BY month ORDER BY month")
        let rows = try session.asking(builder) { row in
            Month(
                month: row.text(0), voiceMin: row.integer(1), dataMB: row.int(2), sms: row.integer(3),
                calls: row.integer(4), droppedCalls: row.integer(5), roamingMB: row.int(6))
        }
        return rows.map { PanelContent(template: "customers/panel-usage", view: view($0, request.language)) }.staged
    }

    private static func view(_ rows: [Month], _ language: Language) -> View {
        var tiles = [
            tile(
                Words(en: "Voice", zh: "语音"), Words(en: "min", zh: "分钟"), rows.map { Double($0.voiceMin) }, language
            ) {
                PanelParts.count(Int($0.rounded()))
            },
            tile(
                Words(en: "Data", zh: "流量"), Words(en: "GB", zh: "GB"), rows.map { Double($0.dataMB) / 1_024 }, language
            ) {
                one($0)
            },
            tile(
                Words(en: "Dropped calls", zh: "掉话率"), Words(en: "% of calls", zh: "% 通话"),
                rows.map(\.droppedPercent), language, rising: "bad"
            ) { one($0) },
        ]
        if rows.contains(where: { $0.sms > 0 }) {
            tiles.append(
                tile(Words(en: "Messages", zh: "短信"), Words(en: "", zh: "条"), rows.map { Double($0.sms) }, language) {
                    PanelParts.count(Int($0.rounded()))
                })
        }
        return [
            "tiles": .list(rows.isEmpty ? [] : tiles), "isEmpty": .bool(rows.isEmpty),
            "from": .text(rows.first?.month ?? ""), "to": .text(rows.last?.month ?? ""),
        ]
    }

    /// The last month beside the mean of the five before it.
    private static func tile(
        _ name: Words, _ unit: Words, _ values: [Double], _ language: Language, rising: String = "good",
        _ format: (Double) -> String
    ) -> View {
        let last = values.last ?? 0
        let before = values.dropLast().suffix(5)
        let mean = before.isEmpty ? 0 : before.reduce(0, +) / Double(before.count)
        let change = mean > 0 ? last / mean - 1 : 0
        let isShown = !before.isEmpty && mean > 0 && abs(change) >= 0.05
        let falling = rising == "good" ? "bad" : "good"
        return [
            "name": .text(name[language]), "unit": .text(unit[language]), "value": .text(format(last)),
            "spark": .text(PanelParts.spark(values)), "hasChange": .bool(isShown),
            "change": .text((change >= 0 ? "+" : "−") + "\(Int((abs(change) * 100).rounded()))%"),
            "up": .bool(change >= 0), "tone": .text(change >= 0 ? rising : falling),
        ]
    }

    private static func one(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(PanelParts.count(tenths / 10)).\(abs(tenths % 10))"
    }
}
