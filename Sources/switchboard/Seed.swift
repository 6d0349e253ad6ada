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
            The same --seed on the same day gives the same base, on both engines: people in households, companies with
            branches, lines, bills, usage, cases, contacts, and leavers who had reasons. Refuses a tenant that already has
            customers, but finishes one whose seeding was interrupted: with the numbers it was begun with, and the same base
            comes out. Below 200,000 customers two years of bills, usage and contacts are kept of each, from there on one
            (--months), and the model that rates who will leave is left to `switchboard train` unless --model asks for it.
            """)
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "How many customers.") var customers = 2_000
    @Option(name: .long, help: "Seed of the generator.") var seed: UInt64 = 20_260_101
    @Option(
        name: .long, help: "Months of bills, usage and contacts, 12...24 (default: 24, from 200000 customers on 12).")
    var months: Int?
    @Flag(
        name: .long, inversion: .prefixedNo, help: "Learn a model and score the base (default: below 200000 customers)."
    )
    var model: Bool?
    @Flag(name: .long, help: "Begin even when the disk seems too small.") var force = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func validate() throws {
        guard (1...50_000_000).contains(customers) else { throw ValidationError("--customers must be 1...50000000") }
        let kept = SeedRequest.monthsMin...SeedRequest.monthsMax
        guard months.map(kept.contains) ?? true else { throw ValidationError("--months must be 12...24") }
    }

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant(creates: true, loads: true) { runtime, tenant in
                let demonstration = Demonstration(runtime, tenant)
                try await demonstration.claim()
                if case .begun(let size, _, _, _) = try await demonstration.state() {
                    Terminal.note(
                        Terminal.pick(
                            "Going on with the interrupted seeding of \(size) customers.", "继续此前中断的 \(size) 名客户的生成。"))
                } else if try await !runtime.modules.isEmpty(tenant) {
                    throw Complaint(
                        Words(
                            en: "tenant \(tenant.name) already has customers; use another --data folder or --tenant",
                            zh: "租户 \(tenant.name) 已有客户；请换用其他 --data 文件夹或 --tenant"))
                }
                if !force { try await demonstration.checkSpace(customers: customers, months: months) }
                let clock = ContinuousClock()
                let bar = ProgressBar()
                let begun = clock.now
                let made = try await demonstration.make(
                    customers: customers, seed: seed, months: months, learns: model
                ) { bar.show($0, $1, $2[Terminal.language]) }
                let took = clock.now - begun
                bar.finish()
                let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
                if json {
                    Terminal.out(
                        JSONValue.object(["customers": .int(Int64(made.customers)), "seconds": .double(seconds)])
                            .encoded())
                } else {
                    let rate = Int((Double(made.customers) / max(seconds, 0.001)).rounded())
                    let shown = "\((seconds * 10).rounded() / 10)"
                    Terminal.out(
                        Terminal.pick(
                            "\(made.customers) customers in \(shown) s (\(rate)/s)",
                            "\(made.customers) 名客户，用时 \(shown) 秒（每秒 \(rate) 名）"))
                }
            }
        }
    }
}
