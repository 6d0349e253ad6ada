import Kernel
import Platform
import Storage
import Web

/// Who has no score yet, and when that changes. Counted by Customers, which knows who is in service; injected by App.
package struct UnscoredCount: Sendable {
    let count: @Sendable (Principal, any SQLSession) throws -> Int

    package init(count: @escaping @Sendable (Principal, any SQLSession) throws -> Int = { _, _ in 0 }) {
        self.count = count
    }
}

/// Imports that were taken back after a version was trained: it learned from rows that are gone. Counted by Ingest,
/// injected by App.
package struct TakenBackCount: Sendable {
    let count: @Sendable (Instant, any SQLSession) throws -> (imports: Int, rows: Int)

    package init(
        count: @escaping @Sendable (Instant, any SQLSession) throws -> (imports: Int, rows: Int) = { _, _ in (0, 0) }
    ) {
        self.count = count
    }
}

/// When the next pass over the base is.
enum NextPass: Sendable, Equatable {
    /// One waits or runs.
    case now
    case at(Instant)
    /// The schedule has not begun: within a day of the first start.
    case daily

    static let everySeconds: Int64 = 86_400

    /// The schedule's last pass tells when its next one is; passes people ask for do not move it.
    static func read(_ tenant: Tenant, _ session: any SQLSession) throws -> NextPass {
        let jobs = try tenant.jobs.recent(kind: ChurnScoring.jobKind, limit: 20, session)
        if jobs.contains(where: { !$0.isFinished }) { return .now }
        guard let last = jobs.first(where: { $0.createdBy == "schedule" }) else { return .daily }
        return .at(last.createdAt.adding(seconds: everySeconds))
    }

    /// `nextNow`, `nextAt` and `nextDaily` of a view; one of them is there.
    func view(_ tenant: Tenant) -> View {
        var view: View = ["nextNow": false, "nextAt": .absent, "nextDaily": false]
        switch self {
        case .now: view["nextNow"] = true
        case .at(let instant):
            view["nextAt"] = .text(instant.displayed(offsetMinutes: tenant.timeZoneOffsetMinutes))
        case .daily: view["nextDaily"] = true
        }
        return view
    }
}
