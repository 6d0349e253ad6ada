import Foundation
import Kernel
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// Of workers that wait, stop and start again, and of jobs that failed or ended long ago.
extension JobTests {
    @Test(
        "a waiting worker begins a new job without being polled, and stops when it is told to",
        arguments: TestEngine.allCases)
    func loop(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let worker = worker(bench, [JobHandler(kind: "test") { _ in nil }])
        let task = Task { await worker.run() }
        let first = try await enqueue(bench)
        #expect(try await eventually { try await job(bench, first).status == .succeeded })
        let second = try await enqueue(bench)
        #expect(try await eventually { try await job(bench, second).status == .succeeded })
        task.cancel()
        await task.value
        let third = try await enqueue(bench)
        #expect(try await job(bench, third).status == .queued)
    }

    @Test("a worker that is stopped in the middle leaves its job to the next one", arguments: TestEngine.allCases)
    func stopped(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench)
        let begun = Tally()
        let handler = JobHandler(kind: "test") { context in
            begun.add()
            if begun.count > 1 { return "second" }
            while true {
                try? await Task.sleep(for: .milliseconds(2))
                try context.checkCancelled()
            }
        }
        let task = Task { await worker(bench, [handler], owner: "stopping").run() }
        #expect(await eventually { begun.count == 1 })
        task.cancel()
        await task.value
        // Given back: the next one need not wait for the end of the lease, and the stop is not the job's fault.
        let left = try await job(bench, id)
        #expect(left.status == .queued && left.starts == 0 && left.attempts == 0)
        #expect(try await worker(bench, [handler], owner: "next").runOne())
        #expect(try await job(bench, id).result == "second")
    }

    @Test("restarts do not use up the attempts of a job: only accidents do", arguments: TestEngine.allCases)
    func restarts(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, attemptsMax: 3)
        for restart in 1...6 {
            #expect(try await bench.jobs.claim(owner: "killed \(restart)")?.starts == restart)
            bench.clock.advance(seconds: JobQueue.leaseSeconds + 1)
        }
        let worker = worker(bench, [JobHandler(kind: "test") { _ in throw Deliberate() }])
        for accident in 1...3 {
            #expect(try await worker.runOne())
            #expect(try await job(bench, id).attempts == min(accident + 1, 3))
            #expect(try await job(bench, id).status == (accident < 3 ? .queued : .failed))
            bench.clock.advance(seconds: 1_200)
        }
    }

    @Test("people see which job failed, not what the error said; the log has it", arguments: TestEngine.allCases)
    func discreet(engine: TestEngine) async throws {
        struct Leak: Error { let text = "王小明 13800001111" }
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, attemptsMax: 1)
        _ = try await worker(bench, [JobHandler(kind: "test") { _ in throw Leak() }]).runOne()
        let failed = try await job(bench, id)
        #expect(failed.status == .failed)
        for words in [failed.message.en, failed.message.zh] {
            #expect(words.contains(id.description) && !words.contains("王小明") && !words.contains("138"))
        }
    }

    @Test("a job that failed for good is begun again as if it were new; no other is", arguments: TestEngine.allCases)
    func begunAgain(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let id = try await enqueue(bench, attemptsMax: 1)
        let broken = Mutex(true)
        let handler = JobHandler(kind: "test") { _ in
            if broken.withLock({ $0 }) { throw Deliberate() }
            return "mended"
        }
        #expect(try await bench.database.write { try !bench.jobs.restart(id, $0) })
        _ = try await worker(bench, [handler]).runOne()
        #expect(try await bench.database.read { try bench.jobs.failed($0).map(\.id) } == [id])
        let other = try await enqueue(bench, attemptsMax: 1)
        #expect(try await bench.database.write { try !bench.jobs.dismiss(other, $0) }, "it has not failed")
        _ = try await worker(bench, [handler]).runOne()
        #expect(try await bench.database.read { try bench.jobs.failedCount($0) } == 2)
        #expect(try await bench.database.write { try bench.jobs.dismiss(other, $0) })
        #expect(try await bench.database.write { try !bench.jobs.restart(other, $0) }, "it was laid aside")
        #expect(try await bench.database.read { try bench.jobs.failedCount($0) } == 1)
        let aside = try await job(bench, other)
        #expect(aside.isFinished && aside.status == .dismissed)
        broken.withLock { $0 = false }
        #expect(try await bench.database.write { try bench.jobs.restart(id, $0) })
        #expect(try await worker(bench, [handler]).runOne())
        #expect(try await job(bench, id).result == "mended")
        #expect(try await bench.database.write { try !bench.jobs.restart(id, $0) })
        #expect(try await bench.database.read { try bench.jobs.failed($0).isEmpty })
    }

    @Test(
        "ended jobs are forgotten after their time, routine upkeep sooner, open ones never",
        arguments: TestEngine.allCases)
    func purge(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let worker = worker(
            bench,
            [
                JobHandler(kind: "test") { context in
                    if context.job.payload == "bad" { throw CRMError.notFound }
                    return nil
                }
            ])
        _ = try await bench.jobs.runSchedule("hourly", kind: "test", everySeconds: 3_600)
        let (good, bad) = (try await enqueue(bench), try await enqueue(bench, payload: "bad"))
        while try await worker.runOne() {}
        let open = try await enqueue(bench, "later")
        func left() async throws -> [JobID] {
            try await bench.jobs.purge()
            return try await bench.database.read { try bench.jobs.recent($0).map(\.id) }
        }
        #expect(try await left().count == 4)
        bench.clock.advance(days: 3)
        #expect(try await left() == [open, bad, good])
        bench.clock.advance(days: 90)
        #expect(try await left() == [open])
    }

    @Test("the list can leave out routine that went well", arguments: TestEngine.allCases)
    func routine(engine: TestEngine) async throws {
        let bench = try await Bench(engine)
        let worker = worker(
            bench, [JobHandler(kind: "test") { _ in nil }, JobHandler(kind: "bad") { _ in throw CRMError.notFound }])
        for kind in ["test", "bad"] { _ = try await bench.jobs.runSchedule(kind, kind: kind, everySeconds: 3_600) }
        while try await worker.runOne() {}
        _ = try await bench.jobs.runSchedule("next", kind: "test", everySeconds: 3_600)
        let mine = try await enqueue(bench)
        try await bench.database.read { session in
            let shown = try bench.jobs.recent(hiding: ["schedule"], session)
            #expect(shown.map(\.id).first == mine)
            #expect(shown.map(\.status) == [.queued, .queued, .failed])
            #expect(try bench.jobs.recent(session).count == 4)
            #expect(try bench.jobs.recent(before: shown[1].id, hiding: ["schedule"], session).count == 1)
        }
    }
}
