import Contracts
import Foundation
import Kernel
import Platform
import Storage
import Web

/// What came out of a pass over the base.
package struct ScoringSummary: Sendable {
    package let model: ModelID?
    package let scored: Int
    /// Customers who have left.
    package let skipped: Int
    /// By band: `low`, `medium`, `high`, `critical`.
    package let bands: [String: Int]
    package let drift: Double?
    package let seconds: Double
    /// A newer pass began and took over; what this one had not written yet was left to it.
    package let superseded: Bool

    package var json: [String: JSONValue] {
        [
            "model": .text(model?.description), "scored": .int(Int64(scored)), "skipped": .int(Int64(skipped)),
            "bands": .object(bands.mapValues { .int(Int64($0)) }), "drift": drift.map { .double($0) } ?? .null,
            "scoring_seconds": .double(seconds), "superseded": .bool(superseded),
        ]
    }
}

/// Scores every customer with the active model, page by page. Each batch is one transaction: scores, history, one
/// event, one audit event and how far the pass is. Run again after a crash it goes on behind the last batch.
///
/// One pass at a time: a pass that begins takes over from one that is still running, which stops before its next batch.
/// So nothing an older pass or an older model says is told after what a newer one said.
struct ChurnScoring: Sendable {
    let tenant: Tenant
    let customers: any CustomerReading
    static let jobKind = "insights.churn.score"
    static let page = 5_000
    static let batch = 500
    /// Customers looked at first for the columns of the base.
    static let firstLook = 200
    /// Raising and lowering reasons kept for each customer.
    static let reasonsKept = 3

    /// Thrown inside a pass that is not the newest any more.
    private struct Superseded: Error {}
    /// Thrown when another version was put into use while this one was being loaded.
    private struct Outdated: Error {}

    /// Queues a pass; one that waits already will do.
    static func request(by: String, _ tenant: Tenant, _ session: any SQLSession) throws -> JobID {
        let waiting = try tenant.jobs.recent(kind: jobKind, limit: 5, session).first { $0.status == .queued }
        return try waiting?.id ?? tenant.jobs.enqueue(jobKind, payload: "{}", by: by, session)
    }

    /// - Throws: `JobCancelled`; `CRMError` when the stored model cannot be read or the base has lost columns the model
    ///   needs. Without an active model nothing is done.
    func run(by principal: Principal, job: JobID?, report: @escaping RunReport) async throws -> ScoringSummary {
        while true {
            do { return try await attempt(by: principal, job: job, report: report) } catch is Outdated {}
        }
    }

    private func attempt(
        by principal: Principal, job: JobID?, report: @escaping RunReport
    ) async throws -> ScoringSummary {
        let start = ContinuousClock.now
        guard let record = try await tenant.database.read({ try ModelStore.active($0) }), let blob = record.blobID
        else {
            return ScoringSummary(
                model: nil, scored: 0, skipped: 0, bands: [:], drift: nil, seconds: 0, superseded: false)
        }
        let scorer = try await prepare(record, blob)
        guard let pass = try await begin(record.id, job: job) else { return superseded(record.id, start) }
        do {
            try await score(pass, scorer, by: principal, report: report)
            let result = try await finish(pass, model: record.id)
            return ScoringSummary(
                model: record.id, scored: result.scored, skipped: result.skipped, bands: result.bands,
                drift: result.drift, seconds: (ContinuousClock.now - start).seconds, superseded: false)
        } catch is Superseded {
            return superseded(record.id, start)
        } catch is JobCancelled where !Task.isCancelled {
            try await tenant.database.write { try ScoringRunStore.stop(pass.id, $0) }
            throw JobCancelled()
        }
    }

    private func superseded(_ model: ModelID, _ start: ContinuousClock.Instant) -> ScoringSummary {
        ScoringSummary(
            model: model, scored: 0, skipped: 0, bands: [:], drift: nil, seconds: (ContinuousClock.now - start).seconds,
            superseded: true)
    }

