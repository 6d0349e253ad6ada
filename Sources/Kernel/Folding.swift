import Foundation

/// Search and sort keys: what two spellings of the same thing have in common.
package enum Folding {
    /// Lower case, without accents, full-width to half-width, white space collapsed. The stored search column and the
    /// typed query go through the same function, so that they meet.
    package static func fold(_ text: String) -> String {
        foldedShort(text) ?? foldedWhole(text)
    }

    /// Any text, with Foundation.
    static func foldedWhole(_ text: String) -> String {
        let wide = text.applyingTransform(.fullwidthToHalfwidth, reverse: false) ?? text
        let plain = wide.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
        return plain.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The common case without: ASCII and ideographs need neither a transliterator nor Unicode folding, which cost more than writing the
    /// row that the text is of. `nil` = something else is in it.
    static func foldedShort(_ text: String) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var pendingSpace = false
        var rest = 0
        for byte in text.utf8 {
            if rest > 0 {
                rest -= 1
                bytes.append(byte)
                continue
            }
            if byte == 32 || (9...13).contains(byte) {
                pendingSpace = !bytes.isEmpty
                continue
            }
            if pendingSpace {
                bytes.append(32)
                pendingSpace = false
            }
            switch byte {
            case 65...90: bytes.append(byte + 32)
            case ..<0x80: bytes.append(byte)
            // Three bytes of U+4000...U+9FFF: ideographs, which have no case, no accents and one width.
            case 0xE4...0xE9:
                bytes.append(byte)
                rest = 2
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The exclusive upper end of the half-open range that a prefix search scans: `f >= prefix AND f < end`.
    /// U+10FFFF sorts after every character under the C collation.
    package static func prefixEnd(_ prefix: String) -> String { prefix + "\u{10FFFF}" }

    /// Only the digits, half-width.
    package static func digits(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if (48...57).contains(scalar.value) {
                result.unicodeScalars.append(scalar)
            } else if (0xFF10...0xFF19).contains(scalar.value) {
                result.append(Character(Unicode.Scalar(UInt8(scalar.value - 0xFF10 + 48))))
            }
        }
        return result
    }
}
