import Foundation

/// The levels of many pairs, side by side.
struct ComparedPairs {
    let pairs: [UInt64]
    let fields: Int
    private(set) var levels: [UInt8]
    /// Pairs in which two verified identity numbers differ.
    private(set) var verifiedConflicts: [Bool]

    init(_ table: PreparedTable, _ pairs: [UInt64], _ report: (Int) -> Void = { _ in }) {
        self.pairs = pairs
        fields = table.columns.count
        levels = [UInt8](repeating: Comparison.missing, count: pairs.count * fields)
        verifiedConflicts = [Bool](repeating: false, count: pairs.count)
        let kinds = table.fields.map(\.kind)
        let roles = FieldRoles(kinds)
        let identities = kinds.indices.filter { kinds[$0] == .identityNumber }
        let columns = table.columns, width = fields
        levels.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for (number, pair) in pairs.enumerated() {
                let (a, b) = CandidatePairs.unpack(pair)
                let own = base + number * width
                for field in 0..<width {
                    let x = columns[field].rows[a], y = columns[field].rows[b]
                    if x < 0 || y < 0 { continue }
                    own[field] =
                        x == y ? 0 : Comparison.level(kinds[field], columns[field].values[Int(x)], columns[field].values[Int(y)])
                }
                roles.correct(own) { field, isRight in columns[field].value(isRight ? b : a) }
                for field in identities where own[field] != 0 && own[field] != Comparison.missing {
                    if let x = columns[field].value(a), let y = columns[field].value(b), x.isVerified, y.isVerified {
                        verifiedConflicts[number] = true
                    }
                }
                if number & 0xFFFF == 0xFFFF { report(number + 1) }
            }
        }
    }

    /// Bits of all pairs by a scorer.
    /// - Parameter shares: of each field, the share of each of the table's values.
    func scored(_ scorer: Scorer, _ table: PreparedTable, _ shares: [[Double]]) -> [(bits: Double, bar: LinkageModel.Bar?)] {
        let width = fields
        let rarity = zip(scorer.model.weights, shares).enumerated().map { field, entry in
            scorer.usesFrequency[field]
                ? entry.1.map { Scorer.rarityBits(entry.0, share: $0, strong: entry.0.field.kind.isStrong) }
                : [Double](repeating: 0, count: entry.1.count)
        }
        var own = [Double](repeating: 0, count: width)
        return levels.withUnsafeBufferPointer { levels in
            pairs.indices.map { number in
                let part = UnsafeBufferPointer(rebasing: levels[number * width..<(number + 1) * width])
                let row = Int(pairs[number] >> 32)
                for field in 0..<width {
                    own[field] = part[field] == 0 ? rarity[field][Int(table.columns[field].rows[row])] : 0
                }
                return own.withUnsafeBufferPointer { scorer.decide(part, $0, isVerified: verifiedConflicts[number]) }
            }
        }
    }
}
