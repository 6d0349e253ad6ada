import Foundation
import Kernel
import TestSupport
import Testing

@testable import Storage
@testable import StoragePostgres

/// Months as numbers: no database.
@Suite("Months of growth tables")
struct GrowthMonthTests {
    @Test(
        "a month begins with the first id that can be made in it",
        arguments: [
            (1_704_067_200_000, "2024-01", Int64(0)), (1_772_409_600_000, "2026-03", (1_772_323_200_000 - 1_704_067_200_000) << 22),
            (1_735_689_599_999, "2024-12", (1_733_011_200_000 - 1_704_067_200_000) << 22),
        ] as [(Int64, String, Int64)])
    func ids(milliseconds: Int64, text: String, first: Int64) {
        let month = GrowthMonth(Instant(milliseconds: milliseconds))
        #expect(month.description == text && GrowthMonth(text) == month)
        #expect(month.firstID == first)
        let clock = FrozenClock(month.adding(1).start)
        let id: ID<AnyKind> = IDGenerator(node: 0, clock: clock).next()
        #expect(id.rawValue == month.adding(1).firstID, "the first id of the next month is its bound")
        let last: ID<AnyKind> = IDGenerator(node: 1023, clock: FrozenClock(month.adding(1).start.adding(milliseconds: -1)))
            .next()
        #expect(last.rawValue < month.adding(1).firstID && last.rawValue >= month.firstID)
    }

    @Test("what is no month is none", arguments: ["", "2026", "2026-13", "2026-1", "abcd-01", "2026/01", "202601"])
    func none(text: String) { #expect(GrowthMonth(text) == nil) }

    @Test("December is followed by January, and a month's end is exact in a leap year")
    func turns() throws {
        let december = try #require(GrowthMonth("2027-12"))
        #expect(december.adding(1).description == "2028-01" && december.adding(-12).suffix == "202612")
        let february = try #require(GrowthMonth("2028-02-29"))
        #expect(february.adding(1).start.iso8601 == "2028-03-01T00:00:00.000Z")
        #expect(february.adding(1).start.milliseconds - february.start.milliseconds == 29 * 86_400_000)
    }

    @Test("a month is over so many days after its end, not a millisecond earlier")
    func over() throws {
        let growth = Growth(by: .id("id"), .dropped(afterDays: 7, except: nil))
        let month = try #require(GrowthMonth("2026-03"))
        let end = try #require(GrowthMonth("2026-04")).start.adding(days: 7)
        #expect(!growth.isOver(month, at: end.adding(milliseconds: -1)) && growth.isOver(month, at: end))
        #expect(!Growth(by: .id("id"), .kept).isOver(month, at: end.adding(days: 10_000)))
        let audit = Growth(by: .id("id"), .exported(afterMonths: 36))
        #expect(!audit.isExportable(month, at: try #require(GrowthMonth("2029-03")).start))
        #expect(audit.isExportable(month, at: try #require(GrowthMonth("2029-04")).start))
        #expect(!audit.isOver(month, at: end.adding(days: 10_000)), "the product never drops audit")
    }
}

/// The months of Storage's own growth tables on a PostgreSQL of its own.
@Suite("Months on PostgreSQL", .enabled(if: TestDatabases.server != nil, "no PostgreSQL: bin/with-postgres"))
struct PostgresMonthsTests {
    private let layouts = StorageLayouts.all

    private func months(_ clock: FrozenClock) -> PostgresMonths { PostgresMonths(layouts, clock: clock) }

    private func partitions(_ bench: Bench, _ table: String) async throws -> [String] {
        try await bench.database.read { session in
            try session.query(
                """
                SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = $1 ORDER BY c.relname
                """, [.text(table)]
            ) { $0.text(0).replacing(table + "_", with: "") }
        }
    }

    static let event: SQL = """
        INSERT INTO storage_outbox_event (id, type, payload, created_at, status, attempts, next_attempt_at)
        VALUES ($1, 'x', '{}', $2, $3, 0, $2)
        """
    static let receipt: SQL = "INSERT INTO storage_outbox_receipt (event_id, handler, handled_at) VALUES ($1, 'h', 0)"

    private func put(_ bench: Bench, _ month: String, _ status: String, receipt: Bool = true) async throws -> Int64 {
        let at = try #require(GrowthMonth(month)).start.adding(days: 3)
        let id = GrowthMonth.firstID(at: at) + Int64.random(in: 0..<4_000)
        try await bench.database.write { session in
            try session.execute(Self.event, [.int(id), .time(at), .text(status)])
            if receipt { try session.execute(Self.receipt, [.int(id)]) }
        }
        return id
    }

