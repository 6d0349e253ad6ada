import App
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// Programs that call in: from the administrator's page, over the command line and through HTTP.
@Suite("Programs over HTTP")
struct ProgramStoryTests {
    private static let form = ("Content-Type", "application/x-www-form-urlencoded")
    private static let lines = ("Content-Type", "application/x-ndjson")
    private static let usage = "/api/usage/events?source=switch-1"

    private struct Program { let id: String; let secret: String }

    /// What a page shows once.
    private func shown(_ answer: RawHTTP.Answer) throws -> Program {
        #expect(answer.status == 200, "\(answer.text.prefix(400))")
        let id = try #require(answer.text.firstMatch(of: /id="client-id">(\d+)</)).1
        let secret = try #require(answer.text.firstMatch(of: /id="client-secret">(sbs_[\w-]+)</)).1
        return Program(id: String(id), secret: String(secret))
    }

    private func ask(_ http: RawHTTP, _ program: Program, host: String? = nil) throws -> RawHTTP.Answer {
        try http.send(
            "POST", "/oauth/token", headers: [Self.form],
            body: Array("grant_type=client_credentials&client_id=\(program.id)&client_secret=\(program.secret)".utf8),
            host: host)
    }

    private func token(_ http: RawHTTP, _ program: Program, host: String? = nil) throws -> String {
        let answer = try ask(http, program, host: host)
        #expect(answer.status == 200, "\(answer.text)")
        return try #require(try JSONValue.parse(answer.body).object?["access_token"]?.string)
    }

    private func send(
        _ http: RawHTTP, _ path: String, _ token: String, _ text: String = "{}\n", host: String? = nil
    ) throws -> RawHTTP.Answer {
        try http.send(
            "POST", path,
            headers: [Self.lines, ("Authorization", "Bearer " + token), ("Idempotency-Key", UUID().uuidString)],
            body: Array(text.utf8), host: host)
    }

    @Test(
        "an administrator gives a program access; it sends events with its token until it is revoked, and the audit names it"
    )
    func story() async throws {
        let scenario = try await Scenario.start(customers: 20)
        let http = scenario.http
        let administrator = try await scenario.user("admin", [.administrator])
        let fields = [("name", "mediation"), ("scope", "usage:write"), ("rate", "50"), ("days", "30")]
        let wrong = try administrator.post("/clients", fields + [("addresses", "10.0.0.0/99")])
        #expect(wrong.status == 422 && wrong.text.contains("10.0.0.0/99") && wrong.text.contains("value=\"mediation\""))
        let program = try shown(
            try administrator.post("/clients", fields, headers: [("Idempotency-Key", "make-program-1")]))
        // Sent again: no second one, and the secret is not shown again.
        let again = try administrator.post("/clients", fields, headers: [("Idempotency-Key", "make-program-1")])
        #expect(again.status == 303 && again.header("location") == "/clients/\(program.id)")
        let taken = try administrator.post("/clients", fields)
        #expect(taken.status == 422 && !taken.text.contains("sbs_"))
        let page = try administrator.get("/clients/\(program.id)")
        #expect(page.status == 200 && !page.text.contains(program.secret) && page.text.contains("mediation"))

        let first = try token(http, program)
        let day = scenario.clock.now().date(offsetMinutes: 480).adding(days: -2).description
        let event = #"{"id":"a","line":"13000000001","kind":"sms","start":"\#(day)"}"# + "\n"
        let sent = try send(http, Self.usage, first, event)
        #expect(sent.status == 200 && sent.text.contains(#""read":1"#), "\(sent.text)")
        #expect(sent.headers("set-cookie").isEmpty)
        let key = [Self.lines, ("Authorization", "Bearer " + first), ("Idempotency-Key", "usage-by-token-1")]
        let once = try http.send("POST", Self.usage, headers: key, body: Array(event.utf8))
        #expect(try http.send("POST", Self.usage, headers: key, body: Array(event.utf8)).text == once.text)
        // Not what it was not given.
        let other = try send(http, "/api/events?source=app", first)
        #expect(other.status == 403 && other.text.contains("insufficient_scope"))
        #expect(other.header("www-authenticate")?.contains(#"scope="events:write""#) == true)
        #expect(other.header("content-type") == "application/problem+json; charset=utf-8")
        // It is given more: the token it has opens what it was issued for, a new one opens all.
        let more = [("scope", "usage:write"), ("scope", "events:write"), ("rate", "20"), ("regions", "east")]
        #expect(try administrator.fill("/clients/\(program.id)", "/clients/\(program.id)", more).status == 303)
        #expect(try send(http, "/api/events?source=app", first).status == 403)
        let second = try token(http, program)
        let answered = try send(http, "/api/events?source=app", second)
        #expect(answered.status == 200, "\(answered.status) \(answered.text)")
        // Somebody who saw the page before that does not undo it.
        let stale = try administrator.post("/clients/\(program.id)", more + [("revision", "0000")])
        #expect(stale.status == 412, "\(stale.status)")
        // The security administrator may see and end it, and nothing else.
        let security = try await scenario.user("guard", [.security])
        #expect(try security.get("/clients").text.contains("mediation"))
        #expect(try security.get("/clients/\(program.id)").text.contains("revoke-client"))
        #expect(try security.post("/clients", fields).status == 403)
        #expect(try security.post("/clients/\(program.id)/secret", [("days", "1"), ("overlap", "0")]).status == 403)
        #expect(try security.post("/clients/\(program.id)/revocation").status == 303)
        let dead = try send(http, Self.usage, second)
        #expect(dead.status == 401 && dead.header("www-authenticate")?.contains(#"error="invalid_token""#) == true)
        #expect(try ask(http, program).status == 401)
        #expect(try security.post("/clients/\(program.id)/revocation").status == 409)

        let auditor = try await scenario.user("auditor", [.auditor])
        let log = try auditor.get("/audit").text
        for words in [
            "Made a program&#39;s access", "Revoked a program&#39;s access", "client:mediation", "Token refused",
        ] {
            #expect(log.contains(words) || log.contains(words.replacing("&#39;", with: "'")), "\(words)")
        }
        #expect(!scenario.log.text.contains(program.secret) && !scenario.log.text.contains(second))
    }

