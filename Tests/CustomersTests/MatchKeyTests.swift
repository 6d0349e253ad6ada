import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// The keys under which customers wait to be found, and their filling.
@Suite("Match keys")
struct MatchKeyTests {
    @Test("customers from before are found once the index is filled, however often it is filled")
    func fill() async throws {
        let desk = try await MatchDesk()
        let old = try await desk.bench.apply([ResolutionTests.billing.mapValues { .text($0) }], source: "billing")
        #expect(try await desk.bench.count("SELECT COUNT(*) FROM customers_match_key") == 0)
        let brought = try await desk.bring("care", [ResolutionTests.care])
        #expect(brought.matches.linked == 1)
        #expect(try await desk.set(brought.ids[0]) == [brought.ids[0], old[0].customer])
        let before = try await desk.bench.dump()
        #expect(try await MatchFill.run(desk.tenant) == 0)
        #expect(try await desk.bench.dump() == before)
    }

    @Test("a romanised name is found in either order of its words, and with a letter that is wrong; a household is not")
    func romanised() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring(
            "crm",
            [
                ["source_id": "1", "full_name": "陈伦浩", "birth_date": "1990-02-03"],
                ["source_id": "2", "full_name": "罗佳宇", "phone": "+8613800000002", "email": "home@example.com"],
                ["source_id": "3", "full_name": "吕佳", "birth_date": "1988-07-06"],
                ["source_id": "4", "full_name": "孙立民", "document_number": MatchDesk.identity(4, born: "19770102")],
            ]
        ).ids
        let other = try await desk.bring(
            "care",
            [
                ["source_id": "1", "full_name": "Lunhao Chen", "birth_date": "1990-02-03"],
                ["source_id": "2", "full_name": "Lu Jiayu", "phone": "+8613800000002", "email": "home@example.com"],
                ["source_id": "3", "full_name": "Lyu Jia", "birth_date": "1988-07-06"],
                ["source_id": "4", "full_name": "Limin Sun", "birth_date": "1977-01-02"],
                ["source_id": "5", "full_name": "Wang Li", "phone": "+8613800000002", "email": "home@example.com"],
                ["source_id": "6", "full_name": "Luo Meiling", "phone": "+8613800000002", "email": "home@example.com"],
            ]
        ).ids
        for (index, id) in known.enumerated() {
            let pair = try await desk.pair(id, other[index])
            #expect(pair?.state == .open || pair?.state == .linked, "row \(index + 1)")
        }
        #expect(try await desk.pair(known[1], other[1])?.state == .open)
        for member in [4, 5] { #expect(try await desk.pair(known[1], other[member]) == nil) }
    }

    @Test("keys of the form before live beside those of now until they are filled, and go with their customer")
    func formerKeys() async throws {
        let desk = try await MatchDesk()
        let old = try await desk.bring(
            "crm", [["source_id": "1", "full_name": "Lunhao Chen", "birth_date": "1990-02-03", "city": "宁波"]])
        let keys = MatchKeys(countryCode: "86")
        func stored() async throws -> Set<Int64> {
            Set(try await desk.tenant.database.read { try $0.query("SELECT key FROM customers_match_key") { $0.int(0) } })
        }
        func wanted() async throws -> Set<Int64> {
            try await desk.tenant.database.read { session in
                let ids = try session.query("SELECT id FROM customers_customer") { $0.id(0, PartyKind.self) }
                return Set(try CustomerLoader.records(ids, session).flatMap { keys.keys(MatchCard($0)) })
            }
        }
        let before = try await desk.tenant.database.write { session in
            // One word cannot be turned: its keys are those of the form before.
            var card = MatchCard(try CustomerLoader.records(old.ids, session)[0])
            card.name = "lunhaochen"
            let former = keys.keys(card)
            for key in keys.keys(MatchCard(try CustomerLoader.records(old.ids, session)[0])).subtracting(former) {
                try session.execute(MatchStore.deleteKey, [.int(key), .id(old.ids[0])])
            }
            try session.execute("UPDATE customers_match_record SET form = 0", [])
            try session.execute("UPDATE customers_match_setting SET filled_at = NULL", [])
            return former
        }
        #expect(try await stored() == before)
        #expect(try await wanted().count > before.count)
        let (store, clerk) = (CustomerStore(tenant: desk.tenant), desk.bench.principal)
        let edition = try await desk.tenant.database.read {
            try CustomerLoader.records(old.ids, $0)[0].customer.edition
        }
        _ = try await desk.tenant.database.write { session in
            try store.update(
                old.ids[0], edition: edition, ["email": .text("lh@example.com")], by: clerk, record: { _ in }, session)
        }
        #expect(try await stored() != wanted(), "a change alone does not fill")
        let brought = try await desk.bring(
            "care", [["source_id": "9", "full_name": "陈伦浩", "birth_date": "1990-02-03"]])
        #expect(try await desk.pair(old.ids[0], brought.ids[0]) != nil)
        #expect(try await stored() == wanted())
        #expect(try await MatchFill.run(desk.tenant) == 0)
        let revert = try await desk.bench.revert([brought.outcomes])
        #expect(revert.isEmpty)
        #expect(try await stored() == wanted())
    }