    private func all(_ bench: Bench, in part: SQL = "storage_outbox_event") async throws -> Set<Int64> {
        Set(try await bench.database.read { try $0.query("SELECT id FROM \(part)") { $0.int(0) } })
    }

    @Test("months are made ahead, once; the next upkeep finds nothing to do")
    func ahead() async throws {
        let bench = try await Bench(.postgres)
        #expect(try await bench.database.read { try months(bench.clock).isDue($0) })
        let report = try await months(bench.clock).keep(bench.database)
        let made = ["2026-03", "2026-04", "2026-05", "2026-06"]
        #expect(report.tables.map(\.name) == ["storage_outbox_receipt", "storage_outbox_event"])
        #expect(report.tables.allSatisfy { $0.made.map(\.description) == made && $0.moved == 0 && $0.strays == 0 })
        #expect(
            try await partitions(bench, "storage_outbox_event") == ["202603", "202604", "202605", "202606", "default"])
        #expect(try await !bench.database.read { try months(bench.clock).isDue($0) })
        let again = try await months(bench.clock).keep(bench.database)
        #expect(again.tables.allSatisfy { $0.made.isEmpty && $0.dropped.isEmpty })
        bench.clock.advance(days: 31)
        #expect(try await bench.database.read { try months(bench.clock).isDue($0) })
        #expect(
            try await months(bench.clock).keep(bench.database).tables.allSatisfy {
                $0.made.map(\.description) == ["2026-07"]
            })
    }

    @Test("six processes that keep the months at the same moment make each once")
    func together() async throws {
        let bench = try await Bench(.postgres)
        let settings = try #require(bench.database as? PostgresDatabase).settings
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                let database = PostgresDatabase(settings)
                group.addTask {
                    let report = try await months(bench.clock).keep(database)
                    try await database.close()
                    return report.tables.reduce(0) { $0 + $1.made.count + $1.postponed.count }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(made >= 8)
        #expect(try await partitions(bench, "storage_outbox_event").count == 5)
        #expect(try await !bench.database.read { try months(bench.clock).isDue($0) })
    }

    @Test("a row outside of every month is written, found, told, and moved once its month is made; the far future stays told")
    func outside() async throws {
        let bench = try await Bench(.postgres)
        _ = try await months(bench.clock).keep(bench.database)
        let early = try await put(bench, "2025-11", "pending"), soon = try await put(bench, "2026-08", "pending")
        let far = try await put(bench, "2041-01", "pending")
        #expect(try await all(bench) == [early, soon, far])
        #expect(try await all(bench, in: "storage_outbox_event_default") == [early, soon, far])
        let found = try await bench.database.read { try months(bench.clock).inspect($0) }
        #expect(found.missing.isEmpty && found.waiting.isEmpty)
        // November's time is over: a pending event may stay where it is, and nobody has to look at it.
        #expect(found.strays == ["storage_outbox_event": 2, "storage_outbox_receipt": 2])
        bench.clock.advance(days: 100)
        let waiting = try await bench.database.read { try months(bench.clock).inspect($0) }
        #expect(waiting.waiting == ["storage_outbox_event": 1, "storage_outbox_receipt": 1])
        #expect(waiting.missing.count == 2 && waiting.strays["storage_outbox_event"] == 1)
        let report = try await months(bench.clock).keep(bench.database)
        #expect(report.tables.allSatisfy { $0.moved == 1 && $0.strays == 1 }, "\(report)")
        #expect(try await all(bench) == [early, soon, far])
        #expect(try await all(bench, in: "storage_outbox_event_202608") == [soon])
        #expect(try await all(bench, in: "storage_outbox_event_default") == [early, far])
    }

    @Test("a month whose time is over is dropped whole; what waits or stands aside stays, with its receipts, and is not delivered twice")
    func dropped() async throws {
        let bench = try await Bench(.postgres)
        _ = try await months(bench.clock).keep(bench.database)
        let done = try await put(bench, "2026-03", "done"), dismissed = try await put(bench, "2026-03", "dismissed")
        let parked = try await put(bench, "2026-03", "parked"), pending = try await put(bench, "2026-03", "pending")
        let young = try await put(bench, "2026-04", "done")
        // 2026-03-02 + 36 days = 7 April, 00:00 less one day: not yet over.
        bench.clock.advance(days: 36)
        #expect(try await months(bench.clock).keep(bench.database).tables.allSatisfy { $0.dropped.isEmpty })
        #expect(try await all(bench).count == 5)
        bench.clock.advance(days: 1)
        let report = try await months(bench.clock).keep(bench.database)
        #expect(report.tables.allSatisfy { $0.dropped.map(\.description) == ["2026-03"] && $0.strays == 0 }, "\(report)")
        #expect(try await all(bench) == [parked, pending, young])
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_receipt") == 3)
        #expect(try await !partitions(bench, "storage_outbox_event").contains("202603"))
        _ = (done, dismissed)
        // The receipt stayed: the handler is not called again for the event that was pending.
        let calls = Tally()
        let handler = EventHandler(name: "h", SeveralProcessesTests.Happened.self) { _, _ in calls.add() }
        try await bench.database.write { session in
            _ = try session.execute("UPDATE storage_outbox_event SET type = 'test.thing.happened', payload = '{\"number\":1}'")
        }
        try await OutboxDispatcher(database: bench.database, handlers: [handler], clock: bench.clock).deliverBatch()
        #expect(calls.count == 0)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_event WHERE status = 'pending'") == 0)
        // Delivered now, it is forgotten like all that lies outside of the months.
        bench.clock.advance(days: 60)
        try await OutboxDispatcher(database: bench.database, handlers: [], clock: bench.clock).expire()
        #expect(try await all(bench, in: "storage_outbox_event_default") == [parked])
    }

    @Test("while months are made and filled, events are appended and delivered: none is lost, none is doubled")
    func underWork() async throws {
        let bench = try await Bench(.postgres)
        let settings = try #require(bench.database as? PostgresDatabase).settings
        try await bench.create("CREATE TABLE effect (number BIGINT NOT NULL)")
        let handler = EventHandler(name: "effect", SeveralProcessesTests.Happened.self) { event, session in
            try session.execute(SeveralProcessesTests.effect, [.int(event.number)])
        }
        let appended = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                let database = PostgresDatabase(settings)
                group.addTask {
                    // Ids of eight months, so that upkeep finds some in the default partition whenever it looks.
                    for number in 0..<40 {
                        let clock = FrozenClock(bench.clock.now().adding(days: Int64(-30 * (number % 8))))
                        let outbox = Outbox(
                            ids: IDGenerator(node: 100 + writer * 40 + number, clock: clock), clock: clock,
                            wake: WakeSignal())
                        let event = SeveralProcessesTests.Happened(number: 1_000 * writer + number)
                        try await database.write { try outbox.append(event, $0) }
                        appended.add()
                    }
                    try await database.close()
                }
            }
            group.addTask {
                let dispatcher = OutboxDispatcher(database: bench.database, handlers: [handler], clock: bench.clock)
                while appended.count < 160 {
                    try Task.checkCancellation()
                    try await dispatcher.deliverBatch()
                }
            }
            group.addTask {
                let database = PostgresDatabase(settings)
                let kept = StorageLayouts.all.compactMap { layout in
                    layout.growth.map { TableLayout(layout.table, .local, growth: Growth(by: $0.column, .kept)) }
                }
                while appended.count < 160 {
                    try Task.checkCancellation()
                    _ = try await PostgresMonths(kept, clock: bench.clock).keep(database)
                }
                _ = try await PostgresMonths(kept, clock: bench.clock).keep(database)
                try await database.close()
            }
            try await group.waitForAll()
        }
        // What a claim did not see because it was being moved, or was claimed and not delivered, comes due like any other.
        bench.clock.advance(seconds: OutboxDispatcher.claimSeconds + 1)
        let dispatcher = OutboxDispatcher(database: bench.database, handlers: [handler], clock: bench.clock)
        while try await dispatcher.deliverBatch() > 0 {}
        #expect(try await bench.count("SELECT COUNT(*) FROM effect") == 160)
        #expect(try await bench.count("SELECT COUNT(DISTINCT number) FROM effect") == 160)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_event WHERE status = 'done'") == 160)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_event_default") == 0)
    }

    @Test("who holds the table is not waited for long: the month is postponed, and made when the table is free")
    func postponed() async throws {
        let bench = try await Bench(.postgres)
        let settings = try #require(bench.database as? PostgresDatabase).settings
        let other = PostgresDatabase(settings)
        let (release, holding) = (DispatchSemaphore(value: 0), Tally())
        async let holder: Void = other.write { session in
            try session.execute("LOCK TABLE storage_outbox_event_default IN ROW EXCLUSIVE MODE")
            holding.add()
            release.wait()
        }
        #expect(await eventually { holding.count == 1 })
        let event = try await months(bench.clock).keep(bench.database).tables.last
        release.signal()
        try await holder
        #expect(event?.made.isEmpty == true && event?.postponed.count == 4, "\(String(describing: event))")
        let again = try await months(bench.clock).keep(bench.database).tables.last
        #expect(again?.made.count == 4 && again?.postponed.isEmpty == true)
        try await other.close()
    }

    @Test("a database with rows from before is converted without losing or copying one, and its rows find their months")
    func before() async throws {
        let bench = try await Bench(.postgres, migrated: false)
        let folder = try Bench.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let old = folder + "/Storage/Migrations"
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
        let files = Checkout.share.names("Storage", "Migrations", suffix: ".sql")
        for file in files where file < "0005" {
            try Checkout.share.text("Storage", "Migrations", file).write(
                toFile: old + "/" + file, atomically: true, encoding: .utf8)
        }
        let share = ShareFolder(root: folder)
        try await Migrator(share: share, modules: ["Storage"], clock: bench.clock).migrate(bench.database)
        var events: Set<Int64> = []
        for month in ["2025-12", "2026-02", "2026-03", "2026-03", "2026-09"] {
            events.insert(try await put(bench, month, "pending"))
        }
        let filed = try await bench.count("SELECT CAST(relfilenode AS BIGINT) FROM pg_class WHERE relname = 'storage_outbox_event'")

        try await Migrator(share: Checkout.share, modules: ["Storage"], clock: bench.clock).migrate(bench.database)
        #expect(try await all(bench) == events)
        #expect(try await all(bench, in: "storage_outbox_event_default") == events)
        let file = try await bench.count(
            "SELECT CAST(relfilenode AS BIGINT) FROM pg_class WHERE relname = 'storage_outbox_event_default'")
        #expect(file == filed, "the same file on disk: no row was copied")

        let report = try await months(bench.clock).keep(bench.database)
        #expect(try await all(bench) == events)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_receipt") == 5)
        // Of December, whose time is over, and of September, which is far, nothing is moved.
        #expect(report.tables.allSatisfy { $0.moved == 3 }, "\(report)")
        #expect(try await all(bench, in: "storage_outbox_event_202603").count == 2)
        // The rows are still found by their keys, and no key can be given twice.
        let any = try #require(events.first)
        await #expect(throws: StorageError.self) {
            try await bench.database.write { _ = try $0.execute(Self.event, [.int(any), .int(0), .text("done")]) }
        }
    }

    @Test("with two years of months a known event is looked for in its own month only, and what is due is found by index")
    func plans() async throws {
        let bench = try await Bench(.postgres)
        let wide = Growth(by: .id("id"), .kept, monthsAhead: 3, monthsBehind: 21)
        let receipts = Growth(by: .id("event_id"), .kept, monthsAhead: 3, monthsBehind: 21)
        let many = [
            TableLayout("storage_outbox_event", .local, growth: wide),
            TableLayout("storage_outbox_receipt", .local, growth: receipts),
        ]
        _ = try await PostgresMonths(many, clock: bench.clock).keep(bench.database)
        #expect(try await partitions(bench, "storage_outbox_event").count == 26)
        let id = SQLValue.int(try #require(GrowthMonth("2026-02")).firstID + 7)
        for statement in [OutboxDispatcher.finish] {
            let plan = try await plan(bench, statement, [id])
            #expect(plan.contains("storage_outbox_event_202602") && !plan.contains("202601"), "\(plan)")
        }
        let claim = try await plan(
            bench, OutboxDispatcher.claimPostgres, [.int(0), .int(100), .int(60_000)])
        #expect(!claim.contains("Seq Scan"), "\(claim)")
        #expect(claim.contains("storage_outbox_event_202602_next_attempt_at_id_idx"), "\(claim)")
        let expiry = try await plan(
            bench, OutboxDispatcher.expire,
            [.int(0), .int(try #require(GrowthMonth("2024-08")).firstID)])
        #expect(expiry.contains("storage_outbox_event_202407") && !expiry.contains("202409"), "\(expiry)")
    }

    private func plan(_ bench: Bench, _ sql: SQL, _ arguments: [SQLValue]) async throws -> String {
        try await bench.database.write { session in
            // Tables without rows are read whole by choice: what is asked is whether they need be.
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return try session.query(SQL(trusted: "EXPLAIN " + sql.text), arguments) { $0.text(0) }
        }.joined(separator: "\n")
    }
}
