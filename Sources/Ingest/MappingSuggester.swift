import Kernel
import Storage
import Tabular

/// Proposes a mapping for a file: what was decided for the same header before, else what ships with the product, else
/// what was decided for a column of that name, else the field whose name or synonym the header is.
struct MappingSuggester {
    /// Where a proposal comes from; shown beside the column.
    enum Origin: String, Sendable, Codable { case remembered, shipped, suggested, new, ignored }

    struct Suggestion: Sendable {
        let mapping: ImportMapping
        /// Parallel to the mapping's columns.
        let origins: [Origin]
        /// Of a mapping that was remembered for these very columns.
        var remembered: Remembered?

        struct Remembered: Sendable {
            let source: String
            /// What would be proposed had nobody chosen a key.
            let matchKey: String?
        }

        /// With another mapping in place of the proposed one.
        func taking(_ mapping: ImportMapping) -> Suggestion { Suggestion(mapping: mapping, origins: origins, remembered: remembered) }

        /// What holds for files of this source. How its columns are read is remembered of any source; what an import does to known
        /// customers (comparing them, the key, whether rows are added or changed) was decided for the source it was decided for.
        func settled(for source: String) -> (mapping: ImportMapping, matchesAsBefore: Bool) {
            guard let remembered else { return (mapping, false) }
            if !source.isEmpty, remembered.source == source { return (mapping, mapping.matches) }
            var mapping = mapping
            (mapping.matches, mapping.createsNew, mapping.updatesExisting) = (false, true, true)
            mapping.matchKey = remembered.matchKey
            return (mapping, false)
        }
    }

    /// So many headers tell where a file comes from: `customer_id,name` alone may come from anywhere.
    static let headersOfSource = 3

    let fields: [ImportField]
    let inspection: FileInspection

    func suggest(
        source: String, same: ImportMapping?, shipped: [ImportMapping], earlier: [ImportMapping]
    ) -> Suggestion {
        if var same {
            let before = same.source
            // Who sends these columns now is for others to say.
            same.source = source
            var found = whole(same, source: source, .remembered)
            let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            found.remembered = .init(source: before, matchKey: matchKey(found.mapping.columns, profiles))
            return found
        }
        let headers = Set(inspection.columns.map { HeaderKey($0) })
        for mapping in shipped {
            let listed = mapping.columns.filter { $0.target != .ignore }.map { HeaderKey($0.column) }
            if !listed.isEmpty, listed.allSatisfy(headers.contains) { return whole(mapping, source: source, .shipped) }
        }
        return byColumn(source: source, earlier: earlier)
    }

    /// A known mapping for these headers; columns that map to fields which are gone become attributes.
    private func whole(_ known: ImportMapping, source: String, _ origin: Origin) -> Suggestion {
        let keys = Set(fields.map(\.key))
        var mapping = known.applied(to: inspection.columns)
        mapping.columns = mapping.columns.map { column in
            guard case .field(let key) = column.target, !keys.contains(key) else { return column }
            var copy = column
            copy.target = .attribute
            return copy
        }
        if let matchKey = mapping.matchKey, !mapping.columns.contains(where: { $0.target == .field(matchKey) }) {
            mapping.matchKey = nil
        }
        if mapping.source.isEmpty { mapping.source = source }
        let origins = mapping.columns.map { column -> Origin in
            known.column(column.column) == nil ? self.origin(of: column) : origin
        }
        return Suggestion(mapping: mapping, origins: origins)
    }

    private func origin(of column: ImportMapping.Column) -> Origin {
        switch column.target {
        case .field: .suggested
        case .attribute: .new
        case .ignore: .ignored
        }
    }

    private struct Candidate {
        let column: Int
        let field: Int
        let score: Int
    }

