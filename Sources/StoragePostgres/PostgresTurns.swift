import Dispatch
import Synchronization

/// Writers side by side, or one alone (ADR 0011).
///
/// A long transaction beside many short ones may meet one of them each time it is run again: an import would never come to
/// its end while people work. From its sixth run on it has the database to itself: every writer begins by taking the table
/// of marks in ROW SHARE mode, which they share, and that one takes it in EXCLUSIVE mode. LOCK TABLE as the first statement
/// takes no snapshot, so it sees all that was committed while it waited.
final class PostgresTurns: Sendable {
    enum Turn: Sendable {
        /// There is nothing to take: before the first migration, or without the right to.
        case free
        case shared, alone
    }
    /// Thrown by `begin` when the table is not there.
    struct Missing: Error {}

    static let aloneFrom = 6
    private let missingUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter attempt: which run of the transaction it is, from 1.
    func turn(attempt: Int) -> Turn {
        let isMissing = missingUntil.withLock { $0.map { ContinuousClock.now < $0 } ?? false }
        return isMissing ? .free : attempt >= Self.aloneFrom ? .alone : .shared
    }

    /// Asked again after a second.
    func noteMissing() { missingUntil.withLock { $0 = .now + .seconds(1) } }

    /// Begins a transaction that writes, in one round trip.
    /// - Throws: `Missing`; a failure that asks for another run when the others did not come to their end in time.
    static func begin(_ words: String, _ turn: Turn, _ connection: PostgresConnection, until deadline: DispatchTime)
        throws
    {
        guard turn != .free else {
            try connection.simple(words, until: deadline)
            return
        }
        let mode = turn == .alone ? "EXCLUSIVE" : "ROW SHARE"
        do {
            try connection.simple("\(words); LOCK TABLE storage_mark IN \(mode) MODE", until: deadline)
        } catch let failure as PostgresFailure where ["42P01", "42501"].contains(failure.state) {
            throw Missing()
        } catch let failure as PostgresFailure where failure.state == "55P03" {
            throw PostgresFailure(state: "40001", detail: failure.detail)
        }
    }
}
