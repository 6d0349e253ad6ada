import Foundation
import Storage
import StoragePostgres

/// What a database holds, asked of either engine's catalogue. For tests of the schema only.
package struct TestSchema: Sendable {
    private let database: any Database
    package init(_ database: any Database) { self.database = database }

    package struct Column: Sendable, Hashable {
        package let table: String
        package let name: String
        /// In the spelling of the migrations: TEXT, BIGINT, INTEGER, BOOLEAN, DOUBLE PRECISION, BYTEA.
        package let type: String
    }

    /// Names of the tables, the engine's own apart, and without full-text indexes and what is behind them.
    package func tables(prefix: String = "") async throws -> [String] {
        let sql: SQL =
            database.dialect == .sqlite
            ? """
            SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
            ORDER BY name
            """
            : """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
            """
        return try await database.read { try $0.query(sql) { $0.text(0) } }.filter { $0.hasPrefix(prefix) }
    }

    /// Columns in the order of the table.
    package func columns(prefix: String = "") async throws -> [Column] {
        let sql: SQL =
            database.dialect == .sqlite
            ? """
            SELECT m.name, c.name, c.type FROM pragma_table_list m JOIN pragma_table_info(m.name) c
            WHERE m.schema = 'main' AND m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid
            """
            : """
            SELECT i.table_name, i.column_name, i.data_type FROM information_schema.columns i
            JOIN pg_class c ON c.relname = i.table_name AND c.relnamespace = to_regnamespace('public')
            WHERE i.table_schema = 'public' AND NOT c.relispartition ORDER BY i.table_name, i.ordinal_position
            """
        return try await database.read {
            try $0.query(sql) { Column(table: $0.text(0), name: $0.text(1), type: $0.text(2).uppercased()) }
        }.filter { $0.table.hasPrefix(prefix) }
    }

    /// Table -> its columns.
    package func columnsByTable(prefix: String) async throws -> [String: Set<String>] {
        Dictionary(grouping: try await columns(prefix: prefix), by: \.table).mapValues { Set($0.map(\.name)) }
    }

    package func columnNames(of table: String) async throws -> [String] {
        try await columns(prefix: table).filter { $0.table == table }.map(\.name)
    }

    /// The columns of the primary key, in its order.
    package func keys(of table: String) async throws -> [String] {
        let sql: SQL =
            database.dialect == .sqlite
            ? "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk"
            : """
            SELECT k.column_name FROM information_schema.table_constraints t
            JOIN information_schema.key_column_usage k
              ON k.constraint_name = t.constraint_name AND k.table_name = t.table_name
            WHERE t.table_schema = 'public' AND t.constraint_type = 'PRIMARY KEY' AND t.table_name = $1
            ORDER BY k.ordinal_position
            """
        return try await database.read { try $0.query(sql, [.text(table)]) { $0.text(0) } }
    }

    /// The whole schema as text: the golden file of the engine.
    package func dump() async throws -> String {
        guard let database = database as? PostgresDatabase else {
            let objects = try await database.read { session in
                try session.query(
                    """
                    SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
                      AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
                    ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 ELSE 1 END, name
                    """
                ) { $0.text(0) }
            }
            return objects.joined(separator: ";\n\n") + ";\n"
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/lib/postgresql/15/bin/pg_dump")
        process.arguments = ["--schema-only", "--no-owner", "--no-privileges", "--no-comments", database.settings.url]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // Comments, settings and the guard tokens of newer versions differ from run to run.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true).filter { line in
            !["--", "SET ", "SELECT pg_catalog", "\\"].contains { line.hasPrefix($0) }
        }
        return lines.joined(separator: "\n").replacingOccurrences(of: ";\n", with: ";\n\n") + "\n"
    }
}
