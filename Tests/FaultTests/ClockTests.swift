import Contracts
import Foundation
import Kernel
import Logging
import Platform
import TestSupport
import Testing
import Web

@testable import Identity
@testable import Storage

/// The clock jumps ahead and back while leases, schedules, events and sessions are at work.
@Suite("the clock jumps", .serialized)
struct ClockTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("ids of several processes stay apart and none of them ends, whichever way the clock jumps")
    func identifiers() async throws {
        let test = try await TestTenant()
        let sound = test.tenant.database
        var rounds = 0
        for seed in Drill.seeds(oneIn: 2) {
            var rng = SeededGenerator(seed: seed)
            var processes: [LeasedDatabase] = []
            for _ in 0..<3 { processes.append(try await LeasedDatabase(sound, clock: test.clock, logger: Self.silent)) }
            for _ in 0..<40 {
                rounds += 1
                let jumps: [Int64] = [30 * 86_400, -86_400, -30 * 86_400, 61, -61, 400, 3_600, 0]
                test.clock.advance(seconds: jumps.randomElement(using: &rng) ?? 0)
                let number = rng.number(0...processes.count - 1)
                switch rng.number(0...9) {
                case 0:
                    // It is killed, and another one comes.
                    processes[number] = try await LeasedDatabase(sound, clock: test.clock, logger: Self.silent)
                case 1: try await processes[number].renew()
                default:
                    for process in processes {
                        // An id met twice would break the key.
                        try await process.write { session in
                            for _ in 0..<5 {
                                try test.tenant.audit(by: process.ids).record(
                                    AuditEntry("test.entry.record"), by: TestTenant.principal([]), session)
                            }
                        }
                    }
                }
            }
        }
        let events = try await sound.read { try $0.count("SELECT COUNT(*) FROM platform_audit_event") }
        #expect(events > 500)
        Drill.report("clock: ids", rounds: rounds, "\(events) ids in \(rounds) jumps, none twice")
    }

    @Test("a number whose ids lie ahead, because the clock was set back, is not given to another process before")
    func nodes() async throws {
        let test = try await TestTenant()
        let database = test.tenant.database
        let first = try await LeasedDatabase(database, clock: test.clock, logger: Self.silent)
        test.clock.advance(days: 30)
        try await first.renew()
        let ahead: AnyID = first.ids.next()
        test.clock.advance(days: -30)
        try await first.renew()
        // It is killed; its lease of five minutes runs out.
        test.clock.advance(seconds: 400)
        let second = try await LeasedDatabase(database, clock: test.clock, logger: Self.silent)
        #expect(second.ids.node != first.ids.node)
        test.clock.advance(days: 31)
        let third = try await LeasedDatabase(database, clock: test.clock, logger: Self.silent)
        #expect(third.ids.node == first.ids.node)
        #expect((third.ids.next() as AnyID) > ahead)
    }

    @Test("a schedule fires once a period, and goes on within one when the clock is set back")
    func schedules() async throws {
        let test = try await TestTenant()
        let jobs = test.tenant.jobs
        func fires() async throws -> Bool { try await jobs.runSchedule("s", kind: "work", everySeconds: 3_600) }
        #expect(try await fires())
        #expect(try await !fires())
        test.clock.advance(days: 30)
        #expect(try await fires())
        test.clock.advance(days: -30)
        #expect(try await fires(), "it would have stood still for thirty days")
        #expect(try await !fires())
        // Clocks of two processes that differ a little do not make it fire twice.
        test.clock.advance(seconds: -240)
        #expect(try await !fires())
        test.clock.advance(seconds: 3_600)
        #expect(try await !fires())
        test.clock.advance(seconds: 240)
        #expect(try await fires())
    }

    struct Happened: DomainEvent { static let eventType = "test.clock.happened" }

    @Test("events appended or tried before the clock was set back are delivered, each once")
    func events() async throws {
        let test = try await TestTenant()
        let tenant = test.tenant
        try await tenant.database.write { _ = try $0.execute("CREATE TABLE effect (number BIGINT NOT NULL)") }
        let handler = EventHandler(name: "effect", Happened.self) { _, session in
            try session.execute("INSERT INTO effect (number) VALUES (1)")
        }
        let broken = EventHandler(name: "effect", Happened.self) { _, _ in throw Deliberate() }
        let dispatcher = OutboxDispatcher(database: tenant.database, handlers: [handler], clock: test.clock)
        test.clock.advance(days: 30)
        try await tenant.database.write { try tenant.outbox.append(Happened(), $0) }
        _ = try await OutboxDispatcher(database: tenant.database, handlers: [broken], clock: test.clock).deliverBatch()
        try await tenant.database.write { try tenant.outbox.append(Happened(), $0) }
        test.clock.advance(days: -30)
        #expect(try await dispatcher.deliverBatch() == 0)
        try await dispatcher.pullBack()
        #expect(try await dispatcher.deliverBatch() == 2)
        try await dispatcher.pullBack()
        #expect(try await dispatcher.deliverBatch() == 0)
        #expect(try await tenant.database.read { try $0.count("SELECT COUNT(*) FROM effect") } == 2)
        #expect(try await dispatcher.backlog("pending") == 0)
        // What waits for its next attempt by the present clock goes on waiting.
        try await tenant.database.write { try tenant.outbox.append(Happened(), $0) }
        _ = try await OutboxDispatcher(database: tenant.database, handlers: [broken], clock: test.clock).deliverBatch()
        try await dispatcher.pullBack()
        #expect(try await dispatcher.deliverBatch() == 0)
    }

    @Test("the job of a worker that died comes due when the clock is set back; that of one that lives stays its own")
    func leases() async throws {
        let test = try await TestTenant()
        let (tenant, clock) = (test.tenant, test.clock)
        func queue(_ kind: String, after seconds: Int64? = nil) async throws -> JobID {
            let now = clock.now()
            return try await tenant.database.write { session in
                try tenant.jobs.enqueue(
                    kind, payload: "{}", by: "test", runAt: seconds.map { now.adding(seconds: $0) }, session)
            }
        }
        let later = try await queue("later", after: 5 * 86_400)
        clock.advance(days: 10)
        let dead = try await queue("dead")
        let taken = try await tenant.database.write { session in
            try session.first(
                session.dialect.sql(sqlite: JobQueue.claimSQLite, postgres: JobQueue.claimPostgres),
                [.text("dead"), .time(clock.now().adding(seconds: JobQueue.leaseSeconds)), .time(clock.now())]
            ) { $0.int(0) }
        }
        #expect(taken == later.rawValue, "the oldest that is due")
        let waiting = try await queue("dead", after: 60)
        clock.advance(days: -10)
        let ran = Counter()
        let handler = JobHandler(kind: "dead") { _ in
            ran.add()
            return nil
        }
        let worker = JobWorker(
            queue: tenant.jobs,
            handlers: [
                handler,
                JobHandler(kind: "later") { _ in
                    ran.add(); return nil
                },
            ],
            wake: tenant.wake, owner: "heir", logger: Self.silent)
        #expect(try await !worker.runOne(), "all of it lies in the future")
        try await tenant.jobs.pullBack()
        for _ in 0..<2 { #expect(try await worker.runOne(), "what was made ahead is due") }
        #expect(try await !worker.runOne(), "a lease lasts half a minute more, for a worker that lives")
        clock.advance(seconds: JobQueue.leaseSeconds + 1)
        #expect(try await worker.runOne())
        #expect(ran.value == 3)
        for job in [dead, waiting, later] {
            let found = try await tenant.database.read { try tenant.jobs.job(job, $0) }
            #expect(found?.status == .succeeded, "\(String(describing: found))")
        }
        // What is meant for later stays there.
        _ = try await queue("dead", after: 5 * 86_400)
        try await tenant.jobs.pullBack()
        #expect(try await !worker.runOne())
    }

    @Test("a session and a delay from ahead of a clock that was set back hold nobody in and nobody out")
    func sessions() async throws {
        let test = try await TestTenant(["Identity"])
        let (tenant, clock) = (test.tenant, test.clock)
        let sessions = Sessions(tenant)
        let store = IdentitySessions(roles: RolePermissions([])) { _ in tenant }
        let user: UserID = try await tenant.database.write { session in
            let administrator = TestTenant.principal([], roles: [.administrator])
            return try Accounts(tenant).create(
                Accounts.Draft(name: "kim", roles: [.agent]), by: administrator, session
            ).0
        }
        func open() async throws -> String {
            try await tenant.database.write {
                try sessions.start(user, address: "127.0.0.1", agent: "?", replacing: nil, $0)
            }
        }
        func holds(_ token: String) async throws -> Bool {
            try await store.resume(token: token, tenant: "default", address: "127.0.0.1", requestID: "r") != nil
        }
        let now = try await open()
        clock.advance(days: 30)
        let ahead = try await open()
        #expect(try await holds(ahead))
        clock.advance(seconds: -120)
        #expect(try await holds(ahead), "clocks differ a little")
        clock.advance(days: -30)
        clock.advance(seconds: 180)
        #expect(try await !holds(ahead), "it would live for thirty days")
        #expect(try await holds(now))
        let listed = try await tenant.database.read { try sessions.list(user, current: nil, $0) }
        #expect(listed.count == 1)

        let keys = Throttle.Keys(name: "kim", address: "127.0.0.1", secret: tenant.keys.throttle)
        func isFree() async throws -> Bool {
            let now = clock.now()
            do {
                try await tenant.database.write { try Throttle.reserve(keys, known: false, now: now, $0) }
                return true
            } catch let error as CRMError where error.status == 429 { return false }
        }
        clock.advance(days: 30)
        for _ in 0..<6 { _ = try await isFree() }
        #expect(try await !isFree())
        clock.advance(days: -30)
        #expect(try await isFree(), "it would be locked out for thirty days")
        #expect(try await !isFree(), "and is slowed down as before")
    }

    private static let hasFaketime = FileManager.default.isExecutableFile(atPath: "/usr/bin/faketime")

    @Test(
        "a real process whose clock goes 30 days ahead and 31 back serves on, and its work goes on",
        .enabled(if: Self.hasFaketime, "libfaketime (Debian: faketime) is not installed"))
    func process() async throws {
        let place = try Installation()
        let file = place.folder + "/clock"
        func turn(_ offset: String) throws { try Data(offset.utf8).write(to: URL(fileURLWithPath: file)) }
        try turn("+0d")
        try place.user("kim")
        // The wrapper makes the library's shared memory (preloaded alone it changes the environment, behind which Swift
        // looks for the arguments); the time then comes from the file.
        let timers = try Self.trueTimers(in: place.folder)
        let (server, port) = try place.serve(
            wrapper: [
                "/usr/bin/faketime", "-m", "-f", "+0d", "/bin/sh", "-c",
                "unset FAKETIME; LD_PRELOAD=\(timers):$LD_PRELOAD exec \"$0\" \"$@\"",
            ],
            environment: [
                "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            ])
        let person = Person(port: port)
        let ledger = Ledger()
        var rng = SeededGenerator(seed: Drill.first)
        var days: [Int] = []
        var known: Set<Int64> = []
        for (number, offset) in ["+0d", "+30d", "-1d", "+0d"].enumerated() {
            try turn(offset)
            try person.logIn("kim")
            let before = ledger.told.acknowledged
            let over = Flag()
            let own = Person(port: port, like: person)
            let writer = Background { ledger.write(own, writer: 1, seed: UInt64(number)) { over.isSet } }
            let name = "C\(number)"
            ledger.makeFile(name, rows: 120, &rng)
            ledger.upload(name, by: Person(port: port, like: person))
            _ = await eventually(seconds: 20) { ledger.told.acknowledged > before + 5 }
            over.set()
            await writer.wait()
            #expect(server.isRunning, "\(server.text.suffix(500))")
            #expect(ledger.told.acknowledged > before + 5, "clock \(offset): \(ledger.told)")
            // Events left by a clock that was ahead are found by the upkeep of every half minute.
            let problems = try await KillTests.Round(seed: 0, place: place, ledger: ledger).settledAndVerified(
                whole: true)
            #expect(problems.isEmpty, "clock \(offset): \(problems.joined(separator: "; "))")
            days.append(try await created(place, besides: &known))
        }
        // The process did see the clock jump.
        #expect(days.count == 4 && days[1] - days[0] >= 29 && days[2] - days[1] <= -30, "\(days)")
        server.stop()
        Drill.report(
            "clock: real process", rounds: 4, "+30 d, -31 d, +1 d; \(ledger.summary)")
        await place.remove()
    }

    /// libfaketime moves the deadlines of monotonic timers with the wall clock, although it leaves that clock alone: with the
    /// clock back a day, everything that sleeps would wake a day later. This library, loaded before it, hands them through.
    private static func trueTimers(in folder: String) throws -> String {
        let (source, library) = (folder + "/timers.c", folder + "/timers.so")
        try Data(
            """
            #define _GNU_SOURCE
            #include <sys/syscall.h>
            #include <sys/timerfd.h>
            #include <unistd.h>
            int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
                return syscall(SYS_timerfd_settime, fd, flags, new, old);
            }
            """.utf8
        ).write(to: URL(fileURLWithPath: source))
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", library, source]
        try compiler.run()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "clang, which comes with Swift, makes the library")
        return library
    }

    /// The day on which the process says it made the customers that were not there before.
    private func created(_ place: Installation, besides known: inout Set<Int64>) async throws -> Int {
        let made = try await place.database().read { session in
            try session.query("SELECT id, created_at FROM customers_customer") { ($0.int(0), $0.int(1)) }
        }
        let new = made.filter { !known.contains($0.0) }
        known.formUnion(made.map(\.0))
        return Int((new.first?.1 ?? 0) / 86_400_000)
    }
}

/// An id of no kind in particular.
private typealias AnyID = ID<AnyKind>

extension Tenant {
    /// The audit log of a process of its own over the same database.
    fileprivate func audit(by ids: IDGenerator) -> Audit { Audit(ids: ids, clock: clock) }
}

/// A number several tasks count on.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0
    func add() { lock.withLock { number += 1 } }
    var value: Int { lock.withLock { number } }
}
