import Testing

@testable import Tabular

@Suite("Reading files")
struct ReaderTests {
    @Test(
        "an empty file, a file of blank lines and a mark alone say so",
        arguments: ["", "\n\n\r\n", "\u{FEFF}", "\u{FEFF}\n"])
    func empty(_ text: String) {
        #expect(throws: TabularError.emptyFile) { try read(text) }
        #expect(throws: TabularError.emptyFile) { try read(text, options: TabularOptions(name: "a.jsonl")) }
    }

    @Test("a header alone is a table without rows")
    func headerOnly() throws {
        let reading = try read("a,b\n")
        #expect(reading.header == ["a", "b"])
        #expect(reading.rows.isEmpty)
    }

    @Test(
        "the delimiter is found by even rows, quotes respected",
        arguments: [
            ("a,b\n1,2\n", ","), ("a\tb\n1\t2,3\n", "\t"), ("a;b\n1,5;2,5\n3,5;4,5\n", ";"), ("a|b|c\n1|2|3\n", "|"),
            ("a;b\n\"x,y,z\";1\n\"p,q\";2\n", ";"), ("name,note\nx,\"a;b;c\"\ny,\"d;e;f\"\n", ","), ("one\ntwo\n", ","),
        ])
    func delimiter(_ text: String, _ delimiter: Character) {
        let guess = DelimiterGuess(sample: Array(text.utf8), isWhole: true)
        #expect(guess.delimiter == delimiter.asciiValue)
        #expect(guess.confidence > 0 || !text.contains(delimiter))
    }

    @Test("Excel's sep= line is followed and is not data")
    func directive() throws {
        let reading = try read("sep=;\r\na;b\r\n1,5;2\r\n")
        #expect(reading.header == ["a", "b"])
        #expect(reading.rows == [["1,5", "2"]])
        #expect(reading.rowLines == [3])
    }

    @Test("CSV and JSON Lines are told apart by name, then by contents")
    func kinds() throws {
        func kind(_ text: String, _ name: String?) throws -> TabularFormat.Kind? {
            var reader = TabularReader(options: TabularOptions(name: name), bytes: Array(text.utf8))
            _ = try reader.next()
            return reader.format?.kind
        }
        #expect(try kind("{\"a\":1}\n", nil) == .jsonLines)
        #expect(try kind(" {\"a\":1}\n", "upload.dat") == .jsonLines)
        #expect(try kind("a,b\n", nil) == .delimited)
        #expect(try kind("{a},b\n", nil) == .delimited)
        #expect(try kind("{\"a\":1}\n", "x.CSV") == .delimited)
        #expect(try kind("x\n", "x.ndjson") == .jsonLines)
        #expect(throws: TabularError.notJSONLines) { try kind("[\n {\"a\":1}]\n", "x.json") }
    }

