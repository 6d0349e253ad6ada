import Testing

@testable import Tabular

@Suite("Workbooks, XML, JSON documents, gzip and ZIP")
struct ContainerTests {
    // MARK: gzip and ZIP

    @Test("gzip of one and of several members reads as the text inside, lines and all")
    func gzip() throws {
        let text = "a,b\n1,x\n2,\"y\nz\"\n3,w\n"
        let one = try Unwrapped(Packing.gzip(text), name: "f.csv.gz")
        #expect(one.columns == ["a", "b"])
        #expect(one.rows == [["1", "x"], ["2", "y\nz"], ["3", "w"]])
        #expect(one.lines == [2, 3, 5])
        let bytes = Array(text.utf8)
        let members = Packing.gzip(Array(bytes[..<7])) + Packing.gzip([]) + Packing.gzip(Array(bytes[7...]))
        #expect(try Unwrapped(members + [0, 0, 0]).rows == one.rows)
        #expect(try Unwrapped(members, pieces: [1]).rows == one.rows)
    }

    @Test("gzip of GB18030 text is guessed as the text alone would be")
    func gzipOfChinese() throws {
        let text = "姓名,地址\n张伟,北京市海淀区中关村大街\n李娜,上海市浦东新区\n"
        #expect(try Unwrapped(Packing.gzip(try bytes(text, .gb18030))).rows[0] == ["张伟", "北京市海淀区中关村大街"])
    }

    @Test("a ZIP of one file is that file; folders and macOS's notes do not count")
    func zip() throws {
        let files: [(String, [UInt8])] = [
            ("folder/", []), ("folder/data.csv", Array("a;b\n1;2\n".utf8)), ("__MACOSX/folder/._data.csv", [1, 2, 3]),
        ]
        for stored in [true, false] {
            let read = try Unwrapped(Packing.zip(files, stored: stored), name: "wrong.xlsx", pieces: [7])
            #expect(read.columns == ["a", "b"])
            #expect(read.rows == [["1", "2"]])
            #expect(read.unpacked?.layers == [.zip])
        }
    }

    @Test("a workbook inside gzip, and inside a ZIP, is a workbook")
    func wrapped() throws {
        let book = Packing.workbook(Packing.rows([["a"], ["1"]]))
        let inGzip = try Unwrapped(Packing.gzip(book))
        #expect(inGzip.rows == [["1"]])
        #expect(inGzip.unpacked?.layers == [.gzip, .xlsx])
        #expect(try Unwrapped(Packing.zip([("b.xlsx", book)])).unpacked?.layers == [.zip, .xlsx])
    }

    // MARK: JSON

    @Test("a JSON array: an object is a record, its number is its line")
    func jsonArray() throws {
        let text = """
            [
              {"id": 1, "name": "Zhang \\"W\\" {x}", "address": {"city": "北京", "zip": "100000"}},
              {"id": 2.50, "tags": ["a", "b"], "name": null},
              {}, 5,
              {"id": 3, "late": true} ]
            """
        let read = try Unwrapped(Array(text.utf8), name: "f.json", pieces: [3])
        #expect(read.columns == ["id", "name", "address.city", "address.zip", "tags", "late"])
        #expect(read.rows[0] == ["1", "Zhang \"W\" {x}", "北京", "100000"])
        #expect(read.rows[1] == ["2.50", "", "", "", "a;b"])
        #expect(read.lines == [1, 2, 3, 5])
        #expect(read.rejects.map(\.reason) == [.notAnObject])
        #expect(read.rejects.map(\.line) == [4])
        #expect(read.unpacked?.place == .element)
    }

    @Test("one list inside an object is taken; of several one must be named")
    func wrappedArray() throws {
        let one = "{\"count\": 2, \"meta\": {\"x\": [1, 2]}, \"data\": [{\"a\": 1}, {\"a\": 2}], \"next\": null}"
        #expect(try Unwrapped(Array(one.utf8)).rows == [["1"], ["2"]])
        let deep = "{\"result\":{\"items\":[{\"a\":1}]}}"
        #expect(try Unwrapped(Array(deep.utf8)).unpacked?.sheet == "result.items")
        let two = "{\"x\":[{\"a\":1}],\"y\":[{\"b\":2},{\"b\":3}]}"
        #expect(code { _ = try Unwrapped(Array(two.utf8)) } == "several_arrays")
        #expect(try Unwrapped(Array(two.utf8), sheet: "y").rows == [["2"], ["3"]])
        #expect(try Unwrapped(Array(two.utf8), sheet: "1").rows == [["1"]])
        #expect(code { _ = try Unwrapped(Array(two.utf8), sheet: "z") } == "unknown_sheet")
    }

    @Test("JSON Lines stay JSON Lines, also when a record holds a list")
    func jsonLines() throws {
        let text = "{\"a\":1,\"list\":[{\"x\":1}]}\n{\"a\":2}\n"
        let read = try Unwrapped(Array(text.utf8))
        #expect(read.unpacked == nil)
        #expect(read.rows.count == 2)
        #expect(try Unwrapped(Array("{\"a\":1,\"list\":[{\"x\":1}]}".utf8), name: "f.jsonl").unpacked == nil)
    }

