import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// Reads that may be a little old, beside a real streaming standby.
@Suite(
    "PostgreSQL: replicas", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: PostgresCluster.isAvailable, "no PostgreSQL programs: bin/with-postgres"))
struct ReplicaTests {
    static let insert: SQL = "INSERT INTO t (id) VALUES ($1)"
    static let there: SQL = "SELECT 1 FROM t WHERE id = $1"
    static let isStandby: SQL = "SELECT 1 FROM pg_control_system() WHERE pg_is_in_recovery()"

    private final class Pair: Sendable {
        let cluster: PostgresCluster
        let database: PostgresDatabase
        let standby: PostgresDatabase

        init(_ settings: [String] = []) async throws {
            cluster = try PostgresCluster(settings: settings)
            let replicas = cluster.settings(.standby).replicas
            database = PostgresDatabase(cluster.settings(), replicas: replicas)
            standby = PostgresDatabase(replicas[0])
            try await database.write { _ = try $0.execute("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)") }
        }

        /// Whether a read of this kind is answered by the standby.
        func isServedByStandby(_ freshness: Freshness) async throws -> Bool {
            try await database.read(freshness) { try $0.exists(ReplicaTests.isStandby) }
        }

        func close() async throws {
            try await database.close()
            try await standby.close()
        }
    }

