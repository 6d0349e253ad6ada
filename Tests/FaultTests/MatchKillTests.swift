import Foundation
import Kernel
import Storage
import TestSupport
import Testing

/// An import that matches, killed with -9 at random moments and gone on with (ADR 0045).
@Suite("kill -9 of an import that matches", .serialized)
struct MatchKillTests {
    private static let options = ["--match-key", "source_id", "--match"]

    /// What came of it, in the words of the files: ids are different every time.
    private struct Outcome: Equatable {
        var customers = 0
        var pairs: Set<String> = []
        var links: Set<String> = []
        var counted: [Int64] = []
    }

    private func outcome(_ place: Installation) async throws -> Outcome {
        try await place.database().read { session in
            var names: [Int64: String] = [:]
            try session.forEach("SELECT customer_id, value FROM customers_identifier WHERE kind LIKE 'source:%'", []) { row in
                names[row.int(0)] = row.text(1)
                return true
            }
            func both(_ row: Row) -> String { [names[row.int(0)] ?? "?", names[row.int(1)] ?? "?"].sorted().joined(separator: " ") }
            var result = Outcome()
            result.customers = try session.count("SELECT COUNT(*) FROM customers_customer")
            result.pairs = Set(
                try session.query("SELECT left_id, right_id, state FROM customers_match_pair") { both($0) + " " + $0.text(2) })
            result.links = Set(
                try session.query("SELECT from_id, to_id FROM customers_customer_link WHERE valid") { both($0) })
            result.counted =
                try session.first(
                    """
                    SELECT created_count, linked_count, review_count, chunk, matched_chunk FROM ingest_run
                    ORDER BY id DESC LIMIT 1
                    """
                ) { row in (0..<5).map { row.int($0) } } ?? []
            return result
        }
    }

    private func bring(_ file: String, _ source: String, to place: Installation) throws {
        let done = try place.command(["import", file, "--source", source] + Self.options)
        #expect(done.code == 0, "\(done)")
    }

    @Test("everybody is matched once, whenever it dies; the run counts what there is")
    func kills() async throws {
        let (straight, place) = (try Installation(), try Installation())
        let (billing, care) = (place.folder + "/billing.csv", place.folder + "/care.csv")
        try Self.write(0..<1_500, slips: false, to: billing)
        try Self.write(1_000..<4_000, slips: true, to: care)
        for installation in [straight, place] { try bring(billing, "billing", to: installation) }
        try bring(care, "care", to: straight)
        let wanted = try await outcome(straight)
        #expect(wanted.customers == 4_500 && wanted.links.count > 300)
        var rng = SeededGenerator(seed: Drill.first)
        var (kills, between) = (0, 0)
        var run: Int64?
        while kills < (Drill.isLong ? 12 : 4) {
            let going = try place.start(
                run.map { ["import", "--resume", "\($0)"] } ?? ["import", care, "--source", "care"] + Self.options)
            let database = try place.database()
            // Killed once so many chunks are behind it, at some moment of the next.
            let before = try await Self.run(database)?.chunk ?? 0
            let goal = before + Int64(rng.number(0...1))
            let isThere = try await eventually(seconds: 60) {
                guard going.isRunning else { return true }
                return try await Self.run(database).map { $0.chunk >= goal } ?? false
            }
            try await Task.sleep(for: .milliseconds(rng.number(0...150)))
            guard isThere, going.isRunning else { break }
            going.kill()
            kills += 1
            guard let now = try await Self.run(database) else { continue }
            if now.state != "draft" { run = now.id }
            if now.matched < now.chunk { between += 1 }
        }
        if let run {
            let done = try place.command(["import", "--resume", "\(run)"])
            // The last kill may have come when all was written.
            #expect(done.code == 0 || done.error.contains("is already done"), "\(done)")
        } else {
            try bring(care, "care", to: place)
        }
        let got = try await outcome(place)
        #expect(
            got == wanted,
            """
            seed \(Drill.first): pairs \(got.pairs.symmetricDifference(wanted.pairs).sorted()), \
            links \(got.links.symmetricDifference(wanted.links).sorted()), \(got.counted) for \(wanted.counted)
            """)
        Drill.report("kill -9 of an import that matches", rounds: kills, "\(between) times with customers written and not matched")
        await straight.close()
        await place.close()
    }

    private struct Standing: Sendable { let id: Int64; let state: String; let chunk: Int64; let matched: Int64 }

    private static func run(_ database: any Database) async throws -> Standing? {
        try await database.read { session in
            try session.first(
                """
                SELECT r.id, r.state, r.chunk, r.matched_chunk FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
                WHERE f.name = 'care.csv'
                """
            ) { Standing(id: $0.int(0), state: $0.text(1), chunk: $0.int(2), matched: $0.int(3)) }
        }
    }

    /// People who are nobody: the same for the same number, in two spellings.
    private static func write(_ numbers: Range<Int>, slips: Bool, to path: String) throws {
        let (family, given) = (Array("王李张刘陈杨赵黄周吴徐孙"), Array("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"))
        var text = "source_id,full_name,birth_date,phone,address,city\n"
        for number in numbers {
            var rng = SeededGenerator(seed: UInt64(number) &+ 1)
            let name = "\(family[rng.number(0...11)])\(given[rng.number(0...19)])\(given[rng.number(0...19)])"
            let month = rng.number(10...12), day = rng.number(10...28)
            let birth = "\(rng.number(1_940...2_004))-\(month)-\(day)"
            let street = "解放路\(rng.number(1...900))号\(rng.number(1...30))室"
            // A slip of one kind in a third each.
            let slip = slips ? number % 3 : 3
            text += "\(slips ? "C" : "B")\(number),\(name),\(slip == 1 ? "" : birth),"
            text += "\(slip == 0 ? "" : "+861391\(String(1_000_000 + number).suffix(7))"),\(slip == 2 ? "" : street),杭州\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
