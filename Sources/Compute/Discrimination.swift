/// How well scores separate positives from negatives. Only the order of the scores matters here.
package enum Discrimination {
    /// One point of a receiver operating characteristic: the rates above `threshold` (inclusive).
    package struct ROCPoint: Codable, Equatable, Sendable {
        package let falsePositiveRate: Double
        package let truePositiveRate: Double
        package let threshold: Double

        package init(falsePositiveRate: Double, truePositiveRate: Double, threshold: Double) {
            self.falsePositiveRate = falsePositiveRate
            self.truePositiveRate = truePositiveRate
            self.threshold = threshold
        }

        package enum CodingKeys: String, CodingKey {
            case falsePositiveRate = "fpr"
            case truePositiveRate = "tpr"
            case threshold
        }
    }

    /// One tenth of the rows, from the highest scores (decile 1) down.
    package struct Decile: Codable, Equatable, Sendable {
        package let decile: Int
        package let rows: Int
        /// Positives among the rows; fractional where rows of equal score straddle a boundary.
        package let positives: Double
        /// Share of positives among the rows, 0 ... 1.
        package let rate: Double
        /// `rate` divided by the share of positives among all rows.
        package let lift: Double
        /// Share of all positives found in this decile and those above it, 0 ... 1.
        package let captured: Double
    }

    /// The area under the ROC curve: the probability that a random positive scores above a random negative, a tie
    /// counting one half. 0 ... 1; nil when a class is absent.
    ///
    /// Source: Mann-Whitney U over the product of the class sizes, with mid-ranks for ties (Hanley and McNeil, 1982).
    package static func auc(scores: [Double], labels: [Bool]) -> Double? {
        precondition(scores.count == labels.count, "one label per score")
        let order = ascending(scores)
        var positives = 0
        var rankSum = 0.0
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            let midRank = Double(start + end + 1) / 2
            for place in start..<end where labels[order[place]] {
                positives += 1
                rankSum += midRank
            }
            start = end
        }
        let negatives = order.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        let u = rankSum - Double(positives) * Double(positives + 1) / 2
        return u / (Double(positives) * Double(negatives))
    }

    /// How the areas of two scores of the same rows differ, and how sure that is.
    package struct Difference: Codable, Equatable, Sendable {
        package let first: Double
        package let second: Double
        /// Standard error of `first - second`; the rows are the same, so it is smaller than for two samples.
        package let standardError: Double
    }

    /// Compares two scores of the same rows; nil when a class is absent.
    ///
    /// Source: DeLong, DeLong, Clarke-Pearson (1988), with the placements from mid-ranks (Sun and Xu, 2014).
    package static func difference(_ first: [Double], _ second: [Double], labels: [Bool]) -> Difference? {
        guard let one = placements(first, labels), let two = placements(second, labels) else { return nil }
        func variance(_ a: [Double], _ b: [Double]) -> Double {
            let gaps = zip(a, b).map { $0 - $1 }
            guard gaps.count > 1 else { return 0 }
            let mean = gaps.reduce(0, +) / Double(gaps.count)
            let sum = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return sum / Double(gaps.count - 1) / Double(gaps.count)
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        return Difference(
            first: mean(one.positives), second: mean(two.positives),
            standardError: (variance(one.positives, two.positives) + variance(one.negatives, two.negatives))
                .squareRoot())
    }

    /// Per positive the share of negatives below it, per negative the share of positives above it; ties count one half.
    private static func placements(_ scores: [Double], _ labels: [Bool]) -> (positives: [Double], negatives: [Double])?
    {
        precondition(scores.count == labels.count, "one label per score")
        let (up, down) = (labels.indices.filter { labels[$0] }, labels.indices.filter { !labels[$0] })
        guard !up.isEmpty, !down.isEmpty else { return nil }
        let all = midRanks(scores)
        let own = (midRanks(up.map { scores[$0] }), midRanks(down.map { scores[$0] }))
        return (
            up.indices.map { (all[up[$0]] - own.0[$0]) / Double(down.count) },
            down.indices.map { 1 - (all[down[$0]] - own.1[$0]) / Double(up.count) }
        )
    }

    /// 1 for the lowest; rows of equal score share the mean of their ranks.
    private static func midRanks(_ scores: [Double]) -> [Double] {
        let order = ascending(scores)
        var ranks = [Double](repeating: 0, count: scores.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// The ROC curve from (0, 0) to (1, 1), one point per distinct score, thinned to at most `limit` points at even
    /// steps (first and last stay). Empty when a class is absent.
    package static func roc(scores: [Double], labels: [Bool], limit: Int = 200) -> [ROCPoint] {
        precondition(scores.count == labels.count, "one label per score")
        precondition(limit >= 2, "a curve has two ends")
        let positives = labels.reduce(0) { $0 + ($1 ? 1 : 0) }
        let negatives = labels.count - positives
        guard positives > 0, negatives > 0 else { return [] }
        let order = ascending(scores)
        var points = [ROCPoint(falsePositiveRate: 0, truePositiveRate: 0, threshold: scores[order[order.count - 1]])]
        var truePositives = 0
        var falsePositives = 0
        for place in stride(from: order.count - 1, through: 0, by: -1) {
            if labels[order[place]] { truePositives += 1 } else { falsePositives += 1 }
            if place > 0, scores[order[place - 1]] == scores[order[place]] { continue }
            points.append(
                ROCPoint(
                    falsePositiveRate: Double(falsePositives) / Double(negatives),
                    truePositiveRate: Double(truePositives) / Double(positives),
                    threshold: scores[order[place]]))
        }
        guard points.count > limit else { return points }
        return (0..<limit).map { points[$0 * (points.count - 1) / (limit - 1)] }
    }

    /// The rate of positives among the top `fraction` of rows divided by the overall rate; 1 is no better than chance.
    ///
    /// Rows of equal score at the boundary count in proportion, so the figure does not depend on the order of the rows.
    /// nil when there are no rows or no positives. `fraction` is in (0, 1]; at least one row is taken.
    package static func lift(scores: [Double], labels: [Bool], top fraction: Double) -> Double? {
        precondition(scores.count == labels.count, "one label per score")
        precondition(fraction > 0 && fraction <= 1, "a share of the rows")
        let cumulative = cumulativePositives(scores: scores, labels: labels)
        let total = cumulative.last ?? 0
        guard total > 0 else { return nil }
        let taken = max(1, Int((Double(scores.count) * fraction).rounded()))
        return (cumulative[taken] / Double(taken)) / (total / Double(scores.count))
    }

    /// The ten deciles from the highest scores down; fewer when there are fewer than ten rows, none without positives.
    package static func deciles(scores: [Double], labels: [Bool]) -> [Decile] {
        precondition(scores.count == labels.count, "one label per score")
        let cumulative = cumulativePositives(scores: scores, labels: labels)
        let total = cumulative.last ?? 0
        guard total > 0 else { return [] }
        let count = min(10, scores.count)
        let base = total / Double(scores.count)
        return (0..<count).map { index in
            let lower = index * scores.count / count
            let upper = (index + 1) * scores.count / count
            let positives = cumulative[upper] - cumulative[lower]
            let rate = positives / Double(upper - lower)
            return Decile(
                decile: index + 1, rows: upper - lower, positives: positives, rate: rate, lift: rate / base,
                captured: cumulative[upper] / total)
        }
    }

    /// At index k, the expected positives among the k highest scores, ties shared out evenly. Has rows + 1 elements.
    private static func cumulativePositives(scores: [Double], labels: [Bool]) -> [Double] {
        let order = ascending(scores)
        var result = [0.0]
        result.reserveCapacity(scores.count + 1)
        var end = order.count
        while end > 0 {
            var start = end - 1
            while start > 0, scores[order[start - 1]] == scores[order[end - 1]] { start -= 1 }
            let positives = (start..<end).reduce(0) { $0 + (labels[order[$1]] ? 1 : 0) }
            let before = result[result.count - 1]
            for step in 1...(end - start) {
                result.append(before + Double(positives) * Double(step) / Double(end - start))
            }
            end = start
        }
        return result
    }

    private static func ascending(_ scores: [Double]) -> [Int] {
        scores.indices.sorted { scores[$0] < scores[$1] }
    }
}
