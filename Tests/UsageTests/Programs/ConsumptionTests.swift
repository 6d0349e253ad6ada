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

@Suite("What is used of allowances")
struct ConsumptionTests {
    /// The plan of the public Megaline set: 500 minutes, 50 messages and 15 GB, rounded up to whole gigabytes.
    private func surf(_ desk: ProgramWorld) async throws {
        var tariff = Tariff(name: "surf", currency: "USD")
        (tariff.fee, tariff.minutes, tariff.messages, tariff.megabytes) = (2_000, 500, 50, 15_360)
        (tariff.perMinute, tariff.perMessage, tariff.perGigabyte) = (3_000, 3_000, 1_000_000)
        try await desk.service.setTariffs([tariff], principal: UsageWorld.principal)
    }

    private func customer(_ desk: ProgramWorld, _ number: String, plan: String, region: String = "") async throws
        -> CustomerID
    {
        let sound = desk.world.test.tenant
        return try await sound.database.write { session in
            var fields: [String: SQLValue] = [
                "full_name": .text("N"), "kind": .text("individual"), "msisdn": .text(number), "plan": .text(plan),
            ]
            if !region.isEmpty { fields["region"] = .text(region) }
            return try CustomerStore(tenant: sound).create(
                fields, by: UsageWorld.principal,
                record: { try sound.audit.record($0, by: UsageWorld.principal, session) }, session
            ).id
        }
    }

