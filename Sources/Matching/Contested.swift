/// Records that would be linked alike with two verified people. Whose they are the machine does not know, so it links them with neither.
enum Contested {
    /// So much surer (1 in 1,000) is sure enough.
    static let bits = 10.0
    /// Partners of one record that are looked at, the surest first.
    private static let partnersMax = 16

    /// - Returns: rows without a checked identity number of their own, of whose links two are with different people.
    static func rows(_ links: [ScoredPair], _ table: PreparedTable) -> Set<Int> {
        let identities = table.fields.indices.filter { table.fields[$0].kind == .identityNumber }.map { table.columns[$0] }
        guard !identities.isEmpty else { return [] }
        func verified(_ row: Int) -> [MatchValue?] { identities.map { $0.value(row).flatMap { $0.isVerified(like: $0) ? $0 : nil } } }
        var partners: [Int: [(row: Int, bits: Double)]] = [:]
        for link in links {
            partners[link.a, default: []].append((link.b, link.bits))
            partners[link.b, default: []].append((link.a, link.bits))
        }
        var result: Set<Int> = []
        for (row, all) in partners where all.count > 1 && verified(row).allSatisfy({ $0 == nil }) {
            let people = all.sorted { ($1.bits, $0.row) < ($0.bits, $1.row) }.prefix(partnersMax)
                .map { (bits: $0.bits, numbers: verified($0.row)) }.filter { $0.numbers.contains { $0 != nil } }
            guard let best = people.first else { continue }
            let isOther = people.dropFirst().contains { one in
                best.bits - one.bits < bits && areTwo(best.numbers, one.numbers)
            }
            if isOther { result.insert(row) }
        }
        return result
    }

    private static func areTwo(_ a: [MatchValue?], _ b: [MatchValue?]) -> Bool {
        zip(a, b).contains { x, y in
            guard let x, let y else { return false }
            return x.isVerified(like: y) && x != y
        }
    }
}
