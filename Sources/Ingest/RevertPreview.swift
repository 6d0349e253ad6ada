import Kernel
import Platform
import Storage

/// What taking an import back would do.
package struct RevertPreview: Sendable, Codable {
    /// A later import that changed what would stay.
    package struct Later: Sendable, Codable, Equatable {
        /// Decimal id of the run.
        package let run: String
        package let file: String
        package let entity: String
        /// How many of the records that stay, or keep a value, it changed too.
        package var records: Int
    }

    /// Decimal id of the run.
    package let run: String
    /// What the run created and updated.
    package let created: Int
    package let updated: Int
    /// Created records that would go; `nil` = this kind of record cannot tell before it is done.
    package var removed: Int?
    /// Created records that stay: they were changed since.
    package var kept: Int?
    /// Created or updated records that were removed before: nothing of them is left to take back.
    package var gone: Int?
    /// Updated records that get something back.
    package var restored: Int?
    /// Values that stay, since they were changed again, and in how many records.
    package var keptValues: Int?
    package var keptValuesIn: Int?
    /// The fields of those values, the most frequent first.
    package var fields: [String]
    package var fields_zh: [String]
    /// Whose changes stay: later imports, and the records that none of them explains, which a person or program changed;
    /// `nil` = not all later imports were looked through.
    package var later: [Later]
    package var byOthers: Int?
    package let ties: ImportTies
    /// Only the first records were looked at: these are their counts.
    package let isPartial: Bool
    /// Of how many records the counts are.
    package let lookedAt: Int
}

/// What a revert leaves as it is, as its words count it: whole records and values are different things.
struct KeptCount: Sendable, Equatable {
    var records: Set<CustomerID> = []
    var values = 0
    var valuesIn: Set<CustomerID> = []
    private(set) var fields: [String: Int] = [:]
    /// What was removed before, and so neither goes nor stays.
    private(set) var gone = 0

    mutating func add(_ issues: [RevertIssue]) {
        for issue in issues {
            if issue.isGone {
                gone += 1
            } else if issue.field.isEmpty {
                records.insert(issue.customer)
            } else {
                values += 1
                valuesIn.insert(issue.customer)
                fields[issue.field, default: 0] += 1
            }
        }
    }

    /// The most frequent first.
    var byFrequency: [String] { fields.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key) }
    var all: Set<CustomerID> { records.union(valuesIn) }
}

extension ImportService {
    /// So many chunks of 500 are looked at before a page is shown; of what stays, so many.
    static let previewChunks: Int64 = 40
    static let forecastChunks: Int64 = 8
    /// Imports that came later, and chunks of theirs, that are looked at for what they changed.
    static let laterMax = 50

    /// What taking a run back would do; nothing is changed.
    package func previewRevert(_ id: ImportRunID, _ principal: Principal) async throws -> RevertPreview {
        try principal.require(Self.permission)
        return try await tenant.database.read { [self] session in
            let run: ImportRun
            do { run = try reach(id, principal, session) } catch let error as CRMError
                where error.code == CRMError.notFound.code
            {
                throw CRMError(
                    "no_run", status: 404, Words(en: "There is no run \(id).", zh: "没有编号为 \(id) 的导入。"))
            }
            guard run.mayRevert else { throw Self.refused(.revert, run) }
            return try on(run.entity).previewRevert(run, chunksMax: .max, forecastMax: .max, session)
        }
    }

