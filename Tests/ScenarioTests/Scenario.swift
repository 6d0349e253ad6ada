import App
import Foundation
import Kernel
import Logging
import Platform
import TestSupport
import Web

/// The whole product in this process on a free loopback port, with a clock that the test moves. Business stories talk to
/// it through HTTP only.
final class Scenario: Sendable {
    let runtime: Runtime
    let tenant: Tenant
    let clock: FrozenClock
    let http: RawHTTP
    let log: CapturedLog
    private let folder: String
    private let server: Task<Void, any Error>

    static let password = "seven grey herons wait 7 hours"

    /// - Parameters:
    ///   - customers: size of the generated base; 0 = empty.
    ///   - workers: whether the background work is done all the time, not only by `drain`.
    static func start(
        customers: Int = 0, workers: Bool = false, change: (inout Configuration) -> Void = { _ in }
    ) async throws -> Scenario {
        let folder = NSTemporaryDirectory() + "switchboard-scenario-" + UUID().uuidString
        var configuration = Configuration()
        configuration.port = 0
        configuration.data = folder
        configuration.database = TestDatabases.url(data: folder)
        configuration.share = Checkout.share.root
        configuration.durability = "normal"
        configuration.requestsPerSecond = 0
        change(&configuration)
        let clock = FrozenClock()
        let log = CapturedLog()
        let runtime = try Runtime(configuration, clock: clock, logger: Logger(label: "scenario") { _ in log.handler() })
        let tenant = try await runtime.tenants.tenant("default")
        if customers > 0 {
            try await runtime.seed(SeedRequest(customers: customers, seed: 7) { _, _, _ in }, tenant)
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = Task {
            try await runtime.serve(withWorkers: workers, signals: false) { number in
                port.yield(number)
                port.finish()
            }
        }
        var iterator = ports.makeAsyncIterator()
        guard let number = await iterator.next() else { throw RawHTTP.Failure(description: "the server did not start") }
        return Scenario(
            runtime: runtime, tenant: tenant, clock: clock, http: RawHTTP(port: number), log: log, folder: folder,
            server: server)
    }

    private init(
        runtime: Runtime, tenant: Tenant, clock: FrozenClock, http: RawHTTP, log: CapturedLog, folder: String,
        server: Task<Void, any Error>
    ) {
        self.runtime = runtime
        self.tenant = tenant
        self.clock = clock
        self.http = http
        self.log = log
        self.folder = folder
        self.server = server
    }

    deinit {
        server.cancel()
        try? FileManager.default.removeItem(atPath: folder)
        TestDatabases.drop(data: folder)
    }

    /// Runs the background work that is due.
    func drain() async throws { try await Workers.drain(tenant, runtime.modules.all, logger: runtime.logger) }

    /// Makes a user on the machine and logs in through the console.
    /// - Parameter place: another tenant and the host name it is reached by.
    func user(
        _ name: String, _ roles: Set<Role>, regions: [String]? = nil, at place: (tenant: Tenant, host: String)? = nil
    ) async throws -> Visitor {
        try await runtime.modules.users.createUser(
            name: name, roles: roles, scope: RecordScope(regions: regions), password: Self.password,
            place?.tenant ?? tenant)
        return try logIn(name, Self.password, host: place?.host)
    }

    func logIn(_ name: String, _ password: String, host: String? = nil) throws -> Visitor {
        let visitor = stranger(host: host)
        try visitor.get("/login")
        let answer = try visitor.post("/login", [("name", name), ("password", password)])
        guard answer.status == 303 else {
            throw RawHTTP.Failure(
                description: "log-in as \(name) answered \(answer.status): \(answer.text.prefix(300))")
        }
        try visitor.get("/me")
        return visitor
    }

    /// A browser without a session.
    func stranger(host: String? = nil) -> Visitor { Visitor(http: http, host: host) }
}

/// Everything the product logged.
final class CapturedLog: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    var text: String { lock.withLock { lines.joined(separator: "\n") } }

    func handler() -> any LogHandler { Handler(log: self) }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var logLevel: Logger.Level = .trace
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            log.lock.withLock { log.lines.append("\(event.message) \(fields)") }
        }
    }
}

