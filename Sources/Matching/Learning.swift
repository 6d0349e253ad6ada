import Compute
import Foundation

/// Learns a `LinkageModel` from unlabelled pairs by expectation-maximisation.
///
/// The pairs not compared count as others: the blocks are a part of all pairs, not a world of their own, so u is
/// what random
/// pairs show and not what pairs that were chosen for being alike show. What keeps EM from drifting: u is not
/// learned in the
/// loop but for the matches among the random pairs, m has a prior worth a few matches, weights never rise from a better
/// level to a worse one, pairs that the household rule keeps apart are never matches, and more matches than there
/// can be
/// are refused.
struct Learning {
    private static let iterationsMax = 25
    private static let randomPairs = 150_000
    private static let trainedPairsMax = 3_000_000
    /// What the prior on m is worth, in matches.
    private static func priorMatches(_ kind: ColumnKind) -> Double {
        switch kind {
        case .number, .date, .category, .text, .code, .nothing: 2
        default: 8
        }
    }

    let table: PreparedTable
    let compared: ComparedPairs
    let blocking: Blocking
    /// Levels of random pairs: counts[field][level].
    private var random: [[Double]] = []
    private var randomPresent: [Double] = []
    /// Of each field, the share of each value.
    let shares: [[Double]]

    init(_ table: PreparedTable, _ compared: ComparedPairs, _ blocking: Blocking) {
        (self.table, self.compared, self.blocking) = (table, compared, blocking)
        shares = table.columns.map { column in
            let present = Double(max(1, column.present))
            return column.counts.map { max(0.5, Double($0) - 1.5) / present }
        }
        sample()
    }

    /// Random pairs: almost all of them are no matches. Seeded, so that a run can be repeated.
    private mutating func sample() {
        var generator = SeededRandom(seed: 1)
        var pairs: [UInt64] = []
        let wanted = Int(min(Double(Self.randomPairs), table.pairs * 2))
        let left = table.split ?? table.rows
        while pairs.count < wanted {
            let a = generator.below(max(1, left))
            let b = table.split.map { $0 + generator.below(max(1, table.rows - $0)) } ?? generator.below(table.rows)
            if a != b { pairs.append(CandidatePairs.pack(a, b)) }
        }
        let levels = ComparedPairs(table, pairs).levels
        let width = table.columns.count
        random = table.fields.map { [Double](repeating: 0, count: $0.kind.levels) }
        for number in pairs.indices {
            for field in 0..<width {
                let level = levels[number * width + field]
                if level != Comparison.missing { random[field][Int(level)] += 1 }
            }
        }
        randomPresent = random.map { $0.reduce(0, +) }
    }

    /// Pairs of present values that agree wholly, of all pairs, from the values' counts.
    private func agreeing(_ field: Int) -> Double {
        let column = table.columns[field]
        guard let split = table.split else {
            return column.counts.reduce(0.0) { $0 + Double($1) * Double($1 - 1) / 2 }
        }
        var left = [Int32](repeating: 0, count: column.values.count)
        for row in 0..<split where column.rows[row] >= 0 { left[Int(column.rows[row])] += 1 }
        return zip(column.counts, left).reduce(0.0) { $0 + Double($1.1) * Double($1.0 - $1.1) }
    }

    func model() -> LinkageModel {
        let present = table.columns.indices.map { field -> Double in
            let share =
                randomPresent[field]
                / max(1, random[field].isEmpty ? 1 : Double(min(Self.randomPairs, Int(table.pairs * 2))))
            return share * table.pairs
        }
        let agreeing = table.columns.indices.map(agreeing)
        var model = start()
        let limit = Double(min(table.split ?? table.rows, table.split.map { table.rows - $0 } ?? table.rows)) * 3
        setU(&model, counts: nil, 0, present, agreeing)
        for _ in 0..<Self.iterationsMax {
            let (counts, total, kinship) = expectation(model)
            model.kinship = kinship
            if total > limit { return start(withU: model) }
            let before = model.weights.map(\.m)
            maximise(&model, counts, total)
            setU(&model, counts: counts, total, present, agreeing)
            let change =
                zip(before, model.weights).map { a, b in zip(a, b.m).map { abs($0 - $1) }.max() ?? 0 }.max() ?? 0
            if change < 0.0005 { break }
        }
        return model
    }

    private func start(withU other: LinkageModel? = nil) -> LinkageModel {
        let weights = table.fields.indices.map { field in
            let m = Self.priorM(table.fields[field].kind)
            let present = Double(max(1, table.columns[field].present))
            let frequent = zip(table.columns[field].values, shares[field])
                .filter { $0.1 * present >= 3 }.sorted { $0.1 > $1.1 }.prefix(4_096)
            return LinkageModel.Weights(
                field: table.fields[field], m: m, u: other?.weights[field].u ?? m, bits: m.map { _ in 0 },
                frequent: Dictionary(frequent.map { ($0.0.native, $0.1) }, uniquingKeysWith: max),
                rareShare: 0.5 / present)
        }
        let expected = 0.1 * Double(min(table.split ?? table.rows, table.rows - (table.split ?? 0)))
        var model = LinkageModel(
            version: LinkageModel.currentVersion, weights: weights,
            priorBits: log2(max(1, expected) / max(2, table.pairs)), records: table.rows, blocking: blocking)
        if other != nil { for field in model.weights.indices { Self.setBits(&model.weights[field]) } }
        return model
    }

