import Foundation
import TestSupport

/// `bin/bench`: measures the product beside its budgets (performance.md) and its anchors, in turn in the same run. Everything
/// runs on loopback, on data of its own, for a bounded time. What is printed is written as JSON lines too.
@main
struct Bench {
    static func main() async {
        do { try await run() } catch {
            FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
            Cleanup.shared.run()
            exit(1)
        }
        Cleanup.shared.run()
    }

    private static func run() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        // The anchor's server is this binary too, so that its start is measured the same way.
        if arguments.first == "hello-server", let port = arguments.dropFirst().first.flatMap({ Int($0) }) {
            return try await Hello.serve(port: port)
        }
        if arguments.first == "compare" { return try Compare.run(Array(arguments.dropFirst())) }
        let options = try Options(arguments)
        Cleanup.shared.catchSignals()
        let folder = NSTemporaryDirectory() + "switchboard-bench-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        Cleanup.shared.add { try? FileManager.default.removeItem(atPath: folder) }
        let report = try Report(options, folder: folder)
        report.head()
        for kind in options.engines {
            let engine = try Engine.start(kind, keep: options.keep, folder: folder)
            defer { engine.stop() }
            report.engine = kind.rawValue
            let bench = Bench(options: options, folder: folder + "/" + kind.rawValue, engine: engine, report: report)
            try FileManager.default.createDirectory(atPath: bench.folder, withIntermediateDirectories: true)
            if options.isGrowth { try bench.growth() } else { try bench.all() }
        }
        report.foot()
    }

    let options: Options
    /// For this engine's throw-away data.
    let folder: String
    let engine: Engine
    let report: Report
    var customers: Int { options.customers }
    /// A large base is measured for fewer seconds and rounds: making it takes its time already.
    var isLarge: Bool { customers > 200_000 }
    /// Nobody's passphrase: long, and on no list.
    static let password = "Teal kettle 41 over Minsk bridge"

    private func all() throws {
        if options.wants("import") { try importRate() }
        if options.wants("match") { try matchRate() }
        if options.wants("usage") { try usageRate() }
        if options.wants("profile") { try liveProfile() }
        guard options.wantsAny(["seed", "start", "server", "churn"]) else { return }
        let base = try seededBase()
        if options.wants("start") { try starts(base) }
        if options.wants("server") { try server(base) }
        if options.wants("churn") { try churn(base) }
        if options.wants("evaluate"), engine.kind == .sqlite { try evaluation() }
    }

    // MARK: Commands

    func environment(_ data: String) -> [String: String] {
        var result = ["SWITCHBOARD_DURABILITY": "full", "SWITCHBOARD_LOG": "error"]
        // Empty would be a mistake in the configuration; see `command` for what is inherited.
        if let url = engine.url(data) { result["DATABASE_URL"] = url }
        return result
    }

    /// Runs `switchboard`. Ends it, and fails, after `secondsMax`.
    /// - Parameter data: the data folder; `nil` for a command that has none.
    @discardableResult
    func command(_ arguments: [String], data: String?, input: String = "", secondsMax: Double = 3_600) throws -> String {
        var environment = ProcessInfo.processInfo.environment
        environment["DATABASE_URL"] = nil
        environment["SWITCHBOARD_SHARE"] = Checkout.share.root
        if let data { environment.merge(self.environment(data)) { $1 } }
        let result = try Tool.output(
            ServerProcess.binary, arguments + (data.map { ["--data", $0] } ?? []), input: input, environment: environment,
            secondsMax: secondsMax, progress: report)
        // 2 = some rows were refused.
        guard result.code == 0 || result.code == 2 else {
            throw RawHTTP.Failure(description: "switchboard \(arguments[0]) ended with \(result.code): \(result.error)")
        }
        return result.out
    }

    // MARK: Base

    /// The generated base of the run's size; one kept from an earlier run is used again.
    private func seededBase() throws -> String {
        let data = (options.keep.map { $0 + "/" + engine.kind.rawValue } ?? folder) + "/seeded-\(customers)"
        let mark = data + ".done"
        if options.keep != nil, FileManager.default.fileExists(atPath: mark) {
            report.note("using the base kept in \(data)")
            return data
        }
        if options.isReuse {
            throw RawHTTP.Failure(description: "no base of \(customers) customers in \(options.keep ?? ""); make it with --keep")
        }
        try engine.remove(data)
        report.progress("\(engine.kind): seeding \(customers) customers")
        let took = try Clock.seconds { try command(["seed", "--customers", String(customers)], data: data) }
        report.add(
            "seed", Double(customers) / took, "customers/s", budget: Budget("1 M in 10 minutes", 1_667),
            higherIsBetter: true)
        for name in Self.names {
            try command(
                ["user", "create", name, "--role", "supervisor", "--password-stdin"], data: data,
                input: Self.password + "\n")
        }
        FileManager.default.createFile(atPath: mark, contents: nil)
        return data
    }

    /// One account may have 32 requests under way at once.
    static let names = ["bench", "bench-b", "bench-c", "bench-d", "bench-e", "bench-f", "bench-g", "bench-h"]

    // MARK: Start

    /// From `exec` to the first 200 of `/healthz` on the seeded base, in turn with the anchor's; then memory.
    private func starts(_ data: String) throws {
        report.progress("\(engine.kind): start and memory")
        var (ours, hello): ([Double], [Double]) = ([], [])
        var (resident, anonymous, helloAnonymous): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<(isLarge ? 3 : 5) {
            let server = try Launched.switchboard(data: data, environment: environment(data))
            ours.append(server.startSeconds)
            resident.append(server.memoryMB("VmRSS"))
            anonymous.append(server.memoryMB("RssAnon"))
            server.stop()
            let other = try Launched.hello()
            hello.append(other.startSeconds)
            helloAnonymous.append(other.memoryMB("RssAnon"))
            other.stop()
        }
        report.add(
            "start to first answer, median of \(ours.count)", ours.median, "s", budget: Budget(1),
            anchor: Anchor("hello", hello.median))
        report.add(
            "anonymous memory after start", anonymous.median, "MB", budget: Budget(300),
            anchor: Anchor("hello", helloAnonymous.median))
        report.add("resident memory after start", resident.median, "MB")
    }

    // MARK: Models

    /// Training and scoring from the database, as the command does it; the anchor is LightGBM's figure of performance.md, of 1 M x
    /// 40, scaled to this base.
    private func churn(_ data: String) throws {
        report.progress("\(engine.kind): churn model")
        let secondsMax = 240.0
        let anchor = 16.9 * Double(customers) / 1_000_000
        do {
            let took = try Clock.seconds { try command(["train", "--json"], data: data, secondsMax: secondsMax) }
            report.add(
                "churn: train, calibrate, score from the database", took, "s",
                anchor: Anchor("LightGBM train + score of performance.md, scaled", anchor))
        } catch let late as Tool.TooLong {
            report.note("churn: not done within \(Int(secondsMax)) s at \(customers) customers (\(late))")
        }
    }

    /// `switchboard evaluate` of the IBM file, whole process, when this machine has it.
    private func evaluation() throws {
        guard let file = Checkout.sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv") else {
            return report.note("evaluate: skipped, ../shared/data/churn-ibm-telco is not on this machine")
        }
        report.progress("evaluate")
        var out = ""
        let took = try Clock.seconds {
            out = try command(["evaluate", file, "--label", "Churn Label", "--json"], data: nil)
        }
        guard let match = out.firstMatch(of: /"auc":([0-9.]+)/), let auc = Double(match.1) else {
            throw RawHTTP.Failure(description: "evaluate printed no auc: " + out.prefix(200))
        }
        report.add("evaluate IBM, AUC", auc, "", budget: Budget("floor", 0.855), higherIsBetter: true)
        report.add("evaluate IBM, whole command", took, "s", budget: Budget(30))
    }
}
