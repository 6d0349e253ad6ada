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

/// A column of a file, or the two that were compared with each other, and what they were taken for.
package struct TakenColumn: Sendable, Equatable {
    /// Headers; `nil` where the other file has nothing like it.
    package let left: String?, right: String?
    package let kind: ColumnKind
    /// Said by whoever asked, not guessed.
    package let isTold: Bool
    package let isCompared: Bool
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
    /// What every column of the files was taken for.
    package let columns: [TakenColumn]
}

/// Matches a file with itself or two files with each other, without labels: understand the columns, standardise, block,
/// compare, learn, decide.
package enum Matcher {
    /// Where a run is; for a progress bar.
    package struct Progress: Sendable {
        package let done: Int, total: Int
        package let words: Words
    }

    /// - Parameter told: what columns are, by their headers; of the others it is guessed.
    package static func match(
        _ left: MatchSource, _ right: MatchSource? = nil, told: [String: ColumnKind] = [:], countryCode: String = "86",
        report: (Progress) -> Void = { _ in }
    ) -> MatchResult {
        let table = prepare(left, right, told, countryCode, report)
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
        _ left: MatchSource, _ right: MatchSource?, _ told: [String: ColumnKind], _ countryCode: String,
        _ report: (Progress) -> Void
    ) -> PreparedTable {
        func understood(_ source: MatchSource) -> [ColumnUnderstanding] {
            let guessed = source.headers.indices.map {
                ColumnUnderstanding(header: source.headers[$0], values: source.cells[$0])
            }
            return zip(source.headers, ColumnUnderstanding.together(guessed, headers: source.headers)).map { header, own in
                told[header].map { ColumnUnderstanding(own, as: $0) } ?? own
            }
        }
        let a = understood(left)
        let b = right.map(understood)
        let chosen: [FieldPairing.Pair]
        if let right, let b {
            chosen = FieldPairing.pairs(sides(left, a, told), sides(right, b, told))
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
            rows: left.rows + (right?.rows ?? 0), split: right == nil ? nil : left.rows,
            taken: taken(left, a.map(\.kind), right, b?.map(\.kind) ?? [], chosen, told))
    }

    /// Every column in the order of the files, also those that are compared with nothing.
    private static func taken(
        _ left: MatchSource, _ a: [ColumnKind], _ right: MatchSource?, _ b: [ColumnKind], _ chosen: [FieldPairing.Pair],
        _ told: [String: ColumnKind]
    ) -> [TakenColumn] {
        var result = left.headers.indices.map { index in
            let pair = chosen.first { $0.left == index }
            let other = pair.flatMap { pair in right.map { $0.headers[pair.right] } }
            return TakenColumn(
                left: left.headers[index], right: other, kind: pair?.kind ?? a[index],
                isTold: told[left.headers[index]] != nil || other.map { told[$0] != nil } ?? false, isCompared: pair != nil)
        }
        guard let right else { return result }
        for index in right.headers.indices where !chosen.contains(where: { $0.right == index }) {
            result.append(
                TakenColumn(
                    left: nil, right: right.headers[index], kind: b[index], isTold: told[right.headers[index]] != nil,
                    isCompared: false))
        }
        return result
    }

    private static func sides(
        _ source: MatchSource, _ understood: [ColumnUnderstanding], _ told: [String: ColumnKind]
    ) -> [FieldPairing.Side] {
        source.headers.indices.map { index in
            let values = source.cells[index].lazy.compactMap { $0 }.prefix(20_000)
            return FieldPairing.Side(
                header: source.headers[index], kind: understood[index].kind,
                values: Set(values.map { StableHash.of(Folding.fold($0).utf8) }),
                isTold: told[source.headers[index]] != nil)
        }
    }

    static func decide(
        _ table: PreparedTable, _ compared: ComparedPairs, _ model: LinkageModel, _ shares: [[Double]]
    ) -> MatchResult {
        let scorer = Scorer(model)
        var links: [ScoredPair] = [], doubtful: [ScoredPair] = []
        /// Those of `doubtful` that are not of another name, and whether they may be joined.
        var namesakes: [(pair: ScoredPair, mayJoin: Bool)] = []
        for (number, own) in compared.scored(scorer, table, shares).enumerated() {
            let (a, b) = CandidatePairs.unpack(compared.pairs[number])
            let scored = ScoredPair(a: a, b: b, bits: own.bits)
            switch scorer.score(own.bits, own.bar).band {
            case .link: links.append(scored)
            case .review:
                doubtful.append(scored)
                // What is left over is no reason to take parent and child for one.
                if own.areTwo { continue }
                let levels = compared.levels[number * compared.fields..<(number + 1) * compared.fields]
                let naming = scorer.roles.naming(levels) { table.columns[$0].value($1 ? b : a) }
                if naming != .other { namesakes.append((scored, scorer.mayJoin(naming, levels))) }
            case .apart: break
            }
        }
        let contested = Contested.rows(links, table, byBirth: scorer.hasContacts)
        if !contested.isEmpty {
            // Nor by way of a record that says nothing of who it is.
            doubtful += links.filter { contested.contains($0.a) || contested.contains($0.b) }
            links.removeAll { contested.contains($0.a) || contested.contains($0.b) }
        }
        var memory: [Int: MatchRecord] = [:]
        func record(_ row: Int) -> MatchRecord {
            if let known = memory[row] { return known }
            let made = table.record(row)
            memory[row] = made
            return made
        }
        func bits(_ a: Int, _ b: Int) -> Double {
            let score = scorer.score(record(a), record(b))
            return score.areTwo ? -.infinity : score.bits
        }
        let isSingle = table.split != nil && isOneToOne(links)
        if isSingle { links = Assignment.chosen(links) { bits($0, $1) >= sameBits } }
        var clustering = Clustering(rows: table.rows)
        clustering.join(links, bits: bits)
        if isSingle || table.split == nil && arePairs(clustering.groups()) {
            let found = leftOver(clustering.groups(), namesakes, table, model)
            clustering.join(found, bits: bits)
            links += found
        }
        let clusters = clustering.groups()
        let pairs = pairs(of: clusters, table, links) { scorer.score(record($0), record($1)).probability }
        let linked = Set(pairs.map { CandidatePairs.pack($0.left, $0.right) })
        let review = doubtful.lazy.filter { !linked.contains(CandidatePairs.pack($0.a, $0.b)) }.map {
            MatchResult.Pair(left: $0.a, right: $0.b, score: 1 / (1 + exp2(-$0.bits)))
        }
        return MatchResult(
            pairs: pairs, review: Array(review), clusters: clusters, model: model, comparisons: compared.pairs.count,
            columns: table.taken)
    }

    /// Two records of one file are one person's from here on when both go with the same record of the other file.
    private static let sameBits = 0.0

    /// Whether hardly any group is of more than two records.
    private static func arePairs(_ groups: [[Int]]) -> Bool {
        Double(groups.count { $0.count > 2 }) <= 0.03 * Double(groups.count)
    }

    /// Doubtful pairs of one name whose records belong to nobody yet, and that are likely one person now that the others are
    /// settled. Of another name they may be twins, or live in one household.
    private static func leftOver(
        _ groups: [[Int]], _ namesakes: [(pair: ScoredPair, mayJoin: Bool)], _ table: PreparedTable, _ model: LinkageModel
    ) -> [ScoredPair] {
        let taken = Set(groups.joined())
        let split = table.split ?? table.rows
        let left = Double(split - taken.count { $0 < split }), right = Double(table.rows - split - taken.count { $0 >= split })
        let open = namesakes.filter { !taken.contains($0.pair.a) && !taken.contains($0.pair.b) }
        let mayJoin = Set(open.filter(\.mayJoin).map { CandidatePairs.pack($0.pair.a, $0.pair.b) })
        return Assignment.leftOver(
            open.map(\.pair), possible: table.split == nil ? left * (left - 1) / 2 : left * right, priorBits: model.priorBits
        ).filter { mayJoin.contains(CandidatePairs.pack($0.a, $0.b)) }
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
