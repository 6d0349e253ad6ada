/// Makes records of a repeated element: one JSON object a line, with the line of its start tag.
///
/// Attributes and nested elements become dotted columns (`address.city`); what is repeated within a record becomes a
/// list; `xsi:nil` is null; prefixes of names are dropped.
struct XMLRecords {
    private static let columnsMax = 10_000
    private static let recordBytesMax = 64 << 20

    private var scanner: XMLScanner
    private let path: [String]
    private let sink: ([UInt8]) throws -> Void
    private var out: [UInt8] = []
    private var order: [String] = [], values: [String: [[UInt8]?]] = [:]

    init(_ source: @escaping TabularReader.Source, path: [String], sink: @escaping ([UInt8]) throws -> Void) {
        scanner = XMLScanner(source)
        self.path = path
        self.sink = sink
    }

    /// The path of the element that is repeated most and stands in no other repeated one, judged by the file's beginning.
    /// One record alone is found as the only child of the root.
    static func recordPath(head: [UInt8], isWhole: Bool) throws -> [String] {
        var given = false
        var scanner = XMLScanner {
            defer { given = true }
            return given ? nil : head
        }
        var path: [String] = []
        var counts: [[String]: Int] = [:], order: [[String]] = [], repeated = Set<[String]>()
        /// How often each name came under the element now open, by depth.
        var children: [[String: Int]] = [[:]]
        do {
            reading: while true {
                switch try scanner.next() {
                case .start:
                    path.append(try scanner.string(scanner.name))
                    let name = path[path.count - 1]
                    children[children.count - 1][name, default: 0] += 1
                    if children[children.count - 1][name] == 2 { repeated.insert(path) }
                    if counts[path] == nil { order.append(path) }
                    counts[path, default: 0] += 1
                    children.append([:])
                case .end:
                    path.removeLast()
                    children.removeLast()
                case .text: break
                case .eof: break reading
                }
            }
        } catch let error as ContainerError where !isWhole && error.code == "xml_damaged" {
            // The beginning of a file ends in the middle of something; the full reading judges.
        }
        let outer = order.filter { path in
            repeated.contains(path) && !(1..<path.count).contains { repeated.contains(Array(path.prefix($0))) }
        }
        var best: [String]?
        for path in outer where (counts[path] ?? 0) > (best.flatMap { counts[$0] } ?? 0) { best = path }
        if let best { return best }
        let second = order.filter { $0.count == 2 }
        if second.count == 1, order.contains(where: { $0.count == 3 }) { return second[0] }
        guard let root = order.first, order.count > 1 else { throw ContainerError.noRecords }
        return root
    }

    mutating func convert() throws {
        var depth = 0, matched = 0
        while true {
            switch try scanner.next() {
            case .start:
                depth += 1
                if matched == depth - 1, depth <= path.count, try scanner.string(scanner.name) == path[depth - 1] {
                    matched = depth
                }
                if matched == path.count, depth == path.count {
                    try record()
                    depth -= 1
                    matched = depth
                }
            case .end:
                depth -= 1
                matched = min(matched, depth)
            case .text: break
            case .eof:
                if !out.isEmpty { try sink(out) }
                return
            }
        }
    }

    /// Everything from behind the start tag of a record through its end tag.
    private mutating func record() throws {
        let line = scanner.line
        order.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        var names: [String] = [], texts: [[UInt8]] = [[]], hasParts = [false], isNil = [false]
        var bytes = 0
        isNil[0] = try attributes("")
        while true {
            switch try scanner.next() {
            case .start:
                names.append(try scanner.string(scanner.name))
                hasParts[hasParts.count - 1] = true
                texts.append([])
                hasParts.append(false)
                isNil.append(try attributes(names.joined(separator: ".")))
            case .text:
                bytes += scanner.text.count
                guard bytes <= Self.recordBytesMax else {
                    throw scanner.fault("a record is larger than 64 MB", "单条记录超过 64 MB")
                }
                texts[texts.count - 1] += scanner.text
            case .end:
                let text = texts.removeLast(), parts = hasParts.removeLast(), null = isNil.removeLast()
                let trimmed = text.withUnsafeBufferPointer { Array(TextTrim.trimmed($0)) }
                if names.isEmpty {
                    if !trimmed.isEmpty { add("text", trimmed) }
                    return try write(line)
                }
                let key = names.joined(separator: ".")
                if null { add(key, nil) } else if !parts || !trimmed.isEmpty { add(key, trimmed) }
                names.removeLast()
            case .eof: return
            }
            guard order.count <= Self.columnsMax else {
                throw scanner.fault("a record has more than \(Self.columnsMax) values", "单条记录超过 \(Self.columnsMax) 个值")
            }
        }
    }

    /// - Returns: whether the element says that it is null.
    private mutating func attributes(_ prefix: String) throws -> Bool {
        var isNil = false
        for (name, value) in scanner.attributes {
            let key = try scanner.string(name)
            let text = try scanner.string(value)
            if key == "nil", text == "true" || text == "1" {
                isNil = true
            } else if !text.contains("://www.w3.org/"), key != "schemaLocation", key != "noNamespaceSchemaLocation" {
                add(prefix.isEmpty ? key : prefix + "." + key, Array(text.utf8))
            }
        }
        return isNil
    }

    private mutating func add(_ key: String, _ value: [UInt8]?) {
        if values[key] == nil { order.append(key) }
        values[key, default: []].append(value)
    }

    private mutating func write(_ line: Int) throws {
        out += Placed.jsonStart
        out += String(line).utf8
        for key in order {
            out.append(Ascii.comma)
            JSONString.append(Array(key.utf8), to: &out)
            out.append(Ascii.colon)
            let list = values[key] ?? []
            if list.count > 1 { out.append(UInt8(ascii: "[")) }
            for (index, value) in list.enumerated() {
                if index > 0 { out.append(Ascii.comma) }
                if let value { JSONString.append(value, to: &out) } else { out += "null".utf8 }
            }
            if list.count > 1 { out.append(UInt8(ascii: "]")) }
        }
        out += "}\n".utf8
        if out.count > 1 << 18 {
            try sink(out)
            out.removeAll(keepingCapacity: true)
        }
    }
}

/// The whole way of an XML file from its bytes to records, for those who try it with any bytes.
package enum XMLReading {
    /// - Parameters:
    ///   - size: how many bytes the source gives at once.
    /// - Returns: the records, a JSON object a line.
    /// - Throws: `ContainerError`.
    package static func records(_ bytes: [UInt8], size: Int) throws -> [UInt8] {
        var at = 0
        func pull() -> [UInt8]? {
            guard at < bytes.count else { return nil }
            defer { at = min(at + max(1, size), bytes.count) }
            return Array(bytes[at..<min(at + max(1, size), bytes.count)])
        }
        var out: [UInt8] = []
        var records = XMLRecords(pull, path: try XMLRecords.recordPath(head: bytes, isWhole: true)) { out += $0 }
        try records.convert()
        return out
    }
}

enum JSONString {
    private static let hex = Array("0123456789abcdef".utf8)

    /// Appends UTF-8 text as a JSON string.
    static func append(_ text: [UInt8], to out: inout [UInt8]) {
        out.append(Ascii.quote)
        for byte in text {
            switch byte {
            case Ascii.quote, UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case Ascii.lf: out += "\\n".utf8
            case 0..<Ascii.space: out += "\\u00".utf8 + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            default: out.append(byte)
            }
        }
        out.append(Ascii.quote)
    }
}
