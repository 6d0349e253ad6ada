import Kernel
import Storage

package enum UsageSourceKind {}
package enum UsageRunKind {}
package enum UsageBlockKind {}
package typealias UsageSourceID = ID<UsageSourceKind>
package typealias UsageRunID = ID<UsageRunKind>
package typealias UsageBlockID = ID<UsageBlockKind>

/// Sources, days, months and what waits.
enum UsageStore {
    static let addSource: SQL = """
        INSERT INTO usage_source (id, name, created_at, revision) VALUES ($1, $2, $3, 0) ON CONFLICT (name) DO NOTHING
        """
    static let sourceByName: SQL = "SELECT id FROM usage_source WHERE name = $1"
    static let allSources: SQL = "SELECT id, name FROM usage_source ORDER BY id"
    /// Chunks of one source come one after another: two that looked for the same id at once would both take it.
    static let hold: SQL = "UPDATE usage_source SET revision = revision + 1 WHERE id = $1"
    static let addsUp: SQL = """
        ON CONFLICT (customer_id, day, subscription_id) DO UPDATE SET events = usage_day.events + excluded.events,
          calls = usage_day.calls + excluded.calls, voice_ms = usage_day.voice_ms + excluded.voice_ms,
          billed_minutes = usage_day.billed_minutes + excluded.billed_minutes,
          dropped_calls = usage_day.dropped_calls + excluded.dropped_calls, sms = usage_day.sms + excluded.sms,
          sessions = usage_day.sessions + excluded.sessions, data_bytes = usage_day.data_bytes + excluded.data_bytes,
          roaming_bytes = usage_day.roaming_bytes + excluded.roaming_bytes,
          roaming_ms = usage_day.roaming_ms + excluded.roaming_ms,
          roaming_sms = usage_day.roaming_sms + excluded.roaming_sms,
          speed_sum = usage_day.speed_sum + excluded.speed_sum,
          speed_count = usage_day.speed_count + excluded.speed_count, cells = usage_day.cells | excluded.cells
        """
    static let addDay: SQL = """
        INSERT INTO usage_day (customer_id, day, subscription_id, events, calls, voice_ms, billed_minutes, dropped_calls,
          sms, sessions, data_bytes, roaming_bytes, roaming_ms, roaming_sms, speed_sum, speed_count, cells)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        \(addsUp)
        """
    static let monthSums: SQL = """
        SELECT customer_id, subscription_id, CAST(SUM(billed_minutes) AS BIGINT), CAST(SUM(sms) AS BIGINT),
          CAST(SUM(data_bytes) AS BIGINT), CAST(SUM(roaming_bytes) AS BIGINT), CAST(SUM(calls) AS BIGINT),
          CAST(SUM(dropped_calls) AS BIGINT), CAST(SUM(speed_sum) AS BIGINT), CAST(SUM(speed_count) AS BIGINT)
        FROM usage_day WHERE day >= $1 AND day < $2
        """
    static let monthGroups: SQL = "GROUP BY customer_id, subscription_id"
    static let days: SQL = """
        SELECT day, events, calls, voice_ms, billed_minutes, dropped_calls, sms, sessions, data_bytes, roaming_bytes,
          roaming_ms, roaming_sms, speed_sum, speed_count, cells
        FROM usage_day WHERE day >= $1
        """
    static let forget: SQL = "DELETE FROM usage_day WHERE customer_id = $1"
    static let anyWaiting: SQL = "SELECT 1 FROM usage_unmatched LIMIT 1"
    static let waitingCount: SQL = "SELECT CAST(COALESCE(SUM(waiting), 0) AS BIGINT) FROM usage_source"
    static let waitingLines: SQL = """
        SELECT DISTINCT line FROM usage_unmatched WHERE naming = $1 AND line > $2 ORDER BY line LIMIT $3
        """
    static let waitingNamings: SQL = "SELECT DISTINCT naming FROM usage_unmatched ORDER BY naming"
    static let waitingEvents: SQL = """
        SELECT source_id, fingerprint, line, event FROM usage_unmatched WHERE naming = $1
        """

    static func source(
        _ name: String, make id: UsageSourceID, at now: Instant, _ session: any SQLSession
    ) throws -> UsageSourceID {
        if let known = try session.first(sourceByName, [.text(name)], { $0.id(0, UsageSourceKind.self) }) { return known }
        try session.execute(addSource, [.id(id), .text(name), .time(now)])
        guard let made = try session.first(sourceByName, [.text(name)], { $0.id(0, UsageSourceKind.self) }) else {
            throw CRMError.notFound
        }
        return made
    }

