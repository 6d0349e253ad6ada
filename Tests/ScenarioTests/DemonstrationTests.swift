import App
import Foundation
import Kernel
import Logging
import Platform
import Storage
import TestSupport
import Testing

/// The demonstration operator is made once, whole, and never into somebody's own base.
@Suite("The demonstration operator's making")
struct DemonstrationTests {
    private struct Killed: Error {}

    private func demonstration(_ scenario: Scenario) -> Demonstration {
        Demonstration(scenario.runtime, scenario.tenant)
    }

    private func count(_ scenario: Scenario) async throws -> Int {
        try await scenario.runtime.modules.customerCount(scenario.tenant)
    }

    private func models(_ scenario: Scenario) async throws -> Int {
        try await scenario.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM insights_model WHERE state = 'active'")
        }
    }

    /// As the module's batches would be left by a killed process: some customers, no model, the mark still "begun".
    private func beginAndKill(_ scenario: Scenario, customers: Int, after: Int) async throws {
        let task = Task {
            try await demonstration(scenario).make(customers: customers, seed: 7) { done, _, what in
                if done >= after, what.en == "customers invented" { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: (any Error).self) { try await task.value }
    }

    @Test("what was interrupted half-way is finished, with the size it was begun with, and learned from")
    func resumed() async throws {
        let scenario = try await Scenario.start()
        try await beginAndKill(scenario, customers: 900, after: 500)
        let half = try await count(scenario)
        #expect(half >= 500 && half < 900)
        guard case .begun(customers: 900, seed: 7, let day?, months: 24) = try await demonstration(scenario).state()
        else {
            Issue.record("the mark does not tell what was begun")
            return
        }
        print("begun on \(day)")
        #expect(try await models(scenario) == 0)
        let made = try await demonstration(scenario).make(customers: 5, seed: 1) { _, _, _ in }
        #expect(made.customers == 900 && made.seed == 7)
        #expect(try await count(scenario) == 900)
        #expect(try await models(scenario) == 1)
        #expect(try await demonstration(scenario).state() == .done)
        let twice = try await scenario.tenant.database.read {
            try $0.count(
                "SELECT COUNT(*) FROM (SELECT sort_name FROM customers_listing GROUP BY sort_name HAVING COUNT(*) > 1) AS twice"
            )
        }
        #expect(twice < 150, "the rest is not the beginning once more: \(twice) names twice")
    }

    @Test("an installation whose own customers are gone is not at its first start")
    func ownBase() async throws {
        let scenario = try await Scenario.start()
        #expect(try await demonstration(scenario).isFirstStart())
        let supervisor = try await scenario.user("super", [.supervisor])
        #expect(try await demonstration(scenario).isFirstStart(), "accounts alone are a first start")
        let csv = Array("source_id,name\n1,甲乙\n".utf8)
        let run = try #require(
            try supervisor.upload("/imports", fields: [("source", "crm")], file: (name: "a.csv", content: csv))
                .header("location"))
        try supervisor.fill(
            run, run + "/mapping",
            [
                ("to.0", "source_id"), ("to.1", "full_name"), ("match_key", "source_id"), ("creates", "1"),
                ("updates", "1"),
            ])
        try supervisor.post(run + "/start")
        try await scenario.drain()
        #expect(try await count(scenario) == 1)
        try supervisor.get("/customers")
        try supervisor.post(run + "/reversal")
        try await scenario.drain()
        #expect(try await count(scenario) == 0)
        #expect(try await !demonstration(scenario).isFirstStart())
        #expect(try await demonstration(scenario).state() == .none)
    }

    @Test("two seedings at once: the second is refused and told who is at it; what a dead process held is free")
    func atOnce() async throws {
        let scenario = try await Scenario.start()
        let own = demonstration(scenario)
        try await own.claim()
        let database = try #require(scenario.tenant.database as? LeasedDatabase)
        let other = try await LeasedDatabase(database.base, clock: scenario.tenant.clock, logger: scenario.tenant.logger)
        // As another process sees it: the mark of the first one is there, and it lives.
        #expect(other.holder != database.holder)
        let mark = "demonstration.maker"
        #expect(try await other.read { try Mark.value(mark, $0) } == database.holder)
        let now = scenario.tenant.clock.now()
        let theirs = other.holder
        try await other.write { try Mark.set(mark, theirs, at: now, $0) }
        let error = await #expect(throws: CRMError.self) {
            try await own.make(customers: 5, seed: 1) { _, _, _ in }
        }
        #expect(error?.code == "seed_at_work", "\(String(describing: error))")
        #expect(error?.message.en.contains("process \(ProcessInfo.processInfo.processIdentifier) on ") == true)
        #expect(try await count(scenario) == 0)
        // It was killed: its number is leased for minutes yet, and this machine knows that it has gone.
        let parts = theirs.split(separator: "/")
        let dead = "\(parts[0])/2147483646/\(parts[2])"
        let node = other.ids.node
        try await other.write { session in
            try session.execute(
                "UPDATE storage_node SET holder = $1 WHERE node = $2", [.text(dead), .int(node)])
            try Mark.set(mark, dead, at: now, session)
        }
        #expect(try await other.read { try NodeLease.live(at: now, $0) } == [database.holder])
        try await own.claim()
    }

    @Test("`seed` and `serve --demo` go on with a seeding that was killed, and a second seeding is refused")
    func killed() async throws {
        let data = NSTemporaryDirectory() + "switchboard-killed-" + UUID().uuidString
        defer {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(data: data)
        }
        var configuration = Configuration()
        configuration.data = data
        configuration.database = TestDatabases.url(data: data)
        configuration.share = Checkout.share.root
        configuration.durability = "normal"
        let runtime = try Runtime(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let tenant = try await runtime.tenants.tenant("default")
        let half = Task {
            try await Demonstration(runtime, tenant).make(customers: 700, seed: 7) { done, _, _ in
                if done >= 500 { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        _ = try? await half.value
        await runtime.tenants.close()
        let first = try ServerProcess.run(["seed", "--customers", "5", "--data", data])
        #expect(first.code == 0 && first.out.hasPrefix("700 customers"), "\(first)")
        #expect(first.error.contains("interrupted"))
        let second = try ServerProcess.run(["seed", "--customers", "5", "--data", data])
        #expect(second.code == 1 && second.error.contains("already has customers"))
    }
}
