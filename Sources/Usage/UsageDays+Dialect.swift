import Kernel
import Storage

extension UsageStore {
    /// The same as `addDay` for many rows: on PostgreSQL a statement a row would be most of the import's time.
    static let addDays: SQL = """
        INSERT INTO usage_day (customer_id, day, subscription_id, events, calls, voice_ms, billed_minutes, dropped_calls,
          sms, sessions, data_bytes, roaming_bytes, roaming_ms, roaming_sms, speed_sum, speed_count, cells)
        SELECT * FROM UNNEST(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[]), CAST($3 AS BIGINT[]), CAST($4 AS BIGINT[]),
          CAST($5 AS BIGINT[]), CAST($6 AS BIGINT[]), CAST($7 AS BIGINT[]), CAST($8 AS BIGINT[]), CAST($9 AS BIGINT[]),
          CAST($10 AS BIGINT[]), CAST($11 AS BIGINT[]), CAST($12 AS BIGINT[]), CAST($13 AS BIGINT[]),
          CAST($14 AS BIGINT[]), CAST($15 AS BIGINT[]), CAST($16 AS BIGINT[]), CAST($17 AS BIGINT[]))
        \(addsUp)
        """
    static let monthSumsOfAll: SQL = "\(monthSums) AND customer_id = ANY(CAST($3 AS BIGINT[])) \(monthGroups)"
    private static let rowsMax = 10_000

    /// Adds to days, which come in the order of their key and each once.
    static func put(_ days: [(place: UsagePlace, name: String, use: DayUsage)], _ session: any SQLSession) throws {
        guard session.dialect == .postgres else {
            try session.executeMany(addDay, days.map { row($0.place, $0.name, $0.use) })
            return
        }
        for start in stride(from: 0, to: days.count, by: rowsMax) {
            let piece = days[start..<min(start + rowsMax, days.count)]
            func key(_ value: (LineRef) -> Int64) -> SQLValue { .numbers(piece.map { value($0.place.line) }) }
            func column(_ value: (DayUsage) -> Int64) -> SQLValue { .numbers(piece.map { value($0.use) }) }
            try session.execute(
                addDays,
                [
                    key(\.customer.rawValue), names(piece.map(\.name)), key(\.subscription.rawValue), column(\.events), column(\.calls),
                    column(\.voiceMs), column(\.billedMinutes), column(\.droppedCalls), column(\.sms),
                    column(\.sessions), column(\.dataBytes), column(\.roamingBytes), column(\.roamingMs),
                    column(\.roamingSMS), column(\.speedSum), column(\.speedCount),
                    column { Int64(bitPattern: $0.cells) },
                ])
        }
    }

    /// The text of a PostgreSQL array of days, which need no quotes.
    private static func names(_ names: [String]) -> SQLValue { .text("{" + names.joined(separator: ",") + "}") }

    /// Sums of a month for all lines of these customers.
    static func eachSum(
        of customers: [CustomerID], from first: LocalDate, to end: LocalDate, _ session: any SQLSession,
        _ body: (Row) throws -> Void
    ) throws {
        let range: [SQLValue] = [.text(first.description), .text(end.description)]
        func each(_ sql: SQL, _ arguments: [SQLValue]) throws {
            try session.forEach(sql, arguments) { row in
                try body(row)
                return true
            }
        }
        guard session.dialect == .postgres else {
            for piece in customers.chunked(Limits.sqlListChunk) {
                var builder = SQLBuilder(monthSums, range)
                builder.appendIn("AND customer_id", piece.map { .id($0) })
                builder.append(monthGroups)
                try each(builder.sql, builder.arguments)
            }
            return
        }
        for piece in customers.chunked(rowsMax) {
            try each(monthSumsOfAll, range + [.numbers(piece.map(\.rawValue))])
        }
    }
}
