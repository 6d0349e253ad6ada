import Compute
import Foundation
import Kernel
import Testing

@testable import Matching

@Suite("matching")
struct MatcherTests {
    private static func options(_ change: (inout DirtyRecords.Options) -> Void = { _ in }) -> DirtyRecords.Options {
        var options = DirtyRecords.Options()
        change(&options)
        return options
    }

    @Test(
        "dirty files of other columns, with a fifth of the values missing, are matched without a label",
        arguments: [1, 2] as [UInt64])
    func quality(_ seed: UInt64) {
        let options = Self.options { $0.seed = seed }
        let chinese = DirtyRecords.chinese(options), latin = DirtyRecords.latin(options)
        for (name, records, least) in [("chinese", chinese, 0.98), ("latin", latin, 0.95)] {
            for source in [records.source, records.unnamed] {
                let found = records.quality(Matcher.match(source))
                #expect(found.f1 >= least, "\(name) seed \(seed) \(source.headers[0]): \(found)")
            }
        }
    }

    @Test("twice as many errors in complete records are borne")
    func errors() {
        let records = DirtyRecords.chinese(Self.options { ($0.errors, $0.missing) = (0.3, 0) })
        #expect(records.quality(Matcher.match(records.source)).f1 >= 0.98)
    }

    @Test("two files are linked one to one, whatever their columns are called")
    func twoFiles() {
        let records = DirtyRecords.latin(Self.options { ($0.repeated, $0.missing, $0.people) = (0.6, 0.05, 600) })
        var first: [Int] = [], second: [Int] = [], seen: [Int: Int] = [:]
        for (row, person) in records.truth.enumerated() {
            seen[person, default: 0] += 1
            if seen[person] == 1 { first.append(row) } else if seen[person] == 2 { second.append(row) }
        }
        func source(_ rows: [Int], _ headers: [String]) -> MatchSource {
            MatchSource(
                headers: headers, cells: headers.indices.map { column in rows.map { records.rows[$0][column] } },
                rows: rows.count)
        }
        let result = Matcher.match(
            source(first, records.headers),
            source(second, ["who", "telephone", "e-mail", "born", "street", "city", "post code", "since", "owed"]))
        let right = result.pairs.count {
            records.truth[first[$0.left]] == records.truth[second[$0.right - first.count]]
        }
        #expect(Double(right) >= 0.95 * Double(second.count) && Double(right) >= 0.97 * Double(result.pairs.count))
        #expect(Set(result.pairs.map(\.left)).count == result.pairs.count)
        #expect(
            result.pairs.allSatisfy { $0.left < first.count && $0.right >= first.count && (0...1).contains($0.score) })
    }

    /// A file of invented people, with rows of one's own behind them.
    private func result(adding rows: [[String?]]) -> (MatchResult, Int) {
        let records = DirtyRecords.chinese(Self.options { ($0.people, $0.missing) = (400, 0.1) })
        let all = records.rows + rows
        let source = MatchSource(
            headers: records.headers, cells: records.headers.indices.map { c in all.map { $0[c] } }, rows: all.count)
        return (Matcher.match(source), records.rows.count)
    }

    @Test("two people whose identity numbers are both verified are never joined, not even through a third record")
    func verified() {
        let address = "北京市朝阳区长安路7号303室"
        let (result, base) = result(adding: [
            ["欧阳伟", "13900001111", "11010519491231002X", "1949-12-31", address, "o@qq.com", nil, nil],
            ["欧阳伟", "13900001111", nil, "1949-12-31", address, "o@qq.com", nil, nil],
            ["欧阳伟", "13900001111", "440305199403257558", "1949-12-31", address, "o@qq.com", nil, nil],
        ])
        #expect(!result.pairs.contains { $0.left == base && $0.right == base + 2 })
        #expect(!result.clusters.contains { $0.contains(base) && $0.contains(base + 2) })
        // The third goes with both alike: whose it is a person says (ADR 0078).
        #expect(!result.clusters.contains { $0.contains(base + 1) })
        let asked = Set(result.review.filter { [$0.left, $0.right].contains(base + 1) }.map { $0.left + $0.right - base - 1 })
        #expect(asked.isSuperset(of: [base, base + 2]))
    }

    @Test("a household is not a person: same surname, address and telephone, other given name and birth date")
    func household() {
        let address = "上海市徐汇区中山路9号404室"
        let (result, base) = result(adding: [
            ["诸葛建国", "021-55556666", nil, "1960-01-02", address, nil, nil, nil],
            ["诸葛晓雯", "021-55556666", nil, "1988-11-23", address, nil, nil, nil],
        ])
        #expect(!result.clusters.contains { $0.contains(base) && $0.contains(base + 1) })
    }

    @Test("swapped given name and surname are recognised")
    func swapped() {
        let roles = FieldRoles([.givenName, .surname])
        func value(_ text: String) -> MatchValue? { Standardiser(kind: .surname).value(text) }
        let sides = [[value("hannah"), value("lusted")], [value("lusted"), value("hanna")]]
        var levels: [UInt8] = [5, 5]
        levels.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            roles.correct(base) { field, isRight in sides[isRight ? 1 : 0][field] }
        }
        #expect(levels == [Comparison.swapped, Comparison.swapped])
    }

    @Test("in a learned model better agreement never weighs less, and disagreement is never evidence for a match")
    func monotone() {
        for records in [DirtyRecords.chinese(Self.options()), DirtyRecords.latin(Self.options())] {
            for weights in Matcher.match(records.source).model.weights {
                #expect(zip(weights.bits, weights.bits.dropFirst()).allSatisfy { $0 >= $1 }, "\(weights.field.name)")
                #expect(weights.bits.last ?? 0 <= 0)
                #expect(abs(weights.m.reduce(0, +) - 1) < 1e-6 && abs(weights.u.reduce(0, +) - 1) < 1e-6)
            }
        }
    }

    @Test("a bad block is not squared: six thousand records of one surname are walked in order")
    func badBlock() {
        var random = SeededRandom(seed: 3)
        let count = 6_000
        let source = MatchSource(
            headers: ["surname", "given name"],
            cells: [
                (0..<count).map { $0 == 0 ? "jones" : "smith" },
                (0..<count).map { _ in String((0..<6).map { _ in Character(["a", "b", "c", "d"][random.below(4)]) }) },
            ], rows: count)
        let table = Matcher.prepare(source, nil, [:], "86") { _ in }
        let pass = BlockingPass(atoms: [BlockingAtom(field: 0, form: .whole)])
        let blocking = Blocking(passes: [pass], kinds: table.fields.map(\.kind), commonWords: [[], []])
        let pairs = CandidatePairs(table, blocking).pairs
        #expect(pairs.count > count && pairs.count <= 10 * count, "\(pairs.count)")
        #expect(
            Set(pairs).count == pairs.count
                && pairs.allSatisfy { CandidatePairs.unpack($0).0 < CandidatePairs.unpack($0).1 })
        #expect(Matcher.match(source).comparisons <= 100 * count)
    }

    @Test("files with nothing to compare, one row or none give an empty result")
    func empty() {
        #expect(Matcher.match(MatchSource(headers: [], cells: [], rows: 0)).pairs.isEmpty)
        #expect(Matcher.match(MatchSource(headers: ["name"], cells: [["John Smith"]], rows: 1)).pairs.isEmpty)
        #expect(Matcher.match(MatchSource(headers: ["name"], cells: [[nil, nil, nil]], rows: 3)).pairs.isEmpty)
        let none = MatchSource(headers: ["name"], cells: [[]], rows: 0)
        #expect(Matcher.match(MatchSource(headers: ["name"], cells: [["A B"]], rows: 1), none).pairs.isEmpty)
    }

    @Test("a run can be repeated: the same file gives the same result")
    func deterministic() {
        let records = DirtyRecords.latin(Self.options { $0.people = 300 })
        let a = Matcher.match(records.source), b = Matcher.match(records.source)
        #expect(a.clusters == b.clusters && a.pairs.map(\.score) == b.pairs.map(\.score))
    }
}

