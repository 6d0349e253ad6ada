import Foundation
import Kernel
import Storage
import Synchronization
import Web

/// Blocking work on a thread of its own: training and scoring would starve the cooperative pool, which has as many
/// threads as the machine has cores.
enum OwnThread {
    static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Runs blocking work that tells of its progress through a mailbox; meanwhile `report` is called with what is in it
    /// a few times a second. When `report` throws (a cancelled job), the work is stopped at its next note.
    static func run<Note: Sendable, T: Sendable>(
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
    final class Mailbox<Note: Sendable>: Sendable {
        private struct State { var note: Note; var error: (any Error)?; var closed = false }
        private let state: Mutex<State>

        init(_ note: Note) { state = Mutex(State(note: note)) }

        /// For the worker. Throws what the reporting side was stopped with.
        func note(_ note: Note) throws {
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

/// Tells a person how far a run is; throws `JobCancelled` when it is to stop.
package typealias RunReport = @Sendable (_ done: Int64, _ total: Int64, Words) async throws -> Void

extension Bilingual {
    var words: Words { Words(en: en, zh: zh) }
}

extension ModelError: CRMErrorConvertible {
    /// A refusal that names what is wrong with the data; trying again would give the same.
    package var crmError: CRMError { CRMError(code, status: 422, text.words) }
}
