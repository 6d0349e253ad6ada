import Testing

@testable import Tabular

@Suite("Properties of random tables and random bytes")
struct PropertyTests {
    private static let alphabet: [Character] = Array("ab1,;\t|\"'\n\r =+-@张偉é😀 ")

    private static func cell(_ generator: inout SeededGenerator) -> String {
        let length = Int.random(in: 0...8, using: &generator)
        return String((0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
    }

    private static func pieces(_ generator: inout SeededGenerator) -> [Int] {
        (0..<7).map { _ in Int.random(in: 1...40, using: &generator) }
    }

    @Test("what CSVWriter writes is read back cell for cell, however it is cut into chunks")
    func roundTrip() throws {
        var generator = seeded("round trip")
        for turn in 0..<400 {
            let delimiter = DelimiterGuess.candidates[turn % 4]
            let width = Int.random(in: 1...6, using: &generator)
            let table = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                (0..<width).map { _ in PropertyTests.cell(&generator) }
            }
            var writer = CSVWriter(
                delimiter: delimiter, guardsFormulas: turn % 2 == 0, lineEnd: turn % 3 == 0 ? .lf : .crlf)
            writer.row((0..<width).map { "c\($0)" })
            for row in table { writer.row(row) }
            let options = DelimitedOptions(delimiter: delimiter)
            let text = String(decoding: writer.take(), as: UTF8.self)
            let reading = try parse(text, options, pieces: PropertyTests.pieces(&generator))
            let cells = turn % 2 == 0 ? reading.rows.map { $0.map(CSVWriter.unguarded) } : reading.rows
            #expect(cells == table, "turn \(turn)")
            #expect(reading.rejects.isEmpty, "turn \(turn)")
        }
    }

    @Test("the events do not depend on the chunks, whatever the text")
    func chunksDoNotMatter() throws {
        var generator = seeded("chunks")
        let soup = Array("a,\"\n\r\0b\"\",".unicodeScalars).map(Character.init)
        var options = DelimitedOptions()
        options.limits = TabularLimits(fieldBytesMax: 12, recordBytesMax: 30, columnsMax: 6, rawBytesMax: 16)
        for turn in 0..<3_000 {
            let length = Int.random(in: 0...120, using: &generator)
            let body = String((0..<length).compactMap { _ in soup.randomElement(using: &generator) })
            let text = "x,y\n" + body
            let whole = try parse(text, options, pieces: [10_000])
            let cut = try parse(text, options, pieces: PropertyTests.pieces(&generator))
            let single = try parse(text, options, pieces: [1])
            #expect(whole == cut, "turn \(turn): \(text.debugDescription)")
            #expect(whole == single, "turn \(turn): \(text.debugDescription)")
        }
    }

    @Test("every byte that is not a line end lands in a record or a reject")
    func nothingIsLost() throws {
        var generator = seeded("nothing is lost")
        let soup: [Character] = Array("ab,\"\n")
        for turn in 0..<3_000 {
            let length = Int.random(in: 0...80, using: &generator)
            let body = String((0..<length).compactMap { _ in soup.randomElement(using: &generator) })
            var parser = DelimitedParser()
            parser.push(Array(("x,y\n" + body).utf8))
            parser.finish()
            var kept = 0
            while let event = try parser.next() {
                switch event {
                case .record(let record): kept += record.rawBytes.count { $0 != 10 }
                case .reject(let reject): kept += reject.rawBytes.count { $0 != 10 }
                case .header, .lateColumns: break
                }
            }
            #expect(kept == body.utf8.count { $0 != 10 }, "turn \(turn): \(body.debugDescription)")
        }
    }

    @Test("no prefix and no damage of any file makes the reader crash")
    func neverCrashes() throws {
        var generator = seeded("never crashes")
        let texts: [[UInt8]] = try [
            bytes("姓名,电话\n张伟,13800000000\n\"李,娜\",\"a\nb\"\n", .gb18030), bytes("姓名,電話\n張偉,0912\n", .big5),
            utf16("a,b\n1,😀\n", bigEndian: false), utf16("a,b\n1,😀\n", bigEndian: true),
            bytes("{\"a\":1,\"b\":{\"c\":[1,2,{\"d\":null}]}}\n{\"a\":\"\\ud83d\\ude00\"}\n"),
            bytes("id;n\n1;\"x\"\"y\"\n"), [0x81, 0x30, 0x81, 0x30, 0x90, 0x30, 0x81, 0x30, 0x0A],
        ]
        var readings = 0
        for text in texts {
            for length in 0...text.count {
                var damaged = Array(text.prefix(length))
                for turn in 0..<4 {
                    if turn > 0, !damaged.isEmpty {
                        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                            in: 0...255, using: &generator)
                    }
                    for undecodable in [TabularOptions.OnUndecodable.fail, .reject, .replace] {
                        var options = TabularOptions(onUndecodable: undecodable)
                        if turn == 3 { options.encoding = TextEncoding.allCases.randomElement(using: &generator) }
                        if turn == 2 { options.kind = .jsonLines }
                        do {
                            _ = try read(damaged, options: options, pieces: [Int.random(in: 1...9, using: &generator)])
                        } catch is TabularError {
                            // A clear error is an answer too.
                        }
                        readings += 1
                    }
                }
            }
        }
        #expect(readings > 1_000)
    }

    @Test(
        "a reading resumed at any checkpoint gives what the rest of the first one gave",
        arguments: TextEncoding.allCases)
    func resume(_ encoding: TextEncoding) throws {
        var generator = seeded("resume \(encoding.rawValue)")
        let wide = encoding == .windows1252 ? "café" : encoding == .big5 ? "張偉電話" : "张伟电话"
        var text = "id,name,note\r\n"
        for row in 0..<60 {
            text += "\(row),\(wide)\(row),\"x\(Bool.random(using: &generator) ? "\r\n" : "")\(wide)\"\r\n"
            if row % 9 == 4 { text += "ragged,\(wide)\n\n" }
        }
        let file: [UInt8] =
            switch encoding {
            case .utf8: [0xEF, 0xBB, 0xBF] + Array(text.utf8)
            case .utf16LittleEndian: utf16(text, bigEndian: false)
            case .utf16BigEndian: utf16(text, bigEndian: true)
            case .gb18030: try bytes(text, .gb18030)
            case .big5: try bytes(text, .big5)
            case .windows1252: try bytes(text, .windowsCP1252)
            }
        let options = TabularOptions(name: "a.csv")
        var reader = TabularReader(options: options, source: source(file, pieces: PropertyTests.pieces(&generator)))
        var places: [(Checkpoint, Int)] = [], rest: [TabularEvent] = []
        while let event = try reader.next() {
            rest.append(event)
            places.append((reader.checkpoint, rest.count))
        }
        let format = try #require(reader.format)
        #expect(format.encoding == encoding)
        #expect(rest.count == 68)
        #expect(places.last?.0.sourceOffset == file.count)
        for (place, index) in places {
            var resumed = try TabularReader(
                options: options, resuming: format, columns: reader.columns, at: place,
                source: source(Array(file[place.sourceOffset...]), pieces: PropertyTests.pieces(&generator)))
            var expected = Reading(), found = Reading()
            for event in rest[index...] { expected.add(event) }
            while let event = try resumed.next() { found.add(event) }
            #expect(found == expected, "at \(place)")
        }
    }
}
