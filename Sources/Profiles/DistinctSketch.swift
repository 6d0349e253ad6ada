import Foundation

/// How many different values there were, from 64-bit hashes: the hashes themselves up to 64 of them, beyond that the registers
/// of HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007). Which form it has and what it holds depends on the set of values
/// only, never on order, repetition or on how the set was put together.
package struct DistinctSketch: Sendable, Equatable {
    /// Up to so many the count is exact.
    package static let exactMax = 64
    /// 2^11 registers of a byte: one standard error is 1.04 / sqrt(2048) = 2.3 %.
    static let precision = 11
    static let registers = 1 << precision
    package static let errorPercent = 2.3

    /// In order, each once; empty when there are registers.
    private var hashes: [UInt64] = []
    private var ranks: [UInt8] = []

    package init() {}

    package var isExact: Bool { ranks.isEmpty }

    package mutating func add(_ hash: UInt64) {
        guard isExact else { return rank(hash) }
        var low = 0, high = hashes.count
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < hash { low = middle + 1 } else { high = middle }
        }
        if low < hashes.count, hashes[low] == hash { return }
        hashes.insert(hash, at: low)
        if hashes.count > Self.exactMax { spread() }
    }

    /// The values of both.
    package mutating func merge(_ other: DistinctSketch) {
        guard other.isExact else {
            if isExact { spread() }
            for index in ranks.indices where other.ranks[index] > ranks[index] { ranks[index] = other.ranks[index] }
            return
        }
        for hash in other.hashes { add(hash) }
    }

    private mutating func spread() {
        ranks = [UInt8](repeating: 0, count: Self.registers)
        for hash in hashes { rank(hash) }
        hashes = []
    }

    private mutating func rank(_ hash: UInt64) {
        let index = Int(hash >> UInt64(64 - Self.precision))
        // The bit behind the last ends the run of zeros.
        let rest = hash << UInt64(Self.precision) | 1 << UInt64(Self.precision - 1)
        ranks[index] = max(ranks[index], UInt8(rest.leadingZeroBitCount + 1))
    }

    /// Exact, or the estimate of Ertl (2017, arXiv 1702.01284, algorithm 6), which needs no correction for small or large counts.
    package var count: Int64 {
        guard !isExact else { return Int64(hashes.count) }
        let runs = 64 - Self.precision
        var histogram = [Double](repeating: 0, count: runs + 2)
        for rank in ranks { histogram[min(Int(rank), runs + 1)] += 1 }
        let m = Double(Self.registers)
        var z = m * Self.tau(1 - histogram[runs + 1] / m)
        for k in stride(from: runs, through: 1, by: -1) { z = 0.5 * (z + histogram[k]) }
        z += m * Self.sigma(histogram[0] / m)
        return Int64((m * m / (2 * Foundation.log(2.0)) / z).rounded())
    }

    private static func sigma(_ start: Double) -> Double {
        var (x, y, z) = (start, 1.0, start)
        while true {
            x *= x
            let before = z
            z += x * y
            y += y
            if z == before { return z }
        }
    }

    private static func tau(_ start: Double) -> Double {
        guard start > 0, start < 1 else { return 0 }
        var (x, y, z) = (start, 1.0, 1 - start)
        while true {
            x = x.squareRoot()
            let before = z
            y *= 0.5
            z -= (1 - x) * (1 - x) * y
            if z == before { return z / 3 }
        }
    }

    // MARK: Stored

    /// Eight bytes a hash, or one a register.
    package var bytes: [UInt8] {
        guard isExact else { return ranks }
        return hashes.flatMap { hash in (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64($0 * 8)) } }
    }

    /// `nil` = these bytes are no sketch.
    package init?(bytes: [UInt8]) {
        if bytes.count == Self.registers {
            guard bytes.allSatisfy({ Int($0) <= 65 - Self.precision }) else { return nil }
            ranks = bytes
            return
        }
        guard bytes.count % 8 == 0, bytes.count <= Self.exactMax * 8 else { return nil }
        hashes = stride(from: 0, to: bytes.count, by: 8).map { start in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
        }
        guard zip(hashes, hashes.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    }
}
