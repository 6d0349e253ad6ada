import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// What whole files do to a run: keys, sources, large files, who may reach a run, how it is stopped.
@Suite("Runs under odd files and odd people")
struct HardeningTests {
    private func stored(_ bench: Bench, _ blob: String) -> Bool { (try? bench.tenant.blobs.size(blob)) != nil }

    // MARK: Keys

    @Test("the key of a row that was not taken is free for the good row behind it, planned, done and continued")
    func keyOfReject() async throws {
        let bench = try await Bench()
        // Bad cell, refused by the target, good, repeated; the same across two chunks.
        var text = "Customer ID,Full Name,Mobile,Monthly Charges\nK1,Ann,,1.38E+10\nK1,Refused,,1\nK1,Ann,,1\nK1,Bob,,2\n"
        text += "K2,Refused,,1\n"
        for row in 10..<700 { text += "K\(row),Name,,1\n" }
        text += "K2,Cid,,3\nK2,Dan,,4\n"
        let planned = try await bench.importText(text, matchKey: "source_id", dryRun: true)
        let done = try await bench.importText(text, matchKey: "source_id")
        #expect(planned.numbers == [697, 692, 0, 0, 5])
        #expect(done.numbers == planned.numbers)
        let contents = try await bench.contents()
        #expect(contents["test:K1"]?["name"] == "Ann" && contents["test:K2"]?["name"] == "Cid")
        let repeats = done.reasons.filter { $0.code == "duplicate_key" }.map { [$0.firstLine, $0.count] }
        #expect(repeats == [[5, 2]], "\(done.reasons)")
    }

    @Test("a run that is continued knows which keys were taken and which were not")
    func keysAfterResume() async throws {
        struct Crash: Error {}
        let bench = try await Bench { call in if call == 2 { throw Crash() } }
        var text = "Customer ID,Full Name\nK1,Ann\nK2,Refused\n"
        for row in 10..<700 { text += "K\(row),Name\n" }
        text += "K1,Twice\nK2,Cid\n"
        let draft = try await bench.draft(text)
        var mapping = draft.mapping
        mapping.matchKey = "source_id"
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        let control = RunControl(progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "t")
        await #expect(throws: Crash.self) { _ = try await bench.service.performRun(draft.run, control) }
        let run = try await bench.service.performRun(draft.run, control)
        #expect(run.counts.numbers == [694, 692, 0, 0, 2])
        let contents = try await bench.contents()
        #expect(contents["test:K1"]?["name"] == "Ann" && contents["test:K2"]?["name"] == "Cid")
    }

    @Test("what a dry run found good is not given up for a bad beginning; without one it is")
    func hopeless() async throws {
        let bench = try await Bench()
        var text = "Customer ID,Full Name\n"
        for row in 0..<1_200 { text += "B\(row),Refused\n" }
        for row in 0..<1_800 { text += "K\(row),Ann\n" }
        let rash = try await bench.importText(text, matchKey: "source_id")
        #expect(rash.state == "failed" && rash.read == 1_000 && rash.created == 0)
        let planned = try await bench.importText(text, matchKey: "source_id", dryRun: true)
        #expect(planned.numbers == [3_000, 1_800, 0, 0, 1_200])
        let done = try await bench.importText(text, matchKey: "source_id")
        #expect(done.state == "succeeded" && done.numbers == planned.numbers)
    }

    // MARK: Sources

