import Foundation
import Platform
import Storage
import Synchronization
import Testing

@Suite("Threads of their own")
struct OwnThreadTests {
    @Test("blocking work leaves the pool free, however many wait for it, and gives its result or its error")
    func run() async throws {
        struct Broken: Error {}
        let gate = DispatchSemaphore(value: 0)
        // More than the pool has threads: on the pool, they would keep the one that opens the gate from running.
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<32 {
                group.addTask {
                    try await OwnThread.run {
                        gate.wait()
                        return number
                    }
                }
            }
            group.addTask {
                for _ in 0..<32 { gate.signal() }
                return 100
            }
            return try await group.reduce(0, +)
        }
        #expect(results == 496 + 100)
        await #expect(throws: Broken.self) { try await OwnThread.run { throw Broken() } }
    }

    @Test("work that tells of its progress is heard, gives its result, and is stopped by whoever listens")
    func notes() async throws {
        struct Enough: Error {}
        let heard = Mutex<[Int]>([])
        let gate = DispatchSemaphore(value: 0)
        let result = try await OwnThread.run(first: 0) { note in
            heard.withLock { $0.append(note) }
            if note == 7 { gate.signal() }
        } _: { box in
            try box.note(7)
            // Not before it was heard.
            gate.wait()
            return "done"
        }
        #expect(result == "done" && heard.withLock { $0.last } == 7)
        let stopped = Mutex(false)
        await #expect(throws: Enough.self) {
            try await OwnThread.run(first: 0) { _ in
                throw Enough()
            } _: { box in
                defer { stopped.withLock { $0 = true } }
                while true {
                    try box.note(1)
                    usleep(1_000)
                }
            }
        }
        #expect(stopped.withLock { $0 })
        // A task that is cancelled is a job that is to stop.
        let task = Task {
            try await OwnThread.run(first: 0) { _ in
            } _: { box in
                while true {
                    try box.note(1)
                    usleep(1_000)
                }
            }
        }
        task.cancel()
        await #expect(throws: JobCancelled.self) { try await task.value }
    }
}
