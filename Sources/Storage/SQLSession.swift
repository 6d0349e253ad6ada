import Kernel

/// Which engine a session talks to. The seam for what the two engines say differently; see `Dialect.sql`.
package enum Dialect: String, Sendable {
    case sqlite, postgres

    /// Two texts of one statement, for the few that cannot be one: full-text search, job claim, bulk COPY, partitions.
    package func sql(sqlite: SQL, postgres: SQL) -> SQL { self == .sqlite ? sqlite : postgres }

    /// The text value at `key` of a JSON column kept as opaque TEXT.
    package func json(_ column: StaticString, _ key: StaticString) -> String {
        self == .sqlite ? "json_extract(\(column), '$.\(key)')" : "(CAST(\(column) AS json) ->> '\(key)')"
    }
}

/// Reads one column of the current row by its index. Implemented by the drivers; valid only inside the row closure.
package protocol ColumnReader: AnyObject {
    func isNull(_ column: Int) -> Bool
    func int(_ column: Int) -> Int64
    func double(_ column: Int) -> Double
    func text(_ column: Int) -> String
    func bool(_ column: Int) -> Bool
    func bytes(_ column: Int) -> [UInt8]
    func value(_ column: Int) -> SQLValue
    var columnCount: Int { get }
    func columnName(_ column: Int) -> String
}

/// The current row of a result. Columns are addressed by index, in the order of the SELECT list. Do not keep it.
package struct Row {
    package let reader: any ColumnReader
    package init(_ reader: any ColumnReader) { self.reader = reader }

    package func int(_ c: Int) -> Int64 { reader.int(c) }
    package func integer(_ c: Int) -> Int { Int(reader.int(c)) }
    package func double(_ c: Int) -> Double { reader.double(c) }
    package func text(_ c: Int) -> String { reader.text(c) }
    package func bool(_ c: Int) -> Bool { reader.bool(c) }
    package func bytes(_ c: Int) -> [UInt8] { reader.bytes(c) }
    package func value(_ c: Int) -> SQLValue { reader.value(c) }
    package func isNull(_ c: Int) -> Bool { reader.isNull(c) }
    package func id<K>(_ c: Int, _ kind: K.Type = K.self) -> ID<K> { ID(reader.int(c)) }
    package func time(_ c: Int) -> Instant { Instant(milliseconds: reader.int(c)) }

    package func optionalInt(_ c: Int) -> Int64? { isNull(c) ? nil : int(c) }
    package func optionalDouble(_ c: Int) -> Double? { isNull(c) ? nil : double(c) }
    package func optionalText(_ c: Int) -> String? { isNull(c) ? nil : text(c) }
    package func optionalBool(_ c: Int) -> Bool? { isNull(c) ? nil : bool(c) }
    package func optionalID<K>(_ c: Int, _ kind: K.Type = K.self) -> ID<K>? { isNull(c) ? nil : ID(int(c)) }
    package func optionalTime(_ c: Int) -> Instant? { isNull(c) ? nil : time(c) }
    package func optionalDate(_ c: Int) -> LocalDate? { isNull(c) ? nil : LocalDate(text(c)) }
}

/// A connection inside a transaction (or a read snapshot), used on the driver's own thread: calls block, so nothing here
/// is `async`, and a session never leaves the closure it was given to.
package protocol SQLSession: AnyObject {
    var dialect: Dialect { get }

    /// Runs a statement; returns the number of rows it changed.
    /// - Throws: `StorageError`.
    @discardableResult
    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int

    /// Runs one statement for each row of arguments, in order. The batch form: one prepared statement, pipelined on
    /// PostgreSQL. Returns the number of rows changed in all.
    @discardableResult
    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int

    /// Puts many new rows into a table: COPY on PostgreSQL, one prepared INSERT on SQLite. `columns` is the list as an
    /// INSERT has it, `"id, name"`; each row has a value for each. Returns the number of rows.
    /// - Throws: `StorageError`; a row that is there already is `uniqueViolation`.
    @discardableResult
    func bulkInsert(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) throws -> Int

    /// Puts new rows into several tables, one after another, until `next` has no more. The rows of a table are made while
    /// PostgreSQL takes in those of the one before. All are in when it returns. `next` may not use the session.
    /// - Throws: `StorageError` as the other `bulkInsert`, perhaps of the batch before; what `next` throws.
    func bulkInsert(_ next: () throws -> BulkRows?) throws

    /// Calls `body` for each row until it returns `false`.
    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Bool) throws

    /// Asks for rows without waiting for them. What is asked one after another goes to PostgreSQL together, with the next
    /// statement that is waited for; SQLite reads when the rows are wanted. Rows are of the same snapshot either way.
    /// - Throws: `StorageError`; the failure of the statement comes with the answer.
    func ask(_ sql: SQL, _ arguments: [SQLValue]) throws -> any SQLAnswer

    /// What this transaction asks is the same work whatever the values, as everything about one record is: PostgreSQL plans
    /// each statement once for a connection, instead of weighing at every call what these values would deserve. Not for
    /// lists and searches, whose best way depends on what is looked for.
    func keepPlans() throws

    /// Rows of this transaction are found through indexes from now on, whatever the engine knows of its tables: those of an
    /// import grow faster than what is known of them. Of no effect where the engine needs no telling.
    func preferIndexes() throws

    /// Reads very many rows in the memory of a few: COPY on PostgreSQL, where the server sends no faster than `body`
    /// takes. The time limit of statements does not hold; what the caller has cancelled ends. `body` may not use the
    /// session, and what it throws ends the transaction's work.
    /// - Throws: `StorageError`, or what `body` throws.
    func bulkRead(_ sql: SQL, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws

    /// Runs `body` so that its failure undoes only what it did.
    func savepoint<T>(_ body: () throws -> T) throws -> T

    /// Calls `action` when the transaction's work is done and before it is committed, within it: what it reads is what will be there,
    /// what it throws undoes all of it. Not called for work that was undone.
    func beforeCommit(_ action: @escaping (any SQLSession) throws -> Void)

    /// Calls `action` once the transaction has been committed; never when it is rolled back.
    func afterCommit(_ action: @escaping @Sendable () -> Void)
}

