import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// What programs open as trouble tickets, at the desk of those who work on them.
@Suite("Cases at the desk")
struct CaseStoryTests {
    private func ticket(_ world: ContractWorld, _ description: String, of customer: CustomerID? = nil) throws -> (id: String, number: String) {
        var body: JSONObject = [
            "description": .string(description), "severity": .string("Major"), "ticketType": .string("fault"), "priority": .string("high"),
        ]
        if let customer {
            body["relatedParty"] = .array([
                .object(["id": .string(customer.description), "role": .string("customer"), "@referredType": .string("Customer")])
            ])
        }
        let made = try world.send("POST", "/tmf-api/troubleTicket/v4/troubleTicket", .object(body))
        #expect(made.status == 201, "\(made.text)")
        return (made.id, made.body["externalId"]?.string ?? "")
    }

    @Test("a ticket of nobody lands among the cases, is found by its number and worked on; whoever is late or asks for what may not follow is told")
    func nobodys() async throws {
        let world = try await ContractWorld(customers: 30)
        let scenario = world.scenario
        let agent = try await scenario.user("ana", [.agent])
        let ticket = try ticket(world, "Mast 17 is down")
        let lost = try agent.get("/cases?show=nobody")
        #expect(lost.status == 200 && lost.text.contains("Mast 17 is down") && lost.text.contains("No customer") && lost.text.contains(ticket.number))
        #expect(try agent.get("/cases").text.contains(ticket.number), "it is open, so it is among the open ones too")
        let search = try #require(try agent.post("/search", [("q", ticket.number)]).header("location"))
        #expect(try agent.get(search).header("location") == "/cases/\(ticket.id)", "the only hit is opened")
        let byWords = try #require(agent.post("/search", [("q", "mast down")]).header("location"))
        #expect(try agent.get(byWords).header("location") == "/cases/\(ticket.id)", "found by its words too")
        let address = "/tmf-api/troubleTicket/v4/troubleTicket/\(ticket.id)"
        let renamed = try world.send("PATCH", address, .object(["name": .string("Tower"), "description": .string("Antenna is out")]))
        #expect(renamed.status == 200, "\(renamed.text)")
        for (words, isFound) in [("mast down", false), ("antenna", true), ("tower", true)] {
            let place = try #require(agent.post("/search", [("q", words)]).header("location"))
            #expect(try (agent.get(place).header("location") == "/cases/\(ticket.id)") == isFound, "\(words)")
        }
        #expect(try world.send("PATCH", address, .object(["name": .null, "description": .string("Mast 17 is down")])).status == 200)
        let path = "/cases/\(ticket.id)"
        let page = try agent.get(path)
        #expect(page.status == 200 && page.text.contains("Mast 17 is down") && agent.isClean(page.text), "\(page.text)")
        let seen = try agent.version(path)
        let moved = try agent.post(path + "/status", [("revision", seen), ("status", "inProgress"), ("reason", "Crew is on its way")])
        #expect(moved.status == 303, "\(moved.text)")
        let after = try agent.get(path).text
        #expect(after.contains("Crew is on its way") && after.contains("In progress"))
        // The version of before.
        let late = try agent.post(path + "/status", [("revision", seen), ("status", "resolved"), ("reason", "Done <b>")])
        #expect(late.status == 412 && late.text.contains("Done &lt;b&gt;"), "\(late.status)")
        // Closed does not follow on in progress.
        let wrong = try agent.fill(path, path + "/status", [("status", "closed"), ("reason", "")])
        #expect(wrong.status == 409 && wrong.text.contains("resolved"), "\(wrong.text)")
        #expect(try world.send("GET", "/tmf-api/troubleTicket/v4/troubleTicket/\(ticket.id)").body["status"]?.string == "inProgress")
        #expect(try agent.fill(path, path + "/status", [("status", "resolved"), ("reason", "")]).status == 303)
        #expect(try !agent.get("/cases?show=open").text.contains(ticket.number) && agent.get("/cases?show=ended").text.contains(ticket.number))
        let chinese = try agent.get(path, headers: [("Accept-Language", "zh")])
        #expect(chinese.text.contains("未关联客户") && chinese.text.contains("已解决") && !chinese.text.contains("[["))
    }

    @Test("who reaches some regions sees their customers' cases only; who may not see names does not read what was said; pages go on")
    func reach() async throws {
        let world = try await ContractWorld(customers: 30)
        let scenario = world.scenario
        let (mine, other) = try await scenario.tenant.database.read { session in
            let all = try session.query("SELECT id, region FROM customers_customer WHERE region IS NOT NULL ORDER BY id") { row in
                (row.id(0, PartyKind.self), row.text(1))
            }
            let first = try #require(all.first)
            return (first, try #require(all.first { $0.1 != first.1 }))
        }
        let (near, far, none) = (try ticket(world, "near", of: mine.0), try ticket(world, "far", of: other.0), try ticket(world, "of nobody"))
        let again = try await scenario.user("reg", [.agent], regions: [mine.1])
        let list = try again.get("/cases?show=all").text
        #expect(list.contains(near.number) && !list.contains(far.number) && !list.contains(none.number))
        #expect(try again.get("/cases/\(near.id)").status == 200)
        for hidden in [far, none] { #expect(try again.get("/cases/\(hidden.id)").status == 404) }
        #expect(try !again.get("/cases?show=nobody").text.contains(none.number))
        let administrator = try await scenario.user("adm", [.administrator])
        let masked = try administrator.get("/cases/\(near.id)")
        #expect(masked.status == 200 && !masked.text.contains(">near<"))
        // Fifty a page: the rest is behind a link.
        for number in 0..<60 { _ = try ticket(world, "row \(number)") }
        let first = try administrator.get("/cases?show=nobody").text
        let next = try #require(first.firstMatch(of: /rel="next" href="([^"]+)"/)).1.replacing("&amp;", with: "&")
        let rest = try administrator.get(String(next)).text
        func ids(_ text: String) -> Set<String> { Set(text.matches(of: /href="\/cases\/(\d+)"/).map { String($0.1) }) }
        #expect(ids(first).isDisjoint(with: ids(rest)) && ids(first).union(ids(rest)).count == 61)
    }
}
