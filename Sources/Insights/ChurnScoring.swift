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

    package var json: [String: JSONValue] {
        [
            "model": .text(model?.description), "scored": .int(Int64(scored)), "skipped": .int(Int64(skipped)),
            "bands": .object(bands.mapValues { .int(Int64($0)) }), "drift": drift.map { .double($0) } ?? .null,
            "scoring_seconds": .double(seconds),
        ]
    }
}

/// Scores every customer with the active model, page by page. Each batch is one transaction: scores, history, one
/// event, one audit event and how far the pass is. Run again after a crash it goes on behind the last batch.
struct ChurnScoring: Sendable {
    let tenant: Tenant
    let customers: any CustomerReading
    static let jobKind = "insights.churn.score"
    static let page = 5_000
    static let batch = 500
    /// Raising and lowering reasons kept for each customer.
    static let reasonsKept = 3

    /// - Throws: `JobCancelled`; `CRMError` when the stored model cannot be read. Without an active model nothing is done.
    func run(by principal: Principal, job: JobID?, report: @escaping RunReport) async throws -> ScoringSummary {
        let start = ContinuousClock.now
        guard let record = try await tenant.database.read({ try ModelStore.active($0) }), let blob = record.blobID
        else {
            return ScoringSummary(model: nil, scored: 0, skipped: 0, bands: [:], drift: nil, seconds: 0)
        }
        let scorer = try await load(record.id, blob)
        let pass = try await begin(record.id, job: job)
        do {
            try await score(pass, scorer, by: principal, report: report)
            let result = try await finish(pass, model: record.id)
            return ScoringSummary(
                model: record.id, scored: result.scored, skipped: result.skipped, bands: result.bands,
                drift: result.drift, seconds: (ContinuousClock.now - start).seconds)
        } catch is JobCancelled where !Task.isCancelled {
            try await tenant.database.write { try ScoringRunStore.stop(pass.id, $0) }
            throw JobCancelled()
        }
    }

    private func load(_ id: ModelID, _ blob: String) async throws -> Scorer {
        let blobs = tenant.blobs
        do {
            return try await OwnThread.run {
                let reader = try blobs.reader(blob, offset: 0)
                var bytes: [UInt8] = []
                while let piece = try reader.read(1 << 20) { bytes += piece }
                let threads = max(1, ProcessInfo.processInfo.activeProcessorCount)
                return Scorer(model: try TrainedModel(serialized: bytes, threads: threads), id: id)
            }
        } catch let error as ModelError {
            throw error.crmError
        }
    }

    private func begin(_ model: ModelID, job: JobID?) async throws -> ScoringPass {
        let tenant = self.tenant
        return try await tenant.database.write { session in
            if let job, let old = try ScoringRunStore.unfinished(job: job, model: model, session) { return old }
            let id = tenant.ids.next(AnyKind.self)
            try ScoringRunStore.begin(id: id, job: job, model: model, at: tenant.clock.now(), session)
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
            try ScoreStore.write(scores, on: day, session)
            try ScoringRunStore.advance(
                pass.id, after: last.customer, scored: scores.count, skipped: batch.count - scores.count, session)
            guard !scores.isEmpty else { return }
            try tenant.outbox.append(
                ChurnScored(
                    scores: scores.map {
                        ChurnScored.Score(
                            customer: $0.customer, probability: $0.probability, band: $0.band.rawValue)
                    }, model: pass.model), session)
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
            try session.execute(ScoreStore.unlistOlder, [.time(pass.startedAt), .bool(false)])
        }
        let (totals, histogram) = try await tenant.database.read { try Self.spread($0) }
        let day = pass.startedAt.date(offsetMinutes: tenant.timeZoneOffsetMinutes).description
        return try await tenant.database.write { session in
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