    // MARK: XML

    @Test("XML: the repeated element is the record; attributes and nested elements are dotted columns")
    func xml() throws {
        let text = """
            <?xml version="1.0"?>
            <!-- export -->
            <export xmlns:c="urn:x" date="2024-01-01">
              <meta><by>billing</by></meta>
              <c:customers>
                <c:customer id="7" xmlns="http://www.w3.org/1999/xhtml"><name>A &amp; B &#x4E2D;</name>
                  <address city="北京"><zip>100000</zip></address><phone>1</phone><phone>2</phone></c:customer>
                <c:customer id="8"><name><![CDATA[<b>]]></name><note xsi:nil="true"/></c:customer>
                <c:customer id="9"/>
              </c:customers>
            </export>
            """
        let read = try Unwrapped(Array(text.utf8), pieces: [5])
        #expect(read.columns == ["id", "name", "address.city", "address.zip", "phone", "note"])
        #expect(read.rows == [["7", "A & B 中", "北京", "100000", "1;2"], ["8", "<b>", "", "", "", ""], ["9"]])
        #expect(read.lines == [6, 8, 9])
    }

    @Test("XML in GB2312 as its declaration says, and with one record only")
    func xmlEncoding() throws {
        let text = "<?xml version='1.0' encoding='GB2312'?><list><row><a>张伟</a><b>x</b></row></list>"
        let read = try Unwrapped(try bytes(text, .gb18030))
        #expect(read.rows == [["张伟", "x"]])
        let strange = "<?xml version='1.0' encoding='EBCDIC-37'?><list><row><a>1</a></row></list>"
        #expect(code { _ = try Unwrapped(Array(strange.utf8)) } == "unknown_encoding")
    }

    // MARK: Workbooks

