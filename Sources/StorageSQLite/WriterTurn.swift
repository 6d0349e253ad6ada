import Dispatch
import Foundation
import Synchronization

/// The turn of whoever writes next to a SQLite file, among all processes that write to it (ADR 0050).
///
/// SQLite's write lock has no queue: who finds it taken sleeps and asks again. A process with one transaction right behind
/// another (an import) takes it again long before a sleeper wakes, so others wait for a gap by chance. Here a writer takes
/// this turn before BEGIN IMMEDIATE and gives it back as soon as the transaction has begun: while somebody waits for the
/// write lock he has the turn, and the import that wants its next transaction stands behind him.
///
/// The turn is good manners, not correctness: the write lock still decides. A process that was stopped while it had the
/// turn, a file system without flock, a folder in which no file may be made: after a while writers go on without it.
final class WriterTurn: Sendable {
    private let descriptor: Int32
    /// Somebody has kept the turn for longer than `patience`: until it was had again it is asked for once and not waited for.
    private let isStuck = Mutex(false)
    /// Longer than transactions take; a process that was stopped with the turn costs each other one this once.
    private let patience: Duration

    /// - Parameter path: of the database file; the turn is a file beside it that is always empty.
    init(besides path: String, patience: Duration = .seconds(2)) {
        descriptor = open(path + "-turn", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        self.patience = patience
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Runs the body, which is to take the write lock, in turn.
    /// - Returns: whether nobody had the turn before.
    @discardableResult
    func taking(_ body: () throws -> Void) rethrows -> Bool {
        var isFree = true
        let isMine = take(&isFree)
        defer { if isMine { flock(descriptor, LOCK_UN) } }
        try body()
        return isFree
    }

    /// Only on the writer's own thread, where waiting for a lock is what there is to do.
    static func pause(microseconds: Int) {
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .microseconds(microseconds))
    }

    private func take(_ isFree: inout Bool) -> Bool {
        guard descriptor >= 0 else { return false }
        let end = isStuck.withLock { $0 } ? .now : ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            isFree = false
            guard ContinuousClock.now < end else {
                isStuck.withLock { $0 = true }
                return false
            }
            // Not in step with the others who ask.
            Self.pause(microseconds: Int.random(in: 500...2_000))
        }
        isStuck.withLock { $0 = false }
        return true
    }
}
