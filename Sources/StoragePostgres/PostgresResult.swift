import CLibPQ
import Storage

/// A result of libpq, freed with this object. Values are in the text format.
final class PostgresResult {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { PQclear(pointer) }

    var status: ExecStatusType { PQresultStatus(pointer) }
    var rows: Int32 { PQntuples(pointer) }
    /// Rows an INSERT, UPDATE, DELETE or COPY changed; 0 for others.
    var affected: Int { PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0 }
    /// Whether the statement was one that changes rows; a SELECT reports rows too.
    var isChange: Bool {
        guard let tag = PQcmdStatus(pointer) else { return false }
        let first = UInt8(bitPattern: tag.pointee)
        // INSERT, UPDATE, DELETE
        return first == UInt8(ascii: "I") || first == UInt8(ascii: "U") || first == UInt8(ascii: "D")
    }
}

/// Columns of one row of a result. PostgreSQL's SUM over BIGINT and AVG are NUMERIC: numbers are read from their text,
/// whatever the type.
class PostgresColumnReader: ColumnReader {
    fileprivate let result: PostgresResult
    var row: Int32 = 0
    init(_ result: PostgresResult) { self.result = result }

    private enum Oid {
        static let bool: UInt32 = 16
        static let bytea: UInt32 = 17
        static let int8: UInt32 = 20
        static let int2: UInt32 = 21
        static let int4: UInt32 = 23
        static let oid: UInt32 = 26
        static let float4: UInt32 = 700
        static let float8: UInt32 = 701
        static let numeric: UInt32 = 1_700
    }

    fileprivate func bytesOf(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        guard let start = PQgetvalue(result.pointer, row, Int32(column)) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        let count = Int(PQgetlength(result.pointer, row, Int32(column)))
        return start.withMemoryRebound(to: UInt8.self, capacity: count) { UnsafeBufferPointer(start: $0, count: count) }
    }

    var columnCount: Int { Int(PQnfields(result.pointer)) }
    func columnName(_ column: Int) -> String {
        PQfname(result.pointer, Int32(column)).map { String(cString: $0) } ?? ""
    }
    func isNull(_ column: Int) -> Bool { PQgetisnull(result.pointer, row, Int32(column)) == 1 }

    func int(_ column: Int) -> Int64 {
        let bytes = bytesOf(column)
        guard let first = bytes.first else { return 0 }
        var value: Int64 = 0
        let negative = first == UInt8(ascii: "-")
        for byte in bytes.dropFirst(negative ? 1 : 0) {
            guard byte >= 48, byte <= 57 else {
                // A boolean, or a number with a fraction: as SQLite reads it.
                if byte == UInt8(ascii: "t"), bytes.count == 1 { return 1 }
                return Int64(exactly: double(column).rounded(.towardZero)) ?? 0
            }
            let digit = Int64(byte - 48)
            let (times, over) = value.multipliedReportingOverflow(by: 10)
            let (next, more) =
                negative ? times.subtractingReportingOverflow(digit) : times.addingReportingOverflow(digit)
            guard !over, !more else { return negative ? .min : .max }
            value = next
        }
        return value
    }

    func double(_ column: Int) -> Double { Double(String(decoding: bytesOf(column), as: UTF8.self)) ?? 0 }
    func text(_ column: Int) -> String {
        let text = String(decoding: bytesOf(column), as: UTF8.self)
        guard PQftype(result.pointer, Int32(column)) == Oid.bool else { return text }
        return text == "t" ? "1" : "0"
    }
    func bool(_ column: Int) -> Bool {
        let bytes = bytesOf(column)
        return bytes.count == 1 ? bytes[0] == UInt8(ascii: "t") || bytes[0] == UInt8(ascii: "1") : false
    }

    /// BYTEA arrives as `\x` and hexadecimal digits.
    func bytes(_ column: Int) -> [UInt8] {
        let bytes = bytesOf(column)
        guard PQftype(result.pointer, Int32(column)) == Oid.bytea else { return Array(bytes) }
        func digit(_ byte: UInt8) -> UInt8 { byte <= 57 ? byte &- 48 : byte &- 87 }
        return stride(from: 2, to: bytes.count - 1, by: 2).map { digit(bytes[$0]) << 4 | digit(bytes[$0 + 1]) }
    }

    func value(_ column: Int) -> SQLValue {
        if isNull(column) { return .null }
        switch PQftype(result.pointer, Int32(column)) {
        case Oid.bool: return .bool(bool(column))
        case Oid.int2, Oid.int4, Oid.int8, Oid.oid: return .int(int(column))
        case Oid.float4, Oid.float8: return .double(double(column))
        case Oid.numeric:
            let isWhole = !bytesOf(column).contains(UInt8(ascii: "."))
            return isWhole ? .int(int(column)) : .double(double(column))
        case Oid.bytea: return .bytes(bytes(column))
        default: return .text(text(column))
        }
    }
}

/// Columns of one line of COPY's text format. Their names and types come from the description of the statement.
final class PostgresLineReader: PostgresColumnReader {
    /// The line with its escapes resolved; fields follow each other. Grows to the longest line.
    private var line = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 4_096)
    /// Where each field ends.
    private var ends: [Int] = []
    private var nulls: [Bool] = []

    deinit { line.deallocate() }

    /// - Throws: `StorageError` when the line has another number of fields than the statement has columns.
    func read(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        ends.removeAll(keepingCapacity: true)
        nulls.removeAll(keepingCapacity: true)
        if bytes.count > line.count {
            line.deallocate()
            line = .allocate(capacity: bytes.count * 2)
        }
        var (isNull, place, length) = (false, 0, 0)
        func end() {
            ends.append(length)
            nulls.append(isNull)
            isNull = false
        }
        while place < bytes.count {
            var byte = bytes[place]
            place += 1
            if byte == 9 {
                end()
                continue
            }
            if byte == 92, place < bytes.count {
                byte = bytes[place]
                place += 1
                if byte == UInt8(ascii: "N") {
                    isNull = true
                    continue
                }
                byte = Self.meaning(byte)
            }
            line[length] = byte
            length += 1
        }
        end()
        // A statement without columns has lines without fields.
        guard ends.count == columnCount || columnCount == 0 else {
            throw StorageError(.other, "a line of COPY has \(ends.count) fields for \(columnCount) columns")
        }
    }

    private static func meaning(_ escaped: UInt8) -> UInt8 {
        switch escaped {
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "v"): 11
        default: escaped
        }
    }

    override func isNull(_ column: Int) -> Bool { nulls[column] }

    override fileprivate func bytesOf(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: line[(column > 0 ? ends[column - 1] : 0)..<ends[column]])
    }
}
