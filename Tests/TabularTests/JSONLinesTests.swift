import Foundation
import Testing

@testable import Tabular

@Suite("JSON Lines")
struct JSONLinesTests {
    private func json(_ text: String, header: Int = 100, arrays: JSONArrays = .joined, pieces: [Int] = [1 << 16]) throws
        -> (reading: Reading, records: [Record])
    {
        var options = TabularOptions(name: "a.jsonl", arrays: arrays)
        options.jsonHeaderRecords = header
        var reader = TabularReader(options: options, source: source(Array(text.utf8), pieces: pieces))
        var reading = Reading(), records: [Record] = []
        while let event = try reader.next() {
            reading.add(event)
            if case .record(let record) = event { records.append(record) }
        }
        return (reading, records)
    }

    @Test("objects become fields by dotted path, types and number text are kept")
    func flatten() throws {
        let (reading, records) = try json(
            #"{"id":7,"name":"张\u4f1f \ud83d\ude00","address":{"city":"Paris","geo":{"lat":48.850}},"on":true,"note":null}"#
                + "\n")
        #expect(reading.header == ["id", "name", "address.city", "address.geo.lat", "on", "note"])
        #expect(reading.rows == [["7", "张伟 😀", "Paris", "48.850", "true", ""]])
        let record = try #require(records.first)
        #expect((0..<7).map(record.kind) == [.number, .string, .string, .number, .boolean, .null, .absent])
        #expect(record.isNull(5))
        #expect(!record.isNull(1))
    }

    @Test("the header is the union of the first records' keys; late keys are announced before their record")
    func header() throws {
        let text = #"{"a":1}"# + "\n" + #"{"b":2,"a":3}"# + "\n\n" + #"{"c":4}"# + "\n" + #"{"c":5,"d":{"e":6}}"# + "\n"
        let (reading, records) = try json(text, header: 2)
        #expect(reading.header == ["a", "b"])
        #expect(reading.late == ["c", "d.e"])
        #expect(reading.order == "hrrlrlr")
        #expect(reading.rows == [["1"], ["3", "2"], ["", "", "4"], ["", "", "5", "6"]])
        #expect(records[2].kind(0) == .absent)
        #expect(reading.rowLines == [1, 2, 4, 5])
        #expect(try json(text).reading.header == ["a", "b", "c", "d.e"])
    }