    /// What is believed of matches before anything is seen.
    static func priorM(_ kind: ColumnKind) -> [Double] {
        switch kind {
        case .givenName, .surname, .fullName: [0.72, 0.04, 0.1, 0.04, 0.04, 0.06]
        case .street, .suburb, .text: [0.62, 0.12, 0.08, 0.06, 0.12]
        case .phone, .email, .identityNumber: [0.8, 0.07, 0.03, 0.1]
        case .birthDate, .date: [0.85, 0.08, 0.03, 0.04]
        case .number: [0.7, 0.1, 0.05, 0.15]
        case .houseNumber, .postcode, .code: [0.8, 0.08, 0.12]
        case .category: [0.9, 0.1]
        case .nothing: [1]
        }
    }

    private func expectation(_ model: LinkageModel) -> (
        counts: [[Double]], total: Double, kinship: LinkageModel.Kinship
    ) {
        let scored = compared.scored(Scorer(model), table, shares)
        var counts = table.fields.map { [Double](repeating: 0, count: $0.kind.levels) }
        var total = 0.0, kinship = LinkageModel.Kinship()
        for own in scored where own.isHome {
            switch own.kin {
            case .same: kinship.sameName += 1
            case .otherNameSameBirth: kinship.sameBirth += 1
            case .otherNameOtherBirth:
                (kinship.otherBirth, kinship.otherName) = (kinship.otherBirth + 1, kinship.otherName + 1)
            case .otherName: kinship.otherName += 1
            case .unknown, .noName, .otherBirth: break
            }
        }
        let width = compared.fields
        compared.levels.withUnsafeBufferPointer { levels in
            for (number, score) in scored.enumerated() where score.bits > -7 && score.bar == nil {
                let chance = 1 / (1 + exp2(-score.bits))
                total += chance
                for field in 0..<width {
                    let level = levels[number * width + field]
                    if level != Comparison.missing { counts[field][Int(level)] += chance }
                }
            }
        }
        return (counts, total, kinship)
    }

    private func maximise(_ model: inout LinkageModel, _ counts: [[Double]], _ total: Double) {
        model.priorBits = log2(max(0.5, total) / max(2, table.pairs))
        for field in counts.indices {
            let prior = Self.priorM(table.fields[field].kind)
            let sum = counts[field].reduce(0, +), worth = Self.priorMatches(table.fields[field].kind)
            model.weights[field].m = zip(counts[field], prior).map {
                ($0 + $1 * worth) / (sum + worth)
            }
        }
    }

    /// u from random pairs, without the matches among them; of complete agreement, which is rare, from the values'
    /// counts.
    private func setU(
        _ model: inout LinkageModel, counts: [[Double]]?, _ total: Double, _ present: [Double], _ agreeing: [Double]
    ) {
        for field in model.weights.indices {
            let all = max(2, present[field])
            let scale = all / max(1, randomPresent[field])
            let matches = counts?[field].reduce(0, +) ?? 0
            var u = random[field].enumerated().map { level, count -> Double in
                let found = level == 0 ? max(agreeing[field], 0) : count * scale
                let others = found - (counts?[field][level] ?? 0)
                // At least what a single random pair more or less would say.
                let least = level == 0 ? 0.3 : 0.3 * scale
                return max(others, least, found * 0.02) / max(1, all - matches)
            }
            let sum = u.reduce(0, +)
            u = u.map { $0 / max(sum, 1e-12) }
            model.weights[field].u = u
            Self.setBits(&model.weights[field])
        }
    }

    /// Levels that are out of order (few matches, much noise) are taken together until a better one never weighs less.
    static func setBits(_ weights: inout LinkageModel.Weights) {
        var pools: [(m: Double, u: Double, levels: Int)] = []
        func bits(_ pool: (m: Double, u: Double, levels: Int)) -> Double {
            log2(max(pool.m, 1e-6) / max(pool.u, 1e-12))
        }
        for (m, u) in zip(weights.m, weights.u) {
            pools.append((m, u, 1))
            while pools.count > 1, bits(pools[pools.count - 1]) > bits(pools[pools.count - 2]) {
                let last = pools.removeLast()
                let before = pools.removeLast()
                pools.append((before.m + last.m, before.u + last.u, before.levels + last.levels))
            }
        }
        var result = pools.flatMap { pool in
            [Double](
                repeating: min(LinkageModel.bitsMax, max(LinkageModel.bitsMin, bits(pool))), count: pool.levels)
        }
        // The worst level is disagreement, never evidence for a match.
        if let last = result.last, result.count > 1 { result[result.count - 1] = min(0, last) }
        weights.bits = result
    }
}
