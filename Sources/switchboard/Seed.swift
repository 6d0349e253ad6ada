import App
import ArgumentParser
import Kernel
import Platform
import Web

/// Fills a tenant with generated customers.
struct Seed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Generate demonstration customers.",
        discussion: """
            The same --seed gives the same base. Refuses a tenant that already has customers, but finishes one whose seeding
            was interrupted (with the numbers it was begun with).
            """)
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "How many customers.") var customers = 2_000
    @Option(name: .long, help: "Seed of the generator.") var seed: UInt64 = 20_260_101
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...50_000_000).contains(customers) else { throw ValidationError("--customers must be 1...50000000") }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant(creates: true) { runtime, tenant in
                let demonstration = Demonstration(runtime, tenant)
                if case .begun(let size, _) = try await demonstration.state() {
                    Terminal.note("Going on with the interrupted seeding of \(size) customers.")
                } else if try await !runtime.modules.isEmpty(tenant) {
                    throw Complaint(
                        "tenant \(tenant.name) already has customers; use another --data folder or --tenant")
                }
                let clock = ContinuousClock()
                let bar = ProgressBar()
                let begun = clock.now
                let made = try await demonstration.make(customers: customers, seed: seed) { bar.show($0, $1, $2.en) }
                let took = clock.now - begun
                bar.finish()
                let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
                if json {
                    Terminal.out(
                        JSONValue.object(["customers": .int(Int64(made.customers)), "seconds": .double(seconds)])
                            .encoded())
                } else {
                    Terminal.out("\(made.customers) customers in \((seconds * 10).rounded() / 10) s")
                }
            }
        }
    }
}
