import Synchronization

/// Lets a waiting loop of the same process know at once that there is work; loops also look by themselves now and then.
package final class WakeSignal: Sendable {
    private struct State {
        var generation = 0; var waiters: [Int: CheckedContinuation<Void, Never>] = [:]; var nextKey = 0
    }
    private let state = Mutex(State())
    private let onward: (@Sendable () -> Void)?

    /// - Parameter onward: called with each signal: tells others of it.
    package init(onward: (@Sendable () -> Void)? = nil) { self.onward = onward }

    package func signal() {
        defer { onward?() }
        let waiters = state.withLock { state in
            state.generation += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The number of signals so far: take it before looking for work and hand it to `wait`.
    package var generation: Int { state.withLock { $0.generation } }

    /// Returns when a signal later than `generation` came, the time is over, or the task is cancelled.
    package func wait(after generation: Int, milliseconds: Int) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForSignal(after: generation) }
            group.addTask { try? await Task.sleep(for: .milliseconds(milliseconds)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForSignal(after generation: Int) async {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if state.generation > generation || Task.isCancelled { return true }
                    state.waiters[key] = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: key) }?.resume()
        }
    }
}
