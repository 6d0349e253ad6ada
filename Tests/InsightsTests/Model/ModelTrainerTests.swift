import Compute
import Foundation
import Testing

@testable import Insights

@Suite("training", .serialized)
struct ModelTrainerTests {
    private let options = TrainingOptions(label: "Churn", identifier: "Customer ID", folds: 4, seed: 3)

    @Test("a report is one JSON object with the agreed keys, and its figures agree with each other")
    func report() throws {
        let report = try ChurnTrainer.evaluate(ModelFixtures.customers(1200), options)
        let data = try JSONEncoder().encode(report)
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in ["auc", "logloss", "brier", "ece", "lift_at_10", "seconds"] {
            #expect(object[key] is Double, "\(key)")
        }
        for key in ["folds", "rows", "features"] { #expect(object[key] is Int, "\(key)") }
        let excluded = try #require(object["excluded"] as? [[String: Any]])
        #expect(excluded.allSatisfy { $0["column"] is String && $0["reason"] is String })
        let decoded = try JSONDecoder().decode(EvaluationReport.self, from: data)
        #expect(decoded == report)

        #expect(report.folds == 4 && report.rows == 1200 && report.perFold.count == 4)
        #expect(report.features == report.columns.count && report.features == 8)
        #expect(abs(report.perFold.reduce(0) { $0 + $1.auc } / 4 - report.auc) < 1e-12)
        #expect(report.auc > 0.72 && abs(report.auc - report.aucPooled) < 0.02)
        #expect(report.liftAt10 > 1.5)
        #expect(report.histogram.reduce(0) { $0 + $1.count } == 1200)
        #expect(report.calibration.reduce(0) { $0 + $1.rows } == 1200)
    }

    @Test("the same seed gives the same figures, another seed other ones")
    func reproducible() throws {
        let table = ModelFixtures.customers(600)
        var other = options
        other.seed = 4
        let first = try ChurnTrainer.evaluate(table, options)
        let again = try ChurnTrainer.evaluate(table, options)
        let different = try ChurnTrainer.evaluate(table, other)
        #expect(first.auc == again.auc && first.logloss == again.logloss && first.roc == again.roc)
        #expect(first.auc != different.auc)
    }

    @Test("a model that knows nothing does not claim to: random outcomes give an area near one half")
    func noise() throws {
        var random = SeededRandom(seed: 8)
        let table = ModelFixtures.customers(1000)
        let columns = table.columns.map { column -> RawTable.Column in
            guard column.name == "Churn" else { return column }
            return (column.name, (0..<1000).map { _ in random.below(4) == 0 ? "Yes" : "No" })
        }
        let report = try ChurnTrainer.evaluate(RawTable(columns: columns), options)
        #expect(abs(report.auc - 0.5) < 0.06)
        // Saying "one in four" to everybody costs 0.562; a model that fools itself costs clearly more.
        #expect(report.logloss < 0.60)
    }

    @Test("calibration does not make probabilities worse")
    func calibration() throws {
        let report = try ChurnTrainer.evaluate(ModelFixtures.customers(1500), options)
        #expect(report.logloss <= report.loglossRaw * 1.01)
        #expect(report.ece < 0.05)
    }

    @Test("contributions per column and the bias add up to the margin, which rises with the probability")
    func contributions() throws {
        let table = ModelFixtures.customers(800)
        let model = try ChurnTrainer.train(table, options)
        let scored = try model.score(table)
        #expect(scored.count == 800)
        for row in scored {
            #expect(row.contributions.count == model.columns.count)
            #expect(abs(row.contributions.reduce(row.bias, +) - row.margin) < 1e-4)
            #expect(row.probability > 0 && row.probability < 1)
            #expect(row.band == model.bands.band(row.probability))
        }
        let byMargin = scored.sorted { $0.margin < $1.margin }.map(\.probability)
        #expect(zip(byMargin, byMargin.dropFirst()).allSatisfy { $0 <= $1 })
        let probabilities = try model.probabilities(table)
        #expect(probabilities == scored.map(\.probability))
        #expect(model.report.importance.first?.weight ?? 0 > model.report.importance.last?.weight ?? 1)
    }

    @Test("a stored model scores exactly as before, and damaged bytes are refused")
    func stored() throws {
        let table = ModelFixtures.customers(600)
        let model = try ChurnTrainer.train(table, options)
        let bytes = try model.serialized()
        let restored = try TrainedModel(serialized: bytes)
        let fresh = ModelFixtures.customers(300, seed: 9)
        let before = try model.score(fresh)
        let after = try restored.score(fresh)
        #expect(before == after)
        #expect(restored.report == model.report && restored.summaries == model.summaries)
        #expect(restored.label == "Churn" && restored.positive == "Yes" && restored.identifier == "Customer ID")

        let strange = [UInt8](repeating: 7, count: 99)
        for broken in [[], Array(bytes.prefix(40)), Array(bytes.dropLast()), [0] + bytes, strange] {
            #expect(throws: ModelError.self) { try TrainedModel(serialized: broken) }
        }
        var flipped = bytes
        flipped[bytes.count / 2] ^= 1
        #expect(throws: ModelError.self) { try TrainedModel(serialized: flipped) }
    }

    @Test("new customers are scored with columns in any order, absent, or of a kind not seen before")
    func otherTables() throws {
        let model = try ChurnTrainer.train(ModelFixtures.customers(800), options)
        let table = ModelFixtures.customers(200, seed: 12)
        let expected = try model.probabilities(table)
        let turned = RawTable(columns: table.columns.reversed().filter { $0.name != "Churn" })
        #expect(try model.probabilities(turned) == expected)

        let partial = ModelFixtures.dropping("City", from: table)
        #expect(model.missingColumns(in: partial) == ["City"])
        #expect(try model.probabilities(partial).count == 200)
        #expect(throws: ModelError.noKnownColumns(expected: model.columns)) {
            try model.score(RawTable(columns: [("something", ["1"])]))
        }
        let odd = RawTable(columns: [("Contract", ["Ten years", nil]), ("Monthly Charges", ["free", "1e9"])])
        #expect(try model.score(odd).allSatisfy { $0.probability.isFinite })
        #expect(try model.score(ModelFixtures.rows([], of: table)).isEmpty)
    }

