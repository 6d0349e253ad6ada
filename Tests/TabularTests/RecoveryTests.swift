import Testing

@testable import Tabular

@Suite("Bad records never take their neighbours along")
struct RecoveryTests {
    @Test("a quote that never closes names the line it began on and loses only that line")
    func unclosedAtEnd() throws {
        let reading = try parse("a,b,c\n1,2,3\n4,\"five,6\n7,8,9\n10,11,12\n")
        let reject = try #require(reading.rejects.first)
        #expect(reading.rejectCodes == ["unclosed_quote"])
        #expect((reject.line, reject.column, reject.field) == (3, 3, 2))
        #expect(reject.raw == "4,\"five,6")
        #expect(reading.rows == [["1", "2", "3"], ["7", "8", "9"], ["10", "11", "12"]])
        #expect(reading.rowLines == [2, 4, 5])
    }

    @Test("a quote on the very last line that never closes")
    func unclosedOnLastLine() throws {
        for end in ["", "\n"] {
            let reading = try parse("a,b\n1,2\n3,\"four" + end)
            #expect(reading.rejectCodes == ["unclosed_quote"])
            #expect(reading.rejects.first?.line == 3)
            #expect(reading.rejects.first?.raw == "3,\"four")
            #expect(reading.rows == [["1", "2"]])
        }
    }

    @Test("a stray quote that meets a good quoted field lines below is still blamed on its own line")
    func strayMeetsQuoted() throws {
        let reading = try parse("a,b,c\n1,\"bad,3\n4,5,6\n7,\"good\",9\n10,\"x,y\",12\n")
        #expect(reading.rejects.map(\.reason) == [.unclosedQuote])
        #expect(reading.rejects.first?.line == 2)
        #expect(reading.rows == [["4", "5", "6"], ["7", "good", "9"], ["10", "x,y", "12"]])
    }

    @Test("a stray quote that closes neatly but makes the row ragged is blamed on its own line")
    func strayMakesRagged() throws {
        let reading = try parse("a,b,c\n1,\"bad,3\n4,\",\",6\n7,8,9\n")
        #expect(reading.rejects.map(\.reason) == [.unclosedQuote])
        #expect(reading.rejects.first?.raw == "1,\"bad,3")
        #expect(reading.rows == [["4", ",", "6"], ["7", "8", "9"]])
    }

    @Test("a stray quote behind a good field that spans lines is the one that is named")
    func strayBehindSpanning() throws {
        let reading = try parse("a,b,c\n1,\"two\nlines\",\"bad\n4,5,6\n7,8,9\n")
        #expect(reading.rejects.map(\.reason) == [.unclosedQuote])
        #expect(reading.rejects.first?.line == 3)
        #expect(reading.rejects.first?.column == 8)
        #expect(reading.rejects.first?.raw == "1,\"two\nlines\",\"bad")
        #expect(reading.rows == [["4", "5", "6"], ["7", "8", "9"]])
    }

    @Test("a ragged row with a good field that spans lines is one reject, not several")
    func raggedSpanning() throws {
        let reading = try parse("a,b,c\n1,\"note\nsecond line\"\n4,5,6\n")
        #expect(reading.rejects.map(\.reason) == [.tooFewFields(expected: 3, found: 2)])
        #expect(reading.rejects.first?.raw == "1,\"note\nsecond line\"")
        #expect(reading.rows == [["4", "5", "6"]])
    }

    @Test(
        "a field of 10 MB is one reject with line and column, memory stays bounded, the next record is read",
        arguments: [false, true])
    func tenMegabytes(isQuoted: Bool) throws {
        let quote = isQuoted ? "\"" : ""
        let filler = isQuoted ? "lorem, ipsum \"\"dolor\"\"\nsit amet " : "lorem ipsum dolor "
        var parser = DelimitedParser()
        var reading = Reading(), largest = 0
        func drain() throws { while let event = try parser.next() { reading.add(event) } }
        parser.push(Array("a,b,c\n1,2,3\n4,\(quote)".utf8))
        try drain()
        let piece = Array(String(repeating: filler, count: 2_000).utf8)
        var sent = 0
        while sent < 10_000_000 {
            parser.push(piece)
            sent += piece.count
            try drain()
            largest = max(largest, parser.buffer.count)
        }
        parser.push(Array("\(quote),6\n7,8,9\n".utf8))
        parser.finish()
        try drain()
        #expect(reading.rejects.map(\.reason) == [.fieldTooLong(limit: 1 << 20)])
        let reject = try #require(reading.rejects.first)
        #expect((reject.line, reject.column, reject.field) == (3, 3, 2))
        #expect(reject.rawBytes.count == 64 << 10)
        #expect(reject.isRawCut)
        #expect(reject.position.endOffset - reject.position.offset > 10_000_000)
        #expect(reading.rows == [["1", "2", "3"], ["7", "8", "9"]])
        #expect(largest < 1_300_000)
    }

    @Test("a stray quote in a large file is found at the size limit and costs one line")
    func strayInLargeFile() throws {
        let rows = 60_000
        var text = "id,name,plan\n"
        for row in 1...rows { text += row == 100 ? "100,\"stray,x\n" : "\(row),customer \(row),plan \(row % 7)\n" }
        #expect(text.utf8.count > 1 << 20)
        let reading = try parse(text)
        #expect(reading.rejects.map(\.reason) == [.unclosedQuote])
        #expect(reading.rejects.first?.line == 101)
        #expect(reading.rows.count == rows - 1)
        #expect(reading.rowLines.last == rows + 1)
    }

    @Test("an oversize quoted field that never closes is named as such at the end")
    func oversizeUnclosed() throws {
        var options = DelimitedOptions()
        options.limits = TabularLimits(fieldBytesMax: 100, recordBytesMax: 1_000)
        let reading = try parse("a,b\n1,\"" + String(repeating: "x", count: 500), options)
        #expect(reading.rejects.map(\.reason) == [.unclosedQuote])
        #expect(reading.rejects.first?.line == 2)
    }

    @Test("a record over its limit is one reject")
    func recordTooLong() throws {
        var options = DelimitedOptions()
        options.limits = TabularLimits(fieldBytesMax: 50, recordBytesMax: 100, rawBytesMax: 20)
        let long = (0..<60).map { "field \($0)" }.joined(separator: ",")
        for pieces in [[1], [7], [1_000]] {
            let reading = try parse("a,b\n1,2\n\(long)\n3,4\n", options, pieces: pieces)
            #expect(reading.rejects.map(\.reason) == [.recordTooLong(limit: 100)])
            #expect(reading.rejects.first?.raw == String(long.prefix(20)))
            #expect(reading.rows == [["1", "2"], ["3", "4"]])
        }
    }

    @Test("going back is paid for: a file made of stray quotes is read in linear time")
    func hostileQuotes() throws {
        var options = DelimitedOptions()
        options.limits = TabularLimits(fieldBytesMax: 4_000, recordBytesMax: 16_000)
        let text = "a,b\n" + String(repeating: "x\",\"\n", count: 400_000)
        let clock = ContinuousClock()
        var reading = Reading()
        let time = try clock.measure { reading = try parse(text, options) }
        #expect(time < .seconds(60))
        #expect(reading.rejects.count + reading.rows.count > 100)
    }
}
