import Contracts
import Foundation
import Kernel
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Customers
@testable import Identity
@testable import Ingest

/// Each call to the database in turn fails, once: what was begun must not stand half done, and what is done again has one
/// effect.
@Suite("the nth call to the database fails")
struct NthCallTests {
    /// A tenant whose database fails where `faulty.plan` says.
    struct World {
        let test: TestTenant
        let faulty: FaultyDatabase
        let tenant: Tenant
        let findings = Findings()
        let principal = TestTenant.principal(
            [ImportService.permission, CustomerPermissions.edit, CustomerPermissions.view], roles: [.supervisor])

        init() async throws {
            test = try await TestTenant(["Identity", "Customers", "Ingest", "Insights"])
            faulty = FaultyDatabase(test.tenant.database)
            let sound = test.tenant
            tenant = Tenant(
                name: sound.name, database: faulty, ids: sound.ids, clock: sound.clock, blobs: sound.blobs,
                keys: sound.keys, logger: sound.logger)
        }

        /// Table -> digest of its rows, whatever their order.
        func digest() async throws -> [String: Int] {
            let tables = try await TestSchema(test.tenant.database).tables()
            return try await test.tenant.database.read { session in
                var digests: [String: Int] = [:]
                for table in tables {
                    var sum = 0
                    try session.forEach(SQL(trusted: "SELECT * FROM \(table)"), []) { row in
                        var hasher = Hasher()
                        for column in 0..<row.reader.columnCount { hasher.combine(row.value(column)) }
                        sum &+= hasher.finalize()
                        return true
                    }
                    digests[table] = sum
                }
                return digests
            }
        }

        func count(_ sql: SQL, _ arguments: [SQLValue] = []) async throws -> Int {
            try await test.tenant.database.read { try $0.count(sql, arguments) }
        }
    }

    /// Does something once for each call it makes, until it comes through untouched.
    /// - Parameters:
    ///   - doing: gets a number of its own each time.
    ///   - effects: how often what was done under that number is there.
    private func everyCall(
        _ world: World, _ name: String, doing: (Int) async throws -> Void, effects: (Int) async throws -> Int
    ) async throws -> Int {
        var (failures, number) = (0, 0)
        for fault in FaultPlan.Fault.allCases {
            for call in 1...400 {
                number += 1
                let before = try await world.digest()
                world.faulty.plan.arm(fault, call: call)
                var error: (any Error)?
                do { try await doing(number) } catch let thrown { error = thrown }
                world.faulty.plan.disarm()
                guard world.faulty.plan.hasStruck else {
                    world.findings.expect(error == nil, "\(name): \(String(describing: error))")
                    try await world.findings.expect(effects(number) == 1, "\(name), untouched")
                    break
                }
                failures += 1
                let words = "\(name): call \(call) failed with \(fault)"
                world.findings.expect(error != nil, "\(words): and nobody was told")
                if fault == .answerLostDone {
                    try await world.findings.expect(effects(number) == 1, words)
                    continue
                }
                let after = try await world.digest()
                let changed = after.keys.filter { before[$0] != after[$0] }.sorted()
                world.findings.expect(changed.isEmpty, "\(words): half done in \(changed)")
                // The same again.
                try await doing(number)
                try await world.findings.expect(effects(number) == 1, "\(words), then again")
                try #require(call < 400, "it makes no end of calls")
            }
        }
        return failures
    }

