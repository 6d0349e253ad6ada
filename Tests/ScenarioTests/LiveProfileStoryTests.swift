import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Events over HTTP, counters on their page, and the live profile on the customer page.
@Suite("Live profile over HTTP")
struct LiveProfileStoryTests {
    private func line(_ scenario: Scenario) async throws -> (customer: Int64, number: String) {
        let found = try await scenario.tenant.database.read { session in
            try session.first(
                "SELECT customer_id, value FROM customers_identifier WHERE kind = 'msisdn' ORDER BY customer_id LIMIT 1"
            ) { ($0.int(0), $0.text(1)) }
        }
        return try #require(found)
    }

    @Test("a counter made on its page counts from then on; what is sent stands on the customer page at once, once")
    func story() async throws {
        let scenario = try await Scenario.start(customers: 40)
        let admin = try await scenario.user("admin", [.administrator])
        let agent = try await scenario.user("agent", [.agent])
        let (customer, number) = try await line(scenario)
        let now = scenario.clock.now().iso8601
        func event(_ id: String, _ rest: String = "") -> String {
            #"{"id":"\#(id)","kind":"app.login","at":"\#(now)","msisdn":"\#(number)"\#(rest)}"#
        }
        // Nobody counts it yet.
        let early = try admin.postLines("/api/events?source=app", event("0"))
        #expect(early.status == 200 && early.text.contains(#""unused":[1]"#), "\(early.text)")
        let form = [
            ("name", "app_log_ins"), ("title_en", "Log-ins to the app"), ("title_zh", "应用登录"), ("kind", "app.login"),
            ("distinct_field", "device"), ("sum_field", "minutes"), ("unit", "min"),
        ]
        #expect(try admin.post("/counters", form).status == 303)
        let again = try admin.post("/counters", form)
        #expect(again.status == 422 && again.text.contains("There is a counter") && again.text.contains(#"value="app_log_ins""#))
        let lines = [
            event("1", #","attributes":{"device":"a","minutes":12.5}"#), event("2", #","attributes":{"device":"b"}"#),
            event("2", #","attributes":{"device":"c"}"#), #"{"id":"3","kind":"app.login"}"#,
            #"{"id":"4","kind":"app.login","at":"\#(now)","msisdn":"13000000001"}"#,
        ].joined(separator: "\n")
        let taken = try admin.postLines("/api/events?source=app", lines, key: "profile-key-0001")
        let answer = try #require(try JSONValue.parse(Array(taken.text.utf8)).object)
        let counts: [String: JSONValue] = [
            "read": .int(5), "counted": .int(2), "unused": .int(0), "duplicate": .int(1), "waiting": .int(1), "rejected": .int(1),
        ]
        #expect(answer["counts"]?.object == counts, "\(taken.text)")
        #expect(answer["duplicate"] == .array([.int(3)]) && answer["waiting"] == .array([.int(5)]))
        let refused = answer["rejected"]?.array?.first?.object
        #expect(refused?["number"] == .int(4) && refused?["id"] == .string("3") && refused?["code"] == .string("no_customer"))
        // The same request again: the same answer, and nothing counted twice; nor as an array under another key.
        #expect(try admin.postLines("/api/events?source=app", lines, key: "profile-key-0001").text == taken.text)
        let page = try agent.get("/customers/\(customer)").text
        #expect(page.contains("Log-ins to the app") && page.contains("12.5 min") && page.contains("2 ×") && page.contains("≠ 2"))
        try agent.post("/preferences", [("language", "zh")])
        #expect(try agent.get("/customers/\(customer)").text.contains("应用登录"))
        // The page of counters: sources, and who is waited for, masked for those who may not see numbers.
        let counters = try admin.get("/counters").text
        #expect(counters.contains("app_log_ins") && counters.contains("Events of unknown customers"))
        let analyst = try await scenario.user("ana", [.analyst])
        let masked = try analyst.get("/counters").text
        #expect(!masked.contains("13000000001") && masked.contains("0001"))
        #expect(try agent.get("/counters").status == 403)
        #expect(try agent.postLines("/api/events?source=app", lines).status == 403)
    }

    @Test("a counter given another meaning counts from now; its name can change without; removed it is gone from the page")
    func editing() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let admin = try await scenario.user("admin", [.administrator])
        let (customer, number) = try await line(scenario)
        let page = "/customers/\(customer)"
        #expect(try admin.post("/counters", [("name", "visits"), ("title_en", "Visits"), ("kind", "shop.visit")]).status == 303)
        let id = try await scenario.tenant.database.read { session in
            try session.count("SELECT id FROM profiles_counter WHERE name = 'visits'")
        }
        func send(_ event: String) throws {
            let line = #"{"id":"\#(event)","kind":"shop.visit","at":"\#(scenario.clock.now().iso8601)","msisdn":"\#(number)"}"#
            #expect(try admin.postLines("/api/events?source=shop", line).status == 200)
        }
        func edit(_ fields: [(String, String)]) throws -> Int {
            let text = try admin.get("/counters").text
            let pattern = try Regex("action=\"/counters/\(id)\">.*?name=\"revision\" value=\"([^\"]+)\"", as: (Substring, Substring).self)
            let version = String(try #require(text.firstMatch(of: pattern.dotMatchesNewlines())).1)
            return try admin.post("/counters/\(id)", [("revision", version)] + fields).status
        }
        try send("1")
        #expect(try admin.get(page).text.contains("Visits"))
        #expect(try edit([("title_en", "Shop visits"), ("kind", "shop.visit")]) == 303)
        #expect(try admin.get(page).text.contains("Shop visits"))
        #expect(try admin.post("/counters/\(id)", [("revision", "old"), ("title_en", "X"), ("kind", "shop.visit")]).status == 412)
        scenario.clock.advance(seconds: 60)
        #expect(try edit([("title_en", "Shop visits"), ("kind", "shop.visit"), ("conditions", "city != Rome")]) == 303)
        #expect(!(try admin.get(page).text.contains("Shop visits")))
        try send("2")
        #expect(try admin.get(page).text.contains("Shop visits"))
        #expect(try admin.post("/counters/\(id)/removal").status == 303)
        #expect(!(try admin.get(page).text.contains("Shop visits")))
        #expect(try admin.post("/counters/\(id)/removal").status == 404)
        let bad = try admin.post("/counters", [("name", "x"), ("title_en", "X"), ("kind", "usage.data"), ("conditions", "a = b")])
        #expect(bad.status == 422 && bad.text.contains("sums of days"))
    }

    @Test("usage stands in the live profile as the sums of its days, and a correction corrects it")
    func usage() async throws {
        let scenario = try await Scenario.start(customers: 40)
        let supervisor = try await scenario.user("super", [.supervisor])
        let (customer, number) = try await line(scenario)
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -3).description
        func send(_ version: Int, _ megabytes: Int) throws {
            let line =
                #"{"id":"b","line":"\#(number)","kind":"data","start":"\#(day)T11:00:00+08:00","bytes":\#(megabytes << 20),"version":\#(version)}"#
            #expect(try supervisor.postLines("/api/usage/events?source=s", line).text.contains(#""rejected":0"#))
        }
        try send(0, 777)
        #expect(try supervisor.get("/customers/\(customer)").text.contains("777 MB<small>1 ×"))
        try send(1, 555)
        let page = try supervisor.get("/customers/\(customer)").text
        #expect(page.contains("555 MB<small>1 ×") && !page.contains("777 MB"))
    }
}
