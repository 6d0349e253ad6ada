import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

@Suite("Distribution")
struct DistributionTests {
    private let distribution = Distribution([
        TableLayout("storage_job", .local), TableLayout("a_beside", .customer(key: "customer_id")),
        TableLayout("z_anchor", .customers(key: "id")), TableLayout("a_lookup", .lookUp(key: "value")),
        TableLayout("z_small", .reference),
    ])

    @Test("copies come first, then the customers, then what lies beside them, then look-ups; local tables are left alone")
    func order() {
        #expect(distribution.steps.map(\.table) == ["z_small", "z_anchor", "a_beside", "a_lookup"])
        #expect(distribution.local == ["storage_job"])
        #expect(
            distribution.script == """
                SELECT create_reference_table('z_small');
                SELECT create_distributed_table('z_anchor', 'id', colocate_with => 'none');
                SELECT create_distributed_table('a_beside', 'customer_id', colocate_with => 'z_anchor');
                SELECT create_distributed_table('a_lookup', 'value', colocate_with => 'none');

                """)
    }

    /// The engine is not in Debian: a stand-in with its functions' names and arguments notes what it was told.
    private static let standIn: [SQL] = [
        "CREATE TABLE pg_dist_partition (logicalrelid regclass NOT NULL)", "CREATE TABLE z_anchor (id BIGINT)",
        "CREATE TABLE a_beside (customer_id BIGINT)", "CREATE TABLE a_lookup (value TEXT)", "CREATE TABLE z_small (id BIGINT)",
        "CREATE TABLE told (words TEXT)",
        """
        CREATE FUNCTION create_reference_table(name regclass) RETURNS void LANGUAGE sql AS $$
        INSERT INTO told VALUES (format('%s copied', name)); INSERT INTO pg_dist_partition VALUES (name) $$
        """,
        """
        CREATE FUNCTION create_distributed_table(name regclass, col text, kind text DEFAULT 'hash',
          colocate_with text DEFAULT 'default') RETURNS void LANGUAGE sql AS $$
        INSERT INTO told VALUES (format('%s by %s beside %s', name, col, colocate_with));
        INSERT INTO pg_dist_partition VALUES (name) $$
        """,
    ]

    @Test(
        "an engine is told each table once, in order, and again only what it does not know; none is told nothing",
        .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
    func apply() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        let engine = PostgresDistribution(distribution)
        #expect(try await engine.apply(bench.database) { _ in } == nil, "there is no engine")
        try await bench.database.write { session in for sql in Self.standIn { try session.execute(sql) } }
        #expect(try await engine.pending(bench.database)?.count == 4)
        try await bench.database.write { _ = try $0.execute("INSERT INTO pg_dist_partition VALUES ('z_small')") }
        let seen = Tally()
        #expect(try await engine.apply(bench.database) { _ in seen.add() }?.count == 3 && seen.count == 3)
        let told = try await bench.database.read { try $0.query("SELECT words FROM told") { $0.text(0) } }
        #expect(
            told == [
                "z_anchor by id beside none", "a_beside by customer_id beside z_anchor", "a_lookup by value beside none",
            ])
        #expect(try await engine.apply(bench.database) { _ in } == [])
    }
}
