import Kernel
import Synchronization

/// A token bucket for each caller: `perSecond` refill, burst of twice that (G69). In process; a caller spread over
/// several processes has as many buckets.
package final class RateLimiter: Sendable {
    private struct Bucket { var tokens: Double; var last: ContinuousClock.Instant }
    private let buckets = Mutex<[String: Bucket]>([:])
    private let perSecond: Double

    package init(perSecond: Double) { self.perSecond = perSecond }

    /// - Throws: 429 with `Retry-After` when the caller's bucket is empty.
    package func check(_ key: String) throws {
        guard perSecond > 0 else { return }
        let now = ContinuousClock.now
        let admitted = buckets.withLock { buckets in
            if buckets.count > 50_000 { buckets = buckets.filter { now - $0.value.last < .seconds(10) } }
            var bucket = buckets[key] ?? Bucket(tokens: perSecond * 2, last: now)
            let passed = now - bucket.last
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            bucket.tokens = min(perSecond * 2, bucket.tokens + seconds * perSecond)
            bucket.last = now
            defer { buckets[key] = bucket }
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
