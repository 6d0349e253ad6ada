/// Assignment of rows to cross-validation folds.
package enum StratifiedFolds {
    /// The fold (0 ..< `folds`) of every row, so that positives and negatives are spread evenly and rows of one group
    /// share a fold.
    ///
    /// Without groups, the number of positives in two folds differs by at most one, and so does that of negatives.
    /// With groups (for instance copies of one customer), whole groups are dealt, largest first, to the fold that has
    /// the fewest positives (or negatives, for a group without positives).
    ///
    /// - Parameters:
    ///   - labels: whether each row is positive.
    ///   - groups: a group number per row, any integers; nil when every row stands alone.
    ///   - folds: at least 2.
    ///   - seed: the same seed gives the same folds.
    package static func assign(labels: [Bool], groups: [Int]? = nil, folds: Int, seed: UInt64) -> [Int] {
        precondition(folds >= 2, "at least two folds")
        precondition(groups == nil || groups?.count == labels.count, "one group per row")
        var random = SeededRandom(seed: seed)
        var members = grouped(labels.count, groups)
        random.shuffle(&members)
        if groups != nil {
            // Stable sort: groups of one size keep their shuffled order.
            let bySize = members.indices.sorted {
                members[$0].count != members[$1].count ? members[$0].count > members[$1].count : $0 < $1
            }
            members = bySize.map { members[$0] }
        }

        var positives = [Int](repeating: 0, count: folds)
        var negatives = [Int](repeating: 0, count: folds)
        var assigned = [Int](repeating: 0, count: labels.count)
        // Folds are tried from a random start, so that remainders do not always fall to fold 0.
        let order = random.permutation(of: folds)
        for group in members {
            let groupPositives = group.reduce(0) { $0 + (labels[$1] ? 1 : 0) }
            var best = order[0]
            for fold in order.dropFirst() {
                let isBetter =
                    groupPositives > 0
                    ? (positives[fold], negatives[fold]) < (positives[best], negatives[best])
                    : (negatives[fold], positives[fold]) < (negatives[best], positives[best])
                if isBetter { best = fold }
            }
            positives[best] += groupPositives
            negatives[best] += group.count - groupPositives
            for row in group { assigned[row] = best }
        }
        return assigned
    }

    /// The rows of each group, groups in order of first appearance.
    private static func grouped(_ rows: Int, _ groups: [Int]?) -> [[Int]] {
        guard let groups else { return (0..<rows).map { [$0] } }
        var place: [Int: Int] = [:]
        var members: [[Int]] = []
        for row in 0..<rows {
            if let index = place[groups[row]] {
                members[index].append(row)
            } else {
                place[groups[row]] = members.count
                members.append([row])
            }
        }
        return members
    }
}
