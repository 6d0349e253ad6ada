import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// New customers are compared on a snapshot and settled later (ADR 0045): what happens in between counts.
@Suite("Matching behind the writing: customers")
struct CustomerSequelTests {
    private static let known = [
        "source_id": "B1", "full_name": "王小明", "phone": "+8613812345678", "birth_date": "1990-01-01",
    ]
    private static let same = [
        "source_id": "C1", "full_name": "王小明", "phone": "+8613812345678", "birth_date": "1990-01-01",
    ]

    /// An import of one transaction after another, whose steps a test calls itself.
    private final class Pass: @unchecked Sendable {
        let desk: MatchDesk
        let importer: any Importer

        init(_ desk: MatchDesk, as who: Principal? = nil) {
            self.desk = desk
            importer = desk.bench.target.importer(
                ImportOptions(matchKey: "source_id", source: "care", matches: true), principal: who ?? desk.bench.principal)
        }

        func write(_ values: [[String: String]]) async throws -> (ids: [CustomerID], sequel: any ImportSequel) {
            let rows = ImportBench.rows(values.map { $0.mapValues { .text($0) } })
            let (ids, sequel) = try await desk.tenant.database.write { [self] session in
                importer.begin()
                return (try importer.apply(rows, session).compactMap(\.customer), try importer.finish(session))
            }
            return (ids, try #require(sequel))
        }

        func look(_ sequel: any ImportSequel) async throws -> any ImportFinding {
            try await desk.tenant.database.read { try sequel.look($0) }
        }

        func settle(_ finding: any ImportFinding) async throws -> ImportMatches {
            try await desk.tenant.database.write { try finding.settle($0) }
        }
    }

    private func update(_ desk: MatchDesk, _ id: CustomerID, _ values: [String: String]) async throws {
        let (store, clerk) = (CustomerStore(tenant: desk.tenant), desk.bench.principal)
        _ = try await desk.tenant.database.write { session in
            let now = try #require(try CustomerLoader.records([id], session).first)
            return try store.update(
                id, edition: now.customer.edition, values.mapValues { .text($0) }, by: clerk, record: { _ in }, session)
        }
    }

