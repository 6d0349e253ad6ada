import Foundation

/// One reason why a customer is likely to leave, or to stay, in both languages.
package struct Reason: Codable, Equatable, Sendable {
    package enum Direction: String, Codable, Sendable {
        case raises, lowers
    }

    /// The column named in the text; the first of `columns`.
    package let column: String
    /// All columns whose contributions are added up here; more than one only for the customer's place.
    package let columns: [String]
    /// The customer's own value as it was given; nil when there is none.
    package let valueText: String?
    /// In log-odds; positive raises the risk.
    package let contribution: Double
    package let direction: Direction
    package let textZh: String
    package let textEn: String
    /// Share of customers with a lower value, 0 ... 100; nil for columns without an order.
    package let percentile: Double?

    package enum CodingKeys: String, CodingKey {
        case column, columns, contribution, direction, percentile
        case valueText = "value"
        case textZh = "text_zh"
        case textEn = "text_en"
    }
}

/// Puts a model's contributions into words. Nothing is said that contributions and the customer's values do not say.
package struct Reasons: Sendable {
    private struct Source: Sendable {
        let column: String
        let summary: ColumnSummary?
        let concept: Concept
    }

    /// Contributions below this (3 % of the odds) are not worth a sentence.
    package static let smallest = 0.03

    private let sources: [Source]

    package init(model: TrainedModel) {
        let summaries = Dictionary(model.summaries.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })
        sources = model.columns.map { column in
            Source(column: column, summary: summaries[column], concept: Concept.named(column))
        }
    }

    /// The strongest reasons of one customer: first those that raise the risk, strongest first, at most `count`.
    ///
    /// When fewer than `count` raise it, no more are made up; with `includeProtective` the strongest ones that lower
    /// it follow, marked `.lowers`.
    /// - Parameter values: the customer's own values, in the order of the model's columns.
    package func explain(
        _ scored: Scored, values: [String?], count: Int = 3, includeProtective: Bool = true
    ) -> [Reason] {
        let all = merged(scored).filter { abs($0.contribution) >= Self.smallest }
        let raising = all.filter { $0.contribution > 0 }.sorted { $0.contribution > $1.contribution }
        let lowering = all.filter { $0.contribution < 0 }.sorted { $0.contribution < $1.contribution }
        let chosen = raising.prefix(count)
        let protective = includeProtective ? lowering.prefix(count - chosen.count) : []
        return (chosen + protective).map { reason($0.places, contribution: $0.contribution, values: values) }
    }

    /// Only what keeps the customer: the strongest contributions that lower the risk.
    package func protective(_ scored: Scored, values: [String?], count: Int = 3) -> [Reason] {
        merged(scored).filter { $0.contribution <= -Self.smallest }.sorted { $0.contribution < $1.contribution }
            .prefix(count).map { reason($0.places, contribution: $0.contribution, values: values) }
    }

    /// Reasons for every row of a scored table.
    package func explain(
        _ scored: [Scored], table: RawTable, count: Int = 3, includeProtective: Bool = true
    ) -> [[Reason]] {
        let columns = sources.map { table.values(of: $0.column) }
        return scored.indices.map { row in
            explain(
                scored[row], values: columns.map { $0?[row] }, count: count, includeProtective: includeProtective)
        }
    }

    /// Contributions by what they are about: coordinates, post code and town are one reason, the place.
    private func merged(_ scored: Scored) -> [(places: [Int], contribution: Double)] {
        var result: [(places: [Int], contribution: Double)] = []
        var location: (places: [Int], contribution: Double) = ([], 0)
        for place in sources.indices {
            if sources[place].concept.placeRank != nil {
                location.places.append(place)
                location.contribution += scored.contributions[place]
            } else {
                result.append(([place], scored.contributions[place]))
            }
        }
        if !location.places.isEmpty { result.append(location) }
        return result
    }

    private func reason(_ places: [Int], contribution: Double, values: [String?]) -> Reason {
        // Of several columns for the place, the one a person would name.
        let ranked = places.sorted { first, second in
            let known = (Self.own(values[first]) != nil, Self.own(values[second]) != nil)
            if known.0 != known.1 { return known.0 }
            return (sources[first].concept.placeRank ?? 0) < (sources[second].concept.placeRank ?? 0)
        }
        let place = ranked[0]
        let source = sources[place]
        let value = Self.own(values[place])
        let standing = value.flatMap { Self.standing(of: $0, source.summary) }
        let clause = source.concept.clause(
            column: source.column, value: value, kind: source.summary?.kind ?? .categorical, standing: standing)
        let raises = contribution > 0
        return Reason(
            column: source.column, columns: ranked.map { sources[$0].column }, valueText: value,
            contribution: contribution, direction: raises ? .raises : .lowers,
            textZh: clause.zh + (raises ? "，使离网可能性上升" : "，使离网可能性下降"),
            textEn: clause.en + (raises ? ", which raises the risk" : ", which lowers the risk"),
            percentile: standing.map { ($0.below * 1000).rounded() / 10 })
    }

    private static func own(_ value: String?) -> String? {
        value.flatMap(CellText.present)
    }

    private static func standing(of value: String, _ summary: ColumnSummary?) -> Standing? {
        guard let summary, !summary.values.isEmpty else { return nil }
        let number: Double?
        if summary.kind == .date {
            number = DateText.day(value, dayFirst: summary.dayFirst, allowsCompact: true).map(Double.init)
        } else {
            number = CellText.number(value)
        }
        guard let number, let place = summary.place(of: number) else { return nil }
        return Standing(below: place.below, above: place.above)
    }
}

/// Where a customer stands among all: shares of customers with a lower and with a higher value.
struct Standing: Sendable {
    let below: Double
    let above: Double
}
