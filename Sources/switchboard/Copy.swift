import App
import ArgumentParser
import Kernel
import Web

/// Moves an installation to another engine or place.
struct Copy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move an installation between SQLite and PostgreSQL.",
        discussion: """
            Addresses: sqlite:FOLDER (a data folder) or postgres://USER@HOST/DATABASE. Stop what uses them first. Copies every
            tenant with its files, then counts and sums every table on both sides. Interrupted, the same command goes on.
            The keys stay in DATA/keys: processes of the new place need that folder.
            """)
    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "Where it is.") var from: String
    @Option(name: .long, help: "Where it goes; must be empty, or an interrupted copy of the same.") var to: String
    @Flag(name: .long, help: "Also when a process seems to be using one of the two.") var force = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let copy = try InstallationCopy(
                from: try DatabaseAddress(from), to: try DatabaseAddress(to), try common.configuration())
            var results: [InstallationCopy.Result] = []
            for tenant in common.tenant.isEmpty ? try copy.tenants() : common.tenant {
                let bar = ProgressBar()
                results.append(
                    try await copy.run(tenant: tenant, force: force) { bar.show(Int($1), Int($2), "\(tenant): \($0)") })
                bar.finish()
            }
            if json {
                Terminal.out(
                    JSONValue.array(
                        results.map {
                            .object([
                                "tenant": .string($0.tenant), "tables": .int(Int64($0.tables.count)),
                                "rows": .int($0.rows), "files": .int(Int64($0.files)),
                            ])
                        }
                    ).encoded())
            } else {
                for result in results {
                    Terminal.out(
                        "\(result.tenant): \(result.rows) rows in \(result.tables.count) tables and \(result.files) files, verified on both sides"
                    )
                }
            }
        }
    }
}
