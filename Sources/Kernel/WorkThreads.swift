import Foundation

/// Threads for the life of the process that tasks and closures run on, the oldest first. Whoever runs here may wait (for a
/// database, for a file) without holding one of the cooperative pool's few threads.
package final class WorkThreads: TaskExecutor, @unchecked Sendable {
    /// What answers requests: a read is a call and not two changes of thread, which cost more than the look-ups of a page; and
    /// a read that takes long holds one of a dozen threads.
    package static let reading = WorkThreads(count: 8, name: "reading")
    /// Work whose result is waited for soon, such as rows that an import's writer takes next. It has the cores that are left.
    package static let beside = WorkThreads(count: cores, name: "beside", niceness: 5)
    /// Work that nobody waits for yet: rows to come, comparing what was written before. Beside an import's writer, which is one
    /// thread and busy all the time, equals took a quarter of its time, and made it wait for `beside` too (measured, ADR 0045).
    package static let ahead = WorkThreads(count: cores + 2, name: "ahead", niceness: 15)
    private static let cores = min(8, ProcessInfo.processInfo.activeProcessorCount)
    private static let all = [reading, beside, ahead]

    private enum Work {
        case job(UnownedJob)
        case body(@Sendable () -> Void)
    }

    /// Guards `waiting`, `next` and `idle`.
    private let condition = NSCondition()
    private var waiting: [Work] = []
    private var next = 0
    private var idle = 0

    /// - Parameter niceness: 0...19, added to the process's own; how far others go before these threads.
    private init(count: Int, name: String, niceness: Int32 = 0) {
        for number in 0..<count {
            let thread = Thread { [self] in
                // Of this thread alone: Linux keeps it for each, and a new one has its creator's, which Dispatch may have changed:
                // the process's own is the main thread's. Where it is refused the work is done all the same.
                let processes = __priority_which_t(0)
                setpriority(processes, 0, getpriority(processes, id_t(getpid())) + niceness)
                work()
            }
            thread.name = "\(name)-\(number)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Whether the current task runs on such threads.
    package static var areCurrent: Bool {
        withUnsafeCurrentTask { task in
            guard let executor = task?.unownedTaskExecutor else { return false }
            return all.contains { $0.asUnownedTaskExecutor() == executor }
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Runs a closure as soon as a thread is free.
    package func run(_ body: @escaping @Sendable () -> Void) { add(.body(body)) }

    private func add(_ work: Work) {
        condition.lock()
        waiting.append(work)
        let isAwaited = idle > 0
        condition.unlock()
        if isAwaited { condition.signal() }
    }

    private func work() -> Never {
        while true {
            switch take() {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .body(let body): body()
            }
        }
    }

    /// The oldest work, as soon as there is some.
    private func take() -> Work {
        condition.lock()
        defer { condition.unlock() }
        while next == waiting.count {
            idle += 1
            condition.wait()
            idle -= 1
        }
        let work = waiting[next]
        next += 1
        if next == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= 1_024 {
            waiting.removeFirst(next)
            next = 0
        }
        return work
    }
}
