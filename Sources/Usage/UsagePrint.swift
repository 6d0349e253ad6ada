import Foundation

/// The logarithm, so that the core names no library.
enum UsageMath {
    static func log(_ value: Double) -> Double { Foundation.log(value) }
}

/// 64-bit fingerprints of event ids: SipHash-2-4 (Aumasson and Bernstein 2012) keyed by the source, over the kind and the
/// id's bytes. Two ids of 450 million share one with a probability of 0.6 % in all; then one event is taken for the other.
package struct UsagePrint: Sendable {
    private let k0: UInt64
    private let k1: UInt64

    /// - Parameter source: name of the source; the same id of two sources has two fingerprints.
    package init(source: String) {
        var name = source
        let plain = UsagePrint(0)
        self.init(name.withUTF8 { plain.hash($0, tail: 0xFE) })
    }

    private init(_ key: UInt64) { self.init(k0: key, k1: 0x7573_6167_655f_6964) }

    init(k0: UInt64, k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    package func of(_ kind: UsageKind, _ id: UnsafeBufferPointer<UInt8>) -> UInt64 {
        hash(id, tail: kind.rawValue)
    }

    package func of(_ kind: UsageKind, _ id: String) -> UInt64 {
        var id = id
        return id.withUTF8 { of(kind, $0) }
    }

    /// Where a cell stands among 64.
    package static func cell(_ name: UnsafeBufferPointer<UInt8>) -> UInt8 {
        UInt8(truncatingIfNeeded: UsagePrint(0).hash(name, tail: 0xFF) >> 58)
    }

    package static func cell(_ name: String) -> UInt8 {
        var name = name
        return name.withUTF8 { cell($0) }
    }

    /// The message is the bytes and the tail behind them.
    func hash(_ bytes: UnsafeBufferPointer<UInt8>, tail: UInt8) -> UInt64 {
        var v0 = k0 ^ 0x736f_6d65_7073_6575, v1 = k1 ^ 0x646f_7261_6e64_6f6d
        var v2 = k0 ^ 0x6c79_6765_6e65_7261, v3 = k1 ^ 0x7465_6462_7974_6573
        @inline(__always) func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { value << by | value >> (64 - by) }
        @inline(__always) func round() {
            v0 = v0 &+ v1; v1 = rotate(v1, 13) ^ v0; v0 = rotate(v0, 32)
            v2 = v2 &+ v3; v3 = rotate(v3, 16) ^ v2
            v0 = v0 &+ v3; v3 = rotate(v3, 21) ^ v0
            v2 = v2 &+ v1; v1 = rotate(v1, 17) ^ v2; v2 = rotate(v2, 32)
        }
        let count = bytes.count + 1
        var word: UInt64 = 0
        var filled: UInt64 = 0
        @inline(__always) func take(_ byte: UInt8) {
            word |= UInt64(byte) << (filled * 8)
            filled += 1
            if filled == 8 {
                v3 ^= word
                round()
                round()
                v0 ^= word
                (word, filled) = (0, 0)
            }
        }
        for byte in bytes { take(byte) }
        take(tail)
        word |= UInt64(UInt8(truncatingIfNeeded: count)) << 56
        v3 ^= word
        round()
        round()
        v0 ^= word
        v2 ^= 0xFF
        round()
        round()
        round()
        round()
        return v0 ^ v1 ^ v2 ^ v3
    }
}
