import App
import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// What programs get when they are refused: the members of RFC 9457 as JSON, whatever they say they accept.
@Suite("Refusals under /api")
struct ApiAnswerTests {
    private static let accepts: [[(String, String)]] = [
        [], [("Accept", "text/html")], [("Accept", "*/*")], [("Accept", "application/json;q=0, text/plain")],
    ]
    private static let lines = ("Content-Type", "application/x-ndjson")

    private func expect(
        _ status: Int, _ code: String, _ answer: RawHTTP.Answer, _ words: String,
        at place: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == status, "\(words): \(answer.status) \(answer.text.prefix(200))", sourceLocation: place)
        #expect(
            answer.header("content-type") == "application/problem+json; charset=utf-8", "\(words)", sourceLocation: place)
        let object = try? JSONValue.parse(answer.body).object
        #expect(object?["code"] == .string(code), "\(words): \(answer.text.prefix(200))", sourceLocation: place)
        #expect(object?["status"] == .int(Int64(status)), "\(words)", sourceLocation: place)
        #expect(object?["type"] == .string("about:blank"), "\(words)", sourceLocation: place)
        #expect(object?["title"]?.string?.isEmpty == false, "\(words)", sourceLocation: place)
        #expect(object?["detail"] == object?["message"], "\(words)", sourceLocation: place)
        #expect(object?["detail"]?.string?.isEmpty == false, "\(words)", sourceLocation: place)
        #expect(answer.header("x-request-id") == object?["request"]?.string, "\(words)", sourceLocation: place)
        // No cookie is set for a program, and nobody is sent to a page.
        #expect(answer.header("location") == nil && answer.headers("set-cookie").isEmpty, "\(words)", sourceLocation: place)
    }

    @Test("every route under /api answers every refusal as problem JSON, whatever the Accept header says")
    func refusals() async throws {
        let scenario = try await Scenario.start()
        let routes = scenario.runtime.routes.filter { $0.pattern.hasPrefix("/api/") }
        #expect(routes.count >= 2)
        let agent = try await scenario.user("agent", [.agent])
        let supervisor = try await scenario.user("super", [.supervisor])
        let http = scenario.http
        func send(
            _ route: Route, _ method: String? = nil, as visitor: Visitor?, csrf: Bool = true, key: Bool = true,
            _ more: [(String, String)], query: String = "?source=s", body: String = "{}\n"
        ) throws -> RawHTTP.Answer {
            var headers = more
            if let visitor { headers.append(("Cookie", visitor.cookieHeader)) }
            if let visitor, csrf { headers.append(("X-CSRF-Token", visitor.csrf)) }
            if key { headers.append(("Idempotency-Key", UUID().uuidString)) }
            return try http.send(
                method ?? route.method.rawValue, route.pattern + query, headers: headers, body: Array(body.utf8))
        }
        for route in routes {
            #expect(route.method == .post, "\(route.name): say here how it is refused")
            for accept in Self.accepts {
                let words = "\(route.name) \(accept)"
                let ordinary = accept + [Self.lines]
                expect(401, "login_required", try send(route, as: nil, ordinary), words)
                expect(403, "forbidden", try send(route, as: agent, ordinary), words)
                expect(403, "csrf", try send(route, as: supervisor, csrf: false, ordinary), words)
                let noKey = try send(route, as: supervisor, key: false, ordinary)
                expect(400, "idempotency_key_required", noKey, words)
                expect(403, "cross_site", try send(route, as: supervisor, ordinary + [("Origin", "https://a.example")]), words)
                let get = try http.send("GET", route.pattern, headers: accept)
                expect(405, "method_not_allowed", get, words)
                #expect(get.header("allow") == route.method.rawValue, "\(words)")
                expect(415, "unsupported_media_type", try send(route, as: supervisor, accept + [("Content-Type", "text/csv")]), words)
                let large = String(repeating: " ", count: Limits.linesBodyBytesMax + 1)
                expect(413, "too_large", try send(route, as: supervisor, ordinary, body: large), words)
                expect(422, "bad_source", try send(route, as: supervisor, ordinary, query: ""), words)
            }
        }
        for path in ["/api", "/api/", "/api/nothing", "//api/nothing", "/api/usage/events/1"] {
            for accept in Self.accepts {
                expect(404, "not_found", try http.send("GET", path, headers: accept), "\(path) \(accept)")
            }
        }
        // Elsewhere people get pages, unless they ask for JSON.
        let page = try http.send("GET", "/apiary", headers: [("Accept", "text/html")])
        #expect(page.status == 404 && page.header("content-type")?.hasPrefix("text/html") == true)
    }

    @Test("too many requests, another host and a defect of ours are told the same way")
    func troubles() async throws {
        let scenario = try await Scenario.start { $0.requestsPerSecond = 5 }
        let html = [("Accept", "text/html")]
        let foreign = try scenario.http.send("POST", "/api/events", headers: html, host: "elsewhere.example")
        #expect(foreign.status == 404 && foreign.header("content-type")?.hasPrefix("application/problem+json") == true)
        var last: RawHTTP.Answer?
        for _ in 0..<100 where last?.status != 429 {
            last = try scenario.http.send("POST", "/api/events?source=s", headers: html)
        }
        let refused = try #require(last)
        expect(429, "too_many_requests", refused, "too many")
        #expect(refused.header("retry-after") != nil)

        let broken = try await Scenario.start()
        let supervisor = try await broken.user("super", [.supervisor])
        try await broken.tenant.database.write { session in
            try session.execute("ALTER TABLE usage_source RENAME TO usage_source_away")
            try session.execute("ALTER TABLE profiles_source RENAME TO profiles_source_away")
        }
        for path in ["/api/usage/events?source=s", "/api/events?source=s"] {
            let answer = try broken.http.send(
                "POST", path,
                headers: html + [
                    Self.lines, ("Cookie", supervisor.cookieHeader), ("X-CSRF-Token", supervisor.csrf),
                    ("Idempotency-Key", UUID().uuidString),
                ], body: Array("{}\n".utf8))
            #expect(answer.status >= 500, "\(path) \(answer.status)")
            #expect(answer.header("content-type") == "application/problem+json; charset=utf-8", "\(path)")
            #expect(!answer.text.contains("usage_source") && !answer.text.contains("profiles_source"), "\(answer.text)")
        }
    }
}
