import TestSupport
import Testing

@testable import Kernel

@Suite("Folding")
struct FoldingTests {
    @Test(
        "spellings of one thing meet",
        arguments: [
            ("  Müller   GmbH ", "muller gmbh"), ("ＡＢＣ　１２３", "abc 123"), ("José\tÁlvarez", "jose alvarez"),
            ("王小明", "王小明"), ("王　小明", "王 小明"), ("O'Neill", "o'neill"), ("", ""), ("   ", ""),
            ("A\r\nB", "a b"), ("ÀÉÎÕÜ", "aeiou"), ("e\u{301}", "e"),
        ])
    func golden(text: String, expected: String) {
        #expect(Folding.fold(text) == expected)
    }

    @Test("folding twice changes nothing, and outer space or letter case never matter")
    func idempotent() {
        var random = SeededGenerator(seed: 21)
        let pool = Array("aZ9 \t\u{3000}\u{A0}éÉÜßØ王明ＡｚガカアｶﾞİıŞ'-.@e\u{301}")
        for _ in 0..<3_000 {
            let text = String(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    pool[Int.random(in: 0..<pool.count, using: &random)]
                })
            let folded = Folding.fold(text)
            #expect(Folding.fold(folded) == folded, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
            #expect(Folding.fold("  " + text + "\n") == folded)
        }
    }

    @Test("the fast way for ASCII and the general way give the same key")
    func asciiAgrees() {
        var random = SeededGenerator(seed: 22)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                UInt8.random(in: 1...126, using: &random)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            // A trailing Chinese character forces the general way.
            let general = Folding.fold(text + " 王")
            let fast = Folding.fold(text)
            #expect(general == (fast.isEmpty ? "王" : fast + " 王"), "\(bytes)")
        }
    }

    @Test("a prefix's range holds what begins so and nothing else, in the engine's byte order")
    func prefixRange() {
        func within(_ text: String, _ prefix: String) -> Bool {
            let low = Array(prefix.utf8), high = Array(Folding.prefixEnd(prefix).utf8), mine = Array(text.utf8)
            return !mine.lexicographicallyPrecedes(low) && mine.lexicographicallyPrecedes(high)
        }
        for text in ["wang", "wangz", "wang\u{7f}", "wang王", "wang🙂", "wang\u{10FFFD}"] {
            #expect(within(text, "wang"))
        }
        for text in ["wan", "wanf", "wanh", "wbng", "", "王"] { #expect(!within(text, "wang")) }
    }

    @Test("digits are found in any writing and made half-width")
    func digits() {
        #expect(Folding.digits("tel. +86 (138)-１２３４") == "861381234")
        #expect(Folding.digits("无 ١ ①") == "")
    }

    @Test("the short way of folding says the same as the long one")
    func folding() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("folding: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "王", "龍", "䶮", "鿿", "John", " ", "  ", "\t", "Ö", "é", "Ａ", "ｶ", "－", "O'Neil", "５", "㐀", "\u{3000}", "豈",
            "ß", "İ",
        ]
        for _ in 0..<300 {
            let name = (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? ""
            }.joined()
            #expect(Folding.fold(name) == Folding.foldedWhole(name), "\(name) seed \(seed)")
        }
    }
}
