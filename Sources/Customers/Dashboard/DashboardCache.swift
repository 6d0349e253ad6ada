import Kernel
import Platform
import Synchronization

/// Keeps figures that took long to compute for a while. Small bases are always computed anew: what takes under
/// `slowMilliseconds` is not kept.
final class DashboardCache: Sendable {
    static let slowMilliseconds = 20.0
    /// A figure that took t is kept for 100 t, within these bounds.
    static let keptSecondsMin: Int64 = 15
    static let keptSecondsMax: Int64 = 300
    private static let entriesMax = 500

    private struct Key: Hashable {
        let figure: String
        let regions: [String]?
        let day: LocalDate
    }
    private struct Entry {
        let until: Instant
        let value: any Sendable
    }
    private let entries = Mutex<[Key: Entry]>([:])

    /// The figure of this name for the reader's record scope.
    func figure<T: Sendable>(_ name: String, _ request: PanelRequest, today: LocalDate, _ compute: () throws -> T)
        throws -> T
    {
        let key = Key(figure: name, regions: request.principal.scope.regions?.sorted(), day: today)
        let kept = entries.withLock { $0[key] }
        if let kept, kept.until > request.now, let value = kept.value as? T { return value }
        let clock = ContinuousClock()
        let start = clock.now
        let value = try compute()
        let spent = start.duration(to: clock.now)
        let milliseconds = Double(spent.components.seconds) * 1_000 + Double(spent.components.attoseconds) * 1e-15
        if milliseconds > Self.slowMilliseconds {
            let seconds = min(Self.keptSecondsMax, max(Self.keptSecondsMin, Int64(milliseconds / 10)))
            let entry = Entry(until: request.now.adding(seconds: seconds), value: value)
            entries.withLock { entries in
                if entries.count >= Self.entriesMax { entries.removeAll() }
                entries[key] = entry
            }
        }
        return value
    }

    private struct Owner {
        weak var tenant: Tenant?
        let cache: DashboardCache
    }
    private static let all = Mutex<[ObjectIdentifier: Owner]>([:])

    /// The cache of a tenant, the same one however often the cards are made.
    static func of(_ tenant: Tenant) -> DashboardCache {
        all.withLock { all in
            let key = ObjectIdentifier(tenant)
            if let owner = all[key], owner.tenant === tenant { return owner.cache }
            all = all.filter { $0.value.tenant != nil }
            let cache = DashboardCache()
            all[key] = Owner(tenant: tenant, cache: cache)
            return cache
        }
    }
}
