import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Outgoing

@Suite("Calls to others")
struct OutgoingHTTPTests {
    private let shut = AddressGuard(hosts: [], setting: "X")
    private let here = AddressGuard(hosts: ["127.0.0.1", "localhost"], setting: "X")

    @Test("what is sent arrives as it is, and the answer's head and body come back")
    func sends() throws {
        let server = try CallbackServer()
        defer { server.stop() }
        server.answer { _ in .init(503, headers: ["Retry-After: 7", "X-More: a: b"], body: "later") }
        var request = OutgoingRequest(try here.check(server.address + "/a?b=c"))
        request.method = "POST"
        request.headers = [("Content-Type", "application/json"), ("X-Own", "1")]
        request.body = Array("{\"é\":1}".utf8)
        let body = Mutex<[UInt8]>([])
        let answer = try OutgoingHTTP.send(request, sink: { _, bytes in body.withLock { $0 += Array(bytes) } })
        #expect(answer.status == 503 && answer.retryAfterSeconds == 7 && answer.headers["x-more"] == "a: b")
        #expect(body.withLock { String(decoding: $0, as: UTF8.self) } == "later")
        let asked = try #require(server.asked.first)
        #expect(asked.method == "POST" && asked.path == "/a?b=c" && asked.body == request.body)
        #expect(asked.headers["x-own"] == "1" && asked.headers["expect"] == nil && asked.headers["user-agent"] == "switchboard")
    }

    @Test("a redirect is an answer and is not followed")
    func redirects() throws {
        let (server, other) = (try CallbackServer(), try CallbackServer())
        defer { server.stop(); other.stop() }
        let target = other.address
        server.answer { _ in .init(307, headers: ["Location: \(target)/stolen"]) }
        let answer = try OutgoingHTTP.send(OutgoingRequest(try here.check(server.address)))
        #expect(answer.status == 307 && answer.headers["location"] == target + "/stolen")
        #expect(other.asked.isEmpty)
    }

    @Test("an answer that is too long is cut, one that does not come or breaks off is an error of its kind")
    func limits() throws {
        let server = try CallbackServer()
        defer { server.stop() }
        server.answer { _ in .init(200, body: String(repeating: "x", count: 100_000)) }
        var request = OutgoingRequest(try here.check(server.address))
        request.answerMax = 1_000
        let answer = try OutgoingHTTP.send(request)
        #expect(answer.isCut && answer.status == 200)
        func reason(_ request: OutgoingRequest) -> OutgoingFailure.Reason? {
            do { _ = try OutgoingHTTP.send(request) } catch { return (error as? OutgoingFailure)?.reason }
            return nil
        }
        server.answer { _ in .init(200, waitsMilliseconds: 3_000) }
        request.seconds = 1
        #expect(reason(request) == .timeout)
        server.answer { _ in .init(hangsUp: true) }
        #expect(reason(request) == .brokenOff)
        server.answer { _ in .init(200, headers: ["X-A: b"], body: "", waitsMilliseconds: 60_000) }
        request.seconds = 60
        #expect(throws: OutgoingFailure.self) { try OutgoingHTTP.send(request, isCancelled: { true }) }
        let gone = try CallbackServer()
        let address = gone.address
        gone.stop()
        #expect(reason(OutgoingRequest(try here.check(address))) == .unreachable)
    }

