import Foundation
import Kernel
import Platform
import Storage
import Tabular
import TestSupport
import Testing

@testable import Ingest

@Suite("Sources and lineage")
struct SourceTests {
    private func versions(_ bench: Bench) async throws -> [String] {
        try await bench.tenant.database.read {
            try $0.query("SELECT source, mapping_version FROM ingest_run ORDER BY id") {
                "\($0.text(0)) \($0.optionalInt(1) ?? 0)"
            }
        }
    }

    @Test("each mapping of a source has a number, the same one the same number, and a run remembers it")
    func mappingVersions() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Full Name\nK1,Ann\n"
        _ = try await bench.importText(text, matchKey: "source_id")
        _ = try await bench.importText(text.replacing("Ann", with: "Bo"), matchKey: "source_id")
        _ = try await bench.importText(text.replacing("K1", with: "K5"), matchKey: "")
        _ = try await bench.importText(text, matchKey: "source_id", dryRun: true)
        #expect(try await versions(bench) == ["test 1", "test 1", "test 2", " 0"], "a dry run has no source yet")
        let source = try #require(try await bench.tenant.database.read { try SourceStore.source(key: "test", $0) })
        #expect(source.entity == "customer" && source.kind == .other, "the name tells nothing")
        let known = try await bench.tenant.database.read { try SourceStore.versions(source, $0) }
        #expect(known.map(\.number) == [2, 1] && known.map { $0.mapping.matchKey } == [nil, "source_id"])
    }

    @Test(
        "a schema is read line by line, or says which line is wrong",
        arguments: [
            ("id | text | | none\nstate | code | A, B | none", 2), ("id", 1), ("", 0), ("a | zebra", nil),
            ("a | code", nil),
            ("a | text | | secret", nil), ("a\nA ", nil), (" | text", nil), ("a|b|c|d|e", nil), ("{\"a\": 1}", nil), ("[\n\"a\",\n\"b\"]", nil), ("<html>", nil), ("a,b,c", nil), ("a\n{b", nil),
            ("[ref] | text\nName, first", 2),
        ] as [(String, Int?)])
    func schema(text: String, count: Int?) throws {
        guard let count else {
            let error = #expect(throws: CRMError.self) { _ = try SourceField.parse(text) }
            #expect(error?.status == 422 && error?.message.en.contains("line") == true)
            return
        }
        let fields = try SourceField.parse(text)
        #expect(fields.count == count)
        #expect(try SourceField.parse(fields.map(\.line).joined(separator: "\n")) == fields)
    }

    @Test("code lists agreed with a source are held against its files, and counted")
    func codes() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Full Name,Tenure months\nK1,A,12\nK2,B,24\nK3,C,9\n"
        _ = try await bench.importText("Customer ID,Full Name\nK0,A\n", matchKey: "source_id")
        try await bench.tenant.database.write { session in
            guard var source = try SourceStore.source(key: "test", session) else { return }
            source.fields = try SourceField.parse("Customer ID | text\nFull Name | code | A, B\nTenure months | code | 12, 24")
            try SourceStore.update(source, at: Instant(milliseconds: 0), by: "t", session)
        }
        let done = try await bench.importText(text, matchKey: "source_id")
        #expect(done.created == 3, "they warn")
        for rule in ["schema-name", "schema-tenure_months"] {
            #expect(done.findings.contains { $0.rule == rule && $0.checked == 3 && $0.failed == 1 && $0.severity == "warn" }, "\(done.findings)")
        }
    }

    @Test("bits say which columns are in, and nothing of others", arguments: [51, 52] as [UInt64])
    func bits(seed: UInt64) {
        var random = SplitMix(seed)
        for _ in 0..<200 {
            let count = Int.random(in: 1...300, using: &random)
            let chosen = Set(
                (0..<Int.random(in: 0...count, using: &random)).map { _ in Int.random(in: 0..<count, using: &random) })
            var bits = ColumnBits(count: count)
            for index in chosen { bits.insert(index) }
            let read = ColumnBits(bits.text)
            #expect((0..<count + 8).filter(read.contains) == chosen.sorted(), "seed \(seed)")
        }
        #expect(ColumnBits(count: 40).text.isEmpty)
    }

    @Test("what an import made is traced to its line and columns; unchanged rows leave no trace, reverted ones none")
    func lineage() async throws {
        let bench = try await Bench()
        let first = try await bench.importText(
            "Customer ID,Full Name,Tenure\nK1,Ann,1\nK2,Bo,2\n", name: "a.csv", matchKey: "source_id")
        let second = try await bench.importText(
            "Customer ID,Full Name,Tenure\nK2,Bo,2\nK1,Ann,9\n", name: "b.csv", matchKey: "source_id")
        #expect(second.updated == 1 && second.unchanged == 1)
        func traces() async throws -> [LineageRow] {
            try await bench.tenant.database.read { session in
                let ids = try session.query("SELECT id FROM fake_customer ORDER BY key") { $0.id(0, PartyKind.self) }
                return try LineageStore.rows(ids, session)
            }
        }
        let all = try await traces()
        #expect(all.count == 3)
        let update = try #require(all.first { !$0.isNew })
        #expect("\(update.run)" == second.run && update.line == 3 && update.record == 2)
        #expect((0..<3).filter(update.columns.contains) == [2], "only what changed")
        let made = try #require(all.first { $0.isNew && $0.customer == update.customer })
        #expect("\(made.run)" == first.run && made.line == 2 && (0..<3).filter(made.columns.contains) == [0, 1, 2])
        _ = try await bench.service.revert(try #require(ImportRunID(second.run)), principal: bench.principal)
        #expect(try await traces().count == 2)
    }
}
