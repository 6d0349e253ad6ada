import Foundation
import Kernel
import Storage
import StoragePostgres
import StorageSQLite
import Synchronization
import TestSupport

/// A process of the built product. What it prints goes to a file in the installation's folder.
final class ProductProcess: @unchecked Sendable {
    private let process = Process()
    private let output: String
    let name: String

    /// - Parameter wrapper: a program that runs it, with its arguments.
    init(_ arguments: [String], wrapper: [String] = [], log: String, environment: [String: String]) throws {
        name = arguments.first ?? ""
        output = log
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: log) else { throw Deliberate() }
        let command = wrapper + [ServerProcess.binary] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        try? handle.close()
    }

    deinit { kill() }

    var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
    var isRunning: Bool { process.isRunning }
    /// Its number; behind a wrapper that of the wrapper's child.
    var processID: Int32 {
        let own = process.processIdentifier
        guard process.executableURL?.path != ServerProcess.binary else { return own }
        let children = (try? String(contentsOfFile: "/proc/\(own)/task/\(own)/children", encoding: .utf8)) ?? ""
        return children.split(separator: " ").first.flatMap { Int32($0) } ?? own
    }

    /// The port it listens on, as soon as it says so.
    func port(seconds: Double = 120) throws -> Int {
        try waitFor(/running at http:\/\/127\.0\.0\.1:(\d+)\n/, seconds: seconds)
    }

    private func waitFor(_ pattern: Regex<(Substring, Substring)>, seconds: Double) throws -> Int {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if let match = text.firstMatch(of: pattern), let number = Int(match.1) { return number }
            guard isRunning else { break }
            usleep(10_000)
        }
        throw RawHTTP.Failure(description: "\(name) did not start: \(text)")
    }

    func signal(_ number: Int32) { Foundation.kill(processID, number) }

    /// kill -9, and waits.
    func kill() {
        guard process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
    }

    /// Asks it to stop; kills it when it does not.
    func stop(seconds: Double = 20) {
        guard process.isRunning else { return }
        signal(SIGTERM)
        let end = Date().addingTimeInterval(seconds)
        while process.isRunning, Date() < end { usleep(20_000) }
        kill()
    }

    /// Its exit code when it ends in time; `nil` = it still runs. A signal is 128 and its number.
    func wait(seconds: Double) -> Int32? {
        let end = Date().addingTimeInterval(seconds)
        while process.isRunning {
            guard Date() < end else { return nil }
            usleep(10_000)
        }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
}

/// A data folder, its database, and processes over them.
final class Installation: @unchecked Sendable {
    let folder: String
    /// `nil` on SQLite.
    let url: String?
    private let ownsDatabase: Bool
    private let extra: [String: String]
    private let count = Mutex(0)
    private let kept = Mutex<(any Database)?>(nil)
    static let password = "seven grey herons wait 7 hours"

    /// - Parameters:
    ///   - folder: where it lies; `nil` = a temporary one.
    ///   - url: its database; `nil` = one of its own on the engine under test.
    init(folder: String? = nil, url: String? = nil, environment: [String: String] = [:]) throws {
        let folder = folder ?? NSTemporaryDirectory() + "switchboard-fault-" + UUID().uuidString
        self.folder = folder
        self.url = url ?? TestDatabases.url(data: folder)
        ownsDatabase = url == nil
        extra = environment
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func environment(_ more: [String: String]) -> [String: String] {
        var all = extra
        all["SWITCHBOARD_REQUESTS_PER_SECOND"] = "0"
        if let url { all["DATABASE_URL"] = url }
        return all.merging(more) { $1 }
    }

    /// Runs a command to its end.
    func command(_ arguments: [String], input: String = "", environment more: [String: String] = [:]) throws
        -> (code: Int32, out: String, error: String)
    {
        try ServerProcess.run(arguments + ["--data", folder], input: input, environment: environment(more))
    }

    /// Starts a process that goes on.
    func start(
        _ arguments: [String], wrapper: [String] = [], environment more: [String: String] = [:]
    ) throws -> ProductProcess {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let all = arguments + ["--data", folder]
        return try ProductProcess(
            all, wrapper: wrapper, log: folder + "/\(arguments[0])-\(number).log",
            environment: ServerProcess.settings(environment(more), all))
    }

    func serve(
        _ arguments: [String] = [], wrapper: [String] = [], environment more: [String: String] = [:]
    ) throws -> (ProductProcess, Int) {
        let process = try start(["serve", "--port", "0"] + arguments, wrapper: wrapper, environment: more)
        return (process, try process.port())
    }

    /// Makes an account, and with it the installation.
    func user(_ name: String, _ role: Role = .supervisor) throws {
        let made = try command(
            ["user", "create", name, "--role", role.rawValue, "--password-stdin"], input: Self.password + "\n")
        guard made.code == 0 else { throw RawHTTP.Failure(description: "no user: \(made)") }
    }

    /// The database, to look into while the product runs.
    func database() throws -> any Database {
        try kept.withLock { kept in
            if let kept { return kept }
            let opened: any Database =
                if let url { PostgresDatabase(PostgresSettings(url: url)) } else {
                    try SQLiteDatabase(
                        path: folder + "/tenants/default/switchboard.sqlite", durability: .normal, readers: 2)
                }
            kept = opened
            return opened
        }
    }

    func close() async {
        let open = kept.withLock { kept in
            defer { kept = nil }
            return kept
        }
        try? await open?.close()
    }

    /// Closes it and removes what it left.
    func remove() async {
        await close()
        try? FileManager.default.removeItem(atPath: folder)
        if ownsDatabase { TestDatabases.drop(data: folder) }
    }
}

/// Somebody at a browser who notes what was answered and what was not.
final class Person: @unchecked Sendable {
    enum Outcome {
        case answer(RawHTTP.Answer)
        /// No answer came: it was done or it was not.
        case silence

