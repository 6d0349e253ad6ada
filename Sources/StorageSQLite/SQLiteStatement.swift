import Foundation
import GRDB
import GRDBSQLite
import Kernel
import Storage
import Synchronization

/// A statement that reads or changes rows, run through SQLite itself: to turn arguments and rows into GRDB's values and back
/// cost more than the look-ups a page consists of. Transactions and changes of the schema stay with GRDB, which follows them.
final class SQLiteStatement {
    /// Keeps the handle.
    private let owner: Statement
    private let handle: OpaquePointer
    let columns: SQLiteColumnReader
    /// Where the engine reads texts and blobs until others are bound.
    private let values = ValueBlock()

    init(_ statement: Statement) {
        owner = statement
        handle = statement.sqliteStatement
        columns = SQLiteColumnReader(handle)
    }

    /// - Throws: `StorageError.statement` for another number of arguments than the text has places (a missing one would
    ///   silently be NULL), and for a text with NUL: SQLite would keep the part before it, PostgreSQL refuses it.
    func bind(_ arguments: [SQLValue]) throws { try bind(CollectionOfOne(arguments)) }

    /// The arguments of several rows of one width, for a text with places for all of them.
    func bind(_ rows: some Collection<[SQLValue]>) throws {
        let width = rows.first?.count ?? 0
        var count = 0
        var size = 0
        for row in rows {
            guard row.count == width else { throw StorageError(.statement, "rows of \(width) and of \(row.count) values") }
            count += width
            for value in row { size += Self.size(value) }
        }
        guard Int(sqlite3_bind_parameter_count(handle)) == count else {
            throw StorageError(.statement, "wrong number of statement arguments: \(count)")
        }
        var free = try values.room(size)
        var place: Int32 = 0
        for row in rows {
            for value in row {
                place += 1
                let code = try bind(value, at: place, &free)
                guard code == SQLITE_OK else { throw failure(code) }
            }
        }
    }

    /// Bytes that a value needs in the block; one for an empty one, which without an address would be NULL.
    private static func size(_ value: SQLValue) -> Int {
        switch value {
        case .text(let text): max(1, text.utf8.count)
        case .bytes(let bytes): max(1, bytes.count)
        default: 0
        }
    }

    private func bind(_ value: SQLValue, at place: Int32, _ free: inout UnsafeMutableRawPointer) throws -> Int32 {
        func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer {
            let start = free
            if let source = bytes.baseAddress { start.copyMemory(from: source, byteCount: bytes.count) }
            free += max(1, bytes.count)
            return start
        }
        switch value {
        case .null: return sqlite3_bind_null(handle, place)
        case .int(let int): return sqlite3_bind_int64(handle, place, int)
        case .double(let double): return sqlite3_bind_double(handle, place, double)
        case .bool(let bool): return sqlite3_bind_int64(handle, place, bool ? 1 : 0)
        case .text(var text):
            return try text.withUTF8 { bytes in
                if let first = bytes.baseAddress, memchr(first, 0, bytes.count) != nil {
                    throw StorageError(.statement, "a text holds NUL")
                }
                let start = copy(UnsafeRawBufferPointer(bytes)).assumingMemoryBound(to: CChar.self)
                return sqlite3_bind_text(handle, place, start, Int32(bytes.count), nil)
            }
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { bytes in
                sqlite3_bind_blob(handle, place, copy(bytes), Int32(bytes.count), nil)
            }
        }
    }

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
        values.shrink()
    }

    private func failure(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: sqlite3_db_handle(handle).flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) })
    }
}

/// Texts and blobs of one statement side by side: a block of its own for each was a twentieth of an import's work.
private final class ValueBlock {
    private static let keptMax = 65_536
    private var start: UnsafeMutableRawPointer?
    private var size = 0

    deinit { free(start) }

    /// Room for so many bytes; what was there before is gone.
    func room(_ wanted: Int) throws -> UnsafeMutableRawPointer {
        if let start, wanted <= size { return start }
        free(start)
        (start, size) = (nil, 0)
        guard let made = malloc(max(256, wanted)) else { throw StorageError(.other, "no memory") }
        (start, size) = (made, max(256, wanted))
        return made
    }

    /// Keeps no more than most statements need. Nothing may be bound any more.
    func shrink() {
        guard size > Self.keptMax else { return }
        free(start)
        (start, size) = (nil, 0)
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

/// The statements of one connection, compiled once. Who has the connection has them too, so no lock is needed: one that all
/// readers shared, asked for each of a page's forty statements, held up every page while its holder had no core.
final class ConnectionStatements: @unchecked Sendable {
    /// Also keeps the connection, so that no other one is taken for it.
    private let database: GRDB.Database
    private var known: [SQL: SQLiteStatement] = [:]

    init(_ database: GRDB.Database) { self.database = database }

    /// - Parameter isOpen: its rows are just being read further out; to run it again would move them, so it is compiled anew.
    func statement(_ sql: SQL, isOpen: Bool) throws -> SQLiteStatement {
        if !isOpen, let statement = known[sql] { return statement }
        let statement = SQLiteStatement(try database.makeStatement(sql: StatementTexts.numbered(sql.text)))
        if !isOpen {
            // Built statements (optional filters, lists) come in many lengths.
            if known.count >= 500 { known = [:] }
            known[sql] = statement
        }
        return statement
    }

    private enum Verb: String { case select, insert, update, delete, replace, with }

    /// Whether it works on rows, not on the schema or the connection.
    func changesRows(_ sql: SQL) -> Bool {
        if known[sql] != nil { return true }
        let word = sql.text.utf8.drop { $0 == 32 || $0 == 10 || $0 == 9 }.prefix { ($0 | 32) >= 97 && ($0 | 32) <= 122 }
        return Verb(rawValue: String(Substring(word)).lowercased()) != nil
    }
}

/// The statements of all connections of a database.
final class StatementCaches: Sendable {
    private struct State {
        var caches: [ObjectIdentifier: ConnectionStatements] = [:]
        var isClosed = false
    }
    private let state = Mutex(State())

    /// To be called by who has the connection.
    func of(_ database: GRDB.Database) -> ConnectionStatements {
        state.withLock { state in
            if let cache = state.caches[ObjectIdentifier(database)] { return cache }
            let cache = ConnectionStatements(database)
            if !state.isClosed { state.caches[ObjectIdentifier(database)] = cache }
            return cache
        }
    }

    /// To be called while no connection is in use.
    func close() {
        state.withLock { state in
            state.caches = [:]
            state.isClosed = true
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

/// Ends what a connection just does when whoever waits for it has gone.
final class SQLiteInterruption: Sendable {
    private struct State {
        var connection: UInt?
        var isDue = false
    }
    private let state = Mutex(State())

    func covering<T>(_ database: GRDB.Database, _ body: () throws -> T) throws -> T {
        let isDue = state.withLock { state in
            state.connection = database.sqliteConnection.map { UInt(bitPattern: $0) }
            return state.isDue
        }
        if isDue { throw CancellationError() }
        // From here on the connection is another reader's.
        defer { state.withLock { $0.connection = nil } }
        return try body()
    }

    func now() {
        state.withLock { state in
            state.isDue = true
            if let connection = state.connection { sqlite3_interrupt(OpaquePointer(bitPattern: connection)) }
        }
    }
}
