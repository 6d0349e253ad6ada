import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Web

/// A clock that stands until it is set.
final class StandingClock: Sendable {
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
        turns.leave(since: clock.now)
        #expect(await third.value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 2)
        turns.leave(since: clock.now)
        turns.leave(since: clock.now)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 0)
    }

    @Test("who waits longest has the next turn")
    func fair() async throws {
        let turns = turns(1)
        try await turns.enter()
        let first = try await waiter(turns)
        let second = try await waiter(turns)
        turns.leave(since: clock.now)
        #expect(await first.value)
        #expect(turns.counts.waiting == 1 && turns.counts.working == 1)
        turns.leave(since: clock.now)
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
            turns.leave(since: clock.now)
            #expect(await holder.value)
            holder = next
        }
        let late = try await waiter(turns)
        clock.advance(21)
        let fresh = try await waiter(turns)
        turns.leave(since: clock.now)
        #expect(await !holder.value)
        #expect(await !late.value)
        #expect(await fresh.value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 1)
        turns.leave(since: clock.now)
        // The crowd is over: a burst is waited out again.
        try await turns.enter()
        let patient = try await waiter(turns)
        clock.advance(95)
        turns.leave(since: clock.now)
        #expect(await patient.value)
    }

    @Test("when nothing ended for a while, those who waited for it are not refused")
    func standstill() async throws {
        let turns = turns(2)
        try await turns.enter()
        try await turns.enter()
        let waiting = [try await waiter(turns), try await waiter(turns)]
        clock.advance(9_000)
        turns.leave(since: clock.now)
        clock.advance(15)
        turns.leave(since: clock.now)
        #expect(await waiting[0].value)
        #expect(await waiting[1].value)
        #expect(turns.counts.waiting == 0 && turns.counts.working == 2)
    }

    /// Shows it turns that were held for so long.
    private func teach(_ turns: Turns, milliseconds: Int) async throws {
        for _ in 0..<40 {
            try await turns.enter()
            turns.leave(since: clock.now - .milliseconds(milliseconds))
        }
    }

    @Test("who would have to wait for longer than a burst lasts is told so at once, and who would not waits")
    func foreseen() async throws {
        let turns = turns(2)
        try await teach(turns, milliseconds: 10)
        try await turns.enter()
        try await turns.enter()
        var waiting: [Task<Bool, Never>] = []
        // Two turns of 10 ms: the twentieth waits for 100 ms.
        for _ in 0..<20 {
            #expect(!turns.isFull)
            waiting.append(try await waiter(turns))
        }
        #expect(turns.isFull)
        await #expect(throws: CRMError.self) { try await turns.enter() }
        #expect(turns.counts.waiting == 20 && turns.counts.working == 2)
        for task in waiting {
            turns.leave(since: clock.now - .milliseconds(10))
            #expect(await task.value)
        }
        #expect(!turns.isFull)
    }

    @Test("who comes while no turn ends is let wait: what all wait for may be a database that hands over")
    func unforeseeable() async throws {
        let turns = turns(1)
        try await teach(turns, milliseconds: 80)
        try await turns.enter()
        let first = try await waiter(turns)
        #expect(turns.isFull)
        clock.advance(60)
        #expect(!turns.isFull)
        let second = try await waiter(turns)
        clock.advance(30_000)
        turns.leave(since: clock.now - .milliseconds(30_090))
        #expect(await first.value)
        turns.leave(since: clock.now)
        #expect(await second.value)
        turns.leave(since: clock.now)
        // The turn that stood still has not made the others look slow.
        try await turns.enter()
        #expect(!turns.isFull)
    }

    @Test("whatever comes and ends when: no more work at once than there are turns, and each is answered", arguments: 0..<6)
    func anyOrder(seed: UInt64) async throws {
        print("turns, seed \(seed)")
        var random = Xorshift(state: seed &* 7_919 &+ 17)
        let count = 1 + Int(seed % 3)
        let turns = turns(count)
        var working = 0, asked = 0
        var tasks: [Task<Bool, Never>] = []
        for _ in 0..<400 {
            switch random.next() % 4 {
            case 0, 1:
                asked += 1
                if turns.counts.working < count, turns.counts.waiting == 0 {
                    try await turns.enter()
                    working += 1
                } else if turns.isFull {
                    await #expect(throws: CRMError.self) { try await turns.enter() }
                } else {
                    tasks.append(try await waiter(turns))
                }
            case 2: clock.advance(Int(random.next() % 30))
            default:
                guard turns.counts.working > 0 else { break }
                turns.leave(since: clock.now - .milliseconds(Int(random.next() % 40)))
            }
            #expect(turns.counts.working <= count)
            #expect(turns.counts.waiting == 0 || turns.counts.working == count)
        }
        while turns.counts.working > 0 { turns.leave(since: clock.now) }
        #expect(turns.counts.waiting == 0)
        var admitted = working
        for task in tasks where await task.value { admitted += 1 }
        #expect(admitted > 0 && admitted <= asked)
    }

    private struct Xorshift {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    @Test("with no number of turns nobody waits")
    func unbounded() async throws {
        let turns = turns(0)
        for _ in 0..<100 { try await turns.enter() }
        #expect(turns.counts.waiting == 0 && turns.counts.working == 0)
    }
}
