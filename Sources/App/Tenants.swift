import Foundation
import Kernel
import Logging
import Platform
import Storage
import StoragePostgres
import Synchronization
import Web

/// Opens tenants by name: database, migrations, node number, keys. Each is opened once and kept.
package actor Tenants {
    private let configuration: Configuration
    package nonisolated let upkeep: DatabaseUpkeep
    private let clock: any WallClock
    private let logger: Logger
    private let modules: [any Module]
    private var opening: [String: Task<Tenant, any Error>] = [:]
    private var leases: [String: LeasedDatabase] = [:]
    private var bells: [String: PostgresBell] = [:]
    private var renewing: Task<Void, Never>?
    private var outages: [String: OutageLog] = [:]
    /// One signal for all tenants: the workers of a process serve every one of them.
    package nonisolated let wake = WakeSignal()

    package init(
        configuration: Configuration, share: ShareFolder, modules: Modules, clock: any WallClock, logger: Logger
    ) {
        self.configuration = configuration
        upkeep = DatabaseUpkeep(
            configuration, share: share, modules: modules.migrationOrder, layouts: modules.layouts, clock: clock,
            logger: logger)
        self.clock = clock
        self.logger = logger
        self.modules = modules.all
    }

    /// The tenant, opened (and migrated) at the first use.
    package func tenant(_ name: String) async throws -> Tenant {
        if let task = opening[name] { return try await task.value }
        let task = Task { try await open(name) }
        opening[name] = task
        do {
            return try await task.value
        } catch {
            opening[name] = nil
            throw error
        }
    }

    package var opened: [String] { opening.keys.sorted() }

    /// The databases that are open, beneath their leases.
    var open: [any Database] { leases.values.map(\.base) }

    /// One for each tenant: what the log says while its database is away.
    func outage(_ name: String) -> OutageLog {
        if let log = outages[name] { return log }
        let log = OutageLog(tenant: name, logger: logger)
        outages[name] = log
        return log
    }

    /// Tells the log when a standby that reads could use is away, and when it is back.
    private nonisolated func tellOfStandbys(_ database: any Database) {
        guard let database = database as? PostgresDatabase else { return }
        let logger = logger
        let away = Mutex<Set<String>>([])
        database.listenToStandbys { place, news in
            switch news {
            case .answers:
                // As loud as what it answers.
                let wasAway = away.withLock { $0.remove(place) != nil }
                logger.log(level: wasAway ? .warning : .info, "standby.answers", metadata: ["place": "\(place)"])
            case .isAway(let reason):
                away.withLock { _ = $0.insert(place) }
                logger.warning(
                    "standby.away",
                    metadata: [
                        "place": "\(place)", "error": "\(reason)", "setting": "DATABASE_READ_URL",
                        "meaning": "reads that could go there go to the primary until it answers",
                    ])
            }
        }
    }

    /// Brings a tenant's schema up to date and closes it again. No key is read or made for it: whoever migrates need not
    /// have them, and a database is bound to its keys by the first process that opens it to work.
    /// - Returns: what was applied now.
    package nonisolated func migrate(_ name: String) async throws -> [Migrator.Migration] {
        let (storage, done) = try await storage(name)
        do {
            try await DatabaseCopy.refuseUnfinished(storage.database)
            try await storage.database.close()
            return done
        } catch {
            try? await storage.database.close()
            throw error
        }
    }

    /// A tenant's storage, its schema up to date.
    private nonisolated func storage(_ name: String) async throws -> (TenantStorage, [Migrator.Migration]) {
        try await upkeep.prepare(tenant: name)
        let storage = try await TenantStorage.open(
            tenant: name, at: try configuration.address, configuration, clock: clock)
        do { return (storage, try await upkeep.bringUpToDate(storage.database, tenant: name)) } catch {
            try? await storage.database.close()
            throw error
        }
    }

    private func open(_ name: String) async throws -> Tenant {
        let (storage, done) = try await storage(name)
        let database = storage.database
        for migration in done {
            logger.info(
                "migration.applied",
                metadata: ["tenant": "\(name)", "module": "\(migration.module)", "number": "\(migration.number)"])
        }
        try await DatabaseCopy.refuseUnfinished(database)
        let keys = try Keys.tenant(folder: configuration.data + "/keys")
        try await Keys.check(keys, of: database, at: clock.now())
        let leased = try await LeasedDatabase(database, clock: clock, logger: logger)
        leases[name] = leased
        tellOfStandbys(database)
        keepLeases()
        // What others append wakes this process; what this one appends wakes it and them.
        let all = wake
        let bell = storage.bell?({ all.signal() })
        if let bell { bells[name] = bell }
        let own = WakeSignal {
            all.signal()
            bell?.ring()
        }
        let tenant = Tenant(
            name: name, database: leased, ids: leased.ids, clock: clock, wake: own,
            blobs: storage.blobs, keys: keys,
            logger: logger, timeZoneOffsetMinutes: configuration.timeZoneOffsetMinutes,
            countryCode: configuration.countryCode, currency: configuration.currency)
        for module in modules { module.opened(tenant) }
        return tenant
    }

    /// Whether the tenant was ever made in the data folder; asking makes nothing. On PostgreSQL the folder holds only the
    /// keys, without which nothing can be opened.
    package static func exists(_ name: String, _ configuration: Configuration) -> Bool {
        let file = configuration.database == nil ? "/tenants/\(name)/switchboard.sqlite" : "/keys/pepper"
        return FileManager.default.fileExists(atPath: configuration.data + file)
    }

    /// Renews the node numbers of the open tenants, whatever the process does with them; it is done every minute by itself.
    package func renewLeases() async {
        for (name, leased) in leases {
            do { try await leased.renew() } catch { outage(name).failed("node.not_renewed", error) }
        }
    }

    private func keepLeases() {
        guard renewing == nil else { return }
        renewing = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(NodeLease.milliseconds / 5))
                guard !Task.isCancelled, let self else { return }
                await self.renewLeases()
            }
        }
    }

    /// Gives the node numbers back and closes the databases.
    package func close() async {
        renewing?.cancel()
        renewing = nil
        for task in opening.values { _ = try? await task.value.database.close() }
        opening = [:]
        leases = [:]
        for bell in bells.values { bell.close() }
        bells = [:]
    }

    /// Lower-case letters, digits, dashes; it becomes a folder.
    package static func isName(_ name: String) -> Bool {
        (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    }
}

