import Testing

@testable import Tabular

@Suite("Hostile and damaged containers")
struct HostileContainerTests {
    private static let ole: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]

    @Test("a gzip or ZIP bomb is stopped, by ratio and by size")
    func bombs() {
        var limits = ContainerLimits()
        limits.ratioFrom = 1 << 20
        let zeros = [UInt8](repeating: 0x61, count: 8 << 20)
        #expect(code { _ = try Unwrapped(Packing.gzip(zeros), limits: limits) } == "expands_too_far")
        #expect(code { _ = try Unwrapped(Packing.zip([("a.csv", zeros)]), limits: limits) } == "expands_too_far")
        limits = ContainerLimits()
        limits.bytesMax = 1_000
        let random = (0..<2_000).map { _ in UInt8.random(in: 0x61...0x7A) }
        #expect(code { _ = try Unwrapped(Packing.gzip(random), limits: limits) } == "expands_too_far")
    }

    @Test("archives in archives are refused")
    func nested() {
        let gzip = Packing.gzip("a,b\n1,2\n")
        #expect(code { _ = try Unwrapped(Packing.gzip(gzip)) } == "nested_archive")
        #expect(code { _ = try Unwrapped(Packing.zip([("a.gz", gzip)])) } == "nested_archive")
        let zip = Packing.zip([("a.csv", Array("a\n1\n".utf8))])
        #expect(code { _ = try Unwrapped(Packing.zip([("a.zip", zip)])) } == "nested_archive")
        #expect(code { _ = try Unwrapped(Packing.gzip(zip)) } == "nested_archive")
    }

    @Test("a truncated gzip, a wrong checksum and bytes behind the end are told apart")
    func gzip() {
        let good = Packing.gzip("a,b\n1,2\n")
        #expect(code { _ = try Unwrapped(Array(good.dropLast())) } == "gzip_truncated")
        var wrong = good
        wrong[good.count - 6] ^= 1
        #expect(code { _ = try Unwrapped(wrong) } == "gzip_checksum")
        #expect(code { _ = try Unwrapped(good + [0, 7]) } == "gzip_trailing_bytes")
        var damaged = good
        damaged[11] ^= 0xFF
        #expect(code { _ = try Unwrapped(damaged) }.hasPrefix("gzip_"))
    }

    @Test("old, encrypted, binary and other office files say what to do")
    func office() {
        let zeros = [UInt8](repeating: 0, count: 600)
        #expect(code { _ = try Unwrapped(Self.ole + zeros, name: "a.xlsx") } == "old_workbook")
        let mark = "EncryptedPackage".utf8.reduce(into: [UInt8]()) { $0 += [$1, 0] }
        #expect(code { _ = try Unwrapped(Self.ole + zeros + mark + zeros) } == "encrypted")
        #expect(code { _ = try Unwrapped(Packing.zip([("xl/workbook.bin", [1])])) } == "other_office_file")
        let ods: [(String, [UInt8])] = [("mimetype", [1]), ("content.xml", [1])]
        #expect(code { _ = try Unwrapped(Packing.zip(ods)) } == "other_office_file")
        #expect(code { _ = try Unwrapped(Packing.zip([("a.csv", [1])], flags: 1)) } == "encrypted")
        #expect(code { _ = try Unwrapped(Packing.zip([])) } == "empty_archive")
        #expect(code { _ = try Unwrapped(Packing.zip([("a.csv", [1]), ("b.csv", [2])])) } == "several_files")
        #expect(code { _ = try Unwrapped(Array("<html><table><tr>".utf8), name: "a.xls") } == "other_office_file")
    }

    @Test("entities, internal and external, are refused; so are unknown ones")
    func entities() throws {
        let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l><r>&b;</r><r/></l>"
        #expect(code { _ = try Unwrapped(Array(laughs.utf8)) } == "xml_entities")
        let external = "<!DOCTYPE l [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><l><r>&f;</r><r/></l>"
        #expect(code { _ = try Unwrapped(Array(external.utf8)) } == "xml_entities")
        let unknown = "<l><r>&nbsp;</r><r/></l>"
        #expect(code { _ = try Unwrapped(Array(unknown.utf8)) } == "xml_damaged")
        let dtd = "<!DOCTYPE l SYSTEM \"http://127.0.0.1:1/x.dtd\"><l><r><a>1</a></r><r><a>2</a></r></l>"
        #expect(try Unwrapped(Array(dtd.utf8)).rows == [["1"], ["2"]])
    }

    @Test("a hundred levels of nesting are refused in XML and are one bad record in JSON")
    func nesting() throws {
        let open = String(repeating: "<a>", count: 100), close = String(repeating: "</a>", count: 100)
        #expect(code { _ = try Unwrapped(Array("<l>\(open)1\(close)\(open)2\(close)</l>".utf8)) } == "too_deep")
        let deep = String(repeating: "{\"a\":", count: 100) + "1" + String(repeating: "}", count: 100)
        let read = try Unwrapped(Array("[{\"a\":1},\(deep)]".utf8))
        #expect(read.rows == [["1"]])
        #expect(read.rejects.map(\.reason) == [.tooDeep(limit: JSONFlattener.depthMax)])
        #expect(read.rejects.map(\.line) == [2])
        let bottomless = "[{\"a\":" + String(repeating: "[", count: 100_000)
        #expect(code { _ = try Unwrapped(Array(bottomless.utf8)) } == "too_deep")
    }

    @Test("damaged XML and JSON name the line", arguments: [
        ("<l>\n<r><a>1</a></r>\n<r><a>2</r></l>", "xml_damaged", "line 3"),
        ("<l><r><a>1</a></r>\n<r><a>2</a></r>\n", "xml_damaged", "line 3"),
        ("<l><r/><r/></l>\n<l/>", "xml_damaged", "line 2"),
        ("<l><r a=1/><r/></l>", "xml_damaged", "line 1"),
        ("[{\"a\":1},\n{\"a\":2}\n", "json_damaged", "line 3"),
        ("[{\"a\":1},\n{\"a\":2}]\n]", "json_damaged", "line 3"),
        ("[{\"a\":1}\n{\"a\":2}]", "json_damaged", "line 2"),
        ("[{\"a\":[1}]", "json_damaged", "line 1"),
    ])
    func places(text: String, expected: String, place: String) {
        do {
            let read = try Unwrapped(Array(text.utf8))
            Issue.record("was read: \(read.rows)")
        } catch let error as ContainerError {
            #expect(error.code == expected)
            #expect(error.words.en.contains(place), "\(error.words.en)")
            #expect(error.words.zh.contains(place.replacing("line ", with: "第 ")), "\(error.words.zh)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("a million empty columns cost nothing; a cell past column XFD is refused")
    func columns() throws {
        var rows = Packing.rows([["a", "b"]])
        rows += "<row r=\"2\"><c r=\"A2\"><v>1</v></c>"
        for column in 2..<16_384 { rows += "<c r=\"\(Packing.letters(column))2\" s=\"0\"/>" }
        let read = try Unwrapped(Packing.workbook(rows + "</row>"))
        #expect(read.columns == ["a", "b"])
        #expect(read.rows == [["1", ""]])
        let far = Packing.rows([["a"], ["1"]]) + "<row r=\"3\"><c r=\"XFE3\"><v>1</v></c></row>"
        #expect(code { _ = try Unwrapped(Packing.workbook(far)) } == "zip_damaged")
        let many = (0..<1_000_000).map { _ in "<c/>" }.joined()
        let million = Packing.rows([["a"], ["1"]]) + "<row r=\"3\">\(many)</row>"
        #expect(try Unwrapped(Packing.workbook(million)).rows == [["1"]])
    }

    @Test("rows that go backwards and texts that are not there are damage, not data")
    func sheetDamage() {
        let back = Packing.rows([["a"], ["1"]]) + "<row r=\"1\"><c><v>2</v></c></row>"
        #expect(code { _ = try Unwrapped(Packing.workbook(back)) } == "zip_damaged")
        let missing = Packing.rows([["a"]]) + "<row r=\"2\"><c t=\"s\"><v>5</v></c></row>"
        #expect(code { _ = try Unwrapped(Packing.workbook(missing)) } == "zip_damaged")
    }

    @Test("an empty file and a header alone stay what they were")
    func empty() throws {
        #expect(throws: TabularError.emptyFile) { try Unwrapped([]) }
        #expect(throws: TabularError.emptyFile) { try Unwrapped(Packing.gzip([])) }
        #expect(try Unwrapped(Packing.gzip("a,b\n")).rows.isEmpty)
        #expect(try Unwrapped(Packing.workbook(Packing.rows([["a", "b"]]))).columns == ["a", "b"])
        #expect(code { _ = try Unwrapped(Packing.workbook("")) } == "empty_sheet")
    }
}
