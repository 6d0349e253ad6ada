import Foundation
import StoragePostgres

/// A private PostgreSQL with a streaming standby, on loopback, for tests that need one; gone with this object, or with the
/// process. It takes some seconds to start.
package final class PostgresCluster: Sendable {
    package enum Node: String, Sendable { case primary, standby }

    package let folder: String
    private let ports: [Node: Int]
    private static let binaries = "/usr/lib/postgresql/15/bin"

    /// Whether the machine has the server's programs and may start them.
    package static let isAvailable: Bool =
        FileManager.default.isExecutableFile(atPath: binaries + "/pg_basebackup")
        && TestDatabases.server != nil

    /// - Parameters:
    ///   - settings: lines for postgresql.conf of both nodes.
    ///   - standby: whether there is one.
    ///   - tls: a certificate for `localhost`, signed by an authority of its own (`folder/ca.crt`); plain connections are
    ///     refused then.
    package init(settings: [String] = [], standby: Bool = true, tls: Bool = false) throws {
        folder = NSTemporaryDirectory() + "sb-pg-" + UUID().uuidString.prefix(8)
        // Below the ports that the system gives to connections.
        let base = Int.random(in: 22_000...32_000)
        ports = [.primary: base, .standby: base + 1]
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try settings.map { $0 + "\n" }.joined().write(toFile: folder + "/more.conf", atomically: true, encoding: .utf8)
        try Self.run(
            Self.start,
            [folder, "\(base)", "\(ProcessInfo.processInfo.processIdentifier)", standby ? "1" : "0", tls ? "1" : "0"])
    }

    deinit { try? Self.run(Self.end, [folder]) }

    package func settings(_ node: Node = .primary, host: String = "127.0.0.1", query: String = "") -> PostgresSettings {
        PostgresSettings(url: "postgres://switchboard@\(host):\(ports[node] ?? 0)/postgres\(query)")
    }

    /// Ends a node at once, as a power cut does.
    package func kill(_ node: Node) throws { try control(node, "-m immediate stop") }
    package func start(_ node: Node) throws { try control(node, "-w -t 30 -l $1/\(node.rawValue).log start") }
    /// Makes the standby a primary.
    package func promote() throws { try control(.standby, "-w promote") }

    private func control(_ node: Node, _ words: String) throws {
        try Self.run(
            Self.asOwner + "( apart; as \(Self.binaries)/pg_ctl -D $1/\(node.rawValue) \(words) )", [folder])
    }

    /// PostgreSQL refuses to run as root.
    private static let asOwner = """
        set -e; cd "$1"
        as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
        # What stays must not keep the pipe by which Foundation learns that this script has ended.
        apart() { for f in /proc/self/fd/*; do f=${f##*/}; [ $f -le 2 ] || eval "exec $f>&-"; done; }

        """
    private static let start =
        asOwner + """
            B=\(binaries); W='-w -t 30'
            if [ "$(id -u)" = 0 ]; then chown -R postgres "$1"; fi
            as $B/initdb -D primary -U switchboard -A trust --locale=C --encoding=UTF8 -N
            cat >> primary/postgresql.conf <<CONF
            listen_addresses = '127.0.0.1'
            unix_socket_directories = '$1'
            port = $2
            fsync = off
            max_connections = 60
            shared_buffers = 32MB
            wal_level = replica
            max_standby_streaming_delay = 30s
            CONF
            cat more.conf >> primary/postgresql.conf
            if [ "$5" = 1 ]; then
              openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.crt
              openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout primary/server.key -out server.csr
              echo 'subjectAltName = DNS:localhost' > san
              openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san \\
                -out primary/server.crt
              chmod 600 primary/server.key; chmod 644 ca.crt primary/server.crt
              if [ "$(id -u)" = 0 ]; then chown postgres primary/server.key primary/server.crt; fi
              echo 'ssl = on' >> primary/postgresql.conf
              echo 'hostssl all all 127.0.0.1/32 trust' > primary/pg_hba.conf
            fi
            ( apart; as $B/pg_ctl -D primary $W -l "$1/primary.log" start )
            if [ "$4" = 1 ]; then
              as $B/pg_basebackup -D standby -h 127.0.0.1 -p $2 -U switchboard -R -X stream -c fast --no-sync
              echo "port = $(($2 + 1))" >> standby/postgresql.conf
              ( apart; as $B/pg_ctl -D standby $W -l "$1/standby.log" start )
            fi
            # Gone with the process that asked for it, however that ends.
            ( apart
              while kill -0 $3 2>/dev/null && [ -d "$1" ]; do sleep 1; done
              for n in standby primary; do as $B/pg_ctl -D $1/$n -m immediate stop || true; done; rm -rf "$1"
            ) </dev/null >/dev/null 2>&1 &
            """
    private static let end =
        asOwner + """
            for n in standby primary; do as \(binaries)/pg_ctl -D $1/$n -m immediate stop || true; done
            cd /; rm -rf "$1"
            """

    package struct Failure: Error, CustomStringConvertible { package let description: String }

    private static func run(_ script: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "cluster"] + arguments
        let said = NSTemporaryDirectory() + "sb-pg-" + UUID().uuidString + ".log"
        FileManager.default.createFile(atPath: said, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: said) }
        let output = FileHandle(forWritingAtPath: said)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try? output?.close()
        guard process.terminationStatus == 0 else {
            let words = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
            throw Failure(description: "the cluster's script ended with \(process.terminationStatus): \(words)")
        }
    }
}