    @Test("an address that has become private after it was checked is not connected to")
    func moved() throws {
        let server = try CallbackServer()
        defer { server.stop() }
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1"] {
            let moved = try #require(AddressGuard.Checked(unchecked: "https://\(host):\(server.port)/"))
            let error = #expect(throws: OutgoingFailure.self, "\(host)") { try OutgoingHTTP.send(OutgoingRequest(moved)) }
            #expect(error?.reason == .privateAddress, "\(host): \(String(describing: error))")
        }
        #expect(server.asked.isEmpty)
    }

    @Test("a connection is kept for the next call, a broken one is made anew, and nothing of one call stays for the next")
    func kept() throws {
        let server = try CallbackServer()
        defer { server.stop() }
        server.answer { _ in .init(200, body: "x", staysOpen: true) }
        let connection = OutgoingConnection()
        var first = OutgoingRequest(try here.check(server.address + "/1"))
        first.method = "POST"
        first.headers = [("X-First", "1")]
        first.body = Array("one".utf8)
        #expect(try OutgoingHTTP.send(first, over: connection).status == 200)
        #expect(try OutgoingHTTP.send(OutgoingRequest(try here.check(server.address + "/2")), over: connection).status == 200)
        #expect(server.connections == 1)
        #expect(server.asked.last?.method == "GET" && server.asked.last?.headers["x-first"] == nil && server.asked.last?.body.isEmpty == true)
        server.answer { _ in .init(200, body: "x") }
        for _ in 0..<2 { #expect(try OutgoingHTTP.send(first, over: connection).status == 200) }
        #expect(server.connections == 2 && server.asked.count == 4)
        #expect(try OutgoingHTTP.send(first).status == 200)
        #expect(server.connections == 3)
    }

    @Test("no proxy of the environment is used")
    func proxies() throws {
        let (server, proxy) = (try CallbackServer(), try CallbackServer())
        defer { server.stop(); proxy.stop() }
        let before = getenv("http_proxy").map { String(cString: $0) }
        setenv("http_proxy", proxy.address, 1)
        defer { if let before { setenv("http_proxy", before, 1) } else { unsetenv("http_proxy") } }
        #expect(try OutgoingHTTP.send(OutgoingRequest(try here.check(server.address))).status == 204)
        #expect(proxy.asked.isEmpty && server.asked.count == 1)
    }

    @Test(
        "what may not be called is refused with a code that says why",
        arguments: [
            ("http://example.com/x", "not_https"), ("https://127.0.0.1/x", "private_address"), ("https://[::1]/x", "private_address"),
            ("https://[::ffff:10.0.0.1]/", "private_address"), ("https://169.254.169.254/latest", "private_address"),
            ("https://2130706433/x", "private_address"), ("https://0177.1/x", "private_address"), ("https://localhost/", "private_address"),
            ("https://[fc00::1]/", "private_address"), ("https://a@1.1.1.1/", "userinfo"), ("https://1.1.1.1/#x", "userinfo"),
            ("https://1.1.1.1:22/", "port"), ("ftp://1.1.1.1/", "not_https"), ("https:///x", "address"), ("x", "address"), ("", "address"),
            ("https://1.1.1.1\\.example.com/", "address"), ("https://1.1.1.1/ x", "address"), ("https://1.1.1.1/\r\nHost: x", "address"),
            ("https://no-such-host.invalid/", "unknown_host"),
        ])
    func refused(text: String, code: String) {
        let error = #expect(throws: CRMError.self) { try shut.check(text) }
        #expect(error?.code == code && error?.status == 422, "\(text): \(String(describing: error))")
    }

    @Test("a certificate is verified: of nobody known it is refused, of a known authority and another name too")
    func certificates() throws {
        let folder = NSTemporaryDirectory() + "switchboard-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ arguments: [String], wait: Bool = true) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            if wait { process.waitUntilExit() }
            return process
        }
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") else { return }
        _ = try run([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/k.pem", "-out", folder + "/c.pem", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ])
        // A port that was free a moment ago.
        let free = try CallbackServer()
        let port = free.port
        free.stop()
        let server = try run(
            ["s_server", "-accept", "127.0.0.1:\(port)", "-key", folder + "/k.pem", "-cert", folder + "/c.pem", "-www", "-quiet"], wait: false)
        defer { server.terminate() }
        func status(_ host: String, known: Bool) -> String {
            for _ in 0..<100 {
                do {
                    var request = OutgoingRequest(try here.check("https://\(host):\(port)/"))
                    request.authorities = known ? folder + "/c.pem" : nil
                    return String(try OutgoingHTTP.send(request).status)
                } catch let error as OutgoingFailure where error.reason == .unreachable { usleep(50_000) } catch {
                    return (error as? OutgoingFailure)?.reason.rawValue ?? "\(error)"
                }
            }
            return "never"
        }
        #expect(status("localhost", known: true) == "200")
        #expect(status("localhost", known: false) == "tls")
        #expect(status("127.0.0.1", known: true) == "tls")
    }
}
