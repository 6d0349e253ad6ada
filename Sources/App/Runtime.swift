import Crypto
import Foundation
import Hummingbird
import Kernel
import Logging
import NIOCore
import Platform
import ServiceLifecycle
import Storage
import StorageSQLite
import Synchronization
import Web

/// A configured product in this process: modules, tenants, the gate. Commands use it without a server.
package struct Runtime: Sendable {
    package let configuration: Configuration
    package let share: ShareFolder
    package let modules: Modules
    package let tenants: Tenants
    package let site: SiteInfo
    package let routes: [Route]
    /// The pages that belong to no one domain, health among them.
    let console: Console
    package let gate: Gate
    package let metrics: Metrics
    package let logger: Logger
    package let clock: any WallClock
    /// Vendor files that were not found.
    package let missingAssets: [String]

    /// Nothing is read or made in the data folder yet.
    /// - Throws: `CRMError` for missing share files, broken templates or texts.
    package init(
        _ configuration: Configuration, clock: any WallClock = SystemClock(), logger: Logger? = nil
    ) throws {
        try configuration.check()
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let logger = logger ?? Logger(label: "switchboard") { LogLines(label: $0, level: level, clock: clock) }
        let share = try ShareFolder.locate(configuration.share)
        let pages = try Pages(share: share)
        let assets = Assets(share: share, vendorRoot: configuration.vendor)
        let modules = try Modules(
            share: share, clock: clock, passwordProfile: configuration.passwordProfile,
            timeZoneOffsetMinutes: configuration.timeZoneOffsetMinutes, intake: configuration.intake,
            outgoing: configuration.messages, hub: configuration.hub)
        let tenants = Tenants(
            configuration: configuration, share: share, modules: modules, clock: clock, logger: logger)
        let site = SiteInfo(
            pages: pages, assets: assets.base, navigation: modules.all.flatMap(\.navigation) + Console.navigation,
            permissions: modules.grants, scopes: modules.scopes, version: Version.text)
        let metrics = Metrics()
        let open: @Sendable (String) async throws -> Tenant = { try await tenants.tenant($0) }
        let names = Self.tenantNames(configuration)
        let thresholds = WarningThresholds(configuration)
        let migrator = Migrator(share: share, modules: modules.migrationOrder, clock: clock)
        let board = ReadinessBoard {
            await Console.Readiness.look(names, migrator, thresholds, open: open) { tenant, error in
                logger.warning("ready.not", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
            }
        }
        let console = Console(modules: modules.all, metrics: metrics, thresholds: thresholds) {
            await board.readiness()
        }
        let endpoints = console.endpoints() + ProgramReference(resources: modules.resources).endpoints()
            + modules.all.flatMap { $0.endpoints(site) } + modules.pageEndpoints(site)
        routes = endpoints.map { $0.route(tenants: open, site: site) } + console.probeRoutes()
        // The installation's own key comes when it is served.
        var settings = GateSettings(csrfKey: SymmetricKey(size: .bits256))
        settings.trustedProxies = configuration.proxies
        settings.requiresProxy = !configuration.isLoopback
        settings.requestsPerSecond = configuration.requestsPerSecond
        var hooks = GateHooks()
        let rights = Dictionary(
            modules.grants.map { ($0.permission, $0.words) }, uniquingKeysWith: { first, _ in first })
        hooks.named = { rights[$0] }
        hooks.forbidden = { principal, route in
            let tenant = try await open(principal.tenant)
            try await tenant.database.write { session in
                try tenant.audit.record(
                    AuditEntry("console.request.refuse", facts: ["route": .string(route)], refused: true),
                    by: principal,
                    session)
            }
        }
        gate = Gate(
            table: RouteTable(routes), assets: assets, pages: pages, sessions: modules.sessions(open),
            tokens: modules.programs(open),
            tenants: HostTenants(configuration), settings: settings, hooks: hooks, metrics: metrics, logger: logger)
        self.configuration = configuration
        self.console = console
        self.share = share
        self.modules = modules
        self.tenants = tenants
        self.site = site
        self.metrics = metrics
        self.logger = logger
        self.clock = clock
        missingAssets = assets.missing
    }

    /// The principal of a command run on the machine itself: every permission, address `cli`.
    package func operatorPrincipal(tenant: String, purpose: Purpose = .administration) -> Principal {
        Principal(
            tenant: tenant, userID: nil, userName: "cli:" + NSUserName(), roles: [],
            permissions: Set(modules.grants.map(\.permission)), purpose: purpose, address: "cli",
            requestID: RandomText.hex(8))
    }

    /// The default tenant and those the configuration names.
    package var tenantNames: [String] { Self.tenantNames(configuration) }

    private static func tenantNames(_ configuration: Configuration) -> [String] {
        Set(["default"] + configuration.tenants.values.filter(Tenants.isName)).sorted()
    }

    /// Where a tenant is reached: another tenant's pages and links work only under a host name of its own.
    package func address(of tenant: String, port: Int? = nil) -> String {
        let host = configuration.tenants.filter { $0.value == tenant }.keys.min() ?? configuration.host
        return "http://\(host):\(port ?? configuration.port)"
    }

    /// Fills a tenant with the demonstration operator.
    package func seed(_ request: SeedRequest, _ tenant: Tenant) async throws {
        try await Demonstration(self, tenant).make(
            customers: request.customers, seed: request.seed, progress: request.progress)
    }

    /// Serves until a signal comes, then stops: no new connections, requests in flight end, jobs give their lease back.
    /// - Parameters:
    ///   - names: tenants whose background work is done here; `nil` = all the configuration names.
    ///   - signals: whether SIGTERM and SIGINT end it; only with `late`, without which nobody could end it in every case.
    ///   - late: called when it does not stop in time: the process has to be ended.
    ///   - running: called with the port once connections are accepted.
    /// - Throws: `CRMError` "port_in_use" and others, never traps.
    package func serve(
        withWorkers: Bool, for names: [String]? = nil, signals: Bool = true, late: (@Sendable () -> Void)? = nil,
        running: @escaping @Sendable (Int) async -> Void
    ) async throws {
        _ = try await tenants.tenant("default")
        // Behind the database: an address that leads nowhere must not leave keys behind.
        let gate = gate.with(csrfKey: try Keys.forms(folder: configuration.data + "/keys"))
        var limits = ConnectionLimits()
        limits.exempt = configuration.proxies
        limits.door = gate.door
        let application = Application(
            responder: Site(gate: gate),
            server: Site.server(limits),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil,
                availableConnectionsDelegate: .maximum(Site.connectionsMax, logger: logger)),
            onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "http") { LogLines(label: $0, level: .warning) })
        var services: [any Service] = [Answering(service: application), watch]
        if withWorkers { services.append(workers(names)) }
        if let probes = probes() { services.append(probes) }
        // An SQLite file is served by one process.
        if case .postgres = try configuration.address {
            services.append(SharedLimits(tenants: tenants, limiter: gate.limiter, clock: clock, logger: logger))
        }
        if let late { services.append(StopDeadline(logger: logger, late: late)) }
        do {
            try await ServiceRun(services, endsWithAny: true, logger: logger).run(
                signals ? late.map { StopSignals(logger: logger, leave: $0) } : nil
            ) { await tenants.close() }
        } catch {
            throw Self.readable(error, configuration)
        }
    }

    private var watch: DatabaseWatch { DatabaseWatch(tenants: tenants, metrics: metrics) }

    private func workers(_ names: [String]?) -> Workers {
        Workers(
            names: names ?? tenantNames, modules: modules.all, tenants: tenants, count: configuration.workers,
            metrics: metrics, logger: logger)
    }

    /// Only the background work, for `switchboard worker`.
    /// - Parameters:
    ///   - names: tenants whose work is done; `nil` = all the configuration names.
    ///   - running: called once a tenant has been opened.
    /// - Throws: why no tenant could be opened: a wrong password or foreign keys do not mend themselves. One that can be
    ///   opened is worked for, and the others are tried again.
    package func work(
        for names: [String]? = nil, late: @escaping @Sendable () -> Void,
        running: @Sendable () -> Void = {}
    ) async throws {
        try await openOne(of: names ?? tenantNames)
        running()
        var services: [any Service] = [workers(names), watch]
        if let probes = probes() { services.append(probes) }
        // The last is told first that it is time to stop: one that does not end must not keep the others from hearing it.
        services.append(StopDeadline(logger: logger, late: late))
        try await ServiceRun(services, logger: logger).run(StopSignals(logger: logger, leave: late)) {
            await tenants.close()
        }
    }

    private func openOne(of names: [String]) async throws {
        var first: (any Error)?
        for name in names {
            do {
                _ = try await tenants.tenant(name)
                return
            } catch { first = first ?? error }
        }
        await tenants.close()
        if let first { throw first }
    }

    private static func readable(_ error: any Error, _ configuration: Configuration) -> any Error {
        if let io = error as? IOError, io.errnoCode == EADDRINUSE {
            return CRMError(
                "port_in_use", status: 500,
                Words(
                    en:
                        "Port \(configuration.port) on \(configuration.host) is in use by another program. Set PORT to a free one.",
                    zh: "\(configuration.host) 的端口 \(configuration.port) 已被占用，请将 PORT 设为空闲端口。"))
        }
        return error
    }
}

/// Tells the process that it does not come to an end by itself: work on a thread of its own may not notice that it is to
/// stop. The process then ends, and not by a trap, whose dump would hold what was in memory.
package struct StopDeadline: Service {
    let logger: Logger
    let late: @Sendable () -> Void

    package func run() async throws {
        try? await gracefulShutdown()
        Self.arm(logger, seconds: Limits.shutdownSecondsMax + 5, late)
    }

    package static func arm(_ logger: Logger, seconds: Int, _ late: @escaping @Sendable () -> Void) {
        Task {
            try? await Task.sleep(for: .seconds(seconds))
            logger.error("shutdown.forced", metadata: ["seconds": "\(seconds)"])
            late()
        }
    }
}

/// Runs what answers requests on the threads that may wait for the database.
private struct Answering<Base: Service>: Service {
    let service: Base
    func run() async throws {
        try await withTaskExecutorPreference(WorkThreads.reading) { try await service.run() }
    }
}

/// The product's version.
package enum Version {
    package static let text = "0.1.0"
}
