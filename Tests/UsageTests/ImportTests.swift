import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers
@testable import Usage

@Suite("Usage files")
struct ImportTests {
    private static let head = "id,msisdn,kind,start,seconds,bytes,version,cancel\n"

    @Test("a file is counted into days and months, what it repeats is told apart, and sent twice it takes nothing")
    func file() async throws {
        let world = try await UsageWorld()
        try await world.customer("+8613800138000")
        let path = try world.write(
            "a.csv",
            Self.head + """
                c1,13800138000,voice,2026-01-05 10:00:00,61,,0,
                c2,+86 138-0013-8000,voice,2026-01-05 11:00:00,59,,0,
                c1,13800138000,voice,2026-01-05 10:00:00,61,,0,
                m1,13800138000,sms,2026-01-05 12:00:00,,,0,
                d1,13800138000,data,2026-02-01 09:00:00,,3145728,0,
                d1,13800138000,data,2026-02-01 09:00:00,,5242880,1,
                x1,13900000000,voice,2026-01-05 10:00:00,5,,0,
                b1,13800138000,voice,2026-01-35 10:00:00,5,,0,
                b2,letters,voice,2026-01-05 10:00:00,5,,0,

                """)
        let report = try await world.take(path)
        let counts: [Int] = [
            report.read, report.taken, report.duplicate, report.corrected, report.cancelled, report.unmatched, report.rejected,
        ]
        #expect(counts == [9, 4, 1, 1, 0, 1, 2])
        #expect(report.reasons.map { "\($0.code) \($0.firstLine)" }.sorted() == ["bad_number 10", "no_such_day 9"])
        let days = try await world.days()
        #expect(days == ["2026-01-05 2 120000 3 1 0", "2026-02-01 0 0 0 0 5242880"])
        try await world.checkMonths()
        #expect(try await world.count("SELECT data_mb FROM customers_usage_month WHERE month = '2026-02'") == 5)
        let again = try await world.take(path)
        #expect(again.taken + again.corrected + again.cancelled + again.unmatched == 0 && again.duplicate == 7)
        #expect(try await world.days() == days)
        #expect(try await world.test.auditCount("usage.run.finish") == 2)
        // The same ids of another source are other events.
        let other = try await world.take(path, source: "t")
        #expect(other.taken == 4)
    }

    @Test("a source of lines that no customer has a number of is refused with those there are")
    func unknownSource() async throws {
        let world = try await UsageWorld()
        let database = world.test.tenant.database
        let check: @Sendable (String) async throws -> Void = { name in try await database.read { try CustomerUsage.checkSource(name, $0) } }
        let none = await #expect(throws: CRMError.self) { try await check("source") }
        #expect(none?.code == "unknown_source" && none?.message.en.contains("Import customers first") == true)
        let customer = try await world.customer("+8613800138000")
        try await database.write { session in
            for source in ["care", "crm"] {
                try session.execute(
                    "INSERT INTO customers_identifier (kind, value, customer_id) VALUES ($1, $2, $3)",
                    [.text("source:" + source), .text("7"), .id(customer)])
            }
        }
        try await check("crm")
        let refused = await #expect(throws: CRMError.self) { try await check("source") }
        #expect(refused?.message.en.contains("“source”") == true && refused?.message.en.contains("care, crm") == true)
        #expect(refused?.message.zh.contains("care, crm") == true)
    }

