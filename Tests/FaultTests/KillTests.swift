import Foundation
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

/// The product's processes, killed with -9 at random moments while clients write and files are imported.
@Suite("kill -9 of server, worker and import", .serialized)
struct KillTests {
    /// Who runs, and who dies.
    enum Scene: String, CaseIterable {
        /// One process does everything.
        case server
        /// Server and worker apart: the worker dies, the server, or both.
        case worker, serverBesideWorker, both
        /// `switchboard import` beside the server.
        case command
    }

    @Test("nothing acknowledged is lost, nothing is doubled, and imports come to their end, whoever is killed when")
    func killed() async throws {
        let place = try Installation()
        try place.user("kim")
        let ledger = Ledger()
        var person: Person?
        var before: UInt64?
        var scenes: [String: Int] = [:]
        for seed in Drill.seeds() {
            var round = Round(seed: seed, place: place, ledger: ledger)
            let problems = try await round.run(&person, before: before)
            scenes[round.scene.rawValue, default: 0] += 1
            // What is found now was done in the round before.
            let culprit = before ?? seed
            before = seed
            guard problems.isEmpty else {
                Issue.record(
                    "seed \(culprit) (found when seed \(seed) began), data in \(place.folder): \(problems.joined(separator: "; "))"
                )
                return
            }
        }
        let (server, port) = try place.serve()
        let problems = try await Round(seed: 0, place: place, ledger: ledger).settledAndVerified(whole: true)
        #expect(problems.isEmpty, "seed \(before ?? 0), data in \(place.folder): \(problems.joined(separator: "; "))")
        // It serves as before.
        person?.move(to: port)
        #expect(person?.get("/customers").status == 200)
        server.stop()
        let told = ledger.told
        #expect(told.acknowledged > 3 * Drill.seeds && told.silent > 0, "the clients did too little: \(told)")
        Drill.report(
            "kill -9 while clients write and files are imported", rounds: Drill.seeds,
            "killed \(scenes.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")); "
                + ledger.summary)
        if problems.isEmpty { await place.remove() }
    }

    /// When it dies: so long behind so many acknowledged writes, that a busy machine does not die before it has done anything.
    struct Moment {
        let writes: Int
        let milliseconds: Int

        func wait(since before: Int, _ ledger: Ledger) async throws {
            _ = await eventually(seconds: 15) { ledger.told.acknowledged >= before + writes }
            try await Task.sleep(for: .milliseconds(milliseconds))
        }
    }

    /// One seed: start, let what the last kill left come to its end, verify, load, kill.
    struct Round {
        let seed: UInt64
        let place: Installation
        let ledger: Ledger
        private(set) var scene = Scene.server

        init(seed: UInt64, place: Installation, ledger: Ledger) {
            self.seed = seed
            self.place = place
            self.ledger = ledger
        }

        mutating func run(_ person: inout Person?, before: UInt64?) async throws -> [String] {
            var rng = SeededGenerator(seed: seed)
            scene = Scene.allCases.randomElement(using: &rng) ?? .server
            let moment = Moment(writes: rng.number(0...30), milliseconds: rng.number(0...250))
            let isApart = scene != .server && scene != .command
            let (server, port) = try place.serve(isApart ? ["--no-workers"] : [])
            let worker = isApart ? try place.start(["worker"]) : nil
            let problems = try await settledAndVerified(whole: seed % 8 == 0)
            guard problems.isEmpty else { return problems }
            let someone = person ?? Person(port: port)
            person = someone
            someone.move(to: port)
            if someone.get("/customers/new").status != 200 { try someone.logIn("kim") }
            _ = someone.get("/customers/new")
            let loaded = try await load(someone, port, &rng, moment) {
                switch scene {
                case .server, .serverBesideWorker: server.kill()
                case .worker: worker?.kill()
                case .both:
                    worker?.signal(SIGKILL)
                    server.kill()
                case .command: break
                }
            }
            // The others go the way of all processes, too.
            server.kill()
            worker?.kill()
            try await endLeases()
            Drill.say(
                "seed \(seed): killed \(scene.rawValue) \(moment.milliseconds) ms behind write \(moment.writes); acknowledged so far "
                    + "\(ledger.told.acknowledged), without answer \(ledger.told.silent)\(loaded)")
            return []
        }

        /// Three writers and an import until the moment comes.
        private func load(
            _ person: Person, _ port: Int, _ rng: inout SeededGenerator, _ moment: Moment, kill: () -> Void
        ) async throws -> String {
            let over = Flag()
            let file = "I\(seed)"
            ledger.makeFile(file, rows: rng.number(300...900), &rng)
            let (ledger, seed) = (self.ledger, self.seed)
            let before = ledger.told.acknowledged
            var threads = (1...3).map { writer in
                let own = Person(port: port, like: person)
                return Background { ledger.write(own, writer: writer, seed: seed) { over.isSet } }
            }
            var note = ""
            if scene == .command {
                let path = place.folder + "/\(file).csv"
                try Data(ledger.content(file).utf8).write(to: URL(fileURLWithPath: path))
                let command = try place.start([
                    "import", path, "--source", "crm", "--match-key", "source_id", "--ignore-unmapped",
                ])
                // It tells the run at its start, and takes a second or two from there.
                _ = await eventually(seconds: 20) { command.text.contains("run ") || !command.isRunning }
                try await moment.wait(since: before, ledger)
                try await Task.sleep(for: .milliseconds(4 * moment.milliseconds))
                command.kill()
                note = try await finish(file)
            } else {
                let own = Person(port: port, like: person)
                threads.append(Background { ledger.upload(file, by: own) })
                try await moment.wait(since: before, ledger)
                kill()
            }
            over.set()
            for thread in threads { await thread.wait() }
            return note
        }

        /// Goes on with the import of a killed command until it is through.
        private func finish(_ file: String) async throws -> String {
            let database = try place.database()
            let name = file + ".csv"
            let found = try await database.read { session in
                try session.first(
                    """
                    SELECT r.id, r.state, r.rows_read FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
                    WHERE f.name = $1
                    """, [.text(name)]
                ) { ($0.int(0), $0.text(1), $0.integer(2)) }
            }
            guard let (run, state, read) = found, state != "draft" else { return "; the import had not begun" }
            ledger.acknowledge(file)
            if state == "succeeded" { return "; the import was through" }
            let rejects = place.folder + "/rejects.csv"
            let resumed = try place.command(["import", "--resume", "\(run)", "--rejects", rejects])
            guard resumed.code == 0 || resumed.code == 2 else {
                throw RawHTTP.Failure(description: "the import of \(file) does not go on: \(resumed)")
            }
            return "; the import went on behind row \(read)"
        }

        /// The processes are dead for certain: what they held comes due now, not in half a minute or a minute.
        private func endLeases() async throws {
            try await place.database().write { session in
                try session.execute("UPDATE storage_job SET lease_until = 0 WHERE status = 'running'")
                try session.execute(
                    "UPDATE storage_outbox_event SET next_attempt_at = 0 WHERE status = 'pending' AND attempts = 0")
            }
        }

        /// Waits until imports and events are through, then compares ledger and database.
        func settledAndVerified(whole: Bool) async throws -> [String] {
            let database = try place.database()
            let left: @Sendable (any SQLSession) throws -> [String] = { session in
                try session.query(
                    """
                    SELECT 'event ' || type FROM storage_outbox_event WHERE status = 'pending'
                    UNION ALL SELECT 'job ' || kind FROM storage_job
                    WHERE status IN ('queued', 'running') AND kind LIKE 'ingest.%'
                    """
                ) { $0.text(0) }
            }
            let isSettled = try await eventually(seconds: 90) { try await database.read(left).isEmpty }
            guard isSettled else { return ["not through after 90 s: \(try await database.read(left).prefix(5))"] }
            return try await ledger.verify(place, whole: whole)
        }
    }
}

/// Said once, heard by all.
final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
