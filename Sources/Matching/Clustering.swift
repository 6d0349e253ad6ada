/// A pair of rows and its log-odds.
struct ScoredPair {
    let a: Int, b: Int
    let bits: Double
}

/// Groups rows so that a group is one person: strongest pairs first, and two groups become one only when their
/// members agree
/// with each other on the whole. A chain of half-likenesses makes no group.
struct Clustering {
    private var parent: [Int]
    private var members: [Int: [Int]] = [:]
    /// Members of each side that are compared when two groups are to become one.
    private static let lookedAtMax = 8

    init(rows: Int) { parent = Array(0..<rows) }

    /// - Parameters:
    ///   - links: pairs over the threshold.
    ///   - bits: log-odds of any two rows, negative infinity where a rule keeps them apart.
    mutating func join(_ links: [ScoredPair], bits: (Int, Int) -> Double) {
        for link in links.sorted(by: { ($1.bits, $0.a, $0.b) < ($0.bits, $1.a, $1.b) }) {
            let (x, y) = (root(link.a), root(link.b))
            guard x != y else { continue }
            let left = members[x] ?? [x], right = members[y] ?? [y]
            guard agrees(left, right, bits) else { continue }
            parent[y] = x
            members[x] = left + right
            members[y] = nil
        }
    }

    private func agrees(_ left: [Int], _ right: [Int], _ bits: (Int, Int) -> Double) -> Bool {
        if left.count == 1, right.count == 1 { return bits(left[0], right[0]) > -.infinity }
        var sum = 0.0, count = 0.0
        for a in left.prefix(Self.lookedAtMax) {
            for b in right.prefix(Self.lookedAtMax) {
                let own = bits(a, b)
                if own == -.infinity { return false }
                sum += min(10, max(-10, own))
                count += 1
            }
        }
        return sum / count > 0
    }

    private mutating func root(_ row: Int) -> Int {
        var at = row
        while parent[at] != at {
            parent[at] = parent[parent[at]]
            at = parent[at]
        }
        return at
    }

    /// Groups of two and more, in the order of their first rows.
    mutating func groups() -> [[Int]] {
        members.values.filter { $0.count > 1 }.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    }
}
