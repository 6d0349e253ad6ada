import Testing

@testable import Tabular

@Suite("Titles above a heading, and numbers a spreadsheet cannot hold")
struct SheetTitleTests {
    private func code(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? ContainerError)?.code }
        return nil
    }

    @Test("rows of one cell above the heading are skipped and said, and rows keep their numbers")
    func title() throws {
        let table: [[String?]] = [
            ["客户清单 2026"], ["制表：王伟"], ["id", "name", "city"], ["1", "a", "b"], ["2", "c", nil],
        ]
        let read = try Unwrapped(Packing.workbook(Packing.rows(table)))
        #expect(read.columns == ["id", "name", "city"] && read.lines == [4, 5])
        #expect(read.unpacked?.summary?.skipped == 2 && read.unpacked?.summary?.titles == ["客户清单 2026", "制表：王伟"])
        #expect(read.unpacked?.summary?.rows == 3)
    }

    @Test("what may be a table is not taken for a title: a column alone, a heading of two, many single cells, no rows below")
    func noTitle() throws {
        let tables: [[[String?]]] = [
            [["name"], ["a"], ["b"]], [["id"], ["1", "a"], ["2", "b"]],
            (0..<6).map { ["t\($0)"] } + [["id", "name", "city"], ["1", "a", "b"]],
            [["only"], ["id", "name", "city"]], [["id", "name", "city"], ["1"], ["2", "b", "c"]],
        ]
        for table in tables {
            let read = try Unwrapped(Packing.workbook(Packing.rows(table)))
            #expect(read.unpacked?.summary?.skipped == nil && read.columns.first == table[0][0], "\(table)")
        }
    }

    @Test("rows of two cells above words that stand over figures are a title; above anything else they are not")
    func pairs() throws {
        let title: [[String?]] = [["客户名单", nil, "2026年11月"], ["制表", "王"]]
        let read = try Unwrapped(Packing.workbook(Packing.rows(title + [["客户号", "姓名", "手机号码"], ["Y3", "周三", "13900600003"]])))
        #expect(read.columns == ["客户号", "姓名", "手机号码"] && read.lines == [4] && read.unpacked?.summary?.skipped == 2)
        let tables: [[[String?]]] = [
            [["id", "name"], ["1", "a", "x"], ["2", "b", "y"]], [["name", "city"], ["a", "b", "c"], ["d", "e", "f"]],
            [["id", "name"], ["u", "a", "x"], ["2", "b"]],
        ]
        for table in tables { #expect(try Unwrapped(Packing.workbook(Packing.rows(table))).unpacked?.summary?.skipped == nil, "\(table)") }
    }

    @Test("lines of a text above the heading are skipped, whatever it is written in and packed in; the others keep their numbers")
    func lines() throws {
        let text = "报表,2026,十月\r\n\r\nid,name\r\n1,\"a\nb\"\r\n2,c\r\n"
        let utf16 = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let plain = Array(text.utf8)
        for bytes in [plain, [0xEF, 0xBB, 0xBF] + plain, [0xFF, 0xFE] + utf16, Packing.gzip(plain)] {
            #expect(try Unwrapped(bytes, skipRows: 2).columns == ["id", "name"])
            #expect(try Unwrapped(bytes, skipRows: 2).unpacked?.summary?.skipped == 2)
            #expect(try Unwrapped(bytes, skipRows: 1).columns == ["id", "name"], "the empty line is none")
            #expect(try Unwrapped(bytes, skipRows: 0).columns.first == "报表")
        }
        #expect(try Unwrapped(plain, skipRows: 2).lines == [4, 6])
        // Longer than what is looked at first.
        let long = Array((String(repeating: "x", count: 600_000) + "\nid,name\n1,a\n").utf8)
        #expect(try Unwrapped(long, skipRows: 1).columns == ["id", "name"])
    }

    @Test("a title above the heading of a text is found, whatever it is written in; what may be a table is none")
    func titledText() throws {
        let text = "客户对账清单 2026\r\n导出人,林,部门,财务\r\n\r\n客户号,姓名,证件号码,手机号,出生日期,地址,城市,邮箱,月租\r\nB1,王,,139,,\"a\nb\",,,1\r\n"
        let utf16 = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        for bytes in [Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), [0xFF, 0xFE] + utf16, Packing.gzip(Array(text.utf8))] {
            let read = try Unwrapped(bytes)
            #expect(read.columns.first == "客户号" && read.columns.count == 9 && read.lines == [5], "\(read.columns) \(read.lines)")
            #expect(read.unpacked?.summary?.titles == ["客户对账清单 2026", "导出人 林 部门 财务"])
            #expect(try Unwrapped(bytes, skipRows: 0).columns.first == "客户对账清单 2026")
        }
        #expect(try Unwrapped(Array("Report\nid;name;city\n1;a;b\n".utf8)).columns == ["id", "name", "city"])
        for plain in [
            "id,name,city\n1,a,b\n", "name\nSmith, John, Jr\nJones, Ann, Ms\n", "id,name\n1,a,x,y\n2,b,x,y\n", "t\na1,b,c\n1,2,3\n",
            "title\nid,name,city\n", "{\"a\":1}\n{\"a\":2}\n", "id,name,city\nx\n1,b,c\n", "a\n\"x\ny\",b,c\n1,2,3\n",
        ] {
            #expect(try Unwrapped(Array(plain.utf8)).unpacked == nil, "\(plain)")
        }
    }

    @Test("so many rows as are asked are skipped, none when none is asked")
    func asked() throws {
        let table: [[String?]] = [["t", "x", "y"], ["id", "name", "city"], ["1", "a", "b"], ["2", "c", "d"]]
        let book = Packing.workbook(Packing.rows(table))
        #expect(try Unwrapped(book, skipRows: 1).columns == ["id", "name", "city"])
        #expect(try Unwrapped(book, skipRows: 1).unpacked?.summary?.skipped == 1)
        #expect(try Unwrapped(book).columns == ["t", "x", "y"])
        let titled = Packing.workbook(Packing.rows([["title"]] + table))
        #expect(try Unwrapped(titled).columns == ["t", "x", "y"])
        #expect(try Unwrapped(titled, skipRows: 0).columns.first == "title")
        #expect(try Unwrapped(titled, skipRows: 2).columns == ["id", "name", "city"])
        #expect(code { _ = try Unwrapped(Array("{\"a\":1}\n{\"a\":2}\n".utf8), skipRows: 1) } == "no_rows_to_skip")
        #expect(code { _ = try Unwrapped(Array("[{\"a\":1},{\"a\":2}]".utf8), skipRows: 1) } == "no_rows_to_skip")
        #expect(code { _ = try Unwrapped(book, skipRows: 9) } == "empty_sheet")
    }

    @Test(
        "a number of more than 15 digits is written as one that has lost some; 15 digits, texts and dates are what they were",
        arguments: [
            ("8986001234567890123", "8.98600123456789E+18"), ("8.98600123456789E+18", "8.98600123456789E+18"),
            ("89860012345678901234", "8.98600123456789E+19"), ("1234567890123456", "1.234567890123456E+15"),
            ("999999999999999", "999999999999999"), ("-1234567890123456", "-1.234567890123456E+15"),
            ("0.1234567890123456789", "0.12345678901234568"), ("13800138000", "13800138000"),
        ])
    func digits(raw: String, written: String) throws {
        let rows =
            "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>id</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>n</t></is></c></row>"
            + "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>8986001234567890123</t></is></c><c r=\"B2\"><v>\(raw)</v></c></row>"
        let read = try Unwrapped(Packing.workbook(rows))
        let found = try #require(read.rows.first)
        #expect(found[0] == "8986001234567890123", "a text keeps its digits")
        let isLost = written.contains("E+")
        if isLost { #expect(found[1].prefix(15) == written.prefix(15) && found[1].suffix(4) == written.suffix(4), "\(found)") }
        if !isLost { #expect(found[1] == written) }
        #expect(read.unpacked?.summary?.longNumbers == (isLost ? 1 : nil))
        #expect(read.unpacked?.summary?.longNumberAt == (isLost ? "B2" : nil))
    }
}
