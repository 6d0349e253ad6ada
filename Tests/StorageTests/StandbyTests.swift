import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// A server that takes no writes: behind a proxy the product meets one whenever a cluster hands over.
@Suite(
    "PostgreSQL: a standby", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"), .serialized)
struct StandbyTests {
    static let insert: SQL = "INSERT INTO t (id) VALUES ($1)"
    static let count: SQL = "SELECT COUNT(*) FROM t"
    static let promote: SQL = "SELECT pg_promote()"

    @Test("a write that meets a standby waits for its promotion, and is told “connection” when that does not come")
    func promotion() async throws {
        let server = try PrivateServer()
        defer { server.remove() }
        var settings = server.settings
        let primary = PostgresDatabase(settings)
        try await primary.write { session in _ = try session.execute("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY)")
        }
        try await primary.close()
        try server.restartAsStandby()

        settings.waitSeconds = 1
        let impatient = PostgresDatabase(settings)
        let error = await #expect(throws: StorageError.self) {
            try await impatient.write { _ = try $0.execute(Self.insert, [.int(1)]) }
        }
        // Not “other”, which is answered 500: nothing is wrong with the statement.
        #expect(error?.kind == .connection, "\(String(describing: error))")
        #expect(try await impatient.read { try $0.count(Self.count) } == 0, "a standby answers reads")

        settings.waitSeconds = 60
        let patient = PostgresDatabase(settings)
        async let written: Void = patient.write { _ = try $0.execute(Self.insert, [.int(2)]) }
        try await impatient.read { _ = try $0.first(Self.promote) { $0.bool(0) } }
        try await written
        #expect(try await patient.read { try $0.count(Self.count) } == 1)
        try await impatient.close()
        try await patient.close()
    }

    static let conflict: SQL = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'met another'; END $$"

    @Test(
        "what meets another transaction for seconds, as while a commit waits for its standby, is run again, not refused"
    )
    func longConflict() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        var settings = try #require(bench.database as? PostgresDatabase).settings
        settings.waitSeconds = 120
        let database = PostgresDatabase(settings)
        let runs = Tally()
        let value = try await database.write { session in
            runs.add()
            // More often than the tries that come without looking at the time.
            if runs.count <= 25 { _ = try session.execute(Self.conflict) }
            return runs.count
        }
        #expect(value == 26)
        settings.waitSeconds = 1
        let impatient = PostgresDatabase(settings)
        let error = await #expect(throws: StorageError.self) {
            try await impatient.write { _ = try $0.execute(Self.conflict) }
        }
        #expect(error?.kind == .busy, "one that never ends is told in the end")
        try await database.close()
        try await impatient.close()
    }
}

/// A PostgreSQL of one test, with a folder and a port of its own; as user postgres when the tests run as root.
private final class PrivateServer {
    private static let binaries = "/usr/lib/postgresql/15/bin/"
    private let folder: String
    private let port: Int
    private var server: Process?
    var settings: PostgresSettings { PostgresSettings(url: "postgres://switchboard@127.0.0.1:\(port)/postgres") }

    init() throws {
        // Short: the path of a socket has at most 107 bytes.
        folder = "/tmp/sb-standby-" + UUID().uuidString.prefix(8)
        port = try Self.freePort()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if geteuid() == 0 {
            try FileManager.default.setAttributes([.ownerAccountName: "postgres"], ofItemAtPath: folder)
        }
        try Self.run(
            Self.process(
                "initdb",
                ["-D", folder + "/data", "-U", "switchboard", "-A", "trust", "--locale=C", "--encoding=UTF8", "-N"]))
        try start()
    }

    /// The server is a child of this process, not a daemon: a daemon would keep the pipe by which Foundation learns that
    /// whoever started it has ended.
    private func start() throws {
        let started = Self.process(
            "postgres",
            [
                "-D", folder + "/data", "-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-c",
                "unix_socket_directories=" + folder, "-c", "fsync=off",
            ])
        try started.run()
        server = started
        let limit = Date().addingTimeInterval(60)
        while Date() < limit, started.isRunning {
            let ready = Self.process("pg_isready", ["-q", "-h", "127.0.0.1", "-p", "\(port)"])
            try ready.run()
            ready.waitUntilExit()
            if ready.terminationStatus == 0 { return }
            usleep(50_000)
        }
        throw RawHTTP.Failure(description: "PostgreSQL did not start in \(folder)")
    }

    /// With `standby.signal` and nobody to follow, it replays what it has and waits to be promoted.
    func restartAsStandby() throws {
        stop(SIGINT)
        try Data().write(to: URL(fileURLWithPath: folder + "/data/standby.signal"))
        try start()
    }

    func remove() {
        stop(SIGQUIT)
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func stop(_ signal: Int32) {
        guard let server, server.isRunning else { return }
        kill(server.processIdentifier, signal)
        server.waitUntilExit()
    }

    private static func process(_ name: String, _ arguments: [String]) -> Process {
        let process = Process()
        let command = [binaries + name] + arguments
        // `setpriv` becomes the command, so that the process id is the command's own.
        let all =
            geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + command : command
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = all
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }

    private static func run(_ process: Process) throws {
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw RawHTTP.Failure(description: "\(process.arguments ?? []) ended with \(process.terminationStatus)")
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { place -> UInt16? in
                guard bind(descriptor, place, size) == 0, getsockname(descriptor, place, &size) == 0 else { return nil }
                return place.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
        return Int(try #require(port))
    }
}