    @Test("what may be old comes from the standby, what must be fresh never does, and no read is older than it allows")
    func bound() async throws {
        let pair = try await Pair()
        let database = pair.database
        // Nobody knows the standby yet.
        #expect(try await pair.isServedByStandby(.recent) == false)
        #expect(try await eventually { try await pair.isServedByStandby(.recent) })
        #expect(try await pair.isServedByStandby(.fresh) == false)
        // An idle primary makes nothing look old.
        try await Task.sleep(for: .seconds(2))
        #expect(try await eventually(seconds: 5) { try await pair.isServedByStandby(.within(seconds: 3)) })

        _ = try await pair.standby.read { try $0.exists("SELECT 1 FROM pg_wal_replay_pause()") }
        #expect(
            try await eventually {
                try await pair.standby.read {
                    try $0.exists("SELECT 1 WHERE pg_get_wal_replay_pause_state() = 'paused'")
                }
            })
        try await database.write { _ = try $0.execute(Self.insert, [.int(1)]) }
        let written = ContinuousClock.now
        // It lacks the row, and who puts up with a minute may be told so.
        #expect(try await database.read(.within(seconds: 60)) { try $0.exists(Self.there, [.int(1)]) } == false)
        #expect(try await database.read(.fresh) { try $0.exists(Self.there, [.int(1)]) })
        var stale = 0
        while true {
            let asked = ContinuousClock.now
            if try await database.read(.within(seconds: 3), { try $0.exists(Self.there, [.int(1)]) }) { break }
            stale += 1
            #expect(asked - written <= .seconds(3), "a read that allows 3 s lacked what was written before that")
            try await Task.sleep(for: .milliseconds(20))
        }
        print("replay paused: \(stale) stale reads before the primary took over")
        #expect(try await pair.isServedByStandby(.within(seconds: 3)) == false)
        _ = try await pair.standby.read { try $0.exists("SELECT 1 FROM pg_wal_replay_resume()") }
        #expect(try await eventually { try await pair.isServedByStandby(.within(seconds: 3)) })
        #expect(try await database.read(.within(seconds: 3)) { try $0.exists(Self.there, [.int(1)]) })
        try await pair.close()
    }

    @Test("a standby that dies under its readers costs nobody anything, and is used again when it is back")
    func killed() async throws {
        let pair = try await Pair()
        let database = pair.database
        #expect(try await eventually { try await pair.isServedByStandby(.recent) })
        let done = Tally()
        let reading = Task {
            var reads = 0
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var count = 0
                        while done.count == 0 {
                            _ = try await database.read(.recent) { try $0.count("SELECT COUNT(*) FROM t") }
                            count += 1
                        }
                        return count
                    }
                }
                for try await count in group { reads += count }
            }
            return reads
        }
        let before = database.replicaReads
        #expect(await eventually { database.replicaReads > before + 20 })
        try pair.cluster.kill(.standby)
        #expect(try await eventually { try await !pair.isServedByStandby(.recent) })
        try pair.cluster.start(.standby)
        #expect(try await eventually(seconds: 40) { try await pair.isServedByStandby(.recent) })
        done.add()
        let reads = try await reading.value
        print("standby killed and started under \(reads) reads, \(database.replicaReads) of them from the standby")
        try await pair.close()
    }

    @Test("a standby that was promoted is no replica any more: what is written there is not read")
    func promoted() async throws {
        let pair = try await Pair()
        let database = pair.database
        #expect(try await eventually { try await pair.isServedByStandby(.recent) })
        try pair.cluster.promote()
        let other = PostgresDatabase(pair.cluster.settings(.standby))
        try await other.write { _ = try $0.execute(Self.insert, [.int(7)]) }
        // Noticed at the next question, about a second later.
        #expect(try await eventually { try await !database.read(.recent) { try $0.exists(Self.there, [.int(7)]) } })
        try await Task.sleep(for: .milliseconds(1_500))
        let before = database.replicaReads
        for _ in 0..<50 {
            #expect(try await !database.read(.within(seconds: 60)) { try $0.exists(Self.there, [.int(7)]) })
        }
        #expect(database.replicaReads == before)
        try await other.close()
        try await pair.close()
    }

    @Test(
        "a read that stands in the way of the replay is made again on the primary, whatever its body makes of the error"
    )
    func conflict() async throws {
        let pair = try await Pair(["max_standby_streaming_delay = 0"])
        let database = pair.database
        #expect(try await eventually { try await pair.isServedByStandby(.recent) })
        let runs = Tally()
        let standbyRuns = Tally()
        let reading = Task {
            try await database.read(.recent) { session in
                runs.add()
                _ = try session.count("SELECT COUNT(*) FROM t")
                guard try session.exists(Self.isStandby) else { return try session.count("SELECT COUNT(*) FROM t") }
                standbyRuns.add()
                // Long enough for the lock of the ALTER to arrive; it ends this statement.
                return (try? session.count("SELECT COUNT(*) FROM t, pg_sleep(20)")) ?? -1
            }
        }
        #expect(await eventually { standbyRuns.count == 1 })
        try await database.write { _ = try $0.execute("ALTER TABLE t ADD COLUMN v BIGINT") }
        #expect(try await reading.value == 0)
        #expect(runs.count == 2)
        try await pair.close()
    }

    @Test("what an older schema does not know is asked of the primary; a mistake stays a mistake")
    func schema() async throws {
        let pair = try await Pair()
        let database = pair.database
        #expect(try await eventually { try await pair.isServedByStandby(.recent) })
        _ = try await pair.standby.read { try $0.exists("SELECT 1 FROM pg_wal_replay_pause()") }
        try await database.write { _ = try $0.execute("CREATE TABLE fresh_table (id BIGINT)") }
        #expect(try await database.read(.within(seconds: 60)) { try $0.count("SELECT COUNT(*) FROM fresh_table") } == 0)
        let error = await #expect(throws: StorageError.self) {
            try await database.read(.within(seconds: 60)) { try $0.count("SELECT COUNT(*) FROM no_such_table") }
        }
        #expect(error?.kind == .statement)
        // What a body throws by itself is its answer, not the replica's trouble.
        await #expect(throws: Deliberate.self) {
            try await database.read(.within(seconds: 60)) { _ -> Int in throw Deliberate() }
        }
        try await pair.close()
    }

    @Test("an application's role without special rights may measure")
    func role() async throws {
        let pair = try await Pair()
        try await pair.database.write { session in
            _ = try session.execute("CREATE ROLE plain LOGIN NOSUPERUSER")
            _ = try session.execute("GRANT SELECT ON t TO plain")
        }
        func plain(_ settings: PostgresSettings) -> PostgresSettings {
            var settings = settings
            settings.url = settings.url.replacingOccurrences(of: "switchboard@", with: "plain@")
            return settings
        }
        let database = PostgresDatabase(
            plain(pair.cluster.settings()), replicas: plain(pair.cluster.settings(.standby)).replicas)
        #expect(try await eventually { try await database.read(.recent) { try $0.exists(Self.isStandby) } })
        try await database.close()
        try await pair.close()
    }

    @Test(
        "positions of the log are compared in bytes; one behind the head of a page is the end of the page before",
        arguments: [
            ("0/0", 0), ("0/3000148", 0x300_0148), ("1/2000000", 0x1_0200_0000), ("0/3002028", 0x300_2000),
            ("0/3000018", 0x300_0000), ("0/3002029", 0x300_2029),
        ])
    func positions(text: String, bytes: UInt64) {
        #expect(Watcher.position(text) == bytes)
    }

    @Test("what is no position is none", arguments: ["", "12", "x/y", "1/2/3", "1FFFFFFFF/0"])
    func noPosition(text: String) {
        #expect(Watcher.position(text) == nil)
    }

    @Test("each host of the address is a replica of its own, with the same user and options")
    func addresses() {
        let replicas = PostgresSettings(url: "postgres://u:p@h1:5432,h2:5433/x?sslmode=verify-full").replicas
        #expect(
            replicas.map(\.url) == [
                "postgres://u:p@h1:5432/x?sslmode=verify-full", "postgres://u:p@h2:5433/x?sslmode=verify-full",
            ])
        #expect(replicas.allSatisfy { $0.targetSessionAttributes == nil && $0.isolation == "repeatable read" })
        #expect(replicas[0].database(named: "y").url == "postgres://u:p@h1:5432/y?sslmode=verify-full")
        #expect(
            PostgresSettings(url: "postgres://h").replicas.map { $0.database(named: "y").url } == ["postgres://h/y"])
    }
}
