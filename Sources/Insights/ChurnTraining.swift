import Contracts
import Foundation
import Kernel
import Platform
import Storage
import Web

/// What a training is asked for.
package struct TrainingRequest: Sendable, Codable {
    package let folds: Int
    package let seed: UInt64
    package init(folds: Int = 5, seed: UInt64 = 1) {
        self.folds = folds
        self.seed = seed
    }
}

/// What came out of a training.
package struct TrainingSummary: Sendable {
    package let model: ModelID
    package let version: Int
    /// `active` or `ready` (a version that is clearly worse than the one in use waits for a person's decision).
    package let state: String
    package let auc: Double
    package let logloss: Double
    package let brier: Double
    package let ece: Double
    package let liftAt10: Double
    package let customers: Int
    package let rows: Int
    package let leavers: Int
    package let features: Int
    package let excluded: [String]
    package let seconds: Double
    /// How the version in use did on the same rows; nil when there was none.
    let decision: ModelDecision?

    package var isActive: Bool { state == ModelState.active.rawValue }

    package var json: [String: JSONValue] {
        [
            "compared": decision.map {
                .object([
                    "version": .int(Int64($0.version)), "basis": .string($0.comparison.basis.rawValue),
                    "rows": .int(Int64($0.comparison.rows)), "auc": .double($0.comparison.auc),
                    "auc_of_version_in_use": $0.comparison.championAUC.map { .double($0) } ?? .null,
                    "standard_error": .double($0.comparison.standardError),
                ])
            } ?? .null,
            "model": .string(model.description), "version": .int(Int64(version)), "state": .string(state),
            "auc": .double(auc), "logloss": .double(logloss), "brier": .double(brier), "ece": .double(ece),
            "lift_at_10": .double(liftAt10), "customers": .int(Int64(customers)), "rows": .int(Int64(rows)),
            "leavers": .int(Int64(leavers)), "features": .int(Int64(features)),
            "excluded": .array(excluded.map { .string($0) }), "seconds": .double(seconds),
        ]
    }
}

/// Learns a new version from the customers of a tenant and registers it.
struct ChurnTraining: Sendable {
    let tenant: Tenant
    let customers: any CustomerReading
    var rowsMax = LearningBase.rowsMax
    static let jobKind = "insights.churn.train"
    /// Progress is told in hundredths: reading up to 20, learning up to 95.
    private static let readShare = 20.0
    private static let learnShare = 75.0

    /// - Parameter job: the job this runs in; run again it continues its own version.
    /// - Throws: `CRMError` for a base that cannot be learned from, `JobCancelled`.
    func run(
        _ request: TrainingRequest, by principal: Principal, startedBy: String, job: JobID?,
        report: @escaping RunReport
    ) async throws -> TrainingSummary {
        let start = ContinuousClock.now
        let model = try await begin(request, startedBy: startedBy, job: job)
        if model.hasModel { return try await summary(of: model, seconds: 0) }
        do {
            let base = try await LearningBase.read(
                customers, tenant.database, seed: request.seed, rowsMax: rowsMax
            ) {
                done, total, words in
                try await report(Int64(Self.readShare * Double(done) / Double(max(1, total))), 100, words)
            }
            try base.demandOutcomes(folds: request.folds)
            let inUse = try await champion(base)
            let (trained, comparison) = try await learn(base, request, against: inUse?.champion, report: report)
            try await report(96, 100, Words(en: "Storing the model", zh: "保存模型"))
            let decision = zip2(inUse, comparison).map { inUse, comparison in
                ModelDecision(
                    version: inUse.record.version, comparison: comparison, takesOver: comparison.takesOver)
            }
            try await store(trained, base, as: model, decision, instead: inUse?.record.id, by: principal)
            guard let stored = try await tenant.database.read({ try ModelStore.model(model.id, $0) }) else {
                throw CRMError.notFound
            }
            let took = ContinuousClock.now - start
            return try await summary(of: stored, seconds: took.seconds)
        } catch {
            try await noteFailure(error, model.id)
            throw (error as? any CRMErrorConvertible)?.crmError ?? error
        }
    }

    private func begin(_ request: TrainingRequest, startedBy: String, job: JobID?) async throws -> ModelRecord {
        let tenant = self.tenant
        return try await tenant.database.write { session in
            try ModelStore.begin(
                id: tenant.ids.next(), job: job, at: tenant.clock.now(), by: startedBy, folds: request.folds,
                seed: request.seed, session)
        }
    }

    /// The version in use, to be judged on today's base; nil when there is none or its bytes cannot be read.
    private func champion(_ base: LearningBase) async throws -> (record: ModelRecord, champion: Champion)? {
        let stored = try await tenant.database.read { session in
            try ModelStore.active(session).map { ($0, try ModelStore.card($0.id, session)?.learnedUntil) }
        }
        guard let (record, learnedUntil) = stored, let blob = record.blobID else { return nil }
        let model: TrainedModel
        do { model = try await ModelLoader.load(blob, tenant) } catch is CRMError { return nil }
        // Of a version from before this was kept, every row counts as seen.
        let unseen = base.ids.map { id in learnedUntil.map { id.rawValue > $0 } ?? false }
        let names = ColumnNames(
            model: model.columns, table: base.table.names.map { ($0, base.titles[$0]?.en ?? $0) })
        return (record, Champion(model: model, unseen: unseen, names: names))
    }

