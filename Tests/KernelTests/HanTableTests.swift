import Foundation
import TestSupport
import Testing

@testable import Kernel

@Suite("The tables of Chinese characters")
struct HanTableTests {
    private static let block = (UInt32(0x4E00)...0x9FFF).compactMap(Unicode.Scalar.init)
    private static let folder = Checkout.root + "/Sources/Kernel/Data/"

    /// Stored keys hold readings. Where a new ICU reads otherwise, either the files stay and this test says so, or they are recorded
    /// again (SWITCHBOARD_RECORD=1) with a migration that makes the keys anew.
    @Test("the files say what ICU says, of every character of the block")
    func files() throws {
        let (pinyin, simplified) = (HanTables.pinyin(Self.block), HanTables.simplified(Self.block))
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] != nil { try Self.record(pinyin, simplified) }
        var differing: [String] = []
        for (scalar, (reading, simple)) in zip(Self.block, zip(pinyin, simplified))
        where Han.pinyin(scalar) != reading || Han.simplified(scalar) != simple ?? scalar {
            differing.append(String(scalar))
        }
        #expect(differing.isEmpty, "\(differing.count): \(differing.prefix(20))")
    }

    private static func record(_ pinyin: [[UInt8]], _ simplified: [Unicode.Scalar?]) throws {
        let readings = Dictionary(grouping: zip(block, pinyin).filter { !$1.isEmpty }) { String(decoding: $1, as: UTF8.self) }
        let lines = readings.keys.sorted().map { reading in
            reading + "\t" + (readings[reading] ?? []).map { String($0.0) }.joined()
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try (lines.joined(separator: "\n") + "\n").write(toFile: folder + "pinyin.tsv", atomically: true, encoding: .utf8)
        let pairs = zip(block, simplified).compactMap { own, simple in simple.map { (own, $0) } }
        let rows = stride(from: 0, to: pairs.count, by: 40).map { start in
            let row = pairs[start..<min(start + 40, pairs.count)]
            return row.map { String($0.0) }.joined() + "\t" + row.map { String($0.1) }.joined()
        }
        try (rows.joined(separator: "\n") + "\n").write(toFile: folder + "simplified.tsv", atomically: true, encoding: .utf8)
    }

    @Test("characters are read and simplified, everything else is left", arguments: [("張", "张", "zhang"), ("國", "国", "guo"), ("王", "王", "wang")])
    func some(own: String, simple: String, reading: String) throws {
        let scalar = try #require(own.unicodeScalars.first)
        #expect(String(Han.simplified(scalar)) == simple && String(decoding: Han.pinyin(scalar), as: UTF8.self) == reading)
        #expect(Han.pinyin("a").isEmpty && Han.simplified("a") == "a")
    }
}
