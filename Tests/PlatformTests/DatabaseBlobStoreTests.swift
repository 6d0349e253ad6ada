import Crypto
import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Platform

@Suite(
    "Blob store in the database",
    .enabled(if: TestDatabases.dialect == .postgres, "runs with SWITCHBOARD_TEST_ENGINE=postgres"))
struct DatabaseBlobStoreTests {
    private struct Desk {
        let test: TestTenant
        let store: DatabaseBlobStore
        init() async throws {
            test = try await TestTenant()
            let database = try #require(test.tenant.database as? any BlockingDatabase)
            store = DatabaseBlobStore(database: database, clock: test.clock)
        }
        func rows() async throws -> Int {
            try await test.tenant.database.read {
                try $0.count("SELECT COUNT(*) FROM platform_blob") + $0.count("SELECT COUNT(*) FROM platform_blob_part")
            }
        }
    }

    private func all(_ store: DatabaseBlobStore, _ id: String, offset: Int64 = 0, piece: Int) throws -> [UInt8] {
        let reader = try store.reader(id, offset: offset)
        var bytes: [UInt8] = []
        while let more = try reader.read(piece) { bytes += more }
        return bytes
    }

    @Test("a file of several pieces comes back whole, from any offset, with its size and SHA-256")
    func roundTrip() async throws {
        let desk = try await Desk()
        var random = SeededGenerator(seed: 5)
        let content = (0..<(2 * DatabaseBlobStore.partBytes + 77)).map { _ in UInt8.random(in: 0...255, using: &random)
        }
        let writer = try desk.store.writer()
        var at = 0
        while at < content.count {
            let end = min(content.count, at + Int.random(in: 1...100_000, using: &random))
            try writer.write(Array(content[at..<end]))
            at = end
        }
        let blob = try writer.finish()
        #expect(blob.size == content.count)
        #expect(blob.digest == SHA256.hash(data: content).map { String(format: "%02x", $0) }.joined())
        #expect(try all(desk.store, blob.id, piece: 70_001) == content)
        for offset in [
            1, DatabaseBlobStore.partBytes - 1, DatabaseBlobStore.partBytes, content.count - 1, content.count,
            content.count + 9,
        ] {
            #expect(
                try all(desk.store, blob.id, offset: Int64(offset), piece: 300_000) == Array(content.dropFirst(offset)))
        }
        try desk.store.delete(blob.id)
        #expect(throws: CRMError.self) { try desk.store.size(blob.id) }
        #expect(try await desk.rows() == 0)
    }

    @Test("an empty file is a file; an unfinished one is nobody's and is swept away after a day")
    func unfinished() async throws {
        let desk = try await Desk()
        let empty = try desk.store.writer().finish()
        #expect(try desk.store.size(empty.id) == 0 && all(desk.store, empty.id, piece: 5).isEmpty)
        let given = try desk.store.writer()
        try given.write([UInt8](repeating: 1, count: DatabaseBlobStore.partBytes + 1))
        given.discard()
        #expect(try await desk.rows() == 1)
        let left = try desk.store.writer()
        try left.write([UInt8](repeating: 1, count: DatabaseBlobStore.partBytes + 1))
        #expect(try desk.store.sweep() == 0)
        desk.test.clock.advance(days: 2)
        #expect(try desk.store.sweep() == 1)
        #expect(try await desk.rows() == 1)
    }

    @Test(
        "an id that is none leads nowhere",
        arguments: ["", "../x", "0123456789abcdef0123456789abcde\u{0}", "0123456789abcdef0123456789abcdef"])
    func hostile(id: String) async throws {
        let desk = try await Desk()
        #expect(throws: CRMError.self) { try desk.store.reader(id, offset: 0) }
        #expect(throws: CRMError.self) { try desk.store.size(id) }
        try desk.store.delete(id)
    }
}
