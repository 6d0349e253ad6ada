import Kernel
import Platform
import Storage
import Web

/// How the value of a learning column is hidden when a reason shows it. Safe by default: a column that is not one of the
/// built-in ones is a custom attribute, and hidden like an unlabelled one unless `labels` says otherwise.
package struct ColumnMasks: Sendable {
    /// The masks of custom attributes, by column name; read on the page's own snapshot.
    package typealias Labels = @Sendable (_ columns: Set<String>, any SQLSession) throws -> Asked<[String: MaskKind]>
    private let labels: Labels?
    /// What custom attributes are called today, by column name; read on the page's own snapshot.
    package typealias Titles = @Sendable (_ columns: Set<String>, any SQLSession) throws -> Asked<[String: Words]>
    private let titles: Titles?

    /// - Parameters:
    ///   - labels: where custom attributes are labelled; without it they all count as unlabelled.
    ///   - titles: where they are named; without it they keep the titles they had when the model was trained.
    package init(labels: Labels? = nil, titles: Titles? = nil) {
        self.labels = labels
        self.titles = titles
    }

    /// The titles of today over those the model was trained with.
    func titles(
        _ columns: Set<String>, over trained: [String: Words], _ session: any SQLSession
    ) throws -> [String: Words] {
        try asking(titles: columns, over: Asked { trained }, session).value()
    }

    func asking(
        titles columns: Set<String>, over trained: Asked<[String: Words]>, _ session: any SQLSession
    ) throws -> Asked<[String: Words]> {
        let custom = columns.filter { Self.builtIn[$0] == nil }
        guard let titles, !custom.isEmpty else { return trained }
        let today = try titles(custom, session)
        return Asked { try trained.value().merging(try today.value()) { _, today in today } }
    }

    func masks(_ columns: Set<String>, _ session: any SQLSession) throws -> [String: MaskKind] {
        try asking(masks: columns, session).value()
    }

    func asking(masks columns: Set<String>, _ session: any SQLSession) throws -> Asked<[String: MaskKind]> {
        let custom = columns.filter { Self.builtIn[$0] == nil }
        let labelled = custom.isEmpty ? nil : try labels?(custom, session)
        return Asked {
            let labelled = try labelled?.value() ?? [:]
            var result: [String: MaskKind] = [:]
            for column in columns { result[column] = Self.builtIn[column] ?? labelled[column] ?? .full }
            return result
        }
    }

    /// The columns Customers gives by itself: facts about contract and service, open but for where and when somebody was
    /// born or lives. A custom attribute of such a name is given as `attr.<key>`, so it cannot pass for one of these.
    static let builtIn: [String: MaskKind] = {
        var masks = BuiltInReasons.concepts.mapValues { _ in MaskKind.none }
        masks["age_years"] = .date
        for name in ["postcode", "latitude", "longitude"] { masks[name] = .address }
        return masks
    }()
}

/// Puts stored reasons into the reader's language, with the reader's mask.
struct ReasonWording: Sendable {
    let language: Language
    let masking: Masking
    let masks: [String: MaskKind]
    let titles: [String: Words]

    struct Line: Sendable {
        let text: String
        let raises: Bool
        let contribution: Double
        /// The column was shown although others may not see it.
        let unmasked: String?
    }

    /// - Parameter currency: of the customer's amounts.
    func line(_ item: StoredReasons.Item, currency: String) -> Line {
        let mask = masks[item.column] ?? .full
        let shows = masking.shows(mask)
        let title = titles[item.column] ?? Words(en: item.column, zh: item.column)
        let concept = BuiltInReasons.concepts[item.column] ?? Self.concept(item.column, title)
        let clause: Bilingual
        if shows {
            var standing: Standing?
            if let below = item.below, let above = item.above { standing = Standing(below: below, above: above) }
            let own = BuiltInReasons.clause(
                item.column, value: item.value, kind: item.kind, standing: standing, currency: currency)
            clause =
                own
                ?? concept.clause(
                    column: title[language], value: item.value, kind: item.kind, standing: standing)
        } else {
            // Where the customer stands among others would tell the value too.
            clause = concept.clause(
                column: title[language], value: Masking.masked(mask, item.value ?? "?"), kind: .categorical,
                standing: nil)
        }
        return Line(
            text: language == .zh ? clause.zh : clause.en, raises: item.contribution > 0,
            contribution: item.contribution, unmasked: shows && mask != .none ? item.column : nil)
    }

    /// A sentence on what another value would do; nil when the reader may not see values of that column.
    func line(_ change: StoredReasons.Change, now: Double, currency: String) -> String? {
        guard masking.shows(masks[change.column] ?? .full) else { return nil }
        let clause =
            ChangeWording.ours(change.column, change.value, currency)
            ?? ChangeWording.other(
                Self.concept(change.column, titles[change.column] ?? Words(en: change.column, zh: change.column)),
                change.value)
        let (then, today) = (Figures.percent(change.probability, 0), Figures.percent(now, 0))
        return language == .zh
            ? "\(clause.zh)，离网概率约为 \(then)，而不是 \(today)。"
            : "\(clause.en), the probability would be \(then) instead of \(today)."
    }

    /// What an attribute is about, by the title it has today: what operators call it, else the title itself; `(%)` at its
    /// end is the unit. The column's own name tells no more than the unit, because titles are edited and names are not.
    private static func concept(_ column: String, _ title: Words) -> Concept {
        let isShare = title.en.hasSuffix("(%)")
        for name in [title.en, title.zh] where !isShare {
            let known = Concept.named(name)
            if known.isKnown { return known }
        }
        let named = Concept.named(column)
        let en = isShare ? title.en.dropLast(3).trimmed : title.en
        let zh = isShare ? title.zh.replacing("（%）", with: "").replacing("(%)", with: "").trimmed : title.zh
        let name = Bilingual(zh: title.zh == title.en ? "“\(zh)”" : zh, en: "“\(en)”")
        return Concept(
            name: name, scale: named.scale, unit: isShare ? .percent : named.unit,
            yes: Bilingual(zh: "\(name.zh)：是", en: "\(name.en): yes"),
            no: Bilingual(zh: "\(name.zh)：否", en: "\(name.en): no"))
    }
}
