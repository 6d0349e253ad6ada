import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Web

/// Over real sockets: what the gates let in, and what comes out.
@Suite("Gates over HTTP", .serialized)
struct GateTests {
    @Test("exactly one Host is required, of a name that is served")
    func host() async throws {
        try await TestSite.run { site async throws in
            let end = "Connection: close\r\n\r\n"
            #expect(try await site.wire("GET /health HTTP/1.1\r\n\(end)")?.status == 400)
            #expect(
                try await site.wire("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\(end)")?.status
                    == 400)
            #expect(
                try await site.wire("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nhost: evil\r\n\(end)")?.status == 400)
            #expect(try await site.wire("GET /health HTTP/1.1\r\nHost:\r\n\(end)")?.status == 400)
            for bad in [
                "127.0.0.1/x", "a@127.0.0.1", "127.0.0.1,evil", "127.0.0.1 evil", String(repeating: "a", count: 300),
            ] {
                #expect(try await site.wire("GET /health HTTP/1.1\r\nHost: \(bad)\r\n\(end)")?.status == 400, "\(bad)")
            }
            #expect(try await site.wire("GET /health HTTP/1.1\r\nHost: evil.example\r\n\(end)")?.status == 404)
            #expect(try await site.wire("GET /health HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\(end)")?.status == 200)
            #expect(try await site.wire("GET /health HTTP/1.1\r\nHost: LOCALHOST\r\n\(end)")?.status == 200)
        }
    }

    @Test("a probe does not look up who asks, whatever cookie comes along")
    func probe() async throws {
        try await TestSite.run { site async throws in
            for (path, times) in [("/health", 1), ("/probe", 0)] {
                let token = "probing" + String(UUID().uuidString.filter { $0 != "-" }) + "x"
                let answer = try await site.http.ask(
                    "GET", path, headers: [("Cookie", "\(WebCookie.session)=\(token)")])
                #expect(answer.status == 200)
                #expect(FakeSessions.lookedUp.all.count { $0 == token } == times, "\(path)")
            }
        }
    }

    @Test("a target in absolute form, or * or an authority, is refused")
    func absoluteForm() async throws {
        try await TestSite.run { site async throws in
            for target in [
                "http://127.0.0.1/health", "http://evil.example/health", "https://evil.example", "*", "evil.example:80",
                "health",
            ] {
                for method in ["GET", "OPTIONS", "CONNECT"] {
                    let answer = try await site.wire(
                        "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                    #expect([400, 405].contains(answer?.status ?? 400), "\(method) \(target)")
                    #expect(answer?.text.contains("ok") != true)
                }
            }
        }
    }

    @Test("methods: TRACE and unknown ones are 405, so is a known one on the wrong path; unknown paths are 404")
    func methods() async throws {
        try await TestSite.run { site async throws in
            for (method, path, status) in [
                ("TRACE", "/health", 405), ("OPTIONS", "/health", 405), ("PROPFIND", "/health", 405),
                ("PUT", "/health", 405), ("DELETE", "/login", 405), ("GET", "/api", 405), ("GET", "/nothing", 404),
                ("POST", "/nothing", 404), ("POST", "/assets/x/a.css", 405), ("GET", "/assets/x/../../secret", 404),
                ("GET", "/health", 200),
            ] {
                let answer = try await site.http.ask(method, path)
                #expect(answer.status == status, "\(method) \(path)")
            }
            // The parser knows fewer methods than there are: what it does not know is no HTTP to it.
            #expect(try await [400, 405].contains(site.http.ask("BREW", "/health").status))
            #expect(
                try await site.wire("get /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?.status
                    != 200)
        }
    }

    @Test("HEAD is GET without a body")
    func head() async throws {
        try await TestSite.run { site async throws in
            let answer = try await site.http.ask("HEAD", "/health")
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(try await site.http.ask("HEAD", "/nothing").body.isEmpty)
        }
    }

    @Test("a form must come as a form and JSON as JSON: anything else is 415")
    func contentTypes() async throws {
        try await TestSite.run { site async throws in
            let body = Array("_csrf=\(site.csrf)&name=x".utf8)
            for type in [
                "text/plain", "application/json", "multipart/form-data; boundary=x",
                "application/x-www-form-urlencodedx", "",
            ] {
                let answer = try await site.http.ask(
                    "POST", "/customers", headers: [site.agentCookie, ("Content-Type", type)], body: body)
                #expect(answer.status == 415, "\(type)")
            }
            #expect(
                try await site.http.ask("POST", "/customers", headers: [site.agentCookie], body: body).status == 415)
            #expect(try await site.post("/api", "{}", headers: [("X-CSRF-Token", site.csrf)]).status == 415)
            let upper = try await site.http.ask(
                "POST", "/customers",
                headers: [site.agentCookie, ("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")],
                body: body)
            #expect(upper.status == 200)
        }
    }

    @Test("requests that another site caused are refused")
    func crossSite() async throws {
        try await TestSite.run { site async throws in
            let body = "_csrf=\(site.csrf)&name=x"
            let own = "http://127.0.0.1:\(site.http.port)"
            for (header, status) in [
                (("Origin", "https://evil.example"), 403), (("Origin", "null"), 403),
                (("Origin", own + ".evil.example"), 403),
                (("Origin", "http://127.0.0.1"), 403), (("Origin", own), 200), (("Sec-Fetch-Site", "cross-site"), 403),
                (("Sec-Fetch-Site", "same-site"), 403), (("Sec-Fetch-Site", "same-origin"), 200),
                (("Sec-Fetch-Site", "none"), 200),
            ] {
                #expect(try await site.post("/customers", body, headers: [header]).status == status, "\(header)")
            }
            // Reading is not refused: links from elsewhere lead here.
            #expect(
                try await site.http.ask("GET", "/health", headers: [("Sec-Fetch-Site", "cross-site")]).status == 200)
        }
    }

    @Test("a change needs the token of this very session, whatever kind of body it has")
    func csrf() async throws {
        try await TestSite.run { site async throws in
            let other = site.gate.csrf(FakeSessions.guest)
            for (body, status) in [
                ("name=x", 403), ("_csrf=&name=x", 403), ("_csrf=wrong&name=x", 403), ("_csrf=\(other)&name=x", 403),
                ("_csrf=\(FakeSessions.agent)&name=x", 403), ("_csrf=\(site.csrf)&name=x", 200),
            ] { #expect(try await site.post("/customers", body).status == status, "\(body)") }
            #expect(try await site.post("/customers", "name=x", headers: [("X-CSRF-Token", site.csrf)]).status == 200)

            func json(_ token: String?) async throws -> Int {
                let headers = [site.agentCookie, TestSite.jsonType] + (token.map { [("X-CSRF-Token", $0)] } ?? [])
                return try await site.http.ask("POST", "/api", headers: headers, body: Array("{}".utf8)).status
            }
            #expect(try await json(nil) == 403)
            #expect(try await json(other) == 403)
            #expect(try await json(site.csrf) == 200)

            #expect(try await site.http.ask("DELETE", "/customers/1", headers: [site.agentCookie]).status == 403)
            #expect(
                try await site.http.ask(
                    "DELETE", "/customers/1", headers: [site.agentCookie, ("X-CSRF-Token", site.csrf)]
                ).status == 200)

            // Nobody has logged in yet: the token belongs to the cookie of the page with the form.
            #expect(
                try await site.http.ask("POST", "/login", headers: [TestSite.formType], body: Array("name=x".utf8))
                    .status == 403)
            let page = try await site.http.ask("GET", "/")
            let cookie = try #require(page.cookies[WebCookie.session])
            let sent = Array("name=x&_csrf=\(site.gate.csrf(cookie))".utf8)
            let headers = [TestSite.formType, ("Cookie", "\(WebCookie.session)=\(cookie)")]
            #expect(try await site.http.ask("POST", "/login", headers: headers, body: sent).status == 303)
        }
    }

    @Test("a field the form does not have is refused by name")
    func unknownField() async throws {
        try await TestSite.run { site async throws in
            for (field, status) in [
                ("name=x", 200), ("tag1=x&tag=y", 200), ("isAdmin=1", 422), ("name=x&tenantId=2", 422), ("NAME=x", 422),
                ("ta=x", 422),
            ] {
                let answer = try await site.post(
                    "/customers", "_csrf=\(site.csrf)&" + field, headers: [("Accept", "application/json")])
                #expect(answer.status == status, "\(field)")
                if status == 422 {
                    #expect(try JSONValue.parse(answer.body).object?["code"] == .string("unknown_field"))
                }
            }
        }
    }

    @Test("bodies over their limit are 413, told at once or sent in chunks; broken ones 400")
    func bodies() async throws {
        try await TestSite.run { site async throws in
            let large = "_csrf=\(site.csrf)&name=" + String(repeating: "x", count: Limits.formBodyBytesMax)
            #expect(try await site.post("/customers", large).status == 413)
            let head =
                "POST /customers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + "Cookie: \(site.agentCookie.1)\r\n"
            // The length alone is enough: nothing was sent yet.
            let announced = try await site.wire(head + "Content-Length: 99999999\r\n\r\n", seconds: 8)
            #expect(announced?.status == 413)
            let chunk = String(8_192, radix: 16) + "\r\n" + String(repeating: "x", count: 8_192) + "\r\n"
            let chunked = try await site.wire(
                head + "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 40) + "0\r\n\r\n",
                seconds: 8)
            #expect(chunked?.status == 413)
            let fitting = try await site.wire(
                head + "Transfer-Encoding: chunked\r\nX-CSRF-Token: \(site.csrf)\r\n\r\n6\r\nname=x\r\n0\r\n\r\n",
                seconds: 8)
            #expect(fitting?.status == 200)
            #expect(try await site.http.ask("GET", "/health", body: Array("x".utf8)).status == 413)
            #expect(try await site.post("/customers", "_csrf=\(site.csrf)&name=%zz").status == 400)
            #expect(try await site.post("/customers", "_csrf=\(site.csrf)&name=%ff").status == 400)
            let raw = Array("_csrf=\(site.csrf)&name=".utf8) + [0xFF]
            #expect(
                try await site.http.ask(
                    "POST", "/customers", headers: [site.agentCookie, TestSite.formType], body: raw
                ).status == 400)
        }
    }

    @Test("JSON passes the strict gate before any handler sees it")
    func json() async throws {
        try await TestSite.run { site async throws in
            func send(_ body: String) async throws -> RawHTTP.Answer {
                try await site.http.ask(
                    "POST", "/api", headers: [site.agentCookie, TestSite.jsonType, ("X-CSRF-Token", site.csrf)],
                    body: Array(body.utf8))
            }
            for body in [
                #"{"a":1,"a":2}"#, #""\u0000""#, #""\ud800""#, "1e999", "", "{} {}", String(repeating: "[", count: 40),
            ] {
                let answer = try await send(body)
                #expect(answer.status == 400, "\(body)")
                #expect(try JSONValue.parse(answer.body).object?["code"] == .string("invalid_json"))
            }
            let echo = try await send(#"{"b":[1,"é\/"],"a":null}"#)
            #expect(echo.status == 200 && echo.text == #"{"a":null,"b":[1,"é/"]}"#)
            let large = "\"" + String(repeating: "x", count: Limits.jsonBodyBytesMax) + "\""
            #expect(try await send(large).status == 413)
        }
    }

    @Test(
        "a secret in an address is refused, a broken query too",
        arguments: [
            "token=x", "session=x", "password=x", "_csrf=x", "csrf=x", "a=1&token=", "%74oken=x", "a=%zz", "a=%00",
        ])
    func secretInURL(query: String) async throws {
        try await TestSite.run { site async throws in
            #expect(try await site.http.ask("GET", "/health?" + query).status == 400)
            #expect(try await site.http.ask("GET", "/health?tokens=x&page=2").status == 200)
        }
    }

    @Test("who is not logged in is led to the log-in page and back; a JSON client is told 401")
    func anonymous() async throws {
        try await TestSite.run { site async throws in
            let page = try await site.http.ask("GET", "/customers/17?tab=a%20b")
            #expect(page.status == 303)
            #expect(page.header("location") == "/login?return=%2Fcustomers%2F17%3Ftab%3Da%2520b")
            let client = try await site.http.ask("GET", "/customers/17", headers: [("Accept", "application/json")])
            #expect(client.status == 401)
            #expect(try JSONValue.parse(client.body).object?["code"] == .string("login_required"))
            #expect(try await site.http.ask("GET", "/me").status == 303)
            let post = try await site.http.ask(
                "POST", "/customers", headers: [TestSite.formType], body: Array("name=x".utf8))
            #expect(post.status == 401)
            let forged = String(repeating: "z", count: 43)
            #expect(
                try await site.http.ask("GET", "/me", headers: [("Cookie", "\(WebCookie.session)=\(forged)")]).status
                    == 303)
            #expect(try await site.http.ask("GET", "/me", headers: [site.agentCookie]).text == "tester")
            // Double slashes must not become another host.
            let odd = try await site.http.ask("GET", "//evil.example/me")
            #expect(odd.header("location").map { !$0.hasPrefix("//") } ?? true)
        }
    }

    @Test("what the role does not allow is 403, and the refusal is told to the audit")
    func forbidden() async throws {
        try await TestSite.run { site async throws in
            let answer = try await site.http.ask("GET", "/customers/17", headers: [site.guestCookie])
            #expect(answer.status == 403 && (answer.text.contains("“Named ") || answer.text.contains("名为")), "\(answer.text)")
            #expect(site.refusals.all == ["tester GET /customers/{id}"])
            #expect(try await site.http.ask("GET", "/customers/17", headers: [site.agentCookie]).status == 200)
            #expect(site.refusals.all.count == 1)
        }
    }

    @Test("who asks too often waits, by account, without holding up others")
    func tooManyRequests() async throws {
        try await TestSite.run({ $0.requestsPerSecond = 2 }) { site async throws in
            var refused: RawHTTP.Answer?
            for _ in 0..<30 where refused == nil {
                let answer = try await site.http.ask("GET", "/me", headers: [site.agentCookie])
                if answer.status == 429 { refused = answer }
            }
            let answer = try #require(refused)
            #expect(answer.header("retry-after") == "1")
            #expect(try await site.http.ask("GET", "/me", headers: [site.guestCookie]).status == 200)
        }
    }

    @Test("more requests at once than there is room for are 503, and there is room again afterwards")
    func overload() async throws {
        try await TestSite.run({ settings in
            settings.concurrentMax = 2
            settings.requestSeconds = 1
        }) { site async throws in
            async let first = site.http.ask("GET", "/slow")
            async let second = site.http.ask("GET", "/slow")
            let limit = ContinuousClock.now + .seconds(10)
            while site.gate.inFlight.current < 2, ContinuousClock.now < limit {
                try await Task.sleep(for: .milliseconds(5))
            }
            let refused = try await site.http.ask("GET", "/health")
            #expect(refused.status == 503 && refused.header("retry-after") != nil)
            // A handler that takes too long is ended as well.
            #expect(try await [first.status, second.status] == [503, 503])
            #expect(try await site.http.ask("GET", "/health").status == 200)
        }
    }
}
