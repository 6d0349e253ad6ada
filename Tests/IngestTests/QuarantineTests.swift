import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

@Suite("Quarantine")
struct QuarantineTests {
    private func put(_ bench: Bench, _ change: (inout QualityRule) throws -> Void) async throws {
        var rule = QualityRule(
            key: "own-1", name: Words(en: "Own", zh: "自定义"), source: "", entity: "customer", fields: ["tenure_months"],
            kind: .range, dimension: .accuracy, severity: .quarantine,
            parameters: try RuleParameters.parse(#"{"max": 100}"#, .range, .quarantine))
        try change(&rule)
        let final = rule
        try await bench.tenant.database.write { try RuleStore.put(final, by: "t", at: Instant(milliseconds: 0), $0) }
    }

    private func rows(_ bench: Bench, _ state: QuarantineState = .open) async throws -> [QuarantinedRow] {
        var filter = QuarantineStore.Filter()
        filter.state = state
        let final = filter
        return try await bench.tenant.database.read {
            try QuarantineStore.page(final, after: nil, limit: 1_000, now: Instant(milliseconds: 4_000_000_000_000), $0)
        }
    }

    private func replay(_ bench: Bench, _ ids: [QuarantineID]) async throws -> [ImportRun] {
        let service = bench.service
        let runs = try await service.replay(
            ids, principal: bench.principal, record: service.recorder(bench.principal), then: { _, _ in })
        let control = RunControl(progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "t")
        var done: [ImportRun] = []
        for run in runs { done.append(try await service.performRun(run, control)) }
        return done
    }

    private func repair(_ bench: Bench, _ row: QuarantinedRow, _ change: (inout [String?]) -> Void) async throws {
        var cells = row.present
        change(&cells)
        let (final, service, principal) = (cells, bench.service, bench.principal)
        try await bench.tenant.database.write { session in
            try service.repair(
                row.id, cells: final, principal: principal, check: { _ in }, record: service.recorder(principal),
                session)
        }
    }

    private static let header = "Customer ID,Full Name,Mobile,Tenure\n"

    @Test("what a person wrote into a row is told by column, whatever was repaired how often and by which version")
    func repairedColumns() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        _ = try await bench.importText(Self.header + "K1,Ann,13900000001,500\n", matchKey: "source_id")
        let waiting = try await rows(bench)
        try await repair(bench, try #require(waiting.first)) { ($0[1], $0[3]) = ("Anna", "400") }
        let between = try await rows(bench)
        try await repair(bench, try #require(between.first)) { ($0[1], $0[3]) = ("Ann", "50") }
        let held = try await rows(bench)
        let run = try #require(try await replay(bench, held.map(\.id)).first)
        #expect(run.counts.created == 1)
        func repaired() async throws -> [Int]? {
            try await bench.tenant.database.read { session in
                try QuarantineStore.origin(of: 1, run.id, session).map { found in (0..<5).filter(found.repaired.contains) }
            }
        }
        #expect(try await repaired() == [3], "the name is again as it came")
        try await bench.tenant.database.write { _ = try $0.execute("UPDATE ingest_quarantine SET repaired_columns = NULL") }
        #expect(try await repaired() == [3], "an older version kept the cells alone")
        try await bench.tenant.database.write { _ = try $0.execute("UPDATE ingest_quarantine SET cells = '', repaired = NULL") }
        #expect(try await repaired() == [], "nobody knows any more")
        #expect(ColumnBits(from: ["a", nil, "c"], to: ["a", nil, "c"]).text.isEmpty)
        #expect(ColumnBits(from: ["a"], to: [nil, "b"]).contains(0) && ColumnBits(from: ["a"], to: [nil, "b"]).contains(1))
    }

    @Test("who is kept to some regions is told of the rows they brought, and of no others")
    func regionalTotals() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        _ = try await bench.importText(
            Self.header + "K1,Ann,13900000001,500\nK2,Bo,13900000002,600\n", matchKey: "source_id")
        let rights = [ImportService.permission, ImportService.quarantinePermission, RulePages.permission]
        let regional = TestTenant.principal(rights, roles: [.administrator], regions: ["浙江"], userID: UserID(7))
        _ = try await bench.service.importFile(
            try bench.file("own.csv", Self.header + "K3,Cy,13900000003,700\n"), source: "test", matchKey: "source_id",
            principal: regional)
        let wizard = try Wizard(bench, language: .en)
        for (principal, count) in [(bench.principal, 3), (regional, 1)] {
            let queue = try await wizard.page("/quarantine", as: principal)
            #expect(queue.contains("<span class=\"muted\">\(count) waiting</span>"), "\(count)")
            let sources = try await wizard.page("/sources", as: principal)
            #expect(sources.contains(">\(count)</a>"), "\(count)")
        }
    }

    @Test("bad rows wait, are repaired and come in by an import of their own, with counts that add up")
    func story() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        let text = Self.header + "K1,Ann,13900000001,5\nK2,Bo,13900000002,500\nK3,Cy,13900000003,900\nK4,Di,x,1\n"
        let planned = try await bench.importText(text, matchKey: "source_id", dryRun: true)
        #expect(planned.quarantined == 2 && planned.rejected == 1 && planned.created == 1)
        #expect(try await rows(bench).isEmpty, "a dry run holds nothing back")
        let done = try await bench.importText(text, matchKey: "source_id")
        #expect(done.numbers == planned.numbers && done.quarantined == 2)
        #expect(
            done.read == done.created + done.updated + done.unchanged + done.rejected + done.quarantined + done.skipped)
        #expect(done.findings.first { $0.rule == "own-1" }.map { $0.failed == 2 && $0.checked == 4 } ?? false)
        let waiting = try await rows(bench)
        #expect(waiting.map(\.line) == [3, 4])
        #expect(waiting.allSatisfy { $0.findings.first?.field == "tenure_months" && $0.source == "test" })

        // One is repaired, the other comes back as it was and waits again.
        try await repair(bench, waiting[0]) { $0[3] = "50" }
        let run = try #require(try await replay(bench, waiting.map(\.id)).first)
        #expect(run.state == .succeeded && run.isReplay)
        #expect(run.counts.read == 2 && run.counts.created == 1 && run.counts.quarantined == 1)
        #expect(try await bench.contents()["test:K2"]?["tenure_months"] == "50")
        let left = try await rows(bench)
        #expect(left.map(\.id) == [waiting[1].id], "held again it is the same row, not a second one")
        let replayed = try await rows(bench, .replayed)
        #expect(replayed.map(\.id) == [waiting[0].id] && replayed[0].replay == run.id)

        // The import says what became of its rows and by which import; that one leads back.
        let wizard = try Wizard(bench, language: .en)
        let page = try await wizard.page("/imports/{id}", try #require(ImportRunID(done.run)))
        #expect(page.contains("1 wait now, 1 came back, 0 were let go") && page.contains("href=\"/imports/\(run.id)\""))
        #expect(page.contains("href=\"/quarantine?source=test\""))
        let replayPage = try await wizard.page("/imports/{id}", run.id)
        #expect(replayPage.contains("id=\"origin\"") && replayPage.contains("href=\"/imports/\(done.run)\""))
        #expect(!replayPage.contains("id=\"trail\""), "its row waits as a row of the first import")
        let chinese = try await Wizard(bench, language: .zh).page("/imports/{id}", try #require(ImportRunID(done.run)))
        #expect(chinese.contains("1 行仍在等待，1 行已重新导入"))
        let clerk = TestTenant.principal([ImportService.permission], roles: [.administrator], userID: UserID(8))
        let plain = try await wizard.page("/imports/{id}", try #require(ImportRunID(done.run)), as: clerk)
        #expect(
            plain.contains("1 wait now") && !plain.contains("/quarantine?source=test"), "no way without the right to it"
        )

        // Taking the replay back puts the row into the queue again, with its repair.
        _ = try await bench.service.revert(run.id, principal: bench.principal)
        #expect(try await bench.contents()["test:K2"] == nil)
        let again = try await rows(bench)
        #expect(again.map(\.id) == waiting.map(\.id) && again[0].repaired?[3] == "50")

        // Taking the first import back takes what it held back with it.
        let first = try #require(ImportRunID(done.run))
        _ = try await bench.service.revert(first, principal: bench.principal)
        #expect(try await rows(bench).isEmpty)
        #expect(try await rows(bench, .discarded).count == 2)
    }

    @Test("what cannot be understood waits, says what to do, and comes in when it is written otherwise; a rule decides otherwise")
    func notUnderstood() async throws {
        let bench = try await Bench()
        let header = "Customer ID,Full Name,Born,Contract\n"
        let text = "K1,Ann,03/05/2001,One year\nK2,Bo,2001-02-03,fortnightly\nK3,Cy,2001-02-04,Two year\n"
        let done = try await bench.importText(header + text, matchKey: "source_id")
        #expect(done.created == 1 && done.rejected == 0 && done.quarantined == 2, "\(done)")
        let waiting = try await self.rows(bench)
        #expect(waiting.map { $0.findings.map(\.rule) } == [["day_month"], ["not_a_choice"]])
        #expect(waiting[0].findings[0].en.contains("2024-05-31") && waiting[0].findings[0].zh.contains("2024-05-31"))
        // The page calls the reason by its name.
        let queue = try await Wizard(bench, language: .zh).page("/quarantine")
        #expect(queue.contains("未知代码"), "\(queue.suffix(2_000))")
        try await repair(bench, waiting[0]) { $0[2] = "2001-05-03" }
        try await repair(bench, waiting[1]) { $0[3] = "按月" }
        let again = try await replay(bench, waiting.map(\.id))
        #expect(again.count == 1 && again[0].counts.created == 2, "\(again.map(\.counts))")
        let contents = try await bench.contents()
        #expect(contents["test:K1"]?["birth_date"] == "2001-05-03" && contents["test:K2"] != nil)
        // What became of them is told by a report of the import, for the command line.
        let shown = try await bench.service.show(try #require(ImportRunID(done.run)), principal: bench.principal)
        #expect(shown.held?.returned == 2 && shown.held?.waiting == 0 && shown.held?.replays.map(\.rows) == [2], "\(shown)")
        let replayed = try await bench.service.show(again[0].id, principal: bench.principal)
        #expect(replayed.held?.origin == done.run)
    }

    @Test("a rule of the field decides what becomes of a value that cannot be understood", arguments: [RuleSeverity.reject, .warn])
    func ruled(_ severity: RuleSeverity) async throws {
        let bench = try await Bench()
        try await put(bench) { rule in
            (rule.fields, rule.kind, rule.severity) = (["contract"], .type, severity)
            rule.parameters = try RuleParameters.parse("{}", .type, severity)
        }
        let done = try await bench.importText("Customer ID,Contract\nK1,fortnightly\nK2,One year\n", matchKey: "source_id")
        #expect(done.quarantined == 0 && done.rejected == (severity == .reject ? 1 : 0) && done.created == (severity == .reject ? 1 : 2))
    }

    @Test("a row is brought by one person only; what was decided meanwhile is skipped when a replay goes on")
    func claimed() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        _ = try await bench.importText(
            Self.header + "K1,Ann,13900000001,500\nK2,Bo,13900000002,500\nK3,Cy,13900000003,500\n",
            matchKey: "source_id")
        let waiting = try await rows(bench)
        for row in waiting { try await repair(bench, row) { $0[3] = "5" } }
        let service = bench.service
        let runs = try await service.replay(
            waiting.map(\.id), principal: bench.principal, record: service.recorder(bench.principal), then: { _, _ in })
        let error = await #expect(throws: CRMError.self) { _ = try await replay(bench, [waiting[0].id]) }
        #expect(error?.status == 409)
        // The replay is stopped before its first row: the rows wait again. One is discarded, one repaired once more.
        _ = try await service.cancel(runs[0], principal: bench.principal, record: service.recorder(bench.principal))
        let again = try await rows(bench)
        #expect(again.map(\.id) == waiting.map(\.id))
        try await bench.tenant.database.write { session in
            try service.discard(
                [waiting[0].id], reason: "twice", principal: bench.principal,
                record: service.recorder(bench.principal), session)
        }
        try await repair(bench, again[1]) { $0[3] = "7" }
        let report = try await service.resume(
            runs[0], rejects: bench.test.folder + "/r.csv", principal: bench.principal)
        #expect(report.read == 3 && report.created == 1 && report.skipped == 2)
        #expect(try await bench.contents().keys.sorted() == ["test:K3"])
        let left = try await rows(bench)
        #expect(
            left.map(\.id) == [waiting[1].id] && left[0].repaired?[3] == "7",
            "what was repaired since waits for its own replay")
    }

    @Test("a newer row of the same key makes the one that waits superfluous")
    func superseded() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        let bad = Self.header + "K1,Ann,13900000001,500\nK2,Bo,13900000002,500\n"
        _ = try await bench.importText(bad, name: "a.csv", matchKey: "source_id")
        // K1 comes right, K2 wrong again.
        _ = try await bench.importText(
            bad.replacing("0001,500", with: "0001,5"), name: "b.csv", matchKey: "source_id")
        #expect(try await rows(bench, .superseded).count == 2)
        let waiting = try await rows(bench)
        #expect(waiting.count == 1 && waiting[0].cells[0] == "K2")
    }

