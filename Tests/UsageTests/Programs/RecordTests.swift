import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Customers
@testable import Usage

/// A tenant in which programs bring usages one by one.
struct ProgramWorld {
    let world: UsageWorld
    let module: UsageModule
    let service: UsageService
    let usages: TestResource
    let specifications: TestResource
    let queries: TestResource

    /// - Parameter products: the inventory.
    init(products: ProductNumbers = .none) async throws {
        let world = try await UsageWorld()
        let reading = CustomerReader(clock: world.test.clock, timeZoneOffsetMinutes: 480)
        let module = try UsageModule(
            base: CustomerUsage(), customers: reading, products: products, schemas: TMFSchemas(share: Checkout.share))
        let found = Dictionary(uniqueKeysWithValues: module.resources.map { ($0.name, TestResource($0, world.test)) })
        self.world = world
        self.module = module
        service = module.service(world.test.tenant)
        usages = try #require(found["usage"])
        specifications = try #require(found["usageSpecification"])
        queries = try #require(found["queryUsageConsumption"])
    }

    func drain() async throws {
        try await world.test.drain(handlers: module.eventHandlers(world.test.tenant), jobs: service.jobs)
    }

    /// A call of so many seconds on 5 January 2026 of the tenant.
    static func call(_ seconds: Int, number: String? = "13800138000", external: String? = nil, more: String = "")
        -> String
    {
        let line = number.map { #",{"name":"msisdn","value":"\#($0)"}"# } ?? ""
        let id = external.map { #",{"name":"externalId","value":"\#($0)"}"# } ?? ""
        return #"""
            {"usageDate":"2026-01-04T16:30:00Z","usageSpecification":{"id":"101"},
            "usageCharacteristic":[{"name":"duration","value":\#(seconds)}\#(line)\#(id)]\#(more)}
            """#
    }
}

@Suite("Usages one by one")
struct RecordTests {
    @Test(
        "a usage is on its day and in its month once, however often its id comes; a correction moves by the difference, a removal takes back"
    )
    func exactlyOnce() async throws {
        let desk = try await ProgramWorld()
        let customer = try await desk.world.customer("+8613800138000")
        let made = try await desk.usages.create(ProgramWorld.call(61, external: "a1"))
        #expect(made["status"] == "guided" && made["isCounted"] == true && made["statusReason"] == nil)
        #expect(
            made["relatedParty"]?.array?.first?["id"]?.string == customer.description, "the owner of the line is shown")
        // 16:30 UTC is the next day in the tenant's zone.
        #expect(try await desk.world.days() == ["2026-01-05 1 61000 2 0 0"])
        #expect(
            await TestResource.refusal { try await desk.usages.create(ProgramWorld.call(61, external: "a1")) }
                == "duplicate_usage")
        #expect(try await desk.world.days() == ["2026-01-05 1 61000 2 0 0"])
        let changed = try await desk.usages.change(
            made,
            #"{"usageCharacteristic":[{"name":"duration","value":"2"},{"name":"unit","value":"MIN"},{"name":"msisdn","value":"+86 138 0013 8000"}]}"#
        )
        #expect(changed["status"] == "guided" && changed["isCounted"] == true)
        #expect(try await desk.world.days() == ["2026-01-05 1 120000 2 0 0"])
        // A word about it is no correction, and another day is.
        _ = try await desk.usages.change(made, #"{"description":"x"}"#)
        #expect(try await desk.world.days() == ["2026-01-05 1 120000 2 0 0"])
        _ = try await desk.usages.change(
            made,
            #"{"usageDate":"2026-02-04T00:00:00Z","usageSpecification":{"id":"107"},"usageCharacteristic":[{"name":"volume","value":1.5},{"name":"unit","value":"GB"},{"name":"msisdn","value":"13800138000"}]}"#
        )
        #expect(try await desk.world.days() == ["2026-02-04 0 0 0 0 1610612736"])
        #expect(try await desk.world.count("SELECT SUM(roaming_bytes) FROM usage_day") == 1_610_612_736)
        try await desk.world.checkMonths()
        try await desk.usages.remove(made)
        #expect(try await desk.world.days().isEmpty)
        #expect(try await desk.world.count("SELECT COALESCE(SUM(events), 0) FROM usage_day") == 0)
        try await desk.world.checkMonths("removed")
        // Its id is free again, since nothing is counted of it.
        _ = try await desk.usages.create(ProgramWorld.call(5, external: "a1"))
        #expect(try await desk.world.days() == ["2026-01-05 1 5000 1 0 0"])
    }

    @Test(
        "the rows remember what they gave longer than the ids of feeds do; behind their time they are let go and the days stay"
    )
    func longAfter() async throws {
        let desk = try await ProgramWorld()
        try await desk.world.customer("+8613800138000")
        let made = try await desk.usages.create(ProgramWorld.call(61))
        desk.world.test.clock.advance(days: 200)
        _ = try await desk.service.upkeep()
        _ = try await desk.usages.change(
            made, #"{"usageCharacteristic":[{"name":"seconds","value":30},{"name":"msisdn","value":"13800138000"}]}"#)
        #expect(try await desk.world.days() == ["2026-01-05 1 30000 1 0 0"])
        desk.world.test.clock.advance(days: Int64(UsageRecords.keepDays) + 35)
        _ = try await desk.service.upkeep()
        #expect(await TestResource.refusal { _ = try await desk.usages.read(made) } == "not_found")
        for table in ["usage_record", "usage_record_characteristic"] as [SQL] {
            #expect(try await desk.world.count("SELECT COUNT(*) FROM \(table)") == 0)
        }
        #expect(try await desk.world.days() == ["2026-01-05 1 30000 1 0 0"])
    }

    @Test("a usage of an unknown line waits among the events that do, and is guided when the line comes, told once")
    func lateLine() async throws {
        let desk = try await ProgramWorld()
        let made = try await desk.usages.create(ProgramWorld.call(61))
        #expect(made["status"] == "received" && made["isCounted"] == false && made["statusReason"] == "unknown_line")
        #expect(try await desk.world.days().isEmpty)
        #expect(try await desk.world.count("SELECT SUM(waiting) FROM usage_source") == 1)
        #expect(
            await TestResource.refusal { _ = try await desk.usages.change(made, #"{"status":"guided"}"#) }
                == "unknown_line")
        // Corrected while it waits.
        _ = try await desk.usages.change(
            made, #"{"usageCharacteristic":[{"name":"duration","value":120},{"name":"msisdn","value":"13800138000"}]}"#)
        #expect(try await desk.world.count("SELECT COUNT(*) FROM usage_unmatched") == 1)
        let customer = try await desk.world.customer("+8613800138000")
        try await desk.drain()
        let now = try await desk.usages.read(made)
        #expect(now["status"] == "guided" && now["isCounted"] == true && now["statusReason"] == nil)
        #expect(now["relatedParty"]?.array?.first?["id"]?.string == customer.description)
        #expect(try await desk.world.days() == ["2026-01-05 1 120000 2 0 0"])
        for sql in [
            "SELECT COUNT(*) FROM usage_unmatched", "SELECT SUM(waiting) FROM usage_source",
            "SELECT COUNT(*) FROM usage_waiting",
        ] as [SQL] {
            #expect(try await desk.world.count(sql) == 0)
        }
        let told = try await desk.world.test.tenant.database.read { session in
            try session.query(
                "SELECT payload FROM storage_outbox_event WHERE type = 'tmf.resource.changed' ORDER BY id"
            ) { $0.text(0) }
        }
        #expect(told.filter { $0.contains("stateChanged") }.count == 1, "\(told)")
        _ = try await desk.service.replay()
        #expect(try await desk.world.days() == ["2026-01-05 1 120000 2 0 0"])
        #expect(try await desk.usages.disagreements().1.isEmpty)
    }

    @Test("who waits for 45 days is rejected with the reason, and can be recycled")
    func givenUp() async throws {
        let desk = try await ProgramWorld()
        let made = try await desk.usages.create(ProgramWorld.call(61))
        desk.world.test.clock.advance(days: 46)
        _ = try await desk.service.upkeep()
        let rejected = try await desk.usages.read(made)
        #expect(
            rejected["status"] == "rejected" && rejected["statusReason"] == "unknown_line"
                && rejected["isCounted"] == false)
        #expect(try await desk.world.count("SELECT COUNT(*) FROM usage_unmatched") == 0)
        try await desk.world.customer("+8613800138000")
        try await desk.drain()
        #expect(try await desk.usages.read(made)["status"] == "rejected", "it waits no more")
        let again = try await desk.usages.change(made, #"{"status":"recycled"}"#)
        #expect(again["status"] == "guided" && again["isCounted"] == true)
        #expect(try await desk.world.days() == ["2026-01-05 1 61000 2 0 0"])
        _ = try await desk.usages.change(made, #"{"status":"rejected"}"#)
        #expect(try await desk.world.days().isEmpty)
    }

    @Test("what a rating engine and a bill say: rated by what is sent, rerated by another, and a billed usage stands")
    func rated() async throws {
        let desk = try await ProgramWorld()
        try await desk.world.customer("+8613800138000")
        let made = try await desk.usages.create(ProgramWorld.call(61))
        #expect(
            await TestResource.refusal { _ = try await desk.usages.change(made, #"{"status":"billed"}"#) }
                == "illegal_transition")
        #expect(
            await TestResource.refusal { _ = try await desk.usages.change(made, #"{"status":"rated"}"#) } == "missing")
        func rating(_ value: String) -> String {
            #"{"ratedProductUsage":[{"ratingDate":"2026-01-06T00:00:00Z","taxExcludedRatingAmount":{"unit":"EUR","value":\#(value)},"usageRatingTag":"usage"}]}"#
        }
        let rated = try await desk.usages.change(made, rating("0.06"))
        #expect(
            rated["status"] == "rated"
                && rated["ratedProductUsage"]?.array?.first?["taxExcludedRatingAmount"]?["value"] == .double(0.06))
        #expect(try await desk.usages.change(made, rating("0.05"))["status"] == "rerated")
        #expect(try await desk.usages.change(made, #"{"status":"billed"}"#)["status"] == "billed")
        #expect(try await desk.usages.change(made, #"{"description":"on the bill of January"}"#)["status"] == "billed")
        #expect(
            await TestResource.refusal {
                _ = try await desk.usages.change(
                    made,
                    #"{"usageCharacteristic":[{"name":"duration","value":5},{"name":"msisdn","value":"13800138000"}]}"#)
            } == "billed")
        #expect(await TestResource.refusal { try await desk.usages.remove(made) } == "billed")
        #expect(try await desk.world.days() == ["2026-01-05 1 61000 2 0 0"])
        // What has a price before its line is known goes on with it.
        try await desk.usages.create(
            ProgramWorld.call(10, number: "13800138001", more: "," + String(rating("1").dropFirst().dropLast())))
        try await desk.world.customer("+8613800138001")
        try await desk.drain()
        #expect(try await desk.usages.list([("status", "rated")]).map { $0["isCounted"] } == [true])
    }

    @Test(
        "the line is told by number, by product, by the source's reference or by a customer with one line, and is not another's"
    )
    func lines() async throws {
        let inventory = Box<(customer: CustomerID, numbers: [String])?>(nil)
        let desk = try await ProgramWorld(products: ProductNumbers { id, _ in id == 77 ? inventory.value : nil })
        let first = try await desk.world.customer("+8613800138000")
        let second = try await desk.world.customer("+8613800138001")
        inventory.value = (second, ["+8613800138001"])
        func party(_ id: CustomerID) -> String {
            #","relatedParty":[{"id":"\#(id)","role":"customer","@referredType":"Customer"}]"#
        }
        func whose(_ document: JSONObject) async throws -> [Int64] {
            let id = Int64(document["id"]?.string ?? "") ?? 0
            return try await desk.world.test.tenant.database.read { session in
                try session.query(
                    "SELECT line_customer_id FROM usage_record WHERE id = $1 AND booked = 'counted'", [.int(id)]
                ) { $0.int(0) }
            }
        }
        let one = try await desk.usages.create(ProgramWorld.call(1, number: nil, more: party(first)))
        #expect(try await whose(one) == [first.rawValue])
        let product = try await desk.usages.create(
            #"{"usageDate":"2026-01-05","usageSpecification":{"id":"101"},"usageCharacteristic":[{"name":"duration","value":1},{"name":"productId","value":"77"}]}"#
        )
        #expect(try await whose(product) == [second.rawValue])
        let line = try await desk.world.test.tenant.database.read { session in
            try session.first("SELECT id FROM customers_subscription WHERE customer_id = $1", [.id(first)]) {
                $0.int(0)
            } ?? 0
        }
        let subscription = try await desk.usages.create(
            #"{"usageDate":"2026-01-05","usageSpecification":{"id":"voice"},"usageCharacteristic":[{"name":"duration","value":1},{"name":"productId","value":"\#(line)"}]\#(party(first))}"#
        )
        #expect(try await whose(subscription) == [first.rawValue])
        let official = try await desk.usages.create(
            #"{"usageDate":"2026-01-05","usageType":"Call","usageCharacteristic":[{"name":"originatingCountryCode","value":"86"},{"name":"originatingNumber","value":"13800138001"},{"name":"duration","value":"20"},{"name":"unit","value":"SEC"}]}"#
        )
        #expect(try await whose(official) == [second.rawValue] && official["usageSpecification"]?["id"] == "101")
        #expect(
            await TestResource.refusal { try await desk.usages.create(ProgramWorld.call(1, more: party(second))) }
                == "line_of_another")
        let nobody = try await desk.usages.create(ProgramWorld.call(1, number: nil))
        #expect(nobody["status"] == "received" && nobody["statusReason"] == "no_line")
        // A number that was wrong is put right, also to another customer's.
        let moved = try await desk.usages.create(ProgramWorld.call(7))
        _ = try await desk.usages.change(
            moved, #"{"usageCharacteristic":[{"name":"duration","value":7},{"name":"msisdn","value":"13800138001"}]}"#)
        #expect(try await whose(moved) == [second.rawValue])
        // And to one that nobody has: it waits again.
        let lost = try await desk.usages.change(
            moved, #"{"usageCharacteristic":[{"name":"duration","value":7},{"name":"msisdn","value":"13800138009"}]}"#)
        #expect(lost["status"] == "recycled" && lost["isCounted"] == false)
        #expect(try await desk.world.count("SELECT SUM(calls) FROM usage_day") == 4)
        try await desk.world.checkMonths()
        // A line found at last that is not the named customer's.
        let claimed = try await desk.usages.create(ProgramWorld.call(9, number: "13800138005", more: party(first)))
        try await desk.world.customer("+8613800138005")
        try await desk.drain()
        let refused = try await desk.usages.read(claimed)
        #expect(refused["status"] == "rejected" && refused["statusReason"] == "line_of_another")
    }

    @Test("what cannot be counted as it is meant is refused with its place, and nothing is kept")
    func refused() async throws {
        let desk = try await ProgramWorld()
        try await desk.world.customer("+8613800138000")
        func usage(_ characteristics: String, date: String = "2026-01-05", specification: String = "101") -> String {
            #"{"usageDate":"\#(date)","usageSpecification":{"id":"\#(specification)"},"usageCharacteristic":[\#(characteristics)]}"#
        }
        for (body, code) in [
            ("{}", "missing"), (#"{"usageType":"parking"}"#, "missing"), (usage(""), "no_quantity"),
            (usage(#"{"name":"duration","value":"x"}"#), "not_a_number"),
            (usage(#"{"name":"duration","value":-1}"#), "out_of_range"),
            (usage(#"{"name":"duration","value":1e300}"#), "out_of_range"),
            (usage(#"{"name":"duration","value":[1]}"#), "not_a_number"),
            (usage(#"{"name":"duration","value":9223372036854775807}"#), "out_of_range"),
            (usage(#"{"name":"duration","value":1},{"name":"unit","value":"GB"}"#), "unknown_unit"),
            (usage(#"{"name":"duration","value":1},{"name":"roaming","value":"perhaps"}"#), "not_a_boolean"),
            (usage(#"{"name":"duration","value":1},{"name":"msisdn","value":"abc"}"#), "bad_number"),
            (usage(#"{"name":"duration","value":1}"#, date: "2999-01-01"), "in_the_future"),
            (usage(#"{"name":"duration","value":1}"#, date: "1999-12-31"), "too_old"),
            (usage(#"{"name":"externalId","value":[1]},{"name":"duration","value":1}"#), "bad_id"),
            (#"{"usageSpecification":{"id":"101"},"usageCharacteristic":[{"name":"duration","value":1}]}"#, "no_start"),
        ] {
            #expect(await TestResource.refusal { try await desk.usages.create(body) } == code, "\(body)")
        }
        #expect(try await desk.world.count("SELECT COUNT(*) FROM usage_record") == 0)
        #expect(try await desk.world.days().isEmpty)
        // A feed cannot take the name under which these stand.
        #expect(await TestResource.refusal { _ = try UsageService.sourceName(" TMF635 ") } == "bad_source")
    }

    @Test(
        "those of the product are there, counted and fixed; others are kept, and their usages say that they are not counted"
    )
    func specifications() async throws {
        let desk = try await ProgramWorld()
        try await desk.world.customer("+8613800138000")
        let known = try await desk.specifications.list([])
        #expect(known.compactMap { $0["id"]?.string } == UsageSpecifications.known.map { String($0.id) })
        #expect(known.compactMap { $0["name"]?.string } == UsageSpecifications.known.map(\.name))
        #expect(try await desk.specifications.list([("name", "data")]).map { $0["id"] } == ["103"])
        #expect(
            try await desk.specifications.list([("lastUpdate", UsageSpecifications.since.iso8601)]).count == known.count
        )
        #expect(
            await TestResource.refusal { _ = try await desk.specifications.change(known[0], #"{"name":"x"}"#) }
                == "built_in")
        #expect(await TestResource.refusal { try await desk.specifications.remove(known[0]) } == "built_in")
        let own = try await desk.specifications.create(#"{"name":"parking","specCharacteristic":[{"name":"hours"}]}"#)
        #expect(own["isCounted"] == false && known.allSatisfy { $0["isCounted"] == true })
        let id = own["id"]?.string ?? ""
        let usage = try await desk.usages.create(
            #"{"usageSpecification":{"id":"\#(id)"},"usageCharacteristic":[{"name":"hours","value":2},{"name":"msisdn","value":"13800138000"}]}"#
        )
        #expect(usage["isCounted"] == false && usage["statusReason"] == "not_counted" && usage["status"] == "guided")
        #expect(try await desk.world.days().isEmpty)
        #expect(await TestResource.refusal { try await desk.specifications.remove(own) } == "in_use")
        try await desk.usages.remove(usage)
        try await desk.specifications.remove(own)
        #expect(try await desk.specifications.disagreements().1.isEmpty)
    }

    @Test("a customer who is removed takes usages, what waits of them and answers along")
    func erasure() async throws {
        let desk = try await ProgramWorld()
        let customer = try await desk.world.customer("+8613800138000")
        let other = try await desk.world.customer("+8613800138001")
        let party = #","relatedParty":[{"id":"\#(customer)","name":"Li","@referredType":"Customer"}]"#
        try await desk.usages.create(ProgramWorld.call(61, more: #","x-own":1"# + party))
        let rating = #","ratedProductUsage":[{"usageRatingTag":"usage"}]"#
        try await desk.usages.create(ProgramWorld.call(61, number: "13800138009", more: party + rating))
        try await desk.usages.create(ProgramWorld.call(5, number: "13800138001"))
        try await desk.queries.create(#"{"relatedParty":[{"id":"\#(customer)","@referredType":"Customer"}]}"#)
        #expect(try await desk.world.count("SELECT SUM(waiting) FROM usage_source") == 1)
        let module = desk.module.eventHandlers(desk.world.test.tenant)
        let tenant = desk.world.test.tenant
        try await tenant.database.write { session in
            try tenant.outbox.append(CustomersChanged(ids: [customer], fields: [], kind: .removed), session)
        }
        try await desk.world.test.drain(handlers: module, jobs: desk.service.jobs)
        for table in [
            "usage_record", "usage_record_party", "usage_record_characteristic", "usage_record_rating",
            "usage_consumption",
            "usage_consumption_party", "usage_consumption_bucket", "usage_day",
        ] as [SQL] {
            let left = try await tenant.database.read {
                try $0.count("SELECT COUNT(*) FROM \(table) WHERE customer_id = $1", [.id(customer)])
            }
            #expect(left == 0, "\(table)")
        }
        #expect(
            try await desk.usages.list([]).compactMap { $0["relatedParty"]?.array?.first?["id"]?.string } == [
                other.description
            ])
        #expect(try await desk.world.count("SELECT COUNT(*) FROM usage_record") == 1)
        #expect(try await desk.world.count("SELECT COUNT(*) FROM usage_unmatched") == 0)
        #expect(try await desk.world.count("SELECT SUM(waiting) FROM usage_source") == 0)
        // Of the other one the spelling of its time is kept.
        #expect(try await desk.world.count("SELECT COUNT(*) FROM tmf_kept WHERE resource = 'usage'") == 1)
    }

    @Test(
        "who may not see numbers sees amounts and no number, and who sees some regions only is told of no other's line")
    func masks() async throws {
        let desk = try await ProgramWorld()
        let customer = try await desk.world.customer("+8613800138000")
        let made = try await desk.usages.create(ProgramWorld.call(61))
        let masked = TestResource(
            desk.usages.resource, desk.world.test,
            TestTenant.principal([desk.usages.resource.view, desk.usages.resource.edit]))
        let shown = try await masked.read(made)
        let values = shown["usageCharacteristic"]?.array?.map { $0["value"] } ?? []
        #expect(
            values.first == .int(61) && values.last??.string?.contains("*") == true
                && values.last??.string?.contains("0013") == false, "\(values)")
        let inside = try await region(desk, "+8613800138005", "north")
        let bound = TestResource(
            desk.usages.resource, desk.world.test,
            Masking.lifted(
                TestTenant.principal([desk.usages.resource.view, desk.usages.resource.edit], regions: ["north"])))
        #expect(try await bound.list([]).isEmpty)
        #expect(await TestResource.refusal { _ = try await bound.read(made) } == "not_found")
        func party(_ id: CustomerID) -> String { #","relatedParty":[{"id":"\#(id)","@referredType":"Customer"}]"# }
        // Another's number and one that nobody has are the same to them.
        for number in ["13800138000", "13800138077"] {
            #expect(
                await TestResource.refusal {
                    try await bound.create(ProgramWorld.call(1, number: number, more: party(inside)))
                } == "line_of_another")
            #expect(
                await TestResource.refusal { try await bound.create(ProgramWorld.call(1, number: number)) }
                    == "out_of_reach")
            #expect(
                await TestResource.refusal {
                    try await bound.create(ProgramWorld.call(1, number: number, more: party(customer)))
                } == "out_of_reach")
        }
        let own = try await bound.create(ProgramWorld.call(1, number: "13800138005", more: party(inside)))
        #expect(try await bound.list([]).map { $0["id"] } == [own["id"]])
    }
}

/// A customer with a line in a region.
func region(_ desk: ProgramWorld, _ number: String, _ region: String) async throws -> CustomerID {
    let sound = desk.world.test.tenant
    return try await sound.database.write { session in
        try CustomerStore(tenant: sound).create(
            ["full_name": .text("R"), "kind": .text("individual"), "msisdn": .text(number), "region": .text(region)],
            by: UsageWorld.principal, record: { try sound.audit.record($0, by: UsageWorld.principal, session) }, session
        ).id
    }
}

final class Box<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var held: Value
    init(_ value: Value) { held = value }
    var value: Value {
        get { lock.withLock { held } }
        set { lock.withLock { held = newValue } }
    }
}
