/// A field that both sides of a comparison have.
package struct MatchField: Sendable, Codable, Equatable {
    package let name: String
    package let kind: ColumnKind
    package init(name: String, kind: ColumnKind) {
        self.name = name
        self.kind = kind
    }
}

/// One field of all records, each distinct value standardised once.
struct PreparedColumn: Sendable {
    let kind: ColumnKind
    private(set) var values: [MatchValue] = []
    /// How often each value occurs.
    private(set) var counts: [Int32] = []
    /// Index into `values` of each row; -1 where missing.
    private(set) var rows: [Int32] = []
    private(set) var present = 0

    init(kind: ColumnKind) { self.kind = kind }

    /// Adds rows: of a column of the left file, then of the right one, which may write its dates otherwise.
    mutating func append(_ cells: [String?], _ standardiser: Standardiser) {
        var byText: [String: Int32] = [:]
        var byNative: [UInt64: [Int32]] = [:]
        for (index, value) in values.enumerated() { byNative[value.native, default: []].append(Int32(index)) }
        rows.reserveCapacity(rows.count + cells.count)
        for cell in cells {
            guard let cell else {
                rows.append(-1)
                continue
            }
            if let known = byText[cell] {
                note(known)
                continue
            }
            var found: Int32 = -1
            if let value = standardiser.value(cell) {
                if let same = byNative[value.native]?.first(where: { values[Int($0)] == value }) {
                    found = same
                } else {
                    found = Int32(values.count)
                    values.append(value)
                    counts.append(0)
                    byNative[value.native, default: []].append(found)
                }
            }
            byText[cell] = found
            note(found)
        }
    }

    /// Where a birth date is missing, takes that of the identity number.
    mutating func complete(from identities: PreparedColumn) {
        var byDate: [Int64: Int32] = [:]
        for (index, value) in values.enumerated() where value.number > 0 { byDate[value.number] = Int32(index) }
        for row in rows.indices where rows[row] < 0 {
            guard let date = identities.value(row)?.number, date > 0 else { continue }
            var found = byDate[date]
            if found == nil {
                let digits = Array(String(date).utf8)
                guard let value = MatchValue(native: digits, latin: digits, number: date) else { continue }
                found = Int32(values.count)
                byDate[date] = found
                values.append(value)
                counts.append(0)
            }
            guard let found else { continue }
            rows[row] = found
            counts[Int(found)] += 1
            present += 1
        }
    }

    private mutating func note(_ index: Int32) {
        rows.append(index)
        guard index >= 0 else { return }
        counts[Int(index)] += 1
        present += 1
    }

    @inline(__always) func value(_ row: Int) -> MatchValue? {
        let index = rows[row]
        return index < 0 ? nil : values[Int(index)]
    }
}

/// All records of one file or of two, ready to be compared.
struct PreparedTable: Sendable {
    let fields: [MatchField]
    let columns: [PreparedColumn]
    let rows: Int
    /// Rows before this one are the left file's; nil when a file is matched with itself.
    let split: Int?
    /// Of the files' columns, what each is.
    var taken: [TakenColumn] = []

    /// Pairs that could be a match at all.
    var pairs: Double {
        if let split { return Double(split) * Double(rows - split) }
        return Double(rows) * Double(rows - 1) / 2
    }

    func record(_ row: Int) -> MatchRecord { MatchRecord(values: columns.map { $0.value(row) }) }
}

/// One record in the form it is compared in, parallel to the model's fields.
package struct MatchRecord: Sendable, Equatable {
    package let values: [MatchValue?]
}

/// What the fields of a table mean for each other: which stand in for another when a person mixed them up.
struct FieldRoles: Sendable {
    let kinds: [ColumnKind]
    /// Given name and surname, when there is one of each.
    let names: (given: Int, surname: Int)?
    /// Two address lines.
    let lines: (Int, Int)?
    let phones: [Int]

    init(_ kinds: [ColumnKind]) {
        self.kinds = kinds
        let given = kinds.indices.filter { kinds[$0] == .givenName },
            last = kinds.indices.filter { kinds[$0] == .surname }
        names = given.isEmpty || last.isEmpty ? nil : (given[0], last[0])
        let streets = kinds.indices.filter { kinds[$0] == .street }
        lines = streets.count == 2 ? (streets[0], streets[1]) : nil
        phones = kinds.indices.filter { kinds[$0] == .phone }
    }

