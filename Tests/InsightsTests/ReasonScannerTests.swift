import Foundation
import Testing

@testable import Insights

@Suite("Reasons read without Foundation")
struct ReasonScannerTests {
    private func decoded(_ text: String) -> StoredReasons? {
        try? JSONDecoder().decode(StoredReasons.self, from: Data(text.utf8))
    }

    @Test("what is written is read, and as the decoder reads it")
    func same() throws {
        for (number, value) in ["0", "1.5e-7", "北京", "", "a b"].enumerated() {
            var reasons = StoredReasons(
                raising: [
                    .init(
                        column: "contract_term", value: value, kind: .numeric, contribution: 0.1 + Double(number),
                        below: 0, above: 1e-9),
                    .init(column: "attr.x", value: nil, kind: .presence, contribution: -0.323, below: nil, above: nil),
                ], lowering: [])
            if number > 1 { reasons.changes = [.init(column: "plan", value: value, probability: 0.125)] }
            let text = try reasons.encoded()
            let scanned = try #require(ReasonScanner.scan(text))
            #expect(scanned == reasons)
            #expect(scanned == decoded(text))
        }
    }

    @Test("what needs the decoder is left to it")
    func left() throws {
        let reasons = StoredReasons(
            raising: [
                .init(
                    column: "a/b", value: "say \"no\"\n", kind: .categorical, contribution: 1, below: nil, above: nil)
            ], lowering: [])
        let text = try reasons.encoded()
        #expect(ReasonScanner.scan(text) == nil)
        #expect(StoredReasons.decode(text) == reasons)
    }

    @Test(
        "nothing broken is read",
        arguments: [
            "", "{", "{}", "{\"l\":[]}", "{\"l\":[],\"r\":[]", "{\"l\":[],\"r\":[]}x", "{\"l\":[],\"r\":[],}",
            "{\"l\":[],\"l\":[],\"r\":[]}", "{\"l\":[],\"r\":[{\"c\":\"x\"}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"numeric\",\"w\":nan}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"numeric\",\"w\":0x1}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"numeric\",\"w\":01}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"numeric\",\"w\":1.}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"numeric\",\"w\":-}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x\",\"k\":\"none such\",\"w\":1}]}",
            "{\"l\":[],\"r\":[{\"c\":\"x,\"k\":\"numeric\",\"w\":1}]}", "{\"l\":[],\"r\":[],\"x\":[{\"c\":\"x\"}]}",
        ])
    func broken(_ text: String) {
        // The decoder, to which it is left, takes two of these: a comma too many, a key given twice.
        #expect(ReasonScanner.scan(text) == nil)
    }
}
