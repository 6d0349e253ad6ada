import Foundation
import Kernel
import Storage
import Testing

@testable import Ingest

@Suite("Bad input gives a clear message and loses nothing")
struct BadInputTests {
    private func refusal(_ body: () async throws -> Void) async -> CRMError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? CRMError
        }
    }

    @Test("an empty file is refused by name")
    func empty() async throws {
        let bench = try await Bench()
        let error = await refusal { _ = try await bench.importText("", name: "leer.csv") }
        #expect(error?.code == "empty_file")
        #expect(error?.message.en.contains("leer.csv") == true)
        #expect(error?.message.zh.contains("空文件") == true)
    }

    @Test("a header without rows is refused and says how many columns it has")
    func headerOnly() async throws {
        let bench = try await Bench()
        let error = await refusal { _ = try await bench.importText("a,b,c\n") }
        #expect(error?.code == "no_rows")
        #expect(error?.message.en.contains("3 columns") == true)
    }

    @Test("a damaged workbook and an old one are refused with what to do instead")
    func workbook() async throws {
        let bench = try await Bench()
        let path = try bench.file("book.xlsx", [0x50, 0x4B, 0x03, 0x04] + Array(repeating: 0, count: 100))
        let error = await refusal {
            _ = try await bench.service.importFile(path, principal: bench.principal)
        }
        #expect(error?.code == "zip_damaged")
        let old = try bench.file("book.xls", [0xD0, 0xCF, 0x11, 0xE0] + Array(repeating: 0, count: 100))
        let refused = await refusal {
            _ = try await bench.service.importFile(old, principal: bench.principal)
        }
        #expect(refused?.code == "old_workbook")
        #expect(refused?.message.en.contains("CSV UTF-8") == true)
        #expect(try bench.tenant.blobs.ids().isEmpty, "nothing is left of a refused file")
    }

    @Test("a JSON document without a list of records is refused")
    func jsonDocument() async throws {
        let bench = try await Bench()
        let error = await refusal { _ = try await bench.importText("{\"a\":1,\n\"b\":[1,2]}", name: "x.json") }
        #expect(error?.code == "no_records")
    }

    @Test("ragged rows, a quote that never closes and a huge field are rejected with their lines, the others are taken")
    func ragged() async throws {
        let bench = try await Bench()
        let huge = String(repeating: "x", count: 10 << 20)
        let text =
            "Customer ID,Full Name,City\nA1,Ann,Rome\nA2,Bob\nA3,Cid,Oslo,extra\nA4,\"Dan,Bern\nA5,Eve,Paris\n"
            + "A6,\(huge),Lima\nA7,Gus,\"New\nYork\"\n"
        let report = try await bench.importText(text)
        #expect(report.read == 7)
        #expect(report.created == 3)
        #expect(report.rejected == 4)
        #expect(report.state == "succeeded")
        let byLine = try rejectLines(bench, report)
        #expect(byLine[3]?.contains("has 2 fields, the header 3") == true)
        #expect(byLine[4]?.contains("has 4 fields, the header 3") == true)
        #expect(byLine[5]?.contains("A quote begins on this line") == true)
        #expect(byLine[7]?.contains("A field is longer than") == true)
        let contents = try await bench.contents()
        #expect(Set(contents.keys) == ["test:A1", "test:A5", "test:A7"])
        #expect(contents["test:A7"]?["attr.city"] == "New\nYork")
    }

    /// Physical line -> the reject file's row. Cells of these files hold no line ends.
    private func rejectLines(_ bench: Bench, _ report: ImportReport) throws -> [Int: String] {
        let lines = try bench.rejectFile(report)
        #expect(lines.first?.hasSuffix("reject_reason_zh,reject_row,Customer ID,Full Name,City") == true)
        return Dictionary(
            lines.dropFirst().compactMap { line in Int(line.prefix { $0 != "," }).map { ($0, line) } },
            uniquingKeysWith: { first, _ in first })
    }

    @Test("values of the wrong kind are rejected naming line, column and reason in both languages")
    func wrongValues() async throws {
        let bench = try await Bench()
        let header = "Customer ID,Mobile,Email Address,Born,Tenure,Monthly Charges,Churn,Contract\n"
        let good = (1...60).map {
            "G\($0),1391234\(1000 + $0),a\($0)@example.com,2001-02-\(10 + $0 % 19),\($0),1\($0).50,\($0 % 2 == 0 ? "Yes,One year" : "No,Two year")\n"
        }
        let bad: [(row: String, column: String, code: String)] = [
            ("B1,1.38E+10,,,,,,", "Mobile", "scientific_notation"),
            ("B2,call me,,,,,,", "Mobile", "not_a_phone"),
            ("B3,,nobody,,,,,", "Email Address", "not_an_email"),
            ("B4,,,2001-02-30,,,,", "Born", "no_such_day"),
            ("B5,,,36934,,,,", "Born", "excel_serial_date"),
            ("B6,,,03/05/2001,,,,", "Born", "ambiguous_date"),
            ("B7,,,,7.5,,,", "Tenure", "not_an_integer"),
            ("B8,,,,,12.345,,", "Monthly Charges", "too_many_decimals"),
            ("B9,,,,,=1+1,,", "Monthly Charges", "formula"),
            ("B9a,,,,,-12;5x,,", "Monthly Charges", "not_a_number"),
            ("B9b,,,,,+2-1,,", "Monthly Charges", "formula"),
            ("B10,,,,,,perhaps,", "Churn", "not_a_boolean"),
            ("B11,,,,,,,Forever", "Contract", "not_a_choice"),
            (",13912349999,,,,,,", "Customer ID", "match_key_missing"),
            ("1.38E+12,,,,,,,", "Customer ID", "scientific_notation"),
        ]
        let report = try await bench.importText(
            header + good.joined() + bad.map { $0.row + "\n" }.joined(), matchKey: "source_id")
        #expect(report.created == 60)
        // What only has to be written otherwise waits for a person; the rest is refused.
        let refused = bad.enumerated().filter { !Self.held.contains($0.element.code) }
        #expect(report.rejected == refused.count && report.quarantined == bad.count - refused.count)
        #expect(report.read == 60 + bad.count)
        let run = try #require(ImportRunID(report.run))
        let (rejects, held) = try await bench.tenant.database.read { session in
            (
                try JournalStore.rejects(run, .run, after: 0, limit: 100, session),
                try session.query("SELECT line, findings FROM ingest_quarantine ORDER BY line") { ($0.integer(0), $0.text(1)) }
            )
        }
        let columns = header.trimmedText.components(separatedBy: ",")
        try #require(rejects.count == refused.count)
        for (reject, (offset, expected)) in zip(rejects, refused) {
            #expect(reject.line == 62 + offset)
            #expect(reject.code == expected.code, "\(expected.row)")
            #expect(columns[reject.column] == expected.column, "\(expected.row)")
            #expect(reject.words.en.contains(expected.column) && reject.words.zh.contains("列"))
        }
        let waiting = bad.enumerated().filter { Self.held.contains($0.element.code) }
        try #require(held.count == waiting.count)
        for (row, (offset, expected)) in zip(held, waiting) {
            #expect(row.0 == 62 + offset && row.1.contains(expected.column), "\(expected.row)")
        }
    }

    /// One cell that can be repaired.
    private static let held: Set<String> = [
        "not_an_email", "no_such_day", "not_an_integer", "too_many_decimals", "not_a_number", "formula", "excel_serial_date",
        "ambiguous_date", "not_a_boolean", "not_a_choice",
    ]

    @Test("the same key twice is rejected naming the line it was first on, however far apart")
    func duplicates() async throws {
        let bench = try await Bench()
        var text = sampleCSV(rows: 1_200)
        text += "K3,Again,,1.00,x\nK1200,Again,,1.00,x\n"
        let report = try await bench.importText(text)
        #expect(report.created == 1_200)
        #expect(report.rejected == 2)
        #expect(report.matchKey == "source_id")
        let words = try bench.rejectFile(report)
        #expect(words[1].contains("already in line 4 of this file"))
        #expect(words[2].contains("already in line 1201 of this file"))
    }

    @Test("headers that occur twice or are empty are numbered, and a warning says so")
    func duplicateHeaders() async throws {
        let bench = try await Bench()
        let report = try await bench.importText("Customer ID,Note,Note,\nA,x,y,z\n", dryRun: true)
        #expect(report.created == 1)
        #expect(report.warnings.contains { $0.contains("same name") && $0.contains("Note") })
        #expect(report.warnings.contains { $0.contains("column 4") })
        let run = try await bench.service.run(try #require(ImportRunID(report.run))).run
        #expect(run.plan?.newAttributes == ["Note", "Note (2)", "column_4"])
    }

    @Test("GB18030 and Big5 files are read as what they are")
    func encodings() async throws {
        let text =
            "客户编号,客户姓名,手机号,城市\n"
            + (1...30).map { "A\($0),王秀英,1380013\(8000 + $0),杭州市西湖区文三路\n" }.joined()
        for (name, encoding) in [("gb18030", 0x8000_0632 as UInt), ("big5", 0x8000_0A03)] {
            let bench = try await Bench()
            let source =
                name == "big5"
                ? text.replacing("英", with: "芳").replacing("区", with: "區")
                    .replacing("号", with: "號").replacing("编", with: "編").replacing("户", with: "戶") : text
            let data = try #require(
                source.data(using: String.Encoding(rawValue: encoding), allowLossyConversion: true))
            let path = try bench.file("\(name).csv", [UInt8](data))
            let report = try await bench.service.importFile(
                path, source: "test", matchKey: name == "big5" ? "" : nil, principal: bench.principal)
            #expect(report.created == 30, "\(name)")
            let run = try await bench.service.run(try #require(ImportRunID(report.run)))
            #expect(run.file.inspection.format.encoding.rawValue == name)
        }
    }

    @Test("bytes that mean nothing in the encoding reject their row only")
    func badBytes() async throws {
        let bench = try await Bench()
        var bytes = Array("Customer ID,Full Name\nA1,Zoë\nA2,B".utf8)
        bytes += [0xFF, 0xFE]
        bytes += Array("b\nA3,Müller\n".utf8) + Array((4...40).map { "A\($0),Jörg\n" }.joined().utf8)
        let path = try bench.file("bad.csv", bytes)
        let report = try await bench.service.importFile(path, encoding: .utf8, principal: bench.principal)
        #expect(report.created == 39)
        #expect(report.rejected == 1)
        #expect(report.reasons.first?.code == "undecodable_bytes")
        #expect(report.reasons.first?.firstLine == 3)
    }

    @Test("a formula in a text cell is kept as text, counted, and guarded in the reject file")
    func formulas() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(
            "Customer ID,Full Name\nA1,=HYPERLINK(1)\nA2,Refused\nA1,@SUM(1)\n", dryRun: false)
        #expect(report.created == 1)
        #expect(try await bench.contents()["test:A1"]?["name"] == "=HYPERLINK(1)")
        let lines = try bench.rejectFile(report)
        #expect(lines.contains { $0.hasSuffix("A1,'@SUM(1)") })
        #expect(report.warnings.contains { $0.contains("2 cells begin like a spreadsheet formula") })
    }

    @Test("a file that grows while it is read is imported as it was, and the report says so")
    func grows() async throws {
        let bench = try await Bench()
        let path = try bench.file("grow.csv", sampleCSV(rows: 10))
        let (blob, warnings) = try bench.service.copyIn(path) {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("K11,Late,13800000011,1.00,x\n".utf8))
            try handle.close()
        }
        #expect(warnings.map(\.code) == ["file_grew"])
        #expect(blob.size == Int64(sampleCSV(rows: 10).utf8.count))
        let draft = try await bench.service.draft(
            name: "grow.csv", blob: blob, source: "test", warnings: warnings, principal: bench.principal,
            record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let run = try await bench.service.run(draft.run).run
        #expect(run.state == .ready)
        #expect(run.plan?.counts.created == 10)
        #expect(run.plan?.warnings.contains { $0.code == "file_grew" } == true)
    }

    @Test("when every row is bad the run fails, says so, and the reject file has them all")
    func everythingBad() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Full Name\n" + (1...40).map { "A\($0),Refused\n" }.joined()
        let report = try await bench.importText(text)
        #expect(report.state == "failed")
        #expect(report.rejected == 40)
        #expect(try bench.rejectFile(report).count == 41)
        #expect(report.warnings.contains { $0.contains("All 40 rows read were rejected") })
        #expect(try await bench.contents().isEmpty)
    }

    @Test("a reject file that was repaired imports what was missing and nothing twice")
    func repaired() async throws {
        let bench = try await Bench()
        let report = try await bench.importText(
            "Customer ID,Full Name,Mobile\nA1,Ann,13800000001\nA2,-Bob,bad\nA3,\"Cid, Jr\",13800000003\n")
        #expect(report.created == 2)
        let path = try #require(report.rejectFile)
        let fixed = try String(contentsOfFile: path, encoding: .utf8).replacing(",bad\r\n", with: ",13800000002\r\n")
        let again = try await bench.importText(fixed, name: "fixed.csv", matchKey: "source_id")
        #expect(again.created == 1)
        #expect(again.rejected == 0)
        let contents = try await bench.contents()
        #expect(contents.count == 3)
        #expect(contents["test:A2"] == ["source_id": "A2", "name": "-Bob", "phone": "+8613800000002"])
    }

    @Test("JSON Lines with late keys, nulls and a broken line")
    func jsonLines() async throws {
        let bench = try await Bench()
        let text =
            (1...150).map { "{\"customer_id\":\"A\($0)\",\"name\":\"N\($0)\",\"tenure\":\($0)}\n" }.joined()
            + "{\"customer_id\":\"A151\",\"name\":null,\"city\":\"Rome\"}\n{\"customer_id\":\n"
        let report = try await bench.importText(text, name: "x.jsonl")
        #expect(report.read == 152)
        #expect(report.created == 151)
        #expect(report.rejected == 1)
        #expect(report.reasons.first?.code == "json_syntax")
        let run = try await bench.service.run(try #require(ImportRunID(report.run)))
        #expect(run.file.inspection.columns == ["customer_id", "name", "tenure", "city"])
        #expect(run.file.inspection.profiles.last?.samples == ["Rome"])
        #expect(run.run.mapping.columns.map(\.code) == ["source_id", "name", "tenure_months", "attribute"])
        let late = try await bench.contents()["test:A151"]
        #expect(late == ["source_id": "A151", "attr.city": "Rome"])
    }

    @Test("money with signs and separators, decimal commas, full-width digits and Excel dates on request")
    func formats() async throws {
        let bench = try await Bench()
        let text =
            "Customer ID;Monthly Charges;Mobile;Born\nA1;1.234,50;１３８００１３８０００;36934\nA2;7,05;13800138001.0;36935\n"
        let draft = try await bench.draft(text)
        var mapping = draft.mapping
        mapping.columns = mapping.columns.map { column in
            var column = column
            if column.column == "Born" { (column.target, column.excelDates) = (.field("birth_date"), true) }
            return column
        }
        try await bench.service.save(
            mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let contents = try await bench.contents()
        #expect(
            contents["test:A1"] == [
                "source_id": "A1", "monthly_charge": "123450", "phone": "+8613800138000", "birth_date": "2001-02-12",
            ])
        #expect(contents["test:A2"]?["monthly_charge"] == "705")
        #expect(contents["test:A2"]?["phone"] == "+8613800138001")
    }
}
