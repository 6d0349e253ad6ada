import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Web

/// A clock that stands until it is set.
private final class StandingClock: Sendable {
    private let passed = Mutex(Duration.zero)
    private let start = ContinuousClock.now
    func advance(_ milliseconds: Int) { passed.withLock { $0 += .milliseconds(milliseconds) } }
    var now: ContinuousClock.Instant { passed.withLock { start + $0 } }
}

@Suite("turns of requests")
struct TurnsTests {
    private let clock = StandingClock()

    private func turns(_ count: Int) -> Turns { Turns(count: count) { [clock] in clock.now } }

    /// Begins to wait and returns when it does.
    private func waiter(_ turns: Turns) async throws -> Task<Bool, Never> {
        let before = turns.counts.waiting
        let task = Task { do { try await turns.enter(); return true } catch { return false } }
        let end = ContinuousClock.now + .seconds(10)
        while turns.counts.waiting == before, ContinuousClock.now < end { await Task.yield() }
        #expect(turns.counts.waiting == before + 1)
        return task
    }

    @Test("as many work at once as there are turns, and the next one begins when one of them ends")
    func order() async throws {
        let turns = turns(2)
        try await turns.enter()
        try await turns.enter()
        #expect(turns.counts.waiting == 0 && turns.counts.working == 2)
        let third = try await waiter(turns)
        clock.advance(90)
        turns.leave()
        #expect(await third.value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 2)
        turns.leave()
        turns.leave()
        #expect(turns.counts.waiting == 0 && turns.counts.working == 0)
    }

    @Test("who waits longest has the next turn")
    func fair() async throws {
        let turns = turns(1)
        try await turns.enter()
        let first = try await waiter(turns)
        let second = try await waiter(turns)
        turns.leave()
        #expect(await first.value)
        #expect(turns.counts.waiting == 1 && turns.counts.working == 1)
        turns.leave()
        #expect(await second.value)
    }

    @Test("in a crowd that does not end, who has waited for longer than a moment is told to come again")
    func crowd() async throws {
        let turns = turns(1)
        try await turns.enter()
        // Somebody waits all the time, nobody for long.
        var holder = try await waiter(turns)
        for _ in 0..<8 {
            clock.advance(15)
            let next = try await waiter(turns)
            turns.leave()
            #expect(await holder.value)
            holder = next
        }
        let late = try await waiter(turns)
        clock.advance(21)
        let fresh = try await waiter(turns)
        turns.leave()
        #expect(await !holder.value)
        #expect(await !late.value)
        #expect(await fresh.value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 1)
        turns.leave()
        // The crowd is over: a burst is waited out again.
        try await turns.enter()
        let patient = try await waiter(turns)
        clock.advance(95)
        turns.leave()
        #expect(await patient.value)
    }

    @Test("when nothing ended for a while, those who waited for it are not refused")
    func standstill() async throws {
        let turns = turns(2)
        try await turns.enter()
        try await turns.enter()
        let waiting = [try await waiter(turns), try await waiter(turns)]
        clock.advance(9_000)
        turns.leave()
        clock.advance(15)
        turns.leave()
        #expect(await waiting[0].value)
        #expect(await waiting[1].value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 2)
    }

    @Test("with no number of turns nobody waits")
    func unbounded() async throws {
        let turns = turns(0)
        for _ in 0..<100 { try await turns.enter() }
        #expect(turns.counts.waiting == 0 && turns.counts.working == 0)
    }
}
