import Foundation
import Kernel
import Storage
import TestSupport
import Testing

/// PostgreSQL goes away under load: restarted, stopped at once, killed, away for longer than anybody waits.
@Suite(
    "PostgreSQL is restarted and killed under load", .serialized,
    .enabled(if: TestDatabases.dialect == .postgres && PrivatePostgres.isInstalled, "PostgreSQL only"))
struct ClusterTests {
    enum Outage: String, CaseIterable {
        case restart, immediate, kill, away
    }

    @Test("acknowledged writes are there after each outage; callers wait, or are told 503, and go on")
    func outages() async throws {
        let cluster = try PrivatePostgres(folder: NSTemporaryDirectory() + "switchboard-cluster-" + UUID().uuidString)
        let place = try Installation(
            url: cluster.settings("drill").url, environment: ["SWITCHBOARD_DURABILITY": "full"])
        try place.user("kim")
        let (server, port) = try place.serve(["--no-workers"])
        let worker = try place.start(["worker"])
        // One that finds no database when it starts says so and ends: whoever started it starts it again.
        #expect(try await eventually { worker.text.contains("is running") }, "\(worker.text)")
        let person = Person(port: port)
        try person.logIn("kim")
        let ledger = Ledger()
        let seeds = Drill.isLong ? Drill.seeds(oneIn: 4) : Array(Drill.seeds().prefix(4))
        var met: [String: Int] = [:]
        for (place0, seed) in seeds.enumerated() {
            var rng = SeededGenerator(seed: seed)
            // Each kind in turn; being away long is slow, so it comes seldom.
            let kinds: [Outage] = [.kill, .immediate, .restart, place0 < 4 || place0 % 16 == 3 ? .away : .kill]
            let outage = kinds[place0 % 4]
            met[outage.rawValue, default: 0] += 1
            try await strike(outage, seed, &rng, cluster, place, person, port, ledger)
            let problems = try await KillTests.Round(seed: seed, place: place, ledger: ledger).settledAndVerified(
                whole: seed % 8 == 0)
            guard problems.isEmpty else {
                // What it left stays.
                Issue.record("seed \(seed), \(outage), logs in \(place.folder): \(problems.joined(separator: "; "))")
                return
            }
            #expect(server.isRunning && worker.isRunning, "\(server.text.suffix(500)) \(worker.text.suffix(500))")
        }
        let told = ledger.told
        #expect(told.acknowledged > 10 * seeds.count)
        if met["away"] ?? 0 > 0 { #expect(told.refused[503] ?? 0 > 0, "nobody was told that the database was away") }
        Drill.report(
            "PostgreSQL away under load", rounds: seeds.count,
            "\(met.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")); \(ledger.summary)"
        )
        server.stop()
        worker.stop()
        await place.remove()
    }

    private func strike(
        _ outage: Outage, _ seed: UInt64, _ rng: inout SeededGenerator, _ cluster: PrivatePostgres,
        _ place: Installation, _ person: Person, _ port: Int, _ ledger: Ledger
    ) async throws {
        let over = Flag()
        let file = "I\(seed)"
        ledger.makeFile(file, rows: rng.number(300...700), &rng)
        var threads = (1...3).map { writer in
            let own = Person(port: port, like: person)
            return Background { ledger.write(own, writer: writer, seed: seed) { over.isSet } }
        }
        let own = Person(port: port, like: person)
        threads.append(Background { ledger.upload(file, by: own) })
        let milliseconds = rng.number(200...1_500)
        try await Task.sleep(for: .milliseconds(milliseconds))
        switch outage {
        case .restart: try cluster.stop("fast")
        case .immediate, .away: try cluster.stop("immediate")
        case .kill: cluster.kill()
        }
        if outage == .away { try await Task.sleep(for: .seconds(12)) }
        try cluster.start()
        // Somebody is answered again.
        let before = ledger.told.acknowledged
        let goesOn = await eventually(seconds: 60) { ledger.told.acknowledged > before + 5 }
        over.set()
        for thread in threads { await thread.wait() }
        #expect(goesOn, "seed \(seed), \(outage): nobody was answered any more")
        if !Drill.isLong {
            // What was claimed when the server went comes due in a minute; the short form does not wait for it.
            try await place.database().write { session in
                try session.execute("UPDATE storage_job SET lease_until = 0 WHERE status = 'running'")
                try session.execute("UPDATE storage_outbox_event SET next_attempt_at = 0 WHERE status = 'pending'")
            }
        }
        Drill.say("seed \(seed): \(outage) after \(milliseconds) ms; told \(ledger.told)")
    }
}
