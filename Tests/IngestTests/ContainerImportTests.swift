import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest
@testable import Tabular

@Suite("Files in containers are imported as plain ones are")
struct ContainerImportTests {
    private func refusal(_ body: () async throws -> Void) async -> CRMError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? CRMError
        }
    }

    private static func json(rows: Int) -> String {
        let records = (1...rows).map { "{\"Customer ID\":\"K\($0)\",\"Full Name\":\"Name \($0)\",\"City\":{\"de\":\"Bern\"}}" }
        return "{\"count\":\(rows),\"data\":[\n" + records.joined(separator: ",\n") + "]}"
    }

    @Test("dry run, run, rejects and revert of a JSON document tell the number of the record")
    func document() async throws {
        let bench = try await Bench()
        let text = Self.json(rows: 1_200).replacing("\"Name 700\"", with: "\"Refused\"")
        let planned = try await bench.importText(text, name: "x.json", matchKey: "source_id", dryRun: true)
        #expect(planned.numbers == [1_200, 1_199, 0, 0, 1])
        let report = try await bench.importText(text, name: "x.json", matchKey: "source_id")
        #expect(report.numbers == [1_200, 1_199, 0, 0, 1])
        #expect(report.reasons.map(\.firstLine) == [700])
        #expect(report.containers == ["json_array"])
        #expect(report.sheet == "data")
        #expect(report.mapping.map(\.column) == ["Customer ID", "Full Name", "City.de"])
        let lines = try bench.rejectFile(report)
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("700,") == true)
        #expect(lines.last?.hasSuffix("K700,Refused,Bern") == true)
        let back = try await bench.service.revert(try #require(ImportRunID(report.run)), principal: bench.principal)
        #expect(back.state == "reverted")
        #expect(try await bench.contents().isEmpty)
    }

    @Test("a run that was stopped in the middle of an unpacked file goes on where it was")
    func resumes() async throws {
        let stops = Stops()
        let bench = try await Bench(beforeApply: { _ in try stops.pass() })
        let path = try bench.file("x.json", Self.json(rows: 1_700))
        let error = await refusal {
            _ = try await bench.service.importFile(
                path, matchKey: "source_id", principal: bench.principal, begun: { stops.run = $0 })
        }
        #expect(error != nil)
        let run = try #require(stops.run)
        let report = try await bench.service.resume(
            run, rejects: path + ".r.csv", principal: bench.principal)
        #expect(report.numbers == [1_700, 1_700, 0, 0, 0])
        #expect(try await bench.contents().count == 1_700)
    }

    private final class Stops: @unchecked Sendable {
        var run: ImportRunID?
        private var passes = 0
        func pass() throws {
            passes += 1
            if passes == 3 { throw CRMError.conflict("stopped", Words(en: "stopped", zh: "停止")) }
        }
    }

    @Test("another list of the document can be chosen; the text of the first is forgotten")
    func chooses() async throws {
        let bench = try await Bench()
        let text = "{\"a\":[{\"Customer ID\":\"1\",\"Full Name\":\"A\"}],\"b\":[{\"Customer ID\":\"2\",\"Full Name\":\"B\"}]}"
        let refused = await refusal { _ = try await bench.importText(text, name: "x.json") }
        #expect(refused?.code == "several_arrays")
        #expect(try bench.tenant.blobs.ids().isEmpty)
        let (blob, _) = try bench.service.copyIn(try bench.file("x.json", text))
        let draft = try await bench.service.draft(
            name: "x.json", blob: blob, source: "test", sheet: "a", principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        #expect(draft.file.inspection.canonical?.unpacked.sheets == ["a", "b"])
        #expect(draft.file.inspection.profiles.first?.samples == ["1"])
        #expect(try bench.tenant.blobs.ids().count == 2)
        try await bench.service.reinspect(
            draft.run, encoding: nil, delimiter: nil, sheet: "b", principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        let file = try await bench.service.run(draft.run).file
        #expect(file.inspection.profiles.first?.samples == ["2"])
        #expect(try bench.tenant.blobs.ids().sorted() == [file.blobID, file.textBlobID].sorted())
        let profile = try FileProfile.read(file, bench.tenant.blobs, rowsMax: 10)
        #expect(profile.columns.map(\.name) == ["Customer ID", "Full Name"])
        #expect(profile.place == "element")
    }

    @Test("the wizard shows the lists of a file to choose from, and the file's profile, masked for others")
    func wizard() async throws {
        let bench = try await Bench()
        let records = { (from: Int) in
            (from..<(from + 3)).map { "{\"Customer ID\":\"K\($0)\",\"手机\":\"1380000000\($0)\"}" }.joined(separator: ",")
        }
        let (blob, _) = try bench.service.copyIn(
            try bench.file("x.json", "{\"first\":[\(records(1))],\"second\":[\(records(5))]}"))
        let draft = try await bench.service.draft(
            name: "x.json", blob: blob, source: "test", sheet: "first", principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        for language in [Language.en, .zh] {
            let wizard = try Wizard(bench, language: language)
            let page = try await wizard.page("/imports/{id}", draft.run)
            #expect(page.contains("<select id=\"f-sheet\" name=\"sheet\">"))
            #expect(page.contains("<option value=\"first\" selected>") || page.contains("<option value=\"second\" selected>"))
            #expect(!page.contains("[[") && !page.contains("{{"))
            let profile = try await wizard.page("/imports/{id}/profile", draft.run)
            #expect(profile.contains("手机") && profile.contains("138000000"))
            #expect(profile.contains(language == .zh ? "个人信息" : "personal data"))
            #expect(!profile.contains("[[") && !profile.contains("{{"))
            let other = TestTenant.principal([ImportService.permission], roles: [.administrator], userID: UserID(7))
            let theirs = try await wizard.page("/imports/{id}/profile", draft.run, as: other)
            #expect(theirs.contains("手机") && !theirs.contains("138000000"))
        }
        let wizard = try Wizard(bench, language: .en)
        let version = try await bench.service.run(draft.run).run.version
        _ = try await wizard.call(
            .post, "/imports/{id}/format", draft.run, form: "revision=\(version)&encoding=&sheet=second", seen: version)
        let page = try await wizard.page("/imports/{id}", draft.run)
        #expect(page.contains("<option value=\"second\" selected>"))
        #expect(page.contains("13800000005") && !page.contains("13800000001"))
    }

    @Test("the workbook of the shared data is imported with its rows, and gzip as the text inside")
    func shared() async throws {
        let folder = "/work/shared/data/"
        guard FileManager.default.fileExists(atPath: folder) else { return }
        let bench = try await Bench()
        let book = try await bench.service.importFile(
            folder + "complaints-citizen-zh/附件4.xlsx", matchKey: "", dryRun: true, rejects: bench.test.folder + "/r.csv",
            principal: bench.principal)
        #expect(book.read == 120)
        #expect(book.containers == ["xlsx"])
        let packed = try await bench.service.importFile(
            folder + "usage-megaline/megaline_internet.csv.gz", matchKey: "", dryRun: true,
            rejects: bench.test.folder + "/r.csv", principal: bench.principal)
        #expect(packed.read == 104_825)
        #expect(packed.containers == ["gzip"])
        #expect(packed.encoding == "utf-8")
    }

    @Test("a file replaced while it is read is refused, and nothing is kept of it")
    func replaced() async throws {
        let bench = try await Bench()
        let path = try bench.file("a.csv", sampleCSV(rows: 10))
        let other = try bench.file("b.csv", sampleCSV(rows: 10, from: 50))
        let error = await refusal {
            _ = try bench.service.copyIn(path) {
                guard rename(other, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
            }
        }
        #expect(error?.code == "file_replaced")
        #expect(try bench.tenant.blobs.ids().isEmpty)
    }
}
