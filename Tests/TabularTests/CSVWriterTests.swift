import Testing

@testable import Tabular

@Suite("Writing CSV")
struct CSVWriterTests {
    private func line(_ cells: [String?], guards: Bool = true) -> String {
        var writer = CSVWriter(guardsFormulas: guards, lineEnd: .lf)
        writer.row(cells)
        return String(decoding: writer.take(), as: UTF8.self)
    }

    @Test("fields are quoted where RFC 4180 asks for it")
    func quoting() {
        #expect(line(["a", "b,c", "d\"e", "f\ng", nil, " h"]) == "a,\"b,c\",\"d\"\"e\",\"f\ng\",,\" h\"\n")
        #expect(line([""]) == "\"\"\n")
        #expect(line([nil, ""]) == ",\n")
    }

    @Test(
        "a cell a spreadsheet would run gets an apostrophe, a number does not",
        arguments: [
            ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("\tx", "'\tx"), ("-", "'-"), ("-5", "-5"), ("+8613812345678", "+8613812345678"), ("-1.5e3", "-1.5e3"),
            ("'=x", "''=x"), ("'quoted'", "'quoted'"), ("'-5", "''-5"), ("plain", "plain"), ("", ""), ("'", "'"),
        ])
    func guarding(_ cell: String, _ stored: String) {
        #expect(CSVWriter.guarded(cell) == stored)
        #expect(CSVWriter.unguarded(stored) == cell)
        #expect(line([cell], guards: false).dropLast() == (cell.isEmpty ? "\"\"" : cell))
    }

    @Test("a guarded carriage return is quoted as well")
    func carriageReturn() {
        #expect(line(["\r=1"]) == "\"'\r=1\"\n")
    }

    @Test("undoing the guard restores any cell")
    func anyCell() {
        var generator = seeded("guard")
        let soup: [Character] = Array("'=+-@\t\r5.a")
        for _ in 0..<5_000 {
            let cell = String(
                (0..<Int.random(in: 0...5, using: &generator)).compactMap { _ in soup.randomElement(using: &generator) }
            )
            #expect(CSVWriter.unguarded(CSVWriter.guarded(cell)) == cell)
        }
    }

    @Test("a byte order mark for Excel is written once and read away")
    func mark() throws {
        var writer = CSVWriter(byteOrderMark: true)
        writer.row(["名", "b"])
        writer.row(["1", "2"])
        let file = writer.take()
        #expect(file.starts(with: [0xEF, 0xBB, 0xBF]))
        #expect(writer.bytes.isEmpty)
        #expect(writer.rows == 2)
        let reading = try read(file)
        #expect(reading.header == ["名", "b"])
    }
}