    @Test("a token of another tenant, of another address and one that is over open nothing")
    func elsewhere() async throws {
        let scenario = try await Scenario.start { $0.tenants = ["b.example": "beta"] }
        let beta = try await scenario.runtime.tenants.tenant("beta")
        let http = scenario.http
        let clients = scenario.runtime.modules.clients
        func make(_ tenant: Tenant, _ name: String, addresses: [String] = [], days: Int = 30) async throws -> Program {
            let made = try await clients.create(
                name: name, scopes: ["usage:write"], days: days, addresses: addresses, tenant)
            return Program(id: made.id, secret: made.secret)
        }
        let (ours, theirs) = (try await make(scenario.tenant, "ours"), try await make(beta, "theirs"))
        let (ourToken, theirToken) = (try token(http, ours), try token(http, theirs, host: "b.example"))
        #expect(try send(http, Self.usage, ourToken).status == 200)
        #expect(try send(http, Self.usage, theirToken, host: "b.example").status == 200)
        #expect(try send(http, Self.usage, theirToken).status == 401)
        #expect(try send(http, Self.usage, ourToken, host: "b.example").status == 401)
        // Nor does a client of theirs get a token here; that it exists there is not told.
        let (foreign, invented) = (try ask(http, theirs), try ask(http, Program(id: "123", secret: theirs.secret)))
        #expect(foreign.status == 401 && foreign.text == invented.text)

        let bound = try await make(scenario.tenant, "bound", addresses: ["192.0.2.0/24"])
        #expect(try ask(http, bound).status == 401)
        let local = try await make(scenario.tenant, "local", addresses: ["127.0.0.0/8"])
        #expect(try send(http, Self.usage, try token(http, local)).status == 200)
        scenario.clock.advance(seconds: 601)
        let over = try send(http, Self.usage, ourToken)
        #expect(over.status == 401 && over.text.contains("expired"))
        #expect(try send(http, Self.usage, try token(http, ours)).status == 200)
    }

    @Test("a client beyond its rate waits, and another goes on")
    func rate() async throws {
        let scenario = try await Scenario.start()
        func make(_ name: String, rate: Int) async throws -> String {
            let made = try await scenario.runtime.modules.clients.create(
                name: name, scopes: ["usage:write"], days: 30, rate: rate, scenario.tenant)
            return try token(scenario.http, Program(id: made.id, secret: made.secret))
        }
        let (slow, quick) = (try await make("slow", rate: 1), try await make("quick", rate: 1_000))
        var refusal: RawHTTP.Answer?
        for _ in 0..<200 where refusal == nil {
            let answer = try send(scenario.http, "/api/usage/events", slow)
            if answer.status == 429 { refusal = answer }
        }
        #expect(refusal?.header("retry-after") == "1", "\(String(describing: refusal?.text))")
        #expect(try send(scenario.http, Self.usage, quick).status == 200)
    }

