import Kernel
import Storage

/// Up to some ten thousand entries, sorted by fingerprint, as three byte strings: a Bloom filter that says "certainly not" of
/// nearly all others, the fingerprints (8 bytes each, searched as they lie), and what is known of each (about 10 bytes each,
/// lines by their number in a list).
package struct UsageBlock: Sendable, Equatable {
    package let bloom: [UInt8]
    package let prints: [UInt8]
    package let payload: [UInt8]
    package var count: Int { prints.count / 8 }

    /// Entries between two places that are written down.
    static let stride = 64

    /// - Parameter entries: sorted by fingerprint, each once.
    package init(_ entries: [UsageEntry]) {
        bloom = UsageBloom.make(entries)
        var prints: [UInt8] = []
        prints.reserveCapacity(entries.count * 8)
        for entry in entries { Self.put(entry.fingerprint, &prints) }
        self.prints = prints
        payload = Self.pack(entries)
    }

    private static func put(_ word: UInt64, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func pack(_ entries: [UsageEntry]) -> [UInt8] {
        var numbers: [LineRef: Int] = [:]
        var lines: [LineRef] = []
        // The number of each entry's line; -1 = it has none.
        var which: [Int] = []
        which.reserveCapacity(entries.count)
        for entry in entries {
            guard let line = entry.place?.line else {
                which.append(-1)
                continue
            }
            if let known = numbers[line] {
                which.append(known)
                continue
            }
            numbers[line] = lines.count
            which.append(lines.count)
            lines.append(line)
        }
        var body: [UInt8] = []
        body.reserveCapacity(entries.count * 12)
        var places: [Int] = []
        for (index, entry) in entries.enumerated() {
            if index % stride == 0 { places.append(body.count) }
            pack(entry, which[index], &body)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count + lines.count * 16 + places.count * 3 + 16)
        ByteText.put(UInt64(lines.count), &bytes)
        for line in lines {
            put(UInt64(bitPattern: line.customer.rawValue), &bytes)
            put(UInt64(bitPattern: line.subscription.rawValue), &bytes)
        }
        ByteText.put(UInt64(places.count), &bytes)
        // Fixed width, so that one is found without reading those before.
        for place in places { for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: place >> (shift * 8))) } }
        return bytes + body
    }

    private static func pack(_ entry: UsageEntry, _ number: Int, _ bytes: inout [UInt8]) {
        guard let place = entry.place, let amount = entry.amount, number >= 0 else {
            bytes.append(entry.state.rawValue)
            return ByteText.put(UInt64(entry.version), &bytes)
        }
        var flags = entry.state.rawValue | amount.kind.rawValue << 2 | 0x80
        if amount.isRoaming { flags |= 0x10 }
        if amount.isDropped { flags |= 0x20 }
        if amount.speed > 0 || amount.cell != nil { flags |= 0x40 }
        bytes.append(flags)
        ByteText.put(UInt64(entry.version), &bytes)
        ByteText.put(UInt64(number), &bytes)
        ByteText.put(ByteText.zigzag(Int64(place.day)), &bytes)
        ByteText.put(ByteText.zigzag(amount.quantity), &bytes)
        if flags & 0x40 != 0 {
            ByteText.put(UInt64(amount.speed), &bytes)
            bytes.append(amount.cell ?? 0xFF)
        }
    }

    // MARK: Reading

    /// Where a fingerprint stands; `nil` = it is not here.
    package static func index(of print: UInt64, in prints: [UInt8]) -> Int? {
        prints.withUnsafeBytes { raw in
            var low = 0, high = raw.count / 8
            while low < high {
                let middle = (low + high) / 2
                let found = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: middle * 8, as: UInt64.self))
                if found == print { return middle }
                if found < print { low = middle + 1 } else { high = middle }
            }
            return nil
        }
    }

    /// The entries at these places, which are in order.
    /// - Throws: `UsageBlockDamaged`.
    package static func entries(
        at indices: [Int], prints: [UInt8], payload: [UInt8]
    ) throws -> [UsageEntry] {
        var text = ByteText(payload)
        let lineCount = try text.number()
        guard lineCount <= UInt64(payload.count / 16) else { throw UsageBlockDamaged() }
        let linesAt = text.at
        try text.move(to: linesAt + Int(lineCount) * 16)
        let placeCount = try text.number()
        guard placeCount <= UInt64(payload.count / 4) else { throw UsageBlockDamaged() }
        let placesAt = text.at
        let body = placesAt + Int(placeCount) * 4
        var result: [UsageEntry] = []
        result.reserveCapacity(indices.count)
        var next = -1
        for index in indices {
            guard index >= 0, index < prints.count / 8, index / stride < Int(placeCount) else { throw UsageBlockDamaged() }
            if next < 0 || index < next || index / stride > next / stride {
                let place = try ByteText.fixed(payload, at: placesAt + index / stride * 4, bytes: 4)
                try text.move(to: body + Int(place))
                next = index / stride * stride
            }
            while next < index {
                _ = try entry(&text, 0, linesAt, lineCount)
                next += 1
            }
            let print = try ByteText.fixed(prints, at: index * 8, bytes: 8)
            result.append(try entry(&text, print, linesAt, lineCount))
            next += 1
        }
        return result
    }

    private static func entry(
        _ text: inout ByteText, _ print: UInt64, _ linesAt: Int, _ lineCount: UInt64
    ) throws -> UsageEntry {
        let flags = try text.byte()
        let version = UInt32(truncatingIfNeeded: try text.number())
        guard let state = UsageEntry.State(rawValue: flags & 3) else { throw UsageBlockDamaged() }
        guard flags & 0x80 != 0 else { return UsageEntry(print, version: version, state) }
        let number = try text.number()
        guard number < lineCount, let kind = UsageKind(rawValue: flags >> 2 & 3) else { throw UsageBlockDamaged() }
        let day = Int32(truncatingIfNeeded: ByteText.unzigzag(try text.number()))
        var amount = UsageAmount(
            kind, quantity: ByteText.unzigzag(try text.number()), isRoaming: flags & 0x10 != 0,
            isDropped: flags & 0x20 != 0)
        if flags & 0x40 != 0 {
            amount.speed = Int64(truncatingIfNeeded: try text.number())
            let cell = try text.byte()
            amount.cell = cell == 0xFF ? nil : cell
        }
        let at = linesAt + Int(number) * 16
        let customer = Int64(bitPattern: try ByteText.fixed(text.bytes, at: at, bytes: 8))
        let subscription = Int64(bitPattern: try ByteText.fixed(text.bytes, at: at + 8, bytes: 8))
        let line = LineRef(customer: CustomerID(customer), subscription: SubscriptionID(subscription))
        return UsageEntry(print, version: version, state, place: UsagePlace(line, day: day), amount: amount)
    }

    /// All entries.
    package func entries() throws -> [UsageEntry] {
        try Self.entries(at: Array(0..<count), prints: prints, payload: payload)
    }

    /// The entries of several blocks as one sorted list; of one event's the highest rank stays.
    package static func merged(_ blocks: [UsageBlock]) throws -> [UsageEntry] {
        var all: [UsageEntry] = []
        all.reserveCapacity(blocks.reduce(0) { $0 + $1.count })
        for block in blocks { all += try block.entries() }
        all.sort { ($0.fingerprint, $1.rank) < ($1.fingerprint, $0.rank) }
        var result: [UsageEntry] = []
        result.reserveCapacity(all.count)
        for entry in all where result.last?.fingerprint != entry.fingerprint { result.append(entry) }
        return result
    }
}

