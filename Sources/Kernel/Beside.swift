import Dispatch
import Foundation
import Synchronization

/// Work done on another thread while its maker does something else, until its result is needed.
///
/// Whoever asks for the result before a thread has taken the work does it: nobody waits for a thread that may never come.
package final class Beside<Result: Sendable>: Sendable {
    private enum State: Sendable {
        case waiting(@Sendable () -> Result)
        case running
        case done(Result)
    }

    private let state: Mutex<State>
    private let isDone = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - isWorthIt: whether a thread is asked at all; small work is done when its result is asked for.
    ///   - work: must not wait for anything its maker does later.
    package init(isWorthIt: Bool = true, _ work: @escaping @Sendable () -> Result) {
        state = Mutex(.waiting(work))
        if isWorthIt { WorkThreads.beside.run { [self] in _ = take() } }
    }

    /// The result, waited for when another thread is at it. May be asked for more than once.
    package func value() -> Result {
        if let result = take() { return result }
        isDone.wait()
        isDone.signal()
        return value()
    }

    /// Does the work when nobody has begun it.
    /// - Returns: the result, when it is there.
    private func take() -> Result? {
        let work: (@Sendable () -> Result)? = state.withLock { state in
            guard case .waiting(let work) = state else { return nil }
            state = .running
            return work
        }
        if let work {
            let result = work()
            state.withLock { $0 = .done(result) }
            isDone.signal()
            return result
        }
        return state.withLock { if case .done(let result) = $0 { result } else { nil } }
    }
}

extension Array where Element: Sendable {
    /// The same as `map`, on several cores where there is much to do.
    /// - Parameter least: fewer elements than these are not worth a thread.
    package func mapBeside<T: Sendable>(least: Int = 64, _ transform: @escaping @Sendable (Element) -> T) -> [T] {
        let parts = Swift.min(ProcessInfo.processInfo.activeProcessorCount, 8, count / Swift.max(1, least))
        guard parts > 1 else { return map(transform) }
        let size = (count + parts - 1) / parts
        let others = stride(from: size, to: count, by: size).map { start in
            let part = self[start..<Swift.min(start + size, count)]
            return Beside { part.map(transform) }
        }
        return others.reduce(into: self[..<size].map(transform)) { $0 += $1.value() }
    }
}
