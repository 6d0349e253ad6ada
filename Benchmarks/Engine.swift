import Foundation
import TestSupport

/// The engine a part of the run is on. PostgreSQL is a private cluster with fsync on, in the run's folder, on loopback, started
/// as an unprivileged user and stopped with the run.
final class Engine: @unchecked Sendable {
    enum Kind: String { case sqlite, postgres }

    let kind: Kind
    private let port: Int
    private let cluster: String
    private var isRunning = false

    /// Memory for a machine of 8 GB and more; durability is PostgreSQL's own default.
    private static let settings = [
        "shared_buffers = 512MB", "work_mem = 16MB", "maintenance_work_mem = 256MB", "effective_cache_size = 4GB",
        "max_wal_size = 4GB", "max_connections = 100", "fsync = on", "synchronous_commit = on", "full_page_writes = on",
        "max_pred_locks_per_transaction = 256", "random_page_cost = 1.1", "log_min_messages = fatal",
    ]
    static let settingsText = "fsync=on synchronous_commit=on shared_buffers=512MB"
    private static let binaries = "/usr/lib/postgresql/15/bin"

    static func start(_ kind: Kind, keep: String?, folder: String) throws -> Engine {
        let engine = Engine(kind, cluster: (keep ?? folder) + "/cluster", port: kind == .postgres ? try Launched.freePort() : 0)
        if kind == .postgres { try engine.startCluster() }
        return engine
    }

    private init(_ kind: Kind, cluster: String, port: Int) {
        self.kind = kind
        self.cluster = cluster
        self.port = port
    }

    /// PostgreSQL refuses root. A server that goes on must not keep what this process is told its children's end by.
    private static func asUser(_ arguments: [String]) throws {
        let closing = #"for f in /proc/$BASHPID/fd/*; do n=${f##*/}; [ "$n" -le 2 ] || eval "exec $n>&-"; done"#
        let user = getuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []
        try Tool.run("bash", ["-c", "( \(closing); exec \"$@\" ); exit $?", "_"] + user + arguments)
    }

    private func startCluster() throws {
        let data = cluster + "/data"
        if !FileManager.default.fileExists(atPath: data + "/PG_VERSION") {
            try FileManager.default.createDirectory(atPath: cluster, withIntermediateDirectories: true)
            if getuid() == 0 { try Tool.run("chown", ["postgres", cluster]) }
            try Self.asUser([
                Self.binaries + "/initdb", "-D", data, "-U", "switchboard", "-A", "trust", "--locale=C", "--encoding=UTF8",
                "-N",
            ])
        }
        let options = (Self.settings + ["port = \(port)", "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''"])
            .map { setting -> String in
                let parts = setting.components(separatedBy: " = ")
                return "-c \(parts[0])=\(parts[1])"
            }
        try Self.asUser([
            Self.binaries + "/pg_ctl", "-D", data, "-w", "-t", "60", "-l", cluster + "/log", "-o",
            options.joined(separator: " "), "start",
        ])
        isRunning = true
        Cleanup.shared.add { [self] in stop() }
    }

    /// In a way that a kept cluster starts from at once.
    func stop() {
        guard isRunning else { return }
        isRunning = false
        _ = try? Self.asUser([Self.binaries + "/pg_ctl", "-D", cluster + "/data", "-m", "fast", "-w", "-t", "60", "stop"])
    }

    /// Seconds of CPU of the cluster's processes that have ended, as those of a command have; 0 on SQLite.
    var serverSeconds: Double {
        guard let process = (try? String(contentsOfFile: cluster + "/data/postmaster.pid", encoding: .utf8))?
            .split(separator: "\n").first,
            let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        else { return 0 }
        // Behind the name in brackets: fields 16 and 17 of proc(5), in hundredths.
        let fields = line.split(separator: ")").last?.split(separator: " ").compactMap { Double($0) } ?? []
        return fields.count > 13 ? (fields[12] + fields[13]) / 100 : 0
    }

    /// The database of an installation; `nil` on SQLite, where it is in the folder.
    func url(_ data: String) -> String? {
        kind == .postgres ? "postgres://switchboard@127.0.0.1:\(port)/\(Self.name(data))" : nil
    }

