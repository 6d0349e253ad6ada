import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TestSupport
import Testing

@testable import Ingest

/// What an import leaves when it takes nothing, and what the score of a source says of rows that were not taken.
@Suite("What is left behind")
struct LeftBehindTests {
    private static let bad = "Customer ID,Full Name,Monthly Charges,Segment\nK1,Ann,1.38E+10,A\nK2,Bo,1.38E+11,B\n"
    private static let good = "Customer ID,Full Name,Monthly Charges,Segment\nK1,Ann,10,A\nK2,Bo,1.38E+11,B\n"

    /// The amount is mapped whatever it looks like.
    private func take(_ bench: Bench, _ text: String) async throws -> ImportReport {
        let mapping = try bench.file(
            "m.json",
            #"{"matchKey":"source_id","columns":[{"column":"Customer ID","to":"source_id"},{"column":"Full Name","to":"name"},{"column":"Monthly Charges","to":"monthly_charge"},{"column":"Segment","to":"attribute"}]}"#)
        return try await bench.importText(text, mapping: mapping)
    }

    private func left(_ bench: Bench) async throws -> (attributes: [String], sources: [String], mappings: Int) {
        try await bench.tenant.database.read { session in
            (
                try bench.target.attributeFields(session).map(\.words.en), try SourceStore.all(session).map(\.key),
                try session.count("SELECT COUNT(*) FROM ingest_source_mapping")
            )
        }
    }

    @Test("a run that took nothing leaves no attribute and no source; one that took a row leaves both")
    func nothing() async throws {
        let bench = try await Bench()
        let failed = try await take(bench, Self.bad)
        #expect(failed.state == "failed" && failed.numbers == [2, 0, 0, 0, 2])
        #expect(try await left(bench) == ([], [], 0))
        let done = try await take(bench, Self.good)
        #expect(done.numbers == [2, 1, 0, 0, 1])
        #expect(try await left(bench) == (["Segment"], ["test"], 1))
        // What was there before stays, whatever comes of a run.
        _ = try await take(bench, Self.bad)
        #expect(try await left(bench) == (["Segment"], ["test"], 1))
    }

    @Test("a source that somebody registered stays, and takes the kind of records of its first import")
    func registered() async throws {
        let bench = try await Bench()
        var change = SourceChange()
        change.owner = "Finance"
        #expect(try await bench.service.setSource("test", change, principal: bench.principal))
        #expect(try await !bench.service.setSource("test", change, principal: bench.principal))
        try await bench.tenant.database.write { session in
            _ = try session.execute("UPDATE ingest_source SET entity = 'bills'")
        }
        _ = try await take(bench, Self.bad)
        #expect(try await left(bench).sources == ["test"])
        _ = try await take(bench, Self.good)
        let source = try await bench.tenant.database.read { try SourceStore.source(key: "test", $0) }
        #expect(source?.entity == "customer" && source?.owner == "Finance")
    }

    @Test("a run that stopped with nothing makes its attributes and its source again when it goes on")
    func goesOn() async throws {
        let bench = try await Bench(beforeApply: { call in
            if call == 1 { throw CRMError("disk", status: 503, Words(en: "The disk is full.", zh: "磁盘已满。")) }
        })
        let path = try bench.file("test.csv", Self.good)
        var run: ImportRunID?
        await #expect(throws: CRMError.self) {
            _ = try await bench.service.importFile(
                path, source: "test", matchKey: "source_id", principal: bench.principal, begun: { run = $0 })
        }
        #expect(try await left(bench) == ([], [], 0))
        let done = try await bench.service.resume(
            try #require(run), rejects: path + ".again", principal: bench.principal)
        #expect(done.numbers == [2, 1, 0, 0, 1])
        #expect(try await left(bench) == (["Segment"], ["test"], 1))
        let back = try await bench.service.revert(try #require(run), principal: bench.principal)
        #expect(back.attributesRemoved == ["Segment"])
    }

    @Test("rows that were refused or wait lower the score though no check failed in them")
    func score() async throws {
        let bench = try await Bench()
        // Nine of ten rows have no amount that could be read; no rule is asked about them.
        let rows = (1...10).map { "K\($0),Name \($0),\($0 == 1 ? "10" : "1.38E+10")\n" }.joined()
        let done = try await bench.importText("Customer ID,Full Name,Monthly Charges\n" + rows, matchKey: "source_id")
        #expect(done.numbers == [10, 1, 0, 0, 9])
        let source = try #require(try await bench.service.sources().first { $0.key == "test" })
        let score = try #require(source.score)
        #expect(score <= 10 && score > 0, "\(score)")
        typealias Tally = QualityStore.Tally
        #expect(QualityStore.score(checks: Tally(checked: 10, failed: 1), rows: Tally(checked: 4, failed: 2)) == 45)
        #expect(QualityStore.score(checks: Tally(), rows: Tally(checked: 4, failed: 4)) == 0)
        #expect(QualityStore.score(checks: Tally(checked: 4), rows: Tally()) == 100)
        #expect(QualityStore.score(checks: Tally(), rows: Tally()) == nil)
        #expect(QualityStore.text(45) == "45.0" && QualityStore.text(99.99) == "99.9")
        // The day's points say the same.
        let days = try await bench.tenant.database.read { try QualityStore.days("test", since: LocalDate(daysSinceEpoch: 0), $0) }
        #expect(days.contains { $0.isRows && $0.tally == Tally(checked: 10, failed: 9) })
    }

    @Test("what is not a choice is told in the language of the reader")
    func choices() {
        let (_, words) = RejectWords.notAChoice([
            ImportChoice("monthly", Words(en: "Month to month", zh: "按月")), ImportChoice("one", Words(en: "One", zh: "一年")),
        ])
        // Code and words of both languages, those of the reader first: any of them may stand in the file.
        #expect(words.en.hasPrefix("not one of: monthly (Month to month, 按月), one (One, 一年); write one of them"))
        #expect(words.zh.hasPrefix("不是可选值：monthly（按月、Month to month）、one（一年、One）；请改写"))
    }

    @Test("a time of a sample is shown as a time of the tenant's zone")
    func times() async throws {
        let bench = try await Bench()
        let plan = try await bench.importText(
            "Customer ID,Full Name,Last Seen\nK1,Ann,2026-03-04 09:00\n", matchKey: "source_id", dryRun: true)
        #expect(plan.samples?.first?.values["Last Seen"] == "2026-03-04 09:00")
        let run = try await bench.service.run(try #require(ImportRunID(plan.run))).run
        #expect(run.plan?.created.first?.changes.last?.after == "2026-03-04 09:00")
    }

    @Test(
        "a file that is no table is refused with what it is and what to do, in both languages",
        arguments: [
            ("prog.csv", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0], "Linux program", "Linux 程序"),
            ("p.xlsx", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0], "a picture (PNG)", "图片"),
            ("d.csv", [0x25, 0x50, 0x44, 0x46, 0x2D, 0x31, 0x2E, 0x37], "a PDF", "PDF 文档"),
        ] as [(String, [UInt8], String, String)])
    func binary(name: String, bytes: [UInt8], en: String, zh: String) async throws {
        let bench = try await Bench()
        let path = try bench.file(name, bytes)
        for encoding in [nil, .windows1252] as [TextEncoding?] {
            let error = await #expect(throws: CRMError.self) {
                _ = try await bench.service.importFile(path, encoding: encoding, principal: bench.principal)
            }
            #expect(error?.code == "not_text" && error?.status == 422)
            #expect(error?.message.en.contains(en) == true && error?.message.en.contains("CSV, JSON, XML or .xlsx") == true)
            #expect(error?.message.zh.contains(zh) == true, "\(error?.message.zh ?? "")")
        }
        #expect(try await bench.tenant.database.read { try $0.count("SELECT COUNT(*) FROM ingest_file") } == 0)
    }
}
