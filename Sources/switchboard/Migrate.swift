import App
import ArgumentParser
import Kernel
import Platform
import Storage
import Web

/// Brings the database up to date. Serving does it too; this is for doing it ahead.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply pending migrations.")
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            try await common.withTenant(creates: true) { runtime, tenant in
                // Opening the tenant has applied them.
                let migrator = Migrator(
                    share: runtime.share, modules: runtime.modules.migrationOrder, clock: runtime.clock)
                let pending = try await migrator.pending(tenant.database)
                let all = try migrator.migrations(for: tenant.database.dialect)
                if json {
                    Terminal.out(
                        JSONValue.object([
                            "applied": .int(Int64(all.count - pending)), "pending": .int(Int64(pending)),
                        ]).encoded())
                } else {
                    Terminal.out("\(all.count - pending) migrations applied, \(pending) pending.")
                }
                if pending > 0 { throw ExitCode(1) }
            }
        }
    }
}
