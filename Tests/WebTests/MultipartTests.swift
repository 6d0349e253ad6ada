import Foundation
import Kernel
import Testing

@testable import Web

@Suite("Multipart uploads")
struct MultipartTests {
    private struct Part: Equatable {
        let name: String
        let fileName: String?
        let data: [UInt8]
    }

    /// A body as browsers write it.
    private func body(_ parts: [Part], boundary: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in parts {
            bytes += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"".utf8)
            if let file = part.fileName {
                bytes += Array("; filename=\"\(file)\"\r\nContent-Type: application/octet-stream".utf8)
            }
            bytes += Array("\r\n\r\n".utf8) + part.data + [13, 10]
        }
        return bytes + Array("--\(boundary)--\r\n".utf8)
    }

    private func parse(_ body: [UInt8], boundary: String, cuts: (Int) -> Int = { _ in .max }) throws -> [Part] {
        var parser = try MultipartParser(boundary: boundary)
        var found: [Part] = []
        var current: (MultipartPart, [UInt8])?
        var hasEnded = false
        var rest = body[...]
        while true {
            while let event = try parser.next() {
                switch event {
                case .part(let part): current = (part, [])
                case .data(let bytes): current?.1 += bytes
                case .partEnd:
                    if let (part, data) = current {
                        found.append(Part(name: part.name, fileName: part.fileName, data: data))
                    }
                    current = nil
                case .end: hasEnded = true
                }
            }
            if rest.isEmpty { break }
            let piece = rest.prefix(max(1, cuts(rest.count)))
            rest = rest.dropFirst(piece.count)
            try parser.feed(Array(piece))
        }
        try parser.finish()
        #expect(hasEnded && current == nil)
        return found
    }

    @Test("however a body is cut into chunks, the parts are the same", arguments: 1...40)
    func cuts(seed: Int) throws {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        let boundary = "----WebKitFormBoundary" + String(seed)
        // Contents full of what could be taken for a boundary.
        let pieces: [[UInt8]] = [
            [13, 10], [45, 45], Array("\r\n--".utf8), Array("\r\n--\(boundary.dropLast())".utf8), Array(boundary.utf8),
            [0],
            [13], Array("\r\n\r\n".utf8), Array("abc".utf8), [255, 254],
        ]
        let parts = (0..<random(5) + 1).map { number in
            var data: [UInt8] = []
            for _ in 0..<random(30) { data += pieces[random(pieces.count)] }
            // The one thing that must not occur in a part.
            let forbidden = "\r\n--\(boundary)"
            if String(decoding: data, as: UTF8.self).contains(forbidden)
                || data.starts(with: Array(forbidden.utf8).dropFirst(2))
            {
                data = [65]
            }
            return Part(name: "p\(number)", fileName: number == 1 ? "f.csv" : nil, data: data)
        }
        let whole = body(parts, boundary: boundary)
        #expect(try parse(whole, boundary: boundary) == parts)
        #expect(try parse(whole, boundary: boundary) { _ in 1 } == parts, "byte by byte")
        #expect(try parse(whole, boundary: boundary) { _ in random(17) } == parts, "seed \(seed)")
    }

    @Test("a body that ends early, begins late or goes on after its end is refused")
    func malformed() throws {
        let good = body([Part(name: "a", fileName: nil, data: Array("x".utf8))], boundary: "b")
        #expect(try parse(good, boundary: "b").count == 1)
        for cut in 1..<good.count - 2 {
            #expect(throws: CRMError.self, "cut at \(cut)") { _ = try parse(Array(good.prefix(cut)), boundary: "b") }
        }
        #expect(throws: CRMError.self) { _ = try parse(Array("preamble\r\n".utf8) + good, boundary: "b") }
        #expect(throws: CRMError.self) { _ = try parse(good + Array("more".utf8), boundary: "b") }
        #expect(throws: CRMError.self) { _ = try parse(good, boundary: "c") }
    }

    @Test("heads that parsers disagree about are refused")
    func heads() throws {
        let bad = [
            "Content-Disposition: form-data", "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"", "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"\nX: y", "Content-Disposition: form-data; name=\"\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64", "nonsense",
            "Content-Disposition: form-data; name=\"a\u{0}\"",
        ]
        for head in bad {
            let bytes = Array("--b\r\n\(head)\r\n\r\nx\r\n--b--\r\n".utf8)
            #expect(throws: CRMError.self, "\(head)") { _ = try parse(bytes, boundary: "b") }
        }
        for boundary in ["", "a b ", String(repeating: "x", count: 71), "a\"b", "ü"] {
            #expect(throws: CRMError.self) { _ = try MultipartParser(boundary: boundary) }
        }
    }

    @Test("a file name is a word to show, never a path")
    func fileNames() {
        #expect(MultipartParser.safeFileName("../../etc/passwd") == "passwd")
        #expect(MultipartParser.safeFileName("C:\\Users\\x\\客户.csv") == "客户.csv")
        #expect(MultipartParser.safeFileName("a\u{202E}vsc.exe\u{7}") == "avsc.exe")
        #expect(MultipartParser.safeFileName("a%22b.csv") == "a\"b.csv")
        #expect(MultipartParser.safeFileName(String(repeating: "x", count: 500)).count == 200)
    }

    @Test("parts, heads and bodies beyond their limits are refused with 413")
    func limits() throws {
        let limits = MultipartLimits(partsMax: 2, headerBytesMax: 100, fieldBytesMax: 10, bodyBytesMax: 1_000)
        func run(_ bytes: [UInt8]) throws {
            var parser = try MultipartParser(boundary: "b", limits: limits)
            try parser.feed(bytes)
            while try parser.next() != nil {}
        }
        let three = body((1...3).map { Part(name: "n\($0)", fileName: nil, data: []) }, boundary: "b")
        let error = #expect(throws: CRMError.self) { try run(three) }
        #expect(error?.status == 413)
        let long = body([Part(name: String(repeating: "n", count: 200), fileName: nil, data: [])], boundary: "b")
        #expect(#expect(throws: CRMError.self) { try run(long) }?.status == 413)
        let big = body([Part(name: "n", fileName: nil, data: Array(repeating: 65, count: 2_000))], boundary: "b")
        #expect(#expect(throws: CRMError.self) { try run(big) }?.status == 413)
    }

    private func reader(_ bytes: [UInt8], token: String?, header: String? = nil) throws -> MultipartReader {
        var rest = bytes[...]
        return try MultipartReader(boundary: "b", csrfToken: token ?? "secret", headerToken: header) {
            guard !rest.isEmpty else { return nil }
            let piece = Array(rest.prefix(7))
            rest = rest.dropFirst(7)
            return piece
        }
    }

    @Test("the first part must carry the form's token, or the header")
    func csrf() async throws {
        let token = Part(name: "_csrf", fileName: nil, data: Array("secret".utf8))
        let wrong = Part(name: "_csrf", fileName: nil, data: Array("guess".utf8))
        let file = Part(name: "file", fileName: "a.csv", data: Array("a,b\r\n1,2\r\n".utf8))
        var good = try reader(body([token, file], boundary: "b"), token: nil)
        #expect(try await good.nextPart()?.name == "file")
        #expect(try await good.text() == "a,b\r\n1,2\r\n")
        #expect(try await good.nextPart() == nil)
        for parts in [
            [file], [file, token], [wrong, file],
            [Part(name: "_csrf", fileName: "x", data: Array("secret".utf8)), file],
        ] {
            var bad = try reader(body(parts, boundary: "b"), token: nil)
            let error = await #expect(throws: CRMError.self) { _ = try await bad.nextPart() }
            #expect(error?.code == "csrf")
        }
        var header = try reader(body([file], boundary: "b"), token: nil, header: "secret")
        #expect(try await header.nextPart()?.fileName == "a.csv")
        var wrongHeader = try reader(body([file], boundary: "b"), token: nil, header: "guess")
        await #expect(throws: CRMError.self) { _ = try await wrongHeader.nextPart() }
    }

    @Test("a part that was not read is skipped, and a field may not be larger than its limit")
    func skips() async throws {
        let parts = [
            Part(name: "_csrf", fileName: nil, data: Array("secret".utf8)),
            Part(name: "big", fileName: nil, data: Array(repeating: 65, count: 20_000)),
            Part(name: "next", fileName: nil, data: Array("ok".utf8)),
        ]
        var skipping = try reader(body(parts, boundary: "b"), token: nil)
        #expect(try await skipping.nextPart()?.name == "big")
        #expect(try await skipping.nextPart()?.name == "next")
        #expect(try await skipping.text() == "ok")
        var reading = try reader(body(parts, boundary: "b"), token: nil)
        _ = try await reading.nextPart()
        let error = await #expect(throws: CRMError.self) { _ = try await reading.text() }
        #expect(error?.status == 413)
    }
}
