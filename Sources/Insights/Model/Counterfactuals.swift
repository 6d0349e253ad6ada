/// Another value of one column, and the probability the model gives with it.
package struct Counterfactual: Equatable, Sendable {
    package let column: String
    package let value: String
    package let probability: Double
    /// Everything that was changed for it, `column` among it: a new contract term begins anew.
    package let changed: [String: String]
}

/// What would change a score: each thing an operator can offer is tried with the values that other customers have, and
/// the customer is scored again. The numbers are the model's own; what they mean is an expectation, not a promise.
package struct Counterfactuals: Sendable {
    /// At most so many are kept of a customer.
    package static let kept = 2
    /// Points of probability from which a change is worth a sentence.
    package static let smallestGain = 0.03
    /// A value so rare that nobody can say what it does is not tried.
    static let rarest = 0.01
    /// A price is tried this much lower.
    static let discount = 0.9
    /// Rows scored in one go.
    private static let chunk = 20_000

    /// Something that can be offered.
    struct Lever: Sendable {
        enum Kind: Sendable, Equatable { case choice, term, switchOn, switchOver, price }
        let column: String
        let kind: Kind
        /// Values other customers have; for a price ascending numbers.
        let values: [String]
    }

    private let model: TrainedModel
    let levers: [Lever]

    package init(model: TrainedModel) {
        self.model = model
        levers = model.summaries.compactMap { Self.lever($0) }
    }

    // MARK: Levers

    /// What can be offered, by the names of our own columns and by the concepts of other sources' columns.
    private static let ours: [String: Lever.Kind] = [
        "contract_term": .term, "payment_method": .choice, "paperless": .switchOver, "monthly_charge": .price,
    ]
    private static let concepts: [String: Lever.Kind] = [
        "contract": .choice, "payment method": .choice, "paperless billing": .switchOver, "monthly charge": .price,
        "online security": .switchOn, "online backup": .switchOn, "device protection": .switchOn,
        "tech support": .switchOn, "streaming TV": .switchOn, "streaming movies": .switchOn,
        "streaming music": .switchOn, "unlimited data": .switchOn, "international plan": .switchOn,
        "voice mail": .switchOn, "multiple lines": .switchOn, "roaming": .switchOn,
    ]

    static func kind(_ column: String) -> Lever.Kind? {
        if let own = ours[column] { return own }
        if column.hasPrefix("addon_"), column != "addon_count" { return .switchOn }
        let concept = Concept.named(column)
        return concept.isKnown ? concepts[concept.name.en] : nil
    }

    private static func lever(_ summary: ColumnSummary) -> Lever? {
        guard let kind = kind(summary.column) else { return nil }
        let frequent = summary.shares.filter { $0.value >= rarest }.keys.sorted()
        let values: [String]
        switch kind {
        case .choice: values = frequent
        case .switchOn: values = frequent.filter { CellText.boolean($0) == true }
        case .switchOver: values = frequent.filter { CellText.boolean($0) != nil }
        case .term:
            values =
                summary.values.isEmpty
                ? frequent
                : summary.values.indices.filter { 1 - summary.below[$0] - summary.above[$0] >= rarest }
                    .map { plain(summary.values[$0]) }
        case .price: values = summary.values.map(plain)
        }
        return values.isEmpty ? nil : Lever(column: summary.column, kind: kind, values: values)
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }

    /// What to try for a customer who has `current`.
    private static func trials(_ lever: Lever, _ current: String?) -> [String] {
        let own = current.flatMap(CellText.present)
        switch lever.kind {
        case .choice: return own == nil ? [] : lever.values.filter { $0 != own }
        case .term:
            guard let number = own.flatMap(CellText.number) else { return [] }
            return lever.values.filter { CellText.number($0) != number }
        case .switchOn: return own.flatMap(CellText.boolean) == false ? Array(lever.values.prefix(1)) : []
        case .switchOver:
            guard let answer = own.flatMap(CellText.boolean) else { return [] }
            return Array(lever.values.filter { CellText.boolean($0) == !answer }.prefix(1))
        case .price:
            guard let number = own.flatMap(CellText.number), number > 0 else { return [] }
            let lower = lever.values.last { (CellText.number($0) ?? .infinity) <= number * discount }
            return lower.map { [$0] } ?? []
        }
    }

    /// What goes along with a change, so that the changed customer is one that could exist.
    private static func along(_ lever: Lever, _ value: String, _ cell: (String) -> String?) -> [String: String] {
        var changed = [lever.column: value]
        if lever.column == "contract_term", cell("contract_months_left") != nil || value != "0" {
            changed["contract_months_left"] = value == "0" ? "" : value
        }
        if lever.column.hasPrefix("addon_"), let count = cell("addon_count").flatMap(CellText.number) {
            changed["addon_count"] = plain(count + 1)
        }
        return changed
    }

    // MARK: Trying

    /// For some rows of a table, what would lower their probability most: at most `kept` a row, of different columns, the
    /// strongest first.
    /// - Parameter now: the probability of each of `rows`.
    package func find(_ table: RawTable, rows: [Int], now: [Double]) throws -> [[Counterfactual]] {
        var found = [[Counterfactual]](repeating: [], count: rows.count)
        guard !levers.isEmpty else { return found }
        let columns = model.columns.compactMap { name in table.column(named: name).map { (name, $0.values) } }
        let place = Dictionary(columns.enumerated().map { ($1.0, $0) }, uniquingKeysWith: { first, _ in first })
        var pending: [(index: Int, column: String, value: String, changed: [String: String])] = []
        func flush() throws {
            guard !pending.isEmpty else { return }
            let changed = RawTable(
                columns: columns.map { name, values in
                    (name, pending.map { $0.changed[name] ?? values[rows[$0.index]] })
                })
            for (trial, probability) in zip(pending, try model.probabilities(changed)) {
                found[trial.index].append(
                    Counterfactual(
                        column: trial.column, value: trial.value, probability: probability,
                        changed: trial.changed.filter { place[$0.key] != nil }))
            }
            pending = []
        }
        for (index, row) in rows.enumerated() {
            let cell = { (name: String) in place[name].flatMap { columns[$0].1[row] } }
            for lever in levers where place[lever.column] != nil {
                for value in Self.trials(lever, cell(lever.column)) {
                    pending.append((index, lever.column, value, Self.along(lever, value, cell)))
                }
            }
            if pending.count >= Self.chunk { try flush() }
        }
        try flush()
        return found.indices.map { Self.best(found[$0], now: now[$0]) }
    }

    private static func best(_ all: [Counterfactual], now: Double) -> [Counterfactual] {
        var chosen: [Counterfactual] = []
        for trial in all.sorted(by: { ($0.probability, $0.column) < ($1.probability, $1.column) }) {
            guard trial.probability <= now - smallestGain, chosen.count < kept else { break }
            if !chosen.contains(where: { $0.column == trial.column }) { chosen.append(trial) }
        }
        return chosen
    }
}
