import Foundation

/// Two-byte tables of GB18030 and Big5, filled once a process (10 ms) by the platform's own converter (iconv on Linux,
/// else Foundation) and read by our own decoders: streaming needs exact positions of bad bytes, which neither gives.
enum CodePages {
    static let trailMin = 0x40, trailCount = 0xFF - 0x40, leadMin = 0x81, leadCount = 0xFF - 0x81

    /// Marks an entry that stands for two scalars (four Big5-HKSCS characters): low 11 bits first, then the second.
    static let pairFlag: UInt32 = 1 << 31

    /// 126 leads x 191 trails; 0 = nothing.
    static let gb18030: [UInt32] = doubleByte([("GB18030", 0x8000_0632)])
    static let big5: [UInt32] = doubleByte([("CP950", 0x8000_0423), ("BIG5-HKSCS", 0x8000_0A06)])

    /// GB18030's four-byte area below U+10000, by linear index from 81 30 81 30 (39,420 entries); 0 = nothing.
    static let gb18030FourByte: [UInt32] = fourByte()

    /// 0x80...0x9F of Windows-1252; 0 = undefined. Source: Microsoft's bestfit1252.
    static let windows1252: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    @inline(__always) static func index(lead: UInt8, trail: UInt8) -> Int {
        (Int(lead) - leadMin) * trailCount + Int(trail) - trailMin
    }

    private static func doubleByte(_ names: [(iconv: String, foundation: UInt)]) -> [UInt32] {
        var table = [UInt32](repeating: 0, count: leadCount * trailCount)
        for name in names {
            let convert = converter(name.iconv, name.foundation)
            for lead in UInt8(leadMin)...0xFE {
                for trail in UInt8(trailMin)...0xFE where trail != 0x7F {
                    let index = index(lead: lead, trail: trail)
                    if table[index] == 0 { table[index] = packed(convert([lead, trail])) }
                }
            }
        }
        return table
    }

    private static func fourByte() -> [UInt32] {
        let convert = converter("GB18030", 0x8000_0632)
        return (0..<39_420).map { linear in
            let bytes = [
                0x81 + linear / 12_600, 0x30 + linear / 1_260 % 10, 0x81 + linear / 10 % 126, 0x30 + linear % 10,
            ]
            return packed(convert(bytes.map(UInt8.init)))
        }
    }

    private static func packed(_ scalars: [UInt32]) -> UInt32 {
        switch scalars.count {
        case 1: scalars[0] == 0xFFFD ? 0 : scalars[0]
        case 2: pairFlag | scalars[1] << 11 | scalars[0]
        default: 0
        }
    }

    /// Bytes of one character to its scalars; empty when they mean nothing.
    private static func converter(_ iconvName: String, _ foundation: UInt) -> ([UInt8]) -> [UInt32] {
        #if canImport(Glibc)
            if let iconv = IconvHandle(from: iconvName) { return { iconv.scalars(of: $0) } }
        #endif
        let encoding = String.Encoding(rawValue: foundation)
        return { bytes in String(data: Data(bytes), encoding: encoding)?.unicodeScalars.map(\.value) ?? [] }
    }
}

#if canImport(Glibc)
    /// One open iconv descriptor to UTF-32. Absent where the C library ships without the converter.
    private final class IconvHandle {
        private let descriptor: iconv_t

        init?(from name: String) {
            guard let opened = iconv_open("UTF-32LE", name), Int(bitPattern: opened) != -1 else { return nil }
            descriptor = opened
        }

        deinit { iconv_close(descriptor) }

        func scalars(of bytes: [UInt8]) -> [UInt32] {
            var input = bytes.map { CChar(bitPattern: $0) }
            var output = [CChar](repeating: 0, count: 32)
            let written = input.withUnsafeMutableBufferPointer { source in
                output.withUnsafeMutableBufferPointer { target in
                    var from: UnsafeMutablePointer<CChar>? = source.baseAddress
                    var to: UnsafeMutablePointer<CChar>? = target.baseAddress
                    var fromLeft = source.count, toLeft = target.count
                    let failed = iconv(descriptor, &from, &fromLeft, &to, &toLeft) == Int(bitPattern: UInt.max)
                    // The second call flushes a character that waits for a combining mark, and resets after a failure.
                    if failed {
                        iconv(descriptor, nil, nil, nil, nil)
                    } else {
                        iconv(descriptor, nil, nil, &to, &toLeft)
                    }
                    return failed ? 0 : target.count - toLeft
                }
            }
            return stride(from: 0, to: written, by: 4).map { at in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(UInt8(bitPattern: output[at + $1])) << (8 * UInt32($1)) }
            }
        }
    }
#endif
