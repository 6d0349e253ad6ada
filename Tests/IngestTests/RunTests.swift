import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Deterministic numbers for random files; the seed stands in each test's arguments.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// A file in which everything happens: keys that repeat, collide, are missing; bad values; ragged rows; open quotes.
func randomCSV(_ seed: UInt64, rows: Int) -> String {
    var random = SplitMix(seed)
    var text = "Customer ID,Full Name,Mobile,Tenure,Monthly Charges,Plan,Score\n"
    for row in 1...rows {
        let key =
            Int.random(in: 0..<20, using: &random) == 0 ? "" : "K\(Int.random(in: 1...(rows * 2), using: &random))"
        let name = ["Ann", "Refused", "\"Bo, Jr\"", "王伟", ""].randomElement(using: &random) ?? ""
        let phone =
            Int.random(in: 0..<3, using: &random) == 0
            ? "139\(String(format: "%08d", Int.random(in: 1...(rows * 3), using: &random)))" : ""
        let tenure = Int.random(in: 0..<30, using: &random) == 0 ? "1.38E+10" : "\(Int.random(in: 0...70, using: &random))"
        let charge = ["10.50", "1,200.00", "", "99"].randomElement(using: &random) ?? ""
        let plan = ["5G", "4G", ""].randomElement(using: &random) ?? ""
        var line =
            "\(key),\(name),\(phone),\(tenure),\(charge.contains(",") ? "\"\(charge)\"" : charge),\(plan),\(row % 5)"
        if Int.random(in: 0..<60, using: &random) == 0 { line += ",more" }
        if Int.random(in: 0..<200, using: &random) == 0 { line = "K9,\"open" }
        text += line + "\n"
    }
    return text
}

@Suite("Runs")
struct RunTests {
    @Test("a dry run counts exactly what the run then does", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func planEqualsRun(seed: UInt64) async throws {
        let bench = try await Bench()
        // The first file makes records that the second one meets.
        _ = try await bench.importText(randomCSV(seed, rows: 700), name: "a.csv", matchKey: "source_id")
        let before = try await bench.contents()
        let text = randomCSV(seed + 1_000, rows: 1_300).replacing("Plan", with: "Tariff")
        let planned = try await bench.importText(text, name: "b.csv", matchKey: "source_id", dryRun: true)
        #expect(try await bench.contents() == before)
        let attributes = try await bench.tenant.database.read { try $0.count("SELECT COUNT(*) FROM fake_attribute") }
        let done = try await bench.importText(text, name: "b.csv", matchKey: "source_id")
        #expect(attributes == 2)
        #expect(planned.numbers == done.numbers, "seed \(seed)")
        #expect(done.read == done.created + done.updated + done.unchanged + done.rejected + done.quarantined)
        #expect(done.created > 0 && done.updated > 0 && done.rejected > 0)
        let reasons = { (report: ImportReport) in
            report.reasons.map { "\($0.code) \($0.column ?? "") \($0.count)" }.sorted()
        }
        #expect(reasons(planned) == reasons(done))
        #expect(planned.reasons.reduce(0) { $0 + $1.count } == planned.rejected)
        let again = try await bench.importText(text, name: "b.csv", matchKey: "source_id")
        #expect(again.created == 0 && again.updated == 0, "the same file again changes nothing")
    }

    private struct Crash: Error {}

    @Test(
        "a run that dies at any chunk goes on to the state of an undisturbed one",
        arguments: [11, 12, 13, 14] as [UInt64])
    func resumes(seed: UInt64) async throws {
        var random = SplitMix(seed)
        let text = randomCSV(seed, rows: 2_600)
        let calm = try await Bench()
        let expected = try await calm.importText(text, matchKey: "source_id")

        let crashes = Set((0..<3).map { _ in Int.random(in: 1...7, using: &random) })
        let bench = try await Bench { call in if crashes.contains(call) { throw Crash() } }
        let draft = try await bench.draft(text)
        var mapping = draft.mapping
        mapping.matchKey = "source_id"
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        var deaths = 0
        let control = RunControl(
            progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "test")
        while true {
            do {
                _ = try await bench.service.performRun(draft.run, control)
                break
            } catch is Crash {
                deaths += 1
            }
        }
        #expect(deaths == crashes.count, "seed \(seed)")
        let (found, wanted) = (try await bench.contents(), try await calm.contents())
        let different = Set(found.keys).union(wanted.keys).filter { found[$0] != wanted[$0] }.sorted()
        #expect(different.isEmpty, "\(different.prefix(3).map { "\($0): \(found[$0] ?? [:]) | \(wanted[$0] ?? [:])" })")
        let run = try await bench.service.run(draft.run).run
        #expect(run.counts.numbers == expected.numbers)
        #expect(run.state == .succeeded)
        let rejects = try await bench.tenant.database.read {
            try JournalStore.rejects(draft.run, .run, after: 0, limit: 10_000, $0).map {
                "\($0.line) \($0.code) \($0.words.en)"
            }
        }
        let calmRun = try #require(ImportRunID(expected.run))
        let calmRejects = try await calm.tenant.database.read {
            try JournalStore.rejects(calmRun, .run, after: 0, limit: 10_000, $0).map {
                "\($0.line) \($0.code) \($0.words.en)"
            }
        }
        #expect(rejects == calmRejects)
    }

    @Test("a worker that lost the run commits nothing more")
    func takenOver() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(sampleCSV(rows: 1_600))
        try await bench.enqueue(.start, draft.run)
        let service = bench.service
        let other = RunControl(progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "b")
        let first = RunControl(
            progress: { done, _, _ in if done == 500 { _ = try await service.performRun(draft.run, other) } },
            isForGood: { false }, address: "job", request: "a")
        let error = await #expect(throws: CRMError.self) { _ = try await service.performRun(draft.run, first) }
        #expect(error?.code == "run_taken")
        let run = try await service.run(draft.run).run
        #expect(run.counts.created == 1_600 && run.counts.read == 1_600)
        #expect(try await bench.contents().count == 1_600)
    }

