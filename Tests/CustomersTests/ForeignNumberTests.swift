import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// What a known customer's row says of numbers of others, and of another city.
@Suite("Numbers of others and moves in an import")
struct ForeignNumberTests {
    private static let one = "+8613620000001"
    private static let two = "+8613620000002"

    private func record(_ desk: MatchDesk, _ id: CustomerID) async throws -> CustomerRecord {
        try #require(try await desk.tenant.database.read { try CustomerLoader.records([id], $0) }.first)
    }

    private func numbers(_ record: CustomerRecord) -> [String?] { record.subscriptions.map(\.msisdn) }

    private func twoPeople(_ desk: MatchDesk) async throws -> [CustomerID] {
        try await desk.bring(
            "shop",
            [
                ["source_id": "S1", "full_name": "甲一乙", "msisdn": Self.one, "plan": "A", "monthly_charge": "10"],
                ["source_id": "S2", "full_name": "丙二丁", "msisdn": Self.two],
            ]
        ).ids
    }

    @Test("the number of somebody else is a contact, and the customer's own line keeps its number")
    func keepsLine() async throws {
        let desk = try await MatchDesk()
        let ids = try await twoPeople(desk)
        let outcome = try #require(
            try await desk.bring("shop", [["source_id": "S1", "full_name": "甲一乙", "msisdn": Self.two, "plan": "B"]]).outcomes.first)
        let first = try await record(desk, ids[0])
        #expect(numbers(first) == [Self.one] && first.subscriptions.first?.plan == "B")
        #expect(first.contacts.contains { $0.kind == .phone && $0.value == Self.two })
        #expect(numbers(try await record(desk, ids[1])) == [Self.two])
        for (number, id) in zip([Self.one, Self.two], ids) {
            let key = Identifier.msisdn(number)
            #expect(try await desk.tenant.database.read { try IdentifierStore.owners([key], $0)[key] } == id)
        }
        guard case .updated(_, _, let undo) = outcome else {
            Issue.record("not updated: \(outcome)")
            return
        }
        let (target, who) = (desk.bench.target, desk.bench.principal)
        _ = try await desk.tenant.database.write { try target.revertUpdated([(ids[0], undo: undo)], principal: who, $0) }
        let back = try await record(desk, ids[0])
        #expect(numbers(back) == [Self.one] && back.subscriptions.first?.plan == "A" && back.contacts.isEmpty)
    }

    @Test("of two who bring each other's number neither loses a line, whichever comes first")
    func swapped() async throws {
        for isTurned in [false, true] {
            let desk = try await MatchDesk()
            let ids = try await twoPeople(desk)
            let rows = [["source_id": "S1", "msisdn": Self.two], ["source_id": "S2", "msisdn": Self.one]]
            _ = try await desk.bring("shop", isTurned ? rows.reversed() : rows)
            #expect(numbers(try await record(desk, ids[0])) == [Self.one])
            #expect(numbers(try await record(desk, ids[1])) == [Self.two])
        }
    }

    @Test("a number that is free by now is the line's new one, also when a row before gave it up")
    func free() async throws {
        let desk = try await MatchDesk()
        let ids = try await twoPeople(desk)
        _ = try await desk.bring(
            "shop", [["source_id": "S2", "msisdn": "+8613620000003"], ["source_id": "S1", "msisdn": Self.two]])
        #expect(numbers(try await record(desk, ids[0])) == [Self.two])
        #expect(numbers(try await record(desk, ids[1])) == ["+8613620000003"])
    }

    @Test(
        "whoever moves to a city of another region moves with it, unless the region said something else",
        arguments: [
            ("北京市", nil, "广州市", "广东"), ("北京市", "上海", "广州市", "上海"), ("北京市", nil, "Springfield", "北京"), ("Springfield", "北京", "广州市", "北京"),
        ] as [(String, String?, String, String)])
    func moves(from: String, region: String?, to: String, becomes: String) async throws {
        let desk = try await MatchDesk()
        var row = ["source_id": "M1", "full_name": "司马迁徙", "city": from]
        row["region"] = region
        let id = try await desk.bring("shop", [row]).ids[0]
        #expect(try await record(desk, id).customer.region == region ?? "北京")
        _ = try await desk.bring("shop", [["source_id": "M1", "full_name": "司马迁徙", "city": to]])
        let moved = try await record(desk, id)
        #expect(moved.customer.region == becomes && moved.customer.city == to)
        _ = try await desk.bring("shop", [["source_id": "M1", "full_name": "司马迁徙", "city": to]])
        #expect(try await record(desk, id).customer.region == becomes)
    }
}