    @Test("bands follow the odds of the base, and more risk never means a lower band")
    func bands() {
        let bands = RiskBands(baseRate: 0.2)
        // Base odds 1/4; three times 3/4, eight times 2.
        #expect(bands.medium == 0.2)
        #expect(abs(bands.high - 3.0 / 7) < 1e-12)
        #expect(abs(bands.critical - 2.0 / 3) < 1e-12)
        #expect(bands.band(0.19) == .low && bands.band(0.2) == .medium && bands.band(0.9) == .critical)
        for base in [0.0, 0.001, 0.5, 0.97, 1] {
            let found = stride(from: 0, through: 1, by: 0.01).map { RiskBands(baseRate: base).band($0) }
            #expect(zip(found, found.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test("copies of a customer share a fold and are counted")
    func duplicates() throws {
        let table = ModelFixtures.dropping("Customer ID", from: ModelFixtures.customers(500))
        let doubled = ModelFixtures.rows((0..<500).flatMap { $0 < 100 ? [$0, $0] : [$0] }, of: table)
        let report = try ChurnTrainer.evaluate(doubled, TrainingOptions(label: "Churn", folds: 3))
        #expect(report.rows == 600 && report.duplicateRows == 100)
    }

    @Test("rows without a label are left out and counted")
    func unlabelled() throws {
        let table = ModelFixtures.customers(400)
        let columns = table.columns.map { column -> RawTable.Column in
            guard column.name == "Churn" else { return column }
            return (column.name, column.values.enumerated().map { $0.offset < 40 ? "" : $0.element })
        }
        let report = try ChurnTrainer.evaluate(RawTable(columns: columns), TrainingOptions(label: "Churn", folds: 3))
        #expect(report.rows == 360 && report.rowsWithoutLabel == 40)
    }

    @Test("progress never falls and ends at one; throwing from it stops the training")
    func progress() throws {
        let shares = Recorder()
        _ = try ChurnTrainer.train(ModelFixtures.customers(300), options) { shares.add($0) }
        let seen = shares.values
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.share <= $1.share })
        #expect(seen.last?.share == 1 && seen.last?.stage == .done)
        #expect(throws: CancellationError.self) {
            try ChurnTrainer.evaluate(ModelFixtures.customers(300), options) { progress in
                if progress.stage == .folds { throw CancellationError() }
            }
        }
    }

    @Test("tables that cannot be learned from are refused with what is wrong")
    func refused() {
        let table = ModelFixtures.customers(300)
        func expect(_ error: ModelError, _ table: RawTable, _ options: TrainingOptions) {
            #expect(throws: error) { try ChurnTrainer.evaluate(table, options) }
            #expect(!error.text.zh.isEmpty && !error.text.en.isEmpty && error.text.zh != error.text.en)
        }
        expect(.tooFewRows(found: 49, needed: 50), ModelFixtures.rows(Array(0..<49), of: table), options)
        expect(.identifierMissing(column: "Nobody"), table, TrainingOptions(label: "Churn", identifier: "Nobody"))
        expect(.foldsOutOfRange(folds: 1, lowest: 2, highest: 20), table, TrainingOptions(label: "Churn", folds: 1))
        expect(.foldsOutOfRange(folds: 21, lowest: 2, highest: 20), table, TrainingOptions(label: "Churn", folds: 21))
        let labels = table.values(of: "Churn") ?? []
        let yes = labels.indices.filter { labels[$0] == "Yes" }
        let no = labels.indices.filter { labels[$0] == "No" }
        expect(
            .tooFewOfOutcome(value: "Yes", found: 7, needed: 10),
            ModelFixtures.rows(Array(yes.prefix(7)) + no, of: table), TrainingOptions(label: "Churn", folds: 10))
        expect(
            .tooFewOfOutcome(value: "No", found: 3, needed: 5),
            ModelFixtures.rows(yes + Array(no.prefix(3)), of: table), TrainingOptions(label: "Churn"))
        expect(.oneClass(column: "Churn", value: "No"), ModelFixtures.rows(no, of: table), options)
        let bare = RawTable(columns: table.columns.filter { ["Customer ID", "Country", "Churn"].contains($0.name) })
        expect(.noUsableColumns, bare, options)
        expect(.labelMissing(column: "Churn", available: []), RawTable(columns: []), TrainingOptions(label: "Churn"))
    }

    @Test(
        "real extracts reach what careful models reach on them",
        arguments: [
            (ModelFixtures.ibm, "Churn Label", 0.855), (ModelFixtures.ibmSmall, "Churn", 0.843),
            (ModelFixtures.iranian, "Churn", 0.98),
        ])
    func real(path: String, label: String, least: Double) throws {
        guard let table = ModelFixtures.real(path) else { return }
        let report = try ChurnTrainer.evaluate(table, TrainingOptions(label: label, seed: 20))
        print("\(path): auc \(report.auc), logloss \(report.logloss), ece \(report.ece), \(report.seconds) s")
        #expect(report.auc >= least)
        // Far above what is possible without the answer would mean that some of it leaked.
        #expect(report.auc <= least + 0.015)
        #expect(report.ece < 0.02)
    }
}

/// Collects progress from several threads.
private final class Recorder: @unchecked Sendable {
    private let lock = NSLock()
    private var seen: [TrainingProgress] = []

    var values: [TrainingProgress] { lock.withLock { seen } }

    func add(_ progress: TrainingProgress) {
        lock.withLock { seen.append(progress) }
    }
}