    @Test("next month's file with one more column is taken to come from the same source, and says so")
    func sourceReused() async throws {
        let bench = try await Bench()
        let first = try bench.file("customers_2026_10.csv", "Customer ID,Full Name,Mobile\nA1,Ann,13800138000\n")
        let october = try await bench.service.importFile(first, principal: bench.principal)
        #expect(october.created == 1 && october.source == "customers_2026_10")
        let second = try bench.file(
            "customers_2026_11.csv", "Customer ID,Full Name,Mobile,City\nA1,Ann Lee,13800138000,Rome\n")
        let november = try await bench.service.importFile(second, dryRun: true, principal: bench.principal)
        #expect(november.source == "customers_2026_10" && november.numbers == [1, 0, 1, 0, 0])
        #expect(november.warnings.contains { $0.contains("customers_2026_10") })
        // Another kind of file, or a source that is named, is another source.
        let third = try bench.file("crm.csv", "Customer ID,Born,Plan,Lat\nA1,2001-01-01,x,1.5\n")
        #expect(try await bench.service.importFile(third, dryRun: true, principal: bench.principal).source == "crm")
        let others = try bench.file("other.csv", "Customer ID,Full Name,Mobile,City\nA1,Ann Lee,13800138009,Rome\n")
        let named = try await bench.service.importFile(
            others, source: "other", matchKey: "source_id", dryRun: true, principal: bench.principal)
        #expect(named.source == "other" && named.created == 1)
        #expect(named.warnings.contains { $0.contains("“other”") && $0.contains("would be created") })
    }

    // MARK: Large files

    @Test("behind the window: a late first value, a late misfit and a late key of JSON are all kept")
    func lateValues() async throws {
        let bench = try await Bench()
        var csv = "Customer ID,Score,Note\n"
        for row in 1...100_100 { csv += "K\(row),\(row % 9),\n" }
        csv += "K200000,n/k,first note\n"
        let draft = try await bench.draft(csv)
        #expect(!draft.file.inspection.isWhole)
        #expect(draft.mapping.columns.map(\.code) == ["source_id", "attribute", "attribute"])
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let (run, file) = try await bench.service.run(draft.run)
        #expect(run.state == .ready && run.plan?.counts.numbers == [100_101, 100_101, 0, 0, 0])
        #expect(file.inspection.isWhole && file.inspection.rows == 100_101)
        // One cell that is no number makes the column text.
        #expect(file.inspection.profiles[1].attributeKind == "text")
        #expect(Set(run.plan?.newAttributes ?? []) == ["Score", "Note"])
    }