    @Test("a person makes a token on the own page, sees it once, uses it and revokes it; others cannot")
    func personal() async throws {
        let scenario = try await Scenario.start()
        let supervisor = try await scenario.user("super", [.supervisor])
        let agent = try await scenario.user("agent", [.auditor])
        #expect(try supervisor.get("/me").text.contains("/me/tokens"))
        #expect(try supervisor.get("/me/tokens").text.contains(#"value="usage:write""#))
        let nothing = try agent.get("/me/tokens").text
        #expect(!nothing.contains(#"name="scope""#) && nothing.contains("nothing that a program could do"))
        let typed = [("name", "nightly export"), ("scope", "usage:write"), ("days", "30")]
        let fields = typed + [("current", Scenario.password)]
        // A browser that somebody left open is not enough.
        for wrong in [typed, typed + [("current", "not the password at all")]] {
            let refused = try supervisor.post("/me/tokens", wrong)
            #expect(refused.status == 422 && refused.text.contains("The current password is not right"))
            #expect(refused.text.contains(#"value="nightly export""#) && !refused.text.contains("sbp_"))
        }
        #expect(try agent.post("/me/tokens", fields).status == 422)
        #expect(
            try supervisor.post(
                "/me/tokens",
                [("name", "x"), ("scope", "usage:write"), ("days", "400"), ("current", Scenario.password)]
            ).status == 422)
        let made = try supervisor.post("/me/tokens", fields)
        let text = String(try #require(made.text.firstMatch(of: /id="personal-token">(sbp_[\w-]+)</)).1)
        let list = try supervisor.get("/me/tokens").text
        #expect(list.contains("nightly export") && list.contains(String(text.prefix(12))) && !list.contains(text))
        #expect(try send(scenario.http, Self.usage, text).status == 200)
        #expect(try send(scenario.http, "/api/events?source=a", text).status == 403)
        #expect(!(try supervisor.get("/me/tokens").text.contains("never</small>")))
        let id = try #require(list.firstMatch(of: /\/me\/tokens\/(\d+)\/revocation/)).1
        #expect(try agent.post("/me/tokens/\(id)/revocation").status == 404)
        #expect(try send(scenario.http, Self.usage, text).status == 200)
        #expect(try supervisor.post("/me/tokens/\(id)/revocation").status == 303)
        #expect(try send(scenario.http, Self.usage, text).status == 401)
        let auditor = try await scenario.user("auditor", [.auditor])
        #expect(try auditor.get("/audit").text.contains("nightly export (\(text.prefix(12)))"))
        // In Chinese too.
        try supervisor.post("/preferences", [("language", "zh")])
        #expect(try supervisor.get("/me/tokens").text.contains("个人令牌"))
    }

