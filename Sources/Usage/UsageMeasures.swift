import Kernel
import Storage

/// The days of usage for the live profile: read where they are summed anyway, so that an event costs nothing more (ADR 0041).
package struct UsageMeasures: DayMeasures {
    package init() {}

    private static let data = "usage.data", voice = "usage.voice", sms = "usage.sms", dropped = "usage.dropped"
    static let amounts: SQL = """
        SELECT customer_id, day, calls, billed_minutes, sms, sessions, data_bytes, dropped_calls FROM usage_day
        WHERE day >= $1 AND day <= $2
        """

    package var measures: [DayMeasure] {
        [
            DayMeasure(Self.data, Words(en: "Data", zh: "流量"), unit: "MB"),
            // As Usage shows them and bills count them: each call rounded up to whole minutes.
            DayMeasure(Self.voice, Words(en: "Calls, billed minutes", zh: "通话（计费分钟）"), unit: "min"),
            DayMeasure(Self.sms, Words(en: "Messages", zh: "短信"), unit: ""),
            DayMeasure(Self.dropped, Words(en: "Dropped calls", zh: "掉话"), unit: ""),
        ]
    }

    package func amounts(
        of customers: [CustomerID], from first: LocalDate, through last: LocalDate, _ session: any SQLSession
    ) throws -> Asked<[DayAmount]> {
        var builder = SQLBuilder(Self.amounts, [.text(first.description), .text(last.description)])
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        return try session.asking(builder) { row -> [DayAmount] in
            func amount(_ measure: String, _ events: Int64, _ sum: Int64) -> DayAmount {
                DayAmount(customer: row.id(0), day: row.text(1), measure: measure, events: events, sum: sum)
            }
            return [
                amount(Self.data, row.int(5), Self.thousandths(row.int(6), of: 1 << 20)),
                amount(Self.voice, row.int(2), row.int(3) * 1_000),
                amount(Self.sms, row.int(4), row.int(4) * 1_000), amount(Self.dropped, row.int(7), row.int(7) * 1_000),
            ]
        }.map { $0.flatMap { $0 } }
    }

    /// Without overflow for any count of bytes.
    private static func thousandths(_ value: Int64, of unit: Int64) -> Int64 {
        value / unit * 1_000 + value % unit * 1_000 / unit
    }
}
