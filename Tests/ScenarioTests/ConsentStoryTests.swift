import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What a customer agreed to decides who may be written to, from the first program to the file that leaves.
@Suite("From consent to message")
struct ConsentStoryTests {
    @Test("given, the message goes out once; withdrawn, the next one is refused; the customer page shows both, in both languages")
    func story() async throws {
        let outgoing = NSTemporaryDirectory() + "switchboard-outgoing-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: outgoing) }
        let scenario = try await Scenario.start(customers: 30) { $0.outgoing = outgoing }
        let world = try await ContractWorld(scenario)
        let customer = try #require(world.customers.first).description
        let (profiles, messages) = ("/tmf-api/privacyManagement/v4/partyPrivacyProfile", "/tmf-api/communicationManagement/v4/communicationMessage")
        let party: JSONValue = ["id": .string(customer), "@referredType": "Customer"]
        let message: JSONValue = [
            "messageType": "SMS", "content": "Twice the data for half a year", "sender": ["id": "op"], "characteristic": [["name": "purpose", "value": "marketing"]],
            "receiver": [["phoneNumber": "+8613900000001", "party": party]],
        ]
        // Nobody has asked yet.
        let early = try world.send("POST", messages, message)
        #expect(early.status == 409 && early.code == "no_consent" && early.text.contains("receiver[0]"), "\(early.text)")
        let audited = try await scenario.tenant.database.read { session in
            try session.query(
                """
                SELECT e.action, s.subject_id FROM platform_audit_event e JOIN platform_audit_subject s ON s.event_id = e.id
                WHERE e.refused AND s.subject_kind = 'customer'
                """
            ) { "\($0.text(0)) \($0.int(1))" }
        }
        #expect(audited == ["tmf.resource.create \(customer)"])
        // Agreed in the shop.
        let notice = try world.send(
            "POST", "/tmf-api/privacyManagement/v4/partyPrivacyProfileSpecification", [
                "name": "What we ask", "version": "1",
                "partyPrivacyProfileSpecCharacteristic": [["name": "sms", "privacyUsagePurpose": "MARKETING"]],
            ])
        try #require(notice.status == 201, "\(notice.text)")
        let said: JSONValue = [["name": "SMS", "privacyUsagePurpose": "MARKETING", "value": "allowed"]]
        let profile = try world.send(
            "POST", profiles,
            ["agreedByParty": party, "partyPrivacyProfileSpecification": ["id": .string(notice.id)], "collectionChannel": "shop", "partyPrivacyProfileCharacteristic": said])
        try #require(profile.status == 201, "\(profile.text)")
        let made = try world.send("POST", messages, message, [("Idempotency-Key", "\"first-message\"")])
        try #require(made.status == 201, "\(made.text)")
        #expect(try world.send("POST", messages, message, [("Idempotency-Key", "\"first-message\"")]).id == made.id)
        try await scenario.drain()
        try await scenario.drain()
        let sent = try world.send("GET", "\(messages)/\(made.id)").body
        #expect(sent["state"] == "completed" && sent["sendTime"]?.string != nil, "\(sent)")
        let folder = outgoing + "/default/sms"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["\(made.id)-0.json"])
        let file = try String(contentsOfFile: folder + "/\(made.id)-0.json", encoding: .utf8)
        #expect(file.contains("+8613900000001") && file.contains("Twice the data"))
        // Taken back with one call: at once, also for what waits already.
        let waiting = try world.send("POST", messages, .object((message.object ?? [:]).merging(["scheduledSendTime": "2099-01-01T00:00:00Z"]) { $1 }))
        #expect(waiting.status == 201)
        #expect(try world.send("DELETE", "\(profiles)/\(profile.id)").status == 204)
        let late = try world.send("POST", messages, message)
        #expect(late.status == 409 && late.text.contains("withdrawn"), "\(late.text)")
        #expect(try world.send("POST", messages, .object((message.object ?? [:]).merging(["characteristic": []]) { $1 })).status == 201, "service needs none")
        // On the customer page.
        let agent = try await scenario.user("ann", [.supervisor])
        for (language, words) in [("en", ["Consents", "Marketing", "Text messages", "Withdrawn"]), ("zh", ["客户同意", "营销", "短信", "已撤回"])] {
            let page = try agent.get("/customers/\(customer)", headers: [("Accept-Language", language)])
            for word in words { #expect(page.text.contains(word), "\(word)") }
        }
        let timeline = try agent.get("/customers/\(customer)/timeline?show=message").text
        #expect(timeline.contains("Twice the data for half a year"))
    }
}
