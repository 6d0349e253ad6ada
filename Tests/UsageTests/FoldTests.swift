import Kernel
import Storage
import TestSupport
import Testing

@testable import Usage

/// Events of every kind of trouble, and what they must come to.
struct UsageStory {
    var events: [UsageEvent] = []
    let lines: [String: LineRef]

    /// - Parameter ids: how many different events; each comes in up to three versions, some cancelled, many repeated.
    init(_ generator: inout SeededGenerator, ids: Int, lines count: Int = 7) {
        var lines: [String: LineRef] = [:]
        for number in 0..<count {
            lines["line\(number)"] = LineRef(
                customer: CustomerID(Int64(number / 2 + 1)), subscription: SubscriptionID(Int64(number + 100)))
        }
        self.lines = lines
        let print = UsagePrint(source: "story")
        for number in 0..<ids {
            let kind = UsageKind.allCases.randomElement(using: &generator) ?? .voice
            let versions = [0, 0, 0, 1, 2].randomElement(using: &generator) ?? 0
            for version in 0...versions {
                var event = UsageEvent(
                    fingerprint: print.of(kind, "e\(number)"), version: UInt32(version),
                    line: "line\(Int.random(in: 0..<count, using: &generator))",
                    day: Int32.random(in: 20_400..<20_440, using: &generator), amount: UsageAmount(kind))
                event.amount.quantity =
                    kind == .sms ? 1 : kind == .sample ? 0 : Int64.random(in: 0...5_000_000, using: &generator)
                event.amount.isRoaming = Int.random(in: 0..<5, using: &generator) == 0
                event.amount.isDropped = kind == .voice && Int.random(in: 0..<9, using: &generator) == 0
                if Bool.random(using: &generator) { event.amount.speed = Int64.random(in: 1...90_000, using: &generator) }
                events.append(event)
                if Int.random(in: 0..<12, using: &generator) == 0 {
                    event.isCancelled = true
                    events.append(event)
                }
                if Int.random(in: 0..<4, using: &generator) == 0, let again = events.last { events.append(again) }
            }
        }
        events.shuffle(using: &generator)
    }

    /// Straight from the words of the rules: of each id the latest version holds, a cancelled one counts nothing.
    func expected(_ known: Set<String>? = nil) -> [UsagePlace: DayUsage] {
        var latest: [UInt64: UsageEvent] = [:]
        for event in events {
            if let other = latest[event.fingerprint],
                (other.version, other.isCancelled ? 1 : 0) >= (event.version, event.isCancelled ? 1 : 0)
            {
                continue
            }
            latest[event.fingerprint] = event
        }
        var days: [UsagePlace: DayUsage] = [:]
        for event in latest.values where !event.isCancelled {
            guard known?.contains(event.line) ?? true, let line = lines[event.line] else { continue }
            days[UsagePlace(line, day: event.day), default: DayUsage()].add(event.amount)
        }
        return days
    }
}

/// What the fold does to a store, without a database: blocks as they are written, days as they add up.
struct FoldStore {
    var blocks: [UsageBlock] = []
    var days: [UsagePlace: DayUsage] = [:]
    var waiting: [UInt64: UsageEvent] = [:]
    var counts = UsageCounts()

    func find(_ prints: [UInt64]) throws -> [UInt64: UsageEntry] {
        var found: [UInt64: UsageEntry] = [:]
        for block in blocks {
            let candidates = UsageBloom.candidates(prints[...], block.bloom)
            let indices = candidates.compactMap { UsageBlock.index(of: $0, in: block.prints) }
            for entry in try UsageBlock.entries(at: indices, prints: block.prints, payload: block.payload)
            where (found[entry.fingerprint]?.rank ?? 0) <= entry.rank {
                found[entry.fingerprint] = entry
            }
        }
        return found
    }

    mutating func take(_ events: [UsageEvent], _ lines: [String: LineRef], isReplay: Bool = false) throws {
        var fold = UsageFold(known: try find(Set(events.map(\.fingerprint)).sorted()))
        for event in events { fold.add(event, line: lines[event.line], isReplay: isReplay) }
        for (place, day) in fold.days { days[place, default: DayUsage()].add(day) }
        for print in fold.released { waiting[print] = nil }
        waiting.merge(fold.waiting) { $1 }
        blocks.append(UsageBlock(fold.fresh.values.sorted { $0.fingerprint < $1.fingerprint }))
        counts.add(fold.counts)
    }

    /// Days of which something is left.
    var standing: [UsagePlace: DayUsage] { days.filter { !$0.value.isNothing } }
}

