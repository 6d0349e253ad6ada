import Kernel

/// A word kept in the tenant's database about something that is done once.
package enum Mark {
    static let value: SQL = "SELECT value FROM storage_mark WHERE name = $1"
    static let set: SQL = """
        INSERT INTO storage_mark (name, value, marked_at) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET value = $2, marked_at = $3
        """

    /// What was kept under `name`, or `nil`.
    package static func value(_ name: String, _ session: any SQLSession) throws -> String? {
        try session.first(value, [.text(name)]) { $0.text(0) }
    }

    /// Keeps `value` under `name` in the caller's transaction.
    package static func set(_ name: String, _ value: String, at now: Instant, _ session: any SQLSession) throws {
        try session.execute(set, [.text(name), .text(value), .time(now)])
    }
}
