import Kernel
import Storage
import Synchronization

/// How many rows a list has. Up to `exactMax` are counted each time. Beyond that a count is remembered until something changes: the mark is
/// the last event of the outbox, which every change of a domain's rows appends in its transaction. On PostgreSQL two transactions may
/// come to an end in another order than their events, so a count is forgotten after `secondsMax` in any case.
package final class TMFCounts: Sendable {
    package static let exactMax = 5_000
    static let secondsMax: Int64 = 30
    static let keptMax = 512

    private struct Key: Hashable {
        let tenant: String
        let sql: SQL
        let arguments: [SQLValue]
    }
    private struct Counted {
        let count: Int
        let mark: Int64?
        let at: Instant
    }
    private let known = Mutex<[Key: Counted]>([:])

    package init() {}

    /// - Parameter rows: `SELECT id FROM … WHERE …`.
    func count(_ rows: SQLBuilder, tenant: String, now: Instant, _ session: any SQLSession) throws -> Int {
        let key = Key(tenant: tenant, sql: rows.sql, arguments: rows.arguments)
        let found = known.withLock { $0[key] }
        if found == nil || (found?.count ?? 0) <= Self.exactMax {
            var bounded = SQLBuilder("SELECT COUNT(*) FROM (")
            bounded.append(rows)
            bounded.append("LIMIT ?) counted", .int(Self.exactMax + 1))
            let count = try session.count(bounded.sql, bounded.arguments)
            if count <= Self.exactMax { return count }
        }
        let mark = try Outbox.mark(session)
        if let found, found.mark == mark, now.milliseconds - found.at.milliseconds < Self.secondsMax * 1_000 { return found.count }
        var whole = SQLBuilder("SELECT COUNT(*) FROM (")
        whole.append(rows)
        whole.append(") counted")
        let count = try session.count(whole.sql, whole.arguments)
        known.withLock { all in
            if all.count >= Self.keptMax { all.removeAll() }
            all[key] = Counted(count: count, mark: mark, at: now)
        }
        return count
    }
}
