/// Pairs of rows that share a key, each once, the smaller row first.
struct CandidatePairs {
    private(set) var pairs: [UInt64] = []

    static func pack(_ a: Int, _ b: Int) -> UInt64 { UInt64(min(a, b)) << 32 | UInt64(max(a, b)) }
    static func unpack(_ pair: UInt64) -> (Int, Int) { (Int(pair >> 32), Int(pair & 0xFFFF_FFFF)) }

    /// So few pairs are all compared.
    static let allPairsMax = 600_000.0
    /// In a block larger than the cap each record meets so many neighbours in the order of `rank`.
    private static let neighbours = 6

    private struct Entry {
        let key: UInt64
        let row: UInt32
    }

    init(_ table: PreparedTable, _ blocking: Blocking) {
        if table.pairs <= Self.allPairsMax {
            all(table)
            return
        }
        var entries: [Entry] = []
        var keys: [UInt64] = []
        var values = [MatchValue?](repeating: nil, count: table.columns.count)
        for row in 0..<table.rows {
            for field in table.columns.indices { values[field] = table.columns[field].value(row) }
            keys.removeAll(keepingCapacity: true)
            blocking.addKeys(values, &keys)
            for key in keys { entries.append(Entry(key: key, row: UInt32(row))) }
        }
        entries.sort { ($0.key, $0.row) < ($1.key, $1.row) }
        let cap = Self.cap(entries, budget: max(400_000, table.rows * (table.rows > 200_000 ? 15 : 40)))
        collect(entries, cap: cap, table)
        pairs.sort()
        deduplicate()
    }

    private mutating func all(_ table: PreparedTable) {
        let left = table.split ?? table.rows
        for a in 0..<left {
            var b = table.split ?? a + 1
            while b < table.rows {
                pairs.append(Self.pack(a, b))
                b += 1
            }
        }
    }

    /// The largest block that is compared whole, so that all blocks together stay within the budget.
    private static func cap(_ entries: [Entry], budget: Int) -> Int {
        var sizes: [Int: Int] = [:]
        forEachBlock(entries) { sizes[$0.count, default: 0] += 1 }
        var total = 0
        for size in sizes.keys.sorted() {
            total += (sizes[size] ?? 0) * size * (size - 1) / 2
            if total > budget { return max(2, size - 1) }
        }
        return Int.max
    }

    private static func forEachBlock(_ entries: [Entry], _ body: (Range<Int>) -> Void) {
        var start = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].key == entries[start].key { end += 1 }
            if end - start > 1 { body(start..<end) }
            start = end
        }
    }

    private mutating func collect(_ entries: [Entry], cap: Int, _ table: PreparedTable) {
        let split = table.split.map(UInt32.init)
        var ranks: [Int32]?
        var found: [UInt64] = []
        func add(_ a: UInt32, _ b: UInt32) {
            guard a != b else { return }
            if let split, (a < split) == (b < split) { return }
            found.append(Self.pack(Int(a), Int(b)))
        }
        Self.forEachBlock(entries) { block in
            if block.count <= cap {
                for i in block {
                    for j in (i + 1)..<block.upperBound where j < block.upperBound {
                        add(entries[i].row, entries[j].row)
                    }
                }
                return
            }
            let order = ranks ?? Self.ranks(table)
            ranks = order
            let rows = block.map { entries[$0].row }.sorted { order[Int($0)] < order[Int($1)] }
            for i in rows.indices {
                for j in i + 1..<min(rows.count, i + 1 + Self.neighbours) where j < rows.count { add(rows[i], rows[j]) }
            }
        }
        pairs = found
    }

    /// The place of each row when all are sorted by their names, or their first texts: similar records stand together.
    private static func ranks(_ table: PreparedTable) -> [Int32] {
        let order: [ColumnKind] = [
            .surname, .fullName, .givenName, .text, .street, .identityNumber, .birthDate, .phone,
        ]
        let fields = table.columns.indices.filter { order.contains(table.columns[$0].kind) }
            .sorted {
                (order.firstIndex(of: table.columns[$0].kind) ?? 0)
                    < (order.firstIndex(of: table.columns[$1].kind) ?? 0)
            }
        var byField: [[Int32]] = []
        for field in fields.prefix(3) {
            let values = table.columns[field].values
            let sorted = values.indices.sorted { values[$0].compact.lexicographicallyPrecedes(values[$1].compact) }
            var place = [Int32](repeating: 0, count: values.count)
            for (rank, index) in sorted.enumerated() { place[index] = Int32(rank) }
            byField.append(table.columns[field].rows.map { $0 < 0 ? -1 : place[Int($0)] })
        }
        let rows = (0..<table.rows).sorted { a, b in
            for ranks in byField where ranks[a] != ranks[b] { return ranks[a] < ranks[b] }
            return a < b
        }
        var result = [Int32](repeating: 0, count: table.rows)
        for (rank, row) in rows.enumerated() { result[row] = Int32(rank) }
        return result
    }

    private mutating func deduplicate() {
        var kept = 0
        for index in pairs.indices where index == 0 || pairs[index] != pairs[index - 1] {
            pairs[kept] = pairs[index]
            kept += 1
        }
        pairs.removeLast(pairs.count - kept)
    }
}
