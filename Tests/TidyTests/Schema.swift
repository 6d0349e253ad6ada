import App
import Storage
import TestSupport

/// The database as all migrations of the product leave it.
final class MigratedDatabase: Sendable {
    private let tenant: TestTenant
    let modules: Modules
    var database: any Database { tenant.tenant.database }

    struct Column: Sendable, Hashable {
        let table: String
        let name: String
        let type: String
    }

    init() async throws {
        modules = try Modules(
            share: Checkout.share, clock: FrozenClock(), passwordProfile: Configuration().passwordProfile)
        tenant = try await TestTenant(modules.all.map(\.name))
    }

    /// Names of the tables without the engine's own (full-text shadow tables included).
    func tables() async throws -> [String] {
        try await database.read { session in
            try session.query(
                """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name
                """
            ) { $0.text(0) }
        }
    }

    func columns() async throws -> [Column] {
        try await database.read { session in
            try session.query(
                """
                SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c
                WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid
                """
            ) { Column(table: $0.text(0), name: $0.text(1), type: $0.text(2)) }
        }
    }

    /// Every object's text, sorted: the golden file.
    func dump() async throws -> String {
        let objects = try await database.read { session in
            try session.query(
                """
                SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 ELSE 1 END, name
                """
            ) { $0.text(0) }
        }
        return objects.joined(separator: ";\n\n") + ";\n"
    }
}
