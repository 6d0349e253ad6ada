import Kernel
import Synchronization

/// Who works now. More requests at once than this make each of them slower and none sooner done: they wait for a turn, and
/// who would have to wait too long is told at once to come again. So a load of three times what can be borne is refused
/// in a few thousandths of a second, and what is admitted is answered nearly as fast as ever.
///
/// A short burst is waited out; while somebody has been waiting all the time for `burst`, nobody waits longer than
/// `crowdWait` (the controlled delay of Nichols and Jacobson, "Controlling Queue Delay", 2012, as servers use it). How long
/// a wait would be is known when it would begin: those before it, times how long a turn has lately been held.
package final class Turns: Sendable {
    private struct Waiter {
        let since: ContinuousClock.Instant
        let resume: CheckedContinuation<Entry, Never>
    }
    private enum Entry { case admitted(ContinuousClock.Instant), refused }
    private struct State {
        var working = 0
        var waiting: [Waiter] = []
        /// The first of `waiting` that still waits.
        var first = 0
        /// Since when somebody has been waiting without a break.
        var crowdedSince: ContinuousClock.Instant?
        var lastEnd: ContinuousClock.Instant
        /// Waiting counts from here on: before, nothing went on at all.
        var counted: ContinuousClock.Instant
        /// How long a turn is held, on average of the last ones; nothing is known before `learnt` of them.
        var held = Duration.zero
        var learnt = 0

        var waiters: Int { waiting.count - first }

        mutating func next() -> Waiter? {
            guard first < waiting.count else { return nil }
            defer { first += 1 }
            return waiting[first]
        }

        mutating func tidy() {
            if first == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                first = 0
            } else if first >= 256 {
                waiting.removeFirst(first)
                first = 0
            }
        }

        /// What one turn took. One that saw a standstill tells nothing of the others.
        mutating func learn(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
            guard start >= counted else { return }
            let took = min(end - start, Turns.heldMax)
            held = learnt < Turns.learntMin ? (held * learnt + took) / (learnt + 1) : held + (took - held) / 32
            learnt = min(learnt + 1, Turns.learntMin)
        }

        func patience(_ now: ContinuousClock.Instant) -> Duration {
            let isCrowded = crowdedSince.map { now - max($0, counted) > Turns.burst } ?? false
            return isCrowded ? Turns.crowdWait : Turns.burst
        }

        /// Whether who comes now would wait for too long. While no turn ends there is nothing to reckon with.
        func isFull(_ count: Int, _ now: ContinuousClock.Instant) -> Bool {
            guard working >= count, waiters > 0, learnt >= Turns.learntMin, now - lastEnd < Turns.moving else {
                return false
            }
            return held * (waiters + 1) / count > patience(now)
        }
    }
    static let burst = Duration.milliseconds(100)
    static let crowdWait = Duration.milliseconds(20)
    /// Without any end for so long it is not too many requests that are the trouble but what all of them wait for (a database
    /// that hands over): nobody is refused for that.
    static let standstill = Duration.milliseconds(500)
    /// Who comes later than this after the last end is let wait: it may be the beginning of a standstill.
    static let moving = Duration.milliseconds(50)
    private static let heldMax = Duration.seconds(1)
    private static let learntMin = 16

    private let state: Mutex<State>
    private let count: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - count: requests that work at once; 0 = as many as come.
    ///   - now: the clock, for tests.
    package init(count: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.count = count
        self.now = now
        let start = now()
        state = Mutex(State(lastEnd: start, counted: start - .seconds(3_600)))
    }

    /// Those that wait and those that work.
    package var counts: (waiting: Int, working: Int) { state.withLock { ($0.waiters, $0.working) } }

    /// Whether who comes now would be refused.
    var isFull: Bool {
        guard count > 0 else { return false }
        let now = now()
        return state.withLock { $0.isFull(count, now) }
    }

    /// Waits for a turn, which `leave` ends.
    /// - Returns: when the turn began.
    /// - Throws: 503 when that would take too long.
    @discardableResult
    package func enter() async throws -> ContinuousClock.Instant {
        let now = now()
        guard count > 0 else { return now }
        switch state.withLock({ entry(&$0, now) }) {
        case .admitted(let start): return start
        case .refused: throw InFlight.overloaded
        case nil: break
        }
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Entry, Never>) in
            let known: Entry? = state.withLock { state in
                // A turn may have ended meanwhile.
                if let known = entry(&state, now) { return known }
                if state.crowdedSince == nil { state.crowdedSince = now }
                state.waiting.append(Waiter(since: now, resume: continuation))
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
        guard case .admitted(let start) = answer else { throw InFlight.overloaded }
        return start
    }

    /// `nil` = has to wait.
    private func entry(_ state: inout State, _ now: ContinuousClock.Instant) -> Entry? {
        if state.working < count, state.waiters == 0 {
            state.working += 1
            return .admitted(now)
        }
        return state.isFull(count, now) ? .refused : nil
    }

    /// The turn goes to who has waited longest and not too long.
    /// - Parameter start: when it began.
    package func leave(since start: ContinuousClock.Instant) {
        guard count > 0 else { return }
        let now = now()
        var late: [CheckedContinuation<Entry, Never>] = []
        let next: CheckedContinuation<Entry, Never>? = state.withLock { state in
            if now - state.lastEnd > Self.standstill { state.counted = now }
            state.lastEnd = now
            state.learn(from: start, to: now)
            let patience = state.patience(now)
            defer {
                if state.waiters == 0 { state.crowdedSince = nil }
                state.tidy()
            }
            while let waiter = state.next() {
                if now - max(waiter.since, state.counted) <= patience { return waiter.resume }
                late.append(waiter.resume)
            }
            state.working -= 1
            return nil
        }
        next?.resume(returning: .admitted(now))
        for continuation in late { continuation.resume(returning: .refused) }
    }
}

/// The turn of one request, once it has it.
final class HeldTurn {
    private let turns: Turns
    private var since: ContinuousClock.Instant?

    init(_ turns: Turns) { self.turns = turns }

    func take(for route: Route) async throws {
        if since == nil, route.takesTurn { since = try await turns.enter() }
    }

    func leave() {
        if let since { turns.leave(since: since) }
        since = nil
    }
}

extension Route {
    /// Who asks whether this server lives is answered whatever the load; log-ins wait for the hasher, files for their client.
    var takesTurn: Bool { body != .upload && access != .anonymous }
}
