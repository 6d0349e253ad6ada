import Storage

/// Values in the text format of the protocol; the server infers their types from the statement.
enum ParameterText {
    /// - Throws: `StorageError.statement` for a text with NUL, which PostgreSQL does not store.
    static func of(_ value: SQLValue) throws -> String? {
        switch value {
        case .null: return nil
        case .int(let int): return String(int)
        case .double(let double):
            if double.isNaN { return "NaN" }
            if double.isInfinite { return double < 0 ? "-Infinity" : "Infinity" }
            return "\(double)"
        case .bool(let bool): return bool ? "t" : "f"
        case .text(let text):
            var native = text
            guard !native.withUTF8({ $0.contains(0) }) else { throw StorageError(.statement, "a text holds NUL") }
            return text
        case .bytes(let bytes):
            var text: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "x")]
            text.reserveCapacity(2 + bytes.count * 2)
            for byte in bytes {
                for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? 48 + digit : 87 + digit) }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}

/// The lines of rows, in pieces of about 64 KB.
final class CopyPieces {
    private let rows: [[SQLValue]]
    private var place = 0
    private static let bytesMin = 65_536
    init(_ rows: [[SQLValue]]) { self.rows = rows }

    /// Empty at the end.
    func next() throws -> [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(place < rows.count ? Self.bytesMin + 1_024 : 0)
        while place < rows.count, buffer.count < Self.bytesMin {
            try CopyText.append(rows[place], to: &buffer)
            place += 1
        }
        return buffer
    }
}

/// Lines of COPY's text format: tab between columns, `\\N` for NULL, backslash before what would end a field.
enum CopyText {
    static func append(_ row: [SQLValue], to buffer: inout [UInt8]) throws {
        for (offset, value) in row.enumerated() {
            if offset > 0 { buffer.append(9) }
            switch value {
            case .text(let text): try append(text, to: &buffer)
            case .int(let int): append(int, to: &buffer)
            case .bytes(let bytes): append(bytes, to: &buffer)
            default:
                guard let text = try ParameterText.of(value) else {
                    buffer.append(92)
                    buffer.append(78)
                    continue
                }
                try append(text, to: &buffer)
            }
        }
        buffer.append(10)
    }

    /// Nearly every text goes as it is: whole pieces are moved, not bytes.
    private static func append(_ text: String, to buffer: inout [UInt8]) throws {
        var text = text
        try text.withUTF8 { bytes in
            guard bytes.contains(where: { $0 == 92 || $0 < 14 }) else { return buffer.append(contentsOf: bytes) }
            for byte in bytes {
                switch byte {
                case 0: throw StorageError(.statement, "a text holds NUL")
                case 9: buffer += [92, 116]
                case 10: buffer += [92, 110]
                case 13: buffer += [92, 114]
                case 92: buffer += [92, 92]
                default: buffer.append(byte)
                }
            }
        }
    }

    /// Two backslashes, an x, and two digits a byte; blocks of ids are megabytes, so no text is made of them first.
    private static func append(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        buffer += [92, 92, 120]
        buffer.reserveCapacity(buffer.count + bytes.count * 2)
        for byte in bytes {
            buffer.append(digits[Int(byte >> 4)])
            buffer.append(digits[Int(byte & 15)])
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func append(_ int: Int64, to buffer: inout [UInt8]) {
        if int < 0 { buffer.append(45) }
        var rest = int.magnitude
        let start = buffer.count
        repeat {
            buffer.append(48 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        buffer[start...].reverse()
    }
}
