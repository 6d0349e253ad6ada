import Foundation
import Kernel
import Matching
import Tabular

/// Shapes that are known by name: what a pattern says badly or not at all, such as check digits.
enum RuleFormat: String, Sendable, CaseIterable {
    /// A telephone number by ITU-T E.164: `+`, no leading zero, 7 to 15 digits.
    case e164
    /// E.164, and what begins like a mobile number of the mainland has as many digits as such a number has.
    case mobile
    case email
    /// Identity number of the mainland (GB 11643-1999), Taiwan, Hong Kong or Macau, or the credit code of an organisation
    /// (GB 32100-2015), each by its own check: files that say no kind have both in one column.
    case identityNumber = "identity_number"
    /// Serial number of a SIM (ITU-T E.118): 19 or 20 digits beginning with 89, the last of 19 a Luhn digit.
    case iccid
    /// 15 digits, the last a Luhn digit (3GPP TS 23.003).
    case imei
    /// No signs of a text that was read in a wrong encoding.
    case readable
    /// No full-width letters, digits and signs.
    case narrow
    /// No space at the ends, no line end, no two spaces in a row.
    case tidy

    func matches(_ text: String) -> Bool {
        switch self {
        case .e164: Self.isE164(text)
        case .mobile: Self.isE164(text) && PhoneNumber.hasLengthOfPlan(text)
        case .email: Self.isEmail(text)
        case .identityNumber: IdentityNumber(text) != nil || CreditCode(text) != nil
        case .iccid: Self.isICCID(text)
        case .imei: text.utf8.count == 15 && Self.isLuhn(text)
        case .readable: !Mojibake.isSuspect(text)
        case .narrow: !text.unicodeScalars.contains { (0xFF01...0xFF5E).contains($0.value) }
        case .tidy: Self.isTidy(text)
        }
    }

    private static func isE164(_ text: String) -> Bool {
        let bytes = text.utf8
        guard bytes.first == 0x2B, (8...16).contains(bytes.count) else { return false }
        let digits = bytes.dropFirst()
        return digits.first != 48 && digits.allSatisfy { (48...57).contains($0) }
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: 0x40, omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count), (3...255).contains(parts[1].count) else {
            return false
        }
        let labels = parts[1].split(separator: 0x2E, omittingEmptySubsequences: false)
        func isLabel(_ label: Substring.UTF8View) -> Bool {
            (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
                && label.allSatisfy {
                    $0 > 127 || $0 == 0x2D || (48...57).contains($0) || ($0 | 32) >= 97 && ($0 | 32) <= 122
                }
        }
        return labels.count >= 2 && labels.allSatisfy(isLabel) && (labels.last?.count ?? 0) >= 2
            && !parts[0].contains { $0 <= 32 || $0 == 0x22 || $0 == 0x3C || $0 == 0x3E || $0 == 0x2C || $0 == 0x3B }
    }

    private static func isICCID(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), text.hasPrefix("89") else { return false }
        // Operators of mainland China write 20 places of their own; the 20th is not always a Luhn digit.
        return text.utf8.count == 19 ? isLuhn(text) : text.utf8.count == 20
    }

    /// ISO/IEC 7812-1, annex B.
    static func isLuhn(_ text: String) -> Bool {
        var sum = 0
        for (offset, byte) in text.utf8.reversed().enumerated() {
            guard (48...57).contains(byte) else { return false }
            let digit = Int(byte - 48)
            sum += offset % 2 == 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2
        }
        return sum % 10 == 0
    }

    private static func isTidy(_ text: String) -> Bool {
        var last: UInt8 = 32
        for byte in text.utf8 {
            if byte == 32, last == 32 { return false }
            if byte < 32 { return false }
            last = byte
        }
        return last != 32 || text.isEmpty
    }
}

/// A repair by name; the lineage names it.
enum RuleRepair: String, Sendable, CaseIterable {
    /// Spaces at the ends and doubled ones away, line ends made spaces.
    case trim
    /// Full-width letters, digits and signs made half-width.
    case halfWidth = "half_width"
    /// Text read in a wrong encoding, read in the right one.
    case mojibake
    /// A telephone number out of what stands around it: `tel:`, an extension, two numbers of which the first is taken.
    case phone
    /// A date whose day and month cannot be told apart, or are exchanged, read in the order of the file's other dates.
    case dateOrder = "date_order"

    var kinds: [RuleKind] {
        switch self {
        case .trim, .halfWidth, .mojibake: [.pattern, .type]
        case .phone, .dateOrder: [.type]
        }
    }

    /// - Returns: `nil` when nothing is to be repaired. `dateOrder` is done by the reader of the column.
    func repaired(_ text: String) -> String? {
        switch self {
        case .trim:
            let words = text.split { $0.isWhitespace || $0.isNewline }
            let joined = words.joined(separator: " ")
            return joined == text ? nil : joined
        case .halfWidth:
            var changed = false
            var result = String.UnicodeScalarView()
            for scalar in text.unicodeScalars {
                if (0xFF01...0xFF5E).contains(scalar.value), let narrow = Unicode.Scalar(scalar.value - 0xFEE0) {
                    result.append(narrow)
                    changed = true
                } else {
                    result.append(scalar)
                }
            }
            return changed ? String(result) : nil
        case .mojibake: return Mojibake.repaired(text)
        case .phone: return Self.phone(text)
        case .dateOrder: return nil
        }
    }

