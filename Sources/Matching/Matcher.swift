import Foundation
import Kernel

/// A file to be matched: its columns with their values, nil where missing. The id column is not among them.
package struct MatchSource: Sendable {
    package let headers: [String]
    package let cells: [[String?]]
    package let rows: Int

    /// - Parameter cells: parallel to `headers`, each of `rows` values.
    package init(headers: [String], cells: [[String?]], rows: Int) {
        precondition(headers.count == cells.count && cells.allSatisfy { $0.count == rows }, "columns of one length")
        (self.headers, self.cells, self.rows) = (headers, cells, rows)
    }
}

/// What a run found. Rows count from 0; in two files the left file's come first.
package struct MatchResult: Sendable {
    package struct Pair: Sendable {
        package let left: Int, right: Int
        /// 0...1.
        package let score: Double
    }

    /// What is linked: of one file all pairs within the clusters, of two files pairs across.
    package let pairs: [Pair]
    /// What a person should look at.
    package let review: [Pair]
    package let clusters: [[Int]]
    package let model: LinkageModel
    package let comparisons: Int
}

/// Matches a file with itself or two files with each other, without labels: understand the columns, standardise, block,
/// compare, learn, decide.
package enum Matcher {
    /// Where a run is; for a progress bar.
    package struct Progress: Sendable {
        package let done: Int, total: Int
        package let words: Words
    }

    package static func match(
        _ left: MatchSource, _ right: MatchSource? = nil, countryCode: String = "86",
        report: (Progress) -> Void = { _ in }
    ) -> MatchResult {
        let table = prepare(left, right, countryCode, report)
        let blocking = BlockingPlan(table: table).blocking()
        let pairs = CandidatePairs(table, blocking).pairs
        let compared = ComparedPairs(table, pairs) {
            report(Progress(done: $0, total: pairs.count, words: Words(en: "comparing", zh: "比对")))
        }
        let learning = Learning(table, compared, blocking)
        let model = learning.model()
        return decide(table, compared, model, learning.shares)
    }

    static func prepare(
        _ left: MatchSource, _ right: MatchSource?, _ countryCode: String, _ report: (Progress) -> Void
    ) -> PreparedTable {
        func understood(_ source: MatchSource) -> [ColumnUnderstanding] {
            let columns = source.headers.indices.map {
                ColumnUnderstanding(header: source.headers[$0], values: source.cells[$0])
            }
            return ColumnUnderstanding.together(columns, headers: source.headers)
        }
        let a = understood(left)
        let b = right.map(understood)
        let chosen: [FieldPairing.Pair]
        if let right, let b {
            chosen = FieldPairing.pairs(sides(left, a), sides(right, b))
        } else {
            chosen = a.indices.filter { a[$0].kind != .nothing }.map {
                FieldPairing.Pair(name: left.headers[$0], kind: a[$0].kind, left: $0, right: $0)
            }
        }
        var columns: [PreparedColumn] = []
        for (number, pair) in chosen.enumerated() {
            var column = PreparedColumn(kind: pair.kind)
            column.append(
                left.cells[pair.left],
                a[pair.left].standardiser(pair.kind, countryCode))
            if let right, let b {
                column.append(
                    right.cells[pair.right],
                    b[pair.right].standardiser(pair.kind, countryCode))
            }
            columns.append(column)
            report(Progress(done: number + 1, total: chosen.count, words: Words(en: "standardising", zh: "标准化")))
        }
        if let birth = columns.firstIndex(where: { $0.kind == .birthDate }),
            let identity = columns.firstIndex(where: { $0.kind == .identityNumber })
        {
            columns[birth].complete(from: columns[identity])
        }
        return PreparedTable(
            fields: chosen.map { MatchField(name: $0.name, kind: $0.kind) }, columns: columns,
            rows: left.rows + (right?.rows ?? 0), split: right == nil ? nil : left.rows)
    }

    private static func sides(_ source: MatchSource, _ understood: [ColumnUnderstanding]) -> [FieldPairing.Side] {
        source.headers.indices.map { index in
            let values = source.cells[index].lazy.compactMap { $0 }.prefix(20_000)
            return FieldPairing.Side(
                header: source.headers[index], kind: understood[index].kind,
                values: Set(values.map { StableHash.of(Folding.fold($0).utf8) }))
        }
    }

    static func decide(
        _ table: PreparedTable, _ compared: ComparedPairs, _ model: LinkageModel, _ shares: [[Double]]
    ) -> MatchResult {
        let scorer = Scorer(model)
        var links: [ScoredPair] = [], review: [MatchResult.Pair] = []
        for (pair, own) in zip(compared.pairs, compared.scored(scorer, table, shares)) {
            let (a, b) = CandidatePairs.unpack(pair)
            let score = scorer.score(own.bits, own.bar)
            switch score.band {
            case .link: links.append(ScoredPair(a: a, b: b, bits: own.bits))
            case .review: review.append(.init(left: a, right: b, score: score.probability))
            case .apart: break
            }
        }
        if table.split != nil, isOneToOne(links) { links = Assignment.oneToOne(links) }
        var memory: [Int: MatchRecord] = [:]
        func record(_ row: Int) -> MatchRecord {
            if let known = memory[row] { return known }
            let made = table.record(row)
            memory[row] = made
            return made
        }
        var clustering = Clustering(rows: table.rows)
        clustering.join(links) { a, b in
            let score = scorer.score(record(a), record(b))
            return score.bar == .verified ? -.infinity : score.bits
        }
        let clusters = clustering.groups()
        let pairs = pairs(of: clusters, table, links) { scorer.score(record($0), record($1)).probability }
        return MatchResult(
            pairs: pairs, review: review, clusters: clusters, model: model, comparisons: compared.pairs.count)
    }

    /// Whether hardly any record has two good partners: then no record may have two.
    static func isOneToOne(_ links: [ScoredPair]) -> Bool {
        var left: [Int: Int] = [:], right: [Int: Int] = [:]
        for link in links where link.bits > 7 {
            left[link.a, default: 0] += 1
            right[link.b, default: 0] += 1
        }
        let several = left.values.count { $0 > 1 } + right.values.count { $0 > 1 }
        return Double(several) <= 0.03 * Double(left.count + right.count)
    }

    private static func pairs(
        of clusters: [[Int]], _ table: PreparedTable, _ links: [ScoredPair], _ chance: (Int, Int) -> Double
    ) -> [MatchResult.Pair] {
        var known: [UInt64: Double] = [:]
        for link in links { known[CandidatePairs.pack(link.a, link.b)] = 1 / (1 + exp2(-link.bits)) }
        var pairs: [MatchResult.Pair] = []
        for cluster in clusters {
            for (i, a) in cluster.enumerated() {
                for b in cluster[(i + 1)...] {
                    if let split = table.split, (a < split) == (b < split) { continue }
                    // What joined the cluster joins them, however unlike the two are by themselves.
                    let score = known[CandidatePairs.pack(a, b)] ?? max(0.5, chance(a, b))
                    pairs.append(.init(left: a, right: b, score: score))
                }
            }
        }
        return pairs
    }
}
