import App
import Foundation
import Kernel
import Platform
import TestSupport
import Testing
import Web

/// Who may call what: every route with every role and without a session (G21), and what a wrong caller learns.
@Suite("Access")
struct AccessTests {
    /// A path of the pattern with ids that exist nowhere.
    private func path(_ route: Route) -> String {
        "/"
            + route.pattern.split(separator: "/").map { $0.hasPrefix("{") ? "1234567890123456" : String($0) }
            .joined(separator: "/")
    }

    private func call(_ visitor: Visitor, _ route: Route) throws -> RawHTTP.Answer {
        switch (route.method, route.body) {
        case (.get, _): return try visitor.get(path(route), headers: [("Accept", "application/json")])
        case (.patch, _), (.delete, _): return try visitor.send(route.method.rawValue, path(route), json: route.method == .patch ? "{}" : "")
        case (_, .json): return try visitor.postJSON(path(route), "{}")
        case (_, .lines), (_, .linesOrArray): return try visitor.postLines(path(route), "{}\n")
        case (_, .upload):
            return try visitor.upload(path(route), file: (name: "x.csv", content: Array("a,b\n1,2\n".utf8)))
        default: return try visitor.post(path(route), headers: [("Accept", "application/json")])
        }
    }

    @Test("every route refuses strangers and every role without its permission, and lets the others through")
    func matrix() async throws {
        let scenario = try await Scenario.start()
        let stranger = scenario.stranger()
        try stranger.get("/login")
        // These end the caller's own session or change the own account; they are tried at the end of their own stories.
        let own: Set<String> = ["POST /logout"]
        for route in scenario.runtime.routes where route.access != .anonymous && !own.contains(route.name) {
            let answer = try call(stranger, route)
            #expect(answer.status == 401 || answer.status == 303, "\(route.name) answered a stranger \(answer.status)")
        }
        for role in Role.allCases {
            let visitor = try await scenario.user("matrix-\(role.rawValue)", [role])
            let held = Set(scenario.runtime.site.permissions.filter { $0.roles.contains(role) }.map(\.permission))
            for route in scenario.runtime.routes where !own.contains(route.name) {
                guard case .permission(let permission) = route.access else { continue }
                let answer = try call(visitor, route)
                // Hubs are the programs' own: a person has none.
                if route.pattern.hasSuffix("/hub"), answer.text.contains("clients_only") { continue }
                if held.contains(permission) {
                    #expect(
                        ![401, 403, 405, 415].contains(answer.status),
                        "\(route.name) answered \(role.rawValue) \(answer.status): \(answer.text.prefix(200))")
                    #expect(answer.status < 500, "\(route.name) as \(role.rawValue): \(answer.text.prefix(300))")
                } else {
                    #expect(answer.status == 403, "\(route.name) answered \(role.rawValue) \(answer.status)")
                }
            }
        }
    }

    @Test("a token opens the routes with its scope and no other, whatever rights its scopes carry")
    func tokens() async throws {
        let scenario = try await Scenario.start()
        let (http, tenant, modules) = (scenario.http, scenario.tenant, scenario.runtime.modules)
        func token(_ name: String, _ scopes: [String]) async throws -> String {
            let made = try await modules.clients.create(
                name: name, scopes: scopes, days: 30, rate: 10_000, tenant)
            let answer = try http.send(
                "POST", "/oauth/token", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array("grant_type=client_credentials&client_id=\(made.id)&client_secret=\(made.secret)".utf8))
            return try #require(try JSONValue.parse(answer.body).object?["access_token"]?.string, "\(answer.text)")
        }
        func ask(_ route: Route, _ token: String) throws -> RawHTTP.Answer {
            let (type, body) =
                switch route.body {
                case .lines, .linesOrArray: ("application/x-ndjson", "{}\n")
                case .json, .patch: ("application/json", "{}")
                default: ("application/x-www-form-urlencoded", "")
                }
            let headers = [("Authorization", "Bearer " + token), ("Idempotency-Key", UUID().uuidString)]
            return try http.send(
                route.method.rawValue, path(route),
                headers: headers + (route.body == .none ? [] : [("Content-Type", type)]),
                body: route.body == .none ? [] : Array(body.utf8))
        }
        let all = modules.scopes.map(\.name)
        let whole = try await token("all", all)
        for route in scenario.runtime.routes where route.access != .anonymous {
            let answer = try ask(route, whole)
            if route.scope != nil {
                #expect(![401, 403, 405, 415].contains(answer.status), "\(route.name) \(answer.status) \(answer.text)")
                #expect(answer.status < 500, "\(route.name) \(answer.text.prefix(300))")
            } else {
                // A page does not look at tokens: its caller is a stranger.
                #expect([303, 401, 403].contains(answer.status), "\(route.name) answered a token \(answer.status)")
            }
            #expect(answer.headers("set-cookie").isEmpty || route.scope == nil, "\(route.name)")
        }
        for scope in all {
            let others = all.filter { $0 != scope }
            let lacking = try await token("without \(scope)", others)
            for route in scenario.runtime.routes where route.scope == scope {
                let answer = try ask(route, lacking)
                #expect(answer.status == 403, "\(route.name) \(answer.status)")
                #expect(answer.header("www-authenticate")?.contains("scope=\"\(scope)\"") == true, "\(route.name)")
            }
        }
    }

    @Test("what does not exist, another region's customer and nonsense in an id are answered alike")
    func notFoundAlike() async throws {
        let scenario = try await Scenario.start(customers: 60)
        let everywhere = try await scenario.user("all", [.agent])
        let nowhere = try await scenario.user("nowhere", [.agent], regions: ["no-such-region"])
        let list = try everywhere.get("/customers")
        let id = try #require(list.text.firstMatch(of: /href="\/customers\/(\d{10,})"/)).1
        #expect(try everywhere.get("/customers/\(id)").status == 200)
        let accept = [("Accept", "application/json")]
        func body(_ path: String) throws -> String {
            let answer = try nowhere.get(path, headers: accept)
            #expect(answer.status == 404)
            #expect(answer.header("etag") == nil)
            return answer.text.replacing(/"request":"[0-9a-f]+"/, with: "")
        }
        let foreign = try body("/customers/\(id)")
        #expect(foreign == (try body("/customers/999999999999999")))
        #expect(foreign == (try body("/customers/abc")))
        #expect(!(try nowhere.get("/customers").text.contains(String(id))))
    }

    @Test("an agent sees names and masked numbers; no whole number anywhere in what the agent gets")
    func masks() async throws {
        let scenario = try await Scenario.start(customers: 40)
        let supervisor = try await scenario.user("super", [.supervisor])
        let agent = try await scenario.user("agent", [.agent])
        let ids = try supervisor.get("/customers").text.matches(of: /href="\/customers\/(\d{10,})"/).map {
            String($0.1)
        }
        var wholeNumbers: Set<String> = []
        for id in ids.prefix(10) {
            for match in try supervisor.get("/customers/\(id)").text.matches(of: /\D(1[3-9]\d{9})\D/) {
                wholeNumbers.insert(String(match.1))
            }
        }
        try #require(!wholeNumbers.isEmpty, "the supervisor must see whole numbers")
        var seen = ""
        for path in ["/", "/customers", "/risk"] + ids.prefix(10).map({ "/customers/\($0)" }) {
            seen += try agent.get(path).text
        }
        for number in wholeNumbers { #expect(!seen.contains(number), "the agent got a whole number") }
        #expect(seen.contains("****"))
        for number in wholeNumbers { #expect(!scenario.log.text.contains(number), "a number is in the log") }
    }

    @Test("every view of a customer leaves one audit event that names the customer and the reader")
    func viewsAreAudited() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let agent = try await scenario.user("reader", [.agent])
        let auditor = try await scenario.user("auditor", [.auditor])
        let id = try #require(try agent.get("/customers").text.firstMatch(of: /href="\/customers\/(\d{10,})"/)).1
        try agent.get("/customers/\(id)")
        let trail = try auditor.get("/audit")
        #expect(trail.status == 200)
        #expect(trail.text.contains("reader"))
        #expect(try agent.get("/audit").status == 403)
    }
}
