import Kernel
import Platform
import Storage
import Synchronization
import Web

/// Answers `/readyz` in time, whatever the database does: one look goes on at a time, and who asks is told after at most
/// `patience` that it has not come to its end.
final class ReadinessBoard: Sendable {
    private struct State {
        var isLooking = false
        var next: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Console.Readiness, Never>] = [:]
    }

    private let state = Mutex(State())
    private let look: @Sendable () async -> Console.Readiness
    private let patience: Duration
    /// An orchestrator asks with a limit of its own (`switchboard health` with 5 s): it is to hear why.
    static let patience = Duration.milliseconds(1_500)

    init(patience: Duration = ReadinessBoard.patience, look: @escaping @Sendable () async -> Console.Readiness) {
        self.look = look
        self.patience = patience
    }

    func readiness() async -> Console.Readiness {
        await withCheckedContinuation { continuation in
            let (number, begins) = state.withLock { state in
                defer { state.isLooking = true }
                state.next += 1
                state.waiting[state.next] = continuation
                return (state.next, !state.isLooking)
            }
            if begins { Task { [self] in await begin() } }
            Task { [self] in
                try? await Task.sleep(for: patience)
                // Usually it has been answered by now, and there is nobody left to tell.
                state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(
                    returning: Console.Readiness(problems: [Console.Readiness.databaseIsSilent]))
            }
        }
    }

    private func begin() async {
        let found = await look()
        let waiting = state.withLock { state in
            defer { (state.isLooking, state.waiting) = (false, [:]) }
            return state.waiting
        }
        for continuation in waiting.values { continuation.resume(returning: found) }
    }
}

extension Console.Readiness {
    static let databaseIsSilent = "the database does not answer"

    /// Looks at every tenant. How many, not which, and no address: anybody may ask; the log says more.
    static func look(
        _ names: [String], _ migrator: Migrator, _ thresholds: WarningThresholds,
        open: @Sendable (String) async throws -> Tenant, note: @Sendable (String, any Error) -> Void
    ) async -> Console.Readiness {
        var (pending, closed, away) = (0, 0, 0)
        var (faults, late) = (0, Int64(0))
        for name in names {
            do {
                let tenant = try await open(name)
                let missing = try await migrator.pending(tenant.database)
                pending += missing
                guard missing == 0 else { continue }
                let state = try await tenant.database.read { try WorkState.load(tenant, $0) }
                faults += state.faults
                late = max(late, state.lateSeconds)
            } catch {
                note(name, error)
                if isOfDatabase(error) { away += 1 } else { closed += 1 }
            }
        }
        let which = names.count > 1 ? " (\(away) of \(names.count) tenants)" : ""
        return Console.Readiness(
            problems: (pending == 0 ? [] : ["\(pending) migrations are pending"])
                + (away == 0 ? [] : ["the database cannot be reached\(which)"])
                + (closed == 0 ? [] : ["\(closed) of \(names.count) tenants cannot be opened"]),
            warnings: thresholds.warnings(WorkState(faults: faults, lateSeconds: late)).map(\.en))
    }

    private static func isOfDatabase(_ error: any Error) -> Bool {
        if error is DatabaseUnreachable { return true }
        guard let error = error as? StorageError else { return false }
        return [.connection, .busy, .outcomeUnknown].contains(error.kind)
    }
}
