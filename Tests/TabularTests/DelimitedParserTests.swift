import Testing

@testable import Tabular

@Suite("Delimited text")
struct DelimitedParserTests {
    @Test("quoted fields keep delimiters, line ends and doubled quotes")
    func quoting() throws {
        let reading = try parse("a,b,c\n\"x,y\",\"line 1\nline 2\",\"say \"\"hi\"\"\"\n1,,\"\"\n")
        #expect(reading.header == ["a", "b", "c"])
        #expect(reading.rows == [["x,y", "line 1\nline 2", "say \"hi\""], ["1", "", ""]])
        #expect(reading.rowLines == [2, 4])
        #expect(reading.rejects.isEmpty)
    }

    @Test("LF, CR LF and CR end lines, also mixed and without a last one", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(_ end: String) throws {
        let text = ["a,b", "1,2", "\"3\(end)x\",4", "5,6"].joined(separator: end)
        for pieces in [[1], [2], [3, 1], [100]] {
            let reading = try parse(text, pieces: pieces)
            #expect(reading.rows == [["1", "2"], ["3\(end)x", "4"], ["5", "6"]])
            #expect(reading.rowLines == [2, 3, 5])
        }
    }

    @Test("a quote inside an unquoted field is text")
    func quoteInside() throws {
        #expect(try parse("a,b\n5\" screen,x\"y\"\n").rows == [["5\" screen", "x\"y\""]])
    }

    @Test("blank lines are skipped and counted as lines")
    func blankLines() throws {
        let reading = try parse("\n\r\na,b\n\n1,2\n\n\n3,4\n\n")
        #expect(reading.rows == [["1", "2"], ["3", "4"]])
        #expect(reading.rowLines == [5, 8])
    }

    @Test("a quoted empty field alone on its line is a record, not a blank line")
    func quotedEmpty() throws {
        #expect(try parse("a\n\"\"\nx\n").rows == [[""], ["x"]])
    }

    @Test("text behind a closing quote names its line and column, and only that record is lost")
    func textAfterQuote() throws {
        let reading = try parse("a,b\n1,\"two\"x\n3,4\n")
        let reject = try #require(reading.rejects.first)
        #expect(reject.reason == .textAfterQuote)
        #expect((reject.line, reject.column, reject.field) == (2, 8, 2))
        #expect(reject.raw == "1,\"two\"x")
        #expect(reading.rows == [["3", "4"]])
    }

    @Test("columns are counted in characters, not bytes")
    func columnInCharacters() throws {
        #expect(try parse("a,b\n张伟,\"好\"x\n").rejects.first?.column == 7)
    }

    @Test("a NUL byte rejects its record with line and column")
    func nul() throws {
        let reading = try parse("a,b\n1,2\n3,x\0y\n5,6\n")
        #expect(reading.rejects.map(\.reason) == [.nulByte])
        #expect(reading.rejects.first?.line == 3)
        #expect(reading.rejects.first?.column == 4)
        #expect(reading.rows == [["1", "2"], ["5", "6"]])
    }

    @Test("ragged rows are rejected with expected and found, and keep their text")
    func ragged() throws {
        let reading = try parse("a,b,c\n1,2\n1,2,3\n1,2,3,4\n1,2,3,\n")
        #expect(
            reading.rejects.map(\.reason) == [
                .tooFewFields(expected: 3, found: 2), .tooManyFields(expected: 3, found: 4),
                .tooManyFields(expected: 3, found: 4),
            ])
        #expect(reading.rejects.map(\.raw) == ["1,2", "1,2,3,4", "1,2,3,"])
        #expect(reading.rejects.map(\.line) == [2, 4, 5])
        #expect(reading.rows == [["1", "2", "3"]])
        let lenient = try parse("a,b\n1\n1,2,3\n", DelimitedOptions(ragged: .accept))
        #expect(lenient.rows == [["1"], ["1", "2", "3"]])
    }

    @Test("a trailing delimiter at the end of the file is a last empty field")
    func trailingDelimiter() throws {
        #expect(try parse("a,b\n1,").rows == [["1", ""]])
    }

    @Test("header names become unique and never empty")
    func header() {
        let header = Header(raw: ["name", " name ", "", "name", "name (2)", "\u{FEFF}id"])
        #expect(header.names == ["name", "name (3)", "column_3", "name (4)", "name (2)", "id"])
        #expect(header.duplicates == ["name"])
        #expect(header.unnamed == [2])
        #expect(Header(raw: ["a", "a", "a"]).names == ["a", "a (2)", "a (3)"])
    }

    @Test("without a header columns are numbered and the first line is data")
    func noHeader() throws {
        let reading = try parse("1,2\n3,4\n5\n", DelimitedOptions(hasHeader: false))
        #expect(reading.header == ["column_1", "column_2"])
        #expect(reading.rows == [["1", "2"], ["3", "4"]])
        #expect(reading.rejectCodes == ["too_few_fields"])
    }

    @Test("a header that cannot be read ends the reading and says where")
    func badHeader() throws {
        #expect {
            try parse("a,\"b\"c\n1,2\n")
        } throws: { error in
            guard case .headerUnreadable(let reject)? = error as? TabularError else { return false }
            return reject.reason == .textAfterQuote && reject.line == 1 && reject.column == 6
        }
    }

    @Test("more columns than allowed is a reject")
    func columnsMax() throws {
        var options = DelimitedOptions(ragged: .accept)
        options.limits = TabularLimits(columnsMax: 3)
        let reading = try parse("a,b\n1,2,3\n1,2,3,4,5\n6,7\n", options)
        #expect(reading.rejects.map(\.reason) == [.tooManyColumns(limit: 3)])
        #expect(reading.rejects.first?.raw == "1,2,3,4,5")
        #expect(reading.rows == [["1", "2", "3"], ["6", "7"]])
    }

    @Test("positions give line and byte offset of each record")
    func positions() throws {
        var parser = DelimitedParser()
        parser.push(Array("a,b\r\n1,\"x\ny\"\r\n3,4".utf8))
        parser.finish()
        var found: [RecordPosition] = []
        while let event = try parser.next() { if case .record(let record) = event { found.append(record.position) } }
        #expect(
            found == [
                RecordPosition(record: 1, line: 2, offset: 5, endLine: 4, endOffset: 14),
                RecordPosition(record: 2, line: 4, offset: 14, endLine: 4, endOffset: 17),
            ])
    }

    @Test("a field is read the same as string, as bytes and through its pointer")
    func fieldViews() throws {
        var parser = DelimitedParser(options: DelimitedOptions(hasHeader: false))
        parser.push(Array("plain,\"quo\"\"ted\",张\n".utf8))
        _ = try parser.next()
        guard case .record(let record)? = try parser.next() else {
            Issue.record("no record")
            return
        }
        for index in 0..<3 {
            #expect(Array(record.bytes(index)) == Array(record.field(index).utf8))
            #expect(record.withBytes(index) { Array($0) } == Array(record.field(index).utf8))
        }
        #expect((0..<4).map(record.kind) == [.plain, .quoted, .plain, .absent])
        #expect(record.field(9) == "")
        #expect(record.raw == "plain,\"quo\"\"ted\",张")
    }
}
