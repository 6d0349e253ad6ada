/// Byte searches that look at eight bytes at once (the classic "find a zero byte" arithmetic on a 64-bit word).
enum Scan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// High bit set at each zero byte; bits above the lowest true one may be false, the lowest never is.
    @inline(__always) private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }

    @inline(__always) private static func word(_ bytes: Bytes, _ at: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    /// First index from `at` holding a byte of 0x80 or more, else the count.
    @inline(__always) static func endOfAscii(_ bytes: Bytes, _ start: Int) -> Int {
        var at = start
        while at + 8 <= bytes.count {
            let hit = word(bytes, at) & highs
            if hit != 0 { return at + hit.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < bytes.count, bytes[at] < 0x80 { at += 1 }
        return at
    }

    /// First index in `start..<end` holding `byte`, LF, CR or NUL, else `end`.
    @inline(__always) static func stop(_ bytes: Bytes, _ start: Int, _ end: Int, _ byte: UInt8) -> Int {
        var at = start
        let pattern = ones &* UInt64(byte)
        while at + 8 <= end {
            let value = word(bytes, at)
            let hit =
                zeros(value ^ pattern) | zeros(value ^ (ones &* UInt64(Ascii.lf)))
                | zeros(value ^ (ones &* UInt64(Ascii.cr))) | zeros(value)
            if hit != 0 { return at + hit.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < end {
            let value = bytes[at]
            if value == byte || value == Ascii.lf || value == Ascii.cr || value == Ascii.nul { return at }
            at += 1
        }
        return at
    }

    /// First index in `start..<end` holding LF or CR, else nil.
    static func lineEnd(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int? {
        var at = start
        while at < end {
            at = stop(bytes, at, end, Ascii.lf)
            if at < end, bytes[at] != Ascii.nul { return at }
            at += 1
        }
        return nil
    }

    /// First index in `start..<end` holding LF, else nil.
    static func lineFeed(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int? {
        var at = start
        while at + 8 <= end {
            let hit = zeros(word(bytes, at) ^ (ones &* UInt64(Ascii.lf)))
            if hit != 0 { return at + hit.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < end {
            if bytes[at] == Ascii.lf { return at }
            at += 1
        }
        return nil
    }

    /// Index behind the line end at `at` (CR LF counts as one), and never past `end`.
    @inline(__always) static func afterLineEnd(_ bytes: Bytes, _ at: Int, _ end: Int) -> Int {
        bytes[at] == Ascii.cr && at + 1 < end && bytes[at + 1] == Ascii.lf ? at + 2 : at + 1
    }

    /// Unicode scalars in a stretch of UTF-8.
    static func scalarCount(_ bytes: Bytes, _ range: Range<Int>) -> Int {
        bytes[range].reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
    }
}
