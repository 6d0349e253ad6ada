import Kernel

/// What a file was unpacked from and into.
package struct Unpacked: Sendable, Codable, Equatable {
    /// Outermost first.
    package internal(set) var layers: [ContainerKind]
    /// Sheets of a workbook, or named lists of a JSON document, in their order.
    package internal(set) var sheets: [String] = []
    /// The one that was read.
    package internal(set) var sheet: String?
    /// Rows carry their place; then `kind` says how they are written.
    package internal(set) var isPlaced = false
    package internal(set) var kind: TabularFormat.Kind?
    package internal(set) var summary: SheetSummary?

    /// What `line` means in messages about this file.
    package enum Place: String, Sendable, Codable {
        case line, row, element
    }
    package var place: Place {
        if layers.last == .xlsx { .row } else { layers.last == .jsonArray ? .element : .line }
    }
}

/// Bytes written once and then read from any place. The caller has files; this target has not.
package protocol Scratch: AnyObject {
    func write(_ bytes: [UInt8]) throws
    /// What was written.
    var source: ByteSource { get }
}

/// Turns a file in a container (gzip, ZIP, workbook, XML, JSON document) into text that `TabularStream` reads.
///
/// It is done once and as a whole: what is damaged at its end is refused before a row of it is used, and everything
/// behind reads one plain file from any checkpoint.
package struct Unpacker {
    private static let headBytes = 256 << 10
    private static let xmlHeadBytes = 2 << 20

    package var name: String
    /// Name or number (from 1) of a sheet; nil = the first that has rows.
    package var sheet: String?
    /// Rows of a sheet or lines of a text above the heading; nil = a title is looked for.
    package var skipRows: Int?
    package var encoding: TextEncoding?
    package var limits: ContainerLimits
    /// Makes a place for a workbook that is itself packed.
    private let scratch: () throws -> any Scratch

    package init(
        name: String, sheet: String? = nil, skipRows: Int? = nil, encoding: TextEncoding? = nil,
        limits: ContainerLimits = ContainerLimits(), scratch: @escaping () throws -> any Scratch
    ) {
        self.scratch = scratch
        self.name = name
        self.sheet = sheet
        self.skipRows = skipRows
        self.encoding = encoding
        self.limits = limits
    }

    package typealias Sink = ([UInt8]) throws -> Void

    /// Writes the text into `sink`; what was written is worth nothing when an error is thrown.
    /// - Returns: nil when the file is plain CSV or JSON Lines already; then nothing was written.
    /// - Throws: `ContainerError`, `TabularError`, or what source and sink throw.
    package func unpack(_ source: ByteSource, into sink: @escaping Sink) throws -> Unpacked? {
        let head = try source.read(at: 0, Self.headBytes)
        let result: Unpacked?
        switch Self.signature(head) {
        case .zip: result = try zip(source, [], sink)
        case .ole: throw try Self.ole(source)
        case .gzip:
            let gzip = try GzipSource(limits, try source.open(0))
            var inner = Peeked { try gzip.next() }
            try inner.fill(Self.headBytes)
            let isNamed = name.lowercased().hasSuffix(".gz")
            result = try wrapped(&inner, .gzip, isNamed ? String(name.dropLast(3)) : name, sink)
        case nil:
            guard head.count > 0 else { return nil }
            var plain = Peeked(try source.open(0))
            try plain.fill(Self.headBytes)
            if let unpacked = try text(&plain, [], name, sink) {
                result = unpacked
            } else {
                result = try untitled(&plain, [], sink)
            }
        }
        // A sheet that does not exist is not passed over in silence.
        if sheet != nil, result?.sheet == nil {
            throw result == nil && name.lowercased().hasSuffix(".xlsx") ? ContainerError.textAsWorkbook : ContainerError.noSheets
        }
        if linesToSkip > 0, result?.summary == nil { throw ContainerError.noRowsToSkip }
        return result
    }

    private var linesToSkip: Int { max(0, skipRows ?? 0) }

    /// Text without what stands above its heading: as many lines as somebody asked, or a title that is found.
    /// - Returns: nil when nothing stands there; nothing is taken from `input` then.
    private func untitled(_ input: inout Peeked, _ layers: [ContainerKind], _ sink: Sink) throws -> Unpacked? {
        if linesToSkip > 0 { return try skipping(&input, linesToSkip, layers, sink) }
        guard skipRows == nil else { return nil }
        let guess = EncodingGuess(sample: input.head, isWhole: input.isWhole)
        guard guess.binaryKind == nil else { return nil }
        var head: [UInt8] = []
        var transcoder = Transcoder(encoding: encoding ?? guess.encoding, onUndecodable: .replace)
        try transcoder.decode(input.head, into: &head)
        guard let found = TextTitle.find(head, isWhole: input.isWhole) else { return nil }
        var result = try skipping(&input, found.lines, layers, sink)
        result.summary?.titles = found.titles
        return result
    }

    /// Text without the lines above its heading: an empty line stands for each, so that the others keep their numbers.
    private func skipping(
        _ input: inout Peeked, _ lines: Int, _ layers: [ContainerKind], _ sink: Sink
    ) throws -> Unpacked {
        guard input.head.first(where: { $0 > Ascii.space }) != UInt8(ascii: "{") else { throw ContainerError.noRowsToSkip }
        // Of UTF-16 a line ends with two bytes.
        let isWide = input.head.starts(with: [0xFF, 0xFE]) || input.head.starts(with: [0xFE, 0xFF])
        let width = isWide ? 2 : 1, isBig = input.head.starts(with: [0xFE, 0xFF])
        let feed: [UInt8] = isWide ? isBig ? [0, Ascii.lf] : [Ascii.lf, 0] : [Ascii.lf]
        let mark = isWide ? 2 : input.head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var left = lines, place = 0, carried: [UInt8] = []
        try sink(Array(input.head.prefix(mark)))
        while let bytes = try input.next() {
            guard left > 0 else {
                try sink(bytes)
                continue
            }
            let all = carried + (place == 0 ? bytes.dropFirst(mark) : bytes[...])
            place += bytes.count
            var at = 0
            while left > 0, at + width <= all.count {
                if all[at..<(at + width)].elementsEqual(feed) {
                    try sink(feed)
                    left -= 1
                }
                at += width
            }
            carried = left > 0 ? Array(all[at...]) : []
            if left == 0 { try sink(Array(all[at...])) }
        }
        var result = Unpacked(layers: layers)
        result.summary = SheetSummary()
        result.summary?.skipped = lines
        return result
    }

    // MARK: What it is

    private enum Signature { case zip, gzip, ole }

    private static func signature(_ head: [UInt8]) -> Signature? {
        if head.starts(with: [0x1F, 0x8B]) { return .gzip }
        if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) { return .ole }
        // A file, an empty archive, a part of a split one.
        let zips: [[UInt8]] = [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 7, 8]]
        return zips.contains { head.starts(with: $0) } ? .zip : nil
    }

    /// An encrypted workbook is stored in the old format too, as a stream of this name; so are documents.
    private static func ole(_ source: ByteSource) throws -> ContainerError {
        func wide(_ name: String) -> [UInt8] { name.utf8.reduce(into: [UInt8]()) { $0 += [$1, 0] } }
        let marks: [(mark: [UInt8], error: ContainerError)] = [
            (wide("EncryptedPackage"), .encryptedWorkbook),
            (wide("WordDocument"), .otherOffice(Words(en: "an old Word document (.doc)", zh: "旧版 Word 文档（.doc）"))),
            (
                wide("PowerPoint Document"),
                .otherOffice(Words(en: "an old PowerPoint presentation (.ppt)", zh: "旧版 PowerPoint 演示文稿（.ppt）"))
            ),
        ]
        let longest = marks.map(\.mark.count).max() ?? 0
        let next = try source.open(0)
        var window: [UInt8] = [], read = 0
        while read < 64 << 20, let more = try next(), !more.isEmpty {
            read += more.count
            window = Array(window.suffix(longest)) + more
            if let found = marks.first(where: { Self.contains(window, $0.mark) }) { return found.error }
        }
        return .oldWorkbook
    }

    private static func contains(_ bytes: [UInt8], _ mark: [UInt8]) -> Bool {
        guard let first = mark.first, bytes.count >= mark.count else { return false }
        return (0...(bytes.count - mark.count)).contains { at in
            bytes[at] == first && bytes[at..<(at + mark.count)].elementsEqual(mark)
        }
    }

    private enum TextKind { case plain, json, xml }

    private func textKind(_ head: [UInt8], isWhole: Bool, _ name: String) throws -> TextKind {
        let text = head.drop { $0 <= Ascii.space }
        let suffix = name.lowercased().split(separator: ".").last.map(String.init) ?? ""
        guard suffix != "jsonl", suffix != "ndjson" else { return .plain }
        switch text.first {
        case UInt8(ascii: "["):
            let next = text.dropFirst().first { $0 > Ascii.space }
            return suffix == "json" || next == UInt8(ascii: "{") ? .json : .plain
        case UInt8(ascii: "{"):
            let next = text.dropFirst().first { $0 > Ascii.space }
            guard next == Ascii.quote || next == UInt8(ascii: "}") else { return .plain }
            return Self.isDocument(Array(text), isWhole: isWhole) ? .json : .plain
        case UInt8(ascii: "<"):
            let start = String(decoding: text.prefix(200), as: UTF8.self).lowercased()
            if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") || start.hasPrefix("<table") {
                throw ContainerError.otherOffice(Words(en: "a web page (HTML)", zh: "网页（HTML）"))
            }
            if start.hasPrefix("<?xml") || start.hasPrefix("<!") || suffix == "xml" { return .xml }
            return Self.contains(Array(text), Array("</".utf8)) ? .xml : .plain
        default: return .plain
        }
    }

    /// Whether text that begins with an object is one JSON document and not an object a line: one alone counts when it
    /// goes over several lines or holds a list of objects.
    private static func isDocument(_ text: [UInt8], isWhole: Bool) -> Bool {
        var depth = 0, isInString = false, isEscaped = false, lines = 0, holdsList = false
        var last: UInt8 = 0
        for (index, byte) in text.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == Ascii.quote {
                    isInString = false
                }
                continue
            }
            if byte == Ascii.lf { lines += 1 }
            guard byte > Ascii.space else { continue }
            if byte == Ascii.quote { isInString = true }
            if byte == UInt8(ascii: "{"), last == UInt8(ascii: "[") { holdsList = true }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { depth += 1 }
            if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
            last = byte
            if depth == 0 {
                let hasMore = text[(index + 1)...].contains { $0 > Ascii.space }
                return !hasMore && (holdsList || lines > 0)
            }
        }
        // It does not end within what is known: a single line would be one huge record.
        return lines > 0 || (!isWhole && holdsList)
    }

    // MARK: Unpacking

    private func zip(_ source: ByteSource, _ layers: [ContainerKind], _ sink: @escaping Sink) throws -> Unpacked {
        let archive = try ZipArchive(source, limits)
        if Workbook.isWorkbook(archive) { return try workbook(archive, layers, sink) }
        if archive.entry("xl/workbook.bin") != nil { throw ContainerError.otherOffice(Words(en: "a binary workbook (.xlsb)", zh: "二进制工作簿（.xlsb）")) }
        if archive.entry("word/document.xml") != nil { throw ContainerError.otherOffice(Words(en: "a Word document", zh: "Word 文档")) }
        if archive.entry("ppt/presentation.xml") != nil {
            throw ContainerError.otherOffice(Words(en: "a PowerPoint presentation", zh: "PowerPoint 演示文稿"))
        }
        if archive.entry("content.xml") != nil, archive.entry("mimetype") != nil {
            throw ContainerError.otherOffice(Words(en: "an OpenDocument file (.ods)", zh: "OpenDocument 文件（.ods）"))
        }
        guard layers.isEmpty else { throw ContainerError.nested }
        let files = archive.entries.filter { !$0.isAside }
        guard files.count <= 1 else { throw ContainerError.severalFiles(files.map(\.name)) }
        guard let file = files.first else { throw ContainerError.noFile }
        var inner = Peeked(try archive.open(file))
        try inner.fill(Self.headBytes)
        return try wrapped(&inner, .zip, file.name, sink)
    }

    /// What is inside a gzip or ZIP file: text, or a workbook, which needs a copy that can be read from any place.
    private func wrapped(
        _ inner: inout Peeked, _ layer: ContainerKind, _ name: String, _ sink: @escaping Sink
    ) throws -> Unpacked {
        switch Self.signature(inner.head) {
        case .gzip: throw ContainerError.nested
        case .zip, .ole:
            let scratch = try scratch()
            while let bytes = try inner.next() { try scratch.write(bytes) }
            guard Self.signature(inner.head) == .zip else { throw try Self.ole(scratch.source) }
            return try zip(scratch.source, [layer], sink)
        case nil:
            if let unpacked = try text(&inner, [layer], name, sink) { return unpacked }
            if let unpacked = try untitled(&inner, [layer], sink) { return unpacked }
            while let bytes = try inner.next() { try sink(bytes) }
            return Unpacked(layers: [layer])
        }
    }

    private func workbook(
        _ archive: ZipArchive, _ layers: [ContainerKind], _ sink: @escaping Sink
    ) throws -> Unpacked {
        let workbook = try Workbook(archive, limits)
        let names = workbook.sheets.map(\.name)
        var result = Unpacked(layers: layers + [.xlsx], sheets: names, isPlaced: true, kind: .delimited)
        func use(_ sheet: Workbook.Sheet, rows: Int) throws -> Bool {
            let summary = try workbook.write(sheet, rowsMin: rows, skip: skipRows, into: sink)
            guard summary.rows >= rows else { return false }
            result.sheet = sheet.name
            result.summary = summary
            return true
        }
        if let asked = sheet {
            let named = workbook.sheets.first { $0.name == asked }
            let numbered = Int(asked).flatMap { number in
                workbook.sheets.indices.contains(number - 1) ? workbook.sheets[number - 1] : nil
            }
            guard let found = named ?? numbered else { throw ContainerError.unknownSheet(asked, names) }
            guard try use(found, rows: 1) else { throw ContainerError.emptySheet(found.name, of: names) }
            return result
        }
        // A sheet with a header only is taken when there is no better one.
        for rows in [2, 1] {
            for candidate in workbook.sheets where try use(candidate, rows: rows) { return result }
        }
        throw ContainerError.emptyWorkbook(names)
    }

    /// Nil when it is plain text; nothing is taken from `input` then.
    private func text(
        _ input: inout Peeked, _ layers: [ContainerKind], _ name: String, _ sink: @escaping Sink
    ) throws -> Unpacked? {
        let guess = EncodingGuess(sample: input.head, isWhole: input.isWhole)
        guard !input.head.isEmpty, guess.binaryKind == nil else { return nil }
        let encoding = encoding ?? guess.encoding
        var head: [UInt8] = []
        var transcoder = Transcoder(encoding: encoding, onUndecodable: .replace)
        try transcoder.decode(input.head, into: &head)
        var result = Unpacked(layers: layers, isPlaced: true, kind: .jsonLines)
        switch try textKind(head, isWhole: input.isWhole, name) {
        case .plain: return nil
        case .json:
            var document = JSONDocument(Self.decoded(input, encoding), wanted: sheet, sink: sink)
            try document.convert()
            result.layers.append(.jsonArray)
            result.sheets = document.lists
            result.sheet = document.taken.flatMap { $0.isEmpty ? nil : $0 }
        case .xml:
            let stated = try statedEncoding(head, guess)
            var decoded = Peeked(Self.decoded(input, stated ?? encoding))
            try decoded.fill(Self.xmlHeadBytes)
            let path = try XMLRecords.recordPath(head: decoded.head, isWhole: decoded.isWhole)
            var records = XMLRecords(decoded.source, path: path, sink: sink)
            try records.convert()
            result.layers.append(.xml)
        }
        return result
    }

    /// What the XML declaration says, where bytes do not say it better.
    private func statedEncoding(_ head: [UInt8], _ guess: EncodingGuess) throws -> TextEncoding? {
        guard encoding == nil, !guess.hasByteOrderMark, guess.reason != .zeroBytePattern else { return nil }
        let declaration = String(decoding: head.prefix(200), as: UTF8.self).prefix { $0 != ">" }
        guard declaration.contains("<?xml"), let range = declaration.firstRange(of: "encoding") else { return nil }
        let rest = declaration[range.upperBound...].drop { $0 == " " || $0 == "=" }
        guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
        let name = rest.dropFirst().prefix { $0 != quote }.lowercased()
        switch name {
        case "utf-8", "utf8": return .utf8
        case "gb2312", "gbk", "gb18030", "cp936": return .gb18030
        case "big5", "big5-hkscs", "cp950": return .big5
        case "iso-8859-1", "latin1", "windows-1252", "us-ascii", "ascii": return .windows1252
        case "utf-16", "utf-16le", "utf-16be": return nil
        default: throw ContainerError.unknownEncoding(String(name.prefix(40)))
        }
    }

    private static func decoded(_ input: Peeked, _ encoding: TextEncoding) -> TabularReader.Source {
        var input = input
        var transcoder = Transcoder(encoding: encoding, onUndecodable: .fail)
        var hasEnded = false
        return {
            while !hasEnded {
                var out: [UInt8] = []
                do {
                    if let bytes = try input.next() {
                        try transcoder.decode(bytes, into: &out)
                    } else {
                        hasEnded = true
                        try transcoder.finish(into: &out)
                    }
                } catch let error as UndecodableText {
                    throw TabularError.undecodable(error)
                }
                transcoder.forget(before: transcoder.utf8Offset)
                if !out.isEmpty { return out }
            }
            return nil
        }
    }
}

/// A source whose beginning was looked at.
struct Peeked {
    private(set) var head: [UInt8] = []
    /// The head is everything.
    private(set) var isWhole = false
    private var isHanded = false
    private let rest: TabularReader.Source

    init(_ source: @escaping TabularReader.Source) { rest = source }

    mutating func fill(_ count: Int) throws {
        while head.count < count {
            guard let more = try rest(), !more.isEmpty else {
                isWhole = true
                return
            }
            head += more
        }
    }

    mutating func next() throws -> [UInt8]? {
        if !isHanded {
            isHanded = true
            if !head.isEmpty { return head }
        }
        return isWhole ? nil : try rest()
    }

    var source: TabularReader.Source {
        var copy = self
        return { try copy.next() }
    }
}

extension Unpacked {
    /// Tells the reader of the unpacked text what it is.
    package func apply(to options: inout TabularOptions) {
        guard isPlaced else {
            // The name of what is inside decides, not that of the archive.
            options.name = options.name.map { $0.lowercased().hasSuffix(".gz") ? String($0.dropLast(3)) : $0 }
            return
        }
        options.isPlaced = true
        options.kind = kind
        options.encoding = .utf8
        options.delimiter = Ascii.comma
    }
}
