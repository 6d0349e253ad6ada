import App
import ArgumentParser
import Foundation
import Kernel
import Platform
import Storage
import Web

/// Looks for what would keep the installation from working.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the installation.", discussion: "Exit code 1 when a check fails.")
    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            var checks: [(name: String, ok: Bool, detail: String)] = []
            let configuration = try common.configuration()
            checks.append(("settings", true, "listening on \(configuration.host):\(configuration.port)"))
            checks.append(
                (
                    "region", true,
                    "currency \(configuration.currency), country code \(configuration.countryCode), times shown at "
                        + Self.zone(configuration.timeZoneOffsetMinutes)
                ))
            let proxies = configuration.trustedProxies
            checks.append(
                (
                    "proxies", true,
                    proxies.isEmpty
                        ? "none listed: what comes through a proxy is refused; list its address in trustedProxies"
                        : proxies.joined(separator: ", ")
                            + "; each must send X-Forwarded-For and X-Forwarded-Proto: https"
                ))
            do {
                try await common.withTenant { runtime, tenant in
                    checks.append(("data", true, URL(fileURLWithPath: configuration.data).path))
                    checks.append(("share", true, runtime.share.root))
                    checks.append(("keys", true, configuration.data + "/keys"))
                    let missing = runtime.missingAssets
                    checks.append(
                        (
                            "assets", missing.isEmpty,
                            missing.isEmpty ? "all found" : "missing: " + missing.joined(separator: ", ")
                        ))
                    let migrator = Migrator(
                        share: runtime.share, modules: runtime.modules.migrationOrder, clock: runtime.clock)
                    let pending = try await migrator.pending(tenant.database)
                    checks.append(("migrations", pending == 0, "\(pending) pending"))
                    for finding in try await runtime.tenants.upkeep.findings(tenant.database) {
                        checks.append((finding.name, finding.isOK, finding.detail))
                    }
                    let work = try await tenant.database.read { try WorkState.load(tenant, $0) }
                    let warnings = WarningThresholds(configuration).warnings(work)
                    checks.append(
                        ("work", warnings.isEmpty, warnings.isEmpty ? "nothing late" : warnings.joined(separator: "; ")))
                    let writer = try tenant.blobs.writer()
                    try writer.write([1])
                    writer.discard()
                    checks.append(("files", true, "writable"))
                    let free =
                        try FileManager.default.attributesOfFileSystem(forPath: configuration.data)[.systemFreeSize]
                        as? NSNumber
                    let gigabytes = (free?.doubleValue ?? 0) / 1e9
                    checks.append(("disk", gigabytes > 1, "\((gigabytes * 10).rounded() / 10) GB free"))
                }
            } catch let error as CRMError where ["no_installation", "no_tenant"].contains(error.code) {
                checks.append(("data", false, error.message.en))
            } catch {
                checks.append(("start", false, (error as? CRMError)?.message.en ?? "\(error)"))
            }
            if json {
                Terminal.out(
                    JSONValue.array(
                        checks.map {
                            .object(["check": .string($0.name), "ok": .bool($0.ok), "detail": .string($0.detail)])
                        }
                    ).encoded())
            } else {
                for check in checks {
                    Terminal.out("\(check.ok ? "ok  " : "FAIL") \(check.name.padding(12)) \(check.detail)")
                }
            }
            if checks.contains(where: { !$0.ok }) { throw ExitCode(1) }
        }
    }

    /// `UTC+8 (timeZoneOffsetMinutes 480)`.
    private static func zone(_ minutes: Int) -> String {
        "\(Instant.zoneName(offsetMinutes: minutes)) (timeZoneOffsetMinutes \(minutes))"
    }
}
