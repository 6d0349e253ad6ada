import App
import ArgumentParser

/// Runs only the background work: jobs, events, schedules.
struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run background work only (jobs, events, schedules).",
        discussion: "For the default tenant and all that the configuration names; --tenant, repeated, narrows it.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Terminal.run {
            ProcessGuard.forbidDumps()
            let runtime = try Runtime(try common.configuration())
            let names = common.tenant.isEmpty ? nil : common.tenant
            let place = try runtime.configuration.address.words(tenant: (names ?? runtime.tenantNames).first ?? "default")
            try await runtime.work(for: names, late: Terminal.leave) {
                Terminal.note("Switchboard worker \(Version.text) is running; stop it with Ctrl-C.\nDatabase: \(place)")
            }
        }
    }
}
