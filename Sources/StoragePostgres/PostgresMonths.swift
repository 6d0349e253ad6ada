import Kernel
import Storage

/// Keeps the months of the growth tables of one database (ADR 0013): makes those that come, moves what fell outside into the
/// month it belongs to, drops those whose time is over. Done by the role that owns the tables.
package struct PostgresMonths: Sendable {
    /// What was done and found, by table; tables in the order of the layouts.
    package struct Report: Sendable, Equatable {
        package struct Table: Sendable, Equatable {
            package let name: String
            package var made: [GrowthMonth] = []
            /// Rows that lay in no month and were moved into theirs.
            package var moved = 0
            package var dropped: [GrowthMonth] = []
            /// Months that may be exported and taken out by hand.
            package var exportable: [GrowthMonth] = []
            /// Rows of the far future, or of no month at all: a clock that went wrong. They stay where they are.
            package var strays = 0
            /// Months whose making or dropping had to wait for others too long; tried again at the next upkeep.
            package var postponed: [GrowthMonth] = []
        }
        package var tables: [Table] = []
    }

    private let layouts: [TableLayout]
    private let clock: any WallClock
    /// Milliseconds a statement waits for a lock: everybody else waits behind it.
    private static let lockMilliseconds = 3_000

    package init(_ layouts: [TableLayout], clock: any WallClock) {
        self.layouts = layouts.filter { $0.growth != nil }
        self.clock = clock
    }

    // MARK: Looking

    static let partitions: SQL = """
        SELECT p.relname, c.relname FROM pg_class p JOIN pg_namespace n ON n.oid = p.relnamespace
        LEFT JOIN pg_inherits i ON i.inhparent = p.oid LEFT JOIN pg_class c ON c.oid = i.inhrelid
        WHERE n.nspname = 'public' AND p.relkind = 'p'
        """

    /// Table -> its months. A growth table that is not partitioned (its migration is pending) is not in it.
    private static func months(_ session: any SQLSession) throws -> [String: Set<GrowthMonth>] {
        var result: [String: Set<GrowthMonth>] = [:]
        try session.forEach(partitions, []) { row in
            let table = row.text(0)
            result[table, default: []].formUnion(month(row.optionalText(1) ?? "", of: table).map { [$0] } ?? [])
            return true
        }
        return result
    }

    /// `TABLE_202611` -> 2026-11.
    private static func month(_ partition: String, of table: String) -> GrowthMonth? {
        guard partition.hasPrefix(table + "_"), partition.utf8.count == table.utf8.count + 7 else { return nil }
        let digits = partition.suffix(6)
        return GrowthMonth(digits.prefix(4) + "-" + digits.suffix(2))
    }

    /// Whether a month that must be there by now is missing: an upkeep is due.
    package func isDue(_ session: any SQLSession) throws -> Bool {
        let now = clock.now()
        let there = try Self.months(session)
        return layouts.contains { layout in
            guard let growth = layout.growth, let months = there[layout.table] else { return false }
            return growth.wanted(at: now).contains { !months.contains($0) }
        }
    }

    /// What doctor says.
    package struct State: Sendable, Equatable {
        /// Tables without this month or the next.
        package var missing: [String] = []
        /// Rows by table that lie in no month and are moved by the next upkeep.
        package var waiting: [String: Int] = [:]
        /// Rows by table that no upkeep moves (`Report.Table.strays`).
        package var strays: [String: Int] = [:]
    }

    /// How the months are.
    /// - Throws: `StorageError`.
    package func inspect(_ session: any SQLSession) throws -> State {
        let now = clock.now()
        let there = try Self.months(session)
        var state = State()
        for layout in layouts {
            guard let growth = layout.growth, let months = there[layout.table] else { continue }
            let current = GrowthMonth(now)
            if !months.contains(current) || !months.contains(current.adding(1)) {
                state.missing.append(layout.table)
            }
            let outside = try Self.outside(layout.table, growth, session)
            let strays = Self.strays(outside, growth, now)
            let waiting = Self.movable(outside, growth, now).reduce(0) { $0 + $1.1 }
            if strays > 0 { state.strays[layout.table] = strays }
            if waiting > 0 { state.waiting[layout.table] = waiting }
        }
        return state
    }

    private static func strays(_ outside: [(GrowthMonth?, Int)], _ growth: Growth, _ now: Instant) -> Int {
        let last = GrowthMonth(now).adding(growth.monthsAhead)
        return outside.filter { month, _ in month.map { $0 > last } ?? true }.reduce(0) { $0 + $1.1 }
    }

    /// Months of rows outside that may be made: neither over nor of the far future, which is left until somebody has looked at
    /// the clock.
    private static func movable(
        _ outside: [(GrowthMonth?, Int)], _ growth: Growth, _ now: Instant
    ) -> [(GrowthMonth, Int)] {
        let last = GrowthMonth(now).adding(growth.monthsAhead)
        return outside.compactMap { month, rows in month.map { ($0, rows) } }
            .filter { $0.0 <= last && !growth.isOver($0.0, at: now) }
    }

    /// Rows of the default partition, counted by their month; `nil` = the column tells none.
    private static func outside(
        _ table: String, _ growth: Growth, _ session: any SQLSession
    ) throws -> [(GrowthMonth?, Int)] {
        let month =
            switch growth.column {
            case .month(let column): "substr(\(column), 1, 7)"
            case .id(let column):
                "to_char(to_timestamp(((\(column) >> 22) + \(IDGenerator.epoch)) / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM')"
            }
        return try session.query(
            SQL(trusted: "SELECT \(month), COUNT(*) FROM \(table)_default GROUP BY 1 ORDER BY 1")
        ) { (GrowthMonth($0.text(0)), $0.integer(1)) }
    }

    // MARK: Doing

    /// Does all that is due. One transaction for each month; a month that cannot be had because somebody holds the table is
    /// told in `postponed`.
    /// - Throws: `StorageError`.
    package func keep(_ database: any Database) async throws -> Report {
        let now = clock.now()
        let there = try await database.read { try Self.months($0) }
        var report = Report()
        for layout in layouts {
            guard let growth = layout.growth, let months = there[layout.table] else { continue }
            var table = Report.Table(name: layout.table)
            let outside = try await database.read { try Self.outside(layout.table, growth, $0) }
            let filled = Self.movable(outside, growth, now).map(\.0)
            for month in Set(growth.wanted(at: now) + filled).subtracting(months).sorted() {
                try await Self.orLater(month, &table) { table in
                    table.moved += try await make(month, of: layout.table, growth, database)
                    table.made.append(month)
                }
            }
            for month in months.sorted() where growth.isOver(month, at: now) {
                try await Self.orLater(month, &table) { table in
                    try await drop(month, of: layout.table, growth, database)
                    table.dropped.append(month)
                }
            }
            if !table.made.isEmpty { try await analyse(layout.table, database) }
            table.exportable = months.filter { growth.isExportable($0, at: now) }.sorted()
            table.strays = Self.strays(outside, growth, now)
            report.tables.append(table)
        }
        return report
    }

    private static func orLater(
        _ month: GrowthMonth, _ table: inout Report.Table, _ body: (inout Report.Table) async throws -> Void
    ) async throws {
        do { try await body(&table) } catch let error as StorageError where error.kind == .busy {
            table.postponed.append(month)
        }
    }

    /// Locks are waited for shortly, work is not limited. Two upkeeps, or an upkeep and a migration, follow one another. Both
    /// locks come before the first query: the snapshot of the transaction then holds whatever was written before them.
    private static func begin(locking table: String, _ session: any SQLSession) throws {
        try session.execute("SET LOCAL statement_timeout = 0")
        try session.execute(SQL(trusted: "SET LOCAL lock_timeout = \(lockMilliseconds)"))
        try session.execute("LOCK TABLE schema_migration IN EXCLUSIVE MODE")
        try session.execute(SQL(trusted: "LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE"))
    }

    /// Makes a month beside the table, fills it with what lies outside, and attaches it. Writers of other months are not held
    /// up, save those of the default partition. A transaction whose snapshot is older than the move sees moved rows where they
    /// were; one that looks a row up by its id alone looks into the new month only and does not find it until it begins anew.
    private func make(
        _ month: GrowthMonth, of table: String, _ growth: Growth, _ database: any Database
    ) async throws -> Int {
        let (name, rest, column) = ("\(table)_\(month.suffix)", "\(table)_default", growth.column.name)
        let (from, to) = (Self.bound(month, growth.column), Self.bound(month.adding(1), growth.column))
        return try await database.write { session in
            try Self.begin(locking: rest, session)
            // Another process may have been faster.
            guard try Self.months(session)[table]?.contains(month) != true else { return 0 }
            try session.execute(SQL(trusted: "CREATE TABLE \(name) (LIKE \(table) INCLUDING DEFAULTS)"))
            let moved = try session.execute(
                SQL(
                    trusted: """
                        WITH moved AS (DELETE FROM \(rest) WHERE \(column) >= \(from) AND \(column) < \(to) RETURNING *)
                        INSERT INTO \(name) SELECT * FROM moved
                        """))
            try session.execute(
                SQL(trusted: "ALTER TABLE \(table) ATTACH PARTITION \(name) FOR VALUES FROM (\(from)) TO (\(to))"))
            return moved
        }
    }

    /// Takes a month out and drops it; rows that are to stay go where what has no month lies.
    private func drop(
        _ month: GrowthMonth, of table: String, _ growth: Growth, _ database: any Database
    ) async throws {
        guard case .dropped(_, let except) = growth.retention else { return }
        let name = "\(table)_\(month.suffix)"
        try await database.write { session in
            try Self.begin(locking: table, session)
            guard try Self.months(session)[table]?.contains(month) == true else { return }
            if let except {
                try session.execute(SQL(trusted: "ALTER TABLE \(table) DETACH PARTITION \(name)"))
                try session.execute(
                    SQL(trusted: "INSERT INTO \(table) SELECT * FROM \(name) WHERE \(except.text)"))
            }
            try session.execute(SQL(trusted: "DROP TABLE \(name)"))
        }
    }

    /// Statistics of the whole table, which the server gathers of its parts only.
    private func analyse(_ table: String, _ database: any Database) async throws {
        try await database.write { session in
            try session.execute("SET LOCAL statement_timeout = 0")
            try session.execute(SQL(trusted: "ANALYZE \(table)"))
        }
    }

    private static func bound(_ month: GrowthMonth, _ column: Growth.Column) -> String {
        switch column {
        case .id: "\(month.firstID)"
        case .month: "'\(month)'"
        }
    }
}
