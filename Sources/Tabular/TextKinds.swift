/// How a missing value is written. Case does not matter for the words.
package enum MissingValue: String, Sendable, Codable, CaseIterable {
    case empty
    case blank
    case notAvailable = "na"
    case null
    case backslashN = "\\N"
    case dash = "-"
    case nan
    /// `#REF!` and the like.
    case spreadsheetError = "error"

    /// What Excel, WPS and LibreOffice leave in a cell whose formula failed.
    package static func isSpreadsheetError(_ text: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "#"), (4...7).contains(text.utf8.count) else { return false }
        let kind = MissingValue(text)
        return kind == .spreadsheetError || kind == .notAvailable
    }

    /// Nil when the text is a value. `NA`, `N/A`, `#N/A`, `null`, `NaN`, `\N`, `-`, nothing, white space.
    package init?(_ text: String) {
        var text = text
        guard let found = text.withUTF8({ MissingValue(untrimmed: $0) }) else { return nil }
        self = found
    }

    init?(untrimmed bytes: UnsafeBufferPointer<UInt8>) {
        let trimmed = TextTrim.trimmed(bytes)
        guard let found = MissingValue(trimmed) else { return nil }
        self = found == .empty && !bytes.isEmpty ? .blank : found
    }

    init?(_ bytes: Bytes) {
        switch bytes.count {
        case 0: self = .empty
        case 1 where bytes[0] == Ascii.minus: self = .dash
        case 2 where MissingValue.matches(bytes, "na"): self = .notAvailable
        case 2 where bytes[0] == UInt8(ascii: "\\") && bytes[1] == UInt8(ascii: "N"): self = .backslashN
        case 3 where MissingValue.matches(bytes, "n/a"): self = .notAvailable
        case 3 where MissingValue.matches(bytes, "nan"): self = .nan
        case 4 where MissingValue.matches(bytes, "null"): self = .null
        case 4 where MissingValue.matches(bytes, "#n/a"): self = .notAvailable
        case 5...7 where bytes[0] == UInt8(ascii: "#"):
            let errors: [StaticString] = ["#ref!", "#num!", "#name?", "#null!", "#value!", "#div/0!"]
            guard errors.contains(where: { $0.utf8CodeUnitCount == bytes.count && MissingValue.matches(bytes, $0) })
            else { return nil }
            self = .spreadsheetError
        default: return nil
        }
    }

    private static func matches(_ bytes: Bytes, _ word: StaticString) -> Bool { TextTrim.matches(bytes, word) }
}

enum TextTrim {
    /// Without ASCII white space, no-break spaces (U+00A0) and ideographic spaces (U+3000) around it.
    static func trimmed(_ bytes: Bytes) -> Bytes {
        var start = 0, end = bytes.count
        while start < end {
            if bytes[start] <= Ascii.space {
                start += 1
            } else if end - start >= 2, bytes[start] == 0xC2, bytes[start + 1] == 0xA0 {
                start += 2
            } else if end - start >= 3, bytes[start] == 0xE3, bytes[start + 1] == 0x80, bytes[start + 2] == 0x80 {
                start += 3
            } else {
                break
            }
        }
        while end > start {
            if bytes[end - 1] <= Ascii.space {
                end -= 1
            } else if end - start >= 2, bytes[end - 2] == 0xC2, bytes[end - 1] == 0xA0 {
                end -= 2
            } else if end - start >= 3, bytes[end - 3] == 0xE3, bytes[end - 2] == 0x80, bytes[end - 1] == 0x80 {
                end -= 3
            } else {
                break
            }
        }
        return Bytes(rebasing: bytes[start..<end])
    }

    /// At most `count` bytes, without a character cut in two.
    static func beginning(_ bytes: Bytes, _ count: Int) -> String {
        var end = min(count, bytes.count)
        if end < bytes.count { while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 } }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// Equal to a lower-case ASCII word, case folded.
    static func matches(_ bytes: Bytes, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        for index in bytes.indices {
            let byte = bytes[index]
            let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if folded != word.utf8Start[index] { return false }
        }
        return true
    }
}

/// `yes no true false y n 是 否`, and 0 and 1 apart.
enum BooleanText {
    case word(Bool)
    case digit(Bool)

    init?(_ bytes: Bytes) {
        switch bytes.count {
        case 1:
            switch bytes[0] {
            case UInt8(ascii: "y"), UInt8(ascii: "Y"): self = .word(true)
            case UInt8(ascii: "n"), UInt8(ascii: "N"): self = .word(false)
            case UInt8(ascii: "1"): self = .digit(true)
            case UInt8(ascii: "0"): self = .digit(false)
            default: return nil
            }
        case 2 where TextTrim.matches(bytes, "no"): self = .word(false)
        case 3 where TextTrim.matches(bytes, "yes") || TextTrim.matches(bytes, "是"): self = .word(true)
        case 3 where TextTrim.matches(bytes, "否"): self = .word(false)
        case 4 where TextTrim.matches(bytes, "true"): self = .word(true)
        case 5 where TextTrim.matches(bytes, "false"): self = .word(false)
        default: return nil
        }
    }
}

enum FormulaText {
    /// Begins with a formula's sign and is not a number: `=A1+1`, `+cmd`, `-2+3`, `@SUM(A1)`. A lone dash is missing.
    static func isFormula(_ bytes: Bytes) -> Bool {
        guard bytes.count > 1, let first = bytes.first else { return false }
        switch first {
        case UInt8(ascii: "="), UInt8(ascii: "@"): return true
        case Ascii.plus, Ascii.minus:
            return NumberText(bytes) == nil && NumberText(bytes, decimal: Ascii.comma) == nil && !isPhone(bytes)
        default: return false
        }
    }

    /// A formula beyond doubt, for the words about a value that should be a number: `-12,5x` begins like one, and is a
    /// number with a slip of the pen. It is guarded in files as a formula all the same.
    static func isCall(_ bytes: Bytes) -> Bool {
        guard isFormula(bytes), let first = bytes.first else { return false }
        guard first == Ascii.plus || first == Ascii.minus else { return true }
        let rest = bytes.dropFirst()
        let isSigned = rest.contains { "+-*/^(!".utf8.contains($0) }
        return isSigned || !(rest.first.map { Ascii.isDigit($0) || $0 == Ascii.dot || $0 == Ascii.comma } ?? false)
    }

    /// `+86 138-0013-8000`, `+886 (2) 2345 6789`: a plus sign, then 6 to 15 digits (E.164) with blanks, hyphens and
    /// brackets between them. It calls nothing, so it is no formula that could do harm.
    static func isPhone(_ bytes: Bytes) -> Bool {
        guard bytes.first == Ascii.plus, let last = bytes.last, Ascii.isDigit(last) else { return false }
        var digits = 0
        for byte in bytes.dropFirst() {
            switch byte {
            case Ascii.zero...Ascii.nine: digits += 1
            case Ascii.space, Ascii.minus, UInt8(ascii: "("), UInt8(ascii: ")"): break
            default: return false
            }
        }
        return (6...15).contains(digits)
    }
}
