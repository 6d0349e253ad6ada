import Foundation
import Testing

@testable import Tabular

@Suite("Encodings")
struct EncodingTests {
    static let simplified = "编号,姓名,备注\n1,张伟,客户反映流量不够用，希望升级套餐\n2,李娜,宽带经常断线，要求上门检修\n3,王芳,对账单有疑问\n"
    static let traditional = "編號,姓名,備註\n1,張偉,客戶反映流量不夠用，希望升級方案\n2,李娜,寬頻經常斷線，要求到府檢修\n3,王芳,對帳單有疑問\n"
    static let french = "id,nom,note\n1,André,déjà réglé à la boutique\n2,Zoë,façade côté rue, 5 €\n"

    @Test("each encoding is recognised in a short extract, and decoded to the same text")
    func recognised() throws {
        let cases: [(TextEncoding, [UInt8], String)] = [
            (.utf8, try bytes(Self.simplified), Self.simplified),
            (.utf8, [0xEF, 0xBB, 0xBF] + (try bytes(Self.traditional)), Self.traditional),
            (.utf16LittleEndian, utf16(Self.simplified, bigEndian: false), Self.simplified),
            (.utf16BigEndian, utf16(Self.french, bigEndian: true), Self.french),
            (.gb18030, try bytes(Self.simplified, .gb18030), Self.simplified),
            (.big5, try bytes(Self.traditional, .big5), Self.traditional),
            (.windows1252, try bytes(Self.french, .windowsCP1252), Self.french),
        ]
        for (encoding, file, text) in cases {
            let guess = EncodingGuess(sample: file, isWhole: true)
            #expect(guess.encoding == encoding)
            #expect(guess.confidence >= 0.7, "\(encoding): \(guess)")
            #expect(decode(file, encoding, piece: 5) == text)
        }
    }

    @Test("traditional Chinese in GB18030 and simplified text with few characters are told from Big5")
    func hardCases() throws {
        #expect(EncodingGuess(sample: try bytes(Self.traditional, .gb18030), isWhole: true).encoding == .gb18030)
        for name in ["张伟", "李娜", "王芳", "刘洋", "陈静"] {
            let guess = EncodingGuess(sample: try bytes("id,name\n1,\(name)\n", .gb18030), isWhole: true)
            #expect(guess.encoding == .gb18030, "\(name): \(guess)")
            #expect(guess.confidence < 0.99)
        }
        for name in ["張偉", "陳怡君", "林志豪", "黃淑惠", "劉美玲"] {
            let guess = EncodingGuess(sample: try bytes("id,name\n1,\(name)\n", .big5), isWhole: true)
            #expect(guess.encoding == .big5, "\(name): \(guess)")
        }
        for word in ["café", "Müller", "señor", "Århus", "5 £", "coût élevé"] {
            let guess = EncodingGuess(sample: try bytes("id,name\n1,\(word)\n", .windowsCP1252), isWhole: true)
            #expect(guess.encoding == .windows1252, "\(word): \(guess)")
        }
    }

    @Test("a sample that ends in the middle of a character fools nobody")
    func cutSample() throws {
        for length in 60..<90 {
            let utf8 = Array(try bytes(Self.simplified).prefix(length))
            #expect(EncodingGuess(sample: utf8, isWhole: false).reason == .validUTF8, "\(length)")
            let gb = Array(try bytes(Self.simplified, .gb18030).prefix(length))
            #expect(EncodingGuess(sample: gb, isWhole: false).encoding == .gb18030, "\(length)")
            let big5 = Array(try bytes(Self.traditional, .big5).prefix(length))
            #expect(EncodingGuess(sample: big5, isWhole: false).encoding == .big5, "\(length)")
        }
    }

    @Test("reasons: ASCII, byte order mark, UTF-16 without a mark, UTF-8 with a damaged byte")
    func reasons() throws {
        #expect(EncodingGuess(sample: Array("a,b\n".utf8), isWhole: true).reason == .asciiOnly)
        #expect(EncodingGuess(sample: utf16("a", bigEndian: true), isWhole: true).reason == .byteOrderMark)
        let plain = EncodingGuess(sample: utf16("id,name\n1,x\n", bigEndian: false, mark: false), isWhole: true)
        #expect(plain.reason == .zeroBytePattern)
        #expect(plain.encoding == .utf16LittleEndian)
        var damaged = try bytes(Self.simplified)
        damaged[damaged.count - 3] = 0xFF
        let guess = EncodingGuess(sample: damaged, isWhole: true)
        #expect(guess.reason == .mostlyValidUTF8)
        #expect(guess.encoding == .utf8)
    }

