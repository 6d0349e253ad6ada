import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

private struct Crash: Error {}

@Suite("What taking a large import back would do")
struct RevertCountingTests {
    private func counting(_ bench: Bench, _ id: ImportRunID) async throws -> RevertCounting? {
        try await bench.tenant.database.read { try RevertCounting.of(RunStore.run(id, $0), bench.tenant, $0) }
    }

    private func ask(_ bench: Bench, _ id: ImportRunID, _ principal: Principal? = nil) async throws {
        try await bench.service.askForForecast(
            id, principal: principal ?? bench.principal, record: bench.service.recorder(bench.principal))
    }

    /// As the job does it.
    private func count(_ bench: Bench) async throws {
        try await bench.test.drain(jobs: bench.service.jobs)
    }

    @Test("a job counts all records of a large import once, the page tells when, and whether imports have written since")
    func counts() async throws {
        let bench = try await Bench()
        let small = try #require(ImportRunID(try await bench.importText(sampleCSV(rows: 20, from: 90_000), matchKey: "source_id").run))
        #expect(try await counting(bench, small) == nil, "the page counts it by itself")
        let run = try #require(ImportRunID(try await bench.importText(sampleCSV(rows: 4_600), name: "big.csv", matchKey: "source_id").run))
        let fresh = try #require(try await counting(bench, run))
        #expect(fresh.result == nil && !fresh.isCounting)
        // One of the first rows: behind what a page looks at.
        try await bench.tenant.database.write { session in
            _ = try session.execute("UPDATE fake_customer SET revision = 2 WHERE key IN ('test:K1', 'test:K2')")
        }
        let partial = try await bench.tenant.database.read { session in
            try bench.service.previewRevert(
                RunStore.run(run, session), chunksMax: ImportService.previewChunks, forecastMax: ImportService.forecastChunks, session)
        }
        #expect(partial.kept == 0 && partial.isPartial && (partial.removed ?? 0) < 4_600)
        try await ask(bench, run)
        try await ask(bench, run)
        let jobs = try await bench.tenant.database.read { try $0.count("SELECT COUNT(*) FROM storage_job WHERE kind = 'ingest.forecast'") }
        #expect(jobs == 1, "who asks while it counts waits with the others")
        #expect(try await counting(bench, run)?.isCounting == true)
        try await count(bench)
        let done = try #require(try await counting(bench, run))
        #expect(done.result?.removed == 4_598 && done.result?.kept == 2 && done.result?.lookedAt == 4_600)
        #expect(!done.isCounting && !done.isOlder && done.countedAt == bench.test.clock.now())
        bench.test.clock.advance(seconds: 60)
        _ = try await bench.importText("Customer ID,Full Name\nK3,X\n", name: "later.csv", matchKey: "source_id")
        let older = try #require(try await counting(bench, run))
        #expect(older.isOlder && older.result?.kept == 2, "as it was counted")
        try await ask(bench, run)
        try await count(bench)
        let again = try #require(try await counting(bench, run))
        #expect(!again.isOlder && again.result?.kept == 3 && again.result?.later.map(\.file) == ["later.csv"])
    }

    @Test("who may not import asks for nothing, nor anybody for a run that is none; what is taken back or let go has no count")
    func ends() async throws {
        let bench = try await Bench()
        let run = try #require(ImportRunID(try await bench.importText(sampleCSV(rows: 4_600), matchKey: "source_id").run))
        await #expect(throws: CRMError.self) { try await ask(bench, run, TestTenant.principal([])) }
        await #expect(throws: CRMError.self) { try await ask(bench, ImportRunID(1)) }
        #expect(try await counting(bench, run)?.isCounting == false)
        try await ask(bench, run)
        try await count(bench)
        _ = try await bench.service.revert(run, principal: bench.principal)
        #expect(try await counting(bench, run) == nil)
        await #expect(throws: CRMError.self) { try await ask(bench, run) }
        bench.test.clock.advance(seconds: (ImportService.keptDays + 1) * 86_400)
        #expect(try await bench.service.purge() == 1)
        #expect(try await bench.tenant.database.read { try $0.count("SELECT COUNT(*) FROM ingest_forecast") } == 0)
    }

    @Test("values left as they were corrected are counted, by a dry run too, and add up over a run that dies and goes on")
    func corrected() async throws {
        let bench = try await Bench { call in if call == 8 { throw Crash() } }
        _ = try await bench.importText(sampleCSV(rows: 2_600), matchKey: "source_id")
        var text = "Customer ID,Full Name,Segment\n"
        for row in 1...2_600 { text += "K\(row),\(row % 2 == 0 ? "Told before" : "Name \(row)"),\(row % 5 == 0 ? "new" : "Seg \(row % 3)")\n" }
        let plan = try await bench.importText(text, name: "again.csv", matchKey: "source_id", dryRun: true)
        #expect(plan.corrected == 1_300)
        let draft = try await bench.draft(text, name: "again.csv")
        var mapping = draft.mapping
        mapping.matchKey = "source_id"
        let service = bench.service
        try await service.save(mapping, for: draft.run, principal: bench.principal, record: service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        let control = RunControl(progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "t")
        var deaths = 0
        var done: ImportRun?
        while done == nil {
            do { done = try await service.performRun(draft.run, control) } catch is Crash { deaths += 1 }
        }
        #expect(deaths == 1 && done?.counts.corrected == 1_300, "\(String(describing: done?.counts))")
        #expect(done?.counts.facts["corrected"] == .int(1_300))
    }
}
