import Foundation
import Kernel
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// Looking at a large file takes seconds; meanwhile everybody else is served.
@Suite("Inspection leaves the pool free")
struct InspectionThreadTests {
    /// A file that is not read before somebody opens the gate: what reads it blocks its thread.
    private final class Gated: BlobStore, BlobReader, @unchecked Sendable {
        private let gate: DispatchSemaphore
        private let content: [UInt8]
        private var left: [UInt8]?, isOpen = false

        init(_ gate: DispatchSemaphore, _ content: String) {
            self.gate = gate
            self.content = Array(content.utf8)
        }

        /// One reader at a time; each begins anew.
        func reader(_ id: String, offset: Int64) throws -> any BlobReader {
            left = Array(content.dropFirst(Int(offset)))
            return self
        }
        func read(_ max: Int) throws -> [UInt8]? {
            defer { left = nil }
            if !isOpen { gate.wait() }
            isOpen = true
            return left
        }
        func writer(id: String?) throws -> any BlobWriter { throw CRMError.notFound }
        func ids() throws -> [String] { [] }
        func size(_ id: String) throws -> Int64 { 1 }
        func delete(_ id: String) throws {}
    }

    /// A file without an end.
    private final class Endless: BlobStore, BlobReader, @unchecked Sendable {
        private var isBegun = false
        private static let rows = Array((1...2_000).map { "\($0),甲乙\n" }.joined().utf8)

        func reader(_ id: String, offset: Int64) throws -> any BlobReader { self }
        func read(_ max: Int) throws -> [UInt8]? {
            defer { isBegun = true }
            return (isBegun ? [] : Array("source_id,name\n".utf8)) + Self.rows
        }
        func writer(id: String?) throws -> any BlobWriter { throw CRMError.notFound }
        func ids() throws -> [String] { [] }
        func size(_ id: String) throws -> Int64 { 1 }
        func delete(_ id: String) throws {}
    }

    private static let content = "source_id,name\n" + (1...20).map { "\($0),甲乙\($0)\n" }.joined()

    @Test(
        "more files than the pool has threads are looked at while the pool goes on, with and without progress",
        .timeLimit(.minutes(1)), arguments: [false, true])
    func free(_ tells: Bool) async throws {
        let gate = DispatchSemaphore(value: 0)
        let rows = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<32 {
                let blobs = Gated(gate, Self.content)
                group.addTask {
                    let tick: FileInspector.Tick? = tells ? { @Sendable _, _ in } : nil
                    return try await FileInspector(encoding: nil, delimiter: nil, warnings: []).inspect(
                        name: "\(number).csv", size: 300, blob: "x", blobs, whole: tick
                    ).rows
                }
            }
            // Comes to its turn only when the others do not hold every thread of the pool.
            group.addTask {
                for _ in 0..<32 { gate.signal() }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(rows == 32 * 20)
    }

    @Test("whoever hears of the progress can stop it", .timeLimit(.minutes(1)))
    func stopped() async throws {
        struct Enough: Error {}
        let heard = Mutex<[Int]>([])
        await #expect(throws: Enough.self) {
            _ = try await FileInspector(encoding: nil, delimiter: nil, warnings: []).inspect(
                name: "endless.csv", size: 1 << 40, blob: "x", Endless(),
                whole: { rows, _ in
                    heard.withLock { $0.append(rows) }
                    if rows > 0 { throw Enough() }
                })
        }
        #expect(heard.withLock { $0.last ?? 0 } > 0)
    }
}
