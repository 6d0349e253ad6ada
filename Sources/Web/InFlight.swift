import Kernel
import Synchronization

/// How many requests there is room for at once: in all, and for one caller (G69). A caller is an account, or the address
/// of somebody who is not logged in. What waits for a slow client is counted apart from what works, so that clients who
/// send nothing take no place from those who do.
package final class InFlight: Sendable {
    package enum Stage: Int, Sendable, CaseIterable {
        /// A handler works.
        case running
        /// A small body is being read.
        case receiving
        /// A handler reads a file.
        case uploading
        /// An answer is being made while it is sent.
        case sending
    }

    /// Places in all and for one caller.
    package struct Room: Sendable {
        package var total: Int
        package var caller: Int
        package init(total: Int, caller: Int) {
            self.total = total
            self.caller = caller
        }
    }

    private struct Key: Hashable { let stage: Stage; let caller: String }
    private struct State {
        var totals = [Int](repeating: 0, count: Stage.allCases.count); var callers: [Key: Int] = [:]
    }
    private let state = Mutex(State())
    private let room: [Room]

    package init(running: Room, receiving: Room, uploading: Room, sending: Room) {
        room = [running, receiving, uploading, sending]
    }

    /// Requests whose handlers work.
    package var current: Int { current(.running) }
    package func current(_ stage: Stage) -> Int { state.withLock { $0.totals[stage.rawValue] } }

    /// Takes a place; whoever holds it gives it back with `leave`.
    /// - Parameter caller: `nil` while it is not known who asks.
    /// - Throws: 503 when there is no room at all, 429 when the caller has taken their share.
    package func enter(_ stage: Stage, _ caller: String?) throws -> Place {
        let room = room[stage.rawValue]
        let refusal: CRMError? = state.withLock { state in
            guard state.totals[stage.rawValue] < room.total else { return Self.overloaded }
            if let caller {
                let key = Key(stage: stage, caller: caller)
                let count = state.callers[key] ?? 0
                guard count < room.caller else { return Self.share }
                state.callers[key] = count + 1
            }
            state.totals[stage.rawValue] += 1
            return nil
        }
        if let refusal { throw refusal }
        return Place(of: self, stage, caller)
    }

    fileprivate func leave(_ stage: Stage, _ caller: String?) {
        state.withLock { state in
            state.totals[stage.rawValue] -= 1
            guard let caller else { return }
            let key = Key(stage: stage, caller: caller)
            let count = (state.callers[key] ?? 1) - 1
            state.callers[key] = count > 0 ? count : nil
        }
    }

    static let overloaded = CRMError.unavailable(
        "overloaded", Words(en: "Too many requests at once; try again.", zh: "当前请求过多，请稍后再试。"))
    static let share = CRMError(
        "too_many_at_once", status: 429,
        Words(en: "Too many of your requests are under way; wait for them.", zh: "您同时进行的请求过多，请等待其完成。"),
        retryAfterSeconds: 1)
}

/// A place in `InFlight`, given back once: by `leave`, or when nobody holds it any more.
package final class Place: Sendable {
    private let owner: InFlight
    private let held: Mutex<(stage: InFlight.Stage, caller: String?)?>

    fileprivate init(of owner: InFlight, _ stage: InFlight.Stage, _ caller: String?) {
        self.owner = owner
        held = Mutex((stage, caller))
    }

    deinit { leave() }

    package func leave() {
        let place = held.withLock { held in
            defer { held = nil }
            return held
        }
        if let place { owner.leave(place.stage, place.caller) }
    }

    /// Gives this place back for one of another stage or caller.
    /// - Throws: as `enter`; nothing is held then.
    package func move(to stage: InFlight.Stage, _ caller: String?) throws {
        leave()
        let next = try owner.enter(stage, caller)
        let taken = next.held.withLock { held in
            defer { held = nil }
            return held
        }
        held.withLock { $0 = taken }
    }
}
