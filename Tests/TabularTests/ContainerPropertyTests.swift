import Testing

@testable import Tabular

@Suite("Properties of containers")
struct ContainerPropertyTests {
    private static let alphabet: [Character] = Array("ab1,;<&>\"'\n =张偉é😀_x")

    private static func table(_ generator: inout SeededGenerator) -> [[String?]] {
        let width = Int.random(in: 1...5, using: &generator)
        return [(0..<width).map { "c\($0)" }]
            + (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                (0..<width).map { column in
                    if column > 0, Bool.random(using: &generator) { return nil }
                    let length = Int.random(in: 0...6, using: &generator)
                    return "v" + String((0..<length).compactMap { _ in alphabet.randomElement(using: &generator) }) + "."
                }
            }
    }

    private static func json(_ table: [[String?]]) -> [UInt8] {
        var out: [UInt8] = []
        for (index, row) in table.dropFirst().enumerated() {
            out += Array((index == 0 ? "[ {" : " ,\n{").utf8)
            for (column, cell) in row.enumerated() {
                if column > 0 { out.append(Ascii.comma) }
                JSONString.append(Array("c\(column)".utf8), to: &out)
                out += Array(" : ".utf8)
                if let cell { JSONString.append(Array(cell.utf8), to: &out) } else { out += Array("null".utf8) }
            }
            out.append(UInt8(ascii: "}"))
        }
        return out + Array("\n]".utf8)
    }

    private static func xml(_ table: [[String?]]) -> [UInt8] {
        let rows = table.dropFirst().map { row in
            "<r>" + row.enumerated().map { "<c\($0.offset)>\(Packing.escaped($0.element ?? ""))</c\($0.offset)>" }.joined()
                + "</r>\n"
        }
        return Array("<list><n/><rows>\(rows.joined())<r><c0>last</c0></r></rows></list>".utf8)
    }

    @Test("what is written comes back cell for cell, however it is cut and wrapped")
    func roundTrip() throws {
        var generator = seeded("containers round trip")
        for turn in 0..<120 {
            let table = Self.table(&generator)
            let pieces = (0..<7).map { _ in Int.random(in: 1...40, using: &generator) }
            let expected = table.dropFirst().map { $0.map { $0 ?? "" } }
            func same(_ rows: [[String]], _ what: String) {
                let padded = rows.map { $0 + Array(repeating: "", count: max(0, table[0].count - $0.count)) }
                #expect(padded == Array(expected), "turn \(turn), \(what)")
            }
            let book = Packing.workbook(Packing.rows(table), stored: turn % 2 == 0)
            same(try Unwrapped(book, pieces: pieces).rows, "xlsx")
            same(try Unwrapped(Packing.gzip(book), pieces: pieces).rows, "xlsx.gz")
            same(try Unwrapped(Self.json(table), name: "a.json", pieces: pieces).rows, "json")
            same(try Unwrapped(Packing.zip([("x.json", Self.json(table))]), pieces: pieces).rows, "json in zip")
            same(Array(try Unwrapped(Self.xml(table), pieces: pieces).rows.dropLast()), "xml")
        }
    }

    @Test("cut off anywhere, a file gives an error or all of its rows, never fewer")
    func truncation() throws {
        let table: [[String?]] = [["a", "b"]] + (0..<6).map { ["\($0)", "text \($0)"] }
        let csv = "a,b\n" + (0..<6).map { "\($0),text \($0)\n" }.joined()
        let files: [(String, [UInt8])] = [
            ("gzip", Packing.gzip(csv)), ("xlsx", Packing.workbook(Packing.rows(table))),
            ("stored xlsx", Packing.xlsx(.init(sheets: [("S", Packing.rows(table))]), stored: true)),
            ("zip", Packing.zip([("a.csv", Array(csv.utf8))])), ("json", Self.json(table)), ("xml", Self.xml(table)),
        ]
        for (what, bytes) in files {
            let whole = try Unwrapped(bytes).rows
            #expect(whole.count >= 6)
            for length in 0..<bytes.count {
                guard let read = try? Unwrapped(Array(bytes[..<length])) else { continue }
                // The first bytes of a container alone may be taken for the header of a text: that has no rows.
                #expect(read.rows.isEmpty || read.rows == whole, "\(what) cut to \(length) bytes: \(read.rows)")
            }
        }
    }

    @Test("no bytes crash it: random ones, and good files with some bytes changed")
    func randomBytes() throws {
        var generator = seeded("container bytes")
        let table = Self.table(&generator)
        let seeds: [[UInt8]] = [
            Packing.gzip("a,b\n1,2\n"), Packing.workbook(Packing.rows(table)),
            Packing.xlsx(.init(sheets: [("S", Packing.rows(table))]), stored: true),
            Packing.zip([("a.csv", Array("a\n1\n".utf8))]), Self.json(table), Self.xml(table),
        ]
        var read = 0
        for turn in 0..<3_000 {
            var bytes = seeds[turn % seeds.count]
            if turn % 10 == 9 { bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in .random(in: 0...255, using: &generator) } }
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if (try? Unwrapped(bytes, pieces: [Int.random(in: 1...300, using: &generator)])) != nil { read += 1 }
        }
        #expect(read < 3_000, "something damaged must be noticed")
    }
}