/// A stored block that does not read as one.
package struct UsageBlockDamaged: Error {}

/// A Bloom filter whose seven bits lie in one cache line (Putze, Sanders and Singler 2007): 16 bits an entry, about one wrong
/// "perhaps" in a thousand.
package enum UsageBloom {
    static func make(_ entries: [UsageEntry]) -> [UInt8] {
        let lines = max(1, (entries.count * 16 + 511) / 512)
        var bytes = [UInt8](repeating: 0, count: lines * 64)
        bytes.withUnsafeMutableBytes { raw in
            for entry in entries {
                let (line, mix) = place(entry.fingerprint, lines)
                for piece in 0..<7 {
                    let bit = Int(mix >> UInt64(piece * 9) & 511)
                    raw[line * 64 + bit >> 3] |= 1 << UInt8(bit & 7)
                }
            }
        }
        return bytes
    }

    @inline(__always)
    private static func place(_ print: UInt64, _ lines: Int) -> (Int, UInt64) {
        let line = (print &* 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: UInt64(lines)).high
        var mix = print ^ print >> 32
        mix = mix &* 0xD6E8_FEB8_6659_FD93
        return (Int(line), mix ^ mix >> 32)
    }

    /// The fingerprints of a sorted run that may be in the block.
    package static func candidates(_ prints: ArraySlice<UInt64>, _ bloom: [UInt8]) -> [UInt64] {
        let lines = bloom.count / 64
        guard lines > 0 else { return Array(prints) }
        var result: [UInt64] = []
        bloom.withUnsafeBytes { raw in
            for print in prints {
                let (line, mix) = place(print, lines)
                var isThere = true
                for piece in 0..<7 {
                    let bit = Int(mix >> UInt64(piece * 9) & 511)
                    if raw[line * 64 + bit >> 3] & 1 << UInt8(bit & 7) == 0 {
                        isThere = false
                        break
                    }
                }
                if isThere { result.append(print) }
            }
        }
        return result
    }
}