    /// Loads the model and makes sure that the base still has what it asks for. What it lacks is kept with the version,
    /// so that its page says why nobody is scored.
    private func prepare(_ record: ModelRecord, _ blob: String) async throws -> Scorer {
        let tenant = self.tenant
        do {
            let model = try await ModelLoader.load(blob, tenant)
            let titles = try await findColumns(of: model, version: record.version)
            if record.failure != nil { try await tenant.database.write { try ModelStore.recover(record.id, $0) } }
            return Scorer(model: model, id: record.id, titles: titles)
        } catch let error as CRMError {
            try await tenant.database.write { try ModelStore.complain(record.id, error.message, $0) }
            throw error
        }
    }

    /// Reads pages until every column the model needs has been seen; as a rule the first few customers have them all.
    /// Returns the names seen, with the titles they have today.
    private func findColumns(of model: TrainedModel, version: Int) async throws -> [(name: String, title: String)] {
        let customers = self.customers
        var seen: [(name: String, title: String)] = []
        var names: Set<String> = []
        var after: CustomerID?
        var limit = Self.firstLook
        var any = false
        while true {
            let (from, most) = (after, limit)
            let page = try await tenant.database.read { try customers.table(after: from, limit: most, $0) }
            for (place, name) in page.columns.enumerated() where names.insert(name).inserted {
                seen.append((name, page.titles.indices.contains(place) ? page.titles[place].en : name))
            }
            any = any || !page.ids.isEmpty
            let match = ColumnNames(model: model.columns, table: seen)
            let lacking = model.unmetColumns(in: Set(seen.map { match.model($0.name) }))
            if lacking.isEmpty { return seen }
            guard page.ids.count == most, let last = page.ids.last else {
                // An empty base has no columns, and nobody to score.
                if !any { return seen }
                throw Self.columnsMissing(lacking, version: version)
            }
            after = last
            limit = Self.page
        }
    }

    static func columnsMissing(_ names: [String], version: Int) -> CRMError {
        let shown = names.prefix(8)
        let more = names.count - shown.count
        let en = shown.map { "“\($0)”" }.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        let zh = shown.map { "“\($0)”" }.joined(separator: "、") + (more > 0 ? "等 \(names.count) 列" : "")
        return CRMError(
            "model_columns_missing", status: 422,
            Words(
                en: "Version \(version) needs columns that no customer has any more, or that have another name now: "
                    + "\(en). Nobody was scored; the earlier scores stand. Train a new version.",
                zh: "模型版本 \(version) 需要的列已不存在或已改名：\(zh)。本次未评分，保留原有评分。请训练新版本。"))
    }

    /// The pass of this job; nil when a newer one has taken over from it.
    private func begin(_ model: ModelID, job: JobID?) async throws -> ScoringPass? {
        let tenant = self.tenant
        return try await tenant.database.write { session -> ScoringPass? in
            // An older version must not take over from the pass of a newer one.
            guard try ModelStore.active(session)?.id == model else { throw Outdated() }
            if let job {
                if let old = try ScoringRunStore.unfinished(job: job, model: model, session) { return old }
                if try ScoringRunStore.isSuperseded(job: job, session) { return nil }
            }
            let id = tenant.ids.next(AnyKind.self)
            // Later than any pass before it even when the clock stands still or was set back.
            let last = try ScoringRunStore.lastStart(session)
            let at = max(tenant.clock.now(), last.map { $0.adding(milliseconds: 1) } ?? tenant.clock.now())
            try ScoringRunStore.supersede(session)
            try ScoringRunStore.begin(id: id, job: job, model: model, at: at, session)
            guard let made = try ScoringRunStore.pass(id, session) else {
                throw StorageError(.other, "insights_scoring_run lost a row")
            }
            return made
        }
    }

    private func score(
        _ pass: ScoringPass, _ scorer: Scorer, by principal: Principal, report: @escaping RunReport
    ) async throws {
        let customers = self.customers
        // Cards are read for value and region only; nothing of them is shown.
        let reader = Principal.system(tenant: tenant.name, "insights.scoring")
        var after = pass.after
        var done = pass.scored + pass.skipped
        let total = try await tenant.database.read { try customers.customerCount($0) }
        let words = Words(en: "Scoring customers", zh: "为客户评分")
        try await report(Int64(done), Int64(max(total, done)), words)
        while true {
            let from = after
            let (table, cards) = try await tenant.database.read { session in
                let table = try customers.table(after: from, limit: Self.page, session)
                return (table, try customers.cards(table.ids, for: reader, session))
            }
            guard let last = table.ids.last else { break }
            let rows = try await OwnThread.run(
                first: done, report: { try await report(Int64($0), Int64(max(total, $0)), words) },
                { _ in try scorer.rows(table, cards) })
            for batch in rows.chunked(Self.batch) {
                try await write(batch, pass, by: principal)
                done += batch.count
                try await report(Int64(done), Int64(max(total, done)), words)
            }
            after = last
            if table.ids.count < Self.page { break }
        }
    }

