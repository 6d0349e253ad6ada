import Foundation
import Kernel

/// One value in the form it is compared in.
///
/// `native` is a hash of the folded and simplified text in its own script; `latin` is what remains in `a-z 0-9` with
/// single
/// spaces: accents gone, Chinese as pinyin. Two spellings of one thing meet in `latin`, two different characters
/// with the
/// same sound still differ in `native`.
package final class MatchValue: Sendable, Equatable {
    let native: UInt64
    let latin: [UInt8]
    /// `latin` without spaces.
    let compact: [UInt8]
    /// Of a date `YYYYMMDD`, so too the birth date in an identity number of 18 places; of a number its value times 1,000;
    /// otherwise 0.
    let number: Int64
    /// Of an identity number whose shape and check digit are right.
    let identity: IdentityNumber.Kind?
    /// Which letters, and which pairs of neighbouring letters, occur: most unlike texts are told apart by these alone.
    let letters: UInt64
    let neighbours: UInt64
    /// Of an English given name: the names its words stand for.
    let formals: [Nicknames.Formal]
    /// Of a name: no Chinese character was written, so its words may stand in another order.
    let isLatin: Bool
    /// `compact` as it was before `lv` became `lu`; empty when nothing did.
    let written: [UInt8]

    /// The compared form, for tests and for showing why.
    package var text: String { String(decoding: latin, as: UTF8.self) }

    init?(
        native: some Sequence<UInt8>, latin: [UInt8], number: Int64 = 0, identity: IdentityNumber.Kind? = nil,
        formals: [Nicknames.Formal] = [], isLatin: Bool = false, written: [UInt8] = []
    ) {
        compact = latin.contains(32) ? latin.filter { $0 != 32 } : latin
        guard !compact.isEmpty else { return nil }
        self.native = StableHash.of(native)
        self.latin = latin
        self.number = number
        self.identity = identity
        self.formals = formals
        (self.isLatin, self.written) = (isLatin, written)
        var letters: UInt64 = 0, neighbours: UInt64 = 0, last: UInt64 = 0
        for byte in compact {
            letters |= 1 << UInt64(byte & 63)
            if last != 0 { neighbours |= 1 << ((last &* 31 &+ UInt64(byte)) & 63) }
            last = UInt64(byte)
        }
        (self.letters, self.neighbours) = (letters, neighbours)
    }

    package static func == (a: MatchValue, b: MatchValue) -> Bool {
        a === b
            || (a.native == b.native && a.latin == b.latin && a.number == b.number && a.identity == b.identity)
    }

    /// Whether the two are numbers of one kind whose check digits are right: then two that differ are two people. Nobody's
    /// number of one kind says anything of that of another, which the same person may have.
    func isVerified(like other: MatchValue) -> Bool { identity != nil && identity == other.identity && identity != .macau }

    /// Share of the letters of the text with fewer that the other has too.
    @inline(__always) func sharedLetters(_ other: MatchValue) -> Double {
        Self.shared(letters, other.letters)
    }

    /// The same of pairs of neighbouring letters.
    @inline(__always) func sharedNeighbours(_ other: MatchValue) -> Double {
        Self.shared(neighbours, other.neighbours)
    }

    @inline(__always) private static func shared(_ a: UInt64, _ b: UInt64) -> Double {
        let fewer = min(a.nonzeroBitCount, b.nonzeroBitCount)
        return fewer == 0 ? 1 : Double((a & b).nonzeroBitCount) / Double(fewer)
    }
}

/// Brings texts into their standard form.
enum StandardText {
    /// Folded text and its Latin form.
    struct Forms {
        var native: [UInt8]
        var latin: [UInt8]
    }

    /// - Parameters:
    ///   - spaced: a space between the readings of Chinese characters, so that they compare as words.
    ///   - surnameFirst: the first character is a surname and is read as one.
    static func forms(_ text: String, spaced: Bool = false, surnameFirst: Bool = false) -> Forms {
        for byte in text.utf8 where byte >= 0x80 { return otherForms(text, spaced: spaced, surnameFirst: surnameFirst) }
        let latin = plain(text.utf8)
        return Forms(native: latin, latin: latin)
    }

    /// As `Kernel.Folding`, a character at a time and from tables: Foundation's transforms cost ten microseconds a
    /// text.
    private static func otherForms(_ text: String, spaced: Bool, surnameFirst: Bool) -> Forms {
        var native: [UInt8] = [], latin: [UInt8] = []
        native.reserveCapacity(text.utf8.count)
        latin.reserveCapacity(text.utf8.count * 2)
        var isFirst = true
        func add(_ byte: UInt8) {
            let small = byte >= 65 && byte <= 90 ? byte + 32 : byte
            latin.append(small)
            if isWord(small) { native.append(small) } else if let end = native.last, end != 32 { native.append(32) }
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x80: add(UInt8(scalar.value))
            case 0xFF01...0xFF5E: add(UInt8(scalar.value - 0xFEE0))
            case 0x300...0x36F: continue
            case 0xC0...0x24F:
                let plain = accented[Int(scalar.value - 0xC0)]
                native += plain
                latin += plain
            default:
                guard Han.contains(scalar) else {
                    latin += other(scalar)
                    native += scalar.properties.isAlphabetic ? Array(scalar.properties.lowercaseMapping.utf8) : [32]
                    continue
                }
                let simple = Han.simplified(scalar)
                native.append(contentsOf: UTF8.encode(simple) ?? UTF8.encodedReplacementCharacter)
                if spaced, let end = latin.last, end != 32 { latin.append(32) }
                latin.append(contentsOf: Han.pinyin(simple, isSurname: surnameFirst && isFirst))
                if spaced { latin.append(32) }
                isFirst = false
            }
        }
        while native.last == 32 { native.removeLast() }
        return Forms(native: native, latin: plain(latin))
    }

    /// U+00C0...U+024F without accents, in lower case.
    private static let accented: [[UInt8]] = (UInt32(0xC0)...0x24F).map { Unicode.Scalar($0).map(other) ?? [] }

    /// Letters of other scripts, punctuation as a space.
    private static func other(_ scalar: Unicode.Scalar) -> [UInt8] {
        switch scalar {
        case "ß": return Array("ss".utf8)
        case "ø", "Ø": return [111]
        case "æ", "Æ": return Array("ae".utf8)
        case "œ", "Œ": return Array("oe".utf8)
        case "ł", "Ł": return [108]
        case "đ", "ð", "Đ", "Ð": return [100]
        case "þ", "Þ": return Array("th".utf8)
        case "ı": return [105]
        case "’", "‘", "ʼ": return [39]
        default: break
        }
        guard scalar.properties.isAlphabetic else { return [32] }
        let text = String(Character(scalar))
        let latin = text.applyingTransform(.toLatin, reverse: false) ?? text
        return latin.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil).utf8.filter { $0 < 0x80 }
    }

    @inline(__always) static func isWord(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57)
    }

    /// Letters and digits; an apostrophe joins (`o'brien` is `obrien`), all else parts words.
    private static func plain(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for byte in bytes {
            if isWord(byte) {
                out.append(byte)
            } else if byte >= 65 && byte <= 90 {
                out.append(byte + 32)
            } else if byte != 39, byte != 96, let end = out.last, end != 32 {
                out.append(32)
            }
        }
        if out.last == 32 { out.removeLast() }
        return out
    }
}