    @Test("a key of JSON Lines that first appears behind the window becomes an attribute")
    func lateKeys() async throws {
        let bench = try await Bench()
        var lines = ""
        for row in 1...100_050 { lines += "{\"customer_id\":\"A\(row)\"}\n" }
        lines += "{\"customer_id\":\"A200000\",\"city\":\"Rome\"}\n"
        let draft = try await bench.draft(lines, name: "x.jsonl")
        #expect(draft.mapping.columns.map(\.column) == ["customer_id"])
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let (run, file) = try await bench.service.run(draft.run)
        #expect(file.inspection.columns == ["customer_id", "city"])
        #expect(run.mapping.columns.map(\.code) == ["source_id", "attribute"])
        #expect(
            run.plan?.newAttributes == ["city"] && run.plan?.warnings.contains { $0.code == "late_columns" } == false)
    }

    // MARK: Who reaches a run

    @Test("who is kept to a region finds only what they brought, on every page and for every action")
    func scope() async throws {
        let bench = try await Bench()
        let wizard = try Wizard(bench, language: .en)
        let report = try await bench.importText(sampleCSV(rows: 5) + "K9,Name 9,nope,1,s\n", name: "national.csv")
        let run = try #require(ImportRunID(report.run))
        let clerk = TestTenant.principal(
            [ImportService.permission, Masking.seeUnlabelled], roles: [.supervisor], regions: ["浙江"], userID: UserID(7))
        for endpoint in wizard.endpoints where endpoint.pattern.contains("{id}") {
            let error = await #expect(throws: CRMError.self, "\(endpoint.pattern)") {
                _ = try await wizard.call(
                    endpoint.method, endpoint.pattern, run, form: endpoint.method == .post ? "" : nil, as: clerk)
            }
            #expect(error?.status == 404, "\(endpoint.method) \(endpoint.pattern)")
        }
        #expect(try await !wizard.page("/imports", as: clerk).contains("national.csv"))
        #expect(try await wizard.page("/imports").contains("national.csv"))
        let own = try await bench.service.importFile(
            try bench.file("own.csv", sampleCSV(rows: 2, from: 50)), source: "z", principal: clerk)
        let ownRun = try #require(ImportRunID(own.run))
        #expect(try await wizard.page("/imports/{id}", ownRun, as: clerk).contains("own.csv"))
        #expect(try await wizard.page("/imports", as: clerk).contains("own.csv"))
        // The bench's own person is not kept to a region and sees both.
        #expect(try await wizard.page("/imports/{id}", ownRun).contains("own.csv"))
    }

    // MARK: Stopping

    @Test("a command's import that is stopped in the console stops at once, keeps its rejects and can be continued")
    func stopCommand() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Full Name\nX1,Refused\n" + (1...3_000).map { "K\($0),Name\n" }.joined()
        let path = try bench.file("big.csv", text)
        let service = bench.service
        let (principal, started) = (bench.principal, Started())
        let report = try await service.importFile(
            path, source: "test", matchKey: "source_id", principal: principal, begun: { started.run = $0 },
            progress: { done, _, _ in
                // The console's request arrives between two chunks.
                guard done == 1_000, let run = started.run else { return }
                let done = DispatchSemaphore(value: 0)
                Task {
                    let stopped = try? await service.cancel(
                        run, principal: principal, record: service.recorder(principal))
                    started.stopped = stopped ?? false
                    done.signal()
                }
                done.wait()
            })
        #expect(started.stopped && report.state == "cancelled" && report.run == started.run.map { "\($0)" })
        #expect(report.read == 1_000 && report.rejected == 1 && report.rejectFile == path + ".rejects.csv")
        #expect(try bench.rejectFile(report).count == 2)
        let run = try #require(started.run)
        let rest = try await service.resume(
            run, rejects: bench.test.folder + "/again.csv", principal: principal)
        #expect(rest.state == "succeeded" && rest.created == 3_000 && rest.rejected == 1)
        #expect(try await bench.contents().count == 3_000)
    }

    @Test("a command that is interrupted ends between two chunks as stopped, and goes on from there")
    func interrupt() async throws {
        let bench = try await Bench()
        let path = try bench.file("big.csv", sampleCSV(rows: 2_000))
        let report = try await bench.service.importFile(
            path, source: "test", matchKey: "source_id", principal: bench.principal,
            progress: { done, _, _ in if done == 1_000 { throw JobCancelled() } })
        #expect(report.state == "cancelled" && report.created == 1_000 && !report.isRevert)
        let run = try #require(ImportRunID(report.run))
        let rest = try await bench.service.resume(run, principal: bench.principal)
        #expect(rest.state == "succeeded" && rest.created == 2_000)
    }

    // MARK: What is left on disk

    @Test("the rejects of a dry run go with it when the mapping changes, and an upload that cannot be kept goes too")
    func leftovers() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(sampleCSV(rows: 3) + "K9,Name,nope,1,s\n")
        func plannedRejects() async throws -> String {
            try await bench.enqueue(.dryRun, draft.run)
            try await bench.test.drain(jobs: bench.service.jobs)
            return try #require(try await bench.service.run(draft.run).run.planRejectBlobID)
        }
        let first = try await plannedRejects()
        #expect(stored(bench, first))
        let recorder = bench.service.recorder(bench.principal)
        try await bench.service.save(draft.mapping, for: draft.run, principal: bench.principal, record: recorder)
        #expect(!stored(bench, first))
        let second = try await plannedRejects()
        try await bench.service.reinspect(
            draft.run, encoding: nil, delimiter: nil, principal: bench.principal, record: recorder)
        #expect(!stored(bench, second))
        // The audit event cannot be written: the draft is not made.
        struct Full: Error {}
        let (blob, _) = try bench.service.copyIn(try bench.file("lost.csv", sampleCSV(rows: 3)))
        await #expect(throws: Full.self) {
            _ = try await bench.service.draft(
                name: "lost.csv", blob: blob, source: "", principal: bench.principal
            ) { _, _ in throw Full() }
        }
        #expect(!stored(bench, blob.id))
    }
}

/// Written by one command, read behind it.
private final class Started: @unchecked Sendable {
    var run: ImportRunID?
    var stopped = false
}
