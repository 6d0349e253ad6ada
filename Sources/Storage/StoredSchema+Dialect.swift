/// Tables, columns and keys as the engine's catalogue tells them.
enum StoredSchema {
    enum Kind: Sendable { case int, double, text, bool, bytes }

    struct Column: Sendable {
        let name: String
        let kind: Kind
        /// Place in the primary key from 1; 0 = not in it.
        let key: Int
    }

    struct Table: Sendable {
        let name: String
        let columns: [Column]
        var keyColumns: [(offset: Int, column: Column)] {
            columns.enumerated().filter { $0.element.key > 0 }.sorted { $0.element.key < $1.element.key }
                .map { ($0.offset, $0.element) }
        }
        var keyTypes: [Kind] { keyColumns.map(\.column.kind) }
        var columnList: SQL { SQL(trusted: columns.map(\.name).joined(separator: ", ")) }

        func key(_ row: [SQLValue]) -> [SQLValue] { keyColumns.map { row[$0.offset] } }

        /// Rows in the order of the key, after `key`; typed by the column, so that both engines give the same values.
        func page(after key: [SQLValue]?, limit: Int, _ session: any SQLSession) throws -> [[SQLValue]] {
            let keys = keyColumns.map(\.column.name).joined(separator: ", ")
            var text = "SELECT \(columnList.text) FROM \(name)"
            if let key {
                let marks = (1...key.count).map { "$\($0)" }.joined(separator: ", ")
                text += key.count == 1 ? " WHERE \(keys) > \(marks)" : " WHERE (\(keys)) > (\(marks))"
            }
            text += " ORDER BY \(keys) LIMIT \(limit)"
            return try session.query(SQL(trusted: text), key ?? [], values)
        }

        /// Every row, in no order, in the memory of one.
        func scan(_ session: any SQLSession, _ body: ([SQLValue]) throws -> Void) throws {
            try session.bulkRead(SQL(trusted: "SELECT \(columnList.text) FROM \(name)"), []) { try body(values($0)) }
        }

        private func values(_ row: Row) -> [SQLValue] {
            columns.enumerated().map { offset, column -> SQLValue in
                if row.isNull(offset) { return .null }
                return switch column.kind {
                case .int: .int(row.int(offset))
                case .double: .double(row.double(offset))
                case .text: .text(row.text(offset))
                case .bool: .bool(row.bool(offset))
                case .bytes: .bytes(row.bytes(offset))
                }
            }
        }
    }

    /// Without full-text indexes and the tables behind them, which hold what another table holds.
    private static let sqlite: SQL = """
        SELECT m.name, c.name, c.type, c.pk FROM pragma_table_list m JOIN pragma_table_info(m.name) c
        WHERE m.schema = 'main' AND m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid
        """
    private static let textIndexes: SQL = """
        SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE % USING fts5(%content=''%'
        """
    private static let postgres: SQL = """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
          COALESCE((SELECT k.place FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
            WHERE i.indrelid = c.oid AND i.indisprimary AND k.attnum = a.attnum), 0)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
          AND NOT a.attisdropped
        ORDER BY c.relname, a.attnum
        """

    private static let migratedSQLite: SQL = "SELECT 1 FROM sqlite_master WHERE name = 'schema_migration'"
    private static let migratedPostgres: SQL = "SELECT 1 FROM pg_class WHERE oid = to_regclass('schema_migration')"

    /// Whether migrations were ever applied.
    static func isMigrated(_ session: any SQLSession) throws -> Bool {
        try session.exists(session.dialect.sql(sqlite: migratedSQLite, postgres: migratedPostgres))
    }

    /// All tables of the product, sorted by name, columns sorted by name: the same on both engines.
    static func tables(_ session: any SQLSession) throws -> [Table] {
        var columns: [String: [Column]] = [:]
        try session.forEach(session.dialect.sql(sqlite: sqlite, postgres: postgres), []) { row in
            columns[row.text(0), default: []].append(
                Column(name: row.text(1), kind: kind(row.text(2)), key: row.integer(3)))
            return true
        }
        return columns.map { Table(name: $0.key, columns: $0.value.sorted { $0.name < $1.name }) }
            .sorted { $0.name < $1.name }
    }

    /// Makes full-text indexes anew from the tables that they are over; where the engine keeps them itself nothing is done.
    static func rebuildTextIndexes(_ session: any SQLSession) throws {
        guard session.dialect == .sqlite else { return }
        for name in try session.query(textIndexes, [], { $0.text(0) }) {
            try session.execute(SQL(trusted: "INSERT INTO \(name)(\(name)) VALUES ('rebuild')"))
        }
    }

    private static func kind(_ type: String) -> Kind {
        switch type.uppercased() {
        case "BIGINT", "INTEGER": .int
        case "DOUBLE PRECISION": .double
        case "BOOLEAN": .bool
        case "BYTEA", "BLOB": .bytes
        default: .text
        }
    }
}
