import Foundation

/// Threads on which a task may wait for the database. What answers requests runs here, so that a read is a call and not two
/// changes of thread, which cost more than the look-ups of a page; and a read that takes long holds one of a dozen threads, not
/// one of the cooperative pool's few.
package final class ReadingThreads: TaskExecutor, @unchecked Sendable {
    package static let shared = ReadingThreads(count: 8)

    /// Guards `jobs` and `idle`.
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var next = 0
    private var idle = 0

    /// For the life of the process.
    private init(count: Int) {
        for number in 0..<count {
            let thread = Thread { [self] in work() }
            thread.name = "reading-\(number)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Whether the current task runs on these threads.
    static var areCurrent: Bool {
        withUnsafeCurrentTask { $0?.unownedTaskExecutor == shared.asUnownedTaskExecutor() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        let isAwaited = idle > 0
        condition.unlock()
        if isAwaited { condition.signal() }
    }

    private func work() -> Never {
        while true { take().runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// The oldest job, as soon as there is one.
    private func take() -> UnownedJob {
        condition.lock()
        defer { condition.unlock() }
        while next == jobs.count {
            idle += 1
            condition.wait()
            idle -= 1
        }
        let job = jobs[next]
        next += 1
        if next == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 1_024 {
            jobs.removeFirst(next)
            next = 0
        }
        return job
    }
}