    @Test("a wrong encoding stated by a person gives the place of the first bad bytes")
    func wrongEncoding() throws {
        let file = try bytes("id,name\n1,张伟\n", .gb18030)
        let error = #expect(throws: TabularError.self) {
            try read(file, options: TabularOptions(name: "a.csv", encoding: .utf8))
        }
        guard case .undecodable(let place)? = error else {
            Issue.record("another error")
            return
        }
        #expect((place.sourceOffset, place.line) == (10, 2))
    }

    @Test("an error of the source is passed on")
    func sourceFails() {
        struct Broken: Error {}
        var reader = TabularReader { throw Broken() }
        #expect(throws: Broken.self) { try reader.next() }
    }

    @Test("a checkpoint that makes no sense is refused")
    func badCheckpoint() {
        let format = TabularFormat(
            kind: .delimited, encoding: .utf8, hasByteOrderMark: false, delimiter: 44, skipsFirstLine: false)
        #expect(throws: TabularError.badCheckpoint) {
            try TabularReader(
                options: TabularOptions(), resuming: format, columns: [],
                at: Checkpoint(sourceOffset: 0, utf8Offset: 0, line: 1, record: 0)
            ) { nil }
        }
    }

    @Test("the IBM file: 7,043 rows, 33 columns, no reject")
    func ibm() throws {
        guard let file = sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv") else { return }
        let table = try TableData.read(options: TabularOptions(name: "x.csv"), source: source(file, pieces: [9_973]))
        #expect(table.rows == 7_043)
        #expect(table.columns.count == 33)
        #expect(table.rejectCount == 0)
        #expect(table.cells.allSatisfy { $0.count == 7_043 })
        let profiles = Dictionary(uniqueKeysWithValues: table.profiles.map { ($0.name, $0) })
        #expect(profiles["Total Charges"]?.type == .decimal)
        #expect(profiles["Total Charges"]?.missing == 11)
        #expect(profiles["Tenure Months"]?.type == .integer)
        #expect(profiles["Tenure Months"]?.maximum == 72)
        #expect(profiles["Churn Label"]?.type == .boolean)
        #expect(profiles["Churn Label"]?.frequent.map(\.count).sorted() == [1_869, 5_174])
        #expect(profiles["CustomerID"]?.distinct == 7_043)
        #expect(profiles["Churn Reason"]?.missing == 5_174)
        #expect(profiles["Lat Long"]?.type == .text)
        let lat = try #require(table.index(of: "Lat Long"))
        #expect(table.cells[lat][0] == "33.964131, -118.272783")
    }

    @Test("the other IBM file: eleven charges are a single blank")
    func ibmBlanks() throws {
        guard let file = sharedData("churn-ibm-telco/WA_Fn-UseC_-Telco-Customer-Churn.csv") else { return }
        let table = try TableData.read(options: TabularOptions(name: "x.csv"), bytes: file)
        let charges = try #require(table.profiles.first { $0.name == "TotalCharges" })
        #expect(charges.missingKinds == [.blank: 11])
        #expect(charges.type == .decimal)
    }

    @Test("rows stop at the cap, rejects are counted past theirs, late JSON columns are nil before")
    func tableData() throws {
        let text = "a,b\n" + (0..<50).map { $0 % 5 == 0 ? "bad\n" : "\($0),-\n" }.joined()
        let table = try TableData.read(
            options: TabularOptions(name: "a.csv"), rowsMax: 20, rejectsMax: 2, bytes: Array(text.utf8))
        #expect(table.rows == 20)
        #expect(table.isCut)
        #expect(table.rejects.count == 2)
        #expect(table.rejectCount == 6)
        #expect(table.cells[1].allSatisfy { $0 == nil })
        let late = try TableData.read(
            options: TabularOptions(name: "a.jsonl", jsonHeaderRecords: 1),
            bytes: Array("{\"a\":1}\n{\"b\":\"x\"}\n".utf8))
        #expect(late.columns == ["a", "b"])
        #expect(late.cells == [["1", nil], [nil, "x"]])
        #expect(late.profiles.map(\.missing) == [1, 1])
    }

    @Test("reading takes time in proportion to the file", .tags(.slow))
    func speed() throws {
        let line = Array(
            "7590-VHVEG,Female,0,Yes,No,34,\"33.96, -118.27\",Month-to-month,Electronic check,56.95,1889.5,No\r\n".utf8)
        var file = Array("a,b,c,d,e,f,g,h,i,j,k,l\r\n".utf8)
        for _ in 0..<300_000 { file += line }
        let clock = ContinuousClock()
        var rows = 0
        let time = try clock.measure {
            var reader = TabularReader(options: TabularOptions(name: "a.csv"), source: source(file, pieces: [1 << 18]))
            while let event = try reader.next() { if case .record = event { rows += 1 } }
        }
        let rate =
            Double(file.count) / 1e6 / (Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
        print("reading delimited text: \(Int(rate)) MB/s")
        #expect(rows == 300_000)
        // Tests share two cores and are not optimised: this catches quadratic work; the bench holds the target.
        #expect(rate > 0.2)
    }
}

extension Tag {
    @Tag static var slow: Self
}