/// Numbers in bytes: seven bits a byte, the smallest first.
package struct ByteText {
    package let bytes: [UInt8]
    package private(set) var at = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package mutating func move(to place: Int) throws {
        guard place >= 0, place <= bytes.count else { throw UsageBlockDamaged() }
        at = place
    }

    package mutating func byte() throws -> UInt8 {
        guard at < bytes.count else { throw UsageBlockDamaged() }
        defer { at += 1 }
        return bytes[at]
    }

    package mutating func number() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
            guard shift < 64 else { throw UsageBlockDamaged() }
        }
    }

    package mutating func text() throws -> String {
        let count = try number()
        guard count <= UInt64(bytes.count - at) else { throw UsageBlockDamaged() }
        defer { at += Int(count) }
        return String(decoding: bytes[at..<(at + Int(count))], as: UTF8.self)
    }

    package static func put(_ value: UInt64, _ bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    package static func put(_ text: String, _ bytes: inout [UInt8]) {
        put(UInt64(text.utf8.count), &bytes)
        bytes += Array(text.utf8)
    }

    package static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
    package static func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }

    /// A number of so many bytes, the smallest first.
    package static func fixed(_ bytes: [UInt8], at place: Int, bytes count: Int) throws -> UInt64 {
        guard place >= 0, place + count <= bytes.count else { throw UsageBlockDamaged() }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[place + index]) << UInt64(index * 8) }
        return value
    }
}

extension UsageEvent {
    /// For the table of what waits.
    package var packed: [UInt8] {
        var out: [UInt8] = []
        ByteText.put(UInt64(version), &out)
        ByteText.put(ByteText.zigzag(Int64(day)), &out)
        out.append(amount.kind.rawValue | (amount.isRoaming ? 0x10 : 0) | (amount.isDropped ? 0x20 : 0))
        ByteText.put(ByteText.zigzag(amount.quantity), &out)
        ByteText.put(UInt64(amount.speed), &out)
        out.append(amount.cell ?? 0xFF)
        return out
    }

    package init(packed: [UInt8], fingerprint: UInt64, line: String) throws {
        var text = ByteText(packed)
        let version = UInt32(truncatingIfNeeded: try text.number())
        let day = Int32(truncatingIfNeeded: ByteText.unzigzag(try text.number()))
        let flags = try text.byte()
        guard let kind = UsageKind(rawValue: flags & 3) else { throw UsageBlockDamaged() }
        let quantity = ByteText.unzigzag(try text.number())
        let speed = Int64(truncatingIfNeeded: try text.number())
        let cell = try text.byte()
        self.init(
            fingerprint: fingerprint, version: version, line: line, day: day,
            amount: UsageAmount(
                kind, quantity: quantity, isRoaming: flags & 0x10 != 0, isDropped: flags & 0x20 != 0, speed: speed,
                cell: cell == 0xFF ? nil : cell))
    }
}
