/// An Excel workbook (ECMA-376, transitional and strict): its sheets, texts and formats. The sheets are read as streams.
struct Workbook {
    struct Sheet {
        let name: String
        let entry: String
    }

    let sheets: [Sheet]
    let is1904: Bool
    private let archive: ZipArchive
    private let formats: [CellFormat]
    private let shared: SharedStrings

    static func isWorkbook(_ archive: ZipArchive) -> Bool { archive.entry("xl/workbook.xml") != nil }

    init(_ archive: ZipArchive, _ limits: ContainerLimits) throws {
        self.archive = archive
        var is1904 = false
        var listed: [(name: String, id: String)] = []
        try Self.each(archive, "xl/workbook.xml") { xml in
            if xml.nameIs("workbookPr"), let value = xml.attribute("date1904") {
                is1904 = xml.matches(value, "1") || xml.matches(value, "true")
            } else if xml.nameIs("sheet"), let name = xml.attribute("name") {
                // `r:id`, its prefix dropped; `sheetId` is another attribute.
                let id = try xml.attribute("id").map { try xml.string($0) } ?? ""
                listed.append((try xml.string(name), id))
            }
        }
        var targets: [String: String] = [:], texts = "xl/sharedStrings.xml", styles = "xl/styles.xml"
        try Self.each(archive, "xl/_rels/workbook.xml.rels") { xml in
            guard xml.nameIs("Relationship"), let id = xml.attribute("Id"), let target = xml.attribute("Target") else {
                return
            }
            let path = Self.resolved(try xml.string(target))
            targets[try xml.string(id)] = path
            let type = try xml.attribute("Type").map { try xml.string($0) } ?? ""
            if type.hasSuffix("/sharedStrings") { texts = path }
            if type.hasSuffix("/styles") { styles = path }
        }
        self.is1904 = is1904
        // What is not a worksheet (a chart, a dialogue) has no cells.
        sheets = listed.compactMap { sheet in
            let path = targets[sheet.id] ?? ""
            guard !path.contains("chartsheets/"), !path.contains("dialogsheets/"), archive.entry(path) != nil else {
                return nil
            }
            return Sheet(name: sheet.name, entry: path)
        }
        formats = try Self.formats(archive, styles)
        shared = try SharedStrings(archive, texts, limits)
        guard !sheets.isEmpty else {
            throw ContainerError.damagedZip("the workbook lists no sheet", "工作簿中没有工作表")
        }
    }

    /// Writes the rows of a sheet as CSV, each with its row number; empty rows are left out.
    /// - Parameters:
    ///   - rowsMin: a sheet with fewer rows writes nothing.
    ///   - skip: rows from the first one that are left out; `nil` = those of a title.
    func write(
        _ sheet: Sheet, rowsMin: Int, skip: Int? = nil, into sink: @escaping ([UInt8]) throws -> Void
    ) throws -> SheetSummary {
        guard let entry = archive.entry(sheet.entry) else { throw ContainerError.noSheets }
        var reader = SheetReader(
            XMLScanner(try archive.open(entry)), sheet.name, formats: formats, shared: shared, is1904: is1904,
            SheetWriter(rowsMin: rowsMin, skip: skip, sink))
        return try reader.read()
    }

    private static func resolved(_ target: String) -> String {
        if target.hasPrefix("/") { return String(target.dropFirst()) }
        var parts = ["xl"]
        for part in target.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    private static func each(_ archive: ZipArchive, _ name: String, _ body: (XMLScanner) throws -> Void) throws {
        guard let entry = archive.entry(name) else { return }
        var xml = XMLScanner(try archive.open(entry))
        while true {
            switch try xml.next() {
            case .start: try body(xml)
            case .eof: return
            case .end, .text: break
            }
        }
    }

    private static func formats(_ archive: ZipArchive, _ name: String) throws -> [CellFormat] {
        var own: [Int: CellFormat] = [:], formats: [CellFormat] = [], isInCells = false
        try each(archive, name) { xml in
            if xml.nameIs("numFmt"), let id = try xml.number("numFmtId"), let code = xml.attribute("formatCode") {
                own[id] = CellFormat(code: try xml.string(code))
            } else if xml.nameIs("cellXfs") {
                isInCells = true
            } else if xml.nameIs("cellStyles") || xml.nameIs("dxfs") {
                isInCells = false
            } else if isInCells, xml.nameIs("xf"), formats.count < 70_000 {
                let id = try xml.number("numFmtId") ?? 0
                formats.append(own[id] ?? CellFormat(builtIn: id))
            }
        }
        return formats
    }
}

extension XMLScanner {
    func number(_ word: StaticString) throws -> Int? {
        try attribute(word).flatMap { Int(try string($0)) }
    }
}

/// The texts that cells refer to by number, one behind the other.
struct SharedStrings {
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = [0]

    init(_ archive: ZipArchive, _ name: String, _ limits: ContainerLimits) throws {
        guard let entry = archive.entry(name) else { return }
        let sizeMax = min(limits.sharedStringBytesMax, Int(UInt32.max))
        var xml = XMLScanner(try archive.open(entry))
        var isInText = false, phonetic = 0
        var text: [UInt8] = []
        while true {
            switch try xml.next() {
            case .start:
                if xml.nameIs("t") { isInText = phonetic == 0 } else if xml.nameIs("rPh") { phonetic += 1 }
            case .text:
                if isInText { text += xml.text }
                guard text.count <= OfficeText.bytesMax else { throw OfficeText.tooLong }
            case .end:
                if xml.nameIs("t") {
                    isInText = false
                } else if xml.nameIs("rPh") {
                    phonetic -= 1
                } else if xml.nameIs("si") {
                    bytes += OfficeText.unescaped(text)
                    text.removeAll(keepingCapacity: true)
                    guard bytes.count < sizeMax, ends.count < 50_000_000 else {
                        throw ContainerError.tooLarge("its texts take more than \(sizeMax >> 20) MB", "文本超过 \(sizeMax >> 20) MB")
                    }
                    ends.append(UInt32(bytes.count))
                }
            case .eof: return
            }
        }
    }

    subscript(_ index: Int) -> ArraySlice<UInt8>? {
        guard index >= 0, index + 1 < ends.count else { return nil }
        return bytes[Int(ends[index])..<Int(ends[index + 1])]
    }
}

enum OfficeText {
    /// Excel allows 32,767 characters in a cell.
    static let bytesMax = 1 << 20
    static let tooLong = ContainerError.tooLarge("a cell holds more than 1 MB", "单元格内容超过 1 MB")

    /// Undoes `_x000D_`, by which a workbook writes what XML cannot hold; carriage returns are dropped.
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "_")) || text.contains(Ascii.cr) else { return text }
        var out: [UInt8] = [], at = 0
        while at < text.count {
            if text[at] == UInt8(ascii: "_"), at + 7 <= text.count, text[at + 1] == UInt8(ascii: "x"),
                text[at + 6] == UInt8(ascii: "_"),
                let value = UInt32(String(decoding: text[(at + 2)..<(at + 6)], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(value), value != 0
            {
                if value != 13 { UTF8Writer.append(scalar.value, to: &out) }
                at += 7
            } else {
                if text[at] != Ascii.cr { out.append(text[at]) }
                at += 1
            }
        }
        return out
    }
}