    @Test("corrections and cancellations come later, in other files, before the first version or for another line")
    func corrections() async throws {
        let world = try await UsageWorld()
        let first = try await world.customer("+8613800138000")
        try await world.customer("+8613800138001")
        func take(_ rows: String) async throws -> UsageReport {
            try await world.take(try world.write("f\(rows.hashValue).csv", Self.head + rows + "\n"))
        }
        _ = try await take("a,13800138000,voice,2026-01-05,120,,1,")
        #expect(try await take("a,13800138000,voice,2026-01-06,240,,0,").duplicate == 1)
        #expect(try await take("a,13800138001,voice,2026-01-07,240,,2,").corrected == 1)
        #expect(try await world.days() == ["2026-01-07 1 240000 4 0 0"])
        #expect(try await take("a,13800138001,voice,2026-01-07,,,2,yes").cancelled == 1)
        #expect(try await world.days().isEmpty)
        try await world.checkMonths()
        #expect(try await take("b,13800138000,voice,2026-01-07,,,5,yes").cancelled == 1)
        #expect(try await take("b,13800138000,voice,2026-01-07,60,,4,").duplicate == 1)
        // Taken back from a customer who is gone: nothing is left to take it from.
        _ = try await take("c,13800138000,voice,2026-01-08,60,,0,")
        try await world.tenant.database.write { session in
            try session.execute("DELETE FROM customers_subscription WHERE customer_id = $1", [.id(first)])
            try world.service.customersChanged(CustomersChanged(ids: [first], fields: [], kind: .removed), session)
        }
        #expect(try await take("c,13800138001,voice,2026-01-08,60,,1,").corrected == 1)
        #expect(try await world.days() == ["2026-01-08 1 60000 1 0 0"])
    }

    @Test("events of a line nobody knows wait, and are counted once when it appears, as they were corrected meanwhile")
    func unmatched() async throws {
        let world = try await UsageWorld()
        let rows = "a,13800138000,voice,2026-01-05,120,,0,\nb,13800138000,voice,2026-01-05,60,,0,\nc,13900139000,sms,2026-01-05,,,0,\n"
        let report = try await world.take(try world.write("a.csv", Self.head + rows))
        #expect(report.unmatched == 3)
        let more = "a,13800138000,voice,2026-01-05,240,,1,\nb,13800138000,voice,2026-01-05,,,0,yes\n"
        let second = try await world.take(try world.write("b.csv", Self.head + more))
        #expect(second.unmatched == 1 && second.cancelled == 1)
        #expect(try await world.count("SELECT COUNT(*) FROM usage_unmatched") == 2)
        try await world.customer("+8613800138000")
        // The customer's own event asks for it.
        let handlers = UsageModule(base: CustomerUsage()).eventHandlers(world.test.tenant)
        try await world.test.drain(handlers: handlers, jobs: world.service.jobs)
        #expect(try await world.days() == ["2026-01-05 1 240000 4 0 0"])
        try await world.checkMonths()
        #expect(try await world.count("SELECT COUNT(*) FROM usage_unmatched") == 1)
        #expect(try await world.service.replay() == UsageCounts())
        let again = try await world.take(try world.write("c.csv", Self.head + rows))
        #expect(again.duplicate == 3)
    }

    @Test("a run that was stopped goes on where it was, with counts of the whole, and a file of other content is another run")
    func resume() async throws {
        let world = try await UsageWorld()
        try await world.customer("+8613800138000")
        let rows = (0..<1_000).map { "e\($0),13800138000,voice,2026-01-\($0 % 28 + 1 < 10 ? "0" : "")\($0 % 28 + 1),60,,0,\n" }
        let path = try world.write("long.csv", Self.head + rows.joined())
        let first = try await world.take(path, chunk: 90, stopAfter: 4)
        #expect(first.state == "cancelled" && first.taken == 360)
        let second = try await world.take(path, chunk: 90)
        #expect(second.run == first.run && second.resumed && second.state == "succeeded")
        #expect(second.read == 1_000 && second.taken == 1_000 && second.duplicate == 0)
        #expect(try await world.count("SELECT CAST(SUM(calls) AS BIGINT) FROM usage_day") == 1_000)
        try await world.checkMonths()
        let third = try await world.take(path, chunk: 70)
        #expect(third.run != first.run && third.duplicate == 1_000)
    }