@Suite("Events into days")
struct FoldTests {
    @Test("any order, split, repetition, correction and cancellation comes to the same days as counting the latest versions")
    func property() throws {
        for seed in UInt64(1)...60 {
            var generator = SeededGenerator(seed: seed)
            let story = UsageStory(&generator, ids: Int.random(in: 1...120, using: &generator))
            var store = FoldStore()
            var rest = story.events[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...40, using: &generator)
                try store.take(Array(rest.prefix(size)), story.lines)
                rest = rest.dropFirst(size)
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    store.blocks = [UsageBlock(try UsageBlock.merged(store.blocks))]
                }
            }
            #expect(store.standing == story.expected(), "seed \(seed)")
            #expect(store.counts.read == story.events.count && store.counts.unmatched == 0, "seed \(seed)")
            let before = store
            try store.take(story.events, story.lines)
            #expect(store.standing == before.standing, "seed \(seed): sent again")
            #expect(store.counts.duplicate - before.counts.duplicate == story.events.count, "seed \(seed)")
        }
    }

    @Test("lines that appear late are counted as if they had been there, once, whatever was corrected meanwhile")
    func late() throws {
        for seed in UInt64(100)...160 {
            var generator = SeededGenerator(seed: seed)
            let story = UsageStory(&generator, ids: Int.random(in: 1...80, using: &generator))
            var store = FoldStore()
            var known: [String: LineRef] = [:]
            let names = story.lines.keys.sorted().shuffled(using: &generator)
            var rest = story.events[...]
            for name in names {
                let size = Int.random(in: 0...60, using: &generator)
                try store.take(Array(rest.prefix(size)), known)
                rest = rest.dropFirst(size)
                known[name] = story.lines[name]
                let due = store.waiting.values.filter { $0.line == name }
                try store.take(due.shuffled(using: &generator), known, isReplay: true)
                try store.take(Array(due), known, isReplay: true)
            }
            try store.take(Array(rest), known)
            #expect(store.standing == story.expected(), "seed \(seed)")
            #expect(store.waiting.isEmpty, "seed \(seed): \(store.waiting.count) wait for a line that is there")
        }
    }

    @Test("each call is rounded up to a minute by itself; a call of no length costs nothing")
    func minutes() {
        var day = DayUsage()
        for milliseconds in [Int64(0), 1, 60_000, 60_001, 511_200] { day.add(UsageAmount(.voice, quantity: milliseconds)) }
        #expect(day.billedMinutes == 0 + 1 + 1 + 2 + 9 && day.calls == 5)
    }

    @Test("a number read from a damaged block is an error and not another number")
    func damaged() throws {
        var generator = SeededGenerator(seed: 4)
        let story = UsageStory(&generator, ids: 300)
        var store = FoldStore()
        try store.take(story.events, story.lines)
        let block = try #require(store.blocks.first)
        for length in stride(from: 0, to: block.payload.count, by: 97) {
            #expect(throws: UsageBlockDamaged.self, "cut at \(length)") {
                _ = try UsageBlock.entries(
                    at: Array(0..<block.count), prints: block.prints, payload: Array(block.payload.prefix(length)))
            }
        }
    }

    @Test("a block gives back every entry as it was, and its filter never denies one that is there")
    func blocks() throws {
        for seed in UInt64(1)...20 {
            var generator = SeededGenerator(seed: seed)
            let story = UsageStory(&generator, ids: Int.random(in: 1...900, using: &generator))
            var fold = UsageFold(known: [:])
            for event in story.events {
                fold.add(event, line: Int.random(in: 0..<6, using: &generator) == 0 ? nil : story.lines[event.line])
            }
            let entries = fold.fresh.values.sorted { $0.fingerprint < $1.fingerprint }
            let block = UsageBlock(entries)
            #expect(try block.entries() == entries, "seed \(seed)")
            #expect(UsageBloom.candidates(entries.map(\.fingerprint)[...], block.bloom).count == entries.count)
            let strangers = (0..<10_000).map { _ in generator.next() }.sorted()
            let wrong = UsageBloom.candidates(strangers[...], block.bloom).count
            #expect(wrong < 60, "seed \(seed): \(wrong) of 10,000 strangers pass")
            let some = entries.indices.filter { _ in Int.random(in: 0..<9, using: &generator) == 0 }
            #expect(
                try UsageBlock.entries(at: some, prints: block.prints, payload: block.payload) == some.map { entries[$0] })
        }
    }

    @Test("fingerprints are SipHash-2-4: the reference vector, and other sources and kinds give others")
    func fingerprints() {
        let a = UsagePrint(source: "a"), b = UsagePrint(source: "b")
        #expect(a.of(.voice, "1") == a.of(.voice, "1"))
        #expect(Set([a.of(.voice, "1"), a.of(.sms, "1"), b.of(.voice, "1"), a.of(.voice, "2")]).count == 4)
        // Appendix A of the paper: key 00..0f, message 00..0e.
        let message = (0..<14).map { UInt8($0) }
        let hash = message.withUnsafeBufferPointer {
            UsagePrint(k0: 0x0706_0504_0302_0100, k1: 0x0F0E_0D0C_0B0A_0908).hash($0, tail: 14)
        }
        #expect(hash == 0xA129_CA61_49BE_45E5)
    }

    @Test("few cells are counted exactly or nearly, many are an estimate with an end")
    func cells() {
        var day = DayUsage()
        #expect(DayUsage.cellCount(day.cells) == 0)
        for number in 0..<4 { day.add(UsageAmount(.voice, cell: UsagePrint.cell("cell \(number)") & 63)) }
        #expect((3...5).contains(DayUsage.cellCount(day.cells)))
        for number in 0..<5_000 { day.add(UsageAmount(.voice, cell: UsagePrint.cell("cell \(number)") & 63)) }
        #expect(DayUsage.cellCount(day.cells) == 267)
    }
}
