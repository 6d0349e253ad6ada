import Foundation
import Testing

@testable import Compute

@Suite("probability scores")
struct ProbabilityScoresTests {
    @Test("log loss and Brier of two rows, by hand")
    func golden() {
        let logLoss = ProbabilityScores.logLoss(probabilities: [0.8, 0.4], labels: [true, false])
        #expect(abs(logLoss - (-(log(0.8) + log(0.6)) / 2)) < 1e-12)
        let brier = ProbabilityScores.brier(probabilities: [0.8, 0.4], labels: [true, false])
        #expect(abs(brier - 0.1) < 1e-12)
    }

    @Test("a certain mistake costs a finite log loss")
    func clipped() {
        let loss = ProbabilityScores.logLoss(probabilities: [0, 1], labels: [true, false])
        #expect(loss.isFinite && loss > 30)
    }

    @Test("calibration error of two equal-mass bins, by hand")
    func calibrationGolden() {
        let probabilities = [0.1, 0.3, 0.6, 0.8]
        let labels = [false, true, true, true]
        let curve = ProbabilityScores.calibrationCurve(probabilities: probabilities, labels: labels, bins: 2)
        #expect(curve.map(\.rows) == [2, 2])
        #expect(abs(curve[0].predicted - 0.2) < 1e-12 && curve[0].observed == 0.5)
        #expect(abs(curve[1].predicted - 0.7) < 1e-12 && curve[1].observed == 1)
        let error = ProbabilityScores.expectedCalibrationError(probabilities: probabilities, labels: labels, bins: 2)
        #expect(abs(error - 0.3) < 1e-12)
    }

    @Test("the calibration error does not depend on the order of the rows, even with ties")
    func orderFree() {
        var random = SeededRandom(seed: 4)
        let probabilities = (0..<503).map { _ in (random.unit() * 6).rounded() / 6 }
        let labels = probabilities.map { random.unit() < $0 }
        let order = random.permutation(of: 503)
        let straight = ProbabilityScores.expectedCalibrationError(probabilities: probabilities, labels: labels)
        let mixed = ProbabilityScores.expectedCalibrationError(
            probabilities: order.map { probabilities[$0] }, labels: order.map { labels[$0] })
        #expect(abs(straight - mixed) < 1e-12)
    }

    @Test("bins are of equal mass within one row")
    func equalMass() {
        let probabilities = (0..<103).map { Double($0) / 103 }
        let curve = ProbabilityScores.calibrationCurve(
            probabilities: probabilities, labels: probabilities.map { $0 > 0.5 })
        #expect(curve.count == 10)
        #expect(curve.allSatisfy { $0.rows == 10 || $0.rows == 11 })
        #expect(curve.reduce(0) { $0 + $1.rows } == 103)
    }
}
