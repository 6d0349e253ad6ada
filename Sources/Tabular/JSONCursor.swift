/// Reads JSON tokens from one line of valid UTF-8.
struct JSONCursor {
    let bytes: Bytes
    var at = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { at >= bytes.count }
    /// NUL at the end: no token begins with it.
    var peek: UInt8 { at < bytes.count ? bytes[at] : Ascii.nul }

    mutating func skipSpace() {
        while at < bytes.count {
            let byte = bytes[at]
            guard byte == Ascii.space || byte == Ascii.tab || byte == Ascii.lf || byte == Ascii.cr else { return }
            at += 1
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    /// A fault here; nil means that the line ended too early.
    func fault(_ reason: RejectReason?) -> JSONFault {
        JSONFault(reason: reason ?? .jsonSyntax(.unexpectedEnd), at: min(at, bytes.count))
    }

    func slice(from start: Int) -> Bytes { Bytes(rebasing: bytes[start..<at]) }

    /// A string, number, true, false or null; its text is appended (nothing for null).
    mutating func scalar(into text: inout [UInt8]) throws(JSONFault) -> FieldKind {
        switch peek {
        case Ascii.quote:
            try string(into: &text)
            return .string
        case UInt8(ascii: "t"):
            try word("true")
            text.append(contentsOf: "true".utf8)
            return .boolean
        case UInt8(ascii: "f"):
            try word("false")
            text.append(contentsOf: "false".utf8)
            return .boolean
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        case Ascii.minus, Ascii.zero...Ascii.nine:
            let start = at
            try number()
            text.append(contentsOf: slice(from: start))
            return .number
        default:
            throw fault(isAtEnd ? nil : .jsonSyntax(.unexpectedCharacter))
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONFault) {
        for index in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[index] else {
                throw fault(isAtEnd ? nil : .jsonSyntax(.unexpectedCharacter))
            }
            at += 1
        }
    }

    /// Checks the grammar and that a double can hold the magnitude (RFC 8259 section 6, I-JSON).
    private mutating func number() throws(JSONFault) {
        let start = at
        if peek == Ascii.minus { at += 1 }
        if peek == Ascii.zero {
            at += 1
        } else {
            try digits()
        }
        if peek == Ascii.dot {
            at += 1
            try digits()
        }
        var hasExponent = false
        if peek | 0x20 == UInt8(ascii: "e") {
            hasExponent = true
            at += 1
            if peek == Ascii.plus || peek == Ascii.minus { at += 1 }
            try digits()
        }
        if Ascii.isDigit(peek) || Ascii.isLetter(peek) { throw fault(.jsonSyntax(.badNumber)) }
        guard hasExponent || at - start > 300 else { return }
        let text = String(decoding: slice(from: start), as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONFault(reason: .numberOverflow(String(text.prefix(40))), at: start)
        }
    }

    private mutating func digits() throws(JSONFault) {
        guard Ascii.isDigit(peek) else { throw fault(isAtEnd ? nil : .jsonSyntax(.badNumber)) }
        while Ascii.isDigit(peek) { at += 1 }
    }

    /// Appends a string's text, escapes undone.
    mutating func string(into text: inout [UInt8]) throws(JSONFault) {
        at += 1
        while true {
            let start = at
            while at < bytes.count, bytes[at] != Ascii.quote, bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 {
                at += 1
            }
            text.append(contentsOf: slice(from: start))
            guard at < bytes.count else { throw fault(nil) }
            switch bytes[at] {
            case Ascii.quote:
                at += 1
                return
            case UInt8(ascii: "\\"):
                try escape(into: &text)
            case Ascii.nul:
                throw fault(.nulCharacter)
            default:
                throw fault(.jsonSyntax(.controlCharacter))
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        guard at + 1 < bytes.count else {
            at = bytes.count
            throw fault(nil)
        }
        switch bytes[at + 1] {
        case Ascii.quote, UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[at + 1])
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(Ascii.lf)
        case UInt8(ascii: "r"): text.append(Ascii.cr)
        case UInt8(ascii: "t"): text.append(Ascii.tab)
        case UInt8(ascii: "u"):
            try unicodeEscape(into: &text)
            return
        default: throw fault(.jsonSyntax(.badEscape))
        }
        at += 2
    }

    private mutating func unicodeEscape(into text: inout [UInt8]) throws(JSONFault) {
        let start = at
        let first = try codeUnit()
        if first == 0 { throw JSONFault(reason: .nulCharacter, at: start) }
        guard first & 0xF800 == 0xD800 else {
            UTF8Writer.append(first, to: &text)
            return
        }
        guard first < 0xDC00, peek == UInt8(ascii: "\\"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "u")
        else {
            throw JSONFault(reason: .loneSurrogate, at: start)
        }
        let second = try codeUnit()
        guard second & 0xFC00 == 0xDC00 else { throw JSONFault(reason: .loneSurrogate, at: start) }
        UTF8Writer.append(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00), to: &text)
    }

    /// The four hexadecimal digits of `\uXXXX` at `at`.
    private mutating func codeUnit() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for index in at + 2..<at + 6 {
            guard index < bytes.count else {
                at = bytes.count
                throw fault(nil)
            }
            let byte = bytes[index]
            switch byte {
            case Ascii.zero...Ascii.nine: value = value << 4 | UInt32(byte - Ascii.zero)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x57)
            default: throw fault(.jsonSyntax(.badEscape))
            }
        }
        at += 6
        return value
    }

    /// Checks any value without keeping it (elements of arrays that stay JSON text).
    mutating func validate(depth: Int) throws(JSONFault) {
        guard depth <= JSONFlattener.depthMax else { throw fault(.tooDeep(limit: JSONFlattener.depthMax)) }
        let isObject = peek == UInt8(ascii: "{")
        let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        var keys: Set<[UInt8]> = []
        var scratch: [UInt8] = []
        at += 1
        skipSpace()
        if take(close) { return }
        while true {
            skipSpace()
            if isObject {
                try key(&keys)
            }
            if peek == UInt8(ascii: "{") || peek == UInt8(ascii: "[") {
                try validate(depth: depth + 1)
            } else {
                _ = try scalar(into: &scratch)
                scratch.removeAll(keepingCapacity: true)
            }
            skipSpace()
            if take(Ascii.comma) { continue }
            if take(close) { return }
            throw fault(isAtEnd ? nil : .jsonSyntax(.expectedCommaOrEnd))
        }
    }

    private mutating func key(_ keys: inout Set<[UInt8]>) throws(JSONFault) {
        guard peek == Ascii.quote else { throw fault(isAtEnd ? nil : .jsonSyntax(.expectedKey)) }
        let start = at
        var text: [UInt8] = []
        try string(into: &text)
        guard keys.insert(text).inserted else {
            throw JSONFault(reason: .duplicateKey(String(decoding: text, as: UTF8.self)), at: start)
        }
        skipSpace()
        guard take(Ascii.colon) else { throw fault(isAtEnd ? nil : .jsonSyntax(.expectedColon)) }
        skipSpace()
    }
}
