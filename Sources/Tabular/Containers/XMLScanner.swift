/// Reads XML as a stream of tags and text, in constant memory. No document types with declarations, no entities but the
/// five of XML and character numbers: what is not supported cannot be abused.
struct XMLScanner {
    enum Event {
        /// `name`, `attributes`; a tag that closes itself is followed by `end`.
        case start
        case end
        /// `text`; may come in several pieces.
        case text
        case eof
    }

    static let depthMax = 64
    private static let tokenMax = 4 << 20

    private(set) var line = 1
    private(set) var depth = 0
    /// What the ranges are of; valid until the next event.
    private(set) var buffer: [UInt8] = []
    /// Of the tag, without its prefix.
    private(set) var name = 0..<0
    private(set) var attributes: [(name: Range<Int>, value: Range<Int>)] = []
    private(set) var text: [UInt8] = []

    private let source: TabularReader.Source
    private var at = 0
    private var hasEnded = false, closes = false, hasRoot = false
    /// Full names of the open elements, one behind the other.
    private var open: [UInt8] = [], starts: [Int] = []

    /// - Parameter source: UTF-8.
    init(_ source: @escaping TabularReader.Source) { self.source = source }

    func nameIs(_ word: StaticString) -> Bool { matches(name, word) }

    func matches(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for (offset, index) in range.enumerated() where buffer[index] != word.utf8Start[offset] { return false }
        return true
    }

    /// The raw value of an attribute, by its name without prefix.
    func attribute(_ word: StaticString) -> Range<Int>? { attributes.first { matches($0.name, word) }?.value }