    @Test("customers: a failed creation or change leaves nothing, and the second try makes one customer, one change")
    func customers() async throws {
        let world = try await World()
        let store = CustomerStore(tenant: world.tenant)
        let (tenant, principal) = (world.tenant, world.principal)
        let create: (Int) async throws -> Void = { number in
            _ = try await tenant.database.write { session in
                try store.create(
                    [
                        "full_name": .text("N \(number)"), "kind": .text("individual"),
                        "phone": .text("+86139\(10_000_000 + number)"), "msisdn": .text("+86138\(10_000_000 + number)"),
                        "region": .text("north"),
                    ], by: principal, record: { try tenant.audit.record($0, by: principal, session) }, session)
            }
        }
        let made: (Int) async throws -> Int = { number in
            let found = try await world.count(
                "SELECT COUNT(*) FROM customers_party WHERE display_name = $1", [.text("N \(number)")])
            let audited = try await world.count(
                """
                SELECT COUNT(*) FROM platform_audit_subject s JOIN customers_party p ON p.id = s.subject_id
                WHERE p.display_name = $1
                """, [.text("N \(number)")])
            return found == audited ? found : -1
        }
        var failures = try await everyCall(world, "create", doing: create, effects: made)
        let id = try await world.test.tenant.database.read {
            try $0.first("SELECT id FROM customers_customer ORDER BY id LIMIT 1") { $0.id(0, PartyKind.self) }
        }
        let customer = try #require(id)
        let change: (Int) async throws -> Void = { number in
            try await tenant.database.write { session in
                let edition = try store.read(customer, principal, session).customer.edition
                try store.update(
                    customer, edition: edition,
                    [
                        "segment": .text("s\(number)"), "region": .text("r\(number % 2)"),
                        "email": .text("e\(number)@x.cn"),
                    ],
                    by: principal, record: { try tenant.audit.record($0, by: principal, session) }, session)
            }
        }
        let changed: (Int) async throws -> Int = { number in
            try await world.count(
                """
                SELECT COUNT(*) FROM customers_customer c JOIN customers_listing l ON l.customer_id = c.id
                WHERE c.id = $1 AND c.segment = $2 AND l.segment = $2
                """, [.id(customer), .text("s\(number)")])
        }
        failures += try await everyCall(world, "change", doing: change, effects: changed)
        let edition = try await world.count("SELECT edition FROM customers_customer WHERE id = $1", [.id(customer)])
        let audited = try await world.test.auditCount("customers.customer.update")
        #expect(edition == audited + 1 && audited > 20)
        Drill.report("nth call fails: customers", rounds: failures, "\(world.findings.count) half done or doubled")
    }

    @Test("accounts: a failed creation leaves no name taken, and the second try makes one account")
    func accounts() async throws {
        let world = try await World()
        let accounts = Accounts(world.tenant)
        let administrator = TestTenant.principal([], roles: [.administrator])
        let tenant = world.tenant
        let failures = try await everyCall(world, "account") { number in
            try await tenant.database.write { session in
                let draft = Accounts.Draft(name: "user.\(number)", roles: [.agent])
                let (_, entry) = try accounts.create(draft, by: administrator, session)
                try tenant.audit.record(entry, by: administrator, session)
            }
        } effects: { number in
            try await world.count(
                """
                SELECT COUNT(*) FROM identity_user u JOIN identity_user_role r ON r.user_id = u.id
                JOIN platform_audit_subject s ON s.subject_id = u.id WHERE u.name = $1
                """, [.text("user.\(number)")])
        }
        #expect(failures > 10)
        Drill.report("nth call fails: accounts", rounds: failures, "\(world.findings.count) half done or doubled")
    }

    @Test("imports: whichever call fails, the run goes on to its end and each row is imported once")
    func imports() async throws {
        let world = try await World()
        let service = ImportService(
            tenant: world.tenant, target: CustomerImportTarget(world.tenant), share: Checkout.share)
        var failures = 0
        var number = 0
        for fault in [FaultPlan.Fault.io, .connection, .commitRefused, .answerLostUndone, .answerLostDone] {
            // Statements are many: every one for the first kind, every third for the second.
            for call in stride(from: 1, through: 600, by: fault == .connection ? 3 : 1) {
                number += 1
                let rows = (1...6).map {
                    "f\(number)-\($0),Row \($0),139000\(String(format: "%05d", number)),a\($0)@example.com\n"
                }
                let path = world.test.folder + "/f\(number).csv"
                let text =
                    "source_id,name,phone,email\n" + rows.joined() + "f\(number)-bad,Bad,no number,bad@example.com\n"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                world.faulty.plan.arm(fault, call: call)
                let words = "call \(call) failed with \(fault)"
                var counts: (Int, Int, String)?
                do {
                    let report = try await service.importFile(
                        path, source: "nth", matchKey: "source_id", principal: world.principal)
                    counts = (report.created, report.rejected, report.state)
                } catch {
                    #expect(world.faulty.plan.hasStruck, "\(error)")
                }
                world.faulty.plan.disarm()
                let struck = world.faulty.plan.hasStruck
                if counts == nil || counts?.2 != "succeeded" {
                    counts = try await again(service, world, path, number)
                }
                world.findings.expect(
                    counts?.0 == 6 && counts?.1 == 1 && counts?.2 == "succeeded",
                    "\(words): \(String(describing: counts))")
                try await check(world, number, words)
                if !struck { break }
                failures += 1
            }
        }
        #expect(failures > 60)
        Drill.report(
            "nth call fails: imports", rounds: failures,
            "\(world.findings.count) runs not through, rows lost or doubled")
    }

