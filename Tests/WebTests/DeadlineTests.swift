import Kernel
import Synchronization
import Testing

@testable import Web

@Suite("Deadlines")
struct DeadlineTests {
    @Test("work in time keeps its answer and its error, also after other work was watched")
    func inTime() async throws {
        #expect(try await Deadline.run(seconds: 5) { 7 } == 7)
        await #expect(throws: CRMError.self) { try await Deadline.run(seconds: 5) { throw CRMError.notFound } }
        try await Task.sleep(for: .milliseconds(250))
        #expect(try await Deadline.run(seconds: 5) { 8 } == 8)
    }

    @Test("late work is cancelled, waited for, and answered with the status, even if it has an answer after all")
    func late() async throws {
        let ended = Mutex(false)
        let error = await #expect(throws: CRMError.self) {
            try await Deadline.run(seconds: 1, status: 408) {
                try? await Task.sleep(for: .seconds(30))
                #expect(Task.isCancelled)
                ended.withLock { $0 = true }
                return 1
            }
        }
        #expect(error?.status == 408)
        #expect(ended.withLock { $0 })
        // The caller is not cancelled with its work.
        #expect(!Task.isCancelled)
    }

    @Test("who waits for the work and is cancelled cancels the work")
    func cancelled() async throws {
        let task = Task {
            try await Deadline.run(seconds: 30) { try await Task.sleep(for: .seconds(30)) }
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
