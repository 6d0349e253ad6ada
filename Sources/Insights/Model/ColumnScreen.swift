import Compute

/// Which columns a model may learn from, and which are left out and why.
struct ColumnScreen: Sendable {
    let kept: [ProfiledColumn]
    /// In the order of the table.
    let excluded: [Exclusion]
    let suspects: [Suspect]

    /// AUC alone from which a column is as good as the label.
    static let sameAsLabelAUC = 0.995
    /// AUC of "is there a value" from which filling in follows the outcome.
    static let presenceAUC = 0.95
    /// Share of the rarer outcome that a column may make certain; honest columns stay far below.
    static let certainShare = 0.4
    /// A column named after the outcome is out when it alone has this AUC and exceeds all others by the margin.
    static let namedAUC = 0.75
    static let namedMargin = 0.02
    /// A detail of the outcome, by its name, is out when it says anything at all.
    static let detailAUC = 0.55
    /// A kept column as strong as this, and stronger than all others together, is reported.
    static let suspectAUC = 0.9
    /// Rows looked at; evidence does not get better with more.
    static let mostRows = 60_000

    /// - Parameters:
    ///   - columns: all columns but the label, with labelled rows only.
    ///   - keep: columns that stay whatever the evidence (the person knows better).
    ///   - drop: columns left out on request.
    ///   - strength: the cross-validated AUC of some columns together, on the given rows.
    init(
        columns: [ProfiledColumn], labels: [Bool], label: String, identifier: String?, keep: Set<String>,
        drop: Set<String>, seed: UInt64, threads: Int,
        strength: @escaping @Sendable ([ProfiledColumn], [Int]) throws -> Double
    ) throws {
        var random = SeededRandom(seed: seed &+ 0x51)
        let rows =
            labels.count > Self.mostRows
            ? Array(random.permutation(of: labels.count).prefix(Self.mostRows)).sorted() : Array(labels.indices)
        let sampled = rows.count < labels.count
        let sampledLabels = rows.map { labels[$0] }
        let folds = StratifiedFolds.assign(labels: sampledLabels, folds: 5, seed: seed)
        let evidence = try ParallelWork.map(columns.count, threads: threads) { place in
            ColumnEvidence(
                sampled ? columns[place].subset(rows) : columns[place], labels: sampledLabels, folds: folds)
        }

        let names = OutcomeNames(label: label)
        var verdicts: [Exclusion?] = columns.indices.map { place in
            let column = columns[place]
            if drop.contains(column.name) { return Exclusion(column.name, .chosen) }
            if column.name == identifier { return Exclusion(column.name, .identifier) }
            let byKind = Self.byKind(column)
            // A constant or free text that is filled for one outcome only is worth more than "constant".
            if column.kind == .empty || column.kind == .constant { return byKind }
            if keep.contains(column.name) { return nil }
            return Self.byEvidence(column.name, evidence[place], names) ?? byKind
        }
        Self.markCopies(columns, keep: keep, &verdicts)

        let open = columns.indices.filter { verdicts[$0] == nil }
        let strong = open.filter { place in
            let isNamed = names.isNamedAfterOutcome(columns[place].name) && !keep.contains(columns[place].name)
            return evidence[place].auc >= (isNamed ? Self.namedAUC : Self.suspectAUC)
        }
        let lifetime = columns.indices.filter {
            verdicts[$0]?.code == .modelOutput && names.isLifetimeValue(columns[$0].name)
        }
        var suspects: [Suspect] = []
        if !strong.isEmpty || !lifetime.isEmpty {
            let honest = open.filter { !strong.contains($0) }.map { columns[$0] }
            let base = honest.isEmpty ? 0.5 : try strength(honest, rows)
            for place in lifetime {
                let gain = try strength(honest + [columns[place]], rows) - base
                verdicts[place] = Exclusion(columns[place].name, .modelOutput, auc: evidence[place].auc, gain: gain)
            }
            for place in strong where evidence[place].auc > base {
                let name = columns[place].name
                let auc = evidence[place].auc
                let isNamed = names.isNamedAfterOutcome(name) && !keep.contains(name)
                if isNamed, auc >= base + Self.namedMargin {
                    verdicts[place] = Exclusion(name, .namedAfterOutcome, auc: auc, othersAUC: base)
                } else if auc >= Self.suspectAUC {
                    suspects.append(Suspect(column: name, auc: auc, othersAUC: base))
                }
            }
        }
        kept = columns.indices.filter { verdicts[$0] == nil }.map { columns[$0] }
        excluded = verdicts.compactMap { $0 }
        self.suspects = suspects
    }