    private static func name(_ data: String) -> String {
        "b_" + String((data as NSString).lastPathComponent.map { $0.isLetter || $0.isNumber ? $0 : "_" }).lowercased()
    }

    /// Whatever an earlier run left of an installation.
    func remove(_ data: String) throws {
        try? FileManager.default.removeItem(atPath: data)
        if kind == .postgres { try psql("postgres", ["-c", "DROP DATABASE IF EXISTS \(Self.name(data)) WITH (FORCE)"]) }
    }

    @discardableResult
    private func psql(_ database: String, _ arguments: [String]) throws -> String {
        try Tool.run(
            "psql", ["-q", "-h", "127.0.0.1", "-p", String(port), "-U", "switchboard", "-d", database, "-v", "ON_ERROR_STOP=1"] + arguments)
    }

    /// Rows of an installation's database, read beside the product to know what to ask it for.
    func rows(_ sql: String, _ data: String) throws -> [[String]] {
        let text =
            switch kind {
            case .sqlite:
                try Tool.run(
                    "sqlite3", ["-readonly", "-separator", "\t", data + "/tenants/default/switchboard.sqlite", sql])
            case .postgres: try psql(Self.name(data), ["-At", "-F", "\t", "-c", sql])
            }
        return text.split(separator: "\n").map { $0.components(separatedBy: "\t") }
    }

    // MARK: Anchors

    /// Seconds in which the engine's own tool puts a CSV file into one plain table without an index.
    func plainLoad(_ file: String, columns: [String], _ folder: String, round: Int) throws -> Double {
        switch kind {
        case .sqlite:
            return try Clock.seconds {
                try Tool.run("sqlite3", [folder + "/plain\(round).sqlite", ".mode csv", ".import \(file) customers"])
            }
        case .postgres:
            let list = columns.map { "\"\($0)\" text" }.joined(separator: ", ")
            try psql("postgres", ["-c", "DROP TABLE IF EXISTS plain; CREATE TABLE plain (\(list))"])
            return try Clock.seconds {
                try psql("postgres", ["-c", "\\copy plain FROM '\(file)' WITH (FORMAT csv, HEADER)"])
            }
        }
    }

    /// Durable one-row commits a second: of SQLite by one connection, of PostgreSQL pgbench's simple update by 8 clients.
    func commits(_ folder: String) throws -> Anchor {
        switch kind {
        case .sqlite:
            let count = 1_000
            let script = folder + "/commits.sql"
            let statements = (0..<count).map { "INSERT INTO t VALUES(\($0), 'a note of some length that is kept');" }
            try ("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, note TEXT);\n"
                + statements.joined(separator: "\n")).write(toFile: script, atomically: true, encoding: .utf8)
            let took = try Clock.seconds { try Tool.run("sqlite3", [folder + "/commits.sqlite", ".read \(script)"]) }
            return Anchor("sqlite3 one-row commits", Double(count) / took)
        case .postgres:
            return Anchor("pgbench simple updates, 8 clients", try pgbench(["-N"]))
        }
    }

    /// pgbench's prepared reads by 8 clients; `nil` on SQLite.
    func reads() throws -> Anchor? {
        kind == .postgres ? Anchor("pgbench reads, 8 clients", try pgbench(["-S"])) : nil
    }

    private var hasTables = false

    private func pgbench(_ arguments: [String]) throws -> Double {
        let place = ["-h", "127.0.0.1", "-p", String(port), "-U", "switchboard", "postgres"]
        if !hasTables {
            try Tool.run("pgbench", ["-i", "-q", "-s", "5"] + place)
            hasTables = true
        }
        let text = try Tool.run("pgbench", arguments + ["-M", "prepared", "-c", "8", "-j", "1", "-T", "4"] + place)
        guard let match = text.firstMatch(of: /tps = ([0-9.]+)/), let rate = Double(match.1) else {
            throw RawHTTP.Failure(description: "pgbench: \(text)")
        }
        return rate
    }
}

extension Engine: CustomStringConvertible {
    var description: String { kind.rawValue }
}
