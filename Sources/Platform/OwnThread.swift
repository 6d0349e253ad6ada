import Foundation
import Storage
import Synchronization

/// Blocking work on a thread of its own: the cooperative pool has as many threads as the machine has cores, and work of
/// seconds there stops every other request.
package enum OwnThread {
    private static let mark = "switchboard.own-thread"
    /// Whether this is such a thread.
    package static var isCurrent: Bool { Thread.current.threadDictionary[mark] != nil }

    /// Runs `body` and returns what it returns; the caller's task waits without holding a thread. `body` is not stopped when
    /// the task is cancelled.
    /// - Parameter stackBytes: size of the thread's stack.
    package static func run<T: Sendable>(
        stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.threadDictionary[mark] = true
            thread.stackSize = stackBytes
            thread.start()
        }
    }

    /// The same for a body that cannot fail.
    package static func perform(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                body()
                continuation.resume()
            }
            thread.threadDictionary[mark] = true
            thread.start()
        }
    }

    /// Runs blocking work that tells of its progress through a mailbox; meanwhile `report` is called with what is in it
    /// a few times a second. When `report` throws (a cancelled job), the work is stopped at its next note.
    package static func run<Note: Sendable, T: Sendable>(
        first: Note, report: @escaping @Sendable (Note) async throws -> Void,
        _ body: @escaping @Sendable (Mailbox<Note>) throws -> T
    ) async throws -> T {
        let box = Mailbox(first)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                defer { box.close() }
                return try await run { try body(box) }
            }
            group.addTask {
                do {
                    while !box.isClosed {
                        try await report(box.latest)
                        try await Task.sleep(for: .milliseconds(200))
                    }
                } catch {
                    // The process stops: the queue knows that by this error.
                    let reason: any Error = error is CancellationError ? JobCancelled() : error
                    box.stop(reason)
                    throw reason
                }
                return nil
            }
            var result: T?
            while let next = try await group.next() {
                guard let value = next else { continue }
                result = value
                group.cancelAll()
                break
            }
            guard let result else { throw JobCancelled() }
            return result
        }
    }

    /// The latest note of the worker, and whether somebody asked it to stop.
    package final class Mailbox<Note: Sendable>: Sendable {
        private struct State { var note: Note; var error: (any Error)?; var closed = false }
        private let state: Mutex<State>

        init(_ note: Note) { state = Mutex(State(note: note)) }

        /// For the worker. Throws what the reporting side was stopped with.
        package func note(_ note: Note) throws {
            try state.withLock { state in
                if let error = state.error { throw error }
                state.note = note
            }
        }

        var latest: Note { state.withLock { $0.note } }
        var isClosed: Bool { state.withLock { $0.closed } }
        func stop(_ error: any Error) { state.withLock { $0.error = error } }
        func close() { state.withLock { $0.closed = true } }
    }
}
