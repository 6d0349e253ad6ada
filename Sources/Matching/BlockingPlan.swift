/// Chooses the passes for a table: as many ways to meet as the budget of comparisons allows, the most reliable first.
struct BlockingPlan {
    private struct Candidate {
        let atom: BlockingAtom
        /// The chance that two records that do not belong together share it.
        let collision: Double
        /// The chance that two records of one person share it, as far as known beforehand.
        let recall: Double
    }

    /// Records looked at.
    private static let sampleMax = 20_000
    private static let passesMax = 36

    let table: PreparedTable

    /// - Parameter perRecord: comparisons a record that a single pass may cause.
    func blocking(perRecord: Double = 3) -> Blocking {
        let kinds = table.fields.map(\.kind)
        let common = table.columns.indices.map {
            Self.commonWords(table.columns[$0], salt: UInt64($0), rows: table.rows)
        }
        let candidates = table.columns.indices.flatMap { self.candidates($0, common[$0]) }
        let budget = Double(table.rows) * perRecord
        var passes: [(pass: BlockingPass, recall: Double, cost: Double)] = []
        for candidate in candidates where candidate.collision * table.pairs <= budget {
            passes.append((BlockingPass(atoms: [candidate.atom]), candidate.recall, candidate.collision * table.pairs))
        }
        for (index, a) in candidates.enumerated() where a.collision * table.pairs > budget {
            for b in candidates[(index + 1)...]
            where b.collision * table.pairs > budget && b.atom.field != a.atom.field {
                let cost = a.collision * b.collision * table.pairs
                guard cost <= budget else { continue }
                passes.append((BlockingPass(atoms: [a.atom, b.atom]), a.recall * b.recall, cost))
            }
        }
        let chosen = Self.spread(passes, budget: budget * 12)
        return Blocking(passes: chosen, kinds: kinds, commonWords: common)
    }

    /// The most reliable first, but each further pass over the same fields counts for less: what one field hides,
    /// others show.
    private static func spread(
        _ passes: [(pass: BlockingPass, recall: Double, cost: Double)], budget: Double
    ) -> [BlockingPass] {
        var rest = passes, chosen: [BlockingPass] = []
        var uses: [Int: Int] = [:], cost = 0.0
        while chosen.count < passesMax, !rest.isEmpty {
            func worth(_ entry: (pass: BlockingPass, recall: Double, cost: Double)) -> Double {
                let used = entry.pass.atoms.reduce(0) { $0 + (uses[$1.field] ?? 0) }
                return entry.recall / (1 + 0.35 * Double(used) / Double(entry.pass.atoms.count))
            }
            guard let best = rest.indices.max(by: { worth(rest[$0]) < worth(rest[$1]) }) else { break }
            let entry = rest.remove(at: best)
            guard cost + entry.cost <= budget else { continue }
            cost += entry.cost
            chosen.append(entry.pass)
            for atom in entry.pass.atoms { uses[atom.field, default: 0] += 1 }
        }
        return chosen
    }

    private func candidates(_ field: Int, _ common: [UInt64]) -> [Candidate] {
        let column = table.columns[field]
        guard column.present > 0 else { return [] }
        return Self.forms(column.kind).map { form, recall in
            let collision = self.collision(field, form, common)
            let share = Double(column.present) / Double(table.rows)
            return Candidate(
                atom: BlockingAtom(field: field, form: form), collision: collision, recall: recall * share * share)
        }
        .filter { $0.collision > 0 }
    }

    private static func forms(_ kind: ColumnKind) -> [(BlockingAtom.Form, Double)] {
        switch kind {
        case .givenName, .surname: [(.whole, 0.75), (.sound, 0.85), (.start, 0.8)]
        case .fullName: [(.words, 0.9), (.whole, 0.6)]
        case .phone, .email, .identityNumber: [(.whole, 0.9), (.firstHalf, 0.85), (.secondHalf, 0.85)]
        case .birthDate: [(.whole, 0.85), (.monthDay, 0.9), (.year, 0.9)]
        case .street, .suburb: [(.whole, 0.7), (.words, 0.85), (.start, 0.8)]
        case .text: [(.words, 0.85), (.whole, 0.6), (.start, 0.7)]
        case .postcode, .code: [(.whole, 0.85), (.digits, 0.88)]
        case .houseNumber: [(.whole, 0.85)]
        case .category: [(.whole, 0.9)]
        case .number, .date: [(.whole, 0.5)]
        case .nothing: []
        }
    }

    private func collision(_ field: Int, _ form: BlockingAtom.Form, _ common: [UInt64]) -> Double {
        let column = table.columns[field]
        let step = max(1, table.rows / Self.sampleMax)
        var counts: [UInt64: Int] = [:]
        var memory = [[UInt64]?](repeating: nil, count: column.values.count)
        var looked = 0
        for row in stride(from: 0, to: table.rows, by: step) {
            looked += 1
            let index = Int(column.rows[row])
            guard index >= 0 else { continue }
            let hashes =
                memory[index]
                ?? Blocking.hashes(
                    column.values[index], form, salt: UInt64(field), common: form == .words ? common : [])
            memory[index] = hashes
            for hash in hashes { counts[hash, default: 0] += 1 }
        }
        guard looked > 1, !counts.isEmpty else { return 0 }
        // A sample in which nothing meets still lets things meet in the whole.
        let same = counts.values.reduce(0.0) { $0 + Double($1) * Double($1 - 1) } + 1
        return same / (Double(looked) * Double(looked - 1))
    }

    /// Words in more than so many records meet too often to be a key.
    private static func commonWords(_ column: PreparedColumn, salt: UInt64, rows: Int) -> [UInt64] {
        guard forms(column.kind).contains(where: { $0.0 == .words }) else { return [] }
        var counts: [UInt64: Int] = [:]
        for (value, count) in zip(column.values, column.counts) {
            for word in value.latin.split(separator: 32) where word.count >= 2 {
                counts[StableHash.of(word, salt: salt &+ 5_000), default: 0] += Int(count)
            }
        }
        let limit = max(20, rows / 100)
        return counts.filter { $0.value > limit }.keys.sorted()
    }
}
