/// Finds the list of records in one JSON document and hands its objects out one a line, with their number in the list.
/// Only brackets and strings are looked at here; what is wrong within a record is found when the line is parsed.
struct JSONDocument {
    private static let depthMax = 512

    private let source: TabularReader.Source
    private let wanted: String?
    private var buffer: [UInt8] = [], at = 0, line = 1, hasEnded = false
    private var out: [UInt8] = []
    private let sink: ([UInt8]) throws -> Void
    /// Names of the lists of objects, in the order of the document; one without a name is the document itself.
    private(set) var lists: [String] = []
    private(set) var taken: String?
    private var elements = 0

    /// - Parameters:
    ///   - source: UTF-8.
    ///   - wanted: name or number of the list to take; nil = the only one.
    init(_ source: @escaping TabularReader.Source, wanted: String?, sink: @escaping ([UInt8]) throws -> Void) {
        self.source = source
        self.wanted = wanted
        self.sink = sink
    }

    mutating func convert() throws {
        guard let first = try token() else { throw ContainerError.noRecords }
        if first == UInt8(ascii: "[") {
            guard wanted == nil else { throw ContainerError.noSheets }
            taken = ""
            try list()
        } else if first == UInt8(ascii: "{") {
            try members([])
        } else {
            throw ContainerError.noRecords
        }
        if try token() != nil { throw fault("there is more text behind its end", "结尾之后还有内容") }
        if let wanted, taken == nil { throw ContainerError.unknownSheet(wanted, lists) }
        guard wanted != nil || lists.count <= 1 else { throw ContainerError.severalArrays(lists) }
        guard taken != nil else { throw ContainerError.noRecords }
        if !out.isEmpty { try sink(out) }
    }

    private func fault(_ en: String, _ zh: String) -> ContainerError { .badJSON(line, en, zh) }

    private mutating func byte() throws -> UInt8? {
        if at == buffer.count {
            guard !hasEnded, let more = try source(), !more.isEmpty else {
                hasEnded = true
                return nil
            }
            (buffer, at) = (more, 0)
        }
        return buffer[at]
    }

    /// The next byte that is not space; it stays unread.
    private mutating func token() throws -> UInt8? {
        while let byte = try byte() {
            guard byte <= Ascii.space else { return byte }
            if byte == Ascii.lf { line += 1 }
            at += 1
        }
        return nil
    }

    private mutating func need() throws -> UInt8 {
        guard let byte = try token() else { throw fault("the document is cut off here", "文档在此处中断") }
        return byte
    }

    private mutating func take(_ expected: UInt8) throws {
        guard try need() == expected else {
            throw fault(
                "“\(Character(UnicodeScalar(expected)))” is expected", "此处应为“\(Character(UnicodeScalar(expected)))”")
        }
        at += 1
    }

    private mutating func members(_ path: [String]) throws {
        try take(UInt8(ascii: "{"))
        if try need() == UInt8(ascii: "}") {
            at += 1
            return
        }
        while true {
            guard try need() == Ascii.quote else { throw fault("a key in quotes is expected", "此处应为带引号的键") }
            let name = path + [try key()]
            try take(Ascii.colon)
            switch try need() {
            case UInt8(ascii: "{") where path.count < 8: try members(name)
            case UInt8(ascii: "["): try member(name.joined(separator: "."))
            default: try value(copies: false)
            }
            if try need() == Ascii.comma {
                at += 1
                continue
            }
            return try take(UInt8(ascii: "}"))
        }
    }

    /// A list under a name: taken when it holds objects and nobody asked for another.
    private mutating func member(_ name: String) throws {
        at += 1
        guard try need() == UInt8(ascii: "{") else {
            // Not objects: the rest of the list is passed over.
            return try rest()
        }
        lists.append(name)
        guard taken == nil, wanted == nil || wanted == name || wanted == "\(lists.count)" else { return try rest() }
        taken = name
        try objects()
    }

    private mutating func list() throws {
        at += 1
        if try need() == UInt8(ascii: "]") { at += 1 } else { try objects() }
    }

