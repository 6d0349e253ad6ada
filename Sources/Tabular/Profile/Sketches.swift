/// Estimates how many different values went by in 4 kB (HyperLogLog, Flajolet et al. 2007; error about 1.6 %).
package struct HyperLogLog: Sendable {
    private static let bits = 12
    private var registers = [UInt8](repeating: 0, count: 1 << bits)

    package init() {}

    /// - Parameter hash: well mixed.
    package mutating func add(_ hash: UInt64) {
        let index = Int(hash >> (64 - UInt64(HyperLogLog.bits)))
        let rank = UInt8((hash << UInt64(HyperLogLog.bits) | 1 << UInt64(HyperLogLog.bits - 1)).leadingZeroBitCount + 1)
        if rank > registers[index] { registers[index] = rank }
    }

    package var estimate: Int {
        let count = Double(registers.count)
        var sum = 0.0, empty = 0
        for register in registers {
            sum += 1 / Double(UInt64(1) << UInt64(register))
            if register == 0 { empty += 1 }
        }
        let raw = 0.7213 / (1 + 1.079 / count) * count * count / sum
        // Few values: the empty registers tell better ("linear counting").
        guard raw <= 2.5 * count, empty > 0 else { return Int(raw.rounded()) }
        var ratio = count / Double(empty), logarithm = 0.0
        // ln without importing a C library: halve towards 1, then a series.
        while ratio > 1.5 {
            ratio /= 2
            logarithm += 0.693_147_180_559_945_3
        }
        let z = (ratio - 1) / (ratio + 1)
        var term = z, series = 0.0
        for power in stride(from: 1, through: 31, by: 2) {
            series += term / Double(power)
            term *= z * z
        }
        return Int((count * (logarithm + 2 * series)).rounded())
    }
}

/// The most frequent texts in bounded memory (Misra and Gries 1982): what is more frequent than 1 in `capacity` is found.
struct TopValues: Sendable {
    private static let capacity = 512

    private var counts: [UInt64: (count: Int, text: String)] = [:]
    /// How much a count may be too small.
    private(set) var shortfall = 0

    mutating func add(_ hash: UInt64, _ text: Bytes) {
        if let index = counts.index(forKey: hash) {
            counts.values[index].count += 1
        } else if counts.count < TopValues.capacity {
            counts[hash] = (1, TextTrim.beginning(text, 200))
        } else {
            shortfall += 1
            for (key, value) in counts {
                if value.count == 1 { counts[key] = nil } else { counts[key]?.count = value.count - 1 }
            }
        }
    }

    func top(_ count: Int) -> [(value: String, count: Int)] {
        counts.values.filter { $0.count > shortfall }
            .sorted { ($1.count, $0.text) < ($0.count, $1.text) }.prefix(count).map { ($0.text, $0.count) }
    }
}

/// An even sample of numbers (Vitter's algorithm R, seeded so that the same file gives the same profile); everything when
/// there are not more than its size.
struct NumberSample: Sendable {
    private static let size = 8_192

    private var values: [Double] = []
    private(set) var count = 0
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    var isExact: Bool { count == values.count }

    mutating func add(_ value: Double) {
        count += 1
        if values.count < NumberSample.size { return values.append(value) }
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        let index = Int((z ^ (z >> 31)) % UInt64(count))
        if index < values.count { values[index] = value }
    }

    /// Linear between the two nearest values (type 7, as spreadsheets do).
    func quantiles(_ shares: [Double]) -> [Double] {
        let sorted = values.sorted()
        guard let last = sorted.last else { return [] }
        return shares.map { share in
            let place = share * Double(sorted.count - 1), below = Int(place)
            guard below + 1 < sorted.count else { return last }
            return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
        }
    }

    /// How many of all values lie outside, as far as the sample tells.
    func outside(_ range: ClosedRange<Double>) -> Int {
        let found = values.count { !range.contains($0) }
        return isExact ? found : Int((Double(found) / Double(max(1, values.count)) * Double(count)).rounded())
    }
}
