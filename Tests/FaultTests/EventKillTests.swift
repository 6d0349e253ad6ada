import Foundation
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

/// Events and usage, with the process that takes them killed with -9 at random moments.
@Suite("kill -9 of events and usage", .serialized)
struct EventKillTests {
    /// What a client sent and was told.
    private final class Sent: Sendable {
        struct State {
            var acknowledged: Set<Int> = []
            var open: [Int] = []
            var next = 0
        }
        private let state = Mutex(State())

        /// The next request: numbers of its events. What was not answered is sent again, sometimes what was.
        func batch(_ rng: inout SeededGenerator) -> [Int] {
            state.withLock { state in
                var all = state.open
                state.open = []
                for _ in 0..<rng.number(1...40) {
                    all.append(state.next)
                    state.next += 1
                }
                if let known = state.acknowledged.randomElement(using: &rng) { all.append(known) }
                return all
            }
        }
        func answered(_ batch: [Int], _ isTaken: Bool) {
            state.withLock { state in
                if isTaken { state.acknowledged.formUnion(batch) } else { state.open += batch.filter { !state.acknowledged.contains($0) } }
            }
        }
        var acknowledged: Int { state.withLock { $0.acknowledged.count } }
        var isSettled: Bool { state.withLock { $0.open.isEmpty } }
        var all: Int { state.withLock { $0.next } }
    }

    @Test("an event that was accepted is counted once, whenever the server dies")
    func events() async throws {
        let place = try Installation()
        try place.user("kim", .administrator)
        let file = place.folder + "/base.csv"
        try Data("source_id,name,msisdn\nK1,Ann Lee,13800138000\nK2,Bo Chen,13800138001\n".utf8).write(to: URL(fileURLWithPath: file))
        let made = try place.command(["import", file, "--source", "crm", "--match-key", "source_id", "--ignore-unmapped"])
        #expect(made.code == 0, "\(made)")
        let sent = Sent()
        var person: Person?
        for seed in Drill.seeds(oneIn: 3) {
            var rng = SeededGenerator(seed: seed)
            let (server, port) = try place.serve()
            let someone = person ?? Person(port: port)
            someone.move(to: port)
            if person == nil {
                try someone.logIn("kim")
                _ = someone.get("/counters")
                let fields = [("name", "logins"), ("title_en", "Log-ins"), ("kind", "app.login"), ("sum_field", "n"), ("distinct_field", "n")]
                #expect(someone.post("/counters", fields).status == 303)
                person = someone
            } else if someone.get("/counters").status != 200 {
                try someone.logIn("kim")
            }
            let over = Flag()
            let before = sent.acknowledged
            let writer = Background {
                var rng = SeededGenerator(seed: seed &+ 77)
                while !over.isSet {
                    let batch = sent.batch(&rng)
                    sent.answered(batch, someone.lines("/api/events?source=app&references=crm", batch.map(Self.event)).status == 200)
                }
            }
            let wanted = rng.number(0...200)
            _ = await eventually(seconds: 15) { sent.acknowledged >= before + wanted }
            try await Task.sleep(for: .milliseconds(rng.number(0...120)))
            server.kill()
            over.set()
            await writer.wait()
        }
        let (server, port) = try place.serve()
        person?.move(to: port)
        var rng = SeededGenerator(seed: 1)
        for _ in 0..<20 {
            let batch = sent.batch(&rng)
            sent.answered(batch, person?.lines("/api/events?source=app&references=crm", batch.map(Self.event)).status == 200)
            if sent.isSettled { break }
        }
        #expect(sent.isSettled && sent.acknowledged == sent.all && sent.all > 40)
        let (events, amount, ids) = try await place.database().read { session in
            let series: SQL = """
                SELECT CAST(SUM(events) AS BIGINT), CAST(SUM(amount) AS BIGINT) FROM profiles_bucket
                WHERE series_id = (SELECT series_id FROM profiles_counter WHERE name = 'logins')
                """
            let sums = try session.first(series) { ($0.int(0), $0.int(1)) }
            return (sums?.0 ?? 0, sums?.1 ?? 0, try session.count("SELECT COUNT(*) FROM profiles_seen"))
        }
        let all = Int64(sent.all)
        #expect(events == all && ids == sent.all, "\(events) counted, \(ids) ids of \(all)")
        // Each event brings its own number, so that a lost and a doubled one do not cancel out.
        #expect(amount == all * (all - 1) / 2 * 1_000, "\(amount)")
        server.stop()
        Drill.report("kill -9 while events come in", rounds: Drill.seeds(oneIn: 3).count, "\(all) events, each counted once")
        await place.remove()
    }

