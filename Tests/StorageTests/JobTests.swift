import Foundation
import Kernel
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Storage

@Suite("Jobs")
struct JobTests {
    func worker(_ bench: Bench, _ handlers: [JobHandler], owner: String = "w") -> JobWorker {
        JobWorker(
            queue: bench.jobs, handlers: handlers, wake: bench.wake, owner: owner,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func enqueue(_ bench: Bench, _ kind: String = "test", payload: String = "{}", attemptsMax: Int = 3)
        async throws -> JobID
    {
        try await bench.database.write {
            try bench.jobs.enqueue(kind, payload: payload, by: "tester", attemptsMax: attemptsMax, $0)
        }
    }

    func job(_ bench: Bench, _ id: JobID) async throws -> Job {
        try #require(try await bench.database.read { try bench.jobs.job(id, $0) })
    }

    @Test("a job runs with its payload and keeps its result", arguments: TestEngine.allCases)
    func success(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, payload: #"{"file":"x"}"#)
        let before = try await job(bench, id)
        #expect(
            before.status == .queued && before.createdBy == "tester" && before.startedAt == nil && !before.isFinished)
        let worker = worker(bench, [JobHandler(kind: "test") { context in "got " + context.job.payload }])
        #expect(try await worker.runOne())
        #expect(try await !worker.runOne())
        let after = try await job(bench, id)
        #expect(after.status == .succeeded && after.isFinished)
        #expect(after.result == #"got {"file":"x"}"#)
        #expect(after.attempts == 1)
        #expect(after.startedAt == bench.clock.now() && after.finishedAt == bench.clock.now())
    }

    @Test(
        "a job of a transaction that was rolled back is not in the queue, and one for later waits",
        arguments: TestEngine.allCases)
    func enqueuing(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        await #expect(throws: Deliberate.self) {
            try await bench.database.write { session in
                try bench.jobs.enqueue("test", payload: "{}", by: "x", session)
                throw Deliberate()
            }
        }
        #expect(try await bench.jobs.counts().isEmpty)
        let later = bench.clock.now().adding(seconds: 60)
        try await bench.database.write { _ = try bench.jobs.enqueue("test", payload: "{}", by: "x", runAt: later, $0) }
        let worker = worker(bench, [JobHandler(kind: "test") { _ in nil }])
        #expect(try await !worker.runOne())
        bench.clock.advance(seconds: 60)
        #expect(try await worker.runOne())
    }

