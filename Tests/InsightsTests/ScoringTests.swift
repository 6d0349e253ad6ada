import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Insights

@Suite("Scoring the base")
struct ScoringTests {
    private struct Crash: Error {}

    private func trained(_ count: Int) async throws -> Desk {
        let desk = try await Desk(FakeCustomers(count))
        _ = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([]))
        return desk
    }

    private func scoring(_ desk: Desk) -> ChurnScoring { ChurnScoring(tenant: desk.tenant, customers: desk.customers) }

    @Test("a pass that died after its first batch goes on behind it and doubles nothing")
    func resumes() async throws {
        let desk = try await trained(1_200)
        let before = try await desk.events("insights.churn.score").count
        let told = try await desk.outbox(ChurnScored.eventType).count
        let job: JobID = desk.tenant.ids.next()
        await #expect(throws: Crash.self) {
            _ = try await scoring(desk).run(by: TestTenant.principal([]), job: job) { done, _, _ in
                if done == 500 { throw Crash() }
            }
        }
        #expect(try await desk.events("insights.churn.score").count == before + 1)
        let result = try await scoring(desk).run(by: TestTenant.principal([]), job: job) { _, _, _ in }
        #expect(result.scored + result.skipped == 1_200)
        #expect(try await desk.events("insights.churn.score").count == before + 3)
        #expect(try await desk.outbox(ChurnScored.eventType).count == told + 3)
        let subjects = try await desk.events("insights.churn.score").suffix(3).flatMap(\.subjects)
        #expect(subjects == Set(subjects).sorted())
    }

    @Test("the same pass twice leaves the same scores and no second entry in the history")
    func idempotent() async throws {
        let desk = try await trained(300)
        let first = try await desk.scores()
        desk.test.clock.advance(seconds: 3_600)
        _ = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        let second = try await desk.scores()
        #expect(first.map(\.probability) == second.map(\.probability))
        #expect(second.allSatisfy { $0.scoredAt > first[0].scoredAt })
        let remembered = try await desk.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM insights_score_history")
        }
        #expect(remembered == first.count)
    }

    @Test("who leaves between two passes leaves the list, keeps the old score and is not told as a leaver to be")
    func leaves() async throws {
        let desk = try await trained(300)
        let gone = try #require(try await desk.scores().first)
        desk.customers.set(gone.customer) { $0.left = true }
        desk.test.clock.advance(days: 1)
        let result = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        let now = try #require(try await desk.scores().first { $0.customer == gone.customer })
        #expect(!now.listed)
        #expect(now.probability == gone.probability)
        let last = try #require(try await desk.outbox(ChurnScored.eventType).last)
        #expect(!last.scores.contains { $0.customer == gone.customer })
        #expect(result.bands.values.reduce(0, +) == result.scored)
    }

    @Test("without a version in use a pass does nothing and does not fail")
    func noModel() async throws {
        let desk = try await Desk(FakeCustomers(20))
        let result = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        #expect(result.model == nil)
        #expect(result.scored == 0)
    }

    @Test("damaged model bytes are a message, not a crash")
    func damagedModel() async throws {
        let desk = try await trained(200)
        let writer = try desk.tenant.blobs.writer()
        try writer.write(Array("SWBCHURN and then nothing of use".utf8))
        let blob = try writer.finish()
        try await desk.tenant.database.write {
            _ = try $0.execute("UPDATE insights_model SET blob_id = $1", [.text(blob.id)])
        }
        let error = await #expect(throws: CRMError.self) {
            _ = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        }
        #expect(error?.code == "unreadable_model")
    }

    @Test("an older pass never overwrites what a newer one wrote")
    func olderPass() async throws {
        let desk = try await Desk(FakeCustomers(5))
        try await desk.put([(1_000, 0.4, 5_000, "North")])
        let newer = try #require(try await desk.scores().first)
        let old = ChurnScore(
            customer: newer.customer, model: newer.model, probability: 0.9, band: .critical, margin: 0,
            scoredAt: newer.scoredAt.adding(seconds: -60), reasons: .none, region: "North", monthlyValue: 1,
            currency: "CNY", listed: true)
        try await desk.tenant.database.write { try ScoreStore.write([old], on: newer.scoredAt.date(), $0) }
        #expect(try await desk.scores().first?.probability == 0.4)
    }

    @Test("a pass that begins while another runs takes over: the older one stops and tells nothing any more")
    func takesOver() async throws {
        let desk = try await trained(1_200)
        let told = try await desk.outbox(ChurnScored.eventType).count
        desk.test.clock.advance(days: 1)
        let (scoring, principal) = (scoring(desk), TestTenant.principal([]))
        let job: JobID = desk.tenant.ids.next()
        let started = Flag()
        let older = try await scoring.run(by: principal, job: job) { done, _, _ in
            guard done == 500, started.raise() else { return }
            // The clock stands still: the newer pass is the later one all the same.
            _ = try await scoring.run(by: principal, job: nil) { _, _, _ in }
        }
        #expect(older.superseded)
        let scores = try await desk.scores().filter(\.listed)
        let newest = try #require(scores.map(\.scoredAt).max())
        #expect(scores.allSatisfy { $0.scoredAt == newest })
        let events = try await desk.outbox(ChurnScored.eventType).dropFirst(told)
        // One batch of the older pass, then all of the newer one.
        #expect(events.count == 4)
        #expect(try #require(events.first?.scoredAt) < newest)
        #expect(events.dropFirst().allSatisfy { $0.scoredAt == newest })
        let again = try await scoring.run(by: principal, job: job) { _, _, _ in }
        #expect(again.superseded)
        #expect(try await desk.scores().map(\.scoredAt).max() == newest)
    }

    @Test("a version put into use while another is being loaded is the one that scores")
    func activatedMeanwhile() async throws {
        let desk = try await trained(300)
        _ = try await desk.module.train(tenant: desk.tenant, principal: TestTenant.principal([]))
        let versions = try await desk.models()
        let old = try #require(versions.last)
        #expect(old.state == .retired)
        let database = desk.tenant.database
        desk.customers.beforeTable.withLock { hook in
            hook = {
                let done = DispatchSemaphore(value: 0)
                Task {
                    try? await database.write { try ModelStore.activate(old.id, $0) }
                    done.signal()
                }
                done.wait()
            }
        }
        let result = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        #expect(result.model == old.id)
        #expect(try await desk.scores().allSatisfy { $0.model == old.id })
    }

    @Test("a pass that waits is not queued twice")
    func queuedOnce() async throws {
        let desk = try await trained(200)
        let analyst = desk.principal(.analyst)
        _ = try await desk.ask(.post, "/models/scoring", as: analyst)
        _ = try await desk.ask(.post, "/models/scoring", as: analyst)
        let jobs = try await desk.tenant.database.read { try desk.tenant.jobs.recent(kind: ChurnScoring.jobKind, $0) }
        #expect(jobs.count == 1)
    }

    @Test("customers of a reverted import take scores, history and plan with them, and the counts follow")
    func removed() async throws {
        let desk = try await Desk(FakeCustomers(5))
        try await desk.put([(1_000, 0.9, 5_000, "North"), (1_001, 0.1, 5_000, "South")])
        let tenant = desk.tenant
        try await tenant.database.write { session in
            try tenant.outbox.append(
                CustomersChanged(ids: [CustomerID(1_000)], fields: [], kind: .removed), session)
        }
        try await desk.drain()
        #expect(try await desk.scores().map(\.customer.rawValue) == [1_001])
        let history = try await tenant.database.read {
            try $0.query("SELECT customer_id FROM insights_score_history") { $0.int(0) }
        }
        #expect(history == [1_001])
        let summary = try await tenant.database.read { try RiskSummaryStore.latest(1, scope: .all, $0).first }
        #expect(summary?.customers == 1)
        #expect(summary?.bands[.critical]?.customers == 0)
    }

    @Test("region and monthly value follow the record between two passes, and totals equal a count of the base")
    func follows() async throws {
        let desk = try await trained(200)
        let some = try await desk.scores().prefix(3).map(\.customer)
        desk.customers.set(some[0]) { $0.region = "West" }
        desk.customers.set(some[1]) { $0.charge = 99_900 }
        desk.customers.set(some[2]) { $0.left = true }
        let tenant = desk.tenant
        try await tenant.database.write { session in
            try tenant.outbox.append(CustomersChanged(ids: some, fields: ["region"], kind: .updated), session)
        }
        try await desk.drain()
        let scores = try await desk.scores().filter { some.contains($0.customer) }
        #expect(scores[0].region == "West")
        #expect(scores[1].monthlyValue == 99_900)
        #expect(!scores[2].listed)
        let listed = try await desk.scores().filter(\.listed)
        let summary = try #require(
            try await tenant.database.read { try RiskSummaryStore.latest(1, scope: .all, $0).first })
        for band in RiskBand.allCases {
            let mine = listed.filter { $0.band == band }
            #expect(summary.bands[band]?.customers ?? 0 == mine.count)
            #expect(summary.bands[band]?.expectedLoss ?? 0 == mine.reduce(0) { $0 + $1.expectedLoss })
        }
    }

    @Test("drift is nothing for the same base and grows with what moves")
    func drift() {
        let old = [100, 200, 300, 200]
        #expect(ScoreSpread.drift(from: old, to: [200, 400, 600, 400]) == 0)
        let some = ScoreSpread.drift(from: old, to: [120, 210, 280, 190])
        let much = ScoreSpread.drift(from: old, to: [0, 50, 250, 500])
        #expect((some ?? 9) < ScoreSpread.stable)
        #expect((much ?? 0) > ScoreSpread.shifted)
        #expect(ScoreSpread.drift(from: [], to: []) == nil)
    }

    @Test("the second pass compares the base with the first one of its version")
    func driftOfPasses() async throws {
        let desk = try await trained(300)
        let model = try #require(try await desk.models().first)
        let first = try await desk.tenant.database.read { try ScoringRunStore.last(model: model.id, $0) }
        #expect(first?.drift == nil)
        #expect(first?.histogram.reduce(0, +) == (try await desk.scores().count))
        desk.customers.change { all in
            for place in all.indices { all[place].cells["tenure_months"] = "1" }
        }
        desk.test.clock.advance(days: 1)
        let result = try await scoring(desk).run(by: TestTenant.principal([]), job: nil) { _, _, _ in }
        #expect((result.drift ?? 0) > ScoreSpread.shifted)
    }
}

/// Raised once.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var raised = false
    /// Whether this call was the first.
    func raise() -> Bool {
        lock.withLock {
            defer { raised = true }
            return !raised
        }
    }
}
