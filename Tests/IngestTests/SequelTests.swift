import Kernel
import Storage
import TestSupport
import Testing

@testable import Ingest

/// What is done about customers behind their writing (ADR 0045).
@Suite("Matching behind the writing")
struct SequelTests {
    private struct Crash: Error {}
    private static let quiet = RunControl(
        progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "t")

    private struct Told: Equatable {
        var created: [Int64: Int] = [:]
        var updated = 0
    }

    /// A draft of 3,000 rows whose new customers are to be matched, started.
    private func started(_ bench: Bench) async throws -> ImportRunID {
        let draft = try await bench.draft(sampleCSV(rows: 3_000))
        var mapping = draft.mapping
        mapping.matches = true
        mapping.matchKey = "source_id"
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        return draft.run
    }

    private func told(_ bench: Bench) async throws -> Told {
        try await bench.tenant.database.read { session in
            var told = Told()
            try session.forEach("SELECT id, created FROM fake_matched", []) { row in
                if row.bool(1) { told.created[row.int(0), default: 0] += 1 } else { told.updated += 1 }
                return true
            }
            return told
        }
    }

    @Test("everybody is looked at once they are committed, and settled once; the run says how many")
    func once() async throws {
        let bench = try await Bench()
        let id = try await started(bench)
        let run = try await bench.service.performRun(id, Self.quiet)
        let told = try await told(bench)
        #expect(told.created.count == 3_000 && told.created.values.allSatisfy { $0 == 1 } && told.updated == 0)
        #expect(run.counts.linked == 3_000 && run.counts.review == 0)
        #expect(run.matchedChunk == run.chunk && run.chunk == 6)
    }

    @Test(
        "whoever goes on with a run settles what was written and not come to, once, wherever it stopped",
        arguments: [("apply", 3), ("look", 1), ("look", 2), ("settle", 1), ("settle", 2), ("settle", 3)])
    func goesOn(step: String, call: Int) async throws {
        let crashes = Counter()
        let bench = try await Bench(
            beforeApply: { if step == "apply", $0 == call { throw Crash() } },
            beforeSequel: { now, number in
                guard "\(now)" == step, number == call, crashes.next() == 1 else { return }
                throw Crash()
            })
        let id = try await started(bench)
        await #expect(throws: Crash.self) { _ = try await bench.service.performRun(id, Self.quiet) }
        let stopped = try await bench.service.run(id).run
        let by = try await told(bench).created.count
        #expect(stopped.matchedChunk < 6 && stopped.counts.linked == by)
        let run = try await bench.service.performRun(id, Self.quiet)
        let told = try await told(bench)
        #expect(told.created.count == 3_000 && told.created.values.allSatisfy { $0 == 1 })
        #expect(run.counts.created == 3_000 && run.counts.linked == 3_000 && run.matchedChunk == run.chunk)
    }

    @Test("a run that is stopped for good settles what it has written")
    func stopped() async throws {
        let turns = Counter()
        let bench = try await Bench()
        let id = try await started(bench)
        let control = RunControl(
            progress: { _, _, _ in if turns.next() == 2 { throw JobCancelled() } }, isForGood: { true },
            address: "job", request: "a")
        await #expect(throws: JobCancelled.self) { _ = try await bench.service.performRun(id, control) }
        let run = try await bench.service.run(id).run
        #expect(run.state == .cancelled && run.counts.created > 0 && run.counts.created < 3_000)
        #expect(run.counts.linked == run.counts.created && run.matchedChunk == run.chunk)
        #expect(try await told(bench).created.count == run.counts.created)
    }

    @Test("changed customers are told of too")
    func changed() async throws {
        let bench = try await Bench()
        _ = try await bench.service.performRun(try await started(bench), Self.quiet)
        let draft = try await bench.draft(sampleCSV(rows: 700, charge: 20))
        var mapping = draft.mapping
        (mapping.matches, mapping.matchKey) = (true, "source_id")
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        let run = try await bench.service.performRun(draft.run, Self.quiet)
        #expect(run.counts.updated == 700 && run.counts.review == 700 && run.counts.linked == 0)
        #expect(try await told(bench).updated == 700)
    }
}
