import Foundation
import GRDB
import Kernel
import Storage

// GRDB has types of the same names.
typealias SQL = Storage.SQL

/// A GRDB connection seen as `SQLSession`.
final class SQLiteSession: SQLSession {
    private let database: GRDB.Database
    private let texts: StatementTexts
    private(set) var commitActions: [@Sendable () -> Void] = []
    private var savepointDepth = 0
    /// Statements whose rows are being read, outermost first.
    private var openCursors: [SQL] = []

    init(_ database: GRDB.Database, texts: StatementTexts) {
        self.database = database
        self.texts = texts
    }

    var dialect: Dialect { .sqlite }

    @discardableResult
    func execute(_ sql: SQL, _ arguments: [SQLValue]) throws -> Int {
        try translating(sql) {
            let statement = try prepared(sql)
            let before = database.totalChangesCount
            // Checks the number of arguments: a missing one would silently be NULL.
            try statement.execute(arguments: bindings(arguments))
            return database.totalChangesCount - before
        }
    }

    @discardableResult
    func executeMany(_ sql: SQL, _ rows: [[SQLValue]]) throws -> Int {
        try translating(sql) {
            let statement = try prepared(sql)
            let before = database.totalChangesCount
            for row in rows { try statement.execute(arguments: bindings(row)) }
            return database.totalChangesCount - before
        }
    }

    func forEach(_ sql: SQL, _ arguments: [SQLValue], _ body: (Storage.Row) throws -> Bool) throws {
        var thrownByBody: (any Error)?
        try translating(sql) {
            let statement = try prepared(sql)
            openCursors.append(sql)
            defer { openCursors.removeLast() }
            let cursor = try GRDB.Row.fetchCursor(statement, arguments: bindings(arguments))
            let reader = SQLiteColumnReader()
            while let row = try cursor.next() {
                reader.row = row
                do {
                    guard try body(Storage.Row(reader)) else { return }
                } catch {
                    thrownByBody = error
                    return
                }
            }
        }
        if let thrownByBody { throw thrownByBody }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        savepointDepth += 1
        defer { savepointDepth -= 1 }
        let name = "sb\(savepointDepth)"
        try raw("SAVEPOINT \(name)")
        let actionsBefore = commitActions.count
        do {
            let result = try body()
            try raw("RELEASE \(name)")
            return result
        } catch {
            commitActions.removeSubrange(actionsBefore...)
            // When the engine has already rolled the transaction back (disk full), there is no savepoint to return to.
            if database.isInsideTransaction {
                try raw("ROLLBACK TO \(name)")
                try raw("RELEASE \(name)")
            }
            throw error
        }
    }

    func afterCommit(_ action: @escaping @Sendable () -> Void) { commitActions.append(action) }

    /// A statement of the driver itself (BEGIN, COMMIT, SAVEPOINT).
    func raw(_ sql: String) throws {
        do { try database.execute(sql: sql) } catch let error as DatabaseError { throw SQLiteSession.translate(error) }
    }

    /// The statement from the connection's cache; a new one when its rows are just being read further out, because running
    /// it again would move that cursor.
    private func prepared(_ sql: SQL) throws -> Statement {
        let text = texts.numbered(sql)
        if !openCursors.isEmpty, openCursors.contains(sql) { return try database.makeStatement(sql: text) }
        return try database.cachedStatement(sql: text)
    }

    private func bindings(_ arguments: [SQLValue]) throws -> StatementArguments {
        StatementArguments(try arguments.map(Self.databaseValue))
    }

    /// - Throws: `StorageError.statement` for a text with NUL: SQLite would keep the part before it, PostgreSQL refuses it.
    private static func databaseValue(_ value: SQLValue) throws -> DatabaseValue {
        if case .text(let text) = value, text.utf8.contains(0) { throw StorageError(.statement, "a text holds NUL") }
        return switch value {
        case .null: .null
        case .int(let int): int.databaseValue
        case .double(let double): double.databaseValue
        case .text(let text): text.databaseValue
        case .bool(let bool): bool.databaseValue
        case .bytes(let bytes): Data(bytes).databaseValue
        }
    }

    private func translating<T>(_ sql: SQL, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DatabaseError { throw SQLiteSession.translate(error) }
    }

    /// SQLite's result codes as `StorageError`. The message names tables and columns; values are never part of it.
    static func translate(_ error: DatabaseError) -> StorageError {
        let detail = error.message ?? "result code \(error.extendedResultCode.rawValue)"
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            return StorageError(.uniqueViolation, detail)
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

/// Columns of GRDB's current row.
final class SQLiteColumnReader: ColumnReader {
    var row = GRDB.Row()
    func isNull(_ column: Int) -> Bool { row.hasNull(atIndex: column) }
    func int(_ column: Int) -> Int64 { row[column] as Int64? ?? 0 }
    func double(_ column: Int) -> Double { row[column] as Double? ?? 0 }
    func text(_ column: Int) -> String {
        if let text = row[column] as String? { return text }
        return ""
    }
    func bool(_ column: Int) -> Bool { row[column] as Bool? ?? false }
    func bytes(_ column: Int) -> [UInt8] { (try? row.withUnsafeData(atIndex: column) { $0.map { [UInt8]($0) } }) ?? [] }
    var columnCount: Int { row.count }
    func columnName(_ column: Int) -> String { Array(row.columnNames)[column] }
    func value(_ column: Int) -> SQLValue {
        let value: DatabaseValue = row[column]
        switch value.storage {
        case .null: return .null
        case .int64(let int): return .int(int)
        case .double(let double): return .double(double)
        case .string(let text): return .text(text)
        case .blob(let data): return .bytes([UInt8](data))
        }
    }
}
