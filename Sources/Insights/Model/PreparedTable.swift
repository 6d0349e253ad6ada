import Compute

/// A table ready to be learned from: labelled rows only, columns judged and screened.
struct PreparedTable: Sendable {
    let label: LabelColumn
    let labels: [Bool]
    /// Per labelled row its place in the table.
    let sourceRows: [Int]
    let screen: ColumnScreen
    let rowsWithoutLabel: Int
    /// Per row the number of its group of identical rows; nil when rows are too coarse to call equal ones copies.
    let groups: [Int]?
    let duplicateRows: Int

    var columns: [ProfiledColumn] { screen.kept }
    var positives: Int { labels.reduce(0) { $0 + ($1 ? 1 : 0) } }

    init(_ table: RawTable, _ options: TrainingOptions, _ progress: ProgressHandler) throws {
        guard ChurnTrainer.foldRange.contains(options.folds) else {
            throw ModelError.foldsOutOfRange(
                folds: options.folds, lowest: ChurnTrainer.foldRange.lowerBound,
                highest: ChurnTrainer.foldRange.upperBound)
        }
        let label = try LabelColumn(table: table, column: options.label, positive: options.positive)
        var identifier: String?
        if let wanted = options.identifier {
            guard let column = table.column(named: wanted) else { throw ModelError.identifierMissing(column: wanted) }
            identifier = column.name
        }
        let rows = label.outcomes.indices.filter { label.outcomes[$0] != nil }
        let labels = label.outcomes.compactMap { $0 }
        try Self.demandEnough(labels, label, folds: options.folds)

        try progress(TrainingProgress(stage: .reading, share: 0))
        let sources = table.columns.filter { $0.name != label.name }
        let allLabelled = rows.count == table.rows
        let columns = try ParallelWork.map(sources.count, threads: options.threads) { place in
            let values = sources[place].values
            return ProfiledColumn(
                CodedColumn(
                    name: sources[place].name, values: allLabelled ? values : rows.map { values[$0] }))
        }
        try progress(TrainingProgress(stage: .screening, share: 0.05))
        let (seed, threads) = (options.seed, options.threads)
        let screen = try ColumnScreen(
            columns: columns, labels: labels, label: label.name, identifier: identifier, keep: options.keep,
            drop: options.drop, seed: seed, threads: threads
        ) { chosen, rows in
            try TreeTuning.strength(chosen, rows: rows, labels: labels, seed: seed, threads: threads)
        }
        guard !screen.kept.isEmpty else { throw ModelError.noUsableColumns }
        self.label = label
        self.labels = labels
        sourceRows = rows
        self.screen = screen
        rowsWithoutLabel = table.rows - rows.count
        let groups = Self.groups(of: screen.kept, rows: labels.count)
        let distinct = Set(groups).count
        // In a table of a few coarse columns most rows coincide without being copies of one customer.
        self.groups = distinct * 2 >= labels.count ? groups : nil
        duplicateRows = self.groups == nil ? 0 : labels.count - distinct
    }

    private static func demandEnough(_ labels: [Bool], _ label: LabelColumn, folds: Int) throws(ModelError) {
        guard labels.count >= ChurnTrainer.fewestRows else {
            throw .tooFewRows(found: labels.count, needed: ChurnTrainer.fewestRows)
        }
        let positives = labels.reduce(0) { $0 + ($1 ? 1 : 0) }
        // Each fold needs one to be measured on, and the rest must be enough to learn from.
        let needed = max(folds, ChurnTrainer.fewestOfOutcome)
        if positives < needed { throw .tooFewOfOutcome(value: label.positive, found: positives, needed: needed) }
        if labels.count - positives < needed {
            throw .tooFewOfOutcome(
                value: label.negatives.joined(separator: " / "), found: labels.count - positives, needed: needed)
        }
    }

    /// A number per row, equal for rows with equal values in all columns (up to collisions of a 64-bit hash).
    private static func groups(of columns: [ProfiledColumn], rows: Int) -> [Int] {
        var hashes = [UInt64](repeating: 0x9e37_79b9_7f4a_7c15, count: rows)
        for column in columns {
            for row in 0..<rows {
                var mixer = SplitMix64(seed: hashes[row] ^ UInt64(bitPattern: Int64(column.coded.codes[row])))
                hashes[row] = mixer.next()
            }
        }
        var numbers: [UInt64: Int] = [:]
        return hashes.map { hash in
            if let number = numbers[hash] { return number }
            numbers[hash] = numbers.count
            return numbers.count - 1
        }
    }
}
