/// Records that would be linked alike with two people, by their checked identity numbers or born a generation apart. Whose they are the
/// machine does not know, so it links them with neither.
enum Contested {
    /// So much surer (1 in 1,000) is sure enough.
    static let bits = 10.0
    /// Partners of one record that are looked at, the surest first.
    private static let partnersMax = 16

    /// What tells whose a record is.
    private struct Person {
        var numbers: [MatchValue?]
        var births: [MatchValue?]
        /// Identity numbers, checked or not.
        var identities: [MatchValue?]
    }

    /// - Parameter byBirth: births a generation apart are those of two people.
    /// - Returns: rows that do not say themselves whose they are, of whose links two are with different people.
    static func rows(_ links: [ScoredPair], _ table: PreparedTable, byBirth: Bool) -> Set<Int> {
        func columns(_ kind: ColumnKind) -> [PreparedColumn] {
            table.fields.indices.filter { table.fields[$0].kind == kind }.map { table.columns[$0] }
        }
        let identities = columns(.identityNumber), births = byBirth ? columns(.birthDate) : []
        guard !identities.isEmpty || !births.isEmpty else { return [] }
        func person(_ row: Int) -> Person {
            let known = identities.map { $0.value(row) }
            return Person(
                numbers: known.map { $0.flatMap { $0.isVerified(like: $0) ? $0 : nil } }, births: births.map { $0.value(row) },
                identities: known)
        }
        var partners: [Int: [(row: Int, bits: Double)]] = [:]
        for link in links {
            partners[link.a, default: []].append((link.b, link.bits))
            partners[link.b, default: []].append((link.a, link.bits))
        }
        var result: Set<Int> = []
        for (row, all) in partners where all.count > 1 {
            let own = person(row)
            guard own.numbers.allSatisfy({ $0 == nil }) else { continue }
            let isUndated = !births.isEmpty && own.births.allSatisfy { $0 == nil }
            let people = all.sorted { ($1.bits, $0.row) < ($0.bits, $1.row) }.prefix(partnersMax)
                .map { (bits: $0.bits, person: person($0.row)) }
            let isOther = isContested(people.filter { $0.person.numbers.contains { $0 != nil } }, by: haveOtherNumbers)
                || isUndated && isContested(people.filter { $0.person.births.contains { $0 != nil } }, by: areGenerations)
            if isOther { result.insert(row) }
        }
        return result
    }

    private static func isContested(_ people: [(bits: Double, person: Person)], by areTwo: (Person, Person) -> Bool) -> Bool {
        guard let best = people.first else { return false }
        return people.dropFirst().contains { best.bits - $0.bits < bits && areTwo(best.person, $0.person) }
    }

    private static func haveOtherNumbers(_ a: Person, _ b: Person) -> Bool {
        zip(a.numbers, b.numbers).contains { x, y in
            guard let x, let y else { return false }
            return x.isVerified(like: y) && x != y
        }
    }

    private static func areGenerations(_ a: Person, _ b: Person) -> Bool {
        let isOneNumber = zip(a.identities, b.identities).contains { x, y in
            guard let x, let y else { return false }
            return Comparison.level(.identityNumber, x, y) <= 1
        }
        return !isOneNumber && zip(a.births, b.births).contains { x, y in
            guard let x, let y else { return false }
            return Scorer.Conflict(births: x, y) == .generations
        }
    }
}