@Suite("matching one record")
struct IncrementalTests {
    private static let records = DirtyRecords.chinese(.init())
    private static let result = Matcher.match(records.source)

    @Test("a model that went through JSON gives the same keys and scores")
    func codable() throws {
        let model = Self.result.model
        let read = try JSONDecoder().decode(LinkageModel.self, from: JSONEncoder().encode(model))
        let standardiser = RecordStandardiser(fields: model.fields)
        let a = Scorer(model), b = Scorer(read)
        for pair in Self.result.pairs.prefix(200) {
            let x = standardiser.record(Self.records.rows[pair.left]),
                y = standardiser.record(Self.records.rows[pair.right])
            #expect(model.blocking.keys(x) == read.blocking.keys(x))
            #expect(a.score(x, y).bits == b.score(x, y).bits)
            #expect(abs(a.score(x, y).bits - a.score(y, x).bits) < 1e-9)
        }
    }

    @Test("records of one person share a key, and unlike records hardly ever do")
    func keys() {
        let model = Self.result.model, standardiser = RecordStandardiser(fields: model.fields)
        let keys = Self.records.rows.map { Set(model.blocking.keys(standardiser.record($0))) }
        #expect(keys.allSatisfy { $0.count <= 200 && $0.allSatisfy { $0.utf8.count <= 13 } })
        var random = SeededRandom(seed: 9)
        var together = 0, met = 0, apart = 0, stray = 0
        for _ in 0..<100_000 {
            let a = random.below(keys.count), b = random.below(keys.count)
            guard a != b, Self.records.truth[a] != Self.records.truth[b] else { continue }
            apart += 1
            if !keys[a].isDisjoint(with: keys[b]) { stray += 1 }
        }
        for pair in Self.result.pairs where Self.records.truth[pair.left] == Self.records.truth[pair.right] {
            together += 1
            if !keys[pair.left].isDisjoint(with: keys[pair.right]) { met += 1 }
        }
        #expect(met * 100 >= together * 98 && stray * 20 <= apart, "\(met) of \(together), \(stray) of \(apart)")
    }

