/// A 64-bit hash that is the same on every machine and in every run, so that keys may be stored. FNV-1a with the final
/// mix of SplitMix64. Zero is never returned: it means "no value".
package enum StableHash {
    private static let offset: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let prime: UInt64 = 0x0000_0100_0000_01b3

    @inline(__always) package static func of(_ bytes: some Sequence<UInt8>, salt: UInt64 = 0) -> UInt64 {
        var hash = offset ^ (salt &* 0x9e37_79b9_7f4a_7c15)
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* prime }
        return mixed(hash)
    }

    @inline(__always) static func combined(_ a: UInt64, _ b: UInt64) -> UInt64 {
        mixed((a &* 0x9e37_79b9_7f4a_7c15) ^ (b &+ 0x632b_e59b_d9b4_e019))
    }

    @inline(__always) private static func mixed(_ value: UInt64) -> UInt64 {
        var hash = value
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        hash ^= hash >> 31
        return hash == 0 ? 1 : hash
    }
}
