import App
import ArgumentParser
import Foundation
import Kernel
import Platform

/// Serves the console and, unless told otherwise, runs the background work in the same process.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the console and the API.")
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "Address to listen on (default 127.0.0.1, or HOST).") var host: String?
    @Option(name: .long, help: "Port, 0 = any free one (default 8080, or PORT).") var port: Int?
    @Flag(name: .long, help: "Fill an empty installation with a demonstration operator.") var demo = false
    @Option(name: .long, help: "Customers of the demonstration operator.") var demoCustomers = 2_000
    @Flag(name: .long, inversion: .prefixedNo, help: "Run background work in this process.") var workers = true

    func run() async throws {
        try await Terminal.run {
            let configuration = try common.configuration { configuration in
                if let host { configuration.host = host }
                if let port { configuration.port = port }
                // People at a terminal want the address, not a line for each request.
                if ProcessInfo.processInfo.environment["SWITCHBOARD_LOG"] == nil, isatty(STDERR_FILENO) == 1 {
                    configuration.logLevel = "warning"
                }
            }
            ProcessGuard.forbidDumps()
            ProcessGuard.allowFiles()
            let runtime = try Runtime(configuration)
            for missing in runtime.missingAssets {
                Terminal.note("warning: \(missing) is not installed; charts or maps will be missing")
            }
            let tenant = try await runtime.tenants.tenant("default")
            if demo { try await Demonstration.load(runtime, tenant, customers: demoCustomers) }
            let link = try await Bootstrap.linkIfNobodyCanLogIn(runtime, tenant)
            try await runtime.serve(withWorkers: workers) { port in
                let address = "http://\(configuration.host):\(port)"
                Terminal.out("Switchboard \(Version.text) is running at \(address)")
                if let link {
                    Terminal.out(
                        "Set the first administrator's password (one use, valid for 1 hour): \(address)\(link)")
                }
            }
        }
    }
}

/// The demonstration operator, loaded once.
enum Demonstration {
    static func load(_ runtime: Runtime, _ tenant: Tenant, customers: Int) async throws {
        guard try await runtime.modules.isEmpty(tenant) else { return }
        Terminal.note("First start: making a demonstration operator with \(customers) customers.")
        let bar = ProgressBar()
        try await runtime.seed(
            SeedRequest(customers: customers, seed: 20_260_101) { done, total, what in bar.show(done, total, what.en) },
            tenant)
        bar.end()
    }
}
