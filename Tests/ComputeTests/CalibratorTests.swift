import Foundation
import Testing

@testable import Compute

@Suite("calibration")
struct CalibratorTests {
    /// Probabilities that are too extreme by `distortion` in log-odds, with outcomes drawn from the true ones.
    private func distorted(_ rows: Int, _ distortion: Double, seed: UInt64) -> ([Double], [Bool]) {
        var random = SeededRandom(seed: seed)
        var probabilities: [Double] = []
        var labels: [Bool] = []
        for _ in 0..<rows {
            let odds = (random.unit() - 0.6) * 6
            probabilities.append(LogisticRegression.sigmoid(odds * distortion + 0.5))
            labels.append(random.unit() < LogisticRegression.sigmoid(odds))
        }
        return (probabilities, labels)
    }

    @Test("isotonic regression pools what falls: 1, 3, 2, 4 becomes 1, 2.5, 2.5, 4")
    func isotonicGolden() {
        let fit = Isotonic.fit(inputs: [1, 2, 3, 4], targets: [1, 3, 2, 4])
        #expect(fit.inputs == [1, 2, 3, 4])
        #expect(fit.outputs == [1, 2.5, 2.5, 4])
        #expect(Isotonic.interpolate(1.5, inputs: fit.inputs, outputs: fit.outputs) == 1.75)
        #expect(Isotonic.interpolate(-9, inputs: fit.inputs, outputs: fit.outputs) == 1)
        #expect(Isotonic.interpolate(9, inputs: fit.inputs, outputs: fit.outputs) == 4)
    }

    @Test("isotonic outputs never fall and keep the mean")
    func isotonicProperties() {
        var random = SeededRandom(seed: 6)
        let inputs = (0..<800).map { _ in (random.unit() * 100).rounded() }
        let targets = inputs.map { random.unit() * 100 + $0 }
        let fit = Isotonic.fit(inputs: inputs, targets: targets)
        #expect(zip(fit.outputs, fit.outputs.dropFirst()).allSatisfy { $0 <= $1 })
        let fitted = inputs.map { Isotonic.interpolate($0, inputs: fit.inputs, outputs: fit.outputs) }
        #expect(abs(fitted.reduce(0, +) - targets.reduce(0, +)) < 1e-6)
    }

    @Test("logistic regression finds the coefficients a table of counts implies")
    func logisticGolden() {
        // x = 0: 10 of 40 positive, log-odds ln(1/3). x = 1: 30 of 40 positive, log-odds ln 3.
        let column = [Double](repeating: 0, count: 40) + [Double](repeating: 1, count: 40)
        let targets = (0..<80).map { ($0 < 10 || (40..<70).contains($0)) ? 1.0 : 0 }
        let fitted = LogisticRegression.fit(columns: [column], targets: targets, ridge: 0)
        #expect(abs(fitted[0] - 2 * log(3)) < 1e-6)
        #expect(abs(fitted[1] + log(3)) < 1e-6)
    }

    @Test("separable data give finite coefficients")
    func separable() {
        let fitted = LogisticRegression.fit(columns: [[0, 0, 1, 1]], targets: [0, 0, 1, 1])
        #expect(fitted.allSatisfy { $0.isFinite })
    }

    @Test("Platt scaling undoes a known distortion")
    func platt() throws {
        let (probabilities, labels) = distorted(60_000, 2, seed: 12)
        guard case .platt(let slope, let intercept) = Calibrator.fitPlatt(probabilities: probabilities, labels: labels)
        else {
            Issue.record("no Platt scaling was fitted")
            return
        }
        #expect(abs(slope - 0.5) < 0.02)
        #expect(abs(intercept + 0.25) < 0.04)
    }

    @Test(
        "the best calibrator lowers log loss and calibration error on rows it has not seen", arguments: [0.4, 1.8, 3])
    func improves(distortion: Double) {
        let (probabilities, labels) = distorted(6000, distortion, seed: 21)
        let (fresh, outcomes) = distorted(6000, distortion, seed: 22)
        let calibrated = Calibrator.fitBest(probabilities: probabilities, labels: labels, seed: 1).apply(fresh)
        #expect(
            ProbabilityScores.logLoss(probabilities: calibrated, labels: outcomes)
                < ProbabilityScores.logLoss(probabilities: fresh, labels: outcomes))
        #expect(ProbabilityScores.expectedCalibrationError(probabilities: calibrated, labels: outcomes) < 0.02)
    }

    @Test("every calibrator keeps the order and stays inside (0, 1)")
    func monotone() {
        let (probabilities, labels) = distorted(3000, 1.5, seed: 31)
        let grid = (0...200).map { Double($0) / 200 }
        for calibrator in [
            .identity, Calibrator.fitPlatt(probabilities: probabilities, labels: labels),
            Calibrator.fitBeta(probabilities: probabilities, labels: labels),
            Calibrator.fitIsotonic(probabilities: probabilities, labels: labels),
        ] {
            let values = calibrator.apply(grid)
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
            #expect(values.allSatisfy { $0 > 0 && $0 < 1 })
        }
    }

    @Test("a model that is already calibrated is left alone or changed without harm")
    func harmless() {
        let (probabilities, labels) = distorted(4000, 1, seed: 41)
        let shifted = probabilities.map { LogisticRegression.sigmoid(LogisticRegression.logit($0) - 0.5) }
        let calibrated = Calibrator.fitBest(probabilities: shifted, labels: labels, seed: 1).apply(shifted)
        #expect(
            ProbabilityScores.logLoss(probabilities: calibrated, labels: labels)
                <= ProbabilityScores.logLoss(probabilities: shifted, labels: labels) + 1e-4)
    }

    @Test("with hardly any positives nothing is fitted")
    func tooFew() {
        let labels = (0..<100).map { $0 < 5 }
        let probabilities = labels.map { $0 ? 0.4 : 0.2 }
        #expect(Calibrator.fitBest(probabilities: probabilities, labels: labels, seed: 1) == .identity)
    }

    @Test("a calibrator survives JSON")
    func codable() throws {
        let (probabilities, labels) = distorted(2000, 2, seed: 51)
        for calibrator in [
            Calibrator.identity, .fitBeta(probabilities: probabilities, labels: labels),
            .fitIsotonic(probabilities: probabilities, labels: labels),
        ] {
            let data = try JSONEncoder().encode(calibrator)
            let decoded = try JSONDecoder().decode(Calibrator.self, from: data)
            #expect(decoded == calibrator)
        }
    }
}
