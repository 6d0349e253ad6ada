import App
import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// Appointments and free times, through HTTP.
@Suite("Appointments over HTTP")
struct AppointmentStoryTests {
    static let path = "/tmf-api/appointment/v4/appointment"
    static let search = "/tmf-api/appointment/v4/searchTimeSlot"

    /// An hour of Thursday, 2026-03-05; the clock of tests stands at Monday.
    private static func period(_ from: String, _ until: String, day: String = "2026-03-05") -> JSONValue {
        ["startDateTime": "\(day)T\(from):00+08:00", "endDateTime": "\(day)T\(until):00+08:00"]
    }

    private static func body(_ world: ContractWorld, _ from: String, _ until: String, _ more: JSONObject = [:])
        -> JSONValue
    {
        .object(
            ["validFor": period(from, until), "relatedParty": [Samples.party(world)]].merging(more) { $1 } as JSONObject
        )
    }

    private func free(_ world: ContractWorld, _ more: JSONObject = [:]) throws -> [String] {
        let asked: JSONObject = ["requestedTimeSlot": [["validFor": Self.period("00:00", "23:59")]]]
        let answer = try world.send("POST", Self.search, .object(asked.merging(more) { $1 }))
        try #require(answer.status == 201, "\(answer.text)")
        let slots = answer.body["availableTimeSlot"]?.array ?? []
        #expect(answer.body["searchResult"] == (slots.isEmpty ? "fail" : "success") && answer.body["status"] == "done")
        return slots.compactMap { $0["validFor"]?["startDateTime"]?.string.flatMap { TMFTime($0) } }.map { time in
            String(Instant(milliseconds: time.milliseconds).displayed(offsetMinutes: 480).suffix(5))
        }
    }

