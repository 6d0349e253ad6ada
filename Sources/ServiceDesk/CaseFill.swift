import Kernel
import Platform
import Storage
import Web

/// Makes the words of cases of a base that is older than these: once at the start, and once more a day later for what processes of
/// before wrote meanwhile (ADR 0018). Until then such a case is found by its number, as before.
struct CaseFill: Sendable {
    static let jobKind = "servicedesk.search"
    static let everySeconds: Int64 = 3_600
    static let batch = 400
    /// An upgrade from one version to the next is over by then.
    static let againSeconds: Int64 = 24 * 3_600

    static let state: SQL = "SELECT step, since FROM servicedesk_case_text_state WHERE id = 1"
    static let passed: SQL = "UPDATE servicedesk_case_text_state SET step = 1, since = $1 WHERE id = 1"
    static let done: SQL = "DELETE FROM servicedesk_case_text_state WHERE id = 1"
    static let next: SQL = "SELECT id FROM servicedesk_case WHERE id > $1 ORDER BY id LIMIT $2"

    let database: any Database
    let clock: any WallClock

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let fill = CaseFill(database: tenant.database, clock: tenant.clock)
            let written = try await fill.run { try context.checkCancelled() }
            return JSONValue.object(["written": .int(Int64(written))]).encoded()
        }
    }

    /// - Returns: texts written anew.
    @discardableResult
    func run(checkCancelled: () throws -> Void = {}) async throws -> Int {
        let found = try await database.read { session in
            try session.first(Self.state) { (isFirst: $0.int(0) == 0, since: $0.time(1)) }
        }
        guard let found, found.isFirst || clock.now() >= found.since.adding(seconds: Self.againSeconds) else { return 0 }
        var (written, after) = (0, Int64.min)
        while true {
            try checkCancelled()
            let place = after
            let ids = try await database.read { try $0.query(Self.next, [.int(place), .int(Self.batch)]) { $0.int(0) } }
            guard let last = ids.last else { break }
            written += try await database.write { try CaseIndex.refresh(ids, $0) }
            after = last
        }
        let now = clock.now()
        try await database.write { session in
            _ = try found.isFirst ? session.execute(Self.passed, [.time(now)]) : session.execute(Self.done)
        }
        return written
    }
}
