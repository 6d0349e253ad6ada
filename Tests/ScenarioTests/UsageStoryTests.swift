import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Usage events over HTTP and on the customer page.
@Suite("Usage over HTTP")
struct UsageStoryTests {
    private func line(_ scenario: Scenario) async throws -> (customer: Int64, number: String) {
        let found = try await scenario.tenant.database.read { session in
            try session.first(
                """
                SELECT s.customer_id, s.msisdn FROM customers_subscription s JOIN customers_identifier i
                  ON i.kind = 'msisdn' AND i.value = s.msisdn AND i.customer_id = s.customer_id
                WHERE s.msisdn IS NOT NULL AND s.status = 'active' ORDER BY s.customer_id LIMIT 1
                """
            ) { ($0.int(0), $0.text(1)) }
        }
        return try #require(found)
    }

    @Test("events sent as lines are counted once under their key, refused with field and reason, and shown on the page")
    func events() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let supervisor = try await scenario.user("super", [.supervisor])
        let (customer, number) = try await line(scenario)
        let page = "/customers/\(customer)"
        #expect(!(try supervisor.get(page).text.contains("Usage by day")))
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        let lines = """
            {"id":"a","line":"\(number)","kind":"voice","start":"\(day)T10:00:00+08:00","duration_s":61,"dropped":true}
            {"id":"b","line":"\(number)","kind":"data","start":"\(day)T11:00:00+08:00","bytes":2147483648,"roaming":true,"speed_mbps":42.5}
            {"id":"c","line":"\(number)","kind":"sms","start":"\(day)T12:00:00+08:00","strange":1}
            {"id":"d","id":"e","line":"\(number)","kind":"sms","start":"\(day)"}
            {"id":"f","line":"13000000001","kind":"sms","start":"\(day)"}
            """
        let path = "/api/usage/events?source=switch-1"
        let first = try supervisor.postLines(path, lines, key: "usage-key-0001")
        #expect(first.status == 200, "\(first.text)")
        let counts = try #require(try JSONValue.parse(Array(first.text.utf8)).object?["counts"]?.object)
        let expected: [String: JSONValue] = [
            "read": .int(5), "taken": .int(2), "duplicate": .int(0), "corrected": .int(0), "cancelled": .int(0),
            "unmatched": .int(1), "rejected": .int(2),
        ]
        #expect(counts == expected)
        #expect(first.text.contains("strange") && first.text.contains("unknown_field"))
        // The same request again: the same answer. Another with the same events: duplicates.
        #expect(try supervisor.postLines(path, lines, key: "usage-key-0001").text == first.text)
        #expect(try supervisor.postLines(path, lines).text.contains(#""duplicate":3"#))
        let shown = try supervisor.get(page).text
        #expect(shown.contains("Usage by day") && shown.contains("2.0 GB") && shown.contains("42.5 Mbit/s"))
        #expect(shown.contains("1 (100.0 %)"))
        try supervisor.post("/preferences", [("language", "zh")])
        #expect(try supervisor.get(page).text.contains("每日使用情况"))
    }

    @Test("the page of usage shows sources, files with what was refused, and unknown lines masked for those who may not see numbers")
    func page() async throws {
        let scenario = try await Scenario.start(customers: 40)
        let supervisor = try await scenario.user("super", [.supervisor])
        #expect(try supervisor.get("/usage").text.contains("No usage has come in yet"))
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        let line = #"{"id":"f","line":"13000000001","kind":"sms","start":"\#(day)"}"#
        #expect(try supervisor.postLines("/api/usage/events?source=switch-1", line).status == 200)
        let file = NSTemporaryDirectory() + "usage-\(UUID().uuidString).csv"
        try Data("id,number,kind,start,seconds\n1,13000000002,voice,\(day) 10:00:00,5\n2,13000000002,voice,2026-02-30,5\n".utf8)
            .write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let report = try await scenario.runtime.modules.usage(scenario.tenant).importFile(
            file, .init(source: "switch-2"), principal: scenario.runtime.operatorPrincipal(tenant: "default"))
        #expect(report.rejected == 1 && report.unmatched == 1)
        let page = try supervisor.get("/usage").text
        for word in ["switch-1", "switch-2", "Done", "1 × there is no such day (start)", "13000000001", "13000000002"] {
            #expect(page.contains(word), "\(word)")
        }
        let admin = try await scenario.user("admin", [.administrator])
        let masked = try admin.get("/usage")
        #expect(masked.status == 200 && !masked.text.contains("13000000001") && masked.text.contains("0001"))
        #expect(try await scenario.user("agent", [.agent]).get("/usage").status == 403)
    }

    @Test("events of unknown lines and refused rows are files of a run and of all, masked and recorded like other exports")
    func files() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        func bring(_ source: String, _ number: String) async throws -> String {
            let file = NSTemporaryDirectory() + "usage-\(UUID().uuidString).csv"
            defer { try? FileManager.default.removeItem(atPath: file) }
            let rows = "1,\(number),voice,\(day) 10:00:00,61.5\n2,\(number),voice,2026-02-30,5\n3,\(number),sms,\(day),\n"
            try Data(("id,number,kind,start,seconds\n" + rows).utf8).write(to: URL(fileURLWithPath: file))
            return try await scenario.runtime.modules.usage(scenario.tenant).importFile(
                file, .init(source: source), principal: scenario.runtime.operatorPrincipal(tenant: "default")).run
        }
        let (first, second) = (try await bring("switch-1", "13000000001"), try await bring("switch-2", "13000000002"))
        let line = #"{"id":"f","line":"13000000003","kind":"data","start":"\#(day)","bytes":77}"#
        #expect(try supervisor.postLines("/api/usage/events?source=app", line).status == 200)
        let page = try supervisor.get("/usage").text
        for path in ["/usage/unmatched", "/usage/rejected", "/usage/runs/\(first)/unmatched", "/usage/runs/\(second)/rejected"] {
            #expect(page.contains("href=\"\(path)\""), "\(path)")
        }
        func lines(_ visitor: Visitor, _ path: String) throws -> [String] {
            let answer = try visitor.get(path)
            #expect(answer.status == 200 && answer.header("content-type") == "text/csv; charset=utf-8")
            return answer.text.split(whereSeparator: \.isNewline).map(String.init)
        }
        let all = try lines(supervisor, "/usage/unmatched")
        #expect(all.count == 6 && all[0].contains("source,file,line,named_by,kind,day,duration_s"), "\(all)")
        #expect(all.contains { $0.contains("13000000001") && $0.contains(",voice,\(day),61.5,") }, "\(all)")
        #expect(all.contains { $0.hasPrefix("app,,") && $0.contains("13000000003") && $0.contains(",77,") }, "\(all)")
        let mine = try lines(supervisor, "/usage/runs/\(second)/unmatched")
        #expect(mine.count == 3 && mine.dropFirst().allSatisfy { $0.contains("13000000002") }, "\(mine)")
        let refused = try lines(supervisor, "/usage/rejected")
        #expect(refused.count == 3 && refused[1].contains("no_such_day") && refused[1].contains("日期不存在"), "\(refused)")
        #expect(try lines(supervisor, "/usage/runs/\(first)/rejected").count == 2)
        // Numbers are masked for those who may not see them; others get nothing; what was given is recorded.
        let masked = try lines(try await scenario.user("admin", [.administrator]), "/usage/unmatched")
        #expect(masked.count == 6 && !masked.contains { $0.contains("13000000001") })
        #expect(try await scenario.user("agent", [.agent]).get("/usage/unmatched").status == 403)
        #expect(try supervisor.get("/usage/runs/12345/unmatched").status == 404)
        let recorded = try await scenario.tenant.database.read { session in
            try session.query(
                "SELECT unmasked FROM platform_audit_event WHERE action = 'usage.events.export' ORDER BY id"
            ) { $0.text(0) }
        }
        #expect(recorded == ["line", "line", "event_id", "event_id", ""], "\(recorded)")
    }

    @Test("who may not bring in usage is refused; so are another type of body, no source, no key and too much")
    func refusals() async throws {
        let scenario = try await Scenario.start()
        let agent = try await scenario.user("agent", [.agent])
        #expect(try agent.postLines("/api/usage/events?source=s", "{}\n").status == 403)
        let supervisor = try await scenario.user("super", [.supervisor])
        #expect(try supervisor.postLines("/api/usage/events", "{}\n").status == 422)
        #expect(try supervisor.postLines("/api/usage/events?source=s&lines=x", "{}\n").status == 422)
        #expect(try supervisor.postLines("/api/usage/events?source=s", "{}\n", key: "short").status == 400)
        #expect(try supervisor.postJSON("/api/usage/events?source=s", "{}").status == 415)
        let many = String(repeating: "{}\n", count: 20_001)
        #expect(try supervisor.postLines("/api/usage/events?source=s", many).status == 413)
        let large = String(repeating: " ", count: 4 << 20) + "{}\n"
        #expect(try supervisor.postLines("/api/usage/events?source=s", large).status == 413)
    }

    @Test("a usage that a program brings is on the customer's page once, under its key and under its id, and its allowance is told")
    func program() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let world = try await ContractWorld(scenario)
        let supervisor = try await scenario.user("super", [.supervisor])
        let (customer, number) = try await line(scenario)
        let day = scenario.clock.now().date(offsetMinutes: 480).description
        let path = "/tmf-api/usageManagement/v4/usage"
        func body(_ bytes: Int64) -> JSONValue {
            [
                "usageDate": .string(day + "T00:00:00+08:00"), "usageSpecification": ["id": "103"],
                "usageCharacteristic": [
                    ["name": "externalId", "value": "s-1"], ["name": "msisdn", "value": .string(number)], ["name": "volume", "value": .int(bytes)],
                ],
            ]
        }
        let key = [("Idempotency-Key", "usage-one-by-one-1")]
        let made = try world.send("POST", path, body(3 << 30), key)
        #expect(made.status == 201 && made.body["status"] == "guided", "\(made.text)")
        #expect(try world.send("POST", path, body(3 << 30), key).body == made.body)
        let again = try world.send("POST", path, body(3 << 30))
        #expect(again.status == 409 && again.code == "duplicate_usage" && again.text.contains(made.id), "\(again.text)")
        let page = "/customers/\(customer)"
        let shown = try supervisor.get(page).text
        #expect(shown.contains("Usage by day") && shown.contains("3.0 GB") && !shown.contains("6.0 GB"))
        #expect(try supervisor.get("/usage").text.contains("tmf635"))
        let query = try world.send(
            "POST", "/tmf-api/usageConsumption/v4/queryUsageConsumption", ["searchCriteria": ["logicalResource": [["id": .string(number)]]]])
        let buckets = query.body["usageConsumption"]?.array?.first?["bucketRefOrValue"]?.array ?? []
        let data = try #require(buckets.first { $0["usageType"] == "data" }, "\(query.text)")
        #expect(data["bucketCounter"]?.array?.first?["value"] == ["amount": 3_072, "units": "MB"], "\(data)")
        // Whose usage it was and who was told about is in the audit, though only the number was sent.
        let seen = try await scenario.tenant.database.read {
            try $0.count(
                """
                SELECT COUNT(*) FROM platform_audit_event e JOIN platform_audit_subject s ON s.event_id = e.id
                WHERE e.action = 'tmf.resource.create' AND s.subject_kind = 'customer' AND s.subject_id = $1
                """, [.int(customer)])
        }
        #expect(seen == 2)
        #expect(try world.send("DELETE", path + "/" + made.id).status == 204)
        #expect(!(try supervisor.get(page).text.contains("3.0 GB")))
    }
}
