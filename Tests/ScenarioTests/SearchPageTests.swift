import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// The page of search results has an address of its own, which tells nobody what was looked for.
@Suite("Search results")
struct SearchPageTests {
    private func results(_ visitor: Visitor, _ text: String) throws -> (path: String, page: RawHTTP.Answer) {
        let answer = try visitor.post("/search", [("q", text)])
        #expect(answer.status == 303)
        let path = try #require(answer.header("location"))
        return (path, try visitor.get(path))
    }

    @Test(
        "a search leads to an address that can be opened again, in the other language too, and holds nothing in clear")
    func address() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let agent = try await scenario.user("mei", [.agent])
        let (path, page) = try results(agent, "王")
        #expect(path.hasPrefix("/search?q=") && path.utf8.count < 200)
        #expect(!path.contains("王") && !path.contains("%") && !path.contains("546L"))
        #expect(page.status == 200 && page.text.contains("value=\"王\""))
        #expect(page.text.contains("name=\"return\" value=\"\(path)\""), "the language switch comes back here")
        let again = try agent.get(path)
        #expect(again.status == 200 && again.text.contains("value=\"王\""), "as Back and reloading do")
        // The same words make another address each time.
        #expect(try results(agent, "王").path != path)
        #expect(try agent.get("/search").status == 200)
        #expect(try agent.post("/search", [("q", " ")]).header("location") == "/search")
    }

    @Test("the address opens for the person who typed it and, damaged, for nobody")
    func strangers() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let agent = try await scenario.user("mei", [.agent])
        let other = try await scenario.user("bo", [.agent])
        try other.post("/preferences", [("language", "en")])
        let path = try results(agent, "李").path
        for (visitor, place) in [
            (other, path), (other, path.dropLast(6) + "AAAAAA"), (other, "/search?q=x"),
            (other, "/search?q=" + String(repeating: "A", count: 1_900)),
        ] as [(Visitor, String)] {
            let answer = try visitor.get(place)
            #expect(answer.status == 400 && answer.text.contains("damaged or belongs to somebody else"))
            #expect(!answer.text.contains("李") && !answer.text.contains("href=\"/customers/"))
        }
        #expect(try agent.get(path).status != 400)
    }

    @Test("a whole number that one customer alone has leads to the page at once, and the search is recorded with whom it showed")
    func wholeNumber() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        func add(_ name: String, _ phone: String) throws -> String {
            let answer = try supervisor.post(
                "/customers", [("f_full_name", name), ("f_kind", "individual"), ("f_phone", phone)])
            #expect(answer.status == 303)
            return try #require(answer.header("location"))
        }
        func events(_ action: String) async throws -> [String] {
            try await scenario.tenant.database.read { session in
                try session.query(
                    """
                    SELECT s.subject_id FROM platform_audit_event e
                    LEFT JOIN platform_audit_subject s ON s.event_id = e.id WHERE e.action = $1 ORDER BY e.id
                    """, [.text(action)]
                ) { $0.optionalInt(0).map { "\($0)" } ?? "-" }
            }
        }
        let path = try add("Ada One", "13912345678")
        for text in ["13912345678", "+86 139-1234-5678", " 139 1234 5678 "] {
            #expect(try supervisor.post("/search", [("q", text)]).header("location") == path, "\(text)")
        }
        let id = path.replacing("/customers/", with: "")
        #expect(try await events("console.search.run") == [id, id, id])
        #expect(try await events("console.search.ask").isEmpty)
        // Nobody has it, two have it, or it is the tail of one: the page of results tells.
        _ = try add("Bea Two", "13912345678")
        for text in ["13912345679", "13912345678", "5678", "Ada One"] {
            let place = try #require(try supervisor.post("/search", [("q", text)]).header("location"))
            #expect(place.hasPrefix("/search?q="), "\(text)")
        }
        #expect(try await events("console.search.ask") == ["-", "-", "-", "-"])
        // Who may not see customers learns nothing from where it leads.
        let nobody = try await scenario.user("nil", [])
        #expect(try nobody.post("/search", [("q", "13912345678")]).status == 403)
    }

    @Test("more matches than a page holds are never counted as that many; more can be shown")
    func many() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let supervisor = try await scenario.user("super", [.supervisor])
        try supervisor.post("/preferences", [("language", "en")])
        for number in 0..<53 {
            let answer = try supervisor.post(
                "/customers", [("f_full_name", "Quorra \(number)"), ("f_kind", "individual")])
            #expect(answer.status == 303)
        }
        func rows(_ page: RawHTTP.Answer) -> Int { page.text.matches(of: /<td class="main"/).count }
        let (path, page) = try results(supervisor, "Quorra")
        #expect(rows(page) == 50)
        #expect(page.text.contains("more than 50") && !page.text.contains(">50<"))
        let more = try supervisor.get(path + "&many=1")
        #expect(rows(more) == 53 && more.text.contains("id=\"search-count\">53<"))
        #expect(page.text.contains("href=\"\(path)&amp;many=1\""))
    }

    @Test("results stand in groups, on the page and while typing, in both languages; whoever may not see cases has none")
    func groups() async throws {
        let scenario = try await Scenario.start(customers: 120)
        let supervisor = try await scenario.user("super", [.supervisor])
        let added = try supervisor.post(
            "/customers",
            [("f_full_name", "王小明"), ("f_kind", "individual"), ("f_msisdn", "138 4200 4217"), ("f_plan", "5G"),
                ("f_service", "mobile")])
        #expect(added.status == 303, "\(added.text.prefix(500))")
        let place = try #require(added.header("location"))
        let number = try await scenario.tenant.database.read { session in
            try session.first("SELECT number FROM servicedesk_case_number ORDER BY number LIMIT 1") { $0.text(0) }
        }
        let digits = String(try #require(number).dropFirst(3))
        try supervisor.post("/preferences", [("language", "en")])
        let suggestions = try supervisor.postJSON("/search/suggest", #"{"q":"wxm"}"#)
        #expect(suggestions.status == 200 && suggestions.text.contains("\"title\":\"Customers\""))
        #expect(suggestions.text.contains(place) && suggestions.text.contains("王小明"))
        let middle = try supervisor.postJSON("/search/suggest", #"{"q":"4200421"}"#).text
        #expect(middle.contains("\"title\":\"Numbers\"") && middle.contains("13842004217"))
        let cases = try supervisor.postJSON("/search/suggest", "{\"q\":\"CS-\(digits)\"}").text
        #expect(cases.contains("\"title\":\"Cases\"") && cases.contains("CS-\(digits)"))
        for (language, words) in [("en", ["Customers", "Cases"]), ("zh", ["客户", "工单"])] {
            try supervisor.post("/preferences", [("language", language)])
            let (_, page) = try results(supervisor, "CS-0000")
            #expect(page.text.contains("<h2>\(words[1])</h2>"))
            let (_, names) = try results(supervisor, "wang")
            #expect(names.text.contains("<h2>\(words[0])</h2>") && !names.text.contains("<h2>\(words[1])</h2>"))
        }
        let marketer = try await scenario.user("mark", [.marketer])
        #expect(try !marketer.postJSON("/search/suggest", "{\"q\":\"CS-\(digits)\"}").text.contains("CS-\(digits)"))
    }
}
