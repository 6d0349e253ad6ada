/// What a person should know of a sheet beside its rows.
package struct SheetSummary: Sendable, Codable, Equatable {
    /// Rows with at least one value; the header is one of them.
    package internal(set) var rows = 0
    package internal(set) var mergedRanges = 0
    /// Formulas without a stored result: the program that wrote the file never calculated them.
    package internal(set) var emptyFormulas = 0
    /// Rows from the first one that stand above the heading: a title, or as many as somebody asked to skip.
    package internal(set) var skipped: Int?
    /// What was found in the skipped rows by itself, a cell each; empty when somebody asked.
    package internal(set) var titles: [String]?
    /// Numbers of more than 15 digits: a spreadsheet keeps 15 of them.
    package internal(set) var longNumbers: Int?
    /// Where the first of them stands: `B7`.
    package internal(set) var longNumberAt: String?
}

/// Reads the rows of a worksheet as a stream.
struct SheetReader {
    private static let columnsMax = 16_384, rowsMax = 1_048_576

    private var xml: XMLScanner
    private let name: String
    private let formats: [CellFormat]
    private let shared: SharedStrings
    private let is1904: Bool
    private var writer: SheetWriter
    private var summary = SheetSummary()
    private var row = 0, column = 0

    init(
        _ xml: XMLScanner, _ name: String, formats: [CellFormat], shared: SharedStrings, is1904: Bool,
        _ writer: SheetWriter
    ) {
        self.xml = xml
        self.name = name
        self.formats = formats
        self.shared = shared
        self.is1904 = is1904
        self.writer = writer
    }

    mutating func read() throws -> SheetSummary {
        while true {
            switch try xml.next() {
            case .start:
                if xml.nameIs("row") { try readRow() } else if xml.nameIs("mergeCell") { summary.mergedRanges += 1 }
            case .eof:
                try writer.finish()
                summary.rows = writer.rows
                (summary.skipped, summary.titles) = (writer.skipped, writer.titles)
                return summary
            case .end, .text: break
            }
        }
    }

    private func bad(_ en: String, _ zh: String) -> ContainerError {
        .damagedZip("sheet “\(name)”, row \(row): \(en)", "工作表“\(name)”第 \(row) 行：\(zh)")
    }

    private mutating func readRow() throws {
        let number = try xml.number("r") ?? row + 1
        guard number > row, number <= Self.rowsMax else { throw bad("the next row is number \(number)", "下一行编号为 \(number)") }
        row = number
        column = 0
        writer.begin(row)
        while true {
            switch try xml.next() {
            case .start: if xml.nameIs("c") { try readCell() }
            case .end: if xml.nameIs("row") { return try writer.end() }
            case .eof: return
            case .text: break
            }
        }
    }

    private enum Kind { case number, shared, text, boolean, error, date }

    private mutating func readCell() throws {
        column = try xml.attribute("r").map { try columnNumber($0) } ?? column + 1
        var kind = Kind.number, format = CellFormat.general
        if let type = xml.attribute("t") {
            if xml.matches(type, "s") {
                kind = .shared
            } else if xml.matches(type, "str") || xml.matches(type, "inlineStr") {
                kind = .text
            } else if xml.matches(type, "b") {
                kind = .boolean
            } else if xml.matches(type, "e") {
                kind = .error
            } else if xml.matches(type, "d") {
                kind = .date
            }
        }
        if kind == .number, let style = xml.attribute("s") {
            let index = try digits(style)
            if formats.indices.contains(index) { format = formats[index] }
        }
        var text: [UInt8] = [], takes = false, hasFormula = false, hasValue = false, phonetic = 0
        while true {
            switch try xml.next() {
            case .start:
                if xml.nameIs("v") || (xml.nameIs("t") && phonetic == 0) {
                    takes = true
                    hasValue = true
                } else if xml.nameIs("f") {
                    hasFormula = true
                } else if xml.nameIs("rPh") {
                    phonetic += 1
                }
            case .text:
                if takes { text += xml.text }
                guard text.count <= OfficeText.bytesMax else { throw OfficeText.tooLong }
            case .end:
                takes = false
                if xml.nameIs("rPh") { phonetic -= 1 }
                guard xml.nameIs("c") else { continue }
                if hasFormula, !hasValue { summary.emptyFormulas += 1 }
                return try add(text, kind, format)
            case .eof: return
            }
        }
    }

