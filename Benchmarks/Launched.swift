import Foundation
import Hummingbird
import TestSupport

/// A plain server of the framework: the anchor.
enum Hello {
    static func serve(port: Int) async throws {
        let router = Router()
        router.get("/") { _, _ in "hello" }
        router.get("/healthz") { _, _ in "ok" }
        try await Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port))).run()
    }
}

/// A server started as a process of its own, with the time from `exec` to the first answer.
final class Launched: @unchecked Sendable {
    let port: Int
    /// From just before `exec` until `/healthz` answered 200, asked every 2 ms.
    let startSeconds: Double
    private let process = Process()

    static func switchboard(data: String, environment: [String: String] = [:]) throws -> Launched {
        let port = try freePort()
        return try Launched(
            ServerProcess.binary, ["serve", "--port", String(port), "--data", data], port, environment)
    }

    static func hello() throws -> Launched {
        let port = try freePort()
        return try Launched(CommandLine.arguments[0], ["hello-server", String(port)], port, [:])
    }

    private init(_ binary: String, _ arguments: [String], _ port: Int, _ more: [String: String]) throws {
        self.port = port
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["SWITCHBOARD_SHARE"] = Checkout.share.root
        environment["DATABASE_URL"] = nil
        process.environment = environment.merging(more) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let http = RawHTTP(port: port)
        let start = Clock.now
        try process.run()
        while true {
            if let answer = try? http.send("GET", "/healthz"), answer.status == 200 { break }
            guard process.isRunning, Clock.now - start < 60 else {
                process.terminate()
                throw RawHTTP.Failure(description: "\(binary) did not start")
            }
            usleep(2_000)
        }
        startSeconds = Clock.now - start
        Cleanup.shared.add { [weak self] in self?.stop() }
    }

    var http: RawHTTP { RawHTTP(port: port) }

    /// A line of `/proc/PID/status`, in MB; a moment after the start, when its first work is done.
    func memoryMB(_ name: String) -> Double {
        usleep(500_000)
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0) / 1_024
    }

    /// Waits for the work that a fresh base brings (scores, tiers): what is measured afterwards is the serving.
    /// Returns the seconds waited.
    func settle(secondsMax: Double = 90) -> Double {
        let start = Clock.now
        var before = processorTicks
        while Clock.now - start < secondsMax {
            usleep(1_500_000)
            let now = processorTicks
            // A tick is 10 ms: less than 3 % of a core.
            if now - before < 5 { break }
            before = now
        }
        return Clock.now - start
    }

    /// User and system time of the process so far.
    var processorSeconds: Double { Double(processorTicks) / 100 }

    private var processorTicks: Int {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        // Behind the name in brackets: state is field 3, utime and stime are 14 and 15 (proc(5)).
        let fields = text.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    deinit { stop() }

    /// A port nobody listens on, as the system gives it.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard found else { throw RawHTTP.Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// Programs of the system.
enum Tool {
    struct TooLong: Error, CustomStringConvertible { let description: String }

    @discardableResult
    static func run(_ name: String, _ arguments: [String]) throws -> String {
        let result = try output("/usr/bin/env", [name] + arguments, environment: ProcessInfo.processInfo.environment)
        guard result.code == 0 else {
            throw RawHTTP.Failure(description: "\(name) ended with \(result.code): \(result.error.suffix(400))")
        }
        return result.out
    }

    /// Runs a program to its end, or ends it after `secondsMax`.
    /// - Parameter progress: hears the last line of standard error every 20 s.
    static func output(
        _ path: String, _ arguments: [String], input: String = "", environment: [String: String],
        secondsMax: Double = 3_600, progress: Report? = nil
    ) throws -> (code: Int32, out: String, error: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment
        let place = NSTemporaryDirectory() + "switchboard-bench-" + UUID().uuidString
        let files = ["in", "out", "error"].map { "\(place).\($0)" }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        try Data(input.utf8).write(to: URL(fileURLWithPath: files[0]))
        for file in files[1...] { FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardInput = FileHandle(forReadingAtPath: files[0])
        process.standardOutput = FileHandle(forWritingAtPath: files[1])
        process.standardError = FileHandle(forWritingAtPath: files[2])
        func text(_ file: String) -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
        let start = Clock.now
        var told = start
        try process.run()
        Cleanup.shared.add { [process] in if process.isRunning { process.terminate() } }
        while process.isRunning {
            usleep(Clock.now - start < 1 ? 2_000 : 20_000)
            if Clock.now - start > secondsMax {
                process.terminate()
                process.waitUntilExit()
                throw TooLong(description: "\(arguments.first ?? path) took longer than \(Int(secondsMax)) s")
            }
            if let progress, Clock.now - told > 20 {
                told = Clock.now
                let last = text(files[2]).split(whereSeparator: \.isNewline).last.map(String.init) ?? "still at it"
                progress.progress("  \(arguments.first ?? ""): \(last)")
            }
        }
        process.waitUntilExit()
        return (process.terminationStatus, text(files[1]), text(files[2]))
    }

    /// Requests a second of 16 connections, each path in turn.
    static func wrk(port: Int, paths: [String], cookie: String, seconds: Int, folder: String) throws -> Double {
        let script = folder + "/paths-\(UUID().uuidString).lua"
        let list = paths.map { "\"\($0)\"" }.joined(separator: ",")
        try """
        local paths = {\(list)}
        local at = 0
        request = function()
          at = at % #paths + 1
          return wrk.format("GET", paths[at])
        end
        """.write(toFile: script, atomically: true, encoding: .utf8)
        let text = try run(
            "wrk",
            ["-t1", "-c16", "-d\(seconds)s", "-s", script, "-H", "Cookie: \(cookie)", "http://127.0.0.1:\(port)/"])
        if text.contains("Non-2xx") { throw RawHTTP.Failure(description: "answers other than 2xx: \(text)") }
        guard let match = text.firstMatch(of: /Requests\/sec:\s+([0-9.]+)/), let rate = Double(match.1) else {
            throw RawHTTP.Failure(description: "wrk: \(text)")
        }
        return rate
    }
}
