import Kernel
import Platform
import Storage

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
    /// `ontime`, `late`, `never`; empty = nothing is expected.
    package let freshness: String
    /// 0...100 over the last 30 days; `nil` = nothing was checked.
    package let score: Double?
    package let quarantined: Int
    package let mappingVersions: Int
    /// `column | type | codes | classification`.
    package let schema: [String]
}

extension ImportService {
    /// All sources, by key.
    package func sources() async throws -> [SourceReport] {
        let now = tenant.clock.now()
        let since = now.date(offsetMinutes: tenant.timeZoneOffsetMinutes).adding(days: -QualityStore.scoreDays)
        return try await tenant.database.read { session in
            let (last, scores) = (try SourceStore.last(session), try QualityStore.sources(since: since, session))
            let waiting = try QuarantineStore.waiting(session)
            return try SourceStore.all(session).map { source in
                SourceReport(
                    key: source.key, name: source.name, kind: source.kind.rawValue, entity: source.entity,
                    owner: source.owner, lastImport: last[source.key]?.at?.iso8601,
                    imports: last[source.key]?.runs ?? 0,
                    freshness: source.freshness(last[source.key]?.at, now: now)?.rawValue ?? "",
                    score: scores.first { $0.key == source.key }?.checks.score,
                    quarantined: waiting.filter { $0.source == source.key }.reduce(0) { $0 + $1.count },
                    mappingVersions: try SourceStore.versions(source, session).first?.number ?? 0,
                    schema: source.fields.map(\.line))
            }
        }
    }
}

extension IngestSource {
    enum Freshness: String { case ontime, late, never }

    /// Whether what is expected has come; `nil` = nothing is expected.
    func freshness(_ last: Instant?, now: Instant) -> Freshness? {
        guard let freshHours else { return nil }
        guard let last else { return .never }
        return last.adding(seconds: freshHours * 3_600) < now ? .late : .ontime
    }
}