/// Host name -> tenant, as the configuration lists them; loopback names that it does not list are `default`.
package struct HostTenants: TenantResolver {
    private let hosts: [String: String]
    package init(_ configuration: Configuration) {
        hosts = Dictionary(
            configuration.tenants.filter { Tenants.isName($0.value) }.map { (Self.key($0.key), $0.value) },
            uniquingKeysWith: { first, _ in first })
    }

    /// An address may be written in several ways and in brackets; names have no case.
    package static func key(_ host: String) -> String { IPAddress(host)?.description ?? host.lowercased() }

    package func tenant(host: String) -> String? {
        guard let name = Self.name(host) else { return nil }
        if let listed = hosts[Self.key(name)] { return listed }
        // A name that merely looks like an address (127.evil.example) may be anybody's: their page would be of our origin.
        if name == "localhost" || IPAddress(name)?.isLoopback ?? false { return "default" }
        return nil
    }

    /// Without port and brackets; `nil` when something else follows the name.
    private static func name(_ host: String) -> String? {
        let isBracketed = host.hasPrefix("[")
        let end = isBracketed ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
        guard let end else { return isBracketed ? nil : host }
        let port = host[end...]
        guard port.isEmpty || port.hasPrefix(":"), port.dropFirst().utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        let name = String(host[..<end])
        return isBracketed ? String(name.dropFirst().dropLast()) : name
    }
}
