import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Usage

/// How many events wait is counted where they come and go, not when somebody looks.
@Suite("Events of unknown lines")
struct WaitingTests {
    private func counted(_ world: UsageWorld) async throws -> [String] {
        try await world.test.tenant.database.read { session in
            try session.query("SELECT naming, line, events FROM usage_waiting ORDER BY naming, line, source_id") {
                "\($0.text(0)) \($0.text(1)) \($0.int(2))"
            }
        }
    }

    /// Whether the counts are what is there.
    private func check(_ world: UsageWorld, _ words: String) async throws {
        let off = try await world.test.tenant.database.read { session in
            try session.query(
                """
                SELECT s.name, s.waiting, (SELECT COUNT(*) FROM usage_unmatched u WHERE u.source_id = s.id),
                  (SELECT CAST(COALESCE(SUM(w.events), 0) AS BIGINT) FROM usage_waiting w WHERE w.source_id = s.id)
                FROM usage_source s
                """
            ) { ($0.text(0), $0.int(1), $0.int(2), $0.int(3)) }
        }
        for (name, own, there, lines) in off { #expect(own == there && lines == there, "\(words): \(name) \(own) \(there) \(lines)") }
        let lines = try await world.test.tenant.database.read { session in
            try session.query(
                "SELECT naming, line, COUNT(*) FROM usage_unmatched GROUP BY source_id, naming, line ORDER BY naming, line, source_id"
            ) { "\($0.text(0)) \($0.text(1)) \($0.int(2))" }
        }
        #expect(try await counted(world) == lines, "\(words)")
    }

    @Test("the counts are those of the events that wait: new, corrected, cancelled, counted at last, let go")
    func counts() async throws {
        let world = try await UsageWorld()
        let head = "id,version,cancel,number,kind,start,seconds\n"
        func day(_ row: String) -> String { row.replacingOccurrences(of: "D", with: "2026-02-20 10:00:00") }
        let a = try world.write(
            "a.csv",
            head + day("1,0,,13000000001,voice,D,5\n2,0,,13000000001,voice,D,5\n3,0,,13000000002,voice,D,5\n4,0,,13000000003,voice,D,5\n"))
        _ = try await world.take(a)
        try await check(world, "new")
        #expect(try await counted(world).map { String($0.suffix(2)) } == [" 2", " 1", " 1"])
        _ = try await world.take(a, source: "other")
        try await check(world, "another source")
        // One moves to another line, one never was, one is sent again.
        let b = try world.write(
            "b.csv", head + day("2,1,,13000000002,voice,D,7\n3,1,1,13000000002,voice,D,5\n4,0,,13000000003,voice,D,5\n"))
        _ = try await world.take(b)
        try await check(world, "corrected and cancelled")
        #expect(try await world.count("SELECT SUM(waiting) FROM usage_source") == 7)
        try await world.customer("+8613000000001")
        _ = try await world.service.replay()
        try await check(world, "counted at last")
        #expect(try await world.count("SELECT SUM(waiting) FROM usage_source") == 4)
        #expect(!(try await counted(world).contains { $0.contains("13000000001") }), "who waits no more is not listed")
        world.test.clock.advance(days: 46)
        _ = try await world.service.upkeep()
        try await check(world, "let go")
        #expect(try await counted(world).isEmpty)
    }

    @Test("a source has each event once, though it waited, was corrected, came again, and its ids were merged")
    func eventsOfSource() async throws {
        let world = try await UsageWorld()
        let head = "id,version,number,kind,start,seconds\n"
        func rows(_ version: Int, _ number: String = "13000000001", _ ids: ClosedRange<Int> = 1...9) -> String {
            head + ids.map { "\($0),\(version),\(number),voice,2026-02-20 10:00:00,\(60 + version)\n" }.joined()
        }
        func known() async throws -> Int {
            try await world.count("SELECT CAST(COALESCE(SUM(entries), 0) AS BIGINT) FROM usage_block")
        }
        _ = try await world.take(try world.write("a.csv", rows(0)))
        #expect(try await known() == 9)
        try await world.customer("+8613000000001")
        _ = try await world.service.replay()
        #expect(try await known() == 9, "they waited, and were counted when their customer came")
        for version in 1...8 {
            _ = try await world.take(try world.write("v\(version).csv", rows(version)))
        }
        #expect(try await known() == 9, "corrected")
        _ = try await world.take(try world.write("b.csv", rows(0, "13000000001", 5...20)))
        #expect(try await known() == 20, "eleven of sixteen are new")
        _ = try await world.service.upkeep()
        #expect(try await known() == 20, "merged")
        #expect(try await world.count("SELECT COUNT(*) FROM usage_block") < 8)
    }

    @Test("of a file that was given again the file of refused rows has each row once, as the last run refused it")
    func refusedOnce() async throws {
        let world = try await UsageWorld()
        let head = "id,number,kind,start,seconds\n"
        let again = try world.write("a.csv", head + "1,13000000001,voice,2026-02-30 10:00:00,5\n")
        let other = try world.write("b.csv", head + "2,13000000001,voice,2026-02-31 10:00:00,5\n")
        for path in [again, other, again] { _ = try await world.take(path) }
        _ = try await world.take(again, source: "t")
        #expect(try await world.count("SELECT COUNT(*) FROM usage_reject") == 4)
        let next = UsageExport.pieces(
            .rejected, run: nil, masking: Masking(UsageWorld.principal), zone: 480, world.test.tenant.database)
        var text = ""
        while let piece = try await next() { text += String(decoding: piece, as: UTF8.self) }
        let files = text.split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",").prefix(2).joined(separator: " ")
        }
        #expect(files.sorted() == ["s a.csv", "s b.csv", "t a.csv"])
    }

    @Test("the file of refused rows has the event's id, also where only its number is none; who may not see numbers is given none")
    func refusedIDs() async throws {
        let world = try await UsageWorld()
        let head = "id,number,kind,start,seconds\n"
        let rows = "E-1,13000000001,voice,2026-02-30 10:00:00,5\n E-2 ,nobody,voice,2026-02-20 10:00:00,5\n,13000000001,voice,2026-02-20 10:00:00,5\n"
        _ = try await world.take(try world.write("a.csv", head + "E-0,13000000001,voice,2026-02-20 10:00:00,5\n" + rows))
        func text(_ principal: Principal) async throws -> [String] {
            let next = UsageExport.pieces(
                .rejected, run: nil, masking: Masking(principal), zone: 480, world.test.tenant.database)
            var text = ""
            while let piece = try await next() { text += String(decoding: piece, as: UTF8.self) }
            return text.split(whereSeparator: \.isNewline).map(String.init)
        }
        let all = try await text(TestTenant.principal([UsageService.permission, Masking.seeContacts]))
        #expect(all.count == 4 && all[0].contains("line_of_file,event_id,column"), "\(all)")
        #expect(all[1].contains(",3,E-1,") && all[2].contains(",4,E-2,") && all[3].contains(",5,,"), "\(all)")
        let few = try await text(TestTenant.principal([UsageService.permission]))
        #expect(few.count == 4 && !few.contains { $0.contains("E-1") || $0.contains("E-2") }, "\(few)")
    }

    @Test("counts that an older process left behind are mended by upkeep")
    func mended() async throws {
        let world = try await UsageWorld()
        let path = try world.write(
            "a.csv", "id,number,kind,start,seconds\n1,13000000001,voice,2026-02-20 10:00:00,5\n")
        _ = try await world.take(path)
        try await world.test.tenant.database.write { session in
            try session.execute(
                """
                INSERT INTO usage_unmatched (source_id, fingerprint, naming, line, event, arrived_at)
                SELECT source_id, 77, naming, 'x', event, arrived_at FROM usage_unmatched
                """)
        }
        _ = try await world.service.upkeep()
        try await check(world, "mended")
        #expect(try await counted(world).count == 2)
    }

    @Test(
        "what the page and the files of waiting events read is found by an index, however much waits",
        arguments: ["most", "unmatched", "rejected", "unmatched of a run", "rejected of a run"])
    func plans(_ name: String) async throws {
        let place: [SQLValue] = [.int(0), .int(-5), .int(10)]
        let statements: [String: (SQL, [SQLValue])] = [
            "most": (UsageWaiting.most, [.int(50)]), "unmatched": (UsageExport.waiting, place),
            "rejected": (UsageExport.rejects, place), "unmatched of a run": (UsageExport.waitingOfRun, place + [.int(7)]),
            "rejected of a run": (UsageExport.rejectsOfRun, place + [.int(7)]),
        ]
        let (sql, arguments) = try #require(statements[name])
        let world = try await UsageWorld()
        let plan = try await world.test.tenant.database.write { session -> [String] in
            guard session.dialect == .postgres else {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + sql.text), arguments) { $0.text(3) }
            }
            try session.execute("SET LOCAL enable_seqscan = off")
            try session.execute("SET LOCAL enable_sort = off")
            try session.execute("SET LOCAL enable_hashjoin = off")
            return try session.query(SQL(trusted: "EXPLAIN " + sql.text), arguments) { $0.text(0) }
        }
        let text = plan.joined(separator: "; ")
        #expect(!text.contains("Seq Scan") && !text.contains("TEMP B-TREE") && !text.contains("Sort "), "\(text)")
        if name == "most" { #expect(text.contains("usage_waiting_most"), "\(text)") }
    }
}
