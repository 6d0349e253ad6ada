import Foundation
import TestSupport
import Testing

extension PrivatePostgres {
    /// The postmaster and all its children.
    private var processes: [Int32] {
        let text = (try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)) ?? ""
        guard let first = text.split(separator: "\n").first, let number = Int32(first) else { return [] }
        let children = try? String(contentsOfFile: "/proc/\(number)/task/\(number)/children", encoding: .utf8)
        return [number] + (children ?? "").split(separator: " ").compactMap { Int32($0) }
    }

    /// As a machine that is frozen: sockets stay open and nobody answers. The postmaster first, so that no child is missed.
    func freeze() {
        processes.first.map { _ = Foundation.kill($0, SIGSTOP) }
        for process in processes { _ = Foundation.kill(process, SIGSTOP) }
    }

    func thaw() { for process in processes.reversed() { _ = Foundation.kill(process, SIGCONT) } }
}

/// The database is away for long: nobody waits for it longer than for a hand-over (ADR 0025).
@Suite("a database that is away for long", .serialized)
struct FrozenTests {
    private static func timed<T>(_ body: () -> T) -> (value: T, seconds: Double) {
        let clock = ContinuousClock()
        let begun = clock.now
        let value = body()
        return (value, (clock.now - begun) / .seconds(1))
    }

    private static func isEnabled() -> Bool {
        TestDatabases.dialect == .postgres && PrivatePostgres.isInstalled
    }

    /// The budgets are 10 s for a page and 2 s for readiness; before there were any it was 65 s and 70 s.
    private static let pageSeconds = 20.0
    private static let readySeconds = 5.0

    @Test(
        "frozen or stopped, pages are refused in time, readiness says why, health needs no database; then all is well again",
        .enabled(if: isEnabled(), "PostgreSQL only"), arguments: [true, false])
    func away(isFrozen: Bool) async throws {
        let folder = NSTemporaryDirectory() + "switchboard-frozen-" + UUID().uuidString
        let server = try PrivatePostgres(folder: folder)
        defer { server.thaw() }
        let place = try Installation(url: server.settings("frozen").url)
        try place.user("kim")
        let (product, port) = try place.serve()
        defer { product.stop() }
        let person = Person(port: port)
        try person.logIn("kim")
        #expect(person.get("/customers").status == 200)

        if isFrozen { server.freeze() } else { try server.stop("immediate") }
        // While nobody knows yet what is the matter.
        let ready = Self.timed { person.get("/readyz") }
        #expect(ready.value.status == 503 && ready.value.text.contains("database"), "\(ready.value)")
        #expect(ready.seconds < Self.readySeconds, "readiness took \(ready.seconds) s")
        let health = Self.timed { person.get("/healthz") }
        #expect(health.value.status == 200, "a cookie must not make health ask the database")
        #expect(health.seconds < Self.readySeconds)

        let page = Self.timed { person.get("/customers") }
        #expect(page.value.status == 503, "\(page.value)")
        #expect(page.seconds < Self.pageSeconds, "a page took \(page.seconds) s")
        if case .answer(let answer) = page.value { #expect(answer.header("retry-after") != nil) }

        // Who comes when it has been away for longer than anybody waits is told at once.
        let isTold = await eventually(seconds: 30) {
            let late = Self.timed { person.get("/customers") }
            return late.value.status == 503 && late.seconds < 2
        }
        #expect(isTold)
        // Each is told what concerns them: who reads has saved nothing, who writes has.
        let (read, written) = (person.get("/customers").text, person.post("/customers", [("f_full_name", "V")]).text)
        #expect(read.contains("cannot be shown now") && !read.contains("Nothing was saved"), "\(read)")
        #expect(written.contains("Nothing was saved"), "\(written)")
        let isDown = await eventually(seconds: 30) {
            let figures = person.get("/metrics").text
            return figures.contains("switchboard_database_up 0") && !figures.contains("switchboard_outbox_pending")
        }
        #expect(isDown, "no figures of a database that is away")
        // The background tells it, once its own waiting is over.
        #expect(await eventually(seconds: 60) { product.text.contains("\"database.away\"") }, "\(product.text)")
        let lines = product.text.split(separator: "\n")
        #expect(lines.count { $0.contains("\"database.away\"") } == 1, "\(product.text)")
        for name in ["job.claim_failed", "outbox.failed", "upkeep.failed", "limits.not_shared"] {
            #expect(!lines.contains { $0.contains("\"event\":\"\(name)\"") }, "\(name): \(product.text)")
        }
        print("frozen \(isFrozen): page \(page.seconds) s, readiness \(ready.seconds) s, health \(health.seconds) s")

        if isFrozen { server.thaw() } else { try server.start() }
        let isBack = await eventually(seconds: 30) {
            person.get("/customers").status == 200 && person.get("/readyz").status == 200
        }
        #expect(isBack, "it comes back by itself")
        let isUp = await eventually(seconds: 60) {
            person.get("/metrics").text.contains("switchboard_database_up 1")
                && product.text.contains("\"event\":\"database.back\"")
        }
        #expect(isUp, "\(product.text)")
        #expect(product.isRunning)
    }
}
