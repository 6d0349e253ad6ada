import Foundation
import Platform
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
}
