import Foundation
import FuzzTargets
import Testing

/// What the fuzzer found, and what was thought of by hand, on every run.
@Suite("Readers and the corpus")
struct CorpusTests {
    @Test("no file of the corpus breaks a promise of its reader", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) {
        let corpus = target.corpus
        #expect(corpus.count >= 10, "\(target.rawValue) has \(corpus.count) files")
        for (name, bytes) in corpus {
            let problem = target.broken(by: bytes)
            #expect(problem == nil, "\(target.rawValue)/\(name): \(problem ?? "")")
        }
    }

    @Test("nor does a file of it that was cut short, or had a byte changed, in a few places", arguments: FuzzTarget.allCases)
    func near(target: FuzzTarget) {
        var random = SystemRandomNumberGenerator()
        for (name, bytes) in target.corpus where !bytes.isEmpty && bytes.count < 4_096 {
            for _ in 0..<4 {
                var other = Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &random)))
                other[Int.random(in: other.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                let problem = target.broken(by: other)
                #expect(problem == nil, "\(target.rawValue)/\(name), as base64 \(Data(other).base64EncodedString()): \(problem ?? "")")
            }
        }
    }

    @Test("the corpus stays small")
    func size() throws {
        let folder = FuzzTarget.root + "/Tests/Corpus"
        let size = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { name in
            (name as? String).flatMap { (try? FileManager.default.attributesOfItem(atPath: folder + "/" + $0))?[.size] as? Int }
        }.reduce(0, +)
        #expect(size < 600_000, "the corpus is \(size) bytes: bin/fuzz minimises it")
    }
}