    @Test("a revert undoes creates and updates, and lists what was changed in between")
    func reverts() async throws {
        let bench = try await Bench()
        _ = try await bench.importText(sampleCSV(rows: 600), name: "old.csv")
        let before = try await bench.contents()
        let report = try await bench.importText(sampleCSV(rows: 900, from: 301, charge: 20), name: "new.csv")
        #expect(report.updated == 300 && report.created == 600)
        // Somebody changes a created record, and one field of an updated one.
        try await bench.tenant.database.write { session in
            for (key, field) in [("test:K700", "name"), ("test:K301", "monthly_charge")] {
                let record = try session.first(
                    "SELECT id, data FROM fake_customer WHERE key = $1", [.text(key)]
                ) { ($0.int(0), $0.text(1)) }
                guard let (id, text) = record else { continue }
                var data = FakeRecord.decode(text)
                data[field] = "12345"
                try session.execute(
                    "UPDATE fake_customer SET data = $2, revision = revision + 1 WHERE id = $1",
                    [.int(id), .text(FakeRecord.encode(data))])
            }
        }
        let run = try #require(ImportRunID(report.run))
        // A later import changes three that this one made and two that it updated; what the count says, happens.
        let later = try await bench.importText(
            "Customer ID,Full Name\nK302,X\nK303,X\nK601,X\nK602,X\nK603,X\n", name: "later.csv", matchKey: "source_id")
        #expect(later.numbers == [5, 0, 5, 0, 0])
        let told = try await bench.service.previewRevert(run, bench.principal)
        #expect(told.removed == 596 && told.kept == 4 && told.restored == 299, "\(told)")
        #expect(told.keptValues == 1 && told.keptValuesIn == 1 && told.fields == ["Monthly charge"], "\(told)")
        let named = told.later.map { "\($0.run == later.run) \($0.file) \($0.records)" }
        #expect(named == ["true later.csv 3"] && told.byOthers == 2, "\(told)")
        let reverted = try await bench.service.revert(run, principal: bench.principal)
        #expect(reverted.state == "reverted")
        #expect(reverted.issues == 5)
        let words = try #require(reverted.warnings.first)
        #expect(words.hasPrefix("4 customers were changed since the import and stay as a whole. 1 value was changed"), "\(words)")
        #expect(words.contains("\(later.run) (later.csv): 3") && words.contains("By people or programs: 2"), "\(words)")
        #expect(reverted.warnings_zh.first?.contains("4 位客户") == true)
        var expected = before
        expected["test:K301"]?["monthly_charge"] = "12345"
        for key in ["test:K302", "test:K303"] { expected[key]?["name"] = "X" }
        let after = try await bench.contents()
        #expect(after["test:K700"]?["name"] == "12345")
        let stays = ["test:K700", "test:K601", "test:K602", "test:K603"]
        #expect(after.filter { !stays.contains($0.key) } == expected)
        let issues = try await bench.tenant.database.read {
            try JournalStore.issues(run, after: (0, -1), limit: 10, $0)
        }
        #expect(Set(issues.map(\.field)) == ["", "monthly_charge"])
        // Not twice.
        await #expect(throws: CRMError.self) { _ = try await bench.service.revert(run, principal: bench.principal) }
    }

