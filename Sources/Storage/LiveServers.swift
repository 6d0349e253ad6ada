import Kernel

/// The servers that answer requests over one database, each known by a row that it renews.
package enum LiveServers {
    static let beat: SQL = """
        INSERT INTO storage_server (holder, alive_until) VALUES ($1, $2)
        ON CONFLICT (holder) DO UPDATE SET alive_until = $2
        """
    static let live: SQL = "SELECT holder FROM storage_server WHERE alive_until > $1"
    static let leave: SQL = "DELETE FROM storage_server WHERE holder = $1"
    static let forget: SQL = "DELETE FROM storage_server WHERE alive_until < $1"

    /// Between two beats.
    package static let everyMilliseconds = 2_000
    /// A server that was silent for so long is gone. One that was killed on this machine is known to be at once.
    package static let aliveMilliseconds: Int64 = 7_000

    /// Who a server is among the others, unique for each start of one.
    package static func holder() -> String { LeaseHolder.own() }

    /// Renews the row of `holder`.
    /// - Returns: how many servers there are, this one included.
    package static func beat(_ holder: String, clock: any WallClock, _ database: any Database) async throws -> Int {
        let now = clock.now()
        try await database.write { session in
            _ = try session.execute(beat, [.text(holder), .time(now.adding(milliseconds: aliveMilliseconds))])
        }
        return try await database.read { session in
            let holders = try session.query(live, [.time(now)]) { $0.text(0) }
            return max(1, holders.count { !LeaseHolder.hasEnded($0) })
        }
    }

    /// Takes the row away at a stop in good order, and those of servers that were killed long ago.
    package static func leave(_ holder: String, clock: any WallClock, _ database: any Database) async throws {
        let before = clock.now().adding(days: -1)
        try await database.write { session in
            try session.execute(leave, [.text(holder)])
            try session.execute(forget, [.time(before)])
        }
    }
}
