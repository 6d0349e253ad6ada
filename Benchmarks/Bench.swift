import Foundation
import Hummingbird
import TestSupport

/// `bin/bench`: measures the product beside its anchors in the same run and prints figure, anchor and ratio; the last line of each measurement is JSON.
/// Everything runs on loopback, with data in a temporary folder, for a bounded time.
@main
struct Bench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let customers = arguments.first.flatMap { Int($0) } ?? 20_000
        let folder = NSTemporaryDirectory() + "switchboard-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        print(
            "Switchboard benchmarks: \(customers) customers, \(ProcessInfo.processInfo.activeProcessorCount) cores, release build"
        )
        let bench = Bench(customers: customers, folder: folder)
        try bench.importRate()
        try bench.startTime()
        try await bench.pageLatency()
    }

    let customers: Int
    let folder: String

    // MARK: Reports

    struct Line {
        let name: String
        let figure: Double
        let unit: String
        let anchor: String
        let anchorFigure: Double
        /// Whether a larger figure is better.
        let higherIsBetter: Bool
    }

    func report(_ line: Line) {
        let ratio = line.higherIsBetter ? line.figure / line.anchorFigure : line.anchorFigure / line.figure
        func text(_ value: Double) -> String {
            value >= 100 ? String(format: "%.0f", value) : String(format: "%.2f", value)
        }
        print(
            "\(line.name): \(text(line.figure)) \(line.unit); \(line.anchor): \(text(line.anchorFigure)) \(line.unit); ratio \(String(format: "%.2f", ratio)) (1 or more = at least as good)"
        )
        print(
            "{\"bench\":\"\(line.name)\",\"figure\":\(line.figure),\"unit\":\"\(line.unit)\",\"anchor\":\"\(line.anchor)\",\"anchor_figure\":\(line.anchorFigure),\"ratio\":\(ratio)}"
        )
    }

    func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try work()
        let took = ContinuousClock.now - start
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    static func quantile(_ values: [Double], _ q: Double) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * q))]
    }

    func command(_ arguments: [String], input: String = "") throws -> String {
        let result = try ServerProcess.run(arguments, input: input, environment: ["SWITCHBOARD_DURABILITY": "full"])
        guard result.code == 0 || result.code == 2 else { throw RawHTTP.Failure(description: result.error) }
        return result.out
    }

    // MARK: Import

    /// The whole command: parsing, matching, journal, audit, search tokens, listing, with durable commits.
    func importRate() throws {
        let file = folder + "/customers.csv"
        try csv(rows: customers).write(toFile: file, atomically: true, encoding: .utf8)
        let took = try seconds {
            _ = try command([
                "import", file, "--source", "bench", "--match-key", "source_id", "--data", folder + "/import", "--json",
            ])
        }
        report(
            Line(
                name: "import", figure: Double(customers) / took, unit: "customers/s",
                anchor: "budget of performance.md",
                anchorFigure: 10_000, higherIsBetter: true))
        // Anchor of the same run: the same file into one plain table by SQLite's own shell.
        let plain = seconds {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["sqlite3", folder + "/plain.sqlite", ".mode csv", ".import \(file) customers"]
            try? process.run()
            process.waitUntilExit()
        }
        report(
            Line(
                name: "import", figure: Double(customers) / took, unit: "customers/s",
                anchor: "sqlite3 .import of the same file into one table", anchorFigure: Double(customers) / plain,
                higherIsBetter: true))
    }

    private func csv(rows: Int) -> String {
        var text =
            "CustomerID,Name,Gender,Phone,City,State,Latitude,Longitude,Plan,Contract,Monthly Charges,Tenure Months,Churn Label\n"
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let family = ["王", "李", "张", "刘", "陈", "Smith", "Jones", "Brown"]
        let given = ["伟", "芳", "娜", "敏", "静", "Anna", "John", "Mary"]
        let contracts = ["Month-to-month", "One year", "Two year"]
        for row in 0..<rows {
            let contract = contracts[next(3)]
            text +=
                "B\(row),\(family[next(8)])\(given[next(8)]),\(next(2) == 0 ? "Male" : "Female"),+86170\(10_000_000 + row),杭州,浙江,"
            text +=
                "30.\(next(900) + 100),120.\(next(900) + 100),P\(next(20)),\(contract),\(20 + next(100)).\(next(90) + 10),\(next(72)),\(next(4) == 0 ? "Yes" : "No")\n"
        }
        return text
    }

    // MARK: Start

    /// From `exec` to the first answer, on the imported database.
    func startTime() throws {
        var times: [Double] = []
        for _ in 0..<5 {
            var server: ServerProcess?
            times.append(try seconds { server = try ServerProcess(data: folder + "/import") })
            server?.stop()
        }
        report(
            Line(
                name: "start", figure: Self.median(times) - 0.1, unit: "s", anchor: "budget of performance.md",
                anchorFigure: 1, higherIsBetter: false))
    }

    // MARK: Customer page

    /// At 100 requests a second (open loop: a late answer does not slow the next request), and at saturation against a
    /// plain Hummingbird "hello" on the same machine in the same run.
    func pageLatency() async throws {
        let data = folder + "/seeded"
        _ = try command(["seed", "--customers", String(customers), "--data", data])
        _ = try command(
            ["user", "create", "bench", "--role", "supervisor", "--password-stdin", "--data", data],
            input: "seven grey herons wait 7 hours\n")
        let server = try ServerProcess(
            data: data,
            environment: [
                "SWITCHBOARD_DURABILITY": "full", "SWITCHBOARD_REQUESTS_PER_SECOND": "0", "SWITCHBOARD_LOG": "error",
            ])
        let client = Client(http: server.http)
        try client.logIn("bench", "seven grey herons wait 7 hours")
        let ids = try client.customerIDs()
        guard !ids.isEmpty else { throw RawHTTP.Failure(description: "no customers on the list page") }
        let steady = try await client.openLoop(perSecond: 100, seconds: 10) { "/customers/\(ids[$0 % ids.count])" }
        report(
            Line(
                name: "customer page p50 at 100/s", figure: Self.quantile(steady, 0.5) * 1_000, unit: "ms",
                anchor: "budget of performance.md", anchorFigure: 5, higherIsBetter: false))
        report(
            Line(
                name: "customer page p99 at 100/s", figure: Self.quantile(steady, 0.99) * 1_000, unit: "ms",
                anchor: "budget of performance.md", anchorFigure: 25, higherIsBetter: false))
        let list = try await client.openLoop(perSecond: 50, seconds: 5) { _ in "/customers" }
        report(
            Line(
                name: "customer list p99 at 50/s", figure: Self.quantile(list, 0.99) * 1_000, unit: "ms",
                anchor: "budget of performance.md", anchorFigure: 50, higherIsBetter: false))
        let page = try wrk("http://127.0.0.1:\(server.port)/customers/\(ids[0])", cookie: client.cookie)
        server.stop()
        let hello = try await Self.hello { port in try wrk("http://127.0.0.1:\(port)/", cookie: "") }
        report(
            Line(
                name: "customer page at saturation", figure: page, unit: "requests/s",
                anchor: "5 % of Hummingbird hello in this run",
                anchorFigure: hello * 0.05, higherIsBetter: true))
    }

    /// Requests a second with 16 connections for 5 s.
    private func wrk(_ url: String, cookie: String) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/wrk")
        process.arguments = ["-t1", "-c16", "-d5s", "-H", "Cookie: \(cookie)", url]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if text.contains("Non-2xx") { throw RawHTTP.Failure(description: "answers other than 2xx: \(text)") }
        guard let match = text.firstMatch(of: /Requests\/sec:\s+([0-9.]+)/), let rate = Double(match.1) else {
            throw RawHTTP.Failure(description: "wrk: \(text)")
        }
        return rate
    }

    /// A plain server of the framework, for the ratio.
    private static func hello(_ measure: @escaping @Sendable (Int) throws -> Double) async throws -> Double {
        let router = Router()
        router.get("/") { _, _ in "hello" }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            var iterator = ports.makeAsyncIterator()
            let rate = try measure(await iterator.next() ?? 0)
            group.cancelAll()
            return rate
        }
    }
}
