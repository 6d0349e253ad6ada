/// The match keys of a file with the line on which each was first seen: an open-addressing table of hashes, 12 bytes a
/// slot. This is the one thing whose memory grows with the file: about 25 bytes a row, 250 MB for ten million rows.
struct SeenKeys {
    private var hashes: [UInt64]
    private var lines: [UInt32]
    private(set) var count = 0

    init(capacity: Int = 1_024) {
        var slots = 1_024
        while slots < capacity * 3 / 2 { slots *= 2 }
        hashes = Array(repeating: 0, count: slots)
        lines = Array(repeating: 0, count: slots)
    }

    /// The line on which `key` (not 0) was seen before; `nil` when it is new, and then it is noted.
    mutating func note(_ key: UInt64, line: Int) -> Int? {
        if count * 4 >= hashes.count * 3 { grow() }
        let slot = slot(key)
        if hashes[slot] == key { return Int(lines[slot]) }
        hashes[slot] = key
        lines[slot] = UInt32(clamping: line)
        count += 1
        return nil
    }

    /// The line on which `key` (not 0) was noted; `nil` when it was not.
    func line(of key: UInt64) -> Int? {
        let slot = slot(key)
        return hashes[slot] == key ? Int(lines[slot]) : nil
    }

    private func slot(_ key: UInt64) -> Int {
        let mask = hashes.count - 1
        var slot = Int(truncatingIfNeeded: key) & mask
        while hashes[slot] != 0, hashes[slot] != key { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let (oldHashes, oldLines) = (hashes, lines)
        hashes = Array(repeating: 0, count: oldHashes.count * 2)
        lines = Array(repeating: 0, count: oldHashes.count * 2)
        for (index, key) in oldHashes.enumerated() where key != 0 {
            let slot = slot(key)
            hashes[slot] = key
            lines[slot] = oldLines[index]
        }
    }
}