    private func byColumn(source: String, earlier: [ImportMapping]) -> Suggestion {
        var remembered: [HeaderKey: ImportMapping.Column] = [:]
        for mapping in earlier {
            for column in mapping.columns where remembered[HeaderKey(column.column)] == nil {
                remembered[HeaderKey(column.column)] = column
            }
        }
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let fieldIndex = Dictionary(
            fields.enumerated().map { ($0.element.key, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let names = fields.map(Self.names)
        var candidates: [Candidate] = []
        for (index, header) in inspection.columns.enumerated() where !RejectFile.isOwnColumn(header) {
            let key = HeaderKey(header)
            if case .field(let known)? = remembered[key]?.target, let field = fieldIndex[known] {
                // Text that stood under the heading of a choice yields to a column that is called what it became.
                let isSpare = names.indices.contains { spare in
                    fields[spare].otherwise == known && Self.score(key.text, names[spare]) ?? 0 >= Self.scoreOfName
                }
                let isTaken = isSpare && inspection.columns.contains { other in
                    other != header && Self.score(HeaderKey(other).text, names[field]) ?? 0 >= Self.scoreOfName
                }
                if !isTaken { candidates.append(Candidate(column: index, field: field, score: 1_000)) }
            }
            for (field, names) in names.enumerated() {
                guard let score = Self.score(key.text, names) ?? lastResort(key.text, field, profiles[header]) else { continue }
                if fits(fields[field].kind, profiles[header]) {
                    candidates.append(Candidate(column: index, field: field, score: score))
                } else if score >= Self.scoreOfName, let other = fields[field].otherwise.flatMap({ fieldIndex[$0] }) {
                    // Free text under the heading of a choice: the text beside it takes it, unless another column does.
                    candidates.append(Candidate(column: index, field: other, score: Self.scoreOfText))
                }
            }
        }
        candidates.sort { ($1.score, $0.column, $0.field) < ($0.score, $1.column, $1.field) }
        var chosen: [Int: (field: Int, score: Int)] = [:]
        var taken: Set<Int> = []
        for candidate in candidates where chosen[candidate.column] == nil && !taken.contains(candidate.field) {
            chosen[candidate.column] = (candidate.field, candidate.score)
            taken.insert(candidate.field)
        }
        preferClearDates(&chosen, profiles)
        return assemble(source, chosen, remembered, profiles)
    }

    /// A column is empty when no row of the whole file has a value: of a large one only the beginning was looked at.
    private func isEmpty(_ profile: ColumnInfo?) -> Bool { inspection.isWhole && profile?.type == .empty }

    private func assemble(
        _ source: String, _ chosen: [Int: (field: Int, score: Int)], _ remembered: [HeaderKey: ImportMapping.Column],
        _ profiles: [String: ColumnInfo]
    ) -> Suggestion {
        var columns: [ImportMapping.Column] = []
        var origins: [Origin] = []
        for (index, header) in inspection.columns.enumerated() {
            if let choice = chosen[index] {
                var column = ImportMapping.Column(column: header, target: .field(fields[choice.field].key))
                let isRemembered = choice.score >= 1_000
                if isRemembered, let known = remembered[HeaderKey(header)] {
                    column.values = known.values
                    column.dateOrder = known.dateOrder
                    column.excelDates = known.excelDates
                }
                columns.append(column)
                origins.append(isRemembered ? .remembered : .suggested)
            } else if RejectFile.isOwnColumn(header) || isEmpty(profiles[header]) {
                columns.append(.init(column: header, target: .ignore))
                origins.append(.ignored)
            } else if let known = remembered[HeaderKey(header)], known.target == .ignore {
                columns.append(.init(column: header, target: .ignore))
                origins.append(.remembered)
            } else {
                columns.append(.init(column: header, target: .attribute))
                origins.append(.new)
            }
        }
        let matchKey = matchKey(columns, profiles)
        return Suggestion(
            mapping: ImportMapping(source: source, columns: columns, matchKey: matchKey), origins: origins)
    }

    /// The first field, in the target's order, that can find records and whose column names each row once; else the first
    /// that names most rows once (a repeated key is then rejected by name).
    private func matchKey(_ columns: [ImportMapping.Column], _ profiles: [String: ColumnInfo]) -> String? {
        let candidates = fields.filter(\.canMatch).compactMap { field -> (key: String, profile: ColumnInfo)? in
            guard let column = columns.first(where: { $0.target == .field(field.key) }) else { return nil }
            return profiles[column.column].map { (field.key, $0) }
        }
        // A number that names all rows but a few, whose rows are then rejected by name, is still the better key than a
        // telephone number, which changes hands.
        let names: (ColumnInfo) -> Bool = { $0.isUnique || $0.distinct * 2 > $0.total }
        let best =
            candidates.first { $0.key == "source_id" && names($0.profile) }
            ?? candidates.first { $0.profile.isUnique } ?? candidates.first { names($0.profile) }
        return best?.key
    }

    /// `编号` is the customer number of a list of customers that has no better one, and where it tells the rows apart.
    private func lastResort(_ header: String, _ field: Int, _ profile: ColumnInfo?) -> Int? {
        guard fields[field].canMatch, fields[field].key == ImportService.ownKey, header == "编号",
            let profile, profile.distinct * 2 > profile.total
        else { return nil }
        return Self.scoreOfLast
    }

    /// What a header may be called to mean the field: key, words and synonyms, as they are compared.
    static func names(_ field: ImportField) -> (own: Set<String>, synonyms: [String]) {
        let own = Set([field.key, field.words.en, field.words.zh].map { HeaderKey($0).text })
        return (own, field.synonyms.map { HeaderKey($0).text })
    }

    /// Named by its own name or a synonym.
    static let scoreOfName = 90
    static let scoreOfText = 40
    static let scoreOfLast = 20

    /// Own name before synonym before a header that ends with one (`customer phone number`).
    static func score(_ header: String, _ names: (own: Set<String>, synonyms: [String])) -> Int? {
        if names.own.contains(header) { return 100 }
        if names.synonyms.contains(header) { return 90 }
        let isLong: (String) -> Bool = { $0.utf8.count >= 5 && $0.count * 2 >= header.count }
        if (names.synonyms + names.own).contains(where: { isLong($0) && header.hasSuffix($0) }) { return 50 }
        return nil
    }

    /// Whether what the column holds can be what the field takes: most of its samples can be read so. A date whose order
    /// is not known yet, or that a spreadsheet wrote as a number of days, is a date.
    func fits(_ kind: ImportFieldKind, _ profile: ColumnInfo?) -> Bool {
        guard let profile, !profile.samples.isEmpty else { return true }
        if case .text = kind { return true }
        if kind == .phone, profile.longest < 5 { return false }
        let (good, looked) = fitting(kind, profile)
        return good * 2 >= looked
    }

    /// How many of the samples can be what the field takes.
    func fitting(_ kind: ImportFieldKind, _ profile: ColumnInfo) -> (good: Int, of: Int) {
        let reader = ValueReader(
            field: ImportField("", Words(en: "", zh: ""), kind), column: .init(column: "", target: .ignore),
            profile: profile, countryCode: "86", places: 9, offsetMinutes: 0)
        let good = profile.samples.count { sample in
            do throws(CellFailure) {
                guard let value = try reader.read(sample) else { return true }
                _ = try reader.check(value)
                return true
            } catch {
                return error.code == ValueFailure.ambiguousDate.rawValue
                    || error.code == ValueFailure.ambiguousCalendar.rawValue && kind == .date
                    || error.code == ValueFailure.scientificNotation.rawValue
                    || error.code == RejectWords.digitsLost.0
                    || (error.code == ValueFailure.excelSerialDate.rawValue && profile.has("excel_serial_dates"))
            }
        }
        return (good, profile.samples.count)
    }
}