    private mutating func add(_ text: [UInt8], _ kind: Kind, _ format: CellFormat) throws {
        guard !text.isEmpty else { return }
        switch kind {
        case .shared:
            guard let index = Int(String(decoding: text, as: UTF8.self)), let found = shared[index] else {
                throw bad("a cell refers to a text that is not there", "单元格引用了不存在的文本")
            }
            writer.add(column, found)
        case .text: writer.add(column, OfficeText.unescaped(text)[...])
        case .boolean: writer.add(column, Array((text == [Ascii.zero] ? "FALSE" : "TRUE").utf8)[...])
        case .error: writer.add(column, text[...])
        case .date:
            // `2024-03-05T00:00:00.000`: midnight is a date alone.
            let word = String(decoding: text, as: UTF8.self)
            let day = word.hasSuffix("T00:00:00") || word.hasSuffix("T00:00:00.000") ? String(word.prefix(10)) : word
            writer.add(column, Array(day.utf8)[...])
        case .number:
            if format == .general, text.count <= 15, text.allSatisfy(Ascii.isDigit) {
                writer.add(column, text[...])
            } else if let damaged = format.withLostDigits(String(decoding: text, as: UTF8.self)) {
                summary.longNumbers = (summary.longNumbers ?? 0) + 1
                if summary.longNumberAt == nil { summary.longNumberAt = Self.letters(column) + "\(row)" }
                writer.add(column, Array(damaged.utf8)[...])
            } else {
                writer.add(column, Array(format.text(String(decoding: text, as: UTF8.self), is1904: is1904).utf8)[...])
            }
        }
    }

    /// 28 -> `AB`.
    private static func letters(_ column: Int) -> String {
        var rest = column, text = ""
        while rest > 0 {
            text = String(UnicodeScalar(UInt8(65 + (rest - 1) % 26))) + text
            rest = (rest - 1) / 26
        }
        return text
    }

    private func digits(_ range: Range<Int>) throws -> Int {
        var value = 0
        for byte in xml.buffer[range] {
            guard Ascii.isDigit(byte), value < 1_000_000 else { return -1 }
            value = value * 10 + Int(byte - Ascii.zero)
        }
        return value
    }

    /// `BC12` -> 55.
    private func columnNumber(_ range: Range<Int>) throws -> Int {
        var value = 0
        for byte in xml.buffer[range] {
            guard Ascii.isLetter(byte) else { break }
            value = value * 26 + Int((byte & 0xDF) - 0x40)
            guard value <= Self.columnsMax else { break }
        }
        guard value > column, value <= Self.columnsMax else {
            throw bad("a cell stands at a place that cannot be", "单元格位置无效")
        }
        return value
    }
}

/// Writes rows as CSV of one width. The first rows are held back to find it; a later row that is wider comes out wider
/// and is refused by itself.
struct SheetWriter {
    private static let heldRowsMax = 1_000, heldBytesMax = 16 << 20

    /// More rows of a single cell than this are not a title but a list.
    private static let titlesMax = 5
    /// So many cells tell that a row is a heading and not a second line of the title.
    private static let headingCells = 3

    private(set) var rows = 0
    private(set) var skipped: Int?
    private(set) var titles: [String]?
    private let rowsMin: Int
    /// Rows from the first one that are not read; `nil` = a title is looked for.
    private let skip: Int?
    private let sink: ([UInt8]) throws -> Void
    private var held: [(number: Int, cells: [(column: Int, text: [UInt8])])] = []
    private var heldBytes = 0
    private var number = 0, cells: [(column: Int, text: [UInt8])] = []
    private var width: Int?
    private var out: [UInt8] = []