    @Test(
        "a time is offered until it is full, then refused with the next free ones; calling off, failing and removing give it back"
    )
    func full() async throws {
        let world = try await ContractWorld(customers: 10)
        let hours = ["09:00", "10:00", "11:00", "13:00", "14:00", "15:00", "16:00"]
        #expect(try free(world) == hours)
        var made: [String] = []
        for place in 0..<4 {
            // Not on the hour either: what matters is who is busy at one moment.
            let answer = try world.send(
                "POST", Self.path, Self.body(world, place == 3 ? "10:30" : "10:00", place == 3 ? "11:15" : "11:00"))
            try #require(answer.status == 201, "\(answer.text)")
            made.append(answer.id)
        }
        #expect(try free(world) == ["09:00", "11:00", "13:00", "14:00", "15:00", "16:00"])
        let refused = try world.send("POST", Self.path, Self.body(world, "10:45", "11:30"))
        #expect(refused.status == 409 && refused.code == "full", "\(refused.text)")
        for next in ["2026-03-05T09:00:00+08:00/2026-03-05T10:00:00+08:00", "T11:00", "T13:00", "T14:00", "T15:00"] {
            #expect(refused.text.contains(next), "\(next): \(refused.text)")
        }
        #expect(!refused.text.contains("T10:00:00+08:00/") && !refused.text.contains("T16:00:00+08:00/"))
        // Before the fourth comes there is room.
        #expect(try world.send("POST", Self.path, Self.body(world, "10:00", "10:30")).status == 201)
        #expect(try world.send("POST", Self.path, Self.body(world, "10:15", "10:30")).status == 409)
        func patch(_ place: Int, _ change: JSONValue) throws -> ContractWorld.Answer {
            try world.send("PATCH", "\(Self.path)/\(made[place])", change)
        }
        #expect(try patch(0, ["status": "cancelled"]).status == 200)
        #expect(try world.send("POST", Self.path, Self.body(world, "10:45", "11:00")).status == 201)
        #expect(try world.send("POST", Self.path, Self.body(world, "10:45", "11:00")).status == 409)
        // Moving to where there is room, its own old place not in the way; not to where there is none.
        #expect(try patch(1, ["validFor": Self.period("10:00", "11:00")]).status == 200)
        #expect(try patch(1, ["validFor": Self.period("10:00", "11:30")]).status == 200)
        #expect(try patch(3, ["validFor": Self.period("13:00", "14:00")]).status == 200)
        #expect(try patch(2, ["status": "failed"]).status == 200)
        for _ in 0..<2 { #expect(try world.send("POST", Self.path, Self.body(world, "10:45", "11:00")).status == 201) }
        // What failed is made anew only where there is room again.
        let again = try patch(2, ["status": "initialized"])
        #expect(again.status == 409 && again.code == "full", "\(again.text)")
        #expect(try patch(2, ["status": "initialized", "validFor": Self.period("16:00", "17:00")]).status == 200)
        #expect(try world.send("DELETE", "\(Self.path)/\(made[1])").status == 204)
        #expect(try world.send("POST", Self.path, Self.body(world, "10:45", "11:00")).status == 201)
    }

    @Test(
        "times that make no sense are 400, hours in which nobody comes 409; what is past can be closed and written about"
    )
    func times() async throws {
        let world = try await ContractWorld(customers: 10)
        for (period, place) in [
            (Self.period("11:00", "10:00"), "ends before"), (Self.period("10:00", "10:00"), "ends before"),
            (["startDateTime": "2026-03-05T10:00:00+08:00"], "validFor.endDateTime"), ([:], "validFor.startDateTime"),
            (Self.period("10:00", "11:00", day: "2026-02-26"), "begun"),
            (["startDateTime": "soon", "endDateTime": "2026-03-05"], "validFor.startDateTime"),
        ] as [(JSONValue, String)] {
            let answer = try world.send("POST", Self.path, ["validFor": period])
            #expect(answer.status == 400 && answer.text.contains(place), "\(period.encoded()): \(answer.text)")
        }
        for period in [
            Self.period("11:30", "13:30"), Self.period("08:00", "09:00"),
            Self.period("10:00", "11:00", day: "2026-03-07"),
            ["startDateTime": "2026-03-05T10:00:00+08:00", "endDateTime": "2026-03-06T10:00:00+08:00"],
            ["startDateTime": "9998-03-05T10:00:00+08:00", "endDateTime": "9998-03-05T23:00:00+08:00"],
        ] as [JSONValue] {
            let answer = try world.send("POST", Self.path, ["validFor": period])
            #expect(
                answer.status == 409 && answer.code == "closed" && answer.text.contains("Free: "),
                "\(period.encoded()): \(answer.text)")
        }
        for slots in [
            [["validFor": Self.period("11:00", "10:00")]], [["validFor": [:]]],
            .array(Array(repeating: ["validFor": Self.period("10:00", "11:00")], count: 21)),
            [["validFor": ["startDateTime": "2026-03-05T00:00:00Z", "endDateTime": "2027-03-05T00:00:00Z"]]],
        ] as [JSONValue] {
            let answer = try world.send("POST", Self.search, ["requestedTimeSlot": slots])
            #expect(answer.status == 400 && answer.text.contains("requestedTimeSlot"), "\(answer.text)")
        }
        let made = try world.send("POST", Self.path, Self.body(world, "09:00", "10:00"))
        try #require(made.status == 201, "\(made.text)")
        world.scenario.clock.advance(days: 10)
        // Tokens live for an hour.
        let late = try await ContractWorld(world.scenario)
        let path = "\(Self.path)/\(made.id)"
        let closed = try late.send("PATCH", path, ["status": "confirmed", "note": [["text": "He was there"]]])
        #expect(closed.status == 200, "\(closed.text)")
        #expect(try late.send("PATCH", path, ["status": "completed"]).status == 200)
        #expect(try late.send("PATCH", path, ["status": "confirmed"]).status == 409)
        #expect(try late.send("PATCH", path, ["validFor": Self.period("10:00", "11:00")]).status == 400)
    }

