import Kernel
import Storage
import Synchronization

/// Who has changed something within the last seconds, in this process: they read what they wrote. Other processes are told by
/// a cookie (`WebCookie.wrote`); this covers who keeps no cookies, and answers that never arrived.
package final class RecentWriters: Sendable {
    private let until = Mutex<[UserID: ContinuousClock.Instant]>([:])
    /// More than write within some seconds; then who is forgotten reads what may be some seconds old.
    private static let most = 20_000

    package init() {}

    func note(_ user: UserID) {
        let now = ContinuousClock.now
        until.withLock { until in
            if until.count >= Self.most { until = until.filter { $0.value > now } }
            if until.count < Self.most { until[user] = now + .seconds(Limits.staleReadSeconds) }
        }
    }

    func contains(_ user: UserID) -> Bool {
        let now = ContinuousClock.now
        return until.withLock { until in
            guard let end = until[user] else { return false }
            if end <= now { until[user] = nil }
            return end > now
        }
    }
}
