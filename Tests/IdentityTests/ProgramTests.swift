import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Identity

/// Programs at the gate: how they get tokens, what tokens open, and when they end (G19, G20, G67, G69).
@Suite("Programs")
struct ProgramTests {
    // MARK: Getting a token

    @Test("a client gets a token for its secret by Basic or in the body, for all its scopes or for some")
    func issue() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client("billing", ["ping:read", "users:read"])
        #expect(client.secret.hasPrefix("sbs_") && client.secret.count == 47)
        let answer = try await desk.ask(client.id, client.secret)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(
            answer.headers[.cacheControl] == "no-store"
                && answer.headers[.contentType] == "application/json; charset=utf-8")
        #expect(
            HTTPField.Name("Pragma").flatMap { answer.headers[$0] } == "no-cache"
                && answer.headers[values: .setCookie].isEmpty)
        #expect(answer.object["token_type"] == .string("Bearer") && answer.object["expires_in"] == .int(600))
        #expect(answer.object["scope"] == .string("ping:read users:read"))
        let token = try #require(answer.object["access_token"]?.string)
        #expect(
            try await desk.get("/api/ping", token: token).text
                == #"client:billing ["ping:read", "users:read"] ["identity.users.view", "test.ping"]"#)
        #expect(try await desk.get("/tmf-api/ping", token: token).text == "tmf")
        // In the body, and fewer scopes.
        let form = [("Content-Type", "application/x-www-form-urlencoded")]
        let body = "grant_type=client_credentials&client_id=\(client.id)&client_secret=\(client.secret)"
        let narrow = try await desk.send(
            .post, "/oauth/token", headers: form, body: body + "&scope=ping:read&resource=unknown+is+ignored")
        #expect(narrow.object["scope"] == .string("ping:read"), "\(narrow.text)")
        let less = try #require(narrow.object["access_token"]?.string)
        #expect(try await desk.get("/api/ping", token: less).status == 200)
        let other = try await desk.get("/api/users", token: less)
        #expect(other.status == 403 && other.object["code"] == .string("insufficient_scope"))
        #expect(other.challenge == #"Bearer realm="switchboard", error="insufficient_scope", scope="users:read""#)
        // The secret is nowhere.
        let stored = try await desk.tenant.database.read { session in
            try session.query("SELECT secret_hash FROM identity_client") { $0.text(0) }
        }
        #expect(stored.count == 1 && !stored.contains { $0.contains(client.secret) || client.secret.contains($0) })
    }

    @Test("what is wrong with the request for a token is told in the words of RFC 6749")
    func issueErrors() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        let form = ("Content-Type", "application/x-www-form-urlencoded")
        func ask(_ body: String, _ headers: [(String, String)] = [], method: HTTPRequest.Method = .post) async throws
            -> ProgramDesk.Answer
        {
            try await desk.send(method, "/oauth/token", headers: [form] + headers, body: body)
        }
        let own = "client_id=\(client.id)&client_secret=\(client.secret)"
        let grant = "grant_type=client_credentials"
        func basic(_ text: String) -> [(String, String)] {
            [("Authorization", "Basic " + Data(text.utf8).base64EncodedString())]
        }
        let cases: [(String, [(String, String)], Int, String)] = [
            (own, [], 400, "invalid_request"), ("grant_type=&" + own, [], 400, "invalid_request"),
            ("grant_type=password&" + own, [], 400, "unsupported_grant_type"),
            ("grant_type=authorization_code&" + own, [], 400, "unsupported_grant_type"),
            ("\(grant)&\(own)&scope=nothing:read", [], 400, "invalid_scope"),
            ("\(grant)&\(own)&scope=", [], 400, "invalid_scope"),
            ("\(grant)&\(own)&scope=users:read", [], 400, "invalid_scope"),
            ("\(grant)&\(own)&\(grant)", [], 400, "invalid_request"),
            ("\(grant)&\(own)&x=%zz", [], 400, "invalid_request"),
            ("\(grant)&\(own)", basic("\(client.id):\(client.secret)"), 400, "invalid_request"),
            (grant, [], 401, "invalid_client"), ("\(grant)&client_id=\(client.id)", [], 401, "invalid_client"),
            ("\(grant)&client_id=\(client.id)&client_secret=sbs_wrong", [], 401, "invalid_client"),
            ("\(grant)&client_id=1&client_secret=\(client.secret)", [], 401, "invalid_client"),
            ("\(grant)&client_id=billing&client_secret=\(client.secret)", [], 401, "invalid_client"),
            (grant, basic("\(client.id)"), 401, "invalid_client"),
            (grant, basic("\(client.id):"), 401, "invalid_client"),
            (grant, [("Authorization", "Basic !!!")], 401, "invalid_client"),
            (grant, [("Authorization", "Digest x")], 401, "invalid_client"),
            (grant + "&client_id=2", basic("\(client.id):\(client.secret)"), 401, "invalid_client"),
        ]
        for (body, headers, status, error) in cases {
            let answer = try await ask(body, headers)
            #expect(
                answer.status == status && answer.object["error"] == .string(error),
                "\(body) \(headers): \(answer.status) \(answer.text)")
            #expect(
                answer.object["error_description"]?.string?.utf8.allSatisfy {
                    (32...126).contains($0) && $0 != 34 && $0 != 92
                } == true)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect((answer.challenge == #"Basic realm="switchboard""#) == (status == 401), "\(answer.challenge)")
        }
        let json = try await desk.send(
            .post, "/oauth/token", headers: [("Content-Type", "application/json")], body: "{}")
        #expect(json.status == 415 && json.object["error"] == .string("invalid_request"), "\(json.text)")
        #expect(try await ask("", method: .get).status == 405)
        // Escaped as 2.3.1 says.
        let escaped = client.secret.replacing("_", with: "%5F")
        #expect(try await ask(grant, basic("\(client.id):\(escaped)")).status == 200)
    }

    @Test("wrong secrets are counted, recorded and then refused unrecorded; the right one is never held up")
    func guesses() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        var statuses: [Int] = []
        for number in 0..<40 { statuses.append(try await desk.ask(client.id, "sbs_guess\(number)").status) }
        #expect(statuses.first == 401 && statuses.last == 429, "\(statuses)")
        let slow = try await desk.ask(client.id, "sbs_guess")
        #expect(slow.status == 429 && slow.headers[.retryAfter] != nil)
        let recorded = try await desk.audit().filter { $0 == "!identity.client.authenticate by client:billing" }
        #expect(recorded.count == statuses.count { $0 == 401 } && recorded.count < 30)
        #expect(try await desk.ask(client.id, client.secret).status == 200)
        // People at the same address are not held up by it.
        try await desk.desk.user("lan")
        #expect(await desk.desk.answer("lan", sentence) == "ok")
        // A client that is not there is answered as one that is, and recorded as nobody.
        let unknown = try await desk.ask("123456", client.secret, from: "198.51.100.7")
        let wrong = try await desk.ask(client.id, "sbs_x", from: "198.51.100.8")
        #expect(unknown.status == 401 && wrong.status == 401 && unknown.text == wrong.text)
        #expect(try await desk.audit().contains("!identity.client.authenticate by client:?"))
    }

    @Test("an unknown client costs the same statements as a wrong secret, and both are answered alike")
    func equalWork() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        func statements(_ id: String, from address: String) async throws -> [String] {
            desk.counting.forget()
            let answer = try await desk.ask(id, "sbs_wrong", from: address)
            #expect(answer.status == 401 && answer.object["error"] == .string("invalid_client"))
            return desk.counting.done
        }
        let wrong = try await statements(client.id, from: "198.51.100.1")
        #expect(wrong.count > 5)
        #expect(try await statements("12345", from: "198.51.100.2") == wrong)
        #expect(try await statements("no id at all", from: "198.51.100.3") == wrong)
    }

    // MARK: What a token opens

    @Test("a token opens only routes with its scope, no page, and only under the addresses for programs")
    func reach() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client("x", ["ping:read", "users:read"])
        let token = try await desk.token(client.id, client.secret)
        let people = try await desk.get("/api/people", token: token)
        #expect(people.status == 403 && people.object["code"] == .string("insufficient_scope"), "\(people.text)")
        // The scope carries the right that this page asks for; the page is not for tokens.
        for path in ["/users", "/clients", "/me", "/users/new"] {
            let answer = try await desk.get(path, token: token)
            #expect(
                answer.status == 303 && answer.headers[.location]?.hasPrefix("/login") == true,
                "\(path) \(answer.status)")
        }
        let east = try await desk.client("east", regions: ["east", "south"])
        // In every spelling of the regions (ADR 0064).
        let regions = try await desk.get("/api/regions", token: try await desk.token(east.id, east.secret)).text
        #expect(Set(regions.lowercased().split(separator: ",")) == ["east", "south"])
        #expect(try await desk.get("/api/regions", token: token).text == "all")
        // In the address a token would be kept in logs.
        let address = try await desk.send(.get, "/api/ping?access_token=" + token)
        #expect(address.status == 401 || address.status == 400, "\(address.status)")
        let both = try await desk.get("/api/ping?access_token=" + token, token: token)
        #expect(both.status == 400 && both.object["code"] == .string("secret_in_url"))
        let bare = try await desk.send(.get, "/api/ping")
        #expect(bare.status == 401 && bare.challenge == #"Bearer realm="switchboard""#)
        let scheme = try await desk.send(.get, "/api/ping", headers: [("Authorization", "bEaReR " + token)])
        #expect(scheme.status == 200)
    }

    @Test("with a token no cookie is read or set, no CSRF token is asked for, and both at once are refused")
    func cookies() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        let token = try await desk.token(client.id, client.secret)
        try await desk.desk.user("lan")
        let session = try await desk.desk.start("lan")
        let cookie = ("Cookie", "\(WebCookie.session)=\(session)")
        let bearer = ("Authorization", "Bearer " + token)
        #expect(try await desk.send(.get, "/api/ping", headers: [cookie]).text.hasPrefix("lan []"))
        let both = try await desk.send(.get, "/api/ping", headers: [cookie, bearer])
        #expect(both.status == 400 && both.object["code"] == .string("two_credentials"), "\(both.text)")
        let twice = try await desk.send(.get, "/api/ping", headers: [bearer, bearer])
        #expect(twice.status == 400 && twice.object["code"] == .string("two_credentials"))
        // A bad token is not made good by a session beside it, nor the other way round.
        #expect(try await desk.send(.get, "/api/ping", headers: [cookie, ("Authorization", "Bearer x")]).status == 400)
        let json = ("Content-Type", "application/json")
        let written = try await desk.send(
            .post, "/api/ping",
            headers: [bearer, json, ("Origin", "https://else.example"), ("Cookie", "__Host-language=zh")],
            body: "{}")
        #expect(
            written.status == 200 && written.headers[values: .setCookie].isEmpty, "\(written.status) \(written.text)")
        // Of a session all that is still asked for.
        let forged = try await desk.send(.post, "/api/ping", headers: [cookie, json], body: "{}")
        #expect(forged.status == 403 && forged.object["code"] == .string("csrf"))
        let foreign = try await desk.send(
            .post, "/api/ping", headers: [cookie, json, ("Origin", "https://else.example")], body: "{}")
        #expect(foreign.status == 403 && foreign.object["code"] == .string("cross_site"))
        let strict = try await desk.send(
            .post, "/api/ping", headers: [bearer, ("Content-Type", "text/plain")], body: "{}")
        #expect(strict.status == 415)
        let chinese = try await desk.send(
            .get, "/api/people", headers: [bearer, ("Cookie", "__Host-language=en"), ("Accept-Language", "zh")])
        #expect(chinese.object["message"]?.string?.contains("令牌") == true, "\(chinese.text)")
    }

    @Test("tokens of another algorithm, type, key, place or form are answered 401 at the gate")
    func forged() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client()
        let good = try await desk.token(client.id, client.secret)
        let parts = good.split(separator: ".").map(String.init)
        func encoded(_ text: String) -> String { Base64URLWriter.encode(Array(text.utf8)) }
        let kid = try #require(
            String(decoding: Base64URL.decode(parts[0]) ?? [], as: UTF8.self).firstMatch(of: /"kid":"(\w+)"/)
        ).1
        let keys = try await desk.tenant.database.read { [tenant = desk.tenant] in
            try SigningKeys(tenant: tenant).load($0)
        }
        let key = try #require(keys.first)
        func signed(_ header: String) throws -> String {
            let text = encoded(header) + "." + parts[1]
            return text + "." + Base64URLWriter.encode(try key.signature(of: text))
        }
        #expect(
            try await desk.get("/api/ping", token: try signed(#"{"alg":"ES256","kid":"\#(kid)","typ":"at+jwt"}"#))
                .status == 200)
        for header in [
            #"{"alg":"none","kid":"\#(kid)","typ":"at+jwt"}"#, #"{"alg":"HS256","kid":"\#(kid)","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"other","typ":"at+jwt"}"#, #"{"alg":"ES256","kid":"\#(kid)","typ":"JWT"}"#,
            #"{"alg":"ES256","jku":"https://e.example","kid":"\#(kid)","typ":"at+jwt"}"#,
            #"{"alg":"ES256","jwk":{},"kid":"\#(kid)","typ":"at+jwt"}"#,
            #"{"alg":"ES256","kid":"\#(kid)","typ":"at+jwt","x5u":"https://e.example"}"#,
        ] { refused(try await desk.get("/api/ping", token: try signed(header)), header) }
        refused(try await desk.get("/api/ping", token: parts[0] + "." + parts[1] + "."))
        let claims = TokenClaims(
            client: try #require(ClientID(client.id)), scopes: ["ping:read"], id: "x", issuedAt: desk.clock.now(),
            expiresAt: desk.clock.now().adding(seconds: 60))
        refused(
            try await desk.get("/api/ping", token: try AccessToken.sign(claims, with: key, tenant: "beta")),
            "another tenant's")
        for text in [
            "", "x", "Bearer", String(repeating: "a", count: 5_000), "sbp_" + String(repeating: "A", count: 43),
        ] {
            refused(try await desk.get("/api/ping", token: text), text)
        }
        #expect(try await desk.get("/api/ping", token: good).status == 200)
    }

    @Test(
        "a request costs a check of the signature once and usually nothing of the database, and a change on another server is heard of within two seconds"
    )
    func remembered() async throws {
        let desk = try await ProgramDesk()
        let client = try await desk.client("x", ["ping:read", "users:read"])
        let token = try await desk.token(client.id, client.secret)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        desk.counting.forget()
        for _ in 0..<20 { #expect(try await desk.get("/api/ping", token: token).status == 200) }
        #expect(desk.memory.verifications == 1 && desk.counting.done.isEmpty, "\(desk.counting.done)")
        // Another server: its memory is another.
        let other = ClientAdmin(scopes: desk.scopes, memory: TokenMemory())
        _ = try await other.renewSecret(of: "x", days: 30, overlapHours: 0, desk.tenant)
        #expect(try await desk.get("/api/ping", token: token).status == 200)
        desk.clock.advance(seconds: TokenMemory.seconds)
        refused(try await desk.get("/api/ping", token: token))
        #expect(desk.memory.verifications == 1)
    }
}