    /// - Parameter rowsMin: with fewer rows nothing is written.
    init(rowsMin: Int, skip: Int? = nil, _ sink: @escaping ([UInt8]) throws -> Void) {
        self.rowsMin = rowsMin
        self.skip = skip
        if let skip, skip > 0 { skipped = skip }
        self.sink = sink
    }

    mutating func begin(_ row: Int) {
        number = row
        cells.removeAll(keepingCapacity: true)
    }

    mutating func add(_ column: Int, _ text: ArraySlice<UInt8>) {
        guard text.contains(where: { $0 != Ascii.space }) else { return }
        cells.append((column, Array(text)))
    }

    mutating func end() throws {
        guard !cells.isEmpty, number > skip ?? 0 else { return }
        rows += 1
        if width != nil { return try write(number, cells) }
        held.append((number, cells))
        heldBytes += cells.reduce(64) { $0 + $1.text.count + 32 }
        if held.count >= Self.heldRowsMax || heldBytes > Self.heldBytesMax {
            dropTitle()
            try release()
        }
    }

    /// Rows of one cell above a row of many and another one of at least two: a title, as people write it above a table.
    /// Rows of two cells (`制表` `王伟`) too, where what follows is certainly a heading: words alone above a row with figures.
    private mutating func dropTitle() {
        guard skip == nil, skipped == nil else { return }
        var count = held.prefix { $0.cells.count == 1 }.count
        if !isTitle(count) {
            count = held.prefix { $0.cells.count <= 2 }.count
            func hasDigit(_ place: Int) -> Bool { held[place].cells.contains { $0.text.contains { (48...57).contains($0) } } }
            guard isTitle(count), !hasDigit(count), hasDigit(count + 1), held[count + 1].cells.count >= Self.headingCells else { return }
        }
        titles = held[..<count].map { String(decoding: $0.cells[0].text.prefix(200), as: UTF8.self) }
        skipped = held[count - 1].number
        rows -= count
        held.removeFirst(count)
    }

    private func isTitle(_ count: Int) -> Bool {
        (1...Self.titlesMax).contains(count) && held.count > count + 1 && held[count].cells.count >= Self.headingCells
            && held[count + 1].cells.count >= 2
    }

    mutating func finish() throws {
        if width == nil { dropTitle() }
        if width == nil, rows >= rowsMin { try release() }
        if !out.isEmpty { try sink(out) }
        out = []
    }

    private mutating func release() throws {
        width = held.compactMap(\.cells.last?.column).max() ?? 0
        for (index, row) in held.enumerated() {
            if index == 0 { out += Placed.column.utf8 } else { out += String(row.number).utf8 }
            try write(nil, row.cells)
        }
        held = []
    }

    /// - Parameter row: nil when the first field is written already.
    private mutating func write(_ row: Int?, _ cells: [(column: Int, text: [UInt8])]) throws {
        if let row { out += String(row).utf8 }
        var at = 0
        for cell in cells {
            while at < cell.column {
                out.append(Ascii.comma)
                at += 1
            }
            Self.append(cell.text, to: &out)
        }
        while at < width ?? 0 {
            out.append(Ascii.comma)
            at += 1
        }
        out.append(Ascii.lf)
        if out.count > 1 << 18 {
            try sink(out)
            out.removeAll(keepingCapacity: true)
        }
    }

    private static func append(_ text: [UInt8], to out: inout [UInt8]) {
        let isPlain = text.withUnsafeBufferPointer { bytes in
            for byte in bytes where byte == Ascii.comma || byte == Ascii.quote || byte == Ascii.lf || byte == Ascii.cr {
                return false
            }
            return bytes.first != Ascii.space && bytes.last != Ascii.space
        }
        guard !isPlain else { return out += text }
        out.append(Ascii.quote)
        for byte in text {
            if byte == Ascii.quote { out.append(Ascii.quote) }
            out.append(byte)
        }
        out.append(Ascii.quote)
    }
}
