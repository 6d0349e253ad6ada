import App
import ArgumentParser
import Kernel

/// Asks the server or worker that runs on this machine with the same settings.
struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the running process whether it lives, or can serve (--ready).",
        discussion: """
            For container health checks. Exit code 0 when it does, 1 when not. A worker can be asked when its settings name an
            address for probes (SWITCHBOARD_PROBES).
            """)
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "Port of the process on this machine (default: as its settings say).") var port: Int?
    @Flag(name: .long, help: "Whether it can serve, not only whether it lives.") var ready = false

    func run() async throws {
        try await Terminal.run {
            // Without the folder: the process may be another user's.
            let question = try HealthQuestion(
                try common.configuration(usesData: false) { configuration in
                    guard let port else { return }
                    (configuration.port, configuration.probes) = (port, nil)
                })
            let answer = try question.ask(ready ? "/readyz" : "/healthz")
            Terminal.out(answer.text)
            if answer.status != 200 { throw ExitCode(1) }
        }
    }
}