/// A person with a browser: keeps cookies, sends the CSRF token of the page seen last.
final class Visitor: @unchecked Sendable {
    private let http: RawHTTP
    private let host: String?
    private(set) var cookies: [String: String] = [:]
    private(set) var csrf = ""

    /// - Parameter cookies: those of another visitor, to be tried elsewhere.
    init(http: RawHTTP, host: String? = nil, cookies: [String: String] = [:]) {
        self.http = http
        self.host = host
        self.cookies = cookies
    }

    var cookieHeader: String { cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ") }

    @discardableResult
    func get(_ path: String, headers: [(String, String)] = []) throws -> RawHTTP.Answer {
        try keep(try http.send("GET", path, headers: base + headers, host: host))
    }

    @discardableResult
    func post(_ path: String, _ fields: [(String, String)] = [], headers: [(String, String)] = []) throws
        -> RawHTTP.Answer
    {
        // A browser sends the key the form was rendered with; each call here is a form of its own.
        let isKeyed = fields.contains { $0.0 == "_key" } || headers.contains { $0.0 == "Idempotency-Key" }
        let own = [("_csrf", csrf)] + (isKeyed ? [] : [("_key", UUID().uuidString)])
        let form = Form(own.map { (name: $0.0, value: $0.1) } + fields.map { (name: $0.0, value: $0.1) })
        return try keep(
            try http.send(
                "POST", path, headers: base + [("Content-Type", "application/x-www-form-urlencoded")] + headers,
                body: Array(form.encoded.utf8), host: host))
    }

    /// Sends a form of a page: with the version of the record that the page shows.
    @discardableResult
    func fill(_ page: String, _ path: String, _ fields: [(String, String)]) throws -> RawHTTP.Answer {
        try post(path, [("revision", try version(page))] + fields)
    }

    /// The version that the first form of a page was rendered from.
    func version(_ page: String) throws -> String {
        guard let match = try get(page).text.firstMatch(of: /name="revision" value="([^"]*)"/) else {
            throw RawHTTP.Failure(description: "\(page) shows no version")
        }
        return String(match.1)
    }

    func postJSON(_ path: String, _ json: String) throws -> RawHTTP.Answer { try send("POST", path, json: json) }

    func send(_ method: String, _ path: String, json: String) throws -> RawHTTP.Answer {
        try keep(
            try http.send(
                method, path,
                headers: base + [
                    ("Content-Type", "application/json"), ("X-CSRF-Token", csrf), ("Accept", "application/json"),
                ],
                body: Array(json.utf8), host: host))
    }

    /// JSON objects, one a line.
    func postLines(_ path: String, _ lines: String, key: String = UUID().uuidString) throws -> RawHTTP.Answer {
        try keep(
            try http.send(
                "POST", path,
                headers: base + [
                    ("Content-Type", "application/x-ndjson"), ("X-CSRF-Token", csrf), ("Accept", "application/json"),
                    ("Idempotency-Key", key),
                ],
                body: Array(lines.utf8), host: host))
    }

    /// A multipart form with one file.
    func upload(_ path: String, fields: [(String, String)] = [], file: (name: String, content: [UInt8])) throws
        -> RawHTTP.Answer
    {
        let boundary = "----scenario7c1"
        var body: [UInt8] = []
        for (name, value) in [("_csrf", csrf)] + fields {
            body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        body += Array(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\nContent-Type: text/csv\r\n\r\n"
                .utf8)
        body += file.content + Array("\r\n--\(boundary)--\r\n".utf8)
        return try keep(
            try http.send(
                "POST", path.contains("?") ? path : path + "?_key=" + UUID().uuidString,
                headers: base + [("Content-Type", "multipart/form-data; boundary=\(boundary)")],
                body: body, host: host))
    }

    private var base: [(String, String)] { cookies.isEmpty ? [] : [("Cookie", cookieHeader)] }

    private func keep(_ answer: RawHTTP.Answer) throws -> RawHTTP.Answer {
        for (name, value) in answer.cookies { cookies[name] = value }
        if let match = answer.text.firstMatch(of: /name="csrf-token" content="([^"]+)"/) { csrf = String(match.1) }
        return answer
    }
}
