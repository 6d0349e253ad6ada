import Foundation
import Kernel
import Storage
import TestSupport
import Testing

@testable import Ingest

@Suite("Mappings")
struct MappingTests {
    private func targets(_ mapping: ImportMapping) -> [String: String] {
        Dictionary(mapping.columns.map { ($0.column, $0.code) }, uniquingKeysWith: { first, _ in first })
    }

    @Test("headers are compared folded, without punctuation and plurals")
    func headerKeys() {
        #expect(HeaderKey("Customer ID") == HeaderKey("customer_id"))
        #expect(HeaderKey("CustomerID") == HeaderKey("customer-id"))
        #expect(HeaderKey("Monthly Charges") == HeaderKey("monthly_charge"))
        #expect(HeaderKey("客户 编号") == HeaderKey("客户编号"))
        #expect(HeaderKey("Plan") != HeaderKey("Plane"))
    }

    @Test("fields are proposed by name, synonym and ending, only where the values fit")
    func suggests() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft(
            "Account Number,FULL_NAME,Primary Phone Number,Phone,Date of Birth,Tenure,Churn Label,Contract,Note,Empty\n"
                + "A1,Ann,13800138000,yes,2001-02-03,12,Yes,Month-to-month,hi,\n"
                + "A2,Bob,13800138001,no,1999-12-31,40,No,Two year,ho,\n")
        #expect(
            targets(draft.mapping) == [
                "Account Number": "source_id", "FULL_NAME": "name", "Primary Phone Number": "phone",
                "Phone": "attribute", "Date of Birth": "birth_date", "Tenure": "tenure_months", "Churn Label": "left",
                "Contract": "contract", "Note": "attribute", "Empty": "ignore",
            ])
        #expect(draft.mapping.matchKey == "source_id")
    }

    @Test("Chinese headers and words are proposed alike")
    func chinese() async throws {
        let bench = try await Bench()
        let report = try await bench.importText("客户编号,客户姓名,手机号,合约,月租\nA1,王伟,13800138000,两年,¥1,\n", matchKey: "")
        #expect(report.rejected == 1, "a row with one field too many")
        let good = try await bench.importText("客户编号,客户姓名,手机号,合约,月租\nA1,王伟,13800138000,两年,¥129.5\n")
        #expect(good.created == 1)
        #expect(
            try await bench.contents()["test:A1"] == [
                "source_id": "A1", "name": "王伟", "phone": "+8613800138000", "contract": "two_year",
                "monthly_charge": "12950",
            ])
    }

    @Test(
        "headings in traditional characters are the same as in simplified ones",
        arguments: [
            ("手機號碼", "手机号码"), ("客戶姓名", "客户姓名"), ("電話號碼", "电话号码"), ("出生日期", "出生日期"),
            ("帳單編號", "账单编号"), ("帳號", "账号"), ("身分證號", "身份证号"), ("證件類型", "证件类型"),
        ])
    func traditional(_ traditional: String, _ simplified: String) {
        #expect(HeaderKey(traditional) == HeaderKey(simplified))
        #expect(ValueReader.choiceKey(traditional) == ValueReader.choiceKey(simplified))
    }

    @Test("a file with headings and choices in traditional characters is mapped and read")
    func traditionalFile() async throws {
        let bench = try await Bench()
        let report = try await bench.importText("客戶編號,客戶姓名,手機號,出生日期,合約\nA1,王偉,13800138000,1990-02-03,兩年\n")
        #expect(report.created == 1)
        #expect(
            try await bench.contents()["test:A1"] == [
                "source_id": "A1", "name": "王偉", "phone": "+8613800138000", "birth_date": "1990-02-03",
                "contract": "two_year",
            ])
    }

    @Test("what was decided for a header is proposed again, whole for the same header and by column for another")
    func remembers() async throws {
        let bench = try await Bench()
        let text = "Nr,Wer,Telefon\nA1,Ann,13800138000\nA2,Bob,13800138001\n"
        let first = try await bench.draft(text)
        #expect(targets(first.mapping)["Nr"] == "attribute")
        var mapping = first.mapping
        mapping.columns[0].target = .field("source_id")
        mapping.columns[1].target = .field("name")
        mapping.columns[2].target = .field("phone")
        mapping.matchKey = "source_id"
        try await bench.service.save(
            mapping, for: first.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, first.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let same = try await bench.draft(text)
        #expect(same.mapping.columns == mapping.columns)
        #expect(same.mapping.matchKey == "source_id")
        let other = try await bench.draft("Wer,Neu,Nr\nCid,1,A3\n")
        #expect(targets(other.mapping) == ["Wer": "name", "Neu": "attribute", "Nr": "source_id"])
        #expect(other.mapping.matchKey == "source_id")
        let named = try await bench.service.mapping(named: "test")
        #expect(named.columns == mapping.columns)
        let unknown = await #expect(throws: CRMError.self) { _ = try await bench.service.mapping(named: "nope") }
        #expect(unknown?.message.en.contains("ibm-telco-churn") == true)
    }

    @Test("what an import does to known customers is taken over from its own source only, and told")
    func optionsOfSource() async throws {
        let bench = try await Bench()
        func text(_ from: Int) -> String {
            "Customer ID,Full Name,Mobile\n" + (from..<from + 3).map { "A\($0),Ann \($0),1380013800\($0)\n" }.joined()
        }
        func plan(_ source: String, _ from: Int, matches: Bool? = nil, dryRun: Bool = true) async throws -> (ImportReport, ImportMapping) {
            let report = try await bench.service.importFile(
                try bench.file("rows\(from).csv", text(from)), source: source, dryRun: dryRun, matches: matches, principal: bench.principal)
            return (report, try await bench.service.run(try #require(ImportRunID(report.run))).run.mapping)
        }
        let told: (ImportReport) -> Bool = { report in
            report.warnings.contains { $0.contains("because the last import") && $0.contains("q2") && $0.contains("--no-match") }
                && report.warnings_zh.contains { $0.contains("“q2”") && $0.contains("--no-match") }
        }
        var draft = try await bench.draft(text(1), source: "q2").mapping
        let id = try await bench.draft(text(1), source: "q2").run
        (draft.matches, draft.createsNew, draft.updatesExisting, draft.matchKey) = (true, false, false, "phone")
        draft.columns[1].values = ["Ann 1": "Anna"]
        try await bench.service.save(draft, for: id, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.start, id)
        try await bench.test.drain(jobs: bench.service.jobs)

        let (asBefore, same) = try await plan("q2", 4)
        #expect(same.matches && !same.createsNew && !same.updatesExisting && same.matchKey == "phone" && told(asBefore))
        let (asked, _) = try await plan("q2", 4, matches: true)
        #expect(!told(asked), "somebody said so")
        let (off, without) = try await plan("q2", 4, matches: false)
        #expect(!without.matches && !told(off))

        let (report, other) = try await plan("nk", 4, dryRun: false)
        #expect(!other.matches && other.createsNew && other.updatesExisting && other.matchKey == "source_id")
        #expect(other.columns.map(\.values) == draft.columns.map(\.values), "how the columns are read is taken over")
        #expect(report.created == 3 && !told(report))
        // Of a source that is asked for later nothing is known.
        let unnamed = try await bench.draft(text(7)).mapping
        #expect(!unnamed.matches && unnamed.createsNew)
    }

    @Test("a matching that was taken over is told by the import too, not when the box was emptied")
    func toldByImport() async throws {
        let bench = try await Bench()
        func bring(_ text: String, matches: Bool? = nil) async throws -> ImportReport {
            try await bench.service.importFile(
                try bench.file("q2.csv", text), source: "q2", matches: matches, principal: bench.principal)
        }
        let first = try await bring("Customer ID,Full Name\nA1,Ann\n", matches: true)
        #expect(!first.warnings.contains { $0.contains("because the last import") })
        let second = try await bring("Customer ID,Full Name\nA2,Bob\n")
        #expect(second.warnings.contains { $0.contains("because the last import") } && second.created == 1)
        let draft = try await bench.draft("Customer ID,Full Name\nA3,Cid\n", source: "q2")
        #expect(draft.mapping.matches && draft.file.inspection.warnings.contains { $0.code == ImportService.matchesAsBeforeCode })
        var mapping = draft.mapping
        mapping.matches = false
        try await bench.service.save(mapping, for: draft.run, principal: bench.principal, record: bench.service.recorder(bench.principal))
        try await bench.enqueue(.dryRun, draft.run)
        try await bench.test.drain(jobs: bench.service.jobs)
        let plan = try #require(try await bench.service.run(draft.run).run.plan)
        #expect(!plan.warnings.contains { $0.code == ImportService.matchesAsBeforeCode })
    }

    @Test("a mapping with a field twice, an unknown field or an unmapped match key is refused")
    func refuses() async throws {
        let bench = try await Bench()
        let draft = try await bench.draft("a,b\n1,2\n")
        let cases: [(ImportMapping, String)] = [
            (
                .init(
                    source: "x",
                    columns: [.init(column: "a", target: .field("name")), .init(column: "b", target: .field("name"))],
                    matchKey: nil), "field_twice"
            ),
            (
                .init(source: "x", columns: [.init(column: "a", target: .field("nothing"))], matchKey: nil),
                "unknown_field"
            ),
            (
                .init(source: "x", columns: [.init(column: "a", target: .field("name"))], matchKey: "source_id"),
                "match_key_unmapped"
            ),
            (
                .init(source: "x", columns: [.init(column: "a", target: .field("name"))], matchKey: "name"),
                "unknown_field"
            ),
        ]
        for (mapping, code) in cases {
            let error = await #expect(throws: CRMError.self) {
                try await bench.service.save(
                    mapping, for: draft.run, principal: bench.principal,
                    record: bench.service.recorder(bench.principal))
            }
            #expect(error?.code == code)
        }
    }

    @Test("a mapping file survives its JSON form, and a broken one says what is wrong")
    func json() throws {
        let mapping = ImportMapping(
            name: "n", source: "s",
            columns: [
                .init(column: "a", target: .field("left"), values: ["gone": "yes"]),
                .init(column: "b", target: .attribute, kind: "integer"),
                .init(column: "c", target: .ignore),
                .init(column: "d", target: .field("birth_date"), dateOrder: .dayMonthYear, excelDates: true),
            ], keepsUnlisted: false, matchKey: "source_id", createsNew: false)
        #expect(try ImportMapping.parse(mapping.encoded(), name: "x") == mapping)
        let error = #expect(throws: CRMError.self) { _ = try ImportMapping.parse("{\"source\":1}", name: "kaputt") }
        #expect(error?.message.en.contains("kaputt") == true)
    }

    @Test(
        "a word of a mapping file that nobody reads is refused, with its place and what is allowed",
        arguments: [
            (#"{"matchkey":"id","columns":[]}"#, ["no key “matchkey”", "did you mean “matchKey”?"]),
            (#"{"unlisted":"ignroe","columns":[]}"#, ["“unlisted” is “ignroe”", "did you mean “ignore”?", "attribute, ignore"]),
            (#"{"sorce":"x","columns":[]}"#, ["no key “sorce”", "did you mean “source”?"]),
            (#"{"colour":"x","columns":[]}"#, ["no key “colour” (keys: name, source"]),
            (#"{"unlisted":false,"columns":[]}"#, ["“unlisted” is"]),
            (#"{"columns":[{"column":"a"},{"column":"b","too":"name"}]}"#, ["no key “too” in column 2 “b”", "did you mean “to”?"]),
            (#"{"columns":[{"column":"a","kind":"intger"}]}"#, ["“kind” of column 1 “a” is “intger”", "did you mean “integer”?"]),
            (#"{"columns":[{"column":"a","dateOrder":"DMY"}]}"#, ["is “DMY”, did you mean “dmy”?"]),
            (#"{"columns":[{"column":"A no"},{"column":"a_no"}]}"#, ["column 2 “a_no” is listed already as “A no”"]),
            (#"{"matchkey":"id","sorce":"x","columns":[]}"#, ["matchKey", "sorce"]),
        ])
    func unknownWords(_ text: String, _ parts: [String]) {
        let error = #expect(throws: CRMError.self) { _ = try ImportMapping.parse(text, name: "m.json") }
        #expect(error?.code == "mapping_file" && error?.message.zh.contains("m.json") == true)
        for part in parts { #expect(error?.message.en.contains(part) == true, "\(error?.message.en ?? "") lacks \(part)") }
    }

    @Test("a column that the mapping names and the file has not is told in the dry run and after the import")
    func absentColumns() async throws {
        let bench = try await Bench()
        let path = try bench.file(
            "m.json",
            """
            {"matchKey":"source_id","unlisted":"ignore","columns":[{"column":"no","to":"source_id"},
             {"column":"full name","to":"name"},{"column":"remark","to":"ignore"}]}
            """)
        for dryRun in [true, false] {
            let report = try await bench.importText("no,nickname\n1,Ann\n", mapping: path, dryRun: dryRun)
            let told = report.warnings.joined(separator: " ")
            #expect(told.contains("a column that the file has not: “full name” → name") && !told.contains("remark"), "\(told)")
            #expect(report.warnings_zh.joined().contains("“full name”"))
        }
        let whole = try await bench.importText("no,Full Name\n2,Bob\n", name: "b.csv", mapping: path)
        #expect(!whole.warnings.joined().contains("the file has not"), "\(whole.warnings)")
    }

    @Test("a field or match key that is none is refused with the one that was meant")
    func unknownFields() async throws {
        let bench = try await Bench()
        func refusal(_ json: String) async throws -> String {
            let path = try bench.file("m.json", json)
            let error = await #expect(throws: CRMError.self) {
                _ = try await bench.importText("no,n\n1,Ann\n", mapping: path)
            }
            return error?.message.en ?? ""
        }
        #expect(try await refusal(#"{"columns":[{"column":"no","to":"source-id"}]}"#).contains("did you mean “source_id”?"))
        let key = try await refusal(#"{"matchKey":"sourceid","columns":[{"column":"no","to":"source_id"}]}"#)
        #expect(key.contains("did you mean “source_id”? Match keys: "), "\(key)")
    }

    @Test("cells are replaced as the mapping says before they are read")
    func replaces() async throws {
        let bench = try await Bench()
        let path = try bench.file(
            "m.json",
            """
            {"source":"crm","matchKey":"source_id","unlisted":"ignore","columns":[
              {"column":"no","to":"source_id"},{"column":"state","to":"left","values":{"Gone":"yes","here":"no","?":""}}]}
            """)
        let report = try await bench.service.importFile(
            try bench.file("r.csv", "no,state,junk\n1,GONE,x\n2,here,y\n3,?,z\n"), mapping: path,
            principal: bench.principal)
        #expect(report.created == 3)
        let contents = try await bench.contents()
        #expect(contents["crm:1"] == ["source_id": "1", "left": "true"])
        #expect(contents["crm:2"]?["left"] == "false")
        #expect(contents["crm:3"]?["left"] == nil)
    }

    @Test("the shipped mapping files can be read and name each column once")
    func shipped() throws {
        let shipped = try MappingStore.shipped(Checkout.share)
        #expect(shipped.map(\.name).contains("ibm-telco-churn"))
        for (name, mapping) in shipped {
            let keys = mapping.columns.map { HeaderKey($0.column) }
            #expect(Set(keys).count == keys.count, "\(name)")
        }
    }

    @Test("the IBM churn file fits its shipped mapping")
    func ibm() async throws {
        guard let path = Checkout.sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv") else {
            print("skipped: ../shared/data/churn-ibm-telco is not on this machine")
            return
        }
        let shipped = try #require(try MappingStore.shipped(Checkout.share).first { $0.name == "ibm-telco-churn" })
        let test = try await TestTenant(["Ingest"])
        let service = ImportService(tenant: test.tenant, target: FakeTarget(ids: test.tenant.ids), share: nil)
        let (blob, _) = try service.copyIn(path)
        let inspection = try await FileInspector(encoding: nil, delimiter: nil, warnings: []).inspect(
            name: "x.csv", size: blob.size, blob: blob.id, test.tenant.blobs)
        #expect(inspection.rows == 7_043 && inspection.isWhole && inspection.unreadable == 0)
        let headers = Set(inspection.columns.map { HeaderKey($0) })
        for column in shipped.mapping.columns {
            #expect(headers.contains(HeaderKey(column.column)), "\(column.column)")
        }
        #expect(shipped.mapping.applied(to: inspection.columns).columns.count == 33)
    }
}
