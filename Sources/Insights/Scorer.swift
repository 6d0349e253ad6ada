import Contracts
import Foundation
import Kernel

/// Applies a model to pages of customers. Blocks; used on a thread of its own.
struct Scorer: Sendable {
    let model: TrainedModel
    let id: ModelID
    private let reasons: Reasons
    private let summaries: [String: ColumnSummary]
    /// By column; finding a topic costs more than scoring a customer.
    private let topics: [String: String]
    private let names: ColumnNames
    private let counterfactuals: Counterfactuals

    /// - Parameter titles: the base's columns with their titles of today, in English.
    init(model: TrainedModel, id: ModelID, titles: [(name: String, title: String)] = []) {
        self.model = model
        self.id = id
        names = ColumnNames(model: model.columns, table: titles)
        counterfactuals = Counterfactuals(model: model)
        reasons = Reasons(model: model)
        summaries = Dictionary(model.summaries.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })
        topics = Dictionary(
            model.columns.map { ($0, ReasonTopic.of($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// A customer of the page; `scored` is nil for those who have left.
    struct Row: Sendable {
        let customer: CustomerID
        let scored: Scored?
        let reasons: StoredReasons
        let region: String
        let monthlyValue: Int64
        let currency: String

        func score(at: Instant, model: ModelID) -> ChurnScore? {
            scored.map {
                ChurnScore(
                    customer: customer, model: model, probability: $0.probability, band: $0.band, margin: $0.margin,
                    scoredAt: at, reasons: reasons, region: region, monthlyValue: monthlyValue, currency: currency,
                    listed: true)
            }
        }
    }

    func rows(_ table: CustomerTable, _ cards: [CustomerCard]) throws -> [Row] {
        let known = Dictionary(cards.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let staying = table.ids.indices.filter {
            table.left[$0] != true && CustomerStanding.isCustomer(known[table.ids[$0]]?.status)
        }
        let raw = RawTable(
            columns: table.columns.indices.map { column in
                let cells = table.values[column]
                return (names.model(table.columns[column]), staying.map { cells[$0] })
            })
        let scored = staying.isEmpty ? [] : try model.score(raw)
        let values = model.columns.map { raw.values(of: $0) }
        let changes = try changes(raw, scored)
        var place: [Int: Int] = [:]
        for (index, row) in staying.enumerated() { place[row] = index }
        return table.ids.indices.map { row in
            let card = known[table.ids[row]]
            let charge = card?.monthlyCharge
            guard let index = place[row] else {
                return Row(
                    customer: table.ids[row], scored: nil, reasons: .none, region: card?.region ?? "",
                    monthlyValue: charge?.minor ?? 0, currency: charge?.currency ?? "")
            }
            return Row(
                customer: table.ids[row], scored: scored[index],
                reasons: stored(scored[index], values.map { $0?[index] }, changes[index]), region: card?.region ?? "",
                monthlyValue: max(0, charge?.minor ?? 0), currency: charge?.currency ?? "")
        }
    }

    /// What would change the scores of those who are worth the effort.
    private func changes(_ raw: RawTable, _ scored: [Scored]) throws -> [Int: [StoredReasons.Change]] {
        let rows = scored.indices.filter { scored[$0].band >= .high }
        guard !rows.isEmpty else { return [:] }
        let found = try counterfactuals.find(raw, rows: rows, now: rows.map { scored[$0].probability })
        let stored = found.map { row in
            row.map {
                StoredReasons.Change(column: names.table($0.column), value: $0.value, probability: $0.probability)
            }
        }
        return Dictionary(zip(rows, stored).filter { !$1.isEmpty }, uniquingKeysWith: { first, _ in first })
    }

    private func stored(_ scored: Scored, _ values: [String?], _ changes: [StoredReasons.Change]?) -> StoredReasons {
        // Two columns may say the same (bills overdue by our count and by the source's): more are looked at than kept.
        let looked = ChurnScoring.reasonsKept * 2
        return StoredReasons(
            raising: merged(reasons.explain(scored, values: values, count: looked, includeProtective: false)),
            lowering: merged(reasons.protective(scored, values: values, count: looked)), changes: changes)
    }

    /// Reasons about one topic become one, under the strongest column, with their contributions added up.
    private func merged(_ reasons: [Reason]) -> [StoredReasons.Item] {
        var items: [StoredReasons.Item] = []
        var place: [String: Int] = [:]
        for reason in reasons {
            let topic = topics[reason.column] ?? reason.column
            if let known = place[topic] {
                items[known] = items[known].adding(reason.contribution)
            } else {
                place[topic] = items.count
                items.append(item(reason))
            }
        }
        let strongest = items.sorted { abs($0.contribution) > abs($1.contribution) }
        return Array(strongest.prefix(ChurnScoring.reasonsKept))
    }

    /// Keeps what the words are made from.
    private func item(_ reason: Reason) -> StoredReasons.Item {
        let summary = summaries[reason.column]
        var standing: (below: Double, above: Double)?
        if let summary, !summary.values.isEmpty, let value = reason.valueText {
            let number =
                summary.kind == .date
                ? DateText.day(value, dayFirst: true, allowsCompact: true).map(Double.init) : CellText.number(value)
            standing = number.flatMap { summary.place(of: $0) }
        }
        func rounded(_ number: Double) -> Double { (number * 1_000).rounded() / 1_000 }
        return StoredReasons.Item(
            column: names.table(reason.column), value: reason.valueText, kind: summary?.kind ?? .categorical,
            contribution: rounded(reason.contribution), below: standing.map { rounded($0.below) },
            above: standing.map { rounded($0.above) })
    }
}

/// Who counts as a customer that may leave.
enum CustomerStanding {
    /// Statuses of a customer who is none any more, or not yet.
    static let outside: Set<String> = ["churned", "prospect"]
    static func isCustomer(_ status: String?) -> Bool { !outside.contains(status ?? "") }
}
