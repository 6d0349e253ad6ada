import Testing

@testable import Compute

@Suite("stratified folds")
struct StratifiedFoldsTests {
    @Test("positives and negatives differ by at most one between folds", arguments: [2, 3, 5, 10])
    func balanced(folds: Int) {
        let labels = (0..<997).map { $0 % 7 == 0 }
        let assigned = StratifiedFolds.assign(labels: labels, folds: folds, seed: 11)
        let positives = (0..<folds).map { fold in labels.indices.filter { assigned[$0] == fold && labels[$0] }.count }
        let negatives = (0..<folds).map { fold in labels.indices.filter { assigned[$0] == fold && !labels[$0] }.count }
        #expect((positives.max() ?? 0) - (positives.min() ?? 0) <= 1)
        #expect((negatives.max() ?? 0) - (negatives.min() ?? 0) <= 1)
        #expect(positives.reduce(0, +) + negatives.reduce(0, +) == labels.count)
    }

    @Test("copies of one row share a fold and the folds stay balanced")
    func groups() {
        let groups = (0..<1200).map { $0 < 400 ? $0 / 4 : $0 }
        let labels = groups.map { $0 % 5 == 0 }
        let assigned = StratifiedFolds.assign(labels: labels, groups: groups, folds: 5, seed: 2)
        var seen: [Int: Int] = [:]
        for (row, group) in groups.enumerated() {
            if let fold = seen[group] { #expect(fold == assigned[row]) }
            seen[group] = assigned[row]
        }
        let sizes = (0..<5).map { fold in assigned.filter { $0 == fold }.count }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 8)
    }

    @Test("the same seed gives the same folds, another seed other folds")
    func reproducible() {
        let labels = (0..<300).map { $0 % 3 == 0 }
        let first = StratifiedFolds.assign(labels: labels, folds: 5, seed: 1)
        #expect(first == StratifiedFolds.assign(labels: labels, folds: 5, seed: 1))
        #expect(first != StratifiedFolds.assign(labels: labels, folds: 5, seed: 2))
    }
}
