import Kernel
import Platform
import Storage
import Web

/// A source, for scripts.
package struct SourceReport: Sendable, Codable {
    package let key: String
    package let name: String
    /// `billing`, `care`, `retail`, `network`, `partner`.
    package let kind: String
    package let entity: String
    package let owner: String
    /// ISO 8601; `nil` = nothing was imported yet.
    package let lastImport: String?
    /// Imports that succeeded.
    package let imports: Int
    /// Something is expected at least so often; `nil` = nothing is.
    package let freshHours: Int64?
    /// `ontime`, `late`, `never`; empty = nothing is expected.
    package let freshness: String
    /// 0...100 over the last 30 days; `nil` = nothing was checked.
    package let score: Double?
    package let quarantined: Int
    package let mappingVersions: Int
    /// `column | type | codes | classification`.
    package let schema: [String]
}

/// What is to become of a source; `nil` = as it is.
package struct SourceChange: Sendable {
    package var name: String?
    /// `billing`, `care`, `retail`, `network`, `partner`.
    package var kind: String?
    package var owner: String?
    /// `.some(nil)` = nothing is expected any more.
    package var freshHours: Int64??
    /// Columns with the way in which their values are hidden.
    package var classes: [(column: String, mask: String)] = []
    /// The whole schema, one column a line: `column | type | codes | classification`.
    package var schema: String?
    package init() {}

    /// - Throws: `CRMError` 422 that names the values there are.
    func applied(to source: IngestSource) throws(CRMError) -> IngestSource {
        var new = source
        if let name { new.name = try Self.short(name, "name") }
        if let owner { new.owner = try Self.short(owner, "owner") }
        if let kind {
            guard let known = SourceKind(rawValue: kind) else {
                throw Self.unknown("kind", kind, SourceKind.allCases.map(\.rawValue))
            }
            new.kind = known
        }
        if case .some(let hours) = freshHours {
            guard hours.map({ (1...8_784).contains($0) }) ?? true else {
                throw .invalid(
                    "fresh_hours", "number",
                    Words(en: "The hours must be 1 to 8,784.", zh: "小时数应为 1 到 8784。"))
            }
            new.freshHours = hours
        }
        if let schema { new.fields = try SourceField.parse(schema) }
        for (column, mask) in classes {
            guard MaskKind(rawValue: mask) != nil else {
                throw Self.unknown("classification", mask, MaskKind.allCases.map(\.rawValue))
            }
            let place = new.fields.firstIndex { HeaderKey($0.column) == HeaderKey(column) }
            let old = place.map { new.fields[$0] }
            let field = SourceField(
                column: old?.column ?? column, type: old?.type ?? "text", codes: old?.codes ?? [], mask: mask)
            if let place { new.fields[place] = field } else { new.fields.append(field) }
        }
        // As it would be typed: the limits are the same.
        new.fields = try SourceField.parse(new.fields.map(\.line).joined(separator: "\n"))
        return new
    }

    private static func short(_ text: String, _ field: String) throws(CRMError) -> String {
        guard text.count <= 120 else {
            throw .invalid(field, "too_long", Words(en: "At most 120 characters.", zh: "最多 120 个字符。"))
        }
        return text.trimmedText
    }

    private static func unknown(_ field: String, _ value: String, _ all: [String]) -> CRMError {
        .invalid(
            field, "source_value",
            Words(
                en: "There is no \(field) “\(value)”; there are: \(all.joined(separator: ", ")).",
                zh: "没有“\(value)”，可用：\(all.joined(separator: "、"))。"))
    }
}

extension ImportService {
    /// Changes a source, as its page does. One that is not there is registered: what is agreed with a source is known before
    /// its first file comes.
    /// - Returns: whether it is new.
    /// - Throws: `CRMError` 422 for a key or value that cannot be.
    @discardableResult
    package func setSource(_ key: String, _ change: SourceChange, principal: Principal) async throws -> Bool {
        try principal.require(RulePages.permission)
        guard (1...60).contains(key.count), key == key.trimmedText, !key.contains(where: \.isNewline) else {
            throw CRMError.invalid(
                "key", "source_value",
                Words(
                    en: "A source is named with 1 to 60 characters, without spaces around them.",
                    zh: "来源名称应为 1 至 60 个字符，首尾不含空格。"))
        }
        return try await tenant.database.write { [self] session in
            let now = tenant.clock.now()
            var isNew = false
            if try SourceStore.source(key: key, session) == nil {
                let new = IngestSource.new(key, entity: target.entity, tenant.ids)
                isNew = try SourceStore.insert(new, at: now, by: principal.userName, session)
                try recorder(principal)(
                    AuditEntry("ingest.source.create", [.source(new.id)], facts: ["source": .string(key)]), session)
            }
            guard let source = try SourceStore.source(key: key, session) else { throw CRMError.notFound }
            let new = try change.applied(to: source)
            try SourceStore.update(new, at: now, by: principal.userName, session)
            try recorder(principal)(
                AuditEntry(
                    "ingest.source.update", [.source(source.id)],
                    facts: ["source": .string(key), "fields": .int(Int64(new.fields.count))]), session)
            return isNew
        }
    }

    /// All sources, by key.
    package func sources() async throws -> [SourceReport] {
        let now = tenant.clock.now()
        let since = now.date(offsetMinutes: tenant.timeZoneOffsetMinutes).adding(days: -QualityStore.scoreDays)
        return try await tenant.database.read { session in
            let (last, scores) = (try SourceStore.last(session), try QualityStore.sources(since: since, session))
            let waiting = try QuarantineStore.waiting(owner: nil, session)
            return try SourceStore.all(session).map { source in
                SourceReport(
                    key: source.key, name: source.name, kind: source.kind.rawValue, entity: source.entity,
                    owner: source.owner, lastImport: last[source.key]?.at?.iso8601,
                    imports: last[source.key]?.runs ?? 0, freshHours: source.freshHours,
                    freshness: source.freshness(last[source.key]?.at, now: now)?.rawValue ?? "",
                    score: scores.first { $0.key == source.key }?.score,
                    quarantined: waiting.filter { $0.source == source.key }.reduce(0) { $0 + $1.count },
                    mappingVersions: try SourceStore.versions(source, session).first?.number ?? 0,
                    schema: source.fields.map(\.line))
            }
        }
    }
}

extension IngestSource {
    /// A source of which no more is known than its key.
    static func new(_ key: String, entity: String, kind: SourceKind? = nil, owner: String = "", _ ids: IDGenerator) -> IngestSource {
        IngestSource(
            id: ids.next(), key: key, name: key, kind: kind ?? .guess(key), entity: entity, owner: owner, encoding: nil,
            delimiter: "", sheet: "", fields: [], freshHours: nil, revision: 1)
    }

    enum Freshness: String { case ontime, late, never }

    /// Whether what is expected has come; `nil` = nothing is expected.
    func freshness(_ last: Instant?, now: Instant) -> Freshness? {
        guard let freshHours else { return nil }
        guard let last else { return .never }
        return last.adding(seconds: freshHours * 3_600) < now ? .late : .ontime
    }
}
