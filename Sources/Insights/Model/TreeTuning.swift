import Compute

/// Growing trees with settings chosen on part of the training rows.
enum TreeTuning {
    /// Settings tried for a table of that many rows, the simpler first: shallow trees suit noisy data, deep ones data
    /// in which combinations of measurements decide; few rows cannot support the latter.
    static func candidates(rows: Int) -> [TreeSettings] {
        let isLarge = rows > mostSearchRows
        let bins = isLarge ? 256 : 64
        // Many rows carry larger steps, which keeps the time in bounds.
        let faster = isLarge ? 2.0 : 1
        func settings(
            _ depth: Int, _ rate: Double, _ weight: Double, _ share: Double, _ lambda: Double
        ) -> TreeSettings {
            TreeSettings(
                depth: depth, learningRate: rate * faster, minChildWeight: weight, rowShare: 0.8, columnShare: share,
                lambda: lambda, bins: bins)
        }
        let medium = settings(4, 0.05, 5, 0.5, 2)
        return rows < 1500 ? [settings(2, 0.05, 2, 0.5, 2), medium] : [medium, settings(7, 0.08, 1, 0.6, 1)]
    }
    /// The deeper candidate must lower the log loss by this share.
    static let worthwhile = 0.99
    /// Most trees, and rounds without improvement after which growing stops, for a table of that many rows.
    static func limits(rows: Int) -> (rounds: Int, patience: Int) {
        rows > mostSearchRows ? (300, 20) : (800, 40)
    }
    /// More rows see more trees; the whole has a quarter more rows than the part the rounds were found on.
    static let roundsForWhole = 1.1
    /// Rows used for choosing settings and rounds; beyond, a sample chooses as well.
    static let mostSearchRows = 60_000
    /// Below this many rows one validation part is too noisy, and several are averaged.
    static let fewSearchRows = 3000

    /// What one candidate reached on validation rows.
    struct Trial: Sendable {
        let loss: Double
        let rounds: Int
    }

    struct Fit: Sendable {
        let encoder: TableEncoder
        let booster: TreeBooster
        let trials: [Trial]
        let settings: TreeSettings
        let rounds: Int
    }

    /// Fits encoder and trees on some rows of `columns`; nothing outside `rows` is looked at.
    static func fit(
        _ columns: [ProfiledColumn], rows: [Int], labels: [Bool], groups: [Int]?, seed: UInt64, threads: Int
    ) throws -> Fit {
        let (encoder, matrix) = TableEncoder.fit(columns, rows: rows, labels: labels, seed: seed)
        let known = rows.map { labels[$0] }
        let candidates = candidates(rows: labels.count)
        let trials = try search(
            matrix, labels: known, groups: groups.map { groups in rows.map { groups[$0] } }, candidates: candidates,
            seed: seed, threads: threads)
        let chosen = best(of: trials)
        let rounds = wholeRounds(trials[chosen].rounds)
        let booster = try TreeBooster.train(
            matrix, labels: known, settings: candidates[chosen], rounds: rounds, seed: seed, threads: threads)
        return Fit(
            encoder: encoder, booster: booster, trials: trials, settings: candidates[chosen], rounds: rounds)
    }

    /// The simplest candidate that no later one beats by enough.
    static func best(of trials: [Trial]) -> Int {
        trials.indices.dropFirst().reduce(0) { best, place in
            trials[place].loss < trials[best].loss * worthwhile ? place : best
        }
    }

    static func wholeRounds(_ rounds: Int) -> Int {
        max(1, Int((Double(rounds) * roundsForWhole).rounded()))
    }

    private static func search(
        _ matrix: FeatureMatrix, labels: [Bool], groups: [Int]?, candidates: [TreeSettings], seed: UInt64, threads: Int
    ) throws -> [Trial] {
        let parts = 5
        let limits = limits(rows: labels.count)
        let assigned = StratifiedFolds.assign(labels: labels, groups: groups, folds: parts, seed: seed &+ 17)
        var allowed = Array(labels.indices)
        if allowed.count > mostSearchRows {
            var random = SeededRandom(seed: seed &+ 23)
            random.shuffle(&allowed)
            allowed = allowed.prefix(mostSearchRows).sorted()
        }
        var sums = [(loss: Double, rounds: Int)](repeating: (0, 0), count: candidates.count)
        let splits = allowed.count >= fewSearchRows ? 1 : 3
        for split in 0..<splits {
            let inside = allowed.filter { assigned[$0] != split }
            let held = allowed.filter { assigned[$0] == split }
            let (training, validation) = (matrix.subset(inside), matrix.subset(held))
            for (place, settings) in candidates.enumerated() {
                let found = try TreeBooster.search(
                    training, labels: inside.map { labels[$0] }, validation: validation,
                    validationLabels: held.map { labels[$0] }, settings: settings,
                    maxRounds: limits.rounds, patience: limits.patience, seed: seed, threads: threads)
                sums[place].loss += found.loss / Double(splits)
                sums[place].rounds += found.rounds
            }
        }
        return sums.map { Trial(loss: $0.loss, rounds: max(1, $0.rounds / splits)) }
    }

    /// The cross-validated AUC of a quick model on some columns, for judging columns rather than customers.
    static func strength(
        _ columns: [ProfiledColumn], rows: [Int], labels: [Bool], seed: UInt64, threads: Int
    ) throws -> Double {
        let settings = TreeSettings(
            depth: 4, learningRate: 0.15, minChildWeight: 5, rowShare: 0.8, columnShare: 0.6, lambda: 2)
        let folds = 3
        let assigned = StratifiedFolds.assign(labels: rows.map { labels[$0] }, folds: folds, seed: seed)
        let areas = try ParallelWork.map(folds, threads: threads) { fold -> Double in
            let inside = rows.indices.filter { assigned[$0] != fold }.map { rows[$0] }
            let held = rows.indices.filter { assigned[$0] == fold }.map { rows[$0] }
            let (encoder, matrix) = TableEncoder.fit(columns, rows: inside, labels: labels, seed: seed)
            let booster = try TreeBooster.train(
                matrix, labels: inside.map { labels[$0] }, settings: settings, rounds: 50, seed: seed, threads: 1)
            let margins = try booster.margins(encoder.transform(columns.map(\.coded), rows: held))
            return Discrimination.auc(scores: margins.map(Double.init), labels: held.map { labels[$0] }) ?? 0.5
        }
        return areas.reduce(0, +) / Double(folds)
    }
}
