import Kernel
import Storage

/// Applies a `Distribution` to a database in which the distributed engine Citus is installed.
package struct PostgresDistribution: Sendable {
    private let distribution: Distribution

    package init(_ distribution: Distribution) { self.distribution = distribution }

    static let installed: SQL = "SELECT 1 FROM pg_proc WHERE proname = 'create_distributed_table' LIMIT 1"
    /// Tables the engine knows, distributed ones and copies.
    static let known: SQL = "SELECT CAST(logicalrelid AS TEXT) FROM pg_dist_partition"

    /// What is still to be done; `nil` = the engine is not installed.
    /// - Throws: `StorageError`.
    package func pending(_ database: any Database) async throws -> [Distribution.Step]? {
        let steps = distribution.steps
        return try await database.read { session in
            guard try session.exists(Self.installed) else { return nil }
            let known = Set(try session.query(Self.known) { $0.text(0) })
            return steps.filter { !known.contains($0.table) }
        }
    }

    /// Does what is still to be done, a table a transaction: interrupted, the next run goes on.
    /// - Parameter progress: called before each step.
    /// - Returns: the steps done; `nil` = the engine is not installed, nothing was done.
    package func apply(
        _ database: any Database, progress: @Sendable (Distribution.Step) -> Void
    ) async throws -> [Distribution.Step]? {
        guard let steps = try await pending(database) else { return nil }
        for step in steps {
            progress(step)
            try await database.write { session in
                try session.execute("SET LOCAL statement_timeout = 0")
                try session.execute("SET LOCAL lock_timeout = 0")
                _ = try session.first(step.statement) { _ in true }
            }
        }
        return steps
    }
}
