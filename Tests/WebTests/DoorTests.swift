import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

/// Requests under overload, as their clients see them.
@Suite("The door under overload")
struct DoorTests {
    /// One turn, held, with as many waiting as can be served in time: whoever comes next is refused.
    private func crowded(_ body: @escaping @Sendable (TestSite) async throws -> Void) async throws {
        let clock = StandingClock()
        let turns = Turns(count: 1) { clock.now }
        for _ in 0..<40 {
            try await turns.enter()
            turns.leave(since: clock.now - .milliseconds(80))
        }
        try await turns.enter()
        let waiting = Task { try await turns.enter() }
        while turns.counts.waiting == 0 { await Task.yield() }
        #expect(turns.isFull)
        try await TestSite.run(turns: turns, body)
        turns.leave(since: clock.now)
        _ = try await waiting.value
    }

    private func get(_ path: String, token: String = FakeSessions.agent, _ more: String = "", method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: \(WebCookie.session)=\(token)\r\n\(more)\r\n"
    }

    @Test("a page is refused with 503, when to come again and the headers of every answer, and nothing is looked up for it")
    func refusal() async throws {
        try await crowded { site async throws in
            let token = String(repeating: "d", count: 43)
            // On connections that go on: a request that closes its own is refused by the gate.
            let text =
                get("/me", token: token, "Accept-Language: zh-CN\r\n")
                + get("/customers/7", "Accept: application/json\r\n") + get("/health", "Connection: close\r\n")
            let parts = String(
                decoding: try await site.http.exchange(Array(text.utf8), seconds: 10), as: UTF8.self
            ).components(separatedBy: "HTTP/1.1 ")
            try #require(parts.count == 4)
            for part in parts[1...2] {
                #expect(part.hasPrefix("503 "))
                for header in [
                    "retry-after: 5", "cache-control: no-store", "x-content-type-options: nosniff", "x-request-id: ",
                ] { #expect(part.lowercased().contains(header), "\(header)") }
                #expect(!part.contains("nonce") && !part.lowercased().contains("set-cookie"))
            }
            #expect(parts[1].contains("当前请求过多"))
            #expect(!FakeSessions.lookedUp.all.contains(token))
            #expect(parts[2].contains("\"code\":\"overloaded\"") && !parts[2].contains("customer 7"))
            #expect(site.gate.metrics.exposition().contains("route=\"GET /customers/{id}\",status=\"503\"} 1"))
        }
    }

    @Test("who asks whether the server lives is answered, and so is who wants to log in")
    func anonymous() async throws {
        try await crowded { site async throws in
            #expect(try await site.http.ask("GET", "/health").status == 200)
            #expect(try await site.http.ask("GET", "/login").status == 200)
            #expect(try await site.http.ask("GET", "/nothing").status == 404)
        }
    }

    @Test("a refused form is read first, so that its connection can go on")
    func form() async throws {
        try await crowded { site async throws in
            let answer = try await site.post("/customers", "_csrf=\(site.csrf)&name=x")
            #expect(answer.status == 503 && answer.header("retry-after") == "5")
        }
    }

    @Test("a connection goes on after its refusals, and answers come in the order of what was asked")
    func connection() async throws {
        try await crowded { site async throws in
            let text = String(
                decoding: try await site.http.exchange(
                    Array(
                        (get("/me") + get("/me", method: "HEAD") + get("/health") + get("/me")
                            + get("/health", "Connection: close\r\n")).utf8), seconds: 10), as: UTF8.self)
            let states = text.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
            #expect(states == ["503", "503", "200", "503", "200"])
            // The answer to HEAD has no body: the next one follows its headers.
            let parts = text.components(separatedBy: "HTTP/1.1 ")
            #expect(parts[2].hasSuffix("\r\n\r\n") && !parts[2].contains("<html"))
        }
    }

    @Test("with turns to be had everybody is served")
    func open() async throws {
        try await TestSite.run { site async throws in
            #expect(try await site.http.ask("GET", "/me", headers: [site.agentCookie]).status == 200)
            #expect(try await site.http.ask("GET", "/customers/7", headers: [site.agentCookie]).text == "customer 7")
        }
    }
}