    @Test("ids are merged into few blocks, are known within the window, and let go behind it")
    func window() async throws {
        let world = try await UsageWorld()
        try await world.customer("+8613800138000")
        for file in 0..<20 {
            let rows = (0..<300).map { "e\(file * 200 + $0),13800138000,sms,2026-01-05,,,0,\n" }
            _ = try await world.take(try world.write("\(file).csv", Self.head + rows.joined()), chunk: 60)
        }
        #expect(try await world.count("SELECT CAST(SUM(sms) AS BIGINT) FROM usage_day") == 4_100)
        #expect(try await world.count("SELECT COUNT(*) FROM usage_block") < 16)
        #expect(try await world.count("SELECT CAST(SUM(entries) AS BIGINT) FROM usage_block") == 4_100)
        world.test.clock.advance(seconds: 44 * 86_400)
        _ = try await world.service.upkeep()
        let within = try world.write("again.csv", Self.head + "e17,13800138000,sms,2026-01-05,,,0,\n")
        #expect(try await world.take(within).duplicate == 1)
        world.test.clock.advance(seconds: 9 * 86_400)
        #expect(try await world.service.upkeep() > 0)
        #expect(try await world.count("SELECT COUNT(*) FROM usage_block") == 0)
        #expect(try await world.count("SELECT CAST(SUM(sms) AS BIGINT) FROM usage_day") == 4_100, "days stay")
    }

    @Test("a slot with many ids is spread over the next level, and every id is found there")
    func levels() async throws {
        let world = try await UsageWorld()
        let (tenant, index) = (world.test.tenant, world.service.index)
        let source = try await tenant.database.write { try world.service.source("s", $0) }
        var generator = SeededGenerator(seed: 11)
        let all = (0..<96_000).map { _ in
            UsageEntry(generator.next(), version: 0, .cancelled)
        }
        for piece in all.chunked(12_000) {
            try await tenant.database.write { session in
                try index.add(sorted: piece.sorted { $0.fingerprint < $1.fingerprint }, source, at: tenant.clock.now(), tenant.ids, session)
            }
        }
        try await world.service.compact(source)
        let levels = try await tenant.database.read { session in
            try session.query("SELECT DISTINCT level FROM usage_block") { $0.integer(0) }
        }
        #expect(levels == [1])
        // So many at once go to the next level by themselves.
        let more = (0..<70_000).map { _ in UsageEntry(generator.next(), version: 1, .cancelled) }
        try await tenant.database.write { session in
            try index.add(sorted: more.sorted { $0.fingerprint < $1.fingerprint }, source, at: tenant.clock.now(), tenant.ids, session)
        }
        #expect(try await world.count("SELECT COUNT(*) FROM usage_block WHERE level = 1") == 16)
        #expect(try await world.count("SELECT COUNT(*) FROM usage_block") == 16)
        let prints = Set(more.map(\.fingerprint))
        let known = try await tenant.database.read { try index.find(prints.sorted(), source, $0) }
        #expect(Set(known.keys) == prints && known.values.allSatisfy { $0.version == 1 })
        let asked = all.map(\.fingerprint).enumerated().filter { $0.offset % 7 == 0 }.map { $0.element }
        let strangers = (0..<10_000).map { _ in generator.next() }
        let found = try await tenant.database.read { try index.find((asked + strangers).sorted(), source, $0) }
        #expect(Set(found.keys) == Set(asked))
    }

