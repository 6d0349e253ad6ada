import Kernel
import Platform
import Storage
import Web

/// Use day by day: bars of the last 31 days, sums of the last twelve months.
struct UsageDaysPanel: Sendable {
    /// Minutes east of UTC in which days are told.
    let zone: Int
    static let days = 31

    func panel() -> CustomerPanel {
        CustomerPanel(
            name: "usage-days", title: "usage.panel.days", place: .main, order: 45, permission: UsageModule.view
        ) { try begin($0, $1) }
    }

    private func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        let today = request.now.date(offsetMinutes: zone)
        return try UsageStore.days(of: request.customers, from: today.adding(months: -11).first, session)
            .map { content($0, today, request.language) }.staged
    }

    /// No panel for a customer of whom no event was ever counted: the months stand in another.
    private func content(_ rows: [(day: String, use: DayUsage)], _ today: LocalDate, _ language: Language) -> PanelContent? {
        guard !rows.isEmpty else { return nil }
        var byDay: [String: DayUsage] = [:]
        var byMonth: [String: DayUsage] = [:]
        for row in rows {
            byDay[row.day, default: DayUsage()].add(row.use)
            byMonth[String(row.day.prefix(7)), default: DayUsage()].add(row.use)
        }
        let days = (0..<Self.days).reversed().map { today.adding(days: -$0).description }
        let recent = days.map { byDay[$0] ?? DayUsage() }
        var sum = DayUsage()
        for day in recent { sum.add(day) }
        return PanelContent(
            template: "usage/panel-days",
            view: [
                "isEmptyMonth": .bool(sum.isNothing), "dataChart": .text(
                    Self.chart(
                        Words(en: "Data, MB", zh: "流量 MB"), days, recent.map { UsageStore.megabytes($0.dataBytes) }, language)),
                "voiceChart": .text(
                    Self.chart(Words(en: "Calls, billed minutes", zh: "通话计费分钟"), days, recent.map(\.billedMinutes), language)),
                "facts": .list(Self.facts(sum, language)),
                "days": .list(
                    zip(days, recent).filter { !$0.1.isNothing }.map { day, use in
                        [
                            "day": .text(day), "data": .text(Self.data(use.dataBytes)),
                            "minutes": .text(Self.grouped(use.billedMinutes)),
                        ]
                    }),
                "months": .list(
                    byMonth.keys.sorted(by: >).prefix(12).map { month in
                        let use = byMonth[month] ?? DayUsage()
                        return [
                            "month": .text(month), "data": .text(Self.data(use.dataBytes)),
                            "minutes": .text(Self.grouped(use.billedMinutes)), "sms": .text(Self.grouped(use.sms)),
                            "roaming": .text(Self.data(use.roamingBytes)), "dropped": .text(Self.dropped(use)),
                            "speed": .text(Self.speed(use)),
                        ]
                    }),
            ])
    }

    private static func facts(_ sum: DayUsage, _ language: Language) -> [View] {
        let roaming = data(sum.roamingBytes) + " · " + talked(sum.roamingMs, language)
        let all: [(Words, String)] = [
            (Words(en: "Roaming", zh: "漫游"), roaming),
            (Words(en: "Dropped calls", zh: "掉话"), dropped(sum)),
            (Words(en: "Mean speed", zh: "平均速率"), speed(sum)),
            (Words(en: "Cells", zh: "小区数"), sum.cells == 0 ? "–" : "\(DayUsage.cellCount(sum.cells))"),
        ]
        return all.map { ["name": .text($0.0[language]), "value": .text($0.1)] }
    }

    private static func chart(_ name: Words, _ days: [String], _ values: [Int64], _ language: Language) -> String {
        let words = name[language]
        return JSONValue.object([
            "labels": .array(days.map { .string(String($0.suffix(5))) }),
            "series": .array([
                .object(["name": .string(words), "tone": .string("accent"), "values": .array(values.map { .int($0) })])
            ]),
            "y": .object(["title": .string(words), "format": .string("integer")]), "summary": .string(words),
        ]).encoded()
    }

    /// Time on the line, not minutes as they are billed: of roaming only the time is kept.
    private static func talked(_ ms: Int64, _ language: Language) -> String {
        let seconds = (ms + 500) / 1_000
        let rest = seconds % 60
        return grouped(seconds / 60) + ":" + (rest < 10 ? "0" : "") + "\(rest)" + Words(en: " on calls", zh: " 通话时长")[language]
    }

    private static func mb(_ bytes: Int64) -> Int64 { UsageStore.megabytes(bytes) }

    /// `3.4 GB`, `812 MB`.
    static func data(_ bytes: Int64) -> String {
        let mb = mb(bytes)
        guard mb >= 1_024 else { return "\(mb) MB" }
        let tenths = (mb * 10 + 512) / 1_024
        return "\(grouped(tenths / 10)).\(tenths % 10) GB"
    }

    static func dropped(_ use: DayUsage) -> String {
        guard use.calls > 0 else { return "–" }
        let tenths = (use.droppedCalls * 1_000 + use.calls / 2) / use.calls
        return "\(grouped(use.droppedCalls)) (\(tenths / 10).\(tenths % 10) %)"
    }

    static func speed(_ use: DayUsage) -> String {
        guard use.speedCount > 0 else { return "–" }
        let tenths = (use.speedSum / use.speedCount + 50) / 100
        return "\(tenths / 10).\(tenths % 10) Mbit/s"
    }

    private static func grouped(_ number: Int64) -> String {
        Money(minor: number, currency: "JPY").amountText
    }
}

extension LocalDate {
    /// The first day of its month.
    fileprivate var first: LocalDate { adding(days: 1 - day) }
}