    /// Levels of a pair, with fields that changed places recognised.
    /// - Parameter value: the value of a field on the left (`false`) or right side.
    @inline(__always)
    func correct(_ levels: UnsafeMutablePointer<UInt8>, _ value: (Int, Bool) -> MatchValue?) {
        if let names, levels[names.given] > 2 || levels[names.surname] > 2 {
            swapNames(levels, names.given, names.surname, value)
        }
        if let lines, levels[lines.0] >= 3, levels[lines.1] >= 3,
            levels[lines.0] != Comparison.missing || levels[lines.1] != Comparison.missing
        {
            swapLines(levels, lines.0, lines.1, value)
        }
        for field in phones where levels[field] == 1 || levels[field] == 2 {
            if let a = value(field, false), let b = value(field, true), Comparison.areNeighbours(a, b) {
                levels[field] = Comparison.missing
            }
        }
    }

    /// What the names of a pair say of whether they are one person's.
    enum Naming { case one, unknown, other }

    /// The machine joins nobody for what a household shares. Without a column of names there is nothing to ask.
    func naming(_ levels: ArraySlice<UInt8>, _ value: (Int, Bool) -> MatchValue?) -> Naming {
        let first = levels.startIndex
        let isSameBirth = kinds.indices.contains { kinds[$0] == .birthDate && levels[first + $0] <= 1 }
        func naming(_ field: Int) -> Naming {
            switch levels[first + field] {
            case 0: return .one
            case 1:
                // Two characters of one sound are two names, unless the birth date is the same.
                let isHan = [false, true].allSatisfy { side in value(field, side).map { !$0.isLatin } ?? false }
                return !isHan || isSameBirth ? .one : .other
            case Comparison.swapped: return kinds[field] == .fullName ? .other : .one
            case Comparison.missing: return .unknown
            default: return .other
            }
        }
        // A company and whoever speaks for it: one of the two is enough, and neither may be another.
        let full = kinds.indices.filter { kinds[$0] == .fullName }.map(naming)
        if !full.isEmpty { return full.contains(.other) ? .other : full.contains(.one) ? .one : .unknown }
        guard let given = kinds.firstIndex(of: .givenName) else { return .one }
        let own = naming(given), last = names.map { naming($0.surname) } ?? Naming.one
        return last == .other ? .other : own
    }

    private func swapNames(
        _ levels: UnsafeMutablePointer<UInt8>, _ given: Int, _ last: Int, _ value: (Int, Bool) -> MatchValue?
    ) {
        // Where one agrees as it stands nothing was swapped.
        guard levels[given] > 2, levels[last] > 2 else { return }
        let first = cross(.surname, value(given, false), value(last, true))
        let second = cross(.surname, value(last, false), value(given, true))
        if first <= 2, second <= 2 || second == Comparison.missing { levels[given] = Comparison.swapped }
        if second <= 2, first <= 2 || first == Comparison.missing { levels[last] = Comparison.swapped }
        if levels[given] == Comparison.swapped, levels[last] == Comparison.missing || levels[last] > 2 {
            levels[last] = second <= 2 ? Comparison.swapped : Comparison.missing
        } else if levels[last] == Comparison.swapped, levels[given] > 2, levels[given] != Comparison.swapped {
            levels[given] = first <= 2 ? Comparison.swapped : Comparison.missing
        }
    }

    private func swapLines(
        _ levels: UnsafeMutablePointer<UInt8>, _ one: Int, _ two: Int, _ value: (Int, Bool) -> MatchValue?
    ) {
        let first = cross(.street, value(one, false), value(two, true))
        let second = cross(.street, value(two, false), value(one, true))
        let best = min(first, second)
        guard best <= 1 else { return }
        levels[one] = 2
        levels[two] = max(first, second) <= 2 ? 2 : Comparison.missing
    }

    private func cross(_ kind: ColumnKind, _ a: MatchValue?, _ b: MatchValue?) -> UInt8 {
        guard let a, let b else { return Comparison.missing }
        return Comparison.level(kind, a, b)
    }
}