    @Test("the command line makes, lists, renews and revokes programs' access")
    func commands() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let made = try CommandBench.object(
            bench.expect(
                0,
                [
                    "client", "create", "billing", "--scope", "usage:write,events:write", "--expires-days", "30",
                    "--address", "192.0.2.0/24", "--address", "2001:db8::/32", "--rate", "7", "--json",
                ]
            ).out)
        let id = try #require(made["client_id"]?.string)
        #expect(
            made["client_secret"]?.string?.hasPrefix("sbs_") == true
                && made["scope"] == .string("events:write usage:write"))
        let list = try JSONValue.parse(Array(bench.expect(0, ["client", "list", "--json"]).out.trimmed.utf8)).array
        let client = try #require(list?.first?.object)
        #expect(list?.count == 1 && client["client_id"] == .string(id) && client["state"] == .string("expiring"))
        #expect(client["requests_per_second"] == .int(7) && client["created_by"] == .string("cli"))
        #expect(client["addresses"] == .array([.string("192.0.2.0/24"), .string("2001:db8::/32")]))
        #expect(!(try bench.expect(0, ["client", "list"]).out.contains("sbs_")))
        #expect(try bench.expect(0, ["client", "list", "--scopes"]).out.contains("usage:write  Send usage events"))
        let renewed = try CommandBench.object(
            bench.expect(0, ["client", "secret", "billing", "--overlap-hours", "0", "--json"]).out)
        #expect(renewed["client_id"] == .string(id) && renewed["client_secret"] != made["client_secret"])
        try bench.expect(0, ["client", "key", "--at-once"])
        let strange = try bench.expect(1, ["client", "create", "x", "--scope", "nothing:read"])
        #expect(strange.error.contains("usage:write"), "\(strange.error)")
        try bench.expect(1, ["client", "create", "billing", "--scope", "usage:write"])
        try bench.expect(1, ["client", "create", "y", "--scope", "usage:write", "--expires-days", "366"])
        try bench.expect(1, ["client", "create", "y", "--scope", "usage:write", "--address", "10.0.0.0/40"])
        try bench.expect(1, ["client", "revoke", "nobody"])
        try bench.expect(0, ["client", "revoke", id])
        try bench.expect(1, ["client", "revoke", "billing"])
        #expect(try bench.expect(0, ["client", "list"]).out.contains("revoked"))
    }

    @Test("the examples of docs/api-access.md and docs/api-events.md work as they stand there")
    func documented() async throws {
        let scenario = try await Scenario.start()
        let made = try await scenario.runtime.modules.clients.create(
            name: "mediation", scopes: ["usage:write", "events:write"], days: 30, scenario.tenant)
        let supervisor = try await scenario.user("super", [.supervisor])
        let page = try supervisor.post(
            "/me/tokens", [("name", "n"), ("scope", "usage:write"), ("days", "30"), ("current", Scenario.password)]
        ).text
        let personal = String(try #require(page.firstMatch(of: /id="personal-token">(sbp_[\w-]+)</)).1)
        let address = "http://127.0.0.1:\(scenario.http.port)"
        let environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "SWITCHBOARD_URL": address, "SWITCHBOARD": address,
            "CLIENT_ID": made.id, "CLIENT_SECRET": made.secret, "PERSONAL_TOKEN": personal, "NO_PROXY": "127.0.0.1",
            "TODAY": scenario.clock.now().date(offsetMinutes: 480).adding(days: -1).description,
        ]
        let access = try run("api-access", environment, examples: 4)
        #expect(access.components(separatedBy: #""read":1"#).count == 3, "\(access)")
        #expect(access.contains("insufficient_scope") && access.contains("invalid_token"), "\(access)")
        let events = try run("api-events", environment, examples: 1)
        #expect(events.contains(#""read":3"#) && events.contains(#""read":1"#), "\(events)")
    }

    @Test("the examples of docs/api-tmf.md work as they stand there")
    func interface() async throws {
        let scenario = try await Scenario.start()
        let scopes = scenario.runtime.modules.resources.filter { [621, 629, 632, 635, 644, 666, 669, 677, 681].contains($0.api.number) }.flatMap {
            [$0.api.readScope, $0.api.writeScope]
        }
        let made = try await scenario.runtime.modules.clients.create(name: "crm", scopes: Array(Set(scopes)).sorted(), days: 30, scenario.tenant)
        let said = try run(
            "api-tmf",
            [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "SWITCHBOARD_URL": "http://127.0.0.1:\(scenario.http.port)", "CLIENT_ID": made.id,
                "CLIENT_SECRET": made.secret, "NO_PROXY": "127.0.0.1",
            ], examples: 4)
        #expect(said.contains("X-Total-Count: 1") || said.contains("x-total-count: 1"), "\(said)")
        #expect(said.contains(#""familyName":"Wang""#) && said.contains(#""code":"changed_meanwhile""#), "\(said)")
        #expect(said.components(separatedBy: #""code":"no_consent""#).count == 3 && said.contains(#""messageType":"SMS""#), "\(said)")
        #expect(said.contains(#""statusReason":"unknown_line""#) && said.contains(#""stateReason":"no_use""#), "\(said)")
        #expect(said.contains(#""role":"originator""#) && said.contains(#""code":"illegal_transition""#), "\(said)")
    }

    /// What the examples of a document print, one after the other in one shell.
    private func run(_ document: String, _ environment: [String: String], examples: Int) throws -> String {
        let text = try String(contentsOfFile: Checkout.root + "/docs/\(document).md", encoding: .utf8)
        let blocks = text.matches(of: /```sh\n([^`]*)```/.dotMatchesNewlines()).map { String($0.1) }.filter {
            $0.contains("curl")
        }
        #expect(blocks.count >= examples, "\(document)")
        let folder = NSTemporaryDirectory() + "examples-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try ("set -eu\n" + blocks.joined(separator: "\necho\n")).write(
            toFile: folder + "/run.sh", atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["run.sh"]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment
        let out = Pipe()
        process.standardOutput = out
        process.standardError = out
        try process.run()
        let said = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(document): \(said)")
        return said
    }
}
