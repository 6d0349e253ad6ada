import Foundation

/// Finds text that was decoded with the wrong code page ("mojibake") and undoes it where nothing was lost.
package enum TextRepair {
    package enum Cause: String, Sendable, Codable, CaseIterable {
        /// `å¼ ä¼Ÿ`: UTF-8 read as Windows-1252.
        case utf8AsLatin = "utf8_as_latin"
        /// `寮犱紵`: UTF-8 read as GBK.
        case utf8AsGBK = "utf8_as_gbk"
        /// `ÕÅÎ°`: GBK read as Windows-1252.
        case gbkAsLatin = "gbk_as_latin"
        /// U+FFFD or `锟斤拷`: the bytes are gone.
        case lost
    }

    package enum Verdict: Sendable, Equatable {
        case fine
        case repaired(String, Cause)
        /// It is damaged, and what it was cannot be told.
        case refused(Cause)
    }

    /// - Parameter text: one value.
    package static func judge(_ text: String) -> Verdict {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return .fine }
        if text.unicodeScalars.contains("\u{FFFD}") || text.contains("锟斤拷") || text.contains("ï¿½") {
            return .refused(.lost)
        }
        if let bytes = latinBytes(text) {
            if let utf8 = String(validating: bytes, as: UTF8.self), utf8 != text { return .repaired(utf8, .utf8AsLatin) }
            if let chinese = gbk(bytes) { return .repaired(chinese, .gbkAsLatin) }
            return .fine
        }
        return readAsGBK(text)
    }

    private static let latin: [UInt32: UInt8] = {
        var table: [UInt32: UInt8] = [:]
        for byte in UInt8(0x80)...0xFF {
            let value = byte <= 0x9F ? CodePages.windows1252[Int(byte) - 0x80] : UInt32(byte)
            // What Windows-1252 leaves open, browsers and Latin-1 read as the control of that number.
            table[value == 0 ? UInt32(byte) : value] = byte
            if table[UInt32(byte)] == nil { table[UInt32(byte)] = byte }
        }
        return table
    }()

    /// The bytes from which Windows-1252 makes this text; nil when it cannot have made it.
    private static func latinBytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 0x80 {
                bytes.append(UInt8(scalar.value))
            } else if let byte = latin[scalar.value] {
                bytes.append(byte)
            } else {
                return nil
            }
        }
        return bytes
    }

    /// GB18030 text of frequent Chinese characters only: `ÄãºÃ` and not `Müller & Søn`.
    private static func gbk(_ bytes: [UInt8]) -> String? {
        var out: [UInt8] = []
        var transcoder = Transcoder(encoding: .gb18030, onUndecodable: .fail)
        guard (try? transcoder.decode(bytes, into: &out)) != nil, (try? transcoder.finish(into: &out)) != nil else {
            return nil
        }
        let text = String(decoding: out, as: UTF8.self)
        let wide = text.unicodeScalars.filter { $0.value >= 0x80 }
        let frequent = wide.count { FrequentCharacters.scalars.contains($0.value) }
        return wide.count >= 2 && frequent * 2 >= wide.count && wide.allSatisfy { isChinese($0.value) } ? text : nil
    }

    private static func readAsGBK(_ text: String) -> Verdict {
        let wide = text.unicodeScalars.filter { $0.value >= 0x80 }
        // Prose is full of frequent characters; what GBK makes of UTF-8 has nearly none.
        let frequent = wide.count { FrequentCharacters.scalars.contains($0.value) }
        guard wide.count >= 2, frequent * 3 < wide.count else { return .fine }
        let encoding = String.Encoding(rawValue: 0x8000_0632)
        guard let data = text.data(using: encoding) else { return .fine }
        if let utf8 = String(validating: data, as: UTF8.self) {
            let found = utf8.unicodeScalars.filter { $0.value >= 0x80 }
            let good = found.count { isChinese($0.value) }
            return found.count >= 2 && good == found.count ? .repaired(utf8, .utf8AsGBK) : .fine
        }
        // An odd number of bytes leaves half a character: `寮犱紵?`. All but the end must be right to say so.
        let decoded = String(decoding: data, as: UTF8.self).unicodeScalars
        let bad = decoded.count { $0 == "\u{FFFD}" }, good = decoded.count { isChinese($0.value) }
        let isOther = decoded.contains { $0.value >= 0x80 && $0 != "\u{FFFD}" && !isChinese($0.value) }
        return bad <= 2 && good >= 3 && !isOther ? .refused(.utf8AsGBK) : .fine
    }

    private static func isChinese(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3000...0x303F, 0xFF01...0xFF5E, 0x2014...0x2026, 0xB7: true
        default: false
        }
    }
}