    @Test("whatever the order, the chunks and the moment a line appears: what is stored is what counting the latest versions gives")
    func property() async throws {
        for seed in UInt64(1)...4 {
            let world = try await UsageWorld()
            var generator = SeededGenerator(seed: seed)
            let story = UsageStory(&generator, ids: 120)
            let names = story.lines.keys.sorted()
            let base = StoryBase(story.lines)
            let service = UsageService(tenant: world.test.tenant, base: base)
            let source = try await world.test.tenant.database.write { try service.source("story", $0) }
            base.known = Set(names.prefix(4))
            var rest = story.events[...]
            var number: Int64 = 0
            while !rest.isEmpty {
                let events = Array(rest.prefix(Int.random(in: 1...90, using: &generator)))
                rest = rest.dropFirst(events.count)
                number += 1
                let chunk = UsageService.Chunk(
                    number: number, records: events.count, events: events, rejects: [], rejected: 0)
                try await world.test.tenant.database.write { session in
                    _ = try service.take(
                        chunk, source, LineCache(.source("story"), countryCode: "86"), record: { _, _ in }, session)
                }
                if number % 3 == 0 {
                    base.known = Set(names.prefix(4 + Int(number) / 3))
                    _ = try await service.replay()
                }
                try await service.compact(source)
            }
            base.known = Set(names)
            _ = try await service.replay()
            let stored = try await world.test.tenant.database.read { session in
                var days: [UsagePlace: DayUsage] = [:]
                try session.forEach(
                    """
                    SELECT customer_id, subscription_id, day, events, calls, voice_ms, billed_minutes, dropped_calls, sms, sessions,
                      data_bytes, roaming_bytes, roaming_ms, roaming_sms, speed_sum, speed_count, cells FROM usage_day
                    """, []
                ) { row in
                    let line = LineRef(customer: row.id(0), subscription: row.id(1))
                    let day = Int32(LocalDate(row.text(2))?.daysSinceEpoch ?? 0)
                    days[UsagePlace(line, day: day)] = DayUsage(row, from: 3)
                    return true
                }
                return days.filter { !$0.value.isNothing }
            }
            #expect(stored == story.expected(), "seed \(seed)")
            try await world.checkMonths("seed \(seed)")
        }
    }

    @Test("whichever call to the database fails, the file goes on to its end and each event counts once")
    func faults() async throws {
        let world = try await UsageWorld()
        try await world.customer("+8613800138000")
        var (failures, number) = (0, 0)
        for fault in [FaultPlan.Fault.io, .connection, .commitRefused, .answerLostUndone, .answerLostDone] {
            for call in stride(from: 1, through: 400, by: fault == .connection ? 3 : 1) {
                number += 1
                let day = LocalDate(daysSinceEpoch: 20_000 + number).description
                let rows = (0..<10).map { "f\(number)-\($0),13800138000,voice,\(day),60,,0,\n" }
                let path = try world.write("f\(number).csv", Self.head + rows.joined() + "f\(number)-x,1,voice,\(day),-1,,0,\n")
                world.faulty.plan.arm(fault, call: call)
                var report: UsageReport?
                do { report = try await world.take(path, chunk: 3) } catch {
                    #expect(world.faulty.plan.hasStruck, "\(error)")
                }
                world.faulty.plan.disarm()
                let struck = world.faulty.plan.hasStruck
                if report?.state != "succeeded" { report = try await world.take(path, chunk: 3) }
                let words = "call \(call) failed with \(fault)"
                let calls = try await world.test.tenant.database.read {
                    try $0.count("SELECT CAST(SUM(calls) AS BIGINT) FROM usage_day WHERE day = $1", [.text(day)])
                }
                #expect(calls == 10, "\(words): \(calls) calls")
                let counts = report.map { [$0.read, $0.taken + $0.duplicate, $0.rejected] } ?? []
                #expect(counts == [11, 10, 1], "\(words): \(counts)")
                if !struck { break }
                failures += 1
            }
        }
        #expect(failures > 60)
        try await world.checkMonths()
        print("usage: \(failures) failures, each event once")
    }
}

/// Lines of a story, as many as are known.
final class StoryBase: UsageBase, @unchecked Sendable {
    private let all: [String: LineRef]
    var known: Set<String> = []
    init(_ all: [String: LineRef]) { self.all = all }

    func lines(_ names: [String], _ naming: LineNaming, _ session: any SQLSession) throws -> [String: LineRef] {
        all.filter { known.contains($0.key) && names.contains($0.key) }
    }
    func existing(_ lines: [LineRef], _ session: any SQLSession) throws -> Set<LineRef> { Set(lines) }
    func store(_ months: [UsageMonthTotal], _ session: any SQLSession) throws { try CustomerUsage().store(months, session) }
    func months(
        _ question: LineMonthQuestion, for principal: Principal, _ session: any SQLSession
    ) throws -> [LineMonth] { try CustomerUsage().months(question, for: principal, session) }
}
