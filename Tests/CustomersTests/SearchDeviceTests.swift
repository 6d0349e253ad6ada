import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("search by what devices are called")
struct SearchDeviceTests {
    private static func desk(_ devices: [String]) async throws -> (RecordDesk, [CustomerID]) {
        let desk = try await RecordDesk()
        let ids = try await desk.bench.apply(
            devices.indices.map {
                ["source_id": .text("V\($0)"), "full_name": .text("某人"), "msisdn": .text("+86135550000\($0 + 10)")]
            }, source: "billing"
        ).compactMap(\.customer)
        try #require(ids.count == devices.count)
        let lines = devices.enumerated().map { ["msisdn": SQLValue.text("+86135550000\($0 + 10)"), "device": .text($1)] }
        let outcomes = try await desk.apply("lines", lines)
        #expect(outcomes.map(\.name).allSatisfy { $0.hasPrefix("updated") }, "\(outcomes)")
        return (desk, ids)
    }

    private static func find(_ query: String, _ desk: RecordDesk, _ principal: Principal = SearchTests.everybody) async throws
        -> [SearchMatch]
    {
        try await desk.tenant.database.read { try CustomerSearch.matches(query, limit: 20, principal, $0) }
    }

    private static let models = ["Apple iPhone 15 Pro", "华为 Mate 60", "华为手表 GT", "Xiaomi 14", "iPhone 14"]

    @Test(
        "brand, model, their beginnings and both together find the device, in either script and width",
        arguments: [
            ("iphone", [0, 4]), ("iPhone 15", [0]), ("iphone15", [0]), ("ＩＰＨＯＮＥ", [0, 4]), ("apple iph", [0]), ("pro 15", [0]),
            ("华为", [1, 2]), ("華為", [1, 2]), ("mate60", [1]), ("华为 mate", [1]), ("手表", [2]), ("xiaomi 14", [3]), ("Xia", [3]),
            ("mate 61", []), ("15", []), ("xiaomi 15", []), ("hone", []), ("galaxy", []),
        ] as [(String, [Int])])
    func words(query: String, expected: [Int]) async throws {
        let (desk, ids) = try await Self.desk(Self.models)
        let found = try await Self.find(query, desk).compactMap { match -> CustomerID? in
            if case .device = match.way { match.id } else { nil }
        }
        #expect(Set(found) == Set(expected.map { ids[$0] }), "\(found)")
        #expect(found.count == expected.count)
    }

    @Test("words of two devices of one customer are not one device; the hit names the one that was meant, in the group of devices")
    func meant() async throws {
        let (desk, ids) = try await Self.desk(["Pine X1"])
        _ = try await desk.apply(
            "lines",
            [["line_id": .text("L2"), "source_id": .text("V0"), "msisdn": .text("+8613555000099"), "device": .text("Quartz Z9")]])
        #expect(try await Self.find("pine z9", desk).isEmpty)
        #expect(try await Self.find("quartz", desk) == [SearchMatch(id: ids[0], way: .device("Quartz Z9"))])
        let who = TestTenant.principal([CustomerPermissions.view])
        let hits = try await desk.tenant.database.read { session in
            try CustomerSearch.source().find(
                "pine", 5,
                PanelRequest(
                    customers: [], principal: who, masking: Masking(who), language: .en, now: desk.tenant.clock.now(), assets: ""),
                session)
        }
        #expect(hits.map(\.group) == ["customers.search.devices"] && hits[0].subtitle.hasPrefix("Pine X1"))
        #expect(!hits[0].title.contains("某人"), "the name is masked for whom it is masked")
        try await SearchBench.requireSound(desk.tenant.database)
    }

    @Test("a device that changes is found by its new name only, customers out of reach are not found, and older bases are filled by the job")
    func upkeep() async throws {
        let (desk, ids) = try await Self.desk(["Pine X1", "Pine X1"])
        let (database, clock) = (desk.tenant.database, desk.bench.test.clock)
        _ = try await desk.apply("lines", [["msisdn": .text("+8613555000010"), "device": .text("Quartz Z9")]])
        #expect(try await Self.find("pine", desk).map(\.id) == [ids[1]])
        #expect(try await Self.find("quartz", desk).map(\.id) == [ids[0]])
        _ = try await desk.bench.apply([["source_id": .text("V1"), "region": .text("east")]], source: "billing")
        let eastern = TestTenant.principal([CustomerPermissions.view], regions: ["east"])
        #expect(try await Self.find("pine", desk, eastern).map(\.id) == [ids[1]])
        #expect(try await Self.find("quartz", desk, eastern).isEmpty)
        try await SearchBench.requireSound(database)
        try await database.write { session in
            try SearchIndex.put(ids.map { [.id($0), .text("mold")] }, session)
            try session.execute("INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (5, 0, 0, 0)")
        }
        #expect(try await Self.find("quartz", desk).isEmpty)
        let fill = NumberFill(database: database, clock: clock)
        #expect(try await fill.run() == 2)
        #expect(try await Self.find("quartz", desk).map(\.id) == [ids[0]])
        clock.advance(seconds: SearchFill.fullMinutes * 60)
        #expect(try await fill.run() == 0)
        #expect(try await desk.count("SELECT COUNT(*) FROM customers_search_state") == 0)
        try await SearchBench.requireSound(database)
    }
}
