import GRDB
import GRDBSQLite
import Kernel
import Storage

/// A statement that reads or changes rows, run through SQLite itself: to turn arguments and rows into GRDB's values and back
/// cost more than the look-ups a page consists of. Transactions and changes of the schema stay with GRDB, which follows them.
struct SQLiteStatement {
    private let handle: OpaquePointer
    let columns: SQLiteColumnReader

    init(_ statement: Statement) {
        handle = statement.sqliteStatement
        columns = SQLiteColumnReader(handle)
    }

    /// - Throws: `StorageError.statement` for another number of arguments than the text has places (a missing one would
    ///   silently be NULL), and for a text with NUL: SQLite would keep the part before it, PostgreSQL refuses it.
    func bind(_ arguments: [SQLValue]) throws {
        guard Int(sqlite3_bind_parameter_count(handle)) == arguments.count else {
            throw StorageError(.statement, "wrong number of statement arguments: \(arguments.count)")
        }
        for (offset, argument) in arguments.enumerated() {
            let code = try bind(argument, at: Int32(offset + 1))
            guard code == SQLITE_OK else { throw failure(code) }
        }
    }

    private func bind(_ value: SQLValue, at place: Int32) throws -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, place)
        case .int(let int): return sqlite3_bind_int64(handle, place, int)
        case .double(let double): return sqlite3_bind_double(handle, place, double)
        case .bool(let bool): return sqlite3_bind_int64(handle, place, bool ? 1 : 0)
        case .text(var text):
            if text.isEmpty { return sqlite3_bind_text(handle, place, "", 0, Self.copied) }
            return try text.withUTF8 { bytes in
                guard !bytes.contains(0) else { throw StorageError(.statement, "a text holds NUL") }
                return bytes.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text(handle, place, $0.baseAddress, Int32(bytes.count), Self.copied)
                }
            }
        case .bytes(let bytes):
            if bytes.isEmpty { return sqlite3_bind_zeroblob(handle, place, 0) }
            return sqlite3_bind_blob(handle, place, bytes, Int32(bytes.count), Self.copied)
        }
    }

    /// SQLITE_TRANSIENT: the engine keeps a copy of its own.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Whether there is a (next) row.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        // Who waited for it has gone.
        case SQLITE_INTERRUPT: throw CancellationError()
        case let code: throw failure(code)
        }
    }

    /// Ready for another row of arguments.
    func reset() { sqlite3_reset(handle) }

    /// Lets go of the snapshot and the values.
    func end() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: sqlite3_db_handle(handle).flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) })
    }
}

/// Columns of the current row; a column of another type is read as SQLite converts it.
final class SQLiteColumnReader: ColumnReader {
    private let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(handle, Int32(column)) == SQLITE_NULL }
    func int(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(column)) }
    func double(_ column: Int) -> Double { sqlite3_column_double(handle, Int32(column)) }
    func bool(_ column: Int) -> Bool { int(column) != 0 }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(handle, Int32(column)) else { return "" }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column))))
        return String(decoding: bytes, as: UTF8.self)
    }

    func bytes(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, Int32(column)) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    var columnCount: Int { Int(sqlite3_column_count(handle)) }
    func columnName(_ column: Int) -> String {
        sqlite3_column_name(handle, Int32(column)).map { String(cString: $0) } ?? ""
    }

    func value(_ column: Int) -> SQLValue {
        switch sqlite3_column_type(handle, Int32(column)) {
        case SQLITE_INTEGER: .int(int(column))
        case SQLITE_FLOAT: .double(double(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .bytes(bytes(column))
        default: .null
        }
    }
}

/// One state of the database for all that a reader asks. GRDB's own would follow a transaction in which nothing can change.
enum SQLiteSnapshot {
    static func within<T>(_ database: GRDB.Database, _ body: () throws -> T) throws -> T {
        guard let connection = database.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
        let code = sqlite3_exec(connection, "BEGIN DEFERRED", nil, nil, nil)
        guard code == SQLITE_OK else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code), message: sqlite3_errmsg(connection).map { String(cString: $0) })
        }
        defer {
            // A caller who has gone may interrupt the first, and the reader must not keep an old state.
            if sqlite3_exec(connection, "COMMIT", nil, nil, nil) != SQLITE_OK {
                sqlite3_exec(connection, "ROLLBACK", nil, nil, nil)
            }
        }
        return try body()
    }
}
