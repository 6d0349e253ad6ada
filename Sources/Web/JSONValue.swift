import Foundation
import Kernel

/// A JSON text after the strict gate: no duplicate key, no NUL, no lone surrogate, no number beyond a double, depth at
/// most 32, valid UTF-8, nothing after the value. `JSONDecoder` would let these pass (security.md, decision 4).
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// An integer within Int64 keeps its exact value.
    case int(Int64)
    case double(Double)
    /// A number that neither of these gives back, as it was written: more digits than a double has, or an integer beyond Int64.
    case decimal(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var int: Int64? { if case .int(let value) = self { value } else { nil } }
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .decimal(let text): Double(text)
        default: nil
        }
    }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

    /// An attribute; `nil` of what is no object.
    package subscript(name: String) -> JSONValue? { object?[name] }

    package static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// The JSON text; object keys in sorted order, slashes not escaped, `</` safe inside a page.
    package func encoded() -> String {
        var bytes: [UInt8] = []
        write(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(_ out: inout [UInt8]) {
        switch self {
        case .null: out += "null".utf8
        case .bool(let value): out += (value ? "true" : "false").utf8
        case .int(let value): out += String(value).utf8
        case .double(let value): out += (value.isFinite ? "\(value)" : "null").utf8
        case .decimal(let text): out += text.utf8
        case .string(let text): JSONEscapes.append(text, to: &out)
        case .array(let items):
            out.append(91)
            for (offset, item) in items.enumerated() {
                if offset > 0 { out.append(44) }
                item.write(&out)
            }
            out.append(93)
        case .object(let fields):
            out.append(123)
            for (offset, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if offset > 0 { out.append(44) }
                JSONEscapes.append(field.key, to: &out)
                out.append(58)
                field.value.write(&out)
            }
            out.append(125)
        }
    }

    /// Parses one JSON text.
    /// - Throws: `CRMError` 400 with the byte offset and the reason.
    package static func parse(_ bytes: [UInt8]) throws -> JSONValue {
        var parser = StrictJSONParser(bytes)
        return try parser.parse()
    }
}

/// A recursive descent parser over bytes (RFC 8259) that refuses what decoders disagree about.
struct StrictJSONParser {
    private let bytes: [UInt8]
    private var at = 0
    /// Where the reading failed: names and numbers from the inside out.
    private var trail: [String] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw error("invalid UTF-8", "UTF-8 无效") }
        let value: JSONValue
        do { value = try self.value(depth: 0) } catch let error as CRMError where !trail.isEmpty {
            // The place is said besides the byte: who wrote a document does not count its bytes.
            let place = String(trail.reversed().reduce("") { $0 + ($1.hasPrefix("[") || $0.isEmpty ? $1 : "." + $1) }.prefix(200))
            let words = Words(en: "“\(place)”: \(error.message.en)", zh: "“\(place)”：\(error.message.zh)")
            throw CRMError(error.code, status: error.status, words, fields: [.init(field: place, code: error.code, message: words)])
        }
        skipSpace()
        guard at == bytes.count else { throw error("text after the value", "值之后还有内容") }
        return value
    }

    private func error(_ en: String, _ zh: String) -> CRMError {
        CRMError.badRequest(
            "invalid_json", Words(en: "Invalid JSON at byte \(at): \(en).", zh: "JSON 在第 \(at) 字节处无效：\(zh)。"))
    }

    private mutating func skipSpace() {
        while at < bytes.count, [32, 9, 10, 13].contains(bytes[at]) { at += 1 }
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth <= Limits.jsonDepthMax else { throw error("nested deeper than \(Limits.jsonDepthMax)", "嵌套过深") }
        skipSpace()
        guard at < bytes.count else { throw error("unexpected end", "意外结束") }
        switch bytes[at] {
        case 123: return try object(depth: depth)
        case 91: return try array(depth: depth)
        case 34: return .string(try string())
        case 116: return try word("true", .bool(true))
        case 102: return try word("false", .bool(false))
        case 110: return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws -> JSONValue {
        guard bytes[at...].starts(with: word.utf8) else { throw error("unknown word", "未知的词") }
        at += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        at += 1
        var fields: [String: JSONValue] = [:]
        skipSpace()
        if at < bytes.count, bytes[at] == 125 {
            at += 1
            return .object(fields)
        }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == 34 else { throw error("a key is expected", "应为键") }
            let key = try string()
            guard fields[key] == nil else { throw error("duplicate key", "键重复") }
            skipSpace()
            guard at < bytes.count, bytes[at] == 58 else { throw error("“:” is expected", "应为“:”") }
            at += 1
            do { fields[key] = try value(depth: depth + 1) } catch {
                trail.append(key)
                throw error
            }
            skipSpace()
            guard at < bytes.count else { throw error("unexpected end", "意外结束") }
            at += 1
            if bytes[at - 1] == 125 { return .object(fields) }
            guard bytes[at - 1] == 44 else { throw error("“,” or “}” is expected", "应为“,”或“}”") }
        }
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        at += 1
        var items: [JSONValue] = []
        skipSpace()
        if at < bytes.count, bytes[at] == 93 {
            at += 1
            return .array(items)
        }
        while true {
            do { items.append(try value(depth: depth + 1)) } catch {
                trail.append("[\(items.count)]")
                throw error
            }
            skipSpace()
            guard at < bytes.count else { throw error("unexpected end", "意外结束") }
            at += 1
            if bytes[at - 1] == 93 { return .array(items) }
            guard bytes[at - 1] == 44 else { throw error("“,” or “]” is expected", "应为“,”或“]”") }
        }
    }

    private mutating func string() throws -> String {
        at += 1
        var out: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 34: return String(decoding: out, as: UTF8.self)
            case 0..<32: throw error("control character in a string", "字符串中有控制字符")
            case 92: try escape(&out)
            default: out.append(byte)
            }
        }
        throw error("a string does not end", "字符串未结束")
    }

    private mutating func escape(_ out: inout [UInt8]) throws {
        guard at < bytes.count else { throw error("unexpected end", "意外结束") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case 34, 92, 47: out.append(byte)
        case 98: out.append(8)
        case 102: out.append(12)
        case 110: out.append(10)
        case 114: out.append(13)
        case 116: out.append(9)
        case 117:
            var code = try hex4()
            if (0xDC00...0xDFFF).contains(code) { throw error("lone surrogate", "孤立的代理码") }
            if (0xD800...0xDBFF).contains(code) {
                guard at + 1 < bytes.count, bytes[at] == 92, bytes[at + 1] == 117 else {
                    throw error("lone surrogate", "孤立的代理码")
                }
                at += 2
                let low = try hex4()
                guard (0xDC00...0xDFFF).contains(low) else { throw error("lone surrogate", "孤立的代理码") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard code != 0, let scalar = Unicode.Scalar(code) else { throw error("the character U+0000, which no text may have", "文本不能包含字符 U+0000") }
            out += Array(Character(scalar).utf8)
        default: throw error("unknown escape", "未知的转义")
        }
    }

    private mutating func hex4() throws -> UInt32 {
        guard at + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
            bytes[at] != 43, bytes[at] != 45
        else { throw error("four hexadecimal digits are expected", "应为四位十六进制数") }
        at += 4
        return code
    }

    private mutating func number() throws -> JSONValue {
        let start = at
        func digits() -> Int {
            let from = at
            while at < bytes.count, (48...57).contains(bytes[at]) { at += 1 }
            return at - from
        }
        if at < bytes.count, bytes[at] == 45 { at += 1 }
        let leading = at
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[leading] != 48 else { throw error("not a value", "不是有效值") }
        var isInteger = true
        var fraction = 0
        if at < bytes.count, bytes[at] == 46 {
            at += 1
            isInteger = false
            fraction = digits()
            guard fraction > 0 else { throw error("digits are expected", "应为数字") }
        }
        if at < bytes.count, bytes[at] == 101 || bytes[at] == 69 {
            at += 1
            isInteger = false
            if at < bytes.count, bytes[at] == 43 || bytes[at] == 45 { at += 1 }
            guard digits() > 0 else { throw error("digits are expected", "应为数字") }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw error("a number is too large", "数值过大") }
        // A double holds fifteen digits for certain; of more it may have made other ones.
        guard whole + fraction > 15 else { return .double(value) }
        let digits = text.utf8.prefix { $0 != 101 && $0 != 69 }.filter { (48...57).contains($0) }.drop { $0 == 48 }
        return digits.count > 15 && "\(value)" != text ? .decimal(text) : .double(value)
    }
}