    @Test("arrays of scalars are joined, others stay JSON text")
    func arrays() throws {
        let text = #"{"a":["x","y",3,true],"b":["p;q","r"],"c":[{"k":1},[2]],"d":[],"e":[null,1],"f":{}}"#
        #expect(
            try json(text).reading.rows == [["x;y;3;true", #"["p;q","r"]"#, #"[{"k":1},[2]]"#, "", "[null,1]", "{}"]])
        #expect(try json(text, arrays: .json).reading.rows.first?.first == #"["x","y",3,true]"#)
    }

    static let bad: [(String, String, Int)] = [
        (#"{"a":1,"a":2}"#, "duplicate_key", 8), (#"{"a":{"b":1},"a":{"c":2}}"#, "duplicate_key", 14),
        (#"{"a.b":1,"a":{"b":2}}"#, "duplicate_key", 15), (#"{"a":[{"k":1,"k":2}]}"#, "duplicate_key", 14),
        (#"{"a":"\ud83d"}"#, "lone_surrogate", 7), (#"{"a":"\ude00x"}"#, "lone_surrogate", 7),
        (#"{"a":"\ud83d\u0041"}"#, "lone_surrogate", 7), (#"{"a":"x\u0000"}"#, "nul_character", 8),
        (#"{"a":1e999}"#, "number_overflow", 6), (#"{"a":-1E400}"#, "number_overflow", 6),
        (String(repeating: #"{"a":"#, count: 33) + "1" + String(repeating: "}", count: 33), "too_deep", 161),
        (#"{"a":"# + String(repeating: "[", count: 32) + String(repeating: "]", count: 32) + "}", "too_deep", 37),
        (#"[1,2]"#, "not_an_object", 1), (#""text""#, "not_an_object", 1), (#"{"a":1} x"#, "json_syntax", 9),
        (#"{"a":1"#, "json_syntax", 7), (#"{"a" 1}"#, "json_syntax", 6), (#"{'a':1}"#, "json_syntax", 2),
        (#"{"a":01}"#, "json_syntax", 7), (#"{"a":1.}"#, "json_syntax", 8), (#"{"a":+1}"#, "json_syntax", 6),
        (#"{"a":tru}"#, "json_syntax", 9), (#"{"a":"\x"}"#, "json_syntax", 7), (#"{"a":1,}"#, "json_syntax", 8),
        ("{\"张\":\"a\tb\"}", "json_syntax", 8), (#"{"a":NaN}"#, "json_syntax", 6), (#"{"a":"abc"#, "json_syntax", 10),
        ("{\"a\":\"x\0\"}", "nul_character", 8),
    ]

    @Test("bad lines are rejected with line and column, and their neighbours are read", arguments: bad)
    func strict(_ line: String, _ code: String, _ column: Int) throws {
        let (reading, _) = try json(#"{"a":1}"# + "\n" + line + "\n" + #"{"a":2}"# + "\n")
        #expect(reading.rejectCodes == [code], "\(reading.rejects)")
        #expect(reading.rejects.first?.line == 2)
        #expect(reading.rejects.first?.column == column)
        #expect(reading.rejects.first?.raw == line)
        #expect(reading.header == ["a"])
        #expect(reading.rows == [["1"], ["2"]])
    }

    @Test("depth 32 is read")
    func depth() throws {
        let text = String(repeating: #"{"a":"#, count: 32) + "1" + String(repeating: "}", count: 32)
        #expect(try json(text).reading.rows == [["1"]])
    }

    @Test("what we accept, Foundation accepts too, with the same values")
    func againstFoundation() throws {
        var generator = seeded("json against Foundation")
        let soup = Array(#"{}[]",:\u0dD8e1-.+ tn"#)
        var accepted = 0
        for turn in 0..<20_000 {
            var characters = Array(#"{"k":"v\n","n":-1.5e2,"b":true}"#)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let at = Int.random(in: 0..<characters.count, using: &generator)
                if Bool.random(using: &generator) {
                    characters.remove(at: at)
                } else {
                    characters.insert(soup.randomElement(using: &generator) ?? " ", at: at)
                }
            }
            let line = String(characters)
            var parser = JSONLinesParser()
            parser.push(Array(line.utf8))
            parser.finish()
            var record: Record?
            while let event = parser.next() { if case .record(let found) = event { record = found } }
            guard let record else { continue }
            accepted += 1
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "turn \(turn): \(line)")
            for (index, column) in parser.columns.enumerated()
            where record.kind(index) == .string && object[column] is String {
                #expect(object[column] as? String == record.field(index))
            }
        }
        #expect(accepted > 2_000)
    }

    @Test("a line over the limit is one reject in bounded memory, however it is cut")
    func longLine() throws {
        var options = TabularOptions(name: "a.jsonl")
        options.limits = TabularLimits(fieldBytesMax: 100, recordBytesMax: 200, rawBytesMax: 10)
        let text =
            #"{"a":1}"# + "\n" + #"{"a":""# + String(repeating: "x", count: 5_000) + "\"}\n" + #"{"a":2}"#
            + "\n" + #"{"a":""# + String(repeating: "x", count: 150) + "\"}\n"
        for pieces in [[1], [64], [100_000]] {
            let reading = try read(Array(text.utf8), options: options, pieces: pieces)
            #expect(reading.rejectCodes == ["record_too_long", "field_too_long"])
            #expect(reading.rejects.map(\.line) == [2, 4])
            #expect(reading.rejects.map(\.raw) == [#"{"a":"xxxx"#, #"{"a":"xxxx"#])
            #expect(reading.rows == [["1"], ["2"]])
        }
    }

    @Test("a reading resumed at any checkpoint goes on with the same columns")
    func resume() throws {
        let text = (0..<20).map { #"{"id":\#($0),"k\#($0 % 5)":"v"}"# + ($0 == 7 ? "\n{bad}\n" : "\n") }.joined()
        let options = TabularOptions(name: "a.ndjson", jsonHeaderRecords: 3)
        let file = Array(text.utf8)
        var reader = TabularReader(options: options, source: source(file, pieces: [11]))
        var events: [TabularEvent] = [], places: [(Checkpoint, [String])] = []
        while let event = try reader.next() {
            events.append(event)
            places.append((reader.checkpoint, reader.columns))
        }
        let format = try #require(reader.format)
        #expect(format.kind == .jsonLines)
        #expect(places.last?.0.sourceOffset == file.count)
        for (index, (place, columns)) in places.enumerated() {
            if case .lateColumns = events[index] { continue }
            var resumed = try TabularReader(
                options: options, resuming: format, columns: columns, at: place,
                source: source(Array(file[place.sourceOffset...])))
            var expected = Reading(), found = Reading()
            for event in events[(index + 1)...] { expected.add(event) }
            while let event = try resumed.next() { found.add(event) }
            #expect(found == expected, "at \(place)")
        }
    }
}
