import Foundation

/// The levels of many pairs, side by side.
struct ComparedPairs {
    let pairs: [UInt64]
    let fields: Int
    private(set) var levels: [UInt8]
    /// What says that a pair is two people: identity numbers, or births a generation apart.
    private(set) var conflicts: [Scorer.Conflict]

    init(_ table: PreparedTable, _ pairs: [UInt64], _ report: (Int) -> Void = { _ in }) {
        self.pairs = pairs
        fields = table.columns.count
        levels = [UInt8](repeating: Comparison.missing, count: pairs.count * fields)
        conflicts = [Scorer.Conflict](repeating: .none, count: pairs.count)
        for field in table.columns.indices {
            compareField(table.columns[field], field)
            report(pairs.count * (field + 1) / max(1, fields))
        }
        correct(table)
    }

    /// One field of all pairs: its values stay at hand.
    private mutating func compareField(_ column: PreparedColumn, _ field: Int) {
        let width = fields, kind = column.kind
        levels.withUnsafeMutableBufferPointer { levels in
            column.rows.withUnsafeBufferPointer { rows in
                column.values.withUnsafeBufferPointer { values in
                    for number in pairs.indices {
                        let (a, b) = CandidatePairs.unpack(pairs[number])
                        let x = rows[a], y = rows[b]
                        if x < 0 || y < 0 { continue }
                        levels[number * width + field] =
                            x == y ? 0 : Comparison.level(kind, values[Int(x)], values[Int(y)])
                    }
                }
            }
        }
    }

    /// What only several fields together tell.
    private mutating func correct(_ table: PreparedTable) {
        let kinds = table.fields.map(\.kind), columns = table.columns, width = fields
        let roles = FieldRoles(kinds)
        let identities = kinds.indices.filter { kinds[$0] == .identityNumber }
        let births = kinds.indices.filter { kinds[$0] == .birthDate }
        levels.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for (number, pair) in pairs.enumerated() {
                let (a, b) = CandidatePairs.unpack(pair)
                let own = base + number * width
                roles.correct(own) { field, isRight in columns[field].value(isRight ? b : a) }
                for field in identities where own[field] != 0 && own[field] != Comparison.missing {
                    if let x = columns[field].value(a), let y = columns[field].value(b), x.isVerified(like: y) {
                        conflicts[number] = .verified
                    }
                }
                for birth in births where own[birth] == 3 && conflicts[number] != .verified {
                    guard let x = columns[birth].value(a), let y = columns[birth].value(b) else { continue }
                    let found = Scorer.Conflict(births: x, y)
                    let isOther = found != .none && identities.contains { own[$0] > 1 && own[$0] != Comparison.missing }
                    conflicts[number] = max(conflicts[number], isOther ? .verified : found)
                }
            }
        }
    }

    /// Bits of all pairs by a scorer.
    /// - Parameter shares: of each field, the share of each of the table's values.
    func scored(_ scorer: Scorer, _ table: PreparedTable, _ shares: [[Double]]) -> [Scorer.Decision] {
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
                return own.withUnsafeBufferPointer { scorer.decide(part, $0, conflict: conflicts[number]) }
            }
        }
    }
}
