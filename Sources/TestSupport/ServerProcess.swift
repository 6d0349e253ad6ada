import Foundation
import Synchronization

/// The built `switchboard` binary, run as a process of its own on a free loopback port with a data folder of its own.
/// Stopped and removed with this object.
package final class ServerProcess: @unchecked Sendable {
    package let data: String
    package let port: Int
    /// The path of the one-time bootstrap link that the first start printed.
    package let bootstrapPath: String?
    private let process: Process

    /// Beside the test bundle: `swift build --build-tests` builds it too.
    package static let binary: String = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent("switchboard").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return Checkout.root + "/.build/debug/switchboard"
    }()

    /// Runs a command to its end. Returns exit code, standard output and error.
    package static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
        -> (code: Int32, out: String, error: String)
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.environment = settings(environment, arguments)
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
        try process.run()
        // Beside standard output, and to its end: the last line is why a command failed.
        let errors = Mutex(Data())
        let isRead = DispatchSemaphore(value: 0)
        let reading = Thread {
            let data = stderr.fileHandleForReading.readDataToEndOfFile()
            errors.withLock { $0 = data }
            isRead.signal()
        }
        reading.start()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let out = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        isRead.wait()
        return (
            process.terminationStatus, String(decoding: out, as: UTF8.self),
            errors.withLock { String(decoding: $0, as: UTF8.self) }
        )
    }

    /// - Parameter arguments: the data folder in them has a database of its own on the engine under test.
    package static func settings(_ more: [String: String], _ arguments: [String]) -> [String: String] {
        var environment = ProcessInfo.processInfo.environment
        // Settings of whoever runs the tests are not the tests' own.
        for name in [
            "HOST", "PORT", "DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_READ_URL", "SWITCHBOARD_DATA",
            "SWITCHBOARD_TRUSTED_PROXIES",
        ] {
            environment[name] = nil
        }
        if let place = arguments.firstIndex(of: "--data"), place + 1 < arguments.count {
            environment["DATABASE_URL"] = TestDatabases.url(data: arguments[place + 1])
        }
        environment["SWITCHBOARD_SHARE"] = Checkout.share.root
        environment["SWITCHBOARD_DURABILITY"] = "normal"
        environment["SWITCHBOARD_LOG"] = "warning"
        for (key, value) in more { environment[key] = value }
        return environment
    }

    /// Starts `switchboard serve` and waits until it answers.
    /// - Throws: `RawHTTP.Failure` with what it printed when it does not start within `seconds`.
    package init(
        _ arguments: [String] = [], data: String? = nil, environment: [String: String] = [:], seconds: Double = 120
    ) throws {
        let folder = data ?? NSTemporaryDirectory() + "switchboard-serve-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.data = folder
        process = Process()
        process.executableURL = URL(fileURLWithPath: Self.binary)
        let all = ["serve", "--port", "0", "--data", folder] + arguments
        process.arguments = all
        process.environment = Self.settings(environment, all)
        let (stdout, stderr) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (stdout, stderr)
        let printed = Mutex("")
        for pipe in [stdout, stderr] {
            pipe.fileHandleForReading.readabilityHandler = { handle in
                let text = String(decoding: handle.availableData, as: UTF8.self)
                printed.withLock { $0 += text }
            }
        }
        try process.run()
        let end = Date().addingTimeInterval(seconds)
        while Date() < end, process.isRunning {
            let text = printed.withLock { $0 }
            if let match = text.firstMatch(of: /running at http:\/\/127\.0\.0\.1:(\d+)\n/), let port = Int(match.1) {
                self.port = port
                // The link is printed with the address, right after it.
                usleep(100_000)
                bootstrapPath = printed.withLock { $0 }.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+(\/bootstrap\/\S+)/)
                    .map { String($0.1) }
                return
            }
            usleep(20_000)
        }
        process.terminate()
        throw RawHTTP.Failure(description: "the server did not start: " + printed.withLock { $0 })
    }

    package var http: RawHTTP { RawHTTP(port: port) }
    package var processID: Int32 { process.processIdentifier }

    /// Asks it to stop and waits.
    package func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Asks it to stop, waits and returns its exit code; -1 when a signal (a trap) ended it.
    package func stopGracefully() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -1
    }

    /// kill -9.
    package func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Stops it and removes its data.
    package func remove() {
        stop()
        try? FileManager.default.removeItem(atPath: data)
        TestDatabases.drop(data: data)
    }

    deinit { remove() }
}