    @Test("the evidence adds up to what each field says, and names its level")
    func evidence() throws {
        let model = Self.result.model, scorer = Scorer(model), standardiser = RecordStandardiser(fields: model.fields)
        let row = try #require(Self.records.rows.first { $0.allSatisfy { $0 != nil } })
        let record = standardiser.record(row)
        let evidence = scorer.evidence(record, record)
        #expect(evidence.map(\.field) == Self.records.headers && evidence.allSatisfy { $0.level == "same" })
        #expect(scorer.score(record, record).band == .link)
        let nobody = standardiser.record(row.map { _ in nil })
        #expect(scorer.evidence(record, nobody).allSatisfy { $0.level == "missing" && $0.bits == 0 })
        #expect(scorer.score(record, nobody).band == .apart)
    }

    @Test("among more records the same agreement is less sure")
    func among() throws {
        let model = Self.result.model, scorer = Scorer(model), standardiser = RecordStandardiser(fields: model.fields)
        let pair = try #require(Self.result.pairs.first)
        let a = standardiser.record(Self.records.rows[pair.left]),
            b = standardiser.record(Self.records.rows[pair.right])
        #expect(scorer.score(a, b, among: model.records * 1_024).bits + 9.9 < scorer.score(a, b).bits)
    }

    @Test("clusters do not chain: a row between two unlike ones joins one of them")
    func chains() {
        var clustering = Clustering(rows: 3)
        clustering.join([ScoredPair(a: 0, b: 1, bits: 5), ScoredPair(a: 1, b: 2, bits: 4)]) { a, b in
            abs(a - b) == 2 ? -12 : 5
        }
        #expect(clustering.groups() == [[0, 1]])
        var apart = Clustering(rows: 2)
        apart.join([ScoredPair(a: 0, b: 1, bits: 5)]) { _, _ in -.infinity }
        #expect(apart.groups().isEmpty)
    }
}
