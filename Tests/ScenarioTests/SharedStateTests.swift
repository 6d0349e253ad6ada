import App
import Contracts
import Foundation
import Kernel
import Logging
import Storage
import TestSupport
import Testing
import Web

/// What several servers and workers over one PostgreSQL know of each other.
@Suite("Servers over one database")
struct SharedStateTests {
    static let onPostgres = TestDatabases.dialect == .postgres

    /// A second server over the database of the first.
    private func second(_ first: Scenario, change: (inout Configuration) -> Void = { _ in }) async throws -> Scenario {
        let configuration = first.runtime.configuration
        return try await Scenario.start {
            $0.data = configuration.data
            $0.database = configuration.database
            change(&$0)
        }
    }

    @Test("a caller over two servers gets the configured rate, not double", .enabled(if: onPostgres))
    func rate() async throws {
        let perSecond = 10.0
        let one = try await Scenario.start { $0.requestsPerSecond = perSecond }
        let two = try await second(one) { $0.requestsPerSecond = perSecond }
        #expect(try await eventually { one.runtime.gate.limiter.servers == 2 && two.runtime.gate.limiter.servers == 2 })
        let caller = [one, two].map { $0.http.from("127.0.0.77") }
        let begin = ContinuousClock.now
        var admitted = 0
        for number in 0..<160 {
            let answer = try await caller[number % 2].ask("GET", "/healthz")
            if answer.status == 200 { admitted += 1 } else { #expect(answer.status == 429) }
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        // Both bursts together are twice the rate, as that of one server is.
        let most = 2 * perSecond + perSecond * seconds + 1
        #expect(admitted >= Int(2 * perSecond) && Double(admitted) <= most, "\(admitted) in \(seconds) s")
    }

    @Test("wrong passwords at two servers at once have five free tries together, not five each", .enabled(if: onPostgres))
    func throttle() async throws {
        let one = try await Scenario.start()
        let two = try await second(one)
        _ = try await one.user("mei", [.agent])
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            // Few enough that the clients leave the machine threads for the servers, which are in this process too.
            for number in 0..<12 {
                let http = [one, two][number % 2].http.from("127.0.0.78")
                group.addTask {
                    let page = try await http.ask("GET", "/login")
                    let token = page.text.firstMatch(of: /name="csrf-token" content="([^"]+)"/).map { String($0.1) }
                    let cookie = page.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
                    let form = Form([("_csrf", token ?? ""), ("name", "mei"), ("password", "wrong \(number) and long")])
                    return try await http.ask(
                        "POST", "/login",
                        headers: [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")],
                        body: Array(form.encoded.utf8)
                    ).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let counted = try await one.tenant.database.read { session in
            try session.count("SELECT COALESCE(MAX(failures), 0) FROM identity_throttle WHERE key LIKE 'pair:%'")
        }
        #expect(statuses.filter { $0 == 401 }.count == 5 && counted == 5, "\(statuses)")
        #expect(statuses.allSatisfy { [401, 429, 503].contains($0) }, "\(statuses)")
    }

    @Test("what one process appends another works on at once, however rarely it looks by itself", .enabled(if: onPostgres))
    func wake() async throws {
        let server = try await Scenario.start()
        let other = try await second(server)
        let workers = Workers(
            names: ["default"], modules: other.runtime.modules.all, tenants: other.runtime.tenants, count: 1,
            metrics: other.runtime.metrics, logger: other.runtime.logger, pollMilliseconds: 86_400_000)
        let running = Task { try await workers.run() }
        defer { running.cancel() }
        let tenant = server.tenant
        for round in 0..<5 {
            let job = try await tenant.database.write { session in
                try tenant.outbox.append(CustomersChanged(ids: [], fields: ["round\(round)"], kind: .updated), session)
                return try tenant.jobs.enqueue("nobody.knows", payload: "{}", by: "test", session)
            }
            // Less than the half minute after which upkeep may wake the workers too.
            let isDone = try await eventually(seconds: 20) {
                try await tenant.database.read { session in
                    try tenant.jobs.job(job, session)?.status == .failed
                        && session.count("SELECT COUNT(*) FROM storage_outbox_event WHERE status = 'pending'") == 0
                }
            }
            #expect(isDone, "round \(round)")
        }
    }
}
