import Dispatch
import Storage
import Synchronization

/// What is known of a server that cannot be reached, shared by all who want something of it.
///
/// Whoever meets a server that is gone waits for it: a hand-over takes seconds (ADR 0016). When it has been gone for longer than
/// anybody waits, those who come then are told at once, and one question after the other finds out when it is back (ADR 0025).
final class PostgresAbsence: Sendable {
    /// A server that is being promoted, or a standby behind a proxy, can be read and not written to.
    enum Need: Sendable { case read, write }
    private struct State {
        var readsSince: ContinuousClock.Instant?
        var writesSince: ContinuousClock.Instant?
        var isAsking = false
        var isClosed = false
    }

    private let settings: PostgresSettings
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "switchboard.postgres.absence")
    /// Most troubles are over by then, and those who met them know it.
    private static let firstQuestion = DispatchTimeInterval.seconds(1)
    private static let nextQuestion = DispatchTimeInterval.milliseconds(300)

    init(_ settings: PostgresSettings) {
        var settings = settings
        settings.connectSeconds = 2
        settings.answerSeconds = 2
        self.settings = settings
    }

    /// - Throws: `StorageError.connection` when the server has been away for longer than a caller waits.
    func refuse(_ need: Need) throws {
        let since = state.withLock { need == .write ? $0.writesSince : $0.readsSince }
        guard let since else { return }
        let gone = ContinuousClock.now - since
        guard gone >= .seconds(settings.waitSeconds) else { return }
        throw StorageError(.connection, "the server has been away for \(gone.components.seconds) s")
    }

    /// Something of the server was answered.
    func worked(_ need: Need) {
        state.withLock { state in
            // Nobody looks at these in good times: a write would make every core fetch them anew.
            guard state.readsSince != nil || state.writesSince != nil else { return }
            state.readsSince = nil
            if need == .write { state.writesSince = nil }
        }
    }

    /// - Parameter since: from when on it has not answered.
    func failed(_ need: Need, _ failure: PostgresFailure, since: ContinuousClock.Instant) {
        let asks = state.withLock { state in
            state.writesSince = state.writesSince ?? since
            // A standby can still be read.
            if need == .read, !failure.isOfStandby { state.readsSince = state.readsSince ?? since }
            guard !state.isAsking, !state.isClosed else { return false }
            state.isAsking = true
            return true
        }
        if asks { askLater(Self.firstQuestion) }
    }

    func close() { state.withLock { $0.isClosed = true } }

    private func askLater(_ pause: DispatchTimeInterval) {
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.ask() }
    }

    private func ask() {
        let isOver = state.withLock { state in
            let isOver = state.isClosed || (state.readsSince == nil && state.writesSince == nil)
            if isOver { state.isAsking = false }
            return isOver
        }
        if isOver { return }
        do {
            let connection = try PostgresConnection(settings)
            worked(.read)
            let deadline = DispatchTime.now() + .seconds(settings.answerSeconds)
            try connection.simple(
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SELECT 1; ROLLBACK", until: deadline)
            worked(.write)
        } catch {
            // Asked again.
        }
        askLater(Self.nextQuestion)
    }
}