    private func write(_ batch: [Scorer.Row], _ pass: ScoringPass, by principal: Principal) async throws {
        guard let last = batch.last else { return }
        let tenant = self.tenant
        let day = pass.startedAt.date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        let scores = batch.compactMap { $0.score(at: pass.startedAt, model: pass.model) }
        try await tenant.database.write { session in
            guard
                try ScoringRunStore.advance(
                    pass.id, after: last.customer, scored: scores.count, skipped: batch.count - scores.count, session)
            else { throw Superseded() }
            try ScoreStore.write(scores, on: day, isFirstPass: try !ScoringRunStore.anyDone(session), session)
            guard !scores.isEmpty else { return }
            try tenant.outbox.append(
                ChurnScored(
                    scores: scores.map {
                        ChurnScored.Score(
                            customer: $0.customer, probability: $0.probability, band: $0.band.rawValue)
                    }, model: pass.model, scoredAt: pass.startedAt), session)
            try tenant.audit.record(
                AuditEntry(
                    "insights.churn.score", scores.map { .customer($0.customer) },
                    facts: ["model": .string(pass.model.description), "customers": .int(Int64(scores.count))]),
                by: principal, session)
        }
    }

    private struct Result {
        let scored: Int
        let skipped: Int
        let bands: [String: Int]
        let drift: Double?
    }

    /// Takes those who were not seen off the list, and counts the base once for all pages.
    private func finish(_ pass: ScoringPass, model: ModelID) async throws -> Result {
        let tenant = self.tenant
        _ = try await tenant.database.write { session in
            guard try ScoringRunStore.isRunning(pass.id, session) else { throw Superseded() }
            return try session.execute(ScoreStore.unlistOlder, [.time(pass.startedAt), .bool(false)])
        }
        let (totals, histogram) = try await tenant.database.read { try Self.spread($0) }
        let day = pass.startedAt.date(offsetMinutes: tenant.timeZoneOffsetMinutes).description
        return try await tenant.database.write { session in
            guard try ScoringRunStore.isRunning(pass.id, session) else { throw Superseded() }
            try RiskSummaryStore.replace(totals, on: day, session)
            let first = try ScoringRunStore.first(model: model, session)
            let drift = first.flatMap { ScoreSpread.drift(from: $0.histogram, to: histogram) }
            try ScoringRunStore.finish(
                pass.id, at: tenant.clock.now(), histogram: histogram, drift: drift, session)
            let now = try ScoringRunStore.pass(pass.id, session) ?? pass
            var bands: [String: Int] = [:]
            for (key, value) in totals { bands[key.band.rawValue, default: 0] += value.customers }
            return Result(scored: now.scored, skipped: now.skipped, bands: bands, drift: drift)
        }
    }

    private static func spread(
        _ session: any SQLSession
    ) throws -> ([RiskSummaryStore.Key: BandTotals], [Int]) {
        var totals: [RiskSummaryStore.Key: BandTotals] = [:]
        var histogram = [Int](repeating: 0, count: ScoreSpread.bars)
        try session.forEach(ScoreStore.spread, []) { row in
            let (probability, value) = (row.double(2), row.int(3))
            let key = RiskSummaryStore.Key(region: row.text(0), band: RiskBand(rawValue: row.text(1)) ?? .low)
            totals[key, default: BandTotals()].customers += 1
            totals[key, default: BandTotals()].monthlyValue += value
            totals[key, default: BandTotals()].expectedLoss += ChurnScore.expectedLoss(probability, value)
            histogram[ScoreSpread.bar(probability)] += 1
            return true
        }
        return (totals, histogram)
    }
}
