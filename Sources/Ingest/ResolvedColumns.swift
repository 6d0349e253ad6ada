import Kernel
import Platform
import Storage
import Tabular

/// A mapping made good for one file: which column fills which field, and how its cells are read.
struct ResolvedColumns: Sendable {
    struct Settings: Sendable {
        let countryCode: String
        /// Decimals of the tenant's currency.
        let places: Int
        let offsetMinutes: Int
        let today: LocalDate

        init(_ tenant: Tenant) {
            today = tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)
            countryCode = tenant.countryCode
            places = Money.exponent(of: tenant.currency)
            offsetMinutes = tenant.timeZoneOffsetMinutes
        }
    }

    struct Column: Sendable {
        let index: Int
        let name: String
        let field: ImportField
        /// An attribute that only the run will make.
        let isNew: Bool
        let mapping: ImportMapping.Column
        let profile: ColumnInfo?
        /// Takes what is none of the field's choices.
        let overflow: ImportField?
        /// An attribute whose kind was read from the file and not chosen by a person.
        var isLenient: Bool { mapping.target == .attribute && mapping.kind == nil }

        /// Of its dates the order was told by years of two digits.
        var hasShortYears: Bool {
            mapping.dateOrder == nil && profile?.notices.contains { $0.code.hasPrefix("short_years") } == true
        }

        func reader(_ settings: Settings) -> ValueReader {
            ValueReader(
                field: field, column: mapping, profile: profile, countryCode: settings.countryCode,
                places: settings.places, offsetMinutes: settings.offsetMinutes, today: settings.today)
        }
    }

    let headers: [String]
    let all: [Column]
    let matchKey: String?
    let settings: Settings
    var rules: [QualityRule] = []
    /// Words of all fields the records have, also of those that no column fills.
    var titles: [String: Words] = [:]

    /// The rules for these columns, for one reader.
    var compiled: CompiledRules {
        CompiledRules(
            rules, all.map { CompiledRules.Column(index: $0.index, name: $0.name, field: $0.field) },
            today: settings.today, places: settings.places)
    }

    /// Fields by key, for words.
    var fields: [String: ImportField] {
        Dictionary(all.map { ($0.field.key, $0.field) }, uniquingKeysWith: { first, _ in first })
    }

    /// Resolves in the transaction of `session`, where attributes that are missing are defined. A dry run rolls it back.
    /// - Throws: `CRMError` 422 for a mapping that does not fit the target.
    static func resolve(
        _ mapping: ImportMapping, _ inspection: FileInspection, _ target: any ImportTarget, _ settings: Settings,
        isDryRun: Bool, _ session: any SQLSession
    ) throws -> ResolvedColumns {
        let attributes = try target.attributeFields(session)
        let known = Dictionary(
            (target.fields + attributes).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        try check(mapping, known)
        try check(mapping, target)
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let listed = Dictionary(mapping.columns.map { ($0.column, $0) }, uniquingKeysWith: { first, _ in first })
        var columns: [Column] = []
        var taken: [String: String] = [:]
        for (index, header) in inspection.columns.enumerated() {
            guard let column = listed[header] else { continue }
            let profile = profiles[header]
            var field: ImportField?
            switch column.target {
            case .ignore: continue
            case .field(let key): field = known[key]
            case .attribute:
                guard target.takesAttributes else { continue }
                // A column without a single value makes no attribute.
                if profile?.type == .empty, inspection.isWhole { continue }
                field = try target.defineAttribute(
                    title: header, kind: kind(column.kind ?? profile?.attributeKind ?? "text"), session)
            }
            guard let field else { continue }
            if let other = taken.updateValue(header, forKey: field.key) { throw twice(field, other, header) }
            columns.append(
                Column(
                    index: index, name: header, field: field, isNew: isDryRun && known[field.key] == nil,
                    mapping: column, profile: profile, overflow: field.otherwise.flatMap { known[$0] }))
        }
        guard !columns.isEmpty else {
            throw CRMError.invalid(
                "columns", "nothing_mapped", Words(en: "No column is mapped to a field.", zh: "没有任何列映射到字段。"))
        }
        return ResolvedColumns(
            headers: inspection.columns, all: columns, matchKey: mapping.matchKey, settings: settings,
            rules: try RuleStore.rules(entity: target.entity, source: mapping.source, session)
                + (SourceStore.source(key: mapping.source, session)?.rules(
                    columns.map { ($0.name, $0.field) }, entity: target.entity) ?? []),
            titles: known.mapValues(\.words))
    }

    static func kind(_ name: String) -> ImportFieldKind {
        switch name {
        case "integer": .integer
        case "decimal": .decimal
        case "boolean": .boolean
        case "date": .date
        default: .text(Limits.textFieldMax)
        }
    }

    /// What can be told without the attributes of a run.
    static func check(_ mapping: ImportMapping, _ known: [String: ImportField]) throws {
        var taken: [String: String] = [:]
        for column in mapping.columns {
            guard case .field(let key) = column.target else { continue }
            guard let field = known[key] else {
                let (en, zh) = MappingWords.meant(key, known.keys.sorted() + ["attribute", "ignore"])
                throw CRMError.invalid(
                    "columns", "unknown_field",
                    Words(
                        en: "Column “\(column.column)” is mapped to “\(key)”, which is no field\(en.isEmpty ? "." : en)",
                        zh: "列“\(column.column)”映射到不存在的字段“\(key)”\(zh.isEmpty ? "。" : zh)"))
            }
            if let other = taken.updateValue(column.column, forKey: key) { throw twice(field, other, column.column) }
        }
        guard let matchKey = mapping.matchKey else { return }
        guard let field = known[matchKey], field.canMatch else {
            let keys = known.values.filter(\.canMatch).map(\.key).sorted()
            let (en, zh) = MappingWords.meant(matchKey, keys)
            throw CRMError.invalid(
                "match_key", "unknown_field",
                Words(
                    en: "“\(matchKey)” cannot find existing records\(en.isEmpty ? "." : en) Match keys: \(keys.joined(separator: ", ")).",
                    zh: "“\(matchKey)”不能用于匹配已有记录\(zh.isEmpty ? "。" : zh)可用：\(keys.joined(separator: "、"))。"))
        }
        guard taken[matchKey] != nil else {
            throw CRMError.invalid(
                "match_key", "match_key_unmapped",
                Words(
                    en: "The match key “\(field.words.en)” is not mapped to a column.",
                    zh: "匹配键“\(field.words.zh)”没有映射到任何列。"))
        }
    }

    /// Records that sources know by keys of their own are found by them, always.
    /// - Throws: `CRMError` 422 `match_key_needed`.
    static func check(_ mapping: ImportMapping, _ target: any ImportTarget) throws {
        guard target.needsMatchKey, mapping.matchKey == nil else { return }
        let keys = target.fields.filter(\.canMatch).map(\.words)
        throw CRMError.invalid(
            "match_key", "match_key_needed",
            Words(
                en:
                    "“\(target.title.en)” are found again by a key. Map a column to one of: \(keys.map(\.en).joined(separator: ", ")).",
                zh: "“\(target.title.zh)”须有键才能再次找到。请将一列映射到：\(keys.map(\.zh).joined(separator: "、"))。"))
    }

    private static func twice(_ field: ImportField, _ first: String, _ second: String) -> CRMError {
        .invalid(
            "columns", "field_twice",
            Words(
                en: "Columns “\(first)” and “\(second)” are both mapped to “\(field.words.en)”.",
                zh: "列“\(first)”和“\(second)”都映射到“\(field.words.zh)”。"))
    }
}