        var status: Int { if case .answer(let answer) = self { answer.status } else { 0 } }
        var text: String { if case .answer(let answer) = self { answer.text } else { "" } }
        var location: String? { if case .answer(let answer) = self { answer.header("location") } else { nil } }
    }

    private let port: Mutex<Int>
    private var cookies: [String: String] = [:]
    private var csrf = ""
    private let source: String

    /// - Parameter source: the address of 127.0.0.0/8 it comes from.
    init(port: Int, source: String = "127.0.0.1", like other: Person? = nil) {
        self.port = Mutex(port)
        self.source = source
        if let other { (cookies, csrf) = (other.cookies, other.csrf) }
    }

    /// The server was started again.
    func move(to port: Int) { self.port.withLock { $0 = port } }

    func logIn(_ name: String) throws {
        cookies = [:]
        _ = get("/login")
        let answer = post("/login", [("name", name), ("password", Installation.password)])
        guard answer.status == 303 else {
            throw RawHTTP.Failure(description: "log-in answered \(answer.status): \(answer.text.prefix(300))")
        }
        _ = get("/me")
    }

    @discardableResult
    func get(_ path: String) -> Outcome { send("GET", path, [], []) }

    @discardableResult
    func post(_ path: String, _ fields: [(String, String)] = [], key: String = UUID().uuidString) -> Outcome {
        let form = ([("_csrf", csrf)] + fields).map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }
        return send(
            "POST", path,
            [("Content-Type", "application/x-www-form-urlencoded"), ("Idempotency-Key", key)],
            Array(form.joined(separator: "&").utf8))
    }

    /// JSON objects, one a line.
    func lines(_ path: String, _ lines: [String]) -> Outcome {
        send(
            "POST", path,
            [
                ("Content-Type", "application/x-ndjson"), ("X-CSRF-Token", csrf), ("Accept", "application/json"),
                ("Idempotency-Key", UUID().uuidString),
            ], Array(lines.joined(separator: "\n").utf8))
    }

    func upload(_ path: String, source: String, file: (name: String, content: String)) -> Outcome {
        let boundary = "----fault7c1"
        var body = ""
        for (name, value) in [("_csrf", csrf), ("source", source)] {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"
        }
        body +=
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\nContent-Type: text/csv\r\n\r\n"
        body += file.content + "\r\n--\(boundary)--\r\n"
        return send(
            "POST", path,
            [
                ("Content-Type", "multipart/form-data; boundary=\(boundary)"), ("Idempotency-Key", UUID().uuidString),
            ], Array(body.utf8))
    }

    private func send(_ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]) -> Outcome {
        let cookie = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
        let http = RawHTTP(port: port.withLock { $0 }, source: source)
        guard
            let answer = try? http.send(
                method, path, headers: (cookie.isEmpty ? [] : [("Cookie", cookie)]) + headers, body: body)
        else { return .silence }
        for (name, value) in answer.cookies { cookies[name] = value }
        if let match = answer.text.firstMatch(of: /name="csrf-token" content="([^"]+)"/) { csrf = String(match.1) }
        return .answer(answer)
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte -> String in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// Work on a thread of its own, because clients here block.
final class Background: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [done] in
            body()
            done.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits for its end on a thread that may.
    func wait() async {
        await withCheckedContinuation { continuation in
            Thread { [done] in
                done.wait()
                done.signal()
                continuation.resume()
            }.start()
        }
    }
}
