import Foundation

/// Chooses whom each record belongs to where nearly every record has one partner and no more: the best pairs first.
enum Assignment {
    /// Of two files. A record of one file may have several partners in the other when these are one person by themselves:
    /// the file holds that person twice.
    /// - Parameter isSame: whether two rows of one file are one person.
    static func chosen(_ links: [ScoredPair], isSame: (Int, Int) -> Bool) -> [ScoredPair] {
        var partners: [Int: [Int]] = [:], kept: [ScoredPair] = []
        for link in inOrder(links) {
            let ofLeft = partners[link.a] ?? [], ofRight = partners[link.b] ?? []
            guard ofLeft.allSatisfy({ isSame($0, link.b) }), ofRight.allSatisfy({ isSame($0, link.a) }) else { continue }
            // Whoever stands for the same person elsewhere already stays there.
            guard ofLeft.isEmpty || ofRight.isEmpty else { continue }
            partners[link.a, default: []].append(link.b)
            partners[link.b, default: []].append(link.a)
            kept.append(link)
        }
        return kept
    }

    static func inOrder(_ links: [ScoredPair]) -> [ScoredPair] {
        links.sorted { ($1.bits, $0.a, $0.b) < ($0.bits, $1.a, $1.b) }
    }

    /// A pair of rows that have no partner, and what it comes to once the others are taken out.
    ///
    /// The prior of a pair is that of any two records. Where records have one partner at most, those that found theirs
    /// are out of the question, and of the few that are left over more may belong together: the share is estimated from
    /// what their fields say (expectation-maximisation over the prior alone), and each row's candidates share its one place.
    /// - Parameters:
    ///   - pairs: every pair of rows without a partner that is worth a look, with the log-odds under the usual prior.
    ///   - possible: how many pairs of rows without a partner there are, looked at or not.
    ///   - priorBits: the usual prior.
    /// - Returns: pairs that are more likely one person than not, with their new log-odds.
    static func leftOver(_ pairs: [ScoredPair], possible: Double, priorBits: Double) -> [ScoredPair] {
        guard !pairs.isEmpty, possible >= 1 else { return [] }
        var places: [Int: Int] = [:]
        func place(_ row: Int) -> Int {
            if let known = places[row] { return known }
            places[row] = places.count
            return places.count - 1
        }
        let ends = pairs.map { (place($0.a), place($0.b)) }
        let gains = pairs.map { exp2($0.bits - priorBits) }
        let usual = exp2(priorBits)
        var share = usual
        var chances = [Double](repeating: 0, count: pairs.count)
        for _ in 0..<iterations {
            let odds = share / (1 - share)
            var byRow = [Double](repeating: 0, count: places.count)
            for (end, gain) in zip(ends, gains) {
                byRow[end.0] += gain * odds
                byRow[end.1] += gain * odds
            }
            for (number, end) in ends.enumerated() {
                let own = gains[number] * odds
                chances[number] = own / (1 + byRow[end.0] + byRow[end.1] - own)
            }
            let next = min(shareMax, max(usual, chances.reduce(0, +) / possible))
            if abs(next - share) <= share * tolerance { break }
            share = next
        }
        return zip(pairs, chances).compactMap { pair, chance in
            chance > 0.5 ? ScoredPair(a: pair.a, b: pair.b, bits: log2(chance / max(1e-9, 1 - chance))) : nil
        }
    }

    private static let iterations = 50
    private static let shareMax = 0.1
    private static let tolerance = 1e-4
}
