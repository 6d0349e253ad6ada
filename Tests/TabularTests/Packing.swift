import CZlib

@testable import Tabular

/// Writes the containers that the tests read.
enum Packing {
    static func deflated(_ bytes: [UInt8], bits: Int32) -> [UInt8] {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        deflateInit2_(
            stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(stream) }
        var input = bytes
        let room = bytes.count + bytes.count / 100 + 1_000
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            input.withUnsafeMutableBufferPointer { source in
                stream.pointee.next_in = source.baseAddress
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(room)
                deflate(stream, Z_FINISH)
                count = room - Int(stream.pointee.avail_out)
            }
        }
    }

    static func gzip(_ bytes: [UInt8]) -> [UInt8] { deflated(bytes, bits: 31) }
    static func gzip(_ text: String) -> [UInt8] { gzip(Array(text.utf8)) }

    private static func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// - Parameter flags: 1 = encrypted.
    static func zip(_ files: [(String, [UInt8])], stored: Bool = false, flags: Int = 0) -> [UInt8] {
        var out: [UInt8] = [], directory: [UInt8] = []
        for (name, bytes) in files {
            let packed = stored ? bytes : deflated(bytes, bits: -15)
            let crc = bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
            let common =
                little(20, 2) + little(flags, 2) + little(stored ? 0 : 8, 2) + little(0, 4) + little(Int(crc), 4)
                + little(packed.count, 4) + little(bytes.count, 4) + little(name.utf8.count, 2) + little(0, 2)
            directory += little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 10) + little(out.count, 4)
            directory += Array(name.utf8)
            out += little(0x0403_4B50, 4) + common + Array(name.utf8) + packed
        }
        let at = out.count
        out += directory + little(0x0605_4B50, 4) + little(0, 4) + little(files.count, 2) + little(files.count, 2)
        return out + little(directory.count, 4) + little(at, 4) + little(0, 2)
    }

    struct Book {
        var sheets: [(name: String, rows: String)]
        var shared: [String] = []
        /// `<numFmts>` and `<cellXfs>`.
        var styles = ""
        var is1904 = false
        /// Behind `sheetData`.
        var tail = ""
    }

    static func parts(_ book: Book) -> [(String, [UInt8])] {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
        let sheets = book.sheets.enumerated().map {
            "<sheet name=\"\($0.element.name)\" sheetId=\"\($0.offset + 7)\" r:id=\"rId\($0.offset + 1)\"/>"
        }
        let workbook =
            head + "<workbook xmlns=\"\(main)\" xmlns:r=\"\(relations)\"><workbookPr date1904=\"\(book.is1904 ? 1 : 0)\"/>"
            + "<sheets>\(sheets.joined())</sheets></workbook>"
        let targets = book.sheets.indices.map {
            "<Relationship Id=\"rId\($0 + 1)\" Type=\"\(relations)/worksheet\" Target=\"worksheets/sheet\($0 + 1).xml\"/>"
        }
        var files: [(String, String)] = [
            ("[Content_Types].xml", head + "<Types/>"), ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", head + "<Relationships>\(targets.joined())</Relationships>"),
            ("xl/styles.xml", head + "<styleSheet xmlns=\"\(main)\">\(book.styles)</styleSheet>"),
            ("xl/sharedStrings.xml", head + "<sst>\(book.shared.map { "<si>\($0)</si>" }.joined())</sst>"),
        ]
        for (index, sheet) in book.sheets.enumerated() {
            files.append(
                (
                    "xl/worksheets/sheet\(index + 1).xml",
                    head + "<worksheet xmlns=\"\(main)\"><sheetData>\(sheet.rows)</sheetData>\(book.tail)</worksheet>"
                ))
        }
        return files.map { ($0.0, Array($0.1.utf8)) }
    }

    static func xlsx(_ book: Book, stored: Bool = false) -> [UInt8] { zip(parts(book), stored: stored) }
    static func workbook(_ rows: String, stored: Bool = false) -> [UInt8] {
        xlsx(Book(sheets: [("Sheet1", rows)]), stored: stored)
    }

    /// Rows of inline texts; nil is no cell.
    static func rows(_ table: [[String?]], from first: Int = 1) -> String {
        table.enumerated().map { offset, row in
            let cells = row.enumerated().compactMap { column, text in
                text.map {
                    "<c r=\"\(letters(column))\(offset + first)\" t=\"inlineStr\"><is><t xml:space=\"preserve\">\(escaped($0))</t></is></c>"
                }
            }
            return "<row r=\"\(offset + first)\">\(cells.joined())</row>"
        }.joined()
    }

    static func letters(_ column: Int) -> String {
        var rest = column + 1, name = ""
        while rest > 0 {
            name = String(UnicodeScalar(UInt8(65 + (rest - 1) % 26))) + name
            rest = (rest - 1) / 26
        }
        return name
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}

final class MemoryScratch: Scratch {
    private var bytes: [UInt8] = []
    func write(_ bytes: [UInt8]) { self.bytes += bytes }
    var source: ByteSource { ByteSource(bytes: bytes) }
}

/// A container read to its end: unpacked, then through the stream as every command does.
struct Unwrapped {
    var unpacked: Unpacked?
    var columns: [String] = []
    var rows: [[String]] = []
    var lines: [Int] = []
    var rejects: [Reject] = []

    init(
        _ bytes: [UInt8], name: String = "file", sheet: String? = nil, skipRows: Int? = nil, limits: ContainerLimits = ContainerLimits(),
        pieces: [Int] = [1 << 16]
    ) throws {
        var unpacker = Unpacker(name: name, sheet: sheet, skipRows: skipRows, scratch: { MemoryScratch() })
        unpacker.limits = limits
        var text: [UInt8] = []
        let packed = ByteSource(size: bytes.count) { source(Array(bytes.dropFirst($0)), pieces: pieces) }
        unpacked = try unpacker.unpack(packed) { text += $0 }
        var options = TabularOptions(name: name, onUndecodable: .reject)
        unpacked?.apply(to: &options)
        var reader = TabularReader(options: options, source: source(unpacked == nil ? bytes : text, pieces: pieces))
        while let event = try reader.next() {
            switch event {
            case .header, .lateColumns: break
            case .record(let record):
                rows.append(record.fields)
                lines.append(record.position.line)
            case .reject(let reject): rejects.append(reject)
            }
        }
        columns = reader.columns
    }
}

func code(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as ContainerError { return error.code } catch { return "\(error)" }
    return "none"
}