    @Test("who is changed before the filling comes to them is filled all the same, by the hourly job as well")
    func hourlyFilling() async throws {
        let desk = try await MatchDesk()
        let old = try await desk.bring(
            "crm", [["source_id": "1", "full_name": "Lunhao Chen", "birth_date": "1990-02-03", "city": "宁波"]])
        let made = try await desk.tenant.database.write { session in
            for statement in [
                "DELETE FROM customers_match_key", "DELETE FROM customers_match_record",
                "UPDATE customers_match_setting SET filled_at = NULL",
            ] as [SQL] {
                try session.execute(statement, [])
            }
            return try CustomerLoader.records(old.ids, session)[0]
        }
        let (store, clerk) = (CustomerStore(tenant: desk.tenant), desk.bench.principal)
        _ = try await desk.tenant.database.write { session in
            try store.update(
                made.id, edition: made.customer.edition, ["email": .text("lh@example.com")], by: clerk,
                record: { _ in }, session)
        }
        try await desk.tenant.database.write { [tenant = desk.tenant] in
            try tenant.jobs.enqueue(SearchFill.jobKind, payload: "{}", by: "customers", $0)
        }
        try await desk.bench.test.drain(jobs: [SearchFill.job(desk.tenant)])
        let (stored, wanted) = try await desk.tenant.database.read { session in
            (
                Set(try session.query("SELECT key FROM customers_match_key") { $0.int(0) }),
                MatchKeys(countryCode: "86").keys(MatchCard(try CustomerLoader.records(old.ids, session)[0]))
            )
        }
        #expect(stored == wanted)
        let setting = try await desk.tenant.database.read { try MatchStore.setting($0) }
        #expect(setting.filledAt != nil)
    }

    @Test("a number that many share finds nobody")
    func placeholder() async throws {
        let desk = try await MatchDesk()
        let rows = (0...MatchResolver.holdersMax + 10).map { index in
            ["source_id": "P\(index)", "full_name": "客户\(index)", "phone": "+8610000000000"]
        }
        #expect(try await desk.bring("billing", rows).matches == ImportMatches())
        let late = try await desk.bring("care", [["source_id": "X", "full_name": "张三丰", "phone": "+8610000000000"]])
        #expect(late.matches == ImportMatches())
    }

    @Test("candidates are looked up by the key's index")
    func plan() async throws {
        let desk = try await MatchDesk()
        var builder = SQLBuilder(MatchResolver.holdersOfKeys)
        builder.appendIn("AND key", (1...40).map { .int($0) })
        builder.append("LIMIT ?", .int(4_000))
        let text = builder.text, arguments = builder.arguments
        let plan = try await desk.tenant.database.write { session -> [String] in
            if session.dialect == .sqlite {
                return try session.query(SQL(trusted: "EXPLAIN QUERY PLAN " + text), arguments) { $0.text(3) }
            }
            try session.preferIndexes()
            return try session.query(SQL(trusted: "EXPLAIN " + text), arguments) { $0.text(0) }
        }.joined(separator: "\n")
        #expect(!plan.contains("Seq Scan") && !plan.contains("SCAN customers_match_key"), "\(plan)")
        #expect(plan.contains("PRIMARY KEY") || plan.contains("customers_match_key_pkey"), "\(plan)")
    }
}