    @Test(
        "imports as jobs: whichever call of the worker fails, run and job come to their end and each row is imported once"
    )
    func importJobs() async throws {
        let world = try await World()
        let (sound, tenant, principal) = (world.test.tenant, world.tenant, world.principal)
        let asking = ImportService(tenant: sound, target: CustomerImportTarget(sound), share: Checkout.share)
        let working = ImportService(tenant: tenant, target: CustomerImportTarget(tenant), share: Checkout.share)
        let worker = JobWorker(
            queue: tenant.jobs, handlers: working.jobs + CustomersModule().jobs(tenant), wake: tenant.wake, owner: "w",
            logger: tenant.logger)
        var (failures, number) = (0, 0)
        for fault in [FaultPlan.Fault.connection, .commitRefused, .answerLostUndone, .answerLostDone] {
            for call in stride(from: 1, through: 400, by: fault == .connection ? 2 : 1) {
                number += 1
                let name = "j\(number)"
                let rows = (1...6).map {
                    "\(name)-\($0),Row \($0),139000\(String(format: "%05d", $0)),a\($0)@example.com\n"
                }
                let text =
                    "source_id,name,phone,email\n" + rows.joined() + "\(name)-bad,Bad,no number,bad@example.com\n"
                let path = world.test.folder + "/\(name).csv"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                let (blob, _) = try asking.copyIn(path)
                let record = asking.recorder(principal)
                let draft = try await asking.draft(
                    name: name + ".csv", blob: blob, source: "nth", principal: principal, record: record)
                try await asking.enqueue(.start, draft.run, principal: principal, record: record)
                world.faulty.plan.arm(fault, call: call)
                for _ in 0..<5 {
                    _ = try? await worker.runOne()
                    world.test.clock.advance(seconds: 600)
                }
                world.faulty.plan.disarm()
                let words = "call \(call) failed with \(fault)"
                let run = try await asking.run(draft.run).run
                world.findings.expect(
                    run.state == .succeeded && run.counts.created == 6 && run.counts.rejected == 1,
                    "\(words): \(run.state) \(run.counts)")
                let found = try await sound.database.read { session in
                    try run.jobID.flatMap { try sound.jobs.job($0, session) }
                }
                world.findings.expect(found?.status == .succeeded, "\(words): the job \(String(describing: found))")
                let made = try await world.count(
                    "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'source:nth' AND value LIKE $1",
                    [.text(name + "-%")])
                world.findings.expect(made == 6, "\(words): \(made) customers")
                if !world.faulty.plan.hasStruck { break }
                failures += 1
            }
        }
        #expect(failures > 40)
        Drill.report(
            "nth call fails: import jobs", rounds: failures,
            "\(world.findings.count) runs or jobs not through, rows lost or doubled")
    }

    /// What a person does whose import stopped: goes on with it, or begins when it had not begun.
    private func again(
        _ service: ImportService, _ world: World, _ path: String, _ number: Int
    ) async throws -> (Int, Int, String) {
        let run = try await world.test.tenant.database.read { session in
            try session.first(
                """
                SELECT r.id, r.state, r.created_count, r.rejected_count FROM ingest_run r
                JOIN ingest_file f ON f.id = r.file_id WHERE f.name = $1 AND r.state <> 'draft'
                """, [.text("f\(number).csv")]
            ) { ($0.id(0, ImportRunKind.self), $0.text(1), $0.integer(2), $0.integer(3)) }
        }
        if let run, run.1 == "succeeded" { return (run.2, run.3, run.1) }
        let report =
            if let run {
                try await service.resume(run.0, rejects: path + ".again.csv", principal: world.principal)
            } else {
                try await service.importFile(path, source: "nth", matchKey: "source_id", principal: world.principal)
            }
        return (report.created, report.rejected, report.state)
    }

