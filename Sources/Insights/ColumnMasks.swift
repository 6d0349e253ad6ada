import Kernel
import Platform
import Storage

/// How the value of a learning column is hidden when a reason shows it. Safe by default: a column that is not one of the
/// built-in ones is a custom attribute, and hidden like an unlabelled one unless `labels` says otherwise.
package struct ColumnMasks: Sendable {
    /// The masks of custom attributes, by column name; read on the page's own snapshot.
    package typealias Labels = @Sendable (_ columns: Set<String>, any SQLSession) throws -> [String: MaskKind]
    private let labels: Labels?

    /// - Parameter labels: where custom attributes are labelled; without it they all count as unlabelled.
    package init(labels: Labels? = nil) { self.labels = labels }

    func masks(_ columns: Set<String>, _ session: any SQLSession) throws -> [String: MaskKind] {
        let custom = columns.filter { Self.builtIn[$0] == nil }
        let labelled = custom.isEmpty ? [:] : try labels?(custom, session) ?? [:]
        var result: [String: MaskKind] = [:]
        for column in columns { result[column] = Self.builtIn[column] ?? labelled[column] ?? .full }
        return result
    }

    /// The fields of Customers a model may learn from; facts about the contract and the service, not identifying alone.
    static let builtIn: [String: MaskKind] = {
        var masks: [String: MaskKind] = [:]
        for name in open { masks[name] = MaskKind.none }
        for name in ["birth_date", "age"] { masks[name] = .date }
        for name in ["postcode", "latitude", "longitude", "coordinates"] { masks[name] = .address }
        return masks
    }()

    private static let open = [
        "kind", "gender", "senior", "language", "industry", "size_tier", "partner", "dependents", "household_size",
        "relations", "status", "segment", "tier", "region", "city", "country", "payment_method", "paperless", "since",
        "tenure_months", "service", "services", "technology", "plan", "contract_term", "contract_months",
        "contract_end", "contract_remaining_months", "months_to_contract_end", "monthly_charge", "total_charges",
        "subscriptions", "subscription_count", "line_count", "addon_count", "addons", "multiple_lines",
        "online_security", "online_backup", "device_protection", "tech_support", "streaming_tv", "streaming_movies",
        "data_pack", "roaming", "international_calls", "cloud_storage", "mobile", "broadband", "fixed_voice", "tv",
        "iot", "voice_min", "sms", "data_mb", "data_gb", "roaming_mb", "calls", "dropped_calls", "dropped_share",
        "speed_mbps", "voice_change", "data_change", "voice_trend", "data_trend", "usage_change", "overdue_bills",
        "overdue_days", "late_payments", "bill_change", "bill_jump", "fees", "fee_count", "suspensions", "channel",
    ]
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

    func line(_ item: StoredReasons.Item) -> Line {
        let mask = masks[item.column] ?? .full
        let shows = masking.shows(mask)
        let title = titles[item.column] ?? Words(en: item.column, zh: item.column)
        let concept = Concept.named(item.column)
        let clause: Bilingual
        if shows {
            var standing: Standing?
            if let below = item.below, let above = item.above { standing = Standing(below: below, above: above) }
            clause = concept.clause(
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
}
