import App
import Foundation
import Kernel
import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing

/// Whether the pages people work with, and the work behind them, read big tables from one end to the other. The server counts
/// that itself, whatever the statements are.
@Suite(
    "No page scans a big table (PostgreSQL)", .timeLimit(.minutes(5)), .enabled(if: TestDatabases.dialect == .postgres))
struct ScanTests {
    /// Rows from which on a table counts as big; every table that has rows is made bigger than that.
    static let big = 5_000
    static let wanted = 15_000

    /// These say how many customers there are: all are counted where nothing is filtered, at most 10,001 where something is.
    static let totals: Set<String> = ["list", "list, filtered", "list, by risk"]

    static let ended: SQL = """
        SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    static let others: SQL = """
        SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """
    static let scans: SQL = """
        SELECT relname, seq_scan, n_live_tup FROM pg_stat_user_tables ORDER BY relname
        """

    /// Repeats every row under other ids. Texts that have to be unique get a mark at their end.
    private func multiply(_ database: any Database) async throws {
        let schema = TestSchema(database)
        let columns = Dictionary(grouping: try await schema.columns(), by: \.table)
        try await database.write { session in
            // References and triggers are not asked: all tables grow alike.
            try session.execute("SET LOCAL session_replication_role = 'replica'")
            try session.execute("SET LOCAL statement_timeout = 0")
            let unique = Set(
                try session.query(
                    """
                    SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
                    WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
                    """
                ) { "\($0.text(0)).\($0.text(1))" })
            for table in try session.query(Self.tables, [], { $0.text(0) }) where columns[table] != nil {
                let rows = try session.count(SQL(trusted: "SELECT COUNT(*) FROM \(table)"))
                guard rows > 0, rows < Self.wanted else { continue }
                let list = columns[table] ?? []
                let values = list.map { column -> String in
                    let isID = column.name == "id" || column.name.hasSuffix("_id")
                    if column.type == "BIGINT" || column.type == "bigint", isID {
                        return "\(column.name) + CAST(g AS BIGINT) * 1000000007"
                    }
                    let isUnique = unique.contains("\(table).\(column.name)")
                    return column.type.lowercased() == "text" && isUnique ? "\(column.name) || '~' || g" : column.name
                }
                try session.execute(
                    SQL(
                        trusted: """
                            INSERT INTO \(table) (\(list.map(\.name).joined(separator: ", ")))
                            SELECT \(values.joined(separator: ", ")) FROM \(table)
                            CROSS JOIN generate_series(1, \(Self.wanted / rows + 1)) g ON CONFLICT DO NOTHING
                            """))
            }
        }
        try await database.write { _ = try $0.execute("ANALYZE") }
    }
    static let tables: SQL = """
        SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition
          AND c.relname NOT IN ('schema_migration', 'storage_node', 'storage_server', 'storage_copy',
            'identity_user')
        """

    /// What the server has counted; backends tell their figures when they end, and the product opens others.
    private func counted(_ watcher: PostgresDatabase) async throws -> [String: (scans: Int, rows: Int)] {
        _ = try await watcher.read { try $0.count(Self.ended) }
        for _ in 0..<500 {
            if try await watcher.read({ try $0.count(Self.others) }) == 0 { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        let rows = try await watcher.read { session in
            try session.query(Self.scans) { ($0.text(0), (scans: $0.integer(1), rows: $0.integer(2))) }
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    @Test("lists, search, the customer page, the timeline, the audit log, jobs and the work behind them go by indexes")
    func pages() async throws {
        let scenario = try await Scenario.start(customers: 250)
        try await scenario.drain()
        let visitor = try await scenario.user("super", [.supervisor])
        let auditor = try await scenario.user("auditor", [.auditor])
        let watcher = try #require(try TestDatabases.watcher(of: scenario.tenant))
        let customer = try await watcher.read {
            try $0.first("SELECT customer_id FROM customers_listing WHERE status = 'active' ORDER BY customer_id") {
                $0.int(0)
            }
        }
        let id = try #require(customer)
        try await multiply(watcher)

        let steps: [(String, @Sendable () async throws -> Void)] = [
            ("list", { try visitor.get("/customers") }),
            ("list, filtered", { try visitor.get("/customers?status=active") }),
            ("list, by risk", { try visitor.get("/customers?sort=risk") }),
            ("customer page", { try visitor.get("/customers/\(id)") }),
            ("timeline", { try visitor.get("/customers/\(id)/timeline") }),
            ("lines", { try visitor.get("/customers/\(id)/subscriptions") }),
            ("charges", { try visitor.get("/customers/\(id)/charges") }), ("risk list", { try visitor.get("/risk") }),
            (
                "search",
                { try visitor.get(try visitor.post("/search", [("q", "王")]).header("location") ?? "/search") }
            ),
            ("audit log", { try auditor.get("/audit") }),
            ("audit of one", { try auditor.get("/audit?customer=\(id)") }),
            ("work", { try await scenario.drain() }),
        ]
        for (name, step) in steps {
            // Once for what is read once a process, and to see the whole way there.
            try await step()
            let before = try await counted(watcher)
            try await step()
            let after = try await counted(watcher)
            let scanned = after.filter { table, now in
                now.rows >= Self.big && now.scans > (before[table]?.scans ?? 0)
                    && !(Self.totals.contains(name) && table == "customers_listing")
            }
            #expect(scanned.isEmpty, "\(name) reads the whole of \(scanned.keys.sorted())")
        }
        let size = try await counted(watcher).filter { $0.value.rows >= Self.big }
        print("big tables: \(size.map { "\($0.key) \($0.value.rows)" }.sorted().joined(separator: ", "))")
        #expect(size.count > 15)
        try await watcher.close()
    }
}

extension TestDatabases {
    /// Another way to the database of a scenario's tenant.
    fileprivate static func watcher(of tenant: Tenant) throws -> PostgresDatabase? {
        guard let base = (tenant.database as? LeasedDatabase)?.base as? PostgresDatabase else { return nil }
        var settings = base.settings
        settings.connectionsMax = 1
        return PostgresDatabase(settings)
    }
}
