import Foundation
import Storage
import StoragePostgres
import TestSupport

/// Runs a program of the system to its end. Not by Foundation's `Process`, which waits until a socket closes that a server
/// left running has inherited.
@discardableResult
func shell(_ arguments: [String], folder: String = "/") throws -> (code: Int32, text: String) {
    let path = NSTemporaryDirectory() + "switchboard-shell-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let script = #"cd "$0" && out="$1" && shift && exec "$@" >"$out" 2>&1 </dev/null"#
    var words: [UnsafeMutablePointer<CChar>?] =
        (["/bin/sh", "-c", script, folder, path] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] =
        ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (words + settings).forEach { free($0) } }
    var process = pid_t()
    let failure = posix_spawn(&process, "/bin/sh", nil, nil, &words, &settings)
    guard failure == 0 else { throw StorageError(.other, "\(arguments[0]) does not start: \(failure)") }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    return (code, (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
}

/// A PostgreSQL of a drill's own, which it may stop and kill: with fsync, as an operator's would be.
final class PrivatePostgres: @unchecked Sendable {
    private static let binaries = "/usr/lib/postgresql/15/bin"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: binaries + "/postgres") }

    let folder: String
    let port: Int
    private var data: String { folder + "/data" }

    /// - Parameters:
    ///   - folder: where it lies; made when it is not there.
    ///   - log: where its write-ahead log lies; `nil` = with the data.
    init(folder: String, writeAheadLog log: String? = nil) throws {
        self.folder = folder
        // Below the ports that the system gives to connections.
        port = Int.random(in: 32_001...32_700)
        for place in [folder, log].compactMap(\.self) {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            if getuid() == 0 { try shell(["chown", "postgres", place]) }
        }
        let made = try server(
            ["initdb", "-D", data, "-U", "switchboard", "-A", "trust", "--locale=C", "--encoding=UTF8"]
                + (log.map { ["--waldir", $0 + "/wal"] } ?? []))
        guard made.code == 0 else { throw StorageError(.other, made.text) }
        let settings = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = '\(folder)'
            shared_buffers = 32MB
            max_connections = 60
            max_pred_locks_per_transaction = 256
            log_min_messages = fatal
            autovacuum_naptime = 10s
            """
        let path = data + "/postgresql.conf"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try shell(["sh", "-c", "cat > '\(path)' <<'CONF'\n\(text)\n\(settings)\nCONF"])
        try start()
    }

    deinit {
        _ = try? server(["pg_ctl", "-D", data, "-m", "immediate", "stop"])
        try? FileManager.default.removeItem(atPath: folder)
    }

    func settings(_ database: String) -> PostgresSettings {
        PostgresSettings(url: "postgres://switchboard@127.0.0.1:\(port)/\(database)")
    }

    /// PostgreSQL refuses to run as root.
    @discardableResult
    private func server(_ arguments: [String]) throws -> (code: Int32, text: String) {
        let command = [Self.binaries + "/" + arguments[0]] + arguments.dropFirst()
        return try shell((getuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []) + command, folder: folder)
    }

    /// After kill -9 the last of the old processes may hold its memory for a moment.
    func start() throws {
        var last = ""
        for _ in 0..<100 {
            let started = try server(["pg_ctl", "-D", data, "-w", "-t", "30", "-l", folder + "/log", "start"])
            if started.code == 0 { return }
            last = started.text
            usleep(100_000)
        }
        throw StorageError(.other, "PostgreSQL does not start: \(last)")
    }

    func stop(_ mode: String) throws { try server(["pg_ctl", "-D", data, "-w", "-m", mode, "stop"]) }

    /// kill -9 of the postmaster; its children notice and end.
    func kill() {
        let text = (try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)) ?? ""
        guard let first = text.split(separator: "\n").first, let number = Int32(first) else { return }
        Foundation.kill(number, SIGKILL)
    }
}