    @Test("a workbook, an archive and a PDF are not taken for text")
    func binaries() throws {
        for (head, kind) in BinaryKind.signatures {
            #expect(throws: TabularError.notText(kind)) { try read(head + [1, 2, 3, 4], options: TabularOptions()) }
        }
    }

    @Test("programs, pictures, archives and other bytes are told apart from text, packed or under a named encoding too")
    func noText() throws {
        let kinds: [([UInt8], BinaryKind)] = [
            ([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0], .elf), ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
            ([0xFF, 0xD8, 0xFF, 0xE0], .jpeg), (Array("GIF89a".utf8), .gif), (Array("RIFF1234WEBPVP8 ".utf8), .webp),
            ([0, 0, 0, 0x18] + Array("ftypmp42".utf8), .mp4), (Array("BZh91AY&SY".utf8), .bzip2),
            (Array("PAR1".utf8) + [0x15, 4], .parquet), (Array("%PDF-1.7\n".utf8), .pdf),
        ]
        for (head, kind) in kinds {
            for encoding in [nil, .windows1252, .utf8] as [TextEncoding?] {
                var options = TabularOptions()
                options.encoding = encoding
                #expect(throws: TabularError.notText(kind), "\(kind) \(String(describing: encoding))") {
                    try read(head + Array(" a,b\n1,2\n".utf8), options: options)
                }
            }
            #expect(throws: TabularError.notText(kind), "\(kind) in gzip") {
                _ = try Unwrapped(Packing.gzip(head + Array(" a,b\n".utf8)))
            }
            #expect(!kind.words.en.isEmpty && kind.words.zh != kind.words.en && !kind.advice.zh.isEmpty)
        }
        // No mark at all: bytes of any value.
        var random = SeededGenerator(seed: 77)
        let bytes = (0..<4_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(throws: TabularError.notText(.unknown)) { try read(bytes, options: TabularOptions()) }
        // Words that begin like a mark, a damaged row, wide text.
        for text in ["PAR1,b\n1,2\n", "RIFF,b\n1,2\n", "ORC,b\n1,2\n", "BZh9,b\n1,2\n", "ID3,b\n1,2\n", "a,b\n\0\0,2\n1,\u{1B}x\n"] {
            #expect(BinaryKind(firstBytes: Array(text.utf8)) == nil, "\(text)")
        }
        for mark in [true, false] {
            for big in [true, false] {
                #expect(BinaryKind(firstBytes: utf16("id,name\n1,Ann\n2,Bo\n", bigEndian: big, mark: mark)) == nil)
            }
        }
    }

    @Test("every Chinese character survives GB18030 and Big5, checked against the platform's encoder")
    func wholeTables() throws {
        var text = "", checkedBig5 = 0
        for value in UInt32(0x4E00)...0x9FA5 { text.unicodeScalars.append(Unicode.Scalar(value) ?? " ") }
        text += "€éЯあア①【】，。！？㐀䶵\u{20000}\u{2A6D6}😀"
        #expect(decode(try bytes(text, .gb18030), .gb18030, piece: 1_001) == text)
        for scalar in text.unicodeScalars {
            guard let encoded = String(scalar).data(using: .big5), encoded.count == 2 else { continue }
            checkedBig5 += 1
            #expect(decode([UInt8](encoded), .big5, piece: 1) == String(scalar))
        }
        #expect(checkedBig5 > 12_000)
    }

    @Test("Windows-1252 agrees with the platform on all bytes that have a meaning")
    func windows1252() throws {
        var checked = 0
        for byte in UInt8(0x80)...0xFF {
            guard let text = String(data: Data([byte]), encoding: .windowsCP1252),
                let decoded = decode([byte], .windows1252, piece: 1)
            else { continue }
            #expect(decoded == text)
            checked += 1
        }
        #expect(checked == 123)
    }

    @Test(
        "the first undecodable sequence is named by source offset and line",
        arguments: [
            (TextEncoding.utf8, [0xE5, 0xBC], 2), (.gb18030, [0xFF], 1), (.gb18030, [0x81, 0x20], 1),
            (.big5, [0x80], 1), (.windows1252, [0x81], 1), (.utf16LittleEndian, [0x00, 0xDC], 2),
        ])
    func undecodable(_ encoding: TextEncoding, _ bad: [UInt8], _ length: Int) throws {
        let head =
            encoding == .utf16LittleEndian ? utf16("a,b\r\n1,2\r3,", bigEndian: false) : Array("a,b\r\n1,2\r3,".utf8)
        let tail = encoding == .utf16LittleEndian ? utf16("x\n", bigEndian: false, mark: false) : Array("x\n".utf8)
        for piece in [1, 3, 100] {
            var transcoder = Transcoder(encoding: encoding), out: [UInt8] = []
            let error = #expect(throws: UndecodableText.self) {
                let next = source(head + bad + tail, pieces: [piece])
                while let chunk = try next() { try transcoder.decode(chunk, into: &out) }
                try transcoder.finish(into: &out)
            }
            #expect(error?.sourceOffset == head.count)
            #expect(error?.line == 3)
            #expect(error?.bytes == Array(bad.prefix(length)))
            #expect(error?.isTruncatedEnd == false)
            #expect(String(decoding: out, as: UTF8.self) == "a,b\r\n1,2\r3,")
        }
    }

    @Test("a file that ends in the middle of a character says so")
    func truncatedEnd() throws {
        for encoding in [TextEncoding.utf8, .gb18030] {
            let file = try bytes("a\n张伟", encoding == .utf8 ? .utf8 : .gb18030).dropLast()
            let error = #expect(throws: TabularError.self) {
                try read(Array(file), options: TabularOptions(name: "a.csv", encoding: encoding))
            }
            guard case .undecodable(let found)? = error else {
                Issue.record("another error: \(String(describing: error))")
                return
            }
            #expect(found.isTruncatedEnd)
            #expect(found.line == 2)
        }
    }

    @Test("UTF-8 is checked by RFC 3629: overlong forms, surrogates and values past U+10FFFF are bad")
    func strictUTF8() {
        for bad: [UInt8] in [
            [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE5, 0x41],
        ] {
            #expect(decode(bad, .utf8, piece: 1) == nil)
        }
        #expect(decode(Array("\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFD}\u{10FFFF}".utf8), .utf8, piece: 1) != nil)
    }

    @Test("undecodable bytes may reject their record only, or be replaced")
    func rejectOrReplace() throws {
        var file = try bytes("id,name\n1,张伟\n", .gb18030)
        file += [0x32, 0x2C, 0xB0, 0xFF, 0x0A] + (try bytes("3,李娜\n", .gb18030))
        let rejecting = try read(
            file, options: TabularOptions(name: "a.csv", encoding: .gb18030, onUndecodable: .reject), pieces: [3])
        #expect(rejecting.rows == [["1", "张伟"], ["3", "李娜"]])
        #expect(rejecting.rejects.map(\.reason) == [.undecodableBytes])
        #expect(rejecting.rejects.first?.line == 3)
        #expect(rejecting.rejects.first?.column == 3)
        let replacing = try read(
            file, options: TabularOptions(name: "a.csv", encoding: .gb18030, onUndecodable: .replace))
        #expect(replacing.rows[1] == ["2", "\u{FFFD}\u{FFFD}"])
        #expect(throws: TabularError.self) {
            try read(file, options: TabularOptions(name: "a.csv", encoding: .gb18030))
        }
    }

    @Test("records before an undecodable place are handed out before the error")
    func recordsBeforeError() throws {
        var reader = TabularReader(
            options: TabularOptions(encoding: .utf8), bytes: Array("a,b\n1,2\n3,".utf8) + [0xFF, 0x0A])
        var rows = 0
        let error = #expect(throws: TabularError.self) {
            while let event = try reader.next() { if case .record = event { rows += 1 } }
        }
        #expect(rows == 1)
        #expect(
            error
                == .undecodable(
                    UndecodableText(encoding: .utf8, sourceOffset: 10, line: 3, bytes: [0xFF], isTruncatedEnd: false)))
    }

    private func decode(_ file: [UInt8], _ encoding: TextEncoding, piece: Int) -> String? {
        var transcoder = Transcoder(encoding: encoding), out: [UInt8] = []
        do {
            let next = source(file, pieces: [piece])
            while let chunk = try next() { try transcoder.decode(chunk, into: &out) }
            try transcoder.finish(into: &out)
        } catch {
            return nil
        }
        return String(decoding: out, as: UTF8.self)
    }
}
