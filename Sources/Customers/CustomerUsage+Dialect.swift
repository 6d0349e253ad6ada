import Kernel
import Storage

extension CustomerUsage {
    /// The same as `CustomerSQL.upsertUsage` for many rows.
    static let upsertAll: SQL = """
        INSERT INTO customers_usage_month (customer_id, subscription_id, month, voice_min, sms, data_mb, roaming_mb,
          calls, dropped_calls, speed_mbps)
        SELECT * FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS BIGINT[]), CAST($3 AS TEXT[]), CAST($4 AS BIGINT[]),
          CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]), CAST($8 AS BIGINT[]), CAST($9 AS BIGINT[]),
          CAST($10 AS DOUBLE PRECISION[]))
        ON CONFLICT (customer_id, subscription_id, month) DO UPDATE SET voice_min = excluded.voice_min,
          sms = excluded.sms, data_mb = excluded.data_mb, roaming_mb = excluded.roaming_mb, calls = excluded.calls,
          dropped_calls = excluded.dropped_calls, speed_mbps = excluded.speed_mbps
        """
    private static let rowsMax = 10_000

    /// Puts months in the place of what was known; each line and month once.
    static func put(_ months: [UsageMonthTotal], _ session: any SQLSession) throws {
        guard session.dialect == .postgres else {
            try session.executeMany(
                CustomerSQL.upsertUsage,
                months.map { month in
                    [
                        .id(month.line.customer), .id(month.line.subscription), .text(month.month),
                        .int(month.voiceMinutes), .int(month.sms), .int(month.dataMB), .int(month.roamingMB),
                        .int(month.calls), .int(month.droppedCalls), .double(month.speed),
                    ]
                })
            return
        }
        for start in stride(from: 0, to: months.count, by: rowsMax) {
            let piece = months[start..<min(start + rowsMax, months.count)]
            func column(_ value: (UsageMonthTotal) -> Int64) -> SQLValue { .numbers(piece.map(value)) }
            try session.execute(
                upsertAll,
                [
                    column(\.line.customer.rawValue), column(\.line.subscription.rawValue), array(piece.map(\.month)),
                    column(\.voiceMinutes), column(\.sms), column(\.dataMB), column(\.roamingMB), column(\.calls),
                    column(\.droppedCalls), array(piece.map { $0.speed.map { "\($0)" } ?? "NULL" }),
                ])
        }
    }

    /// The text of a PostgreSQL array of what needs no quotes: months, fractions, NULL.
    private static func array(_ values: [some CustomStringConvertible]) -> SQLValue {
        .text("{" + values.map(\.description).joined(separator: ",") + "}")
    }
}
