import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Web

/// Over real sockets: what answers carry, and what they and the log keep to themselves.
@Suite("Answers over HTTP", .serialized)
struct GateAnswerTests {
    @Test("an error nobody foresaw is 500 without its details, and logged once with them")
    func unforeseen() async throws {
        try await TestSite.run { site async throws in
            for accept in ["text/html", "application/json"] {
                let answer = try await site.http.ask("GET", "/crash", headers: [("Accept", accept)])
                #expect(answer.status == 500)
                #expect(!answer.text.contains("secret-detail"))
                let id = try #require(answer.header("x-request-id"))
                #expect(answer.text.contains(id))
                #expect(site.log.all.count { $0.contains("secret-detail") && $0.contains(id) } == 1)
            }
        }
    }

    @Test("every answer, errors included, carries the security headers; pages are never stored")
    func securityHeaders() async throws {
        try await TestSite.run { site async throws in
            for (method, path) in [
                ("GET", "/"), ("GET", "/health"), ("GET", "/nothing"), ("GET", "/crash"), ("GET", "/me"),
                ("TRACE", "/"),
                ("POST", "/customers"), ("GET", "/health?token=1"), ("HEAD", "/"), ("GET", "/assets/x/a.css"),
            ] {
                let answer = try await site.http.ask(method, path)
                let name = "\(method) \(path)"
                let csp = answer.header("content-security-policy") ?? ""
                for part in [
                    "default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
                    "form-action 'self'",
                ] {
                    #expect(csp.contains(part), "\(name)")
                }
                #expect(!csp.contains("unsafe-"), "\(name)")
                for (header, value) in [
                    ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"),
                    ("cross-origin-opener-policy", "same-origin"),
                    ("cross-origin-resource-policy", "same-origin"), ("referrer-policy", "same-origin"),
                ] { #expect(answer.headers(header) == [value], "\(name) \(header)") }
                let expected = path.hasPrefix("/assets/") ? "public, max-age=300" : "no-store"
                #expect(answer.headers("cache-control") == [expected], "\(name)")
                #expect(answer.header("server") == nil)
                #expect((answer.header("x-request-id") ?? "").count == 16)
            }
            let nonces = try await [site.http.ask("GET", "/"), site.http.ask("GET", "/")].map {
                $0.header("content-security-policy")
            }
            #expect(nonces[0] != nonces[1])
        }
    }

    @Test("the cookie of a new visitor is bound to this host and unreadable for scripts; known visitors keep theirs")
    func cookies() async throws {
        try await TestSite.run { site async throws in
            let line = try #require(try await site.http.ask("GET", "/").header("set-cookie"))
            for part in ["__Host-switchboard=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                #expect(line.contains(part))
            }
            #expect(try await site.http.ask("GET", "/", headers: [site.agentCookie]).header("set-cookie") == nil)
            #expect(try await site.http.ask("GET", "/health").header("set-cookie") == nil)
            let short = try await site.http.ask("GET", "/", headers: [("Cookie", "\(WebCookie.session)=short")])
            #expect((short.cookies[WebCookie.session] ?? "").count == 43)
        }
    }

    @Test("a message for the next page is shown once")
    func flash() async throws {
        try await TestSite.run { site async throws in
            let set = try await site.http.ask("GET", "/echo?to=saved")
            #expect(set.cookies[WebCookie.flash] == "saved")
            let shown = try await site.http.ask(
                "GET", "/", headers: [("Cookie", "\(WebCookie.flash)=saved; \(site.agentCookie.1)")])
            #expect(
                shown.headers("set-cookie").contains {
                    $0.hasPrefix("\(WebCookie.flash)=;") && $0.contains("Max-Age=0")
                })
            let next = try await site.http.ask("GET", "/", headers: [site.agentCookie])
            #expect(next.header("set-cookie") == nil)
        }
    }

    @Test("no path, query, cookie, field or header value of a request comes into the log")
    func logs() async throws {
        try await TestSite.run { site async throws in
            let marks = ["MARK-path", "MARK-query", "MARK-form", "MARK-agent", "MARK-json"]
            _ = try await site.http.ask(
                "GET", "/customers/MARK-path?q=MARK-query", headers: [site.agentCookie, ("User-Agent", "MARK-agent")])
            _ = try await site.http.ask("GET", "/nothing/MARK-path?q=MARK-query")
            _ = try await site.http.ask("GET", "/customers/MARK-path?token=MARK-query")
            _ = try await site.post("/customers", "_csrf=\(site.csrf)&name=MARK-form")
            _ = try await site.post("/customers", "_csrf=\(site.csrf)&MARK-form=1")
            _ = try await site.http.ask(
                "POST", "/api", headers: [site.agentCookie, TestSite.jsonType, ("X-CSRF-Token", site.csrf)],
                body: Array(#"{"MARK-json":}"#.utf8))
            let lines = site.log.all
            #expect(
                lines.contains {
                    $0.contains("http.request") && $0.contains("route=GET /customers/{id}") && $0.contains("status=200")
                })
            for mark in marks + [FakeSessions.agent, site.csrf] {
                #expect(!lines.contains { $0.contains(mark) }, "\(mark)")
            }
            #expect(!site.gate.metrics.exposition().contains("MARK"))
        }
    }

    @Test("line ends in a value that is sent back make no new header")
    func headerInjection() async throws {
        try await TestSite.run { site async throws in
            let answer = try await site.http.ask("GET", "/echo?to=%0D%0ASet-Cookie:%20evil=1%0D%0A%0D%0A%3Chtml%3E")
            #expect(answer.status == 303)
            #expect(answer.cookies["evil"] == nil && !answer.headers.contains { $0.value.hasPrefix("evil") })
            #expect(answer.body.isEmpty)
        }
    }

    @Test("an error page speaks the visitor's language and names the field")
    func errorLanguage() async throws {
        try await TestSite.run { site async throws in
            let chinese = try await site.http.ask("GET", "/nothing", headers: [("Accept-Language", "zh-CN,zh;q=0.9")])
            #expect(chinese.text.contains(CRMError.notFound.message.zh) && chinese.text.contains("zh-CN"))
            let byCookie = try await site.http.ask(
                "GET", "/nothing", headers: [("Accept-Language", "zh-CN"), ("Cookie", "\(WebCookie.language)=en")])
            #expect(byCookie.text.contains(CRMError.notFound.message.en))
            let field = try await site.post("/customers", "_csrf=\(site.csrf)&%3Csvg%20onload%3D1%3E=1")
            #expect(
                field.status == 422 && !field.text.contains("<svg onload")
                    && field.text.contains("&lt;svg onload=1&gt;"))
        }
    }
}
