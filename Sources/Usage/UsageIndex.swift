import Kernel
import Storage
import Synchronization

/// The ids that were taken: blocks of sorted fingerprints in a small tree (ADR 0032). A chunk writes one block of level 0.
/// Eight blocks of one slot become one while they are small, else eight of the next level, each for an eighth of the slot's
/// range. So an id is looked for in at most seven blocks a level, and it is written once a level.
package final class UsageIndex: Sendable {
    static let list: SQL = """
        SELECT id, level, slot, entries FROM usage_block WHERE source_id = $1 ORDER BY id
        """
    static let bloomOf: SQL = "SELECT bloom FROM usage_block_bytes WHERE id = $1"
    static let printsOf: SQL = "SELECT prints FROM usage_block_bytes WHERE id = $1"
    static let payloadOf: SQL = "SELECT payload FROM usage_block_bytes WHERE id = $1"
    static let entriesOf: SQL = "SELECT prints, payload FROM usage_block_bytes WHERE id = $1"
    static let full: SQL = """
        SELECT arrived_week, level, slot FROM usage_block WHERE source_id = $1
        GROUP BY arrived_week, level, slot HAVING COUNT(*) >= $2 ORDER BY level, arrived_week, slot LIMIT 1
        """
    static let slot: SQL = """
        SELECT id, entries FROM usage_block
        WHERE source_id = $1 AND arrived_week = $2 AND level = $3 AND slot = $4 ORDER BY id LIMIT $5
        """
    static let delete: SQL = "DELETE FROM usage_block WHERE source_id = $1 AND id = $2"
    static let deleteBytes: SQL = "DELETE FROM usage_block_bytes WHERE id = $1"
    static let old: SQL = "SELECT source_id, id FROM usage_block WHERE arrived_week < $1 ORDER BY source_id, id"

    static let fanOut = 8
    /// More entries than these are spread over the next level.
    static let blockMax = 65_536
    static let levelMax: Int64 = 10
    /// How long an event may be corrected and is known again, by its arrival.
    package static let windowDays: Int64 = 45

    private let cache = Mutex(BlockCache())

    package init() {}

    /// Which part of the range of fingerprints a slot is.
    private static func prints(_ level: Int64, _ slot: Int64) -> ClosedRange<UInt64> {
        guard level > 0 else { return 0...UInt64.max }
        let shift = UInt64(64 - 3 * level)
        let low = UInt64(bitPattern: slot) << shift
        return low...(low | (1 << shift - 1))
    }

    private struct Place {
        let id: UsageBlockID
        let level: Int64
        let slot: Int64
    }

    /// What is known of these ids.
    /// - Parameter sorted: fingerprints in order, each once.
    package func find(
        _ sorted: [UInt64], _ source: UsageSourceID, _ session: any SQLSession
    ) throws -> [UInt64: UsageEntry] {
        var found: [UInt64: UsageEntry] = [:]
        guard !sorted.isEmpty else { return found }
        let places = try session.query(Self.list, [.id(source)]) {
            Place(id: $0.id(0), level: $0.int(1), slot: $0.int(2))
        }
        for place in places {
            let range = Self.prints(place.level, place.slot)
            let low = Self.first(sorted) { $0 >= range.lowerBound }
            let high = Self.first(sorted) { $0 > range.upperBound }
            guard low < high else { continue }
            let bloom = try bytes(.bloom, place.id, session)
            let candidates = UsageBloom.candidates(sorted[low..<high], bloom)
            guard !candidates.isEmpty else { continue }
            let prints = try bytes(.prints, place.id, session)
            let indices = candidates.compactMap { UsageBlock.index(of: $0, in: prints) }
            guard !indices.isEmpty else { continue }
            let payload = try bytes(.payload, place.id, session)
            for entry in try UsageBlock.entries(at: indices, prints: prints, payload: payload) {
                if let other = found[entry.fingerprint], other.rank >= entry.rank { continue }
                found[entry.fingerprint] = entry
            }
        }
        return found
    }

    /// The first place where `isBehind` holds; the array's count when it holds nowhere.
    private static func first(_ sorted: [UInt64], _ isBehind: (UInt64) -> Bool) -> Int {
        var low = 0, high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(sorted[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func bytes(
        _ part: BlockCache.Part, _ id: UsageBlockID, _ session: any SQLSession
    ) throws -> [UInt8] {
        let key = BlockCache.Key(id: id.rawValue, part: part)
        if let known = cache.withLock({ $0.take(key) }) { return known }
        let sql =
            switch part {
            case .bloom: Self.bloomOf
            case .prints: Self.printsOf
            case .payload: Self.payloadOf
            }
        guard let read = try session.first(sql, [.id(id)], { $0.bytes(0) }) else { throw UsageBlockDamaged() }
        // A block never changes, so it does not matter who read it and when.
        cache.withLock { $0.keep(read, key) }
        return read
    }

    /// Remembers the entries of a chunk, which are sorted by fingerprint. Many are spread over the next level at once: they are
    /// written there anyway in the end.
    /// - Parameter again: how many of them an older block knows already: events that waited, or were corrected. They are no
    ///   further events, so the column `entries`, which the page sums up, does not count them.
    package func add(
        sorted entries: [UsageEntry], again: Int = 0, _ source: UsageSourceID, at now: Instant, _ ids: IDGenerator,
        _ session: any SQLSession
    ) throws {
        guard !entries.isEmpty else { return }
        let blocks =
            entries.count > Self.blockMax
            ? Self.spread(entries, level: 0, slot: 0)
            : [(level: Self.level(of: entries.count), slot: Int64(0), block: UsageBlock(entries))]
        try insert(blocks, news: entries.count - again, Self.week(now), source, ids, session)
    }

    /// Sorted entries of a slot as blocks of the next level.
    private static func spread(
        _ entries: [UsageEntry], level: Int64, slot: Int64
    ) -> [(level: Int64, slot: Int64, block: UsageBlock)] {
        var blocks: [(level: Int64, slot: Int64, block: UsageBlock)] = []
        var from = 0
        for part in 0..<Int64(fanOut) {
            let range = prints(level + 1, slot << 3 | part)
            var to = from
            while to < entries.count, entries[to].fingerprint <= range.upperBound { to += 1 }
            if to > from { blocks.append((level + 1, slot << 3 | part, UsageBlock(Array(entries[from..<to])))) }
            from = to
        }
        return blocks
    }

    /// Small blocks are merged among themselves first: many short requests do not rewrite a large block again and again.
    private static func level(of count: Int) -> Int64 { count < 1_024 ? -2 : count < 8_192 ? -1 : 0 }

    package static func week(_ now: Instant) -> Int64 { now.milliseconds / (7 * 86_400_000) }

    /// - Parameter news: ids that no older block holds; which block they are counted in does not matter.
    private func insert(
        _ blocks: [(level: Int64, slot: Int64, block: UsageBlock)], news: Int, _ week: Int64, _ source: UsageSourceID,
        _ ids: IDGenerator, _ session: any SQLSession
    ) throws {
        var left = news
        var (heads, bytes): ([[SQLValue]], [[SQLValue]]) = ([], [])
        for item in blocks {
            let id: UsageBlockID = ids.next()
            let counted = min(left, item.block.count)
            left -= counted
            heads.append([.id(source), .id(id), .int(week), .int(item.level), .int(item.slot), .int(counted)])
            bytes.append([.id(id), .bytes(item.block.bloom), .bytes(item.block.prints), .bytes(item.block.payload)])
        }
        try session.bulkInsert(into: "usage_block", "source_id, id, arrived_week, level, slot, entries", heads)
        try session.bulkInsert(into: "usage_block_bytes", "id, bloom, prints, payload", bytes)
    }

    /// Merges one slot that has eight blocks; `false` = there is none. A step is one transaction.
    package func compact(_ source: UsageSourceID, _ ids: IDGenerator, _ session: any SQLSession) throws -> Bool {
        let slot = try session.first(Self.full, [.id(source), .int(Self.fanOut)]) { ($0.int(0), $0.int(1), $0.int(2)) }
        guard let (week, level, number) = slot else { return false }
        let rows = try session.query(
            Self.slot, [.id(source), .int(week), .int(level), .int(number), .int(Self.fanOut)]
        ) { (id: $0.id(0, UsageBlockKind.self), entries: $0.integer(1)) }
        let entries = try UsageBlock.merged(
            rows.map { row in
                let block = try session.first(Self.entriesOf, [.id(row.id)]) {
                    UsageBlock(bloom: [], prints: $0.bytes(0), payload: $0.bytes(1))
                }
                guard let block else { throw UsageBlockDamaged() }
                return block
            })
        let news = rows.reduce(0) { $0 + $1.entries }
        var blocks: [(level: Int64, slot: Int64, block: UsageBlock)] = []
        if entries.count <= Self.blockMax || level >= Self.levelMax {
            blocks.append((level < 0 ? Self.level(of: entries.count) : level, number, UsageBlock(entries)))
        } else {
            blocks = Self.spread(entries, level: max(0, level), slot: number)
        }
        try Self.remove(rows.map { [.id(source), .id($0.id)] }, session)
        try insert(blocks, news: news, week, source, ids, session)
        return true
    }

    /// The first week whose ids are known: arrivals are told apart by weeks, so an id is known for 45 to 52 days.
    static func firstWeek(_ now: Instant) -> Int64 { week(now.adding(days: -windowDays)) }

    /// Lets go of the ids that arrived before the window. Returns how many blocks.
    package static func letGo(_ now: Instant, _ session: any SQLSession) throws -> Int {
        let keys = try session.query(old, [.int(firstWeek(now))]) { [$0.value(0), $0.value(1)] }
        try remove(keys, session)
        return keys.count
    }

    /// - Parameter keys: source and id of each.
    private static func remove(_ keys: [[SQLValue]], _ session: any SQLSession) throws {
        try session.executeMany(deleteBytes, keys.map { [$0[1]] })
        try session.executeMany(delete, keys)
    }
}

extension UsageBlock {
    init(bloom: [UInt8], prints: [UInt8], payload: [UInt8]) {
        self.bloom = bloom
        self.prints = prints
        self.payload = payload
    }
}

/// Parts of blocks in memory, at most so many bytes; what was used the longest ago goes first.
struct BlockCache {
    enum Part: UInt8, Hashable { case bloom, prints, payload }
    struct Key: Hashable {
        let id: Int64
        let part: Part
    }
    static let bytesMax = 64 << 20

    private var parts: [Key: (bytes: [UInt8], used: UInt64)] = [:]
    private(set) var size = 0
    private var clock: UInt64 = 0

    mutating func take(_ key: Key) -> [UInt8]? {
        guard let found = parts[key]?.bytes else { return nil }
        clock += 1
        parts[key]?.used = clock
        return found
    }

    mutating func keep(_ bytes: [UInt8], _ key: Key) {
        guard key.part != .payload, bytes.count <= Self.bytesMax / 8, parts[key] == nil else { return }
        clock += 1
        parts[key] = (bytes, clock)
        size += bytes.count
        guard size > Self.bytesMax else { return }
        // A quarter at once, so that this is not done for each.
        for (old, part) in parts.sorted(by: { $0.value.used < $1.value.used }) {
            guard size > Self.bytesMax / 4 * 3 else { break }
            parts[old] = nil
            size -= part.bytes.count
        }
    }
}
