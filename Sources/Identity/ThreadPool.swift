import Foundation
import Kernel
import Synchronization

/// A few threads of its own for work that holds a core for a long time, with a queue that has an end. The cooperative
/// pool has as many threads as cores: four log-ins at once would stop every other request.
package final class ThreadPool: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var running = 0
        var stopped = false
    }

    /// What the threads hold; the pool itself may be released while they wait.
    private final class Core: Sendable {
        let state = Mutex(State())
        let signal = DispatchSemaphore(value: 0)

        func loop() {
            while true {
                signal.wait()
                let (work, stopped) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                    guard !state.waiting.isEmpty else { return (nil, state.stopped) }
                    state.running += 1
                    return (state.waiting.removeFirst(), false)
                }
                if stopped { return }
                guard let work else { continue }
                work()
                state.withLock { $0.running -= 1 }
            }
        }
    }

    private let core = Core()
    private let threads: Int
    private let queueMax: Int

    /// - Parameters:
    ///   - threads: 1...64.
    ///   - queueMax: jobs that may wait besides those that run.
    package init(threads: Int, queueMax: Int) {
        precondition((1...64).contains(threads) && queueMax >= 0, "a pool has threads and an end")
        self.threads = threads
        self.queueMax = queueMax
        for _ in 0..<threads {
            let core = self.core
            let thread = Thread { core.loop() }
            thread.stackSize = 512 * 1024
            thread.start()
        }
    }

    deinit {
        core.state.withLock { $0.stopped = true }
        for _ in 0..<threads { core.signal.signal() }
    }

    /// Runs `work` on a thread of the pool.
    /// - Throws: what `work` throws; `CRMError` 503 `overloaded` at once when the queue is full.
    package func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let admitted = core.state.withLock { state in
                guard state.waiting.count + state.running < threads + queueMax else { return false }
                state.waiting.append { continuation.resume(with: Result { try work() }) }
                return true
            }
            if admitted {
                core.signal.signal()
            } else {
                continuation.resume(
                    throwing: CRMError.unavailable(
                        "overloaded", Words(en: "Too many log-ins at once; try again.", zh: "当前登录请求过多，请稍后再试。")))
            }
        }
    }
}
