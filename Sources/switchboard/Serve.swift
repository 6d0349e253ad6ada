import App
import ArgumentParser
import Foundation
import Kernel
import Matching
import Platform

/// Serves the console and, unless told otherwise, runs the background work in the same process.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the console and the API.",
        discussion: """
            Answers for every tenant of the configuration, by host name. --tenant, repeated, says whose background work is
            done in this process; the first one named (or the default tenant) gets --demo and the first one-time link.
            """)
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
            let tenant = try await runtime.tenants.tenant(common.tenant.first ?? "default")
            if demo { try await FirstStart.load(runtime, tenant, customers: demoCustomers) }
            let link = try await Bootstrap.linkIfNobodyCanLogIn(runtime, tenant)
            let names = common.tenant.isEmpty ? nil : common.tenant
            let place = try configuration.address.words(tenant: tenant.name)
            try await runtime.serve(withWorkers: workers, for: names, late: Terminal.leave) { port in
                // The first search is not to wait for it.
                Han.warm()
                let address = "http://\(configuration.host):\(port)"
                Terminal.out("Switchboard \(Version.text) is running at \(address)\nDatabase: \(place)")
                if let link {
                    let place = tenant.name == "default" ? address : runtime.address(of: tenant.name, port: port)
                    Terminal.out("Set the first administrator's password (one use, valid for 1 hour): \(place)\(link)")
                }
            }
        }
    }
}

/// The demonstration operator, loaded at the first start, or finished when that was interrupted.
enum FirstStart {
    static func load(_ runtime: Runtime, _ tenant: Tenant, customers: Int) async throws {
        let demonstration = Demonstration(runtime, tenant)
        switch try await demonstration.state() {
        case .done: return
        case .begun(let customers, _, _, _):
            Terminal.note(
                Terminal.pick(
                    "Going on with the demonstration operator of \(customers) customers, which was interrupted.",
                    "继续生成此前中断的演示运营商（\(customers) 名客户）。"))
        case .none:
            guard try await demonstration.isFirstStart() else { return }
            Terminal.note(
                Terminal.pick(
                    "First start: making a demonstration operator with \(customers) customers.",
                    "首次启动：正在生成有 \(customers) 名客户的演示运营商。"))
        }
        let bar = ProgressBar()
        try await demonstration.make(customers: customers, seed: 20_260_101) { bar.show($0, $1, $2.en) }
        bar.finish()
    }
}