    @Test("who was changed after the look is compared again")
    func changed() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.known]).ids[0]
        let pass = Pass(desk)
        let (ids, sequel) = try await pass.write([Self.same])
        let finding = try await pass.look(sequel)
        try await update(desk, known, ["full_name": "李大国", "birth_date": "1955-05-05", "phone": "+8613900000009"])
        #expect(try await pass.settle(finding) == ImportMatches())
        #expect(try await desk.set(ids[0]) == [ids[0]])
        #expect(try await desk.pair(known, ids[0]) == nil)
    }

    @Test("who is gone after the look is left out, and the others are linked all the same")
    func gone() async throws {
        let desk = try await MatchDesk()
        let first = try await desk.bring("billing", [Self.known])
        let other = try await desk.bring(
            "billing", [["source_id": "B2", "full_name": "Anna Schmidt", "email": "anna@example.com"]]
        ).ids[0]
        let pass = Pass(desk)
        let (ids, sequel) = try await pass.write([
            Self.same, ["source_id": "C2", "full_name": "Anna Schmidt", "email": "anna@example.com"],
        ])
        let finding = try await pass.look(sequel)
        #expect(try await desk.bench.revert([first.outcomes]).isEmpty)
        let matches = try await pass.settle(finding)
        #expect(matches.linked == 1 && matches.review == 0)
        #expect(try await desk.set(ids[0]) == [ids[0]])
        #expect(try await desk.set(ids[1]) == [other, ids[1]])
    }

    @Test("what a person has decided by then stays")
    func decided() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.known]).ids[0]
        let pass = Pass(desk)
        let (ids, sequel) = try await pass.write([Self.same])
        let finding = try await pass.look(sequel)
        try await desk.join(known, ids[0])
        try await desk.separate(known, ids[0])
        #expect(try await pass.settle(finding) == ImportMatches())
        #expect(try await desk.pair(known, ids[0])?.state == .apart)
        #expect(try await desk.set(ids[0]) == [ids[0]])
    }

    @Test("who has moved out of reach by then is not touched")
    func outOfReach() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring("billing", [Self.known.merging(["region": "North"]) { $1 }]).ids[0]
        let north = TestTenant.principal(
            Array(desk.bench.principal.permissions), regions: ["North"])
        let pass = Pass(desk, as: north)
        let (ids, sequel) = try await pass.write([Self.same.merging(["region": "North"]) { $1 }])
        let finding = try await pass.look(sequel)
        try await update(desk, known, ["region": "South"])
        #expect(try await pass.settle(finding) == ImportMatches())
        #expect(try await desk.set(ids[0]) == [ids[0]])
        let (more, next) = try await pass.write([
            Self.same.merging(["source_id": "C2", "region": "North"]) { $1 }
        ])
        let matches = try await pass.settle(try await pass.look(next))
        #expect(matches.linked == 1, "those within reach are")
        #expect(try await desk.set(more[0]) == [ids[0], more[0]])
    }

    @Test("of two transactions the later one's customers look for the earlier one's, whatever the snapshot had")
    func order() async throws {
        let desk = try await MatchDesk()
        _ = try await desk.bring("billing", [["source_id": "B9", "full_name": "赵钱孙"]])
        let pass = Pass(desk)
        let (one, first) = try await pass.write([Self.same])
        let (two, second) = try await pass.write([Self.same.merging(["source_id": "C2"]) { $1 }])
        // Both snapshots have both.
        let (early, late) = (try await pass.look(first), try await pass.look(second))
        #expect(try await pass.settle(early) == ImportMatches())
        let matches = try await pass.settle(late)
        #expect(matches.linked == 1 && matches.review == 0)
        #expect(try await desk.set(one[0]) == [one[0], two[0]])
        #expect(try await desk.bench.count("SELECT COUNT(*) FROM customers_match_pair") == 1)
    }

    @Test("whoever goes on with an import finds the same", arguments: [5, 8])
    func again(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let names = ["王小明", "李四", "Anna Schmidt", "欧阳修文"]
        let rows = (0..<60).map { index in
            [
                "source_id": "C\(index)", "full_name": names.randomElement(using: &random) ?? "",
                "phone": "+86138000000\(Int.random(in: 10..<25, using: &random))",
                "birth_date": "1980-05-1\(Int.random(in: 0..<4, using: &random))",
            ]
        }
        func links(_ desk: MatchDesk, _ ids: [CustomerID]) async throws -> [[Int]] {
            let place = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
            var sets: Set<[Int]> = []
            for id in ids { sets.insert(try await desk.set(id).compactMap { place[$0] }.sorted()) }
            return sets.sorted { $0[0] < $1[0] }
        }
        let straight = try await MatchDesk()
        let whole = try await straight.bring("care", rows)
        let desk = try await MatchDesk()
        try await desk.bench.target.prepare(
            ImportOptions(matchKey: "source_id", source: "care", matches: true)) { _, _, _ in }
        let (ids, _) = try await Pass(desk).write(rows)
        let other = Pass(desk)
        let sequel = try await desk.tenant.database.write { session in
            try other.importer.sequel(created: ids, updated: [], session)
        }
        let matches = try await other.settle(try await other.look(try #require(sequel)))
        #expect(matches == whole.matches && matches.linked > 5, "seed \(seed)")
        let (found, wanted) = (try await links(desk, ids), try await links(straight, whole.ids))
        #expect(found == wanted)
        // A second time joins nobody else.
        let twice = try await desk.tenant.database.write { session in
            try other.importer.sequel(created: ids, updated: [], session)
        }
        #expect(try await other.settle(try await other.look(try #require(twice))).linked == 0)
        let after = try await links(desk, ids)
        #expect(after == wanted)
    }
}