    func string(_ range: Range<Int>) throws(ContainerError) -> String {
        var out: [UInt8] = []
        try unescape(range, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    mutating func next() throws -> Event {
        if closes {
            closes = false
            pop()
            return .end
        }
        while true {
            if at > 1 << 17 || at == buffer.count {
                buffer.removeFirst(at)
                at = 0
            }
            guard try at < buffer.count || refill() else { return try atEnd() }
            if buffer[at] != UInt8(ascii: "<") {
                if try takeText() { return .text }
                continue
            }
            guard try need(2) else { throw fault("the file ends in the middle of a tag", "文件在标签中间结束") }
            switch buffer[at + 1] {
            case UInt8(ascii: "/"): return try takeEnd()
            case UInt8(ascii: "?"): _ = try takeThrough("?>", from: 2)
            case UInt8(ascii: "!"): if try takeDeclaration() { return .text }
            default: return try takeStart()
            }
        }
    }

    private func atEnd() throws -> Event {
        guard depth == 0, hasRoot else {
            throw fault("the file ends before its last element is closed", "文件在元素关闭前结束")
        }
        return .eof
    }

    func fault(_ en: String, _ zh: String) -> ContainerError { .badXML(line, en, zh) }

    private mutating func refill() throws -> Bool {
        guard !hasEnded else { return false }
        guard let more = try source(), !more.isEmpty else {
            hasEnded = true
            return false
        }
        buffer += more
        return true
    }

    private mutating func need(_ count: Int) throws -> Bool {
        while buffer.count - at < count { guard try refill() else { return false } }
        return true
    }

    private mutating func advance(to end: Int) {
        var ends = 0
        buffer.withUnsafeBufferPointer { for byte in $0[at..<end] { ends &+= byte == Ascii.lf ? 1 : 0 } }
        line += ends
        at = end
    }

    /// Text up to the next tag, or as far as it is there.
    private mutating func takeText() throws -> Bool {
        let end = buffer.withUnsafeBufferPointer { bytes -> Int in
            var end = at
            while end < bytes.count, bytes[end] != UInt8(ascii: "<") { end += 1 }
            return end
        }
        var stop = end
        if end == buffer.count, !hasEnded,
            let mark = buffer[max(at, end - 12)..<end].lastIndex(of: UInt8(ascii: "&")),
            !buffer[mark..<end].contains(Ascii.semicolon)
        {
            // A reference that is not whole waits for the next piece.
            stop = mark
            if stop == at {
                _ = try refill()
                return false
            }
        }
        text.removeAll(keepingCapacity: true)
        try unescape(at..<stop, into: &text)
        if depth == 0, text.contains(where: { $0 > Ascii.space && $0 < 0x80 }) {
            throw fault("there is text outside the elements", "元素之外存在文本")
        }
        advance(to: stop)
        return depth > 0
    }

    /// Moves behind `mark`; returns the range before it.
    private mutating func takeThrough(_ mark: StaticString, from offset: Int) throws -> Range<Int> {
        var from = at + offset
        let width = mark.utf8CodeUnitCount, last = mark.utf8Start[width - 1]
        while true {
            let found = buffer.withUnsafeBufferPointer { bytes -> Int? in
                var index = from + width - 1
                search: while index < bytes.count {
                    if bytes[index] == last {
                        for back in 0..<width where bytes[index - width + 1 + back] != mark.utf8Start[back] {
                            index += 1
                            continue search
                        }
                        return index - width + 1
                    }
                    index += 1
                }
                return nil
            }
            if let found {
                let range = (at + offset)..<found
                advance(to: found + width)
                return range
            }
            from = max(at + offset, buffer.count - width + 1)
            guard buffer.count - at < Self.tokenMax, try refill() else {
                throw fault("a tag, comment or CDATA section does not end", "标签、注释或 CDATA 未结束")
            }
        }
    }

    /// Comment, CDATA section or document type. Returns whether there is text.
    private mutating func takeDeclaration() throws -> Bool {
        if try need(4), matches(at..<at + 4, "<!--") {
            _ = try takeThrough("-->", from: 4)
            return false
        }
        if try need(9), matches(at..<at + 9, "<![CDATA[") {
            let range = try takeThrough("]]>", from: 9)
            text = Array(buffer[range])
            return depth > 0
        }
        let line = line
        let range = try takeThrough(">", from: 2)
        // An internal subset may declare entities; an external one is never fetched.
        guard !hasRoot, !buffer[range].contains(UInt8(ascii: "[")) else { throw ContainerError.forbiddenXML(line) }
        return false
    }

    /// The end of the tag at `at`: a `>` outside quotes.
    private mutating func tagEnd() throws -> Int {
        var index = at + 1, quote: UInt8 = 0
        while true {
            let found = buffer.withUnsafeBufferPointer { bytes -> Int? in
                while index < bytes.count {
                    let byte = bytes[index]
                    if quote != 0 {
                        if byte == quote { quote = 0 }
                    } else if byte == UInt8(ascii: ">") {
                        return index
                    } else if byte == Ascii.quote || byte == Ascii.apostrophe {
                        quote = byte
                    }
                    index += 1
                }
                return nil
            }
            if let found { return found }
            guard buffer.count - at < Self.tokenMax, try refill() else {
                throw fault("a tag does not end", "标签未结束")
            }
        }
    }

    private mutating func takeEnd() throws -> Event {
        let end = try tagEnd()
        var last = end
        while last > at + 2, buffer[last - 1] <= Ascii.space { last -= 1 }
        guard depth > 0, let start = starts.last, buffer[(at + 2)..<last].elementsEqual(open[start...]) else {
            let found = String(decoding: buffer[(at + 2)..<last].prefix(60), as: UTF8.self)
            throw fault("</\(found)> closes nothing that is open", "</\(found)> 没有对应的开始标签")
        }
        name = local((at + 2)..<last)
        advance(to: end + 1)
        pop()
        return .end
    }

    private mutating func pop() {
        depth -= 1
        if let start = starts.popLast() { open.removeLast(open.count - start) }
    }

    private mutating func takeStart() throws -> Event {
        let end = try tagEnd()
        closes = buffer[end - 1] == UInt8(ascii: "/")
        let stop = closes ? end - 1 : end
        var index = at + 1
        let full = word(&index, stop)
        guard !full.isEmpty, Self.mayBegin(buffer[full.lowerBound]) else { throw fault("“<” without a name", "“<”之后没有名称") }
        guard depth > 0 || !hasRoot else { throw fault("there is a second root element", "存在第二个根元素") }
        guard depth < Self.depthMax else { throw ContainerError.tooDeep(line, Self.depthMax) }
        starts.append(open.count)
        open += buffer[full]
        depth += 1
        hasRoot = true
        name = local(full)
        attributes.removeAll(keepingCapacity: true)
        while true {
            skipSpace(&index, stop)
            guard index < stop else { break }
            let key = word(&index, stop)
            skipSpace(&index, stop)
            guard !key.isEmpty, index < stop, buffer[index] == UInt8(ascii: "=") else { throw badAttribute }
            index += 1
            skipSpace(&index, stop)
            guard index < stop, buffer[index] == Ascii.quote || buffer[index] == Ascii.apostrophe,
                let close = buffer[(index + 1)..<stop].firstIndex(of: buffer[index])
            else { throw badAttribute }
            attributes.append((local(key), (index + 1)..<close))
            index = close + 1
        }
        advance(to: end + 1)
        return .start
    }

    private var badAttribute: ContainerError { fault("an attribute has no quoted value", "属性缺少带引号的值") }

    private static func mayBegin(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || byte == UInt8(ascii: "_") || byte == Ascii.colon || byte >= 0x80
    }

    private func word(_ index: inout Int, _ stop: Int) -> Range<Int> {
        let start = index
        while index < stop, buffer[index] > Ascii.space, buffer[index] != UInt8(ascii: "=") { index += 1 }
        return start..<index
    }

    private func skipSpace(_ index: inout Int, _ stop: Int) {
        while index < stop, buffer[index] <= Ascii.space { index += 1 }
    }

    private func local(_ range: Range<Int>) -> Range<Int> {
        guard let colon = buffer[range].firstIndex(of: Ascii.colon), colon + 1 < range.upperBound else { return range }
        return (colon + 1)..<range.upperBound
    }

    /// Appends text with its references replaced.
    func unescape(_ range: Range<Int>, into out: inout [UInt8]) throws(ContainerError) {
        var from = range.lowerBound
        while let mark = buffer[from..<range.upperBound].firstIndex(of: UInt8(ascii: "&")) {
            out += buffer[from..<mark]
            guard let end = buffer[mark..<min(range.upperBound, mark + 12)].firstIndex(of: Ascii.semicolon) else {
                throw fault("“&” begins no reference", "“&”之后不是有效引用")
            }
            try reference((mark + 1)..<end, into: &out)
            from = end + 1
        }
        out += buffer[from..<range.upperBound]
    }

    private func reference(_ range: Range<Int>, into out: inout [UInt8]) throws(ContainerError) {
        if matches(range, "lt") { return out.append(UInt8(ascii: "<")) }
        if matches(range, "gt") { return out.append(UInt8(ascii: ">")) }
        if matches(range, "amp") { return out.append(UInt8(ascii: "&")) }
        if matches(range, "quot") { return out.append(Ascii.quote) }
        if matches(range, "apos") { return out.append(Ascii.apostrophe) }
        let word = String(decoding: buffer[range], as: UTF8.self)
        if word.hasPrefix("#") {
            let digits = word.dropFirst()
            let value = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            if let value, value > 0, let scalar = Unicode.Scalar(value) {
                return UTF8Writer.append(scalar.value, to: &out)
            }
        }
        throw fault("the entity “&\(word);” is not known", "未知实体“&\(word);”")
    }
}
