import Foundation
import Kernel
import TestSupport
import Testing

@testable import Web

/// Clients that take places and give nothing (G69): slow heads, slow bodies, slow readers, and many of them at once.
@Suite("Slow clients", .serialized)
struct SlowClientTests {
    /// An open connection that sends when it is told to.
    private final class Client: @unchecked Sendable {
        let descriptor: Int32
        init(_ http: RawHTTP, seconds: Int = 20) throws { descriptor = try http.connect(seconds: seconds) }
        deinit { close(descriptor) }

        @discardableResult
        func send(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                == bytes.count
        }

        /// What has arrived; `nil` when the server has closed.
        func poll() -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { return Array(buffer[..<count]) }
            return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? [] : nil
        }

        /// Seconds until the server closes; sends `drop` every 0.2 s meanwhile.
        func closed(dropping drop: String? = nil, within seconds: Double) async throws -> Double? {
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(seconds) {
                if poll() == nil { return Double((ContinuousClock.now - start).components.seconds) }
                if let drop { send(drop) }
                try await Task.sleep(for: .milliseconds(200))
            }
            return nil
        }
    }

    private func wait(_ seconds: Double = 20, until condition: () -> Bool) async throws -> Bool {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !condition(), ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(10)) }
        return condition()
    }

    private static let dripping =
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        + "Content-Length: 1000\r\n\r\nname="

    @Test("600 clients of one address that never end their bodies hold 32 places; everybody else is served")
    func drippers() async throws {
        var limits = ConnectionLimits()
        limits.perAddressMax = 2_000
        try await TestSite.run({ $0.bodySeconds = 60 }, limits: limits) { site async throws in
            let clients = try (0..<600).map { _ in try Client(site.http.from("127.0.0.2")) }
            for client in clients { client.send(Self.dripping) }
            let inFlight = site.gate.inFlight
            #expect(try await wait { inFlight.current(.receiving) == 32 })
            var refused = 0
            var seen = Set<ObjectIdentifier>()
            // All but 32 are told so.
            let limit = ContinuousClock.now + .seconds(20)
            while refused < 568, ContinuousClock.now < limit {
                for client in clients where !seen.contains(ObjectIdentifier(client)) {
                    guard let bytes = client.poll(), !bytes.isEmpty else { continue }
                    seen.insert(ObjectIdentifier(client))
                    if (try? RawHTTP.parse(bytes).status) == 429 { refused += 1 }
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(refused == 568)
            for source in ["127.0.0.1", "127.0.0.2", "127.0.0.3"] {
                #expect(try await site.http.from(source).ask("GET", "/health").status == 200, "\(source)")
            }
            #expect(inFlight.current(.receiving) == 32 && inFlight.current(.running) == 0)
            // Somebody else can still log in.
            let page = try await site.http.ask("GET", "/")
            let cookie = try #require(page.cookies[WebCookie.session])
            let answer = try await site.http.ask(
                "POST", "/login", headers: [TestSite.formType, ("Cookie", "\(WebCookie.session)=\(cookie)")],
                body: Array("name=x&_csrf=\(site.gate.csrf(cookie))".utf8))
            #expect(answer.status == 303)
            withExtendedLifetime(clients) {}
        }
    }

    @Test("bodies that wait take no place from handlers, whoever and however many they are")
    func waitingApart() async throws {
        try await TestSite.run({ settings in
            settings.bodySeconds = 60
            settings.concurrentMax = 4
            settings.receivingMax = 60
        }) { site async throws in
            // 30 addresses with 4 each: more than there is room for.
            let clients = try (0..<120).map { try Client(site.http.from("127.0.1.\($0 % 30 + 1)")) }
            for client in clients {
                client.send(Self.dripping)
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(try await wait { site.gate.inFlight.current(.receiving) == 60 })
            #expect(try await wait { site.gate.inFlight.current(.running) == 0 })
            #expect(try await site.http.ask("GET", "/health").status == 200)
            #expect(try await site.http.ask("POST", "/login", headers: [TestSite.formType], body: [120]).status == 503)
            withExtendedLifetime(clients) {}
        }
    }

    @Test("an account has its share of handlers")
    func account() async throws {
        try await TestSite.run({ settings in
            settings.callerMax = 2
            settings.requestSeconds = 2
        }) { site async throws in
            async let first = site.http.ask("GET", "/slow", headers: [site.agentCookie])
            async let second = site.http.ask("GET", "/slow", headers: [site.agentCookie])
            #expect(try await wait { site.gate.inFlight.current == 2 })
            let third = try await site.http.ask("GET", "/me", headers: [site.agentCookie])
            #expect(third.status == 429 && third.header("retry-after") == "1")
            #expect(try await site.http.ask("GET", "/me", headers: [site.guestCookie]).status == 200)
            #expect(try await [first.status, second.status] == [503, 503])
            #expect(try await site.http.ask("GET", "/me", headers: [site.agentCookie]).status == 200)
        }
    }

    @Test("an address has so many connections and no more; listed proxies have as many as they need")
    func connections() async throws {
        var limits = ConnectionLimits()
        limits.perAddressMax = 20
        limits.exempt = [try #require(IPNetwork("127.0.0.9"))]
        try await TestSite.run(limits: limits) { site async throws in
            var clients = try (0..<20).map { _ in try Client(site.http.from("127.0.0.2")) }
            let late = try Client(site.http.from("127.0.0.2"))
            #expect(try await late.closed(within: 5) != nil)
            #expect(try await site.http.from("127.0.0.3").ask("GET", "/health").status == 200)
            let proxied = try (0..<30).map { _ in try Client(site.http.from("127.0.0.9")) }
            #expect(try await site.http.from("127.0.0.9").ask("GET", "/health").status == 200)
            clients.removeFirst(5)
            var status = 0
            for _ in 0..<50 where status != 200 {
                status = (try? await site.http.from("127.0.0.2").ask("GET", "/health").status) ?? 0
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(status == 200, "a closed connection gives its place back")
            withExtendedLifetime((clients, proxied)) {}
        }
    }

    @Test("a head that trickles in, and a connection on which nothing is asked, are closed")
    func slowHead() async throws {
        var limits = ConnectionLimits()
        limits.headSeconds = 2
        try await TestSite.run(limits: limits) { site async throws in
            let client = try Client(site.http)
            client.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            let silent = try Client(site.http)
            let kept = try Client(site.http)
            kept.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            async let slow = client.closed(dropping: "x", within: 12)
            #expect(try await silent.closed(within: 12) != nil)
            #expect(try await kept.closed(within: 12) != nil)
            #expect(try await slow != nil)
            #expect(try await site.http.ask("GET", "/health").status == 200)
        }
    }

    private func uploadHead(_ site: TestSite) -> String {
        "POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            + "Cookie: \(site.agentCookie.1)\r\nContent-Length: 1000000\r\n\r\n"
    }

    @Test("an upload that stands still is closed and gives its place back; one that goes on is read")
    func stalledUpload() async throws {
        var limits = ConnectionLimits()
        limits.bodyStallSeconds = 2
        limits.headSeconds = 1
        try await TestSite.run(limits: limits) { site async throws in
            let client = try Client(site.http), steady = try Client(site.http)
            client.send(uploadHead(site) + "--b\r\n")
            steady.send(uploadHead(site))
            #expect(try await wait { site.gate.inFlight.current(.uploading) == 2 })
            async let stalled = client.closed(within: 12)
            for _ in 0..<25 {
                steady.send(String(repeating: "x", count: 40_000))
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(try await stalled != nil)
            #expect(try await wait { site.gate.inFlight.current(.uploading) == 0 })
            var bytes: [UInt8] = []
            #expect(
                try await wait(5) {
                    bytes += steady.poll() ?? []; return !bytes.isEmpty
                })
            #expect(try RawHTTP.parse(bytes).text == "1000000")
        }
    }

    @Test("a download that nobody reads is closed and gives its place back; it counts while it is sent")
    func unreadDownload() async throws {
        var limits = ConnectionLimits()
        limits.sendStallSeconds = 2
        try await TestSite.run({ $0.streamsCallerMax = 1 }, limits: limits) { site async throws in
            let http = site.http.from("127.0.0.2", receiveBytes: 8_192)
            let client = try Client(http)
            client.send("GET /download HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(try await wait { site.gate.inFlight.current(.sending) == 1 })
            #expect(try await site.http.from("127.0.0.2").ask("GET", "/download").status == 429)
            #expect(try await wait(15) { site.gate.inFlight.current(.sending) == 0 })
            let whole = try await site.http.from("127.0.0.2").ask("GET", "/download")
            #expect(whole.status == 200 && whole.body.count == 1_000 * 65_536)
            #expect(try await wait(5) { site.gate.inFlight.current(.sending) == 0 })
            withExtendedLifetime(client) {}
        }
    }

    @Test(
        "a page on a slow line arrives to its end, however long that takes",
        arguments: ["", "Connection: close\r\n"])
    func slowReader(header: String) async throws {
        var limits = ConnectionLimits()
        limits.headSeconds = 1
        limits.sendStallSeconds = 3
        try await TestSite.run(limits: limits) { site async throws in
            let client = try Client(site.http.from("127.0.0.1", receiveBytes: 32_768))
            client.send("GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\(header)\r\n")
            var bytes: [UInt8] = []
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(60) {
                guard let part = client.poll() else { break }
                bytes += part
                if bytes.suffix(3) == Array("END".utf8)[...] { break }
                try await Task.sleep(for: .milliseconds(90))
            }
            #expect(ContinuousClock.now - start > .seconds(3), "the line was not slow")
            #expect(try RawHTTP.parse(bytes).body.count == 196_608 * 16 + 3)
        }
    }

    @Test("an upload that trickles is refused after its grace")
    func trickledUpload() async throws {
        var limits = MultipartLimits()
        limits.graceSeconds = 1
        var sent = 0
        var reader = try MultipartReader(boundary: "b", csrfToken: "t", headerToken: "t", limits: limits) {
            sent += 1
            if sent == 1 {
                return Array("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".utf8)
            }
            try await Task.sleep(for: .milliseconds(100))
            return Array("x".utf8)
        }
        #expect(try await reader.nextPart()?.name == "file")
        let error = await #expect(throws: CRMError.self) { while try await reader.read() != nil {} }
        #expect(error?.code == "too_slow" && error?.status == 408)
        #expect((10...40).contains(sent))
    }
}
