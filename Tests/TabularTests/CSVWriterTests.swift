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
            ("+86 138-0013-8000", "+86 138-0013-8000"), ("+886 (2) 2345 6789", "+886 (2) 2345 6789"), 
            ("+1-2", "'+1-2"), ("+86 138 0013 8000x", "'+86 138 0013 8000x"), ("+86-138-0013-8000-", "'+86-138-0013-8000-"),
            ("'+86 138-0013-8000", "''+86 138-0013-8000"), ("+1 (234) 567 8901 23456", "'+1 (234) 567 8901 23456"),
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

    @Test("a number with grouped digits is a number")
    func grouped() {
        #expect(CSVWriter.guarded("-1,234.50") == "-1,234.50")
        #expect(CSVWriter.guarded("-1,23") == "'-1,23" && CSVWriter.guarded("-$5") == "'-$5")
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

    @Test("any value that is written is read again exactly, through quotes and guard")
    func roundTrip() throws {
        var generator = seeded("round trip")
        let soup: [Character] = Array("'=+-@\t\"\n,; ()0586a|!门號.")
        for _ in 0..<300 {
            let rows = (0..<8).map { _ in
                (0..<3).map { _ in
                    String(
                        (0..<Int.random(in: 1...9, using: &generator)).compactMap { _ in
                            soup.randomElement(using: &generator)
                        })
                }
            }
            var writer = CSVWriter()
            writer.row(["a", "b", "c"])
            for row in rows { writer.row(row) }
            let reading = try read(
                writer.take(), options: TabularOptions(name: "a.csv", delimiter: UInt8(ascii: ",")))
            #expect(reading.rows.map { $0.map(CSVWriter.unguarded) } == rows)
        }
    }

    @Test("no written cell is one that a spreadsheet runs")
    func defused() {
        var generator = seeded("defused")
        let soup: [Character] = Array("=+-@\tAB1(|!8 ")
        for _ in 0..<5_000 {
            let cell = String(
                (0..<Int.random(in: 1...8, using: &generator)).compactMap { _ in soup.randomElement(using: &generator) }
            )
            guard let first = CSVWriter.guarded(cell).first, "=+-@\t\r".contains(first) else { continue }
            #expect(!cell.contains { $0.isLetter || "=@|!\t".contains($0) } || Double(cell) != nil, "\(cell)")
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
