import Kernel

/// A number 0...1023 that only this process uses in its ids, leased from the database.
package enum NodeLease {
    static let free: SQL = "SELECT node FROM storage_node WHERE lease_until < $1 ORDER BY node LIMIT 1"
    static let top: SQL = "SELECT COALESCE(MAX(node), -1) FROM storage_node"
    static let claim: SQL = """
        INSERT INTO storage_node (node, holder, lease_until) VALUES ($1, $2, $3)
        ON CONFLICT (node) DO UPDATE SET holder = $2, lease_until = $3 WHERE storage_node.lease_until < $4
        """
    /// Never shorter: ids were made up to the end of the lease before the clock was set back, and the next holder begins
    /// behind it.
    static let renew: SQL = """
        UPDATE storage_node SET lease_until = CASE WHEN lease_until > $3 THEN lease_until ELSE $3 END
        WHERE node = $1 AND holder = $2
        """
    static let release: SQL = "UPDATE storage_node SET lease_until = $3 WHERE node = $1 AND holder = $2"
    static let liveHolders: SQL = "SELECT holder FROM storage_node WHERE lease_until > $1 ORDER BY node"
    /// Milliseconds; renewed every minute.
    package static let milliseconds: Int64 = 300_000

    /// Leases a number for `holder` (unique per process start).
    /// - Throws: `CRMError` "no_node" when all 1,024 are in use.
    package static func take(holder: String, clock: any WallClock, _ database: any Database) async throws -> Int {
        let now = clock.now()
        return try await database.write { session in
            let candidate = try session.first(free, [.time(now)]) { $0.integer(0) } ?? (try session.count(top) + 1)
            guard candidate < 1_024,
                try session.execute(
                    claim,
                    [.int(candidate), .text(holder), .time(now.adding(milliseconds: milliseconds)), .time(now)]) == 1
            else {
                throw CRMError(
                    "no_node", status: 503,
                    Words(en: "All 1,024 node numbers are in use.", zh: "1024 个节点编号均已占用。"))
            }
            return candidate
        }
    }

    /// Returns `false` when the lease had ended and the number is another process's now: no more ids may be made with it.
    @discardableResult
    package static func renew(
        _ node: Int, holder: String, clock: any WallClock, _ database: any Database
    ) async throws -> Bool {
        let until = clock.now().adding(milliseconds: milliseconds)
        return try await database.write { session in
            try session.execute(renew, [.int(node), .text(holder), .time(until)]) == 1
        }
    }

    /// Which processes use the database: one that was killed elsewhere counts until its lease ends.
    package static func live(at now: Instant, _ session: any SQLSession) throws -> [String] {
        try session.query(liveHolders, [.time(now)]) { $0.text(0) }.filter { !LeaseHolder.hasEnded($0) }
    }

    /// Gives the number back at a graceful stop.
    /// - Parameter lastUsed: the next holder begins behind it.
    package static func release(
        _ node: Int, holder: String, lastUsed: Instant = Instant(milliseconds: 0), _ database: any Database
    ) async throws {
        try await database.write { session in
            _ = try session.execute(release, [.int(node), .text(holder), .time(lastUsed)])
        }
    }
}
