/// What a field was in the file. Delimited text knows only `plain` and `quoted`; JSON Lines keeps its own types.
package enum FieldKind: UInt8, Sendable {
    case plain = 0, quoted = 1, string = 3, number = 4, boolean = 5, null = 6, absent = 7, array = 8, object = 9
}

/// A field's place in its record's text: 8 bytes, so that a record of 33 fields costs one small allocation.
struct FieldSpan: Sendable {
    /// Quoted text with doubled quotes inside, which are undone when the field is read. Not a public kind.
    static let escapedKind: UInt8 = 2
    static let lengthMax = 1 << 28

    let start: UInt32
    private let lengthAndKind: UInt32

    init(start: Int, length: Int, kind: UInt8) {
        self.start = UInt32(truncatingIfNeeded: start)
        lengthAndKind = UInt32(truncatingIfNeeded: length) << 4 | UInt32(kind)
    }

    static let absent = FieldSpan(start: 0, length: 0, kind: FieldKind.absent.rawValue)

    var length: Int { Int(lengthAndKind >> 4) }
    var range: Range<Int> { Int(start)..<(Int(start) + length) }
    var isEscaped: Bool { lengthAndKind & 15 == UInt32(FieldSpan.escapedKind) }
    var kind: FieldKind { isEscaped ? .quoted : FieldKind(rawValue: UInt8(lengthAndKind & 15)) ?? .plain }
}

/// Where a record stands in its file. Lines and records count from 1; the header is not a record. Offsets are bytes of
/// the stream the parser was fed (UTF-8, without byte order mark); `TabularStream.checkpoint` gives source offsets.
package struct RecordPosition: Sendable, Equatable {
    package let record: Int
    /// Physical line of the record's first byte.
    package let line: Int
    package let offset: Int
    /// Physical line on which the next record begins.
    package let endLine: Int
    /// Offset of the byte after the record's line end.
    package let endOffset: Int

    func at(line: Int) -> RecordPosition {
        RecordPosition(record: record, line: line, offset: offset, endLine: line, endOffset: endOffset)
    }
}

/// One row: a byte buffer with field bounds. Reading a field by index is the only work done per field.
package struct Record: Sendable {
    package private(set) var position: RecordPosition
    private let text: [UInt8]
    private let spans: [FieldSpan]
    /// The line as it stood in the file where `text` is not that (JSON Lines).
    private let source: [UInt8]?
    /// 1 when the first field is the record's place and not one of its own.
    private var base = 0

    init(position: RecordPosition, text: [UInt8], spans: [FieldSpan], source: [UInt8]? = nil) {
        self.position = position
        self.text = text
        self.spans = spans
        self.source = source
    }

    package var count: Int { spans.count - base }

    /// The record with its first field taken as the line it came from (see `Placed`).
    func placed() -> Record {
        var record = self
        let line = Int(field(0)) ?? position.line
        record.base = min(1, spans.count)
        record.position = position.at(line: line)
        return record
    }

    /// The field's text, quotes undone. Empty for an index past the end, JSON null and an absent key.
    package func field(_ index: Int) -> String {
        guard index >= 0, index < count else { return "" }
        let span = spans[index + base]
        if span.isEscaped { return String(decoding: unescaped(span), as: UTF8.self) }
        return text.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[span.range]), as: UTF8.self)
        }
    }

    /// The field's UTF-8 bytes without making a string.
    package func bytes(_ index: Int) -> ArraySlice<UInt8> {
        guard index >= 0, index < count else { return [] }
        let span = spans[index + base]
        return span.isEscaped ? unescaped(span)[...] : text[span.range]
    }

    /// As `bytes`, without reference counting; the pointer is valid inside `body` only.
    package func withBytes<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        guard index >= 0, index < count else { return try body(UnsafeBufferPointer(start: nil, count: 0)) }
        let span = spans[index + base]
        if span.isEscaped { return try unescaped(span).withUnsafeBufferPointer(body) }
        return try text.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[span.range])) }
    }

    package func kind(_ index: Int) -> FieldKind {
        index >= 0 && index < count ? spans[index + base].kind : .absent
    }

    /// JSON null or an absent key. An empty CSV field is not null.
    package func isNull(_ index: Int) -> Bool {
        let kind = kind(index)
        return kind == .null || kind == .absent
    }

    package var fields: [String] { (0..<count).map(field) }

    /// True when no field holds anything (a line of delimiters only).
    package var isBlank: Bool { spans.dropFirst(base).allSatisfy { $0.length == 0 } }

    /// The record as it stood in the file (UTF-8), without its line end: what a reject file repeats.
    package var rawBytes: [UInt8] {
        base == 0 ? source ?? text : Placed.split(source ?? text, isJSON: source != nil).raw
    }
    package var raw: String { String(decoding: rawBytes, as: UTF8.self) }

    private func unescaped(_ span: FieldSpan) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(span.length)
        var skip = false
        for byte in text[span.range] {
            if byte == Ascii.quote {
                skip.toggle()
                if !skip { continue }
            }
            out.append(byte)
        }
        return out
    }
}

enum Ascii {
    static let nul: UInt8 = 0, tab: UInt8 = 9, lf: UInt8 = 10, cr: UInt8 = 13, space: UInt8 = 32
    static let quote: UInt8 = 0x22, apostrophe: UInt8 = 0x27
    static let plus: UInt8 = 0x2B, comma: UInt8 = 0x2C, minus: UInt8 = 0x2D, dot: UInt8 = 0x2E
    static let zero: UInt8 = 0x30, nine: UInt8 = 0x39, colon: UInt8 = 0x3A, semicolon: UInt8 = 0x3B

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }
    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
}
