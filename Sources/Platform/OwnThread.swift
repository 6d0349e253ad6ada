import Foundation

/// Blocking work on a thread of its own: the cooperative pool has as many threads as the machine has cores, and work of
/// seconds there stops every other request.
package enum OwnThread {
    /// Runs `body` and returns what it returns; the caller's task waits without holding a thread. `body` is not stopped when
    /// the task is cancelled.
    /// - Parameter stackBytes: size of the thread's stack.
    package static func run<T: Sendable>(
        stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.stackSize = stackBytes
            thread.start()
        }
    }
}