    private func ask(_ desk: ProgramWorld, _ criteria: String) async throws -> JSONObject {
        try await desk.queries.create(#"{"searchCriteria":{\#(criteria)}}"#)
    }

    private static func party(_ id: CustomerID) -> String {
        #""relatedParty":[{"id":"\#(id)","@referredType":"Customer"}]"#
    }

    /// `voice used 487 min, left 13 min`
    private func told(_ report: JSONValue?) -> [String] {
        (report?["bucketRefOrValue"]?.array ?? []).map { bucket in
            let counters = (bucket["bucketCounter"]?.array ?? []).map {
                "\($0["counterType"]?.string ?? "") \($0["value"]?["amount"]?.encoded() ?? "") \($0["value"]?["units"]?.string ?? "")"
            }
            let left =
                bucket["remainingValue"].map { "left \($0["amount"]?.encoded() ?? "") \($0["units"]?.string ?? "")" }
                ?? "no allowance"
            return "\(bucket["usageType"]?.string ?? ""): \(counters.joined(separator: ", ")); \(left)"
        }
    }

    @Test(
        "a month is told bucket by bucket as it is worked out by hand: used, left, beyond and abroad, in the tenant's month"
    )
    func byHand() async throws {
        let desk = try await ProgramWorld()
        try await surf(desk)
        let customer = try await customer(desk, "+8613800138000", plan: "Surf")
        // 8 calls of 3,661 s are 62 minutes each: 496. 51 messages. 15.5 GB, of which 1 GB abroad: a whole GB beyond.
        let head = "id,number,kind,start,seconds,bytes,count,roaming\n"
        let calls = (0..<8).map { "c\($0),13800138000,voice,2026-01-05 10:00:00,3661,,,\($0 == 0 ? 1 : 0)\n" }.joined()
        let data =
            "d1,13800138000,data,2026-01-06 10:00:00,,15569256448,,0\nd2,13800138000,data,2026-01-31 23:59:59,,1073741824,,1\n"
        let report = try await desk.world.take(
            try desk.world.write(
                "m.csv",
                head + calls + data
                    + "s,13800138000,sms,2026-01-07 10:00:00,,,51,0\nf,13800138000,voice,2026-02-01 00:00:00,60,,,0\n"))
        #expect(report.taken == 12)
        let january =
            #""validPeriod":{"startDateTime":"2026-01-01T00:00:00+08:00","endDateTime":"2026-02-01T00:00:00+08:00"}"#
        for criteria in [Self.party(customer), #""logicalResource":[{"id":"138 0013 8000"}]"#] {
            let answer = try await ask(desk, criteria + "," + january)
            let reports = answer["usageConsumption"]?.array ?? []
            #expect(reports.count == 1 && answer["stateReason"] == nil)
            let month = try #require(reports.first)
            #expect(
                told(month) == [
                    // 62 minutes abroad are told by their seconds: 3,661 s.
                    "voice: used 496 min, outOfBucket 0 min, roaming 61.016666666666666 min; left 4 min",
                    "sms: used 51 message, outOfBucket 1 message, roaming 0 message; left 0 message",
                    "data: used 15872 MB, outOfBucket 1024 MB, roaming 1024 MB; left 0 MB",
                ])
            #expect(
                month["validPeriod"] == [
                    "startDateTime": "2025-12-31T16:00:00.000Z", "endDateTime": "2026-01-31T16:00:00.000Z",
                ], "\(month)")
            #expect(month["state"] == "done" && month["logicalResource"]?.array?.first?["id"] == "+8613800138000")
            #expect(month["product"]?.array?.first?["name"] == "Surf")
            #expect(month["relatedParty"]?.array?.first?["id"]?.string == customer.description)
            #expect(month["bucketRefOrValue"]?.array?.allSatisfy { $0["isShared"] == false } == true)
            #expect(try await desk.queries.read(answer) == answer)
        }
        // A correction later changes the next answer, not the one that was given.
        let before = try await ask(desk, Self.party(customer) + "," + january)
        _ = try await desk.world.take(
            try desk.world.write(
                "n.csv", "id,version,number,kind,start,seconds\nc1,1,13800138000,voice,2026-01-05 10:00:00,60\n"))
        let after = try await ask(desk, Self.party(customer) + "," + january)
        #expect(
            told(after["usageConsumption"]?.array?.first).first?.hasPrefix("voice: used 435 min, outOfBucket 0 min")
                == true)
        #expect(try await desk.queries.read(before) == before)
        // Answers are let go.
        desk.world.test.clock.advance(days: 9)
        _ = try await desk.service.upkeep()
        #expect(await TestResource.refusal { _ = try await desk.queries.read(before) } == "not_found")
    }

    @Test("what is left of a step that is charged whole is not free, and minutes follow the rounding of the tariff")
    func steps() throws {
        var tariff = Tariff(name: "t", currency: "EUR")
        (tariff.minutes, tariff.megabytes, tariff.dataStepMB) = (10, 1_500, 1_024)
        var use = MonthUse()
        (use.voiceMs, use.billedMinutes, use.dataBytes) = (90_000, 3, 1_000 << 20)
        let line = LineRef(customer: CustomerID(1), subscription: SubscriptionID(2))
        func all() -> [ConsumptionBucket] {
            ConsumptionBucket.all(line, month: "2026-01", number: nil, plan: nil, use, tariff, .init())
        }
        // Beyond 1,024 MB a second step is charged, of which 1,500 - 1,024 are included.
        #expect(all()[2].remaining == 24 << 20 && all()[2].beyond == 0)
        use.dataBytes = 1_025 << 20
        #expect(all()[2].remaining == 0 && all()[2].beyond == 548 << 20)
        #expect(all()[0].used == 180_000 && all()[0].remaining == 420_000)
        tariff.voiceRounding = .month
        #expect(all()[0].used == 90_000 && all()[0].remaining == 510_000)
        tariff.voiceRounding = .none
        #expect(all()[0].used == 90_000 && all()[0].remaining == 510_000)
        let bare = ConsumptionBucket.all(line, month: "2026-01", number: nil, plan: nil, use, nil, .init())
        #expect(
            bare.allSatisfy { $0.remaining == nil && $0.included == nil && $0.beyond == nil } && bare[0].used == 180_000
        )
    }

    @Test(
        "the present month of an unused line has all of its allowance, months past say nothing, and no tariff is no allowance"
    )
    func unused() async throws {
        let desk = try await ProgramWorld()
        try await surf(desk)
        let customer = try await customer(desk, "+8613800138000", plan: "surf")
        let other = try await self.customer(desk, "+8613800138001", plan: "nobody's")
        let now = try await ask(desk, Self.party(customer))
        #expect(
            told(now["usageConsumption"]?.array?.first).map { $0.split(separator: ";").last.map(String.init) ?? "" }
                == [" left 500 min", " left 50 message", " left 15360 MB"])
        #expect(now["usageConsumption"]?.array?.first?["bucketRefOrValue"]?.array?.first?["status"] == "active")
        let past = try await ask(
            desk,
            Self.party(customer)
                + #","validPeriod":{"startDateTime":"2019-01-01T00:00:00Z","endDateTime":"2019-03-01T00:00:00Z"}"#)
        #expect(past["usageConsumption"] == [] && past["stateReason"] == "no_use")
        let bare = try await ask(desk, Self.party(other))
        #expect(told(bare["usageConsumption"]?.array?.first).first == "voice: used 0 min, roaming 0 min; no allowance")
        #expect(bare["usageConsumption"]?.array?.first?["description"]?.string?.contains("No tariff") == true)
        let nobody = try await ask(desk, #""logicalResource":[{"id":"13800139999"}]"#)
        #expect(nobody["usageConsumption"] == [] && nobody["stateReason"] == "no_line")
        let crossed = try await ask(desk, Self.party(customer) + #","logicalResource":[{"id":"13800138001"}]"#)
        #expect(crossed["usageConsumption"] == [] && crossed["stateReason"] == "no_line")
        for (period, code) in [
            (#"{"startDateTime":"2026-03-01T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"}"#, "wrong_period"),
            (#"{"startDateTime":"1990-03-01T00:00:00Z"}"#, "month"),
        ] {
            #expect(
                await TestResource.refusal { _ = try await ask(desk, #""validPeriod":\#(period)"#) } == code,
                "\(period)")
        }
        #expect(
            await TestResource.refusal { _ = try await ask(desk, #""logicalResource":[{"id":"abc"}]"#) } == "bad_number"
        )
        #expect(try await desk.queries.disagreements().1.isEmpty)
    }

    @Test(
        "who sees some regions only is told of these, and a number elsewhere is like one that nobody has; numbers are masked"
    )
    func reach() async throws {
        let desk = try await ProgramWorld()
        try await surf(desk)
        let inside = try await customer(desk, "+8613800138000", plan: "surf", region: "north")
        let outside = try await customer(desk, "+8613800138001", plan: "surf", region: "south")
        let bound = TestResource(
            desk.queries.resource, desk.world.test,
            TestTenant.principal([desk.queries.resource.view], regions: ["north"]))
        func ask(_ criteria: String, top: CustomerID? = nil) async throws -> JSONObject {
            let party = top.map { "," + Self.party($0) } ?? ""
            return try await bound.create(#"{"searchCriteria":{\#(criteria)}\#(party)}"#)
        }
        let own = try await ask(Self.party(inside))
        let number = own["usageConsumption"]?.array?.first?["logicalResource"]?.array?.first?["id"]?.string ?? ""
        #expect(number.contains("*") && !number.contains("0013"), "\(number)")
        for number in ["13800138001", "13800138077"] {
            let criteria = #""logicalResource":[{"id":"\#(number)"}]"#
            #expect(await TestResource.refusal { _ = try await ask(criteria) } == "out_of_reach")
            let answer = try await ask(criteria + "," + Self.party(inside))
            #expect(answer["usageConsumption"] == [] && answer["stateReason"] == "no_line")
        }
        #expect(await TestResource.refusal { _ = try await ask(Self.party(outside)) } == "out_of_reach")
        #expect(await TestResource.refusal { _ = try await ask(Self.party(outside), top: inside) } == "out_of_reach")
        let foreign = try await self.ask(desk, Self.party(outside))
        #expect(await TestResource.refusal { _ = try await bound.read(foreign) } == "not_found")
        #expect(try await bound.list([]).count == 3)
    }
}