    static func hold(_ source: UsageSourceID, _ session: any SQLSession) throws {
        guard try session.execute(hold, [.id(source)]) == 1 else { throw CRMError.notFound }
    }

    /// Adds to days and puts the sums of their months where the customer page and the models read them.
    static func add(_ days: [UsagePlace: DayUsage], _ base: any UsageBase, _ session: any SQLSession) throws {
        // In the order of the key: neighbours lie on one page.
        var sorted = Array(days)
        sorted.removeAll { $0.value.isNothing }
        sorted.sort {
            ($0.key.line.customer.rawValue, $0.key.day, $0.key.line.subscription.rawValue)
                < ($1.key.line.customer.rawValue, $1.key.day, $1.key.line.subscription.rawValue)
        }
        guard !sorted.isEmpty else { return }
        var names: [Int32: (day: String, month: String)] = [:]
        var touched: [String: Set<LineRef>] = [:]
        var rows: [(place: UsagePlace, name: String, use: DayUsage)] = []
        rows.reserveCapacity(sorted.count)
        var last: (month: String, line: LineRef)?
        for (place, use) in sorted {
            var name = names[place.day]
            if name == nil {
                let day = LocalDate(daysSinceEpoch: Int(place.day)).description
                name = (day, String(day.prefix(7)))
                names[place.day] = name
            }
            guard let name else { continue }
            rows.append((place, name.day, use))
            // Days of one line come in a row.
            if let last, last.line == place.line, last.month == name.month { continue }
            touched[name.month, default: []].insert(place.line)
            last = (name.month, place.line)
        }
        try put(rows, session)
        for (month, lines) in touched.sorted(by: { $0.key < $1.key }) {
            try base.store(try sums(of: lines, month, session), session)
        }
    }

    static func row(_ place: UsagePlace, _ name: String, _ day: DayUsage) -> [SQLValue] {
        [
            .id(place.line.customer), .text(name), .id(place.line.subscription), .int(day.events), .int(day.calls),
            .int(day.voiceMs), .int(day.billedMinutes), .int(day.droppedCalls), .int(day.sms), .int(day.sessions),
            .int(day.dataBytes), .int(day.roamingBytes), .int(day.roamingMs), .int(day.roamingSMS),
            .int(day.speedSum), .int(day.speedCount), .int(Int64(bitPattern: day.cells)),
        ]
    }

    static func sums(of lines: Set<LineRef>, _ month: String, _ session: any SQLSession) throws -> [UsageMonthTotal] {
        guard let first = LocalDate(month + "-01") else { return [] }
        var result: [UsageMonthTotal] = []
        result.reserveCapacity(lines.count)
        try eachSum(
            of: Set(lines.map(\.customer)).sorted(), from: first, to: first.adding(months: 1), session
        ) { row in
            let line = LineRef(customer: row.id(0), subscription: row.id(1))
            guard lines.contains(line) else { return }
            let count = row.int(9)
            result.append(
                UsageMonthTotal(
                    line: line, month: month, voiceMinutes: row.int(2), sms: row.int(3), dataMB: megabytes(row.int(4)),
                    roamingMB: megabytes(row.int(5)), calls: row.int(6), droppedCalls: row.int(7),
                    speed: count > 0 ? Double(row.int(8)) / Double(count) / 1_000 : nil))
        }
        return result
    }

    static func megabytes(_ bytes: Int64) -> Int64 { (bytes + (1 << 19)) >> 20 }

    /// The days of these customers, summed over their lines.
    static func days(
        of customers: [CustomerID], from day: LocalDate, _ session: any SQLSession
    ) throws -> Asked<[(day: String, use: DayUsage)]> {
        var builder = SQLBuilder(days, [.text(day.description)])
        builder.appendIn("AND customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        builder.append("ORDER BY day")
        return try session.asking(builder) { ($0.text(0), DayUsage($0, from: 1)) }
    }
}

extension DayUsage {
    /// From a row of `usage_day`.
    init(_ row: Row, from c: Int) {
        self.init()
        events = row.int(c)
        calls = row.int(c + 1)
        voiceMs = row.int(c + 2)
        billedMinutes = row.int(c + 3)
        droppedCalls = row.int(c + 4)
        sms = row.int(c + 5)
        sessions = row.int(c + 6)
        dataBytes = row.int(c + 7)
        roamingBytes = row.int(c + 8)
        roamingMs = row.int(c + 9)
        roamingSMS = row.int(c + 10)
        speedSum = row.int(c + 11)
        speedCount = row.int(c + 12)
        cells = UInt64(bitPattern: row.int(c + 13))
    }
}
