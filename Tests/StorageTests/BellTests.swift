import Foundation
import StoragePostgres
import Synchronization
import TestSupport
import Testing

@testable import Storage

/// Processes over one PostgreSQL wake each other, and know how many they are.
@Suite("Bells between processes", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct BellTests {
    private final class Ear: Sendable {
        let count = Mutex(0)
        var heard: Int { count.withLock { $0 } }
        func hear() { count.withLock { $0 += 1 } }
    }

    private func until(_ condition: @Sendable () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return try await condition()
    }

    static let listeners: SQL = """
        SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'
        """
    static let cut: SQL = """
        SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1
        """

    @Test("a ring wakes every other process but not the one that rang, also after the server has cut the connections; a bell nobody holds ends")
    func rings() async throws {
        let bench = try await Bench(.postgres)
        let settings = try #require(bench.database as? PostgresDatabase).settings
        let (mine, theirs, third) = (Ear(), Ear(), Ear())
        var bells: [PostgresBell] = [mine, theirs, third].map { ear in PostgresBell(settings) { ear.hear() } }
        // Each hears once when it has connected: something may have been missed before.
        #expect(try await until { mine.heard == 1 && theirs.heard == 1 && third.heard == 1 })
        for round in 2...4 {
            bells[0].ring()
            #expect(try await until { theirs.heard == round && third.heard == round })
        }
        #expect(mine.heard == 1)
        // Rings that come together are few: each one is a commit of the server.
        for _ in 0..<2_000 { bells[0].ring() }
        #expect(try await until { theirs.heard > 4 })
        #expect(theirs.heard < 200)
        let database = bench.database
        let before = (mine.heard, theirs.heard)
        #expect(try await database.write { try $0.count(Self.cut, [.text("%")]) } >= 3)
        #expect(try await until { mine.heard > before.0 && theirs.heard > before.1 })
        let now = theirs.heard
        bells[0].ring()
        #expect(try await until { theirs.heard > now })
        bells = []
        #expect(try await until { try await database.read { try $0.count(Self.listeners) } == 0 })
    }

    @Test("servers that live are counted; one that stops in good order or stays silent is not")
    func servers() async throws {
        let bench = try await Bench(.postgres)
        let (clock, database) = (bench.clock, bench.database)
        #expect(try await LiveServers.beat("a", clock: clock, database) == 1)
        #expect(try await LiveServers.beat("b", clock: clock, database) == 2)
        #expect(try await LiveServers.beat("a", clock: clock, database) == 2)
        #expect(try await LiveServers.beat("c", clock: clock, database) == 3)
        try await LiveServers.leave("b", clock: clock, database)
        #expect(try await LiveServers.beat("a", clock: clock, database) == 2)
        // c was killed.
        clock.advance(seconds: 5)
        #expect(try await LiveServers.beat("a", clock: clock, database) == 2)
        clock.advance(seconds: 3)
        #expect(try await LiveServers.beat("a", clock: clock, database) == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_server") == 2)
        // One that was killed on this machine is known to be gone; the number of no process, and of this one.
        let parts = LiveServers.holder().split(separator: "/").map(String.init)
        let (dead, alive) = ("\(parts[0])/999999999/aa", "\(parts[0])/\(parts[1])/bb")
        #expect(try await LiveServers.beat(dead, clock: clock, database) == 1)
        #expect(try await LiveServers.beat(alive, clock: clock, database) == 2)
        clock.advance(seconds: 2 * 86_400)
        try await LiveServers.leave("a", clock: clock, database)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_server") == 0)
    }
}