    @Test("a revert that dies goes on where it stopped")
    func revertResumes() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(sampleCSV(rows: 2_100))
        let run = try #require(ImportRunID(report.run))
        try await bench.enqueue(.revert, run)
        let dying = RunControl(
            progress: { done, _, _ in if done >= 600 { throw Crash() } }, isForGood: { false }, address: "job",
            request: "a")
        await #expect(throws: Crash.self) { _ = try await bench.service.performRevert(run, dying) }
        let half = try await bench.contents().count
        #expect(half > 0 && half < 2_100)
        try await bench.test.drain(jobs: bench.service.jobs)
        #expect(try await bench.contents().isEmpty)
        #expect(try await bench.service.run(run).run.state == .reverted)
        #expect(try await bench.service.run(run).run.revertIssues == 0)
    }

    @Test("draft, dry run, run and revert through the job queue, each with its audit events")
    func throughJobs() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(sampleCSV(rows: 1_200))
        try await bench.enqueue(.dryRun, draft.run)
        #expect(try await bench.service.run(draft.run).run.state == .dryRun)
        try await bench.test.drain(jobs: bench.service.jobs)
        let ready = try await bench.service.run(draft.run).run
        #expect(ready.state == .ready)
        #expect(ready.plan?.created.count == 5)
        #expect(ready.plan?.created.first?.changes.first?.title.zh == "来源标识")
        #expect(ready.plan?.newAttributes == ["Segment"])
        try await bench.enqueue(.start, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let done = try await bench.service.run(draft.run).run
        #expect(done.state == .succeeded && done.counts.created == 1_200 && done.chunk == 3)
        #expect(done.plan?.created.isEmpty == true, "samples hold personal values and are forgotten")
        try await bench.enqueue(.revert, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        #expect(try await bench.service.run(draft.run).run.state == .reverted)
        #expect(try await bench.contents().isEmpty)
        let expected = [
            "ingest.file.upload": 1, "ingest.run.dry_run": 1, "ingest.run.dry_run_finished": 1, "ingest.run.start": 1,
            "ingest.run.begin": 1, "ingest.run.finish": 1, "ingest.run.revert": 1, "ingest.run.reverted": 1,
        ]
        for (action, count) in expected { #expect(try await bench.test.auditCount(action) == count, "\(action)") }
    }

    @Test("a cancelled run stops between chunks and can be continued")
    func cancels() async throws {
        let box = Counter()
        let bench = try await Bench()
        let draft = try await bench.draft(sampleCSV(rows: 3_000))
        try await bench.enqueue(.start, draft.run)
        let service = bench.service
        let control = RunControl(
            progress: { _, _, _ in if box.next() == 2 { throw JobCancelled() } }, isForGood: { true }, address: "job",
            request: "a")
        await #expect(throws: JobCancelled.self) { _ = try await service.performRun(draft.run, control) }
        let stopped = try await service.run(draft.run).run
        #expect(stopped.state == .cancelled && stopped.counts.created == 1_000 && stopped.mayContinue)
        try await bench.enqueue(.resume, draft.run)
        try await bench.test.drain(jobs: service.jobs)
        let done = try await service.run(draft.run).run
        #expect(done.state == .succeeded && done.counts.created == 3_000)
        #expect(try await bench.contents().count == 3_000)
    }

    @Test("a job that waits is cancelled at once and the run leaves its state")
    func cancelsQueued() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(sampleCSV(rows: 10))
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.service.cancel(
            draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        #expect(try await bench.service.run(draft.run).run.state == .draft)
    }

    @Test("after ninety days the file, the rejects and the journal are forgotten, the counts stay")
    func purges() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(sampleCSV(rows: 600) + "K1,again,,1,s\n")
        let id = try #require(ImportRunID(report.run))
        bench.test.clock.advance(days: 89)
        #expect(try await bench.service.purge() == 0)
        bench.test.clock.advance(days: 2)
        #expect(try await bench.service.purge() == 1)
        #expect(try await bench.service.purge() == 0)
        let (run, file) = try await bench.service.run(id)
        #expect(run.counts.created == 600 && run.purgedAt != nil && !run.mayRevert && run.rejectBlobID == nil)
        #expect(file.inspection.profiles.isEmpty)
        #expect(throws: CRMError.self) { _ = try bench.tenant.blobs.size(file.blobID) }
        let left = try await bench.tenant.database.read {
            try $0.count("SELECT (SELECT COUNT(*) FROM ingest_journal) + (SELECT COUNT(*) FROM ingest_reject)")
        }
        #expect(left == 0)
        await #expect(throws: CRMError.self) { _ = try await bench.service.revert(id, principal: bench.principal) }
        #expect(try await bench.contents().count == 600)
    }

    @Test("nobody imports without the permission, and unknown runs are not found")
    func permission() async throws {
        let bench = try await Bench()
        let nobody = TestTenant.principal([])
        let path = try bench.file("a.csv", sampleCSV(rows: 2))
        let refused = await #expect(throws: CRMError.self) {
            _ = try await bench.service.importFile(path, principal: nobody)
        }
        #expect(refused?.status == 403)
        let unknown = await #expect(throws: CRMError.self) {
            _ = try await bench.service.revert(ImportRunID(12345), principal: bench.principal)
        }
        #expect(unknown?.status == 404)
    }
}

