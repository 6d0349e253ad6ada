import Kernel
import Platform
import Storage

/// Makes the keys of customers who were there before keys were kept, or before they were made as they are now.
enum MatchFill {
    static let jobKind = "customers.match.fill"
    private static let batch = 500

    /// Hears of the customers that are done; throws to stop.
    typealias Progress = @Sendable (_ done: Int64, _ total: Int64) async throws -> Void

    /// Turns keeping on, then fills what is missing; a few hundred customers a transaction, so that nobody waits for
    /// it. It may
    /// be stopped anywhere and run again, and run twice at a time.
    static func run(_ tenant: Tenant, progress: @escaping Progress = { _, _ in }) async throws -> Int {
        try await tenant.database.write { session in
            if try !MatchStore.setting(session).isKept { try session.execute(MatchStore.keep, [.bool(true)]) }
        }
        let total = Int64(try await tenant.database.write { try MatchStore.countCustomers($0) })
        var done = 0
        var place = CustomerID(0)
        while true {
            let after = place
            let (last, count) = try await tenant.database.write { session -> (CustomerID?, Int) in
                let ids = try session.query(MatchStore.unfilled, [.id(after), .int(batch), .int(MatchStore.form)]) {
                    $0.id(0, PartyKind.self)
                }
                var rows = MatchRows(MatchKeys(countryCode: tenant.countryCode))
                for record in try CustomerLoader.records(ids, session) { rows.add(record) }
                try rows.write(session)
                return (ids.last, ids.count)
            }
            done += count
            guard let last else { break }
            place = last
            try await progress(Int64(done), max(total, Int64(done)))
        }
        let now = tenant.clock.now()
        try await tenant.database.write { session in
            if try MatchStore.setting(session).filledAt == nil {
                // A transaction that had begun before keys were kept may end behind this.
                try tenant.jobs.enqueue(
                    jobKind, payload: "{}", by: "customers", runAt: now.adding(seconds: 600), session)
            }
            try session.execute(MatchStore.setFilled, [.time(now)])
        }
        return done
    }

    /// Fills what a migration asked for, unless an import that matches has done it by then.
    static func again(_ tenant: Tenant, progress: @escaping Progress) async throws {
        let setting = try await tenant.database.read { try MatchStore.setting($0) }
        if setting.isKept, setting.filledAt == nil { _ = try await run(tenant, progress: progress) }
    }

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let count = try await run(tenant) { done, total in
                try await context.progress(
                    done: done, total: total, Words(en: "preparing customers for matching", zh: "正在准备客户匹配索引"))
            }
            return "{\"customers\":\(count)}"
        }
    }
}
