import Kernel
import Synchronization

/// Ends work that takes too long.
///
/// By design work that does not look at cancellation is waited for: an answer before its end would let the place of the
/// request go while its work goes on, and work would pile up without bound. Handlers suspend in the database, on the
/// hasher's threads or in the network, which all end; a computation that runs for long belongs in a job.
enum Deadline {
    /// - Parameter status: 503 when the product was slow, 408 when the client was.
    static func run<T: Sendable>(
        seconds: Int, status: Int = 503, _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        let watched = WatchedWork()
        let number = DeadlineWatch.shared.watch(watched, until: .now + .seconds(seconds))
        defer { DeadlineWatch.shared.forget(number) }
        async let result = watched.run(work)
        let value: T
        do { value = try await result } catch { throw watched.isDue ? late(status) : error }
        guard !watched.isDue else { throw late(status) }
        return value
    }

    private static func late(_ status: Int) -> CRMError {
        CRMError(
            "timeout", status: status, Words(en: "The request took too long.", zh: "请求处理超时。"), retryAfterSeconds: 5)
    }
}

/// Work that can be cancelled from elsewhere while it runs.
private final class WatchedWork: Sendable {
    /// Used only between the task's entry and its leaving.
    private struct Handle: @unchecked Sendable { let task: UnsafeCurrentTask }
    private struct State {
        var handle: Handle?
        var isDue = false
    }
    private let state = Mutex(State())

    var isDue: Bool { state.withLock { $0.isDue } }

    func run<T: Sendable>(_ work: @Sendable () async throws -> T) async throws -> T {
        withUnsafeCurrentTask { task in
            let handle = task.map { Handle(task: $0) }
            let isDue = state.withLock { state in
                state.handle = handle
                return state.isDue
            }
            if isDue { task?.cancel() }
        }
        // The task lives at least until here: it is the one that runs this.
        defer { state.withLock { $0.handle = nil } }
        return try await work()
    }

    func end() {
        state.withLock { state in
            state.isDue = true
            state.handle?.task.cancel()
        }
    }
}

/// One clock for all that has a deadline: a timer and a task for each request cost more than what they watch over. It looks
/// every tenth of a second, and not at all while nothing runs.
private final class DeadlineWatch: Sendable {
    static let shared = DeadlineWatch()

    private struct Entry {
        let work: WatchedWork
        let due: ContinuousClock.Instant
    }
    private struct State {
        var entries: [UInt64: Entry] = [:]
        var last: UInt64 = 0
        var isLooking = false
    }
    private let state = Mutex(State())

    /// Returns the number under which the work is forgotten.
    func watch(_ work: WatchedWork, until due: ContinuousClock.Instant) -> UInt64 {
        let (number, starts) = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(work: work, due: due)
            defer { state.isLooking = true }
            return (state.last, !state.isLooking)
        }
        if starts { Task { [self] in await look() } }
        return number
    }

    func forget(_ number: UInt64) { state.withLock { $0.entries[number] = nil } }

    private func look() async {
        while true {
            try? await Task.sleep(for: .milliseconds(100))
            let now = ContinuousClock.now
            let due: [WatchedWork]? = state.withLock { state in
                guard !state.entries.isEmpty else {
                    state.isLooking = false
                    return nil
                }
                return state.entries.values.filter { $0.due <= now }.map(\.work)
            }
            guard let due else { return }
            for work in due { work.end() }
        }
    }
}