    private static func phone(_ text: String) -> String? {
        var rest = text[...]
        if let range = rest.range(of: #"^[^0-9+＋]{1,20}"#, options: .regularExpression) {
            rest = rest[range.upperBound...]
        }
        // What stands behind a second number or an extension.
        let end = rest.firstIndex { !($0.isNumber || "+＋ -()（）.－".contains($0)) } ?? rest.endIndex
        let number = rest[..<end].trimmed
        return number.isEmpty || number == text ? nil : number
    }
}

/// Text whose bytes were read in a wrong encoding.
enum Mojibake {
    /// Signs that such a text leaves: the replacement character, what becomes of it read as GBK (锟斤拷) or Windows-1252
    /// (ï¿½), of memory nobody filled (烫烫烫, 屯屯屯), and what can be repaired. One pass: it is asked for each name and address.
    static func isSuspect(_ text: String) -> Bool {
        if text.utf8.allSatisfy({ $0 < 128 }) { return false }
        var last: UInt32 = 0, same = 1
        for scalar in text.unicodeScalars {
            same = scalar.value == last ? same + 1 : 1
            switch scalar.value {
            case 0xFFFD: return true
            case 0xBF where last == 0xEF: return true
            case 0x65A4 where last == 0x951F: return true
            case 0x70EB, 0x5C6F: if same == 3 { return true }
            default: break
            }
            last = scalar.value
        }
        return repaired(text) != nil
    }

    /// UTF-8 that was read as Windows-1252 or Latin-1 (`çŽ‹ä¼Ÿ` = 王伟), or as GBK (`鐜嬩紵`); GB2312 read as one of the former (`ÍõÎ°`).
    /// - Returns: `nil` unless every byte fits: a text that is right as it stands nearly never does.
    static func repaired(_ text: String) -> String? {
        if text.utf8.allSatisfy({ $0 < 128 }) { return nil }
        return fromWestern(text) ?? fromGBK(text) ?? asChinese(text)
    }

    /// Characters of GB2312 are two bytes of the upper half: letters with accents that stand in pairs only, and make frequent
    /// characters, are no name of Europe.
    private static func asChinese(_ text: String) -> String? {
        var run = 0
        for scalar in text.unicodeScalars {
            if scalar.value >= 0x80 {
                guard (0xA1...0xFE).contains(scalar.value) else { return nil }
                run += 1
            } else {
                guard run % 2 == 0 else { return nil }
                run = 0
            }
        }
        guard run % 2 == 0, case .repaired(let chinese, .gbkAsLatin) = TextRepair.judge(text) else { return nil }
        return chinese
    }

    private static func fromWestern(_ text: String) -> String? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 256 {
                bytes.append(UInt8(scalar.value))
            } else if let byte = windows1252[scalar.value] {
                bytes.append(byte)
            } else {
                return nil
            }
        }
        guard let result = String(validating: bytes, as: UTF8.self), result != text,
            !result.unicodeScalars.contains(where: { (0x80..<0xA0).contains($0.value) })
        else { return nil }
        return result
    }

    private static let windows1252: [UInt32: UInt8] = {
        let high: [UInt32] = [
            0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
            0x017D, 0,
            0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,
            0x017E,
            0x0178,
        ]
        return Dictionary(
            high.enumerated().filter { $0.element != 0 }.map { ($0.element, UInt8(0x80 + $0.offset)) },
            uniquingKeysWith: { first, _ in first })
    }()

    private static let han: ClosedRange<UInt32> = 0x4E00...0x9FA5

    /// The two bytes that GBK has for each of `han`; one conversion for all, since a conversion for each name would cost
    /// more than all rules together. Empty when this machine does not know GB18030.
    private static let gbk: [UInt16] = {
        var all = String.UnicodeScalarView()
        for value in han { if let scalar = Unicode.Scalar(value) { all.append(scalar) } }
        let bytes = [UInt8](String(all).data(using: String.Encoding(rawValue: 0x8000_0632)) ?? Data())
        guard bytes.count == han.count * 2 else { return [] }
        return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }()

    private static func fromGBK(_ text: String) -> String? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 128 {
                bytes.append(UInt8(scalar.value))
                continue
            }
            guard han.contains(scalar.value), !gbk.isEmpty else { return nil }
            let pair = gbk[Int(scalar.value - han.lowerBound)]
            // Chinese in UTF-8 begins with E4 to E9; nearly every name ends here.
            if bytes.allSatisfy({ $0 < 128 }), !(0xE4...0xE9).contains(pair >> 8) { return nil }
            bytes.append(UInt8(pair >> 8))
            bytes.append(UInt8(pair & 0xFF))
        }
        guard bytes.count >= 6, let result = String(validating: bytes, as: UTF8.self),
            // Only what is Chinese throughout: two rare characters may by chance be valid as something else.
            result.unicodeScalars.allSatisfy({ $0.value < 128 || (0x4E00...0x9FFF).contains($0.value) })
        else { return nil }
        return result
    }
}
