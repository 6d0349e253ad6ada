/// Finds which column of one file is which of the other.
struct FieldPairing {
    struct Pair: Equatable {
        let name: String
        let kind: ColumnKind
        let left: Int
        let right: Int
    }

    /// - Parameter columns: header, what was understood of it, and some values of each column of both files.
    static func pairs(_ left: [Side], _ right: [Side]) -> [Pair] {
        var candidates: [(left: Int, right: Int, score: Double)] = []
        for (i, a) in left.enumerated() where a.kind != .nothing {
            for (j, b) in right.enumerated() where b.kind != .nothing {
                let score = likeness(a, b)
                if score > 0 { candidates.append((i, j, score)) }
            }
        }
        candidates.sort { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
        var usedLeft: Set<Int> = [], usedRight: Set<Int> = [], found: [Pair] = []
        for candidate in candidates where !usedLeft.contains(candidate.left) && !usedRight.contains(candidate.right) {
            usedLeft.insert(candidate.left)
            usedRight.insert(candidate.right)
            let (a, b) = (left[candidate.left], right[candidate.right])
            found.append(
                Pair(name: a.header, kind: common(a, b), left: candidate.left, right: candidate.right))
        }
        return found.sorted { $0.left < $1.left }
    }

    struct Side {
        let header: String
        let kind: ColumnKind
        /// Hashes of folded values.
        let values: Set<UInt64>
        /// Whoever asked said what the column is.
        var isTold = false
    }

    /// The same header is the same column; otherwise the kind and shared values tell.
    private static func likeness(_ a: Side, _ b: Side) -> Double {
        let (x, y) = (HeaderWords.words(a.header), HeaderWords.words(b.header))
        if !x.isEmpty, x == y { return 10 }
        let smaller = Double(max(1, min(a.values.count, b.values.count)))
        let shared = Double(a.values.intersection(b.values).count) / smaller
        if a.kind == b.kind, a.isTold, b.isTold { return 4 + shared }
        if a.kind == b.kind, a.kind != .text, a.kind != .code, a.kind != .category, a.kind != .number {
            return 2 + shared
        }
        return shared >= 0.1 ? shared : 0
    }

    /// What both can be compared as: what was said of one, else what was guessed of both.
    private static func common(_ left: Side, _ right: Side) -> ColumnKind {
        let (a, b) = (left.kind, right.kind)
        if a == b { return a }
        if left.isTold { return a }
        if right.isTold { return b }
        if a.levels == b.levels { return a.isStrong == b.isStrong ? a : .text }
        return .text
    }
}