    @Test("four workers share 40 jobs; each runs once", arguments: TestEngine.allCases)
    func claimedOnce(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        for number in 0..<40 { _ = try await enqueue(bench, payload: "\(number)") }
        let ran = Mutex<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for owner in ["a", "b", "c", "d"] {
                let worker = worker(
                    bench,
                    [
                        JobHandler(kind: "test") { context in
                            ran.withLock { $0.append(context.job.payload) }
                            await Task.yield()
                            return nil
                        }
                    ], owner: owner)
                group.addTask { while try await worker.runOne() {} }
            }
            try await group.waitForAll()
        }
        #expect(ran.withLock { $0 }.sorted() == (0..<40).map(String.init).sorted())
        #expect(try await bench.jobs.counts() == ["succeeded": 40])
    }

    @Test(
        "a dead worker's job is continued by another after its lease, and the dead one's answer counts no more",
        arguments: TestEngine.allCases)
    func lease(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        let claimed = try await bench.jobs.claim(owner: "dead")
        let held = try #require(claimed)
        #expect(held.id == id && held.attempts == 1)
        #expect(try await bench.jobs.claim(owner: "other") == nil)
        bench.clock.advance(seconds: JobQueue.leaseSeconds - 1)
        #expect(try await bench.jobs.renew(id, owner: "dead") == false)
        bench.clock.advance(seconds: JobQueue.leaseSeconds - 1)
        #expect(try await bench.jobs.claim(owner: "other") == nil)
        bench.clock.advance(seconds: 2)
        let again = try #require(try await bench.jobs.claim(owner: "other"))
        #expect(again.id == id && again.starts == 2 && again.attempts == 1 && again.startedAt == held.startedAt)
        #expect(try await bench.jobs.renew(id, owner: "dead") == nil)
        try await bench.jobs.finish(id, owner: "dead", status: .failed, result: nil, message: Words(en: "x", zh: "x"))
        #expect(try await job(bench, id).status == .running)
        let context = JobContext(job: held, queue: bench.jobs, owner: "dead")
        await #expect(throws: JobCancelled.self) {
            try await context.progress(done: 1, total: 2, Words(en: "x", zh: "x"), force: true)
        }
        #expect(context.leaseLost && context.isCancelled)
        try await bench.jobs.finish(
            id, owner: "other", status: .succeeded, result: "1", message: Words(en: "x", zh: "x"))
        #expect(try await job(bench, id).result == "1")
    }

    @Test("a job that takes its process down with it is not started for ever", arguments: TestEngine.allCases)
    func poison(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        var claims = 0
        while try await bench.jobs.claim(owner: "crash \(claims)") != nil, claims < 100 {
            claims += 1
            bench.clock.advance(seconds: JobQueue.leaseSeconds + 1)
            guard claims >= JobQueue.startsMax else { continue }
            // The next worker sees how often it was begun and gives it up instead of running it.
            let ran = Tally()
            _ = try await worker(
                bench,
                [
                    JobHandler(kind: "test") { _ in
                        ran.add(); return nil
                    }
                ]
            ).runOne()
            #expect(ran.count == 0)
        }
        #expect(claims == JobQueue.startsMax)
        #expect(try await job(bench, id).status == .failed)
    }

    @Test("progress is kept with its words in both languages", arguments: TestEngine.allCases)
    func progress(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        let seen = Mutex<[Job?]>([])
        _ = try await worker(
            bench,
            [
                JobHandler(kind: "test") { context in
                    try await context.progress(done: 3, total: 10, Words(en: "three", zh: "三"))
                    let now = try await bench.database.read { try bench.jobs.job(id, $0) }
                    // Within a quarter of a second nothing more is written, unless it is forced.
                    try await context.progress(done: 4, total: 10, Words(en: "four", zh: "四"))
                    let same = try await bench.database.read { try bench.jobs.job(id, $0) }
                    try await context.progress(done: 5, total: 10, Words(en: "five", zh: "五"), force: true)
                    let forced = try await bench.database.read { try bench.jobs.job(id, $0) }
                    seen.withLock { $0 = [now, same, forced] }
                    return nil
                }
            ]
        ).runOne()
        let shown = seen.withLock { $0 }.compactMap { $0 }
        #expect(shown.map(\.done).first == 3 && shown.map(\.done).last == 5)
        #expect(shown.first?.total == 10 && shown.first?.status == .running)
        #expect(shown.first?.message == Words(en: "three", zh: "三"))
    }

    @Test("a queued job is cancelled at once and never runs", arguments: TestEngine.allCases)
    func cancelQueued(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        try await bench.database.write { try bench.jobs.cancel(id, $0) }
        let cancelled = try await job(bench, id)
        #expect(cancelled.status == .cancelled && cancelled.finishedAt == bench.clock.now())
        #expect(try await !worker(bench, [JobHandler(kind: "test") { _ in nil }]).runOne())
        // Cancelling again, or cancelling what has ended, changes nothing.
        bench.clock.advance(seconds: 5)
        try await bench.database.write { try bench.jobs.cancel(id, $0) }
        #expect(try await job(bench, id).finishedAt == cancelled.finishedAt)
    }

    @Test("a running job stops at its next progress report", arguments: TestEngine.allCases)
    func cancelRunning(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        let reports = Tally()
        _ = try await worker(
            bench,
            [
                JobHandler(kind: "test") { context in
                    for step in 0..<1_000 {
                        reports.add()
                        try await context.progress(
                            done: Int64(step), total: 1_000, Words(en: "x", zh: "x"), force: true)
                        if step == 2 { try await bench.database.write { try bench.jobs.cancel(id, $0) } }
                    }
                    return "never"
                }
            ]
        ).runOne()
        let after = try await job(bench, id)
        #expect(after.status == .cancelled && after.cancelRequested && after.result == nil)
        #expect(reports.count == 4)
    }

    @Test("an answer (CRMError) fails the job at once with its words", arguments: TestEngine.allCases)
    func answer(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        _ = try await worker(
            bench,
            [
                JobHandler(kind: "test") { _ in
                    throw CRMError.conflict("twice", Words(en: "Already there", zh: "已存在"))
                }
            ]
        ).runOne()
        let after = try await job(bench, id)
        #expect(after.status == .failed && after.attempts == 1 && after.message.zh == "已存在")
    }

    @Test("an accident is tried again later, attemptsMax times in all", arguments: TestEngine.allCases)
    func accident(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, attemptsMax: 3)
        let tries = Tally()
        let worker = worker(
            bench,
            [
                JobHandler(kind: "test") { _ in
                    tries.add()
                    throw Deliberate()
                }
            ])
        for attempt in 1...3 {
            #expect(try await worker.runOne())
            #expect(tries.count == attempt)
            #expect(try await job(bench, id).status == (attempt < 3 ? .queued : .failed))
            // Not at once.
            #expect(try await !worker.runOne())
            bench.clock.advance(seconds: 600)
        }
        #expect(try await !worker.runOne())
        #expect(tries.count == 3)
    }

    @Test("an accident that passes does not count against the job", arguments: TestEngine.allCases)
    func recovery(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        let tries = Tally()
        let worker = worker(
            bench,
            [
                JobHandler(kind: "test") { _ in
                    tries.add()
                    if tries.count == 1 { throw StorageError(.busy, "locked") }
                    return "ok"
                }
            ])
        _ = try await worker.runOne()
        bench.clock.advance(seconds: 600)
        _ = try await worker.runOne()
        let after = try await job(bench, id)
        #expect(after.status == .succeeded && after.result == "ok" && after.attempts == 2)
    }

    @Test("a kind that no module runs fails with its name", arguments: TestEngine.allCases)
    func unknownKind(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, "nobody.knows")
        #expect(try await worker(bench, []).runOne())
        let after = try await job(bench, id)
        #expect(
            after.status == .failed && after.message.en.contains("nobody.knows")
                && after.message.zh.contains("nobody.knows"))
    }

    @Test("a schedule fires once a period however many processes ask", arguments: TestEngine.allCases)
    func schedule(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        func ask() async throws -> Int {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask { try await bench.jobs.runSchedule("nightly", kind: "test", everySeconds: 3_600) }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(try await ask() == 1)
        bench.clock.advance(seconds: 3_599)
        #expect(try await ask() == 0)
        bench.clock.advance(seconds: 1)
        #expect(try await ask() == 1)
        #expect(try await bench.jobs.counts() == ["queued": 2])
        #expect(try await bench.jobs.runSchedule("weekly", kind: "test", everySeconds: 60))
    }

    @Test("the list shows the newest first and continues where it ended", arguments: TestEngine.allCases)
    func recent(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        var ids: [JobID] = []
        for number in 0..<7 { ids.append(try await enqueue(bench, number % 2 == 0 ? "even" : "odd")) }
        let newest = ids.reversed() as [JobID]
        let odd = [ids[5], ids[3], ids[1]]
        try await bench.database.read { session in
            let first = try bench.jobs.recent(limit: 3, session)
            #expect(first.map(\.id) == Array(newest[..<3]))
            #expect(try bench.jobs.recent(before: first.last?.id, limit: 10, session).map(\.id) == Array(newest[3...]))
            #expect(try bench.jobs.recent(kind: "odd", session).map(\.id) == odd)
        }
    }
}
