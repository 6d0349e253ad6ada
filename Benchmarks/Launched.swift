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
final class Launched {
    let port: Int
    /// From just before `exec` until `/healthz` answered 200, asked every 2 ms.
    let startSeconds: Double
    private let process = Process()

    static func switchboard(data: String, environment: [String: String] = [:]) throws -> Launched {
        let port = try freePort()
        return try Launched(
            ServerProcess.binary, ["serve", "--port", String(port), "--data", data], port,
            Bench.environment.merging(environment) { $1 })
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
        process.environment = environment.merging(more) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let http = RawHTTP(port: port)
        let start = ContinuousClock.now
        try process.run()
        while true {
            if let answer = try? http.send("GET", "/healthz"), answer.status == 200 { break }
            guard process.isRunning, Bench.seconds(since: start) < 60 else {
                process.terminate()
                throw RawHTTP.Failure(description: "\(binary) did not start")
            }
            usleep(2_000)
        }
        startSeconds = Bench.seconds(since: start)
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
        let start = ContinuousClock.now
        var before = processorTicks
        while Bench.seconds(since: start) < secondsMax {
            usleep(1_500_000)
            let now = processorTicks
            // A tick is 10 ms: less than 3 % of a core.
            if now - before < 5 { break }
            before = now
        }
        return Bench.seconds(since: start)
    }

    /// User and system time of the process so far.
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
    private static func freePort() throws -> Int {
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
    @discardableResult
    static func run(_ name: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw RawHTTP.Failure(description: "\(name) ended with \(process.terminationStatus)")
        }
        return text
    }

    /// Requests a second.
    static func wrk(_ url: String, cookie: String) throws -> Double {
        let text = try run("wrk", ["-t1", "-c16", "-d4s", "-H", "Cookie: \(cookie)", url])
        if text.contains("Non-2xx") { throw RawHTTP.Failure(description: "answers other than 2xx: \(text)") }
        guard let match = text.firstMatch(of: /Requests\/sec:\s+([0-9.]+)/), let rate = Double(match.1) else {
            throw RawHTTP.Failure(description: "wrk: \(text)")
        }
        return rate
    }
}