    @Test("of twelve who want the last places at one moment four get them, over however many servers")
    func race() async throws {
        let world = try await ContractWorld(customers: 10)
        let scenario = world.scenario
        let other =
            TestDatabases.dialect == .postgres
            ? try await Scenario.start { [configuration = scenario.runtime.configuration] in
                $0.data = configuration.data
                $0.database = configuration.database
            } : nil
        let token = try await ContractWorld.token(scenario, "racers", scopes: [TMFAPI(646, "appointment")])
        let body = Array(Self.body(world, "15:00", "16:00").encoded().utf8)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<12 {
                let http = number % 2 == 0 ? scenario.http : (other ?? scenario).http
                group.addTask {
                    try await http.ask(
                        "POST", Self.path,
                        headers: [("Authorization", "Bearer " + token), ("Content-Type", "application/json")],
                        body: body
                    ).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.filter { $0 == 201 }.count == 4 && statuses.filter { $0 == 409 }.count == 8, "\(statuses)")
        #expect(try world.send("GET", "\(Self.path)?limit=50").items.count == 4)
        withExtendedLifetime(other) {}
    }

    @Test("a supervisor sets hours, of everybody and of a place; appointments keep to them, an agent may not set them")
    func hours() async throws {
        let world = try await ContractWorld(customers: 10)
        let supervisor = try await world.scenario.user("lead", [.supervisor])
        let week = WorkingDays.all.map { ("day.\($0)", $0 == "thu" ? "20:00-21:00" : "") }
        func save(_ kind: String, _ reference: String, _ fields: [(String, String)]) throws -> RawHTTP.Answer {
            let page = try supervisor.get("/visit-hours").text
            let revisions = page.matches(of: /name="revision" value="([^"]+)"/).map { String($0.1) }
            let revision = kind.isEmpty ? revisions.first : revisions.last
            return try supervisor.post(
                "/visit-hours", [("revision", revision ?? ""), ("kind", kind), ("reference", reference)] + fields)
        }
        let rest = [("slot_minutes", "30"), ("at_once", "1"), ("closed_days", "")]
        #expect(try save("place", "depot", week + rest).status == 303)
        #expect(try free(world).count == 7)
        let depot: JSONObject = ["relatedPlace": ["id": "depot", "role": "shop"]]
        #expect(try free(world, depot) == ["20:00", "20:30"])
        #expect(try world.send("POST", Self.path, Self.body(world, "20:00", "20:30", depot)).status == 201)
        #expect(try free(world, depot) == ["20:30"])
        #expect(try free(world).count == 7)
        #expect(try world.send("POST", Self.path, Self.body(world, "20:15", "20:45", depot)).status == 409)
        #expect(try world.send("POST", Self.path, Self.body(world, "20:00", "20:30")).code == "closed")
        // Wrong hours are said where they were typed.
        let wrong = try save("", "", [("day.mon", "9 to 5")] + rest)
        #expect(
            wrong.status == 422 && wrong.text.contains("value=\"9 to 5\"")
                && wrong.text.contains("09:00-12:00, 13:00-17:00"), "\(wrong.status) \(wrong.text.prefix(600))")
        #expect(try save("place", "", week + rest).status == 422)
        #expect(
            try save("", "", [("day.thu", "10:00-11:00"), ("closed_days", "2026-03-05")] + rest.prefix(2)).status == 303
        )
        #expect(try free(world).isEmpty)
        // Somebody who saw the page before that does not undo it.
        let stale = try supervisor.post(
            "/visit-hours", [("revision", "0"), ("kind", ""), ("reference", ""), ("day.thu", "10:00-11:00")] + rest)
        #expect(stale.status == 412)
        #expect(try supervisor.post("/visit-hours/removal", [("kind", "place"), ("reference", "depot")]).status == 303)
        #expect(try supervisor.post("/visit-hours/removal", [("kind", "place"), ("reference", "depot")]).status == 404)
        #expect(try free(world, depot).isEmpty)
        let chinese = try supervisor.get("/visit-hours", headers: [("Accept-Language", "zh")])
        #expect(chinese.status == 200)
        let agent = try await world.scenario.user("agent", [.agent])
        #expect(try agent.get("/visit-hours").status == 403 && agent.post("/visit-hours", week + rest).status == 403)
        let auditor = try await world.scenario.user("auditor", [.auditor])
        #expect(try auditor.get("/audit").text.contains("Set the hours of visits"))
    }

    @Test(
        "it stands on its customer's page, with its ticket and in the timeline; a ticket's appointment is its customer's, and goes with them"
    )
    func customer() async throws {
        let world = try await ContractWorld(customers: 10)
        let owner = world.customers[2]
        let ticket = try world.send(
            "POST", "/tmf-api/troubleTicket/v4/troubleTicket",
            [
                "description": "No signal", "severity": "Minor", "ticketType": "fault",
                "relatedParty": [Samples.party(world, at: 2)],
            ])
        let forTicket: JSONObject = [
            "description": "Antenna",
            "relatedEntity": [["id": .string(ticket.id), "role": "cause", "@referredType": "TroubleTicket"]],
        ]
        let made = try world.send(
            "POST", Self.path, .object(forTicket.merging(["validFor": Self.period("09:00", "10:00")]) { $1 }))
        try #require(made.status == 201, "\(made.text)")
        #expect(made.body["relatedParty"]?.array?.first?["id"]?.string == owner.description)
        let plain = try world.send(
            "POST", Self.path,
            [
                "validFor": Self.period("13:00", "14:30"), "category": "salesIntervention",
                "relatedParty": [Samples.party(world, at: 2)],
            ])
        #expect(plain.status == 201)
        let agent = try await world.scenario.user("agent", [.agent])
        let page = try agent.get("/customers/\(owner)").text
        let row = try #require(
            page.split(separator: "</tr>").first { $0.contains(">\(ticket.body["externalId"]?.string ?? "-")<") })
        #expect(row.contains("2026-03-05 09:00 – 10:00") && row.contains("Not confirmed yet"), "\(row)")
        #expect(page.contains("2026-03-05 13:00 – 14:30") && page.contains("salesIntervention"))
        let timeline = try agent.get("/customers/\(owner)/timeline?show=appointment").text
        #expect(timeline.contains("Antenna") && timeline.contains("salesIntervention"), "\(timeline.prefix(400))")
        // Who sees no names reads no description; called off it is out of the way, and the timeline tells.
        #expect(try world.send("PATCH", "\(Self.path)/\(plain.id)", ["status": "cancelled"]).status == 200)
        #expect(try !agent.get("/customers/\(owner)").text.contains("13:00 – 14:30"))
        #expect(try agent.get("/customers/\(owner)/timeline?show=appointment").text.contains("Called off"))
        // The customer goes, and what is theirs with them.
        _ = try world.send("POST", Self.search, ["relatedParty": Samples.party(world, at: 2), "x-own": 1])
        try await world.scenario.tenant.database.write { session in
            try world.scenario.tenant.outbox.append(CustomersChanged(ids: [owner], fields: [], kind: .removed), session)
        }
        try await world.scenario.drain()
        for (path, id) in [(Self.path, made.id), (Self.path, plain.id)] {
            #expect(try world.send("GET", "\(path)/\(id)").status == 404)
        }
        for table in [
            "servicedesk_appointment", "servicedesk_appointment_party", "servicedesk_appointment_entity",
            "servicedesk_slot_search", "servicedesk_slot_free",
        ] {
            let left = try await world.scenario.tenant.database.read {
                try $0.count(SQL(trusted: "SELECT COUNT(*) FROM \(table) WHERE customer_id = $1"), [.id(owner)])
            }
            #expect(left == 0, "\(table)")
        }
    }

    @Test("who reaches some regions sees the appointments of their customers only, and still meets everybody's visits")
    func regions() async throws {
        let world = try await ContractWorld()
        let rows = try await world.scenario.tenant.database.read { session in
            try session.query(
                "SELECT customer_id, region FROM customers_listing WHERE region <> '' ORDER BY customer_id"
            ) { ($0.id(0, PartyKind.self), $0.text(1)) }
        }
        let (mine, region) = try #require(rows.first)
        let other = try #require(rows.first { $0.1 != region }?.0)
        func body(_ customer: CustomerID, _ from: String) -> JSONValue {
            [
                "validFor": Self.period("\(from):00", "\(from):50"),
                "relatedParty": [
                    ["id": .string(customer.description), "role": "customer", "@referredType": "Customer"]
                ],
            ]
        }
        let token = try await ContractWorld.token(
            world.scenario, "north", scopes: [TMFAPI(646, "appointment")], regions: [region])
        for _ in 0..<4 { #expect(try world.send("POST", Self.path, body(other, "10")).status == 201) }
        let theirs = try world.send("GET", Self.path).items.first?["id"]?.string ?? ""
        #expect(try world.send("GET", "\(Self.path)/\(theirs)", token: token).status == 404)
        #expect(try world.send("POST", Self.path, body(other, "11"), token: token).status == 403)
        let met = try world.send("POST", Self.path, body(mine, "10"), token: token)
        #expect(met.status == 409 && !met.text.contains(other.description), "\(met.text)")
        #expect(try world.send("POST", Self.path, body(mine, "11"), token: token).status == 201)
        let list = try world.send("GET", Self.path, token: token)
        #expect(list.items.count == 1 && list.header("X-Total-Count") == "1", "\(list.text)")
    }

    @Test("questions are let go of after a month, with what was kept beside them")
    func upkeep() async throws {
        let world = try await ContractWorld(customers: 10)
        let old = try world.send("POST", Self.search, ["x-own": 1])
        #expect(old.status == 201 && (old.body["availableTimeSlot"]?.array?.count ?? 0) > 20, "\(old.text)")
        world.scenario.clock.advance(days: 31)
        let tenant = world.scenario.tenant
        try await tenant.database.write {
            _ = try tenant.jobs.enqueue("servicedesk.upkeep", payload: "{}", by: "test", $0)
        }
        try await world.scenario.drain()
        // Tokens live for an hour.
        let late = try await ContractWorld(world.scenario)
        #expect(try late.send("GET", "\(Self.search)/\(old.id)").status == 404)
    }
}

private enum WorkingDays { static let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }
