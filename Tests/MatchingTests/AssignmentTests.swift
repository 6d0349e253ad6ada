import Compute
import Foundation
import Testing

@testable import Matching

@Suite("matching: who goes with whom")
struct AssignmentTests {
    private static func pairs(_ links: [ScoredPair]) -> [[Int]] { links.map { [$0.a, $0.b] }.sorted { $0.lexicographicallyPrecedes($1) } }

    @Test("a record may have two partners only when these are one person; the second is then nobody else's")
    func several() {
        let links = [
            ScoredPair(a: 0, b: 10, bits: 20), ScoredPair(a: 0, b: 11, bits: 15), ScoredPair(a: 1, b: 11, bits: 9),
            ScoredPair(a: 2, b: 12, bits: 8), ScoredPair(a: 3, b: 12, bits: 7),
        ]
        #expect(Self.pairs(Assignment.chosen(links) { Set([$0, $1]) == [10, 11] }) == [[0, 10], [0, 11], [2, 12]])
        #expect(Self.pairs(Assignment.chosen(links) { _, _ in false }) == [[0, 10], [1, 11], [2, 12]])
        #expect(Self.pairs(Assignment.chosen(links) { Set([$0, $1]) == [2, 3] }) == [[0, 10], [1, 11], [2, 12], [3, 12]])
    }

    @Test("what is left over is linked when little else is, and not when it may be anybody or there are two to choose from")
    func leftOver() {
        // Twenty records are left, and ten pairs whose names agree: each a little less likely than not before.
        let few = (0..<10).map { ScoredPair(a: $0 * 2, b: $0 * 2 + 1, bits: -0.3) }
        #expect(Assignment.leftOver(few, possible: 190, priorBits: -9).count == 10)
        #expect(Assignment.leftOver(few, possible: 2_000_000, priorBits: -9).isEmpty)
        let choice = [ScoredPair(a: 0, b: 1, bits: -0.3), ScoredPair(a: 0, b: 2, bits: -0.3)]
        #expect(Assignment.leftOver(choice, possible: 190, priorBits: -9).isEmpty)
        #expect(Assignment.leftOver([], possible: 0, priorBits: -9).isEmpty)
    }

    @Test("of two files all records of a person in the second are linked, where it holds few people twice", arguments: [1, 2] as [UInt64])
    func twice(_ seed: UInt64) {
        var options = DirtyRecords.Options()
        (options.seed, options.people, options.repeated, options.missing) = (seed, 1_200, 0.9, 0.05)
        let records = DirtyRecords.latin(options)
        var first: [Int] = [], second: [Int] = [], seen: [Int: Int] = [:], twice = 0
        for (row, person) in records.truth.enumerated() {
            seen[person, default: 0] += 1
            if seen[person] == 1 {
                first.append(row)
            } else if seen[person] == 2 {
                second.append(row)
            } else if seen[person] == 3, person % 40 == 0 {
                second.append(row)
                twice += 1
            }
        }
        func source(_ rows: [Int]) -> MatchSource {
            MatchSource(
                headers: records.headers,
                cells: records.headers.indices.map { column in rows.map { records.rows[$0][column] } }, rows: rows.count)
        }
        let result = Matcher.match(source(first), source(second))
        func person(_ row: Int) -> Int { records.truth[row < first.count ? first[row] : second[row - first.count]] }
        let right = result.pairs.count { person($0.left) == person($0.right) }
        let repeated = Dictionary(grouping: result.pairs.filter { person($0.left) == person($0.right) }, by: \.left)
            .count { $0.value.count == 2 }
        #expect(twice >= 8, "seed \(seed): \(twice)")
        // One-to-one, not one of them had two.
        #expect(Double(repeated) >= 0.8 * Double(twice), "seed \(seed): \(repeated) of \(twice)")
        #expect(Double(right) >= 0.97 * Double(result.pairs.count), "seed \(seed): \(right) of \(result.pairs.count)")
        #expect(Double(right) >= 0.94 * Double(second.count), "seed \(seed): \(right) of \(second.count)")
    }

    @Test("what a column is said to be goes before the guess, in both files, and the result tells of every column")
    func told() {
        let source = MatchSource(
            headers: ["ref", "name", "empty"],
            cells: [["13800000001", "13900000002", "13700000003"], ["王伟", "李娜", "张敏"], [nil, nil, nil]], rows: 3)
        let other = MatchSource(headers: ["who", "number"], cells: [["王伟", "赵强"], ["13800000001", "13600000004"]], rows: 2)
        let guessed = Matcher.match(source).columns
        #expect(guessed.map(\.kind) == [.phone, .fullName, .nothing] && guessed.map(\.isCompared) == [true, true, false])
        #expect(guessed.allSatisfy { $0.right == nil && !$0.isTold })
        let told = Matcher.match(source, other, told: ["ref": .code, "number": .code]).columns
        #expect(
            told == [
                TakenColumn(left: "ref", right: "number", kind: .code, isTold: true, isCompared: true),
                TakenColumn(left: "name", right: "who", kind: .fullName, isTold: false, isCompared: true),
                TakenColumn(left: "empty", right: nil, kind: .nothing, isTold: false, isCompared: false),
            ])
        // What is nothing is not compared, and leaves the other file's column alone.
        let none = Matcher.match(source, other, told: ["ref": .nothing]).columns
        #expect(none.first?.isCompared == false && none.contains { $0.left == nil && $0.right == "number" && !$0.isCompared })
    }
}
