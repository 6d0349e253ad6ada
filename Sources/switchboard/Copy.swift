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
            tenant with its files, then counts and sums every table on both sides. Interrupted, the same command goes on; once
            it is finished it says so and does nothing (exit code 0), or, when the source has changed since, refuses (1).
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
                from: try DatabaseAddress(from, setting: "--from"), to: try DatabaseAddress(to, setting: "--to"),
                try common.configuration())
            var results: [InstallationCopy.Result] = []
            for tenant in common.tenant.isEmpty ? try copy.tenants() : common.tenant {
                let bar = ProgressBar()
                let result = try await copy.run(tenant: tenant, force: force) {
                    bar.show(Int($1), Int($2), "\(tenant): \($0)")
                }
                results.append(result)
                if result.finishedBefore == nil { bar.finish() } else { bar.end() }
            }
            if json {
                Terminal.out(
                    JSONValue.array(
                        results.map {
                            .object([
                                "tenant": .string($0.tenant), "tables": .int(Int64($0.tables.count)),
                                "rows": .int($0.rows), "files": .int(Int64($0.files)),
                                "finishedBefore": $0.finishedBefore.map { .string($0.iso8601) } ?? .null,
                            ])
                        }
                    ).encoded())
            } else {
                for result in results {
                    if let at = result.finishedBefore {
                        Terminal.out(
                            Terminal.pick(
                                "\(result.tenant): this copy was finished at \(at.iso8601), and the source has the same rows "
                                    + "still: there is nothing to do",
                                "\(result.tenant)：该复制已于 \(at.iso8601) 完成，来源数据未变，无需再做"))
                        continue
                    }
                    Terminal.out(
                        Terminal.pick(
                            "\(result.tenant): \(result.rows) rows in \(result.tables.count) tables and \(result.files) files, verified on both sides",
                            "\(result.tenant)：\(result.tables.count) 张表共 \(result.rows) 行、\(result.files) 个文件，两端均已核对")
                    )
                }
            }
        }
    }
}