    private func zip2<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
        guard let a, let b else { return nil }
        return (a, b)
    }

    private func learn(
        _ base: LearningBase, _ request: TrainingRequest, against champion: Champion?, report: @escaping RunReport
    ) async throws -> (model: TrainedModel, comparison: ChampionComparison?) {
        let options = TrainingOptions(
            label: LearningBase.label, positive: "1", folds: request.folds, seed: request.seed,
            threads: max(1, ProcessInfo.processInfo.activeProcessorCount))
        let table = base.table
        return try await OwnThread.run(
            first: TrainingProgress(stage: .reading, share: 0),
            report: { note in
                let done = Self.readShare + Self.learnShare * note.share
                try await report(Int64(done), 100, note.text.words)
            },
            { box in try ChurnTrainer.train(table, options, against: champion) { try box.note($0) } })
    }

    private func store(
        _ trained: TrainedModel, _ base: LearningBase, as model: ModelRecord, _ decision: ModelDecision?,
        instead champion: ModelID?, by principal: Principal
    ) async throws {
        let bytes = try trained.serialized()
        let tenant = self.tenant
        let blob = try await OwnThread.run {
            let writer = try tenant.blobs.writer()
            do {
                try writer.write(bytes)
                return try writer.finish()
            } catch {
                writer.discard()
                throw error
            }
        }
        let card = ModelCard(
            report: trained.report, unknownCountedAsStayed: base.unknownCountedAsStayed, sampled: base.sampled,
            bands: trained.bands, decision: decision, learnedUntil: base.ids.map(\.rawValue).max())
        try await tenant.database.write { session in
            let active = try ModelStore.active(session)
            // Somebody put another version into use meanwhile: that was a person's decision, and it stands.
            let takesOver = active.map { $0.id == champion && decision?.takesOver != false } ?? true
            try ModelStore.finish(
                model.id, state: takesOver ? .active : .ready, at: tenant.clock.now(), card: card,
                titles: base.titles, customers: base.customers, blob: blob.id, session)
            try tenant.audit.record(
                AuditEntry(
                    "insights.model.train", [AuditSubject(kind: "model", id: model.id.rawValue)],
                    facts: [
                        "version": .int(Int64(model.version)), "state": .string(takesOver ? "active" : "ready"),
                        "auc": .double(trained.report.auc), "rows": .int(Int64(trained.report.rows)),
                        "compared_with": decision.map { .int(Int64($0.version)) } ?? .null,
                        "compared_auc": decision.map { .double($0.comparison.auc) } ?? .null,
                        "auc_in_use": decision?.comparison.championAUC.map { .double($0) } ?? .null,
                    ]), by: principal, session)
        }
    }

    /// A cancelled or refused training leaves its version behind, with the reason.
    private func noteFailure(_ error: any Error, _ id: ModelID) async throws {
        // The process stops: the job is run again and goes on with this version.
        if Task.isCancelled { return }
        let words: Words
        if error is JobCancelled {
            words = Words(en: "Cancelled.", zh: "已取消。")
        } else if let known = (error as? CRMError) ?? (error as? any CRMErrorConvertible)?.crmError {
            words = known.message
        } else {
            words = Words(en: "Something went wrong on our side.", zh: "服务器内部错误。")
        }
        try await tenant.database.write { try ModelStore.fail(id, words, $0) }
    }

    private func summary(of model: ModelRecord, seconds: Double) async throws -> TrainingSummary {
        let card = try await tenant.database.read { try ModelStore.card(model.id, $0) }
        return TrainingSummary(
            model: model.id, version: model.version, state: model.state.rawValue, auc: model.figures.auc,
            logloss: model.figures.logloss, brier: model.figures.brier, ece: model.figures.ece,
            liftAt10: model.figures.liftAt10, customers: model.customers, rows: model.labelled,
            leavers: model.leavers, features: model.features, excluded: card?.report.excluded.map(\.column) ?? [],
            seconds: seconds, decision: card?.decision)
    }
}

/// Reads the bytes of a version.
enum ModelLoader {
    /// - Throws: `CRMError` when they cannot be read.
    static func load(_ blob: String, _ tenant: Tenant) async throws -> TrainedModel {
        let blobs = tenant.blobs
        do {
            return try await OwnThread.run {
                let reader = try blobs.reader(blob, offset: 0)
                var bytes: [UInt8] = []
                while let piece = try reader.read(1 << 20) { bytes += piece }
                let threads = max(1, ProcessInfo.processInfo.activeProcessorCount)
                return try TrainedModel(serialized: bytes, threads: threads)
            }
        } catch let error as ModelError {
            throw error.crmError
        }
    }
}

extension Duration {
    /// Seconds with a fraction, rounded to milliseconds.
    var seconds: Double {
        ((Double(components.seconds) + Double(components.attoseconds) / 1e18) * 1_000).rounded() / 1_000
    }
}
