/// SplitMix64, the small generator that spreads one seed over the state of a larger one.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014), in Vigna's public-domain form.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

/// A seeded generator whose numbers, and the shuffles made from them, are the same on every machine and Swift version.
///
/// The standard library does not promise that `shuffle(using:)` keeps its algorithm, so the shuffle is here too.
/// Source: xoshiro256** 1.0, Blackman and Vigna (2018), seeded through SplitMix64 as its authors advise.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// A generator for `seed`; every seed, zero included, is valid.
    package init(seed: UInt64) {
        var spread = SplitMix64(seed: seed)
        state = (spread.next(), spread.next(), spread.next(), spread.next())
    }

    /// A generator with a given state, not all zero; for checking against published values.
    package init(state: (UInt64, UInt64, UInt64, UInt64)) {
        precondition(state.0 | state.1 | state.2 | state.3 != 0, "an all-zero state yields only zeros")
        self.state = state
    }

    package mutating func next() -> UInt64 {
        let result = Self.rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotated(state.3, by: 45)
        return result
    }

    /// A number in [0, 1), made from the upper 53 bits.
    package mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A whole number in 0 ..< `bound`, without modulo bias (Lemire, 2019). `bound` is at least 1.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound >= 1, "the range must not be empty")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = next().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// Puts `values` in random order (Fisher and Yates, from the end).
    package mutating func shuffle<Element>(_ values: inout [Element]) {
        guard values.count > 1 else { return }
        for last in stride(from: values.count - 1, through: 1, by: -1) {
            values.swapAt(last, below(last + 1))
        }
    }

    /// The whole numbers 0 ..< `count` in random order.
    package mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }

    private static func rotated(_ value: UInt64, by bits: UInt64) -> UInt64 {
        (value << bits) | (value >> (64 - bits))
    }
}
