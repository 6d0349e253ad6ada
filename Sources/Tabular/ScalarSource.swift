typealias Bytes = UnsafeBufferPointer<UInt8>

/// One decoded character, or why there is none.
enum DecodeStep {
    case scalar(UInt32, length: Int)
    /// Two scalars for one sequence (Big5-HKSCS).
    case pair(UInt32, UInt32, length: Int)
    /// `length` bytes mean nothing.
    case invalid(length: Int)
    /// The sequence may go on in the next chunk.
    case incomplete
}

/// Decodes the character at an index. The generic loops over it are specialised, so a step costs a few nanoseconds.
protocol ScalarSource: Sendable {
    /// A byte under 0x80 at a character's beginning is that ASCII character.
    static var isAsciiTransparent: Bool { get }
    func step(_ bytes: Bytes, _ at: Int) -> DecodeStep
}

struct GB18030Source: ScalarSource {
    static let isAsciiTransparent = true
    private let table = CodePages.gb18030

    @inline(__always) func step(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        let lead = bytes[at]
        if lead < 0x80 { return .scalar(UInt32(lead), length: 1) }
        guard lead >= 0x81, lead <= 0xFE else { return .invalid(length: 1) }
        guard at + 1 < bytes.count else { return .incomplete }
        let trail = bytes[at + 1]
        if Ascii.isDigit(trail) { return fourByte(bytes, at) }
        guard trail >= 0x40, trail != 0x7F, trail != 0xFF else { return .invalid(length: 1) }
        let value = table[CodePages.index(lead: lead, trail: trail)]
        return value == 0 ? .invalid(length: trail < 0x80 ? 1 : 2) : .scalar(value, length: 2)
    }

    private func fourByte(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        guard at + 2 < bytes.count else { return .incomplete }
        guard bytes[at + 2] >= 0x81, bytes[at + 2] <= 0xFE else { return .invalid(length: 1) }
        guard at + 3 < bytes.count else { return .incomplete }
        guard Ascii.isDigit(bytes[at + 3]) else { return .invalid(length: 1) }
        let linear =
            ((Int(bytes[at]) - 0x81) * 10 + Int(bytes[at + 1]) - 0x30) * 1_260
            + (Int(bytes[at + 2]) - 0x81) * 10 + Int(bytes[at + 3]) - 0x30
        if linear < CodePages.gb18030FourByte.count {
            let value = CodePages.gb18030FourByte[linear]
            return value == 0 ? .invalid(length: 4) : .scalar(value, length: 4)
        }
        // 90 30 81 30 is U+10000; from there on the order is that of Unicode.
        let supplementary = linear - 189_000
        guard supplementary >= 0, supplementary <= 0xFFFFF else { return .invalid(length: 4) }
        return .scalar(0x10000 + UInt32(supplementary), length: 4)
    }
}

struct Big5Source: ScalarSource {
    static let isAsciiTransparent = true
    private let table = CodePages.big5

    @inline(__always) func step(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        let lead = bytes[at]
        if lead < 0x80 { return .scalar(UInt32(lead), length: 1) }
        guard lead >= 0x81, lead <= 0xFE else { return .invalid(length: 1) }
        guard at + 1 < bytes.count else { return .incomplete }
        let trail = bytes[at + 1]
        guard trail >= 0x40, trail != 0x7F, trail != 0xFF else { return .invalid(length: 1) }
        let value = table[CodePages.index(lead: lead, trail: trail)]
        if value & CodePages.pairFlag != 0 { return .pair(value & 0x7FF, value >> 11 & 0x7FF, length: 2) }
        return value == 0 ? .invalid(length: trail < 0x80 ? 1 : 2) : .scalar(value, length: 2)
    }
}

struct Windows1252Source: ScalarSource {
    static let isAsciiTransparent = true
    private let table = CodePages.windows1252

    @inline(__always) func step(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        let byte = bytes[at]
        if byte < 0x80 || byte > 0x9F { return .scalar(UInt32(byte), length: 1) }
        let value = table[Int(byte) - 0x80]
        return value == 0 ? .invalid(length: 1) : .scalar(value, length: 1)
    }
}

struct UTF16Source: ScalarSource {
    static let isAsciiTransparent = false
    let isBigEndian: Bool

    @inline(__always) private func unit(_ bytes: Bytes, _ at: Int) -> UInt32 {
        let first = UInt32(bytes[at]), second = UInt32(bytes[at + 1])
        return isBigEndian ? first << 8 | second : second << 8 | first
    }

    @inline(__always) func step(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        guard at + 1 < bytes.count else { return .incomplete }
        let high = unit(bytes, at)
        if high & 0xF800 != 0xD800 { return .scalar(high, length: 2) }
        guard high < 0xDC00 else { return .invalid(length: 2) }
        guard at + 3 < bytes.count else { return .incomplete }
        let low = unit(bytes, at + 2)
        guard low & 0xFC00 == 0xDC00 else { return .invalid(length: 2) }
        return .scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), length: 4)
    }
}

/// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
struct UTF8Source: ScalarSource {
    static let isAsciiTransparent = true

    @inline(__always) func step(_ bytes: Bytes, _ at: Int) -> DecodeStep {
        let lead = bytes[at]
        if lead < 0x80 { return .scalar(UInt32(lead), length: 1) }
        var low: UInt8 = 0x80, high: UInt8 = 0xBF
        let length: Int
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { low = 0xA0 }
            if lead == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { low = 0x90 }
            if lead == 0xF4 { high = 0x8F }
        default: return .invalid(length: 1)
        }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            guard at + offset < bytes.count else { return .incomplete }
            let byte = bytes[at + offset]
            guard byte >= low, byte <= high else { return .invalid(length: offset) }
            value = value << 6 | UInt32(byte & 0x3F)
            low = 0x80
            high = 0xBF
        }
        return .scalar(value, length: length)
    }
}