    @Test("cells of every kind: texts, numbers, booleans, errors, formulas, rich text, gaps")
    func cells() throws {
        let rows = """
            <row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c><c r="D2" t="str"><v>f</v></c>\
            <c r="E2" t="inlineStr"><is><t>e</t></is></c></row>\
            <row r="3" spans="1:9"><c r="B3"><v>45.299999999999997</v></c><c r="C3" t="b"><v>1</v></c>\
            <c r="D3" t="e"><v>#N/A</v></c><c r="E3"><f>B3*2</f><v>1E-4</v></c></row>\
            <row r="4"/><row r="5"><c r="E5" t="str"><f>X</f><v>a,"b"</v></c></row>\
            <row r="9"><c><v>13800138000</v></c><c r="C9" t="inlineStr"><is><r><t>ri</t></r><r><t>ch_x000D__x000A_2</t></r>\
            <rPh><t>no</t></rPh></is></c><c><f>NOW()</f></c></row>
            """
        let shared = ["<t>name</t>", "<r><t>na</t></r><r><t xml:space=\"preserve\">me </t></r><rPh><t>x</t></rPh>"]
        var book = Packing.Book(sheets: [("S", rows)], shared: shared)
        book.tail = "<mergeCells><mergeCell ref=\"A1:B1\"/></mergeCells>"
        let read = try Unwrapped(Packing.xlsx(book), pieces: [11])
        #expect(read.columns == ["column_1", "name", "name (2)", "f", "e"])
        #expect(
            read.rows == [
                ["", "45.3", "TRUE", "#N/A", "0.0001"], ["", "", "", "", "a,\"b\""],
                ["13800138000", "", "rich\n2", "", ""],
            ])
        #expect(read.lines == [3, 5, 9], "a line is the row of the sheet")
        #expect(read.unpacked?.summary == SheetSummary(rows: 4, mergedRanges: 1, emptyFormulas: 1))
        #expect(read.unpacked?.place == .row)
    }

    @Test("dates through styles, in both date systems")
    func dates() throws {
        let styles = """
            <numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>\
            <numFmt numFmtId="165" formatCode="[$-409]m/d/yy h:mm AM/PM;@"/><numFmt numFmtId="166" formatCode="[h]:mm"/>\
            <numFmt numFmtId="167" formatCode="000000"/><numFmt numFmtId="168" formatCode="0.00&quot;days&quot;"/></numFmts>\
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>\
            <cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/>\
            <xf numFmtId="167"/><xf numFmtId="168"/><xf numFmtId="21"/></cellXfs>
            """
        func row(_ number: Int, _ cells: [(Int, String)]) -> String {
            "<row r=\"\(number)\">" + cells.map { "<c s=\"\($0.0)\"><v>\($0.1)</v></c>" }.joined() + "</row>"
        }
        let header = Packing.rows([["a", "b", "c", "d", "e", "f", "g", "h"]])
        let rows =
            header
            + row(2, [
                (0, "45356"), (1, "45356"), (2, "45356"), (3, "45356.756944444445"), (4, "1.5"), (5, "501"),
                (6, "45356.5"), (7, "0.25"),
            ]) + row(3, [(0, "-3"), (1, "60"), (2, "1"), (3, "61"), (4, "0"), (5, "1234567"), (6, "1"), (7, "-1")])
        var book = Packing.Book(sheets: [("S", rows)], styles: styles)
        #expect(
            try Unwrapped(Packing.xlsx(book)).rows == [
                ["45356", "2024-03-05", "2024-03-05", "2024-03-05 18:10:00", "36:00:00", "000501", "45356.5", "06:00:00"],
                ["-3", "1900-02-29", "1900-01-01", "1900-03-01 00:00:00", "0:00:00", "1234567", "1", "-1"],
            ])
        book.is1904 = true
        let other = try Unwrapped(Packing.xlsx(book)).rows
        #expect(other[0][1] == "2028-03-06", "1,462 days later")
        #expect(other[1][2] == "1904-01-02")
    }

    @Test("the first sheet with rows is taken; a name or a number takes another")
    func sheets() throws {
        let book = Packing.Book(sheets: [
            ("Cover", ""), ("Title", Packing.rows([["only a header"]])), ("数据", Packing.rows([["x"], ["1"]])),
            ("2", Packing.rows([["y"], ["2"], ["3"]])),
        ])
        let bytes = Packing.xlsx(book)
        let read = try Unwrapped(bytes)
        #expect(read.unpacked?.sheet == "数据")
        #expect(read.unpacked?.sheets == ["Cover", "Title", "数据", "2"])
        #expect(try Unwrapped(bytes, sheet: "2").rows == [["2"], ["3"]], "a name goes before a number")
        #expect(try Unwrapped(bytes, sheet: "3").rows == [["1"]])
        #expect(code { _ = try Unwrapped(bytes, sheet: "5") } == "unknown_sheet")
        #expect(code { _ = try Unwrapped(bytes, sheet: "Cover") } == "empty_sheet")
        // Whoever names a wrong one is told which there are, by number and name.
        for (sheet, others) in [("5", "1 “Cover”, 2 “Title”, 3 “数据”, 4 “2”"), ("Cover", "2 “Title”, 3 “数据”, 4 “2”")] {
            let error = #expect(throws: ContainerError.self) { _ = try Unwrapped(bytes, sheet: sheet) }
            #expect(error?.words.en.contains(others) == true && error?.words.zh.contains(others) == true, "\(sheet)")
        }
        let empty = Packing.xlsx(Packing.Book(sheets: [("A", ""), ("B", "")]))
        let none = #expect(throws: ContainerError.self) { _ = try Unwrapped(empty) }
        #expect(none?.words.en.contains("1 “A”, 2 “B”") == true, "\(String(describing: none))")
        #expect(code { _ = try Unwrapped(Array("a,b\n1,2\n".utf8), sheet: "1") } == "no_sheets")
    }

    @Test("a row wider than the first thousand is refused by itself, with its row number")
    func wide() throws {
        let table: [[String?]] = (0..<1_200).map { ["\($0)", "x"] } + [["a", "b", "c"]]
        let read = try Unwrapped(Packing.workbook(Packing.rows(table)))
        #expect(read.rows.count == 1_199)
        #expect(read.rejects.map(\.line) == [1_201])
        #expect(read.rejects.map(\.reason) == [.tooManyFields(expected: 2, found: 3)])
        #expect(read.rejects.map(\.raw) == ["a,b,c"])
    }

    @Test("reading goes on at any record of an unpacked workbook with the same rows and lines")
    func resumes() throws {
        let table: [[String?]] = (0..<50).map { ["r\($0)", $0 % 3 == 0 ? nil : "a\n\($0)"] }
        var text: [UInt8] = []
        let bytes = Packing.workbook(Packing.rows(table, from: 3))
        let unpacked = try #require(try Unpacker(name: "b.xlsx", scratch: { MemoryScratch() }).unpack(ByteSource(bytes: bytes)) { text += $0 })
        var options = TabularOptions()
        unpacked.apply(to: &options)
        var reader = TabularReader(options: options, bytes: text)
        var whole: [(Int, [String])] = [], places: [Checkpoint] = []
        while let event = try reader.next() {
            guard case .record(let record) = event else { continue }
            whole.append((record.position.line, record.fields))
            places.append(reader.checkpoint)
        }
        #expect(whole.count == 49)
        let format = try #require(reader.format)
        for (index, place) in places.enumerated() {
            var again = try TabularReader(
                options: options, resuming: format, columns: reader.columns, at: place,
                source: source(Array(text[place.sourceOffset...]), pieces: [13]))
            var rest: [(Int, [String])] = []
            while let event = try again.next() {
                if case .record(let record) = event { rest.append((record.position.line, record.fields)) }
            }
            #expect(rest.map(\.0) == whole[(index + 1)...].map(\.0))
            #expect(rest.map(\.1) == whole[(index + 1)...].map(\.1))
        }
    }
}
