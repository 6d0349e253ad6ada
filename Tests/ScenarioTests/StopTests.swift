import App
import Foundation
import Kernel
import Logging
import ServiceLifecycle
import Storage
import TestSupport
import Testing

/// SIGTERM ends a process in good order and in bounded time, whatever it is doing.
@Suite("Stopping")
struct StopTests {
    /// A data folder with a base to learn from, a user and a training in the queue.
    private func folder(_ name: String) throws -> String {
        let data = NSTemporaryDirectory() + "switchboard-\(name)-" + UUID().uuidString
        let seeded = try ServerProcess.run(["seed", "--customers", "400", "--data", data])
        try #require(seeded.code == 0, "\(seeded)")
        let user = try ServerProcess.run(
            ["user", "create", "ana", "--role", "analyst", "--password-stdin", "--data", data],
            input: Scenario.password + "\n")
        try #require(user.code == 0, "\(user)")
        return data
    }

    private func training(_ server: ServerProcess) throws {
        let visitor = Visitor(http: server.http)
        try visitor.get("/login")
        #expect(try visitor.post("/login", [("name", "ana"), ("password", Scenario.password)]).status == 303)
        try visitor.get("/models")
        #expect(try visitor.post("/models/training", [("folds", "20")]).status == 303)
    }

    private func job(_ data: String) async throws -> (status: String, attempts: Int, lease: Int64) {
        let database = try TestDatabases.open(data: data)
        let found = try await database.read { session in
            try session.first(
                "SELECT status, attempts, lease_until FROM storage_job WHERE kind = 'insights.churn.train' ORDER BY id DESC LIMIT 1"
            ) { ($0.text(0), $0.integer(1), $0.int(2)) }
        }
        try await database.close()
        return try #require(found)
    }

    @Test(
        "with a running job, an idle connection and half a request, server and worker end; the job is left to the next")
    func stop() async throws {
        let data = try folder("stop")
        let server = try ServerProcess(["--workers"], data: data)
        // The folder goes with it.
        defer { server.remove() }
        try training(server)
        let running = try await eventually { try await job(data).status == "running" }
        #expect(running)
        let (idle, half) = (try server.http.connect(seconds: 60), try server.http.connect(seconds: 60))
        defer {
            close(idle)
            close(half)
        }
        let bytes = Array("POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nname=".utf8)
        #expect(send(half, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        let begun = ContinuousClock.now
        #expect(server.stopGracefully() == 0, "it ends by itself, not by a signal")
        let took = ContinuousClock.now - begun
        #expect(took < Self.limit, "it took \(took)")
        try await checkLeft(data)

        // The worker takes the job up at once, without waiting for the end of a lease, and stops the same way.
        let worker = Process()
        worker.executableURL = URL(fileURLWithPath: ServerProcess.binary)
        worker.arguments = ["worker", "--data", data]
        worker.environment = ServerProcess.settings([:], ["--data", data])
        worker.standardError = Pipe()
        try worker.run()
        let again = try await eventually(seconds: 20) { try await job(data).status == "running" }
        #expect(again)
        let second = ContinuousClock.now
        worker.terminate()
        worker.waitUntilExit()
        #expect(ContinuousClock.now - second < Self.limit)
        #expect(worker.terminationReason == .exit && worker.terminationStatus == 0)
        try await checkLeft(data)
    }

    @Test("a process whose work does not notice that it is to stop ends all the same, with exit code 1")
    func stuck() async throws {
        await #expect(processExitsWith: .exitCode(1)) {
            StopDeadline.arm(Logger(label: "stuck") { _ in SwiftLogNoOpLogHandler() }, seconds: 1) { exit(1) }
            try await Task.sleep(for: .seconds(60))
        }
    }

    private struct Failing: Service {
        func run() async throws { throw CRMError.notFound }
    }

    /// Does not notice that it is to end, as a thread that waits for a database.
    private struct Deaf: Service {
        func run() async throws {
            await Task { try? await Task.sleep(for: .seconds(60)) }.value
        }
    }

    @Test(
        "a signal is heard after a service has failed, while another does not end: before and behind the failure",
        arguments: [false, true])
    func signalWhileFailing(isEarly: Bool) async throws {
        // What an exit test captures is written out: the process is another one.
        if isEarly {
            await #expect(processExitsWith: .exitCode(7)) { try await StopTests.fail(signalFirst: true) }
        } else {
            await #expect(processExitsWith: .exitCode(7)) { try await StopTests.fail(signalFirst: false) }
        }
    }

    private static func fail(signalFirst: Bool) async throws {
        let logger = Logger(label: "stop") { _ in SwiftLogNoOpLogHandler() }
        let signals = StopSignals(logger: logger) { exit(7) }
        // Until its ear is open a signal ends the process as it ends any.
        try await Task.sleep(for: .seconds(1))
        if signalFirst {
            // The group's own ear is not open yet, or does not care any more.
            kill(getpid(), SIGTERM)
            try await Task.sleep(for: .milliseconds(300))
        } else {
            Task {
                try await Task.sleep(for: .milliseconds(500))
                kill(getpid(), SIGTERM)
            }
        }
        try await ServiceRun([Failing(), Deaf()], logger: logger).run(signals) {
            try? await Task.sleep(for: .seconds(60))
        }
    }

    /// Ends when it is told to, as all of the product's do.
    private struct Polite: Service {
        func run() async throws { try await gracefulShutdown() }
    }

    @Test("a signal that comes before the services run ends them in good order as soon as they do")
    func signalBeforeRunning() async throws {
        await #expect(processExitsWith: .exitCode(0)) {
            let logger = Logger(label: "stop") { _ in SwiftLogNoOpLogHandler() }
            let signals = StopSignals(logger: logger) { exit(7) }
            // Until its ear is open a signal ends the process as it ends any.
            try await Task.sleep(for: .seconds(1))
            kill(getpid(), SIGTERM)
            try await Task.sleep(for: .milliseconds(500))
            try await ServiceRun([Polite()], logger: logger).run(signals) {}
            exit(0)
        }
    }

    @Test("a signal is heard while the databases are closed, after the services have come to their end")
    func signalWhileClosing() async throws {
        await #expect(processExitsWith: .exitCode(7)) {
            let logger = Logger(label: "stop") { _ in SwiftLogNoOpLogHandler() }
            Task {
                try await Task.sleep(for: .milliseconds(500))
                kill(getpid(), SIGTERM)
            }
            try await ServiceRun([], endsWithAny: true, logger: logger).run(
                StopSignals(logger: logger) { exit(7) }
            ) { try? await Task.sleep(for: .seconds(60)) }
        }
    }

    private static let limit = Duration.seconds(Limits.shutdownSecondsMax + 8)

    /// The job waits, as if it had not been begun, and the node number is free.
    private func checkLeft(_ data: String) async throws {
        let left = try await job(data)
        #expect(left.status == "queued" && left.attempts == 0 && left.lease == 0, "\(left)")
        let database = try TestDatabases.open(data: data)
        let now = SystemClock().now()
        let held = try await database.read {
            try $0.count("SELECT COUNT(*) FROM storage_node WHERE lease_until > $1", [.time(now)])
        }
        #expect(held == 0)
        try await database.close()
    }
}
