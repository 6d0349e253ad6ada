import Foundation
import TestSupport

/// `bin/bench`: measures the product beside its anchors, in turn in the same run, and prints figure, anchor and ratio; after each line the same as one
/// JSON object. Everything runs on loopback, with data in a temporary folder, for a bounded time.
@main
struct Bench {
    static func main() async {
        do { try await run() } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        // The anchor's server is this binary too, so that its start is measured the same way.
        if arguments.first == "hello-server", let port = arguments.dropFirst().first.flatMap({ Int($0) }) {
            return try await Hello.serve(port: port)
        }
        let folder = NSTemporaryDirectory() + "switchboard-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let customers = arguments.compactMap { Int($0) }.first ?? 20_000
        let bench = Bench(customers: customers, folder: folder)
        let start = ContinuousClock.now
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #if DEBUG
            print("This is a debug build: its figures say nothing about the product. Use bin/bench.")
        #endif
        if arguments.first == "growth" {
            print("Switchboard growth, \(cores) cores. An exponent of 1 is linear; 1.1 is about n log n.")
            try bench.growth(full: arguments.contains("--full"))
        } else {
            print(
                "Switchboard benchmarks: \(customers) customers, \(cores) cores. A ratio of 1 or more is at least as good."
            )
            try bench.importRate()
            try bench.starts()
            try await bench.server()
            try bench.evaluation()
        }
        print("took \(Int(Self.seconds(since: start))) s")
    }

    let customers: Int
    let folder: String
    /// Nobody's passphrase: long, and on no list.
    static let password = "Teal kettle 41 over Minsk bridge"

    // MARK: Reports

    /// - Parameter higherIsBetter: whether a larger figure is.
    func report(
        _ name: String, _ figure: Double, _ unit: String, against anchor: String, _ anchorFigure: Double,
        higherIsBetter: Bool = false
    ) {
        let ratio = higherIsBetter ? figure / max(anchorFigure, 1e-9) : anchorFigure / max(figure, 1e-9)
        func shown(_ value: Double) -> String { Self.text(value) + (unit.isEmpty ? "" : " " + unit) }
        print("\(name): \(shown(figure)); \(anchor): \(shown(anchorFigure)); ratio \(Self.text(ratio))")
        let fields = [
            "\"bench\":\"\(name)\"", "\"figure\":\(figure)", "\"unit\":\"\(unit)\"", "\"anchor\":\"\(anchor)\"",
            "\"anchor_figure\":\(anchorFigure)", "\"ratio\":\(ratio)", "\"customers\":\(customers)",
        ]
        print("{" + fields.joined(separator: ",") + "}")
    }

    static func text(_ value: Double) -> String {
        abs(value) >= 100 ? String(format: "%.0f", value) : String(format: abs(value) < 1 ? "%.3f" : "%.2f", value)
    }

    static func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start).inSeconds }

    static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try work()
        return seconds(since: start)
    }

    static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

    static func quantile(_ values: [Double], _ q: Double) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * q))]
    }

    static let environment = ["SWITCHBOARD_DURABILITY": "full", "SWITCHBOARD_LOG": "error"]

    @discardableResult
    func command(_ arguments: [String], input: String = "") throws -> String {
        let result = try ServerProcess.run(arguments, input: input, environment: Self.environment)
        guard result.code == 0 || result.code == 2 else { throw RawHTTP.Failure(description: result.error) }
        return result.out
    }

    // MARK: Import

    /// The whole command: parsing, matching, journal, audit, search tokens, listing, with durable commits. Three rounds,
    /// each beside the same file into one plain table by SQLite's own shell.
    func importRate() throws {
        let file = folder + "/customers.csv"
        try BenchData.csv(rows: customers).write(toFile: file, atomically: true, encoding: .utf8)
        var (ours, plain): ([Double], [Double]) = ([], [])
        for round in 0..<3 {
            // The last round's data is what the start is measured on.
            ours.append(try Self.seconds { try importing(file, into: folder + "/import\(round)") })
            plain.append(
                try Self.seconds {
                    try Tool.run(
                        "sqlite3", [folder + "/plain\(round).sqlite", ".mode csv", ".import \(file) customers"])
                })
        }
        let rate = Double(customers) / Self.median(ours)
        report("import, median of 3", rate, "customers/s", against: "budget", 10_000, higherIsBetter: true)
        report(
            "import, median of 3", rate, "customers/s", against: "sqlite3 .import of the file into one table",
            Double(customers) / Self.median(plain), higherIsBetter: true)
    }

    func importing(_ file: String, into data: String) throws {
        try command(["import", file, "--source", "bench", "--match-key", "source_id", "--data", data, "--json"])
    }

    // MARK: Start

    /// From `exec` to the first 200 of `/healthz` on the imported database, in turn with the anchor's; then memory.
    func starts() throws {
        var (ours, hello): ([Double], [Double]) = ([], [])
        var (resident, anonymous, helloAnonymous): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<5 {
            let server = try Launched.switchboard(data: folder + "/import2")
            ours.append(server.startSeconds)
            resident.append(server.memoryMB("VmRSS"))
            anonymous.append(server.memoryMB("RssAnon"))
            server.stop()
            let other = try Launched.hello()
            hello.append(other.startSeconds)
            helloAnonymous.append(other.memoryMB("RssAnon"))
            other.stop()
        }
        report("start, median of 5", Self.median(ours), "s", against: "budget", 1)
        report("start, median of 5", Self.median(ours), "s", against: "Hummingbird hello", Self.median(hello))
        report("anonymous memory after start", Self.median(anonymous), "MB", against: "budget", 300)
        report(
            "anonymous memory after start", Self.median(anonymous), "MB", against: "Hummingbird hello",
            Self.median(helloAnonymous))
        report("resident memory after start", Self.median(resident), "MB", against: "budget of anonymous memory", 300)
    }

    // MARK: Evaluation

    /// `switchboard evaluate` of the IBM file, whole process, when this machine has it.
    func evaluation() throws {
        guard let file = Checkout.sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv") else {
            return print("evaluate: skipped, ../shared/data/churn-ibm-telco is not on this machine")
        }
        var out = ""
        let took = try Self.seconds { out = try command(["evaluate", file, "--label", "Churn Label", "--json"]) }
        guard let match = out.firstMatch(of: /"auc":([0-9.]+)/), let auc = Double(match.1) else {
            throw RawHTTP.Failure(description: "evaluate printed no auc: " + out.prefix(200))
        }
        report("evaluate IBM, AUC", auc, "", against: "floor", 0.855, higherIsBetter: true)
        report("evaluate IBM, whole command", took, "s", against: "bound", 30)
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
