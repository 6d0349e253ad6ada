import Crypto
import Foundation
import Kernel
import Synchronization

/// A token bucket for each caller: `perSecond` refill, burst of twice that (G69). Each of several servers has buckets of
/// its own and gives out its share: what a caller gets over all of them is the rate (ADR 0019).
package final class RateLimiter: Sendable {
    private struct Bucket { var tokens: Double; var last: ContinuousClock.Instant }
    private struct State {
        var buckets: [String: Bucket] = [:]
        var swept = ContinuousClock.now
    }
    private let state = Mutex(State())
    private let perSecond: Double
    private let bucketsMax: Int
    private let sharing = Mutex(1)

    /// - Parameter bucketsMax: callers remembered; beyond it those who are new share one bucket.
    package init(perSecond: Double, bucketsMax: Int = 50_000) {
        self.perSecond = perSecond
        self.bucketsMax = bucketsMax
    }

    /// How many servers give out the rate together.
    package var servers: Int {
        get { sharing.withLock { $0 } }
        set { sharing.withLock { $0 = max(1, newValue) } }
    }

    /// - Parameter times: the rate of this bucket in units of the caller's.
    /// - Throws: 429 with `Retry-After` when the bucket is empty.
    package func check(_ key: String, times: Double = 1, at now: ContinuousClock.Instant = .now) throws {
        guard perSecond > 0 else { return }
        try check(key, perSecond: perSecond * times, at: now)
    }

    /// The same for a caller who has a rate of their own.
    package func check(_ key: String, perSecond: Double, at now: ContinuousClock.Instant = .now) throws {
        let rate = perSecond / Double(servers)
        // One request is let through even where a share is less than that.
        let burst = max(1, rate * 2)
        let admitted = state.withLock { state in
            if state.buckets.count >= bucketsMax, now - state.swept > .seconds(1) {
                state.swept = now
                // Who has been silent for so long has a full bucket again.
                state.buckets = state.buckets.filter { now - $0.value.last < .seconds(3) }
            }
            let key = state.buckets[key] == nil && state.buckets.count >= bucketsMax ? "*" : key
            var bucket = state.buckets[key] ?? Bucket(tokens: burst, last: now)
            let passed = now - bucket.last
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            bucket.tokens = min(burst, bucket.tokens + seconds * rate)
            bucket.last = now
            defer { state.buckets[key] = bucket }
            guard bucket.tokens >= 1 else { return false }
            bucket.tokens -= 1
            return true
        }
        guard admitted else {
            throw CRMError(
                "too_many_requests", status: 429, Words(en: "Too many requests; slow down.", zh: "请求过于频繁，请稍候。"),
                retryAfterSeconds: 1)
        }
    }
}

/// Session and access tokens that were good a moment ago, and whose they were. Their requests count for the account before the
/// session is looked up; any other token counts for its address first, so that made-up cookies cost no database read
/// beyond the address's share.
final class KnownTokens: Sendable {
    struct Entry: Sendable {
        let caller: String
        /// Requests a second; `nil` = as every account.
        let perSecond: Double?
        fileprivate let since: ContinuousClock.Instant
    }
    private let entries = Mutex<[Data: Entry]>([:])
    private static let seconds = 60
    private static let entriesMax = 20_000

    private static func key(_ token: String) -> Data { Data(SHA256.hash(data: Data(token.utf8))) }

    func caller(_ token: String) -> String? { entry(token)?.caller }

    func entry(_ token: String) -> Entry? {
        let now = ContinuousClock.now
        let entry = entries.withLock { $0[Self.key(token)] }
        return entry.flatMap { now - $0.since < .seconds(Self.seconds) ? $0 : nil }
    }

    func note(_ token: String, _ caller: String, perSecond: Double? = nil) {
        let now = ContinuousClock.now
        entries.withLock { entries in
            if entries.count >= Self.entriesMax {
                entries = entries.filter { now - $0.value.since < .seconds(Self.seconds) }
                if entries.count >= Self.entriesMax { entries = [:] }
            }
            entries[Self.key(token)] = Entry(caller: caller, perSecond: perSecond, since: now)
        }
    }

    func forget(_ token: String) { entries.withLock { $0[Self.key(token)] = nil } }
}
