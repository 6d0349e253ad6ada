import Foundation
import Kernel
import Testing

@testable import Web

/// Several servers give out one rate.
@Suite("Rates of several servers")
struct SharedRateTests {
    /// How many of the requests that come every millisecond for `seconds`, to each server in turn, are let through.
    private func admitted(_ limiters: [RateLimiter], seconds: Int) -> Int {
        let begin = ContinuousClock.now
        var count = 0
        for millisecond in 0..<(seconds * 1_000) {
            let limiter = limiters[millisecond % limiters.count]
            if (try? limiter.check("caller", at: begin + .milliseconds(millisecond))) != nil { count += 1 }
        }
        return count
    }

    @Test("a caller over several servers gets the rate, not a multiple of it", arguments: [1, 2, 3, 7])
    func shared(servers: Int) {
        let limiters = (0..<servers).map { _ in RateLimiter(perSecond: 50) }
        for limiter in limiters { limiter.servers = servers }
        let count = admitted(limiters, seconds: 20)
        // The burst of twice the rate, then the rate.
        #expect(count >= 50 * 20 && count <= 50 * 22, "\(count)")
    }

    @Test("a server that joins takes its share at once, one that leaves gives it back")
    func changes() {
        let limiter = RateLimiter(perSecond: 10)
        let begin = ContinuousClock.now
        func burst(at seconds: Int) -> Int {
            (0..<100).filter { _ in (try? limiter.check("caller", at: begin + .seconds(seconds))) != nil }.count
        }
        #expect(burst(at: 0) == 20)
        limiter.servers = 2
        #expect(burst(at: 100) == 10)
        limiter.servers = 1
        #expect(burst(at: 200) == 20)
        limiter.servers = 0
        #expect(limiter.servers == 1)
    }

    @Test("a share below one request lets one through now and then")
    func small() {
        let limiter = RateLimiter(perSecond: 1)
        limiter.servers = 10
        let begin = ContinuousClock.now
        let passed = (0..<100).filter { second in
            (try? limiter.check("caller", at: begin + .seconds(second))) != nil
        }
        #expect(passed.count == 10, "\(passed)")
    }
}