    @Test(
        "a run that dies and goes on holds each row back once, and counts what an undisturbed one counts",
        arguments: [31, 32] as [UInt64])
    func crash(seed: UInt64) async throws {
        struct Crash: Error {}
        let text = randomCSV(seed, rows: 2_000)
        func rules(_ bench: Bench) async throws {
            try await put(bench) { $0.parameters.max = .number(60) }
            try await put(bench) {
                $0 = QualityRule(
                    key: "own-2", name: Words(en: "Once", zh: "唯一"), source: "", entity: "customer", fields: ["phone"],
                    kind: .unique, dimension: .consistency, severity: .quarantine, parameters: RuleParameters())
            }
        }
        let calm = try await Bench()
        try await rules(calm)
        let expected = try await calm.importText(text, matchKey: "source_id")
        let bench = try await Bench { call in if [2, 4].contains(call) { throw Crash() } }
        try await rules(bench)
        let draft = try await bench.draft(text)
        var mapping = draft.mapping
        mapping.matchKey = "source_id"
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        let control = RunControl(progress: { _, _, _ in }, isForGood: { false }, address: "job", request: "test")
        var deaths = 0
        while true {
            do {
                _ = try await bench.service.performRun(draft.run, control)
                break
            } catch is Crash { deaths += 1 }
        }
        #expect(deaths == 2)
        let run = try await bench.service.run(draft.run).run
        #expect(
            run.counts.numbers == expected.numbers && run.counts.quarantined == expected.quarantined, "seed \(seed)")
        #expect(expected.quarantined > 20)
        let lines = try await rows(bench).map(\.line)
        #expect(lines == (try await rows(calm).map(\.line)) && Set(lines).count == lines.count)
        let quality = try await bench.tenant.database.read {
            try $0.query("SELECT rule, field, checked, failed FROM ingest_quality ORDER BY rule, field") {
                "\($0.text(0)) \($0.text(1)) \($0.int(2)) \($0.int(3))"
            }
        }
        let calmly = try await calm.tenant.database.read {
            try $0.query("SELECT rule, field, checked, failed FROM ingest_quality ORDER BY rule, field") {
                "\($0.text(0)) \($0.text(1)) \($0.int(2)) \($0.int(3))"
            }
        }
        #expect(quality == calmly && quality.count > 3)
    }

    @Test("fixes: the value is repaired, what cannot be is held, and both are counted")
    func fixes() async throws {
        let bench = try await Bench()
        try await put(bench) {
            $0.fields = ["name"]
            $0.kind = .pattern
            $0.severity = .fix
            $0.parameters = try RuleParameters.parse(
                #"{"format": "readable", "repair": "mojibake", "else": "quarantine"}"#, .pattern, .fix)
        }
        let done = try await bench.importText(
            Self.header + "K1,çŽ‹ä¼Ÿ,13900000001,1\nK2,锟斤拷,13900000002,1\nK3,tel,tel: 13900000003,1\n",
            matchKey: "source_id")
        #expect(done.created == 2 && done.quarantined == 1)
        #expect(try await bench.contents()["test:K1"]?["name"] == "王伟")
        #expect(try await bench.contents()["test:K3"]?["phone"] == "+8613900000003", "the shipped rule repairs numbers")
        let found = try #require(done.findings.first { $0.rule == "own-1" })
        #expect(found.checked == 3 && found.failed == 1 && found.fixed == 1)
    }

    @Test(
        "a type rule decides what becomes of cells that are none; a shipped one can be switched off and is as shipped without"
    )
    func types() async throws {
        let text = Self.header + "K1,Ann,13900000001,5\nK2,Bo,12,5\n"
        let bench = try await Bench()
        #expect(try await bench.importText(text).rejected == 1)
        var phone = try #require(ShippedRules.customers.first { $0.key == "phone" })
        phone.severity = .warn
        phone.parameters = RuleParameters()
        phone.revision = 1
        let lenient = phone
        try await bench.tenant.database.write { try RuleStore.put(lenient, by: "t", at: Instant(milliseconds: 0), $0) }
        let taken = try await bench.importText(text)
        #expect(taken.created == 1 && taken.unchanged == 1 && taken.rejected == 0)
        #expect(taken.findings.contains { $0.rule == "phone" && $0.failed == 1 && $0.severity == "warn" })
        phone.isOn = false
        let off = phone
        try await bench.tenant.database.write { try RuleStore.put(off, by: "t", at: Instant(milliseconds: 0), $0) }
        #expect(
            try await bench.importText(text).rejected == 1,
            "without a rule a cell that cannot be read is refused as ever")
    }

    @Test("cells are let go after the retention, counts stay")
    func retention() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        _ = try await bench.importText(Self.header + "K1,Ann,13900000001,500\n", matchKey: "source_id")
        #expect(try await bench.service.expireQuarantine() == 0)
        try await bench.tenant.database.write {
            try $0.execute("UPDATE ingest_quarantine SET created_at = created_at - 6000000000")
        }
        #expect(try await bench.service.expireQuarantine() == 1)
        let gone = try await rows(bench, .expired)
        #expect(gone.count == 1 && gone[0].cells.isEmpty)
        #expect(try await bench.service.expireQuarantine() == 0)
    }

    @Test("a reference that leads nowhere holds the row; one that leads somewhere is taken")
    func references() async throws {
        let bench = try await Bench()
        _ = try await bench.importText("Customer ID,Full Name\nK1,Ann\n", matchKey: "source_id")
        try await put(bench) {
            $0.fields = ["name"]
            $0.kind = .reference
            $0.parameters = try RuleParameters.parse(#"{"to": "source_id"}"#, .reference, .quarantine)
        }
        let text = "Customer ID,Full Name\nK2,K1\nK3,K9\nK4,\n"
        let planned = try await bench.importText(text, matchKey: "source_id", dryRun: true)
        let done = try await bench.importText(text, matchKey: "source_id")
        #expect(
            done.created == 2 && done.quarantined == 1 && planned.numbers == done.numbers && planned.quarantined == 1)
        let waiting = try await rows(bench)
        #expect(waiting.count == 1 && waiting[0].cells == ["K3", "K9"] && waiting[0].line == 3)
        let found = try #require(done.findings.first { $0.rule == "own-1" })
        #expect(found.checked == 2 && found.failed == 1)
    }

    @Test("a row is brought by whoever reaches the import it came with, and by nobody else")
    func scopes() async throws {
        let bench = try await Bench()
        try await put(bench) { _ in }
        _ = try await bench.importText(Self.header + "K1,Ann,13900000001,500\n", matchKey: "source_id")
        let waiting = try await rows(bench)
        let other = Principal(
            tenant: "t", userID: UserID(7), userName: "east", roles: [.supervisor],
            permissions: [ImportService.permission, ImportService.quarantinePermission],
            scope: RecordScope(regions: ["east"]), purpose: .administration, address: "", requestID: "")
        let error = await #expect(throws: CRMError.self) {
            _ = try await bench.service.replay(
                waiting.map(\.id), principal: other, record: bench.service.recorder(other), then: { _, _ in })
        }
        #expect(error?.status == 404)
        var filter = QuarantineStore.Filter()
        filter.owner = bench.service.owner(other)
        let theirs = filter
        let seen = try await bench.tenant.database.read {
            try QuarantineStore.page(theirs, after: nil, limit: 10, now: Instant(milliseconds: 0), $0)
        }
        #expect(seen.isEmpty)
        let agent = TestTenant.principal([ImportService.permission], roles: [.agent])
        let refused = await #expect(throws: CRMError.self) {
            _ = try await bench.service.replay(
                waiting.map(\.id), principal: agent, record: bench.service.recorder(agent), then: { _, _ in })
        }
        #expect(refused?.status == 403)
    }
}