    private static func event(_ number: Int) -> String {
        let at = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)).adding(days: -Int64(number % 3))
        return
            #"{"id":"e\#(number)","kind":"app.login","at":"\#(at.iso8601)","reference":"K\#(number % 2 + 1)","attributes":{"n":\#(number)}}"#
    }

    @Test("usage import killed at any moment comes to the file's sums when it is given the file again, and counts nothing twice")
    func usage() async throws {
        let place = try Installation()
        try place.user("kim")
        let base = place.folder + "/base.csv"
        let lines = 300, events = 60_000
        try Data(
            ("source_id,name,msisdn\n" + (0..<lines).map { "K\($0),N \($0),138001\(String(10_000 + $0))\n" }.joined()).utf8
        ).write(to: URL(fileURLWithPath: base))
        #expect(try place.command(["import", base, "--source", "sw", "--match-key", "source_id", "--ignore-unmapped"]).code == 0)
        var rounds = 0, kills = 0, total = Sums()
        for seed in Drill.seeds(oneIn: 3) {
            var rng = SeededGenerator(seed: seed)
            let file = place.folder + "/usage-\(seed).csv"
            total.add(try Self.write(events, lines, seed: seed, to: file, &rng))
            let arguments = ["usage", "import", file, "--source", "sw", "--chunk", "3000", "--json"]
            while true {
                rounds += 1
                let run = try place.start(arguments)
                // Longer each time, so that it comes to its end on a slow machine too.
                if run.wait(seconds: Double(rng.number(100...900) * (1 + rounds / 4)) / 1_000) == nil {
                    run.kill()
                    kills += 1
                } else {
                    #expect(run.text.contains(#""unmatched":0"#) && run.text.contains(#""rejected":0"#), "seed \(seed): \(run.text)")
                    break
                }
                guard rounds < 60 else { break }
            }
            rounds = 0
            // Once more: all of them are known.
            let again = try place.command(arguments)
            #expect(again.out.contains(#""taken":0"#) && again.out.contains("\"duplicate\":\(events)"), "seed \(seed): \(again.out)")
            let found = try await Self.sums(place)
            #expect(found == total, "seed \(seed), data in \(place.folder): \(found) instead of \(total)")
            guard found == total else { return }
        }
        #expect(kills > 0)
        Drill.report("kill -9 of usage import", rounds: Drill.seeds(oneIn: 3).count, "killed \(kills) times; sums are the files'")
        await place.remove()
    }

    struct Sums: Equatable {
        var events: Int64 = 0, calls: Int64 = 0, milliseconds: Int64 = 0, bytes: Int64 = 0, sms: Int64 = 0
        mutating func add(_ other: Sums) {
            events += other.events
            calls += other.calls
            milliseconds += other.milliseconds
            bytes += other.bytes
            sms += other.sms
        }
    }

    private static func write(
        _ events: Int, _ lines: Int, seed: UInt64, to path: String, _ rng: inout SeededGenerator
    ) throws -> Sums {
        var sums = Sums()
        var text = "id,customer_id,kind,start,seconds,bytes\n"
        for number in 0..<events {
            let (line, quantity) = (rng.number(0...(lines - 1)), rng.number(1...5_000))
            let day = 1 + number * 20 / events
            let head = "\(seed)-\(number),K\(line),"
            let start = ",2026-01-\(day < 10 ? "0" : "")\(day) 10:00:00,"
            sums.events += 1
            switch number % 3 {
            case 0:
                text += head + "voice" + start + "\(quantity),\n"
                sums.calls += 1
                sums.milliseconds += Int64(quantity) * 1_000
            case 1:
                text += head + "data" + start + ",\(quantity)\n"
                sums.bytes += Int64(quantity)
            default:
                text += head + "sms" + start + ",\n"
                sums.sms += 1
            }
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return sums
    }

    private static func sums(_ place: Installation) async throws -> Sums {
        try await place.database().read { session in
            let sql: SQL = """
                SELECT CAST(SUM(events) AS BIGINT), CAST(SUM(calls) AS BIGINT), CAST(SUM(voice_ms) AS BIGINT),
                  CAST(SUM(data_bytes) AS BIGINT), CAST(SUM(sms) AS BIGINT) FROM usage_day
                """
            return try session.first(sql) {
                Sums(events: $0.int(0), calls: $0.int(1), milliseconds: $0.int(2), bytes: $0.int(3), sms: $0.int(4))
            } ?? Sums()
        }
    }
}
