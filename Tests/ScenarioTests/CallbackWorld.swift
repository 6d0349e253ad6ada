import App
import Foundation
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

/// The product with hubs that may call a server of this machine.
struct CallbackWorld: Sendable {
    let contract: ContractWorld
    let server: CallbackServer
    var scenario: Scenario { contract.scenario }

    init() async throws {
        server = try CallbackServer()
        contract = try await ContractWorld(try await Scenario.start { $0.hubHosts = ["127.0.0.1"] })
    }

    func subscribe(_ api: String, version: String = "v4") throws -> (id: String, secret: String) {
        let body = JSONValue.object(["callback": .string("\(server.address)/\(api)")])
        let answer = try contract.send("POST", "/tmf-api/\(api)/\(version)/hub", body)
        #expect(answer.status == 201, "\(answer.text)")
        return (answer.id, answer.body["secret"]?.string ?? "")
    }

    func make(_ path: String, _ body: String) throws -> String {
        let answer = try contract.send("POST", "/tmf-api/\(path)", text: body)
        #expect(answer.status == 201, "\(answer.text)")
        return answer.id
    }

    func person(_ name: String) throws -> String {
        try make("party/v4/individual", #"{"familyName":"\#(name)","givenName":"Fang"}"#)
    }

    func customer(_ party: String, _ name: String) throws -> String {
        try make(
            "customerManagement/v4/customer",
            #"{"name":"\#(name) Fang","engagedParty":{"id":"\#(party)","@referredType":"Individual"}}"#)
    }

    func ticket(_ customer: String, _ text: String) throws -> String {
        try make(
            "troubleTicket/v4/troubleTicket",
            #"""
            {"description":"\#(text)","severity":"Major","ticketType":"fault",
             "relatedParty":[{"id":"\#(customer)","role":"customer","@referredType":"Customer"}]}
            """#)
    }

    func remove(_ path: String) throws {
        let answer = try contract.send("DELETE", "/tmf-api/\(path)")
        #expect(answer.status == 204, "\(path) \(answer.text)")
    }

    /// What came to the callback of an interface: type and document.
    func told(_ api: String, _ resource: String) throws -> [(type: String, document: JSONObject)] {
        try server.asked.filter { $0.path == "/" + api }.map { request in
            let event = try JSONValue.parse(request.body)
            return (event["eventType"]?.string ?? "", event["event"]?[resource]?.object ?? [:])
        }
    }

    /// How many values of the hub's tables hold a text.
    func found(_ text: String) async throws -> Int {
        try await scenario.tenant.database.read { session in
            var count = 0
            for (table, columns) in [
                ("tmf_hub", 16), ("tmf_hub_delivery", 18), ("tmf_hub_seen", 8), ("tmf_hub_seen_named", 5),
                ("tmf_hub_told", 3), ("tmf_hub_last", 9), ("tmf_hub_last_named", 4), ("tmf_kept", 3),
            ] {
                try session.forEach(SQL(trusted: "SELECT * FROM \(table)"), []) { row in
                    for column in 0..<columns where "\(row.value(column))".contains(text) { count += 1 }
                    return true
                }
            }
            return count
        }
    }

    /// Last documents and what they name.
    func kept() async throws -> Int {
        try await scenario.tenant.database.read {
            try $0.count("SELECT COUNT(*) FROM tmf_hub_last") + $0.count("SELECT COUNT(*) FROM tmf_hub_last_named")
                + $0.count("SELECT COUNT(*) FROM tmf_hub_seen") + $0.count("SELECT COUNT(*) FROM tmf_hub_seen_named")
        }
    }
}
