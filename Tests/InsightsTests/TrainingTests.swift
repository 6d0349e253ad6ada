import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Insights

@Suite("Training a version")
struct TrainingTests {
    @Test("a training job ends with an active version, its card, its bytes, and everybody in service scored")
    func endToEnd() async throws {
        let desk = try await Desk(FakeCustomers(700))
        let job = try #require(try await desk.train())
        #expect(job.status == .succeeded, "\(job.message.en)")
        #expect(job.result?.contains("\"state\":\"active\"") == true)

        let model = try #require(try await desk.models().first)
        #expect(model.state == .active)
        #expect(model.version == 1)
        #expect(model.trainedBy == "王分析")
        #expect(model.customers == 700)
        #expect(model.leavers == desk.customers.all.count { $0.left == true })
        #expect(model.figures.auc > 0.7)
        #expect(model.figures.auc < 0.97)
        let card = try #require(try await desk.tenant.database.read { try ModelStore.card(model.id, $0) })
        #expect(card.report.excluded.contains { $0.column == "Churn Reason" && $0.code.isLeak })
        #expect(!card.report.columns.contains("Churn Reason"))
        #expect(!card.report.importance.isEmpty)
        #expect(try desk.tenant.blobs.size(try #require(model.blobID)) > 1_000)

        let staying = desk.customers.all.filter { $0.left != true }
        let scores = try await desk.scores()
        #expect(scores.map(\.customer) == staying.map(\.id))
        #expect(scores.allSatisfy { $0.probability > 0 && $0.probability < 1 && $0.model == model.id && $0.listed })
        #expect(scores.allSatisfy { !$0.reasons.raising.isEmpty || !$0.reasons.lowering.isEmpty })
        #expect(scores.allSatisfy { $0.reasons.raising.allSatisfy { $0.contribution > 0 } })
    }

    @Test("the pass tells the others in batches, without the leavers, and leaves one audit event a batch")
    func eventsOfAPass() async throws {
        let desk = try await Desk(FakeCustomers(700))
        try await desk.train()
        let events = try await desk.outbox(ChurnScored.eventType)
        let scores = try await desk.scores()
        #expect(events.count == 2)
        #expect(events.flatMap(\.scores).map(\.customer) == scores.map(\.customer))
        #expect(events.allSatisfy { $0.scores.count <= 500 })
        for (told, stored) in zip(events.flatMap(\.scores), scores) {
            #expect(told.band == stored.band.rawValue)
            #expect(abs(told.probability - stored.probability) < 1e-12)
        }
        let audited = try await desk.events("insights.churn.score")
        #expect(audited.count == 2)
        #expect(audited.flatMap(\.subjects) == scores.map(\.customer.rawValue))
        #expect(try await desk.events("insights.model.train").count == 1)
    }

    @Test("a second training makes version 2, and one version is in use")
    func secondVersion() async throws {
        let desk = try await Desk(FakeCustomers(400))
        try await desk.train()
        desk.test.clock.advance(days: 1)
        try await desk.train()
        let models = try await desk.models()
        #expect(models.map(\.version) == [2, 1])
        #expect(models.count { $0.state == .active } == 1)
        // The same customers and seed give the same figures, so the newer one takes over.
        #expect(models[0].state == .active)
        #expect(models[1].state == .retired)
        #expect(models[0].figures == models[1].figures)
        let scores = try await desk.scores()
        #expect(scores.allSatisfy { $0.model == models[0].id })
    }

    @Test("clearly worse is by more than a few thousandths and by more than chance")
    func clearlyWorse() {
        func takesOver(_ auc: Double, _ champion: Double?, error: Double = 0) -> Bool {
            ChampionComparison(
                basis: .unseen, rows: 100, positives: 30, auc: auc, championAUC: champion, standardError: error
            ).takesOver
        }
        #expect(takesOver(0.5, nil))
        #expect(takesOver(0.856, 0.86))
        #expect(!takesOver(0.84, 0.86))
        #expect(takesOver(0.84, 0.86, error: 0.015))
        #expect(!takesOver(0.80, 0.86, error: 0.015))
    }

    @Test("a base of which nobody left is refused in words, in both languages, at the first attempt")
    func nobodyLeft() async throws {
        let desk = try await Desk(FakeCustomers(120, leavers: false))
        let job = try #require(try await desk.train())
        #expect(job.status == .failed)
        #expect(job.attempts == 1)
        #expect(job.message.en.contains("Only 0 of 120 customers are known to have left"))
        #expect(job.message.zh.contains("120 位客户中仅有 0 位已知离网"))
        let model = try #require(try await desk.models().first)
        #expect(model.state == .failed)
        #expect(model.failure == job.message)
        #expect(try await desk.scores().isEmpty)
    }

