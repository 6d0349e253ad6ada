import Storage

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

/// 64 bits of a key, to find it again within one file.
enum KeyHash {
    static func of(_ value: SQLValue) -> UInt64 {
        switch value {
        case .text(let text): hash(text)
        case .int(let int): hash("\(int)")
        case .double(let double): hash("\(double)")
        case .bool(let bool): hash(bool ? "true" : "false")
        case .bytes(let bytes): hash(String(decoding: bytes, as: UTF8.self))
        case .null: 0
        }
    }

    /// FNV-1a with the finaliser of MurmurHash3, whose low bits are even enough for an open table.
    private static func hash(_ text: String) -> UInt64 {
        var text = text
        var hash = text.withUTF8 { bytes -> UInt64 in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            return hash
        }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return max(1, hash ^ hash >> 33)
    }
}
