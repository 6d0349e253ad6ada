import Compute
import Testing

@testable import Insights

@Suite("trees")
struct ModelTreeTests {
    private let settings = TreeSettings(
        depth: 4, learningRate: 0.1, minChildWeight: 1, rowShare: 0.8, columnShare: 0.7, lambda: 1)

    /// Three features, one of them useless, with missing values; the outcome follows the first two.
    private func data(_ rows: Int, seed: UInt64) -> (FeatureMatrix, [Bool]) {
        var random = SeededRandom(seed: seed)
        var values: [Float] = []
        var labels: [Bool] = []
        for _ in 0..<rows {
            let (a, b) = (random.unit(), random.unit())
            values += [Float(a), random.below(10) == 0 ? .nan : Float(b), Float(random.unit())]
            labels.append(random.unit() < LogisticRegression.sigmoid(6 * a - 4 * b - 1))
        }
        return (FeatureMatrix(rows: rows, width: 3, values: values), labels)
    }

    private func area(_ booster: TreeBooster, _ matrix: FeatureMatrix, _ labels: [Bool]) throws -> Double {
        try #require(Discrimination.auc(scores: booster.margins(matrix).map(Double.init), labels: labels))
    }

    @Test("trees learn what is there to be learned")
    func learns() throws {
        let (matrix, labels) = data(2000, seed: 1)
        let (fresh, outcomes) = data(2000, seed: 2)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 60, seed: 1, threads: 1)
        #expect(try area(booster, fresh, outcomes) > 0.85)
    }

    @Test("contributions and the bias add up to the log-odds of every row")
    func contributions() throws {
        let (matrix, labels) = data(1500, seed: 3)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 80, seed: 1, threads: 1)
        let margins = try booster.margins(matrix)
        let parts = try booster.contributions(matrix)
        #expect(parts.count == 1500 * 4)
        for row in 0..<1500 {
            let sum = parts[(row * 4)..<(row * 4 + 4)].reduce(0) { $0 + Double($1) }
            #expect(abs(sum - Double(margins[row])) < 1e-4)
        }
        let useful = stride(from: 0, to: parts.count, by: 4).reduce(0.0) { $0 + Double(abs(parts[$1])) }
        let useless = stride(from: 2, to: parts.count, by: 4).reduce(0.0) { $0 + Double(abs(parts[$1])) }
        #expect(useful > 4 * useless)
    }

    @Test("the same seed grows the same trees, another seed others")
    func reproducible() throws {
        let (matrix, labels) = data(800, seed: 4)
        func margins(_ seed: UInt64) throws -> [Float] {
            try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 30, seed: seed, threads: 1)
                .margins(matrix)
        }
        let first = try margins(7)
        let again = try margins(7)
        let other = try margins(8)
        #expect(first == again)
        #expect(first != other)
    }

    @Test("a stored booster predicts exactly as before")
    func stored() throws {
        let (matrix, labels) = data(600, seed: 5)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 30, seed: 1, threads: 1)
        let restored = try TreeBooster(serialized: booster.serialized(), width: 3, threads: 1)
        let before = try booster.margins(matrix)
        let after = try restored.margins(matrix)
        #expect(before == after)
        #expect(try booster.contributions(matrix) == restored.contributions(matrix))
    }

    @Test("early stopping keeps the round with the lowest loss")
    func earlyStopping() throws {
        let (matrix, labels) = data(300, seed: 6)
        let (held, outcomes) = data(300, seed: 7)
        let found = try TreeBooster.search(
            matrix, labels: labels, validation: held, validationLabels: outcomes, settings: settings, maxRounds: 500,
            patience: 20, seed: 1, threads: 1)
        #expect(found.rounds > 1 && found.rounds < 400)
        let booster = try TreeBooster.train(
            matrix, labels: labels, settings: settings, rounds: found.rounds, seed: 1, threads: 1)
        let probabilities = try booster.margins(held).map { LogisticRegression.sigmoid(Double($0)) }
        let loss = ProbabilityScores.logLoss(probabilities: probabilities, labels: outcomes)
        #expect(abs(loss - found.loss) < 1e-4)
    }

    @Test("many rows are predicted in parts with the same result as one by one")
    func chunks() throws {
        let (matrix, labels) = data(500, seed: 8)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 10, seed: 1, threads: 1)
        let many = matrix.subset((0..<70_000).map { $0 % 500 })
        let once = try booster.margins(matrix)
        let margins = try booster.margins(many)
        #expect(margins.count == 70_000)
        #expect((0..<70_000).allSatisfy { margins[$0] == once[$0 % 500] })
    }

    @Test("what XGBoost refuses is an error with its words, not a crash")
    func errors() throws {
        let (matrix, labels) = data(100, seed: 9)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 5, seed: 1, threads: 1)
        #expect(throws: ModelError.self) { try booster.margins(FeatureMatrix(rows: 1, width: 2, values: [1, 2])) }
        #expect(throws: ModelError.self) { try TreeBooster(serialized: [], width: 3, threads: 1) }
        #expect(throws: ModelError.self) { try TreeBooster(serialized: [1, 2, 3, 4, 5], width: 3, threads: 1) }
        var bad = settings
        bad.learningRate = -1
        #expect(throws: ModelError.self) {
            try TreeBooster.train(matrix, labels: labels, settings: bad, rounds: 5, seed: 1, threads: 1)
        }
        #expect(throws: ModelError.self) {
            try TreeBooster.train(
                FeatureMatrix(rows: 0, width: 3, values: []), labels: [], settings: settings, rounds: 1, seed: 1,
                threads: 1)
        }
    }

    @Test("one booster answers several threads at once")
    func threads() throws {
        let (matrix, labels) = data(400, seed: 10)
        let booster = try TreeBooster.train(matrix, labels: labels, settings: settings, rounds: 20, seed: 1, threads: 1)
        let once = try booster.contributions(matrix)
        let all = try ParallelWork.map(8, threads: 4) { _ in try booster.contributions(matrix) }
        #expect(all.allSatisfy { $0 == once })
    }
}
