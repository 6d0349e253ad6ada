import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    @Test("ids of one process only ever grow")
    func growing() {
        let clock = FrozenClock()
        let generator = IDGenerator(node: 3, clock: clock)
        var last: PartyID = generator.next()
        for step in 0..<20_000 {
            if step % 700 == 0 { clock.advance(seconds: 1) }
            let id: PartyID = generator.next()
            #expect(id > last)
            last = id
        }
    }

    @Test("an id is read from 1 to 19 digits of a positive number, and from nothing else")
    func reading() throws {
        for value in [1, 9, 10, 1_234_567_890_123, Int64.max - 1, Int64.max] {
            #expect(PartyID("\(value)")?.rawValue == value)
            #expect(PartyID("00\(value)")?.rawValue == ("00\(value)".count > 19 ? nil : value))
            let back = try JSONDecoder().decode([PartyID].self, from: Data("[\"\(value)\"]".utf8))
            #expect(back == [PartyID(value)])
        }
        let wrong = [
            "", "0", "000", "-1", "+1", " 1", "1 ", "1.0", "1e3", "１２", "9223372036854775808", "9999999999999999999",
            "99999999999999999999", "12a", "0x1F",
        ]
        for text in wrong {
            #expect(PartyID(text) == nil, "\(text)")
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([PartyID].self, from: Data("[\"\(text)\"]".utf8))
            }
        }
    }

    @Test("ids keep growing when the clock goes back a day, and continue from the last millisecond used")
    func clockGoesBack() {
        let clock = FrozenClock()
        let generator = IDGenerator(node: 0, clock: clock)
        let before: PartyID = generator.next()
        clock.advance(days: -1)
        var last = before
        for _ in 0..<10_000 {
            let id: PartyID = generator.next()
            #expect(id > last)
            last = id
        }
        // 10,000 ids need three milliseconds of 4,096: the id does not run away from the clock.
        #expect(last.madeAt.milliseconds - before.madeAt.milliseconds <= 3)
        clock.advance(days: 2)
        let after: PartyID = generator.next()
        #expect(after.madeAt == clock.now())
    }

    @Test("after the end of its lease a node makes only ids that the next holder of the number cannot make")
    func lease() {
        let clock = FrozenClock()
        let end = clock.now().adding(seconds: 300)
        let sleeper = IDGenerator(node: 5, clock: clock, lease: clock.now()..<end)
        var ids: Set<PartyID> = []
        for _ in 0..<1_000 { ids.insert(sleeper.next()) }
        clock.advance(seconds: 299)
        #expect(sleeper.isExpired)
        for _ in 0..<10_000 { ids.insert(sleeper.next()) }
        clock.advance(seconds: 3_000)
        let heir = IDGenerator(node: 5, clock: clock, lease: clock.now()..<clock.now().adding(seconds: 300))
        for _ in 0..<20_000 {
            ids.insert(sleeper.next())
            ids.insert(heir.next())
        }
        #expect(ids.count == 51_000)
        #expect(sleeper.lastUsed < end)
        // With a number of its own again it goes on from the present.
        sleeper.move(to: 6, lease: clock.now()..<clock.now().adding(seconds: 300))
        #expect(!sleeper.isExpired)
        let fresh: PartyID = sleeper.next()
        #expect(fresh.madeAt == clock.now() && ids.allSatisfy { $0 != fresh })
    }

    @Test("a number that is taken over is used only from the moment of taking it, even when the clock goes back")
    func takenOver() {
        let clock = FrozenClock()
        let generator = IDGenerator(node: 5, clock: clock, lease: clock.now()..<clock.now().adding(seconds: 300))
        let begin = clock.now()
        clock.advance(seconds: -60)
        let id: PartyID = generator.next()
        #expect(id.madeAt >= begin)
    }

    @Test("a clock that stands before 2024 still gives positive, distinct ids")
    func clockBeforeEpoch() {
        let generator = IDGenerator(node: 1, clock: FrozenClock(Instant(milliseconds: 0)))
        let ids = (0..<100).map { _ in generator.next(PartyKind.self) }
        #expect(Set(ids).count == 100)
        #expect(ids.allSatisfy { $0.rawValue > 0 && PartyID($0.description) == $0 })
    }

    @Test("eight threads on one generator and a second node never make the same id")
    func uniqueAcrossThreads() {
        let clock = FrozenClock()
        let generators = [IDGenerator(node: 7, clock: clock), IDGenerator(node: 8, clock: clock)]
        let made = Mutex<[Int64]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            let generator = generators[thread % 2]
            let mine = (0..<5_000).map { _ in generator.next(PartyKind.self).rawValue }
            made.withLock { $0 += mine }
        }
        let all = made.withLock { $0 }
        #expect(all.count == 40_000)
        #expect(Set(all).count == all.count)
    }

    @Test("an id tells when it was made, to the millisecond, whichever node made it", arguments: [0, 1, 512, 1_023])
    func madeAt(node: Int) {
        let clock = FrozenClock()
        let id: UserID = IDGenerator(node: node, clock: clock).next()
        #expect(id.madeAt == clock.now())
        #expect(id.rawValue >> 12 & 1_023 == Int64(node))
    }

    @Test("an id survives its decimal form and JSON, where it is a string")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let id = PartyID(Int64.random(in: 1...Int64.max, using: &random))
            #expect(PartyID(id.description) == id)
            let json = try JSONEncoder().encode([id])
            #expect(String(decoding: json, as: UTF8.self) == "[\"\(id.rawValue)\"]")
            #expect(try JSONDecoder().decode([PartyID].self, from: json) == [id])
        }
        #expect(PartyID("9223372036854775807")?.rawValue == Int64.max)
    }

    @Test(
        "what is no id is refused",
        arguments: [
            "", "0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "９", "١", "1\u{0}", "abc", "9223372036854775808",
            "99999999999999999999", "00000000000000000000000001", "1;DROP TABLE x", "../1", "1\n",
        ])
    func hostile(text: String) {
        #expect(PartyID(text) == nil)
    }

    @Test("a JSON number is no id: JavaScript would have rounded it")
    func jsonNumber() {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([PartyID].self, from: Data("[12]".utf8)) }
    }
}