@Suite("Journal and keys")
struct JournalTests {
    @Test("every kind of value comes back from the journal as it was")
    func journal() throws {
        var entries = JournalEntries()
        entries.created = [
            (CustomerID(7), 3, []),
            (CustomerID(Int64.max), 1, [ImportChange(field: "h", before: .int(5), after: .null)]),
        ]
        entries.updated = [
            (
                CustomerID(9),
                [
                    ImportChange(field: "a", before: .null, after: .text("\"quoted\" \\ \n\u{1}王")),
                    ImportChange(field: "b", before: .int(Int64.min), after: .double(0.1)),
                    ImportChange(field: "c", before: .bool(true), after: .bool(false)),
                    ImportChange(field: "d", before: .bytes([0, 255]), after: .text("")),
                ]
            )
        ]
        let again = try JournalEntries(entries.encoded())
        #expect(again.created.map(\.id) == entries.created.map(\.id))
        #expect(again.created.map(\.revision) == [3, 1])
        #expect(again.updated.map(\.id) == [CustomerID(9)])
        #expect(again.updated[0].undo == entries.updated[0].undo)
        #expect(again.created.map(\.undo) == entries.created.map(\.undo))
        #expect(throws: CRMError.self) { _ = try JournalEntries("{}") }
    }

    @Test("a key is found again on the line where it was first seen, whatever else is in the table")
    func seen() {
        var seen = SeenKeys()
        for line in 1...20_000 { #expect(seen.note(KeyHash.of(.text("K\(line)")), line: line) == nil) }
        for line in stride(from: 1, through: 20_000, by: 37) {
            #expect(seen.note(KeyHash.of(.text("K\(line)")), line: 99_999) == line)
        }
        #expect(seen.count == 20_000)
    }
}

@Suite("Pace of an import")
struct ImportPaceTests {
    @Test("quick chunks are taken together, slow ones alone; while every row is refused, one by one")
    func pace() {
        var pace = ImportPace()
        #expect(pace.chunks == 1)
        pace.note(1, .milliseconds(50), hasGood: true, othersWait: true)
        #expect(pace.chunks == 2)
        // As many as fit into what is aimed at, at most twice as many as before.
        pace.note(2, .milliseconds(100), hasGood: true, othersWait: true)
        #expect(pace.chunks == 4)
        pace.note(4, .milliseconds(240), hasGood: true, othersWait: true)
        #expect(pace.chunks == 3)
        pace.note(3, .milliseconds(30), hasGood: true, othersWait: true)
        #expect(pace.chunks == 6)
        pace.note(4, .milliseconds(200), hasGood: true, othersWait: true)
        #expect(pace.chunks == 4)
        pace.note(4, .milliseconds(900), hasGood: true, othersWait: true)
        #expect(pace.chunks == 1)
        pace.note(1, .seconds(5), hasGood: true, othersWait: true)
        #expect(pace.chunks == 1)
        pace.note(1, .zero, hasGood: true, othersWait: true)
        #expect(pace.chunks == 2)
        pace.note(1, .milliseconds(10), hasGood: false, othersWait: true)
        #expect(pace.chunks == 1)
    }

    @Test("who writes alone takes more at a time, and is considerate for a while after somebody had to wait")
    func considerate() {
        var pace = ImportPace()
        for _ in 0..<4 { pace.note(pace.chunks, .milliseconds(60) * pace.chunks, hasGood: true, othersWait: false) }
        #expect(pace.chunks == 8)
        pace.note(8, .milliseconds(480), hasGood: true, othersWait: true)
        #expect(pace.chunks == 3)
        for _ in 1..<ImportPace.memory { pace.note(3, .milliseconds(180), hasGood: true, othersWait: false) }
        #expect(pace.chunks == 3)
        pace.note(3, .milliseconds(180), hasGood: true, othersWait: false)
        #expect(pace.chunks == 6)
    }
}
