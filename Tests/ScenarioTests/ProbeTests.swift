import App
import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

/// What orchestrators and scrapers ask, on an address of their own (ADR 0016).
@Suite("Probes")
struct ProbeTests {
    private static func port(in text: String) -> Int? {
        text.split(separator: "\n").first { $0.contains("probes.running") }
            .flatMap { $0.firstMatch(of: /port"?[:=]"?(\d+)/) }.flatMap { Int($0.1) }
    }

    @Test("a server answers health, readiness and metrics there to any host name, and nothing else")
    func server() async throws {
        let scenario = try await Scenario.start { $0.probes = "127.0.0.1:0" }
        let isThere = await eventually { Self.port(in: scenario.log.text) != nil }
        try #require(isThere, "\(scenario.log.text)")
        let probes = RawHTTP(port: try #require(Self.port(in: scenario.log.text)))
        // As a kubelet asks: by the pod's address, through no proxy.
        let health = try probes.send("GET", "/healthz", host: "10.1.2.3:9090")
        #expect(health.status == 200 && health.text == "ok\n")
        let ready = try probes.send("GET", "/readyz", host: "10.1.2.3:9090")
        #expect(ready.status == 200 && ready.text.hasPrefix("ready"), "\(ready.text)")
        _ = try scenario.http.send("GET", "/login")
        let metrics = try probes.send("GET", "/metrics", host: "10.1.2.3:9090")
        #expect(metrics.status == 200 && metrics.text.contains("switchboard_http_requests_total{route=\"GET /login\""))
        for (method, path, status) in [
            ("GET", "/login", 404), ("GET", "/", 404), ("GET", "/customers", 404), ("GET", "/assets/app.css", 404),
            ("POST", "/readyz", 405), ("PUT", "/metrics", 405),
        ] {
            let answer = try probes.send(method, path)
            #expect(answer.status == status && answer.cookies.isEmpty, "\(method) \(path) \(answer.status)")
        }
        // The gate of the pages still knows its own hosts only.
        #expect(try scenario.http.send("GET", "/readyz", host: "10.1.2.3:9090").status == 404)
    }

    @Test("a worker can be asked too, the health command does, and an ended one is told from a living one")
    func worker() async throws {
        let data = NSTemporaryDirectory() + "switchboard-probes-" + UUID().uuidString
        defer {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(data: data)
        }
        let worker = Process()
        worker.executableURL = URL(fileURLWithPath: ServerProcess.binary)
        worker.arguments = ["worker", "--data", data]
        worker.environment = ServerProcess.settings(
            ["SWITCHBOARD_PROBES": "127.0.0.1:0", "SWITCHBOARD_LOG": "info"], ["--data", data])
        let pipe = Pipe()
        let printed = Mutex("")
        worker.standardError = pipe
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let text = String(decoding: handle.availableData, as: UTF8.self)
            printed.withLock { $0 += text }
        }
        try worker.run()
        defer { worker.terminate() }
        let isThere = await eventually(seconds: 60) { printed.withLock { Self.port(in: $0) } != nil }
        try #require(isThere, "\(printed.withLock { $0 })")
        let port = try #require(printed.withLock { Self.port(in: $0) })
        let settings = ["SWITCHBOARD_PROBES": "0.0.0.0:\(port)"]
        let living = try ServerProcess.run(["health"], environment: settings)
        #expect(living.code == 0 && living.out == "ok\n", "\(living)")
        // Ready as soon as its tenant is open.
        let isReady = try await eventually(seconds: 60) {
            try ServerProcess.run(["health", "--ready"], environment: settings).code == 0
        }
        #expect(isReady)
        #expect(try RawHTTP(port: port).send("GET", "/metrics").status == 200)
        worker.terminate()
        worker.waitUntilExit()
        #expect(worker.terminationReason == .exit && worker.terminationStatus == 0)
        let ended = try ServerProcess.run(["health"], environment: settings)
        #expect(ended.code == 1 && ended.error.contains("127.0.0.1:\(port)"), "\(ended)")
    }

    @Test("an address that cannot be had is an error that names the setting, not a trap")
    func taken() async throws {
        let scenario = try await Scenario.start()
        let data = NSTemporaryDirectory() + "switchboard-probes-" + UUID().uuidString
        defer {
            try? FileManager.default.removeItem(atPath: data)
            TestDatabases.drop(data: data)
        }
        let failed = try ServerProcess.run(
            ["worker", "--data", data], environment: ["SWITCHBOARD_PROBES": "127.0.0.1:\(scenario.http.port)"])
        #expect(failed.code == 1 && failed.error.contains("SWITCHBOARD_PROBES"), "\(failed)")
    }
}
