import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What keeps accounts and the record whole, through the console.
@Suite("Security")
struct SecurityTests {
    private static let json = [("Accept", "application/json")]

    /// The routes of the refusals that the audit holds.
    private func refusals(_ scenario: Scenario) async throws -> [String] {
        try await scenario.tenant.database.read { session in
            try session.query(
                """
                SELECT facts FROM platform_audit_event WHERE action = 'console.request.refuse' AND refused
                ORDER BY id
                """
            ) { try JSONValue.parse(Array($0.text(0).utf8)).object?["route"]?.string ?? "" }
        }
    }

    private func id(of name: String, _ scenario: Scenario) async throws -> String {
        let users = try await scenario.runtime.modules.users.listUsers(scenario.tenant)
        return try #require(users.first { $0.name == name }).id.description
    }

    @Test("every refusal of a logged-in person is audited, also those that handlers find out (G21)")
    func refusalsAreAudited() async throws {
        let scenario = try await Scenario.start()
        let administrator = try await scenario.user("root", [.administrator])
        let agent = try await scenario.user("mei", [.agent])
        try await scenario.user("guard", [.security])
        let (root, mei, guardian) = (
            try await id(of: "root", scenario), try await id(of: "mei", scenario), try await id(of: "guard", scenario)
        )
        // The gate.
        #expect(try agent.get("/users").status == 403)
        // Handlers: a power, the own roles, the own account, an account of another power.
        #expect(try administrator.post("/users", [("name", "x"), ("role", "auditor")]).status == 403)
        #expect(try administrator.fill("/users/\(root)", "/users/\(root)/roles", [("role", "agent")]).status == 403)
        #expect(try administrator.fill("/users/\(root)", "/users/\(root)/status", [("status", "disabled")]).status == 403)
        #expect(try administrator.fill("/users/\(root)", "/users/\(root)/scope", [("regions", "east")]).status == 403)
        #expect(try administrator.post("/users/\(guardian)/link").status == 403)
        #expect(try administrator.post("/users/\(guardian)/sessions/end").status == 403)
        // A form that is not of this session.
        #expect(try administrator.post("/users/\(mei)/link", [], headers: [("X-CSRF-Token", "x")]).status == 200)
        #expect(
            try await refusals(scenario) == [
                "GET /users", "POST /users", "POST /users/{id}/roles", "POST /users/{id}/status",
                "POST /users/{id}/scope", "POST /users/{id}/link", "POST /users/{id}/sessions/end",
            ])
        // Strangers are not in the record: they could fill it.
        #expect(try scenario.stranger().get("/users", headers: Self.json).status == 401)
        #expect(try await refusals(scenario).count == 7)
    }

    @Test("a refusal that cannot be recorded is still one, and the failure is logged")
    func unrecorded() async throws {
        let scenario = try await Scenario.start()
        let agent = try await scenario.user("mei", [.agent])
        try await scenario.tenant.database.write { session in
            try session.execute("ALTER TABLE platform_audit_event RENAME TO platform_audit_away")
        }
        #expect(try agent.get("/users").status == 403)
        #expect(scenario.log.text.contains("audit.refusal"))
    }

    @Test("a graded installation asks for another password after 90 days, not for the same one again (G2)")
    func rotation() async throws {
        let scenario = try await Scenario.start { $0.passwordProfile = "dengbao-l3" }
        _ = try await scenario.user("mei", [.agent])
        scenario.clock.advance(days: 91)
        let visitor = scenario.stranger()
        try visitor.get("/login")
        let answer = try visitor.post("/login", [("name", "mei"), ("password", Scenario.password)])
        let path = try #require(answer.header("location"))
        #expect(answer.status == 303 && path.hasPrefix("/bootstrap/"))
        try visitor.get(path)
        func set(_ password: String) throws -> RawHTTP.Answer {
            try visitor.post(path, [("password", password), ("again", password)], headers: Self.json)
        }
        let same = try set(Scenario.password)
        #expect(same.status == 422 && same.text.contains("same_password"))
        let plain = try set("qjvmwzkrhbtxcpnf")
        #expect(plain.status == 422 && plain.text.contains("needs_classes"))
        #expect(try set("Nine grey herons wait 9 hours").status == 303)
        let again = try scenario.logIn("mei", "Nine grey herons wait 9 hours")
        #expect(try again.get("/me").status == 200)
    }

    @Test("an administrator sees a colleague's sessions and ends them; the next request is nobody's (G17)")
    func endSessions() async throws {
        let scenario = try await Scenario.start()
        let administrator = try await scenario.user("root", [.administrator])
        let agent = try await scenario.user("mei", [.agent])
        let mei = try await id(of: "mei", scenario)
        let page = try administrator.get("/users/\(mei)")
        #expect(page.text.contains("end-sessions") && page.text.contains("127.0.0.1"))
        #expect(try agent.get("/me", headers: Self.json).status == 200)
        #expect(try administrator.post("/users/\(mei)/sessions/end").status == 303)
        #expect(try agent.get("/customers", headers: Self.json).status == 401)
        #expect(try agent.get("/me").status == 303)
        #expect(!(try administrator.get("/users/\(mei)").text.contains("end-sessions")))
        // A session that idle time has ended is not shown as open.
        _ = try scenario.logIn("mei", Scenario.password)
        #expect(try administrator.get("/users/\(mei)").text.contains("end-sessions"))
        scenario.clock.advance(seconds: 1_800)
        let later = try scenario.logIn("root", Scenario.password)
        #expect(!(try later.get("/users/\(mei)").text.contains("end-sessions")))
    }

    @Test("a search text of 50 kB, and one beyond any form, are refused and not searched (G68)")
    func hostileSearch() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let agent = try await scenario.user("mei", [.agent])
        let texts = [
            String(repeating: "a", count: 50_000), String(repeating: "(a+)+$", count: 8_000),
            String(repeating: "%", count: 50_000), String(repeating: "长", count: 16_000),
        ]
        for text in texts {
            #expect(try agent.post("/search", [("q", text)], headers: Self.json).status == 422)
            let body = JSONValue.object(["q": .string(text)]).encoded()
            #expect(try agent.postJSON("/search/suggest", body).status == 422)
        }
        let huge = String(repeating: "a", count: 1_100_000)
        #expect(try agent.post("/search", [("q", huge)], headers: Self.json).status == 413)
        #expect(try agent.postJSON("/search/suggest", #"{"q":"\#(huge)"}"#).status == 413)
        #expect(try agent.get("/customers").status == 200)
    }

    @Test("the console can be put on a home screen: name in both languages, icons, colour")
    func manifest() async throws {
        let scenario = try await Scenario.start()
        let page = try scenario.stranger().get("/login").text
        let inside = try await scenario.user("mei", [.agent]).get("/me").text
        for text in [page, inside] {
            #expect(text.contains(#"<meta name="theme-color" content="#))
            let path = try #require(text.firstMatch(of: /<link rel="manifest" href="([^"]+)">/)).1
            let answer = try scenario.stranger().get(String(path))
            #expect(answer.status == 200 && answer.header("content-type") == "application/manifest+json")
            let manifest = try #require(try JSONValue.parse(answer.body).object)
            let name = manifest["name"]?.string ?? ""
            #expect(name.contains("Switchboard") && name.contains("客户"))
            #expect(manifest["start_url"]?.string == "/" && manifest["display"]?.string == "standalone")
            let icons = manifest["icons"]?.array ?? []
            #expect(icons.count == 2)
            for icon in icons {
                let source = try #require(icon.object?["src"]?.string)
                let image = try scenario.stranger().get(
                    path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + source)
                #expect(image.status == 200 && image.header("content-type") == "image/svg+xml", "\(source)")
            }
        }
    }
}
