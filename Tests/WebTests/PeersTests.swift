import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import Web

/// Who connects, and for whom a request counts.
@Suite("Peers")
struct PeersTests {
    @Test(
        "addresses are read as numbers, names that look like them are none",
        arguments: [
            ("127.0.0.1", "127.0.0.1", true), ("127.9.8.7", "127.9.8.7", true), ("::1", "::1", true),
            ("[::1]", "::1", true), ("::ffff:127.0.0.1", "127.0.0.1", true),
            ("192.0.2.1", "192.0.2.1", false), ("fe80::1%eth0", "fe80::1", false),
            ("127.evil.example", nil, false), ("127.1", nil, false), ("localhost", nil, false), ("", nil, false),
            ("127.0.0.1.", nil, false), ("0177.0.0.1", nil, false), ("2130706433", nil, false),
        ])
    func addresses(_ example: (String, String?, Bool)) {
        #expect(IPAddress(example.0)?.description == example.1)
        #expect((IPAddress(example.0)?.isLoopback ?? false) == example.2)
    }

    @Test(
        "a range holds what agrees in its leading bits",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false), ("10.0.0.0/9", "10.127.0.1", true),
            ("10.0.0.0/9", "10.128.0.1", false), ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true), ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ])
    func ranges(_ example: (String, String, Bool)) throws {
        let network = try #require(IPNetwork(example.0))
        #expect(network.contains(try #require(IPAddress(example.1))) == example.2)
    }

    @Test(
        "what is no range is refused",
        arguments: ["", "proxy", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2/24", "::/129", "1.2.3.4/+8"])
    func noRange(text: String) { #expect(IPNetwork(text) == nil) }

    @Test("a subscriber is an IPv4 address or the /64 of an IPv6 address")
    func subscriber() {
        #expect(IPAddress.subscriber("192.0.2.1") == "192.0.2.1")
        #expect(IPAddress.subscriber("::ffff:192.0.2.1") == "192.0.2.1")
        #expect(IPAddress.subscriber("2001:db8:0:7::1") == IPAddress.subscriber("2001:db8:0:7:9:9:9:9"))
        #expect(IPAddress.subscriber("2001:db8:0:7::1") != IPAddress.subscriber("2001:db8:0:8::1"))
        #expect(IPAddress.subscriber("2001:db8:0:7::1") == "2001:db8:0:7::/64")
        #expect(IPAddress.subscriber("unknown") == "unknown")
    }

    /// Peer, headers, bound beyond loopback -> the address it counts for, or the code of the refusal.
    @Test(
        "a listed proxy is believed, everybody else counts for their own address or is refused",
        arguments: [
            ("127.0.0.1", [:], false, "127.0.0.1"), ("127.0.0.1", [:], true, "127.0.0.1"),
            ("127.0.0.1", ["x-forwarded-for": "203.0.113.9"], false, "unlisted_proxy"),
            ("127.0.0.1", ["forwarded": "for=203.0.113.9"], false, "unlisted_proxy"),
            ("::1", ["x-forwarded-for": "203.0.113.9"], true, "unlisted_proxy"),
            ("203.0.113.5", [:], false, "203.0.113.5"), ("203.0.113.5", [:], true, "direct_access"),
            ("203.0.113.5", ["x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https"], false, "203.0.113.5"),
            ("203.0.113.5", ["x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https"], true, "direct_access"),
            ("192.0.2.7", ["x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"], true, "203.0.113.9"),
            (
                "192.0.2.7", ["x-forwarded-for": "1.1.1.1, 203.0.113.9", "x-forwarded-proto": "https"], true,
                "203.0.113.9"
            ),
            (
                "192.0.2.7", ["x-forwarded-for": "203.0.113.9, 192.0.2.8", "x-forwarded-proto": "HTTPS"], true,
                "203.0.113.9"
            ),
            ("192.0.2.7", ["x-forwarded-for": "203.0.113.9:4711", "x-forwarded-proto": "https"], true, "203.0.113.9"),
            (
                "192.0.2.7", ["x-forwarded-for": "[2001:db8::1]:4711", "x-forwarded-proto": "https"], true,
                "2001:db8::1"
            ),
            // Somebody on a proxy's own machine.
            (
                "192.0.2.7", ["x-forwarded-for": "192.0.2.9, 192.0.2.8", "x-forwarded-proto": "https"], true,
                "192.0.2.9"
            ),
            ("192.0.2.7", ["x-forwarded-for": "somebody", "x-forwarded-proto": "https"], true, "no_client_address"),
            ("192.0.2.7", ["x-forwarded-proto": "https"], true, "no_client_address"),
            ("192.0.2.7", ["forwarded": "for=1.1.1.1", "x-forwarded-proto": "https"], true, "no_client_address"),
            ("192.0.2.7", ["x-forwarded-for": "203.0.113.9"], true, "insecure_proxy"),
            ("192.0.2.7", ["x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http"], true, "insecure_proxy"),
            ("192.0.2.7", ["x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https, http"], true, "insecure_proxy"),
            ("192.0.2.7", [:], true, "insecure_proxy"), ("unknown", [:], true, "direct_access"),
        ] as [(String, [String: String], Bool, String)])
    func clients(_ example: (String, [String: String], Bool, String)) throws {
        let peers = Peers(trusted: [try #require(IPNetwork("192.0.2.0/24"))], requiresProxy: example.2)
        var headers = HTTPFields()
        for (name, value) in example.1 { headers[try #require(HTTPField.Name(name))] = value }
        do {
            #expect(try peers.client(of: example.0, headers) == example.3, "\(example)")
        } catch let error as CRMError {
            #expect(error.code == example.3, "\(example)")
        }
    }

    @Test("over HTTP: an unlisted proxy on this machine is told what to do, a listed one names the client")
    func overHTTP() async throws {
        let forwarded = [("X-Forwarded-For", "203.0.113.9"), ("Accept", "application/json")]
        try await TestSite.run { site async throws in
            let answer = try await site.http.ask("GET", "/health", headers: forwarded)
            #expect(answer.status == 400 && answer.text.contains("unlisted_proxy"))
            #expect(answer.text.contains("trustedProxies"))
            let other = try await site.http.ask("GET", "/health", headers: [("Forwarded", "for=203.0.113.9")])
            #expect(other.status == 400)
        }
        try await TestSite.run({ $0.trustedProxies = [IPNetwork("127.0.0.1")!] }) { site async throws in
            #expect(try await site.http.ask("GET", "/health", headers: forwarded).status == 400)
            let https = forwarded + [("X-Forwarded-Proto", "https")]
            #expect(try await site.http.ask("GET", "/health", headers: https).status == 200)
            #expect(try await site.http.ask("GET", "/health").status == 200)
        }
    }
}

/// Token buckets.
@Suite("Rates", .serialized)
struct RateTests {
    /// Statuses of `count` requests.
    private func ask(_ http: RawHTTP, _ count: Int, _ path: String = "/health", _ headers: [(String, String)] = [])
        async throws -> [Int]
    {
        var statuses: [Int] = []
        for _ in 0..<count { statuses.append(try await http.ask("GET", path, headers: headers).status) }
        return statuses
    }

    @Test("an address has a bucket of its own; what does not exist, wrong methods and assets count too")
    func addresses() async throws {
        try await TestSite.run({ $0.requestsPerSecond = 1 }) { site async throws in
            #expect(try await ask(site.http.from("127.0.0.2"), 12).contains(429))
            #expect(try await ask(site.http.from("127.0.0.3"), 12, "/nothing").contains(429))
            #expect(try await ask(site.http.from("127.0.0.4"), 12, "/api").contains(429))
            #expect(try await ask(site.http.from("127.0.0.5"), 12, "/assets/x/a.css").contains(429))
            let refused = try await site.http.from("127.0.0.6").ask("GET", "/health")
            #expect(refused.status == 200)
        }
    }

    @Test("through a listed proxy each client has a bucket; through the same address without it all share one")
    func forwarded() async throws {
        try await TestSite.run({
            $0.requestsPerSecond = 1
            $0.trustedProxies = [IPNetwork("127.0.0.1")!]
        }) { site async throws in
            func through(_ client: String) -> [(String, String)] {
                [("X-Forwarded-For", client), ("X-Forwarded-Proto", "https")]
            }
            #expect(try await ask(site.http, 12, "/health", through("203.0.113.1")).contains(429))
            #expect(try await ask(site.http, 1, "/health", through("203.0.113.2")) == [200])
            // One network of IPv6 is one client.
            var statuses: [Int] = []
            for number in 1...12 {
                statuses += try await ask(site.http, 1, "/health", through("2001:db8::\(number)"))
            }
            #expect(statuses.contains(429))
            #expect(try await ask(site.http, 1, "/health", through("2001:db8:0:1::1")) == [200])
        }
    }

    @Test(
        "made-up cookies cost the address its share before any session is looked up; a good one counts for its account")
    func cookies() async throws {
        try await TestSite.run({ $0.requestsPerSecond = 1 }) { site async throws in
            let http = site.http.from("127.0.0.7")
            // Known from before the flood.
            #expect(try await ask(http, 1, "/me", [site.agentCookie]) == [200])
            let looked = FakeSessions.lookedUp.all.count
            var statuses: [Int] = []
            for number in 0..<30 {
                let token = "forged-\(number)-" + String(repeating: "x", count: 30)
                statuses += try await ask(http, 1, "/me", [("Cookie", "\(WebCookie.session)=\(token)")])
            }
            let refused = statuses.count { $0 == 429 }
            #expect(refused > 15)
            #expect(FakeSessions.lookedUp.all[looked...].count { $0.hasPrefix("forged-") } == 30 - refused)
            #expect(try await ask(http, 1, "/me", [site.agentCookie]) == [200])
        }
    }

    @Test("a tenant has a bucket above those of its callers")
    func tenant() async throws {
        try await TestSite.run({
            $0.requestsPerSecond = 5
            $0.tenantTimes = 0.4
        }) { site async throws in
            var statuses: [Int] = []
            for number in 10..<30 { statuses += try await ask(site.http.from("127.0.0.\(number)"), 1) }
            #expect(statuses.contains(429))
        }
    }

    @Test("memory is bounded: beyond it, new callers share one bucket")
    func bounded() throws {
        let limiter = RateLimiter(perSecond: 0.001, bucketsMax: 10)
        #expect(throws: CRMError.self) {
            for number in 0..<1_000 { try limiter.check("caller \(number)", times: 1_000) }
        }
    }
}
