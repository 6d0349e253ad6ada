import Foundation
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

/// Several processes over one database: one is stopped for a while and wakes up; many change the same record.
@Suite("one of several processes sleeps; many write the same", .serialized)
struct NodeTests {
    @Test("a worker that was stopped loses its import to another and, awake again, writes over none of it")
    func stopped() async throws {
        let place = try Installation()
        try place.user("kim")
        let (server, port) = try place.serve(["--no-workers"])
        let person = Person(port: port)
        try person.logIn("kim")
        let ledger = Ledger()
        var rounds = 0
        for seed in Drill.seeds(oneIn: 12) {
            rounds += 1
            var rng = SeededGenerator(seed: seed)
            let sleeper = try place.start(["worker"])
            let name = "S\(seed)"
            ledger.makeFile(name, rows: 20_000, &rng)
            ledger.upload(name, by: person)
            let begun = try await eventually { try await chunks(place, name) >= 1 }
            #expect(begun, "\(sleeper.text)")
            try await stop(sleeper, place)
            let before = try await chunks(place, name)
            let asleep = ContinuousClock.now
            // Its lease of half a minute is over.
            try await endLeases(place)
            let heir = try place.start(["worker"])
            let over = Flag()
            let own = Person(port: port, like: person)
            let writer = Background { ledger.write(own, writer: 1, seed: seed) { over.isSet } }
            // It goes on behind what was done; the sleeper wakes in the midst of it, or behind.
            #expect(before < 40, "it was through before it was stopped")
            let goesOn = try await eventually { try await chunks(place, name) > before }
            #expect(goesOn, "\(heir.text)")
            let left = Duration.seconds(10) - (ContinuousClock.now - asleep)
            if left > .zero { try await Task.sleep(for: left) }
            sleeper.signal(SIGCONT)
            let problems = try await verified(place, ledger) {
                over.set()
                await writer.wait()
            }
            #expect(problems.isEmpty, "seed \(seed): \(problems.joined(separator: "; "))")
            #expect(sleeper.isRunning && heir.isRunning)
            sleeper.stop()
            heir.stop()
        }
        server.stop()
        Drill.report(
            "SIGSTOP 10 s of one of two workers", rounds: rounds,
            ledger.summary)
        await place.remove()
    }

    private func verified(_ place: Installation, _ ledger: Ledger, _ end: () async -> Void) async throws -> [String] {
        await end()
        return try await KillTests.Round(seed: 0, place: place, ledger: ledger).settledAndVerified(whole: true)
    }

    /// The sleeper may have been stopped within a transaction that holds one of the rows: PostgreSQL ends it after a while.
    private func endLeases(_ place: Installation) async throws {
        for attempt in 1... {
            do {
                return try await place.database().write { session in
                    try session.execute("UPDATE storage_job SET lease_until = 0 WHERE status = 'running'")
                    try session.execute("UPDATE storage_outbox_event SET next_attempt_at = 0 WHERE status = 'pending'")
                }
            } catch let error as StorageError where error.kind == .busy && attempt < 20 {
                continue
            }
        }
    }

    private func chunks(_ place: Installation, _ name: String) async throws -> Int {
        try await place.database().read { session in
            try session.count(
                "SELECT r.chunk FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id WHERE f.name = $1",
                [.text(name + ".csv")])
        }
    }

    /// Stops a process where it holds no lock on the SQLite file: there everybody would wait for it, as for any writer. While
    /// the write lock is ours, it is not the process's; an import is within a transaction nearly all the time.
    private func stop(_ process: ProductProcess, _ place: Installation) async throws {
        let number = process.processID
        let isAsleep = try await place.database().write { session in
            try session.execute("UPDATE storage_job SET done = done WHERE id = 0")
            process.signal(SIGSTOP)
            for _ in 0..<1_000 {
                // The state stands behind the name, which is in parentheses.
                let line = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
                if line.split(separator: ")").last?.hasPrefix(" T") == true { return true }
                usleep(1_000)
            }
            return false
        }
        #expect(isAsleep)
    }

    @Test("fifty people change the same edition of a customer at once: one wins, all others are told")
    func lostUpdate() async throws {
        let place = try Installation()
        try place.user("kim")
        try place.user("lee")
        let (server, port) = try place.serve()
        let people = try ["kim", "lee"].map { name in
            let person = Person(port: port)
            try person.logIn(name)
            return person
        }
        _ = people.map { $0.get("/customers/new") }
        let findings = Findings()
        let rounds = Drill.isLong ? 10 : 2
        for round in 0..<rounds {
            let made = people[0].post("/customers", [("f_full_name", "L \(round)"), ("f_kind", "individual")])
            let customer = try #require(made.location)
            let outcomes = Mutex<[(segment: String, status: Int)]>([])
            let threads = (0..<50).map { number in
                // Accounts may have 32 requests at once.
                let person = Person(port: port, like: people[number % 2])
                return Background {
                    let answer = person.post(customer + "/edit", [("revision", "1"), ("f_segment", "s\(number)")])
                    outcomes.withLock { $0.append(("s\(number)", answer.status)) }
                }
            }
            for thread in threads { await thread.wait() }
            let all = outcomes.withLock { $0 }
            let winners = all.filter { $0.status == 303 }
            findings.expect(winners.count == 1 && all.count == 50, "\(winners.count) winners of \(all.count)")
            findings.expect(all.allSatisfy { [303, 412, 503].contains($0.status) }, "\(all.map(\.status))")
            let id = Int64(customer.split(separator: "/").last ?? "") ?? 0
            let stored = try await place.database().read { session in
                try session.first("SELECT segment, edition FROM customers_customer WHERE id = $1", [.int(id)]) {
                    ($0.text(0), $0.integer(1))
                }
            }
            findings.expect(
                stored?.0 == winners.first?.segment && stored?.1 == 2, "stored is \(String(describing: stored))")
        }
        server.stop()
        Drill.report("50-way lost update over HTTP", rounds: rounds, "\(findings.count) updates lost or not told")
        await place.remove()
    }
}
