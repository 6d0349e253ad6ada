import Kernel
import Logging
import Synchronization
import Testing

@testable import Storage

/// What the log says while a database is away.
@Suite("Outage log")
struct OutageLogTests {
    /// Keeps `LEVEL EVENT FIELDS` of each line.
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        var logger: Logger {
            Logger(label: "test") { _ in Handler { line in self.kept.withLock { $0.append(line) } } }
        }
    }

    private struct Handler: LogHandler {
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        let write: @Sendable (String) -> Void
        init(write: @escaping @Sendable (String) -> Void) { self.write = write }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            write("\(event.level) \(event.message) " + fields.joined(separator: " "))
        }
    }

    private final class Hand: Sendable {
        private let value = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { value.withLock { $0 } }
        func advance(_ duration: Duration) { value.withLock { $0 += duration } }
    }

    private static let gone = StorageError(.connection, "server closed the connection")

    @Test("one line when it goes, one a minute with what was left out, one when it is back; then it begins anew")
    func absence() {
        let (lines, hand) = (Lines(), Hand())
        let log = OutageLog(tenant: "east", logger: lines.logger) { hand.now }
        log.worked()
        #expect(lines.all.isEmpty, "nothing was away")
        // Three a second for two and a half minutes.
        for _ in 0..<150 {
            for event in ["outbox.failed", "job.claim_failed", "job.claim_failed"] { log.failed(event, Self.gone) }
            hand.advance(.seconds(1))
        }
        log.worked()
        log.worked()
        #expect(
            lines.all == [
                "error database.away at=outbox.failed error=storage connection: server closed the connection tenant=east",
                "error database.still_away error=storage connection: server closed the connection left_out=179 "
                    + "seconds=60 tenant=east",
                "error database.still_away error=storage connection: server closed the connection left_out=179 "
                    + "seconds=120 tenant=east",
                "warning database.back left_out=89 seconds=150 tenant=east",
            ])
        hand.advance(.seconds(100))
        log.failed("outbox.failed", Self.gone)
        #expect(lines.all.count == 5 && lines.all[4].hasPrefix("error database.away"))
    }

    @Test("one that comes and goes has a pair of lines a minute; other errors are logged each")
    func flapping() {
        let (lines, hand) = (Lines(), Hand())
        let log = OutageLog(tenant: "east", logger: lines.logger) { hand.now }
        for _ in 0..<60 {
            log.failed("job.claim_failed", Self.gone)
            log.worked()
            hand.advance(.milliseconds(900))
        }
        #expect(lines.all.count == 2, "\(lines.all)")
        for _ in 0..<3 { log.failed("outbox.failed", StorageError(.statement, "no such table")) }
        #expect(lines.all.count == 5 && lines.all[2].hasPrefix("error outbox.failed"))
    }
}