    /// - Parameters:
    ///   - chunksMax: how many chunks are looked through for what was decided about their customers.
    ///   - forecastMax: how many for what would go back: each record of them is read.
    func previewRevert(
        _ run: ImportRun, chunksMax: Int64, forecastMax: Int64, _ session: any SQLSession
    ) throws -> RevertPreview {
        var goers: [CustomerID] = []
        var kept = KeptCount()
        var (removed, restored, looked) = (0, 0, 0)
        var isForecast = true
        var memory = RevertMemory()
        let chunks = run.revertChunk ?? run.chunk
        let isTied = run.counts.created > 0 && target.takesAttributes
        for chunk in stride(from: chunks, to: max(0, chunks - max(chunksMax, forecastMax)), by: -1) {
            guard let entries = try JournalStore.entries(run.id, chunk: chunk, session) else { continue }
            let place = chunks - chunk
            /// Customers of this chunk that stay keep what was decided about them.
            var staying: Set<CustomerID> = []
            defer { if isTied, place < chunksMax { goers += entries.created.map(\.id).filter { !staying.contains($0) } } }
            guard place < forecastMax, isForecast else { continue }
            let forecast = try target.forecastRevert(
                created: entries.created.map { ($0.id, revision: $0.revision, undo: $0.undo) },
                updated: entries.updated.map { ($0.id, undo: $0.undo) }, &memory, session)
            guard let forecast else {
                isForecast = false
                continue
            }
            removed += forecast.removed
            restored += forecast.restored
            looked += entries.created.count + entries.updated.count
            kept.add(forecast.issues)
            staying = Set(forecast.issues.filter(\.field.isEmpty).map(\.customer))
        }
        let ties = goers.isEmpty ? [] : try target.ties(of: goers, session)
        let later: Others =
            try isForecast ? later(than: run, kept.all, chunksMax: chunksMax, session) : (runs: [], others: nil)
        let fields = try words(of: kept.byFrequency, session)
        return RevertPreview(
            run: "\(run.id)", created: run.counts.created, updated: run.counts.updated,
            removed: isForecast ? removed : nil, kept: isForecast ? kept.records.count : nil, gone: isForecast ? kept.gone : nil,
            restored: isForecast ? restored : nil, keptValues: isForecast ? kept.values : nil,
            keptValuesIn: isForecast ? kept.valuesIn.count : nil, fields: fields.map(\.en), fields_zh: fields.map(\.zh),
            later: later.runs, byOthers: later.others, ties: ImportTies(ties),
            isPartial: chunks > min(chunksMax, forecastMax), lookedAt: looked)
    }

    /// Fields by key, as people know them.
    func words(of keys: [String], _ session: any SQLSession) throws -> [Words] {
        guard !keys.isEmpty else { return [] }
        let known = Dictionary(
            (target.fields + (try target.attributeFields(session))).map { ($0.key, $0.words) },
            uniquingKeysWith: { first, _ in first })
        return keys.map { known[$0] ?? Words(en: $0, zh: $0) }
    }

    /// Kinds of records that are parts of the customer itself: one changes what another one wrote.
    private static let ofCustomers: Set<String> = ["customer", "lines", "outcomes"]

    typealias Others = (runs: [RevertPreview.Later], others: Int?)

    /// The imports behind this one that changed these records, and how many of them none did.
    /// - Returns: `others` is `nil` where not all could be looked through.
    func later(
        than run: ImportRun, _ kept: Set<CustomerID>, chunksMax: Int64, _ session: any SQLSession
    ) throws -> Others {
        guard !kept.isEmpty, let started = run.startedAt else { return ([], kept.count) }
        let all = try session.query(JournalStore.laterRuns, [.id(run.id), .time(started), .int(Self.laterMax)]) { row in
            (id: row.id(0, ImportRunKind.self), file: row.text(1), entity: row.text(2), chunks: row.int(3))
        }
        var unexplained = kept
        var found: [RevertPreview.Later] = []
        var budget = chunksMax
        var isWhole = all.count < Self.laterMax
        for other in all {
            let isNear = Self.ofCustomers.contains(run.entity) && Self.ofCustomers.contains(other.entity)
            // A customer whom an import made stays also when bills or cases of theirs came.
            guard other.entity == run.entity || isNear || target.takesAttributes else { continue }
            var mine: Set<CustomerID> = []
            if other.chunks > budget { isWhole = false }
            for chunk in stride(from: Int64(1), through: other.chunks, by: 1) where budget > 0 {
                budget -= 1
                guard let entries = try JournalStore.entries(other.id, chunk: chunk, session) else { continue }
                mine.formUnion(entries.created.map(\.id).filter(kept.contains))
                mine.formUnion(entries.updated.map(\.id).filter(kept.contains))
            }
            guard !mine.isEmpty else { continue }
            unexplained.subtract(mine)
            found.append(
                RevertPreview.Later(run: "\(other.id)", file: other.file, entity: other.entity, records: mine.count))
        }
        return (found, isWhole || unexplained.isEmpty ? unexplained.count : nil)
    }
}
