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
            Terminal.note("Switchboard worker \(Version.text) is running; stop it with Ctrl-C.")
            try await runtime.work(for: common.tenant.isEmpty ? nil : common.tenant, late: Terminal.leave)
        }
    }
}
