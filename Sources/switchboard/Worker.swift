import App
import ArgumentParser

/// Runs only the background work: jobs, events, schedules.
struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run background work only (jobs, events, schedules).")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await Terminal.run {
            ProcessGuard.forbidDumps()
            let runtime = try Runtime(try common.configuration())
            Terminal.note("Switchboard worker \(Version.text) is running; stop it with Ctrl-C.")
            try await runtime.work()
        }
    }
}