    private func check(_ world: World, _ number: Int, _ words: String) async throws {
        let prefix = SQLValue.text("f\(number)-%")
        let made = try await world.count(
            "SELECT COUNT(*) FROM customers_identifier WHERE kind = 'source:nth' AND value LIKE $1", [prefix])
        world.findings.expect(made == 6, words)
        let orphans = try await world.count(
            """
            SELECT COUNT(*) FROM customers_customer c LEFT JOIN customers_listing l ON l.customer_id = c.id
            WHERE l.customer_id IS NULL
            """)
        world.findings.expect(orphans == 0, words)
        let run = try await world.test.tenant.database.read { session in
            try session.query(
                """
                SELECT r.id, f.blob_id, r.reject_blob_id FROM ingest_run r JOIN ingest_file f ON f.id = r.file_id
                WHERE f.name = $1 AND r.state = 'succeeded'
                """, [.text("f\(number).csv")]
            ) { ($0.int(0), $0.text(1), $0.text(2)) }
        }
        world.findings.expect(run.count == 1, words)
        for (id, file, rejects) in run {
            for blob in [file, rejects] {
                #expect(throws: Never.self, "\(words): file \(blob)") {
                    _ = try world.test.tenant.blobs.reader(blob, offset: 0).read(1 << 20)
                }
            }
            let finished = try await world.count(
                """
                SELECT COUNT(*) FROM platform_audit_event e JOIN platform_audit_subject s ON s.event_id = e.id
                WHERE e.action = 'ingest.run.finish' AND s.subject_id = $1
                """, [.int(id)])
            world.findings.expect(finished == 1, words)
        }
    }

    struct Happened: DomainEvent {
        static let eventType = "test.fault.happened"
        let number: Int
    }

    @Test("events: whichever call of the dispatcher fails, each handler has its effect once")
    func events() async throws {
        let world = try await World()
        try await makeEffects(world)
        let handlers = ["one", "two"].map { name in
            EventHandler(name: name, Happened.self) { event, session in
                try session.execute(Self.effect, [.int(event.number), .text(name)])
            }
        }
        let (sound, tenant) = (world.test.tenant, world.tenant)
        var (failures, number) = (0, 0)
        for fault in FaultPlan.Fault.allCases {
            for call in 1...100 {
                number += 10
                let batch = number
                try await sound.database.write { session in
                    for each in 0..<3 { try sound.outbox.append(Happened(number: batch + each), session) }
                }
                let dispatcher = OutboxDispatcher(
                    database: tenant.database, handlers: handlers, clock: world.test.clock)
                world.faulty.plan.arm(fault, call: call)
                for _ in 0..<6 {
                    _ = try? await dispatcher.deliverBatch()
                    world.test.clock.advance(seconds: 700)
                }
                world.faulty.plan.disarm()
                let effects = try await world.count(
                    "SELECT COUNT(*) FROM effect WHERE number >= $1 AND number < $1 + 10", [.int(batch)])
                world.findings.expect(effects == 6, "call \(call) failed with \(fault)")
                try await world.findings.expect(dispatcher.backlog("pending") == 0, "events wait for ever")
                try await world.findings.expect(dispatcher.backlog("parked") == 0, "events were given up")
                if !world.faulty.plan.hasStruck { break }
                failures += 1
            }
        }
        #expect(failures > 20)
        Drill.report("nth call fails: events", rounds: failures, "\(world.findings.count) effects lost or doubled")
    }

    @Test("jobs: whichever call of the worker fails, the job comes to its end and each step is done once")
    func jobs() async throws {
        let world = try await World()
        try await makeEffects(world)
        let tenant = world.tenant
        // Each step and the note of it are one transaction: it goes on behind the last one.
        let handler = JobHandler(kind: "test.steps") { context in
            let job = context.job.id.rawValue
            for step in 1...3 {
                try await tenant.database.write { session in
                    let done = try session.count("SELECT COUNT(*) FROM effect WHERE number = $1", [.int(job)])
                    if done < step { try session.execute(Self.effect, [.int(job), .text("step \(step)")]) }
                }
                try await context.progress(done: Int64(step), total: 3, Words(en: "", zh: ""), force: true)
            }
            return nil
        }
        let worker = JobWorker(
            queue: tenant.jobs, handlers: [handler], wake: tenant.wake, owner: "w", logger: tenant.logger)
        var failures = 0
        for fault in FaultPlan.Fault.allCases {
            for call in 1...100 {
                let sound = world.test.tenant
                let job = try await sound.database.write {
                    try sound.jobs.enqueue("test.steps", payload: "{}", by: "test", $0)
                }
                world.faulty.plan.arm(fault, call: call)
                for _ in 0..<4 {
                    _ = try? await worker.runOne()
                    // Behind the lease and the pause after a failure.
                    world.test.clock.advance(seconds: 600)
                }
                world.faulty.plan.disarm()
                let words = "call \(call) failed with \(fault)"
                let found = try await sound.database.read { try sound.jobs.job(job, $0) }
                world.findings.expect(found?.status == .succeeded, words)
                try await world.findings.expect(
                    world.count("SELECT COUNT(*) FROM effect WHERE number = $1", [.id(job)]) == 3, words)
                if !world.faulty.plan.hasStruck { break }
                failures += 1
            }
        }
        #expect(failures > 20)
        Drill.report(
            "nth call fails: jobs", rounds: failures, "\(world.findings.count) steps lost or doubled, jobs not through")
    }

    static let effect: SQL = "INSERT INTO effect (number, what) VALUES ($1, $2)"

    private func makeEffects(_ world: World) async throws {
        try await world.test.tenant.database.write {
            _ = try $0.execute("CREATE TABLE effect (number BIGINT NOT NULL, what TEXT NOT NULL)")
        }
    }
}
