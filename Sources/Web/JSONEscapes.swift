import Kernel

/// How a text stands in JSON: nearly all of it goes over as it is, piece by piece.
enum JSONEscapes {
    /// Bytes that are escaped, and those that begin a character that may be.
    private static let isLookedAt: [Bool] = (0...255).map {
        $0 < 32 || [34, 38, 60, 62, 92, 0x7f, 0xc2, 0xd8, 0xe2, 0xef].contains($0)
    }

    /// Escapes quotes, backslash, control characters (C0, C1), and `<`, `>`, `&`, U+2028/9 so that the text is safe in a
    /// script island of a page; marks of writing direction too, which would let a line look like another one (G60).
    static func append(_ text: String, to out: inout [UInt8]) {
        let isLookedAt = isLookedAt
        var text = text
        out.append(34)
        text.withUTF8 { bytes in
            var start = 0
            for place in bytes.indices where isLookedAt[Int(bytes[place])] {
                let (scalar, length) = scalar(bytes, place)
                guard isEscaped(scalar) else { continue }
                out += bytes[start..<place]
                append(scalar, to: &out)
                start = place + length
            }
            out += bytes[start...]
        }
        out.append(34)
    }

    /// The character that begins at a place of well-formed UTF-8; of those looked at none has four bytes.
    private static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> (value: UInt32, length: Int) {
        func low(_ offset: Int) -> UInt32 { UInt32(bytes[place + offset] & 0x3f) }
        let first = UInt32(bytes[place])
        return switch first {
        case 0..<0x80: (first, 1)
        case 0..<0xe0: ((first & 0x1f) << 6 | low(1), 2)
        default: ((first & 0x0f) << 12 | low(1) << 6 | low(2), 3)
        }
    }

    private static func isEscaped(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<32, 34, 38, 60, 62, 92, 0x7f...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }

    private static func append(_ scalar: UInt32, to out: inout [UInt8]) {
        switch scalar {
        case 34: out += [92, 34]
        case 92: out += [92, 92]
        case 10: out += [92, 110]
        case 13: out += [92, 114]
        case 9: out += [92, 116]
        default:
            out += [92, 117]
            for shift in stride(from: UInt32(12), through: 0, by: -4) { out.append(Hex.digits[Int(scalar >> shift & 15)]) }
        }
    }
}
