import Compute

/// What one column alone says about the outcome. Computed on labelled rows.
struct ColumnEvidence: Sendable {
    /// Cross-validated AUC of the column alone, at least 0.5 by reading it the better way round.
    let auc: Double
    /// The same for "is there a value".
    let presenceAUC: Double
    /// Whether the rows with, or the rows without, a value belong to the rarer outcome only.
    let isFilledForOneOutcome: Bool
    /// Share of the rarer outcome's rows that have values which occur with it only, 0 ... 1.
    let certainShare: Double

    /// How pure values must be to count as occurring with one outcome only.
    private static let purity = 0.995
    /// The chance, by which that many rows of one outcome could come together by accident, is kept below this.
    private static let accident = 1e-6
    private static let bins = 64

    init(_ column: ProfiledColumn, labels: [Bool], folds: [Int]) {
        let total = Tally(labels)
        // A rarer outcome is the one whose certainty is surprising.
        let rarer = total.positives * 2 <= total.rows
        let base = Double(rarer ? total.positives : total.rows - total.positives) / Double(max(1, total.rows))
        let fewest = Self.rowsBeyondAccident(base)

        var byLevel = [Tally](repeating: Tally(), count: column.coded.levels.count)
        var missing = Tally()
        for row in labels.indices {
            let code = Int(column.coded.codes[row])
            if code < 0 { missing.add(labels[row]) } else { byLevel[code].add(labels[row]) }
        }
        let present = Tally(rows: total.rows - missing.rows, positives: total.positives - missing.positives)
        let all = Double(rarer ? total.positives : total.rows - total.positives)
        isFilledForOneOutcome =
            missing.rows > 0 && present.rows > 0
            && [present, missing].contains { part in
                part.rows >= fewest && part.share(of: rarer) >= Self.purity && part.count(of: rarer) >= 0.1 * all
            }
        presenceAUC = Self.area(present, missing)
        certainShare = all > 0 ? Self.certain(column, byLevel, rarer: rarer, fewest: fewest) / all : 0
        auc = Self.aloneAUC(column, labels: labels, folds: folds, byLevel: byLevel)
    }

    /// Rows needed before "only one outcome" is beyond accident, at least 10.
    private static func rowsBeyondAccident(_ base: Double) -> Int {
        var rows = 0
        var chance = 1.0
        while chance > accident, rows < 40 {
            chance *= base
            rows += 1
        }
        return max(10, rows)
    }

    /// The area for a yes/no column, read the better way round.
    private static func area(_ first: Tally, _ second: Tally) -> Double {
        let positives = Double(first.positives + second.positives)
        let negatives = Double(first.rows + second.rows) - positives
        guard positives > 0, negatives > 0 else { return 0.5 }
        let truePositive = Double(first.positives) / positives
        let falsePositive = Double(first.rows - first.positives) / negatives
        return 0.5 + abs(truePositive - falsePositive) / 2
    }

    /// Rows of the rarer outcome in levels, or in a tail of ordered values, where nearly only that outcome occurs.
    private static func certain(_ column: ProfiledColumn, _ byLevel: [Tally], rarer: Bool, fewest: Int) -> Double {
        let single = byLevel.reduce(0.0) { sum, tally in
            tally.rows >= fewest && tally.share(of: rarer) >= purity ? sum + tally.count(of: rarer) : sum
        }
        guard !column.levelValues.isEmpty else { return single }
        let ordered = byLevel.indices.filter { !column.levelValues[$0].isNaN }
            .sorted { column.levelValues[$0] < column.levelValues[$1] }
        var best = single
        for direction in [ordered, ordered.reversed()] {
            var tail = Tally()
            for level in direction {
                tail.add(byLevel[level])
                if tail.rows >= fewest, tail.share(of: rarer) >= purity { best = max(best, tail.count(of: rarer)) }
            }
        }
        return best
    }

    private static func aloneAUC(
        _ column: ProfiledColumn, labels: [Bool], folds: [Int], byLevel: [Tally]
    ) -> Double {
        // The cell of each level, missing last; many ordered levels are joined to cells of similar size.
        var cellOfLevel = Array(byLevel.indices)
        var cells = byLevel.count
        if !column.levelValues.isEmpty, byLevel.count > bins {
            let ordered = byLevel.indices.sorted {
                let (first, second) = (column.levelValues[$0], column.levelValues[$1])
                return first.isNaN ? false : second.isNaN || first < second
            }
            var before = 0
            for level in ordered {
                cellOfLevel[level] = before * bins / max(1, labels.count)
                before += byLevel[level].rows
            }
            cells = bins
        }
        let cell = column.coded.codes.map { $0 < 0 ? cells : cellOfLevel[Int($0)] }
        let foldCount = (folds.max() ?? 0) + 1
        var tallies = [Tally](repeating: Tally(), count: (cells + 1) * foldCount)
        var totals = [Tally](repeating: Tally(), count: cells + 1)
        for row in labels.indices {
            tallies[folds[row] * (cells + 1) + cell[row]].add(labels[row])
            totals[cell[row]].add(labels[row])
        }
        let overall = Tally(labels)
        let prior = Double(overall.positives) / Double(max(1, overall.rows))
        let scores = labels.indices.map { row -> Double in
            let total = totals[cell[row]]
            let own = tallies[folds[row] * (cells + 1) + cell[row]]
            return (Double(total.positives - own.positives) + prior) / (Double(total.rows - own.rows) + 1)
        }
        var best = Discrimination.auc(scores: scores, labels: labels) ?? 0.5
        if !column.levelValues.isEmpty {
            let values = column.coded.codes.map { code -> Double in
                guard code >= 0, !column.levelValues[Int(code)].isNaN else { return -.greatestFiniteMagnitude }
                return column.levelValues[Int(code)]
            }
            let direct = Discrimination.auc(scores: values, labels: labels) ?? 0.5
            best = max(best, direct, 1 - direct)
        }
        return best
    }
}

/// Rows and positives of some part of the data.
struct Tally: Sendable {
    var rows = 0
    var positives = 0

    init(rows: Int = 0, positives: Int = 0) {
        self.rows = rows
        self.positives = positives
    }

    init(_ labels: [Bool]) {
        rows = labels.count
        positives = labels.reduce(0) { $0 + ($1 ? 1 : 0) }
    }

    mutating func add(_ label: Bool) {
        rows += 1
        if label { positives += 1 }
    }

    mutating func add(_ other: Tally) {
        rows += other.rows
        positives += other.positives
    }

    func count(of outcome: Bool) -> Double {
        Double(outcome ? positives : rows - positives)
    }

    func share(of outcome: Bool) -> Double {
        rows == 0 ? 0 : count(of: outcome) / Double(rows)
    }
}
