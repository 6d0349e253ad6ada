import Foundation
import Kernel
import Logging
import Synchronization

/// What runs the jobs of one kind. The handler may be called again after a crash: it continues or starts over without
/// doubling its effect.
package struct JobHandler: Sendable {
    package let kind: String
    /// Returns the result as JSON, or `nil`.
    package let run: @Sendable (JobContext) async throws -> String?
    package init(kind: String, run: @escaping @Sendable (JobContext) async throws -> String?) {
        self.kind = kind
        self.run = run
    }
}

/// A job's own view of itself.
package final class JobContext: Sendable {
    package let job: Job
    private let queue: JobQueue
    private let owner: String
    private struct State {
        var lastReport = ContinuousClock.now - .seconds(10); var cancelled = false; var lost = false
    }
    private let state = Mutex(State())

    init(job: Job, queue: JobQueue, owner: String) {
        self.job = job
        self.queue = queue
        self.owner = owner
    }

    /// Reports progress (written at most four times a second) and throws `JobCancelled` when somebody asked to stop.
    package func progress(done: Int64, total: Int64, _ message: Words, force: Bool = false) async throws {
        try checkCancelled()
        let now = ContinuousClock.now
        let due = state.withLock { state in
            guard force || now - state.lastReport >= .milliseconds(250) else { return false }
            state.lastReport = now
            return true
        }
        if due { note(try await queue.report(job.id, owner: owner, done: done, total: total, message: message)) }
        try checkCancelled()
    }

    /// Throws `JobCancelled` when a cancel was seen or the lease was lost to another worker.
    package func checkCancelled() throws {
        if Task.isCancelled || state.withLock({ $0.cancelled || $0.lost }) { throw JobCancelled() }
    }

    /// For work on other threads that cannot throw through.
    package var isCancelled: Bool { state.withLock { $0.cancelled || $0.lost } }

    func heartbeat() async throws { note(try await queue.renew(job.id, owner: owner)) }
    var leaseLost: Bool { state.withLock { $0.lost } }

    private func note(_ cancel: Bool?) {
        state.withLock { state in
            switch cancel {
            case .none: state.lost = true
            case .some(let asked): state.cancelled = state.cancelled || asked
            }
        }
    }
}

/// Takes jobs one at a time until its task is cancelled.
package struct JobWorker: Sendable {
    private let queue: JobQueue
    private let handlers: [String: JobHandler]
    private let wake: WakeSignal
    private let owner: String
    private let logger: Logger
    private let outage: OutageLog?

    /// - Parameter outage: what the log says while the database is away; `nil` = each error by itself.
    package init(
        queue: JobQueue, handlers: [JobHandler], wake: WakeSignal, owner: String, logger: Logger,
        outage: OutageLog? = nil
    ) {
        self.outage = outage
        self.queue = queue
        self.handlers = Dictionary(handlers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.wake = wake
        self.owner = owner
        self.logger = logger
    }

    package func run() async {
        while !Task.isCancelled {
            let generation = wake.generation
            if await runNext() { continue }
            await wake.wait(after: generation, milliseconds: 1_000)
        }
    }

    /// Like `runOne`, for a loop: what goes wrong is logged and taken for "none is due".
    package func runNext() async -> Bool {
        do {
            let worked = try await runOne()
            outage?.worked()
            return worked
        } catch {
            guard let outage else {
                logger.error("job.claim_failed", metadata: ["error": "\(error)"])
                return false
            }
            outage.failed("job.claim_failed", error)
            return false
        }
    }

    /// Claims and runs one job. Returns false when none is due.
    @discardableResult
    package func runOne() async throws -> Bool {
        guard let job = try await queue.claim(owner: owner) else { return false }
        let context = JobContext(job: job, queue: queue, owner: owner)
        guard let handler = handlers[job.kind] else {
            try await queue.finish(
                job.id, owner: owner, status: .failed, result: nil,
                message: Words(en: "No module runs jobs of kind \(job.kind).", zh: "没有模块可执行 \(job.kind) 任务。"))
            return true
        }
        guard job.starts <= JobQueue.startsMax else {
            logger.error("job.given_up", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
            try await queue.finish(
                job.id, owner: owner, status: .failed, result: nil,
                message: Words(
                    en: "Given up: begun \(JobQueue.startsMax) times and interrupted each time.",
                    zh: "已放弃：启动 \(JobQueue.startsMax) 次均被中断。"))
            return true
        }
        let heart = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(Double(JobQueue.leaseSeconds) / 6))
                if !Task.isCancelled { try? await context.heartbeat() }
            }
        }
        defer { heart.cancel() }
        logger.info("job.started", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
        do {
            let result = try await handler.run(context)
            try await queue.finish(
                job.id, owner: owner, status: .succeeded, result: result, message: Words(en: "Done", zh: "已完成"))
        } catch is JobCancelled where !context.leaseLost && !Task.isCancelled {
            try await queue.finish(
                job.id, owner: owner, status: .cancelled, result: nil, message: Words(en: "Cancelled", zh: "已取消"))
        } catch  where Task.isCancelled && !(error is CRMError) {
            // The process stops, whatever the job noticed it by. It is not the job's fault: the next worker has it at once.
            try await queue.giveBack(job.id, owner: owner)
            logger.info("job.given_back", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
            return true
        } catch is JobCancelled {
            // Another worker has the job.
        } catch let answer as CRMError {
            // An answer, not an accident: trying again would give the same one.
            logger.error("job.failed", metadata: ["job": "\(job.id)", "kind": "\(job.kind)", "error": "\(answer)"])
            try await queue.finish(job.id, owner: owner, status: .failed, result: nil, message: answer.message)
        } catch {
            logger.error("job.failed", metadata: ["job": "\(job.id)", "kind": "\(job.kind)", "error": "\(error)"])
            // What the error says may hold anybody's data; people are shown where to look (G59).
            let words = Words(
                en: "Something went wrong in job \(job.id); the log says what.", zh: "任务 \(job.id) 执行出错，详情见日志。")
            try await queue.fail(job, owner: owner, message: words)
        }
        logger.info("job.ended", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
        return true
    }
}