    @Test("a base without customers says so")
    func emptyBase() async throws {
        let desk = try await Desk(FakeCustomers([]))
        let job = try #require(try await desk.train())
        #expect(job.status == .failed)
        #expect(job.message.en.contains("no customers yet"))
    }

    @Test("where only leavers are recorded, everybody else counts as a stayer, and the card says so")
    func onlyLeaversRecorded() async throws {
        let desk = try await Desk(FakeCustomers(400))
        desk.customers.change { all in
            for place in all.indices where all[place].left == false { all[place].left = nil }
        }
        let job = try #require(try await desk.train())
        #expect(job.status == .succeeded, "\(job.message.en)")
        let model = try #require(try await desk.models().first)
        #expect(model.labelled == 400)
        let card = try #require(try await desk.tenant.database.read { try ModelStore.card(model.id, $0) })
        #expect(card.unknownCountedAsStayed)
    }

    @Test("cancelling stops the training and leaves its version as failed")
    func cancelled() async throws {
        let desk = try await Desk(FakeCustomers(300))
        let training = ChurnTraining(tenant: desk.tenant, customers: desk.customers)
        await #expect(throws: JobCancelled.self) {
            _ = try await training.run(
                TrainingRequest(), by: TestTenant.principal([]), startedBy: "x", job: nil
            ) { done, _, _ in if done >= 20 { throw JobCancelled() } }
        }
        let model = try #require(try await desk.models().first)
        #expect(model.state == .failed)
        #expect(model.failure?.zh == "已取消。")
    }

    @Test("a job run again after a crash goes on with its own version")
    func runAgain() async throws {
        let desk = try await Desk(FakeCustomers(300))
        struct Crash: Error {}
        let training = ChurnTraining(tenant: desk.tenant, customers: desk.customers)
        let job: JobID = desk.tenant.ids.next()
        let principal = TestTenant.principal([])
        await #expect(throws: Crash.self) {
            _ = try await training.run(TrainingRequest(), by: principal, startedBy: "x", job: job) { done, _, _ in
                if done >= 20 { throw Crash() }
            }
        }
        let first = try await training.run(TrainingRequest(), by: principal, startedBy: "x", job: job) { _, _, _ in }
        let again = try await training.run(TrainingRequest(), by: principal, startedBy: "x", job: job) { _, _, _ in }
        #expect(first.model == again.model)
        #expect(try await desk.models().count == 1)
        #expect(try await desk.events("insights.model.train").count == 1)
    }

    @Test("the command trains and scores without the queue, and tells how far it is in both languages")
    func command() async throws {
        let desk = try await Desk(FakeCustomers(300))
        let told = Told()
        let result = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([])) {
            _, _, words in told.add(words)
        }
        #expect(result.training.version == 1)
        #expect(result.scoring?.scored == desk.customers.all.count { $0.left != true })
        #expect(result.scoring?.skipped == result.training.leavers)
        #expect(result.scoring?.bands.values.reduce(0, +) == result.scoring?.scored)
        let stages = told.all
        #expect(stages.contains(Words(en: "Reading customers", zh: "读取客户")))
        #expect(stages.contains(Words(en: "Scoring customers", zh: "为客户评分")))
    }

    @Test("a base of another size is sampled to the limit, the same way for the same seed")
    func sampling() async throws {
        let desk = try await Desk(FakeCustomers(900))
        let read = { (seed: UInt64) in
            try await LearningBase.read(desk.customers, desk.tenant.database, seed: seed, rowsMax: 300) { _, _, _ in }
        }
        let (one, same, other) = (try await read(1), try await read(1), try await read(2))
        #expect(one.sampled)
        #expect(one.customers == 900)
        #expect((220...380).contains(one.table.rows))
        #expect(one.table.values(of: "tenure_months") == same.table.values(of: "tenure_months"))
        #expect(one.table.values(of: "tenure_months") != other.table.values(of: "tenure_months"))
    }
}

/// Collects from several threads.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var words: [Words] = []
    func add(_ more: Words) { lock.withLock { words.append(more) } }
    var all: [Words] { lock.withLock { words } }
}
