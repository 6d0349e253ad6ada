import Kernel
import Synchronization

/// Who works now. More requests at once than this make each of them slower and none sooner done: they wait for a turn, and
/// who would have to wait too long is told at once to come again. So a load of three times what can be borne is refused
/// in a few hundredths of a second, and what is admitted is answered nearly as fast as ever.
///
/// A short burst is waited out; while somebody has been waiting all the time for `burst`, nobody waits longer than
/// `crowdWait` (the controlled delay of Nichols and Jacobson, "Controlling Queue Delay", 2012, as servers use it).
package final class Turns: Sendable {
    private struct Waiter {
        let since: ContinuousClock.Instant
        let resume: CheckedContinuation<Bool, Never>
    }
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
    }
    static let burst = Duration.milliseconds(100)
    static let crowdWait = Duration.milliseconds(20)
    /// Without any end for so long it is not too many requests that are the trouble but what all of them wait for (a database
    /// that hands over): nobody is refused for that.
    static let standstill = Duration.milliseconds(500)

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
        state = Mutex(State(lastEnd: start, counted: start))
    }

    /// Those that wait and those that work.
    package var counts: (waiting: Int, working: Int) {
        state.withLock { ($0.waiting.count - $0.first, $0.working) }
    }

    /// Waits for a turn, which `leave` ends.
    /// - Throws: 503 when that would take too long.
    package func enter() async throws {
        guard await isAdmitted() else { throw InFlight.overloaded }
    }

    private func isAdmitted() async -> Bool {
        guard count > 0 else { return true }
        let isFree = state.withLock { state in
            guard state.working < count, state.first == state.waiting.count else { return false }
            state.working += 1
            return true
        }
        if isFree { return true }
        return await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                // A turn may have ended meanwhile.
                if state.working < count, state.first == state.waiting.count {
                    state.working += 1
                    return true
                }
                let now = now()
                if state.crowdedSince == nil { state.crowdedSince = now }
                state.waiting.append(Waiter(since: now, resume: continuation))
                return false
            }
            if isFree { continuation.resume(returning: true) }
        }
    }

    /// The turn goes to who has waited longest and not too long.
    package func leave() {
        guard count > 0 else { return }
        let now = now()
        var late: [CheckedContinuation<Bool, Never>] = []
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            if now - state.lastEnd > Self.standstill { state.counted = now }
            state.lastEnd = now
            let isCrowded = state.crowdedSince.map { now - max($0, state.counted) > Self.burst } ?? false
            let patience = isCrowded ? Self.crowdWait : Self.burst
            defer {
                if state.first == state.waiting.count { state.crowdedSince = nil }
                state.tidy()
            }
            while let waiter = state.next() {
                if now - max(waiter.since, state.counted) <= patience { return waiter.resume }
                late.append(waiter.resume)
            }
            state.working -= 1
            return nil
        }
        next?.resume(returning: true)
        for continuation in late { continuation.resume(returning: false) }
    }
}

/// The turn of one request, once it has it.
final class HeldTurn {
    private let turns: Turns
    private var isHeld = false

    init(_ turns: Turns) { self.turns = turns }

    /// Who asks whether this server lives is answered whatever the load; log-ins wait for the hasher, files for their client.
    func take(for route: Route) async throws {
        if isHeld || route.body == .upload { return }
        if case .anonymous = route.access { return }
        try await turns.enter()
        isHeld = true
    }

    func leave() {
        if isHeld { turns.leave() }
        isHeld = false
    }
}
