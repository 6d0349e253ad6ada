import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

/// Clients that are slow, rude or of another age.
@Suite("Connections", .serialized)
struct ConnectionTests {
    @Test("a body that comes drop by drop is cut off, the connection with it, and others are served meanwhile")
    func slowBody() async throws {
        try await TestSite.run { site async throws in
            let start = ContinuousClock.now
            let slow = Task.detached { () -> (status: Int, seconds: Double, dripped: Int) in
                try await withCheckedThrowingContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume(with: Result { try Self.drip(site) }) }
                }
            }
            for _ in 0..<5 { #expect(try await site.http.ask("GET", "/health").status == 200) }
            let outcome = try await slow.value
            #expect(outcome.status == 408)
            #expect(outcome.seconds < Double(Limits.headerSecondsMax) + 6, "closed after \(outcome.seconds) s")
            #expect(outcome.dripped > 3, "the body was not dripping")
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    /// Sends one byte of a body every 0.5 s until the server closes; returns its answer.
    private static func drip(_ site: TestSite) throws -> (status: Int, seconds: Double, dripped: Int) {
        let descriptor = try site.http.connect(seconds: 1)
        defer { close(descriptor) }
        let head =
            "POST /customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + "Cookie: \(site.agentCookie.1)\r\nContent-Length: 1000\r\n\r\n"
        let start = Date()
        var sent = 0, status = 0
        _ = Array(head.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        while Date().timeIntervalSince(start) < 25 {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0, let answer = try? RawHTTP.parse(Array(buffer[..<count])) { status = answer.status }
            // 0 = the server has closed its side; a failing send = it has closed both.
            if count == 0 { break }
            if send(descriptor, "x", 1, Int32(MSG_NOSIGNAL)) < 0 { break }
            sent += 1
            Thread.sleep(forTimeInterval: 0.5)
        }
        return (status, Date().timeIntervalSince(start), sent)
    }

    @Test(
        "an answer given before the body was read ends the connection: the rest is not read for ever",
        arguments: [
            ("POST", "/nothing"), ("GET", "/health"), ("POST", "/customers"), ("GET", "/me"),
        ])
    func unreadBody(method: String, path: String) async throws {
        try await TestSite.run { site async throws in
            let head =
                "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 900000000\r\n\r\nfirst"
            let start = ContinuousClock.now
            let bytes = try await site.http.exchange(Array(head.utf8), seconds: 15)
            #expect(ContinuousClock.now - start < .seconds(8))
            let answer = try RawHTTP.parse(bytes)
            #expect(answer.status >= 300)
            #expect(answer.header("connection") == "close")
        }
    }

    @Test("a well-behaved connection serves one request after another")
    func keepAlive() async throws {
        try await TestSite.run { site async throws in
            let one = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            let last = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            let bytes = try await site.http.exchange(Array((one + one + last).utf8), seconds: 10)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 200").count == 4)
        }
    }

    @Test("after an answer that closes, a second request on the connection is not served")
    func nothingAfterClose() async throws {
        try await TestSite.run { site async throws in
            let bad = "GET /health?token=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            let next = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            let text = String(
                decoding: try await site.http.exchange(Array((bad + next).utf8), seconds: 10), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 400") && !text.contains("HTTP/1.1 200"))
        }
    }

    @Test("an HTTP/1.0 client is answered and its connection closed")
    func http10() async throws {
        try await TestSite.run { site async throws in
            let start = ContinuousClock.now
            let answer = try await site.wire("GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(answer?.status == 200)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test(
        "requests that are no HTTP are refused and closed",
        arguments: [
            "GARBAGE\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "POST /api HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nhello",
            "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\u{0}b\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
            "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX : a\r\n\r\n",
        ])
    func garbage(text: String) async throws {
        try await TestSite.run { site async throws in
            let start = ContinuousClock.now
            let answer = try await site.wire(text)
            #expect(answer == nil || answer?.status == 400)
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }

    @Test(
        "headers beyond their limits are refused",
        arguments: [
            "X: " + String(repeating: "a", count: 20_000) + "\r\n", String(repeating: "X: a\r\n", count: 200),
            String(repeating: "X: " + String(repeating: "a", count: 9_000) + "\r\n", count: 9),
        ])
    func headerLimits(headers: String) async throws {
        try await TestSite.run { site async throws in
            let answer = try await site.wire(
                "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\(headers)Connection: close\r\n\r\n")
            #expect(answer == nil || (400..<500).contains(answer?.status ?? 0))
        }
    }
}