/// New rows of one table.
package struct BulkRows {
    package let table: SQL
    /// As an INSERT has them, `"id, name"`.
    package let columns: SQL
    /// Each with a value for each column.
    package let rows: [[SQLValue]]
    package init(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) {
        self.table = table
        self.columns = columns
        self.rows = rows
    }
}

extension SQLSession {
    package func preferIndexes() throws {}

    package func bulkInsert(_ next: () throws -> BulkRows?) throws {
        while let batch = try next() { try bulkInsert(into: batch.table, batch.columns, batch.rows) }
    }

    @discardableResult
    package func bulkInsert(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard let width = rows.first?.count else { return 0 }
        let marks = (1...max(1, width)).map { "$\($0)" }.joined(separator: ",")
        return try executeMany(
            SQL(trusted: "INSERT INTO \(table.text) (\(columns.text)) VALUES (\(marks))"), rows)
    }

    @discardableResult
    package func execute(_ sql: SQL) throws -> Int { try execute(sql, []) }

    /// All rows, mapped.
    package func query<T>(_ sql: SQL, _ arguments: [SQLValue] = [], _ map: (Row) throws -> T) throws -> [T] {
        var result: [T] = []
        try forEach(sql, arguments) { row in
            result.append(try map(row))
            return true
        }
        return result
    }

    /// The first row, mapped, or `nil`.
    package func first<T>(_ sql: SQL, _ arguments: [SQLValue] = [], _ map: (Row) throws -> T) throws -> T? {
        var result: T?
        try forEach(sql, arguments) { row in
            result = try map(row)
            return false
        }
        return result
    }

    /// The first column of the first row as an integer; 0 when there is no row.
    package func count(_ sql: SQL, _ arguments: [SQLValue] = []) throws -> Int {
        try first(sql, arguments) { $0.integer(0) } ?? 0
    }

    package func exists(_ sql: SQL, _ arguments: [SQLValue] = []) throws -> Bool {
        try first(sql, arguments) { _ in true } ?? false
    }

    package func query<T>(_ builder: SQLBuilder, _ map: (Row) throws -> T) throws -> [T] {
        try query(builder.sql, builder.arguments, map)
    }
}

/// A tenant's database.
package protocol Database: Sendable {
    var dialect: Dialect { get }

    /// Runs `body` on a consistent snapshot; it cannot write. It is run again on another connection when the one it had
    /// broke. When the caller's task is cancelled the running statement ends and `CancellationError` is thrown.
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T

    /// The same on a snapshot that may be a little older.
    func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T

    /// Runs `body` in a transaction and returns once it is durable. Concurrent callers share one commit (and one fsync)
    /// on SQLite; a failing body undoes only its own work. `body` may be run again when the commit could not be made.
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T

    /// Whether anybody had to wait for a transaction of somebody else since this was last asked, here or in another
    /// process. Who has much to write takes less at a time when others wait for it.
    func hadToWait() -> Bool

    /// Writes what is in the write-ahead log to the file, where there is one, and closes every connection.
    func close() async throws
}

extension Database {
    /// Where writers do not follow one another nobody knows; a long transaction then meets more of the others'.
    package func hadToWait() -> Bool { true }
}

/// A database that can also be used by a caller that blocks its own thread anyway, as reading a file does. On connections
/// apart from those of `read` and `write`, so that a blocked caller never waits for one of those.
package protocol BlockingDatabase: Database {
    /// Runs `body` in a transaction on the calling thread.
    /// - Throws: `StorageError`, or what `body` throws.
    func blocking<T>(_ body: (any SQLSession) throws -> T) throws -> T
}

/// What went wrong in the storage engine, the same for both engines.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// A UNIQUE or PRIMARY KEY constraint.
        case uniqueViolation
        /// Another constraint: NOT NULL, CHECK, FOREIGN KEY.
        case constraintViolation
        /// Locked or overloaded; may be tried again.
        case busy
        /// No space left or an I/O error; nothing was written.
        case full, io
        /// The statement does not fit the schema: a defect.
        case statement
        /// The connection or transaction was lost; for a commit, whether it happened is unknown.
        case connection, outcomeUnknown
        case other
    }
    package let kind: Kind
    /// The engine's words: names of tables and columns, never values.
    package let detail: String
    /// `table.column`, of a constraint violation: the column that may not be NULL.
    package let missing: String?
    package init(_ kind: Kind, _ detail: String, missing: String? = nil) {
        self.kind = kind
        self.detail = detail
        self.missing = missing
    }
    package var description: String { "storage \(kind.rawValue): \(detail)" }
}
