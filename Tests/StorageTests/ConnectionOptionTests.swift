import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// What the address says about the connection: certificates, several hosts, time limits.
@Suite(
    "PostgreSQL: options of the address", .timeLimit(.minutes(4)),
    .enabled(if: PostgresCluster.isAvailable, "no PostgreSQL programs: bin/with-postgres"))
struct ConnectionOptionTests {
    static let isEncrypted: SQL = "SELECT 1 FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"

    private func error(_ settings: PostgresSettings) async throws -> StorageError? {
        var settings = settings
        settings.waitSeconds = 1
        let database = PostgresDatabase(settings)
        let error = await #expect(throws: StorageError.self) { try await database.read { try $0.count("SELECT 1") } }
        try await database.close()
        return error
    }

    @Test("with verify-full only the server whose name and authority are right is spoken to, and encrypted")
    func certificates() async throws {
        let cluster = try PostgresCluster(standby: false, tls: true)
        let authority = "sslrootcert=\(cluster.folder)/ca.crt"
        let right = PostgresDatabase(cluster.settings(host: "localhost", query: "?sslmode=verify-full&\(authority)"))
        #expect(try await right.read { try $0.exists(Self.isEncrypted) })
        // A cancelled read is ended there too: libpq's request to cancel finds its way.
        let task = Task { try await right.read { try $0.count("SELECT 1 FROM pg_sleep(60)") } }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await right.close()
        let name = try await error(cluster.settings(host: "127.0.0.1", query: "?sslmode=verify-full&\(authority)"))
        #expect(name?.kind == .connection && name?.detail.contains("certificate") == true)
        let stranger = cluster.folder + "/other.crt"
        try Data(contentsOf: URL(fileURLWithPath: "/etc/ssl/certs/ca-certificates.crt")).write(
            to: URL(fileURLWithPath: stranger))
        let wrong = try await error(
            cluster.settings(host: "localhost", query: "?sslmode=verify-full&sslrootcert=\(stranger)"))
        #expect(wrong?.kind == .connection && wrong?.detail.contains("certificate") == true)
        let plain = try await error(cluster.settings(host: "localhost", query: "?sslmode=disable"))
        #expect(plain?.kind == .connection)
    }

    @Test("of several hosts the one that takes writes is found, wherever it stands in the list, and found anew")
    func hosts() async throws {
        let cluster = try PostgresCluster()
        func port(_ settings: PostgresSettings) -> String {
            settings.url.split(separator: ":").last.map { String($0.prefix { $0.isNumber }) } ?? ""
        }
        let (primary, standby) = (port(cluster.settings()), port(cluster.settings(.standby)))
        let settings = PostgresSettings(
            url: "postgres://switchboard@127.0.0.1:\(standby),127.0.0.1:\(primary)/postgres")
        #expect(settings.targetSessionAttributes == "read-write")
        let database = PostgresDatabase(settings)
        try await database.write { _ = try $0.execute("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)") }
        #expect(try await database.read { try $0.text(of: "SHOW port") } == primary)
        // The primary is gone, the standby takes over: the same database object goes on there.
        try cluster.kill(.primary)
        try cluster.promote()
        try await database.write { _ = try $0.execute("INSERT INTO t (id) VALUES ($1)", [.int(1)]) }
        #expect(try await database.read { try $0.text(of: "SHOW port") } == standby)
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM t") } == 1)
        try await database.close()
    }

    @Test("who waits too long for a lock is told busy, and the lock's holder is not disturbed")
    func locks() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        try await bench.create("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT)")
        var settings = try #require(bench.database as? PostgresDatabase).settings
        settings.lockMilliseconds = 100
        let database = PostgresDatabase(settings)
        try await database.write { _ = try $0.execute(PostgresTests.insert, [.int(1), .int(1)]) }
        let held = DispatchSemaphore(value: 0)
        let holding = Tally()
        async let holder: Void = database.write { session in
            _ = try session.execute("UPDATE t SET v = 2 WHERE id = 1")
            holding.add()
            if holding.count == 1 { held.wait() }
        }
        #expect(await eventually { holding.count == 1 })
        let error = await #expect(throws: StorageError.self) {
            try await database.write { _ = try $0.execute("UPDATE t SET v = 3 WHERE id = 1") }
        }
        #expect(error?.kind == .busy)
        held.signal()
        try await holder
        #expect(try await bench.count(PostgresTests.sum) == 2)
        try await database.close()
    }
}

extension SQLSession {
    fileprivate func text(of sql: SQL) throws -> String { try first(sql) { $0.text(0) } ?? "" }
}