    private static func byKind(_ column: ProfiledColumn) -> Exclusion? {
        switch column.kind {
        case .identifier: Exclusion(column.name, .identifier)
        case .constant: Exclusion(column.name, .constant)
        case .empty: Exclusion(column.name, .empty)
        case .freeText: Exclusion(column.name, .freeText)
        case .numeric, .boolean, .categorical, .date, .presence, .coordinates: nil
        }
    }

    /// What the values, helped by the name, say about one column by itself.
    private static func byEvidence(_ name: String, _ evidence: ColumnEvidence, _ names: OutcomeNames) -> Exclusion? {
        if evidence.presenceAUC >= presenceAUC || evidence.isFilledForOneOutcome {
            return Exclusion(name, .filledForOneOutcome, auc: max(evidence.auc, evidence.presenceAUC))
        }
        if evidence.auc >= sameAsLabelAUC { return Exclusion(name, .sameAsLabel, auc: evidence.auc) }
        // A predicted value is a statement about the customer, not an observation, and nobody can say what was known
        // when it was made. So it is out by name; the evidence in the reason says what that costs.
        if names.isLifetimeValue(name) || names.isPrediction(name) {
            return Exclusion(name, .modelOutput, auc: evidence.auc)
        }
        if names.isDetail(name), evidence.auc >= detailAUC || evidence.presenceAUC >= detailAUC {
            return Exclusion(name, .afterTheFact, auc: evidence.auc)
        }
        if evidence.certainShare >= certainShare {
            return Exclusion(name, .givesAnswerAway, auc: evidence.auc, share: evidence.certainShare)
        }
        return nil
    }

    /// Of columns that map one to one onto each other, the numeric one or else the first is kept. Two numeric columns
    /// are copies only when their numbers are equal, since a different order is different information for a tree.
    private static func markCopies(_ columns: [ProfiledColumn], keep: Set<String>, _ verdicts: inout [Exclusion?]) {
        var signatures: [[Int]: [Int]] = [:]
        for place in columns.indices where verdicts[place] == nil {
            signatures[[columns[place].coded.levels.count, columns[place].coded.missing], default: []].append(place)
        }
        for places in signatures.values where places.count > 1 {
            // Numbers first; within a kind the order of the table.
            let ranked = places.sorted { first, second in
                let (a, b) = (columns[first].kind == .numeric, columns[second].kind == .numeric)
                return a != b ? a : first < second
            }
            for (index, place) in ranked.enumerated() where !keep.contains(columns[place].name) {
                let original = ranked.prefix(index).first {
                    verdicts[$0] == nil && isCopy(columns[place], of: columns[$0])
                }
                if let original {
                    verdicts[place] = Exclusion(columns[place].name, .sameAsOther, other: columns[original].name)
                }
            }
        }
    }

    private static func isCopy(_ column: ProfiledColumn, of original: ProfiledColumn) -> Bool {
        var partner = [Int32](repeating: -2, count: column.coded.levels.count)
        for (code, other) in zip(column.coded.codes, original.coded.codes) {
            guard (code < 0) == (other < 0) else { return false }
            guard code >= 0 else { continue }
            if partner[Int(code)] == -2 { partner[Int(code)] = other }
            guard partner[Int(code)] == other else { return false }
        }
        // Equal numbers of levels and a function between them: one to one, unless two levels share a partner.
        guard Set(partner).count == partner.count else { return false }
        guard column.kind == .numeric, original.kind == .numeric, column.coded.levels.count > 2 else { return true }
        return column.levelValues.indices.allSatisfy { level in
            let (a, b) = (column.levelValues[level], original.levelValues[Int(partner[level])])
            return a == b || (a.isNaN && b.isNaN)
        }
    }
}
