/// String similarities over `a-z 0-9` bytes. All are symmetric.
enum Similarity {
    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Jaro-Winkler (Winkler 1990), prefix scale 0.1 over at most 4 characters; 1 for equal texts, 0 for nothing in
    /// common.
    static func jaroWinkler(_ a: [UInt8], _ b: [UInt8]) -> Double {
        a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { jaroWinkler($0, a) } }
    }

    static func jaroWinkler(_ x: Bytes, _ y: Bytes) -> Double {
        // The shorter first: the greedy matching is then the same from both sides.
        let (a, b) = x.count < y.count || (x.count == y.count && precedes(x, y)) ? (x, y) : (y, x)
        guard a.count > 0, b.count <= 64 else { return a.count == 0 ? 0 : dice(a, b) }
        let window = max(0, b.count / 2 - 1)
        var usedA: UInt64 = 0, usedB: UInt64 = 0
        var matches = 0
        for i in 0..<a.count {
            var j = max(0, i - window)
            let end = min(b.count - 1, i + window)
            while j <= end {
                if usedB & (1 << UInt64(j)) == 0, a[i] == b[j] {
                    usedA |= 1 << UInt64(i)
                    usedB |= 1 << UInt64(j)
                    matches += 1
                    break
                }
                j += 1
            }
        }
        guard matches > 0 else { return 0 }
        var half = 0, j = 0
        for i in 0..<a.count where usedA & (1 << UInt64(i)) != 0 {
            while usedB & (1 << UInt64(j)) == 0 { j += 1 }
            if a[i] != b[j] { half += 1 }
            j += 1
        }
        let m = Double(matches)
        let jaro = (m / Double(a.count) + m / Double(b.count) + (m - Double(half / 2)) / m) / 3
        var prefix = 0
        while prefix < min(4, a.count), a[prefix] == b[prefix] { prefix += 1 }
        return jaro + Double(prefix) * 0.1 * (1 - jaro)
    }

    private static func precedes(_ a: Bytes, _ b: Bytes) -> Bool {
        for index in 0..<a.count where a[index] != b[index] { return a[index] < b[index] }
        return true
    }

    /// Optimal string alignment (Damerau-Levenshtein without repeated edits) up to `limit`; `limit + 1` when it is
    /// more.
    static func edits(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int {
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        guard a.count <= 62, b.count <= 62 else { return a == b ? 0 : limit + 1 }
        return a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { edits(a, $0, limit) } }
    }

    private static func edits(_ x: Bytes, _ y: Bytes, _ limit: Int) -> Int {
        var start = 0, endX = x.count, endY = y.count
        while start < min(endX, endY), x[start] == y[start] { start += 1 }
        while endX > start, endY > start, x[endX - 1] == y[endY - 1] {
            endX -= 1
            endY -= 1
        }
        let a = Bytes(rebasing: x[start..<endX]), b = Bytes(rebasing: y[start..<endY])
        if a.count == 0 || b.count == 0 { return min(limit + 1, a.count + b.count) }
        if limit == 1 {
            if a.count == 1, b.count == 1 { return 1 }
            return a.count == 2 && b.count == 2 && a[0] == b[1] && a[1] == b[0] ? 1 : 2
        }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 * 64) { rows in
            let beyond: UInt8 = 100
            var before = 128, previous = 0, current = 64
            for j in 0...b.count { rows[previous + j] = UInt8(j) }
            // Only cells within `limit` of the diagonal can lead to a distance within it.
            for i in 1...a.count {
                let low = max(1, i - limit), high = min(b.count, i + limit)
                guard low <= high else { return limit + 1 }
                rows[current + low - 1] = low == 1 ? UInt8(i) : beyond
                var least = rows[current + low - 1]
                for j in low...high {
                    let cost: UInt8 = a[i - 1] == b[j - 1] ? 0 : 1
                    var best = min(rows[previous + j] + 1, rows[current + j - 1] + 1, rows[previous + j - 1] + cost)
                    if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                        best = min(best, rows[before + j - 2] + 1)
                    }
                    rows[current + j] = best
                    least = min(least, best)
                }
                rows[current + high + 1] = beyond
                if least > limit { return limit + 1 }
                (before, previous, current) = (previous, current, before)
            }
            return min(limit + 1, Int(rows[previous + b.count]))
        }
    }

    /// Twice the shared pairs of neighbouring letters over all of them (Dice), as multisets.
    static func dice(_ a: [UInt8], _ b: [UInt8]) -> Double {
        a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { dice(a, $0) } }
    }

    static func dice(_ a: Bytes, _ b: Bytes) -> Double {
        let (m, n) = (a.count - 1, b.count - 1)
        guard m > 0, n > 0 else { return a.count == b.count && a.count == 1 && a[0] == b[0] ? 1 : 0 }
        return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: m + n) { pairs in
            for i in 0..<m { pairs[i] = UInt16(a[i]) << 8 | UInt16(a[i + 1]) }
            for i in 0..<n { pairs[m + i] = UInt16(b[i]) << 8 | UInt16(b[i + 1]) }
            var shared = 0
            if m * n <= 400 {
                var used: UInt64 = 0
                for i in 0..<m {
                    for j in 0..<min(n, 64) where used & (1 << UInt64(j)) == 0 && pairs[i] == pairs[m + j] {
                        used |= 1 << UInt64(j)
                        shared += 1
                        break
                    }
                }
            } else {
                var left = UnsafeMutableBufferPointer(rebasing: pairs[0..<m])
                var right = UnsafeMutableBufferPointer(rebasing: pairs[m..<m + n])
                left.sort()
                right.sort()
                var i = 0, j = 0
                while i < m, j < n {
                    if left[i] == right[j] {
                        shared += 1
                        i += 1
                        j += 1
                    } else if left[i] < right[j] {
                        i += 1
                    } else {
                        j += 1
                    }
                }
            }
            return 2 * Double(shared) / Double(m + n)
        }
    }
}
