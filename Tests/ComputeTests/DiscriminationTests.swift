import Testing

@testable import Compute

@Suite("discrimination")
struct DiscriminationTests {
    @Test("the area counts a tie as one half")
    func aucGolden() {
        // Pairs: (0.8, 0.3) and (0.8, 0.5) won, (0.5, 0.3) won, (0.5, 0.5) tied: 3.5 of 4.
        #expect(Discrimination.auc(scores: [0.8, 0.5, 0.5, 0.3], labels: [true, true, false, false]) == 0.875)
        #expect(Discrimination.auc(scores: [1, 2, 3, 4], labels: [false, false, true, true]) == 1)
        #expect(Discrimination.auc(scores: [4, 3, 2, 1], labels: [false, false, true, true]) == 0)
        #expect(Discrimination.auc(scores: [1, 1, 1, 1], labels: [false, true, false, true]) == 0.5)
        #expect(Discrimination.auc(scores: [1, 2], labels: [true, true]) == nil)
    }

    @Test("the area is the same for any rising transformation, and one minus it for a falling one")
    func aucInvariance() throws {
        var random = SeededRandom(seed: 5)
        let scores = (0..<400).map { _ in (random.unit() * 50).rounded() }
        let labels = scores.map { _ in random.unit() < 0.3 }
        let area = try #require(Discrimination.auc(scores: scores, labels: labels))
        let risen = try #require(Discrimination.auc(scores: scores.map { $0 * $0 * $0 + 2 }, labels: labels))
        let fallen = try #require(Discrimination.auc(scores: scores.map { -$0 }, labels: labels))
        #expect(abs(area - risen) < 1e-12)
        #expect(abs(area + fallen - 1) < 1e-12)
    }

    @Test("two scores of the same rows are compared with the areas each has, and an error by DeLong's definition")
    func difference() throws {
        var random = SeededRandom(seed: 12)
        let labels = (0..<180).map { _ in random.unit() < 0.35 }
        let one = labels.map { (random.unit() * 12 + ($0 ? 4 : 0)).rounded() }
        let two = labels.map { (random.unit() * 12 + ($0 ? 2 : 0)).rounded() }
        let found = try #require(Discrimination.difference(one, two, labels: labels))
        #expect(abs(found.first - (try #require(Discrimination.auc(scores: one, labels: labels)))) < 1e-12)
        #expect(abs(found.second - (try #require(Discrimination.auc(scores: two, labels: labels)))) < 1e-12)
        // By the definition, pair by pair.
        let (up, down) = (labels.indices.filter { labels[$0] }, labels.indices.filter { !labels[$0] })
        func kernel(_ scores: [Double], _ a: Int, _ b: Int) -> Double {
            scores[a] > scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0
        }
        func gap(_ a: Int, _ b: Int) -> Double { kernel(one, a, b) - kernel(two, a, b) }
        func variance(_ values: [Double]) -> Double {
            let mean = values.reduce(0, +) / Double(values.count)
            return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        }
        let ofUp = up.map { a in down.reduce(0) { $0 + gap(a, $1) } / Double(down.count) }
        let ofDown = down.map { b in up.reduce(0) { $0 + gap($1, b) } / Double(up.count) }
        let expected = (variance(ofUp) / Double(up.count) + variance(ofDown) / Double(down.count)).squareRoot()
        #expect(abs(found.standardError - expected) < 1e-12)
        #expect(found.standardError > 0)
    }

    @Test("a score compared with itself differs by nothing for sure; without both classes there is nothing to compare")
    func noDifference() throws {
        let labels = [true, false, true, false]
        let same = try #require(Discrimination.difference([1, 2, 3, 4], [1, 2, 3, 4], labels: labels))
        #expect(same.first == same.second)
        #expect(same.standardError == 0)
        #expect(Discrimination.difference([1, 2], [1, 2], labels: [true, true]) == nil)
    }

    @Test("the area under the ROC points by trapezoids is the area by ranks")
    func rocMatchesAUC() throws {
        var random = SeededRandom(seed: 9)
        let labels = (0..<600).map { _ in random.unit() < 0.25 }
        let scores = labels.map { (random.unit() * 20 + ($0 ? 4 : 0)).rounded() }
        let points = Discrimination.roc(scores: scores, labels: labels)
        var area = 0.0
        for (from, to) in zip(points, points.dropFirst()) {
            #expect(to.falsePositiveRate >= from.falsePositiveRate && to.truePositiveRate >= from.truePositiveRate)
            area += (to.falsePositiveRate - from.falsePositiveRate) * (to.truePositiveRate + from.truePositiveRate) / 2
        }
        let byRanks = try #require(Discrimination.auc(scores: scores, labels: labels))
        #expect(abs(area - byRanks) < 1e-12)
        #expect(points.first?.truePositiveRate == 0)
        #expect(points.last?.truePositiveRate == 1 && points.last?.falsePositiveRate == 1)
    }

    @Test("a long ROC curve is thinned to the limit and keeps both ends")
    func rocThinned() {
        var random = SeededRandom(seed: 10)
        let scores = (0..<5000).map { _ in random.unit() }
        let labels = scores.map { random.unit() < $0 }
        let points = Discrimination.roc(scores: scores, labels: labels, limit: 50)
        #expect(points.count == 50)
        #expect(points.first?.falsePositiveRate == 0)
        #expect(points.last?.falsePositiveRate == 1)
    }

    @Test("lift at 10 % of twenty rows: both of the top two are positive, base rate one in five, so 5")
    func liftGolden() throws {
        let scores = (0..<20).map { Double(20 - $0) }
        let labels = (0..<20).map { [0, 1, 7, 15].contains($0) }
        #expect(Discrimination.lift(scores: scores, labels: labels, top: 0.1) == 5)
        #expect(Discrimination.lift(scores: scores, labels: labels, top: 1) == 1)
        let deciles = Discrimination.deciles(scores: scores, labels: labels)
        #expect(deciles.map(\.positives) == [2, 0, 0, 1, 0, 0, 0, 1, 0, 0])
        #expect(deciles.map(\.captured) == [0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75, 1, 1, 1])
        #expect(deciles[0].lift == 5)
    }

    @Test("equal scores give a lift of 1 whatever the order of the rows")
    func liftTies() throws {
        let labels = (0..<40).map { $0 < 10 }
        let lift = try #require(
            Discrimination.lift(
                scores: [Double](repeating: 0.5, count: 40), labels: labels, top: 0.1))
        #expect(abs(lift - 1) < 1e-12)
    }

    @Test("lift without positives is unknown")
    func liftEmpty() {
        #expect(Discrimination.lift(scores: [1, 2], labels: [false, false], top: 0.1) == nil)
        #expect(Discrimination.lift(scores: [], labels: [], top: 0.1) == nil)
        #expect(Discrimination.deciles(scores: [1, 2], labels: [false, false]).isEmpty)
    }
}
