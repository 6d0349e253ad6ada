import Foundation
import Kernel
import Storage
import StoragePostgres
import TestSupport
import Testing

/// The connection to PostgreSQL is cut at each message in turn: in a statement, in the middle of COPY, at the commit.
@Suite(
    "the connection to PostgreSQL is cut", .serialized,
    .enabled(if: TestDatabases.dialect == .postgres, "PostgreSQL only"))
struct ConnectionTests {
    @Test("wherever it is cut, the body has its effect once, or not at all and its caller knows that nobody knows")
    func everyMessage() async throws {
        let settings = try await TestDatabases.empty()
        defer { TestDatabases.drop(settings) }
        let direct = PostgresDatabase(settings)
        try await direct.write { session in
            try session.execute(
                "CREATE TABLE piece (batch BIGINT NOT NULL, number BIGINT NOT NULL, text TEXT NOT NULL)")
            try session.execute("CREATE TABLE total (batch BIGINT NOT NULL PRIMARY KEY, pieces BIGINT NOT NULL)")
        }
        let port = try #require(settings.url.firstMatch(of: /:(\d+)\//).flatMap { Int($0.1) })
        let proxy = try FaultProxy(to: port)
        defer { proxy.close() }
        var through = settings
        through.url =
            settings.url.replacing(":\(port)/", with: ":\(proxy.port)/") + "?sslmode=disable&gssencmode=disable"
        let findings = Findings()
        var batch = 0
        var (cuts, unknown, kinds) = (0, 0, Set<Character>())
        for cut in FaultProxy.Cut.allCases {
            for message in 1...200 {
                batch += 1
                let database = PostgresDatabase(through)
                proxy.arm(cut, message: message)
                let isTold = try await write(batch, database)
                proxy.disarm()
                try await database.close()
                let words = "cut \(cut) message \(message) (\(String(describing: proxy.struck)))"
                // A server that has not noticed yet is still at it.
                let number = Int64(batch)
                let (pieces, totals) = try await direct.write { session in
                    // Waits for whoever holds the batch.
                    try session.execute("LOCK TABLE total IN ACCESS EXCLUSIVE MODE")
                    return (
                        try session.count("SELECT COUNT(*) FROM piece WHERE batch = $1", [.int(number)]),
                        try session.count("SELECT COUNT(*) FROM total WHERE batch = $1", [.int(number)])
                    )
                }
                findings.expect(
                    (pieces, totals) == (Self.pieces, 1) || (pieces, totals) == (0, 0), "\(words): half done: \(pieces)"
                )
                if isTold { findings.expect(totals == 1, "\(words): acknowledged and not there") }
                guard let struck = proxy.struck else {
                    #expect(isTold, "untouched")
                    break
                }
                cuts += 1
                kinds.insert(struck)
                if !isTold {
                    unknown += 1
                    findings.expect(struck == "Q", "\(words): only a commit leaves it open")
                    findings.expect(totals == (cut == .after ? 1 : 0), words)
                }
            }
        }
        #expect(kinds.isSuperset(of: ["Q", "P", "B", "d", "c"]), "\(kinds)")
        // The commit's message or its answer: one of each.
        #expect(unknown == 2)
        Drill.report(
            "connection cut at each message", rounds: cuts,
            "outcome unknown \(unknown) (the two commits); \(findings.count) half done, lost or doubled")
    }

    private static let pieces = 1 + 4 + 2_000

    /// Returns `false` when the outcome is unknown.
    private func write(_ batch: Int, _ database: PostgresDatabase) async throws -> Bool {
        do {
            try await database.write { session in
                try session.execute("INSERT INTO total (batch, pieces) VALUES ($1, 0)", [.int(batch)])
                try session.execute(Self.insert, [.int(batch), .int(0), .text("first")])
                try session.executeMany(Self.insert, (1...4).map { [.int(batch), .int($0), .text("one of many")] })
                try session.bulkInsert(
                    into: "piece", "batch, number, text",
                    (0..<2_000).map { [.int(batch), .int(100 + $0), .text(String(repeating: "x", count: 80))] })
                let count = try session.count("SELECT COUNT(*) FROM piece WHERE batch = $1", [.int(batch)])
                try session.execute("UPDATE total SET pieces = $2 WHERE batch = $1", [.int(batch), .int(count)])
            }
            return true
        } catch let error as StorageError where error.kind == .outcomeUnknown {
            return false
        }
    }

    static let insert: SQL = "INSERT INTO piece (batch, number, text) VALUES ($1, $2, $3)"
}
