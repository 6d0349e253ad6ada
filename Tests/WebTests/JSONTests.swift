import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

@Suite("Strict JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    @Test(
        "what decoders disagree about is refused",
        arguments: [
            #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"a":1,"a":1}}"#,
            "\"\\u0000\"", "\"a\u{0}b\"", "{\"\\u0000\":1}",
            #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\u0041""#, #""\udc00\ud800""#, #""\ud800\ud800""#,
            "1e999", "-1e999", "[1e400]", "1" + String(repeating: "0", count: 400),
            "1 2", "{} {}", "[1]x", "null,", "\u{FEFF}1", "1//", "/* */1",
            "", " ", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
            "{a:1}", "{'a':1}",
            "{1:2}", "{,}", "\"", "\"abc", "\"\\", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u+123\"",
            "\"\\u-123\"", "\"\\u 123\"",
            "\"a\nb\"", "\"a\tb\"", "\"\u{1F}\"",
            "01", "-01", "-", "+1", ".5", "5.", "1e", "1e+", "1.e5", "0x10", "1_000", "NaN", "Infinity", "-Infinity",
            "tru", "True", "nul", "truefalse", "undefined",
        ])
    func refused(text: String) {
        let error = #expect(throws: CRMError.self, "\(text)") { try parse(text) }
        #expect(error?.status == 400 && error?.code == "invalid_json")
    }

    @Test(
        "bytes that are no UTF-8 are refused",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xE7, 0x8E, 0x22], [0xFF, 0xFE, 0x31, 0x00],
        ] as [[UInt8]])
    func badUTF8(bytes: [UInt8]) {
        let error = #expect(throws: CRMError.self) { try JSONValue.parse(bytes) }
        #expect(error?.status == 400)
    }

    @Test("nesting is allowed to depth 32, in arrays and objects, and a deep bomb is refused at once")
    func depth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            _ = try parse(nested(Limits.jsonDepthMax, open, close))
            #expect(throws: CRMError.self) { try parse(nested(Limits.jsonDepthMax + 1, open, close)) }
            #expect(throws: CRMError.self) { try parse(nested(100_000, open, close)) }
            #expect(throws: CRMError.self) { try parse(String(repeating: open, count: 200_000)) }
        }
    }

    @Test("valid texts mean what RFC 8259 says")
    func accepted() throws {
        #expect(try parse(" null ") == .null)
        #expect(try parse("\t[true,false]\r\n") == .array([.bool(true), .bool(false)]))
        #expect(try parse("9223372036854775807") == .int(.max))
        #expect(try parse("-9223372036854775808") == .int(.min))
        #expect(try parse("9223372036854775808") == .decimal("9223372036854775808"))
        #expect(try parse("-0") == .int(0))
        #expect(try parse("1.0") == .double(1))
        #expect(try parse("1E2") == .double(100))
        #expect(try parse("-1.5e-3") == .double(-0.0015))
        #expect(try parse("1e-400") == .double(0))
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9""#) == .string("\"\\/\u{8}\u{C}\n\r\té"))
        #expect(try parse(#""\ud83d\ude42""#) == .string("🙂"))
        #expect(try parse("\"🙂王\u{7F}\"") == .string("🙂王\u{7F}"))
        #expect(try parse(#"{"b":{},"a":[]}"#) == .object(["b": .object([:]), "a": .array([])]))
        #expect(try parse("{\"\":0}") == .object(["": .int(0)]))
    }

    @Test("an error tells the byte where it is")
    func offset() {
        let error = #expect(throws: CRMError.self) { try parse(#"{"name":tru}"#) }
        #expect(error?.message.en.contains("byte 8") == true)
        #expect(error?.message.zh.contains("第 8 字节") == true)
    }

    @Test("texts are safe inside a page and keys come in one order")
    func encoding() {
        let value = JSONValue.object([
            "b": .string("</script><!--&\u{2028}"), "a": .double(.nan), "c": .string("a/\"\\\n\u{1}\u{7F}"),
        ])
        let text = value.encoded()
        #expect(
            text
                == "{\"a\":null,\"b\":\"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\",\"c\":\"a/\\\"\\\\\\n\\u0001\\u007f\"}"
        )
        for sign in ["<", ">", "&", "\u{2028}", "\n"] { #expect(!text.contains(sign)) }
    }

    @Test("every character is written so that it is read back, and none that a page or a reader's eye must not meet")
    func everyCharacter() throws {
        let hidden: [ClosedRange<UInt32>] = [0...31, 0x7f...0x9f, 0x061c...0x061c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069]
        for block in stride(from: UInt32(0), to: 0x20000, by: 64) {
            let scalars = (block..<block + 64).compactMap(Unicode.Scalar.init)
            let text = scalars.map { "\($0)x" }.joined()
            let written = JSONValue.string(text).encoded()
            #expect(try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed) as? String == text, "\(block)")
            let shown = Set(written.unicodeScalars.dropFirst().dropLast().map(\.value))
            for scalar in scalars.map(\.value) where scalar > 0x7e {
                let isHidden = scalar == 0xfeff || hidden.contains { $0.contains(scalar) }
                #expect(shown.contains(scalar) != isHidden, "\(scalar)")
            }
            #expect(shown.isDisjoint(with: [60, 62, 38]) && !shown.contains { $0 < 32 })
        }
    }

    private func random(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        func text() -> String {
            let pool = Array("aZ09\"\\/\n\r\t\u{1}\u{8}<>&'é王🙂\u{2028}\u{FFFD}\u{10FFFF}\u{7F} {}[]:,".unicodeScalars)
            var result = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                result.append(pool[Int.random(in: 0..<pool.count, using: &generator)])
            }
            return String(result)
        }
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2:
            return .int(
                Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0...63, using: &generator))
        case 3:
            return .double(
                Double(bitPattern: generator.next()).isFinite
                    ? Double.random(in: -1e15...1e15, using: &generator) + 0.5 : Double.leastNonzeroMagnitude)
        case 4, 5: return .string(text())
        case 6:
            return .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in random(&generator, depth: depth - 1) })
        default:
            var fields: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                fields[text()] = random(&generator, depth: depth - 1)
            }
            return .object(fields)
        }
    }

    @Test("any tree that is written is read back the same, also by Foundation's parser")
    func roundTrip() async throws {
        var generator = SeededGenerator(seed: 2_024)
        for round in 0..<1_000 {
            if round % 50 == 0 { await Task.yield() }
            let value = random(&generator, depth: 6)
            let text = value.encoded()
            #expect(try parse(text) == value, "\(text)")
            #expect(try parse(text).encoded() == text)
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        }
    }

    @Test("no byte string whatever brings the parser down, and what it accepts Foundation accepts too")
    func fuzz() async throws {
        var generator = SeededGenerator(seed: 99)
        let seeds = [#"{"a":[1,-2.5e3,true,null],"b":"\u00e9\ud83d\ude42"}"#, #"[[],{},"",0,{"x":{"y":[{}]}}]"#].map {
            Array($0.utf8)
        }
        let signs = Array("{}[]:,\"\\u0123456789eE+-.tfn \n\u{0}é".utf8) + [0xFF, 0xC0, 0x80]
        for round in 0..<12_000 {
            // The server tests of this run need a thread, too.
            if round % 200 == 0 { await Task.yield() }
            var bytes = round % 3 == 0 ? [] : seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let sign = signs[Int.random(in: 0..<signs.count, using: &generator)]
                let at = Int.random(in: 0...bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.insert(sign, at: at)
                case 1: if at < bytes.count { bytes[at] = sign }
                default: if at < bytes.count { bytes.remove(at: at) }
                }
            }
            guard let value = try? JSONValue.parse(bytes) else { continue }
            #expect(try JSONValue.parse(Array(value.encoded().utf8)) == value)
            #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") {
                _ = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            }
        }
    }

    @Test("a number that a double would round is written as it was read; one that it holds is a number as before")
    func decimals() throws {
        for text in [
            "12345678901234567890", "0.1234567890123456789", "-3.14159265358979323846", "1234567890123456.7", "100000000000000000000000",
            "1.00000000000000000000001e5", "0.30000000000000004000",
        ] {
            let value = try JSONValue.parse(Array("[\(text)]".utf8))
            #expect(value == .array([.decimal(text)]) && value.encoded() == "[\(text)]", "\(text)")
            #expect(value.array?.first?.double == Double(text))
        }
        for (text, number) in [("0.1", 0.1), ("1e3", 1000), ("0.000000000000000000001", 1e-21), ("1.50", 1.5)] {
            #expect(try JSONValue.parse(Array(text.utf8)) == .double(number), "\(text)")
        }
        #expect(try JSONValue.parse(Array("9223372036854775807".utf8)) == .int(.max))
    }

    @Test("what is wrong inside of a document is told with its place")
    func places() throws {
        for (text, place) in [
            (#"{"a":[{"b":1},{"name":"x\u0000"}]}"#, "a[1].name"), (#"[[1],["\u0000"]]"#, "[1][0]"), (#"{"a":{"b":1e999}}"#, "a.b"),
        ] {
            let error = #expect(throws: CRMError.self) { try JSONValue.parse(Array(text.utf8)) }
            #expect(error?.code == "invalid_json" && error?.status == 400 && error?.fields.first?.field == place, "\(text): \(error?.message.en ?? "")")
        }
        let error = #expect(throws: CRMError.self) { try JSONValue.parse(Array(#"{"name":"\u0000"}"#.utf8)) }
        #expect(error?.message.en.contains("“name”") == true && error?.message.en.contains("U+0000") == true)
    }
}
