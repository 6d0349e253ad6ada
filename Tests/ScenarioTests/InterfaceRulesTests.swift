import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// Small rules that hold for all resources, over HTTP.
@Suite("Rules of the interface over HTTP")
struct InterfaceRulesTests {
    @Test("who takes no JSON gets 406 in the shape of TM Forum and nothing happens; who takes anything, or JSON among others, gets it")
    func accept() async throws {
        let world = try await ContractWorld(customers: 10)
        let path = "/tmf-api/party/v4/individual"
        let before = try world.send("GET", path).header("X-Total-Count")
        for refused in ["text/html", "application/xml;q=0.9, text/*", "application/json;q=0", "*/*, application/json;q=0.0"] {
            for method in ["GET", "POST"] {
                let body: JSONValue? = method == "POST" ? ["familyName": "Li", "givenName": "Fang"] : nil
                let answer = try world.send(method, path, body, [("Accept", refused)])
                #expect(answer.status == 406 && answer.code == "not_acceptable" && answer.body["@type"] == "Error", "\(refused): \(answer.text)")
                #expect(answer.body["status"] == "406" && answer.body["reason"] == "Not Acceptable" && answer.text.contains("Accept"))
            }
        }
        for taken in ["*/*", "application/*", "application/json;charset=utf-8", "text/html, application/xhtml+xml, */*;q=0.8", "TEXT/HTML, Application/JSON;q=0.1"] {
            #expect(try world.send("GET", path, nil, [("Accept", taken)]).status < 300, "\(taken)")
        }
        #expect(try world.send("GET", path).header("X-Total-Count") == before)
    }

    @Test("a word that is no state is 400 and names the states; a state that cannot follow is 409; the server says when something changed last")
    func catalogue() async throws {
        let world = try await ContractWorld(customers: 10)
        let path = "/tmf-api/productCatalogManagement/v4/productOffering"
        let unknown = try world.send("POST", path, ["name": "a", "lifecycleStatus": "Sleeping"])
        #expect(unknown.status == 400 && unknown.code == "unknown_state" && unknown.text.contains("Retired"), "\(unknown.text)")
        let made = try world.send("POST", path, ["name": "a", "lastUpdate": "1999-01-01T00:00:00Z"])
        #expect(made.status == 201 && made.body["lastUpdate"]?.string?.hasPrefix("1999") == false && made.body["lastUpdate"] != nil, "\(made.text)")
        #expect(try world.send("GET", "\(path)/\(made.id)").body == made.body)
        let changed = try world.send("PATCH", "\(path)/\(made.id)", ["lifecycleStatus": "Sleeping"])
        #expect(changed.status == 400 && changed.code == "unknown_state", "\(changed.text)")
        let illegal = try world.send("PATCH", "\(path)/\(made.id)", ["lifecycleStatus": "Obsolete"])
        #expect(illegal.status == 409 && illegal.code == "illegal_transition", "\(illegal.text)")
    }

    @Test("an address that leads here is not called missing: the reason says that it leads here")
    func addressed() async throws {
        let world = try await ContractWorld(customers: 10)
        func ticket(_ href: String?) throws -> ContractWorld.Answer {
            var party: JSONObject = ["id": "5", "role": "customer", "@referredType": "Customer"]
            party["href"] = href.map { .string($0) }
            return try world.send(
                "POST", "/tmf-api/troubleTicket/v4/troubleTicket",
                ["description": "d", "severity": "Major", "ticketType": "fault", "relatedParty": .array([.object(party)])])
        }
        let plain = try ticket(nil)
        #expect(plain.status == 400 && plain.text.contains("give an absolute href"), "\(plain.text)")
        let own = try #require(world.send("GET", "/tmf-api/customerManagement/v4/customer?limit=1").items.first?["href"]?.string)
        let here = try ticket(own.split(separator: "/").dropLast().joined(separator: "/").replacingOccurrences(of: ":/", with: "://") + "/5")
        #expect(here.status == 400 && here.code == "unknown_party" && here.text.contains("leads here too"), "\(here.text)")
        #expect(!here.text.contains("give an absolute href"))
        #expect(try ticket("https://elsewhere.example.com/customer/5").status == 201)
    }

    @Test("a birth date is found by the day alone and comes back as it was sent; who may not see it is given none")
    func birthday() async throws {
        let world = try await ContractWorld(customers: 10)
        let path = "/tmf-api/party/v4/individual"
        for sent in ["1990-05-01T00:00:00+08:00", "1990-05-01", "1990-05-01T00:00:00Z"] {
            let made = try world.send("POST", path, ["familyName": "Li", "givenName": "Fang", "birthDate": .string(sent)])
            #expect(made.status == 201 && made.body["birthDate"] == .string(sent), "\(made.text)")
            let found = try world.send("GET", "\(path)?birthDate=1990-05-01&limit=100").items
            #expect(found.contains { $0["id"] == made.body["id"] }, "\(sent)")
        }
        #expect(try world.send("GET", "\(path)?birthDate=1990-05-02").items.isEmpty)
    }
}
