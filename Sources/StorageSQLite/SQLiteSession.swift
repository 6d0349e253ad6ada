import GRDB
import Kernel
import Storage

// GRDB has types of the same names.
typealias SQL = Storage.SQL

/// A GRDB connection seen as `SQLSession`.
final class SQLiteSession: SQLSession {
    private let database: GRDB.Database
    private let statements: ConnectionStatements
    private(set) var commitActions: [@Sendable () -> Void] = []
    private var lastActions: [(any SQLSession) throws -> Void] = []
    private var savepointDepth = 0
    /// Statements whose rows are being read, outermost first.
    private var openCursors: [SQL] = []
    private var isBulkReading = false

    init(_ database: GRDB.Database, _ statements: ConnectionStatements) {
        self.database = database
        self.statements = statements
    }

    var dialect: Dialect { .sqlite }

    @discardableResult
    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int {
        try translating {
            let before = database.totalChangesCount
            if let statement = try rowStatement(sql) {
                defer { statement.end() }
                try statement.bind(arguments)
                while try statement.step() {}
            } else {
                guard arguments.isEmpty else { throw StorageError(.statement, "this statement takes no arguments") }
                try database.execute(sql: sql.text)
            }
            return database.totalChangesCount - before
        }
    }

    @discardableResult
    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        return try translating {
            guard let statement = try rowStatement(sql) else {
                throw StorageError(.statement, "this statement takes no arguments")
            }
            let before = database.totalChangesCount
            defer { statement.end() }
            for row in rows {
                try statement.bind(row)
                while try statement.step() {}
                statement.reset()
            }
            return database.totalChangesCount - before
        }
    }

    /// Rows of one statement: to open and close the indexes of a table for each row costs as much as some of its entries.
    @discardableResult
    func bulkInsert(into table: SQL, _ columns: SQL, _ rows: [[SQLValue]]) throws -> Int {
        guard let width = rows.first?.count, width > 0 else { return 0 }
        var count = Self.groupRows
        while count > 1, count * width > Self.groupValues { count /= 2 }
        return try translating {
            let before = database.totalChangesCount
            var start = rows.startIndex
            // What is left over goes in halves, so that few statements are kept and none is of a single row: after each of them
            // FTS5 writes out what it has.
            while start < rows.endIndex {
                while count > rows.endIndex - start { count /= 2 }
                // FAIL: like single statements, a group that fails leaves what stands before it to the transaction's end. The usual
                // ABORT keeps a copy of each page that a group touches.
                let text = Self.insert(into: table, columns, width: width, rows: count)
                let statement = try statements.statement(text, isOpen: false)
                defer { statement.end() }
                while count <= rows.endIndex - start {
                    try statement.bind(rows[start..<start + count])
                    while try statement.step() {}
                    statement.reset()
                    start += count
                }
            }
            return database.totalChangesCount - before
        }
    }

    /// Powers of two.
    private static let groupRows = 512
    private static let groupValues = 1_024

    private static func insert(into table: SQL, _ columns: SQL, width: Int, rows: Int) -> SQL {
        let row = "(" + Array(repeating: "?", count: width).joined(separator: ",") + ")"
        let all = Array(repeating: row, count: rows).joined(separator: ",")
        return SQL(trusted: "INSERT OR FAIL INTO \(table.text) (\(columns.text)) VALUES \(all)")
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Storage.Row) throws -> Bool) throws {
        var thrownByBody: (any Error)?
        try translating {
            let statement = try statements.statement(sql, isOpen: openCursors.contains(sql))
            openCursors.append(sql)
            defer {
                openCursors.removeLast()
                statement.end()
            }
            try statement.bind(arguments)
            let row = Storage.Row(statement.columns)
            while try statement.step() {
                do {
                    guard try body(row) else { return }
                } catch {
                    thrownByBody = error
                    return
                }
            }
        }
        if let thrownByBody { throw thrownByBody }
    }

    func bulkRead(_ sql: SQL, _ arguments: [SQLValue], _ body: (Storage.Row) throws -> Void) throws {
        try forEach(sql, arguments) { row in
            // What PostgreSQL cannot do is refused here too, where most tests run.
            isBulkReading = true
            defer { isBulkReading = false }
            try body(row)
            return true
        }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "sb\(savepointDepth)"
        try raw("SAVEPOINT \(name)")
        let (actionsBefore, lastBefore) = (commitActions.count, lastActions.count)
        do {
            let result = try body()
            try raw("RELEASE \(name)")
            return result
        } catch {
            commitActions.removeSubrange(actionsBefore...)
            if lastActions.count > lastBefore { lastActions.removeSubrange(lastBefore...) }
            // When the engine has already rolled the transaction back (disk full), there is no savepoint to return to.
            if database.isInsideTransaction {
                try raw("ROLLBACK TO \(name)")
                try raw("RELEASE \(name)")
            }
            throw error
        }
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }
    func beforeCommit(_ action: @escaping (any SQLSession) throws -> Void) { lastActions.append(action) }

    /// Runs a caller's body and then what it has left for the end.
    func whole<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        lastActions = []
        let value = try body(self)
        while !lastActions.isEmpty { try lastActions.removeFirst()(self) }
        return value
    }

    /// A statement of the driver itself (BEGIN, COMMIT, SAVEPOINT).
    func raw(_ sql: String) throws {
        do { try database.cachedStatement(sql: sql).execute() } catch let error as DatabaseError {
            throw SQLiteSession.translate(error)
        }
    }

    /// `nil` for what is no business of rows (CREATE, PRAGMA): that is GRDB's, which has to know of a changed schema.
    private func rowStatement(_ sql: SQL) throws -> SQLiteStatement? {
        guard statements.changesRows(sql) else { return nil }
        return try statements.statement(sql, isOpen: openCursors.contains(sql))
    }

    private func translating<T>(_ body: () throws -> T) throws -> T {
        guard !isBulkReading else { throw StorageError(.statement, "a bulk read is going on in this session") }
        do { return try body() } catch let error as DatabaseError { throw SQLiteSession.translate(error) }
    }

    /// SQLite's result codes as `StorageError`. The message names tables and columns; values are never part of it.
    static func translate(_ error: DatabaseError) -> StorageError {
        let detail = error.message ?? "result code \(error.extendedResultCode.rawValue)"
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            return StorageError(.uniqueViolation, detail)
        case .SQLITE_CONSTRAINT_NOTNULL:
            return StorageError(.constraintViolation, detail, missing: detail.split(separator: " ").last.map(String.init))
        default: break
        }
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: return StorageError(.constraintViolation, detail)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return StorageError(.busy, detail)
        case .SQLITE_FULL: return StorageError(.full, detail)
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StorageError(.io, detail)
        case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_RANGE, .SQLITE_MISMATCH: return StorageError(.statement, detail)
        default: return StorageError(.other, detail)
        }
    }
}