    /// The elements of a list, behind its bracket, and the closing bracket.
    private mutating func objects() throws {
        while true {
            elements += 1
            if try need() == UInt8(ascii: "{") {
                at += 1
                out += Placed.jsonStart
                out += String(elements).utf8
                if try need() != UInt8(ascii: "}") { out.append(Ascii.comma) }
                try value(copies: true, opened: true)
            } else {
                try value(copies: true)
            }
            out.append(Ascii.lf)
            if out.count > 1 << 18 { try flush() }
            if try need() == Ascii.comma {
                at += 1
                _ = try need()
                continue
            }
            return try take(UInt8(ascii: "]"))
        }
    }

    private mutating func rest() throws {
        if try need() == UInt8(ascii: "]") {
            at += 1
            return
        }
        while true {
            try value(copies: false)
            if try need() == Ascii.comma {
                at += 1
                continue
            }
            return try take(UInt8(ascii: "]"))
        }
    }

    private mutating func flush() throws {
        try sink(out)
        out.removeAll(keepingCapacity: true)
    }

    private mutating func key() throws -> String {
        var bytes: [UInt8] = []
        at += 1
        while true {
            guard let byte = try byte() else { throw fault("the document is cut off here", "文档在此处中断") }
            at += 1
            if byte == Ascii.quote { return String(decoding: bytes, as: UTF8.self) }
            guard bytes.count < 1_000 else { throw fault("a key is too long", "键过长") }
            bytes.append(byte)
            if byte == UInt8(ascii: "\\"), let escaped = try self.byte() {
                bytes.append(escaped)
                at += 1
            }
        }
    }

    /// Passes a value, copying it without the space between its tokens when `copies`.
    /// - Parameter opened: its first bracket is passed already.
    private mutating func value(copies: Bool, opened: Bool = false) throws {
        var closing: [UInt8] = opened ? [UInt8(ascii: "}")] : []
        var isInString = false, isEscaped = false, hasBegun = opened
        let begunAt = line
        while true {
            guard let byte = try byte() else {
                if hasBegun, closing.isEmpty, !isInString { return }
                throw ContainerError.badJSON(
                    line, "the document is cut off in what begins in line \(begunAt)", "文档在第 \(begunAt) 行开始的内容中中断")
            }
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == Ascii.quote {
                    isInString = false
                }
                // A bare line end is not allowed in a string: it stays a fault, of this record only.
                if copies { out.append(byte == Ascii.lf ? Ascii.tab : byte) }
                if byte == Ascii.lf { line += 1 }
                at += 1
                if out.count > 1 << 20 { try flush() }
                if !isInString, closing.isEmpty { return }
                continue
            }
            switch byte {
            case Ascii.quote: isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard closing.count < Self.depthMax else { throw ContainerError.tooDeep(line, Self.depthMax) }
                closing.append(byte + 2)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if closing.isEmpty { return }
                guard closing.popLast() == byte else { throw fault("brackets do not match", "括号不匹配") }
                if closing.isEmpty {
                    if copies { out.append(byte) }
                    at += 1
                    return
                }
            case Ascii.comma, Ascii.colon:
                if closing.isEmpty { return }
            case 0...Ascii.space:
                if byte == Ascii.lf { line += 1 }
                at += 1
                // Two words must not become one: `1 2` stays a fault.
                if hasBegun, copies, out.last != Ascii.space { out.append(Ascii.space) }
                if closing.isEmpty, hasBegun { return }
                continue
            default: break
            }
            hasBegun = true
            if copies { out.append(byte) }
            at += 1
        }
    }
}

/// The canonical form of a record out of a container: its place (sheet row, line, number in the list) is its first field.
enum Placed {
    /// No file can hold this name by accident.
    static let column = "\u{1}"
    static let jsonStart = Array("{\"\\u0001\":".utf8)

    /// The place at the beginning of a record's text, and the text without it.
    static func split(_ raw: [UInt8], isJSON: Bool) -> (place: Int?, raw: [UInt8]) {
        var rest = raw[...]
        if isJSON {
            guard rest.starts(with: jsonStart) else { return (nil, raw) }
            rest = rest.dropFirst(jsonStart.count)
        }
        let digits = rest.prefix { Ascii.isDigit($0) }
        guard !digits.isEmpty, digits.count < 18 else { return (nil, raw) }
        rest = rest.dropFirst(digits.count)
        if rest.first == Ascii.comma { rest = rest.dropFirst() }
        return (Int(String(decoding: digits, as: UTF8.self)), (isJSON ? [UInt8(ascii: "{")] : []) + rest)
    }
}
